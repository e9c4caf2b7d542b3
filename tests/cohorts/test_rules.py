"""Who may invite, how long an invitation holds, what an address may say: no Flask, no database."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.cohorts.rules import (
    CLASS_ROLES,
    LOADED_WORDS,
    LONGEST_SLUG,
    OTHER_ROLES,
    OUR_WORDS,
    BadSlug,
    InvitationDates,
    Standing,
    check_slug,
    may_invite,
    standing,
)
from lms.core.login import ROLES

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=72)
MOMENTS = st.integers(-1000, 1000).map(lambda hours: NOW + timedelta(hours=hours))


@pytest.mark.parametrize(
    ("accepted", "withdrawn", "at", "expected"),
    [
        (None, None, NOW, Standing.OPEN),
        (None, None, LATER - timedelta(microseconds=1), Standing.OPEN),
        (None, None, LATER, Standing.EXPIRED),
        (None, NOW, NOW, Standing.WITHDRAWN),
        (None, NOW, LATER, Standing.WITHDRAWN),
        (NOW, None, NOW, Standing.ACCEPTED),
        (NOW, None, LATER, Standing.ACCEPTED),
        (NOW, NOW, NOW, Standing.ACCEPTED),
    ],
)
def test_what_becomes_of_an_invitation(
    accepted: datetime | None, withdrawn: datetime | None, at: datetime, expected: Standing
):
    assert standing(InvitationDates(LATER, accepted, withdrawn), at) is expected


@given(MOMENTS, st.none() | MOMENTS, st.none() | MOMENTS, MOMENTS, MOMENTS)
def test_what_is_closed_never_opens_again(
    expires: datetime,
    accepted: datetime | None,
    withdrawn: datetime | None,
    one: datetime,
    other: datetime,
):
    dates = InvitationDates(expires, accepted, withdrawn)
    first, second = (standing(dates, at) for at in sorted((one, other)))
    assert first is Standing.OPEN or first is second


def test_an_administrator_may_invite_to_every_role():
    offered = {*CLASS_ROLES, *OTHER_ROLES}
    assert offered == set(ROLES)
    for role in ROLES:
        assert may_invite({"admin"}, role, in_class=True) is (role in CLASS_ROLES)
        assert may_invite({"admin"}, role, in_class=False) is (role in OTHER_ROLES)


@given(st.sets(st.sampled_from(ROLES)), st.sampled_from([*ROLES, "pemilik"]), st.booleans())
def test_nobody_else_makes_anybody_but_companions(inviter: set[str], role: str, in_class: bool):
    allowed = may_invite(inviter - {"admin"}, role, in_class=in_class)
    assert allowed is ("trainer" in inviter and role == "trainee" and in_class)


@pytest.mark.parametrize("slug", ["kota-contoh-1", "a", "2026", "x" * LONGEST_SLUG])
def test_a_plain_address_passes(slug: str):
    check_slug(slug)


@pytest.mark.parametrize(
    ("slug", "why"),
    [
        ("", "form"),
        ("x" * (LONGEST_SLUG + 1), "form"),
        ("Kota-Contoh", "form"),
        ("kota contoh", "form"),
        ("kota--contoh", "form"),
        ("-kota", "form"),
        ("kota-", "form"),
        ("kota/1", "form"),
        ("kota\n", "form"),
        ("kotá", "form"),
        *((word, "ours") for word in sorted(OUR_WORDS)),
        *((f"tot-{word}-1", "loaded") for word in LOADED_WORDS),
    ],
)
def test_an_address_that_is_malformed_ours_or_telling_is_refused(slug: str, why: str):
    with pytest.raises(BadSlug, match=why):
        check_slug(slug)


@given(st.text())
def test_whatever_passes_is_safe_in_an_address(text: str):
    try:
        check_slug(text)
    except BadSlug:
        return
    assert text.isascii()
    assert text.replace("-", "").isalnum()
    assert text == text.lower()
