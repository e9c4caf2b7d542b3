"""Appeals (banding): somebody asks for a result to be looked at again by others. Services flush.

The steps are facts; the last one is the stage. While an appeal is open it holds every decision on
its criterion. What it changes stands in the ledger: the old row is voided, a new one follows.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from sqlalchemy import Select, func, select, update
from sqlalchemy.exc import IntegrityError

from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import Enrolment
from lms.competency import services as competency
from lms.competency.models import Evidence
from lms.competency.rules import EvidenceKind, Ledger, State
from lms.core import audit
from lms.core.clock import ZONES
from lms.core.db import db, insert_once
from lms.core.errors import NotFound
from lms.core.ids import public_id as new_public_id
from lms.core.login import Viewer
from lms.ratings import rules
from lms.ratings import services as ratings
from lms.ratings.models import Appeal, AppealStep, Moderation, Rating
from lms.ratings.rules import Mark, Stage
from lms.ratings.services import ASSESSORS

MARKED = (EvidenceKind.SK, EvidenceKind.OBS)
"""Kinds whose results are somebody's mark."""
KINDS = (*MARKED, EvidenceKind.Q, EvidenceKind.SIM)
PREFIX = "banding-"
"""What a ledger row that follows an appeal has in its reference, before the appeal's id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One result that may be appealed now."""

    key: str
    evidence_id: int
    kind: EvidenceKind
    source: str
    kuk: str
    mark: int | None
    harmful: bool
    at: datetime
    until: date
    """The last day for it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an appeal, with the name of who took it."""

    stage: Stage
    by_id: int
    by: str
    at: datetime
    note: str
    mark: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An appeal with the result it is about and its steps, the first one first."""

    appeal: Appeal
    person: str
    row: Evidence
    steps: Sequence[Step]
    marked_by: frozenset[int]
    """Everybody who marked what it is about: none of them answers it."""

    @property
    def last(self) -> Step:
        """What was done last."""
        return self.steps[-1]

    @property
    def is_open(self) -> bool:
        """Tell whether it is not answered yet."""
        return self.appeal.closed_at is None

    @property
    def due_at(self) -> datetime | None:
        """When the answer is due; None once it is there."""
        return rules.due_at(self.appeal.at, rules.ANSWER_DAYS) if self.is_open else None

    @property
    def is_marked(self) -> bool:
        """Tell whether it is about somebody's mark, so that another mark may follow."""
        return self.appeal.kind in MARKED

    @property
    def mark(self) -> Mark:
        """The mark it is about."""
        return Mark(self.row.mark or 0, "H" if self.row.harmful else "")


# Asking


def key_of(kind: EvidenceKind, kuk: str, group: str, ref: str) -> str:
    """Return what a form names a result by: what makes it unique among a person's."""
    return "|".join((kind.value, kuk, group, ref))


def _zone_of(person_id: int) -> tzinfo:
    return ZONES[cohorts.find_zone_of(person_id) or "WIB"]


def candidates(person_id: int, now: datetime) -> list[Candidate]:
    """Return the results somebody may appeal: those that say "not yet", in time. Seven queries.

    What a third person has still to decide on waits for that: the decision opens the days anew.
    """
    found, zone = competency.current(), _zone_of(person_id)
    ledger = Ledger(found.standard, competency.rows_of_one(person_id, found), now)
    behind = {
        row.id
        for kuk in found.standard.kuk.values()
        for kind in KINDS
        if kind in kuk.ev and ledger.state(kuk, kind) is State.FAIL
        for row in ledger.rows_behind(kuk, kind)
        if row.harmful or not (row.passed if row.mark is None else row.mark == rules.LEVELS[-1])
    }
    asked = set(db.session.scalars(select(Appeal.evidence_id).where(Appeal.person_id == person_id)))
    waits = ratings.sealed([person_id])
    every = competency.list_evidence(person_id)
    # A sitting's part is answered as a whole: no appeal while one of its essays waits.
    held = {
        (row.kind, row.group_key, row.kuk)
        for row in every
        if row.kind not in MARKED and waits.hides_row(row)
    }
    rows = [
        row
        for row in every
        if row.id in behind
        and not waits.hides_row(row)
        and (row.kind, row.group_key, row.kuk) not in held
    ]
    rows = _once(
        [row for row in rows if row.id not in asked], [row for row in rows if row.id in asked]
    )
    return [
        Candidate(
            key=key_of(row.kind, row.kuk, row.group_key, row.ref),
            evidence_id=row.id,
            kind=row.kind,
            source=row.source,
            kuk=row.kuk,
            mark=row.mark,
            harmful=row.harmful,
            at=row.happened_at,
            until=rules.last_day(row.recorded_at, zone),
        )
        for row in rows
        if now.astimezone(zone).date() <= rules.last_day(row.recorded_at, zone)
    ]


def _once(rows: Iterable[Evidence], asked: Iterable[Evidence]) -> list[Evidence]:
    """Return one row for each part of a sitting or a run: it is answered as a whole."""

    def part(row: Evidence) -> tuple[Any, ...]:
        return (row.kind, row.group_key, row.kuk, row.ref if row.kind in MARKED else "")

    done = {part(row) for row in asked}
    found: dict[tuple[Any, ...], Evidence] = {}
    for row in rows:
        if part(row) not in done:
            found.setdefault(part(row), row)
    return list(found.values())


def ask(person_id: int, key: str, *, text: str, now: datetime) -> str:
    """Ask for one result to be looked at again. Returns the appeal's public id. Flushes.

    Raises NotFound, rules.NoReason, rules.AlreadyAppealed.
    """
    said = rules.check_reason(text)
    about = next((one for one in candidates(person_id, now) if one.key == key), None)
    if about is None:
        raise NotFound(key)
    appeal = Appeal(
        public_id=new_public_id(),
        person_id=person_id,
        evidence_id=about.evidence_id,
        kind=about.kind,
        source=about.source,
        kuk=about.kuk,
        text=said,
        at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(appeal)
    except IntegrityError:
        raise rules.AlreadyAppealed(key) from None
    _append(appeal, 0, Stage.ASKED, by_id=person_id, now=now)
    return appeal.public_id


def withdraw(person_id: int, public_id: str, *, now: datetime) -> None:
    """Take back one's own appeal. Raises NotFound, rules.WrongStage. Flushes."""
    case = get_own(person_id, public_id)
    rules.check_follows(case.last.stage, Stage.WITHDRAWN)
    _append(case.appeal, len(case.steps), Stage.WITHDRAWN, by_id=person_id, now=now)


# Answering


def take(public_id: str, viewer: Viewer, *, now: datetime) -> Case:
    """Take an appeal up. Flushes.

    Raises NotFound, cohorts.MayNotAssess, rules.NotThirdPerson, rules.WrongStage.
    """
    case = get_case(public_id, viewer)
    rules.check_third(viewer.id, case.marked_by)
    rules.check_follows(case.last.stage, Stage.TAKEN)
    _append(case.appeal, len(case.steps), Stage.TAKEN, by_id=viewer.id, now=now)
    return case


def refuse(public_id: str, viewer: Viewer, *, reason: str, now: datetime) -> Case:
    """Let the result stand, and say why. Raises as take, and rules.NoReason. Flushes."""
    case = _answering(public_id, viewer, Stage.REFUSED)
    said = rules.check_reason(reason)
    _append(case.appeal, len(case.steps), Stage.REFUSED, by_id=viewer.id, note=said, now=now)
    return case


def uphold(
    public_id: str, viewer: Viewer, *, level: int | None, reason: str, now: datetime
) -> Case:
    """Void the result. A new mark follows it; without one it is done anew, and costs no try.

    Raises as take, rules.NoReason, rules.NoGain, competency.AlreadyVoided. Flushes.
    """
    case = _answering(public_id, viewer, Stage.UPHELD)
    said = rules.check_reason(reason)
    after = Mark(level, "", said) if level is not None and case.is_marked else None
    if after is not None:
        rules.check_gain(case.mark, after)
    level = after.level if after else None
    _append(
        case.appeal,
        len(case.steps),
        Stage.UPHELD,
        by_id=viewer.id,
        note=said,
        mark=level,
        now=now,
    )
    for one in _whole(case):
        competency.void(one, reason=f"{PREFIX}{public_id}", by_id=viewer.id, now=now)
    if after is not None:
        ratings.replace(
            case.row,
            after,
            ref=PREFIX + public_id,
            raters=case.row.raters,
            by_id=viewer.id,
            now=now,
        )
    return case


def _whole(case: Case) -> list[int]:
    """Return the rows that are voided together: a mark alone, or a KUK's part of a sitting."""
    if case.is_marked:
        return [case.row.id]
    rows = competency.list_evidence(case.appeal.person_id)
    voided = competency.void_ids(case.appeal.person_id)
    same = (case.row.kind, case.row.group_key, case.row.kuk)
    return [
        row.id
        for row in rows
        if (row.kind, row.group_key, row.kuk) == same and row.id not in voided
    ]


def _answering(public_id: str, viewer: Viewer, stage: Stage) -> Case:
    case = get_case(public_id, viewer)
    rules.check_third(viewer.id, case.marked_by)
    rules.check_follows(case.last.stage, stage)
    return case


def _append(
    appeal: Appeal,
    position: int,
    stage: Stage,
    *,
    by_id: int,
    now: datetime,
    note: str = "",
    mark: int | None = None,
) -> None:
    is_new = insert_once(
        AppealStep,
        appeal_id=appeal.id,
        position=position,
        stage=stage,
        by_id=by_id,
        at=now,
        note=note,
        mark=mark,
    )
    if not is_new:
        raise rules.WrongStage(stage)
    if stage in rules.CLOSING:
        db.session.execute(update(Appeal).where(Appeal.id == appeal.id).values(closed_at=now))
    audit.record(
        "ratings.appeal", f"appeal:{appeal.id}", actor_id=by_id, now=now, stage=stage.value
    )


# Reading


def get_own(person_id: int, public_id: str) -> Case:
    """Return one's own appeal. Raises NotFound."""
    row = db.session.scalar(
        select(Appeal).where(Appeal.public_id == public_id, Appeal.person_id == person_id)
    )
    if row is None:
        raise NotFound(public_id)
    return _cases([row])[0]


def list_own(person_id: int) -> list[Case]:
    """Return somebody's appeals, the newest first. Six queries."""
    rows = db.session.scalars(
        select(Appeal).where(Appeal.person_id == person_id).order_by(Appeal.id.desc()).limit(50)
    ).all()
    return _cases(rows)


def get_case(public_id: str, viewer: Viewer) -> Case:
    """Return an appeal of somebody in the viewer's classes. Raises NotFound, MayNotAssess."""
    row = db.session.scalar(select(Appeal).where(Appeal.public_id == public_id))
    if row is None or row.person_id not in cohorts.people_in_scope(viewer, *ASSESSORS):
        raise NotFound(public_id)
    cohorts.check_may_assess(viewer.id, row.person_id)
    return _cases([row])[0]


def queue_query(viewer_id: int) -> Select[Appeal]:
    """Return a query of the open appeals in somebody's classes, as far as they may assess."""
    staffed = cohorts.staffed_by(viewer_id, *ASSESSORS)
    return select(Appeal).where(
        Appeal.closed_at.is_(None),
        Appeal.person_id.in_(select(Enrolment.person_id).where(Enrolment.cohort_id.in_(staffed))),
        Appeal.person_id != viewer_id,
        Appeal.person_id.not_in(cohorts.conflicts_of(viewer_id)),
    )


def list_queue(viewer_id: int) -> list[Case]:
    """Return the open appeals in somebody's classes, the oldest first. Six queries."""
    rows = db.session.scalars(queue_query(viewer_id).order_by(Appeal.at, Appeal.id)).all()
    return _cases(rows)


def waiting(viewer_id: int) -> ratings.Waiting:
    """Return how much waits for somebody on the desk of moderation. One query.

    Appeals about what they marked themselves are others' to answer.
    """
    marked = select(Evidence.id).where(
        Evidence.id == Appeal.evidence_id, Evidence.assessor_id == viewer_id
    )
    rated = (
        select(Rating.id)
        .join(Evidence, Evidence.id == Appeal.evidence_id)
        .where(
            Rating.person_id == Appeal.person_id,
            Rating.kind == Appeal.kind,
            (Rating.subject == Evidence.group_key)
            | Rating.subject.startswith(Evidence.group_key + "/"),
            Rating.rater_id == viewer_id,
        )
    )
    asked = queue_query(viewer_id).where(~marked.exists(), ~rated.exists())
    queries = (ratings.disputes_query(viewer_id), ratings.seconds_query(viewer_id), asked)
    counts = [
        select(func.count()).select_from(one.order_by(None).subquery()).scalar_subquery()
        for one in queries
    ]
    return ratings.Waiting(*db.session.execute(select(*counts)).one())


def open_kuk(person_ids: Collection[int]) -> dict[int, frozenset[str]]:
    """Return the criteria whose decision an open appeal holds, by person. One query."""
    found: dict[int, set[str]] = defaultdict(set)
    query = select(Appeal.person_id, Appeal.kuk).where(
        Appeal.person_id.in_(person_ids), Appeal.closed_at.is_(None)
    )
    for person_id, kuk in db.session.execute(query):
        found[person_id].add(kuk)
    return {person_id: frozenset(some) for person_id, some in found.items()}


def _cases(rows: Sequence[Appeal]) -> list[Case]:
    if not rows:
        return []
    evidence = {
        row.id: row
        for row in db.session.scalars(
            select(Evidence).where(Evidence.id.in_([one.evidence_id for one in rows]))
        )
    }
    steps: dict[int, list[AppealStep]] = defaultdict(list)
    for step in db.session.scalars(
        select(AppealStep)
        .where(AppealStep.appeal_id.in_([one.id for one in rows]))
        .order_by(AppealStep.position)
    ):
        steps[step.appeal_id].append(step)
    markers = _marked_by(list(evidence.values()))
    names = accounts.names_of(
        {step.by_id for some in steps.values() for step in some} | {one.person_id for one in rows}
    )
    return [
        Case(
            appeal=one,
            person=names[one.person_id],
            row=evidence[one.evidence_id],
            steps=_steps(steps[one.id], names),
            marked_by=markers[one.evidence_id],
        )
        for one in rows
    ]


def _steps(rows: Iterable[AppealStep], names: dict[int, str]) -> list[Step]:
    return [
        Step(row.stage, row.by_id, names[row.by_id], row.at, row.note, row.mark) for row in rows
    ]


def _marked_by(rows: Sequence[Evidence]) -> dict[int, frozenset[int]]:
    """Return who marked what stands behind each row: alone, as one of two, or as the third."""
    people = {row.person_id for row in rows}
    raters: dict[tuple[int, EvidenceKind, str], set[int]] = defaultdict(set)
    for person_id, kind, subject, who in db.session.execute(
        select(Rating.person_id, Rating.kind, Rating.subject, Rating.rater_id)
        .where(Rating.person_id.in_(people))
        .union_all(
            select(
                Moderation.person_id,
                Moderation.kind,
                Moderation.subject,
                Moderation.moderator_id,
            ).where(Moderation.person_id.in_(people), Moderation.moderator_id.is_not(None))
        )
    ):
        raters[person_id, kind, subject.partition("/")[0]].add(who)
    return {
        row.id: frozenset(raters[row.person_id, row.kind, row.group_key])
        | ({row.assessor_id} if row.assessor_id else set())
        for row in rows
    }
