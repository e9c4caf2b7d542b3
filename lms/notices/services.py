"""What people are told, once each, and what they want by mail. Services flush."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from flask import current_app
from sqlalchemy import delete, select, update

from lms.config import Config
from lms.core import clock, mail
from lms.core.db import db, insert_once, unit_of_work
from lms.core.i18n import LANGUAGES, day, speaking
from lms.notices import due, letters, rules
from lms.notices.due import Due
from lms.notices.models import MutedNotice, Notice
from lms.notices.rules import Kind

ROUNDS_AT_MOST = 50
"""Batches of one sweep: ten thousand people; the rest is told in the next one."""


def sweep(now: datetime) -> int:
    """Tell everybody what is due, a batch in each unit of work. Returns how many were told."""
    config: Config = current_app.extensions["suluh"]
    told = 0
    for _ in range(ROUNDS_AT_MOST):
        batch = due.next_batch(now, config.zone)
        if not batch:
            break
        with unit_of_work():
            told += tell(batch, config.base_url, now=now)
    return told


def tell(batch: Sequence[Due], base_url: str, *, now: datetime) -> int:
    """Write down that these people are told, and put the mails in the outbox. Flushes.

    What somebody else just told is left to them. Returns how many were told here.
    """
    muted = _muted_by({one.person_id for one in batch})
    told = 0
    for one in batch:
        is_new = insert_once(
            Notice,
            person_id=one.person_id,
            kind=one.kind,
            subject=one.subject,
            stage=one.stage,
            about=one.about,
            path=one.path,
            at=now,
        )
        if not is_new:
            continue
        told += 1
        if rules.goes_by_mail(one.kind, muted[one.person_id]):
            _post(one, base_url, now)
    return told


def _post(one: Due, base_url: str, now: datetime) -> None:
    with speaking(one.locale if one.locale in LANGUAGES else "id"):
        facts = letters.Facts(day(one.day) if one.day else "", one.place, one.count)
        subject = str(letters.SUBJECTS[one.kind])
        body = letters.body(
            one.kind,
            one.stage,
            facts,
            name=one.name,
            link=base_url + "/pemberitahuan",
            choices=base_url + "/pemberitahuan#pilihan",
        )
    there = now.astimezone(clock.ZONES[one.zone])
    row = mail.put(one.email, subject, body, now=now)
    row.due_at = rules.at_a_good_hour(there).astimezone(UTC)
    db.session.flush()
    db.session.execute(
        update(Notice)
        .where(
            Notice.person_id == one.person_id,
            Notice.kind == one.kind,
            Notice.subject == one.subject,
            Notice.stage == one.stage,
        )
        .values(mail_id=row.id)
    )


def _muted_by(person_ids: Iterable[int]) -> dict[int, set[str]]:
    muted: dict[int, set[str]] = defaultdict(set)
    rows = db.session.execute(
        select(MutedNotice.person_id, MutedNotice.kind).where(
            MutedNotice.person_id.in_(set(person_ids))
        )
    )
    for row in rows:
        muted[row.person_id].add(row.kind)
    return muted


def list_own(person_id: int, *, before: int | None = None, limit: int = 50) -> Sequence[Notice]:
    """Return what somebody was told, newest first; `before` is where the last page ended."""
    query = select(Notice).where(Notice.person_id == person_id)
    if before is not None:
        query = query.where(Notice.id < before)
    return db.session.scalars(query.order_by(Notice.id.desc()).limit(limit)).all()


def mark_read(person_id: int, *, now: datetime) -> None:
    """Note that somebody has seen all they were told. Flushes."""
    db.session.execute(
        update(Notice)
        .where(Notice.person_id == person_id, Notice.read_at.is_(None))
        .values(read_at=now)
    )


def list_muted(person_id: int) -> frozenset[str]:
    """Return the kinds somebody wants no mail of; `all` for none at all."""
    return frozenset(_muted_by([person_id])[person_id])


def choose(person_id: int, wanted: Iterable[str], *, no_mail: bool) -> None:
    """Keep which kinds somebody wants by mail. Flushes."""
    muted = {kind.value for kind in Kind} - set(wanted)
    if no_mail:
        muted.add(rules.ALL)
    db.session.execute(delete(MutedNotice).where(MutedNotice.person_id == person_id))
    db.session.add_all(MutedNotice(person_id=person_id, kind=kind) for kind in sorted(muted))
    db.session.flush()
