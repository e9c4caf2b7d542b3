"""Who is on duty: the week as a form, and the answer for now and the next nights."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from lms.agencies import duty
from lms.agencies.rules import Shift
from lms.cohorts.models import Organisation
from lms.core.clock import ZONES
from lms.core.db import unit_of_work
from lms.credentials.rules import end_of
from tests import factories
from tests.agencies.test_views import officer_of, revoke
from tests.credentials.test_verify import text_of
from tests.credentials.world import World
from tests.queries import counted

WIB = ZONES["WIB"]
AT = datetime(2026, 4, 6, 14, 0, tzinfo=UTC)
"""Monday 6 April 2026, 21.00 WIB: in the night of Monday."""
MONDAY = date(2026, 4, 6)


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def world(app: Flask) -> World:
    return World()


def put(world: World, day: date, shift: Shift, *names: str) -> None:
    """Put people on duty in one shift, besides what the week holds."""
    organisation_id, officer_id = world.agency.id, world.trainer.id
    week = [MONDAY + timedelta(days=n) for n in range(7)]
    with unit_of_work():
        labels = duty.labels_of(organisation_id)
        cells = duty.read_week(organisation_id, week, labels, WIB)
        cells[day, shift] = list(names)
        duty.save_week(organisation_id, week, cells, zone=WIB, officer_id=officer_id)


def board(organisation: Organisation, at: datetime = AT) -> duty.Board:
    return duty.read_board([organisation.id], at=at, zone=WIB)


def test_a_certified_assessor_answers_yes_and_fills_the_night(world: World):
    world.certified()
    assert board(world.agency).now == []
    assert board(world.agency).open == 7
    put(world, MONDAY, Shift.NIGHT, "rahma  yuliani")
    found = board(world.agency)
    assert (found.now, found.others, found.open) == (["Rahma Yuliani"], [], 6)
    assert found.nights[0].day == MONDAY
    assert found.nights[0].gaps == []
    assert board(factories.organisation()).now == []


def test_somebody_without_the_unit_does_not_count(world: World):
    world.join("Budi Tanpa")
    put(world, MONDAY, Shift.NIGHT, "Budi Tanpa")
    found = board(world.agency)
    assert (found.now, found.others, found.open) == ([], ["Budi Tanpa"], 7)
    assert found.nights[0].assessors == []


def test_a_revoked_certificate_does_not_count(world: World):
    made = world.certified()
    put(world, MONDAY, Shift.NIGHT, "Rahma Yuliani")
    assert board(world.agency).now == ["Rahma Yuliani"]
    revoke(made.code)
    assert board(world.agency).now == []


def test_what_ends_tonight_counts_to_that_moment(world: World):
    ends = end_of(world.certified().valid_until)
    night = ends.astimezone(WIB).date() - timedelta(days=1)
    evening = ends - timedelta(hours=3)
    week = [night - timedelta(days=night.weekday()) + timedelta(days=n) for n in range(7)]
    with unit_of_work():
        duty.save_week(
            world.agency.id,
            week,
            {(night, Shift.NIGHT): ["Rahma Yuliani"]},
            zone=WIB,
            officer_id=world.trainer.id,
        )
    before = board(world.agency, evening)
    assert before.now == ["Rahma Yuliani"]
    assert [(gap.begins, gap.ends) for gap in before.nights[0].gaps] == [
        (ends, ends + timedelta(hours=7))
    ]
    assert board(world.agency, ends - timedelta(seconds=1)).now == ["Rahma Yuliani"]
    after = board(world.agency, ends)
    assert (after.now, after.others) == ([], ["Rahma Yuliani"])


def test_the_day_shift_is_not_the_night(world: World):
    world.certified()
    put(world, MONDAY, Shift.DAY, "Rahma Yuliani")
    assert board(world.agency).now == []
    assert board(world.agency, AT - timedelta(hours=3)).now == ["Rahma Yuliani"]
    assert board(world.agency, AT - timedelta(hours=3)).open == 7


def fields(page: str) -> dict[str, str]:
    found = {}
    for tag in re.findall(r"<input[^>]*>", page):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name and name[1] not in {"csrf_token"}:
            found[name[1]] = value[1] if value else ""
    return found


def test_the_week_is_filled_in_and_answers(world: World, sign_in):
    world.certified()
    world.join("Budi Tanpa")
    browser = sign_in(officer_of(world.agency))
    page = browser.get("/instansi/piket")
    assert "Tidak ada yang tercatat bertugas" in text_of(page.text)
    form = browser.get("/instansi/piket/atur?minggu=2026-04-08").text
    sent = fields(form)
    assert sent["week"] == "2026-04-06"
    assert '<option value="Rahma Yuliani">asesor risiko</option>' in form
    answer = browser.post(
        "/instansi/piket/atur",
        data=sent | {"h0-night-0": "Rahma Yuliani", "h0-night-1": "Budi Tanpa"},
        follow_redirects=True,
    )
    told = text_of(answer.text)
    assert "Ya. Bertugas: Rahma Yuliani." in told
    assert "6 malam ada celah" in told
    assert "Budi Tanpa tanpa sertifikat yang berlaku" in told
    again = fields(browser.get("/instansi/piket/atur?minggu=2026-04-08").text)
    assert (again["h0-night-0"], again["h0-night-1"]) == ("Rahma Yuliani", "Budi Tanpa")
    browser.post("/instansi/piket/atur", data=sent)
    assert board(world.agency).now == []


def test_before_seven_on_a_monday_the_night_of_sunday_is_set(world: World, sign_in):
    """The page for tonight opens the week that night belongs to, not the one that has begun."""
    world.certified()
    officer = officer_of(world.agency)
    with time_machine.travel(AT - timedelta(hours=19), tick=False):  # Monday, 02.00 WIB
        browser = sign_in(officer)
        assert "minggu=2026-03-30" in browser.get("/instansi/piket").text
        form = browser.get("/instansi/piket/atur").text
        assert fields(form)["week"] == "2026-03-30"
        assert "Minggu, 5 Apr sekarang" in text_of(form)
        answer = browser.post(
            "/instansi/piket/atur",
            data=fields(form) | {"h6-night-0": "Rahma Yuliani"},
            follow_redirects=True,
        )
        assert "Ya. Bertugas: Rahma Yuliani." in text_of(answer.text)
    with time_machine.travel(AT - timedelta(hours=14), tick=False):  # 07.00
        assert "minggu=2026-04-06" in sign_in(officer).get("/instansi/piket").text


def test_an_unknown_name_is_marked_and_nothing_is_lost(world: World, sign_in):
    world.certified()
    put(world, MONDAY, Shift.NIGHT, "Rahma Yuliani")
    browser = sign_in(officer_of(world.agency))
    sent = fields(browser.get("/instansi/piket/atur").text)
    answer = browser.post("/instansi/piket/atur", data=sent | {"h1-day-0": "Orang Asing"})
    assert answer.status_code == 422
    assert "Belum dikenal: Orang Asing" in text_of(answer.text)
    kept = fields(answer.text)
    assert (kept["h1-day-0"], kept["h0-night-0"]) == ("Orang Asing", "Rahma Yuliani")
    assert board(world.agency).now == ["Rahma Yuliani"]


def test_the_week_before_is_copied_once(world: World, sign_in):
    world.certified()
    put(world, MONDAY, Shift.NIGHT, "Rahma Yuliani")
    browser = sign_in(officer_of(world.agency))
    sent = {"unit": world.agency.public_id, "week": "2026-04-13"}
    first = browser.post("/instansi/piket/salin", data=sent, follow_redirects=True)
    assert "1 giliran disalin" in first.text
    assert fields(first.text)["h0-night-0"] == "Rahma Yuliani"
    second = browser.post("/instansi/piket/salin", data=sent, follow_redirects=True)
    assert "Tidak ada giliran baru" in second.text
    later = board(world.agency, AT + timedelta(days=7))
    assert later.now == ["Rahma Yuliani"]


def test_two_of_one_name_are_told_apart(world: World):
    first, second = world.join("Budi Sama"), world.join("Budi Sama")
    names = duty.labels_of(world.agency.id)
    assert sorted([names[first.id], names[second.id]]) == ["Budi Sama", "Budi Sama (2)"]


@pytest.mark.parametrize("week", ["2036-01-01", "x", ""])
def test_a_week_that_is_none_is_not_kept(world: World, sign_in, week: str):
    browser = sign_in(officer_of(world.agency))
    sent = {"unit": world.agency.public_id, "week": week}
    assert browser.post("/instansi/piket/atur", data=sent).status_code == 404


def test_another_agencys_roster_is_not_found(world: World, sign_in):
    other = factories.organisation()
    browser = sign_in(officer_of(world.agency))
    assert browser.get(f"/instansi/piket?unit={other.public_id}").status_code == 404
    sent = {"unit": other.public_id, "week": "2026-04-06"}
    assert browser.post("/instansi/piket/atur", data=sent).status_code == 404
    assert sign_in(world.trainer).get("/instansi/piket").status_code == 403
    assert browser.get("/instansi/piket/atur?minggu=2036-01-01").status_code == 404


def test_the_board_costs_the_same_for_any_number(world: World):
    world.certified()
    put(world, MONDAY, Shift.NIGHT, "Rahma Yuliani")
    few = costs(world, gaps=6)
    world.certified(world.join("Budi Dua"))
    put(world, MONDAY + timedelta(days=1), Shift.NIGHT, "Budi Dua", "Rahma Yuliani")
    assert costs(world, gaps=5) == few == 5


def costs(world: World, *, gaps: int) -> int:
    with counted() as sent:
        assert board(world.agency).open == gaps
    return len(sent)
