"""Reads `content/<curriculum>/cases/*.yaml`."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field, StringConstraints

from lms.competency.content import CaseStudySpec, StandardSpec
from lms.core.content import Problem, Review, Source, SourceRef, Spec, read_yaml, validate
from lms.practice.cases import rules

FILE_WORDS = range(450, 701)
"""How long a case file is: rich enough for every criterion, short enough to read at one go."""
Text = Annotated[str, StringConstraints(min_length=1)]
Indicators = Annotated[list[Text], Field(min_length=2, max_length=4)]


class TaskSpec(Spec):
    """One part the companion writes."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")
    title: Text
    title_en: Text
    prompt: Text
    hint: str = ""
    kuk: list[str] = Field(min_length=1)
    min_words: int = Field(ge=1, le=1000)
    max_words: int = Field(ge=1, le=1000)
    model_answer: Text


class LevelsSpec(Spec):
    """What an assessor sees in an answer at each of the three levels."""

    unsafe: Indicators = Field(alias="0")
    guided: Indicators = Field(alias="1")
    alone: Indicators = Field(alias="2")


class RubricSpec(Spec):
    """How one criterion is marked."""

    kuk: str
    levels: LevelsSpec


class CaseSpec(Spec):
    """One written case study."""

    code: str
    title: Text
    title_en: Text
    gates: list[str] = Field(min_length=1)
    lesson: str
    content_note: Text
    kuk: list[str] = Field(min_length=1)
    file: Text
    tasks: list[TaskSpec] = Field(min_length=1, max_length=12)
    rubric: list[RubricSpec]
    sources: list[SourceRef] = Field(min_length=1)
    review: Review


def check(directory: Path, standard: StandardSpec) -> tuple[list[CaseSpec], list[Problem]]:
    """Read and check every case study. Raises core.content.Unreadable."""
    specs: list[CaseSpec] = []
    problems: list[Problem] = []
    for folder in sorted(path.parent for path in directory.glob("*/curriculum.yaml")):
        for path in sorted(folder.glob("cases/*.yaml")):
            source = read_yaml(path)
            spec, found = validate(CaseSpec, source)
            problems += found
            if spec is not None:
                if spec.code in {other.code for other in specs}:
                    problems.append(source.problem(f"{spec.code} has another file", "code"))
                problems += _check_case(spec, source, standard)
                specs.append(spec)
    return specs, problems


def _check_case(spec: CaseSpec, source: Source, standard: StandardSpec) -> Iterator[Problem]:
    if source.path.stem != spec.code.lower():
        yield source.problem(f"the file has to be named {spec.code.lower()}.yaml", "code")
    known = next((case for case in standard.case_studies if case.code == spec.code), None)
    if known is None:
        yield source.problem(f"the standard has no case study {spec.code}", "code")
    else:
        yield from _check_head(spec, source, known)
    words = rules.count_words(spec.file)
    if words not in FILE_WORDS:
        wanted = f"{FILE_WORDS.start} to {FILE_WORDS.stop - 1}"
        yield source.problem(f"the case file has {words} words; {wanted} are wanted", "file")
    yield from _check_tasks(spec, source)
    yield from _check_lengths(spec, source)
    yield from _check_rubric(spec, source)


def _check_head(spec: CaseSpec, source: Source, known: CaseStudySpec) -> Iterator[Problem]:
    """Check what the standard says about this case study too."""
    same = [
        ("title", spec.title, known.title),
        ("gates", spec.gates, known.gates),
        ("lesson", spec.lesson, known.lesson),
        ("kuk", sorted(spec.kuk), sorted(known.kuk)),
    ]
    for name, here, there in same:
        if here != there:
            yield source.problem(f"`{name}` differs from the standard, which has {there}", name)


def _check_tasks(spec: CaseSpec, source: Source) -> Iterator[Problem]:
    """Check that every criterion is shown by exactly one task."""
    ids = Counter(task.id for task in spec.tasks)
    shown = Counter(code for task in spec.tasks for code in task.kuk)
    for n, task in enumerate(spec.tasks):
        if ids[task.id] > 1:
            yield source.problem(f"task {task.id} appears twice", "tasks", n, "id")
        for k, code in enumerate(task.kuk):
            if code not in spec.kuk:
                yield source.problem(f"KUK {code} is not in this case", "tasks", n, "kuk", k)
            elif shown[code] > 1:
                yield source.problem(f"KUK {code} is in two tasks", "tasks", n, "kuk", k)
    for k, code in enumerate(spec.kuk):
        if code not in shown:
            yield source.problem(f"KUK {code} is in no task", "kuk", k)


def _check_lengths(spec: CaseSpec, source: Source) -> Iterator[Problem]:
    """Check that the model answer of each task keeps the limits it shows the way to."""
    for n, task in enumerate(spec.tasks):
        if task.min_words >= task.max_words:
            yield source.problem("min_words must be below max_words", "tasks", n, "min_words")
            continue
        words = rules.count_words(task.model_answer)
        if not task.min_words <= words <= task.max_words:
            message = f"the model answer has {words} words, outside its own limits"
            yield source.problem(message, "tasks", n, "model_answer")


def _check_rubric(spec: CaseSpec, source: Source) -> Iterator[Problem]:
    """Check that every criterion has exactly one rubric."""
    marked = Counter(entry.kuk for entry in spec.rubric)
    for n, entry in enumerate(spec.rubric):
        if entry.kuk not in spec.kuk:
            yield source.problem(f"KUK {entry.kuk} is not in this case", "rubric", n, "kuk")
        elif marked[entry.kuk] > 1:
            yield source.problem(f"KUK {entry.kuk} has two rubrics", "rubric", n, "kuk")
    for k, code in enumerate(spec.kuk):
        if code not in marked:
            yield source.problem(f"KUK {code} has no rubric", "kuk", k)
