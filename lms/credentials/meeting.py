"""The decision meeting of a class: who is ready, who is not and why, and who signed."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort
from lms.cohorts.services import MayNotAssess, Seat
from lms.competency import services as competency
from lms.competency.models import Evidence
from lms.competency.rules import EvidenceKind, Judgement, Kuk, Standard
from lms.core.db import db
from lms.core.errors import DomainError, NotFound
from lms.credentials import paper, rules, services
from lms.credentials.models import Deferral, Proposal, ProposalState
from lms.credentials.register import Entry, list_held
from lms.credentials.rules import (
    AlreadyIssued,
    Change,
    RevokedForViolation,
    SchemeText,
    Signer,
    Standing,
)
from lms.credentials.schemes import get_scheme
from lms.credentials.signatures import AlreadyDecided, Open, PutOff, Viewer, open_of, viewer_of
from lms.ratings import services as ratings

PAGE = 50
"""People on one page of the meeting."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One signature as pages show it."""

    name: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """Why the meeting put somebody off."""

    reason: str
    todo: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One person of the meeting and one scheme."""

    seat: Seat
    standing: Standing
    judgement: Judgement
    units: list[paper.UnitResult]
    digest: str
    """Fingerprint of the evidence as it is now: a signature names the one it was given under."""
    held: Entry | None
    """The newest certificate of the scheme, whatever it is worth."""
    marks: tuple[Mark, ...]
    language: str
    signed_name: str
    """The name as it was signed; what is printed is the present one."""
    changes: tuple[Change, ...]
    """How the evidence differs from what was signed."""
    held_back: Held | None
    hindrance: DomainError | None
    """Why this viewer cannot sign now; None when they can."""

    @property
    def may_sign(self) -> bool:
        """Tell whether the viewer may sign."""
        return self.hindrance is None

    @property
    def is_second(self) -> bool:
        """Tell whether the next signature is the second one."""
        return self.standing is Standing.PROPOSED

    @property
    def blocked_units(self) -> list[paper.UnitResult]:
        """The units in which a criterion is open."""
        return [unit for unit in self.units if unit.reached < unit.total]

    @property
    def new_name(self) -> str | None:
        """The name that will be printed when it is not the one that was signed."""
        differs = self.signed_name and self.signed_name != self.seat.name
        return self.seat.name if differs else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A class before its decisions on one scheme: one page of people."""

    cohort: Cohort
    scheme: SchemeText
    standard: Standard
    lines: list[Line]
    total: int
    waiting: int
    """Decisions of the whole class that wait for their certificate."""

    def standing(self, *standings: str) -> list[Line]:
        """Return the people of this page who stand so."""
        return [line for line in self.lines if line.standing in standings]


# The class


def get_meeting(
    cohort: Cohort,
    scheme_code: str,
    viewer_id: int,
    *,
    needed: int = 2,
    page: int = 1,
    only: Sequence[str] | None = None,
    now: datetime,
) -> Meeting:
    """Return one page of a class, people judged as of now; as many queries at any size.

    `only` are the public ids of the people asked for, instead of a page. Raises NotFound.
    """
    scheme, current = get_scheme(scheme_code), competency.current()
    seats = cohorts.list_seats(cohort.id)
    if only is not None:
        shown = [seat for seat in seats if seat.public_id in set(only)]
    else:
        shown = seats[(page - 1) * PAGE : page * PAGE]
    ids = [seat.person_id for seat in shown]
    held = list_held(ids, now)
    judgements = services.judge_many(ids, scheme, current, held, now)
    opened = open_of(ids, scheme_code)
    names = accounts.names_of(_people_in(opened.values()))
    viewer = viewer_of(cohort.id, viewer_id, needed)
    lines = [
        _line(
            seat,
            scheme,
            current,
            judgements[seat.person_id],
            [entry for entry in held if entry.person_id == seat.person_id],
            opened.get(seat.person_id, Open()),
            names,
            viewer,
            now,
        )
        for seat in shown
    ]
    return Meeting(
        cohort=cohort,
        scheme=scheme,
        standard=current.standard,
        lines=lines,
        total=len(seats),
        waiting=count_waiting(cohort.id, scheme_code),
    )


def count_waiting(cohort_id: int, scheme_code: str) -> int:
    """Return how many decisions of a class wait for their certificate."""
    query = select(func.count()).select_from(Proposal).where(*_waiting(cohort_id, scheme_code))
    return db.session.scalar(query) or 0


def _waiting(cohort_id: int, scheme_code: str) -> list[ColumnElement[bool]]:
    return [
        Proposal.cohort_id == cohort_id,
        Proposal.scheme_code == scheme_code,
        Proposal.state == ProposalState.DECIDED,
    ]


def _people_in(opened: Iterable[Open]) -> set[int]:
    found = set()
    for one in opened:
        found |= {signature.signer_id for signature in one.signatures}
        if one.deferral:
            found.add(one.deferral.by_id)
    return found


def _line(
    seat: Seat,
    scheme: SchemeText,
    current: competency.Current,
    judgement: Judgement,
    held: list[Entry],
    opened: Open,
    names: Mapping[int, str],
    viewer: Viewer,
    now: datetime,
) -> Line:
    trace = services.trace(scheme, current, judgement, held)
    digest = rules.digest(trace)
    proposal, deferral = opened.proposal, opened.deferral
    same = [entry for entry in held if entry.scheme == scheme.code]
    hindrance = _find_follow(same, now)
    standing = rules.standing(
        ready=judgement.ready and hindrance is None,
        may_follow=not isinstance(hindrance, AlreadyIssued),
        signed=None
        if proposal is None
        else (proposal.digest, proposal.cohort_id) == (digest, viewer.cohort_id),
        decided=proposal is not None and proposal.state is ProposalState.DECIDED,
        held_back=deferral is not None,
    )
    return Line(
        seat=seat,
        standing=standing,
        judgement=judgement,
        units=paper.unit_results(current.standard, scheme, judgement.verdicts),
        digest=digest,
        held=same[-1] if same else None,
        marks=tuple(Mark(names[one.signer_id], one.signed_at) for one in opened.signatures),
        language=proposal.language if proposal else "",
        signed_name=proposal.holder_name if proposal else "",
        changes=tuple(rules.differences(proposal.trace, trace)) if proposal else (),
        held_back=Held(deferral.reason, deferral.todo, names[deferral.by_id], deferral.at)
        if deferral
        else None,
        hindrance=hindrance or _find_hindrance(seat, standing, judgement, opened, viewer),
    )


def _find_follow(same: Sequence[Entry], now: datetime) -> DomainError | None:
    try:
        rules.place_of_next([entry.life for entry in same], now)
    except (AlreadyIssued, RevokedForViolation) as error:
        return error
    return None


def _find_hindrance(
    seat: Seat, standing: Standing, judgement: Judgement, opened: Open, viewer: Viewer
) -> DomainError | None:
    """Return why the viewer cannot sign for somebody, as `sign` would refuse; None if they can."""
    if not viewer.belongs:
        return services.NotTheirTrainer("not of the class")
    if seat.person_id in viewer.conflicted:
        return MayNotAssess("conflict")
    if standing is Standing.DECIDED:
        return AlreadyDecided(seat.public_id)
    if standing is Standing.HELD:
        return PutOff(seat.public_id)
    if not judgement.ready:
        return services.NotReady(judgement.missing)
    try:
        rules.next_step(
            [Signer(one.signer_id, one.trains) for one in opened.signatures],
            Signer(viewer.id, viewer.trains),
            same=standing is not Standing.CHANGED,
            needed=viewer.needed,
        )
    except (rules.AlreadySigned, rules.NeedsTrainer) as error:
        return error
    return None


# One person


@dataclass(frozen=True, slots=True)
class Proof:
    """One row of evidence as the meeting reads it."""

    row: Evidence
    assessor: str
    note: str
    waits: bool
    """Whether name and note are kept back: a third person, or the second one, is waited for."""
    voided: bool
    counts: bool
    """Whether the verdict rests on it: the newest of its kind, alive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One person before the meeting: the verdict of every criterion, and its trace."""

    meeting: Meeting
    line: Line
    proofs: dict[str, list[Proof]]
    """Criterion, or in-person lesson, to its rows, the newest first."""
    past: list[Held]
    """Earlier deferrals that were lifted."""

    def units(self) -> list[tuple[paper.UnitResult, list[Kuk]]]:
        """Return the units the scheme touches with the criteria it asks for."""
        asked = set(self.meeting.scheme.curricula)
        return [
            (result, [kuk for kuk in result.unit.kuk if kuk.curriculum in asked])
            for result in self.line.units
        ]


def get_case(
    cohort: Cohort,
    scheme_code: str,
    public_id: str,
    viewer_id: int,
    *,
    needed: int = 2,
    now: datetime,
) -> Case:
    """Return one person before the meeting with all their evidence. Raises NotFound."""
    found = get_meeting(cohort, scheme_code, viewer_id, needed=needed, only=[public_id], now=now)
    if not found.lines:
        raise NotFound(public_id)
    line = found.lines[0]
    person_id = line.seat.person_id
    rows = competency.list_evidence(person_id)
    voided = competency.void_ids(person_id)
    past = db.session.scalars(
        select(Deferral)
        .where(Deferral.person_id == person_id, Deferral.scheme_code == scheme_code)
        .where(Deferral.lifted_at.is_not(None))
        .order_by(Deferral.id.desc())
        .limit(10)
    ).all()
    names = accounts.names_of(
        {row.assessor_id for row in rows if row.assessor_id} | {one.by_id for one in past}
    )
    sealed = ratings.sealed([person_id])
    counted = {row for ids in line.judgement.evidence.values() for row in ids}
    proofs: dict[str, list[Proof]] = defaultdict(list)
    for row in reversed(rows):
        key = row.source if row.kind is EvidenceKind.HDR else row.kuk
        waits = sealed.hides_row(row)
        said = ("", "") if waits else (names.get(row.assessor_id or 0, ""), row.note)
        proofs[key].append(Proof(row, *said, waits, row.id in voided, row.id in counted))
    return Case(
        meeting=found,
        line=line,
        proofs=dict(proofs),
        past=[Held(one.reason, one.todo, names[one.by_id], one.at) for one in past],
    )
