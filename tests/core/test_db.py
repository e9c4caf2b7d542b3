"""The unit of work and moments, on both databases."""

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from lms.accounts.models import Person
from lms.core.db import NaiveMoment, UtcDateTime, db, give_back, unit_of_work
from lms.core.models import Throttle
from tests import factories

NOW = factories.NOW


@pytest.mark.both
def test_moments_come_back_aware_and_in_utc(app: Flask):
    wib = timezone(timedelta(hours=7))
    made = factories.person(now=datetime(2026, 3, 2, 15, 0, tzinfo=wib))
    found = db.session.scalar(select(Person.created_at).where(Person.id == made.id))
    assert found == datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    assert found.tzinfo is UTC


def test_a_naive_moment_is_refused():
    with pytest.raises(NaiveMoment):
        UtcDateTime().process_bind_param(datetime(2026, 1, 1), None)  # noqa: DTZ001


@pytest.mark.both
def test_an_error_inside_the_unit_leaves_nothing_behind(app: Flask):
    def break_off() -> None:
        with unit_of_work():
            db.session.add(Throttle(key="a", failures=1, last_at=NOW))
            db.session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        break_off()
    assert db.session.scalar(select(func.count()).select_from(Throttle)) == 0


@pytest.mark.both
def test_two_requests_that_read_and_then_write_both_succeed(bare_app: Flask):
    """SQLite would answer "database is locked" to a read transaction that turns into a write."""
    barrier, failures = threading.Barrier(2), []

    def request(key: str) -> None:
        try:
            with bare_app.app_context():
                db.session.scalars(select(Throttle)).all()
                barrier.wait(5)
                with unit_of_work():
                    db.session.add(Throttle(key=key, failures=1, last_at=NOW))
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=request, args=(key,)) for key in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with bare_app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Throttle)) == 2


def test_sqlite_survives_a_power_cut(app: Flask):
    assert db.session.execute(text("PRAGMA synchronous")).scalar() == 2
    assert db.session.execute(text("PRAGMA journal_mode")).scalar() == "wal"
    assert db.session.execute(text("PRAGMA foreign_keys")).scalar() == 1


@pytest.mark.both
def test_a_connection_that_forgets_its_pages_goes_back_and_serves_on(app: Flask):
    db.session.rollback()
    before = db.engine.pool.checkedout()  # type: ignore[attr-defined]
    give_back(db.engine)
    assert db.engine.pool.checkedout() == before  # type: ignore[attr-defined]
    assert db.session.scalar(text("SELECT 1")) == 1
