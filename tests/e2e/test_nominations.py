"""From a nomination to the waiting list and back, in a real browser, in an office without mail."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from lms.cohorts.models import OrganisationKind
from lms.core.db import db, unit_of_work
from tests import factories
from tests.e2e.browser import LARGE, SMALL, faults, sign_in, watch
from tests.screens import free_port

pytestmark = pytest.mark.browser
CLASS = "angkatan-melati"


@dataclass(frozen=True)
class Office:
    """A served installation with a class to come, its trainer and a hospital's officer."""

    base: str
    trainer: str
    officer: str


@pytest.fixture
def office(make_app: Callable[..., Flask]) -> Iterator[Office]:
    port = free_port()
    app = make_app(base_url=f"http://127.0.0.1:{port}")
    with app.app_context():
        found = Office(f"http://127.0.0.1:{port}", "pelatih@contoh.test", "petugas@contoh.test")
        hospital = factories.organisation("RSUD Contoh", OrganisationKind.HOSPITAL)
        starts = date.today() + timedelta(days=30)  # noqa: DTZ011  # the wall clock of this machine
        where = factories.cohort(
            slug=CLASS, title="Kelas Melati", starts_on=starts, ends_on=starts + timedelta(days=1)
        )
        factories.staff(factories.person("trainer", email=found.trainer), where)
        officer = factories.person("agency", email=found.officer)
        with unit_of_work():
            factories.appoint(officer.id, hospital.id)
        db.session.remove()
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def enter(browser: Browser, office: Office, email: str, *, small: bool = False) -> Page:
    context = browser.new_context(viewport=SMALL if small else LARGE, locale="id-ID")  # type: ignore[arg-type]
    context.set_default_timeout(8000)
    page = context.new_page()
    if email:
        sign_in(page, office.base, email, factories.PASSWORD)
    return page


def text(page: Page) -> str:
    return " ".join(page.locator("main").inner_text().split())


def set_seats(page: Page, office: Office) -> None:
    page.goto(f"{office.base}/angkatan/{CLASS}/kursi")
    assert "Kursi belum diatur" in text(page)
    page.locator("main").get_by_role("link", name="Atur kursi").click()
    page.fill("#capacity", "2")
    until = date.today() + timedelta(days=20)  # noqa: DTZ011  # as above
    page.fill("#until_on", until.isoformat())
    page.fill("#until_at", "16:00")
    page.fill("#rs", "2")
    assert faults(page, axe=False) == []
    page.get_by_role("button", name="Simpan").click()
    page.wait_for_url("**/kursi")
    assert "2 dari 2 kursi masih bebas" in text(page)


def nominate(page: Page, office: Office) -> None:
    page.goto(f"{office.base}/instansi/calon")
    page.get_by_role("link", name="Usulkan peserta untuk Kelas Melati").click()
    assert "sisa 2 dari 2 kursi" in text(page)
    for row, name in enumerate(("Ani", "Budi", "Cici")):
        page.fill(f"[name=others-{row}-name]", f"{name} Contoh")
        page.fill(f"[name=others-{row}-email]", f"{name.lower()}@contoh.test")
    page.get_by_role("button", name="Usulkan", exact=True).click()
    page.get_by_role("heading", name="Usulan kami untuk kelas ini").wait_for()
    assert faults(page) == []


def states(page: Page, office: Office) -> dict[str, str]:
    """Return what the officer reads about each person."""
    page.goto(f"{office.base}/instansi/calon")
    rows = page.locator("main table tbody tr")
    return {
        str(rows.nth(n).locator("bdi").inner_text()).split()[0]: str(
            rows.nth(n).locator(".badge").inner_text()
        ).strip()
        for n in range(rows.count())
    }


def link(page: Page, office: Office, name: str) -> str:
    """Return the new link a trainer hands over, as an office without mail does."""
    page.goto(f"{office.base}/angkatan/{CLASS}/kursi")
    page.locator("main tr", has_text=name).get_by_role("button", name="Kirim tautan baru").click()
    page.locator("#tautan").wait_for()
    return page.locator("#tautan").input_value()


def test_a_declined_seat_goes_to_who_waits(browser: Browser, office: Office):
    trainer = enter(browser, office, office.trainer)
    complaints = watch(trainer)
    set_seats(trainer, office)
    officer = enter(browser, office, office.officer, small=True)
    nominate(officer, office)
    offered, waits = "Ditawari kursi", "Daftar tunggu"
    assert states(officer, office) == {"Ani": offered, "Budi": offered, "Cici": waits}

    ani = enter(browser, office, "", small=True)
    ani.goto(link(trainer, office, "Ani Contoh"))
    assert "RSUD Contoh" in text(ani)
    assert "Diusulkan oleh" in text(ani)
    assert faults(ani) == []
    ani.get_by_role("button", name="Saya tidak ikut").click()
    ani.get_by_role("heading", name="Terima kasih sudah memberi tahu").wait_for()
    assert states(officer, office) == {"Ani": "Menolak", "Budi": offered, "Cici": offered}

    cici = enter(browser, office, "")
    cici.goto(link(trainer, office, "Cici Contoh"))
    cici.fill("#password", "kereta pagi biru 27")
    cici.fill("#again", "kereta pagi biru 27")
    cici.get_by_role("button", name="Terima undangan").click()
    cici.wait_for_url(f"{office.base}/")
    assert states(officer, office)["Cici"] == "Pasti ikut"

    trainer.goto(f"{office.base}/angkatan/{CLASS}/kursi")
    assert "1 pasti, 0 dari 2 kursi masih bebas" in text(trainer)
    assert faults(trainer, axe=False) == []
    trainer.goto(f"{office.base}/angkatan/{CLASS}/kursi/catatan?periksa=1")
    assert "3 kursi, semuanya menurut aturan" in text(trainer)
    assert complaints == []
    for page in (trainer, officer, ani, cici):
        page.context.close()
