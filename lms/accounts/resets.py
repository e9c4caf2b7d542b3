"""A new password for somebody who forgot theirs: by a link in a mail, or by a printed code."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, update

from lms.accounts import letters, rules
from lms.accounts import services as people
from lms.accounts.models import PasswordReset, Person, ResetRequest
from lms.accounts.vault import Vault, new_code
from lms.core import audit, throttle
from lms.core.db import db
from lms.core.errors import DomainError, Forbidden
from lms.core.ids import hash_token, new_token


class KeyGone(DomainError):
    """The link or code was used, is too old, gave way to a newer one or never was."""


@dataclass(frozen=True, slots=True)
class Printed:
    """A code as it stands on its slip. It exists only there."""

    name: str
    email: str
    code: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CodeNotice:
    """That somebody printed a code for the reader."""

    by: str
    at: datetime
    used: bool


@dataclass(frozen=True, slots=True)
class Opening:
    """Whose password a key may replace. Read outside the unit of work that uses it."""

    reset_id: int
    name: str
    email: str


# The link. What is done at once is the same for every address; whether there is an account is
# looked up by the round, so that neither the answer nor its time can tell.


def ask_link(email: str, address: str, *, now: datetime) -> None:
    """Take down that somebody wants a link. Raises throttle.TooSoon. Flushes."""
    keys = [
        f"mail:{hash_token(rules.normal_email(email))}",
        f"asked:{throttle.network(address)}",
    ]
    throttle.check(keys, now)
    throttle.failed(keys, now)
    db.session.add(ResetRequest(email=rules.normal_email(email), created_at=now))
    db.session.flush()


def answer(request_id: int, *, base_url: str, now: datetime) -> bool:
    """Send the link if there is such an account; tell whether. Forgets the request. Flushes.

    A request that waited too long (the machine stood still) is forgotten without an answer.
    """
    taken = db.session.execute(
        delete(ResetRequest)
        .where(ResetRequest.id == request_id)
        .returning(ResetRequest.email, ResetRequest.created_at)
    ).first()
    if taken is None or now - taken.created_at > rules.LINK:
        return False
    person = db.session.scalar(
        select(Person).where(Person.email == taken.email, Person.disabled_at.is_(None))
    )
    if person is None:
        return False
    token = new_token()
    _add(person.id, hash_token(token), now + rules.LINK, made_by=None, now=now)
    audit.record("accounts.ask_link", f"person:{person.id}", actor_id=None, now=now)
    letters.send(person, letters.reset_link, link=f"{base_url}/masuk/baru/{token}", now=now)
    return True


def look_up_link(token: str, *, now: datetime) -> Opening:
    """Return what a link opens. Reads only. Raises KeyGone."""
    return _look_up(hash_token(token), now)


# The code.


def print_code(
    person_id: int, *, actor_id: int, is_admin: bool, vault: Vault, now: datetime
) -> Printed:
    """Make a code for somebody; the one before ends. Flushes.

    Raises Forbidden when a trainer asks for somebody who holds a part in the office, or when the
    account is closed.
    """
    person = people.get_person_by_id(person_id)
    if person.disabled_at is not None:
        raise Forbidden(person.public_id)
    if not is_admin and not rules.may_print_code(people.roles_of(person_id)):
        raise Forbidden(person.public_id)
    code = new_code()
    _add(person_id, _code_hash(vault, person_id, code), now + rules.SLIP, made_by=actor_id, now=now)
    audit.record("accounts.print_code", f"person:{person_id}", actor_id=actor_id, now=now)
    letters.send(person, letters.code_printed, now=now)
    return Printed(person.name, person.email, rules.group_code(code), now + rules.SLIP)


def look_up_code(email: str, code: str, *, address: str, vault: Vault, now: datetime) -> Opening:
    """Return what an address and a code open. Reads only. Raises KeyGone, throttle.TooSoon.

    Nobody learns which of the two was wrong; a refused try is counted by `count_wrong_code`.
    """
    throttle.check(code_keys(email, address), now)
    person_id = people.find_person_id(email)
    return _look_up(_code_hash(vault, person_id or 0, rules.plain_code(code)), now)


def code_keys(email: str, address: str) -> list[str]:
    """Return what wrong codes are counted against."""
    return [
        f"code:{hash_token(rules.normal_email(email))}",
        f"address:{throttle.network(address)}",
    ]


def count_wrong_code(email: str, address: str, *, now: datetime) -> None:
    """Count one wrong code. Flushes."""
    throttle.failed(code_keys(email, address), now)


def find_notice(person_id: int) -> CodeNotice | None:
    """Return the newest code somebody printed for this person, for its owner to see. One query."""
    row = db.session.execute(
        select(Person.name, PasswordReset.created_at, PasswordReset.used)
        .join(PasswordReset, PasswordReset.made_by == Person.id)
        .where(PasswordReset.person_id == person_id)
        .order_by(PasswordReset.id.desc())
        .limit(1)
    ).first()
    return CodeNotice(*row) if row else None


def _code_hash(vault: Vault, person_id: int, code: str) -> str:
    return vault.digest("printed code", f"{person_id} {code}")


# Both.


def set_new_password(opening: Opening, password_hash: str, *, now: datetime) -> None:
    """Use the key up, store the password, end every session and tell the owner. Flushes.

    Raises KeyGone: of two who come at once, one succeeds.
    """
    taken = db.session.execute(
        update(PasswordReset)
        .where(PasswordReset.id == opening.reset_id, *_is_open(now))
        .values(ended_at=now, used=True)
        .returning(PasswordReset.person_id, PasswordReset.made_by)
    ).first()
    if taken is None:
        raise KeyGone
    person = people.get_person_by_id(taken.person_id)
    if person.disabled_at is not None or not _may_still_open(taken.made_by, person.id):
        raise KeyGone
    people.set_password(person, password_hash, now=now)
    people.end_sessions(person.id, now=now)
    throttle.succeeded(people.throttle_keys(person.email, "")[0])
    way = "link" if taken.made_by is None else "code"
    audit.record("accounts.reset", f"person:{person.id}", actor_id=person.id, now=now, by=way)
    letters.send(person, letters.password_changed, now=now)


def _may_still_open(made_by: int | None, person_id: int) -> bool:
    """Tell whether a code opens the account as it is now: its owner may hold more by today."""
    if made_by is None or "admin" in people.roles_of(made_by):
        return True
    return rules.may_print_code(people.roles_of(person_id))


def _is_open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return PasswordReset.ended_at.is_(None), PasswordReset.expires_at > now


def _look_up(key_hash: str, now: datetime) -> Opening:
    row = db.session.execute(
        select(PasswordReset.id, Person.name, Person.email)
        .join(Person, Person.id == PasswordReset.person_id)
        .where(PasswordReset.key_hash == key_hash, Person.disabled_at.is_(None), *_is_open(now))
    ).first()
    if row is None:
        raise KeyGone
    return Opening(*row)


def _add(
    person_id: int, key_hash: str, expires_at: datetime, *, made_by: int | None, now: datetime
) -> None:
    """Add a key; older ones of the same kind end. The person is locked: one at a time."""
    db.session.execute(select(Person.id).where(Person.id == person_id).with_for_update())
    kind = PasswordReset.made_by.is_(None) if made_by is None else PasswordReset.made_by > 0
    db.session.execute(
        update(PasswordReset)
        .where(PasswordReset.person_id == person_id, PasswordReset.ended_at.is_(None), kind)
        .values(ended_at=now)
    )
    db.session.add(
        PasswordReset(
            person_id=person_id,
            key_hash=key_hash,
            made_by=made_by,
            created_at=now,
            expires_at=expires_at,
        )
    )
    db.session.flush()
