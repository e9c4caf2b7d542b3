"""What people do with accounts. Services flush; entry points commit."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError

from lms.accounts import rules
from lms.accounts.models import KnownDevice, LoginSession, Person, PersonRole, SetupCode
from lms.core import audit, clock, throttle
from lms.core.db import db, insert_once
from lms.core.errors import DomainError, NotFound
from lms.core.ids import hash_token, new_token
from lms.core.login import ROLES, Viewer


class EmailTaken(DomainError):
    """Somebody already signs in with this address."""


class WrongCredentials(DomainError):
    """The address or the password is wrong; which of them is not said."""


class WrongCode(DomainError):
    """The one-time code does not fit or was used."""


class AlreadySetUp(DomainError):
    """There are people already: the first-administrator page is closed for good."""


class LastAdmin(DomainError):
    """The change would leave the installation without an administrator."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that just began: who, and the tokens the browser is to keep."""

    viewer: Viewer
    device_token: str | None


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
    """Create an account. Raises rules.WeakPassword and EmailTaken. Flushes."""
    email = rules.normal_email(email)
    rules.check_password(password, name=name, email=email)
    person = Person(
        email=email, name=name, password_hash=maker.hash(password), locale=locale, created_at=now
    )
    try:
        # The database decides: two requests at once would both find the address free.
        with db.session.begin_nested():
            db.session.add(person)
    except IntegrityError:
        raise EmailTaken(email) from None
    add_roles(person.id, roles)
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
    """Return the roles of one person, in alphabetical order."""
    return _roles_of([person_id]).get(person_id, ())


def roles_given() -> frozenset[str]:
    """Return the roles that somebody has. One query."""
    return frozenset(db.session.scalars(select(PersonRole.role).distinct()))


def _roles_of(ids: Sequence[int]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    rows = db.session.execute(
        select(PersonRole.person_id, PersonRole.role)
        .where(PersonRole.person_id.in_(ids))
        .order_by(PersonRole.role)
    )
    for row in rows:
        found[row.person_id] = (*found.get(row.person_id, ()), row.role)
    return found


def sign_in(
    *,
    email: str,
    password: str,
    address: str,
    device_token: str | None,
    maker: PasswordHasher,
    now: datetime,
    remember: bool = False,
) -> SignedIn:
    """Check a password and begin a session. Raises WrongCredentials and throttle.TooSoon.

    A guesser is slowed down per account and per network address. A device its owner let us
    `remember` waits only for what was guessed on it, so nobody can shut a companion out from
    elsewhere. A refused try is counted by `count_failure`, in a unit of work of its own: this one
    is rolled back.
    """
    person = db.session.scalar(select(Person).where(Person.email == rules.normal_email(email)))
    known = person is not None and _is_known(person.id, device_token)
    throttle.check(device_keys(device_token) if known else throttle_keys(email, address), now)
    if not _fits(person, password, maker) or person is None or person.disabled_at is not None:
        raise WrongCredentials
    if maker.check_needs_rehash(person.password_hash):
        person.password_hash = maker.hash(password)
    throttle.succeeded(throttle_keys(email, address)[0])
    if known:
        throttle.succeeded(device_keys(device_token)[0])
    fresh = _remember_device(person.id, now) if remember and not known else None
    return SignedIn(begin_session(person, now=now), fresh)


def throttle_keys(email: str, address: str) -> list[str]:
    """Return what failed tries are counted against: the account, then the network address."""
    return [f"sign-in:{hash_token(rules.normal_email(email))}", f"address:{address}"]


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


def begin_session(person: Person, *, now: datetime) -> Viewer:
    """Begin a session and return its viewer; the token exists only there. Flushes."""
    token = new_token()
    db.session.add(
        LoginSession(
            person_id=person.id,
            token_hash=hash_token(token),
            created_at=now,
            expires_at=now + rules.SESSION,
        )
    )
    db.session.flush()
    roles = frozenset(roles_of(person.id))
    return Viewer(person.id, person.public_id, person.name, roles, person.locale, token)


def begin_known(person: Person, *, now: datetime) -> SignedIn:
    """Begin a session in a browser that counts as known from now on. Flushes."""
    return SignedIn(begin_session(person, now=now), _remember_device(person.id, now))


def load_viewer(token: str) -> Viewer | None:
    """Return who is behind a session token, in one query; None when the session is over."""
    rows = db.session.execute(
        select(Person.id, Person.public_id, Person.name, Person.locale, PersonRole.role)
        .join(LoginSession, LoginSession.person_id == Person.id)
        .join(PersonRole, PersonRole.person_id == Person.id, isouter=True)
        .where(
            LoginSession.token_hash == hash_token(token),
            LoginSession.ended_at.is_(None),
            LoginSession.expires_at > clock.now(),
            Person.disabled_at.is_(None),
        )
    ).all()
    if not rows:
        return None
    first = rows[0]
    roles = frozenset(row.role for row in rows if row.role)
    return Viewer(first.id, first.public_id, first.name, roles, first.locale, token)


def end_session(token: str, *, now: datetime) -> None:
    """End one session. Flushes."""
    db.session.execute(
        update(LoginSession)
        .where(LoginSession.token_hash == hash_token(token), LoginSession.ended_at.is_(None))
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


def renew_password(email: str, *, maker: PasswordHasher, now: datetime) -> str:
    """Give somebody who forgot theirs a new password, end all their sessions and return it.

    For the operator at the machine, who has checked who is asking. Raises NotFound. Flushes.
    """
    person = db.session.scalar(select(Person).where(Person.email == rules.normal_email(email)))
    if person is None:
        raise NotFound(email)
    fresh = secrets.token_urlsafe(12)
    person.password_hash = maker.hash(fresh)
    end_sessions(person.id, now=now)
    audit.record("accounts.renew_password", f"person:{person.id}", actor_id=None, now=now)
    db.session.flush()
    return fresh


def change_password(
    person_id: int, *, old: str, new: str, token: str, maker: PasswordHasher, now: datetime
) -> None:
    """Change a password and end the other sessions.

    Whoever finds a browser signed in must not be able to try passwords there without end: a wrong
    one is counted by `count_wrong_password`. Raises WrongCredentials, WeakPassword,
    throttle.TooSoon. Flushes.
    """
    person = get_person_by_id(person_id)
    throttle.check([password_key(person_id)], now)
    if not _fits(person, old, maker):
        raise WrongCredentials
    throttle.succeeded(password_key(person_id))
    rules.check_password(new, name=person.name, email=person.email)
    person.password_hash = maker.hash(new)
    end_sessions(person_id, now=now, keep=token)
    audit.record("accounts.password", f"person:{person_id}", actor_id=person_id, now=now)
    db.session.flush()


def set_locale(person_id: int, locale: str) -> None:
    """Remember the language somebody reads. Flushes."""
    db.session.execute(update(Person).where(Person.id == person_id).values(locale=locale))


def rename(person_id: int, name: str, *, now: datetime) -> None:
    """Change somebody's name; papers already issued keep the old one. Flushes."""
    person = get_person_by_id(person_id)
    audit.record("accounts.rename", f"person:{person_id}", actor_id=person_id, now=now)
    person.name = name
    db.session.flush()


def is_empty() -> bool:
    """Tell whether the installation has nobody yet."""
    return db.session.scalar(select(Person.id).limit(1)) is None


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
    password: str,
    address: str,
    maker: PasswordHasher,
    now: datetime,
) -> SignedIn:
    """Make the administrator of an empty installation.

    Raises AlreadySetUp, WrongCode, throttle.TooSoon, rules.WeakPassword. A wrong code is counted
    by `count_failure` under the name `setup`.
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
    person = create_person(
        email=email, name=name, password=password, roles=["admin"], maker=maker, now=now
    )
    audit.record("accounts.first_admin", f"person:{person.id}", actor_id=person.id, now=now)
    return begin_known(person, now=now)


def _fits(person: Person | None, password: str, maker: PasswordHasher) -> bool:
    stored = person.password_hash if person else _dummy_hash(maker)
    try:
        return maker.verify(stored, password)
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
