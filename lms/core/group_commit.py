"""Small writes that share a transaction: many answers, one forced write to the disk.

On SQLite one thread of a process writes at a time. Whoever comes while it does waits in a queue;
when the writer has committed, the first of the queue becomes the writer, does what all of them
want, each behind a savepoint, and commits once. Nobody hears of a success before the COMMIT has
returned. So there is no thread to start, to stop or to lose: see ADR 0019. Other databases gather
commits themselves, and a small write is a unit of work of its own.
"""

import os
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar, cast

from flask import Flask, current_app
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.base import Executable

from lms.core import meters, readonly
from lms.core.db import db, turn, unit_of_work
from lms.core.prepared import named, prepared

MOST_AT_ONCE = 64
"""Writes of one transaction: others who write, in other processes too, must get their turn."""
MOST_WAITING = 256
"""Who comes when so many wait is sent away and comes back."""
T = TypeVar("T")


class Crowded(Exception):
    """Too many wait to write; nothing that was sent has been stored."""


class Execute(Protocol):
    """Runs one statement in the transaction of a small write."""

    def __call__(self, statement: Executable, values: Mapping[str, Any], /) -> Sequence[Any]:
        """Return its rows; columns are attributes of a row."""


def in_session(statement: Executable, values: Mapping[str, Any], /) -> Sequence[Any]:
    """Run one statement in the session's transaction, as any unit of work does."""
    return db.session.execute(statement, values).all()


def write_together(work: Callable[[Execute], T]) -> T:
    """Run `work` in a transaction that others may share; return what it returns, once committed.

    What it raises undoes its own statements only. It may run in the thread of another request:
    it must read neither the request nor the clock, and everything it stores goes through the
    function it is given, by statements that were put together once.
    Raises readonly.ReadOnly, Crowded, sqlalchemy.exc.DBAPIError.
    """
    writer: Writer | None = current_app.extensions["suluh_writer"]
    if writer is None:
        with unit_of_work():
            return work(in_session)
    readonly.refuse()
    db.session.rollback()  # what was read before is old; nobody else need keep it alive
    try:
        return writer.run(work)
    except DBAPIError as error:
        meters.note_database_error(error)
        raise


def init_app(app: Flask, engine: Engine) -> None:
    """Let `app` write together if its database is SQLite."""
    app.extensions["suluh_writer"] = Writer(engine) if engine.dialect.name == "sqlite" else None


class _Write:
    """One small write in the queue."""

    __slots__ = ("error", "failed", "settled", "turn", "value", "work")

    def __init__(self, work: Callable[[Execute], Any]) -> None:
        self.work = work
        self.value: Any = None
        self.error: Exception | None = None
        """What it raised itself."""
        self.failed: BaseException | None = None
        """Why the whole transaction came to nothing."""
        self.settled = False
        self.turn = threading.Lock()
        self.turn.acquire()

    def result(self) -> Any:
        """Return what came of it, or raise it."""
        if self.error is not None:
            raise _ours(self.error)
        if self.failed is not None:
            # An error belongs to one thread: each who waited gets one of its own.
            raise _ours(self.failed, copy=True) from self.failed
        return self.value


def _ours(error: BaseException, *, copy: bool = False) -> BaseException:
    """Return an error as SQLAlchemy names it, without the values of rows."""
    if isinstance(error, sqlite3.Error):
        return named(error)
    return RuntimeError("a shared transaction came to nothing") if copy else error


class Writer:
    """The queue of one process in front of one SQLite database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._begin_anew()

    def _begin_anew(self) -> None:
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._queue: deque[_Write] = deque()
        self._is_led = False

    def run(self, work: Callable[[Execute], T]) -> T:
        """Run `work` with what others want at the same time; return after the commit."""
        if self._process != os.getpid():
            self._begin_anew()  # forked: nobody of the parent's queue is here
        mine = _Write(work)
        with self._lock:
            if len(self._queue) >= MOST_WAITING:
                raise Crowded
            self._queue.append(mine)
            leads, self._is_led = not self._is_led, True
        if not leads:
            mine.turn.acquire()  # until somebody has done it, or it is our turn to write
        if not mine.settled:
            self._lead()
        return cast(T, mine.result())

    def _lead(self) -> None:
        """Write what is in the queue, our own first, and wake those whose writes they are."""
        taken: list[_Write] = []
        try:
            self._commit(taken)
        except BaseException as error:
            if not taken:  # not even begun: who waited with us has waited as long
                taken = self._take(MOST_WAITING)
            for one in taken:
                one.error, one.failed = None, error
            if not isinstance(error, Exception):
                raise
        finally:
            with self._lock:
                following = self._queue[0] if self._queue else None
                self._is_led = following is not None
            for one in taken:
                one.settled = True
                one.turn.release()
            if following is not None:
                following.turn.release()

    def _take(self, most: int) -> list[_Write]:
        with self._lock:
            return [self._queue.popleft() for _ in range(min(most, len(self._queue)))]

    def _commit(self, taken: list[_Write]) -> None:
        """Do everything that waits in one transaction. Raises sqlite3.Error: nothing is stored."""
        # Not kept: the pool may be emptied between two answers, the file put back from a copy.
        borrowed = self._engine.raw_connection()
        try:
            driver = cast(sqlite3.Connection, borrowed.driver_connection)

            def execute(statement: Executable, values: Mapping[str, Any], /) -> Sequence[Any]:
                return prepared(statement, self._engine.dialect).run(driver, values)

            with turn("sqlite"):
                driver.execute("BEGIN IMMEDIATE")
                taken += self._take(MOST_AT_ONCE)
                for one in taken:
                    driver.execute("SAVEPOINT one")
                    try:
                        one.value = one.work(execute)
                    except Exception as error:
                        if not driver.in_transaction:
                            raise  # a full disk, for one, undoes what the others did as well
                        one.error = error
                        driver.execute("ROLLBACK TO one")
                    driver.execute("RELEASE one")
                driver.execute("COMMIT")
        finally:
            borrowed.close()  # rolls back what was not committed
