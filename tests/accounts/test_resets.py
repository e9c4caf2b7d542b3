"""A new password by link or printed code: one use, short, and silent about who has an account."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lms.accounts import due, resets, rules, services, upkeep
from lms.accounts.models import PasswordReset, Person, ResetRequest
from lms.accounts.vault import Vault
from lms.cohorts.models import Part
from lms.core import throttle
from lms.core.db import db, unit_of_work
from lms.core.errors import Forbidden
from lms.core.ids import hash_token
from lms.core.models import AuditEvent, Mail
from tests import factories
from tests.queries import counted
from tests.races import race

NOW, PASSWORD, MAKER = factories.NOW, factories.PASSWORD, factories.MAKER
HERE, BASE, VAULT = "192.0.2.7", "https://suluh.test", Vault("x" * 40)
NEW = "danau biru tenang 3"
SignIn = Callable[[Person], FlaskClient]


def ask(email: str, now: datetime = NOW) -> str | None:
    """Ask for a link and let the round answer; return the token that was sent."""
    before = len(letters())
    with unit_of_work():
        resets.ask_link(email, HERE, now=now)
    for request in due.list_requests():
        with unit_of_work():
            resets.answer(request, base_url=BASE, now=now)
    sent = letters()[before:]
    return sent[0].body.split("/masuk/baru/")[1].split()[0] if sent else None


def letters() -> list[Mail]:
    return list(db.session.scalars(select(Mail).order_by(Mail.id)))


def renew(token: str, now: datetime = NOW) -> None:
    opening = resets.look_up_link(token, now=now)
    with unit_of_work():
        resets.set_new_password(opening, MAKER.hash(NEW), now=now)


def print_code(person: Person, actor: Person, *, is_admin: bool = True) -> resets.Printed:
    person_id, actor_id = person.id, actor.id
    with unit_of_work():
        return resets.print_code(
            person_id, actor_id=actor_id, is_admin=is_admin, vault=VAULT, now=NOW
        )


def look(email: str, code: str, now: datetime = NOW) -> resets.Opening:
    return resets.look_up_code(email, code, address=HERE, vault=VAULT, now=now)


def fits(email: str, password: str) -> bool:
    try:
        services.prove(
            email=email,
            password=password,
            address="",
            device_token=None,
            maker=MAKER,
            now=NOW + timedelta(hours=2),
        )
    except services.WrongCredentials:
        return False
    return True


def test_a_link_makes_a_new_password_once_and_ends_every_session(app: Flask):
    maria = factories.person(email="maria@contoh.test")
    with unit_of_work():
        session = services.begin_session(db.session.merge(maria), now=NOW).token
    token = ask(" MARIA@contoh.test")
    assert token
    assert resets.look_up_link(token, now=NOW).email == "maria@contoh.test"
    renew(token)
    assert fits("maria@contoh.test", NEW)
    assert not fits("maria@contoh.test", PASSWORD)
    with time_machine.travel(NOW):
        assert services.load_viewer(session) is None
    with pytest.raises(resets.KeyGone):
        resets.look_up_link(token, now=NOW)
    asked, changed = letters()
    assert {asked.subject, changed.subject} == {"Pemberitahuan akun"}
    assert "baru saja diganti" in changed.body
    assert token not in changed.body
    actions = set(db.session.scalars(select(AuditEvent.action)))
    assert {"accounts.ask_link", "accounts.reset"} <= actions


def test_only_a_hash_of_the_link_is_kept(app: Flask):
    factories.person(email="maria@contoh.test")
    token = ask("maria@contoh.test")
    assert token
    assert db.session.scalars(select(PasswordReset.key_hash)).all() == [hash_token(token)]


def test_a_link_is_good_for_fifteen_minutes(app: Flask):
    factories.person(email="maria@contoh.test")
    token = ask("maria@contoh.test")
    assert token
    last = NOW + rules.LINK - timedelta(seconds=1)
    opening = resets.look_up_link(token, now=last)
    late = NOW + timedelta(minutes=15)
    with pytest.raises(resets.KeyGone):
        resets.look_up_link(token, now=late)
    with pytest.raises(resets.KeyGone), unit_of_work():
        resets.set_new_password(opening, "x", now=late)
    renew(token, last)


def test_a_newer_link_ends_the_older_one(app: Flask):
    factories.person(email="maria@contoh.test")
    first, second = ask("maria@contoh.test"), ask("maria@contoh.test")
    assert first
    assert second
    with pytest.raises(resets.KeyGone):
        resets.look_up_link(first, now=NOW)
    renew(second)


def test_nobody_is_written_to_who_has_no_open_account(app: Flask):
    admin = factories.person("admin")
    closed = factories.person(email="tutup@contoh.test")
    with unit_of_work():
        services.set_disabled(closed.public_id, True, actor_id=admin.id, now=NOW)
    assert ask("tidak-ada@contoh.test") is None
    assert ask("tutup@contoh.test") is None
    assert db.session.scalars(select(ResetRequest)).all() == []


def test_a_request_that_waited_too_long_is_forgotten(app: Flask):
    factories.person(email="maria@contoh.test")
    with unit_of_work():
        resets.ask_link("maria@contoh.test", HERE, now=NOW)
    [request] = due.list_requests()
    with unit_of_work():
        later = NOW + rules.LINK + timedelta(seconds=1)
        assert not resets.answer(request, base_url=BASE, now=later)
    assert due.list_requests() == []
    assert letters() == []


def test_mailboxes_are_not_flooded_and_neither_is_a_network_shut_out(app: Flask):
    for _ in range(throttle.FREE_MAIL):
        ask("maria@contoh.test")
    with pytest.raises(throttle.TooSoon):
        ask("maria@contoh.test")
    assert ask("orang-lain@contoh.test") is None  # refused nothing: it has no account
    assert ask("maria@contoh.test", NOW + timedelta(seconds=2)) is None


@pytest.mark.both
def test_of_two_who_use_one_link_at_once_one_succeeds(bare_app: Flask):
    with bare_app.app_context():
        factories.person(email="maria@contoh.test")
        token = ask("maria@contoh.test")
        assert token

    results = race(bare_app, [lambda: renew(token)] * 3)
    assert [one for one in results if one is None] == [None]
    assert sum(isinstance(one, resets.KeyGone) for one in results) == 2


@pytest.mark.both
def test_two_rounds_at_once_answer_a_request_once(bare_app: Flask):
    with bare_app.app_context():
        factories.person(email="maria@contoh.test")
        with unit_of_work():
            resets.ask_link("maria@contoh.test", HERE, now=NOW)
        [request] = due.list_requests()

    def answer() -> bool:
        with unit_of_work():
            return resets.answer(request, base_url=BASE, now=NOW)

    assert sorted(race(bare_app, [answer] * 3), key=str) == [False, False, True]


def test_the_round_answers_and_tidies(app: Flask):
    factories.person(email="maria@contoh.test")
    with unit_of_work():
        resets.ask_link("maria@contoh.test", HERE, now=NOW)
    assert upkeep.answer_requests(NOW) == 1
    assert upkeep.answer_requests(NOW) == 0
    assert upkeep.tidy(NOW) == 0
    assert upkeep.tidy(NOW + timedelta(days=2)) == 2  # the two counts of the request


# Printed codes


def test_a_printed_code_opens_one_account_once(app: Flask):
    maria, admin = factories.person(email="maria@contoh.test"), factories.person("admin")
    printed = print_code(maria, admin)
    assert printed.email == "maria@contoh.test"
    assert printed.expires_at == NOW + timedelta(hours=24)
    assert len(rules.plain_code(printed.code)) == 10
    stored = db.session.scalars(select(PasswordReset.key_hash)).one()
    assert printed.code not in stored
    assert stored != hash_token(rules.plain_code(printed.code))  # not to be guessed from a copy
    other = factories.person(email="yohanes@contoh.test")
    with pytest.raises(resets.KeyGone):
        look(other.email, printed.code)
    opening = look("MARIA@contoh.test", printed.code.lower().replace("-", " "))
    with unit_of_work():
        resets.set_new_password(opening, MAKER.hash(NEW), now=NOW)
    assert fits("maria@contoh.test", NEW)
    with pytest.raises(resets.KeyGone):
        look("maria@contoh.test", printed.code)


def test_a_printed_code_is_good_for_a_day_and_gives_way_to_the_next(app: Flask):
    maria, admin = factories.person(), factories.person("admin")
    first = print_code(maria, admin)
    assert look(maria.email, first.code, NOW + timedelta(hours=23))
    with pytest.raises(resets.KeyGone):
        look(maria.email, first.code, NOW + timedelta(hours=24))
    second = print_code(maria, admin)
    with pytest.raises(resets.KeyGone):
        look(maria.email, first.code)
    assert look(maria.email, second.code)


def test_a_link_asked_for_by_a_stranger_does_not_end_a_printed_code(app: Flask):
    maria, admin = factories.person(), factories.person("admin")
    printed = print_code(maria, admin)
    assert ask(maria.email)
    assert look(maria.email, printed.code)


def test_a_code_means_nothing_under_another_secret_key(app: Flask):
    maria, admin = factories.person(), factories.person("admin")
    printed = print_code(maria, admin)
    with pytest.raises(resets.KeyGone):
        resets.look_up_code(maria.email, printed.code, address=HERE, vault=Vault("y" * 40), now=NOW)


def test_guessing_codes_is_slowed_down(app: Flask):
    maria, admin = factories.person(), factories.person("admin")
    printed = print_code(maria, admin)
    for _ in range(throttle.FREE):
        with unit_of_work():
            resets.count_wrong_code(maria.email, HERE, now=NOW)
    with pytest.raises(throttle.TooSoon):
        look(maria.email, printed.code)
    assert look(maria.email, printed.code, NOW + timedelta(seconds=2))


def test_a_changed_password_ends_links_and_codes(app: Flask):
    maria, admin = factories.person(), factories.person("admin")
    token, printed = ask(maria.email), print_code(maria, admin)
    assert token
    proof = services.prove_own(maria.id, PASSWORD, maker=MAKER, now=NOW)
    with unit_of_work():
        services.change_password(proof, password_hash="x", token="", now=NOW)
    with pytest.raises(resets.KeyGone):
        resets.look_up_link(token, now=NOW)
    with pytest.raises(resets.KeyGone):
        look(maria.email, printed.code)


@pytest.mark.parametrize("role", ["trainer", "assessor", "agency", "author", "reviewer", "admin"])
def test_a_trainer_never_opens_the_account_of_somebody_with_a_part_in_the_office(
    app: Flask, role: str
):
    colleague = factories.person("trainee", role)
    with pytest.raises(Forbidden):
        print_code(colleague, factories.person("trainer"), is_admin=False)
    assert print_code(colleague, factories.person("admin"))
    assert print_code(factories.person("trainee"), factories.person("trainer"), is_admin=False)


# Pages


def test_the_answer_is_the_same_whether_the_address_is_known_or_not(make_app):
    app = make_app(smtp_url="smtp://127.0.0.1:1")
    app.config["WTF_CSRF_ENABLED"] = False
    with app.app_context():
        factories.person(email="maria@contoh.test")
        answers, asked = [], []
        for email in ("maria@contoh.test", "tidak-ada@contoh.test"):
            browser = app.test_client()
            with counted() as sent:
                answer = browser.post("/masuk/lupa", data={"email": email})
            page = browser.get("/masuk/lupa").text
            answers.append((answer.status_code, answer.location, page))
            asked.append(sent)
        assert answers[0] == answers[1]
        assert "Bila alamat itu punya akun" in answers[0][2]
        assert asked[0] == asked[1]  # statement by statement: the time can tell nothing either
        assert any("INSERT INTO reset_request" in one for one in asked[0])
        for _ in range(throttle.FREE_MAIL):
            page = browser.post("/masuk/lupa", data={"email": "tidak-ada@contoh.test"})
        assert "Coba lagi dalam" in page.text


def test_without_mail_the_page_sends_people_to_their_trainer(client: FlaskClient):
    factories.person()
    page = client.get("/masuk/lupa").text
    assert "Minta pelatih kelas Anda" in page
    assert 'type="email"' not in page
    assert client.post("/masuk/lupa", data={"email": "a@b.id"}).status_code == 200
    assert due.list_requests() == []


def test_a_new_password_is_chosen_with_the_link(app: Flask, client: FlaskClient):
    maria = factories.person(name="Maria Ulfah", email="maria@contoh.test")
    token = ask(maria.email, datetime.now(UTC))
    address = f"/masuk/baru/{token}"
    page = client.get(address).text
    assert "maria@contoh.test" in page
    assert f'value="{address}"' not in page  # the token stands in the address only
    for new, again, says in [
        ("mariaulfah1", "mariaulfah1", "mudah ditebak"),
        (NEW, "lain sama sekali", "Kedua kata sandi belum sama."),
    ]:
        refused = client.post(address, data={"new": new, "again": again})
        assert refused.status_code == 422
        assert says in refused.text
    done = client.post(address, data={"new": NEW, "again": NEW})
    assert done.location == "/masuk"
    assert "Kata sandi baru tersimpan" in client.get("/masuk").text
    for gone in (client.get(address), client.post(address, data={"new": NEW, "again": NEW})):
        assert gone.status_code == 410
        assert "tidak berlaku lagi" in gone.text
    entered = client.post("/masuk", data={"email": maria.email, "password": NEW})
    assert entered.location == "/"


def test_an_administrator_prints_a_slip_and_the_person_comes_in_with_it(
    app: Flask, sign_in: SignIn
):
    maria = factories.person(name="Maria <b>Ulfah", email="maria@contoh.test")
    admin = sign_in(factories.person("admin", name="Sri Wahyuni"))
    sheet = admin.post(f"/admin/orang/{maria.public_id}/kode")
    assert sheet.status_code == 200
    assert "Maria &lt;b&gt;Ulfah" in sheet.text
    assert "no-store" in sheet.headers["Cache-Control"]
    code = sheet.text.split('slip-code">')[1].split("<")[0]
    assert code not in admin.get(f"/admin/orang/{maria.public_id}").text
    for word in ("kdrt", "kekerasan", "korban"):
        assert word not in sheet.text.lower()
    hers = sign_in(maria)
    assert "Sri Wahyuni mencetak kode masuk untuk Anda" in hers.get("/akun").text
    assert "belum dipakai" in hers.get("/akun").text

    browser = app.test_client()
    typed = {"email": maria.email, "code": code, "new": NEW, "again": NEW}
    unknown = browser.post("/masuk/kode", data=typed | {"email": "tidak@contoh.test"})
    wrong = browser.post("/masuk/kode", data=typed | {"code": "AAAAA-AAAAA"})
    assert unknown.status_code == wrong.status_code == 422
    assert "Alamat atau kode belum cocok" in unknown.text
    same = wrong.text.replace("AAAAA-AAAAA", code).replace("maria@", "tidak@")
    assert unknown.text == same
    weak = browser.post("/masuk/kode", data=typed | {"new": "pendek", "again": "pendek"})
    assert "Gunakan 10 sampai 128 huruf" in weak.text
    assert browser.post("/masuk/kode", data=typed).location == "/masuk"
    assert hers.get("/akun").status_code == 302
    assert "sudah dipakai" in sign_in(maria).get("/akun").text


def test_guessing_at_the_page_of_codes_is_slowed_down(client: FlaskClient):
    typed = {"email": "a@b.id", "code": "AAAAA-AAAAA", "new": NEW, "again": NEW}
    for _ in range(throttle.FREE):
        assert "belum cocok" in client.post("/masuk/kode", data=typed).text
    assert "Coba lagi dalam" in client.post("/masuk/kode", data=typed).text


def test_a_trainer_prints_a_slip_for_own_trainees_only(app: Flask, sign_in: SignIn):
    here, there = factories.cohort(), factories.cohort()
    trainer, maria = factories.person("trainer"), factories.person(name="Maria Ulfah")
    other, colleague = factories.person(), factories.person("trainee", "trainer")
    factories.staff(trainer, here)
    factories.staff(trainer, there, Part.ASSESSOR)
    for someone in (maria, colleague):
        factories.seat(someone, here)
    factories.seat(other, there)
    browser = sign_in(trainer)

    def address(where: str, someone: Person) -> str:
        return f"/angkatan/{where}/peserta/{someone.public_id}/kode-masuk"

    sheet = browser.post(address(here.slug, maria))
    assert sheet.status_code == 200
    assert "Maria Ulfah" in sheet.text
    assert browser.post(address(there.slug, other)).status_code == 404
    assert browser.post(address(here.slug, other)).status_code == 404
    refused = browser.post(address(here.slug, colleague))
    assert refused.status_code == 302
    made = db.session.scalars(select(PasswordReset)).all()
    assert [(one.person_id, one.made_by) for one in made] == [(maria.id, trainer.id)]
    event = db.session.scalars(
        select(AuditEvent).where(AuditEvent.action == "accounts.print_code")
    ).one()
    assert (event.actor_id, event.subject) == (trainer.id, f"person:{maria.id}")
    stranger = sign_in(factories.person("trainer"))
    assert stranger.post(address(here.slug, maria)).status_code == 404


def test_no_code_for_a_closed_account(sign_in: SignIn):
    maria, admin = factories.person(), factories.person("admin")
    with unit_of_work():
        services.set_disabled(maria.public_id, True, actor_id=admin.id, now=NOW)
    answer = sign_in(admin).post(f"/admin/orang/{maria.public_id}/kode")
    assert answer.status_code == 302
    assert db.session.scalars(select(PasswordReset)).all() == []
