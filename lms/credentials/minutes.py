"""The minutes of a decision meeting: what was decided, by whom, and who was put off."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort
from lms.cohorts.services import Seat
from lms.core.db import db
from lms.credentials.meeting import Held, Mark
from lms.credentials.models import (
    Certificate,
    Decision,
    Deferral,
    Proposal,
    ProposalState,
    Signature,
)
from lms.credentials.rules import SchemeText
from lms.credentials.schemes import get_scheme


@dataclass(frozen=True, slots=True)
class MinutesLine:
    """One decision, or one proposal, in the minutes."""

    public_id: str
    name: str
    organisation: str
    marks: tuple[Mark, ...]
    decided_at: datetime | None
    number: str = ""
    """Of the certificate, once it is issued."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Minutes:
    """What the meeting of a class decided on one scheme so far."""

    cohort: Cohort
    scheme: SchemeText
    decided: list[MinutesLine]
    proposed: list[MinutesLine]
    held: list[tuple[Seat, Held]]
    signers: list[tuple[str, bool]]
    """Everybody who signed, with whether they are a trainer."""
    total: int
    first_at: datetime | None
    last_at: datetime | None

    @property
    def open(self) -> int:
        """How many people of the class nothing is written about."""
        known = {line.public_id for line in (*self.decided, *self.proposed)}
        return self.total - len(known | {seat.public_id for seat, _held in self.held})


def get_minutes(cohort: Cohort, scheme_code: str) -> Minutes:
    """Return the minutes of a class. Six queries at any size. Raises NotFound."""
    scheme, seats = get_scheme(scheme_code), cohorts.list_seats(cohort.id)
    of_class = (Proposal.cohort_id == cohort.id, Proposal.scheme_code == scheme_code)
    kept = (ProposalState.OPEN, ProposalState.DECIDED, ProposalState.ISSUED)
    rows = db.session.execute(
        select(
            Proposal.id, Proposal.person_id, Proposal.state, Decision.decided_at, Certificate.number
        )
        .join(Decision, Decision.id == Proposal.decision_id, isouter=True)
        .join(
            Certificate,
            (Certificate.decision_id == Proposal.decision_id) & (Certificate.revision == 0),
            isouter=True,
        )
        .where(*of_class, Proposal.state.in_(kept))
        .order_by(Decision.decided_at, Proposal.id)
    ).all()
    signed: dict[int, list[Signature]] = defaultdict(list)
    for signature in db.session.scalars(
        select(Signature)
        .join(Proposal, Proposal.id == Signature.proposal_id)
        .where(*of_class, Proposal.state.in_(kept))
        .order_by(Signature.proposal_id, Signature.position)
    ):
        signed[signature.proposal_id].append(signature)
    deferrals = db.session.scalars(
        select(Deferral)
        .where(Deferral.cohort_id == cohort.id, Deferral.scheme_code == scheme_code)
        .where(Deferral.lifted_at.is_(None))
        .order_by(Deferral.at, Deferral.id)
    ).all()
    all_signatures = [one for many in signed.values() for one in many]
    names = accounts.names_of(
        {one.signer_id for one in all_signatures} | {one.by_id for one in deferrals}
    )
    by_person = {seat.person_id: seat for seat in seats}
    decided: list[MinutesLine] = []
    proposed: list[MinutesLine] = []
    for row in rows:
        seat = by_person.get(row.person_id)
        line = MinutesLine(
            seat.public_id if seat else f"{row.id}",
            seat.name if seat else "–",
            seat.organisation if seat else "–",
            tuple(Mark(names[one.signer_id], one.signed_at) for one in signed[row.id]),
            row.decided_at,
            row.number or "",
        )
        (proposed if row.state is ProposalState.OPEN else decided).append(line)
    moments = [one.signed_at for one in all_signatures] + [one.at for one in deferrals]
    trains = {one.signer_id: one.trains for one in all_signatures}
    return Minutes(
        cohort=cohort,
        scheme=scheme,
        decided=decided,
        proposed=proposed,
        held=[
            (by_person[one.person_id], Held(one.reason, one.todo, names[one.by_id], one.at))
            for one in deferrals
            if one.person_id in by_person
        ],
        signers=sorted((names[one], trains[one]) for one in trains),
        total=len(seats),
        first_at=min(moments, default=None),
        last_at=max(moments, default=None),
    )
