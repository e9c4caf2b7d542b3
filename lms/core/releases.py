"""Which content this installation teaches, as far as the core knows: the loads that succeeded."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from lms.core.db import db
from lms.core.errors import DomainError
from lms.core.models import ContentRelease

if TYPE_CHECKING:
    from lms.core.content import Problem


class BrokenContent(DomainError):
    """The content has problems; nothing was loaded."""

    def __init__(self, problems: "list[Problem]") -> None:
        super().__init__(f"{len(problems)} problems")
        self.problems = problems


def files_of(folder: Path) -> list[Path]:
    """Return every content file in a fixed order."""
    return sorted(p for p in folder.rglob("*") if p.suffix in {".yaml", ".md"})


def digest_of(folder: Path) -> str:
    """Return one SHA-256 over places (below `folder`) and bytes of the content files."""
    total = hashlib.sha256()
    for path in files_of(folder):
        place = path.relative_to(folder).as_posix()
        total.update(place.encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def latest() -> ContentRelease | None:
    """Return the newest content load, or None when nothing was ever loaded."""
    return db.session.scalar(select(ContentRelease).order_by(ContentRelease.id.desc()).limit(1))


def latest_coverage() -> dict[str, Any] | None:
    """Return what the newest content load has for each criterion, or None when it says nothing."""
    return db.session.scalar(
        select(ContentRelease.coverage).order_by(ContentRelease.id.desc()).limit(1)
    )


def is_loaded(digest: str) -> bool:
    """Tell whether the newest load was of the files with this digest: nothing has to be loaded."""
    last = latest()
    return last is not None and bool(last.coverage) and last.digest == digest
