"""Migrates copies of a database and dies at chosen statements. Prints what was left, as JSON.

`python -m tests.operations.killed_migration URL|FILE POINTS [--legacy]`; run by the fault test.
"""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

from alembic import command as _alembic  # noqa: F401  # imported once, before the forks
from sqlalchemy import create_engine, event, text
from sqlalchemy.pool import NullPool

from lms.app import import_models
from lms.core import schema
from lms.core.db import prepare_engine


def engine_of(url: str, *, legacy: bool):
    engine = create_engine(url, poolclass=NullPool)
    if not legacy:  # the planted bug: the transactions of Python's driver, which DDL ends
        prepare_engine(engine)
    return engine


def migrate(url: str, point: int, *, legacy: bool) -> int:
    """Migrate and die before statement `point`; return how many statements there are."""
    engine, seen = engine_of(url, legacy=legacy), 0

    @event.listens_for(engine, "before_cursor_execute")
    def count(_connection, _cursor, statement, *_rest) -> None:
        nonlocal seen
        if statement.startswith(("PRAGMA", "SELECT")) or " pg_catalog" in statement:
            return
        seen += 1
        if seen == point:
            os.kill(os.getpid(), signal.SIGKILL)

    @event.listens_for(engine, "commit")
    def before_commit(_connection) -> None:
        if point == -1:
            os.kill(os.getpid(), signal.SIGKILL)

    schema.upgrade(engine)
    return seen


def state(url: str, *, legacy: bool) -> str:
    """Return what a start would find: `old`, `new`, or why it refuses."""
    engine = engine_of(url, legacy=legacy)
    try:
        schema.check(engine)
    except schema.WrongSchema:
        return "refused"
    with engine.connect() as connection:
        kept = connection.scalar(text("SELECT count(*) FROM audit_event"))
        revision = schema.revision_of(connection)
    if kept != 3:
        return f"lost rows: {kept}"
    return "new" if revision == schema.head() else "old"


def main(source: str, points: str, *options: str) -> None:
    """Fork once for each point, each on a copy of its own."""
    import_models()
    legacy, found = "--legacy" in options, {}
    for point in [int(one) for one in points.split(",")]:
        if "://" in source:  # one database: what dies is rolled back, so the next begins the same
            url = source
        else:
            copy = Path(source).with_name("copy.db")
            for ending in ("", "-wal", "-shm", "-journal"):
                copy.with_name(copy.name + ending).unlink(missing_ok=True)
            shutil.copy(source, copy)
            url = f"sqlite:///{copy}"
        child = os.fork()
        if child == 0:
            seen = migrate(url, point, legacy=legacy)
            Path("seen").write_text(str(seen), encoding="ascii")
            os._exit(0)
        _pid, status = os.waitpid(child, 0)
        died = os.WIFSIGNALED(status)
        found[point] = [died, state(url, legacy=legacy)]
    seen_file = Path("seen")
    total = int(seen_file.read_text(encoding="ascii")) if seen_file.exists() else 0
    print(json.dumps({"found": found, "statements": total}))


if __name__ == "__main__":
    main(*sys.argv[1:])
