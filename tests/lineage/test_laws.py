"""Who learned an article of law that changed, and what they are given to read."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, text, update

from lms.accounts.models import Person
from lms.core.db import db, unit_of_work
from lms.credentials.models import Certificate, CertificateEvent, EventKind
from lms.credentials.rules import day_of
from lms.lineage import laws as readers
from lms.lineage.laws import PAGE
from lms.modules import laws
from lms.modules.models import DeltaRead, Lesson, LessonLaw
from tests import factories
from tests.factories import NOW
from tests.lineage import holders, world
from tests.queries import counted

SignIn = Callable[[Person], FlaskClient]
ARTICLE, ON_ITEMS = "UU 23/2004 ps 16", "UU 35/2014 ps 76C"
ADDRESS = "/admin/hukum/uu-23-2004/16"
DELTA = ("Yang berubah pada pasal 16", "Kini **polisi** wajib memberi tahu.")


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    """Pages read the clock; evidence and papers of long ago do not count for ever."""
    with time_machine.travel(NOW):
        yield


def mark(article: str = ARTICLE, delta: tuple[str, str] = DELTA) -> str:
    """Mark an article; return the public name of the mark."""
    with unit_of_work():
        return laws.supersede(
            article,
            since=NOW.date(),
            reason="Diganti.",
            delta=delta,
            actor_id=None,
            now=NOW,
            today=NOW.date(),
        ).public_id


def names(article: str = ARTICLE, mark_id: int | None = None) -> list[int]:
    return [one.person_id for one in readers.every_holder(article, mark_id, NOW)]


@pytest.mark.both
def test_holders_are_who_learned_it_and_hold_a_valid_certificate(app: Flask) -> None:
    read, sat, neither, expired, revoked, plain, open_, gone = world.people(8)
    holders.finish([read, expired, revoked, plain, gone])
    holders.sit([sat], ON_ITEMS)
    holders.sit([open_], ON_ITEMS, closed=False)
    holders.certify([read, sat, neither, revoked, open_, gone])
    holders.certify([expired], day_of(NOW) - timedelta(days=1))
    with unit_of_work():
        paper = select(Certificate.id).where(Certificate.person_id == revoked)
        event = CertificateEvent(
            certificate_id=db.session.scalars(paper).one(),
            kind=EventKind.REVOKED,
            reason_public="-",
            reason_internal="-",
            by_id=read,
            at=NOW,
        )
        db.session.add(event)
        db.session.execute(update(Person).where(Person.id == gone).values(disabled_at=NOW))
    assert names() == [read]
    assert names(ON_ITEMS) == [sat]
    assert names("UU 23/2004 ps 55") == []
    holders.finish([sat])
    holders.certify([read])  # two certificates are one person
    assert names() == [read, sat]


def test_who_finished_the_corrected_wording_did_not_learn_the_old_one(app: Flask) -> None:
    old, corrected = world.people(2)
    lesson = db.session.scalars(select(Lesson).where(Lesson.code == "K1.8")).one()
    assert db.session.get(LessonLaw, (lesson.id, 1, ARTICLE))
    holders.finish([old])
    holders.finish([corrected], version=2)
    holders.certify([old, corrected])
    assert names() == [old]


@pytest.mark.both
def test_reading_is_counted_once_and_anew_for_another_text(app: Flask) -> None:
    one, other = world.people(2)
    holders.finish([one, other])
    holders.certify([one, other])
    first = laws.get_mark(mark()).id
    for _ in range(2):
        with unit_of_work():
            laws.note_read(first, one, now=NOW)
    assert readers.count_reach(ARTICLE, first, NOW) == readers.Reach(2, 1)
    [line, rest] = readers.list_holders(ARTICLE, first, NOW, page=1)
    assert (line.read_at, rest.read_at) == (NOW, None)
    with unit_of_work():
        newer = laws.attach(ARTICLE, title="Lain", text="Lain.", actor_id=None, now=NOW).id
    assert readers.count_reach(ARTICLE, newer, NOW) == readers.Reach(2, 0)


def test_the_reading_stands_at_home_until_it_is_read(app: Flask, sign_in: SignIn) -> None:
    reader, stranger = factories.person("trainee"), factories.person("trainee")
    reader_id, stranger_id = reader.id, stranger.id
    holders.finish([reader_id])
    holders.certify([reader_id, stranger_id])
    browser, other = sign_in(reader), sign_in(stranger)
    assert "Baca yang berubah" not in browser.get("/").text
    mark(ON_ITEMS, ("", ""))  # a mark without a reading asks nothing of anybody
    assert "Baca yang berubah" not in browser.get("/").text
    page = f"/bacaan/{mark()}"
    home = browser.get("/").text
    assert DELTA[0] in home
    assert page in home
    assert DELTA[0] not in other.get("/").text
    assert other.get(page).status_code == 404
    assert other.post(f"{page}/selesai").status_code == 404
    shown = browser.get(page).text
    assert "<strong>polisi</strong>" in shown
    assert "<title>Bacaan singkat" in shown
    for _ in range(2):
        assert browser.post(f"{page}/selesai").location == "/"
    assert "Baca yang berubah" not in browser.get("/").text
    assert browser.get(page).status_code == 200  # it may be read again
    assert db.session.scalars(select(DeltaRead.person_id)).all() == [reader_id]
    with unit_of_work():
        laws.reinstate(ARTICLE, reason="-", actor_id=None, now=NOW, today=NOW.date())
    assert browser.get(page).status_code == 404


def test_an_administrator_previews_a_reading_without_counting(app: Flask, sign_in: SignIn) -> None:
    page = f"/bacaan/{mark()}"
    admin = sign_in(factories.person("admin"))
    assert admin.get(page).status_code == 200
    assert admin.post(f"{page}/selesai").status_code == 302
    assert db.session.scalars(select(DeltaRead.id)).all() == []


def test_an_administrator_marks_explains_and_takes_back(app: Flask, sign_in: SignIn) -> None:
    people = world.people(3)
    holders.finish(people)
    holders.certify(people)
    browser = sign_in(factories.person("admin", name="Bu Admin"))
    assert "Daftar hukum" in browser.get("/admin/sistem").text
    every = browser.get("/admin/hukum").text
    assert "UU 12/2022 Tindak Pidana Kekerasan Seksual" in every
    assert ADDRESS in every
    assert "Perkosaan" not in browser.get("/admin/hukum?tampil=ditandai").text
    assert "Tidak ada yang sesuai" in browser.get("/admin/hukum?tampil=ditandai").text
    assert "Dicabut" in browser.get("/admin/hukum?tampil=periksa").text
    assert ADDRESS not in browser.get("/admin/hukum?tampil=periksa").text
    used = browser.get("/admin/hukum?tampil=dipakai").text
    assert ADDRESS in used
    assert "/admin/hukum/uu-23-2004/43" not in used

    page = browser.get(ADDRESS).text
    assert "3 orang." in page
    assert "K1.8" in page
    late = day_of(NOW).replace(year=2099)
    wrong = {"since": late.isoformat(), "reason": "", "replaced_by": ""}
    refused = browser.post(f"{ADDRESS}/tandai", data=wrong)
    assert refused.status_code == 422
    assert "Tanggal itu belum tiba" in refused.text
    assert "Bagian ini perlu diisi" in refused.text
    assert "Pasal ini tidak sedang ditandai" in browser.post(
        f"{ADDRESS}/cabut", data={"reason": "Keliru."}, follow_redirects=True
    ).text  # fmt: skip
    assert "Pasal ini tidak sedang ditandai" in browser.post(
        f"{ADDRESS}/bacaan", data={"title": "J", "text": "T"}, follow_redirects=True
    ).text  # fmt: skip
    given = {"since": "2026-01-02", "reason": "Diganti <i>UU</i>.", "replaced_by": "UU 1/2027 ps 5"}
    done = browser.post(f"{ADDRESS}/tandai", data=given, follow_redirects=True)
    assert "Ditandai tidak berlaku sejak 2 Januari 2026" in done.text
    assert "Diganti &lt;i&gt;UU&lt;/i&gt;." in done.text
    assert "Bu Admin" in done.text
    assert ADDRESS in browser.get("/admin/hukum?tampil=ditandai").text

    long = {"title": "Judul", "text": "kata " * 301}
    refused = browser.post(f"{ADDRESS}/bacaan", data=long)
    assert refused.status_code == 422
    assert "301 kata" in refused.text
    browser.post(f"{ADDRESS}/bacaan", data={"title": DELTA[0], "text": "kata " * 300})
    told = laws.list_marks()[ARTICLE]
    with unit_of_work():
        laws.note_read(told.id, people[1], now=NOW)
    page = browser.get(ADDRESS).text
    assert "1 sudah membaca bacaannya" in page
    assert DELTA[0] in page
    assert browser.post(f"{ADDRESS}/cabut", data={"reason": ""}).status_code == 422
    done = browser.post(f"{ADDRESS}/cabut", data={"reason": "Keliru."}, follow_redirects=True)
    assert "Tanda dicabut" in done.text
    assert laws.superseded() == frozenset()
    trail = browser.get("/admin/catatan?tindakan=modules.").text
    for words in ("Pasal ditandai tidak berlaku lagi", "Tanda pada pasal dicabut"):
        assert words in trail


def test_the_file_of_people_holds_everybody_and_no_formula(app: Flask, sign_in: SignIn) -> None:
    people = world.people(PAGE + 2)
    holders.finish(people)
    holders.certify(people)
    with unit_of_work():
        db.session.execute(update(Person).where(Person.id == people[0]).values(name="=1+1"))
    browser = sign_in(factories.person("admin"))
    file = browser.get(f"{ADDRESS}/orang.csv")
    lines = file.text.lstrip("\ufeff").splitlines()
    assert len(lines) == len(people) + 1
    assert "'=1+1" in file.text
    assert '"=1+1' not in file.text
    first, second = browser.get(ADDRESS).text, browser.get(f"{ADDRESS}?hal=2").text
    assert f"1–{PAGE} dari {len(people)}" in first
    assert f"{PAGE + 1}–{len(people)} dari {len(people)}" in second
    assert browser.get(f"{ADDRESS}?hal=3").status_code == 404


def test_only_administrators_see_the_registry(app: Flask, sign_in: SignIn) -> None:
    for role in ("trainee", "trainer", "author", "agency"):
        browser = sign_in(factories.person(role))
        for page in ("/admin/hukum", ADDRESS, f"{ADDRESS}/orang.csv"):
            assert browser.get(page).status_code == 403
        assert browser.post(f"{ADDRESS}/tandai").status_code == 403
    admin = sign_in(factories.person("admin"))
    for page in ("/admin/hukum/uu-23-2004/999", "/admin/hukum/tidak-ada/1", "/bacaan/tidak-ada"):
        assert admin.get(page).status_code == 404


# Cost


def plan_of(statement: object) -> list[str]:
    compiled = statement.compile(db.engine, compile_kwargs={"literal_binds": True})
    rows = db.session.execute(text(f"EXPLAIN QUERY PLAN {compiled}"))
    return [row.detail for row in rows]


GROWING = ("person", "lesson_done", "attempt", "attempt_item", "certificate", "law_delta_read")


def assert_indexed(plan: list[str]) -> None:
    scans = [
        one
        for one in plan
        if any(one == f"SCAN {t}" or one.startswith(f"SCAN {t} ") for t in GROWING)
    ]
    assert not scans, plan
    assert not [one for one in plan if "AUTOMATIC" in one], plan


def test_people_are_found_by_indexes(app: Flask) -> None:
    for statement in (
        readers.holders_query(ARTICLE, 1, NOW),
        readers.delta_query(1, NOW, date(2026, 1, 2), unread=True),
    ):
        plan = plan_of(statement)
        assert_indexed(plan)
        for table in ("lesson_done", "attempt_item", "certificate"):
            assert any(table in one and "INDEX" in one for one in plan), (table, plan)


@pytest.mark.both
def test_many_people_cost_the_queries_of_few(app: Flask) -> None:
    costs = []
    for count in (3, 600):
        people = world.people(count)
        holders.finish(people[::2])
        holders.sit(people[1::2], ON_ITEMS)
        holders.certify(people)
        with counted() as sent:
            for article in (ARTICLE, ON_ITEMS):
                reach = readers.count_reach(article, None, NOW)
                assert len(readers.list_holders(article, None, NOW, page=1)) <= PAGE
                assert len(list(readers.every_holder(article, None, NOW))) == reach.people
        costs.append(len(sent))
    assert costs[0] == costs[1] == 6
