"""Somebody without a seat stands at the door: on the list in under a minute, by their telephone."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from lms.cohorts.models import Part
from lms.core import clock
from tests import factories
from tests.conftest import SqliteHome
from tests.e2e.browser import SMALL, faults, sign_in, watch
from tests.e2e.conftest import Prepared, serve_prepared

pytestmark = pytest.mark.browser
SECONDS = 60
"""What a trainer may need for one person."""
TRAINER = "pelatih@contoh.test"


def fill() -> str:
    """Hold a class today; return its address."""
    today = clock.now().date()
    cohort = factories.cohort(starts_on=today - timedelta(days=1), ends_on=today)
    factories.staff(factories.person("trainer", email=TRAINER), cohort, Part.TRAINER)
    return cohort.slug


@pytest.fixture(scope="module")
def office(
    sqlite_home: SqliteHome, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prepared[str]]:
    """A served installation in which a class is held."""
    with serve_prepared(sqlite_home, tmp_path_factory.mktemp("door"), fill) as found:
        yield found


def phone(browser: Browser) -> tuple[Page, list[str]]:
    context = browser.new_context(viewport=SMALL, locale="id-ID")
    context.set_default_timeout(8000)
    page = context.new_page()
    return page, watch(page)


def test_from_the_door_onto_the_list(browser: Browser, office: Prepared[str]):
    here = f"{office.base}/angkatan/{office.made}/hadir"
    trainer, complaints = phone(browser)
    sign_in(trainer, office.base, TRAINER, factories.PASSWORD)
    trainer.goto(f"{here}?bagian=2pm")
    begun = time.monotonic()
    trainer.get_by_role("link", name="Daftar di tempat").click()
    assert faults(trainer) == []
    trainer.fill("#email", "Tamu.Baru@contoh.test")
    trainer.fill("#name", "Tamu Baru")
    trainer.locator("#organisation").select_option(index=1)
    trainer.get_by_label("Terlambat").check()
    trainer.get_by_role("button", name="Daftarkan dan catat").click()
    expect(trainer.locator("body")).to_contain_text("terdaftar dan kehadirannya tercatat")
    assert time.monotonic() - begun < SECONDS
    assert faults(trainer) == []
    assert trainer.locator(".qr svg").is_visible()
    link = trainer.locator("#tautan").input_value()

    # The person scans it and chooses a password; the account was waiting for that.
    person, worries = phone(browser)
    person.goto(link)
    person.fill("[name=password]", "payung biru di teras 4")
    person.fill("[name=again]", "payung biru di teras 4")
    if person.locator("[name=agree]").count():
        person.check("[name=agree]")
    person.get_by_role("button", name="Terima undangan").click()
    expect(person.locator("body")).to_contain_text("Undangan diterima")
    person.goto(f"{office.base}/hadir")
    expect(person.locator("main li", has_text="Hari 2, siang").first).to_contain_text("Terlambat")

    trainer.goto(f"{here}/di-tempat?bagian=2pm")
    line = trainer.locator("section li", has_text="Tamu Baru")
    expect(line).to_contain_text("diterima")
    assert line.get_by_role("button").count() == 0  # theirs now

    # A typing error is taken back on the spot.
    trainer.fill("#email", "salah.ketik@contoh.test")
    trainer.fill("#name", "Tamu Kedua")
    trainer.locator("#organisation").select_option(index=1)
    trainer.get_by_role("button", name="Daftarkan dan catat").click()
    trainer.get_by_role("button", name="Batalkan pendaftaran Tamu Kedua").click()
    expect(trainer.locator("body")).to_contain_text("kursinya bebas lagi")
    expect(trainer.locator("section", has_text="didaftarkan di tempat")).not_to_contain_text(
        "Tamu Kedua"
    )
    assert complaints + worries == []
    person.context.close()
    trainer.context.close()
