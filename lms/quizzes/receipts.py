"""The receipt of an acknowledged answer: proof that the server said "tersimpan". Pure."""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime


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


def sign(secret: str, acknowledged: Acknowledged) -> str:
    """Return the receipt: an HMAC-SHA256 over what was acknowledged, 128 bits of it in hex."""
    facts = [
        "answer",
        acknowledged.attempt,
        acknowledged.soal,
        acknowledged.client_key,
        acknowledged.choice,
        acknowledged.flagged,
        acknowledged.at.astimezone(UTC).isoformat(timespec="microseconds"),
    ]
    message = json.dumps(facts, separators=(",", ":")).encode()
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()[:32]


def is_genuine(secret: str, acknowledged: Acknowledged, receipt: str) -> bool:
    """Tell whether this installation gave the receipt."""
    return hmac.compare_digest(sign(secret, acknowledged).encode(), receipt.encode())
