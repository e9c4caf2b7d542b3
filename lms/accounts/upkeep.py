"""What accounts do by themselves: answer who forgot a password, forget what has run out."""

from datetime import datetime

from flask import current_app
from sqlalchemy import delete

from lms.accounts import due, resets
from lms.core.db import db, unit_of_work


def answer_requests(now: datetime) -> int:
    """Answer everybody who asked for a link. Returns how many were sent."""
    base_url, sent = current_app.extensions["suluh"].base_url, 0
    for request_id in due.list_requests():
        with unit_of_work():
            sent += resets.answer(request_id, base_url=base_url, now=now)
    return sent


def tidy(now: datetime) -> int:
    """Forget keys, devices and counts of failures that have run out. Returns how many."""
    gone = 0
    for model, condition in due.run_out(now):
        found = delete(model).where(condition)
        with unit_of_work():
            gone += db.session.execute(found).rowcount  # type: ignore[attr-defined]  # a DELETE
    return gone
