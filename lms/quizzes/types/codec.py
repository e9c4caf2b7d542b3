"""The body of a question as JSON, and back. Pure.

A plain text is a string; every other one says its format. Numbers are strings, so that none is
rounded on the way. Nothing is guessed: a name that is not known, or a value of another type, is
refused with the place where it stands.
"""

import binascii
import types
import typing
from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from decimal import Decimal, InvalidOperation
from enum import Enum
from functools import cache
from typing import Any, TypeVar

from lms.core.errors import DomainError
from lms.quizzes.types.model import Format, Text

T = TypeVar("T")
LONGEST_NUMBER = 40
LARGEST_POWER = 99
"""Of ten, up or down: what is larger is no number anybody measures, and costs a lot to write."""


class Unloadable(DomainError):
    """What should be the body of a question is none; says where and why."""

    def __init__(self, place: tuple[str | int, ...], says: str) -> None:
        super().__init__(f"{'.'.join(map(str, place)) or 'body'}: {says}")
        self.place = place
        self.says = says


def dump(value: Any) -> Any:
    """Return what JSON can hold. What stands at its default is left out."""
    match value:
        case Text(format=Format.PLAIN, images=()):
            return value.value
        case Decimal():
            return str(value)
        case bytes():
            return b64encode(value).decode("ascii")
        case Enum():
            return value.value
        case tuple():
            return [dump(one) for one in value]
    if is_dataclass(value):
        return {
            field.name: dump(getattr(value, field.name))
            for field in fields(value)
            if field.default is MISSING or getattr(value, field.name) != field.default
        }
    return value


def texts_in(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[Text, Any]]:
    """Yield every text of a body, and every word of it, with the place where a file has it."""
    if isinstance(value, (Text, str)):
        yield (value if isinstance(value, Text) else Text(value)), place
    elif isinstance(value, tuple):
        for n, one in enumerate(value):
            yield from texts_in(one, (*place, n))
    elif is_dataclass(value):
        for field in fields(value):
            yield from texts_in(getattr(value, field.name), (*place, field.name))


def load(wanted: type[T], raw: object, place: tuple[str | int, ...] = ()) -> T:
    """Return an object of a type from what JSON (or YAML) held. Raises Unloadable."""
    found: T = _load(wanted, raw, place)
    return found


def _load(wanted: Any, raw: object, place: tuple[str | int, ...]) -> Any:
    if typing.get_origin(wanted) is types.UnionType:  # only `X | None` is used
        inner = next(one for one in typing.get_args(wanted) if one is not type(None))
        return None if raw is None else _load(inner, raw, place)
    if typing.get_origin(wanted) is tuple:
        if not isinstance(raw, list):
            raise Unloadable(place, "a list is needed")
        inner = typing.get_args(wanted)[0]
        return tuple(_load(inner, one, (*place, n)) for n, one in enumerate(raw))
    if wanted is Text and isinstance(raw, str):
        return Text(raw)
    if is_dataclass(wanted):
        return _object(wanted, raw, place)
    return _plain(wanted, raw, place)


def _object(wanted: Any, raw: object, place: tuple[str | int, ...]) -> Any:
    if not isinstance(raw, Mapping):
        raise Unloadable(place, "names and values are needed")
    hints = _hints(wanted)
    known: dict[str, Field[Any]] = {field.name: field for field in fields(wanted)}
    for name in raw:
        if name not in known:
            raise Unloadable((*place, str(name)), "is not known here")
    for name, field in known.items():
        if name not in raw and field.default is MISSING:
            raise Unloadable((*place, name), "is missing")
    return wanted(**{name: _load(hints[name], raw[name], (*place, name)) for name in raw})


@cache
def _hints(wanted: type) -> dict[str, Any]:
    return typing.get_type_hints(wanted)


def _plain(wanted: Any, raw: object, place: tuple[str | int, ...]) -> Any:
    if wanted is Decimal:
        return _decimal(raw, place)
    if wanted is bytes:
        try:
            return b64decode(str(raw), validate=True)
        except (binascii.Error, ValueError):
            raise Unloadable(place, "is not base64") from None
    if isinstance(wanted, type) and issubclass(wanted, Enum):
        try:
            return wanted(raw)
        except ValueError:
            raise Unloadable(place, f"{raw!r} is not known here") from None
    if not isinstance(raw, wanted) or (wanted is int and isinstance(raw, bool)):
        raise Unloadable(place, f"{wanted.__name__} is needed")
    return raw


def _decimal(raw: object, place: tuple[str | int, ...]) -> Decimal:
    """Return a number. One of YAML arrives as a float, whose shortest text is what was written."""
    text = "" if isinstance(raw, bool) else str(raw)
    try:
        number = Decimal(text if len(text) <= LONGEST_NUMBER else "")
    except InvalidOperation:
        raise Unloadable(place, "a number is needed") from None
    if not number.is_finite() or abs(number.adjusted()) > LARGEST_POWER:
        raise Unloadable(place, "a number is needed")
    return number
