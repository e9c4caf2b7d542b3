"""People are told what they have to know: once, in time, in neutral words."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from lms.accounts.models import Person
from lms.accounts.services import set_locale
from lms.cohorts.models import Cohort
from lms.core.db import db, unit_of_work
from lms.core.i18n import speaking
from lms.core.models import Mail
from lms.credentials import signatures
from lms.credentials.models import CertificateEvent, EventKind
from lms.notices import due, letters, services
from lms.notices.models import Notice
from lms.notices.rules import Kind
from tests import factories
from tests.credentials.world import World
from tests.queries import counted
from tests.races import race

STARTS = date(2026, 3, 20)
NOON = datetime(2026, 3, 1, 5, tzinfo=UTC)
"""Noon in western Indonesia."""


def at(day: date, hour: int = 5, minute: int = 0) -> datetime:
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)


def class_of(people: int, **values: object) -> tuple[Cohort, list[Person]]:
    where = factories.cohort(starts_on=STARTS, ends_on=STARTS + timedelta(days=1), **values)
    joined = [factories.person() for _ in range(people)]
    sender = factories.organisation()
    for someone in joined:
        factories.seat(someone, where, sender)
    return where, joined


def told(someone: Person) -> list[tuple[Kind, int]]:
    db.session.rollback()
    rows = db.session.scalars(
        select(Notice).where(Notice.person_id == someone.id).order_by(Notice.id)
    )
    return [(one.kind, one.stage) for one in rows]


def mails() -> list[Mail]:
    db.session.rollback()
    return list(db.session.scalars(select(Mail).order_by(Mail.id)))


@pytest.mark.both
def test_a_class_is_announced_a_week_and_a_day_before_once_each(app: Flask):
    _, [someone] = class_of(1)
    for day in range(12):
        services.sweep(at(STARTS - timedelta(days=10) + timedelta(days=day)))
    assert told(someone) == [(Kind.CLASS_SOON, 7), (Kind.CLASS_SOON, 1)]
    assert [one.to for one in mails()] == [someone.email] * 2


def test_a_reminder_that_was_missed_is_sent_late_and_never_two_at_once(app: Flask):
    _, [someone] = class_of(1)
    services.sweep(at(STARTS - timedelta(days=1)))  # the server was away for a week
    services.sweep(at(STARTS - timedelta(days=1)))
    assert told(someone) == [(Kind.CLASS_SOON, 1)]


@pytest.mark.parametrize(("zone", "hour"), [("WIB", 17), ("WITA", 16), ("WIT", 15)])
def test_the_day_begins_where_the_class_is(app: Flask, zone: str, hour: int):
    _, [someone] = class_of(1, zone=zone)
    eve = STARTS - timedelta(days=8)
    services.sweep(at(eve, hour - 1, 59))
    assert told(someone) == []
    services.sweep(at(eve, hour, 0))  # midnight there: seven days are left
    [row] = mails()
    assert row.due_at == at(eve, hour) + timedelta(hours=7)  # and the mail waits for the morning


def test_who_sits_in_no_class_or_is_closed_is_not_reminded(app: Flask):
    where, [someone, closed] = class_of(2)
    factories.person()
    with unit_of_work():
        db.session.get_one(Person, closed.id).disabled_at = NOON
    assert services.sweep(at(STARTS - timedelta(days=7))) == 1
    assert told(someone) == [(Kind.CLASS_SOON, 7)]
    assert where.starts_on == STARTS


def test_lessons_that_are_left_are_counted(app: Flask):
    from lms.cohorts import services as cohorts

    where, [someone] = class_of(1)
    with unit_of_work():
        cohorts.set_curricula(where.id, {"K1": "1"}, actor_id=None, now=NOON)
    services.sweep(at(STARTS - timedelta(days=7)))
    assert told(someone) == [(Kind.CLASS_SOON, 7), (Kind.LESSONS_LEFT, 7)]
    assert "10 pelajaran" in mails()[-1].body


@pytest.mark.both
def test_two_sweeps_at_once_tell_everybody_once(app: Flask):
    _, people = class_of(12)
    now = at(STARTS - timedelta(days=7))
    results = race(app, [lambda: services.sweep(now)] * 4)
    assert all(isinstance(one, int) for one in results), results
    assert sum(int(str(one)) for one in results) == 12
    assert Counter(one.to for one in mails()) == {one.email: 1 for one in people}


def test_a_batch_asks_the_database_as_often_for_many_as_for_few(app: Flask):
    class_of(2)
    now = at(STARTS - timedelta(days=7))
    with counted() as few:
        assert len(due.next_batch(now, "WIB")) == 2
    class_of(40)
    with counted() as many:
        assert len(due.next_batch(now, "WIB")) == 2
    assert len(few) == len(many) == 2


def test_more_people_than_a_batch_are_all_told(app: Flask, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(due, "BATCH", 5)
    class_of(12)
    assert services.sweep(at(STARTS - timedelta(days=7))) == 12
    assert services.sweep(at(STARTS - timedelta(days=7))) == 0


@pytest.mark.both
def test_a_certificate_is_told_when_issued_and_before_it_ends(app: Flask):
    world = World()
    paper = world.certified(world.trainee)
    issued, ends = paper.issued_at, paper.valid_until
    services.sweep(issued + timedelta(hours=1))
    assert told(world.trainee) == [(Kind.PAPER_READY, 0)]
    for left in (100, 90, 60, 30, 20, 7, 1, 0, -1, -5, -40):
        services.sweep(at(ends - timedelta(days=left)))
    kinds = [stage for kind, stage in told(world.trainee) if kind is Kind.PAPER_ENDS]
    assert kinds == [90, 30, 7, 0]


@pytest.mark.both
def test_whose_decision_is_put_off_is_told_once_and_again_for_another_time(app: Flask):
    world = World()
    person_id, where, by_id = world.trainee.id, world.cohort.id, world.trainer.id

    def put_off(now: datetime) -> None:
        with unit_of_work():
            signatures.put_off(
                person_id, "K1", cohort_id=where, by_id=by_id, now=now,
                reason="Alasan rahasia", todo="Tugas rahasia",
            )  # fmt: skip

    put_off(NOON)
    for _ in range(2):
        services.sweep(NOON + timedelta(hours=1))
    assert told(world.trainee) == [(Kind.PUT_OFF, 0)]
    [mail] = mails()
    assert mail.to == world.trainee.email
    assert "rahasia" not in mail.body
    with unit_of_work():
        signatures.lift(person_id, "K1", cohort_id=where, by_id=by_id, now=NOON)
    put_off(NOON + timedelta(days=1))
    with unit_of_work():
        signatures.lift(person_id, "K1", cohort_id=where, by_id=by_id, now=NOON)
    services.sweep(NOON + timedelta(days=2))
    assert told(world.trainee) == [(Kind.PUT_OFF, 0)], "taken up again before it was told"
    put_off(NOON + timedelta(days=3))
    services.sweep(NOON + timedelta(days=3, hours=1))
    assert told(world.trainee) == [(Kind.PUT_OFF, 0)] * 2


@pytest.mark.both
@pytest.mark.parametrize("kind", list(EventKind))
def test_a_certificate_that_was_taken_back_is_announced_as_that_and_as_nothing_else(
    app: Flask, kind: EventKind
):
    world = World()
    paper = world.certified(world.trainee)
    issued, ends, paper_id = paper.issued_at, paper.valid_until, paper.id
    with unit_of_work():
        db.session.add(
            CertificateEvent(
                certificate_id=paper_id,
                kind=kind,
                reason_public="error",
                reason_internal="",
                by_id=world.trainer.id,
                at=issued,
            )
        )
    for _ in range(2):
        services.sweep(issued + timedelta(hours=1))
    services.sweep(at(ends - timedelta(days=30)))
    revoked = [(Kind.PAPER_REVOKED, 0)] if kind is EventKind.REVOKED else []
    assert told(world.trainee) == revoked
    assert [one.to for one in mails()] == [world.trainee.email] * len(revoked)


def test_what_was_revoked_long_ago_is_no_news(app: Flask):
    world = World()
    paper = world.certified(world.trainee)
    issued, paper_id, by_id = paper.issued_at, paper.id, world.trainer.id
    with unit_of_work():
        db.session.add(
            CertificateEvent(
                certificate_id=paper_id, kind=EventKind.REVOKED, reason_public="error",
                reason_internal="", by_id=by_id, at=issued,
            )
        )  # fmt: skip
    services.sweep(issued + timedelta(days=8))
    assert told(world.trainee) == []


def test_who_wants_no_mail_is_told_on_the_page_only(app: Flask):
    _, [quiet, silent, other] = class_of(3)
    with unit_of_work():
        services.choose(quiet.id, [Kind.PAPER_ENDS.value], no_mail=False)
        services.choose(silent.id, [kind.value for kind in Kind], no_mail=True)
    services.sweep(at(STARTS - timedelta(days=7)))
    assert [len(told(one)) for one in (quiet, silent, other)] == [1, 1, 1]
    assert [one.to for one in mails()] == [other.email]


def test_a_mail_speaks_the_language_of_its_reader(app: Flask):
    _, [_indonesian, english] = class_of(2)
    with unit_of_work():
        set_locale(english.id, "en")
    services.sweep(at(STARTS - timedelta(days=7)))
    [first, second] = mails()
    assert "Kelas Anda mulai" in first.body
    assert "Kelas Anda mulai" not in second.body
    assert "/pemberitahuan" in second.body


LOADED = ("kdrt", "kekerasan", "korban", "violence", "victim", "sertifikat", "certificate", "k1")


@pytest.mark.parametrize("locale", ["id", "en"])
@pytest.mark.parametrize("kind", list(Kind))
def test_no_mail_says_what_it_is_about(app: Flask, kind: Kind, locale: str):
    facts = letters.Facts("9 Maret 2026", "Aula", 3)
    with app.test_request_context(), speaking(locale):
        for stage in (0, 1, 7, 30):
            text = str(letters.SUBJECTS[kind]) + letters.body(
                kind, stage, facts, name="Sri", link="L", choices="C"
            )
            assert not [word for word in LOADED if word in text.casefold()]
            # The positive control: behind sign-in the thing is named.
            assert "Pendamping" in letters.sentence(kind, stage, "Pendamping")
