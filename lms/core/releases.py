"""Which content this installation teaches, as far as the core knows: the loads that succeeded."""

from sqlalchemy import select

from lms.core.db import db
from lms.core.models import ContentRelease


def latest() -> ContentRelease | None:
    """Return the newest content load, or None when nothing was ever loaded."""
    return db.session.scalar(select(ContentRelease).order_by(ContentRelease.id.desc()).limit(1))
