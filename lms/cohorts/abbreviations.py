"""Common abbreviations and old words for kinds of organisation, from content/organisations.yaml."""

from functools import cache
from pathlib import Path

from lms.cohorts import rules
from lms.cohorts.models import OrganisationKind
from lms.core.content import Problem, Review, Source, Spec, Unreadable, read_yaml, validate

FILE = "organisations.yaml"


class MeaningSpec(Spec):
    """One thing an abbreviation may stand for."""

    name: str
    kind: OrganisationKind
    successor: bool = False


class AbbreviationSpec(Spec):
    """An abbreviation with what it may stand for; `ask` where even one meaning is not sure."""

    short: str
    meanings: list[MeaningSpec]
    ask: bool = False
    note: str = ""


class AbbreviationsSpec(Spec):
    """The whole file."""

    review: Review
    abbreviations: list[AbbreviationSpec]


def check(content: Path) -> tuple[AbbreviationsSpec | None, list[Problem]]:
    """Read and check the file. Raises core.content.Unreadable."""
    source = read_yaml(content / FILE)
    found, problems = validate(AbbreviationsSpec, source)
    return found, problems or (_clashes(found, source) if found else [])


def _clashes(found: AbbreviationsSpec, source: Source) -> list[Problem]:
    problems, seen = [], set[str]()
    for number, one in enumerate(found.abbreviations):
        short = rules.normal_name(one.short)
        if not short or short in seen:
            text = f"{one.short} stands here twice" if short else "short has no letters"
            problems.append(source.problem(text, "abbreviations", number, "short"))
        seen.add(short)
        if not one.meanings:
            text = "an abbreviation needs a meaning"
            problems.append(source.problem(text, "abbreviations", number, "meanings"))
        if any(short == rules.normal_name(meaning.name) for meaning in one.meanings):
            text = f"{one.short} stands for itself"
            problems.append(source.problem(text, "abbreviations", number, "meanings"))
    return problems


@cache
def load(content: Path) -> tuple[rules.Abbreviation, ...]:
    """Return the abbreviations; read once per process, a change shows after a restart."""
    found, problems = check(content)
    if found is None or problems:
        raise Unreadable(problems[0])
    return tuple(
        rules.Abbreviation(
            one.short,
            tuple(
                rules.Meaning(meaning.name, meaning.kind.value, meaning.successor)
                for meaning in one.meanings
            ),
            one.ask,
        )
        for one in found.abbreviations
    )
