"""How a branching story is built, walked and scored. Pure: no Flask, database or clock.

Source: docs/decision-rules.md, SIM rows; docs/content.md, "Simulations".
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from lms.core.errors import DomainError

CHOICES = 3
"""At every node. Source: docs/content.md, "Simulations"."""
FEWEST_NODES = 12
MOST_NODES = 25
"""Nodes of one story, endings included. Source: docs/content.md, "Simulations"."""
FEWEST_ENDINGS = 2
BOUND = 6
"""How far trust, safety and agency may go from 0, up and down, on any way through a story.
Source: docs/content.md, "Simulations"."""
UNREAD = {"status": "unreviewed"}
"""What a story says of itself until an expert has read it."""
NOT_REACHED = "*"
"""Stands for the node of a KUK a run was stopped before."""


class ChoiceVerdict(StrEnum):
    """What a choice does to the person the story is about."""

    SAFE = "safe"
    UNSAFE = "unsafe"
    HARMFUL = "harmful"
    """One of the acts H1 … H8 of the standard."""


class RunOutcome(StrEnum):
    """How a run ended."""

    SAFE = "safe"
    REPAIRED = "repaired"
    HARMFUL = "harmful"
    """A graded run stopped at a harmful act; a practice run reached its end with one on the way."""
    LEFT = "left"
    """Given up for a new start; neither evidence nor a try."""


CLEAN = (RunOutcome.SAFE, RunOutcome.REPAIRED)
"""Ends of a run without any harmful act."""


class UnknownChoice(DomainError):
    """The node does not offer this choice."""


class BrokenPath(DomainError):
    """Stored steps do not fit the story; they were not written by this program."""


@dataclass(frozen=True, slots=True)
class Effects:
    """What a choice changes for the person: trust, safety and say in her own affairs, -2 … 2 each.

    As a state: the sum over a path, which the model check keeps within `BOUND`.
    """

    trust: int = 0
    safety: int = 0
    agency: int = 0

    def __add__(self, other: "Effects") -> "Effects":
        """Add up two changes."""
        return Effects(
            self.trust + other.trust, self.safety + other.safety, self.agency + other.agency
        )


STRANDS: Mapping[str, Callable[[Effects], int]] = {
    "trust": lambda effects: effects.trust,
    "safety": lambda effects: effects.safety,
    "agency": lambda effects: effects.agency,
}
"""The three parts of a state, in the order they are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of the three things to do at a node."""

    id: str
    text: str
    verdict: ChoiceVerdict
    act: str
    """H1 … H8 when harmful, else empty."""
    effects: Effects
    consequence: str
    why: str
    better: str
    """A safer way to do or say it; empty when safe."""
    next: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One situation of a story, or one of its ends."""

    id: str
    title: str
    situation: str
    kuk: tuple[str, ...]
    """KUK it scores; empty: practice only."""
    choices: tuple[Choice, ...]
    ending: bool
    outcome: RunOutcome | None
    """What an ending is; None elsewhere."""

    def find(self, choice_id: str) -> Choice:
        """Return the choice of this id. Raises UnknownChoice."""
        for choice in self.choices:
            if choice.id == choice_id:
                return choice
        raise UnknownChoice(choice_id)

    @property
    def safe(self) -> Choice | None:
        """Return the safe choice; an ending has none."""
        return next((c for c in self.choices if c.verdict is ChoiceVerdict.SAFE), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One text of one variant of a simulation."""

    code: str
    variant: str
    title: str
    title_en: str
    kuk: tuple[str, ...]
    intro: str
    content_note: str
    persons: tuple[tuple[str, str], ...]
    """Name and part of each person."""
    start: str
    nodes: tuple[Node, ...]
    reviewed: bool = False
    """Whether its file says that an expert has read it."""

    def node(self, node_id: str) -> Node:
        """Return the node of this id. Raises BrokenPath."""
        for node in self.nodes:
            if node.id == node_id:
                return node
        raise BrokenPath(node_id)


def build_story(document: Mapping[str, Any]) -> Story:
    """Build a Story from the validated data of one file in `simulations/`."""
    return Story(
        code=document["code"],
        variant=document["variant"],
        title=document["title"],
        title_en=document["title_en"],
        kuk=tuple(document["kuk"]),
        intro=document["intro"],
        content_note=document["content_note"],
        persons=tuple((person["name"], person["role"]) for person in document["persons"]),
        start=document["start"],
        nodes=tuple(_build_node(node) for node in document["nodes"]),
        reviewed=document.get("review", UNREAD)["status"] != UNREAD["status"],
    )


def _build_node(node: Mapping[str, Any]) -> Node:
    return Node(
        id=node["id"],
        title=node["title"],
        situation=node["situation"],
        kuk=tuple(node["kuk"]),
        choices=tuple(_build_choice(choice) for choice in node["choices"]),
        ending=node["ending"],
        outcome=RunOutcome(node["outcome"]) if node["outcome"] else None,
    )


def _build_choice(choice: Mapping[str, Any]) -> Choice:
    effects = choice["effects"]
    return Choice(
        id=choice["id"],
        text=choice["text"],
        verdict=ChoiceVerdict(choice["verdict"]),
        act=choice["act"] or "",
        effects=Effects(effects["trust"], effects["safety"], effects["agency"]),
        consequence=choice["consequence"],
        why=choice["why"],
        better=choice["better"] or "",
        next=choice["next"],
    )


# The model check: is the story whole?


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something wrong with a story: what, and the place of it in its file."""

    message: str
    place: tuple[str | int, ...]


def flaws(story: Story, listed: Sequence[str], acts: Iterable[str]) -> list[Flaw]:
    """Check a story. `listed` are its KUK in the standard, `acts` the harmful acts there.

    Ways through the story are followed only when every address in it is sound.
    """
    known = frozenset(acts)
    found = [
        *_check_size(story),
        *_check_addresses(story),
        *(flaw for n, node in enumerate(story.nodes) for flaw in _check_node(n, node)),
        *(
            Flaw(f"{node.id}/{choice.id}: {message}", ("nodes", n, "choices", c, field))
            for n, node in enumerate(story.nodes)
            for c, choice in enumerate(node.choices)
            for field, message in _check_choice(node, choice, known)
        ),
        *_check_kuk(story, listed),
    ]
    return found or _check_ways(story)


def _check_size(story: Story) -> Iterator[Flaw]:
    if not FEWEST_NODES <= len(story.nodes) <= MOST_NODES:
        yield Flaw(
            f"{len(story.nodes)} nodes; a story has {FEWEST_NODES} to {MOST_NODES}", ("nodes",)
        )
    if sum(node.ending for node in story.nodes) < FEWEST_ENDINGS:
        yield Flaw(f"a story has {FEWEST_ENDINGS} endings or more", ("nodes",))
    places = {c for node in story.nodes for c, choice in enumerate(node.choices)
              if choice.verdict is ChoiceVerdict.SAFE}  # fmt: skip
    if len(places) < CHOICES:
        yield Flaw("the safe choice never stands in one of the three places: move some", ("nodes",))


def _check_addresses(story: Story) -> Iterator[Flaw]:
    ids = [node.id for node in story.nodes]
    if story.start not in ids:
        yield Flaw(f"start: no node {story.start}", ("start",))
    for n, node in enumerate(story.nodes):
        if node.id in ids[:n]:
            yield Flaw(f"node {node.id} appears twice", ("nodes", n, "id"))
        choices = [choice.id for choice in node.choices]
        for c, choice in enumerate(node.choices):
            if choice.id in choices[:c]:
                message = f"{node.id}: choice {choice.id} appears twice"
                yield Flaw(message, ("nodes", n, "choices", c, "id"))
            if choice.next not in ids:
                message = f"{node.id}/{choice.id}: no node {choice.next}"
                yield Flaw(message, ("nodes", n, "choices", c, "next"))


def _check_node(n: int, node: Node) -> Iterator[Flaw]:
    if node.ending:
        wrong = [
            (bool(node.choices), "choices", "an ending has no choices"),
            (bool(node.kuk), "kuk", "an ending scores no KUK"),
            (node.outcome is None, "outcome", "an ending has an outcome: safe or repaired"),
        ]
    else:
        safe = sum(choice.verdict is ChoiceVerdict.SAFE for choice in node.choices)
        wrong = [
            (len(node.choices) != CHOICES, "choices", f"a node has exactly {CHOICES} choices"),
            (safe != 1, "choices", "exactly one choice is safe"),
            (node.outcome is not None, "outcome", "only an ending has an outcome"),
        ]
    for bad, field, message in wrong:
        if bad:
            yield Flaw(f"{node.id}: {message}", ("nodes", n, field))


def _check_choice(node: Node, choice: Choice, acts: frozenset[str]) -> Iterator[tuple[str, str]]:
    harmful = choice.verdict is ChoiceVerdict.HARMFUL
    if harmful and choice.act not in acts:
        yield "act", f"a harmful choice names its act: {', '.join(sorted(acts))}"
    if harmful and choice.next != node.id:
        yield "next", "a harmful choice leads back to its own node"
    if not harmful and choice.act:
        yield "act", "only a harmful choice names an act"
    if choice.verdict is ChoiceVerdict.SAFE:
        if choice.better:
            yield "better", "a safe choice needs no better way"
        if choice.next == node.id:
            yield "next", "a safe choice leads on"
    elif not choice.better:
        yield "better", "say a better way"
    yield from _check_effects(choice)


def _check_effects(choice: Choice) -> Iterator[tuple[str, str]]:
    changes = [level(choice.effects) for level in STRANDS.values()]
    if choice.verdict is ChoiceVerdict.SAFE and not (min(changes) >= 0 < max(changes)):
        yield "effects", "a safe choice raises something and lowers nothing"
    if choice.verdict is not ChoiceVerdict.SAFE and not (min(changes) < 0 >= max(changes)):
        yield "effects", "a choice that is not safe lowers something and raises nothing"


def _check_kuk(story: Story, listed: Sequence[str]) -> Iterator[Flaw]:
    if sorted(story.kuk) != sorted(listed):
        yield Flaw(f"kuk: the standard lists {', '.join(listed)}", ("kuk",))
    scored = {code for node in story.nodes for code in node.kuk}
    for code in story.kuk:
        if code not in scored:
            yield Flaw(f"no node scores KUK {code}", ("kuk",))
    for n, node in enumerate(story.nodes):
        for code in node.kuk:
            if code not in story.kuk:
                yield Flaw(f"{node.id}: KUK {code} is not in kuk", ("nodes", n, "kuk"))


def _check_ways(story: Story) -> list[Flaw]:
    """Follow every way through a story whose parts are sound."""
    found = []
    reached = _reach(story, story.start)
    for n, node in enumerate(story.nodes):
        if node.id not in reached:
            found.append(Flaw(f"no way leads to {node.id}", ("nodes", n, "id")))
        if not node.ending and not _ends(story, node.id):
            found.append(Flaw(f"no way leads from {node.id} to an end", ("nodes", n, "id")))
        elif remaining(story, node.id) is None:
            message = f"from {node.id} the safe choices lead in a circle"
            found.append(Flaw(message, ("nodes", n, "id")))
    if not any(e.outcome is RunOutcome.SAFE for e in _walk_safely(story, story.start)):
        found.append(Flaw("always choosing safely must lead to a safe end", ("start",)))
    for code in story.kuk:
        # Otherwise a run could end without a word about a KUK it says it scores.
        if _ends(story, story.start, without=code):
            found.append(Flaw(f"a way to an end passes by every node of KUK {code}", ("kuk",)))
    return found + (_check_back(story) or _check_bounds(story))


def _check_back(story: Story) -> list[Flaw]:
    """Find choices that lead back to a situation the story had left: what counts would be open."""
    return [
        Flaw(
            f"{node.id}/{choice.id}: leads back to a situation before; stay at the node or go on",
            ("nodes", n, "choices", c, "next"),
        )
        for n, node in enumerate(story.nodes)
        for c, choice in enumerate(node.choices)
        if choice.next != node.id and node.id in _reach(story, choice.next)
    ]


def _check_bounds(story: Story) -> list[Flaw]:
    """Find ways on which a part of the state leaves its bounds."""
    found = []
    for extreme in extremes(story):
        if abs(extreme.level) > BOUND:
            node_id, choice_id = extreme.path[-1]
            n = next(n for n, node in enumerate(story.nodes) if node.id == node_id)
            c = next(c for c, one in enumerate(story.nodes[n].choices) if one.id == choice_id)
            way = ", ".join(f"{node}/{choice}" for node, choice in extreme.path)
            message = f"{extreme.name} comes to {extreme.level:+d} by {way}"
            place = ("nodes", n, "choices", c, "effects")
            found.append(Flaw(f"{message}; it stays within -{BOUND} … +{BOUND}", place))
    return found


@dataclass(frozen=True, slots=True)
class Extreme:
    """The lowest or highest level a part of the state can come to, and a way that leads there."""

    name: str
    level: int
    path: tuple[tuple[str, str], ...]
    """Pairs of node and choice; empty when it never leaves 0 on this side."""


def extremes(story: Story) -> list[Extreme]:
    """Return the lowest and the highest level of each part of the state over all runs.

    Exact for runs of any length: no way leads back to a node that was left, and a choice that
    stays at its node is played anew from the state the node began with (`replay`).
    """
    order = _in_order(story)
    return [
        _extreme(story, order, name, level, best)
        for name, level in STRANDS.items()
        for best in (min, max)
    ]


def _in_order(story: Story) -> list[Node]:
    """Return the nodes so that every way goes from earlier to later ones."""
    placed: list[Node] = []
    seen: set[str] = set()

    def visit(node: Node) -> None:
        if node.id not in seen:
            seen.add(node.id)
            for choice in node.choices:
                visit(story.node(choice.next))
            placed.append(node)

    visit(story.node(story.start))
    return placed[::-1]


def _extreme(
    story: Story,
    order: Sequence[Node],
    name: str,
    level: Callable[[Effects], int],
    best: Callable[..., Extreme],
) -> Extreme:
    start = Extreme(name, 0, ())
    at, found = {story.start: start}, start

    def pick(*ways: Extreme) -> Extreme:
        return best(*ways, key=lambda way: way.level)

    for node in order:
        for choice in node.choices:
            before = at[node.id]
            step = ((node.id, choice.id),)
            after = Extreme(name, before.level + level(choice.effects), before.path + step)
            found = pick(found, after)
            if choice.next != node.id:
                at[choice.next] = pick(at.get(choice.next, after), after)
    return found


def _reach(story: Story, start: str, without: str = "") -> set[str]:
    """Return the nodes some way leads to, not passing nodes that score the KUK `without`."""
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        node = story.node(waiting.pop())
        if node.id not in seen and without not in node.kuk:
            seen.add(node.id)
            waiting += [choice.next for choice in node.choices]
    return seen


def _ends(story: Story, start: str, without: str = "") -> bool:
    return any(story.node(node_id).ending for node_id in _reach(story, start, without))


def _walk_safely(story: Story, start: str) -> list[Node]:
    """Return the nodes of the safe way on from `start`, itself included, up to a circle."""
    node, way = story.node(start), []
    while node not in way:
        way.append(node)
        if node.safe is None:
            break
        node = story.node(node.safe.next)
    return way


def remaining(story: Story, start: str) -> int | None:
    """Return how many choices the safe way from `start` to an end takes; None for a circle."""
    way = _walk_safely(story, start)
    return len(way) - 1 if way[-1].ending else None


# Walking: where a run stands is a function of its steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One choice that was made. `position` counts from 1."""

    position: int
    node: Node
    choice: Choice
    first: bool
    """Whether it is the first choice at this node: the one that counts."""
    totals: Effects
    """The state after it; of a turn that is played again: what it would have led to."""

    @property
    def again(self) -> bool:
        """Tell whether the story stays at this node."""
        return self.choice.next == self.node.id


@dataclass(frozen=True, slots=True, kw_only=True)
class RunState:
    """Where a run stands."""

    graded: bool
    turns: tuple[Turn, ...]
    node: Node
    """The node to choose at, or the end that was reached."""
    over: bool
    totals: Effects

    @property
    def harmful(self) -> bool:
        """Tell whether a harmful act was chosen on the way."""
        return any(turn.choice.verdict is ChoiceVerdict.HARMFUL for turn in self.turns)

    @property
    def firsts(self) -> tuple[Turn, ...]:
        """Return the first choice at each node, in the order the nodes were met."""
        return tuple(turn for turn in self.turns if turn.first)

    @property
    def outcome(self) -> RunOutcome | None:
        """Return how the run ended; None while it goes on."""
        if not self.over:
            return None
        return RunOutcome.HARMFUL if self.harmful else self.node.outcome


def replay(story: Story, steps: Iterable[tuple[str, str]], *, graded: bool) -> RunState:
    """Walk the steps, pairs of node and choice, from the start. Raises BrokenPath, UnknownChoice.

    A harmful choice leads back to its node in practice and ends a graded run at once. A choice
    that leads back is shown with what it does; the scene then begins anew with the state it had,
    so that no effect counts twice.
    """
    node, kept, over = story.node(story.start), Effects(), False
    totals = kept
    turns: list[Turn] = []
    met: set[str] = set()
    for position, (node_id, choice_id) in enumerate(steps, 1):
        if over or node_id != node.id:
            raise BrokenPath(f"step {position}: {node_id}")
        choice = node.find(choice_id)
        totals = kept + choice.effects
        turns.append(
            Turn(
                position=position,
                node=node,
                choice=choice,
                first=node.id not in met,
                totals=totals,
            )
        )
        met.add(node.id)
        if choice.next != node.id:
            kept = totals
        node = story.node(choice.next)
        over = node.ending or (graded and choice.verdict is ChoiceVerdict.HARMFUL)
    return RunState(graded=graded, turns=tuple(turns), node=node, over=over, totals=totals)


class Height(StrEnum):
    """Where a part of the state stands, in a word."""

    MUCH_LOWER = "much_lower"
    LOWER = "lower"
    SAME = "same"
    HIGHER = "higher"
    MUCH_HIGHER = "much_higher"


def height(level: int) -> Height:
    """Say where a level stands against the beginning; `much` is more than half of the bounds."""
    if level == 0:
        return Height.SAME
    if abs(level) * 2 > BOUND:
        return Height.MUCH_HIGHER if level > 0 else Height.MUCH_LOWER
    return Height.HIGHER if level > 0 else Height.LOWER


@dataclass(frozen=True, slots=True)
class Strand:
    """How one of the three parts of the state went: `levels` after each turn, 0 before the first.

    `changes` is what each turn did to it; a scene that is played anew begins with its old state.
    """

    name: str
    levels: tuple[int, ...]
    changes: tuple[int, ...]

    @property
    def last(self) -> int:
        """Return where it stood at the end."""
        return self.levels[-1]

    @property
    def height(self) -> Height:
        """Say where it stood at the end."""
        return height(self.last)

    @property
    def bound(self) -> int:
        """Return how far its scale goes: the texts of old runs were not kept within `BOUND`."""
        return max(BOUND, *(abs(level) for level in self.levels))

    @property
    def falls(self) -> tuple[int, ...]:
        """Return the positions of the turns that lowered it."""
        return tuple(position for position, change in enumerate(self.changes, 1) if change < 0)

    @property
    def rises(self) -> int:
        """Return how many turns raised it."""
        return sum(change > 0 for change in self.changes)


def strands(state: RunState) -> tuple[Strand, Strand, Strand]:
    """Return how trust, safety and agency went along the path."""
    way = [Effects(), *(turn.totals for turn in state.turns)]
    done = [turn.choice.effects for turn in state.turns]
    trust, safety, agency = (
        Strand(name, tuple(map(level, way)), tuple(map(level, done)))
        for name, level in STRANDS.items()
    )
    return trust, safety, agency


# What a graded run says


@dataclass(frozen=True, slots=True)
class Fact:
    """One row of SIM evidence: a KUK, the node it was scored at, and how."""

    kuk: str
    ref: str
    passed: bool
    harmful: bool


def evidence(state: RunState, scored: Sequence[str]) -> list[Fact]:
    """Return the evidence of a graded run that is over; `scored` are the KUK it scores.

    Per node and KUK the first choice counts. After a harmful act every scored KUK fails, those
    whose nodes were not reached too. Source: decision rules 3.
    """
    harmful = state.harmful
    facts = [
        Fact(code, turn.node.id, turn.choice.verdict is ChoiceVerdict.SAFE and not harmful, harmful)
        for turn in state.firsts
        for code in turn.node.kuk
        if code in scored
    ]
    if harmful:
        met = {fact.kuk for fact in facts}
        facts += [Fact(code, NOT_REACHED, False, True) for code in scored if code not in met]
    return facts


@dataclass(frozen=True, slots=True)
class Result:
    """What a graded run says about one KUK, for people to read."""

    kuk: str
    passed: bool
    open_at: tuple[Node, ...]
    """Nodes where the first choice was not safe."""


def results(state: RunState, scored: Sequence[str]) -> list[Result]:
    """Return what a graded run that is over says about each KUK it scores, in their order."""
    facts = evidence(state, scored)
    lines = []
    for code in scored:
        mine = [fact.passed for fact in facts if fact.kuk == code]
        unsafe = tuple(
            turn.node
            for turn in state.firsts
            if code in turn.node.kuk and turn.choice.verdict is not ChoiceVerdict.SAFE
        )
        lines.append(Result(code, bool(mine) and all(mine), unsafe))
    return lines


# When a graded run may begin


class Gate(StrEnum):
    """Whether a graded run may begin, and if not, what it waits for."""

    LEARN = "learn"
    """Lessons on its KUK are not finished."""
    OPEN = "open"
    RUNNING = "running"
    """One is open: it goes on."""
    WAIT = "wait"
    """The time between two tries has not passed."""
    PRACTISE = "practise"
    """The way back: a practice run to its end without a harmful act."""
    COACHING = "coaching"
    """Three tries are used: a trainer's guidance comes first."""
    REACHED = "reached"
    """Nothing is left to show here."""


def scored_kuk(
    by_curriculum: Mapping[str, Sequence[str]], taught: Iterable[str], done: Iterable[str]
) -> tuple[str, ...]:
    """Return the KUK a graded run would score now; empty when it may not begin yet.

    `by_curriculum`: the KUK with SIM evidence of one simulation, per curriculum. `taught`: KUK that
    loaded lessons teach; `done`: those whose lessons the person finished. It opens when all
    lessons of one curriculum on its KUK are done. Source: decision rules 1.
    """
    loaded, finished = frozenset(taught), frozenset(done)
    for codes in by_curriculum.values():
        asked = loaded.intersection(codes)
        if asked and asked <= finished:
            return tuple(c for codes in by_curriculum.values() for c in codes if c in finished)
    return ()


def kuk_to_learn(
    by_curriculum: Mapping[str, Sequence[str]], taught: Iterable[str], done: Iterable[str]
) -> tuple[str, ...]:
    """Return the KUK whose lessons still keep a graded run shut.

    They are of the curriculum begun that is nearest to it; when none is begun, of the first.
    """
    loaded, finished = frozenset(taught), frozenset(done)
    ways = [loaded.intersection(codes) for codes in by_curriculum.values()]
    ways = [way for way in ways if way]
    begun = sorted((way for way in ways if way & finished), key=lambda way: len(way - finished))
    to_learn = next(iter([*begun, *ways]), frozenset[str]()) - finished
    return tuple(c for codes in by_curriculum.values() for c in codes if c in to_learn)


@dataclass(frozen=True, slots=True)
class Try:
    """One finished graded run: when, and whether every critical KUK in it was safe."""

    at: datetime
    safe: bool


def open_tries(tries: Iterable[Try]) -> list[datetime]:
    """Return when the tries since the last safe one were finished, oldest first."""
    counted: list[datetime] = []
    for one in sorted(tries, key=lambda t: t.at):
        counted = [] if one.safe else [*counted, one.at]
    return counted


@dataclass(frozen=True, slots=True)
class Practised:
    """One finished practice run."""

    started_at: datetime
    outcome: RunOutcome


def path_walked(practice: Iterable[Practised], since: datetime) -> bool:
    """Tell whether a practice run begun after `since` came to its end without a harmful act."""
    return any(run.started_at >= since and run.outcome in CLEAN for run in practice)
