"""The outbox: messages are written in the transaction that causes them and sent later."""

import ssl
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
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


def put_many(letters: Iterable[tuple[str, str, str]], *, now: datetime) -> None:
    """Add many messages (to, subject, body) to the outbox in few statements. Flushes."""
    db.session.add_all(
        Mail(to=to, subject=subject, body=body, created_at=now, due_at=now)
        for to, subject, body in letters
    )
    db.session.flush()


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


@dataclass(frozen=True, slots=True)
class Letter:
    """One message on its way."""

    id: int
    to: str
    subject: str
    body: str


def claim(mail_id: int, *, now: datetime) -> Letter | None:
    """Take one message to send it; None when somebody else has it already. Flushes.

    The try is counted and the next one put off before the network is touched, so a crash or a
    second sender cannot send it in a circle.
    """
    row = db.session.get_one(Mail, mail_id, with_for_update=True)
    if row.sent_at is not None or row.due_at > now:
        return None
    row.tries += 1
    row.due_at = now + timedelta(minutes=2**row.tries)
    db.session.flush()
    return Letter(row.id, row.to, row.subject, row.body)


def note(mail_id: int, error: str | None, *, now: datetime) -> None:
    """Write down how sending went: None when the message went out. Flushes."""
    row = db.session.get_one(Mail, mail_id)
    row.last_error = error
    row.sent_at = now if error is None else None
    db.session.flush()


def deliver(letter: Letter, smtp_url: str, sender: str, *, now: datetime) -> str | None:
    """Hand a message to the mail server; return what went wrong, or None.

    Waits for the network: never call it in a unit of work, or everybody's answers wait too.
    """
    try:
        _hand_over(letter, smtp_url, sender, now)
    except (OSError, ValueError) as error:  # what smtplib raises is an OSError
        return f"{type(error).__name__}: {error}"[:500]
    return None


PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}


def _hand_over(letter: Letter, smtp_url: str, sender: str, now: datetime) -> None:
    import smtplib

    url = urlsplit(smtp_url)
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, letter.to, letter.subject
    message["Date"] = format_datetime(now)
    domain = parseaddr(sender)[1].rpartition("@")[2]
    message["Message-ID"] = make_msgid(str(letter.id), domain or "localhost")
    message.set_content(letter.body)
    host, port = url.hostname or "localhost", url.port or PORTS[url.scheme]
    # Python checks no certificate unless it is given a context that does.
    checked = ssl.create_default_context()
    with (
        smtplib.SMTP_SSL(host, port, timeout=20, context=checked)
        if url.scheme == "smtps"
        else smtplib.SMTP(host, port, timeout=20)
    ) as server:
        if url.scheme == "smtp+starttls":
            server.starttls(context=checked)
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
        server.send_message(message)
