"""Which columns say what, what may be kept, what is wrong with a row."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.roster import rules
from lms.roster.rules import Columns, Facts, Finding, NoColumns, Problem, Row, Standing, TooManyRows

NIK = "6471010101900001"


def found(*headings: str) -> tuple[int, int, int | None]:
    columns = rules.find_columns([headings])
    return columns.name, columns.email, columns.organisation


@pytest.mark.parametrize(
    ("headings", "places"),
    [
        (["Nama", "E-mail", "Instansi"], (0, 1, 2)),
        (["No", "NAMA LENGKAP", "Asal Instansi", "Alamat E-mail"], (1, 3, 2)),
        (["surel", "nama instansi", "nama peserta"], (2, 0, 1)),
        (["Name", "Organization", "Email address"], (0, 2, 1)),
        (["Nama & Gelar", "Pos-el", "Unit Kerja"], (0, 1, 2)),
        (["Nama sesuai KTP", "email", "NIK"], (0, 1, None)),
        (["Nama", "Nama", "Email"], (0, 2, None)),
        (["Nama yang diusulkan", "email aktif", "lembaga pengutus"], (0, 1, 2)),
    ],
)
def test_headings_are_known_in_any_order(headings: list[str], places: tuple[int, ...]):
    assert found(*headings) == places


def test_columns_that_are_not_kept_are_named_and_secret_ones_apart():
    lines = [
        ["DAFTAR PESERTA"],
        ["No", "Nama", "NIK", "Nama ibu kandung", "Email", "No. KTP", f"HP {NIK}", ""],
    ]
    columns = rules.find_columns(lines)
    assert columns.first == 2
    assert columns.ignored == ("No", "Nama ibu kandung", "HP")
    assert columns.secret == ("NIK", "No. KTP")


def test_without_headings_columns_are_told_by_what_stands_in_them():
    lines = [["1", "Ani", "ani@x.id", "Puskesmas 2"], ["2", "Budi", "budi@x.id", "Polsek 1"]]
    assert rules.find_columns(lines) == Columns(1, 2, 3, first=0)
    assert rules.find_columns([["a@x.id", "Ani"]]) == Columns(1, 0, None, first=0)


@pytest.mark.parametrize("lines", [[], [["a", "b"]], [["a@x.id", "1"]], [["a@x.id"]]])
def test_what_tells_nothing_is_refused(lines: list[list[str]]):
    with pytest.raises(NoColumns) as caught:
        rules.find_columns(lines)
    assert str(caught.value) == ""


def test_a_missing_column_of_addresses_is_named():
    with pytest.raises(NoColumns, match="email"):
        rules.find_columns([["Nama", "Instansi"], ["Ani", "Polsek"]])


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" Ani@Contoh.ID ", "ani@contoh.id"),
        ("mailto:ani@contoh.id", "ani@contoh.id"),
        ("Ani Contoh <ani@contoh.id>;", "ani@contoh.id"),
        ("ani @ contoh.id", "ani@contoh.id"),
        ("\uff41ni@contoh.id", "ani@contoh.id"),
        ("'ani@contoh.id'.", "ani@contoh.id"),
    ],
)
def test_addresses_are_freed_of_what_sheets_put_around_them(typed: str, kept: str):
    assert rules.normal_address(typed) == kept


def entries(*lines: list[str]) -> list[rules.Entry]:
    return rules.read_entries([(n, line) for n, line in enumerate(lines, 1)])[1]


def test_long_numbers_never_come_in():
    head = ["Nama", "Email", "Instansi", "NIK"]
    spaced = " ".join(NIK)
    found = entries(
        head,
        [f"Ani {NIK}", "ani@x.id", f"Polsek {spaced}", NIK],
        [NIK, f"{NIK}@x.id", NIK, ""],
        ["Budi", "628123456789@x.id", "Polsek 12", ""],
        ["Cici", NIK, "", ""],
        ["", "", "", NIK],
        ["Dedi"],
    )
    assert [(one.name, one.email, one.organisation, one.scrubbed) for one in found] == [
        ("Ani", "ani@x.id", "Polsek", 2),
        ("", "", "", 3),
        ("Budi", "628123456789@x.id", "Polsek 12", 0),
        ("Cici", "", "", 1),
        ("Dedi", "", "", 0),
    ]
    assert [one.number for one in found] == [2, 3, 4, 5, 7]


DIGITS = st.text("0123456789٠١٢", min_size=16, max_size=20)
AROUND = st.text(max_size=20)
GAPS = st.sampled_from(["", " ", ".", "-", " - "[:2], "/"])


@given(AROUND, DIGITS, GAPS, AROUND, st.integers(0, 2))
def test_an_identity_number_never_survives(
    before: str, number: str, gap: str, after: str, place: int
):
    cells = ["Ani", "ani@x.id", "Polsek"]
    cells[place] = before + gap.join(number) + after
    one = rules.read_entry(Columns(0, 1, 2), 1, cells)
    kept = (one.name, one.email, one.organisation)[place]
    digits = sum(unicodedata.category(c) == "Nd" for c in kept)
    assert digits <= sum(c.isdigit() for c in before + after) + (place == 1) * 14
    assert number not in kept


@given(st.text())
def test_tidying_and_scrubbing_twice_is_doing_it_once(text: str):
    once = rules.tidy(text)
    assert rules.tidy(once) == once
    assert unicodedata.is_normalized("NFC", once)
    scrubbed, _was = rules.scrub(once)
    assert rules.LONG_NUMBER.search(scrubbed) is None
    assert rules.plain(rules.plain(text)) == rules.plain(text)


@given(st.lists(st.lists(st.text(max_size=30), max_size=5), max_size=8))
def test_any_lines_are_people_or_a_reason(lines: list[list[str]]):
    try:
        columns, people = rules.read_entries([(n, line) for n, line in enumerate(lines, 1)])
    except NoColumns:
        return
    assert len(people) <= len(lines)
    for one in people:
        assert not one.is_empty
        assert len(one.name) <= rules.LONGEST_NAME + 1
    assert columns.name != columns.email


def test_too_many_people_are_too_many():
    lines = [["Nama", "Email"], *(["A", f"a{n}@x.id"] for n in range(rules.MOST_ROWS))]
    assert len(entries(*lines)) == rules.MOST_ROWS
    with pytest.raises(TooManyRows):
        entries(*lines, ["A", "b@x.id"])


def row(number: int = 1, **values) -> Row:
    given = {"name": "Ani", "email": "ani@x.id", "organisation_text": "P", "organisation_id": 7}
    return Row(number, **(given | values))


@pytest.mark.parametrize(
    ("values", "problems", "standing"),
    [
        ({}, [], Standing.READY),
        ({"skipped": True, "name": ""}, [Problem.NO_NAME], Standing.SKIPPED),
        ({"name": ""}, [Problem.NO_NAME], Standing.ASK),
        ({"name": "x" * 121}, [Problem.LONG_NAME], Standing.ASK),
        ({"email": ""}, [Problem.NO_EMAIL], Standing.ASK),
        ({"email": "ani@x"}, [Problem.BAD_EMAIL], Standing.ASK),
        ({"email": "a@" + "x" * 200 + ".id"}, [Problem.BAD_EMAIL], Standing.ASK),
        ({"organisation_id": None, "fit": "unknown"}, [Problem.UNKNOWN_ORGANISATION], Standing.ASK),
        (
            {"organisation_id": None, "fit": "several"},
            [Problem.AMBIGUOUS_ORGANISATION],
            Standing.ASK,
        ),
        (
            {"organisation_id": None, "organisation_text": "", "fit": "unknown"},
            [Problem.NO_ORGANISATION],
            Standing.ASK,
        ),
        ({"organisation_id": None, "is_new": True}, [], Standing.READY),
        ({"email": "seated@x.id"}, [Problem.SEATED], Standing.OUT),
        ({"email": "invited@x.id", "name": ""}, [Problem.NO_NAME, Problem.INVITED], Standing.OUT),
        ({"email": "waits@x.id"}, [Problem.NOMINATED], Standing.OUT),
        ({"email": "known@x.id"}, [Problem.OTHER_NAME], Standing.READY),
        ({"email": "known@x.id", "name": "BUDI  s."}, [], Standing.READY),
        ({"scrubbed": True}, [Problem.SCRUBBED], Standing.READY),
    ],
)
def test_a_row_is_judged(values: dict[str, object], problems: list[Problem], standing: Standing):
    facts = Facts(
        seated=frozenset(["seated@x.id"]),
        invited=frozenset(["invited@x.id"]),
        nominated=frozenset(["waits@x.id"]),
        names={"known@x.id": "Budi S"},
    )
    one = row(**values)
    findings = rules.check([one], facts)[1]
    assert [finding.problem for finding in findings] == problems
    assert rules.standing(one, findings) is standing


def test_an_officer_brings_own_people_only():
    facts = Facts(own=frozenset([7]))
    assert rules.check([row()], facts)[1] == []
    [finding] = rules.check([row(organisation_id=8)], facts)[1]
    assert finding.problem is Problem.OTHER_ORGANISATION


def test_who_stands_twice_is_named_with_the_other_row():
    rows = [
        row(2),
        row(3, name="Lain"),
        row(4, email="b@x.id", name="ANI"),
        row(5, email="c@x.id", skipped=True),
        row(6, email="c@x.id", name="Cici"),
        row(7, email="", name=""),
        row(8, email="", name=""),
    ]
    found = rules.check(rows, Facts())
    assert found[2] == []
    assert found[3] == [Finding(Problem.SAME_ADDRESS, "2")]
    assert found[4] == [Finding(Problem.SAME_NAME, "2")]
    assert found[5] == found[6] == []
    assert found[7] == found[8] == [Finding(Problem.NO_NAME), Finding(Problem.NO_EMAIL)]


def test_every_problem_stops_closes_or_is_only_said():
    assert rules.STOPS.isdisjoint(rules.CLOSES)
    only_said = set(Problem) - rules.STOPS - rules.CLOSES
    assert only_said == {
        Problem.OTHER_NAME, Problem.SAME_NAME, Problem.SCRUBBED, Problem.OVER_QUOTA,
    }  # fmt: skip
