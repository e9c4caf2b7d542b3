"""How a story is checked, walked and scored."""

from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.practice.simulations import rules
from lms.practice.simulations.rules import ChoiceVerdict, Effects, RunOutcome
from tests.practice.simulations.scene import (
    HARMFUL,
    NOW,
    PROBLEMS,
    SAFE,
    SPECS,
    STANDARD,
    STORIES,
    UNSAFE,
    synthetic,
)

ACTS = STANDARD.rules.harmful_acts
Document = dict[str, Any]
STORY = rules.build_story(synthetic())
ALL = [rules.build_story(spec.model_dump(mode="json")) for spec in SPECS]


def broken(change: Callable[[Document], object]) -> list[tuple[str, tuple[str | int, ...]]]:
    """Return the flaws of the small story after a change."""
    document = synthetic()
    change(document)
    found = rules.flaws(rules.build_story(document), ["A", "B"], ACTS)
    return [(flaw.message, flaw.place) for flaw in found]


def node(document: Document, name: str) -> Document:
    """Return one node of a document."""
    found: Document = next(n for n in document["nodes"] if n["id"] == name)
    return found


def choice(document: Document, name: str, verdict: ChoiceVerdict) -> Document:
    """Return the first choice of this verdict at a node."""
    found: Document = next(c for c in node(document, name)["choices"] if c["verdict"] == verdict)
    return found


def number_of(name: str) -> int:
    """Return where a node stands in the small story."""
    return [n["id"] for n in synthetic()["nodes"]].index(name)


def drop_choice(document: Document) -> None:
    node(document, "s3")["choices"].pop(0)


def copy_node(document: Document) -> None:
    document["nodes"].append(node(document, "s2"))


def twin_choice(document: Document) -> None:
    node(document, "s1")["choices"][1]["id"] = "a"


def all_safe_first(document: Document) -> None:
    for scene in document["nodes"]:
        scene["choices"].sort(key=lambda c: c["verdict"] is not SAFE)


def circle(document: Document) -> None:
    """Safe choices of two nodes lead to each other; an unsafe one leads out."""
    choice(document, "s6", SAFE)["next"] = "s5"
    choice(document, "s6", UNSAFE)["next"] = "s7"


def short_cut(document: Document) -> None:
    """An unsafe choice leaps over both nodes that score B."""
    choice(document, "s2", UNSAFE)["next"] = "s5"


def way_back(document: Document) -> None:
    """An unsafe choice leads to a situation that the story had left."""
    choice(document, "s6", UNSAFE)["next"] = "s4"


def too_high(document: Document) -> None:
    """The safe way raises trust once more than it may."""
    choice(document, "s6", SAFE)["effects"]["trust"] = 1


def too_low(document: Document) -> None:
    """Unsafe choices that lead on lower trust together by more than it may fall."""
    for n in (1, 3, 4, 5):
        bad = choice(document, f"s{n}", UNSAFE)
        bad["next"], bad["effects"]["trust"] = f"s{n + 1}", -2


def no_way_out(document: Document) -> None:
    """From one node on every choice stays."""
    choice(document, "lain", SAFE)["next"] = "buntu"
    scene = deepcopy(node(document, "lain")) | {"id": "buntu"}
    for one in scene["choices"]:
        one["next"] = "lain"
    document["nodes"].append(scene)


def too_few(document: Document) -> None:
    document["nodes"] = document["nodes"][:5]


def too_many(document: Document) -> None:
    for n in range(14):
        document["nodes"].append(deepcopy(node(document, "lain")) | {"id": f"lain-{n}"})


def test_the_real_stories_are_whole():
    assert PROBLEMS == []
    assert {spec.code for spec in SPECS} >= {"S1", "S2"}


def test_the_small_story_is_whole():
    assert broken(lambda _document: None) == []


@pytest.mark.parametrize(
    ("change", "message", "place"),
    [
        (too_few, "5 nodes; a story has 12 to 25", ("nodes",)),
        (too_many, "26 nodes; a story has 12 to 25", ("nodes",)),
        (
            lambda d: node(d, "pulih").update(ending=False, outcome=None),
            "a story has 2 endings or more",
            ("nodes",),
        ),
        (
            all_safe_first,
            "the safe choice never stands in one of the three places: move some",
            ("nodes",),
        ),
        (lambda d: d.update(start="mana"), "start: no node mana", ("start",)),
        (copy_node, "node s2 appears twice", ("nodes", 12, "id")),
        (twin_choice, "s1: choice a appears twice", ("nodes", 0, "choices", 1, "id")),
        (
            lambda d: choice(d, "s3", SAFE).update(next="mana"),
            "s3/a: no node mana",
            ("nodes", 2, "choices", 0, "next"),
        ),
        (
            lambda d: node(d, "akhir").update(choices=node(d, "lain")["choices"]),
            "akhir: an ending has no choices",
            ("nodes", number_of("akhir"), "choices"),
        ),
        (
            lambda d: node(d, "akhir").update(kuk=["A"]),
            "akhir: an ending scores no KUK",
            ("nodes", number_of("akhir"), "kuk"),
        ),
        (
            lambda d: node(d, "akhir").update(outcome=None),
            "akhir: an ending has an outcome: safe or repaired",
            ("nodes", number_of("akhir"), "outcome"),
        ),
        (drop_choice, "s3: a node has exactly 3 choices", ("nodes", 2, "choices")),
        (
            lambda d: choice(d, "s3", UNSAFE).update(verdict=SAFE, better=None, next="s4"),
            "s3: exactly one choice is safe",
            ("nodes", 2, "choices"),
        ),
        (
            lambda d: choice(d, "s3", SAFE).update(verdict=UNSAFE, better="Ada."),
            "s3: exactly one choice is safe",
            ("nodes", 2, "choices"),
        ),
        (
            lambda d: node(d, "s3").update(outcome="safe"),
            "s3: only an ending has an outcome",
            ("nodes", 2, "outcome"),
        ),
        (
            lambda d: choice(d, "s3", HARMFUL).update(act="H9"),
            "s3/c: a harmful choice names its act: H1, H2, H3, H4, H5, H6, H7, H8",
            ("nodes", 2, "choices", 2, "act"),
        ),
        (
            lambda d: choice(d, "s3", HARMFUL).update(next="s4"),
            "s3/c: a harmful choice leads back to its own node",
            ("nodes", 2, "choices", 2, "next"),
        ),
        (
            lambda d: choice(d, "s3", UNSAFE).update(act="H1"),
            "s3/b: only a harmful choice names an act",
            ("nodes", 2, "choices", 1, "act"),
        ),
        (
            lambda d: choice(d, "s3", UNSAFE).update(better=None),
            "s3/b: say a better way",
            ("nodes", 2, "choices", 1, "better"),
        ),
        (
            lambda d: choice(d, "s3", SAFE).update(better="Lebih baik."),
            "s3/a: a safe choice needs no better way",
            ("nodes", 2, "choices", 0, "better"),
        ),
        (
            lambda d: choice(d, "s3", SAFE).update(next="s3"),
            "s3/a: a safe choice leads on",
            ("nodes", 2, "choices", 0, "next"),
        ),
        (lambda d: d["kuk"].remove("B"), "kuk: the standard lists A, B", ("kuk",)),
        (lambda d: d["kuk"].append("B"), "kuk: the standard lists A, B", ("kuk",)),
        (lambda d: node(d, "s2").update(kuk=[]), "no node scores KUK A", ("kuk",)),
        (
            lambda d: node(d, "s5").update(kuk=["C"]),
            "s5: KUK C is not in kuk",
            ("nodes", 4, "kuk"),
        ),
        (
            lambda d: choice(d, "s9", UNSAFE).update(next="s9"),
            "no way leads to lain",
            ("nodes", number_of("lain"), "id"),
        ),
        (no_way_out, "no way leads from lain to an end", ("nodes", number_of("lain"), "id")),
        (circle, "from s5 the safe choices lead in a circle", ("nodes", 4, "id")),
        (circle, "always choosing safely must lead to a safe end", ("start",)),
        (
            lambda d: choice(d, "s9", SAFE).update(next="pulih"),
            "always choosing safely must lead to a safe end",
            ("start",),
        ),
        (short_cut, "a way to an end passes by every node of KUK B", ("kuk",)),
    ],
)
def test_the_model_check_finds(
    change: Callable[[Document], object], message: str, place: tuple[str | int, ...]
):
    assert (message, place) in broken(change)


walks = st.tuples(
    st.sampled_from(sorted(STORIES)), st.lists(st.integers(0, 2), max_size=120), st.booleans()
)


def walk(code: str, numbers: list[int], graded: bool) -> list[tuple[str, str]]:
    """Turn numbers into steps, as far as the run goes."""
    steps: list[tuple[str, str]] = []
    for number in numbers:
        state = rules.replay(STORIES[code], steps, graded=graded)
        if state.over:
            break
        steps.append((state.node.id, state.node.choices[number].id))
    return steps


def letter(name: str, verdict: ChoiceVerdict) -> str:
    found: str = choice(synthetic(), name, verdict)["id"]
    return found


def place_of(name: str, verdict: ChoiceVerdict, field: str) -> tuple[str | int, ...]:
    number = "abc".index(letter(name, verdict))
    return ("nodes", number_of(name), "choices", number, field)


def test_a_way_back_is_found():
    message = f"s6/{letter('s6', UNSAFE)}: leads back to a situation before; "
    assert (message + "stay at the node or go on", place_of("s6", UNSAFE, "next")) in broken(
        way_back
    )


def test_a_state_that_rises_too_far_is_found_with_its_way():
    way = ", ".join(f"s{n}/{letter(f's{n}', SAFE)}" for n in (*range(1, 9),))
    message = f"trust comes to +7 by {way}; it stays within -6 … +6"
    assert broken(too_high) == [(message, place_of("s8", SAFE, "effects"))]


def test_a_state_that_falls_too_far_is_found_with_its_way():
    ((message, place),) = broken(too_low)
    assert message.startswith(f"trust comes to -8 by s1/{letter('s1', UNSAFE)}, ")
    assert message.endswith("; it stays within -6 … +6")
    assert place[-1] == "effects"


def test_a_loop_adds_nothing_however_often_it_is_walked():
    """-2 at s1, again and again: the scene begins anew with what it had."""
    state = rules.replay(STORY, steps_of("s1+", *["s2-"] * 30), graded=False)
    assert {turn.totals for turn in state.turns[1:]} == {Effects(0, 0, 0)}
    assert rules.replay(
        STORY, steps_of("s1+", *["s2-"] * 30, "s2+"), graded=False
    ).totals == Effects(2, 2, 2)


@pytest.mark.parametrize("story", ALL, ids=lambda story: f"{story.code}-{story.variant}")
def test_extremes_of_the_real_stories_are_reached_by_their_ways(story: rules.Story):
    found = rules.extremes(story)
    assert [one.name for one in found[::2]] == ["trust", "safety", "agency"]
    for one in found:
        state = rules.replay(story, one.path, graded=False)
        assert getattr(state.totals, one.name) == one.level
        assert -rules.BOUND <= one.level <= rules.BOUND
    assert {one.level for one in found if one.level > 0} == {rules.BOUND}


@given(walks)
def test_no_walk_leaves_the_extremes(drawn: tuple[str, list[int], bool]):
    story = STORIES[drawn[0]]
    state = rules.replay(story, walk(*drawn), graded=drawn[2])
    levels = {one.name: [] for one in rules.extremes(story)}
    for one in rules.extremes(story):
        levels[one.name].append(one.level)
    for strand in rules.strands(state):
        low, high = levels[strand.name]
        assert all(low <= level <= high for level in strand.levels)


@pytest.mark.parametrize(
    ("level", "word"),
    [
        (-6, "much_lower"), (-4, "much_lower"), (-3, "lower"), (-1, "lower"), (0, "same"),
        (1, "higher"), (3, "higher"), (4, "much_higher"), (34, "much_higher"),
    ],
)  # fmt: skip
def test_a_level_has_a_word(level: int, word: str):
    assert rules.height(level) == word


def test_the_scale_grows_for_a_run_of_an_old_text():
    old = rules.Strand("trust", (0, 2, 9, 7), (2, 7, -2))
    assert (old.bound, old.height, old.last) == (9, "much_higher", 7)
    assert rules.Strand("trust", (0, -1), (-1,)).bound == rules.BOUND


@pytest.mark.parametrize(
    ("verdict", "effects", "message"),
    [
        (SAFE, (0, 0, 0), "a safe choice raises something and lowers nothing"),
        (SAFE, (1, -1, 0), "a safe choice raises something and lowers nothing"),
        (UNSAFE, (0, 0, 0), "a choice that is not safe lowers something and raises nothing"),
        (HARMFUL, (-2, 1, 0), "a choice that is not safe lowers something and raises nothing"),
    ],
)
def test_effects_say_what_the_verdict_says(
    verdict: ChoiceVerdict, effects: tuple[int, int, int], message: str
):
    def change(document: Document) -> None:
        names = ("trust", "safety", "agency")
        choice(document, "s4", verdict)["effects"] = dict(zip(names, effects, strict=True))

    where = f"s4/{letter('s4', verdict)}: {message}"
    assert (where, place_of("s4", verdict, "effects")) in broken(change)


def test_ways_are_followed_only_when_addresses_are_sound():
    found = broken(lambda d: choice(d, "s9", UNSAFE).update(next="mana"))
    assert [message for message, _place in found] == ["s9/b: no node mana"]


@given(walks)
def test_a_random_walk_stays_in_bounds(drawn: tuple[str, list[int], bool]):
    code, _numbers, graded = drawn
    story, steps = STORIES[code], walk(*drawn)
    state = rules.replay(story, steps, graded=graded)

    assert [(turn.node.id, turn.choice.id) for turn in state.turns] == steps
    assert [turn.position for turn in state.turns] == list(range(1, len(steps) + 1))
    met = [turn.node.id for turn in state.firsts]
    assert len(met) == len(set(met)) == len({node_id for node_id, _choice in steps})
    for strand in rules.strands(state):
        assert strand.levels[0] == 0
        assert strand.levels[-1] == getattr(state.totals, strand.name)
        assert all(-2 <= change <= 2 for change in strand.changes)
        assert all(abs(level) <= rules.BOUND == strand.bound for level in strand.levels)
        assert strand.rises + len(strand.falls) <= len(steps) == len(strand.changes)
    assert state.over is (state.node.ending or (graded and state.harmful))
    assert (state.outcome is None) is not state.over
    # The state after fewer steps is what it was then: nothing depends on what came later.
    assert rules.replay(story, steps[:-1], graded=graded).turns == state.turns[:-1]


@given(walks)
def test_an_end_is_in_reach_wherever_a_walk_stands(drawn: tuple[str, list[int], bool]):
    code, _numbers, _graded = drawn
    story, steps = STORIES[code], walk(drawn[0], drawn[1], False)
    state = rules.replay(story, steps, graded=False)
    left = rules.remaining(story, state.node.id)
    assert left is not None
    for _ in range(left):
        assert not state.over
        safe = state.node.safe
        assert safe is not None
        steps.append((state.node.id, safe.id))
        state = rules.replay(story, steps, graded=False)
    assert state.node.ending
    assert state.over


@pytest.mark.parametrize("code", sorted(STORIES))
def test_every_end_of_a_real_story_is_found_by_some_walk(code: str):
    story = STORIES[code]
    ends, waiting, seen = set(), [story.start], set()
    while waiting:
        here = story.node(waiting.pop())
        if here.ending:
            ends.add(here.id)
        if here.id not in seen:
            seen.add(here.id)
            waiting += [one.next for one in here.choices]
    assert ends == {n.id for n in story.nodes if n.ending}
    assert seen == {n.id for n in story.nodes}


@given(walks, st.data())
def test_evidence_of_a_graded_run(drawn: tuple[str, list[int], bool], data: st.DataObject):
    code, numbers, _graded = drawn
    story = STORIES[code]
    scored = data.draw(st.lists(st.sampled_from(story.kuk), unique=True, min_size=1))
    steps = walk(code, numbers, True)
    state = rules.replay(story, steps, graded=True)
    while not state.over:
        safe = state.node.safe
        assert safe is not None
        steps.append((state.node.id, safe.id))
        state = rules.replay(story, steps, graded=True)

    rows = rules.evidence(state, scored)
    assert {row.kuk for row in rows} == set(scored)
    assert len({(row.kuk, row.ref) for row in rows}) == len(rows)
    if state.harmful:
        # Exactly the KUK of this run fail. Source: decision rules 10, property 5.
        assert all(row.harmful and not row.passed for row in rows)
        assert not any(line.passed for line in rules.results(state, scored))
        return
    first = {turn.node.id: turn.choice.verdict for turn in state.firsts}
    assert all(row.passed is (first[row.ref] is SAFE) and not row.harmful for row in rows)
    for line in rules.results(state, scored):
        assert line.passed is (line.open_at == ())


def steps_of(*way: str) -> list[tuple[str, str]]:
    """Turn `s1+ s2- s3!` into steps: safe, unsafe, harmful."""
    verdicts = {"+": SAFE, "-": UNSAFE, "!": HARMFUL}
    steps = []
    for sign in way:
        here = STORY.node(sign[:-1])
        wanted = verdicts[sign[-1]]
        steps.append((here.id, next(c.id for c in here.choices if c.verdict is wanted)))
    return steps


SAFE_WAY = tuple(f"s{n}+" for n in range(1, 10))


def test_a_harmful_choice_leads_back_in_practice_and_ends_a_graded_run():
    practice = rules.replay(STORY, steps_of("s1!"), graded=False)
    assert (practice.node.id, practice.over, practice.outcome) == ("s1", False, None)
    assert practice.turns[0].again

    graded = rules.replay(STORY, steps_of("s1!"), graded=True)
    assert (graded.over, graded.outcome) == (True, RunOutcome.HARMFUL)
    with pytest.raises(rules.BrokenPath):
        rules.replay(STORY, steps_of("s1!", "s1+"), graded=True)


def test_kuk_not_reached_before_a_harmful_act_fail_with_it():
    state = rules.replay(STORY, steps_of("s1+", "s2!"), graded=True)
    assert rules.evidence(state, ["B", "A"]) == [
        rules.Fact("A", "s2", False, True),
        rules.Fact("B", rules.NOT_REACHED, False, True),
    ]
    state = rules.replay(STORY, steps_of("s1+", "s2+", "s3+", "s4!"), graded=True)
    assert rules.evidence(state, ["B"]) == [
        rules.Fact("B", "s3", False, True),
        rules.Fact("B", "s4", False, True),
    ]
    [line] = rules.results(state, ["B"])
    assert ([n.id for n in line.open_at], line.passed) == (["s4"], False)


def test_the_first_choice_counts_also_after_a_better_one():
    way = ("s1+", "s2-", *SAFE_WAY[1:])
    state = rules.replay(STORY, steps_of(*way), graded=True)
    assert (state.over, state.outcome, len(state.firsts)) == (True, RunOutcome.SAFE, 9)
    assert state.turns[1].again
    assert not state.turns[2].again
    assert rules.evidence(state, ["A", "B"]) == [
        rules.Fact("A", "s2", False, False),
        rules.Fact("B", "s3", True, False),
        rules.Fact("B", "s4", True, False),
    ]


def test_a_run_that_is_not_over_says_nothing_about_what_it_did_not_reach():
    state = rules.replay(STORY, steps_of("s1+"), graded=True)
    assert rules.evidence(state, ["A"]) == []
    assert not rules.results(state, ["A"])[0].passed


def test_totals_add_up_along_the_path():
    state = rules.replay(STORY, steps_of("s1+", "s2-", "s2+"), graded=False)
    assert state.totals == Effects(2, 2, 2)
    trust, safety, agency = rules.strands(state)
    assert (trust.levels, trust.falls, trust.rises) == ((0, 1, 0, 2), (2,), 2)
    assert (trust.name, safety.name, agency.name) == ("trust", "safety", "agency")


def test_steps_that_do_not_fit_are_refused():
    with pytest.raises(rules.BrokenPath):
        rules.replay(STORY, steps_of("s2+"), graded=False)
    with pytest.raises(rules.UnknownChoice):
        rules.replay(STORY, [("s1", "z")], graded=False)
    with pytest.raises(rules.BrokenPath):
        STORY.node("mana")


def test_a_practice_run_with_a_harmful_act_is_not_clean():
    assert rules.replay(STORY, steps_of(*SAFE_WAY), graded=False).outcome is RunOutcome.SAFE
    harmful = rules.replay(STORY, steps_of("s1!", *SAFE_WAY), graded=False)
    assert (harmful.outcome, harmful.node.id) == (RunOutcome.HARMFUL, "akhir")
    repaired = rules.replay(STORY, steps_of(*SAFE_WAY[:-1], "s9-", "lain+"), graded=False)
    assert repaired.outcome is RunOutcome.REPAIRED


@pytest.mark.parametrize(
    ("taught", "done", "scored", "to_learn"),
    [
        ("", "", "", ""),
        ("ab", "", "", "ab"),
        ("ab", "a", "", "b"),
        ("ab", "ab", "ab", ""),
        ("a", "a", "a", ""),
        ("abxy", "ax", "", "b"),
        ("abxy", "abx", "abx", ""),
        ("abxyz", "xyz", "xyz", ""),
        ("abxyz", "ax", "", "b"),
        ("ab", "abx", "abx", ""),
        ("abxyz", "", "", "ab"),
        ("abxyz", "x", "", "yz"),
        ("abxyz", "axy", "", "b"),
        ("xyz", "", "", "xyz"),
    ],
)
def test_a_graded_run_opens_with_the_lessons_of_one_curriculum(
    taught: str, done: str, scored: str, to_learn: str
):
    kuk = {"K1": "ab", "K3": "xyz"}
    assert "".join(rules.scored_kuk(kuk, taught, done)) == scored
    assert "".join(rules.kuk_to_learn(kuk, taught, done)) == to_learn


def test_tries_count_since_the_last_safe_one():
    days = [NOW + timedelta(days=n) for n in range(4)]
    tries = [rules.Try(days[2], False), rules.Try(days[0], False), rules.Try(days[1], True)]
    assert rules.open_tries(tries) == [days[2]]
    assert rules.open_tries([*tries, rules.Try(days[3], True)]) == []
    assert rules.open_tries(tries[:2]) == [days[0], days[2]]


@pytest.mark.parametrize(
    ("minutes", "outcome", "walked"),
    [
        (0, RunOutcome.SAFE, True),
        (5, RunOutcome.REPAIRED, True),
        (5, RunOutcome.HARMFUL, False),
        (5, RunOutcome.LEFT, False),
        (-1, RunOutcome.SAFE, False),
    ],
)
def test_the_way_back_is_a_clean_practice_run_begun_afterwards(
    minutes: int, outcome: RunOutcome, walked: bool
):
    run = rules.Practised(NOW + timedelta(minutes=minutes), outcome)
    assert rules.path_walked([run], NOW) is walked
    assert rules.path_walked([], NOW) is False
