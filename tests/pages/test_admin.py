"""What the administrator sees of the installation: state, outbox, trail of changes."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.competency.models import StandardVersion
from lms.core import audit, clock, mail
from lms.core.db import db, unit_of_work
from lms.core.models import ContentRelease, Mail
from lms.pages.system import hide_personal_links, read_system
from tests import factories
from tests.queries import counted

NOW = factories.NOW
SignIn = Callable[[Person], FlaskClient]


@pytest.fixture
def browser(app: Flask, sign_in: SignIn) -> FlaskClient:
    return sign_in(factories.person("admin", name="Sri Wahyuni"))


def put(count: int = 1, body: str = "Isi") -> list[int]:
    with unit_of_work():
        return [
            mail.put(f"p{n:02}@contoh.test", "Undangan kelas", body, now=NOW).id
            for n in range(count)
        ]


def note(action: str, subject: str = "person:1", count: int = 1, **detail: object) -> None:
    with unit_of_work():
        for _ in range(count):
            audit.record(action, subject, actor_id=None, now=NOW, **detail)


@pytest.mark.both
def test_the_system_page_says_what_is_loaded_and_on_what(app: Flask, sign_in: SignIn):
    page = sign_in(factories.person("admin")).get("/admin/sistem").text
    release = db.session.query(ContentRelease).one()
    engine = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}[db.engine.dialect.name]
    for words in (release.digest[:12], engine, "Rancangan", "Tabel sesuai versi ini",
                  "2 Januari 2026, 10.04 WIB", "Pengiriman belum diatur"):  # fmt: skip
        assert words in page, words
    rows = re.findall(r'<th scope="row">([^<]+)</th><td class="end">(\d+)</td>', page)
    assert len(rows) == len(release.counts)
    assert not {name for name, _ in rows} & set(release.counts), "each has a name for people"
    assert [int(number) for _, number in rows] == [
        count["total"] for count in release.counts.values()
    ]
    assert "Ini contoh." not in page


def test_the_system_page_notices_a_changed_table_and_an_adopted_standard(
    app: Flask, browser: FlaskClient
):
    with unit_of_work():
        db.session.query(StandardVersion).one().adopted_at = NOW
    assert "Ditetapkan" in browser.get("/admin/sistem").text
    with unit_of_work():
        db.session.execute(text("ALTER TABLE throttle ADD COLUMN extra INTEGER"))
        db.session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    page = browser.get("/admin/sistem").text
    assert "Tabel berbeda dari versi ini" in page
    assert "./run cli doctor" in page


def test_the_system_page_stands_without_content(app: Flask, browser: FlaskClient):
    with unit_of_work():
        db.session.query(ContentRelease).delete()
        db.session.query(StandardVersion).delete()
    page = browser.get("/admin/sistem").text
    assert "Belum ada isi" in page
    assert "./run cli content load" in page
    assert "Belum dimuat" in page
    assert read_system().standard is None


def test_the_system_page_shows_mail_and_demo_as_configured(make_app: Callable[..., Flask]):
    app = make_app(smtp_url="smtp://user:rahasia@localhost:25", demo=True)
    with app.app_context():
        admin = factories.person("admin")
        with unit_of_work():
            found = db.session.merge(admin)
            token = accounts.begin_session(found, now=clock.now()).token
    browser = app.test_client()
    with browser.session_transaction() as session:
        session["_user_id"] = token
    page = browser.get("/admin/sistem").text
    assert "Pengiriman diatur" in page
    assert "Ini contoh." in page
    assert "rahasia" not in page


def test_unsent_messages_are_counted(app: Flask, browser: FlaskClient):
    ids = put(5)
    with unit_of_work():
        db.session.get_one(Mail, ids[0]).sent_at = NOW
        db.session.get_one(Mail, ids[1]).tries = mail.RETRIES
    assert mail.count_unsent() == mail.Counts(waiting=3, stuck=1)
    page = browser.get("/admin/sistem").text
    assert re.search(r"<dt>Menunggu</dt>\s*<dd>3</dd>", page)
    assert re.search(r"<dt>Berhenti dicoba</dt>\s*<dd>1</dd>", page)


def test_the_outbox_shows_state_error_and_body(app: Flask, browser: FlaskClient):
    assert "Belum ada surat" in browser.get("/admin/surat").text
    ids = put(4, body="Salam <b>Maria</b>.\n\nBuka tautan.")
    with unit_of_work():
        sent, tried, stuck = (db.session.get_one(Mail, one) for one in ids[:3])
        sent.sent_at = NOW
        tried.tries, tried.last_error = 2, "TimeoutError: <lama>"
        stuck.tries = mail.RETRIES
    page = browser.get("/admin/surat").text
    addresses = re.findall(r"Kepada (p\d\d)@", page)
    assert addresses == ["p03", "p02", "p01", "p00"]
    states = re.findall(r'class="badge[^>]*>.*?</svg>\s*([^<]+)</span>', page, re.DOTALL)
    assert [state.strip() for state in states] == [
        "Menunggu", "Berhenti dicoba", "Menunggu", "Terkirim",
    ]  # fmt: skip
    assert "TimeoutError: &lt;lama&gt;" in page
    assert "2 kali dicoba" in page
    assert page.count("Salam &lt;b&gt;Maria&lt;/b&gt;.") == 4
    assert "Pengiriman surat belum diatur" in page


def test_a_personal_link_is_not_shown_again_in_the_outbox(app: Flask, browser: FlaskClient):
    secret = "kIaVUizQOPkvcTjWBfhAW_WL8WMGxS-Gd3Gax_qVAeg"
    put(body=f"Tautan: http://127.0.0.1:8000/undangan/{secret}\nSalam")
    page = browser.get("/admin/surat").text
    assert secret not in page
    assert "http://127.0.0.1:8000/undangan/…\nSalam" in page
    assert hide_personal_links("tanpa tautan") == "tanpa tautan"


def test_the_outbox_is_paged(browser: FlaskClient):
    ids = put(53)
    first = browser.get("/admin/surat").text
    assert first.count("Kepada p") == 50
    assert f'href="/admin/surat?sebelum={ids[3]}" rel="next"' in first
    second = browser.get(f"/admin/surat?sebelum={ids[3]}").text
    assert re.findall(r"Kepada (p\d\d)@", second) == ["p02", "p01", "p00"]
    assert 'rel="next"' not in second
    assert browser.get("/admin/surat?sebelum=x").status_code == 200


def test_the_trail_names_who_what_and_when(app: Flask, browser: FlaskClient):
    trainer = factories.person("trainer", name="Rahma <i>Yuliani</i>")
    with unit_of_work():
        audit.record(
            "credentials.revoke", "certificate:7", actor_id=trainer.id, now=NOW,
            reason="Salah <nama>", kuk=["02.1.1"],
        )  # fmt: skip
    note("db.upgrade", "schema:1")
    page = browser.get("/admin/catatan").text
    assert page.index("db.upgrade") < page.index("credentials.revoke")
    assert "baris perintah" in page
    assert "Rahma &lt;i&gt;Yuliani&lt;/i&gt;" in page
    assert "reason: Salah &lt;nama&gt;" in page
    assert "2 Maret 2026, 15.00 WIB" in page


def test_the_trail_is_filtered_by_action_and_by_subject(browser: FlaskClient):
    note("cohorts.invite", "invitation:1")
    note("cohorts.accept", "invitation:1")
    note("accounts.rename", "person:2")

    def actions(query: str) -> list[str]:
        page = browser.get(f"/admin/catatan?{query}").text
        return re.findall(r'href="/admin/catatan\?tindakan=([\w.]+)"', page)

    assert actions("tindakan=cohorts.") == ["cohorts.accept", "cohorts.invite"]
    assert actions("tindakan=cohorts.invite") == ["cohorts.invite"]
    assert actions("tentang=person:2") == ["accounts.rename"]
    assert actions("tindakan=%25") == []
    assert actions("tindakan=cohorts_") == []
    page = browser.get("/admin/catatan?tindakan=%22%3E%3Cb%3E").text
    assert "Tidak ada catatan yang cocok" in page
    assert "<b>" not in page.split("<main", 1)[1].split("</main>")[0]


def test_the_trail_is_paged_and_keeps_its_filter(browser: FlaskClient):
    note("cohorts.invite", count=53)
    note("accounts.rename")
    first = browser.get("/admin/catatan?tindakan=cohorts.").text
    assert first.count('<th scope="row">') == 50
    following = re.search(r'href="([^"]+)" rel="next"', first)
    assert following is not None
    second = browser.get(following[1].replace("&amp;", "&")).text
    assert second.count('<th scope="row">') == 3
    assert "accounts.rename" not in second
    assert 'href="/admin/catatan?tindakan=cohorts." rel="prev"' in second
    assert browser.get("/admin/catatan?sebelum=x").status_code == 200


@pytest.mark.parametrize("path", ["/admin/surat", "/admin/catatan"])
def test_long_lists_ask_a_fixed_number_of_questions(browser: FlaskClient, path: str):
    counts = []
    for more in (3, 40):
        put(more)
        note("cohorts.invite", count=more)
        with counted() as asked:
            browser.get(path)
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 3
