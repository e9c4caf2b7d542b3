"""How a run on several processes keeps its time: what begins first, and which files took long."""

import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest
from _pytest.assertion import rewrite

SHOWN = 12
"""Files named at the end."""
LOOKS = (10_000, 10, 20)
"""How often Python looks for what nobody needs: seldom, a test leaves little."""


def rewrite_ahead(
    config: pytest.Config, place: int, workers: int, folder: Path = Path(__file__).parent
) -> None:
    """Do a part of what pytest does with every `assert` before the other processes come to it.

    All collect the same files in the same order, and on a new machine each would rewrite them
    all, at the same time. So each begins elsewhere, and leaves out what it finds done.
    """
    if sys.dont_write_bytecode:
        return
    files = sorted(folder.rglob("test_*.py"))
    begin = len(files) * place // workers
    for path in files[begin:] + files[:begin]:
        cache = rewrite.get_cache_dir(path)
        done = cache / f"{path.stem}{rewrite.PYC_TAIL}"
        if done.exists() and done.stat().st_mtime > path.stat().st_mtime:
            continue
        cache.mkdir(exist_ok=True)
        digest, code = rewrite._rewrite_test(path, config)
        rewrite._write_pyc(config.stash[rewrite.assertstate_key], code, digest, done)


def first(item: pytest.Item) -> int:
    """Return the place of a test: those before others begin before them, on the first process.

    Each process has its stretch of the list and takes from the end of the others' when its own is
    done. So journeys, which wait for a browser, share one installation, tests on PostgreSQL share
    one server, and what is long is not begun last.
    """
    if item.get_closest_marker("browser"):
        return 0
    params = getattr(getattr(item, "callspec", None), "params", {})
    if params.get("engine_name") == "postgresql" or "postgres" in getattr(item, "fixturenames", ()):
        return 1
    return 2 if item.get_closest_marker("walk") else 3


def slowest(reports: Iterable[pytest.TestReport]) -> list[str]:
    """Return a line for each of the files that took longest: seconds of all their tests."""
    seconds: dict[str, float] = defaultdict(float)
    for report in reports:
        seconds[report.nodeid.partition("::")[0]] += report.duration
    ranked = sorted(seconds.items(), key=lambda found: -found[1])
    return [f"{taken:7.1f} s  {name}" for name, taken in ranked[:SHOWN]]
