"""The database: one declarative base, one session, one unit of work."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    Engine,
    Enum,
    Integer,
    MetaData,
    Table,
    bindparam,
    event,
    literal_column,
)
from sqlalchemy.engine import Connection
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.types import TypeDecorator

from lms.core import readonly

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

NAMES = {
    "ix": "ix_%(column_0_N_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

HISTORY = {"history": True}
"""The `info` of a column that says what was so then: merging two organisations leaves it."""

E = TypeVar("E", bound=StrEnum)


class NaiveMoment(ValueError):
    """A datetime without a zone was about to be stored."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. Refuses naive values; gives aware UTC back on every database."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Turn an aware datetime into UTC. Raises NaiveMoment."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise NaiveMoment(f"{value!r} has no zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        """Give the moment back as aware UTC; SQLite keeps no zone."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def text_enum(enum: type[E]) -> Enum:
    """Return the column type of a StrEnum: text, checked in Python only.

    So a new member needs no migration.
    """
    return Enum(
        enum,
        native_enum=False,
        create_constraint=False,
        validate_strings=True,
        length=40,
        values_callable=lambda members: [member.value for member in members],
    )


class Base(DeclarativeBase):
    """Base of every table. Named constraints keep migrations portable to PostgreSQL."""

    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map: ClassVar = {
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        dict[str, str]: JSON,
        dict[str, int]: JSON,
        list[str]: JSON,
        list[dict[str, Any]]: JSON,
    }


db = SQLAlchemy(metadata=Base.metadata)


@contextmanager
def unit_of_work() -> Iterator[None]:
    """Commit on success, roll back on any error. Only entry points open one.

    SQLite answers "database is locked" at once, whatever the busy timeout, to a transaction that
    read first and writes later. So the read transaction of the request is ended here and the
    write one begins as such. What is changed must be read again inside the unit.
    Raises readonly.ReadOnly.
    """
    readonly.refuse()
    session = db.session
    session.rollback()
    with turn(db.engine.dialect.name):
        session.connection(execution_options={"suluh_write": True})
        try:
            yield
            session.commit()
        except BaseException:
            session.rollback()
            raise


_turn = threading.RLock()
PATIENCE = 10.0
"""Seconds a write waits for the others of its process, as long as for those of other processes."""


@contextmanager
def turn(dialect: str) -> Iterator[None]:
    """Hold the turn to write of this process, where the database lets in one writer at a time.

    SQLite's own way to wait sleeps and asks again, longer each time: among many threads the
    unlucky one sleeps through its turn again and again. Who has waited too long asks SQLite.
    """
    if dialect != "sqlite":
        yield
        return
    held = _turn.acquire(timeout=PATIENCE)
    try:
        yield
    finally:
        if held:
            _turn.release()


def insert_into(model: type[Base]) -> "postgresql.Insert":
    """Return an INSERT that can say `on_conflict_do_…`, which both databases write alike."""
    table = cast(Table, model.__table__)  # without the mapper a row costs a sixth less
    # Either dialect takes long to import: only the one in use is.
    if db.engine.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)
    from sqlalchemy.dialects import sqlite

    return cast("postgresql.Insert", sqlite.insert(table))


def insert_once(model: type[Base], **values: Any) -> bool:
    """Insert one row unless a unique key says it is there already; tell whether it was new.

    One statement, so that two requests at once cannot both find nothing and then collide.
    """
    statement = insert_once_statement(model, frozenset(values))
    return db.session.execute(statement, values).first() is not None


def insert_once_statement(model: type[Base], names: frozenset[str]) -> ReturningInsert[tuple[int]]:
    """Return the statement of `insert_once` for these columns; it returns a row if it was new."""
    return _insert_once(model, names, db.engine.dialect.name)


@cache
def _insert_once(
    model: type[Base], names: frozenset[str], _dialect: str
) -> ReturningInsert[tuple[int]]:
    """Return the statement of `insert_once`, put together once for each set of columns."""
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    statement = insert_into(model).values(values).on_conflict_do_nothing()
    # Drivers disagree on the row count of such a statement; what it returns is sure.
    return statement.returning(literal_column("1", Integer))


def give_back(engine: Engine) -> None:
    """Let an SQLite connection forget the pages it has read: up to 2 MiB each. Others keep none."""
    if engine.dialect.name == "sqlite":
        borrowed = engine.raw_connection()
        try:
            cast(Any, borrowed.driver_connection).execute("PRAGMA shrink_memory")
        finally:
            borrowed.close()


def prepare_engine(engine: Engine) -> None:
    """Attach the connection settings of Suluh to `engine`. Call once, before the first use."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _set_pragmas(connection: Any, _record: object) -> None:
        # Python's own transaction handling is switched off; the "begin" event below decides.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            # NORMAL loses acknowledged answers when the power fails; FULL does not.
            "synchronous=FULL",
            "foreign_keys=ON",
            "busy_timeout=10000",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        if cursor.execute("PRAGMA synchronous").fetchone()[0] != 2:
            raise RuntimeError("SQLite refused synchronous=FULL")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("suluh_write"):
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            # It waits for nobody and cannot fail: the driver alone is quicker.
            cast(Any, connection.connection.driver_connection).execute("BEGIN")
