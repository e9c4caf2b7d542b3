"""Incidents: opened, worked through step by step, closed. Services flush."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from lms.accounts import services as accounts
from lms.accounts.models import Person, PersonRole
from lms.core import audit
from lms.core.db import db
from lms.core.errors import NotFound
from lms.privacy import rules
from lms.privacy.models import Incident, IncidentStep


@dataclass(frozen=True, slots=True)
class StepLine:
    """One thing that was done."""

    step: str
    note: str
    by: str
    at: datetime


def open_incident(what: str, known_at: datetime, *, actor_id: int, now: datetime) -> Incident:
    """Write down that something went wrong; its clock runs from `known_at`. Flushes."""
    made = Incident(what=what, known_at=min(known_at, now), opened_by=actor_id, opened_at=now)
    db.session.add(made)
    db.session.flush()
    audit.record("privacy.open_incident", f"incident:{made.id}", actor_id=actor_id, now=now)
    return made


def list_incidents(limit: int = 50) -> Sequence[Incident]:
    """Return incidents, newest first. One query."""
    return db.session.scalars(select(Incident).order_by(Incident.id.desc()).limit(limit)).all()


def get_incident(public_id: str) -> Incident:
    """Return one incident. Raises NotFound."""
    found = db.session.scalar(select(Incident).where(Incident.public_id == public_id))
    if found is None:
        raise NotFound(public_id)
    return found


def list_steps(incident_id: int) -> list[StepLine]:
    """Return what was done, in order. Two queries."""
    rows = db.session.scalars(
        select(IncidentStep)
        .where(IncidentStep.incident_id == incident_id)
        .order_by(IncidentStep.id)
        .limit(500)
    ).all()
    names = accounts.names_of(row.by_id for row in rows)
    return [StepLine(row.step, row.note, names[row.by_id], row.at) for row in rows]


def add_step(public_id: str, step: str, note: str, *, actor_id: int, now: datetime) -> None:
    """Write down that a step was done. Raises NotFound. Flushes."""
    if step not in rules.STEPS:
        raise NotFound(step)
    found = get_incident(public_id)
    db.session.add(IncidentStep(incident_id=found.id, step=step, note=note, by_id=actor_id, at=now))
    audit.record(
        "privacy.incident_step", f"incident:{found.id}", actor_id=actor_id, now=now, step=step
    )
    db.session.flush()


def close(public_id: str, *, actor_id: int, now: datetime) -> None:
    """Close an incident; closed once, it stays so. Raises NotFound. Flushes."""
    found = get_incident(public_id)
    db.session.execute(
        update(Incident)
        .where(Incident.id == found.id, Incident.closed_at.is_(None))
        .values(closed_at=now)
    )
    audit.record("privacy.close_incident", f"incident:{found.id}", actor_id=actor_id, now=now)


def list_affected(role: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield name, address and language of everybody with an account, or with one role."""
    query = select(Person.id, Person.name, Person.email, Person.locale).order_by(Person.id)
    query = query.where(Person.email.not_like("%@akun.invalid"))
    if role:
        holders = select(PersonRole.person_id).where(PersonRole.role == role)
        query = query.where(Person.id.in_(holders))
    after = 0
    while True:
        rows = db.session.execute(query.where(Person.id > after).limit(500)).all()
        yield from ((row.name, row.email, row.locale) for row in rows)
        if len(rows) < 500:
            return
        after = rows[-1].id
