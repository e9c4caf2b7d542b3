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
from random import Random
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError

from lms.competency.content import KukSpec, StandardSpec
from lms.competency.rules import EvidenceKind
from lms.core.content import Problem, Review, Source, Spec, read_yaml, validate
from lms.core.errors import DomainError
from lms.core.ids import digest_of_text
from lms.quizzes.types import TYPES, Kind, Unloadable, codec, stored
from lms.quizzes.types.model import Format, Text
from lms.quizzes.types.problems import Key, Refused, Report
from lms.quizzes.types.question import Question

STEM_WORDS = 60
RATIONALE_WORDS = 45
RATIONALE_LETTERS = (20, 600)
ANSWER_LETTERS = 300
GUIDANCE_LETTERS = 2000
SENTENCE_WORDS = 35
LONGEST_TO_SHORTEST = 1.35
KEY_PERCENT = (20, 30)
"""How often each letter may be the key."""
GUESS_FROM = 6
"""How many items with four options a bank needs before guessing is looked at: of one, all is."""
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

    text: str = Field(min_length=10, max_length=ANSWER_LETTERS)
    rationale: str = Field(min_length=RATIONALE_LETTERS[0], max_length=RATIONALE_LETTERS[1])


class OptionsSpec(Spec):
    """Exactly four options."""

    A: OptionSpec
    B: OptionSpec
    C: OptionSpec
    D: OptionSpec

    def by_letter(self) -> dict[str, OptionSpec]:
        """Return letter to option, in the order of the file."""
        return {letter: getattr(self, letter) for letter in LETTERS}


Place = tuple[str | int, ...]
Fault = tuple[str, Place]
"""What is wrong with an item, and where in it."""


class _Asked(Spec):
    """What every question says, whatever its type."""

    id: str
    kuk: str
    level: Literal["C2", "C3", "C4"]
    stem: str = Field(min_length=20, max_length=700)
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


class ItemSpec(_Asked):
    """One question with a single best answer of four."""

    type: Literal["single"] = Field("single", exclude=True)
    """Not in the fingerprint: an item that does not name its type is the same as one that does."""
    options: OptionsSpec
    key: Literal["A", "B", "C", "D"]

    @property
    def answer(self) -> str:
        """The words of the right answer."""
        return self.options.by_letter()[self.key].text

    @property
    def calls_right(self) -> tuple[str, ...]:
        """What the key calls right, thing by thing."""
        return (self.answer,)

    def columns(self) -> dict[str, Any]:
        """Return the columns of an item version that hold what is asked, and the key."""
        options = [
            {"key": letter, "text": option.text, "rationale": option.rationale}
            for letter, option in self.options.by_letter().items()
        ]
        return {
            "kind": self.type,
            "stem": self.stem,
            "options": options,
            "key": self.key,
            "body": None,
        }

    def texts(self) -> Iterator[tuple[str, Place]]:
        """Yield every text of it, and where it stands."""
        yield self.stem, ("stem",)
        for letter, option in self.options.by_letter().items():
            yield option.text, ("options", letter, "text")
            yield option.rationale, ("options", letter, "rationale")


def _stripped(value: Any) -> Any:
    """Return what a file holds; its texts without the line end that a folded one has."""
    match value:
        case str():
            return value.strip()
        case list():
            return [_stripped(one) for one in value]
        case dict():
            return {name: _stripped(one) for name, one in value.items()}
    return value


class TypedSpec(_Asked):
    """One question of another type: `body` is what the folder of the type in `types` reads."""

    type: Literal[
        "multiple", "true_false", "matching", "ordering", "short_answer", "numeric", "essay"
    ]
    body: Annotated[dict[str, Any], BeforeValidator(_stripped)]
    feedback: str = Field("", max_length=RATIONALE_LETTERS[1])
    """Why the answer is as it is; read after the sitting."""

    @property
    def kind(self) -> Kind:
        """The type of the question."""
        return Kind(self.type)

    @property
    def answer(self) -> str:
        """The words of the right answer."""
        return stored.answer_of(self.kind, self.stem, self.columns()["body"])

    @property
    def calls_right(self) -> tuple[str, ...]:
        """What the key calls right, thing by thing."""
        return stored.calls_right(self.kind, self.stem, self.columns()["body"])

    def question(self) -> Question:
        """Return it as its type marks it. Raises Unloadable."""
        body = TYPES[self.kind].load(self.body)
        return Question(body, Text(self.stem), feedback=Text(self.feedback))

    def columns(self) -> dict[str, Any]:
        """Return the columns of an item version that hold what is asked, and the key."""
        return stored.columns_of(self.question())

    def texts(self) -> Iterator[tuple[str, Place]]:
        """Yield every text of it, and where it stands."""
        yield self.stem, ("stem",)
        yield self.feedback, ("feedback",)
        for text, at in codec.texts_in(self.question().body, ("body",)):
            yield text.value, at


AnySpec = ItemSpec | TypedSpec
SPECS: dict[str, type[AnySpec]] = {
    str(kind): ItemSpec if kind is Kind.SINGLE else TypedSpec for kind in TYPES
}


class BadItem(DomainError):
    """An entry of items.yaml is no question; says why and where."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(text for text, _at in faults))
        self.faults = faults


def read_item(raw: Any) -> AnySpec:
    """Return one entry of items.yaml. Raises BadItem."""
    kind = raw.get("type", "single") if isinstance(raw, dict) else "single"
    if not isinstance(kind, str) or kind not in SPECS:
        raise BadItem([(f"{kind!r} is no type: {', '.join(SPECS)}", ("type",))])
    try:
        item = SPECS[kind].model_validate(raw)
    except ValidationError as error:
        found = error.errors(include_url=False)
        raise BadItem([(one["msg"], one["loc"]) for one in found]) from None
    faults = list(_unaskable(item)) if isinstance(item, TypedSpec) else []
    if faults:
        raise BadItem(faults)
    return item


def _unaskable(item: TypedSpec) -> Iterator[Fault]:
    """Say why a question cannot be asked, by the rules of its type."""
    found = TYPES[item.kind]
    for name in set(found.kept) & item.body.keys():
        yield "is not written by an author: the file holds the key as it is", ("body", name)
    try:
        body = item.question().body
    except Unloadable as error:
        yield error.says, ("body", *error.place)
        return
    for text, at in codec.texts_in(body, ("body",)):
        if text.format is not Format.PLAIN or text.images:
            yield "write plain text: no other format, no image", at
    report = Report()
    try:
        found.check(body, report)
        order = found.deal(body, Random(0))  # noqa: S311  # whichever: all can be solved, or none
        # As evidence an item is right only at the whole mark.
        if not found.by_hand and found.solve(body, order) is None:
            yield "no answer earns the whole mark", ("body",)
    except Refused as error:
        report.refuse(error)
    for problem in report.problems():
        yield problem.message, ("body", *_place_of(problem.key, item.body))


def _place_of(key: Key, body: dict[str, Any]) -> Place:
    """Return where in a body the rule of a type is broken, as near as it can be said."""
    name, rows = next(((k, v) for k, v in body.items() if isinstance(v, list)), ("", []))

    def first(field: str, broken: Callable[[Any], bool]) -> Place:
        found = (n for n, one in enumerate(rows) if isinstance(one, dict) and broken(one))
        return next(((name, n, field) for n in found if field in rows[n]), (name,))

    match key:
        case Key.EMPTY_OPTION:
            empty = (
                (name, n, *([field] if field else []))
                for n, one in enumerate(rows)
                for field, text in (one.items() if isinstance(one, dict) else [("", one)])
                if text == "" and field in ("", "text", "right", "value")
            )
            return next(empty, (name,))
        case Key.WEIGHT_RANGE:
            return first("weight", lambda one: abs(float(one.get("weight", 0))) > 100)
        case Key.ALL_WEIGHTS:
            return first("weight", lambda one: float(one.get("weight", 0)) not in (0, 100))
        case Key.TOLERANCE:
            return first("tolerance", lambda one: float(one.get("tolerance", 0)) < 0)
        case Key.WORD_LIMITS:
            return ("most_words",)
    return (name,) if name else ()


class BankSpec(Spec):
    """One items.yaml before its entries are read."""

    items: list[Any]


def read_items(source: Source) -> tuple[list[tuple[int, AnySpec]], list[Problem]]:
    """Return the items of a file, each with its number there, and what is wrong with the rest."""
    bank, problems = validate(BankSpec, source)
    found: list[tuple[int, AnySpec]] = []
    for n, raw in enumerate(bank.items if bank else ()):
        try:
            found.append((n, read_item(raw)))
        except BadItem as error:
            problems += [
                source.problem(f"{'.'.join(map(str, ('items', n, *at)))}: {text}", "items", n, *at)
                for text, at in error.faults
            ]
    return found, problems


@dataclass(frozen=True, slots=True)
class BankItem:
    """One question and the curriculum whose quiz draws it."""

    curriculum: str
    spec: AnySpec


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
        items, wrong = read_items(source)
        problems += wrong
        problems += _check_items(items, asked, str(code), source)
        if not wrong:
            specs = [item for _n, item in items]
            if not is_draft:  # of a draft, the list of holes says it
                problems += _check_sizes(specs, asked, standard, source)
            problems += _check_bank(specs, source)
            found += [BankItem(str(code), item) for item in specs]
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


Rule = Callable[[AnySpec], Iterator[Fault]]
"""Yields what is wrong with one item, and where in it."""


def _check_items(
    items: Sequence[tuple[int, AnySpec]],
    asked: dict[str, KukSpec],
    curriculum: str,
    source: Source,
) -> Iterator[Problem]:
    seen: set[str] = set()
    for n, item in items:
        faults = [fault for rule in RULES for fault in rule(item)]
        if item.id in seen:
            faults.append((f"{item.id} appears twice", ("id",)))
        seen.add(item.id)
        faults += _place(item, asked, curriculum)
        yield from (source.problem(f"{item.id}: {text}", "items", n, *at) for text, at in faults)
    yield from _check_alike(items, source)


def _place(item: AnySpec, asked: dict[str, KukSpec], curriculum: str) -> Iterator[Fault]:
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


def _rule_length(item: AnySpec) -> Iterator[Fault]:
    if _words(item.stem) > STEM_WORDS:
        yield f"the stem has {_words(item.stem)} words, at most {STEM_WORDS}", ("stem",)
    if isinstance(item, ItemSpec):
        lengths = sorted(len(option.text) for option in item.options.by_letter().values())
        if lengths[-1] > LONGEST_TO_SHORTEST * lengths[0]:
            ratio = f"{lengths[-1] / lengths[0]:.2f}"
            said = f"longest to shortest option is {ratio}, at most {LONGEST_TO_SHORTEST}"
            yield said, ("options",)
    for text, at in item.texts():
        if at[-1] in REASONS and _words(text) > RATIONALE_WORDS:
            yield f"the {at[-1]} has {_words(text)} words, at most {RATIONALE_WORDS}", at


REASONS = ("rationale", "feedback", "when_true", "when_false")
"""The names of the texts that say why."""


def _rule_options(item: AnySpec) -> Iterator[Fault]:
    options = [(text, at) for text, at in item.texts() if at != ("stem",) and not _is_reason(at)]
    for text, at in options:
        if ALL_OF_ABOVE.search(text):
            yield "no option about the other options", at
    if isinstance(item, ItemSpec):
        if len({text.lower() for text, _at in options}) < len(options):
            yield "two options are the same", ("options",)
        return
    seen: set[tuple[str, str]] = set()
    for text, at in options:
        if at[-1] == "right" or not text:  # one thing may belong to several
            continue
        same = (str(at[1]), text.lower())
        if same in seen:
            yield f"stands there twice: {text}", at
        seen.add(same)


def _is_reason(at: Place) -> bool:
    return at[-1] in (*REASONS, "guidance")


def _rule_reasons(item: AnySpec) -> Iterator[Fault]:
    """Check that a question of another type says why, in as many letters as an option does."""
    if isinstance(item, ItemSpec):
        return
    texts = list(item.texts())
    own = [
        (text, at)
        for text, at in texts
        if at[-1] in ("when_true", "when_false", "guidance")
        or (at[:2] == ("body", "options") and at[-1] == "feedback")
    ]
    for text, at in own or [(item.feedback, ("feedback",))]:
        if len(text) < RATIONALE_LETTERS[0]:
            yield f"say why, in at least {RATIONALE_LETTERS[0]} letters: {at[-1]}", at
    for text, at in texts:
        most = RATIONALE_LETTERS[1] if _is_reason(at) else ANSWER_LETTERS
        most = GUIDANCE_LETTERS if at[-1] in ("guidance", "start") else most
        if at[0] == "body" and len(text) > most:
            yield f"has {len(text)} letters, at most {most}", at


def _rule_words(item: AnySpec) -> Iterator[Fault]:
    """Check the words of every text a learner reads."""
    for text, at in item.texts():
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


def _rule_law(item: AnySpec) -> Iterator[Fault]:
    """Check that a change of the law finds the items it touches."""
    told = " ".join([item.source, *(text for text, _at in item.texts())])
    for n, ref in enumerate(item.law_ref):
        if not LAW_REF.fullmatch(ref):
            yield f"law_ref reads like `UU 23/2004 ps 16(1)`, not {ref!r}", ("law_ref", n)
        elif ref.split(" ps ")[0] not in item.source:
            yield f"{ref} is not in `source`", ("law_ref", n)
    linked = {ref.split(" ps ")[0] for ref in item.law_ref}
    for law in sorted(set(LAW.findall(told)) - linked):
        yield f"{law} is named but not in `law_ref`", ("law_ref",)


RULES: tuple[Rule, ...] = (_rule_length, _rule_options, _rule_reasons, _rule_words, _rule_law)


def _check_alike(items: Sequence[tuple[int, AnySpec]], source: Source) -> Iterator[Problem]:
    """Items of one KUK replace one another in a re-sit, so each needs a situation of its own."""
    groups: dict[str, list[tuple[int, AnySpec]]] = defaultdict(list)
    for n, item in items:
        groups[item.kuk].append((n, item))
    for group in groups.values():
        for (_, one), (n, other) in combinations(group, 2):
            a, b = (set(re.findall(r"\w+", item.stem.lower())) for item in (one, other))
            if 100 * len(a & b) > ALIKE_PERCENT * min(len(a), len(b)):
                yield source.problem(f"{other.id} is too like {one.id}", "items", n, "stem")


def _check_sizes(
    items: Sequence[AnySpec], asked: dict[str, KukSpec], standard: StandardSpec, source: Source
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


def _check_bank(bank: Sequence[AnySpec], source: Source) -> Iterator[Problem]:
    """Check that nobody gains by guessing from the form of the four options alone."""
    low, high = KEY_PERCENT
    items = [item for item in bank if isinstance(item, ItemSpec)]
    total = len(items)
    keys: Counter[str] = Counter(item.key for item in items)
    for letter in LETTERS:
        # Rounded outwards: six items cannot be shared out any better than 1 or 2 a letter.
        if not low * total // 100 <= keys[letter] <= -(-high * total // 100):
            yield source.problem(
                f"the key is {letter} in {keys[letter]} of {total} items, {low} to {high} %",
                "items",
            )
    for name, guess in GUESSES.items() if total >= GUESS_FROM else ():
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
