"""How much waits for marking, over all classes of an assessor. Reads only."""

from typing import Any

from sqlalchemy import Select, String, func, literal, select

from lms.cohorts import services as cohorts
from lms.cohorts.models import Enrolment, Part
from lms.practice.cases.marking import rated_by
from lms.practice.cases.models import CaseReview, CaseSubmission


def waiting_query(viewer_id: int) -> Select[*tuple[Any, ...]]:
    """Return a query of how many case studies wait for this assessor, and since when: one row.

    It counts what their queue lists. Columns: feature, count, oldest.
    """
    staffed = cohorts.staffed_by(viewer_id, Part.ASSESSOR, Part.TRAINER)
    marked = select(CaseReview.id).where(CaseReview.submission_id == CaseSubmission.id)
    return select(
        literal("cases", String).label("feature"),
        func.count(),
        func.min(CaseSubmission.submitted_at),
    ).where(
        CaseSubmission.person_id.in_(
            select(Enrolment.person_id).where(Enrolment.cohort_id.in_(staffed))
        ),
        CaseSubmission.person_id.not_in(cohorts.conflicts_of(viewer_id)),
        CaseSubmission.person_id != viewer_id,
        ~marked.exists(),
        ~rated_by(viewer_id).exists(),
    )
