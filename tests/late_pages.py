"""Opens pages where nothing is loaded yet; `tests/test_budgets.py` runs it as `python -m`.

Takes settings and visits as JSON: lists of cookie and address, one list for each feature. Each list
is opened in a process of its own. Prints the statuses, and which of our modules the first page of
a feature has loaded.
"""

import json
import multiprocessing
import sys
from pathlib import Path

from lms.app import create_app
from lms.config import Config

Visit = tuple[str | None, str]


def visit(job: tuple[dict[str, object], list[Visit]]) -> tuple[list[int], int]:
    """Open some pages with a new application; returns their statuses and the modules of ours."""
    settings, visits = job
    app = create_app(Config(**settings), when_asked=True)  # type: ignore[arg-type]
    assert app.waiting is not None, "nothing was remembered"
    found = []
    for cookie, address in visits:
        browser = app.test_client()
        if cookie:
            browser.set_cookie("suluh", cookie)
        with browser.get(address) as answer:
            answer.get_data()
            found.append(answer.status_code)
    return found, sum(name.startswith("lms.") for name in sys.modules)


def main() -> None:
    """Open them all."""
    settings, lists = json.load(sys.stdin)
    settings |= {"folder": Path(settings["folder"])}
    ours = sum(name.startswith("lms.") for name in sys.modules)
    # Each list needs a process that has loaded nothing but what an application starts with.
    with multiprocessing.get_context("fork").Pool(2, maxtasksperchild=1) as pool:
        answers = pool.map(visit, [(settings, one) for one in lists], chunksize=1)
    json.dump({"ours": ours, "answers": answers}, sys.stdout)


if __name__ == "__main__":
    main()
