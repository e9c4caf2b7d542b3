"""Prepares an installation and serves it: folder, secret, backup, tables, content, processes."""

import ipaddress
import logging
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path

from flask import Flask
from sqlalchemy import make_url

from lms import release
from lms.accounts import services as accounts
from lms.app import create_app
from lms.config import BadConfig, Config, from_environment
from lms.core import schema
from lms.core.db import db, unit_of_work
from lms.rounds import working

THREADS = 8
"""Requests one process answers at a time; more would only wait for the interpreter."""


def instance_config(
    environ: Mapping[str, str], folder: Path, *, database: str, **overrides: object
) -> Config:
    """Return the Config of an installation that keeps its files in `folder`.

    The secret key is made at the first start and kept beside the database, readable by the owner
    only. `DATABASE_URL` and `SULUH_SECRET_KEY` win over both. Raises BadConfig.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings = dict(environ)
    settings.setdefault("DATABASE_URL", f"sqlite:///{(folder / database).resolve()}")
    settings.setdefault("SULUH_SECRET_KEY", _secret(folder / "secret-key"))
    return from_environment(settings, **overrides)


def _secret(path: Path) -> str:
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))
    return path.read_text(encoding="ascii").strip()


def prepare(app: Flask, folder: Path, *, now: datetime) -> str | None:
    """Bring tables and content up to date. Returns the setup code of an empty installation.

    Before tables change, an SQLite database is backed up into `folder`/backups.
    Raises core.schema.WrongSchema and release.BrokenContent.
    """
    config: Config = app.extensions["suluh"]
    with app.app_context():
        if not schema.is_current(db.engine):
            copy = None
            if not schema.is_empty(db.engine):
                copy = backup(config, folder / "backups", now=now)
            db.engine.dispose()
            _migrate(config, copy)
        schema.check(db.engine)
        with unit_of_work():
            release.load(config.content_dir, now=now)
        code = None
        if accounts.is_empty():
            with unit_of_work():
                code = accounts.new_setup_code(now=now)
        db.session.remove()
        db.engine.dispose()
    return code


def _migrate(config: Config, copy: Path | None) -> None:
    # Alembic is needed once in a while; in a process of its own it costs no memory here.
    done = subprocess.run(  # our own module, no input of anybody's
        [sys.executable, "-m", "lms", "db", "upgrade"],
        check=False,
        env={
            **os.environ,
            "DATABASE_URL": config.database_url,
            "SULUH_SECRET_KEY": config.secret_key,
        },
        stdout=subprocess.DEVNULL,
    )
    if done.returncode:
        kept = f"; a copy lies in {copy}" if copy else ""
        raise schema.WrongSchema(f"the tables could not be changed and are as before{kept}")


def backup(config: Config, folder: Path, *, now: datetime) -> Path | None:
    """Copy an SQLite database with the backup API; None when there is nothing to copy.

    Copying the file would lose what still lies in the write-ahead log.
    """
    url = make_url(config.database_url)
    if url.get_backend_name() != "sqlite" or not Path(url.database or "").exists():
        return None
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"suluh-{now:%Y%m%d-%H%M%S}.sqlite3"
    source, copy = sqlite3.connect(str(url.database)), sqlite3.connect(target)
    try:
        source.backup(copy)
    finally:
        source.close()
        copy.close()
    return target


def listen(host: str, port: int) -> socket.socket:
    """Open the listening socket. Raises BadConfig when the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        raise BadConfig(f"cannot listen on {host}:{port}: {error.strerror}") from error
    opened.listen(512)
    return opened


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def serve(config: Config, opened: socket.socket, workers: int) -> None:
    """Answer requests until interrupted; more than one worker means one process each.

    Workers are forked before anything is connected: an SQLite connection must not be shared.
    """
    children: list[int] = []
    signal.signal(signal.SIGTERM, _leave)  # else the children would outlive this process
    try:
        for _ in range(workers - 1):
            child = os.fork()
            if child == 0:
                try:
                    _run(config, opened, first=False)
                finally:
                    os._exit(0)
            children.append(child)
        _run(config, opened, first=True)
    finally:
        for child in children:
            os.kill(child, signal.SIGTERM)
        for child in children:
            os.waitpid(child, 0)


def _leave(_signal: int, _frame: object) -> None:
    raise SystemExit(0)


def _run(config: Config, opened: socket.socket, *, first: bool) -> None:
    from waitress import create_server

    app = create_app(config)
    # It would print a line whenever a request waits a moment for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    with working(app) if first else nullcontext():
        server = create_server(
            app,
            sockets=[opened],
            threads=THREADS,
            ident="",
            # Behind TLS the proxy says who asks; without it nobody's word is taken.
            clear_untrusted_proxy_headers=not config.https,
        )
        server.run()  # until SIGINT or SIGTERM
