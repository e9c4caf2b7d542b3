"""The pages of a quiz, through the browser's door."""

import html
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
import time_machine
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select, update

from lms.competency import services as competency
from lms.competency.rules import EvidenceKind
from lms.core.db import db, unit_of_work
from lms.quizzes import rules, sheets
from lms.quizzes.models import AnswerEvent, Attempt, Item, ItemVersion
from lms.quizzes.services import AttemptRef
from tests import factories
from tests.factories import NOW
from tests.queries import counted
from tests.quizzes.helpers import DAY, answer, begin, drawn, hand_in, sit


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


class Learner:
    """A companion with a browser."""

    def __init__(self, browser: FlaskClient, person_id: int) -> None:
        self.browser, self.id = browser, person_id

    def url(self, ref: AttemptRef, tail: str = "") -> str:
        """Return the address of a page of a sitting."""
        return f"/kuis/k1/{ref.public_id}{tail}"

    def save(self, ref: AttemptRef, **fields: object):
        """Send what save.js sends."""
        body = {"soal": 1, "seq": 1, "field": "choice", "client_key": "aaaa-bbbb", "zone": ""}
        return self.browser.post(
            self.url(ref, "/simpan"), data=body | fields, headers={"Accept": "application/json"}
        )

    def page(self, ref: AttemptRef, **fields: object):
        """Send a question page by its button."""
        return self.browser.post(self.url(ref), data={"soal": 1, "seq": 0, "ke": "lanjut"} | fields)


@pytest.fixture
def learner(sign_in: Callable) -> Learner:
    someone = factories.person()
    factories.seat(someone, factories.cohort(zone="WITA"))
    return Learner(sign_in(someone), someone.id)


@pytest.fixture
def ref(learner: Learner) -> AttemptRef:
    return begin(learner.id)


def text_of(response) -> str:
    """Return what stands on a page, without tags and line breaks."""
    main = response.text.split("<main", 1)[1].split(">", 1)[1].split("</main>", 1)[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", main)).split())


def events() -> list[tuple[int | None, bool | None]]:
    rows = db.session.execute(select(AnswerEvent).order_by(AnswerEvent.id)).scalars()
    return [(row.choice, row.flagged) for row in rows]


def coach(person_id: int) -> None:
    trainer_id = factories.person("trainer").id
    with unit_of_work():
        competency.coach(
            person_id, kind=EvidenceKind.Q, source="K1", note="Bicara.", trainer_id=trainer_id,
            now=NOW,
        )  # fmt: skip


def test_the_start_page_says_what_comes_and_begins_it(learner: Learner):
    page = learner.browser.get("/kuis/k1")
    text = text_of(page)
    assert "<title>Kuis – Suluh</title>" in page.text
    assert "Kuis Asesmen Risiko" in text
    assert "26 soal" in text
    assert "semua soalnya benar, 2 soal tiap kriteria" in text
    assert "paling sedikit 12 dari 14 soal benar" in text
    assert "Jarak antara dua percobaan 24 jam. Sesudah 3 percobaan" in text
    begun = learner.browser.post("/kuis/k1")
    public_id = db.session.scalars(select(Attempt.public_id)).one()
    assert begun.location == f"/kuis/k1/{public_id}"


def test_the_start_page_leads_back_into_a_running_sitting(learner: Learner, ref: AttemptRef):
    answer(ref, 1, 2)
    page = learner.browser.get("/kuis/k1")
    assert "Terjawab 1 dari 26. Jawaban yang tersimpan tetap ada." in text_of(page)
    assert f'href="{learner.url(ref)}"' in page.text
    assert "Mulai kuis" not in page.text
    assert learner.browser.post("/kuis/k1").location == learner.url(ref)


def test_the_start_page_says_when_the_next_try_opens(learner: Learner):
    ref = sit(learner.id, NOW - timedelta(hours=1), wrong=lambda kuk: kuk == "03.1.4")
    page = learner.browser.get("/kuis/k1")
    assert "Dapat dicoba lagi mulai 3 Maret 2026, 15.00 WITA" in text_of(page)
    assert learner.url(ref, "/hasil") in page.text
    refused = learner.browser.post("/kuis/k1", follow_redirects=True)
    assert text_of(refused).startswith("Dapat dicoba lagi mulai 3 Maret 2026, 15.00 WITA.")


def test_the_start_page_offers_what_is_still_open(learner: Learner):
    sit(learner.id, NOW - DAY, wrong=lambda kuk: kuk == "03.1.4")
    text = text_of(learner.browser.get("/kuis/k1"))
    assert "2 soal Kuis ini hanya memuat 1 kriteria yang masih terbuka, dengan soal lain." in text
    assert "Coba lagi" in text
    assert "Kriteria lulus 19 dari 20" in text


def test_the_start_page_sends_to_the_trainer_after_three_tries(learner: Learner):
    for n in range(3):
        sit(learner.id, NOW - (6 - 2 * n) * DAY, wrong=lambda kuk: kuk == "03.1.4")
    text = text_of(learner.browser.get("/kuis/k1"))
    assert "3 percobaan sudah dipakai" in text
    refused = learner.browser.post("/kuis/k1", follow_redirects=True)
    assert "setelah Anda berbicara dengan pelatih" in text_of(refused)
    coach(learner.id)
    assert "Coba lagi" in text_of(learner.browser.get("/kuis/k1"))


def test_the_start_page_of_a_passed_quiz_begins_nothing(learner: Learner):
    sit(learner.id, NOW - DAY)
    assert "Semua 20 kriteria kuis ini lulus" in text_of(learner.browser.get("/kuis/k1"))
    refused = learner.browser.post("/kuis/k1", follow_redirects=True)
    assert "Tidak ada yang perlu diulang." in text_of(refused)


def test_a_bank_that_is_being_changed_costs_no_try(learner: Learner):
    with unit_of_work():
        db.session.execute(update(Item).where(Item.kuk == "02.1.2").values(withdrawn_at=NOW))
    refused = learner.browser.post("/kuis/k1", follow_redirects=True)
    assert "Soal kuis ini sedang diperbarui." in text_of(refused)


def test_a_question_has_four_options_and_a_map(learner: Learner, ref: AttemptRef):
    page = learner.browser.get(learner.url(ref, "?soal=3"))
    assert "Soal 3 dari 26" in text_of(page)
    assert re.findall(r'type="radio" name="choice" value="(\d)"(.*?)>', page.text) == [
        (str(n), "") for n in (1, 2, 3, 4)
    ]
    assert re.findall(r"\?soal=(\d+)", page.text) == [str(n) for n in range(1, 27)]
    assert page.text.count("belum dijawab") == 26
    assert "02." not in text_of(page)  # no criterion is named while the sitting runs
    assert "<title>Kuis, soal 3 – Suluh</title>" in page.text


def test_a_question_shows_what_is_saved(learner: Learner, ref: AttemptRef):
    answer(ref, 3, 2)
    answer(ref, 3, None, flagged=True)
    page = learner.browser.get(learner.url(ref, "?soal=3"))
    assert re.search(r'name="choice" value="2" checked', page.text)
    assert re.search(r'name="flagged" value="y" checked', page.text)
    assert "Tersimpan 16.00" in text_of(page)
    assert "3 , tersimpan, ditandai 4 , belum dijawab" in text_of(page)
    seq = db.session.scalar(select(func.max(AnswerEvent.seq)))
    assert f'data-autosave-seq="{seq}"' in page.text


def test_without_a_number_the_first_open_question_is_shown(learner: Learner, ref: AttemptRef):
    answer(ref, 1, 2)
    assert "Soal 2 dari 26" in text_of(learner.browser.get(learner.url(ref)))
    assert "Soal 2 dari 26" in text_of(learner.browser.get(learner.url(ref, "?soal=tiga")))
    for position in range(2, 27):
        answer(ref, position, 1)
    assert "Soal 1 dari 26" in text_of(learner.browser.get(learner.url(ref)))


def test_after_the_last_question_comes_the_check(learner: Learner, ref: AttemptRef):
    assert learner.browser.get(learner.url(ref, "?soal=27")).location.endswith("/periksa")
    assert learner.browser.get(learner.url(ref, "?soal=-1")).status_code == 404


@pytest.mark.parametrize(
    ("position", "way", "target"),
    [
        (4, "lanjut", "?soal=5"),
        (4, "kembali", "?soal=3"),
        (1, "kembali", "?soal=1"),
        (26, "lanjut", "?soal=27"),
        (4, "periksa", "/periksa"),
        (4, "", "?soal=5"),
    ],
)
def test_a_page_saves_and_leads_on(
    learner: Learner, ref: AttemptRef, position: int, way: str, target: str
):
    response = learner.page(ref, soal=position, choice=3, flagged="y", ke=way)
    assert response.status_code == 302
    assert response.location == learner.url(ref, target)
    assert events() == [(3, True)]


def test_a_pause_saves_and_goes_to_the_start_page(learner: Learner, ref: AttemptRef):
    response = learner.page(ref, choice=3, ke="jeda")
    assert response.location == "/kuis/k1"
    assert "Jawaban tersimpan." in text_of(learner.browser.get("/kuis/k1"))
    assert events() == [(3, False)]


@pytest.mark.parametrize(
    "fields", [{"choice": 9}, {"choice": "x"}, {"soal": "x"}, {"seq": -1}, {"ke": "x" * 21}]
)
def test_a_page_that_makes_no_sense_is_shown_again(learner: Learner, ref: AttemptRef, fields: dict):
    response = learner.page(ref, **fields)
    assert response.status_code == 422
    assert "Belum tersimpan." in text_of(response)
    assert events() == []


def test_a_page_about_a_question_that_was_not_drawn_is_not_found(learner: Learner, ref: AttemptRef):
    assert learner.page(ref, soal=27, choice=1).status_code == 404
    assert learner.page(ref, soal=150, choice=9).status_code == 404
    assert events() == []


def test_autosave_gives_a_receipt(learner: Learner, ref: AttemptRef):
    response = learner.save(ref, soal=2, choice=4, zone="WIT")
    assert response.status_code == 200
    assert (response.json["saved"], response.json["label"]) == (True, "Tersimpan 17.00")
    again = learner.save(ref, soal=2, choice=4)
    assert (again.json["saved"], again.json["label"]) == (True, "Tersimpan 15.00")
    proof = {name: response.json[name] for name in ("receipt", "at")}
    assert len(proof["receipt"]) == 32
    assert proof.items() <= again.json.items()  # said again, it is the same answer
    flag = learner.save(ref, soal=2, field="flagged", flagged="y", client_key="cccc-dddd")
    assert flag.json["saved"]
    off = learner.save(ref, soal=2, field="flagged", client_key="eeee-ffff", seq=2)
    assert off.json["saved"]
    assert events() == [(4, None), (None, True), (None, False)]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"choice": 0},
        {"choice": 5},
        {"choice": 1, "field": "semua"},
        {"choice": 1, "client_key": "pendek"},
        {"choice": 1, "client_key": "x" * 65},
        {"choice": 1, "seq": "x"},
        {"choice": 1, "seq": 2_000_000_000},
        {"choice": 1, "soal": ""},
        {"choice": 1, "zone": "CET"},
    ],
)
def test_autosave_refuses_what_makes_no_sense(learner: Learner, ref: AttemptRef, fields: dict):
    response = learner.save(ref, **fields)
    assert response.status_code == 422
    assert response.json == {"saved": False, "label": "Belum tersimpan. Muat ulang halaman ini."}
    assert events() == []


def test_autosave_says_when_a_key_comes_back_with_another_answer(learner: Learner, ref: AttemptRef):
    learner.save(ref, choice=1)
    response = learner.save(ref, choice=2)
    assert (response.status_code, response.json["saved"]) == (409, False)
    assert events() == [(1, None)]


def test_autosave_says_when_another_tab_was_later(learner: Learner, ref: AttemptRef):
    learner.save(ref, choice=1, seq=5)
    response = learner.save(ref, choice=2, seq=4, client_key="cccc-dddd")
    assert response.status_code == 409
    assert "tab lain" in response.json["label"]


def test_a_sitting_that_was_handed_in_takes_nothing(learner: Learner, ref: AttemptRef):
    hand_in(ref)
    refused = learner.save(ref, choice=1)
    assert (refused.status_code, refused.json["saved"]) == (409, False)
    assert "sudah dikirim" in refused.json["label"]
    for fields in ({"choice": 1}, {"choice": 9}):
        response = learner.page(ref, **fields)
        assert response.location == learner.url(ref, "/hasil")
    assert learner.browser.get(learner.url(ref)).location == learner.url(ref, "/hasil")
    assert learner.browser.get(learner.url(ref, "/periksa")).location == learner.url(ref, "/hasil")
    again = learner.browser.post(learner.url(ref, "/kirim"), data={"confirm": "y"})
    assert again.location == learner.url(ref, "/hasil")
    assert events() == []
    assert db.session.scalars(select(Attempt.closed_at)).one() == NOW


def test_the_check_lists_what_is_open_and_asks_before_handing_in(learner: Learner, ref: AttemptRef):
    for position in range(3, 27):
        answer(ref, position, 1)
    answer(ref, 7, None, flagged=True)
    page = learner.browser.get(learner.url(ref, "/periksa"))
    text = text_of(page)
    assert "2 soal belum dijawab" in text
    assert "1 soal Anda tandai" in text
    assert re.findall(r"\?soal=(\d+)", page.text) == ["1", "2", "7"]
    refused = learner.browser.post(learner.url(ref, "/kirim"), data={})
    assert refused.status_code == 422
    assert "Centang kotak ini" in text_of(refused)
    assert db.session.scalars(select(Attempt.closed_at)).one() is None
    done = learner.browser.post(learner.url(ref, "/kirim"), data={"confirm": "y"})
    assert done.location == learner.url(ref, "/hasil")
    assert db.session.scalars(select(Attempt.closed_at)).one() == NOW


def test_a_full_sheet_is_handed_in_without_a_box(learner: Learner, ref: AttemptRef):
    for position in range(1, 27):
        answer(ref, position, 1)
    page = learner.browser.get(learner.url(ref, "/periksa"))
    assert "Semua soal sudah dijawab." in text_of(page)
    assert 'name="confirm"' not in page.text
    done = learner.browser.post(learner.url(ref, "/kirim"), follow_redirects=True)
    assert "Jawaban terkirim." in text_of(done)
    assert "kriteria lulus" in text_of(done)


def test_handing_in_what_another_tab_has_just_handed_in(
    learner: Learner, ref: AttemptRef, monkeypatch: pytest.MonkeyPatch
):
    def closed(_ref: object) -> None:
        raise rules.AttemptClosed

    monkeypatch.setattr(sheets, "get_sheet", closed)
    done = learner.browser.post(learner.url(ref, "/kirim"))
    assert (done.status_code, done.location) == (302, learner.url(ref, "/hasil"))


def test_there_is_no_result_before_the_end(learner: Learner, ref: AttemptRef):
    assert learner.browser.get(learner.url(ref, "/hasil")).location == learner.url(ref)


def options_of(ref: AttemptRef) -> list[dict[str, str]]:
    ids = [line[3] for line in drawn(ref)]
    lists = db.session.scalars(select(ItemVersion.options).where(ItemVersion.id.in_(ids)))
    return [option for options in lists for option in options]


def test_the_result_teaches_every_option(learner: Learner):
    ref = sit(learner.id, wrong=lambda kuk: kuk in {"03.1.4", "02.1.2"})
    page = learner.browser.get(learner.url(ref, "/hasil"))
    text = text_of(page)
    assert "19 dari 20 kriteria lulus" in text
    assert "Tinggal satu yang perlu dicoba lagi." in text
    assert "Dicoba lagi (1)" in text
    assert "Lulus lewat kompensasi (1)" in text
    assert "13 dari 14 soal nonkritis benar (paling sedikit 12)" in text
    assert "Lulus (18)" in text
    assert text.count("Jawaban Anda ") == 3
    assert "Dapat dicoba lagi mulai 3 Maret 2026, 16.00 WITA." in text
    options = options_of(ref)
    assert len(options) == 26 * 4
    assert all(" ".join(option["rationale"].split()) in text for option in options)
    assert "Studi kasus, simulasi, tatap muka" in text
    assert "Sudah lengkap" in text


def test_the_result_of_an_empty_sheet_blames_nobody(learner: Learner, ref: AttemptRef):
    hand_in(ref)
    text = text_of(learner.browser.get(learner.url(ref, "/hasil")))
    assert "0 dari 20 kriteria lulus" in text
    assert text.count("Anda belum menjawab soal ini.") == 26
    assert "Gagal" not in text


def test_the_result_says_when_right_items_come_again(learner: Learner):
    ref = sit(learner.id, wrong=lambda kuk: kuk in {"02.1.1", "02.1.2", "02.1.3"})
    text = text_of(learner.browser.get(learner.url(ref, "/hasil")))
    assert "6 dari 20 kriteria lulus" in text
    assert "Ikut diulang (11)" in text
    assert "baru 11 dari 14 soal nonkritis benar" in text


def test_the_result_of_a_resit_counts_what_was_passed_before(learner: Learner):
    sit(learner.id, NOW - 2 * DAY, wrong=lambda kuk: kuk in {"03.1.4", "02.1.2"})
    ref = sit(learner.id)
    text = text_of(learner.browser.get(learner.url(ref, "/hasil")))
    assert "20 dari 20 kriteria lulus" in text
    assert "Kuis lulus." in text
    assert "pada percobaan lain" in text
    assert text.count("Yang paling aman") == 0


def test_a_result_that_is_too_old_to_count_says_so(learner: Learner):
    """A certificate that ends is renewed by new evidence; the old page must not contradict it."""
    says = "Hasil ini lulus, tetapi tidak dihitung lagi"
    months = competency.current().standard.evidence_months
    old = sit(learner.id, NOW - (31 * months + 1) * DAY)
    text = text_of(learner.browser.get(learner.url(old, "/hasil")))
    assert "20 dari 20 kriteria lulus" in text
    assert says in text
    assert "Coba lagi" in text
    fresh = sit(learner.id)
    assert says not in text_of(learner.browser.get(learner.url(fresh, "/hasil")))


def test_the_result_says_what_comes_next(learner: Learner):
    first = sit(learner.id, NOW - 6 * DAY, wrong=lambda kuk: kuk == "03.1.4")
    url = learner.url(first, "/hasil")
    assert "Coba lagi" in text_of(learner.browser.get(url))
    running = begin(learner.id, NOW - 4 * DAY)
    assert "Percobaan 2 sedang berjalan." in text_of(learner.browser.get(url))
    hand_in(running, NOW - 4 * DAY)
    sit(learner.id, NOW - 2 * DAY, wrong=lambda kuk: kuk == "03.1.4")
    assert "3 percobaan sudah dipakai." in text_of(learner.browser.get(url))


def test_an_item_that_was_withdrawn_is_named_on_the_result(learner: Learner, ref: AttemptRef):
    with unit_of_work():
        db.session.execute(update(Item).where(Item.id == drawn(ref)[0][2]).values(withdrawn_at=NOW))
    hand_in(ref)
    text = text_of(learner.browser.get(learner.url(ref, "/hasil")))
    assert text.count("Soal ini ditarik sebelum Anda mengirim") == 1


def walk(learner: Learner, ref: AttemptRef) -> Iterator[str]:
    """Yield every answer the server gives while a sitting runs; question 26 stays open."""
    browser = learner.browser
    for path in ("/", "/kuis/k1", "/pelajaran", "/kompetensi"):
        yield browser.get(path).text
    yield browser.get(learner.url(ref, "?soal=26")).text
    for n in range(1, 26):
        yield browser.get(learner.url(ref, f"?soal={n}")).text
        yield learner.save(ref, soal=n, choice=n % 4 + 1, client_key=f"walk-{n:05}").text
        yield learner.save(ref, soal=n, choice=1, client_key=f"walk-{n:05}").text
        yield learner.page(ref, soal=n, choice=n % 3 + 1).text
        yield learner.page(ref, soal=n, choice=9).text
    for tail in ("/periksa", "/hasil", "?soal=27", ""):
        yield browser.get(learner.url(ref, tail), follow_redirects=True).text
    yield browser.post(learner.url(ref, "/kirim")).text
    yield browser.post("/kuis/k1", follow_redirects=True).text


def cleaned(page: str) -> str:
    return re.sub(r'(csrf[-_]token" (?:value|content)=")[^"]*', r"\1", page)


def test_no_answer_of_a_running_sitting_knows_the_key(learner: Learner):
    """Walk twice, the second time with other keys, reasons and sources: nothing differs."""
    ref = begin(learner.id)
    before = [cleaned(page) for page in walk(learner, ref)]
    secrets = [" ".join(option["rationale"].split()) for option in options_of(ref)]
    told = " ".join(html.unescape(" ".join(before)).split())
    assert not [secret for secret in secrets if secret in told]
    with unit_of_work():
        db.session.execute(delete(AnswerEvent))
        for version in db.session.scalars(select(ItemVersion)):
            version.key = "BCDA"["ABCD".index(version.key)]
            version.source, version.level, version.law_ref = "KENARI", "C9", ["KENARI"]
            version.options = [option | {"rationale": "KENARI"} for option in version.options]
    after = [cleaned(page) for page in walk(learner, ref)]
    assert len(before) == len(after) > 130
    assert db.session.scalars(select(Attempt.closed_at)).one() is None
    assert [n for n, (a, b) in enumerate(zip(before, after, strict=True)) if a != b] == []
    hand_in(ref)
    assert "KENARI" in learner.browser.get(learner.url(ref, "/hasil")).text


def test_nobody_enters_a_sitting_of_another(
    learner: Learner, sign_in: Callable, caplog: pytest.LogCaptureFixture
):
    ref = sit(factories.person().id)
    theirs = begin(factories.person().id)
    tries = [
        learner.browser.get(learner.url(ref, "/hasil")),
        learner.browser.get(learner.url(theirs)),
        learner.browser.get(learner.url(theirs, "/periksa")),
        learner.page(theirs, choice=1),
        learner.save(theirs, choice=1),
        learner.browser.post(learner.url(theirs, "/kirim"), data={"confirm": "y"}),
    ]
    assert [response.status_code for response in tries] == [404] * 6
    assert caplog.text.count("of another") == 6
    assert json.loads(tries[4].text)["error"] == 404
    assert learner.browser.get("/kuis/k1/tidakada").status_code == 404
    assert learner.browser.get(f"/kuis/k2/{theirs.public_id}").status_code == 404
    assert learner.browser.get("/kuis/k9").status_code == 404


def test_who_may_come_in(learner: Learner, client: FlaskClient, sign_in: Callable):
    ref = begin(learner.id)
    trainer = Learner(sign_in(factories.person("trainer")), 0)
    assert trainer.browser.get("/kuis/k1").status_code == 403
    assert trainer.browser.get(learner.url(ref)).status_code == 403
    nobody = Learner(client, 0)
    assert nobody.browser.get("/kuis/k1").location.startswith("/masuk")
    assert nobody.save(ref, choice=1).status_code == 401


def test_looking_writes_nothing_and_costs_the_same_at_the_end(learner: Learner, ref: AttemptRef):
    paths = ["/kuis/k1", learner.url(ref), learner.url(ref, "/periksa")]
    with counted() as early:
        for path in paths:
            assert learner.browser.get(path).status_code == 200
    for position in range(1, 27):
        answer(ref, position, 1)
    with counted() as late:
        for path in paths:
            learner.browser.get(path)
    assert len(early) == len(late)
    assert all(statement.startswith("SELECT") for statement in early + late)
    hand_in(ref)
    with counted() as result:
        learner.browser.get(learner.url(ref, "/hasil"))
    assert len(result) <= 12
    assert all(statement.startswith("SELECT") for statement in result)


def test_saving_an_answer_costs_three_statements_with_the_session(
    learner: Learner, ref: AttemptRef
):
    with counted() as found:
        assert learner.save(ref, choice=1).json["saved"]
    assert len(found) == 3
    with counted() as plain:
        learner.page(ref, choice=2)
    assert len(plain) == 3


def test_a_question_page_is_light(learner: Learner, ref: AttemptRef):
    with counted() as found:
        page = learner.browser.get(learner.url(ref))
    assert len(found) <= 6
    assert len(page.data) < 20_000
