"""Items from counted answers: by hand, and as one matrix says when everybody had the same items."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.statistics import analysis, pooling
from lms.statistics.pooling import Cell
from lms.statistics.rules import Flag

RATIO = 4, 5


def cells(rows, keys, gated=()):
    """Count the answers of people who all had these items."""
    found = []
    for row in rows:
        right = [letter == key for letter, key in zip(row, keys, strict=True)]
        gate = [one for version, one in enumerate(right) if version in gated]
        for version, letter in enumerate(row):
            found.append(Cell(version, letter, sum(right), len(row), sum(gate), len(gate), 1))
    return found


def pool(rows, keys, gated=()):
    return pooling.pool(cells(rows, keys, gated), dict(enumerate(keys)), gated, RATIO)


def test_nothing_counted():
    assert pooling.pool([], {}, (), RATIO) == pooling.Pool(None, ())


def test_one_sitting_says_almost_nothing():
    found = pool(["AB"], "AA")
    assert (found.whole.sittings, found.whole.mean, found.whole.sd) == (1, 1, None)
    assert (found.whole.alpha, found.whole.decision, found.whole.skewness) == (None, None, None)
    first, second = found.items
    assert (first.n, first.p, first.r, first.discrimination) == (1, 1, None, None)
    assert (second.p, second.flags) == (0, (Flag.DEAD, Flag.HARD, Flag.SMALL))


ROWS = ["AAAA", "AABA", "ABBA", "BBBB", "ABCC", "ACBD", None]


def test_four_items_by_hand():
    rows = [row for row in ROWS if row]
    found = pool(rows, "AAAA", gated=(1, 2))
    whole = found.whole
    # Right: 4 3 2 0 1 1 of four; at the gate 2 1 0 0 0 0 of two.
    assert (whole.sittings, whole.shown, whole.gate, whole.cut) == (6, 4, 2, 2)
    assert whole.mean == pytest.approx(11 / 6)
    assert whole.sd == pytest.approx((65 / 6 / 5) ** 0.5)
    own = 5 / 36 + 2 * 4 / 36 + 5 / 36 + 9 / 36
    assert whole.alpha == pytest.approx(4 / 3 * (1 - own / (65 / 36)))
    assert whole.sem == pytest.approx(whole.sd * (1 - whole.alpha) ** 0.5)
    assert whole.error_ratio == pytest.approx(100 * (1 - whole.alpha) ** 0.5)
    assert whole.decision is not None
    second = found.items[1]
    assert (second.n, second.omitted, second.p) == (6, 0, pytest.approx(2 / 6))
    assert [one.count for one in second.options] == [2, 3, 1, 0]
    # The quartiles of 0 1 1 2 3 4 are 1, 1.5 and 2.75: quarters of 3, 0, 1 and 2 people.
    assert second.options[0].curve == (0, None, 0, 1)
    assert second.discrimination == 1


def test_an_answer_that_was_not_given_is_missing_in_the_item_and_not_right_in_the_score():
    rows = [["A", None], ["A", "A"], ["B", "A"]]
    found = pool(rows, "AA")
    assert (found.items[1].n, found.items[1].omitted, found.items[1].p) == (2, 1, 1)
    assert found.whole.mean == pytest.approx(4 / 3)


def test_sittings_of_another_length_are_in_the_items_and_not_in_the_whole():
    extra = [Cell(0, "A", 1, 1, 0, 0, 5)]
    found = pooling.pool([*cells(["AB"] * 6, "AA"), *extra], {0: "A", 1: "A"}, (), RATIO)
    assert (found.whole.sittings, found.whole.shown) == (6, 2)
    assert found.items[0].n == 11


def test_the_rest_of_a_shorter_sitting_is_a_share_of_what_it_showed():
    """Rests 1 of 1, 0 of 1 and 1 of 4, of which the first and the last have the item right."""
    sittings = [("A", 2, 2), ("B", 0, 2), ("A", 2, 5)]
    found = pooling.pool(
        [Cell(0, letter, right, shown, 0, 0, shown) for letter, right, shown in sittings],
        {0: "A"},
        (),
        RATIO,
    )
    weights, marks, rests = (2, 2, 5), (1, 0, 1), (1, 0, 0.25)
    assert found.items[0].r == pytest.approx(weighted_r(weights, marks, rests))


def weighted_r(weights, one, other):
    n = sum(weights)
    mean_x = sum(w * x for w, x in zip(weights, one, strict=True)) / n
    mean_y = sum(w * y for w, y in zip(weights, other, strict=True)) / n
    lines = [*zip(weights, one, other, strict=True)]
    across = sum(w * (x - mean_x) * (y - mean_y) for w, x, y in lines)
    xx = sum(w * (x - mean_x) ** 2 for w, x, _y in lines)
    yy = sum(w * (y - mean_y) ** 2 for w, _x, y in lines)
    return across / (xx * yy) ** 0.5


def test_an_alpha_above_one_is_shown_and_has_no_error():
    """Forms of different difficulty: scores vary more than their items."""
    easy = [Cell(one, "A", 2, 2, 0, 0, 5) for one in (0, 1)]
    hard = [Cell(one, "B", 0, 2, 0, 0, 5) for one in (2, 3)]
    whole = pooling.pool([*easy, *hard], dict.fromkeys(range(4), "A"), (), RATIO).whole
    assert whole.alpha == 2
    assert (whole.sem, whole.error_ratio) == (None, None)


@given(st.lists(st.text("ABCD", min_size=4, max_size=4), min_size=2, max_size=20))
def test_the_same_items_for_all_give_what_the_matrix_gives(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("pool")
    lines = [",".join(row) for row in ["wxyz", *rows]]
    (folder / "answers.csv").write_text("\n".join(lines) + "\n")
    (folder / "key.csv").write_text("item,key\nw,A\nx,B\ny,C\nz,D\n")
    whole = analysis.analyse(folder / "answers.csv", key=folder / "key.csv")
    found = pool(rows, "ABCD")
    assert found.whole.alpha == near(whole["reliability"]["KR20_population_variance"])
    assert found.whole.sd == near(whole["total"]["sd_n_minus_1"])
    options = {(one["item"], one["option"]): one for one in whole["distractors"]}
    curves = whole["CTT_distractorAnalysis"]
    for name, mine, theirs in zip("wxyz", found.items, whole["items_table"], strict=True):
        assert mine.p == near(theirs["p"])
        assert mine.r == near(theirs["corrected_item_rest_r"])
        assert [mine.low, mine.high] == near(theirs["p_wilson_95"])
        for option in mine.options:
            other = options.get((name, option.name))
            if other is None:
                assert option.count == 0
                continue
            assert (option.count, option.r) == (other["count"], near(other["pbis_with_rest_score"]))
            row = next(one for one in curves[name] if one["key"] == option.name)
            assert [*option.curve] == [near(row[part]) for part in analysis.QUARTERS]


def near(value):
    return None if value is None else pytest.approx(value, rel=1e-9, abs=1e-9)
