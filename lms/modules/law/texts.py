"""Every passage of the content files, with what it is for and the line it stands on."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from lms.core.content import Problem, Source, read_markdown, read_yaml
from lms.modules.rules import BlockKind, split_blocks

Place = tuple[str | int, ...]


class Use(StrEnum):
    """What a passage is for, as far as the law in it is concerned."""

    PROSE = "prose"
    REFERENCE = "reference"
    """Names what a text stands on: a source, a `law_ref`, the title of a law block."""
    LAW = "law"
    """The words of a law block."""
    DECOY = "decoy"
    """An answer or act that is meant to be wrong."""


@dataclass(frozen=True, slots=True)
class Passage:
    """One passage as it stands in its file."""

    file: Path
    at: Place
    """Names and numbers that lead to it; empty in the text of a lesson."""
    text: str
    line: int
    use: Use
    in_item: bool = False
    strict: bool = False
    """Holds one law and its articles, and nothing else."""

    @property
    def flat(self) -> str:
        """The text with its line ends as spaces: every letter keeps its place."""
        return self.text.replace("\n", " ")

    def problem(self, offset: int, message: str) -> Problem:
        """Return a problem at a place of the passage."""
        return Problem(str(self.file), self.line + self.text.count("\n", 0, offset), message)


def passages(file: Path) -> Iterator[Passage]:
    """Yield every passage of one content file. Raises core.content.Unreadable, OSError."""
    if file.suffix == ".md":
        source = read_markdown(file)
        yield from _scalars(source)
        yield from _blocks(source)
    else:
        yield from _scalars(read_yaml(file))


def _blocks(source: Source) -> Iterator[Passage]:
    """Yield the body of a lesson, paragraph by paragraph and entry by entry."""
    for block in split_blocks(source.body)[0]:
        line = source.body_line + block.line - 1
        use = Use.LAW if block.kind is BlockKind.LAW else Use.PROSE
        if block.kind is BlockKind.LAW:
            yield Passage(source.path, (), block.title, line - 1, Use.REFERENCE, strict=True)
        elif block.title:
            yield Passage(source.path, (), block.title, line - 1, use)
        for first, text in _pieces(block.text):
            yield Passage(source.path, (), text, line + first, use)


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Yield paragraphs, list entries and rows of tables with the lines they begin on."""
    held: list[str] = []
    first = 0
    for number, line in enumerate(text.split("\n")):
        bare = line.lstrip()
        begins = bare[:2] in {"- ", "* ", "> "} or bare[:1] in {"|", "#"}
        begins = begins or bare.split(".")[0].isdecimal()
        if held and (begins or not bare):
            yield first, "\n".join(held)
            held = []
        if bare:
            first = first if held else number
            held.append(line)
    if held:
        yield first, "\n".join(held)


def _scalars(source: Source) -> Iterator[Passage]:
    lines = source.text.split("\n")
    for at, node in _walk(source.node, ()):
        raw = _between(lines, node.start_mark, node.end_mark)
        line = node.start_mark.line + source.first_line
        in_item = source.path.name == "items.yaml"
        use = _use_of(source, at)
        strict = "law_ref" in at or (at[0] == "roles" and "law" in at)
        yield Passage(source.path, at, raw, line, use, in_item, strict)


def _between(lines: list[str], start: yaml.Mark, end: yaml.Mark) -> str:
    """Return a text as it stands in its file, with its line ends."""
    if start.line == end.line:
        return lines[start.line][start.column : end.column]
    last = lines[end.line][: end.column] if end.line < len(lines) else ""
    between = lines[start.line + 1 : end.line]
    return "\n".join([lines[start.line][start.column :], *between, last])


def _walk(node: yaml.Node | None, at: Place) -> Iterator[tuple[Place, yaml.ScalarNode]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _walk(value, (*at, str(key.value)))
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _walk(value, (*at, number))
    elif isinstance(node, yaml.ScalarNode):
        yield at, node


def _use_of(source: Source, at: Place) -> Use:
    match at:
        case ("items", int(n), "options", str(letter), "text"):
            is_key = _value(source.data, "items", n, "key") == letter
            return Use.PROSE if is_key else Use.DECOY
        case ("items", int(n), "body", "options" | "answers", int(), "text" | "value"):
            return Use.PROSE if _earns(_value(source.data, *at[:5])) else Use.DECOY
        case ("items", int(n), "stem") if _is_untrue(_value(source.data, "items", n)):
            return Use.DECOY
        case ("nodes", int(n), "choices", int(m), "text"):
            is_safe = _value(source.data, "nodes", n, "choices", m, "verdict") == "safe"
            return Use.PROSE if is_safe else Use.DECOY
        case ("items", _, "source") | ("items", _, "law_ref", _) | ("sources", _, "ref"):
            return Use.REFERENCE
        case ("roles", _, "law", *_) | ("source", *_) | ("law", *_) | ("sources", int(_)):
            return Use.REFERENCE
    return Use.PROSE


def _earns(answer: Any) -> bool:
    """Tell whether an answer of a question of several types is among the right ones."""
    weight = answer.get("weight", 0 if "text" in answer else 100)
    return not isinstance(weight, (int, float)) or weight > 0


def _is_untrue(item: Any) -> bool:
    """Tell whether an item is a statement that is to be called false."""
    body = item.get("body") if item.get("type") == "true_false" else None
    return isinstance(body, dict) and body.get("answer") is False


def _value(data: Any, *at: str | int) -> Any:
    for step in at:
        data = data[step]
    return data
