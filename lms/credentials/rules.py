"""When a certificate holds, when the next one may follow, who may sign. Pure.

The length of a certificate's life is data: content/standard.yaml, certificate_validity_months.
"""

import hashlib
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from lms.core.errors import DomainError

ISSUE = "certificates.issue"
"""The kind of job that issues the certificates of a class."""
SOON = timedelta(days=90)
"""A certificate this close to its end may be renewed, and lists say so."""
WESTERN_OFFSET = timedelta(hours=7)
"""WIB: the last of the three zones in which a day ends, so no zone loses part of the last day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemeText:
    """One scheme: what it asks for and what its paper says."""

    code: str
    title: str
    title_en: str
    training_title: str
    training_title_en: str
    curricula: tuple[str, ...]
    in_person: tuple[str, ...]
    holds: tuple[str, ...]
    jp: int
    unit_jp: dict[str, int]
    in_person_jp: int
    number_pattern: str
    law_checked_on: date | None

    @classmethod
    def read(cls, document: Mapping[str, Any]) -> "SchemeText":
        """Return a scheme as it was stored: what was checked then is not checked again."""
        checked = document["law_checked_on"]
        lists = {name: tuple(document[name]) for name in ("curricula", "in_person", "holds")}
        day = None if checked is None else date.fromisoformat(checked)
        return cls(**{**document, **lists, "law_checked_on": day})

    def write(self) -> dict[str, Any]:
        """Return it as it is stored."""
        lists = {name: list(getattr(self, name)) for name in ("curricula", "in_person", "holds")}
        day = None if self.law_checked_on is None else self.law_checked_on.isoformat()
        return {**asdict(self), **lists, "law_checked_on": day}


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


# The decision meeting


class AlreadySigned(DomainError):
    """Who signs has signed this proposal before: the second signature is somebody else's."""


class NeedsTrainer(DomainError):
    """One of the two signatures must be a trainer's."""


class Step(StrEnum):
    """What one more signature does."""

    PROPOSE = "propose"
    """It is the first one."""
    RENEW = "renew"
    """It is the first one again: what was signed does not hold any more."""
    DECIDE = "decide"
    """It is the last one: the decision stands."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody who signs, and whether they are a trainer of the class."""

    id: int
    trains: bool


def next_step(
    signed: Sequence[Signer], signer: Signer, *, same: bool, needed: int = 2
) -> tuple[Step, ...]:
    """Return what a signature does under a proposal that holds the signatures of `signed`.

    `same` tells whether the evidence is what they signed. With `needed` 1, a setting, the first
    signature decides too. Raises AlreadySigned, NeedsTrainer.
    """
    earlier = list(signed) if same else []
    if any(one.id == signer.id for one in earlier):
        raise AlreadySigned(str(signer.id))
    everybody = [*earlier, signer]
    steps = () if earlier else (Step.RENEW if signed else Step.PROPOSE,)
    if len(everybody) < needed:
        return steps
    if not any(one.trains for one in everybody):
        raise NeedsTrainer(str(signer.id))
    return (*steps, Step.DECIDE)


def digest(trace: Mapping[str, Any]) -> str:
    """Return the fingerprint of what a decision rests on: rules, verdicts, rows of evidence."""
    plain = json.dumps(trace, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(plain.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Change:
    """How one criterion (or attended lesson) differs between two traces."""

    code: str
    before: str
    """Verdict; empty for a lesson."""
    after: str
    added: tuple[int, ...]
    """Ids of rows of evidence."""
    removed: tuple[int, ...]


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Return what changed between the evidence of two traces, criterion by criterion."""
    found = []
    for code in sorted({*before["evidence"], *after["evidence"]}):
        old, new = before["evidence"].get(code, []), after["evidence"].get(code, [])
        was, now = before["verdicts"].get(code, ""), after["verdicts"].get(code, "")
        if (old, was) != (new, now):
            added, removed = set(new) - set(old), set(old) - set(new)
            found.append(Change(code, was, now, tuple(sorted(added)), tuple(sorted(removed))))
    return found


class Standing(StrEnum):
    """Where somebody stands in the meeting, for one scheme."""

    READY = "ready"
    PROPOSED = "proposed"
    """Signed once; the evidence is what was signed."""
    CHANGED = "changed"
    """Signed once, but the evidence is not what was signed."""
    DECIDED = "decided"
    """Signed twice; the certificate is still to be issued."""
    ISSUED = "issued"
    """Holds a certificate that is not near its end."""
    HELD = "held"
    """Put off in the meeting, with a reason."""
    BLOCKED = "blocked"


def standing(
    *,
    ready: bool,
    may_follow: bool,
    signed: bool | None,
    decided: bool = False,
    held_back: bool = False,
) -> Standing:
    """Return where somebody stands.

    `may_follow` tells whether a new certificate may follow the last one; `signed` is None without
    an open proposal, else whether its evidence is still the same.
    """
    if decided:
        return Standing.DECIDED
    if held_back:
        return Standing.HELD
    if not may_follow:
        return Standing.ISSUED
    if signed is not None:
        return Standing.PROPOSED if signed else Standing.CHANGED
    return Standing.READY if ready else Standing.BLOCKED
