"""An officer nobody has vouched for sees nothing about people, whatever way they came."""

import re
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, update

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.agencies import services as agencies
from lms.cohorts import invitations, officers, organisations, services
from lms.cohorts.models import Invitation, Membership, Organisation, Part
from lms.core import clock
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.login import Viewer, policy_of
from lms.core.models import AuditEvent
from tests import factories
from tests.queries import counted
from tests.races import race
from tests.test_routes import address, rules

Enter = Callable[[Person], FlaskClient]
NOW = factories.NOW
WAITS = "Akun Anda menunggu jaminan"


def unvouched(*agencies: Organisation, roles: tuple[str, ...] = ("agency",)) -> Person:
    made = factories.person(*roles, name="Petugas Menunggu")
    person_id, ids = made.id, [one.id for one in agencies]
    with unit_of_work():
        for organisation_id in ids:
            services.add_member(person_id, organisation_id, Part.OFFICER)
    return made


def vouch(person: Person, house: Organisation, by: str = "Bu Kepala") -> None:
    person_id, organisation_id = person.id, house.id
    with unit_of_work():
        officers.vouch(
            person_id, organisation_id, officers.Vouching(by=by), actor_id=person_id, now=NOW
        )


def of_agencies(app: Flask) -> list[tuple[str, str]]:
    """Return method and address of every page that an officer may open."""
    found = []
    for rule, method in rules(app):
        policy = policy_of(app.view_functions[rule.endpoint])
        if policy and "agency" in policy.roles:
            found.append((method, address(app, rule)))
    return found


# Every page


@pytest.mark.walk
def test_no_page_of_an_agency_opens_before_somebody_vouches(app: Flask, sign_in: Enter):
    house = factories.organisation("Puskesmas Cempaka")
    waiting, nobody = sign_in(unvouched(house)), sign_in(factories.person("agency"))
    working = sign_in(factories.officer(house))
    pages = of_agencies(app)
    assert len(pages) > 35
    opened = []
    for method, path in pages:
        for browser in (waiting, nobody):
            answer = browser.open(path, method=method, data={})
            assert answer.status_code == 403, f"{method} {path}"
            assert WAITS in answer.text, f"{method} {path}"
        opened.append(working.open(path, method=method, data={}, buffered=True).status_code)
    assert 403 not in opened
    assert opened.count(200) > 12
    page = waiting.get("/instansi").text
    assert "Puskesmas Cempaka" in page
    assert "Puskesmas Cempaka" not in nobody.get("/instansi").text
    assert "belum, atau tidak lagi, ditunjuk" in nobody.get("/instansi").text
    told = waiting.get("/instansi", headers={"Accept": "application/json"})
    assert (told.status_code, told.is_json) == (403, True)


def test_the_question_costs_one_query_and_only_on_pages_of_agencies(app: Flask, sign_in: Enter):
    browser = sign_in(factories.officer())
    browser.get("/instansi/periksa")
    with counted() as statements:
        browser.get("/instansi/periksa")
    assert sum("membership" in one for one in statements) == 1
    with counted() as statements:
        browser.get("/istilah")
    assert not any("membership" in one for one in statements)


def test_another_role_opens_what_it_always_did(app: Flask, sign_in: Enter):
    house = factories.organisation()
    both = sign_in(unvouched(house, roles=("agency", "trainer")))
    assert both.get("/impor/contoh/peserta").status_code != 403
    assert both.get("/instansi").status_code == 403
    assert sign_in(unvouched(house)).get("/impor/contoh/peserta").status_code == 403


def test_the_word_counts_for_its_own_agency_alone(app: Flask, sign_in: Enter):
    one, other = factories.organisation("Satu"), factories.organisation("Lain")
    where = factories.cohort()
    for name, sender in (("Ani Satu", one), ("Budi Lain", other)):
        factories.seat(factories.person(name=name), where, sender)
    officer = unvouched(one, other)
    assert agencies.overview(officer.id, at=NOW).total == 0
    vouch(officer, one)
    assert organisations.organisations_of(officer.id, Part.OFFICER) == [one]
    page = sign_in(officer).get("/instansi").text
    assert "Ani Satu" in page
    assert "Budi Lain" not in page
    unit = {"unit": other.public_id}
    assert sign_in(officer).get("/instansi/laporan", query_string=unit).status_code == 404


# How somebody comes to be vouched for


def send(admin: FlaskClient, house: Organisation, **typed: str) -> str:
    """Invite an officer; return the link."""
    values = {"email": "baru@contoh.test", "name": "Petugas Baru", "role": "agency"}
    answer = admin.post("/admin/undangan", data=values | {"organisation": house.public_id} | typed)
    assert answer.status_code == 302, answer.text
    with admin.session_transaction() as session:
        return "/undangan/" + session["invited"]["link"].rsplit("/", 1)[1]


def enter(app: Flask, link: str) -> FlaskClient:
    browser = app.test_client()
    typed = {"name": "Petugas Baru", "password": factories.PASSWORD, "again": factories.PASSWORD}
    assert browser.post(link, data=typed).status_code == 302
    return browser


def test_whoever_is_invited_on_somebodys_word_works_at_once(app: Flask, sign_in: Enter):
    admin, house = factories.person("admin"), factories.organisation()
    desk = sign_in(admin)
    link = send(
        desk, house, vouched_by="Bu Kepala", letter="800/9", letter_on="2026-03-01", note="Rapat"
    )
    browser = enter(app, link)
    assert browser.get("/instansi").status_code == 200
    assert WAITS not in browser.get("/").text
    [line] = organisations.list_officers(house.id)
    assert line.vouching is not None
    assert (line.vouching.by, line.vouching.letter, line.vouching.note) == (
        "Bu Kepala", "800/9", "Rapat",
    )  # fmt: skip
    page = desk.get(f"/admin/instansi/{house.public_id}").text
    assert "Dijamin oleh Bu Kepala" in page
    assert "800/9" in page
    assert db.session.scalars(select(Invitation.vouching)).one() is None, "it has moved"
    event = db.session.scalars(
        select(AuditEvent).where(AuditEvent.action == "cohorts.officer")
    ).one()
    assert (event.actor_id, event.detail["vouched_by"]) == (admin.id, "Bu Kepala")
    assert event.detail["person"] == line.person_id


def test_an_officer_who_has_an_account_accepts_on_the_same_word(app: Flask, sign_in: Enter):
    desk, house = sign_in(factories.person("admin")), factories.organisation()
    known = factories.person("trainer", email="baru@contoh.test")
    browser = sign_in(known)
    assert browser.post(f"{send(desk, house, vouched_by='Bu Kepala')}/terima").status_code == 302
    assert browser.get("/instansi").status_code == 200


def test_the_word_of_an_invitation_is_only_for_officers(app: Flask, sign_in: Enter):
    desk = sign_in(factories.person("admin"))
    typed = {"email": "p@contoh.test", "name": "P", "role": "author", "organisation": ""}
    assert desk.post("/admin/undangan", data=typed | {"vouched_by": "X"}).status_code == 302
    assert "vouched_by" in desk.get("/admin/undangan").text
    blank = {"role": "agency", "organisation": factories.organisation().public_id}
    refused = desk.post("/admin/undangan", data=typed | blank | {"vouched_by": "  "})
    assert refused.status_code == 422
    assert "Tulis siapa yang menjamin petugas ini." in refused.text


def test_who_came_without_waits_and_the_administrator_sees_it(app: Flask, sign_in: Enter):
    house = factories.organisation("Puskesmas Cempaka")
    factories.organisation("Puskesmas Tenang")
    admin, officer = factories.person("admin", name="Ayu Pengundang"), unvouched(house)
    desk, browser = sign_in(admin), sign_in(officer)
    home = desk.get("/").text
    assert "1 petugas menunggu jaminan" in home
    link = re.search(r'href="(/admin/instansi\?jaminan=belum)"', home)
    assert link is not None
    listed = desk.get(link[1]).text
    assert "Puskesmas Cempaka" in listed
    assert "1 menunggu jaminan" in listed
    assert "Puskesmas Tenang" not in listed
    waits = browser.get("/").text
    assert WAITS in waits
    assert "Puskesmas Cempaka" in waits
    assert 'href="/instansi/periksa"' not in waits.split("<main")[1]
    typed = {"person": officer.public_id, "vouched_by": "Bu Kepala"}
    desk.post(f"/admin/instansi/{house.public_id}/petugas/jaminan", data=typed)
    assert browser.get("/instansi").status_code == 200  # without signing in anew
    assert WAITS not in browser.get("/").text
    assert "menunggu jaminan" not in desk.get("/").text
    assert "Semua petugas instansi sudah dijamin." in desk.get(link[1]).text


def test_an_invitation_of_before_names_who_sent_it(app: Flask, sign_in: Enter):
    house, admin = factories.organisation(), factories.person("admin", name="Ayu <b>P</b>")
    by_id, sender_id = admin.id, house.id
    with unit_of_work():
        made = invitations.invite(
            email="lama@contoh.test", name="Lama", roles=["agency"], cohort_id=None,
            organisation_id=sender_id, created_by=by_id, base_url="", subject="s",
            body="{link}", now=_just_now(),
        )  # fmt: skip
    page = enter(app, f"/undangan/{made.token}").get("/instansi")
    assert page.status_code == 403
    assert "Anda diundang oleh Ayu &lt;b&gt;P&lt;/b&gt;." in page.text


def _just_now() -> Any:
    return clock.now() - timedelta(minutes=1)


def test_it_ends_with_the_appointment(app: Flask, sign_in: Enter):
    house, admin = factories.organisation(), factories.person("admin")
    officer = factories.officer(house)
    browser = sign_in(officer)
    assert browser.get("/instansi").status_code == 200
    ids = house.id, officer.public_id, admin.id
    with unit_of_work():
        organisations.dismiss_officer(ids[0], ids[1], actor_id=ids[2], now=NOW)
    assert browser.get("/instansi").status_code == 403
    person_id = officer.id
    with unit_of_work():
        services.add_member(person_id, ids[0], Part.OFFICER)
    assert browser.get("/instansi").status_code == 403
    with pytest.raises(NotFound), unit_of_work():
        organisations.vouch_for_officer(
            ids[0], admin.public_id, vouching=factories.WORD, actor_id=ids[2], now=NOW
        )


@pytest.mark.both
def test_an_open_invitation_ends_with_the_appointment(app: Flask, sign_in: Enter):
    """Else whoever was dismissed comes back by themselves, on the word that stands in it."""
    admin, house, other = (
        factories.person("admin"),
        factories.organisation("Satu"),
        factories.organisation("Lain"),
    )
    desk = sign_in(admin)
    person = factories.person("agency", email="baru@contoh.test")
    link = send(desk, house, vouched_by="Bu Kepala")
    person_id, ids = person.id, (house.id, person.public_id, admin.id)
    with unit_of_work():
        factories.appoint(person_id, ids[0])
    with unit_of_work():
        organisations.dismiss_officer(*ids[:2], actor_id=ids[2], now=clock.now())
    elsewhere = send(desk, other, vouched_by="Bu Lain")
    browser = sign_in(db.session.get_one(Person, person_id))
    browser.post(f"{link}/terima")
    assert not officers.is_vouched(person_id)
    assert browser.get("/instansi").status_code == 403
    assert browser.post(f"{elsewhere}/terima").status_code == 302, "the control"
    assert browser.get("/instansi").status_code == 200


def test_an_older_word_takes_no_newer_ones_place(app: Flask, sign_in: Enter):
    desk, house = sign_in(factories.person("admin")), factories.organisation()
    person = factories.person("agency", email="baru@contoh.test")
    link = send(desk, house, vouched_by="Pejabat Lama")
    person_id, house_id, later = person.id, house.id, clock.now() + timedelta(seconds=5)
    with unit_of_work():
        services.add_member(person_id, house_id, Part.OFFICER)
        word = officers.Vouching(by="Pejabat Baru")
        officers.vouch(person_id, house_id, word, actor_id=person_id, now=later)
    browser = sign_in(db.session.get_one(Person, person_id))
    assert browser.post(f"{link}/terima").status_code == 302
    [line] = organisations.list_officers(house_id)
    assert line.vouching == officers.Vouching(by="Pejabat Baru")


def test_who_can_help_is_who_invited_the_officer(app: Flask, sign_in: Enter):
    """Not the trainer who invited the same person into a class, for the same agency."""
    desk = sign_in(factories.person("admin", name="Ayu Pengundang"))
    trainer, house, where = (
        factories.person("trainer"),
        factories.organisation(),
        factories.cohort(),
    )
    person = factories.person("agency", email="baru@contoh.test")
    ids = person.id, house.id, trainer.id, where.id
    browser = sign_in(person)
    assert browser.post(f"{send(desk, house, vouched_by='X')}/terima").status_code == 302
    with unit_of_work():
        made = invitations.invite(
            email="baru@contoh.test", name="B", roles=["trainee"], cohort_id=ids[3],
            organisation_id=ids[1], created_by=ids[2], base_url="", subject="s", body="{link}",
            now=clock.now(),
        )  # fmt: skip
    assert browser.post(f"/undangan/{made.token}/terima").status_code == 302
    with unit_of_work():
        db.session.execute(update(Membership).values(vouched_at=None, vouching=None))
    assert [one.inviter for one in officers.list_waiting(ids[0])] == ["Ayu Pengundang"]


@pytest.mark.both
def test_the_newest_word_counts(app: Flask):
    house = factories.organisation()
    officer = factories.officer(house)
    vouch(officer, house, by="Pengganti")
    [line] = organisations.list_officers(house.id)
    assert line.vouching == officers.Vouching(by="Pengganti")
    assert officers.count_waiting() == 0
    assert officers.list_waiting(officer.id) == []


@pytest.mark.both
def test_a_merger_keeps_the_word(app: Flask):
    old, new = factories.organisation("Lama"), factories.organisation("Baru")
    kept, waiting = factories.officer(old), unvouched(new)
    ids, by_id = (old.public_id, new.public_id), factories.person("admin").id
    with unit_of_work():
        organisations.merge(*ids, actor_id=by_id, now=NOW)
    found = {one.person_id: one.vouching for one in organisations.list_officers(new.id)}
    assert found == {kept.id: factories.WORD, waiting.id: None}
    assert officers.is_vouched(kept.id)
    assert not officers.is_vouched(waiting.id)


def test_an_officer_of_both_keeps_the_word_of_the_one_that_stays(app: Flask):
    old, new = factories.organisation("Lama"), factories.organisation("Baru")
    officer = factories.officer(old, new)
    vouch(officer, new, by="Yang Tetap")
    ids, by_id = (old.public_id, new.public_id), factories.person("admin").id
    with unit_of_work():
        organisations.merge(*ids, actor_id=by_id, now=NOW)
    [line] = organisations.list_officers(new.id)
    assert line.vouching == officers.Vouching(by="Yang Tetap")


# At once


def slow_acceptance(
    app: Flask, person_id: int, organisation_id: int, admin_id: int, begun: threading.Event
) -> Callable[[], None]:
    """Invite an officer, vouched for; return what accepts, slowly, once `begun` is set."""
    with app.app_context():
        person = db.session.get_one(Person, person_id)
        viewer = Viewer(person_id, person.public_id, "B", frozenset({"agency"}), "id", "t")
        email = person.email
        with unit_of_work():
            made = invitations.invite(
                email=email, name="B", roles=["agency"], cohort_id=None,
                organisation_id=organisation_id, created_by=admin_id, base_url="", subject="s",
                body="{link}", now=clock.now(), vouching=factories.WORD,
            )  # fmt: skip

    def accept() -> None:
        with unit_of_work():
            found = invitations.find_open(made.token, now=clock.now())
            db.session.get(Invitation, found.id, with_for_update=True)
            begun.set()
            time.sleep(0.3)  # whoever else wants these rows reaches them
            invitations.accept_as(made.token, viewer, now=clock.now())

    return accept


@pytest.mark.both
def test_a_word_and_the_end_of_the_appointment_at_once_leave_nobody_vouched(bare_app: Flask):
    with bare_app.app_context():
        house, admin = factories.organisation().id, factories.person("admin").id
        officer = unvouched(db.session.get_one(Organisation, house))
        person_id, public_id = officer.id, officer.public_id

    def say() -> None:
        with unit_of_work():
            officers.vouch(person_id, house, factories.WORD, actor_id=admin, now=NOW)

    def dismiss() -> None:
        with unit_of_work():
            organisations.dismiss_officer(house, public_id, actor_id=admin, now=NOW)

    ends = race(bare_app, [say, dismiss, say, dismiss])
    with bare_app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Membership)) == 0
        assert not officers.is_vouched(person_id)
        said = select(func.count()).where(AuditEvent.action == "cohorts.officer_vouch")
        ended = select(func.count()).where(AuditEvent.action == "cohorts.officer_end")
        assert db.session.scalar(ended) == 1
        refused = sum(isinstance(one, NotFound) for one in ends)
        assert db.session.scalar(said) == 4 - 1 - refused


@pytest.mark.both
def test_a_word_written_down_during_a_merger_is_kept(bare_app: Flask):
    with bare_app.app_context():
        old, new = factories.organisation("Lama"), factories.organisation("Baru")
        ids, keys, admin = (
            (old.id, new.id),
            (old.public_id, new.public_id),
            factories.person("admin"),
        )
        by_id, person_id = admin.id, unvouched(old).id
    said = threading.Event()

    def say() -> None:
        with unit_of_work():
            officers.vouch(person_id, ids[0], factories.WORD, actor_id=by_id, now=NOW)
            said.set()
            time.sleep(0.3)  # the merger reaches the same rows, and waits for them

    def merge() -> None:
        said.wait(10)
        with unit_of_work():
            organisations.merge(*keys, actor_id=by_id, now=NOW)

    assert race(bare_app, [say, merge]) == [None, None]
    with bare_app.app_context():
        assert officers.is_vouched(person_id)
        [line] = organisations.list_officers(ids[1])
        assert line.vouching == factories.WORD


@pytest.mark.both
def test_who_accepts_during_a_merger_comes_along(bare_app: Flask):
    with bare_app.app_context():
        old, new = factories.organisation("Lama"), factories.organisation("Baru")
        ids, keys = (old.id, new.id), (old.public_id, new.public_id)
        admin = factories.person("admin").id
        person_id = factories.person("agency", email="baru@contoh.test").id
    accepted = threading.Event()

    def merge() -> None:
        accepted.wait(10)
        with unit_of_work():
            organisations.merge(*keys, actor_id=admin, now=clock.now())

    accept = slow_acceptance(bare_app, person_id, ids[0], admin, accepted)
    assert race(bare_app, [accept, merge]) == [None, None]
    with bare_app.app_context():
        [line] = organisations.list_officers(ids[1])
        assert (line.person_id, line.vouching) == (person_id, factories.WORD)
        assert organisations.list_officers(ids[0]) == []


@pytest.mark.both
def test_who_accepts_while_they_are_dismissed_is_no_officer_after(bare_app: Flask):
    """Either the invitation was taken back before, or what it gave ends with the appointment."""
    with bare_app.app_context():
        house, admin = factories.organisation().id, factories.person("admin").id
        person = factories.person("agency", email="baru@contoh.test")
        person_id, public_id = person.id, person.public_id
        with unit_of_work():
            factories.appoint(person_id, house)
    accepted = threading.Event()

    def dismiss() -> None:
        accepted.wait(10)
        with unit_of_work():
            organisations.dismiss_officer(house, public_id, actor_id=admin, now=clock.now())

    accept = slow_acceptance(bare_app, person_id, house, admin, accepted)
    assert race(bare_app, [accept, dismiss]) == [None, None]
    with bare_app.app_context():
        assert not officers.is_vouched(person_id)
        assert db.session.scalar(select(func.count()).select_from(Membership)) == 0


@pytest.mark.both
def test_two_words_at_once_are_both_written_down_and_one_stands(bare_app: Flask):
    with bare_app.app_context():
        house, admin = factories.organisation().id, factories.person("admin").id
        person_id = unvouched(db.session.get_one(Organisation, house)).id

    def say(by: str) -> None:
        with unit_of_work():
            officers.vouch(person_id, house, officers.Vouching(by=by), actor_id=admin, now=NOW)

    assert race(bare_app, [lambda: say("A"), lambda: say("B")]) == [None, None]
    with bare_app.app_context():
        [line] = organisations.list_officers(house)
        newest = select(AuditEvent).where(AuditEvent.action == "cohorts.officer_vouch")
        events = db.session.scalars(newest.order_by(AuditEvent.position)).all()
        assert line.vouching is not None
        assert line.vouching.by == events[-1].detail["vouched_by"]
        assert len(events) == 2
        assert accounts.roles_of(person_id) == ("agency",)
