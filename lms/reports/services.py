"""Read-only queries across features: the map of a class, who is stuck, one person's way.

A page shows fifty people and costs the same in a class of any size: how people stand is stored
(lms.competency.summaries), what is known of them beside is asked for those on the page, and what
takes everybody (order, counts) is counted by a round (lms.reports.snapshots). A class that fits on
one page needs none of that: it is counted as it is shown.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, select

from lms.accounts import services as accounts
from lms.accounts.models import Person as Account
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, Enrolment, Organisation, OrganisationKind
from lms.cohorts.services import Seat
from lms.competency import overviews, summaries
from lms.competency import services as competency
from lms.competency.models import ClassLine, Evidence, StandingSummary
from lms.competency.overviews import Overview
from lms.competency.rules import (
    TRAINER_CURRICULUM,
    EvidenceKind,
    Kuk,
    Requirement,
    Standard,
    Standing,
    Unit,
    Verdict,
    kuk_behind,
)
from lms.competency.rules import verdicts as verdicts_of
from lms.competency.services import Current
from lms.core.db import db
from lms.credentials import register, schemes
from lms.modules.models import Lesson
from lms.ratings import services as ratings
from lms.reports import rules, themes
from lms.reports.facts import JOINED, facts_of
from lms.reports.rules import CALM, Fact, FactKind, Stuck
from lms.reports.themes import Theme

PAGE = 50
"""People on one page."""
ORDERS = ("", "nama", "tercapai", "siap")
"""Who needs a word first; by name; by criteria reached; for whom a decision may be taken."""


@dataclass(frozen=True, slots=True)
class Line:
    """One person of the map."""

    seat: Seat
    standing: Standing
    stuck: tuple[Stuck, ...]
    ready: tuple[str, ...]
    """Schemes a trainer may sign: everything is there and no certificate counts yet."""
    last_seen: datetime | None
    verdicts: Mapping[str, Verdict]
    """Of every KUK; empty unless they were asked for."""

    @property
    def reached(self) -> int:
        """How many KUK are reached in all."""
        return self.standing.reached


@dataclass(frozen=True, slots=True)
class Open:
    """One KUK many have not reached, with the 95 % interval of the share, percent 0-100."""

    kuk: Kuk
    count: int
    low: float
    share: float
    high: float


@dataclass(frozen=True, slots=True)
class Agency:
    """An organisation that sent people to a class."""

    id: int
    public_id: str
    name: str
    kind: OrganisationKind
    people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What somebody asked to see of a class. Unknown words fall back to everything."""

    agency: str = ""
    """Public id of an organisation."""
    kind: str = ""
    """Kind of organisation."""
    order: str = ""
    unit: str = ""
    """Number of a unit opened to its criteria."""
    page: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A class at one moment: one page of its people, and figures of all."""

    cohort: Cohort
    standard: Standard
    units: tuple[Unit, ...]
    unit: Unit | None
    """The unit opened to its criteria."""
    view: View
    people: int
    """In the class, and …"""
    matching: int
    """… of those the agencies that were asked for sent."""
    agencies: tuple[Agency, ...]
    lines: tuple[Line, ...]
    """On this page."""
    overview: Overview | None
    """None while nothing was counted yet, and when a unit is opened."""
    is_counted: bool
    """The figures are those of `overview.computed_at`; otherwise they are of this moment."""
    first: tuple[Line, ...]
    """Who needs a word first; empty where that is not on this page."""
    ready: tuple[Line, ...]
    """For whom a decision may be taken, of those on this page."""
    open: tuple[Open, ...]

    @property
    def pages(self) -> int:
        """How many pages there are."""
        return max(1, -(-self.matching // PAGE))


@dataclass(frozen=True, slots=True)
class Person:
    """One companion as their trainer sees them."""

    cohort: Cohort
    seat: Seat
    standard: Standard
    line: Line
    evidence: Sequence[Evidence]
    voided: frozenset[int]
    names: dict[int, str]
    waits: frozenset[int]
    """Rows whose assessor and note are kept back: see ratings.sealed."""
    certificates: Sequence[register.Entry]
    """Every one issued to them, the oldest of a scheme first."""


FIRST = 6
"""People named as those who need a word first."""


def matrix(cohort: Cohort, view: View, *, now: datetime) -> Matrix:
    """Return a class people × units. Six queries at any size; one more while somebody is behind."""
    found = competency.current()
    agencies = tuple(_agencies(cohort.id))
    units = companion_units(found.standard)
    unit = next((one for one in units if one.number == view.unit), None)
    view = _tidy(view, agencies, unit)
    people = sum(one.people for one in agencies)
    matching = sum(one.people for one in agencies if _is_asked(one, view))
    view = replace(view, page=min(view.page, max(1, -(-matching // PAGE))))
    is_small = people <= PAGE
    ordered = _everybody(cohort.id) if is_small else _page(cohort.id, view)
    seats = _seats(ordered, found, now)
    asked, kuk = requirements(), unit.kuk if unit else ()
    lines = _lines(cohort, seats, found, asked, now, kuk=kuk)
    overview = overviews.of([cohort.id]).get(cohort.id) if unit is None else None
    if is_small and unit is None:
        overview = _count(lines, overview, now)
    shown = lines
    if is_small:
        wanted = {one.id for one in agencies if _is_asked(one, view)}
        shown = arrange([one for one in lines if one.seat.organisation_id in wanted], view.order)
    is_first = is_small or (view.order == "" and view.page == 1 and not view.agency + view.kind)
    return Matrix(
        cohort=cohort,
        standard=found.standard,
        units=units,
        unit=unit,
        view=view,
        people=people,
        matching=matching,
        agencies=agencies,
        lines=tuple(shown),
        overview=overview,
        is_counted=not is_small,
        first=tuple(one for one in arrange(lines, "") if one.stuck)[:FIRST] if is_first else (),
        ready=tuple(one for one in lines if one.ready),
        open=_most_open(found.standard, overview, people) if overview else (),
    )


def companion_units(standard: Standard) -> tuple[Unit, ...]:
    """Return the companion's units; the last one of the standard is the trainer's own."""
    return tuple(
        unit
        for unit in standard.units
        if any(kuk.curriculum != TRAINER_CURRICULUM for kuk in unit.kuk)
    )


def _tidy(view: View, agencies: Sequence[Agency], unit: Unit | None) -> View:
    return View(
        agency=view.agency if view.agency in {one.public_id for one in agencies} else "",
        kind=view.kind if view.kind in {one.kind.value for one in agencies} else "",
        order=view.order if view.order in ORDERS else "",
        unit=unit.number if unit else "",
        page=max(1, view.page),
    )


def _is_asked(agency: Agency, view: View) -> bool:
    return view.agency in ("", agency.public_id) and view.kind in ("", agency.kind.value)


def _agencies(cohort_id: int) -> list[Agency]:
    """Return who sent how many people, by name. One query."""
    rows = db.session.execute(
        select(
            Organisation.id,
            Organisation.public_id,
            Organisation.name,
            Organisation.kind,
            func.count().label("people"),
        )
        .join(Enrolment, Enrolment.organisation_id == Organisation.id)
        .where(Enrolment.cohort_id == cohort_id)
        .group_by(Organisation.id)
        .order_by(Organisation.name)
    )
    return [Agency(row.id, row.public_id, row.name, row.kind, row.people) for row in rows]


def _everybody(cohort_id: int) -> Select[*tuple[Any, ...]]:
    return select(Enrolment.person_id, Enrolment.organisation_id).where(
        Enrolment.cohort_id == cohort_id
    )


def _page(cohort_id: int, view: View) -> Select[*tuple[Any, ...]]:
    """Return the people of one page of a large class in the order that was counted."""
    line = ClassLine
    counted = and_(line.cohort_id == Enrolment.cohort_id, line.person_id == Enrolment.person_id)
    pressing, reached = func.coalesce(line.pressing, CALM), func.coalesce(line.reached, 0)
    order: dict[str, list[ColumnElement[int]]] = {
        "": [pressing, reached],
        "nama": [],
        "tercapai": [-reached],
        "siap": [case((line.ready, 0), else_=1), -reached],
    }
    query = (
        _everybody(cohort_id)
        .join(Account, Account.id == Enrolment.person_id)
        .join(line, counted, isouter=True)
    )
    if view.agency or view.kind:
        query = query.join(Organisation, Organisation.id == Enrolment.organisation_id)
    if view.agency:
        query = query.where(Organisation.public_id == view.agency)
    if view.kind:
        query = query.where(Organisation.kind == OrganisationKind(view.kind))
    places = [*order[view.order], Account.name, Account.id]
    return (
        query.add_columns(*(one.label(f"place_{n}") for n, one in enumerate(places)))
        .order_by(*places)
        .offset((view.page - 1) * PAGE)
        .limit(PAGE)
    )


def _seats(
    people: Select[*tuple[Any, ...]], found: Current, now: datetime
) -> list[tuple[Seat, Standing | None]]:
    """Return the seats of these people, and how they stand where that is stored. One query.

    In the order of `place_0`, `place_1` … if the query has them, else by name.
    """
    chosen = people.subquery()
    table = StandingSummary
    fresh = and_(table.person_id == chosen.c.person_id, summaries.is_fresh(found.id, now))
    query = (
        select(
            Account.id,
            Account.public_id,
            Account.name,
            Organisation.id.label("organisation_id"),
            Organisation.name.label("organisation"),
            table.units,
            table.gates,
            table.reached,
            table.total,
        )
        .select_from(chosen)
        .join(Account, Account.id == chosen.c.person_id)
        .join(Organisation, Organisation.id == chosen.c.organisation_id)
        .join(table, fresh, isouter=True)
    )
    places = [column for column in chosen.c if column.name.startswith("place_")]
    ordered = query.order_by(*places) if places else query.order_by(Account.name, Account.id)
    return [
        (
            Seat(row.id, row.public_id, row.name, row.organisation_id, row.organisation),
            None if row.gates is None else summaries.read(row),
        )
        for row in db.session.execute(ordered)
    ]


def _lines(
    cohort: Cohort,
    seats: Sequence[tuple[Seat, Standing | None]],
    found: Current,
    asked: Sequence[Requirement],
    now: datetime,
    *,
    kuk: Sequence[Kuk] = (),
) -> list[Line]:
    """Return the lines of these people, with the verdicts on `kuk`.

    Two queries; one more for verdicts, and one if somebody has to be judged.
    """
    standard, ids = found.standard, [seat.person_id for seat, _standing in seats]
    behind = [seat.person_id for seat, stored in seats if stored is None]
    judged = summaries.judged(behind, found, now)
    some = kuk_behind(standard, kuk)
    ledgers = competency.rows_of(ids, found, only=some) if kuk else {}
    facts = facts_of(cohort.id, ids, now)
    taught = frozenset(cohorts.list_curricula(cohort.id))
    lines = []
    for seat, stored in seats:
        who = seat.person_id
        verdicts = verdicts_of(standard, ledgers.get(who, ()), now, kuk) if kuk else {}
        known = facts.get(who, [])
        stands = stored or judged[who]
        lines.append(_line(seat, cohort, taught, stands, verdicts, known, standard, asked, now))
    return lines


def lines_of(
    cohort: Cohort,
    person_ids: Sequence[int],
    found: Current,
    asked: Sequence[Requirement],
    now: datetime,
) -> list[Line]:
    """Return the lines of some people of a class, by name. Four queries at most."""
    people = _everybody(cohort.id).where(Enrolment.person_id.in_(person_ids))
    return _lines(cohort, _seats(people, found, now), found, asked, now)


def _line(
    seat: Seat,
    cohort: Cohort,
    taught: frozenset[str],
    stands: Standing,
    verdicts: Mapping[str, Verdict],
    facts: Sequence[Fact],
    standard: Standard,
    asked: Sequence[Requirement],
    now: datetime,
) -> Line:
    seen = [fact.at for fact in facts if fact.kind is FactKind.SEEN]
    held = frozenset(fact.source for fact in facts if fact.kind is FactKind.HELD)
    tried = {fact.source for fact in facts if fact.kind is FactKind.TRY}
    found = rules.stuck(
        facts,
        joined_at=next((fact.at for fact in facts if fact.source == JOINED), now),
        now=now,
        done=rules.is_certified(held, taught, {one.scheme: one.curricula for one in asked}),
        open_quizzes=frozenset(tried.intersection(stands.open_quizzes)),
        unobserved=cohort.ends_on < cohorts.today_in(cohort, now) and not stands.observed,
        wait=standard.wait[EvidenceKind.Q],
        tries_before_coaching=standard.tries_before_coaching,
    )
    # An open appeal holds every decision that rests on its criterion.
    appealed = {fact.source for fact in facts if fact.kind is FactKind.APPEALED}
    shut = {kuk.curriculum for code, kuk in standard.kuk.items() if code in appealed}
    ready = tuple(
        one.scheme
        for one in asked
        if one.scheme not in held and stands.is_ready(one, held) and shut.isdisjoint(one.curricula)
    )
    return Line(seat, stands, tuple(found), ready, max(seen, default=None), verdicts)


def requirements() -> list[Requirement]:
    """Return what every scheme asks for. One query."""
    return [schemes.requirement(scheme) for scheme in schemes.list_schemes()]


def _count(lines: Sequence[Line], stored: Overview | None, now: datetime) -> Overview:
    """Count a class from its people; themes are taken over from what was stored."""
    return Overview(
        people=len(lines),
        stuck=Counter(line.stuck[0].reason.value for line in lines if line.stuck),
        ready=sum(bool(line.ready) for line in lines),
        not_yet=Counter(code for line in lines for code in line.standing.not_yet),
        themes=stored.themes if stored else (),
        answers=stored.answers if stored else "",
        computed_at=now,
    )


def _most_open(standard: Standard, overview: Overview, people: int) -> tuple[Open, ...]:
    """Return the five KUK that most people have tried and not reached."""
    most = sorted(overview.not_yet.items(), key=lambda one: (-one[1], one[0]))
    found = []
    for code, count in [one for one in most if one[0] in standard.kuk][:5]:
        low, high = rules.wilson(count, people)
        found.append(Open(standard.find(code), count, low, 100 * count / people, high))
    return tuple(found)


def arrange(lines: Sequence[Line], order: str) -> list[Line]:
    """Return lines by name, by reached, ready ones or who needs a word first."""
    if order == "nama":
        return list(lines)
    if order == "tercapai":
        return sorted(lines, key=lambda line: -line.reached)
    if order == "siap":
        return sorted(lines, key=lambda line: (not line.ready, -line.reached))
    return sorted(lines, key=lambda line: (rules.pressing(line.stuck), line.reached))


def person(cohort: Cohort, public_id: str, *, now: datetime) -> Person:
    """Return one companion of a class with all evidence. Raises core.errors.NotFound."""
    seat = cohorts.get_seat(cohort.id, public_id)
    found = competency.current()
    every = tuple(found.standard.kuk.values())
    [line] = _lines(cohort, [(seat, None)], found, requirements(), now, kuk=every)
    evidence = competency.list_evidence(seat.person_id)
    sealed = ratings.sealed([seat.person_id])
    assessors = {row.assessor_id for row in evidence if row.assessor_id is not None}
    return Person(
        cohort=cohort,
        seat=seat,
        standard=found.standard,
        line=line,
        evidence=evidence,
        voided=competency.void_ids(seat.person_id),
        names=accounts.names_of(assessors),
        waits=frozenset(row.id for row in evidence if sealed.hides_row(row)),
        certificates=register.list_held([seat.person_id], now),
    )


@dataclass(frozen=True, slots=True)
class Preparation:
    """What a workshop should make time for."""

    themes: tuple[Theme, ...]
    counted_at: datetime | None
    """When it was counted; None while nobody sits in the class or the round is on its way."""

    @property
    def minutes(self) -> int:
        """What all themes take together."""
        return sum(theme.minutes for theme in self.themes)


def preparation(cohort: Cohort) -> Preparation:
    """Return what to prepare, as it was counted last. Two queries."""
    standard = competency.current().standard
    overview = overviews.of([cohort.id]).get(cohort.id)
    if overview is None:
        return Preparation((), None)
    return Preparation(tuple(themes.read(overview.themes, standard)), overview.computed_at)


def lesson_codes() -> Sequence[str]:
    """Return the codes of all lessons in order."""
    return db.session.scalars(
        select(Lesson.code).order_by(Lesson.curriculum_id, Lesson.position)
    ).all()
