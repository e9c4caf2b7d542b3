"""The pages of written answers, through the browser's door."""

import html
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine

from lms.cohorts import services as cohorts
from lms.cohorts.models import ConflictKind
from lms.core.db import db, unit_of_work
from lms.quizzes.classes.models import Purpose
from lms.quizzes.models import AnswerMark
from tests import factories
from tests.factories import NOW
from tests.quizzes.essays import helpers
from tests.quizzes.essays.helpers import Room, ask, kuk, lines, sit, sit_class_quiz


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def room(app) -> Room:
    return Room()


def text_of(page) -> str:
    main = page.text.split("<main", 1)[1].split("</main>", 1)[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def levels() -> list[tuple[int, str]]:
    return [(row.level, row.note) for row in db.session.scalars(db.select(AnswerMark))]


def test_from_the_queue_to_the_result(room: Room, sign_in):
    code = kuk(critical=True)
    ask(code)
    ref = sit(room.people[0].id)
    first, second, *more = lines(ref)
    trainee, browser = sign_in(room.people[0]), sign_in(room.assessor)
    assert 'href="/menilai/esai"' in browser.get("/menilai").text
    listed = browser.get("/menilai/esai")
    assert "Peserta 0" in text_of(listed)
    assert f"{2 + len(more)} jawaban" in text_of(listed)
    url = f"/menilai/esai/{ref.public_id}/{first}"
    assert f'href="{url}"' in listed.text

    page = browser.get(url)
    assert "&lt;b&gt;Lalu&lt;/b&gt; bertanya" in page.text  # what people write is text
    assert "<b>Lalu</b>" not in page.text
    words = text_of(page)
    for part in (
        "Ceritakan langkah Anda malam itu.", "Pedoman <i>rahasia</i>", "8 kata.",
        "Diminta antara 5 dan 200 kata.", code, "Kriteria kritis: lulus bila aman mandiri.",
    ):  # fmt: skip
        assert part in words

    sent = browser.post(url, data={"hasil": "1", "catatan": "Tanyakan <b>anak</b>."})
    assert sent.location == f"/menilai/esai/{ref.public_id}/{second}"
    assert levels() == [(1, "Tanyakan <b>anak</b>.")]
    assert "Sudah dinilai" in text_of(browser.get(url))
    for position in (second, *more):
        sent = browser.post(
            f"/menilai/esai/{ref.public_id}/{position}", data={"hasil": "2", "catatan": ""}
        )
    assert sent.location == "/menilai/esai"
    assert "Tidak ada yang menunggu" in text_of(browser.get("/menilai/esai"))

    result = trainee.get(f"/kuis/k1/{ref.public_id}/hasil")
    assert "1, aman dengan bimbingan Tanyakan <b>anak</b>." in text_of(result)
    assert "Menunggu penilaian" not in text_of(result)
    assert "Pedoman" not in result.text  # for whoever marks it


@pytest.mark.parametrize(
    ("sent", "says"),
    [
        ({"catatan": "Bagus."}, "Pilih satu tingkat."),
        ({"hasil": "3", "catatan": "Bagus."}, "Pilih satu tingkat."),
        ({"hasil": "0"}, "Tulis apa yang perlu ditambah."),
        ({"hasil": "1", "catatan": "  "}, "Tulis apa yang perlu ditambah."),
        ({"hasil": "2", "catatan": "a" * 2001}, "2000"),
    ],
)
def test_what_is_missing_is_asked_for(room: Room, sign_in, sent, says):
    ask(kuk(critical=False))
    ref = sit(room.people[0].id)
    page = sign_in(room.trainer).post(f"/menilai/esai/{ref.public_id}/{lines(ref)[0]}", data=sent)
    assert page.status_code == 422
    assert says in page.text
    assert sent.get("catatan", "").strip() in page.text
    assert levels() == []


def test_the_second_assessor_is_told(room: Room, sign_in):
    ask(kuk(critical=False))
    ref = sit(room.people[0].id)
    url = f"/menilai/esai/{ref.public_id}/{lines(ref)[0]}"
    sign_in(room.assessor).post(url, data={"hasil": "0", "catatan": "Belum."})
    page = sign_in(room.trainer).post(url, data={"hasil": "2", "catatan": "Menurut saya cukup."})
    assert page.status_code == 409
    assert "Penilaian Anda tidak tercatat" in text_of(page)
    assert "Menurut saya cukup." in text_of(page)
    assert levels() == [(0, "Belum.")]


def test_others_find_nothing(room: Room, sign_in):
    ask(kuk(critical=False))
    person_id = room.people[0].id
    ref = sit(person_id)
    url = f"/menilai/esai/{ref.public_id}/{lines(ref)[0]}"
    fields = {"hasil": "2", "catatan": ""}
    for role in ("trainer", "assessor"):
        browser = sign_in(factories.person(role))
        assert browser.get(url).status_code == 404
        assert browser.post(url, data=fields).status_code == 404
        assert "Tidak ada yang menunggu" in text_of(browser.get("/menilai/esai"))
    for someone in (room.people[0], factories.person("author"), factories.person("agency")):
        browser = sign_in(someone)
        assert browser.get("/menilai/esai").status_code == 403
        assert browser.get(url).status_code == 403
        assert browser.post(url, data=fields).status_code == 403
    with unit_of_work():
        cohorts.declare_conflict(
            room.assessor.id, person_id, ConflictKind.SUPERIOR, declared_by=person_id, now=NOW
        )
    browser = sign_in(room.assessor)
    for page in (browser.get(url), browser.post(url, data=fields)):
        assert page.status_code == 403
        assert "Dinilai oleh penilai lain" in text_of(page)
        assert helpers.TEXT[:10] not in page.text
    assert levels() == []
    assert browser.get(f"/menilai/esai/{ref.public_id}/999").status_code == 404
    assert browser.get("/menilai/esai?setelah=bukan").status_code == 404
    # The control: somebody of the class gets in.
    assert sign_in(room.trainer).post(url, data=fields).status_code == 302


def test_the_quiz_of_a_class(room: Room, sign_in):
    (ref,) = sit_class_quiz(room.trainer, room.cohort_id, room.people[:1])
    browser = sign_in(factories.person("admin"))
    assert 'href="/menilai/esai"' in browser.get("/admin/kuis").text
    assert "Tulisan pendek" in text_of(browser.get("/menilai/esai"))
    url = f"/menilai/esai/{ref.public_id}/1"
    assert "tidak menjadi bukti sertifikat" in text_of(browser.get(url))
    browser.post(url, data={"hasil": "1", "catatan": "Hampir."})
    with time_machine.travel(NOW + timedelta(days=2)):  # closed: reasons are shown
        trainee = sign_in(room.people[0])
        result = trainee.get(f"/kuis/{ref.curriculum.lower()}/{ref.public_id}/hasil")
        page = text_of(trainee.get(result.location))
    assert "50 persen dari nilai penuh" in page
    assert "1, aman dengan bimbingan Hampir." in page


# The quiz of a class


def class_page(room: Room, ref) -> str:
    """Return where somebody reads what their sitting earned."""
    return f"/angkatan/{room.cohort.slug}/kuis-saya/{ref.curriculum.lower()}/hasil/{ref.public_id}"


@pytest.mark.parametrize("shows_answers", [False, True])
def test_the_note_reaches_its_writer_whether_or_not_keys_are_shown(
    room: Room, sign_in, shows_answers: bool
):
    """It is about their own words. What the author wrote for everybody is a key, and stays."""
    secret = "RAHASIA umpan balik"
    (ref,) = sit_class_quiz(
        room.trainer,
        room.cohort_id,
        room.people[:1],
        gift=f"::T1::Ceritakan. {{ ####{secret} }}\n\n::T2::Nama layanan {{=KUNCI kedua}}\n",
        shows_answers=shows_answers,
    )
    writer, page = sign_in(room.people[0]), class_page(room, ref)
    before = text_of(writer.get(page))
    assert "1 jawaban menunggu penilaian" in before
    assert helpers.TEXT.split(".")[0] in before
    sent = sign_in(room.trainer).post(
        f"/menilai/esai/{ref.public_id}/{lines(ref)[0]}",
        data={"hasil": "1", "catatan": "Tanyakan juga anaknya."},
    )
    assert sent.status_code == 302

    after = writer.get(page)
    assert "1, aman dengan bimbingan Tanyakan juga anaknya." in text_of(after)
    assert "menunggu penilaian" not in text_of(after)
    assert "25 persen dari nilai penuh" in text_of(after)
    assert secret not in after.text
    assert "KUNCI kedua" not in after.text
    other = sign_in(room.people[1]).get(page)
    assert other.status_code == 404
    with time_machine.travel(NOW + timedelta(days=2), tick=False):
        closed = sign_in(room.people[0]).get(page).text  # the positive control
    assert (secret in closed, "KUNCI kedua" in closed) == (shows_answers, shows_answers)
    assert "Tanyakan juga anaknya." in closed


def test_figures_of_a_class_leave_out_who_waits_for_a_mark(room: Room, sign_in):
    slug = room.cohort.slug
    first, second = sit_class_quiz(room.trainer, room.cohort_id, room.people)
    trainer, page = sign_in(room.trainer), f"/angkatan/{slug}/kuis/{first.curriculum.lower()}/hasil"
    waits = "Jawaban tertulisnya belum dinilai: {} orang"
    nothing = text_of(trainer.get(page))
    assert waits.format(2) in nothing
    assert "Rata-rata –" in nothing
    assert "Per soal" not in nothing
    assert trainer.get(f"{page}.csv").text.count(";1\r\n") == 1  # a column for its question
    trainer.post(f"/menilai/esai/{first.public_id}/1", data={"hasil": "2", "catatan": ""})
    half = text_of(trainer.get(page))
    assert waits.format(1) in half
    assert "Rata-rata 100,0 persen" in half
    assert "1/1" in half
    table = trainer.get(f"{page}.csv").text.splitlines()
    assert sorted(line.split(";")[-2:] for line in table[1:]) == [["", ""], ["100.0", "1.0"]]
    trainer.post(f"/menilai/esai/{second.public_id}/1", data={"hasil": "0", "catatan": "Belum."})
    whole = text_of(trainer.get(page))
    assert "belum dinilai" not in whole
    assert "Rata-rata 50,0 persen" in whole


def test_a_gain_leaves_out_who_waits_for_a_mark(room: Room, sign_in):
    at = {"people": room.people, "trainer": room.trainer, "cohort_id": room.cohort_id}
    before = sit_class_quiz(**at, purpose=Purpose.BEFORE)
    after = sit_class_quiz(**at, purpose=Purpose.AFTER, opens_at=NOW - timedelta(hours=1), at=NOW)
    trainer, slug = sign_in(room.trainer), room.cohort.slug
    made = trainer.post(
        f"/angkatan/{slug}/kuis/pasangan",
        data={"before": before[0].curriculum, "after": after[0].curriculum},
    ).location
    waits = "Jawaban tertulisnya belum dinilai: {} orang"
    page = text_of(trainer.get(made))
    assert waits.format(2) in page
    assert "Belum mengerjakan: 0 orang." in page
    for ref, level in ((before[0], 1), (after[0], 2), (before[1], 1)):
        trainer.post(
            f"/menilai/esai/{ref.public_id}/1", data={"hasil": str(level), "catatan": "Catatan."}
        )
    page = text_of(trainer.get(made))
    assert waits.format(1) in page
    assert "Rata-rata 50,0 persen menjadi 100,0 persen pada 1 orang" in page
    assert "Hanya pra-uji: 0 orang" in page
