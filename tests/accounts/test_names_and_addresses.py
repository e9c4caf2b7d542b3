"""The name on the certificate, and the address people sign in with."""

from collections.abc import Callable
from datetime import datetime

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lms.accounts import addresses, due, names, resets, rules, services
from lms.accounts.models import NameRequest, Person
from lms.core import throttle
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.models import AuditEvent, Mail
from tests import factories
from tests.conftest import Browser
from tests.races import race

NOW, PASSWORD, MAKER = factories.NOW, factories.PASSWORD, factories.MAKER
SignIn = Callable[[Person], FlaskClient]


# Names


@pytest.fixture
def fixed(app: Flask, monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """People in whose name a certificate stands."""
    found: set[int] = set()
    monkeypatch.setitem(app.extensions, names.FIXED, lambda person_id: person_id in found)
    return found


def test_a_certificate_fixes_the_name(app: Flask):
    """What the application asks of the register."""
    assert not app.extensions[names.FIXED](factories.person().id)


def test_a_name_is_free_until_a_certificate_stands_in_it(sign_in: SignIn, fixed: set[int]):
    maria, admin = factories.person(name="Maria"), factories.person("admin")
    hers, boss = sign_in(maria), sign_in(admin)
    page = hers.get("/akun").text
    assert "Tercetak pada sertifikat" in page
    assert "Simpan nama" in page
    hers.post("/akun/nama", data={"name": "Maria Ulfah"})
    assert "akan tercetak: Maria Ulfah" in hers.get("/akun").text
    fixed.add(maria.id)
    assert "Minta nama diganti" in hers.get("/akun").text
    hers.post("/akun/nama", data={"name": "Maria Ulfah, <b>S.Psi."})
    page = hers.get("/akun").text
    assert "Permintaan ganti nama dikirim" in page
    assert "Maria Ulfah, &lt;b&gt;S.Psi." in page
    assert services.get_person_by_id(maria.id).name == "Maria Ulfah"

    address = f"/admin/orang/{maria.public_id}"
    assert "Maria Ulfah, &lt;b&gt;S.Psi." in boss.get("/admin/orang").text
    page = boss.get(address).text
    assert page.index("Tercetak sekarang") < page.index("Akan tercetak")
    stale = boss.post(f"{address}/nama", data={"name": "Maria U.", "do": "grant"})
    assert stale.location == address
    assert "sudah berubah" in boss.get(address).text
    for bad in ({"name": "Maria U."}, {"do": "grant"}):
        assert boss.post(f"{address}/nama", data=bad).status_code == 404
    boss.post(f"{address}/nama", data={"name": "Maria Ulfah, <b>S.Psi.", "do": "grant"})
    db.session.expire_all()
    assert services.get_person_by_id(maria.id).name == "Maria Ulfah, <b>S.Psi."
    assert "Minta nama diganti" not in boss.get("/admin/orang").text
    events = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "accounts.rename"))
    assert [(one.actor_id, one.detail) for one in events] == [
        (maria.id, {}),  # no names: the trail outlives the account
        (admin.id, {}),
    ]
    assert "disetujui" in db.session.scalars(select(Mail.body)).one()


def test_a_wish_may_be_declined_and_made_again(sign_in: SignIn, fixed: set[int]):
    maria = factories.person(name="Maria")
    fixed.add(maria.id)
    hers, boss = sign_in(maria), sign_in(factories.person("admin"))
    hers.post("/akun/nama", data={"name": "Ulfah"})
    typed = {"name": "Ulfah", "do": "decline"}
    boss.post(f"/admin/orang/{maria.public_id}/nama", data=typed)
    assert services.get_person_by_id(maria.id).name == "Maria"
    assert "belum disetujui" in db.session.scalars(select(Mail.body)).one()
    hers.post("/akun/nama", data={"name": "Maria U."})
    assert [one.wanted for one in names.list_open()] == ["Maria U."]


@pytest.mark.both
def test_asked_twice_at_once_the_wish_stands_once(bare_app: Flask):
    with bare_app.app_context():
        maria = factories.person().id

    def ask(name: str) -> Callable[[], None]:
        def task() -> None:
            with unit_of_work():
                names.ask(maria, name, now=NOW)

        return task

    assert race(bare_app, [ask("Satu"), ask("Dua"), ask("Tiga")]) == [None] * 3
    with bare_app.app_context():
        assert len(db.session.scalars(select(NameRequest)).all()) == 1


@pytest.mark.both
def test_decided_twice_at_once_the_decision_counts_once(bare_app: Flask):
    with bare_app.app_context():
        maria, admin = factories.person().public_id, factories.person("admin").id
        with unit_of_work():
            names.ask(services.get_person(maria).id, "Baru", now=NOW)

    def decide(granted: bool) -> Callable[[], None]:
        def task() -> None:
            with unit_of_work():
                names.decide(maria, "Baru", granted, actor_id=admin, now=NOW)

        return task

    results = race(bare_app, [decide(True), decide(False)])
    assert sorted(type(one).__name__ for one in results) == ["NoneType", "NotFound"]


def test_the_same_name_again_changes_nothing(app: Flask):
    maria = factories.person(name="Maria")
    with unit_of_work():
        names.rename(maria.id, "Maria", now=NOW)
    assert db.session.scalars(select(AuditEvent)).all() == []
    with pytest.raises(NotFound), unit_of_work():
        names.decide(maria.public_id, "Ulfah", True, actor_id=maria.id, now=NOW)


# Addresses


def ask(person: Person, email: str, now: datetime = NOW) -> str:
    proof = services.prove_own(person.id, PASSWORD, maker=MAKER, now=now)
    with unit_of_work():
        addresses.ask(proof, email, base_url="https://suluh.test", now=now)
    body = db.session.scalars(select(Mail.body).order_by(Mail.id.desc())).first()
    assert body
    return body.split("/akun/surel/")[1].split()[0]


def confirm(token: str, person: Person, now: datetime = NOW) -> None:
    person_id = person.id
    with unit_of_work():
        addresses.confirm(token, person_id, session_token="", now=now)


def test_a_new_address_counts_once_its_link_is_opened(app: Flask):
    maria = factories.person(email="maria@contoh.test")
    with unit_of_work():
        session = services.begin_session(db.session.merge(maria), now=NOW).token
    with unit_of_work():
        resets.ask_link("maria@contoh.test", "", now=NOW)
    [request] = due.list_requests()
    with unit_of_work():
        resets.answer(request, base_url="", now=NOW)
    sent = db.session.scalars(select(Mail.body)).one()
    old_link = sent.split("/masuk/baru/")[1].split()[0]
    token = ask(maria, "Baru@contoh.test")
    assert db.session.get_one(Person, maria.id).email == "maria@contoh.test"
    confirm(token, maria)
    assert services.find_person_id("baru@contoh.test") == maria.id
    assert services.find_person_id("maria@contoh.test") is None
    with time_machine.travel(NOW):
        assert services.load_viewer(session) is None
    with pytest.raises(resets.KeyGone):
        resets.look_up_link(old_link, now=NOW)
    told = [(one.to, one.subject) for one in db.session.scalars(select(Mail).order_by(Mail.id))]
    assert told[1:] == [
        ("baru@contoh.test", "Pemberitahuan akun"),
        ("maria@contoh.test", "Pemberitahuan akun"),
    ]
    with pytest.raises(resets.KeyGone):
        confirm(token, maria)


def test_a_link_is_short_lived_personal_and_gives_way_to_the_next(app: Flask):
    maria, other = factories.person(), factories.person()
    token = ask(maria, "baru@contoh.test")
    with pytest.raises(resets.KeyGone):
        confirm(token, other)
    with pytest.raises(resets.KeyGone):
        confirm(token, maria, NOW + rules.LINK)
    second = ask(maria, "lain@contoh.test")
    with pytest.raises(resets.KeyGone):
        confirm(token, maria)
    assert addresses.find_waiting(maria.id, now=NOW) == "lain@contoh.test"
    confirm(second, maria)
    assert addresses.find_waiting(maria.id, now=NOW) is None


def test_an_address_of_somebody_else_is_refused_only_to_who_owns_the_mailbox(app: Flask):
    maria, other = factories.person(), factories.person(email="ada@contoh.test")
    token = ask(maria, "ada@contoh.test")
    with pytest.raises(services.EmailTaken):
        confirm(token, maria)
    db.session.expire_all()
    assert services.find_person_id("ada@contoh.test") == other.id


def test_one_mailbox_is_not_flooded(app: Flask):
    maria = factories.person()
    for _ in range(throttle.FREE_MAIL):
        ask(maria, "korban-iseng@contoh.test")
    with pytest.raises(throttle.TooSoon):
        ask(maria, "korban-iseng@contoh.test")


@pytest.fixture
def mailing(make_app: Callable[..., Flask]) -> Flask:
    app = make_app(smtp_url="smtp://127.0.0.1:1")
    app.config["WTF_CSRF_ENABLED"] = False
    app.test_client_class = Browser
    return app


def test_an_address_is_changed_in_the_browser(mailing: Flask):
    with mailing.app_context():
        maria = factories.person(email="maria@contoh.test")
        browser = mailing.test_client()
        typed = {"email": "maria@contoh.test", "password": PASSWORD}
        browser.post("/masuk", data=typed)
        for data, says in [
            ({"email": "baru", "password": PASSWORD}, "Tulis alamat e-mail lengkap"),
            ({"email": "baru@contoh.test", "password": "bukan"}, "sekarang belum cocok"),
        ]:
            refused = browser.post("/akun/surel", data=data)
            assert refused.status_code == 422
            assert says in refused.text
        asked = {"email": "baru@contoh.test", "password": PASSWORD}
        assert browser.post("/akun/surel", data=asked).location == "/akun"
        assert "baru@contoh.test" in browser.get("/akun").text
        body = db.session.scalars(select(Mail.body)).one()
        token = body.split("/akun/surel/")[1].split()[0]
        link = f"/akun/surel/{token}"
        assert "Pakai alamat ini?" in browser.get(link).text
        assert services.find_person_id("maria@contoh.test") == maria.id  # opening changes nothing
        stranger = mailing.test_client()
        assert stranger.get(link).location.startswith("/masuk")
        factories.person(email="yohanes@contoh.test")
        stranger.post("/masuk", data={"email": "yohanes@contoh.test", "password": PASSWORD})
        assert stranger.get(link).status_code == 410
        assert stranger.post(link).status_code == 410
        assert browser.post(link).location == "/akun"
        assert services.find_person_id("baru@contoh.test") == maria.id
        assert browser.get(link).status_code == 410
        taken = {"email": "yohanes@contoh.test", "password": PASSWORD}
        browser.post("/akun/surel", data=taken)
        body = db.session.scalars(select(Mail.body).order_by(Mail.id.desc())).first() or ""
        browser.post("/akun/surel/" + body.split("/akun/surel/")[1].split()[0])
        assert "sudah dipakai akun lain" in browser.get("/akun").text
        for _ in range(throttle.FREE):
            browser.post("/akun/surel", data=asked | {"password": "tebakan"})
        slowed = browser.post("/akun/surel", data=asked)
        assert "Terlalu banyak percobaan" in slowed.text


def test_without_mail_the_administrator_changes_an_address(sign_in: SignIn):
    maria = factories.person(email="maria@contoh.test")
    hers, boss = sign_in(maria), sign_in(factories.person("admin", email="sri@contoh.test"))
    assert "Minta administrator mengganti" in hers.get("/akun").text
    hers.post("/akun/surel", data={"email": "baru@contoh.test", "password": PASSWORD})
    assert db.session.scalars(select(Mail)).all() == []
    address = f"/admin/orang/{maria.public_id}"
    for email, says in [("x", "Tulis alamat"), ("sri@contoh.test", "sudah dipakai akun lain")]:
        refused = boss.post(f"{address}/surel", data={"email": email})
        assert refused.status_code == 422
        assert says in refused.text
    assert boss.post(f"{address}/surel", data={"email": "baru@contoh.test"}).location == address
    assert services.find_person_id("baru@contoh.test") == maria.id
    assert db.session.scalars(select(Mail.to)).all() == ["maria@contoh.test"]
    boss.post(f"{address}/surel", data={"email": "baru@contoh.test"})  # the same again: no news
    assert len(db.session.scalars(select(Mail)).all()) == 1
