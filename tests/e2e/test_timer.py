"""The big screen counts an exercise down and shows a break, while the server cannot be reached."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests import factories
from tests.conftest import SqliteHome
from tests.e2e.browser import LARGE, SMALL, faults, sign_in, watch
from tests.e2e.conftest import Prepared, serve_prepared
from tests.e2e.test_door import TRAINER, fill

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def office(
    sqlite_home: SqliteHome, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Prepared[str]]:
    """A served installation in which a class is held."""
    with serve_prepared(sqlite_home, tmp_path_factory.mktemp("timer"), fill) as found:
        yield found


def screen(browser: Browser, office: Prepared[str], **how: object) -> tuple[Page, str]:
    context = browser.new_context(locale="id-ID", **how)  # type: ignore[arg-type]  # as they are
    context.set_default_timeout(8000)
    page = context.new_page()
    sign_in(page, office.base, TRAINER, factories.PASSWORD)
    address = f"{office.base}/angkatan/{office.made}/hadir/kode?bagian=2pm"
    page.goto(address)
    return page, address


def hour_of(field: Locator) -> timedelta:
    hour, minute = field.input_value().split(":")
    return timedelta(hours=int(hour), minutes=int(minute))


def test_it_counts_on_without_the_server_and_after_a_reload(
    browser: Browser, office: Prepared[str]
):
    page, _address = screen(browser, office, viewport=LARGE, reduced_motion="reduce")
    complaints = watch(page)
    page.clock.install()
    page.reload()
    assert faults(page) == []
    time, words = page.locator("[data-stage-time]"), page.locator("[data-stage-words]")
    voice = page.locator("[data-stage-voice]")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.context.set_offline(True)

    # By the keyboard: five minutes, then the button.
    page.locator("input[name=latihan][value='5']").focus()
    page.keyboard.press("Space")
    page.locator("#menit").focus()
    page.keyboard.press("Enter")
    expect(time).to_have_text("05:00")
    expect(words).to_have_text(re.compile(r"^Sampai pukul \d\d\.\d\d$"))
    expect(voice).to_have_text("Sisa 5 menit")
    assert page.evaluate("document.activeElement.textContent") == "Tahan"
    assert not page.locator(".code-screen, .foot, .tabs, .who").first.is_visible()
    assert page.locator("button.exit").is_visible()
    assert faults(page) == []
    page.clock.run_for(61_000)
    expect(time).to_have_text("03:59")
    expect(voice).to_have_text("Sisa 4 menit")

    # Held it stands still, also over a reload; the server is there for that only.
    page.keyboard.press("Enter")
    expect(words).to_have_text("Waktu ditahan")
    page.clock.run_for(30_000)
    page.context.set_offline(False)
    page.reload()
    page.context.set_offline(True)
    expect(time).to_have_text("03:59")
    page.get_by_role("button", name="Tambah 1 menit").click()
    page.get_by_role("button", name="Lanjutkan").click()
    expect(time).to_have_text("04:59")
    page.clock.run_for(4 * 60_000 + 58_000)
    expect(time).to_have_text("00:01")
    page.clock.run_for(2_000)
    expect(words).to_have_text("Waktu latihan selesai")
    assert page.evaluate("document.activeElement.textContent") == "Akhiri"
    expect(voice).to_have_text("Waktu latihan selesai")
    assert not time.is_visible()
    assert page.locator(".stage").evaluate("e => getComputedStyle(e).transitionDuration") == "0s"
    assert page.locator("audio, video").count() == 0
    assert faults(page) == []
    page.get_by_role("button", name="Tambah 1 menit").click()
    expect(time).to_have_text("01:00")
    page.get_by_role("button", name="Akhiri").click()
    assert not page.locator(".stage").is_visible()
    expect(page.get_by_role("heading", name="Latihan dan jeda")).to_be_visible()

    # A break, by its hour; it outlives a reload and goes when the trainer says so.
    page.fill("#jeda", "10:15")
    page.get_by_role("button", name="Tampilkan jeda").click()
    expect(words).to_have_text("Jeda. Kembali pukul 10.15.")
    assert not time.is_visible()
    assert faults(page) == []
    before = [one for one in asked if "/static/" not in one and "/hadir/kode" not in one]
    assert before == []  # nothing of it was ever sent
    page.context.set_offline(False)
    page.reload()
    expect(words).to_have_text("Jeda. Kembali pukul 10.15.")
    stored = page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")
    assert "10:15" in stored
    assert "contoh" not in stored
    page.get_by_role("button", name="Selesai jeda").click()
    page.reload()
    assert not page.locator(".stage").is_visible()
    assert [one for one in complaints if "ERR_INTERNET" not in one] == []
    page.context.close()


def test_the_break_it_proposes_lies_ahead_however_long_the_page_stands(
    browser: Browser, office: Prepared[str]
):
    page, _address = screen(browser, office, viewport=LARGE)
    page.clock.install()
    page.reload()
    field, minutes = page.locator("#jeda"), page.locator("#menit")
    field.focus()
    first = hour_of(field)
    minutes.focus()
    page.clock.run_for(2 * 60 * 60_000)
    field.focus()
    # Rounded up to five minutes; a moment passes between the two.
    assert (hour_of(field) - first) % timedelta(days=1) in (
        timedelta(minutes=120),
        timedelta(minutes=125),
    )
    # What somebody wrote stays.
    field.fill("10:15")
    page.clock.run_for(60 * 60_000)
    minutes.focus()
    field.focus()
    assert field.input_value() == "10:15"
    page.context.close()


def test_a_small_screen_holds_three_digits(browser: Browser, office: Prepared[str]):
    page, _address = screen(browser, office, viewport=SMALL)
    page.fill("#menit", "120")
    page.get_by_role("button", name="Mulai hitung mundur").click()
    expect(page.locator("[data-stage-time]")).to_have_text(re.compile(r"^(120:00|119:5\d)$"))
    assert faults(page) == []
    page.context.close()


def test_without_a_script_the_page_names_the_hour(browser: Browser, office: Prepared[str]):
    page, address = screen(browser, office, viewport=SMALL, java_script_enabled=False)
    page.get_by_role("button", name="Mulai hitung mundur").click()
    expect(page.locator(".stage")).to_contain_text(re.compile(r"Latihan sampai pukul \d\d\.\d\d\."))
    page.get_by_role("link", name="Akhiri").click()
    assert page.url == address
    page.fill("#jeda", "10:15")
    page.get_by_role("button", name="Tampilkan jeda").click()
    expect(page.locator(".stage")).to_contain_text("Jeda. Kembali pukul 10.15.")
    page.get_by_role("link", name="Selesai jeda").click()
    assert page.locator(".stage").count() == 1
    assert not page.locator(".stage").is_visible()
    page.context.close()
