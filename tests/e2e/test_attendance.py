"""Attendance in a real browser: by the code on the screen, and keyed in from the signed sheet."""

import re
import time
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import LARGE, SMALL, faults, sign_in, watch

pytestmark = pytest.mark.browser
City = tuple[str, dict]  # type: ignore[type-arg]  # address and parsed JSON
CLASS = "kota-contoh-2"
KEYSTROKES, SECONDS = 60, 180
"""What 25 rows may cost at most."""


def enter(browser: Browser, city: City, role: str, **how: object) -> tuple[Page, list[str]]:
    context = browser.new_context(viewport=how.pop("viewport", SMALL), **how)  # type: ignore[arg-type]
    context.set_default_timeout(8000)
    page = context.new_page()
    complaints = watch(page)
    person = next(a for a in city[1]["accounts"] if a["role"] == role)
    sign_in(page, city[0], person["email"], person["password"])
    return page, complaints


def leave_midnight() -> None:
    """Wait out the two minutes around midnight in the class, by the clock of Kota Contoh (WITA).

    Before it the code would end with its day, and in the first minute of a day nobody is late.
    """
    zone, minute = ZoneInfo("Asia/Makassar"), timedelta(minutes=1)
    while (datetime.now(zone) + minute).date() != (datetime.now(zone) - minute).date():
        time.sleep(1)


def test_by_the_code_on_the_screen(browser: Browser, city: City):
    leave_midnight()
    base = city[0]
    trainer, complaints = enter(browser, city, "trainer", viewport=LARGE)
    trainer.goto(f"{base}/angkatan/{CLASS}/hadir/langsung?bagian=2am")
    trainer.goto(f"{base}/angkatan/{CLASS}/hadir?bagian=2am")
    name = "Rahma Yuliani"
    row = trainer.locator("main li", has_text=name).first
    row.locator("summary").click()
    row.locator("button[name=peserta]").click()
    expect(trainer.locator("body")).to_contain_text("Catatan kehadiran dibatalkan.")

    trainer.goto(f"{base}/angkatan/{CLASS}/hadir/kode?bagian=2am")
    assert faults(trainer) == []
    trainer.fill("#mulai", "00:00")
    trainer.fill("#toleransi", "0")
    trainer.get_by_role("button", name="Tampilkan kode").click()
    letters = trainer.locator(".code-letters b")
    expect(letters).to_have_text(re.compile(r"^[2-9A-Z]{3} [2-9A-Z]{3}$"))
    assert faults(trainer) == []
    assert trainer.locator(".code-qr").evaluate("e => e.complete && e.naturalWidth > 0")

    trainee, worries = enter(browser, city, "trainee")
    trainee.goto(f"{base}/hadir")
    assert faults(trainee) == []
    trainee.fill("#kode", "222 222")
    trainee.get_by_role("button", name="Catat kehadiran saya").click()
    expect(trainee.locator("#galat")).to_contain_text("belum cocok atau sudah berganti")
    trainee.goto(f"{base}/hadir/{CLASS}/{letters.inner_text().replace(' ', '')}")
    assert faults(trainee) == []
    trainee.get_by_role("button", name="Catat kehadiran saya").click()
    expect(trainee.locator("body")).to_contain_text("Tercatat: Hari 2, pagi, Terlambat.")

    # The screen counts on by itself, and the trainer sees who it was.
    expect(trainer.locator("[data-live]")).to_contain_text("25 dari 25", timeout=12000)
    trainer.goto(f"{base}/angkatan/{CLASS}/hadir/langsung?bagian=2am")
    assert faults(trainer) == []
    expect(trainer.locator("main li", has_text=name)).to_contain_text("Terlambat")
    trainer.get_by_role("button", name=f"Batalkan {name}").click()
    expect(trainer.locator("main")).to_contain_text("Belum ada yang masuk")
    trainee.goto(f"{base}/hadir")
    expect(trainee.locator("main li", has_text="Hari 2, pagi")).to_contain_text(
        "Kode sedang dibuka"
    )
    assert complaints + worries == []
    trainer.context.close()
    trainee.context.close()


def test_from_the_signed_sheet_by_keyboard(browser: Browser, city: City):
    """25 rows: one letter each and Enter to save, in far less than three minutes."""
    page, complaints = enter(browser, city, "trainer", viewport=LARGE)
    page.goto(f"{city[0]}/angkatan/{CLASS}/hadir/lembar?bagian=1pm")
    assert faults(page) == []
    fields = page.locator("form[data-rows] input[type=text]")
    assert fields.count() == 25
    typed = ["h"] * 25
    typed[3], typed[8], typed[17] = "t", "s45", "a"
    before = [fields.nth(n).input_value() for n in range(25)]
    changed = sum(a != b for a, b in zip(before, typed, strict=True))
    assert changed >= 3
    strokes, begun = 0, time.monotonic()
    fields.first.focus()
    page.keyboard.press("Control+A")
    for letters in typed:
        for letter in letters:
            page.keyboard.press(letter)
            strokes += 1
        if len(letters) > 1:  # a letter alone moves on by itself
            page.keyboard.press("Enter")
            strokes += 1
    assert page.evaluate("document.activeElement.hasAttribute('data-rows-last')")
    page.keyboard.press("Enter")
    strokes += 1
    expect(page.locator("body")).to_contain_text(f"Kehadiran {changed} orang tersimpan.")
    seconds = time.monotonic() - begun
    assert strokes <= KEYSTROKES
    assert seconds < SECONDS
    assert [fields.nth(n).input_value() for n in range(25)] == typed

    # Without letters the arrows and Enter only move.
    fields.nth(4).focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    assert page.evaluate("document.activeElement.name") == fields.nth(5).get_attribute("name")
    fields.nth(6).fill("")
    page.get_by_role("button", name="Isi h di baris kosong").click()
    assert fields.nth(6).input_value() == "h"
    with page.expect_download() as download:
        page.evaluate(
            """() => {
              const link = document.querySelector("a[href*='lembar.pdf']");
              link.download = 'lembar.pdf';
              link.click();
            }"""
        )
    assert download.value.path().read_bytes().startswith(b"%PDF")
    assert complaints == []
    page.context.close()


def test_from_the_sheet_without_a_script(browser: Browser, city: City):
    page, _complaints = enter(browser, city, "trainer", java_script_enabled=False)
    page.goto(f"{city[0]}/angkatan/{CLASS}/hadir/lembar?bagian=2am")
    first = page.locator("form[data-rows] input[type=text]").first
    first.fill("t")
    page.get_by_role("button", name="Simpan", exact=True).first.click()
    assert "tersimpan" in page.locator("body").inner_text()
    assert page.locator("form[data-rows] input[type=text]").first.input_value() == "t"
    page.context.close()
