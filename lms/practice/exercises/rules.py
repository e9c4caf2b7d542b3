"""What material for practising has to keep: times, seats, entries, words. Pure.

Source: docs/content.md, "Exercises".
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

SENTENCE_WORDS = 35
HITS = 2
"""How often a drill lets each criterion of its rubric happen."""
LEVELS = ("0", "1", "2")
UNKNOWN = "belum diketahui"
"""What a record says where nothing is known: better than a guess."""
YES_NO = ("ya", "tidak", UNKNOWN)

Place = tuple[str | int, ...]


class ExerciseKind(StrEnum):
    """The three kinds of material. The value names the folder."""

    DRILL = "drills"
    ROLES = "roles"
    RECORD = "records"


class FieldKind(StrEnum):
    """What a field of a record takes."""

    TEXT = "text"
    DATE = "date"
    CHOICE = "choice"
    NUMBER = "number"
    YES_NO = "yesno"


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing wrong with a text, and where in it."""

    place: Place
    message: str


@dataclass(frozen=True, slots=True)
class Card:
    """One thing that happens in a drill: when, to whom, and what it shows."""

    minute: int
    to: tuple[str, ...]
    kuk: tuple[str, ...]
    act: str | None


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a drill."""

    id: str
    minutes: int
    playing: tuple[str, ...]
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form."""

    id: str
    kind: FieldKind
    choices: tuple[str, ...]
    required: bool


# --- Words

_SENTENCE_END = re.compile(r"(?<=[.?!:;])(?<!\b[A-Z]\.)[\"”)]*\s+")
"""The full stop of an initial ends no sentence."""
_NUMBER = re.compile(
    r"(?<![\w/.])(?:\+62|62|0)[\s-]?(?:8\d|2\d|3\d)[\d\s-]{5,}\d"
    r"|(?<![\w/.])(?<!ps )(?:110|112|119|129)(?![\w/]|\.\d)"
)
_NAME = re.compile(r"\b(?:Ibu|Bapak|Pak|Bu|Mbak|Kak|Nona|Tuan|Nyonya) [A-Z][a-z]{2,}")
_ROLES = ("Bupati", "Camat", "Dokter", "Guru", "Haji", "Kepala", "Ketua", "Lurah", "Wali")
"""Words that may follow a form of address although they are no names."""
KEYS = frozenset({"code", "id", "lesson", "kuk", "kind", "act", "to", "playing", "status", "law"})
"""Fields that name things; nobody reads them as a sentence."""


def texts(data: Any, place: Place = ()) -> Iterator[tuple[Place, str]]:
    """Return every text of a document that people read, with its place."""
    if isinstance(data, str):
        yield place, data
    elif isinstance(data, Mapping):
        for key, value in data.items():
            if key not in KEYS:
                yield from texts(value, (*place, key))
    elif isinstance(data, Sequence):
        for n, value in enumerate(data):
            yield from texts(value, (*place, n))


def word_flaws(data: Any) -> Iterator[Flaw]:
    """Yield what no text may hold: shouting, numbers of services, names, endless sentences."""
    for place, text in texts(data):
        if "!" in text:
            yield Flaw(place, "no exclamation marks")
        if found := _NUMBER.search(text):
            message = f"numbers of services stand in directory.yaml only: {found[0]}"
            yield Flaw(place, message)
        for name in _NAME.findall(text):
            if not name.endswith(_ROLES):
                yield Flaw(place, f"people have an initial, not a name: {name}")
        longest = max(len(sentence.split()) for sentence in _SENTENCE_END.split(text))
        if longest > SENTENCE_WORDS:
            yield Flaw(place, f"a sentence has {longest} words, at most {SENTENCE_WORDS}")


# --- Drills and role cards


def twice(ids: Iterable[str], *place: str | int) -> Iterator[Flaw]:
    """Yield each id that stands a second time in the list at `place`."""
    seen: set[str] = set()
    for n, one in enumerate(ids):
        if one in seen:
            yield Flaw((*place, n), f"{one} appears twice")
        seen.add(one)


def time_flaws(minutes: Sequence[int], ends: int, *place: str | int) -> Iterator[Flaw]:
    """Yield what is wrong with the minutes of the list at `place`, which ends after `ends`."""
    for n, minute in enumerate(minutes):
        if n and minute < minutes[n - 1]:
            yield Flaw((*place, n, "minute"), f"minute {minute} comes after {minutes[n - 1]}")
        if minute > ends:
            yield Flaw((*place, n, "minute"), f"minute {minute} is after the end, {ends}")


def drill_flaws(
    seats: Sequence[str], rounds: Sequence[Round], rubric: Sequence[str], acts: Iterable[str]
) -> Iterator[Flaw]:
    """Yield what is wrong between the seats, rounds, cards and rubric of a drill."""
    yield from twice(seats, "seats")
    yield from twice([each.id for each in rounds], "rounds")
    known = set(acts)
    for r, each in enumerate(rounds):
        yield from _round_flaws(r, each, seats)
        for c, card in enumerate(each.cards):
            at: Place = ("rounds", r, "injects", c)
            if card.act is not None and card.act not in known:
                yield Flaw((*at, "act"), f"{card.act} is not a harmful act of the standard")
            for k, code in enumerate(card.kuk):
                if code not in rubric:
                    yield Flaw((*at, "kuk", k), f"KUK {code} has no rubric")
    yield from _reach_flaws(seats, rounds, rubric)


def _round_flaws(r: int, each: Round, seats: Sequence[str]) -> Iterator[Flaw]:
    yield from twice(each.playing, "rounds", r, "playing")
    yield from time_flaws(
        [card.minute for card in each.cards], each.minutes, "rounds", r, "injects"
    )
    for n, seat in enumerate(each.playing):
        if seat not in seats:
            yield Flaw(("rounds", r, "playing", n), f"there is no seat {seat}")
        elif not any(seat in card.to for card in each.cards):
            yield Flaw(("rounds", r, "playing", n), f"{seat} plays in {each.id} but gets no card")
    for c, card in enumerate(each.cards):
        for n, seat in enumerate(card.to):
            if seat not in each.playing:
                message = f"{seat} does not play in {each.id}"
                yield Flaw(("rounds", r, "injects", c, "to", n), message)


def _reach_flaws(
    seats: Sequence[str], rounds: Sequence[Round], rubric: Sequence[str]
) -> Iterator[Flaw]:
    """Yield seats that never play and criteria that hardly ever happen."""
    playing = {seat for each in rounds for seat in each.playing}
    for n, seat in enumerate(seats):
        if seat not in playing:
            yield Flaw(("seats", n), f"{seat} plays in no round")
    hits = Counter(code for each in rounds for card in each.cards for code in set(card.kuk))
    for n, code in enumerate(rubric):
        if hits[code] < HITS:
            message = f"KUK {code} is on {hits[code]} cards, at least {HITS}"
            yield Flaw(("rubric", n, "kuk"), message)


def rubric_flaws(
    rubric: Sequence[tuple[str, Mapping[str, Sequence[str]]]], lesson: Sequence[str]
) -> Iterator[Flaw]:
    """Yield what is wrong with a rubric; `lesson` are the criteria its lesson teaches."""
    for n, (code, levels) in enumerate(rubric):
        if code not in lesson:
            yield Flaw(("rubric", n, "kuk"), f"the lesson does not teach KUK {code}")
        if code in [other for other, _levels in rubric[:n]]:
            yield Flaw(("rubric", n, "kuk"), f"KUK {code} has two rubrics")
        if sorted(levels) != list(LEVELS) or not all(levels.values()):
            message = f"KUK {code} needs signs for the levels 0, 1 and 2"
            yield Flaw(("rubric", n, "levels"), message)


# --- Recording exercises


def form_flaws(fields: Sequence[Field]) -> Iterator[Flaw]:
    """Yield what is wrong with the fields of a form."""
    yield from twice([field.id for field in fields], "fields")
    for n, field in enumerate(fields):
        if (field.kind is FieldKind.CHOICE) != (len(set(field.choices)) > 1):
            yield Flaw(("fields", n), "two choices or more exactly when the kind is `choice`")


def entry_flaws(
    fields: Sequence[Field], entries: Sequence[tuple[str, str]], *place: str | int
) -> Iterator[Flaw]:
    """Yield what is wrong with the entries of one case, given as (field, value)."""
    known = {field.id: field for field in fields}
    filled = Counter(name for name, _value in entries)
    for n, (name, value) in enumerate(entries):
        if name not in known:
            yield Flaw((*place, "entries", n, "field"), f"there is no field {name}")
        elif name in [other for other, _value in entries[:n]]:
            yield Flaw((*place, "entries", n, "field"), f"{name} is filled twice")
        elif message := _misfit(known[name], value):
            yield Flaw((*place, "entries", n, "value"), message)
    for field in fields:
        if field.required and not filled[field.id]:
            yield Flaw((*place, "entries"), f"{field.id} is required and not filled")


def _misfit(field: Field, value: str) -> str:
    """Return why a field does not take a value; empty when it does."""
    if not value:
        return f"{field.id} is required and empty" if field.required else ""
    if field.kind is FieldKind.CHOICE and value not in field.choices:
        return f"{value!r} is not a choice of {field.id}"
    if field.kind is FieldKind.YES_NO and value.lower() not in YES_NO:
        return f"{field.id} takes {', '.join(YES_NO)}"
    if field.kind is FieldKind.NUMBER and value != UNKNOWN and not value.isdecimal():
        return f"{field.id} takes a number or {UNKNOWN!r}"
    return ""
