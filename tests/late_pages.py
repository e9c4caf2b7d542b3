"""Opens pages where nothing is loaded yet; `tests/test_budgets.py` runs it as `python -m`.

Takes settings and visits as JSON: lists of cookie and address, one list for each feature. Each list
is opened in a process of its own, then all of them at once by the threads of one process. Prints
the statuses, and how many of our modules were loaded.
"""

import json
import multiprocessing
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from flask import Flask

from lms.app import create_app
from lms.config import Config

Visit = tuple[str | None, str]
Settings = dict[str, object]
THREADS = 8


def alone(job: tuple[Settings, list[Visit]]) -> tuple[list[int], int]:
    """Open some pages with a new application; returns their statuses and the modules of ours."""
    settings, visits = job
    return read(new(settings), visits), loaded()


def at_once(job: tuple[Settings, list[list[Visit]]]) -> list[list[int]]:
    """Open all pages with one new application, each list in its turn beside the others."""
    settings, lists = job
    app = new(settings)
    with ThreadPoolExecutor(THREADS) as threads:
        return list(threads.map(lambda visits: read(app, visits), lists))


def new(settings: Settings) -> Flask:
    """Return an application that waits with its features."""
    app = create_app(Config(**settings), when_asked=True)  # type: ignore[arg-type]
    assert app.waiting is not None, "nothing was remembered"
    return app


def read(app: Flask, visits: Iterable[Visit]) -> list[int]:
    """Return how pages answer."""
    found = []
    for cookie, address in visits:
        browser = app.test_client()
        if cookie:
            browser.set_cookie("suluh", cookie)
        with browser.get(address) as answer:
            answer.get_data()
            found.append(answer.status_code)
    return found


def loaded() -> int:
    """Return how many of our modules are loaded."""
    return sum(name.startswith("lms.") for name in sys.modules)


def main() -> None:
    """Open them all."""
    settings, lists = json.load(sys.stdin)
    settings |= {"folder": Path(settings["folder"])}
    ours = loaded()
    # Each list needs a process that has loaded nothing but what an application starts with.
    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=1) as pool:
        crowd = pool.apply_async(at_once, ((settings, lists),))
        answers = pool.map(alone, [(settings, one) for one in lists], chunksize=1)
        together = crowd.get()
    json.dump({"ours": ours, "alone": answers, "at_once": together}, sys.stdout)


if __name__ == "__main__":
    main()
