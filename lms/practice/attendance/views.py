"""Pages of attendance."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, Part
from lms.core import clock, login
from lms.core.db import unit_of_work
from lms.core.i18n import gettext as _
from lms.core.i18n import ngettext
from lms.practice.attendance import services
from lms.practice.attendance.forms import LABELS, RowForm, SheetForm

bp = Blueprint("attendance", __name__, template_folder="templates")


@bp.get("/angkatan/<slug>/hadir")
@login.role("trainer")
def sheet(slug: str) -> ResponseReturnValue:
    """Show who was there in one half day."""
    cohort = _get_cohort(slug)
    found = services.get_sheet(cohort, request.args.get("bagian"), now=clock.now())
    return _page(cohort, found, {})


@bp.post("/angkatan/<slug>/hadir")
@login.role("trainer")
@login.accepts(SheetForm, "<peserta>-hadir", "<peserta>-semula")
def record(slug: str) -> ResponseReturnValue:
    """Note who was there; only rows that were changed are added."""
    cohort, form = _get_cohort(slug), SheetForm()
    found = services.get_sheet(cohort, form.bagian.data, now=clock.now())
    rows = {line.seat.public_id: RowForm(prefix=line.seat.public_id) for line in found.lines}
    if not form.validate() or not all([row.validate() for row in rows.values()]):
        return _page(cohort, found, rows), 422
    key = found.half.half.key
    outcome = _save(slug, key, rows, fill=form.langkah.data == "semua")
    if outcome.overtaken:
        found = services.get_sheet(cohort, key, now=clock.now())
        return _page(cohort, found, rows, outcome), 422
    flash(_say(outcome), "success")
    return redirect(url_for(".sheet", slug=slug, bagian=key))


def _save(slug: str, key: str, rows: dict[str, RowForm], *, fill: bool) -> services.Outcome:
    entries = {who: services.Entry(row.hadir.data, row.semula.data) for who, row in rows.items()}
    with unit_of_work():
        return services.record(
            _get_cohort(slug),
            key,
            entries,
            fill=fill,
            recorder_id=login.require_viewer().id,
            now=clock.now(),
        )


def _get_cohort(slug: str) -> Cohort:
    return cohorts.get_cohort(slug, login.require_viewer(), Part.TRAINER)


def _say(outcome: services.Outcome) -> str:
    if not outcome.added:
        return _("Tidak ada yang berubah.")
    return ngettext(
        "Kehadiran %(num)d orang tersimpan.", "Kehadiran %(num)d orang tersimpan.", outcome.added
    )


def _page(
    cohort: Cohort,
    found: services.Sheet,
    rows: dict[str, RowForm],
    outcome: services.Outcome | None = None,
) -> str:
    return render_template(
        "attendance/sheet.html",
        cohort=cohort,
        sheet=found,
        rows=rows,
        outcome=outcome,
        labels=LABELS,
        now=clock.now(),
        here=url_for(".sheet", slug=cohort.slug, bagian=found.half.half.key),
    )
