"""What people said to the notice. Services flush; entry points commit."""

from collections.abc import Sequence
from datetime import datetime

from flask import current_app
from sqlalchemy import select

from lms.core import audit
from lms.core.db import db
from lms.core.i18n import language
from lms.privacy import notice
from lms.privacy.models import Answer, Consent
from lms.privacy.notice import Notice


def current() -> Notice:
    """Return the notice in force."""
    return notice.load(current_app.extensions["suluh"].content_dir)


def short_notice() -> list[str]:
    """Return the short notice in the reader's language."""
    found = current()
    return found.short_en if language() == "en" else found.short


def agree(person_id: int, place: str, now: datetime) -> None:
    """Write down that somebody agreed to the notice in force; once until it changes. Flushes."""
    if not has_agreed(person_id):
        _add(person_id, Answer.GIVEN, place, now)


def withdraw(person_id: int, *, now: datetime) -> None:
    """Write down that somebody took their consent back. Flushes."""
    _add(person_id, Answer.WITHDRAWN, "account", now)


def has_agreed(person_id: int) -> bool:
    """Tell whether the last word of somebody was yes, to the notice in force. One query."""
    found, last = current(), _latest(person_id)
    return (
        last is not None
        and last.kind is Answer.GIVEN
        and (last.version, last.digest) == (found.version, found.digest)
    )


def list_answers(person_id: int) -> Sequence[Consent]:
    """Return what somebody said, newest first, at most twenty. One query."""
    query = select(Consent).where(Consent.person_id == person_id)
    return db.session.scalars(query.order_by(Consent.id.desc()).limit(20)).all()


def _latest(person_id: int) -> Consent | None:
    query = select(Consent).where(Consent.person_id == person_id)
    return db.session.scalar(query.order_by(Consent.id.desc()).limit(1))


def _add(person_id: int, kind: Answer, place: str, now: datetime) -> None:
    found = current()
    db.session.add(
        Consent(
            person_id=person_id,
            kind=kind,
            version=found.version,
            digest=found.digest,
            place=place,
            at=now,
        )
    )
    audit.record(
        f"privacy.consent_{kind.value}",
        f"person:{person_id}",
        actor_id=person_id,
        now=now,
        version=found.version,
    )
    db.session.flush()
