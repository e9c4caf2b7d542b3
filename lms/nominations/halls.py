"""How the seats of a class stand. Reads only, and light: see `due`."""

from collections.abc import Mapping
from datetime import datetime, time

from sqlalchemy import Select, select

from lms.cohorts import seats
from lms.cohorts.models import Cohort, OrganisationKind
from lms.core.clock import ZONES
from lms.core.db import db
from lms.nominations import rules
from lms.nominations.models import Nomination, Seating, SeatQuota
from lms.nominations.rules import Hall, Phase, State, Waiting


def starts_at(cohort: Cohort) -> datetime:
    """Return the moment a class begins: midnight of its first day, by its own clock."""
    return datetime.combine(cohort.starts_on, time(), ZONES[cohort.zone])


def phase_of(seating: Seating, cohort: Cohort, now: datetime) -> Phase:
    """Return how the seats of a class are given away at `now`."""
    return rules.phase(now, nominate_until=seating.nominate_until, starts_at=starts_at(cohort))


def read_hall(
    seating: Seating, cohort: Cohort, now: datetime, held: Mapping[str, int] | None = None
) -> Hall:
    """Return the seats of a class; one query, and two to count who holds them unless given."""
    quotas = db.session.execute(
        select(SeatQuota.kind, SeatQuota.seats)
        .where(SeatQuota.cohort_id == cohort.id)
        .order_by(SeatQuota.kind)
    )
    return Hall(
        phase=phase_of(seating, cohort, now),
        capacity=seating.capacity,
        quotas={row.kind.value: row.seats for row in quotas},
        held=held_by_kind(cohort.id) if held is None else held,
    )


def held_by_kind(cohort_id: int) -> dict[str, int]:
    """Return how many seats each kind of agency holds: enrolled or invited; two queries."""
    held = seats.count_enrolled(cohort_id) + seats.count_invited(cohort_id)
    return {kind.value: held[kind] for kind in sorted(held)}


def list_waiting(cohort_id: int, hall: Hall) -> list[Waiting]:
    """Return who waits for a seat that is there; in most moments no seat is, or nobody."""
    if hall.phase is Phase.CLOSED or not hall.free:
        return []
    query = select(Nomination.nominated_at, Nomination.id, Nomination.kind).where(
        Nomination.cohort_id == cohort_id, Nomination.state == State.WAITING
    )
    if hall.phase is Phase.QUOTA:
        open_kinds = [OrganisationKind(kind) for kind in hall.quotas if hall.left(kind)]
        query = query.where(Nomination.kind.in_(open_kinds))
    return [Waiting(row.nominated_at, row.id, row.kind.value) for row in db.session.execute(query)]


def seated_elsewhere(cohort_id: int) -> Select[int]:
    """Return a query of who waits though they have a seat or an invitation another way."""
    return select(Nomination.id).where(
        Nomination.cohort_id == cohort_id,
        Nomination.state == State.WAITING,
        Nomination.email.in_(seats.seated_emails(cohort_id)),
    )
