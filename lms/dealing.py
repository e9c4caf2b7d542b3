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
LOOKS = 20
"""How often to look before taking it all the same: 10 ms."""


class Held:
    """How many connections each process holds, in memory they share. Make it before they fork."""

    def __init__(self, processes: int) -> None:
        """Nobody holds any."""
        self._counts = memoryview(mmap.mmap(-1, 4 * processes)).cast("I")[:processes]

    def note(self, place: int, count: int) -> None:
        """Say how many one process holds now."""
        self._counts[place] = count

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
    readable, accept, looked = server.readable, server.handle_accept, 0

    def note_and_wait() -> bool:
        held.note(place, len(server.active_channels))
        return readable()

    def accept_in_turn() -> None:
        nonlocal looked
        if not held.is_least(place) and looked < LOOKS:
            looked += 1
            time.sleep(PAUSE)
            return  # it is asked again at once if the connection still waits
        looked = 0
        accept()
        held.note(place, len(server.active_channels))

    server.readable, server.handle_accept = note_and_wait, accept_in_turn
