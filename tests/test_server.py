"""One command sets up and serves; the second start is quick; every way to stop it works."""

import http.cookiejar
import os
import re
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

import pytest
from flask import Flask

from lms import server
from lms.app import LARGEST_FORM, create_app
from lms.config import BadConfig, Config
from lms.core import schema
from lms.core.db import db
from lms.core.http import FORM_AROUND_FILE
from lms.operations import backups
from tests import factories

ROOT = Path(__file__).parents[1]
NOW = datetime(2026, 3, 2, 8, 0, 7, tzinfo=UTC)
CODE = re.compile(r"/mulai and enter this code once: ([0-9-]{19})\n")


# --- The folder of an installation


def test_the_first_start_makes_a_secret_only_the_owner_can_read(tmp_path: Path):
    folder = tmp_path / "new" / "instance"
    config = server.instance_config({}, folder, database="suluh.sqlite3")
    path = folder / "secret-key"
    assert path.stat().st_mode & 0o777 == 0o600
    assert config.secret_key == path.read_text(encoding="ascii")
    assert len(config.secret_key) >= 64
    assert config.database_url == f"sqlite:///{folder}/suluh.sqlite3"
    again = server.instance_config({}, folder, database="suluh.sqlite3", demo=True)
    assert (again.secret_key, again.demo) == (config.secret_key, True)


def test_two_installations_have_different_secrets(tmp_path: Path):
    one, two = (server.instance_config({}, tmp_path / x, database="d") for x in "ab")
    assert one.secret_key != two.secret_key


def test_the_environment_wins_over_the_folder(tmp_path: Path):
    environ = {"DATABASE_URL": "sqlite:////srv/other.db", "SULUH_SECRET_KEY": "e" * 40}
    config = server.instance_config(environ, tmp_path, database="suluh.sqlite3")
    assert (config.database_url, config.secret_key) == ("sqlite:////srv/other.db", "e" * 40)
    assert list(environ) == ["DATABASE_URL", "SULUH_SECRET_KEY"]  # it was not written to


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("192.168.1.7", False),
        ("127.jahat.test", False),
        ("suluh.test", False),
    ],
)
def test_which_addresses_only_this_machine_reaches(host: str, local: bool):
    assert server.is_loopback(host) is local


def test_an_address_that_is_taken_or_not_ours_is_named():
    with server.listen("127.0.0.1", 0) as opened:
        port = opened.getsockname()[1]
        with pytest.raises(BadConfig, match=f"127.0.0.1:{port}: Address already in use"):
            server.listen("127.0.0.1", port)
    with pytest.raises(BadConfig, match=r"192\.0\.2\.1:8000: Cannot assign"):
        server.listen("192.0.2.1", 8000)
    with pytest.raises(BadConfig, match=r"tidak-ada\.invalid:8000"):
        server.listen("tidak-ada.invalid", 8000)


def test_an_ipv6_address_is_listened_at():
    if not os.path.exists("/proc/net/if_inet6"):  # noqa: PTH110
        pytest.skip("this machine has no IPv6")
    with server.listen("::1", 0) as opened:
        assert opened.family is socket.AF_INET6


def test_a_request_may_be_as_large_as_the_largest_file_a_page_takes(app: Flask):
    sizes = [getattr(view, "takes_upload", 0) for view in app.view_functions.values()]
    assert max(sizes) > LARGEST_FORM
    assert max(sizes) + FORM_AROUND_FILE <= server.LARGEST_BODY < 2 * max(sizes)


@pytest.mark.parametrize(
    ("limits", "connections", "asked"),
    [
        ((-1, -1), 1000, None),  # nobody counts
        ((4096, 4096), 1000, None),
        ((1024, 20_000), 1000, (2200, 20_000)),
        ((256, -1), 1000, (2200, -1)),
        ((1024, 1024), 412, (1024, 1024)),
        ((100, 100), 1, (100, 100)),
    ],
)
def test_a_process_holds_a_thousand_connections_if_it_may_open_so_many_files(
    limits: tuple[int, int],
    connections: int,
    asked: tuple[int, int] | None,
    monkeypatch: pytest.MonkeyPatch,
):
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _which: limits)
    monkeypatch.setattr(resource, "setrlimit", lambda _which, wanted: found.append(wanted))
    assert server._connections() == connections
    assert found == ([] if asked is None else [asked])
    monkeypatch.setitem(sys.modules, "resource", None)  # as on Windows
    assert server._connections() == server.CONNECTIONS


# --- Backups and migrations


def rows(path: Path, statement: str) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def test_a_backup_holds_what_still_lies_in_the_write_ahead_log(tmp_path: Path):
    path = tmp_path / "suluh.sqlite3"
    writer = sqlite3.connect(path)
    writer.execute("PRAGMA journal_mode=WAL")
    writer.execute("PRAGMA wal_autocheckpoint=0")
    writer.execute("CREATE TABLE jawaban (isi TEXT)")
    writer.execute("INSERT INTO jawaban VALUES ('tersimpan')")
    writer.commit()
    config = Config(database_url=f"sqlite:///{path}", secret_key="x" * 40)
    copy = backups.make(config, tmp_path / "backups", now=NOW).path
    plain = shutil.copy(path, tmp_path / "plain")
    writer.close()
    assert copy == tmp_path / "backups" / "suluh-20260302-080007.sqlite3"
    assert rows(copy, "SELECT isi FROM jawaban") == [("tersimpan",)]
    with pytest.raises(sqlite3.OperationalError):  # the positive control: copying the file loses it
        rows(plain, "SELECT isi FROM jawaban")


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Flask]:
    """An application whose database holds something but none of our tables."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    path = tmp_path / "suluh.sqlite3"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE lama AS SELECT 7 AS isi")
    connection.commit()
    connection.close()
    app = create_app(Config(database_url=f"sqlite:///{path}", secret_key="x" * 40))
    yield app
    with app.app_context():
        db.engine.dispose()


def test_before_tables_change_a_copy_is_made(old: Flask, tmp_path: Path):
    code = server.prepare(old, tmp_path, now=NOW)
    assert code
    (copy,) = backups.list_backups(tmp_path / "backups")
    names = "SELECT name FROM sqlite_master WHERE type = 'table'"
    assert rows(copy, names) == [("lama",)]
    assert rows(copy, "SELECT isi FROM lama") == [(7,)]
    assert ("person",) in rows(tmp_path / "suluh.sqlite3", names)
    assert rows(tmp_path / "suluh.sqlite3", "SELECT isi FROM lama") == [(7,)]
    second = server.prepare(old, tmp_path, now=NOW)
    assert len(backups.list_backups(tmp_path / "backups")) == 1  # nothing changed: no second copy
    assert second != code  # nobody is there yet, so a new code replaces the old one


def test_a_migration_that_fails_names_the_copy_and_starts_nothing(
    old: Flask, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    connection = sqlite3.connect(tmp_path / "suluh.sqlite3")
    connection.execute("CREATE TABLE alembic_version AS SELECT '9998' AS version_num")
    connection.commit()
    connection.close()
    with pytest.raises(schema.WrongSchema, match=r"as before; a copy lies in .*20260302-080007"):
        server.prepare(old, tmp_path, now=NOW)
    assert "9998" in capfd.readouterr().err  # what went wrong is printed
    assert len(backups.list_backups(tmp_path / "backups")) == 1
    assert rows(tmp_path / "suluh.sqlite3", "SELECT count(*) FROM sqlite_master") == [(2,)]


def test_once_somebody_is_there_no_code_is_made(make_app, tmp_path: Path):
    app = make_app()
    assert server.prepare(app, tmp_path, now=NOW)
    with app.app_context():
        factories.person("admin")
        db.session.remove()
    assert server.prepare(app, tmp_path, now=NOW) is None


# --- A running server


@dataclass
class Site:
    """A server in a process of its own."""

    process: subprocess.Popen[bytes]
    port: int
    folder: Path

    @property
    def printed(self) -> str:
        return (self.folder / "printed").read_text(encoding="utf-8")

    @property
    def database(self) -> Path:
        return self.folder / "instance" / "suluh.sqlite3"

    def get(self, path: str, headers: dict[str, str] | None = None) -> tuple[HTTPResponse, bytes]:
        """Send one request without following anything."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path, headers=headers or {})
            answer = connection.getresponse()
            return answer, answer.read()
        finally:
            connection.close()

    def is_open(self) -> bool:
        try:
            return self.get("/healthz")[0].status == 200
        except OSError:
            return False

    def stop(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)

    def seconds_of_work(self) -> float:
        """Processor time used so far; unlike the clock it does not depend on the neighbours."""
        used = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(used[11]) + int(used[12])) / os.sysconf("SC_CLK_TCK")


Serve = Callable[..., "contextmanager[Site]"]


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def serving(folder: Path, *options: str, **environ: str) -> Iterator[Site]:
    """Run `python -m lms serve` in a folder until the block ends."""
    port = free_port()
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("SULUH_", "DATABASE_URL"))}
    with (folder / "printed").open("wb") as printed:
        process = subprocess.Popen(
            [sys.executable, "-m", "lms", "serve", "--port", str(port), *options],
            cwd=folder,
            env=clean | {"PYTHONPATH": str(ROOT)} | environ,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
    site = Site(process, port, folder)
    try:
        deadline = time.monotonic() + 60
        while not site.is_open():
            assert process.poll() is None, site.printed
            assert time.monotonic() < deadline, site.printed
            time.sleep(0.02)
        yield site
    finally:
        process.kill()
        process.wait(20)


class Surfer:
    """A browser that follows redirects and keeps cookies."""

    def __init__(self, site: Site) -> None:
        self.base = f"http://127.0.0.1:{site.port}"
        jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))

    def open(self, path: str, **fields: str) -> tuple[int, str, str]:
        """Return status, path in the end, and page; with fields it is a form."""
        data = urllib.parse.urlencode(fields).encode() if fields else None
        asked = urllib.request.Request(self.base + path, data)  # noqa: S310
        try:
            answer = self.opener.open(asked, timeout=20)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            page = answer.read().decode()
            return answer.status, urllib.parse.urlsplit(answer.url).path, page

    def token(self, path: str) -> str:
        found = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', self.open(path)[2])
        assert found
        return found[1]


ADMIN = {"name": "Ibu Admin", "email": "admin@dinas.test", "password": "sawah hijau luas 7"}


def test_from_an_empty_folder_to_an_administrator_and_a_second_start(tmp_path: Path):
    with serving(tmp_path) as site:
        assert f"Suluh: http://127.0.0.1:{site.port}\n" in site.printed
        assert f"Open http://127.0.0.1:{site.port}/mulai" in site.printed
        (code,) = CODE.findall(site.printed)
        secret = tmp_path / "instance" / "secret-key"
        assert secret.stat().st_mode & 0o777 == 0o600
        assert not (tmp_path / "instance" / "backups").exists()  # there was nothing to lose

        surfer = Surfer(site)
        assert surfer.open("/")[1] == "/mulai"
        token = surfer.token("/mulai")
        wrong = surfer.open("/mulai", csrf_token=token, code="0000-0000-0000-0000", **ADMIN)
        assert (wrong[0], "Ibu Admin" in wrong[2]) == (422, True)  # what was typed is still there
        done = surfer.open("/mulai", csrf_token=token, code=code, **ADMIN)
        assert done[:2] == (200, "/akun/kedua")  # an administrator needs a second factor
        assert "Ibu Admin" in done[2]

        other = Surfer(site)
        assert other.open("/mulai")[1] == "/masuk"
        token = other.token("/masuk")
        again = ADMIN | {"email": "kedua@dinas.test", "code": code, "csrf_token": token}
        assert other.open("/mulai", **again)[1] == "/masuk"
        assert rows(site.database, "SELECT email FROM person") == [(ADMIN["email"],)]

        answer, _page = site.get("/masuk", {"X-Forwarded-For": "203.0.113.9"})
        assert answer.status == 200
        assert answer.getheader("Server") is None
        assert answer.getheader("Content-Security-Policy", "").startswith("default-src 'self'")
        assert site.stop(signal.SIGTERM) == 0
    assert not site.is_open()
    assert "Traceback" not in site.printed

    key = secret.read_text(encoding="ascii")
    began = time.monotonic()
    with serving(tmp_path) as site:
        took, worked = time.monotonic() - began, site.seconds_of_work()
        idle = memory(site.process.pid)
        print(f"\nsecond start: {took:.2f} s, {worked:.2f} s of work, {idle:.0f} MiB PSS")
        measured = any(name.startswith("COVERAGE_PROCESS") for name in os.environ)
        assert worked <= (4 if measured else 2)
        assert site.printed == f"Suluh: http://127.0.0.1:{site.port}\n"
        assert rows(site.database, "SELECT count(*) FROM content_release") == [(1,)]
        assert secret.read_text(encoding="ascii") == key
        assert not (tmp_path / "instance" / "backups").exists()
        assert site.stop(signal.SIGINT) == 0
    assert "Traceback" not in site.printed


def memory(pid: int) -> float:
    """Proportional memory of a process in MiB."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0


def children(pid: int) -> list[int]:
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_two_workers_behind_tls_answer_know_who_asks_and_end_together(tmp_path: Path, sqlite_home):
    (tmp_path / "instance").mkdir()
    shutil.copy(sqlite_home.template, tmp_path / "instance" / "suluh.sqlite3")
    with serving(tmp_path, "--workers", "2", SULUH_BASE_URL="https://suluh.test/") as site:
        assert "Suluh: https://suluh.test\n" in site.printed
        workers = children(site.process.pid)
        assert len(workers) == 2
        for _ in range(20):
            assert site.is_open()
        # A class at its pages: browsers keep connections, whether they ask again or not.
        kept = [socket.create_connection(("127.0.0.1", site.port), 5) for _ in range(250)]
        assert site.is_open()
        for one in kept:
            one.close()
        answer, page = site.get("/mulai")
        cookie = answer.getheader("Set-Cookie", "").split(";")[0]
        assert cookie.startswith("__Host-suluh=")
        token = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', page.decode())
        assert token
        form = ADMIN | {"csrf_token": token[1], "code": "0000-0000-0000-0000"}
        connection = HTTPConnection("127.0.0.1", site.port, timeout=20)
        connection.request(
            "POST",
            "/mulai",
            urllib.parse.urlencode(form),
            {
                "Cookie": cookie,
                "Content-Type": "application/x-www-form-urlencoded",
                "X-Forwarded-For": "198.51.100.1, 203.0.113.9",
            },
        )
        assert connection.getresponse().status == 422
        connection.close()
        # Counted against the person's address, not against the proxy's, which is everybody's.
        assert rows(site.database, "SELECT key FROM throttle WHERE key LIKE 'address:%'") == [
            ("address:203.0.113.9",)
        ]
        assert site.stop(signal.SIGTERM) == 0
        assert not any(is_running(worker) for worker in workers)
    assert not site.is_open()
    assert "Traceback" not in site.printed
