"""Whole classes in figures, stored because counting them takes every ledger and every feature.

The reports count (they alone may read every table) and `store` here; the desk and the page of a
class read, and say when it was counted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select

from lms.competency.models import ClassLine, ClassOverview
from lms.core.db import db, insert_into


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """A class in figures."""

    people: int
    stuck: Mapping[str, int]
    """First reason why somebody may be stuck, to how many people."""
    ready: int
    not_yet: Mapping[str, int]
    """KUK to how many people tried it and have not reached it."""
    themes: Sequence[Mapping[str, Any]] = ()
    answers: str = ""
    computed_at: datetime

    @property
    def waiting(self) -> int:
        """How many people need a word."""
        return sum(self.stuck.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One person of a class, as lists are ordered by them."""

    person_id: int
    pressing: int
    reached: int
    ready: bool
    last_seen: datetime | None


def of(cohort_ids: Sequence[int]) -> dict[int, Overview]:
    """Return what was counted of these classes, by id. One query."""
    rows = db.session.scalars(select(ClassOverview).where(ClassOverview.cohort_id.in_(cohort_ids)))
    return {
        row.cohort_id: Overview(
            people=row.people,
            stuck=row.stuck,
            ready=row.ready,
            not_yet=row.not_yet,
            themes=tuple(row.themes),
            answers=row.answers,
            computed_at=row.computed_at,
        )
        for row in rows
    }


def lines_of(cohort_id: int) -> dict[int, Stored]:
    """Return what is stored of the people of a class. One query."""
    table = ClassLine
    query = select(
        table.person_id, table.pressing, table.reached, table.ready, table.last_seen
    ).where(table.cohort_id == cohort_id)
    return {row.person_id: Stored(**row._mapping) for row in db.session.execute(query)}


def store(cohort_id: int, found: Overview, lines: Iterable[Stored]) -> None:
    """Replace what is stored of a class; lines that say the same stay untouched. Flushes."""
    known = lines_of(cohort_id)
    wanted = {line.person_id: line for line in lines}
    changed = [line for one, line in wanted.items() if known.get(one) != line]
    gone = known.keys() - wanted.keys()
    if gone:
        db.session.execute(
            delete(ClassLine).where(ClassLine.cohort_id == cohort_id, ClassLine.person_id.in_(gone))
        )
    if changed:
        values = [
            {
                "cohort_id": cohort_id,
                "person_id": line.person_id,
                "pressing": line.pressing,
                "reached": line.reached,
                "ready": line.ready,
                "last_seen": line.last_seen,
            }
            for line in changed
        ]
        _put(ClassLine, ("cohort_id", "person_id"), values)
    counted: list[dict[str, Any]] = [
        {
            "cohort_id": cohort_id,
            "people": found.people,
            "stuck": dict(found.stuck),
            "ready": found.ready,
            "not_yet": dict(found.not_yet),
            "themes": [dict(theme) for theme in found.themes],
            "answers": found.answers,
            "computed_at": found.computed_at,
        }
    ]
    _put(ClassOverview, ("cohort_id",), counted)


def _put(
    table: type[ClassLine] | type[ClassOverview],
    keys: tuple[str, ...],
    values: list[dict[str, Any]],
) -> None:
    statement = insert_into(table)
    columns = {name: statement.excluded[name] for name in values[0] if name not in keys}
    db.session.execute(statement.on_conflict_do_update(index_elements=keys, set_=columns), values)
