"""The name on somebody's certificate: theirs to change until the first one is issued."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from lms.accounts import letters
from lms.accounts import services as people
from lms.accounts.models import NameRequest, Person
from lms.core import audit
from lms.core.db import db, insert_into
from lms.core.errors import DomainError, NotFound

FIXED = "suluh_name_fixed"
"""Where the application keeps the question whether a certificate stands in somebody's name: the
answer belongs to a feature above this one."""


class NameFixed(DomainError):
    """A certificate stands in this name: the administrator decides about another one."""


@dataclass(frozen=True, slots=True)
class Asked:
    """Somebody who asks for another name."""

    public_id: str
    name: str
    wanted: str
    at: datetime


def rename(person_id: int, name: str, *, now: datetime, fixed: bool = False) -> None:
    """Change one's own name. Raises NameFixed when a certificate stands in it. Flushes."""
    if fixed:
        raise NameFixed
    people.rename(person_id, name, now=now)


def ask(person_id: int, name: str, *, now: datetime) -> None:
    """Ask the administrator for another name; asked again, the newer one counts. Flushes."""
    wanted = insert_into(NameRequest).values(person_id=person_id, name=name, created_at=now)
    db.session.execute(
        wanted.on_conflict_do_update(
            index_elements=[NameRequest.person_id],
            index_where=NameRequest.decided_at.is_(None),
            set_={"name": name, "created_at": now},
        )
    )
    audit.record("accounts.ask_name", f"person:{person_id}", actor_id=person_id, now=now)


def find_open(person_id: int) -> NameRequest | None:
    """Return what somebody asks for, or None. One query."""
    return db.session.scalar(
        select(NameRequest).where(
            NameRequest.person_id == person_id, NameRequest.decided_at.is_(None)
        )
    )


def list_open(limit: int = 50) -> list[Asked]:
    """Return who asks for another name, the longest waiting first. One query."""
    rows = db.session.execute(
        select(Person.public_id, Person.name, NameRequest.name, NameRequest.created_at)
        .join(NameRequest, NameRequest.person_id == Person.id)
        .where(NameRequest.decided_at.is_(None))
        .order_by(NameRequest.id)
        .limit(limit)
    )
    return [Asked(*row) for row in rows]


def decide(public_id: str, wanted: str, granted: bool, *, actor_id: int, now: datetime) -> None:
    """Grant or decline the name `wanted`, as the administrator read it. Flushes.

    Raises NotFound when nothing, or by now something else, is asked for.
    """
    person = people.get_person(public_id)
    found = db.session.scalar(
        select(NameRequest)
        .where(NameRequest.person_id == person.id, NameRequest.decided_at.is_(None))
        .with_for_update()
    )
    if found is None or found.name != wanted:
        raise NotFound(public_id)
    found.decided_at, found.decided_by, found.granted = now, actor_id, granted
    if granted:
        people.rename(person.id, wanted, now=now, actor_id=actor_id)
    else:
        audit.record("accounts.decline_name", f"person:{person.id}", actor_id=actor_id, now=now)
    letters.send(
        person,
        letters.name_granted if granted else letters.name_declined,
        now=now,
    )
