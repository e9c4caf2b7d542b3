"""Deleting an account: what goes, what stays, what can be undone."""

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from lms import rounds
from lms.accounts import services as accounts
from lms.accounts.models import LoginSession, Person
from lms.cohorts import invitations
from lms.core import clock
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.models import AuditEvent, Mail
from lms.credentials import register
from lms.credentials.models import Document, Proposal, ProposalState
from lms.privacy import consent, data_map, erasure, rules
from lms.privacy.data_map import MAP, Kind
from lms.privacy.models import Answer, Deletion, Way
from tests import factories, races
from tests.credentials.world import World
from tests.privacy.world import canary, cells, fill

Enter = Callable[[Person], FlaskClient]
NOW = datetime(2026, 5, 1, 8, tzinfo=UTC)
LATER = NOW + rules.UNDO
BASE = "http://127.0.0.1:8000"


def _two() -> tuple[tuple[int, str], tuple[int, str]]:
    factories.person("admin", name="Admin Tetap")
    ani = factories.person(name="Ani Kenari", email="ani@contoh.test")
    budi = factories.person(name="Budi Lain", email="budi@contoh.test")
    return (ani.id, ani.email), (budi.id, budi.email)


def _ask(person_id: int, way: Way = Way.ASKED) -> None:
    with unit_of_work():
        erasure.ask(person_id, way, actor_id=person_id, base_url=BASE, now=NOW)


def _link(to: str = "ani@contoh.test") -> str:
    letter = db.session.scalars(
        select(Mail).where(Mail.to == to).order_by(Mail.id.desc()).limit(1)
    ).one()
    found = re.search(r"/privasi/urung/[\w-]+", letter.body)
    assert found
    return found[0]


@pytest.mark.both
def test_what_goes_and_what_stays(app: Flask):
    a, b = _two()
    fill("ani", a, b[0], 1)
    fill("budi", b, a[0], 2)
    named = {("outside_training", "trainer_name")}  # Ani trained Budi, and is named there
    before = {(t, c, repr(v)) for t, c, v in cells() if "kenari-budi" in repr(v)}
    before = {cell for cell in before if cell[:2] not in named}
    with unit_of_work():
        erasure.erase(a[0], now=NOW)
    left = {(table, column) for table, column, value in cells() if "kenari-ani" in repr(value)}
    for entry in data_map.owned():
        for column, kind in entry.columns.items():
            if kind in {Kind.IDENTITY, Kind.CONTACT, Kind.TEXT} and column not in entry.stays:
                assert (entry.name, column) not in left, (entry.name, column)
        if entry.gone:
            assert entry.name not in {table for table, _column in left}, entry.name
    assert {("certificate", "holder_name"), ("document", "body")} <= left
    names = {(t, c) for t, c, v in cells() if "Ani Kenari" in repr(v) or a[1] in repr(v)}
    assert names == set()
    after = {(t, c, repr(v)) for t, c, v in cells() if "kenari-budi" in repr(v)}
    assert after == before  # nobody else lost anything
    person = accounts.get_person_by_id(a[0])
    assert (person.name, person.password_hash) == (rules.NAME, "!")
    assert person.disabled_at == NOW
    assert accounts.get_person_by_id(b[0]).name == "Budi Lain"


def test_empty_texts_stay_empty(app: Flask):
    a, _b = _two()
    ani = db.session.get_one(Person, a[0])
    factories.evidence(ani, "Q", "01.1.1", "quiz:k1", "g1", passed=True)
    with unit_of_work():
        erasure.erase(a[0], now=NOW)
    notes = {v for t, c, v in cells() if (t, c) == ("evidence", "note")}
    assert notes == {""}


@pytest.mark.both
def test_certificates_stay_checkable(app: Flask, client: FlaskClient):
    """What strangers and officers read of a certificate is the same before and after."""
    world = World()
    made = world.certified()
    code, digest, owner_id = made.code, made.document_sha256, world.trainee.id
    factories.person("admin")

    def read() -> tuple[str, bytes]:
        with time_machine.travel(NOW, tick=False):  # the page says when it was asked
            page = client.get(f"/c/{code}").text
        stored = db.session.get_one(Document, digest).body
        found = register.get_entry(code, LATER)
        assert hashlib.sha256(stored).hexdigest() == digest
        assert found.holder_name == "Rahma Yuliani"
        assert found.is_held_by("Rahma Yuliani")
        return page, stored

    before = read()
    _ask(owner_id)
    assert erasure.sweep(LATER) == 1
    db.session.expire_all()
    assert accounts.get_person_by_id(owner_id).name == rules.NAME
    assert read() == before
    assert "berlaku" in before[0]


@pytest.mark.both
def test_nobody_signs_for_a_deleted_account(app: Flask):
    a, b = _two()
    fill("ani", a, b[0], 1)
    with unit_of_work():
        db.session.execute(update(Proposal).values(state=ProposalState.OPEN))
        erasure.erase(a[0], now=NOW)
    assert db.session.scalars(select(Proposal)).one().state is ProposalState.WITHDRAWN


@pytest.mark.both
@pytest.mark.both
def test_an_invitation_of_a_deleted_account_opens_nothing(app: Flask, client: FlaskClient):
    """Not even one that would make an officer, on a word that was blanked with the rest."""
    admin, house = factories.person("admin").id, factories.organisation().id
    ani = factories.person(email="ani@contoh.test").id
    with unit_of_work():
        made, other = (
            invitations.invite(
                email=email, name="Ani", roles=["agency"], cohort_id=None, organisation_id=house,
                created_by=admin, base_url="", subject="s", body="{link}", now=clock.now(),
                vouching=factories.WORD,
            )
            for email in ("ani@contoh.test", "lain@contoh.test")
        )  # fmt: skip
    with unit_of_work():
        erasure.erase(ani, now=clock.now())
    typed = {"name": "Kembali", "password": factories.PASSWORD, "again": factories.PASSWORD}
    assert client.post(f"/undangan/{made.token}", data=typed).status_code == 410
    assert accounts.find_person_id("lain@contoh.test") is None
    assert client.post(f"/undangan/{other.token}", data=typed).status_code == 302, "the control"


def test_it_waits_seven_days_and_is_done_once(app: Flask):
    a, _b = _two()
    _ask(a[0])
    assert erasure.sweep(LATER - timedelta(seconds=1)) == 0
    assert accounts.get_person_by_id(a[0]).name == "Ani Kenari"
    assert erasure.sweep(LATER) == 1
    assert erasure.sweep(LATER) == 0
    assert accounts.get_person_by_id(a[0]).name == rules.NAME
    letter = db.session.scalars(select(Mail).where(Mail.to == a[1])).one()
    assert "sudah dihapus" in letter.body
    assert "Ani Kenari" in letter.body
    done = db.session.scalars(
        select(AuditEvent.action)
        .where(AuditEvent.action.startswith("privacy."))
        .order_by(AuditEvent.id)
    ).all()
    assert done == ["privacy.ask_deletion", "privacy.delete"]
    assert rounds.run_all(LATER)["deletions"] == 0


@pytest.mark.both
def test_asked_twice_at_once_there_is_one(bare_app: Flask):
    with bare_app.app_context():
        a, _b = _two()

    def ask() -> str:
        try:
            _ask(a[0])
        except erasure.AlreadyAsked:
            return "already"
        return "asked"

    answers = races.race(bare_app, [ask] * 6)
    assert sorted(answers) == ["already"] * 5 + ["asked"]


def test_the_last_administrator_is_refused(app: Flask):
    admin = factories.person("admin").id
    with pytest.raises(accounts.LastAdmin):
        _ask(admin)
    second = factories.person("admin").id
    _ask(admin)
    with unit_of_work():
        found = db.session.get_one(Person, second)
        found.disabled_at = NOW
    assert erasure.sweep(LATER) == 0  # by now it is the last one, and waits
    assert accounts.get_person_by_id(admin).name != rules.NAME


@pytest.mark.both
def test_undone_by_the_link(app: Flask, client: FlaskClient):
    a, _b = _two()
    _ask(a[0])
    link = _link()
    assert "Jangan hapus akun" in client.get(link).text
    assert client.post(link).location == "/masuk"
    assert client.get(link).status_code == 410
    assert client.post(link).status_code == 410
    assert client.get("/privasi/urung/tidak-ada").status_code == 410
    assert erasure.sweep(LATER) == 0
    _ask(a[0])  # asked again later, it counts again
    assert erasure.sweep(LATER) == 1
    with pytest.raises(NotFound), unit_of_work():
        erasure.undo(1, actor_id=None, now=LATER)


def test_taking_consent_back_closes_at_once_and_undoing_opens(app: Flask, client: FlaskClient):
    a, _b = _two()
    with unit_of_work():
        consent.agree(a[0], "invitation", NOW)
        accounts.begin_session(accounts.get_person_by_id(a[0]), now=NOW)
    _ask(a[0], Way.WITHDRAWN)
    assert accounts.get_person_by_id(a[0]).disabled_at == NOW
    assert all(one.ended_at == NOW for one in db.session.scalars(select(LoginSession)))
    assert consent.list_answers(a[0])[0].kind is Answer.WITHDRAWN
    assert not consent.has_agreed(a[0])
    client.post(_link())
    db.session.expire_all()
    assert accounts.get_person_by_id(a[0]).disabled_at is None
    assert not consent.has_agreed(a[0])  # asked again when they sign in


def test_pages_of_deletion(app: Flask, sign_in: Enter):
    a, _b = _two()
    ani = db.session.get_one(Person, a[0])
    browser = sign_in(ani)
    sent = {"do": "delete", "password": factories.PASSWORD}
    assert browser.post("/akun/data", data=sent).location == "/akun/data"
    page = browser.get("/akun/data").text
    assert "Akun ini menunggu dihapus" in page
    assert 'value="delete"' not in page
    assert browser.post("/akun/data", data=sent).location == "/akun/data"  # already asked
    assert browser.post("/akun/data/urung").location == "/akun/data"
    assert browser.post("/akun/data/urung").location == "/akun/data"
    assert erasure.find_open(a[0]) is None
    gone = browser.post("/akun/data", data=sent | {"do": "withdraw"})
    assert "Persetujuan ditarik" in gone.text
    assert gone.headers["Clear-Site-Data"] == '"cache"'
    assert browser.get("/akun/data").location.startswith("/masuk")


def test_last_admin_is_told_on_the_page(app: Flask, sign_in: Enter):
    admin = factories.person("admin")
    sent = {"do": "delete", "password": factories.PASSWORD}
    answer = sign_in(admin).post("/akun/data", data=sent)
    assert answer.status_code == 422
    assert "Tunjuk administrator lain" in answer.text


def test_the_office_deletes_on_a_written_request(app: Flask, sign_in: Enter):
    a, _b = _two()
    public_id = accounts.get_person_by_id(a[0]).public_id
    admin = factories.person("admin")
    browser = sign_in(admin)
    path = f"/admin/orang/{public_id}/hapus"
    assert "permintaan tertulis" in browser.get(path).text
    assert browser.post(path).location == path
    found = db.session.scalars(select(Deletion)).one()
    assert found.way is Way.WRITTEN
    assert "Ani Kenari" in browser.get("/admin/privasi").text
    assert "menunggu" in browser.post(path, follow_redirects=True).text
    browser.post(path, data={"undo": "1"})
    browser.post(path, data={"undo": "1"})
    assert erasure.find_open(a[0]) is None
    other = factories.person("trainer")
    assert sign_in(other).post(path).status_code == 403


def test_pages_show_a_deleted_account(app: Flask, sign_in: Enter):
    ani = factories.person(name="Ani Kenari")
    trainer, admin = factories.person("trainer"), factories.person("admin")
    cohort = factories.cohort()
    slug, ani_id, public_id = cohort.slug, ani.id, ani.public_id
    factories.seat(ani, cohort)
    factories.staff(trainer, cohort)
    with unit_of_work():
        erasure.erase(ani_id, now=NOW)
    browser = sign_in(trainer)
    for path in (f"/angkatan/{slug}", f"/angkatan/{slug}/hadir", f"/angkatan/{slug}/rekap",
                 f"/angkatan/{slug}/pleno", f"/angkatan/{slug}/peserta/{public_id}"):  # fmt: skip
        page = browser.get(path)
        assert page.status_code == 200, path
        assert "Ani Kenari" not in page.text
    assert rules.NAME in browser.get(f"/angkatan/{slug}").text
    office = sign_in(admin)
    for path in ("/admin/orang", f"/admin/orang/{public_id}"):
        assert rules.NAME in office.get(path).text


def test_blanked_columns_are_told_apart():
    assert MAP["nomination"].blanked
    assert canary("a", "b", "c") == "kenari-a-b-c"


def test_nobody_is_deleted_while_a_table_is_not_known(app: Flask, monkeypatch: pytest.MonkeyPatch):
    """A process loads what it needs; a person is taken out of every table or out of none."""
    a, _b = _two()
    _ask(a[0])
    monkeypatch.setitem(MAP, "diary", MAP["person"])
    with pytest.raises(LookupError, match="diary"):
        erasure.sweep(LATER)
    monkeypatch.undo()
    assert accounts.get_person_by_id(a[0]).name == "Ani Kenari"
    assert erasure.sweep(LATER) == 1
