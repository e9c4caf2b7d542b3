"""Two people of Kota Contoh go the whole way: all five curricula, and the certificate on top."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from lms.cohorts.models import Cohort
from lms.competency import services as competency
from lms.competency.rules import TRAINER_CURRICULUM
from lms.core.login import Viewer
from lms.demo.walk import Walk
from lms.modules.outlines import list_outlines

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
NAMES = frozenset({"Kadek Ayu Lestari", "Endang Lestari"})
"""Who holds PENDAMPING. They belong to two agencies."""
SCHEME = "PENDAMPING"


def curricula() -> list[str]:
    """Return the curricula a companion needs, in order."""
    return [code for code in competency.current().standard.curricula if code != TRAINER_CURRICULUM]


def learn(walk: Walk, start: datetime, assessor: Viewer) -> None:
    """Do everything the five curricula ask for before the class, and have it marked. Commits."""
    codes = curricula()
    outlines = {one.code: one for one in list_outlines(walk.person_id)}
    for place, code in enumerate(codes):
        numbers = [line.number for line in outlines[code].online]
        walk.read(numbers, start + place * 12 * HOUR, curriculum=code)
    standard = competency.current().standard
    for place, code in enumerate(standard.simulations):
        walk.graded(code, start + 3 * DAY + place * HOUR)
    for place, code in enumerate(codes):
        walk.sit(start + 4 * DAY + place * HOUR, curriculum=code)
    for place, case in enumerate(standard.cases.values()):
        if set(case.gates) <= set(codes):
            paper = walk.write(start + 5 * DAY + place * HOUR, case.code)
            walk.mark(paper, assessor, start + 6 * DAY + place * HOUR)


def certify(
    walk: Walk, cohort: Cohort, signers: Sequence[int], at: datetime, base_url: str
) -> None:
    """Issue the certificate over all curricula. Commits."""
    walk.certify(cohort, signers, at, base_url, sample=True, scheme=SCHEME)
