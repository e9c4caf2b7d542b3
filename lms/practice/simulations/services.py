"""What people do with simulations: begin, choose, look back. Services flush; doors commit.

Texts and standing have modules of their own; this one is the door to all of them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from lms.competency import services as competency
from lms.competency.rules import EvidenceKind, Kuk
from lms.core import audit, reviewing
from lms.core.db import db
from lms.core.errors import DomainError, NotFound
from lms.core.ids import public_id
from lms.core.reviewing import Mark
from lms.modules import services as modules
from lms.practice.simulations import rules
from lms.practice.simulations.models import SimulationRun, SimulationStep, SimulationVersion
from lms.practice.simulations.rules import Gate, RunOutcome, RunState, Story, Turn
from lms.practice.simulations.standing import (
    SimulationState,
    Waiting,
    history_query,
    is_shown,
    simulation_state,
    states,
    tries_of,
    waiting,
    weigh,
)
from lms.practice.simulations.texts import get_story, load, next_text

__all__ = [
    "Debrief",
    "KukLine",
    "NotOpen",
    "Overview",
    "PastRun",
    "Play",
    "SimulationState",
    "Waiting",
    "choose",
    "describe",
    "describe_act",
    "get_debrief",
    "get_overview",
    "get_play",
    "history_query",
    "is_shown",
    "load",
    "simulation_state",
    "start_graded",
    "start_practice",
    "states",
    "tries_of",
    "waiting",
    "weigh",
]

RUNS_SHOWN = 10
"""Earlier runs listed on the start page."""


class NotOpen(DomainError):
    """A graded run may not begin now; `gate` says what it waits for."""

    def __init__(self, gate: Gate) -> None:
        super().__init__(gate.value)
        self.gate = gate


@dataclass(frozen=True, slots=True, kw_only=True)
class Play:
    """One run with its story and where it stands."""

    id: int
    public_id: str
    code: str
    graded: bool
    scored: tuple[str, ...]
    started_at: datetime
    finished_at: datetime | None
    outcome: RunOutcome | None
    story: Story
    state: RunState

    def turn(self, position: int) -> Turn:
        """Return the turn of this position. Raises NotFound."""
        if not 1 <= position <= len(self.state.turns):
            raise NotFound(str(position))
        return self.state.turns[position - 1]


@dataclass(frozen=True, slots=True)
class PastRun:
    """One finished run as the start page lists it."""

    public_id: str
    graded: bool
    finished_at: datetime
    outcome: RunOutcome


@dataclass(frozen=True, slots=True)
class Overview:
    """What the start page of a simulation shows."""

    story: Story
    state: SimulationState
    lessons: list[tuple[str, str]]
    """Title and address of the lessons in `state.lessons`."""
    runs: list[PastRun]
    marks: tuple[Mark, ...]
    """Who signed this very story."""


@dataclass(frozen=True, slots=True)
class KukLine:
    """What a graded run says about one KUK."""

    kuk: Kuk
    passed: bool
    open_at: tuple[str, ...]
    """Titles of the nodes where the first choice was not safe."""


@dataclass(frozen=True, slots=True)
class Debrief:
    """What is looked back at after a run."""

    strands: tuple[rules.Strand, ...]
    lines: list[KukLine]
    """Empty for practice."""
    state: SimulationState
    lessons: list[tuple[str, str]]
    """Title and address of the lessons in `state.lessons`."""


def start_practice(code: str, person_id: int, *, now: datetime, fresh: bool = False) -> str:
    """Begin a practice run, or go on with the open one; return its public id. Flushes.

    `fresh` leaves the open one behind. One begun before a failed graded run is always left: only
    a run begun afterwards is the way back. Raises NotFound.
    """
    state = simulation_state(person_id, code, now)
    if state.practice_run and not fresh:
        return state.practice_run
    db.session.execute(
        update(SimulationRun)
        .where(
            SimulationRun.person_id == person_id,
            SimulationRun.code == code,
            SimulationRun.graded.is_(False),
            SimulationRun.finished_at.is_(None),
        )
        .values(finished_at=now, outcome=RunOutcome.LEFT)
    )
    return _begin(code, person_id, scored=(), graded=False, now=now)


def start_graded(code: str, person_id: int, *, now: datetime) -> str:
    """Begin a graded run, or go on with the open one; return its public id. Flushes.

    Raises NotFound, NotOpen. An open graded run is never left for a new one: its first choices
    have been made.
    """
    state = simulation_state(person_id, code, now)
    if state.graded_run:
        return state.graded_run
    if state.gate is not Gate.OPEN:
        raise NotOpen(state.gate)
    return _begin(code, person_id, scored=state.scored, graded=True, now=now)


def _begin(code: str, person_id: int, *, scored: Sequence[str], graded: bool, now: datetime) -> str:
    version_id, _digest = next_text(code, person_id, graded=graded)
    run = SimulationRun(
        public_id=public_id(),
        person_id=person_id,
        simulation_version_id=version_id,
        code=code,
        graded=graded,
        scored_kuk=list(scored),
        started_at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(run)
    except IntegrityError:
        # Another tab was faster: one open run per simulation and purpose.
        return db.session.scalars(
            select(SimulationRun.public_id).where(
                SimulationRun.person_id == person_id,
                SimulationRun.code == code,
                SimulationRun.graded.is_(graded),
                SimulationRun.finished_at.is_(None),
            )
        ).one()
    return run.public_id


def get_play(run_id: str, person_id: int) -> Play:
    """Return a run of this person by its public id. Raises NotFound."""
    run, digest = _get_run(run_id, person_id)
    return _play(run, digest)


def _get_run(run_id: str, person_id: int, *, lock: bool = False) -> tuple[SimulationRun, str]:
    query = (
        select(SimulationRun, SimulationVersion.digest)
        .join(SimulationVersion, SimulationVersion.id == SimulationRun.simulation_version_id)
        .where(SimulationRun.public_id == run_id, SimulationRun.person_id == person_id)
    )
    if lock:
        query = query.with_for_update(of=SimulationRun)
    row = db.session.execute(query).first()
    if row is None:
        raise NotFound(run_id)
    return row[0], row[1]


def _play(run: SimulationRun, digest: str) -> Play:
    story = get_story(run.simulation_version_id, digest)
    steps = db.session.execute(
        select(SimulationStep.node, SimulationStep.choice)
        .where(SimulationStep.run_id == run.id)
        .order_by(SimulationStep.position)
    )
    return Play(
        id=run.id,
        public_id=run.public_id,
        code=run.code,
        graded=run.graded,
        scored=tuple(run.scored_kuk),
        started_at=run.started_at,
        finished_at=run.finished_at,
        outcome=run.outcome,
        story=story,
        state=rules.replay(story, [(row.node, row.choice) for row in steps], graded=run.graded),
    )


def choose(run_id: str, person_id: int, *, position: int, choice: str, now: datetime) -> int:
    """Make one choice and return its position; one made there before stands. Flushes.

    A choice that leads to an end finishes the run, and a graded one becomes evidence in the same
    unit of work. Raises NotFound, UnknownChoice.
    """
    run, digest = _get_run(run_id, person_id, lock=True)
    play = _play(run, digest)
    taken = len(play.state.turns)
    if 1 <= position <= taken:
        return position
    if run.finished_at is not None or position != taken + 1:
        raise NotFound(f"{run_id}/{position}")
    node = play.state.node
    made = node.find(choice)
    db.session.add(
        SimulationStep(run_id=run.id, position=position, node=node.id, choice=made.id, at=now)
    )
    db.session.flush()
    state = _play(run, digest).state
    if state.over:
        _finish(run, state, now)
    return position


def _finish(run: SimulationRun, state: RunState, now: datetime) -> None:
    run.finished_at, run.outcome = now, state.outcome
    db.session.flush()
    if not run.graded:
        return
    facts = [
        competency.NewEvidence(
            person_id=run.person_id,
            kind=EvidenceKind.SIM,
            kuk=fact.kuk,
            source=run.code,
            group=run.public_id,
            ref=fact.ref,
            passed=fact.passed,
            harmful=fact.harmful,
            happened_at=now,
        )
        for fact in rules.evidence(state, run.scored_kuk)
    ]
    competency.append(facts, standard_id=competency.current().id, now=now)
    audit.record(
        "simulations.finish",
        f"simulation_run:{run.id}",
        actor_id=run.person_id,
        now=now,
        simulation=run.code,
        outcome=state.outcome,
    )


def get_overview(code: str, person_id: int, *, now: datetime) -> Overview:
    """Return what the start page shows. Raises NotFound."""
    state = simulation_state(person_id, code, now)
    version_id, digest = next_text(code, person_id, graded=False)
    story = get_story(version_id, digest)
    copy = f"{code}-{story.variant}", digest
    runs = db.session.execute(
        select(
            SimulationRun.public_id,
            SimulationRun.graded,
            SimulationRun.finished_at,
            SimulationRun.outcome,
        )
        .where(
            SimulationRun.person_id == person_id,
            SimulationRun.code == code,
            SimulationRun.finished_at.is_not(None),
            SimulationRun.outcome != RunOutcome.LEFT,
        )
        .order_by(SimulationRun.finished_at.desc(), SimulationRun.id.desc())
        .limit(RUNS_SHOWN)
    )
    return Overview(
        story=story,
        state=state,
        lessons=_links(state.lessons),
        runs=[
            PastRun(row.public_id, row.graded, row.finished_at, row.outcome)
            for row in runs
            if row.finished_at and row.outcome
        ],
        marks=reviewing.marks_of("simulation", [copy]).get(copy, ()),
    )


def get_debrief(play: Play, person_id: int, *, now: datetime) -> Debrief:
    """Return what is looked back at after a run."""
    found = competency.current()
    lines = [
        KukLine(
            found.standard.find(result.kuk),
            result.passed,
            tuple(node.title for node in result.open_at),
        )
        for result in (rules.results(play.state, play.scored) if play.graded else ())
    ]
    state = next(state for state in states(person_id, now, found=found) if state.code == play.code)
    return Debrief(rules.strands(play.state), lines, state, _links(state.lessons))


def describe(codes: Iterable[str]) -> list[Kuk]:
    """Return the KUK of these codes, to name them on a page."""
    standard = competency.current().standard
    return [standard.find(code) for code in codes]


def describe_act(act: str) -> str:
    """Return what the standard calls a harmful act, H1 … H8."""
    return competency.current().standard.harmful_acts[act]


def _links(codes: Sequence[str]) -> list[tuple[str, str]]:
    links = modules.lesson_links(codes) if codes else {}
    return [links[code] for code in codes if code in links]
