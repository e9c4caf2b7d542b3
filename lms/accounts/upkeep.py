"""What accounts do by themselves: answer who forgot a password, forget what has run out."""

from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import delete

from lms.accounts import resets
from lms.accounts.models import AddressChange, KnownDevice, PendingEntry, ResetRequest
from lms.core import throttle
from lms.core.db import db, unit_of_work
from lms.core.models import Throttle

KEPT = timedelta(days=1)
"""How long a key that opens nothing any more is kept."""
DEVICE = timedelta(days=180)
"""How long a browser counts as known; its cookie lives as long."""


def answer_requests(now: datetime) -> int:
    """Answer everybody who asked for a link. Returns how many were sent."""
    base_url, sent = current_app.extensions["suluh"].base_url, 0
    for request_id in resets.list_requests():
        with unit_of_work():
            sent += resets.answer(request_id, base_url=base_url, now=now)
    return sent


def tidy(now: datetime) -> int:
    """Forget keys, devices and counts of failures that have run out. Returns how many."""
    gone = 0
    for found in (
        delete(PendingEntry).where(PendingEntry.expires_at < now - KEPT),
        delete(AddressChange).where(AddressChange.expires_at < now - KEPT),
        delete(ResetRequest).where(ResetRequest.created_at < now - KEPT),
        delete(KnownDevice).where(KnownDevice.created_at < now - DEVICE),
        delete(Throttle).where(Throttle.last_at < now - throttle.FORGET),
    ):
        with unit_of_work():
            gone += db.session.execute(found).rowcount  # type: ignore[attr-defined]  # a DELETE
    return gone
