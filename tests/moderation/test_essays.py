"""Essays of two assessors on the pages: the plan, the desk, the third person, the result."""

import html
import re
from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from lms.competency.rules import EvidenceKind
from lms.core.db import db, unit_of_work
from lms.quizzes.models import AnswerMark
from lms.ratings import services as ratings
from tests import factories
from tests.factories import NOW
from tests.quizzes.essays.helpers import Room, ask, kuk, lines, sit

WORDS = ("kenari", "merpati")
NAMES = ("Bu Penilai", "Bu Pelatih")
REASON = "Yang pokok ada dan urutannya aman."


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def room(app: Flask) -> Room:
    found = Room()
    with unit_of_work():
        found.cohort.slug = "kelas-esai"
        ratings.set_plan(
            found.cohort_id, {(EvidenceKind.Q, "K1"): 2}, by_id=found.trainer.id, now=NOW
        )
    return found


def judge(room: Room, sign_in) -> tuple[FlaskClient, int]:
    someone = factories.person("trainer", "assessor", name="Tiga Penengah")
    factories.staff(someone, room.cohort)
    return sign_in(someone), someone.id


def text_of(page) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


def pages(room: Room, ref, position: int, viewer_id: int) -> list[str]:
    base = "/angkatan/kelas-esai"
    person = room.people[0].public_id
    return [
        "/",
        "/menilai",
        "/menilai/esai",
        f"/menilai/esai/{ref.public_id}/{position}",
        "/moderasi",
        *(f"/moderasi/beda/{one.public_id}" for one in ratings.list_disputes(viewer_id)),
        base,
        f"{base}/peserta/{person}",
        f"{base}/pleno",
        f"{base}/pleno/{person}/K1",
        f"{base}/capaian.csv",
        "/laporan/kesepakatan",
        "/laporan/kesepakatan.csv",
    ]


def hits(browser: FlaskClient, addresses: list[str], words: tuple[str, ...]) -> set[str]:
    """Return the addresses that say one of these words. Most pages must answer."""
    answers = {one: browser.get(one) for one in addresses}
    assert sum(one.status_code == 200 for one in answers.values()) >= 9
    return {
        one
        for one, answer in answers.items()
        if any(word in answer.get_data(as_text=True) for word in words)
    }


def test_from_the_plan_to_the_result(room: Room, sign_in):
    code = kuk(critical=True)
    ask(code)
    ref = sit(room.people[0].id)
    position = lines(ref)[0]
    url = f"/menilai/esai/{ref.public_id}/{position}"
    first, second = sign_in(room.assessor), sign_in(room.trainer)
    third, judge_id = judge(room, sign_in)
    trainee = sign_in(room.people[0])

    sent = first.post(url, data={"hasil": "1", "catatan": WORDS[0]}, follow_redirects=True)
    assert "Menunggu penilai kedua" in text_of(sent)
    own = text_of(first.get(url))
    assert "Menunggu penilai kedua" in own
    assert WORDS[0] in own
    assert f'href="{url}"' not in first.get("/menilai/esai").text
    for browser, who in ((second, room.trainer.id), (third, judge_id)):
        shown = pages(room, ref, position, who)
        assert hits(browser, shown, WORDS) == set()
        marks = [one for one in shown if one.startswith(("/menilai", "/moderasi"))]
        assert not any(NAMES[0] in browser.get(one).text for one in marks)
        assert f'href="{url}"' in browser.get("/menilai/esai").text
        assert f'href="{url}"' in browser.get("/moderasi").text
        assert "Dua penilai menilai jawaban ini" in text_of(browser.get(url))
    result = f"/kuis/k1/{ref.public_id}/hasil"
    assert WORDS[0] not in trainee.get(result).text
    again = first.post(url, data={"hasil": "2", "catatan": ""})
    assert again.status_code == 409

    assert second.post(url, data={"hasil": "2", "catatan": WORDS[1]}).status_code == 302
    assert [row.level for row in db.session.scalars(db.select(AnswerMark))] == [1]
    assert WORDS[0] in trainee.get(result).text
    assert WORDS[1] not in trainee.get(result).text
    shown = pages(room, ref, position, judge_id)
    [dispute] = [one for one in shown if "/beda/" in one]
    # The third person reads both marks where they decide, and no name anywhere.
    assert hits(third, shown, WORDS) == {dispute, url}
    about = [
        one for one in shown if one.startswith(("/menilai", "/moderasi")) or "/peserta/" in one
    ]
    assert not [one for one in about if any(name in third.get(one).text for name in NAMES)]
    page = text_of(third.get(dispute))
    for part in ("Ceritakan langkah Anda malam itu.", "Lalu</b> bertanya", "Pedoman", code):
        assert part in page
    assert "Esai kuis K1" in page
    sent = third.post(dispute, data={"hasil": "2", "alasan": REASON})
    assert sent.location == dispute
    # The control: decided, the same pages name both.
    for one in (dispute, url):
        assert all(name in third.get(one).text for name in (*NAMES, "Tiga Penengah"))
    after = text_of(trainee.get(result))
    assert f"2, aman mandiri {REASON}" in after
    assert WORDS[0] not in after
    assert f"Esai kuis K1, KUK {code}" in third.get("/laporan/kesepakatan").text


def test_a_class_chooses_two_for_essays(room: Room, sign_in):
    browser = sign_in(room.trainer)
    url = "/angkatan/kelas-esai/penilai"
    assert 'name="dua-K1"' not in browser.get(url).text  # its quiz asks no essay
    ask(kuk(critical=False))
    page = browser.get(url).text
    assert "Esai kuis <b>K1</b>" in page
    assert 'name="dua-K2"' not in page
    assert re.search(r'<input[^>]*\bchecked\b[^>]*name="dua-K1"', page)
    assert browser.post(url, data={"dua-SK1": "y"}).status_code == 302
    assert raters(room) == 1
    assert browser.post(url, data={"dua-K1": "y"}).status_code == 302
    assert raters(room) == 2


def raters(room: Room) -> int:
    db.session.rollback()
    return ratings.needed(room.cohort_id, EvidenceKind.Q, "K1")
