"""A backup holds what was there at one moment, and its manifest says so."""

import gzip
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from lms.config import Config
from lms.core import audit
from lms.core.db import db, unit_of_work
from lms.operations import backups, tables
from lms.operations.backups import NoRoom
from tests import factories
from tests.factories import NOW
from tests.operations.conftest import LATER, close


def test_a_copy_and_an_archive_of_one_moment_say_the_same(config: Config, folder: Path):
    copy = backups.make(config, folder / "backups", now=NOW)
    archive = backups.make(config, folder / "backups", now=LATER, portable=True)
    assert copy.path.name == "suluh-20260302-080000.sqlite3"
    assert archive.path.name == "suluh-20261201-030405.jsonl.gz"
    assert copy.manifest.tables == archive.manifest.tables
    assert copy.manifest.audit == archive.manifest.audit == audit.head()
    assert copy.manifest.fingerprint == archive.manifest.fingerprint
    assert copy.manifest.tables["person"].rows > 5
    assert copy.manifest.tables["answer_event"].rows > 100
    assert not tables.NOT_DATA & copy.manifest.tables.keys()
    number = db.session.scalar(text("SELECT number FROM certificate ORDER BY id DESC LIMIT 1"))
    assert list(copy.manifest.certificates.values()) == [number]
    assert backups.read_manifest(copy.path) == copy.manifest
    assert backups.read_manifest(archive.path) == archive.manifest
    assert [*(folder / "backups").glob(".*")] == []  # nothing half-made is left


def test_only_their_owner_reads_them(config: Config, folder: Path):
    made = backups.make(config, folder / "backups", now=NOW)
    for path in (made.path, backups.manifest_path(made.path), folder / "backups"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_copy_is_one_whole_file(config: Config, folder: Path):
    made = backups.make(config, folder / "backups", now=NOW)
    with closing(sqlite3.connect(made.path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)
    assert made.manifest.bytes == made.path.stat().st_size
    assert made.manifest.sha256 == backups.sha256_of(made.path)


def test_deleted_rows_are_not_in_a_copy(config: Config, folder: Path):
    """What somebody had erased must not come back out of the free pages of the file."""
    secret = "kata-yang-sudah-dihapus"
    close()
    assert config.database_file is not None
    with closing(sqlite3.connect(config.database_file)) as connection:
        connection.execute("PRAGMA secure_delete=OFF")
        insert = "INSERT INTO throttle VALUES (?, 1, '2026-01-01')"
        for statement, values in ((insert, (secret * 300,)), ("DELETE FROM throttle", ())):
            connection.execute(statement, values)
            connection.commit()
    assert secret.encode() in config.database_file.read_bytes()  # the positive control
    assert secret.encode() not in backups.make(config, folder, now=NOW).path.read_bytes()


def test_every_change_of_a_row_changes_the_sum(config: Config, folder: Path):
    with backups.snapshot(config.database_url) as connection:
        before = tables.add_up(connection)
    with unit_of_work():
        db.session.execute(
            text("UPDATE answer_event SET choice = choice % 4 + 1 WHERE id = "
                 "(SELECT max(id) FROM answer_event WHERE choice IS NOT NULL)")
        )  # fmt: skip
    with backups.snapshot(config.database_url) as connection:
        after = tables.add_up(connection)
    assert {name for name in before if before[name] != after[name]} == {"answer_event"}
    assert before["answer_event"].rows == after["answer_event"].rows


def test_two_in_one_second_have_two_names_and_old_ones_go(config: Config, folder: Path):
    made = [backups.make(config, folder / "b", now=NOW).path for _ in range(3)]
    later = backups.make(config, folder / "b", now=LATER, portable=True).path
    assert len({*made}) == 3
    assert backups.list_backups(folder / "b")[-1] == later
    assert backups.forget_old(folder / "b", 2) == made[:2]
    assert len(backups.list_backups(folder / "b")) == 2
    assert len([*(folder / "b").iterdir()]) == 4  # their manifests went with them
    assert backups.forget_old(folder / "b", 2) == []
    newest = backups.make(config, folder / "b", now=LATER).path  # "-2" sorts before ".jsonl"
    assert backups.list_backups(folder / "b") == [made[2], later, newest]


def test_without_room_nothing_is_begun(office: Flask, folder: Path):
    full = Config(
        database_url=f"sqlite:///{folder}/suluh.sqlite3", secret_key="x" * 40, reserve_mib=2**40
    )
    with pytest.raises(NoRoom, match="MiB of free space"):
        backups.make(full, folder / "b", now=NOW)
    assert [*(folder / "b").iterdir()] == []


def test_a_copy_that_breaks_off_leaves_nothing(
    config: Config, folder: Path, monkeypatch: pytest.MonkeyPatch
):
    def stop(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups, "_sync", stop)
    with pytest.raises(OSError, match="No space"):
        backups.make(config, folder / "b", now=NOW)
    assert [*(folder / "b").iterdir()] == []


def test_what_is_no_manifest_is_refused(folder: Path):
    backup = folder / "suluh-1.sqlite3"
    for wrong in ("{", "[]", "{}", json.dumps({"tables": {}}), json.dumps({"tables": 1})):
        backups.manifest_path(backup).write_text(wrong, encoding="utf-8")
        with pytest.raises((ValueError, AttributeError, TypeError)):
            backups.read_manifest(backup)


@pytest.mark.both
def test_an_archive_holds_every_row_on_both_databases(app: Flask, tmp_path: Path):
    person = factories.person(name="Ni Luh “Ayu” \u2028 \\ é 漢")
    made = backups.make(app.extensions["suluh"], tmp_path, now=NOW, portable=True)
    with gzip.open(made.path, "rt", encoding="utf-8") as lines:
        found = [json.loads(line) for line in lines]
    at = next(
        n for n, line in enumerate(found) if isinstance(line, dict) and line["table"] == "person"
    )
    row = dict(zip(found[at]["columns"], found[at + 1], strict=True))
    assert (row["name"], row["email"]) == (person.name, person.email)
    assert row["created_at"] == "2026-03-02T08:00:00.000000+00:00"
    total = sum(isinstance(line, list) for line in found)
    assert total == sum(one.rows for one in made.manifest.tables.values())
    with db.engine.connect() as connection:
        assert (
            connection.scalar(text("SELECT count(*) FROM person"))
            == made.manifest.tables["person"].rows
        )
