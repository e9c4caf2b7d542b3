"""The page for authors and trainers: what the content holds for each criterion."""

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from lms.core import login, sheets
from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext
from lms.reports.blueprint import bp
from lms.reports.coverage import services
from lms.reports.coverage.rules import Coverage, Part, Status, Table

AUTHORS = ("trainer", "assessor", "author", "reviewer", "admin")
PARTS: dict[Part, str] = {
    Part.LESSON: lazy_gettext("Pelajaran daring"),
    Part.ITEMS: lazy_gettext("Butir soal"),
    Part.CASE: lazy_gettext("Studi kasus"),
    Part.SIMULATION: lazy_gettext("Simulasi"),
    Part.STATION: lazy_gettext("Stasiun observasi"),
    Part.IN_PERSON: lazy_gettext("Tatap muka"),
}
STATES: dict[Status, str] = {
    Status.PUBLISHED: lazy_gettext("Terbit"),
    Status.DRAFT: lazy_gettext("Rancangan"),
    Status.ABSENT: lazy_gettext("Belum ditulis"),
}


@bp.get("/laporan/cakupan-kurikulum")
@login.role(*AUTHORS)
def curriculum_coverage() -> ResponseReturnValue:
    """Show each criterion with what teaches, asks and shows it."""
    found = services.read()
    wanted = request.args.get("kurikulum", "")
    return render_template(
        "reports/curriculum_coverage.html",
        found=found,
        tables=[table for table in _tables(found) if wanted in ("", table.code)],
        wanted=wanted,
        only_holes=_only_holes(),
        parts=PARTS,
        states=STATES,
    )


@bp.get("/laporan/cakupan-kurikulum.csv")
@login.role(*AUTHORS)
@login.about_nobody
def curriculum_coverage_csv() -> Response:
    """Give the same as CSV, piece by piece."""
    found = services.read() or Coverage("")
    words = {True: _("kritis"), False: ""}
    counted = [
        title for name in PARTS.values() for title in (str(name), _("%(part)s diminta", part=name))
    ]
    return sheets.answer_csv(
        "cakupan-kurikulum",
        [_("Kurikulum"), "KUK", _("Kriteria"), _("Kritis"), *counted, _("Yang kurang")],
        services.rows(found, only_holes=_only_holes(), words=words),
        None,
    )


def _tables(found: Coverage | None) -> tuple[Table, ...]:
    return found.tables if found else ()


def _only_holes() -> bool:
    return request.args.get("hanya") == "kurang"
