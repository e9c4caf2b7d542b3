"""What people do with written case studies. Services flush; entry points commit.

Texts, standing and marking have modules of their own; this one is the door to all of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from lms.cohorts import services as cohorts
from lms.competency.rules import EvidenceKind
from lms.core.db import db, insert_once
from lms.core.errors import DomainError, NotFound
from lms.practice.cases import rules
from lms.practice.cases.marking import (
    AlreadyDecided,
    Disputed,
    Feedback,
    KukResult,
    Marking,
    PartResult,
    QueueLine,
    decide,
    get_disputed,
    get_marking,
    list_feedback,
    queue,
    results,
)
from lms.practice.cases.models import CaseDraft, CaseSubmission
from lms.practice.cases.rules import Draft, Receipt, Stage
from lms.practice.cases.standing import (
    CaseState,
    answers_so_far,
    case_state,
    handed_in,
    history_query,
    states,
    waiting,
)
from lms.practice.cases.texts import Case, case_of, get_case, list_cases, load
from lms.ratings import services as ratings

if TYPE_CHECKING:
    from lms.practice.cases.content import TaskSpec

__all__ = [
    "AlreadyDecided",
    "Case",
    "CaseState",
    "ChangedSince",
    "Disputed",
    "Feedback",
    "KukResult",
    "LookOver",
    "Marking",
    "NotOpen",
    "NotReady",
    "PartResult",
    "QueueLine",
    "Stage",
    "StoredDraft",
    "answers_waiting",
    "case_state",
    "decide",
    "drafts_of",
    "get_case",
    "get_disputed",
    "get_marking",
    "history_query",
    "list_cases",
    "list_feedback",
    "load",
    "look_over",
    "open_parts",
    "queue",
    "results",
    "save_draft",
    "save_drafts",
    "states",
    "submit",
    "waiting",
]


class NotOpen(DomainError):
    """Nothing may be written or handed in now; `stage` says why."""

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage.value)
        self.stage = stage


class NotReady(DomainError):
    """An answer is too short, too long or unchanged; `checked` says which."""

    def __init__(self, checked: Sequence[rules.Checked]) -> None:
        super().__init__("not ready")
        self.checked = checked


class ChangedSince(DomainError):
    """The answers are no longer those the person looked over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDraft:
    """What somebody has written so far for one task."""

    text: str
    page: str
    seq: int
    updated_at: datetime

    @property
    def words(self) -> int:
        """Number of words."""
        return rules.count_words(self.text)


def drafts_of(person_id: int, code: str) -> dict[str, StoredDraft]:
    """Return what somebody has written so far, per task."""
    rows = db.session.scalars(
        select(CaseDraft).where(CaseDraft.person_id == person_id, CaseDraft.case_code == code)
    )
    return {
        row.task: StoredDraft(text=row.text, page=row.page, seq=row.seq, updated_at=row.updated_at)
        for row in rows
    }


def save_draft(
    person_id: int,
    code: str,
    task: str,
    text: str,
    *,
    page: str,
    seq: int,
    seen: str,
    now: datetime,
) -> Receipt:
    """Store what somebody has written for one task, unless a newer text is there. Flushes.

    `page` names the opened page, `seq` counts its saves from 1, `seen` is the rules.trace of the
    text the page showed when it was opened. Raises NotFound and NotOpen.
    """
    case = _writable(person_id, code, [task])
    return _store(person_id, case.code, task, text, page=page, seq=seq, seen=seen, now=now)


def save_drafts(
    person_id: int,
    code: str,
    answers: Mapping[str, str],
    *,
    page: str,
    seen: Mapping[str, str],
    now: datetime,
) -> dict[str, Receipt]:
    """Store a whole form: the newest state of its page. Returns what became of each answer.

    Raises NotFound and NotOpen. Flushes.
    """
    case = _writable(person_id, code, answers)
    return {
        task: _store(
            person_id,
            case.code,
            task,
            text,
            page=page,
            seq=None,
            seen=seen.get(task, rules.trace("")),
            now=now,
        )
        for task, text in answers.items()
    }


def _writable(person_id: int, code: str, tasks: Iterable[str]) -> Case:
    case = get_case(code)
    unknown = set(tasks) - {task.id for task in case.tasks}
    if unknown:
        raise NotFound(unknown.pop())
    newest = handed_in([person_id], case.code).get((person_id, case.code))
    if newest and newest[-1].decided_at is None:
        raise NotOpen(Stage.WAITING)
    return case


def _store(
    person_id: int,
    code: str,
    task: str,
    text: str,
    *,
    page: str,
    seq: int | None,
    seen: str,
    now: datetime,
) -> Receipt:
    text = rules.tidy(text)
    is_first = insert_once(
        CaseDraft,
        person_id=person_id,
        case_code=code,
        task=task,
        text=text,
        page=page,
        seq=seq or 1,
        updated_at=now,
    )
    if is_first:
        return Receipt.SAVED
    row = db.session.scalars(
        select(CaseDraft)
        .where(
            CaseDraft.person_id == person_id,
            CaseDraft.case_code == code,
            CaseDraft.task == task,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if seq is None:
        seq = row.seq + 1 if row.page == page else 1
    stored = Draft(text=row.text, page=row.page, seq=row.seq)
    receipt = rules.receive(stored, Draft(text=text, page=page, seq=seq), seen=seen)
    if receipt is Receipt.SAVED:
        row.text, row.page, row.seq, row.updated_at = text, page, seq, now
        db.session.flush()
    return receipt


def open_parts(state: CaseState) -> "list[TaskSpec]":
    """Return the parts the next try holds, with their texts."""
    wanted = {task.id for task in state.open_tasks}
    return [task for task in state.case.spec.tasks if task.id in wanted]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookOver:
    """The answers as they would be handed in, measured."""

    answers: Mapping[str, str]
    checked: tuple[rules.Checked, ...]

    @property
    def trace(self) -> str:
        """What tells these answers from others."""
        return rules.trace_of(self.answers)

    @property
    def ready(self) -> bool:
        """Tell whether they may be handed in."""
        return rules.may_hand_in(self.checked)


def look_over(person_id: int, state: CaseState) -> LookOver:
    """Return the drafts of the open parts and what they lack."""
    drafts = drafts_of(person_id, state.case.code)
    tasks = state.open_tasks
    answers = {task.id: drafts[task.id].text if task.id in drafts else "" for task in tasks}
    before = answers_so_far(person_id, state.case.code) if state.tries else {}
    refused = {
        task.id: before[task.id]
        for task in tasks
        if task.id in before and state.failed & set(task.kuk)
    }
    return LookOver(answers=answers, checked=rules.check_answers(tasks, answers, refused=refused))


def submit(person_id: int, code: str, *, reviewed: str | None, now: datetime) -> CaseSubmission:
    """Hand in the drafts of the open parts. Flushes.

    `reviewed` is the trace of the answers the person looked over; None takes them as they are.
    Raises NotFound, NotOpen, NotReady, ChangedSince.
    """
    state = case_state(person_id, code, now)
    if state.stage is not Stage.WRITE:
        raise NotOpen(state.stage)
    looked = look_over(person_id, state)
    if not looked.ready:
        raise NotReady(looked.checked)
    if reviewed is not None and reviewed != looked.trace:
        raise ChangedSince
    submission = CaseSubmission(
        person_id=person_id,
        case_version_id=state.case.version_id,
        case_code=state.case.code,
        number=state.number,
        kuk=list(state.open_kuk),
        answers=dict(looked.answers),
        submitted_at=now,
        raters=_raters(person_id, state.case.code),
    )
    try:
        with db.session.begin_nested():
            db.session.add(submission)
    except IntegrityError:
        raise NotOpen(Stage.WAITING) from None
    return submission


def _raters(person_id: int, code: str) -> int:
    """Return how many assessors the person's class wants for a case."""
    cohort = cohorts.find_cohort_of(person_id)
    return ratings.needed(cohort.id if cohort else None, EvidenceKind.SK, code)


def answers_waiting(person_id: int, state: CaseState) -> "list[tuple[TaskSpec, str]]":
    """Return the parts and texts of the submission that waits."""
    row = db.session.execute(
        select(CaseSubmission.answers, CaseSubmission.case_version_id)
        .where(CaseSubmission.person_id == person_id, CaseSubmission.case_code == state.case.code)
        .order_by(CaseSubmission.number.desc())
        .limit(1)
    ).one()
    spec = case_of(row.case_version_id).spec
    return [(task, row.answers[task.id]) for task in spec.tasks if task.id in row.answers]
