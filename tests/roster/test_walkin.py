"""Somebody stands at the door without a seat: added, noted, invited; refused; undone."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.accounts.rules import NO_HASH
from lms.cohorts import invitations, organisations, seats
from lms.cohorts.models import (
    Cohort,
    Enrolment,
    Invitation,
    Organisation,
    OrganisationKind,
    Part,
)
from lms.competency.models import Evidence, EvidenceVoid
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.login import Viewer
from lms.core.models import AuditEvent, Mail
from lms.nominations import seating, services
from lms.nominations.models import Nomination, Seating
from lms.nominations.rules import State
from lms.practice.attendance import services as attendance
from lms.practice.attendance.models import Attendance, Presence, Way
from lms.practice.attendance.rules import Half
from lms.roster import walkin
from lms.roster.walkin import Result, Visitor
from tests import factories
from tests.races import race

AT = datetime(2026, 3, 20, 2, 30, tzinfo=UTC)  # half past nine on the first day
BASE = "https://s.example"
PASSWORD = "sawah hijau luas 7"


def viewer(person: Person) -> Viewer:
    roles = frozenset(accounts.roles_of(person.id))
    return Viewer(person.id, person.public_id, person.name, roles, "id", "token")


class Room:
    """A class on its first day, its trainer, and somebody's agency."""

    def __init__(self, capacity: int | None = None) -> None:
        self.cohort = factories.cohort()
        self.trainer = factories.person("trainer", name="Bu Pelatih")
        factories.staff(self.trainer, self.cohort, Part.TRAINER)
        self.sender = factories.organisation()
        self.viewer = viewer(self.trainer)
        self.cohort_id, self.sender_id = self.cohort.id, self.sender.id
        if capacity is not None:
            self.plan(capacity)

    def plan(self, capacity: int) -> None:
        with unit_of_work():
            seating.set_quotas(
                self.cohort_id,
                capacity=capacity,
                nominate_until=AT - timedelta(days=5),
                offer_hours=72,
                quotas={},
                actor_id=self.trainer.id,
                now=AT - timedelta(days=9),
            )

    def add(
        self,
        email: str = "baru@contoh.test",
        name: str = "Siti Baru",
        *,
        beyond: str = "",
        presence: Presence = Presence.PRESENT,
        now: datetime = AT,
        by: Viewer | None = None,
    ) -> walkin.Added:
        with unit_of_work():
            return walkin.add(
                db.session.get_one(Cohort, self.cohort_id),
                "1am",
                Visitor(name, email, self.sender_id, presence),
                by or self.viewer,
                beyond=beyond,
                base_url=BASE,
                now=now,
            )

    def visitors(self, now: datetime = AT) -> list[invitations.Held]:
        db.session.rollback()
        return walkin.look(db.session.get_one(Cohort, self.cohort_id), "1am", now=now).visitors

    def undo(self, public_id: str, now: datetime = AT) -> walkin.Undone:
        with unit_of_work():
            return walkin.undo(
                db.session.get_one(Cohort, self.cohort_id), public_id, self.viewer, now=now
            )

    def mark(self, person_id: int) -> Presence | None:
        db.session.rollback()
        found = attendance.newest_marks(self.cohort_id, [person_id]).get((person_id, Half(1, "am")))
        return found.presence if found else None

    def sits(self, person_id: int) -> bool:
        return bool(seats.seated_pairs([(self.cohort_id, person_id)]))


def person_at(email: str) -> Person:
    db.session.rollback()
    return db.session.scalars(select(Person).where(Person.email == email)).one()


def evidence(person_id: int) -> int:
    """Count the rows that stand in somebody's ledger."""
    db.session.rollback()
    query = (
        select(func.count())
        .select_from(Evidence)
        .where(Evidence.person_id == person_id)
        .where(Evidence.id.not_in(select(EvidenceVoid.evidence_id)))
    )
    return db.session.scalar(query) or 0


def accept(added: walkin.Added, name: str = "Siti Baru", now: datetime = AT) -> int:
    token = added.link.rpartition("/")[2]
    made = accounts.hash_password(PASSWORD, name=name, email="x@contoh.test", maker=factories.MAKER)
    with unit_of_work():
        return invitations.accept_invitation(
            token, name=name, password_hash=made, locale="en", now=now
        ).person_id


@pytest.mark.both
def test_a_new_person_sits_is_noted_and_chooses_a_password_later(app: Flask):
    room = Room(capacity=2)
    added = room.add()
    assert added.result is Result.SEATED
    person = person_at("baru@contoh.test")
    assert (person.name, person.password_hash) == ("Siti Baru", NO_HASH)
    assert room.sits(person.id)
    assert room.mark(person.id) is Presence.PRESENT
    assert evidence(person.id) == 1
    row = db.session.scalars(select(Attendance)).one()
    assert (row.way, row.recorded_by) == (Way.DOOR, room.trainer.id)
    [letter] = db.session.scalars(select(Mail)).all()
    assert letter.to == "baru@contoh.test"
    assert added.link in letter.body
    assert "roster.walk_in" in db.session.scalars(select(AuditEvent.action)).all()
    # One seat is held, not two: by the seat, and not again by the open invitation.
    assert db.session.get_one(Seating, room.cohort_id).free == 1
    with unit_of_work():
        found = seating.settle(room.cohort_id, now=AT)
    assert found
    assert found.hall.free == 1

    assert accept(added, "Siti Baru, S.Sos.", AT + timedelta(hours=1)) == person.id
    person = person_at("baru@contoh.test")
    assert (person.name, person.locale) == ("Siti Baru, S.Sos.", "en")
    assert evidence(person.id) == 1  # counted once
    proof = accounts.prove(
        email=person.email,
        password=PASSWORD,
        address="",
        device_token=None,
        maker=factories.MAKER,
        now=AT,
    )
    assert proof.person_id == person.id


def test_nobody_signs_in_to_an_account_without_a_password(app: Flask):
    room = Room()
    room.add()
    for tried in ("", NO_HASH, PASSWORD):
        with pytest.raises(accounts.WrongCredentials):
            accounts.prove(
                email="baru@contoh.test",
                password=tried,
                address="",
                device_token=None,
                maker=factories.MAKER,
                now=AT,
            )


def test_whose_account_the_trainer_does_not_know_keeps_the_last_word(app: Flask):
    """A trainer may print a code for people of the own class: nobody comes in by being typed."""
    room = Room(capacity=3)
    stranger = factories.person(name="Nama Asli")
    added = room.add(stranger.email, "Yang Ditulis", presence=Presence.LATE)
    assert (added.result, added.name) == (Result.ASKED, "Yang Ditulis")
    assert not room.sits(stranger.id)
    assert evidence(stranger.id) == 0
    assert stranger.id not in cohorts_scope(room)
    [held] = room.visitors()
    assert (held.name, held.seated) == ("Yang Ditulis", False)
    # The note was not lost: it counts once the seat is accepted.
    token = added.link.rpartition("/")[2]
    with unit_of_work():
        invitations.accept_as(token, viewer(stranger), now=AT + timedelta(hours=3))
    assert room.sits(stranger.id)
    assert room.mark(stranger.id) is Presence.LATE
    assert evidence(stranger.id) == 1
    assert db.session.scalars(select(Evidence.assessor_id)).all() == [room.trainer.id]


def cohorts_scope(room: Room) -> list[int]:
    from lms.cohorts import services as cohorts

    return cohorts.people_in_scope(room.viewer, Part.TRAINER)


def test_somebody_of_another_class_of_the_trainer_sits_down_at_once(app: Flask):
    room, other = Room(), factories.cohort()
    factories.staff(room.trainer, other, Part.TRAINER)
    known = factories.person(name="Nama Asli")
    factories.seat(known, other)
    added = room.add(known.email, "Salah Tulis")
    assert (added.result, added.name) == (Result.SEATED, "Nama Asli")
    assert room.sits(known.id)
    assert evidence(known.id) == 1
    assert person_at(known.email).name == "Nama Asli"


def test_a_closed_account_does_not_sit_down(app: Flask):
    room, other = Room(), factories.cohort()
    factories.staff(room.trainer, other, Part.TRAINER)
    known = factories.person()
    factories.seat(known, other)
    with unit_of_work():
        db.session.get_one(Person, known.id).disabled_at = AT
    assert room.add(known.email).result is Result.ASKED
    assert not room.sits(known.id)


@pytest.mark.both
def test_an_open_invitation_is_used_and_takes_no_second_seat(app: Flask):
    room = Room(capacity=1)
    with unit_of_work():
        services.nominate_many(
            room.cohort_id,
            [services.Nominee(room.sender_id, "Siti Baru", "baru@contoh.test")],
            actor_id=room.trainer.id,
            now=AT - timedelta(days=2),
        )
        seating.settle(room.cohort_id, now=AT - timedelta(days=2))
    old = db.session.scalars(select(Invitation)).one()
    old_hash = old.token_hash
    added = room.add()
    assert added.result is Result.SEATED
    [only] = db.session.scalars(select(Invitation)).all()
    assert only.token_hash != old_hash
    accept(added, now=AT + timedelta(minutes=5))
    assert services.states_of(
        db.session.scalars(select(Nomination.public_id)).all(), room.cohort_id
    ) == {db.session.scalars(select(Nomination.public_id)).one(): State.CONFIRMED}


def test_a_seat_is_given_once(app: Flask):
    room = Room()
    room.add()
    with pytest.raises(invitations.AlreadySeated):
        room.add(" BARU@contoh.test")
    assert db.session.scalar(select(func.count()).select_from(Attendance)) == 1


def test_not_before_the_class_begins_and_never_oneself(app: Flask):
    room = Room()
    with pytest.raises(walkin.NotYet):
        room.add(now=datetime(2026, 3, 19, 16, 59, tzinfo=UTC))  # a minute to midnight in WIB
    with pytest.raises(walkin.Oneself):
        room.add(room.trainer.email)
    assert room.add(now=datetime(2026, 3, 19, 17, 0, tzinfo=UTC)).result is Result.SEATED


@pytest.mark.both
def test_a_full_class_says_so_and_grows_by_one_with_a_reason(app: Flask):
    room = Room(capacity=1)
    room.add()
    with pytest.raises(seats.NoSeat):
        room.add("kedua@contoh.test")
    assert (
        db.session.scalars(select(Person.id).where(Person.email == "kedua@contoh.test")).all() == []
    )
    room.add("kedua@contoh.test", beyond="Pengganti rekan yang sakit")
    plan = db.session.get_one(Seating, room.cohort_id)
    assert (plan.capacity, plan.free) == (2, 0)
    told = db.session.scalars(
        select(AuditEvent.detail).where(AuditEvent.action == "nominations.add_seat")
    ).one()
    assert told == {"capacity": 2, "reason": "Pengganti rekan yang sakit"}


def test_a_reason_adds_no_seat_where_one_is_free(app: Flask):
    room = Room(capacity=2)
    room.add(beyond="berjaga-jaga")
    assert db.session.get_one(Seating, room.cohort_id).capacity == 2


@pytest.mark.both
def test_of_many_at_once_only_as_many_get_in_as_there_are_seats(app: Flask):
    room = Room(capacity=2)

    def come(number: int) -> Callable[[], object]:
        return lambda: room.add(f"orang{number}@pintu.test").result

    found = race(app, [come(number) for number in range(5)])
    assert [one for one in found if one is Result.SEATED] == [Result.SEATED] * 2
    assert sum(isinstance(one, seats.NoSeat) for one in found) == 3
    db.session.rollback()
    assert db.session.scalar(select(func.count()).select_from(Enrolment)) == 2
    assert db.session.get_one(Seating, room.cohort_id).free == 0


@pytest.mark.both
def test_the_same_address_at_two_doors_makes_one_account(app: Flask):
    room, other = Room(), Room()

    found = race(app, [lambda: room.add().result, lambda: other.add().result])
    assert sorted(str(one) for one in found) == ["asked", "seated"]
    db.session.rollback()
    assert (
        len(db.session.scalars(select(Person).where(Person.email == "baru@contoh.test")).all()) == 1
    )


@pytest.mark.both
def test_undone_the_seat_is_free_and_a_wrong_address_is_forgotten(app: Flask):
    room = Room(capacity=1)
    added = room.add("salah@contoh.test")
    person_id = person_at("salah@contoh.test").id
    [held] = room.visitors()
    assert room.undo(held.public_id) == walkin.Undone("Siti Baru", is_invited=False)
    assert room.visitors() == []
    assert not room.sits(person_id)
    assert room.mark(person_id) is None
    assert evidence(person_id) == 0
    assert accounts.find_account("salah@contoh.test") is None
    with pytest.raises((invitations.InvitationClosed, invitations.UnknownInvitation)):
        invitations.read_invitation(added.link.rpartition("/")[2], now=AT)
    assert room.add("benar@contoh.test").result is Result.SEATED  # the only seat, given again
    with pytest.raises(NotFound):
        room.undo(held.public_id)


def test_undo_leaves_an_account_that_is_somebody_s(app: Flask):
    room = Room()
    stranger = factories.person(name="Nama Asli")
    room.add(stranger.email)
    [held] = room.visitors()
    room.undo(held.public_id)
    assert person_at(stranger.email).name == "Nama Asli"
    assert room.visitors() == []
    # Who waits at another door too is not forgotten at this one.
    other = Room()
    room.add("dua@contoh.test")
    other.add("dua@contoh.test")
    room.undo(room.visitors()[0].public_id)
    assert accounts.find_account("dua@contoh.test") is not None


def test_what_was_accepted_is_not_undone(app: Flask):
    room = Room()
    added = room.add()
    [held] = room.visitors()
    accept(added)
    with pytest.raises(walkin.Accepted):
        room.undo(held.public_id)
    assert room.sits(person_at("baru@contoh.test").id)


def test_a_lapsed_link_leaves_the_seat_and_can_still_be_undone(app: Flask):
    room = Room(capacity=1)
    room.add()
    person_id = person_at("baru@contoh.test").id
    later = AT + timedelta(days=4)
    with unit_of_work():
        seating.settle(room.cohort_id, now=later)
    assert room.sits(person_id)
    [held] = room.visitors(later)
    assert held.standing.value in ("expired", "withdrawn")
    room.undo(held.public_id, later)
    assert not room.sits(person_id)
    assert db.session.get_one(Seating, room.cohort_id).free == 1


@pytest.mark.both
def test_who_accepts_at_the_moment_of_the_undoing_keeps_the_seat(app: Flask):
    room = Room()
    added = room.add()
    [held] = room.visitors()

    def undo() -> object:
        return room.undo(held.public_id)

    def take() -> object:
        return accept(added)

    found = race(app, [undo, take])
    db.session.rollback()
    person = db.session.scalar(select(Person).where(Person.email == "baru@contoh.test"))
    kept = person is not None and room.sits(person.id)
    refused = (walkin.Accepted, invitations.InvitationClosed, invitations.UnknownInvitation)
    assert sum(isinstance(one, refused) for one in found) == 1
    assert kept is isinstance(found[0], walkin.Accepted)


def test_only_what_came_in_by_the_door_is_undone_there(app: Flask):
    room = Room()
    with unit_of_work():
        made = invitations.invite(
            email="surat@contoh.test", name="Lewat Surat", roles=["trainee"],
            cohort_id=room.cohort_id, organisation_id=room.sender_id, created_by=room.trainer.id,
            base_url=BASE, subject="s", body="{link}", now=AT,
        ).invitation.public_id  # fmt: skip
    with pytest.raises(NotFound):
        room.undo(made)


@pytest.mark.both
def test_undo_leaves_an_offer_of_before_the_door(app: Flask):
    room = Room(capacity=1)
    with unit_of_work():
        invitations.invite(
            email="surat@contoh.test", name="Lewat Surat", roles=["trainee"],
            cohort_id=room.cohort_id, organisation_id=room.sender_id, created_by=room.trainer.id,
            base_url=BASE, subject="s", body="{link}", now=AT - timedelta(hours=3),
        )  # fmt: skip
    added = room.add("surat@contoh.test")
    person_id = person_at("surat@contoh.test").id
    [held] = room.visitors()
    assert room.undo(held.public_id) == walkin.Undone("Lewat Surat", is_invited=True)
    assert not room.sits(person_id)
    assert room.mark(person_id) is None
    assert room.visitors() == []
    with pytest.raises(seats.NoSeat):  # their seat is kept for them
        room.add("lain@contoh.test")
    assert accept(added) == person_id
    assert room.sits(person_id)
    assert evidence(person_id) == 0


def known_to(room: Room, name: str = "Nama Asli") -> Person:
    """Seat somebody in another class of the same trainer."""
    other = factories.cohort()
    factories.staff(room.trainer, other, Part.TRAINER)
    known = factories.person(name=name)
    factories.seat(known, other)
    return known


@pytest.mark.both
def test_undo_takes_nobody_s_attendance_of_days(app: Flask):
    room = Room()
    known = known_to(room)
    room.add(known.email)
    [held] = room.visitors()
    late = AT + timedelta(days=1)
    with unit_of_work():
        cohort = db.session.get_one(Cohort, room.cohort_id)
        attendance.record(cohort, "2pm", {}, fill=True, recorder_id=room.trainer.id, now=late)
    with pytest.raises(walkin.Attended):
        room.undo(held.public_id, late)
    assert room.sits(known.id)
    assert evidence(known.id) == 1
    # Taken back on purpose, one by one, it stands in nobody's way.
    with unit_of_work():
        cohort = db.session.get_one(Cohort, room.cohort_id)
        attendance.undo(cohort, "2pm", known.public_id, recorder_id=room.trainer.id, now=late)
    # A correction of what was noted at the door is no more than that.
    with unit_of_work():
        cohort = db.session.get_one(Cohort, room.cohort_id)
        entry = attendance.Entry("late", "present")
        done = attendance.record(
            cohort, "1am", {known.public_id: entry}, fill=False,
            recorder_id=room.trainer.id, now=late,
        )  # fmt: skip
    assert done.added == 1
    assert room.mark(known.id) is Presence.LATE
    # After the last day the seat is a matter of record, a minute before it is not.
    with pytest.raises(walkin.Attended):
        room.undo(held.public_id, datetime(2026, 3, 21, 17, 0, tzinfo=UTC))
    room.undo(held.public_id, datetime(2026, 3, 21, 16, 59, tzinfo=UTC))
    assert not room.sits(known.id)
    assert room.mark(known.id) is None
    assert evidence(known.id) == 0
    assert room.visitors() == []


@pytest.mark.both
def test_undone_an_agency_no_longer_counts_them_as_its_own(app: Flask):
    room = Room()
    known = known_to(room)
    before = {one.id for one in organisations.organisations_of(known.id, Part.STAFF)}
    room.add(known.email)
    assert organisations.members_of(room.sender_id) == [(known.id, "Nama Asli")]
    room.undo(room.visitors()[0].public_id)
    assert organisations.members_of(room.sender_id) == []
    assert {one.id for one in organisations.organisations_of(known.id, Part.STAFF)} == before
    # Whom it has sent elsewhere stays its own.
    colleague = factories.person()
    other = factories.cohort()
    factories.staff(room.trainer, other, Part.TRAINER)
    factories.seat(colleague, other, db.session.get_one(Organisation, room.sender_id))
    room.add(colleague.email)
    room.undo(room.visitors()[0].public_id)
    assert [one for one, _name in organisations.members_of(room.sender_id)] == [colleague.id]


def test_who_works_in_the_class_takes_no_seat_in_it(app: Flask):
    room = Room()
    for part in (Part.TRAINER, Part.ASSESSOR):
        colleague = factories.person(part.value)
        factories.staff(colleague, room.cohort, part)
        with pytest.raises(walkin.OnStaff):
            room.add(colleague.email)
    guest = factories.person("speaker")
    factories.staff(guest, room.cohort, Part.SPEAKER)
    assert room.add(guest.email).result is Result.ASKED  # a guest of one session may learn here


# Through the browser's door


SignIn = Callable[[Person], FlaskClient]


def typed(room: Room, **values: str) -> dict[str, str]:
    return {
        "bagian": "1am",
        "email": "baru@contoh.test",
        "name": "Siti Baru",
        "organisation": room.sender.public_id,
        "hadir": "present",
    } | values


def door(room: Room) -> str:
    return f"/angkatan/{room.cohort.slug}/hadir/di-tempat"


@time_machine.travel(AT, tick=False)
def test_the_page_adds_shows_the_link_once_and_takes_it_back(app: Flask, sign_in: SignIn):
    room = Room(capacity=2)
    browser = sign_in(room.trainer)
    assert "2 dari 2 kursi masih bebas" in browser.get(door(room)).text
    response = browser.post(door(room), data=typed(room, hadir="late"))
    assert response.location == f"{door(room)}?bagian=1am"
    page = browser.get(response.location).text
    assert "Siti Baru terdaftar dan kehadirannya tercatat." in page
    link = re.search(r'value="https?://[^"]+(/undangan/[\w-]+)"', page)
    assert link
    assert "<svg" in page
    assert room.mark(person_at("baru@contoh.test").id) is Presence.LATE
    again = browser.get(door(room)).text
    assert link[1] not in again
    assert "1 dari 2 kursi masih bebas" in again
    sheet = browser.get(f"/angkatan/{room.cohort.slug}/hadir?bagian=1am").text
    assert "· di tempat" in sheet
    # The person chooses a password by the link, as somebody new does.
    page = app.test_client().get(link[1]).text
    assert "Kata sandi" in page
    assert "sudah punya akun" not in page
    [held] = room.visitors()
    done = browser.post(f"{door(room)}/batal", data={"undangan": held.public_id, "bagian": "1am"})
    assert "dibatalkan; kursinya bebas lagi" in browser.get(done.location).text
    assert app.test_client().get(link[1]).status_code in (404, 410)


@time_machine.travel(AT, tick=False)
def test_the_page_says_what_is_missing(app: Flask, sign_in: SignIn):
    room = Room(capacity=1)
    browser = sign_in(room.trainer)

    def says(**values: str) -> str:
        response = browser.post(door(room), data=typed(room, **values))
        assert response.status_code == 422
        return response.text

    assert "NIK dan nomor lain tidak kami simpan" in says(name="Siti 6471010101900001")
    assert "memuat nomor panjang" in says(email="6471010101900001@contoh.test")
    assert "Pilih instansinya, atau tulis" in says(organisation="")
    assert "jangan keduanya" in says(other="Yayasan Teduh")
    assert "Pilih jenisnya" in says(organisation="", other="Yayasan Teduh")
    assert "diri sendiri" in says(email=room.trainer.email)
    assert db.session.scalars(select(Attendance)).all() == []
    browser.post(door(room), data=typed(room))
    assert "sudah punya kursi di kelas ini" in says()
    full = says(email="kedua@contoh.test")
    assert "Semua kursi terpakai" in full
    assert "Tulis alasannya bila kursi ditambah." in full
    done = browser.post(
        door(room),
        data=typed(
            room, email="kedua@contoh.test", reason="Pengganti", organisation="",
            other="Yayasan Teduh", kind="puspaga",
        ),
    )  # fmt: skip
    assert done.status_code == 302
    made = db.session.scalars(
        select(Organisation).where(Organisation.name == "Yayasan Teduh")
    ).one()
    assert made.kind is OrganisationKind.PUSPAGA
    # Typed again it is the same one; a name of several is asked about.
    done = browser.post(
        door(room),
        data=typed(
            room, email="ketiga@contoh.test", reason="Pengganti", organisation="",
            other="yayasan teduh",
        ),
    )  # fmt: skip
    assert done.status_code == 302


@time_machine.travel(AT, tick=False)
def test_the_page_tells_what_a_stranger_has_to_do(app: Flask, sign_in: SignIn):
    room, stranger = Room(), factories.person(name="Nama Asli")
    browser = sign_in(room.trainer)
    done = browser.post(door(room), data=typed(room, email=stranger.email))
    page = browser.get(done.location).text
    assert "Satu kursi disimpan untuk Siti Baru." in page
    assert "Nama Asli" not in page
    assert "Kursi disimpan" in page


@time_machine.travel(AT - timedelta(days=3), tick=False)
def test_before_the_first_day_the_page_points_to_invitations(app: Flask, sign_in: SignIn):
    room = Room()
    page = sign_in(room.trainer).get(door(room)).text
    assert "Daftar di tempat terbuka mulai hari pertama" in page
    assert 'name="email"' not in page
    assert "Kelas belum mulai" in sign_in(room.trainer).post(door(room), data=typed(room)).text


@time_machine.travel(AT, tick=False)
def test_the_door_is_the_trainer_s(app: Flask, sign_in: SignIn):
    room = Room()
    other = factories.person("trainer")
    assert sign_in(other).get(door(room)).status_code == 404
    assert sign_in(other).post(door(room), data=typed(room)).status_code == 404
    assert sign_in(room.trainer).post(f"{door(room)}/batal").status_code == 404
    assert sign_in(room.trainer).get(door(room)).status_code == 200


@time_machine.travel(AT, tick=False)
def test_what_was_accepted_meanwhile_is_said(app: Flask, sign_in: SignIn):
    room = Room()
    added = room.add()
    [held] = room.visitors()
    accept(added)
    browser = sign_in(room.trainer)
    done = browser.post(f"{door(room)}/batal", data={"undangan": held.public_id})
    assert "kursinya tetap miliknya" in browser.get(done.location).text


@time_machine.travel(AT, tick=False)
def test_the_page_says_why_somebody_stays_or_is_not_taken(app: Flask, sign_in: SignIn):
    room = Room()
    browser = sign_in(room.trainer)
    colleague = factories.person("assessor")
    factories.staff(colleague, room.cohort, Part.ASSESSOR)
    answer = browser.post(door(room), data=typed(room, email=colleague.email))
    assert answer.status_code == 422
    assert "Orang ini bertugas di kelas ini" in answer.text

    known = known_to(room, "Ibu Nama")
    browser.post(door(room), data=typed(room, email=known.email))
    [held] = room.visitors()
    taken = {"bagian": "1am", "undangan": held.public_id}
    with unit_of_work():
        cohort = db.session.get_one(Cohort, room.cohort_id)
        attendance.record(cohort, "2pm", {}, fill=True, recorder_id=room.trainer.id, now=AT)
    page = browser.post(f"{door(room)}/batal", data=taken, follow_redirects=True).text
    assert "kehadiran orang ini di kelas akan ikut hilang" in page
    assert room.sits(known.id)


@time_machine.travel(AT, tick=False)
def test_the_page_says_that_an_offer_of_before_stays(app: Flask, sign_in: SignIn):
    room = Room()
    with unit_of_work():
        invitations.invite(
            email="surat@contoh.test", name="Lewat Surat", roles=["trainee"],
            cohort_id=room.cohort_id, organisation_id=room.sender_id, created_by=room.trainer.id,
            base_url=BASE, subject="s", body="{link}", now=AT - timedelta(hours=3),
        )  # fmt: skip
    browser = sign_in(room.trainer)
    browser.post(door(room), data=typed(room, email="surat@contoh.test"))
    taken = {"bagian": "1am", "undangan": room.visitors()[0].public_id}
    page = browser.post(f"{door(room)}/batal", data=taken, follow_redirects=True).text
    assert "undangannya yang lama tetap berlaku" in page
    assert "Belum ada. Siapa yang datang tanpa kursi" in page
