"""An office with a class in the middle of everything, on disk, copied for each test."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from sqlalchemy import delete, update

from lms import cli
from lms.config import Config
from lms.core.db import db, unit_of_work
from lms.core.models import AuditEvent
from lms.credentials.models import NumberCounter
from lms.operations import backups
from lms.operations.backups import Backup
from tests import crowd
from tests.conftest import SqliteHome, made_once, open_copy
from tests.factories import NOW

LATER = datetime(2026, 12, 1, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="session")
def office_file(sqlite_home: SqliteHome, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with five companions, their quizzes, attendance and a certificate."""
    kept = crowd.kept(sqlite_home, tmp_path_factory, 5)
    return made_once(
        tmp_path_factory, "office.sqlite3", lambda path: _furnish(open_copy(kept, path))
    )


def _furnish(app: Flask) -> None:
    with app.app_context():
        with unit_of_work():
            # The crowd writes some rows past the services: what they cannot have is put right.
            db.session.execute(delete(AuditEvent).where(AuditEvent.position.is_(None)))
            db.session.execute(update(NumberCounter).values(last=NumberCounter.last + 1))
        close()


@pytest.fixture(scope="session")
def office_backups(
    office_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[bool, Backup]:
    """Both backups of the office as it is copied for each test: the file, and the portable one."""
    folder = tmp_path_factory.mktemp("backups")
    config = Config(database_url=f"sqlite:///{office_file}", secret_key="x" * 40)
    return {
        portable: backups.make(config, folder, now=NOW, portable=portable)
        for portable in (False, True)
    }


def lay(backup: Backup, folder: Path, now: datetime) -> Backup:
    """Lay a copy of a backup into a folder, as if it had been made there at that time."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"suluh-{now:%Y%m%d-%H%M%S}.{backup.path.name.partition('.')[2]}"
    manifest = replace(backup.manifest, created_at=now.isoformat(), file=name)
    shutil.copy(backup.path, folder / name)
    target = backups.manifest_path(folder / name)
    shutil.copy(backups.manifest_path(backup.path), target)
    target.write_text(manifest.as_json(), encoding="utf-8")
    return Backup(folder / name, manifest)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an installation below an empty working folder, without any setting."""
    monkeypatch.chdir(tmp_path)
    for name in [*os.environ]:
        if name.startswith("SULUH_") or name == "DATABASE_URL":
            monkeypatch.delenv(name)
    found = tmp_path / "instance"
    found.mkdir(mode=0o700)
    return found


@pytest.fixture
def office(office_file: Path, folder: Path) -> Iterator[Flask]:
    """An application on a copy of the office, in its folder."""
    app = open_copy(office_file, folder / "suluh.sqlite3", folder=folder, secret_key="x" * 40)
    (folder / "suluh.sqlite3").chmod(0o600)
    (folder / "secret-key").write_text("x" * 40, encoding="ascii")
    (folder / "secret-key").chmod(0o600)
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def config(office: Flask) -> Config:
    """The settings of the office."""
    found: Config = office.extensions["suluh"]
    return found


@pytest.fixture
def run(folder: Path) -> Callable[..., Result]:
    """Run a command of the operator in the working folder."""

    def call(*arguments: str, **environ: str) -> Result:
        return CliRunner().invoke(cli.main, arguments, env=environ)

    return call


def close() -> None:
    """Let go of the database, as a server does that stops."""
    db.session.remove()
    db.engine.dispose()
