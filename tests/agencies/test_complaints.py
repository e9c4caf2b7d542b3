"""A complaint from the officer's words to the decision of two people."""

import re
from datetime import timedelta
from functools import partial

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from lms.agencies import complaints, rules
from lms.agencies.models import Complaint, ComplaintKind, ComplaintStep
from lms.agencies.rules import Outcome, Stage
from lms.core.clock import ZONES
from lms.core.db import db, unit_of_work
from lms.core.models import AuditEvent, Mail
from lms.credentials import register, revocations
from tests import factories, races
from tests.agencies.test_views import LATER, looks, officer_of
from tests.credentials.test_verify import UNKNOWN, text_of
from tests.credentials.world import World, refuses

WIB = ZONES["WIB"]
NEW = "/instansi/pengaduan/baru"
TEXT = "Pada 3 Maret kertas ini ditunjukkan oleh orang lain. Mohon diperiksa."


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(LATER, tick=False):
        yield


@pytest.fixture
def world(app: Flask) -> World:
    return World()


def words(code: str, **other: str) -> dict[str, str]:
    typed = {"asked": code, "name": "Rahma Yuliani", "kind": "conduct", "text": TEXT}
    return typed | other


def raised(world: World, officer_id: int, code: str) -> str:
    organisation_id = world.agency.id
    with unit_of_work():
        return complaints.open_complaint(
            officer_id,
            organisation_id,
            asked=code,
            name="Rahma Yuliani",
            kind=ComplaintKind.DOUBTED,
            text=TEXT,
            now=LATER,
        )


def stages() -> list[tuple[str, str | None]]:
    rows = db.session.scalars(select(ComplaintStep).order_by(ComplaintStep.id))
    return [(row.stage.value, row.outcome.value if row.outcome else None) for row in rows]


def test_the_whole_way_to_a_revoked_certificate(world: World, sign_in):
    made, trainee = world.certified(), world.trainee
    officer = sign_in(officer_of(world.agency))
    unit = world.agency.public_id
    sent = officer.post(NEW, data=words(made.code, unit=unit))
    assert sent.status_code == 302
    own = sent.location
    key = own.rsplit("/", 1)[1]
    assert "Diterima" in text_of(officer.get(own).text)
    assert looks() == [(made.id, "code", True)]
    holder = sign_in(trainee)
    assert "Tidak ada pertanyaan" in text_of(holder.get("/sertifikat/pertanyaan").text)

    first, second = sign_in(factories.person("admin")), sign_in(factories.person("admin"))
    path = f"/admin/pengaduan/{key}"
    assert made.number in first.get("/admin/pengaduan").text
    assert first.post(f"{path}/usul", data={"outcome": "revoked", "note": "x"}).status_code == 302
    assert stages() == [("received", None)]
    first.post(f"{path}/periksa")
    letter = db.session.scalars(select(Mail).order_by(Mail.id.desc())).first()
    assert letter is not None
    assert letter.to == trainee.email
    assert letter.subject == "Ada pertanyaan untuk Anda"
    assert not re.search(r"(?i)sertifikat|kdrt|korban|pengaduan", letter.body)
    assert "/sertifikat/pertanyaan" in holder.get("/pemberitahuan").text

    asked = text_of(holder.get("/sertifikat/pertanyaan").text)
    assert TEXT in asked
    assert "Petugas Contoh" not in asked
    holder.post(f"/sertifikat/pertanyaan/{key}", data={"note": "Kertas itu hilang bulan lalu."})
    assert "Kertas itu hilang" in text_of(first.get(path).text)

    first.post(f"{path}/usul", data={"outcome": "revoked", "note": "Kertas dipakai orang lain."})
    assert register.get_entry(made.code, LATER).status == "valid"
    first.post(f"{path}/sahkan", data={"note": "ya"})
    assert register.get_entry(made.code, LATER).status == "valid"
    second.post(f"{path}/sahkan", data={"note": "Setuju, sertifikat dicabut."})
    assert register.get_entry(made.code, LATER).status == "revoked"
    assert stages() == [
        ("received", None),
        ("examined", None),
        ("heard", None),
        ("proposed", "revoked"),
        ("decided", "revoked"),
    ]
    page = text_of(officer.get(own).text)
    assert "Sertifikat dicabut" in page
    assert "Setuju, sertifikat dicabut." in page
    assert "Kertas itu hilang" not in page
    assert made.number not in first.get("/admin/pengaduan").text
    assert made.number in first.get("/admin/pengaduan?selesai=1").text
    written = db.session.scalars(
        select(AuditEvent.detail).where(AuditEvent.action == "agencies.complaint")
    ).all()
    assert [one["stage"] for one in written] == [stage for stage, _outcome in stages()]


def test_a_declined_proposal_leaves_the_certificate_and_another_may_follow(world: World):
    made = world.certified()
    key = raised(world, officer_of(world.agency).id, made.code)
    first, second = factories.person("admin").id, factories.person("admin").id
    person_id, code = world.trainee.id, made.code
    with unit_of_work():
        complaints.examine(key, base_url="https://x.example", zone="WIB", by_id=first, now=LATER)
        complaints.answer(key, note="Tidak benar.", person_id=person_id, now=LATER)
        complaints.propose(
            key, outcome=Outcome.REVOKED, note="a", needs_two=True, by_id=first, now=LATER
        )
    assert len(revocations.list_open()) == 1
    with unit_of_work():
        complaints.decline(key, note="Belum cukup bukti.", by_id=second, now=LATER)
    assert revocations.list_open() == []
    with unit_of_work():
        complaints.propose(
            key, outcome=Outcome.REFUSED, note="b", needs_two=True, by_id=second, now=LATER
        )
        complaints.decide(key, note="c", by_id=first, now=LATER)
    assert register.get_entry(code, LATER).status == "valid"
    assert stages()[-1] == ("decided", "refused")
    assert complaints.count_open([world.agency.id]) == 0
    assert raised(world, officer_of(world.agency).id, code) != key


def test_where_one_is_enough_the_proposal_decides(world: World):
    made = world.certified()
    key = raised(world, officer_of(world.agency).id, made.code)
    admin, person_id, code = factories.person("admin").id, world.trainee.id, made.code
    with unit_of_work():
        complaints.examine(key, base_url="https://x.example", zone="WIB", by_id=admin, now=LATER)
        complaints.answer(key, note="x", person_id=person_id, now=LATER)
        complaints.propose(
            key, outcome=Outcome.REVOKED, note="a", needs_two=False, by_id=admin, now=LATER
        )
    assert register.get_entry(code, LATER).status == "revoked"
    assert stages()[-1] == ("decided", "revoked")


def test_nobody_goes_on_while_the_holder_has_time(world: World):
    made = world.certified()
    key = raised(world, officer_of(world.agency).id, made.code)
    admin = factories.person("admin").id
    with unit_of_work():
        complaints.examine(key, base_url="https://x.example", zone="WIB", by_id=admin, now=LATER)

    def go_on(days: int) -> None:
        with unit_of_work():
            complaints.go_on_unheard(
                key, note="tanpa jawaban", zone=WIB, by_id=admin, now=LATER + timedelta(days=days)
            )

    refuses(rules.TooEarly, lambda: go_on(14))
    go_on(15)
    assert complaints.get_case(key, LATER).last.stage is Stage.HEARD


def test_who_is_involved_does_not_decide(world: World, sign_in):
    made = world.certified()
    officer = officer_of(world.agency)
    key = raised(world, officer.id, made.code)
    for one in (officer.id, world.trainee.id):
        refuses(
            complaints.Involved,
            lambda one=one: complaints.examine(key, base_url="", zone="WIB", by_id=one, now=LATER),
        )
    assert stages() == [("received", None)]


def test_somebody_elses_complaint_is_not_found(world: World, sign_in):
    made = world.certified()
    key = raised(world, officer_of(world.agency).id, made.code)
    stranger = sign_in(officer_of(factories.organisation()))
    assert stranger.get(f"/instansi/pengaduan/{key}").status_code == 404
    assert stranger.get(f"/admin/pengaduan/{key}").status_code == 403
    assert (
        sign_in(world.trainer).post(f"/sertifikat/pertanyaan/{key}", data={"note": "x"}).status_code
        == 404
    )
    # Before it is taken up its holder is not told of it either.
    assert (
        sign_in(world.trainee).post(f"/sertifikat/pertanyaan/{key}", data={"note": "x"}).status_code
        == 404
    )
    assert stages() == [("received", None)]


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ({"text": "NIK korban 6471011203900001"}, "Hapus NIK dan nomor telepon"),
        ({"text": ""}, "Tulis apa yang terjadi"),
        ({"text": "x" * 2001}, "Paling banyak 2000 huruf"),
        ({"asked": UNKNOWN}, "Tidak ada sertifikat dengan kode itu"),
        ({"kind": "x"}, "Pilih salah satu"),
    ],
)
def test_what_cannot_be_sent_is_kept_and_explained(
    world: World, sign_in, typed: dict[str, str], why: str
):
    made = world.certified()
    browser = sign_in(officer_of(world.agency))
    answer = browser.post(NEW, data=words(made.code, unit=world.agency.public_id) | typed)
    assert answer.status_code == 422
    assert why in text_of(answer.text)
    assert 'value="Rahma Yuliani"' in answer.text
    assert db.session.scalars(select(Complaint)).all() == []


def test_an_agency_complains_once_until_it_is_decided(world: World, sign_in):
    made = world.certified()
    code, unit = made.code, world.agency.public_id
    raised(world, officer_of(world.agency).id, code)
    answer = sign_in(officer_of(world.agency)).post(NEW, data=words(code, unit=unit))
    assert answer.status_code == 422
    assert "sudah mengajukan pengaduan" in text_of(answer.text)
    other = factories.organisation()
    browser = sign_in(officer_of(other))
    assert browser.post(NEW, data=words(code, unit=other.public_id)).status_code == 302


@pytest.mark.both
def test_of_two_who_take_it_up_at_once_one_does(world: World, app: Flask):
    made = world.certified()
    key = raised(world, officer_of(world.agency).id, made.code)
    admins = [factories.person("admin").id for _ in range(4)]

    def examine(by_id: int) -> None:
        with unit_of_work():
            complaints.examine(
                key, base_url="https://x.example", zone="WIB", by_id=by_id, now=LATER
            )

    results = races.race(app, [partial(examine, by_id) for by_id in admins])
    db.session.rollback()  # to see what the others wrote
    assert sum(result is None for result in results) == 1
    assert sum(isinstance(result, rules.WrongStage) for result in results) == 3
    assert stages() == [("received", None), ("examined", None)]
