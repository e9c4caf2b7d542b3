"""Migrations: all of them or none, and a changed database is noticed."""

import shutil
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import inspect, text

from lms.core import schema
from lms.core.db import db

REVISION = '''"""Half."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("half", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("DELETE FROM content_release")
    with op.batch_alter_table("throttle") as batch:
        batch.add_column(sa.Column("note", sa.String))
    {then}


def downgrade() -> None:
    pass
'''


def migrations(folder: Path, then: str) -> Path:
    """The real migrations and one more."""
    found = folder / "migrations"
    shutil.copytree(schema.MIGRATIONS, found, ignore=shutil.ignore_patterns("__pycache__"))
    text_of_it = REVISION.format(head=schema.head(), then=then)
    (found / "versions" / "9999_half.py").write_text(text_of_it, encoding="utf-8")
    return found


def state() -> tuple[set[str], set[str], int, str]:
    db.session.remove()
    with db.engine.connect() as connection:
        found = inspect(connection)
        return (
            set(found.get_table_names()),
            {column["name"] for column in found.get_columns("throttle")},
            connection.execute(text("SELECT count(*) FROM content_release")).scalar_one(),
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one(),
        )


@pytest.mark.both
def test_a_migration_that_breaks_off_leaves_everything_as_it_was(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    before, old_head = state(), schema.head()
    monkeypatch.setattr(schema, "MIGRATIONS", migrations(tmp_path, "raise RuntimeError('half')"))
    with pytest.raises(RuntimeError, match="half"):
        schema.upgrade(db.engine)
    assert state() == before
    schema.check(db.engine)
    assert schema.head() == "9999"
    assert not schema.is_current(db.engine)
    assert before[3] == old_head


@pytest.mark.both
def test_the_same_migration_without_the_mistake_goes_through(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """The positive control of the test above."""
    tables, columns, releases, _version = state()
    monkeypatch.setattr(schema, "MIGRATIONS", migrations(tmp_path, "pass"))
    schema.upgrade(db.engine)
    assert state() == (tables | {"half"}, columns | {"note"}, 0, "9999")
    assert releases == 1
    schema.check(db.engine)
    assert schema.is_current(db.engine)


@pytest.mark.both
@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE throttle ADD COLUMN note VARCHAR",
        "DROP INDEX ix_mail_due",
        "CREATE UNIQUE INDEX ix_new ON throttle (last_at)",
        "CREATE TABLE stray (id INTEGER PRIMARY KEY)",
        "DROP TABLE throttle",
    ],
)
def test_every_change_behind_the_migrations_is_noticed(app: Flask, change: str, tmp_path: Path):
    seen = tmp_path / "cache" / "schema"
    schema.check(db.engine, seen)
    schema.check(db.engine, seen)
    db.session.remove()
    with db.engine.begin() as connection:
        connection.execute(text(change))
    for memory in (seen, None):
        with pytest.raises(schema.WrongSchema, match="db check"):
            schema.check(db.engine, memory)
    assert schema.differences(db.engine) != []


@pytest.mark.both
def test_rows_do_not_change_the_fingerprint(app: Flask):
    db.session.remove()
    with db.engine.begin() as connection:
        before = schema.fingerprint(connection)
        connection.execute(text("DELETE FROM content_release"))
        assert schema.fingerprint(connection) == before


@pytest.mark.both
def test_a_database_newer_than_the_program_is_not_current(app: Flask):
    assert schema.is_current(db.engine)
    assert not schema.is_empty(db.engine)
    db.session.remove()
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9998'"))
    assert not schema.is_current(db.engine)


def test_a_database_that_passed_is_not_looked_through_again(
    app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def look(_connection: object) -> str:
        raise AssertionError("looked at every table")

    seen = tmp_path / "cache" / "schema"
    schema.check(db.engine, seen)
    monkeypatch.setattr(schema, "fingerprint", look)
    schema.check(db.engine, seen)
    seen.unlink()
    with pytest.raises(AssertionError, match="every table"):
        schema.check(db.engine, seen)
