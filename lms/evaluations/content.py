"""The form on which participants say what a class was like: `content/evaluation.yaml`."""

from collections import Counter
from enum import StrEnum
from functools import cache
from pathlib import Path

from pydantic import Field

from lms.core.content import Problem, Spec, Unreadable, read_yaml, validate
from lms.core.i18n import lazy_gettext as _


class Area(StrEnum):
    """What a statement is about; pages show them in this order."""

    MATERIAL = "material"
    TRAINERS = "trainers"
    PLACE = "place"
    SAFETY = "safety"
    WORKLOAD = "workload"


AREAS: dict[Area, str] = {
    Area.MATERIAL: _("Materi"),
    Area.TRAINERS: _("Pelatih"),
    Area.PLACE: _("Tempat"),
    Area.SAFETY: _("Rasa aman di kelas"),
    Area.WORKLOAD: _("Beban belajar"),
}


class Statement(Spec):
    """One statement people agree with, or not, on a scale from 1 to 4."""

    id: str = Field(pattern=r"^[a-z][a-z0-9]{0,7}$")
    area: Area
    text: str
    text_en: str


class Question(Spec):
    """An open question; there are two, `good` and `better`."""

    id: str = Field(pattern=r"^(good|better)$")
    text: str
    text_en: str


class Sheet(Spec):
    """The whole form."""

    version: str
    statements: list[Statement] = Field(min_length=1, max_length=20)
    questions: list[Question] = Field(min_length=2, max_length=2)


def check(content: Path) -> tuple[Sheet | None, list[Problem]]:
    """Read and check the form. Raises core.content.Unreadable."""
    source = read_yaml(content / "evaluation.yaml")
    found, problems = validate(Sheet, source)
    if found is not None:
        names = Counter([one.id for one in found.statements] + [one.id for one in found.questions])
        problems = [
            source.problem(f"{name} is used twice", "statements")
            for name, count in names.items()
            if count > 1
        ]
    return found, problems


@cache
def load(content: Path) -> Sheet:
    """Return the form; read once per process, a change shows after a restart."""
    found, problems = check(content)
    if found is None or problems:
        raise Unreadable(problems[0])
    return found
