"""A class as rows of a sheet, in pieces: what everybody reached and when they were last active."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, select

from lms.accounts.models import Person
from lms.cohorts.models import Cohort, Enrolment, Organisation
from lms.competency import services as competency
from lms.competency import summaries
from lms.competency.models import ClassLine, StandingSummary
from lms.competency.rules import Standing, Unit
from lms.core.clock import ZONES
from lms.core.db import db
from lms.core.sheets import Cell
from lms.reports.facts import facts_of
from lms.reports.rules import FactKind
from lms.reports.services import companion_units

PIECE = 250
"""People read at a time."""
AnyRow = Row[*tuple[Any, ...]]


def units() -> tuple[Unit, ...]:
    """Return the units the columns stand for."""
    return companion_units(competency.current().standard)


def rows(cohort: Cohort, *, now: datetime) -> Iterator[list[Cell]]:
    """Give name, organisation, criteria reached per unit and in all, critical ones open, last seen.

    By name, in pieces: memory does not grow with the class. Two queries in all when everything is
    stored; where somebody is behind, their piece asks for them alone.
    """
    found = competency.current()
    columns = companion_units(found.standard)
    table, line = StandingSummary, ClassLine
    query = (
        select(
            Person.id,
            Person.name,
            Organisation.name.label("organisation"),
            table.units,
            table.reached,
            table.total,
            line.person_id.label("counted"),
            line.last_seen,
        )
        .select_from(Enrolment)
        .join(Person, Person.id == Enrolment.person_id)
        .join(Organisation, Organisation.id == Enrolment.organisation_id)
        .join(
            table,
            and_(table.person_id == Enrolment.person_id, summaries.is_fresh(found.id, now)),
            isouter=True,
        )
        .join(
            line,
            and_(line.person_id == Enrolment.person_id, line.cohort_id == Enrolment.cohort_id),
            isouter=True,
        )
        .where(Enrolment.cohort_id == cohort.id)
        .order_by(Person.name, Person.id)
    )
    zone = ZONES[cohort.zone]
    for piece in db.session.execute(query.execution_options(yield_per=PIECE)).partitions():
        behind = summaries.judged([row.id for row in piece if row.units is None], found, now)
        seen = _last_seen(cohort, [row.id for row in piece if row.counted is None], now)
        for row in piece:
            at = seen.get(row.id, row.last_seen)
            day = at.astimezone(zone).date() if at else None
            yield [row.name, row.organisation, *_figures(row, behind, columns), day]


def _figures(row: AnyRow, behind: dict[int, Standing], columns: Sequence[Unit]) -> Iterator[int]:
    one = behind.get(row.id)
    cells = one.units if one else row.units
    yield from (cells[unit.number][0] for unit in columns)
    yield one.reached if one else row.reached
    yield one.total if one else row.total
    yield sum(cells[unit.number][2] for unit in columns)


def _last_seen(
    cohort: Cohort, person_ids: Sequence[int], now: datetime
) -> dict[int, datetime | None]:
    return {
        one: max((fact.at for fact in facts if fact.kind is FactKind.SEEN), default=None)
        for one, facts in facts_of(cohort.id, person_ids, now).items()
    }
