"""A migration that is killed anywhere leaves the old tables or the new ones, never half of them."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import NullPool

from lms.core import schema
from lms.core.db import prepare_engine
from tests.measure import unmeasured
from tests.postgres import Server

NEVER = 10**9
"""A statement that does not come: the migration ends well."""


def old_office(engine: Engine) -> None:
    """Make the tables of the first release, with something in them."""
    schema.upgrade(engine, "0001")
    zone = "" if engine.dialect.name == "sqlite" else "+00:00"
    with engine.begin() as connection:
        for number in range(3):
            connection.execute(
                text(
                    "INSERT INTO audit_event (at, action, subject, detail) VALUES "
                    "(:at, 'accounts.rename', :subject, '{}')"
                ),
                {"at": f"2026-01-01 00:00:00.000000{zone}", "subject": f"person:{number}"},
            )


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """An SQLite file of the first release."""
    path = tmp_path / "old.db"
    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool)
    prepare_engine(engine)
    old_office(engine)
    with engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA journal_mode=DELETE")
    return path


def die_at(source: str | Path, points: list[int], folder: Path, *options: str) -> dict[str, Any]:
    """Kill a migration at each point; return by point whether it died, and what was left."""
    asked = [str(source), ",".join(str(point) for point in points), *options]
    done = subprocess.run(
        [sys.executable, "-m", "tests.operations.killed_migration", *asked],
        cwd=folder, capture_output=True, text=True, check=False,
        env=unmeasured(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def spread(total: int, number: int) -> list[int]:
    return sorted({1 + round(n * (total - 1) / (number - 1)) for n in range(number)})


def test_a_killed_migration_leaves_old_or_new(old: Path, tmp_path: Path):
    total = die_at(old, [NEVER], tmp_path)["statements"]
    assert total > 50
    found = die_at(old, [*spread(total, 7), -1, NEVER], tmp_path)["found"]
    assert found.pop(str(NEVER)) == [False, "new"]
    assert {tuple(one) for one in found.values()} == {(True, "old")}


def test_half_a_migration_is_refused(old: Path, tmp_path: Path):
    """The planted bug: without a transaction of our own, half of it stays; the start refuses it."""
    found = die_at(old, spread(60, 3), tmp_path, "--legacy")["found"]
    assert all(died for died, _left in found.values())
    assert "refused" in {left for _died, left in found.values()}


def test_on_postgresql_too(postgres: Server, tmp_path: Path):
    postgres.drop("putus")
    postgres.create("putus")
    url = postgres.url("putus")
    old_office(create_engine(url, poolclass=NullPool))
    found = die_at(url, [1, 40, 90, -1, NEVER], tmp_path)["found"]
    assert found.pop(str(NEVER)) == [False, "new"]
    assert {tuple(one) for one in found.values()} == {(True, "old")}
