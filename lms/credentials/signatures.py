"""Signatures under decisions: who may give one, what it does, who is put off. Services flush.

A decision stands on two signatures of different people, one of them a trainer's, both under the
same evidence: its trace is frozen at the first one, and the second is only for the same trace.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.exc import IntegrityError

from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import Part
from lms.cohorts.services import MayNotAssess
from lms.competency import services as competency
from lms.core import audit
from lms.core.db import db, insert_once
from lms.core.errors import DomainError, NotFound
from lms.credentials import rules, services
from lms.credentials.models import (
    Decision,
    Deferral,
    Proposal,
    ProposalState,
    Scheme,
    Signature,
)
from lms.credentials.register import list_held
from lms.credentials.rules import Signer, Step
from lms.credentials.schemes import get_scheme

STAFF = (Part.TRAINER, Part.ASSESSOR)


class EvidenceChanged(DomainError):
    """The evidence is not what the signer saw."""


class AlreadyDecided(DomainError):
    """Two people have signed; the certificate comes next."""


class PutOff(DomainError):
    """The meeting put this person off; that has to be lifted first."""


class NothingSigned(DomainError):
    """There is no open proposal this signer could take back."""


@dataclass(frozen=True, slots=True)
class Open:
    """What the meeting has written about somebody and one scheme."""

    proposal: Proposal | None = None
    signatures: tuple[Signature, ...] = ()
    deferral: Deferral | None = None


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: what they are in the class, and whom they may not assess."""

    id: int
    cohort_id: int
    trains: bool
    belongs: bool
    conflicted: frozenset[int]
    needed: int


def viewer_of(cohort_id: int, viewer_id: int, needed: int) -> Viewer:
    """Return what somebody is in a class. Two queries."""
    parts = {line.part for line in cohorts.list_staff(cohort_id) if line.person_id == viewer_id}
    return Viewer(
        viewer_id,
        cohort_id,
        Part.TRAINER in parts,
        not parts.isdisjoint(STAFF),
        cohorts.conflicted_people(viewer_id),
        needed,
    )


def open_of(person_ids: Sequence[int], scheme_code: str) -> dict[int, Open]:
    """Return what is open about many people, in two queries."""
    live = (ProposalState.OPEN, ProposalState.DECIDED)
    rows = db.session.execute(
        select(Proposal, Signature)
        .join(Signature, Signature.proposal_id == Proposal.id)
        .where(Proposal.person_id.in_(person_ids), Proposal.scheme_code == scheme_code)
        .where(Proposal.state.in_(live))
        .order_by(Proposal.id, Signature.position)
    ).all()
    signatures: dict[int, list[Signature]] = defaultdict(list)
    proposals: dict[int, Proposal] = {}
    for proposal, signature in rows:
        proposals[proposal.person_id] = proposal
        signatures[proposal.person_id].append(signature)
    deferrals = {
        row.person_id: row
        for row in db.session.scalars(
            select(Deferral).where(
                Deferral.person_id.in_(person_ids),
                Deferral.scheme_code == scheme_code,
                Deferral.lifted_at.is_(None),
            )
        )
    }
    return {
        one: Open(proposals.get(one), tuple(signatures[one]), deferrals.get(one))
        for one in {*proposals, *deferrals}
    }


def list_put_off(person_id: int) -> list[tuple[Deferral, Scheme]]:
    """Return what meetings put off about one person and nobody lifted, oldest first."""
    rows = db.session.execute(
        select(Deferral, Scheme)
        .join(Scheme, Scheme.code == Deferral.scheme_code)
        .where(Deferral.person_id == person_id, Deferral.lifted_at.is_(None))
        .order_by(Deferral.id)
    )
    return [(deferral, scheme) for deferral, scheme in rows]


# What people do


def sign(
    person_id: int,
    scheme_code: str,
    *,
    cohort_id: int,
    signer_id: int,
    seen: str,
    language: str = "id",
    needed: int = 2,
    now: datetime,
) -> tuple[Step, ...]:
    """Sign that somebody has met a scheme, under the evidence of fingerprint `seen`. Flushes.

    Returns what the signature did. The evidence is judged again here, whatever a page showed.
    Raises NotFound, NotTheirTrainer, cohorts.MayNotAssess, NotReady, EvidenceChanged,
    AlreadyIssued, rules.RevokedForViolation, PutOff, AlreadyDecided, rules.AlreadySigned,
    rules.NeedsTrainer.
    """
    trains = _require_staff(cohort_id, signer_id)
    _require_seat(cohort_id, person_id)
    cohorts.check_may_assess(signer_id, person_id)
    scheme, current = get_scheme(scheme_code), competency.current()
    held = list_held([person_id], now)
    rules.place_of_next([e.life for e in held if e.scheme == scheme_code], now)
    found = services.judge_many([person_id], scheme, current, held, now)[person_id]
    if not found.ready:
        raise services.NotReady(found.missing)
    trace = services.trace(scheme, current, found, held)
    digest = rules.digest(trace)
    if digest != seen:
        raise EvidenceChanged(scheme_code)
    opened = open_of([person_id], scheme_code).get(person_id, Open())
    if opened.deferral:
        raise PutOff(scheme_code)
    proposal = opened.proposal
    if proposal is not None and proposal.state is ProposalState.DECIDED:
        raise AlreadyDecided(scheme_code)
    steps = rules.next_step(
        [Signer(one.signer_id, one.trains) for one in opened.signatures],
        Signer(signer_id, trains),
        same=proposal is not None
        and proposal.digest == digest
        and proposal.cohort_id == cohort_id
        and _still_may(opened.signatures, person_id),
        needed=needed,
    )
    if proposal is not None and Step.RENEW in steps:
        _close(proposal, ProposalState.OUTDATED, now)
    if proposal is None or Step.RENEW in steps:
        proposal = _propose(
            Proposal(
                person_id=person_id,
                scheme_code=scheme_code,
                cohort_id=cohort_id,
                standard_version_id=current.id,
                language=language,
                holder_name=accounts.get_person_by_id(person_id).name,
                trace=trace,
                digest=digest,
                created_at=now,
                state=ProposalState.OPEN,
            )
        )
    _add_signature(proposal, signer_id, trains, now)
    if Step.DECIDE in steps:
        _decide(proposal, now)
    audit.record(
        "credentials.sign",
        f"proposal:{proposal.id}",
        actor_id=signer_id,
        now=now,
        person=person_id,
        scheme=scheme_code,
        steps=[step.value for step in steps],
    )
    return steps


def _require_staff(cohort_id: int, signer_id: int) -> bool:
    """Tell whether the signer is a trainer of the class. Raises NotTheirTrainer."""
    viewer = viewer_of(cohort_id, signer_id, 0)
    if not viewer.belongs:
        raise services.NotTheirTrainer(f"cohort {cohort_id}")
    return viewer.trains


def _require_seat(cohort_id: int, person_id: int) -> None:
    if all(seat.person_id != person_id for seat in cohorts.list_seats(cohort_id)):
        raise services.NotTheirTrainer(f"cohort {cohort_id}")


def _still_may(signatures: Iterable[Signature], person_id: int) -> bool:
    """Tell whether those who signed may still assess: a conflict may have come to light."""
    try:
        for signature in signatures:
            cohorts.check_may_assess(signature.signer_id, person_id)
    except MayNotAssess:
        return False
    return True


def _propose(proposal: Proposal) -> Proposal:
    try:
        with db.session.begin_nested():
            db.session.add(proposal)
    except IntegrityError:
        raise rules.AlreadySigned("somebody else at the same moment") from None
    return proposal


def _add_signature(proposal: Proposal, signer_id: int, trains: bool, now: datetime) -> None:
    """Add a signature at the next place; the database refuses a second one of the same person."""
    last = select(func.max(Signature.position)).where(Signature.proposal_id == proposal.id)
    try:
        with db.session.begin_nested():
            db.session.add(
                Signature(
                    proposal_id=proposal.id,
                    position=(db.session.scalar(last) or 0) + 1,
                    signer_id=signer_id,
                    trains=trains,
                    signed_at=now,
                )
            )
    except IntegrityError:
        raise AlreadyDecided("at the same moment") from None


def _decide(proposal: Proposal, now: datetime) -> None:
    first = db.session.scalars(
        select(Signature.signer_id)
        .where(Signature.proposal_id == proposal.id)
        .order_by(Signature.position)
    ).first()
    decision = Decision(
        person_id=proposal.person_id,
        scheme_code=proposal.scheme_code,
        cohort_id=proposal.cohort_id,
        standard_version_id=proposal.standard_version_id,
        signed_by=first,
        decided_at=now,
        trace=proposal.trace,
    )
    db.session.add(decision)
    db.session.flush()
    proposal.decision_id = decision.id
    _close(proposal, ProposalState.DECIDED, now)


def _close(proposal: Proposal, state: ProposalState, now: datetime) -> None:
    """Move a proposal on from where it was read; of two at once one succeeds."""
    db.session.flush()
    before = proposal.state
    moved = db.session.execute(
        update(Proposal)
        .where(Proposal.id == proposal.id, Proposal.state == before)
        .values(state=state, closed_at=now),
        execution_options={"synchronize_session": False},
    )
    if cast("CursorResult[Any]", moved).rowcount != 1:
        raise AlreadyDecided("at the same moment")
    db.session.refresh(proposal)


def find_decided(person_id: int, scheme_code: str) -> int | None:
    """Return the decision on somebody that waits for its certificate, or None."""
    return db.session.scalar(
        select(Proposal.decision_id).where(
            Proposal.person_id == person_id,
            Proposal.scheme_code == scheme_code,
            Proposal.state == ProposalState.DECIDED,
        )
    )


def withdraw(
    person_id: int, scheme_code: str, *, cohort_id: int, by_id: int, now: datetime
) -> None:
    """Take one's own signature back before there is a second one. Raises NothingSigned. Flushes."""
    opened = open_of([person_id], scheme_code).get(person_id, Open())
    proposal = opened.proposal
    if (
        proposal is None
        or proposal.cohort_id != cohort_id
        or proposal.state is not ProposalState.OPEN
        or all(one.signer_id != by_id for one in opened.signatures)
    ):
        raise NothingSigned(scheme_code)
    _close(proposal, ProposalState.WITHDRAWN, now)
    audit.record(
        "credentials.withdraw",
        f"proposal:{proposal.id}",
        actor_id=by_id,
        now=now,
        person=person_id,
        scheme=scheme_code,
    )


def put_off(
    person_id: int,
    scheme_code: str,
    *,
    cohort_id: int,
    by_id: int,
    reason: str,
    todo: str,
    now: datetime,
) -> None:
    """Put somebody off with a reason and what to do; what was signed does not count any more.

    Possible until the certificate is issued. Said twice is said once. Raises NotFound,
    NotTheirTrainer, cohorts.MayNotAssess, AlreadyDecided when it is being issued. Flushes.
    """
    _require_staff(cohort_id, by_id)
    _require_seat(cohort_id, person_id)
    cohorts.check_may_assess(by_id, person_id)
    get_scheme(scheme_code)
    opened = open_of([person_id], scheme_code).get(person_id, Open())
    if opened.proposal is not None:
        _close(opened.proposal, ProposalState.HELD, now)
    is_new = insert_once(
        Deferral,
        person_id=person_id,
        scheme_code=scheme_code,
        cohort_id=cohort_id,
        reason=reason,
        todo=todo,
        by_id=by_id,
        at=now,
    )
    if is_new:
        audit.record(
            "credentials.put_off",
            f"person:{person_id}",
            actor_id=by_id,
            now=now,
            scheme=scheme_code,
            cohort=cohort_id,
        )


def lift(person_id: int, scheme_code: str, *, cohort_id: int, by_id: int, now: datetime) -> None:
    """Let the meeting decide on somebody again. Flushes.

    Raises NotTheirTrainer, cohorts.MayNotAssess, NotFound.
    """
    _require_staff(cohort_id, by_id)
    _require_seat(cohort_id, person_id)
    cohorts.check_may_assess(by_id, person_id)
    lifted = db.session.execute(
        update(Deferral)
        .where(
            Deferral.person_id == person_id,
            Deferral.scheme_code == scheme_code,
            Deferral.lifted_at.is_(None),
        )
        .values(lifted_at=now, lifted_by=by_id),
        execution_options={"synchronize_session": False},
    )
    if cast("CursorResult[Any]", lifted).rowcount != 1:
        raise NotFound(scheme_code)
    audit.record(
        "credentials.lift",
        f"person:{person_id}",
        actor_id=by_id,
        now=now,
        scheme=scheme_code,
        cohort=cohort_id,
    )
