"""What single steps cost on this machine, in one process: the floor under the operations."""

import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from argon2 import PasswordHasher

from certificates.__main__ import sample
from certificates.layout import render
from lms.config import Config


def limits() -> dict[str, float]:
    """Return CPU milliseconds of one: password hash, durable SQLite write, certificate drawn."""
    config = Config(database_url="sqlite:///unused", secret_key="x" * 40)
    maker = PasswordHasher(
        time_cost=config.argon2_rounds, memory_cost=config.argon2_memory_kib, parallelism=1
    )
    document = sample("id")
    render(document)  # registers the font
    with tempfile.TemporaryDirectory() as folder:
        return {
            "argon2id hash": _each(lambda: maker.hash("bangku-panjang"), 20),
            "durable SQLite write": _writes(Path(folder) / "limits.db"),
            "certificate drawn as PDF": _each(lambda: render(document), 20),
        }


def _writes(path: Path) -> float:
    connection = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)")

    def write() -> None:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO t (a) VALUES ('x')")
        connection.execute("COMMIT")

    cost = _each(write, 2000)
    connection.close()
    return cost


def _each(step: Callable[[], object], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        step()
    return (time.process_time() - began) / times * 1000
