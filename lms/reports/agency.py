"""What an agency may hand on about its own people: figures without names, small ones hidden.

An officer knows each person of the agency; a report goes to others. The number of people is told,
so every table is hidden as part of a whole whose size is known (`rules.parts_shown`), and no table
adds over levels or villages, where one person stands several times.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from lms.agencies import coverage
from lms.agencies import services as agencies
from lms.agencies.services import Level, Standing
from lms.cohorts import organisations
from lms.cohorts.models import Organisation
from lms.credentials.rules import SchemeText
from lms.reports import recap
from lms.reports.recap import OwnClasses
from lms.reports.rules import LEAST, parts_shown


@dataclass(frozen=True, slots=True)
class LevelLine:
    """How many stand where at one level; None is hidden."""

    scheme: SchemeText
    cells: dict[Standing, int | None]

    @property
    def hides(self) -> bool:
        """Tell whether a cell is hidden."""
        return None in self.cells.values()

    def hidden(self, people: int) -> int:
        """Return how many stand in the hidden cells together."""
        return people - sum(cell or 0 for cell in self.cells.values())


@dataclass(frozen=True, slots=True)
class Online:
    """Who finished online lessons in the year; None is hidden."""

    people: int | None
    jp: int | None


@dataclass(frozen=True, slots=True)
class Report:
    """One agency in figures; `people` is None where they are too few for a report."""

    people: int | None
    levels: tuple[LevelLine, ...] = ()
    """Levels somebody holds or held."""
    villages: tuple[tuple[str, int | None], ...] = ()
    unplaced: int | None = None
    online: Online = Online(None, None)
    own: OwnClasses | None = None


def read(organisation: Organisation, *, year: int | None, now: datetime, zone: tzinfo) -> Report:
    """Return the report of an agency as it is now; training is that of one year. 12 queries."""
    people = [person_id for person_id, _name in organisations.members_of(organisation.id)]
    if len(people) < LEAST:
        return Report(None if people else 0)
    own = recap.own_classes(organisation.id, year, today=now.astimezone(zone).date())
    begins, ends = (datetime(one, 1, 1, tzinfo=zone) for one in (own.year, own.year + 1))
    served, unplaced = coverage.count_serving(organisation.city, people)
    *cells, rest = parts_shown([*(count for _village, count in served), unplaced])
    return Report(
        people=len(people),
        levels=_levels(agencies.count_levels(people, at=now)),
        villages=tuple(
            (village.name, cell) for (village, _count), cell in zip(served, cells, strict=True)
        ),
        unplaced=rest,
        online=_online(len(people), *recap.online_jp(people, begins, ends)),
        own=own,
    )


def _levels(levels: Sequence[Level]) -> tuple[LevelLine, ...]:
    order = list(Standing)
    return tuple(
        LevelLine(
            level.scheme,
            dict(zip(order, parts_shown([level.counts[one] for one in order]), strict=True)),
        )
        for level in levels
        if level.counts[Standing.NONE] < level.counts.total()
    )


def _online(people: int, did: int, jp: int) -> Online:
    """Hide who learned where those few, or the few others, would be seen."""
    shown, _others = parts_shown([did, people - did])
    return Online(shown, None if shown is None else jp)
