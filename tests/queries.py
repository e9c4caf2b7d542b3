"""Counts the statements a piece of work sends to the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from sqlalchemy import Engine, event

from lms.core import prepared
from lms.core.db import db
from lms.modules.outlines import list_outlines

CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
"""Words that only begin or end something; drivers of other engines send them unasked."""


class Sent(NamedTuple):
    """One statement as it went to the driver."""

    text: str
    values: tuple[object, ...]


@contextmanager
def watched(engine: Engine) -> Iterator[list[Sent]]:
    """Collect what is sent through an engine inside the block, with its values."""
    sent: list[Sent] = []

    def note(_connection, _cursor, text, values, *_more) -> None:
        if not text.startswith(CONTROL):
            sent.append(Sent(text, values))

    def note_small(text: str, values: tuple[object, ...]) -> None:
        sent.append(Sent(text, values))

    event.listen(engine, "before_cursor_execute", note)
    prepared.observers.append(note_small)
    try:
        yield sent
    finally:
        prepared.observers.remove(note_small)
        event.remove(engine, "before_cursor_execute", note)


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the statements sent inside the block. What was read before is read again.

    But not what a process keeps from one request to the next: it has served before.
    """
    statements: list[str] = []
    list_outlines(0)
    db.session.rollback()
    with watched(db.engine) as sent:
        try:
            yield statements
        finally:
            statements += [one.text for one in sent]
