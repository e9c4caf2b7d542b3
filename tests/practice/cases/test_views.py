"""The pages of case studies, through the browser's door, without scripts."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from lms.accounts.models import Person
from lms.cohorts import services as cohorts
from lms.cohorts.models import Part
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind
from lms.core.db import db, unit_of_work
from lms.practice.cases import rules, services
from lms.practice.cases.models import CaseReview, CaseSubmission
from tests import factories
from tests.practice.cases import scene as scenes
from tests.practice.cases.scene import CODE, Scene, decide, hand_in, one_try, prose, scene

PAGE = "/studi-kasus/sk1"
NOW = factories.NOW + timedelta(days=9)


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    """Pages read the clock; evidence and papers of long ago do not count for ever."""
    with time_machine.travel(NOW):
        yield


@pytest.fixture
def here(app) -> Scene:  # type: ignore[no-untyped-def]  # Flask
    return scene()


@pytest.fixture
def enter(sign_in):  # type: ignore[no-untyped-def]  # the function of conftest
    """Return a browser for somebody known by id."""
    return lambda person_id: sign_in(db.session.get_one(Person, person_id))


@pytest.fixture
def trainee(here: Scene, enter) -> FlaskClient:  # type: ignore[no-untyped-def]
    return enter(here.trainee)


@pytest.fixture
def assessor(here: Scene, enter) -> FlaskClient:  # type: ignore[no-untyped-def]
    return enter(here.assessor.id)


def hidden(page: str, name: str) -> str:
    """Return the value of a hidden field."""
    found = re.search(rf'name="{re.escape(name)}"[^>]*value="([^"]*)"', page)
    assert found, name
    return found[1]


def typed(page: str, task: str) -> str:
    found = re.search(rf'<textarea[^>]*name="jawaban-{task}"[^>]*>\s*(.*?)</textarea>', page, re.S)
    assert found, task
    return found[1].strip()


def form_of(page: str, **answers: str) -> dict[str, str]:
    """Return the writing form as a browser would send it, with some answers changed."""
    tasks = re.findall(r'name="jawaban-([a-z-]+)"', page)
    data = {"page": hidden(page, "page")}
    for task in tasks:
        data[f"jawaban-{task}"] = answers.get(task.replace("-", "_"), typed(page, task))
        data[f"tampak-{task}"] = hidden(page, f"tampak-{task}")
    return data


def complete(browser: FlaskClient, word: str = "kata") -> TestResponse:
    """Write every part in the browser and go on to the last look."""
    page = browser.get(f"{PAGE}/tulis").text
    answers = {
        task.replace("-", "_"): prose(word=word)
        for task in re.findall(r'name="jawaban-([a-z-]+)"', page)
    }
    data = form_of(page, **answers) | {"lanjut": "periksa"}
    return browser.post(f"{PAGE}/tulis", data=data)


# Writing


def test_the_first_page_has_the_note_the_file_and_every_part(trainee: FlaskClient):
    page = trainee.get(PAGE).text
    assert "Berkas ini rekaan." in page
    assert "<details" in page
    assert "tidak akan sampai terminal" in page
    assert page.count("data-save-scope") == 8
    assert "Panjang 80–250 kata" in page
    assert "<title>Studi kasus – Suluh</title>" in page


def test_no_model_answer_and_no_rubric_is_sent_to_somebody_who_still_writes(
    trainee: FlaskClient, here: Scene
):
    model = "Sebelum 10.40: saya menelepon supervisor"
    indicator = "tanpa membahas bahwa Pak D."
    assert model in services.get_case(CODE).model_html["anak"]
    for address in (PAGE, f"{PAGE}/tulis", f"{PAGE}/periksa"):
        page = trainee.get(address).text
        assert model not in page
        assert indicator not in page
    hand_in(here.trainee, now=NOW)
    assert model not in trainee.get(PAGE).text


def test_save_without_script_keeps_the_text_and_comes_back(trainee: FlaskClient, here: Scene):
    page = trainee.get(PAGE).text
    sent = trainee.post(
        f"{PAGE}/tulis", data=form_of(page, anak="A. memar.\r\n\r\nN. terkurung.", tinjau="<b>!")
    )
    assert sent.location == f"{PAGE}/tulis"
    after = trainee.get(sent.location).text
    assert typed(after, "anak") == "A. memar.\n\nN. terkurung."
    assert typed(after, "tinjau") == "&lt;b&gt;!"
    assert re.search(r"Tersimpan \d\d\.\d\d · 4 kata", after)
    assert services.drafts_of(here.trainee, CODE)["anak"].text == "A. memar.\n\nN. terkurung."


def test_a_draft_of_another_day_says_which(trainee: FlaskClient, here: Scene):
    with unit_of_work():
        services.save_draft(
            here.trainee, CODE, "anak", "dua kata", page="x", seq=1, seen="",
            now=datetime(2026, 3, 2, 8, 0, tzinfo=UTC),
        )  # fmt: skip
    assert "Tersimpan 2 Maret 2026, 15.00 WIB · 2 kata" in trainee.get(PAGE).text


def test_a_text_that_is_far_too_long_is_sent_back_whole(trainee: FlaskClient, here: Scene):
    page = trainee.get(PAGE).text
    long = "a" * (rules.LONGEST + 1)
    sent = trainee.post(f"{PAGE}/tulis", data=form_of(page, anak=long, tinjau="lain"))
    assert sent.status_code == 422
    assert typed(sent.text, "anak") == long
    assert typed(sent.text, "tinjau") == "lain"
    assert "Paling banyak 20000 huruf." in sent.text
    assert sent.text.count("save-pending") == 8
    assert services.drafts_of(here.trainee, CODE) == {}


def test_two_tabs_that_changed_one_part_see_both_texts(trainee: FlaskClient, here: Scene):
    desk, phone = trainee.get(PAGE).text, trainee.get(PAGE).text
    trainee.post(f"{PAGE}/tulis", data=form_of(desk, anak="dari meja"))
    sent = trainee.post(f"{PAGE}/tulis", data=form_of(phone, anak="dari ponsel", tinjau="baru"))
    assert sent.status_code == 422
    assert "juga berubah di tab atau perangkat lain" in sent.text
    assert typed(sent.text, "anak") == "dari ponsel"
    assert "dari meja" in sent.text
    assert services.drafts_of(here.trainee, CODE)["anak"].text == "dari meja"
    assert services.drafts_of(here.trainee, CODE)["tinjau"].text == "baru"
    # Saved once more, the text on the page wins: now its writer has seen the other one.
    again = trainee.post(f"{PAGE}/tulis", data=form_of(sent.text, anak="gabungan"))
    assert again.status_code == 302
    assert services.drafts_of(here.trainee, CODE)["anak"].text == "gabungan"


def test_a_page_shown_again_goes_on_counting(trainee: FlaskClient):
    page = trainee.get(PAGE).text
    autosave(trainee, page, "tinjau", "satu", seq=40)
    other = trainee.get(PAGE).text
    trainee.post(f"{PAGE}/tulis", data=form_of(other, anak="lain"))
    sent = trainee.post(f"{PAGE}/tulis", data=form_of(page, anak="punya saya", tinjau="dua"))
    assert sent.status_code == 422
    assert int(re.search(r'data-autosave-seq="(\d+)"', sent.text)[1]) > 41


def autosave(
    browser: FlaskClient, shown: str, task: str, text: str, *, seq: int = 1, **extra: str
) -> TestResponse:
    """Send one change as save.js does."""
    return browser.post(
        f"{PAGE}/draf",
        data={
            "page": hidden(shown, "page"),
            f"tampak-{task}": hidden(shown, f"tampak-{task}"),
            f"jawaban-{task}": text,
            "field": f"jawaban-{task}",
            "client_key": "5f0c",
            "seq": seq,
        }
        | extra,
        headers={"Accept": "application/json"},
    )


def test_autosave_answers_with_a_receipt(trainee: FlaskClient, here: Scene):
    page = trainee.get(PAGE).text
    sent = autosave(trainee, page, "anak", "A. memar dan takut")
    assert sent.status_code == 200
    assert sent.json["saved"] is True
    assert re.fullmatch(r"Tersimpan \d\d\.\d\d · 4 kata", sent.json["label"])
    late = autosave(trainee, page, "anak", "A.", seq=1)
    assert late.status_code == 200
    assert services.drafts_of(here.trainee, CODE)["anak"].text == "A. memar dan takut"


def test_autosave_says_when_it_did_not_save(trainee: FlaskClient, here: Scene):
    page, other = trainee.get(PAGE).text, trainee.get(PAGE).text
    autosave(trainee, other, "anak", "lain")
    refused = [
        (autosave(trainee, page, "anak", "saya"), 409, "perangkat lain"),
        (autosave(trainee, page, "anak", "a" * (rules.LONGEST + 1)), 422, "terlalu panjang"),
        (autosave(trainee, page, "anak", "x", seq=0), 422, "Belum tersimpan"),
        (autosave(trainee, page, "anak", "x", page=""), 422, "Belum tersimpan"),
    ]
    for sent, status, words in refused:
        assert sent.status_code == status
        assert sent.json["saved"] is False
        assert words in sent.json["label"]
    assert services.drafts_of(here.trainee, CODE)["anak"].text == "lain"
    unknown = autosave(trainee, page, "anak", "x", field="jawaban-lain")
    assert unknown.status_code == 404
    complete(trainee)
    hand_in(here.trainee, now=NOW)
    closed = autosave(trainee, page, "anak", "x", seq=99)
    assert (closed.status_code, closed.json["saved"]) == (409, False)


# Handing in


def test_what_is_missing_is_said_before_handing_in(trainee: FlaskClient):
    page = trainee.get(PAGE).text
    data = form_of(page, anak="pendek sekali", tinjau=prose(230)) | {"lanjut": "periksa"}
    sent = trainee.post(f"{PAGE}/tulis", data=data)
    assert sent.location == f"{PAGE}/periksa"
    look = trainee.get(sent.location).text
    assert "8 bagian masih perlu dilengkapi" in look
    assert "Masih kurang 98 kata; paling sedikit 100." in look
    assert "Lebih 30 kata; paling banyak 200." in look
    assert look.count("Belum ditulis.") == 6
    assert "Kirim untuk dinilai" not in look


def test_handing_in_needs_the_last_look_and_shows_that_it_waits(trainee: FlaskClient, here: Scene):
    assert complete(trainee).location == f"{PAGE}/periksa"
    look = trainee.get(f"{PAGE}/periksa").text
    reviewed = hidden(look, "reviewed")
    unsure = trainee.post(f"{PAGE}/kirim", data={"reviewed": reviewed})
    assert unsure.status_code == 422
    assert "Centang bila jawaban sudah Anda periksa." in unsure.text
    sent = trainee.post(f"{PAGE}/kirim", data={"reviewed": reviewed, "confirm": "y"})
    assert sent.location == PAGE
    status = trainee.get(PAGE).text
    assert "Menunggu dinilai" in status
    assert f"Dikirim {NOW.day}" in status or "Dikirim " in status
    assert "Percobaan 1" in status
    assert prose() in status
    again = trainee.post(f"{PAGE}/kirim", data={"reviewed": reviewed, "confirm": "y"})
    assert again.location == PAGE
    assert db.session.scalar(select(func.count()).select_from(CaseSubmission)) == 1


def test_answers_that_changed_since_the_last_look_are_not_sent(trainee: FlaskClient, here: Scene):
    complete(trainee)
    reviewed = hidden(trainee.get(f"{PAGE}/periksa").text, "reviewed")
    page = trainee.get(f"{PAGE}/tulis").text
    autosave(trainee, page, "anak", prose(120))
    sent = trainee.post(f"{PAGE}/kirim", data={"reviewed": reviewed, "confirm": "y"})
    assert sent.location == f"{PAGE}/periksa"
    assert "Periksa sekali lagi" in trainee.get(sent.location).text
    assert db.session.scalar(select(func.count()).select_from(CaseSubmission)) == 0


def test_while_it_waits_the_writing_pages_lead_to_the_status(trainee: FlaskClient, here: Scene):
    page = trainee.get(PAGE).text
    hand_in(here.trainee, now=NOW)
    for address in (f"{PAGE}/tulis", f"{PAGE}/periksa"):
        assert trainee.get(address).location == PAGE
    late = trainee.post(f"{PAGE}/tulis", data=form_of(page, anak="terlambat"))
    assert late.location == PAGE
    assert "Perubahan terakhir tidak ikut." in trainee.get(PAGE).text
    assert trainee.post(f"{PAGE}/kirim", data={}).location == PAGE


# The result


def test_the_result_says_what_is_met_first_and_what_is_done_again(
    trainee: FlaskClient, here: Scene
):
    one_try(here, "satu", {"03.1.1": 1, "02.1.1": 0, "02.2.3": 1})
    page = trainee.get(PAGE).text
    assert "12 dari 14 kriteria terpenuhi" in page
    assert "Dikerjakan lagi (2)" in page
    assert "Terpenuhi (6)" in page
    for words in ("Belum aman", "Aman dengan bimbingan", "Aman mandiri", "Catatan 03.1.1"):
        assert words in page
    assert "Budi Penilai" in page
    assert "Sudah runtut." in page
    for shame in ("Gagal", "gagal", "Tidak lulus", "Nilai 0"):
        assert shame not in page


def test_model_answers_are_shown_only_for_parts_that_are_met(trainee: FlaskClient, here: Scene):
    one_try(here, "satu", {"03.1.4": 0})
    page = trainee.get(PAGE).text
    assert page.count("Contoh jawaban aman mandiri") == 7
    assert "Sebelum 10.40: saya menelepon supervisor" not in page


def test_only_open_parts_are_written_again_beside_their_notes(trainee: FlaskClient, here: Scene):
    one_try(here, "satu", {"03.1.1": 1}, day=0)
    page = trainee.get(f"{PAGE}/tulis").text
    assert re.findall(r'name="jawaban-([a-z-]+)"', page) == ["tanda-bahaya"]
    assert "Catatan 03.1.1" in page
    assert "Catatan 03.1.2" not in page
    assert typed(page, "tanda-bahaya") == prose(word="satu")
    data = form_of(page) | {"lanjut": "periksa"}
    look = trainee.get(trainee.post(f"{PAGE}/tulis", data=data).location).text
    assert "belum berubah sejak dinilai" in look


def test_when_everything_is_met_the_page_leads_on(trainee: FlaskClient, here: Scene):
    one_try(here, "satu", {})
    page = trainee.get(PAGE).text
    assert "Semua kriteria terpenuhi" in page
    assert "/kompetensi" in page
    assert trainee.get(f"{PAGE}/tulis").location == PAGE


def test_three_tries_ask_for_a_talk_and_earlier_feedback_stays(trainee: FlaskClient, here: Scene):
    for day, word in enumerate(("satu", "dua", "tiga")):
        one_try(here, word, {"03.1.1": 1}, day=day)
    page = trainee.get(PAGE).text
    assert "Bicarakan dulu dengan pelatih" in page
    assert "Umpan balik sebelumnya" in page
    assert "Kerjakan lagi" not in page.replace("Dikerjakan lagi", "")


def test_marks_that_no_longer_count_are_explained(trainee: FlaskClient, here: Scene):
    public_id = one_try(here, "satu", {})
    with unit_of_work():
        for row in scenes.evidence_ids(here.trainee, public_id):
            competency.void(row, reason="kerabat", by_id=None, now=NOW)
    assert "Penilaian ini tidak berlaku lagi" in trainee.get(PAGE).text


def test_a_wait_is_said_with_its_end(trainee: FlaskClient, here: Scene):
    public_id = hand_in(here.trainee, now=NOW)
    decide(public_id, here.assessor, {"03.1.1": 1}, now=NOW)
    row = db.session.scalars(select(competency.StandardVersion)).one()
    waits = row.document["rules"]["retry_gap_hours"] | {"SK": 48}
    document = row.document | {"rules": row.document["rules"] | {"retry_gap_hours": waits}}
    with unit_of_work():
        db.session.add(
            competency.StandardVersion(
                version="x", digest="wait two days", document=document, loaded_at=NOW
            )
        )
    assert "Dapat dikerjakan lagi mulai" in trainee.get(PAGE).text


# Marking


def test_an_empty_queue_says_what_will_be_there(assessor: FlaskClient):
    page = assessor.get("/menilai").text
    assert "Tidak ada yang menunggu" in page


def test_the_queue_leads_to_the_oldest_first(assessor: FlaskClient, here: Scene):
    second = factories.person(name="Wati")
    factories.seat(second, cohorts.find_cohort_of(here.trainee))
    second_id = second.id
    hand_in(here.trainee, now=NOW)
    oldest = hand_in(second_id, now=NOW - timedelta(days=4))
    page = assessor.get("/menilai").text
    assert page.index("Wati") < page.index("Siti Peserta")
    assert "4 hari" in page
    assert "0 hari" not in page
    assert f"/menilai/{oldest}" in page


def marks_form(level: str = "2", **changes: str) -> dict[str, str]:
    data = {f"hasil-{code}": level for code in scenes.kuk()}
    data |= {f"catatan-{code}": "" for code in scenes.kuk()}
    return data | {"feedback": "Sudah runtut."} | changes


def test_the_marking_page_has_answer_rubric_and_three_levels(assessor: FlaskClient, here: Scene):
    public_id = hand_in(here.trainee, "jawabanku", now=NOW)
    page = assessor.get(f"/menilai/{public_id}").text
    assert "<h1>Siti Peserta</h1>" in page
    assert page.count('type="radio"') == 14 * 3
    assert page.count(prose(word="jawabanku")) == 8
    assert "Kesembilan tanda dibahas satu per satu" in page
    assert page.count("Kritis") == 3
    assert page.count(" checked") == 4  # the four qualities, and no mark


def test_marking_closes_the_submission_and_the_trainee_reads_it(
    assessor: FlaskClient, trainee: FlaskClient, here: Scene
):
    public_id = hand_in(here.trainee, now=NOW)
    sent = assessor.post(
        f"/menilai/{public_id}",
        data=marks_form(**{"hasil-02.1.1": "0", "catatan-02.1.1": "Sebut empat <b>bentuk</b>."}),
    )
    assert sent.location == "/menilai"
    assert "Tidak ada yang menunggu" in assessor.get("/menilai").text
    assert "Sebut empat &lt;b&gt;bentuk&lt;/b&gt;." in trainee.get(PAGE).text
    decided = assessor.get(f"/menilai/{public_id}").text
    assert "Sudah dinilai" in decided
    assert "Budi Penilai" in decided
    assert 'type="radio"' not in decided


def test_the_four_qualities_stand_with_every_entry(assessor: FlaskClient, here: Scene):
    public_id = hand_in(here.trainee, now=NOW)
    ticked = {"mutu": "1", "valid": "y", "terkini": "y", "memadai": "y"}
    refused = assessor.post(f"/menilai/{public_id}", data=marks_form(**ticked))
    assert refused.status_code == 422  # not their own work, and marked as safe
    assert "hanya dapat ditandai" in refused.text
    assert competency.list_evidence(here.trainee) == []
    notes = {f"catatan-{code}": "Bukan karya sendiri." for code in scenes.kuk()}
    sent = assessor.post(f"/menilai/{public_id}", data=marks_form("0", **ticked, **notes))
    assert sent.status_code == 302
    found = {
        (row.is_valid, row.is_authentic, row.is_current, row.is_sufficient)
        for row in competency.list_evidence(here.trainee)
    }
    assert found == {(True, False, True, True)}


def test_a_mark_without_its_note_is_sent_back_with_everything_typed(
    assessor: FlaskClient, here: Scene
):
    public_id = hand_in(here.trainee, now=NOW)
    data = marks_form(
        **{
            "hasil-03.1.1": "1",
            "hasil-02.1.1": "",
            "catatan-02.1.3": "Sudah menghubungkan tiga segi.",
            "catatan-02.2.3": "x" * (rules.LONGEST_NOTE + 1),
        }
    )
    sent = assessor.post(f"/menilai/{public_id}", data=data)
    assert sent.status_code == 422
    assert "Pilih tingkat untuk 02.1.1." in sent.text
    assert "Tulis catatan untuk 03.1.1" in sent.text
    assert sent.text.count(" checked") == 13
    assert "Sudah menghubungkan tiga segi." in sent.text
    assert "3 hal perlu diperbaiki" in sent.text
    assert "x" * (rules.LONGEST_NOTE + 1) in sent.text
    assert "Sudah runtut." in sent.text
    assert db.session.scalars(select(CaseReview)).all() == []


def test_feedback_is_asked_for_and_marks_stay(assessor: FlaskClient, here: Scene):
    public_id = hand_in(here.trainee, now=NOW)
    sent = assessor.post(f"/menilai/{public_id}", data=marks_form(feedback="  "))
    assert sent.status_code == 422
    assert "Bagian ini perlu diisi." in sent.text
    assert sent.text.count(" checked") == 14


def test_a_level_that_does_not_exist_is_refused(assessor: FlaskClient, here: Scene):
    public_id = hand_in(here.trainee, now=NOW)
    sent = assessor.post(f"/menilai/{public_id}", data=marks_form(**{"hasil-02.1.1": "3"}))
    assert sent.status_code == 422
    assert "Pilih tingkat untuk 02.1.1." in sent.text
    assert competency.list_evidence(here.trainee) == []


def test_the_second_assessor_keeps_what_was_typed(assessor: FlaskClient, here: Scene):
    public_id = hand_in(here.trainee, now=NOW)
    decide(public_id, here.trainer, now=NOW)
    sent = assessor.post(
        f"/menilai/{public_id}",
        data=marks_form(**{"catatan-02.1.1": "Catatan kedua", "feedback": "Umpan kedua"}),
    )
    assert sent.status_code == 409
    for words in ("Penilaian Anda tidak tercatat", "Catatan kedua", "Umpan kedua", "Rini Pelatih"):
        assert words in sent.text
    assert db.session.scalars(select(CaseReview)).one().assessor_id == here.trainer.id


def test_a_later_try_shows_the_earlier_mark_and_only_its_criteria(
    assessor: FlaskClient, here: Scene
):
    one_try(here, "satu", {"03.1.1": 1})
    public_id = hand_in(here.trainee, "dua", now=NOW)
    page = assessor.get(f"/menilai/{public_id}").text
    assert page.count('type="radio"') == 3
    assert "Sebelumnya:" in page
    assert "Percobaan 2" in page


# Who may enter


def test_nobody_reads_or_marks_their_own(here: Scene, enter):  # type: ignore[no-untyped-def]
    both = factories.person("trainee", "trainer")
    where = cohorts.find_cohort_of(here.trainee)
    factories.seat(both, where)
    factories.staff(both, where, Part.TRAINER)
    both_id = both.id
    public_id = hand_in(both_id, now=NOW)
    browser = enter(both_id)
    assert public_id not in browser.get("/menilai").text
    looked = browser.get(f"/menilai/{public_id}")
    assert looked.status_code == 403
    assert "Dinilai oleh penilai lain" in looked.text
    assert "Tingkat 02.1.1" not in looked.text
    assert browser.post(f"/menilai/{public_id}", data=marks_form()).status_code == 403
    assert competency.list_evidence(both_id) == []


def test_another_class_and_unknown_addresses_are_not_found(here: Scene, enter):  # type: ignore[no-untyped-def]
    elsewhere = scene()
    public_id = hand_in(here.trainee, now=NOW)
    stranger = enter(elsewhere.assessor.id)
    assert stranger.get(f"/menilai/{public_id}").status_code == 404
    assert stranger.post(f"/menilai/{public_id}", data=marks_form()).status_code == 404
    assert stranger.get("/menilai/tidakada").status_code == 404
    browser = enter(elsewhere.trainee)
    for address in ("/studi-kasus/sk9", "/studi-kasus/sk9/tulis", "/studi-kasus/sk9/periksa"):
        assert browser.get(address).status_code == 404
    for address in ("/studi-kasus/sk9/tulis", "/studi-kasus/sk9/draf", "/studi-kasus/sk9/kirim"):
        data = {"field": "jawaban-anak", "page": "p", "seq": "1", "confirm": "y"}
        assert browser.post(address, data=data).status_code == 404
    assert db.session.scalars(select(CaseReview)).all() == []


def test_one_person_never_sees_the_text_of_another(here: Scene, enter):  # type: ignore[no-untyped-def]
    hand_in(here.trainee, "rahasiasaya", now=NOW)
    other = factories.person()
    browser = enter(other.id)
    assert "rahasiasaya" not in browser.get(PAGE).text


def test_trainees_do_not_mark_and_assessors_do_not_write(
    trainee: FlaskClient, assessor: FlaskClient, here: Scene
):
    public_id = hand_in(here.trainee, now=NOW)
    assert trainee.get("/menilai").status_code == 403
    assert trainee.get(f"/menilai/{public_id}").status_code == 403
    assert trainee.post(f"/menilai/{public_id}", data=marks_form()).status_code == 403
    assert assessor.get(PAGE).status_code == 403
    assert assessor.post(f"{PAGE}/tulis", data={}).status_code == 403


def test_guidance_opens_the_page_again(trainee: FlaskClient, here: Scene):
    for day, word in enumerate(("satu", "dua", "tiga")):
        one_try(here, word, {"03.1.1": 1}, day=day)
    with unit_of_work():
        competency.coach(
            here.trainee,
            kind=EvidenceKind.SK,
            source=CODE,
            note="Dibahas.",
            trainer_id=here.trainer.id,
            now=NOW,
        )
    assert "Kerjakan lagi" in trainee.get(PAGE).text.replace("Dikerjakan lagi", "")
