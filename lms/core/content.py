"""Reads YAML and Markdown of `content/`. Every problem names its file and line."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

M = TypeVar("M", bound=BaseModel)
LARGEST = 2_000_000
"""Bytes of one content file; the largest today is far below."""


class Spec(BaseModel):
    """Base of every validated piece of content: unknown fields are errors, values are frozen."""

    # Built when content is read: a server whose content is loaded need not have most of them.
    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, defer_build=True
    )


UNREVIEWED = "unreviewed"
"""What stands in a file until an expert has read it."""


class Review(Spec):
    """Whether an expert has read the text. Nobody has until a name stands here."""

    status: str = UNREVIEWED

    @property
    def done(self) -> bool:
        """Tell whether the file says that somebody has."""
        return self.status != UNREVIEWED


class SourceRef(Spec):
    """Where a statement comes from and when somebody last looked."""

    ref: str
    note: str = ""
    checked_on: str


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with the content: where, and what to do about it."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


@dataclass(frozen=True, slots=True)
class Source:
    """A parsed file: its data, and the tree that remembers the lines."""

    path: Path
    data: Any
    node: yaml.Node | None
    text: str = ""
    """What was parsed: the file, or its head."""
    first_line: int = 1
    body: str = ""
    body_line: int = 1

    def line(self, place: Sequence[str | int]) -> int:
        """Return the line of the deepest part of `place` that exists in the file."""
        node, line = self.node, self.first_line
        for step in place:
            node = _child(node, step)
            if node is None:
                break
            line = node.start_mark.line + self.first_line
        return line

    def problem(self, message: str, *place: str | int) -> Problem:
        """Return a problem at `place` of this file."""
        return Problem(str(self.path), self.line(place), message)


class Unreadable(Exception):
    """The file is not YAML (or not Markdown with a YAML head); `problem` says where."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(str(problem))
        self.problem = problem


GUESSED = (":timestamp", ":merge", ":bool")


class _NoTwice(yaml.constructor.SafeConstructor):
    """Makes plain data of a tree."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Refuse a name written twice; plain YAML would silently keep the last."""
        seen: set[str] = set()
        for key, _value in node.value:
            if str(key.value) in seen:
                problem = f"{key.value} is written twice"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


class _NoAliases(yaml.composer.Composer):
    """Makes a tree of what was parsed; aliases can explode."""

    check_event: Callable[..., bool]
    peek_event: Callable[..., Any]

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark
            raise yaml.MarkedYAMLError(problem="aliases are not used here", problem_mark=mark)
        return super().compose_node(parent, index)


class _Loader(_NoAliases, _NoTwice, yaml.SafeLoader):
    """Plain YAML: no aliases, no dates or booleans guessed from words."""

    def __init__(self, text: str) -> None:
        yaml.SafeLoader.__init__(self, text)


_Loader.yaml_implicit_resolvers = {
    key: [(tag, regexp) for tag, regexp in resolvers if not tag.endswith(GUESSED)]
    for key, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(  # `yes`, `no`, `on` and `off` stay words
    "tag:yaml.org,2002:bool", re.compile("^(?:true|false)$"), ["t", "f"]
)


class _FastLoader(_NoAliases, _NoTwice, yaml.CSafeLoader):
    """The same, parsed in C; what it refuses the other one reads, and says better why.

    The tree is made here: its depth has a limit, that of the C library has none.
    """

    def __init__(self, text: str) -> None:
        yaml.CSafeLoader.__init__(self, text)
        yaml.composer.Composer.__init__(self)


_FastLoader.yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers


def read_yaml(path: Path) -> Source:
    """Parse one YAML file. Raises Unreadable."""
    return _parse(path, _text(path), 1)


def parse_yaml(text: str, path: Path) -> Source:
    """Parse YAML that somebody else read; `path` is for the problems. Raises Unreadable."""
    return _parse(path, text, 1)


def read_markdown(path: Path) -> Source:
    """Parse a Markdown file that starts with a YAML head between `---` lines. Raises Unreadable."""
    lines = _text(path).split("\n")
    if lines[0].strip() != "---" or "---" not in [line.strip() for line in lines[1:]]:
        raise Unreadable(Problem(str(path), 1, "the file must start with a head between --- lines"))
    end = next(n for n, line in enumerate(lines[1:], 1) if line.strip() == "---")
    head = _parse(path, "\n".join(lines[1:end]), 2)
    body = "\n".join(lines[end + 1 :])
    return Source(path, head.data, head.node, head.text, 2, body, end + 2)


def validate(model: type[M], source: Source) -> tuple[M | None, list[Problem]]:
    """Turn a parsed file into `model`; either the model or the list of problems is empty."""
    try:
        return model.model_validate(source.data), []
    except ValidationError as error:
        return None, [
            source.problem(f"{'.'.join(map(str, e['loc']))}: {e['msg']}", *e["loc"])
            for e in error.errors(include_url=False)
        ]


def _text(path: Path) -> str:
    if path.stat().st_size > LARGEST:
        raise Unreadable(Problem(str(path), 1, f"larger than {LARGEST} bytes"))
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Unreadable(Problem(str(path), line, "not UTF-8: save the file as UTF-8")) from error


def _parse(path: Path, text: str, first_line: int) -> Source:
    try:
        node, data = _parse_fast(text) or _compose(_Loader(text))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + first_line if error.problem_mark else first_line
        raise Unreadable(Problem(str(path), line, error.problem or "not YAML")) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + first_line
        raise Unreadable(Problem(str(path), line, f"not YAML: {error.reason}")) from error
    except (ValueError, RecursionError) as error:  # `!!int word`, or thousands of brackets
        raise Unreadable(Problem(str(path), first_line, f"not YAML: {error}")) from error
    return Source(path, data, node, text, first_line=first_line)


def _compose(loader: _Loader | _FastLoader) -> tuple[yaml.Node | None, Any]:
    node = loader.get_single_node()
    return node, loader.construct_document(node) if node is not None else None


def _parse_fast(text: str) -> tuple[yaml.Node | None, Any] | None:
    """Return tree and data; None when there is anything to say about the text."""
    try:
        return _compose(_FastLoader(text))
    except (yaml.YAMLError, ValueError, RecursionError):
        return None


def _child(node: yaml.Node | None, step: str | int) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == str(step)), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int) and step < len(node.value):
        child: yaml.Node = node.value[step]
        return child
    return None
