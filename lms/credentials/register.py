"""The register as it is read: who holds what, what it is worth at a moment, who looked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    bindparam,
    cast,
    insert,
    literal,
    null,
    or_,
    select,
)
from sqlalchemy.orm import aliased, defer

from certificates import codes
from certificates.document import Certificate as Paper
from certificates.document import UnitLine
from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import Part
from lms.cohorts.organisations import organisation_names
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.login import Viewer
from lms.credentials import paper, rules
from lms.credentials.models import (
    Certificate,
    CertificateEvent,
    Decision,
    Disclosure,
    Document,
    EventKind,
    Method,
    Proposal,
    Scheme,
    Signature,
)
from lms.credentials.rules import (
    Life,
    Reason,
    Status,
)


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
    signed_by: list[str]
    """In the order they signed; older decisions have one signature."""
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
    rows = db.session.execute(_by_code(), {"asked": codes.normalise(code) or ""})
    return next(iter(_found([(_entry(row, at), row[0]) for row in rows])), None)


def list_by_ids(ids: Iterable[int], at: datetime) -> dict[int, Entry]:
    """Return many certificates by their ids, in one query."""
    return {entry.id: entry for entry, _ in _select(at, Certificate.id.in_(set(ids)))}


def list_by_number(number: str, at: datetime) -> list[Found]:
    """Return certificates with this number: of several issuers, and corrections; two queries."""
    plain = "".join(number.split())
    return _with_paper(at, Certificate.number.in_({number, plain, plain.upper()}))


def find_many(asked: Iterable[str], at: datetime) -> list[Found]:
    """Return the certificates behind any of these codes or numbers; two queries."""
    wanted = list(asked)
    plain = {"".join(one.split()) for one in wanted}
    spelled = {*wanted, *plain, *(one.upper() for one in plain)}
    known = {code for one in wanted if (code := codes.normalise(one))}
    return _with_paper(at, Certificate.code.in_(known) | Certificate.number.in_(spelled))


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


def is_used(standard_version_id: int) -> bool:
    """Tell whether a paper says that the installation had adopted this version of the standard.

    Cost grows with the certificates issued while it was a draft: for the administrator's page.
    """
    says_adopted = Certificate.snapshot["standard_is_draft"].as_boolean().is_(False)
    found = select(Certificate.id).where(
        Certificate.standard_version_id == standard_version_id, says_adopted
    )
    return db.session.scalar(found.limit(1)) is not None


def get_record(code: str, at: datetime) -> Record:
    """Return all the register knows of one certificate. Raises NotFound."""
    row = get_row(code)
    [found] = _with_paper(at, Certificate.id == row.id)
    decision = db.session.get_one(Decision, row.decision_id)
    events = db.session.scalars(
        select(CertificateEvent)
        .where(CertificateEvent.certificate_id == row.id)
        .order_by(CertificateEvent.id)
    ).all()
    signers = _signers_of(decision)
    names = accounts.names_of([row.person_id, *signers, *(e.by_id for e in events)])
    return Record(
        found=found,
        signed_by=[names[one] for one in signers],
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


def _signers_of(decision: Decision) -> list[int]:
    """Return who signed a decision, in order."""
    signed = db.session.scalars(
        select(Signature.signer_id)
        .join(Proposal, Proposal.id == Signature.proposal_id)
        .where(Proposal.decision_id == decision.id)
        .order_by(Signature.position)
    ).all()
    return list(signed) or [decision.signed_by]


def get_document(code: str, viewer: Viewer) -> Document:
    """Return the paper as it was issued. Raises NotFound."""
    return get_paper(code, viewer)[0]


def get_paper(code: str, viewer: Viewer) -> tuple[Document, bool]:
    """Return the paper as it was issued, and whether it is the viewer's own. Raises NotFound.

    Its holder may have it, the trainers of the holder's classes, who hand it over, and
    administrators, who answer for the register.
    """
    row = get_row(code)
    if (
        row.person_id == viewer.id
        or "admin" in viewer.roles
        or (
            "trainer" in viewer.roles
            and row.person_id in cohorts.people_in_scope(viewer, Part.TRAINER)
        )
    ):
        document = db.session.get_one(Document, row.document_sha256)
        return document, row.person_id == viewer.id
    raise NotFound(code)


def get_row(code: str) -> Certificate:
    """Return the stored certificate of this code, however it was typed. Raises NotFound."""
    row = db.session.scalar(
        select(Certificate).where(Certificate.code == (codes.normalise(code) or ""))
    )
    if row is None:
        raise NotFound("certificate")
    return row


def _with_paper(at: datetime, *conditions: ColumnElement[bool]) -> list[Found]:
    return _found(_select(at, *conditions, with_paper=True))


def _found(rows: Sequence[tuple[Entry, Certificate]]) -> list[Found]:
    issuers = organisation_names(entry.issuer_id for entry, _ in rows)
    return [Found(entry, paper.read(row.snapshot), issuers[entry.issuer_id]) for entry, row in rows]


def _select(
    at: datetime,
    *conditions: ColumnElement[bool],
    newest: int | None = None,
    with_paper: bool = False,
) -> list[tuple[Entry, Certificate]]:
    """Return entries with their rows, in one query; snapshots are read only when asked for."""
    query = _joined().where(*conditions)
    if not with_paper:
        query = query.options(defer(Certificate.snapshot))
    if newest is not None:
        query = query.order_by(Certificate.id.desc()).limit(newest)
    else:
        query = query.order_by(
            Certificate.person_id, Scheme.position, Certificate.term, Certificate.revision
        )
    return [(_entry(row, at), row[0]) for row in db.session.execute(query)]


@cache
def _by_code() -> Select[*tuple[Any, ...]]:
    """Return the statement of a public check, put together once."""
    return _joined().where(Certificate.code == bindparam("asked"))


@cache
def _joined() -> Select[*tuple[Any, ...]]:
    """Return certificates with what an entry needs; putting it together costs more than a row."""
    revoked, replaced = aliased(CertificateEvent), aliased(CertificateEvent)
    return (
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
    )


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
    rows = [
        {
            "certificate_id": certificate_id,
            "viewer_id": viewer_id,
            "organisation_id": organisation_id,
            "method": method,
            "matched": matched,
            "at": now,
        }
        for certificate_id in certificate_ids
    ]
    if rows:
        db.session.execute(insert(Disclosure), rows)


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
    names = organisation_names(
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


def asked_before_query() -> Select[*tuple[Any, ...]]:
    """Return a query of what each scheme asks for before it, in the columns the home page unites.

    Columns: feature, code (the scheme), what (its curricula as JSON, a line break, the schemes it
    asks for as JSON), began_at, ended_at.
    """
    document = Scheme.document
    return select(
        literal("asks", String).label("feature"),
        Scheme.code.label("code"),
        (document["curricula"].as_string() + "\n" + document["holds"].as_string()).label("what"),
        null().label("began_at"),
        null().label("ended_at"),
    )


def ending_query(person_id: int, at: datetime, first: date, last: date) -> Select[*tuple[Any, ...]]:
    """Return a query of one person's certificates that end on these days, both included.

    Of each scheme the newest alone, unless it was revoked or replaced. Columns: feature, code (the
    scheme), what (its last day and its two titles, a line each), began_at, ended_at.
    """
    newer = aliased(Certificate)
    follows = select(newer.id).where(
        newer.person_id == Certificate.person_id,
        newer.scheme_code == Certificate.scheme_code,
        newer.id > Certificate.id,
    )
    lines = (cast(Certificate.valid_until, String), Scheme.title, Scheme.title_en)
    what = lines[0] + "\n" + lines[1] + "\n" + lines[2]
    return _own_query("ending", what, person_id, at).where(
        Certificate.valid_until >= first, Certificate.valid_until <= last, ~follows.exists()
    )


def in_force_query(person_id: int, at: datetime, today: date) -> Select[*tuple[Any, ...]]:
    """Return a query of one person's valid certificates, in the columns the home page unites.

    `today` is rules.day_of(at). Columns: feature, code (the scheme), what (its curricula, as JSON),
    began_at, ended_at.
    """
    what = Scheme.document["curricula"].as_string()
    # The same day as rules.end_of: in force until it is over in western Indonesia.
    return _own_query("certificate", what, person_id, at).where(Certificate.valid_until >= today)


def _own_query(
    feature: str, what: ColumnElement[str], person_id: int, at: datetime
) -> Select[*tuple[Any, ...]]:
    """Return a query of one person's certificates that nobody revoked or replaced."""
    ended = select(CertificateEvent.id).where(
        CertificateEvent.certificate_id == Certificate.id, CertificateEvent.at <= at
    )
    return (
        select(
            literal(feature, String).label("feature"),
            Certificate.scheme_code.label("code"),
            what.label("what"),
            Certificate.issued_at.label("began_at"),
            null().label("ended_at"),
        )
        .join(Scheme, Scheme.code == Certificate.scheme_code)
        .where(Certificate.person_id == person_id, Certificate.issued_at <= at, ~ended.exists())
    )
