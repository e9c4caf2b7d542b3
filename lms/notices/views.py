"""Pages of notices: what one was told, and what comes by mail."""

from flask import Blueprint, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from lms.core import clock, http, login
from lms.core.db import unit_of_work
from lms.core.i18n import gettext as _
from lms.notices import letters, services
from lms.notices.forms import ChoicesForm
from lms.notices.rules import ALL, Kind

bp = Blueprint("notices", __name__, template_folder="templates")

PAGE = 50
"""Notices on one page."""


@bp.get("/pemberitahuan")
@login.signed_in
def own() -> ResponseReturnValue:
    """List what the viewer was told, and what comes by mail."""
    muted = services.list_muted(login.require_viewer().id)
    form = ChoicesForm(
        formdata=None,
        kinds=[kind.value for kind in Kind if kind.value not in muted],
        no_mail=ALL in muted,
    )
    return _page(form)


@bp.post("/pemberitahuan/dibaca")
@login.signed_in
@login.accepts()
def read() -> ResponseReturnValue:
    """Mark everything as read."""
    with unit_of_work():
        services.mark_read(login.require_viewer().id, now=clock.now())
    return redirect(url_for(".own"))


@bp.post("/pemberitahuan/pilihan")
@login.signed_in
@login.accepts(ChoicesForm)
def choose() -> ResponseReturnValue:
    """Keep what comes by mail."""
    form = ChoicesForm()
    if not form.validate_on_submit():
        return make_response(_page(form), 422)
    with unit_of_work():
        services.choose(login.require_viewer().id, form.kinds.data or [], no_mail=form.no_mail.data)
    flash(_("Pilihan tersimpan."), "success")
    return redirect(url_for(".own") + "#pilihan")


def _page(form: ChoicesForm) -> str:
    found = services.list_own(login.require_viewer().id, before=http.asked_id("sebelum"))
    return render_template(
        "notices/own.html", notices=found, form=form, sentence=letters.sentence, size=PAGE
    )
