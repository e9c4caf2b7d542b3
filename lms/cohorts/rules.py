"""Who may invite, how long an invitation holds. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

INVITATION = timedelta(hours=72)


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
