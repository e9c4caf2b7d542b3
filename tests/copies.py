"""Copies people with everything they own, inside the database: one statement for each table."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Insert,
    Integer,
    String,
    Table,
    case,
    cast,
    insert,
    literal,
    select,
)

from lms.accounts.models import Person
from lms.competency.models import Evidence
from lms.competency.rules import EvidenceKind
from lms.core.db import Base

STEP = 1_000_000
"""Distance between the ids of a row and of its next copy."""
STATED = (EvidenceKind.Q, EvidenceKind.SK, EvidenceKind.SIM, EvidenceKind.OBS)
"""Kinds of evidence whose group is the public id of something the person owns."""
TOLD_APART = {
    "person": {"name"},
    "certificate": {"number", "holder_name"},
    "rating": {"subject"},
    "moderation": {"subject"},
}
"""Texts that differ in a copy though no unique key asks for it."""
LEFT_OUT = {"cohort_staff", "conflict", "disclosure", "invitation", "login_session"}
"""What copies do not inherit."""


def copies(person_ids: Sequence[int], first: int, last: int) -> Iterator[Insert]:
    """Give the statements that make the copies `first` … `last - 1` of each of these people."""
    numbers = select(literal(first).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n + 1 < last))
    person: Any = Person.__table__
    chosen: dict[str, ColumnElement[bool]] = {"person": person.c.id.in_(person_ids)}
    tables: list[Table] = [person]
    for table, column in owned():
        owner = next(iter(column.foreign_keys)).column.table
        chosen[table.name] = column.in_(select(owner.c.id).where(chosen[owner.name]))
        tables.append(table)
    for table in tables:
        values = [_copied(column, numbers.c.n, chosen.keys()) for column in table.columns]
        rows = select(*values).select_from(table.join(numbers, literal(True)))
        names = [column.name for column in table.columns]
        yield insert(table).from_select(names, rows.where(chosen[table.name]))


def owned() -> Iterator[tuple[Table, Column[Any]]]:
    """Give each table whose rows belong to one person, with the column that says to whom.

    Parents come first. Who recorded, signed or marked something does not own it.
    """
    found = {"person"}
    for table in Base.metadata.sorted_tables:
        columns = [c for c in table.columns if _leads_to(c, found - {table.name})]
        if columns and table.name not in LEFT_OUT:
            found.add(table.name)
            yield table, next((c for c in columns if c.name == "person_id"), columns[0])


def _leads_to(column: Column[Any], owners: set[str]) -> bool:
    targets = {key.column.table.name for key in column.foreign_keys}
    return bool(targets & (owners - {"person"})) or (
        "person" in targets & owners and column.name == "person_id"
    )


def _copied(column: Column[Any], n: Any, owners: Any) -> Any:
    """Return a column as the n-th copy of its row has it."""
    suffix = literal("-") + cast(n, String)
    is_key = column.name == "id" and isinstance(column.type, Integer)
    if is_key or _leads_to(column, set(owners)):
        return column + n * STEP
    if column.table.name == "evidence" and column.name == "group_key":
        return case((Evidence.kind.in_(STATED), column + suffix), else_=column)
    is_apart = column.name in TOLD_APART.get(column.table.name, ())
    if is_apart or (column.unique and not column.foreign_keys):
        return column + suffix
    return column
