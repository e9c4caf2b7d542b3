"""What trainers, officers and nominated people see and may do."""

import csv
import io
import re
from collections.abc import Callable

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from lms.accounts.models import Person
from lms.cohorts.models import Part
from lms.cohorts.services import add_member
from lms.core.db import db, unit_of_work
from lms.nominations import agency, board
from tests import factories
from tests.factories import NOW
from tests.nominations import world as w
from tests.nominations.world import AFTER, HOUR, K, World

SignIn = Callable[[Person], FlaskClient]


@pytest.fixture(autouse=True)
def _today():
    with time_machine.travel(NOW, tick=True):
        yield


@pytest.fixture
def world(app: Flask) -> World:
    made = w.open_class(K.HOSPITAL, K.POLRES, K.KUA, K.NGO)
    w.set_seats(made, 5, rs=2, polres=1)
    return made


def person(number: int) -> Person:
    db.session.rollback()
    return db.session.get_one(Person, number)


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def page(browser: FlaskClient, address: str, status: int = 200) -> str:
    answer = browser.get(address)
    assert answer.status_code == status, answer.text
    return words(answer.text)


# Trainers


def test_a_trainer_sets_seats_and_sees_them(app: Flask, sign_in: SignIn):
    world = w.open_class(K.HOSPITAL)
    browser = sign_in(person(world.trainer))
    seats_page = f"/angkatan/{world.slug}/kursi"
    assert "Kursi belum diatur" in page(browser, seats_page)
    assert "Puskesmas" in page(browser, f"{seats_page}/atur")
    typed = {
        "capacity": "25",
        "until_on": "2026-03-12",
        "until_at": "16:00",
        "offer_hours": "48",
        "rs": "3",
        "polres": "0",
        "kua": "",
    }
    answer = browser.post(f"{seats_page}/atur", data=typed)
    assert (answer.status_code, answer.location) == (302, seats_page)
    found = board.get_board(w.where(world), now=NOW)
    assert found.hall.quotas == {"rs": 3}
    assert found.seating is not None
    assert found.seating.nominate_until.isoformat() == "2026-03-12T09:00:00+00:00"  # WIB
    shown = page(browser, seats_page)
    assert "25 dari 25 kursi masih bebas" in shown
    assert "12 Maret 2026, 16.00 WIB" in shown
    again = browser.get(f"{seats_page}/atur").text
    assert 'value="16:00' in again
    assert 'value="48"' in again


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"capacity": ""}, "Isi jumlah kursi."),
        ({"capacity": "0"}, "Antara 1 dan 5000."),
        ({"capacity": "2"}, "Jumlah kuota 3, lebih dari kursi kelas."),
        ({"rs": "banyak"}, "Tulis bilangan bulat, misalnya 2."),
        ({"rs": "-1"}, "Antara 0 dan 5000."),
        ({"offer_hours": "100"}, "Antara 12 dan 72 jam."),
        ({"until_at": "sore"}, "Tulis jam, misalnya 16:00."),
        ({"until_on": ""}, "Bagian ini perlu diisi."),
    ],
)
def test_seats_that_cannot_be_are_explained(
    world: World, sign_in: SignIn, changed: dict[str, str], says: str
):
    typed = {
        "capacity": "5",
        "until_on": "2026-03-12",
        "until_at": "16:00",
        "offer_hours": "72",
        "rs": "2",
        "polres": "1",
    } | changed
    answer = sign_in(person(world.trainer)).post(f"/angkatan/{world.slug}/kursi/atur", data=typed)
    assert answer.status_code == 422
    assert says.lower() in words(answer.text).lower()
    assert w.counters(world) == (5, {"rs": 2, "polres": 1})


def test_each_kind_of_plan_that_cannot_be_has_its_sentence(world: World, sign_in: SignIn):
    w.nominate(world, K.HOSPITAL, "ani", "budi")
    w.invite_directly(world, K.NGO, "cici")
    browser = sign_in(person(world.trainer))
    base = {
        "capacity": "5",
        "until_on": "2026-03-12",
        "until_at": "16:00",
        "offer_hours": "72",
        "rs": "2",
        "polres": "",
    }
    for changed, says in (
        ({"capacity": "2"}, "Sudah 3 kursi terpakai"),
        ({"rs": "1"}, "Rumah sakit sudah memakai 2 kursi"),
        ({"kua": "3"}, "1 kursi dipakai di luar kuota"),
    ):
        answer = browser.post(f"/angkatan/{world.slug}/kursi/atur", data=base | changed)
        assert answer.status_code == 422
        assert says in words(answer.text)


def test_the_page_shows_the_grid_the_line_and_who_is_missing(world: World, sign_in: SignIn):
    w.nominate(world, K.HOSPITAL, "ani", "budi", "cici")
    w.nominate(world, K.NGO, "dodi")
    w.accept("ani")
    shown = page(sign_in(person(world.trainer)), f"/angkatan/{world.slug}/kursi")
    assert "1 pasti, 3 dari 5 kursi masih bebas" in shown
    assert "Belum ada dari: kepolisian" in shown
    assert "kuota Rumah sakit penuh" in shown
    assert "jenisnya tidak berkuota; menunggu tenggat" in shown
    assert shown.index("Cici") < shown.index("Dodi")
    assert "lalu menurut urutan pengusulan" in shown
    after = board.get_board(w.where(world), now=AFTER)
    assert after.hall.phase.value == "pool"


@pytest.mark.parametrize("hours", [24 * 10 + 1, 24 * 18])
def test_the_page_says_how_seats_are_given_later(world: World, sign_in: SignIn, hours: int):
    w.nominate(world, K.NGO, "ani")
    browser = sign_in(person(world.trainer))
    with time_machine.travel(NOW + hours * HOUR):
        browser = sign_in(person(world.trainer))
        shown = page(browser, f"/angkatan/{world.slug}/kursi")
    wanted = "Tenggat pengusulan lewat" if hours < 300 else "Kelas sudah mulai"
    assert wanted in shown


def test_a_trainer_passes_the_line_only_with_a_reason(world: World, sign_in: SignIn):
    w.nominate(world, K.NGO, "ani", "budi", "cici")
    browser = sign_in(person(world.trainer))
    base = f"/angkatan/{world.slug}/kursi"

    def hand(name: str, reason: str) -> tuple[int, str]:
        address = f"{base}/{w.find(world, name).public_id}/tawarkan"
        answer = browser.post(address, data={"reason": reason}, follow_redirects=True)
        return answer.status_code, words(answer.text)

    status, shown = hand("budi", " ")
    assert (status, w.states(world)["budi"]) == (422, "waiting")
    assert "Bagian ini perlu diisi" in shown or "alasan: bagian ini" in shown.lower()
    status, shown = hand("budi", "mewakili desa")
    assert (status, w.states(world)["budi"]) == (200, "offered")
    assert "alasannya tercatat" in shown
    assert "“mewakili desa”" in page(browser, f"{base}/catatan")
    assert "sudah tidak di daftar tunggu" in hand("budi", "lagi")[1]
    hand("ani", "x")
    assert "Semua kursi yang bebas sudah terpakai" in hand("cici", "x")[1]


def test_a_trainer_takes_back_and_sends_a_link_again(world: World, sign_in: SignIn):
    w.nominate(world, K.HOSPITAL, "ani", "budi", "cici")
    browser = sign_in(person(world.trainer))
    base = f"/angkatan/{world.slug}/kursi"
    one = f"{base}/{w.find(world, 'ani').public_id}"
    assert browser.post(f"{one}/tautan").location == base
    assert f"/undangan/{w.token('ani')}" in browser.get(base).text
    assert f"/undangan/{w.token('ani')}" not in browser.get(base).text  # shown once
    assert browser.post(f"{one}/tarik", data={"note": "pindah tugas"}).location == base
    assert w.states(world) == {"ani": "withdrawn", "budi": "offered", "cici": "offered"}
    assert "pindah tugas" in page(browser, f"{base}/catatan")
    assert "baru saja berubah" in words(browser.post(f"{one}/tarik", follow_redirects=True).text)
    assert "sudah tidak terbuka" in words(browser.post(f"{one}/tautan", follow_redirects=True).text)
    w.accept("budi")
    late = f"{base}/{w.find(world, 'budi').public_id}/tarik"
    with time_machine.travel(NOW + 18 * 24 * HOUR):
        browser = sign_in(person(world.trainer))
        assert "Kelas sudah mulai" in words(browser.post(late, follow_redirects=True).text)
    assert w.states(world)["budi"] == "confirmed"


def test_the_log_pages_and_proves_itself(world: World, sign_in: SignIn):
    browser = sign_in(person(world.trainer))
    log = f"/angkatan/{world.slug}/kursi/catatan"
    assert "Belum ada catatan" in page(browser, log)
    w.nominate(world, K.HOSPITAL, *(f"orang{n}" for n in range(60)))
    w.decline("orang0")
    shown = page(browser, log)
    assert "Menolak kursi: Orang0" in shown
    assert "kuota jenis instansinya masih ada" in shown
    assert "Saat itu Rumah sakit memegang 1 kursi (kuota 2), dan 4 dari 5 kursi kelas" in shown
    before = re.findall(r"sebelum=(\d+)", browser.get(log).text)[0]
    assert "Orang0" not in page(browser, f"{log}?sebelum={before}").split("Orang1 ")[0]
    proof = page(browser, f"{log}?periksa=1")
    assert "Dihitung ulang dari catatan: 3 kursi, semuanya menurut aturan." in proof


def test_a_log_that_does_not_fit_says_where(
    world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
):
    w.nominate(world, K.HOSPITAL, "ani")
    monkeypatch.setattr(board, "prove", lambda _cohort: board.Proof(1, [7]))
    shown = page(sign_in(person(world.trainer)), f"/angkatan/{world.slug}/kursi/catatan?periksa=1")
    assert "1 kursi tidak mengikuti aturan: catatan 7" in shown


def test_the_file_holds_everybody_and_no_formula(world: World, sign_in: SignIn):
    w.nominate(world, K.HOSPITAL, "ani", "budi", "cici")
    with unit_of_work():
        w.services.nominate(
            world.cohort,
            w.Nominee(world.agencies[K.NGO], "=cmd|' /C calc'!A1", "jahat@contoh.test"),
            actor_id=world.trainer,
            now=NOW,
        )
    answer = sign_in(person(world.trainer)).get(f"/angkatan/{world.slug}/kursi/daftar.csv")
    assert answer.mimetype == "text/csv"
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")), delimiter=";"))
    assert [row[0] for row in rows] == ["Nama", "Ani", "Budi", "Cici", "'=cmd|' /C calc'!A1"]
    assert [row[4] for row in rows[1:]] == [
        "Ditawari kursi",
        "Ditawari kursi",
        "Daftar tunggu",
        "Daftar tunggu",
    ]


def test_only_the_class_own_trainers_and_administrators_come_in(world: World, sign_in: SignIn):
    w.nominate(world, K.HOSPITAL, "ani")
    base = f"/angkatan/{world.slug}/kursi"
    public_id = w.find(world, "ani").public_id
    stranger, admin = factories.person("trainer"), factories.person("admin")
    browser = sign_in(stranger)
    for address in (base, f"{base}/atur", f"{base}/catatan", f"{base}/daftar.csv"):
        assert browser.get(address).status_code == 404
        assert sign_in(admin).get(address).status_code == 200
    for step in ("tawarkan", "tarik", "tautan"):
        assert browser.post(f"{base}/{public_id}/{step}", data={"reason": "x"}).status_code == 404
    other = w.open_class()
    w.set_seats(other, 5)
    own = sign_in(person(other.trainer))
    for step in ("tawarkan", "tarik", "tautan"):
        address = f"/angkatan/{other.slug}/kursi/{public_id}/{step}"
        assert own.post(address, data={"reason": "x"}).status_code == 404
    assert w.states(world) == {"ani": "offered"}


# Agencies


@pytest.fixture
def officer(world: World) -> Person:
    return w.officer(world, K.HOSPITAL)


def staff(world: World, kind: K, name: str) -> Person:
    someone = factories.person("trainee", name=name, email=f"{name.lower()}@contoh.test")
    with unit_of_work():
        add_member(someone.id, world.agencies[kind], Part.STAFF)
    return person(someone.id)


def test_an_officer_sees_classes_in_reach_with_what_is_left(
    world: World, officer: Person, sign_in: SignIn
):
    w.nominate(world, K.HOSPITAL, "ani")
    far = w.open_class(title="Kelas jauh", city="Kota Lain")
    w.set_seats(far, 5, kua=1)
    reached = w.open_class(title="Kelas berkuota", city="Kota Lain")
    w.set_seats(reached, 5, rs=1)
    unset = w.open_class(title="Kelas tanpa kursi")
    shown = page(sign_in(officer), "/instansi/calon")
    assert w.where(world).title in shown
    assert "Rumah sakit: sisa 1 dari 2 kursi" in shown
    assert "Kelas berkuota" in shown
    assert "Kelas jauh" not in shown
    assert "Kelas tanpa kursi" not in shown
    browser = sign_in(officer)
    for hidden in (far, unset):
        assert browser.get(f"/instansi/calon/{hidden.slug}").status_code == 404
    with time_machine.travel(NOW + 18 * 24 * HOUR):
        later = sign_in(officer)
        assert "Belum ada kelas yang terbuka" in page(later, "/instansi/calon")
        assert "Ani" in page(later, "/instansi/calon")
    with time_machine.travel(AFTER):
        later = sign_in(officer)
        assert "Tenggat sudah lewat" in page(later, "/instansi/calon")
        assert "Tenggat sudah lewat" in page(later, f"/instansi/calon/{world.slug}")


def test_an_officer_nominates_own_people_and_others(world: World, officer: Person, sign_in: SignIn):
    own = [staff(world, K.HOSPITAL, name) for name in ("Ani", "Budi")]
    address = f"/instansi/calon/{world.slug}"
    browser = sign_in(officer)
    assert "sisa 2 dari 2 kursi" in page(browser, address)
    answer = browser.post(
        address,
        data={
            "people": [one.public_id for one in own],
            "organisation": w.agency(world, K.HOSPITAL).public_id,
            "others-0-name": "Cici",
            "others-0-email": "CICI@contoh.test",
            "letter_number": "12/ST",
            "letter_on": "1 Maret 2026",
        },
    )
    assert answer.status_code == 302
    shown = page(browser, address)
    assert "2 orang mendapat kursi. 1 orang masuk daftar tunggu." in shown
    assert "Surat tugas 12/ST, 1 Maret 2026" in shown
    assert "kuota 2 kursi sudah penuh" in shown
    assert "Sudah diusulkan" in shown
    assert w.states(world) == {"ani": "offered", "budi": "offered", "cici": "waiting"}
    assert page(browser, "/instansi/calon").count("Tarik usulan") == 3


def test_a_row_that_cannot_be_is_shown_again_and_the_others_are_made(
    world: World, officer: Person, sign_in: SignIn
):
    w.nominate(world, K.KUA, "ani")
    address = f"/instansi/calon/{world.slug}"
    sent = {
        "organisation": w.agency(world, K.HOSPITAL).public_id,
        "others-0-name": "Ani",
        "others-0-email": "ani@contoh.test",
        "others-1-name": "Budi",
        "others-1-email": "budi@contoh.test",
    }
    answer = sign_in(officer).post(address, data=sent)
    assert answer.status_code == 422
    shown = words(answer.text)
    assert "Ani : Alamat ini sudah diusulkan untuk kelas ini." in shown
    assert "Budi : Kursi ditawarkan" in shown
    assert 'value="ani@contoh.test"' in answer.text
    assert 'value="budi@contoh.test"' not in answer.text
    assert w.states(world) == {"ani": "waiting", "budi": "offered"}


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({}, "Pilih seseorang, atau isi nama dan alamat e-mailnya."),
        ({"others-0-name": "Ani"}, "Isi alamat e-mailnya"),
        ({"others-0-email": "ani@contoh.test"}, "Isi nama orangnya."),
        ({"others-0-name": "Ani", "others-0-email": "ani"}, "Tulis alamat e-mail lengkap"),
        ({"others-0-name": "x" * 121, "others-0-email": "a@b.id"}, "Paling banyak 120 huruf."),
    ],
)
def test_a_form_that_is_not_whole_nominates_nobody(
    world: World, officer: Person, sign_in: SignIn, typed: dict[str, str], says: str
):
    sent = {"organisation": w.agency(world, K.HOSPITAL).public_id} | typed
    answer = sign_in(officer).post(f"/instansi/calon/{world.slug}", data=sent)
    assert answer.status_code == 422
    assert says in words(answer.text)
    assert w.states(world) == {}


def test_an_officer_nominates_for_no_other_agency_and_no_other_people(
    world: World, officer: Person, sign_in: SignIn
):
    stranger = staff(world, K.POLRES, "Sersan")
    address = f"/instansi/calon/{world.slug}"
    browser = sign_in(officer)
    assert "Sersan" not in browser.get(address).text
    own = w.agency(world, K.HOSPITAL).public_id
    answer = browser.post(address, data={"people": [stranger.public_id], "organisation": own})
    assert answer.status_code == 404
    sent = {
        "organisation": w.agency(world, K.POLRES).public_id,
        "others-0-name": "Ani",
        "others-0-email": "ani@contoh.test",
    }
    assert browser.post(address, data=sent).status_code == 422
    assert w.states(world) == {}
    w.nominate(world, K.POLRES, "budi")
    other = w.find(world, "budi").public_id
    assert browser.post(f"/instansi/calon/usulan/{other}/tarik").status_code == 404
    assert "Budi" not in page(browser, "/instansi/calon")
    assert "Budi" not in page(browser, address)
    assert w.states(world) == {"budi": "offered"}


def test_an_officer_takes_a_nomination_back(world: World, officer: Person, sign_in: SignIn):
    w.nominate(world, K.HOSPITAL, "ani", "budi", "cici")
    browser = sign_in(officer)
    public_id = w.find(world, "ani").public_id
    answer = browser.post(f"/instansi/calon/usulan/{public_id}/tarik")
    assert answer.location == "/instansi/calon"
    assert w.states(world) == {"ani": "withdrawn", "budi": "offered", "cici": "offered"}


def test_hints_say_who_sits_there_and_who_is_certified(
    world: World, officer: Person, monkeypatch: pytest.MonkeyPatch
):
    seated, free = (staff(world, K.HOSPITAL, name) for name in ("Ani", "Budi"))
    factories.seat(seated, w.where(world), w.agency(world, K.HOSPITAL))

    class Entry:
        person_id, status = free.id, agency.Status.VALID

    monkeypatch.setattr(agency.register, "list_held", lambda _ids, _at: [Entry])
    found = agency.get_sheet(officer.id, world.slug, now=NOW)
    assert [
        (one.name, one.is_seated, one.is_certified, one.is_free) for one in found.candidates
    ] == [
        ("Ani", True, False, False),
        ("Budi", False, True, True),
    ]


def test_many_people_are_found_by_name(
    world: World, officer: Person, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
):
    for name in ("Ani", "Budi", "Cici"):
        staff(world, K.HOSPITAL, name)
    monkeypatch.setattr(agency, "PEOPLE", 2)
    browser, address = sign_in(officer), f"/instansi/calon/{world.slug}"
    shown = page(browser, address)
    assert "2 pertama dari 3" in shown
    assert "Cici" not in shown
    assert "Cici" in page(browser, f"{address}?cari=cic")
    assert "Tidak ada yang cocok" in page(browser, f"{address}?cari=zzz")


def test_an_officer_of_two_agencies_chooses_which_one_sends(world: World, sign_in: SignIn):
    officer = w.officer(world, K.HOSPITAL, K.NGO)
    someone = staff(world, K.HOSPITAL, "Ani")
    with unit_of_work():
        add_member(someone.id, world.agencies[K.NGO], Part.STAFF)
    browser, address = sign_in(officer), f"/instansi/calon/{world.slug}"
    assert "Diutus oleh" in page(browser, address)
    assert browser.get(address).text.count(f'value="{someone.public_id}"') == 1
    sent = {
        "people": [someone.public_id],
        "organisation": w.agency(world, K.NGO).public_id,
        "others-0-name": "Budi",
        "others-0-email": "budi@contoh.test",
    }
    assert browser.post(address, data=sent).status_code == 302
    db.session.rollback()
    assert w.find(world, "budi").kind is K.NGO
    assert len(w.states(world)) == 2


def test_a_class_that_begins_while_the_form_is_open_takes_nobody(
    world: World, officer: Person, sign_in: SignIn
):
    with time_machine.travel(NOW + 18 * 24 * HOUR):
        answer = sign_in(officer).post(
            f"/instansi/calon/{world.slug}",
            data={
                "organisation": w.agency(world, K.HOSPITAL).public_id,
                "others-0-name": "Ani",
                "others-0-email": "ani@contoh.test",
            },
        )
    assert answer.status_code == 404
    assert w.states(world) == {}


# The person


def test_the_invitation_says_who_nominates_and_can_be_declined(world: World, client: FlaskClient):
    with unit_of_work():
        w.services.nominate(
            world.cohort,
            w.nominee(world, K.HOSPITAL, "ani"),
            actor_id=world.trainer,
            now=NOW,
            letter=w.services.Letter("12/ST", ""),
        )
    w.nominate(world, K.HOSPITAL, "budi", "cici")
    address = f"/undangan/{w.token('ani')}"
    shown = page(client, address)
    assert "Diusulkan oleh" in shown
    assert "12/ST" in shown
    assert "Saya tidak ikut" in shown
    answer = client.post(f"{address}/tolak")
    assert answer.location == "/undangan/batal"
    assert "Terima kasih sudah memberi tahu" in page(client, answer.location)
    assert w.states(world) == {"ani": "declined", "budi": "offered", "cici": "offered"}
    assert client.post(f"{address}/tolak").status_code == 410
    assert client.post("/undangan/tidak-ada/tolak").status_code == 404
    assert "ditarik" in page(client, address, 410)


def test_a_trainer_over_the_quota_is_told_what_to_do(world: World, sign_in: SignIn):
    w.nominate(world, K.HOSPITAL, "ani", "budi")
    sent = {
        "email": "cici@contoh.test",
        "name": "Cici",
        "role": "trainee",
        "organisation": w.agency(world, K.HOSPITAL).public_id,
    }
    browser = sign_in(person(world.trainer))
    address = f"/angkatan/{world.slug}/undangan"
    answer = browser.post(address, data=sent)
    assert answer.status_code == 422
    assert "Kuota Rumah sakit penuh: 2 kursi." in words(answer.text)
    sent["organisation"] = w.agency(world, K.POLRES).public_id
    assert browser.post(address, data=sent).status_code == 302
    assert w.held(world) == {K.HOSPITAL: 2, K.POLRES: 1}
