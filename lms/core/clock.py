"""What time it is. Read at the door only, then passed in."""

from datetime import UTC, datetime, timedelta, timezone

ZONES: dict[str, timezone] = {
    "WIB": timezone(timedelta(hours=7), "WIB"),
    "WITA": timezone(timedelta(hours=8), "WITA"),
    "WIT": timezone(timedelta(hours=9), "WIT"),
}
"""Indonesia's three zones. None has daylight saving time, so fixed offsets are exact."""


def now() -> datetime:
    """Return this moment, aware, in UTC."""
    return datetime.now(UTC)
