"""What every test stands on: a migrated, loaded database for each test, on both engines.

The schema is migrated and the content loaded once into a template; each test gets a copy of it (a
file copy on SQLite, CREATE DATABASE … TEMPLATE on PostgreSQL, whose server each worker has).
"""

import fcntl
import gc
import os
import shutil
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, nullcontext
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, g, has_app_context
from flask.testing import FlaskClient
from hypothesis import settings

from tests import apart  # the first of ours: it hears of every listener

# isort: split
from lms import release
from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.app import create_app
from lms.config import Config
from lms.core import schema
from lms.core.db import UtcDateTime, db, unit_of_work
from tests import once, pace
from tests.measure import count_on, uncounted
from tests.postgres import Server, start_server

# Two cores shared by many: how long one example takes says nothing about the code.
settings.register_profile("suluh", deadline=None)
settings.load_profile("suluh")

LOADED_AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Browser(FlaskClient):
    """A test client whose requests remember nothing of each other.

    Requests reuse the application context a test has pushed, and with it `g`: who was signed in
    and which language was spoken would stay those of the first request.
    """

    def open(self, *args: Any, **values: Any) -> Any:
        """Forget what `g` holds, then send the request and read all of the answer.

        A stream that nobody reads would keep its connection to a database that the next test
        replaces.
        """
        values.setdefault("buffered", True)
        if has_app_context():
            for name in list(g):
                g.pop(name)
        return super().open(*args, **values)


once.install()
apart.count_types(UtcDateTime)
_checked = cache(release.check)


def pytest_configure() -> None:
    """Let servers that tests start be interrupted, also when the tests run in the background."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[object]:
    """Import every test: nothing of it is let go of, so nobody looks for what may be."""
    if worker := getattr(session.config, "workerinput", None):
        place, workers = int(worker["workerid"].removeprefix("gw")), worker["workercount"]
        pace.rewrite_ahead(session.config, place, workers)
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(*pace.LOOKS)
        gc.enable()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    """Make what a test needs without counting lines, if the test does not count them."""
    with uncounted() if _walks(item) else nullcontext():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Run the test the same way."""
    try:
        with uncounted() if _walks(item) else nullcontext():
            return (yield)
    finally:
        count_on()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin long tests first where several processes share them."""
    if hasattr(config, "workerinput"):
        items.sort(key=pace.first)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the slowest files of a run on several processes; its whole time follows."""
    if terminalreporter.config.pluginmanager.has_plugin("dsession"):
        reports = [
            one
            for kind in ("passed", "failed", "error", "skipped", "")
            for one in terminalreporter.stats.get(kind, [])
            if isinstance(one, pytest.TestReport)
        ]
        terminalreporter.section("slowest files")
        for line in pace.slowest(reports):
            terminalreporter.write_line(line)


def _walks(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ("walk", "browser"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run tests marked `both` on SQLite and on PostgreSQL."""
    if "engine_name" in metafunc.fixturenames:
        both = metafunc.definition.get_closest_marker("both")
        names = ["sqlite", "postgresql"] if both else ["sqlite"]
        metafunc.parametrize("engine_name", names, scope="session", indirect=True)


@pytest.fixture(scope="session")
def engine_name(request: pytest.FixtureRequest) -> str:
    """Name of the database engine this test runs on."""
    return str(request.param)


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real PostgreSQL server from the wheel, one per worker process, without durability."""
    with start_server() as server:
        yield server


def _config(url: str, **overrides: object) -> Config:
    settings: dict[str, object] = {
        "database_url": url,
        "secret_key": "x" * 40,
        "testing": True,
        "argon2_memory_kib": 8,
        "argon2_rounds": 1,
        "second_factor": "offered",
        "consent": "paper",
    }
    return Config(**(settings | overrides))


def open_copy(original: Path, copy: Path, **overrides: object) -> Flask:
    """Return an application on a copy of a SQLite database."""
    with closing(sqlite3.connect(original)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    return create_app(_config(f"sqlite:///{copy}", **overrides))


def _prepare(app: Flask) -> None:
    with app.app_context(), pytest.MonkeyPatch.context() as patch:
        schema.upgrade(db.engine)
        # The same files for both engines.
        patch.setattr(release, "check", _checked)
        with unit_of_work():
            release.load(app.extensions["suluh"].content_dir, now=LOADED_AT)
        db.session.remove()
        db.engine.dispose()


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """Return a file of the whole run: the first worker makes it, the others wait and copy."""
    found = _shared(factory) / name
    with found.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.exists():
            part = found.with_suffix(".part")
            make(part)
            part.rename(found)
    return found


def _shared(factory: pytest.TempPathFactory) -> Path:
    """Return a folder all workers know."""
    folder = factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


class SqliteHome:
    """Copies of a template file; one app for the whole session points at the same path."""

    def __init__(self, folder: Path, shared: Path) -> None:
        self.path, self.template = folder / "suluh.db", folder / "template.db"
        self.app = create_app(_config(f"sqlite:///{self.path}"))
        with (shared / "template.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (shared / "template.db").exists():
                _prepare(self.app)
                with closing(sqlite3.connect(self.path)) as connection:
                    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                shutil.copy(self.path, shared / "template.db")
        shutil.copy(shared / "template.db", self.template)

    def reset(self) -> None:
        """Give the next test a fresh copy."""
        for suffix in ("-wal", "-shm"):
            Path(f"{self.path}{suffix}").unlink(missing_ok=True)
        shutil.copy(self.template, self.path)


class PostgresHome:
    """Clones of a template database."""

    def __init__(self, server: Server) -> None:
        self.server = server
        server.create("template_suluh")
        template = create_app(_config(server.url("template_suluh")))
        _prepare(template)
        self.app = create_app(_config(server.url("suluh")))

    def reset(self) -> None:
        """Give the next test a fresh clone."""
        self.server.drop("suluh")
        self.server.create("suluh", template="template_suluh")


@pytest.fixture(scope="session")
def sqlite_home(tmp_path_factory: pytest.TempPathFactory) -> SqliteHome:
    """The SQLite template: the first worker makes it, the others wait and copy."""
    return SqliteHome(tmp_path_factory.mktemp("db"), _shared(tmp_path_factory))


@pytest.fixture(scope="session")
def home(engine_name: str, request: pytest.FixtureRequest) -> SqliteHome | PostgresHome:
    """The database templates of this worker."""
    if engine_name == "postgresql":
        return PostgresHome(request.getfixturevalue("postgres"))
    found: SqliteHome = request.getfixturevalue("sqlite_home")
    return found


@pytest.fixture
def bare_app(home: SqliteHome | PostgresHome) -> Iterator[Flask]:
    """The application on a fresh database, without an application context (for threads)."""
    home.reset()
    home.app.extensions["suluh_gate"].window.reset()
    home.app.config["WTF_CSRF_ENABLED"] = False
    home.app.test_client_class = Browser
    yield home.app
    with home.app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def app(bare_app: Flask) -> Iterator[Flask]:
    """The application on a fresh database, with an application context."""
    with bare_app.app_context():
        yield bare_app
        db.session.remove()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser nobody is signed in with."""
    return app.test_client()


@pytest.fixture
def make_app(sqlite_home: SqliteHome, tmp_path: Path) -> Iterator[Callable[..., Flask]]:
    """Return a function that makes another application as it runs outside tests: CSRF is on.

    Each has a database of its own (SQLite, migrated and loaded); routes may still be added to it.
    """
    made: list[Flask] = []

    def make(**overrides: object) -> Flask:
        made.append(open_copy(sqlite_home.template, tmp_path / f"made-{len(made)}.db", **overrides))
        return made[-1]

    yield make
    for app in made:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture
def sign_in(app: Flask) -> Callable[[Person], FlaskClient]:
    """Return a function that gives a browser in which a person is signed in."""

    def enter(person: Person) -> FlaskClient:
        with unit_of_work():
            found = db.session.merge(person)
            viewer = accounts.begin_session(found, now=datetime.now(UTC))
        browser = app.test_client()
        with browser.session_transaction() as session:
            session["_user_id"] = viewer.token
            session["_fresh"] = True
        return browser

    return enter


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """One Chromium for all tests of a worker: a second would not start beside it."""
    from tests.e2e.browser import open_browser

    with open_browser() as found:
        yield found
