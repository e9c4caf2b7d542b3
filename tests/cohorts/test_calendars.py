"""Calendars by secret address: who finds what in them, and that nobody else does."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from icalendar import Calendar
from sqlalchemy import func, select

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.cohorts import feeds, services
from lms.cohorts.models import CalendarFeed, ClassState, Cohort, Part
from lms.cohorts.rules import LOADED_WORDS
from lms.core import clock
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from tests import factories
from tests.races import race

SignIn = Callable[[Person], FlaskClient]
HERE = "/akun/kalender"
FIRST = date(2099, 3, 20)


@pytest.fixture
def melati(app: Flask) -> Cohort:
    """A class in WITA with hours on the first morning and none on the last afternoon."""
    made = factories.cohort(
        slug="melati",
        title="Angkatan KDRT 1",
        zone="WITA",
        starts_on=FIRST,
        ends_on=FIRST + timedelta(days=1),
    )
    with unit_of_work():
        opening, workshop, _test = services.list_sessions(made.id)
        opening.begins, opening.ends = time(8), time(8, 30)
        workshop.begins, workshop.ends = time(8, 30), time(11, 45)
        workshop.title = workshop.title_en = "Lokakarya kekerasan"
    return services.get_cohort_by_slug("melati")


def make(browser: FlaskClient, slug: str = "") -> str:
    """Make an address; return it."""
    assert browser.post(HERE, data={"kelas": slug}).location == HERE
    found = re.search(r'value="http://127\.0\.0\.1:8000(/kalender/[\w-]+\.ics)"', page(browser))
    assert found is not None
    return found[1]


def page(browser: FlaskClient) -> str:
    return browser.get(HERE).text


def events(answer: Any) -> list[tuple[str, Any, Any]]:
    """Return summary, begin and end of each event, as a calendar program reads the file."""
    assert answer.status_code == 200
    assert answer.mimetype == "text/calendar"
    return [
        (str(one["summary"]), one["dtstart"].dt, one["dtend"].dt)
        for one in Calendar.from_ical(answer.data).walk("VEVENT")
    ]


HALF_DAYS = [
    (
        "Kelas (hari 1, pagi)",
        datetime(2099, 3, 20, 0, 0, tzinfo=UTC),
        datetime(2099, 3, 20, 3, 45, tzinfo=UTC),
    ),
    ("Kelas (hari 2, siang)", date(2099, 3, 21), date(2099, 3, 22)),
]


def test_a_companion_finds_the_half_days_of_the_own_classes(melati: Cohort, sign_in: SignIn):
    learner, other = factories.person(), factories.person()
    factories.seat(learner, melati)
    factories.seat(other, factories.cohort(slug="mawar", starts_on=FIRST, ends_on=FIRST))
    anybody = sign_in(learner).application.test_client()
    assert events(anybody.get(make(sign_in(learner)))) == HALF_DAYS
    assert len(events(anybody.get(make(sign_in(other))))) == 2
    assert events(anybody.get(make(sign_in(factories.person())))) == []


def test_what_a_calendar_tells_is_neutral(melati: Cohort, sign_in: SignIn):
    learner = factories.person()
    factories.seat(learner, melati)
    answer = sign_in(learner).get(make(sign_in(learner)))
    text = answer.text
    assert "Aula Dinas\\, Kota Contoh" in text
    assert "http://127.0.0.1:8000/angkatan/melati/agenda" in text.replace("\r\n ", "")
    for word in (*LOADED_WORDS, "Lokakarya", melati.title, learner.name, learner.email):
        assert word.lower() not in text.lower()
    assert answer.headers["Cache-Control"] == "private, max-age=900"
    assert "Set-Cookie" not in answer.headers


def test_an_answer_that_did_not_change_is_not_sent_again(melati: Cohort, sign_in: SignIn):
    learner = factories.person()
    factories.seat(learner, melati)
    browser = sign_in(learner)
    address = make(browser)
    first = browser.get(address)
    again = browser.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    with unit_of_work():
        services.get_cohort_by_slug("melati").place = "Balai Kota"
    changed = browser.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert "Balai Kota" in changed.text


def test_a_guest_finds_only_the_own_session_while_access_lasts(melati: Cohort, sign_in: SignIn):
    guest = factories.person("speaker")
    factories.staff(guest, melati, Part.SPEAKER)
    with unit_of_work():
        services.list_sessions(melati.id)[1].speaker_id = guest.id
    browser = sign_in(guest)
    address = make(browser)
    own = [("Sesi Anda (hari 1, pagi)", datetime(2099, 3, 20, 0, 30, tzinfo=UTC), HALF_DAYS[0][2])]
    assert events(browser.get(address)) == own
    assert events(browser.get("/angkatan/melati/agenda.ics")) == own
    assert "/angkatan/melati/narasumber" in browser.get(address).text.replace("\r\n ", "")
    with unit_of_work():
        ended = {"starts_on": date(2026, 1, 1), "ends_on": date(2026, 1, 2)}
        for name, value in ended.items():
            setattr(services.get_cohort_by_slug("melati"), name, value)
    assert feeds.own_events(guest.id, now=datetime(2026, 1, 16, tzinfo=UTC)) != ()
    assert feeds.own_events(guest.id, now=datetime(2026, 1, 17, tzinfo=UTC)) == ()


def test_the_day_of_a_session_is_the_day_of_the_class_not_of_the_guest(
    melati: Cohort, sign_in: SignIn
):
    """Whoever speaks on the first day only must not be put on the last."""
    guest = factories.person("speaker")
    factories.staff(guest, melati, Part.SPEAKER)
    with unit_of_work():
        services.get_cohort_by_slug("melati").ends_on = FIRST + timedelta(days=3)
        for entry in services.list_sessions(melati.id):
            entry.speaker_id = guest.id
    found = feeds.own_events(guest.id, now=clock.now())
    assert [getattr(one.begins, "day", None) for one in found] == [20, 20, 23]


def test_a_wrong_renewed_or_ended_address_leads_nowhere(melati: Cohort, sign_in: SignIn):
    learner = factories.person()
    factories.seat(learner, melati)
    browser = sign_in(learner)
    old = make(browser)
    assert browser.get(old).status_code == 200
    new = make(browser)
    assert new != old
    assert (browser.get(old).status_code, browser.get(new).status_code) == (404, 200)
    assert browser.post(f"{HERE}/akhiri", data={"kelas": ""}).location == HERE
    assert browser.get(new).status_code == 404
    assert browser.post(f"{HERE}/akhiri", data={"kelas": ""}).status_code == 404
    assert browser.get("/kalender/tebakan.ics").status_code == 404


def test_only_the_hash_of_an_address_is_kept_and_it_is_shown_once(melati: Cohort, sign_in: SignIn):
    browser = sign_in(factories.person())
    token = make(browser).removeprefix("/kalender/").removesuffix(".ics")
    assert len(token) >= 43
    assert token not in page(browser)
    assert "Jadwal saya" in page(browser)
    stored = [
        str(row)
        for table in db.metadata.sorted_tables
        for row in db.session.connection().execute(table.select())
    ]
    assert not any(token in row for row in stored)


def test_a_closed_account_closes_its_calendar(melati: Cohort, sign_in: SignIn):
    learner, admin = factories.person(), factories.person("admin")
    factories.seat(learner, melati)
    address = make(sign_in(learner))
    anybody = sign_in(admin)
    assert anybody.get(address).status_code == 200
    with unit_of_work():
        accounts.set_disabled(learner.public_id, True, actor_id=admin.id, now=clock.now())
    assert anybody.get(address).status_code == 404


def test_the_calendar_of_a_class_belongs_to_those_who_look_after_it(
    melati: Cohort, sign_in: SignIn
):
    trainer, admin = factories.person("trainer"), factories.person("admin")
    factories.staff(trainer, melati)
    guest, learner = factories.person("speaker"), factories.person()
    factories.staff(guest, melati, Part.SPEAKER)
    factories.seat(learner, melati)
    for person in (guest, learner, factories.person("trainer")):
        assert sign_in(person).post(HERE, data={"kelas": "melati"}).status_code == 404
    assert sign_in(admin).post(HERE, data={"kelas": "tidak-ada"}).status_code == 404
    anybody = sign_in(learner)
    addresses = [make(sign_in(person), "melati") for person in (trainer, admin)]
    for address in addresses:
        assert events(anybody.get(address)) == HALF_DAYS
    with unit_of_work():
        services.dismiss_staff(
            melati.id, trainer.public_id, Part.TRAINER, actor_id=admin.id, now=clock.now()
        )
    assert [anybody.get(address).status_code for address in addresses] == [404, 200]
    own = make(sign_in(admin))
    browser = sign_in(admin)
    assert melati.title in page(browser)
    browser.post(f"{HERE}/akhiri", data={"kelas": "melati"})
    assert [anybody.get(one).status_code for one in (addresses[1], own)] == [404, 200]


def test_a_draft_is_in_no_calendar(app: Flask, sign_in: SignIn):
    factories.cohort(slug="draf-1", state=ClassState.DRAFT)
    admin = sign_in(factories.person("admin"))
    assert events(admin.get(make(admin, "draf-1"))) == []


def test_the_days_of_a_class_are_taken_along_as_a_file(melati: Cohort, sign_in: SignIn):
    learner = factories.person()
    factories.seat(learner, melati)
    answer = sign_in(learner).get("/angkatan/melati/agenda.ics")
    assert events(answer) == HALF_DAYS
    assert answer.headers["Content-Disposition"] == 'attachment; filename="kelas-melati.ics"'
    assert sign_in(factories.person()).get("/angkatan/melati/agenda.ics").status_code == 404


def test_a_calendar_speaks_its_owners_language(melati: Cohort, sign_in: SignIn):
    learner = factories.person()
    factories.seat(learner, melati)
    with unit_of_work():
        accounts.set_locale(learner.id, "en")
    assert (
        feeds.read_calendar(
            make(sign_in(learner)).split("/")[2].removesuffix(".ics"), now=clock.now()
        ).locale
        == "en"
    )


@pytest.mark.both
def test_addresses_made_at_once_leave_one_in_force(bare_app: Flask):
    with bare_app.app_context():
        owner, where = factories.person().id, factories.cohort().id

    def make_one(cohort_id: int | None) -> object:
        with unit_of_work():
            return feeds.make_feed(owner, cohort_id, now=factories.NOW)

    results = race(bare_app, [lambda: make_one(None)] * 3 + [lambda: make_one(where)] * 3)
    assert all(isinstance(one, str | NotFound) for one in results), results
    with bare_app.app_context():
        live = select(CalendarFeed.cohort_id).where(CalendarFeed.revoked_at.is_(None))
        assert sorted(map(str, db.session.scalars(live))) == sorted(["None", str(where)])
        assert db.session.scalar(select(func.count()).select_from(CalendarFeed)) >= 2
