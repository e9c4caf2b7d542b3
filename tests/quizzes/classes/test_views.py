"""Quizzes of a class through the browser's door, for its trainer and its people."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lms.accounts.models import Person
from lms.competency.models import Evidence
from lms.core import clock
from lms.core.db import db
from lms.quizzes.classes import services
from lms.quizzes.classes.models import Purpose
from lms.quizzes.models import ItemVersion
from tests import factories
from tests.quizzes.classes import helpers
from tests.quizzes.classes.helpers import Room
from tests.quizzes.collections import helpers as files

MINUTE = "%Y-%m-%dT%H:%M"
Enter = Callable[[Person], FlaskClient]


@pytest.fixture
def room(app: Flask) -> Room:
    return Room()


@pytest.fixture
def trainer(room: Room, sign_in: Enter) -> FlaskClient:
    return sign_in(room.trainer)


def wib(hours: float) -> str:
    """A moment on the clock of the class, so many hours from now."""
    return (clock.now() + timedelta(hours=hours + 7)).strftime(MINUTE)


def fields(room: Room, **values: object) -> dict[str, object]:
    """What the form of a quiz sends."""
    chosen = re.findall(
        r'name="questions"[^>]*value="(\w+)"|value="(\w+)"[^>]*name="questions"', room.page
    )
    return {
        "title": "Latihan satu",
        "purpose": "latihan",
        "opens_at": wib(-1),
        "closes_at": wib(1),
        "tries": "2",
        "minutes": "",
        "shows_answers": "y",
        "number": "",
        "label": "",
        "questions": [one or two for one, two in chosen],
    } | values


def open_form(room: Room, trainer: FlaskClient) -> str:
    """The address of the form for the room's collection; its page is kept."""
    where = f"/angkatan/{room.cohort.slug}/kuis/baru"
    assert "Koleksi" in trainer.get(where).text
    address = f"{where}?koleksi={room.collection}"
    room.page = trainer.get(address).text
    return address


def now_open(room: Room, **values: object) -> str:
    """A quiz that is open at this moment."""
    at = clock.now()
    return room.quiz(
        **{"opens_at": at - timedelta(hours=1), "closes_at": at + timedelta(hours=1), **values}
    )


def test_a_trainer_puts_a_quiz_together_and_a_companion_sits_it(
    room: Room, trainer: FlaskClient, sign_in: Enter
):
    slug = room.cohort.slug
    address = open_form(room, trainer)
    assert "bukan bukti kompetensi" in room.page
    sent = trainer.post(address, data=fields(room), follow_redirects=True)
    assert "Kuis dibuat." in sent.text
    assert "Latihan satu" in sent.text
    (line,) = services.list_of_class(room.cohort_id)
    assert line.questions == 5
    code = line.code.lower()
    browser = sign_in(room.people[0])
    assert "Latihan satu" in browser.get(f"/angkatan/{slug}/kuis-saya").text
    page = browser.get(f"/angkatan/{slug}/kuis-saya/{code}").text
    assert "bukan bukti kompetensi" in page
    begun = browser.post(f"/angkatan/{slug}/kuis-saya/{code}")
    here = begun.location
    leaked = [browser.get(f"{here}?soal={n}").text for n in range(1, 6)]
    assert not any("Ya, keputusan ada padanya" in page for page in leaked)
    assert "Kuis kelas" in leaked[0]
    assert browser.get(f"/kuis/{code}").location.endswith(f"/angkatan/{slug}/kuis-saya/{code}")
    running = browser.get(f"{here.replace('/kuis/', '/kuis/')}/hasil")
    assert "kuis-saya" in running.location
    assert browser.get(running.location).location == here
    handed = browser.post(f"{here}/kirim", data={"confirm": "y"}, follow_redirects=True)
    assert "0 persen dari nilai penuh" in handed.text
    assert "Ya, keputusan ada padanya" not in handed.text  # the quiz is still open
    assert "Kunci dan alasan tampil mulai" in handed.text
    assert db.session.scalar(select(func.count()).select_from(Evidence)) == 0
    found = services.get(line.code, room.cohort_id)
    db.session.rollback()
    at = clock.now()
    trainer.post(
        f"/angkatan/{slug}/kuis/{code}/ubah",
        data={"title": found.title, "opens_at": wib(-3), "closes_at": wib(-2),
              "shows_answers": "y"},
    )  # fmt: skip
    assert at
    closed = browser.get(f"/angkatan/{slug}/kuis-saya/{code}/hasil/{here.split('/')[-1]}").text
    assert "Ya, keputusan ada padanya" in closed  # the positive control
    refused = browser.post(f"/angkatan/{slug}/kuis-saya/{code}", follow_redirects=True)
    assert "Kuis ini sudah ditutup." in refused.text


def test_a_form_that_cannot_be_says_why(room: Room, trainer: FlaskClient):
    address = open_form(room, trainer)
    for values, words in (
        ({"questions": []}, "Pilih 1 sampai 200 soal."),
        ({"closes_at": wib(-2)}, "Kuis ditutup sesudah dibuka."),
        ({"number": "9", "questions": []}, "Tinggal 5 soal yang belum dipilih."),
        ({"opens_at": "kemarin"}, "Tulis tanggal dan jam"),
        ({"tries": "99"}, "Tulis 1 sampai 20."),
        ({"questions": ["tidak-ada"]}, "Soal ini tidak ada lagi."),
    ):
        sent = trainer.post(address, data=fields(room, **values))
        assert sent.status_code == 422
        assert words in sent.text
    drawn = trainer.post(address, data=fields(room, questions=[], number="2", label="kuk:02.1.1"))
    assert drawn.status_code == 302
    (line,) = services.list_of_class(room.cohort_id)
    assert line.questions == 2


def test_a_written_answer_is_chosen_and_never_drawn_by_chance(
    room: Room, trainer: FlaskClient, sign_in: Enter
):
    files.bring(room.trainer, room.collection, "::T1::Ceritakan langkah Anda malam itu. {}\n")
    address = open_form(room, trainer)
    assert "Ceritakan langkah Anda malam itu." in room.page
    assert "Soal uraian dibaca dan dinilai pelatih" in room.page
    only = trainer.get(f"{address}&jenis=essay").text
    assert only.count('name="questions"') == 1
    too_many = trainer.post(address, data=fields(room, questions=[], number="6"))
    assert "Tinggal 5 soal" in too_many.text
    assert trainer.post(address, data=fields(room)).status_code == 302
    (line,) = services.list_of_class(room.cohort_id)
    assert line.questions == 6


def test_a_test_after_starts_from_the_questions_of_the_test_before(
    room: Room, trainer: FlaskClient
):
    code = now_open(room, purpose=Purpose.BEFORE)
    slug = room.cohort.slug
    page = trainer.get(
        f"/angkatan/{slug}/kuis/baru?koleksi={room.collection}&dari={code.lower()}"
    ).text
    assert page.count("checked") == 6  # five questions and the purpose
    assert re.search(r"checked[^>]*value=\"pasca\"", page)


def test_strangers_find_nothing(room: Room, trainer: FlaskClient, sign_in: Enter):
    code, slug = now_open(room).lower(), room.cohort.slug
    ref = helpers.sit(room.people[0], code.upper(), right=1, now=clock.now())
    elsewhere = factories.person()
    factories.seat(elsewhere, factories.cohort())
    stranger, other = sign_in(elsewhere), sign_in(room.people[1])
    for path in (f"/angkatan/{slug}/kuis-saya", f"/angkatan/{slug}/kuis-saya/{code}"):
        assert stranger.get(path).status_code == 404
        assert other.get(path).status_code == 200
        assert trainer.get(path).status_code == 403
    assert stranger.post(f"/angkatan/{slug}/kuis-saya/{code}").status_code == 404
    hers = f"/angkatan/{slug}/kuis-saya/{code}/hasil/{ref.public_id}"
    assert sign_in(room.people[0]).get(hers).status_code == 200
    assert other.get(hers).status_code == 404
    assert other.get(f"/kuis/{code}/{ref.public_id}").status_code == 404
    assert other.get("/kuis/tidakada").status_code == 404
    colleague = sign_in(factories.person("trainer"))
    for path in (f"/angkatan/{slug}/kuis", f"/angkatan/{slug}/kuis/{code}/hasil",
                 f"/angkatan/{slug}/kuis/{code}/ubah", f"/angkatan/{slug}/kuis/baru"):  # fmt: skip
        assert trainer.get(path).status_code == 200
        assert colleague.get(path).status_code == 404
        assert other.get(path).status_code == 403


def test_two_quizzes_become_a_pair_and_the_gain_is_shown(room: Room, trainer: FlaskClient):
    slug = room.cohort.slug
    before = now_open(room, purpose=Purpose.BEFORE, title="Pra")
    after = now_open(
        room, purpose=Purpose.AFTER, title="Pasca",
        opens_at=clock.now() - timedelta(minutes=30),
    )  # fmt: skip
    third = factories.person(name="Hanya Pra")
    factories.seat(third, room.cohort)
    for person, first, second in ((room.people[0], 1, 4), (room.people[1], 2, 3)):
        helpers.sit(person, before, right=first, now=clock.now())
        helpers.sit(person, after, right=second, now=clock.now())
    helpers.sit(third, before, right=5, now=clock.now())
    wrong = trainer.post(f"/angkatan/{slug}/kuis/pasangan", data={"before": after, "after": before})
    assert wrong.status_code == 422
    made = trainer.post(f"/angkatan/{slug}/kuis/pasangan", data={"before": before, "after": after})
    page = trainer.get(made.location).text
    for words in (
        "Selisih rata-rata +40,0 poin",
        "Rata-rata 30,0 persen menjadi 70,0 persen pada 2 orang",
        "Hanya pra-uji: 1 orang, tidak ikut dihitung.",
        "Soal kedua kuis sama.",
        "n masih kecil",
        "Gain ternormalisasi Hake: 0,57",
        "2 orang naik, 0 turun.",
    ):
        assert words in page, words
    table = trainer.get(f"{made.location}.csv").text
    assert "Hanya Pra" in table
    assert "60" in table
    assert trainer.get(f"{made.location}.xlsx").status_code == 200
    assert trainer.get(f"{made.location}.pdf").status_code == 404
    results = trainer.get(f"/angkatan/{slug}/kuis/{before.lower()}/hasil").text
    assert "3 dari 3 orang mengirim." in results
    assert "Siapa yang memutuskan?" in results
    sheet = trainer.get(f"/angkatan/{slug}/kuis/{before.lower()}/hasil.csv").text
    assert "Hanya Pra" in sheet
    assert "Berpasangan" in trainer.get(f"/angkatan/{slug}/kuis").text
    parted = trainer.post(f"{made.location}/lepas", follow_redirects=True).text
    assert "Pasangan dilepas." in parted
    assert trainer.get(made.location).status_code == 404


def test_an_empty_quiz_and_an_empty_pair_say_so(room: Room, trainer: FlaskClient):
    slug = room.cohort.slug
    before = now_open(room, purpose=Purpose.BEFORE)
    after = now_open(room, purpose=Purpose.AFTER, opens_at=clock.now())
    assert "Belum ada yang mengirim" in trainer.get(
        f"/angkatan/{slug}/kuis/{before.lower()}/hasil"
    ).text  # fmt: skip
    made = trainer.post(f"/angkatan/{slug}/kuis/pasangan", data={"before": before, "after": after})
    assert "Belum ada yang mengerjakan keduanya" in trainer.get(made.location).text
    cancelled = trainer.post(f"/angkatan/{slug}/kuis/{before.lower()}/batal", follow_redirects=True)
    assert "Dibatalkan" in cancelled.text


@pytest.mark.parametrize(("days", "counts"), [(9, False), (0.5, True)])
def test_an_end_days_away_names_its_day_and_counts_no_minutes(
    room: Room, sign_in: Enter, days: float, counts: bool
):
    ends = clock.now() + timedelta(days=days)
    code = now_open(room, closes_at=ends)
    browser = sign_in(room.people[0])
    begun = browser.post(f"/angkatan/{room.cohort.slug}/kuis-saya/{code.lower()}")
    for page in (browser.get(begun.location).text, browser.get(f"{begun.location}/periksa").text):
        assert ("data-timer-line" in page, "Waktu sampai pukul" in page) == (counts, counts)
        assert (f"Waktu sampai {(ends + timedelta(hours=7)).day} " in page) is not counts


def test_pictures_of_a_question_are_shown_in_the_sitting(room: Room, sign_in: Enter):
    where = files.collection(room.trainer)
    files.bring(room.trainer, where, files.MOODLE, "moodle-xml")
    code = now_open(room, questions=helpers.questions(where))
    browser = sign_in(room.people[0])
    begun = browser.post(f"/angkatan/{room.cohort.slug}/kuis-saya/{code.lower()}")
    page = browser.get(begun.location).text
    assert '<img src="data:image/png;base64,' in page
    assert "script>alert" not in page
    assert db.session.scalar(select(func.count()).select_from(ItemVersion)) > 0


def test_a_quiz_that_cannot_be_begun_says_why(room: Room, sign_in: Enter):
    at, slug, person = clock.now(), room.cohort.slug, room.people[0]
    early = now_open(room, opens_at=at + timedelta(minutes=30))
    done = now_open(room)
    ref = helpers.sit(person, done, right=1, now=at)
    browser = sign_in(person)
    for code, words in ((early, "Kuis ini dibuka"), (done, "Kuis ini sudah Anda kerjakan.")):
        page = browser.post(f"/angkatan/{slug}/kuis-saya/{code.lower()}", follow_redirects=True)
        assert words in page.text
    again = services.get_own(done, room.cohort_id, person.id)
    assert [public_id for public_id, _at in again.closed] == [ref.public_id]
    both = factories.person("trainer", "trainee")
    factories.staff(both, room.cohort)
    assert sign_in(both).get(f"/angkatan/{slug}/kuis").status_code == 200
    assert sign_in(both).get(f"/angkatan/{slug}/kuis-saya").status_code == 404, "no seat"


def test_a_test_after_that_opens_first_is_no_pair(room: Room, trainer: FlaskClient):
    before = now_open(room, purpose=Purpose.BEFORE)
    after = now_open(room, purpose=Purpose.AFTER, opens_at=clock.now() - timedelta(days=1))
    sent = trainer.post(
        f"/angkatan/{room.cohort.slug}/kuis/pasangan", data={"before": before, "after": after}
    )
    assert sent.status_code == 422
    assert "Pasca-uji harus dibuka sesudah pra-uji." in sent.text
    assert [line.pair for line in services.list_of_class(room.cohort_id)] == [None, None]


def test_who_handed_nothing_in_has_an_empty_row(room: Room, trainer: FlaskClient):
    code = now_open(room)
    helpers.sit(room.people[0], code, right=5, now=clock.now())
    address = f"/angkatan/{room.cohort.slug}/kuis/{code.lower()}/hasil.csv"
    head, *rows = (line.split(";") for line in trainer.get(address).text.splitlines())
    assert head[3:] == ["Persen", "1", "2", "3", "4", "5"]
    found = {row[0]: row[2:] for row in rows}
    assert found["Peserta 0"][1:] == ["100.0", *["1.0"] * 5]
    assert found["Peserta 1"] == ["", ""]
