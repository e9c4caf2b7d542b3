"""Pages of simulations, as a browser without scripts meets them."""

import re
from collections.abc import Callable

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from lms.accounts.models import Person
from lms.core.db import db, unit_of_work
from lms.practice.simulations import rules, services
from lms.practice.simulations.rules import ChoiceVerdict
from tests import factories
from tests.practice.simulations.scene import (
    DAY,
    HARMFUL,
    NOW,
    SAFE,
    START,
    STORIES,
    UNSAFE,
    at,
    go,
    grade,
    learn,
    letter,
    practise,
    safe_way,
    title,
)
from tests.queries import counted

SignIn = Callable[[Person], FlaskClient]
KUK_CODE = re.compile(r"\b\d\d\.\d\.\d\b")


def text_of(browser: FlaskClient, path: str, status: int = 200) -> str:
    answer = browser.get(path)
    assert answer.status_code == status
    return answer.text


def begin(browser: FlaskClient, code: str = "s1", purpose: str = "latihan", **data: str) -> str:
    """Press the button of the start page; return the address of the run."""
    answer = browser.post(f"/latihan/{code}/{purpose}", data=data)
    assert answer.status_code == 302
    return answer.location


def choose(browser: FlaskClient, run: str, position: int, verdict: ChoiceVerdict) -> str:
    """Choose at the node of the safe way of S1 that has this position; return where it leads."""
    node = safe_way("S1")[position - 1].id
    data = {"position": position, "choice": letter("S1", node, verdict)}
    answer = browser.post(run, data=data)
    assert answer.status_code == 302
    return answer.location


def heading(node: str) -> str:
    return f"<h1>{title('S1', node)}</h1>"


@pytest.fixture
def someone(app: Flask) -> Person:
    """A trainee who has finished every lesson."""
    made = factories.person()
    learn(made)
    return made


def test_the_start_page_says_why_the_graded_run_is_shut(app: Flask, sign_in: SignIn):
    page = text_of(sign_in(factories.person()), "/latihan/s1")
    assert "<title>Latihan – Suluh</title>" in page
    assert STORIES["S1"].title in page
    assert STORIES["S1"].content_note.split(".")[0] in page
    assert "Lewati, kembali ke pelajaran" in page
    assert "Putaran nilai terbuka setelah pelajaran ini selesai:" in page
    assert '<a class="alone" href="/modul/k1/3">' in page
    assert "Mulai putaran nilai" not in page


def test_the_start_page_opens_the_graded_run_for_who_learned(someone: Person, sign_in: SignIn):
    page = text_of(sign_in(someone), "/latihan/s1")
    assert "Putaran nilai dapat dimulai. 3 kriteria dinilai." in page
    assert "Mulai putaran nilai" in page
    assert "pilihan pertama di setiap situasi" in page
    assert not KUK_CODE.search(page)


def test_a_trainer_may_practise_but_not_be_graded(app: Flask, sign_in: SignIn):
    browser = sign_in(factories.person("trainer"))
    page = text_of(browser, "/latihan/s1")
    assert "Mulai latihan" in page
    assert "Putaran nilai</h2>" not in page
    assert browser.post("/latihan/s1/nilai").status_code == 403
    assert browser.post("/latihan/s1/latihan").status_code == 302


def test_who_does_not_learn_has_no_practice(app: Flask, sign_in: SignIn):
    assert sign_in(factories.person("agency")).get("/latihan/s1").status_code == 403


def test_unknown_simulations_and_runs_are_not_found(someone: Person, sign_in: SignIn):
    browser = sign_in(someone)
    for path in ("/latihan/s9", "/latihan/putaran/x", "/latihan/putaran/x/1"):
        text_of(browser, path, 404)
    for path in ("/latihan/s9/latihan", "/latihan/s9/nilai"):
        assert browser.post(path).status_code == 404
    form = {"position": 1, "choice": "a"}
    assert browser.post("/latihan/putaran/x", data=form).status_code == 404


def test_a_run_of_somebody_else_is_not_found(someone: Person, sign_in: SignIn):
    run = begin(sign_in(someone))
    other = sign_in(factories.person())
    text_of(other, run, 404)
    assert other.post(run, data={"position": 1, "choice": "a"}).status_code == 404


def test_a_node_is_one_page_with_three_choices(someone: Person, sign_in: SignIn):
    browser = sign_in(someone)
    page = text_of(browser, begin(browser))
    assert heading(START) in page
    assert page.count('type="radio"') == 3
    assert 'name="position" type="hidden" value="1"' in page
    assert "checked" not in page
    assert f"Kira-kira {len(safe_way('S1')) - 1} langkah lagi" in page
    assert "Jeda" in page


def test_a_safe_choice_leads_on(someone: Person, sign_in: SignIn):
    browser = sign_in(someone)
    run = begin(browser)
    after = choose(browser, run, 1, SAFE)
    assert after == f"{run}/1"
    page = text_of(browser, after)
    assert "Langkah yang aman" in page
    assert "Lebih aman" not in page
    assert safe_way("S1")[0].kuk[0] in page
    assert "Kritis" in page
    assert re.search(rf'href="{run}">\s*Lanjut\s*<', page)
    assert heading(safe_way("S1")[1].id) in text_of(browser, run)


def test_an_unsafe_choice_says_what_is_safer(someone: Person, sign_in: SignIn):
    browser = sign_in(someone)
    run = begin(browser)
    page = text_of(browser, choose(browser, run, 1, UNSAFE))
    assert "Langkah ini belum aman" in page
    assert "Lebih aman" in page
    assert "Coba lagi langkah ini" not in page


def test_a_harmful_choice_teaches_and_leads_back(someone: Person, sign_in: SignIn):
    browser = sign_in(someone)
    run = begin(browser)
    page = text_of(browser, choose(browser, run, 1, HARMFUL))
    assert "Langkah ini membahayakan" in page
    assert "Jenis tindakan: " in page
    assert "Coba lagi langkah ini" in page
    assert "is-alert" not in page
    again = text_of(browser, run)
    assert heading(START) in again
    assert 'name="position" type="hidden" value="2"' in again


def test_nothing_of_the_key_is_sent_before_a_choice_of_a_graded_run(
    someone: Person, sign_in: SignIn
):
    browser = sign_in(someone)
    run = begin(browser, purpose="nilai")
    story, position = STORIES["S1"], 0
    state = rules.replay(story, [], graded=True)
    steps: list[tuple[str, str]] = []
    while not state.over:
        page = text_of(browser, run)
        assert not KUK_CODE.search(page)
        assert not re.search(r"verdict|harmful|unsafe|is-ok|is-wait|H[1-8]\b", page)
        for choice in state.node.choices:
            assert choice.consequence[:40] not in page
            assert choice.why[:40] not in page
        assert state.node.safe is not None
        steps.append((state.node.id, state.node.safe.id))
        position += 1
        choose(browser, run, position, SAFE)
        state = rules.replay(story, steps, graded=True)
    assert "Lihat rangkuman" in text_of(browser, f"{run}/{position}")
    page = text_of(browser, run)
    assert heading(safe_way("S1")[-1].id) in page
    assert "3 dari 3 kriteria aman" in page
    assert "Tidak ada yang perlu diulang" in page


def test_a_harmful_act_ends_a_graded_run_with_a_way_back(someone: Person, sign_in: SignIn):
    with time_machine.travel(NOW, tick=False):
        browser = sign_in(someone)
        run = begin(browser, purpose="nilai")
        choose(browser, run, 1, SAFE)
        feedback = text_of(browser, choose(browser, run, 2, HARMFUL))
        assert "Putaran nilai berhenti di sini" in feedback
        assert "Lihat rangkuman" in feedback
        page = text_of(browser, run)
        start = text_of(browser, "/latihan/s1")
    assert "<h1>Putaran berhenti di sini</h1>" in page
    assert "1 langkah aman, lalu satu yang membahayakan" in page
    assert "Gagal" not in page
    for shown in (page, start):
        assert "Dicoba lagi mulai 3 Maret 2026, 15.00 WIB." in shown
        assert "Mainkan satu putaran latihan sampai akhir" in shown
        assert "/modul/k1/3" in shown
    with time_machine.travel(NOW + DAY, tick=False):
        browser = sign_in(someone)
        assert "Tinggal satu langkah sebelum mencoba lagi" in text_of(browser, "/latihan/s1")
        answer = browser.post("/latihan/s1/nilai", follow_redirects=True)
        assert "Putaran nilai belum dapat dimulai." in answer.text
        practise(someone.id, now=NOW + DAY)
        assert "Mulai putaran nilai" in text_of(browser, "/latihan/s1")


def test_the_way_back_shows_what_is_done(someone: Person, sign_in: SignIn):
    grade(someone.id, pick=at(jejak=UNSAFE))
    practise(someone.id, now=NOW)
    with time_machine.travel(NOW, tick=False):
        assert "Putaran latihan sampai akhir: sudah." in text_of(sign_in(someone), "/latihan/s1")


def test_after_three_tries_a_trainer_helps(someone: Person, sign_in: SignIn):
    for day in range(3):
        practise(someone.id, now=NOW + day * DAY)
        grade(someone.id, pick=at(jejak=UNSAFE), now=NOW + day * DAY)
    with time_machine.travel(NOW + 9 * DAY, tick=False):
        assert "dibahas bersama pelatih" in text_of(sign_in(someone), "/latihan/s1")


def test_without_a_choice_the_page_says_what_to_do(someone: Person, sign_in: SignIn):
    browser = sign_in(someone)
    run = begin(browser)
    for data in ({"position": 1}, {"position": 1, "choice": "z"}, {"choice": "a"}, {}):
        answer = browser.post(run, data=data)
        assert answer.status_code == 422
        assert "hal perlu diperbaiki" in answer.text
        assert 'name="position" type="hidden" value="1"' in answer.text
    assert "Pilih satu langkah dulu." in answer.text
    # What was chosen is still chosen.
    other = letter("S1", START, UNSAFE)
    answer = browser.post(run, data={"position": "x", "choice": other})
    assert re.search(rf'<input[^>]*checked[^>]*value="{other}"', answer.text)
    text_of(browser, f"{run}/1", 404)


def test_an_old_form_sent_again_shows_what_was_chosen_then(someone: Person, sign_in: SignIn):
    browser = sign_in(someone)
    run = begin(browser)
    first = choose(browser, run, 1, SAFE)
    choose(browser, run, 2, SAFE)
    assert choose(browser, run, 1, HARMFUL) == first
    assert "Langkah yang aman" in text_of(browser, first)
    assert 'value="3"' in text_of(browser, run)


def test_a_form_for_a_run_that_is_over_leads_to_its_end(someone: Person, sign_in: SignIn):
    play = practise(someone.id)
    browser, run = sign_in(someone), f"/latihan/putaran/{play.public_id}"
    answer = browser.post(run, data={"position": "x"})
    assert (answer.status_code, answer.location) == (302, run)
    answer = browser.post(run, data={"position": 1, "choice": "a"})
    assert answer.location == f"{run}/1"


def test_looking_back_turn_by_turn(someone: Person, sign_in: SignIn):
    play = practise(someone.id, pick=at(jejak=UNSAFE, bahaya=HARMFUL, supervisor=UNSAFE))
    page = text_of(sign_in(someone), f"/latihan/putaran/{play.public_id}")
    assert heading(play.state.node.id) in page
    assert "Ada tindakan yang membahayakan di jalan." in page
    assert page.count('<svg class="chart"') == 3
    assert page.count('<svg class="range"') == 3
    assert page.count('role="img"') == 6
    assert "dari −6 sampai +6" in page
    assert "lebih tinggi daripada awal" in page
    assert "Di lapangan tidak ada ulangan seperti itu." in page
    harm = next(turn for turn in play.state.turns if turn.choice.verdict is HARMFUL)
    assert f"Keselamatan −2, menjadi {harm.totals.safety:+d}".replace("-", "−") in page
    assert page.count("<details") == len(play.state.turns)
    assert page.count('<details class="fold stack-tight" open>') == 3
    assert "kriteria aman" not in page
    assert "Mulai latihan" in page


def test_a_line_that_never_falls_says_so(someone: Person, sign_in: SignIn):
    play = practise(someone.id)
    page = text_of(sign_in(someone), f"/latihan/putaran/{play.public_id}")
    assert page.count("tidak pernah turun.") == 6  # beside each line, and as its name
    assert page.count("Akhirnya +6: jauh lebih tinggi daripada awal.") == 6
    assert "<circle" not in page
    assert "Di lapangan tidak ada ulangan" not in page


def test_looking_back_at_a_graded_run_per_kuk(someone: Person, sign_in: SignIn):
    play = grade(someone.id, pick=at(jejak=UNSAFE, supervisor=UNSAFE))
    page = text_of(sign_in(someone), f"/latihan/putaran/{play.public_id}")
    assert "1 dari 3 kriteria aman" in page
    assert f"Dilihat lagi: {title('S1', 'jejak')}" in page
    assert "hanya dicatat dan tidak menahan kelulusan" in page
    assert "Hasil ini tersimpan sebagai bukti." in page


def test_a_run_left_behind_can_be_looked_at(someone: Person, sign_in: SignIn):
    browser = sign_in(someone)
    first = begin(browser)
    choose(browser, first, 1, SAFE)
    assert "Mulai dari awal" in text_of(browser, "/latihan/s1")
    assert begin(browser) == first
    second = begin(browser, fresh="1")
    assert second != first
    assert "<h1>Putaran ini tidak diteruskan</h1>" in text_of(browser, first)
    third = begin(browser, fresh="1")
    assert "<h1>Putaran ini tidak diteruskan</h1>" in text_of(browser, second)
    assert third not in (first, second)


def test_an_open_graded_run_goes_on(someone: Person, sign_in: SignIn):
    browser = sign_in(someone)
    run = begin(browser, purpose="nilai")
    page = text_of(browser, "/latihan/s1")
    assert "Lanjutkan putaran nilai" in page
    assert begin(browser, purpose="nilai") == run
    assert "Pilihan pertama di setiap situasi yang dihitung." in text_of(browser, run)


def test_a_safe_choice_after_an_unsafe_one_says_what_counts(someone: Person, sign_in: SignIn):
    browser = sign_in(someone)
    run = begin(browser, purpose="nilai")
    choose(browser, run, 1, SAFE)
    page = text_of(browser, choose(browser, run, 2, UNSAFE))
    assert "Pilihan pertama Anda yang dihitung." in page
    assert "Coba lagi langkah ini" in page


def test_titles_come_in_the_reader_s_language(someone: Person, sign_in: SignIn):
    browser = sign_in(someone)
    with unit_of_work():
        db.session.get_one(Person, someone.id).locale = "en"
    page = text_of(browser, "/latihan/s2")
    assert STORIES["S2"].title_en in page


def test_no_page_writes_when_read_or_asks_much(someone: Person, sign_in: SignIn):
    browser = sign_in(someone)
    play = grade(someone.id, pick=at(jejak=UNSAFE))
    with unit_of_work():
        open_run = services.start_practice("S1", someone.id, now=NOW)
    run, end = f"/latihan/putaran/{open_run}", f"/latihan/putaran/{play.public_id}"
    # Sign-in, run, steps; the text of the story and of the standard are kept per process.
    for path, most in ((run, 3), (f"{end}/1", 4), (end, 11), ("/latihan/s1", 12)):
        text_of(browser, path)
        with counted() as queries:
            text_of(browser, path)
        assert len(queries) <= most, (path, queries)
        assert not [q for q in queries if not q.lstrip().startswith("SELECT")], path


def test_every_node_of_the_real_stories_can_be_shown(someone: Person, sign_in: SignIn):
    """Each node is met by the safe way or one unsafe step off it; every page must draw."""
    browser, met = sign_in(someone), set()
    for code, story in STORIES.items():
        for node in story.nodes:
            if node.ending:
                continue
            off = {choice.verdict: choice for choice in node.choices}
            if UNSAFE not in off:
                continue
            play = practise(someone.id, code, at(**{node.id.replace("-", "_"): UNSAFE}))
            met |= {turn.node.id for turn in play.state.turns} | {play.state.node.id}
            for turn in play.state.turns:
                if turn.choice.verdict is not SAFE:
                    text_of(browser, f"/latihan/putaran/{play.public_id}/{turn.position}")
    assert met == {node.id for story in STORIES.values() for node in story.nodes}


def test_choices_are_escaped(someone: Person, sign_in: SignIn):
    browser = sign_in(someone)
    run = begin(browser)
    answer = browser.post(run, data={"position": '"><script>', "choice": "<b>"})
    assert answer.status_code == 422
    assert "<script>" not in answer.text.replace('<script src="', "")
    assert go(run.rsplit("/", 1)[1], someone.id).finished_at is not None
