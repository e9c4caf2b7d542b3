"""The page of a class for the people in it."""

from collections.abc import Callable
from datetime import date, time

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms.accounts.models import Person
from lms.cohorts import services
from lms.cohorts.models import Cohort, Part
from lms.core.db import unit_of_work
from tests import factories
from tests.queries import counted

SignIn = Callable[[Person], FlaskClient]
HERE = "/angkatan/melati/agenda"


@pytest.fixture
def melati(app: Flask) -> Cohort:
    made = factories.cohort(
        factories.organisation("Dinas Contoh"),
        slug="melati",
        starts_on=date(2099, 3, 20),
        ends_on=date(2099, 3, 21),
        address="Jalan Melati 1\nPintu timur",
        contact_name="Ibu Kontak",
        contact_phone="0812 3456 7890",
        contact_email="kontak@contoh.test",
        bring="Surat tugas\nAlat tulis",
        curricula={"K1": "abc", "K5": ""},
    )
    with unit_of_work():
        opening = services.list_sessions(made.id)[0]
        opening.begins, opening.ends = time(8), time(8, 30)
    return services.get_cohort_by_slug("melati")


def test_everybody_in_the_class_reads_the_agenda_and_nobody_else(melati: Cohort, sign_in: SignIn):
    learner = factories.person(name="Peserta Satu")
    factories.seat(learner, melati)
    staff = {}
    for part in (Part.TRAINER, Part.ASSESSOR, Part.SPEAKER):
        staff[part] = factories.person(part.value)
        factories.staff(staff[part], melati, part)
    for person in (learner, *staff.values(), factories.person("admin")):
        page = sign_in(person).get(HERE).text
        for words in (
            "20–21 Maret 2099", "Hari 1: 20 Maret 2099", "08.00–08.30", "Lokakarya", "2 JP",
            "tanpa JP", "Jumlah 6 JP. Jam menurut WIB.", "Dinas Contoh", "Pintu timur",
            "Ibu Kontak", 'href="tel:081234567890"', 'href="mailto:kontak@contoh.test"',
            "Alat tulis", "K1 Asesmen Risiko",
        ):  # fmt: skip
            assert words in page
    elsewhere = factories.person("trainer", "trainee", "speaker", "agency", "author", "reviewer")
    other = factories.cohort(slug="mawar")
    factories.staff(elsewhere, other)
    factories.seat(elsewhere, other)
    assert sign_in(elsewhere).get("/angkatan/mawar/agenda").status_code == 200
    assert sign_in(elsewhere).get(HERE).status_code == 404
    assert sign_in(elsewhere).get("/angkatan/tidak-ada/agenda").status_code == 404


def test_a_companion_finds_the_own_tasks_and_the_page_from_home(melati: Cohort, sign_in: SignIn):
    learner, trainer = factories.person(), factories.person("trainer")
    factories.seat(learner, melati)
    factories.staff(trainer, melati)
    browser = sign_in(learner)
    assert f'href="{HERE}"' in browser.get("/").text
    page = browser.get(HERE).text
    assert "Tugas saya" in page
    assert "Halaman kelas" not in page
    page = sign_in(trainer).get(HERE).text
    assert "Tugas saya" not in page
    assert f'href="{HERE}" aria-current="page"' in page
    assert "Buat alamat kalender kelas ini" in page


def test_the_page_names_no_subject_where_it_stays_in_the_history(melati: Cohort, sign_in: SignIn):
    learner = factories.person()
    factories.seat(learner, melati)
    assert "<title>Agenda kelas – Suluh</title>" in sign_in(learner).get(HERE).text


def test_a_class_without_entries_says_so(app: Flask, sign_in: SignIn):
    learner = factories.person()
    factories.seat(learner, factories.cohort(slug="melati", timetable=[]))
    assert "Jadwal sedang disusun" in sign_in(learner).get(HERE).text


def test_the_page_asks_the_same_however_many_entries_there_are(melati: Cohort, sign_in: SignIn):
    learner = factories.person()
    factories.seat(learner, melati)
    browser, costs = sign_in(learner), []
    for _more in range(2):
        with counted() as asked:
            browser.get(HERE)
        costs.append(len(asked))
        speaker = factories.person("speaker")
        factories.staff(speaker, melati, Part.SPEAKER)
        with unit_of_work():
            for entry in services.list_sessions(melati.id):
                entry.speaker_id = speaker.id
    assert costs[0] == costs[1]
