"""A class with seats, agencies and officers, for tests about nominations."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select

from lms.accounts.models import Person
from lms.cohorts import invitations, seats
from lms.cohorts.models import Cohort, Organisation, OrganisationKind
from lms.core.db import db, unit_of_work
from lms.core.models import Mail
from lms.nominations import rules, services
from lms.nominations.models import Nomination, NominationEvent, Seating, SeatQuota
from lms.nominations.rules import Step
from lms.nominations.services import Nominee, Outcome
from tests import factories
from tests.factories import NOW

K = OrganisationKind
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
UNTIL = NOW + 10 * DAY
"""The class begins on 20 March; the deadline is on the 12th."""
AFTER = UNTIL + HOUR


@dataclass
class World:
    """One class; ids only, so that threads may use them."""

    cohort: int
    slug: str
    trainer: int
    agencies: dict[OrganisationKind, int] = field(default_factory=dict)


def open_class(*kinds: OrganisationKind, **overrides: Any) -> World:
    """Open a class on 20 March with a trainer and one agency of each kind."""
    host = factories.organisation(kind=K.WOMEN_OFFICE)
    where = factories.cohort(host, starts_on=date(2026, 3, 20), **overrides)
    trainer = factories.person("trainer")
    factories.staff(trainer, where)
    made = World(where.id, where.slug, trainer.id)
    for kind in kinds:
        made.agencies[kind] = factories.organisation(kind=kind).id
    return made


def set_seats(
    world: World,
    capacity: int,
    *,
    until: datetime = UNTIL,
    hours: int = 72,
    now: datetime = NOW,
    **quotas: int,
) -> None:
    """Set seats and quotas by kind, for example `rs=2`."""
    with unit_of_work():
        services.set_quotas(
            world.cohort,
            capacity=capacity,
            nominate_until=until,
            offer_hours=hours,
            quotas={K(kind): count for kind, count in quotas.items()},
            actor_id=world.trainer,
            now=now,
        )


def nominee(world: World, kind: OrganisationKind, name: str) -> Nominee:
    return Nominee(world.agencies[kind], name.capitalize(), f"{name}@contoh.test")


def nominate(
    world: World, kind: OrganisationKind, *names: str, now: datetime = NOW
) -> list[Outcome]:
    """Nominate people by the name their address begins with."""
    with unit_of_work():
        return services.nominate_many(
            world.cohort,
            [nominee(world, kind, name) for name in names],
            actor_id=world.trainer,
            now=now,
        )


def find(world: World, name: str) -> Nomination:
    """Return the newest nomination of this address as it is stored now."""
    db.session.rollback()
    return db.session.scalars(
        select(Nomination)
        .where(Nomination.cohort_id == world.cohort, Nomination.email == f"{name}@contoh.test")
        .order_by(Nomination.id.desc())
    ).first()


def states(world: World) -> dict[str, str]:
    """Return what has become of everybody, as pages say it."""
    db.session.rollback()
    rows = db.session.scalars(
        select(Nomination).where(Nomination.cohort_id == world.cohort).order_by(Nomination.id)
    ).all()
    offers = services.seating.offers_of(rows, world.cohort)
    return {
        one.email.split("@")[0]: rules.state_of(one.state, offers.get(one.id)).value for one in rows
    }


def offered(world: World) -> list[tuple[str, str]]:
    """Return who was offered a seat, in order, and why, from the log."""
    db.session.rollback()
    rows = db.session.execute(
        select(Nomination.email, NominationEvent.why)
        .join(Nomination, Nomination.id == NominationEvent.nomination_id)
        .where(NominationEvent.cohort_id == world.cohort, NominationEvent.step == Step.OFFERED)
        .order_by(NominationEvent.id)
    )
    return [(row.email.split("@")[0], row.why.value) for row in rows]


def counters(world: World) -> tuple[int, dict[str, int]]:
    """Return the stored free seats of the class and of each quota."""
    db.session.rollback()
    kept = db.session.scalars(select(SeatQuota).where(SeatQuota.cohort_id == world.cohort))
    return (
        db.session.get_one(Seating, world.cohort).free,
        {row.kind.value: row.free for row in kept},
    )


def held(world: World) -> Counter[OrganisationKind]:
    """Count who holds a seat, by kind."""
    db.session.rollback()
    return seats.count_enrolled(world.cohort) + seats.count_invited(world.cohort)


def token(name: str) -> str:
    """Return the token in the newest letter to this address."""
    db.session.rollback()
    body = db.session.scalars(
        select(Mail.body).where(Mail.to == f"{name}@contoh.test").order_by(Mail.id.desc())
    ).first()
    assert body is not None, f"no letter to {name}"
    return str(body.split("/undangan/")[1].split()[0])


def accept(name: str, *, now: datetime = NOW) -> None:
    """Accept the newest invitation as somebody new."""
    found = token(name)
    with unit_of_work():
        invitations.accept_invitation(
            found, name=name.capitalize(), password_hash="x", locale="id", now=now
        )


def decline(name: str, *, now: datetime = NOW) -> None:
    """Decline the newest invitation."""
    found = token(name)
    with unit_of_work():
        services.decline(found, now=now)


def withdraw(world: World, name: str, *, now: datetime = NOW) -> None:
    """Take the newest nomination of this address back."""
    public_id = find(world, name).public_id
    with unit_of_work():
        services.withdraw(public_id, world.cohort, actor_id=world.trainer, now=now)


def officer(world: World, *kinds: OrganisationKind) -> Person:
    """Return an officer of these agencies."""
    someone = factories.person("agency")
    with unit_of_work():
        for kind in kinds:
            factories.appoint(someone.id, world.agencies[kind])
    return db.session.get_one(Person, someone.id)


def invite_directly(world: World, kind: OrganisationKind, name: str, now: datetime = NOW) -> None:
    """Invite a companion as a trainer does, without a nomination."""
    with unit_of_work():
        invitations.invite(
            email=f"{name}@contoh.test",
            name=name,
            roles=["trainee"],
            cohort_id=world.cohort,
            organisation_id=world.agencies[kind],
            created_by=world.trainer,
            base_url="http://x",
            subject="Undangan",
            body="{link}",
            now=now,
        )


def where(world: World) -> Cohort:
    return db.session.get_one(Cohort, world.cohort)


def agency(world: World, kind: OrganisationKind) -> Organisation:
    return db.session.get_one(Organisation, world.agencies[kind])
