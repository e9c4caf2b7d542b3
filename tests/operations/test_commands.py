"""The operator's commands: backup, restore, read-only. Words and exit codes."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from lms.core import audit, readonly
from lms.core.db import unit_of_work
from lms.operations import backups, heads, locks
from tests.factories import NOW
from tests.operations.conftest import close

Run = Callable[..., Result]


@pytest.fixture
def stopped(office: Flask) -> Flask:
    """An installation whose server is off."""
    close()
    return office


def test_a_backup_is_made_and_old_ones_go(stopped: Flask, run: Run, folder: Path):
    first = run("backup")
    assert first.exit_code == 0, first.output
    (made,) = backups.list_backups(folder / "backups")
    assert first.output.startswith(f"instance/backups/{made.name}: ")
    assert "audit trail: " in first.output
    second = run("backup", "--keep", "1", "--portable")
    assert f"removed instance/backups/{made.name}" in second.output
    (left,) = backups.list_backups(folder / "backups")
    assert left.name.endswith(".jsonl.gz")
    assert run("backup", "--to", "lain").exit_code == 0
    assert len(backups.list_backups(Path("lain"))) == 1


def test_without_a_database_there_is_nothing_to_copy(run: Run, folder: Path):
    done = run("backup")
    assert (done.exit_code, "is not there" in done.output) == (1, True)
    assert not (folder / "suluh.sqlite3").exists()


def test_without_room_a_sentence_says_so(stopped: Flask, run: Run):
    done = run("backup", SULUH_RESERVE_MIB=str(2**40))
    assert (done.exit_code, "MiB of free space" in done.output) == (1, True)


def test_a_restore_asks_before_it_loses_anything(stopped: Flask, run: Run, folder: Path):
    run("backup")
    (made,) = backups.list_backups(folder / "backups")
    with unit_of_work():
        audit.record("accounts.rename", "person:1", actor_id=None, now=NOW)
    close()
    later = run("backup")
    assert later.exit_code == 0
    asked = run("restore", str(made))
    assert asked.exit_code == 1
    assert "  1 events of the audit trail" in asked.output
    assert "nothing has changed" in asked.output
    done = run("restore", str(made), "--yes")
    assert done.exit_code == 0, done.output
    assert "The one before is kept: instance/backups/before-restore-" in done.output
    assert "1 heads of the audit trail are noted as given up" in done.output
    assert (folder / heads.GIVEN_UP).exists()
    again = run("restore", str(made))
    assert (again.exit_code, "--yes" in again.output) == (0, False)


def test_a_restore_waits_for_nobody(stopped: Flask, run: Run, folder: Path):
    run("backup")
    (made,) = backups.list_backups(folder / "backups")
    with locks.shared(folder):
        done = run("restore", str(made))
        assert (done.exit_code, "the server is running" in done.output) == (1, True)
    assert run("restore", str(made)).exit_code == 0
    with locks.alone(folder):
        serve = subprocess.run(
            [sys.executable, "-m", "lms", "serve", "--port", "0"],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert serve.returncode != 0


def test_into_a_new_file_or_not_at_all(stopped: Flask, run: Run, folder: Path):
    run("backup")
    (made,) = backups.list_backups(folder / "backups")
    done = run("restore", str(made), "--into", "latihan.sqlite3")
    assert (done.exit_code, "latihan.sqlite3 is as on " in done.output) == (0, True)
    with closing(sqlite3.connect("latihan.sqlite3")) as connection:
        assert connection.execute("SELECT count(*) FROM person").fetchone()[0] > 5
    assert "there already" in run("restore", str(made), "--into", "latihan.sqlite3").output
    assert "DATABASE_URL" in run("restore", str(made), "--into", "mysql://x").output
    assert "is not there" in run("restore", "tidak-ada.sqlite3").output


def test_what_else_would_be_lost_is_named(stopped: Flask, run: Run, folder: Path):
    run("backup")
    (made,) = backups.list_backups(folder / "backups")
    with closing(sqlite3.connect(folder / "suluh.sqlite3")) as connection, connection:
        connection.execute("UPDATE certificate SET code = 'LAIN' || id")
        connection.execute("UPDATE audit_event SET hash = 'x' || hash")
        connection.execute("UPDATE audit_head SET hash = 'x' || hash")
    done = run("restore", str(made))
    assert done.exit_code == 1
    assert "its audit trail is another one" in done.output
    assert done.output.count("  certificate ") == 2


def test_the_switch_stops_and_starts_writing(stopped: Flask, run: Run, folder: Path):
    on = run("read-only", "on")
    assert (on.exit_code, (folder / readonly.SWITCH).exists()) == (0, True)
    refused = run("content", "load", "--force")
    assert refused.exit_code == 1
    assert "nothing is written now" in refused.output
    off = run("read-only", "off")
    assert (off.exit_code, (folder / readonly.SWITCH).exists()) == (0, False)
    assert run("content", "load", "--force").exit_code == 0
    assert run("read-only", "off").exit_code == 0  # again is no mistake


def test_rounds_write_the_head_down(stopped: Flask, run: Run, folder: Path):
    first = json.loads(run("rounds").stdout)
    assert (first["audit"], first["space"]) == (1, 0)
    assert len(heads.read(folder / heads.NAME)) == 1
    assert json.loads(run("rounds").stdout)["audit"] == 0
