"""Tables of the register. Certificates are facts; their status is derived from events."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.accounts import models as accounts  # noqa: F401  # tables ours point to
from lms.cohorts import models as cohorts  # noqa: F401  # tables ours point to
from lms.competency import models as competency  # noqa: F401  # tables ours point to
from lms.core.db import HISTORY, Base, text_enum
from lms.core.ids import public_id


class EventKind(StrEnum):
    """What can happen to a certificate after it is issued."""

    REVOKED = "revoked"
    REPLACED = "replaced"


class Method(StrEnum):
    """How somebody looked at a certificate."""

    PUBLIC = "public"
    CODE = "code"
    NUMBER = "number"
    LIST = "list"


class ProposalState(StrEnum):
    """How far a proposal is. Only OPEN and DECIDED ones are in the way of another."""

    OPEN = "open"
    DECIDED = "decided"
    ISSUED = "issued"
    OUTDATED = "outdated"
    """The evidence changed before it was decided; a new one took its place."""
    WITHDRAWN = "withdrawn"
    """Taken back by who signed it."""
    HELD = "held"
    """The meeting put the person off."""


class Outcome(StrEnum):
    """How a request to revoke ended."""

    CONFIRMED = "confirmed"
    DECLINED = "declined"


class Scheme(Base):
    """What can be certified, as last loaded: which curricula, which classes, how long it holds."""

    __tablename__ = "scheme"

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    position: Mapped[int]
    title: Mapped[str]
    title_en: Mapped[str]
    document: Mapped[dict[str, Any]]
    digest: Mapped[str]


class Decision(Base):
    """Somebody has met a scheme: what two people signed, with the evidence it rests on.

    Its signatures stand at its proposal; `signed_by` is the first. Older ones have one signature.
    """

    __tablename__ = "decision"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    scheme_code: Mapped[str]
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"))
    standard_version_id: Mapped[int] = mapped_column(ForeignKey("standard_version.id"))
    signed_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    decided_at: Mapped[datetime]
    trace: Mapped[dict[str, Any]]
    """Scheme, verdict of every KUK and the ids of the evidence behind it, frozen."""


class Proposal(Base):
    """Somebody signed that a person has met a scheme, and asks for the second signature."""

    __tablename__ = "proposal"
    __table_args__ = (
        # Two people who sign first at once make one proposal; while a decision waits for its
        # certificate there is no other.
        Index(
            "uq_proposal_live",
            "person_id",
            "scheme_code",
            unique=True,
            sqlite_where=text("state IN ('open', 'decided')"),
            postgresql_where=text("state IN ('open', 'decided')"),
        ),
        # The meeting of a class reads its own.
        Index("ix_proposal_cohort", "cohort_id", "scheme_code", "state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    scheme_code: Mapped[str]
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"))
    standard_version_id: Mapped[int] = mapped_column(ForeignKey("standard_version.id"))
    language: Mapped[str]
    """Of the paper."""
    holder_name: Mapped[str]
    """As it stood when it was signed first; what is printed is the name at the issue."""
    trace: Mapped[dict[str, Any]]
    """What was signed, frozen: becomes the trace of the decision."""
    digest: Mapped[str]
    """Fingerprint of the trace: the second signature is only for the same."""
    created_at: Mapped[datetime]
    state: Mapped[ProposalState] = mapped_column(text_enum(ProposalState))
    closed_at: Mapped[datetime | None]
    """When it was decided, or ended without."""
    decision_id: Mapped[int | None] = mapped_column(ForeignKey("decision.id"), unique=True)


class Signature(Base):
    """One signature under a proposal. Append-only."""

    __tablename__ = "signature"
    __table_args__ = (
        # Nobody signs twice, and there is one second signature however many press at once.
        UniqueConstraint("proposal_id", "signer_id"),
        UniqueConstraint("proposal_id", "position"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    proposal_id: Mapped[int] = mapped_column(ForeignKey("proposal.id"))
    position: Mapped[int]
    """1 proposes, 2 decides."""
    signer_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    trains: Mapped[bool]
    """Whether they were a trainer of the class then."""
    signed_at: Mapped[datetime]


class Deferral(Base):
    """The meeting put a person off, with a reason and what to do. Kept when it is lifted."""

    __tablename__ = "deferral"
    __table_args__ = (
        # Somebody is put off once until that is lifted.
        Index(
            "uq_deferral_open",
            "person_id",
            "scheme_code",
            unique=True,
            sqlite_where=text("lifted_at IS NULL"),
            postgresql_where=text("lifted_at IS NULL"),
        ),
        Index("ix_deferral_cohort", "cohort_id", "scheme_code"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    scheme_code: Mapped[str]
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"))
    reason: Mapped[str]
    todo: Mapped[str]
    """What the person, or the class, does now."""
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
    lifted_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    lifted_at: Mapped[datetime | None]


class Certificate(Base):
    """One issued certificate. Never changed, never deleted; see CertificateEvent."""

    __tablename__ = "certificate"
    __table_args__ = (
        # Two trainers who press the button at once issue one certificate.
        UniqueConstraint("person_id", "scheme_code", "standard_version_id", "term", "revision"),
        # A correction of the name keeps the number and the decision and counts its revision.
        UniqueConstraint("issuer_id", "number", "revision"),
        UniqueConstraint("decision_id", "revision"),
        # Officers and administrators ask by the number alone.
        Index("ix_certificate_number", "number"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    decision_id: Mapped[int] = mapped_column(ForeignKey("decision.id"))
    scheme_code: Mapped[str]
    standard_version_id: Mapped[int] = mapped_column(ForeignKey("standard_version.id"))
    term: Mapped[int]
    """Counts renewals, from 1."""
    revision: Mapped[int]
    """Counts corrections of the name, from 0."""
    follows_id: Mapped[int | None] = mapped_column(ForeignKey("certificate.id"))
    code: Mapped[str] = mapped_column(unique=True)
    """15 characters: 70 random bits and a check character. The public key to the register."""
    number: Mapped[str]
    """Printed, sequential: never a public key."""
    issuer_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), info=HISTORY)
    holder_name: Mapped[str]
    """As printed; stays when the account is renamed or deleted."""
    issued_at: Mapped[datetime]
    valid_until: Mapped[date]
    snapshot: Mapped[dict[str, Any]]
    """Every value on the paper."""
    document_sha256: Mapped[str] = mapped_column(ForeignKey("document.sha256"))


class CertificateEvent(Base):
    """Something happened to a certificate: revoked or replaced. Append-only."""

    __tablename__ = "certificate_event"
    __table_args__ = (UniqueConstraint("certificate_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id"))
    kind: Mapped[EventKind] = mapped_column(text_enum(EventKind))
    reason_public: Mapped[str]
    reason_internal: Mapped[str]
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]


class RevocationRequest(Base):
    """Somebody asks to take a certificate back; somebody else confirms or declines it."""

    __tablename__ = "revocation_request"
    __table_args__ = (
        # One request at a time.
        Index(
            "uq_revocation_request_open",
            "certificate_id",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id"))
    reason_public: Mapped[str]
    reason_internal: Mapped[str]
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]
    outcome: Mapped[Outcome | None] = mapped_column(text_enum(Outcome))
    closed_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    closed_at: Mapped[datetime | None]
    closing_note: Mapped[str] = mapped_column(default="")


class RecheckStep(StrEnum):
    """What an administrator said about a certificate whose evidence was corrected."""

    NOTE = "note"
    KEEP = "keep"
    REVOKE = "revoke"
    """The revocation was asked for, or done where one person may."""


class Recheck(Base):
    """What a certificate rests on was corrected after its decision: somebody has to look at it.

    The certificate stays as it was issued. What is open and what is settled follows from the notes.
    """

    __tablename__ = "recheck"
    # Marking the same sittings again lists nothing twice.
    __table_args__ = (UniqueConstraint("certificate_id", "cause"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id"))
    cause: Mapped[str]
    """`correction:` and the public id of what was corrected."""
    about: Mapped[str]
    """The same for people: name and number of the wording."""
    changes: Mapped[dict[str, Any]]
    """KUK to its verdict before and after; "missing": what the scheme lacks now, by kind."""
    at: Mapped[datetime]


class RecheckNote(Base):
    """One thing said about a certificate that has to be looked at. Append-only."""

    __tablename__ = "recheck_note"
    __table_args__ = (Index("ix_recheck_note_recheck", "recheck_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    recheck_id: Mapped[int] = mapped_column(ForeignKey("recheck.id"))
    step: Mapped[RecheckStep] = mapped_column(text_enum(RecheckStep))
    text: Mapped[str]
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime]


class NumberCounter(Base):
    """The last number given, per issuer, scheme and year. Taken in the issuing transaction."""

    __tablename__ = "number_counter"

    issuer_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id"), primary_key=True, info=HISTORY
    )
    scheme_code: Mapped[str] = mapped_column(primary_key=True)
    year: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]


class Document(Base):
    """Bytes of a paper, stored once under their own hash and served as they are for ever."""

    __tablename__ = "document"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    media_type: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]


class Disclosure(Base):
    """Somebody looked at a certificate while signed in. Shown to its holder."""

    __tablename__ = "disclosure"

    id: Mapped[int] = mapped_column(primary_key=True)
    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id"), index=True)
    viewer_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"), info=HISTORY)
    method: Mapped[Method] = mapped_column(text_enum(Method))
    matched: Mapped[bool | None]
    """Whether the name that was typed equals the name on the paper."""
    at: Mapped[datetime]
