"""Seats are counted, offered, lost and found again; the log says why."""

from contextlib import suppress
from datetime import datetime, timedelta
from random import Random

import pytest
from flask import Flask
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from lms.accounts.models import Person
from lms.cohorts import invitations, seats
from lms.cohorts.models import ClassState, Cohort, Enrolment, Invitation
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.login import Viewer
from lms.core.models import AuditEvent, Mail
from lms.nominations import board, due, seating, services
from lms.nominations.models import Nomination, NominationEvent, Seating, SeatQuota
from lms.nominations.rules import BadPlan, State
from lms.nominations.services import Letter, Nominee, Result
from lms.rounds import ROUNDS
from tests import factories
from tests.factories import NOW
from tests.nominations import world as w
from tests.nominations.world import AFTER, DAY, HOUR, UNTIL, K, World

BEGUN = NOW + 18 * DAY
"""In the first hours of 20 March."""


def results(outcomes: list[services.Outcome]) -> list[str]:
    return [one.result.value for one in outcomes]


@pytest.fixture
def world(app: Flask) -> World:
    made = w.open_class(K.HOSPITAL, K.POLRES, K.KUA, K.NGO)
    w.set_seats(made, 5, rs=2, polres=1)
    return made


# Nominating


@pytest.mark.both
def test_within_the_quota_seats_are_offered_and_the_others_wait(world: World):
    assert results(w.nominate(world, K.HOSPITAL, "ani", "budi", "cici")) == [
        "offered",
        "offered",
        "waiting",
    ]
    assert results(w.nominate(world, K.NGO, "dodi")) == ["waiting"]
    assert w.counters(world) == (3, {"rs": 0, "polres": 1})
    assert w.held(world) == {K.HOSPITAL: 2}
    assert w.offered(world) == [("ani", "quota"), ("budi", "quota")]


def test_the_letter_is_neutral_and_says_who_nominates(world: World):
    with unit_of_work():
        row = w.nominee(world, K.HOSPITAL, "ani")
        letter = Letter("094/12/ST", "1 Maret 2026")
        services.nominate(world.cohort, row, actor_id=world.trainer, now=NOW, letter=letter)
    [sent] = db.session.scalars(select(Mail)).all()
    assert sent.subject == "Undangan kelas"
    assert w.agency(world, K.HOSPITAL).name in sent.body
    assert "094/12/ST" in sent.body
    assert sent.body.count("/undangan/") == 2  # in both languages
    assert not any(word in sent.body.lower() for word in ("kdrt", "kekerasan", "korban"))
    assert services.letter_of(w.token("ani")) == ("094/12/ST", "1 Maret 2026")
    assert services.letter_of("lain") is None


def test_each_row_is_reported_and_hinders_no_other(world: World):
    w.nominate(world, K.HOSPITAL, "ani")
    w.invite_directly(world, K.POLRES, "tamu")
    seated = factories.person("trainee", email="duduk@contoh.test")
    factories.seat(seated, w.where(world), w.agency(world, K.KUA))
    sender = world.agencies[K.HOSPITAL]
    rows = [
        Nominee(sender, "Ani lagi", " ANI@contoh.test"),
        Nominee(sender, "Tamu", "tamu@contoh.test"),
        Nominee(sender, "Duduk", "duduk@contoh.test"),
        Nominee(sender, "Baru", "Baru@Contoh.test"),
        Nominee(sender, "Baru", "baru@contoh.test"),
        Nominee(sender, "  ", "kosong@contoh.test"),
        Nominee(sender, "x" * 121, "panjang@contoh.test"),
        Nominee(sender, "Salah", "bukan alamat"),
        Nominee(sender, "Salah", f"{'x' * 200}@contoh.test"),
        Nominee(987, "Asing", "asing@contoh.test"),
    ]
    with unit_of_work():
        found = services.nominate_many(world.cohort, rows, actor_id=world.trainer, now=NOW)
    assert results(found) == [
        "nominated",
        "seated",
        "seated",
        "offered",
        "twice",
        "bad_name",
        "bad_name",
        "bad_email",
        "bad_email",
        "unknown",
    ]
    assert [one.public_id is not None for one in found] == [
        one.result in services.MADE for one in found
    ]
    assert w.find(world, "baru").name == "Baru"
    noted = db.session.scalars(
        select(AuditEvent).where(AuditEvent.action == "nominations.nominate")
    ).all()
    assert [one.detail["people"] for one in noted] == [1, 1]


def test_who_left_the_list_can_be_nominated_again(world: World):
    w.nominate(world, K.HOSPITAL, "ani")
    w.decline("ani")
    assert results(w.nominate(world, K.HOSPITAL, "ani")) == ["offered"]


@pytest.mark.both
def test_the_database_refuses_two_live_nominations_of_one_address(world: World):
    w.nominate(world, K.HOSPITAL, "ani")
    old = w.find(world, "ani")
    copy = {
        column.name: getattr(old, column.name)
        for column in Nomination.__table__.columns
        if column.name not in {"id", "public_id", "invitation_id"}
    }
    with pytest.raises(IntegrityError), unit_of_work():
        db.session.add(Nomination(**copy))
    with unit_of_work():  # the positive control: one that ended stands beside it
        db.session.add(Nomination(**copy | {"state": State.DECLINED}))


def test_a_class_without_seats_a_draft_and_one_that_began_take_nobody(app: Flask):
    world = w.open_class(K.HOSPITAL)
    with pytest.raises(services.NotOpen):
        w.nominate(world, K.HOSPITAL, "ani")
    w.set_seats(world, 5, rs=2)
    with pytest.raises(services.NotOpen):
        w.nominate(world, K.HOSPITAL, "ani", now=BEGUN)
    with unit_of_work():
        db.session.get_one(Cohort, world.cohort).state = ClassState.DRAFT
    with pytest.raises(services.NotOpen):
        w.nominate(world, K.HOSPITAL, "ani")
    with unit_of_work():
        db.session.get_one(Cohort, world.cohort).state = ClassState.OPEN
    assert results(w.nominate(world, K.HOSPITAL, "ani")) == ["offered"]


# The guard


@pytest.mark.both
def test_the_database_refuses_a_seat_too_many(world: World):
    for table, changed in (
        (Seating, {"free": -1}),
        (Seating, {"free": 6}),
        (Seating, {"loose": -1}),
        (SeatQuota, {"free": -1}),
        (SeatQuota, {"seats": 0}),
    ):
        with pytest.raises(IntegrityError), unit_of_work():
            db.session.execute(update(table).values(changed))


def test_taking_a_seat_asks_the_database_again(world: World):
    """Even where the count was read too early, as if nobody had locked."""
    w.nominate(world, K.HOSPITAL, "ani", "budi")
    early = seating.Hall(seating.Phase.QUOTA, 5, {"rs": 2}, {})
    with pytest.raises(seats.NoSeat) as refused, unit_of_work():
        seating.take(world.cohort, "rs", early)
    assert (refused.value.kind, refused.value.seats) == (K.HOSPITAL, 2)
    with unit_of_work():
        for _seat in range(2):
            seating.take(world.cohort, "lsm", early)
    with pytest.raises(seats.NoSeat) as refused, unit_of_work():
        seating.take(world.cohort, "lsm", early)
    assert refused.value.kind is None
    late = seating.Hall(seating.Phase.POOL, 5, {"rs": 2}, {})
    with unit_of_work():
        seating.take(world.cohort, "lsm", late)
    with pytest.raises(seats.NoSeat), unit_of_work():
        seating.take(world.cohort, "lsm", late)


def test_a_nomination_that_changed_meanwhile_is_not_changed_again(world: World):
    w.nominate(world, K.HOSPITAL, "ani")
    with unit_of_work():
        mine = db.session.scalars(select(Nomination)).one()
        assert mine.state is State.OFFERED
        db.session.execute(text("UPDATE nomination SET state = 'declined'"))
        with pytest.raises(services.Overtaken):
            seating.close(mine, State.WITHDRAWN, None, now=NOW)
    assert w.states(world) == {"ani": "declined"}


# Invitations and enrolments beside nominations


@pytest.mark.both
def test_direct_invitations_take_seats_of_their_kind(world: World):
    w.invite_directly(world, K.POLRES, "ani")
    assert w.counters(world) == (4, {"rs": 2, "polres": 0})
    assert results(w.nominate(world, K.POLRES, "budi")) == ["waiting"]
    with pytest.raises(seats.NoSeat) as refused:
        w.invite_directly(world, K.POLRES, "cici")
    assert (refused.value.kind, refused.value.seats) == (K.POLRES, 1)
    w.invite_directly(world, K.NGO, "dodi")
    w.invite_directly(world, K.KUA, "edi")
    with pytest.raises(seats.NoSeat) as refused:  # the last two are kept for the hospital
        w.invite_directly(world, K.NGO, "fani")
    assert refused.value.kind is None
    assert results(w.nominate(world, K.HOSPITAL, "gina", "hadi")) == ["offered", "offered"]


def test_a_class_without_seats_set_invites_whom_it_wants(app: Flask):
    world = w.open_class(K.HOSPITAL)
    for n in range(30):
        w.invite_directly(world, K.HOSPITAL, f"orang{n}")
    assert w.held(world) == {K.HOSPITAL: 30}


def test_people_enrolled_before_count(app: Flask):
    world = w.open_class(K.HOSPITAL)
    for _n in range(2):
        factories.seat(factories.person(), w.where(world), w.agency(world, K.HOSPITAL))
    with pytest.raises(BadPlan):
        w.set_seats(world, 5, rs=1)
    w.set_seats(world, 5, rs=2)
    assert w.counters(world) == (3, {"rs": 0})
    assert results(w.nominate(world, K.HOSPITAL, "ani")) == ["waiting"]


def test_somebody_who_waits_and_is_invited_directly_leaves_the_line(world: World):
    w.nominate(world, K.NGO, "ani", "budi")
    w.invite_directly(world, K.NGO, "ani")
    assert services.sweep(NOW) == 1
    assert w.states(world) == {"ani": "withdrawn", "budi": "waiting"}
    [line] = [one for one in board.list_log(w.where(world)) if one.step.value == "withdrawn"]
    assert line.why is not None
    assert line.why.value == "seated"


# Answers


@pytest.mark.both
def test_accepting_is_being_enrolled_and_nothing_else(world: World):
    w.nominate(world, K.HOSPITAL, "ani")
    w.accept("ani")
    assert w.states(world) == {"ani": "confirmed"}
    assert w.find(world, "ani").state is State.OFFERED  # nothing that could drift
    [seat] = db.session.scalars(select(Enrolment)).all()
    assert seat.organisation_id == world.agencies[K.HOSPITAL]
    assert w.counters(world)[1]["rs"] == 1
    with unit_of_work():
        db.session.delete(db.session.scalars(select(Enrolment)).one())
    assert w.states(world) == {"ani": "withdrawn"}
    assert services.sweep(NOW) == 1
    assert w.find(world, "ani").state is State.WITHDRAWN


def test_somebody_with_an_account_accepts_in_the_usual_way(world: World):
    person = factories.person("trainee", email="ani@contoh.test")
    w.nominate(world, K.HOSPITAL, "ani")
    viewer = Viewer(person.id, person.public_id, person.name, frozenset(), "id", "")
    secret = w.token("ani")
    with unit_of_work():
        invitations.accept_as(secret, viewer, now=NOW)
    assert w.states(world) == {"ani": "confirmed"}
    assert [one.person_id for one in seats.list_holders(world.cohort)] == [person.id]


@pytest.mark.both
def test_a_declined_seat_goes_to_the_next_of_the_same_kind(world: World):
    w.nominate(world, K.NGO, "lama")
    w.nominate(world, K.HOSPITAL, "ani", "budi", "cici", now=NOW + HOUR)
    w.decline("ani", now=NOW + 2 * HOUR)
    assert w.states(world) == {
        "lama": "waiting",
        "ani": "declined",
        "budi": "offered",
        "cici": "offered",
    }
    with pytest.raises(invitations.InvitationClosed):
        w.accept("ani", now=NOW + 2 * HOUR)
    with pytest.raises(invitations.UnknownInvitation), unit_of_work():
        services.decline("tidak ada", now=NOW)


def test_a_direct_invitation_can_be_declined_too(world: World):
    w.invite_directly(world, K.POLRES, "ani")
    w.nominate(world, K.POLRES, "budi")
    w.decline("ani")
    assert w.states(world) == {"budi": "offered"}


def test_only_companions_decline(world: World):
    with unit_of_work():
        invited = invitations.invite(
            email="x@contoh.test",
            name="X",
            roles=["trainer"],
            cohort_id=world.cohort,
            organisation_id=None,
            created_by=world.trainer,
            base_url="",
            subject="",
            body="{link}",
            now=NOW,
        )
        secret = invited.token
    with pytest.raises(invitations.UnknownInvitation), unit_of_work():
        services.decline(secret, now=NOW)
    assert w.held(world) == {}


def test_declining_in_a_class_without_seats_closes_the_invitation(app: Flask):
    world = w.open_class(K.HOSPITAL)
    w.invite_directly(world, K.HOSPITAL, "ani")
    w.decline("ani")
    assert w.held(world) == {}


# Taking back


@pytest.mark.both
def test_what_is_taken_back_frees_its_seat(world: World):
    w.nominate(world, K.HOSPITAL, "ani", "budi", "cici", "dodi", "edi")
    w.accept("ani")
    w.withdraw(world, "cici")  # waits
    w.withdraw(world, "budi")  # has an offer
    assert w.states(world)["dodi"] == "offered"
    w.withdraw(world, "ani")  # is enrolled
    assert w.states(world) == {
        "ani": "withdrawn",
        "budi": "withdrawn",
        "cici": "withdrawn",
        "dodi": "offered",
        "edi": "offered",
    }
    assert db.session.scalars(select(Enrolment)).all() == []
    with pytest.raises(services.Ended):
        w.withdraw(world, "ani")
    assert board.prove(w.where(world)).departures == []


def test_a_seat_is_not_taken_back_once_the_class_began(world: World):
    w.nominate(world, K.HOSPITAL, "ani")
    w.accept("ani")
    with pytest.raises(services.TooLate):
        w.withdraw(world, "ani", now=BEGUN)
    assert w.states(world) == {"ani": "confirmed"}


def test_a_nomination_of_another_class_is_not_found(world: World):
    w.nominate(world, K.HOSPITAL, "ani")
    other = w.open_class(K.HOSPITAL)
    w.set_seats(other, 5)
    public_id = w.find(world, "ani").public_id
    for cohort_id in (other.cohort, 987):
        with pytest.raises(NotFound), unit_of_work():
            services.withdraw(public_id, cohort_id, actor_id=world.trainer, now=NOW)
    assert w.states(world) == {"ani": "offered"}


def test_a_trainer_who_takes_the_invitation_back_ends_the_nomination(world: World):
    w.nominate(world, K.HOSPITAL, "ani", "budi", "cici")
    number = w.find(world, "ani").invitation_id
    with unit_of_work():
        invitations.withdraw(number or 0, actor_id=world.trainer, now=NOW + HOUR)
    assert w.states(world)["ani"] == "withdrawn"  # at once, wherever it is read
    assert services.sweep(NOW + HOUR) == 2
    assert w.states(world) == {"ani": "withdrawn", "budi": "offered", "cici": "offered"}


# By hand


def test_a_trainer_may_pass_the_line_with_a_reason(world: World):
    w.nominate(world, K.NGO, "ani", "budi", "cici")

    def by_hand(name: str) -> None:
        public_id = w.find(world, name).public_id
        with unit_of_work():
            services.offer_by_hand(
                public_id, world.cohort, reason="satu-satunya", actor_id=world.trainer, now=NOW
            )

    by_hand("cici")
    assert w.states(world) == {"ani": "waiting", "budi": "waiting", "cici": "offered"}
    line = board.list_log(w.where(world))[0]
    assert (line.why and line.why.value, line.note) == ("hand", "satu-satunya")
    with pytest.raises(services.Ended):
        by_hand("cici")
    by_hand("ani")
    with pytest.raises(seats.NoSeat) as refused:  # three seats are kept by quotas
        by_hand("budi")
    assert refused.value.kind is None
    w.nominate(world, K.POLRES, "polisi", "kedua")
    with pytest.raises(seats.NoSeat) as refused:
        by_hand("kedua")
    assert refused.value.kind is K.POLRES
    assert board.prove(w.where(world)) == board.Proof(3, [])


def test_a_new_link_replaces_the_old_one(world: World):
    w.nominate(world, K.HOSPITAL, "ani")
    old, public_id = w.token("ani"), w.find(world, "ani").public_id
    with unit_of_work():
        name, link = services.renew_link(
            public_id, world.cohort, actor_id=world.trainer, now=NOW + HOUR
        )
    assert (name, link.rsplit("/", 1)[1]) == ("Ani", w.token("ani"))
    with pytest.raises(invitations.UnknownInvitation):
        invitations.read_invitation(old, now=NOW + HOUR)
    letter = invitations.read_invitation(w.token("ani"), now=NOW + HOUR)
    assert letter.expires_at == NOW + 72 * HOUR
    w.decline("ani", now=NOW + HOUR)
    with pytest.raises(services.Ended), unit_of_work():
        services.renew_link(public_id, world.cohort, actor_id=world.trainer, now=NOW + HOUR)


def test_somebody_who_waits_has_no_link(world: World):
    w.nominate(world, K.NGO, "ani")
    with pytest.raises(services.Ended), unit_of_work():
        services.renew_link(
            w.find(world, "ani").public_id, world.cohort, actor_id=world.trainer, now=NOW
        )


# Time


@pytest.mark.both
def test_an_offer_nobody_answers_lapses_and_goes_on(world: World):
    w.nominate(world, K.HOSPITAL, "ani", "budi", "cici")
    assert services.sweep(NOW + 72 * HOUR - timedelta(seconds=1)) == 0
    assert services.sweep(NOW + 72 * HOUR) == 3  # two lapse, one is offered
    assert w.states(world) == {"ani": "expired", "budi": "expired", "cici": "offered"}
    assert services.sweep(NOW + 72 * HOUR) == 0
    late = w.token("ani")
    with pytest.raises(invitations.InvitationClosed) as closed:
        invitations.read_invitation(late, now=NOW + 72 * HOUR)
    assert closed.value.standing.value == "expired"


def test_a_seat_that_lapsed_a_moment_ago_cannot_be_accepted_any_more(world: World):
    """A request that read the clock before the sweep comes after it."""
    w.nominate(world, K.POLRES, "ani", "budi")
    services.sweep(NOW + 72 * HOUR)
    assert w.states(world)["budi"] == "offered"
    with pytest.raises(invitations.InvitationClosed):
        w.accept("ani", now=NOW + 72 * HOUR - timedelta(seconds=1))
    assert w.held(world) == {K.POLRES: 1}


def test_until_the_sweep_a_lapsed_offer_holds_its_seat(world: World):
    w.nominate(world, K.POLRES, "ani")
    assert w.held(world) == {K.POLRES: 1}
    later = NOW + 80 * HOUR
    assert results(w.nominate(world, K.POLRES, "budi", now=later)) == ["offered"]
    assert w.states(world) == {"ani": "expired", "budi": "offered"}


def test_the_time_to_answer_is_the_class_own(app: Flask):
    world = w.open_class(K.HOSPITAL)
    w.set_seats(world, 5, hours=24, rs=2)
    w.nominate(world, K.HOSPITAL, "ani")
    assert services.sweep(NOW + 23 * HOUR) == 0
    assert services.sweep(NOW + 24 * HOUR) == 1


@pytest.mark.both
def test_after_the_deadline_the_seats_that_are_left_go_to_the_line_by_rule(world: World):
    w.nominate(world, K.HOSPITAL, "ani", "budi", "cici")
    w.nominate(world, K.NGO, "dodi", "edi", now=NOW + HOUR)
    w.nominate(world, K.KUA, "fani", now=NOW + 2 * HOUR)
    for name in ("ani", "budi"):
        w.accept(name)
    assert services.sweep(UNTIL - timedelta(seconds=1)) == 0
    assert services.sweep(UNTIL) == 3
    assert w.offered(world)[2:] == [("dodi", "balance"), ("fani", "balance"), ("cici", "order")]
    assert w.states(world)["edi"] == "waiting"
    assert w.held(world) == {K.HOSPITAL: 3, K.NGO: 1, K.KUA: 1}
    w.decline("cici", now=AFTER)
    assert w.states(world)["edi"] == "offered"
    assert results(w.nominate(world, K.POLRES, "gina", now=AFTER)) == ["waiting"]
    assert board.prove(w.where(world)) == board.Proof(6, [])


def test_a_late_nomination_gets_a_seat_that_is_free(world: World):
    assert results(w.nominate(world, K.NGO, "ani", now=AFTER)) == ["offered"]
    assert w.offered(world) == [("ani", "balance")]


def test_nobody_waits_for_a_class_that_began(world: World):
    w.nominate(world, K.NGO, "ani")
    services.sweep(BEGUN)
    assert w.states(world) == {"ani": "expired"}
    assert board.list_log(w.where(world))[0].why is services.Why.STARTED
    assert services.sweep(BEGUN) == 0


def test_moving_the_deadline_or_a_quota_gives_seats_at_once(world: World):
    w.nominate(world, K.POLRES, "ani", "budi")
    w.nominate(world, K.NGO, "cici")
    w.set_seats(world, 5, rs=2, polres=2)
    assert w.states(world) == {"ani": "offered", "budi": "offered", "cici": "waiting"}
    w.set_seats(world, 5, polres=2, until=NOW)
    assert w.states(world)["cici"] == "offered"
    assert w.counters(world) == (2, {"polres": 0})
    with pytest.raises(BadPlan):
        w.set_seats(world, 2, polres=2)
    found = db.session.scalars(
        select(AuditEvent.detail).where(AuditEvent.action == "nominations.seats")
    ).all()
    assert [one["quotas"] for one in found] == [
        {"rs": 2, "polres": 1},
        {"rs": 2, "polres": 2},
        {"polres": 2},
    ]


def test_the_sweep_leaves_classes_alone_that_have_nothing_to_give(world: World):
    assert due.classes(NOW) == []
    w.nominate(world, K.HOSPITAL, "ani")
    assert due.classes(NOW) == []
    assert due.classes(NOW + 72 * HOUR) == [world.cohort]
    w.nominate(world, K.HOSPITAL, "budi", "cici")
    assert due.classes(NOW) == [], "cici waits, and no seat of a hospital is free"
    with unit_of_work():
        invitations.withdraw(w.find(world, "ani").invitation_id, actor_id=world.trainer, now=NOW)
    assert due.classes(NOW) == [world.cohort]
    services.sweep(NOW)
    assert w.states(world)["cici"] == "offered"
    assert due.classes(NOW) == []


def stand(world: World) -> list[object]:
    """Return everything that settling a class may change."""
    db.session.rollback()
    people = select(Nomination.id, Nomination.state, Nomination.invitation_id)
    sent = select(Invitation.id, Invitation.withdrawn_at)
    counts = select(Seating.free, Seating.loose)
    quotas = select(SeatQuota.kind, SeatQuota.free)
    return [
        sorted(tuple(row) for row in db.session.execute(query))
        for query in (people, sent, counts, quotas)
    ]


def _nominate(world: World, random: Random, now: datetime) -> None:
    kind = random.choice([K.HOSPITAL, K.POLRES, K.NGO])
    with suppress(services.NotOpen):
        w.nominate(world, kind, f"orang{random.randrange(10_000)}", now=now)


def _open_invitation(random: Random) -> Invitation | None:
    query = select(Invitation).where(
        Invitation.accepted_at.is_(None), Invitation.withdrawn_at.is_(None)
    )
    return random.choice([None, *db.session.scalars(query)])


def _accept(world: World, random: Random, now: datetime) -> None:
    person_id = factories.person().id
    with unit_of_work():
        if one := _open_invitation(random):
            one.accepted_at, one.person_id = now, person_id
            seat = {"cohort_id": world.cohort, "organisation_id": one.organisation_id}
            db.session.add(Enrolment(person_id=person_id, created_at=now, **seat))


def _seat_directly(world: World, random: Random, now: datetime) -> None:
    """Give a seat past the waiting list: to somebody on it, or to somebody else."""
    waiting = select(Nomination.email).where(Nomination.state == State.WAITING)
    known = select(Person.email)
    people = db.session.scalars(waiting.where(Nomination.email.not_in(known))).all()
    person_id = factories.person(email=random.choice([None, *people])).id
    seat = {"cohort_id": world.cohort, "organisation_id": world.agencies[K.KUA]}
    with unit_of_work():
        db.session.add(Enrolment(person_id=person_id, created_at=now, **seat))


def _take_back(_world: World, random: Random, now: datetime) -> None:
    with unit_of_work():
        if one := _open_invitation(random):
            one.withdrawn_at = now


def _leave(_world: World, random: Random, _now: datetime) -> None:
    with unit_of_work():
        if one := random.choice([None, *db.session.scalars(select(Enrolment))]):
            db.session.delete(one)


def _set_seats(world: World, random: Random, now: datetime) -> None:
    with suppress(BadPlan):
        w.set_seats(world, 9, rs=random.randint(1, 4), polres=random.randint(1, 3), now=now)


@pytest.mark.parametrize("seed", range(3))
def test_where_nothing_is_due_settling_changes_nothing(world: World, seed: int):
    """The sweep asks before it locks a class; whatever happens, it never asks too little."""
    random, now, asked = Random(seed), NOW, [0, 0]
    steps = [_nominate] * 4 + [_accept, _seat_directly, _take_back, _leave, _leave, _set_seats]
    for turn in range(60):
        random.choice(steps)(world, random, now)
        if turn % 5 == 4:
            now += random.choice([HOUR, DAY])
        is_due = due.classes(now) == [world.cohort]
        asked[is_due] += 1
        # Where nobody waits, counters may stand behind until somebody wants a seat.
        looked_at = 4 if "waiting" in w.states(world).values() else 2
        before = stand(world)[:looked_at]
        with unit_of_work():
            seating.settle(world.cohort, now=now)
        assert stand(world)[:looked_at] == before or is_due
        assert due.classes(now) == []
    assert min(asked) > 5


# What is read


def test_the_board_and_the_register_say_the_same(world: World):
    w.nominate(world, K.HOSPITAL, "ani", "budi", "cici")
    w.nominate(world, K.NGO, "dodi")
    w.accept("ani")
    seated = factories.person(name="Langsung")
    factories.seat(seated, w.where(world), w.agency(world, K.KUA))
    found = board.get_board(w.where(world), now=NOW)
    rows = {row.kind: row for row in found.rows}
    hospital = rows[K.HOSPITAL]
    assert (hospital.quota, hospital.nominated, hospital.waiting) == (2, 3, 1)
    assert (hospital.offered, hospital.confirmed, hospital.present) == (1, 1, 0)
    assert (rows[K.KUA].quota, rows[K.KUA].confirmed, rows[K.KUA].nominated) == (None, 1, 0)
    assert rows[K.POLRES].nominated == 0
    assert K.PUSKESMAS not in rows
    assert (found.total.quota, found.total.confirmed, found.total.waiting) == (5, 2, 2)
    assert found.total.confirmed == len(seats.list_holders(world.cohort))
    assert found.absent == ["police"]
    assert [(one.number, one.person.name, one.is_kind_full) for one in found.queue] == [
        (1, "Cici", True),
        (2, "Dodi", True),
    ]
    assert [one.name for one in found.people] == ["Budi", "Ani"]


def test_a_log_that_was_tampered_with_is_found_out(world: World):
    w.nominate(world, K.HOSPITAL, "ani", "budi", "cici")
    assert board.prove(w.where(world)) == board.Proof(2, [])
    with unit_of_work():
        first = db.session.scalars(
            select(NominationEvent).where(NominationEvent.hall.is_not(None)).limit(1)
        ).one()
        number, last = first.id, w.find(world, "cici").id
    with unit_of_work():
        db.session.get_one(NominationEvent, number).nomination_id = last
    assert number in board.prove(w.where(world)).departures


def test_open_invitations_of_other_roles_hold_no_seat(world: World):
    with unit_of_work():
        db.session.add(
            Invitation(
                token_hash="x",
                email="pelatih@contoh.test",
                name="P",
                roles=["trainer"],
                cohort_id=world.cohort,
                organisation_id=world.agencies[K.HOSPITAL],
                created_by=world.trainer,
                created_at=NOW,
                expires_at=NOW + DAY,
            )
        )
    assert w.held(world) == {}
    assert Result.OFFERED in services.MADE


# Many at once, for lists that are read in


@pytest.mark.both
def test_many_are_taken_back_but_nobody_who_has_a_seat(world: World):
    made = w.nominate(world, K.HOSPITAL, "ani", "budi", "cici", "dodi")
    w.accept("ani")
    w.decline("budi")
    ids = [one.public_id or "" for one in made]
    with unit_of_work():
        done = services.withdraw_many(
            [*ids[:3], "asing"], world.cohort, actor_id=world.trainer, now=NOW
        )
    assert done == 1
    assert list(services.states_of(ids, world.cohort).values()) == [
        State.CONFIRMED,
        State.DECLINED,
        State.WITHDRAWN,
        State.OFFERED,
    ]
    assert services.emails_live(world.cohort) == {"ani@contoh.test", "dodi@contoh.test"}
    with unit_of_work():
        assert not services.withdraw_many(ids, 987, actor_id=world.trainer, now=NOW)


def test_the_sweep_goes_round_every_minute(app: Flask):
    assert [one.seconds for one in ROUNDS if one.name == "nominations"] == [60]
