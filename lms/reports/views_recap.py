"""Pages after a class: its recap, the report for the files of an office, all classes together."""

from collections.abc import Iterator
from typing import Any

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.accounts.exports import take
from lms.cohorts import services as cohorts
from lms.cohorts.labels import KINDS
from lms.cohorts.marks import mark_of
from lms.cohorts.models import Cohort, OrganisationKind, Part
from lms.core import clock, login, sheets
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.sheets import Cell
from lms.reports import recap, recap_pdf
from lms.reports.blueprint import bp
from lms.reports.recap import Figures, Filter, PersonLine

LONGEST_BASIS = 300
"""Letters of the legal basis somebody types for the printed report."""


@bp.get("/angkatan/<slug>/rekap")
@login.role("trainer", "admin")
def class_recap(slug: str) -> ResponseReturnValue:
    """Show what a class gave: attendance, hours, gain, certificates."""
    cohort, now = _get_cohort(slug), clock.now()
    number = _number(request.args.get("hal"))
    summary = recap.summary(cohort)
    return render_template(
        "reports/recap.html",
        cohort=cohort,
        summary=summary,
        gain=recap.class_gain(cohort, now=now),
        lines=recap.page(cohort, number, now=now),
        number=number,
        first=(number - 1) * recap.PAGE + 1,
        pages=max(1, -(-summary.whole.people // recap.PAGE)),
        kinds=KINDS,
        basis_length=LONGEST_BASIS,
        gain_words=recap_pdf.gain_words,
        signed=recap_pdf.signed,
    )


@bp.get("/angkatan/<slug>/rekap.csv")
@login.role("trainer", "admin")
@login.about_people
def class_recap_csv(slug: str) -> ResponseReturnValue:
    """Give the recap of a class as CSV, piece by piece."""
    cohort = _get_cohort(slug)
    return sheets.answer_csv(f"rekap-{slug}", _columns(), _rows(cohort), mark_of(cohort))


@bp.get("/angkatan/<slug>/rekap.xlsx")
@login.role("trainer", "admin")
@login.about_people
def class_recap_xlsx(slug: str) -> ResponseReturnValue:
    """Give the recap of a class as a workbook."""
    cohort = _get_cohort(slug)
    return sheets.answer_xlsx(f"rekap-{slug}", _columns(), _rows(cohort), mark_of(cohort))


@bp.get("/angkatan/<slug>/rekap.pdf")
@login.role("trainer", "admin")
@login.about_people
def class_recap_pdf(slug: str) -> ResponseReturnValue:
    """Give the report of a class as an office files it."""
    cohort, now = _get_cohort(slug), clock.now()
    basis = " ".join(request.args.get("dasar", "").split())[:LONGEST_BASIS]
    mark = mark_of(cohort)
    body = recap_pdf.draw(
        cohort,
        recap.summary(cohort),
        recap.class_gain(cohort, now=now),
        recap.everybody(cohort, now=now),
        basis=basis,
        mark=mark,
        now=now,
    )
    return sheets.answer_pdf(f"laporan-{slug}", body, mark)


@bp.get("/laporan/rekap")
@login.role("trainer", "admin")
def all_recap() -> ResponseReturnValue:
    """Show what all classes gave, by class, organisation and kind."""
    chosen, number = _chosen(), _number(request.args.get("hal"))
    found = recap.overview(login.require_viewer(), chosen)
    first = (number - 1) * recap.PAGE
    if number > 1 and first >= max(len(found.classes), len(found.organisations)):
        raise NotFound(str(number))
    shown = slice(first, first + recap.PAGE)
    return render_template(
        "reports/recap_all.html",
        found=found,
        classes=found.classes[shown],
        organisations=found.organisations[shown],
        chosen=chosen,
        kinds=KINDS,
        number=number,
        pages=max(1, -(-max(len(found.classes), len(found.organisations)) // recap.PAGE)),
        page_url=lambda wanted: url_for(".all_recap", **_query(chosen), hal=wanted),
        file_url=lambda kind: url_for(f".all_recap_{kind}", **_query(chosen)),
    )


@bp.get("/laporan/rekap.csv")
@login.role("trainer", "admin")
@login.about_people
def all_recap_csv() -> ResponseReturnValue:
    """Give the report over all classes as CSV."""
    found = recap.overview(login.require_viewer(), _chosen())
    return sheets.answer_csv("rekap", _all_columns(), _all_rows(found), take())


@bp.get("/laporan/rekap.xlsx")
@login.role("trainer", "admin")
@login.about_people
def all_recap_xlsx() -> ResponseReturnValue:
    """Give the report over all classes as a workbook."""
    found = recap.overview(login.require_viewer(), _chosen())
    return sheets.answer_xlsx("rekap", _all_columns(), _all_rows(found), take())


def _get_cohort(slug: str) -> Cohort:
    """Return a class whose recap the viewer may read: a trainer's own, an administrator's any."""
    viewer = login.require_viewer()
    return cohorts.get_cohort(slug, viewer, *(() if "admin" in viewer.roles else (Part.TRAINER,)))


def _number(text: str | None) -> int:
    if not text:
        return 1
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and int(text)):
        raise NotFound(text)
    return int(text)


def _chosen() -> Filter:
    """Read what was asked for; unknown words ask for everything."""
    year, kind = request.args.get("tahun", ""), request.args.get("jenis", "")
    return Filter(
        year=int(year) if len(year) == 4 and year.isascii() and year.isdecimal() else None,
        city=request.args.get("kota", ""),
        kind=kind if kind in set(OrganisationKind) else "",
    )


def _query(chosen: Filter) -> dict[str, Any]:
    asked = {"tahun": chosen.year, "kota": chosen.city, "jenis": chosen.kind}
    return {name: value for name, value in asked.items() if value}


def _columns() -> list[str]:
    return [
        _("Nama"),
        _("Instansi"),
        _("Jenis instansi"),
        _("Hadir"),
        _("Terlambat"),
        _("Di kelas lain"),
        _("Sebagian"),
        _("Tidak hadir"),
        _("Belum dicatat"),
        _("JP tatap muka"),
        _("JP daring"),
        _("KUK sebelum kelas"),
        _("KUK sekarang"),
        _("Kenaikan"),
        _("Nomor sertifikat"),
    ]


def _rows(cohort: Cohort) -> Iterator[list[Cell]]:
    for line in recap.everybody(cohort, now=clock.now()):
        tally = line.tally
        yield [
            line.name,
            line.organisation,
            str(KINDS[line.kind]),
            tally.present,
            tally.late,
            tally.made_up,
            tally.partial,
            tally.absent,
            tally.unknown,
            tally.jp,
            line.online_jp,
            line.before,
            line.after,
            line.gain,
            numbers(line),
        ]


@bp.app_template_global("certificate_numbers")
def numbers(line: PersonLine) -> str:
    """Write the numbers of somebody's certificates; a revoked one says so."""
    return ", ".join(
        _("%(number)s (dicabut)", number=paper.number) if paper.is_revoked else paper.number
        for paper in line.papers
    )


def _all_columns() -> list[str]:
    return [
        _("Bagian"),
        _("Nama"),
        _("Jenis instansi"),
        _("Kota"),
        _("Mulai"),
        _("Selesai"),
        _("Kelas"),
        _("Peserta"),
        _("JP"),
        _("Rata-rata kehadiran (persen)"),
        _("Sertifikat"),
    ]


def _all_rows(found: recap.Overview) -> Iterator[list[Cell]]:
    for one in found.classes:
        yield [
            _("Angkatan"), one.title, "", one.city, one.starts_on.isoformat(),
            one.ends_on.isoformat(), 1, *_cells(one.figures),
        ]  # fmt: skip
    for name, parts in ((_("Instansi"), found.organisations), (_("Jenis instansi"), found.kinds)):
        for part in parts:
            yield [
                name, part.name, str(KINDS[part.kind]), "", "", "", part.classes,
                *_cells(part.figures),
            ]  # fmt: skip
    yield [_("Jumlah"), "", "", "", "", "", len(found.classes), *_cells(found.whole)]


def _cells(figures: Figures) -> list[Cell]:
    hidden = _("disembunyikan")
    if figures.people is None or figures.share is None:
        return [hidden, hidden, hidden, hidden]
    papers = hidden if figures.papers is None else figures.papers
    return [figures.people, figures.jp, round(figures.share, 1), papers]
