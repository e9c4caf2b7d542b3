"""What holds for every type of question, whatever is asked and answered."""

import json
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.quizzes.exchange import model
from lms.quizzes.exchange.model import HUNDRED, Format, Kind, Outcomes, Text
from lms.quizzes.types import (
    TYPES,
    BadResponse,
    NotAKey,
    SameKey,
    TooLong,
    Unloadable,
    codec,
    stored,
)
from lms.quizzes.types.base import Result, unmixed, written
from lms.quizzes.types.essay.rules import words
from lms.quizzes.types.problems import Report
from tests.quizzes.exchange import strategies

KINDS = sorted(TYPES)
asked = strategies.questions.filter(lambda one: one.kind in TYPES)
"""A question of any type that a reader would keep."""
seeds = st.integers(0, 2**32)
letters = st.text(st.characters(), max_size=30)
hostile = st.lists(
    st.one_of(
        letters,
        st.integers(-5, 30).map(str),
        st.sampled_from(["", "0", "1", "2", "true", "false", "²", "١", "1e9", "-1", "\0", "x" * 9]),
    ),
    max_size=30,
)
"""What a page of ours would not send, now and then mixed with what it would."""


def response_of(kind, values):
    """Return what a page sent, or None when it is refused."""
    try:
        return TYPES[kind].read(values)
    except BadResponse:
        return None


def test_the_registry_names_every_type_there_is():
    asks = set(Kind) - {Kind.DESCRIPTION, Kind.CATEGORY}

    assert set(TYPES) == asks
    assert all(TYPES[kind].kind is kind for kind in TYPES)


@given(asked, seeds, hostile)
def test_a_score_is_a_share_of_the_mark(question, seed, values):
    kind = TYPES[question.kind]
    order = kind.deal(question.body, Random(seed))
    response = response_of(question.kind, values)

    earned = kind.score(question.body, order, response)

    assert earned is None or (isinstance(earned, Fraction) and 0 <= earned <= 1)
    assert (earned is None) <= kind.by_hand


@given(asked, seeds)
def test_the_right_response_earns_everything_and_is_not_blank(question, seed):
    kind = TYPES[question.kind]
    order = kind.deal(question.body, Random(seed))
    right = kind.solve(question.body, order)

    if right is not None:
        assert kind.score(question.body, order, right) == 1
        assert not kind.is_blank(right)
        assert json.loads(json.dumps(right)) == right
    else:
        assert question.kind in (Kind.ESSAY, Kind.SHORT_ANSWER, Kind.NUMERIC)


@given(asked, seeds)
def test_what_can_be_chosen_can_always_be_solved(question, seed):
    kind = TYPES[question.kind]
    order = kind.deal(question.body, Random(seed))

    if question.kind not in (Kind.ESSAY, Kind.SHORT_ANSWER, Kind.NUMERIC):
        assert kind.solve(question.body, order)


@given(asked, seeds)
def test_no_answer_earns_nothing(question, seed):
    kind = TYPES[question.kind]
    order = kind.deal(question.body, Random(seed))

    for response in (None, kind.read([]), {"picks": "x", "text": 3, "choice": "1", "places": 0}):
        assert kind.score(question.body, order, response) == 0
        assert kind.result(question.body, order, response).blank


@given(asked, seeds, hostile)
def test_reading_refuses_or_gives_what_json_and_a_database_hold(question, seed, values):
    response = response_of(question.kind, values)
    if response is None:
        return
    text = json.dumps(response, ensure_ascii=False)

    assert json.loads(text) == response
    assert "\0" not in text
    text.encode()
    assert len(text) < 50_000
    TYPES[question.kind].result(question.body, "", response)


@given(asked, seeds)
def test_a_running_page_is_told_nothing_of_the_key(question, seed):
    """What is secret is marked, so that a word that is shown as well does not look like a leak."""
    kind = TYPES[question.kind]
    marked = _marked(question.body)
    said = repr(kind.shown(marked, kind.deal(marked, Random(seed))))

    assert "RAHASIA" not in said
    assert "weight" not in said.lower()
    assert "Decimal" not in said
    result = repr(kind.result(marked, kind.deal(marked, Random(seed)), kind.read([])))
    if question.kind in (Kind.SINGLE, Kind.MULTIPLE, Kind.TRUE_FALSE, Kind.ORDERING):
        assert "best=True" in result or question.kind is Kind.ORDERING  # the positive control
    assert "best" not in said


def _marked(body):
    secret = Text("RAHASIA")
    match body:
        case model.Single():
            return model.Single(
                tuple(model.Option(o.text, o.weight, secret) for o in body.options), body.shuffle
            )
        case model.Multiple():
            return model.Multiple(
                tuple(model.Option(o.text, o.weight, secret) for o in body.options),
                body.all_or_nothing,
                body.shuffle,
            )
        case model.TrueFalse():
            return model.TrueFalse(body.answer, secret, secret)
        case model.ShortAnswer():
            return model.ShortAnswer(
                tuple(model.Accepted("RAHASIA", o.weight, secret) for o in body.answers)
            )
        case model.Numeric():
            return model.Numeric(
                tuple(model.Number(o.value, o.tolerance, o.weight, secret) for o in body.answers),
                body.units,
            )
        case model.Essay():
            return model.Essay(body.least_words, body.most_words, secret, body.start)
        case _:
            return body


@given(asked)
def test_a_body_comes_back_as_it_was(question):
    kind = TYPES[question.kind]
    raw = json.loads(json.dumps(kind.dump(question.body)))

    assert kind.load(raw) == question.body
    name, stem, packed = stored.pack(question)
    found = stored.unpack(name, stem, json.loads(json.dumps(packed)))
    assert (found.type, found.body, found.stem) == (kind, question.body, question.stem)
    assert (found.feedback, found.outcomes) == (question.feedback, question.outcomes)


@given(asked, seeds)
def test_every_order_shows_everything_once(question, seed):
    kind = TYPES[question.kind]
    shown = kind.shown(question.body, kind.deal(question.body, Random(seed)))

    match question.body:
        case model.Single() | model.Multiple():
            texts = [one.text for one in question.body.options]
            assert sorted(map(repr, shown["options"])) == sorted(map(repr, texts))
        case model.Ordering():
            assert sorted(map(repr, shown["items"])) == sorted(map(repr, question.body.items))
        case model.Matching():
            assert {one for _, one in shown["choices"]} == {p.right for p in question.body.pairs}
            lefts = [p.left for p in question.body.pairs if p.left]
            assert sorted(map(repr, shown["lefts"])) == sorted(map(repr, lefts))


def test_an_order_that_does_not_fit_shows_the_order_of_the_file():
    assert unmixed("", 3) == [0, 1, 2]
    assert unmixed("BA", 3) == [0, 1, 2]
    assert unmixed("AAB", 3) == [0, 1, 2]
    assert unmixed("CAB", 3) == [2, 0, 1]


def test_an_author_may_keep_the_order():
    keep = model.Single((option("a", 100), option("b", 0)), shuffle=False)

    assert {TYPES[Kind.SINGLE].deal(keep, Random(n)) for n in range(20)} == {"AB"}


def option(text, weight, feedback=""):
    return model.Option(Text(text), Decimal(weight), Text(feedback))


# What was written


def test_a_text_is_kept_but_for_what_no_database_holds():
    assert written(" a\r\nb\0c\x1fd\td ") == "a\nb c d\td"
    assert written("\ud800x") == "x"
    with pytest.raises(TooLong) as refused:
        written("x" * 501)
    assert refused.value.most == 500


def test_words_are_counted():
    assert words("") == 0
    assert words(" satu  dua\ntiga ") == 3


# JSON


@pytest.mark.parametrize(
    ("kind", "raw", "says"),
    [
        ("single", [], "body: names and values are needed"),
        ("single", {}, "options: is missing"),
        ("single", {"options": {}}, "options: a list is needed"),
        ("single", {"options": [{"text": 3}]}, "options.0.text: names and values are needed"),
        ("single", {"options": [{"text": "a", "weight": "x"}]}, "options.0.weight: a number"),
        ("single", {"options": [{"text": "a", "weight": True}]}, "options.0.weight: a number"),
        ("single", {"options": [{"text": "a", "weight": "NaN"}]}, "options.0.weight: a number"),
        ("single", {"options": [{"text": "a", "weight": "1" * 41}]}, "options.0.weight: a number"),
        ("single", {"options": [], "shuffle": 1}, "shuffle: bool is needed"),
        ("single", {"options": [], "key": "A"}, "key: is not known here"),
        ("essay", {"least_words": True}, "least_words: int is needed"),
        ("essay", {"start": {"value": "a", "format": "pdf"}}, "start.format: 'pdf' is not known"),
        (
            "essay",
            {"start": {"value": "a", "images": [{"name": "a", "media": "b", "data": "?"}]}},
            "start.images.0.data: is not base64",
        ),
    ],
)
def test_what_is_no_body_is_refused_with_its_place(kind, raw, says):
    with pytest.raises(Unloadable) as refused:
        TYPES[Kind(kind)].load(raw)

    assert str(refused.value).startswith(says)


def test_what_stands_at_its_default_is_left_out():
    body = model.Essay(most_words=None, least_words=5, start=Text("<b>a</b>", Format.HTML))

    assert codec.dump(body) == {
        "least_words": 5,
        "start": {"value": "<b>a</b>", "format": "html"},
    }
    assert TYPES[Kind.ESSAY].load({"least_words": None}) == model.Essay()


def test_a_number_of_yaml_is_the_one_that_was_written():
    found = TYPES[Kind.NUMERIC].load({"answers": [{"value": 0.1, "tolerance": 1}]})

    assert found.answers == (model.Number(Decimal("0.1"), Decimal(1)),)


def test_what_is_said_of_an_answer_follows_what_it_earned():
    question = model.Question(
        model.TrueFalse(answer=True),
        Text("Apa?"),
        outcomes=Outcomes(Text("r"), Text("p"), Text("w")),
    )
    found = stored.unpack(*stored.pack(question))

    assert [found.outcome(Fraction(n, 2)).value for n in (2, 1, 0)] == ["r", "p", "w"]


def test_a_single_best_answer_of_the_content_is_one_like_any_other():
    options = [{"key": k, "text": k * 3, "rationale": k * 5} for k in "ABCD"]
    found = stored.of_options("Apa?", options, "C")

    assert found.body.right == (2,)
    assert found.type.solve(found.body, "DCBA") == {"choice": 2}
    result = found.type.result(found.body, "DCBA", {"choice": 1})
    assert isinstance(result, Result)
    assert [(one.text.value, one.chosen, one.best) for one in result.lines] == [
        ("DDD", True, False),
        ("CCC", False, True),
        ("BBB", False, False),
        ("AAA", False, False),
    ]
    assert result.lines[1].feedback.value == "CCCCC"
    assert found.body.options[2].weight == HUNDRED


# Another key


def other_keys(kind, body, random):
    """Return what a page sends that corrects a key: places, words or numbers."""
    match kind:
        case Kind.SINGLE:
            return [str(random.randint(1, len(body.options)))]
        case Kind.MULTIPLE:
            places = range(1, len(body.options) + 1)
            return [str(n) for n in places if random.random() < 0.5] or ["1"]
        case Kind.TRUE_FALSE:
            return [random.choice(["true", "false"])]
        case Kind.MATCHING:
            return [str(random.randint(1, len(body.choices))) for _pair in body.asked]
        case Kind.ORDERING:
            places = random.sample(range(1, len(body.items) + 1), len(body.items))
            return [f"{n}:{at}" for n, at in enumerate(places, 1)]
        case Kind.SHORT_ANSWER:
            return [random.choice(["visum", "visum\r\nvisum et repertum", "a*b"])]
        case Kind.NUMERIC:
            return [random.choice(["2,5", "2.5:0,1\n7", "3..4", "-1e3"])]
    return ["x"]


@given(asked, seeds)
def test_another_key_leaves_the_screen_as_it_was(question, seed):
    """Old answers are marked by the new key, so what they point at must not move."""
    kind, body, random = TYPES[question.kind], question.body, Random(seed)
    before = kind.answer(body)
    try:
        new = kind.rekey(body, other_keys(question.kind, body, random), Text("Menurut UU."))
    except SameKey:
        return
    except NotAKey:
        assert kind.by_hand
        return
    order = kind.deal(body, random)

    assert kind.shown(new, order) == kind.shown(body, order)
    assert kind.load(json.loads(json.dumps(kind.dump(new)))) == new
    kind.check(new, Report())
    right = kind.solve(new, order)
    if right is not None:
        assert kind.score(new, order, right) == 1
        assert "best=True" in repr(kind.result(new, order, right))
    with pytest.raises(SameKey):
        kind.rekey(new, kind.key_of(new), Text("Lagi."))
    assert kind.answer(new) != before or question.kind in (Kind.NUMERIC, Kind.MULTIPLE, Kind.SINGLE)


@given(asked, hostile)
def test_what_is_no_key_is_refused(question, values):
    kind = TYPES[question.kind]
    try:
        new = kind.rekey(question.body, values, Text("Alasan."))
    except NotAKey:
        return
    text = json.dumps(kind.dump(new), ensure_ascii=False)
    assert "\\u0000" not in json.dumps(text)
    assert kind.load(json.loads(text)) == new
    kind.check(new, Report())


@given(asked, seeds)
def test_a_key_that_is_corrected_back_says_the_same_again(question, seed):
    kind, body = TYPES[question.kind], question.body
    if question.kind not in (Kind.TRUE_FALSE, Kind.MATCHING, Kind.ORDERING, Kind.MULTIPLE):
        return
    old = kind.key_of(body)
    try:
        new = kind.rekey(body, other_keys(question.kind, body, Random(seed)), Text("Salah."))
        back = kind.rekey(new, old, Text("Betul."))
    except NotAKey:
        return
    assert kind.key_of(back) == old
    assert kind.answer(back) == kind.answer(body)


def test_numbers_out_of_all_measure_are_none():
    for power in ("1e100", "1e-101", "1e999999999", "0e999"):
        with pytest.raises(Unloadable):
            codec.load(Decimal, power)
    assert codec.load(Decimal, "1e15") == Decimal("1e15")
