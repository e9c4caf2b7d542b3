"""What counts as reviewed, what is closed to whom, and what follows what."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.reviews import rules
from lms.reviews.rules import Kind, Sealed, State
from tests.factories import NOW


@pytest.mark.parametrize(
    ("in_file", "signatures", "reviewed"),
    [(False, 0, False), (True, 0, True), (False, 1, True), (True, 2, True)],
)
def test_a_text_is_reviewed_by_its_file_or_by_a_signature(in_file, signatures, reviewed) -> None:
    assert rules.is_reviewed(in_file, signatures) is reviewed


def test_a_signature_is_undone_within_a_day() -> None:
    assert rules.may_undo(NOW, NOW + timedelta(hours=24) - timedelta(seconds=1))
    assert not rules.may_undo(NOW, NOW + timedelta(hours=24))


@pytest.mark.parametrize("role", ["author", "trainer", "admin"])
def test_who_answers_for_the_texts_closes_comments(role) -> None:
    assert rules.may_resolve({role}, is_author=False)
    assert not rules.may_resolve({"reviewer"}, is_author=False)
    assert rules.may_resolve({"reviewer"}, is_author=True)


def test_only_reviewers_trainers_and_administrators_see_keys() -> None:
    for role in ("reviewer", "trainer", "admin"):
        assert rules.kinds_closed_to({role, "author"}) == frozenset()
    for roles in ({"author"}, {"trainee", "author"}, {"assessor"}, set()):
        closed = rules.kinds_closed_to(roles)
        assert closed == {Kind.ITEM, Kind.CASE, Kind.STATION}


def test_what_somebody_is_tested_on_is_closed_to_them() -> None:
    sealed = Sealed(curricula=frozenset({"K1"}), cases=frozenset({"SK1"}))
    assert sealed.is_tested
    assert sealed.hides("item", "K1-0321-1", "K1")
    assert not sealed.hides("item", "K2-0321-1", "K2")
    assert not sealed.hides("lesson", "K1.1", "K1")
    assert sealed.hides("case", "SK1", "K1")
    assert not sealed.hides("case", "SK2", "K1")
    ahead = sealed | Sealed(frozenset({"case"}), stations=frozenset({"K1"}))
    assert ahead.hides("station", "ST1", "K1")
    assert not ahead.hides("station", "ST9", "K3")
    assert ahead.refuses("item", "K1-0321-1", "K1")
    assert not ahead.refuses("case", "SK1", "K1")  # never theirs to read: no reason is said
    playing = Sealed(simulations=frozenset({"S1"}))
    assert playing.hides("simulation", "S1-A", "K1")
    assert playing.hides("simulation", "S1-B", "K1")
    assert not playing.hides("simulation", "S10-A", "K1")
    assert not Sealed(frozenset({"item"})).is_tested
    assert Sealed(frozenset({"item"})).hides("item", "K2-0321-1", "K2")


def test_codes_are_ordered_as_people_count() -> None:
    codes = ["K1.10", "K1.2", "K1.T", "K1.1"]
    assert sorted(codes, key=rules.natural) == ["K1.1", "K1.2", "K1.10", "K1.T"]


@given(st.lists(st.text("K.0123456789-TA", max_size=8)))
def test_any_codes_can_be_ordered(codes: list[str]) -> None:
    assert sorted(sorted(codes, key=rules.natural), key=rules.natural) == sorted(
        codes, key=rules.natural
    )


@pytest.mark.parametrize(
    ("state", "reviewed", "comments", "fits"),
    [
        (State.ALL, False, 0, True),
        (State.OPEN, False, 0, True),
        (State.OPEN, True, 3, False),
        (State.SIGNED, True, 0, True),
        (State.SIGNED, False, 1, False),
        (State.COMMENTED, True, 1, True),
        (State.COMMENTED, False, 0, False),
    ],
)
def test_a_list_holds_what_it_says(state, reviewed, comments, fits) -> None:
    assert rules.fits(state, reviewed=reviewed, comments=comments) is fits


def test_neighbours_are_among_what_is_kept() -> None:
    assert rules.neighbours("abcde", "c", {"a", "e"}) == ("a", "e")
    assert rules.neighbours("abcde", "a", {"a", "b"}) == ("", "b")
    assert rules.neighbours("abcde", "e", "abcde") == ("d", "")
    assert rules.neighbours("abc", "b", ()) == ("", "")


@given(st.lists(st.tuples(st.sampled_from(["item", "lesson"]), st.booleans())))
def test_counts_add_up(texts: list[tuple[str, bool]]) -> None:
    found = rules.count_done(texts)
    assert sum(total for _done, total in found.values()) == len(texts)
    assert sum(done for done, _total in found.values()) == sum(read for _kind, read in texts)
    assert all(done <= total for done, total in found.values())
