"""After the classes: what people say, what they promise, and who trained their trainers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from flask import current_app

from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, Part
from lms.config import Config
from lms.core.db import unit_of_work
from lms.demo.walk import attend
from lms.evaluations import content, plans
from lms.evaluations import services as evaluations
from lms.evaluations.plans import Said, Superior
from lms.evaluations.rules import STAGES, Rating

DAY = timedelta(days=1)
HELPED = (
    "Latihan bertanya berpasangan.",
    "Contoh kasusnya dekat dengan pekerjaan kami.",
    "Boleh berhenti sejenak ketika berat.",
    "",
)
BETTER = ("Waktu latihan ditambah.", "Ruangannya panas pada siang hari.", "", "")
PROMISES = (
    ("Memakai lembar tanda bahaya pada setiap pendampingan baru", "tim layanan"),
    ("Berbagi cara bertanya yang aman pada rapat bulanan", "rekan satu unit"),
)
BOSS = Superior("Nurhayati Contoh", "atasan@contoh.test")


def tell(cohort_id: int, people: Sequence[int], random: Random, at: datetime) -> None:
    """Let people say what the class was like, each on their own."""
    config: Config = current_app.extensions["suluh"]
    names = [one.id for one in content.load(config.content_dir).statements]
    for number, who in enumerate(people):
        marks = {name: random.choice((3, 3, 4, 4, 2)) for name in names}
        with unit_of_work():
            evaluations.answer(
                cohorts.get_cohort_by_id(cohort_id),
                who,
                marks=marks,
                good=HELPED[number % len(HELPED)],
                better=BETTER[number % len(BETTER)],
                now=at,
            )


def promise(cohort: Cohort, people: Sequence[int], at: datetime, now: datetime) -> None:
    """Let people write plans, and look at them after 30 and 90 days where these are over."""
    slug, cohort_id = cohort.slug, cohort.id
    for who in people:
        due = (at + 45 * DAY).date()
        said = [Said(what, due, with_whom) for what, with_whom in PROMISES]
        with unit_of_work():
            plans.write(slug, who, said, BOSS, now=at)
        for stage, rating in zip(STAGES, (Rating.PARTLY, Rating.DONE), strict=True):
            then = at + (stage + 2) * DAY
            whole = plans.find(cohort_id, who)
            if then < now and whole is not None:
                first, *rest = [one.id for one in whole.promises]
                ratings = {first: (Rating.DONE, "")} | {
                    one: (rating, "Menunggu jadwal rapat." if rating is Rating.PARTLY else "")
                    for one in rest
                }
                with unit_of_work():
                    plans.check_own(slug, who, ratings, "", now=then)


def train_trainers(cohort: Cohort, speaker: int, trainers: Sequence[int], at: datetime) -> None:
    """Let a resource person teach those who train in the classes that follow."""
    cohort_id, host_id = cohort.id, cohort.host_id
    with unit_of_work():
        cohorts.add_staff(speaker, cohort_id, Part.SPEAKER)
        for who in trainers:
            cohorts.enrol(who, cohort_id, host_id, now=at)
    attend(cohorts.get_cohort_by_id(cohort_id), (), speaker, at + 2 * DAY)
