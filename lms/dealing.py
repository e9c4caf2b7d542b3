"""Deals connections out among the processes that listen on one socket.

Whoever has just worked wakes first, so of eight kept connections one process took seven. Here who
holds more than another leaves the next one to it, for a moment: nobody waits for a process that
hangs.
"""

import mmap
import time
from collections.abc import Callable
from typing import Protocol

PAUSE = 0.0005
"""Seconds between two looks whether somebody else has taken it."""
PATIENCE = 0.01
"""Seconds to look before taking it all the same."""
FORGOTTEN = 0.005
"""Seconds after which a look was for another connection."""
GONE = 2**32 - 1
"""Held by a process that does not accept: not any more, or not yet."""


class Held:
    """How many connections each process holds, in memory they share. Make it before they fork."""

    def __init__(self, processes: int) -> None:
        """Nobody accepts yet."""
        self._counts = memoryview(mmap.mmap(-1, 4 * processes)).cast("I")[:processes]
        for place in range(processes):
            self.leave(place)

    def note(self, place: int, count: int) -> None:
        """Say how many one process holds now."""
        self._counts[place] = count

    def leave(self, place: int) -> None:
        """Say that one process does not accept: nobody waits for it."""
        self._counts[place] = GONE

    def is_least(self, place: int) -> bool:
        """Tell whether no process holds fewer than this one."""
        return self._counts[place] <= min(self._counts)


class Server(Protocol):
    """What is needed of a server that waits for what can be read and then accepts."""

    active_channels: dict[int, object]
    readable: Callable[[], bool]
    handle_accept: Callable[[], None]


def share(server: Server, held: Held, place: int) -> None:
    """Let a server accept in turn with those in the other places."""
    readable, accept = server.readable, server.handle_accept
    since = looked = float("-inf")

    def note_and_wait() -> bool:
        held.note(place, len(server.active_channels))
        return readable()

    def accept_in_turn() -> None:
        nonlocal since, looked
        if not held.is_least(place):
            now = time.monotonic()
            if now > looked + FORGOTTEN:
                since = now  # the one before was taken by somebody else
            looked = now
            if now < since + PATIENCE:
                time.sleep(PAUSE)
                return  # it is asked again at once if the connection still waits
        looked = float("-inf")
        accept()
        held.note(place, len(server.active_channels))

    server.readable, server.handle_accept = note_and_wait, accept_in_turn
