"""Killed, locked, full, failing disks: what was acknowledged stays, and nothing is acked falsely.

Each promise has a planted bug beside it that the same oracle must find.
"""

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import event

from lms.config import Config
from lms.core import readonly
from lms.core.db import db
from tests.conftest import SqliteHome
from tests.operations.faults import (
    SECRET,
    Crowd,
    by_network,
    enrol,
    fields,
    in_process,
    install,
    judge,
    serving,
)

LAZY = """
import threading, time
from flask import current_app
from lms.core.db import db, unit_of_work
from lms.quizzes import services
real = services.save_answer
def lazy(ref, execute, **values):
    app = current_app._get_current_object()
    def later():
        time.sleep(0.5)
        with app.app_context(), unit_of_work():
            real(ref, **values)
    threading.Thread(target=later, daemon=True).start()
    return services.Saved(values["now"], True)
services.save_answer = lazy
"""
"""The planted bug: it says "tersimpan" and stores half a second later."""

FORGETFUL = """
from sqlalchemy import event
from sqlalchemy.pool import Pool
@event.listens_for(Pool, "checkout")
def forget(connection, *_):
    connection.execute("PRAGMA synchronous=OFF")
"""
"""The planted bug: nothing is forced to the disk."""

DEAF = """
from sqlalchemy.exc import DBAPIError
from lms.core import clock
from lms.quizzes import services, views
real = views.write_together
def deaf(work):
    try:
        return real(work)
    except DBAPIError:
        return services.Saved(clock.now(), True)
views.write_together = deaf
"""
"""The planted bug: what the disk says is not listened to, and the page reads "tersimpan"."""


@pytest.fixture
def crowd(sqlite_home: SqliteHome, tmp_path: Path) -> Iterator[Crowd]:
    """Two trainees of an installation, who do not answer yet."""
    app = install(sqlite_home.template, tmp_path)
    trainees = enrol(app, 2)
    with app.app_context():
        db.engine.dispose()
    found = Crowd(trainees, by_network(lambda: 1), tmp_path / "ledger.jsonl")
    yield found
    found.stop()


def settings(folder: Path) -> Config:
    return Config(database_url=f"sqlite:///{folder}/instance/suluh.sqlite3", secret_key=SECRET,
                  testing=True, folder=folder / "instance")  # fmt: skip


# Row 2: everything is killed and started again


def kill_and_restart(crowd: Crowd, folder: Path, times: int, program: str = "") -> list[float]:
    """Kill the server while people answer; return how much work the first ack after it took."""
    taken, port = [], 0
    crowd.send = by_network(lambda: port)
    with serving(folder, program=program) as site:
        port = site.port
        crowd.start()
        crowd.wait_for(25)
        site.stop(signal.SIGKILL)
    for _ in range(times):
        crowd.mark()
        with serving(folder, program=program) as site:
            port = site.port
            crowd.wait_for(15)
            taken.append(site.seconds_of_work())
            site.stop(signal.SIGKILL)
    crowd.stop()
    return taken


def test_after_a_kill_everything_acknowledged_is_there(crowd: Crowd, tmp_path: Path):
    taken = kill_and_restart(crowd, tmp_path, times=2)
    report = judge(settings(tmp_path), crowd.ledger)
    print(f"\n{report.ledger}, work until 15 acks after a start: {taken}")
    assert report.agrees(floor=50), report
    measured = any(name.startswith("COVERAGE_PROCESS") for name in os.environ)
    assert max(taken) <= (10 if measured else 5)
    with closing(sqlite3.connect(tmp_path / "instance" / "suluh.sqlite3")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_an_ack_before_the_commit_is_found(crowd: Crowd, tmp_path: Path):
    kill_and_restart(crowd, tmp_path, times=0, program=LAZY)
    report = judge(settings(tmp_path), crowd.ledger)
    assert report.ledger is not None
    assert report.ledger.lost > 0
    assert not report.agrees()


# Row 4: somebody holds the database


@pytest.fixture
def site(sqlite_home: SqliteHome, tmp_path: Path) -> Iterator[Flask]:
    """An application of this process that waits half a second for the database, not ten."""
    app = install(sqlite_home.template, tmp_path)
    with app.app_context():
        event.listen(
            db.engine, "connect", lambda raw, _record: raw.execute("PRAGMA busy_timeout=500")
        )
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def impatient(site: Flask) -> None:
    """Plant the bug: nobody waits for a writer."""
    with site.app_context():
        db.engine.dispose()
        event.listen(
            db.engine, "connect", lambda raw, _record: raw.execute("PRAGMA busy_timeout=0")
        )


def hold(path: Path) -> sqlite3.Connection:
    writer = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    writer.execute("BEGIN EXCLUSIVE")
    return writer


def save_while_held(site: Flask, path: Path, seconds: float) -> int:
    """Send one answer while somebody writes for so long; return its status."""
    (one,) = enrol(site, 1)
    writer = hold(path)
    timer = threading.Timer(seconds, lambda: (writer.rollback(), writer.close()))
    timer.start()
    try:
        return in_process(site)(one, fields(0))[0]
    finally:
        timer.join()


def test_a_long_writer_makes_others_wait_and_then_503(site: Flask, tmp_path: Path):
    path = tmp_path / "instance" / "suluh.sqlite3"
    (one,) = enrol(site, 1)
    with closing(hold(path)):
        browser = site.test_client()
        browser.set_cookie("suluh", one.cookie)
        began = time.monotonic()
        answer = browser.post(
            f"/kuis/k1/{one.public_id}/simpan",
            data=fields(0),
            headers={"X-CSRFToken": one.token, "Accept": "application/json"},
        )
        assert time.monotonic() - began >= 0.5
        assert (answer.status_code, answer.json["saved"]) == (503, False)
        assert int(answer.headers["Retry-After"]) > 0
        assert browser.get(f"/kuis/k1/{one.public_id}").status_code == 200  # reading goes on
        assert browser.get("/healthz").status_code == 200
    assert in_process(site)(one, fields(0))[0] == 200


def test_a_short_writer_is_waited_for(site: Flask, tmp_path: Path):
    assert save_while_held(site, tmp_path / "instance" / "suluh.sqlite3", 0.1) == 200


def test_who_does_not_wait_is_found(site: Flask, tmp_path: Path):
    impatient(site)
    assert save_while_held(site, tmp_path / "instance" / "suluh.sqlite3", 0.1) == 503


def test_the_product_waits_ten_seconds(sqlite_home: SqliteHome, tmp_path: Path):
    app = install(sqlite_home.template, tmp_path)
    with app.app_context(), db.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 10000
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2
        connection.invalidate()


# Row 5: the disk is full


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 12 MiB; only root may mount one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = shutil.which("mount") and not subprocess.call(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "suluh-test", str(disk)],
        stderr=subprocess.DEVNULL,
    )
    if not made:
        pytest.skip("only root may mount a small disk; the next test fills one without")
    yield disk
    subprocess.check_call(["umount", "-l", str(disk)])


def fill(path: Path, leave: int) -> None:
    """Fill the disk but for `leave` bytes."""
    found = os.statvfs(path.parent)
    with path.open("wb") as file:
        file.write(b"x" * (found.f_bavail * found.f_frsize - leave))


def run_full_disk(template: Path, disk: Path, reserve: int) -> tuple[Crowd, Flask, list[int]]:
    """Answer until the disk is full and a while longer; return what came back meanwhile."""
    app = install(template, disk)
    with app.app_context():
        readonly.gate().reserve = reserve
    (one,) = enrol(app, 1)
    crowd = Crowd([one], in_process(app), disk.parent / "ledger.jsonl")
    crowd.start()
    try:
        crowd.wait_for(10)
        fill(disk / "ballast", leave=1024 * 1024)
        with app.app_context():
            readonly.gate().forget()
        before = len(crowd.statuses)
        time.sleep(0.5)
        meanwhile = crowd.statuses[before + 1 :]
        browser = app.test_client()
        browser.set_cookie("suluh", one.cookie)
        assert browser.get(f"/kuis/k1/{one.public_id}").status_code == 200
        ready = browser.get("/readyz")
        (disk / "ballast").unlink()
        with app.app_context():
            readonly.gate().forget()
        assert (ready.status_code, ready.json["disk"]) == (
            (503, "full") if reserve else (200, "ok")
        )
        crowd.wait_for(10)  # it goes on by itself
    finally:
        crowd.stop()
        with app.app_context():
            db.engine.dispose()
    return crowd, app, meanwhile


def test_before_the_disk_is_full_nothing_is_written_any_more(
    small_disk: Path, sqlite_home: SqliteHome
):
    crowd, _app, meanwhile = run_full_disk(sqlite_home.template, small_disk, 2 * 1024 * 1024)
    assert set(meanwhile) == {503}
    report = judge(settings(small_disk), crowd.ledger)
    assert report.agrees(floor=20), report


def test_without_a_reserve_writing_goes_on_to_the_end(small_disk: Path, sqlite_home: SqliteHome):
    """The planted bug: nobody keeps a reserve, so the same run does not stop in time."""
    _crowd, _app, meanwhile = run_full_disk(sqlite_home.template, small_disk, 0)
    assert 200 in meanwhile


def test_a_write_that_does_not_fit_is_not_acknowledged(sqlite_home: SqliteHome, tmp_path: Path):
    """Files that may not grow are a full disk that needs no root."""
    app = install(sqlite_home.template, tmp_path)
    trainees = enrol(app, 2)
    crowd = Crowd(trainees, in_process(app), tmp_path / "ledger.jsonl")
    log = tmp_path / "instance" / "suluh.sqlite3-wal"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    crowd.start()
    try:
        crowd.wait_for(10)
        resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, hard))
        before = len(crowd.statuses)
        while len(crowd.statuses) < before + 6:
            time.sleep(0.01)
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        refused = crowd.statuses[before:].count(503)
        crowd.wait_for(10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        crowd.stop()
        with app.app_context():
            db.engine.dispose()
    assert refused > 0
    report = judge(settings(tmp_path), crowd.ledger)
    assert report.agrees(floor=20), report


# Row 6: the disk fails


PRELOAD = r"""
#define _GNU_SOURCE
#include <errno.h>
static int n;
static int fails(void) { return __sync_add_and_fetch(&n, 1) % 7 == 0; }
#include <sys/syscall.h>
#include <unistd.h>
static int sync_or_fail(long call, int fd) {
  if (fails()) { errno = EIO; return -1; }
  return syscall(call, fd);
}
int fdatasync(int fd) { return sync_or_fail(SYS_fdatasync, fd); }
int fsync(int fd) { return sync_or_fail(SYS_fsync, fd); }
"""


@pytest.fixture(scope="session")
def failing_disk(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A library to preload: every seventh fsync fails."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("no C compiler to make a failing disk with: apt-get install -y gcc")
    folder = tmp_path_factory.mktemp("disk")
    (folder / "eio.c").write_text(PRELOAD, encoding="ascii")
    subprocess.check_call([compiler, "-shared", "-fPIC", "-o", folder / "eio.so", folder / "eio.c"])
    return str(folder / "eio.so")


def run_failing_disk(crowd: Crowd, folder: Path, library: str, program: str = "") -> None:
    with serving(folder, program=program) as site:  # the start itself shall not fail
        port = site.port
        site.stop(signal.SIGTERM)
    with serving(folder, program=program, LD_PRELOAD=library) as site:
        port = site.port
        crowd.send = by_network(lambda: port)
        crowd.start()
        crowd.wait_for(40)
        crowd.stop()
        site.stop(signal.SIGKILL)


def test_an_error_of_the_disk_is_never_an_ack(crowd: Crowd, tmp_path: Path, failing_disk: str):
    run_failing_disk(crowd, tmp_path, failing_disk)
    report = judge(settings(tmp_path), crowd.ledger)
    assert crowd.statuses.count(503) >= 3
    assert report.agrees(floor=40), report


def test_an_error_of_the_disk_that_is_passed_over_is_found(
    crowd: Crowd, tmp_path: Path, failing_disk: str
):
    run_failing_disk(crowd, tmp_path, failing_disk, DEAF)
    report = judge(settings(tmp_path), crowd.ledger)
    assert report.ledger is not None
    assert report.ledger.lost > 0
    assert not report.agrees()


def test_a_database_that_forces_nothing_to_the_disk_is_found(
    crowd: Crowd, tmp_path: Path, failing_disk: str
):
    run_failing_disk(crowd, tmp_path, failing_disk, FORGETFUL)
    assert crowd.statuses.count(503) < 3
