"""The blueprint, and what its pages share."""

from datetime import date, tzinfo

from flask import Blueprint, current_app, request

from lms.agencies.units import Chosen, choose
from lms.config import Config
from lms.core import clock, login
from lms.core.i18n import local

bp = Blueprint("agencies", __name__, template_folder="../templates")


def config() -> Config:
    """Return the settings of this installation."""
    found: Config = current_app.extensions["suluh"]
    return found


def zone() -> tzinfo:
    """Return the clock of this installation, by which duty and deadlines go."""
    return clock.ZONES[config().zone]


def today() -> date:
    """Return this day on that clock."""
    return local(clock.now()).date()


def chosen(public_id: str | None = None) -> Chosen:
    """Return the agency that was asked for, or the viewer's first. Raises NotFound."""
    asked = request.args.get("unit", "")[:40] if public_id is None else public_id
    return choose(login.require_viewer().id, asked)
