"""The audit trail: one line for each thing that changes somebody's rights or results.

The lines are a chain: each carries a hash over itself and the line before, and one row, the head,
remembers how many there are and the last hash. Whoever changes, removes, adds or moves a line
breaks it; whoever makes it anew from there on leaves a head other than the one written down.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, event, func, or_, select, update
from sqlalchemy.orm import Session

from lms.core import chain
from lms.core.db import db
from lms.core.models import AuditEvent, AuditHead

BATCH = 1000
PENDING = "suluh_audit"


@dataclass(frozen=True, slots=True)
class Head:
    """How many events there are, and the hash of the last."""

    count: int
    hash: str


@dataclass(frozen=True, slots=True)
class Broken:
    """Where the chain does not hold: at which event (None: at its end), and what is wrong."""

    event_id: int | None
    why: str


def record(
    action: str, subject: str, *, actor_id: int | None, now: datetime, **detail: object
) -> None:
    """Append one event. `subject` is `table:id`; `detail` must be JSON and hold no secret.

    It becomes part of the chain when the unit of work commits: see `_chain`.
    """
    added = AuditEvent(
        at=now, actor_id=actor_id, action=action, subject=subject, detail=chain.plain(detail)
    )
    session = db.session()
    session.add(added)
    session.info.setdefault(PENDING, []).append(added)


@event.listens_for(db.session, "before_commit")
def _chain(session: Session) -> None:
    """Tie the events of this unit of work to the chain.

    The head is locked here, as the last thing before the commit: events of two units of work
    cannot interleave, nobody waits long, and no other lock is taken after it.
    """
    if session.in_nested_transaction():
        return  # a savepoint; the unit of work goes on
    # What a savepoint took back is not in the session any more.
    added = [one for one in session.info.pop(PENDING, ()) if one in session]
    if not added:
        return
    session.flush()
    count, last = session.execute(
        select(AuditHead.count, AuditHead.hash).where(AuditHead.id == 1).with_for_update()
    ).one()
    for one in added:
        count += 1
        last = _link(last, one)
        one.position, one.hash = count, last
    session.flush()
    session.execute(update(AuditHead).where(AuditHead.id == 1).values(count=count, hash=last))


def _link(previous: str, one: AuditEvent | Row[Any]) -> str:
    return chain.link(
        previous,
        at=one.at,
        actor_id=one.actor_id,
        action=one.action,
        subject=one.subject,
        detail=one.detail,
    )


def head() -> Head:
    """Return the head of the chain; one query."""
    row = db.session.execute(
        select(AuditHead.count, AuditHead.hash).where(AuditHead.id == 1)
    ).first()
    return Head(row[0], row[1]) if row else Head(0, chain.START)


def verify() -> Broken | None:
    """Walk the whole chain in batches; return the first place where it does not hold."""
    end = head()
    stray = db.session.scalar(
        select(func.min(AuditEvent.id)).where(
            or_(AuditEvent.position.is_(None), AuditEvent.hash.is_(None))
        )
    )
    count, last = 0, chain.START
    for row in _walk(end.count):
        if row.position != count + 1:
            return Broken(row.id, f"event {count + 1} of the chain is missing before it")
        count, last = row.position, _link(last, row)
        if row.hash != last:
            return Broken(row.id, "it is not what was written, or not in its place")
    if stray is not None:
        return Broken(stray, "it was not written by Suluh: it has no place in the chain")
    if (count, last) != (end.count, end.hash):
        return Broken(None, f"{end.count} events were written, {count} are there")
    return None


def _walk(up_to: int) -> Iterator[Row[Any]]:
    """Yield the events of the chain in order; one query for each batch."""
    columns = (
        AuditEvent.id,
        AuditEvent.position,
        AuditEvent.hash,
        AuditEvent.at,
        AuditEvent.actor_id,
        AuditEvent.action,
        AuditEvent.subject,
        AuditEvent.detail,
    )
    after = 0
    while True:
        rows = db.session.execute(
            select(*columns)
            .where(AuditEvent.position > after, AuditEvent.position <= up_to)
            .order_by(AuditEvent.position)
            .limit(BATCH)
        ).all()
        yield from rows
        if len(rows) < BATCH:
            return
        after = rows[-1].position


def hashes_at(counts: Collection[int]) -> dict[int, str]:
    """Return the hash the chain had when it was `count` events long, for counts it has reached.

    A head written down earlier must be found here again.
    """
    rows = db.session.execute(
        select(AuditEvent.position, AuditEvent.hash).where(AuditEvent.position.in_(counts))
    )
    found = {row.position: row.hash for row in rows}
    return {0: chain.START} | found if 0 in counts else found


def list_events(
    *,
    before: int | None = None,
    action: str = "",
    subject: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 50,
) -> Sequence[AuditEvent]:
    """Return events, newest first; `before` is the id the previous page ended at.

    `action` is the beginning of an action (`cohorts.`), `subject` the whole of one (`person:7`),
    `since` is in, `until` is not.
    """
    query = select(AuditEvent).order_by(AuditEvent.id.desc()).limit(limit)
    if before is not None:
        query = query.where(AuditEvent.id < before)
    if action:
        query = query.where(AuditEvent.action.startswith(action, autoescape=True))
    if subject:
        query = query.where(AuditEvent.subject == subject)
    if since is not None:
        query = query.where(AuditEvent.at >= since)
    if until is not None:
        query = query.where(AuditEvent.at < until)
    return db.session.scalars(query).all()
