"""The attendance list on the trainer's telephone."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.cohorts.models import Cohort
from lms.core import clock, login
from lms.core.db import unit_of_work
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.practice.attendance import services
from lms.practice.attendance.forms import LABELS, SAYS, RowForm, SheetForm, UndoForm
from lms.practice.attendance.views.blueprint import bp, get_cohort, page_number, say


@bp.get("/angkatan/<slug>/hadir")
@login.role("trainer")
def sheet(slug: str) -> ResponseReturnValue:
    """Show who was there in one half day."""
    cohort = get_cohort(slug)
    number = page_number(request.args.get("hal"))
    found = services.get_sheet(cohort, request.args.get("bagian"), now=clock.now(), page=number)
    return _page(cohort, found, {})


@bp.post("/angkatan/<slug>/hadir")
@login.role("trainer")
@login.accepts(
    SheetForm, *(f"<peserta>-{name}" for name in ("hadir", "semula", "menit", "catatan", "kelas"))
)
def record(slug: str) -> ResponseReturnValue:
    """Note who was there; only rows that were changed are added."""
    cohort, form = get_cohort(slug), SheetForm()
    number = page_number(form.hal.data)
    found = services.get_sheet(cohort, form.bagian.data, now=clock.now(), page=number)
    rows = {line.seat.public_id: RowForm(prefix=line.seat.public_id) for line in found.lines}
    if not form.validate() or not all([row.validate() for row in rows.values()]):
        return _page(cohort, found, rows), 422
    for line in found.lines:
        row = rows[line.seat.public_id]
        offered = {"", *(address for address, _name in line.elsewhere)}
        if row.entry.mark is not None and row.entry.mark.elsewhere not in offered:
            row.kelas.errors = [SAYS["elsewhere"]]
            return _page(cohort, found, rows), 422
    key = found.half.half.key
    with unit_of_work():
        outcome = services.record(
            get_cohort(slug),
            key,
            {who: row.entry for who, row in rows.items()},
            fill=form.langkah.data == "semua",
            recorder_id=login.require_viewer().id,
            now=clock.now(),
            only=frozenset(rows),
        )
    if outcome.overtaken:
        found = services.get_sheet(cohort, key, now=clock.now(), page=number)
        return _page(cohort, found, rows, outcome), 422
    flash(say(outcome), "success")
    return redirect(_address(slug, key, number))


@bp.post("/angkatan/<slug>/hadir/batal")
@login.role("trainer")
@login.accepts(UndoForm)
def undo(slug: str) -> ResponseReturnValue:
    """Take back what is noted about somebody; the note stays to be read."""
    form = UndoForm()
    if not form.validate_on_submit():
        raise NotFound("peserta")
    with unit_of_work():
        done = services.undo(
            get_cohort(slug),
            form.bagian.data,
            form.peserta.data,
            recorder_id=login.require_viewer().id,
            now=clock.now(),
        )
    flash(_("Catatan kehadiran dibatalkan.") if done else _("Tidak ada yang berubah."), "success")
    if form.asal.data == "langsung":
        return redirect(url_for(".arrivals", slug=slug, bagian=form.bagian.data))
    return redirect(_address(slug, form.bagian.data, page_number(form.hal.data)))


def _address(slug: str, key: str, number: int) -> str:
    return url_for(".sheet", slug=slug, bagian=key, hal=number if number > 1 else None)


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
        here=_address(cohort.slug, found.half.half.key, found.page),
        page_url=lambda number: _address(cohort.slug, found.half.half.key, number),
    )
