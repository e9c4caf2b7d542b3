"""Reads `content/wrong.yaml`: statements no text may make, each with the right one beside it."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from lms.core.content import Problem, Source, Spec, read_yaml, validate
from lms.modules.law.texts import Passage, Use

FILE = "wrong.yaml"
SHORTEST = 12
"""Letters of a passage that can state anything; names and numbers are not looked at."""
SENTENCE_END = re.compile(r"(?<!\bNo)(?<!\bps)(?<!\bjo)(?<!\b[A-Z])[.?!][\"”)*]*(?:\s+|$)|\n\s*\n")


class WrongSpec(Spec):
    """One statement that is wrong."""

    pattern: str = Field(min_length=5)
    wrong: str = Field(min_length=10)
    right: str = Field(min_length=10)
    source: str = Field(min_length=3)


class WrongFile(Spec):
    """One wrong.yaml."""

    wrong: list[WrongSpec] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Known:
    """A mistake that can be found."""

    pattern: re.Pattern[str]
    wrong: str
    right: str


def check(folder: Path) -> tuple[list[Known], list[Problem]]:
    """Read the statements and try each on its own examples. Raises core.content.Unreadable."""
    source = read_yaml(folder / FILE)
    spec, problems = validate(WrongFile, source)
    if spec is None:
        return [], problems
    known = []
    for n, one in enumerate(spec.wrong):
        try:
            pattern = re.compile(one.pattern)
        except re.error as error:
            problems.append(source.problem(f"the pattern is none: {error}", "wrong", n, "pattern"))
        else:
            known.append(Known(pattern, one.wrong, one.right))
    return known, [*problems, *_try(spec.wrong, known, source)]


def _try(specs: Sequence[WrongSpec], known: Sequence[Known], source: Source) -> Iterator[Problem]:
    by_wrong = {one.wrong: one for one in known}
    for n, spec in enumerate(specs):
        own = by_wrong.get(spec.wrong)
        if own and not any(True for _ in find(spec.wrong, [own])):
            yield source.problem("the pattern does not catch its own example", "wrong", n, "wrong")
        for _offset, other in find(spec.right, known):
            text = f"the right statement is caught by the pattern for “{other.wrong}”"
            yield source.problem(text, "wrong", n, "right")


def find(text: str, known: Sequence[Known]) -> Iterator[tuple[int, Known]]:
    """Yield each known mistake in a text and where the sentence that makes it begins."""
    start = 0
    for end in [*SENTENCE_END.finditer(text), None]:
        sentence = text[start : end.end() if end else len(text)]
        lead = len(sentence) - len(sentence.lstrip())
        bare = re.sub(r"\s", " ", sentence.strip())
        for one in known:
            match = one.pattern.search(bare)
            if match:
                # A pattern that looks over its whole sentence begins where the sentence begins.
                yield start + lead + match.start(), one
        start = end.end() if end else start


def check_passage(passage: Passage, known: Sequence[Known]) -> Iterator[Problem]:
    """Yield what a passage states wrongly. Answers that are meant to be wrong may."""
    if passage.use is Use.DECOY or len(passage.text) < SHORTEST:
        return
    for offset, one in find(passage.text, known):
        yield passage.problem(offset, f"known to be wrong; right is: {one.right}")
