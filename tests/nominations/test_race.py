"""Two hundred nominations at once never take a seat too many, and the order is provable."""

import time

import pytest
from flask import Flask
from sqlalchemy import select, update

from lms.cohorts import invitations
from lms.core.db import db, unit_of_work
from lms.nominations import board, services
from lms.nominations.models import Nomination, SeatQuota
from lms.nominations.rules import State
from tests.factories import NOW
from tests.nominations import world as w
from tests.nominations.world import AFTER, K, World
from tests.races import race

THREADS, EACH = 8, 25
ALL, QUOTA = THREADS * EACH, 25


def made(app: Flask) -> World:
    with app.app_context():
        world = w.open_class(K.HOSPITAL, K.KUA)
        w.set_seats(world, 40, rs=QUOTA, kua=5)
        db.session.remove()
    return world


@pytest.mark.both
def test_two_hundred_nominations_at_once_take_exactly_the_quota(bare_app: Flask):
    world = made(bare_app)

    def several(number: int) -> None:
        for n in range(EACH):
            w.nominate(world, K.HOSPITAL, f"orang{number}-{n}")

    results = race(bare_app, [lambda k=k: several(k) for k in range(THREADS)])
    assert results == [None] * THREADS
    with bare_app.app_context():
        found = list(w.states(world).values())
        assert (found.count("offered"), found.count("waiting")) == (QUOTA, ALL - QUOTA)
        assert w.held(world) == {K.HOSPITAL: QUOTA}
        assert w.counters(world) == (40 - QUOTA, {"rs": 0, "kua": 5})
        # The same moment for all: the number decides, and the log shows that it did.
        rows = db.session.scalars(select(Nomination).order_by(Nomination.id)).all()
        assert [one.state for one in rows] == [State.OFFERED] * QUOTA + [State.WAITING] * (
            ALL - QUOTA
        )
        assert board.prove(w.where(world)) == board.Proof(QUOTA, [])
        # After the deadline the pool is what the class has left, and not one seat more.
        services.sweep(AFTER)
        db.session.rollback()
        assert sum(w.held(world).values()) <= 40
        assert board.prove(w.where(world)).departures == []
        db.session.remove()


@pytest.mark.both
def test_without_the_guard_the_same_crowd_takes_too_many(bare_app: Flask):
    """The positive control: read, think, write lets everybody in."""
    world = made(bare_app)
    taken: list[int] = []

    def naive(number: int) -> None:
        with bare_app.app_context():
            free = db.session.scalar(
                select(SeatQuota.free).where(
                    SeatQuota.cohort_id == world.cohort, SeatQuota.kind == K.KUA
                )
            )
            db.session.rollback()
            time.sleep(0.05)
            if free:
                with unit_of_work():
                    db.session.execute(
                        update(SeatQuota)
                        .where(SeatQuota.cohort_id == world.cohort, SeatQuota.kind == K.KUA)
                        .values(free=free - 1)
                    )
                taken.append(number)
            db.session.remove()

    race(bare_app, [lambda k=k: naive(k) for k in range(THREADS)])
    assert len(taken) > 5


@pytest.mark.both
def test_one_address_nominated_by_many_at_once_is_one_nomination(bare_app: Flask):
    world = made(bare_app)

    def both(number: int) -> str:
        kind = (K.HOSPITAL, K.KUA)[number % 2]
        return w.nominate(world, kind, "ani")[0].result.value

    results = race(bare_app, [lambda k=k: both(k) for k in range(THREADS)])
    assert sorted(map(str, results)) == ["nominated"] * (THREADS - 1) + ["offered"]


@pytest.mark.both
def test_accepting_and_taking_back_at_once_end_in_one_of_the_two(bare_app: Flask):
    world = made(bare_app)
    with bare_app.app_context():
        w.nominate(world, K.HOSPITAL, "ani")
        secret, public_id = w.token("ani"), w.find(world, "ani").public_id
        db.session.remove()

    def accept() -> None:
        with unit_of_work():
            invitations.accept_invitation(
                secret, name="Ani", password_hash="x", locale="id", now=NOW
            )

    def withdraw() -> None:
        with unit_of_work():
            services.withdraw(public_id, world.cohort, actor_id=world.trainer, now=NOW)

    def decline() -> None:
        with unit_of_work():
            services.decline(secret, now=NOW)

    race(bare_app, [accept, withdraw, decline])
    with bare_app.app_context():
        services.sweep(NOW)
        state = w.states(world)["ani"]
        assert w.held(world) == ({K.HOSPITAL: 1} if state == "confirmed" else {})
        assert state in {"confirmed", "withdrawn", "declined"}
        w.nominate(world, K.HOSPITAL, "budi")
        assert w.counters(world)[1]["rs"] == QUOTA - w.held(world)[K.HOSPITAL]
        db.session.remove()


@pytest.mark.both
def test_two_sweeps_at_once_do_the_work_once(bare_app: Flask):
    world = made(bare_app)
    with bare_app.app_context():
        w.nominate(world, K.KUA, *(f"orang{n}" for n in range(9)))
        db.session.remove()
    results = race(bare_app, [lambda: services.sweep(AFTER)] * 4)
    # Five offers nobody answered lapse, and the four who waited get a seat of the pool.
    assert sorted(map(int, results)) == [0, 0, 0, 9]  # type: ignore[arg-type]
    with bare_app.app_context():
        assert w.held(world) == {K.KUA: 4}
        assert board.prove(w.where(world)) == board.Proof(9, [])
        db.session.remove()
