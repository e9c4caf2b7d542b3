"""When a certificate holds, when the next may follow, when two names are one."""

import unicodedata
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.credentials.rules import (
    AlreadyIssued,
    Life,
    Place,
    Reason,
    RevokedForViolation,
    Status,
    day_of,
    end_of,
    ends_soon,
    is_same_name,
    months_later,
    place_of_next,
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
