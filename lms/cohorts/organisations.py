"""What people do with organisations: their names, officers and people. Services flush."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.cohorts import services
from lms.cohorts.models import (
    Membership,
    Organisation,
    OrganisationKind,
    Part,
)
from lms.core import audit
from lms.core.db import db
from lms.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class OrganisationLine:
    """One organisation in the administrator's list."""

    public_id: str
    name: str
    kind: OrganisationKind
    city: str
    people: int
    officers: int


def create_organisation(
    *, name: str, kind: OrganisationKind, city: str, actor_id: int | None, now: datetime
) -> Organisation:
    """Add an organisation. Raises NameTaken. Flushes."""
    organisation = Organisation(name=name, kind=kind, city=city, created_at=now)
    with services.unique(name):
        db.session.add(organisation)
    audit.record(
        "cohorts.organisation", f"organisation:{organisation.id}", actor_id=actor_id, now=now
    )
    return organisation


def update_organisation(
    public_id: str,
    *,
    name: str,
    kind: OrganisationKind,
    city: str,
    actor_id: int | None,
    now: datetime,
) -> None:
    """Correct an organisation's name, kind or city. Raises NotFound, NameTaken. Flushes."""
    organisation = get_organisation(public_id)
    with services.unique(name):
        organisation.name, organisation.kind, organisation.city = name, kind, city
    audit.record(
        "cohorts.organisation", f"organisation:{organisation.id}", actor_id=actor_id, now=now
    )


def list_organisations() -> Sequence[Organisation]:
    """Return all organisations by name."""
    return db.session.scalars(select(Organisation).order_by(Organisation.name)).all()


def list_organisation_lines() -> list[OrganisationLine]:
    """Return all organisations by name with how many belong to them, in one query."""
    people = func.sum(case((Membership.part == Part.STAFF, 1), else_=0))
    officers = func.sum(case((Membership.part == Part.OFFICER, 1), else_=0))
    rows = db.session.execute(
        select(Organisation, people, officers)
        .join(Membership, Membership.organisation_id == Organisation.id, isouter=True)
        .group_by(Organisation.id)
        .order_by(Organisation.name)
    )
    return [
        OrganisationLine(one.public_id, one.name, one.kind, one.city, int(staff), int(officer))
        for one, staff, officer in rows
    ]


def get_organisation(public_id: str) -> Organisation:
    """Return the organisation of this public id. Raises NotFound."""
    found = db.session.scalar(select(Organisation).where(Organisation.public_id == public_id))
    if found is None:
        raise NotFound(public_id)
    return found


def organisation_names(ids: Iterable[int]) -> dict[int, str]:
    """Return the names of many organisations, in one query."""
    wanted = set(ids)
    if not wanted:
        return {}
    rows = db.session.execute(
        select(Organisation.id, Organisation.name).where(Organisation.id.in_(wanted))
    )
    return {row.id: row.name for row in rows}


def appoint_officer(organisation_id: int, email: str, *, actor_id: int, now: datetime) -> None:
    """Let somebody who has an account ask in the name of an organisation. Raises NoAccount."""
    person_id = services.person_at(email)
    services.add_member(person_id, organisation_id, Part.OFFICER)
    accounts.add_roles(person_id, ["agency"])
    audit.record(
        "cohorts.officer",
        f"organisation:{organisation_id}",
        actor_id=actor_id,
        now=now,
        person=person_id,
    )


def dismiss_officer(organisation_id: int, public_id: str, *, actor_id: int, now: datetime) -> None:
    """End somebody's appointment as officer. Raises NotFound. Flushes."""
    person_id = accounts.get_person(public_id).id
    row = db.session.get(Membership, (person_id, organisation_id, Part.OFFICER))
    if row is None:
        raise NotFound(public_id)
    db.session.delete(row)
    audit.record(
        "cohorts.officer_end",
        f"organisation:{organisation_id}",
        actor_id=actor_id,
        now=now,
        person=person_id,
    )
    db.session.flush()


def list_officers(organisation_id: int) -> list[services.StaffLine]:
    """Return who asks in the name of an organisation, by name."""
    rows = db.session.execute(
        select(Person.id, Person.public_id, Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.organisation_id == organisation_id, Membership.part == Part.OFFICER)
        .order_by(Person.name)
    )
    return [services.StaffLine(row.id, row.public_id, row.name, Part.OFFICER) for row in rows]


def organisations_of(person_id: int, part: Part) -> Sequence[Organisation]:
    """Return the organisations somebody belongs to in this part."""
    return db.session.scalars(
        select(Organisation)
        .join(Membership, Membership.organisation_id == Organisation.id)
        .where(Membership.person_id == person_id, Membership.part == part)
        .order_by(Organisation.name)
    ).all()


def members_of(organisation_id: int, part: Part = Part.STAFF) -> list[tuple[int, str]]:
    """Return (person id, name) of an organisation's people by name."""
    rows = db.session.execute(
        select(Person.id, Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.organisation_id == organisation_id, Membership.part == part)
        .order_by(Person.name)
    )
    return [(row.id, row.name) for row in rows]


def list_members_for(officer_id: int) -> list[services.Seat]:
    """Return the people of the organisations somebody asks for as an officer, in one query."""
    asks_for = select(Membership.organisation_id).where(
        Membership.person_id == officer_id, Membership.part == Part.OFFICER
    )
    rows = db.session.execute(
        select(Person.id, Person.public_id, Person.name, Organisation.id, Organisation.name)
        .join(Membership, Membership.person_id == Person.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.organisation_id.in_(asks_for), Membership.part == Part.STAFF)
        .order_by(Person.name, Person.id, Organisation.name)
    )
    return [services.Seat(*row) for row in rows]
