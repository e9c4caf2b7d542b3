"""Batches of people: one confirmation whatever is clicked, and the way back."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.cohorts import abbreviations, invitations, organisations
from lms.cohorts.models import Cohort, Enrolment, Invitation, Organisation, OrganisationKind
from lms.config import CONTENT
from lms.core import clock
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.login import Viewer
from lms.core.models import AuditEvent, Mail
from lms.nominations import services as nominations
from lms.nominations.models import Nomination
from lms.nominations.rules import State as NominationState
from lms.roster import rules, services
from lms.roster.models import Outcome, RosterBatch, RosterRow, State, Way
from lms.roster.rules import Problem
from tests import factories
from tests.queries import counted
from tests.races import race

NOW = clock.now().replace(microsecond=0)
DAY = timedelta(days=1)
SHORT = abbreviations.load(CONTENT)


def viewer(person: Person) -> Viewer:
    roles = frozenset(accounts.roles_of(person.id))
    return Viewer(person.id, person.public_id, person.name, roles, "id", "token")


def upcoming(**values: object) -> Cohort:
    return factories.cohort(
        starts_on=(NOW + 20 * DAY).date(), ends_on=(NOW + 21 * DAY).date(), **values
    )


def sheet(*people: tuple[str, ...]) -> str:
    return "\n".join("\t".join(row) for row in [("Nama", "E-mail", "Instansi"), *people])


def draft(
    where: Cohort,
    by: Viewer,
    *people: tuple[str, ...],
    sender: Organisation | None = None,
    now: datetime = NOW,
) -> str:
    """Keep people as a draft; return its public id."""
    cohort_id, sender_id = where.id, sender.id if sender else None
    with unit_of_work():
        return services.keep(
            services.read_people(sheet(*people), ""),
            way=Way.NOMINATE if sender_id else Way.INVITE,
            cohort_id=cohort_id,
            organisation_id=sender_id,
            actor_id=by.id,
            now=now,
        ).public_id


def look(public_id: str, by: Viewer, now: datetime = NOW) -> services.Preview:
    db.session.rollback()
    batch, cohort = services.get_batch(public_id, by, now=now)
    return services.preview(batch, cohort, by, abbreviations=SHORT, now=now)


def says(public_id: str, by: Viewer) -> dict[int, list[Problem]]:
    return {
        line.row.number: [finding.problem for finding in line.findings]
        for line in look(public_id, by).lines
    }


def confirm(public_id: str, by: Viewer, now: datetime = NOW) -> dict[str, int]:
    with unit_of_work():
        done = services.confirm(
            public_id, by, abbreviations=SHORT, base_url="https://s.example", now=now
        )
        return dict(done.counts)


def undo(public_id: str, by: Viewer, now: datetime = NOW) -> None:
    with unit_of_work():
        services.undo(public_id, by, now=now)


def count(table: type, *where: object) -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(table).where(*where)) or 0


def states(public_id: str) -> dict[int, str]:
    db.session.rollback()
    batch = db.session.scalars(select(RosterBatch).where(RosterBatch.public_id == public_id)).one()
    return {one.row.number: one.state for one in services.settle(batch, now=NOW)}


@pytest.fixture
def admin(app: Flask) -> Viewer:
    return viewer(factories.person("admin", name="Mei Lin"))


PEOPLE = [(f"Orang {n}", f"orang{n}@contoh.id", "Puskesmas Melati") for n in range(5)]


@pytest.mark.both
def test_two_clicks_invite_once(bare_app: Flask):
    with bare_app.app_context():
        factories.organisation("Puskesmas Melati")
        by = viewer(factories.person("admin"))
        batch = draft(upcoming(), by, *PEOPLE)
        db.session.remove()
    found = race(bare_app, [lambda: confirm(batch, by)] * 4)
    assert found == [{"invited": 5}] * 4
    with bare_app.app_context():
        assert count(Invitation) == 5
        assert count(Mail) == 5
        assert count(AuditEvent, AuditEvent.action == "roster.confirm") == 1


@pytest.mark.both
def test_two_sheets_with_the_same_people_invite_them_once(bare_app: Flask):
    with bare_app.app_context():
        factories.organisation("Puskesmas Melati")
        by, where = viewer(factories.person("admin")), upcoming()
        batches = [draft(where, by, *PEOPLE) for _ in range(2)]
        with unit_of_work():
            nominations.set_quotas(
                where.id, capacity=20, nominate_until=NOW + DAY, offer_hours=72, quotas={},
                actor_id=by.id, now=NOW,
            )  # fmt: skip
        db.session.remove()
    found = race(bare_app, [lambda one=one: confirm(one, by) for one in batches])
    assert sorted(map(str, found)) == ["{'invited': 5}", "{'left': 5}"]


@pytest.mark.both
def test_undoing_takes_back_what_nobody_accepted(app: Flask, admin: Viewer):
    factories.organisation("Puskesmas Melati")
    where = upcoming()
    batch = draft(where, admin, *PEOPLE)
    confirm(batch, admin)
    first = db.session.scalars(select(Invitation).where(Invitation.email == PEOPLE[0][1])).one()
    token = db.session.scalars(select(Mail.body).where(Mail.to == first.email)).one()
    token = token.split("/undangan/")[1].split()[0]
    with unit_of_work():
        invitations.accept_invitation(
            token, name="Orang 0", password_hash="x", locale="id", now=NOW,
        )  # fmt: skip
    undo(batch, admin)
    assert states(batch) == {2: "accepted", 3: "withdrawn", 4: "withdrawn", 5: "withdrawn",
                             6: "withdrawn"}  # fmt: skip
    assert count(Enrolment, Enrolment.cohort_id == where.id) == 1
    undo(batch, admin)
    assert count(AuditEvent, AuditEvent.action == "roster.undo") == 1
    # Whoever was taken back can be brought in again.
    again = draft(where, admin, *PEOPLE)
    assert says(again, admin)[2] == [Problem.SEATED]
    assert confirm(again, admin) == {"invited": 4, "left": 1}


def test_undoing_has_a_time(app: Flask, admin: Viewer):
    factories.organisation("Puskesmas Melati")
    batch = draft(upcoming(), admin, *PEOPLE)
    confirm(batch, admin)
    with pytest.raises(services.TooLate):
        undo(batch, admin, NOW + rules.UNDO_LIFE)
    undo(batch, admin, NOW + rules.UNDO_LIFE - timedelta(seconds=1))
    assert set(states(batch).values()) == {"withdrawn"}


@pytest.mark.both
def test_undoing_and_accepting_at_once_end_one_way(bare_app: Flask):
    with bare_app.app_context():
        factories.organisation("Puskesmas Melati")
        by, where = viewer(factories.person("admin")), upcoming()
        batch = draft(where, by, PEOPLE[0])
        confirm(batch, by)
        token = db.session.scalars(select(Mail.body)).one().split("/undangan/")[1].split()[0]
        cohort_id = where.id
        db.session.remove()

    def accept() -> object:
        with unit_of_work():
            return invitations.accept_invitation(
                token, name="A", password_hash="x", locale="id", now=NOW,
            )  # fmt: skip

    _undone, accepted = race(bare_app, [lambda: undo(batch, by), accept])
    refused = isinstance(accepted, invitations.InvitationClosed)
    assert refused or isinstance(accepted, accounts.SignedIn), accepted
    with bare_app.app_context():
        assert states(batch) == {2: "withdrawn" if refused else "accepted"}
        assert count(Enrolment, Enrolment.cohort_id == cohort_id) == (not refused)


@pytest.mark.both
def test_who_finds_no_seat_waits_for_one(app: Flask, admin: Viewer):
    factories.organisation("Puskesmas Melati")
    where = upcoming()
    with unit_of_work():
        nominations.set_quotas(
            where.id, capacity=3, nominate_until=NOW + DAY, offer_hours=72,
            quotas={OrganisationKind.PUSKESMAS: 2}, actor_id=admin.id, now=NOW,
        )  # fmt: skip
    batch = draft(where, admin, *PEOPLE)
    seen = look(batch, admin)
    assert (seen.over_quota, seen.has_seats) == (3, True)
    assert [line.findings[0].problem for line in seen.lines if line.findings] == [
        Problem.OVER_QUOTA
    ] * 3
    assert confirm(batch, admin) == {"invited": 2, "waiting": 3}
    assert list(states(batch).values()) == ["open"] * 2 + ["waiting"] * 3
    undo(batch, admin)
    assert set(states(batch).values()) == {"withdrawn"}
    assert count(Nomination, Nomination.state == NominationState.WAITING) == 0
    assert count(Invitation, Invitation.withdrawn_at.is_(None)) == 0  # no seat went round within


def test_a_class_without_a_waiting_list_says_so(app: Flask, admin: Viewer):
    factories.organisation("Puskesmas Melati")
    where = upcoming()
    with unit_of_work():
        nominations.set_quotas(
            where.id, capacity=1, nominate_until=NOW + DAY, offer_hours=72, quotas={},
            actor_id=admin.id, now=NOW,
        )  # fmt: skip
    batch = draft(where, admin, *PEOPLE[:2])
    started = NOW + 20 * DAY
    with unit_of_work():
        db.session.scalars(select(RosterBatch)).one().expires_at = started + DAY
    assert confirm(batch, admin, started) == {"invited": 1, "left": 1}
    left = db.session.scalars(select(RosterRow).where(RosterRow.outcome == Outcome.LEFT)).one()
    assert left.problem is Problem.NO_SEAT


@pytest.fixture
def officer(app: Flask) -> tuple[Viewer, Organisation]:
    own = factories.organisation("UPTD PPA Kota Contoh", OrganisationKind.UPTD_PPA)
    person = factories.person("agency", name="Gunawan")
    with unit_of_work():
        factories.appoint(person.id, own.id)
    return viewer(person), db.session.get_one(Organisation, own.id)


@pytest.mark.both
def test_an_officer_nominates_own_people(app: Flask, officer: tuple[Viewer, Organisation]):
    by, own = officer
    factories.organisation("Puskesmas Melati")
    where, own_id = upcoming(), own.id
    with unit_of_work():
        nominations.set_quotas(
            where.id, capacity=3, nominate_until=NOW + DAY, offer_hours=72,
            quotas={OrganisationKind.UPTD_PPA: 2}, actor_id=by.id, now=NOW,
        )  # fmt: skip
    batch = draft(
        where, by,
        ("Ani", "ani@contoh.id", "UPTD PPA Kota Contoh"),
        ("Budi", "budi@contoh.id", "P2TP2A Kota Contoh"),
        ("Cici", "cici@contoh.id", ""),
        ("Dedi", "dedi@contoh.id", "Ruang Pengaduan"),
        ("Eko", "eko@contoh.id", "Puskesmas Melati"),
        ("Fani", "fani@contoh.id", "PKM Melati"),
        sender=own,
    )  # fmt: skip
    found = says(batch, by)
    assert found[2] == found[3] == []
    assert found[4] == found[5] == [Problem.OVER_QUOTA]
    assert found[6] == [Problem.OTHER_ORGANISATION]
    assert found[7] == [Problem.AMBIGUOUS_ORGANISATION]
    assert look(batch, by).questions == []
    assert confirm(batch, by) == {"offered": 2, "waiting": 2, "left": 2}
    assert list(states(batch).values()) == ["open", "open", "waiting", "waiting", "left", "left"]
    assert {one.organisation_id for one in db.session.scalars(select(Nomination))} == {own_id}
    again = draft(
        where, by, ("Ani", "ani@contoh.id", ""), ("Cici", "cici@contoh.id", ""), sender=own
    )
    assert says(again, by) == {2: [Problem.INVITED], 3: [Problem.NOMINATED]}
    undo(batch, by)
    assert set(states(batch).values()) == {"withdrawn", "left"}


def test_an_officer_needs_a_class_that_takes_nominations(
    app: Flask, officer: tuple[Viewer, Organisation]
):
    by, own = officer
    batch = draft(upcoming(), by, ("Ani", "ani@contoh.id", ""), sender=own)
    with pytest.raises(nominations.NotOpen):
        confirm(batch, by)
    assert look(batch, by).batch.state is State.DRAFT
    stranger = viewer(factories.person("agency"))
    for somebody in (stranger, viewer(factories.person("admin"))):
        with pytest.raises(NotFound):
            look(batch, somebody)


def test_names_of_accounts_are_told_to_whoever_may_know_them(
    app: Flask, officer: tuple[Viewer, Organisation], admin: Viewer
):
    by, own = officer
    where = upcoming()
    mine = factories.person("trainer")
    factories.staff(mine, where)
    factories.seat(factories.person(name="Ibu Dalam", email="dalam@contoh.id"),
                   factories.cohort(), own)  # fmt: skip
    factories.person(name="Ibu Luar", email="luar@contoh.id")
    known = factories.person(name="Pak Lama", email="lama@contoh.id")
    earlier = factories.cohort()
    factories.seat(known, earlier)
    factories.staff(mine, earlier)
    people = [
        (f"Nama {n}", f"{n}@contoh.id", "UPTD PPA Kota Contoh") for n in ("dalam", "luar", "lama")
    ]
    told = {}
    for who, sender in ((by, own), (viewer(mine), None), (admin, None)):
        batch = draft(where, who, *people, sender=sender)
        told[who.id] = {
            finding.other
            for line in look(batch, who).lines
            for finding in line.findings
            if finding.problem is Problem.OTHER_NAME
        }
    assert told[by.id] == {"Ibu Dalam"}
    assert told[mine.id] == {"Pak Lama"}
    assert told[admin.id] == {"Ibu Dalam", "Ibu Luar", "Pak Lama"}


def test_a_new_organisation_that_came_meanwhile_is_used(app: Flask, admin: Viewer):
    where = upcoming()
    batch = draft(where, admin, ("Ani", "ani@contoh.id", "Rumah Cinta"))
    with unit_of_work():
        found, _cohort = services.get_batch(batch, admin, now=NOW)
        services.found_organisation(found, "rumah cinta", OrganisationKind.NGO)
    factories.organisation("RUMAH CINTA", OrganisationKind.NGO)
    assert confirm(batch, admin) == {"invited": 1}
    assert count(Organisation, Organisation.name.ilike("rumah cinta")) == 1


def test_what_is_settled_is_not_changed(app: Flask, admin: Viewer):
    factories.organisation("Puskesmas Melati")
    batch = draft(upcoming(), admin, *PEOPLE)
    confirm(batch, admin)
    found, _cohort = services.get_batch(batch, admin, now=NOW)
    for change in (
        lambda: services.skip(found, 2, True),
        lambda: services.correct(found, 2, name="X", email="x@x.id", organisation=""),
        lambda: services.found_organisation(found, "Puskesmas Melati", OrganisationKind.NGO),
        lambda: services.discard(found),
    ):
        with pytest.raises(services.Settled), unit_of_work():
            change()
    assert confirm(batch, admin) == {"invited": 5}
    with pytest.raises(NotFound), unit_of_work():
        services.found_organisation(
            services.get_batch(draft(upcoming(), admin, *PEOPLE), admin, now=NOW)[0],
            "Entah", OrganisationKind.NGO,
        )  # fmt: skip


@pytest.mark.both
def test_drafts_and_old_rows_are_cleared_up(app: Flask, admin: Viewer):
    factories.organisation("Puskesmas Melati")
    where = upcoming()
    lapsed, sent = draft(where, admin, *PEOPLE), draft(where, admin, *PEOPLE)
    confirm(sent, admin)
    db.session.rollback()
    assert services.clear_up(NOW + timedelta(hours=23)) == 0
    tomorrow = NOW + rules.DRAFT_LIFE
    with pytest.raises(NotFound):
        look(lapsed, admin, tomorrow)
    with pytest.raises(NotFound):
        confirm(lapsed, admin, tomorrow)
    assert services.clear_up(tomorrow) == 1
    assert count(RosterBatch) == 1
    assert services.clear_up(NOW + rules.ROWS_LIFE) == 1
    assert services.clear_up(NOW + rules.ROWS_LIFE) == 0
    assert (count(RosterBatch), count(RosterRow)) == (1, 0)
    [line] = services.list_batches(NOW, cohort_id=where.id)
    assert line.people == 5


def test_looking_through_asks_the_same_for_five_and_for_five_hundred(app: Flask, admin: Viewer):
    factories.organisation("Puskesmas Melati")
    where = upcoming()
    many = [(f"Orang {n}", f"orang{n}@contoh.id", "Puskesmas Melati") for n in range(500)]
    asked = []
    for people in (PEOPLE, many):
        batch = draft(where, admin, *people)
        with counted() as statements:
            look(batch, admin)
        asked.append(len(statements))
    assert asked[0] == asked[1] <= 12


def test_pages_of_a_settled_batch_lead_on(app: Flask, sign_in: Callable[[Person], FlaskClient]):
    factories.organisation("Puskesmas Melati")
    person = factories.person("admin")
    by, browser = viewer(person), sign_in(person)
    now = clock.now()
    batch = draft(upcoming(), by, *PEOPLE, ("", "", ""), ("Tanpa", "", ""), now=now)
    here = f"/impor/{batch}"
    assert browser.post(f"{here}/kirim").location == here
    left = browser.get(f"{here}/masalah").text
    assert "Tanpa" in left
    assert "Alamat e-mail kosong." in left
    assert "Orang 1" not in left
    for address in (f"{here}/lewati", f"{here}/buang"):
        assert browser.post(address, data={"number": 2, "skipped": 1}).location == here
    assert browser.post(f"{here}/instansi", data={"text": "x"}).location == here
    assert browser.get(f"{here}/baris/2").location == here
    assert "Urungkan" in browser.get(here).text
    assert browser.post(f"{here}/urungkan").location == here
    page = browser.get(here).text
    assert "Diurungkan" in page
    assert "Unduh baris yang tidak dikirim" in page
    with time_machine.travel(clock.now() + rules.ROWS_LIFE, tick=False):
        late = sign_in(person)
        page = late.get(here).text
        assert late.get(f"{here}/masalah").status_code == 404, "though nobody cleared it yet"
    assert "Rincian baris dihapus tujuh hari setelah dikirim." in page
    assert "Unduh baris yang tidak dikirim" not in page
    page = browser.get(here).text
    assert ">Urungkan<" not in page


def test_an_officer_goes_all_the_way(
    app: Flask, officer: tuple[Viewer, Organisation], sign_in: Callable[[Person], FlaskClient]
):
    by, own = officer
    browser = sign_in(db.session.get_one(Person, by.id))
    empty = browser.get("/instansi/calon/impor").text
    assert "Belum ada kelas yang menerima usulan" in empty
    where, sender = upcoming(slug="mawar"), own.public_id
    with unit_of_work():
        nominations.set_quotas(
            where.id, capacity=3, nominate_until=NOW + DAY, offer_hours=72, quotas={},
            actor_id=by.id, now=NOW,
        )  # fmt: skip
    typed = {"cohort": "mawar", "organisation": sender}
    nothing = browser.post("/instansi/calon/impor", data=typed | {"rows": " "})
    assert nothing.status_code == 422
    wrong = browser.post(
        "/instansi/calon/impor", data={"cohort": "x", "organisation": "y", "rows": sheet(*PEOPLE)}
    )
    assert wrong.status_code == 422
    answer = browser.post(
        "/instansi/calon/impor", data=typed | {"rows": sheet(("Ani", "ani@contoh.id", ""))}
    )
    here = answer.location
    assert "Usulkan 1 orang" in browser.get(here).text
    assert "mawar" in browser.get("/instansi/calon/impor?kelas=mawar").text
    assert browser.post(f"{here}/kirim").location == here
    assert "1 orang masuk daftar tunggu." in browser.get(here).text
    assert "Dikirim" in browser.get("/instansi/calon/impor").text
    late = browser.post(
        "/instansi/calon/impor", data=typed | {"rows": sheet(("Budi", "budi@contoh.id", ""))}
    ).location
    with unit_of_work():
        db.session.get_one(Cohort, where.id).starts_on = NOW.date() - DAY
    assert browser.post(f"{late}/kirim").location == late
    assert "tidak lagi menerima usulan" in browser.get(late).text


def test_an_organisation_that_cannot_be_made_stops_all(
    app: Flask, admin: Viewer, sign_in: Callable[[Person], FlaskClient],
    monkeypatch: pytest.MonkeyPatch,
):  # fmt: skip
    """Two names that differ on screen only: nothing is sent, and the page says which."""
    browser = sign_in(db.session.get_one(Person, admin.id))
    gone = factories.organisation("Rumah Cinta").public_id
    kept = factories.organisation("Rumah Kasih").public_id
    where = upcoming()
    with unit_of_work():
        organisations.merge(gone, kept, actor_id=admin.id, now=NOW)
        # Its old name is taken back from the list, so that nobody knows it any more.
        [other] = organisations.list_names(organisations.get_organisation(kept).id)
        organisations.remove_name(kept, other.public_id, actor_id=admin.id, now=NOW)
    batch = draft(where, admin, ("Ani", "ani@contoh.id", "Rumah Cinta"), now=clock.now())
    with unit_of_work():
        found, _cohort = services.get_batch(batch, admin, now=NOW)
        services.found_organisation(found, "Rumah Cinta", OrganisationKind.NGO)
    # The merged one gave its name up: a new one may carry it.
    assert browser.post(f"/impor/{batch}/kirim").status_code == 302
    assert count(Invitation) == 1
    assert count(Organisation, Organisation.name == "Rumah Cinta") == 1


def test_whose_invitation_lapsed_can_be_invited_again(app: Flask, admin: Viewer):
    factories.organisation("Puskesmas Melati")
    where = upcoming()
    confirm(draft(where, admin, *PEOPLE[:1]), admin)
    assert says(draft(where, admin, *PEOPLE[:1]), admin) == {2: [Problem.INVITED]}
    later = NOW + timedelta(hours=73)
    batch = draft(where, admin, *PEOPLE[:1], now=later)
    assert confirm(batch, admin, later) == {"invited": 1}


def test_letters_name_each_person_and_hold_one_link(app: Flask, admin: Viewer):
    factories.organisation("Puskesmas Melati")
    odd = ("{link} {name} O'Neil", "odd@contoh.id", "Puskesmas Melati")
    confirm(draft(upcoming(), admin, *PEOPLE[:2], odd), admin)
    bodies = {one.to: one.body for one in db.session.scalars(select(Mail))}
    assert "Orang 0" in bodies["orang0@contoh.id"]
    assert "Orang 1" in bodies["orang1@contoh.id"]
    links = {to: body.split("/undangan/")[1].split()[0] for to, body in bodies.items()}
    assert len(set(links.values())) == 3
    for to, body in bodies.items():
        assert set(part.split()[0] for part in body.split("/undangan/")[1:]) == {links[to]}
        assert "{" not in body
    assert invitations.read_invitation(links["odd@contoh.id"], now=NOW).name == odd[0]
