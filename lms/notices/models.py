"""Tables of notices."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.accounts import models as accounts  # noqa: F401  # tables ours point to
from lms.core import models as core  # noqa: F401  # tables ours point to
from lms.core.db import Base, text_enum
from lms.notices.rules import Kind


class Notice(Base):
    """Somebody was told something, once."""

    __tablename__ = "notice"
    __table_args__ = (
        # Two servers that sweep at once tell it once.
        UniqueConstraint("person_id", "kind", "subject", "stage"),
        # One's own page reads the newest first.
        Index("ix_notice_person", "person_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[Kind] = mapped_column(text_enum(Kind))
    subject: Mapped[str]
    """What it is about, as `table:id`."""
    stage: Mapped[int]
    """Days before, see rules; 0 where there is only one stage."""
    about: Mapped[str]
    """What the page names: a class, a scheme, a case."""
    path: Mapped[str]
    """Where the page leads, an address of this site."""
    at: Mapped[datetime]
    mail_id: Mapped[int | None] = mapped_column(ForeignKey("mail.id"))
    """None for who wants no mail of this kind."""
    read_at: Mapped[datetime | None]


class MutedNotice(Base):
    """Somebody wants no mail of this kind, or (`all`) none at all."""

    __tablename__ = "muted_notice"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
