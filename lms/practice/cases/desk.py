"""How much waits for marking, over all classes of an assessor. Reads only."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from lms.cohorts import services as cohorts
from lms.cohorts.models import Enrolment, Part
from lms.core.db import db
from lms.practice.cases.marking import rated_by
from lms.practice.cases.models import CaseReview, CaseSubmission


@dataclass(frozen=True, slots=True)
class Waiting:
    """Case studies handed in and not marked."""

    count: int
    oldest: datetime | None


def waiting(viewer_id: int) -> Waiting:
    """Return how many case studies wait for this assessor, as their queue lists them. One query."""
    staffed = cohorts.staffed_by(viewer_id, Part.ASSESSOR, Part.TRAINER)
    marked = select(CaseReview.id).where(CaseReview.submission_id == CaseSubmission.id)
    row = db.session.execute(
        select(func.count(), func.min(CaseSubmission.submitted_at)).where(
            CaseSubmission.person_id.in_(
                select(Enrolment.person_id).where(Enrolment.cohort_id.in_(staffed))
            ),
            CaseSubmission.person_id.not_in(cohorts.conflicts_of(viewer_id)),
            CaseSubmission.person_id != viewer_id,
            ~marked.exists(),
            ~rated_by(viewer_id).exists(),
        )
    ).one()
    return Waiting(*row)
