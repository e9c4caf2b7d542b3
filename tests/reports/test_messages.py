"""Messages to people who are held up: right people, neutral subject, not twice a day."""

from datetime import timedelta
from functools import partial

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.cohorts import messages as letters
from lms.cohorts.models import ClassMessage, ClassMessageTo, Cohort, Part
from lms.core import clock
from lms.core.db import db, unit_of_work
from lms.core.models import AuditEvent, Mail
from lms.modules import services as modules
from lms.modules.models import Outcome
from lms.reports import messages, snapshots
from tests import factories
from tests.races import race

DAY = timedelta(days=1)
TEXT = "Halo, kapan ada waktu?"


@pytest.fixture
def place(app: Flask) -> Cohort:
    today = clock.now().date()
    return factories.cohort(
        title="Pendamping Korban", starts_on=today + 9 * DAY, ends_on=today + 10 * DAY
    )


@pytest.fixture
def trainer(place: Cohort) -> Person:
    someone = factories.person("trainer", name="Wati Pelatih")
    factories.staff(someone, place)
    return someone


@pytest.fixture
def browser(trainer: Person, sign_in) -> FlaskClient:
    return sign_in(trainer)


def seated(place: Cohort, name: str) -> Person:
    someone = factories.person(name=name)
    factories.seat(someone, place)
    return someone


def quiet(place: Cohort, count: int) -> list[Person]:
    """People who did nothing since they joined in March."""
    people = [seated(place, f"Diam {n}") for n in range(count)]
    snapshots.count(place.id, now=clock.now())
    return people


def post(browser: FlaskClient, place: Cohort, **values: object):
    form = {"reason": "quiet", "text": TEXT} | values
    return browser.post(f"/angkatan/{place.slug}/pesan", data=form)


def sent() -> list[Mail]:
    return list(db.session.scalars(select(Mail).order_by(Mail.id)))


def test_the_form_is_filled_in_for_the_reason(browser: FlaskClient, place: Cohort):
    quiet(place, 2)
    page = browser.get(f"/angkatan/{place.slug}/pesan").text
    assert "Belum aktif tujuh hari" in page
    assert "Adakah yang menghalangi?" in page
    assert page.count('name="people"') == 2
    assert page.count(" checked") == 2
    assert browser.get(f"/angkatan/{place.slug}/pesan?alasan=ngawur").text.count(" checked") == 2


def test_nobody_is_held_up(browser: FlaskClient, place: Cohort):
    assert "Tidak ada yang tertahan" in browser.get(f"/angkatan/{place.slug}/pesan").text


def test_a_message_goes_to_those_chosen_by_mail_and_to_their_home(
    browser: FlaskClient, place: Cohort, trainer: Person, sign_in
):
    first, second, third = quiet(place, 3)
    answer = post(browser, place, people=[first.public_id, third.public_id])
    assert answer.status_code == 302
    assert [mail.to for mail in sent()] == [first.email, third.email]
    for mail in sent():
        assert mail.subject == "Pesan dari pelatih Anda"
        assert TEXT in mail.body
        assert trainer.name in mail.body
        assert place.title not in mail.subject + mail.body
        assert "http://" in mail.body or "https://" in mail.body
    [message] = db.session.scalars(select(ClassMessage)).all()
    assert (message.recipients, message.reason, message.text) == (2, "quiet", TEXT)
    event = db.session.scalars(
        select(AuditEvent).where(AuditEvent.action == "cohorts.message")
    ).one()
    assert event.detail["recipients"] == 2
    assert TEXT not in str(event.detail)
    assert TEXT in browser.get(f"/angkatan/{place.slug}/pesan").text, "it is listed as sent"
    home = sign_in(first)
    assert TEXT in home.get("/").text
    assert "Pesan dari Wati Pelatih" in home.get("/").text
    assert TEXT not in sign_in(second).get("/").text
    assert home.post(f"/pesan/{message.public_id}/sudah").status_code == 302
    assert TEXT not in home.get("/").text
    assert TEXT in sign_in(third).get("/").text
    assert sign_in(second).post(f"/pesan/{message.public_id}/sudah").status_code == 404


def test_a_message_leaves_the_home_page_by_itself(browser: FlaskClient, place: Cohort, sign_in):
    [one] = quiet(place, 1)
    post(browser, place, people=[one.public_id])
    with time_machine.travel(clock.now() + 13 * DAY):
        assert TEXT in sign_in(one).get("/").text
    with time_machine.travel(clock.now() + 15 * DAY):
        assert TEXT not in sign_in(one).get("/").text


def test_what_somebody_wrote_is_shown_as_text(browser: FlaskClient, place: Cohort, sign_in):
    [one] = quiet(place, 1)
    post(browser, place, people=[one.public_id], text="<b>Halo</b>\nbaris dua")
    page = sign_in(one).get("/").text
    assert "&lt;b&gt;Halo&lt;/b&gt;\nbaris dua" in page.replace("\r", "")
    assert "<b>Halo</b>" not in page


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"text": ""}, "Bagian ini perlu diisi."),
        ({"text": "x" * 1001}, "Paling banyak 1000 huruf."),
        ({"people": []}, "Pilih paling sedikit satu orang."),
        ({"people": ["x"] * 51}, "Pilih paling banyak 50 orang."),
    ],
)
def test_what_is_missing_is_said_and_nothing_is_sent(
    browser: FlaskClient, place: Cohort, values: dict[str, object], words: str
):
    [one] = quiet(place, 1)
    answer = post(browser, place, **({"people": [one.public_id]} | values))
    assert answer.status_code == 422
    assert words in answer.text
    assert sent() == []


def test_nobody_is_written_to_twice_a_day_unless_it_is_meant(
    browser: FlaskClient, place: Cohort, trainer: Person, sign_in
):
    first, second = quiet(place, 2)
    assert post(browser, place, people=[first.public_id]).status_code == 302
    page = browser.get(f"/angkatan/{place.slug}/pesan").text
    assert "disapa dalam 24 jam terakhir" in page
    assert page.count(" checked") == 1, "who was written to is not ticked"
    both = [first.public_id, second.public_id]
    answer = post(browser, place, people=both, text="Kedua")
    assert answer.status_code == 422
    assert "belum ada yang dikirim" in answer.text
    assert "Kedua" in answer.text, "what was typed stays"
    assert len(sent()) == 1
    assert post(browser, place, people=both, text="Kedua", anyway="y").status_code == 302
    assert len(sent()) == 3
    with time_machine.travel(clock.now() + 2 * DAY):
        assert post(sign_in(trainer), place, people=both).status_code == 302
    assert len(sent()) == 5


def test_only_people_of_the_class_are_written_to(browser: FlaskClient, place: Cohort):
    [one], stranger = quiet(place, 1), factories.person(name="Orang Luar")
    elsewhere = factories.cohort()
    factories.seat(stranger, elsewhere)
    assert post(browser, place, people=[one.public_id, stranger.public_id]).status_code == 302
    assert [mail.to for mail in sent()] == [one.email]
    assert post(browser, elsewhere, people=[stranger.public_id]).status_code == 404


def test_a_closed_account_gets_nothing(browser: FlaskClient, place: Cohort, trainer: Person):
    first, second = quiet(place, 2)
    with unit_of_work():
        accounts.set_disabled(first.public_id, True, actor_id=trainer.id, now=clock.now())
    post(browser, place, people=[first.public_id, second.public_id])
    assert [mail.to for mail in sent()] == [second.email]
    assert post(browser, place, people=[first.public_id]).status_code == 302
    assert len(db.session.scalars(select(ClassMessage)).all()) == 1, "and none to nobody"


def test_one_person_can_be_written_to_from_their_page(browser: FlaskClient, place: Cohort):
    one = seated(place, "Rajin Sekali")
    at = clock.now() - timedelta(hours=1)
    quiet(place, 1)
    with unit_of_work():
        modules.finish("k1", 1, person_id=one.id, outcome=Outcome.DONE, now=at)
    page = browser.get(f"/angkatan/{place.slug}/peserta/{one.public_id}").text
    assert f"/angkatan/{place.slug}/pesan?siapa={one.public_id}" in page
    form = browser.get(f"/angkatan/{place.slug}/pesan?siapa={one.public_id}").text
    assert form.count('name="people"') == 1
    assert "Rajin Sekali" in form
    assert post(browser, place, reason="lain", people=[one.public_id]).status_code == 302
    assert db.session.scalars(select(ClassMessage.reason)).all() == ["lain"]
    unknown = browser.get(f"/angkatan/{place.slug}/pesan?siapa=tidak-ada").text
    assert "Tidak ada yang tertahan" in unknown


def test_everybody_of_a_reason_in_a_class_too_large_to_list(
    browser: FlaskClient, place: Cohort, monkeypatch: pytest.MonkeyPatch
):
    people = quiet(place, 5)
    monkeypatch.setattr(messages, "LISTED", 2)
    page = browser.get(f"/angkatan/{place.slug}/pesan").text
    assert "5 orang dengan alasan ini; 2 pertama" in page
    assert "Dihitung" in page
    assert post(browser, place, everybody="y").status_code == 302
    assert len(sent()) == len(people)
    assert post(browser, place, everybody="y", reason="ngawur").status_code == 302
    assert len(sent()) == len(people)


def test_an_assessor_writes_to_nobody(place: Cohort, sign_in):
    assessor = factories.person("assessor")
    factories.staff(assessor, place, Part.ASSESSOR)
    assert sign_in(assessor).get(f"/angkatan/{place.slug}/pesan").status_code == 403


def test_neutral_words_for_every_reason(app: Flask):
    banned = ("kekerasan", "kdrt", "korban", "suami", "istri")
    with app.test_request_context():
        for reason in messages.Reason:
            text = messages.words(reason.value)
            assert 40 < len(text) <= letters.LONGEST
            assert not any(word in text.lower() for word in banned)
            assert messages.label(reason.value) != messages.label("lain")
        assert messages.words("lain") == ""


@pytest.mark.both
def test_two_trainers_at_once_write_once(bare_app: Flask):
    with bare_app.app_context():
        place = factories.cohort()
        people = [seated(place, f"Orang {n}").id for n in range(3)]
        trainers = [factories.person("trainer").id for _ in range(2)]
        place_id, now = place.id, clock.now()

    def write(sender_id: int) -> int:
        with bare_app.test_request_context(), unit_of_work():
            return letters.send(
                db.session.get_one(Cohort, place_id), people, reason="quiet", text=TEXT,
                sender_id=sender_id, sender="Pelatih", link="https://x/", pause=DAY, anyway=False,
                now=now,
            )  # fmt: skip

    results = race(bare_app, [partial(write, one) for one in trainers])
    assert sorted(map(str, results)) == ["3", "3 people"]
    with bare_app.app_context():
        assert len(db.session.scalars(select(ClassMessageTo.person_id)).all()) == 3
        assert len(sent()) == 3
