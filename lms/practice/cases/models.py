"""Tables of written case studies: the text, drafts, submissions, marks."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.accounts import models as accounts  # noqa: F401  # tables ours point to
from lms.core.db import Base
from lms.core.ids import public_id


class CaseVersion(Base):
    """One text of a case study. Immutable; the one that became current last is worked on."""

    __tablename__ = "case_version"
    __table_args__ = (UniqueConstraint("code", "digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str]
    digest: Mapped[str]
    title: Mapped[str]
    title_en: Mapped[str]
    document: Mapped[dict[str, Any]]
    """The case as content.CaseSpec, and its Markdown already turned into HTML."""
    current_at: Mapped[datetime]
    """When it last became the text worked on; an older text that comes back takes a new moment."""


class CaseDraft(Base):
    """What somebody has written so far for one task. Saved while typing."""

    __tablename__ = "case_draft"
    __table_args__ = (UniqueConstraint("person_id", "case_code", "task"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    case_code: Mapped[str]
    task: Mapped[str]
    text: Mapped[str]
    page: Mapped[str]
    """The opened page that saved it: two tabs are never mistaken for one."""
    seq: Mapped[int]
    """That page's count of saves: an older save that arrives late is dropped."""
    updated_at: Mapped[datetime]


class CaseSubmission(Base):
    """What was handed in, as it was. A later try holds only the parts that were still open."""

    __tablename__ = "case_submission"
    __table_args__ = (UniqueConstraint("person_id", "case_code", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    case_version_id: Mapped[int] = mapped_column(ForeignKey("case_version.id"))
    case_code: Mapped[str]
    number: Mapped[int]
    kuk: Mapped[list[str]]
    answers: Mapped[dict[str, str]]
    """Task id to text."""
    submitted_at: Mapped[datetime]
    raters: Mapped[int] = mapped_column(default=1, server_default="1")
    """How many assessors mark it, as the class wanted it when it was handed in."""


class CaseReview(Base):
    """A submission is decided; its marks are evidence from then on.

    Where two assessors mark it, what each gave is in `rating`; this is what it came to, in the name
    of who came second.
    """

    __tablename__ = "case_review"

    id: Mapped[int] = mapped_column(primary_key=True)
    # One decision per submission, whoever marks it.
    submission_id: Mapped[int] = mapped_column(ForeignKey("case_submission.id"), unique=True)
    assessor_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    feedback: Mapped[str]
    decided_at: Mapped[datetime]


class CaseMark(Base):
    """The mark of one KUK in one decided submission, 0, 1 or 2, with its note."""

    __tablename__ = "case_mark"

    review_id: Mapped[int] = mapped_column(ForeignKey("case_review.id"), primary_key=True)
    kuk: Mapped[str] = mapped_column(primary_key=True)
    mark: Mapped[int]
    note: Mapped[str]
