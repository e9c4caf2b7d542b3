"""What an agency's officer has to do today. Reads only."""

from dataclasses import dataclass
from datetime import datetime, tzinfo

from lms.agencies import complaints, duty, services
from lms.cohorts import officers, organisations
from lms.cohorts.models import Part
from lms.cohorts.officers import Waiting
from lms.nominations import agency as nominations
from lms.nominations.rules import Phase


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Numbers that ask for an action."""

    has_agency: bool = False
    waiting: tuple[Waiting, ...] = ()
    """Appointments nobody has vouched for, where there is no other."""
    total: int = 0
    ending: int = 0
    """People whose certificate ends within 90 days."""
    ended: int = 0
    open_tonight: bool = False
    """Whether there are moments of the coming night without an assessor of risk."""
    nominate_until: datetime | None = None
    """The nearest deadline of a class that takes nominations."""
    nominate_zone: str = ""
    """The clock of that class."""
    classes: int = 0
    complaints: int = 0


def read(officer_id: int, *, now: datetime, zone: tzinfo) -> Desk:
    """Return the numbers; the count of queries does not grow with people."""
    ids = [one.id for one in organisations.organisations_of(officer_id, Part.OFFICER)]
    if not ids:
        return Desk(waiting=tuple(officers.list_waiting(officer_id)))
    people = services.overview(officer_id, at=now)
    board = duty.read_board(ids, at=now, zone=zone)
    open_classes = [
        one
        for one in nominations.get_desk(officer_id, now=now).classes
        if one.phase is not Phase.POOL
    ]
    nearest = min(open_classes, key=lambda one: one.nominate_until, default=None)
    return Desk(
        has_agency=True,
        total=people.total,
        ending=people.ending,
        ended=people.counts[services.Standing.EXPIRED],
        open_tonight=bool(board.nights[0].gaps),
        nominate_until=nearest.nominate_until if nearest else None,
        nominate_zone=nearest.cohort.zone if nearest else "",
        classes=len(open_classes),
        complaints=complaints.count_open(ids),
    )
