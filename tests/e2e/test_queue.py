"""The network goes away in the middle of a quiz: answers wait in the page, and none is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from lms.core import clock
from lms.core.db import unit_of_work
from lms.quizzes import rules, sheets, timing
from lms.quizzes.services import AttemptRef
from tests import factories
from tests.conftest import SqliteHome
from tests.e2e.browser import SMALL, faults, sign_in, watch
from tests.e2e.conftest import Prepared, let_go, serve_prepared
from tests.quizzes.helpers import begin

pytestmark = pytest.mark.browser
EMAIL = "murid@contoh.test"
OPTIONS = "input[name=choice]"
ONWARD = "form#kuis button.button[value=lanjut]"


def fill() -> AttemptRef:
    """Let somebody begin a quiz of an hour."""
    with unit_of_work():
        timing.set_limit("K1", 60, pausable=True, actor_id=None, now=clock.now())
    return begin(factories.person(email=EMAIL).id, clock.now())


@pytest.fixture(scope="module")
def office(sqlite_home: SqliteHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prepared]:
    """A served installation in which one quiz runs."""
    folder: Path = tmp_path_factory.mktemp("queue")
    with serve_prepared(sqlite_home, folder, fill) as found:
        yield found


@pytest.fixture
def page(office: Prepared, browser: Browser) -> Iterator[Page]:
    """The first question, on a phone."""
    found = enter(browser, office)
    complaints = watch(found)
    yield found
    found.context.close()
    refused = [one for one in complaints if "ERR_INTERNET_DISCONNECTED" not in one
               and "ERR_FAILED" not in one]  # fmt: skip
    assert refused == []


def enter(browser: Browser, office: Prepared) -> Page:
    page = browser.new_context(viewport=SMALL, locale="id-ID").new_page()
    sign_in(page, office.base, EMAIL, factories.PASSWORD)
    page.goto(f"{office.base}/kuis/k1/{office.made.public_id}?soal=1")
    return page


def stored(office: Prepared) -> dict[int, rules.Answer]:
    """Return what the server counts, by position."""
    with office.app.app_context():
        sheet = sheets.get_sheet(office.made)
        found = {line.position: line.answer for line in sheet.lines if line.answer.at}
        let_go()
    return found


def test_answers_wait_for_the_network_and_the_page_goes_on_by_itself(page: Page, office: Prepared):
    status = page.locator("[data-save-status]").first
    page.locator(OPTIONS).nth(0).check()
    expect(status).to_contain_text("Tersimpan")
    assert faults(page) == []

    page.context.set_offline(True)
    for place in (1, 2, 3):  # the newest of several counts
        page.locator(OPTIONS).nth(place).check()
    page.locator("input[name=flagged]").check()
    expect(status).to_contain_text("Belum tersimpan")
    assert stored(office)[1].choice == 1
    page.locator(ONWARD).click()
    expect(status).to_contain_text("Menunggu jaringan")
    assert page.url.endswith("soal=1")
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]

    page.context.set_offline(False)
    page.wait_for_url("**?soal=2", timeout=20000)
    assert stored(office)[1].choice == 4
    assert stored(office)[1].flagged


def test_a_line_that_only_looks_alive_holds_the_page_too(page: Page, office: Prepared):
    """The browser thinks it is online, as behind a captive portal that answers everything."""
    status = page.locator("[data-save-status]").first
    portal = "<!doctype html><title>Masuk Wi-Fi</title>"
    page.route("**/simpan", lambda route: route.fulfill(body=portal, content_type="text/html"))
    page.goto(page.url.replace("soal=1", "soal=3"))
    page.locator(OPTIONS).nth(1).check()
    expect(status).to_contain_text("Belum tersimpan")
    page.locator(ONWARD).click()
    expect(status).to_contain_text("Menunggu jaringan")
    assert 3 not in stored(office)

    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.evaluate("() => { location.href = '/bantuan'; }")
    page.wait_for_timeout(300)
    assert asked == ["beforeunload"], "leaving warns"
    assert "soal=3" in page.url

    page.unroute("**/simpan")
    page.wait_for_url("**?soal=4", timeout=30000)
    assert stored(office)[3].choice == 2


def test_the_time_is_quiet_and_can_be_hidden(page: Page):
    text, voice = page.locator("[data-timer-text]"), page.locator("[data-timer-voice]")
    expect(text).to_contain_text("menit")
    assert voice.inner_text() == "", "nothing is said before half time"
    page.get_by_role("button", name="Sembunyikan sisa waktu").click()
    expect(text).to_be_hidden()
    page.get_by_role("button", name="Tampilkan sisa waktu").click()
    expect(text).to_be_visible()
    assert faults(page) == []
    # A receipt brings the server's count: what the page counted meanwhile is forgotten.
    page.evaluate(
        "() => document.dispatchEvent(new CustomEvent('suluh:saved', {detail: {left: 290}}))"
    )
    expect(voice).to_contain_text("5 menit")
