"""How the tests keep their time: where they store, and what is not counted."""

import os
import sys
import tempfile
from pathlib import Path

import coverage
import pytest

from tests import memory, pace
from tests.measure import uncounted, unmeasured


def step(name: str) -> None:
    if name == "before":
        assert sys.gettrace() is not None
    elif name == "within":
        assert sys.gettrace() is None
    elif name == "after":
        assert sys.gettrace() is not None


def test_lines_of_a_walk_are_not_counted_and_those_after_it_are():
    own = coverage.Coverage(data_file=None, config_file=False, include=[__file__])
    own.set_option("run:disable_warnings", ["already-imported"])
    own.start()
    try:
        step("before")
        with uncounted():
            step("within")
        step("after")
    finally:
        own.stop()
    counted = own.get_data().lines(__file__) or []
    first = step.__code__.co_firstlineno
    assert {2, 6} <= {line - first for line in counted}
    assert 4 not in {line - first for line in counted}


@pytest.mark.walk
def test_a_test_marked_as_a_walk_is_not_counted():
    assert sys.gettrace() is None


def test_a_server_of_a_test_is_not_counted(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COVERAGE_PROCESS_CONFIG", "x")
    found = unmeasured(SULUH_DEMO="1")
    assert "COVERAGE_PROCESS_CONFIG" not in found
    assert (found["SULUH_DEMO"], found["PATH"]) == ("1", os.environ["PATH"])


def test_memory_is_taken_only_where_there_is_enough_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(tempfile, "tempdir", None)
    usual = tempfile.gettempdir()
    assert memory.room(tmp_path, enough=1) == str(tmp_path)
    assert memory.room(tmp_path, enough=1 << 60) == usual
    assert memory.room(tmp_path / "none", enough=1) == usual
    monkeypatch.setenv("TMPDIR", str(tmp_path / "mine"))
    (tmp_path / "mine").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", None)
    assert memory.room(tmp_path, enough=1) == str(tmp_path / "mine")


def test_the_files_that_took_longest_are_named_with_all_their_tests():
    def report(name: str, seconds: float) -> pytest.TestReport:
        return pytest.TestReport(name, ("", 0, ""), {}, "passed", None, "call", duration=seconds)

    made = [report("a.py::one", 1), report("b.py::two", 1.5), report("a.py::three", 2.25)]
    assert pace.slowest(made) == ["    3.2 s  a.py", "    1.5 s  b.py"]
    many = [report(f"{n}.py::one", n) for n in range(40)]
    assert len(pace.slowest(many)) == pace.SHOWN
    assert pace.slowest(many)[0].endswith(" 39.py")


@pytest.mark.both
def test_postgresql_and_walks_begin_before_the_rest(request, engine_name: str):
    assert pace.first(request.node) == {"postgresql": 1, "sqlite": 3}[engine_name]
    request.node.add_marker("walk")
    assert pace.first(request.node) == {"postgresql": 1, "sqlite": 2}[engine_name]
    request.node.add_marker("browser")
    assert pace.first(request.node) == 0
