"""What a browser remembers of a code it was shown, so that signing in does not lose it.

The cookie says which code this browser showed and when; whether the code was right is worked out
later, so it tells nobody anything. It also tells one browser from another for twelve hours.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe

from flask import Response, current_app, request
from itsdangerous import BadSignature, URLSafeSerializer

from lms.practice.attendance.rules import GRACE

COOKIE = "suluh-hadir"
KEPT = timedelta(hours=12)


@dataclass(frozen=True, slots=True)
class Ticket:
    """Which code this browser was shown when, and by whom if somebody was signed in."""

    device: str
    slug: str = ""
    code: str = ""
    at: datetime | None = None
    person: str = ""
    """Public id; empty when nobody was signed in yet."""

    def shown_at(self, slug: str, code: str, person: str, now: datetime) -> datetime:
        """Return the moment that counts for this code: when it was first shown, else now."""
        if (
            self.at is None
            or (self.slug, self.code) != (slug, code)
            or self.person not in ("", person)
            or not timedelta(0) <= now - self.at <= GRACE
        ):
            return now
        return self.at

    @property
    def device_hash(self) -> str:
        """Return what is stored of the browser."""
        return sha256(self.device.encode()).hexdigest()[:32]


def read() -> Ticket:
    """Return what this browser remembers, or a new ticket."""
    try:
        held = _serializer().loads(request.cookies.get(COOKIE, ""))
        at = datetime.fromtimestamp(held["t"], UTC) if held["t"] is not None else None
        return Ticket(held["d"], held["s"], held["c"], at, held["p"])
    except (BadSignature, KeyError, TypeError, ValueError):
        return Ticket(token_urlsafe(12))


def show(ticket: Ticket, slug: str, code: str, person: str, now: datetime) -> Ticket:
    """Return the ticket after a code was shown: the first moment of a code is kept."""
    at = ticket.shown_at(slug, code, person, now)
    first = ticket.person if at != now else person
    return Ticket(ticket.device, slug, code, at, first)


def keep(response: Response, ticket: Ticket) -> Response:
    """Let the browser remember the ticket."""
    at = ticket.at.timestamp() if ticket.at else None
    held = {"d": ticket.device, "s": ticket.slug, "c": ticket.code, "t": at, "p": ticket.person}
    response.set_cookie(
        COOKIE,
        _serializer().dumps(held),
        max_age=KEPT,
        path="/hadir",
        httponly=True,
        samesite="Lax",
        secure=current_app.extensions["suluh"].https,
    )
    return response


def secret() -> bytes:
    """Return the key of the codes on the screen; it is used for nothing else."""
    key = current_app.extensions["suluh"].secret_key
    return sha256(b"suluh attendance codes\0" + key.encode()).digest()


def _serializer() -> URLSafeSerializer:
    key = current_app.extensions["suluh"].secret_key
    return URLSafeSerializer(key, salt="suluh.attendance.ticket")
