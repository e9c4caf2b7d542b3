"""The load counts what it says, and no bar can be passed by asking for less or looking away."""

import json
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bench import load, processes
from bench.bars import KILLED, NEVER, QUIET, SOAK, wrong_with
from bench.watch import Sample, Watch, growth
from tests.conftest import SqliteHome
from tests.faults import ledger
from tests.test_server import free_port

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="CPU and memory are read as Linux counts them"
)
GOOD: dict[str, Any] = {
    **dict.fromkeys(NEVER, 0),
    "seconds": 60, "acked": 6000, "verify": 200, "checks": 11_900, "kill_every": 0, "kills": 0,
    "p95_ms": 20.0, "p99_ms": 50.0, "longest_ms": 90.0, "submit_p95_ms": 80.0,
    "verify_p95_ms": 30.0, "errors": 0, "soak": None,
}  # fmt: skip


def test_a_good_run_passes():
    assert wrong_with(GOOD) == []
    assert wrong_with(GOOD | {"verify": 0, "checks": 0, "verify_p95_ms": None}) == []
    killed = {"kill_every": 0.8, "kills": 70, "errors": 300, "p95_ms": 900.0, "longest_ms": 3000.0}
    assert wrong_with(GOOD | killed) == []


@pytest.mark.parametrize("name", NEVER)
def test_what_must_never_be_fails_in_every_form(name: str):
    assert wrong_with(GOOD | {name: 1}) == [f"{name}: 1"]
    assert wrong_with(GOOD | {name: 1, "kill_every": 0.8, "kills": 70}) == [f"{name}: 1"]


@pytest.mark.parametrize(("name", "bar"), QUIET.items())
def test_each_bar_can_be_missed(name: str, bar: float):
    assert wrong_with(GOOD | {name: bar}) == []
    assert wrong_with(GOOD | {name: bar + 1}) == [f"{name}: {bar + 1:g}, bar {bar:g}"]


def test_a_run_that_did_too_little_proves_nothing():
    assert wrong_with(GOOD | {"acked": 599}) == ["only 599 answers: that proves nothing"]
    assert wrong_with(GOOD | {"checks": 10_000}) == ["only 10000 checks of 12000"]
    killed = {"kill_every": 0.8, "kills": 30}
    assert wrong_with(GOOD | killed) == ["only 30 kills"]


def test_who_waits_too_long_after_a_kill_is_seen():
    killed = {"kill_every": 0.8, "kills": 70, "longest_ms": KILLED["longest_ms"] + 1}
    assert wrong_with(GOOD | killed) == ["longest_ms: 5001, bar 5000"]


def samples(count: int = 180, leak: float = 0, files: float = 0, wal: float = 8) -> list[Sample]:
    """A run that fills its caches first; `leak` MiB and `files` are added at each look."""
    return [
        Sample(
            at=10.0 * number,
            pss_mib=110 + min(number, 12) + leak * number + number % 3,
            files=40 + number % 5 + int(files * number),
            wal_mib=wal if number == 77 else 4,
        )
        for number in range(count)
    ]


def soaked(**planted: float) -> list[str]:
    found = growth(samples(**planted))
    return wrong_with(GOOD | {"soak": {name: getattr(found, name) for name in SOAK}})


def test_a_soak_sees_a_leak_and_nothing_else():
    assert soaked() == []
    assert soaked(leak=0.02) == []  # 2.7 %
    (memory,) = soaked(leak=0.05)
    assert memory == "pss_percent: 5.8, bar 5"
    (files,) = soaked(files=0.1)
    assert files == "files_more: 15, bar 10"
    (wal,) = soaked(wal=65)
    assert wal == "wal_most_mib: 65, bar 64"


def test_a_soak_that_hardly_looked_says_so():
    with pytest.raises(ValueError, match="19 looks are too few"):
        growth(samples(count=19))


def test_the_watch_reads_memory_files_and_the_log(tmp_path: Path):
    log = tmp_path / "wal"
    watch = Watch(os.getpid(), free_port(), log, 0.01)
    assert watch.look(0).wal_mib == 0
    log.write_bytes(bytes(3 * 1024 * 1024))
    with watch.running():
        deadline = time.monotonic() + 20
        while not watch.samples:
            assert time.monotonic() < deadline
            time.sleep(0.01)
    found = watch.samples[0]
    assert (found.wal_mib, found.files > 0, found.pss_mib > 10) == (3, True, True)


def test_who_is_connected_is_counted_apart():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert processes.connections(port) == 0
        with socket.create_connection(("127.0.0.1", port)), listening.accept()[0]:
            assert processes.connections(port) == 1


def test_open_files_are_counted(tmp_path: Path):
    before = processes.open_files([os.getpid()])
    with (tmp_path / "one").open("w"), (tmp_path / "two").open("w"):
        assert processes.open_files([os.getpid()]) == before + 2


def test_only_one_of_several_workers_is_killed(capsys: pytest.CaptureFixture[str]):
    assert load.parse(["--kill-every", "0.8"]).workers == 2
    assert load.parse([]).seconds == 60
    assert load.parse(["--soak"]).seconds == 1800
    with pytest.raises(SystemExit):
        load.parse(["--kill-every", "0.8", "--workers", "1"])
    assert "several" in capsys.readouterr().err


def test_a_short_run_with_kills_and_checks(
    sqlite_home: SqliteHome, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """Times are no matter here: the machine does other things meanwhile."""
    monkeypatch.setattr(ledger, "make_template", lambda _folder: sqlite_home.template)
    monkeypatch.setattr(load, "LAST", 0.5)
    asked = ["--people", "8", "--rate", "40", "--seconds", "4", "--verify", "20",
             "--kill-every", "0.8"]  # fmt: skip
    # Apart: the browser of earlier tests keeps this thread's loop of events.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(load.main, asked).result()
    found = json.loads(capsys.readouterr().out)
    assert {name: found[name] for name in NEVER} == dict.fromkeys(NEVER, 0)
    assert found["acked"] >= 40
    assert found["kills"] >= 2
    assert found["checks"] >= 60
    assert 0 < found["p50_ms"] <= found["p95_ms"] <= found["longest_ms"]
    assert found["cores"]["server"] > 0
    assert found["statuses"]["302"] == 8
