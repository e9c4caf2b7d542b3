"""One empty installation and one browser for all journeys."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import pytest
from flask import Flask

from lms.core.db import db
from tests.conftest import SqliteHome, open_copy
from tests.measure import unmeasured
from tests.screens import demo, free_port, wait


@dataclass(frozen=True)
class Installation:
    """A served installation nobody has set up yet."""

    base: str
    code: str
    folder: Path


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """`./run` on an empty folder; its one-time code is read from what it prints."""
    folder = tmp_path_factory.mktemp("installation")
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "lms", "serve", "--port", str(port)],
        cwd=folder,
        env=unmeasured(SULUH_SECOND_FACTOR="offered"),
        stdout=subprocess.PIPE,
        text=True,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        printed = ""
        while "once:" not in printed:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                pytest.fail(f"the server ended: {printed}")
            printed += line
        wait(f"{base}/healthz", process)  # type: ignore[arg-type]  # text mode makes no difference
        yield Installation(base, re.findall(r"once: (\S+)", printed)[0], folder)
    finally:
        process.terminate()
        process.communicate(timeout=20)


T = TypeVar("T")


@dataclass(frozen=True)
class Prepared(Generic[T]):
    """A served installation whose tables were filled first."""

    base: str
    app: Flask
    """The same database, for what a test does through the services meanwhile."""
    made: T


@contextmanager
def serve_prepared(home: SqliteHome, folder: Path, fill: Callable[[], T]) -> Iterator[Prepared[T]]:
    """Fill a copy of the template through the services, then serve it as `./run` does."""
    (folder / "instance").mkdir(mode=0o700)
    target = folder / "instance" / "suluh.sqlite3"
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    app = open_copy(home.template, target, base_url=base)
    with app.app_context():
        made = fill()
        let_go()
    with closing(sqlite3.connect(target)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "lms", "serve", "--port", str(port)],
        cwd=folder,
        env=unmeasured(SULUH_SECOND_FACTOR="offered"),
        stdout=subprocess.DEVNULL,
    )
    try:
        wait(f"{base}/healthz", process)
        yield Prepared(base, app, made)
    finally:
        process.terminate()
        process.wait(20)


def let_go() -> None:
    """Close what this process holds of the database, so that the server alone has it."""
    db.session.remove()
    db.engine.dispose()


@pytest.fixture(scope="session")
def city() -> Iterator[tuple[str, dict]]:  # type: ignore[type-arg]  # parsed JSON
    """Give the address and the accounts of a served demonstration; files of tests share it."""
    with demo(free_port()) as found:
        yield found
