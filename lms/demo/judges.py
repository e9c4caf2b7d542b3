"""What two assessors mark in Kota Contoh: a case they agree on, one they do not, and an appeal."""

from datetime import datetime, timedelta

from lms.cohorts.models import Cohort
from lms.competency.rules import EvidenceKind
from lms.core.db import unit_of_work
from lms.core.login import Viewer
from lms.demo.walk import ONLINE, Walk
from lms.moderation import services as moderation
from lms.ratings import appeals, rules
from lms.ratings import services as ratings

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
CASE = "SK1"
DISPUTED = "03.1.1"
WHY = "Tanda bahaya saya tanyakan di bagian kedua, sebelum menulis rencana. Mohon dibaca lagi."


def mark_twice(
    cohort: Cohort, agreed: Walk, differing: Walk, two: tuple[Viewer, Viewer], now: datetime
) -> None:
    """Let two assessors mark two cases: one alike, one not on a critical criterion. Commits."""
    cohort_id, (first, second) = cohort.id, two
    with unit_of_work():
        wanted = {(EvidenceKind.SK, CASE): rules.TWO}
        ratings.set_plan(cohort_id, wanted, by_id=second.id, now=now - 9 * DAY)
    for walk in (agreed, differing):
        walk.read(range(1, ONLINE + 1), now - 8 * DAY)
        paper = walk.write(now - 5 * DAY, CASE)
        walk.mark(paper, first, now - 3 * DAY)
        weak = {DISPUTED} if walk is differing else set()
        walk.mark(paper, second, now - 2 * DAY, weak=weak)


def appeal(person_id: int, base_url: str, now: datetime) -> None:
    """Let somebody ask for a mark to be looked at again; those who may answer are told. Commits."""
    about = next(one for one in appeals.candidates(person_id, now) if one.kuk == DISPUTED)
    with unit_of_work():
        public_id = appeals.ask(person_id, about.key, text=WHY, now=now)
        moderation.tell_staff(person_id, public_id, base_url, now=now)
