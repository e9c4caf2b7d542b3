"""The application as a whole: forgery tokens, cookies, and error pages that say what to do."""

import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import jinja2
import pytest
from flask import Flask, abort, flash, render_template_string, request, session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from sqlalchemy import event
from werkzeug.exceptions import TooManyRequests

from lms.accounts import services as accounts
from lms.core import login
from lms.core.db import db, unit_of_work
from lms.core.errors import Forbidden, NotFound
from lms.core.models import Throttle
from tests import factories
from tests.conftest import LOADED_AT
from tests.measure import unmeasured

ROOT = Path(__file__).parents[1]
JSON = {"Accept": "application/json"}


def add(app: Flask, path: str, answer: Callable[[], object], policy=login.public) -> None:
    app.add_url_rule(path, path, policy(lambda: answer()), methods=["GET", "POST"])


def raises(error: Exception) -> Callable[[], object]:
    def answer() -> object:
        raise error

    return answer


def write() -> str:
    with unit_of_work():
        db.session.add(Throttle(key="jawaban", failures=1, last_at=LOADED_AT))
    return "Tersimpan"


def say(words: str) -> Callable[[], object]:
    def answer() -> str:
        flash(words)  # makes a session
        return words

    return answer


@pytest.fixture
def open_app(make_app) -> Flask:
    """The application as it runs outside tests, with pages that fail in every way."""
    app: Flask = make_app(testing=False)
    add(app, "/token", lambda: generate_csrf())
    add(app, "/kirim", lambda: f"diterima {request.form.get('a', '')}")
    add(app, "/bilang", say("halo"))
    add(app, "/galat/403", raises(Forbidden("x")))
    add(app, "/galat/404", raises(NotFound("x")))
    add(app, "/galat/429", raises(TooManyRequests(retry_after=90)))
    add(app, "/galat/500", raises(ZeroDivisionError("rahasia")))
    add(app, "/galat/410", lambda: abort(410))
    add(app, "/galat/lain", lambda: abort(app.make_response(("sudah diatur sendiri", 422))))
    add(app, "/tulis", write)
    add(app, "/orang", lambda: "orang", login.signed_in)
    return app


@pytest.fixture
def browser(open_app: Flask) -> FlaskClient:
    return open_app.test_client()


# --- Forgery tokens


def test_a_form_without_a_token_is_refused_and_the_page_says_what_to_do(browser: FlaskClient):
    answer = browser.post("/kirim", data={"a": "1"})
    assert answer.status_code == 400
    assert "muat ulang halamannya, lalu kirim sekali lagi" in answer.text
    assert "diterima" not in answer.text


def test_a_form_with_its_token_is_taken(browser: FlaskClient):
    token = browser.get("/token").text
    assert browser.post("/kirim", data={"a": "1", "csrf_token": token}).text == "diterima 1"


def test_a_script_sends_the_token_in_a_header(browser: FlaskClient):
    token = browser.get("/token").text
    assert browser.post("/kirim", json={"a": 1}, headers={"X-CSRFToken": token}).status_code == 200
    refused = browser.post("/kirim", json={"a": 1}, headers=JSON)
    assert (refused.status_code, refused.get_json()) == (
        400,
        {"error": 400, "saved": False, "label": "Belum tersimpan"},
    )


def test_the_token_of_somebody_elses_session_is_refused(open_app: Flask):
    stolen = open_app.test_client().get("/token").text
    browser = open_app.test_client()
    browser.get("/token")
    assert browser.post("/kirim", data={"csrf_token": stolen}).status_code == 400


def test_leaving_and_changing_the_language_need_no_token(browser: FlaskClient):
    for path in ("/keluar-cepat", "/bahasa"):
        assert browser.post(path, data={"lang": "en"}).status_code < 400


def test_a_token_lives_as_long_as_the_session(open_app: Flask):
    """A long case study must not be refused because it took an afternoon."""
    assert open_app.config["WTF_CSRF_TIME_LIMIT"] is None


# --- Cookies and the proxy in front


def cookie_of(app: Flask, **environ: str) -> str:
    found = (
        app.test_client().get("/bilang", environ_overrides=environ).headers.getlist("Set-Cookie")
    )
    assert len(found) == 1
    return found[0]


def parts_of(cookie: str) -> set[str]:
    return set(cookie.split("; ")[1:])


def test_on_plain_http_the_cookie_is_out_of_reach_of_scripts_and_other_sites(open_app: Flask):
    cookie = cookie_of(open_app)
    assert cookie.startswith("suluh=")
    assert parts_of(cookie) == {"HttpOnly", "Path=/", "SameSite=Lax"}


def test_on_https_the_cookie_belongs_to_this_host_alone(make_app):
    app = make_app(base_url="https://suluh.test")
    add(app, "/bilang", say("halo"))
    cookie = cookie_of(app)
    assert cookie.startswith("__Host-suluh=")
    assert parts_of(cookie) == {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"}


def test_on_https_browsers_are_told_to_come_back_by_https(make_app):
    app = make_app(base_url="https://suluh.test")
    for path in ("/masuk", "/tidak-ada", "/static/css/suluh.css"):
        answer = app.test_client().get(path)
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")


@pytest.mark.parametrize(
    ("base_url", "seen"),
    [
        ("https://suluh.test", "203.0.113.9 https"),
        ("http://127.0.0.1:8000", "127.0.0.1 http"),
    ],
)
def test_a_forwarded_address_is_believed_only_behind_tls(make_app, base_url: str, seen: str):
    app = make_app(base_url=base_url)
    add(app, "/siapa", lambda: f"{request.remote_addr} {request.scheme}")
    headers = {"X-Forwarded-For": "198.51.100.1, 203.0.113.9", "X-Forwarded-Proto": "https"}
    assert app.test_client().get("/siapa", headers=headers).text == seen


def test_a_cookie_that_was_tampered_with_is_nobodys(open_app: Flask):
    browser = signed_in(open_app)
    assert browser.get("/orang").status_code == 200
    cookie = browser.get_cookie("suluh")
    assert cookie is not None
    browser.set_cookie("suluh", cookie.value[:-2] + "xx")
    assert browser.get("/orang").status_code == 302


# --- Error pages


def signed_in(app: Flask, *roles: str) -> FlaskClient:
    with app.app_context():
        person = factories.person(*roles)
        with unit_of_work():
            viewer = accounts.begin_session(person, now=datetime.now(UTC))
        db.session.remove()
    browser = app.test_client()
    with browser.session_transaction() as stored:
        stored["_user_id"] = viewer.token
    return browser


def heading(page: str) -> str:
    found = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.DOTALL)
    assert found
    return " ".join(found[1].split())


def titled(page: str) -> str:
    found = re.search(r"<title>(.*?)</title>", page, re.DOTALL)
    assert found
    return found[1].strip()


FAILS = {
    "/galat/403": (403, "Halaman ini bukan untuk akun Anda"),
    "/galat/404": (404, "Halaman ini tidak ditemukan"),
    "/tidak-ada": (404, "Halaman ini tidak ditemukan"),
    "/galat/410": (410, "Permintaan ini belum dapat diproses"),
    "/galat/429": (429, "Tunggu sebentar, lalu coba lagi"),
    "/galat/500": (500, "Ada yang salah di pihak kami"),
}


@pytest.mark.parametrize("path", FAILS)
def test_every_error_has_a_page_with_a_way_on(browser: FlaskClient, path: str):
    status, words = FAILS[path]
    answer = browser.get(path)
    assert (answer.status_code, heading(answer.text)) == (status, words)
    assert '<html lang="id">' in answer.text
    assert titled(answer.text) == "Halaman – Suluh"  # whoever looks over a shoulder learns nothing
    assert 'href="/"' in answer.text
    assert 'href="/bantuan"' in answer.text
    assert "rahasia" not in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("path", FAILS)
def test_every_error_page_speaks_english_too(browser: FlaskClient, path: str):
    with browser.session_transaction() as stored:
        stored["lang"] = "en"
    answer = browser.get(path)
    assert answer.status_code == FAILS[path][0]
    assert '<html lang="en">' in answer.text
    assert heading(answer.text) != FAILS[path][1]
    assert "Indonesia" in answer.text  # the way back


@pytest.mark.parametrize("path", FAILS)
def test_a_script_gets_every_error_as_data(browser: FlaskClient, path: str):
    answer = browser.get(path, headers=JSON)
    assert answer.status_code == FAILS[path][0]
    assert answer.get_json() == {
        "error": FAILS[path][0],
        "saved": False,
        "label": "Belum tersimpan",
    }


def test_an_error_keeps_the_frame_of_who_is_signed_in(open_app: Flask):
    page = signed_in(open_app).get("/galat/403").text
    assert 'href="/akun"' in page
    assert signed_in(open_app).get("/tidak-ada").status_code == 404


def test_too_many_requests_say_when_to_come_back(browser: FlaskClient):
    answer = browser.get("/galat/429")
    assert answer.headers["Retry-After"] == "90"
    assert "2 menit" in answer.text


def test_what_a_view_answers_itself_is_left_alone(browser: FlaskClient):
    answer = browser.get("/galat/lain")
    assert (answer.status_code, answer.text) == (422, "sudah diatur sendiri")


def test_a_redirect_is_no_error(browser: FlaskClient):
    answer = browser.get("/galat//404")
    assert (answer.status_code, answer.location) == (308, "http://localhost/galat/404")


def test_a_form_that_is_too_large_is_refused_with_a_page(browser: FlaskClient):
    token = browser.get("/token").text
    answer = browser.post("/kirim", data={"csrf_token": token, "a": "x" * 600_000})
    assert answer.status_code == 413
    assert heading(answer.text) == "Berkas ini terlalu besar"
    fits = browser.post("/kirim", data={"csrf_token": token, "a": "x" * 400_000})
    assert fits.status_code == 200


def test_a_crash_is_logged_with_its_cause_and_loses_only_itself(
    browser: FlaskClient, caplog: pytest.LogCaptureFixture
):
    assert browser.get("/galat/500").status_code == 500
    (record,) = [r for r in caplog.records if r.message == "unhandled"]
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError
    assert browser.get("/token").status_code == 200


def test_in_tests_a_crash_is_not_hidden(make_app):
    app = make_app()
    add(app, "/galat", raises(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        app.test_client().get("/galat")


# --- A busy database


def impatient(app: Flask) -> None:
    """Wait for a lock a moment only; ten seconds are for people, not for tests."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()

        @event.listens_for(db.engine, "do_connect")
        def _connect(_dialect, _record, _args, values) -> None:
            values["timeout"] = 0.02

        @event.listens_for(db.engine, "checkout")
        def _checkout(connection, _record, _proxy) -> None:
            connection.execute("PRAGMA busy_timeout=20")


@contextmanager
def locked(app: Flask, *statements: str) -> Iterator[None]:
    path = app.config["SQLALCHEMY_DATABASE_URI"].removeprefix("sqlite:///")
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        for statement in statements:
            connection.execute(statement)
        yield
    finally:
        connection.close()


def test_an_answer_that_waits_too_long_is_told_so_and_nothing_is_lost(open_app: Flask):
    impatient(open_app)
    browser = open_app.test_client()
    token = browser.get("/token").text
    with locked(open_app, "BEGIN EXCLUSIVE"):
        page = browser.post("/tulis", data={"csrf_token": token})
        data = browser.post("/tulis", data={"csrf_token": token}, headers=JSON)
    assert (page.status_code, data.status_code) == (503, 503)
    assert page.headers["Retry-After"] == data.headers["Retry-After"] == "5"
    assert heading(page.text) == "Suluh sedang sibuk atau dirawat"
    assert "Tunggu sebentar, lalu muat ulang" in page.text
    assert data.get_json()["saved"] is False
    assert browser.post("/tulis", data={"csrf_token": token}).text == "Tersimpan"


@pytest.mark.parametrize("language", ["id", "en"])
def test_the_page_comes_even_when_the_database_answers_nothing_at_all(
    open_app: Flask, language: str
):
    browser = signed_in(open_app)
    with browser.session_transaction() as stored:
        stored["lang"] = language
    impatient(open_app)
    everything = ("PRAGMA locking_mode=EXCLUSIVE", "BEGIN EXCLUSIVE", "DELETE FROM throttle")
    with locked(open_app, *everything):
        answer = browser.get("/orang")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
    assert f'<html lang="{language}">' in answer.text
    assert (heading(answer.text) == "Suluh sedang sibuk atau dirawat") == (language == "id")
    assert browser.get("/orang").status_code == 200  # still signed in


# --- How it is put together


def test_a_name_a_template_does_not_know_is_an_error(app: Flask):
    with app.test_request_context(), pytest.raises(jinja2.UndefinedError):
        render_template_string("{{ salah_ketik }}")


def test_what_a_person_wrote_is_escaped(app: Flask):
    with app.test_request_context():
        shown = render_template_string("{{ name }}", name="<script>")
    assert shown == "&lt;script&gt;"


def test_the_demonstration_says_that_it_is_one(make_app):
    words = "Contoh: semua orang dan angka rekaan"
    assert words in make_app(demo=True).test_client().get("/tidak-ada").text
    assert words not in make_app().test_client().get("/tidak-ada").text


def test_the_language_follows_from_page_to_page(browser: FlaskClient):
    assert '<html lang="id">' in browser.get("/tidak-ada").text
    browser.post("/bahasa", data={"lang": "en"})
    assert '<html lang="en">' in browser.get("/tidak-ada").text
    browser.post("/bahasa", data={"lang": "xx"})
    assert '<html lang="en">' in browser.get("/tidak-ada").text


def test_sessions_do_not_mix_between_browsers(open_app: Flask):
    one, two = signed_in(open_app), open_app.test_client()
    assert one.get("/orang").status_code == 200
    assert two.get("/orang").status_code == 302
    with open_app.test_request_context():
        assert "_user_id" not in session


LIGHT = """
import os, sys
from lms.wsgi import app
answer = app.test_client().get("/masuk", follow_redirects=True)
assert answer.status_code == 200, answer.status_code
heavy = {"alembic", "numpy", "reportlab", "authlib", "pyld", "playwright", "PIL"}
heavy |= {"pyotp", "segno", "joserfc", "cryptography", "requests"}
print(sorted(heavy & {name.split(".")[0].lower() for name in sys.modules}))
"""


def test_the_web_servers_door_serves_a_page_without_heavy_imports(make_app):
    """What is needed once in a while is imported where it is used: memory and start are small."""
    url = make_app().config["SQLALCHEMY_DATABASE_URI"]
    done = subprocess.run(
        [sys.executable, "-c", LIGHT],
        cwd=ROOT,
        env=unmeasured(DATABASE_URL=url, SULUH_SECRET_KEY="x" * 40),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr
