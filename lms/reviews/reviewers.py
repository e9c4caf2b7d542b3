"""Who may sign texts, and as what. Services flush; entry points commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from lms.accounts import services as accounts
from lms.core import audit
from lms.core.db import db, insert_into
from lms.core.errors import NotFound
from lms.reviews.models import Reviewer, ReviewSignature
from lms.reviews.rules import Expertise

MOST = 200
"""Reviewers on the page: an office has a handful."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One person with the role, for the administrator."""

    public_id: str
    name: str
    email: str
    field: Expertise | None
    signatures: int


def list_reviewers() -> Sequence[Entry]:
    """Return everybody with the role reviewer and an open account. Four queries."""
    people = [one for one in accounts.list_people(role="reviewer", limit=MOST) if not one.disabled]
    ids = [one.id for one in people]
    fields = {
        row.person_id: row.field
        for row in db.session.execute(
            select(Reviewer.person_id, Reviewer.field).where(Reviewer.person_id.in_(ids))
        )
    }
    signed = {
        row.reviewer_id: row.number
        for row in db.session.execute(
            select(ReviewSignature.reviewer_id, func.count().label("number"))
            .where(ReviewSignature.reviewer_id.in_(ids), ReviewSignature.withdrawn_at.is_(None))
            .group_by(ReviewSignature.reviewer_id)
        )
    }
    return [
        Entry(one.public_id, one.name, one.email, fields.get(one.id), signed.get(one.id, 0))
        for one in people
    ]


def appoint(email: str, field: Expertise, *, by_id: int, now: datetime) -> str:
    """Let the account of this address review as an expert of `field`; return its name. Flushes.

    Said again it changes the field; what was signed before keeps the old one. Raises NotFound.
    """
    person_id = accounts.find_person_id(email)
    if person_id is None:
        raise NotFound(email)
    accounts.add_roles(person_id, ["reviewer"])
    values = {"field": field, "given_by": by_id, "at": now}
    statement = insert_into(Reviewer).values(person_id=person_id, **values)
    db.session.execute(
        statement.on_conflict_do_update(index_elements=[Reviewer.person_id], set_=values)
    )
    audit.record(
        "reviews.appoint", f"person:{person_id}", actor_id=by_id, now=now, field=field.value
    )
    return accounts.get_person_by_id(person_id).name
