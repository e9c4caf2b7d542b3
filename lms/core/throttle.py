"""How long somebody who keeps guessing has to wait. Slows down, never locks out."""

from datetime import datetime, timedelta

from sqlalchemy import case, delete, select

from lms.core.db import db, insert_into
from lms.core.errors import DomainError
from lms.core.models import Throttle

FREE = 5
"""Failures that cost nothing: people mistype."""
FREE_ADDRESS = 40
"""The same for a network address: a whole class sits behind one."""
LONGEST = timedelta(minutes=5)
FORGET = timedelta(hours=1)


class TooSoon(DomainError):
    """The key has to wait; `seconds` says how long."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"wait {seconds} seconds")
        self.seconds = seconds


def delay(failures: int, free: int = FREE) -> timedelta:
    """Return the wait after `failures` failures: none at first, then doubling up to LONGEST."""
    if failures < free:
        return timedelta(0)
    return min(timedelta(seconds=2 ** min(failures - free, 20)), LONGEST)


def _free(key: str) -> int:
    return FREE_ADDRESS if key.startswith("address:") else FREE


def check(keys: list[str], now: datetime) -> None:
    """Let the attempt pass or raise TooSoon with the longest wait among `keys`."""
    rows = db.session.scalars(select(Throttle).where(Throttle.key.in_(keys))).all()
    waits = [
        row.last_at + delay(row.failures, _free(row.key)) - now
        for row in rows
        if now - row.last_at < FORGET
    ]
    longest = max(waits, default=timedelta(0))
    if longest > timedelta(0):
        raise TooSoon(int(longest.total_seconds()) + 1)


def failed(keys: list[str], now: datetime) -> None:
    """Count one failure against each key. Needs a unit of work."""
    # One statement per key, in a fixed order: two guesses at once are both counted, none waits in
    # a circle.
    for key in sorted(keys):
        first = insert_into(Throttle).values(key=key, failures=1, last_at=now)
        recent = Throttle.last_at > now - FORGET
        db.session.execute(
            first.on_conflict_do_update(
                index_elements=[Throttle.key],
                set_={
                    "failures": case((recent, Throttle.failures + 1), else_=1),
                    "last_at": now,
                },
            )
        )


def succeeded(key: str) -> None:
    """Forget the failures of one key. Needs a unit of work."""
    db.session.execute(delete(Throttle).where(Throttle.key == key))
