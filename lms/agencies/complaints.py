"""Complaints about certificates, from the officer's words to the decision of two. Services flush.

The steps are facts; the last one is the stage. Whether a certificate still holds is the register's
word alone: a complaint only asks for it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo

from sqlalchemy import ColumnElement, func, select, update

from lms.accounts import services as accounts
from lms.agencies import checks, rules
from lms.agencies.models import Complaint, ComplaintKind, ComplaintStep
from lms.agencies.rules import Outcome, Stage
from lms.cohorts.organisations import organisation_names
from lms.core import audit
from lms.core.db import db, insert_once
from lms.core.errors import DomainError, NotFound
from lms.core.ids import public_id as new_public_id
from lms.credentials import register, revocations
from lms.credentials import services as credentials
from lms.credentials.register import Entry
from lms.credentials.rules import Reason, Status
from lms.notices import services as notices
from lms.notices.due import Due
from lms.notices.rules import Kind as NoticeKind

PAGE = 50
REASONS = {
    ComplaintKind.CONDUCT: Reason.VIOLATION,
    ComplaintKind.DOUBTED: Reason.ERROR,
    ComplaintKind.DATA: Reason.ERROR,
}
"""The public reason of a revocation that follows a complaint."""


class NoSuchPaper(DomainError):
    """No certificate has this code, or this number and name together."""


class AlreadyOpen(DomainError):
    """The agency complains about this certificate already."""


class Involved(DomainError):
    """Who complains or holds the certificate does not decide about it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a complaint, with the name of who did it."""

    stage: Stage
    outcome: Outcome | None
    by_id: int
    by: str
    at: datetime
    note: str


@dataclass(frozen=True, slots=True)
class Case:
    """A complaint with its certificate and its steps, the first one first."""

    complaint: Complaint
    entry: Entry
    organisation: str
    steps: Sequence[Step]

    @property
    def last(self) -> Step:
        """What was done last."""
        return self.steps[-1]

    @property
    def is_open(self) -> bool:
        """Tell whether it is not decided yet."""
        return self.complaint.closed_at is None

    def due(self, zone: tzinfo) -> date | None:
        """Return the day by which the next step is due; None at the end."""
        return rules.due_on(self.last.stage, self.last.at.astimezone(zone).date())


def open_complaint(
    officer_id: int,
    organisation_id: int,
    *,
    asked: str,
    name: str,
    kind: ComplaintKind,
    text: str,
    now: datetime,
) -> str:
    """Complain about the certificate of a code, or of a number and name. Returns its public id.

    Its holder sees the look. Raises NoSuchPaper, AlreadyOpen. Flushes.
    """
    answer = checks.check(officer_id, asked=asked, name=name, now=now)
    if answer.found is None:
        raise NoSuchPaper(asked)
    key = new_public_id()
    is_new = insert_once(
        Complaint,
        public_id=key,
        certificate_id=answer.found.entry.id,
        organisation_id=organisation_id,
        by_id=officer_id,
        kind=kind,
        text=text,
        at=now,
        closed_at=None,
    )
    if not is_new:
        raise AlreadyOpen(asked)
    row = _row(key)
    _append(row, 0, Stage.RECEIVED, by_id=officer_id, note="", now=now)
    return key


def examine(public_id: str, *, base_url: str, zone: str, by_id: int, now: datetime) -> None:
    """Take a complaint up and ask the holder. Raises NotFound, WrongStage, Involved. Flushes."""
    case = get_case(public_id, now)
    _check(case, Stage.EXAMINED, by_id)
    _append(case.complaint, len(case.steps), Stage.EXAMINED, by_id=by_id, note="", now=now)
    person = accounts.get_person_by_id(case.entry.person_id)
    in_english = person.locale == "en"
    due = Due(
        person_id=person.id,
        email=person.email,
        name=person.name,
        locale=person.locale,
        kind=NoticeKind.PAPER_QUESTION,
        subject=f"complaint:{case.complaint.id}",
        stage=0,
        about=case.entry.scheme_title_en if in_english else case.entry.scheme_title,
        path="/sertifikat/pertanyaan",
        zone=zone,
    )
    notices.tell([due], base_url, now=now)


def answer(public_id: str, *, note: str, person_id: int, now: datetime) -> None:
    """Let the holder say something about it. Raises NotFound, WrongStage. Flushes."""
    case = get_case(public_id, now)
    if case.entry.person_id != person_id or case.last.stage is Stage.RECEIVED:
        raise NotFound(public_id)
    rules.check_follows(case.last.stage, Stage.HEARD)
    _append(case.complaint, len(case.steps), Stage.HEARD, by_id=person_id, note=note, now=now)


def go_on_unheard(public_id: str, *, note: str, zone: tzinfo, by_id: int, now: datetime) -> None:
    """Go on without the holder's answer once their time is over.

    Raises NotFound, WrongStage, TooEarly, Involved. Flushes.
    """
    case = get_case(public_id, now)
    _check(case, Stage.HEARD, by_id)
    due = case.due(zone)
    today = now.astimezone(zone).date()
    rules.check_heard(answered=False, due=due or today, today=today)
    _append(case.complaint, len(case.steps), Stage.HEARD, by_id=by_id, note=note, now=now)


def propose(
    public_id: str, *, outcome: Outcome, note: str, needs_two: bool, by_id: int, now: datetime
) -> None:
    """Propose how it ends; where one administrator is enough, end it. Flushes.

    Raises NotFound, WrongStage, Involved, and what a request to revoke raises.
    """
    case = get_case(public_id, now)
    _check(case, Stage.PROPOSED, by_id)
    position = len(case.steps)
    complaint = case.complaint
    _append(complaint, position, Stage.PROPOSED, by_id=by_id, note=note, outcome=outcome, now=now)
    if outcome is Outcome.REVOKED and case.entry.status is not Status.REVOKED:
        act = revocations.request_revocation if needs_two else credentials.revoke
        act(
            case.entry.code,
            reason_public=REASONS[complaint.kind],
            reason_internal=note,
            by_id=by_id,
            now=now,
        )
    if not needs_two:
        _close(complaint, position + 1, outcome, note="", by_id=by_id, now=now)


def decide(public_id: str, *, note: str, by_id: int, now: datetime) -> None:
    """Confirm what somebody else proposed; a certificate to be revoked is revoked now. Flushes.

    Raises NotFound, WrongStage, Involved, revocations.SamePerson, and what confirming raises.
    """
    case = get_case(public_id, now)
    _check(case, Stage.DECIDED, by_id)
    if case.last.by_id == by_id:
        raise revocations.SamePerson(public_id)
    outcome = case.last.outcome
    if outcome is Outcome.REVOKED and case.entry.status is not Status.REVOKED:
        revocations.confirm_revocation(case.entry.code, by_id=by_id, now=now)
    _close(case.complaint, len(case.steps), outcome, note=note, by_id=by_id, now=now)


def decline(public_id: str, *, note: str, by_id: int, now: datetime) -> None:
    """Disagree with a proposal; another one may follow. Raises NotFound, WrongStage, Involved."""
    case = get_case(public_id, now)
    _check(case, Stage.DECLINED, by_id)
    _append(case.complaint, len(case.steps), Stage.DECLINED, by_id=by_id, note=note, now=now)
    if case.last.outcome is Outcome.REVOKED and case.entry.status is not Status.REVOKED:
        try:
            revocations.decline_revocation(case.entry.code, note=note, by_id=by_id, now=now)
        except revocations.NothingAsked:
            return  # it was declined at the register already


def _check(case: Case, following: Stage, by_id: int) -> None:
    if by_id in (case.entry.person_id, case.complaint.by_id):
        raise Involved(case.complaint.public_id)
    rules.check_follows(case.last.stage, following)


def _append(
    complaint: Complaint,
    position: int,
    stage: Stage,
    *,
    by_id: int,
    note: str,
    now: datetime,
    outcome: Outcome | None = None,
) -> None:
    is_new = insert_once(
        ComplaintStep,
        complaint_id=complaint.id,
        position=position,
        stage=stage,
        outcome=outcome,
        by_id=by_id,
        at=now,
        note=note,
    )
    if not is_new:
        raise rules.WrongStage(stage)
    audit.record(
        "agencies.complaint",
        f"complaint:{complaint.id}",
        actor_id=by_id,
        now=now,
        stage=stage.value,
        outcome=outcome.value if outcome else "",
    )


def _close(
    complaint: Complaint,
    position: int,
    outcome: Outcome | None,
    *,
    note: str,
    by_id: int,
    now: datetime,
) -> None:
    _append(complaint, position, Stage.DECIDED, by_id=by_id, note=note, outcome=outcome, now=now)
    db.session.execute(update(Complaint).where(Complaint.id == complaint.id).values(closed_at=now))


def _row(public_id: str) -> Complaint:
    found = db.session.scalar(select(Complaint).where(Complaint.public_id == public_id))
    if found is None:
        raise NotFound(public_id)
    return found


def get_case(public_id: str, at: datetime) -> Case:
    """Return one complaint. Raises NotFound. Five queries."""
    [case] = _cases([_row(public_id)], at)
    return case


def get_own(organisation_ids: Sequence[int], public_id: str, at: datetime) -> Case:
    """Return a complaint of these agencies. Raises NotFound."""
    row = _row(public_id)
    if row.organisation_id not in organisation_ids:
        raise NotFound(public_id)
    return _cases([row], at)[0]


def list_own(organisation_ids: Sequence[int], at: datetime, limit: int = PAGE) -> list[Case]:
    """Return the newest complaints of these agencies; five queries."""
    return _list(Complaint.organisation_id.in_(organisation_ids), at=at, limit=limit)


def list_queue(
    at: datetime, *, closed: bool = False, before: int | None = None, limit: int = PAGE
) -> list[Case]:
    """Return complaints for the administrator, the newest first; five queries."""
    state = Complaint.closed_at.is_not(None) if closed else Complaint.closed_at.is_(None)
    conditions = [state] if before is None else [state, Complaint.id < before]
    return _list(*conditions, at=at, limit=limit)


def list_about(person_id: int, at: datetime) -> list[Case]:
    """Return the complaints about somebody's certificates that were taken up."""
    held = [entry.id for entry in register.list_held([person_id], at)]
    cases = _list(Complaint.certificate_id.in_(held), at=at, limit=PAGE) if held else []
    return [case for case in cases if case.last.stage is not Stage.RECEIVED]


def count_open(organisation_ids: Sequence[int]) -> int:
    """Count the complaints of these agencies that are not decided yet."""
    query = select(func.count()).where(
        Complaint.organisation_id.in_(organisation_ids), Complaint.closed_at.is_(None)
    )
    return db.session.scalar(query) or 0


def _list(*conditions: ColumnElement[bool], at: datetime, limit: int) -> list[Case]:
    rows = db.session.scalars(
        select(Complaint).where(*conditions).order_by(Complaint.id.desc()).limit(limit)
    ).all()
    return _cases(rows, at)


def _cases(rows: Sequence[Complaint], at: datetime) -> list[Case]:
    if not rows:
        return []
    entries = register.list_by_ids((row.certificate_id for row in rows), at)
    steps: dict[int, list[ComplaintStep]] = defaultdict(list)
    for step in db.session.scalars(
        select(ComplaintStep)
        .where(ComplaintStep.complaint_id.in_([row.id for row in rows]))
        .order_by(ComplaintStep.position)
    ):
        steps[step.complaint_id].append(step)
    names = accounts.names_of({step.by_id for found in steps.values() for step in found})
    senders = organisation_names(row.organisation_id for row in rows)
    return [
        Case(
            row,
            entries[row.certificate_id],
            senders[row.organisation_id],
            _steps(steps[row.id], names),
        )
        for row in rows
    ]


def _steps(rows: Iterable[ComplaintStep], names: dict[int, str]) -> list[Step]:
    return [
        Step(row.stage, row.outcome, row.by_id, names[row.by_id], row.at, row.note) for row in rows
    ]
