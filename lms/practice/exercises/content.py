"""Reads `content/<curriculum>/{drills,roles,records}/*.yaml`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from lms.competency.content import StandardSpec
from lms.core.content import (
    Problem,
    Review,
    Source,
    Spec,
    Unreadable,
    read_markdown,
    read_yaml,
    validate,
)
from lms.practice.exercises import rules
from lms.practice.exercises.rules import Card, ExerciseKind, FieldKind, Flaw, Round

Text = Annotated[str, Field(min_length=3, max_length=4000)]
Slug = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Minute = Annotated[int, Field(ge=0, le=480)]


class HeadSpec(Spec):
    """What every kind of material says about itself."""

    code: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]*\.[A-Z0-9]+$", max_length=20)]
    title: Text
    title_en: Text
    lesson: str
    content_note: Text
    review: Review


class RubricSpec(Spec):
    """How one criterion is observed."""

    kuk: str
    levels: dict[str, list[Text]]


class SeatSpec(Spec):
    """One agency at the table of a drill."""

    id: Slug
    name: Text | Literal["RS"]
    name_en: Text
    task: Text
    private: Text


class InjectSpec(Spec):
    """One card of a drill."""

    minute: Minute
    to: list[str] = Field(min_length=1)
    kind: Literal["telepon", "pesan", "orang", "berita"]
    text: Text
    expects: Text
    never: Text
    act: str | None
    kuk: list[str] = Field(min_length=1)


class RoundSpec(Spec):
    """One round of a drill."""

    id: Slug
    title: Text
    title_en: Text
    minutes: Annotated[int, Field(ge=5, le=180)]
    situation: Text
    goal: Text
    playing: list[str] = Field(min_length=2)
    injects: list[InjectSpec] = Field(min_length=2)
    debrief: list[Text] = Field(min_length=1)


class DrillSpec(HeadSpec):
    """A drill of timed cards."""

    stop_word: Text
    seats: list[SeatSpec] = Field(min_length=2, max_length=20)
    rounds: list[RoundSpec] = Field(min_length=1, max_length=6)
    rubric: list[RubricSpec] = Field(min_length=1)


class AgendaSpec(Spec):
    """One point of a meeting."""

    minute: Minute
    text: Text


class RoleSpec(Spec):
    """One card of somebody at the meeting."""

    id: Slug
    name: Text | Literal["RS"]
    name_en: Text
    mandate: Text
    law: list[Text]
    knows: Text
    may_offer: list[Text] = Field(min_length=1)
    must_not: list[Text] = Field(min_length=1)
    trap: Text


class RolesSpec(HeadSpec):
    """Role cards for a meeting."""

    case: Text
    agenda: list[AgendaSpec] = Field(min_length=2)
    ground_rules: list[Text] = Field(min_length=1)
    roles: list[RoleSpec] = Field(min_length=2, max_length=20)
    debrief: list[Text] = Field(min_length=1)
    rubric: list[RubricSpec] = Field(min_length=1)


class FieldSpec(Spec):
    """One field of a form."""

    id: Slug
    label: Text
    label_en: Text
    kind: FieldKind
    choices: list[Annotated[str, Field(min_length=1)]] = Field(default=[])
    help: str = ""
    required: bool
    sensitive: bool = False


def _word(value: object) -> object:
    if isinstance(value, bool):
        return "ya" if value else "tidak"
    return str(value) if isinstance(value, int) else value


class EntrySpec(Spec):
    """The right entry of one field, and why."""

    field: str
    value: Annotated[str, BeforeValidator(_word)]
    why: Text
    trap: str = ""


class StorySpec(Spec):
    """One story to record."""

    id: Slug
    title: Text
    story: Text
    entries: list[EntrySpec] = Field(min_length=1)


class RecordSpec(HeadSpec):
    """A form, stories, and how each is recorded."""

    fields: list[FieldSpec] = Field(min_length=1)
    cases: list[StorySpec] = Field(min_length=1)
    rules: list[Text] = Field(min_length=1)


AnySpec = DrillSpec | RolesSpec | RecordSpec
SPECS: dict[ExerciseKind, type[AnySpec]] = {
    ExerciseKind.DRILL: DrillSpec,
    ExerciseKind.ROLES: RolesSpec,
    ExerciseKind.RECORD: RecordSpec,
}


@dataclass(frozen=True, slots=True)
class PlacedExercise:
    """One piece of material and the curriculum it belongs to."""

    curriculum: str
    kind: ExerciseKind
    spec: AnySpec


@dataclass(frozen=True, slots=True)
class _Lesson:
    in_person: bool
    kuk: tuple[str, ...]
    minutes: int


def check(directory: Path, standard: StandardSpec) -> tuple[list[PlacedExercise], list[Problem]]:
    """Read and check the material of every curriculum. Raises core.content.Unreadable."""
    placed: list[PlacedExercise] = []
    problems: list[Problem] = []
    for folder in sorted(path.parent for path in directory.glob("*/curriculum.yaml")):
        paths = [(kind, path) for kind in ExerciseKind for path in (folder / kind).glob("*.yaml")]
        lessons = _lessons(folder) if paths else {}
        for kind, path in sorted(paths):
            source = read_yaml(path)
            spec, found = validate(SPECS[kind], source)
            problems += found
            if spec is None:
                continue
            flaws = [*_head_flaws(spec, path, lessons), *_flaws(spec, lessons, standard)]
            if any(spec.code == other.spec.code for other in placed):
                flaws.append(Flaw(("code",), f"{spec.code} has another file"))
            problems += [source.problem(flaw.message, *flaw.place) for flaw in flaws]
            placed.append(PlacedExercise(spec.lesson.split(".")[0], kind, spec))
    return placed, problems


def _lessons(folder: Path) -> dict[str, _Lesson]:
    """Return the lessons of a folder; what is wrong with them is said by their own check."""
    found = {}
    for path in sorted(folder.glob("[0-9][0-9]-*.md")):
        try:
            source: Source = read_markdown(path)
        except Unreadable:
            continue
        head = source.data if isinstance(source.data, dict) else {}
        kuk, minutes = head.get("kuk"), head.get("minutes")
        found[str(head.get("code"))] = _Lesson(
            in_person=head.get("mode") == "in_person",
            kuk=tuple(map(str, kuk)) if isinstance(kuk, list) else (),
            minutes=minutes if isinstance(minutes, int) else 0,
        )
    return found


def _head_flaws(spec: AnySpec, path: Path, lessons: Mapping[str, _Lesson]) -> Iterator[Flaw]:
    wanted = f"{spec.code.lower().replace('.', '')}.yaml"
    if path.name != wanted:
        yield Flaw(("code",), f"the file has to be named {wanted}")
    lesson = lessons.get(spec.lesson)
    if lesson is None:
        yield Flaw(("lesson",), f"there is no lesson {spec.lesson} in this folder")
    elif not lesson.in_person and not isinstance(spec, RecordSpec):
        yield Flaw(("lesson",), f"{spec.lesson} is not a lesson in person")
    yield from rules.word_flaws(spec.model_dump(mode="json"))


def _flaws(spec: AnySpec, lessons: Mapping[str, _Lesson], standard: StandardSpec) -> Iterator[Flaw]:
    lesson = lessons.get(spec.lesson, _Lesson(in_person=True, kuk=(), minutes=0))
    if isinstance(spec, RecordSpec):
        yield from _record_flaws(spec)
        return
    if spec.lesson in lessons:
        yield from rules.rubric_flaws([(r.kuk, r.levels) for r in spec.rubric], lesson.kuk)
    if isinstance(spec, DrillSpec):
        yield from rules.drill_flaws(
            [seat.id for seat in spec.seats],
            [_round(each) for each in spec.rounds],
            [entry.kuk for entry in spec.rubric],
            standard.rules.harmful_acts,
        )
    elif spec.lesson in lessons:
        yield from rules.twice([role.id for role in spec.roles], "roles")
        minutes = [point.minute for point in spec.agenda]
        yield from rules.time_flaws(minutes, lesson.minutes, "agenda")


def _round(spec: RoundSpec) -> Round:
    return Round(
        id=spec.id,
        minutes=spec.minutes,
        playing=tuple(spec.playing),
        cards=tuple(
            Card(inject.minute, tuple(inject.to), tuple(inject.kuk), inject.act)
            for inject in spec.injects
        ),
    )


def _record_flaws(spec: RecordSpec) -> Iterator[Flaw]:
    fields = [
        rules.Field(field.id, field.kind, tuple(field.choices), field.required)
        for field in spec.fields
    ]
    yield from rules.form_flaws(fields)
    yield from rules.twice([case.id for case in spec.cases], "cases")
    for n, case in enumerate(spec.cases):
        entries = [(entry.field, entry.value) for entry in case.entries]
        yield from rules.entry_flaws(fields, entries, "cases", n)


def parse(kind: ExerciseKind, document: Mapping[str, Any]) -> AnySpec:
    """Return a stored document as what it was checked to be."""
    return SPECS[kind].model_validate(document)
