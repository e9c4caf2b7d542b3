"""The printed sheet, and keying it in."""

from datetime import datetime

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.cohorts.marks import mark_of
from lms.cohorts.models import Cohort
from lms.core import clock, login, sheets
from lms.core.db import unit_of_work
from lms.practice.attendance import rules, services, sheet_pdf
from lms.practice.attendance.forms import KeyForm, KeyRowForm
from lms.practice.attendance.models import Way
from lms.practice.attendance.views.blueprint import bp, get_cohort, page_number, say


@bp.get("/angkatan/<slug>/hadir/lembar.pdf")
@login.role("trainer")
@login.about_people
def paper(slug: str) -> ResponseReturnValue:
    """Give the sheet of one half day to sign on."""
    cohort, now = get_cohort(slug), clock.now()
    table = services.timetable_of(cohort)
    half = table.choose(cohort, request.args.get("bagian"), now)
    mark = mark_of(cohort)
    body = sheet_pdf.draw(cohort, table, half, mark, now=now)
    return sheets.answer_pdf(f"hadir-{slug}-{half.key}", body, mark)


@bp.get("/angkatan/<slug>/hadir/lembar")
@login.role("trainer")
def key_in(slug: str) -> ResponseReturnValue:
    """Show the rows of the paper to be keyed in."""
    cohort = get_cohort(slug)
    number = page_number(request.args.get("hal"))
    found = services.get_sheet(cohort, request.args.get("bagian"), now=clock.now(), page=number)
    return _page(cohort, found, {})


@bp.post("/angkatan/<slug>/hadir/lembar")
@login.role("trainer")
@login.accepts(KeyForm, "<peserta>-tanda", "<peserta>-semula")
def save_keyed(slug: str) -> ResponseReturnValue:
    """Save what was keyed in, all rows at once; or write `h` into every empty row."""
    cohort, form, now = get_cohort(slug), KeyForm(), clock.now()
    number = page_number(form.hal.data)
    found = services.get_sheet(cohort, form.bagian.data, now=now, page=number)
    rows = {line.seat.public_id: KeyRowForm(prefix=line.seat.public_id) for line in found.lines}
    if not form.validate() or not all([row.validate() for row in rows.values()]):
        return _page(cohort, found, rows), 422
    if form.langkah.data == "isi":
        for line in found.lines:
            row = rows[line.seat.public_id]
            row.tanda.data = row.tanda.data or ("" if line.note else "h")
        return _page(cohort, found, rows, filled=True), 200
    return _save(cohort, found, rows, now)


def _save(
    cohort: Cohort, found: services.Sheet, rows: dict[str, KeyRowForm], now: datetime
) -> ResponseReturnValue:
    slug, key = cohort.slug, found.half.half.key
    with unit_of_work():
        outcome = services.record(
            get_cohort(slug),
            key,
            {who: row.entry for who, row in rows.items()},
            fill=False,
            recorder_id=login.require_viewer().id,
            now=now,
            way=Way.SHEET,
        )
    if outcome.overtaken:
        cohort = get_cohort(slug)
        found = services.get_sheet(cohort, key, now=now, page=found.page)
        return _page(cohort, found, rows, outcome=outcome), 422
    flash(say(outcome), "success")
    return redirect(_address(slug, key, found.page))


def _address(slug: str, key: str, number: int) -> str:
    return url_for(".key_in", slug=slug, bagian=key, hal=number if number > 1 else None)


def _page(
    cohort: Cohort,
    found: services.Sheet,
    rows: dict[str, KeyRowForm],
    *,
    outcome: services.Outcome | None = None,
    filled: bool = False,
) -> str:
    return render_template(
        "attendance/key_in.html",
        cohort=cohort,
        sheet=found,
        rows=rows,
        outcome=outcome,
        filled=filled,
        written=rules.written,
        row_code=rules.row_code,
        viewer_id=login.require_viewer().public_id,
        here=_address(cohort.slug, found.half.half.key, found.page),
        page_url=lambda number: _address(cohort.slug, found.half.half.key, number),
    )
