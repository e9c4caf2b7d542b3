"""The attendance page, through the browser's door and without JavaScript."""

import re
from collections.abc import Callable

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lms.accounts.models import Person
from lms.cohorts.models import Cohort, Part
from lms.core.db import db
from lms.practice.attendance.models import Attendance, Presence
from tests import factories
from tests.practice.attendance.test_services import AT, Room
from tests.queries import counted

SignIn = Callable[[Person], FlaskClient]


def address(cohort: Cohort) -> str:
    return f"/angkatan/{cohort.slug}/hadir"


def fields(page: str) -> dict[str, str]:
    """Return what a browser would send of an untouched page."""
    sent = {}
    for tag in re.findall(r"<input[^>]*>", page):
        names = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        if names["type"] == "hidden" or " checked" in tag:
            sent[names["name"]] = names["value"]
    return {name: value for name, value in sent.items() if name.endswith(("-hadir", "-semula"))}


def noted(room: Room) -> list[Presence | None]:
    """Return what counts for the first morning."""
    notes = [room.noted(n) for n in range(len(room.people))]
    return [note.presence if note else None for note in notes]


@time_machine.travel(AT, tick=False)
def test_the_list_is_noted_and_says_who_and_when(app: Flask, sign_in: SignIn):
    room = Room()
    browser = sign_in(room.trainer)
    page = browser.get(address(room.cohort)).text
    assert "Belum dicatat" in page
    one, two = (person.public_id for person in room.people)
    sent = fields(page) | {f"{one}-hadir": "late", f"{two}-hadir": "made_up", "bagian": "1am"}
    sent |= {f"{two}-catatan": "Kelas Bontang, sakit"}
    response = browser.post(address(room.cohort), data=sent)
    assert response.location == f"{address(room.cohort)}?bagian=1am"
    assert noted(room) == [Presence.LATE, Presence.MADE_UP]
    page = browser.get(response.location).text
    assert "Kehadiran 2 orang tersimpan." in page
    assert page.count("Tersimpan 09.30 oleh Wati Suharti") == 2
    assert "2 dari 2" in page


@time_machine.travel(AT, tick=False)
def test_one_button_notes_the_rest_as_present(app: Flask, sign_in: SignIn):
    room = Room(3)
    browser = sign_in(room.trainer)
    page = browser.get(address(room.cohort)).text
    assert "Semua hadir" in page
    sent = fields(page) | {f"{room.people[1].public_id}-hadir": "absent"}
    browser.post(address(room.cohort), data=sent | {"bagian": "1am", "langkah": "semua"})
    assert noted(room) == [Presence.PRESENT, Presence.ABSENT, Presence.PRESENT]
    assert 'value="semua"' not in browser.get(address(room.cohort)).text


@time_machine.travel(AT, tick=False)
def test_nothing_touched_is_nothing_added(app: Flask, sign_in: SignIn):
    room = Room()
    room.note("1am", "present", "late")
    browser = sign_in(room.trainer)
    sent = fields(browser.get(f"{address(room.cohort)}?bagian=1am").text)
    response = browser.post(address(room.cohort), data=sent | {"bagian": "1am"})
    assert db.session.scalar(select(func.count()).select_from(Attendance)) == 2
    assert "Tidak ada yang berubah." in browser.get(response.location).text


@time_machine.travel(AT, tick=False)
def test_two_trainers_at_once_lose_nothing(app: Flask, sign_in: SignIn):
    room = Room(3)
    browser = sign_in(room.trainer)
    page = browser.get(address(room.cohort)).text
    one, two, three = (person.public_id for person in room.people)
    room.note("1am", "absent", "", "late")  # a colleague, meanwhile
    sent = fields(page) | {"bagian": "1am", f"{one}-hadir": "present", f"{two}-hadir": "present"}
    response = browser.post(address(room.cohort), data=sent)
    assert response.status_code == 422
    assert noted(room) == [Presence.ABSENT, Presence.PRESENT, Presence.LATE]
    assert "Baru dicatat “Tidak hadir” oleh Wati Suharti." in response.text
    assert f'name="next" value="{address(room.cohort)}?bagian=1am"' in response.text
    again = fields(response.text)
    assert again[f"{one}-hadir"] == "present"  # what was chosen is still chosen
    assert again[f"{three}-hadir"] == "late"  # what was not touched shows the news
    browser.post(address(room.cohort), data=again | {"bagian": "1am"})
    assert noted(room) == [Presence.PRESENT, Presence.PRESENT, Presence.LATE]
    page = browser.get(f"{address(room.cohort)}?bagian=1am").text
    assert "Catatan sebelumnya" in page


@time_machine.travel(AT, tick=False)
def test_what_was_never_offered_is_refused(app: Flask, sign_in: SignIn):
    room = Room()
    browser = sign_in(room.trainer)
    one = room.people[0].public_id
    sent = {f"{one}-hadir": "asleep", "bagian": "1am"}
    assert browser.post(address(room.cohort), data=sent).status_code == 422
    sent = {f"{one}-hadir": "late", "bagian": "1am", "langkah": "hapus"}
    assert browser.post(address(room.cohort), data=sent).status_code == 422
    assert browser.post(address(room.cohort), data={"bagian": "2pm"}).status_code == 404
    assert browser.get(f"{address(room.cohort)}?bagian=9xx").status_code == 404
    assert noted(room) == [None, None]


@pytest.mark.parametrize("part", [Part.ASSESSOR, Part.SPEAKER, None])
def test_only_a_trainer_of_the_class_notes(app: Flask, sign_in: SignIn, part: Part | None):
    room = Room()
    other = factories.person("trainer")
    if part:
        factories.staff(other, room.cohort, part)
    browser = sign_in(other)
    assert browser.get(address(room.cohort)).status_code == 404
    assert browser.post(address(room.cohort), data={"bagian": "1am"}).status_code == 404
    assert sign_in(room.people[0]).get(address(room.cohort)).status_code == 403


def test_a_class_without_people_says_so(app: Flask, sign_in: SignIn):
    room = Room(0)
    page = sign_in(room.trainer).get(address(room.cohort)).text
    assert "Belum ada peserta di angkatan ini." in page
    assert "Simpan" not in page


@pytest.mark.parametrize("people", [2, 12])
def test_the_page_asks_as_much_for_many_as_for_few(app: Flask, sign_in: SignIn, people: int):
    room = Room(people)
    room.note("1am", fill=True)
    browser = sign_in(room.trainer)
    where = f"{address(room.cohort)}?bagian=1am"
    with counted() as seen:
        assert browser.get(where).status_code == 200
    assert len(seen) <= 10


@time_machine.travel(AT, tick=False)
def test_a_part_and_another_class_ask_for_what_they_need(app: Flask, sign_in: SignIn):
    room = Room()
    browser = sign_in(room.trainer)
    one, two = (person.public_id for person in room.people)
    sent = {"bagian": "1am", f"{one}-hadir": "partial", f"{two}-hadir": "made_up"}
    response = browser.post(address(room.cohort), data=sent)
    assert response.status_code == 422
    assert "Tulis berapa menit ikut" in response.text
    assert "Pilih kelasnya" in response.text
    assert noted(room) == [None, None]
    again = fields(response.text)
    assert again[f"{one}-hadir"] == "partial"  # what was chosen is still chosen
    sent |= {f"{one}-menit": "45", f"{two}-catatan": "Kelas lain, cuti"}
    assert browser.post(address(room.cohort), data=sent).status_code == 302
    assert noted(room) == [Presence.PARTIAL, Presence.MADE_UP]
    page = browser.get(f"{address(room.cohort)}?bagian=1am").text
    assert "Sebagian, 45 menit" in page
    assert "Di kelas lain (Kelas lain, cuti)" in page


@pytest.mark.parametrize("minutes", ["0", "-5", "481", "banyak"])
def test_minutes_that_cannot_be_are_refused(app: Flask, sign_in: SignIn, minutes: str):
    room = Room(1)
    one = room.people[0].public_id
    sent = {"bagian": "1am", f"{one}-hadir": "partial", f"{one}-menit": minutes}
    assert sign_in(room.trainer).post(address(room.cohort), data=sent).status_code == 422
    assert noted(room) == [None]


@time_machine.travel(AT, tick=False)
def test_a_class_nobody_attended_is_not_taken_from_the_form(app: Flask, sign_in: SignIn):
    room, other = Room(1), Room(1)
    one = room.people[0].public_id
    sent = {"bagian": "1am", f"{one}-hadir": "made_up", f"{one}-kelas": other.cohort.slug}
    assert sign_in(room.trainer).post(address(room.cohort), data=sent).status_code == 422
    assert noted(room) == [None]


@time_machine.travel(AT, tick=False)
def test_what_was_noted_before_more_was_asked_stays(app: Flask, sign_in: SignIn):
    """Rows of the first release say made up, and not in which class."""
    room = Room(1)
    with app.app_context():
        db.session.add(
            Attendance(
                cohort_id=room.cohort.id, person_id=room.people[0].id, day=1, half="am",
                presence=Presence.MADE_UP, recorded_by=room.trainer.id, recorded_at=AT,
            )
        )  # fmt: skip
        db.session.commit()
    browser = sign_in(room.trainer)
    sent = fields(browser.get(f"{address(room.cohort)}?bagian=1am").text) | {"bagian": "1am"}
    response = browser.post(address(room.cohort), data=sent)
    assert response.status_code == 302
    assert noted(room) == [Presence.MADE_UP]


@time_machine.travel(AT, tick=False)
def test_a_note_is_taken_back(app: Flask, sign_in: SignIn):
    room = Room(1)
    room.note("1am", "present")
    browser, one = sign_in(room.trainer), room.people[0].public_id
    response = browser.post(f"{address(room.cohort)}/batal", data={"bagian": "1am", "peserta": one})
    assert response.location == f"{address(room.cohort)}?bagian=1am"
    assert noted(room) == [None]
    page = browser.get(response.location).text
    assert "Catatan kehadiran dibatalkan." in page
    assert "Riwayat catatan" in page
    assert browser.post(f"{address(room.cohort)}/batal", data={"bagian": "1am"}).status_code == 404
    stranger = sign_in(factories.person("trainer"))
    sent = {"bagian": "1am", "peserta": one}
    assert stranger.post(f"{address(room.cohort)}/batal", data=sent).status_code == 404


def test_a_page_that_is_no_page_does_not_exist(app: Flask, sign_in: SignIn):
    room = Room(1)
    browser = sign_in(room.trainer)
    assert browser.get(f"{address(room.cohort)}?hal=1").status_code == 200
    for number in ("0", "2", "-1", "x", "99999999", "²"):
        assert browser.get(f"{address(room.cohort)}?hal={number}").status_code == 404
