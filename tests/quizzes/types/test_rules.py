"""How each type is marked."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.quizzes.exchange.model import (
    Accepted,
    Essay,
    Kind,
    Matching,
    Multiple,
    Number,
    Numeric,
    Option,
    Ordering,
    Pair,
    Question,
    ShortAnswer,
    Single,
    Text,
    TrueFalse,
    Unit,
    check,
)
from lms.quizzes.types import TYPES, BadResponse, NotAKey, SameKey
from lms.quizzes.types.numeric.rules import readings
from lms.quizzes.types.problems import Key, Refused, Report
from lms.quizzes.types.short_answer.rules import fits, normal


def earned(body, response, order=""):
    return TYPES[body.kind].score(body, order, response)


def options(*weights):
    return tuple(Option(Text(f"o{n}"), Decimal(w)) for n, w in enumerate(weights))


# Single best answer


def test_a_choice_earns_its_weight_and_never_less_than_nothing():
    assert TYPES[Kind.SINGLE].solve(Single(options(50, 50)), "AB") is None
    body = Single(options(100, "33.33333", -50, 0))

    assert [earned(body, {"choice": n}) for n in (1, 2, 3, 4)] == [
        1,
        Fraction("0.3333333"),
        0,
        0,
    ]
    assert earned(body, {"choice": 4}, "DCBA") == 1
    assert earned(body, {"choice": 9}) == 0


# Several choices


@pytest.mark.parametrize(
    ("weights", "picks", "share"),
    [
        ((50, 50, -50, -50), [1, 2], 1),
        ((50, 50, -50, -50), [1], Fraction(1, 2)),
        ((50, 50, -50, -50), [1, 2, 3], Fraction(1, 2)),
        ((50, 50, -50, -50), [3, 4], 0),
        ((50, 50, -50, -50), [1, 2, 3, 4], 0),
        (("33.33333",) * 3 + (0, 0), [1, 2, 3], 1),
        (("33.33333",) * 3 + (0, 0), [1, 2, 3, 4], Fraction(1, 2)),
        (("33.33333",) * 3 + (0, 0), [1, 2, 3, 4, 5], 0),
        ((50, 50, -20, 0), [1, 2, 4], 1),  # the author says which wrong one costs something
        ((100, 100, 0), [1, 2], 1),
        ((50, 50), [1, 2], 1),
        ((100, 0), [7], 0),
    ],
)
def test_wrong_boxes_take_away(weights, picks, share):
    assert earned(Multiple(options(*weights)), {"picks": picks}) == share


@pytest.mark.parametrize(
    ("picks", "share"), [([1, 2], 1), ([1], 0), ([1, 2, 3], 0), ([], 0), ([2, 1], 1)]
)
def test_all_or_nothing_means_it(picks, share):
    body = Multiple(options(100, 100, 0), all_or_nothing=True)

    assert earned(body, {"picks": picks}) == share


@given(st.lists(st.sampled_from([0, 50, 100, -25]), min_size=2, max_size=8))
def test_ticking_everything_is_not_everything_unless_everything_is_right(weights):
    body = Multiple(options(*weights))
    if not body.right:
        return
    share = earned(body, {"picks": list(range(1, len(weights) + 1))})

    if len(body.right) == len(weights):
        assert share == 1
    else:
        assert share < 1


# True or false


def test_true_is_not_false():
    assert earned(TrueFalse(answer=False), {"answer": False}) == 1
    assert earned(TrueFalse(answer=False), {"answer": True}) == 0
    assert earned(TrueFalse(answer=False), {"answer": 0}) == 0


# Matching

PAIRS = Matching(
    (Pair(Text("UU"), "undang-undang"), Pair(Text("PP"), "peraturan"), Pair(Text(), "pengecoh"))
)


def test_each_left_side_earns_its_part():
    # Shown: PP, UU; choices pengecoh, undang-undang, peraturan.
    order = "BA-CAB"

    assert earned(PAIRS, {"picks": [3, 2]}, order) == 1
    assert earned(PAIRS, {"picks": [3, 1]}, order) == Fraction(1, 2)
    assert earned(PAIRS, {"picks": [2, 3]}, order) == 0
    assert earned(PAIRS, {"picks": [3]}, order) == Fraction(1, 2)
    assert earned(PAIRS, {"picks": [3, 99]}, order) == Fraction(1, 2)
    assert TYPES[Kind.MATCHING].read(["", "2"]) == {"picks": [0, 2]}


def test_two_left_sides_may_share_what_belongs_to_them():
    body = Matching((Pair(Text("a"), "x"), Pair(Text("b"), "x"), Pair(Text("c"), "y")))

    assert body.choices == ("x", "y")
    assert earned(body, {"picks": [1, 1, 2]}) == 1


def test_the_result_of_a_matching_says_what_belongs():
    lines = TYPES[Kind.MATCHING].result(PAIRS, "BA-CAB", {"picks": [3, 1]}).lines

    assert [(one.text.value, one.said, one.wanted, one.best) for one in lines] == [
        ("PP", "peraturan", "peraturan", True),
        ("UU", "pengecoh", "undang-undang", False),
    ]


# Ordering

STEPS = Ordering((Text("satu"), Text("dua"), Text("tiga")))


def test_each_item_at_its_place_earns_its_part():
    # Shown: tiga, satu, dua.
    order = "CAB"

    assert earned(STEPS, {"places": [3, 1, 2]}, order) == 1
    assert earned(STEPS, {"places": [3, 2, 1]}, order) == Fraction(1, 3)
    assert earned(STEPS, {"places": [3, 0, 0]}, order) == Fraction(1, 3)
    assert earned(STEPS, {"places": [3, 3, 3]}, order) == 0
    assert earned(STEPS, {"places": [9, 1, 2]}, order) == Fraction(2, 3)


def test_ordering_may_ask_for_all_or_nothing():
    body = Ordering(STEPS.items, all_or_nothing=True)

    assert earned(body, {"places": [3, 1, 2]}, "CAB") == 1
    assert earned(body, {"places": [3, 2, 1]}, "CAB") == 0


def test_items_of_the_same_words_may_stand_for_one_another():
    body = Ordering((Text("a"), Text("b"), Text("a")))

    assert earned(body, {"places": [3, 2, 1]}) == 1


def test_the_result_of_an_ordering_is_the_right_order():
    lines = TYPES[Kind.ORDERING].result(STEPS, "CAB", {"places": [3, 2, 0]}).lines

    assert [(one.text.value, one.said, one.wanted, one.best) for one in lines] == [
        ("satu", "2", "1", False),
        ("dua", "", "2", False),
        ("tiga", "3", "3", True),
    ]


@pytest.mark.parametrize(
    ("places", "lines"),
    [
        ([1, 3, 2], [("tiga", "1"), ("dua", "2"), ("satu", "3")]),
        ([2, 0, 1], [("dua", "1"), ("tiga", "2"), ("satu", "")]),
        ([2, 1, 1], [("dua", "1"), ("satu", "1"), ("tiga", "2")]),
        ([0, 0, 0], [("dua", ""), ("satu", ""), ("tiga", "")]),
    ],
)
def test_where_nothing_is_right_an_ordering_stands_as_it_was_answered(places, lines):
    kind = TYPES[Kind.ORDERING]
    found = kind.keyless(kind.result(STEPS, "CAB", {"places": places}))

    assert [(one.text.value, one.said) for one in found.lines] == lines
    assert not any(one.wanted or one.best for one in found.lines)
    assert found.blank is (places == [0, 0, 0])


# Short answer


@pytest.mark.parametrize(
    ("accepted", "text"),
    [
        ("visum et repertum", "Visum  et\tRepertum"),
        ("visum et repertum", " “visum et repertum”. "),
        ("P2TP2A", "p2tp2a"),
        ("café", "cafe\u0301"),
        ("ﬁlm", "film"),
        ("Straße", "STRASSE"),
        ("UPTD*PPA", "UPTD PPA"),
        ("UPTD*PPA", "uptd pelayanan ppa!"),
        ("*kekerasan*", "kekerasan"),
        ("*kekerasan*", "hapus kekerasan dini"),
        (r"5\*5", "5*5"),
        (r"*5\*5", "= 5*5"),
        ("a*b*c", "a-b-c"),
        ("?", "?"),
        (r"a\b", r"A\B"),
    ],
)
def test_an_answer_fits_however_it_is_written(accepted, text):
    assert fits(accepted, text)


@pytest.mark.parametrize(
    ("accepted", "text"),
    [
        ("visum", "visum et"),
        (r"5\*5", "5x5"),
        ("a*a", "a"),
        ("a*b*c", "a-c"),
        ("a*b*c", "a-b"),
        ("*x", "y"),
        ("?", "!"),
        ("kupang", "ku pang"),
    ],
)
def test_another_answer_does_not(accepted, text):
    assert not fits(accepted, text)


def test_capital_letters_count_where_the_author_says_so():
    body = ShortAnswer((Accepted("Komnas"),), case_matters=True)

    assert earned(body, {"text": "Komnas."}) == 1
    assert earned(body, {"text": "komnas"}) == 0


def test_the_first_answer_that_fits_decides():
    body = ShortAnswer(
        (Accepted("polisi", Decimal(50), Text("hampir")), Accepted("*", Decimal(0)), Accepted("x"))
    )

    assert earned(body, {"text": "polisi"}) == Fraction(1, 2)
    assert earned(body, {"text": "x"}) == 0
    lines = TYPES[Kind.SHORT_ANSWER].result(body, "", {"text": "polisi"}).lines
    assert [(one.text.value, one.chosen, one.best, one.feedback.value) for one in lines] == [
        ("polisi", True, False, "hampir"),
        ("x", False, True, ""),
    ]
    assert TYPES[Kind.SHORT_ANSWER].solve(body, "") is None
    assert TYPES[Kind.SHORT_ANSWER].result(ShortAnswer((Accepted("a*"),)), "", None).lines[
        0
    ].text == Text("a…")


@given(st.text(max_size=40))
def test_to_normalise_twice_changes_nothing_and_every_text_fits_itself(text):
    assert normal(normal(text)) == normal(text)
    assert fits(text.replace("*", r"\*"), text)


def test_a_pattern_of_many_stars_is_answered_at_once():
    assert not fits("*a" * 240 + "*b", "a" * 500)


# Numbers


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("2,5", ["2.5"]),
        ("2.5", ["2.5"]),
        ("2", ["2"]),
        ("-3", ["-3"]),
        (",5", ["0.5"]),
        ("5,", ["5"]),
        ("1.000", ["1000", "1"]),
        ("1,000", ["1000", "1"]),
        ("12.500.000", ["12500000"]),
        ("1.234,5", ["1234.5"]),
        ("1,234.5", ["1234.5"]),
        ("0.125", ["0.125"]),
        ("1.5e3", ["1500"]),
        ("1,2,3", []),
        ("1.2,3", []),
        ("1.2.3,4", []),
        (".", []),
        ("9" * 16, []),
    ],
)
def test_comma_and_point_are_both_understood(text, numbers):
    assert readings(text) == [Fraction(one) for one in numbers]


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("3,14", 1),
        ("3.15", 1),
        ("3,150001", 0),
        ("3.13", 1),
        ("3,129999", 0),
        ("\N{MINUS SIGN}3", 0),
        ("tiga", 0),
        ("3,14 kg", 0),
        ("", 0),
    ],
)
def test_the_tolerance_is_exact(text, share):
    body = Numeric((Number(Decimal("3.14"), Decimal("0.01")),))

    assert earned(body, {"text": text}) == share


@pytest.mark.parametrize(
    ("text", "unit", "share"),
    [
        ("2,5", "kg", 1),
        ("2500", "g", 1),
        ("2.500", "g", 1),
        ("2,5 kg", "", 1),
        ("2,5kg", "", 1),
        ("2,5 KG", "", 1),
        ("2,5", "g", 0),
        ("2,5", "", 0),
        ("2,5", "ton", 0),
        ("2,5 kg", "kg", 0),
        ("2,5", "x", 0),
    ],
)
def test_a_unit_has_its_factor_and_belongs_to_the_answer(text, unit, share):
    units = (Unit("kg"), Unit("g", Decimal(1000)), Unit("x", Decimal(0)))
    body = Numeric((Number(Decimal("2.5")),), units)

    assert earned(body, {"text": text, "unit": unit}) == share


def test_of_two_readings_the_better_one_counts():
    body = Numeric((Number(Decimal(1), weight=Decimal(50)), Number(Decimal(1000))))

    assert earned(body, {"text": "1.000"}) == 1


def test_any_number_may_be_asked_for():
    body = Numeric((Number(None, feedback=Text("ya")),))

    assert earned(body, {"text": "7"}) == 1
    assert earned(body, {"text": "tujuh"}) == 0
    line = TYPES[Kind.NUMERIC].result(body, "", {"text": "7"}).lines[0]
    assert (line.text.value, line.feedback.value) == ("…", "ya")


def test_an_accepted_number_is_shown_as_it_is_written_here():
    body = Numeric(
        (Number(Decimal("2.50"), Decimal("0.1")),), (Unit("kg"), Unit("g", Decimal(1000)))
    )
    result = TYPES[Kind.NUMERIC].result(body, "", {"text": "2,5", "unit": "kg"})

    assert result.lines[0].text.value == "2,5 ± 0,1 kg"
    assert result.given == "2,5 kg"
    assert TYPES[Kind.NUMERIC].solve(body, "") == {"text": "2.5", "unit": "kg"}


def test_a_number_that_cannot_be_reached_has_no_solution():
    body = Numeric((Number(None, weight=Decimal(0)), Number(Decimal(1))))

    assert TYPES[Kind.NUMERIC].solve(body, "") is None


# Essay


def test_an_essay_waits_for_whoever_marks_it():
    body = Essay(least_words=2, start=Text("Mulai:"))

    assert earned(body, {"text": "Saya akan bertanya."}) is None
    assert earned(body, {"text": ""}) == 0
    assert earned(body, {"text": "Mulai:"}) == 0
    assert TYPES[Kind.ESSAY].result(body, "", {"text": "abc"}).given == "abc"
    assert TYPES[Kind.ESSAY].solve(body, "") is None


# What a page may send


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("single", ["1", "2"]),
        ("single", ["0"]),
        ("single", ["27"]),
        ("single", ["¹"]),
        ("multiple", ["1"] * 27),
        ("multiple", ["0"]),
        ("multiple", ["-1"]),
        ("true_false", ["ya"]),
        ("true_false", ["true", "false"]),
        ("matching", ["x"]),
        ("matching", ["1"] * 27),
        ("ordering", ["001"]),
        ("short_answer", ["a", "b"]),
        ("short_answer", ["a" * 501]),
        ("numeric", ["1", "2", "3"]),
        ("numeric", ["1" * 81]),
        ("essay", ["a", "b"]),
        ("essay", ["a" * 20_001]),
    ],
)
def test_what_no_page_of_ours_sends_is_refused(kind, values):
    with pytest.raises(BadResponse):
        TYPES[Kind(kind)].read(values)


# What can be asked


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (Single(options(100)), Key.FEW_OPTIONS),
        (Single(options(50, 50)), Key.NO_RIGHT),
        (Single(options(100, 101)), Key.WEIGHT_RANGE),
        (Multiple(options(0, 0)), Key.NO_RIGHT),
        (Multiple(options(50, 0), all_or_nothing=True), Key.ALL_WEIGHTS),
        (Matching((Pair(Text(), "a"), Pair(Text(), "b"))), Key.FEW_OPTIONS),
        (Matching((Pair(Text("a"), ""), Pair(Text("b"), "b"))), Key.EMPTY_OPTION),
        (Ordering((Text("a"), Text())), Key.EMPTY_OPTION),
        (ShortAnswer(()), Key.NO_ANSWERS),
        (ShortAnswer((Accepted("a"), Accepted(""))), Key.EMPTY_OPTION),
        (Numeric((Number(Decimal(1), weight=Decimal(0)),)), Key.NO_RIGHT),
        (Numeric((Number(Decimal(1), Decimal(-1)),)), Key.TOLERANCE),
        (Essay(5, 4), Key.WORD_LIMITS),
    ],
)
def test_what_cannot_be_asked_is_refused(body, key):
    with pytest.raises(Refused) as refused:
        check(Question(body, Text("Apa?")), Report())

    assert refused.value.key is key


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (Single(options(100, 100)), Key.SEVERAL_RIGHT),
        (Multiple(options(30, 30)), Key.SUM),
        (Multiple(options(50, 50)), None),
        (Essay(4, 5), None),
        (TrueFalse(answer=True), None),
    ],
)
def test_what_is_odd_is_told(body, key):
    report = Report()
    check(Question(body, Text("Apa?")), report)

    assert [one.key for one in report.problems()] == ([key] if key else [])


# Another key

WHY = Text("Menurut UU 23/2004.")
OPTIONS = tuple(
    Option(Text(text), Decimal(weight), Text(f"Tentang {text}"))
    for text, weight in (("satu", 50), ("dua", 50), ("tiga", 0), ("empat", 0))
)


def rekeyed(body, values):
    return TYPES[body.kind].rekey(body, values, WHY)


def test_another_option_is_the_best_one_and_a_part_stays_a_part():
    options = tuple(Option(Text(t), Decimal(w)) for t, w in (("a", 100), ("b", 50), ("c", 0)))
    new = rekeyed(Single(options), ["3"])
    assert [one.weight for one in new.options] == [0, 50, 100]
    assert [one.feedback for one in new.options] == [WHY, Text(), WHY]
    for values in ([], ["4"], ["0"], ["2", "3"], ["x"]):
        with pytest.raises(NotAKey):
            rekeyed(Single(options), values)


@pytest.mark.parametrize(
    ("weights", "values", "becomes"),
    [
        ((50, 50, 0, 0), ["1", "3"], (50, 0, 50, 0)),
        ((50, 50, 0, 0), ["1", "2", "3", "4"], (25, 25, 25, 25)),
        ((50, 50, -20, -50), ["1"], (100, -50, -20, -50)),
        ((50, 50, -20, -50), ["1", "2", "3"], ("33.33333", "33.33333", "33.33333", -50)),
    ],
)
def test_the_right_options_share_the_whole_and_a_wrong_one_costs_as_much_as_the_worst(
    weights, values, becomes
):
    body = Multiple(
        tuple(replace(one, weight=Decimal(w)) for one, w in zip(OPTIONS, weights, strict=True))
    )
    new = rekeyed(body, values)
    assert [one.weight for one in new.options] == [Decimal(one) for one in becomes]
    changed = {n for n in range(4) if (n in body.right) != (n in new.right)}
    assert [one.feedback == WHY for one in new.options] == [n in changed for n in range(4)]


def test_where_all_are_needed_each_right_one_weighs_everything():
    options = tuple(replace(one, weight=one.weight * 2) for one in OPTIONS)
    new = rekeyed(Multiple(options, all_or_nothing=True), ["2", "3"])
    assert [one.weight for one in new.options] == [0, 100, 100, 0]


def test_what_was_said_about_true_and_false_gives_way():
    body = TrueFalse(True, Text("Betul."), Text("Keliru."))
    assert rekeyed(body, ["false"]) == TrueFalse(False, WHY, WHY)
    for values in ([], ["no"], ["true", "false"]):
        with pytest.raises(NotAKey):
            rekeyed(body, values)


def test_a_choice_that_belongs_to_nothing_any_more_is_still_shown():
    body = Matching((Pair(Text("a"), "X"), Pair(Text("b"), "Y"), Pair(Text(), "Z")))
    new = rekeyed(body, ["3", "2"])
    assert [pair.right for pair in new.pairs] == ["Z", "Y", "Z"]
    assert new.choices == body.choices == ("X", "Y", "Z")
    order = "BA-CAB"  # shown: b and a; Z, X, Y
    assert TYPES[Kind.MATCHING].score(body, order, {"picks": [3, 2]}) == 1
    assert TYPES[Kind.MATCHING].score(new, order, {"picks": [3, 2]}) == Fraction(1, 2)
    assert TYPES[Kind.MATCHING].score(new, order, {"picks": [3, 1]}) == 1
    assert rekeyed(new, ["1", "2"]) == body  # back again, to the letter
    for values in ([], ["1"], ["1", "4"], ["1", "0"]):
        with pytest.raises(NotAKey):
            rekeyed(body, values)


def test_items_keep_their_lines_when_their_order_was_wrong():
    body = Ordering((Text("a"), Text("b"), Text("c")))
    new = rekeyed(body, ["1:2", "2:1", "3:3"])
    assert (new.items, new.places) == (body.items, (2, 1, 3))
    order = "CAB"  # shown: c, a, b
    kind = TYPES[Kind.ORDERING]
    assert kind.score(body, order, {"places": [3, 1, 2]}) == 1
    assert kind.score(new, order, {"places": [3, 1, 2]}) == Fraction(1, 3)
    assert kind.score(new, order, {"places": [3, 2, 1]}) == 1
    assert [line.text.value for line in kind.result(new, order, None).lines] == ["b", "a", "c"]
    assert kind.answer(new) == "b → a → c"
    assert rekeyed(new, ["1", "2", "3"]) == body
    for values in ([], ["1", "1", "2"], ["1", "2"], ["1:1", "1:2", "2:3"], ["1:1", "2:2", "4:3"]):
        with pytest.raises(NotAKey):
            rekeyed(body, values)
    alike = Ordering((Text("a"), Text("a"), Text("b")))
    with pytest.raises(SameKey):
        rekeyed(alike, ["2", "1", "3"])


def test_places_that_do_not_fit_the_items_are_those_of_the_list():
    assert Ordering((Text("a"), Text("b")), places=(1, 1)).in_order == (0, 1)


def test_a_place_may_name_its_item():
    kind = TYPES[Kind.ORDERING]
    assert kind.read(["2:1", "1:3", "3:"]) == {"places": [3, 1, 0]}
    assert kind.read(["3", "", "1"]) == {"places": [3, 0, 1]}
    for values in (["1:2", "1:1"], ["1:1", "3:2"], ["1:1", "2"], ["x:1", "2:2"], ["0:1", "1:2"]):
        with pytest.raises(BadResponse):
            kind.read(values)


def test_a_line_is_an_accepted_answer_and_parts_stay():
    body = ShortAnswer(
        (Accepted("visum", feedback=Text("Ya.")), Accepted("surat", Decimal(50)), Accepted("x"))
    )
    new = rekeyed(body, ["visum\r\nvisum et repertum\n\n visum "])
    assert [(one.value, one.weight) for one in new.answers] == [
        ("visum et repertum", 100),
        ("visum", 100),
        ("surat", 50),
    ]
    assert [one.feedback for one in new.answers] == [WHY, Text("Ya."), Text()]
    whole = rekeyed(body, ["surat"])
    assert [(one.value, one.weight) for one in whole.answers] == [("surat", 100)]
    with pytest.raises(SameKey):
        rekeyed(body, ["x\nvisum"])
    lines = "\n".join(map(str, range(26)))
    for values in ([], [" \n "], ["x" * 501], [f"{lines}\n26"], [lines], ["x" * 13_001]):
        with pytest.raises(NotAKey):
            rekeyed(body, values)


def test_a_line_is_an_accepted_number_with_its_tolerance():
    body = Numeric(
        (Number(Decimal("2.5"), Decimal("0.1")), Number(Decimal(9), weight=Decimal(50))),
        (Unit("jam"),),
    )
    assert TYPES[Kind.NUMERIC].key_of(body) == ["2,5:0,1"]
    new = rekeyed(body, ["3\n2,5:0,1\n4..5"])
    assert [str(one) for one in new.answers] == ["3:0", "4.5:0.5", "2.5:0.1", "9:0"]
    assert new.units == body.units
    assert [one.feedback == WHY for one in new.answers] == [True, True, False, False]
    assert [str(one) for one in rekeyed(body, ["9"]).answers] == ["9:0"]
    with pytest.raises(SameKey):
        rekeyed(body, ["2.50 : 0.10"])
    lines = "\n".join(map(str, range(26)))
    for values in ([], ["tiga"], ["1:-1"], ["1.000,5"], [lines.replace("9", "99")]):
        with pytest.raises(NotAKey):
            rekeyed(body, values)


def test_a_key_says_neither_fifty_nor_fifty_thousand_in_one():
    body = Numeric((Number(Decimal("3.141")), Number(None, weight=Decimal(50))))
    grouped = ["50.000", "5\n50.000", "50.000:0,5", "7:1.000", "1.000..2.000", "0 .. 2.000"]
    for line in (*grouped, "-50.000", "50.000.000", "\N{MINUS SIGN}50.000", "+1.000"):
        with pytest.raises(NotAKey) as refused:
            rekeyed(body, [line])
        assert not isinstance(refused.value, SameKey)
    plain = ["50000", "50.0", "0.125", "2.5:0.1", "1.5..2.25", "12,500", "*"]
    new = rekeyed(body, ["\n".join(plain)])
    assert [str(one) for one in new.answers] == [
        "50000:0",
        "50:0",
        "0.125:0",
        "2.5:0.1",
        "1.875:0.375",
        "12.5:0",
        "*",
    ]
    # What stands in the field is never refused.
    [shown] = TYPES[Kind.NUMERIC].key_of(body)
    assert shown == "3,141"
    with pytest.raises(SameKey):
        rekeyed(body, [shown])


def test_what_was_wrong_stays_wrong_when_something_else_is_accepted_too():
    words = ShortAnswer((Accepted("tidak*", Decimal(0)), Accepted("*aman*")))
    new = rekeyed(words, ["*aman*\nterlindung"])
    assert [earned(new, {"text": one}) for one in ("tidak aman", "aman", "terlindung")] == [0, 1, 1]
    numbers = Numeric(
        (Number(Decimal(3), weight=Decimal(0)), Number(Decimal("3.14"), Decimal("0.5")))
    )
    new = rekeyed(numbers, ["3,14:0,5\n9"])
    assert [earned(new, {"text": one}) for one in ("3", "3,1", "9")] == [0, 1, 1]


WEIGHTS = st.sampled_from([Decimal(0), Decimal(50), Decimal(100)])
WORDS = st.text("ab*", min_size=1, max_size=2)
SPANS = st.tuples(st.integers(0, 4).map(Decimal), st.integers(0, 2).map(Decimal))


def keys(what):
    """What is accepted, each with its weight and whether a new key has it; what else that has."""
    return st.tuples(
        st.lists(st.tuples(what, WEIGHTS, st.booleans()), min_size=2, max_size=5),
        st.lists(what, max_size=1),
    )


def changed_by(answers, others):
    """Return the lines of a new key, and those by which it differs."""
    whole = {what for what, weight, _stays in answers if weight == 100}
    lines = {what for what, weight, stays in answers if weight == 100 and stays} | set(others)
    return lines, whole ^ lines


@given(keys(WORDS))
def test_a_word_that_no_changed_line_fits_earns_what_it_did(found):
    lines, changed = changed_by(*found)
    if not lines or not changed:
        return
    body = ShortAnswer(tuple(Accepted(what, weight) for what, weight, _stays in found[0]))
    new = rekeyed(body, ["\n".join(lines)])
    for text in ("a", "b", "aa", "ab", "ba", "bb", "aba", "c"):
        if not any(fits(one, text) for one in changed):
            assert earned(new, {"text": text}) == earned(body, {"text": text})


@given(keys(SPANS))
def test_a_number_that_no_changed_line_fits_earns_what_it_did(found):
    lines, changed = changed_by(*found)
    if not lines or not changed:
        return
    body = Numeric(tuple(Number(*what, weight) for what, weight, _stays in found[0]))
    new = rekeyed(body, ["\n".join(f"{value}:{tolerance}" for value, tolerance in lines)])
    for number in range(-2, 8):
        if not any(abs(number - value) <= tolerance for value, tolerance in changed):
            assert earned(new, {"text": str(number)}) == earned(body, {"text": str(number)})


HALF, ZERO = Decimal(50), Decimal(0)


@pytest.mark.parametrize(
    ("answers", "text"),
    [
        ([Accepted("*")], "a"),  # nothing at all is no answer
        ([Accepted("*a*", ZERO), Accepted("*")], "b"),
        ([Accepted("rumahaman", HALF), Accepted("rumah*aman")], "rumahaaman"),
        ([Accepted("*", HALF), Accepted("SAPA")], None),
        ([Accepted("sapa", HALF)], None),
    ],
)
def test_a_word_that_earns_everything_is_found(answers, text):
    found = TYPES[Kind.SHORT_ANSWER].solve(ShortAnswer(tuple(answers)), "")
    assert found == (text and {"text": text})


@pytest.mark.parametrize(
    ("answers", "units", "text"),
    [
        ([Number(None)], (), "0"),
        ([Number(Decimal(-1), Decimal(2), ZERO), Number(None)], (), "4"),
        ([Number(Decimal(3), Decimal(1), HALF), Number(Decimal(3), Decimal(2))], (), "1"),
        ([Number(Decimal(3), weight=ZERO), Number(Decimal("3.5"), Decimal("0.5"))], (), "3.5"),
        ([Number(Decimal(3))], (Unit("x", ZERO), Unit("menit", Decimal(60))), "180"),
        ([Number(Decimal(3))], (Unit("x", ZERO),), None),
        ([Number(None, weight=HALF), Number(Decimal(3))], (), None),
    ],
)
def test_a_number_that_earns_everything_is_found(answers, units, text):
    found = TYPES[Kind.NUMERIC].solve(Numeric(tuple(answers), units), "")
    assert found == (text and {"text": text, "unit": units[-1].name if units else ""})


def test_an_essay_has_no_key():
    assert TYPES[Kind.ESSAY].key_of(Essay()) == []
    assert TYPES[Kind.ESSAY].answer(Essay()) == ""
    with pytest.raises(NotAKey):
        rekeyed(Essay(), ["x"])
