"""Models equal migrations, and each migration goes up and down, on both databases."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import create_engine, inspect, text

from lms.core import schema
from lms.core.db import db, prepare_engine


@pytest.mark.both
def test_models_equal_migrations(app: Flask):
    assert schema.differences(db.engine) == []


@pytest.mark.both
def test_a_table_beside_the_migrations_is_noticed(app: Flask):
    schema.check(db.engine)
    with db.engine.begin() as connection:
        connection.execute(text("CREATE TABLE stray (id INTEGER)"))
    with pytest.raises(schema.WrongSchema, match="differ"):
        schema.check(db.engine)
    assert any("stray" in line for line in schema.differences(db.engine))


def _revisions() -> list[str]:
    return sorted(p.name.split("_")[0] for p in (schema.MIGRATIONS / "versions").glob("[0-9]*.py"))


@pytest.mark.both
def test_each_migration_goes_up_and_down(app: Flask):
    db.session.remove()
    for revision in reversed(["base", *_revisions()][:-1]):
        schema.downgrade(db.engine, revision)
    assert set(inspect(db.engine).get_table_names()) <= {"alembic_version"}
    for revision in _revisions():
        schema.upgrade(db.engine, revision)
    schema.check(db.engine)
    assert schema.differences(db.engine) == []


SAMPLE = {
    sa.Boolean: True,
    sa.Integer: 1,
    sa.DateTime: datetime(2026, 1, 2, tzinfo=UTC),
    sa.Date: date(2026, 1, 2),
    sa.LargeBinary: b"x",
    sa.JSON: [],
    sa.String: "x",
}
"""A value for a column of each type. Keys and what points at them are alike: 1, or `x`."""


def _fill(connection: sa.Connection) -> list[str]:
    """Put one row into every table, all of them pointing at one another."""
    found = sa.MetaData()
    found.reflect(connection)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET session_replication_role = replica")
    for table in found.sorted_tables:
        if table.name not in {"alembic_version", "schema_mark"}:
            values = {
                column.name: next(v for kind, v in SAMPLE.items() if isinstance(column.type, kind))
                for column in table.columns
            }
            connection.execute(table.insert().values(values))
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET session_replication_role = DEFAULT")
    return [table.name for table in found.sorted_tables]


@pytest.mark.both
def test_what_an_installation_holds_survives_each_migration(app: Flask):
    db.session.remove()
    first, *later = _revisions()
    schema.downgrade(db.engine, "base")
    schema.upgrade(db.engine, first)
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
            connection.rollback()
        with connection.begin():
            tables = _fill(connection)
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys=ON")
            connection.rollback()
    for revision in later:
        schema.upgrade(db.engine, revision)
        with db.engine.connect() as connection:
            for table in tables:
                count = connection.execute(text(f'SELECT count(*) FROM "{table}"')).scalar()  # noqa: S608 - names of our own tables
                assert count == 1, f"{table} after {revision}"
            if connection.dialect.name == "sqlite":
                assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    assert schema.differences(db.engine) == []


def test_file_names_give_the_newest_revision(tmp_path: Path):
    from alembic.script import ScriptDirectory

    engine = create_engine(f"sqlite:///{tmp_path}/x.db")
    prepare_engine(engine)
    assert schema.is_empty(engine)
    assert not schema.is_current(engine)
    with pytest.raises(schema.WrongSchema, match="no tables"):
        schema.check(engine)
    schema.upgrade(engine)
    assert schema.is_current(engine)
    with engine.connect() as connection:
        script = ScriptDirectory.from_config(schema.alembic_config(connection))
    assert script.get_current_head() == schema.head()
    engine.dispose()
