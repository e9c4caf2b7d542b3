"""Pages of reviews: who sees what, what is typed stays, what readers see under a text."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from lms.accounts.models import Person
from lms.cohorts.models import Part
from lms.core import clock
from lms.core.db import db, unit_of_work
from lms.demo import readers
from lms.modules import outlines
from lms.modules.models import Lesson
from lms.quizzes import services as quizzes
from lms.reviews import services, texts, views
from lms.reviews.rules import Expertise, Kind
from tests import factories
from tests.factories import NOW
from tests.reviews.test_services import digest_of, viewer_of
from tests.reviews.test_services import sign as put_name

SignIn = Callable[[Person], FlaskClient]
ITEM = "/telaah/soal/K1-0321-1"


def text_of(page: str) -> str:
    """Return what people read on a page."""
    main = page[page.index("<main") : page.index("</main>")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))


def test_a_reviewer_goes_through_the_queue(app: Flask, sign_in: SignIn) -> None:
    browser = sign_in(factories.reviewer(Expertise.DOCTOR, name="dr. Sari"))
    page = browser.get("/telaah?kurikulum=K1&jenis=pelajaran&keadaan=belum").text
    assert "0 dari 11 teks sudah ditelaah" in page
    assert "UU 23/2004" in page
    assert "keadaan=belum" in page  # the links keep what was asked for
    one = "/telaah/pelajaran/K1.1?kurikulum=K1&jenis=pelajaran&keadaan=belum"
    page = browser.get(one).text
    assert "sebagai dokter" in text_of(page)
    assert re.search(r'href="/telaah/pelajaran/K1.2\?[^"]*"\s+rel="next"', page)
    assert 'rel="prev"' not in page
    missing = browser.post(one.replace("?", "/tanda?"), data={"digest": "x"})
    assert missing.status_code == 422
    assert "Centang bila Anda sudah membaca seluruhnya." in missing.text
    stale = {"digest": "x", "confirm": "y"}
    answer = browser.post(one.replace("?", "/tanda?"), data=stale, follow_redirects=True)
    assert "berubah sejak halaman dibuka" in answer.text
    sent = {"digest": digest_of(Kind.LESSON, "K1.1"), "confirm": "y"}
    answer = browser.post(one.replace("?", "/tanda?"), data=sent)
    assert answer.location.endswith("keadaan=belum#telaah")
    page = text_of(browser.get(one).text)
    assert "dr. Sari (dokter)" in re.sub(r" +", " ", page)
    assert "Urungkan tanda saya" in page
    again = browser.post(one.replace("?", "/tanda?"), data=sent, follow_redirects=True)
    assert "sudah Anda tandai" in again.text
    assert (
        "1 dari 11 teks sudah ditelaah" in browser.get("/telaah?jenis=pelajaran&kurikulum=K1").text
    )
    undone = browser.post(one.replace("?", "/tanda/urung?"), follow_redirects=True)
    assert "Tanda Anda diurungkan." in undone.text
    twice = browser.post(one.replace("?", "/tanda/urung?"), follow_redirects=True)
    assert "dalam 24 jam" in twice.text


def test_after_a_day_the_button_to_undo_is_gone(app: Flask, sign_in: SignIn) -> None:
    expert = factories.reviewer()
    put_name(Kind.LESSON, "K1.1", viewer_of(expert, "reviewer"), clock.now() - timedelta(days=2))
    page = sign_in(expert).get("/telaah/pelajaran/K1.1").text
    assert "Urungkan" not in page
    assert "Tandai sudah saya telaah" not in page


def test_a_reviewer_without_a_field_is_told_what_to_do(app: Flask, sign_in: SignIn) -> None:
    browser = sign_in(factories.person("reviewer"))
    assert "Bidang keahlian Anda belum dicatat" in browser.get("/telaah/pelajaran/K1.1").text
    sent = {"digest": digest_of(Kind.LESSON, "K1.1"), "confirm": "y"}
    answer = browser.post("/telaah/pelajaran/K1.1/tanda", data=sent, follow_redirects=True)
    assert "Minta administrator mencatatnya" in answer.text
    assert "Belum ditelaah ahli" in browser.get("/modul/k1/1").text


def test_the_page_of_an_item_holds_key_and_rationales(app: Flask, sign_in: SignIn) -> None:
    whole = sign_in(factories.person("trainer")).get(ITEM).text
    assert len(re.findall(r"<h2[^>]*>Pilihan [A-D], kunci", whole)) == 1
    assert whole.count("answer-best") == 1
    page = text_of(whole)
    assert page.count("Alasan") == 4
    assert "Tandai sudah saya telaah" not in page


def test_nobody_else_gets_a_key(app: Flask, sign_in: SignIn) -> None:
    assert sign_in(factories.person("author")).get(ITEM).status_code == 404
    for role in ("trainee", "assessor", "speaker", "agency"):
        browser = sign_in(factories.person(role))
        assert browser.get(ITEM).status_code == 403
        assert browser.get("/telaah").status_code == 403
    author = sign_in(factories.person("author")).get("/telaah").text
    assert "K1.1" in author
    assert "K1-0321-1" not in author
    for path in ("/telaah/entah/K1.1", "/telaah/pelajaran/K9.9", "/telaah/peran/R1"):
        assert sign_in(factories.person("admin")).get(path).status_code == 404


def test_a_running_quiz_closes_its_items_to_a_reviewer(app: Flask, sign_in: SignIn) -> None:
    both = factories.reviewer(Expertise.TRAINER, "trainee")
    browser = sign_in(both)
    assert browser.get(ITEM).status_code == 200
    with unit_of_work():
        quizzes.open_attempt(both.id, "K1", now=NOW)
    closed = browser.get(ITEM)
    assert closed.status_code == 403
    assert "Teks ini belum terbuka untuk Anda" in closed.text
    page = browser.get("/telaah").text
    assert "K1-0321-1" not in page
    assert "Sebagian teks disembunyikan" in page


def test_comments_stand_beside_the_text_and_are_closed(app: Flask, sign_in: SignIn) -> None:
    expert, trainer = sign_in(factories.reviewer()), sign_in(factories.person("trainer"))
    form = expert.get(f"{ITEM}?tempat=B").text
    assert '<option selected value="B">' in form or 'value="B" selected' in form
    empty = expert.post(f"{ITEM}/catatan", data={"place": "B", "text": " "})
    assert empty.status_code == 422
    assert "satu hal saja" in empty.text
    long = expert.post(f"{ITEM}/catatan", data={"text": "x" * 2001})
    assert long.status_code == 422
    assert "x" * 2001 in long.text
    said = {"place": "B", "text": "Pasal 44?\n<b>tebal</b>"}
    answer = expert.post(f"{ITEM}/catatan", data=said)
    assert answer.location.endswith("#tempat-B")
    page = trainer.get(ITEM).text
    assert "Pasal 44?" in page
    assert "&lt;b&gt;tebal" in page
    assert "1 catatan" in trainer.get("/telaah?keadaan=catatan").text
    [path] = re.findall(r'action="(/telaah/soal/[^"]+/selesai)"', page)
    other = sign_in(factories.reviewer())
    assert path not in other.get(ITEM).text
    refused = other.post(path, follow_redirects=True)
    assert "Catatan orang lain ditutup" in refused.text
    assert "Catatan ditutup." in trainer.post(path, follow_redirects=True).text
    page = trainer.get(ITEM).text
    assert path not in page
    assert "Ditutup oleh" in page
    assert "Tidak ada teks di sini" in trainer.get("/telaah?keadaan=catatan").text
    whole = expert.post(f"{ITEM}/catatan", data={"place": "", "text": "Umum"})
    assert whole.location.endswith("#catatan")
    assert "Catatan untuk seluruh teks" in trainer.get(ITEM).text


def test_the_list_comes_in_pages(
    app: Flask, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "PAGE", 4)
    browser = sign_in(factories.person("admin"))
    first = browser.get("/telaah?jenis=pelajaran&kurikulum=K1").text
    assert "1–4 dari 11" in first
    assert "hal=2" in first
    assert "9–11 dari 11" in browser.get("/telaah?jenis=pelajaran&kurikulum=K1&hal=3").text
    assert browser.get("/telaah?jenis=pelajaran&kurikulum=K1&hal=4").status_code == 404


def test_readers_see_who_reviewed_a_lesson(app: Flask, sign_in: SignIn) -> None:
    learner = sign_in(factories.person("trainee"))
    assert "Belum ditelaah ahli" in learner.get("/modul/k1/1").text
    who = viewer_of(factories.reviewer(Expertise.PSYCHOLOGIST, name="Dr. R <x>"), "reviewer")
    put_name(Kind.LESSON, "K1.1", who)
    page = text_of(learner.get("/modul/k1/1").text)
    assert "Ditelaah oleh Dr. R &lt;x&gt; (psikolog), 2 Maret 2026" in page
    assert "Belum ditelaah" not in page
    assert "Telaah dan catatan" not in page
    assert "Belum ditelaah ahli" in learner.get("/modul/k1/2").text
    with unit_of_work():
        db.session.execute(update(Lesson).where(Lesson.code == "K1.2").values(reviewed=True))
    outlines.forget()  # a change no load has made
    assert "Menurut berkas isi." in learner.get("/modul/k1/2").text
    assert "Telaah dan catatan" in sign_in(factories.person("trainer")).get("/modul/k1/1").text


def test_readers_see_who_reviewed_an_item_a_case_and_a_simulation(
    app: Flask, sign_in: SignIn
) -> None:
    learner = factories.person("trainee")
    with unit_of_work():
        ref = quizzes.open_attempt(learner.id, "K1", now=NOW)
    with unit_of_work():
        quizzes.submit(ref, now=NOW)
    result = f"/kuis/k1/{ref.public_id}/hasil"
    browser = sign_in(learner)
    before = browser.get(result).text
    assert before.count("Belum ditelaah ahli") == before.count("Sumber:") > 0
    who = viewer_of(factories.reviewer(name="Dr. R"), "reviewer")
    # Sign whatever was drawn: the sitting shows 26 of 78 items.
    codes = [one.code for one in texts.SHELVES[Kind.ITEM].list_texts()]
    for code in codes:
        put_name(Kind.ITEM, code, who)
    after = browser.get(result).text
    assert "Belum ditelaah ahli" not in after
    assert after.count("Ditelaah oleh Dr. R") == before.count("Belum ditelaah ahli")
    for kind, code, path in (
        (Kind.CASE, "SK1", "/studi-kasus/sk1/tulis"),
        (Kind.SIMULATION, "S1-A", "/latihan/s1"),
    ):
        assert "Belum ditelaah ahli" in browser.get(path).text, path
        put_name(kind, code, who)
        assert "Ditelaah oleh Dr. R" in browser.get(path).text, path


def test_assessors_see_who_reviewed_a_station(app: Flask, sign_in: SignIn) -> None:
    assessor, cohort = factories.person("assessor"), factories.cohort()
    factories.staff(assessor, cohort, Part.ASSESSOR)
    factories.seat(factories.person("trainee"), cohort)
    browser, path = sign_in(assessor), f"/angkatan/{cohort.slug}/observasi/ST1"
    assert "Belum ditelaah ahli" in browser.get(path).text
    put_name(Kind.STATION, "ST1", viewer_of(factories.reviewer(name="Dr. R"), "reviewer"))
    assert "Ditelaah oleh Dr. R" in browser.get(path).text


def test_an_administrator_appoints_a_reviewer(app: Flask, sign_in: SignIn) -> None:
    boss, expert = sign_in(factories.person("admin")), factories.person("trainee", name="Bu Ahli")
    assert "Belum ada penelaah" in boss.get("/admin/penelaah").text
    empty = boss.post("/admin/penelaah", data={"email": "", "field": "raja"})
    assert empty.status_code == 422
    unknown = boss.post("/admin/penelaah", data={"email": "x@y.test", "field": "doctor"})
    assert unknown.status_code == 422
    assert "Belum ada akun" in unknown.text
    sent = {"email": expert.email, "field": "child_protection"}
    page = boss.post("/admin/penelaah", data=sent, follow_redirects=True).text
    assert "Bu Ahli sekarang penelaah." in page
    assert "perlindungan anak" in page
    home = sign_in(expert).get("/").text
    assert "Keadaan materi" in home
    assert "0 dari 46 ditelaah ahli" in home


def test_the_demonstration_has_an_expert_with_signatures_and_comments(app: Flask) -> None:
    expert, boss = factories.person("reviewer", name="Hasan Contoh"), factories.person("admin")
    readers.review(viewer_of(expert, "reviewer"), expert.email, boss.id, clock.now())
    queue = services.read_queue(viewer_of(boss, "admin"), now=NOW)
    done = {kind: queue.count(services.Asked(kind=kind))[0] for kind in readers.SIGNED}
    assert done == dict(readers.SIGNED)
    commented = [one for one in queue.lines if one.comments]
    assert [(one.text.kind, one.comments) for one in commented] == [("lesson", 2), ("item", 1)]
    assert not any(one.reviewed for one in commented)
    [lesson] = [one.text for one in commented if one.text.kind == "lesson"]
    page = services.read_page(
        Kind.LESSON, lesson.code, viewer_of(boss, "admin"), services.Asked(), now=clock.now()
    )
    assert "" not in page.comments  # each stands at a place the text has
