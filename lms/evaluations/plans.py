"""Plans after a class (RTL): promises, and what both sides say of them. Services flush."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import ColumnElement, and_, case, delete, func, select
from sqlalchemy.orm import InstrumentedAttribute

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.cohorts import officers
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, Enrolment, Membership, Organisation, Part
from lms.core import audit
from lms.core.db import db, insert_once
from lms.core.errors import DomainError, NotFound
from lms.core.ids import hash_token
from lms.core.ids import public_id as new_public_id
from lms.evaluations import due, rules
from lms.evaluations.models import Plan, PlanCheck, PlanLetter, Promise, PromiseRating
from lms.evaluations.rules import Rating, Side
from lms.evaluations.services import own_cohort

PAGE = 50
"""People on one page."""


class NotOpen(DomainError):
    """It is not the time for this, or a check has begun already."""


class AlreadyChecked(DomainError):
    """Who answers has answered already."""


@dataclass(frozen=True, slots=True)
class Said:
    """One promise as it is written down."""

    what: str
    by_on: date
    with_whom: str


@dataclass(frozen=True, slots=True)
class Superior:
    """Who looks at a plan beside the person: an officer by id, or somebody by address."""

    name: str
    email: str = ""
    person_id: int | None = None


@dataclass(frozen=True, slots=True)
class Checked:
    """What one side said at one stage: by promise its rating and the reason."""

    stage: int
    side: Side
    comment: str
    answered_at: datetime
    ratings: Mapping[int, tuple[Rating, str]]


@dataclass(frozen=True, slots=True)
class Whole:
    """A plan with its promises and every check of it."""

    plan: Plan
    promises: Sequence[Promise]
    checks: Mapping[tuple[int, Side], Checked]
    is_sent: bool
    """A superior was asked: what they read does not change any more."""

    @property
    def may_change(self) -> bool:
        """Tell whether the promises may still be written anew."""
        return not self.checks and not self.is_sent


@dataclass(frozen=True, slots=True)
class Officer:
    """Somebody of the own agency who may be chosen as superior."""

    person_id: int
    public_id: str
    name: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How many promises one side calls done, partly done, not yet done."""

    done: int = 0
    partly: int = 0
    not_yet: int = 0

    @property
    def total(self) -> int:
        """How many promises were rated."""
        return self.done + self.partly + self.not_yet


@dataclass(frozen=True, slots=True)
class Line:
    """One person with a plan in a list."""

    name: str
    cohort: str
    promises: int
    tallies: Mapping[tuple[int, Side], Tally] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Overview:
    """The plans of a class, a page at a time, and the sums over all of them."""

    people: int
    plans: int
    sums: Mapping[tuple[int, Side], Tally]
    lines: list[Line]
    page: int

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-self.plans // PAGE))


@dataclass(frozen=True, slots=True)
class Asked:
    """What a superior's page shows: a first name, the promises, nothing else."""

    first_name: str
    plan_id: int
    stage: int
    promises: Sequence[Promise]
    is_answered: bool
    until: datetime


def find(cohort_id: int, person_id: int) -> Whole | None:
    """Return somebody's plan after a class, or None. Four queries, one without a plan."""
    plan = db.session.scalar(
        select(Plan).where(Plan.cohort_id == cohort_id, Plan.person_id == person_id)
    )
    if plan is None:
        return None
    sent = select(PlanLetter.id).where(
        PlanLetter.plan_id == plan.id, PlanLetter.side == Side.SUPERIOR
    )
    return Whole(
        plan,
        _promises(plan.id),
        _checks([plan.id]).get(plan.id, {}),
        db.session.scalar(sent.limit(1)) is not None,
    )


def officers_for(cohort_id: int, person_id: int) -> list[Officer]:
    """Return the officers of the agency that sent somebody to a class, without themselves."""
    rows = db.session.execute(
        select(Person.id, Person.public_id, Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .join(Enrolment, Enrolment.organisation_id == Membership.organisation_id)
        .where(
            officers.holds(Part.OFFICER),
            Enrolment.cohort_id == cohort_id,
            Enrolment.person_id == person_id,
            Person.id != person_id,
            Person.disabled_at.is_(None),
        )
        .order_by(Person.name, Person.id)
    )
    return [Officer(*row) for row in rows]


def write(
    slug: str, person_id: int, said: Sequence[Said], superior: Superior, *, now: datetime
) -> Plan:
    """Write somebody's plan after a class, or write it anew. Raises NotFound, NotOpen. Flushes."""
    cohort = own_cohort(slug, person_id)
    today = cohorts.today_in(cohort, now)
    if not rules.may_begin(cohort.ends_on, today) or not 0 < len(said) <= rules.MOST_PROMISES:
        raise NotOpen(slug)
    insert_once(
        Plan,
        public_id=new_public_id(),
        cohort_id=cohort.id,
        person_id=person_id,
        superior_id=superior.person_id,
        superior_name=superior.name,
        superior_email=superior.email,
        written_at=now,
    )
    plan = _locked(Plan.cohort_id == cohort.id, Plan.person_id == person_id)
    whole = find(cohort.id, person_id)
    if whole is None or not whole.may_change:
        raise NotOpen(slug)
    plan.superior_id, plan.superior_name = superior.person_id, superior.name
    plan.superior_email, plan.written_at = superior.email, now
    db.session.execute(delete(Promise).where(Promise.plan_id == plan.id))
    db.session.add_all(
        Promise(
            plan_id=plan.id,
            position=position,
            what=one.what,
            by_on=one.by_on,
            with_whom=one.with_whom,
        )
        for position, one in enumerate(said, 1)
    )
    audit.record(
        "evaluations.plan",
        f"follow_up_plan:{plan.id}",
        actor_id=person_id,
        now=now,
        promises=len(said),
    )
    db.session.flush()
    return plan


def check_own(
    slug: str,
    person_id: int,
    ratings: Mapping[int, tuple[Rating, str]],
    comment: str,
    *,
    now: datetime,
) -> None:
    """Take what somebody says of their own promises, for the check that is open.

    `ratings` are by promise and name each of them. Raises NotFound, NotOpen, AlreadyChecked.
    Flushes.
    """
    cohort = own_cohort(slug, person_id)
    stage = rules.open_stage(cohort.ends_on, cohorts.today_in(cohort, now))
    if stage is None:
        raise NotOpen(slug)
    plan = _locked(Plan.cohort_id == cohort.id, Plan.person_id == person_id)
    _append(plan, stage, Side.PERSON, ratings, comment, now)


def read_letter(token: str, *, now: datetime) -> Asked:
    """Return what the superior with this link is asked. Raises NotFound when it has ended.

    Four queries.
    """
    letter, plan, name = _letter(token, now)
    done = select(PlanCheck.id).where(
        PlanCheck.plan_id == plan.id,
        PlanCheck.stage == letter.stage,
        PlanCheck.side == Side.SUPERIOR,
    )
    return Asked(
        rules.first_name(name),
        plan.id,
        letter.stage,
        _promises(plan.id),
        db.session.scalar(done) is not None,
        letter.expires_at or now,
    )


def check_by_superior(
    token: str, ratings: Mapping[int, tuple[Rating, str]], comment: str, *, now: datetime
) -> None:
    """Take what a superior says, by the link they were sent.

    Raises NotFound, NotOpen, AlreadyChecked. Flushes.
    """
    letter, found, _name = _letter(token, now)
    plan = _locked(Plan.id == found.id)
    _append(plan, letter.stage, Side.SUPERIOR, ratings, comment, now)


def _letter(token: str, now: datetime) -> tuple[PlanLetter, Plan, str]:
    row = db.session.execute(
        select(PlanLetter, Plan, Person.name)
        .join(Plan, Plan.id == PlanLetter.plan_id)
        .join(Person, Person.id == Plan.person_id)
        .where(
            PlanLetter.token_hash == hash_token(token),
            PlanLetter.side == Side.SUPERIOR,
            PlanLetter.expires_at > now,
            due.may_look(),
        )
    ).first()
    if row is None:
        raise NotFound("letter")
    return row[0], row[1], row[2]


def _locked(*where: ColumnElement[bool]) -> Plan:
    plan = db.session.scalar(
        select(Plan)
        .where(*where)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if plan is None:
        raise NotFound("plan")
    return plan


def _append(
    plan: Plan,
    stage: int,
    side: Side,
    ratings: Mapping[int, tuple[Rating, str]],
    comment: str,
    now: datetime,
) -> None:
    promises = {one.id for one in _promises(plan.id)}
    if not promises or promises != set(ratings):
        raise NotOpen(plan.public_id)
    where = {"plan_id": plan.id, "stage": stage, "side": side}
    if not insert_once(PlanCheck, **where, comment=comment, answered_at=now):
        raise AlreadyChecked(plan.public_id)
    check_id = db.session.scalars(select(PlanCheck.id).filter_by(**where)).one()
    db.session.add_all(
        PromiseRating(check_id=check_id, promise_id=promise_id, rating=rating, reason=reason)
        for promise_id, (rating, reason) in ratings.items()
    )
    audit.record(
        "evaluations.check",
        f"follow_up_plan:{plan.id}",
        actor_id=plan.person_id if side is Side.PERSON else None,
        now=now,
        stage=stage,
        side=side.value,
    )
    db.session.flush()


def _promises(plan_id: int) -> Sequence[Promise]:
    return db.session.scalars(
        select(Promise).where(Promise.plan_id == plan_id).order_by(Promise.position)
    ).all()


def _checks(plan_ids: Sequence[int]) -> dict[int, dict[tuple[int, Side], Checked]]:
    """Return every check of these plans, by plan, stage and side, in one query."""
    rows = db.session.execute(
        select(PlanCheck, PromiseRating)
        .join(PromiseRating, PromiseRating.check_id == PlanCheck.id)
        .where(PlanCheck.plan_id.in_(plan_ids))
    )
    found: dict[int, dict[tuple[int, Side], Checked]] = defaultdict(dict)
    ratings: dict[int, dict[int, tuple[Rating, str]]] = defaultdict(dict)
    for check, rated in rows:
        ratings[check.id][rated.promise_id] = rated.rating, rated.reason
        found[check.plan_id][check.stage, check.side] = Checked(
            check.stage, check.side, check.comment, check.answered_at, ratings[check.id]
        )
    return found


# For those who look on


def overview(cohort: Cohort, *, page: int = 1) -> Overview:
    """Return the plans of a class by name. Five queries. Raises NotFound for no such page."""
    people = select(func.count()).where(Enrolment.cohort_id == cohort.id)
    plans = db.session.scalar(select(func.count()).where(Plan.cohort_id == cohort.id)) or 0
    if page < 1 or (page - 1) * PAGE >= max(plans, 1):
        raise NotFound(str(page))
    return Overview(
        people=db.session.scalar(people) or 0,
        plans=plans,
        sums=_tallies(Plan.cohort_id == cohort.id).get(None, {}),
        lines=_lines([Plan.cohort_id == cohort.id], page),
        page=page,
    )


def list_for_officer(officer_id: int, *, page: int = 1) -> tuple[int, list[Line]]:
    """Return how many people of an officer's agencies have a plan, and a page of them.

    Four queries. What was promised is not for the officer. Raises NotFound for no such page.
    """
    asks_for = select(Membership.organisation_id).where(
        Membership.person_id == officer_id, officers.holds(Part.OFFICER)
    )
    sent = select(Enrolment.cohort_id).where(
        Enrolment.cohort_id == Plan.cohort_id,
        Enrolment.person_id == Plan.person_id,
        Enrolment.organisation_id.in_(asks_for),
    )
    own = sent.exists()
    total = db.session.scalar(select(func.count()).select_from(Plan).where(own)) or 0
    if page < 1 or (page - 1) * PAGE >= max(total, 1):
        raise NotFound(str(page))
    return total, _lines([own], page)


def _lines(where: Sequence[ColumnElement[bool]], page: int) -> list[Line]:
    count = select(func.count()).where(Promise.plan_id == Plan.id).correlate(Plan).scalar_subquery()
    rows = db.session.execute(
        select(Plan.id, Person.name, Cohort.title, count.label("promises"))
        .join(Person, Person.id == Plan.person_id)
        .join(Cohort, Cohort.id == Plan.cohort_id)
        .where(*where)
        .order_by(Person.name, Plan.id)
        .offset((page - 1) * PAGE)
        .limit(PAGE)
    ).all()
    tallies = _tallies(Plan.id.in_([row.id for row in rows]), Plan.id)
    return [Line(row.name, row.title, row.promises, tallies.get(row.id, {})) for row in rows]


def _tallies(
    where: ColumnElement[bool], by: InstrumentedAttribute[int] | None = None
) -> dict[int | None, dict[tuple[int, Side], Tally]]:
    """Count ratings by stage and side, of each plan or (under None) of all, in one query."""
    keys = [PlanCheck.stage, PlanCheck.side, *([] if by is None else [by])]
    sums = [
        func.sum(case((PromiseRating.rating == rating, 1), else_=0))
        for rating in (Rating.DONE, Rating.PARTLY, Rating.NOT_YET)
    ]
    rows = db.session.execute(
        select(*sums, *keys)
        .join(PromiseRating, PromiseRating.check_id == PlanCheck.id)
        .join(Plan, Plan.id == PlanCheck.plan_id)
        .where(where)
        .group_by(*keys)
    )
    found: dict[int | None, dict[tuple[int, Side], Tally]] = defaultdict(dict)
    for done, partly, not_yet, stage, side, *plan_id in rows:
        key = plan_id[0] if plan_id else None
        found[key][stage, side] = Tally(int(done), int(partly), int(not_yet))
    return found


EXPORT = 200
"""Plans read at a time for a file."""


def rows_for_export(cohort_id: int) -> Iterator[list[str | date | int]]:
    """Yield one row for each promise of a class: who, what, by when, what both sides said."""
    after = 0
    while plans := db.session.execute(
        select(Plan.id, Person.name, Organisation.name)
        .join(Person, Person.id == Plan.person_id)
        .join(
            Enrolment,
            and_(Enrolment.cohort_id == Plan.cohort_id, Enrolment.person_id == Plan.person_id),
        )
        .join(Organisation, Organisation.id == Enrolment.organisation_id)
        .where(Plan.cohort_id == cohort_id, Plan.id > after)
        .order_by(Plan.id)
        .limit(EXPORT)
    ).all():
        ids = [row[0] for row in plans]
        checks, promises = _checks(ids), _promises_of(ids)
        for plan_id, name, sender in plans:
            for one in promises[plan_id]:
                yield [
                    name, sender, one.position, one.what, one.by_on, one.with_whom,
                    *_ratings(one.id, checks.get(plan_id, {})),
                ]  # fmt: skip
        after = ids[-1]


def _promises_of(plan_ids: Iterable[int]) -> dict[int, list[Promise]]:
    query = (
        select(Promise)
        .where(Promise.plan_id.in_(list(plan_ids)))
        .order_by(Promise.plan_id, Promise.position)
    )
    found: dict[int, list[Promise]] = defaultdict(list)
    for one in db.session.scalars(query):
        found[one.plan_id].append(one)
    return found


def _ratings(promise_id: int, checks: Mapping[tuple[int, Side], Checked]) -> Iterator[str]:
    for stage in rules.STAGES:
        for side in Side:
            check = checks.get((stage, side))
            rating, reason = check.ratings.get(promise_id, ("", "")) if check else ("", "")
            yield str(rating)
            yield reason


def address_of(plan: Plan) -> tuple[str, str]:
    """Return name and mail address of the superior of a plan, as they are today."""
    if plan.superior_id is None:
        return plan.superior_name, plan.superior_email
    person = accounts.get_person_by_id(plan.superior_id)
    return person.name, person.email
