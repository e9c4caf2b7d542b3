"""The pages of the observation test, through the browser's door and without JavaScript."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lms.accounts.models import Person
from lms.cohorts import services as cohorts
from lms.cohorts.models import ConflictKind, Part
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind
from lms.core.db import db, unit_of_work
from lms.practice.observations.models import ObservationMark
from lms.practice.observations.rules import Stage
from lms.practice.observations.services import Entry
from lms.ratings import services as ratings
from tests import factories
from tests.practice.observations.rooms import AT, Room
from tests.queries import counted

SignIn = Callable[[Person], FlaskClient]
K, N = "02.2.1", "02.2.2"


def address(room: Room, rest: str = "") -> str:
    return f"/angkatan/{room.cohort.slug}/observasi{rest}"


def said(n: int, mark: str = "", note: str = "", act: str = "") -> Callable[[Room], dict[str, str]]:
    """Return what one row sends."""
    names = {"hasil": mark, "catatan": note, "tindakan": act}
    return lambda room: {f"{room.keys[n]}-{name}": value for name, value in names.items() if value}


def save(
    browser: FlaskClient, room: Room, *rows: Callable[[Room], dict[str, str]], **values: object
):
    """Send one page of ST1."""
    sent: dict[str, object] = {"kuk": K, "varian": "A"}
    for row in rows:
        sent |= row(room)
    return browser.post(address(room, "/ST1"), data=sent | values)


@time_machine.travel(AT, tick=False)
def test_a_group_is_marked_in_one_go_and_each_row_says_who_and_when(app: Flask, sign_in: SignIn):
    room = Room(3)
    browser = sign_in(room.assessor)
    page = unescape(browser.get(address(room, "/ST1")).text)
    assert "Ibu E. datang mengurus surat" in page  # the scene
    assert "Kata berhenti" in page  # the role card
    assert "Memisahkan korban dari kerabat" in page  # the indicators
    assert "Kritis" in page
    response = save(browser, room, said(0, "2"), said(1, "1", "Diingatkan sekali."), ke=N)
    assert response.location == f"{address(room, '/ST1')}?kuk=02.2.2&varian=A"
    page = browser.get(response.location).text
    assert "Tanda 2 orang tersimpan." in page
    page = browser.get(f"{address(room, '/ST1')}?kuk={K}").text
    assert page.count("Tersimpan 10.42 oleh Daud Rante") == 2
    assert "Diingatkan sekali." in page
    assert "2 dari 3" in page


@time_machine.travel(AT, tick=False)
def test_one_row_at_fault_loses_nothing_that_was_typed(app: Flask, sign_in: SignIn):
    room = Room(4)
    browser = sign_in(room.assessor)
    long = "x" * 1001
    response = save(
        browser, room, said(0, "0"), said(1, "2"), said(2, "", "Belum memilih."), said(3, "2", long)
    )
    assert response.status_code == 422
    page = unescape(response.text)
    assert "3 orang belum tersimpan" in page
    assert f'name="next" value="{address(room, "/ST1")}?kuk=02.2.1&varian=A"' in page
    assert "Tanda 1 orang tersimpan." in page
    assert "Tulis apa yang Anda lihat: tanda ini perlu catatan." in page
    assert "Pilih salah satu tanda, atau hapus catatannya." in page
    assert "Paling banyak 1000 huruf." in page
    assert f'name="{room.keys[0]}-hasil" value="0" checked' in page
    assert "Belum memilih.</textarea>" in page
    assert f"{long}</textarea>" in page
    assert [mark.mark for mark in db.session.scalars(select(ObservationMark))] == [2]


def ticks(n: int, *names: str) -> Callable[[Room], dict[str, str]]:
    """Return what one row sends of the four qualities: those ticked."""
    return lambda room: {
        f"{room.keys[n]}-mutu": "1",
        **{f"{room.keys[n]}-{name}": "y" for name in names},
    }


@time_machine.travel(AT, tick=False)
def test_the_four_qualities_stand_with_the_entry(app: Flask, sign_in: SignIn):
    room = Room(3)
    browser = sign_in(room.assessor)
    page = browser.get(address(room, "/ST1")).text
    row = page.partition(f"p-{room.keys[0]}")[2].partition("</li>")[0]
    assert row.count(" checked") == 4  # the four qualities, and no mark
    whole = ("valid", "asli", "terkini", "memadai")
    response = save(
        browser, room,
        said(0, "2", "Tenang."), ticks(0, *whole),
        said(1, "2", "Dibantu teman."), ticks(1, "valid", "terkini", "memadai"),
        said(2, "0", "Baru sekali terlihat."), ticks(2, "valid", "asli", "terkini"),
    )  # fmt: skip
    assert response.status_code == 422
    page = unescape(response.text)
    assert "1 orang belum tersimpan" in page
    assert "Bukti yang kurang mutunya hanya dapat ditandai “Belum aman”." in page
    row = page.partition(f'id="p-{room.keys[1]}"')[2].partition("</li>")[0]
    assert row.count(" checked") == 1 + 3  # what was chosen and ticked is still there
    assert '<details class="fold small" open>' in row

    def stored(n: int) -> list[tuple[bool | None, ...]]:
        return [
            (one.is_valid, one.is_authentic, one.is_current, one.is_sufficient)
            for one in competency.list_evidence(room.people[n].id)
        ]

    assert stored(0) == [(True, True, True, True)]
    assert stored(1) == []
    assert stored(2) == [(True, True, True, False)]
    # Somebody whose page did not ask has stated nothing.
    assert save(browser, room, said(1, "1", "Dengan bimbingan.")).status_code == 302
    assert stored(1) == [(None, None, None, None)]


@time_machine.travel(AT, tick=False)
def test_an_act_states_the_quality_of_what_was_looked_at_alone(app: Flask, sign_in: SignIn):
    room = Room(1)
    whole = ticks(0, "valid", "asli", "terkini", "memadai")
    save(sign_in(room.assessor), room, said(0, "0", "Di depan kerabat.", "H8"), whole)
    rows = competency.list_evidence(room.people[0].id)
    assert {one.kuk: one.is_valid for one in rows if one.is_valid is not None} == {K: True}
    assert len(rows) > 1


@time_machine.travel(AT, tick=False)
def test_of_two_assessors_nobody_is_asked_about_quality(app: Flask, sign_in: SignIn):
    room = Room(1)
    with unit_of_work():
        wanted = {(EvidenceKind.OBS, "ST1"): 2}
        ratings.set_plan(room.cohort.id, wanted, by_id=room.assessor.id, now=AT)
    assert "Mutu bukti" not in sign_in(room.assessor).get(address(room, "/ST1")).text


@time_machine.travel(AT, tick=False)
def test_a_colleagues_mark_stands_and_mine_is_shown_back(app: Flask, sign_in: SignIn):
    room = Room(1)
    browser = sign_in(room.assessor)
    other = factories.person("trainer", name="Wati Suharti")
    factories.staff(other, room.cohort, Part.TRAINER)
    room.mark(K, 1, by=other)
    response = save(browser, room, said(0, "2", "Sangat tenang."))
    assert response.status_code == 422
    page = unescape(response.text)
    assert "Sudah dinilai sebelumnya. Yang Anda pilih di sini belum tersimpan." in page
    assert "Pilihan Anda: Aman mandiri." in page
    assert "Catatan Anda: Sangat tenang." in page
    assert "oleh Wati Suharti" in page


@time_machine.travel(AT, tick=False)
def test_a_repeat_asks_for_feedback_first(app: Flask, sign_in: SignIn):
    room = Room(2)
    browser = sign_in(room.assessor)
    room.mark(K, 0, 2)
    room.mark(N, 2, 2)
    page = unescape(browser.get(address(room, "/ST1")).text)
    assert "Cerita B: adegan dan kartu peran" in page  # the story somebody waits for opens
    assert "Ulang, cerita B" in page
    response = save(browser, room, said(0, "2"), varian="B")
    assert response.status_code == 422
    assert "Beri umpan balik dulu, lalu centang di atas daftar." in response.text
    assert f'name="{room.keys[0]}-hasil" value="2" checked' in response.text
    response = save(browser, room, said(0, "2"), varian="B", umpan_balik="y", ke="daftar")
    assert response.location == address(room)
    assert room.standing().stage is Stage.PASSED


@time_machine.travel(AT, tick=False)
def test_a_harmful_act_is_chosen_from_those_of_the_station(app: Flask, sign_in: SignIn):
    room = Room(2)
    browser = sign_in(room.assessor)
    assert save(browser, room, said(0, act="H1", note="Menelepon.")).status_code == 422
    assert save(browser, room, said(0, mark="7")).status_code == 422
    assert db.session.scalars(select(ObservationMark)).all() == []
    assert save(browser, room, said(0, act="H8", note="Di depan kerabat.")).status_code == 302
    page = unescape(browser.get(f"{address(room, '/ST1')}?kuk={N}&varian=A").text)
    assert "Dihentikan:</b> H8, membuat pelaku mengetahui" in page
    assert "Di depan kerabat." in page


@time_machine.travel(AT, tick=False)
def test_whom_the_assessor_may_not_mark_is_shown_with_the_reason(app: Flask, sign_in: SignIn):
    room = Room(1)
    factories.seat(room.assessor, room.cohort)
    with unit_of_work():
        cohorts.declare_conflict(
            room.assessor.id, room.people[0].id, ConflictKind.SUBORDINATE,
            declared_by=room.assessor.id, now=AT,
        )  # fmt: skip
    browser = sign_in(room.assessor)
    page = browser.get(address(room, "/ST1")).text
    assert "Anda tidak dapat menilai diri sendiri." in page
    assert "Anda tercatat sebagai kerabat, atasan, atau bawahan langsung." in page
    assert page.count("<fieldset disabled>") == 2
    assert "bukan untuk Anda nilai" in browser.get(address(room)).text
    response = save(browser, room, said(0, "2"))
    assert response.status_code == 422
    assert "Anda tidak dapat menilai orang ini." in response.text
    assert db.session.scalars(select(ObservationMark)).all() == []


@time_machine.travel(AT, tick=False)
def test_a_group_stays_together_from_criterion_to_criterion(app: Flask, sign_in: SignIn):
    room = Room(3)
    browser = sign_in(room.assessor)
    where = f"{address(room, '/ST1')}?siapa={room.keys[0]}&siapa={room.keys[2]}"
    page = browser.get(where).text
    assert f'id="p-{room.keys[0]}"' in page
    assert f'id="p-{room.keys[1]}"' not in page
    response = save(browser, room, said(0, "2"), siapa=[room.keys[0], room.keys[2]], ke=N)
    assert response.location.endswith(f"siapa={room.keys[0]}&siapa={room.keys[2]}")
    response = save(browser, room, ke="https://contoh.test")
    assert response.location == f"{address(room, '/ST1')}?kuk=02.2.1&varian=A"
    assert "Tidak ada yang berubah." in browser.get(response.location).text
    assert save(browser, room, ke="x" * 50).status_code == 422


@time_machine.travel(AT, tick=False)
def test_the_board_shows_every_stage_in_words(app: Flask, sign_in: SignIn):
    room = Room(5)
    act = Entry(None, "Di depan kerabat.", "H8")
    room.mark(K, 2, None, 0, act, None)
    room.mark(N, None, 2, 2, None, None)
    room.mark(K, None, None, None, act, None, variant="B")
    page = sign_in(room.assessor).get(address(room)).text
    for words in (
        "Tercapai", "1 dari 2 dinilai", "Ulang, cerita B", "Ulang lain hari",
        "Belum dinilai", "1 dari 5 tercapai",
    ):  # fmt: skip
        assert words in page


@time_machine.travel(AT, tick=False)
def test_a_slip_is_taken_back_with_a_reason(app: Flask, sign_in: SignIn):
    room = Room(1)
    room.mark(K, 0)
    browser = sign_in(room.assessor)
    where = address(room, f"/ST1/peserta/{room.keys[0]}")
    page = browser.get(where).text
    assert "<h1>Peserta 000</h1>" in page
    assert "Putaran 1, cerita A" in page
    assert "21 Maret 2026, 10.42 WIB, Daud Rante" in page
    response = browser.post(where, data={"alasan": ""})
    assert response.status_code == 422
    assert "Bagian ini perlu diisi." in response.text
    response = browser.post(where, data={"alasan": "Orang yang salah."})
    assert response.location == where
    page = browser.get(where).text
    assert "Stasiun ini dapat dinilai lagi." in page
    assert "Tidak dihitung" in page
    assert "Salah mencatat?" not in page
    response = browser.post(where, data={"alasan": "Sekali lagi."})
    assert "Tidak ada tanda yang dapat ditarik kembali." in browser.get(response.location).text
    assert room.standing().stage is Stage.OPEN


def test_a_person_without_marks_and_a_harmful_end_are_shown(app: Flask, sign_in: SignIn):
    room = Room(1)
    browser = sign_in(room.assessor)
    where = address(room, f"/ST1/peserta/{room.keys[0]}")
    assert "Tanda, catatan, penilai dan waktunya muncul di sini." in browser.get(where).text
    room.mark(K, Entry(None, "Di depan kerabat.", "H8"))
    assert "Dihentikan:</b> H8" in browser.get(where).text


@time_machine.travel(AT, tick=False)
def test_after_three_tries_the_page_leads_to_the_trainers_guidance(app: Flask, sign_in: SignIn):
    room = Room(1)
    act = Entry(None, "Di depan kerabat.", "H8")
    for days, variant in ((2, "A"), (2, "B"), (1, "A")):
        room.mark(K, act, variant=variant, now=AT - timedelta(days=days))
    browser = sign_in(room.assessor)
    assert "Perlu bimbingan" in browser.get(address(room)).text
    page = browser.get(address(room, f"/ST1/peserta/{room.keys[0]}")).text
    assert "Bimbingan pelatih membuka yang berikutnya." in page
    assert f"/angkatan/{room.cohort.slug}/peserta/{room.keys[0]}" in page
    page = browser.get(f"{address(room, '/ST1')}?varian=B").text
    assert "Dihentikan" in page


def test_a_relative_may_not_take_marks_back(app: Flask, sign_in: SignIn):
    room = Room(1)
    room.mark(K, 0)
    with unit_of_work():
        cohorts.declare_conflict(
            room.assessor.id, room.people[0].id, ConflictKind.RELATIVE,
            declared_by=room.assessor.id, now=AT,
        )  # fmt: skip
    where = address(room, f"/ST1/peserta/{room.keys[0]}")
    assert sign_in(room.assessor).post(where, data={"alasan": "Kasihan."}).status_code == 403


@pytest.mark.parametrize("part", [Part.SPEAKER, None])
def test_only_trainers_and_assessors_of_the_class_come_in(
    app: Flask, sign_in: SignIn, part: Part | None
):
    room = Room(1)
    other = factories.person("assessor")
    if part:
        factories.staff(other, room.cohort, part)
    browser = sign_in(other)
    person = f"/ST1/peserta/{room.keys[0]}"
    for rest in ("", "/ST1", person):
        assert browser.get(address(room, rest)).status_code == 404
    assert save(browser, room, said(0, "2")).status_code == 404
    assert browser.post(address(room, person), data={"alasan": "x"}).status_code == 404
    assert sign_in(room.people[0]).get(address(room)).status_code == 403
    assert sign_in(room.assessor).get(address(room, "/ST99")).status_code == 404


def test_an_empty_class_says_what_will_be_here(app: Flask, sign_in: SignIn):
    room = Room(0)
    browser = sign_in(room.assessor)
    assert "Peserta muncul di sini setelah menerima undangan." in browser.get(address(room)).text
    assert browser.get(address(room, "/ST1")).status_code == 200


@pytest.mark.parametrize("people", [2, 12])
def test_the_pages_ask_as_much_for_many_as_for_few(app: Flask, sign_in: SignIn, people: int):
    room = Room(people)
    room.mark(K, *[2] * people)
    browser = sign_in(room.assessor)
    for rest, most in (("", 11), ("/ST1", 18), (f"/ST1/peserta/{room.keys[0]}", 15)):
        with counted() as seen:
            assert browser.get(address(room, rest)).status_code == 200
        assert len(seen) <= most
