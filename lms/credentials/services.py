"""The register: who met a scheme, who holds a certificate, who looked. Services flush.

Certificates and decisions are facts that never change; what happens later is an event beside them,
and what a certificate is worth is derived from both.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, String, literal, null, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased, defer

from certificates import codes
from certificates.document import Certificate as Paper
from certificates.document import Language, UnitLine
from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import Part
from lms.cohorts.services import MayNotAssess
from lms.competency import rules as competency_rules
from lms.competency import services as competency
from lms.competency.rules import Judgement, Missing, MissingKind, Requirement
from lms.core import audit
from lms.core.clock import ZONES
from lms.core.content import digest_of_text
from lms.core.db import db
from lms.core.errors import DomainError, Forbidden, NotFound
from lms.core.login import Viewer
from lms.credentials import paper, rules
from lms.credentials.content import SchemeSpec
from lms.credentials.models import (
    Certificate,
    CertificateEvent,
    Decision,
    Disclosure,
    Document,
    EventKind,
    Method,
    NumberCounter,
    Scheme,
)
from lms.credentials.rules import (
    AlreadyIssued,
    Life,
    Place,
    Reason,
    RevokedForViolation,
    Status,
)

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
class Entry:
    """One certificate as the register shows it, with what it is worth at the moment asked for."""

    id: int
    person_id: int
    code: str
    number: str
    scheme: str
    scheme_title: str
    scheme_title_en: str
    position: int
    """Order of its scheme in content/schemes.yaml: the higher, the more it says."""
    issuer_id: int
    holder_name: str
    issued_at: datetime
    life: Life
    status: Status
    ends_soon: bool

    @property
    def printed_code(self) -> str:
        """The code in three groups of five, as it stands on the paper."""
        return codes.pretty(self.code)

    @property
    def masked_name(self) -> str:
        """The name as strangers may see it: first letters, and always three asterisks."""
        return codes.mask_name(self.holder_name)

    def is_held_by(self, typed: str) -> bool:
        """Tell whether a typed name is the one on the paper."""
        return rules.is_same_name(typed, self.holder_name)


@dataclass(frozen=True, slots=True)
class Found:
    """A certificate somebody asked for: its entry, its paper, who issued it."""

    entry: Entry
    paper: Paper
    issuer: str

    @property
    def units(self) -> list[UnitLine]:
        """The units of the standard it covers, as printed."""
        return paper.units_on(self.paper)

    @property
    def unit_count(self) -> int:
        """How many units it covers."""
        return len(self.units)


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


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """Something that happened to a certificate after it was issued."""

    kind: EventKind
    at: datetime
    by: str
    reason: Reason | None
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Everything the register knows of one certificate, for the administrator."""

    found: Found
    signed_by: str
    decided_at: datetime
    holder_now: str
    """The holder's present name, which may differ from the paper."""
    history: list[HistoryLine]

    @property
    def may_be_revoked(self) -> bool:
        """Tell whether it still stands."""
        return self.found.entry.status in (Status.VALID, Status.EXPIRED)

    @property
    def may_be_corrected(self) -> bool:
        """Tell whether the name on the paper is not the holder's any more."""
        entry = self.found.entry
        return entry.status is Status.VALID and entry.holder_name != self.holder_now


@dataclass(frozen=True, slots=True)
class Look:
    """One look at somebody's certificate by somebody signed in."""

    at: datetime
    organisation: str | None
    method: Method
    matched: bool | None
    number: str
    scheme_title: str
    scheme_title_en: str


# Schemes


def load(specs: Sequence[SchemeSpec], *, now: datetime) -> dict[str, int]:
    """Store the schemes; those that are not in the file any more stay. Flushes."""
    del now  # schemes carry no moment: papers freeze what they need
    counts = {"added": 0, "changed": 0, "unchanged": 0}
    known = {row.code: row for row in db.session.scalars(select(Scheme))}
    for position, spec in enumerate(specs, 1):
        document = spec.model_dump(mode="json")
        values: dict[str, Any] = {
            "position": position,
            "title": spec.title,
            "title_en": spec.title_en,
            "document": document,
            "digest": digest_of_text(json.dumps([position, document], sort_keys=True)),
        }
        row = known.get(spec.code)
        if row is None:
            db.session.add(Scheme(code=spec.code, **values))
            counts["added"] += 1
        elif row.digest == values["digest"]:
            counts["unchanged"] += 1
        else:
            for name, value in values.items():
                setattr(row, name, value)
            counts["changed"] += 1
    db.session.flush()
    return counts


def list_schemes() -> list[SchemeSpec]:
    """Return every scheme in order."""
    documents = db.session.scalars(select(Scheme.document).order_by(Scheme.position))
    return [SchemeSpec.model_validate(document) for document in documents]


def get_scheme(code: str) -> SchemeSpec:
    """Return the scheme of this code. Raises NotFound."""
    document = db.session.scalar(select(Scheme.document).where(Scheme.code == code))
    if document is None:
        raise NotFound(code)
    return SchemeSpec.model_validate(document)


def requirement(scheme: SchemeSpec) -> Requirement:
    """Return what a scheme asks for, as the rules of competency read it."""
    return Requirement(
        scheme=scheme.code,
        curricula=tuple(scheme.curricula),
        in_person=tuple(scheme.in_person),
        holds=tuple(scheme.holds),
    )


# Judgement


def judgement(person_id: int, scheme_code: str, at: datetime) -> Judgement:
    """Judge one person against one scheme by the evidence at a moment. Raises NotFound."""
    scheme, current = get_scheme(scheme_code), competency.current()
    return _judge(person_id, scheme, current, list_held([person_id], at), at)


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
    old = _get_row(code)
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
    row = _get_row(code)
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
    dialect = _dialect()
    last = db.session.scalar(
        dialect.insert(NumberCounter)
        .values(issuer_id=issuer_id, scheme_code=scheme.code, year=year, last=1)
        .on_conflict_do_update(
            index_elements=["issuer_id", "scheme_code", "year"],
            set_={"last": NumberCounter.last + 1},
        )
        .returning(NumberCounter.last)
    )
    return scheme.number_pattern.format(number=last, scheme=scheme.code, year=year)


def _dialect() -> Any:
    return postgresql if db.engine.dialect.name == "postgresql" else sqlite


def _store(written: Paper, decision: Decision, place: Place, now: datetime) -> Certificate:
    """Draw a paper and store its bytes under their hash, then the certificate itself."""
    body, digest = paper.draw(written)
    db.session.execute(
        _dialect().insert(Document).on_conflict_do_nothing(),
        [{"sha256": digest, "media_type": PDF, "body": body, "created_at": now}],
    )
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


# Reading the register


def list_held(person_ids: Sequence[int], at: datetime) -> list[Entry]:
    """Return the certificates of many people issued up to a moment, in one query.

    Ordered by person, scheme, term and revision: the last one of a scheme is the newest.
    """
    issued = Certificate.issued_at <= at
    return [found for found, _ in _select(at, Certificate.person_id.in_(person_ids), issued)]


def get_entry(code: str, at: datetime) -> Entry:
    """Return one certificate by its code, however it was typed. Raises NotFound."""
    found = _select(at, Certificate.code == (codes.normalise(code) or ""))
    if not found:
        raise NotFound("certificate")
    return found[0][0]


def find_by_code(code: str, at: datetime) -> Found | None:
    """Return the certificate behind a code, or None; two queries."""
    # A code that cannot exist is asked for all the same: every answer takes the same way.
    return next(iter(_with_paper(at, Certificate.code == (codes.normalise(code) or ""))), None)


def list_by_number(number: str, at: datetime) -> list[Found]:
    """Return certificates with this number: of several issuers, and corrections; two queries."""
    plain = "".join(number.split())
    return _with_paper(at, Certificate.number.in_({number, plain, plain.upper()}))


def list_register(
    *, search: str = "", before: int | None = None, at: datetime, limit: int = 50
) -> list[Entry]:
    """Return certificates, newest first. `search` is a code, a number or part of a name.

    For the administrator only. `before` is the id the previous page ended at.
    """
    conditions: list[ColumnElement[bool]] = []
    if search:
        conditions.append(
            or_(
                Certificate.code == (codes.normalise(search) or ""),
                Certificate.number.icontains(search, autoescape=True),
                Certificate.holder_name.icontains(search, autoescape=True),
            )
        )
    if before is not None:
        conditions.append(Certificate.id < before)
    return [entry for entry, _ in _select(at, *conditions, newest=limit)]


def get_record(code: str, at: datetime) -> Record:
    """Return all the register knows of one certificate. Raises NotFound."""
    row = _get_row(code)
    [found] = _with_paper(at, Certificate.id == row.id)
    decision = db.session.get_one(Decision, row.decision_id)
    events = db.session.scalars(
        select(CertificateEvent)
        .where(CertificateEvent.certificate_id == row.id)
        .order_by(CertificateEvent.id)
    ).all()
    names = accounts.names_of([row.person_id, decision.signed_by, *(e.by_id for e in events)])
    return Record(
        found=found,
        signed_by=names[decision.signed_by],
        decided_at=decision.decided_at,
        holder_now=names[row.person_id],
        history=[
            HistoryLine(
                event.kind,
                event.at,
                names[event.by_id],
                Reason(event.reason_public) if event.reason_public else None,
                event.reason_internal,
            )
            for event in events
        ],
    )


def get_document(code: str, viewer: Viewer) -> Document:
    """Return the paper as it was issued. Raises NotFound.

    Its holder may have it, the trainers of the holder's classes, who hand it over, and
    administrators, who answer for the register.
    """
    row = _get_row(code)
    if (
        row.person_id == viewer.id
        or "admin" in viewer.roles
        or row.person_id in cohorts.people_in_scope(viewer, Part.TRAINER)
    ):
        return db.session.get_one(Document, row.document_sha256)
    raise NotFound(code)


def _get_row(code: str) -> Certificate:
    row = db.session.scalar(
        select(Certificate).where(Certificate.code == (codes.normalise(code) or ""))
    )
    if row is None:
        raise NotFound("certificate")
    return row


def _with_paper(at: datetime, *conditions: ColumnElement[bool]) -> list[Found]:
    rows = _select(at, *conditions, with_paper=True)
    issuers = cohorts.organisation_names(entry.issuer_id for entry, _ in rows)
    return [Found(entry, paper.read(row.snapshot), issuers[entry.issuer_id]) for entry, row in rows]


def _select(
    at: datetime,
    *conditions: ColumnElement[bool],
    newest: int | None = None,
    with_paper: bool = False,
) -> list[tuple[Entry, Certificate]]:
    """Return entries with their rows, in one query; snapshots are read only when asked for."""
    revoked, replaced = aliased(CertificateEvent), aliased(CertificateEvent)
    query = (
        select(Certificate, Scheme.title, Scheme.title_en, Scheme.position)
        .add_columns(revoked.at, revoked.reason_public, replaced.at)
        .join(Scheme, Scheme.code == Certificate.scheme_code)
        .join(
            revoked,
            (revoked.certificate_id == Certificate.id) & (revoked.kind == EventKind.REVOKED),
            isouter=True,
        )
        .join(
            replaced,
            (replaced.certificate_id == Certificate.id) & (replaced.kind == EventKind.REPLACED),
            isouter=True,
        )
        .where(*conditions)
    )
    if not with_paper:
        query = query.options(defer(Certificate.snapshot))
    if newest is not None:
        query = query.order_by(Certificate.id.desc()).limit(newest)
    else:
        query = query.order_by(
            Certificate.person_id, Scheme.position, Certificate.term, Certificate.revision
        )
    return [(_entry(row, at), row[0]) for row in db.session.execute(query)]


def _entry(
    row: tuple[Certificate, str, str, int, datetime | None, str | None, datetime | None],
    at: datetime,
) -> Entry:
    certificate, title, title_en, position, revoked_at, reason, replaced_at = row
    life = Life(
        id=certificate.id,
        term=certificate.term,
        revision=certificate.revision,
        valid_until=certificate.valid_until,
        revoked_at=revoked_at,
        reason=Reason(reason) if reason else None,
        replaced_at=replaced_at,
    )
    return Entry(
        id=certificate.id,
        person_id=certificate.person_id,
        code=certificate.code,
        number=certificate.number,
        scheme=certificate.scheme_code,
        scheme_title=title,
        scheme_title_en=title_en,
        position=position,
        issuer_id=certificate.issuer_id,
        holder_name=certificate.holder_name,
        issued_at=certificate.issued_at,
        life=life,
        status=rules.status(life, at),
        ends_soon=rules.ends_soon(life, at),
    )


# Who looked


def record_looks(
    certificate_ids: Iterable[int],
    *,
    viewer_id: int,
    organisation_id: int | None,
    method: Method,
    matched: bool | None,
    now: datetime,
) -> None:
    """Note that somebody signed in looked at certificates; their holder reads it. Flushes."""
    for certificate_id in certificate_ids:
        db.session.add(
            Disclosure(
                certificate_id=certificate_id,
                viewer_id=viewer_id,
                organisation_id=organisation_id,
                method=method,
                matched=matched,
                at=now,
            )
        )
    db.session.flush()


def list_looks(person_id: int, limit: int = 100) -> list[Look]:
    """Return who looked at somebody's certificates, newest first; two queries."""
    rows = db.session.execute(
        select(Disclosure, Certificate.number, Scheme.title, Scheme.title_en)
        .join(Certificate, Certificate.id == Disclosure.certificate_id)
        .join(Scheme, Scheme.code == Certificate.scheme_code)
        .where(Certificate.person_id == person_id)
        .order_by(Disclosure.id.desc())
        .limit(limit)
    ).all()
    names = cohorts.organisation_names(
        look.organisation_id for look, *_ in rows if look.organisation_id is not None
    )
    return [
        Look(
            at=look.at,
            organisation=names.get(look.organisation_id or 0),
            method=look.method,
            matched=look.matched,
            number=number,
            scheme_title=title,
            scheme_title_en=title_en,
        )
        for look, number, title, title_en in rows
    ]


# For the home page


def in_force_query(person_id: int, at: datetime) -> Select[*tuple[Any, ...]]:
    """Return a query of one person's valid certificates, in the columns the home page unites.

    Columns: feature, code (the scheme), what (the public code), began_at, ended_at.
    """
    ended = select(CertificateEvent.id).where(
        CertificateEvent.certificate_id == Certificate.id, CertificateEvent.at <= at
    )
    return select(
        literal("certificate", String).label("feature"),
        Certificate.scheme_code.label("code"),
        Certificate.code.label("what"),
        Certificate.issued_at.label("began_at"),
        null().label("ended_at"),
    ).where(
        Certificate.person_id == person_id,
        Certificate.issued_at <= at,
        # The same day as rules.end_of: in force until it is over in western Indonesia.
        Certificate.valid_until >= rules.day_of(at),
        ~ended.exists(),
    )
