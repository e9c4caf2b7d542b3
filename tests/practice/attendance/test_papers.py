"""The printed sheet and keying it in."""

from collections.abc import Callable
from io import BytesIO

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader

from lms.accounts.models import Person
from lms.practice.attendance.models import Presence, Way
from lms.practice.attendance.rules import row_code
from tests import factories
from tests.practice.attendance.test_services import AT, Room

SignIn = Callable[[Person], FlaskClient]


def where(room: Room) -> str:
    return f"/angkatan/{room.cohort.slug}/hadir/lembar"


def marks(room: Room) -> list[Presence | None]:
    notes = [room.noted(n) for n in range(len(room.people))]
    return [note.presence if note else None for note in notes]


@time_machine.travel(AT, tick=False)
def test_the_sheet_has_a_row_for_each_with_the_code_the_screen_has(app: Flask, sign_in: SignIn):
    room = Room(25)
    browser = sign_in(room.trainer)
    answer = browser.get(f"{where(room)}.pdf?bagian=1am")
    assert answer.mimetype == "application/pdf"
    reader = PdfReader(BytesIO(answer.data))
    pages = [page.extract_text() for page in reader.pages]
    assert len(pages) == 2
    assert reader.pages[0].mediabox.width > reader.pages[0].mediabox.height
    screen = browser.get(f"{where(room)}?bagian=1am").text
    for person in room.people:
        assert sum(person.name in page for page in pages) == 1
        assert row_code(person.public_id) in "".join(pages)
        assert row_code(person.public_id) in screen
    for number, page in enumerate(pages, 1):
        assert f"Halaman {number} dari 2" in page
        assert "Tanda tangan" in page  # the heading stands on each page
    assert "20 Maret 2026" in pages[0]
    fonts = {
        str(font["/BaseFont"])
        for page in reader.pages
        for font in (ref.get_object() for ref in page["/Resources"]["/Font"].values())
    }
    assert fonts
    assert all("NotoSans" in font for font in fonts)


def test_a_hostile_name_is_only_text(app: Flask, sign_in: SignIn):
    room = Room(0)
    odd = factories.person(name="<b>&amp;)(Tj \\ <para>" + "Sangat Panjang " * 12)
    factories.seat(odd, room.cohort)
    data = sign_in(room.trainer).get(f"{where(room)}.pdf?bagian=1am").data
    [page] = PdfReader(BytesIO(data)).pages
    text = " ".join(page.extract_text().split())
    assert "<b>&amp;)(Tj \\ <para>" in text
    assert text.count("Sangat") == 12


@time_machine.travel(AT, tick=False)
def test_letters_are_saved_all_at_once(app: Flask, sign_in: SignIn):
    room = Room(6)
    ids = [person.public_id for person in room.people]
    typed = ["h", "T", " a ", "s45", "", "l"]
    sent = {"bagian": "1am", "langkah": "simpan"}
    sent |= {f"{one}-tanda": letter for one, letter in zip(ids, typed, strict=True)}
    browser = sign_in(room.trainer)
    response = browser.post(where(room), data=sent)
    assert response.location == f"{where(room)}?bagian=1am"
    assert "Kehadiran 5 orang tersimpan." in browser.get(response.location).text
    assert marks(room) == [
        Presence.PRESENT, Presence.LATE, Presence.ABSENT, Presence.PARTIAL, None, Presence.LATE,
    ]  # fmt: skip
    notes = [room.noted(n) for n in range(6)]
    assert {note.way for note in notes if note} == {Way.SHEET}
    assert [note.mark.minutes for note in notes if note] == [None, None, None, 45, None]
    page = browser.get(f"{where(room)}?bagian=1am").text
    assert 'value="s45"' in page


@time_machine.travel(AT, tick=False)
def test_a_letter_nobody_knows_is_marked_and_nothing_saved(app: Flask, sign_in: SignIn):
    room = Room(3)
    ids = [person.public_id for person in room.people]
    for wrong in ("x", "s", "s0", "s481", "h5", "hadir"):
        sent = {"bagian": "1am", f"{ids[0]}-tanda": "h", f"{ids[1]}-tanda": wrong}
        answer = sign_in(room.trainer).post(where(room), data=sent)
        assert answer.status_code == 422, wrong
        assert f'value="{wrong}"' in answer.text
        assert answer.text.count('aria-invalid="true"') == 1
    assert marks(room) == [None, None, None]


@time_machine.travel(AT, tick=False)
def test_one_button_writes_h_into_what_is_empty_and_saves_nothing_yet(app: Flask, sign_in: SignIn):
    room = Room(3)
    room.note("1am", "absent")
    ids = [person.public_id for person in room.people]
    browser = sign_in(room.trainer)
    sent = {"bagian": "1am", "langkah": "isi", f"{ids[1]}-tanda": "t"}
    answer = browser.post(where(room), data=sent)
    assert answer.status_code == 200
    assert "Belum tersimpan" in answer.text
    assert marks(room) == [Presence.ABSENT, None, None]
    assert answer.text.count('value="h"') == 1
    assert answer.text.count('value="t"') == 1


@time_machine.travel(AT, tick=False)
def test_what_a_colleague_noted_meanwhile_is_shown_first(app: Flask, sign_in: SignIn):
    room = Room(2)
    browser = sign_in(room.trainer)
    one, two = (person.public_id for person in room.people)
    room.note("1am", "absent")
    sent = {"bagian": "1am", f"{one}-semula": "", f"{one}-tanda": "h", f"{two}-tanda": "h"}
    answer = browser.post(where(room), data=sent)
    assert answer.status_code == 422
    assert "sudah dicatat lain oleh rekan Anda" in answer.text
    assert marks(room) == [Presence.ABSENT, Presence.PRESENT]


@pytest.mark.parametrize("page", ["", ".pdf"])
def test_a_half_day_that_is_not_there_does_not_exist(app: Flask, sign_in: SignIn, page: str):
    room = Room(1)
    browser = sign_in(room.trainer)
    assert browser.get(f"{where(room)}{page}?bagian=1am").status_code == 200
    assert browser.get(f"{where(room)}{page}?bagian=9am").status_code == 404
