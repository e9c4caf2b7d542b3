"""Help, safety, privacy, quick exit, language, health: pages that belong to everybody."""

import logging
import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from lms.accounts.models import LoginSession, Person
from lms.config import CONTENT
from lms.core.content import read_yaml, validate
from lms.core.db import db
from lms.pages import directory, directory_content
from lms.pages.views import AWAY
from tests import factories

SignIn = Callable[[Person], FlaskClient]
PUBLIC = ("/bantuan", "/aman", "/privasi")
CHECKED = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.fixture
def maria(app: Flask) -> Person:
    return factories.person("speaker", name="Maria Ulfah", email="maria@contoh.test")


@pytest.mark.parametrize("path", PUBLIC)
def test_everybody_may_read_and_the_title_gives_nothing_away(client: FlaskClient, path: str):
    answer = client.get(path)
    assert answer.status_code == 200
    title = re.search(r"<title>(.*?)</title>", answer.text)
    assert title is not None
    assert not re.search("kdrt|kekerasan|korban", title[1], re.IGNORECASE)
    assert answer.text.count("<h1") == 1


def test_help_names_every_service_with_the_day_of_its_check(client: FlaskClient):
    found = directory.load(CONTENT)
    with time_machine.travel(CHECKED):
        page = client.get("/bantuan").text
    for one in found.services:
        assert f'id="{one.id}"' in page
        assert one.name in page
    assert page.count("Diperiksa 21 November 2026") == len(found.services) + len(found.emergency)
    for number in ("110", "119", "129"):
        assert f'href="tel:{number}"' in page
    assert "belum diuji dengan panggilan" in page
    assert "Lebih dari tiga bulan" not in page


def test_help_says_when_somebody_should_look_again(client: FlaskClient):
    with time_machine.travel(CHECKED + timedelta(days=120)):
        assert "Lebih dari tiga bulan, periksa ulang" in client.get("/bantuan").text


def test_help_speaks_english(client: FlaskClient):
    client.post("/bahasa", data={"lang": "en", "next": "/bantuan"})
    page = client.get("/bantuan").text
    assert "Women and children protection unit, Kota Contoh" in page
    assert "Immediate danger. Free, 24 hours." in page


def test_services_stand_under_their_kinds_in_a_fixed_order():
    found = directory.load(CONTENT)
    groups = directory.by_kind(reversed(found.services))
    assert [kind for kind, _ in groups] == list(directory.ServiceKind)
    assert sum(len(services) for _, services in groups) == len(found.services)
    assert directory.by_kind([]) == []
    assert set(directory.KINDS) == set(directory.ServiceKind)


@pytest.mark.parametrize(("days", "stale"), [(0, False), (92, False), (93, True)])
def test_a_check_is_trusted_for_three_months(days: int, stale: bool):
    on = date(2026, 11, 21)
    assert directory.is_stale(on, on + timedelta(days=days)) is stale


def test_a_broken_directory_names_file_and_line(tmp_path: Path):
    lines = (CONTENT / "directory.yaml").read_text(encoding="utf-8").splitlines()
    wrong = next(n for n, line in enumerate(lines) if line == "    kind: police")
    lines[wrong] = "    kind: polisi"
    path = tmp_path / "directory.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    problems = directory_content.check(tmp_path)
    assert [(p.file, p.line) for p in problems] == [(str(path), wrong + 1)]
    assert "kind" in problems[0].message
    with pytest.raises(ValueError, match="polisi"):
        directory.load(tmp_path)  # a server does not start with it


def test_pages_show_what_was_checked():
    checked, _problems = validate(
        directory_content.Directory, read_yaml(CONTENT / "directory.yaml")
    )
    assert checked is not None
    shown = asdict(directory.load(CONTENT))
    for name in ("emergency", "services"):
        assert len(shown[name]) > 2
        shown[name] = list(shown[name])
    assert shown == checked.model_dump()


def test_safety_says_what_the_exit_cannot_do(client: FlaskClient):
    page = client.get("/aman").text
    for words in (
        "Riwayat peramban tidak terhapus",
        "tekan Shift tiga kali dalam lima detik",
        "Jendela privat",
        "Dipakai bersama",
        "Undangan kelas",
        "72 jam",
    ):
        assert words in page, words
    assert "Pengirimnya" not in page


def test_safety_names_the_sender_once_mail_is_sent(make_app: Callable[..., Flask]):
    app = make_app(smtp_url="smtp://localhost:25", mail_from="kelas@contoh.test")
    assert "Pengirimnya: kelas@contoh.test." in app.test_client().get("/aman").text


def test_privacy_says_what_is_kept_and_what_is_not(client: FlaskClient):
    page = client.get("/privasi").text
    for words in (
        "UU 27/2022 Pasal 5–13",
        "Diperiksa 21 November 2026",
        "Data korban. Tidak ada kolom untuk itu.",
        "Isi refleksi.",
        "3 × 24 jam",
        *(f"(Pasal {n})" for n in (5, 6, 7, 8, 9, 11, 12, 13)),
    ):
        assert words in page, words


# Quick exit


def test_the_exit_ends_the_session_and_shows_a_page_that_says_nothing(
    app: Flask, sign_in: SignIn, maria: Person
):
    browser, thief = sign_in(maria), app.test_client()
    with browser.session_transaction() as session:
        token = session["_user_id"]
    with thief.session_transaction() as session:
        session["_user_id"] = token
    answer = browser.post("/keluar-cepat")
    assert answer.status_code == 200
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert "<title>Halaman</title>" in answer.text
    for word in ("suluh", "maria", "pendamping", "kelas", "korban", "topbar", "stylesheet"):
        assert word not in answer.text.lower()
    assert f'http-equiv="refresh" content="0; url={AWAY}"' in answer.text
    assert f'data-leave="{AWAY}"' in answer.text
    for other in (browser, thief):
        assert other.get("/akun").location.startswith("/masuk")
    db.session.rollback()
    assert db.session.scalars(select(LoginSession.ended_at)).one() is not None


def test_the_exit_works_for_anybody_and_keeps_the_language(client: FlaskClient):
    client.post("/bahasa", data={"lang": "en"})
    for _ in range(2):
        answer = client.post("/keluar-cepat")
        assert answer.status_code == 200
        assert '<html lang="en"' in answer.text
    assert '<html lang="en">' in client.get("/aman").text


def test_the_exit_needs_no_token_and_no_fields(make_app: Callable[..., Flask]):
    answer = make_app().test_client().post("/keluar-cepat", data={"apa": "saja"})
    assert answer.status_code == 200


def test_the_exit_opens_even_when_the_database_does_not_answer(
    bare_app: Flask, caplog: pytest.LogCaptureFixture
):
    with bare_app.app_context():
        factories.person("speaker")
        with db.engine.connect() as connection:
            connection.execute(text("DROP TABLE login_session"))
            connection.commit()
    browser = bare_app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = "sebuah-token"
    caplog.set_level(logging.ERROR)
    answer = browser.post("/keluar-cepat")
    assert answer.status_code == 200
    assert AWAY in answer.text
    assert "a session could not be ended" in caplog.text
    assert "sebuah-token" not in caplog.text
    with browser.session_transaction() as session:
        assert "_user_id" not in session


def test_the_exit_stands_first_on_every_page(client: FlaskClient):
    for path in (*PUBLIC, "/mulai"):
        page = client.get(path).text
        body = page[page.index("<body") :]
        assert body.index("data-exit") < body.index("<a ")


# Language


def test_the_language_changes_here_and_for_the_account(
    client: FlaskClient, sign_in: SignIn, maria: Person
):
    assert client.post("/bahasa", data={"lang": "en", "next": "/aman"}).location == "/aman"
    assert '<html lang="en">' in client.get("/aman").text
    browser = sign_in(maria)
    assert browser.post("/bahasa", data={"lang": "en", "next": "/akun?x=1"}).location == "/akun?x=1"
    db.session.rollback()
    assert db.session.get_one(Person, maria.id).locale == "en"
    assert '<html lang="en">' in sign_in(maria).get("/akun").text


@pytest.mark.parametrize("lang", ["", "fr", "en-US", "<script>"])
def test_an_unknown_language_changes_nothing(client: FlaskClient, lang: str):
    assert client.post("/bahasa", data={"lang": lang, "next": "/aman"}).location == "/aman"
    assert '<html lang="id">' in client.get("/aman").text


@given(st.text(alphabet=st.sampled_from("/\\:.@?# \t\r\nae0http"), max_size=16) | st.text())
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150, deadline=None
)
def test_changing_the_language_never_leads_off_the_site(client: FlaskClient, target: str):
    answer = client.post("/bahasa", data={"lang": "id", "next": target})
    assert answer.status_code == 302
    there = urlsplit(answer.location)
    assert (there.scheme, there.netloc) == ("", "")
    assert there.path.startswith("/")


def test_without_a_way_back_the_language_leads_home(client: FlaskClient):
    assert client.post("/bahasa", data={"lang": "id"}).location == "/"
    assert client.get("/bahasa").status_code == 405


# Health


def test_health_answers_while_the_database_does(client: FlaskClient):
    answer = client.get("/healthz")
    assert answer.get_json() == {"ok": True}
    assert answer.headers["Cache-Control"] == "no-store"
