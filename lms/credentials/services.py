"""What people do with certificates: decide, issue, correct, revoke. Services flush.

Certificates and decisions are facts that never change; what happens later is an event beside them,
and what a certificate is worth is derived from both (register.py).
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.exc import IntegrityError

from certificates import codes
from certificates.document import Certificate as Paper
from certificates.document import Language
from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import Part
from lms.cohorts.services import MayNotAssess
from lms.competency import rules as competency_rules
from lms.competency import services as competency
from lms.competency.rules import Judgement, Missing, MissingKind
from lms.core import audit
from lms.core.clock import ZONES
from lms.core.db import db, insert_into, insert_once
from lms.core.errors import DomainError, Forbidden
from lms.credentials import paper, rules
from lms.credentials.content import SchemeSpec
from lms.credentials.models import (
    Certificate,
    CertificateEvent,
    Decision,
    Document,
    EventKind,
    NumberCounter,
)
from lms.credentials.register import Entry, get_entry, get_row, list_held
from lms.credentials.rules import (
    AlreadyIssued,
    Place,
    Reason,
    RevokedForViolation,
    Status,
)
from lms.credentials.schemes import get_scheme, list_schemes, requirement

PDF = "application/pdf"


class NotReady(DomainError):
    """Something the scheme asks for is missing; `missing` says what."""

    def __init__(self, missing: Sequence[Missing]) -> None:
        super().__init__(f"{len(missing)} things are missing")
        self.missing = tuple(missing)


class NotTheirTrainer(Forbidden):
    """Who signs is not a trainer of this class, or the person has no seat in it."""


class NotInForce(DomainError):
    """The certificate was revoked or replaced before; `status` says which."""

    def __init__(self, status: Status) -> None:
        super().__init__(status.value)
        self.status = status


class NothingToCorrect(DomainError):
    """The name on the paper is the holder's name already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far somebody is towards one scheme."""

    scheme: SchemeSpec
    judgement: Judgement
    held: Entry | None
    """The newest certificate of the scheme, whatever it is worth."""

    @property
    def reached(self) -> int:
        """How many criteria are reached."""
        return sum(verdict.reached for verdict in self.judgement.verdicts.values())

    @property
    def is_ahead(self) -> bool:
        """Tell whether the next certificate of the scheme is still to be reached.

        A scheme that builds on another one is not ahead before that one is held, unless begun.
        """
        waits = any(missing.kind is MissingKind.HOLDS for missing in self.judgement.missing)
        if self.held is None:
            return not waits or self.reached > 0
        return self.held.status is not Status.VALID or self.held.ends_soon


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What somebody holds, and what is ahead."""

    standard: competency_rules.Standard
    held: list[Entry]
    progress: list[Progress]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """What a trainer sees before signing. `hindrance` is None when the signature is possible."""

    scheme: SchemeSpec
    standard: competency_rules.Standard
    judgement: Judgement
    units: list[paper.UnitResult]
    held: Entry | None
    hindrance: DomainError | None


# Judgement


def _judge(
    person_id: int,
    scheme: SchemeSpec,
    current: competency.Current,
    held: Iterable[Entry],
    at: datetime,
    rows: list[competency_rules.Row] | None = None,
) -> Judgement:
    return competency_rules.judge(
        current.standard,
        competency.rows_of_one(person_id, current) if rows is None else rows,
        requirement(scheme),
        at,
        holds=frozenset(entry.scheme for entry in held if entry.status is Status.VALID),
    )


def get_outlook(person_id: int, at: datetime) -> Outlook:
    """Return what one person holds and how far they are towards every scheme; four queries."""
    current = competency.current()
    rows = competency.rows_of_one(person_id, current)
    held = list_held([person_id], at)
    newest = {entry.scheme: entry for entry in held}
    return Outlook(
        standard=current.standard,
        held=held,
        progress=[
            Progress(
                scheme=scheme,
                judgement=_judge(person_id, scheme, current, held, at, rows),
                held=newest.get(scheme.code),
            )
            for scheme in list_schemes()
        ],
    )


def prepare_decision(person_id: int, scheme_code: str, signer_id: int, at: datetime) -> Deciding:
    """Return what a trainer has to see before signing. Raises NotFound."""
    scheme, current = get_scheme(scheme_code), competency.current()
    held = list_held([person_id], at)
    found = _judge(person_id, scheme, current, held, at)
    same = [entry for entry in held if entry.scheme == scheme_code]
    return Deciding(
        scheme=scheme,
        standard=current.standard,
        judgement=found,
        units=paper.unit_results(current.standard, scheme, found.verdicts),
        held=same[-1] if same else None,
        hindrance=_find_hindrance(person_id, signer_id, same, at),
    )


def _find_hindrance(
    person_id: int, signer_id: int, same: Sequence[Entry], at: datetime
) -> DomainError | None:
    try:
        cohorts.check_may_assess(signer_id, person_id)
        rules.place_of_next([entry.life for entry in same], at)
    except (MayNotAssess, AlreadyIssued, RevokedForViolation) as error:
        return error
    return None


# Issue


def issue(
    person_id: int,
    scheme_code: str,
    *,
    cohort_id: int,
    signer_id: int,
    now: datetime,
    base_url: str,
    sample: bool,
    language: Language = "id",
) -> Certificate:
    """Sign the decision that somebody met a scheme and issue the certificate. Flushes.

    The evidence is judged again here, whatever a page showed before. Raises NotFound,
    NotTheirTrainer, cohorts.MayNotAssess, NotReady, AlreadyIssued, rules.RevokedForViolation,
    paper.DoesNotFitOnPaper.
    """
    _require_trainer(person_id, cohort_id, signer_id)
    cohorts.check_may_assess(signer_id, person_id)
    scheme, current = get_scheme(scheme_code), competency.current()
    held = list_held([person_id], now)
    place = rules.place_of_next([e.life for e in held if e.scheme == scheme_code], now)
    found = _judge(person_id, scheme, current, held, now)
    if not found.ready:
        raise NotReady(found.missing)
    decision = Decision(
        person_id=person_id,
        scheme_code=scheme_code,
        cohort_id=cohort_id,
        standard_version_id=current.id,
        signed_by=signer_id,
        decided_at=now,
        trace=_trace(scheme, current, found, held),
    )
    with _all_or_nothing():
        written = _write(decision, scheme, current, found, language, base_url, sample=sample)
        certificate = _store(written, decision, place, now)
    audit.record(
        "credentials.issue",
        f"certificate:{certificate.id}",
        actor_id=signer_id,
        now=now,
        number=certificate.number,
        decision=decision.id,
    )
    return certificate


def reissue(code: str, *, by_id: int, now: datetime, base_url: str) -> Certificate:
    """Replace a certificate by the same one with the holder's present name. Flushes.

    Number, term, dates and decision stay; the code is new. Raises NotFound, NotInForce,
    NothingToCorrect, AlreadyIssued, paper.DoesNotFitOnPaper.
    """
    old = get_row(code)
    found = get_entry(code, now)
    if found.status is not Status.VALID:
        raise NotInForce(found.status)
    name = accounts.get_person_by_id(old.person_id).name
    if name == old.holder_name:
        raise NothingToCorrect(old.code)
    corrected = paper.correct(
        paper.read(old.snapshot), code=codes.new_code(), base_url=base_url, holder_name=name
    )
    place = Place(old.term, old.id, old.revision + 1)
    with _all_or_nothing():
        new = _store(corrected, db.session.get_one(Decision, old.decision_id), place, now)
        _add_event(old, EventKind.REPLACED, "", "", by_id, now)
    audit.record(
        "credentials.reissue",
        f"certificate:{new.id}",
        actor_id=by_id,
        now=now,
        follows=old.id,
    )
    return new


def revoke(
    code: str, *, reason_public: Reason, reason_internal: str, by_id: int, now: datetime
) -> None:
    """Take a certificate back; only the public reason is ever shown to strangers. Flushes.

    Raises NotFound, NotInForce.
    """
    row = get_row(code)
    found = get_entry(code, now)
    if found.status in (Status.REVOKED, Status.REPLACED):
        raise NotInForce(found.status)
    try:
        with db.session.begin_nested():
            _add_event(row, EventKind.REVOKED, reason_public, reason_internal, by_id, now)
    except IntegrityError:
        raise NotInForce(Status.REVOKED) from None
    audit.record(
        "credentials.revoke",
        f"certificate:{row.id}",
        actor_id=by_id,
        now=now,
        reason=reason_public.value,
    )


def _require_trainer(person_id: int, cohort_id: int, signer_id: int) -> None:
    staff, seats = cohorts.list_staff(cohort_id), cohorts.list_seats(cohort_id)
    trains = any(s.person_id == signer_id and s.part is Part.TRAINER for s in staff)
    if not trains or all(seat.person_id != person_id for seat in seats):
        raise NotTheirTrainer(f"cohort {cohort_id}")


def _trace(
    scheme: SchemeSpec, current: competency.Current, found: Judgement, held: Iterable[Entry]
) -> dict[str, Any]:
    """Return what the decision rests on, frozen: rules, verdicts and the rows behind them."""
    return {
        "scheme": scheme.model_dump(mode="json"),
        "standard": current.standard.version,
        "verdicts": {code: verdict.value for code, verdict in found.verdicts.items()},
        "evidence": {code: list(ids) for code, ids in found.evidence.items()},
        "holds": [entry.code for entry in held if entry.status is Status.VALID],
    }


@contextmanager
def _all_or_nothing() -> Iterator[None]:
    """Keep decision, number and certificate together: refused by the database, none remains.

    Two people who press the button at once pass every check before; the unique key lets one in.
    """
    try:
        with db.session.begin_nested():
            yield
    except IntegrityError as error:
        raise AlreadyIssued("at the same moment") from error


def _write(
    decision: Decision,
    scheme: SchemeSpec,
    current: competency.Current,
    found: Judgement,
    language: Language,
    base_url: str,
    *,
    sample: bool,
) -> Paper:
    """Store the decision, take its number and return what the paper says."""
    db.session.add(decision)
    db.session.flush()
    cohort = cohorts.get_cohort_by_id(decision.cohort_id)
    issued_on = decision.decided_at.astimezone(ZONES[cohort.zone]).date()
    teachers = [
        line.name for line in cohorts.list_staff(cohort.id) if line.part is not Part.ASSESSOR
    ]
    return paper.write(
        scheme=scheme,
        standard=current.standard,
        is_draft=current.is_draft,
        verdicts=found.verdicts,
        issuer=paper.Issuer(
            letterhead=tuple(cohort.letterhead),
            started_on=cohort.starts_on,
            ended_on=cohort.ends_on,
            place=cohort.city,
            signatory_title=cohort.signatory_title,
            signatory_name=cohort.signatory_name,
            signatory_number=cohort.signatory_number,
            trainers=tuple(dict.fromkeys(teachers)),
        ),
        identity=paper.Identity(
            number=_next_number(cohort.host_id, scheme, issued_on.year),
            code=codes.new_code(),
            base_url=base_url,
            holder_name=accounts.get_person_by_id(decision.person_id).name,
            issued_on=issued_on,
            valid_until=rules.months_later(issued_on, current.standard.certificate_months),
        ),
        language=language,
        sample=sample,
    )


def _next_number(issuer_id: int, scheme: SchemeSpec, year: int) -> str:
    """Take the next number of an issuer, scheme and year.

    The row stays locked until the transaction ends, so a number that is not used is not lost.
    """
    last = db.session.scalar(
        insert_into(NumberCounter)
        .values(issuer_id=issuer_id, scheme_code=scheme.code, year=year, last=1)
        .on_conflict_do_update(
            index_elements=["issuer_id", "scheme_code", "year"],
            set_={"last": NumberCounter.last + 1},
        )
        .returning(NumberCounter.last)
    )
    return scheme.number_pattern.format(number=last, scheme=scheme.code, year=year)


def _store(written: Paper, decision: Decision, place: Place, now: datetime) -> Certificate:
    """Draw a paper and store its bytes under their hash, then the certificate itself."""
    body, digest = paper.draw(written)
    insert_once(Document, sha256=digest, media_type=PDF, body=body, created_at=now)
    certificate = Certificate(
        person_id=decision.person_id,
        decision_id=decision.id,
        scheme_code=decision.scheme_code,
        standard_version_id=decision.standard_version_id,
        term=place.term,
        revision=place.revision,
        follows_id=place.follows_id,
        code=written.code,
        number=written.number,
        issuer_id=cohorts.get_cohort_by_id(decision.cohort_id).host_id,
        holder_name=written.holder_name,
        issued_at=now,
        valid_until=written.valid_until,
        snapshot=written.to_dict(),
        document_sha256=digest,
    )
    db.session.add(certificate)
    db.session.flush()
    return certificate


def _add_event(
    row: Certificate, kind: EventKind, public: str, internal: str, by_id: int, now: datetime
) -> None:
    db.session.add(
        CertificateEvent(
            certificate_id=row.id,
            kind=kind,
            reason_public=public,
            reason_internal=internal,
            by_id=by_id,
            at=now,
        )
    )
    db.session.flush()
