"""How people stand, stored so that a page of many need not judge their ledgers. Never the truth.

Who appends to the ledger marks the person (services.append, services.void); `refresh`, a round,
judges them again. Until then `of` judges in memory, so what it returns is never behind. Decisions
do not read this: they judge the ledger itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, or_, select, update

from lms.competency import due, rules, services
from lms.competency.models import StandingSummary
from lms.competency.rules import Standing
from lms.competency.services import Current
from lms.core.db import db, insert_into, unit_of_work

BATCH = 100
"""People judged before they are written: nobody who saves an answer waits for more than these."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A stored line that does not say what the ledger says."""

    person_id: int
    is_unmarked: bool
    """The ledger has changed and nobody marked the line; otherwise the line itself is wrong."""


def of(person_ids: Sequence[int], found: Current, now: datetime) -> dict[int, Standing]:
    """Return how each of these people stands now. One query; two when some line is behind.

    What is missing, marked, of another standard or past its time is judged from the ledger here
    and not written: reading never writes.
    """
    table = StandingSummary
    query = select(table.person_id, table.units, table.gates, table.reached, table.total)
    standings = {
        row.person_id: _read(row.units, row.gates, row.reached, row.total)
        for row in db.session.execute(
            query.where(table.person_id.in_(person_ids), is_fresh(found.id, now))
        )
    }
    behind = [one for one in person_ids if one not in standings]
    return standings | judged(behind, found, now)


def judged(person_ids: Sequence[int], found: Current, now: datetime) -> dict[int, Standing]:
    """Return how people stand by their ledgers alone. One query, none for nobody."""
    if not person_ids:
        return {}
    ledgers = services.rows_of(person_ids, found)
    nothing = rules.standing(found.standard, (), now)
    return {
        one: rules.standing(found.standard, ledgers[one], now) if one in ledgers else nothing
        for one in person_ids
    }


def is_fresh(standard_id: int, now: datetime) -> ColumnElement[bool]:
    """Return the condition under which a stored line says what the ledger says."""
    table = StandingSummary
    return and_(
        table.dirty.is_(False),
        table.standard_version_id == standard_id,
        table.computed_at <= now,
        or_(table.holds_until.is_(None), table.holds_until > now),
    )


def read(row: Any) -> Standing:
    """Return the standing in a row that holds `units`, `gates`, `reached` and `total`."""
    return _read(row.units, row.gates, row.reached, row.total)


def _read(units: Mapping[str, Any], gates: Mapping[str, Any], reached: int, total: int) -> Standing:
    return Standing(
        units={number: (cell[0], cell[1], cell[2]) for number, cell in units.items()},
        not_yet=tuple(gates["not_yet"]),
        complete=tuple(gates["complete"]),
        attended=tuple(gates["attended"]),
        open_quizzes=tuple(gates["open_quizzes"]),
        observed=gates["observed"],
        reached=reached,
        total=total,
    )


def expect(person_ids: Sequence[int]) -> None:
    """Give people who have no line yet one that is marked, so that `refresh` fills it. Flushes."""
    if person_ids:
        values = [{"person_id": one, "units": {}, "gates": {}} for one in sorted(person_ids)]
        db.session.execute(insert_into(StandingSummary).on_conflict_do_nothing(), values)


def refresh(now: datetime, limit: int = 500) -> int:
    """Judge people whose line is behind, at most so many. Opens its own units of work.

    The ledger is read before anything is locked. Who changes it meanwhile counts `changes` up, and
    then nothing is written for this person: the next round judges them again.
    """
    try:
        found = services.current()
    except services.NoStandard:
        return 0
    table = StandingSummary
    behind = select(table.person_id, table.changes).where(due.is_summary_behind(found.id, now))
    waiting = db.session.execute(behind.order_by(table.person_id).limit(limit)).all()
    for begin in range(0, len(waiting), BATCH):
        part = waiting[begin : begin + BATCH]
        values = list(_lines([(row.person_id, row.changes) for row in part], found, now))
        with unit_of_work():
            db.session.connection().execute(
                update(table)
                .where(
                    table.person_id == bindparam("of_person"),
                    table.changes == bindparam("of_changes"),
                )
                .values({name: bindparam(name) for name in _WRITTEN}),
                values,
            )
    return len(waiting)


_WRITTEN = (
    "standard_version_id",
    "units",
    "gates",
    "reached",
    "total",
    "rows",
    "voids",
    "computed_at",
    "holds_until",
    "dirty",
)


def _lines(
    people: Sequence[tuple[int, int]], found: Current, now: datetime
) -> Iterator[dict[str, Any]]:
    ledgers = services.rows_of([person_id for person_id, _changes in people], found)
    for person_id, changes in people:
        rows = ledgers.get(person_id, [])
        one = rules.standing(found.standard, rows, now)
        yield {
            "of_person": person_id,
            "of_changes": changes,
            "standard_version_id": found.id,
            "units": {number: list(cell) for number, cell in one.units.items()},
            "gates": {
                "not_yet": one.not_yet,
                "complete": one.complete,
                "attended": one.attended,
                "open_quizzes": one.open_quizzes,
                "observed": one.observed,
            },
            "reached": one.reached,
            "total": one.total,
            "rows": len(rows),
            "voids": sum(row.voided for row in rows),
            "computed_at": now,
            "holds_until": rules.next_change(found.standard, rows, now),
            "dirty": False,
        }


def differences(now: datetime) -> list[Difference]:
    """Return the lines that claim to be fresh and are not what the ledger gives.

    For operators: it judges everybody, some milliseconds a person. Empty is the only good answer.
    """
    found = services.current()
    table, wrong = StandingSummary, []
    last = 0
    while (
        part := db.session.execute(
            select(table)
            .where(is_fresh(found.id, now), table.person_id > last)
            .order_by(table.person_id)
            .limit(BATCH)
        )
        .scalars()
        .all()
    ):
        ledgers = services.rows_of([row.person_id for row in part], found)
        for row in part:
            rows = ledgers.get(row.person_id, [])
            counted = (len(rows), sum(one.voided for one in rows))
            if counted != (row.rows, row.voids):
                wrong.append(Difference(row.person_id, is_unmarked=True))
            elif read(row) != rules.standing(found.standard, rows, now):
                wrong.append(Difference(row.person_id, is_unmarked=False))
        last = part[-1].person_id
        db.session.expire_all()
    return wrong
