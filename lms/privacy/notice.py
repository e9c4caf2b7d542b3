"""The notice people agree to: read from the content, told apart by version and digest."""

import json
from functools import cache
from pathlib import Path

from lms.config import CONTENT
from lms.core.content import Problem, Spec, Unreadable, read_yaml, validate
from lms.core.ids import digest_of_text

FILE = "notice.yaml"


class Part(Spec):
    """One paragraph of the notice, with its heading."""

    key: str
    title: str
    title_en: str
    text: str
    text_en: str


class Notice(Spec):
    """What is told before somebody joins."""

    version: int
    since: str
    short: list[str]
    short_en: list[str]
    parts: list[Part]

    @property
    def digest(self) -> str:
        """The SHA-256 of every word of it, in both languages."""
        return digest_of_text(json.dumps(self.model_dump(), sort_keys=True, ensure_ascii=False))


def check(content: Path) -> tuple[Notice | None, list[Problem]]:
    """Read and check the notice. Raises core.content.Unreadable."""
    return validate(Notice, read_yaml(_file(content)))


@cache
def load(content: Path) -> Notice:
    """Return the notice; read once per process, a change shows after a restart."""
    found, problems = check(content)
    if found is None:
        raise Unreadable(problems[0])
    return found


def _file(content: Path) -> Path:
    """Return the notice of the installation; one that keeps its own content may leave it out."""
    own = content / FILE
    return own if own.is_file() else CONTENT / FILE
