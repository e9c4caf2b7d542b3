"""Pages of written answers: what waits, and marking one."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.cohorts.services import MayNotAssess
from lms.core import clock, login
from lms.core.db import unit_of_work
from lms.core.i18n import gettext as _
from lms.quizzes.essays import services
from lms.quizzes.essays.forms import MarkForm

bp = Blueprint("essays", __name__, template_folder="templates")


@bp.get("/menilai/esai")
@login.role("trainer", "assessor", "admin")
def queue() -> ResponseReturnValue:
    """List the sittings with written answers that wait for the viewer."""
    after = request.args.get("setelah")
    found = services.queue(login.require_viewer(), after=after)
    return render_template("essays/queue.html", queue=found, is_later=bool(after), now=clock.now())


@bp.get("/menilai/esai/<public_id>/<int:position>")
@login.role("trainer", "assessor", "admin")
def read(public_id: str, position: int) -> ResponseReturnValue:
    """Show one answer beside its question, or how it was marked."""
    return _page(public_id, position, MarkForm(formdata=None))


@bp.post("/menilai/esai/<public_id>/<int:position>")
@login.role("trainer", "assessor", "admin")
@login.accepts(MarkForm)
def mark(public_id: str, position: int) -> ResponseReturnValue:
    """Write the mark down, and go on to the next answer of the sitting."""
    viewer, now, form = login.require_viewer(), clock.now(), MarkForm()
    if not form.validate_on_submit():
        return _page(public_id, position, form, 422)
    try:
        with unit_of_work():
            passed = services.mark(
                public_id, position, viewer, level=form.level, note=form.catatan.data, now=now
            )
    except MayNotAssess:
        return render_template("essays/refused.html"), 403
    except services.AlreadyMarked:
        return _page(public_id, position, form, 409)
    if passed is None:
        flash(_("Penilaian Anda tersimpan. Menunggu penilai kedua."), "success")
    else:
        flash(_("Penilaian tersimpan. Peserta dapat membacanya sekarang."), "success")
    following = services.find_next(public_id, viewer)
    if following is None:
        return redirect(url_for(".queue"))
    return redirect(url_for(".read", public_id=public_id, position=following))


def _page(public_id: str, position: int, form: MarkForm, status: int = 200) -> ResponseReturnValue:
    try:
        essay = services.get_essay(public_id, position, login.require_viewer())
    except MayNotAssess:
        return render_template("essays/refused.html"), 403
    return render_template("essays/mark.html", essay=essay, form=form), status
