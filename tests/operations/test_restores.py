"""A backup is put back whole, counted and hashed, or nothing changes."""

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from lms.app import create_app
from lms.config import Config
from lms.core import audit, schema
from lms.core.db import db, unit_of_work
from lms.operations import backups, restores
from lms.operations.backups import Backup
from lms.operations.restores import CannotRestore
from tests import factories
from tests.factories import NOW
from tests.operations.conftest import LATER, close, lay
from tests.postgres import Server


def people(path: Path | str) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM person").fetchone()[0])


@pytest.fixture(params=[False, True], ids=["copy", "archive"])
def backup(
    office: Flask,
    office_backups: dict[bool, Backup],
    folder: Path,
    request: pytest.FixtureRequest,
) -> Backup:
    close()
    return lay(office_backups[request.param], folder / "backups", NOW)


def put_back(backup: Backup, config: Config, folder: Path, *, yes: bool = False):
    return restores.restore(
        backup.path, config.database_url, folder / "backups", yes=yes, now=LATER
    )


def test_what_was_there_is_there_again(office: Flask, backup: Backup, config: Config, folder: Path):
    live = folder / "suluh.sqlite3"
    before = people(live)
    with closing(sqlite3.connect(live)) as connection, connection:
        connection.execute("DELETE FROM answer_event")
    done = put_back(backup, config, folder)
    assert (done.done, done.losses.is_any) == (True, False)
    with backups.snapshot(config.database_url) as connection:
        found = backups.describe(connection)
    assert found["tables"] == backup.manifest.tables
    assert people(live) == before
    assert live.stat().st_mode & 0o777 == 0o600
    assert [*folder.glob(".*")] == []
    with closing(sqlite3.connect(done.kept)) as connection:  # the one before is kept as it was
        assert connection.execute("SELECT count(*) FROM answer_event").fetchone() == (0,)
    schema.check(db.engine)
    assert office.test_client().get("/readyz").json["ready"]


def test_what_would_be_lost_is_named_and_kept_until_somebody_says_yes(
    office: Flask, backup: Backup, config: Config, folder: Path
):
    with unit_of_work():
        audit.record("credentials.issue", "certificate:9", actor_id=None, now=LATER)
        db.session.execute(
            text(
                "INSERT INTO certificate SELECT max(id) + 1, person_id, decision_id, scheme_code, "
                "standard_version_id, 9, 9, NULL, 'KODEBARU', 'BARU/009', issuer_id, holder_name, "
                "issued_at, valid_until, snapshot, document_sha256 FROM certificate"
            )
        )
    close()
    live = folder / "suluh.sqlite3"
    bytes_before = live.read_bytes()
    asked = put_back(backup, config, folder)
    assert not asked.done
    assert asked.losses.events == 1
    assert [one.split()[0] for one in asked.losses.certificates] == ["BARU/009"]
    assert not asked.losses.other_history
    with closing(sqlite3.connect(live)) as connection:
        assert connection.execute("SELECT count(*) FROM certificate WHERE number = 'BARU/009'")
    assert len(live.read_bytes()) == len(bytes_before)
    done = put_back(backup, config, folder, yes=True)
    assert done.done
    assert audit.head() == backup.manifest.audit


def test_the_backup_of_another_installation_is_noticed(
    office: Flask, backup: Backup, config: Config, folder: Path
):
    with unit_of_work():
        db.session.execute(text("UPDATE audit_event SET hash = 'x' || hash"))
        db.session.execute(text("UPDATE audit_head SET hash = 'x' || hash"))
    close()
    asked = put_back(backup, config, folder)
    assert (asked.done, asked.losses.other_history) == (False, True)


def test_a_database_that_is_lost_or_broken_is_replaced(
    office: Flask, backup: Backup, config: Config, folder: Path
):
    live = folder / "suluh.sqlite3"
    live.unlink()
    assert put_back(backup, config, folder).kept == ""
    assert people(live) > 5
    live.write_bytes(b"ini bukan basis data" * 500)
    done = put_back(backup, config, folder)
    assert done.done
    assert people(live) > 5
    assert Path(done.kept).read_bytes().startswith(b"ini bukan")


def test_while_somebody_has_it_open_nothing_is_swapped(
    office: Flask, backup: Backup, config: Config, folder: Path
):
    with closing(sqlite3.connect(folder / "suluh.sqlite3")) as other:
        other.execute("SELECT count(*) FROM person").fetchone()
        with pytest.raises(CannotRestore, match="stop the server"):
            put_back(backup, config, folder)
    assert put_back(backup, config, folder).done  # the positive control


# Backups that are not what they should be


def spoil(backup: Backup, **changes: object) -> None:
    path = backups.manifest_path(backup.path)
    path.write_text(replace(backup.manifest, **changes).as_json(), encoding="utf-8")


def refused(backup: Backup, config: Config, folder: Path) -> str:
    live = folder / "suluh.sqlite3"
    before = people(live)
    with pytest.raises(CannotRestore) as caught:
        put_back(backup, config, folder, yes=True)
    assert people(live) == before
    assert [*folder.glob(".*")] == []
    return str(caught.value)


def test_a_damaged_file_is_refused(office, backup: Backup, config: Config, folder: Path):
    raw = bytearray(backup.path.read_bytes())
    raw[len(raw) // 2] ^= 1
    backup.path.write_bytes(raw)
    assert "is damaged" in refused(backup, config, folder)
    backup.path.write_bytes(raw[:-100])
    assert "is damaged" in refused(backup, config, folder)
    spoil(backup, sha256=backups.sha256_of(backup.path), bytes=len(raw) - 100)
    assert refused(backup, config, folder)  # also when its manifest was made to fit


def test_a_row_that_was_changed_in_the_backup_is_refused(
    office, backup: Backup, config: Config, folder: Path
):
    sums = dict(backup.manifest.tables)
    sums["person"] = replace(sums["person"], hash="0" * 64)
    spoil(backup, tables=sums)
    assert "these tables are not as the manifest says: person" in refused(backup, config, folder)
    spoil(backup, tables=backup.manifest.tables | {"hilang": sums["person"]})
    assert "hilang" in refused(backup, config, folder)
    spoil(backup, audit=audit.Head(1, "0" * 64))
    assert "audit trail" in refused(backup, config, folder)
    spoil(backup, fingerprint="0" * 64)
    assert "another form" in refused(backup, config, folder)


@pytest.mark.parametrize("changes", [{"revision": "9998"}, {"revision": None}, {"format": 99}])
def test_the_backup_of_a_newer_version_is_refused(
    office, backup: Backup, config: Config, folder: Path, changes
):
    spoil(backup, version="99.0", **changes)
    assert "Suluh 99.0" in refused(backup, config, folder)


def test_without_a_readable_manifest_or_file_nothing_is_done(
    office, backup: Backup, config: Config, folder: Path
):
    backups.manifest_path(backup.path).write_text("{", encoding="utf-8")
    assert "manifest cannot be read" in refused(backup, config, folder)
    backups.manifest_path(backup.path).unlink()
    assert "is not there" in refused(backup, config, folder)


# Another place


def test_into_a_new_file(office, backup: Backup, folder: Path):
    target = folder / "baru.sqlite3"
    restores.restore_into(backup.path, f"sqlite:///{target}")
    assert people(target) == people(folder / "suluh.sqlite3")
    with pytest.raises(CannotRestore, match="there already"):
        restores.restore_into(backup.path, f"sqlite:///{target}")


def test_from_sqlite_to_postgresql_and_back(
    office, office_backups: dict[bool, Backup], folder: Path, postgres: Server
):
    copy, archive = office_backups[False], office_backups[True]
    for name in ("pindah",):
        postgres.drop(name)
        postgres.create(name)
    url = postgres.url("pindah")
    with pytest.raises(CannotRestore, match="portable"):
        restores.restore_into(copy.path, url)
    restores.restore_into(archive.path, url)
    with pytest.raises(CannotRestore, match="not empty"):
        restores.restore_into(archive.path, url)

    moved = create_app(Config(database_url=url, secret_key="x" * 40, testing=True))
    with moved.app_context():
        schema.check(db.engine)
        assert schema.differences(db.engine) == []
        assert audit.verify() is None
        factories.person()  # ids go on after the last one
        close()
    back = backups.make(moved.extensions["suluh"], folder / "backups", now=LATER)
    assert back.path.name.endswith(".jsonl.gz")
    restores.restore_into(back.path, f"sqlite:///{folder}/kembali.sqlite3")
    assert people(folder / "kembali.sqlite3") == people(folder / "suluh.sqlite3") + 1


def test_a_postgresql_database_is_replaced_in_one_step(
    office_backups: dict[bool, Backup], folder: Path, postgres: Server
):
    archive = office_backups[True]
    postgres.drop("ganti")
    postgres.create("ganti")
    url = postgres.url("ganti")
    restores.restore_into(archive.path, url)
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM answer_event"))
        connection.execute(text("UPDATE audit_head SET count = count + 2"))
    with engine.connect() as other:
        other.execute(text("SELECT 1"))
        with pytest.raises(CannotRestore, match="1 others use"):
            restores.restore(archive.path, url, folder, yes=False, now=LATER)
    asked = restores.restore(archive.path, url, folder, yes=False, now=LATER)
    assert (asked.done, asked.losses.events) == (False, 2)
    done = restores.restore(archive.path, url, folder, yes=True, now=LATER)
    assert done.kept == "schema before_restore_20261201_030405"
    with backups.snapshot(url) as connection:
        assert backups.describe(connection)["tables"] == archive.manifest.tables
    with engine.connect() as connection:
        names = connection.scalars(text("SELECT nspname FROM pg_namespace")).all()
        kept = connection.scalar(
            text("SELECT count(*) FROM before_restore_20261201_030405.answer_event")
        )
    assert kept == 0
    assert restores.BESIDE not in names
    moved = create_app(Config(database_url=url, secret_key="x" * 40, testing=True))
    with moved.app_context():
        assert schema.differences(db.engine) == []
        close()


def test_the_manifest_is_plain_json(office, backup: Backup):
    found = json.loads(backups.manifest_path(backup.path).read_text(encoding="utf-8"))
    assert {"version", "revision", "fingerprint", "created_at", "tables", "audit", "sha256"} <= {
        *found
    }


def test_a_copy_without_its_log_is_not_whole(office, config: Config, folder: Path):
    """The planted bug: `cp` of the main file looks sound and lacks what is in the log."""
    with unit_of_work():
        audit.record("accounts.rename", "person:1", actor_id=None, now=NOW)
    made = backups.make(config, folder / "backups", now=NOW)
    shutil.copyfile(folder / "suluh.sqlite3", made.path)
    with closing(sqlite3.connect(made.path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    spoil(made, sha256=backups.sha256_of(made.path), bytes=made.path.stat().st_size)
    close()
    assert "not as the manifest says" in refused(made, config, folder)
