"""A class, and people who wrote an answer in a quiz."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from lms.accounts.models import Person
from lms.cohorts.models import Cohort, Part
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind
from lms.core.db import db, unit_of_work
from lms.core.login import Viewer
from lms.quizzes.classes import services as classes
from lms.quizzes.exchange.model import Essay, Question, Text
from lms.quizzes.models import Attempt, AttemptItem, Item, ItemVersion
from lms.quizzes.services import AttemptRef
from lms.quizzes.types import stored
from tests import factories
from tests.factories import NOW
from tests.quizzes.classes import helpers as class_quiz
from tests.quizzes.collections import helpers as files
from tests.quizzes.helpers import answer, begin, hand_in

TEXT = "Saya mendengarkan.\n\n<b>Lalu</b> bertanya apa yang ia perlukan."
START = "Malam itu saya"
QUESTION = Question(
    Essay(5, 200, guidance=Text("Pedoman <i>rahasia</i>"), start=Text(START)),
    Text("Ceritakan langkah Anda malam itu."),
)
GIFT = "::T1::Ceritakan langkah Anda malam itu. {}\n"


def kuk(critical: bool) -> str:
    """Return a criterion the quiz of K1 asks."""
    standard = competency.current().standard
    return next(
        one.code
        for one in standard.of("K1")
        if one.critical is critical and EvidenceKind.Q in one.ev
    )


def ask(*codes: str) -> None:
    """Make every item of some criteria an essay."""
    with unit_of_work():
        rows = db.session.scalars(
            select(ItemVersion)
            .join(Item, Item.id == ItemVersion.item_id)
            .where(Item.kuk.in_(codes))
        )
        for row in rows:
            row.kind, row.stem, row.body = stored.pack(QUESTION)
            row.options, row.key = [], ""


def lines(ref: AttemptRef) -> list[int]:
    """Return the positions of the essays of a sitting."""
    return list(
        db.session.scalars(
            select(AttemptItem.position)
            .join(Attempt, Attempt.id == AttemptItem.attempt_id)
            .join(ItemVersion, ItemVersion.id == AttemptItem.item_version_id)
            .where(Attempt.public_id == ref.public_id, ItemVersion.kind == "essay")
            .order_by(AttemptItem.position)
        )
    )


def sit(person_id: int, text: str = TEXT, now: datetime = NOW) -> AttemptRef:
    """Sit the quiz of K1: write a text at every essay, and hand it in."""
    ref = begin(person_id, now)
    for position in lines(ref):
        answer(ref, position, None, values=["Belum selesai"], now=now)
        answer(ref, position, None, values=[text], now=now)
    hand_in(ref, now)
    return ref


def viewer_of(person: Person, *roles: str) -> Viewer:
    """Return somebody as views see them."""
    return Viewer(person.id, person.public_id, person.name, frozenset(roles), "id", "t")


class Room:
    """A class with a trainer, an assessor and two people with seats."""

    def __init__(self, people: int = 2) -> None:
        where = factories.cohort()
        self.cohort_id = where.id
        self.trainer = factories.person("trainer", name="Bu Pelatih")
        self.assessor = factories.person("assessor", name="Bu Penilai")
        factories.staff(self.trainer, where)
        factories.staff(self.assessor, where, Part.ASSESSOR)
        self.people = [factories.person(name=f"Peserta {n}") for n in range(people)]
        for one in self.people:
            factories.seat(one, where)

    @property
    def viewer(self) -> Viewer:
        """The assessor."""
        return viewer_of(self.assessor, "assessor")

    @property
    def cohort(self) -> Cohort:
        """The class."""
        return db.session.get_one(Cohort, self.cohort_id)


def sit_class_quiz(
    trainer: Person,
    cohort_id: int,
    people: list[Person],
    at: datetime = NOW,
    gift: str = GIFT,
    **values: Any,
) -> list[AttemptRef]:
    """Make a quiz of a class that asks an essay; each of the people writes and hands it in."""
    where = files.collection(trainer, title="Tulisan")
    files.bring(trainer, where, gift)
    draft = replace(
        class_quiz.DRAFT,
        title="Tulisan pendek",
        questions=class_quiz.questions(where),
        **{"opens_at": at - class_quiz.DAY, "closes_at": at + class_quiz.DAY, **values},
    )
    trainer_id, person_ids = trainer.id, [one.id for one in people]
    with unit_of_work():
        code = classes.create(cohort_id, draft, actor_id=trainer_id, now=at)
    refs = []
    for person_id in person_ids:
        with unit_of_work():
            ref = classes.open_attempt(person_id, code, now=at)
        answer(ref, lines(ref)[0], None, values=[TEXT], now=at)
        hand_in(ref, at)
        refs.append(ref)
    return refs
