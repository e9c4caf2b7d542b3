"""What a database holds, table by table, in a form that is the same on SQLite and PostgreSQL.

A row is a list of plain values in the order of its columns; a table is hashed over its rows in the
order of their keys. Nothing here knows a model: the live tables are read, so that a backup made
before a migration holds what was there.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    collate,
    inspect,
    select,
)
from sqlalchemy.types import Date, DateTime, LargeBinary

NOT_DATA = frozenset({"alembic_version", "schema_mark"})
"""Tables that say how the others are made; a restore makes them anew."""
AT_ONCE = 2000
"""Rows held in memory."""

Write = Callable[[bytes], object]


@dataclass(frozen=True, slots=True)
class Sum:
    """How many rows a table has, and the hash over all of them."""

    rows: int
    hash: str


def reflect(connection: Connection) -> list[Table]:
    """Return the live tables that hold data, by name: their columns and keys, nothing else."""
    found, none = inspect(connection), MetaData()
    columns, keys = found.get_multi_columns(), found.get_multi_pk_constraint()
    return [
        Table(
            name,
            none,
            *(Column(one["name"], one["type"]) for one in columns[None, name]),
            PrimaryKeyConstraint(*keys[None, name]["constrained_columns"]),
        )
        for name in sorted({*found.get_table_names()} - NOT_DATA)
    ]


def rows_of(connection: Connection, table: Table) -> Iterator[list[Any]]:
    """Yield the rows of a table in the order of its key, as plain values."""
    ordered = [_ordered(connection, column) for column in table.primary_key or table.columns]
    query = select(table).order_by(*ordered)
    # A server-side cursor: no table has to fit into memory.
    result = connection.execution_options(yield_per=AT_ONCE).execute(query)
    for batch in result.partitions():
        for row in batch:
            yield [_plain(value) for value in row]


def _ordered(connection: Connection, column: Column[Any]) -> Any:
    # PostgreSQL sorts text by the language of the database, SQLite by bytes.
    if connection.dialect.name == "postgresql" and isinstance(column.type, String):
        return collate(column, "C")
    return column


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        aware = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
        return aware.isoformat(timespec="microseconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    return value


def line_of(values: list[Any]) -> bytes:
    """Return one row as a line of JSON; equal rows give equal lines."""
    return json.dumps(values, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def add_up(connection: Connection, write: Write | None = None) -> dict[str, Sum]:
    """Count and hash every table, and hand each line to `write`, with a line before each table."""
    sums: dict[str, Sum] = {}
    for table in reflect(connection):
        columns = [column.name for column in table.columns]
        if write is not None:
            write(json.dumps({"table": table.name, "columns": columns}).encode() + b"\n")
        digest, rows = hashlib.sha256(json.dumps(columns).encode()), 0
        for values in rows_of(connection, table):
            line = line_of(values)
            digest.update(line)
            rows += 1
            if write is not None:
                write(line)
        sums[table.name] = Sum(rows, digest.hexdigest())
    return sums


def load(connection: Connection, lines: Iterator[bytes]) -> None:
    """Put archived rows into empty tables of the same columns. Raises ValueError when they differ.

    The caller has switched off whatever forbids rows in any order.
    """
    tables = {table.name: table for table in reflect(connection)}
    for table in tables.values():
        connection.execute(table.delete())
    current: Table | None = None
    columns: list[Column[Any]] = []
    waiting: list[dict[str, Any]] = []
    for line in lines:
        found = json.loads(line)
        if isinstance(found, dict):
            _flush(connection, current, waiting)
            current = tables.get(found["table"])
            if current is None or {c.name for c in current.columns} != set(found["columns"]):
                raise ValueError(f"table {found['table']} is not as the archive says")
            columns = [current.columns[name] for name in found["columns"]]
        else:
            pairs = zip(columns, found, strict=True)
            waiting.append({column.name: _stored(connection, column, v) for column, v in pairs})
            if len(waiting) >= AT_ONCE:
                _flush(connection, current, waiting)
    _flush(connection, current, waiting)


def _flush(connection: Connection, table: Table | None, waiting: list[dict[str, Any]]) -> None:
    if table is not None and waiting:
        for column in table.columns:
            if isinstance(column.type, JSON):
                column.type.none_as_null = True
        connection.execute(table.insert(), waiting)
    waiting.clear()


def _stored(connection: Connection, column: Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, DateTime):
        moment = datetime.fromisoformat(value)
        return moment.replace(tzinfo=None) if connection.dialect.name == "sqlite" else moment
    if isinstance(column.type, Date):
        return date.fromisoformat(value)
    if isinstance(column.type, LargeBinary):
        return base64.b64decode(value)
    return value
