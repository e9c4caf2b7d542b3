"""What may be done with a collection, and which format a file has. Pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import PurePath
from random import Random

from lms.core.errors import DomainError

DRAFT_LIFE = timedelta(hours=24)
"""A preview waits so long for its confirmation."""
MOST_DRAFTS = 5
"""Previews of one person that wait at the same time; the oldest gives way."""
MOST_QUESTIONS = 20_000
"""Questions of one collection, drafts among them."""
STEM = 200
"""Characters of a question that lists show."""
FILE_NAME = 80
ASKED = frozenset(
    {
        "single",
        "multiple",
        "true_false",
        "matching",
        "ordering",
        "short_answer",
        "numeric",
        "essay",
    }
)
"""Types that ask something; a file may also hold descriptions and categories."""


class CollectionFull(DomainError):
    """The collection holds as many questions as it may."""


class Settled(DomainError):
    """The file was confirmed or taken back already."""


class NothingRead(DomainError):
    """The file gave no question, so there is nothing to confirm."""


class TooFew(DomainError):
    """Fewer questions carry the tag than were asked for."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What somebody may do with a collection."""

    see: bool
    change: bool


def rights(
    *, admin: bool, owner: bool, colleague: bool, trainer: bool, shared: bool, personal: bool
) -> Rights:
    """Return what somebody may do: administrators all, owners theirs, colleagues their agency's.

    Every other trainer sees what is shared. `personal`: it belongs to no organisation.
    """
    change = admin or owner or (trainer and colleague and not personal)
    return Rights(see=change or (trainer and shared), change=change)


ENDINGS = {
    ".gift": "gift",
    ".xml": "moodle-xml",
    ".csv": "csv",
    ".xlsx": "xlsx",
    ".yaml": "suluh",
    ".yml": "suluh",
}


def guess_format(name: str, start: bytes) -> str:
    """Guess the format of a file from its beginning, then from its name.

    A text file is Aiken when a line says ANSWER:, else GIFT, which takes any text.
    """
    head = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"PK"):
        return "xlsx"
    if head.startswith((b"<?xml", b"<quiz")):
        return "moodle-xml"
    ending = PurePath(name.lower()).suffix
    if ending in ENDINGS:
        return ENDINGS[ending]
    return "aiken" if b"\nANSWER:" in head.replace(b"\r", b"\n") else "gift"


def file_name(name: str) -> str:
    """Return the name of a file as it may be shown: no path, one line, bounded."""
    last = name.replace("\\", "/").rsplit("/", 1)[-1]
    plain = " ".join("".join(c if c.isprintable() else " " for c in last).split())
    return plain[-FILE_NAME:] or "-"


def choose(
    candidates: Sequence[int], number: int, random: Random, *, without: Collection[int] = ()
) -> list[int]:
    """Choose questions at random, in the order of the collection. Raises TooFew."""
    left = [one for one in candidates if one not in without]
    if len(left) < number:
        raise TooFew(str(len(left)))
    chosen = set(random.sample(left, number))
    return [one for one in left if one in chosen]
