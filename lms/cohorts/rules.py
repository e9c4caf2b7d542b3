"""Who may invite whom, how long an invitation holds, what a class address may say. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from lms.core.errors import DomainError

INVITATION = timedelta(hours=72)
CLASS_ROLES = ("trainee", "trainer", "assessor", "speaker")
"""Roles somebody can be invited to in a class."""
OTHER_ROLES = ("trainer", "assessor", "speaker", "agency", "author", "reviewer", "admin")
"""Roles somebody can be invited to outside a class."""
NEEDS_ORGANISATION = frozenset({"trainee", "agency"})
"""A companion is sent by an organisation, an officer asks in the name of one."""
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
LONGEST_SLUG = 40
OUR_WORDS = frozenset({"baru"})
"""Addresses of pages that stand where a class could stand."""
LOADED_WORDS = ("kdrt", "kekerasan", "korban", "aniaya", "violence", "victim", "abuse")
"""An address stays in the browser's history, so it never says what the class is about."""


class BadSlug(DomainError):
    """The address of a class is malformed, ours, or says what the class is about."""


class Standing(StrEnum):
    """What has become of an invitation."""

    OPEN = "open"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class InvitationDates:
    """The moments that decide what an invitation is worth."""

    expires_at: datetime
    accepted_at: datetime | None
    withdrawn_at: datetime | None


def standing(dates: InvitationDates, now: datetime) -> Standing:
    """Return what has become of an invitation at `now`."""
    if dates.accepted_at is not None:
        return Standing.ACCEPTED
    if dates.withdrawn_at is not None:
        return Standing.WITHDRAWN
    return Standing.OPEN if now < dates.expires_at else Standing.EXPIRED


def may_invite(inviter: Iterable[str], role: str, *, in_class: bool) -> bool:
    """Tell whether somebody with the roles `inviter` may invite to `role`.

    An administrator may invite to every role, a trainer companions into a class.
    """
    if "admin" in inviter:
        return role in (CLASS_ROLES if in_class else OTHER_ROLES)
    return "trainer" in inviter and in_class and role == "trainee"


def check_slug(text: str) -> None:
    """Let the address of a class pass or raise BadSlug: `form`, `ours` or `loaded`."""
    if len(text) > LONGEST_SLUG or SLUG.fullmatch(text) is None:
        raise BadSlug("form")
    if text in OUR_WORDS:
        raise BadSlug("ours")
    if any(word in text for word in LOADED_WORDS):
        raise BadSlug("loaded")
