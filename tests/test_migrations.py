"""Models equal migrations, and each migration goes up and down, on both databases."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import create_engine, inspect, text

from lms.cohorts import officers, organisations
from lms.cohorts.models import Membership, Part
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


TRAIL = [
    # who, where, what happened, on whose word
    (1, 1, "cohorts.officer", "Kepala A"),
    (2, 1, "cohorts.officer_vouch", "Kepala B"),
    (2, 1, "cohorts.officer_vouch", "Kepala B2"),
    (3, 1, "cohorts.officer", "Kepala C"),
    (3, 1, "cohorts.officer_end", ""),
    (5, 1, "cohorts.officer", "Kepala E, di tempat lain"),
    (6, 2, "cohorts.officer_vouch", "Kepala F"),
    (7, 2, "cohorts.officer", "Kepala G"),
    (7, 2, "cohorts.officer_end", ""),
    (7, 2, "cohorts.merge", ""),
    (6, 3, "cohorts.dismiss", ""),
    (8, 4, "cohorts.officer", "Kepala H"),
]
"""Person 4 came by invitation; organisation 2 was merged into 3 before 8 was appointed in 4."""
APPOINTED = [(1, 1), (2, 1), (3, 1), (4, 1), (5, 4), (6, 3), (7, 3), (8, 4)]


@pytest.mark.both
def test_officers_vouched_for_in_the_trail_come_out_vouched(app: Flask):
    """Before 0005 the trail alone said who vouches for whom."""
    db.session.remove()
    schema.downgrade(db.engine, "0004")
    at = datetime(2026, 1, 2, tzinfo=UTC)
    with db.engine.begin() as connection:
        found = sa.MetaData()
        found.reflect(connection, only=["person", "organisation", "membership", "audit_event"])
        people, houses, members, events = (
            found.tables[name] for name in ("person", "organisation", "membership", "audit_event")
        )
        for n in range(1, 9):
            connection.execute(
                people.insert().values(
                    id=n, public_id=f"p{n}", email=f"{n}@contoh.test", name=f"Orang {n}",
                    password_hash="x", locale="id", created_at=at,
                )
            )  # fmt: skip
        for n in range(1, 5):
            connection.execute(
                houses.insert().values(
                    id=n, public_id=f"o{n}", name=f"Instansi {n}", kind="puskesmas", city="x",
                    created_at=at,
                )
            )  # fmt: skip
        for person, house in APPOINTED:
            connection.execute(
                members.insert().values(person_id=person, organisation_id=house, part="officer")
            )
        connection.execute(members.insert().values(person_id=1, organisation_id=1, part="staff"))
        for person, house, action, by in TRAIL:
            detail: dict[str, object] = {"person": person}
            if by:
                word = {"vouched_by": by, "letter": "7", "letter_on": "2026-01-01", "note": ""}
                detail |= word
            if action == "cohorts.merge":
                house, detail = 3, {"merged": 2, "name": "x", "moved": 1}
            connection.execute(
                events.insert().values(
                    at=at, actor_id=1, action=action, subject=f"organisation:{house}",
                    detail=detail,
                )
            )  # fmt: skip
    schema.upgrade(db.engine)
    rows = db.session.execute(sa.select(Membership).order_by(Membership.person_id)).scalars()
    words = {
        (one.person_id, one.organisation_id): one.vouching and one.vouching["by"]
        for one in rows
        if one.part is Part.OFFICER
    }
    assert words == {
        (1, 1): "Kepala A",
        (2, 1): "Kepala B2",
        (3, 1): None,  # ended, and appointed again by invitation
        (4, 1): None,
        (5, 4): None,  # vouched for elsewhere
        (6, 3): "Kepala F",
        (7, 3): None,
        (8, 4): "Kepala H",
    }
    assert officers.is_vouched(1)
    assert not officers.is_vouched(4)
    [line] = [one for one in organisations.list_officers(1) if one.person_id == 2]
    assert line.vouched_on == at.date()
    assert line.vouching == officers.Vouching(
        by="Kepala B2", letter="7", letter_on=date(2026, 1, 1)
    )
    staff = db.session.get_one(Membership, (1, 1, Part.STAFF))
    assert (staff.vouched_at, staff.vouching) == (None, None)


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
