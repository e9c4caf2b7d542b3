"""The calendar of classes an agency can reach."""

from datetime import date, datetime, timedelta

import pytest
import time_machine
from flask import Flask

from lms.accounts.models import Person
from lms.nominations import reach, rules
from lms.nominations.reach import Entry
from lms.nominations.rules import Course, Phase
from tests import factories
from tests.factories import NOW
from tests.nominations import world as w
from tests.nominations.test_views import SignIn, page, words
from tests.nominations.world import AFTER, DAY, K, World
from tests.queries import counted

PATH = "/instansi/kalender"


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def world(app: Flask) -> World:
    made = w.open_class(K.HOSPITAL, K.POLRES, K.KUA, curricula={"K1": "v1", "K3": ""})
    w.set_seats(made, 5, rs=2, polres=1)
    return made


def entries(officer: Person, now: datetime = NOW) -> dict[str, Entry]:
    found = reach.get_calendar(officer.id, now=now)
    return {one.cohort.slug: one for one in (*found.coming, *found.past)}


def send(world: World, kind: K, **where: object) -> str:
    """Give one of an agency's people a seat in another class; return its slug."""
    host = factories.organisation(kind=K.WOMEN_OFFICE)
    cohort = factories.cohort(host, **where)
    slug = cohort.slug
    factories.seat(factories.person(), cohort, w.agency(world, kind))
    return slug


def test_a_class_that_takes_nominations(world: World, sign_in: SignIn):
    w.nominate(world, K.HOSPITAL, "ani", "budi", "cici")
    other = factories.organisation(kind=K.HOSPITAL).id
    world.agencies[K.OTHER] = other
    w.nominate(world, K.OTHER, "dedi")
    w.accept("ani")
    officer = w.officer(world, K.HOSPITAL)
    [(slug, entry)] = entries(officer).items()
    assert slug == world.slug
    assert entry.opened is not None
    assert entry.nominated == {K.HOSPITAL: 4}, "every agency's of the kind"
    assert (entry.sent, entry.course, entry.month) == (1, Course.COMING, date(2026, 3, 1))
    shown = page(sign_in(officer), PATH)
    assert "Maret 2026" in shown
    assert "20–21 Maret 2026 WIB" in shown
    assert "Aula Dinas, Kota Contoh" in shown
    assert f"Penyelenggara: {entry.host}" in shown
    assert "K1 · Asesmen Risiko" in shown
    assert "K3 · " in shown
    assert "kuota 2 kursi, 4 usulan, sisa 0" in shown
    assert "3 usulan dari Anda" in shown
    assert "1 orang Anda di kelas ini" in shown
    assert "Menerima usulan" in shown
    browser = sign_in(officer)
    link = f"/instansi/calon/{world.slug}"
    assert f'href="{link}"' in browser.get(PATH).text
    assert browser.get(link).status_code == 200


def test_after_the_deadline_nominations_wait(world: World, sign_in: SignIn):
    officer = w.officer(world, K.HOSPITAL)
    with time_machine.travel(AFTER, tick=True):
        shown = page(sign_in(officer), PATH)
    assert "Daftar tunggu" in shown
    assert "5 kursi kelas masih bebas" in shown
    assert "usulan baru masuk daftar tunggu" in shown
    assert "sisa" not in shown


def test_a_kind_without_quota_is_told_so(world: World, sign_in: SignIn):
    assert "tidak berkuota" in page(sign_in(w.officer(world, K.KUA)), PATH)


def test_a_class_elsewhere_is_there_for_its_people_without_a_link(world: World, sign_in: SignIn):
    away = {"starts_on": date(2026, 4, 30), "ends_on": date(2026, 5, 1), "city": "Kota Jauh"}
    slug = send(world, K.KUA, **away)
    officer = w.officer(world, K.KUA)
    assert entries(officer)[slug].opened is None
    assert slug not in entries(w.officer(world, K.HOSPITAL)), "nobody of theirs is in it"
    browser = sign_in(officer)
    shown = page(browser, PATH)
    assert shown.index("Maret 2026") < shown.index("April 2026")
    assert "30 April 2026 – 1 Mei 2026" in shown
    assert "Tidak menerima usulan Anda" in shown
    assert f"/instansi/calon/{slug}" not in browser.get(PATH).text


def test_what_is_over_is_folded_the_last_one_first(world: World, sign_in: SignIn):
    first = send(world, K.HOSPITAL, starts_on=date(2025, 5, 1), ends_on=date(2025, 5, 2))
    last = send(world, K.HOSPITAL, starts_on=date(2026, 2, 1), ends_on=date(2026, 2, 2))
    running = send(world, K.HOSPITAL, starts_on=date(2026, 3, 1), ends_on=date(2026, 3, 2))
    found = reach.get_calendar(w.officer(world, K.HOSPITAL).id, now=NOW)
    assert [one.cohort.slug for one in found.past] == [last, first]
    assert [one.cohort.slug for one in found.coming] == [running, world.slug]
    assert found.coming[0].course is Course.RUNNING
    text = sign_in(w.officer(world, K.HOSPITAL)).get(PATH).text
    before, _fold, folded = text.partition("<details")
    assert "2 kelas sudah selesai" in folded
    assert "Selesai" not in before
    assert "Sedang berlangsung" in before


def test_a_day_ends_by_the_clock_of_its_class(world: World):
    west = send(world, K.KUA, starts_on=NOW.date(), ends_on=NOW.date(), zone="WIB")
    east = send(world, K.KUA, starts_on=NOW.date(), ends_on=NOW.date(), zone="WIT")
    officer = w.officer(world, K.KUA)
    at = datetime(2026, 3, 2, 15, 30, tzinfo=NOW.tzinfo)  # 22.30 WIB, 00.30 WIT
    found = entries(officer, at)
    assert (found[west].course, found[east].course) == (Course.RUNNING, Course.OVER)


def test_without_an_agency_or_a_class_it_says_so(app: Flask, sign_in: SignIn):
    shown = page(sign_in(factories.officer()), PATH)
    assert "Belum ada kelas yang akan datang" in shown
    assert "sudah selesai" not in shown


def test_fifty_a_page(world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(reach, "PAGE", 2)
    past = [
        send(world, K.KUA, starts_on=date(2025, month, 1), ends_on=date(2025, month, 2))
        for month in (1, 2, 3)
    ]
    for month in (4, 5):
        send(world, K.KUA, starts_on=date(2026, month, 1), ends_on=date(2026, month, 2))
    officer = w.officer(world, K.KUA)
    found = reach.get_calendar(officer.id, now=NOW, first=2, first_past=2)
    assert [one.month.month for one in found.coming] == [5]
    assert [one.cohort.slug for one in found.past] == past[:1]
    assert (found.total, found.total_past) == (3, 3)
    browser = sign_in(officer)
    second = browser.get(f"{PATH}?hal=2&lalu=2").text
    assert "3–3 dari 3" in words(second)
    assert '<details class="fold" open' in second
    assert "hal=1" in second
    assert "lalu=1" in second
    assert "1–2 dari 3" in page(browser, PATH)
    for beyond in ("?hal=3", "?lalu=3", "?hal=2&lalu=9"):
        assert browser.get(PATH + beyond).status_code == 404


@pytest.mark.both
def test_queries_do_not_grow(world: World):
    officer = w.officer(world, K.HOSPITAL, K.KUA)
    w.nominate(world, K.HOSPITAL, "ani")

    officer_id = officer.id
    reach.get_calendar(officer_id, now=NOW)  # the text of the standard is read once a process
    with counted() as few:
        assert len(reach.get_calendar(officer_id, now=NOW).coming) == 1
    for month in (1, 4, 5):
        send(world, K.KUA, starts_on=date(2026, month, 1), ends_on=date(2026, month, 2))
    with counted() as many:
        found = reach.get_calendar(officer_id, now=NOW)
    assert (len(found.coming), len(found.past)) == (3, 1)
    assert len(many) == len(few)


def test_others_may_not_look(world: World, sign_in: SignIn):
    assert sign_in(factories.person("trainee")).get(PATH).status_code == 403


def test_the_course_of_a_class():
    starts, ends = NOW, NOW + 2 * DAY
    tick = timedelta(microseconds=1)
    found = [
        rules.course(at, starts_at=starts, ends_at=ends)
        for at in (starts - tick, starts, ends - tick, ends)
    ]
    assert found == [Course.COMING, Course.RUNNING, Course.RUNNING, Course.OVER]
    assert Phase.CLOSED is rules.phase(starts, nominate_until=starts, starts_at=starts)


def test_the_home_of_an_officer_tells_the_nearest_deadline_by_the_clock_of_its_class(
    world: World, sign_in: SignIn
):
    host = factories.organisation(kind=K.WOMEN_OFFICE)
    east = factories.cohort(host, zone="WIT", starts_on=date(2026, 3, 20))
    slug = east.slug
    officer = w.officer(world, K.HOSPITAL)
    nearer = World(east.id, slug, world.trainer, world.agencies)
    w.set_seats(nearer, 5, until=datetime.fromisoformat("2026-03-10T07:00:00+09:00"), rs=1)
    home = words(page(sign_in(officer), "/"))
    assert "2 kelas menerima usulan, yang terdekat sampai 10 Maret 2026, 07.00 WIT." in home
    assert "0 pendamping" in home
