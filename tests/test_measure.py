"""How the tests keep their time: where they store, and what is not counted."""

import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

from tests import memory, pace
from tests.measure import ROOT, unmeasured

PROBE = """
import sys
from tests.measure import uncounted

def step(name):
    if name == "before":
        assert sys.gettrace() is not None
    elif name == "within":
        assert sys.gettrace() is None
    elif name == "after":
        assert sys.gettrace() is not None

step("before")
with uncounted():
    step("within")
step("after")
"""


def test_lines_of_a_walk_are_not_counted_and_those_after_it_are(tmp_path: Path):
    # In a process of its own: a second count within one that is counted stops the first for good.
    probe = tmp_path / "probe.py"
    probe.write_text(PROBE)
    run = functools.partial(
        subprocess.run, check=True, cwd=tmp_path, env=unmeasured(COVERAGE_RCFILE=os.devnull)
    )
    run([sys.executable, "-m", "coverage", "run", probe.name])
    run([sys.executable, "-m", "coverage", "json", "-q", "-o", "found.json"])
    counted = json.loads((tmp_path / "found.json").read_text())["files"]["probe.py"]
    text = PROBE.splitlines()
    found = {text[line - 1].strip() for line in counted["executed_lines"]}
    assert 'elif name == "after":' in found
    missing = {text[line - 1].strip() for line in counted["missing_lines"]}
    # Counting begins again with the next function that is called.
    assert missing == {"assert sys.gettrace() is None", 'step("within")', 'step("after")'}


DOORS = """
from tests.apart import apart, seen

def machine(called):
    for one in called:
        one()
    if not called:
        raise ValueError

def listener():
    found.append("heard")

def work():
    door = apart(machine)
    door([seen(listener)])
    found.append("after the door")
    try:
        door([])
    except ValueError:
        found.append("after an error")
    apart(list)(given() for _once in [1])

def given():
    found.append("given, and run behind the door")

found = []
work()
assert len(found) == 4
"""


def test_behind_a_door_nobody_counts_and_before_and_after_it_all_is_counted(tmp_path: Path):
    probe = tmp_path / "probe.py"
    probe.write_text(DOORS)
    env = unmeasured(COVERAGE_RCFILE=os.devnull, COVERAGE_CORE="ctrace")
    run = functools.partial(subprocess.run, check=True, cwd=tmp_path, env=env)
    run([sys.executable, "-m", "coverage", "run", "--include=probe.py", probe.name])
    run([sys.executable, "-m", "coverage", "json", "-q", "-o", "found.json"])
    counted = json.loads((tmp_path / "found.json").read_text())["files"]["probe.py"]
    lines = DOORS.splitlines()
    missing = [lines[line - 1].strip() for line in counted["missing_lines"]]
    assert missing == ["for one in called:", "one()", "if not called:", "raise ValueError"]


ENDED = """
import sys
import coverage
from tests.measure import count_on, is_counting

counted = coverage.Coverage.current()
found = [is_counting(counted)]
sys.settrace(None)
found.append(is_counting(counted))
count_on()
found.append(is_counting(counted))
print(found)
"""


def test_counting_goes_on_after_a_test_that_has_ended_it(tmp_path: Path):
    (tmp_path / "ended.py").write_text(ENDED)
    done = subprocess.run(
        [sys.executable, "-m", "coverage", "run", str(tmp_path / "ended.py")],
        check=True,
        cwd=ROOT,
        env=unmeasured(COVERAGE_FILE=str(tmp_path / "data")),
        capture_output=True,
        text=True,
    )
    assert done.stdout.split("\n")[0] == "[True, False, True]", done.stdout


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


def test_what_one_process_has_rewritten_the_others_find(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    files = [tmp_path / f"test_{name}.py" for name in "abc"]
    for path in files:
        path.write_text("def test_one():\n    assert 1 + 1 == 2\n")
    done = [rewrite.get_cache_dir(path) / f"{path.stem}{rewrite.PYC_TAIL}" for path in files]
    done[1].parent.mkdir()
    done[1].write_bytes(b"of another process")
    pace.rewrite_ahead(request.config, 1, 3, tmp_path)
    assert done[1].read_bytes() == b"of another process"
    assert [rewrite._read_pyc(*pair) is not None for pair in zip(files, done, strict=True)] == [
        True,
        False,
        True,
    ]
