"""What one corrected mark does to the rows of a person."""

from hypothesis import given
from hypothesis import strategies as st

from lms.competency.rules import State, Verdict
from lms.corrections.rules import picture, read_picture, swap
from tests.ledgers import AT, STANDARD, Q, full

ROWS = full("K1")
ITEMS = [row for row in ROWS if row.kind is Q]
one_item = st.sampled_from(ITEMS)


def look(rows, row):
    return picture(STANDARD, rows, STANDARD.find(row.kuk), AT)


@given(one_item)
def test_the_same_mark_again_changes_nothing(row):
    assert look(swap(ROWS, row.id, True), row) == look(ROWS, row)


@given(one_item)
def test_a_wrong_mark_in_its_place_is_what_a_wrong_answer_would_have_been(row):

    wrong = [one._replace(passed=False) if one is row else one for one in ROWS]
    assert look(swap(ROWS, row.id, False), row) == look(wrong, row)


@given(one_item)
def test_without_a_mark_the_item_has_to_be_answered_again(row):
    found = look(swap(ROWS, row.id, None), row)
    assert (found.quiz, found.complete) == (State.NONE, False)


def test_a_critical_item_costs_the_criterion_and_another_is_made_up_for():
    critical = next(row for row in ITEMS if STANDARD.find(row.kuk).critical)
    other = next(row for row in ITEMS if not STANDARD.find(row.kuk).critical)
    assert look(swap(ROWS, critical.id, False), critical).verdict is Verdict.NOT_YET
    assert look(swap(ROWS, other.id, False), other).verdict is Verdict.COMPENSATED


def test_an_unknown_row_changes_nothing():
    assert swap(ROWS, 0, False) == ROWS


def test_a_picture_is_stored_and_read_again():
    found = look(ROWS, ITEMS[0])
    assert read_picture(found.as_dict()) == found
