"""After a class: the recap, its files, the report over all classes, and what is hidden."""

import csv
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import BytesIO, StringIO
from itertools import product
from math import sqrt
from statistics import mean, stdev

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from lms.accounts.models import Person
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, OrganisationKind, Part
from lms.competency import baselines
from lms.competency import services as competency
from lms.competency.models import Baseline
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.i18n import speaking
from lms.core.login import Viewer
from lms.practice.attendance import services as attendance
from lms.practice.attendance.services import Entry
from lms.reports import recap, recap_pdf
from lms.reports.recap import Filter
from lms.reports.rules import (
    LEAST,
    Tally,
    hide_small,
    paired_gain,
    t_quantile,
    tally,
)
from tests import factories
from tests.queries import counted

SignIn = Callable[[Person], FlaskClient]
AFTER = datetime(2026, 3, 25, 3, 0, tzinfo=UTC)
BEFORE = datetime(2026, 3, 10, 3, 0, tzinfo=UTC)

# Rules


def readings(counts: list[int]) -> list[list[int]]:
    """Return all counts for which a report would show just what it shows for these.

    So much somebody can work out who knows the rule as well as we do.
    """
    shown = hide_small(counts)
    hidden = [n for n, cell in enumerate(shown.cells) if cell is None]
    whole = sum(counts[n] for n in hidden)
    found = []
    for guess in product(range(1, max(whole, LEAST) + 2), repeat=len(hidden)):
        read = list(counts)
        for n, value in zip(hidden, guess, strict=True):
            read[n] = value
        if hide_small(read) == shown:
            found.append(read)
    return found


@settings(max_examples=60)
@given(st.lists(st.integers(0, 7), max_size=4))
def test_nobody_works_out_a_small_count(counts: list[int]):
    """Every report that looks the same is tried: no hidden count is known, nor known to be small.

    Where even the total is hidden all groups are small, and that much can be read.
    """
    found = hide_small(counts)
    for n, cell in enumerate(found.cells):
        assert cell in (None, counts[n])
        assert cell is None or cell == 0 or cell >= LEAST
    hidden = [n for n, cell in enumerate(found.cells) if cell is None]
    possible = readings(counts) if len(hidden) < 4 else []
    for n in hidden if possible else ():
        values = {read[n] for read in possible}
        assert len(values) > 1
        assert found.total is None or max(values) >= LEAST
    assert hidden or found.total == sum(counts)


@pytest.mark.parametrize(
    ("counts", "cells", "total"),
    [
        ([], (), 0),
        ([0, 0], (0, 0), 0),
        ([5, 8], (5, 8), 13),
        ([3, 7, 9, 0], (None, None, 9, 0), 19),
        ([4, 4, 20], (None, None, None), 28),
        ([5, 5, 1, 6], (None, None, None, 6), 17),  # or the place would tell which is 1
        ([5, 4, 4], (None, None, None), 13),  # or 4 and 4 would be the only way
        ([1, 1, 20, 8], (None, None, 20, None), 30),
        ([2], (None,), None),
        ([1, 1], (None, None), None),
        ([1, 3, 0], (None, None, 0), None),
    ],
)
def test_small_counts_go_with_the_smallest_other(counts, cells, total):
    found = hide_small(counts)
    assert (found.cells, found.total) == (cells, total)


@pytest.mark.parametrize(
    ("freedom", "expected"),
    [(1, 12.706), (4, 2.776), (9, 2.262), (10, 2.228), (14, 2.145), (24, 2.064), (60, 2.000),
     (120, 1.980), (10_000, 1.960)],
)  # fmt: skip
def test_students_t_is_that_of_the_tables(freedom: int, expected: float):
    assert t_quantile(freedom) == pytest.approx(expected, abs=0.0006)


def test_the_interval_is_that_of_a_worked_example():
    """Differences 2, 4, 6, 8: mean 5, s = 2.582, t(3) = 3.182."""
    found = paired_gain([(10, 12), (10, 14), (None, 50), (0, 6), (3, 11)])
    assert found is not None
    assert (found.pairs, found.mean, found.is_small) == (4, 5.0, True)
    assert found.low == pytest.approx(5 - 3.182 * 2.58199 / 2, abs=1e-3)
    assert found.high == pytest.approx(5 + 3.182 * 2.58199 / 2, abs=1e-3)


@given(st.lists(st.tuples(st.integers(0, 84), st.integers(0, 84)), min_size=2, max_size=60))
def test_the_interval_agrees_with_the_textbook(pairs: list[tuple[int, int]]):
    found = paired_gain(pairs)
    differences = [after - before for before, after in pairs]
    assert found is not None
    half = t_quantile(len(pairs) - 1) * stdev(differences) / sqrt(len(pairs))
    assert found.mean == pytest.approx(mean(differences))
    assert found.low == pytest.approx(mean(differences) - half)
    assert found.high == pytest.approx(mean(differences) + half)


@pytest.mark.parametrize(
    ("value", "indonesian", "english"),
    [(2.44, "+2,4", "+2.4"), (-0.5, "−0,5", "−0.5"), (0.0, "+0,0", "+0.0"),
     (12.96, "+13,0", "+13.0")],
)  # fmt: skip
def test_a_gain_is_written_as_the_reader_writes_numbers(
    app: Flask, value: float, indonesian: str, english: str
):
    with app.test_request_context():
        assert recap_pdf.signed(value) == indonesian
        with speaking("en"):
            assert recap_pdf.signed(value) == english


def test_without_a_before_there_is_no_gain_and_one_pair_has_no_interval():
    assert paired_gain([]) is None
    assert paired_gain([(None, 5)]) is None
    found = paired_gain([(None, 5), (3, 9)])
    assert found is not None
    assert (found.mean, found.low, found.high) == (6, None, None)


def test_only_half_days_that_count_give_their_hours():
    hours = {(1, "am"): 2, (1, "pm"): 4, (2, "am"): 4, (2, "pm"): 4, (3, "am"): 1}
    noted = {
        (1, "am"): "present", (1, "pm"): "late", (2, "am"): "partial", (2, "pm"): "made_up",
        (9, "am"): "present",
    }  # fmt: skip
    found = tally(hours, noted)
    assert found == Tally(present=1, late=1, partial=1, made_up=1, absent=0, unknown=1, jp=10)
    assert (found.counted, found.halves) == (3, 5)


# A class


class Class:
    """Three people of two agencies: one was there, one for a part, one was never noted."""

    def __init__(self, **overrides: object) -> None:
        self.cohort = factories.cohort(timetable=TIMETABLE, **overrides)
        self.trainer = factories.person("trainer")
        factories.staff(self.trainer, self.cohort, Part.TRAINER)
        health = factories.organisation(kind=OrganisationKind.PUSKESMAS)
        police = factories.organisation(kind=OrganisationKind.POLSEK)
        self.people = [factories.person(name=f"Peserta {n}") for n in range(3)]
        for someone, sender in zip(self.people, (health, police, health), strict=True):
            factories.seat(someone, self.cohort, sender)
        one, two, _three = (person.public_id for person in self.people)
        self.note("1am", {one: Entry("present", ""), two: Entry("partial", "", 45)})
        self.note("2pm", {one: Entry("late", ""), two: Entry("absent", "")})

    def note(self, key: str, entries: dict[str, Entry]) -> None:
        cohort_id, trainer_id = self.cohort.id, self.trainer.id
        with unit_of_work():
            cohort = db.session.get_one(Cohort, cohort_id)
            attendance.record(cohort, key, entries, fill=False, recorder_id=trainer_id, now=AFTER)


TIMETABLE = [
    cohorts.Timetabled(day=1, half="am", position=1, title="Buka", title_en="Opening", jp=0),
    cohorts.Timetabled(
        day=1, half="am", position=2, title="Lokakarya", title_en="Workshop", jp=2,
        lesson_code="K1.T",
    ),
    cohorts.Timetabled(day=2, half="pm", position=1, title="Uji", title_en="Test", jp=4),
]  # fmt: skip


@pytest.mark.both
def test_the_recap_counts_people_hours_and_agencies(app: Flask):
    here = Class()
    found = recap.summary(here.cohort)
    assert found.hours == {(1, "am"): 2, (2, "pm"): 4}
    whole = found.whole
    assert (whole.people, whole.counted, whole.jp, whole.papers) == (3, 2, 6, 0)
    assert whole.share == pytest.approx(100 * 2 / 6)
    kinds = {group.kind: (group.people, group.jp, group.share) for group in found.kinds}
    assert kinds == {
        OrganisationKind.PUSKESMAS: (2, 6, 50.0),
        OrganisationKind.POLSEK: (1, 0, 0.0),
    }
    lines = recap.page(here.cohort, 1, now=AFTER)
    assert [line.tally.jp for line in lines] == [6, 0, 0]
    assert [line.tally.unknown for line in lines] == [0, 0, 2]
    assert lines[1].tally == Tally(partial=1, absent=1)
    with pytest.raises(NotFound):
        recap.page(here.cohort, 2, now=AFTER)


def test_a_correction_and_a_note_taken_back_are_counted_as_they_stand(app: Flask):
    here = Class()
    one = here.people[0].public_id
    here.note("1am", {one: Entry("absent", "present")})
    assert recap.summary(here.cohort).whole.jp == 4
    with unit_of_work():
        cohort = db.session.get_one(Cohort, here.cohort.id)
        attendance.undo(cohort, "2pm", one, recorder_id=here.trainer.id, now=AFTER)
    found = recap.summary(here.cohort).whole
    assert (found.jp, found.counted) == (0, 0)
    [line, *_rest] = recap.page(here.cohort, 1, now=AFTER)
    assert (line.tally.absent, line.tally.unknown) == (1, 1)


def reach(person: Person, kuk: str, at: datetime, mark: int = 2) -> None:
    """Let a written case be marked that alone decides on a criterion."""
    factories.evidence(person, "SK", kuk, "SK1", f"tugas-{kuk}-{mark}", at=at, mark=mark)


def written() -> list[str]:
    """Return a companion's criteria for which a written case is enough."""
    kuk = competency.current().standard.kuk.values()
    return [
        one.code
        for one in kuk
        if {kind.value for kind in one.ev} == {"SK"} and one.curriculum != "T"
    ]


@pytest.mark.both
def test_the_gain_is_from_the_first_moment_of_the_class_by_its_own_clock(app: Flask):
    here = Class(zone="WIT")
    codes = written()
    first = datetime(2026, 3, 19, 15, 0, tzinfo=UTC)  # midnight in WIT
    one, two, three = here.people
    assert recap.began(here.cohort) == first
    assert len(codes) >= 2, "the standard has criteria of a written case alone"
    reach(one, codes[0], first - timedelta(seconds=1))
    reach(one, codes[1], first)
    reach(two, codes[0], BEFORE, mark=0)
    reach(two, codes[0], AFTER - timedelta(days=1))
    reach(two, codes[1], AFTER - timedelta(days=1))
    reach(three, codes[0], AFTER - timedelta(days=1))
    lines = recap.page(here.cohort, 1, now=AFTER)
    assert [(line.before, line.after, line.gain) for line in lines] == [
        (1, 2, 1), (0, 2, 2), (None, 1, None),
    ]  # fmt: skip
    found = recap.class_gain(here.cohort, now=AFTER)
    assert found.gain is not None
    assert (found.gain.pairs, found.gain.mean, found.without, found.pending) == (2, 1.5, 1, 0)
    early = recap.class_gain(here.cohort, now=first - timedelta(days=1))
    assert (early.gain, early.without) == (None, 0)


@pytest.mark.both
def test_stored_baselines_say_what_the_ledger_says_and_notice_a_change(app: Flask):
    here = Class()
    codes = written()
    one, two, _three = here.people
    reach(one, codes[0], BEFORE)
    before = [line.before for line in recap.page(here.cohort, 1, now=AFTER)]
    assert before == [1, None, None]
    assert recap.refresh_baselines(AFTER) == 3
    assert recap.refresh_baselines(AFTER) == 0, "nothing is left to do"
    with counted() as seen:
        assert [line.before for line in recap.page(here.cohort, 1, now=AFTER)] == before
    stored = len(seen)
    reach(one, codes[1], BEFORE)  # known only now
    reach(two, codes[0], AFTER)
    with counted() as seen:
        found = [line.before for line in recap.page(here.cohort, 1, now=AFTER)]
    assert found == [2, None, None]
    assert len(seen) >= stored, "who is behind is judged from the ledger"
    assert recap.refresh_baselines(AFTER) == 2
    assert db.session.get_one(Baseline, (here.cohort.id, one.id)).reached == 2
    rows = competency.rows_of_one(one.id, competency.current())
    wrong = next(row.id for row in rows if row.kuk == codes[0])
    with unit_of_work():
        competency.void(wrong, reason="keliru", by_id=None, now=AFTER)
    known = baselines.of(here.cohort.id, recap.began(here.cohort), [one.id], competency.current())
    assert known == {one.id: 1}


def test_a_class_to_come_has_no_baselines(app: Flask):
    Class(starts_on=date(2026, 5, 1), ends_on=date(2026, 5, 2))
    assert recap.refresh_baselines(AFTER) == 0


@pytest.mark.parametrize(("zone", "hour"), [("WIB", 17), ("WITA", 16), ("WIT", 15)])
def test_a_class_begins_at_its_own_midnight(app: Flask, zone: str, hour: int):
    here = Class(starts_on=date(2026, 5, 1), ends_on=date(2026, 5, 2), zone=zone)
    begins = datetime(2026, 4, 30, hour, tzinfo=UTC)  # the day before, in Greenwich
    assert recap.refresh_baselines(begins - timedelta(seconds=1)) == 0
    assert recap.refresh_baselines(begins) == len(here.people)


# Files


def status(browser: FlaskClient, address: str) -> int:
    """Return how an address answers; a file that is sent is closed as a server closes it."""
    with browser.get(address) as answer:
        return answer.status_code


def read(browser: FlaskClient, address: str) -> bytes:
    """Return what an address answers."""
    with browser.get(address) as answer:
        return answer.data


def where(here: Class, ending: str = "") -> str:
    return f"/angkatan/{here.cohort.slug}/rekap{ending}"


@time_machine.travel(AFTER, tick=False)
def test_the_page_shows_figures_and_everybody(app: Flask, sign_in: SignIn):
    here = Class()
    page = sign_in(here.trainer).get(where(here)).text
    for text in ("33%", "Peserta 0", "2/2", "1 terlambat", "1 sebagian", "2 belum dicatat"):
        assert text in page
    assert "belum ada bukti dari sebelum kelas" in page


@time_machine.travel(AFTER, tick=False)
def test_csv_and_workbook_say_the_same(app: Flask, sign_in: SignIn):
    here = Class()
    odd = factories.person(name="=HYPERLINK(1)")
    factories.seat(odd, here.cohort)
    browser = sign_in(here.trainer)
    with browser.get(where(here, ".csv"), buffered=False) as unread:
        assert unread.is_streamed
    answer = browser.get(where(here, ".csv"))
    text = answer.data.decode("utf-8-sig")
    rows = list(csv.reader(StringIO(text), delimiter=";"))
    assert [row[0] for row in rows] == [
        "Nama",
        "'=HYPERLINK(1)",
        *(f"Peserta {n}" for n in range(3)),
    ]
    by_name = {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[1:]}
    assert by_name["Peserta 0"]["JP tatap muka"] == "6"
    assert by_name["Peserta 0"]["Terlambat"] == "1"
    assert by_name["Peserta 1"]["Sebagian"] == "1"
    book = CalamineWorkbook.from_filelike(BytesIO(read(browser, where(here, ".xlsx"))))
    sheet = book.get_sheet_by_index(0).to_python()
    assert [row[0] for row in sheet][1] == "=HYPERLINK(1)"  # text, not a formula
    assert [str(row[9]).removesuffix(".0") for row in sheet[2:]] == ["6", "0", "0"]


@time_machine.travel(AFTER, tick=False)
def test_the_report_has_what_an_office_files(app: Flask, sign_in: SignIn):
    here = Class(signatory_number="19700101 199001 1 001")
    for n in range(60):
        factories.seat(factories.person(name=f"Tambahan {n:02d}"), here.cohort)
    browser = sign_in(here.trainer)
    answer = browser.get(where(here, ".pdf"), query_string={"dasar": "DPA 1.02/2026\nkedua"})
    assert answer.mimetype == "application/pdf"
    reader = PdfReader(BytesIO(answer.data))
    pages = [" ".join(page.extract_text().split()) for page in reader.pages]
    assert len(pages) >= 3
    assert [round(float(n)) for n in reader.pages[0].mediabox[2:]] == [595, 842]
    head, whole = pages[0], " ".join(pages)
    for text in (
        "PEMERINTAH KOTA CONTOH", "LAPORAN PELAKSANAAN PELATIHAN", "DPA 1.02/2026 kedua",
        "Aula Dinas, Kota Contoh", "20 Maret 2026 – 21 Maret 2026", "6 JP tatap muka",
    ):  # fmt: skip
        assert text in head
    for n in range(60):
        assert whole.count(f"Tambahan {n:02d}") == 1
    assert "Kota Contoh, 25 Maret 2026" in whole
    assert "Nama Contoh" in pages[-1]
    assert "19700101 199001 1 001" in pages[-1]
    for number, page in enumerate(pages, 1):
        assert f"Halaman {number} dari {len(pages)}" in page
    plain = browser.get(where(here, ".pdf")).data
    assert "....." in PdfReader(BytesIO(plain)).pages[0].extract_text()


@pytest.mark.parametrize("ending", ["", ".csv", ".xlsx", ".pdf"])
def test_only_trainers_of_the_class_and_administrators_read_it(
    app: Flask, sign_in: SignIn, ending: str
):
    here = Class()
    address = where(here, ending)
    assert status(sign_in(here.trainer), address) == 200
    assert status(sign_in(factories.person("admin")), address) == 200
    assert status(sign_in(factories.person("trainer")), address) == 404
    speaker = factories.person("trainer")
    factories.staff(speaker, here.cohort, Part.SPEAKER)
    assert status(sign_in(speaker), address) == 404
    assert status(sign_in(here.people[0]), address) == 403


def test_an_empty_class_and_a_page_that_is_none(app: Flask, sign_in: SignIn):
    cohort = factories.cohort(timetable=[])
    browser = sign_in(factories.person("admin"))
    assert "Belum ada peserta" in browser.get(f"/angkatan/{cohort.slug}/rekap").text
    for ending in (".csv", ".xlsx", ".pdf"):
        assert status(browser, f"/angkatan/{cohort.slug}/rekap{ending}") == 200
    for number in ("0", "2", "x"):
        assert browser.get(f"/angkatan/{cohort.slug}/rekap?hal={number}").status_code == 404


# All classes


def viewer(person: Person, role: str) -> Viewer:
    return Viewer(person.id, person.public_id, person.name, frozenset([role]), "id", "")


@pytest.mark.both
def test_the_report_over_all_classes_adds_up_and_knows_whose_it_is(app: Flask):
    one = Class()
    two = Class(
        city="Kota Lain", starts_on=date(2025, 3, 20), ends_on=date(2025, 3, 21)
    )  # fmt: skip
    admin = viewer(factories.person("admin"), "admin")
    found = recap.overview(admin, Filter())
    assert [line.slug for line in found.classes] == [one.cohort.slug, two.cohort.slug]
    assert found.years == (2026, 2025)
    assert found.cities == ("Kota Contoh", "Kota Lain")
    assert (found.whole.people, found.whole.jp) == (6, 12)
    assert found.whole.share == pytest.approx(100 * 4 / 12)
    assert [line.figures.people for line in found.classes] == [3, 3]
    assert [line.hours for line in found.classes] == [6, 6]
    own = recap.overview(viewer(two.trainer, "trainer"), Filter())
    assert [line.slug for line in own.classes] == [two.cohort.slug]
    for chosen in (Filter(year=2025), Filter(city="Kota Lain")):
        assert [c.slug for c in recap.overview(admin, chosen).classes] == [two.cohort.slug]
    assert recap.overview(admin, Filter(year=1999)).classes == ()
    assert recap.overview(viewer(factories.person("trainer"), "trainer"), Filter()).classes == ()


def test_small_groups_are_hidden_by_agency_and_by_kind(app: Flask, sign_in: SignIn):
    here = Class()  # two of health, one of the police
    for n, kind in ((7, OrganisationKind.KUA), (9, OrganisationKind.NGO)):
        sender = factories.organisation(kind=kind)
        for _one in range(n):
            factories.seat(factories.person(), here.cohort, sender)
    admin = factories.person("admin")
    found = recap.overview(viewer(admin, "admin"), Filter())
    kinds = {part.kind: part.figures.people for part in found.kinds}
    assert kinds == {
        OrganisationKind.PUSKESMAS: None,
        OrganisationKind.POLSEK: None,
        OrganisationKind.KUA: None,  # or 2 and 1 would be told by the total
        OrganisationKind.NGO: 9,
    }
    assert found.whole.people == 19
    assert all(
        part.figures.jp is None and part.figures.share is None
        for part in found.kinds
        if part.figures.people is None
    )
    only = recap.overview(viewer(admin, "admin"), Filter(kind="polsek"))
    assert only.classes[0].figures.people is None
    assert only.whole.people is None
    own = recap.overview(viewer(here.trainer, "trainer"), Filter())
    assert [part.figures.people for part in own.kinds] == [2, 7, 1, 9]  # knows each of them
    browser = sign_in(admin)
    page = browser.get("/laporan/rekap?jenis=polsek").text
    assert "tersembunyi" in page
    text = browser.get("/laporan/rekap.csv?jenis=polsek").data.decode()
    assert text.count("disembunyikan") == 4 * 4
    book = CalamineWorkbook.from_filelike(BytesIO(read(browser, "/laporan/rekap.xlsx")))
    sheet = book.get_sheet_by_index(0).to_python()
    assert sheet[-1][0] == "Jumlah"
    assert sheet[-1][7] == 19


def test_unknown_filters_ask_for_everything(app: Flask, sign_in: SignIn):
    here = Class()
    browser = sign_in(factories.person("admin"))
    for query in ("tahun=x", "tahun=²²²²", "jenis=lainlain", ""):
        assert here.cohort.title in browser.get(f"/laporan/rekap?{query}").text
    assert browser.get("/laporan/rekap?hal=2").status_code == 404
    assert "Belum ada kelas" in browser.get("/laporan/rekap?tahun=1999").text


@pytest.mark.parametrize("people", [2, 60])
def test_the_queries_do_not_grow_with_the_class(app: Flask, people: int):
    here = Class()
    sender = factories.organisation()
    for _one in range(people):
        factories.seat(factories.person(), here.cohort, sender)
    with counted() as seen:
        recap.page(here.cohort, 1, now=AFTER)
        recap.summary(here.cohort)
        recap.class_gain(here.cohort, now=AFTER)
    assert len(seen) <= 24
    with counted() as seen:
        recap.overview(viewer(here.trainer, "trainer"), Filter())
    assert len(seen) <= 7
