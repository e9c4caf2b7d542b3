"""Another sign-in address: it counts once a link sent there has been opened."""

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from lms.accounts import letters, rules
from lms.accounts import services as people
from lms.accounts.models import AddressChange, Person
from lms.accounts.resets import KeyGone
from lms.core import audit, throttle
from lms.core.db import db
from lms.core.ids import hash_token, new_token


def ask(proof: people.Proof, email: str, *, base_url: str, now: datetime) -> None:
    """Send a link to the new address; an older one ends. Flushes.

    Raises throttle.TooSoon, people.PasswordMoved. Whether the address opens another account
    already is said only to whoever opens the link: it is their mailbox.
    """
    person, email = people.require(proof), rules.normal_email(email)
    key = f"mail:{hash_token(email)}"
    throttle.check([key], now)
    throttle.failed([key], now)
    _end_open(person.id, now)
    token = new_token()
    db.session.add(
        AddressChange(
            person_id=person.id,
            token_hash=hash_token(token),
            email=email,
            created_at=now,
            expires_at=now + rules.LINK,
        )
    )
    link = f"{base_url}/akun/surel/{token}"
    letters.send(person, letters.address_link, to=email, link=link, now=now)


def find_waiting(person_id: int, *, now: datetime) -> str | None:
    """Return the address that waits for its link to be opened, or None. One query."""
    return db.session.scalar(
        select(AddressChange.email).where(
            AddressChange.person_id == person_id,
            AddressChange.ended_at.is_(None),
            AddressChange.expires_at > now,
        )
    )


def look_up(token: str, person_id: int, *, now: datetime) -> str:
    """Return the new address a link of this person confirms. Reads only. Raises KeyGone."""
    email = db.session.scalar(
        select(AddressChange.email).where(
            AddressChange.token_hash == hash_token(token),
            AddressChange.person_id == person_id,
            AddressChange.ended_at.is_(None),
            AddressChange.expires_at > now,
        )
    )
    if email is None:
        raise KeyGone
    return email


def confirm(token: str, person_id: int, *, session_token: str, now: datetime) -> None:
    """Let the new address count, tell the old one, and end the other sessions. Flushes.

    Raises KeyGone, people.EmailTaken.
    """
    email = look_up(token, person_id, now=now)
    person = people.get_person_by_id(person_id)
    change(person, email, actor_id=person_id, now=now)
    people.end_sessions(person_id, now=now, keep=session_token)


def change(person: Person, email: str, *, actor_id: int, now: datetime) -> None:
    """Give an account another address and tell the old one. Raises people.EmailTaken. Flushes."""
    email, old = rules.normal_email(email), person.email
    if email == old:
        return
    try:
        with db.session.begin_nested():
            person.email = email
            db.session.flush()
    except IntegrityError:
        raise people.EmailTaken(email) from None
    _end_open(person.id, now)
    people.end_resets(person.id, now=now)  # a link in the old mailbox must open nothing
    audit.record("accounts.address", f"person:{person.id}", actor_id=actor_id, now=now)
    letters.send(person, letters.address_changed, to=old, now=now)


def _end_open(person_id: int, now: datetime) -> None:
    db.session.execute(
        update(AddressChange)
        .where(AddressChange.person_id == person_id, AddressChange.ended_at.is_(None))
        .values(ended_at=now)
    )
