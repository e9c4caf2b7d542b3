"""What people do with accounts. Services flush; entry points commit."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, cast

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import (
    ColumnElement,
    Integer,
    ScalarSelect,
    Select,
    Table,
    bindparam,
    delete,
    exists,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from lms.accounts import rules
from lms.accounts.models import (
    KnownDevice,
    LoginSession,
    PasswordReset,
    PendingEntry,
    Person,
    PersonRole,
    SecondFactor,
    SetupCode,
)
from lms.core import audit, clock, throttle
from lms.core.db import UtcDateTime, db, insert_once
from lms.core.errors import DomainError, NotFound
from lms.core.ids import hash_token, new_token
from lms.core.login import ROLES, Viewer
from lms.core.prepared import read, read_alone


class EmailTaken(DomainError):
    """Somebody already signs in with this address."""


class WrongCredentials(DomainError):
    """The address or the password is wrong; which of them is not said."""


class WrongCode(DomainError):
    """The one-time code does not fit or was used."""


class PasswordMoved(DomainError):
    """The password was changed, or its hash renewed, since it was checked: check it again."""


class AlreadySetUp(DomainError):
    """There are people already: the first-administrator page is closed for good."""


class LastAdmin(DomainError):
    """The change would leave the installation without an administrator."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that just began: who, and the tokens the browser is to keep."""

    viewer: Viewer
    device_token: str | None
    others: int = 0
    """How many other sessions of this person are open."""

    @property
    def person_id(self) -> int:
        """Who it is."""
        return self.viewer.id


@dataclass(frozen=True, slots=True)
class HalfSignedIn:
    """A password fitted, the second factor is still to come: the token opens that page only."""

    person_id: int
    token: str


Entry = SignedIn | HalfSignedIn
"""What a sign-in can lead to."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Somebody's password has fitted. Made outside a unit of work: checking takes its time."""

    person_id: int
    password_hash: str
    """What it fitted; where another one stands by now, the proof is worth nothing."""
    renewed_hash: str | None = None
    """The same password at today's cost, where the stored hash is cheaper."""
    throttle_keys: tuple[str, ...] = ()
    """The counts of failures that are forgotten now."""
    on_known_device: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """What somebody needs to know who invites an address."""

    id: int
    name: str
    has_password: bool
    is_open: bool


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One person in a list."""

    id: int
    public_id: str
    name: str
    email: str
    roles: tuple[str, ...]
    disabled: bool


@cache
def hasher(memory_kib: int, rounds: int) -> PasswordHasher:
    """Return the Argon2id hasher of these costs."""
    return PasswordHasher(time_cost=rounds, memory_cost=memory_kib, parallelism=1)


@cache
def _dummy_hash(maker: PasswordHasher) -> str:
    """Return a hash nobody's password fits, so that an unknown address costs the same time."""
    return maker.hash(new_token())


def hash_password(password: str, *, name: str, email: str, maker: PasswordHasher) -> str:
    """Check a new password and return its hash. Raises rules.WeakPassword.

    Call it outside a unit of work: it takes its time, and everybody who writes would wait.
    """
    rules.check_password(password, name=name, email=rules.normal_email(email))
    return maker.hash(password)


def add_person(
    *,
    email: str,
    name: str,
    password_hash: str,
    roles: Iterable[str],
    now: datetime,
    locale: str = "id",
) -> Person:
    """Create an account. Raises EmailTaken. Flushes."""
    email = rules.normal_email(email)
    person = Person(
        email=email, name=name, password_hash=password_hash, locale=locale, created_at=now
    )
    try:
        # The database decides: two requests at once would both find the address free.
        with db.session.begin_nested():
            db.session.add(person)
    except IntegrityError:
        raise EmailTaken(email) from None
    add_roles(person.id, roles)
    return person


def create_person(
    *,
    email: str,
    name: str,
    password: str,
    roles: Iterable[str],
    maker: PasswordHasher,
    now: datetime,
    locale: str = "id",
) -> Person:
    """Create an account and hash its password on the way: for scripts, where nobody waits.

    Raises rules.WeakPassword and EmailTaken. Flushes.
    """
    made = hash_password(password, name=name, email=email, maker=maker)
    return add_person(
        email=email, name=name, password_hash=made, roles=roles, now=now, locale=locale
    )


def add_unclaimed(*, email: str, name: str, roles: Iterable[str], now: datetime) -> Person:
    """Create an account whose owner has yet to choose a password. Raises EmailTaken. Flushes."""
    return add_person(email=email, name=name, password_hash=rules.NO_HASH, roles=roles, now=now)


def claim(
    *,
    email: str,
    name: str,
    password_hash: str,
    roles: Iterable[str],
    locale: str,
    now: datetime,
) -> Person | None:
    """Give an account that never had a password its first one; None where there is no such.

    The owner's spelling of the name stands from then on. Flushes.
    """
    person_id = db.session.scalar(
        update(Person)
        .where(
            Person.email == rules.normal_email(email),
            Person.password_hash == rules.NO_HASH,
            Person.disabled_at.is_(None),
        )
        .values(password_hash=password_hash, locale=locale)
        .returning(Person.id)
    )
    if person_id is None:
        return None
    person = get_person_by_id(person_id)
    db.session.refresh(person)
    end_resets(person_id, now=now)
    rename(person_id, name, now=now)
    add_roles(person_id, roles)
    return person


def add_roles(person_id: int, roles: Iterable[str]) -> None:
    """Give roles to a person; those already there stay. Flushes."""
    for role in sorted(set(roles)):
        if role not in ROLES:
            raise ValueError(role)
        insert_once(PersonRole, person_id=person_id, role=role)


def set_roles(public_id: str, roles: set[str], *, actor_id: int, now: datetime) -> None:
    """Replace a person's roles. Raises NotFound and LastAdmin. Flushes."""
    person = get_person(public_id)
    if "admin" not in roles and _is_last_admin(person.id):
        raise LastAdmin
    db.session.execute(delete(PersonRole).where(PersonRole.person_id == person.id))
    add_roles(person.id, roles)
    audit.record(
        "accounts.set_roles",
        f"person:{person.id}",
        actor_id=actor_id,
        now=now,
        roles=sorted(roles),
    )


def set_disabled(public_id: str, disabled: bool, *, actor_id: int, now: datetime) -> None:
    """Close or reopen an account; closing ends its sessions. Raises NotFound, LastAdmin."""
    person = get_person(public_id)
    if disabled and _is_last_admin(person.id):
        raise LastAdmin
    person.disabled_at = now if disabled else None
    if disabled:
        end_sessions(person.id, now=now)
    action = "accounts.disable" if disabled else "accounts.enable"
    audit.record(action, f"person:{person.id}", actor_id=actor_id, now=now)
    db.session.flush()


def refuse_last_admin(person_id: int) -> None:
    """Raise LastAdmin for the only administrator whose account is open."""
    if _is_last_admin(person_id):
        raise LastAdmin


def _is_last_admin(person_id: int) -> bool:
    # Locked, so that two administrators who remove each other at once do not both succeed.
    admins = db.session.scalars(
        select(PersonRole.person_id)
        .join(Person, Person.id == PersonRole.person_id)
        .where(PersonRole.role == "admin", Person.disabled_at.is_(None))
        .order_by(PersonRole.person_id)
        .with_for_update()
    ).all()
    return list(admins) == [person_id]


def find_person_id(email: str) -> int | None:
    """Return the id of the account with this address, or None."""
    return db.session.scalar(select(Person.id).where(Person.email == rules.normal_email(email)))


def find_account(email: str) -> Account | None:
    """Return what is known of the account with this address, or None. One query."""
    row = db.session.execute(
        select(Person.id, Person.name, Person.password_hash, Person.disabled_at).where(
            Person.email == rules.normal_email(email)
        )
    ).first()
    if row is None:
        return None
    return Account(row.id, row.name, row.password_hash != rules.NO_HASH, row.disabled_at is None)


def is_untouched(person_id: int) -> bool:
    """Tell whether nobody has ever signed in to an account that has no password. One query."""
    query = select(Person.id).where(
        Person.id == person_id,
        Person.password_hash == rules.NO_HASH,
        ~exists().where(LoginSession.person_id == Person.id),
    )
    return db.session.scalar(query) is not None


def get_person(public_id: str) -> Person:
    """Return the person of this public id. Raises NotFound."""
    person = db.session.scalar(select(Person).where(Person.public_id == public_id))
    if person is None:
        raise NotFound(public_id)
    return person


def get_person_by_id(person_id: int) -> Person:
    """Return the person of this id. Raises NotFound."""
    person = db.session.get(Person, person_id)
    if person is None:
        raise NotFound(str(person_id))
    return person


def names_of(ids: Iterable[int]) -> dict[int, str]:
    """Return the names of many people, in one query."""
    wanted = set(ids)
    if not wanted:
        return {}
    found = db.session.execute(select(Person.id, Person.name).where(Person.id.in_(wanted)))
    return {row.id: row.name for row in found}


def name_of(person: Any) -> ScalarSelect[str]:
    """Return the name of a column's person, for a query that reads many rows."""
    return select(Person.name).where(Person.id == person).scalar_subquery()


def emails_of(ids: Iterable[int]) -> dict[int, str]:
    """Return the addresses of many people, in one query."""
    wanted = set(ids)
    if not wanted:
        return {}
    found = db.session.execute(select(Person.id, Person.email).where(Person.id.in_(wanted)))
    return {row.id: row.email for row in found}


def people_of(ids: Iterable[int]) -> dict[int, tuple[str, str]]:
    """Return public id and name of many people, in one query."""
    wanted = set(ids)
    if not wanted:
        return {}
    query = select(Person.id, Person.public_id, Person.name).where(Person.id.in_(wanted))
    return {row.id: (row.public_id, row.name) for row in db.session.execute(query)}


def list_people(
    *, search: str = "", role: str = "", after: str = "", limit: int = 50
) -> list[PersonLine]:
    """Return people by name; `after` is the last address of the page before."""
    query = select(Person).order_by(Person.email).limit(limit)
    if search:
        part = search.lower()
        query = query.where(
            func.lower(Person.name).contains(part, autoescape=True)
            | Person.email.contains(part, autoescape=True)
        )
    if role:
        holders = select(PersonRole.person_id).where(PersonRole.role == role)
        query = query.where(Person.id.in_(holders))
    if after:
        query = query.where(Person.email > after)
    people = db.session.scalars(query).all()
    roles = _roles_of([person.id for person in people])
    return [
        PersonLine(
            id=person.id,
            public_id=person.public_id,
            name=person.name,
            email=person.email,
            roles=roles.get(person.id, ()),
            disabled=person.disabled_at is not None,
        )
        for person in people
    ]


def roles_of(person_id: int) -> tuple[str, ...]:
    """Return the roles of one person, in alphabetical order. Flushes."""
    db.session.flush()
    return tuple(row.role for row in read(_ROLES, {"person": person_id}))


def roles_given() -> frozenset[str]:
    """Return the roles that somebody has. One query."""
    return frozenset(db.session.scalars(select(PersonRole.role).distinct()))


def people_at(emails: Iterable[str]) -> dict[str, tuple[int, str]]:
    """Return id and name of who signs in with each of many addresses, in one query."""
    wanted = {rules.normal_email(email) for email in emails}
    if not wanted:
        return {}
    rows = db.session.execute(
        select(Person.email, Person.id, Person.name).where(Person.email.in_(wanted))
    )
    return {row.email: (row.id, row.name) for row in rows}


def count_active(role: str) -> int:
    """Return how many open accounts have a role. One query."""
    found = db.session.scalar(
        select(func.count())
        .select_from(PersonRole)
        .join(Person, Person.id == PersonRole.person_id)
        .where(PersonRole.role == role, Person.disabled_at.is_(None))
    )
    return found or 0


# Statements of each sign-in, put together once: that costs more than running them.
_ROLES = (
    select(PersonRole.role)
    .where(PersonRole.person_id == bindparam("person"))
    .order_by(PersonRole.role)
)
_BY_EMAIL = select(Person.id, Person.password_hash, Person.disabled_at).where(
    Person.email == bindparam("address")
)
_NEW_SESSION = insert(cast(Table, LoginSession.__table__))


def _roles_of(ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    query = select(PersonRole.person_id, PersonRole.role).where(PersonRole.person_id.in_(ids))
    for row in db.session.execute(query.order_by(PersonRole.role)):
        found[row.person_id] = (*found.get(row.person_id, ()), row.role)
    return found


def prove(
    *,
    email: str,
    password: str,
    address: str,
    device_token: str | None,
    maker: PasswordHasher,
    now: datetime,
) -> Proof:
    """Check a password; call it outside a unit of work. Raises WrongCredentials, throttle.TooSoon.

    A guesser is slowed down per account and per network address. A device its owner let us
    remember waits only for what was guessed on it, so nobody can shut a companion out from
    elsewhere. A refused try is counted by `count_failure`.
    """
    rows = read(_BY_EMAIL, {"address": rules.normal_email(email)})
    person = rows[0] if rows else None
    known = person is not None and _is_known(person.id, device_token)
    keys, own = throttle_keys(email, address), device_keys(device_token) if known else []
    counted = throttle.check(own or keys, now)
    if not _fits(person, password, maker) or person is None or person.disabled_at is not None:
        raise WrongCredentials
    stored = person.password_hash
    # A known device did not look at what others did to the account: it forgets that all the same.
    worth = [key for key in (keys[0], *own) if key in counted or (own and key == keys[0])]
    return Proof(
        person.id,
        stored,
        maker.hash(password) if maker.check_needs_rehash(stored) else None,
        tuple(worth),
        known,
    )


def enter(
    proof: Proof,
    *,
    now: datetime,
    remember: bool = False,
    agent: str = "",
    replaces: str | None = None,
) -> Entry:
    """Begin a session for somebody whose password fitted, or half of one before a second factor.

    `replaces` is the token this browser held before: that session ends. Raises PasswordMoved,
    WrongCredentials. Flushes.
    """
    person = confirm(proof)
    for key in proof.throttle_keys:
        throttle.succeeded(key)
    return admit(
        person,
        now=now,
        remember=remember and not proof.on_known_device,
        agent=agent,
        replaces=replaces,
    )


def confirm(proof: Proof) -> Person:
    """Return the person of a proof that still holds. Raises PasswordMoved, WrongCredentials.

    Renews a hash that has become too cheap. Flushes.
    """
    person = db.session.get(Person, proof.person_id)
    if person is None or person.disabled_at is not None:
        raise WrongCredentials
    if person.password_hash != proof.password_hash:
        raise PasswordMoved
    if proof.renewed_hash is not None:
        # Of several sign-ins at once only one renews; the others are asked to check again.
        moved = db.session.execute(
            update(Person)
            .where(Person.id == person.id, Person.password_hash == proof.password_hash)
            .values(password_hash=proof.renewed_hash)
        )
        if moved.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE has a row count
            raise PasswordMoved
    return person


def admit(
    person: Person,
    *,
    now: datetime,
    remember: bool = False,
    agent: str = "",
    replaces: str | None = None,
) -> Entry:
    """Let in somebody who has proved who they are, as far as the second factor. Flushes."""
    if replaces is not None:
        end_session(replaces, now=now)
    asked = {"person": person.id, "now": now}
    db.session.flush()
    [(has_factor, others)] = read(_before_entry(), asked)
    if has_factor:
        return _begin_half(person, remember=remember, now=now)
    return begin_whole(person, now=now, remember=remember, agent=agent, others=others)


@cache
def _before_entry() -> Select[bool, int]:
    """Return the statement of `admit`: has a second factor, and how many open sessions."""
    person = cast(int, bindparam("person", type_=Integer))
    now = cast(datetime, bindparam("now", type_=UtcDateTime))
    return select(_factor_of(person).exists(), _sessions_of(person, now).scalar_subquery())


def begin_whole(
    person: Person,
    *,
    now: datetime,
    remember: bool = False,
    agent: str = "",
    others: int | None = None,
) -> SignedIn:
    """Begin a session for somebody who has proved everything. Flushes.

    `others` is how many other sessions are open, where that is known already.
    """
    fresh = _remember_device(person.id, now) if remember else None
    if others is None:
        others = count_sessions(person.id, now=now)
    return SignedIn(begin_session(person, now=now, agent=agent), fresh, others)


def _begin_half(person: Person, *, remember: bool, now: datetime) -> HalfSignedIn:
    token = new_token()
    db.session.add(
        PendingEntry(
            person_id=person.id,
            token_hash=hash_token(token),
            remember=remember,
            created_at=now,
            expires_at=now + rules.HALF,
        )
    )
    db.session.flush()
    return HalfSignedIn(person.id, token)


def has_second_factor(person_id: int) -> bool:
    """Tell whether somebody's sign-in asks for a second factor. One query."""
    return db.session.scalar(_factor_of(person_id)) is not None


def _factor_of(person_id: int) -> Select[int]:
    return select(SecondFactor.person_id).where(
        SecondFactor.person_id == person_id, SecondFactor.since.is_not(None)
    )


def count_sessions(person_id: int, *, now: datetime) -> int:
    """Count the open sessions of one person. One query."""
    return db.session.scalar(_sessions_of(person_id, now)) or 0


def _sessions_of(person_id: int, now: datetime) -> Select[int]:
    return select(func.count()).select_from(LoginSession).where(*_open(person_id, now))


def list_sessions(person_id: int, *, now: datetime) -> Sequence[LoginSession]:
    """Return the open sessions of one person, the latest first, at most fifty. One query."""
    query = select(LoginSession).where(*_open(person_id, now))
    return db.session.scalars(query.order_by(LoginSession.id.desc()).limit(50)).all()


def _open(person_id: int, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        LoginSession.person_id == person_id,
        LoginSession.ended_at.is_(None),
        LoginSession.expires_at > now,
    )


def throttle_keys(email: str, address: str) -> list[str]:
    """Return what failed tries are counted against: the account, then the network address."""
    return [
        f"sign-in:{hash_token(rules.normal_email(email))}",
        f"address:{throttle.network(address)}",
    ]


def device_keys(device_token: str | None) -> list[str]:
    """Return what tries on a remembered device are counted against: that device alone."""
    return [f"device:{hash_token(device_token or '')}"]


def password_key(person_id: int) -> str:
    """Return what a wrong old password is counted against, when somebody signed in changes it."""
    return f"password:{person_id}"


def count_failure(
    email: str, address: str, *, now: datetime, device_token: str | None = None
) -> None:
    """Count one refused try, also against the device if it is a remembered one. Flushes."""
    keys, person_id = throttle_keys(email, address), find_person_id(email)
    if person_id is not None and _is_known(person_id, device_token):
        keys += device_keys(device_token)
    throttle.failed(keys, now)


def count_wrong_password(person_id: int, *, now: datetime) -> None:
    """Count one wrong old password. Flushes."""
    throttle.failed([password_key(person_id)], now)


def begin_session(person: Person, *, now: datetime, agent: str = "") -> Viewer:
    """Begin a session and return its viewer; the token exists only there. Flushes.

    `agent` names browser and system in words, as `rules.device_words` does.
    """
    token = new_token()
    db.session.execute(
        _NEW_SESSION,
        {
            "person_id": person.id,
            "token_hash": hash_token(token),
            "created_at": now,
            "expires_at": now + rules.SESSION,
            "agent": agent,
        },
    )
    roles = frozenset(roles_of(person.id))
    return Viewer(person.id, person.public_id, person.name, roles, person.locale, token, now)


# The statement of every request, put together once: that costs more than running it.
_WHO = (
    select(
        Person.id,
        Person.public_id,
        Person.name,
        Person.locale,
        PersonRole.role,
        func.coalesce(LoginSession.seen_at, LoginSession.created_at).label("last"),
        SecondFactor.since,
    )
    .join(LoginSession, LoginSession.person_id == Person.id)
    .join(PersonRole, PersonRole.person_id == Person.id, isouter=True)
    .join(SecondFactor, SecondFactor.person_id == Person.id, isouter=True)
    .where(
        LoginSession.token_hash == bindparam("token"),
        LoginSession.ended_at.is_(None),
        LoginSession.expires_at > bindparam("now"),
        Person.disabled_at.is_(None),
    )
)


def load_viewer(
    token: str, *, idle: timedelta = rules.SESSION, second_factor: bool = False
) -> Viewer | None:
    """Return who is behind a session token, in one query; None when the session is over.

    Staff are forgotten after `idle` without a visit. With `second_factor`, those whose roles need
    one and who have none are marked.
    """
    now = clock.now()
    rows = read_alone(_WHO, {"token": hash_token(token), "now": now})
    if not rows:
        return None
    first = rows[0]
    roles = frozenset(row.role for row in rows if row.role)
    if rules.is_idle(first.last, now, roles, idle):
        return None
    lacking = second_factor and first.since is None and rules.needs_second_factor(roles)
    return Viewer(
        first.id, first.public_id, first.name, roles, first.locale, token, first.last, lacking
    )


def note_visit(token: str, *, now: datetime) -> None:
    """Write down that a session was used, to `rules.VISIT`. Flushes."""
    last = func.coalesce(LoginSession.seen_at, LoginSession.created_at)
    db.session.execute(
        update(LoginSession)
        .where(LoginSession.token_hash == hash_token(token), last <= now - rules.VISIT)
        .values(seen_at=now)
    )


def end_session(token: str, *, now: datetime) -> None:
    """End one session. Flushes."""
    db.session.execute(
        update(LoginSession)
        .where(LoginSession.token_hash == hash_token(token), LoginSession.ended_at.is_(None))
        .values(ended_at=now)
    )


def end_own_session(person_id: int, session_id: int, *, now: datetime) -> None:
    """End one session if it is this person's. Flushes."""
    db.session.execute(
        update(LoginSession)
        .where(
            LoginSession.id == session_id,
            LoginSession.person_id == person_id,
            LoginSession.ended_at.is_(None),
        )
        .values(ended_at=now)
    )


def end_sessions(person_id: int, *, now: datetime, keep: str | None = None) -> None:
    """End every session of a person, save the one whose token is `keep`. Flushes."""
    query = update(LoginSession).where(
        LoginSession.person_id == person_id, LoginSession.ended_at.is_(None)
    )
    if keep is not None:
        query = query.where(LoginSession.token_hash != hash_token(keep))
    db.session.execute(query.values(ended_at=now))


def renew_password(email: str, password_hash: str, *, now: datetime) -> None:
    """Give somebody who forgot theirs a new password and end all their sessions.

    For the operator at the machine, who has checked who is asking. Raises NotFound. Flushes.
    """
    person = db.session.scalar(select(Person).where(Person.email == rules.normal_email(email)))
    if person is None:
        raise NotFound(email)
    set_password(person, password_hash, now=now)
    end_sessions(person.id, now=now)
    audit.record("accounts.renew_password", f"person:{person.id}", actor_id=None, now=now)


def set_password(person: Person, password_hash: str, *, now: datetime) -> None:
    """Store a new password; whatever else could open the account without it ends. Flushes."""
    person.password_hash = password_hash
    end_resets(person.id, now=now)
    db.session.execute(
        update(PendingEntry)
        .where(PendingEntry.person_id == person.id, PendingEntry.used_at.is_(None))
        .values(used_at=now)
    )
    db.session.flush()


def end_resets(person_id: int, *, now: datetime) -> None:
    """End the links and codes that could still replace somebody's password. Flushes."""
    db.session.execute(
        update(PasswordReset)
        .where(PasswordReset.person_id == person_id, PasswordReset.ended_at.is_(None))
        .values(ended_at=now)
    )


def prove_own(person_id: int, password: str, *, maker: PasswordHasher, now: datetime) -> Proof:
    """Check the password of somebody signed in once more; call it outside a unit of work.

    Whoever finds a browser signed in must not be able to try passwords there without end: a wrong
    one is counted by `count_wrong_password`. Raises WrongCredentials, throttle.TooSoon.
    """
    person, key = get_person_by_id(person_id), password_key(person_id)
    check_wait(person_id, now=now)
    if not _fits(person, password, maker):
        raise WrongCredentials
    return Proof(person_id, person.password_hash, None, (key,))


def check_wait(person_id: int, *, now: datetime) -> None:
    """Let somebody signed in try a password, or not yet. Raises throttle.TooSoon."""
    throttle.check([password_key(person_id)], now)


def require(proof: Proof) -> Person:
    """Return the person whose own proof still holds; forget wrong tries. Flushes.

    Raises PasswordMoved, WrongCredentials.
    """
    for key in proof.throttle_keys:
        throttle.succeeded(key)
    return confirm(proof)


def change_password(proof: Proof, *, password_hash: str, token: str, now: datetime) -> None:
    """Change a password and end the other sessions. Raises PasswordMoved. Flushes."""
    person = require(proof)
    set_password(person, password_hash, now=now)
    end_sessions(person.id, now=now, keep=token)
    audit.record("accounts.password", f"person:{person.id}", actor_id=person.id, now=now)


def set_locale(person_id: int, locale: str) -> None:
    """Remember the language somebody reads. Flushes."""
    db.session.execute(update(Person).where(Person.id == person_id).values(locale=locale))


def rename(person_id: int, name: str, *, now: datetime, actor_id: int | None = None) -> None:
    """Change somebody's name; papers already issued keep the old one. Flushes.

    The trail says that, not the names: it is kept when the account is deleted.
    Who did it is the person, unless `actor_id` says otherwise.
    """
    person = get_person_by_id(person_id)
    if name == person.name:
        return
    audit.record(
        "accounts.rename",
        f"person:{person_id}",
        actor_id=actor_id or person_id,
        now=now,
    )
    person.name = name
    db.session.flush()


_ANYBODY = select(Person.id).limit(1)


def is_empty() -> bool:
    """Tell whether the installation has nobody yet."""
    return not read(_ANYBODY, {})


def new_setup_code(*, now: datetime) -> str:
    """Make the code that lets somebody become the first administrator; older ones end. Flushes."""
    code = "-".join(f"{secrets.randbelow(10**4):04d}" for _ in range(4))
    db.session.execute(delete(SetupCode))
    db.session.add(SetupCode(code_hash=hash_token(code), created_at=now))
    db.session.flush()
    return code


def create_first_admin(
    *,
    code: str,
    email: str,
    name: str,
    password_hash: str,
    address: str,
    now: datetime,
    agent: str = "",
) -> SignedIn:
    """Make the administrator of an empty installation.

    Raises AlreadySetUp, WrongCode, throttle.TooSoon. A wrong code is counted by `count_failure`
    under the name `setup`.
    """
    if not is_empty():
        raise AlreadySetUp
    throttle.check(throttle_keys("setup", address), now)
    used = db.session.execute(
        update(SetupCode)
        .where(SetupCode.code_hash == hash_token(code.strip()), SetupCode.used_at.is_(None))
        .values(used_at=now)
    )
    if used.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE has a row count
        raise WrongCode
    person = add_person(
        email=email, name=name, password_hash=password_hash, roles=["admin"], now=now
    )
    audit.record("accounts.first_admin", f"person:{person.id}", actor_id=person.id, now=now)
    return begin_whole(person, now=now, remember=True, agent=agent)


def _fits(person: Person | None, password: str, maker: PasswordHasher) -> bool:
    has_one = person is not None and person.password_hash != rules.NO_HASH
    # Whoever has no password is refused as slowly as whoever types a wrong one.
    stored = person.password_hash if person and has_one else _dummy_hash(maker)
    try:
        return maker.verify(stored, password) and has_one
    except (VerifyMismatchError, InvalidHashError):
        return False


def _is_known(person_id: int, device_token: str | None) -> bool:
    if not device_token:
        return False
    return (
        db.session.scalar(
            select(KnownDevice.id).where(
                KnownDevice.person_id == person_id,
                KnownDevice.token_hash == hash_token(device_token),
            )
        )
        is not None
    )


def _remember_device(person_id: int, now: datetime) -> str:
    token = new_token()
    db.session.add(KnownDevice(person_id=person_id, token_hash=hash_token(token), created_at=now))
    db.session.flush()
    return token
