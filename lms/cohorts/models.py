"""Tables of organisations, classes, seats and invitations."""

from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from lms.accounts import models as accounts  # noqa: F401  # tables ours point to
from lms.core.db import HISTORY, Base, text_enum
from lms.core.ids import public_id


class OrganisationKind(StrEnum):
    """The kinds of body that send people; the first eight are those of Bontang 2016.

    Schools, campuses and youth groups are those of Batam 2023, Puspaga of Cilegon 2023.
    """

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
    PUSPAGA = "puspaga"
    NGO = "lsm"
    SCHOOL = "sekolah"
    CAMPUS = "kampus"
    YOUTH = "pemuda"
    OTHER = "lain"


class NameKind(StrEnum):
    """How another name of an organisation came about."""

    FORMER = "former"
    ALIAS = "alias"
    ABBREVIATION = "abbreviation"


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


class ClassState(StrEnum):
    """Whether a class is being prepared or runs. It opens once and never goes back."""

    DRAFT = "draft"
    OPEN = "open"


class Organisation(Base):
    """An agency: it sends people, hosts classes, asks about certificates."""

    __tablename__ = "organisation"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[OrganisationKind] = mapped_column(text_enum(OrganisationKind))
    city: Mapped[str]
    created_at: Mapped[datetime]


class OrganisationMerge(Base):
    """One organisation turned out to be another. Its row stays for what was printed or seen."""

    __tablename__ = "organisation_merge"

    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id"), primary_key=True, info=HISTORY
    )
    """The one that is no more: what it had is the other's."""
    into_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), index=True)
    """The one that stays; never one that was merged itself."""
    name: Mapped[str]
    """Its name then: `organisation.name` is given up, so that another may carry it."""
    merged_at: Mapped[datetime]


class OrganisationName(Base):
    """Another name of an organisation: what it was called before, or is called beside."""

    __tablename__ = "organisation_name"
    # Two organisations may have had one name, for a body that was split; one lists it once.
    __table_args__ = (UniqueConstraint("organisation_id", "normal"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    name: Mapped[str]
    normal: Mapped[str]
    """The name as it is compared; see `rules.normal_name`."""
    kind: Mapped[NameKind] = mapped_column(text_enum(NameKind))
    valid_until: Mapped[date | None]
    """The last day it was the official name, where that is known."""
    created_at: Mapped[datetime]


class Membership(Base):
    """Somebody works for an organisation (staff) or asks in its name (officer)."""

    __tablename__ = "membership"
    # Two officers an organisation, whatever happens at once: each stands in slot 1 or 2.
    __table_args__ = (Index("uq_membership_slot", "organisation_id", "slot", unique=True),)

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    organisation_id: Mapped[int] = mapped_column(
        ForeignKey("organisation.id"), primary_key=True, index=True
    )
    part: Mapped[Part] = mapped_column(text_enum(Part), primary_key=True)
    slot: Mapped[int | None]
    """1 or 2 for an officer, else None. None also for officers of before there were slots."""
    vouched_at: Mapped[datetime | None]
    """When somebody's word for an officer was written down: without it the part gives no right."""
    vouching: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """Whose word it is; see `officers.Vouching`."""


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
    state: Mapped[ClassState] = mapped_column(
        text_enum(ClassState), default=ClassState.OPEN, server_default=ClassState.OPEN.value
    )
    opened_at: Mapped[datetime | None]
    """When the draft was opened; None while it is one, and for classes older than drafts."""
    changed_at: Mapped[datetime | None]
    """When its data or its timetable last changed."""
    address: Mapped[str] = mapped_column(default="", server_default="")
    """Street, and how to get there."""
    contact_name: Mapped[str] = mapped_column(default="", server_default="")
    contact_phone: Mapped[str] = mapped_column(default="", server_default="")
    contact_email: Mapped[str] = mapped_column(default="", server_default="")
    bring: Mapped[str] = mapped_column(default="", server_default="")
    """What people bring along, one thing a line."""


class CohortCurriculum(Base):
    """A curriculum the class covers, and the version it is taught in."""

    __tablename__ = "cohort_curriculum"

    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), primary_key=True)
    curriculum: Mapped[str] = mapped_column(primary_key=True, index=True)
    """K1 … K5, T."""
    version: Mapped[str]
    """As `curricula.Offer.version` said when it was chosen; empty while nothing was written."""


class ClassSession(Base):
    """One entry of the timetable. `jp` is 0 for an opening without training hours."""

    __tablename__ = "class_session"
    # Two people who add an entry at once cannot both get the same place.
    __table_args__ = (UniqueConstraint("cohort_id", "day", "half", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"))
    day: Mapped[int]
    """1 to 5."""
    half: Mapped[str]
    """`am` or `pm`."""
    position: Mapped[int]
    """From 1 within the half day; a removed entry holds the negative of its id."""
    title: Mapped[str]
    title_en: Mapped[str]
    jp: Mapped[int]
    lesson_code: Mapped[str | None]
    """The in-person lesson taught here, for example K1.T."""
    speaker_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    begins: Mapped[time | None]
    """By the clock of the class; both or neither."""
    ends: Mapped[time | None]
    removed_at: Mapped[datetime | None]
    """Taken out of the timetable; kept so that it can be put back."""


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
    session_id: Mapped[int | None] = mapped_column(ForeignKey("class_session.id"))
    """The one entry of the timetable a guest speaker is invited to."""
    access_ends_on: Mapped[date | None]
    """The last day of a guest's access; None leaves it to the rule."""
    vouching: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    """On whose word an officer is invited; see `officers.Vouching`."""


class Guest(Base):
    """What a guest speaker says about themselves in one class, and how long they may look in."""

    __tablename__ = "guest"

    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)
    bio: Mapped[str] = mapped_column(default="")
    access_ends_on: Mapped[date | None]
    """The last day of access; None leaves it to the rule."""


class FileKind(StrEnum):
    """The kinds of files guests may hand out, by the ending of the name."""

    PDF = "pdf"
    PPTX = "pptx"
    DOCX = "docx"
    ODP = "odp"
    PNG = "png"
    JPG = "jpg"


class Material(Base):
    """A file a guest speaker hands out. Its bytes are in `material_piece`."""

    __tablename__ = "material"
    # Five places: two uploads at once cannot make six.
    __table_args__ = (UniqueConstraint("cohort_id", "person_id", "slot"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    slot: Mapped[int]
    """1 to 5."""
    name: Mapped[str]
    """As it was called where it came from, cleaned."""
    kind: Mapped[FileKind] = mapped_column(text_enum(FileKind))
    size: Mapped[int]
    """Bytes."""
    digest: Mapped[str]
    """SHA-256."""
    created_at: Mapped[datetime]


class MaterialPiece(Base):
    """A part of a file, so that memory stays flat however large the file is."""

    __tablename__ = "material_piece"

    material_id: Mapped[int] = mapped_column(ForeignKey("material.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    body: Mapped[bytes]


class CalendarFeed(Base):
    """A secret address that calendar programs read. Only the hash of its token is kept."""

    __tablename__ = "calendar_feed"
    # One address in force for each owner and class, and one for the owner's own sessions.
    __table_args__ = (
        Index(
            "uq_calendar_feed_class",
            "owner_id",
            "cohort_id",
            unique=True,
            sqlite_where=text("revoked_at IS NULL AND cohort_id IS NOT NULL"),
            postgresql_where=text("revoked_at IS NULL AND cohort_id IS NOT NULL"),
        ),
        Index(
            "uq_calendar_feed_own",
            "owner_id",
            unique=True,
            sqlite_where=text("revoked_at IS NULL AND cohort_id IS NULL"),
            postgresql_where=text("revoked_at IS NULL AND cohort_id IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token_hash: Mapped[str] = mapped_column(unique=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    cohort_id: Mapped[int | None] = mapped_column(ForeignKey("cohort.id"))
    """The class it tells about; None: the sessions of its owner."""
    created_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]


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


class ClassMessage(Base):
    """A few words from a trainer to people of a class. Append-only."""

    __tablename__ = "class_message"

    id: Mapped[int] = mapped_column(primary_key=True)
    public_id: Mapped[str] = mapped_column(unique=True, default=public_id)
    cohort_id: Mapped[int] = mapped_column(ForeignKey("cohort.id"), index=True)
    sender_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[str]
    """Why these people were chosen, as the reports name it."""
    text: Mapped[str]
    recipients: Mapped[int]
    at: Mapped[datetime]


class ClassMessageTo(Base):
    """One person a message went to, and whether they put it away."""

    __tablename__ = "class_message_to"
    # Asked for: what somebody has not put away yet, and when they were last written to.
    __table_args__ = (Index("ix_class_message_to_person", "person_id", "read_at"),)

    message_id: Mapped[int] = mapped_column(ForeignKey("class_message.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    read_at: Mapped[datetime | None]
