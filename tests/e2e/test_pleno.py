"""The decision meeting in a real browser: two people sign a class, a job issues it."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect

from lms.core import clock
from tests import factories
from tests.conftest import SqliteHome
from tests.credentials.test_issuing import decide_fast
from tests.credentials.world import World, fulfil
from tests.e2e.browser import LARGE, SMALL, faults, sign_in, watch
from tests.e2e.conftest import serve_prepared

pytestmark = pytest.mark.browser
READY = ("Ani Contoh", "Budi Contoh", "Citra Contoh")
MANY = 30


@dataclass(frozen=True)
class Served:
    """A served class: three people ready, one far from it, thirty decided and not issued."""

    base: str
    trainer: str
    assessor: str


@pytest.fixture(scope="module")
def served(sqlite_home: SqliteHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve the class prepared through the services."""
    with serve_prepared(sqlite_home, tmp_path_factory.mktemp("pleno"), _fill) as found:
        yield Served(found.base, *found.made)


def _fill() -> tuple[str, str]:
    world = World()
    for name in READY:
        fulfil(world.join(name), "K1", at=clock.now() - timedelta(days=9))
    decide_fast(world, MANY, now=clock.now())
    return world.trainer.email, world.assessor.email


def open_as(browser: Browser, served: Served, email: str, *, small: bool) -> tuple[Page, list[str]]:
    context = browser.new_context(viewport=SMALL if small else LARGE, locale="id-ID")
    page = context.new_page()
    complaints = watch(page)
    sign_in(page, served.base, email, factories.PASSWORD)
    page.goto(f"{served.base}/angkatan/melati/pleno")
    return page, complaints


def confirm(page: Page) -> None:
    """Tick what has to be ticked and send the form."""
    page.locator("main input[name=confirm]").check()
    page.locator("main form:has(input[name=confirm]) button[type=submit]").click()
    page.wait_for_load_state()


def test_two_people_sign_a_class_and_a_job_issues_it(browser: Browser, served: Served):
    trainer, first_complaints = open_as(browser, served, served.trainer, small=False)
    assert faults(trainer) == []
    expect(trainer.locator("main")).to_contain_text("Siap diputuskan (3)")
    expect(trainer.locator("main")).to_contain_text("Terhalang (1)")
    trainer.get_by_role("button", name="Periksa dan tanda tangani").click()
    expect(trainer.locator("h1")).to_contain_text("Tanda tangani 3 keputusan")
    for name in READY:
        expect(trainer.locator("main ol.rows")).to_contain_text(name)
    assert faults(trainer) == []
    confirm(trainer)
    expect(trainer.locator("body")).to_contain_text("3 usulan Anda tanda tangani")

    assessor, second_complaints = open_as(browser, served, served.assessor, small=True)
    expect(assessor.locator("main")).to_contain_text("Menunggu tanda tangan kedua (3)")
    assert faults(assessor, axe=False) == []
    assessor.get_by_role("link", name=READY[0]).click()
    assessor.locator("details.unit summary").first.click()
    assert faults(assessor) == []
    assessor.go_back()
    assessor.get_by_role("button", name="Periksa dan tanda tangani yang kedua").click()
    confirm(assessor)
    expect(assessor.locator("body")).to_contain_text("3 keputusan lengkap")

    trainer.goto(f"{served.base}/angkatan/melati/penerbitan")
    expect(trainer.locator("main button[type=submit]")).to_contain_text(
        f"Terbitkan {MANY + len(READY)} sertifikat"
    )
    confirm(trainer)
    moved = trainer.wait_for_function(
        "() => { const bar = document.querySelector('[data-job] progress');"
        " return bar && bar.value > 0 && bar.value < bar.max ? bar.value : false; }",
        timeout=20_000,
    )
    assert 0 < moved.json_value() < MANY + len(READY), "the bar moves while the page stands"
    expect(trainer.locator("main")).to_contain_text(
        f"{MANY + len(READY)} sertifikat terbit.", timeout=20_000
    )
    assert faults(trainer) == []
    with trainer.expect_download() as download:
        trainer.get_by_role("link", name="Unduh semua PDF").click()
    assert download.value.path().read_bytes().count(b"%PDF-") == MANY + len(READY)
    trainer.goto(f"{served.base}/angkatan/melati/pleno/berita-acara")
    assert faults(trainer) == []
    expect(trainer.locator("main table").first).to_contain_text(re.compile(r"0001/SULUH-K1/20\d\d"))
    assert first_complaints + second_complaints == [], json.dumps(
        first_complaints + second_complaints
    )
