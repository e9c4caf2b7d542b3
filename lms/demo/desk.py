"""What the desk of a trainer shows: counted classes, and a few words to who was quiet for long."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from lms.cohorts import messages
from lms.cohorts import services as cohorts
from lms.core.db import unit_of_work
from lms.core.i18n import speaking
from lms.reports import messages as words
from lms.reports import snapshots
from lms.reports.rules import Reason
from lms.statistics import services as statistics


def greet(
    cohort_id: int, people: Sequence[int], sender: tuple[int, str], link: str, now: datetime
) -> None:
    """Let a trainer, by id and name, write to people who have done nothing for a week."""
    sender_id, name = sender
    with unit_of_work(), speaking("id"):
        messages.send(
            cohorts.get_cohort_by_id(cohort_id),
            people,
            reason=Reason.QUIET.value,
            text=words.words(Reason.QUIET.value),
            sender_id=sender_id,
            sender=name,
            link=link,
            pause=timedelta(days=1),
            anyway=False,
            now=now,
        )


def count(now: datetime) -> None:
    """Count every class and quiz, as the rounds do, so that the first page is whole."""
    while snapshots.refresh(now):
        pass
    while statistics.refresh(now):
        pass
