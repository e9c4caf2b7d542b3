"""Where people stand with simulations: what may begin, what it waits for. Reads only."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, String, case, cast, func, literal, select

from lms.competency import services as competency
from lms.competency.rules import (
    EvidenceKind,
    Kuk,
    Ledger,
    NextTry,
    Row,
    Standard,
    TryState,
    next_try,
)
from lms.core.db import db
from lms.core.errors import NotFound
from lms.modules import services as modules
from lms.practice.simulations import rules
from lms.practice.simulations.models import SimulationRun, SimulationVersion
from lms.practice.simulations.rules import Gate, RunOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulationState:
    """Where one person stands with one simulation, for every page that shows it."""

    code: str
    title: str
    title_en: str
    gate: Gate
    opens_at: datetime | None = None
    """When the next graded run may begin, while `gate` is WAIT."""
    path_open: bool = False
    """Whether the way back (a clean practice run) is still to be walked."""
    number: int = 1
    """Number of the next graded run, counted since the last safe one."""
    scored: tuple[str, ...] = ()
    """KUK a graded run begun now would score."""
    open_kuk: tuple[str, ...] = ()
    """Those of them that are not shown yet."""
    lessons: tuple[str, ...] = ()
    """Codes of lessons to finish (LEARN) or to read again (after a try)."""
    graded_run: str | None = None
    """Public id of the open graded run."""
    practice_run: str | None = None
    """Public id of the practice run to go on with."""
    practised: bool = False
    """Whether a practice run has been finished."""
    last_graded: str | None = None
    """Public id of the newest finished graded run."""

    @property
    def path(self) -> str:
        """Return the address of its start page."""
        return f"/latihan/{self.code.lower()}"


@dataclass(frozen=True, slots=True)
class Waiting:
    """Somebody cannot go on with a graded simulation at once: why, since and until when."""

    code: str
    gate: Gate
    since: datetime
    opens_at: datetime | None


@dataclass(frozen=True, slots=True)
class _Run:
    """A run as far as rules need it."""

    public_id: str
    graded: bool
    started_at: datetime
    finished_at: datetime | None
    outcome: RunOutcome | None


def simulation_state(person_id: int, code: str, now: datetime) -> SimulationState:
    """Return where somebody stands with one simulation. Raises NotFound."""
    for state in states(person_id, now):
        if state.code == code:
            return state
    raise NotFound(code)


def states(
    person_id: int,
    now: datetime,
    *,
    found: competency.Current | None = None,
    rows: Sequence[Row] | None = None,
    done: frozenset[str] | None = None,
    lessons: Mapping[str, Sequence[str]] | None = None,
) -> list[SimulationState]:
    """Return where somebody stands with every simulation, in the order of their codes.

    What a page has read already it may hand in: the standard, the person's ledger,
    `modules.done_kuk` and `modules.kuk_lessons`; then one query remains, and one more after tries.
    """
    found = found or competency.current()
    rows = competency.rows_of_one(person_id, found) if rows is None else rows
    done = modules.done_kuk(person_id) if done is None else done
    lessons = modules.kuk_lessons() if lessons is None else lessons
    titles, runs = _titles_and_runs(person_id)
    tries = tries_of(rows, found.standard)
    known = _Known(
        ledger=Ledger(found.standard, rows, now),
        done=done,
        lessons=lessons,
        runs=runs,
        tries=tries,
        coached=competency.coached_many([person_id], EvidenceKind.SIM) if tries else {},
        person_id=person_id,
        now=now,
    )
    return [
        _state_of(code, titles[code], known)
        for code in sorted(titles)
        if code in found.standard.simulations
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """Everything read about one person, ready to be asked about any simulation."""

    ledger: Ledger
    done: frozenset[str]
    lessons: Mapping[str, Sequence[str]]
    runs: Mapping[str, Sequence[_Run]]
    tries: Mapping[str, Sequence[rules.Try]]
    coached: Mapping[tuple[int, str], Sequence[datetime]]
    person_id: int
    now: datetime


def _titles_and_runs(
    person_id: int,
) -> tuple[dict[str, tuple[str, str]], dict[str, list[_Run]]]:
    """Return the titles of all simulations and the person's runs, in one query."""
    query = (
        select(
            SimulationVersion.code,
            SimulationVersion.title,
            SimulationVersion.title_en,
            SimulationRun.public_id,
            SimulationRun.graded,
            SimulationRun.started_at,
            SimulationRun.finished_at,
            SimulationRun.outcome,
        )
        .join(
            SimulationRun,
            (SimulationRun.code == SimulationVersion.code) & (SimulationRun.person_id == person_id),
            isouter=True,
        )
        .where(
            SimulationVersion.id.in_(
                select(func.max(SimulationVersion.id)).group_by(SimulationVersion.code)
            )
        )
        .order_by(SimulationVersion.code, SimulationRun.id)
    )
    titles: dict[str, tuple[str, str]] = {}
    runs: dict[str, list[_Run]] = defaultdict(list)
    for row in db.session.execute(query):
        titles[row.code] = (row.title, row.title_en)
        if row.public_id is not None:
            runs[row.code].append(
                _Run(row.public_id, row.graded, row.started_at, row.finished_at, row.outcome)
            )
    return titles, runs


def tries_of(rows: Iterable[Row], standard: Standard) -> dict[str, list[rules.Try]]:
    """Return the finished graded runs per simulation, as the ledger has them.

    A run whose rows are all voided costs no try. Source: decision rules 2.
    """
    groups: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        if row.kind is EvidenceKind.SIM and not row.voided:
            groups[row.source, row.group].append(row)
    tries: dict[str, list[rules.Try]] = defaultdict(list)
    for (code, _group), members in groups.items():
        safe = all(is_enough(row, standard.kuk.get(row.kuk)) for row in members)
        tries[code].append(rules.Try(max(row.at for row in members), safe))
    return tries


def is_enough(row: Row, kuk: Kuk | None) -> bool:
    """Tell whether a row asks for no other try: SIM of a non-critical KUK is only recorded."""
    return not row.harmful and (bool(row.passed) or kuk is None or not kuk.critical)


def _state_of(code: str, titles: tuple[str, str], known: _Known) -> SimulationState:
    standard, runs = known.ledger.standard, known.runs.get(code, ())
    by_curriculum = _by_curriculum(standard, code)
    scored = rules.scored_kuk(by_curriculum, known.lessons, known.done)
    open_kuk = tuple(kuk for kuk in scored if not is_shown(known.ledger, kuk, code))
    graded_run = _open_run(runs, graded=True)
    standing = weigh(
        standard,
        known.tries.get(code, ()),
        known.coached.get((known.person_id, code), ()),
        _practised(runs),
        known.now,
    )
    if graded_run:
        gate = Gate.RUNNING
    elif not scored:
        gate = Gate.LEARN
    else:
        gate = standing.gate if open_kuk else Gate.REACHED
    to_read = open_kuk if scored else rules.kuk_to_learn(by_curriculum, known.lessons, known.done)
    again = gate in (Gate.WAIT, Gate.PRACTISE, Gate.COACHING)
    return SimulationState(
        code=code,
        title=titles[0],
        title_en=titles[1],
        gate=gate,
        opens_at=standing.next.at if gate is Gate.WAIT else None,
        path_open=again and standing.path_open,
        number=standing.next.number,
        scored=scored,
        open_kuk=open_kuk,
        lessons=_lessons_on(to_read, known.lessons) if again or gate is Gate.LEARN else (),
        graded_run=graded_run,
        practice_run=_open_run(
            runs, graded=False, since=standing.since if again and standing.path_open else None
        ),
        practised=any(
            not run.graded and run.outcome not in (None, RunOutcome.LEFT) for run in runs
        ),
        last_graded=next(
            (run.public_id for run in reversed(runs) if run.graded and run.finished_at), None
        ),
    )


def _by_curriculum(standard: Standard, code: str) -> dict[str, list[str]]:
    """Return the KUK of a simulation that ask for SIM evidence, per curriculum, in order."""
    found: dict[str, list[str]] = {curriculum: [] for curriculum in standard.curricula}
    for listed in standard.simulations[code]:
        kuk = standard.find(listed)
        if EvidenceKind.SIM in kuk.ev:
            found[kuk.curriculum].append(listed)
    return {curriculum: codes for curriculum, codes in found.items() if codes}


def is_shown(ledger: Ledger, code: str, simulation: str) -> bool:
    """Tell whether the newest graded run of this simulation leaves nothing to show for a KUK."""
    kuk = ledger.standard.find(code)
    rows = ledger.latest(EvidenceKind.SIM, code, simulation)
    return bool(rows) and all(is_enough(row, kuk) for row in rows)


def _open_run(runs: Iterable[_Run], *, graded: bool, since: datetime | None = None) -> str | None:
    """Return the public id of the open run, unless it began before `since`."""
    for run in runs:
        if run.graded is graded and run.finished_at is None:
            return run.public_id if since is None or run.started_at >= since else None
    return None


def _practised(runs: Iterable[_Run]) -> list[rules.Practised]:
    return [
        rules.Practised(run.started_at, run.outcome)
        for run in runs
        if not run.graded and run.outcome is not None
    ]


@dataclass(frozen=True, slots=True)
class Weighed:
    """What stands between a person and the next graded run."""

    gate: Gate
    next: NextTry
    path_open: bool
    """Whether the way back is still to be walked."""
    since: datetime | None
    """When the last try ended."""


def weigh(
    standard: Standard,
    tries: Iterable[rules.Try],
    coached: Sequence[datetime],
    practice: Iterable[rules.Practised],
    now: datetime,
) -> Weighed:
    """Weigh the tries since the last safe run. Source: decision rules 7."""
    counted = rules.open_tries(tries)
    following = next_try(standard, EvidenceKind.SIM, counted, coached, now)
    since = counted[-1] if counted else None
    path_open = since is not None and not rules.path_walked(practice, since)
    gate = {
        TryState.COACHING: Gate.COACHING,
        TryState.WAIT: Gate.WAIT,
        TryState.OPEN: Gate.PRACTISE if path_open else Gate.OPEN,
    }[following.state]
    return Weighed(gate, following, path_open, since)


def _lessons_on(kuk: Iterable[str], lessons: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the lessons that teach these KUK, each once."""
    return tuple(dict.fromkeys(lesson for code in kuk for lesson in lessons.get(code, ())))


def waiting(
    person_ids: Sequence[int],
    now: datetime,
    *,
    found: competency.Current | None = None,
    ledgers: Mapping[int, Sequence[Row]] | None = None,
) -> dict[int, list[Waiting]]:
    """Return who cannot go on with a graded simulation at once, and why; the others are not in it.

    Four queries whatever the number of people; two when the standard and the ledgers are handed in.
    """
    found = found or competency.current()
    ledgers = competency.rows_of(person_ids, found) if ledgers is None else ledgers
    coached = competency.coached_many(person_ids, EvidenceKind.SIM)
    runs: dict[tuple[int, str], list[_Run]] = defaultdict(list)
    for row in db.session.scalars(
        select(SimulationRun).where(SimulationRun.person_id.in_(person_ids))
    ):
        runs[row.person_id, row.code].append(
            _Run(row.public_id, row.graded, row.started_at, row.finished_at, row.outcome)
        )
    held: dict[int, list[Waiting]] = {}
    for person_id in person_ids:
        for code, tries in sorted(tries_of(ledgers.get(person_id, ()), found.standard).items()):
            guided, practice = coached.get((person_id, code), []), _practised(runs[person_id, code])
            at = weigh(found.standard, tries, guided, practice, now)
            if at.since and at.gate is not Gate.OPEN:
                held.setdefault(person_id, []).append(Waiting(code, at.gate, at.since, at.next.at))
    return held


def history_query(person_id: int) -> Select[*tuple[Any, ...]]:
    """Return a query of one person's runs, in the columns the home page unites.

    Columns: feature, code, what (`graded:` or `practice:` and the outcome), began_at, ended_at; a
    simulation without a run has one line without dates.
    """
    run = SimulationRun
    kind = case((run.graded, "graded:"), else_="practice:")
    return (
        select(
            literal("simulation", String).label("feature"),
            SimulationVersion.code.label("code"),
            (kind + func.coalesce(cast(run.outcome, String), "")).label("what"),
            run.started_at.label("began_at"),
            run.finished_at.label("ended_at"),
        )
        .select_from(SimulationVersion)
        .join(
            run, (run.code == SimulationVersion.code) & (run.person_id == person_id), isouter=True
        )
        .where(
            SimulationVersion.id.in_(
                select(func.max(SimulationVersion.id)).group_by(SimulationVersion.code)
            )
        )
    )
