"""The classes an agency can reach, in the order of their days. Reads only."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import func, select

from lms.cohorts import seats
from lms.cohorts import services as cohorts
from lms.cohorts.curricula import Offer, list_offers
from lms.cohorts.models import Cohort, Organisation, OrganisationKind
from lms.cohorts.organisations import organisation_names
from lms.cohorts.seats import Sent
from lms.core.clock import ZONES
from lms.core.db import db
from lms.nominations import agency, rules
from lms.nominations.agency import OpenClass
from lms.nominations.models import Nomination
from lms.nominations.rules import Course

PAGE = 50
"""Classes on one page: of those to come, and of those that are over."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One class as an agency sees it."""

    cohort: Cohort
    host: str
    curricula: list[Offer]
    course: Course
    sent: int
    """Own people in it."""
    opened: OpenClass | None
    """Its seats, while the agency may nominate for it."""
    nominated: Mapping[OrganisationKind, int]
    """Nominations that stand, of every agency of a kind the officer nominates for."""

    @property
    def month(self) -> date:
        """Return the first day of the month in which it begins."""
        return self.cohort.starts_on.replace(day=1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """A page of classes to come or under way, and a page of those that are over."""

    agencies: Sequence[Organisation]
    coming: list[Entry]
    """The first one first."""
    past: list[Entry]
    """With people of the agency; the last one first."""
    total: int
    total_past: int


def get_calendar(
    officer_id: int, *, now: datetime, first: int = 0, first_past: int = 0
) -> Calendar:
    """Return the classes in reach: open for nomination, or with own people. Constant queries."""
    agencies = agency.agencies_of(officer_id)
    opened = {one.cohort.id: one for one in agency.open_classes(agencies, now)}
    sent = {one.cohort_id: one for one in seats.list_sent(one.id for one in agencies)}
    days = {one.cohort.id: one.cohort.starts_on for one in opened.values()}
    days |= {one.cohort_id: one.starts_on for one in sent.values()}
    over = {one.cohort_id for one in sent.values() if _course(one, now) is Course.OVER}
    order = sorted(days, key=lambda one: (days[one], one))
    coming = [one for one in order if one not in over]
    past = [one for one in reversed(order) if one in over]
    shown = coming[first : first + PAGE], past[first_past : first_past + PAGE]
    entries = _entries([one for part in shown for one in part], opened, sent, agencies, now)
    return Calendar(
        agencies,
        [entries[one] for one in shown[0]],
        [entries[one] for one in shown[1]],
        len(coming),
        len(past),
    )


def _course(one: Cohort | Sent, now: datetime) -> Course:
    """Return where a class is on its way, by its own clock."""
    zone = ZONES[one.zone]
    return rules.course(
        now,
        starts_at=datetime.combine(one.starts_on, time(), zone),
        ends_at=datetime.combine(one.ends_on + timedelta(days=1), time(), zone),
    )


def _entries(
    ids: Sequence[int],
    opened: Mapping[int, OpenClass],
    sent: Mapping[int, Sent],
    agencies: Iterable[Organisation],
    now: datetime,
) -> dict[int, Entry]:
    classes = seats.classes_by_id(ids)
    hosts = organisation_names(one.host_id for one in classes.values())
    covered = cohorts.curricula_of(ids)
    offers = {one.code: one for one in list_offers()}
    nominated = _nominated(ids, {one.kind for one in agencies})
    return {
        one.id: Entry(
            cohort=one,
            host=hosts[one.host_id],
            curricula=[offers[code] for code in covered.get(one.id, ()) if code in offers],
            course=_course(one, now),
            sent=sent[one.id].people if one.id in sent else 0,
            opened=opened.get(one.id),
            nominated=nominated.get(one.id, {}),
        )
        for one in classes.values()
    }


def _nominated(
    cohort_ids: Iterable[int], kinds: Iterable[OrganisationKind]
) -> dict[int, dict[OrganisationKind, int]]:
    """Count the nominations that stand by class and kind, in one query."""
    rows = db.session.execute(
        select(Nomination.cohort_id, Nomination.kind, func.count())
        .where(Nomination.cohort_id.in_(set(cohort_ids)), Nomination.kind.in_(set(kinds)))
        .where(Nomination.state.in_(rules.LIVE))
        .group_by(Nomination.cohort_id, Nomination.kind)
    )
    found: dict[int, dict[OrganisationKind, int]] = {}
    for cohort_id, kind, count in rows:
        found.setdefault(cohort_id, {})[kind] = count
    return found
