"""PostgreSQL is killed while people answer: 503 meanwhile, and nothing acknowledged is lost."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask

from lms.app import create_app
from lms.core.db import db
from lms.operations import preflight
from tests.conftest import _config, _prepare
from tests.operations.faults import Crowd, enrol, in_process, judge
from tests.postgres import Server, start_server


@contextmanager
def office(**settings: object) -> Iterator[tuple[Server, Flask]]:
    """A server of its own that keeps what it confirms, unless `settings` say otherwise."""
    durable = {"fsync": "on", "full_page_writes": "on"}
    with start_server(**(durable | settings)) as server:
        server.create("suluh")
        app = create_app(_config(server.url("suluh"), secret_key="x" * 40))
        _prepare(app)
        try:
            yield server, app
        finally:
            with app.app_context():
                db.engine.dispose()


def answer_and_kill(
    server: Server, app: Flask, ledger: Path, times: int, *, goes_on: bool = True
) -> Crowd:
    """Kill the database while people answer, start it again, and let them go on."""
    crowd = Crowd(enrol(app, 2), in_process(app), ledger)
    crowd.start()
    try:
        for _ in range(times):
            crowd.wait_for(15)
            server.process.kill()
            time.sleep(0.3)  # people meet a database that is not there
            server.restart()
        if goes_on:
            crowd.wait_for(10)
    finally:
        crowd.stop()
    return crowd


def test_after_each_kill_everything_acknowledged_is_there(tmp_path: Path):
    with office() as (server, app):
        with app.app_context():
            preflight.check(db.engine)
        crowd = answer_and_kill(server, app, tmp_path / "ledger.jsonl", times=2)
        report = judge(app.extensions["suluh"], crowd.ledger)
    assert crowd.statuses.count(503) > 0
    assert set(crowd.statuses) <= {200, 503}
    assert report.agrees(floor=40), report


def test_a_database_that_confirms_before_it_writes_is_found(tmp_path: Path):
    """The planted bug: synchronous_commit = off, which the start refuses."""
    slow = {"synchronous_commit": "off", "wal_writer_delay": "10s"}
    with office(**slow) as (server, app):
        with (
            app.app_context(),
            pytest.raises(preflight.Unsafe, match="synchronous_commit = on"),
        ):
            preflight.check(db.engine)
        # Even the sessions of these people are lost: they cannot go on.
        crowd = answer_and_kill(server, app, tmp_path / "ledger.jsonl", 1, goes_on=False)
        report = judge(app.extensions["suluh"], crowd.ledger)
    assert report.ledger is not None
    assert report.ledger.lost > 0
