"""What people had reached when a class began, stored so that a whole class can be compared.

The ledger is the truth: a line that is behind it is not read, and `of` judges in memory instead.
A round of the reports stores what is missing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, select

from lms.competency import due, rules, services
from lms.competency.models import Baseline, StandingSummary
from lms.competency.services import Current
from lms.core.db import db, insert_into


@dataclass(frozen=True, slots=True)
class Missing:
    """Somebody whose baseline is to be made, with the state of the ledger it is made from."""

    person_id: int
    changes: int


def is_fresh(began_at: datetime, found: Current) -> ColumnElement[bool]:
    """Return the condition under which a stored line, joined with the summary, still holds."""
    return and_(Baseline.began_at == began_at, due.holds(found.id))


def of(
    cohort_id: int, began_at: datetime, person_ids: Sequence[int], found: Current
) -> dict[int, int | None]:
    """Return what each of these people had reached when the class began; None without evidence.

    One query; two when something is behind.
    """
    rows = db.session.execute(
        select(Baseline.person_id, Baseline.reached)
        .join(StandingSummary, StandingSummary.person_id == Baseline.person_id, isouter=True)
        .where(
            Baseline.cohort_id == cohort_id,
            Baseline.person_id.in_(person_ids),
            is_fresh(began_at, found),
        )
    )
    known: dict[int, int | None] = {row.person_id: row.reached for row in rows}
    return known | judged(began_at, [one for one in person_ids if one not in known], found)


def judged(began_at: datetime, person_ids: Sequence[int], found: Current) -> dict[int, int | None]:
    """Judge people by what their ledgers held at `began_at`. One query, none for nobody."""
    if not person_ids:
        return {}
    ledgers = services.rows_of(person_ids, found)
    return {one: _reached(ledgers.get(one, ()), began_at, found) for one in person_ids}


def _reached(rows: Iterable[rules.Row], began_at: datetime, found: Current) -> int | None:
    before = [row for row in rows if row.at < began_at and not row.voided]
    return rules.standing(found.standard, before, began_at).reached if before else None


def store(
    cohort_id: int,
    began_at: datetime,
    missing: Sequence[Missing],
    reached: Mapping[int, int | None],
    found: Current,
) -> None:
    """Store lines made by `judged`; one that was there is replaced. Flushes."""
    for one in sorted(missing, key=lambda each: each.person_id):
        values = {
            "began_at": began_at,
            "standard_version_id": found.id,
            "changes": one.changes,
            "reached": reached[one.person_id],
        }
        db.session.execute(
            insert_into(Baseline)
            .values(cohort_id=cohort_id, person_id=one.person_id, **values)
            .on_conflict_do_update(
                index_elements=[Baseline.cohort_id, Baseline.person_id], set_=values
            )
        )
