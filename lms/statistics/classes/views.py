"""Pages of results of a class: one quiz, and the gain between two."""

from collections.abc import Iterator, Sequence

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from lms.cohorts import services as cohorts
from lms.cohorts.marks import mark_of
from lms.cohorts.models import Cohort, Part
from lms.core import login, sheets
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.i18n import language
from lms.core.sheets import Cell
from lms.quizzes.classes.forms import PURPOSES
from lms.quizzes.collections import labels
from lms.statistics.classes import pictures, services
from lms.statistics.classes.services import PairReport, QuizReport

bp = Blueprint("class_results", __name__, template_folder="templates")


def percent(share: float | None, places: int = 0, *, sign: bool = False) -> str:
    """Write a share in per cent, or a difference in points, as people write numbers here."""
    if share is None:
        return "–"
    text = f"{100 * share:.{places}f}"
    if float(text) == 0:
        text = text.removeprefix("-")  # what rounds to nothing has no sign
    elif sign and share > 0:
        text = f"+{text}"
    text = text.replace("-", "−")
    return text.replace(".", ",") if language() == "id" else text


def number(value: float | None, places: int = 2) -> str:
    """Write a number as people write it here."""
    return percent(None if value is None else value / 100, places)


@bp.context_processor
def _words() -> dict[str, object]:
    return {
        "purposes": PURPOSES,
        "question_words": labels,
        "percent": percent,
        "number": number,
    }


def class_of(slug: str) -> Cohort:
    """Return a class the viewer trains, or any for an administrator. Raises NotFound."""
    viewer = login.require_viewer()
    return cohorts.get_cohort(slug, viewer, *(() if viewer.is_any("admin") else (Part.TRAINER,)))


@bp.get("/angkatan/<slug>/kuis/<code>/hasil")
@login.role("trainer", "admin")
def quiz(slug: str, code: str) -> ResponseReturnValue:
    """Show how a class did a quiz: each person and each question."""
    cohort = class_of(slug)
    report = services.quiz_report(cohort.id, code.upper())
    return render_template("class_results/quiz.html", cohort=cohort, report=report, code=code)


@bp.get("/angkatan/<slug>/kuis/<code>/hasil.<ending>")
@login.role("trainer", "admin")
@login.about_people
def quiz_file(slug: str, code: str, ending: str) -> ResponseReturnValue:
    """Give the marks of a quiz as a table: rows people, columns questions."""
    cohort = class_of(slug)
    report = services.quiz_report(cohort.id, code.upper())
    columns = [_("Nama"), _("Instansi"), _("Dikirim"), _("Persen")]
    asked = max((len(line.paper.marks) for line in report.people if line.paper), default=0)
    columns += [str(number) for number in range(1, asked + 1)]
    return _file(f"kuis-{slug}", columns, list(_rows(report)), ending, cohort)


def _rows(report: QuizReport) -> Iterator[list[Cell]]:
    for line in report.people:
        row: list[Cell] = [line.seat.name, line.seat.organisation]
        if line.paper is None:
            yield [*row, "", ""]
            continue
        empty = line.paper.waiting | line.paper.lost
        marks: list[Cell] = [
            "" if item in empty else round(float(earned), 4) for item, earned in line.paper.marks
        ]
        share: Cell = "" if empty else round(100 * float(line.paper.share), 2)
        yield [*row, line.paper.closed_at.date().isoformat(), share, *marks]


def _file(
    name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]], ending: str, cohort: Cohort
) -> ResponseReturnValue:
    if ending == "csv":
        return sheets.answer_csv(name, columns, rows, mark_of(cohort))
    if ending == "xlsx":
        return sheets.answer_xlsx(name, columns, rows, mark_of(cohort))
    raise NotFound(ending)


@bp.get("/angkatan/<slug>/kuis/pasangan/<public_id>")
@login.role("trainer", "admin")
def pair(slug: str, public_id: str) -> ResponseReturnValue:
    """Show what a class gained between a test before and a test after."""
    cohort = class_of(slug)
    report = services.pair_report(cohort.id, public_id)
    return render_template(
        "class_results/pair.html",
        cohort=cohort,
        report=report,
        picture=draw(report) if report.gain else None,
    )


def draw(report: PairReport) -> str:
    """Draw each person's two scores."""
    pairs = [
        (line.before, line.after)
        for line in report.people
        if line.before is not None and line.after is not None
    ]
    found = report.gain
    if found is None:
        raise NotFound(report.public_id)
    alternative = _(
        "Nilai %(num)d orang pada pra-uji dan pasca-uji. Rata-rata %(before)s persen, lalu "
        "%(after)s persen. %(up)d orang naik, %(down)d turun.",
        num=len(pairs),
        before=percent(found.before),
        after=percent(found.after),
        up=sum(after > before for before, after in pairs),
        down=sum(after < before for before, after in pairs),
    )
    words = alternative, _("Pra-uji"), _("Pasca-uji")
    return pictures.slopes(pairs, (found.before, found.after), words)


@bp.get("/angkatan/<slug>/kuis/pasangan/<public_id>.<ending>")
@login.role("trainer", "admin")
@login.about_people
def pair_file(slug: str, public_id: str, ending: str) -> ResponseReturnValue:
    """Give both scores of each person as a table."""
    cohort = class_of(slug)
    report = services.pair_report(cohort.id, public_id)
    columns = [_("Nama"), _("Instansi"), _("Pra-uji (persen)"), _("Pasca-uji (persen)"),
               _("Selisih (poin)")]  # fmt: skip
    rows: list[list[Cell]] = [
        [
            line.seat.name,
            line.seat.organisation,
            *(None if one is None else round(100 * one, 2)
              for one in (line.before, line.after, line.gain)),
        ]
        for line in report.people
    ]  # fmt: skip
    return _file(f"selisih-{slug}", columns, rows, ending, cohort)
