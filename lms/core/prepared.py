"""Statements of hot requests, compiled once and run by the driver itself.

To run a statement that SQLite answers in ten microseconds takes SQLAlchemy 45, and to begin a
transaction for it and end it 75 more. A statement that was put together once (ADR 0016) is compiled
here once: its text goes to the driver of the same connection, values go in and out as the tables
say. Other databases take longer to answer than SQLAlchemy to ask; there it runs as any other.
"""

import sqlite3
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.base import Executable

from lms.core import meters
from lms.core.db import db

MOST = 128
"""Statements that stay compiled; somebody who puts them together anew fills no memory."""

observers: list[Callable[[str, tuple[object, ...]], None]] = []
"""Called with each statement and its values; tests count with it."""


def read(statement: Executable, values: Mapping[str, Any]) -> Sequence[Any]:
    """Return the rows of a statement in the session's transaction; columns are their attributes.

    What was added to the session and not flushed is not seen. A list of values (`IN`) cannot be
    given. Raises sqlalchemy.exc.DBAPIError.
    """
    connection = db.session.connection()
    if connection.dialect.name != "sqlite":
        return connection.execute(statement, values).all()
    try:
        driver = cast(sqlite3.Connection, connection.connection.driver_connection)
        return prepared(statement, connection.dialect).run(driver, values)
    except sqlite3.Error as error:
        raise _noted(error) from error


def read_alone(statement: Executable, values: Mapping[str, Any]) -> Sequence[Any]:
    """Return the rows of a statement that needs nobody's transaction: it sees what is committed.

    Where nothing else is read, none has to be begun. Raises sqlalchemy.exc.DBAPIError.
    """
    engine = db.engine
    if engine.dialect.name != "sqlite":
        return read(statement, values)
    try:
        borrowed = engine.raw_connection()
        try:
            driver = cast(sqlite3.Connection, borrowed.driver_connection)
            return prepared(statement, engine.dialect).run(driver, values)
        finally:
            borrowed.close()
    except sqlite3.Error as error:
        raise _noted(error) from error


def named(error: sqlite3.Error) -> DBAPIError:
    """Return an error of the driver as SQLAlchemy names it, without the values of rows."""
    found = DBAPIError.instance("", None, error, sqlite3.Error, hide_parameters=True)
    return cast(DBAPIError, found)


def _noted(error: sqlite3.Error) -> DBAPIError:
    """Return an error under its name, counted as SQLAlchemy's own are."""
    found = named(error)
    meters.note_database_error(found)
    return found


class Prepared:
    """A statement of SQLAlchemy as the driver takes it: its text, and how values go in and out."""

    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        compiled: Any = cast(Any, statement).compile(dialect=dialect)
        if any(bind.expanding for bind in compiled.binds.values()):
            raise TypeError("a list of values makes another text each time")
        self.text = str(compiled)
        self._fixed = {
            name: bind.effective_value for name, bind in compiled.binds.items() if not bind.required
        }
        self._places = [
            (name, compiled.binds[name].type.dialect_impl(dialect).bind_processor(dialect))
            for name in compiled.positiontup
        ]
        columns = list(cast(Any, statement).exported_columns)
        self._row: Any = namedtuple("Row", [column.key for column in columns], rename=True)  # type: ignore[misc]  # the names are the statement's
        self._reading = [
            (place, process)
            for place, column in enumerate(columns)
            if (process := column.type.dialect_impl(dialect).result_processor(dialect, None))
        ]

    def run(self, driver: sqlite3.Connection, values: Mapping[str, Any]) -> list[Any]:
        """Run it; return its rows. Raises KeyError when a value is not given, sqlite3.Error."""
        given = tuple(
            value if process is None else process(value)
            for value, process in (
                (values[name] if name in values else self._fixed[name], process)
                for name, process in self._places
            )
        )
        for observe in observers:
            observe(self.text, given)
        return [self._read(row) for row in driver.execute(self.text, given).fetchall()]

    def _read(self, row: tuple[Any, ...]) -> Any:
        cells = list(row)
        for place, process in self._reading:
            cells[place] = process(cells[place])
        return self._row._make(cells)


prepared = lru_cache(MOST)(Prepared)
