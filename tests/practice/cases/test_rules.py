"""Open parts, words, saves and marks, without Flask or a database."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.practice.cases import rules
from lms.practice.cases.rules import Draft, Gap, Lack, Mark, Receipt, Task

TASKS = (
    Task(id="a", kuk=("1", "2"), min_words=3, max_words=5),
    Task(id="b", kuk=("3",), min_words=3, max_words=5),
)


def test_a_part_is_open_while_one_of_its_criteria_is_not_met():
    assert rules.open_tasks(TASKS, {"1", "3"}) == TASKS[:1]
    assert rules.open_tasks(TASKS, {"1", "2"}) == TASKS[1:]
    assert rules.open_tasks(TASKS, {"1", "2", "3"}) == ()


def test_the_next_try_shows_only_criteria_that_are_not_met():
    assert rules.open_kuk(("1", "2", "3"), {"2"}) == ("1", "3")


@given(st.sets(st.sampled_from(["1", "2", "3"])))
def test_every_open_criterion_is_in_an_open_part_and_no_part_is_open_for_nothing(met: set[str]):
    parts = rules.open_tasks(TASKS, met)
    open_ = set(rules.open_kuk(("1", "2", "3"), met))
    assert open_ <= {code for task in parts for code in task.kuk}
    assert all(open_ & set(task.kuk) for task in parts)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("  \n ", 0),
        ("- A. pukul 10.40", 3),
        ("UPTD-PPA – hari ini", 3),
        ("| Tanda | Ada |", 2),
    ],
)
def test_words_are_what_holds_a_letter_or_a_digit(text: str, words: int):
    assert rules.count_words(text) == words


def test_lines_end_alike_whatever_the_browser_sends():
    assert rules.tidy(" a\r\nb\rc\x00\n ") == "a\nb\nc"


def test_the_trace_of_answers_knows_which_text_stands_where():
    assert rules.trace_of({"a": "x", "b": ""}) != rules.trace_of({"a": "", "b": "x"})
    assert rules.trace_of({"a": "x", "b": "y"}) == rules.trace_of({"b": "y", "a": "x"})


def draft(text: str, page: str = "p", seq: int = 1) -> Draft:
    return Draft(text=text, page=page, seq=seq)


def test_the_first_text_is_saved():
    assert rules.receive(None, draft("x"), seen="") is Receipt.SAVED


def test_an_older_save_that_arrives_late_is_dropped():
    assert rules.receive(draft("new", seq=7), draft("old", seq=6), seen="") is Receipt.OLDER
    assert rules.receive(draft("new", seq=7), draft("same", seq=7), seen="") is Receipt.OLDER
    assert rules.receive(draft("old", seq=7), draft("new", seq=8), seen="") is Receipt.SAVED


def test_another_page_may_go_on_from_the_text_it_was_shown():
    stored = draft("old", page="desk", seq=90)
    assert rules.receive(stored, draft("new", page="phone"), seen=rules.trace("old")) is (
        Receipt.SAVED
    )
    assert rules.receive(stored, draft("old", page="phone"), seen="") is Receipt.SAVED


def test_two_pages_that_changed_the_same_text_are_told():
    stored = draft("desk", page="desk")
    arrived = draft("phone", page="phone")
    assert rules.receive(stored, arrived, seen=rules.trace("before")) is Receipt.CONFLICT


def test_a_page_that_wrote_nothing_leaves_the_other_text_alone():
    stored = draft("desk", page="desk")
    arrived = draft("before", page="phone")
    assert rules.receive(stored, arrived, seen=rules.trace("before")) is Receipt.UNTOUCHED


@given(st.permutations(list(range(1, 7))))
def test_whatever_the_order_of_arrival_the_newest_text_of_a_page_stays(order: list[int]):
    stored: Draft | None = None
    for seq in order:
        arrived = draft(f"text {seq}", seq=seq)
        if rules.receive(stored, arrived, seen="") is Receipt.SAVED:
            stored = arrived
    assert stored == draft("text 6", seq=6)


def check(text: str, refused: str | None = None) -> rules.Checked:
    texts = {} if refused is None else {"b": refused}
    return rules.check_answers(TASKS[1:], {"b": text}, refused=texts)[0]


def test_length_is_checked_against_both_limits():
    assert (check("a b").lack, check("a b").off) == (Lack.SHORT, 1)
    assert check("a b c").lack is None
    assert check("a b c d e").lack is None
    assert (check("a b c d e f g").lack, check("a b c d e f g").off) == (Lack.LONG, 2)


def test_a_text_that_was_marked_as_not_there_yet_has_to_change():
    assert check("a b c", refused="a b c\r\n").lack is Lack.UNCHANGED
    assert check("a b c d", refused="a b c").lack is None


def test_a_missing_answer_counts_as_empty():
    assert rules.check_answers(TASKS, {}, refused={})[0].words == 0


def test_only_complete_answers_may_be_handed_in():
    good, bad = check("a b c"), check("a")
    assert rules.may_hand_in([good, good])
    assert not rules.may_hand_in([good, bad])
    assert not rules.may_hand_in([])


@pytest.mark.parametrize(
    ("level", "critical", "needed"),
    [
        (0, False, True),
        (0, True, True),
        (1, False, False),
        (1, True, True),
        (2, False, False),
        (2, True, False),
    ],
)
def test_which_marks_need_a_note(level: int, critical: bool, needed: bool):
    assert rules.needs_note(level, critical=critical) is needed
    marks = {"k": Mark(level, "  ")}
    critical_kuk = {"k"} if critical else set()
    if not needed:
        assert rules.check_marks(["k"], marks, critical_kuk) == marks
        return
    with pytest.raises(rules.MarksIncomplete) as refused:
        rules.check_marks(["k"], marks, critical_kuk)
    assert refused.value.gaps == {"k": Gap.NOTE}


@pytest.mark.parametrize("level", [None, -1, 3])
def test_a_mark_that_is_not_one_of_three_levels_is_missing(level: int | None):
    with pytest.raises(rules.MarksIncomplete, match="x mark") as refused:
        rules.check_marks(["k", "x"], {"k": Mark(2), "x": Mark(level, "n")}, set())
    assert refused.value.gaps == {"x": Gap.MARK}


def test_marks_nobody_asked_for_are_left_out():
    assert rules.check_marks(["k"], {"k": Mark(2), "z": Mark(0)}, set()) == {"k": Mark(2)}


def test_a_criterion_that_was_not_marked_at_all_is_named():
    with pytest.raises(rules.MarksIncomplete) as refused:
        rules.check_marks(["k"], {}, set())
    assert refused.value.gaps == {"k": Gap.MARK}
