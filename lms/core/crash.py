"""Lets a test kill this process at a marked point, to see what is left. Does nothing otherwise."""

import os
import signal

_passed: dict[str, int] = {}


def crash_point(number: int) -> None:
    """Die here as by `kill -9` when SULUH_CRASH_AT names this point.

    `3` dies when point 3 is first reached, `3:2` when it is reached the second time.
    """
    asked = os.environ.get("SULUH_CRASH_AT")
    if not asked:
        return
    point, _, nth = asked.partition(":")
    if point == str(number):
        _passed[asked] = _passed.get(asked, 0) + 1
        if _passed[asked] == int(nth or 1):
            os.kill(os.getpid(), signal.SIGKILL)
