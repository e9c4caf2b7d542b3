"""A day of an agency's officer in a real browser, from the list to what the holder sees."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from lms.core import clock
from lms.core.db import db, unit_of_work
from tests import factories
from tests.credentials.world import World
from tests.e2e.browser import LARGE, SMALL, faults, sign_in, watch
from tests.screens import free_port

pytestmark = pytest.mark.browser
OFFICER = "petugas@contoh.test"


@dataclass(frozen=True)
class Agency:
    """A served installation with an agency that has certified people."""

    base: str
    holder: str
    papers: list[tuple[str, str]]
    """Code and printed name."""
    number: str
    """The number on the first paper."""


@pytest.fixture
def agency(make_app: Callable[..., Flask]) -> Iterator[Agency]:
    port = free_port()
    app = make_app(base_url=f"http://127.0.0.1:{port}")
    with app.app_context():
        world = World()
        people = [world.trainee, *(world.join(name) for name in ("Budi Satu", "Cici Dua"))]
        month_ago = clock.now() - timedelta(days=30)  # nothing of it is about to end
        issued = [world.certified(person, now=month_ago) for person in people]
        papers = [(made.code, made.holder_name) for made in issued]
        found = Agency(f"http://127.0.0.1:{port}", world.trainee.email, papers, issued[0].number)
        officer = factories.person("agency", email=OFFICER)
        with unit_of_work():
            factories.appoint(officer.id, world.agency.id)
        db.session.remove()
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield found
    server.shutdown()
    thread.join()
    server.server_close()


def enter(browser: Browser, agency: Agency, email: str, *, small: bool = False) -> Page:
    context = browser.new_context(viewport=SMALL if small else LARGE, locale="id-ID")  # type: ignore[arg-type]
    context.set_default_timeout(8000)
    page = context.new_page()
    sign_in(page, agency.base, email, factories.PASSWORD)
    return page


def text(page: Page) -> str:
    return " ".join(page.locator("main").inner_text().split())


def see_people(page: Page) -> None:
    page.locator("main").get_by_role("link", name="Lihat daftar").click()
    page.get_by_role("heading", name="3 pendamping, 3 berlaku").wait_for()
    assert faults(page) == []
    page.get_by_role("link", name="3 Asesmen Risiko, Berlaku").click()
    assert "1–3 dari 3" in text(page)


def check_five(page: Page, agency: Agency) -> None:
    page.goto(f"{agency.base}/instansi/periksa/daftar")
    rows = [f"{code}; {name}" for code, name in agency.papers]
    page.fill(
        "#rows", "\n".join([*rows, f"{agency.papers[0][0]}; Salah", "9999/X/2026; Tidak Ada"])
    )
    assert faults(page, axe=False) == []
    page.get_by_role("button", name="Periksa daftar").click()
    page.get_by_role("heading", name="5 baris, 4 berlaku").wait_for()
    assert faults(page) == []
    with page.expect_download() as download:
        page.get_by_role("link", name="Unduh hasil (CSV)").click()
    lines = download.value.path().read_text(encoding="utf-8-sig").splitlines()
    assert len(lines) == 6
    assert ";Berlaku;tidak cocok;" in lines[4]


def set_duty(page: Page, agency: Agency) -> None:
    page.goto(f"{agency.base}/instansi/piket")
    assert "Tidak ada yang tercatat bertugas" in text(page)
    page.get_by_role("link", name="Atur piket").click()
    for day in range(7):
        for shift in ("day", "night"):
            page.fill(f"[name=h{day}-{shift}-0]", "Rahma Yuliani")
    assert faults(page) == []
    page.get_by_role("button", name="Simpan piket").click()
    page.get_by_role("heading", name="Tujuh malam berikut").wait_for()
    assert "Ya. Bertugas: Rahma Yuliani." in text(page)
    assert faults(page) == []


def complain(page: Page, agency: Agency) -> None:
    page.goto(f"{agency.base}/instansi/pengaduan")
    page.get_by_role("link", name="Ajukan pengaduan").click()
    code, name = agency.papers[0]
    page.fill("#asked", code)
    page.fill("#name", name)
    page.select_option("#kind", "doubted")
    page.fill("#text", "Telepon 081234567890")
    page.get_by_role("button", name="Kirim pengaduan").click()
    assert "Hapus NIK dan nomor telepon" in text(page)
    page.fill("#text", "Kertas ini ditunjukkan oleh orang lain.")
    assert faults(page) == []
    page.get_by_role("button", name="Kirim pengaduan").click()
    page.get_by_role("heading", name=f"Pengaduan {agency.number}").wait_for()
    assert "Diterima" in text(page)


def test_a_day_of_an_agency(browser: Browser, agency: Agency):
    officer = enter(browser, agency, OFFICER, small=True)
    complaints = watch(officer)
    assert "Ada celah" in text(officer)
    assert faults(officer) == []
    see_people(officer)
    check_five(officer, agency)
    set_duty(officer, agency)
    complain(officer, agency)
    officer.goto(agency.base)
    assert "1 pengaduan berjalan" in text(officer)

    holder = enter(browser, agency, agency.holder)
    holder.goto(f"{agency.base}/sertifikat")
    assert "Puskesmas Kenanga" in text(holder)
    assert "dengan kode" in text(holder)
    assert complaints == []
    for page in (officer, holder):
        page.context.close()
