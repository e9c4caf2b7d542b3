"""The second factor: an authenticator's codes, and ten codes on paper for when it is lost."""

import hmac
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, or_, select, update

from lms.accounts import letters, rules
from lms.accounts import services as people
from lms.accounts.models import PendingEntry, RecoveryCode, SecondFactor
from lms.accounts.vault import Locked, Vault, new_code
from lms.core import audit, throttle
from lms.core.db import db, insert_once
from lms.core.errors import DomainError, NotFound
from lms.core.ids import hash_token

ISSUER = "Suluh"
"""What an authenticator shows above the code."""


class EntryOver(DomainError):
    """The sign-in that waited for its code is too old, was used or never was."""


class NothingBegun(DomainError):
    """There is no new secret that waits for its first code, or it waited too long."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody's second factor stands."""

    since: datetime | None
    codes_left: int

    @property
    def is_set(self) -> bool:
        """Tell whether signing in asks for a code."""
        return self.since is not None


def read(person_id: int) -> Standing:
    """Return how somebody's second factor stands. One query."""
    left = (
        select(func.count())
        .select_from(RecoveryCode)
        .where(RecoveryCode.person_id == person_id, RecoveryCode.used_at.is_(None))
        .scalar_subquery()
    )
    row = db.session.execute(
        select(SecondFactor.since, left).where(SecondFactor.person_id == person_id)
    ).first()
    return Standing(*row) if row else Standing(None, 0)


# Setting it up


def begin(person_id: int, *, vault: Vault, now: datetime) -> None:
    """Make a secret that waits for its first code; the one in force stays until then. Flushes."""
    import pyotp

    insert_once(SecondFactor, person_id=person_id)
    sealed = vault.seal(pyotp.random_base32(32))
    db.session.execute(
        update(SecondFactor)
        .where(SecondFactor.person_id == person_id)
        .values(next_sealed=sealed, next_at=now)
    )


def waiting_secret(person_id: int, *, vault: Vault, now: datetime) -> str | None:
    """Return the secret that waits for its first code, for its owner's screen. One query."""
    row = db.session.get(SecondFactor, person_id)
    if row is None or row.next_sealed is None or row.next_at is None:
        return None
    if now - row.next_at > rules.ENROLMENT:
        return None
    try:
        return vault.open(row.next_sealed)
    except Locked:
        return None


def address_of(secret: str, email: str, host: str) -> str:
    """Return what the square shows an authenticator."""
    import pyotp

    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=f"{ISSUER} {host}")


def enrol(person_id: int, typed: str, *, token: str, vault: Vault, now: datetime) -> list[str]:
    """Put the waiting secret in force and return fresh recovery codes. Flushes.

    Every other session ends. Raises NothingBegun, people.WrongCode, throttle.TooSoon.
    """
    throttle.check([code_key(person_id)], now)
    secret = waiting_secret(person_id, vault=vault, now=now)
    if secret is None:
        raise NothingBegun
    step = _step_of(secret, typed, now)
    if step is None:
        raise people.WrongCode
    person = people.get_person_by_id(person_id)
    row = db.session.get_one(SecondFactor, person_id)
    row.sealed, row.since, row.last_step = row.next_sealed, now, step
    row.next_sealed, row.next_at = None, None
    codes = _renew_codes(person_id, vault)
    people.end_sessions(person_id, now=now, keep=token)
    throttle.succeeded(code_key(person_id))
    audit.record("accounts.second_factor", f"person:{person_id}", actor_id=person_id, now=now)
    letters.send(person, letters.factor_set, now=now)
    return codes


def renew_codes(person_id: int, *, vault: Vault, now: datetime) -> list[str]:
    """Replace the recovery codes; call it after `check`. Flushes."""
    audit.record("accounts.recovery_codes", f"person:{person_id}", actor_id=person_id, now=now)
    return _renew_codes(person_id, vault)


def _renew_codes(person_id: int, vault: Vault) -> list[str]:
    db.session.execute(delete(RecoveryCode).where(RecoveryCode.person_id == person_id))
    codes = [new_code() for _ in range(rules.RECOVERY_CODES)]
    for code in codes:
        db.session.add(RecoveryCode(person_id=person_id, code_hash=_code_hash(vault, code)))
    db.session.flush()
    return [rules.group_code(code) for code in codes]


def remove(person_id: int, *, actor_id: int | None, now: datetime) -> None:
    """Take somebody's second factor away, end their sessions and tell them. Flushes.

    Raises NotFound when there is none.
    """
    person = people.get_person_by_id(person_id)
    if not people.has_second_factor(person_id):
        raise NotFound(person.public_id)
    _forget(person_id)
    people.end_sessions(person_id, now=now)
    audit.record("accounts.no_second_factor", f"person:{person_id}", actor_id=actor_id, now=now)
    letters.send(person, letters.factor_removed, now=now)


def _forget(person_id: int) -> None:
    for table in (RecoveryCode, SecondFactor):
        db.session.execute(delete(table).where(table.person_id == person_id))


# Asking for it


def code_key(person_id: int) -> str:
    """Return what wrong codes of a second factor are counted against."""
    return f"second:{person_id}"


def count_wrong_code(person_id: int, *, now: datetime) -> None:
    """Count one wrong code of a second factor. Flushes."""
    throttle.failed([code_key(person_id)], now)


def check(person_id: int, typed: str, *, vault: Vault, now: datetime) -> None:
    """Use a code of the authenticator or a recovery code up. Flushes.

    No code is taken twice. Raises people.WrongCode, throttle.TooSoon; a wrong code is counted by
    `count_wrong_code`, in a unit of work of its own.
    """
    throttle.check([code_key(person_id)], now)
    if rules.is_totp(typed):
        _use_step(person_id, typed, vault, now)
    else:
        _use_recovery_code(person_id, typed, vault, now)
    throttle.succeeded(code_key(person_id))


def _use_step(person_id: int, typed: str, vault: Vault, now: datetime) -> None:
    row = db.session.get(SecondFactor, person_id)
    if row is None or row.sealed is None:
        raise people.WrongCode
    try:
        secret = vault.open(row.sealed)
    except Locked:
        raise people.WrongCode from None
    step = _step_of(secret, typed, now)
    if step is None:
        raise people.WrongCode
    taken = db.session.execute(
        update(SecondFactor)
        .where(
            SecondFactor.person_id == person_id,
            or_(SecondFactor.last_step.is_(None), SecondFactor.last_step < step),
        )
        .values(last_step=step)
    )
    if taken.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE has a row count
        raise people.WrongCode


def _step_of(secret: str, typed: str, now: datetime) -> int | None:
    """Return the step whose code this is, the newest first, or None."""
    import pyotp

    digits, maker = typed.replace(" ", ""), pyotp.TOTP(secret, interval=rules.STEP)
    fitting = [
        step
        for step in rules.steps_around(now)
        if hmac.compare_digest(maker.generate_otp(step).encode(), digits.encode())
    ]
    return fitting[-1] if fitting else None


def _use_recovery_code(person_id: int, typed: str, vault: Vault, now: datetime) -> None:
    used = db.session.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.person_id == person_id,
            RecoveryCode.code_hash == _code_hash(vault, rules.plain_code(typed)),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
    )
    if used.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE has a row count
        raise people.WrongCode
    person = people.get_person_by_id(person_id)
    audit.record("accounts.recovery_code", f"person:{person_id}", actor_id=person_id, now=now)
    letters.send(person, letters.recovery_used, now=now)


def _code_hash(vault: Vault, code: str) -> str:
    return vault.digest("recovery code", code)


# The half of a sign-in that is still to come


def find_half(token: str | None, *, now: datetime) -> int | None:
    """Return who waits to type a code in this browser, or None. One query."""
    if not token:
        return None
    return db.session.scalar(select(PendingEntry.person_id).where(*_is_waiting(token, now)))


def complete(
    token: str, typed: str, *, agent: str = "", vault: Vault, now: datetime
) -> people.SignedIn:
    """Begin the session of a sign-in whose code fits. Flushes.

    Raises EntryOver, people.WrongCode, throttle.TooSoon.
    """
    used = db.session.execute(
        update(PendingEntry)
        .where(*_is_waiting(token, now))
        .values(used_at=now)
        .returning(PendingEntry.person_id, PendingEntry.remember)
    ).first()
    if used is None:
        raise EntryOver
    person = people.get_person_by_id(used.person_id)
    if person.disabled_at is not None:
        raise EntryOver
    check(person.id, typed, vault=vault, now=now)  # a wrong code rolls back: the entry still waits
    return people.begin_whole(person, now=now, remember=used.remember, agent=agent)


def _is_waiting(token: str, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        PendingEntry.token_hash == hash_token(token),
        PendingEntry.used_at.is_(None),
        PendingEntry.expires_at > now,
    )
