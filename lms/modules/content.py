"""Reads `content/<curriculum>/curriculum.yaml` and its lessons `NN-….md`."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from lms.competency.content import KukSpec, StandardSpec
from lms.core.content import (
    Problem,
    Review,
    Source,
    SourceRef,
    Spec,
    Unreadable,
    read_markdown,
    read_yaml,
    validate,
)
from lms.core.ids import digest_of_text
from lms.core.markdown import render
from lms.modules import rules
from lms.modules.law import registry
from lms.modules.law import rules as law_rules
from lms.modules.rules import Block, BlockKind


def _is_day(value: str) -> str:
    date.fromisoformat(value)
    return value


class CheckedSource(SourceRef):
    """A source and the day somebody last looked."""

    ref: str = Field(min_length=3)
    checked_on: Annotated[str, AfterValidator(_is_day)]


class LessonSpec(Spec):
    """The head of one lesson file."""

    code: str
    title: str = Field(min_length=3)
    title_en: str = Field(min_length=3)
    mode: Literal["online", "in_person"] = "online"
    jp: int = Field(default=1, ge=1, le=8)
    minutes: int = Field(ge=5, le=480)
    objective: str = Field(min_length=10)
    kuk: list[str] = Field(min_length=1)
    practice: list[str] = Field(default=[])
    reflection: str = Field(min_length=10)
    sources: list[CheckedSource] = Field(min_length=1)
    review: Review

    @property
    def in_person(self) -> bool:
        """Tell whether people meet for it."""
        return self.mode == "in_person"


class ModuleSpec(Spec):
    """One part of a curriculum."""

    code: str
    title: str
    title_en: str
    lessons: list[str] = Field(min_length=1)


class CurriculumSpec(Spec):
    """One curriculum.yaml."""

    code: str
    title: str
    title_en: str
    status: Literal["published", "draft"] = "published"
    """A draft is checked and listed, and not taught."""
    modules: list[ModuleSpec] = Field(min_length=1)

    @property
    def lessons(self) -> list[str]:
        """Codes of all lessons, in the order they are taught."""
        return [code for module in self.modules for code in module.lessons]


@dataclass(frozen=True, slots=True, kw_only=True)
class LessonText:
    """One lesson, checked and rendered, and where it stands."""

    curriculum: CurriculumSpec
    curriculum_position: int
    module_code: str
    position: int
    spec: LessonSpec
    blocks: list[dict[str, Any]]
    cites: tuple[str, ...]
    """Articles of law it names, in its sources or its text."""
    digest: str


def check(directory: Path, standard: StandardSpec) -> tuple[list[LessonText], list[Problem]]:
    """Read and check every curriculum. Raises core.content.Unreadable."""
    texts: list[LessonText] = []
    problems: list[Problem] = []
    aliases = _law_names(directory)
    for path in sorted(directory.glob("*/curriculum.yaml")):
        source = read_yaml(path)
        spec, found = validate(CurriculumSpec, source)
        if spec is not None:
            lessons, found = _read_lessons(path.parent)
            found += _check_curriculum(spec, source, lessons, standard)
            texts += _place(spec, lessons, standard, aliases)
        problems += found
    return texts, problems


def _law_names(directory: Path) -> dict[str, str]:
    """Return the short names of laws. What is wrong with the registry is said where it is read."""
    try:
        return registry.check(directory)[0].aliases
    except (Unreadable, OSError):
        return {}


@dataclass(frozen=True, slots=True)
class _Read:
    """One lesson file that could be read."""

    source: Source
    spec: LessonSpec
    blocks: list[Block]


def _read_lessons(folder: Path) -> tuple[list[_Read], list[Problem]]:
    found, problems = [], []
    for path in sorted(folder.glob("[0-9][0-9]-*.md")):
        source = read_markdown(path)
        spec, wrong = validate(LessonSpec, source)
        problems += wrong
        if spec is not None:
            blocks, faults = rules.split_blocks(source.body)
            problems += [_in_body(source, fault.line, fault.message) for fault in faults]
            problems += _check_text(source, spec, blocks)
            found.append(_Read(source, spec, blocks))
    return found, problems


def _in_body(source: Source, line: int, message: str) -> Problem:
    return Problem(str(source.path), source.body_line + line - 1, message)


def _check_text(source: Source, spec: LessonSpec, blocks: list[Block]) -> Iterator[Problem]:
    """Check what one lesson says, without looking at the others."""
    sentences = rules.sentences(source.body)
    for sentence in sentences:
        if sentence.words > rules.LONGEST_SENTENCE:
            yield _in_body(source, sentence.line, f"a sentence of {sentence.words} words")
    mean = sum(s.words for s in sentences) / max(len(sentences), 1)
    if mean > rules.MEAN_SENTENCE:
        yield _in_body(source, 1, f"sentences have {mean:.1f} words on average")
    references = {entry.ref for entry in spec.sources}
    for block in blocks:
        if block.kind is BlockKind.LAW and block.title not in references:
            yield _in_body(source, block.line - 1, f"{block.title} is not among the sources")
    if not spec.in_person:
        yield from _check_online(source, blocks)


def _check_online(source: Source, blocks: list[Block]) -> Iterator[Problem]:
    words = rules.count_words(source.body)
    if words > rules.MOST_WORDS:
        yield _in_body(source, 1, f"{words} words; at most {rules.MOST_WORDS}")
    kinds = Counter(block.kind for block in blocks)
    for kind in rules.REQUIRED:
        if kinds[kind] != 1:
            yield _in_body(source, 1, f"{kinds[kind]} blocks ::: {kind}; there has to be one")


def _check_curriculum(
    spec: CurriculumSpec, source: Source, lessons: list[_Read], standard: StandardSpec
) -> Iterator[Problem]:
    """Check that files, list and standard name the same lessons and criteria."""
    if spec.code not in {c.code for c in standard.curricula}:
        yield source.problem(f"the standard has no curriculum {spec.code}", "code")
    yield from _check_files(spec, source, lessons)
    yield from _check_places(spec, lessons)
    known = {k.code: k for u in standard.units for e in u.elements for k in e.kuk}
    simulations = {simulation.code for simulation in standard.simulations}
    for lesson in lessons:
        yield from _check_kuk(spec, lesson, known)
        for code in sorted(set(lesson.spec.practice) - simulations):
            yield lesson.source.problem(f"the standard has no simulation {code}", "practice")
    yield from _check_taught(spec, source, lessons, known.values())
    for case in standard.case_studies:
        if case.lesson.split(".")[0] == spec.code and case.lesson not in spec.lessons:
            yield source.problem(f"case study {case.code} is done in {case.lesson}", "modules")


def _check_files(spec: CurriculumSpec, source: Source, lessons: list[_Read]) -> Iterator[Problem]:
    codes = Counter(lesson.spec.code for lesson in lessons)
    for m, module in enumerate(spec.modules):
        for n, code in enumerate(module.lessons):
            if codes[code] != 1:
                message = f"lesson {code}: {codes[code]} files have this code"
                yield source.problem(message, "modules", m, "lessons", n)


def _check_places(spec: CurriculumSpec, lessons: list[_Read]) -> Iterator[Problem]:
    order = spec.lessons
    for lesson in lessons:
        code, name = lesson.spec.code, lesson.source.path.name
        if code not in order:
            yield lesson.source.problem(f"{code} is in no module of curriculum.yaml", "code")
        elif int(name[:2]) != order.index(code) + 1:
            wanted = f"{order.index(code) + 1:02d}"
            yield lesson.source.problem(f"the file of {code} has to begin with {wanted}", "code")


def _check_kuk(spec: CurriculumSpec, lesson: _Read, known: dict[str, KukSpec]) -> Iterator[Problem]:
    for position, code in enumerate(lesson.spec.kuk):
        if code not in known:
            message = f"the standard has no KUK {code}"
        elif known[code].curriculum != spec.code:
            message = f"KUK {code} belongs to {known[code].curriculum}"
        elif code in lesson.spec.kuk[:position]:
            message = f"KUK {code} stands here twice"
        else:
            continue
        yield lesson.source.problem(message, "kuk", position)


def _check_taught(
    spec: CurriculumSpec, source: Source, lessons: list[_Read], kuk: Iterable[KukSpec]
) -> Iterator[Problem]:
    if spec.status == "draft":
        return  # the list of holes says it
    taught = {code for read in lessons if not read.spec.in_person for code in read.spec.kuk}
    for criterion in kuk:
        if criterion.curriculum == spec.code and criterion.code not in taught:
            yield source.problem(f"no online lesson teaches KUK {criterion.code}", "modules")


def _place(
    spec: CurriculumSpec, lessons: list[_Read], standard: StandardSpec, aliases: dict[str, str]
) -> Iterator[LessonText]:
    """Return the lessons that have a place, in the order they are taught."""
    codes = [curriculum.code for curriculum in standard.curricula]
    modules = {code: module.code for module in spec.modules for code in module.lessons}
    order = spec.lessons
    placed = [read for read in lessons if read.spec.code in modules]
    for read in sorted(placed, key=lambda read: order.index(read.spec.code)):
        yield LessonText(
            curriculum=spec,
            curriculum_position=codes.index(spec.code) + 1 if spec.code in codes else 0,
            module_code=modules[read.spec.code],
            position=order.index(read.spec.code) + 1,
            spec=read.spec,
            blocks=[_render(block) for block in read.blocks],
            cites=_cites(read, aliases),
            digest=digest_of_text(
                json.dumps(read.spec.model_dump(mode="json"), sort_keys=True) + read.source.body
            ),
        )


def _cites(read: _Read, aliases: dict[str, str]) -> tuple[str, ...]:
    texts = [*(source.ref for source in read.spec.sources), read.source.body]
    return tuple(sorted({ref for text in texts for ref in law_rules.refs_in(text, aliases)}))


def _render(block: Block) -> dict[str, Any]:
    html = render(block.text)
    if block.kind is BlockKind.LAW:
        html = html.strip().removeprefix("<p>").removesuffix("</p>")  # one paragraph, in a sentence
    return {
        "kind": block.kind.value,
        "title": block.title,
        "minutes": block.minutes,
        "html": html,
    }
