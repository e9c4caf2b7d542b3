"""Counts the statements a piece of work sends to the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from lms.core.db import db


@contextmanager
def counted() -> Iterator[list[str]]:
    """Collect the statements sent inside the block. What was read before is read again."""
    statements: list[str] = []

    def note(*args: object) -> None:
        if str(args[2]) != "BEGIN":  # SQLite's own word for what other engines do unasked
            statements.append(str(args[2]))

    db.session.rollback()
    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
