"""Reads `content/schemes.yaml`: what can be certified."""

import string
from datetime import date
from pathlib import Path

from pydantic import Field, RootModel

from lms.competency.content import StandardSpec
from lms.core.content import Problem, Source, Spec, read_yaml, validate

NUMBER_FIELDS = {"number", "scheme", "year"}


class SchemeSpec(Spec):
    """One scheme: what it asks for and what its paper says."""

    code: str = Field(pattern=r"^[A-Z][A-Z0-9]{0,19}$")
    title: str = Field(min_length=1, max_length=120)
    title_en: str = Field(min_length=1, max_length=120)
    training_title: str = Field(min_length=1, max_length=200)
    training_title_en: str = Field(min_length=1, max_length=200)
    curricula: list[str] = Field(min_length=1)
    in_person: list[str]
    holds: list[str]
    jp: int = Field(ge=1)
    unit_jp: dict[str, int]
    in_person_jp: int = Field(ge=0)
    number_pattern: str = Field(max_length=60)
    law_checked_on: date | None


class SchemeList(RootModel[list[SchemeSpec]]):
    """The whole file."""


def check(directory: Path, standard: StandardSpec) -> tuple[list[SchemeSpec], list[Problem]]:
    """Read and check the schemes against the standard. Raises core.content.Unreadable."""
    source = read_yaml(directory / "schemes.yaml")
    found, problems = validate(SchemeList, source)
    if found is None:
        return [], problems
    schemes = found.root
    for n, scheme in enumerate(schemes):
        before = [earlier.code for earlier in schemes[:n]]
        problems += [source.problem(text, n) for text in _wrong(scheme, before, standard)]
        problems += _wrong_number(scheme, source, n)
    return schemes, problems


def _wrong(scheme: SchemeSpec, before: list[str], standard: StandardSpec) -> list[str]:
    """Return what is wrong with one scheme, in words. `before` are the codes above it."""
    known = {c.code for c in standard.curricula}
    units = _units_of(scheme, standard)
    lessons = {lesson.split(".")[0] for lesson in scheme.in_person}
    planned = sum(scheme.unit_jp.values()) + scheme.in_person_jp
    tests = [
        (scheme.code in before, f"scheme {scheme.code} appears twice"),
        (not set(scheme.curricula) <= known, "`curricula` names a curriculum that does not exist"),
        (not lessons <= set(scheme.curricula), "`in_person` names a lesson of another curriculum"),
        (not set(scheme.holds) <= set(before), "`holds` may only name schemes above this one"),
        (set(scheme.unit_jp) != units, f"`unit_jp` must name the units {sorted(units)}"),
        (planned != scheme.jp, f"`unit_jp` and `in_person_jp` add up to {planned}, not `jp`"),
    ]
    return [f"{scheme.code}: {text}" for bad, text in tests if bad]


def _units_of(scheme: SchemeSpec, standard: StandardSpec) -> set[str]:
    return {
        kuk.code.split(".")[0]
        for unit in standard.units
        for element in unit.elements
        for kuk in element.kuk
        if kuk.curriculum in scheme.curricula
    }


def _wrong_number(scheme: SchemeSpec, source: Source, n: int) -> list[Problem]:
    """Refuse a pattern without one of its fields: two certificates could share a number."""
    try:
        fields = {name for _, name, _, _ in string.Formatter().parse(scheme.number_pattern) if name}
        if fields == NUMBER_FIELDS:
            scheme.number_pattern.format(number=1, scheme=scheme.code, year=2026)
            return []
        text = "`number_pattern` must use {number}, {scheme} and {year}, and nothing else"
    except ValueError as error:
        text = f"`number_pattern` cannot be filled: {error}"
    return [source.problem(f"{scheme.code}: {text}", n, "number_pattern")]
