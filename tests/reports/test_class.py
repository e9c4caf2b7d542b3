"""A class of any size: the same words from what is stored as from what is counted now."""

import csv
import io
from collections import Counter
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import select, text

from lms.accounts.models import Person
from lms.cohorts.models import Cohort, OrganisationKind
from lms.competency import overviews, summaries
from lms.competency import services as competency
from lms.core import clock
from lms.core.db import db, unit_of_work
from lms.quizzes.models import Attempt, AttemptItem
from lms.reports import exports, services, snapshots, themes
from lms.reports.rules import Reason
from lms.reports.services import View
from tests import factories, ledgers
from tests.credentials import world
from tests.queries import counted
from tests.quizzes import helpers as quizzes

DAY = timedelta(days=1)


@pytest.fixture
def place(app: Flask) -> Cohort:
    return factories.cohort(title="Angkatan Uji")


@pytest.fixture
def browser(place: Cohort, sign_in) -> FlaskClient:
    trainer = factories.person("trainer", name="Pelatih Satu")
    factories.staff(trainer, place)
    return sign_in(trainer)


def fill(place: Cohort) -> list[Person]:
    """Seat six people of three agencies; some have reached something, one everything of K1."""
    kinds = [OrganisationKind.PUSKESMAS, OrganisationKind.POLRES, OrganisationKind.POLRES]
    senders = [factories.organisation(f"Kantor Uji {n}", kind) for n, kind in enumerate(kinds)]
    people = [factories.person(name=f"Orang {n}") for n in range(6)]
    for n, one in enumerate(people):
        factories.seat(one, place, senders[n % 3])
    at = clock.now() - 2 * DAY
    world.fulfil(people[4], "K1", at=at)
    factories.evidence(people[1], "SK", "03.1.1", "SK1", "s", at=at, mark=1)
    factories.evidence(people[2], "SK", "03.1.1", "SK1", "s", at=at, mark=0)
    factories.evidence(people[2], "HDR", "", "K1.T", "g", at=at, passed=True)
    return people


def settle(place: Cohort) -> None:
    while snapshots.refresh(clock.now()):
        pass


VIEWS = [
    View(),
    View(order="nama"),
    View(order="tercapai"),
    View(order="siap"),
    View(kind="polres"),
    View(kind="polres", order="nama", unit="03"),
    View(page=2),
]


@pytest.mark.both
def test_a_large_class_shows_what_a_small_one_shows(
    app: Flask, place: Cohort, monkeypatch: pytest.MonkeyPatch
):
    fill(place)
    settle(place)
    agencies = services.matrix(place, View(), now=clock.now()).agencies
    views = [*VIEWS, View(agency=agencies[1].public_id)]
    small = [services.matrix(place, view, now=clock.now()) for view in views]
    monkeypatch.setattr(services, "PAGE", 4)
    for view, one in zip(views, small, strict=True):
        first = services.matrix(place, view, now=clock.now())
        pages = [
            services.matrix(place, View(**(asked(view) | {"page": n})), now=clock.now())
            for n in range(1, first.pages + 1)
        ]
        names = [line.seat.name for page in pages for line in page.lines]
        assert names == [line.seat.name for line in one.lines], view
        lines = {line.seat.name: line for page in pages for line in page.lines}
        for line in one.lines:
            assert line.standing == lines[line.seat.name].standing
            assert line.stuck == lines[line.seat.name].stuck
            assert line.ready == lines[line.seat.name].ready
            assert line.verdicts == lines[line.seat.name].verdicts
        assert (one.people, one.matching) == (first.people, first.matching)
        assert one.open == first.open
        if one.overview is not None:
            assert first.overview is not None
            assert Counter(one.overview.stuck) == first.overview.stuck
            assert one.overview.ready == first.overview.ready == 1
        assert (one.is_counted, first.is_counted) == (False, first.people > 4)


def asked(view: View) -> dict[str, object]:
    return {"agency": view.agency, "kind": view.kind, "order": view.order, "unit": view.unit}


def test_a_large_class_that_was_never_counted_is_whole(
    browser: FlaskClient, place: Cohort, monkeypatch: pytest.MonkeyPatch
):
    fill(place)
    monkeypatch.setattr(services, "PAGE", 4)
    page = browser.get(f"/angkatan/{place.slug}").text
    assert "sedang dihitung" in page
    assert "1–4 dari 6" in page
    all_of_k1 = f"{len(ledgers.STANDARD.of('K1'))}/84"
    assert all_of_k1 in page + browser.get(f"/angkatan/{place.slug}?hal=2").text
    assert browser.get(f"/angkatan/{place.slug}?hal=99").text.count('scope="row"') == 2
    settle(place)
    page = browser.get(f"/angkatan/{place.slug}").text
    assert "sedang dihitung" not in page
    assert "Dihitung" in page
    assert "2 dari 6" in page, "two have not reached 03.1.1"


def test_what_was_done_just_now_is_on_the_page(browser: FlaskClient, place: Cohort):
    people = fill(place)
    settle(place)
    at = clock.now() - timedelta(minutes=1)
    factories.evidence(people[0], "Q", "02.1.2", "K1", "neu", at=at, passed=True)
    assert "1/84" in browser.get(f"/angkatan/{place.slug}").text


def test_opening_a_unit_judges_only_those_on_the_page(
    app: Flask, place: Cohort, monkeypatch: pytest.MonkeyPatch
):
    people = fill(place)
    settle(place)
    monkeypatch.setattr(services, "PAGE", 2)
    with counted() as statements:
        found = services.matrix(place, View(unit="03", order="tercapai"), now=clock.now())
    assert len(statements) <= 8
    assert [line.seat.name for line in found.lines] == ["Orang 4", "Orang 0"]
    assert {v.value for code, v in found.lines[0].verdicts.items() if code.startswith("03.1")} >= {
        "T"
    }
    assert people


def test_the_rounds_count_a_class_again_after_a_while(app: Flask):
    now = clock.now()
    place = factories.cohort(starts_on=now.date() - 9 * DAY, ends_on=now.date() - 8 * DAY)
    fill(place)
    assert snapshots.refresh(now) == 6 + 1
    assert snapshots.refresh(now + timedelta(seconds=19)) == 0
    assert snapshots.refresh(now + timedelta(seconds=21)) == 1
    found = overviews.of([place.id])[place.id]
    assert found.people == 6
    assert found.stuck == {Reason.OBSERVE.value: 5, Reason.QUIET.value: 1}
    assert found.not_yet == {"03.1.1": 2}
    lines = services.matrix(place, View(), now=now).lines
    assert overviews.lines_of(place.id).keys() == {line.seat.person_id for line in lines}


def test_nobody_without_a_line_is_forgotten(app: Flask, place: Cohort):
    someone = factories.person()
    factories.seat(someone, place)
    assert snapshots.refresh(clock.now()) == 2
    found = competency.current()
    with counted() as statements:
        assert summaries.of([someone.id], found, clock.now())[someone.id].total == 84
    assert not any("FROM evidence" in one for one in statements)


def test_without_a_standard_no_class_is_counted(app: Flask, place: Cohort):
    fill(place)
    with unit_of_work():
        db.session.execute(text("DELETE FROM evidence"))
        db.session.execute(text("DELETE FROM standing_summary"))
        db.session.execute(text("DELETE FROM standard_version"))
    snapshots.count(place.id, now=clock.now())
    assert overviews.of([place.id]) == {}


# Files


def test_the_csv_holds_everybody_by_name(browser: FlaskClient, place: Cohort):
    people = fill(place)
    factories.seat(factories.person(name="=HYPERLINK(1)"), place, factories.organisation("+62"))
    settle(place)
    answer = browser.get(f"/angkatan/{place.slug}/capaian.csv")
    assert answer.status_code == 200
    assert f"capaian-{place.slug}-brk-" in answer.headers["Content-Disposition"]
    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig")), delimiter=";"))
    assert rows[0][:4] == ["Nama", "Instansi", "Unit 01 (dari 8)", "Unit 02 (dari 8)"]
    assert rows[0][-4:] == ["Tercapai", "Dari", "Kriteria kritis belum", "Terakhir aktif"]
    assert [row[0] for row in rows[1:]] == ["'=HYPERLINK(1)", *(one.name for one in people)]
    assert rows[1][1] == "'+62"
    done = rows[1 + 1 + 4]
    assert done[12:14] == [str(len(ledgers.STANDARD.of("K1"))), "84"]
    assert sum(int(cell) for cell in done[2:12]) == int(done[12])
    assert all(len(row) == len(rows[0]) for row in rows)


def test_the_csv_is_right_before_anything_was_counted(browser: FlaskClient, place: Cohort):
    fill(place)
    before = browser.get(f"/angkatan/{place.slug}/capaian.csv").data
    settle(place)
    assert browser.get(f"/angkatan/{place.slug}/capaian.csv").data == before


@pytest.mark.both
def test_rows_come_in_pieces_with_the_same_queries(
    app: Flask, place: Cohort, monkeypatch: pytest.MonkeyPatch
):
    fill(place)
    settle(place)
    whole = list(exports.rows(place, now=clock.now()))
    monkeypatch.setattr(exports, "PIECE", 2)
    with counted() as statements:
        assert list(exports.rows(place, now=clock.now())) == whole
    assert len(statements) == 3, "the class again after the rollback, the standard, the rows"
    assert len(whole) == 6


def test_the_workbook_holds_numbers_and_days(browser: FlaskClient, place: Cohort):
    fill(place)
    settle(place)
    data = browser.get(f"/angkatan/{place.slug}/capaian.xlsx", buffered=True).data
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0)
    rows = sheet.to_python()
    assert rows[0][0] == "Nama"
    assert rows[5][12] == len(ledgers.STANDARD.of("K1"))
    assert rows[1][-1] == factories.NOW.date()


def test_files_are_for_those_who_work_in_the_class(place: Cohort, sign_in):
    fill(place)
    other = sign_in(factories.person("trainer"))
    for page in ("capaian.csv", "capaian.xlsx", "persiapan", "pesan"):
        assert other.get(f"/angkatan/{place.slug}/{page}").status_code == 404
    trainee = sign_in(factories.person("trainee"))
    for page in ("capaian.csv", "capaian.xlsx", "persiapan", "pesan"):
        assert trainee.get(f"/angkatan/{place.slug}/{page}").status_code == 403


# Themes


def sit(person: Person, *wrong: str) -> None:
    """Answer everything rightly but the items of these KUK."""
    quizzes.sit(person.id, wrong=lambda kuk: kuk in wrong)


@pytest.mark.both
def test_a_theme_is_what_many_answered_wrong(app: Flask, place: Cohort):
    people = [factories.person() for _ in range(6)]
    for n, one in enumerate(people):
        factories.seat(one, place)
        sit(one, *["03.1.3"] if n < 3 else [])
    outsider = factories.person()
    sit(outsider, "02.1.2")
    waiting = factories.person()
    factories.seat(waiting, place)
    quizzes.begin(waiting.id)
    standard = ledgers.STANDARD
    [theme] = themes.read(themes.find(place.id, standard), standard)
    assert (theme.kuk.code, theme.wrong, theme.people, theme.minutes) == ("03.1.3", 3, 6, 20)
    assert 18 < theme.low < 50 == theme.share < theme.high < 82
    quizzes.sit(people[0].id, quizzes.NOW + 2 * DAY)
    [theme] = themes.read(themes.find(place.id, standard), standard)
    assert (theme.wrong, theme.people) == (2, 6), "the newest sitting counts"


def test_a_wrong_answer_is_shown_when_three_chose_it(
    browser: FlaskClient, place: Cohort, app: Flask
):
    people = [factories.person() for _ in range(6)]
    for one in people:
        factories.seat(one, place)
    refs = [quizzes.begin(one.id) for one in people]
    chosen: Counter[tuple[int, str]] = Counter()
    for ref in refs:
        for position, kuk, _item, version, right in quizzes.drawn(ref):
            letter = "A" if kuk == "03.1.3" else ""
            choice = place_of(ref, position, letter) if letter else right
            if letter and choice != right:
                chosen[version, letter] += 1
            quizzes.answer(ref, position, choice)
        quizzes.hand_in(ref)
    [theme] = themes.read(themes.find(place.id, ledgers.STANDARD), ledgers.STANDARD)
    most = max(chosen.values())
    snapshots.count(place.id, now=clock.now())
    page = browser.get(f"/angkatan/{place.slug}/persiapan").text
    assert "Siapkan 20 menit untuk 03.1.3" in page
    assert "n masih kecil" in page
    if most >= 3:
        assert theme.chosen == most
        assert theme.answer
        assert theme.answer.split()[0] in page
    else:
        assert (theme.answer, theme.chosen) == ("", 0)
        assert "Tidak ada satu jawaban keliru" in page
    assert not any(one.name in page for one in people), "nobody is named"


def place_of(ref, position: int, letter: str) -> int:
    order = db.session.scalars(
        select(AttemptItem.option_order)
        .join(Attempt, Attempt.id == AttemptItem.attempt_id)
        .where(Attempt.public_id == ref.public_id, AttemptItem.position == position)
    ).one()
    return order.index(letter) + 1


def test_themes_are_counted_again_only_after_a_sitting(
    app: Flask, place: Cohort, monkeypatch: pytest.MonkeyPatch
):
    people = [factories.person() for _ in range(6)]
    for one in people[:5]:
        factories.seat(one, place)
        sit(one, "03.1.3")
    calls = []
    find = themes.find
    monkeypatch.setattr(themes, "find", lambda *a: calls.append(a) or find(*a))
    now = clock.now()
    snapshots.count(place.id, now=now)
    snapshots.count(place.id, now=now)
    assert len(calls) == 1
    assert overviews.of([place.id])[place.id].themes[0]["kuk"] == "03.1.3"
    factories.seat(people[5], place)
    sit(people[5])
    snapshots.count(place.id, now=now)
    assert len(calls) == 2


def test_before_the_workshop_the_class_page_says_what_to_prepare(
    browser: FlaskClient, sign_in, app: Flask
):
    ahead = factories.cohort(
        title="Nanti", starts_on=clock.now().date() + 9 * DAY, ends_on=clock.now().date() + 10 * DAY
    )
    trainer = factories.person("trainer")
    factories.staff(trainer, ahead)
    for _ in range(5):
        one = factories.person()
        factories.seat(one, ahead)
        sit(one, "03.1.3")
    own = sign_in(trainer)
    assert "Siapkan untuk tatap muka" not in own.get(f"/angkatan/{ahead.slug}").text
    snapshots.refresh(clock.now())
    page = own.get(f"/angkatan/{ahead.slug}").text
    assert "Siapkan 20 menit untuk 03.1.3" in page
    assert "5 dari 5 menjawab belum tepat" in page


def test_preparation_says_when_it_was_counted(browser: FlaskClient, place: Cohort):
    assert "Sedang dihitung" in browser.get(f"/angkatan/{place.slug}/persiapan").text
    people = [factories.person() for _ in range(5)]
    for one in people:
        factories.seat(one, place)
    snapshots.count(place.id, now=clock.now())
    assert "Belum ada tema" in browser.get(f"/angkatan/{place.slug}/persiapan").text
    for one in people:
        sit(one, "03.1.3")
    snapshots.count(place.id, now=clock.now())
    page = browser.get(f"/angkatan/{place.slug}/persiapan").text
    assert "Siapkan 20 menit untuk 03.1.3" in page
    assert "Dihitung" in page
