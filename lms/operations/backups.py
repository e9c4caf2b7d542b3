"""Copies of the database that can be trusted: taken while people work, described by a manifest.

An SQLite database is copied as it is (`VACUUM INTO` reads one moment and leaves out what was
deleted). PostgreSQL, and SQLite on request, is written as an archive of lines that goes back into
either. The manifest beside the copy says what must be in it.
"""

import gzip
import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.pool import NullPool

from lms import __version__
from lms.config import Config
from lms.core import chain, schema
from lms.core.audit import Head
from lms.operations import tables
from lms.operations.tables import Sum

FILE, ARCHIVE = ".sqlite3", ".jsonl.gz"
FORMAT = 1


class NoRoom(Exception):
    """The disk has no room for another copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds."""

    format: int
    version: str
    revision: str | None
    """The migration the tables are at; None when they are none of ours."""
    dialect: str
    fingerprint: str
    created_at: str
    tables: dict[str, Sum]
    audit: Head
    certificates: dict[str, str]
    """The newest number of each issuer, by the issuer's id."""
    file: str
    bytes: int
    sha256: str

    def as_json(self) -> str:
        """Return the text of the manifest file."""
        return json.dumps(asdict(self), indent=2) + "\n"


@dataclass(frozen=True, slots=True)
class Backup:
    """One copy and its manifest."""

    path: Path
    manifest: Manifest


def manifest_path(backup: Path) -> Path:
    """Return where the manifest of a backup lies."""
    name = backup.name
    for ending in (FILE, ARCHIVE):
        name = name.removesuffix(ending)
    return backup.with_name(f"{name}.json")


def read_manifest(backup: Path) -> Manifest:
    """Read the manifest beside a backup. Raises ValueError, OSError."""
    try:
        found: dict[str, Any] = json.loads(manifest_path(backup).read_text(encoding="utf-8"))
        sums = {name: Sum(**one) for name, one in found.pop("tables").items()}
        return Manifest(**(found | {"tables": sums, "audit": Head(**found["audit"])}))
    except (TypeError, KeyError) as error:
        raise ValueError(f"{manifest_path(backup)} is not a manifest of this version") from error


def list_backups(folder: Path) -> list[Path]:
    """Return the backups of a folder that have a manifest, oldest first."""
    found = [*folder.glob(f"suluh-*{FILE}"), *folder.glob(f"suluh-*{ARCHIVE}")]
    return sorted((path for path in found if manifest_path(path).exists()), key=_made)


def _made(backup: Path) -> tuple[str, int, str]:
    """Return what puts backups in order: of one second, the one with the higher number is newer."""
    stem = backup.name.partition(".")[0]
    day, time, number = [*stem.split("-")[1:], "1"][:3]
    return f"{day}-{time}", int(number), backup.name


def make(config: Config, folder: Path, *, now: datetime, portable: bool = False) -> Backup:
    """Copy the database into `folder`, while others write to it. Raises NoRoom.

    The file appears under its name only when it is whole and on the disk, its manifest after it.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _room(config, folder)
    native = config.database_file is not None and not portable
    final = _free_name(folder, f"suluh-{now:%Y%m%d-%H%M%S}", FILE if native else ARCHIVE)
    part = final.with_name(f".{final.name}.part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        copy = _copy_file if native else _write_archive
        facts = copy(config, part)
        manifest = Manifest(
            format=FORMAT,
            version=__version__,
            created_at=now.isoformat(),
            file=final.name,
            bytes=part.stat().st_size,
            sha256=sha256_of(part),
            **facts,
        )
        _sync(part)
        part.rename(final)
    finally:
        part.unlink(missing_ok=True)
    _write_manifest(manifest_path(final), manifest)
    return Backup(final, manifest)


def _room(config: Config, folder: Path) -> None:
    source = config.database_file
    if source is None:
        return
    disk = os.statvfs(folder)
    needed = source.stat().st_size + config.reserve_mib * 1024 * 1024
    if disk.f_bavail * disk.f_frsize < needed:
        raise NoRoom(f"a copy needs {needed // 1024**2 + 1} MiB of free space in {folder}")


def _free_name(folder: Path, stem: str, ending: str) -> Path:
    for more in ["", *(f"-{n}" for n in range(2, 1000))]:
        path = folder / f"{stem}{more}{ending}"
        if not path.exists() and not manifest_path(path).exists():
            return path
    raise FileExistsError(str(folder / stem))


def _copy_file(config: Config, part: Path) -> dict[str, Any]:
    """Copy an SQLite database as it is at one moment, and describe the copy."""
    with closing(sqlite3.connect(str(config.database_file), timeout=60)) as source:
        source.execute("VACUUM INTO ?", (str(part),))
    with engine_of(f"sqlite:///{part}").connect() as connection:
        return describe(connection)


def _write_archive(config: Config, part: Path) -> dict[str, Any]:
    """Write every row there is at one moment, and describe what was written."""
    with (
        snapshot(config.database_url) as connection,
        part.open("wb") as raw,
        gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=3, mtime=0) as packed,
    ):
        return describe(connection, packed.write)


@contextmanager
def snapshot(url: str) -> Iterator[Connection]:
    """Open a connection that sees the database as it is now, whatever others commit."""
    engine = engine_of(url)
    level = "REPEATABLE READ" if engine.dialect.name == "postgresql" else "SERIALIZABLE"
    with engine.connect().execution_options(isolation_level=level) as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("BEGIN")  # Python's driver begins nothing for a SELECT
        yield connection


def describe(connection: Connection, write: tables.Write | None = None) -> dict[str, Any]:
    """Return what a manifest says of a database; see tables.add_up for `write`."""
    names = set(inspect(connection).get_table_names())
    return {
        "revision": schema.revision_of(connection),
        "dialect": connection.dialect.name,
        "fingerprint": schema.fingerprint(connection),
        "tables": tables.add_up(connection, write),
        "audit": _audit_head(connection, names),
        "certificates": _newest_numbers(connection, names),
    }


def _audit_head(connection: Connection, names: set[str]) -> Head:
    if "audit_head" in names:
        row = connection.execute(text("SELECT count, hash FROM audit_head WHERE id = 1")).first()
        if row is not None:
            return Head(row[0], row[1])
    return Head(0, chain.START)


def _newest_numbers(connection: Connection, names: set[str]) -> dict[str, str]:
    if "certificate" not in names:
        return {}
    rows = connection.execute(
        text(
            "SELECT issuer_id, number FROM certificate WHERE id IN "
            "(SELECT max(id) FROM certificate GROUP BY issuer_id) ORDER BY issuer_id"
        )
    )
    return {str(issuer): number for issuer, number in rows}


def sha256_of(path: Path) -> str:
    """Return the hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write_manifest(path: Path, manifest: Manifest) -> None:
    part = path.with_name(f".{path.name}.part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(manifest.as_json())
        file.flush()
        os.fsync(file.fileno())
    part.rename(path)
    _sync(path.parent)


def forget_old(folder: Path, keep: int) -> list[Path]:
    """Remove all but the newest `keep` backups with their manifests; return what was removed."""
    old = list_backups(folder)[: -keep or None]
    for path in old:
        manifest_path(path).unlink()
        path.unlink()
    return old


def engine_of(url: str) -> Engine:
    """Return an engine for one piece of work: it keeps no connection open."""
    return create_engine(url, poolclass=NullPool)
