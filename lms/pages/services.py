"""What home pages show. Reads only; the home of a companion costs six queries with the viewer."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import CompoundSelect, Date, Integer, Row, bindparam, select, union_all

from lms.accounts import services as accounts
from lms.cohorts import messages, officers
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort
from lms.cohorts.organisations import list_organisations
from lms.competency import rules as verdicts
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind, Ledger, Requirement, Standard, State, TryState
from lms.core.db import UtcDateTime, db
from lms.core.login import Viewer
from lms.core.models import ContentRelease
from lms.core.prepared import read
from lms.credentials import register
from lms.credentials.rules import day_of
from lms.lineage import laws as readings
from lms.modules.outlines import Line, Outline, list_outlines
from lms.notices import rules as notices
from lms.pages import rules
from lms.pages.rules import Next, Standing, Step, What
from lms.practice.cases import services as cases
from lms.practice.simulations import rules as simulation_rules
from lms.practice.simulations import services as simulations
from lms.quizzes import standing as quiz_standing
from lms.quizzes.classes import services as class_quizzes
from lms.reviews import services as reviews

Event = Row[tuple[str, str, str, datetime | None, datetime | None]]
"""Feature, code, what, began_at, ended_at: see the `…_query` functions of the features."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CurriculumLine:
    """How one companion stands in one curriculum."""

    code: str
    title: tuple[str, str]
    reached: int
    total: int
    outline: Outline | None
    """None while its lessons are not written yet."""
    following: Line | None
    """The next lesson to read."""


@dataclass(frozen=True, slots=True)
class UnitLine:
    """How one companion stands in one unit."""

    unit: verdicts.Unit
    reached: int


@dataclass(frozen=True, slots=True)
class Message:
    """A few words from a trainer that were not put away yet."""

    public_id: str
    by: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Delta:
    """What changed in the law somebody learned, to be read in five minutes."""

    public_id: str
    title: str
    article: str


@dataclass(frozen=True, slots=True)
class OpenQuiz:
    """A quiz of somebody's class that they may begin or go on with now."""

    code: str
    slug: str
    title: str
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class Ending:
    """A certificate that ends soon, or ended a short while ago, and none has followed."""

    scheme: str
    title: tuple[str, str]
    last_day: date
    stage: int
    """As of the notices: 0 when it has ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learner:
    """The home of a companion."""

    standard: Standard
    cohort: Cohort | None
    next: Next | None
    lessons: Mapping[str, Line]
    curricula: tuple[CurriculumLine, ...]
    units: tuple[UnitLine, ...]
    reached: int
    total: int
    critical_reached: int
    critical_total: int
    messages: tuple[Message, ...]
    """Newest first."""
    deltas: tuple[Delta, ...]
    """Oldest first."""
    quizzes: tuple[OpenQuiz, ...]
    """Those that close first come first."""
    endings: tuple[Ending, ...]
    """Those that end first come first."""


def read_learner(person_id: int, *, now: datetime) -> Learner:
    """Return the home of a companion. Five queries, whatever has happened."""
    found = competency.current()
    standard = found.standard
    rows = competency.rows_of_one(person_id, found)
    outlines = {outline.code: outline for outline in list_outlines(person_id)}
    history = _History.of(person_id, now)
    ledger = Ledger(standard, rows, now)
    reached = {code for code, kuk in standard.kuk.items() if ledger.verdict(kuk).reached}
    asked = [k for k in standard.kuk.values() if k.curriculum != verdicts.TRAINER_CURRICULUM]
    asked_codes = {kuk.code for kuk in asked}
    taught = history.taught(standard)
    courses = [
        _course(outlines[code], rows, ledger, history, now) for code in taught if code in outlines
    ]
    critical = [kuk for kuk in asked if kuk.critical]
    return Learner(
        standard=standard,
        cohort=cohorts.find_cohort_of(person_id),
        next=rules.next_step(courses),
        lessons={line.code: line for outline in outlines.values() for line in outline.lines},
        curricula=tuple(_curricula(standard, taught, reached, outlines)),
        units=tuple(
            UnitLine(unit, sum(kuk.code in reached for kuk in unit.kuk))
            for unit in standard.units
            if any(kuk.code in asked_codes for kuk in unit.kuk)
        ),
        reached=sum(kuk.code in reached for kuk in asked),
        total=len(asked),
        critical_reached=sum(kuk.code in reached for kuk in critical),
        critical_total=len(critical),
        messages=tuple(history.messages()),
        deltas=tuple(history.deltas()),
        quizzes=tuple(history.quizzes()),
        endings=tuple(history.endings(day_of(now))),
    )


def _curricula(
    standard: Standard, taught: Iterable[str], reached: set[str], outlines: Mapping[str, Outline]
) -> Iterator[CurriculumLine]:
    for code in taught:
        own = standard.of(code)
        outline = outlines.get(code)
        yield CurriculumLine(
            code=code,
            title=standard.curricula[code],
            reached=sum(kuk.code in reached for kuk in own),
            total=len(own),
            outline=outline,
            following=next(
                (line for line in (outline.online if outline else ()) if not line.done_at), None
            ),
        )


@dataclass(frozen=True, slots=True)
class _History:
    """What one person did in every feature, read in one query."""

    events: Mapping[tuple[str, str], Sequence[Event]]

    @classmethod
    def of(cls, person_id: int, now: datetime) -> "_History":
        """Read it."""
        today = day_of(now)
        first, last = notices.paper_window(today)
        asked = {
            "person": person_id,
            "now": now,
            "today": today,
            "first": first,
            "last": last,
            "since": now - messages.SHOWN,
        }
        events: dict[tuple[str, str], list[Event]] = defaultdict(list)
        for row in read(_everything(), asked):
            events[row.feature, row.code].append(row)
        return cls(events)

    def has(self, feature: str, code: str) -> bool:
        """Tell whether the installation has this quiz, simulation or case study."""
        return (feature, code) in self.events

    def taught(self, standard: Standard) -> list[str]:
        """Return the curricula of the person's class, in order.

        Without a class, or when it names none: those every companion needs.
        """
        own = [code for code in standard.curricula if self.has("taught", code)]
        return own or [c for c in standard.curricula if c != verdicts.TRAINER_CURRICULUM]

    def certified(self, curriculum: str) -> str:
        """Return the scheme of a certificate in force that covers a curriculum, or nothing."""
        covering = [
            (len(covered), code)
            for (feature, code), many in self.events.items()
            if feature == "certificate"
            for covered in [json.loads(one.what) for one in many]
            if curriculum in covered
        ]
        return max(covering, default=(0, ""))[1]

    def lacking(self, curriculum: str) -> str:
        """Return the scheme whose certificate has to come before the one on this curriculum alone.

        Empty when there is none, or when such a certificate is in force.
        """
        held = {code for feature, code in self.events if feature == "certificate"}
        for (feature, _scheme), many in self.events.items():
            if feature == "asks":
                curricula, asked = (json.loads(part) for part in many[0].what.split("\n"))
                if curricula == [curriculum]:
                    return next((code for code in asked if code not in held), "")
        return ""

    def of_one(self, feature: str, code: str, what: str = "") -> list[Event]:
        """Return what really happened with one thing, oldest first."""
        happened = [
            event
            for event in self.events.get((feature, code), ())
            if event.began_at is not None and event.what.startswith(what)
        ]
        return sorted(happened, key=lambda event: event.began_at)

    def messages(self) -> Iterator[Message]:
        """Give what trainers wrote, newest first."""
        found = [
            (one.began_at, one)
            for (what, _c), many in self.events.items()
            for one in many
            if what == "message" and one.began_at is not None
        ]
        for at, one in sorted(found, key=lambda pair: pair[0], reverse=True):
            by, _line, text = one.what.partition("\n")
            yield Message(one.code, by, text, at)

    def deltas(self) -> Iterator[Delta]:
        """Give what is to be read about changes of the law, oldest first."""
        found = [many[0] for (what, _code), many in self.events.items() if what == "delta"]
        for one in sorted(found, key=lambda event: (event.began_at, event.code)):
            title, _line, article = one.what.partition("\n")
            yield Delta(one.code, title, article)

    def quizzes(self) -> Iterator[OpenQuiz]:
        """Give the quizzes of a class that are open, those that close first before the others."""
        found = [many[0] for (what, _code), many in self.events.items() if what == "class_quiz"]
        for one in sorted(found, key=lambda event: (event.ended_at, event.code)):
            slug, _line, title = one.what.partition("\n")
            yield OpenQuiz(one.code, slug, title, one.ended_at)

    def endings(self, today: date) -> Iterator[Ending]:
        """Give the certificates whose holders are told of their end, the nearest end first."""
        found = [many[0] for (what, _code), many in self.events.items() if what == "ending"]
        for one in sorted(found, key=lambda event: (event.what, event.code)):
            ends, *titles = one.what.split("\n")
            stage = notices.paper_stage(last := date.fromisoformat(ends), today)
            if stage is not None:
                yield Ending(one.code, (titles[0], titles[1]), last, stage)

    def coached(self, kind: EvidenceKind, code: str) -> list[datetime]:
        """Return when a trainer gave guidance on one thing."""
        return [event.began_at for event in self.of_one("coaching", code, kind.value)]


@cache
def _everything() -> CompoundSelect[*tuple[Any, ...]]:
    """Return the statement of `_History.of`: putting it together takes longer than running it."""
    # What stands for a value later is a value to those who put the parts together.
    person = cast(int, bindparam("person", type_=Integer))
    now = cast(datetime, bindparam("now", type_=UtcDateTime))
    today = cast(date, bindparam("today", type_=Date))
    since = cast(datetime, bindparam("since", type_=UtcDateTime))
    first = cast(date, bindparam("first", type_=Date))
    last = cast(date, bindparam("last", type_=Date))
    return union_all(
        quiz_standing.history_query(person),
        simulations.history_query(person),
        cases.history_query(person),
        competency.coaching_query(person),
        register.in_force_query(person, now, today),
        register.ending_query(person, now, first, last),
        register.asked_before_query(),
        messages.message_query(person, since),
        readings.delta_query(person, now, today, unread=True),
        cohorts.taught_query(person),
        class_quizzes.history_query(person, now),
    )


def _course(
    outline: Outline,
    rows: Sequence[verdicts.Row],
    ledger: Ledger,
    history: _History,
    now: datetime,
) -> rules.Course:
    """Derive where somebody stands in one curriculum from facts alone."""
    standard, code = ledger.standard, outline.code
    meetings = tuple(line.code for line in outline.lines if line.in_person)
    asked = Requirement(scheme=code, curricula=(code,), in_person=meetings)
    open_simulations = [
        name
        for name in standard.simulations
        if history.has("simulation", name) and not _is_shown(ledger, code, name)
    ]
    practised = {
        name
        for name in standard.simulations
        if any(
            event.ended_at and event.what != "practice:left"
            for event in history.of_one("simulation", name, "practice:")
        )
    }
    tasks = [
        *(
            step
            for name in open_simulations
            for step in _simulation_steps(code, name, rows, standard, history, now)
        ),
        *_quiz_steps(code, rows, standard, history, now),
        *_case_steps(code, rows, ledger, history, now),
    ]
    return rules.Course(
        code=code,
        lessons=tuple(
            rules.Lesson(line.code, line.done_at is not None, line.practice)
            for line in outline.online
        ),
        untried=frozenset(open_simulations) - practised,
        tasks=tuple(tasks),
        meetings=tuple(lesson for lesson in meetings if not ledger.attended(lesson)),
        observed=all(
            ledger.state(kuk, EvidenceKind.OBS) is State.PASS
            for kuk in standard.of(code)
            if EvidenceKind.OBS in kuk.ev
        ),
        met=verdicts.judge_by(ledger, asked).ready,
        certified=history.certified(code),
        lacks=history.lacking(code),
    )


def _is_shown(ledger: Ledger, curriculum: str, simulation: str) -> bool:
    """Tell whether a simulation leaves nothing to show for the KUK of a curriculum."""
    return all(
        simulations.is_shown(ledger, kuk.code, simulation)
        for kuk in ledger.standard.of(curriculum)
        if EvidenceKind.SIM in kuk.ev and kuk.code in ledger.standard.simulations[simulation]
    )


def _standing(following: verdicts.NextTry) -> Standing:
    if following.state is TryState.OPEN:
        return Standing.AGAIN if following.number > 1 else Standing.READY
    return Standing.WAIT if following.state is TryState.WAIT else Standing.COACHING


def _simulation_steps(
    curriculum: str,
    code: str,
    rows: Iterable[verdicts.Row],
    standard: Standard,
    history: _History,
    now: datetime,
) -> Iterator[Step]:
    """Return the graded run, and before it the way back after one that was not safe."""
    graded = history.of_one("simulation", code, "graded:")
    if any(event.ended_at is None for event in graded):
        yield Step(
            what=What.SIMULATION, curriculum=curriculum, code=code, standing=Standing.RUNNING
        )
        return
    practice = [
        simulation_rules.Practised(
            event.began_at, simulation_rules.RunOutcome(event.what.removeprefix("practice:"))
        )
        for event in history.of_one("simulation", code, "practice:")
        if event.began_at and event.ended_at
    ]
    tries = simulations.tries_of(rows, standard).get(code, ())
    coached = history.coached(EvidenceKind.SIM, code)
    weighed = simulations.weigh(standard, tries, coached, practice, now)
    if weighed.path_open:
        yield Step(what=What.PRACTICE, curriculum=curriculum, code=code, standing=Standing.AGAIN)
    yield Step(
        what=What.SIMULATION,
        curriculum=curriculum,
        code=code,
        standing=_standing(weighed.next),
        at=weighed.next.at,
    )


def _quiz_steps(
    code: str,
    rows: Sequence[verdicts.Row],
    standard: Standard,
    history: _History,
    now: datetime,
) -> Iterator[Step]:
    sittings = history.of_one("quiz", code)
    if any(event.ended_at is None for event in sittings):
        yield Step(what=What.QUIZ, curriculum=code, code=code, standing=Standing.RUNNING)
        return
    if not history.has("quiz", code) or not verdicts.quiz_scope(standard, code, rows, now):
        return
    closed = [event.ended_at for event in sittings if event.ended_at]
    tries = quiz_standing.tries_of(standard, code, rows, closed)
    coached = history.coached(EvidenceKind.Q, code)
    following = verdicts.next_try(standard, EvidenceKind.Q, tries, coached, now)
    yield Step(
        what=What.QUIZ,
        curriculum=code,
        code=code,
        standing=_standing(following),
        at=following.at,
    )


def _case_steps(
    code: str,
    rows: Sequence[verdicts.Row],
    ledger: Ledger,
    history: _History,
    now: datetime,
) -> Iterator[Step]:
    for case in ledger.standard.cases.values():
        if code not in case.gates or not history.has("case", case.code):
            continue
        handed = history.of_one("case", case.code, "handed")
        standing: Standing | None = None
        at = None
        if handed and handed[-1].ended_at is None:
            standing = Standing.MARKING
        elif not ledger.case_met(case):
            groups = {
                row.group: row.at
                for row in rows
                if row.kind is EvidenceKind.SK and row.source == case.code and ledger.is_live(row)
            }
            coached = history.coached(EvidenceKind.SK, case.code)
            following = verdicts.next_try(
                ledger.standard, EvidenceKind.SK, list(groups.values()), coached, now
            )
            standing, at = _standing(following), following.at
            drafts = history.of_one("case", case.code, "draft")
            last = handed[-1].ended_at if handed else None
            begun = any(last is None or draft.began_at > last for draft in drafts)
            if standing in rules.DOABLE and begun:
                standing = Standing.RUNNING
        if standing is not None:
            yield Step(what=What.CASE, curriculum=code, code=case.code, standing=standing, at=at)


def read_talks(person_id: int, *, now: datetime) -> list[cohorts.Meeting]:
    """Return the home of a guest speaker. One query."""
    return cohorts.list_talks(person_id, now=now)


@dataclass(frozen=True, slots=True)
class ContentStatus:
    """The home of an author or reviewer."""

    release: ContentRelease | None
    done: Mapping[str, tuple[int, int]]
    """Kind of text to how many are reviewed, and how many there are."""


def read_content() -> ContentStatus:
    """Return how much content there is and how much of it an expert has read. Eight queries."""
    release = db.session.scalar(select(ContentRelease).order_by(ContentRelease.id.desc()).limit(1))
    return ContentStatus(release, reviews.count_done())


@dataclass(frozen=True, slots=True, kw_only=True)
class Administration:
    """The home of an administrator: what still has to be set up."""

    organisations: int
    cohorts: Sequence[Cohort]
    roles: frozenset[str]
    """Roles somebody has."""
    sends_mail: bool
    waiting: int
    """Officers nobody has vouched for."""


def read_administration(viewer: Viewer, *, sends_mail: bool) -> Administration:
    """Return what is set up, and who waits. Four queries."""
    return Administration(
        organisations=len(list_organisations()),
        cohorts=cohorts.list_cohorts(viewer),
        roles=accounts.roles_given(),
        sends_mail=sends_mail,
        waiting=officers.count_waiting(),
    )
