"""The bench counts what it says and stops at anything wrong. The figures are no matter here."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bench import processes
from bench.client import Client, Wrong
from bench.measure import lines, measure
from bench.scenarios import CEILING, Operation, People, Scenario, Visit, scenarios
from bench.seed import Seeded
from bench.servers import Target, ceiling

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="CPU and memory are read as Linux counts them"
)
SEEDED = Seeded({25: "melati"}, "t@x.test", ("a@x.test",), ("b@x.test",), (("c@x.test", "C"),), {})


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """The smallest page there is, in a process of its own."""
    path = tmp_path_factory.mktemp("bench") / "ceiling.sqlite3"
    with ceiling(f"sqlite:///{path}", None) as found:
        yield found


def test_an_operation_is_counted_with_the_work_of_the_server(target: Target):
    before = processes.cpu_ms(target.roots)
    page = replace(CEILING[0], count=200)
    found = measure(target, page, SEEDED, People(SEEDED), rounds=1, at_once=2)
    assert processes.cpu_ms(target.roots) > before
    row = found.as_json()
    assert row["operations"] == 200
    assert 0 < row["cpu_ms"] < 100
    assert row["p50_ms"] <= row["p95_ms"]
    assert next(line for line in lines([found]) if "smallest page" in line)
    assert processes.pss_mib(target.roots) > 10


def test_a_page_without_its_content_stops_the_run(target: Target):
    client = Client("127.0.0.1", target.port)
    assert client.get("/page?n=7", "</html>").status == 200  # the positive control
    with pytest.raises(Wrong, match="without 'tercapai'"):
        client.get("/page?n=7", "tercapai")
    with pytest.raises(Wrong, match="404 instead of 200"):
        client.get("/nowhere")

    def begin(visit: Visit, _count: int) -> Operation:
        return lambda: (visit.client.get("/page?n=7", "tercapai"), None)[1]

    wrong = Scenario("wrong", None, 4, begin)
    with pytest.raises(Wrong, match="wrong: GET"):
        measure(target, wrong, SEEDED, People(SEEDED), rounds=1, at_once=2)
    client.close()


def test_nobody_sits_the_quiz_twice():
    people = People(SEEDED)
    assert people.beginner() == "b@x.test"
    with pytest.raises(Wrong, match="everybody has sat"):
        people.beginner()


def test_every_bar_of_the_budget_is_asked_for():
    bars = {one.name.split(",")[0]: one.bar for one in scenarios((25, 250, 2500)) if one.bar}
    assert sorted(bars.values()) == [3, 5, 6, 10, 25, 35, 35, 150, 600]


def test_the_tree_of_a_process_holds_its_children():
    found = processes.tree([os.getppid()])
    assert os.getpid() in found
    assert processes.parent_of(os.getpid()) == os.getppid()
    assert Path(f"/proc/{os.getpid()}").exists()
