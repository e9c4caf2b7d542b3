"""The outbox: messages are written in the transaction that causes them and sent later."""

import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from sqlalchemy import case, func, select

from lms.core.db import db
from lms.core.models import Mail

RETRIES = 8


def put(to: str, subject: str, body: str, *, now: datetime) -> Mail:
    """Add a message to the outbox. The subject must be neutral. Flushes."""
    message = Mail(to=to, subject=subject, body=body, created_at=now, due_at=now)
    db.session.add(message)
    db.session.flush()
    return message


def list_outbox(*, before: int | None = None, limit: int = 100) -> Sequence[Mail]:
    """Return messages, newest first; `before` is the id the previous page ended at."""
    query = select(Mail).order_by(Mail.id.desc()).limit(limit)
    if before is not None:
        query = query.where(Mail.id < before)
    return db.session.scalars(query).all()


@dataclass(frozen=True, slots=True)
class Counts:
    """How many messages wait, and how many were given up after RETRIES tries."""

    waiting: int
    stuck: int


def count_unsent() -> Counts:
    """Count what has not gone out; what was sent is not counted, it only grows."""
    stuck = func.sum(case((Mail.tries >= RETRIES, 1), else_=0))
    row = db.session.execute(select(func.count(), stuck).where(Mail.sent_at.is_(None))).one()
    given_up = int(row[1] or 0)
    return Counts(waiting=int(row[0]) - given_up, stuck=given_up)


def list_due(now: datetime, limit: int = 50) -> Sequence[int]:
    """Return ids of messages that wait to be sent, oldest first."""
    return db.session.scalars(
        select(Mail.id)
        .where(Mail.sent_at.is_(None), Mail.due_at <= now, Mail.tries < RETRIES)
        .order_by(Mail.id)
        .limit(limit)
    ).all()


def send(mail_id: int, smtp_url: str, sender: str, *, now: datetime) -> bool:
    """Try to send one message and note the outcome on its row. Returns whether it went out."""
    row = db.session.get_one(Mail, mail_id)
    row.tries += 1
    try:
        _deliver(row, smtp_url, sender)
    except (OSError, smtplib.SMTPException) as error:
        row.last_error = f"{type(error).__name__}: {error}"[:500]
        row.due_at = now + timedelta(minutes=2**row.tries)
    else:
        row.sent_at = now
        row.last_error = None
    db.session.flush()
    return row.sent_at is not None


def _deliver(row: Mail, smtp_url: str, sender: str) -> None:
    url = urlsplit(smtp_url)
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, row.to, row.subject
    message.set_content(row.body)
    factory = smtplib.SMTP_SSL if url.scheme == "smtps" else smtplib.SMTP
    with factory(url.hostname or "localhost", url.port or 25, timeout=20) as server:
        if url.scheme == "smtp+starttls":
            server.starttls()
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        server.send_message(message)
