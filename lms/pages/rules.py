"""What a companion does next, and where a class is. Pure: no Flask, database or clock."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum


class What(StrEnum):
    """The kinds of steps, in the order of the way through a curriculum."""

    LESSON = "lesson"
    PRACTICE = "practice"
    SIMULATION = "simulation"
    QUIZ = "quiz"
    CASE = "case"
    MEETING = "meeting"
    OBSERVATION = "observation"
    BEFORE = "before"
    """Another certificate, which has to be there before the decision."""
    DECISION = "decision"
    CERTIFICATE = "certificate"


class Standing(StrEnum):
    """How somebody stands with a step."""

    READY = "ready"
    """It may begin now."""
    RUNNING = "running"
    """It was begun and goes on where it stopped."""
    AGAIN = "again"
    """Another try may begin now."""
    WAIT = "wait"
    """Another try may begin later, at `at`."""
    COACHING = "coaching"
    """A trainer's guidance opens the next try."""
    MARKING = "marking"
    """It was handed in and waits to be marked."""
    PEOPLE = "people"
    """It happens when people meet, or when a trainer signs."""
    DONE = "done"


DOABLE = (Standing.READY, Standing.RUNNING, Standing.AGAIN)
WAITING = (Standing.WAIT, Standing.COACHING, Standing.MARKING)

SITTINGS = (What.QUIZ, What.SIMULATION)
"""What is done in one go: once begun, it is offered before anything else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing to do or to wait for."""

    what: What
    curriculum: str
    code: str
    """Lesson, simulation, case study, curriculum (quiz, decision) or scheme (certificate)."""
    standing: Standing
    at: datetime | None = None

    @property
    def is_doable(self) -> bool:
        """Tell whether the person can do it now."""
        return self.standing in DOABLE


@dataclass(frozen=True, slots=True)
class Lesson:
    """One online lesson of a curriculum, as far as the next step depends on it."""

    code: str
    done: bool
    practice: tuple[str, ...] = ()
    """Simulations practised in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """One curriculum as one person stands in it."""

    code: str
    lessons: tuple[Lesson, ...]
    untried: frozenset[str] = frozenset()
    """Simulations never practised and not shown in a graded run either."""
    tasks: tuple[Step, ...] = ()
    """Open simulations, quiz and case studies, in the order they are suggested."""
    meetings: tuple[str, ...] = ()
    """In-person lessons not attended yet."""
    observed: bool = True
    """Whether the observation test leaves nothing open."""
    met: bool = False
    """Whether the evidence allows the decision."""
    certified: str = ""
    """The scheme of a certificate in force that covers it."""
    lacks: str = ""
    """A scheme whose certificate is asked for before its decision and is not in force."""

    @property
    def is_open(self) -> bool:
        """Tell whether there is something to do or to wait for before the decision."""
        return not self.certified and not self.met

    @property
    def is_learned(self) -> bool:
        """Tell whether its online lessons are done."""
        return all(lesson.done for lesson in self.lessons)


@dataclass(frozen=True, slots=True)
class Next:
    """The one thing to do next, and what waits beside it."""

    step: Step
    waiting: tuple[Step, ...]


def steps(course: Course) -> Iterator[Step]:
    """Return everything open in one curriculum, in order."""
    if course.certified:
        yield _step(course, What.CERTIFICATE, course.certified, Standing.DONE)
        return
    if course.met:
        if course.lacks:
            yield _step(course, What.BEFORE, course.lacks, Standing.PEOPLE)
        else:
            yield _step(course, What.DECISION, course.code, Standing.PEOPLE)
        return
    yield from (_step(course, What.PRACTICE, code, Standing.READY) for code in practice_due(course))
    yield from (
        _step(course, What.LESSON, lesson.code, Standing.READY)
        for lesson in course.lessons
        if not lesson.done
    )
    for task in course.tasks:
        # What was begun or waits is said at any time; a beginning comes after the lessons.
        if course.is_learned or task.standing not in (Standing.READY, Standing.AGAIN):
            yield task
    for code in course.meetings:
        yield _step(course, What.MEETING, code, Standing.PEOPLE)
    if not course.observed:
        yield _step(course, What.OBSERVATION, course.code, Standing.PEOPLE)


def practice_due(course: Course) -> tuple[str, ...]:
    """Return the simulations to practise now: those of the lesson finished farthest on.

    Whoever goes on to a later lesson without practising is not asked again.
    """
    finished = [lesson for lesson in course.lessons if lesson.done]
    if not finished:
        return ()
    return tuple(code for code in finished[-1].practice if code in course.untried)


def share_out(courses: Sequence[Course]) -> Iterator[Course]:
    """Leave each simulation and case study of several curricula in one of them.

    What was never begun is suggested after the lessons of the last of them: one run or one text
    then shows it all, and no later run takes the place of an earlier one that was safe. What was
    begun or has to be repeated stands in the first of them that is learned.
    """
    owners: dict[tuple[What, str], list[Course]] = defaultdict(list)
    for course in courses:
        for key in {(task.what, task.code) for task in course.tasks if course.is_open}:
            owners[key].append(course)

    def is_here(course: Course, task: Step) -> bool:
        shared = owners[task.what, task.code]
        if task.standing is Standing.READY:
            return course is shared[-1]
        return course is next((one for one in shared if one.is_learned), shared[0])

    for course in courses:
        if course.is_open:
            tasks = tuple(task for task in course.tasks if is_here(course, task))
            yield replace(course, tasks=tasks)
        else:
            yield course


def next_step(courses: Iterable[Course]) -> Next | None:
    """Return the one thing to do next; None when there is no curriculum at all.

    A quiz or simulation that was begun comes first, then what can be done, in the order of the
    curricula; when nothing can be done, what is waited for; a certificate only when everything
    else is behind.
    """
    everything = [step for course in share_out(tuple(courses)) for step in steps(course)]
    sittings = [step for step in everything if step.what in SITTINGS]
    chosen = (
        _first(sittings, (Standing.RUNNING,))
        or _first(everything, DOABLE)
        or _first(everything, (Standing.PEOPLE, *WAITING))
        or _first(everything, (Standing.DONE,))
    )
    if chosen is None:
        return None
    waiting = tuple(step for step in everything if step.standing in WAITING and step is not chosen)
    return Next(chosen, waiting)


def _first(found: Sequence[Step], standings: tuple[Standing, ...]) -> Step | None:
    return next((step for step in found if step.standing in standings), None)


def _step(course: Course, what: What, code: str, standing: Standing) -> Step:
    return Step(what=what, curriculum=course.code, code=code, standing=standing)


class PartOfDay(StrEnum):
    """How people are greeted."""

    MORNING = "morning"
    NOON = "noon"
    AFTERNOON = "afternoon"
    EVENING = "evening"


def part_of_day(hour: int) -> PartOfDay:
    """Return the part of the day as Indonesian greets it: pagi, siang, sore, malam."""
    if 3 <= hour < 11:
        return PartOfDay.MORNING
    if 11 <= hour < 15:
        return PartOfDay.NOON
    return PartOfDay.AFTERNOON if 15 <= hour < 18 else PartOfDay.EVENING


HONORIFICS = frozenset({"ibu", "bapak", "bu", "pak", "hj", "h", "dr", "drs", "dra", "ir", "prof"})


def short_name(name: str) -> str:
    """Return what people are called: their first name, with the honorific before it."""
    words = name.split()
    for place, word in enumerate(words):
        if word.lower().rstrip(".") not in HONORIFICS:
            return " ".join(words[: place + 1])
    return name


class Phase(StrEnum):
    """Where a class is, seen from one day."""

    RUNNING = "running"
    AHEAD = "ahead"
    OVER = "over"


def phase_of(starts_on: date, ends_on: date, today: date) -> tuple[Phase, int]:
    """Return where a class is, and how many days: of it (from 1), until it or since it."""
    if today < starts_on:
        return Phase.AHEAD, (starts_on - today).days
    if today <= ends_on:
        return Phase.RUNNING, (today - starts_on).days + 1
    return Phase.OVER, (today - ends_on).days


def desk_order(starts_on: date, ends_on: date, today: date) -> tuple[int, int]:
    """Order classes on a desk: those of today, then the nearest, be it ahead or over."""
    phase, days = phase_of(starts_on, ends_on, today)
    return (0 if phase is Phase.RUNNING else 1, days)
