"""A sitting with a question of each type, through the browser's door."""

import html
import re
from collections.abc import Callable, Iterator

import pytest
import time_machine
from flask import current_app
from sqlalchemy import func, select

from lms.competency.models import Evidence
from lms.core.db import db
from lms.operations import reconcile
from lms.quizzes import reviewing, rules, services, sheets
from lms.quizzes.models import AnswerEvent, AttemptItem, ItemVersion, Quiz
from lms.quizzes.receipts import Acknowledged, is_genuine
from lms.quizzes.services import AttemptRef
from lms.quizzes.types import BadResponse, Kind
from lms.statistics import services as statistics
from tests import factories
from tests.factories import NOW
from tests.quizzes.helpers import answer, begin, hand_in
from tests.quizzes.types import scene


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def browser(sign_in: Callable):
    someone = factories.person()
    factories.seat(someone, factories.cohort())
    client = sign_in(someone)
    client.person_id = someone.id
    return client


@pytest.fixture
def ref(browser) -> AttemptRef:
    scene.ask(others())
    return begin(browser.person_id)


def others() -> list[str]:
    from lms.competency import services as competency
    from lms.competency.rules import EvidenceKind

    standard = competency.current().standard
    found = [k.code for k in standard.of("K1") if not k.critical and EvidenceKind.Q in k.ev]
    return found[: len(scene.QUESTIONS)]


def url(ref: AttemptRef, tail: str = "") -> str:
    return f"/kuis/k1/{ref.public_id}{tail}"


def main_of(page) -> str:
    return html.unescape(page.text.split("<main", 1)[1].split("</main>", 1)[0])


def text_of(page) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", main_of(page)).split())


def name_of(kind: str) -> str:
    return "choice" if kind == Kind.SINGLE else "jawab"


def save(browser, ref, position, kind, values, seq=1, key=None, **fields):
    body = {
        "soal": position,
        "seq": seq,
        "field": name_of(kind),
        "client_key": key or f"kunci-{position:04}-{seq:04}",
        "zone": "",
        name_of(kind): values,
    }
    return browser.post(url(ref, "/simpan"), data=body | fields)


def passed_of(browser) -> dict[str, bool]:
    rows = db.session.execute(select(Evidence.ref, Evidence.passed))
    kinds = dict(db.session.execute(select(ItemVersion.id, ItemVersion.kind)).all())
    return {kinds[int(row.ref)]: row.passed for row in rows if kinds[int(row.ref)] != "single"}


def test_every_type_is_answered_without_a_script(browser, ref: AttemptRef):
    seen = set()
    for position, kind, values in scene.lines(ref):
        page = browser.get(f"{url(ref)}?soal={position}")
        assert f'name="{name_of(kind)}"' in page.text
        assert "<fieldset" in main_of(page)
        sent = browser.post(
            url(ref), data={"soal": position, "seq": 0, "ke": "lanjut", name_of(kind): values}
        )
        assert sent.location.endswith(f"soal={position + 1}")
        again = main_of(browser.get(f"{url(ref)}?soal={position}"))
        assert "Tersimpan" in again
        assert_shows(again, kind, values)
        seen.add(kind)
    assert seen == {str(kind) for kind in scene.QUESTIONS}
    assert "Semua soal sudah dijawab." in text_of(browser.get(url(ref, "/periksa")))
    browser.post(url(ref, "/kirim"))

    found = passed_of(browser)

    assert all(found.values())
    assert set(found) == {str(k) for k in scene.QUESTIONS} - {"single", "essay"}
    assert reconcile.reconcile().problems == []


def assert_shows(page: str, kind: str, values: list[str]) -> None:
    """Check that a page shows the answer that was stored."""
    if kind in ("single", "multiple", "true_false"):
        assert re.findall(r'value="(\w+)" checked', page) == values
    elif kind in ("matching", "ordering"):
        assert re.findall(r'value="(?:\d+:)?(\d+)" selected', page) == values
    elif kind == "essay":
        assert values[0] in page
        assert "Tersimpan 9 kata." in " ".join(page.split())
    else:
        assert f'value="{values[0]}"' in page


def test_every_type_is_saved_by_the_script_with_a_receipt(browser, ref: AttemptRef):
    secret = current_app.extensions["suluh"].secret_key
    for position, kind, values in scene.lines(ref):
        first = save(browser, ref, position, kind, values)
        assert first.status_code == 200
        assert save(browser, ref, position, kind, values).json == first.json  # a repeat
        stored = db.session.scalars(
            select(AnswerEvent).join(AttemptItem).where(AttemptItem.position == position)
        ).one()
        proof = Acknowledged(
            ref.public_id, position, stored.client_key, stored.choice, None, stored.received_at,
            stored.response,
        )  # fmt: skip
        assert is_genuine(secret, proof, first.json["receipt"])
        if kind != Kind.SINGLE:
            assert save(browser, ref, position, kind, []).status_code == 409  # another answer
        if kind == Kind.ESSAY:
            assert first.json["label"].endswith("9 kata")


def test_a_newer_answer_is_never_overwritten_by_an_older_one(browser, ref: AttemptRef):
    position = next(p for p, kind, _ in scene.lines(ref) if kind == Kind.SHORT_ANSWER)

    assert save(browser, ref, position, "short_answer", ["baru"], seq=9).status_code == 200
    late = save(browser, ref, position, "short_answer", ["lama"], seq=3)

    assert late.status_code == 409
    assert 'value="baru"' in browser.get(f"{url(ref)}?soal={position}").text


def test_an_answer_can_be_taken_back(browser, ref: AttemptRef):
    for position, kind, values in scene.lines(ref):
        if kind in (Kind.SINGLE, Kind.TRUE_FALSE):
            continue
        save(browser, ref, position, kind, values, seq=1)
        assert save(browser, ref, position, kind, [], seq=2).status_code == 200
        sheet = sheets.get_sheet(ref)
        assert position in sheet.unanswered


def test_a_page_that_was_only_looked_at_is_no_answer(browser, ref: AttemptRef):
    position = next(p for p, kind, _ in scene.lines(ref) if kind == Kind.MATCHING)
    sent = {"soal": position, "seq": 0, "ke": "lanjut", "jawab": ["", "", ""]}
    browser.post(url(ref), data=sent)

    assert sheets.get_sheet(ref).answered == 0
    assert "Terjawab 0 dari 26" in text_of(browser.get("/kuis/k1"))
    assert db.session.scalar(select(func.count()).where(AnswerEvent.response.is_not(None))) == 0


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("multiple", ["x"]),
        ("matching", ["1"] * 30),
        ("true_false", ["mungkin"]),
        ("short_answer", ["a" * 501]),
        ("essay", ["a" * 20_001]),
    ],
)
def test_what_no_page_sends_is_refused_both_ways(browser, ref: AttemptRef, kind, values):
    position = next(p for p, found, _ in scene.lines(ref) if found == kind)

    by_script = save(browser, ref, position, kind, values)
    sent = {"soal": position, "seq": 0, "ke": "lanjut", "jawab": values}
    by_page = browser.post(url(ref), data=sent)

    assert (by_script.status_code, by_page.status_code) == (422, 422)
    assert by_script.json["label"].startswith("Belum tersimpan.")
    assert "Belum tersimpan." in text_of(by_page)
    if kind in ("short_answer", "essay"):
        assert values[0] in by_page.text  # nobody types it again
        assert "huruf" in by_script.json["label"]
    assert db.session.scalar(select(func.count(AnswerEvent.id))) == 0


def test_an_answer_of_another_type_is_refused(browser, ref: AttemptRef):
    found = {kind: position for position, kind, _ in scene.lines(ref)}

    with pytest.raises(BadResponse):
        answer(ref, found["multiple"], 1)
    with pytest.raises(BadResponse):
        answer(ref, found["single"], None, values=["1"])
    with pytest.raises(BadResponse):
        answer(ref, found["single"], 6)
    answer(ref, found["multiple"], None, flagged=True)
    assert sheets.get_sheet(ref).flagged == (found["multiple"],)


def test_nothing_of_any_key_is_said_before_the_end(browser, ref: AttemptRef):
    pages = [browser.get("/kuis/k1"), browser.get(url(ref, "/periksa"))]
    for position, kind, values in scene.lines(ref):
        wrong = ["1"] if kind == Kind.SINGLE else values
        pages += [
            browser.get(f"{url(ref)}?soal={position}"),
            save(browser, ref, position, kind, wrong if kind != "short_answer" else ["x"]),
            browser.get(f"{url(ref)}?soal={position}"),
        ]
    pages.append(browser.get(url(ref, "/hasil")))

    assert [page for page in pages if "RAHASIA" in page.text or "weight" in page.text] == []

    browser.post(url(ref, "/kirim"))
    after = text_of(browser.get(url(ref, "/hasil")))
    for word in ("tanya", "foto", "tidak", "tepat semua", "visum", "angka", "umum"):  # the control
        assert f"RAHASIA alasan {word}" in after
    assert "RAHASIA alasan pedoman" not in after  # for whoever marks it


def test_a_wrong_answer_is_explained_for_every_type(browser, ref: AttemptRef):
    wrong = {
        "multiple": ["1", "2", "3", "4"], "true_false": ["true"], "matching": ["1", "1", "1"],
        "ordering": ["1", "1", "1"], "short_answer": ["surat"], "numeric": ["dua", "jam"],
    }  # fmt: skip
    for position, kind, _values in scene.lines(ref):
        if kind in wrong:
            save(browser, ref, position, kind, wrong[kind])
    browser.post(url(ref, "/kirim"), data={"confirm": "y"})
    page = text_of(browser.get(url(ref, "/hasil")))

    found = passed_of(browser)
    assert len(found) == 7  # an essay that was left open is wrong at once
    assert not any(found.values())
    for words in (
        "Bukan jawaban, Anda pilih", "Benar, Anda pilih", "Yang tepat", "Pasangannya: Polres",
        "Urutan 2, Anda memberi urutan 1 Dengarkan", "Yang diterima", "2,5 ± 0,1 jam",
        "Anda belum menjawab soal ini.",
    ):  # fmt: skip
        assert words in page
    assert reconcile.reconcile().problems == []


def test_a_part_of_the_mark_is_no_pass(browser, ref: AttemptRef):
    position, right = next((p, v) for p, kind, v in scene.lines(ref) if kind == Kind.MATCHING)
    save(browser, ref, position, "matching", [right[0], "", ""])
    hand_in(ref)

    assert passed_of(browser)["matching"] is False
    assert "Benar sebagian, 33%." in text_of(browser.get(url(ref, "/hasil")))


def test_an_essay_waits_and_is_no_evidence_yet(browser, ref: AttemptRef):
    for position, kind, values in scene.lines(ref):
        save(browser, ref, position, kind, values)
    hand_in(ref)
    result = sheets.get_result(ref, now=NOW)

    waiting = result.by(sheets.Outcome.WAITING)
    assert [entry.questions[0].kind for entry in waiting] == ["essay"]
    assert waiting[0].score == rules.Score(0, 0, 1)
    assert "essay" not in passed_of(browser)
    page = text_of(browser.get(url(ref, "/hasil")))
    assert "Menunggu penilaian" in page
    assert "Saya akan mendengarkan dan bertanya" in page
    assert reconcile.reconcile().problems == []


def test_a_second_sitting_has_an_order_of_its_own(browser, ref: AttemptRef):
    drawn = [rules.Draw(row.item_version_id, "") for row in db.session.scalars(select(AttemptItem))]
    from random import Random

    orders = {tuple(one.order for one in services.deal(drawn, Random(n))) for n in range(5)}

    assert len(orders) == 5
    assert services.deal([rules.Draw(1, "ABCD")], Random(1)) == [rules.Draw(1, "ABCD")]


def test_reviewers_see_the_key_of_every_type(browser, ref: AttemptRef):
    found = {}
    for listed in reviewing.list_texts():
        for kind, question in scene.QUESTIONS.items():
            if listed.title == question.stem.value and kind not in found:
                passages = reviewing.read_text(listed)
                found[kind] = " ".join(piece.text for one in passages for piece in one.pieces)
    assert set(found) == set(scene.QUESTIONS)
    for kind, word in (
        ("single", "langkah 3"), ("multiple", "foto"), ("true_false", "tidak"),
        ("matching", "Polres"), ("ordering", "Dengarkan"), ("short_answer", "visum"),
        ("numeric", "2,5"), ("essay", "pedoman"),
    ):  # fmt: skip
        assert word in found[Kind(kind)]


def test_statistics_count_all_but_what_waits_to_be_read(browser, ref: AttemptRef):
    for position, kind, values in scene.lines(ref):
        save(browser, ref, position, kind, values)
    hand_in(ref)
    quiz_id = db.session.scalars(select(Quiz.id).where(Quiz.curriculum_code == "K1")).one()

    cells = statistics._cells(quiz_id)

    assert sum(cell.count for cell in cells) == 26 - 1  # the essay
    assert {cell.shown for cell in cells} == {26 - 1}
