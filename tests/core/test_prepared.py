"""What the driver is asked directly comes back as SQLAlchemy would give it."""

import sqlite3
from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy import bindparam, select
from sqlalchemy.exc import OperationalError, StatementError

from lms.core import prepared
from lms.core.db import db, unit_of_work
from lms.core.models import Throttle
from lms.core.prepared import read, read_alone
from tests.queries import counted

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)
FOUND = select(Throttle.key, Throttle.failures, Throttle.last_at).where(
    Throttle.key == bindparam("key")
)
NEWEST = select(Throttle.key).order_by(Throttle.last_at.desc()).limit(1)


def add(key: str) -> None:
    db.session.add(Throttle(key=key, failures=2, last_at=NOW))
    db.session.flush()


@pytest.mark.both
@pytest.mark.parametrize("way", [read, read_alone])
def test_rows_come_back_as_sqlalchemy_gives_them(app: Flask, way):
    with unit_of_work():
        add("pintu")
    [row] = way(FOUND, {"key": "pintu"})
    assert tuple(row) == tuple(db.session.execute(FOUND, {"key": "pintu"}).one())
    assert (row.key, row.failures, row.last_at) == ("pintu", 2, NOW)
    assert [one.key for one in way(NEWEST, {})] == ["pintu"]
    assert not way(FOUND, {"key": "jendela"})


@pytest.mark.both
def test_a_reading_of_the_session_sees_what_its_unit_of_work_has_written(app: Flask):
    with unit_of_work():
        add("pintu")
        assert read(FOUND, {"key": "pintu"})


def test_a_reading_alone_sees_what_is_committed_and_begins_nothing(app: Flask):
    with unit_of_work():
        add("pintu")
        assert not read_alone(FOUND, {"key": "pintu"})
    assert read_alone(FOUND, {"key": "pintu"})
    assert not db.session().in_transaction()


def test_it_counts_as_a_query(app: Flask):
    with counted() as statements:
        read(FOUND, {"key": "pintu"})
        read_alone(FOUND, {"key": "pintu"})
    assert len(statements) == 2


@pytest.mark.parametrize("way", [read, read_alone])
def test_an_error_has_the_name_of_sqlalchemy_and_no_values(app: Flask, way):
    db.session.connection().exec_driver_sql("DROP TABLE throttle")
    db.session.commit()
    with pytest.raises(OperationalError) as raised:
        way(FOUND, {"key": "rahasia"})
    assert isinstance(raised.value.orig, sqlite3.OperationalError)
    assert "no such table" in str(raised.value)
    assert "rahasia" not in str(raised.value)


@pytest.mark.both
def test_a_value_that_is_not_given_is_an_error(app: Flask):
    with pytest.raises((KeyError, StatementError)):
        read(FOUND, {})


def test_a_list_of_values_is_refused(app: Flask):
    many = select(Throttle.key).where(Throttle.key.in_(bindparam("keys", expanding=True)))
    with pytest.raises(TypeError, match="another text each time"):
        read(many, {"keys": ["pintu"]})


def test_a_statement_is_compiled_once(app: Flask):
    read(FOUND, {"key": "pintu"})
    before = prepared.prepared.cache_info()
    read(FOUND, {"key": "jendela"})
    after = prepared.prepared.cache_info()
    assert (after.misses, after.hits) == (before.misses, before.hits + 1)
