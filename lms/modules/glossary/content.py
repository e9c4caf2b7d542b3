"""Reads `content/glossary.yaml`, and looks for words of the field that no lesson explains."""

import re
from collections.abc import Iterator
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path

from pydantic import Field

from lms.core.content import (
    Problem,
    Source,
    Spec,
    Unreadable,
    read_markdown,
    read_yaml,
    validate,
)
from lms.modules.glossary import rules

FILE = "glossary.yaml"
MEANING_WORDS = 45
LAW = re.compile(r"\b(?:UU|PP|KUHP|Perpres|Perma|Permen\w*) \d+/\d{4}\b")


class TermSource(Spec):
    """The article a meaning rests on, and when it was read."""

    ref: str
    checked_on: date


class TermSpec(Spec):
    """One word and what it means."""

    term: str = Field(min_length=2, max_length=60)
    also: list[str] = Field(default=[])
    meaning: str = Field(min_length=20, max_length=500)
    source: TermSource | None = None

    @property
    def names(self) -> list[str]:
        """The word and its other forms."""
        return [self.term, *self.also]


class GlossarySpec(Spec):
    """One glossary.yaml."""

    terms: list[TermSpec] = Field(min_length=1)


def check(directory: Path, _standard: object = None) -> tuple[list[TermSpec], list[Problem]]:
    """Read and check the glossary and the words of every lesson. Raises core.content.Unreadable."""
    source = read_yaml(directory / FILE)
    spec, problems = validate(GlossarySpec, source)
    if spec is None:
        return [], problems
    problems += _check_terms(spec, source)
    known = {name.lower() for term in spec.terms for name in term.names}
    for path in sorted(directory.glob("*/[0-9][0-9]-*.md")):
        problems += _check_lesson(path, known)
    return spec.terms, problems


def _check_terms(spec: GlossarySpec, source: Source) -> Iterator[Problem]:
    for n, (before, after) in enumerate(pairwise(spec.terms), 1):
        if before.term.lower() > after.term.lower():
            yield source.problem(f"{after.term} comes before {before.term}", "terms", n)
    seen: set[str] = set()
    for n, term in enumerate(spec.terms):
        names = {name.lower() for name in term.names}
        for name in sorted(names & seen):
            yield source.problem(f"{name} is explained twice", "terms", n)
        seen |= names
        words = len(term.meaning.split())
        if words > MEANING_WORDS:
            message = f"the meaning has {words} words, at most {MEANING_WORDS}"
            yield source.problem(message, "terms", n, "meaning")
        if "!" in term.meaning:
            yield source.problem("no exclamation marks", "terms", n, "meaning")
        if LAW.search(term.meaning) and term.source is None:
            yield source.problem("a meaning that names a law has a source", "terms", n, "meaning")


def _check_lesson(path: Path, known: set[str]) -> Iterator[Problem]:
    """Check the text of one online lesson; a guide is for people of the field."""
    try:
        lesson = read_markdown(path)
    except Unreadable:
        return  # the check of the lessons says so
    if isinstance(lesson.data, dict) and lesson.data.get("mode") == "in_person":
        return
    for found in rules.find_unexplained(lesson.body, known):
        message = f"{found.word} is explained neither here nor in {FILE}"
        yield Problem(str(path), lesson.body_line + found.line - 1, message)


@cache
def load(content: Path) -> tuple[TermSpec, ...]:
    """Return the terms; read once per process, a change shows after a restart."""
    spec, problems = validate(GlossarySpec, read_yaml(content / FILE))
    if spec is None:
        raise Unreadable(problems[0])
    return tuple(spec.terms)


def find(content: Path, asked: str) -> list[TermSpec]:
    """Return the terms whose name or meaning holds every word asked for."""
    entries = [(term, [*term.names, term.meaning]) for term in load(content)]
    return rules.search(entries, asked)
