"""Sign-in through a provider outside: which account a subject opens. Roles never come from there.

An account is linked once, by an address the provider has verified and that an account here has
exactly; from then on the subject decides. Nobody gets an account this way.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from lms.accounts import letters, rules
from lms.accounts import services as people
from lms.accounts.models import OutsideIdentity, Person
from lms.core import audit
from lms.core.db import db, insert_once
from lms.core.errors import DomainError, NotFound


class NoAccountHere(DomainError):
    """The provider knows this person, this installation does not; or the account is closed."""


@dataclass(frozen=True, slots=True)
class Claims:
    """What a provider says of somebody, after its signature has been checked."""

    issuer: str
    subject: str
    email: str
    email_verified: bool


def enter(
    claims: Claims, *, agent: str = "", replaces: str | None = None, now: datetime
) -> people.Entry:
    """Let in whom a provider names. Raises NoAccountHere. Flushes."""
    person = _find_linked(claims) or _link(claims, now=now)
    if person is None or person.disabled_at is not None:
        raise NoAccountHere
    return people.admit(person, now=now, agent=agent, replaces=replaces)


def _find_linked(claims: Claims) -> Person | None:
    return db.session.scalar(
        select(Person)
        .join(OutsideIdentity, OutsideIdentity.person_id == Person.id)
        .where(OutsideIdentity.issuer == claims.issuer, OutsideIdentity.subject == claims.subject)
    )


def _link(claims: Claims, *, now: datetime) -> Person | None:
    """Link the account of a verified address; None when there is none or it has another subject."""
    if not claims.email_verified:
        return None
    person = db.session.scalar(
        select(Person).where(
            Person.email == rules.normal_email(claims.email), Person.disabled_at.is_(None)
        )
    )
    if person is None:
        return None
    is_new = insert_once(
        OutsideIdentity,
        issuer=claims.issuer,
        subject=claims.subject,
        person_id=person.id,
        created_at=now,
    )
    if not is_new:
        # Another request of this subject was faster, or the account belongs to another subject.
        linked = _find_linked(claims)
        return linked if linked is not None and linked.id == person.id else None
    audit.record("accounts.link_identity", f"person:{person.id}", actor_id=person.id, now=now)
    letters.send(person, letters.identity_linked, now=now)
    return person


def linked_since(person_id: int) -> datetime | None:
    """Return since when a provider's sign-in opens this account, or None. One query."""
    return db.session.scalar(
        select(OutsideIdentity.created_at)
        .where(OutsideIdentity.person_id == person_id)
        .order_by(OutsideIdentity.id)
        .limit(1)
    )


def unlink(person_id: int, *, actor_id: int, now: datetime) -> None:
    """Take the links of an account away. Raises NotFound when there is none. Flushes."""
    gone = db.session.execute(delete(OutsideIdentity).where(OutsideIdentity.person_id == person_id))
    if gone.rowcount == 0:  # type: ignore[attr-defined]  # a DELETE has a row count
        raise NotFound(str(person_id))
    audit.record("accounts.unlink_identity", f"person:{person_id}", actor_id=actor_id, now=now)
