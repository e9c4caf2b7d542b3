"""Answers many kept connections at the cost of those that do something.

Waitress looks at every open connection each time anything happens on one: with 900 browsers at
their pages a request took twice the work, and when requests waited in many connections the server
grew slower the more of them there were, until it answered nobody in time. Linux can be told once
what is awaited of each. Here only the connections are looked at again on which something happened;
all of them once a second, when Waitress also closes the idle ones.

What happened on a connection is reported once; then the kernel is silent about it until it is told
anew. Whoever changes what is awaited tells it: a thread that has answered asks for the next request
itself, and the loop sleeps on.
"""

import select
import threading
import time
from collections import deque
from typing import Any

from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.server import BaseWSGIServer
from waitress.task import WSGITask

SWEEP = 1.0
"""Seconds between two looks at everything."""


class Awaited(dict[int, Any]):
    """What is open, by its number: Waitress's map, which also tells the kernel what to wait for."""

    def __init__(self) -> None:
        super().__init__()
        self.thread = 0
        """Of the loop: only there a connection may be closed."""
        self._changed: deque[Any] = deque()
        """Those that the loop has to look at."""
        self._epoll = select.epoll()
        self._told: dict[int, int] = {}
        """What the kernel waits for; nothing of those on which something has happened."""
        self._lock = threading.Lock()
        """For telling: a number that was given back may soon be another connection's."""
        self._swept = 0.0

    def __setitem__(self, number: int, one: Any) -> None:
        super().__setitem__(number, one)
        self._changed.append(one)

    def __delitem__(self, number: int) -> None:
        with self._lock:
            super().__delitem__(number)
            if self._told.pop(number, None) is not None:
                self._epoll.unregister(number)

    def turn(self, server: BaseWSGIServer) -> None:
        """Wait until something happens, and let it be dealt with."""
        now = time.monotonic()
        if now >= self._swept + SWEEP:
            self._swept = now
            self._changed.extend(self.values())
        self._changed.append(server)  # it takes no more when it holds as many as it may
        while self._changed:
            self.tell(self._changed.popleft())
        for number, flags in self._epoll.poll(SWEEP):
            one = self.get(number)
            if one is not None:
                self._told[number] = 0
                wasyncore.readwrite(one, flags)
                self._changed.append(one)

    def tell(self, one: Any) -> None:
        """Tell the kernel what is awaited of a connection now. Any thread may."""
        with self._lock:
            number = one._fileno  # None once it is closed
            if number not in self or self[number] is not one:
                return
            flags = select.EPOLLIN if one.readable() else 0
            if one.writable() and not one.accepting:
                flags |= select.EPOLLOUT
            told = self._told.get(number)
            if flags == (told or 0):
                return
            # Noted first: something may happen, and be noted, before the kernel has returned.
            self._told[number] = flags
            if told is None:
                self._epoll.register(number, flags | select.EPOLLONESHOT)
            else:
                self._epoll.modify(number, flags | select.EPOLLONESHOT)

    def close(self) -> None:
        """Let go of the kernel's list."""
        self._epoll.close()


class Answer(WSGITask):
    """The answer to one request. Its head leaves together with what follows."""

    wrote_header: bool

    def write(self, data: bytes) -> None:
        """Send a piece of it."""
        if self.complete and not self.wrote_header:
            self.channel.head = self.build_response_header()
            self.wrote_header = True
        super().write(data)
        if self.channel.head:
            self.channel.write_soon(b"")  # nothing follows


class Connection(HTTPChannel):
    """One connection. The threads that answer say when it awaits something else."""

    task_class = Answer
    head = b""
    """What has to be sent before anything else."""

    def handle_close(self) -> None:
        """Close it; another thread than the loop's only says that it has to be closed."""
        if threading.get_ident() == self._map.thread:
            super().handle_close()
            return
        with self.outbuf_lock:
            self.connected, self.will_close = False, True
        self._map.tell(self)

    def writable(self) -> bool:
        """Tell whether it waits for room. While a thread is writing, only that thread knows."""
        if not self.outbuf_lock.acquire(False):
            return False  # asked all the same, the loop would turn until the thread has written
        try:
            return bool(super().writable())
        finally:
            self.outbuf_lock.release()

    def service(self) -> None:
        """Answer one request."""
        try:
            super().service()
        finally:
            self._map.tell(self)

    def write_soon(self, data: Any) -> int:
        """Send what the kernel takes now; the rest waits until it takes more."""
        if self.head and isinstance(data, bytes):
            data, self.head = self.head + data, b""
        try:
            sent: int = super().write_soon(data)
        finally:
            if self.total_outbufs_len:
                self._map.tell(self)
        return sent


def run(server: BaseWSGIServer, awaited: Awaited) -> None:
    """Answer until SIGINT or SIGTERM."""
    server.channel_class = Connection
    server.pull_trigger = lambda: None  # the loop need not wake to tell the kernel
    awaited.thread = threading.get_ident()
    try:
        while awaited:
            awaited.turn(server)
    except (SystemExit, KeyboardInterrupt):
        server.task_dispatcher.shutdown()
    finally:
        awaited.close()
