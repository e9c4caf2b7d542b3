"""GIFT as people write it: every type, odd places, and files that are no questions."""

from decimal import Decimal

import pytest

from lms.quizzes.exchange import gift, model
from lms.quizzes.exchange.batch import Batch
from lms.quizzes.exchange.model import NOTHING, Format, Kind, Question, Text
from lms.quizzes.exchange.problems import Key


def read(text: str) -> Batch:
    return gift.read(text.encode())


def one(text: str) -> Question:
    batch = read(text)
    assert batch.refused == 0, batch.problems
    (question,) = batch.questions
    return question


def keys(batch: Batch) -> list[Key]:
    return [problem.key for problem in batch.problems]


def test_a_choice_has_weights_and_feedback():
    question = one("::Q1::Kapan?{~%50%Pagi#Hampir.\n=Siang#Tepat.\n~Malam####Ingat jamnya.}")
    assert question.name == "Q1"
    assert question.stem == Text("Kapan?", Format.MOODLE)
    assert question.feedback.value == "Ingat jamnya."
    assert isinstance(question.body, model.Single)
    assert [(o.text.value, o.weight, o.feedback.value) for o in question.body.options] == [
        ("Pagi", 50, "Hampir."),
        ("Siang", 100, "Tepat."),
        ("Malam", 0, ""),
    ]


def test_without_a_whole_answer_several_are_chosen():
    question = one("Mana?{~%50%A~%50%B~%-100%C}")
    assert isinstance(question.body, model.Multiple)
    assert question.body.right == (0, 1)
    assert not question.body.all_or_nothing


def test_weights_that_do_not_make_a_whole_are_said():
    assert keys(read("Mana?{~%50%A~%30%B~C}")) == [Key.SUM]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Apa{}", Kind.ESSAY),
        ("Apa{####Umum}", Kind.ESSAY),
        ("Benar?{T}", Kind.TRUE_FALSE),
        ("Benar?{FALSE#salah#betul}", Kind.TRUE_FALSE),
        ("Kata?{=satu =dua}", Kind.SHORT_ANSWER),
        ("Kata?{satu}", Kind.SHORT_ANSWER),
        ("Pasangan{=a -> b =c -> d}", Kind.MATCHING),
        ("Angka?{#3}", Kind.NUMERIC),
        ("Angka?{#=3:0.1 =%50%3:1 ~#lain}", Kind.NUMERIC),
        ("Urut{>3 ALL VERTICAL ABSOLUTE_POSITION\nsatu\ndua\ntiga\n}", Kind.ORDERING),
        ("Hanya teks.", Kind.DESCRIPTION),
        ("$CATEGORY: a/b", Kind.CATEGORY),
        ("Panah?{=a->b ~c}", Kind.SINGLE),
    ],
)
def test_the_type_is_told_as_moodle_does(text: str, kind: Kind):
    assert one(text).kind is kind


def test_feedback_of_true_and_false_goes_to_its_answer():
    body = one("Benar?{FALSE#Bukan.#Tepat.}").body
    assert body == model.TrueFalse(
        answer=False,
        when_true=Text("Bukan.", Format.MOODLE),
        when_false=Text("Tepat.", Format.MOODLE),
    )


@pytest.mark.parametrize(
    ("written", "value", "tolerance"),
    [
        ("1822", "1822", "0"),
        ("3.1415:0.0005", "3.1415", "0.0005"),
        ("1..5", "3", "2"),
        ("-3.142..-3.141", "-3.1415", "0.0005"),
        (".5:0.1", "0.5", "0.1"),
        ("1e3", "1000", "0"),
    ],
)
def test_numbers_have_tolerances_and_ranges(written: str, value: str, tolerance: str):
    body = one(f"Berapa?{{#{written}}}").body
    assert isinstance(body, model.Numeric)
    number = body.answers[0]
    assert (number.value, number.tolerance) == (Decimal(value), Decimal(tolerance))


def test_any_other_number_may_have_feedback():
    body = one("Berapa?{#3 ~#Coba lagi.}").body
    assert isinstance(body, model.Numeric)
    assert body.answers[1].value is None
    assert (body.answers[1].weight, body.answers[1].feedback.value) == (0, "Coba lagi.")


def test_a_gap_in_the_sentence_stays_visible():
    assert one("Tiga {=tambah =plus} empat.").stem.value == "Tiga _____ empat."


def test_escaped_letters_are_letters():
    question = one(r"::a\:b::2 \= 2\n\{x\} \\ \~{=\#1#\=ya ~b}")
    assert question.name == "a:b"
    assert question.stem.value == "2 = 2\n{x} \\ ~"
    assert isinstance(question.body, model.Single)
    assert question.body.options[0].text.value == "#1"
    assert question.body.options[0].feedback.value == "=ya"


def test_options_have_the_format_of_their_question_unless_they_say():
    body = one("[markdown]**Apa**{=[plain]satu ~dua#[html]<b>x</b>}").body
    assert isinstance(body, model.Single)
    first, second = body.options
    assert first.text.format is Format.PLAIN
    assert second.text.format is Format.MARKDOWN
    assert second.feedback == Text("<b>x</b>", Format.HTML)


def test_a_pair_without_its_left_side_distracts():
    body = one("Cocokkan{=Senin -> hari = -> tahun}").body
    assert isinstance(body, model.Matching)
    assert body.pairs[1] == model.Pair(NOTHING, "tahun")


def test_ids_and_tags_stand_in_comments():
    text = "// [id:K1\\]a] [tag:kuk:02.1.1]\n// [tag:law:UU 23/2004 ps 16(1)] [tag:x]\nApa{}"
    question = one(text)
    assert question.id == "K1]a"
    assert question.tags.kuk == ("02.1.1",)
    assert question.tags.law_ref == ("UU 23/2004 ps 16(1)",)
    assert question.tags.other == ("x",)
    assert gift.read(gift.write([question]).data).questions == (question,)


def test_tags_that_belong_to_nothing_are_said():
    batch = read("// [tag:kuk:02.1.1]\n\nApa{}")
    assert batch.questions[0].tags.kuk == ()
    assert keys(batch) == [Key.ELEMENT]


def test_other_comments_are_said_once_with_their_number():
    batch = read("// satu\n\n// dua\nApa{}\n\n//---\n")
    assert [(p.key, p.count, p.line) for p in batch.problems] == [(Key.COMMENTS, 2, 1)]


def test_a_category_needs_no_empty_line():
    batch = read("Apa{}\n$CATEGORY: $course$/x\nBagaimana{}")
    assert [q.kind for q in batch.questions] == [Kind.ESSAY, Kind.CATEGORY, Kind.ESSAY]
    assert batch.questions[1].body == model.Category("$course$/x")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Apa{=a ~b", Key.BRACES),
        ("Apa =a ~b}", Key.BRACES),
        ("Apa}{=a", Key.BRACES),
        ("Apa{=a ~b} dan {=c ~d}", Key.BRACES),
        ("Apa{~a ~b}", Key.NO_RIGHT),
        ("Apa{=%50%a ~b}", Key.NO_RIGHT),
        ("Apa{=a ~}", Key.EMPTY_OPTION),
        ("Apa{~%100%a}", Key.FEW_OPTIONS),
        ("{=a ~b}", Key.NO_STEM),
        ("Apa{#tiga}", Key.NOT_A_NUMBER),
        ("Apa{#3,14}", Key.NOT_A_NUMBER),
        ("Apa{#5..1}", Key.TOLERANCE),
        ("Apa{#}", Key.NO_ANSWERS),
        ("Apa{=%150%a ~b}", Key.WEIGHT_RANGE),
        ("Apa{=a -> b =c}", Key.NO_ARROW),
        ("Apa{=a -> b}", Key.FEW_OPTIONS),
        ("Apa{=}", Key.EMPTY_OPTION),
        ("Apa{" + "~x" * 30 + "=y}", Key.MANY_OPTIONS),
    ],
)
def test_what_cannot_be_asked_is_refused_with_its_line(text: str, key: Key):
    batch = read(f"// [tag:a]\n\nBaik{{}}\n\n{text}\n\nJuga baik{{}}")
    refused = [p for p in batch.problems if p.severity == "error"]
    assert [(p.key, p.line) for p in refused] == [(key, 5)]
    assert [q.stem.value for q in batch.questions] == ["Baik", "Juga baik"]
    assert batch.refused == 1


def test_small_letters_are_read_as_true_and_said():
    batch = read("Benar?{true}")
    assert keys(batch) == [Key.TRUE_FALSE]
    assert batch.questions[0].body == model.TrueFalse(answer=True)


def test_ordering_without_its_head_loses_no_item():
    body = one("Urut{>satu\ndua}").body
    assert isinstance(body, model.Ordering)
    assert [item.value for item in body.items] == ["satu", "dua"]


def test_ordering_that_we_do_not_mark_like_that_is_said():
    batch = read("Urut{>2 RANDOM VERTICAL RELATIVE_NEXT_EXCLUDE_LAST\nsatu\ndua}")
    assert keys(batch) == [Key.ELEMENT, Key.GRADING]


def test_an_empty_file_is_refused():
    assert keys(read("\n\n// \n")) == [Key.EMPTY]


def test_what_gift_has_no_place_for_is_listed():
    half = model.Option(Text("a"), Decimal(100))
    question = Question(
        model.Multiple((half, half, model.Option(Text("b"))), all_or_nothing=True, shuffle=False),
        Text("Mana?"),
        hints=(Text("x"),),
        outcomes=model.Outcomes(Text("ya")),
        mark=Decimal(2),
    )
    written = gift.write([question])
    assert {p.key for p in written.problems} == {Key.LOST}
    assert len(written.problems) == 5
    back = gift.read(written.data).questions[0].body
    assert isinstance(back, model.Multiple)
    assert [o.weight for o in back.options] == [50, 50, 0]


def test_an_arrow_is_refused_where_it_would_pair():
    short = Question(model.ShortAnswer((model.Accepted("a->b"),)), Text("Kata?"))
    plain = Question(
        model.Matching((model.Pair(Text("a->b"), "x"), model.Pair(Text("c"), "y"))), Text("Apa?")
    )
    written = gift.write([short, plain])
    assert [p.key for p in written.problems] == [Key.ODD_TEXT, Key.ODD_TEXT]
    assert (written.count, written.refused) == (0, 2)


def test_tags_other_programs_cut_are_said():
    tags = model.Tags.of(["source:" + "x" * 60, "a\\b", "a<b"])
    written = gift.write([Question(model.Essay(), Text("Apa?"), tags=tags)])
    assert [p.key for p in written.problems] == [Key.TAG, Key.TAG_LOST, Key.TAG]
    assert gift.read(written.data).questions[0].tags.source == "x" * 60


def test_a_question_has_only_so_many_tags():
    tags = model.Tags.of([f"t{n}" for n in range(51)])
    written = gift.write([Question(model.Essay(), Text("Apa?"), tags=tags)])
    assert [p.key for p in written.problems] == [Key.TAGS_MANY]


def test_a_description_has_no_feedback():
    written = gift.write([Question(model.Description(), Text("Baca."), feedback=Text("x"))])
    assert [p.key for p in written.problems] == [Key.LOST]
