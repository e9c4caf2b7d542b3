"""What waits for one person's signature, over all their classes. Reads only."""

from sqlalchemy import func, select

from lms.cohorts import services as cohorts
from lms.cohorts.models import Part
from lms.core.db import db
from lms.credentials.models import Proposal, ProposalState, Signature


def to_sign(viewer_id: int) -> dict[int, int]:
    """Return class to how many proposals somebody else signed and this person has not. One query.

    People the viewer may not assess are not counted.
    """
    signed = select(Signature.id).where(
        Signature.proposal_id == Proposal.id, Signature.signer_id == viewer_id
    )
    query = (
        select(Proposal.cohort_id, func.count())
        .where(
            Proposal.state == ProposalState.OPEN,
            Proposal.cohort_id.in_(cohorts.staffed_by(viewer_id, Part.TRAINER, Part.ASSESSOR)),
            Proposal.person_id.not_in(cohorts.conflicts_of(viewer_id)),
            Proposal.person_id != viewer_id,
            ~signed.exists(),
        )
        .group_by(Proposal.cohort_id)
    )
    return {cohort_id: count for cohort_id, count in db.session.execute(query)}
