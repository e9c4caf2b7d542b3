"""Row 12: the server has stored an answer, and the word of it never arrives."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import SqliteHome
from tests.faults import ledger
from tests.operations.faults import ROOT, Crowd


@pytest.fixture
def crowd(sqlite_home: SqliteHome, tmp_path: Path) -> Iterator[Crowd]:
    """Three people of an installation, who do not answer yet."""
    found = ledger.begin(sqlite_home.template, tmp_path, 3)
    yield found
    found.stop()


def test_an_answer_sent_again_is_the_same_answer(crowd: Crowd, tmp_path: Path):
    run = ledger.drop_answers(crowd, tmp_path, 150, seed=2)
    print(f"\n{run.row('3 of 10 answers dropped')}")
    assert run.is_good(floor=150), run
    assert run.faults >= 30
    assert run.crowd.replayed > 0


def test_without_the_key_the_same_run_goes_red(crowd: Crowd, tmp_path: Path):
    ledger.forget_the_key(tmp_path)
    run = ledger.drop_answers(crowd, tmp_path, 40, seed=2, program=ledger.NAIVE)
    book = run.report.ledger
    assert book is not None
    assert book.duplicated > 0
    assert not run.is_good(floor=1)
    assert {one.about for one in run.report.problems} == {"answer"}


def test_the_start_refuses_tables_without_the_key(crowd: Crowd, tmp_path: Path):
    ledger.forget_the_key(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "lms", "serve", "--port", "1"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode != 0
    assert "differ from what the last migration made" in done.stderr
