"""Rows of every table for a person, made from the tables themselves: nothing can be forgotten."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import JSON, Boolean, Date, Enum, Integer, LargeBinary, Table, Time, insert

from lms.core.db import Base, UtcDateTime, db, unit_of_work
from lms.privacy.data_map import MAP, Kind

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
Made = dict[str, dict[str, Any]]
LEFT_OUT = {"audit_head", "schema_mark"}
"""Tables with exactly one row that the application keeps."""


def canary(who: str, table: str, column: str) -> str:
    """Return a text that stands in one column of one person's row, and nowhere else."""
    return f"kenari-{who}-{table}-{column}"


def fill(who: str, person: tuple[int, str], other: int, number: int) -> Made:
    """Write one row into every table, for one person; other people in it are `other`.

    What one row of a table needs of another it finds among those made before.
    """
    made: Made = {"person": {"id": person[0]}}
    with unit_of_work():
        for table in Base.metadata.sorted_tables:
            if table.name in LEFT_OUT or table.name == "person":
                continue
            row = _row(table, who, person, other, number, made)
            db.session.execute(insert(table).values(row))
            made[table.name] = row
    return made


def _row(
    table: Table, who: str, person: tuple[int, str], other: int, number: int, made: Made
) -> dict[str, Any]:
    ways = MAP[table.name].ways
    row = {
        column.name: _cell(table, column, who, person, other, number, made)
        for column in table.columns
    }
    row = {name: value for name, value in row.items() if value is not LEFT}
    if table.name in {"conflict", "training_closure"}:
        other_way = ways[1]  # somebody else stands at the other end
        row[other_way] = other
    if table.name == "audit_event":
        row["position"] = None  # outside the chain: no test adds to it unasked
    if table.name == "roster_row":
        row["invitation_id"] = None
    return row


LEFT = object()
"""A tie to a table that has no row yet."""


def _cell(
    table: Table, column: Any, who: str, person: tuple[int, str], other: int, number: int,
    made: Made,
) -> Any:  # fmt: skip
    ways = MAP[table.name].ways
    if "@" + column.name in ways:
        return person[1]
    if "#" + column.name in ways:
        return f"person:{person[0]}"
    key = next(iter(column.foreign_keys), None)
    if key is None:
        return _value(table, column, who, number)
    if key.column.table.name == "person":
        return person[0] if column.name in ways else other
    target = made.get(key.column.table.name)
    return LEFT if target is None else target[key.column.name]


def _value(table: Table, column: Any, who: str, number: int) -> Any:
    kind, text = column.type, canary(who, table.name, column.name)
    if column.primary_key and isinstance(kind, Integer):
        return 900_000 + number
    plain: list[tuple[Any, Any]] = [
        (Enum, lambda: next(iter(kind.enum_class))),
        (Boolean, lambda: True),
        (Integer, lambda: 1 + number),
        (JSON, lambda: {"a": text}),
        (LargeBinary, lambda: text.encode()),
        (UtcDateTime, lambda: AT),
        (Date, lambda: date(2026, 3, 2)),
        (Time, lambda: time(8)),
    ]
    return next((make() for cls, make in plain if isinstance(kind, cls)), text)


def cells(kinds: set[Kind] | None = None) -> Iterator[tuple[str, str, Any]]:
    """Give every cell of the database: table, column, value."""
    for table in Base.metadata.sorted_tables:
        for row in db.session.execute(table.select()).mappings():
            for column in table.columns:
                if kinds is None or MAP[table.name].columns[column.name] in kinds:
                    yield table.name, column.name, row[column.name]
