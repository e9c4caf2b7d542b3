"""Tables of people and their sessions."""

from datetime import datetime

from sqlalchemy import ForeignKey
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
