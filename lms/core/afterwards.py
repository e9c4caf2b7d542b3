"""Writes something down once the answer was sent: who reads does not wait for those who write."""

import logging
from collections.abc import Callable
from functools import partial

from flask import Flask, Response, current_app
from sqlalchemy.exc import SQLAlchemyError

from lms.core.db import db, unit_of_work
from lms.core.readonly import ReadOnly


def write(
    response: Response, work: Callable[[], None], lost: str, *, level: int = logging.WARNING
) -> None:
    """Do `work` in its own unit of work when `response` was sent, or broke off on its way.

    Where nothing can be written (a full disk, a database that is away) the answer went out all the
    same, and the log says `lost`.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]  # a proxy
    response.call_on_close(partial(_write, app, work, lost, level))


def _write(app: Flask, work: Callable[[], None], lost: str, level: int) -> None:
    with app.app_context():
        try:
            with unit_of_work():
                work()
        except (SQLAlchemyError, ReadOnly):
            app.logger.log(level, lost, exc_info=level >= logging.ERROR)
        finally:
            db.session.remove()
