"""A sheet with a code for a companion who cannot sign in, printed by their trainer."""

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue

from lms.accounts import resets
from lms.accounts.door import slip, vault
from lms.cohorts import services
from lms.cohorts.models import Part
from lms.cohorts.views.blueprint import bp
from lms.core import clock, login
from lms.core.db import unit_of_work
from lms.core.errors import Forbidden
from lms.core.i18n import gettext as _


@bp.post("/angkatan/<slug>/peserta/<public_id>/kode-masuk")
@login.role("trainer")
@login.accepts()
def print_code(slug: str, public_id: str) -> ResponseReturnValue:
    """Make a code for a companion of an own class and show its sheet once."""
    viewer = login.require_viewer()
    cohort = services.get_cohort(slug, viewer, Part.TRAINER)
    seat = services.get_seat(cohort.id, public_id)
    back = url_for("reports.person", slug=slug, public_id=public_id)
    try:
        with unit_of_work():
            printed = resets.print_code(
                seat.person_id, actor_id=viewer.id, is_admin=False, vault=vault(), now=clock.now()
            )
    except Forbidden:
        flash(_("Kode untuk orang ini hanya dibuat oleh administrator."), "info")
        return redirect(back)
    return slip(printed, back)
