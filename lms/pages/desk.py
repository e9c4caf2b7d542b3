"""The desk of a trainer or assessor: classes, today's sessions, work that waits. Reads only."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import union_all

from lms.cohorts import desk as timetables
from lms.cohorts import services as cohorts
from lms.cohorts.desk import Today
from lms.cohorts.models import Cohort, Part
from lms.competency import overviews
from lms.competency.overviews import Overview
from lms.core.db import db
from lms.core.login import Viewer
from lms.credentials import desk as signing
from lms.modules import laws
from lms.modules.laws import Stale
from lms.nominations import desk as nominations
from lms.pages import rules
from lms.pages.rules import Phase
from lms.practice.cases import desk as cases
from lms.practice.observations import desk as observations
from lms.quizzes.essays import services as essays
from lms.ratings import appeals
from lms.ratings.services import Waiting as Moderation

SHOWN = 8
"""Classes on the desk; the others are a page away."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """What is handed in and not marked: how much, and since when."""

    count: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Class:
    """One class on the desk."""

    cohort: Cohort
    phase: Phase
    days: int
    """Until it begins, since it began (from 1), or since it ended, as `phase` says."""
    overview: Overview | None
    """None while nobody sits in it, or nothing was counted yet."""
    unobserved: int
    """People no station has seen, in a class that has begun."""
    to_sign: int
    nominations: int
    """People who wait for a seat."""

    @property
    def waiting(self) -> int:
        """How many people need a word."""
        return self.overview.waiting if self.overview else 0


@dataclass(frozen=True, slots=True)
class Desk:
    """What a trainer or assessor needs to know today."""

    classes: tuple[Class, ...]
    more: int
    """Classes that are not shown."""
    today: tuple[Today, ...]
    marking: Waiting
    """Case studies."""
    essays: Waiting
    """Written answers of quizzes."""
    moderation: Moderation
    """Marks of two that differ, second marks at stations, and appeals."""
    stale: tuple[Stale, ...]
    """Lessons with a source that has to be looked at again."""

    @property
    def waits_beside(self) -> bool:
        """Tell whether any work waits beside marking."""
        return bool(
            self.stale
            or self.moderation.count
            or any(
                one.unobserved or one.to_sign or one.nominations or one.waiting
                for one in self.classes
            )
        )


def read(viewer: Viewer, *, now: datetime, today: date) -> Desk:
    """Return the desk. Eight queries at any size, one more on the days of a class."""
    everything = cohorts.list_cohorts(viewer, Part.TRAINER, Part.ASSESSOR)
    ordered = sorted(
        everything,
        key=lambda one: rules.desk_order(one.starts_on, one.ends_on, cohorts.today_in(one, now)),
    )
    shown = ordered[:SHOWN]
    counted = overviews.of([one.id for one in shown])
    unobserved = observations.unobserved(viewer.id, today)
    to_sign = signing.to_sign(viewer.id)
    waiting = nominations.waiting(viewer.id, today) if viewer.is_any("trainer") else {}
    marking = _marking(viewer)
    return Desk(
        classes=tuple(_class(one, now, counted, unobserved, to_sign, waiting) for one in shown),
        more=len(ordered) - len(shown),
        today=tuple(timetables.list_today(everything, now)),
        marking=marking["cases"],
        essays=marking["essays"],
        moderation=appeals.waiting(viewer.id),
        stale=tuple(laws.list_stale(today)) if viewer.is_any("trainer") else (),
    )


def _marking(viewer: Viewer) -> dict[str, Waiting]:
    """Return what waits for marking, by feature. One query."""
    both = union_all(cases.waiting_query(viewer.id), essays.waiting_query(viewer))
    return {feature: Waiting(count, oldest) for feature, count, oldest in db.session.execute(both)}


def _class(
    cohort: Cohort,
    now: datetime,
    counted: Mapping[int, Overview],
    unobserved: Mapping[int, int],
    to_sign: Mapping[int, int],
    waiting: Mapping[int, int],
) -> Class:
    today = cohorts.today_in(cohort, now)
    phase, days = rules.phase_of(cohort.starts_on, cohort.ends_on, today)
    return Class(
        cohort,
        phase,
        days,
        counted.get(cohort.id),
        unobserved.get(cohort.id, 0),
        to_sign.get(cohort.id, 0),
        waiting.get(cohort.id, 0),
    )
