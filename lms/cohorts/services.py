"""What people do with organisations, classes, seats and invitations. Services flush."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from argon2 import PasswordHasher
from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

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
from lms.core.db import db
from lms.core.errors import DomainError, NotFound
from lms.core.ids import hash_token, new_token
from lms.core.login import Viewer


class NameTaken(DomainError):
    """There is an organisation or a class of this name already."""


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


def list_organisations() -> Sequence[Organisation]:
    """Return all organisations by name."""
    return db.session.scalars(select(Organisation).order_by(Organisation.name)).all()


def get_organisation(public_id: str) -> Organisation:
    """Return the organisation of this public id. Raises NotFound."""
    found = db.session.scalar(select(Organisation).where(Organisation.public_id == public_id))
    if found is None:
        raise NotFound(public_id)
    return found


def organisation_names(ids: Iterable[int]) -> dict[int, str]:
    """Return the names of many organisations, in one query."""
    rows = db.session.execute(
        select(Organisation.id, Organisation.name).where(Organisation.id.in_(set(ids)))
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


def list_sessions(cohort_id: int) -> Sequence[ClassSession]:
    """Return the timetable of a class in order."""
    order = (ClassSession.day, ClassSession.half, ClassSession.position)
    return db.session.scalars(
        select(ClassSession).where(ClassSession.cohort_id == cohort_id).order_by(*order)
    ).all()


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
    taken = db.session.scalar(
        select(Enrolment.id).where(
            Enrolment.cohort_id == cohort_id, Enrolment.person_id == person_id
        )
    )
    if taken is None:
        db.session.add(
            Enrolment(
                cohort_id=cohort_id,
                person_id=person_id,
                organisation_id=organisation_id,
                created_at=now,
            )
        )
        db.session.flush()
    add_member(person_id, organisation_id, Part.STAFF)


def add_staff(person_id: int, cohort_id: int, part: Part) -> None:
    """Let somebody work in a class. Flushes."""
    if db.session.get(CohortStaff, (cohort_id, person_id, part)) is None:
        db.session.add(CohortStaff(cohort_id=cohort_id, person_id=person_id, part=part))
        db.session.flush()


def add_member(person_id: int, organisation_id: int, part: Part) -> None:
    """Let somebody belong to an organisation. Flushes."""
    if db.session.get(Membership, (person_id, organisation_id, part)) is None:
        db.session.add(Membership(person_id=person_id, organisation_id=organisation_id, part=part))
        db.session.flush()


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


def declare_conflict(
    assessor_id: int, person_id: int, kind: ConflictKind, *, declared_by: int, now: datetime
) -> None:
    """Note that one may not assess the other. Flushes; said twice is said once."""
    known = db.session.scalar(
        select(Conflict.id).where(
            Conflict.assessor_id == assessor_id,
            Conflict.person_id == person_id,
            Conflict.kind == kind,
        )
    )
    if known is None:
        db.session.add(
            Conflict(
                assessor_id=assessor_id,
                person_id=person_id,
                kind=kind,
                declared_by=declared_by,
                declared_at=now,
            )
        )
        db.session.flush()
        audit.record("cohorts.conflict", f"person:{person_id}", actor_id=declared_by, now=now)


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

    `body` has one place `{link}` for the personal address.
    """
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


def find_invitation(token: str) -> Invitation | None:
    """Return the invitation behind a token, or None."""
    return db.session.scalar(select(Invitation).where(Invitation.token_hash == hash_token(token)))


def list_invitations(cohort_id: int | None = None, limit: int = 200) -> Sequence[Invitation]:
    """Return invitations, newest first, of one class or of all."""
    query = select(Invitation).order_by(Invitation.id.desc()).limit(limit)
    if cohort_id is not None:
        query = query.where(Invitation.cohort_id == cohort_id)
    return db.session.scalars(query).all()


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
    invitation = db.session.get(Invitation, invitation_id)
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

    Raises NotFound, InvitationClosed, accounts.EmailTaken, accounts.rules.WeakPassword.
    """
    invitation = find_invitation(token)
    if invitation is None:
        raise NotFound("invitation")
    _require_open(invitation, now)
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
    return accounts.begin_known(person, now=now)


def accept_as(token: str, viewer: Viewer, *, now: datetime) -> None:
    """Add what an invitation promises to an account that exists already.

    Only the account with the invited address may. Raises NotFound, InvitationClosed.
    """
    invitation = find_invitation(token)
    if invitation is None or accounts.find_person_id(invitation.email) != viewer.id:
        raise NotFound("invitation")
    _require_open(invitation, now)
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
