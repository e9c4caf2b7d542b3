"""Aiken: its lines, what is wrong with them, and what does not fit in."""

from decimal import Decimal

import pytest

from lms.quizzes.exchange import aiken, model
from lms.quizzes.exchange.model import Format, Question, Tags, Text
from lms.quizzes.exchange.problems import Key

GOOD = "Apa ini?\nA) Satu\nB. Dua\nANSWER: B\n"


def test_lettered_lines_are_options():
    batch = aiken.read((GOOD + "\n" + GOOD.replace("\n", "\r\n")).encode())
    assert batch.problems == ()
    first, second = batch.questions
    assert first == second
    assert first.stem == Text("Apa ini?")
    assert isinstance(first.body, model.Single)
    assert [(o.text.value, o.weight) for o in first.body.options] == [("Satu", 0), ("Dua", 100)]


def test_a_question_may_have_lines_and_html_is_letters():
    batch = aiken.read(b"Lihat\n<b>ini</b>\nA) <script>\nB) b\nANSWER: A")
    assert batch.problems == ()
    assert batch.questions[0].stem == Text("Lihat\n<b>ini</b>", Format.PLAIN)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Apa?\nA) a\nB) b\n", Key.ANSWER_MISSING),
        ("Apa?\nA) a\nB) b\nANSWER: C", Key.ANSWER_UNKNOWN),
        ("Apa?\nA) a\nB) b\nANSWER: A, B", Key.ANSWER_UNKNOWN),
        ("Apa?\nA) a\nB) b\nANSWER:", Key.ANSWER_UNKNOWN),
        ("Apa?\nA) a\nC) b\nANSWER: A", Key.LETTERS),
        ("Apa?\nA) a\nANSWER: A", Key.FEW_OPTIONS),
        ("Apa?\nA)\nB) b\nANSWER: B", Key.EMPTY_OPTION),
        ("A) a\nB) b\nANSWER: B", Key.NO_STEM),
        ("Teks saja", Key.ANSWER_MISSING),
    ],
)
def test_what_is_not_a_question_is_refused_with_its_line(text: str, key: Key):
    batch = aiken.read(f"{GOOD}\n{text}\n".encode())
    assert [(p.key, p.line) for p in batch.problems] == [(key, 6)]
    assert len(batch.questions) == 1


def test_a_missing_answer_costs_one_question_only():
    batch = aiken.read(f"Apa?\nA) a\nB) b\n\n{GOOD}".encode())
    assert [p.key for p in batch.problems] == [Key.ANSWER_MISSING]
    assert len(batch.questions) == 1


def test_all_that_is_lost_is_listed():
    question = Question(
        model.Single(
            (
                model.Option(Text("<p>ya</p>", Format.HTML), Decimal(100), Text("Tepat")),
                model.Option(Text("tidak"), Decimal(50)),
            )
        ),
        Text("Apa\nini?"),
        id="K1-0211-1",
        tags=Tags(("02.1.1",), ("UU 23/2004 ps 1",)),
    )
    written = aiken.write([question])
    assert written.data.decode() == "Apa ini?\nA) ya\nB) tidak\nANSWER: A\n"
    assert [p.key for p in written.problems] == [Key.LOST] * 5 + [Key.LINE_BREAKS]
    assert any("KUK" in p.message for p in written.problems)


def test_other_types_are_refused_and_headings_left_out():
    yes = model.Option(Text("a"), Decimal(100))
    written = aiken.write(
        [
            Question(model.Category("x")),
            Question(model.Essay(), Text("Apa?")),
            Question(model.Single((yes, yes)), Text("Apa?")),
            Question(model.Single((yes, model.Option(Text("b")))), Text("A) Apa?")),
        ]
    )
    assert (written.count, written.refused) == (0, 3)
    assert [str(p.severity) for p in written.problems if p.key is Key.KIND_LOST] == [
        "warning",
        "error",
        "error",
    ]
