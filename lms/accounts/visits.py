"""Writes down, now and then, that a session is in use."""

from functools import partial

from flask import Flask, Response, current_app
from sqlalchemy.exc import SQLAlchemyError

from lms.accounts import rules, services
from lms.core import clock, login
from lms.core.db import db, unit_of_work
from lms.core.readonly import ReadOnly


def note_visit(response: Response) -> Response:
    """Note the visit once the page was sent: who reads does not wait for those who write."""
    viewer = login.seen_viewer()
    if viewer and viewer.seen_at and clock.now() - viewer.seen_at >= rules.VISIT:
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy
        response.call_on_close(partial(_write, app, viewer.token))
    return response


def _write(app: Flask, token: str) -> None:
    with app.app_context():
        try:
            with unit_of_work():
                services.note_visit(token, now=clock.now())
        except (SQLAlchemyError, ReadOnly):
            # A full disk or a long write: the page went out, the next visit is noted again.
            app.logger.warning("a visit was not noted")
        finally:
            db.session.remove()
