"""How an article of law is named, and what a range of articles covers. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from lms.core.errors import DomainError


class Status(StrEnum):
    """What the registry knows of a statute or an article."""

    IN_FORCE = "in_force"
    SUPERSEDED = "superseded"
    TO_BE_VERIFIED = "to_be_verified"


class MarkState(StrEnum):
    """What somebody said of an article on this installation."""

    SUPERSEDED = "superseded"
    IN_FORCE = "in_force"
    """The mark is taken back."""


def state_of(status: Status, mark: MarkState | None) -> Status:
    """Return what holds of an article here: the newest mark before what the files say."""
    return status if mark is None else Status(mark.value)


class Unclear(DomainError):
    """A text that should name a law and its articles does not."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A law named in a text, its articles, and where it stands there."""

    law: str
    articles: tuple[str, ...]
    """Numbers as `16` or `76C`; empty where only the law is named."""
    start: int = 0
    end: int = 0

    @property
    def refs(self) -> tuple[str, ...]:
        """Return each article by its whole name."""
        return tuple(name_of(self.law, article) for article in self.articles)


DELTA_WORDS = 300
"""Words of a reading on what changed: five minutes."""
_DIGIT = re.compile(r"\d")
MOST = 60
"""Articles in one range: more is a slip of the pen."""
_KIND = r"Undang-Undang|UU|PP|Perpres|Perma|Permen[a-z]*(?:\s+[A-Z]{2,})?"
_CODE = re.compile(
    rf"\b(?P<kind>{_KIND})\s+(?:(?:Nomor|No\.?)\s*)?(?P<number>\d+)(?:\s*/\s*|\s+Tahun\s+)"
    r"(?P<year>\d{4})(?!\d)"
)
_PS = r"(?:[Pp]s|[Pp]sl|[Pp]asal)\b\.?"
_BEFORE = re.compile(rf"(?:\s*\([^()]{{1,60}}\))?[,:]?\s+{_PS}\s*")
"""What stands between a law and its first article."""
_ALONE = re.compile(rf"\b{_PS}\s*(?=\d)")
_OF = re.compile(r"\s+(?:dari\s+)?")
_NUMBER = re.compile(r"(?P<number>\d{1,3})(?P<letters>[A-Z]{0,2})(?!\w|/\d{3}|[.,]\d)")
_RANGE = re.compile(
    rf"\s*(?:[-–]|\b(?:sampai(?:\s+dengan)?|hingga|s\.d\.)\s)\s*(?:{_PS}\s*)?(?=\d)"
)
_AND = r"\s*(?:[-–]|,\s*dan\b|,|\bdan\b|\batau\b)\s*"
_MORE = r"(?:,|,?\s+(?:dan|atau|serta))?"
_PARTS = re.compile(
    rf"\s*\(\d+[a-z]?\)(?:{_AND}(?:ayat\s*)?\(\d+[a-z]?\))*"
    rf"|{_MORE}\s+ayat\s*\(\d+[a-z]?\)(?:{_AND}(?:ayat\s*)?\(\d+[a-z]?\))*"
    rf"|{_MORE}\s+huruf\s+[a-z]{{1,2}}\b(?:{_AND}(?!ps\b|di\b|ke\b)[a-z]{{1,2}}\b)*"
    rf"|{_MORE}\s+angka\s+\d+[a-z]?\b(?:{_AND}\d+[a-z]?\b(?!\s*\())*"
)
"""Paragraphs, letters and points of an article: a citation is found by its article."""
_NEXT = re.compile(
    rf"(?:\s*[,;/]\s*(?:(?:dan|serta|atau|juga)\s+)?|\s+(?:dan|serta|atau|jo\.?)\s+)(?P<ps>{_PS}\s*)?"
)
_WORD_AFTER = re.compile(
    r"\s+(?!dan\b|atau\b|ayat\b|huruf\b|angka\b|serta\b|jo\b)"
    r"(?:[a-z]|Jan|Feb|Mar|Apr|Mei|Jun|Jul|Agu|Sep|Okt|Nov|Des)"
)
"""`ps 42, 14 hari`: the second number names no article."""


def name_of(law: str, article: str) -> str:
    """Return the whole name of an article: `UU 23/2004 ps 16`."""
    return f"{law} ps {article}"


def split_name(name: str) -> tuple[str, str]:
    """Return law and number of an article's whole name."""
    law, _ps, article = name.partition(" ps ")
    return law, article


def slug_of(law: str) -> str:
    """Return a law as it stands in an address: `uu-23-2004`."""
    return re.sub(r"[^a-z0-9]+", "-", law.lower()).strip("-")


def order_of(article: str) -> tuple[int, str]:
    """Return the place of an article within its law; what has no number comes last."""
    found = re.match(r"(\d+)([A-Z]*)", article)
    return (int(found[1]), found[2]) if found else (10**6, article)


def find(text: str, aliases: Mapping[str, str] | None = None) -> list[Citation]:
    """Return every law named in a text, in its order, with the articles named with it.

    `aliases` says which law a name means: `UU PKDRT` or `KUHP`. Such a name counts only beside an
    article, because alone it is a word like others.
    """
    if not _DIGIT.search(text):
        return []
    cited = [_follow(text, law, start, end) for law, start, end in _laws(text, aliases or {})]
    taken = [(one.start, one.end) for one in cited if one.articles]
    for match in _ALONE.finditer(text):
        if any(start <= match.start() < end for start, end in taken):
            continue
        articles, end = _list(text, match.end())
        gap = _OF.match(text, end)
        for place, one in enumerate(cited):
            if gap and articles and one.start == gap.end() and not one.articles:
                cited[place] = Citation(one.law, articles, match.start(), one.end)
    kept = (
        one for one in cited if one.articles or text[one.start : one.end] not in (aliases or {})
    )
    return sorted(kept, key=lambda one: one.start)


def _laws(text: str, aliases: Mapping[str, str]) -> Iterator[tuple[str, int, int]]:
    for match in _CODE.finditer(text):
        kind = "UU" if match["kind"].startswith("Undang") else re.sub(r"\s+", " ", match["kind"])
        yield f"{kind} {int(match['number'])}/{match['year']}", match.start(), match.end()
    if aliases:
        for match in _names(tuple(aliases)).finditer(text):
            yield aliases[" ".join(match[0].split())], match.start(), match.end()


@cache
def _names(aliases: tuple[str, ...]) -> re.Pattern[str]:
    """Return what finds any of these names, the longest first."""
    longest = sorted(aliases, key=len, reverse=True)
    words = "|".join(r"\s+".join(map(re.escape, name.split())) for name in longest)
    return re.compile(rf"(?<![\w-])(?:{words})(?![\w-])(?!\s+\d)")


def _follow(text: str, law: str, start: int, end: int) -> Citation:
    """Return a law with the articles that follow its name."""
    opening = _BEFORE.match(text, end)
    if opening is None:
        return Citation(law, (), start, end)
    articles, stop = _list(text, opening.end())
    return Citation(law, articles, start, stop if articles else end)


def _list(text: str, at: int) -> tuple[tuple[str, ...], int]:
    """Read articles from `at`; return them, each once, and where they end."""
    found: dict[str, None] = {}
    end, named = at, True
    while (number := _NUMBER.match(text, at)) is not None:
        if not named and _WORD_AFTER.match(text, number.end()):
            break
        last, at = number, number.end()
        gap = _RANGE.match(text, at)
        until = _NUMBER.match(text, gap.end()) if gap else None
        if until is not None:
            last, at = until, until.end()
        found |= dict.fromkeys(expand(number[0], last[0]))
        while part := _PARTS.match(text, at):
            at = part.end()
        end = at
        following = _NEXT.match(text, at)
        if following is None:
            break
        at, named = following.end(), following["ps"] is not None
    return tuple(found), end


def expand(first: str, last: str) -> tuple[str, ...]:
    """Return the articles from one to another: `5`, `9` or `76B`, `76D`.

    Articles that an amendment put between two numbers are to be named. A range that runs backwards,
    over more than MOST articles or from letters to another number gives only its two ends.
    """
    (low, start), (high, stop) = order_of(first), order_of(last)
    if first == last:
        return (first,)
    if low == high and len(stop) == 1 and (start == "" or len(start) == 1) and start < stop:
        letters = range(ord(start or "A"), ord(stop) + 1)
        return (*(() if start else (first,)), *(f"{low}{chr(letter)}" for letter in letters))
    if not start and not stop and low < high and high - low < MOST:
        return tuple(str(number) for number in range(low, high + 1))
    return (first, last)


def parse(ref: str, aliases: Mapping[str, str] | None = None) -> Citation:
    """Read a reference that names one law and nothing else: `UU 23/2004 ps 10 huruf c, 33-34`.

    Raises Unclear.
    """
    found = find(ref, aliases)
    if len(found) != 1 or (found[0].start, found[0].end) != (0, len(ref)):
        raise Unclear(ref)
    return found[0]


def refs_in(text: str, aliases: Mapping[str, str] | None = None) -> frozenset[str]:
    """Return the whole names of all articles a text names."""
    return frozenset(ref for one in find(text, aliases) for ref in one.refs)


def covers(ref: str, article: str) -> bool:
    """Tell whether a reference names an article, given by its whole name."""
    return article in refs_in(ref)
