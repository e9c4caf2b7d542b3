"""The trainer's pages: only one's own class, everything that is needed, nothing twice."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lms.accounts.models import Person
from lms.cohorts.models import Organisation, Part
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind
from lms.core import clock
from lms.core.db import db
from lms.credentials.rules import end_of
from lms.reports import facts, services
from lms.reports.rules import FactKind, Reason
from lms.reports.services import View
from tests import factories
from tests.credentials.world import World

HOUR = timedelta(hours=1)


@pytest.fixture
def trainer(app: Flask) -> Person:
    return factories.person("trainer", name="Pelatih Satu")


@pytest.fixture
def place(trainer: Person):
    where = factories.cohort(title="Angkatan Uji")
    factories.staff(trainer, where)
    return where


@pytest.fixture
def browser(trainer: Person, sign_in) -> FlaskClient:
    return sign_in(trainer)


def seated(place, name: str = "Rahma Contoh", sender: str = "Puskesmas Uji") -> Person:
    someone = factories.person(name=name)
    factories.seat(someone, place, factories.organisation(sender))
    return someone


def test_a_class_without_people_says_what_will_be_here(browser: FlaskClient, place):
    assert "Belum ada peserta" in browser.get(f"/angkatan/{place.slug}").text
    assert "Angkatan Uji" in browser.get("/angkatan").text


def test_nobody_works_in_a_class_they_were_not_given(place, sign_in):
    other = sign_in(factories.person("trainer"))
    someone = seated(place)
    assert other.get(f"/angkatan/{place.slug}").status_code == 404
    assert other.get(f"/angkatan/{place.slug}/peserta/{someone.public_id}").status_code == 404
    assert "Belum ada angkatan" in other.get("/angkatan").text


def test_the_matrix_counts_reached_criteria_and_says_who_waits(browser: FlaskClient, place):
    someone = seated(place)
    # 02.1.2 needs the quiz only.
    factories.evidence(someone, "Q", "02.1.2", "K1", "a1", at=clock.now() - HOUR, passed=True)
    page = browser.get(f"/angkatan/{place.slug}").text
    assert "1/84" in page
    assert "uji observasi belum dinilai" in page
    opened = browser.get(f"/angkatan/{place.slug}?unit=02&urut=nama").text
    assert "02.1.2" in opened
    assert "Unit 02" in opened


def rows_of(page: str) -> list[str]:
    """Return the rows of the map, one for each person."""
    table = page.split('<table class="matrix')[1].split("<tbody>")[1].split("</tbody>")[0]
    return re.findall(r"<tr>(.*?)</tr>", table, re.S)


def test_what_colours_say_is_said_in_words(browser: FlaskClient, place):
    """To a screen reader a cell is how many of how many, and whether a critical one is open."""
    someone, newcomer = seated(place), seated(place, "Budi Contoh", "Instansi B")
    factories.evidence(someone, "Q", "02.1.2", "K1", "a1", at=clock.now() - HOUR, passed=True)
    rows = rows_of(browser.get(f"/angkatan/{place.slug}?urut=nama").text)
    assert [newcomer.name in rows[0], someone.name in rows[1], len(rows)] == [True, True, 2]
    for row in rows:
        cells = re.findall(r'<td class="cell heat-\d"', row)
        said = re.findall(r'<td class="cell[^<]*<.*?visually-hidden">(.*?)</span>', row, re.S)
        assert len(cells) == len(said) == 10
        assert all(re.fullmatch(r"\d+ dari \d+(, kritis belum)?", words) for words in said), said
        assert row.count('aria-hidden="true"') == 10, "the short form is for the eye only"
    assert "0 dari 8, kritis belum" not in rows[0], "a dot stands where something was begun"
    assert "1 dari 8, kritis belum" in rows[1]
    opened = rows_of(browser.get(f"/angkatan/{place.slug}?urut=nama&unit=02").text)[1]
    assert re.search(r'aria-hidden="true">T</span><span class="visually-hidden">Tercapai<', opened)
    assert 'class="visually-hidden">Belum ada bukti<' in opened


def test_a_filter_is_kept_on_the_page_and_says_so(browser: FlaskClient, place):
    seated(place, "Ana Satu", "Instansi A")
    seated(place, "Budi Dua", "Instansi B")
    agency = db.session.scalars(select(Organisation).where(Organisation.name == "Instansi B")).one()
    page = browser.get(f"/angkatan/{place.slug}?instansi={agency.public_id}").text
    [row] = rows_of(page)
    assert "Budi Dua" in row
    assert f'value="{agency.public_id}" selected' in " ".join(page.split())


def test_people_can_be_ordered_and_filtered(app: Flask, place):
    first, second = seated(place, "Ana", "Instansi A"), seated(place, "Budi", "Instansi B")
    factories.evidence(second, "Q", "02.1.2", "K1", "a1", at=clock.now() - HOUR, passed=True)

    def names(**asked: str) -> list[str]:
        found = services.matrix(place, View(**asked), now=clock.now())
        assert found.people == 2
        assert found.matching == len(found.lines)
        return [one.seat.name for one in found.lines]

    agency = db.session.scalars(select(Organisation).where(Organisation.name == "Instansi B")).one()
    assert names(order="nama") == ["Ana", "Budi"]
    assert names(order="tercapai") == ["Budi", "Ana"]
    assert names(agency=agency.public_id) == ["Budi"]
    assert names(agency="tidak-ada", order="nama") == ["Ana", "Budi"]
    assert names(kind="puskesmas", order="nama") == ["Ana", "Budi"]
    assert names(kind="polres", order="nama") == ["Ana", "Budi"], "nobody of this kind is here"
    assert first.id != second.id


def test_what_many_have_not_reached_is_shown_with_its_interval(browser: FlaskClient, place):
    for n in range(3):
        someone = seated(place, f"Orang {n}", f"Instansi {n}")
        factories.evidence(
            someone, "SK", "03.1.1", "SK1", f"s{n}", at=clock.now() - HOUR, mark=n and 1
        )
    page = browser.get(f"/angkatan/{place.slug}").text
    assert "3 dari 3" in page
    assert "n masih kecil" in page


def test_one_person_with_every_bit_of_evidence(browser: FlaskClient, place, sign_in):
    someone, assessor = seated(place), factories.person("assessor", name="Penilai Dua")
    factories.evidence(
        someone, "SK", "03.1.1", "SK1", "s1",
        at=clock.now() - HOUR, mark=1, assessor_id=assessor.id, note="tanda bahaya kurang dua",
    )  # fmt: skip
    factories.evidence(
        someone, "SIM", "03.1.3", "S2", "r1", at=clock.now() - HOUR, passed=False, harmful=True
    )
    factories.evidence(someone, "Q", "02.1.1", "K1", "a", at=clock.now() - HOUR, passed=False)
    factories.evidence(someone, "Q", "02.1.2", "K1", "a", at=clock.now() - HOUR, passed=True)
    page = browser.get(f"/angkatan/{place.slug}/peserta/{someone.public_id}").text
    for words in (
        "Penilai Dua",
        "tanda bahaya kurang dua",
        "Aman dengan bimbingan",
        "tindakan membahayakan",
    ):
        assert words in page
    browser.post("/bahasa", data={"lang": "en"})
    page = browser.get(f"/angkatan/{place.slug}/peserta/{someone.public_id}").text
    assert "Safe with guidance" in page, "the words of the rubric have an English side"
    assert "Aman dengan bimbingan" not in page
    own = sign_in(someone)
    own.post("/bahasa", data={"lang": "en"})
    page = own.get("/kompetensi").text
    assert "Safe with guidance" in page
    assert "Aman dengan bimbingan" not in page


def test_guidance_is_recorded_once_and_opens_the_next_try(browser: FlaskClient, place):
    someone = seated(place)
    path = f"/angkatan/{place.slug}/peserta/{someone.public_id}/bimbingan"
    empty = browser.post(path, data={"about": "Q:K1", "note": ""})
    assert empty.status_code == 422
    assert "Bagian ini perlu diisi" in empty.text
    wrong = browser.post(path, data={"about": "Q:K9", "note": "x"})
    assert wrong.status_code == 422
    done = browser.post(path, data={"about": "Q:K1", "note": "Bahas 03.1.4"})
    assert done.status_code == 302
    assert len(competency.coached_at(someone.id, EvidenceKind.Q, "K1")) == 1


def test_what_guidance_is_about_is_grouped(browser: FlaskClient, place):
    page = browser.get(f"/angkatan/{place.slug}/peserta/{seated(place).public_id}").text
    groups = re.findall(r'<optgroup label="([^"]+)">(.*?)</optgroup>', page, re.S)
    assert [name for name, _options in groups] == [
        "Kuis", "Simulasi", "Studi kasus", "Observasi", "Pelajaran",
    ]  # fmt: skip
    standard = competency.current().standard
    assert groups[0][1].count("<option") == len(standard.curricula)
    assert groups[2][1].count("<option") == len(standard.cases)
    assert "Kuis K1" in groups[0][1]


def test_an_assessor_reads_but_does_not_coach(place, sign_in):
    assessor = factories.person("assessor")
    factories.staff(assessor, place, Part.ASSESSOR)
    someone, browser = seated(place), sign_in(assessor)
    path = f"/angkatan/{place.slug}/peserta/{someone.public_id}"
    page = browser.get(path)
    assert page.status_code == 200
    assert "Catat bimbingan" not in page.text
    assert browser.post(f"{path}/bimbingan", data={}).status_code == 403


def test_after_the_class_somebody_unobserved_is_named(app: Flask, place):
    seated(place)
    line = services.matrix(place, View(), now=clock.now()).lines[0]
    assert [one.reason for one in line.stuck] == [Reason.OBSERVE]


def test_the_last_day_ends_by_the_clock_of_the_class(app: Flask):
    west = factories.cohort(zone="WIB")
    seated(west)
    over = datetime(2026, 3, 21, 17, tzinfo=UTC)  # midnight after the second day
    for now, expected in [(over - timedelta(seconds=1), False), (over, True)]:
        line = services.matrix(west, View(), now=now).lines[0]
        assert (Reason.OBSERVE in {one.reason for one in line.stuck}) is expected


def test_a_certificate_is_held_until_its_last_day_is_over_in_the_west(app: Flask):
    world = World()
    made = world.certified()
    over = end_of(made.valid_until)
    for now, expected in [(over - timedelta(seconds=1), 1), (over, 0)]:
        known = facts.facts_of(world.cohort.id, [world.trainee.id], now)[world.trainee.id]
        assert sum(one.kind is FactKind.HELD for one in known) == expected
