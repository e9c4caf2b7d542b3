"""The report an agency hands on: what it says, and what it keeps to itself."""

import csv
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from io import BytesIO, StringIO
from itertools import product

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from lms.accounts.models import Person
from lms.agencies import coverage
from lms.agencies.services import Standing
from lms.cohorts import services as cohorts
from lms.core.clock import ZONES
from lms.core.db import db, unit_of_work
from lms.credentials import schemes
from lms.modules import services as modules
from lms.modules.models import Outcome
from lms.practice.attendance import services as attendance
from lms.reports import agency, agency_pdf, views_agency
from lms.reports.agency import Report
from lms.reports.recap import Figures, OwnClasses
from lms.reports.rules import LEAST, parts_shown
from tests import factories
from tests.agencies.test_views import officer_of, revoke
from tests.credentials.world import NOW, World
from tests.queries import counted

SignIn = Callable[[Person], FlaskClient]
PATH = "/instansi/laporan"
LATER = NOW + timedelta(minutes=5)


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(LATER, tick=False):
        yield


@pytest.fixture
def world(app: Flask) -> World:
    return World()


def grow(world: World, size: int) -> list[Person]:
    """Let the agency of this world have so many people, all in its class."""
    return [world.trainee, *(world.join(f"Orang {n:02}") for n in range(size - 1))]


def attend(world: World) -> None:
    """Note everybody as present in both half days."""
    cohort_id, trainer_id = world.cohort.id, world.trainer.id
    for key in ("1am", "2pm"):
        with unit_of_work():
            here = cohorts.get_cohort_by_id(cohort_id)
            attendance.record(here, key, {}, fill=True, recorder_id=trainer_id, now=NOW)


def learn(people: Sequence[Person], at: datetime) -> None:
    """Let people finish the first lesson."""
    for person_id in [one.id for one in people]:
        with unit_of_work():
            modules.finish("K1", 1, person_id=person_id, outcome=Outcome.DONE, now=at)


def place(world: World, *villages: Sequence[Person]) -> None:
    """Let people serve the first village, the second one, …"""
    by_id = factories.person("agency").id
    served = [[person.public_id for person in people] for people in villages]
    names = ["Anggrek", "Kenanga", "Melati"][: len(served)]
    with unit_of_work():
        coverage.add_villages("Kota Contoh", names, actor_id=by_id, now=NOW)
        known = [one.public_id for one in coverage.list_villages("Kota Contoh")]
        for public_id in {one for people in served for one in people}:
            chosen = [key for key, people in zip(known, served, strict=True) if public_id in people]
            placed = coverage.get_placed([world.agency], public_id)
            coverage.set_areas(placed, chosen, officer_id=by_id)


def read(world: World, year: int | None = None, now: datetime = LATER) -> Report:
    return agency.read(world.agency, year=year, now=now, zone=ZONES["WIB"])


def words(text: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


def rows(browser: FlaskClient, query: str = "") -> list[list[str]]:
    text = browser.get(f"{PATH}.csv{query}").text.removeprefix("\ufeff")
    return list(csv.reader(StringIO(text), delimiter=";"))


# What is said


def test_a_report_with_figures_that_may_all_be_shown(world: World, sign_in: SignIn):
    people = grow(world, 12)
    for one in people[:6]:
        world.certified(one)
    attend(world)
    learn(people[:5], NOW)
    place(world, people[:7], people[2:9], [])
    officer = officer_of(world.agency)
    browser = sign_in(officer)
    [_head, *found] = rows(browser)
    training, label = "Pelatihan 2026", f"{world.cohort.title}, Kota Contoh, 2026-03-20"
    assert found == [
        ["Instansi", "Puskesmas Kenanga", "Keadaan pada", "1 April 2026"],
        ["Instansi", "Puskesmas Kenanga", "Pendamping", "12"],
        ["Tingkat", "Asesmen Risiko", "Berlaku", "6"],
        ["Tingkat", "Asesmen Risiko", "Habis dalam 90 hari", "0"],
        ["Tingkat", "Asesmen Risiko", "Habis dalam 30 hari", "0"],
        ["Tingkat", "Asesmen Risiko", "Habis", "0"],
        ["Tingkat", "Asesmen Risiko", "Dicabut", "0"],
        ["Tingkat", "Asesmen Risiko", "Belum ada", "6"],
        ["Kelurahan", "Anggrek", "Pendamping", "disembunyikan"],
        ["Kelurahan", "Kenanga", "Pendamping", "disembunyikan"],
        ["Kelurahan", "Melati", "Pendamping", "0"],
        ["Kelurahan", "Belum punya kelurahan", "Pendamping", "disembunyikan"],
        [training, "Daring", "Orang", "5"],
        [training, "Daring", "JP", "5"],
        [training, label, "Orang", "12"],
        [training, label, "JP", "72"],
        [training, label, "Rata-rata kehadiran (persen)", "100.0"],
        [training, label, "Sertifikat", "6"],
        [training, "Semua kelas", "Orang", "12"],
        [training, "Semua kelas", "JP", "72"],
        [training, "Semua kelas", "Rata-rata kehadiran (persen)", "100.0"],
        [training, "Semua kelas", "Sertifikat", "6"],
    ]
    book = CalamineWorkbook.from_filelike(BytesIO(browser.get(f"{PATH}.xlsx").data))
    sheet = book.get_sheet_by_index(0).to_python()
    assert [[str(cell).removesuffix(".0") for cell in row] for row in sheet[1:]] == [
        [cell.removesuffix(".0") for cell in row] for row in found
    ]
    shown = words(browser.get(PATH).text)
    assert "12 pendamping menurut tingkat dan status" in shown
    assert "Asesmen Risiko 6 0 0 0 0 6" in shown
    assert "Anggrek tersembunyi" in shown
    assert "Semua kelas 12 72 100% 6" in shown
    assert "Pelajaran daring: 5 orang, 5 JP." in shown
    assert not [name for name in ("Rahma", "Orang 0") if name in browser.get(PATH).text]


def test_what_would_speak_of_few_is_kept_back(world: World, sign_in: SignIn):
    people = grow(world, 12)
    for one in people[:3]:
        world.certified(one)
    learn(people[:9], NOW)
    found = read(world)
    [level] = found.levels
    assert level.cells == {
        Standing.VALID: None,
        Standing.SOON: 0,
        Standing.NEAR: 0,
        Standing.EXPIRED: 0,
        Standing.REVOKED: 0,
        Standing.NONE: None,
    }
    assert level.hidden(12) == 12
    assert (found.online.people, found.online.jp) == (None, None), "three did not learn"
    assert found.own is not None
    assert found.own.whole.people == 12
    assert found.own.whole.papers is None
    browser = sign_in(officer_of(world.agency))
    text = browser.get(PATH).text
    assert "Asesmen Risiko tersembunyi 0 0 0 0 tersembunyi" in words(text)
    assert "kelompok di bawah lima orang, bersama kelompok terkecil berikutnya" in text
    assert 'class="stand-hidden"' in text
    assert 'rect class="stand-valid"' not in text
    assert "Pelajaran daring: tersembunyi" in text
    kept = [row for row in rows(browser) if row[3] == "disembunyikan"]
    assert [row[2] for row in kept] == [
        "Berlaku", "Belum ada", "Orang", "JP", "Sertifikat", "Sertifikat",
    ]  # fmt: skip


def test_where_all_are_few_nothing_is_said(world: World, sign_in: SignIn):
    people = grow(world, 6)
    for one in people[:3]:
        world.certified(one)
    place(world, people[:2], people[2:4], [])
    found = read(world)
    [level] = found.levels
    assert set(level.cells.values()) == {None}, "which are empty is not said either"
    assert found.villages == (("Anggrek", None), ("Kenanga", None), ("Melati", None))
    assert found.unplaced is None
    shown = words(sign_in(officer_of(world.agency)).get(PATH).text)
    assert "Asesmen Risiko tersembunyi tersembunyi tersembunyi" in shown


def test_a_level_that_was_held_is_there_and_one_that_was_not_is_not(world: World):
    people = grow(world, 6)
    assert read(world).levels == ()
    code = world.certified(people[0]).code
    assert [level.scheme.code for level in read(world).levels] == ["K1"]
    revoke(code)
    assert [level.scheme.code for level in read(world).levels] == ["K1"]


@pytest.mark.parametrize(
    ("size", "says", "people"),
    [(1, "Belum dapat dilaporkan", None), (LEAST - 1, "Belum dapat dilaporkan", None),
     (LEAST, "5 pendamping menurut tingkat", LEAST)],
)  # fmt: skip
def test_under_five_people_there_is_no_report(
    world: World, sign_in: SignIn, size: int, says: str, people: int | None
):
    grow(world, size)
    assert read(world).people == people
    browser = sign_in(officer_of(world.agency))
    assert says in words(browser.get(PATH).text)
    found = rows(browser)
    if people is None:
        assert found[2][3] == "disembunyikan"
        assert len(found) == 3
        assert browser.get(f"{PATH}.xlsx").status_code == 200
    else:
        assert found[2][3] == "5"


def test_an_agency_without_people_is_told_where_they_come_from(app: Flask, sign_in: SignIn):
    browser = sign_in(officer_of(factories.organisation()))
    shown = words(browser.get(PATH).text)
    assert "Belum ada pendamping" in shown
    assert "Unduh" not in shown


def test_training_is_that_of_one_year(world: World, sign_in: SignIn):
    people = grow(world, 10)
    old = factories.cohort(world.host, starts_on=date(2025, 5, 1), ends_on=date(2025, 5, 2))
    future = factories.cohort(world.host, starts_on=date(2026, 9, 1), ends_on=date(2026, 9, 2))
    for one in people[:6]:
        factories.seat(one, old, world.agency)
        factories.seat(one, future, world.agency)
    for _ in range(7):
        factories.seat(factories.person(), old)
    learn(people[:5], datetime(2025, 12, 31, 16, 59, tzinfo=UTC))  # 23.59 WIB
    found = read(world, 2025)
    assert found.own is not None
    assert [one.slug for one in found.own.classes] == [old.slug]
    assert found.own.whole.people == 6, "of this agency only"
    assert (found.own.years, found.online.people) == ((2026, 2025), 5)
    now = read(world)
    assert now.own is not None
    assert [one.slug for one in now.own.classes] == [world.cohort.slug], "begun, this year"
    assert now.online.people == 0
    for unknown in (2024, 9999):
        assert read(world, unknown) == now
    browser = sign_in(officer_of(world.agency))
    shown = words(browser.get(f"{PATH}?tahun=2025").text)
    assert "Pelatihan 2025" in shown
    for typed in ("dua", "²⁰²⁵", "20250", "-2025"):
        assert "Pelatihan 2026" in browser.get(f"{PATH}?tahun={typed}").text
    assert ["Pelatihan 2025", "Daring", "Orang", "5"] in rows(browser, "?tahun=2025")


def test_a_year_without_classes(world: World, sign_in: SignIn):
    grow(world, 6)
    with time_machine.travel(NOW + timedelta(days=300), tick=False):
        browser = sign_in(officer_of(world.agency))
        shown = words(browser.get(PATH).text)
        found = rows(browser)
    assert "Pelatihan 2027" in shown
    assert "Tidak ada orang Anda di kelas tahun ini." in shown
    assert "Semua kelas" not in {row[1] for row in found}


# The paper


def paper(browser: FlaskClient, query: str = "") -> list[str]:
    """Return the lines of the report as a paper, page after page."""
    answer = browser.get(f"{PATH}.pdf{query}")
    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    return lines_of(answer.data)


def lines_of(body: bytes) -> list[str]:
    return [
        " ".join(line.split())
        for page in PdfReader(BytesIO(body)).pages
        for line in page.extract_text(extraction_mode="layout").splitlines()
        if line.strip()
    ]


def cells_of(lines: Sequence[str], name: str) -> list[str]:
    """Return the figures of the row of this name."""
    [row] = [line for line in lines if line.startswith(f"{name} ")]
    return row.removeprefix(f"{name} ").split()


def test_the_paper_says_what_the_page_says(world: World, sign_in: SignIn):
    people = grow(world, 12)
    for one in people[:6]:
        world.certified(one)
    attend(world)
    learn(people[:5], NOW)
    place(world, people[:7], people[2:9], [])
    browser = sign_in(officer_of(world.agency))
    said = paper(browser)
    text = " ".join(said)
    assert "LAPORAN INSTANSI" in text
    assert "Puskesmas Kenanga" in text
    assert "Keadaan pada 1 April 2026" in text
    assert "Pendamping 12" in said
    assert cells_of(said, "Asesmen Risiko") == ["6", "0", "0", "0", "0", "6"]
    assert cells_of(said, "Anggrek") == ["tersembunyi"]
    assert cells_of(said, "Melati") == ["0"]
    assert cells_of(said, "Semua kelas") == ["12", "72", "100%", "6"]
    assert "Pelajaran daring: 5 orang, 5 JP." in text
    assert "“Tersembunyi”: kelompok di bawah lima orang" in text
    assert "Halaman 1 dari 1 · dicetak 1 April 2026" in text
    assert not [name for name in ("Rahma", "Orang 0") if name in text]
    assert f'href="{PATH}.pdf?unit=' in browser.get(PATH).text
    title = PdfReader(BytesIO(browser.get(f"{PATH}.pdf").data)).metadata
    assert title is not None
    assert title.title == "Laporan instansi – Puskesmas Kenanga"


def test_the_paper_hides_what_the_page_hides(world: World, sign_in: SignIn):
    people = grow(world, 12)
    for one in people[:3]:
        world.certified(one)
    learn(people[:9], NOW)
    browser = sign_in(officer_of(world.agency))
    said = paper(browser)
    shown = words(browser.get(PATH).text)
    assert cells_of(said, "Asesmen Risiko") == ["tersembunyi", "0", "0", "0", "0", "tersembunyi"]
    assert "Asesmen Risiko tersembunyi 0 0 0 0 tersembunyi" in shown
    [whole] = re.findall(r"Semua kelas (\S+ \S+ \S+ \S+)", shown)
    assert cells_of(said, "Semua kelas") == whole.split()
    assert "Pelajaran daring: tersembunyi" in " ".join(said)


@pytest.mark.parametrize("whole", [5, 7, 12])
def test_who_reads_the_paper_learns_no_hidden_part(app: Flask, whole: int):
    """Drawn for every way six standings can share a whole that a reader knows from the paper."""
    level = schemes.list_schemes()[0]
    ways = [
        counts
        for counts in product((0, 1, 3, 5, 6, 9), repeat=6)
        if sum(counts) == whole and sorted(counts) == list(counts)
    ]
    assert len(ways) > 1
    seen: dict[tuple[str, ...], list[tuple[int, ...]]] = defaultdict(list)
    for counts in ways:
        cells = dict(zip(Standing, parts_shown(counts), strict=True))
        found = Report(
            people=whole,
            levels=(agency.LevelLine(level, cells),),
            own=OwnClasses((), Figures(None, None, None, None), 2026, (2026,)),
        )
        with app.test_request_context():
            body = agency_pdf.draw("X", "Y", found, as_of="hari ini", printed="tadi")
        said = lines_of(body)
        assert f"Pendamping {whole}" in said
        row = cells_of(said, "Asesmen Risiko")
        assert row == ["tersembunyi" if one is None else str(one) for one in cells.values()]
        hidden = [n for n, one in enumerate(row) if one == "tersembunyi"]
        rest = whole - sum(int(one) for one in row if one != "tersembunyi")
        assert len(hidden) != 1, "the whole gives it away"
        assert rest == 0 or rest >= LEAST, "together they are few"
        assert not [one for one in row if one in {"1", "2", "3", "4"}]
        seen[tuple(row)].append(counts)
    assert len(seen) > 1


def test_the_paper_of_few_or_none_says_so(world: World, sign_in: SignIn):
    grow(world, LEAST - 1)
    said = " ".join(paper(sign_in(officer_of(world.agency))))
    assert "Belum dapat dilaporkan" in said
    assert "Pendamping tersembunyi" in said
    empty = " ".join(paper(sign_in(officer_of(factories.organisation("Kosong")))))
    assert "Belum ada pendamping" in empty
    assert "Pendamping 0" in empty
    for text in (said, empty):
        assert "Halaman 1 dari 1" in text
        assert "Tingkat" not in text


def test_a_paper_of_many_pages_and_strange_names(world: World, sign_in: SignIn):
    people = grow(world, 6)
    by_id, city = people[0].id, world.agency.city
    names = [f"Kelurahan <b>{n:03}</b> & para Tetangga" for n in range(130)]
    with unit_of_work():
        coverage.add_villages(city, names, actor_id=by_id, now=NOW)
    browser = sign_in(officer_of(world.agency))
    said = paper(browser)
    text = " ".join(said)
    assert all(f"Kelurahan <b>{n:03}</b> & para Tetangga" in text for n in range(130))
    pages = [line for line in said if "dicetak" in line]
    assert len(pages) > 2
    assert f"Halaman {len(pages)} dari {len(pages)}" in pages[-1]
    assert sum(line == "Kelurahan Pendamping" for line in said) > 2  # on each page of the table
    with time_machine.travel(datetime(2027, 2, 1, tzinfo=UTC), tick=False):
        browser = sign_in(officer_of(world.agency))
        later = " ".join(paper(browser))
        assert "Pelatihan 2027" in later
        assert "Tidak ada orang Anda di kelas tahun ini." in later
        earlier = " ".join(paper(browser, "?tahun=2026"))
        assert "Pelatihan 2026" in earlier
        assert world.cohort.title in earlier


# Who may


def test_one_of_several_agencies_and_no_other(world: World, sign_in: SignIn):
    grow(world, 7)
    second, foreign = factories.organisation("Zaman Baru"), factories.organisation("Asing")
    browser = sign_in(officer_of(world.agency, second))
    ids = {one.name: one.public_id for one in (world.agency, second, foreign)}
    assert "7 pendamping" in browser.get(PATH).text
    assert "Belum ada pendamping" in browser.get(f"{PATH}?unit={ids['Zaman Baru']}").text
    for ending in ("", ".csv", ".xlsx", ".pdf"):
        assert browser.get(f"{PATH}{ending}?unit={ids['Asing']}").status_code == 404
        assert browser.get(f"{PATH}{ending}?unit={ids['Zaman Baru']}").status_code == 200
        assert sign_in(factories.person("trainee")).get(f"{PATH}{ending}").status_code == 403
        assert sign_in(factories.person("agency")).get(f"{PATH}{ending}").status_code == 403


def test_villages_by_page(world: World, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(views_agency, "PAGE", 2)
    place(world, grow(world, 6), [], [])
    browser = sign_in(officer_of(world.agency))
    first, second = (words(browser.get(f"{PATH}?hal={n}").text) for n in (1, 2))
    assert "Anggrek 6 Kenanga 0" in first
    assert "Belum punya kelurahan" not in first
    assert "Melati 0 Belum punya kelurahan 0" in second
    assert "Halaman 2 dari 2" in second
    assert browser.get(f"{PATH}?hal=3").status_code == 404
    assert browser.get(f"{PATH}?hal=x").status_code == 200
    assert len([row for row in rows(browser) if row[0] == "Kelurahan"]) == 4


@pytest.mark.both
def test_queries_do_not_grow(world: World):
    people = grow(world, 6)
    place(world, people)
    world.certified(people[1])
    attend(world)
    learn(people, NOW)
    organisation = world.agency

    def cost() -> int:
        db.session.refresh(organisation)
        with counted() as sent:
            agency.read(organisation, year=None, now=LATER, zone=ZONES["WIB"])
        return len(sent)

    before = cost()
    more = [world.join(f"Tambahan {n}") for n in range(6)]
    world.certified(more[0])
    other = factories.cohort(world.host, starts_on=date(2026, 2, 1), ends_on=date(2026, 2, 2))
    for one in more:
        factories.seat(one, other, organisation)
    assert cost() == before
    found = read(world)
    assert found.people == 12
    assert found.own is not None
    assert [one.figures.people for one in found.own.classes] == [12, 6]
    assert found.villages == (("Anggrek", 6),)


# What can be worked out


def looks(whole: int, parts: int) -> dict[tuple[int | None, ...], list[tuple[int, ...]]]:
    """Return every way in which a whole may fall into parts, by what a reader sees of it."""
    seen: dict[tuple[int | None, ...], list[tuple[int, ...]]] = defaultdict(list)
    for counts in product(range(whole + 1), repeat=parts):
        if sum(counts) == whole:
            seen[parts_shown(counts)].append(counts)
    return seen


@pytest.mark.parametrize(
    ("whole", "parts"), [(5, 2), (8, 2), (13, 2), (12, 3), (5, 4), (9, 4), (13, 4), (5, 5), (9, 5)]
)
def test_who_knows_the_whole_learns_no_hidden_part(whole: int, parts: int):
    """Every report that looks the same is tried: no hidden part is known, nor known to be small."""
    for shown, possible in looks(whole, parts).items():
        for n, cell in enumerate(shown):
            values = {counts[n] for counts in possible}
            if cell is None:
                assert len(values) > 1, (shown, possible)
                assert max(values) >= LEAST or whole < LEAST + parts - 1, (shown, possible)
            else:
                assert values == {cell}
                assert not 0 < cell < LEAST


@pytest.mark.parametrize(
    ("counts", "shown"),
    [
        ([1, 1, 1, 1, 1], (None,) * 5),  # the only way, were it known that none is empty
        ([4, 4, 0], (None, None, None)),
        ([4, 6, 0], (None, None, 0)),
        ([7, 5, 0], (7, 5, 0)),
        ([0, 0], (0, 0)),
    ],
)
def test_parts_that_may_be_shown(counts: list[int], shown: tuple[int | None, ...]):
    assert parts_shown(counts) == shown
