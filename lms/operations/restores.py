"""Putting a backup back: built beside the live database, counted and hashed, then swapped in.

Until the swap nothing that is live is touched. What the live database holds beyond the backup is
named first, and lost only when the operator says so.
"""

import gzip
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, inspect, make_url, text
from sqlalchemy.exc import DBAPIError

from lms.core import schema
from lms.core.audit import Head
from lms.core.db import prepare_engine
from lms.operations import backups, tables
from lms.operations.backups import ARCHIVE, FORMAT, Manifest, engine_of

LEAVING = 2.0
"""Seconds PostgreSQL may take to end a connection that was closed."""
BESIDE = "suluh_restore"
"""Schema in which a PostgreSQL database is rebuilt."""


class CannotRestore(Exception):
    """The backup is not put back, and nothing has changed; the message says why."""


@dataclass(frozen=True, slots=True)
class Losses:
    """What the live database holds and the backup does not."""

    certificates: tuple[str, ...]
    """Numbers, with the day they were issued."""
    events: int
    """Lines of the audit trail."""
    other_history: bool
    """The trails have gone apart: the backup is not an earlier state of this database."""

    @property
    def is_any(self) -> bool:
        """Tell whether something would be lost."""
        return bool(self.certificates or self.events or self.other_history)


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did, or would do."""

    manifest: Manifest
    losses: Losses
    done: bool
    kept: str
    """Where the database lies that was replaced; empty when there was none."""


def open_backup(backup: Path) -> Manifest:
    """Return the manifest of a backup whose file is whole. Raises CannotRestore."""
    try:
        manifest = backups.read_manifest(backup)
        size, digest = backup.stat().st_size, backups.sha256_of(backup)
    except FileNotFoundError as error:
        raise CannotRestore(f"{error.filename} is not there") from error
    except ValueError as error:
        raise CannotRestore(f"the manifest cannot be read: {error}") from error
    if (size, digest) != (manifest.bytes, manifest.sha256):
        raise CannotRestore(f"{backup} is damaged: it is not the file its manifest describes")
    if manifest.format > FORMAT or manifest.revision not in schema.revisions():
        raise CannotRestore(
            f"it was made by Suluh {manifest.version} with tables {manifest.revision}; "
            f"this version knows tables up to {schema.head()}. Use that version"
        )
    return manifest


def restore(backup: Path, url: str, folder: Path, *, yes: bool, now: datetime) -> Restored:
    """Replace the database at `url` by a backup; the old one is kept in `folder` or beside it.

    Without `yes` nothing that is newer than the backup is given up: `done` is False then.
    The caller holds the installation alone. Raises CannotRestore.
    """
    manifest = open_backup(backup)
    name = "before-restore-" + now.strftime("%Y%m%d-%H%M%S")
    with _built(backup, manifest, url) as (fresh, swap):
        losses = _losses(url, fresh)
        if losses.is_any and not yes:
            return Restored(manifest, losses, done=False, kept="")
        return Restored(manifest, losses, done=True, kept=swap(folder, name))


@contextmanager
def _built(backup: Path, manifest: Manifest, url: str) -> Iterator[tuple[str, "Swap"]]:
    """Build the backup beside `url` and check it; yields the address of the copy and the swap."""
    if make_url(url).get_backend_name() == "sqlite":
        live = Path(make_url(url).database or "")
        _nobody_uses_file(live)
        fresh = live.with_name(f".{live.name}.restoring")
        _remove_file(fresh)
        try:
            _build_file(backup, manifest, fresh)
            yield f"sqlite:///{fresh}", FileSwap(live, fresh)
        finally:
            _remove_file(fresh)
    else:
        _need_archive(backup)
        _nobody_uses_server(url)
        beside = _beside(url)
        _drop_beside(url)
        try:
            with engine_of(url).begin() as connection:
                connection.execute(text(f"CREATE SCHEMA {BESIDE}"))
            _fill(backup, manifest, beside)
            yield beside, SchemaSwap(url)
        finally:
            _drop_beside(url)


def restore_into(backup: Path, url: str) -> Manifest:
    """Put a backup into a database that is not there yet, or is empty. Raises CannotRestore."""
    manifest = open_backup(backup)
    if make_url(url).get_backend_name() == "sqlite":
        target = Path(make_url(url).database or "")
        if target.exists():
            raise CannotRestore(f"{target} is there already")
        part = target.with_name(f".{target.name}.restoring")
        _remove_file(part)
        try:
            _build_file(backup, manifest, part)
            part.rename(target)
        finally:
            _remove_file(part)
    else:
        _need_archive(backup)
        if not schema.is_empty(engine_of(url)):
            raise CannotRestore("the database is not empty")
        _fill(backup, manifest, url)
    return manifest


# Building


def _need_archive(backup: Path) -> None:
    if not backup.name.endswith(ARCHIVE):
        raise CannotRestore(
            "this is a copy of an SQLite file. Only a backup made with --portable goes into "
            "PostgreSQL: restore it into a file first, then make one from there"
        )


def _build_file(backup: Path, manifest: Manifest, path: Path) -> None:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    if backup.name.endswith(ARCHIVE):
        _fill(backup, manifest, f"sqlite:///{path}")
    else:
        shutil.copyfile(backup, path)
    try:
        with closing(sqlite3.connect(path)) as connection:
            _check_file(connection)
            # One file to rename: what still lies in the log goes into it.
            connection.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.DatabaseError as error:
        raise CannotRestore(f"the copy is damaged: {error}") from error
    with engine_of(f"sqlite:///{path}").connect() as connection:
        _check(connection, manifest)
    handle = os.open(path, os.O_RDONLY)
    os.fsync(handle)
    os.close(handle)


def _check_file(connection: sqlite3.Connection) -> None:
    (state,) = connection.execute("PRAGMA integrity_check(5)").fetchone()
    if state != "ok":
        raise CannotRestore(f"the copy is damaged: {state}")
    lost = connection.execute("PRAGMA foreign_key_check").fetchmany(5)
    if lost:
        raise CannotRestore(f"rows point to rows that are not there: {lost}")


def _fill(backup: Path, manifest: Manifest, url: str) -> None:
    """Make the tables the backup knew, put its rows into them, and check what came out."""
    migrating = engine_of(url)
    prepare_engine(migrating)
    schema.upgrade(migrating, manifest.revision or "")
    engine = engine_of(url)  # without the settings of a live one: SQLite looks at keys afterwards
    try:
        with engine.begin() as connection, gzip.open(backup, "rb") as lines:
            with _any_order(connection):
                tables.load(connection, iter(lines))
            _set_counters(connection)
    except (ValueError, EOFError, DBAPIError) as error:
        raise CannotRestore(f"the archive cannot be read back: {type(error).__name__}") from error
    if engine.dialect.name != "sqlite":  # of a file, the caller looks at more
        with engine.connect() as connection:
            _check(connection, manifest)


@contextmanager
def _any_order(connection: Connection) -> Iterator[None]:
    """Let rows come before those they point to; all is checked at the end."""
    if connection.dialect.name == "sqlite":
        # Off is what a plain connection begins with. Deferred would be slow without end: each row
        # would look for all that already point to it.
        yield
        return
    # Without a superuser's rights the keys cannot be switched off: they are taken off and put back.
    keys = connection.execute(
        text(
            "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) "
            "FROM pg_constraint WHERE contype = 'f' AND connamespace = current_schema::regnamespace"
        )
    ).all()
    for table, name, _definition in keys:
        connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    yield
    for table, name, definition in keys:
        connection.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")


def _set_counters(connection: Connection) -> None:
    """Let PostgreSQL give ids after the last one that came with the rows."""
    if connection.dialect.name == "sqlite":
        return
    columns = connection.execute(
        text(
            # Ours first: of a table that is not ours the function only says that it is not there.
            "WITH ours AS MATERIALIZED (SELECT table_name, column_name "
            "FROM information_schema.columns WHERE table_schema = current_schema) "
            "SELECT quote_ident(table_name), quote_ident(column_name), "
            "pg_get_serial_sequence(quote_ident(table_name), column_name) FROM ours "
            "WHERE pg_get_serial_sequence(quote_ident(table_name), column_name) IS NOT NULL"
        )
    ).all()
    for table, column, sequence in columns:
        connection.execute(
            text(  # names come from the catalogue, quoted
                f"SELECT setval(:sequence, coalesce(max({column}), 1), max({column}) IS NOT NULL) "  # noqa: S608
                f"FROM {table}"
            ),
            {"sequence": sequence},
        )


def _check(connection: Connection, manifest: Manifest) -> None:
    """Compare what was built with what the manifest says. Raises CannotRestore."""
    found = backups.describe(connection)
    wrong = sorted(
        name
        for name in manifest.tables.keys() | found["tables"].keys()
        if manifest.tables.get(name) != found["tables"].get(name)
    )
    if wrong:
        raise CannotRestore(f"these tables are not as the manifest says: {', '.join(wrong)}")
    if (found["revision"], found["audit"]) != (manifest.revision, manifest.audit):
        raise CannotRestore("the audit trail or the revision is not as the manifest says")
    same_engine = found["dialect"] == manifest.dialect
    if same_engine and found["fingerprint"] != manifest.fingerprint:
        raise CannotRestore("the tables have another form than when the backup was made")


# What would be lost


def _losses(live: str, fresh: str) -> Losses:
    """Compare the live database with the rebuilt one; one that cannot be read has nothing left."""
    none = Losses((), 0, other_history=False)
    if not _is_there(live):
        return none
    try:
        with engine_of(live).connect() as ours, engine_of(fresh).connect() as theirs:
            if not {"certificate", "audit_event"} <= set(inspect(ours).get_table_names()):
                return none
            return Losses(_certificates(ours, theirs), *_events(ours, theirs))
    except DBAPIError:
        return none


def _is_there(url: str) -> bool:
    parsed = make_url(url)
    return parsed.get_backend_name() != "sqlite" or Path(parsed.database or "").exists()


def _certificates(ours: Connection, theirs: Connection) -> tuple[str, ...]:
    query = text("SELECT code, number, issued_at FROM certificate ORDER BY id")
    known = {row.code for row in theirs.execute(query)}
    return tuple(
        f"{row.number} ({str(row.issued_at)[:10]})"
        for row in ours.execute(query)
        if row.code not in known
    )


def _events(ours: Connection, theirs: Connection) -> tuple[int, bool]:
    """Return how many events came after the backup, and whether its trail is not ours at all."""
    if not inspect(ours).has_table("audit_head") or not inspect(theirs).has_table("audit_head"):
        count = text("SELECT count(*) FROM audit_event")
        return max(0, (ours.scalar(count) or 0) - (theirs.scalar(count) or 0)), False
    mine, backed_up = _head(ours), _head(theirs)
    there = ours.scalar(
        text("SELECT hash FROM audit_event WHERE position = :count"), {"count": backed_up.count}
    )
    apart = backed_up.count > 0 and there != backed_up.hash
    return max(0, mine.count - backed_up.count), apart


def _head(connection: Connection) -> Head:
    row = connection.execute(text("SELECT count, hash FROM audit_head WHERE id = 1")).one()
    return Head(row[0], row[1])


# Swapping


Swap = Callable[[Path, str], str]
"""Puts what was built in the place of what is live; returns where the old one is kept, or ""."""


class FileSwap:
    """One rename: at every moment there is a whole database under the name."""

    def __init__(self, live: Path, fresh: Path) -> None:
        self.live, self.fresh = live, fresh

    def __call__(self, folder: Path, name: str) -> str:
        """Swap; return where the old database is kept, or an empty text."""
        kept = ""
        if self.live.exists():
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            old = folder / f"{name}.sqlite3"
            try:
                os.link(self.live, old)
            except OSError:  # another disk, or one without links
                shutil.copyfile(self.live, old)
            old.chmod(0o600)
            kept = str(old)
        for ending in ("-wal", "-shm"):  # of the old one; they were emptied into it
            self.live.with_name(self.live.name + ending).unlink(missing_ok=True)
        self.fresh.replace(self.live)
        handle = os.open(self.live.parent, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
        return kept


class SchemaSwap:
    """Two names change in one transaction."""

    def __init__(self, url: str) -> None:
        self.url = url

    def __call__(self, _folder: Path, name: str) -> str:
        """Swap; return where the old database is kept, or an empty text."""
        kept = name.replace("-", "_")
        with engine_of(self.url).begin() as connection:
            live = connection.scalar(text("SELECT quote_ident(current_schema)"))
            connection.exec_driver_sql(f"ALTER SCHEMA {live} RENAME TO {kept}")
            connection.exec_driver_sql(f"ALTER SCHEMA {BESIDE} RENAME TO {live}")
        return f"schema {kept}"


def _beside(url: str) -> str:
    found = make_url(url).update_query_dict({"options": f"-csearch_path={BESIDE}"})
    return found.render_as_string(hide_password=False)


def _drop_beside(url: str) -> None:
    with engine_of(url).begin() as connection:
        connection.execute(text(f"DROP SCHEMA IF EXISTS {BESIDE} CASCADE"))


def _remove_file(path: Path) -> None:
    for ending in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


# Who else is there


def _nobody_uses_file(path: Path) -> None:
    """Empty the log into the file and make sure that nobody else has it open."""
    if not path.exists():
        return
    with closing(sqlite3.connect(path, timeout=0)) as connection, suppress(sqlite3.DatabaseError):
        try:
            # A connection of another process holds a lock that this one cannot get.
            connection.execute("PRAGMA locking_mode=EXCLUSIVE")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            connection.execute("BEGIN EXCLUSIVE")
            connection.rollback()
            connection.execute("PRAGMA journal_mode=DELETE").fetchall()
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise CannotRestore("somebody uses the database: stop the server first") from error


def _nobody_uses_server(url: str) -> None:
    """Refuse while somebody else is connected; who has just left is still listed for a moment."""
    until = time.monotonic() + LEAVING
    while others := _others(url):
        if time.monotonic() > until:
            raise CannotRestore(f"{others} others use the database: stop the server first")
        time.sleep(0.05)


def _others(url: str) -> int:
    with engine_of(url).connect() as connection:
        found = connection.scalar(
            text(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
        )
    return int(found or 0)
