"""Drawing and scoring, without Flask or a database."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.quizzes import rules
from lms.quizzes.rules import Answer, BankTooSmall, Candidate, Drawn, Event, Score

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def bank_of(sizes: dict[str, int]) -> dict[str, list[Candidate]]:
    """Items numbered through; version = item + 1000."""
    bank, item = {}, 0
    for kuk, size in sizes.items():
        bank[kuk] = [Candidate(item + n, item + n + 1000) for n in range(size)]
        item += size
    return bank


@st.composite
def drawings(draw):
    """A blueprint, a bank that suffices and what the person met before."""
    wanted = draw(st.dictionaries(st.sampled_from("abcdefg"), st.integers(1, 3), min_size=1))
    bank = bank_of({kuk: n + draw(st.integers(0, 5)) for kuk, n in wanted.items()})
    items = [c.item for candidates in bank.values() for c in candidates]
    seen = draw(st.dictionaries(st.sampled_from(items), st.integers(1, 4)))
    return wanted, bank, seen, draw(st.integers(0, 2**32))


@given(drawings())
def test_a_draw_shows_each_criterion_as_often_as_wanted_and_nothing_twice(drawing):
    wanted, bank, seen, seed = drawing
    drawn = rules.draw(wanted, bank, seen, Random(seed))
    kuk_of = {c.version: kuk for kuk, candidates in bank.items() for c in candidates}
    assert Counter(kuk_of[line.version] for line in drawn) == wanted
    assert len({line.version for line in drawn}) == len(drawn)
    assert all(sorted(line.order) == list("ABCD") for line in drawn)


@given(drawings())
def test_an_item_comes_back_only_when_all_less_recent_ones_are_shown(drawing):
    wanted, bank, seen, seed = drawing
    drawn = {line.version for line in rules.draw(wanted, bank, seen, Random(seed))}
    for candidates in bank.values():
        shown = [seen.get(c.item, 0) for c in candidates if c.version in drawn]
        left = [seen.get(c.item, 0) for c in candidates if c.version not in drawn]
        assert not left or max(shown) <= min(left)


@given(drawings())
def test_the_same_seed_draws_the_same(drawing):
    wanted, bank, seen, seed = drawing
    first = rules.draw(wanted, bank, seen, Random(seed))
    assert first == rules.draw(wanted, bank, seen, Random(seed))


def test_draws_differ_in_items_in_their_order_and_in_the_order_of_options():
    bank = bank_of({"a": 6, "b": 6})
    drawn = [rules.draw({"a": 2, "b": 2}, bank, {}, Random(seed)) for seed in range(30)]
    assert len({frozenset(line.version for line in one) for one in drawn}) > 5
    assert len({one[0].order for one in drawn}) > 5
    assert len({one[0].version < 1006 for one in drawn}) == 2


def test_a_bank_that_is_too_small_is_named():
    with pytest.raises(BankTooSmall, match=r"^b$"):
        rules.draw({"a": 1, "b": 2}, bank_of({"a": 1, "b": 1}), {}, Random(1))
    with pytest.raises(BankTooSmall, match=r"^c$"):
        rules.draw({"c": 1}, {}, {}, Random(1))
    assert rules.draw({}, {}, {}, Random(1)) == ()


def event(n: int, seq: int, choice: int | None = None, flagged: bool | None = None) -> Event:
    return Event(n, 7, seq, choice, flagged, NOW + timedelta(seconds=n))


def test_the_highest_seq_counts_then_the_highest_id():
    assert rules.latest([event(1, 2, choice=1), event(2, 1, choice=2)])[7].choice == 1
    assert rules.latest([event(1, 2, choice=1), event(2, 2, choice=2)])[7].choice == 2
    assert rules.latest([]) == {}


def test_choice_and_flag_do_not_undo_one_another():
    late_choice = [event(1, 5, flagged=True), event(2, 4, choice=3)]
    assert rules.latest(late_choice)[7] == Answer(3, True, NOW + timedelta(seconds=2))
    only_flag = rules.latest([event(1, 1, flagged=True)])[7]
    assert only_flag == Answer(None, True, None)
    assert rules.latest([event(1, 1, 2, True), event(2, 2, flagged=False)])[7] == Answer(
        2, False, NOW + timedelta(seconds=1)
    )


events = st.lists(
    st.builds(
        Event,
        id=st.integers(1, 10**6),
        question=st.integers(1, 3),
        seq=st.integers(0, 5),
        choice=st.none() | st.integers(1, 4),
        flagged=st.none() | st.booleans(),
        at=st.just(NOW),
    ),
    unique_by=lambda e: e.id,
)


@given(events, st.randoms(use_true_random=False))
def test_the_order_of_arrival_in_memory_does_not_matter(found, random):
    shuffled = list(found)
    random.shuffle(shuffled)
    assert rules.latest(shuffled) == rules.latest(found)


@given(events)
def test_what_counts_is_the_newest_word_on_each_matter(found):
    for question, answer in rules.latest(found).items():
        about = sorted(
            (e for e in found if e.question == question and e.choice is not None),
            key=lambda e: (e.seq, e.id),
        )
        assert answer.choice == (about[-1].choice if about else None)


def drawn(n: int, kuk: str = "a", key: str = "A", order: str = "CADB", **more) -> Drawn:
    return Drawn(id=n, version=100 + n, kuk=kuk, order=order, key=key, **more)


@given(
    st.lists(
        st.tuples(
            st.sampled_from("xyz"),
            st.permutations("ABCD"),
            st.sampled_from("ABCD"),
            st.none() | st.integers(1, 4),
            st.booleans(),
        )
    )
)
def test_a_score_counts_exactly_the_keys_that_were_hit(lines):
    questions = [
        drawn(n, kuk, key, "".join(order), withdrawn=gone)
        for n, (kuk, order, key, _choice, gone) in enumerate(lines)
    ]
    answers = {n: Answer(choice) for n, (_k, _o, _key, choice, _g) in enumerate(lines)}
    totals = rules.scores(rules.score_attempt(questions, answers))
    for name in {kuk for kuk, *_rest in lines}:
        counted = [line for line in lines if line[0] == name and not line[4]]
        right = sum(c is not None and order[c - 1] == key for _k, order, key, c, _g in counted)
        assert totals[name] == Score(right, len(counted))
        assert totals[name].passed == (0 < len(counted) == right)


def test_no_answer_is_not_right_and_answers_to_other_questions_are_ignored():
    marks = rules.score_attempt([drawn(1), drawn(2)], {2: Answer(2), 99: Answer(2)})
    assert [(mark.choice, mark.right) for mark in marks] == [(None, False), (2, True)]
    assert rules.scores(marks) == {"a": Score(1, 2)}
    assert rules.score_attempt([], {1: Answer(1)}) == ()


def test_a_withdrawn_item_counts_neither_way():
    marks = rules.score_attempt([drawn(1, withdrawn=True)], {1: Answer(2)})
    assert marks[0].right
    assert not marks[0].counts
    assert rules.scores(marks) == {"a": Score(0, 0)}
    assert not rules.scores(marks)["a"].passed


@pytest.mark.parametrize(
    ("page", "stored", "seq"),
    [(0, None, 1000), (7, 3, 1007), (3, 9, 1009), (999_999_999, 5, 1_000_000_000)],
)
def test_a_plain_page_outruns_its_own_script(page: int, stored: int | None, seq: int):
    assert rules.next_seq(page, stored) == seq


def test_tries_are_counted_anew_after_a_pass():
    tries = [NOW + timedelta(days=day) for day in range(4)]
    assert rules.tries_since(tries, []) == tries
    assert rules.tries_since(tries, [tries[1]]) == tries[2:]
    assert rules.tries_since(tries, [tries[0], tries[3]]) == []


@given(st.integers(0, 200))
def test_needed_is_the_smallest_number_that_satisfies_four_fifths(shown):
    needed = rules.needed((4, 5), shown)
    assert 5 * needed >= 4 * shown
    assert needed == 0 or 5 * (needed - 1) < 4 * shown


@pytest.mark.parametrize(("shown", "needed"), [(14, 12), (6, 5), (8, 7), (20, 16), (2, 2)])
def test_needed_as_the_table_of_the_decision_rules_has_it(shown: int, needed: int):
    assert rules.needed((4, 5), shown) == needed


def test_a_refusal_knows_when_it_ends():
    assert rules.TooSoon(NOW).at == NOW
    assert str(rules.TooSoon(NOW)) == NOW.isoformat()
