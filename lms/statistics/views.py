"""Pages of item statistics: the items of a curriculum, and one wording."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from lms.accounts.exports import take
from lms.competency import services as competency
from lms.core import http, login
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.sheets import Cell, answer_csv
from lms.statistics import labels, rules, services
from lms.statistics.agreement import services as agreements
from lms.statistics.agreement.rules import Figure
from lms.statistics.agreement.services import Line

bp = Blueprint("statistics", __name__, template_folder="templates")
PAGE = 50
"""Wordings on one page."""


@bp.get("/laporan/butir")
@login.role("trainer", "author", "reviewer", "admin")
def items() -> ResponseReturnValue:
    """List the items of a curriculum with what was counted."""
    curricula = competency.current().standard.curricula
    curriculum = request.args.get("kurikulum", "") or next(iter(curricula))
    if curriculum not in curricula:
        raise NotFound(curriculum)
    word, order = request.args.get("tanda", ""), request.args.get("urut", "")
    order, flag = order if order in services.ORDERS else "", labels.WORDS.get(word)
    counted, page = services.read_quiz(curriculum), http.asked_id("hal") or 1
    chosen = services.choose(counted.lines, flag, order)
    if page > 1 and (page - 1) * PAGE >= len(chosen):
        raise NotFound(str(page))
    asked = {"kurikulum": curriculum, "tanda": word if flag else "", "urut": order}
    return render_template(
        "statistics/items.html",
        counted=counted,
        lines=chosen[(page - 1) * PAGE : page * PAGE],
        total=len(chosen),
        page=page,
        size=PAGE,
        asked=asked,
        kept={name: value for name, value in asked.items() if value},
        curricula=curricula,
        labels=labels,
        small=rules.SMALL,
        sees_key=login.require_viewer().is_any("trainer", "reviewer", "admin"),
    )


@bp.get("/laporan/butir/<slug>/<int:number>")
@login.role("trainer", "reviewer", "admin")
def item(slug: str, number: int) -> ResponseReturnValue:
    """Show one wording: its key, who chose what, and how that goes with the score."""
    wording = services.read_wording(slug, number, login.require_viewer())
    found = wording.figures
    return render_template(
        "statistics/item.html",
        wording=wording,
        found=found,
        curves=labels.curves(found["options"]) if found else [],
        labels=labels,
        small=rules.SMALL,
    )


@bp.get("/laporan/kesepakatan")
@login.role("trainer", "admin")
def agreement() -> ResponseReturnValue:
    """Show how well two assessors agree, per line of a rubric and per assessor."""
    report = agreements.read(login.require_viewer())
    return render_template(
        "statistics/agreement.html", report=report, small=rules.SMALL, labels=labels
    )


@bp.get("/laporan/kesepakatan.csv")
@login.role("trainer", "admin")
@login.about_people
def agreement_csv() -> ResponseReturnValue:
    """Give the same as a file."""
    report = agreements.read(login.require_viewer())
    names = ("persen", "kappa", "kappa_linear", "ac1")
    columns = ["bagian", "nama", "n"]
    columns += [f"{name}{end}" for name in names for end in ("", "_bawah", "_atas")]
    lines = [("semua", Line(_("Semua"), report.whole))]
    lines += [("baris rubrik", line) for line in report.rubric]
    lines += [("penilai", line) for line in report.assessors]
    rows = [[part, line.name, line.found.n, *_cells(line)] for part, line in lines]
    return answer_csv("kesepakatan", columns, rows, take())


def _cells(line: Line) -> list[Cell]:
    found = line.found
    figures: list[Figure] = [found.percent, found.kappa, found.weighted, found.ac1]
    numbers = [each for one in figures for each in (one.value, one.low, one.high)]
    return ["" if one is None else round(one, 6) for one in numbers]
