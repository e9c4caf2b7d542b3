"""Answers many kept connections at the cost of those that do something.

Waitress looks at every open connection each time anything happens on one: with 900 browsers at
their pages a request took twice the work, and when requests waited in many connections the server
grew slower the more of them there were, until it answered nobody in time. Linux can be told once
what is awaited of each. Here only the connections are looked at again on which something happened;
all of them once a second, when Waitress also closes the idle ones.
"""

import select
import threading
import time
from collections import deque
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer

SWEEP = 1.0
"""Seconds between two looks at everything."""


class Awaited(dict[int, Any]):
    """What is open, by its number: Waitress's map, which also tells the kernel what to wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.thread = 0
        """Of the loop: only there a connection may be closed."""
        self.changed: deque[Any] = deque()
        """Those that may await something else than before; any thread may add to it."""
        self._epoll = select.epoll()
        self._told: dict[int, int] = {}
        self._swept = 0.0

    def __setitem__(self, number: int, one: Any) -> None:
        super().__setitem__(number, one)
        self._told.pop(number, None)
        self.changed.append(one)

    def __delitem__(self, number: int) -> None:
        super().__delitem__(number)
        if self._told.pop(number, 0):
            self._epoll.unregister(number)

    def turn(self, server: BaseWSGIServer) -> None:
        """Wait until something happens, and let it be dealt with."""
        now = time.monotonic()
        if now >= self._swept + SWEEP:
            self._swept = now
            self.changed.extend(self.values())
        self.changed.append(server)  # it takes no more when it holds as many as it may
        while self.changed:
            self._tell(self.changed.popleft())
        for number, flags in self._epoll.poll(SWEEP):
            one = self.get(number)
            if one is not None:
                wasyncore.readwrite(one, flags)
                self.changed.append(one)

    def _tell(self, one: Any) -> None:
        number = one._fileno  # None once it is closed
        if number not in self or self[number] is not one:
            return
        flags = select.EPOLLIN if one.readable() else 0
        if one.writable() and not one.accepting:
            flags |= select.EPOLLOUT
        told = self._told.get(number, 0)
        if flags == told:
            return
        # One of which nothing is awaited is not watched: the kernel would still report its end.
        if not told:
            self._epoll.register(number, flags)
        elif not flags:
            self._epoll.unregister(number)
        else:
            self._epoll.modify(number, flags)
        self._told[number] = flags

    def close(self) -> None:
        """Let go of the kernel's list."""
        self._epoll.close()


class Connection(HTTPChannel):
    """One connection. The threads that answer say when it awaits something else."""

    def handle_close(self) -> None:
        """Close it; another thread than the loop's only says that it has to be closed."""
        if threading.get_ident() == self._map.thread:
            super().handle_close()
            return
        with self.outbuf_lock:
            self.connected, self.will_close = False, True
        self._note()

    def service(self) -> None:
        """Answer one request."""
        try:
            super().service()
        finally:
            self._note()

    def write_soon(self, data: Any) -> int:
        """Send what the kernel takes now; the rest waits until it takes more."""
        try:
            sent: int = super().write_soon(data)
        finally:
            if self.total_outbufs_len:
                self._note()
        return sent

    def _note(self) -> None:
        self._map.changed.append(self)
        self.server.pull_trigger()


def run(server: BaseWSGIServer, awaited: Awaited) -> None:
    """Answer until SIGINT or SIGTERM."""
    server.channel_class = Connection
    awaited.thread = threading.get_ident()
    try:
        while awaited:
            awaited.turn(server)
    except (SystemExit, KeyboardInterrupt):
        server.task_dispatcher.shutdown()
    finally:
        awaited.close()
