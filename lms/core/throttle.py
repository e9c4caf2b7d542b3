"""How long somebody who keeps guessing has to wait. Slows down, never locks out."""

import ipaddress
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from typing import Protocol

from sqlalchemy import Select, bindparam, case, delete, select

from lms.core.db import db, insert_into
from lms.core.errors import DomainError
from lms.core.models import Throttle
from lms.core.prepared import read

FREE = 5
"""Failures that cost nothing: people mistype."""
FREE_ADDRESS = 40
"""The same for a network address: a whole class sits behind one."""
FREE_MAIL = 3
"""Messages that somebody may ask for before waiting: each lands in a mailbox."""
FREE_OF = {"address:": FREE_ADDRESS, "asked:": FREE_ADDRESS, "mail:": FREE_MAIL}
"""What is free for keys that begin so; for all others it is FREE."""
LONGEST = timedelta(minutes=5)
"""The longest wait. A failure further ahead than this was noted by a clock that has been set back:
nobody waits for a time that was wrong.
"""
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
    return FREE_OF.get(key[: key.find(":") + 1], FREE)


def network(address: str) -> str:
    """Return what one household or office has in common of a network address.

    A home gets 2^64 addresses of IPv6: counted one by one, a guesser would never meet a wait.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), 64), strict=False))


@cache
def _counted(keys: int) -> Select[str, int, datetime]:
    """Return the statement of `check` for so many keys, put together once."""
    return select(Throttle.key, Throttle.failures, Throttle.last_at).where(
        Throttle.key.in_([bindparam(f"key_{place}") for place in range(keys)])
    )


class Counted(Protocol):
    """What is counted against one key: a row of Throttle, or its columns."""

    @property
    def key(self) -> str:
        """Whose."""

    @property
    def failures(self) -> int:
        """How often."""

    @property
    def last_at(self) -> datetime:
        """The newest."""


def check(keys: list[str], now: datetime) -> frozenset[str]:
    """Let the attempt pass or raise TooSoon with the longest wait among `keys`.

    Returns the keys anything is counted against: only these are worth a `succeeded`.
    """
    rows = read(_counted(len(keys)), {f"key_{place}": key for place, key in enumerate(keys)})
    longest = longest_wait(rows, now)
    if longest > timedelta(0):
        raise TooSoon(int(longest.total_seconds()) + 1)
    return frozenset(row.key for row in rows)


def longest_wait(rows: Iterable[Counted], now: datetime) -> timedelta:
    """Return how long to wait for all of these counts; nothing or less when none is in the way."""
    waits = [
        row.last_at + delay(row.failures, _free(row.key)) - now
        for row in rows
        if -LONGEST < now - row.last_at < FORGET
    ]
    return max(waits, default=timedelta(0))


def check_count(key: str, limit: int, within: timedelta, now: datetime) -> None:
    """Let the attempt pass unless `limit` failures came with less than `within` between them.

    Raises TooSoon. Count them with `failed(..., forget=within)`.
    """
    row = db.session.get(Throttle, key)
    if row is not None and row.failures >= limit and -LONGEST < now - row.last_at < within:
        raise TooSoon(int((row.last_at + within - now).total_seconds()) + 1)


def failed(keys: list[str], now: datetime, forget: timedelta = FORGET) -> None:
    """Count one failure against each key; after `forget` without any it begins anew.

    Needs a unit of work.
    """
    # One statement per key, in a fixed order: two guesses at once are both counted, none waits in
    # a circle.
    for key in sorted(keys):
        first = insert_into(Throttle).values(key=key, failures=1, last_at=now)
        recent = Throttle.last_at > now - forget
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
