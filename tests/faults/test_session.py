"""Row 15: the session ends in the middle of a quiz. Nothing typed is lost, nothing is gained."""

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from lms.accounts import services as accounts
from lms.accounts.models import LoginSession, Person
from lms.core import clock
from lms.core.db import db, unit_of_work
from lms.quizzes.models import AnswerEvent, Attempt
from lms.quizzes.receipts import Acknowledged, is_genuine
from tests import factories
from tests.conftest import SqliteHome
from tests.e2e.browser import sign_in
from tests.operations.faults import enrol, fields, install, serving
from tests.quizzes.helpers import begin

TOKEN = re.compile(r'name="csrf-token" content="([^"]+)"')


@dataclass
class Page:
    """A page with save.js: what the server has not confirmed waits in it."""

    browser: FlaskClient
    email: str
    address: str
    token: str = ""
    waiting: list[dict[str, object]] = field(default_factory=list)

    def sign_in(self) -> TestResponse:
        found = re.search(
            r'name="csrf_token"[^>]* value="([^"]+)"', self.browser.get("/masuk").text
        )
        assert found
        sent = {"email": self.email, "password": factories.PASSWORD, "device": "shared"}
        return self.browser.post("/masuk", data=sent | {"csrf_token": found[1]})

    def open(self) -> TestResponse:
        answer = self.browser.get(f"{self.address}?soal=1")
        found = TOKEN.search(answer.text)
        self.token = found[1] if found else ""
        return answer

    def send(self) -> TestResponse:
        """Send the oldest answer that waits; it waits no longer once there is a receipt."""
        answer = self.browser.post(
            f"{self.address}/simpan",
            data=self.waiting[0],
            headers={"X-CSRFToken": self.token, "Accept": "application/json"},
        )
        if answer.status_code == 200:
            del self.waiting[0]
        return answer


@pytest.fixture
def page(make_app: Callable[..., Flask]) -> tuple[Flask, Page]:
    """A page of somebody who has saved one answer and has three more waiting."""
    app = make_app()
    app.config["WTF_CSRF_ENABLED"] = True
    with app.app_context():
        someone = factories.person()
        person_id, email = someone.id, someone.email
        ref = begin(person_id, clock.now())
        db.session.remove()
    found = Page(app.test_client(), email, f"/kuis/k1/{ref.public_id}")
    assert found.sign_in().status_code == 302
    found.open()
    found.waiting = [fields(number) for number in range(4)]
    assert found.send().status_code == 200
    return app, found


def times(app: Flask) -> tuple[datetime, datetime | None, datetime | None]:
    with app.app_context():
        row = db.session.execute(
            select(Attempt.opened_at, Attempt.deadline_at, Attempt.closed_at)
        ).one()
        db.session.remove()
    return tuple(row)


def end_sessions(app: Flask, **values: Any) -> None:
    with app.app_context():
        with unit_of_work():
            db.session.execute(update(LoginSession).values(**values))
        db.session.remove()


@pytest.mark.parametrize("way", ["expired", "ended"])
def test_what_waits_is_saved_after_signing_in_again(page: tuple[Flask, Page], way: str):
    app, one = page
    before = times(app)
    now = clock.now()
    end_sessions(app, **({"expires_at": now} if way == "expired" else {"ended_at": now}))
    refused = one.send()
    assert (refused.status_code, refused.mimetype) == (401, "application/json")
    assert refused.json.get("saved") is not True
    assert len(one.waiting) == 3
    assert one.sign_in().status_code == 302
    # The page still has the token of the session that is over: a fresh copy of it has a new one.
    assert one.send().status_code in {400, 403}
    one.open()
    sent = list(one.waiting)
    for line in sent:
        answer = one.send()
        assert answer.status_code == 200
        saved = Acknowledged(
            one.address.rpartition("/")[2], int(str(line["soal"])), str(line["client_key"]),
            int(str(line["choice"])), None, datetime.fromisoformat(answer.json["at"]),
        )  # fmt: skip
        assert is_genuine(app.extensions["suluh"].secret_key, saved, answer.json["receipt"])
    assert times(app) == before
    with app.app_context():
        stored = db.session.scalars(select(AnswerEvent.client_key).order_by(AnswerEvent.id)).all()
        db.session.remove()
    assert stored[1:] == [line["client_key"] for line in sent]
    assert len(stored) == len(set(stored)) == 4


@pytest.mark.parametrize("column", ["expires_at", "ended_at"])
def test_a_session_that_never_ends_goes_red(
    page: tuple[Flask, Page], monkeypatch: pytest.MonkeyPatch, column: str
):
    """The planted bug: nobody looks whether the session is over; the 401 above sees it."""
    app, one = page
    end_sessions(app, **{column: clock.now()})
    assert one.send().status_code == 401
    careless = accounts._WHO._clone()
    kept = [one for one in careless._where_criteria if column not in str(one)]
    assert len(kept) == len(careless._where_criteria) - 1
    careless._where_criteria = tuple(kept)
    monkeypatch.setattr(accounts, "_WHO", careless)
    assert one.send().status_code == 200


@pytest.mark.browser
def test_the_page_tells_and_delivers_by_itself(
    sqlite_home: SqliteHome, tmp_path: Path, browser: Browser
):
    app = install(sqlite_home.template, tmp_path)
    (one,) = enrol(app, 1)
    with app.app_context():
        email = db.session.scalar(select(Person.email).order_by(Person.id.desc()).limit(1))
        db.session.remove()
        db.engine.dispose()
    database = tmp_path / "instance" / "suluh.sqlite3"
    with serving(tmp_path) as site:
        base = f"http://127.0.0.1:{site.port}"
        context = browser.new_context()
        page = context.new_page()
        sign_in(page, base, str(email), factories.PASSWORD)
        page.goto(f"{base}/kuis/k1/{one.public_id}?soal=1")
        status = page.locator("[data-save-status]").first
        page.locator("input[name=choice]").nth(0).check()
        expect(status).to_contain_text("Tersimpan")
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("UPDATE login_session SET expires_at = '2026-01-01 00:00:00.000000'")
            connection.commit()
        page.locator("input[name=choice]").nth(1).check()
        expect(status).to_contain_text("asuk")
        other = context.new_page()
        sign_in(other, base, str(email), factories.PASSWORD)
        expect(status).to_contain_text("Tersimpan", timeout=20_000)
        context.close()
    with closing(sqlite3.connect(database)) as connection:
        choices = connection.execute("SELECT choice FROM answer_event ORDER BY id").fetchall()
    assert choices == [(1,), (2,)]
