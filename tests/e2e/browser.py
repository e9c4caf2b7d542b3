"""A real browser, and what every page must stand: width, taps, the exit, axe, the policy."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SMALL, LARGE = {"width": 320, "height": 640}, {"width": 1280, "height": 900}
RULES = {
    "runOnly": {
        "type": "tag",
        "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    },
    "resultTypes": ["violations"],
}
TAPS = """() => {
  const inline = e => e.closest('p, li, td, th, dd, .prose, caption, summary') &&
    getComputedStyle(e).display === 'inline';
  return [...document.querySelectorAll('a[href], button, input, select, textarea, summary')]
    .filter(e => e.offsetParent && !e.classList.contains('skip') && e.type !== 'hidden')
    .map(e => [e, e.getBoundingClientRect()])
    .filter(([e, r]) => {
      const label = e.labels && e.labels[0] ? e.labels[0].getBoundingClientRect() : r;
      const w = Math.max(r.width, label.width), h = Math.max(r.height, label.height);
      return r.width > 1 && (w < 24 || h < 24) && !inline(e);
    })
    .map(([e, r]) => `${e.tagName} "${(e.textContent || e.name).trim().slice(0, 30)}" ` +
      `${Math.round(r.width)}x${Math.round(r.height)}`);
}"""
AXE = Axe().axe_script
VIOLATIONS = "options => axe.run(document, options).then(result => result.violations)"
WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
EXIT = """() => {
  const exit = document.querySelector('button.exit');
  const first = [...document.querySelectorAll('a[href], button, input, select, textarea')]
    .find(e => e.offsetParent && e.type !== 'hidden');
  const hidden = [], height = document.documentElement.scrollHeight;
  for (let top = 0; top < Math.max(1, height - 600); top += 600) {
    scrollTo({top, behavior: 'instant'});
    const box = exit.getBoundingClientRect();
    const on_top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    const inside = box.top >= 0 && box.bottom <= innerHeight && box.right <= innerWidth + 1;
    if (!inside || !exit.contains(on_top)) hidden.push(top);
  }
  scrollTo({top: 0, behavior: 'instant'});
  return {first: first === exit, hidden};
}"""


def chromium() -> str:
    """Return the path of Chromium; without it skip, or fail where tools are required."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        message = "no Chromium: apt-get install -y chromium"
        if os.environ.get("SULUH_REQUIRE_TOOLS"):
            pytest.fail(message)
        pytest.skip(message)
    return found


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start one headless Chromium."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=QUIET)
        try:
            yield browser
        finally:
            browser.close()


def watch(page: Page) -> list[str]:
    """Collect what the page's console complains about: refused by the policy, script errors."""
    complaints: list[str] = []
    page.on(
        "console",
        lambda m: (
            complaints.append(m.text) if m.type == "error" and "status of 4" not in m.text else None
        ),
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return complaints


def faults(page: Page, *, axe: bool = True) -> list[str]:
    """Return what is wrong with the page as it stands, in words."""
    found = []
    if (wide := page.evaluate(WIDE)) > 0:
        found.append(f"scrolls sideways by {wide} px")
    found += [f"small target: {tap}" for tap in page.evaluate(TAPS)]
    state = page.evaluate(EXIT)
    found += [f"quick exit is hidden at {top} px" for top in state["hidden"]]
    if not state["first"]:
        found.append("quick exit is not first")
    if axe:
        if not page.evaluate("'axe' in window"):
            page.evaluate(AXE)
        for violation in page.evaluate(VIOLATIONS, RULES):
            nodes = "; ".join(node["html"][:110] for node in violation["nodes"][:2])
            found.append(f"axe {violation['id']}: {nodes}")
    return found


def sign_in(page: Page, base: str, email: str, password: str) -> None:
    """Sign in through the page."""
    page.goto(f"{base}/masuk")
    page.fill("#email", email)
    page.fill("#password", password)
    page.click("main button[type=submit]")
    page.wait_for_url(lambda url: "/masuk" not in url)
    agree(page)


def agree(page: Page) -> None:
    """Agree to the notice where somebody who is new here is asked to."""
    if "/privasi/persetujuan" in page.url:
        page.check("main input[name=agree]")
        page.click("main form:has(input[name=agree]) button[type=submit]")
        page.wait_for_url(lambda url: "/privasi/persetujuan" not in url)
