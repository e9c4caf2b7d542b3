"""Pages of material for practising: the list, reading, sheets to print."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from lms.core import login, reviewing
from lms.core.errors import NotFound
from lms.modules import services as modules
from lms.practice.exercises import labels, services
from lms.practice.exercises.reviewing import KINDS
from lms.practice.exercises.rules import ExerciseKind

bp = Blueprint("exercises", __name__, template_folder="templates")

READERS = ("trainee", *services.GUIDED)
SHEETS: dict[ExerciseKind, tuple[str, ...]] = {
    ExerciseKind.DRILL: ("naskah", "kartu", "peran"),
    ExerciseKind.ROLES: ("peran",),
    ExerciseKind.RECORD: ("formulir", "jawaban"),
}
"""What can be printed of each kind, as named in addresses."""
OPEN = ("formulir",)
"""Sheets that people who learn may print too."""


@bp.get("/latihan/bahan")
@login.role(*READERS)
def index() -> ResponseReturnValue:
    """List the material a viewer may read."""
    return render_template(
        "exercises/index.html",
        entries=services.list_exercises(login.require_viewer()),
        kinds=labels.KINDS,
    )


@bp.get("/latihan/bahan/<code>")
@login.role(*READERS)
def read(code: str) -> ResponseReturnValue:
    """Show one piece of material for reading."""
    viewer = login.require_viewer()
    found = services.get_exercise(code, viewer)
    copy = found.entry.code, found.entry.digest
    return render_template(
        f"exercises/{found.entry.kind}.html",
        entry=found.entry,
        spec=found.spec,
        lesson=modules.lesson_links([found.entry.lesson]).get(found.entry.lesson),
        sheets=_sheets(found.entry.kind, viewer),
        labels=labels,
        marks=reviewing.marks_of(KINDS[found.entry.kind], [copy]).get(copy, ()),
    )


@bp.get("/latihan/bahan/<code>/<sheet>")
@login.role(*READERS)
def sheet(code: str, sheet: str) -> ResponseReturnValue:
    """Show one piece of material as it is printed."""
    viewer = login.require_viewer()
    found = services.get_exercise(code, viewer)
    if sheet not in _sheets(found.entry.kind, viewer):
        raise NotFound(sheet)
    return render_template(
        f"exercises/sheets/{sheet}.html",
        entry=found.entry,
        spec=found.spec,
        sheet=sheet,
        labels=labels,
        cards_of=services.cards_of,
    )


def _sheets(kind: ExerciseKind, viewer: login.Viewer) -> list[str]:
    guided = viewer.is_any(*services.GUIDED)
    return [sheet for sheet in SHEETS[kind] if guided or sheet in OPEN]
