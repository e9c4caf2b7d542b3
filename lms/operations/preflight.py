"""What must hold before anything is served: the disk and the database keep what they confirm."""

from pathlib import Path

from sqlalchemy import Engine, text

REMOTE = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "fuse.sshfs", "fuse.s3fs"})
"""File systems of other machines: SQLite's locks and its log do not work there."""
MOUNTS = Path("/proc/self/mounts")


class Unsafe(Exception):
    """Answers could be lost here; the message says what to change."""


def check(engine: Engine, mounts: Path = MOUNTS) -> None:
    """Let a database pass that keeps what it confirms. Raises Unsafe."""
    if engine.dialect.name == "sqlite":
        kind = file_system_of(Path(engine.url.database or ".").resolve(), mounts)
        if kind in REMOTE:
            raise Unsafe(
                f"{engine.url.database} lies on another machine ({kind}). SQLite loses data "
                "there: put it on a disk of this machine, or use PostgreSQL"
            )
        return
    found = durability_of(engine)
    if found["fsync"] == "off" or found["synchronous_commit"] == "off":
        raise Unsafe(
            "PostgreSQL may lose what it confirmed: set fsync = on and synchronous_commit = on "
            f"(now {found['fsync']} and {found['synchronous_commit']})"
        )


def durability_of(engine: Engine) -> dict[str, str]:
    """Return the settings of PostgreSQL that decide whether a commit survives a power cut."""
    names = ("fsync", "synchronous_commit", "full_page_writes")
    with engine.connect() as connection:
        return {name: str(connection.scalar(text(f"SHOW {name}"))) for name in names}


def file_system_of(path: Path, mounts: Path = MOUNTS) -> str:
    """Return the kind of file system a path lies on; empty where that cannot be known."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    best, kind = Path("/"), ""
    for line in lines:
        parts = line.split()
        if len(parts) < 3:
            continue
        where = Path(parts[1].replace("\\040", " "))
        if path.is_relative_to(where) and len(where.parts) >= len(best.parts):
            best, kind = where, parts[2]
    return kind
