"""In which classes a seat is to be given away. Light: the round asks here before it loads more."""

from datetime import datetime

from sqlalchemy import select

from lms.cohorts import seats
from lms.cohorts.models import Cohort
from lms.core.db import db
from lms.nominations import halls, rules
from lms.nominations.models import Nomination, Seating, SeatQuota
from lms.nominations.rules import Hall, Phase, State


def nominations(now: datetime) -> bool:
    """Tell whether something is to be given away or ended."""
    return bool(classes(now))


def classes(now: datetime) -> list[int]:
    """Return the classes in which something is to be given away, ended or counted again.

    One query, and six more for each class in which people wait.
    """
    closed = select(Nomination.cohort_id).where(
        Nomination.state == State.OFFERED,
        Nomination.invitation_id.in_(seats.ended_invitations()),
    )
    ended = Seating.cohort_id.in_(seats.lapsed_classes(now)) | Seating.cohort_id.in_(closed)
    waiting = select(Nomination.cohort_id).where(Nomination.state == State.WAITING)
    rows = db.session.execute(
        select(Seating, Cohort, ended.label("has_ended"))
        .join(Cohort, Cohort.id == Seating.cohort_id)
        .where(ended | Seating.cohort_id.in_(waiting))
        .order_by(Seating.cohort_id)
    )
    return [
        cohort.id
        for seating, cohort, has_ended in rows.all()
        if has_ended or _moves(seating, cohort, now)
    ]


def _moves(seating: Seating, cohort: Cohort, now: datetime) -> bool:
    """Tell whether something changes for those who wait: mostly they wait for a full class."""
    if halls.phase_of(seating, cohort, now) is Phase.CLOSED:
        return True
    if db.session.scalar(halls.seated_elsewhere(cohort.id).limit(1)) is not None:
        return True
    hall = halls.read_hall(seating, cohort, now)
    if rules.promotions(halls.list_waiting(cohort.id, hall), hall):
        return True
    return not _is_counted(seating, hall)


def _is_counted(seating: Seating, hall: Hall) -> bool:
    """Tell whether the guarded counters say what the hall says."""
    quotas = db.session.execute(
        select(SeatQuota.kind, SeatQuota.free).where(SeatQuota.cohort_id == seating.cohort_id)
    )
    return (seating.free, seating.loose) == (hall.free, min(hall.free, hall.loose)) and all(
        row.free == hall.left(row.kind.value) for row in quotas
    )
