"""What an officer sees, what is refused, and that every look is written down."""

import re
from datetime import datetime, timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.agencies import checks, services
from lms.agencies.services import Standing
from lms.cohorts import services as cohorts
from lms.cohorts.models import Organisation, Part
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.credentials import register
from lms.credentials import services as credentials
from lms.credentials.models import Disclosure, Method
from lms.credentials.rules import Reason, end_of
from tests import factories
from tests.credentials.test_verify import UNKNOWN, text_of
from tests.credentials.world import NOW, World, fulfil, refuses
from tests.queries import counted

LATER = NOW + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(LATER, tick=False):
        yield


@pytest.fixture
def world(app: Flask) -> World:
    return World()


def officer_of(*organisations: Organisation) -> Person:
    if organisations:
        return factories.officer(*organisations, name="Petugas Contoh")
    return factories.person("agency", name="Petugas Contoh")


def looks() -> list[tuple[int, str, bool | None]]:
    rows = db.session.scalars(select(Disclosure).order_by(Disclosure.id))
    return [(row.certificate_id, row.method.value, row.matched) for row in rows]


def revoke(code: str) -> None:
    by_id = factories.person("admin").id
    with unit_of_work():
        credentials.revoke(
            code, reason_public=Reason.ERROR, reason_internal="x", by_id=by_id, now=NOW
        )


def standings(officer: Person, at: datetime = LATER, **asked: str) -> dict[str, str]:
    found = services.overview(officer.id, at=at, **asked)
    return {line.seat.name: line.standing.value for line in found.lines}


# The list


def test_everybody_of_the_agency_is_listed_with_what_they_hold(world: World):
    officer = officer_of(world.agency)
    nearly = world.join("Budi Nearly")
    first = world.certified(nearly)
    ends = end_of(first.valid_until)
    at = ends - timedelta(days=30)
    world.certified(now=at - timedelta(days=200))
    revoked = world.certified(world.join("Cici Revoked"), now=at - timedelta(days=100))
    by_id, code = factories.person("admin").id, revoked.code
    with unit_of_work():
        credentials.revoke(
            code, reason_public=Reason.ERROR, reason_internal="x", by_id=by_id, now=at
        )
    world.join("Dedi None")
    world.join("Orang Lembaga Lain", factories.organisation())
    found = services.overview(officer.id, at=at)
    assert {line.seat.name: line.standing for line in found.lines} == {
        "Budi Nearly": Standing.NEAR,
        "Rahma Yuliani": Standing.VALID,
        "Cici Revoked": Standing.REVOKED,
        "Dedi None": Standing.NONE,
    }
    assert found.lines[0].seat.name == "Budi Nearly"
    assert (found.total, found.holding) == (4, 2)
    assert standings(officer, ends)["Budi Nearly"] == "expired"
    assert standings(officer, at, standing="near") == {"Budi Nearly": "near"}
    sooner = at - timedelta(seconds=1)
    assert standings(officer, sooner, standing="soon") == {"Budi Nearly": "soon"}
    assert standings(officer, at, name="rahma") == {"Rahma Yuliani": "valid"}
    assert standings(officer, at, name="rahma", standing="none") == {}


def test_the_certificate_that_says_the_most_leads(world: World):
    officer = officer_of(world.agency)
    world.certified()
    fulfil(world.trainee, "K2")
    highest = world.issue(scheme="K2")
    [line] = services.overview(officer.id, at=LATER).lines
    assert line.leading is not None
    assert (line.leading.scheme, line.others) == ("K2", 1)
    revoke(highest.code)
    [line] = services.overview(officer.id, at=LATER).lines
    assert line.leading is not None
    assert (line.leading.scheme, line.others, line.standing) == ("K1", 0, Standing.VALID)


def test_each_level_counts_everybody_once(world: World):
    officer = officer_of(world.agency)
    world.certified()
    fulfil(world.trainee, "K2")
    revoke(world.issue(scheme="K2").code)
    world.certified(world.join("Budi Dua"))
    world.join("Cici Tanpa")
    found = services.overview(officer.id, at=LATER)
    counts = {one.scheme.code: dict(one.counts) for one in found.levels if one.counts}
    assert counts == {"K1": {Standing.VALID: 2}, "K2": {Standing.REVOKED: 1}}
    assert standings(officer, level="K2") == {
        "Rahma Yuliani": "revoked",
        "Budi Dua": "none",
        "Cici Tanpa": "none",
    }
    assert standings(officer, level="K2", standing="revoked") == {"Rahma Yuliani": "revoked"}
    assert standings(officer, level="K9") == standings(officer)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_downloaded_list_is_a_look_at_each(world: World, sign_in, kind: str):
    made = world.certified()
    second = world.certified(world.join("=Budi Dua"))
    world.join("Cici Tanpa")
    browser = sign_in(officer_of(world.agency))
    answer = browser.post("/instansi/unduh", data={"bentuk": kind, "status": "valid"})
    assert answer.status_code == 200
    assert sorted(looks()) == [(made.id, "list", None), (second.id, "list", None)]
    if kind == "csv":
        lines = answer.text.removeprefix("\ufeff").splitlines()
        assert lines[0] == "Nama;Unit kerja;Skema;Nomor;Berlaku sampai;Status"
        assert any(
            line.startswith("'=Budi Dua;Puskesmas Kenanga;Asesmen Risiko;") for line in lines
        )
        assert "Cici" not in answer.text
    else:
        assert answer.data.startswith(b"PK")
        answer.close()


def test_a_replaced_paper_is_not_listed(world: World):
    officer = officer_of(world.agency)
    old, trainee_id = world.certified(), world.trainee.id
    code, by_id = old.code, factories.person("admin").id
    with unit_of_work():
        accounts.rename(trainee_id, "Rahma Baru", now=NOW)
        new = credentials.reissue(code, by_id=by_id, now=NOW, base_url="https://x.example").id
    [line] = services.overview(officer.id, at=LATER).lines
    assert line.leading is not None
    assert (line.leading.id, line.others) == (new, 0)


def test_the_forecast_counts_ends_by_month(world: World):
    officer = officer_of(world.agency)
    made = world.certified()  # ends on 1 April 2028
    at = end_of(made.valid_until) - timedelta(days=40)  # in February 2028
    bars = services.overview(officer.id, at=at).forecast
    assert [(bar.month.month if bar.month else None, bar.count, bar.soon) for bar in bars] == [
        (2, 0, False),
        (3, 0, False),
        (4, 1, True),
        (5, 0, False),
        (6, 0, False),
        *((month, 0, False) for month in (7, 8, 9, 10, 11, 12, 1)),
        (None, 0, False),
    ]
    early = services.overview(officer.id, at=LATER).forecast
    assert [bar.count for bar in early] == [0] * 12 + [1]


def test_the_picture_of_the_forecast_says_what_it_draws(world: World, sign_in):
    made = world.certified()
    before = end_of(made.valid_until) - timedelta(days=40)
    with time_machine.travel(before, tick=False):
        page = sign_in(officer_of(world.agency)).get("/instansi").text
    drawn = re.findall(r'<ul class="bars">(.*?)</ul>', page, re.S)
    bars = re.findall(r"<li>(.*?)</li>", drawn[0], re.S)
    assert len(bars) == 1 + 12 + 1, "those that ended, twelve months, and later"
    [april] = [bar for bar in bars if "Apr 2028" in bar]
    assert re.search(r'(aria-valuenow|value)="1"', april)
    assert 'class="end">1<' in april
    assert sum('class="end">0<' in bar for bar in bars) == len(bars) - 1


def test_an_officer_of_two_agencies_sees_both_and_filters(world: World):
    second = factories.organisation("Polres Contoh")
    world.join("Maria Ulfah", second)
    officer = officer_of(world.agency, second)
    assert set(standings(officer)) == {"Rahma Yuliani", "Maria Ulfah"}
    assert set(standings(officer, unit="Polres Contoh")) == {"Maria Ulfah"}
    with unit_of_work():
        cohorts.add_member(world.trainee.id, second.id, Part.STAFF)
    assert services.overview(officer.id, at=LATER).total == 2


def test_the_page_shows_the_list_and_keeps_the_filter(world: World, sign_in):
    world.certified()
    world.join("Maria Ulfah")
    browser = sign_in(officer_of(world.agency))
    page = text_of(browser.get("/instansi").text)
    assert "2 pendamping, 1 berlaku" in page
    assert "Puskesmas Kenanga" in page
    assert "1 April 2028" in page
    assert "Belum ada" in page
    filtered = browser.get("/instansi?cari=Maria&status=none").text
    assert "Rahma" not in text_of(filtered)
    assert 'value="Maria"' in filtered
    assert '<option value="none" selected>' in filtered
    nothing = text_of(browser.get("/instansi?cari=zzz&unit=x&hal=x").text)
    assert "Tidak ada yang cocok" in nothing
    assert looks() == []


def test_an_officer_without_people_reads_why(world: World, sign_in):
    page = text_of(sign_in(factories.officer()).get("/instansi").text)
    assert "0 pendamping, 0 berlaku" in page
    assert "Belum ada pendamping" in page


def test_a_long_list_is_paged_and_costs_the_same(world: World, sign_in, monkeypatch):
    monkeypatch.setattr("lms.agencies.views.people.PAGE", 2)
    browser = sign_in(officer_of(world.agency))
    browser.get("/instansi")
    with counted() as few:
        browser.get("/instansi")
    for name in ("Anwar", "Budi", "Cici"):
        world.certified(world.join(name))
    with counted() as many:
        first = browser.get("/instansi").text
    assert len(many) == len(few) <= 5
    assert "1–2 dari 4" in first
    link = first.split('rel="next"')[0].split('href="')[-1].split('"')[0].replace("&amp;", "&")
    second = browser.get(link).text
    assert "3–4 dari 4" in second
    assert "Rahma Yuliani" in second
    assert 'rel="prev"' in second
    assert "Tidak ada yang cocok" in browser.get("/instansi?hal=99").text


# One person


def test_opening_a_person_is_written_down_and_shown_to_them(world: World, sign_in):
    made = world.certified()
    browser = sign_in(officer_of(world.agency))
    path = f"/instansi/orang/{world.trainee.public_id}"
    answer = browser.post(path)
    assert answer.status_code == 200
    page = text_of(answer.text)
    assert "0001/SULUH-K1/2026" in page
    assert made.code not in answer.text
    assert looks() == [(made.id, "list", None)]
    own = text_of(sign_in(world.trainee).get("/sertifikat").text)
    assert "Puskesmas Kenanga dari daftar instansi" in own
    assert browser.get(path).status_code == 405
    assert looks() == [(made.id, "list", None)]


def test_an_opened_person_may_hold_nothing_or_a_revoked_paper(world: World, sign_in):
    browser = sign_in(officer_of(world.agency))
    path = f"/instansi/orang/{world.trainee.public_id}"
    assert "Belum ada sertifikat" in browser.post(path).text
    revoke(world.certified().code)
    assert "kesalahan penerbitan" in text_of(browser.post(path).text)


def test_people_of_other_agencies_are_not_found(world: World, sign_in):
    world.certified()
    stranger = officer_of(factories.organisation())
    path = f"/instansi/orang/{world.trainee.public_id}"
    assert sign_in(stranger).post(path).status_code == 404
    assert sign_in(factories.officer()).post("/instansi/orang/x").status_code == 404
    refuses(
        NotFound,
        lambda: services.open_person(stranger.id, world.trainee.public_id, now=NOW),
    )
    assert looks() == []


def test_the_hosts_officer_does_not_see_the_class(world: World):
    """An organisation that hosts a class sees its own people, not those sent by others."""
    assert standings(officer_of(world.host)) == {}


# The check of a paper


def check(browser, asked: str, name: str):
    return browser.post("/instansi/periksa", data={"asked": asked, "name": name})


def test_a_code_with_the_right_name_is_told_in_full(world: World, sign_in):
    made = world.certified()
    browser = sign_in(officer_of(factories.organisation("Dinas Lain")))
    assert "Yang tertulis di kertas" in browser.get("/instansi/periksa").text
    answer = check(browser, made.code.lower(), "rahma yuliani")
    page = text_of(answer.text)
    assert answer.status_code == 200
    assert "Sertifikat ini berlaku" in page
    assert "diterbitkan untuk Rahma Yuliani oleh Dinas Contoh" in page
    assert "Nama cocok" in page
    assert credentials.codes.pretty(made.code) in page
    assert looks() == [(made.id, "code", True)]
    own = text_of(sign_in(world.trainee).get("/sertifikat").text)
    assert "Dinas Lain dengan kode cocok" in own


def test_a_code_with_another_name_keeps_the_name_masked(world: World, sign_in):
    made = world.certified()
    answer = check(sign_in(officer_of(world.agency)), made.code, "Maria Ulfah")
    page = text_of(answer.text)
    assert "Sertifikat ini berlaku" in page
    assert "Nama tidak cocok" in page
    assert "R*** Y***" in page
    assert "Rahma" not in answer.text
    assert looks() == [(made.id, "code", False)]


def test_a_number_needs_the_right_name(world: World, sign_in):
    made = world.certified()
    browser = sign_in(officer_of(world.agency))
    right = text_of(check(browser, made.number, "Rahma Yuliani").text)
    assert "Sertifikat ini berlaku" in right
    assert credentials.codes.pretty(made.code) not in right
    assert looks() == [(made.id, "number", True)]
    spaced = check(browser, " 0001 / suluh-k1 / 2026 ", "Rahma Yuliani")
    assert "Sertifikat ini berlaku" in text_of(spaced.text)
    wrong = check(browser, made.number, "Maria Ulfah")
    missing = check(browser, "0009/SULUH-K1/2026", "Maria Ulfah")
    assert "Tidak ada yang cocok" in text_of(wrong.text)
    assert looks()[2:] == [(made.id, "number", False)]
    drop_typed = [
        re.sub(r'value="[^"]*"', "", text_of(answer.text) + answer.text.split("<form")[0])
        for answer in (wrong, missing)
    ]
    assert drop_typed[0] == drop_typed[1]
    assert "Rahma" not in wrong.text


def test_an_unknown_code_is_answered_without_a_trace(world: World, sign_in):
    page = text_of(check(sign_in(officer_of(world.agency)), UNKNOWN, "Rahma Yuliani").text)
    assert "Tidak ada yang cocok" in page
    assert "belum berarti sertifikatnya palsu" in page
    assert looks() == []


def test_an_old_paper_with_the_old_name_says_it_was_replaced(world: World, sign_in):
    old, trainee_id = world.certified(), world.trainee.id
    code, number, by_id = old.code, old.number, factories.person("admin").id
    with unit_of_work():
        accounts.rename(trainee_id, "Rahma Baru", now=NOW)
        credentials.reissue(code, by_id=by_id, now=NOW, base_url="https://x.example")
    browser = sign_in(officer_of(world.agency))
    assert "sudah diganti" in text_of(check(browser, number, "Rahma Yuliani").text)
    assert "Sertifikat ini berlaku" in text_of(check(browser, number, "Rahma Baru").text)


def test_the_same_number_of_two_issuers_is_told_apart_by_the_name(world: World, sign_in):
    world.certified()
    elsewhere, guest = factories.cohort(), factories.person("trainee", name="Yulius Kambu")
    factories.staff(world.trainer, elsewhere)
    factories.seat(guest, elsewhere)
    made = world.certified(guest, cohort_id=elsewhere.id)
    browser = sign_in(officer_of(world.agency))
    check(browser, made.number, "Yulius Kambu")
    assert looks() == [(made.id, "number", True)]
    check(browser, made.number, "Orang Ketiga")
    assert len(looks()) == 3


def test_a_look_without_an_agency_is_still_shown(world: World, sign_in):
    made = world.certified()
    by_id = officer_of().id  # dismissed while the page was on its way
    with unit_of_work():
        checks.check(by_id, asked=made.code, name="x", now=LATER)
    [look] = register.list_looks(world.trainee.id)
    assert (look.organisation, look.method, look.matched) == (None, Method.CODE, False)


@pytest.mark.parametrize(
    ("asked", "name"), [("", "x"), ("x", ""), ("x" * 101, "x"), ("x", "x" * 201)]
)
def test_what_is_missing_is_asked_for_and_kept(world: World, sign_in, asked: str, name: str):
    answer = check(sign_in(officer_of(world.agency)), asked, name)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert f'value="{name}"' in answer.text
    assert looks() == []


def test_checks_are_bounded_per_officer(world: World, sign_in, app: Flask):
    limit = app.extensions["suluh_gate"].codes.amount
    browser, other = sign_in(officer_of(world.agency)), sign_in(officer_of(world.agency))
    for _ in range(limit):
        assert check(browser, "0001/SULUH-K1/2026", "x").status_code == 200
    late = check(browser, "0001/SULUH-K1/2026", "x")
    assert (late.status_code, late.headers["Retry-After"]) == (429, "60")
    assert check(other, "x", "x").status_code == 200


def test_only_officers_enter(world: World, sign_in, client):
    for someone in (world.trainee, world.trainer):
        browser = sign_in(someone)
        assert browser.get("/instansi").status_code == 403
        assert browser.get("/instansi/periksa").status_code == 403
        assert check(browser, "x", "x").status_code == 403
    assert client.get("/instansi").location.startswith("/masuk")
