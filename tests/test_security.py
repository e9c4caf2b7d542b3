"""What a hostile, curious or careless visitor tries. Each test fails without its guard."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError
from werkzeug.datastructures import MultiDict
from werkzeug.routing import IntegerConverter, Rule
from wtforms import PasswordField, StringField, TextAreaField

from lms.accounts.models import LoginSession
from lms.accounts.services import begin_session
from lms.cohorts.models import Part
from lms.competency.models import Coaching
from lms.core import clock
from lms.core.db import db, unit_of_work
from lms.core.forms import PageForm
from lms.core.login import ROLES
from lms.practice.attendance.models import Attendance
from lms.server import instance_config
from tests import factories

ENDS_A_SESSION = {"pages.quick_exit", "accounts.sign_out"}
QUERY = ["sebelum", "cari", "peran", "setelah", "tindakan", "tentang", "hal", "status", "unit",
         "kode", "soal", "bagian", "kuk", "varian", "siapa", "instansi", "urut", "tampil",
         "next", "tingkat", "minggu", "selesai"]  # fmt: skip
HOSTILE = ["\0", "9" * 5000, "-1", "%", "' OR 1=1--", "\N{GRINNING FACE}"]
STORED_UNLIKE = ["a\0b", "9" * 25]
"""What PostgreSQL refuses to look for."""


@pytest.fixture
def everybody(bare_app: Flask) -> FlaskClient:
    """A browser of somebody who may open every page; each request has a session of its own."""
    with bare_app.app_context():
        boss, where = factories.person(*ROLES), factories.cohort(slug="kelas")
        factories.staff(boss, where)
        factories.seat(boss, where)
        with unit_of_work():
            token = begin_session(db.session.merge(boss), now=clock.now()).token
        db.session.remove()
    browser = bare_app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = token
    return browser


def addresses(rule: Rule, value: str) -> Iterator[str]:
    """Put `value` into each part of an address in turn, then into everything a query may hold."""
    known = {"slug": "kelas", "curriculum": "k1", "number": "1", "position": "1"}
    parts = {name: known.get(name, "x") for name in rule.arguments}
    for name in parts:
        yield fill(rule, parts | {name: quote(value, safe="")})
    yield fill(rule, parts) + "?" + "&".join(f"{name}={quote(value)}" for name in QUERY)


def fill(rule: Rule, parts: dict[str, str]) -> str:
    address = rule.rule
    for name, converter in rule._converters.items():
        kind = {"PathConverter": "path:", "IntegerConverter": "int:"}.get(
            type(converter).__name__, ""
        )
        address = address.replace(f"<{kind}{name}>", parts[name])
    assert "<" not in address
    return address


@pytest.mark.walk
@pytest.mark.parametrize("value", HOSTILE)
def test_no_address_and_no_query_is_an_error_of_ours(
    bare_app: Flask, everybody: FlaskClient, value: str
):
    _refuse_nothing_with_500(bare_app, everybody, value)


@pytest.mark.walk
@pytest.mark.both
@pytest.mark.parametrize("value", STORED_UNLIKE)
def test_no_value_that_databases_treat_unlike_is_an_error_of_ours(
    bare_app: Flask, everybody: FlaskClient, value: str
):
    _refuse_nothing_with_500(bare_app, everybody, value)


def _refuse_nothing_with_500(bare_app: Flask, everybody: FlaskClient, value: str) -> None:
    wrong, count = [], 0
    for rule in bare_app.url_map.iter_rules():
        if rule.endpoint in ENDS_A_SESSION:
            continue
        for address in addresses(rule, value):
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                fields = getattr(bare_app.view_functions[rule.endpoint], "accepts", ())
                sent = dict.fromkeys(fields, value) if method == "POST" else None
                count += 1
                try:
                    status = everybody.open(address, method=method, data=sent).status_code
                except Exception as error:  # tests let errors through: note which
                    wrong.append(f"{method} {address[:60]}: {type(error).__name__}: {error}"[:200])
                else:
                    if status >= 500:
                        wrong.append(f"{method} {address[:60]}: {status}")
    assert wrong == []
    assert count > 150


@pytest.mark.parametrize("host", ["a..b", "a" * 300])
def test_a_host_name_nobody_can_have_is_refused_without_a_crash(make_app, host: str):
    answer = make_app(testing=False).test_client().get("/masuk", headers={"Host": host})
    assert (answer.status_code, answer.mimetype) == (400, "text/plain")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_a_page_asks_only_for_ids_that_rows_have(app: Flask, sign_in):
    browser = sign_in(factories.person("admin"))
    for number in ("9" * 25, "-1", "x", "١٢", ""):
        assert browser.get(f"/admin/surat?sebelum={number}").status_code == 200


class Everything(PageForm):
    """One field of each kind of text."""

    name = StringField()
    story = TextAreaField()
    secret = PasswordField()


def test_a_name_is_one_plain_line_and_a_story_keeps_its_lines(app: Flask):
    with app.test_request_context(method="POST"):
        typed = "Ani\r\n\r\nBuka https://jahat.test\u202e \u200b\x1b[31m"
        form = Everything(
            MultiDict({"name": typed, "story": "a\nb", "secret": "x\u200dy"}), meta={"csrf": False}
        )
    assert form.name.data == "Ani Buka https://jahat.test [31m"
    assert form.story.data == "a\nb"
    assert form.secret.data == "x\u200dy"


def test_nobody_forges_a_line_of_a_letter(app: Flask, sign_in):
    trainer, where = factories.person("trainer"), factories.cohort()
    factories.staff(trainer, where)
    sent = {
        "email": "baru@contoh.test",
        "name": "Ani\n\nBuka https://jahat.test",
        "role": "trainee",
        "organisation": factories.organisation().public_id,
    }
    sign_in(trainer).post(f"/angkatan/{where.slug}/undangan", data=sent)
    body = db.session.scalar(text("SELECT body FROM mail"))
    assert "Salam, Ani Buka https://jahat.test." in body


def test_who_only_speaks_in_a_class_does_not_read_its_results(app: Flask, sign_in):
    """The role of trainer is for the own class; here the person is a speaker."""
    guest, learner = factories.person("trainer", "speaker"), factories.person()
    own, other = factories.cohort(), factories.cohort()
    factories.staff(guest, own)
    factories.staff(guest, other, Part.SPEAKER)
    factories.seat(learner, other)
    browser = sign_in(guest)
    assert browser.get(f"/angkatan/{own.slug}").status_code == 200
    assert browser.get(f"/angkatan/{other.slug}").status_code == 404
    page = f"/angkatan/{other.slug}/peserta/{learner.public_id}"
    assert browser.get(page).status_code == 404


def test_the_title_of_a_class_is_not_the_title_of_its_page(app: Flask, sign_in):
    """An administrator may call a class what it is about; a browser tab must not."""
    trainer, where = factories.person("trainer"), factories.cohort(title="Kelas KDRT")
    factories.staff(trainer, where)
    page = sign_in(trainer).get(f"/angkatan/{where.slug}").text
    assert "KDRT" not in page.partition("<title>")[2].partition("</title>")[0]


def test_nobody_notes_their_own_attendance(app: Flask, sign_in):
    both, other = factories.person("trainer", "trainee"), factories.person()
    where = factories.cohort()
    factories.staff(both, where)
    for someone in (both, other):
        factories.seat(someone, where)
    browser = sign_in(both)
    assert f"{both.public_id}-hadir" not in browser.get(f"/angkatan/{where.slug}/hadir").text
    sent = {"bagian": "1am", "langkah": "semua", f"{both.public_id}-hadir": "present"}
    assert browser.post(f"/angkatan/{where.slug}/hadir", data=sent).status_code == 302
    assert list(db.session.scalars(select(Attendance.person_id))) == [other.id]


def test_nobody_opens_their_own_next_try(app: Flask, sign_in):
    both, where = factories.person("trainer", "trainee"), factories.cohort()
    factories.staff(both, where)
    factories.seat(both, where)
    answer = sign_in(both).post(
        f"/angkatan/{where.slug}/peserta/{both.public_id}/bimbingan",
        data={"about": "Q:K1", "note": "Sudah dibahas."},
    )
    assert answer.status_code == 403
    assert db.session.scalar(select(func.count(Coaching.id))) == 0


def change(browser: FlaskClient, old: str) -> str:
    new = "kebun teh pagi 12"
    return browser.post("/akun/kata-sandi", data={"old": old, "new": new, "again": new}).text


def test_a_browser_found_signed_in_is_no_place_to_guess_the_password(app: Flask, sign_in):
    owner = factories.person()
    browser = sign_in(owner)
    for number in range(7):
        page = change(browser, f"tebakan {number}")
    assert "Terlalu banyak percobaan" in page
    assert "Terlalu banyak percobaan" in change(browser, factories.PASSWORD)
    # The way in from elsewhere stays as it was.
    sent = {"email": owner.email, "password": factories.PASSWORD, "device": "shared"}
    assert app.test_client().post("/masuk", data=sent).status_code == 302


def test_a_remembered_device_is_no_place_to_guess_the_password(app: Flask, client: FlaskClient):
    """It is spared what others guess elsewhere, not what is guessed on it."""
    owner = factories.person()
    sent = {"email": owner.email, "password": factories.PASSWORD, "device": "own"}
    assert client.post("/masuk", data=sent).status_code == 302
    client.post("/akun/akhiri-sesi")
    for number in range(7):
        page = client.post("/masuk", data=sent | {"password": f"tebakan {number}"}).text
    assert "Terlalu banyak percobaan" in page
    assert client.post("/masuk", data=sent).status_code == 422
    assert db.session.scalar(select(func.count(LoginSession.id))) == 1


@pytest.mark.both
def test_a_log_of_a_database_error_holds_no_answer_and_no_name(app: Flask):
    with pytest.raises(DBAPIError) as caught:
        db.session.execute(text("SELECT :name FROM tidak_ada"), {"name": "Siti Rahma"})
    db.session.rollback()
    assert "Siti" not in str(caught.value)


def test_the_folder_of_an_installation_is_the_owners(tmp_path):
    folder = tmp_path / "instance"
    instance_config({}, folder, database="suluh.sqlite3")
    assert folder.stat().st_mode & 0o077 == 0


@pytest.mark.walk
def test_markup_in_names_stays_text_on_every_page(bare_app: Flask, everybody: FlaskClient):
    evil = "<img src=x onerror=alert(1)>"
    with bare_app.app_context():
        with unit_of_work():
            db.session.execute(text("UPDATE person SET name = :name"), {"name": evil})
            db.session.execute(text("UPDATE organisation SET name = :name || id"), {"name": evil})
            db.session.execute(text("UPDATE cohort SET title = :name"), {"name": evil})
        person_id = db.session.scalar(text("SELECT public_id FROM person"))
        db.session.remove()
    shown = 0
    for rule in bare_app.url_map.iter_rules():
        if "GET" not in (rule.methods or ()):
            continue
        parts = {"slug": "kelas", "curriculum": "k1", "public_id": person_id, "person": person_id}
        numbers = {n: "1" for n, c in rule._converters.items() if isinstance(c, IntegerConverter)}
        page = everybody.get(fill(rule, dict.fromkeys(rule.arguments, "x") | parts | numbers))
        if page.mimetype == "text/html":  # a sheet or a paper holds text as text
            assert b"<img" not in page.data
        shown += b"&lt;img" in page.data
    assert shown > 20
