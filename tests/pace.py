"""How a run on several processes keeps its time: what begins first, and which files took long."""

from collections import defaultdict
from collections.abc import Iterable

import pytest

SHOWN = 12
"""Files named at the end."""


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
