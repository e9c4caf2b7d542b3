"""`python -m bench.lineage`: how long it takes to find everybody downstream of a version.

Seeds four levels of classes of 25 in an empty database of its own: a resource person, trainers of
trainers, trainers, companions. Prints seconds; ends with 1 where the bar is missed.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import func, insert, select, text

from bench.servers import settings
from lms import release
from lms.accounts.models import Person
from lms.app import create_app
from lms.cohorts.models import (
    Cohort,
    CohortCurriculum,
    CohortStaff,
    Enrolment,
    Organisation,
    OrganisationKind,
    Part,
)
from lms.competency.models import Evidence, StandardVersion
from lms.competency.rules import EvidenceKind
from lms.config import from_environment
from lms.core import schema
from lms.core.db import db, unit_of_work
from lms.lineage import chains

BAR = 1.0
"""Seconds for 50,000 people."""
SIZE = 25
NOW = datetime(2026, 1, 2, tzinfo=UTC)
Row = dict[str, object]


def seed(people: int) -> None:
    """Insert classes until so many people were trained; every level teaches the next."""
    with unit_of_work():
        host = Organisation(
            name="Dinas Contoh", kind=OrganisationKind.WOMEN_OFFICE, city="Kota", created_at=NOW
        )
        db.session.add(host)
        db.session.flush()
        standard_id = db.session.scalars(select(StandardVersion.id)).first()
        first = (db.session.scalar(select(func.max(Person.id))) or 0) + 1
        rows: dict[type, list[Row]] = {
            table: []
            for table in (Person, Cohort, CohortCurriculum, CohortStaff, Enrolment, Evidence)
        }
        rows[Person] = list(_people(first, people + 1))
        classes = -(-people // SIZE)
        for number in range(1, classes + 1):
            begin = first + 1 + (number - 1) * SIZE
            seats = range(begin, min(begin + SIZE, first + 1 + people))
            # The first person teaches the first class; who sits in it teaches the next ones.
            level, teacher = _teacher(number, first)
            starts = date(2020, 1, 1) + timedelta(days=10 * level)
            rows[Cohort].append(_cohort(number, starts, host.id))
            rows[CohortCurriculum].append(
                {"cohort_id": number, "curriculum": "K1", "version": f"v{min(level, 2)}"}
            )
            rows[CohortStaff].append(
                {"cohort_id": number, "person_id": teacher, "part": Part.TRAINER}
            )
            for who in seats:
                rows[Enrolment].append(
                    {"cohort_id": number, "person_id": who, "organisation_id": host.id,
                     "created_at": NOW}
                )  # fmt: skip
                rows[Evidence].append(_evidence(who, number, standard_id))
        for table, values in rows.items():
            for part in range(0, len(values), 5_000):
                db.session.execute(insert(table), values[part : part + 5_000])
    if db.engine.dialect.name == "sqlite":
        return  # an installation never asks it to look at its tables
    with db.engine.connect() as connection:  # what PostgreSQL does by itself after a minute
        connection.execute(text("ANALYZE"))
        connection.commit()


def _teacher(number: int, first: int) -> tuple[int, int]:
    """Return the level of a class and who teaches it: its people come from the level above."""
    if number == 1:
        return 1, first
    level, begin, size = 2, 2, SIZE
    while number >= begin + size and level < 4:
        begin, size, level = begin + size, size * SIZE, level + 1
    above = {2: (1, 1), 3: (2, SIZE), 4: (2 + SIZE, SIZE * SIZE)}[level]
    place = (number - begin) % (above[1] * SIZE)
    return level, first + 1 + (above[0] - 1) * SIZE + place


def _people(first: int, count: int) -> Iterator[Row]:
    for who in range(first, first + count):
        yield {
            "id": who, "public_id": f"p{who}", "email": f"p{who}@contoh.test",
            "name": f"Orang {who:06}", "password_hash": "-", "created_at": NOW,
        }  # fmt: skip


def _cohort(number: int, starts: date, host_id: int) -> Row:
    return {
        "id": number, "slug": f"k{number}", "title": f"Kelas {number}", "city": "Kota",
        "place": "Aula", "zone": "WIB", "host_id": host_id, "starts_on": starts,
        "ends_on": starts + timedelta(days=1), "letterhead": [], "signatory_title": "",
        "signatory_name": "", "created_at": NOW,
    }  # fmt: skip


def _evidence(who: int, cohort_id: int, standard_id: int | None) -> Row:
    return {
        "person_id": who, "standard_version_id": standard_id, "kind": EvidenceKind.HDR, "kuk": "",
        "source": "K1.T", "group_key": f"cohort:{cohort_id}", "ref": "K1.T/1", "passed": True,
        "happened_at": NOW, "recorded_at": NOW,
    }  # fmt: skip


def measure() -> tuple[float, int, int, int]:
    """Return the seconds to list everybody downstream, how many, in how many classes and levels."""
    db.session.rollback()
    db.session.expire_all()
    began = time.perf_counter()
    found = chains.downstream("K1", "v1")
    people = sum(1 for _contact in chains.contacts(found))
    took = time.perf_counter() - began
    return took, people, len(found.levels), max(found.levels.values(), default=0)


def main() -> int:
    """Seed, measure five times, print the middle one."""
    asked = argparse.ArgumentParser(prog="python -m bench.lineage", description=__doc__)
    asked.add_argument("--people", type=int, default=50_000)
    asked.add_argument("--database-url", help="an empty PostgreSQL database")
    options = asked.parse_args()
    with tempfile.TemporaryDirectory(prefix="suluh-bench-") as folder:
        url = options.database_url or f"sqlite:///{folder}/suluh.sqlite3"
        app = create_app(from_environment(settings(url)))
        with app.app_context():
            schema.upgrade(db.engine)
            with unit_of_work():
                release.load(app.extensions["suluh"].content_dir, now=NOW)
            seed(options.people)
            runs = sorted(measure() for _ in range(5))
            db.session.remove()
            db.engine.dispose()
    took, people, classes, levels = runs[2]
    print(f"{people} people in {classes} classes, {levels} levels: {took:.2f} s (bar {BAR} s)")
    return int(took > BAR or people != options.people)


if __name__ == "__main__":
    sys.exit(main())
