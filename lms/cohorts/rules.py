"""Who may invite whom, how long an invitation holds, what a class address may say. Pure.

And which organisation somebody means by a name.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from lms.core.errors import DomainError

INVITATION = timedelta(hours=72)
CLASS_ROLES = ("trainee", "trainer", "assessor", "speaker")
"""Roles somebody can be invited to in a class."""
OTHER_ROLES = ("trainer", "assessor", "speaker", "agency", "author", "reviewer", "admin")
"""Roles somebody can be invited to outside a class."""
NEEDS_ORGANISATION = frozenset({"trainee", "agency"})
"""A companion is sent by an organisation, an officer asks in the name of one."""
SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
LONGEST_SLUG = 40
OUR_WORDS = frozenset({"baru", "impor"})
"""Addresses of pages that stand where a class could stand."""
SEAT_RULES = "suluh_seat_rules"
"""Where the application keeps what features above want asked before a companion is invited: they
take class, organisation and time, and raise NoSeat."""
SEAT_TAKEN = "suluh_seat_taken"
"""Where the application keeps what features above do when a companion has accepted an invitation:
they take person, class and time."""
LOADED_WORDS = ("kdrt", "kekerasan", "korban", "aniaya", "violence", "victim", "abuse")
"""An address stays in the browser's history, so it never says what the class is about."""


class BadSlug(DomainError):
    """The address of a class is malformed, ours, or says what the class is about."""


class Standing(StrEnum):
    """What has become of an invitation."""

    OPEN = "open"
    ACCEPTED = "accepted"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class InvitationDates:
    """The moments that decide what an invitation is worth."""

    expires_at: datetime
    accepted_at: datetime | None
    withdrawn_at: datetime | None


def standing(dates: InvitationDates, now: datetime) -> Standing:
    """Return what has become of an invitation at `now`."""
    if dates.accepted_at is not None:
        return Standing.ACCEPTED
    if dates.withdrawn_at is not None:
        # One that was closed after its time has expired for good, whatever clock is read.
        in_time = dates.withdrawn_at < dates.expires_at
        return Standing.WITHDRAWN if in_time else Standing.EXPIRED
    return Standing.OPEN if now < dates.expires_at else Standing.EXPIRED


def may_invite(inviter: Iterable[str], role: str, *, in_class: bool) -> bool:
    """Tell whether somebody with the roles `inviter` may invite to `role`.

    An administrator may invite to every role, a trainer companions into a class.
    """
    if "admin" in inviter:
        return role in (CLASS_ROLES if in_class else OTHER_ROLES)
    return "trainer" in inviter and in_class and role == "trainee"


def check_slug(text: str) -> None:
    """Let the address of a class pass or raise BadSlug: `form`, `ours` or `loaded`."""
    if len(text) > LONGEST_SLUG or SLUG.fullmatch(text) is None:
        raise BadSlug("form")
    if text in OUR_WORDS:
        raise BadSlug("ours")
    if any(word in text for word in LOADED_WORDS):
        raise BadSlug("loaded")


# Which organisation a name means


SLOTS = (1, 2)
"""An organisation has at most two officers: each joins with two named people."""
MOST_CANDIDATES = 8
"""Organisations offered where a name fits more than one, or none well."""
ALIKE = 0.5
"""The share of common words from which two names are worth showing beside each other."""

Words = tuple[str, ...]


class Why(StrEnum):
    """Why an organisation may be the one that is meant."""

    CURRENT = "current"
    FORMER = "former"
    ALIAS = "alias"
    ABBREVIATION = "abbreviation"
    MEANING = "meaning"
    """A common abbreviation stands for a part of its name."""
    SUCCESSOR = "successor"
    """A body of that kind was called so before."""
    KIND = "kind"
    """It is one of the kind an abbreviation may stand for."""
    ALIKE = "alike"


class Fit(StrEnum):
    """How well a typed name fits the organisations that are known."""

    ONE = "one"
    SEVERAL = "several"
    """More than one fits, or the word itself has more than one meaning: somebody must be asked."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Meaning:
    """One thing an abbreviation may stand for."""

    name: str
    kind: str
    is_successor: bool = False
    """The abbreviation is what such a body was called before; `name` is what it is called now."""


@dataclass(frozen=True, slots=True)
class Abbreviation:
    """A common abbreviation, or an old word for a kind of body."""

    short: str
    meanings: tuple[Meaning, ...]
    ask: bool = False
    """Whether to ask even though there is one meaning: its bearer differs from place to place."""

    @property
    def is_ambiguous(self) -> bool:
        """Whether nobody can tell from the word alone what it stands for."""
        return self.ask or len(self.meanings) > 1


@dataclass(frozen=True, slots=True)
class KnownName:
    """One name of one organisation."""

    organisation_id: int
    name: str
    why: Why
    kind: str
    until: date | None = None
    """The last day it was the official name."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An organisation that may be meant, the name that fits, and why."""

    organisation_id: int
    name: str
    why: Why
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """What a typed name may mean. Exactly one candidate with ONE."""

    fit: Fit
    candidates: tuple[Candidate, ...] = ()
    meanings: tuple[str, ...] = ()
    """What the abbreviation in it may stand for, where that has to be asked."""


def normal_name(text: str) -> str:
    """Return a name as it is compared: no case, no accents, no punctuation, single spaces."""
    for _round in range(2):  # what one round takes apart may hold capitals again
        text = unicodedata.normalize("NFKD", text).casefold()
    kept = (c if c.isalnum() else " " for c in text if unicodedata.category(c) != "Mn")
    return " ".join("".join(kept).split())


class NameIndex:
    """All names of all organisations, ready to be asked many times."""

    def __init__(self, known: Iterable[KnownName], abbreviations: Iterable[Abbreviation]) -> None:
        self._known = list(known)
        self._asked: dict[Words, Abbreviation] = {}
        self._plain: dict[Words, Abbreviation] = {}
        for one in abbreviations:
            shelf = self._asked if one.is_ambiguous else self._plain
            shelf[tuple(normal_name(one.short).split())] = one
        self._forms: dict[Words, list[KnownName]] = defaultdict(list)
        self._with_word: dict[str, set[int]] = defaultdict(set)
        self._words: list[frozenset[str]] = []
        for place, name in enumerate(self._known):
            words = self._whole(tuple(normal_name(name.name).split()))
            self._forms[words].append(name)
            self._words.append(frozenset(words))
            for word in words:
                self._with_word[word].add(place)

    def match(self, typed: str) -> Match:
        """Tell which organisation is meant. What has more than one meaning is never guessed."""
        typed_words = tuple(normal_name(typed).split())
        words = self._whole(typed_words)
        if exact := self._exactly(words, typed_words):
            return _decided(exact)
        asked = _find(words, self._asked)
        successors = _find(typed_words, _successors(self._plain))
        found = [
            Candidate(one.organisation_id, one.name, why, one.until)
            for meant, why in self._readings(words, typed_words, asked, successors)
            for one in self._forms.get(meant, ())
        ]
        if asked is not None:
            more = found or self._of_kinds(asked) or self._alike(words)
            meanings = tuple(meaning.name for meaning in asked.meanings)
            return Match(Fit.SEVERAL, _distinct(more), meanings)
        return _decided(found) if found else Match(Fit.UNKNOWN, _distinct(self._alike(words)))

    def _exactly(self, words: Words, typed: Words) -> list[Candidate]:
        return [
            Candidate(
                one.organisation_id,
                one.name,
                one.why if tuple(normal_name(one.name).split()) == typed else Why.MEANING,
                one.until,
            )
            for one in self._forms.get(words, ())
        ]

    def _whole(self, words: Words) -> Words:
        """Write out every abbreviation that has one meaning and is in use today."""
        today = {short: one for short, one in self._plain.items() if not _is_old(one)}
        return _written_out(words, {short: one.meanings[0] for short, one in today.items()})

    def _readings(
        self,
        words: Words,
        typed: Words,
        asked: Abbreviation | None,
        successor: Abbreviation | None,
    ) -> Iterator[tuple[Words, Why]]:
        if asked is not None:
            short = tuple(normal_name(asked.short).split())
            for meaning in asked.meanings:
                why = Why.SUCCESSOR if meaning.is_successor else Why.MEANING
                yield self._whole(_written_out(words, {short: meaning})), why
        if successor is not None:
            short = tuple(normal_name(successor.short).split())
            renamed = _written_out(typed, {short: successor.meanings[0]})
            yield self._whole(renamed), Why.SUCCESSOR

    def _of_kinds(self, asked: Abbreviation) -> list[Candidate]:
        kinds = {meaning.kind for meaning in asked.meanings}
        return [
            Candidate(one.organisation_id, one.name, Why.KIND)
            for one in self._known
            if one.why is Why.CURRENT and one.kind in kinds
        ]

    def _alike(self, words: Words) -> list[Candidate]:
        wanted = frozenset(words)
        near = set().union(*(self._with_word.get(word, ()) for word in wanted))
        scored = []
        for place in near:
            common, all_words = wanted & self._words[place], wanted | self._words[place]
            if len(common) / len(all_words) >= ALIKE:
                one = self._known[place]
                scored.append((-len(common) / len(all_words), one.name, one))
        return [
            Candidate(one.organisation_id, one.name, Why.ALIKE)
            for _score, _name, one in sorted(scored, key=lambda entry: entry[:2])
        ]


def _is_old(abbreviation: Abbreviation) -> bool:
    return abbreviation.meanings[0].is_successor


def _successors(plain: Mapping[Words, Abbreviation]) -> dict[Words, Abbreviation]:
    return {short: one for short, one in plain.items() if _is_old(one)}


def _find(words: Words, shelf: Mapping[Words, Abbreviation]) -> Abbreviation | None:
    """Return the first abbreviation of a shelf that stands in the words."""
    for start in range(len(words)):
        for end in range(len(words), start, -1):
            if words[start:end] in shelf:
                return shelf[words[start:end]]
    return None


def _written_out(words: Words, meanings: Mapping[Words, Meaning]) -> Words:
    """Replace each abbreviation by what it stands for, the longest first."""
    whole: list[str] = []
    longest = max(map(len, meanings), default=0)
    start = 0
    while start < len(words):
        for size in range(min(longest, len(words) - start), 0, -1):
            meaning = meanings.get(words[start : start + size])
            if meaning is not None:
                whole += normal_name(meaning.name).split()
                start += size
                break
        else:
            whole.append(words[start])
            start += 1
    return tuple(whole)


def _distinct(candidates: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Keep the first reason for each organisation, and so many that one can choose."""
    first: dict[int, Candidate] = {}
    for one in candidates:
        first.setdefault(one.organisation_id, one)
    return tuple(first.values())[:MOST_CANDIDATES]


def _decided(candidates: Sequence[Candidate]) -> Match:
    distinct = _distinct(candidates)
    return Match(Fit.ONE if len(distinct) == 1 else Fit.SEVERAL, distinct)
