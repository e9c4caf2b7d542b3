"""What is written is read again as it was, or the list of losses says what is not."""

import re
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lms.quizzes.exchange import formats, model
from lms.quizzes.exchange.batch import Written
from lms.quizzes.exchange.model import Format, Question, Tags
from lms.quizzes.exchange.problems import Key, Report, Severity
from lms.quizzes.exchange.texts import Reader
from tests.quizzes.exchange import strategies

slow = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
TEXTS = [name for name in formats.WRITABLE if name != "xlsx"]  # a process for each file is slow


def exchanged(name: str, questions: Sequence[Question]) -> tuple[Written, tuple[Question, ...]]:
    """Write, and read what was written; nothing that was written is refused."""
    written = formats.write(name, questions)
    if not written.count:
        return written, ()
    batch = formats.read(name, written.data)
    assert batch.refused == 0, batch.problems
    assert len(batch.questions) == written.count
    return written, batch.questions


def keys(written: Written) -> set[Key]:
    return {one.key for one in written.problems}


@pytest.mark.parametrize("name", TEXTS)
@given(questions=st.lists(strategies.questions, min_size=1, max_size=3))
@slow
def test_nothing_is_lost_in_silence(name: str, questions: list[Question]):
    written, back = exchanged(name, questions)
    assert back == tuple(questions) or written.problems
    told = [one for one in written.problems if one.severity is not Severity.NOTE]
    unnamed = tuple(replace(one, name="") for one in back)
    assert unnamed == tuple(replace(one, name="") for one in questions) or told


@pytest.mark.parametrize("name", TEXTS)
@given(questions=st.lists(strategies.questions, min_size=1, max_size=3))
@slow
def test_what_was_carried_once_is_carried_again(name: str, questions: list[Question]):
    _, once = exchanged(name, questions)
    if once:
        _, twice = exchanged(name, once)
        assert twice == once


@given(question=strategies.questions.filter(lambda one: one.name or one.id))
@slow
def test_moodle_xml_carries_everything(question: Question):
    has_place = (model.Single, model.Multiple, model.Matching, model.Ordering)
    if not isinstance(question.body, has_place):
        question = replace(question, outcomes=model.SILENT)
    if isinstance(question.body, model.Description):
        question = replace(question, mark=Decimal(1))
    if not isinstance(question.body, model.Category):
        question = replace(question, name=question.name or question.id)
    written, back = exchanged("moodle-xml", [question])
    assert back == (question,)
    assert keys(written) <= {Key.TAG, Key.PLUGIN}


@given(question=strategies.questions)
@slow
def test_a_table_carries_everything_but_images(question: Question):
    tags, stem = question.tags, strategies.canonical(question.stem.value, question.stem.format)
    kept = (one for one in tags.labels() if ";" not in one)
    question = replace(
        question,
        tags=Tags.of(tuple(kept)),
        stem=stem or model.Text("x"),
        hints=question.hints[:5],
    )
    written, back = exchanged("csv", [question])
    assert back == (question,)
    assert written.problems == ()


@given(question=strategies.bare)
@slow
def test_gift_carries_what_it_has_a_place_for(question: Question):
    if isinstance(question.body, model.Single | model.Multiple | model.Matching):
        question = replace(question, body=replace(question.body, shuffle=True))
    kept = (one for one in question.tags.labels() if "\\" not in one)
    question = replace(
        question, tags=Tags.of(tuple(kept)), id="" if "\\" in question.id else question.id
    )
    written, back = exchanged("gift", [question])
    if Key.ODD_TEXT in keys(written):  # -> or // where GIFT has no other letters for them
        assert written.count == 0
        return
    assert same_words(back) == same_words((question,))
    assert keys(written) <= {Key.TAG, Key.PLUGIN}


def same_words(questions: Sequence[Question]) -> str:
    """The questions, with the one letter that GIFT writes otherwise, and numbers as their value."""
    text = repr(questions).replace("-&gt;", "->")
    return re.sub(r"Decimal\('([^']*)'\)", lambda found: model.digits(Decimal(found[1])), text)


@given(question=strategies.simple)
@slow
def test_aiken_carries_a_question_with_one_right_option(question: Question):
    written, back = exchanged("aiken", [question])
    if Key.ODD_TEXT not in keys(written):
        assert back == (question,)
        assert written.problems == ()


@given(questions=st.lists(strategies.questions, min_size=1, max_size=12))
@settings(slow, max_examples=8)
def test_a_workbook_says_what_the_csv_says(questions: list[Question]):
    assert exchanged("xlsx", questions)[1] == exchanged("csv", questions)[1]


@given(value=strategies.raw(12), format_=st.sampled_from(Format))
@settings(slow, max_examples=200)
def test_reading_a_text_again_changes_nothing(value: str, format_: Format):
    once = Reader(Report()).text(value, format_)
    report = Report()
    assert Reader(report).text(once.value, once.format) == once
    assert report.problems() == ()
