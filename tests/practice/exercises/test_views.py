"""Pages of material: what is read, what is printed, and who may."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms.accounts.models import Person
from lms.cohorts import services as cohorts
from lms.cohorts.models import Part
from lms.cohorts.timetable import pattern
from lms.core.db import unit_of_work
from lms.modules import services as modules
from lms.practice.exercises import services
from lms.practice.exercises.content import check
from tests import factories
from tests.conftest import LOADED_AT
from tests.ledgers import SPEC
from tests.practice.exercises import desk

SignIn = Callable[[Person], FlaskClient]
BASE = "/latihan/bahan"


@pytest.fixture
def trainer(app: Flask, sign_in: SignIn, tmp_path: Path) -> FlaskClient:
    """A trainer, when one piece of each kind is loaded."""
    placed = check(desk.folder(tmp_path), SPEC)[0]
    with unit_of_work():
        services.load(placed, now=LOADED_AT)
        modules.attach_material(services.by_lesson(placed))
    return sign_in(factories.person("trainer"))


@pytest.fixture
def trainee(trainer: FlaskClient, sign_in: SignIn) -> FlaskClient:
    """Somebody who learns."""
    return sign_in(factories.person("trainee"))


def test_a_drill_is_read_with_everything(trainer: FlaskClient):
    text = trainer.get(f"{BASE}/k1.t").text
    for part in (
        "Satu malam",
        "Menyebut ancaman, tanpa rincian.",
        "Yang hanya diketahui polsek.",
        "Ibu T.: “Saya takut.”",
        "Bertanya apakah aman.",
        "Menelepon balik. (H8)",
        "Bertanya sebagian.",
        "Belum ditelaah ahli",
    ):
        assert part in text
    assert "<title>Bahan latihan" in text


def test_role_cards_are_read_with_their_traps_and_printed_without(trainer: FlaskClient):
    read = trainer.get(f"{BASE}/k1.11").text
    assert "Bercerita semua." in read
    assert "Pengetahuan lpsk." in read
    sheet = trainer.get(f"{BASE}/k1.11/peran").text
    assert "Bercerita semua." not in sheet
    assert sheet.count("sheet-page") == 3  # the case, and one card a page
    assert "UU 23/2004 ps 16" in sheet


def test_the_script_tells_what_is_expected_and_the_cards_do_not(trainer: FlaskClient):
    script = trainer.get(f"{BASE}/k1.t/naskah").text
    assert "Bertanya apakah aman." in script
    assert "0′" in script
    cards = trainer.get(f"{BASE}/k1.t/kartu").text
    assert cards.count("cut-card stack-tight") == 3
    assert "Saya takut" in cards
    for hidden in ("Bertanya apakah aman.", "Menelepon balik.", "Yang hanya diketahui", "03.1.1"):
        assert hidden not in cards
    seats = trainer.get(f"{BASE}/k1.t/peran").text
    assert "Yang hanya diketahui dinsos." in seats
    assert "Saya takut" not in seats


def test_the_right_entries_are_folded_and_the_empty_form_has_none(trainee: FlaskClient):
    text = trainee.get(f"{BASE}/k1.10").text
    folded = text.split("<details", 1)[1]
    assert "Sebab risiko." in folded
    assert "Sebab risiko." not in text.split("<details", 1)[0]
    assert "Data peka" in text
    form = trainee.get(f"{BASE}/k1.10/formulir").text
    assert "Ibu R. menelepon." in form
    assert "Sebab risiko." not in form
    assert "KC-01" not in form
    assert form.count('class="box"') == 5  # two choices; yes, no, unknown


def test_who_learns_opens_no_card_before_it_is_handed_out(
    trainee: FlaskClient, trainer: FlaskClient
):
    hidden = ["k1.t", "k1.11", "k1.t/kartu", "k1.11/peran", "k1.10/jawaban"]
    for path in hidden:
        assert trainer.get(f"{BASE}/{path}").status_code == 200, path
        assert trainee.get(f"{BASE}/{path}").status_code == 404, path
    listed = trainee.get(BASE).text
    assert f"{BASE}/k1.10" in listed
    assert f"{BASE}/k1.t" not in listed
    assert f"{BASE}/k1.t" in trainer.get(BASE).text


@pytest.mark.parametrize("path", ["k9.t", "k1.t/formulir", "k1.10/kartu", "k1.t/lain"])
def test_what_is_not_there_is_not_found(trainer: FlaskClient, path: str):
    assert trainer.get(f"{BASE}/{path}").status_code == 404


def test_the_lesson_leads_to_the_material_its_reader_may_see(
    trainer: FlaskClient, trainee: FlaskClient
):
    assert f"{BASE}/k1.t" in trainer.get("/modul/k1/11").text
    assert f"{BASE}/k1.t" not in trainee.get("/modul/k1/11").text
    assert f"{BASE}/k1.10" in trainee.get("/modul/k1/10").text


def test_who_prepares_a_class_finds_what_its_timetable_needs(trainer: FlaskClient, sign_in: SignIn):
    starts = date(2026, 3, 20)
    days = {"starts_on": starts, "ends_on": starts + timedelta(days=1)}
    host = factories.organisation("Dinas Contoh")
    cohort = factories.cohort(host, slug="melati", timetable=pattern(), **days)
    teacher = factories.person("trainer")
    with unit_of_work():
        cohorts.add_staff(teacher.id, cohort.id, Part.TRAINER)
    text = sign_in(teacher).get("/angkatan/melati/persiapan").text
    assert f"{BASE}/k1.t" in text
    assert f"{BASE}/k1.10" not in text  # its lesson is read at home


def test_somebody_without_material_is_told_so(app: Flask, sign_in: SignIn):
    with unit_of_work():
        services.load([], now=LOADED_AT)
    assert "Belum ada bahan" in sign_in(factories.person("trainer")).get(BASE).text
