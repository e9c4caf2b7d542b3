"""What people do with certificates: judge, issue, correct, revoke. Services flush.

Certificates and decisions are facts that never change; what happens later is an event beside them,
and what a certificate is worth is derived from both (register.py).
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import CursorResult, select, update
from sqlalchemy.exc import IntegrityError

from certificates import codes
from certificates.document import Certificate as Paper
from certificates.document import Language
from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, Part
from lms.competency import rules as competency_rules
from lms.competency import services as competency
from lms.competency.rules import Judgement, Missing, MissingKind
from lms.core import audit
from lms.core.clock import ZONES
from lms.core.db import db, insert_into, insert_once
from lms.core.errors import DomainError, Forbidden
from lms.core.jobs import Outdated
from lms.credentials import paper, rules
from lms.credentials.models import (
    Certificate,
    CertificateEvent,
    Decision,
    Document,
    EventKind,
    NumberCounter,
    Proposal,
    ProposalState,
)
from lms.credentials.register import Entry, get_entry, get_row, list_held
from lms.credentials.rules import (
    AlreadyIssued,
    Place,
    Reason,
    SchemeText,
    Status,
)
from lms.credentials.schemes import list_schemes, requirement
from lms.ratings import appeals

PDF = "application/pdf"


class NotReady(DomainError):
    """Something the scheme asks for is missing; `missing` says what."""

    def __init__(self, missing: Sequence[Missing]) -> None:
        super().__init__(f"{len(missing)} things are missing")
        self.missing = tuple(missing)


class NotTheirTrainer(Forbidden):
    """Who signs is no trainer or assessor of this class, or the person has no seat in it."""


class NotDecided(DomainError):
    """The decision was taken back, or never had its second signature."""


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

    scheme: SchemeText
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


# Judgement


def _judge(
    person_id: int,
    scheme: SchemeText,
    current: competency.Current,
    held: Iterable[Entry],
    at: datetime,
    rows: list[competency_rules.Row] | None = None,
    asked: frozenset[str] | None = None,
) -> Judgement:
    """Judge one person; `rows` and `asked`, the criteria of open appeals, if they are at hand."""
    return competency_rules.judge(
        current.standard,
        competency.rows_of_one(person_id, current) if rows is None else rows,
        requirement(scheme),
        at,
        holds=frozenset(entry.scheme for entry in held if entry.status is Status.VALID),
        appeals=appeals.open_kuk([person_id]).get(person_id, frozenset())
        if asked is None
        else asked,
    )


def get_outlook(person_id: int, at: datetime) -> Outlook:
    """Return what one person holds and how far they are towards every scheme; five queries."""
    current = competency.current()
    rows = competency.rows_of_one(person_id, current)
    held = list_held([person_id], at)
    newest = {entry.scheme: entry for entry in held}
    asked = appeals.open_kuk([person_id]).get(person_id, frozenset())
    return Outlook(
        standard=current.standard,
        held=held,
        progress=[
            Progress(
                scheme=scheme,
                judgement=_judge(person_id, scheme, current, held, at, rows, asked),
                held=newest.get(scheme.code),
            )
            for scheme in list_schemes()
        ],
    )


def judge_many(
    person_ids: Sequence[int],
    scheme: SchemeText,
    current: competency.Current,
    held: Sequence[Entry],
    at: datetime,
) -> dict[int, Judgement]:
    """Judge many people against one scheme, in two queries. `held` are their certificates."""
    ledgers = competency.rows_of(person_ids, current)
    appealed = appeals.open_kuk(person_ids)
    valid: dict[int, set[str]] = defaultdict(set)
    for entry in held:
        if entry.status is Status.VALID:
            valid[entry.person_id].add(entry.scheme)
    asked = requirement(scheme)
    return {
        one: competency_rules.judge(
            current.standard,
            ledgers.get(one, []),
            asked,
            at,
            holds=frozenset(valid[one]),
            appeals=appealed.get(one, frozenset()),
        )
        for one in person_ids
    }


def trace(
    scheme: SchemeText, current: competency.Current, found: Judgement, held: Iterable[Entry]
) -> dict[str, Any]:
    """Return what a decision rests on, frozen: rules, verdicts and the rows behind them.

    `held` are the certificates of the same person.
    """
    return {
        "scheme": scheme.write(),
        "standard": current.standard.version,
        "verdicts": {code: verdict.value for code, verdict in found.verdicts.items()},
        "evidence": {code: list(ids) for code, ids in found.evidence.items()},
        "holds": [entry.code for entry in held if entry.status is Status.VALID],
    }


# Issue


@dataclass(frozen=True, slots=True)
class Drawn:
    """A paper with its bytes, drawn before the transaction that stores it."""

    paper: Paper
    body: bytes
    sha256: str


def draw(written: Paper) -> Drawn:
    """Draw a paper."""
    return Drawn(written, *paper.draw(written))


def draft(decision_id: int, *, now: datetime, base_url: str, sample: bool) -> Drawn:
    """Draw the paper of a decision as it will be, with the number that is next. Writes nothing.

    Somebody else may take that number first; `issue` notices. Raises as `issue` does.
    """
    decision = db.session.get_one(Decision, decision_id)
    _place(decision, max(now, decision.decided_at))
    number = _format(decision, _expected(decision))
    return draw(_write(decision, number, codes.new_code(), base_url, sample=sample))


def issue(
    decision_id: int,
    *,
    by_id: int | None,
    now: datetime,
    base_url: str,
    sample: bool,
    drawn: Drawn | None = None,
) -> Certificate:
    """Issue the certificate of a decision that two people signed. Flushes.

    The number is taken here, in the transaction that stores the certificate, so none is lost and
    none is doubled. Drawing takes longer than everything else: give what `draft` returned, and
    nobody waits for it. When its number was taken meanwhile, or the name changed, Outdated is
    raised and the unit of work has to be rolled back. Without `drawn` the paper is drawn here.

    Raises NotDecided, NotReady when evidence was voided after the decision, AlreadyIssued,
    rules.RevokedForViolation, paper.DoesNotFitOnPaper, jobs.Outdated.
    """
    decision = db.session.get_one(Decision, decision_id)
    now = max(now, decision.decided_at)  # the clock may have been set back since
    _close_proposal(decision, now)
    place = _place(decision, now)
    with _all_or_nothing():
        competency.hold(decision.standard_version_id)
        number = _format(decision, _next_number(decision))
        code = drawn.paper.code if drawn else codes.new_code()
        written = _write(decision, number, code, base_url, sample=sample)
        if drawn is None:
            drawn = draw(written)
        elif drawn.paper != written:
            raise Outdated(number)
        certificate = _store(drawn, decision, place, now)
    audit.record(
        "credentials.issue",
        f"certificate:{certificate.id}",
        actor_id=by_id,
        now=now,
        number=certificate.number,
        decision=decision.id,
    )
    return certificate


def _place(decision: Decision, now: datetime) -> Place:
    """Return where the certificate of a decision stands, after looking at everything again."""
    held = list_held([decision.person_id], now)
    same = [entry.life for entry in held if entry.scheme == decision.scheme_code]
    place = rules.place_of_next(same, now)
    # As of the decision: what came later is for the next one, but what was voided never counted.
    at = decision.decided_at
    standard = competency.version(decision.standard_version_id)
    holds = [entry for entry in held if entry.code in decision.trace["holds"]]
    found = _judge(decision.person_id, _scheme_of(decision), standard, holds, at)
    if not found.ready:
        raise NotReady(found.missing)
    return place


def _scheme_of(decision: Decision) -> SchemeText:
    return SchemeText.read(decision.trace["scheme"])


def _close_proposal(decision: Decision, now: datetime) -> None:
    """Turn a decided proposal into an issued one; one of many at once succeeds."""
    closed = db.session.execute(
        update(Proposal)
        .where(Proposal.decision_id == decision.id, Proposal.state == ProposalState.DECIDED)
        .values(state=ProposalState.ISSUED, closed_at=now),
        execution_options={"synchronize_session": False},
    )
    if cast("CursorResult[Any]", closed).rowcount != 1:
        issued = select(Certificate.id).where(Certificate.decision_id == decision.id)
        if db.session.scalar(issued.limit(1)) is not None:
            raise AlreadyIssued(str(decision.id))
        raise NotDecided(str(decision.id))


def draft_correction(code: str, *, now: datetime, base_url: str) -> Drawn:
    """Draw a certificate again with the holder's present name. Writes nothing.

    Raises as `reissue` does.
    """
    return draw(_correct(get_row(code), codes.new_code(), now, base_url))


def reissue(
    code: str, *, by_id: int, now: datetime, base_url: str, drawn: Drawn | None = None
) -> Certificate:
    """Replace a certificate by the same one with the holder's present name. Flushes.

    Number, term, dates and decision stay; the code is new. `drawn` as in `issue`. Raises NotFound,
    NotInForce, NothingToCorrect, AlreadyIssued, paper.DoesNotFitOnPaper, jobs.Outdated.
    """
    old = get_row(code)
    corrected = _correct(old, drawn.paper.code if drawn else codes.new_code(), now, base_url)
    if drawn is None:
        drawn = draw(corrected)
    elif drawn.paper != corrected:
        raise Outdated(old.code)
    place = Place(old.term, old.id, old.revision + 1)
    with _all_or_nothing():
        new = _store(drawn, db.session.get_one(Decision, old.decision_id), place, now)
        _add_event(old, EventKind.REPLACED, "", "", by_id, now)
    audit.record(
        "credentials.reissue",
        f"certificate:{new.id}",
        actor_id=by_id,
        now=now,
        follows=old.id,
    )
    return new


def _correct(old: Certificate, code: str, now: datetime, base_url: str) -> Paper:
    found = get_entry(old.code, now)
    if found.status is not Status.VALID:
        raise NotInForce(found.status)
    name = accounts.get_person_by_id(old.person_id).name
    if name == old.holder_name:
        raise NothingToCorrect(old.code)
    return paper.correct(paper.read(old.snapshot), code=code, base_url=base_url, holder_name=name)


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


def _write(decision: Decision, number: str, code: str, base_url: str, *, sample: bool) -> Paper:
    """Return what the paper of a decision says."""
    cohort = cohorts.get_cohort_by_id(decision.cohort_id)
    current = competency.version(decision.standard_version_id)
    issued_on = _day(decision, cohort)
    teachers = [
        line.name for line in cohorts.list_staff(cohort.id) if line.part is not Part.ASSESSOR
    ]
    return paper.write(
        scheme=_scheme_of(decision),
        standard=current.standard,
        is_draft=current.is_draft,
        verdicts={
            kuk: competency_rules.Verdict(found)
            for kuk, found in decision.trace["verdicts"].items()
        },
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
            number=number,
            code=code,
            base_url=base_url,
            holder_name=accounts.get_person_by_id(decision.person_id).name,
            issued_on=issued_on,
            valid_until=rules.months_later(issued_on, current.standard.certificate_months),
        ),
        language=_language_of(decision),
        sample=sample,
    )


def _day(decision: Decision, cohort: Cohort) -> date:
    """Return the day on the paper: that of the decision, where the class is."""
    return decision.decided_at.astimezone(ZONES[cohort.zone]).date()


def _language_of(decision: Decision) -> Language:
    asked = select(Proposal.language).where(Proposal.decision_id == decision.id)
    return "en" if db.session.scalar(asked) == "en" else "id"


def _counter_of(decision: Decision) -> dict[str, Any]:
    """Return which counter numbers a decision: that of its issuer, scheme and year."""
    cohort = cohorts.get_cohort_by_id(decision.cohort_id)
    return {
        "issuer_id": cohort.host_id,
        "scheme_code": decision.scheme_code,
        "year": _day(decision, cohort).year,
    }


def _expected(decision: Decision) -> int:
    """Return the number that is next now. Somebody else may take it."""
    return (
        db.session.scalar(select(NumberCounter.last).filter_by(**_counter_of(decision))) or 0
    ) + 1


def _next_number(decision: Decision) -> int:
    """Take the next number.

    The row stays locked until the transaction ends, so a number that is not used is not lost.
    """
    taken = db.session.scalar(
        insert_into(NumberCounter)
        .values(**_counter_of(decision), last=1)
        .on_conflict_do_update(
            index_elements=["issuer_id", "scheme_code", "year"],
            set_={"last": NumberCounter.last + 1},
        )
        .returning(NumberCounter.last)
    )
    return int(taken or 0)


def _format(decision: Decision, number: int) -> str:
    scheme, year = _scheme_of(decision), _counter_of(decision)["year"]
    return scheme.number_pattern.format(number=number, scheme=scheme.code, year=year)


def _store(drawn: Drawn, decision: Decision, place: Place, now: datetime) -> Certificate:
    """Store the bytes of a paper under their hash, then the certificate itself."""
    written = drawn.paper
    insert_once(Document, sha256=drawn.sha256, media_type=PDF, body=drawn.body, created_at=now)
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
        document_sha256=drawn.sha256,
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
