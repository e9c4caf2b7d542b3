"""What the fault tests share: trainees who answer without end, and the ledger of what was acked.

A line is written to the ledger before the next answer is sent. Afterwards every line must be in the
database, once and unchanged, and there must be enough of them: no answers prove nothing.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from itertools import count
from pathlib import Path
from random import Random
from urllib.parse import urlencode

from flask import Flask
from flask.testing import FlaskClient

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.app import create_app
from lms.config import Config
from lms.core import clock
from lms.core.db import db, unit_of_work
from lms.operations import reconcile
from tests import factories
from tests.conftest import _config
from tests.measure import unmeasured
from tests.quizzes.helpers import begin
from tests.test_server import Site, free_port

SECRET = "x" * 40
ROOT = Path(__file__).parents[2]
QUESTIONS = 26
REPLAYED = 0.05
"""How many of the acknowledged answers are sent once more on purpose."""
_KEYS = count(1)


@dataclass
class Trainee:
    """Somebody in the middle of a quiz: the cookie, the token of the page, the address."""

    cookie: str
    token: str
    public_id: str


def enrol(app: Flask, number: int) -> list[Trainee]:
    """Let people begin the quiz; `app` has the secret the server will have."""
    found = []
    for _ in range(number):
        with app.app_context():
            person_id = factories.person().id
            ref = begin(person_id, clock.now())
            with unit_of_work():
                person = db.session.get_one(Person, person_id)
                token = accounts.begin_session(person, now=clock.now()).token
            db.session.remove()
        browser = app.test_client()
        with browser.session_transaction() as session:
            session["_user_id"], session["_fresh"] = token, True
        page = browser.get(f"/kuis/k1/{ref.public_id}?soal=1")
        seen = re.search(r'name="csrf-token" content="([^"]+)"', page.text)
        assert seen, page.status
        cookie = browser.get_cookie("suluh")
        assert cookie is not None
        found.append(Trainee(cookie.value, seen[1], ref.public_id))
    return found


def fields(number: int) -> dict[str, object]:
    """Return what save.js sends for one answer."""
    key = next(_KEYS)
    return {
        "soal": number % QUESTIONS + 1,
        "seq": key,
        "field": "choice",
        "choice": key % 4 + 1,
        "client_key": f"kunci-{key:08}",
        "zone": "",
    }


Send = Callable[[Trainee, dict[str, object]], tuple[int, dict[str, object]]]
"""Sends one answer; returns status and what came back. Raises OSError when nobody answers."""


@dataclass
class Crowd:
    """Trainees who answer in threads of their own until they are told to stop."""

    trainees: list[Trainee]
    send: Send
    ledger: Path
    acked: int = 0
    replayed: int = 0
    """How often what was acknowledged was sent once more, as a nervous finger does."""
    unlike: list[object] = field(default_factory=list)
    """Answers to such a repetition that were not the first receipt."""
    statuses: list[int] = field(default_factory=list)
    first_ack: float | None = None
    """When the first ack after `mark` came, by the monotonic clock."""
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """Begin to answer."""
        self._threads = [threading.Thread(target=self._go, args=(one,)) for one in self.trainees]
        for thread in self._threads:
            thread.start()

    def mark(self) -> None:
        """Ask for the first ack from now on."""
        with self._lock:
            self.first_ack = None

    def wait_for(self, acked: int, seconds: float = 60) -> None:
        """Wait until so many answers more are acknowledged."""
        wanted, end = self.acked + acked, time.monotonic() + seconds
        while self.acked < wanted:
            assert time.monotonic() < end, f"{self.acked} of {wanted}, {self.statuses[-20:]}"
            time.sleep(0.01)

    def stop(self) -> None:
        """Let everybody finish the answer that is on its way."""
        self._stop.set()
        for thread in self._threads:
            thread.join(30)

    def _go(self, one: Trainee) -> None:
        number, chance = 0, Random(one.public_id)
        waiting: dict[str, object] | None = None
        while not self._stop.is_set():
            waiting = waiting or fields(number)  # what is not acknowledged is sent again
            try:
                status, answer = self.send(one, waiting)
            except (OSError, HTTPException):
                status, answer = 0, {}
            with self._lock:
                self.statuses.append(status)
                if status == 200 and answer.get("saved") is True:
                    self._note(one, waiting, answer)
                    last, waiting, number = (waiting, answer), None, number + 1
            if waiting is None and chance.random() < REPLAYED:
                self._replay(one, *last)
            if waiting is not None:
                time.sleep(0.02)

    def _replay(self, one: Trainee, sent: dict[str, object], first: dict[str, object]) -> None:
        """Send what is acknowledged again: it must get the same receipt, if it gets any."""
        try:
            status, answer = self.send(one, sent)
        except (OSError, HTTPException):
            return
        with self._lock:
            self.replayed += status == 200
            if status == 200 and answer.get("receipt") != first["receipt"]:
                self.unlike.append((sent, first, answer))

    def _note(self, one: Trainee, sent: dict[str, object], answer: dict[str, object]) -> None:
        line = {"attempt": one.public_id, "flagged": None, "at": answer["at"]}
        line |= {name: sent[name] for name in ("soal", "client_key", "choice")}
        with self.ledger.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line | {"receipt": answer["receipt"]}) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.acked += 1
        if self.first_ack is None:
            self.first_ack = time.monotonic()


def by_network(port: Callable[[], int]) -> Send:
    """Send over the network to whoever listens at the port."""

    def send(one: Trainee, sent: dict[str, object]) -> tuple[int, dict[str, object]]:
        connection = HTTPConnection("127.0.0.1", port(), timeout=20)
        try:
            connection.request(
                "POST",
                f"/kuis/k1/{one.public_id}/simpan",
                urlencode(sent),
                {
                    "Cookie": f"suluh={one.cookie}",
                    "X-CSRFToken": one.token,
                    "Accept": "application/json",
                    "Content-Type": "application/x-www-form-urlencoded",
                },
            )
            answer = connection.getresponse()
            body = answer.read()
            is_json = answer.getheader("Content-Type", "").startswith("application/json")
            return answer.status, json.loads(body) if is_json else {}
        finally:
            connection.close()

    return send


def in_process(app: Flask) -> Send:
    """Send to an application of this process."""

    def send(one: Trainee, sent: dict[str, object]) -> tuple[int, dict[str, object]]:
        browser: FlaskClient = app.test_client()
        browser.set_cookie("suluh", one.cookie)
        answer = browser.post(
            f"/kuis/k1/{one.public_id}/simpan",
            data=sent,
            headers={"X-CSRFToken": one.token, "Accept": "application/json"},
        )
        return answer.status_code, answer.get_json(silent=True) or {}

    return send


def install(template: Path, folder: Path) -> Flask:
    """Make an installation in `folder` from a template; return an application on it."""
    instance = folder / "instance"
    instance.mkdir(mode=0o700)
    shutil.copy(template, instance / "suluh.sqlite3")
    (instance / "secret-key").write_text(SECRET, encoding="ascii")
    app = create_app(_config(f"sqlite:///{instance}/suluh.sqlite3"))
    app.config["WTF_CSRF_ENABLED"] = True
    return app


@contextmanager
def serving(folder: Path, *options: str, program: str = "", **environ: str) -> Iterator[Site]:
    """Run a server in `folder`; `program` is Python that runs in it first, a planted bug."""
    port = free_port()
    clean = {k: v for k, v in unmeasured().items() if not k.startswith(("SULUH_", "DATABASE_URL"))}
    code = f"{program}\nimport sys\nfrom lms.cli import main\nmain(sys.argv[1:])"
    with (folder / "printed").open("ab") as printed:
        process = subprocess.Popen(
            [sys.executable, "-c", code, "serve", "--port", str(port), *options],
            cwd=folder,
            env=clean | {"SULUH_CONSENT": "paper"} | environ,
            stdout=printed,
            stderr=subprocess.STDOUT,
        )
    site = Site(process, port, folder)
    try:
        deadline = time.monotonic() + 60
        while not site.is_open():
            assert process.poll() is None, site.printed
            assert time.monotonic() < deadline, site.printed
            time.sleep(0.02)
        yield site
    finally:
        process.kill()
        process.wait(20)


def judge(config: Config, ledger: Path) -> reconcile.Report:
    """Compare the ledger and everything stored twice."""
    app = create_app(config)
    with app.app_context():
        report = reconcile.reconcile()
        report.ledger = reconcile.compare_ledger(ledger, SECRET)
        db.session.remove()
        db.engine.dispose()
    return report
