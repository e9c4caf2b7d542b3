"""What machines ask: is it ready, and how full is it?"""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from lms.core import mail, meters, readonly, schema
from lms.core.db import db, unit_of_work
from tests import factories
from tests.factories import NOW

TOKEN = "t" * 20


@pytest.mark.both
def test_ready_means_that_people_can_save(app: Flask, client: FlaskClient):
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {
        "ready": True, "database": "ok", "tables": "ok", "writes": "ok", "disk": "ok",
        "read_only": "ok",
    }  # fmt: skip


@pytest.mark.both
def test_tables_of_another_version_are_not_ready(app: Flask, client: FlaskClient):
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json["tables"]) == (503, "behind")


def test_neither_is_a_full_disk_nor_an_operator_who_says_so(
    make_app: Callable[..., Flask], tmp_path: Path
):
    full = make_app(reserve_mib=2**40).test_client().get("/readyz")
    assert (full.status_code, full.json["disk"], full.json["ready"]) == (503, "full", False)
    app = make_app(folder=tmp_path)
    (tmp_path / readonly.SWITCH).touch()
    stopped = app.test_client().get("/readyz")
    assert (stopped.status_code, stopped.json["read_only"]) == (503, "on")
    (tmp_path / readonly.SWITCH).unlink()
    assert app.test_client().get("/readyz").status_code == 200


def test_a_file_nobody_may_write_is_not_ready(make_app, monkeypatch: pytest.MonkeyPatch):
    app = make_app()
    monkeypatch.setattr("os.access", lambda *_: False)  # root may write everything
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json["writes"]) == (503, "refused")


@pytest.mark.both
def test_a_standby_of_postgresql_is_not_ready(app: Flask, client: FlaskClient):
    if db.engine.dialect.name == "sqlite":
        assert client.get("/readyz").json["writes"] == "ok"
        return
    with db.engine.connect() as connection:
        connection.execute(text("ALTER DATABASE suluh SET default_transaction_read_only = on"))
        connection.commit()
    db.engine.dispose()
    assert client.get("/readyz").json["writes"] == "refused"


def test_a_database_that_does_not_answer_is_503(make_app, tmp_path: Path):
    app = make_app()
    with app.app_context():
        db.engine.dispose()
        Path(db.engine.url.database or "").write_bytes(b"x" * 5000)
    answer = app.test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (503, {"ready": False, "database": "down"})


# Metrics


@pytest.fixture
def counting(make_app: Callable[..., Flask]) -> Flask:
    app = make_app(metrics_token=TOKEN)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


def read(app: Flask) -> dict[str, float]:
    answer = app.test_client().get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4"
    pairs = re.findall(r"^([a-z_]+(?:\{[^}]*\})?) ([-+.e0-9]+)$", answer.text, re.M)
    return {name: float(value) for name, value in pairs}


def test_without_a_token_in_the_settings_there_is_no_such_page(app: Flask, client: FlaskClient):
    assert client.get("/metrics").status_code == 404
    assert meters.find() is None


@pytest.mark.parametrize("given", [None, "Bearer", "Bearer x", f"Bearer {TOKEN}x", "Basic é"])
def test_without_the_token_nothing_is_said(counting: Flask, given: str | None):
    headers = {"Authorization": given} if given else {}
    answer = counting.test_client().get("/metrics", headers=headers)
    assert (answer.status_code, answer.data) == (401, b"401\n")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_requests_sign_ins_and_answers_are_counted(counting: Flask):
    with counting.app_context():
        person = factories.person()
        email = person.email
        db.session.remove()
    browser = counting.test_client()
    for _ in range(3):
        browser.get("/bantuan")
    browser.get("/tidak-ada")
    browser.post("/masuk", data={"email": email, "password": "bukan kata sandi"})
    found = read(counting)
    seen = 'suluh_requests_total{endpoint="%s",method="%s",status="%s"}'
    assert found[seen % ("pages.help", "GET", 200)] == 3
    assert found[seen % ("none", "GET", 404)] == 1
    assert found["suluh_sign_ins_failed_total"] == 1
    assert found["suluh_answers_saved_total"] == 0
    assert found['suluh_request_seconds_count{endpoint="pages.help"}'] == 3
    assert not any(email in name or "bantuan" in name for name in found)


def test_what_is_full_and_what_waits_is_read_at_the_moment(counting: Flask):
    with counting.app_context(), unit_of_work():
        for n in range(3):
            mail.put(f"p{n}@contoh.test", "Kelas", "Isi", now=NOW)
        mail.list_outbox()[0].tries = mail.RETRIES
    found = read(counting)
    assert found['suluh_mail{state="waiting"}'] == 2
    assert found['suluh_mail{state="stuck"}'] == 1
    assert found["suluh_read_only"] == 0
    assert found["suluh_free_bytes"] > 0
    assert found["suluh_jobs_open"] == found["suluh_job_problems"] == 0


def test_errors_of_the_database_and_rounds_are_counted(counting: Flask):
    with counting.app_context():
        with pytest.raises(Exception, match="no such table"):
            db.session.execute(text("SELECT * FROM tidak_ada"))
        counter = meters.find()
        assert counter is not None
        counter.note_round("mail", NOW.timestamp(), done=True)
        counter.note_round("mail", (NOW + timedelta(hours=1)).timestamp(), done=False)
    found = read(counting)
    assert found['suluh_database_errors_total{kind="OperationalError"}'] == 1
    assert found['suluh_rounds_total{name="mail",result="failed"}'] == 1
    assert found['suluh_round_last_success_seconds{name="mail"}'] == NOW.timestamp()


def test_every_installation_of_tests_is_at_the_newest_tables(app: Flask):
    """The positive control of the tables that are behind."""
    assert schema.is_current(db.engine)
