"""What pages weigh in Chromium: requests and bytes on the wire, with an empty and a full cache."""

import shutil
from dataclasses import dataclass
from typing import Any

from bench.client import Client
from bench.seed import PASSWORD, Seeded
from bench.servers import Target

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@dataclass(frozen=True, slots=True)
class Weight:
    """One page, first and second time."""

    name: str
    cold_requests: int
    cold_kib: float
    warm_requests: int
    warm_kib: float


def weights(target: Target, seeded: Seeded) -> list[Weight] | None:
    """Weigh the main pages; None where Chromium or Playwright is missing."""
    browser_path = shutil.which("chromium") or shutil.which("chromium-browser")
    try:
        from playwright.sync_api import sync_playwright
    except ModuleNotFoundError:
        return None
    if browser_path is None:
        return None
    pages = [
        ("sign-in", None, "/masuk"),
        ("verify", None, f"/c/{seeded.holders[0][1]}"),
        ("home", seeded.learners[0], "/"),
        ("lesson", seeded.learners[0], "/modul/k1/6"),
        ("quiz start", seeded.learners[0], "/kuis/k1"),
        *((f"class page, {n:,}", seeded.trainer, f"/angkatan/{s}") for n, s in _sizes(seeded)),
    ]
    with sync_playwright() as started:
        browser = started.chromium.launch(executable_path=browser_path, args=ARGUMENTS)
        try:
            return [_weigh(browser, target, *page) for page in pages]
        finally:
            browser.close()


def _sizes(seeded: Seeded) -> list[tuple[int, str]]:
    return sorted(seeded.slugs.items())


def _weigh(browser: Any, target: Target, name: str, email: str | None, path: str) -> Weight:
    base = f"http://127.0.0.1:{target.port}"
    context = browser.new_context(locale="id-ID")
    if email:
        client = Client("127.0.0.1", target.port)
        client.sign_in(email, PASSWORD)
        client.close()
        context.add_cookies(
            [{"name": name, "value": value, "url": base} for name, value in client.cookies.items()]
        )
    page = context.new_page()
    wire = context.new_cdp_session(page)
    wire.send("Network.enable")
    sizes: list[float] = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(base + path, wait_until="networkidle")
    cold = [one for one in sizes if one]
    sizes.clear()
    page.goto(base + path, wait_until="networkidle")
    warm = [one for one in sizes if one]
    context.close()
    return Weight(
        name,
        len(cold),
        round(sum(cold) / 1024, 1),
        len(warm),
        round(sum(warm) / 1024, 1),
    )
