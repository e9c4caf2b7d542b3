"""Where people stand with case studies: writing, waiting, decided. Reads only."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, String, func, literal, null, select, union_all

from lms.competency import rules as verdicts
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind, Ledger, State, TryState
from lms.core.db import db
from lms.practice.cases import rules
from lms.practice.cases.models import CaseDraft, CaseReview, CaseSubmission, CaseVersion
from lms.practice.cases.rules import Stage
from lms.practice.cases.texts import Case, get_case, list_cases

STAGES = {
    TryState.OPEN: Stage.WRITE,
    TryState.WAIT: Stage.LATER,
    TryState.COACHING: Stage.COACHING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseState:
    """Where one person stands with one case study."""

    case: Case
    stage: Stage
    number: int
    """Of the next try, or of the one that waits; from 1."""
    met: frozenset[str]
    failed: frozenset[str]
    """Criteria whose newest mark is not enough; those without a mark are in neither set."""
    tries: int
    """Submissions so far, decided or not."""
    submitted_at: datetime | None
    """When the newest was handed in."""
    decided_at: datetime | None
    """When the newest decision was made."""
    opens_at: datetime | None
    """When writing opens again, in the stage LATER."""

    @property
    def open_tasks(self) -> tuple[rules.Task, ...]:
        """Parts the next try holds."""
        return rules.open_tasks(self.case.tasks, self.met)

    @property
    def open_kuk(self) -> tuple[str, ...]:
        """Criteria the next try shows."""
        return rules.open_kuk(self.case.spec.kuk, self.met)

    @property
    def reached(self) -> int:
        """How many criteria are met."""
        return len(self.case.spec.kuk) - len(self.open_kuk)


@dataclass(frozen=True, slots=True)
class HandedIn:
    """One submission, without its text."""

    person_id: int
    code: str
    public_id: str
    submitted_at: datetime
    decided_at: datetime | None


def handed_in(
    person_ids: Collection[int], code: str | None = None
) -> dict[tuple[int, str], list[HandedIn]]:
    """Return what people handed in, in order. One query."""
    query = (
        select(
            CaseSubmission.person_id,
            CaseSubmission.case_code,
            CaseSubmission.public_id,
            CaseSubmission.submitted_at,
            CaseReview.decided_at,
        )
        .join(CaseReview, CaseReview.submission_id == CaseSubmission.id, isouter=True)
        .where(CaseSubmission.person_id.in_(person_ids))
        .order_by(CaseSubmission.number)
    )
    if code is not None:
        query = query.where(CaseSubmission.case_code == code)
    found: dict[tuple[int, str], list[HandedIn]] = defaultdict(list)
    for row in db.session.execute(query):
        found[row.person_id, row.case_code].append(
            HandedIn(row.person_id, row.case_code, row.public_id, row.submitted_at, row.decided_at)
        )
    return found


def _stand(
    case: Case,
    handed: Sequence[HandedIn],
    ledger: Ledger,
    rows: Sequence[verdicts.Row],
    coached: Sequence[datetime],
    now: datetime,
) -> CaseState:
    """Derive where somebody stands from what is stored."""
    standard = ledger.standard
    states = {
        code: ledger.state(standard.kuk[code], EvidenceKind.SK)
        for code in case.spec.kuk
        if code in standard.kuk
    }
    met = frozenset(code for code, state in states.items() if state is State.PASS)
    # A try whose marks were all voided, or are too old, costs nothing.
    counted = {row.group for row in rows if row.source == case.code and ledger.is_live(row)}
    tries = [entry.submitted_at for entry in handed if entry.public_id in counted]
    following = verdicts.next_try(standard, EvidenceKind.SK, tries, coached, now)
    newest = handed[-1] if handed else None
    waits = newest is not None and newest.decided_at is None
    if waits:
        stage = Stage.WAITING
    else:
        stage = STAGES[following.state] if set(case.spec.kuk) - met else Stage.DONE
    return CaseState(
        case=case,
        stage=stage,
        number=len(handed) + (not waits),
        met=met,
        failed=frozenset(code for code, state in states.items() if state is State.FAIL),
        tries=len(handed),
        submitted_at=newest.submitted_at if newest else None,
        decided_at=max((entry.decided_at for entry in handed if entry.decided_at), default=None),
        opens_at=following.at if stage is Stage.LATER else None,
    )


def _states_of(
    person_ids: Collection[int],
    cases: Sequence[Case],
    now: datetime,
    ledgers: Mapping[int, Sequence[verdicts.Row]] | None,
    code: str | None = None,
) -> dict[int, list[CaseState]]:
    """Return the states of many people. The number of queries does not grow with them."""
    handed = handed_in(person_ids, code)
    found = competency.current()
    if ledgers is None:
        ledgers = competency.rows_of(list(person_ids), found) if handed else {}
    coached = competency.coached_many(list(person_ids), EvidenceKind.SK) if handed else {}
    states: dict[int, list[CaseState]] = {}
    for person_id in person_ids:
        rows = [row for row in ledgers.get(person_id, ()) if row.kind is EvidenceKind.SK]
        ledger = Ledger(found.standard, rows, now)
        states[person_id] = [
            _stand(
                case,
                handed.get((person_id, case.code), []),
                ledger,
                rows,
                coached.get((person_id, case.code), []),
                now,
            )
            for case in cases
        ]
    return states


def case_state(person_id: int, code: str, now: datetime) -> CaseState:
    """Return where somebody stands with one case study. Raises NotFound."""
    case = get_case(code)
    return _states_of([person_id], [case], now, None, case.code)[person_id][0]


def states(
    person_id: int, now: datetime, rows: Sequence[verdicts.Row] | None = None
) -> list[CaseState]:
    """Return where somebody stands with every case study; `rows` is the ledger, if at hand."""
    ledgers = None if rows is None else {person_id: rows}
    return _states_of([person_id], list_cases(), now, ledgers)[person_id]


def waiting(
    person_ids: Collection[int],
    now: datetime,
    ledgers: Mapping[int, Sequence[verdicts.Row]] | None = None,
) -> dict[int, list[CaseState]]:
    """Return who waits for marking, has parts to redo, or needs guidance first.

    Only people who handed something in and have not met everything. `ledgers` are
    `competency.services.rows_of` of the same people, if at hand.
    """
    found = _states_of(person_ids, list_cases(), now, ledgers)
    standing = {
        person_id: [state for state in all_ if state.tries and state.stage is not Stage.DONE]
        for person_id, all_ in found.items()
    }
    return {person_id: some for person_id, some in standing.items() if some}


def history_query(person_id: int) -> Select[*tuple[Any, ...]]:
    """Return a query of what one person handed in and drafted, in the columns the home page unites.

    Columns: feature, code, what (`handed` or `draft`), began_at, ended_at (when it was decided); a
    case study nobody touched has one line without dates.
    """
    newest = select(func.max(CaseVersion.id)).group_by(CaseVersion.code)
    handed = (
        select(
            literal("case", String).label("feature"),
            CaseVersion.code.label("code"),
            literal("handed", String).label("what"),
            CaseSubmission.submitted_at.label("began_at"),
            CaseReview.decided_at.label("ended_at"),
        )
        .select_from(CaseVersion)
        .join(
            CaseSubmission,
            (CaseSubmission.case_code == CaseVersion.code)
            & (CaseSubmission.person_id == person_id),
            isouter=True,
        )
        .join(CaseReview, CaseReview.submission_id == CaseSubmission.id, isouter=True)
        .where(CaseVersion.id.in_(newest))
    )
    drafted = select(
        literal("case", String),
        CaseDraft.case_code,
        literal("draft", String),
        CaseDraft.updated_at,
        null(),
    ).where(CaseDraft.person_id == person_id)
    both = union_all(handed, drafted).subquery()
    return select(both)


def answers_so_far(person_id: int, code: str) -> dict[str, str]:
    """Return the newest text that was handed in, per task."""
    rows = db.session.scalars(
        select(CaseSubmission.answers)
        .where(CaseSubmission.person_id == person_id, CaseSubmission.case_code == code)
        .order_by(CaseSubmission.number)
    )
    return {task: text for answers in rows for task, text in answers.items()}
