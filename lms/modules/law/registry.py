"""Reads `content/laws.yaml`, the registry of law."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from lms.core.content import Problem, Source, Spec, read_yaml, validate
from lms.modules.law import rules
from lms.modules.law.rules import Status

FILE = "laws.yaml"
LAW_NAMES = re.compile(r"(?:UU|PP|KUHP|Perpres|Perma|Permen)\b(?!.*\d)")
"""Short names that mean a law when an article stands beside them."""


def _is_day(value: str) -> str:
    date.fromisoformat(value)
    return value


Day = Annotated[str, AfterValidator(_is_day)]


class ArticleSpec(Spec):
    """One article: whether it is in force, and what it is about."""

    ps: str = Field(pattern=r"^\d{1,3}[A-Z]{0,2}$")
    status: Status
    about: str = Field(min_length=3, max_length=160)
    replaced_by: str = ""
    note: str = Field(default="", max_length=300)


class LawSpec(Spec):
    """One statute."""

    code: str = Field(pattern=r"^[A-Z][A-Za-z]*(?: [A-Z]+)? \d+/\d{4}$")
    title: str = Field(min_length=3)
    short: str = Field(min_length=2)
    status: Status
    in_force_since: Day | None = None
    source: str = Field(min_length=5)
    checked_on: Day
    note: str = Field(default="", max_length=300)
    articles: list[ArticleSpec]


class RegistrySpec(Spec):
    """One laws.yaml."""

    laws: list[LawSpec] = Field(min_length=1)


@dataclass(frozen=True)
class Registry:
    """Every statute the content may cite."""

    laws: dict[str, LawSpec]

    def __len__(self) -> int:
        """Return how many statutes there are."""
        return len(self.laws)

    @cached_property
    def articles(self) -> dict[str, ArticleSpec]:
        """Whole name to article."""
        return {
            rules.name_of(law.code, article.ps): article
            for law in self.laws.values()
            for article in law.articles
        }

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Short name to law, longest first: `UU PKDRT`, `KUHP`."""
        named = {law.short: law.code for law in self.laws.values() if LAW_NAMES.match(law.short)}
        return dict(sorted(named.items(), key=lambda pair: -len(pair[0])))


EMPTY = Registry({})


def check(folder: Path) -> tuple[Registry, list[Problem]]:
    """Read and check the registry. Raises core.content.Unreadable, OSError."""
    source = read_yaml(folder / FILE)
    spec, problems = validate(RegistrySpec, source)
    if spec is None:
        return EMPTY, problems
    registry = Registry({law.code: law for law in spec.laws})
    return registry, [*_check(spec, registry, source)]


def _check(spec: RegistrySpec, registry: Registry, source: Source) -> Iterator[Problem]:
    codes: set[str] = set()
    for n, law in enumerate(spec.laws):
        if law.code in codes:
            yield source.problem(f"{law.code} stands here twice", "laws", n, "code")
        codes.add(law.code)
        if law.status is Status.IN_FORCE and law.in_force_since is None:
            yield source.problem(f"{law.code} is in force: since when?", "laws", n)
        numbers: set[str] = set()
        for m, article in enumerate(law.articles):
            at = ("laws", n, "articles", m)
            if article.ps in numbers:
                yield source.problem(f"{law.code} ps {article.ps} stands here twice", *at, "ps")
            numbers.add(article.ps)
            if article.status is Status.SUPERSEDED and not (article.replaced_by or article.note):
                yield source.problem("say what replaced it, or why nothing did", *at)
            if article.replaced_by and article.replaced_by not in registry.articles:
                text = f"{article.replaced_by} is not in the registry"
                yield source.problem(text, *at, "replaced_by")
