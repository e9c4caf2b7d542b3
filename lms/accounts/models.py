"""Tables of people, their sessions, and the keys that open an account."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import Base
from lms.core.ids import public_id


class Person(Base):
    """Somebody with an account. A deleted account keeps its row without name and address."""

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    email: Mapped[str] = mapped_column(unique=True)
    """Lower case; the name people sign in with."""
    name: Mapped[str]
    """As it is to stand on a certificate."""
    password_hash: Mapped[str]
    locale: Mapped[str] = mapped_column(default="id")
    created_at: Mapped[datetime]
    disabled_at: Mapped[datetime | None]


class PersonRole(Base):
    """One role of one person; see `core.login.ROLES`."""

    __tablename__ = "person_role"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)


class LoginSession(Base):
    """One signed-in browser. The cookie holds the token, the table only its hash."""

    __tablename__ = "login_session"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    seen_at: Mapped[datetime | None]
    """The last visit, known to `rules.VISIT`; None when there was none since the first."""
    agent: Mapped[str | None]
    """Family of browser and system in words, for its owner to recognise; nothing finer."""


class PendingEntry(Base):
    """A sign-in that still lacks its second factor. Its token opens that one page only."""

    __tablename__ = "pending_entry"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    remember: Mapped[bool]
    """Whether the device is to be remembered once the second factor fits."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class KnownDevice(Base):
    """A browser that signed in before: it is spared the delays made for guessers."""

    __tablename__ = "known_device"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[datetime]


class SetupCode(Base):
    """The one-time code that guards the making of the first administrator."""

    __tablename__ = "setup_code"

    id: Mapped[int] = mapped_column(primary_key=True)
    code_hash: Mapped[str]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class ResetRequest(Base):
    """An address somebody typed who forgot a password, until it is looked at.

    Whether there is such an account is found out later, so that the answer cannot tell.
    """

    __tablename__ = "reset_request"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    created_at: Mapped[datetime]


class PasswordReset(Base):
    """A key to a new password: the link in a mail, or a code that was printed. One use."""

    __tablename__ = "password_reset"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    key_hash: Mapped[str] = mapped_column(unique=True)
    made_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    """Who printed the code; None when the person asked for a link."""
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    """When it was used, or a newer one took its place."""
    used: Mapped[bool] = mapped_column(default=False)


class AddressChange(Base):
    """A new sign-in address that waits for its owner to open the link sent there. One use."""

    __tablename__ = "address_change"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class SecondFactor(Base):
    """The authenticator of one person. Secrets are sealed with a key the database lacks."""

    __tablename__ = "second_factor"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    sealed: Mapped[str | None]
    """The secret in force; None until the first code has fitted."""
    since: Mapped[datetime | None]
    last_step: Mapped[int | None]
    """The newest step whose code was taken: no code is taken twice, nor an older one."""
    next_sealed: Mapped[str | None]
    """A new secret that waits for its first code."""
    next_at: Mapped[datetime | None]


class RecoveryCode(Base):
    """One of the codes kept on paper for the day the telephone is gone. One use."""

    __tablename__ = "recovery_code"

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    code_hash: Mapped[str]
    used_at: Mapped[datetime | None]


class OutsideIdentity(Base):
    """Who somebody is at the provider of sign-in. The subject decides, never the address."""

    __tablename__ = "outside_identity"
    __table_args__ = (
        UniqueConstraint("issuer", "subject", name="uq_outside_identity_subject"),
        # A mailbox given to somebody else must not open the account of who had it before.
        UniqueConstraint("issuer", "person_id", name="uq_outside_identity_person"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    issuer: Mapped[str]
    subject: Mapped[str]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    created_at: Mapped[datetime]


class NameRequest(Base):
    """A name somebody asks for after a certificate has been issued in the old one."""

    __tablename__ = "name_request"
    __table_args__ = (
        Index(
            "uq_name_request_open",
            "person_id",
            unique=True,
            sqlite_where=text("decided_at IS NULL"),
            postgresql_where=text("decided_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    name: Mapped[str]
    created_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    granted: Mapped[bool | None]
