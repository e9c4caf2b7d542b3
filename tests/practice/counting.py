"""Counts what is asked of the database."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from lms.core.db import db


@contextmanager
def statements() -> Iterator[list[str]]:
    """Collect every statement of the block, save the beginning of transactions."""
    seen: list[str] = []

    def note(*args: object) -> None:
        text = str(args[2])
        if not text.startswith("BEGIN"):
            seen.append(text)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
