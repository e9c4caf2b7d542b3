"""What goes by itself after its time: one function a timer, in batches, each its own unit of work.

Services flush; the round commits. Light: it notes each hour that it looked, so it imports tables
and rules only.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute

from lms.accounts.models import AddressChange, LoginSession, NameRequest, PasswordReset
from lms.cohorts.models import Cohort, Invitation
from lms.core import audit
from lms.core import mail as outbox
from lms.core.db import Base, db, insert_into, unit_of_work
from lms.core.errors import NotFound
from lms.core.ids import hash_token
from lms.core.models import Mail
from lms.credentials.models import Disclosure
from lms.evaluations.models import PlanLetter
from lms.nominations.models import Nomination
from lms.practice.attendance.models import Attendance
from lms.practice.cases.models import CaseDraft
from lms.privacy import rules
from lms.privacy.models import Deletion, RetentionTimer

BATCH, BATCHES = 500, 20
"""Rows of one unit of work, and units of one run: the next hour goes on."""
LINK_PLACES = ("undangan", "masuk/baru", "akun/surel", "privasi/urung", "tinjau")
LINK = re.compile(rf"/({'|'.join(LINK_PLACES)})/([\w-]{{20,}})")
"""Links of our letters that open something by themselves."""

Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Line:
    """One timer as the administrator sees it."""

    timer: rules.Timer
    days: int
    ran_at: datetime | None
    removed: int
    due: int


@dataclass(frozen=True, slots=True)
class Sweep:
    """How one timer clears rows: which are due, and what happens to them."""

    key: InstrumentedAttribute[int]
    due: Callable[[datetime, datetime], Condition]
    """Takes the moment before which things are old, and now."""
    blank: Callable[[], dict[str, Any]] | None = None
    """New values; None deletes the row."""


def _sessions(before: datetime, _now: datetime) -> Condition:
    return func.coalesce(LoginSession.ended_at, LoginSession.expires_at) < before


def _resets(before: datetime, _now: datetime) -> Condition:
    return func.coalesce(PasswordReset.ended_at, PasswordReset.expires_at) < before


def _mail(before: datetime, now: datetime) -> Condition:
    given_up = and_(
        Mail.sent_at.is_(None), Mail.created_at < now - timedelta(days=rules.STUCK_MAIL)
    )
    return and_(Mail.to != "", or_(Mail.sent_at < before, given_up))


def _drafts(before: datetime, _now: datetime) -> Condition:
    return CaseDraft.updated_at < before


def _invitations(before: datetime, _now: datetime) -> Condition:
    return and_(
        Invitation.accepted_at.is_(None),
        func.coalesce(Invitation.withdrawn_at, Invitation.expires_at) < before,
        Invitation.name != rules.NAME,
    )


def _nominations(before: datetime, _now: datetime) -> Condition:
    over = select(Cohort.id).where(Cohort.ends_on < before.date())
    return and_(Nomination.cohort_id.in_(over), Nomination.name != rules.NAME)


def _names(before: datetime, _now: datetime) -> Condition:
    return NameRequest.decided_at < before


def _devices(before: datetime, _now: datetime) -> Condition:
    return and_(Attendance.recorded_at < before, Attendance.device_hash.is_not(None))


def _disclosures(before: datetime, _now: datetime) -> Condition:
    return Disclosure.at < before


def _address(model: type[Base], key: InstrumentedAttribute[int]) -> ColumnElement[str]:
    start, end = rules.blank_address(model.__tablename__, "\0").split("\0")
    made: ColumnElement[str] = start + key.cast(db.String) + end
    return made


SWEEPS: dict[str, Sweep] = {
    "sessions": Sweep(LoginSession.id, _sessions),
    "resets": Sweep(PasswordReset.id, _resets),
    "devices": Sweep(Attendance.id, _devices, lambda: {"device_hash": None}),
    "mail": Sweep(
        Mail.id, _mail, lambda: {"to": "", "body": "", "last_error": None, "tries": outbox.RETRIES}
    ),
    "drafts": Sweep(CaseDraft.id, _drafts),
    "invitations": Sweep(
        Invitation.id,
        _invitations,
        lambda: {
            "name": rules.NAME,
            "email": _address(Invitation, Invitation.id),
            "vouching": None,
        },
    ),
    "nominations": Sweep(
        Nomination.id,
        _nominations,
        lambda: {
            "name": rules.NAME,
            "email": _address(Nomination, Nomination.id),
            "letter_number": "",
            "letter_on": "",
        },
    ),
    "names": Sweep(NameRequest.id, _names),
    "disclosures": Sweep(Disclosure.id, _disclosures),
}


def run(now: datetime) -> int:
    """Let every timer clear what is due. Returns how many rows."""
    chosen = _chosen()
    total = 0
    for timer in rules.TIMERS.values():
        if timer.name == "links":
            removed = _clear_links(now)
        else:
            removed = _clear(SWEEPS[timer.name], _days(timer, chosen), now)
        with unit_of_work():
            _note(timer.name, removed, now)
        total += removed
    return total


def _clear(sweep: Sweep, days: int, now: datetime) -> int:
    removed = 0
    for _turn in range(BATCHES):
        with unit_of_work():
            due = sweep.due(now - timedelta(days=days), now)
            ids = db.session.scalars(
                select(sweep.key).where(due).order_by(sweep.key).limit(BATCH)
            ).all()
            table = sweep.key.class_
            if ids and sweep.blank is None:
                db.session.execute(delete(table).where(sweep.key.in_(ids)))
            elif ids:
                values = sweep.blank() if sweep.blank else {}
                db.session.execute(update(table).where(sweep.key.in_(ids)).values(values))
        removed += len(ids)
        if len(ids) < BATCH:
            break
    return removed


def _clear_links(now: datetime) -> int:
    """Take links that open nothing any more out of stored messages."""
    removed, after = 0, 0
    for _turn in range(BATCHES):
        with unit_of_work():
            rows = _letters_after(after)
            dead = _dead({token for row in rows for _place, token in _links(row.body)}, now)
            for row in rows:
                body = _without(row.body, dead)
                if body != row.body:
                    db.session.execute(update(Mail).where(Mail.id == row.id).values(body=body))
                    removed += 1
        if len(rows) < BATCH:
            break
        after = rows[-1].id
    return removed


def _letters_after(after: int) -> Sequence[Any]:
    holds = [Mail.body.contains(f"/{part}/") for part in LINK_PLACES]
    query = select(Mail.id, Mail.body).where(Mail.id > after, or_(*holds))
    return db.session.execute(query.order_by(Mail.id).limit(BATCH)).all()


def _links(body: str) -> list[tuple[str, str]]:
    return [(match[1], match[2]) for match in LINK.finditer(body)]


def _without(body: str, dead: set[str]) -> str:
    return LINK.sub(lambda one: f"/{one[1]}/…" if one[2] in dead else one[0], body)


def _dead(tokens: Iterable[str], now: datetime) -> set[str]:
    """Return those tokens that open nothing; one query for each kind of link."""
    hashes = {hash_token(token): token for token in tokens}
    if not hashes:
        return set()
    alive: set[str] = set()
    kinds: list[tuple[InstrumentedAttribute[Any], list[Condition]]] = [
        (
            Invitation.token_hash,
            [
                Invitation.accepted_at.is_(None),
                Invitation.withdrawn_at.is_(None),
                Invitation.expires_at > now,
            ],
        ),
        (
            PasswordReset.key_hash,
            [PasswordReset.ended_at.is_(None), PasswordReset.expires_at > now],
        ),
        (
            AddressChange.token_hash,
            [AddressChange.ended_at.is_(None), AddressChange.expires_at > now],
        ),
        (PlanLetter.token_hash, [PlanLetter.expires_at > now]),
        (Deletion.token_hash, [Deletion.undone_at.is_(None), Deletion.executed_at.is_(None)]),
    ]
    for key, conditions in kinds:
        alive |= set(db.session.scalars(select(key).where(key.in_(list(hashes)), *conditions)))
    return {token for digest, token in hashes.items() if digest not in alive}


def set_days(name: str, days: int, *, actor_id: int, now: datetime) -> None:
    """Let a timer count so many days. Raises NotFound, rules.BadDays. Flushes."""
    timer = rules.TIMERS.get(name)
    if timer is None:
        raise NotFound(name)
    values = {"days": timer.check(days), "changed_by": actor_id, "changed_at": now}
    _upsert(name, values)
    audit.record("privacy.set_timer", f"timer:{name}", actor_id=actor_id, now=now, days=days)


def list_lines(now: datetime) -> list[Line]:
    """Return every timer with its last run and what is due; one query a timer."""
    chosen = _chosen()
    lines = []
    for timer in rules.TIMERS.values():
        row, days = chosen.get(timer.name), _days(timer, chosen)
        sweep = SWEEPS.get(timer.name)
        due = 0
        if sweep is not None:
            condition = sweep.due(now - timedelta(days=days), now)
            due = db.session.scalar(select(func.count(sweep.key)).where(condition)) or 0
        ran_at, removed = (row.ran_at, row.removed) if row else (None, 0)
        lines.append(Line(timer, days, ran_at, removed, due))
    return lines


def days_of() -> dict[str, int]:
    """Return the days of every timer. One query."""
    chosen = _chosen()
    return {name: _days(timer, chosen) for name, timer in rules.TIMERS.items()}


def _chosen() -> dict[str, RetentionTimer]:
    return {row.name: row for row in db.session.scalars(select(RetentionTimer))}


def _days(timer: rules.Timer, chosen: dict[str, RetentionTimer]) -> int:
    row = chosen.get(timer.name)
    return timer.days if row is None or row.days is None else row.days


def _note(name: str, removed: int, now: datetime) -> None:
    values: dict[str, Any] = {"ran_at": now}
    if removed:
        values["removed"] = removed
    _upsert(name, values)


def _upsert(name: str, values: dict[str, Any]) -> None:
    added = insert_into(RetentionTimer).values(name=name, **({"removed": 0} | values))
    db.session.execute(added.on_conflict_do_update(index_elements=["name"], set_=values))
    db.session.expire_all()
