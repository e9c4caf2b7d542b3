"""Taking a certificate back needs two people: one asks, another confirms. Services flush."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, select, update

from certificates import codes
from lms.accounts import services as accounts
from lms.core import audit
from lms.core.db import db, insert_once
from lms.core.errors import DomainError
from lms.credentials import services
from lms.credentials.models import Certificate, Outcome, RevocationRequest
from lms.credentials.register import get_entry, get_row
from lms.credentials.rules import Reason, Status


class AlreadyAsked(DomainError):
    """Somebody has asked to revoke this certificate, and it is not settled yet."""


class NothingAsked(DomainError):
    """Nobody asks to revoke this certificate now."""


class SamePerson(DomainError):
    """Who asked, or whose certificate it is, may not settle it: a second person looks at it."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A request to revoke, open or settled."""

    code: str
    number: str
    reason: Reason
    note: str
    by_id: int
    by: str
    at: datetime
    outcome: Outcome | None
    closed_by: str
    closed_at: datetime | None
    closing_note: str


def request_revocation(
    code: str, *, reason_public: Reason, reason_internal: str, by_id: int, now: datetime
) -> None:
    """Ask to take a certificate back. It stays valid until somebody else confirms. Flushes.

    Raises NotFound, services.NotInForce, AlreadyAsked.
    """
    row = get_row(code)
    found = get_entry(code, now)
    if found.status in (Status.REVOKED, Status.REPLACED):
        raise services.NotInForce(found.status)
    is_new = insert_once(
        RevocationRequest,
        certificate_id=row.id,
        reason_public=reason_public.value,
        reason_internal=reason_internal,
        by_id=by_id,
        at=now,
    )
    if not is_new:
        raise AlreadyAsked(code)
    audit.record(
        "credentials.ask_revocation",
        f"certificate:{row.id}",
        actor_id=by_id,
        now=now,
        reason=reason_public.value,
    )


def confirm_revocation(code: str, *, by_id: int, now: datetime) -> None:
    """Revoke what somebody else asked to revoke. From now on every check says so. Flushes.

    Raises NotFound, NothingAsked, SamePerson, services.NotInForce.
    """
    row = get_row(code)
    asked = _open_request(row.id)
    if by_id in (asked.by_id, row.person_id):
        raise SamePerson(code)
    _close(asked, Outcome.CONFIRMED, "", by_id, now)
    services.revoke(
        code,
        reason_public=Reason(asked.reason_public),
        reason_internal=asked.reason_internal,
        by_id=by_id,
        now=now,
    )


def decline_revocation(code: str, *, note: str, by_id: int, now: datetime) -> None:
    """Leave the certificate as it is: the second person declines, or the first takes it back.

    Its holder does neither for somebody else's request. Raises NotFound, NothingAsked, SamePerson.
    Flushes.
    """
    row = get_row(code)
    asked = _open_request(row.id)
    if by_id == row.person_id != asked.by_id:
        raise SamePerson(code)
    _close(asked, Outcome.DECLINED, note, by_id, now)
    audit.record("credentials.decline_revocation", f"certificate:{row.id}", actor_id=by_id, now=now)


def _open_request(certificate_id: int) -> RevocationRequest:
    found = db.session.scalar(
        select(RevocationRequest).where(
            RevocationRequest.certificate_id == certificate_id,
            RevocationRequest.closed_at.is_(None),
        )
    )
    if found is None:
        raise NothingAsked(str(certificate_id))
    return found


def _close(
    asked: RevocationRequest, outcome: Outcome, note: str, by_id: int, now: datetime
) -> None:
    closed = db.session.execute(
        update(RevocationRequest)
        .where(RevocationRequest.id == asked.id, RevocationRequest.closed_at.is_(None))
        .values(outcome=outcome, closing_note=note, closed_by=by_id, closed_at=now),
        execution_options={"synchronize_session": False},
    )
    if cast("CursorResult[Any]", closed).rowcount != 1:
        raise NothingAsked(str(asked.certificate_id))
    db.session.refresh(asked)


def list_requests(code: str) -> list[Asked]:
    """Return every request about one certificate, oldest first; two queries."""
    return _list(Certificate.code == (codes.normalise(code) or ""))


def list_open(limit: int = 50) -> list[Asked]:
    """Return the requests that wait for a second person, oldest first; two queries."""
    return _list(RevocationRequest.closed_at.is_(None), limit=limit)


def _list(*where: Any, limit: int = 50) -> list[Asked]:
    rows = db.session.execute(
        select(RevocationRequest, Certificate.code, Certificate.number)
        .join(Certificate, Certificate.id == RevocationRequest.certificate_id)
        .where(*where)
        .order_by(RevocationRequest.id)
        .limit(limit)
    ).all()
    names = accounts.names_of(
        {one.by_id for one, *_ in rows} | {one.closed_by for one, *_ in rows if one.closed_by}
    )
    return [
        Asked(
            code,
            number,
            Reason(one.reason_public),
            one.reason_internal,
            one.by_id,
            names[one.by_id],
            one.at,
            one.outcome,
            names.get(one.closed_by or 0, ""),
            one.closed_at,
            one.closing_note,
        )
        for one, code, number in rows
    ]


def has_second_person() -> bool:
    """Tell whether there are two administrators, so that one can confirm what the other asks."""
    return accounts.count_active("admin") > 1
