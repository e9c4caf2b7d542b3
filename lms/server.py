"""Prepares an installation and serves it: folder, secret, backup, tables, content, processes."""

import ipaddress
import logging
import os
import secrets
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask

from lms import dealing
from lms.accounts import services as accounts
from lms.app import PACKAGE, create_app
from lms.config import CACHE, BadConfig, Config, from_environment
from lms.core import late, meters, readonly, releases, schema
from lms.core.db import db, unit_of_work
from lms.operations import backups, locks, preflight
from lms.rounds import working

THREADS = 4
"""Requests one process answers at a time; more would only wait for the interpreter.

With eight of them a request took an eighth more work under load: they take it from each other.
"""
BACKLOG = 512
"""Connections that wait while nobody has taken them."""
CONNECTIONS = 1000
"""Connections one process holds at a time; who comes when it has so many waits for one to end.

Browsers and proxies keep theirs for two minutes after the last answer, whether they ask again or
not: with the library's 100, a class of a hundred at their pages shut everybody else out.
"""
FILES_EACH = 2
"""Files of a connection: its own, and one for a long body or answer that waits."""
LARGEST_BODY = 12 * 1024 * 1024
"""Bytes of a request that are taken at all; each view asks for far less, or for a file."""
OTHER_FILES = 200
"""Files beside connections that a process may have open."""
INSTANCE = Path("instance")
"""Where the embedded database, its backups and the secret key lie."""
LARGE = 24 * 1024 * 1024
"""Bytes; a larger piece of memory goes back to the system as soon as it is free."""
KEPT = 64 * 1024 * 1024
"""Bytes that are free and kept at hand at most, each for `GIVEN_BACK` seconds."""
GIVEN_BACK = 1.0
"""Seconds between two times that freed memory goes back: a millisecond of work each."""
SHORTEST_LIFE = 1.0
"""Seconds. One that ends earlier is not replaced at once: it would only end again, and again."""

log = logging.getLogger(__name__)


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
    return from_environment(settings, **({"folder": folder.resolve()} | overrides))


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

    Before tables change, the database is backed up into `folder`/backups. While nothing may be
    written, content is not loaded: people can still read.
    Raises core.schema.WrongSchema, core.releases.BrokenContent, preflight.Unsafe, backups.NoRoom.
    """
    config: Config = app.extensions["suluh"]
    with app.app_context():
        preflight.check(db.engine)
        if not schema.is_current(db.engine):
            copy = None
            if not schema.is_empty(db.engine):
                copy = backups.make(config, folder / "backups", now=now).path
            db.engine.dispose()
            _migrate(config, copy)
        schema.check(db.engine, folder / CACHE / "schema")
        code = None
        is_open = readonly.gate().look() is None
        if is_open and not releases.is_loaded(releases.digest_of(config.content_dir)):
            with late.loading():
                from lms import release
            with unit_of_work():
                release.load(config.content_dir, now=now)
        if is_open and accounts.is_empty():
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


def listen(host: str, port: int) -> socket.socket:
    """Open the socket that all processes share. Raises BadConfig when the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((host, port))
    except OSError as error:
        opened.close()
        raise BadConfig(f"cannot listen on {host}:{port}: {error.strerror}") from error
    opened.listen(BACKLOG)
    return opened


def is_loopback(host: str) -> bool:
    """Tell whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def create(config: Config, workers: int) -> Flask:
    """Return the application that `workers` processes will serve.

    One process loads a feature when it is asked for. Of several each would; loaded before they
    part, they share it.
    """
    if workers > 1 and config.metrics_token is not None:
        meters.share((config.folder or INSTANCE) / "metrics")
    app = create_app(config, when_asked=workers == 1)
    late.refuse_changed("lms", PACKAGE)
    return app


def serve(app: Flask, opened: socket.socket, workers: int) -> None:
    """Answer requests until interrupted; more than one worker means one process each.

    Workers are forked before anything is connected: an SQLite connection must not be shared.
    Raises locks.InUse while a backup is being put back.
    """
    config: Config = app.extensions["suluh"]
    with locks.shared(config.folder or INSTANCE):
        _serve(app, opened, workers)


def _serve(app: Flask, opened: socket.socket, workers: int) -> None:
    signal.signal(signal.SIGTERM, _leave)  # else the children would outlive this process
    if workers == 1:
        _run(app, opened)
        return
    held = dealing.Held(workers)
    # Whoever reads from this pipe reads its end when this process is gone, however it went.
    lifeline, kept = os.pipe()
    children: dict[int, tuple[int, float]] = {}

    def start(number: int) -> None:
        child = _start(partial(_run, app, opened, held, number), lifeline, kept)
        children[child] = number, time.monotonic()

    try:
        for number in range(workers):
            start(number)
        while True:
            start(_wait_for_a_death(children, held))
    except (KeyboardInterrupt, SystemExit):
        pass
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for child in children:
            os.kill(child, signal.SIGTERM)
        for child in children:
            os.waitpid(child, 0)


def _wait_for_a_death(children: dict[int, tuple[int, float]], held: dealing.Held) -> int:
    """Wait until a worker has ended; return which. Number 0 also does the rounds."""
    child, status = os.wait()
    number, began = children.pop(child)
    held.leave(number)
    log.error("worker %s ended with status %s; another takes its place", child, status)
    if time.monotonic() - began < SHORTEST_LIFE:
        time.sleep(SHORTEST_LIFE)
    return number


def _start(run: Callable[[], None], lifeline: int, kept: int) -> int:
    """Fork a worker; returns its process id. It ends with this process, even after a kill -9."""
    child = os.fork()
    if child:
        return child
    try:
        os.close(kept)
        threading.Thread(target=_end_with, args=(lifeline,), daemon=True).start()
        run()
    finally:
        os._exit(0)


def _end_with(lifeline: int) -> None:
    os.read(lifeline, 1)  # nobody writes: it returns when the other end is closed
    os.kill(os.getpid(), signal.SIGTERM)


def _leave(_signal: int, _frame: object) -> None:
    raise SystemExit(0)


def _tend_memory() -> None:
    """Keep freed memory at hand for a moment, then give it back. Does nothing but on Linux.

    The C library of Linux gives each thread a pool of its own and keeps there what was freed: after
    a few exports that was half of the process. Returned at once, it is missed at once: a password's
    hash takes 19 MiB anew each time, and to find them took the system a third of the hash's time.
    """
    import ctypes

    trim, mmap, arenas = -1, -3, -8  # M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX of malloc.h
    with suppress(AttributeError, OSError):
        library = ctypes.CDLL(None)
        give_back = library.malloc_trim
        library.mallopt(arenas, 1)
        library.mallopt(mmap, LARGE)
        library.mallopt(trim, KEPT)
        give_back(0)  # what the start has left
        threading.Thread(
            target=_now_and_then, args=(give_back,), name="memory", daemon=True
        ).start()


def _now_and_then(give_back: Callable[[int], int]) -> None:
    while True:
        time.sleep(GIVEN_BACK)
        give_back(0)


def _connections() -> int:
    """Return how many connections a process may hold, once it has asked for as many files."""
    try:
        import resource
    except ImportError:  # Windows counts otherwise
        return CONNECTIONS
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_EACH * CONNECTIONS + OTHER_FILES
    if 0 <= soft < wanted:
        soft = wanted if hard < 0 else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return CONNECTIONS if soft < 0 else max(1, min(CONNECTIONS, (soft - OTHER_FILES) // FILES_EACH))


def _run(
    app: Flask, opened: socket.socket, held: dealing.Held | None = None, place: int = 0
) -> None:
    """Answer requests in this process; the one in place 0 also does the rounds."""
    from waitress import create_server

    config: Config = app.extensions["suluh"]
    _tend_memory()
    # It would print a line whenever a request waits a moment for a thread.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    options: dict[str, Any] = {
        "sockets": [opened],
        "threads": THREADS,
        "connection_limit": _connections(),
        "max_request_body_size": LARGEST_BODY,
        "ident": "",
        # Behind TLS the proxy says who asks; without it nobody's word is taken.
        "clear_untrusted_proxy_headers": not config.https,
    }
    with working(app) if place == 0 else nullcontext():
        if hasattr(select, "epoll"):  # Linux
            from lms import connections

            awaited = connections.Awaited()
            server = create_server(app, map=awaited, **options)
            run = partial(connections.run, server, awaited)
        else:
            # The oldest way of all knows no file above 1,023.
            server = create_server(app, asyncore_use_poll=True, **options)
            run = server.run
        if held is not None:
            dealing.share(server, held, place)
        run()  # until SIGINT or SIGTERM
