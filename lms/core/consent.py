"""The door between joining and the notice people agree to: features below privacy knock here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from flask import current_app

KEY = "suluh_consent"


@dataclass(frozen=True, slots=True)
class Desk:
    """Who asks for consent, where that is asked at all."""

    agree: Callable[[int, str, datetime], None]
    """Write down that a person agreed, at which place. Flushes."""


def is_asked() -> bool:
    """Tell whether joining needs a consent here."""
    return KEY in current_app.extensions and current_app.extensions["suluh"].consent == "asked"


def agree(person_id: int, place: str, *, now: datetime) -> None:
    """Write down that somebody agreed to the notice in force, where it is asked. Flushes."""
    if is_asked():
        desk: Desk = current_app.extensions[KEY]
        desk.agree(person_id, place, now)
