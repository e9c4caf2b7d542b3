"""One empty installation and one browser for all journeys."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.e2e.browser import open_browser
from tests.screens import ROOT, free_port, wait


@dataclass(frozen=True)
class Installation:
    """A served installation nobody has set up yet."""

    base: str
    code: str
    folder: Path


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium."""
    with open_browser() as found:
        yield found


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """`./run` on an empty folder; its one-time code is read from what it prints."""
    folder = tmp_path_factory.mktemp("installation")
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "lms", "serve", "--port", str(port)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        printed = ""
        while "once:" not in printed:
            line = process.stdout.readline() if process.stdout else ""
            if not line:
                pytest.fail(f"the server ended: {printed}")
            printed += line
        wait(f"{base}/healthz", process)  # type: ignore[arg-type]  # text mode makes no difference
        yield Installation(base, re.findall(r"once: (\S+)", printed)[0], folder)
    finally:
        process.terminate()
        process.communicate(timeout=20)
