"""Starts what is measured, each in processes of its own: Suluh, and the ceiling beside it."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.client import Client, Wrong

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Target:
    """A server that answers, and the processes that do its work."""

    name: str
    port: int
    roots: tuple[int, ...]
    """Its own process first, then a database's, if that is another one."""
    start_seconds: float
    """From exec to the last byte of the first page."""

    def client(self) -> Client:
        """Return a new browser."""
        return Client("127.0.0.1", self.port)


@contextmanager
def running(
    name: str, command: Sequence[str], env: dict[str, str], port: int, page: str, root: int | None
) -> Iterator[Target]:
    """Run a server until the block ends. `root` is the database's process, if it has one."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env={**os.environ, **env},
        stdout=subprocess.DEVNULL,
    )
    try:
        _wait(process, port, page)
        seconds = time.perf_counter() - began
        roots = (process.pid,) if root is None else (process.pid, root)
        yield Target(name, port, roots, seconds)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def suluh(url: str, workers: int, root: int | None) -> AbstractContextManager[Target]:
    """Return Suluh's own `serve` on a seeded database."""
    port = free_port()
    command = ["lms", "serve", "--port", str(port), "--workers", str(workers)]
    return running("suluh", command, settings(url), port, "/masuk", root)


def rounds_once(url: str) -> None:
    """Do what an installation does by itself, once, in a process of its own."""
    command = [sys.executable, "-m", "lms", "rounds"]
    env = {**os.environ, **settings(url)}
    subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, check=True)


def settings(url: str) -> dict[str, str]:
    """Return the environment of the installation that is measured."""
    return {
        # SQLAlchemy's name of the driver is ours to add, not the operator's.
        "DATABASE_URL": url.replace("postgresql+psycopg://", "postgresql://"),
        "SULUH_SECRET_KEY": "bangku" * 8,
        "SULUH_SECOND_FACTOR": "offered",
        "SULUH_CONSENT": "paper",
        # Everybody in the bench has one address.
        "SULUH_VERIFY_LIMIT": "1000000/minute",
    }


def ceiling(url: str, root: int | None) -> AbstractContextManager[Target]:
    """Return the smallest page of the same framework on the same server and database settings."""
    port = free_port()
    env = {"DATABASE_URL": url, "BENCH_PORT": str(port)}
    return running("ceiling", ["bench.ceiling"], env, port, "/page?n=1", root)


def free_port() -> int:
    """Return a port nobody listens on."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], port: int, page: str) -> None:
    client = Client("127.0.0.1", port)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Wrong(f"the server ended with {process.returncode}")
        try:
            client.get(page, "</html>")
        except (ConnectionError, OSError):
            client.close()
            time.sleep(0.005)
        else:
            client.close()
            return
    raise Wrong("the server did not answer within a minute")
