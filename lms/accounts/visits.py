"""Writes down, now and then, that a session is in use."""

from functools import partial

from flask import Response

from lms.accounts import rules, services
from lms.core import afterwards, clock, login


def note_visit(response: Response) -> Response:
    """Note the visit once the page was sent."""
    viewer = login.seen_viewer()
    if viewer and viewer.seen_at and clock.now() - viewer.seen_at >= rules.VISIT:
        # Where it is not written, the next visit is noted again.
        afterwards.write(response, partial(_note, viewer.token), "a visit was not noted")
    return response


def _note(token: str) -> None:
    services.note_visit(token, now=clock.now())
