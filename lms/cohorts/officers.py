"""On whose word an officer asks in the name of an organisation. Services flush.

Whoever came by invitation and has nobody's word yet is an officer in name only: no page of an
agency opens, no list counts them. The word ends with the appointment, for it stands in its row.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, String, bindparam, cast, func, select, update

from lms.accounts.models import Person
from lms.cohorts.models import Invitation, Membership, Organisation, Part
from lms.core import audit
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.prepared import read


@dataclass(frozen=True, slots=True, kw_only=True)
class Vouching:
    """On whose word somebody is an officer."""

    by: str
    """Who vouches, by name and office."""
    letter: str = ""
    """The number of the letter of assignment."""
    letter_on: date | None = None
    note: str = ""

    def kept(self) -> dict[str, str]:
        """Return it as it is stored."""
        day = self.letter_on.isoformat() if self.letter_on else ""
        return {"by": self.by, "letter": self.letter, "letter_on": day, "note": self.note}

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> "Vouching":
        """Return what was stored."""
        day = stored.get("letter_on")
        return cls(
            by=stored["by"],
            letter=stored.get("letter", ""),
            letter_on=date.fromisoformat(day) if day else None,
            note=stored.get("note", ""),
        )


@dataclass(frozen=True, slots=True)
class Waiting:
    """An appointment nobody has vouched for."""

    organisation: str
    inviter: str | None
    """Who sent the invitation, where one is known."""


def holds(part: Part) -> ColumnElement[bool]:
    """Return what is true of memberships that give rights: an officer's once vouched for."""
    is_part = Membership.part == part
    return is_part & Membership.vouched_at.is_not(None) if part is Part.OFFICER else is_part


def vouch(
    person_id: int,
    organisation_id: int,
    vouching: Vouching,
    *,
    action: str = "cohorts.officer_vouch",
    actor_id: int,
    now: datetime,
) -> None:
    """Write down on whose word somebody is an officer; the newest word counts. Flushes.

    Raises NotFound where there is no such appointment, or no more.
    """
    db.session.flush()
    found = db.session.scalar(
        update(Membership)
        .where(
            Membership.person_id == person_id,
            Membership.organisation_id == organisation_id,
            Membership.part == Part.OFFICER,
        )
        .values(vouched_at=now, vouching=vouching.kept())
        .returning(Membership.person_id)
    )
    if found is None:
        raise NotFound(str(person_id))
    kept = vouching.kept()
    audit.record(
        action,
        f"organisation:{organisation_id}",
        actor_id=actor_id,
        now=now,
        person=person_id,
        vouched_by=kept.pop("by"),
        **kept,
    )


def keep_word(
    person_id: int, organisation_id: int, vouched_at: datetime, vouching: Mapping[str, Any] | None
) -> None:
    """Let an officer of an organisation that was merged stand on the word they had. Flushes."""
    db.session.execute(
        update(Membership)
        .where(
            Membership.person_id == person_id,
            Membership.organisation_id == organisation_id,
            waits(),
        )
        .values(vouched_at=vouched_at, vouching=vouching)
    )


def withdraw_invitations(email: str, organisation_id: int, *, actor_id: int, now: datetime) -> None:
    """Take back what is open of somebody's invitations to ask in the name of an organisation."""
    taken = db.session.scalars(
        update(Invitation)
        .where(
            Invitation.email == email,
            Invitation.organisation_id == organisation_id,
            Invitation.accepted_at.is_(None),
            Invitation.withdrawn_at.is_(None),
            Invitation.expires_at > now,
            _invites_officers(),
        )
        .values(withdrawn_at=now)
        .returning(Invitation.id)
    ).all()
    for invitation_id in taken:
        audit.record("cohorts.withdraw", f"invitation:{invitation_id}", actor_id=actor_id, now=now)


def _invites_officers() -> ColumnElement[bool]:
    return cast(Invitation.roles, String).contains('"agency"')


def has_word_since(person_id: int, organisation_id: int, at: datetime) -> bool:
    """Tell whether a word for an officer was written down after `at`. One query."""
    return bool(
        db.session.scalar(
            select(Membership.person_id).where(
                Membership.person_id == person_id,
                Membership.organisation_id == organisation_id,
                holds(Part.OFFICER),
                Membership.vouched_at > at,
            )
        )
    )


_VOUCHED = (
    select(Membership.person_id)
    .where(Membership.person_id == bindparam("person"), holds(Part.OFFICER))
    .limit(1)
)


def is_vouched(person_id: int) -> bool:
    """Tell whether somebody is an officer on somebody's word. One query."""
    return bool(read(_VOUCHED, {"person": person_id}))


def list_waiting(person_id: int) -> list[Waiting]:
    """Return somebody's appointments that nobody has vouched for, by name. One query."""
    inviter = (
        select(Person.name)
        .join(Invitation, Invitation.created_by == Person.id)
        .where(
            Invitation.person_id == person_id,
            Invitation.organisation_id == Organisation.id,
            Person.disabled_at.is_(None),
            _invites_officers(),
        )
        .order_by(Invitation.id.desc())
        .limit(1)
        .correlate(Organisation)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(Organisation.name, inviter)
        .join(Membership, Membership.organisation_id == Organisation.id)
        .where(Membership.person_id == person_id, waits())
        .order_by(Organisation.name)
    )
    return [Waiting(*row) for row in rows]


def count_waiting() -> int:
    """Return how many appointments nobody has vouched for. One query."""
    return db.session.scalar(select(func.count()).select_from(Membership).where(waits())) or 0


def waits() -> ColumnElement[bool]:
    """Return what is true of appointments nobody has vouched for."""
    return (Membership.part == Part.OFFICER) & Membership.vouched_at.is_(None)
