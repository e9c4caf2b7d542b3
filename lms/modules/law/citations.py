"""Checks the laws the content names against the registry, and its sentences for known mistakes."""

import re
from collections.abc import Iterator
from pathlib import Path

from lms.core.content import Problem, Unreadable
from lms.modules.law import registry as registries
from lms.modules.law import rules, wrong
from lms.modules.law.registry import LawSpec, Registry
from lms.modules.law.rules import Citation, Status
from lms.modules.law.texts import Passage, Use, passages

REVOKED = re.compile(r"(?i)\b(?:menggantikan|digantikan|diganti|dicabut|mencabut|dulu|dahulu)\b")
"""Words that tell a reader an article is no longer in force."""
AROUND = re.compile(r"[.?!](?:\s|$)|\n\s*\n")


def check(folder: Path, _standard: object = None) -> tuple[Registry, list[Problem]]:
    """Check registry, known mistakes and every content file. Raises Unreadable, OSError."""
    registry, problems = registries.check(folder)
    known, more = wrong.check(folder)
    problems = problems + more
    if not registry.laws:
        return registry, problems
    own = {registries.FILE, wrong.FILE}
    for file in sorted(p for p in folder.rglob("*") if p.suffix in {".yaml", ".md"}):
        if file.name in own:
            continue
        try:
            found = list(passages(file))
        except Unreadable:
            continue  # who reads the file says so
        taught = file.parent != folder
        for passage in found:
            problems += check_passage(passage, registry)
            if taught:
                problems += wrong.check_passage(passage, known)
    return registry, problems


def check_passage(passage: Passage, registry: Registry) -> Iterator[Problem]:
    """Yield what is wrong with the laws a passage names."""
    if passage.strict:
        text = passage.text.strip("\"'")
        try:
            rules.parse(text, registry.aliases)
        except rules.Unclear:
            message = f"one law and its articles, as `UU 23/2004 ps 16`, not {text!r}"
            yield passage.problem(0, message)
            return
    for citation in rules.find(passage.flat, registry.aliases):
        for message in _faults(citation, passage, registry):
            yield passage.problem(citation.start, message)


def _faults(citation: Citation, passage: Passage, registry: Registry) -> Iterator[str]:
    law = registry.laws.get(citation.law)
    if law is None:
        yield f"{citation.law} is not in {registries.FILE}"
    elif citation.articles:
        for ref in citation.refs:
            yield from _article_faults(ref, law, citation, passage, registry)
    elif law.status is Status.TO_BE_VERIFIED and passage.in_item and passage.use is not Use.DECOY:
        yield f"{law.code} is to be verified: no item may stand on it"
    elif law.status is Status.SUPERSEDED and not _tells(citation, passage):
        yield f"{law.code} is superseded"


def _article_faults(
    ref: str, law: LawSpec, citation: Citation, passage: Passage, registry: Registry
) -> Iterator[str]:
    article = registry.articles.get(ref)
    status = article.status if article else law.status
    if article is None and law.status is not Status.TO_BE_VERIFIED:
        yield f"{ref} is not in {registries.FILE}"
    elif status is Status.TO_BE_VERIFIED:
        if _is_firm(passage):
            yield f"{ref} is to be verified: no item or law block may stand on it"
    elif status is Status.SUPERSEDED and not _tells(citation, passage):
        now = f"; now {article.replaced_by}" if article and article.replaced_by else ""
        yield f"{ref} is superseded{now}"


def _is_firm(passage: Passage) -> bool:
    """Tell whether a passage rests on what it cites: an item, a law block."""
    if passage.in_item:
        return passage.use is not Use.DECOY
    return passage.use is Use.LAW or (passage.use is Use.REFERENCE and passage.strict)


def _tells(citation: Citation, passage: Passage) -> bool:
    """Tell whether a passage may name what is superseded: it says so, or is meant to be wrong."""
    if passage.use is Use.DECOY:
        return True
    if passage.use is Use.REFERENCE:
        return False
    text = passage.flat
    ends = [0, *(end.end() for end in AROUND.finditer(text)), len(text)]
    begin = max(end for end in ends if end <= citation.start)
    until = min(end for end in ends if end >= citation.end)
    return REVOKED.search(text[begin:until]) is not None
