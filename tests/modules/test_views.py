import gzip
import re
from collections.abc import Callable
from datetime import date

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from lms.accounts.models import Person
from lms.config import CONTENT
from lms.core.db import db, unit_of_work
from lms.modules import content, outlines, services
from lms.modules.models import Lesson, LessonDone, Outcome
from tests import factories
from tests.ledgers import SPEC
from tests.queries import counted

Enter = Callable[[Person], FlaskClient]
READERS = ("trainee", "trainer", "assessor", "speaker", "author", "reviewer", "admin")


def page(browser: FlaskClient, path: str, status: int = 200) -> str:
    answer = browser.get(path)
    assert answer.status_code == status
    return answer.get_data(as_text=True)


@pytest.fixture
def learner(sign_in: Enter) -> FlaskClient:
    """A companion's browser."""
    return sign_in(factories.person("trainee"))


@pytest.mark.parametrize("role", [*READERS, "agency"])
def test_who_may_read(sign_in: Enter, role: str):
    browser = sign_in(factories.person(role))
    status = 403 if role == "agency" else 200
    assert browser.get("/pelajaran").status_code == status
    assert browser.get("/modul/k1/1").status_code == status


def test_strangers_are_sent_to_the_door(client: FlaskClient):
    answer = client.get("/modul/k1/1")
    assert answer.status_code == 302
    assert answer.location.startswith("/masuk")


def test_the_list_shows_every_curriculum_of_the_standard(learner: FlaskClient):
    text = page(learner, "/pelajaran")
    for name in ("K1 Asesmen Risiko", "K2 Komunikasi", "K3 Komunikasi", "K4", "K5", "T Modul TOT"):
        assert name in text
    assert "Sedang disiapkan" not in text
    assert "0 dari 10 pelajaran" in text
    assert 'href="/kuis/k1"' in text
    assert 'href="/studi-kasus/sk1"' in text


def test_a_curriculum_without_lessons_is_said_to_be_under_way(learner: FlaskClient):
    texts, _ = content.check(CONTENT, SPEC)
    with unit_of_work():
        services.load([text for text in texts if text.curriculum.code == "K1"], now=factories.NOW)
    text = page(learner, "/pelajaran")
    assert text.count("Sedang disiapkan") == len(SPEC.curricula) - 1
    assert 'href="/kuis/k2"' not in text


def test_the_lessons_of_one_curriculum_are_unfolded(learner: FlaskClient):
    def unfolded(path: str) -> list[str]:
        return re.findall(r"<details[^>]* open>\s*<summary>([^<]+)", page(learner, path))

    assert unfolded("/pelajaran") == ["Pelajaran K1"]
    assert unfolded("/pelajaran?kurikulum=K3") == ["Pelajaran K3"]
    assert unfolded("/pelajaran?kurikulum=%3Cb%3E") == ["Pelajaran K1"]
    assert page(learner, "/pelajaran").count("<summary>Pelajaran ") == len(SPEC.curricula)


def test_the_list_of_somebody_who_does_not_learn_has_no_progress(sign_in: Enter):
    text = page(sign_in(factories.person("author")), "/pelajaran")
    assert "10 pelajaran" in text
    assert "dari 10 pelajaran" not in text
    assert 'href="/kuis/k1"' not in text


def test_a_lesson_shows_everything_a_reader_needs(learner: FlaskClient):
    text = page(learner, "/modul/k1/6")
    assert "<title>Pelajaran 6 – Suluh</title>" in text
    assert "Tidak menghubungi pelaku; risiko anak" in text
    assert "Belum ditelaah ahli" in text
    assert "Diperiksa 21 November 2026" in text
    assert "03.1.3" in text
    assert "Kritis" in text
    assert "Lewati bagian ini" in text
    assert "Tampilkan bagian ini" in text
    assert 'href="/latihan/s2"' in text
    assert "Yang tidak dilakukan" in text
    assert 'href="/modul/k1/5" rel="prev"' in text
    assert 'href="/modul/k1/7" rel="next"' in text


def test_the_reflection_can_not_be_sent(learner: FlaskClient):
    text = page(learner, "/modul/k1/1")
    [area] = re.findall(r"<textarea[^>]*>", text)
    assert " name=" not in area
    assert "tidak dikirim dan tidak disimpan" in text
    forms = re.findall(r"<form.*?</form>", text, re.S)
    assert not any("<textarea" in form for form in forms)


def test_the_last_online_lesson_leads_to_the_case_study_and_the_quiz(learner: FlaskClient):
    text = page(learner, "/modul/k1/10")
    assert 'href="/studi-kasus/sk1"' in text
    assert 'href="/kuis/k1"' in text
    assert 'href="/kuis/k1"' not in page(learner, "/modul/k1/9")


def test_a_title_in_the_window_says_nothing(learner: FlaskClient):
    for number in range(1, 12):
        text = page(learner, f"/modul/k1/{number}")
        assert f"<title>Pelajaran {number} – Suluh</title>" in text


@pytest.mark.parametrize("path", ["/modul/k1/0", "/modul/k1/12", "/modul/k9/1", "/modul/k1/x"])
def test_a_lesson_that_is_not_there(learner: FlaskClient, path: str):
    page(learner, path, 404)


def test_finishing_leads_to_the_next_lesson(learner: FlaskClient):
    answer = learner.post("/modul/k1/1/selesai", data={"outcome": "done"})
    assert (answer.status_code, answer.location) == (302, "/modul/k1/2")
    assert "K1.1 tercatat selesai." in page(learner, "/modul/k1/2")
    text = page(learner, "/modul/k1/1")
    assert "Sudah selesai membaca?" not in text
    assert re.search(r"Selesai \d+ \w+ 20\d\d", text)
    assert "1 dari 10 pelajaran" in page(learner, "/pelajaran")


def test_skipping_counts_the_same(learner: FlaskClient):
    learner.post("/modul/k1/3/selesai", data={"outcome": "with_trainer"})
    row = db.session.scalars(select(LessonDone)).one()
    assert row.outcome is Outcome.WITH_TRAINER
    assert "1 dari 10 pelajaran" in page(learner, "/pelajaran")


def test_after_the_last_online_lesson_the_list_follows(learner: FlaskClient):
    answer = learner.post("/modul/k1/10/selesai", data={"outcome": "done"})
    assert answer.location == "/pelajaran"


def test_an_unknown_button_changes_nothing(learner: FlaskClient):
    answer = learner.post("/modul/k1/1/selesai", data={"outcome": "lulus"})
    assert answer.location == "/modul/k1/1"
    assert db.session.scalars(select(LessonDone)).all() == []
    assert "Pilih salah satu tombol" in page(learner, "/modul/k1/1")


def test_only_companions_finish_lessons(sign_in: Enter):
    for role in ("trainer", "admin"):
        browser = sign_in(factories.person(role))
        answer = browser.post("/modul/k1/1/selesai", data={"outcome": "done"})
        assert answer.status_code == 403
        assert "Sudah selesai membaca?" not in page(browser, "/modul/k1/1")


def test_a_meeting_can_not_be_finished(learner: FlaskClient):
    answer = learner.post("/modul/k1/11/selesai", data={"outcome": "done"})
    assert answer.status_code == 404


def test_a_changed_lesson_says_so_and_stays_finished(learner: FlaskClient):
    learner.post("/modul/k1/1/selesai", data={"outcome": "done"})
    assert "diperbarui setelah Anda" not in page(learner, "/modul/k1/1")
    with unit_of_work():
        db.session.execute(update(Lesson).where(Lesson.code == "K1.1").values(version=2))
        outlines.forget()
    assert "diperbarui setelah Anda" in page(learner, "/modul/k1/1")


GUIDE = "Panduan ini untuk fasilitator"


@pytest.mark.parametrize("role", READERS)
def test_who_sees_the_guide_of_a_meeting(sign_in: Enter, role: str):
    text = page(sign_in(factories.person(role)), "/modul/k1/11")
    assert (GUIDE in text) is (role not in ("trainee", "speaker"))
    assert "mempertahankannya" in text  # the objective is for everybody
    assert ("Yang akan terjadi" in text) is (role in ("trainee", "speaker"))


def test_a_companion_sees_when_people_meet(sign_in: Enter):
    someone = factories.person("trainee")
    text = page(sign_in(someone), "/modul/k1/11")
    assert "diumumkan oleh penyelenggara" in text
    factories.seat(someone, factories.cohort(starts_on=date(2026, 3, 20)))
    text = page(sign_in(someone), "/modul/k1/11")
    assert "20 Maret 2026, pagi" in text
    assert "Aula Dinas, Kota Contoh" in text
    assert "Sumber (" not in text


def test_tables_of_the_guide_scroll_in_frames_of_their_own(sign_in: Enter):
    text = page(sign_in(factories.person("trainer")), "/modul/k1/11")
    names = re.findall(
        r'<div class="table-wrap" role="region" tabindex="0" aria-label="([^"]+)">'
        r'<table class="table">',
        text,
    )
    assert names == [f"Tabel {n}" for n in range(1, text.count("<table") + 1)]
    assert len(names) > 1
    assert text.count("</table></div>") == len(names)


def test_a_reviewed_lesson_carries_no_mark(learner: FlaskClient):
    with unit_of_work():
        db.session.execute(update(Lesson).where(Lesson.code == "K1.1").values(reviewed=True))
    assert "Belum ditelaah ahli" not in page(learner, "/modul/k1/1")


def test_english_titles(app: Flask, sign_in: Enter):
    someone = factories.person("trainee")
    with unit_of_work():
        db.session.get_one(Person, someone.id).locale = "en"
    text = page(sign_in(someone), "/modul/k1/3")
    assert "Asking safely" in text


@pytest.mark.parametrize(
    ("path", "most"), [("/modul/k1/6", 6), ("/modul/k1/11", 7), ("/pelajaran", 6)]
)
def test_pages_keep_to_their_queries(sign_in: Enter, path: str, most: int):
    someone = factories.person("trainee")
    factories.seat(someone, factories.cohort())
    browser = sign_in(someone)
    browser.get(path)  # the standard is parsed once per process
    with counted() as statements:
        browser.get(path)
    assert 0 < len(statements) <= most


def test_a_lesson_is_light(learner: FlaskClient):
    """Cold ≤ 60 KiB in ≤ 8 requests, warm ≤ 12 KiB."""
    packed = {"Accept-Encoding": "gzip"}
    for number in range(1, 12):
        answer = learner.get(f"/modul/k1/{number}", headers=packed)
        warm = len(answer.data)
        assert warm <= 12 * 1024
        text = gzip.decompress(answer.data).decode()
        parts = {
            address.split("#")[0] for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', text)
        }
        cold = warm + sum(len(learner.get(part, headers=packed).data) for part in parts)
        assert len(parts) + 1 <= 8
        assert cold <= 60 * 1024
