"""What can be reviewed by an expert, and the door to who has: texts stand below reviews.

A feature with texts tells what it has as `Listed` and shows one as `Passage`s; who signed them is
known by the feature above, which registers itself here.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Flask, current_app
from markupsafe import Markup

NAME = "suluh_reviews"
Copy = tuple[str, str]
"""Code and digest of one text as it was read."""


@dataclass(frozen=True, slots=True)
class Mark:
    """One signature under a text, as readers see it."""

    name: str
    field: str
    """Field of expertise, in the reader's language."""
    at: datetime


Marks = Mapping[Copy, tuple[Mark, ...]]
Source = Callable[[str, Collection[Copy]], Marks]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One text in a list of what can be reviewed."""

    kind: str
    code: str
    digest: str
    curriculum: str
    title: str
    title_en: str
    reviewed: bool
    """Whether the file itself says that an expert has read it."""
    laws: tuple[str, ...] = ()
    url: str = ""
    """Where readers meet it; empty where it has no page of its own."""

    @property
    def copy(self) -> Copy:
        """Return what a signature names."""
        return self.code, self.digest


@dataclass(frozen=True, slots=True)
class Piece:
    """One paragraph or block of a passage.

    `tone` is best, other, answer, case, do, never, care or law; answer is what belongs beside the
    first piece, by the key.
    """

    text: str | Markup
    label: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Passage:
    """One part of a text that can be commented on. `place` names it in the text."""

    place: str
    title: str
    pieces: tuple[Piece, ...]


LAW = re.compile(r"(?:UU|PP|KUHP|KUHAP|Perpres|Perma|Permen\w*)\b")


def laws_of(refs: Iterable[str]) -> tuple[str, ...]:
    """Return those sources that are law, in their order."""
    return tuple(ref for ref in refs if LAW.match(ref))


def init_app(app: Flask, source: Source) -> None:
    """Let `source` say who signed which texts."""
    app.extensions[NAME] = source


def marks_of(kind: str, copies: Collection[Copy]) -> Marks:
    """Return the signatures under these very texts, oldest first; one query, none for none."""
    source: Source = current_app.extensions[NAME]
    return source(kind, copies) if copies else {}
