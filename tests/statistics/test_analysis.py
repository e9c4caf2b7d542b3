"""What `analyse` says of small tables worked out by hand, and of any table by plain arithmetic."""

import json
import math
import tracemalloc
from fractions import Fraction
from pathlib import Path
from statistics import median

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from lms import cli
from lms.statistics import analysis

RIGHT = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [1, 0, 1], [1, 1, 1]]
"""Totals 0 1 1 2 2 3; so 9/6 in the mean, and 4, 3 and 2 of 6 right."""
CHOSEN = ["B,A,C", "A,A,C", "B,B,C", "A,B,A", "A,C,B", "A,B,B"]
KEY = "item,key\na,A\nb,B\nc,B\n"


@pytest.fixture
def analyse(tmp_path: Path):
    """Describe a table given as text."""

    def call(text: str, key: str | None = None, **values: object) -> dict:
        (tmp_path / "answers.csv").write_text(text)
        if key is not None:
            (tmp_path / "key.csv").write_text(key)
            values["key"] = tmp_path / "key.csv"
        return analysis.analyse(tmp_path / "answers.csv", **values)

    return call


def table(rows, names="abcdefgh") -> str:
    heading = ",".join(names[: len(rows[0])])
    return "\n".join([heading, *(",".join(map(cell, row)) for row in rows)]) + "\n"


def cell(value) -> str:
    return "" if value is None else str(value)


def test_six_people_by_hand(analyse):
    found = analyse(table(RIGHT), cut=2)
    total = found["total"]
    assert (total["mean"], total["median"], total["min"], total["max"]) == (1.5, 1.5, 0, 3)
    # Squares about the mean: 2.25 + 4 * 0.25 + 2.25 = 5.5; the cubes cancel; fourths 10.375.
    assert total["sd_n_minus_1"] == pytest.approx(math.sqrt(5.5 / 5))
    assert total["sd_n"] == pytest.approx(math.sqrt(5.5 / 6))
    assert total["skew_population"] == pytest.approx(0, abs=1e-12)
    assert total["excess_kurtosis_population"] == pytest.approx((10.375 / 6) / (5.5 / 6) ** 2 - 3)
    # Variances of the items with n: 8/36, 9/36, 8/36.
    expected = 1.5 * (1 - (25 / 36) / (5.5 / 6))
    for name in ("alpha_psych_raw", "alpha_CTT", "KR20_population_variance"):
        assert found["reliability"][name] == pytest.approx(expected)
    kr21 = 1.5 * (1 - 1.5 * 1.5 / (3 * 5.5 / 6))
    assert found["reliability"]["KR21_population_variance"] == pytest.approx(kr21)
    sem = math.sqrt(5.5 / 5) * math.sqrt(1 - expected)
    assert found["reliability"]["SEM_from_alpha_sd_n_minus_1"] == pytest.approx(sem)
    assert found["decision"]["reached"] == 0.5
    first = found["items_table"][0]
    assert (first["n"], first["omitted"], first["p"]) == (6, 0, pytest.approx(4 / 6))
    # Rest of the first item: 0 0 1 1 1 2, of those who have it right 0 1 1 2.
    assert first["corrected_item_rest_r"] == pytest.approx(
        (4 - 4 * 5 / 6) / math.sqrt(8 / 6 * 17 / 6)
    )
    # Two people at each end: (0, 1) and (1, 1); with 27 % of six it is round(1.62) = 2 as well.
    assert first["upper_lower_27"] == pytest.approx(0.5)
    assert first["psychometric_Discrimination_thirds"] == pytest.approx(0.5)
    assert first["flags"] == ["small_n"]


def test_people_of_one_total_keep_the_order_of_the_file(analyse):
    """Of three people with one point the first two are the lower group, the last two the upper."""
    found = analyse("a,b\n1,0\n0,1\n1,0\n0,1\n1,0\n0,1\n")
    assert found["items_table"][0]["upper_lower_27"] == 0
    for size in (3, 300):
        found = analyse("a,b\n" + "1,0\n" * size + "0,1\n" * size)
        assert found["items_table"][0]["upper_lower_27"] == -1


def test_options_by_hand(analyse):
    found = analyse("a,b,c\n" + "\n".join(CHOSEN) + "\n", KEY)
    assert found["items_table"] == [
        {**one, "flags": row["flags"]}
        for one, row in zip(analyse(table(RIGHT))["items_table"], found["items_table"], strict=True)
    ]
    rows = {(one["item"], one["option"]): one for one in found["distractors"]}
    assert len(rows) == 9
    assert rows["a", "A"]["key"] is True
    assert rows["b", "B"]["count"] == 3
    one = rows["b", "C"]
    assert (one["key"], one["count"], one["mean_total_of_choosers"]) == (False, 1, 2)
    assert one["prop"] == pytest.approx(1 / 6)
    # Rest of b: 0 1 0 1 2 2; who chose C has 2: (2 - 1) / sqrt(5/6 * 4).
    assert one["pbis_with_rest_score"] == pytest.approx(1 / math.sqrt(5 / 6 * 4))
    # Total less the choice: 0 1 1 2 1 3, mean 4/3.
    ctt = {row["key"]: row for row in found["CTT_distractorAnalysis"]["b"]}
    assert ctt["C"]["pBis"] == pytest.approx((1 - 8 / 6) / math.sqrt(5 / 6 * (16 - 64 / 6)))
    # Quartiles 1, 1.5 and 2: quarters of 3, 0, 2 and 1 people.
    assert [ctt["B"][name] for name in analysis.QUARTERS] == [pytest.approx(1 / 3), None, 0.5, 1]
    assert ctt["B"]["discrim"] == pytest.approx(2 / 3)
    assert (ctt["B"]["correct"], ctt["C"]["correct"], ctt["B"]["n"]) == ("*", "", 3)
    unused = {row["key"]: row for row in found["CTT_distractorAnalysis"]["a"]}["C"]
    assert (unused["n"], unused["rspP"], unused["pBis"]) == (0, 0, None)


def test_many_different_answers_belong_to_their_item(analyse):
    words = "\n".join(f"{'AB'[number % 2]},{number}" for number in range(8))
    found = analyse("a,b\n" + words + "\n", "item,key\na,C\nb,3\n")
    assert [row["key"] for row in found["CTT_distractorAnalysis"]["a"]] == ["A", "B", "C"]
    assert len(found["CTT_distractorAnalysis"]["b"]) == 8


def test_blanks_are_missing(analyse):
    rows = [[1, 1, None], [1, 0, 1], [0, None, 0], [None, 1, 1], [0, 0, 0]]
    found = analyse(table(rows))
    first, second, _third = found["items_table"]
    assert found["blanks"] == 3
    assert found["total"]["mean"] == pytest.approx((2 + 2 + 0 + 2 + 0) / 5)
    assert (first["n"], first["omitted"], first["p"]) == (4, 1, 0.5)
    # Those who answered the first: marks 1 1 0 0, the others 1 1 0 0.
    assert first["corrected_item_rest_r"] == pytest.approx(1)
    assert second["p"] == 0.5
    assert found["reliability"]["KR20_population_variance"] is None
    # Covariances of pairs: a b 1/6 of three people, a c of three, b c of three.
    own = 1 / 3 * 3
    pairs = 2 * ((1 - 2 * 1 / 3) / 2 + (1 - 1 * 1 / 3) / 2 + (1 - 1 * 2 / 3) / 2)
    assert found["reliability"]["alpha_CTT"] == pytest.approx(1.5 * (1 - own / (own + pairs)))
    # For Moodle nothing is no mark: 1 1 0 0 0.
    assert found["moodle"]["slots"][0]["facility"] == pytest.approx(0.4)


def test_an_item_nobody_answered_and_a_person_who_answered_nothing(analyse):
    found = analyse("id,a,b\n1,1,\n2,0,\n3,,\n", "item,key\na,1\nb,1\n")
    assert found["persons"] == 3
    empty = found["items_table"][1]
    assert (empty["n"], empty["omitted"], empty["p"]) == (0, 3, None)
    assert empty["p_wilson_95"] is None
    assert found["reliability"]["alpha_CTT"] is None
    assert found["distractors"][-1]["prop"] is None


def test_marks_between_are_marks(analyse):
    found = analyse("a,b\n0.5,1\n0,0\n1,0.5\n", cut=1)
    first = found["items_table"][0]
    assert (first["p"], first["p_wilson_95"], first["CTT_bis"]) == (0.5, None, None)
    assert found["reliability"]["KR20_population_variance"] is None
    assert found["decision"]["reached"] == pytest.approx(2 / 3)


def test_thirds_that_make_a_whole_reach_the_cut(analyse):
    found = analyse("a,b,c\n0.1,0.2,0.7\n0.3333333333,0.3333333333,0.3333333334\n0,0,0\n", cut=1)
    assert found["decision"]["reached"] == pytest.approx(2 / 3)


def test_moodle_by_hand(analyse):
    found = analyse(table([[1, 0], [0, 1], [1, 1], [0.5, 1]]))["moodle"]
    first = found["slots"][0]
    # Marks 1 0 1 0.5, others 0 1 1 1, totals 1 1 2 1.5.
    assert first["facility"] == 0.625
    assert first["markvariance"] == pytest.approx((2.25 - 6.25 / 4) / 3)
    assert first["othermarkvariance"] == pytest.approx(0.25)
    assert first["covariance"] == pytest.approx((1.5 - 2.5 * 3 / 4) / 3)
    assert first["covariancemax"] == pytest.approx((2.5 - 2.5 * 3 / 4) / 3)
    assert first["discriminativeefficiency"] == pytest.approx(100 * -0.375 / 0.625)
    expected = 100 * -0.125 / math.sqrt((2.25 - 6.25 / 4) / 3 * 0.25)
    assert first["discriminationindex"] == pytest.approx(expected)
    # Covariances with the total: 0.2291... - 0.125 and 0.25 - 0.125.
    parts = [math.sqrt((2.25 - 6.25 / 4) / 3 - 0.125), math.sqrt(0.125)]
    assert first["effectiveweight"] == pytest.approx(100 * parts[0] / sum(parts))
    # Variance of the totals: 8.25 - 5.5 * 5.5 / 4 over 3.
    cic = 200 * (1 - ((2.25 - 6.25 / 4) / 3 + 0.25) / ((8.25 - 5.5**2 / 4) / 3))
    assert found["quiz"]["cic"] == pytest.approx(cic)
    assert cic < 0
    assert found["quiz"]["errorratio"] == pytest.approx(100 * math.sqrt(1 - cic / 100))


def test_a_question_against_the_total_has_no_weight(analyse):
    rows = [[0, 1, 1], [0, 1, 1], [1, 0, 0], [1, 0, 0], [0, 1, 1]]
    slots = analyse(table(rows))["moodle"]["slots"]
    assert slots[0]["effectiveweight"] is None
    assert slots[1]["effectiveweight"] == pytest.approx(50)


@pytest.mark.parametrize(
    "text",
    ["a\n1\n", "a\n1\n1\n", "a,b\n1,0\n", "a,b\n1,1\n1,1\n1,1\n1,1\n", "a,b\n1,0\n0,1\n1,0\n"],
)
def test_what_is_not_defined_is_null(analyse, text):
    """One person, one item, no differences: JSON without NaN, and a table."""
    found = analyse(text, cut=1)
    assert json.loads(json.dumps(found, allow_nan=False))["reliability"]["alpha_CTT"] is None
    assert analysis.table(found)


def test_everybody_agrees_and_nothing_overflows(analyse):
    found = analyse(table([[1] * 3, [0] * 3] * 4))
    assert found["reliability"]["alpha_CTT"] == pytest.approx(1)
    assert found["moodle"]["quiz"]["errorratio"] == pytest.approx(0, abs=1e-5)


def groups(sizes: dict[str, int]) -> str:
    lines = ["a,b,c,kota"]
    for name, size in sizes.items():
        for number in range(size):
            easy = int(number % 2 == 0 or name == "X")
            lines.append(f"{easy},{number % 2},{number % 3 % 2},{name}")
    return "\n".join(lines) + "\n"


def test_groups_are_compared_only_when_both_are_large(analyse):
    few = analyse(groups({"X": 150, "Y": 99, "": 30}), group="kota")["dif"]
    assert few == {
        "groups": {"X": 150, "Y": 99},
        "reference": None,
        "tables": {},
        "reason": "two groups of 100 or more are needed",
    }
    dif = analyse(groups({"Y": 120, "X": 150, "Z": 20}), group="kota")["dif"]
    assert (dif["reference"], [*dif["tables"]]) == ("X", ["Y"])
    first, second, _third = dif["tables"]["Y"]
    assert first["odds_ratio"] is None
    assert second["ets"] in "ABC"


def test_a_harder_item_for_one_group_is_class_c(analyse):
    lines = ["a,b,g"]
    for group, right in (("X", 90), ("Y", 45)):
        for number in range(100):
            for other in (0, 1):
                lines.append(f"{int(number < right)},{other},{group}")
    first = analyse("\n".join(lines) + "\n", group="g")["dif"]["tables"]["Y"][0]
    assert first["ets"] == "C"
    assert first["delta"] < -1.5
    assert first["p_value"] < 0.001


def test_blanks_are_left_out_of_a_comparison(analyse):
    text = groups({"X": 120, "Y": 120})
    found = analyse(text + ",,,Y\n,,,X\n" * 40, group="kota")["dif"]
    assert found["tables"]["Y"] == analyse(text, group="kota")["dif"]["tables"]["Y"]


def test_partial_marks_are_not_compared(analyse):
    dif = analyse("a,b,g\n0.5,1,X\n1,0,Y\n", group="g")["dif"]
    assert dif["reason"] == "marks between 0 and 1 are not compared"


def covariance(one, other):
    pairs = [(x, y) for x, y in zip(one, other, strict=True) if x is not None and y is not None]
    n = len(pairs)
    if n < 2:
        return None
    mean_x, mean_y = Fraction(sum(x for x, _y in pairs), n), Fraction(sum(y for _x, y in pairs), n)
    return sum((x - mean_x) * (y - mean_y) for x, y in pairs) / (n - 1)


def exact_alpha(columns):
    k = len(columns)
    every = [covariance(one, other) for one in columns for other in columns]
    if k < 2 or None in every or sum(every) <= 0:
        return None
    own = sum(covariance(one, one) for one in columns)
    return float(Fraction(k, k - 1) * (1 - own / sum(every)))


def exact_rest(columns, item):
    rows = [row for row in zip(*columns, strict=True) if row[item] is not None]
    mine = [row[item] for row in rows]
    rest = [sum(one for one in row if one is not None) - row[item] for row in rows]
    if len(set(mine)) < 2 or len(set(rest)) < 2:
        return None
    return float(covariance(mine, rest)) / math.sqrt(
        covariance(mine, mine) * covariance(rest, rest)
    )


def near(value):
    return None if value is None else pytest.approx(value, rel=1e-9, abs=1e-9)


@given(
    st.integers(1, 5).flatmap(
        lambda wide: st.lists(
            st.lists(st.sampled_from([0, 1, 1, None]), min_size=wide, max_size=wide),
            min_size=1,
            max_size=15,
        )
    )
)
def test_any_table_gives_what_plain_arithmetic_gives(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("any") / "answers.csv"
    path.write_text("id" + table([[0, *rows[0]]])[1:].split("\n")[0] + "\n")
    text = "".join(f"p,{','.join(map(cell, row))}\n" for row in rows)
    path.write_text(path.read_text() + text)
    found = analysis.analyse(path, skip=("id",))
    columns = [*zip(*rows, strict=True)]
    totals = [sum(one for one in row if one is not None) for row in rows]
    assert found["total"]["mean"] == pytest.approx(sum(totals) / len(totals))
    assert found["total"]["median"] == median(totals)
    assert found["reliability"]["alpha_CTT"] == near(exact_alpha(columns))
    for item, one in enumerate(found["items_table"]):
        answered = [value for value in columns[item] if value is not None]
        assert one["n"] == len(answered)
        assert one["p"] == near(sum(answered) / len(answered) if answered else None)
        assert one["corrected_item_rest_r"] == near(exact_rest(columns, item))
        others = [column for number, column in enumerate(columns) if number != item]
        assert one["alpha_if_dropped_psych"] == near(exact_alpha(others))
    json.dumps(found, allow_nan=False)


def test_memory_stays_small(tmp_path):
    """Cells cost tens of bytes, not hundreds: 100,000 people with 100 items fit beside others."""
    path, people, items = tmp_path / "large.csv", 4_000, 100
    row = ",".join("0110110010" * (items // 10))
    path.write_text(",".join(f"i{one}" for one in range(items)) + "\n" + f"{row}\n" * people)
    analysis.analyse(path)
    tracemalloc.start()
    analysis.analyse(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    # What does not grow with the table (a block of text, 2,000 rows of cells) is about 30 MB.
    assert peak < 40_000_000 + people * items * 30


def run(*arguments):
    return CliRunner().invoke(cli.main, ["analyse", *map(str, arguments)])


@pytest.fixture
def files(tmp_path):
    (tmp_path / "answers.csv").write_text("nama,a,b,c\n" + "".join(f"x,{one}\n" for one in CHOSEN))
    (tmp_path / "key.csv").write_text(KEY)
    return tmp_path


def test_the_command_prints_json(files):
    done = run(files / "answers.csv", "--key", files / "key.csv", "--json")
    assert done.exit_code == 0
    found = json.loads(done.output)
    assert (found["persons"], found["items"], found["left_out"]) == (6, 3, ["nama"])
    assert "decision" not in found
    assert "dif" not in found


def test_the_command_prints_a_table(files):
    done = run(files / "answers.csv", "--key", files / "key.csv", "--cut", 2, "--group", "nama")
    assert done.exit_code == 0
    assert "6 people, 3 items, 0 blanks" in done.output
    assert "n masih kecil" in done.output
    assert "cut 2: 0.500 reach it" in done.output
    assert "not compared: two groups of 100 or more are needed" in done.output
    assert "  * B               3  0.500" in done.output


def test_the_table_names_what_differs_between_groups(tmp_path):
    (tmp_path / "a.csv").write_text(groups({"Y": 120, "X\x1b[1m": 150}))
    done = run(tmp_path / "a.csv", "--group", "kota")
    assert "Y against X?[1m:" in done.output
    assert "n masih kecil" not in done.output


def test_the_command_says_what_is_wrong(files):
    done = run(files / "answers.csv")
    assert done.exit_code == 1
    assert 'Error: answers.csv, row 2, column nama: "x": a mark lies between' in done.output
