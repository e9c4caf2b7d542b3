"""Slows down who tries many codes or names. Counts in memory; a restart forgets."""

import math
from dataclasses import dataclass, field

from flask import current_app
from flask.sansio.app import App
from werkzeug.exceptions import TooManyRequests

from lms.core.window import Limit, Window, parse

NAMES = parse("5/hour")
"""Names that may be compared with one certificate from one address. The page says so."""

LISTS = parse("5/hour")
"""Lists of papers one officer may check."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The counters of one process."""

    codes: Limit
    window: Window = field(default_factory=Window)

    def check(self, limit: Limit, *who: str) -> None:
        """Let one more try pass or raise TooManyRequests with the seconds to wait."""
        wait = self.window.hit(limit, who)
        if wait is not None:
            raise TooManyRequests(retry_after=max(1, math.ceil(wait)))


def init_app(app: App) -> None:
    """Give `app` its counters."""
    app.extensions["suluh_gate"] = Gate(parse(app.extensions["suluh"].verify_limit))


def check_code(address: str) -> None:
    """Count one code asked for from `address`. Raises TooManyRequests."""
    gate: Gate = current_app.extensions["suluh_gate"]
    gate.check(gate.codes, "code", address)


def check_name(address: str, code: str) -> None:
    """Count one name compared with one certificate from `address`. Raises TooManyRequests."""
    gate: Gate = current_app.extensions["suluh_gate"]
    gate.check(NAMES, "name", address, code)


def check_list(officer: str) -> None:
    """Count one list of papers checked by an officer. Raises TooManyRequests."""
    gate: Gate = current_app.extensions["suluh_gate"]
    gate.check(LISTS, "list", officer)
