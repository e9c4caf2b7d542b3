"""Tables of organisations, classes, seats and invitations."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from lms.core.db import Base, text_enum
from lms.core.ids import public_id


class OrganisationKind(StrEnum):
    """The kinds of agency that send people; the first eight are those of Bontang 2016."""

    PUSKESMAS = "puskesmas"
    HOSPITAL = "rs"
    KUA = "kua"
    UPTD_PPA = "uptd_ppa"
    DISTRICT = "kecamatan"
    SOCIAL = "dinsos"
    POLSEK = "polsek"
    POLRES = "polres"
    WOMEN_OFFICE = "dp3a"
    VILLAGE = "kelurahan"
    NGO = "lsm"
    OTHER = "lain"


class Part(StrEnum):
    """What somebody does in a class or an organisation."""

    TRAINER = "trainer"
    ASSESSOR = "assessor"
    SPEAKER = "speaker"
    STAFF = "staff"
    OFFICER = "officer"


class ConflictKind(StrEnum):
    """Why somebody may not assess somebody else. Source: decision-rules 6."""

    RELATIVE = "relative"
    SUPERIOR = "superior"
    SUBORDINATE = "subordinate"


class Organisation(Base):
    """An agency: it sends people, hosts classes, asks about certificates."""

    __tablename__ = "organisation"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[OrganisationKind] = mapped_column(text_enum(OrganisationKind))
    city: Mapped[str]
    created_at: Mapped[datetime]


class Membership(Base):
    """Somebody works for an organisation (staff) or asks in its name (officer)."""

    __tablename__ = "membership"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id"), primary_key=True, index=True
    )
    part: Mapped[Part] = mapped_column(text_enum(Part), primary_key=True)


class Cohort(Base):
    """A class (angkatan) of about 25 people, with the letterhead its certificates carry."""

    __tablename__ = "cohort"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    city: Mapped[str]
    place: Mapped[str]
    zone: Mapped[str]
    """WIB, WITA or WIT: the clock of its screens and papers."""
    host_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    starts_on: Mapped[date]
    ends_on: Mapped[date]
    letterhead: Mapped[list[str]]
    signatory_title: Mapped[str]
    signatory_name: Mapped[str]
    signatory_number: Mapped[str] = mapped_column(default="")
    created_at: Mapped[datetime]


class ClassSession(Base):
    """One entry of the two-day timetable. `jp` is 0 for an opening without training hours."""

    __tablename__ = "class_session"
    __table_args__ = (UniqueConstraint("cohort_id", "day", "half", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"))
    day: Mapped[int]
    """1 or 2."""
    half: Mapped[str]
    """`am` or `pm`."""
    position: Mapped[int]
    title: Mapped[str]
    title_en: Mapped[str]
    jp: Mapped[int]
    lesson_code: Mapped[str | None]
    """The in-person lesson taught here, for example K1.T."""
    speaker_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class Enrolment(Base):
    """A companion's seat in a class, for the organisation that sent them."""

    __tablename__ = "enrolment"
    # One person holds one seat, however often the invitation is opened.
    __table_args__ = (UniqueConstraint("cohort_id", "person_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    created_at: Mapped[datetime]


class CohortStaff(Base):
    """A trainer, assessor or guest speaker of a class."""

    __tablename__ = "cohort_staff"

    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    part: Mapped[Part] = mapped_column(text_enum(Part), primary_key=True)


class Invitation(Base):
    """A personal, one-use link, good for 72 hours. Only the hash of its token is kept."""

    __tablename__ = "invitation"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    token_hash: Mapped[str] = mapped_column(unique=True)
    email: Mapped[str] = mapped_column(index=True)
    name: Mapped[str]
    roles: Mapped[list[str]]
    cohort_id: Mapped[int | None] = mapped_column(ForeignKey("cohort.id"), index=True)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    created_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    accepted_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class Conflict(Base):
    """`assessor_id` may not assess `person_id`, and why."""

    __tablename__ = "conflict"
    __table_args__ = (UniqueConstraint("assessor_id", "person_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    assessor_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    kind: Mapped[ConflictKind] = mapped_column(text_enum(ConflictKind))
    declared_by: Mapped[int] = mapped_column(ForeignKey("person.id"))
    declared_at: Mapped[datetime]
