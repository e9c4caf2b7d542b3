"""What the figures of a load have to be."""

from collections.abc import Mapping
from typing import Any

NEVER = ("lost", "twice", "altered", "bad_receipts", "problems")
"""What must not happen once, whatever is done to the server."""
QUIET = {
    "p95_ms": 150.0,
    "p99_ms": 500.0,
    "submit_p95_ms": 2000.0,
    "verify_p95_ms": 100.0,
    "errors": 0.0,
}
"""Bars of a run in which nothing is broken."""
KILLED = {"longest_ms": 5000.0}
"""The bar where workers are killed: how long anybody waited for an acknowledgement."""
SOAK = {"pss_percent": 5.0, "files_more": 10.0, "wal_most_mib": 64.0}
"""Bars of a long run: what the server holds at its end."""
SLOWEST = 0.9
"""Checks of certificates really made, over those asked for."""


def wrong_with(found: Mapping[str, Any]) -> list[str]:
    """Return what must never be, then which bars are missed."""
    wrong = [f"{name}: {found[name]}" for name in NEVER if found[name]]
    if found["acked"] < found["seconds"] * 10:
        wrong.append(f"only {found['acked']} answers: that proves nothing")
    asked = found["verify"] * found["seconds"]
    if found["checks"] < asked * SLOWEST:
        wrong.append(f"only {found['checks']} checks of {asked:g}")
    if found["kill_every"] and found["kills"] < found["seconds"] / found["kill_every"] / 2:
        wrong.append(f"only {found['kills']} kills")
    wrong += _missed(found, KILLED if found["kill_every"] else QUIET)
    return wrong + (_missed(found["soak"], SOAK) if found["soak"] else [])


def _missed(found: Mapping[str, Any], bars: Mapping[str, float]) -> list[str]:
    return [
        f"{name}: {found[name]:g}, bar {bar:g}"
        for name, bar in bars.items()
        if found[name] is not None and found[name] > bar
    ]
