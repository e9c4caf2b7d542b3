"""What assessors do: the queue, a submission beside its rubric, the decision; and its result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import Part
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind, Kuk
from lms.core import audit
from lms.core.db import db
from lms.core.errors import DomainError, NotFound
from lms.core.login import Viewer
from lms.practice.cases import rules
from lms.practice.cases.content import TaskSpec
from lms.practice.cases.models import CaseMark, CaseReview, CaseSubmission, CaseVersion
from lms.practice.cases.rules import Mark
from lms.practice.cases.standing import CaseState, answers_so_far
from lms.practice.cases.texts import Case, case_of

ASSESSORS = (Part.ASSESSOR, Part.TRAINER)


class AlreadyDecided(DomainError):
    """Somebody decided the submission before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KukResult:
    """What an assessor found for one criterion."""

    kuk: Kuk
    level: int | None
    note: str
    met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PartResult:
    """What was found for one part. The model answer is there once the part is met."""

    task: TaskSpec
    results: Sequence[KukResult]
    answer: str
    model_html: Markup | None

    @property
    def met(self) -> bool:
        """Tell whether every criterion of the part is met."""
        return all(result.met for result in self.results)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """What an assessor wrote about one submission."""

    assessor: str
    text: str
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueLine:
    """One submission that waits for an assessor."""

    public_id: str
    person: str
    code: str
    title: str
    title_en: str
    number: int
    kuk: int
    submitted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedKuk:
    """One criterion to be marked: its indicators, and the mark of an earlier try."""

    kuk: Kuk
    levels: Sequence[Sequence[str]]
    earlier: Mark | None
    mark: Mark | None
    """The mark of this submission, once it is decided."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedPart:
    """One part of a submission beside its rubric."""

    task: TaskSpec
    answer: str
    model_html: Markup
    kuk: Sequence[MarkedKuk]


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking:
    """One submission as an assessor sees it."""

    public_id: str
    person: str
    zone: str | None
    case: Case
    number: int
    submitted_at: datetime
    parts: Sequence[MarkedPart]
    decision: Feedback | None

    @property
    def criteria(self) -> list[Kuk]:
        """What is to be marked, in the order of the page."""
        return [entry.kuk for part in self.parts for entry in part.kuk]

    @property
    def kuk(self) -> tuple[str, ...]:
        """Codes of what is to be marked."""
        return tuple(kuk.code for kuk in self.criteria)


def results(person_id: int, state: CaseState) -> list[PartResult]:
    """Return what was found per part, with the newest mark of each criterion."""
    case, standard = state.case, competency.current().standard
    answers = answers_so_far(person_id, case.code)
    marks = _marks_of(person_id, case.code)
    parts = []
    for task in case.spec.tasks:
        found = [
            KukResult(
                kuk=standard.kuk[code],
                level=marks[code].level if code in marks else None,
                note=marks[code].note if code in marks else "",
                met=code in state.met,
            )
            for code in task.kuk
            if code in standard.kuk
        ]
        met = all(result.met for result in found)
        parts.append(
            PartResult(
                task=task,
                results=found,
                answer=answers.get(task.id, ""),
                model_html=case.model_html[task.id] if met else None,
            )
        )
    return parts


def _marks_of(person_id: int, code: str, *, before: int | None = None) -> dict[str, Mark]:
    """Return the newest mark of each criterion, of tries with a number below `before`."""
    query = (
        select(CaseMark.kuk, CaseMark.mark, CaseMark.note)
        .join(CaseReview, CaseReview.id == CaseMark.review_id)
        .join(CaseSubmission, CaseSubmission.id == CaseReview.submission_id)
        .where(CaseSubmission.person_id == person_id, CaseSubmission.case_code == code)
        .order_by(CaseSubmission.number)
    )
    if before is not None:
        query = query.where(CaseSubmission.number < before)
    return {row.kuk: Mark(row.mark, row.note) for row in db.session.execute(query)}


def list_feedback(person_id: int, code: str) -> list[Feedback]:
    """Return what assessors wrote, newest first."""
    rows = db.session.execute(
        select(CaseReview.assessor_id, CaseReview.feedback, CaseReview.decided_at)
        .join(CaseSubmission, CaseSubmission.id == CaseReview.submission_id)
        .where(CaseSubmission.person_id == person_id, CaseSubmission.case_code == code)
        .order_by(CaseSubmission.number.desc())
    ).all()
    names = accounts.names_of(row.assessor_id for row in rows)
    return [
        Feedback(assessor=names[row.assessor_id], text=row.feedback, decided_at=row.decided_at)
        for row in rows
    ]


def queue(viewer: Viewer) -> list[QueueLine]:
    """Return what waits for marking in the viewer's classes, oldest first.

    People the viewer may not assess are not in it.
    """
    people = set(cohorts.people_in_scope(viewer, *ASSESSORS))
    people -= cohorts.conflicted_people(viewer.id)
    if not people:
        return []
    rows = db.session.execute(
        select(
            CaseSubmission.public_id,
            CaseSubmission.person_id,
            CaseSubmission.case_code,
            CaseSubmission.number,
            CaseSubmission.kuk,
            CaseSubmission.submitted_at,
            CaseVersion.title,
            CaseVersion.title_en,
        )
        .join(CaseVersion, CaseVersion.id == CaseSubmission.case_version_id)
        .join(CaseReview, CaseReview.submission_id == CaseSubmission.id, isouter=True)
        .where(CaseSubmission.person_id.in_(people), CaseReview.id.is_(None))
        .order_by(CaseSubmission.submitted_at, CaseSubmission.id)
    ).all()
    names = accounts.names_of(row.person_id for row in rows)
    return [
        QueueLine(
            public_id=row.public_id,
            person=names[row.person_id],
            code=row.case_code,
            title=row.title,
            title_en=row.title_en,
            number=row.number,
            kuk=len(row.kuk),
            submitted_at=row.submitted_at,
        )
        for row in rows
    ]


def get_submission(public_id: str, viewer: Viewer) -> CaseSubmission:
    """Return a submission of somebody in the viewer's classes.

    Raises NotFound, and cohorts.services.MayNotAssess for oneself, relatives and the line.
    """
    found = db.session.scalar(select(CaseSubmission).where(CaseSubmission.public_id == public_id))
    if found is None or found.person_id not in cohorts.people_in_scope(viewer, *ASSESSORS):
        raise NotFound(public_id)
    cohorts.check_may_assess(viewer.id, found.person_id)
    return found


def get_marking(public_id: str, viewer: Viewer) -> Marking:
    """Return a submission beside its rubric. Raises as get_submission."""
    submission = get_submission(public_id, viewer)
    case = case_of(submission.case_version_id)
    return Marking(
        public_id=submission.public_id,
        person=accounts.names_of([submission.person_id])[submission.person_id],
        zone=cohorts.find_zone_of(submission.person_id),
        case=case,
        number=submission.number,
        submitted_at=submission.submitted_at,
        parts=_marked_parts(submission, case),
        decision=_decision(submission.id),
    )


def _marked_parts(submission: CaseSubmission, case: Case) -> list[MarkedPart]:
    standard = competency.current().standard
    person_id, number = submission.person_id, submission.number
    earlier = _marks_of(person_id, case.code, before=number) if number > 1 else {}
    marks = _marks_in(submission.id)
    return [
        MarkedPart(
            task=task,
            answer=submission.answers[task.id],
            model_html=case.model_html[task.id],
            kuk=[
                MarkedKuk(
                    kuk=standard.find(code),
                    levels=case.rubric[code],
                    earlier=earlier.get(code),
                    mark=marks.get(code),
                )
                for code in task.kuk
                if code in submission.kuk
            ],
        )
        for task in case.spec.tasks
        if task.id in submission.answers
    ]


def _marks_in(submission_id: int) -> dict[str, Mark]:
    rows = db.session.execute(
        select(CaseMark.kuk, CaseMark.mark, CaseMark.note)
        .join(CaseReview, CaseReview.id == CaseMark.review_id)
        .where(CaseReview.submission_id == submission_id)
    )
    return {row.kuk: Mark(row.mark, row.note) for row in rows}


def _decision(submission_id: int) -> Feedback | None:
    row = db.session.scalar(select(CaseReview).where(CaseReview.submission_id == submission_id))
    if row is None:
        return None
    names = accounts.names_of([row.assessor_id])
    return Feedback(assessor=names[row.assessor_id], text=row.feedback, decided_at=row.decided_at)


def decide(
    public_id: str,
    viewer: Viewer,
    *,
    marks: Mapping[str, Mark],
    feedback: str,
    now: datetime,
) -> CaseReview:
    """Decide a submission: marks, notes, feedback, and the evidence that follows. Flushes.

    Raises NotFound, cohorts.services.MayNotAssess, rules.MarksIncomplete, AlreadyDecided.
    """
    submission = get_submission(public_id, viewer)
    found = competency.current()
    critical = {code for code, kuk in found.standard.kuk.items() if kuk.critical}
    chosen = rules.check_marks(submission.kuk, marks, critical)
    review = CaseReview(
        submission_id=submission.id, assessor_id=viewer.id, feedback=feedback, decided_at=now
    )
    try:
        with db.session.begin_nested():
            db.session.add(review)
    except IntegrityError:
        raise AlreadyDecided(public_id) from None
    db.session.add_all(
        CaseMark(review_id=review.id, kuk=code, mark=mark.level, note=mark.note.strip())
        for code, mark in chosen.items()
    )
    db.session.flush()
    facts = [
        competency.NewEvidence(
            person_id=submission.person_id,
            kind=EvidenceKind.SK,
            kuk=code,
            source=submission.case_code,
            group=submission.public_id,
            mark=mark.level,
            assessor_id=viewer.id,
            note=mark.note.strip(),
            happened_at=now,
        )
        for code, mark in chosen.items()
    ]
    competency.append(facts, standard_id=found.id, now=now)
    audit.record("cases.decide", f"case_submission:{submission.id}", actor_id=viewer.id, now=now)
    return review
