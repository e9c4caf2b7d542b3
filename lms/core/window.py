"""Counts what happened lately under a key, in the memory of one process; a restart forgets."""

import re
import threading
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass

from lms.core import clock

SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
MOST_KEYS = 50_000
"""Keys kept before the forgotten ones are cleared away: a few MiB."""


class BadLimit(ValueError):
    """A limit is not of the form `30/minute`."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `amount` times in any `seconds`."""

    amount: int
    seconds: int


def parse(text: str) -> Limit:
    """Read `30/minute`; second, minute, hour or day. Raises BadLimit."""
    found = re.fullmatch(r"([1-9][0-9]{0,8})/(second|minute|hour|day)", text)
    if found is None:
        raise BadLimit(f"{text!r} is not of the form 30/minute")
    return Limit(int(found[1]), SECONDS[found[2]])


class Window:
    """A moving window per key. Safe with threads; the time may be given, in seconds."""

    def __init__(self) -> None:
        self._hits: dict[Hashable, tuple[Limit, deque[float]]] = {}
        self._lock = threading.Lock()

    def hit(self, limit: Limit, key: Hashable, now: float | None = None) -> float | None:
        """Count one more, or return the seconds to wait when it would be too many."""
        at = clock.now().timestamp() if now is None else now
        with self._lock:
            if key not in self._hits and len(self._hits) >= MOST_KEYS:
                self._clear(at)
            hits = self._hits.setdefault(key, (limit, deque()))[1]
            if hits and hits[-1] > at:
                hits.clear()  # the clock was set back: nobody waits for a time that was wrong
            while hits and hits[0] <= at - limit.seconds:
                hits.popleft()
            if len(hits) >= limit.amount:
                return hits[0] + limit.seconds - at
            hits.append(at)
        return None

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._hits.clear()

    def _clear(self, at: float) -> None:
        """Forget keys that count no more; when all count, the oldest half: memory is bounded."""
        for key in [k for k, (one, hits) in self._hits.items() if hits[-1] <= at - one.seconds]:
            del self._hits[key]
        for key in list(self._hits)[: max(0, len(self._hits) - MOST_KEYS // 2)]:
            del self._hits[key]
