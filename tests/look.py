"""Takes a screenshot of a page of a running demonstration, to be looked at.

    ./run demo &
    python -m tests.look /kompetensi --as trainee --width 320 --out /tmp/shot.png

`--as` is an address or a role of `instance/demo.json`; without it nobody is signed in.
"""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
DEMO = Path("instance/demo.json")


def read_account(demo: dict[str, Any], wanted: str) -> tuple[str, str]:
    """Return address and password of the account with this address, or the first of this role."""
    for account in demo["accounts"]:
        if wanted in {account["email"], account["role"]}:
            return account["email"], account["password"]
    known = ", ".join(sorted({a["role"] for a in demo["accounts"]}))
    sys.exit(f"nobody is called {wanted}: use an address of {DEMO} or one of: {known}")


def sign_in(page: Page, base: str, email: str, password: str) -> None:
    """Sign in by the form, as people do."""
    page.goto(f"{base}/masuk")
    page.fill("[name=email]", email)
    page.fill("[name=password]", password)
    page.click("main form [type=submit]")
    if page.url.split("?")[0].endswith("/masuk"):
        sys.exit(f"{email} could not sign in: {page.inner_text('main')[:300]}")


def shoot(browser: Browser, asked: argparse.Namespace) -> None:
    """Open the page as asked and write the picture; say what is wrong at a glance."""
    demo = json.loads(DEMO.read_text(encoding="utf-8")) if asked.base is None or asked.who else {}
    base = (asked.base or demo["url"]).rstrip("/")
    context = browser.new_context(
        viewport={"width": asked.width, "height": asked.height},
        color_scheme="dark" if asked.dark else "light",
        java_script_enabled=not asked.no_js,
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.on("console", lambda message: print(f"console: {message.text}", file=sys.stderr))
    if asked.who:
        sign_in(page, base, *read_account(demo, asked.who))
    # An account remembers its language, so it is always set.
    page.request.post(f"{base}/bahasa", form={"lang": asked.lang})
    answer = page.goto(base + asked.path)
    asked.out.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=asked.out, full_page=True)
    print(f"{answer.status if answer else '?'} {page.url} -> {asked.out}")
    context.close()


def main() -> None:
    """Read the command line and take one screenshot."""
    parser = argparse.ArgumentParser(prog="python -m tests.look", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("path", help="address of the page, for example /kompetensi")
    parser.add_argument("--as", dest="who", metavar="EMAIL", help="who is signed in")
    parser.add_argument("--width", type=int, default=320)
    parser.add_argument("--height", type=int, default=640)
    parser.add_argument("--out", type=Path, default=Path("/tmp/suluh-look.png"))  # noqa: S108
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--lang", choices=["id", "en"], default="id")
    parser.add_argument("--no-js", action="store_true", help="switch JavaScript off")
    parser.add_argument("--base", metavar="URL", help="default: the url of instance/demo.json")
    asked = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            shoot(browser, asked)
        finally:
            browser.close()


if __name__ == "__main__":
    main()
