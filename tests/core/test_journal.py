"""The log says what happened and to which page, and never to whom or with which words."""

import json
import logging
from collections.abc import Callable, Iterator

import pytest
from flask import Flask, abort
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from lms.core import journal, login
from lms.core.db import db, unit_of_work
from tests import factories
from tests.factories import NOW

NAME, ANSWER, TOKEN = "Ny. Kenanga Rahasia", "jawaban-amat-rahasia", "tok3n-Amat-Rahas1a"
MAIL = "kenanga.rahasia@contoh.test"


class Output:
    """What went to standard error so far."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys, self.so_far = capsys, ""

    def getvalue(self) -> str:
        self.so_far += self.capsys.readouterr().err
        return self.so_far


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Iterator[Output]:
    """What goes to standard error; afterwards nobody writes there any more."""
    level = logging.getLogger("lms").level
    yield Output(capsys)
    root = logging.getLogger()
    root.handlers = [one for one in root.handlers if not isinstance(one, journal.StandardError)]
    logging.getLogger("lms").setLevel(level)


@pytest.fixture
def site(make_app: Callable[..., Flask], output: Output) -> Flask:
    """An application as it runs outside tests, with pages that go wrong in every way."""
    app = make_app(testing=False, log="json")
    app.config["WTF_CSRF_ENABLED"] = False

    @app.get("/rusak/<token>")
    @login.public
    def broken(token: str) -> str:
        raise ValueError(f"{NAME} {token}")

    @app.get("/ganda")
    @login.public
    def twice() -> str:
        with unit_of_work():
            for _ in range(2):
                db.session.execute(
                    text("INSERT INTO throttle VALUES (:key, 1, :at)"),
                    {"key": NAME, "at": NOW.isoformat()},
                )
        return ""

    @app.get("/sibuk")
    @login.public
    def busy() -> str:
        raise OperationalError("SELECT 1", {"name": NAME}, Exception(f"locked\nDETAIL: {NAME}"))

    @app.get("/lama")
    @login.public
    def old() -> str:
        logging.getLogger("waitress").error("Exception while serving %s", f"/undangan/{TOKEN}")
        logging.getLogger("lms.x").warning("satu\r\ndua %s", "\u2028tiga")
        abort(410)

    return app


def lines(output: Output) -> list[dict]:
    return [json.loads(line) for line in output.getvalue().splitlines()]


def test_one_line_says_which_page_how_long_and_how_much(site: Flask, output: Output):
    answer = site.test_client().get("/bantuan?dari=/akun")
    (line,) = lines(output)
    assert line["endpoint"] == "pages.help"
    assert (line["method"], line["status"], line["level"]) == ("GET", 200, "info")
    assert line["bytes"] == len(answer.data)
    assert line["ms"] > 0
    assert line["time"].endswith("+00:00")
    assert len(line["request"]) == 12
    assert "bantuan" not in output.getvalue()


def test_unknown_pages_and_methods_are_counted_without_their_words(site: Flask, output: Output):
    browser = site.test_client()
    browser.get(f"/undangan-lama/{TOKEN}")
    browser.open("/masuk", method=TOKEN.upper())
    assert [(one["endpoint"], one["method"]) for one in lines(output)] == [
        (None, "GET"),
        (None, "OTHER"),
    ]
    assert TOKEN.upper() not in output.getvalue()


def test_an_error_has_its_type_and_its_places_and_no_message(site: Flask, output: Output):
    answer = site.test_client().get(f"/rusak/{TOKEN}")
    assert answer.status_code == 500
    error, request = lines(output)
    assert error["request"] == request["request"]
    assert error["error"][0] == "builtins.ValueError"
    assert any(one.startswith("tests/core/test_journal.py:") for one in error["error"])
    assert NAME not in output.getvalue()
    assert TOKEN not in output.getvalue()


def test_a_database_error_keeps_what_the_database_says_and_no_row(site: Flask, output: Output):
    browser = site.test_client()
    assert browser.get("/ganda").status_code == 500
    assert browser.get("/sibuk").status_code == 503
    doubled, _request, busy, _last = lines(output)
    assert doubled["error"][0] == "sqlalchemy.exc.IntegrityError IntegrityError"
    assert busy["message"] == "database: locked"
    assert NAME not in output.getvalue()


def test_what_libraries_fill_in_is_left_out_and_line_ends_are_escaped(site: Flask, output: Output):
    site.test_client().get("/lama")
    library, ours, _request = lines(output)
    assert library["message"] == "Exception while serving %s"
    assert ours["message"] == "satu\r\ndua \u2028tiga"
    assert output.getvalue().count("\n") == 3
    assert TOKEN not in output.getvalue()


def test_text_for_people_keeps_to_one_line_a_message(output: Output):
    journal.to_standard_error("text")
    logging.getLogger("lms").warning("satu\r\ndua")
    try:
        raise IntegrityError("INSERT", {"name": NAME}, Exception(NAME))
    except IntegrityError:
        logging.getLogger("lms").exception("unhandled")
    first, second, *places = output.getvalue().splitlines()
    assert first.endswith("WARNING lms: satu dua")
    assert second.endswith("ERROR lms: unhandled")
    assert places[0].strip() == "sqlalchemy.exc.IntegrityError Exception"
    assert NAME not in output.getvalue()


def test_a_chain_of_errors_is_told_and_an_endless_one_ends(output: Output):
    journal.to_standard_error("json")
    try:
        try:
            _ = 1 / 0
        except ZeroDivisionError as inner:
            raise KeyError(NAME) from inner
    except KeyError:
        logging.getLogger("lms").exception("unhandled")
    types = [one for one in lines(output)[0]["error"] if one.startswith("builtins.")]
    assert types == ["builtins.KeyError", "builtins.ZeroDivisionError"]


def test_a_formatter_that_fails_stops_nobody(output: Output, monkeypatch):
    journal.to_standard_error("json")
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logging.getLogger("lms").warning("%d", "not a number")
    assert output.getvalue() == ""


def test_without_json_requests_are_not_written(make_app, output: Output):
    make_app(testing=False).test_client().get("/masuk")
    assert output.getvalue() == ""


# Canaries: many pages, and none of what people typed or carry stands in the log


def test_no_page_writes_a_name_an_answer_or_a_token(site: Flask, output: Output):
    with site.app_context():
        someone = factories.person("trainee", "trainer", "admin", name=NAME, email=MAIL)
        public_id = someone.public_id
        db.session.remove()
    browser = site.test_client()
    browser.post("/masuk", data={"email": MAIL, "password": "keliru " + ANSWER})
    signed = browser.post("/masuk", data={"email": MAIL, "password": factories.PASSWORD})
    assert signed.status_code == 302
    cookie = browser.get_cookie("suluh")
    assert cookie is not None
    secrets = [NAME, NAME.split()[-1], MAIL, ANSWER, TOKEN, factories.PASSWORD, public_id,
               cookie.value, "127.0.0.1"]  # fmt: skip
    for path in ("/", "/akun", "/admin/orang", f"/admin/orang?cari={NAME}", "/admin/catatan",
                 f"/admin/orang/{public_id}", f"/undangan/{TOKEN}", f"/c/{TOKEN}",
                 f"/c?kode={TOKEN}", "/kompetensi", f"/kuis/k1/{TOKEN}", "/readyz"):  # fmt: skip
        browser.get(path)
    browser.post("/akun/nama", data={"name": NAME + " " + ANSWER})
    browser.post("/c", data={"kode": TOKEN, "nama": NAME})
    browser.post(f"/kuis/k1/{TOKEN}/simpan", data={"choice": ANSWER})
    browser.post("/bahasa", data={"lang": "id", "next": "/" + TOKEN})
    browser.get(f"/rusak/{TOKEN}")
    assert len(lines(output)) >= 18
    found = [secret for secret in secrets if secret in output.getvalue()]
    assert found == []
    # The positive control: one message with a name in it would be seen.
    logging.getLogger("lms").warning("%s", NAME)
    assert NAME in output.getvalue()
