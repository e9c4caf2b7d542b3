"""How one audit event is tied to the one before it. Pure; the formula may never change."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

START = "0" * 64
"""What stands before the first event."""


def plain(detail: Mapping[str, object]) -> dict[str, Any]:
    """Return a detail as the database gives it back: lists for tuples, text for keys."""
    found: dict[str, Any] = json.loads(json.dumps(detail))
    return found


def link(
    previous: str,
    *,
    at: datetime,
    actor_id: int | None,
    action: str,
    subject: str,
    detail: Mapping[str, Any],
) -> str:
    """Return the hash of an event: SHA-256 over the hash before it and its own facts.

    The row id is left out, so the chain survives a move to another database.
    """
    moment = at.astimezone(UTC).isoformat(timespec="microseconds")
    facts = json.dumps(
        [moment, actor_id, action, subject, detail], sort_keys=True, separators=(",", ":")
    )
    return hashlib.sha256(f"{previous}\n{facts}".encode()).hexdigest()
