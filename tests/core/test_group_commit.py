"""Writes that share a transaction: each gets its own answer, and none before the commit."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import (
    JSON,
    Boolean,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    create_engine,
    insert,
    literal_column,
    select,
)
from sqlalchemy import Column as C
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.pool import NullPool

from lms.core import group_commit, prepared, readonly
from lms.core.db import UtcDateTime, db, insert_once_statement, prepare_engine
from lms.core.group_commit import Crowded, Execute, Writer, write_together
from lms.core.models import Throttle
from tests.factories import NOW

WORD = Table(
    "word",
    MetaData(),
    C("id", Integer, primary_key=True),
    C("text", String, unique=True, nullable=False),
    C("at", UtcDateTime),
    C("is_long", Boolean),
    C("more", JSON(none_as_null=True)),
)
NAMES = ("text", "at", "is_long", "more")
ADD = insert(WORD).values({name: bindparam(name) for name in NAMES}).returning(WORD.c.id)
FIND = select(WORD.c.text, WORD.c.at, WORD.c.is_long, WORD.c.more).where(
    WORD.c.text == bindparam("text"), WORD.c.id > 0
)


def add(text: str, **values: Any) -> Callable[[Execute], int]:
    given = {"text": text, "at": NOW, "is_long": None, "more": None} | values
    return lambda execute: execute(ADD, given)[0].id


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "words.db"


@pytest.fixture
def writer(path: Path) -> Iterator[Writer]:
    """A writer in front of a database of its own."""
    engine = create_engine(f"sqlite:///{path}")
    prepare_engine(engine)
    with engine.begin() as connection:
        WORD.metadata.create_all(connection)
    yield Writer(engine)
    engine.dispose()


def texts(path: Path) -> list[str]:
    """Read as another process would: only what is committed."""
    with closing(sqlite3.connect(path)) as connection:
        return [text for (text,) in connection.execute("SELECT text FROM word ORDER BY id")]


class Queue:
    """Holds the writer in its first write until so many others stand behind it."""

    def __init__(self, writer: Writer, others: int) -> None:
        self.writer, self.others = writer, others
        self.pool = ThreadPoolExecutor(others + 1)
        self.began, self.goes_on = threading.Event(), threading.Event()

    def run(
        self, *works: Callable[[Execute], Any], meanwhile: Callable[[], None] = lambda: None
    ) -> list[Any]:
        """Let the first work hold the writer, the others wait behind it; return all outcomes."""
        first, *others = works

        def slow(execute: Execute) -> Any:
            self.began.set()
            assert self.goes_on.wait(10)
            return first(execute)

        futures = [self.pool.submit(self.writer.run, slow)]
        assert self.began.wait(10)
        for number, work in enumerate(others, 1):
            futures.append(self.pool.submit(self.writer.run, work))
            while len(self.writer._queue) < number:
                pass
        try:
            meanwhile()
        finally:
            self.goes_on.set()
        found = [one.exception() or one.result() for one in futures]
        self.pool.shutdown()
        return found


def commits(writer: Writer) -> list[str]:
    """Collect what begins and ends transactions from now on."""
    seen: list[str] = []
    raw = writer._engine.raw_connection()
    raw.driver_connection.set_trace_callback(
        lambda text: seen.append(text) if text in {"BEGIN IMMEDIATE", "COMMIT"} else None
    )
    raw.close()
    return seen


def test_a_write_is_there_for_everybody_when_it_returns(writer: Writer, path: Path):
    assert writer.run(add("ani")) == 1
    assert texts(path) == ["ani"]


def test_who_waits_shares_one_commit(writer: Writer, path: Path):
    seen = commits(writer)
    found = Queue(writer, 5).run(*(add(f"w{n}") for n in range(6)))
    assert found == [1, 2, 3, 4, 5, 6]
    assert texts(path) == [f"w{n}" for n in range(6)]
    # One for the first, who was alone when it began, and one for the five behind it.
    assert seen == ["BEGIN IMMEDIATE", "COMMIT"] * 2


def test_nobody_hears_of_a_success_before_the_commit(writer: Writer, path: Path):
    """Whatever a write returns to its caller, another connection can read by then."""

    def go(number: int) -> bool:
        writer.run(add(f"w{number}"))
        return f"w{number}" in texts(path)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(go, range(200))) == [True] * 200


def test_a_transaction_holds_a_bounded_number(writer: Writer, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(group_commit, "MOST_AT_ONCE", 2)
    seen = commits(writer)
    assert Queue(writer, 5).run(*(add(f"w{n}") for n in range(6))) == [1, 2, 3, 4, 5, 6]
    assert seen == ["BEGIN IMMEDIATE", "COMMIT"] * 4


class Refused(Exception):
    """A rule of the domain said no."""


def refuse(execute: Execute) -> None:
    add("never")(execute)
    raise Refused


def test_an_error_undoes_its_own_write_only(writer: Writer, path: Path):
    one, two, twice, three, said = Queue(writer, 4).run(
        add("one"), add("two"), add("one"), add("three"), refuse
    )
    assert (one, two) == (1, 2)
    assert isinstance(twice, IntegrityError)
    assert isinstance(said, Refused)
    assert texts(path) == ["one", "two", "three"]
    assert three == 3
    assert writer.run(add("four")) > 0, "it goes on"


def test_an_error_names_no_value(writer: Writer):
    writer.run(add("rahasia"))
    with pytest.raises(IntegrityError) as error:
        writer.run(add("rahasia"))
    assert "rahasia" not in str(error.value)


def test_values_go_in_and_out_as_the_tables_say(writer: Writer):
    at = datetime(2026, 3, 2, 5, 0, 0, 250, tzinfo=UTC)
    writer.run(add("ani", at=at, is_long=True, more={"pilih": [1, 2]}))
    [row] = writer.run(lambda execute: execute(FIND, {"text": "ani"}))
    assert (row.text, row.at, row.is_long, row.more) == ("ani", at, True, {"pilih": [1, 2]})
    with writer._engine.connect() as connection:
        [same] = connection.execute(FIND, {"text": "ani"})
    assert tuple(same) == tuple(row)
    nothing = insert(WORD).values(text="budi").returning(literal_column("1", Integer))
    assert len(writer.run(lambda execute: execute(nothing, {}))) == 1


def test_a_value_that_is_missing_is_an_error_of_its_own(writer: Writer, path: Path):
    with pytest.raises(KeyError):
        writer.run(lambda execute: execute(ADD, {"text": "x"}))
    assert texts(path) == []


def test_what_undoes_the_whole_transaction_is_told_to_all(writer: Writer, path: Path):
    """A full disk, for one: SQLite takes back what the others did as well."""

    def full(execute: Execute) -> None:
        raw = writer_connection[0]
        raw.rollback()
        raise sqlite3.OperationalError("database or disk is full")

    writer_connection: list[sqlite3.Connection] = []
    borrow = writer._engine.raw_connection

    def borrowed() -> Any:
        found = borrow()
        writer_connection[:] = [found.driver_connection]
        return found

    writer._engine.raw_connection = borrowed  # type: ignore[method-assign]
    first, *others = Queue(writer, 3).run(add("one"), add("two"), full, add("three"))
    assert first == 1
    assert {type(one) for one in others} == {OperationalError}
    assert len({id(one) for one in others}) == 3, "an error belongs to one thread"
    assert texts(path) == ["one"]
    assert writer.run(add("four")) == 2


def test_who_waits_behind_a_locked_database_is_told_once(writer: Writer, path: Path):
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        raw = writer._engine.raw_connection()
        raw.driver_connection.execute("PRAGMA busy_timeout=300")
        raw.close()
        with ThreadPoolExecutor(4) as pool:
            futures = [pool.submit(writer.run, add(f"w{n}")) for n in range(4)]
            errors = [one.exception() for one in futures]
        assert {type(one) for one in errors} == {OperationalError}
    assert texts(path) == []
    assert writer.run(add("now")) == 1


def test_who_is_interrupted_does_not_leave_others_waiting(writer: Writer):
    def leave(_execute: Execute) -> None:
        raise SystemExit

    # Whoever leads when it is raised ends; the others hear that nothing was stored, and go on.
    found = []

    def go(work: Callable[[Execute], Any]) -> None:
        try:
            found.append(writer.run(work))
        except BaseException as error:
            found.append(error)

    threads = [threading.Thread(target=go, args=(one,)) for one in (leave, add("b"), add("c"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert len(found) == 3
    assert isinstance(writer.run(add("d")), int)


def test_too_many_are_sent_away(writer: Writer, path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(group_commit, "MOST_WAITING", 2)

    def one_more() -> None:
        with pytest.raises(Crowded):
            writer.run(add("late"))

    found = Queue(writer, 2).run(add("first"), add("w0"), add("w1"), meanwhile=one_more)
    assert found == [1, 2, 3]
    assert texts(path) == ["first", "w0", "w1"]
    assert writer.run(add("later")) == 4


def test_after_a_fork_nobody_waits_for_the_parent(writer: Writer, path: Path):
    writer.run(add("parent"))
    writer._is_led = True  # as if another thread of the parent were writing
    writer._engine.dispose()
    child = os.fork()
    if not child:
        os._exit(0 if writer.run(add("child")) == 2 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert texts(path) == ["parent", "child"]


def test_no_thread_and_no_connection_is_kept(path: Path):
    before = threading.active_count()
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    prepare_engine(engine)
    with engine.begin() as connection:
        WORD.metadata.create_all(connection)
    assert Writer(engine).run(add("ani")) == 1
    assert threading.active_count() == before
    held = {one.resolve() for one in Path("/proc/self/fd").iterdir()}
    assert path.resolve() not in held


def test_statements_put_together_each_time_do_not_fill_the_memory(writer: Writer):
    for number in range(prepared.MOST + 5):
        once = select(literal_column(str(number), Integer).label("n"))
        assert writer.run(lambda execute, once=once: execute(once, {}))[0].n == number
    assert prepared.prepared.cache_info().currsize == prepared.MOST


@pytest.mark.both
def test_both_databases_take_a_small_write(app: Flask):
    values = {"key": "pintu", "failures": 1, "last_at": NOW}
    once = insert_once_statement(Throttle, frozenset(values))
    assert [bool(write_together(lambda execute: execute(once, values))) for _ in "ab"] == [
        True,
        False,
    ]
    [kept] = db.session.scalars(select(Throttle))
    assert (kept.failures, kept.last_at) == (1, NOW)


def test_nothing_is_written_while_nothing_may_be(app: Flask, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(readonly.gate(), "look", lambda: readonly.Reason.SWITCH)
    readonly.gate().forget()
    with pytest.raises(readonly.ReadOnly):
        write_together(lambda _execute: pytest.fail("it was done"))
    monkeypatch.undo()
    readonly.gate().forget()
    assert write_together(lambda _execute: "again") == "again"
