"""The receipt of an acknowledged answer: proof that the server said "tersimpan". Pure."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What a receipt vouches for."""

    attempt: str
    """Public id of the sitting."""
    soal: int
    """Position of the question."""
    client_key: str
    choice: int | None
    flagged: bool | None
    at: datetime
    """When it arrived first."""
    response: Mapping[str, Any] | None = None
    """The answer to a question of another type than a single best answer."""


def sign(secret: str, acknowledged: Acknowledged) -> str:
    """Return the receipt: an HMAC-SHA256 over what was acknowledged, 128 bits of it in hex."""
    facts: list[object] = [
        "answer",
        acknowledged.attempt,
        acknowledged.soal,
        acknowledged.client_key,
        acknowledged.choice,
        acknowledged.flagged,
        acknowledged.at.astimezone(UTC).isoformat(timespec="microseconds"),
    ]
    if acknowledged.response is not None:
        facts.append(acknowledged.response)
    message = json.dumps(facts, separators=(",", ":"), sort_keys=True).encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()[:32]


def is_genuine(secret: str, acknowledged: Acknowledged, receipt: str) -> bool:
    """Tell whether this installation gave the receipt."""
    return hmac.compare_digest(sign(secret, acknowledged).encode(), receipt.encode())
