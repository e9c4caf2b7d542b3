"""Row 1: a worker is killed in the middle of a request. What was acknowledged is there, once.

That the only process is killed is tested beside the other faults of a whole server (row 2).
"""

import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.conftest import SqliteHome
from tests.faults import ledger
from tests.operations.faults import Crowd, serving
from tests.operations.test_faults_server import LAZY
from tests.postgres import start_server
from tests.test_server import children, is_running


@pytest.fixture
def crowd(sqlite_home: SqliteHome, tmp_path: Path) -> Iterator[Crowd]:
    """Four people of an installation, who do not answer yet."""
    found = ledger.begin(sqlite_home.template, tmp_path, 4)
    yield found
    found.stop()


def rows(folder: Path) -> list[tuple[int, int]]:
    """Return how many answers are stored, and how many different ones."""
    with closing(sqlite3.connect(folder / "instance" / "suluh.sqlite3")) as connection:
        return connection.execute(
            "SELECT count(*), count(DISTINCT attempt_id || ' ' || client_key) FROM answer_event"
        ).fetchall()


def test_a_worker_killed_thirteen_times_loses_nothing(crowd: Crowd, tmp_path: Path):
    run = ledger.kill_workers(crowd, tmp_path, 13, every=5, seed=1)
    print(f"\n{run.row('13 workers killed')}, {run.died} requests died")
    assert run.is_good(floor=65), run
    assert run.died > 0, "no kill hit a request"
    ((stored, different),) = rows(tmp_path)
    # What was on its way when the run ended may be stored without anybody knowing.
    assert stored == different >= run.crowd.acked


def test_an_ack_before_the_commit_goes_red(crowd: Crowd, tmp_path: Path):
    run = ledger.kill_workers(crowd, tmp_path, 2, every=15, seed=1, program=LAZY)
    book = run.report.ledger
    assert book is not None
    assert book.lost > 0
    assert not run.is_good(floor=1)


def test_a_worker_in_front_of_postgresql_killed_four_times_loses_nothing(tmp_path: Path):
    with start_server(fsync="on", full_page_writes="on") as server:
        crowd, url = ledger.begin_elsewhere(server, tmp_path, 4), server.url("suluh")
        try:
            run = ledger.kill_workers(crowd, tmp_path, 4, every=5, seed=1, url=url)
            print(f"\n{run.row('4 workers killed, PostgreSQL')}, {run.died} requests died")
            assert run.is_good(floor=20), run
            assert run.died > 0, "no kill hit a request"
            # The planted bug, by the same people: said to be saved before it is.
            lazy = Crowd(crowd.trainees, crowd.send, tmp_path / "lazy.jsonl")
            crowd = lazy
            run = ledger.kill_workers(lazy, tmp_path, 1, every=15, seed=1, program=LAZY, url=url)
        finally:
            crowd.stop()
    assert run.report.ledger is not None
    assert run.report.ledger.lost > 0


def test_a_ledger_of_too_few_answers_proves_nothing(crowd: Crowd, tmp_path: Path):
    crowd.ledger.touch()
    assert not ledger.Run(ledger.compare(crowd, tmp_path), crowd, 0, 0).is_good(floor=1)


def test_a_killed_worker_is_replaced_and_all_end_with_the_first(crowd: Crowd, tmp_path: Path):
    with serving(tmp_path, "--workers", "2") as site:
        before = children(site.process.pid)
        assert len(before) == 2
        os.kill(before[0], signal.SIGKILL)
        end = time.monotonic() + 30
        while len(found := set(children(site.process.pid)) - {before[0]}) < 2:
            assert time.monotonic() < end, site.printed
            time.sleep(0.02)
        assert before[1] in found
        site.stop(signal.SIGKILL)  # it cannot tell them any more
        end = time.monotonic() + 30
        while any(is_running(worker) for worker in found):
            assert time.monotonic() < end, "workers outlive the process that started them"
            time.sleep(0.02)
    assert f"worker {before[0]} ended" in site.printed
