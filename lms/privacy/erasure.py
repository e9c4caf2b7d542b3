"""Deleting an account: asked for, undone or done. Services flush; entry points commit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import JSON, Table, case, delete, literal, or_, select, update
from sqlalchemy.exc import IntegrityError

from lms.accounts import letters as account_letters
from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.accounts.rules import NO_HASH
from lms.cohorts.models import Invitation
from lms.core import audit
from lms.core.db import db, unit_of_work
from lms.core.errors import DomainError, NotFound
from lms.core.ids import hash_token, new_token
from lms.core.late import all_tables
from lms.credentials.models import Proposal, ProposalState
from lms.privacy import consent, due, letters, rules
from lms.privacy.data_map import MAP, Entry, Kind
from lms.privacy.models import Deletion, Way
from lms.privacy.owners import Owner
from lms.quizzes.essays import services as essays


class AlreadyAsked(DomainError):
    """The account waits to be deleted already."""


@dataclass(frozen=True, slots=True)
class DeletionLine:
    """One request in the administrator's list."""

    public_id: str
    name: str
    person: str
    """Public id of the person."""
    way: Way
    asked_at: datetime
    due_at: datetime


def ask(person_id: int, way: Way, *, actor_id: int, base_url: str, now: datetime) -> Deletion:
    """Ask for an account to be deleted after `rules.UNDO`; a mail tells how to undo it. Flushes.

    Taking consent back closes the account at once. Raises AlreadyAsked, accounts.LastAdmin.
    """
    accounts.refuse_last_admin(person_id)
    token = new_token()
    made = Deletion(
        person_id=person_id,
        way=way,
        token_hash=hash_token(token),
        asked_by=actor_id,
        asked_at=now,
        due_at=now + rules.UNDO,
    )
    try:
        with db.session.begin_nested():
            db.session.add(made)
    except IntegrityError:
        raise AlreadyAsked(str(person_id)) from None
    person = accounts.get_person_by_id(person_id)
    if way is Way.WITHDRAWN:
        consent.withdraw(person_id, now=now)
        person.disabled_at = person.disabled_at or now
        accounts.end_sessions(person_id, now=now)
    audit.record(
        "privacy.ask_deletion", f"person:{person_id}", actor_id=actor_id, now=now, way=way.value
    )
    words = letters.closed if way is Way.WITHDRAWN else letters.asked
    link = f"{base_url}/privasi/urung/{token}"
    account_letters.send(person, words(made.due_at), now=now, link=link)
    return made


def find_open(person_id: int) -> Deletion | None:
    """Return the deletion that waits for somebody, or None. One query."""
    return db.session.scalar(
        select(Deletion).where(
            Deletion.person_id == person_id,
            Deletion.undone_at.is_(None),
            Deletion.executed_at.is_(None),
        )
    )


def look_up(token: str) -> Deletion:
    """Return the deletion that a link undoes. Raises NotFound when it is over."""
    found = db.session.scalar(select(Deletion).where(Deletion.token_hash == hash_token(token)))
    if found is None or found.undone_at is not None or found.executed_at is not None:
        raise NotFound("deletion")
    return found


def list_open(limit: int = 50) -> list[DeletionLine]:
    """Return what waits, the next due first. One query."""
    rows = db.session.execute(
        select(Deletion, Person.name, Person.public_id)
        .join(Person, Person.id == Deletion.person_id)
        .where(Deletion.undone_at.is_(None), Deletion.executed_at.is_(None))
        .order_by(Deletion.due_at, Deletion.id)
        .limit(limit)
    )
    return [
        DeletionLine(one.public_id, name, public_id, one.way, one.asked_at, one.due_at)
        for one, name, public_id in rows
    ]


def undo(deletion_id: int, *, actor_id: int | None, now: datetime) -> None:
    """Take a deletion back; an account closed by it opens again. Raises NotFound. Flushes."""
    taken = db.session.execute(
        update(Deletion)
        .where(
            Deletion.id == deletion_id,
            Deletion.undone_at.is_(None),
            Deletion.executed_at.is_(None),
        )
        .values(undone_at=now)
        .returning(Deletion.person_id, Deletion.way, Deletion.asked_at)
    ).first()
    if taken is None:
        raise NotFound(str(deletion_id))
    person = accounts.get_person_by_id(taken.person_id)
    if taken.way is Way.WITHDRAWN and person.disabled_at == taken.asked_at:
        person.disabled_at = None
    audit.record("privacy.undo_deletion", f"person:{taken.person_id}", actor_id=actor_id, now=now)
    db.session.flush()


def sweep(now: datetime) -> int:
    """Delete every account whose time has come, each on its own. Returns how many."""
    done = 0
    for deletion_id in due.list_deletions(now):
        try:
            with unit_of_work():
                done += execute(deletion_id, now=now)
        except accounts.LastAdmin:
            current_app.logger.warning("deletion %s waits: the last administrator", deletion_id)
    return done


def execute(deletion_id: int, *, now: datetime) -> bool:
    """Delete one account, unless that is done or undone already; tell whether. Flushes.

    Raises accounts.LastAdmin.
    """
    person_id = db.session.scalar(
        update(Deletion)
        .where(
            Deletion.id == deletion_id,
            Deletion.undone_at.is_(None),
            Deletion.executed_at.is_(None),
            Deletion.due_at <= now,
        )
        .values(executed_at=now)
        .returning(Deletion.person_id)
    )
    if person_id is None:
        return False
    accounts.refuse_last_admin(person_id)
    person = accounts.get_person_by_id(person_id)
    reader = Person(name=person.name, email=person.email, locale=person.locale)
    erase(person_id, now=now)
    audit.record("privacy.delete", f"person:{person_id}", actor_id=None, now=now)
    account_letters.send(reader, letters.done, now=now)
    return True


def erase(person_id: int, *, now: datetime) -> None:
    """Take out of every table what the data map says goes with its owner. Flushes."""
    db.session.flush()
    if unknown := MAP.keys() - all_tables().tables.keys():
        raise LookupError(f"nobody has loaded {sorted(unknown)}")  # nothing may be left behind
    owner = Owner(person_id)
    tables = [table for table in all_tables().sorted_tables if MAP[table.name].ways]
    # Whose rows are found by an address must be found before the address is gone.
    found = {table.name: _keys(table, owner) for table in tables}
    _close_proposals(person_id, now)
    _close_invitations(owner, now)
    essays.blank_texts(person_id, rules.GONE)
    for table in reversed(tables):
        entry = MAP[table.name]
        if entry.gone:
            _delete(table, found[table.name])
        else:
            _blank(table, entry, found[table.name])
    db.session.execute(
        update(Person)
        .where(Person.id == person_id)
        .values(password_hash=NO_HASH, locale="id", disabled_at=now)
    )
    db.session.expire_all()


def _keys(table: Table, owner: Owner) -> list[tuple[Any, ...]]:
    keys = list(table.primary_key.columns)
    return [tuple(row) for row in db.session.execute(
        select(*keys).where(owner.erased(table.name))
    )]  # fmt: skip


BATCH = 200


def _batches(keys: Sequence[tuple[Any, ...]]) -> list[Sequence[tuple[Any, ...]]]:
    return [keys[at : at + BATCH] for at in range(0, len(keys), BATCH)]


def _picked(table: Table, keys: Sequence[tuple[Any, ...]]) -> Any:
    columns = list(table.primary_key.columns)
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])
    return or_(
        *(_all(column == value for column, value in zip(columns, key, strict=True)) for key in keys)
    )


def _all(conditions: Any) -> Any:
    first, *rest = conditions
    for one in rest:
        first = first & one
    return first


def _delete(table: Table, keys: Sequence[tuple[Any, ...]]) -> None:
    for batch in _batches(keys):
        db.session.execute(delete(table).where(_picked(table, batch)))


def _blank(table: Table, entry: Entry, keys: Sequence[tuple[Any, ...]]) -> None:
    """Make texts and names unreadable; an empty one stays empty, so that nothing seems written."""
    values: dict[str, Any] = dict.fromkeys(entry.clear)
    structured = []
    for name in entry.blanked:
        column, kind = table.c[name], entry.columns[name]
        if isinstance(column.type, JSON):
            structured.append(name)
            continue
        text: Any = rules.NAME if kind is Kind.IDENTITY else rules.GONE
        if kind is Kind.CONTACT:
            start, end = rules.blank_address(entry.name, "\0").split("\0")
            number = next(iter(table.primary_key.columns)).cast(db.String)
            text = literal(start) + number + literal(end)
        values[name] = case((column == "", column), else_=text)
    for batch in _batches(keys):
        picked = _picked(table, batch)
        if values:
            db.session.execute(update(table).where(picked).values(values))
        for name in structured:
            _blank_structured(table, name, batch)


def _blank_structured(table: Table, name: str, keys: Sequence[tuple[Any, ...]]) -> None:
    key = next(iter(table.primary_key.columns))
    rows = db.session.execute(select(key, table.c[name]).where(_picked(table, keys))).all()
    for number, value in rows:
        emptied = {part: rules.GONE for part in value or {}}
        db.session.execute(update(table).where(key == number).values({name: emptied}))


def _close_invitations(owner: Owner, now: datetime) -> None:
    """Take back what is open: a link that somebody kept makes no account under a blanked name."""
    db.session.execute(
        update(Invitation)
        .where(
            owner.erased(Invitation.__tablename__),
            Invitation.accepted_at.is_(None),
            Invitation.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=now)
        .execution_options(synchronize_session=False)
    )


def _close_proposals(person_id: int, now: datetime) -> None:
    """End what waits for a signature or its paper: a deleted account gets neither."""
    waits = ProposalState.OPEN, ProposalState.DECIDED
    db.session.execute(
        update(Proposal)
        .where(Proposal.person_id == person_id, Proposal.state.in_(waits))
        .values(state=ProposalState.WITHDRAWN, closed_at=now)
    )
