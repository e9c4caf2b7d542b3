"""What people do with organisations: their names, officers and people. Services flush."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import (
    Column,
    ColumnElement,
    Table,
    Update,
    bindparam,
    case,
    delete,
    func,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy.exc import IntegrityError

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.cohorts import officers, rules, services
from lms.cohorts.models import (
    Invitation,
    Membership,
    NameKind,
    Organisation,
    OrganisationKind,
    OrganisationMerge,
    OrganisationName,
    Part,
)
from lms.cohorts.officers import Vouching
from lms.cohorts.services import NameTaken
from lms.core import audit
from lms.core.clock import ZONES
from lms.core.db import db, insert_once
from lms.core.errors import DomainError, NotFound
from lms.core.late import all_tables


@dataclass(frozen=True, slots=True)
class OrganisationLine:
    """One organisation in the administrator's list."""

    public_id: str
    name: str
    kind: OrganisationKind
    city: str
    people: int
    officers: int
    waiting: int = 0
    """Officers nobody has vouched for."""
    found_by: str | None = None
    """The other name that was searched for, when its own does not fit."""


@dataclass(frozen=True, slots=True)
class OfficerLine:
    """One officer, with who vouched for them; None where nobody wrote it down."""

    person_id: int
    public_id: str
    name: str
    vouched_on: date | None
    vouching: Vouching | None


@dataclass(frozen=True, slots=True)
class Move:
    """How many rows of one table a merge moves."""

    table: str
    count: int


class SameOrganisation(DomainError):
    """An organisation cannot be merged into itself, or one that was merged already."""


def create_organisation(
    *, name: str, kind: OrganisationKind, city: str, actor_id: int | None, now: datetime
) -> Organisation:
    """Add an organisation. Raises NameTaken. Flushes."""
    _refuse_same(name)
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
    """Correct an organisation's name, kind or city. Raises NotFound, NameTaken. Flushes.

    The old name is kept as a former one, unless only its letters' case or punctuation changed.
    """
    organisation = get_organisation(public_id)
    old, normal = organisation.name, rules.normal_name(name)
    if old != name:
        _refuse_same(name, but=organisation.id)
    with services.unique(name):
        organisation.name, organisation.kind, organisation.city = name, kind, city
    if rules.normal_name(old) != normal:
        own = OrganisationName.organisation_id == organisation.id
        db.session.execute(delete(OrganisationName).where(own, OrganisationName.normal == normal))
        _keep_name(organisation.id, old, NameKind.FORMER, _today(now), now)
    audit.record(
        "cohorts.organisation", f"organisation:{organisation.id}", actor_id=actor_id, now=now
    )


def list_organisations() -> Sequence[Organisation]:
    """Return all organisations by name, without those that were merged into another."""
    return db.session.scalars(
        select(Organisation).where(_is_current()).order_by(Organisation.name)
    ).all()


def list_organisation_lines(
    searched: str = "",
    *,
    abbreviations: Iterable[rules.Abbreviation] = (),
    only_waiting: bool = False,
    start: int = 0,
    limit: int | None = None,
) -> tuple[list[OrganisationLine], int]:
    """Return organisations by name with how many belong to them, and how many fit the search.

    Searched are all their names; abbreviations stand for what they mean. `only_waiting` leaves
    those that have an officer nobody vouched for. At most three queries.
    """
    people = func.sum(case((Membership.part == Part.STAFF, 1), else_=0))
    appointed = func.sum(case((Membership.part == Part.OFFICER, 1), else_=0))
    waiting = func.sum(case((officers.waits(), 1), else_=0))
    wanted = [_is_current()]
    if only_waiting:
        wanted.append(
            Organisation.id.in_(select(Membership.organisation_id).where(officers.waits()))
        )
    query = (
        select(Organisation, people, appointed, waiting)
        .join(Membership, Membership.organisation_id == Organisation.id, isouter=True)
        .where(*wanted)
        .group_by(Organisation.id)
        .order_by(Organisation.name)
    )
    fitting = _search(searched, abbreviations) if rules.normal_name(searched) else None
    if fitting is None:
        total = db.session.scalar(select(func.count(Organisation.id)).where(*wanted))
    else:
        total = len(fitting)
        query = query.where(Organisation.id.in_(fitting))
    rows = db.session.execute(query.offset(start).limit(limit)).all()
    return [
        OrganisationLine(
            one.public_id,
            one.name,
            one.kind,
            one.city,
            int(staff),
            int(officer),
            int(waits),
            (fitting or {}).get(one.id),
        )
        for one, staff, officer, waits in rows
    ], total or 0


def _search(searched: str, abbreviations: Iterable[rules.Abbreviation]) -> dict[int, str | None]:
    """Return the organisations one of whose names fits; with that name if it is not their own."""
    known = list_known_names()
    wanted = rules.normal_name(searched)
    fitting: dict[int, str | None] = {}
    for one in known:
        if wanted in rules.normal_name(one.name):
            other = None if one.why is rules.Why.CURRENT else one.name
            fitting.setdefault(one.organisation_id, other)
    match = rules.NameIndex(known, abbreviations).match(searched)
    for candidate in match.candidates:
        if candidate.why is not rules.Why.ALIKE:
            fitting.setdefault(candidate.organisation_id, None)
    return fitting


def list_known_names() -> list[rules.KnownName]:
    """Return every name of every organisation, the current ones first; two queries."""
    rows = db.session.execute(
        select(Organisation.id, Organisation.name, Organisation.kind).where(_is_current())
    ).all()
    kinds = {row.id: row.kind.value for row in rows}
    others = db.session.scalars(select(OrganisationName)).all()
    return [rules.KnownName(row.id, row.name, rules.Why.CURRENT, kinds[row.id]) for row in rows] + [
        rules.KnownName(
            one.organisation_id,
            one.name,
            rules.Why(one.kind.value),
            kinds[one.organisation_id],
            one.valid_until,
        )
        for one in others
        if one.organisation_id in kinds
    ]


def list_names(organisation_id: int) -> Sequence[OrganisationName]:
    """Return the other names of an organisation: former ones first, the last one before."""
    found = db.session.scalars(
        select(OrganisationName).where(OrganisationName.organisation_id == organisation_id)
    )
    order = list(NameKind)
    return sorted(
        found,
        key=lambda one: (
            order.index(one.kind),
            -(one.valid_until or date.min).toordinal(),
            one.normal,
        ),
    )


def add_name(
    public_id: str,
    *,
    name: str,
    kind: NameKind,
    valid_until: date | None,
    actor_id: int,
    now: datetime,
) -> None:
    """Give an organisation another name. Raises NotFound, NameTaken. Flushes."""
    organisation = get_organisation(public_id)
    normal = rules.normal_name(name)
    is_own = normal == rules.normal_name(organisation.name)
    if is_own or not _keep_name(organisation.id, name, kind, valid_until, now):
        raise NameTaken(name)
    audit.record(
        "cohorts.name", f"organisation:{organisation.id}", actor_id=actor_id, now=now, name=name
    )


def remove_name(public_id: str, name_id: str, *, actor_id: int, now: datetime) -> None:
    """Take another name away from an organisation. Raises NotFound. Flushes."""
    organisation = get_organisation(public_id)
    found = db.session.scalar(
        select(OrganisationName).where(
            OrganisationName.public_id == name_id,
            OrganisationName.organisation_id == organisation.id,
        )
    )
    if found is None:
        raise NotFound(name_id)
    db.session.delete(found)
    audit.record(
        "cohorts.name_end",
        f"organisation:{organisation.id}",
        actor_id=actor_id,
        now=now,
        name=found.name,
    )
    db.session.flush()


def _keep_name(
    organisation_id: int, name: str, kind: NameKind, until: date | None, now: datetime
) -> bool:
    return insert_once(
        OrganisationName,
        organisation_id=organisation_id,
        name=name,
        normal=rules.normal_name(name),
        kind=kind,
        valid_until=until,
        created_at=now,
    )


def _refuse_same(name: str, *, but: int | None = None) -> None:
    """Refuse a name that another organisation has, written in another way. Raises NameTaken."""
    normal = rules.normal_name(name)
    rows = db.session.execute(select(Organisation.id, Organisation.name).where(_is_current()))
    if any(row.id != but and rules.normal_name(row.name) == normal for row in rows):
        raise NameTaken(name)


def _is_current() -> ColumnElement[bool]:
    """Return what is true of organisations that were not merged into another."""
    return Organisation.id.not_in(select(OrganisationMerge.organisation_id))


def _today(now: datetime) -> date:
    return now.astimezone(ZONES["WIB"]).date()


def get_organisation(public_id: str) -> Organisation:
    """Return the organisation of this public id, or the one it was merged into. Raises NotFound."""
    found = db.session.scalar(select(Organisation).where(Organisation.public_id == public_id))
    if found is None:
        raise NotFound(public_id)
    merged = db.session.get(OrganisationMerge, found.id)
    return found if merged is None else db.session.get_one(Organisation, merged.into_id)


def organisation_names(ids: Iterable[int]) -> dict[int, str]:
    """Return the names of many organisations, in one query."""
    wanted = set(ids)
    if not wanted:
        return {}
    rows = db.session.execute(_NAMES, {"ids": sorted(wanted)})
    return {row.id: row.name for row in rows}


# Put together once: that costs four times what running it does.
_NAMES = (
    select(Organisation.id, func.coalesce(OrganisationMerge.name, Organisation.name).label("name"))
    .join(OrganisationMerge, OrganisationMerge.organisation_id == Organisation.id, isouter=True)
    .where(Organisation.id.in_(bindparam("ids", expanding=True)))
)


# Two that are one


def list_moves(public_id: str) -> list[Move]:
    """Return what would move if this organisation were merged into another; two queries."""
    old = get_organisation(public_id)
    counts = (
        select(literal(table.name).label("name"), func.count().label("total"))
        .select_from(table)
        .where(column == old.id)
        for table, column in _pointing()
    )
    counted: Counter[str] = Counter()
    for row in db.session.execute(union_all(*counts)):
        counted[row.name] += row.total
    return [Move(name, count) for name, count in counted.items() if count]


def merge(public_id: str, into_id: str, *, actor_id: int, now: datetime) -> Organisation:
    """Make two organisations one: everything of the first moves to the second. Flushes.

    What says what was so then stays: certificates keep their issuer, looks their looker. The old
    name becomes another name, the old address leads to the new one. Raises NotFound,
    SameOrganisation, TooManyOfficers.
    """
    ids = sorted([get_organisation(public_id).id, get_organisation(into_id).id])
    # Open invitations before organisations, as whoever accepts one locks them.
    db.session.execute(
        select(Invitation.id)
        .where(
            Invitation.organisation_id.in_(ids),
            Invitation.accepted_at.is_(None),
            Invitation.withdrawn_at.is_(None),
        )
        .order_by(Invitation.id)
        .with_for_update()
    )
    # Locked in one order: of two merges at once the second finds what the first has done.
    locked = {
        one.id: one
        for one in db.session.scalars(
            select(Organisation)
            .where(Organisation.id.in_(ids))
            .order_by(Organisation.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    }
    old, new = (
        next((one for one in locked.values() if one.public_id == wanted), None)
        for wanted in (public_id, into_id)
    )
    done = select(OrganisationMerge.organisation_id).where(
        OrganisationMerge.organisation_id.in_(ids)
    )
    if old is None or new is None or old is new or db.session.scalars(done).first():
        raise SameOrganisation(public_id)
    name = old.name
    moved = _move_members(old.id, new.id) + _move_rows(old.id, new.id)
    db.session.add(
        OrganisationMerge(organisation_id=old.id, into_id=new.id, name=name, merged_at=now)
    )
    old.name = f"{name} #{old.public_id}"
    if rules.normal_name(name) != rules.normal_name(new.name):
        _keep_name(new.id, name, NameKind.ALIAS, None, now)
    audit.record(
        "cohorts.merge",
        f"organisation:{new.id}",
        actor_id=actor_id,
        now=now,
        merged=old.id,
        name=name,
        moved=moved,
    )
    db.session.flush()
    db.session.expire_all()
    return new


def _pointing() -> list[tuple[Table, Column[int]]]:
    """Return every column of every feature that says whose something is today."""
    return [
        (table, column)
        for table in all_tables().sorted_tables
        for column in table.columns
        if not column.info.get("history")
        and any(key.column.table.name == "organisation" for key in column.foreign_keys)
    ]


def _move_members(old_id: int, new_id: int) -> int:
    """Move people and officers, with the word for them. Raises TooManyOfficers."""
    # Taken out in one statement: a word that is written down meanwhile comes along.
    found = db.session.execute(
        delete(Membership)
        .where(Membership.organisation_id == old_id)
        .returning(
            Membership.person_id, Membership.part, Membership.vouched_at, Membership.vouching
        )
    ).all()
    for person_id, part, vouched_at, vouching in found:
        services.add_member(person_id, new_id, part)
        if vouched_at is not None:
            officers.keep_word(person_id, new_id, vouched_at, vouching)
    return len(found)


def _move_rows(old_id: int, new_id: int) -> int:
    """Point everything else at the new one; what it has already stays with the old."""
    moved = 0
    for table, column in _pointing():
        keys = list(table.primary_key.columns)
        rows = db.session.execute(select(*keys).where(column == old_id)).all()
        change = update(table).values({column.name: new_id})
        try:
            with db.session.begin_nested():
                db.session.execute(change.where(column == old_id))
            moved += len(rows)
        except IntegrityError:
            moved += sum(_moves(change.where(*map(_equals, keys, row))) for row in rows)
    return moved


def _equals(column: Column[int], value: object) -> ColumnElement[bool]:
    return column == value


def _moves(change: Update) -> bool:
    """Change one row; tell whether no other stands in its place already."""
    try:
        with db.session.begin_nested():
            db.session.execute(change)
    except IntegrityError:
        return False
    return True


# Officers


def appoint_officer(
    organisation_id: int, email: str, *, vouching: Vouching, actor_id: int, now: datetime
) -> None:
    """Let somebody who has an account ask in the name of an organisation.

    Raises NoAccount, TooManyOfficers.
    """
    person_id = services.person_at(email)
    services.add_member(person_id, organisation_id, Part.OFFICER)
    accounts.add_roles(person_id, ["agency"])
    officers.vouch(
        person_id,
        organisation_id,
        vouching,
        action="cohorts.officer",
        actor_id=actor_id,
        now=now,
    )


def vouch_for_officer(
    organisation_id: int, public_id: str, *, vouching: Vouching, actor_id: int, now: datetime
) -> None:
    """Write down on whose word somebody is an officer, who came without. Raises NotFound."""
    person_id = accounts.get_person(public_id).id
    officers.vouch(person_id, organisation_id, vouching, actor_id=actor_id, now=now)


def dismiss_officer(organisation_id: int, public_id: str, *, actor_id: int, now: datetime) -> None:
    """End somebody's appointment as officer, and the word for them. Raises NotFound. Flushes.

    An open invitation to the same office ends with it: the word in it would bring them back.
    """
    person = accounts.get_person(public_id)
    person_id = person.id
    # Invitations before appointments, as whoever accepts one locks them.
    officers.withdraw_invitations(person.email, organisation_id, actor_id=actor_id, now=now)
    ended = db.session.scalar(
        delete(Membership)
        .where(
            Membership.person_id == person_id,
            Membership.organisation_id == organisation_id,
            Membership.part == Part.OFFICER,
        )
        .returning(Membership.person_id)
    )
    if ended is None:
        raise NotFound(public_id)
    audit.record(
        "cohorts.officer_end",
        f"organisation:{organisation_id}",
        actor_id=actor_id,
        now=now,
        person=person_id,
    )
    db.session.flush()


def list_officers(organisation_id: int) -> list[OfficerLine]:
    """Return who is to ask in the name of an organisation, by name, and on whose word."""
    rows = db.session.execute(
        select(Person.id, Person.public_id, Person.name, Membership.vouched_at, Membership.vouching)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.organisation_id == organisation_id, Membership.part == Part.OFFICER)
        .order_by(Person.name)
    )
    return [
        OfficerLine(
            row.id,
            row.public_id,
            row.name,
            _today(row.vouched_at) if row.vouched_at else None,
            Vouching.of(row.vouching) if row.vouching else None,
        )
        for row in rows
    ]


def organisations_of(person_id: int, part: Part) -> Sequence[Organisation]:
    """Return the organisations somebody belongs to in this part, as a vouched officer in that."""
    return db.session.scalars(
        select(Organisation)
        .join(Membership, Membership.organisation_id == Organisation.id)
        .where(Membership.person_id == person_id, officers.holds(part))
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
        Membership.person_id == officer_id, officers.holds(Part.OFFICER)
    )
    rows = db.session.execute(
        select(Person.id, Person.public_id, Person.name, Organisation.id, Organisation.name)
        .join(Membership, Membership.person_id == Person.id)
        .join(Organisation, Organisation.id == Membership.organisation_id)
        .where(Membership.organisation_id.in_(asks_for), Membership.part == Part.STAFF)
        .order_by(Person.name, Person.id, Organisation.name)
    )
    return [services.Seat(*row) for row in rows]
