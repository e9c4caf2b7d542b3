"""What the officers of Kota Contoh keep: villages, targets, duty, and one complaint."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from lms.agencies import complaints, coverage, duty, rules
from lms.agencies.models import ComplaintKind
from lms.agencies.rules import Shift
from lms.cohorts import organisations
from lms.cohorts.models import Organisation, Part
from lms.core.clock import ZONES
from lms.core.db import unit_of_work

VILLAGES = ("Anggrek", "Kenanga", "Melati", "Sungai Pinang", "Teluk Bayur", "Contoh Ilir")
WANTED = 2
"""People with a certificate of K1 in each village."""
SPREAD = 4
"""People who are spread over all villages."""
NIGHTS = 5
"""Of the week: two nights have a gap."""
COMPLAINT = (
    "Fotokopi sertifikat ini ditunjukkan oleh orang lain di loket pelayanan pada hari Selasa."
    " Mohon diperiksa apakah kertas aslinya masih pada pemegang."
)


def _agency_of(officer_id: int) -> Organisation:
    return organisations.organisations_of(officer_id, Part.OFFICER)[0]


def keep(officer_id: int, people: Sequence[tuple[str, str]], *, zone: str, now: datetime) -> None:
    """Let an officer say who serves where and who is on duty. Commits.

    `people` are public id and name; each serves two villages, the later ones the larger of them;
    the first ones have the nights.
    """
    clock = ZONES[zone]
    with unit_of_work():
        agency = _agency_of(officer_id)
        coverage.add_villages(agency.city, VILLAGES, actor_id=officer_id, now=now)
        coverage.set_target(
            agency, village="", level="K1", wanted=WANTED, actor_id=officer_id, now=now
        )
        known = [one.public_id for one in coverage.list_villages(agency.city)]
        for n, (public_id, _name) in enumerate(people):
            placed = coverage.get_placed([agency], public_id)
            each = len(known) if n < SPREAD else 4
            served = {known[2 * n % each], known[(2 * n + 1) % each]}
            coverage.set_areas(placed, sorted(served), officer_id=officer_id)
        week = rules.week_of(rules.night_of(now.astimezone(clock)))
        for days in (week, [day + timedelta(days=7) for day in week]):
            roster = {
                (day, Shift.NIGHT): [people[n % len(people)][1]]
                for n, day in enumerate(days[:NIGHTS])
            }
            duty.save_week(agency.id, days, roster, zone=clock, officer_id=officer_id)


def complain(officer_id: int, paper: Mapping[str, str], *, now: datetime) -> None:
    """Let an officer complain about a paper: its code and the name on it. Commits."""
    with unit_of_work():
        complaints.open_complaint(
            officer_id,
            _agency_of(officer_id).id,
            asked=paper["code"],
            name=paper["name"],
            kind=ComplaintKind.DOUBTED,
            text=COMPLAINT,
            now=now,
        )
