"""Whose a collection is, and what a file is."""

from itertools import product
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.quizzes.collections import rules
from lms.quizzes.exchange.formats import READABLE


@pytest.mark.parametrize("given_", list(product([True, False], repeat=6)))
def test_whoever_may_change_a_collection_may_see_it(given_: tuple[bool, ...]):
    names = ("admin", "owner", "colleague", "trainer", "shared", "personal")
    found = rules.rights(**dict(zip(names, given_, strict=True)))
    assert found.see or not found.change


def test_a_colleague_changes_what_is_the_agencys_and_not_what_is_a_persons():
    one = {"admin": False, "owner": False, "trainer": True, "shared": False}
    assert rules.rights(**one, colleague=True, personal=False).change
    assert not rules.rights(**one, colleague=True, personal=True).see
    assert rules.rights(**{**one, "shared": True}, colleague=False, personal=True) == (
        rules.Rights(see=True, change=False)
    )


@pytest.mark.parametrize(
    ("name", "start", "format_"),
    [
        ("soal.gift", b"::a::x {=b}", "gift"),
        ("soal.txt", b"Apa?\nA. satu\nB. dua\nANSWER: A", "aiken"),
        ("soal.txt", b"Apa?\rA. satu\rB. dua\rANSWER: A", "aiken"),
        ("soal.txt", b"Apa? {=b}", "gift"),
        ("soal.txt", b"\xef\xbb\xbf <?xml version='1.0'?><quiz/>", "moodle-xml"),
        ("soal.txt", b"<quiz>", "moodle-xml"),
        ("soal.XML", b"", "moodle-xml"),
        ("soal.csv", b"PK\x03\x04", "xlsx"),
        ("soal.csv", b"Soal;Kunci", "csv"),
        ("items.yaml", b"items:", "suluh"),
    ],
)
def test_the_format_is_guessed_from_the_bytes_first(name: str, start: bytes, format_: str):
    assert rules.guess_format(name, start) == format_
    assert format_ in READABLE


@given(st.text(), st.binary())
def test_any_file_has_a_format_and_any_name_can_be_shown(name: str, start: bytes):
    assert rules.guess_format(name, start) in READABLE
    shown = rules.file_name(name)
    assert 0 < len(shown) <= rules.FILE_NAME
    assert shown.isprintable()


@given(
    st.lists(st.integers(), unique=True, max_size=30),
    st.integers(0, 30),
    st.integers(),
    st.sets(st.integers()),
)
def test_chosen_at_random_are_as_many_as_asked_each_once_in_order(
    pool: list[int], number: int, seed: int, without: set[int]
):
    left = [one for one in pool if one not in without]
    if number > len(left):
        with pytest.raises(rules.TooFew):
            rules.choose(pool, number, Random(seed), without=without)
        return
    chosen = rules.choose(pool, number, Random(seed), without=without)
    assert len(chosen) == number
    assert [one for one in left if one in chosen] == chosen
