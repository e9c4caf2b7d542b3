"""Fills an empty database with classes of several sizes, all with real past attempts.

A few companions go their whole way through the application's own services; everybody else is a
copy of one of them, row by row, with new ids. So each person has lessons, a quiz with every answer,
a written case, simulations, attendance, observation and, one in five, a certificate.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import Flask
from sqlalchemy import func, select, update

from bench.client import Wrong
from lms import release
from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, Enrolment, Organisation, Part
from lms.cohorts.timetable import pattern
from lms.config import Config
from lms.core import clock, schema
from lms.core.db import Base, db, unit_of_work
from lms.reports import snapshots
from tests import crowd, factories
from tests.copies import STEP, copies, owned

PASSWORD = "bangku-panjang-di-teras"  # noqa: S105 - everybody's, in a database thrown away


@dataclass(frozen=True, slots=True)
class Seeded:
    """Who and what can be asked for."""

    slugs: dict[int, str]
    """The class of each size."""
    trainer: str
    learners: tuple[str, ...]
    """Addresses of people in the middle of their way."""
    beginners: tuple[str, ...]
    """Addresses of people who may sit the quiz."""
    holders: tuple[tuple[str, str], ...]
    """Address and certificate code of people who hold one."""
    rows: dict[str, int]
    """How many rows the largest tables hold."""


def seed(app: Flask, sizes: Sequence[int]) -> Seeded:
    """Make the classes, the smallest first; sizes are multiples of five, at least 25."""
    with app.app_context():
        schema.upgrade(db.engine)
        with unit_of_work():
            release.load(app.extensions["suluh"].content_dir, now=clock.now())
    first, *others = sorted(sizes)
    made = crowd.build(app, first)
    slugs = {first: made.names["slug"]}
    start = first // len(crowd.WALKERS)
    for size in others:
        slugs[size] = f"kelas-besar-{size}"
        with app.app_context():
            _grow(made, slugs[size], start, start + size // len(crowd.WALKERS))
        start += size // len(crowd.WALKERS)
    with app.app_context():
        _give_passwords(app.extensions["suluh"])
        while snapshots.refresh(clock.now()):
            pass  # what a running installation has done long ago
        if db.engine.dialect.name == "postgresql":
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.exec_driver_sql("ANALYZE")
        else:
            with db.engine.connect() as connection:
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        found = _look_up(made, slugs)
        db.session.remove()
        db.engine.dispose()
    return found


def _grow(made: crowd.Crowd, slug: str, first: int, last: int) -> None:
    """Add a class of copies numbered `first` to `last` of each walker."""
    old = made.ids["class"]
    days = {"starts_on": made.now.date(), "ends_on": made.now.date(), "timetable": pattern()}
    host = db.session.get_one(Organisation, made.ids["host"])
    new = factories.cohort(host, slug=slug, **days).id
    with unit_of_work():
        for part in (Part.TRAINER, Part.ASSESSOR):
            cohorts.add_staff(made.ids[part.value], new, part)
        walkers = [made.ids[who] for who in crowd.WALKERS]
        for statement in copies(walkers, first, last):
            db.session.execute(statement)
        crowd.renew_codes()
        for table, column in owned():
            if "cohort_id" in table.c and column.name == "person_id":
                moved = update(table).where(column >= first * STEP, table.c.cohort_id == old)
                db.session.execute(moved.values(cohort_id=new))


def _give_passwords(config: Config) -> None:
    """Let everybody sign in with PASSWORD, hashed as the installation hashes."""
    maker = accounts.hasher(config.argon2_memory_kib, config.argon2_rounds)
    with unit_of_work():
        db.session.execute(update(Person).values(password_hash=maker.hash(PASSWORD)))


def _look_up(made: crowd.Crowd, slugs: dict[int, str]) -> Seeded:
    from lms.credentials.models import Certificate

    def addresses(who: str) -> tuple[str, ...]:
        ids = Person.id % STEP == made.ids[who]
        return tuple(db.session.scalars(select(Person.email).where(ids).order_by(Person.id)))

    holders = db.session.execute(
        select(Person.email, Certificate.code).join(Certificate, Certificate.person_id == Person.id)
    )
    rows = {
        table.name: db.session.scalar(select(func.count()).select_from(table)) or 0
        for table in Base.metadata.sorted_tables
    }
    trainer = db.session.get_one(Person, made.ids["trainer"]).email
    for size, slug in slugs.items():
        of_class = select(func.count(Enrolment.id)).join(Cohort, Cohort.id == Enrolment.cohort_id)
        if db.session.scalar(of_class.where(Cohort.slug == slug)) != size:
            raise Wrong(f"the class {slug} does not have {size} people")
    return Seeded(
        slugs=slugs,
        trainer=trainer,
        learners=addresses("learner"),
        beginners=addresses("beginner"),
        holders=tuple((one.email, one.code) for one in holders),
        rows=dict(sorted(rows.items(), key=lambda pair: -pair[1])[:12]),
    )
