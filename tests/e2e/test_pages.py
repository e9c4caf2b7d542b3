"""Every main page of the demonstration: narrow, zoomed, in English, without a script, and left."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests import screens
from tests.e2e.browser import SMALL, WIDE, faults, sign_in, watch

pytestmark = pytest.mark.browser
City = tuple[str, dict]  # type: ignore[type-arg]  # address and parsed JSON


def account(city: City, role: str) -> dict[str, str]:
    return next(a for a in city[1]["accounts"] if a["role"] == role)


def enter(browser: Browser, city: City, role: str, **how: object) -> Page:
    context = browser.new_context(viewport=how.pop("viewport", SMALL), **how)  # type: ignore[arg-type]
    context.set_default_timeout(8000)
    page = context.new_page()
    sign_in(page, city[0], account(city, role)["email"], account(city, role)["password"])
    return page


def test_no_page_has_a_fault_at_320_pixels(browser: Browser, city: City):
    """Width, tap targets, the exit, axe, the security policy; 640 px is 1280 px at 200 %."""
    base, made = city
    found = []
    public = screens.public_pages(made)
    for role, pages in {"": public, **screens.PAGES}.items():
        context = browser.new_context(viewport=SMALL, color_scheme="dark")  # type: ignore[arg-type]
        page = context.new_page()
        complaints = watch(page)
        if role:
            sign_in(page, base, account(city, role)["email"], account(city, role)["password"])
        for name, path in pages.items():
            screens.go(page, base, path)
            wrong = faults(page) + complaints
            complaints.clear()
            for width in (640, 1280):
                page.set_viewport_size({"width": width, "height": 700})
                wrong += [f"scrolls sideways at {width}"] * (page.evaluate(WIDE) > 0)
            page.set_viewport_size(SMALL)  # type: ignore[arg-type]
            found += [f"{name}: {text}" for text in wrong]
        context.close()
    assert found == [], "\n".join(found)


def test_the_faults_above_can_be_found(browser: Browser, city: City):
    """Positive control: planted faults are named."""
    page = browser.new_context(viewport=SMALL).new_page()  # type: ignore[arg-type]
    page.goto(f"{city[0]}/masuk")
    page.evaluate("""() => {
        document.querySelector('main').insertAdjacentHTML('beforeend',
          '<img src="/static/img/favicon.svg"><button class="tiny">x</button>');
        const tiny = document.querySelector('.tiny');
        Object.assign(tiny.style, {width: '12px', height: '12px', padding: 0, minHeight: 0});
        const wide = document.createElement('div');
        Object.assign(wide.style, {width: '900px', height: '1px'});
        document.body.append(wide);
    }""")
    found = " ".join(faults(page))
    assert "scrolls sideways" in found
    assert "small target" in found
    assert "axe image-alt" in found


def test_the_english_pages_speak_english(browser: Browser, city: City):
    page = enter(browser, city, "trainee")
    page.locator("footer button[lang=en]").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    for path in ("/", "/pelajaran", "/kuis/k1", "/kompetensi", "/sertifikat", "/akun"):
        page.goto(city[0] + path)
        assert page.locator("html").get_attribute("lang") == "en"
        frame = page.locator("header, nav.tabs, footer").all_inner_texts()
        assert "Quick exit" in frame[0]
        assert "Keluar cepat" not in page.content()
    page.locator("footer button[lang=id]").click()
    expect(page.locator("html")).to_have_attribute("lang", "id")
    page.context.close()


FRAME = """() => [...document.querySelectorAll(
  '.topbar, .tabs, footer, main form, main button, main nav, .no-print')]
  .filter(one => one.checkVisibility()).map(one => one.className || one.tagName)"""
PAPER = {"width": 680, "height": 1000}
"""A4 without its margins, narrower than where tables become cards on a screen."""


@pytest.mark.parametrize(
    ("role", "path", "words"),
    [
        ("trainer", f"{screens.HELD}/agenda", "Aula Dinas Sosial"),
        ("trainer", f"{screens.HELD}/pleno/berita-acara", "Penanda tangan"),
        ("agency", "/instansi/laporan", "Pelatihan"),
    ],
)
def test_on_paper_stands_the_page_without_its_frame(
    browser: Browser, city: City, role: str, path: str, words: str
):
    page = enter(browser, city, role, viewport=PAPER)
    page.goto(city[0] + path)
    assert page.evaluate(FRAME) != [], "the control: on the screen the frame is there"
    page.emulate_media(media="print")
    assert page.evaluate(FRAME) == []
    assert words in page.locator("main").inner_text()
    assert page.evaluate(WIDE) <= 0
    for table in page.locator("main table").all():
        assert table.evaluate("one => getComputedStyle(one).display") == "table"
    page.context.close()


def test_without_a_script_the_main_way_works(browser: Browser, city: City):
    """Sign-in, lesson, quiz, simulation, marking, certificate, verification."""
    base, made = city
    page = enter(browser, city, "trainee", java_script_enabled=False)
    page.goto(f"{base}/modul/k1/3")
    assert "Bertanya" in page.locator("h1").inner_text()
    page.goto(f"{base}/latihan/s2")
    page.locator("form[action$='/latihan'] button[type=submit]").first.click()
    page.locator("main input[name=choice]").first.check()
    page.locator("main form:has(input[name=choice]) button[type=submit]").click()
    assert "/latihan/putaran/" in page.url
    page.goto(f"{base}/kuis/k1")
    page.locator("main form button[type=submit]").last.click()
    page.locator("main input[name=choice]").first.check()
    page.locator("main form:has(input[name=choice]) button[type=submit]").last.click()
    page.goto(page.url.split("?")[0] + "?soal=1")
    assert page.locator("main input[name=choice]:checked").count() == 1, "the answer was kept"
    page.goto(f"{base}/studi-kasus/sk1/tulis")
    area = page.locator("main textarea").first
    area.fill("Catatan yang belum selesai.")
    page.locator("main form:has(textarea) button[type=submit]").first.click()
    page.goto(f"{base}/studi-kasus/sk1/tulis")
    assert page.locator("main textarea").first.input_value() == "Catatan yang belum selesai."
    page.context.close()
    assessor = enter(browser, city, "assessor", java_script_enabled=False)
    assessor.goto(f"{base}/menilai")
    assessor.locator("main a[href*='/menilai/']:not([href*='/esai'])").first.click()
    assessor.locator("main textarea[name=feedback]").fill("Ditulis sebelum selesai.")
    assessor.locator("main form:has(textarea[name=feedback]) button[type=submit]").last.click()
    assert "Ditulis sebelum selesai." in assessor.content(), "nothing typed is lost"
    assessor.context.close()
    stranger = browser.new_context(java_script_enabled=False).new_page()
    stranger.goto(f"{base}/c")
    code = next(c["code"] for c in made["certificates"] if c["status"] == "revoked")
    stranger.locator("main input:not([type=hidden])").first.fill(code.lower())
    stranger.locator("main form button[type=submit]").first.click()
    assert "dicabut" in stranger.locator("h1").inner_text()
    stranger.context.close()


@pytest.mark.parametrize("by", ["button", "keys"])
def test_the_quick_exit_leaves_nothing(browser: Browser, city: City, by: str):
    page = enter(browser, city, "trainee")
    page.context.route("https://**", lambda route: route.fulfill(body="cuaca", status=200))
    page.goto(f"{city[0]}/modul/k1/3")
    if by == "button":
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.className") == "exit", "first in the tab order"
        page.keyboard.press("Enter")
    else:
        for _press in range(3):
            page.keyboard.press("Shift")
    page.wait_for_url("https://**")
    assert "cuaca" in page.content()
    page.go_back()
    page.wait_for_load_state()
    assert "Bertanya" not in page.content(), "Back shows no lesson"
    page.goto(f"{city[0]}/modul/k1/3")
    assert "/masuk" in page.url, "the session is over"
    assert page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    page.context.close()


def test_the_keyboard_alone_answers_a_question(browser: Browser, city: City):
    page = enter(browser, city, "trainee")
    page.goto(f"{city[0]}/kuis/k1")
    start = page.locator("main form button[type=submit], main a.button[href*='/kuis/k1/']")
    start.first.press("Enter")
    page.locator("main input[name=choice]").first.focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator("[data-save-status]").first).to_contain_text("Tersimpan")
    assert page.locator("main input[name=choice]").nth(1).is_checked()
    page.context.close()
