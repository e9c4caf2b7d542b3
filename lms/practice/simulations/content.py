"""Reads `content/<curriculum>/simulations/*.yaml`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from lms.competency.content import StandardSpec
from lms.core.content import Problem, Review, Source, Spec, Unreadable, read_yaml, validate
from lms.practice.simulations import rules
from lms.practice.simulations.rules import ChoiceVerdict

Words = Annotated[str, Field(min_length=2)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Change = Annotated[int, Field(ge=-2, le=2)]


class EffectsSpec(Spec):
    """What a choice changes, -2 … 2 each."""

    trust: Change
    safety: Change
    agency: Change


class ChoiceSpec(Spec):
    """One thing to do at a node."""

    id: Slug
    text: Words
    verdict: ChoiceVerdict
    act: str | None
    effects: EffectsSpec
    consequence: Words
    why: Words
    better: str | None
    next: Slug


class NodeSpec(Spec):
    """One situation, or an end."""

    id: Slug
    title: Words
    situation: Words
    kuk: list[str] = Field(default=[])
    choices: list[ChoiceSpec] = Field(default=[])
    ending: bool = False
    outcome: Literal["safe", "repaired"] | None = None


class PersonSpec(Spec):
    """Somebody in the story."""

    name: Words
    role: Words


class SimulationSpec(Spec):
    """One variant of a simulation."""

    curriculum: str = Field(default="", exclude=True)
    """The folder it lies in; set by the check, never by the file."""
    code: Annotated[str, Field(pattern=r"^S[0-9]+$")]
    variant: Annotated[str, Field(pattern=r"^[A-Z]$")]
    title: Words
    title_en: Words
    kuk: list[str]
    intro: Words
    content_note: Words
    persons: list[PersonSpec] = Field(default=[])
    start: Slug
    nodes: list[NodeSpec]
    review: Review


def check(directory: Path, standard: StandardSpec) -> tuple[list[SimulationSpec], list[Problem]]:
    """Read and check every simulation of every curriculum."""
    found: list[SimulationSpec] = []
    problems: list[Problem] = []
    for curriculum in sorted(directory.glob("*/curriculum.yaml")):
        for path in sorted((curriculum.parent / "simulations").glob("*.yaml")):
            try:
                source = read_yaml(path)
            except Unreadable as error:
                problems.append(error.problem)
                continue
            spec, wrong = validate(SimulationSpec, source)
            if spec is not None:
                spec = spec.model_copy(update={"curriculum": _code_of(curriculum)})
                wrong = [*_check_place(spec, source, found), *_check_story(spec, source, standard)]
                found.append(spec)
            problems += wrong
    return found, problems


def _code_of(path: Path) -> str:
    """Return the code of a curriculum; what is wrong with its file is said by its own check."""
    try:
        head = read_yaml(path).data
    except Unreadable:
        return ""
    return str(head.get("code", "")) if isinstance(head, dict) else ""


def _check_place(
    spec: SimulationSpec, source: Source, before: list[SimulationSpec]
) -> Iterator[Problem]:
    if any((other.code, other.variant) == (spec.code, spec.variant) for other in before):
        message = f"{spec.code} has a variant {spec.variant} already"
        yield source.problem(message, "variant")


def _check_story(spec: SimulationSpec, source: Source, standard: StandardSpec) -> Iterator[Problem]:
    listed = next((s.kuk for s in standard.simulations if s.code == spec.code), None)
    if listed is None:
        yield source.problem(f"the standard has no simulation {spec.code}", "code")
        return
    story = rules.build_story(spec.model_dump(mode="json"))
    for flaw in rules.flaws(story, listed, standard.rules.harmful_acts):
        yield source.problem(flaw.message, *flaw.place)
