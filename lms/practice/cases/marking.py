"""What assessors do: the queue, a submission beside its rubric, the decision; and its result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from markupsafe import Markup
from sqlalchemy import Select, select
from sqlalchemy.exc import IntegrityError

from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import Part
from lms.competency import services as competency
from lms.competency.qualities import Stated
from lms.competency.rules import EvidenceKind, Kuk
from lms.core import audit
from lms.core.db import db
from lms.core.errors import DomainError, NotFound
from lms.core.login import Viewer
from lms.practice.cases import rules
from lms.practice.cases.models import CaseMark, CaseReview, CaseSubmission, CaseVersion
from lms.practice.cases.rules import Mark
from lms.practice.cases.standing import CaseState, answers_so_far
from lms.practice.cases.texts import Case, case_of
from lms.ratings import services as ratings
from lms.ratings.models import Rating
from lms.ratings.rules import AlreadyRated, TwoAlready
from lms.ratings.rules import Mark as Rated

if TYPE_CHECKING:
    from lms.practice.cases.content import TaskSpec

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

    task: "TaskSpec"
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
    """Empty while a third person has to decide something there."""
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
    raters: int
    """How many assessors mark it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedKuk:
    """One criterion to be marked: its indicators, and the mark of an earlier try."""

    kuk: Kuk
    levels: Sequence[Sequence[str]]
    earlier: Mark | None
    mark: Mark | None
    """The mark of this submission, once it is decided; before that the reader's own."""
    both: Sequence[Mark] = ()
    """What each of two assessors gave, once both are in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedPart:
    """One part of a submission beside its rubric."""

    task: "TaskSpec"
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
    raters: int
    """How many assessors mark it."""
    own: Feedback | None
    """What the reader wrote, while the second assessor has not marked."""
    others: Sequence[Feedback]
    """What each of two assessors wrote, once both are in."""
    waits_for_third: bool
    """Whether a third person decides something here: names are not shown until then."""

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
        select(CaseSubmission.public_id, CaseMark.kuk, CaseMark.mark, CaseMark.note)
        .join(CaseReview, CaseReview.id == CaseMark.review_id)
        .join(CaseSubmission, CaseSubmission.id == CaseReview.submission_id)
        .where(CaseSubmission.person_id == person_id, CaseSubmission.case_code == code)
        .order_by(CaseSubmission.number)
    )
    if before is not None:
        query = query.where(CaseSubmission.number < before)
    # What a third person or the answer to an appeal put in its place.
    later = ratings.corrections(person_id, EvidenceKind.SK, code)
    found = {}
    for row in db.session.execute(query):
        new = later.get((row.public_id, row.kuk))
        found[row.kuk] = Mark(new.mark, new.note) if new else Mark(row.mark, row.note)
    return found


def list_feedback(person_id: int, code: str) -> list[Feedback]:
    """Return what assessors wrote about decided submissions, newest first."""
    decided = db.session.execute(
        select(
            CaseSubmission.public_id,
            CaseReview.assessor_id,
            CaseReview.feedback,
            CaseReview.decided_at,
        )
        .join(CaseSubmission, CaseSubmission.id == CaseReview.submission_id)
        .where(CaseSubmission.person_id == person_id, CaseSubmission.case_code == code)
        .order_by(CaseSubmission.number.desc())
    ).all()
    given = ratings.given_to_people(EvidenceKind.SK, code, [person_id])
    waits = ratings.sealed([person_id]) if given else None
    lines = [
        (
            0 if waits and waits.hides(EvidenceKind.SK, row.public_id, "") else who,
            text,
            row.decided_at,
        )
        for row in decided
        for who, text in [(one.rater_id, one.feedback) for one in given.get(row.public_id, ())]
        or [(row.assessor_id, row.feedback)]
    ]
    names = accounts.names_of({who for who, _text, _at in lines if who})
    return [
        Feedback(assessor=names.get(who, ""), text=text, decided_at=at) for who, text, at in lines
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
            CaseSubmission.raters,
            CaseVersion.title,
            CaseVersion.title_en,
        )
        .join(CaseVersion, CaseVersion.id == CaseSubmission.case_version_id)
        .join(CaseReview, CaseReview.submission_id == CaseSubmission.id, isouter=True)
        .where(
            CaseSubmission.person_id.in_(people),
            CaseReview.id.is_(None),
            ~rated_by(viewer.id).exists(),
        )
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
            raters=row.raters,
        )
        for row in rows
    ]


def rated_by(viewer_id: int) -> Select[int]:
    """Return a query of what somebody has marked of a submission, as the first of two."""
    return select(Rating.id).where(
        Rating.kind == EvidenceKind.SK,
        Rating.subject == CaseSubmission.public_id,
        Rating.rater_id == viewer_id,
        Rating.annulled_at.is_(None),
    )


def get_submission(public_id: str, viewer: Viewer, *, lock: bool = False) -> CaseSubmission:
    """Return a submission of somebody in the viewer's classes.

    Raises NotFound, and cohorts.services.MayNotAssess for oneself, relatives and the line.
    """
    query = select(CaseSubmission).where(CaseSubmission.public_id == public_id)
    found = db.session.scalar(query.with_for_update() if lock else query)
    if found is None or found.person_id not in cohorts.people_in_scope(viewer, *ASSESSORS):
        raise NotFound(public_id)
    cohorts.check_may_assess(viewer.id, found.person_id)
    return found


def get_marking(public_id: str, viewer: Viewer) -> Marking:
    """Return a submission beside its rubric. Raises as get_submission."""
    submission = get_submission(public_id, viewer)
    case = case_of(submission.case_version_id)
    decision = _decision(submission.id)
    given = _given(submission)
    own = next((one for one in given if one.rater_id == viewer.id), None)
    # Before both are in, nobody is shown anything but their own marks.
    shown = given if decision else [own] if own else []
    names = accounts.names_of([submission.person_id, *(one.rater_id for one in shown)])
    waits = bool(decision) and own is None and ratings.has_open_dispute(about_of(submission))
    said = [
        Feedback(
            assessor="" if waits else names[one.rater_id],
            text=one.feedback,
            decided_at=one.began_at,
        )
        for one in shown
    ]
    if decision and waits:
        decision = Feedback(assessor="", text=decision.text, decided_at=decision.decided_at)
    return Marking(
        public_id=submission.public_id,
        person=names[submission.person_id],
        zone=cohorts.find_zone_of(submission.person_id),
        case=case,
        number=submission.number,
        submitted_at=submission.submitted_at,
        parts=_marked_parts(submission, case, shown, is_decided=decision is not None),
        decision=decision,
        raters=submission.raters,
        own=said[0] if own and not decision else None,
        others=said if decision else (),
        waits_for_third=waits,
    )


def about_of(submission: CaseSubmission) -> ratings.About:
    """Return what two assessors mark when they mark a submission."""
    return ratings.About(
        kind=EvidenceKind.SK,
        subject=submission.public_id,
        source=submission.case_code,
        person_id=submission.person_id,
    )


def _given(submission: CaseSubmission) -> list[ratings.Given]:
    found = ratings.given_by_subject(EvidenceKind.SK, [submission.public_id])
    return found.get(submission.public_id, [])


@dataclass(frozen=True, slots=True, kw_only=True)
class Disputed:
    """What a third person reads before deciding on one criterion of a submission."""

    case: Case
    task: "TaskSpec"
    answer: str
    model_html: Markup
    levels: Sequence[Sequence[str]]


def get_disputed(public_id: str, kuk: str) -> Disputed:
    """Return the part of a submission that shows one criterion. Raises NotFound.

    Who may read it, the caller has checked: see lms.ratings.
    """
    submission = db.session.scalar(
        select(CaseSubmission).where(CaseSubmission.public_id == public_id)
    )
    if submission is None:
        raise NotFound(public_id)
    case = case_of(submission.case_version_id)
    for task in case.spec.tasks:
        if kuk in task.kuk and task.id in submission.answers:
            return Disputed(
                case=case,
                task=task,
                answer=submission.answers[task.id],
                model_html=case.model_html[task.id],
                levels=case.rubric[kuk],
            )
    raise NotFound(kuk)


def _marked_parts(
    submission: CaseSubmission, case: Case, shown: Sequence[ratings.Given], *, is_decided: bool
) -> list[MarkedPart]:
    standard = competency.current().standard
    person_id, number = submission.person_id, submission.number
    earlier = _marks_of(person_id, case.code, before=number) if number > 1 else {}
    marks = (
        _marks_in(submission.id)
        if is_decided
        else {code: Mark(one.level, one.note) for own in shown for code, one in own.marks.items()}
    )
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
                    both=[
                        Mark(one.marks[code].level, one.marks[code].note)
                        for one in shown
                        if is_decided and code in one.marks
                    ],
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
    stated: Stated | None = None,
    now: datetime,
) -> CaseReview | None:
    """Mark a submission: marks, notes, feedback, and the evidence that follows. Flushes.

    Where two assessors mark it the decision comes with the second one: None until then.
    `stated` is what one assessor says of its quality; it stands with every entry.

    Raises NotFound, cohorts.services.MayNotAssess, rules.MarksIncomplete, AlreadyDecided.
    """
    submission = get_submission(public_id, viewer, lock=True)
    found = competency.current()
    critical = {code for code, kuk in found.standard.kuk.items() if kuk.critical}
    chosen = rules.check_marks(submission.kuk, marks, critical)
    if _decision(submission.id) is not None:
        raise AlreadyDecided(public_id)
    if submission.raters == 1:
        ends = {
            code: _End(Mark(one.level, one.note.strip()), viewer.id, stated)
            for code, one in chosen.items()
        }
        return _close(submission, viewer.id, feedback, ends, now)
    about = about_of(submission)
    try:
        pairs = ratings.rate(
            about,
            viewer.id,
            {code: Rated(one.level or 0, note=one.note.strip()) for code, one in chosen.items()},
            feedback=feedback,
            now=now,
        )
    except (AlreadyRated, TwoAlready):
        raise AlreadyDecided(public_id) from None
    audit.record("cases.rate", f"case_submission:{submission.id}", actor_id=viewer.id, now=now)
    if not pairs:
        return None
    ends = {pair.kuk: _End(Mark(pair.mark.level, pair.mark.note), pair.rater_id) for pair in pairs}
    review = _close(submission, viewer.id, feedback, ends, now)
    ratings.open_disputes({about: pairs}, now=now)
    return review


@dataclass(frozen=True, slots=True)
class _End:
    """The mark of one criterion that counts, and whose it is."""

    mark: Mark
    by_id: int
    stated: Stated | None = None
    """What one assessor said of its quality; of two nobody is asked yet."""


def _close(
    submission: CaseSubmission,
    assessor_id: int,
    feedback: str,
    ends: Mapping[str, _End],
    now: datetime,
) -> CaseReview:
    """Write the decision, its marks and the evidence that follows."""
    review = CaseReview(
        submission_id=submission.id, assessor_id=assessor_id, feedback=feedback, decided_at=now
    )
    try:
        with db.session.begin_nested():
            db.session.add(review)
    except IntegrityError:
        raise AlreadyDecided(submission.public_id) from None
    db.session.add_all(
        CaseMark(review_id=review.id, kuk=code, mark=end.mark.level, note=end.mark.note)
        for code, end in ends.items()
    )
    db.session.flush()
    facts = [
        competency.NewEvidence(
            person_id=submission.person_id,
            kind=EvidenceKind.SK,
            kuk=code,
            source=submission.case_code,
            group=submission.public_id,
            mark=end.mark.level,
            assessor_id=end.by_id,
            raters=submission.raters,
            note=end.mark.note,
            qualities=end.stated,
            happened_at=now,
        )
        for code, end in ends.items()
    ]
    competency.append(facts, standard_id=competency.current().id, now=now)
    audit.record("cases.decide", f"case_submission:{submission.id}", actor_id=assessor_id, now=now)
    return review
