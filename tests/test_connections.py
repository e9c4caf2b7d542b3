"""Connections that do nothing cost nothing, and nothing that happens on one is overlooked."""

import select
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from typing import Any

import pytest
from waitress import create_server, wasyncore

from lms import connections

pytestmark = pytest.mark.skipif(not hasattr(select, "epoll"), reason="only Linux can be told")
LARGE = 20 * 1024 * 1024
"""More than any socket holds, and than Waitress keeps in memory."""


def application(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    """Answers `/large` with 20 MiB, everything else with the length of what was sent."""
    body = environ["wsgi.input"].read()
    if environ["PATH_INFO"] == "/nothing":
        start("204 No Content", [])
        return []
    start("200 OK", [("Content-Type", "text/plain")])
    if environ["PATH_INFO"] == "/large":
        return (bytes([number]) * (LARGE // 20) for number in range(20))
    if environ["PATH_INFO"] == "/slow":
        time.sleep(0.3)
    return [b"%d" % len(body)]


@contextmanager
def running(**options: Any) -> Iterator[tuple[int, connections.Awaited]]:
    """Serve `application` in a thread; yields the port and what is open."""
    awaited = connections.Awaited()
    given = {"host": "127.0.0.1", "port": 0, "threads": 4, "connection_limit": 400} | options
    server = create_server(application, map=awaited, **given)
    thread = threading.Thread(target=connections.run, args=(server, awaited), daemon=True)
    thread.start()
    try:
        yield server.effective_port, awaited
    finally:
        server.trigger.pull_trigger(lambda: wasyncore.close_all(awaited))
        thread.join(10)
        server.task_dispatcher.shutdown()
        assert not thread.is_alive()


@contextmanager
def asking(port: int) -> Iterator[Callable[..., bytes]]:
    """A browser with one kept connection."""
    browser = HTTPConnection("127.0.0.1", port, timeout=10)

    def ask(path: str = "/", body: bytes | None = None) -> bytes:
        browser.request("POST" if body is not None else "GET", path, body)
        answer = browser.getresponse()
        assert answer.status == 200
        return answer.read()

    try:
        yield ask
    finally:
        browser.close()


def idle(port: int, count: int, opened: ExitStack) -> list[socket.socket]:
    """Open connections that say nothing."""
    found = [socket.create_connection(("127.0.0.1", port), 10) for _ in range(count)]
    for one in found:
        opened.callback(one.close)
    return found


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_one_connection_answers_again_and_again():
    with running() as (port, _awaited), asking(port) as ask:
        for number in range(50):
            assert ask(body=bytes(number)) == b"%d" % number
        assert ask(body=bytes(3_000_000)) == b"3000000"


def test_idle_connections_are_not_looked_at(monkeypatch: pytest.MonkeyPatch):
    looks: list[object] = []
    real = connections.Connection.readable
    monkeypatch.setattr(connections, "SWEEP", 60)
    monkeypatch.setattr(
        connections.Connection, "readable", lambda self: (looks.append(self), real(self))[1]
    )
    with ExitStack() as opened, running() as (port, awaited), asking(port) as ask:
        idle(port, 200, opened)
        until(lambda: len(awaited) >= 202)
        ask()
        looks.clear()
        for _ in range(50):
            ask()
        assert 50 <= len(looks) < 500  # 20,000 if each was looked at with each request


def test_the_loop_wakes_once_for_a_request(monkeypatch: pytest.MonkeyPatch):
    turns: list[object] = []
    real = connections.Awaited.turn
    monkeypatch.setattr(connections, "SWEEP", 60)
    monkeypatch.setattr(
        connections.Awaited, "turn", lambda self, server: (turns.append(1), real(self, server))[1]
    )
    with running() as (port, _awaited), asking(port) as ask:
        ask()
        turns.clear()
        for _ in range(100):
            ask()
        assert 100 <= len(turns) <= 110  # not again when it is answered


def test_many_at_once_are_all_answered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(connections, "SWEEP", 60)  # it must not live on the sweeps
    answered: list[int] = []
    with running() as (port, _awaited):

        def browse() -> None:
            with asking(port) as ask:
                for number in range(100):
                    answered.append(int(ask(body=bytes(number))) - number)

        threads = [threading.Thread(target=browse) for _ in range(12)]
        for one in threads:
            one.start()
        for one in threads:
            one.join(30)
    assert answered == [0] * 1200


def test_a_short_answer_leaves_in_one_piece():
    with ExitStack() as opened, running() as (port, _awaited):
        (one,) = idle(port, 1, opened)
        for _ in range(20):
            one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            read = one.recv(65536)
            assert read.startswith(b"HTTP/1.1 200 OK")
            assert read.endswith(b"\r\n\r\n0")
        one.sendall(b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n")
        assert one.recv(65536).startswith(b"HTTP/1.1 204 No Content")


def test_a_large_answer_reaches_a_slow_reader_whole_while_others_are_served(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(connections, "SWEEP", 60)  # it must not live on the sweeps
    with ExitStack() as opened, running() as (port, _awaited), asking(port) as ask:
        (slow,) = idle(port, 1, opened)
        slow.sendall(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        time.sleep(0.3)
        assert ask() == b"0"
        read = bytearray()
        while piece := slow.recv(65536):
            read += piece
        assert read.count(bytes([19])) >= LARGE // 20
        assert len(read) > LARGE


def test_requests_sent_ahead_are_answered_in_turn():
    with ExitStack() as opened, running() as (port, _awaited):
        (one,) = idle(port, 1, opened)
        one.sendall(
            b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n" * 2
            + b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc"
        )
        read = b""
        while piece := one.recv(65536):
            read += piece
        assert read.count(b"HTTP/1.1 200 OK") == 3
        assert read.endswith(b"\r\n\r\n3")


def test_a_body_that_waits_to_be_asked_for_is_asked_for():
    with ExitStack() as opened, running() as (port, _awaited):
        (one,) = idle(port, 1, opened)
        one.sendall(
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        )
        assert one.recv(65536).startswith(b"HTTP/1.1 100 Continue")
        one.sendall(b"abcde")
        assert b"HTTP/1.1 200 OK" in one.recv(65536)


def test_an_urgent_byte_keeps_nobody_busy(caplog: pytest.LogCaptureFixture):
    with ExitStack() as opened, running() as (port, awaited), asking(port) as ask:
        (one,) = idle(port, 1, opened)
        until(lambda: len(awaited) >= 3)
        one.send(b"x", socket.MSG_OOB)
        spent = time.process_time()
        time.sleep(0.5)
        assert time.process_time() - spent < 0.25
        assert not caplog.records
        assert ask() == b"0"


def test_only_the_loop_closes_a_connection(monkeypatch: pytest.MonkeyPatch):
    closed: list[int] = []
    real = wasyncore.dispatcher.close

    def close(one: Any) -> None:
        if isinstance(one, connections.Connection):
            closed.append(threading.get_ident())
        real(one)

    monkeypatch.setattr(wasyncore.dispatcher, "close", close)
    monkeypatch.setattr(connections, "SWEEP", 60)
    with ExitStack() as opened, running() as (port, awaited), asking(port) as ask:
        (one,) = idle(port, 1, opened)
        until(lambda: len(awaited) == 3)
        (held,) = [found for found in awaited.values() if hasattr(found, "will_close")]
        held.handle_close()  # as an answering thread does whose reader is gone
        until(lambda: len(awaited) == 2)
        assert one.recv(1) == b""
        assert ask() == b"0"
        loop = awaited.thread
    assert set(closed) == {loop}
    assert loop != threading.get_ident()


def test_who_goes_away_is_let_go():
    with ExitStack() as opened, running() as (port, awaited), asking(port) as ask:
        ask()
        before = len(awaited)
        gone = idle(port, 30, opened)
        for one in gone[:10]:
            one.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        until(lambda: len(awaited) == before + 30)
        for one in gone:
            one.close()
        until(lambda: len(awaited) == before)
        assert ask() == b"0"


def test_who_comes_when_it_is_full_waits_for_one_to_go():
    # The listening socket and the pipe that wakes the server count too.
    with ExitStack() as opened, running(connection_limit=12) as (port, awaited):
        first = idle(port, 10, opened)
        until(lambda: len(awaited) == 12)
        with asking(port) as ask:
            timer = threading.Timer(0.3, first[0].close)
            timer.start()
            began = time.monotonic()
            assert ask() == b"0"
            assert time.monotonic() - began >= 0.2


def test_idle_connections_are_closed_in_the_end():
    options = {"channel_timeout": 1, "cleanup_interval": 1}
    with ExitStack() as opened, running(**options) as (port, awaited):
        silent = idle(port, 5, opened)
        until(lambda: len(awaited) == 7)
        until(lambda: len(awaited) == 2)
        assert silent[0].recv(1) == b""
