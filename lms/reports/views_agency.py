"""Pages of the report an agency hands on: tables on screen, PDF, CSV and XLSX."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flask import current_app, render_template, request
from flask.typing import ResponseReturnValue

from lms.agencies import units
from lms.agencies.labels import STANDINGS
from lms.agencies.units import Chosen
from lms.core import clock, login, sheets
from lms.core.clock import ZONES
from lms.core.errors import NotFound
from lms.core.i18n import day, moment, pick
from lms.core.i18n import gettext as _
from lms.core.sheets import Cell
from lms.reports import agency, agency_pdf
from lms.reports.agency import Report
from lms.reports.blueprint import bp
from lms.reports.recap import Figures

PAGE = 50
"""Villages on one page."""


@bp.get("/instansi/laporan")
@login.role("agency")
def agency_report() -> ResponseReturnValue:
    """Show an agency's figures as they may be handed on."""
    unit, now = _chosen(), clock.now()
    found = _report(unit, now)
    asked = request.args.get("hal", "")[:6]
    number = max(1, int(asked) if asked.isdecimal() else 1)
    first = (number - 1) * PAGE
    if number > 1 and first >= len(found.villages):
        raise NotFound(str(number))
    return render_template(
        "reports/agency.html",
        unit=unit,
        found=found,
        now=now,
        villages=found.villages[first : first + PAGE],
        number=number,
        pages=max(1, -(-len(found.villages) // PAGE)),
        standings=STANDINGS,
        query=_query(unit, found),
    )


def _chosen() -> Chosen:
    return units.choose(login.require_viewer().id, request.args.get("unit", "")[:40])


def _report(unit: Chosen, now: datetime) -> Report:
    zone = ZONES[current_app.extensions["suluh"].zone]
    year = request.args.get("tahun", "")
    asked = int(year) if len(year) == 4 and year.isascii() and year.isdecimal() else None
    return agency.read(unit.organisation, year=asked, now=now, zone=zone)


def _query(unit: Chosen, found: Report) -> dict[str, Any]:
    """Return what leads to this report again."""
    year = {"tahun": found.own.year} if found.own else {}
    return {"unit": unit.organisation.public_id} | year


@bp.get("/instansi/laporan.pdf")
@login.role("agency")
@login.about_nobody
def agency_report_pdf() -> ResponseReturnValue:
    """Give the report of an agency as a paper."""
    unit, now = _chosen(), clock.now()
    body = agency_pdf.draw(
        unit.organisation.name,
        unit.organisation.city,
        _report(unit, now),
        as_of=day(now),
        printed=moment(now, current_app.extensions["suluh"].zone),
    )
    return sheets.answer_pdf("laporan-instansi", body, None)


@bp.get("/instansi/laporan.csv")
@login.role("agency")
@login.about_nobody
def agency_report_csv() -> ResponseReturnValue:
    """Give the report of an agency as CSV."""
    unit = _chosen()
    return sheets.answer_csv("laporan-instansi", _columns(), _rows(unit), None)


@bp.get("/instansi/laporan.xlsx")
@login.role("agency")
@login.about_nobody
def agency_report_xlsx() -> ResponseReturnValue:
    """Give the report of an agency as a workbook."""
    unit = _chosen()
    return sheets.answer_xlsx("laporan-instansi", _columns(), _rows(unit), None)


def _columns() -> list[str]:
    return [_("Bagian"), _("Nama"), _("Ukuran"), _("Nilai")]


def _rows(unit: Chosen) -> list[list[Cell]]:
    now = clock.now()
    found, part = _report(unit, now), _("Instansi")
    rows: list[list[Cell]] = [
        [part, unit.organisation.name, _("Keadaan pada"), day(now)],
        [part, unit.organisation.name, _("Pendamping"), _cell(found.people)],
    ]
    if found.own is None:
        return rows
    for level in found.levels:
        title = pick(level.scheme.title, level.scheme.title_en)
        for standing, count in level.cells.items():
            rows.append([_("Tingkat"), title, str(STANDINGS[standing]), _cell(count)])
    for name, count in found.villages:
        rows.append([_("Kelurahan"), name, _("Pendamping"), _cell(count)])
    if found.villages:
        none = _("Belum punya kelurahan")
        rows.append([_("Kelurahan"), none, _("Pendamping"), _cell(found.unplaced)])
    training = _("Pelatihan %(year)d", year=found.own.year)
    rows += _training(training, _("Daring"), found.online.people, found.online.jp)
    for one in found.own.classes:
        name = f"{one.title}, {one.city}, {one.starts_on.isoformat()}"
        rows += _figures(training, name, one.figures)
    if found.own.classes:
        rows += _figures(training, _("Semua kelas"), found.own.whole)
    return rows


def _cell(value: float | None) -> Cell:
    return _("disembunyikan") if value is None else round(value, 1)


def _training(part: str, name: str, people: int | None, jp: int | None) -> list[list[Cell]]:
    return [[part, name, _("Orang"), _cell(people)], [part, name, _("JP"), _cell(jp)]]


def _figures(part: str, name: str, figures: Figures) -> Iterator[list[Cell]]:
    yield from _training(part, name, figures.people, figures.jp)
    yield [part, name, _("Rata-rata kehadiran (persen)"), _cell(figures.share)]
    yield [part, name, _("Sertifikat"), _cell(figures.papers)]
