"""Models equal migrations, and each migration goes up and down, on both databases."""

from pathlib import Path

import pytest
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
