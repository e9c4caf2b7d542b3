"""Things tests need, made by plain functions. Each commits, so that requests see it."""

import itertools
from dataclasses import fields
from datetime import UTC, date, datetime
from typing import Any

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.cohorts import officers, organisations
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, Organisation, OrganisationKind, Part
from lms.cohorts.officers import Vouching
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind
from lms.core.db import db, unit_of_work
from lms.core.marks import Mark
from lms.reviews import reviewers
from lms.reviews.rules import Expertise

_COUNT = itertools.count(1)
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
PASSWORD = "sawah hijau luas 7"
MAKER = accounts.hasher(8, 1)


def person(
    *roles: str, name: str | None = None, email: str | None = None, now: datetime = NOW
) -> Person:
    """Create an account with roles (a trainee when none is named)."""
    n = next(_COUNT)
    with unit_of_work():
        made = accounts.create_person(
            email=email or f"orang{n}@contoh.test",
            name=name or f"Orang Nomor {n}",
            password=PASSWORD,
            roles=roles or ("trainee",),
            maker=MAKER,
            now=now,
        )
        found = made.id
    return db.session.get_one(Person, found)


def organisation(
    name: str | None = None, kind: OrganisationKind = OrganisationKind.PUSKESMAS
) -> Organisation:
    """Create an organisation."""
    n = next(_COUNT)
    with unit_of_work():
        made = organisations.create_organisation(
            name=name or f"Instansi {n}", kind=kind, city="Kota Contoh", actor_id=None, now=NOW
        )
        found = made.id
    return db.session.get_one(Organisation, found)


TIMETABLE = [
    cohorts.Timetabled(
        day=1, half="am", position=1, title="Pembukaan", title_en="Opening", jp=0
    ),
    cohorts.Timetabled(
        day=1, half="am", position=2, title="Lokakarya", title_en="Workshop", jp=2,
        lesson_code="K1.T",
    ),
    cohorts.Timetabled(
        day=2, half="pm", position=1, title="Uji observasi", title_en="Observation test", jp=4
    ),
]  # fmt: skip


def cohort(host: Organisation | None = None, **overrides: Any) -> Cohort:
    """Create a class with a short timetable: K1.T on the first morning."""
    n = next(_COUNT)
    host_id = (host or organisation()).id
    values: dict[str, Any] = {
        "slug": f"angkatan-{n}",
        "title": f"Angkatan {n}",
        "city": "Kota Contoh",
        "place": "Aula Dinas",
        "zone": "WIB",
        "host_id": host_id,
        "starts_on": date(2026, 3, 20),
        "ends_on": date(2026, 3, 21),
        "letterhead": ["PEMERINTAH KOTA CONTOH", "Dinas Contoh"],
        "signatory_title": "Kepala Dinas",
        "signatory_name": "Nama Contoh",
        "signatory_number": "",
        "timetable": TIMETABLE,
        "actor_id": None,
        "now": NOW,
    } | overrides
    data = {
        field.name: values.pop(field.name)
        for field in fields(cohorts.ClassData)
        if field.name in values
    }
    with unit_of_work():
        found = cohorts.create_cohort(cohorts.ClassData(**data), **values).id
    return db.session.get_one(Cohort, found)


def seat(someone: Person, where: Cohort, sender: Organisation | None = None) -> None:
    """Give somebody a seat in a class."""
    person_id, cohort_id = someone.id, where.id
    sender_id = (sender or organisation()).id
    with unit_of_work():
        cohorts.enrol(person_id, cohort_id, sender_id, now=NOW)


def staff(someone: Person, where: Cohort, part: Part = Part.TRAINER) -> None:
    """Let somebody work in a class."""
    person_id, cohort_id = someone.id, where.id
    with unit_of_work():
        cohorts.add_staff(person_id, cohort_id, part)


def evidence(
    someone: Person, kind: str, kuk: str, source: str, group: str, at: datetime = NOW, **values: Any
) -> None:
    """Append one row to the ledger."""
    person_id = someone.id
    found = competency.current()
    fact = competency.NewEvidence(
        person_id=person_id,
        kind=EvidenceKind(kind),
        kuk=kuk,
        source=source,
        group=group,
        happened_at=at,
        **values,
    )
    with unit_of_work():
        competency.append([fact], standard_id=found.id, now=at)


def reviewer(
    field: Expertise = Expertise.LAWYER, *other_roles: str, name: str | None = None
) -> Person:
    """Create an account that reviews as an expert of `field`."""
    made = person("reviewer", *other_roles, name=name)
    with unit_of_work():
        reviewers.appoint(made.email, field, by_id=made.id, now=NOW)
    return made


WORD = Vouching(by="Kepala Contoh", letter="800/7", letter_on=date(2026, 3, 1))


def appoint(person_id: int, organisation_id: int) -> None:
    """Let somebody ask in the name of an organisation, on somebody's word. Flushes."""
    cohorts.add_member(person_id, organisation_id, Part.OFFICER)
    officers.vouch(person_id, organisation_id, WORD, actor_id=person_id, now=NOW)


def officer(*agencies: Organisation, name: str | None = None) -> Person:
    """Create an account that asks in the name of organisations, on somebody's word."""
    made = person("agency", name=name)
    person_id, ids = made.id, [one.id for one in agencies or (organisation(),)]
    with unit_of_work():
        for organisation_id in ids:
            appoint(person_id, organisation_id)
    return made


def mark(**overrides: Any) -> Mark:
    """Return the mark of a file somebody took."""
    given = {
        "reference": "brk-7k3m9-qx2d4",
        "by": "Sri Wahyuni",
        "at": NOW,
        "zone": "WITA",
        "about": "Angkatan Melati",
        "until": NOW.date(),
    }
    return Mark(**(given | overrides))
