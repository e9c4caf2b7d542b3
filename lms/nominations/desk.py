"""Who waits for a seat, over all classes of a trainer. Reads only."""

from datetime import date

from sqlalchemy import func, select

from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, Part
from lms.core.db import db
from lms.nominations.models import Nomination
from lms.nominations.rules import State


def waiting(viewer_id: int, today: date) -> dict[int, int]:
    """Return class to how many people wait for a seat, in classes still to come. One query."""
    query = (
        select(Nomination.cohort_id, func.count())
        .join(Cohort, Cohort.id == Nomination.cohort_id)
        .where(
            Nomination.state == State.WAITING,
            Cohort.starts_on >= today,
            Nomination.cohort_id.in_(cohorts.staffed_by(viewer_id, Part.TRAINER)),
        )
        .group_by(Nomination.cohort_id)
    )
    return {cohort_id: count for cohort_id, count in db.session.execute(query)}
