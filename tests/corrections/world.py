"""People who handed a quiz in, one of whose items turns out to have a wrong key."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import select

from lms.accounts.models import Person
from lms.competency.models import Evidence, EvidenceVoid
from lms.competency.rules import EvidenceKind
from lms.core import jobs
from lms.core.db import db, unit_of_work
from lms.corrections import services
from lms.credentials.models import Certificate
from lms.quizzes import corrections
from lms.quizzes.corrections import Wording
from lms.quizzes.models import Attempt, AttemptItem, Item, ItemVersion
from lms.quizzes.services import AttemptRef
from tests import factories, ledgers
from tests.credentials.world import NOW, World, append
from tests.quizzes import helpers

SAT = NOW - timedelta(days=9)
LATER = NOW + timedelta(days=1)
CRITICAL = "03.2.1"
OTHER = "02.1.2"


def wording_in(ref: AttemptRef, kuk: str = CRITICAL) -> Wording:
    """Return the first item on a KUK that a sitting drew."""
    slug, number = db.session.execute(
        select(Item.slug, ItemVersion.number)
        .join(ItemVersion, ItemVersion.item_id == Item.id)
        .join(AttemptItem, AttemptItem.item_version_id == ItemVersion.id)
        .join(Attempt, Attempt.id == AttemptItem.attempt_id)
        .where(Attempt.public_id == ref.public_id, Item.kuk == kuk)
        .order_by(AttemptItem.position)
    ).first()
    return corrections.get_wording(slug, number)


def chosen(ref: AttemptRef, wording: Wording) -> str:
    """Return the letter somebody chose."""
    from lms.quizzes.models import AnswerEvent

    order, choice = db.session.execute(
        select(AttemptItem.option_order, AnswerEvent.choice)
        .join(Attempt, Attempt.id == AttemptItem.attempt_id)
        .join(ItemVersion, ItemVersion.id == AttemptItem.item_version_id)
        .join(AnswerEvent, AnswerEvent.attempt_item_id == AttemptItem.id)
        .where(Attempt.public_id == ref.public_id, ItemVersion.item_id == wording.item_id)
        .order_by(AnswerEvent.seq.desc())
    ).first()
    return order[choice - 1]


def correct(
    wording: Wording, key: str | None, by: Person, *, now: datetime = LATER, work: bool = True
) -> str:
    """Correct a key, and mark the closed sittings again. Returns the correction."""
    by_id = by.id
    with unit_of_work():
        made, _job = services.correct(
            corrections.get_wording(wording.slug, wording.number),
            key,
            reason="Pilihan itu menyalahi UU 23/2004.",
            by_id=by_id,
            now=now,
        )
    if work:
        assert jobs.work(now) >= 0
    return made


def entries(ref: AttemptRef, kuk: str) -> list[tuple[str, bool | None, bool]]:
    """Return wording, mark and whether it counts, of one sitting and KUK, oldest first."""
    db.session.rollback()
    rows = db.session.execute(
        select(Evidence.ref, Evidence.passed, EvidenceVoid.id)
        .join(EvidenceVoid, EvidenceVoid.evidence_id == Evidence.id, isouter=True)
        .where(
            Evidence.kind == EvidenceKind.Q,
            Evidence.group_key == ref.public_id,
            Evidence.kuk == kuk,
        )
        .order_by(Evidence.id)
    )
    return [(row.ref, row.passed, row.id is None) for row in rows]


@dataclass
class Sat:
    """A class; one companion with a certificate who handed the quiz in, and a reviewer."""

    world: World = field(default_factory=World)
    reviewer: Person = field(default_factory=lambda: factories.person("reviewer", name="Sari Ahli"))
    admin: Person = field(default_factory=lambda: factories.person("admin", name="Tono Admin"))
    ref: AttemptRef = field(init=False)

    def __post_init__(self) -> None:
        self.ref = self.sit(self.world.trainee)

    def sit(self, person: Person, wrong=lambda _kuk: False, now: datetime = SAT) -> AttemptRef:
        """Let somebody reach all of K1 with a real sitting."""
        rows = [row for row in ledgers.full("K1", now) if row.kind is not ledgers.Q]
        append(person.id, rows, f"{person.id}-{now:%d}-")
        return helpers.sit(person.id, now, wrong)

    def certify(self, person: Person | None = None) -> Certificate:
        """Issue K1."""
        return self.world.issue(person or self.world.trainee)
