"""Who waits for a link, and what has run out. Light: the rounds ask here first."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, select

from lms.accounts.models import AddressChange, KnownDevice, PendingEntry, ResetRequest
from lms.core import throttle
from lms.core.db import Base, db
from lms.core.models import Throttle

KEPT = timedelta(days=1)
"""How long a key that opens nothing any more is kept."""
DEVICE = timedelta(days=180)
"""How long a browser counts as known; its cookie lives as long."""


def links(_now: datetime) -> bool:
    """Tell whether anybody asked for a link."""
    return bool(list_requests(1))


def list_requests(limit: int = 50) -> list[int]:
    """Return the ids of requests nobody has looked at, oldest first."""
    return list(db.session.scalars(select(ResetRequest.id).order_by(ResetRequest.id).limit(limit)))


def tidy(now: datetime) -> bool:
    """Tell whether anything has run out."""
    return any(
        db.session.execute(select(model).where(gone).limit(1)).first() is not None
        for model, gone in run_out(now)
    )


def run_out(now: datetime) -> list[tuple[type[Base], ColumnElement[bool]]]:
    """Return which rows of which tables opened, or said, something once and are forgotten now."""
    return [
        (PendingEntry, PendingEntry.expires_at < now - KEPT),
        (AddressChange, AddressChange.expires_at < now - KEPT),
        (ResetRequest, ResetRequest.created_at < now - KEPT),
        (KnownDevice, KnownDevice.created_at < now - DEVICE),
        (Throttle, Throttle.last_at < now - throttle.FORGET),
    ]
