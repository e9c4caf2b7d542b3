"""People with certificates who read lessons or sat quizzes, made by inserts: many cost little."""

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import func, insert, select

from lms.competency.models import StandardVersion
from lms.core.db import db, unit_of_work
from lms.credentials.models import Certificate, Decision, Document
from lms.modules.models import Lesson, LessonDone, Outcome
from lms.quizzes.models import Attempt, AttemptItem, ItemLaw, Quiz
from tests import factories
from tests.factories import NOW

VALID_UNTIL = date(NOW.year + 3, 1, 1)
PAPER = "0" * 64


def certify(people: Sequence[int], valid_until: date = VALID_UNTIL) -> None:
    """Insert one certificate for each."""
    cohort = factories.cohort()
    common = {
        "scheme_code": "K1",
        "standard_version_id": db.session.scalars(select(StandardVersion.id)).one(),
    }
    cohort_id, host_id = cohort.id, cohort.host_id
    before = db.session.scalar(select(func.max(Decision.id))) or 0
    numbered = [(before + n, who) for n, who in enumerate(people, 1)]
    with unit_of_work():
        if db.session.get(Document, PAPER) is None:
            db.session.add(
                Document(sha256=PAPER, media_type="application/pdf", body=b"-", created_at=NOW)
            )
            db.session.flush()
        decided = {"cohort_id": cohort_id, "decided_at": NOW, "trace": {}}
        db.session.execute(
            insert(Decision),
            [
                {"id": n, "person_id": who, "signed_by": who} | common | decided
                for n, who in numbered
            ],
        )
        db.session.execute(
            insert(Certificate),
            [
                {
                    "person_id": who,
                    "decision_id": n,
                    "term": before + 1,
                    "revision": 0,
                    "code": f"{n:015}",
                    "number": f"{n:06}",
                    "issuer_id": host_id,
                    "holder_name": "-",
                    "issued_at": NOW - timedelta(days=1),
                    "valid_until": valid_until,
                    "snapshot": {},
                    "document_sha256": PAPER,
                }
                | common
                for n, who in numbered
            ],
        )


def finish(people: Sequence[int], code: str = "K1.8", version: int = 1) -> None:
    """Note that these people finished a lesson in a wording."""
    lesson_id = db.session.scalars(select(Lesson.id).where(Lesson.code == code)).one()
    done = {"lesson_id": lesson_id, "version": version, "outcome": Outcome.DONE, "at": NOW}
    with unit_of_work():
        db.session.execute(insert(LessonDone), [{"person_id": who} | done for who in people])


def sit(people: Sequence[int], article: str, *, closed: bool = True) -> None:
    """Give these people a sitting with one item that stands on an article."""
    version = select(ItemLaw.item_version_id).where(ItemLaw.article == article)
    version_id = db.session.scalars(version.limit(1)).one()
    quiz_id = db.session.scalars(select(Quiz.id).where(Quiz.curriculum_code == "K1")).one()
    first = (db.session.scalar(select(func.max(Attempt.id))) or 0) + 1
    with unit_of_work():
        db.session.execute(
            insert(Attempt),
            [
                {
                    "id": first + n,
                    "public_id": f"duduk{first + n}",
                    "quiz_id": quiz_id,
                    "person_id": who,
                    "number": first + n,
                    "kuk": [],
                    "opened_at": NOW,
                    "closed_at": NOW if closed else None,
                }
                for n, who in enumerate(people)
            ],
        )
        shown = {"item_version_id": version_id, "position": 1, "option_order": "ABCD"}
        db.session.execute(
            insert(AttemptItem), [{"attempt_id": first + n} | shown for n in range(len(people))]
        )
