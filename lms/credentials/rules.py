"""When a certificate holds, when the next one may follow, when two names are one. Pure.

The length of a certificate's life is data: content/standard.yaml, certificate_validity_months.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from lms.core.errors import DomainError

SOON = timedelta(days=90)
"""A certificate this close to its end may be renewed, and lists say so."""
WESTERN_OFFSET = timedelta(hours=7)
"""WIB: the last of the three zones in which a day ends, so no zone loses part of the last day."""


class Status(StrEnum):
    """What a certificate is worth at a moment. Derived, never stored."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"
    REPLACED = "replaced"


class Reason(StrEnum):
    """Why a certificate was revoked, as far as everybody may know."""

    ERROR = "error"
    """Kesalahan penerbitan."""
    VIOLATION = "violation"
    """Pelanggaran kode etik."""
    WITHDRAWN = "withdrawn"
    """Ditarik atas permintaan pemegang."""


class AlreadyIssued(DomainError):
    """A certificate of this scheme holds and is not near its end."""


class RevokedForViolation(DomainError):
    """The last certificate was revoked for a violation and its term is not over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """The facts that decide what one certificate is worth."""

    id: int
    term: int
    revision: int
    valid_until: date
    revoked_at: datetime | None = None
    reason: Reason | None = None
    replaced_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a new certificate stands: its term, which certificate it follows, its revision."""

    term: int
    follows_id: int | None
    revision: int = 0


def day_of(moment: datetime) -> date:
    """Return the day by which certificates end and are counted."""
    return (moment.astimezone(UTC) + WESTERN_OFFSET).date()


def end_of(last_day: date) -> datetime:
    """Return the first moment after `last_day`."""
    return datetime.combine(last_day, time(), UTC) + timedelta(days=1) - WESTERN_OFFSET


def months_later(day: date, months: int) -> date:
    """Return the day `months` calendar months later; the 31st becomes the month's last day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    for number in range(day.day, 27, -1):
        try:
            return day.replace(year=year, month=month + 1, day=number)
        except ValueError:
            continue
    return day.replace(year=year, month=month + 1)


def status(life: Life, at: datetime) -> Status:
    """Return what a certificate is worth at a moment; later events do not count yet."""
    if life.revoked_at is not None and life.revoked_at <= at:
        return Status.REVOKED
    if life.replaced_at is not None and life.replaced_at <= at:
        return Status.REPLACED
    return Status.VALID if at < end_of(life.valid_until) else Status.EXPIRED


def ends_soon(life: Life, at: datetime) -> bool:
    """Tell whether a certificate holds but ends within 90 days."""
    return status(life, at) is Status.VALID and end_of(life.valid_until) - at <= SOON


def place_of_next(earlier: Sequence[Life], at: datetime) -> Place:
    """Return the place of a newly decided certificate after those of the same person and scheme.

    Raises AlreadyIssued while the last one holds and ends later than in 90 days, and
    RevokedForViolation until the term is over of one that was revoked for a violation. One that
    was revoked for an error, or withdrawn, may be decided anew.
    """
    if not earlier:
        return Place(1, None)
    last = max(earlier, key=lambda life: (life.term, life.revision))
    found = status(last, at)
    if found is Status.VALID and not ends_soon(last, at):
        raise AlreadyIssued(str(last.id))
    if (
        found is Status.REVOKED
        and last.reason is Reason.VIOLATION
        and at < end_of(last.valid_until)
    ):
        raise RevokedForViolation(str(last.id))
    return Place(last.term + 1, last.id)


def is_same_name(typed: str, printed: str) -> bool:
    """Tell whether two spellings name the same: case, marks, blanks and dots do not count."""
    return bool(_letters(typed)) and _letters(typed) == _letters(printed)


def _letters(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name).casefold()
    return "".join(character for character in plain if character.isalnum())
