"""Who holds the seats of a class, by kind of agency, and who has a say before one is given.

A seat is held by an enrolment, or by a companion's invitation that is neither used nor closed in
the table. Time alone frees none: `close_lapsed` does, so that nobody can accept a seat that went
to somebody else a moment ago.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from flask import current_app
from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    String,
    cast,
    delete,
    exists,
    func,
    select,
    update,
)

from lms.accounts.models import Person
from lms.cohorts import rules
from lms.cohorts.models import (
    ClassState,
    Cohort,
    CohortCurriculum,
    Enrolment,
    Invitation,
    Membership,
    Organisation,
    OrganisationKind,
    Part,
)
from lms.core import audit
from lms.core.db import db
from lms.core.errors import DomainError, NotFound
from lms.core.ids import hash_token


class NoSeat(DomainError):
    """The class is full, or the quota of this kind of agency is."""

    def __init__(self, kind: OrganisationKind | None = None, seats: int = 0) -> None:
        super().__init__(kind)
        self.kind, self.seats = kind, seats


@dataclass(frozen=True, slots=True)
class Sent:
    """A class, and how many people some organisations have in it."""

    cohort_id: int
    starts_on: date
    ends_on: date
    zone: str
    people: int


@dataclass(frozen=True, slots=True)
class Holder:
    """One enrolled companion and where they come from."""

    person_id: int
    email: str
    kind: OrganisationKind


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of one invitation, as it stands in the table."""

    expires_at: datetime
    accepted_at: datetime | None
    withdrawn_at: datetime | None
    person_id: int | None


def claim(cohort_id: int, organisation_id: int, *, now: datetime) -> None:
    """Ask every rule for a seat. Raises NoSeat."""
    for rule in current_app.extensions[rules.SEAT_RULES]:
        rule(cohort_id, organisation_id, now)


def taken(person_id: int, cohort_id: int, *, now: datetime) -> None:
    """Tell whoever above wants to know that somebody has taken a seat they were offered."""
    for rule in current_app.extensions[rules.SEAT_TAKEN]:
        rule(person_id, cohort_id, now)


def _open() -> tuple[ColumnElement[bool], ...]:
    """Return what makes an invitation hold a seat."""
    return (
        Invitation.accepted_at.is_(None),
        Invitation.withdrawn_at.is_(None),
        # The same text on every database; a JSON column has no operator both of them know.
        cast(Invitation.roles, String).contains('"trainee"'),
    )


def list_holders(cohort_id: int) -> list[Holder]:
    """Return who is enrolled in a class, in one query."""
    rows = db.session.execute(
        select(Enrolment.person_id, Person.email, Organisation.kind)
        .join(Person, Person.id == Enrolment.person_id)
        .join(Organisation, Organisation.id == Enrolment.organisation_id)
        .where(Enrolment.cohort_id == cohort_id)
    )
    return [Holder(*row) for row in rows]


def count_enrolled(cohort_id: int) -> Counter[OrganisationKind]:
    """Count the enrolled companions of a class by kind of agency, in one query."""
    query = (
        select(Organisation.kind, func.count())
        .join(Enrolment, Enrolment.organisation_id == Organisation.id)
        .where(Enrolment.cohort_id == cohort_id)
        .group_by(Organisation.kind)
    )
    return Counter({kind: count for kind, count in db.session.execute(query)})


def count_invited(cohort_id: int) -> Counter[OrganisationKind]:
    """Count the open invitations of people who have no seat yet by kind of agency; one query."""
    seated = (
        exists()
        .where(Enrolment.cohort_id == cohort_id, Enrolment.person_id == Person.id)
        .where(Person.email == Invitation.email)
    )
    query = (
        select(Organisation.kind, func.count(Invitation.email.distinct()))
        .join(Invitation, Invitation.organisation_id == Organisation.id)
        .where(Invitation.cohort_id == cohort_id, *_open(), ~seated)
        .group_by(Organisation.kind)
    )
    return Counter({kind: count for kind, count in db.session.execute(query)})


def seated_emails(cohort_id: int) -> CompoundSelect[str]:
    """Return a query of the addresses that have a seat or an open invitation in a class."""
    enrolled = (
        select(Person.email)
        .join(Enrolment, Enrolment.person_id == Person.id)
        .where(Enrolment.cohort_id == cohort_id)
    )
    invited = select(Invitation.email).where(Invitation.cohort_id == cohort_id, *_open())
    return enrolled.union(invited)


def emails_seated(cohort_id: int, among: Iterable[str]) -> set[str]:
    """Return which of these addresses have a seat or an open invitation in a class; one query."""
    found = seated_emails(cohort_id).subquery()
    return set(db.session.scalars(select(found.c.email).where(found.c.email.in_(set(among)))))


def seated_pairs(wanted: Iterable[tuple[int, int | None]]) -> set[tuple[int, int]]:
    """Return which of these pairs of class and person are enrolled, in one query."""
    pairs = {(cohort_id, person_id) for cohort_id, person_id in wanted if person_id}
    query = select(Enrolment.cohort_id, Enrolment.person_id).where(
        Enrolment.cohort_id.in_({cohort_id for cohort_id, _person in pairs}),
        Enrolment.person_id.in_({person_id for _cohort, person_id in pairs}),
    )
    found = {(row.cohort_id, row.person_id) for row in db.session.execute(query)}
    return found & pairs


def curricula_of(person_id: int) -> frozenset[str]:
    """Return what the classes cover in which somebody has a seat. One query.

    A class that names none covers what every companion needs: `""` stands for that.
    """
    rows = db.session.scalars(
        select(func.coalesce(CohortCurriculum.curriculum, ""))
        .select_from(Enrolment)
        .join(CohortCurriculum, CohortCurriculum.cohort_id == Enrolment.cohort_id, isouter=True)
        .where(Enrolment.person_id == person_id)
    )
    return frozenset(rows)


def is_awaited(person_id: int, email: str) -> bool:
    """Tell whether somebody has a seat or an open invitation in any class, in one query."""
    seated = select(Enrolment.id).where(Enrolment.person_id == person_id).exists()
    invited = select(Invitation.id).where(Invitation.email == email, *_open()).exists()
    return bool(db.session.scalar(select(seated | invited)))


def replies_to(invitation_ids: Iterable[int]) -> dict[int, Reply]:
    """Return what became of many invitations, in one query."""
    query = select(
        Invitation.id,
        Invitation.expires_at,
        Invitation.accepted_at,
        Invitation.withdrawn_at,
        Invitation.person_id,
    ).where(Invitation.id.in_(set(invitation_ids)))
    return {row.id: Reply(*row[1:]) for row in db.session.execute(query)}


def lapsed_classes(now: datetime) -> Select[int | None]:
    """Return a query of the classes in which the time of an open invitation is over."""
    return select(Invitation.cohort_id).where(
        Invitation.cohort_id.is_not(None), Invitation.expires_at <= now, *_open()
    )


def invitations_with(token: str) -> Select[int]:
    """Return a query of the invitation this token opens."""
    return select(Invitation.id).where(Invitation.token_hash == hash_token(token))


def ended_invitations() -> Select[int]:
    """Return a query of the invitations that lead to no seat any more.

    They were taken back or closed, or were accepted and the seat was given up since.
    """
    seated = exists().where(
        Enrolment.cohort_id == Invitation.cohort_id, Enrolment.person_id == Invitation.person_id
    )
    given_up = Invitation.accepted_at.is_not(None) & ~seated
    return select(Invitation.id).where(Invitation.withdrawn_at.is_not(None) | given_up)


def close_lapsed(cohort_id: int, *, now: datetime) -> int:
    """Close for good the companions' invitations into a class whose time is over. Flushes."""
    statement = (
        update(Invitation)
        .where(Invitation.cohort_id == cohort_id, Invitation.expires_at <= now, *_open())
        .values(withdrawn_at=now)
        .returning(Invitation.id)
    )
    return len(db.session.scalars(statement).all())


def list_upcoming(since: date) -> Sequence[Cohort]:
    """Return the open classes that begin on this day or later, the next one first."""
    return db.session.scalars(
        select(Cohort)
        .where(Cohort.starts_on >= since, Cohort.state == ClassState.OPEN)
        .order_by(Cohort.starts_on, Cohort.id)
    ).all()


def list_sent(organisation_ids: Iterable[int]) -> list[Sent]:
    """Return the classes in which these organisations have people, the first one first; one query.

    Nobody has a seat in a draft.
    """
    rows = db.session.execute(
        select(Cohort.id, Cohort.starts_on, Cohort.ends_on, Cohort.zone, func.count())
        .join(Enrolment, Enrolment.cohort_id == Cohort.id)
        .where(Enrolment.organisation_id.in_(set(organisation_ids)))
        .group_by(Cohort.id, Cohort.starts_on, Cohort.ends_on, Cohort.zone)
        .order_by(Cohort.starts_on, Cohort.id)
    )
    return [Sent(*row) for row in rows]


def classes_by_id(ids: Iterable[int]) -> dict[int, Cohort]:
    """Return many classes, in one query."""
    query = select(Cohort).where(Cohort.id.in_(set(ids)))
    return {one.id: one for one in db.session.scalars(query)}


def organisations_by_id(ids: Iterable[int]) -> dict[int, Organisation]:
    """Return many organisations, in one query."""
    query = select(Organisation).where(Organisation.id.in_(set(ids)))
    return {one.id: one for one in db.session.scalars(query)}


def leave(person_id: int, cohort_id: int, *, actor_id: int | None, now: datetime) -> None:
    """Take back somebody's seat in a class that has not begun. Raises NotFound. Flushes."""
    statement = (
        delete(Enrolment)
        .where(Enrolment.person_id == person_id, Enrolment.cohort_id == cohort_id)
        .returning(Enrolment.id)
    )
    if not db.session.scalars(statement).all():
        raise NotFound(str(person_id))
    audit.record(
        "cohorts.leave", f"cohort:{cohort_id}", actor_id=actor_id, now=now, person=person_id
    )


def part_from(person_id: int, organisation_id: int) -> None:
    """Let somebody no longer count as an agency's who has no seat and never had one by it. Flushes.

    Its officers would go on reading of a person who was written down as theirs by mistake.
    """
    by_it = exists().where(
        Enrolment.person_id == person_id, Enrolment.organisation_id == organisation_id
    )
    accepted = exists().where(
        Invitation.person_id == person_id,
        Invitation.organisation_id == organisation_id,
        Invitation.accepted_at.is_not(None),
    )
    db.session.execute(
        delete(Membership).where(
            Membership.person_id == person_id,
            Membership.organisation_id == organisation_id,
            Membership.part == Part.STAFF,
            ~by_it,
            ~accepted,
        )
    )
