"""The days every class begins with, from content/timetable.yaml. The hours are a proposal."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import time
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from flask import current_app
from pydantic import Field

from lms.cohorts.services import Timetabled
from lms.cohorts.timetables.rules import HALVES, MOST_DAYS, NOON
from lms.core.content import Problem, Review, Source, Spec, Unreadable, read_yaml, validate

FILE = "timetable.yaml"

Place = tuple[str | int, ...]
"""Where something stands in the file."""
Fault = tuple[str, Place]
"""What is wrong, and where."""


class Kind(StrEnum):
    """What a session is. A break is no entry of a class's timetable."""

    OPENING = "opening"
    LESSON = "lesson"
    TEST = "test"
    BREAK = "break"


Title = Annotated[str, Field(min_length=3)]


class SessionSpec(Spec):
    """One session of a half day."""

    title: Title
    title_en: Title
    kind: Kind
    lesson: str | None = None
    """Code of the lesson people meet for."""
    begins: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3])\.[0-5][0-9]$")]
    minutes: Annotated[int, Field(ge=5, le=480)]
    jp: Annotated[int, Field(ge=1, le=8)] | None
    leads: list[Literal["organiser", "trainer", "assessor"]]

    @property
    def starts(self) -> int:
        """Return when it begins, in minutes after midnight."""
        hour, minute = self.begins.split(".")
        return int(hour) * 60 + int(minute)

    @property
    def ends(self) -> int:
        """Return when it ends, in minutes after midnight."""
        return self.starts + self.minutes


class HalfSpec(Spec):
    """One half day with the sum of its minutes."""

    half: Literal["am", "pm"]
    minutes: int
    sessions: list[SessionSpec] = Field(min_length=1)


class DaySpec(Spec):
    """One day."""

    day: int
    title: Title
    title_en: Title
    halves: list[HalfSpec] = Field(min_length=1)


class HoursSpec(Spec):
    """The training hours (JP) the days add up to."""

    lessons: int
    test: int
    total: int


class TimetableSpec(Spec):
    """The whole file."""

    minutes_per_jp: Annotated[int, Field(ge=30, le=60)]
    curricula: list[str] = Field(min_length=1)
    """Curricula all of whose in-person lessons stand here."""
    jp: HoursSpec
    days: list[DaySpec] = Field(min_length=1, max_length=MOST_DAYS)
    review: Review


@dataclass(frozen=True, slots=True)
class Guide:
    """A lesson as its own file describes it."""

    in_person: bool
    jp: int
    minutes: int


@dataclass(frozen=True, slots=True)
class _Placed:
    """A session with its place in the file."""

    session: SessionSpec
    day: int
    half: str
    place: Place


def check(
    content: Path, guides: Mapping[str, Guide] | None
) -> tuple[TimetableSpec | None, list[Problem]]:
    """Read and check the file. Raises core.content.Unreadable.

    `guides` are the lessons by code; None where they could not be read: their own check says so.
    """
    source = read_yaml(content / FILE)
    found, problems = validate(TimetableSpec, source)
    if found is not None:
        faults = [*_check_days(found), *_check_hours(found)]
        if guides is not None:
            faults += _check_lessons(found, guides)
        problems = _problems(source, faults)
    return found, problems


def _problems(source: Source, faults: list[Fault]) -> list[Problem]:
    return [source.problem(message, *place) for message, place in faults]


def _sessions(found: TimetableSpec) -> list[_Placed]:
    return [
        _Placed(session, day.day, half.half, ("days", d, "halves", h, "sessions", s))
        for d, day in enumerate(found.days)
        for h, half in enumerate(day.halves)
        for s, session in enumerate(half.sessions)
    ]


def _check_days(found: TimetableSpec) -> Iterator[Fault]:
    """Check days and half days, and that sessions follow one another without gap or overlap."""
    for d, day in enumerate(found.days):
        if day.day != d + 1:
            yield f"day {day.day} stands where day {d + 1} is due", ("days", d, "day")
        halves = [half.half for half in day.halves]
        if halves != [half for half in HALVES if half in halves]:
            yield f"day {day.day}: half days are am, then pm, each once", ("days", d, "halves")
        for h, half in enumerate(day.halves):
            place: Place = ("days", d, "halves", h)
            name = f"day {day.day} {half.half}"
            yield from _check_clock(half, name, place)
            total = sum(session.minutes for session in half.sessions)
            if total != half.minutes:
                message = f"{name}: the sessions have {total} minutes, not {half.minutes}"
                yield message, (*place, "minutes")


def _check_clock(half: HalfSpec, name: str, place: Place) -> Iterator[Fault]:
    noon = NOON.hour * 60
    for s, session in enumerate(half.sessions):
        at: Place = (*place, "sessions", s, "begins")
        if half.half == "am" and session.ends > noon:
            yield f"{name}: {session.title} ends after noon", at
        if half.half == "pm" and session.starts < noon:
            yield f"{name}: {session.title} begins before noon", at
        if s and session.starts < half.sessions[s - 1].ends:
            yield f"{name}: {session.title} begins before the session before it ends", at
        if s and session.starts > half.sessions[s - 1].ends:
            yield f"{name}: nothing is said of the time before {session.title}; add a break", at


def _check_hours(found: TimetableSpec) -> Iterator[Fault]:
    """Check training hours: of each session, and the sums the file states."""
    for one in _sessions(found):
        session = one.session
        counts = session.kind in (Kind.LESSON, Kind.TEST)
        if counts is (session.jp is None):
            message = "has training hours" if counts else "has no training hours: jp is null"
            yield f"{session.title}: a session of kind {session.kind} {message}", (*one.place, "jp")
        elif session.jp and session.jp * found.minutes_per_jp != session.minutes:
            wanted = session.jp * found.minutes_per_jp
            message = f"{session.title}: {session.jp} JP are {wanted} minutes"
            yield message, (*one.place, "minutes")
        if (session.kind is Kind.BREAK) is bool(session.leads):
            message = "nobody leads a break" if session.leads else "say who leads it"
            yield f"{session.title}: {message}", (*one.place, "leads")
    summed = hours(found)
    for name in HoursSpec.model_fields:
        stated = getattr(found.jp, name)
        if stated != summed[name]:
            yield f"jp: {name} add up to {summed[name]}, not {stated}", ("jp", name)


def _check_lessons(found: TimetableSpec, guides: Mapping[str, Guide]) -> Iterator[Fault]:
    """Check that the lessons are those people meet for, with the hours of their guides.

    Lessons of a curriculum that is a draft, or not in these files at all, are nobody's yet.
    """
    met: dict[str, list[_Placed]] = {}
    taught = {_curriculum(code) for code in guides}
    unwritten = set(found.curricula) - taught
    for one in _sessions(found):
        fault = _wrong_lesson(one.session, guides, unwritten)
        if fault:
            yield fault, (*one.place, "lesson")
        elif one.session.lesson is not None and one.session.lesson in guides:
            met.setdefault(one.session.lesson, []).append(one)
    yield from _check_guides(met, guides)
    for code, guide in sorted(guides.items()):
        if guide.in_person and _curriculum(code) in found.curricula and code not in met:
            yield f"{code} is done in person and stands nowhere here", ("curricula",)


def _check_guides(
    met: Mapping[str, Sequence[_Placed]], guides: Mapping[str, Guide]
) -> Iterator[Fault]:
    """Check that all sessions of a lesson have together the hours and minutes of its guide."""
    for code, placed in met.items():
        guide, sessions = guides[code], [one.session for one in placed]
        jp = sum(session.jp or 0 for session in sessions)
        minutes = sum(session.minutes for session in sessions)
        if jp != guide.jp:
            yield f"{code} has {jp} JP here and {guide.jp} in its guide", placed[-1].place
        elif minutes != guide.minutes:
            message = f"{code} has {minutes} minutes here and {guide.minutes} in its guide"
            yield message, placed[-1].place


def _curriculum(lesson: str) -> str:
    return lesson.partition(".")[0]


def _wrong_lesson(
    session: SessionSpec, guides: Mapping[str, Guide], unwritten: Collection[str]
) -> str:
    """Return what is wrong with the lesson a session names; empty when nothing is."""
    code = session.lesson
    if (session.kind is Kind.LESSON) is (code is None):
        message = "names its lesson" if code is None else "names no lesson"
        return f"{session.title}: a session of kind {session.kind} {message}"
    if code is None:
        return ""
    if code not in guides:
        return "" if _curriculum(code) in unwritten else f"there is no lesson {code}"
    return "" if guides[code].in_person else f"{code} is an online lesson: nobody meets for it"


def hours(found: TimetableSpec) -> dict[str, int]:
    """Return the training hours that the sessions add up to: of lessons, of tests, together."""
    summed = Counter[Kind]()
    for one in _sessions(found):
        summed[one.session.kind] += one.session.jp or 0
    return {
        "lessons": summed[Kind.LESSON],
        "test": summed[Kind.TEST],
        "total": summed.total(),
    }


def count(found: TimetableSpec) -> dict[str, int]:
    """Return what there is of days, sessions, breaks, minutes and training hours."""
    sessions = [one.session for one in _sessions(found)]
    breaks = sum(session.kind is Kind.BREAK for session in sessions)
    return {
        "days": len(found.days),
        "sessions": len(sessions) - breaks,
        "breaks": breaks,
        "minutes": sum(session.minutes for session in sessions),
        **{f"jp_{name}": value for name, value in hours(found).items()},
    }


@cache
def load(content: Path) -> tuple[Timetabled, ...]:
    """Return the sessions with their hours, without the breaks; read once per process.

    Raises core.content.Unreadable.
    """
    found, problems = check(content, None)
    if found is None or problems:
        raise Unreadable(problems[0])
    seen = Counter[tuple[int, str]]()
    entries = []
    for one in _sessions(found):
        session = one.session
        if session.kind is Kind.BREAK:
            continue
        seen[one.day, one.half] += 1
        entries.append(
            Timetabled(
                day=one.day,
                half=one.half,
                position=seen[one.day, one.half],
                title=session.title,
                title_en=session.title_en,
                jp=session.jp or 0,
                lesson_code=session.lesson,
                begins=_clock(session.starts),
                ends=_clock(session.ends),
            )
        )
    return tuple(entries)


def _clock(minutes: int) -> time:
    return time(minutes // 60, minutes % 60)


def pattern(content: Path | None = None) -> list[Timetabled]:
    """Return the sessions without hours of the clock: each class has its own.

    `content` is the folder; None for that of the installation that runs.
    """
    entries = load(content or current_app.extensions["suluh"].content_dir)
    return [replace(entry, begins=None, ends=None) for entry in entries]
