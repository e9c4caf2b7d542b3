"""When a certificate holds, when the next may follow, when two names are one."""

import unicodedata
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.credentials.rules import (
    AlreadyIssued,
    AlreadySigned,
    Change,
    Life,
    NeedsTrainer,
    Place,
    Reason,
    RevokedForViolation,
    Signer,
    Standing,
    Status,
    Step,
    day_of,
    differences,
    digest,
    end_of,
    ends_soon,
    is_same_name,
    months_later,
    next_step,
    place_of_next,
    standing,
    status,
)

UNTIL = date(2028, 4, 1)
MOMENTS = st.datetimes(
    datetime(2024, 1, 1),  # noqa: DTZ001  # made aware below
    datetime(2032, 1, 1),  # noqa: DTZ001
).map(lambda moment: moment.replace(tzinfo=UTC))
DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))


def life(**values: object) -> Life:
    defaults: dict[str, object] = {"id": 7, "term": 1, "revision": 0, "valid_until": UNTIL}
    return Life(**(defaults | values))  # type: ignore[arg-type]


def test_a_certificate_holds_through_its_last_day_in_the_western_zone():
    last_second = datetime(2028, 4, 1, 16, 59, 59, tzinfo=UTC)
    assert status(life(), last_second) is Status.VALID
    assert status(life(), last_second + timedelta(seconds=1)) is Status.EXPIRED


def test_what_happens_later_does_not_count_yet():
    at = datetime(2027, 1, 1, tzinfo=UTC)
    later, before = at + timedelta(seconds=1), at - timedelta(seconds=1)
    assert status(life(revoked_at=later, replaced_at=later), at) is Status.VALID
    assert status(life(revoked_at=at), at) is Status.REVOKED
    assert status(life(replaced_at=at), at) is Status.REPLACED
    assert status(life(revoked_at=before, replaced_at=before), at) is Status.REVOKED


def test_revocation_outlives_the_end():
    at = datetime(2030, 1, 1, tzinfo=UTC)
    assert status(life(revoked_at=datetime(2027, 1, 1, tzinfo=UTC)), at) is Status.REVOKED


def test_a_certificate_ends_soon_in_its_last_90_days():
    end = end_of(UNTIL)
    assert ends_soon(life(), end - timedelta(days=90))
    assert not ends_soon(life(), end - timedelta(days=90, seconds=1))
    assert not ends_soon(life(), end)
    assert not ends_soon(life(revoked_at=end - timedelta(days=30)), end - timedelta(days=10))


@given(DAYS, st.integers(0, 120))
def test_months_later_keeps_the_day_or_takes_the_last_of_the_month(day: date, months: int):
    found = months_later(day, months)
    assert (found.year * 12 + found.month) - (day.year * 12 + day.month) == months
    tomorrow = found + timedelta(days=1)
    assert found.day == day.day or (found.day < day.day and tomorrow.day == 1)


def test_months_later_from_a_leap_day():
    assert months_later(date(2028, 2, 29), 24) == date(2030, 2, 28)
    assert months_later(date(2026, 10, 31), 1) == date(2026, 11, 30)


@given(DAYS)
def test_the_end_of_a_day_is_the_first_moment_of_the_next(day: date):
    assert day_of(end_of(day)) == day + timedelta(days=1)
    assert day_of(end_of(day) - timedelta(microseconds=1)) == day


def test_the_first_certificate_begins_term_one():
    assert place_of_next([], datetime(2026, 4, 1, tzinfo=UTC)) == Place(1, None)


def test_a_certificate_that_holds_is_not_issued_again():
    with pytest.raises(AlreadyIssued):
        place_of_next([life()], end_of(UNTIL) - timedelta(days=91))


@pytest.mark.parametrize("offset", [timedelta(days=-90), timedelta(), timedelta(days=900)])
def test_a_renewal_follows_near_the_end_or_after_it(offset: timedelta):
    assert place_of_next([life()], end_of(UNTIL) + offset) == Place(2, 7)


def test_the_newest_term_and_revision_decides():
    old = life(id=1, term=1, valid_until=date(2025, 1, 1))
    corrected = life(id=3, term=2, revision=1)
    replaced = life(id=2, term=2, replaced_at=datetime(2026, 5, 1, tzinfo=UTC))
    for earlier in ([old, replaced, corrected], [corrected, replaced, old]):
        with pytest.raises(AlreadyIssued):
            place_of_next(earlier, datetime(2026, 6, 1, tzinfo=UTC))
        assert place_of_next(earlier, end_of(UNTIL)) == Place(3, 3)


@pytest.mark.parametrize("reason", [Reason.ERROR, Reason.WITHDRAWN])
def test_after_an_error_or_a_withdrawal_a_new_decision_is_possible(reason: Reason):
    at = datetime(2026, 6, 1, tzinfo=UTC)
    assert place_of_next([life(revoked_at=at, reason=reason)], at) == Place(2, 7)


def test_after_a_violation_the_term_has_to_pass():
    at = datetime(2026, 6, 1, tzinfo=UTC)
    revoked = life(revoked_at=at, reason=Reason.VIOLATION)
    with pytest.raises(RevokedForViolation):
        place_of_next([revoked], end_of(UNTIL) - timedelta(seconds=1))
    assert place_of_next([revoked], end_of(UNTIL)) == Place(2, 7)


@given(MOMENTS, MOMENTS | st.none(), MOMENTS | st.none())
def test_nothing_but_an_unrevoked_unreplaced_unended_certificate_is_valid(
    at: datetime, revoked_at: datetime | None, replaced_at: datetime | None
):
    found = life(revoked_at=revoked_at, replaced_at=replaced_at)
    holds = (
        at < end_of(UNTIL)
        and (revoked_at is None or revoked_at > at)
        and (replaced_at is None or replaced_at > at)
    )
    assert (status(found, at) is Status.VALID) is holds


@pytest.mark.parametrize(
    "typed",
    ["rahma yuliani, s.psi.", "RAHMA  YULIANI SPsi", "Rahma Yuliani S.Psi", "Ráhma Yuliani, S.Psi"],
)
def test_case_marks_blanks_and_dots_do_not_count(typed: str):
    assert is_same_name(typed, "Rahma Yuliani, S.Psi.")


@pytest.mark.parametrize("typed", ["", " . ", "Rahma", "Rahma Yulianti, S.Psi.", "R*** Y***"])
def test_another_name_is_another_name(typed: str):
    assert not is_same_name(typed, "Rahma Yuliani, S.Psi.")


def test_nothing_is_nobodys_name():
    assert not is_same_name("***", "...")


@given(st.text(max_size=30))
def test_a_name_is_its_own_unless_it_has_no_letter(name: str):
    plain = unicodedata.normalize("NFKD", name).casefold()
    assert is_same_name(name, name) is any(character.isalnum() for character in plain)


# The decision meeting

TRAINER, OTHER, ASSESSOR, JUDGE = (
    Signer(1, True),
    Signer(2, True),
    Signer(3, False),
    Signer(4, False),
)


def test_the_second_signature_decides():
    assert next_step([], TRAINER, same=True) == (Step.PROPOSE,)
    for second in (OTHER, ASSESSOR):
        assert next_step([TRAINER], second, same=True) == (Step.DECIDE,)
    assert next_step([ASSESSOR], TRAINER, same=True) == (Step.DECIDE,)


def test_nobody_signs_twice():
    with pytest.raises(AlreadySigned):
        next_step([TRAINER], TRAINER, same=True)


def test_two_assessors_are_not_enough():
    with pytest.raises(NeedsTrainer):
        next_step([ASSESSOR], JUDGE, same=True)


def test_changed_evidence_begins_anew_even_for_who_signed():
    assert next_step([TRAINER], OTHER, same=False) == (Step.RENEW,)
    assert next_step([TRAINER], TRAINER, same=False) == (Step.RENEW,)


def test_where_one_signature_is_enough_it_is_a_trainers():
    assert next_step([], TRAINER, same=True, needed=1) == (Step.PROPOSE, Step.DECIDE)
    assert next_step([TRAINER], OTHER, same=False, needed=1) == (Step.RENEW, Step.DECIDE)
    with pytest.raises(NeedsTrainer):
        next_step([], ASSESSOR, same=True, needed=1)


@given(
    st.lists(
        st.tuples(st.sampled_from([TRAINER, OTHER, ASSESSOR, JUDGE]), st.booleans()), max_size=8
    )
)
def test_no_decision_without_two_people_under_the_same_evidence(tries):
    """Whatever the order: a decision has two different signers since the evidence last changed."""
    signed: list[Signer] = []
    for signer, changed in tries:
        try:
            steps = next_step(signed, signer, same=not changed)
        except (AlreadySigned, NeedsTrainer):
            continue
        signed = [*([] if changed else signed), signer]
        if Step.DECIDE in steps:
            assert not changed
            assert len({one.id for one in signed}) == 2
            assert any(one.trains for one in signed)
            return
        assert len(signed) == 1


TRACE = {"verdicts": {"a": "T", "b": "T"}, "evidence": {"a": [1, 2], "b": [3], "K1.T": [4]}}


def test_the_fingerprint_sees_every_change_and_no_order():
    turned = {"evidence": {"K1.T": [4], "b": [3], "a": [1, 2]}, "verdicts": {"b": "T", "a": "T"}}
    assert digest(TRACE) == digest(turned)
    for change in ({"verdicts": {"a": "T", "b": "TK"}}, {"evidence": {"a": [1, 2]}}):
        assert digest(TRACE | change) != digest(TRACE)


def test_differences_name_criterion_verdict_and_rows():
    assert differences(TRACE, TRACE) == []
    later = {"verdicts": {"a": "B", "b": "T"}, "evidence": {"a": [2, 9], "b": [3], "K1.T": [4, 5]}}
    assert differences(TRACE, later) == [
        Change("K1.T", "", "", (5,), ()),
        Change("a", "T", "B", (9,), (1,)),
    ]
    gone = {"verdicts": {"a": "T"}, "evidence": {"a": [1, 2], "K1.T": [4]}}
    assert differences(TRACE, gone) == [Change("b", "T", "", (), (3,))]


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ({"ready": True}, Standing.READY),
        ({}, Standing.BLOCKED),
        ({"signed": True, "ready": True}, Standing.PROPOSED),
        ({"signed": False, "ready": True}, Standing.CHANGED),
        ({"signed": False}, Standing.CHANGED),
        ({"ready": True, "may_follow": False}, Standing.ISSUED),
        ({"signed": True, "decided": True, "held_back": True}, Standing.DECIDED),
        ({"ready": True, "held_back": True, "signed": True}, Standing.HELD),
    ],
)
def test_everybody_stands_somewhere(facts, found):
    known = {"ready": False, "may_follow": True, "signed": None}
    assert standing(**(known | facts)) is found
