"""Organisations and their officers, through the browser's door."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.cohorts import labels, officers, organisations, services
from lms.cohorts.models import (
    Cohort,
    Enrolment,
    Membership,
    NameKind,
    Organisation,
    OrganisationKind,
    Part,
)
from lms.cohorts.rules import Fit, NameIndex, Standing
from lms.core.db import HISTORY, Base, db, unit_of_work
from lms.core.models import AuditEvent
from tests import factories
from tests.races import race


@pytest.fixture
def browser(app: Flask, sign_in: Callable[[Person], FlaskClient]) -> FlaskClient:
    return sign_in(factories.person("admin"))


def count() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).select_from(Organisation)) or 0


def test_everything_that_is_chosen_has_a_name(app: Flask):
    assert set(labels.KINDS) == set(OrganisationKind)
    assert set(labels.STANDINGS) == set(Standing)
    assert set(labels.PARTS) == {Part.TRAINER, Part.ASSESSOR, Part.SPEAKER}


def test_an_organisation_is_added_with_its_kind(browser: FlaskClient):
    page = browser.get("/admin/instansi").text
    assert "Belum ada instansi" in page
    for kind in ("Puskesmas", "Rumah sakit", "Kantor Urusan Agama", "UPTD PPA", "Kecamatan",
                 "Dinas Sosial", "Polsek", "Polres"):  # fmt: skip
        assert kind in page
    typed = {"name": "UPTD PPA Kota Contoh", "kind": "uptd_ppa", "city": "Kota Contoh"}
    assert browser.post("/admin/instansi", data=typed).location == "/admin/instansi"
    page = browser.get("/admin/instansi").text
    assert "Instansi tersimpan." in page
    assert "UPTD PPA Kota Contoh" in page


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"name": ""}, "Bagian ini perlu diisi."),
        ({"name": "x" * 121}, "Paling banyak 120 huruf."),
        ({"kind": "warung"}, "Pilih salah satu yang tersedia."),
        ({"name": "Sudah Ada"}, "Sudah ada instansi dengan nama ini."),
    ],
)
def test_a_sheet_that_is_not_whole_is_explained(
    browser: FlaskClient, values: dict[str, str], says: str
):
    factories.organisation("Sudah Ada")
    typed = {"name": "Polres", "kind": "polres", "city": "Kota <i>Contoh</i>"} | values
    answer = browser.post("/admin/instansi", data=typed)
    assert answer.status_code == 422
    assert says in answer.text
    assert 'value="Kota &lt;i&gt;Contoh&lt;/i&gt;"' in answer.text
    assert count() == 1


def test_an_organisation_is_corrected(browser: FlaskClient):
    one, other = factories.organisation("Salah Tulis"), factories.organisation("Lain")
    address = f"/admin/instansi/{one.public_id}"
    assert 'value="Salah Tulis"' in browser.get(address).text
    typed = {"name": "Benar", "kind": "rs", "city": "Kota Lain"}
    assert browser.post(address, data=typed).location == address
    page = browser.get(address).text
    assert "<h1>Benar</h1>" in page
    assert "Rumah sakit, Kota Lain" in page
    for values, says in (
        ({"name": other.name}, "Sudah ada instansi dengan nama ini."),
        ({"city": ""}, "Bagian ini perlu diisi."),
    ):
        answer = browser.post(address, data=typed | values)
        assert answer.status_code == 422
        assert says in answer.text
    assert organisations.get_organisation(one.public_id).name == "Benar"
    assert browser.get("/admin/instansi/tidak-ada").status_code == 404


def test_an_officer_is_appointed_and_dismissed(browser: FlaskClient):
    house = factories.organisation()
    officer = factories.person("speaker", email="petugas@contoh.test", name="Petugas Satu")
    address = f"/admin/instansi/{house.public_id}"
    vouched = {"vouched_by": "Ibu Ratna, Kepala", "letter": "800/12", "letter_on": "2026-03-01"}
    alone = browser.post(f"{address}/petugas", data={"email": "petugas@contoh.test"})
    assert alone.status_code == 422  # nobody vouches
    assert organisations.list_officers(house.id) == []
    unknown = browser.post(f"{address}/petugas", data=vouched | {"email": "tidak@contoh.test"})
    assert unknown.status_code == 422
    assert "Belum ada akun dengan alamat ini." in unknown.text
    assert 'value="tidak@contoh.test"' in unknown.text
    appointed = browser.post(f"{address}/petugas", data=vouched | {"email": "petugas@contoh.test"})
    assert appointed.location == address
    page = browser.get(address).text
    assert "Petugas Satu" in page
    assert "Dijamin oleh Ibu Ratna, Kepala" in page
    assert "Surat tugas 800/12, 1 Maret 2026." in page
    assert "agency" in accounts.roles_of(officer.id)
    end = {"person": officer.public_id}
    assert browser.post(f"{address}/petugas/akhiri", data=end).location == address
    assert organisations.list_officers(house.id) == []
    assert browser.post(f"{address}/petugas/akhiri", data=end).status_code == 404
    assert browser.post(f"{address}/petugas/akhiri", data={}).status_code == 404


def test_people_of_an_organisation_are_named(browser: FlaskClient):
    house, companion = factories.organisation(), factories.person(name="Maria <b>Ulfah</b>")
    factories.seat(companion, factories.cohort(), house)
    page = browser.get(f"/admin/instansi/{house.public_id}").text
    assert "Maria &lt;b&gt;Ulfah&lt;/b&gt;" in page


# Officers


@pytest.mark.both
def test_two_slots_hold_whatever_happens_at_once(bare_app: Flask):
    with bare_app.app_context():
        house = factories.organisation().id
        people = [factories.person("agency").id for _ in range(6)]
        db.session.remove()

    def appoint(person_id: int) -> None:
        with unit_of_work():
            services.add_member(person_id, house, Part.OFFICER)

    found = race(bare_app, [lambda one=one: appoint(one) for one in people])
    refused = [one for one in found if isinstance(one, services.TooManyOfficers)]
    assert len(refused) == 4
    with bare_app.app_context():
        slots = db.session.scalars(select(Membership.slot).order_by(Membership.slot)).all()
        assert slots == [1, 2]


@pytest.mark.both
def test_one_officer_is_appointed_once_however_often(bare_app: Flask):
    with bare_app.app_context():
        house, person = factories.organisation().id, factories.person("agency").id
        db.session.remove()

    def appoint() -> None:
        with unit_of_work():
            services.add_member(person, house, Part.OFFICER)

    assert race(bare_app, [appoint] * 3) == [None] * 3
    with bare_app.app_context():
        assert len(organisations.list_officers(house)) == 1


@pytest.mark.both
def test_officers_of_before_there_were_slots_count(app: Flask):
    house = factories.organisation().id
    old, new, third = (factories.person("agency").id for _ in range(3))
    with unit_of_work():
        db.session.add(Membership(person_id=old, organisation_id=house, part=Part.OFFICER))
    with unit_of_work():
        services.add_member(old, house, Part.OFFICER)
        services.add_member(new, house, Part.OFFICER)
    with pytest.raises(services.TooManyOfficers), unit_of_work():
        services.add_member(third, house, Part.OFFICER)
    assert {one.person_id for one in organisations.list_officers(house)} == {old, new}


def test_a_third_officer_is_refused_everywhere(browser: FlaskClient, app: Flask):
    house = factories.organisation()
    address = f"/admin/instansi/{house.public_id}"
    for n in (1, 2):
        factories.person("speaker", email=f"petugas{n}@contoh.test", name=f"Petugas {n}")
        typed = {"email": f"petugas{n}@contoh.test", "vouched_by": "Kepala"}
        assert browser.post(f"{address}/petugas", data=typed).status_code == 302
    page = browser.get(address).text
    assert "2 dari 2" in page
    assert "Tunjuk dari akun yang ada" not in page
    factories.person("speaker", email="tiga@contoh.test")
    typed = {"email": "tiga@contoh.test", "vouched_by": "Kepala"}
    answer = browser.post(f"{address}/petugas", data=typed)
    assert answer.status_code == 422
    assert "Sudah ada dua petugas." in answer.text
    invited = {"email": "baru@contoh.test", "name": "Baru", "role": "agency",
               "organisation": house.public_id, "vouched_by": "Kepala"}  # fmt: skip
    answer = browser.post("/admin/undangan", data=invited)
    assert answer.status_code == 422
    assert "Instansi ini sudah punya dua petugas" in answer.text


def test_open_invitations_of_officers_count_and_a_late_one_is_told_kindly(
    browser: FlaskClient, app: Flask
):
    house = factories.organisation()
    invited = {
        "name": "Baru",
        "role": "agency",
        "organisation": house.public_id,
        "vouched_by": "Kepala",
    }
    for n in (1, 2):
        sent = browser.post("/admin/undangan", data=invited | {"email": f"{n}@contoh.test"})
        assert sent.status_code == 302
    with browser.session_transaction() as session:
        token = session["invited"]["link"].rsplit("/", 1)[1]
    third = browser.post("/admin/undangan", data=invited | {"email": "3@contoh.test"})
    assert third.status_code == 422
    with unit_of_work():
        for _ in range(2):
            services.add_member(factories_person(), house.id, Part.OFFICER)
    typed = {"name": "Baru", "password": factories.PASSWORD, "again": factories.PASSWORD}
    answer = app.test_client().post(f"/undangan/{token}", data=typed)
    assert answer.status_code == 409
    assert "Instansi ini sudah punya dua petugas" in answer.text
    assert accounts.find_person_id("2@contoh.test") is None


def factories_person() -> int:
    """Make somebody inside a unit of work that is open already."""
    made = accounts.create_person(
        email=f"dalam{db.session.scalar(select(func.count()).select_from(Person))}@contoh.test",
        name="Dalam", password=factories.PASSWORD, roles=["agency"], maker=factories.MAKER,
        now=factories.NOW,
    )  # fmt: skip
    return made.id


def test_who_came_by_invitation_is_vouched_for_later(browser: FlaskClient):
    house = factories.organisation()
    officer = factories.person("agency", name="Petugas Undangan")
    with unit_of_work():
        services.add_member(officer.id, house.id, Part.OFFICER)
    address = f"/admin/instansi/{house.public_id}"
    assert "Jaminan belum dicatat" in browser.get(address).text
    typed = {"person": officer.public_id, "vouched_by": ""}
    assert browser.post(f"{address}/petugas/jaminan", data=typed).status_code == 422
    typed["vouched_by"] = "Pak <i>Camat</i>"
    assert browser.post(f"{address}/petugas/jaminan", data=typed).location == address
    page = browser.get(address).text
    assert "Jaminan belum dicatat" not in page
    assert "Dijamin oleh Pak &lt;i&gt;Camat&lt;/i&gt;" in page
    stranger = factories.person("agency")
    with pytest.raises(organisations.NotFound), unit_of_work():
        organisations.vouch_for_officer(
            house.id, stranger.public_id, vouching=officers.Vouching(by="X"),
            actor_id=officer.id, now=factories.NOW,
        )  # fmt: skip
    # An appointment that ended and began again is vouched for anew.
    end = {"person": officer.public_id}
    assert browser.post(f"{address}/petugas/akhiri", data=end).location == address
    with unit_of_work():
        services.add_member(officer.id, house.id, Part.OFFICER)
    assert "Jaminan belum dicatat" in browser.get(address).text


# Names


def test_a_new_name_keeps_the_old_one(browser: FlaskClient):
    house = factories.organisation("P2TP2A Kota Contoh", OrganisationKind.UPTD_PPA)
    address = f"/admin/instansi/{house.public_id}"
    typed = {"name": "UPTD PPA Kota Contoh", "kind": "uptd_ppa", "city": "Kota Contoh"}
    assert browser.post(address, data=typed).location == address
    [former] = organisations.list_names(house.id)
    assert (former.name, former.kind) == ("P2TP2A Kota Contoh", NameKind.FORMER)
    assert former.valid_until is not None
    assert "nama lama, sampai" in browser.get(address).text
    # Case and punctuation are no new name; the name of before is no former one.
    assert (
        browser.post(address, data=typed | {"name": "UPTD  P.P.A. kota contoh"}).status_code == 302
    )
    assert len(organisations.list_names(house.id)) == 2
    assert browser.post(address, data=typed | {"name": "uptd p p a KOTA contoh"}).status_code == 302
    assert len(organisations.list_names(house.id)) == 2
    assert browser.post(address, data=typed | {"name": "P2TP2A Kota Contoh"}).status_code == 302
    assert "P2TP2A Kota Contoh" not in {one.name for one in organisations.list_names(house.id)}


def test_names_are_added_and_removed(browser: FlaskClient):
    house = factories.organisation("UPTD PPA Kota Contoh")
    address = f"/admin/instansi/{house.public_id}"
    typed = {"other": "Rumah Aman", "name_kind": "alias", "until": "2020-01-02"}
    assert browser.post(f"{address}/nama", data=typed).location == f"{address}#nama"
    [name] = organisations.list_names(house.id)
    page = browser.get(address).text
    assert "sampai 2 Januari 2020" in page
    for values, says in (
        ({"other": "RUMAH   aman"}, "Instansi ini sudah punya nama itu."),
        ({"other": "uptd ppa kota contoh"}, "Instansi ini sudah punya nama itu."),
        ({"other": ""}, "Bagian ini perlu diisi."),
        ({"until": "kemarin"}, "Tulis tanggal lengkap"),
        ({"name_kind": "x"}, "Pilih salah satu yang tersedia."),
    ):
        answer = browser.post(f"{address}/nama", data=typed | {"other": "Lain"} | values)
        assert answer.status_code == 422
        assert says in answer.text
    gone = f"{address}/nama/hapus"
    assert browser.post(gone, data={"id": name.public_id}).location == f"{address}#nama"
    assert browser.post(gone, data={"id": name.public_id}).status_code == 404
    assert browser.post(gone, data={}).status_code == 404
    assert organisations.list_names(house.id) == []


def test_the_same_name_written_otherwise_is_taken(browser: FlaskClient):
    factories.organisation("Puskesmas Melati")
    typed = {"name": " PUSKESMAS  Melati.", "kind": "puskesmas", "city": "X"}
    answer = browser.post("/admin/instansi", data=typed)
    assert answer.status_code == 422
    assert "Sudah ada instansi dengan nama ini." in answer.text


def test_all_names_are_searched_and_long_lists_paged(browser: FlaskClient):
    house = factories.organisation("UPTD PPA Kota Contoh", OrganisationKind.UPTD_PPA)
    for n in range(60):
        factories.organisation(f"Puskesmas Nomor {n:02}")
    with unit_of_work():
        organisations.add_name(
            house.public_id, name="Rumah Aman", kind=NameKind.ALIAS, valid_until=None,
            actor_id=factories_person(), now=factories.NOW,
        )  # fmt: skip
    page = browser.get("/admin/instansi?cari=rumah").text
    assert "UPTD PPA Kota Contoh" in page
    assert "ditemukan sebagai Rumah Aman" in page
    assert "Puskesmas Nomor" not in page
    assert "UPTD PPA Kota Contoh" in browser.get("/admin/instansi?cari=p2tp2a+kota+contoh").text
    assert "Tidak ada yang cocok" in browser.get("/admin/instansi?cari=zzz").text
    first, second = browser.get("/admin/instansi").text, browser.get("/admin/instansi?hal=2").text
    assert first.count("<tr>") - 1 == 50
    assert "51–61 dari 61" in second
    assert "51–60 dari 60" in browser.get("/admin/instansi?cari=nomor&hal=2").text


# Two that are one


@pytest.mark.both
def test_everything_of_today_moves_and_history_stays(app: Flask):
    old, new = factories.organisation("Dinas Lama"), factories.organisation("Dinas Baru")
    both, mine = factories.person(), factories.person()
    hosted = factories.cohort(old, slug="a")
    factories.seat(both, hosted, new)
    factories.seat(both, factories.cohort(slug="b"), old)
    factories.seat(mine, hosted, old)
    officer = factories.person("agency")
    admin = factories.person("admin").id
    with unit_of_work():
        services.add_member(officer.id, old.id, Part.OFFICER)
        for one in (old, new):
            organisations.add_name(
                one.public_id, name="Kantor Kita", kind=NameKind.ALIAS, valid_until=None,
                actor_id=admin, now=factories.NOW,
            )  # fmt: skip
    old_id, new_id, gone, kept = old.id, new.id, old.public_id, new.public_id
    moves = {one.table: one.count for one in organisations.list_moves(gone)}
    assert moves == {"membership": 3, "enrolment": 2, "cohort": 1, "organisation_name": 1}
    with unit_of_work():
        organisations.merge(gone, kept, actor_id=admin, now=factories.NOW)
    assert set(db.session.scalars(select(Enrolment.organisation_id))) == {new_id}
    assert set(db.session.scalars(select(Membership.organisation_id))) == {new_id}
    assert len(organisations.members_of(new_id)) == 2
    assert [one.person_id for one in organisations.list_officers(new_id)] == [officer.id]
    assert db.session.get_one(Cohort, hosted.id).host_id == new_id
    assert [one.name for one in organisations.list_names(new_id)] == ["Dinas Lama", "Kantor Kita"]
    assert [one.name for one in organisations.list_organisations()].count("Dinas Lama") == 0
    assert organisations.get_organisation(gone).id == new_id
    assert organisations.organisation_names([old_id, new_id]) == {
        old_id: "Dinas Lama", new_id: "Dinas Baru",
    }  # fmt: skip
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "cohorts.merge")).one()
    assert (event.detail["merged"], event.detail["name"]) == (old_id, "Dinas Lama")
    with pytest.raises(organisations.SameOrganisation), unit_of_work():
        organisations.merge(gone, kept, actor_id=admin, now=factories.NOW)
    # Merged on, both lead to the last; the name that was given up may be carried again.
    last = factories.organisation("Dinas Terakhir").public_id
    with unit_of_work():
        organisations.merge(kept, last, actor_id=admin, now=factories.NOW)
        found = organisations.get_organisation(gone)
        assert found.public_id == organisations.get_organisation(kept).public_id == last
        organisations.update_organisation(
            last, name="Dinas Lama", kind=OrganisationKind.OTHER, city="X", actor_id=admin,
            now=factories.NOW,
        )  # fmt: skip
    match = NameIndex(organisations.list_known_names(), ()).match("Dinas Baru")
    assert (match.fit, match.candidates[0].organisation_id) == (Fit.ONE, found.id)


@pytest.mark.both
def test_merged_into_each_other_at_once_one_stays(bare_app: Flask):
    with bare_app.app_context():
        one, other = factories.organisation().public_id, factories.organisation().public_id
        admin = factories.person("admin").id
        db.session.remove()

    def merge(gone: str, kept: str) -> str:
        with unit_of_work():
            return organisations.merge(gone, kept, actor_id=admin, now=factories.NOW).public_id

    found = race(bare_app, [lambda: merge(one, other), lambda: merge(other, one)])
    assert sum(isinstance(result, organisations.SameOrganisation) for result in found) == 1
    with bare_app.app_context():
        assert len(organisations.list_organisations()) == 1


def test_columns_that_say_what_was_so_then_are_marked():
    """Every column that points at an organisation moves, but for these."""
    stays = {
        str(column)
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if column.info == HISTORY
    }
    assert stays >= {
        "certificate.issuer_id", "number_counter.issuer_id", "disclosure.organisation_id",
        "organisation_merge.organisation_id",
    }  # fmt: skip


def test_merging_is_shown_first_and_asked_for(browser: FlaskClient):
    old, new = factories.organisation("Dinas Lama"), factories.organisation("Dinas Baru")
    factories.seat(factories.person(), factories.cohort(new), old)
    address = f"/admin/instansi/{old.public_id}/gabung"
    page = browser.get(address).text
    assert "Orang dan petugas" in page
    assert "Kursi di kelas" in page
    assert "Dinas Baru" in page
    for values, says in (
        ({}, "Pilih instansinya."),
        ({"into": old.public_id, "sure": "y"}, "Pilih salah satu yang tersedia."),
        ({"into": new.public_id}, "Centang dulu"),
    ):
        answer = browser.post(address, data=values)
        assert answer.status_code == 422
        assert says in answer.text
    people = [factories.person("agency").id for _ in range(3)]
    old_id, new_id = old.id, new.id
    with unit_of_work():
        for person, house in zip(people, (old_id, old_id, new_id), strict=True):
            services.add_member(person, house, Part.OFFICER)
    sure = {"into": new.public_id, "sure": "y"}
    answer = browser.post(address, data=sure)
    assert answer.status_code == 422
    assert "petugasnya lebih dari dua" in answer.text
    with unit_of_work():
        db.session.delete(db.session.get_one(Membership, (people[0], old_id, Part.OFFICER)))
    there = f"/admin/instansi/{new.public_id}"
    assert browser.post(address, data=sure).location == there
    moved = browser.get(f"/admin/instansi/{old.public_id}")
    assert (moved.status_code, moved.location) == (301, there)
    assert "Dinas Lama" in browser.get(there).text
    assert (
        "Belum ada apa pun di catatan ini."
        in browser.get(f"/admin/instansi/{factories.organisation().public_id}/gabung").text
    )
