"""Pages of modules: the curricula and one lesson."""

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.cohorts import services as cohorts
from lms.competency import services as competency
from lms.core import clock, login, reviewing
from lms.core.db import unit_of_work
from lms.core.i18n import gettext as _
from lms.modules import laws, services
from lms.modules.forms import FinishForm
from lms.modules.glossary import content as words
from lms.modules.law.rules import covers
from lms.modules.models import Outcome
from lms.modules.outlines import find_opened, list_outlines

bp = Blueprint("modules", __name__, template_folder="templates")

READERS = ("trainee", "trainer", "assessor", "speaker", "author", "reviewer", "admin")
GUIDED = ("trainer", "assessor", "author", "reviewer", "admin")
"""Who sees what happens behind an in-person lesson."""


@bp.get("/pelajaran")
@login.role(*READERS)
def curricula() -> ResponseReturnValue:
    """List the curricula with their lessons."""
    viewer = login.require_viewer()
    outlines = {outline.code: outline for outline in list_outlines(viewer.id)}
    return render_template(
        "modules/curricula.html",
        outlines=outlines,
        standard=competency.current().standard,
        opened=find_opened(outlines.values(), request.args.get("kurikulum")),
        learns="trainee" in viewer.roles,
    )


@bp.get("/istilah")
@login.signed_in
def glossary() -> ResponseReturnValue:
    """Explain the words of the field; `cari` narrows the list."""
    asked = request.args.get("cari", "").strip()[:60]
    folder = current_app.extensions["suluh"].content_dir
    return render_template("modules/glossary.html", terms=words.find(folder, asked), asked=asked)


@bp.get("/modul/<curriculum>/<int:number>")
@login.role(*READERS)
def lesson(curriculum: str, number: int) -> ResponseReturnValue:
    """Show one lesson."""
    viewer = login.require_viewer()
    standard = competency.current().standard
    reading = services.read_lesson(curriculum, number, viewer.id, standard)
    line, in_person = reading.line, reading.line.in_person
    copy = line.code, line.digest
    return render_template(
        "modules/lesson.html",
        reading=reading,
        line=line,
        marks=reviewing.marks_of("lesson", [copy]).get(copy, ()),
        reasons=laws.list_reasons(line.id, line.version) if line.in_review else [],
        covers=covers,
        standard=standard,
        form=FinishForm(),
        learns="trainee" in viewer.roles,
        guide=in_person and viewer.is_any(*GUIDED),
        meeting=cohorts.find_lesson_session(viewer.id, line.code) if in_person else None,
    )


@bp.post("/modul/<curriculum>/<int:number>/selesai")
@login.role("trainee")
@login.accepts(FinishForm)
def finish(curriculum: str, number: int) -> ResponseReturnValue:
    """Finish a lesson and go on to what follows."""
    form = FinishForm()
    if not form.validate_on_submit():
        flash(_("Pilih salah satu tombol di akhir pelajaran."), "error")
        return redirect(url_for(".lesson", curriculum=curriculum, number=number))
    with unit_of_work():
        reading = services.finish(
            curriculum,
            number,
            person_id=login.require_viewer().id,
            outcome=Outcome(form.outcome.data),
            now=clock.now(),
        )
    flash(_("%(code)s tercatat selesai.", code=reading.line.code), "success")
    return redirect(
        url_for(".curricula") if reading.ends_online or not reading.after else reading.after.url
    )
