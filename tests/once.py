"""Works out once a process what depends on nothing but what it is given.

Applications are made and content is checked by the hundred, and what they are made of is nearly
always the same text: addresses, YAML files, sentences. The first of each goes through the code
itself, every later one is remembered; a text that was changed is another text.
"""

import pickle
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, ClassVar

import yaml
from werkzeug.routing import Rule

from lms.core import content
from lms.modules.law import wrong
from tests.apart import apart

FILES = 1000
"""Remembered at most: some times what the content has."""

LONG = 2000
"""Characters of a text whose parsing is not counted."""

_compile = Rule._compile_builder
_builders: dict[object, Any] = {}


def _compile_once(rule: Rule, append_unknown: bool = True) -> Any:
    """Compile what builds an address.

    It depends on nothing but the text of the rule (ours have no defaults), and seven eighths of
    what an application takes go there.
    """
    if rule.defaults:
        return _compile(rule, append_unknown)
    key = (*rule._trace, append_unknown)
    if key not in _builders:
        _builders[key] = _compile(rule, append_unknown)
    return _builders[key]


_parse = content._parse_fast


@lru_cache(FILES)
def _parsed(text: str) -> tuple[yaml.Node | None, bytes] | None:
    # What is this long is content itself; what tests make of it is short, and its lines counted.
    found = apart(_parse)(text) if len(text) > LONG else _parse(text)
    return found and (found[0], pickle.dumps(found[1]))


def parse_once(text: str) -> tuple[yaml.Node | None, Any] | None:
    """Parse a YAML text: nobody changes the tree, and everybody gets data of their own."""
    found = _parsed(text)
    return found and (found[0], pickle.loads(found[1]))  # noqa: S301  # made right above


_find = wrong.find
_found: dict[tuple[wrong.Known, ...], dict[str, list[tuple[int, wrong.Known]]]] = {}


class _Last:
    """The mistakes that were last looked for: one check looks for the same in every text."""

    known: Sequence[wrong.Known] | None = None
    found: ClassVar[dict[str, list[tuple[int, wrong.Known]]]] = {}


def find_once(text: str, known: Sequence[wrong.Known]) -> Iterator[tuple[int, wrong.Known]]:
    """Look for every known mistake in a text."""
    if known is not _Last.known:
        _Last.known, _Last.found = known, _found.setdefault(tuple(known), {})
    if text not in _Last.found:
        _Last.found[text] = [*_find(text, known)]
    return iter(_Last.found[text])


def install() -> None:
    """Let this process remember."""
    Rule._compile_builder = _compile_once  # type: ignore[method-assign]
    content._parse_fast = parse_once
    wrong.find = find_once
