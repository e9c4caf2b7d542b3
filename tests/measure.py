"""Whose lines are counted: counting makes code half as slow again, so walks and servers go without.

Python before 3.12 can only count by looking at every step of every module.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import coverage

from lms.core import ids

ROOT = Path(__file__).parents[1]
CANARY = ids.__file__
"""A file of which something runs to see whether it is counted."""


@contextmanager
def uncounted() -> Iterator[None]:
    """Count no lines until the block ends."""
    stopped = []
    while (counted := coverage.Coverage.current()) is not None:
        counted.stop()
        stopped.append(counted)
    try:
        yield
    finally:
        for counted in reversed(stopped):
            counted.start()


def count_on() -> None:
    """Go on counting where a test has ended it.

    Python takes a tracer away that raises, as in code that runs out of stack on purpose. Nothing
    of the tests after it was counted then, until a walk began to count anew.
    """
    counted = coverage.Coverage.current()
    if counted is not None and not is_counting(counted):
        counted.stop()
        counted.start()


def is_counting(counted: coverage.Coverage) -> bool:
    """Tell whether a line that runs now is counted; `sys.gettrace` may say so when none is."""
    collector = counted._collector
    if collector is None:
        return False
    before = collector.data.pop(CANARY, None)
    ids.public_id()
    now = collector.data.get(CANARY)
    if before is not None:
        collector.data[CANARY] = before
    return bool(now)


def unmeasured(**more: str) -> dict[str, str]:
    """Return the environment of a process whose coverage is not counted.

    Counting makes every page of a journey twice as slow, and says nothing other tests do not.
    """
    left = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_PROCESS")}
    return left | {"PYTHONPATH": str(ROOT)} | more
