"""A backup made while people answer is one moment of theirs, and comes back as that moment."""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Connection

from lms.app import create_app
from lms.config import Config
from lms.core.db import db
from lms.operations import backups, reconcile, restores, tables
from tests import factories
from tests.conftest import SqliteHome
from tests.factories import NOW
from tests.operations.conftest import LATER
from tests.operations.faults import SECRET, Crowd, enrol, in_process, install
from tests.quizzes.helpers import sit


def lines(ledger: Path) -> list[str]:
    return ledger.read_text(encoding="utf-8").splitlines(keepends=True)


def judge_copy(path: Path, acked: list[str], folder: Path) -> reconcile.Report:
    """Reconcile a restored file with the answers that were acknowledged before the backup."""
    ledger = folder / "before.jsonl"
    ledger.write_text("".join(acked), encoding="utf-8")
    app = create_app(Config(database_url=f"sqlite:///{path}", secret_key=SECRET, testing=True))
    with app.app_context():
        report = reconcile.reconcile()
        report.ledger = reconcile.compare_ledger(ledger, SECRET)
        db.session.remove()
        db.engine.dispose()
    return report


def test_a_backup_in_the_middle_of_answers_is_whole(sqlite_home: SqliteHome, tmp_path: Path):
    app = install(sqlite_home.template, tmp_path)
    config = app.extensions["suluh"]
    crowd = Crowd(enrol(app, 2), in_process(app), tmp_path / "ledger.jsonl")
    crowd.start()
    made = []
    try:
        for portable in (False, True):
            crowd.wait_for(20)
            acked = lines(crowd.ledger)
            made.append((acked, backups.make(config, tmp_path / "b", now=NOW, portable=portable)))
            after = len(lines(crowd.ledger))
            assert after > len(acked)  # people were answering meanwhile
        copies = []
        for number in range(6):
            crowd.wait_for(5)
            copies.append((lines(crowd.ledger), tmp_path / f"cp-{number}.sqlite3"))
            shutil.copyfile(config.database_file, copies[-1][1])
    finally:
        crowd.stop()
        with app.app_context():
            db.engine.dispose()
    for number, (acked, backup) in enumerate(made):
        target = tmp_path / f"restored-{number}.sqlite3"
        restores.restore_into(backup.path, f"sqlite:///{target}")
        report = judge_copy(target, acked, tmp_path)
        assert report.agrees(floor=20 * (number + 1)), report

    # The planted bug: `cp` of the main file looks sound and lacks what was acknowledged. One copy
    # may be lucky, made just when SQLite had moved the log into the file; six are not.
    lost = 0
    for copied, plain in copies:
        with closing(sqlite3.connect(plain)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        report = judge_copy(plain, copied, tmp_path)
        assert report.ledger is not None
        lost += report.ledger.lost
    assert lost > 0


@contextmanager
def careless(url: str) -> Iterator[Connection]:
    """The planted bug: each table is read as it is when its turn comes."""
    engine = backups.engine_of(url)
    level = "READ COMMITTED" if engine.dialect.name == "postgresql" else "AUTOCOMMIT"
    with engine.connect().execution_options(isolation_level=level) as connection:
        yield connection


def export_while_somebody_sits(
    app: Flask, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> reconcile.Report | str:
    """Let somebody sit a whole quiz while tables are read; restore, and say what is found."""
    real, person_id = tables.rows_of, factories.person().id
    db.session.remove()

    def rows_of(connection, table):
        if table.name == "certificate":  # after attempts, before evidence
            sit(person_id)
            db.session.remove()
        return real(connection, table)

    with monkeypatch.context() as patch:
        patch.setattr(tables, "rows_of", rows_of)
        made = backups.make(app.extensions["suluh"], folder / "b", now=LATER, portable=True)
    target = folder / "restored.sqlite3"
    target.unlink(missing_ok=True)
    try:
        restores.restore_into(made.path, f"sqlite:///{target}")
    except restores.CannotRestore as refusal:
        return str(refusal)
    return judge_copy(target, [], folder)


@pytest.mark.both
def test_an_archive_is_of_one_moment(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    found = export_while_somebody_sits(app, tmp_path, monkeypatch)
    assert isinstance(found, reconcile.Report)
    assert found.problems == []
    assert found.counts["sittings"] == 0  # it came after the moment
    assert reconcile.reconcile().counts["sittings"] == 1

    monkeypatch.setattr(backups, "snapshot", careless)
    torn = export_while_somebody_sits(app, tmp_path, monkeypatch)
    assert isinstance(torn, str) or torn.problems != []


def test_the_ledger_of_these_tests_is_json(tmp_path: Path):
    """The positive control of what is compared."""
    path = tmp_path / "x"
    path.write_text(json.dumps({"a": 1}) + "\n", encoding="utf-8")
    assert lines(path) == ['{"a": 1}\n']
