"""Who was not observed yet, over all classes of an assessor. Reads only."""

from datetime import date, timedelta

from sqlalchemy import func, select

from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, Enrolment, Part
from lms.core.db import db
from lms.practice.observations.models import ObservationRound

LOOKED_BACK = timedelta(days=90)
"""Classes that ended longer ago are nobody's work of today."""


def unobserved(viewer_id: int, today: date) -> dict[int, int]:
    """Return class to how many people no station has seen, in classes that have begun. One query.

    People the viewer may not assess are not counted.
    """
    seen = select(ObservationRound.id).where(
        ObservationRound.person_id == Enrolment.person_id,
        ObservationRound.cohort_id == Enrolment.cohort_id,
    )
    query = (
        select(Enrolment.cohort_id, func.count())
        .join(Cohort, Cohort.id == Enrolment.cohort_id)
        .where(
            Enrolment.cohort_id.in_(cohorts.staffed_by(viewer_id, Part.TRAINER, Part.ASSESSOR)),
            Cohort.starts_on <= today,
            Cohort.ends_on >= today - LOOKED_BACK,
            Enrolment.person_id.not_in(cohorts.conflicts_of(viewer_id)),
            Enrolment.person_id != viewer_id,
            ~seen.exists(),
        )
        .group_by(Enrolment.cohort_id)
    )
    return {cohort_id: count for cohort_id, count in db.session.execute(query)}
