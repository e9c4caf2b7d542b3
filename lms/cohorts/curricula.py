"""Which curricula a class can cover. What teaches them stands above: it registers itself here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import Flask, current_app

NAME = "suluh_curricula"


@dataclass(frozen=True, slots=True)
class Offer:
    """A curriculum as it is now."""

    code: str
    """K1 … K5, T."""
    title: str
    title_en: str
    version: str
    """Names what is taught now; empty while no lesson is written."""


def init_app(app: Flask, source: Callable[[], Sequence[Offer]]) -> None:
    """Let `source` say which curricula there are."""
    app.extensions[NAME] = source


def list_offers() -> Sequence[Offer]:
    """Return the curricula there are, in order."""
    source: Callable[[], Sequence[Offer]] = current_app.extensions[NAME]
    return source()
