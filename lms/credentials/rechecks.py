"""Certificates whose evidence was corrected after the decision: listed, and decided by people.

They stay as they were issued. An administrator keeps one, asks to revoke it, or writes a note; each
is a line of its own, and none is ever changed. Services flush.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import exists, func, select

from lms.accounts import services as accounts
from lms.competency import rules as competency_rules
from lms.competency import services as competency
from lms.competency.rules import Row
from lms.core import audit
from lms.core.db import db, insert_once
from lms.core.errors import NotFound
from lms.credentials import revocations, services
from lms.credentials.models import (
    Certificate,
    CertificateEvent,
    Decision,
    Recheck,
    RecheckNote,
    RecheckStep,
)
from lms.credentials.register import list_held
from lms.credentials.rules import Reason, SchemeText, Status
from lms.credentials.schemes import requirement

PAGE = 50
SETTLING = (RecheckStep.KEEP, RecheckStep.REVOKE)
Swap = Callable[[Sequence[Row]], list[Row]]
"""Makes of somebody's rows what they are after a correction."""


@dataclass(frozen=True, slots=True)
class Shaken:
    """A certificate in force whose decision would read otherwise now."""

    certificate_id: int
    code: str
    number: str
    scheme: str
    changes: dict[str, tuple[str, str]]
    """KUK to its verdict before and after."""
    missing: tuple[tuple[str, str], ...]
    """What the scheme lacks now and did not lack before: kind and code."""


def list_shaken(
    person_ids: Collection[int], swap: Callable[[int], Swap], *, now: datetime
) -> dict[int, list[Shaken]]:
    """Return the certificates in force that a correction touches, by person.

    `swap` gives for a person what makes of their rows those after the correction. Each decision is
    judged twice as of its own day, by the standard and the scheme it was made under. Two queries,
    and two for each version of the standard decisions were made under.
    """
    held = [one for one in list_held(list(person_ids), now) if one.status is Status.VALID]
    decisions = {
        row.certificate_id: row[1]
        for row in db.session.execute(
            select(Certificate.id.label("certificate_id"), Decision)
            .join(Decision, Decision.id == Certificate.decision_id)
            .where(Certificate.id.in_([one.id for one in held]))
        )
    }
    versions = {one.standard_version_id for one in decisions.values()}
    standards = {one: competency.version(one) for one in versions}
    holders = list({one.person_id for one in held})
    ledgers = {one: competency.rows_of(holders, found) for one, found in standards.items()}
    found: dict[int, list[Shaken]] = {}
    for entry in held:
        decision = decisions[entry.id]
        standard = standards[decision.standard_version_id].standard
        rows = ledgers[decision.standard_version_id].get(entry.person_id, [])
        before = _judge(decision, standard, rows)
        after = _judge(decision, standard, swap(entry.person_id)(rows))
        changes = {
            code: (was.value, after.verdicts[code].value)
            for code, was in before.verdicts.items()
            if was is not after.verdicts[code]
        }
        lacked = {(one.kind.value, one.code) for one in before.missing}
        lacks = [(one.kind.value, one.code) for one in after.missing]
        missing = tuple(one for one in lacks if one not in lacked)
        if changes or missing:
            shaken = Shaken(entry.id, entry.code, entry.number, entry.scheme, changes, missing)
            found.setdefault(entry.person_id, []).append(shaken)
    return found


def _judge(
    decision: Decision, standard: competency_rules.Standard, rows: Sequence[Row]
) -> competency_rules.Judgement:
    asked = requirement(SchemeText.read(decision.trace["scheme"]))
    return competency_rules.judge(
        standard, rows, asked, decision.decided_at, holds=frozenset(asked.holds)
    )


def open_recheck(found: Shaken, *, cause: str, about: str, now: datetime) -> bool:
    """List a certificate to be looked at; the same cause lists it once. Flushes."""
    return insert_once(
        Recheck,
        certificate_id=found.certificate_id,
        cause=cause,
        about=about,
        changes={
            "verdicts": {code: list(both) for code, both in found.changes.items()},
            "missing": [list(one) for one in found.missing],
        },
        at=now,
    )


@dataclass(frozen=True, slots=True)
class Note:
    """One thing somebody said."""

    step: RecheckStep
    text: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Listed:
    """One certificate to be looked at, with what was said."""

    public_id: str
    code: str
    number: str
    holder_name: str
    cause: str
    about: str
    verdicts: dict[str, list[str]]
    missing: list[list[str]]
    at: datetime
    ended: bool
    """Revoked or replaced meanwhile."""
    notes: tuple[Note, ...]

    @property
    def correction(self) -> str:
        """Public id of the correction."""
        return self.cause.partition(":")[2]


def _settled() -> Any:
    said = exists().where(RecheckNote.recheck_id == Recheck.id, RecheckNote.step.in_(SETTLING))
    over = exists().where(CertificateEvent.certificate_id == Recheck.certificate_id)
    return said | over


def count_open() -> int:
    """Return how many certificates wait for a decision. One query."""
    return db.session.scalar(select(func.count(Recheck.id)).where(~_settled())) or 0


def list_rechecks(
    *, settled: bool = False, cause: str = "", before: int | None = None, limit: int = PAGE
) -> list[tuple[int, Listed]]:
    """Return certificates to be looked at, newest first, with their row's id. Three queries."""
    query = _select().where(_settled() if settled else ~_settled())
    if cause:
        query = query.where(Recheck.cause == cause)
    if before is not None:
        query = query.where(Recheck.id < before)
    return _read(db.session.execute(query.order_by(Recheck.id.desc()).limit(limit)).all())


def count_by_cause(cause: str) -> int:
    """Return how many certificates a cause listed. One query."""
    return db.session.scalar(select(func.count(Recheck.id)).where(Recheck.cause == cause)) or 0


def get_recheck(public_id: str) -> Listed:
    """Return one certificate to be looked at. Three queries. Raises NotFound."""
    rows = db.session.execute(_select().where(Recheck.public_id == public_id)).all()
    if not rows:
        raise NotFound(public_id)
    return _read(rows)[0][1]


def _select() -> Any:
    ended = exists().where(CertificateEvent.certificate_id == Recheck.certificate_id)
    return select(
        Recheck,
        Certificate.code,
        Certificate.number,
        Certificate.holder_name,
        ended.label("ended"),
    ).join(Certificate, Certificate.id == Recheck.certificate_id)


def _read(rows: Sequence[Any]) -> list[tuple[int, Listed]]:
    said = db.session.scalars(
        select(RecheckNote)
        .where(RecheckNote.recheck_id.in_([row[0].id for row in rows]))
        .order_by(RecheckNote.id)
    ).all()
    names = accounts.names_of({one.by_id for one in said})
    notes: dict[int, list[Note]] = {}
    for one in said:
        note = Note(one.step, one.text, names.get(one.by_id, ""), one.at)
        notes.setdefault(one.recheck_id, []).append(note)
    return [
        (
            row.id,
            Listed(
                public_id=row.public_id,
                code=code,
                number=number,
                holder_name=holder,
                cause=row.cause,
                about=row.about,
                verdicts=row.changes["verdicts"],
                missing=row.changes["missing"],
                at=row.at,
                ended=ended,
                notes=tuple(notes.get(row.id, ())),
            ),
        )
        for row, code, number, holder, ended in rows
    ]


def decide(
    public_id: str,
    step: RecheckStep,
    text: str,
    *,
    by_id: int,
    two_persons: bool,
    now: datetime,
) -> None:
    """Write down what an administrator says about a certificate. Flushes.

    REVOKE asks for the revocation by the way of the register: with `two_persons` somebody else
    confirms it. Raises NotFound, and what revocations and services.revoke raise.
    """
    found = get_recheck(public_id)
    if step is RecheckStep.REVOKE:
        act = revocations.request_revocation if two_persons else services.revoke
        act(found.code, reason_public=Reason.ERROR, reason_internal=text, by_id=by_id, now=now)
    row = db.session.scalars(select(Recheck).where(Recheck.public_id == public_id)).one()
    db.session.add(RecheckNote(recheck_id=row.id, step=step, text=text, by_id=by_id, at=now))
    db.session.flush()
    audit.record(
        "credentials.recheck",
        f"certificate:{row.certificate_id}",
        actor_id=by_id,
        now=now,
        step=step.value,
        cause=row.cause,
    )
