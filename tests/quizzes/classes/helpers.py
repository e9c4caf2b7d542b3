"""A class with a quiz, and people who sit it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from lms.accounts.models import Person
from lms.cohorts.models import Cohort
from lms.core.db import db, unit_of_work
from lms.quizzes import services as quizzes
from lms.quizzes import sheets
from lms.quizzes.classes import services
from lms.quizzes.classes.models import Purpose
from lms.quizzes.classes.services import Draft
from lms.quizzes.collections import services as collections
from lms.quizzes.collections.models import QuestionCollection
from lms.quizzes.collections.services import Filter
from lms.quizzes.models import ItemVersion
from lms.quizzes.sheets import AttemptRef
from lms.quizzes.types import stored
from tests import factories
from tests.factories import NOW
from tests.quizzes.collections import helpers as files

DAY = timedelta(days=1)
DRAFT = Draft(
    title="Pra-uji K1",
    purpose=Purpose.PRACTICE,
    opens_at=NOW - DAY,
    closes_at=NOW + DAY,
    tries=1,
    minutes=None,
    shows_answers=True,
    questions=(),
)


def questions(public_id: str) -> list[int]:
    """The questions of a collection that may be put into a quiz."""
    found = db.session.scalars(
        select(QuestionCollection.id).where(QuestionCollection.public_id == public_id)
    ).one()
    return [one.id for one in collections.list_all(found, Filter())]


class Room:
    """A class with a trainer, people with seats, and a collection of five questions."""

    def __init__(self, people: int = 2) -> None:
        self.cohort_id = factories.cohort().id
        self.trainer = factories.person("trainer", name="Bu Pelatih")
        factories.staff(self.trainer, self.cohort)
        self.people = [factories.person(name=f"Peserta {n}") for n in range(people)]
        for one in self.people:
            factories.seat(one, self.cohort)
        self.collection = files.collection(self.trainer)
        files.bring(self.trainer, self.collection)

    @property
    def cohort(self) -> Cohort:
        """The class."""
        return db.session.get_one(Cohort, self.cohort_id)

    def quiz(self, **values: Any) -> str:
        """Make a quiz of all questions of the collection; return its name in addresses."""
        values = {"questions": questions(self.collection)} | values
        with unit_of_work():
            return services.create(
                self.cohort_id, replace(DRAFT, **values), actor_id=self.trainer.id, now=NOW
            )


def sit(person: Person, code: str, right: int, now: datetime = NOW) -> AttemptRef:
    """Sit a quiz and hand it in with so many right answers, the first of the quiz."""
    person_id = person.id
    with unit_of_work():
        ref = services.open_attempt(person_id, code, now=now)
    for n, line in enumerate(sorted(sheets.get_sheet(ref).lines, key=lambda one: one.version)):
        if n >= right:
            continue
        version = db.session.get_one(ItemVersion, line.version)
        asked = stored.unpack(version.kind, version.stem, version.body)
        answer(ref, line.position, asked.type.solve(asked.body, line.order), n, now)
    with unit_of_work():
        quizzes.submit(ref, now=now)
    return ref


def answer(ref: AttemptRef, position: int, response: Any, seq: int, now: datetime) -> None:
    """Save a response as the fields of a page would."""
    choice = response.get("choice")
    values = (
        None
        if choice
        else [str(one).lower() if isinstance(one, bool) else str(one) for one in _flat(response)]
    )
    with unit_of_work():
        quizzes.save_answer(
            ref,
            position=position,
            client_key=f"jawaban-{position}-{seq}",
            seq=seq,
            choice=choice,
            flagged=None,
            now=now,
            **({} if choice else {"values": values}),
        )


def _flat(response: Any) -> list[Any]:
    """The values of a response in the order of its fields."""
    found: list[Any] = []
    for value in response.values():
        found += value if isinstance(value, list) else [value]
    return found
