"""Heads of the audit trail, written down outside the database once a day.

Whoever rewrites the trail can make its chain fit, but not these lines: they lie in another file,
in the log, and in every backup.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lms.config import Config
from lms.core import audit
from lms.core.audit import Head
from lms.operations import backups

NAME = "audit-heads.txt"
GIVEN_UP = "audit-heads-given-up.txt"
"""Heads given up by restoring an older backup: the trail is known to end before them."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Written:
    """One line: on which day, and how the trail ended then."""

    day: str
    head: Head


def path_of(config: Config) -> Path | None:
    """Return where the heads are written down; None without a folder of our own."""
    return config.folder / NAME if config.folder else None


def read(path: Path) -> list[Written]:
    """Return what was written down, oldest first. A line cut off by a power failure is left out."""
    if not path.exists():
        return []
    found = []
    for line in path.read_text(encoding="ascii", errors="replace").splitlines():
        parts = line.split()
        if len(parts) == 3 and parts[1].isdecimal() and len(parts[2]) == 64:
            found.append(Written(parts[0], Head(int(parts[1]), parts[2])))
    return found


def append(path: Path, written: list[Written]) -> None:
    """Add lines to a file of heads."""
    with path.open("a", encoding="ascii") as file:
        file.writelines(f"{one.day} {one.head.count} {one.head.hash}\n" for one in written)
    path.chmod(0o600)


def write_down(config: Config, now: datetime) -> int:
    """Write down the head once a day (UTC). Returns whether it did, as 0 or 1."""
    path = path_of(config)
    if path is None or config.demo:
        return 0
    written, today = read(path), f"{now:%Y-%m-%d}"
    if written and written[-1].day >= today:
        return 0
    head = audit.head()
    append(path, [Written(today, head)])
    log.info("audit trail: %s events, head %s", head.count, head.hash)
    return 1


def known(config: Config) -> list[Written]:
    """Return every head written down in our files and in our backups."""
    path = path_of(config)
    if path is None:
        return []
    found = read(path)
    for backup in backups.list_backups(path.parent / "backups"):
        try:
            manifest = backups.read_manifest(backup)
        except ValueError:
            continue  # the doctor names it
        found.append(Written(manifest.created_at[:10], manifest.audit))
    return found


def given_up(config: Config) -> set[Head]:
    """Return the heads that were given up by restoring an older backup."""
    path = path_of(config)
    return {one.head for one in read(path.with_name(GIVEN_UP))} if path else set()


def give_up(config: Config, now: datetime) -> int:
    """Note that the heads the present trail never had were given up. Returns how many."""
    path = path_of(config)
    lost = set(not_found_again([one.head for one in known(config)])) - given_up(config)
    if path is not None and lost:
        append(path.with_name(GIVEN_UP), [Written(f"{now:%Y-%m-%d}", head) for head in lost])
    return len(lost)


def not_found_again(heads: list[Head]) -> list[Head]:
    """Return the heads the present trail never had: it was rewritten or cut off since."""
    found = audit.hashes_at({head.count for head in heads})
    return [head for head in heads if found.get(head.count) != head.hash]
