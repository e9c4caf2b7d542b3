"""Connections are dealt out among processes that share a socket."""

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from waitress import create_server

from lms import dealing


@dataclass
class Fake:
    """A server that counts what it accepts."""

    active_channels: dict[int, object] = field(default_factory=dict)
    accepted: int = 0

    def readable(self) -> bool:
        return True

    def handle_accept(self) -> None:
        self.accepted += 1
        self.active_channels[self.accepted] = object()


@pytest.fixture
def pair(monkeypatch: pytest.MonkeyPatch) -> tuple[Fake, Fake]:
    monkeypatch.setattr(dealing, "PAUSE", 0)
    held, servers = dealing.Held(2), (Fake(), Fake())
    for place, one in enumerate(servers):
        dealing.share(one, held, place)
        assert one.readable()
    return servers


def test_who_holds_more_leaves_the_next_one_to_the_other(pair: tuple[Fake, Fake]):
    first, second = pair
    first.handle_accept()
    assert first.accepted == 1  # nobody holds fewer
    first.handle_accept()
    assert (first.accepted, second.accepted) == (1, 0)
    second.handle_accept()
    first.handle_accept()
    assert (first.accepted, second.accepted) == (2, 1)


def test_a_connection_that_ended_is_not_counted_any_more(pair: tuple[Fake, Fake]):
    first, _second = pair
    first.handle_accept()
    first.active_channels.clear()
    assert first.readable()
    first.handle_accept()
    assert first.accepted == 2


def test_nobody_waits_for_a_process_that_hangs(pair: tuple[Fake, Fake]):
    first, second = pair
    first.handle_accept()
    began, looks = time.monotonic(), 0
    while first.accepted == 1:
        first.handle_accept()
        looks += 1
        assert time.monotonic() < began + 5
    assert looks > 1
    assert time.monotonic() >= began + dealing.PATIENCE
    assert (first.accepted, second.accepted) == (2, 0)


def test_each_connection_is_looked_at_anew(pair: tuple[Fake, Fake], monkeypatch):
    monkeypatch.setattr(dealing, "FORGOTTEN", 0.001)
    monkeypatch.setattr(dealing, "PATIENCE", 0.01)
    first, _second = pair
    first.handle_accept()
    for _ in range(10):  # the other takes each of them
        first.handle_accept()
        time.sleep(0.003)
    assert first.accepted == 1


def test_nobody_waits_for_a_process_that_is_gone_or_not_yet_there():
    held = dealing.Held(3)
    assert all(held.is_least(place) for place in range(3))
    held.note(0, 7)
    assert held.is_least(0)
    held.note(1, 3)
    assert not held.is_least(0)
    held.leave(1)
    assert held.is_least(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes share a socket only after a fork")
def test_kept_connections_are_shared_evenly_by_two_processes():
    with socket.create_server(("127.0.0.1", 0)) as opened:
        held, children = dealing.Held(2), []
        for place in range(2):
            child = os.fork()
            if not child:
                with suppress(BaseException):
                    _serve(opened, held, place)
                os._exit(0)
            children.append(child)
        until(lambda: held._counts.tolist() == [0, 0])  # both accept
        address = opened.getsockname()
        callers = [socket.create_connection(address, 5) for _ in range(20)]
        try:
            for one in callers:
                one.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                time.sleep(0.01)
            said = [one.recv(1000).rpartition(b"\r\n")[2] for one in callers]
        finally:
            for child in children:
                os.kill(child, 9)
                os.waitpid(child, 0)
            for one in callers:
                one.close()
        assert set(said) == {b"0", b"1"}
        assert 8 <= said.count(b"0") <= 12


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _serve(opened: socket.socket, held: dealing.Held, place: int) -> None:
    def app(_environ, start):
        start("200 OK", [("Content-Length", "1")])
        return [str(place).encode()]

    server = create_server(app, sockets=[opened], threads=1)
    dealing.share(server, held, place)
    server.run()
