"""What people do with organisations, classes, seats and invitations. Services flush."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from argon2 import PasswordHasher
from sqlalchemy import Select, case, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.accounts.rules import normal_email
from lms.cohorts import rules
from lms.cohorts.models import (
    ClassSession,
    Cohort,
    CohortStaff,
    Conflict,
    ConflictKind,
    Enrolment,
    Invitation,
    Membership,
    Organisation,
    OrganisationKind,
    Part,
)
from lms.core import audit, mail
from lms.core.db import db, insert_once
from lms.core.errors import DomainError, NotFound
from lms.core.ids import hash_token, new_token
from lms.core.login import Viewer


class NameTaken(DomainError):
    """There is an organisation or a class of this name already."""


class NoAccount(DomainError):
    """Nobody signs in with this address yet."""


class AlreadyInvited(DomainError):
    """The same invitation is still open."""


class AlreadySeated(DomainError):
    """The person sits in the class already."""


class UnknownInvitation(NotFound):
    """No invitation has this token, or it is not the viewer's."""


class InvitationClosed(DomainError):
    """The invitation was used, withdrawn or is too old; `standing` says which."""

    def __init__(self, standing: rules.Standing) -> None:
        super().__init__(standing.value)
        self.standing = standing


class MayNotAssess(DomainError):
    """The assessor is the person, a relative, or above or below them in line."""


@dataclass(frozen=True, slots=True)
class Seat:
    """One companion of a class."""

    person_id: int
    public_id: str
    name: str
    organisation_id: int
    organisation: str


@dataclass(frozen=True, slots=True)
class StaffLine:
    """One trainer, assessor or speaker of a class."""

    person_id: int
    public_id: str
    name: str
    part: Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetabled:
    """One session to be put into a timetable."""

    day: int
    half: str
    position: int
    title: str
    title_en: str
    jp: int
    lesson_code: str | None = None
    speaker_id: int | None = None


@dataclass(frozen=True, slots=True)
class Meeting:
    """When and where somebody meets for an in-person lesson, or speaks in a class."""

    cohort: str
    place: str
    city: str
    on: date
    half: str
    title: str
    title_en: str
    jp: int


@dataclass(frozen=True, slots=True)
class CohortLine:
    """One class in the administrator's list."""

    slug: str
    title: str
    city: str
    starts_on: date
    ends_on: date
    seats: int


@dataclass(frozen=True, slots=True)
class OrganisationLine:
    """One organisation in the administrator's list."""

    public_id: str
    name: str
    kind: OrganisationKind
    city: str
    people: int
    officers: int


@dataclass(frozen=True, slots=True)
class ConflictLine:
    """Why somebody may not assess somebody else."""

    assessor: str
    assessor_id: str
    person: str
    person_id: str
    kind: ConflictKind


@dataclass(frozen=True, slots=True)
class Letter:
    """An open invitation as the invited person reads it."""

    email: str
    name: str
    roles: list[str]
    inviter: str
    organisation: str | None
    cohort: Cohort | None
    expires_at: datetime
    person_id: int | None
    """Who signs in with this address already, if anybody."""


@dataclass(frozen=True, slots=True)
class InvitationLine:
    """One invitation in a list."""

    public_id: str
    email: str
    name: str
    roles: list[str]
    inviter: str
    organisation: str | None
    cohort: str | None
    standing: rules.Standing
    expires_at: datetime
    accepted_at: datetime | None
    id: int


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that was just made; the token exists only here and in the message."""

    invitation: Invitation
    token: str


def create_organisation(
    *, name: str, kind: OrganisationKind, city: str, actor_id: int | None, now: datetime
) -> Organisation:
    """Add an organisation. Raises NameTaken. Flushes."""
    organisation = Organisation(name=name, kind=kind, city=city, created_at=now)
    _add_unique(organisation, name)
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
    try:
        with db.session.begin_nested():
            organisation.name, organisation.kind, organisation.city = name, kind, city
    except IntegrityError:
        raise NameTaken(name) from None
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


def create_cohort(
    *,
    slug: str,
    title: str,
    city: str,
    place: str,
    zone: str,
    host_id: int,
    starts_on: date,
    ends_on: date,
    letterhead: list[str],
    signatory_title: str,
    signatory_name: str,
    signatory_number: str,
    timetable: Iterable[Timetabled],
    actor_id: int | None,
    now: datetime,
) -> Cohort:
    """Open a class with its timetable. Raises NameTaken. Flushes."""
    cohort = Cohort(
        slug=slug,
        title=title,
        city=city,
        place=place,
        zone=zone,
        host_id=host_id,
        starts_on=starts_on,
        ends_on=ends_on,
        letterhead=letterhead,
        signatory_title=signatory_title,
        signatory_name=signatory_name,
        signatory_number=signatory_number,
        created_at=now,
    )
    _add_unique(cohort, slug)
    for entry in timetable:
        db.session.add(
            ClassSession(
                cohort_id=cohort.id,
                day=entry.day,
                half=entry.half,
                position=entry.position,
                title=entry.title,
                title_en=entry.title_en,
                jp=entry.jp,
                lesson_code=entry.lesson_code,
                speaker_id=entry.speaker_id,
            )
        )
    db.session.flush()
    audit.record("cohorts.create", f"cohort:{cohort.id}", actor_id=actor_id, now=now)
    return cohort


def update_cohort(
    cohort: Cohort,
    *,
    title: str,
    city: str,
    place: str,
    zone: str,
    host_id: int,
    starts_on: date,
    ends_on: date,
    letterhead: list[str],
    signatory_title: str,
    signatory_name: str,
    signatory_number: str,
    actor_id: int | None,
    now: datetime,
) -> None:
    """Change the basic data of a class; its address stays. Flushes."""
    cohort.title, cohort.city, cohort.place, cohort.zone = title, city, place, zone
    cohort.host_id, cohort.starts_on, cohort.ends_on = host_id, starts_on, ends_on
    cohort.letterhead = letterhead
    cohort.signatory_title, cohort.signatory_name = signatory_title, signatory_name
    cohort.signatory_number = signatory_number
    audit.record("cohorts.update", f"cohort:{cohort.id}", actor_id=actor_id, now=now)
    db.session.flush()


def update_session(
    session: ClassSession, *, title: str, title_en: str, speaker: str, staff: Iterable[StaffLine]
) -> None:
    """Change what a session is called and who speaks: the public id of a speaker, or empty.

    Raises NotFound when the speaker is not one of the class. Flushes.
    """
    speakers = {line.public_id: line.person_id for line in staff if line.part is Part.SPEAKER}
    if speaker and speaker not in speakers:
        raise NotFound(speaker)
    session.title, session.title_en = title, title_en
    session.speaker_id = speakers.get(speaker)
    db.session.flush()


def list_cohort_lines() -> list[CohortLine]:
    """Return all classes, newest first, with how many sit in them, in one query."""
    rows = db.session.execute(
        select(Cohort, func.count(Enrolment.id))
        .join(Enrolment, Enrolment.cohort_id == Cohort.id, isouter=True)
        .group_by(Cohort.id)
        .order_by(Cohort.starts_on.desc(), Cohort.id.desc())
    )
    return [
        CohortLine(one.slug, one.title, one.city, one.starts_on, one.ends_on, seats)
        for one, seats in rows
    ]


def list_cohorts(viewer: Viewer) -> Sequence[Cohort]:
    """Return the classes a viewer works in, newest first; an administrator sees all."""
    query = select(Cohort).order_by(Cohort.starts_on.desc(), Cohort.id.desc())
    if "admin" not in viewer.roles:
        query = query.where(Cohort.id.in_(_staffed(viewer.id)))
    return db.session.scalars(query).all()


def get_cohort(slug: str, viewer: Viewer, *parts: Part) -> Cohort:
    """Return a class the viewer works in (as one of `parts`, if given). Raises NotFound.

    An administrator may look into every class unless `parts` are asked for.
    """
    query = select(Cohort).where(Cohort.slug == slug)
    if parts or "admin" not in viewer.roles:
        query = query.where(Cohort.id.in_(_staffed(viewer.id, *parts)))
    found = db.session.scalar(query)
    if found is None:
        raise NotFound(slug)
    return found


def get_cohort_to_invite(slug: str, viewer: Viewer) -> Cohort:
    """Return a class the viewer may invite people into: a trainer's own, an administrator's any.

    Raises NotFound.
    """
    return get_cohort(slug, viewer, *(() if "admin" in viewer.roles else (Part.TRAINER,)))


def _staffed(person_id: int, *parts: Part) -> Select[int]:
    query = select(CohortStaff.cohort_id).where(CohortStaff.person_id == person_id)
    return query.where(CohortStaff.part.in_(parts)) if parts else query


def get_cohort_by_id(cohort_id: int) -> Cohort:
    """Return the class of this id. Raises NotFound."""
    found = db.session.get(Cohort, cohort_id)
    if found is None:
        raise NotFound(str(cohort_id))
    return found


def find_cohort_of(person_id: int) -> Cohort | None:
    """Return the newest class a companion sits in, or None."""
    return db.session.scalar(
        select(Cohort)
        .join(Enrolment, Enrolment.cohort_id == Cohort.id)
        .where(Enrolment.person_id == person_id)
        .order_by(Cohort.starts_on.desc(), Cohort.id.desc())
        .limit(1)
    )


def find_zone_of(person_id: int) -> str | None:
    """Return the clock a companion's pages show: WIB, WITA or WIT; None without a class."""
    cohort = find_cohort_of(person_id)
    return cohort.zone if cohort else None


def list_sessions(cohort_id: int) -> Sequence[ClassSession]:
    """Return the timetable of a class in order."""
    order = (ClassSession.day, ClassSession.half, ClassSession.position)
    return db.session.scalars(
        select(ClassSession).where(ClassSession.cohort_id == cohort_id).order_by(*order)
    ).all()


def get_session(cohort_id: int, number: int) -> ClassSession:
    """Return the entry that stands at `number` (from 1) in a timetable. Raises NotFound."""
    entries = list_sessions(cohort_id)
    if not 1 <= number <= len(entries):
        raise NotFound(str(number))
    return entries[number - 1]


def find_lesson_session(person_id: int, lesson_code: str) -> Meeting | None:
    """Return when a companion's newest class meets for this lesson, or None. One query."""
    query = (
        select(ClassSession, Cohort)
        .join(Cohort, Cohort.id == ClassSession.cohort_id)
        .join(Enrolment, Enrolment.cohort_id == Cohort.id)
        .where(Enrolment.person_id == person_id, ClassSession.lesson_code == lesson_code)
        .order_by(Cohort.starts_on.desc(), Cohort.id.desc(), ClassSession.day)
        .limit(1)
    )
    row = db.session.execute(query).first()
    return _meeting(*row) if row else None


def list_talks(speaker_id: int) -> list[Meeting]:
    """Return the sessions somebody speaks in, in the order of time. One query."""
    query = (
        select(ClassSession, Cohort)
        .join(Cohort, Cohort.id == ClassSession.cohort_id)
        .where(ClassSession.speaker_id == speaker_id)
        .order_by(Cohort.starts_on, ClassSession.day, ClassSession.half, ClassSession.position)
    )
    return [_meeting(*row) for row in db.session.execute(query)]


def _meeting(session: ClassSession, cohort: Cohort) -> Meeting:
    return Meeting(
        cohort=cohort.title,
        place=cohort.place,
        city=cohort.city,
        on=cohort.starts_on + timedelta(days=session.day - 1),
        half=session.half,
        title=session.title,
        title_en=session.title_en,
        jp=session.jp,
    )


def list_seats(cohort_id: int) -> list[Seat]:
    """Return the companions of a class by name, in one query."""
    rows = db.session.execute(
        select(
            Person.id,
            Person.public_id,
            Person.name,
            Organisation.id.label("organisation_id"),
            Organisation.name.label("organisation"),
        )
        .join(Enrolment, Enrolment.person_id == Person.id)
        .join(Organisation, Organisation.id == Enrolment.organisation_id)
        .where(Enrolment.cohort_id == cohort_id)
        .order_by(Person.name, Person.id)
    )
    return [
        Seat(row.id, row.public_id, row.name, row.organisation_id, row.organisation) for row in rows
    ]


def get_seat(cohort_id: int, public_id: str) -> Seat:
    """Return one companion of a class. Raises NotFound."""
    for seat in list_seats(cohort_id):
        if seat.public_id == public_id:
            return seat
    raise NotFound(public_id)


def list_staff(cohort_id: int) -> list[StaffLine]:
    """Return the trainers, assessors and speakers of a class."""
    rows = db.session.execute(
        select(Person.id, Person.public_id, Person.name, CohortStaff.part)
        .join(CohortStaff, CohortStaff.person_id == Person.id)
        .where(CohortStaff.cohort_id == cohort_id)
        .order_by(CohortStaff.part, Person.name)
    )
    return [StaffLine(row.id, row.public_id, row.name, row.part) for row in rows]


def people_in_scope(viewer: Viewer, *parts: Part) -> list[int]:
    """Return ids of the companions in classes the viewer works in, as one of `parts`."""
    return list(
        db.session.scalars(
            select(Enrolment.person_id)
            .where(Enrolment.cohort_id.in_(_staffed(viewer.id, *parts)))
            .distinct()
        )
    )


def enrol(person_id: int, cohort_id: int, organisation_id: int, *, now: datetime) -> None:
    """Give somebody a seat; a seat already taken stays as it is. Flushes."""
    insert_once(
        Enrolment,
        cohort_id=cohort_id,
        person_id=person_id,
        organisation_id=organisation_id,
        created_at=now,
    )
    add_member(person_id, organisation_id, Part.STAFF)


def add_staff(person_id: int, cohort_id: int, part: Part) -> None:
    """Let somebody work in a class. Flushes."""
    insert_once(CohortStaff, cohort_id=cohort_id, person_id=person_id, part=part)


def appoint_staff(cohort_id: int, email: str, part: Part, *, actor_id: int, now: datetime) -> None:
    """Let somebody who has an account work in a class. Raises NoAccount. Flushes."""
    person_id = _person_at(email)
    add_staff(person_id, cohort_id, part)
    accounts.add_roles(person_id, [part.value])
    audit.record(
        "cohorts.appoint",
        f"cohort:{cohort_id}",
        actor_id=actor_id,
        now=now,
        person=person_id,
        part=part.value,
    )


def dismiss_staff(
    cohort_id: int, public_id: str, part: Part, *, actor_id: int, now: datetime
) -> None:
    """Take somebody's part in a class away; their role stays. Raises NotFound. Flushes."""
    person_id = accounts.get_person(public_id).id
    row = db.session.get(CohortStaff, (cohort_id, person_id, part))
    if row is None:
        raise NotFound(public_id)
    db.session.delete(row)
    if part is Part.SPEAKER:
        for session in list_sessions(cohort_id):
            if session.speaker_id == person_id:
                session.speaker_id = None
    audit.record(
        "cohorts.dismiss",
        f"cohort:{cohort_id}",
        actor_id=actor_id,
        now=now,
        person=person_id,
        part=part.value,
    )
    db.session.flush()


def appoint_officer(organisation_id: int, email: str, *, actor_id: int, now: datetime) -> None:
    """Let somebody who has an account ask in the name of an organisation. Raises NoAccount."""
    person_id = _person_at(email)
    add_member(person_id, organisation_id, Part.OFFICER)
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


def list_officers(organisation_id: int) -> list[StaffLine]:
    """Return who asks in the name of an organisation, by name."""
    rows = db.session.execute(
        select(Person.id, Person.public_id, Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.organisation_id == organisation_id, Membership.part == Part.OFFICER)
        .order_by(Person.name)
    )
    return [StaffLine(row.id, row.public_id, row.name, Part.OFFICER) for row in rows]


def _person_at(email: str) -> int:
    person_id = accounts.find_person_id(email)
    if person_id is None:
        raise NoAccount(email)
    return person_id


def add_member(person_id: int, organisation_id: int, part: Part) -> None:
    """Let somebody belong to an organisation. Flushes."""
    insert_once(Membership, person_id=person_id, organisation_id=organisation_id, part=part)


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


def list_members_for(officer_id: int) -> list[Seat]:
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
    return [Seat(*row) for row in rows]


def declare_conflict(
    assessor_id: int, person_id: int, kind: ConflictKind, *, declared_by: int, now: datetime
) -> None:
    """Note that one may not assess the other. Flushes; said twice is said once."""
    is_new = insert_once(
        Conflict,
        assessor_id=assessor_id,
        person_id=person_id,
        kind=kind,
        declared_by=declared_by,
        declared_at=now,
    )
    if is_new:
        audit.record(
            "cohorts.conflict",
            f"person:{person_id}",
            actor_id=declared_by,
            now=now,
            assessor=assessor_id,
            kind=kind.value,
        )


def withdraw_conflict(
    assessor_id: int, person_id: int, kind: ConflictKind, *, actor_id: int, now: datetime
) -> None:
    """Take back a conflict that was declared by mistake. Raises NotFound. Flushes."""
    found = db.session.scalar(
        select(Conflict).where(
            Conflict.assessor_id == assessor_id,
            Conflict.person_id == person_id,
            Conflict.kind == kind,
        )
    )
    if found is None:
        raise NotFound(kind.value)
    db.session.delete(found)
    audit.record(
        "cohorts.conflict_end",
        f"person:{person_id}",
        actor_id=actor_id,
        now=now,
        assessor=assessor_id,
        kind=kind.value,
    )
    db.session.flush()


def list_conflicts(cohort_id: int) -> list[ConflictLine]:
    """Return the conflicts of the companions of a class, in one query."""
    assessor, person = aliased(Person), aliased(Person)
    rows = db.session.execute(
        select(
            Conflict.kind,
            assessor.name.label("assessor"),
            assessor.public_id.label("assessor_id"),
            person.name.label("person"),
            person.public_id.label("person_id"),
        )
        .join(assessor, assessor.id == Conflict.assessor_id)
        .join(person, person.id == Conflict.person_id)
        .join(Enrolment, Enrolment.person_id == Conflict.person_id)
        .where(Enrolment.cohort_id == cohort_id)
        .order_by(assessor.name, person.name, Conflict.kind)
    )
    return [
        ConflictLine(row.assessor, row.assessor_id, row.person, row.person_id, row.kind)
        for row in rows
    ]


def check_may_assess(assessor_id: int, person_id: int) -> None:
    """Let the assessment pass or raise MayNotAssess. Source: decision rules 6."""
    if assessor_id == person_id:
        raise MayNotAssess("oneself")
    found = db.session.scalar(
        select(Conflict.kind)
        .where(Conflict.assessor_id == assessor_id, Conflict.person_id == person_id)
        .limit(1)
    )
    if found is not None:
        raise MayNotAssess(found.value)


def conflicted_people(assessor_id: int) -> frozenset[int]:
    """Return ids of the people somebody may not assess, themselves among them."""
    found = db.session.scalars(
        select(Conflict.person_id).where(Conflict.assessor_id == assessor_id)
    )
    return frozenset([assessor_id, *found])


def invite(
    *,
    email: str,
    name: str,
    roles: list[str],
    cohort_id: int | None,
    organisation_id: int | None,
    created_by: int,
    base_url: str,
    subject: str,
    body: str,
    now: datetime,
) -> Invited:
    """Invite one person and put the message in the outbox. Flushes.

    `body` has places `{link}` for the personal address. Raises AlreadyInvited, AlreadySeated.
    """
    _refuse_twice(normal_email(email), roles, cohort_id, now)
    token = new_token()
    invitation = Invitation(
        token_hash=hash_token(token),
        email=normal_email(email),
        name=name,
        roles=roles,
        cohort_id=cohort_id,
        organisation_id=organisation_id,
        created_by=created_by,
        created_at=now,
        expires_at=now + rules.INVITATION,
    )
    db.session.add(invitation)
    db.session.flush()
    link = f"{base_url}/undangan/{token}"
    mail.put(invitation.email, subject, body.replace("{link}", link), now=now)
    audit.record("cohorts.invite", f"invitation:{invitation.id}", actor_id=created_by, now=now)
    return Invited(invitation, token)


def _refuse_twice(email: str, roles: list[str], cohort_id: int | None, now: datetime) -> None:
    same = Invitation.cohort_id == cohort_id if cohort_id else Invitation.cohort_id.is_(None)
    query = select(Invitation).where(Invitation.email == email, same)
    for known in db.session.scalars(query):
        if known.roles == roles and standing_of(known, now) is rules.Standing.OPEN:
            raise AlreadyInvited(email)
    if "trainee" in roles and cohort_id:
        seat = (
            select(Enrolment.id)
            .join(Person, Person.id == Enrolment.person_id)
            .where(Enrolment.cohort_id == cohort_id, Person.email == email)
        )
        if db.session.scalar(seat) is not None:
            raise AlreadySeated(email)


def read_invitation(token: str, *, now: datetime) -> Letter:
    """Return what an open invitation says. Raises UnknownInvitation, InvitationClosed."""
    row = db.session.execute(
        _invitations().where(Invitation.token_hash == hash_token(token))
    ).first()
    if row is None:
        raise UnknownInvitation
    invitation, inviter, organisation, cohort = row
    _require_open(invitation, now)
    return Letter(
        email=invitation.email,
        name=invitation.name,
        roles=invitation.roles,
        inviter=inviter,
        organisation=organisation,
        cohort=cohort,
        expires_at=invitation.expires_at,
        person_id=accounts.find_person_id(invitation.email),
    )


def get_invitation(public_id: str, viewer: Viewer) -> Invitation:
    """Return an invitation the viewer may take back. Raises NotFound.

    An administrator may take back every one, a trainer those of companions of an own class.
    """
    query = select(Invitation).where(Invitation.public_id == public_id)
    if "admin" not in viewer.roles:
        query = query.where(Invitation.cohort_id.in_(_staffed(viewer.id, Part.TRAINER)))
    found = db.session.scalar(query)
    if found is None or ("admin" not in viewer.roles and found.roles != ["trainee"]):
        raise NotFound(public_id)
    return found


def list_invitations(
    cohort_id: int | None = None,
    *,
    now: datetime,
    before: int | None = None,
    limit: int = 200,
) -> list[InvitationLine]:
    """Return invitations, newest first, of one class or of all, in one query.

    `before` is the id the previous page ended at.
    """
    query = _invitations().order_by(Invitation.id.desc()).limit(limit)
    if cohort_id is not None:
        query = query.where(Invitation.cohort_id == cohort_id)
    if before is not None:
        query = query.where(Invitation.id < before)
    return [
        InvitationLine(
            public_id=one.public_id,
            email=one.email,
            name=one.name,
            roles=one.roles,
            inviter=inviter,
            organisation=organisation,
            cohort=cohort.title if cohort else None,
            standing=standing_of(one, now),
            expires_at=one.expires_at,
            accepted_at=one.accepted_at,
            id=one.id,
        )
        for one, inviter, organisation, cohort in db.session.execute(query)
    ]


def _invitations() -> Select[Invitation, str, str | None, Cohort | None]:
    """Select invitations with the inviter's name, the organisation's name and the class."""
    return (
        select(Invitation, Person.name, Organisation.name, Cohort)
        .join(Person, Person.id == Invitation.created_by)
        .join(Organisation, Organisation.id == Invitation.organisation_id, isouter=True)
        .join(Cohort, Cohort.id == Invitation.cohort_id, isouter=True)
    )


def standing_of(invitation: Invitation, now: datetime) -> rules.Standing:
    """Return what has become of an invitation."""
    return rules.standing(
        rules.InvitationDates(
            invitation.expires_at, invitation.accepted_at, invitation.withdrawn_at
        ),
        now,
    )


def withdraw(invitation_id: int, *, actor_id: int, now: datetime) -> None:
    """Take an invitation back. Raises NotFound, InvitationClosed. Flushes."""
    invitation = db.session.get(Invitation, invitation_id, with_for_update=True)
    if invitation is None:
        raise NotFound(str(invitation_id))
    _require_open(invitation, now)
    invitation.withdrawn_at = now
    audit.record("cohorts.withdraw", f"invitation:{invitation_id}", actor_id=actor_id, now=now)
    db.session.flush()


def accept_invitation(
    token: str,
    *,
    name: str,
    password: str,
    locale: str,
    maker: PasswordHasher,
    now: datetime,
) -> accounts.SignedIn:
    """Make the account an invitation promises, with its roles and seat, and sign it in.

    Raises UnknownInvitation, InvitationClosed, accounts.EmailTaken, accounts.rules.WeakPassword.
    """
    invitation = _lock_open(token, now)
    person = accounts.create_person(
        email=invitation.email,
        name=name,
        password=password,
        roles=invitation.roles,
        maker=maker,
        now=now,
        locale=locale,
    )
    _take_place(invitation, person.id, now)
    return accounts.SignedIn(accounts.begin_session(person, now=now), None)


def accept_with_password(
    token: str,
    *,
    password: str,
    address: str,
    device_token: str | None,
    maker: PasswordHasher,
    now: datetime,
) -> accounts.SignedIn:
    """Sign in the invited person, who has an account, and add what the invitation promises.

    Raises UnknownInvitation, InvitationClosed, accounts.WrongCredentials, throttle.TooSoon.
    """
    invitation = _lock_open(token, now)
    begun = accounts.sign_in(
        email=invitation.email,
        password=password,
        address=address,
        device_token=device_token,
        maker=maker,
        now=now,
    )
    accounts.add_roles(begun.viewer.id, invitation.roles)
    _take_place(invitation, begun.viewer.id, now)
    return begun


def accept_as(token: str, viewer: Viewer, *, now: datetime) -> None:
    """Add what an invitation promises to an account that exists already.

    Only the account with the invited address may. Raises UnknownInvitation, InvitationClosed.
    """
    invitation = _lock_open(token, now)
    if accounts.find_person_id(invitation.email) != viewer.id:
        raise UnknownInvitation
    accounts.add_roles(viewer.id, invitation.roles)
    _take_place(invitation, viewer.id, now)


def _take_place(invitation: Invitation, person_id: int, now: datetime) -> None:
    invitation.accepted_at = now
    invitation.person_id = person_id
    organisation_id = invitation.organisation_id
    if "trainee" in invitation.roles and invitation.cohort_id and organisation_id:
        enrol(person_id, invitation.cohort_id, organisation_id, now=now)
    if "agency" in invitation.roles and organisation_id:
        add_member(person_id, organisation_id, Part.OFFICER)
    for part in (Part.TRAINER, Part.ASSESSOR, Part.SPEAKER):
        if part.value in invitation.roles and invitation.cohort_id:
            add_staff(person_id, invitation.cohort_id, part)
    audit.record("cohorts.accept", f"invitation:{invitation.id}", actor_id=person_id, now=now)
    db.session.flush()


def _lock_open(token: str, now: datetime) -> Invitation:
    """Return an open invitation, locked: whoever comes second waits and then finds it used."""
    invitation = db.session.scalar(
        select(Invitation).where(Invitation.token_hash == hash_token(token)).with_for_update()
    )
    if invitation is None:
        raise UnknownInvitation
    _require_open(invitation, now)
    return invitation


def _require_open(invitation: Invitation, now: datetime) -> None:
    found = standing_of(invitation, now)
    if found is not rules.Standing.OPEN:
        raise InvitationClosed(found)


def _add_unique(row: Organisation | Cohort, name: str) -> None:
    try:
        with db.session.begin_nested():
            db.session.add(row)
    except IntegrityError:
        raise NameTaken(name) from None
