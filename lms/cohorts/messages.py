"""A few words from a trainer to people of their class: stored, mailed, shown on their home page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, String, func, insert, literal, null, select, update

from lms.accounts.models import Person
from lms.cohorts.models import ClassMessage, ClassMessageTo, Cohort, Enrolment
from lms.core import audit
from lms.core.db import db
from lms.core.errors import DomainError, NotFound
from lms.core.i18n import gettext as _
from lms.core.i18n import speaking
from lms.core.models import Mail

LONGEST = 1000
"""Characters of a message."""
SHOWN = timedelta(days=14)
"""How long a home page shows a message that nobody put away."""


class WrittenLately(DomainError):
    """Some of these people got a message of this class a short while ago; `people` are they."""

    def __init__(self, people: Sequence[int]) -> None:
        super().__init__(f"{len(people)} people")
        self.people = people


@dataclass(frozen=True, slots=True)
class Sent:
    """One message as trainers of the class see it."""

    by: str
    reason: str
    text: str
    recipients: int
    at: datetime


def send(
    cohort: Cohort,
    person_ids: Sequence[int],
    *,
    reason: str,
    text: str,
    sender_id: int,
    sender: str,
    link: str,
    pause: timedelta,
    anyway: bool,
    now: datetime,
) -> int:
    """Write to people of a class; returns to how many. Who has no seat in it is left out.

    Raises WrittenLately when somebody got a message of the class within `pause`, unless `anyway`.
    Flushes.
    """
    # Two trainers at once: whoever comes second sees whom the first one has written to.
    db.session.refresh(cohort, with_for_update={"key_share": True})
    people = db.session.execute(
        select(Person.id, Person.email, Person.name, Person.locale)
        .join(Enrolment, Enrolment.person_id == Person.id)
        .where(
            Enrolment.cohort_id == cohort.id,
            Person.id.in_(person_ids),
            Person.disabled_at.is_(None),
        )
        .order_by(Person.id)
    ).all()
    lately = written_to(cohort.id, [one.id for one in people], since=now - pause)
    if lately and not anyway:
        raise WrittenLately(lately)
    if not people:
        return 0
    message = ClassMessage(
        cohort_id=cohort.id,
        sender_id=sender_id,
        reason=reason,
        text=text,
        recipients=len(people),
        at=now,
    )
    db.session.add(message)
    db.session.flush()
    db.session.execute(
        insert(ClassMessageTo), [{"message_id": message.id, "person_id": one.id} for one in people]
    )
    letters = [_letter(one, text, sender, link, now) for one in people]
    db.session.execute(insert(Mail), letters)
    audit.record(
        "cohorts.message",
        f"cohort:{cohort.id}",
        actor_id=sender_id,
        now=now,
        message=message.id,
        recipients=len(people),
    )
    return len(people)


def _letter(person: Any, text: str, sender: str, link: str, now: datetime) -> dict[str, Any]:
    """Return a letter in the language of the person; its subject says nothing."""
    with speaking(person.locale):
        subject = _("Pesan dari pelatih Anda")
        body = "\n\n".join(
            [
                _("Salam, %(name)s.", name=person.name),
                text,
                sender,
                _("Balasan surat ini tidak terbaca. Jawab lewat pelatih Anda, atau buka:")
                + "\n"
                + link,
            ]
        )
    return {
        "to": person.email,
        "subject": subject,
        "body": body + "\n",
        "created_at": now,
        "due_at": now,
        "tries": 0,
    }


def written_to(cohort_id: int, person_ids: Sequence[int], *, since: datetime) -> list[int]:
    """Return who of these people got a message of the class since then."""
    return list(
        db.session.scalars(
            select(ClassMessageTo.person_id)
            .join(ClassMessage, ClassMessage.id == ClassMessageTo.message_id)
            .where(
                ClassMessage.cohort_id == cohort_id,
                ClassMessage.at > since,
                ClassMessageTo.person_id.in_(person_ids),
            )
            .distinct()
        )
    )


def list_sent(cohort_id: int, *, limit: int = 20) -> list[Sent]:
    """Return the newest messages of a class."""
    rows = db.session.execute(
        select(
            Person.name,
            ClassMessage.reason,
            ClassMessage.text,
            ClassMessage.recipients,
            ClassMessage.at,
        )
        .join(Person, Person.id == ClassMessage.sender_id)
        .where(ClassMessage.cohort_id == cohort_id)
        .order_by(ClassMessage.id.desc())
        .limit(limit)
    )
    return [Sent(*row) for row in rows]


def put_away(public_id: str, person_id: int, *, now: datetime) -> None:
    """Take a message from somebody's home page. Raises NotFound when it was not for them."""
    message = select(ClassMessage.id).where(ClassMessage.public_id == public_id)
    mine = (
        ClassMessageTo.message_id == message.scalar_subquery(),
        ClassMessageTo.person_id == person_id,
    )
    read_at = func.coalesce(ClassMessageTo.read_at, now)
    done = update(ClassMessageTo).where(*mine).values(read_at=read_at)
    if db.session.scalar(done.returning(ClassMessageTo.message_id)) is None:
        raise NotFound(public_id)


def message_query(person_id: int, since: datetime) -> Select[*tuple[Any, ...]]:
    """Return a query of what somebody has not put away since then, as the home page unites it.

    Columns: feature, code (its public id), what (the text, a line with the writer's name before),
    began_at, ended_at.
    """
    return (
        select(
            literal("message", String).label("feature"),
            ClassMessage.public_id.label("code"),
            (Person.name + "\n" + ClassMessage.text).label("what"),
            ClassMessage.at.label("began_at"),
            null().label("ended_at"),
        )
        .join(ClassMessageTo, ClassMessageTo.message_id == ClassMessage.id)
        .join(Person, Person.id == ClassMessage.sender_id)
        .where(
            ClassMessageTo.person_id == person_id,
            ClassMessageTo.read_at.is_(None),
            ClassMessage.at > since,
        )
    )
