"""Which content this installation teaches, as far as the core knows: the loads that succeeded."""

from typing import Any

from sqlalchemy import select

from lms.core.db import db
from lms.core.models import ContentRelease


def latest() -> ContentRelease | None:
    """Return the newest content load, or None when nothing was ever loaded."""
    return db.session.scalar(select(ContentRelease).order_by(ContentRelease.id.desc()).limit(1))


def latest_coverage() -> dict[str, Any] | None:
    """Return what the newest content load has for each criterion, or None when it says nothing."""
    return db.session.scalar(
        select(ContentRelease.coverage).order_by(ContentRelease.id.desc()).limit(1)
    )
