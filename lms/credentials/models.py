"""Tables of the register. Certificates are facts; their status is derived from events."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import Base, text_enum


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
    """A trainer signed that somebody has met a scheme, with the evidence it rests on."""

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
    issuer_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
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


class NumberCounter(Base):
    """The last number given, per issuer, scheme and year. Taken in the issuing transaction."""

    __tablename__ = "number_counter"

    issuer_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
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
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    method: Mapped[Method] = mapped_column(text_enum(Method))
    matched: Mapped[bool | None]
    """Whether the name that was typed equals the name on the paper."""
    at: Mapped[datetime]
