"""Reads `content/<curriculum>/items.yaml` and checks the rules of item writing.

Source: docs/content.md, "Items". The numbers below are those rules.
"""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from lms.competency.content import KukSpec, StandardSpec
from lms.competency.rules import EvidenceKind
from lms.core.content import (
    Problem,
    Review,
    Source,
    Spec,
    digest_of_text,
    read_yaml,
    validate,
)

STEM_WORDS = 60
RATIONALE_WORDS = 45
SENTENCE_WORDS = 35
LONGEST_TO_SHORTEST = 1.35
KEY_PERCENT = (20, 30)
"""How often each letter may be the key."""
GUESS_PERCENT = 35
"""How often somebody may be right who only looks at the form of the options."""
ALIKE_PERCENT = 60
"""How many of the words of two questions on one KUK may be the same."""

LETTERS = ("A", "B", "C", "D")
LAW_NAME = r"\b(?:UU|PP|KUHP|KUHAP|Perpres|Perma|Permen\w*)"
LAW = re.compile(LAW_NAME + r" \d+/\d{4}")
LAW_WORD = re.compile(r"\b(?:UU|PP|KUHP|KUHAP|Pasal|pasal|ps|ayat|[Uu]ndang-[Uu]ndang)\b")
LAW_REF = re.compile(LAW_NAME + r" \d+/\d{4} ps \d+[A-Z]?(?:\(\d+\))?")
ABSOLUTE = re.compile(
    r"\b(?:semua|selalu|pasti|hanya|harus|wajib|tidak pernah|setiap|seluruh|sama sekali"
    r"|apa pun|siapa pun|sampai|cukup|saja|langsung)\b",
    re.IGNORECASE,
)
DENIAL = re.compile(r"\b(?:tidak|tanpa|belum|bukan|jangan)\b", re.IGNORECASE)
JOINED = re.compile(r"\b(?:lalu|kemudian|serta|dan)\b", re.IGNORECASE)
PAUSE = re.compile(r"[,;:]")
SAFETY = re.compile(
    r"\b(?:aman|keamanan|keselamatan|bahaya|risiko|rahasia|kerahasiaan)", re.IGNORECASE
)
CHOICE = re.compile(
    r"\b(?:persetujuan|setuju|disetujui|izin|seizin|pilihan|memilih|menawarkan|bersedia"
    r"|disepakati|menyepakati|keputusan)",
    re.IGNORECASE,
)
ASKING = re.compile(
    r"\b(?:bersama|pelan|singkat|menanyakan|bertanya|menjelaskan|mendengar|menyebut|mengakui"
    r"|tenang)",
    re.IGNORECASE,
)
"""Words that a good answer tends to have more often, or less often, than a wrong one."""
ALL_OF_ABOVE = re.compile(
    r"\b[Ss]emua(?:nya| jawaban| pilihan)? (?:di atas )?(?:benar|salah)\b|\b[A-D] dan [A-D]\b"
)
NEGATIVE = re.compile(
    r"\b(?:kecuali|bukan|keliru|salah|paling tidak)\b"
    r"|\btidak (?:tepat|benar|sesuai|termasuk|boleh|aman)\b",
    re.IGNORECASE,
)
SENTENCE_END = re.compile(r"(?<=[.?!])(?<!\b[A-Z]\.)[\"”]?\s+")
"""The full stop of an initial ends no sentence."""
SHAME = re.compile(r"\b(?:[Gg]agal|[Tt]idak kompeten|[Tt]idak lulus)\b")
NUMBER = re.compile(r"\b(?:110|112|119|129|0811[\d-]{4,}|08\d{8,})\b")
NAME = re.compile(r"\b(?:Ibu|Bapak|Pak|Bu|Mbak|Kak|Nona|Tuan|Nyonya) [A-Z][a-z]{2,}")


def _is_day(value: str) -> str:
    date.fromisoformat(value)
    return value


class OptionSpec(Spec):
    """One option and what it teaches."""

    text: str = Field(min_length=10, max_length=300)
    rationale: str = Field(min_length=20, max_length=600)


class OptionsSpec(Spec):
    """Exactly four options."""

    A: OptionSpec
    B: OptionSpec
    C: OptionSpec
    D: OptionSpec

    def by_letter(self) -> dict[str, OptionSpec]:
        """Return letter to option, in the order of the file."""
        return {letter: getattr(self, letter) for letter in LETTERS}


class ItemSpec(Spec):
    """One question."""

    id: str
    kuk: str
    level: Literal["C2", "C3", "C4"]
    stem: str = Field(min_length=20, max_length=700)
    options: OptionsSpec
    key: Literal["A", "B", "C", "D"]
    source: str = Field(min_length=5)
    law_ref: list[str]
    checked_on: Annotated[str, AfterValidator(_is_day)]
    review: Review

    @property
    def digest(self) -> str:
        """Fingerprint of everything a version keeps."""
        return digest_of_text(json.dumps(self.model_dump(mode="json"), sort_keys=True))

    @property
    def reviewed(self) -> bool:
        """Tell whether an expert has read it."""
        return self.review.status != "unreviewed"


class BankSpec(Spec):
    """One items.yaml."""

    items: list[ItemSpec]


@dataclass(frozen=True, slots=True)
class BankItem:
    """One question and the curriculum whose quiz draws it."""

    curriculum: str
    spec: ItemSpec


def check(directory: Path, standard: StandardSpec) -> tuple[list[BankItem], list[Problem]]:
    """Read and check the item bank of every curriculum. Raises core.content.Unreadable."""
    found: list[BankItem] = []
    problems: list[Problem] = []
    for path in sorted(directory.glob("*/curriculum.yaml")):
        head = read_yaml(path).data
        code = head.get("code") if isinstance(head, dict) else None
        is_draft = isinstance(head, dict) and head.get("status") == "draft"
        asked = _asked(standard, code)
        bank = path.with_name("items.yaml")
        if not bank.is_file():
            if asked and not is_draft:
                problems.append(Problem(str(bank), 1, f"the bank of {code} is missing"))
            continue
        source = read_yaml(bank)
        spec, wrong = validate(BankSpec, source)
        problems += wrong
        if spec is not None:
            problems += _check_items(spec.items, asked, str(code), source)
            if not is_draft:  # of a draft, the list of holes says it
                problems += _check_sizes(spec.items, asked, standard, source)
            problems += _check_bank(spec.items, source)
            found += [BankItem(str(code), item) for item in spec.items]
    return found, problems


def _asked(standard: StandardSpec, curriculum: object) -> dict[str, KukSpec]:
    """Return the KUK of a curriculum that a quiz asks."""
    return {
        kuk.code: kuk
        for unit in standard.units
        for element in unit.elements
        for kuk in element.kuk
        if kuk.curriculum == curriculum and EvidenceKind.Q in kuk.ev
    }


Rule = Callable[[ItemSpec], Iterator[tuple[str, tuple[str | int, ...]]]]
"""Yields what is wrong with one item, and where in it."""


def _check_items(
    items: Sequence[ItemSpec], asked: dict[str, KukSpec], curriculum: str, source: Source
) -> Iterator[Problem]:
    seen: set[str] = set()
    for n, item in enumerate(items):
        faults = [fault for rule in RULES for fault in rule(item)]
        if item.id in seen:
            faults.append((f"{item.id} appears twice", ("id",)))
        seen.add(item.id)
        faults += _place(item, asked, curriculum)
        yield from (source.problem(f"{item.id}: {text}", "items", n, *at) for text, at in faults)
    yield from _check_alike(items, source)


def _place(
    item: ItemSpec, asked: dict[str, KukSpec], curriculum: str
) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Check where the item stands in the standard."""
    kuk = asked.get(item.kuk)
    if kuk is None:
        yield f"{curriculum} has no quiz on KUK {item.kuk}", ("kuk",)
        return
    name = f"{curriculum}-{item.kuk.replace('.', '')}-"
    if not re.fullmatch(re.escape(name) + r"[1-9]\d*", item.id):
        yield f"the id must be {name} and a number", ("id",)
    if kuk.critical and item.level == "C2":
        yield "an item on a critical KUK is C3 or C4", ("level",)
    if kuk.critical and NEGATIVE.search(_question(item.stem)):
        yield "no negative question on a critical KUK", ("stem",)


def _question(stem: str) -> str:
    """Return the question itself: the last sentence."""
    return SENTENCE_END.split(stem)[-1]


def _words(text: str) -> int:
    return len(text.split())


def _rule_length(item: ItemSpec) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    if _words(item.stem) > STEM_WORDS:
        yield f"the stem has {_words(item.stem)} words, at most {STEM_WORDS}", ("stem",)
    options = item.options.by_letter()
    lengths = sorted(len(option.text) for option in options.values())
    if lengths[-1] > LONGEST_TO_SHORTEST * lengths[0]:
        ratio = f"{lengths[-1] / lengths[0]:.2f}"
        yield f"longest to shortest option is {ratio}, at most {LONGEST_TO_SHORTEST}", ("options",)
    for letter, option in options.items():
        if _words(option.rationale) > RATIONALE_WORDS:
            text = f"the rationale has {_words(option.rationale)} words, at most {RATIONALE_WORDS}"
            yield text, ("options", letter, "rationale")


def _rule_options(item: ItemSpec) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    options = item.options.by_letter()
    for letter, option in options.items():
        if ALL_OF_ABOVE.search(option.text):
            yield "no option about the other options", ("options", letter)
    if len({option.text.lower() for option in options.values()}) < len(options):
        yield "two options are the same", ("options",)


def _rule_words(item: ItemSpec) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Check the words of every text a learner reads."""
    for text, at in _texts(item):
        if "!" in text:
            yield "no exclamation marks", at
        for pattern, what in WORDS:
            found = pattern.search(text)
            if found:
                yield f"{what}: {found[0]}", at
        longest = max(_words(sentence) for sentence in SENTENCE_END.split(text))
        if longest > SENTENCE_WORDS:
            yield f"a sentence has {longest} words, at most {SENTENCE_WORDS}", at


WORDS = (
    (SHAME, "write “Belum”"),
    (NUMBER, "numbers of services stand in directory.yaml only"),
    (NAME, "people have an initial, not a name"),
    (re.compile(r"\bdan/atau\b"), "say which"),
)


def _texts(item: ItemSpec) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    yield item.stem, ("stem",)
    for letter, option in item.options.by_letter().items():
        yield option.text, ("options", letter, "text")
        yield option.rationale, ("options", letter, "rationale")


def _rule_law(item: ItemSpec) -> Iterator[tuple[str, tuple[str | int, ...]]]:
    """Check that a change of the law finds the items it touches."""
    told = " ".join([item.source, *(text for text, _at in _texts(item))])
    for n, ref in enumerate(item.law_ref):
        if not LAW_REF.fullmatch(ref):
            yield f"law_ref reads like `UU 23/2004 ps 16(1)`, not {ref!r}", ("law_ref", n)
        elif ref.split(" ps ")[0] not in item.source:
            yield f"{ref} is not in `source`", ("law_ref", n)
    linked = {ref.split(" ps ")[0] for ref in item.law_ref}
    for law in sorted(set(LAW.findall(told)) - linked):
        yield f"{law} is named but not in `law_ref`", ("law_ref",)


RULES: tuple[Rule, ...] = (_rule_length, _rule_options, _rule_words, _rule_law)


def _check_alike(items: Sequence[ItemSpec], source: Source) -> Iterator[Problem]:
    """Items of one KUK replace one another in a re-sit, so each needs a situation of its own."""
    groups: dict[str, list[tuple[int, ItemSpec]]] = defaultdict(list)
    for n, item in enumerate(items):
        groups[item.kuk].append((n, item))
    for group in groups.values():
        for (_, one), (n, other) in combinations(group, 2):
            a, b = (set(re.findall(r"\w+", item.stem.lower())) for item in (one, other))
            if 100 * len(a & b) > ALIKE_PERCENT * min(len(a), len(b)):
                yield source.problem(f"{other.id} is too like {one.id}", "items", n, "stem")


def _check_sizes(
    items: Sequence[ItemSpec], asked: dict[str, KukSpec], standard: StandardSpec, source: Source
) -> Iterator[Problem]:
    """Check the size of the bank per KUK: three times what a sitting shows."""
    blueprint = standard.blueprint
    have = Counter(item.kuk for item in items)
    for code, kuk in asked.items():
        shown = (
            blueprint.shown_critical
            if kuk.critical
            else blueprint.shown_noncritical[kuk.curriculum]
        )
        wanted = shown * blueprint.bank_per_shown
        if have[code] < wanted:
            yield source.problem(f"KUK {code} has {have[code]} items, at least {wanted}", "items")


def _check_bank(items: Sequence[ItemSpec], source: Source) -> Iterator[Problem]:
    """Check that nobody gains by guessing from the form alone."""
    low, high = KEY_PERCENT
    total = len(items)
    keys: Counter[str] = Counter(item.key for item in items)
    for letter in LETTERS:
        # Rounded outwards: six items cannot be shared out any better than 1 or 2 a letter.
        if not low * total // 100 <= keys[letter] <= -(-high * total // 100):
            yield source.problem(
                f"the key is {letter} in {keys[letter]} of {total} items, {low} to {high} %",
                "items",
            )
    for name, guess in GUESSES.items():
        right = sum(_chance(item, guess(item)) for item in items)
        if 100 * right > GUESS_PERCENT * total:
            yield source.problem(
                f"guessing “{name}” is right in {right:.1f} of {total} items, "
                f"at most {GUESS_PERCENT} %",
                "items",
            )


def _chance(item: ItemSpec, points: dict[str, int]) -> float:
    """Return the chance of hitting the key by choosing among the options with most points."""
    best = [letter for letter, value in points.items() if value == max(points.values())]
    return (item.key in best) / len(best)


def _points(count: Callable[[str], int]) -> Callable[[ItemSpec], dict[str, int]]:
    return lambda item: {k: count(o.text) for k, o in item.options.by_letter().items()}


GUESSES: dict[str, Callable[[ItemSpec], dict[str, Any]]] = {
    "the longest option": _points(len),
    "the shortest option": _points(lambda text: -len(text)),
    "most law words": _points(lambda text: len(LAW_WORD.findall(text))),
    "most commas": _points(lambda text: len(PAUSE.findall(text))),
    "most parts joined by lalu, dan, serta": _points(lambda text: len(JOINED.findall(text))),
    "most absolute words": _points(lambda text: len(ABSOLUTE.findall(text))),
    "fewest absolute words": _points(lambda text: -len(ABSOLUTE.findall(text))),
    "most denials": _points(lambda text: len(DENIAL.findall(text))),
    "most words of safety": _points(lambda text: len(SAFETY.findall(text))),
    "most words of safety or choice": _points(
        lambda text: len(SAFETY.findall(text)) + len(CHOICE.findall(text))
    ),
    "most words of asking and explaining": _points(lambda text: len(ASKING.findall(text))),
}
"""Ways to guess. The most frequent letter is kept down by KEY_PERCENT already."""
