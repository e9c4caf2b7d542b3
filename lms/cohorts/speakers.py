"""What guest speakers leave in a class: some words about themselves, and files. Services flush.

The bytes of a file lie in the database, in pieces: one backup holds everything, a file and the
place it takes are one transaction, and no request holds more than a piece of it in memory.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import IO

from sqlalchemy import Select, and_, delete, insert, select, update

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.cohorts import services as cohorts
from lms.cohorts.guests import rules
from lms.cohorts.models import (
    ClassSession,
    Cohort,
    CohortStaff,
    FileKind,
    Guest,
    Material,
    MaterialPiece,
    Part,
)
from lms.core import audit
from lms.core.db import db, insert_once
from lms.core.errors import DomainError, NotFound
from lms.core.ids import public_id

PIECE = 256 * 1024
"""Bytes of a file that are in memory at one time."""


class AccessEnded(DomainError):
    """The guest's access to the class `title` ended after the day `until`."""

    def __init__(self, title: str, until: date) -> None:
        super().__init__(title)
        self.title, self.until = title, until


class TooManyFiles(DomainError):
    """The guest hands out as many files in this class as there may be."""


class SessionTaken(DomainError):
    """Somebody else speaks in this session already."""


@dataclass(frozen=True, slots=True)
class FileLine:
    """One file in a list."""

    public_id: str
    name: str
    kind: FileKind
    size: int
    person_id: int
    person: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What a guest says about themselves, for the people of the class."""

    person_id: int
    name: str
    bio: str


@dataclass(frozen=True, slots=True)
class GuestLine:
    """One guest in the organiser's list."""

    person_id: int
    public_id: str
    name: str
    bio: str
    until: date
    """The last day of access."""
    is_open: bool
    sessions: tuple[tuple[str, str], ...]
    """Titles, in Indonesian and English."""
    files: int


def list_guests(cohort: Cohort, *, now: datetime) -> list[GuestLine]:
    """Return the guests of a class by name. Three queries."""
    own = and_(Guest.cohort_id == CohortStaff.cohort_id, Guest.person_id == CohortStaff.person_id)
    rows = db.session.execute(
        select(Person.id, Person.public_id, Person.name, Guest.bio, Guest.access_ends_on)
        .join(CohortStaff, CohortStaff.person_id == Person.id)
        .join(Guest, own, isouter=True)
        .where(CohortStaff.cohort_id == cohort.id, CohortStaff.part == Part.SPEAKER)
        .order_by(Person.name, Person.id)
    )
    sessions, files = cohorts.list_sessions(cohort.id), list_files(cohort.id)
    today = cohorts.today_in(cohort, now)
    found = []
    for row in rows:
        until = rules.access_ends_on(row.access_ends_on, cohort.ends_on)
        found.append(
            GuestLine(
                person_id=row.id,
                public_id=row.public_id,
                name=row.name,
                bio=row.bio or "",
                until=until,
                is_open=rules.has_access(today, until),
                sessions=tuple(
                    (one.title, one.title_en) for one in sessions if one.speaker_id == row.id
                ),
                files=sum(one.person_id == row.id for one in files),
            )
        )
    return found


def list_profiles(cohort_id: int) -> list[Profile]:
    """Return the guests who say something about themselves, by name. One query."""
    rows = db.session.execute(
        select(Person.id, Person.name, Guest.bio)
        .join(Guest, Guest.person_id == Person.id)
        .where(Guest.cohort_id == cohort_id, Guest.bio != "")
        .order_by(Person.name, Person.id)
    )
    return [Profile(*row) for row in rows]


def until_of(cohort: Cohort, person_id: int) -> date:
    """Return the last day a guest may look into a class."""
    found = db.session.get(Guest, (cohort.id, person_id))
    return rules.access_ends_on(found.access_ends_on if found else None, cohort.ends_on)


def bio_of(cohort_id: int, person_id: int) -> str:
    """Return what a guest says about themselves in a class."""
    found = db.session.get(Guest, (cohort_id, person_id))
    return found.bio if found else ""


def set_bio(cohort_id: int, person_id: int, bio: str) -> None:
    """Let a guest say something about themselves. Flushes."""
    _change(cohort_id, person_id, bio=bio)


def set_access(
    cohort_id: int, guest_id: str, until: date | None, *, actor_id: int, now: datetime
) -> None:
    """Choose the last day a guest may look in; None leaves it to the rule.

    Raises NotFound when nobody of this public id speaks in the class. Flushes.
    """
    person_id = accounts.get_person(guest_id).id
    if db.session.get(CohortStaff, (cohort_id, person_id, Part.SPEAKER)) is None:
        raise NotFound(guest_id)
    _change(cohort_id, person_id, access_ends_on=until)
    audit.record(
        "cohorts.guest_access",
        f"cohort:{cohort_id}",
        actor_id=actor_id,
        now=now,
        person=person_id,
        until=until.isoformat() if until else None,
    )


def welcome(
    cohort_id: int, person_id: int, *, session_id: int | None, access_ends_on: date | None
) -> None:
    """Let a guest who accepted speak in the session they were invited to, if it is still free.

    Flushes.
    """
    if access_ends_on is not None:
        _change(cohort_id, person_id, access_ends_on=access_ends_on)
    if session_id is not None:
        db.session.execute(
            update(ClassSession)
            .where(
                ClassSession.id == session_id,
                ClassSession.cohort_id == cohort_id,
                ClassSession.speaker_id.is_(None),
                cohorts.in_timetable(),
            )
            .values(speaker_id=person_id)
        )


def free_sessions(cohort_id: int) -> list[ClassSession]:
    """Return the entries of a timetable nobody speaks in yet."""
    return [one for one in cohorts.list_sessions(cohort_id) if one.speaker_id is None]


def _change(cohort_id: int, person_id: int, **values: object) -> None:
    insert_once(Guest, cohort_id=cohort_id, person_id=person_id)
    db.session.execute(
        update(Guest)
        .where(Guest.cohort_id == cohort_id, Guest.person_id == person_id)
        .values(**values)
    )


# Files


def list_files(cohort_id: int, person_id: int | None = None) -> Sequence[FileLine]:
    """Return the files handed out in a class, by everybody or by one guest. One query."""
    query = (
        _files()
        .where(Material.cohort_id == cohort_id)
        .order_by(Person.name, Material.person_id, Material.slot)
    )
    if person_id is not None:
        query = query.where(Material.person_id == person_id)
    return [FileLine(*row) for row in db.session.execute(query)]


def get_file(cohort_id: int, file_id: str, person_id: int | None = None) -> FileLine:
    """Return a file of a class, or only a guest's own. Raises NotFound."""
    query = _files().where(Material.cohort_id == cohort_id, Material.public_id == file_id)
    if person_id is not None:
        query = query.where(Material.person_id == person_id)
    row = db.session.execute(query).first()
    if row is None:
        raise NotFound(file_id)
    return FileLine(*row)


def _files() -> Select[str, str, FileKind, int, int, str]:
    return select(
        Material.public_id,
        Material.name,
        Material.kind,
        Material.size,
        Material.person_id,
        Person.name,
    ).join(Person, Person.id == Material.person_id)


def add_file(cohort_id: int, person_id: int, name: str, stream: IO[bytes], *, now: datetime) -> str:
    """Keep a file a guest hands out; return its public id.

    Raises rules.BadFile and TooManyFiles. Flushes.
    """
    size = stream.seek(0, 2)

    def read(start: int, length: int) -> bytes:
        stream.seek(start)
        return stream.read(length)

    accepted = rules.check_file(name, size, read)
    stream.seek(0)
    values = {
        "public_id": public_id(),
        "cohort_id": cohort_id,
        "person_id": person_id,
        "name": accepted.name,
        "kind": FileKind(accepted.kind),
        "size": size,
        "digest": hashlib.file_digest(stream, "sha256").hexdigest(),  # type: ignore[arg-type]
        "created_at": now,
    }
    file_id = _take_slot(values)
    stream.seek(0)
    for number, body in enumerate(iter(lambda: stream.read(PIECE), b"")):
        db.session.execute(
            insert(MaterialPiece), {"material_id": file_id, "number": number, "body": body}
        )
    audit.record(
        "cohorts.material",
        f"material:{file_id}",
        actor_id=person_id,
        now=now,
        cohort=cohort_id,
        kind=accepted.kind,
        size=size,
    )
    return str(values["public_id"])


def _take_slot(values: dict[str, object]) -> int:
    """Insert the row of a file at the first free place; the database lets only one stand there."""
    of_guest = Material.cohort_id == values["cohort_id"], Material.person_id == values["person_id"]
    taken = set(db.session.scalars(select(Material.slot).where(*of_guest)))
    for slot in rules.SLOTS:
        if slot not in taken and insert_once(Material, **values, slot=slot):
            query = select(Material.id).where(Material.public_id == values["public_id"])
            return db.session.scalars(query).one()
    raise TooManyFiles(str(len(rules.SLOTS)))


def delete_file(
    cohort_id: int, file_id: str, *, actor_id: int, now: datetime, person_id: int | None = None
) -> None:
    """Delete a file for good; with `person_id` only a guest's own. Raises NotFound. Flushes."""
    get_file(cohort_id, file_id, person_id)
    key = db.session.scalars(select(Material.id).where(Material.public_id == file_id)).one()
    db.session.execute(delete(MaterialPiece).where(MaterialPiece.material_id == key))
    db.session.execute(delete(Material).where(Material.id == key))
    audit.record(
        "cohorts.material_end", f"material:{key}", actor_id=actor_id, now=now, cohort=cohort_id
    )


def read_file(file_id: str) -> Iterator[bytes]:
    """Give the bytes of a file piece by piece; nothing is held open between two pieces."""
    key = db.session.scalar(select(Material.id).where(Material.public_id == file_id))
    number = 0
    while True:
        body = db.session.scalar(
            select(MaterialPiece.body).where(
                MaterialPiece.material_id == key, MaterialPiece.number == number
            )
        )
        db.session.rollback()  # a slow reader must not keep a transaction open
        if body is None:
            return
        yield body
        number += 1
