"""Whose lines are counted: counting makes code half as slow again, so walks and servers go without.

Python before 3.12 can only count by looking at every step of every module.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import coverage

ROOT = Path(__file__).parents[1]


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
    if counted is not None and sys.gettrace() is None:
        counted.stop()
        counted.start()


def unmeasured(**more: str) -> dict[str, str]:
    """Return the environment of a process whose coverage is not counted.

    Counting makes every page of a journey twice as slow, and says nothing other tests do not.
    """
    left = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_PROCESS")}
    return left | {"PYTHONPATH": str(ROOT)} | more
