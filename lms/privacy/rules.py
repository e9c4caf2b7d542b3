"""How long things are kept, when a deletion is due, how much time an incident leaves."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from lms.core.errors import DomainError


class BadDays(DomainError):
    """A timer may not be set to so many days."""

    def __init__(self, timer: "Timer") -> None:
        super().__init__(timer.name)
        self.timer = timer


@dataclass(frozen=True, slots=True)
class Timer:
    """Something that goes after so many days; an installation may choose within bounds."""

    name: str
    days: int
    least: int
    most: int

    def check(self, days: int) -> int:
        """Return `days` when the timer may be set to it. Raises BadDays."""
        if not self.least <= days <= self.most:
            raise BadDays(self)
        return days


TIMERS: dict[str, Timer] = {
    timer.name: timer
    for timer in (
        Timer("links", 0, 0, 0),
        Timer("sessions", 30, 7, 365),
        Timer("resets", 90, 30, 365),
        Timer("devices", 30, 7, 365),
        Timer("mail", 30, 7, 365),
        Timer("drafts", 180, 30, 730),
        Timer("invitations", 180, 30, 730),
        Timer("nominations", 365, 90, 1825),
        Timer("names", 365, 90, 1825),
        Timer("disclosures", 1825, 365, 3650),
    )
}
"""What goes by itself, in the order in which it is looked at."""
STUCK_MAIL = 90
"""Days after which a message that never went out is emptied too."""

UNDO = timedelta(days=7)
"""How long a deletion waits."""

THREE_DAYS = timedelta(hours=72)
"""3 x 24 hours: UU 27/2022 Pasal 40 (2) and Pasal 46 (1)."""

STEPS = ("contain", "collect", "assess", "tell_people", "tell_authority", "recover", "learn")
"""What is to be done about an incident, in this order."""
LETTERS = ("people", "authority")
"""Who is written to: Pasal 46 (1) a and b."""

NAME = "Akun dihapus"
"""Stands where the name of somebody stood whose account is deleted."""
GONE = "(dihapus)"
"""Stands where a text stood."""


def blank_address(table: str, row_id: object) -> str:
    """Return what takes the place of an address: unique, and no mail ever arrives there."""
    return f"dihapus-{table}-{row_id}@akun.invalid"


def deadline(known_at: datetime) -> datetime:
    """Return until when an incident must be told in writing."""
    return known_at + THREE_DAYS


def hours_left(known_at: datetime, now: datetime) -> int:
    """Return the whole hours left to tell, rounded down; below zero when it is too late."""
    return (deadline(known_at) - now) // timedelta(hours=1)


def next_step(done: set[str]) -> str | None:
    """Return the first step of an incident nobody has done yet."""
    return next((step for step in STEPS if step not in done), None)
