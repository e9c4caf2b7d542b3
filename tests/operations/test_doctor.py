"""The doctor finds what is wrong, says what to do, and calls a healthy installation healthy."""

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import text

from lms.config import Config
from lms.core import audit, clock, mail, readonly
from lms.core.db import db, unit_of_work
from lms.operations import backups, doctor, heads, preflight
from lms.operations.backups import Backup
from lms.operations.doctor import Finding, State
from tests.operations.conftest import close, lay

DAY = timedelta(days=1)


@pytest.fixture
def now() -> datetime:
    return clock.now()


@pytest.fixture
def healthy(
    config: Config, office_backups: dict[bool, Backup], folder: Path, now: datetime
) -> Config:
    """An office with a fresh backup."""
    lay(office_backups[False], folder / "backups", now)
    return config


def bad(config: Config, now: datetime, *only: str) -> dict[str, str]:
    looked = doctor.examine(config, now=now, only=only)
    found = [one for one in looked if one.state is State.BAD]
    assert all(one.do for one in found), "every bad finding says what to do"
    return {one.about: one.says for one in found}


def notes(config: Config, now: datetime, *only: str) -> dict[str, str]:
    looked = doctor.examine(config, now=now, only=only)
    return {one.about: one.says for one in looked if one.state is State.NOTE}


def change(statement: str, **values: object) -> None:
    with unit_of_work():
        db.session.execute(text(statement), values)


def test_a_healthy_office_is_healthy(healthy: Config, now: datetime):
    found = doctor.examine(healthy, now=now)
    assert bad(healthy, now) == {}
    assert doctor.is_healthy(found)
    assert {one.about for one in found} == {*doctor._looks(healthy, now)}


@pytest.mark.both
def test_an_empty_installation_is_looked_at_on_both_databases(app: Flask, now: datetime):
    found = bad(app.extensions["suluh"], now)
    if db.engine.dialect.name == "postgresql":  # the one of tests runs without durability
        assert found.pop("database").startswith(("fsync is off", "full_page_writes is off"))
    assert found == {}


def test_a_changed_table_is_named(healthy: Config, now: datetime):
    change("CREATE TABLE liar (id INTEGER)")
    found = [one for one in doctor.examine(healthy, now=now, only=("tables",))]
    assert any("liar" in one.says for one in found)
    assert not doctor.is_healthy(found)


def test_tables_of_another_version_are_named(healthy: Config, now: datetime):
    change("UPDATE alembic_version SET version_num = '0001'")
    assert "they are at 0001" in bad(healthy, now, "tables")["tables"]


def test_a_trail_that_was_changed_is_named(healthy: Config, now: datetime):
    change("UPDATE audit_event SET subject = 'person:99' WHERE position = 2")
    assert "the chain breaks at event" in bad(healthy, now, "audit trail")["audit trail"]


def test_a_trail_made_anew_is_found_by_the_heads_written_down(healthy: Config, now: datetime):
    """Whoever can write to the database can make the chain fit; not what lies outside it."""
    last = audit.head().count
    change("DELETE FROM audit_event WHERE position = :last", last=last)
    change(
        "UPDATE audit_head SET count = count - 1, hash = "
        "(SELECT hash FROM audit_event WHERE position = :last - 1)",
        last=last,
    )
    assert audit.verify() is None
    assert f"it once had {last} events" in bad(healthy, now, "audit trail")["audit trail"]
    given_up = heads.give_up(healthy, now)
    assert given_up == 1
    assert "audit trail" not in bad(healthy, now, "audit trail")
    assert "given up" in notes(healthy, now, "audit trail")["audit trail"]


def test_a_full_disk_and_the_switch_are_named(healthy: Config, folder: Path, now: datetime):
    gate = readonly.gate()
    assert gate.switch is not None
    gate.switch.touch()
    assert notes(healthy, now, "disk")["disk"] == "read-only by the operator"
    gate.switch.unlink()
    free = gate.free()
    assert free is not None
    gate.reserve = free * 2
    assert "nothing is written" in bad(healthy, now, "disk")["disk"]
    gate.reserve = free // 5
    assert notes(healthy, now, "disk")["disk"].startswith("only ")


def test_files_others_may_read_are_named(healthy: Config, folder: Path, now: datetime):
    folder.chmod(0o755)
    (folder / "secret-key").chmod(0o644)
    found = [one.says for one in doctor.examine(healthy, now=now, only=("files",))]
    assert f"others may enter {folder}" in found
    assert f"others may read {folder / 'secret-key'}" in found


def test_content_that_is_not_loaded_is_named(healthy: Config, now: datetime):
    change("UPDATE content_release SET digest = 'lama'")
    shown = [one.says for one in doctor.examine(healthy, now=now, only=("content",))]
    assert any("differs from what was loaded" in one for one in shown)
    change("DELETE FROM content_release")
    assert bad(healthy, now, "content")["content"] == "nothing was ever loaded"


def test_mail_that_nobody_sends_is_named(office: Flask, healthy: Config, now: datetime):
    from dataclasses import replace

    with unit_of_work():
        mail.put("a@contoh.test", "Kelas", "Isi", now=now - timedelta(hours=3))
    sending = replace(healthy, smtp_url="smtp://localhost")
    assert "more than an hour" in bad(sending, now, "mail")["mail"]
    assert "no mail server" in notes(healthy, now, "mail")["mail"]
    change("UPDATE mail SET tries = :tries", tries=mail.RETRIES)
    shown = [one.says for one in doctor.examine(sending, now=now, only=("mail",))]
    assert any("given up" in one for one in shown)


def test_jobs_nobody_works_on_are_named(healthy: Config, now: datetime):
    old = now - timedelta(hours=1)
    change(
        "INSERT INTO job (public_id, kind, subject, detail, created_at, lease_until, leased_by, "
        "tries) VALUES ('x', 'k', 's', '{}', :at, :at, '', 0)",
        at=old.strftime("%Y-%m-%d %H:%M:%S.%f"),
    )
    assert "nobody works on them" in bad(healthy, now, "jobs")["jobs"]
    change(
        "INSERT INTO job_item (job_id, position, subject, state, problem, detail) "
        "VALUES (1, 1, 'x', 'problem', 'P', '')"
    )
    change("UPDATE job SET finished_at = lease_until")
    assert "ended with a problem" in notes(healthy, now, "jobs")["jobs"]


def test_a_clock_that_was_set_back_is_named(healthy: Config, now: datetime):
    assert "yet to come" in bad(healthy, now - 2 * DAY, "clock")["clock"]


def test_a_kernel_that_cannot_say_is_not_blamed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("ctypes.CDLL", lambda _: object())
    assert not doctor._unsynchronised()


def test_backups_that_are_missing_old_or_broken_are_named(
    office: Flask, config: Config, folder: Path, now: datetime
):
    assert bad(config, now, "backups")["backups"] == "there is none"
    made = backups.make(config, folder / "backups", now=now - 2 * DAY)
    assert "older than a day" in notes(config, now, "backups")["backups"]
    assert "days old" in bad(config, now + 8 * DAY, "backups")["backups"]
    backups.manifest_path(made.path).write_text("{}", encoding="utf-8")
    assert "manifest" in bad(config, now, "backups")["backups"]
    office.extensions["suluh"] = config
    without = Config(database_url=config.database_url, secret_key="x" * 40)
    assert "no folder" in notes(without, now, "backups")["backups"]


def test_a_paper_that_was_changed_is_named(healthy: Config, now: datetime):
    change("UPDATE document SET body = x'00'")
    assert "is not what was issued" in bad(healthy, now, "documents")["documents"]


def test_a_look_that_fails_is_a_finding(
    healthy: Config, now: datetime, monkeypatch: pytest.MonkeyPatch
):
    def stumble(*_: object) -> None:
        raise KeyError("rahasia")

    monkeypatch.setattr(mail, "count_unsent", stumble)
    assert bad(healthy, now, "mail")["mail"] == "could not be looked at: KeyError"


def test_the_command_exits_by_what_it_finds(
    office: Flask, healthy: Config, run: Callable[..., Result]
):
    close()
    good = run("doctor")
    assert (good.exit_code, "BAD" in good.output) == (0, False), good.output
    assert "ok    audit trail" in good.output
    change("UPDATE document SET body = x'00'")
    close()
    wrong = run("doctor")
    assert wrong.exit_code == 1
    assert "BAD   documents: the paper " in wrong.output
    assert "      Restore it from a backup" in wrong.output
    import json

    found = json.loads(run("doctor", "--json").output)
    assert any(one["about"] == "documents" and one["state"] == "bad" for one in found)


def test_a_finding_has_words():
    assert Finding("x", State.GOOD, "y").do == ""


# Before anything is served


def test_the_file_system_of_another_machine_is_refused(office: Flask, folder: Path, tmp_path: Path):
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"rootfs / ext4 rw 0 0\nserver:/x {folder} nfs4 rw 0 0\nshort\n"
        f"tmpfs {folder}/jauh\\040sekali tmpfs rw 0 0\n",
        encoding="utf-8",
    )
    assert preflight.file_system_of(folder / "d", mounts) == "nfs4"
    assert preflight.file_system_of(folder / "jauh sekali" / "d", mounts) == "tmpfs"
    assert preflight.file_system_of(Path("/etc"), mounts) == "ext4"
    with pytest.raises(preflight.Unsafe, match="nfs4"):
        preflight.check(db.engine, mounts)
    preflight.check(db.engine)
    assert preflight.file_system_of(folder, tmp_path / "none") == ""


def test_a_postgresql_that_may_forget_is_refused(postgres, office: Flask):
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    postgres.drop("tahan")
    postgres.create("tahan")
    engine = create_engine(postgres.url("tahan"), poolclass=NullPool)
    with pytest.raises(preflight.Unsafe, match="now off and on"):  # the one of tests has no fsync
        preflight.check(engine)
    assert preflight.durability_of(engine)["synchronous_commit"] == "on"


# Heads


def test_a_head_a_day_is_written_down(office: Flask, config: Config, folder: Path, now: datetime):
    assert [heads.write_down(config, now), heads.write_down(config, now + DAY / 24 / 60)] == [1, 0]
    assert heads.write_down(config, now + DAY) == 1
    path = folder / heads.NAME
    assert path.stat().st_mode & 0o077 == 0
    first, second = heads.read(path)
    assert first.head == second.head == audit.head()
    with path.open("a", encoding="ascii") as file:
        file.write("2027-01-01 17 abc")  # a line cut off by a power failure
    assert len(heads.read(path)) == 2


def test_without_a_folder_no_head_is_written(office: Flask, config: Config, now: datetime):
    from dataclasses import replace

    nowhere = replace(config, folder=None)
    assert heads.write_down(nowhere, now) == heads.give_up(nowhere, now) == 0
    assert (heads.known(nowhere), heads.given_up(nowhere)) == ([], set())
    assert heads.write_down(replace(config, demo=True), now) == 0


def test_the_folder_of_the_test_is_closed(folder: Path):
    """The positive control of the modes."""
    assert os.stat(folder).st_mode & 0o077 == 0  # noqa: PTH116
