"""Agreement of assessors as pages and files read it. Reads only."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from lms.accounts import services as accounts
from lms.competency.rules import EvidenceKind
from lms.core.i18n import gettext
from lms.core.login import Viewer
from lms.ratings import services as ratings
from lms.statistics.agreement.rules import Agreement, agreement, count


@dataclass(frozen=True, slots=True)
class Line:
    """How well assessors agree on one line of a rubric, or one assessor with the others."""

    name: str
    found: Agreement


@dataclass(frozen=True, slots=True)
class Report:
    """Agreement in all, per rubric line and per assessor."""

    whole: Agreement
    rubric: Sequence[Line]
    assessors: Sequence[Line]


def _name(one: ratings.Both) -> str:
    """Return what a line of a rubric is called."""
    if one.kind is EvidenceKind.Q:
        return gettext("Esai kuis %(code)s, KUK %(kuk)s", code=one.source, kuk=one.kuk)
    return f"{one.source} {one.kuk}"


def read(viewer: Viewer) -> Report:
    """Return the agreement of every pair there is. Two queries.

    An administrator reads every assessor; others read themselves alone.
    """
    both = ratings.list_both()
    rubric: dict[str, list[tuple[int, int]]] = defaultdict(list)
    people: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for one in both:
        rubric[_name(one)].append(one.levels)
        for place, rater in enumerate(one.raters):
            # The assessor's own mark first, whoever came first.
            people[rater].append((one.levels[place], one.levels[1 - place]))
    shown = [who for who in people if viewer.is_any("admin") or who == viewer.id]
    names = accounts.names_of(shown)
    return Report(
        whole=agreement(count(one.levels for one in both)),
        rubric=[Line(name, agreement(count(pairs))) for name, pairs in rubric.items()],
        assessors=sorted(
            (Line(names[who], agreement(count(people[who]))) for who in shown),
            key=lambda line: line.name,
        ),
    )
