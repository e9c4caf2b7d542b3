"""Writes down who took a file with data of other people out of the installation."""

from functools import partial

from flask import Flask, Response, current_app, request
from sqlalchemy.exc import SQLAlchemyError

from lms.core import audit, clock, login
from lms.core.db import db, unit_of_work
from lms.core.readonly import ReadOnly

TAKEN = "privacy.take_file"


def note_export(response: Response) -> Response:
    """Note a file once it was sent: every one of a page for some roles that does not say otherwise.

    Files of a page for everybody who is signed in are their own.
    """
    if response.status_code != 200 or "Content-Disposition" not in response.headers:
        return response
    view = current_app.view_functions[request.endpoint or ""]
    policy, viewer = login.policy_of(view), login.seen_viewer()
    if viewer and policy and policy.roles and not hasattr(view, "about_nobody"):
        app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy
        write = partial(_write, app, viewer.id, f"page:{request.endpoint}", request.path)
        response.call_on_close(write)
    return response


def _write(app: Flask, actor_id: int, subject: str, path: str) -> None:
    with app.app_context():
        try:
            with unit_of_work():
                audit.record(TAKEN, subject, actor_id=actor_id, now=clock.now(), path=path)
        except (SQLAlchemyError, ReadOnly):
            app.logger.exception("a file that was taken was not noted")
        finally:
            db.session.remove()
