"""Brings a question into plain data that a database keeps, and back, without losing anything.

Images are named by the hash of their bytes: the data holds the names, the bytes are kept beside.
What stands at its default is left out.
"""

import hashlib
import types
from collections.abc import Callable, Mapping
from dataclasses import Field, fields, is_dataclass
from decimal import Decimal
from functools import cache
from typing import Any, Union, cast, get_args, get_origin, get_type_hints

from lms.quizzes.exchange.model import Body, Format, Image, Question, Text, digits

BODIES: dict[str, type[Any]] = {str(one.kind): one for one in get_args(Body)}


def name_of(data: bytes) -> str:
    """Return the name of an image: the hash of its bytes, which nobody guesses."""
    return hashlib.sha256(data).hexdigest()


def images_of(question: Question) -> dict[str, Image]:
    """Return the images of a question by the name they are kept under."""
    return {name_of(one.data): one for text in question.texts() for one in text.images}


def dump(question: Question) -> dict[str, Any]:
    """Return a question as plain data."""
    packed = cast("dict[str, Any]", _pack(question))
    return packed | {"body": {"kind": str(question.kind)} | packed["body"]}


def load(data: Mapping[str, Any], image: Callable[[str], bytes]) -> Question:
    """Return the question of `dump`; `image` gives the bytes of an image by its name."""
    body = data["body"]
    rest = {key: value for key, value in data.items() if key != "body"}
    made = _fill(BODIES[body["kind"]], body, image)
    return cast(Question, _fill(Question, rest, image, body=made))


def _pack(value: Any) -> Any:
    match value:
        case Text():
            return _pack_text(value)
        case Decimal():
            return digits(value)
        case tuple():
            return [_pack(one) for one in value]
        case _ if is_dataclass(value):
            return {
                field.name: _pack(getattr(value, field.name))
                for field in fields(value)
                if getattr(value, field.name) != _default(field)
            }
    return value


def _default(field: "Field[Any]") -> Any:
    return field.default  # MISSING where there is none, which equals nothing


def _pack_text(text: Text) -> Any:
    if text.format is Format.PLAIN and not text.images:
        return text.value
    images = [[one.name, one.media, name_of(one.data)] for one in text.images]
    return [text.value, str(text.format), images]


def _fill(
    kind: type[Any], data: Mapping[str, Any], image: Callable[[str], bytes], **given: Any
) -> Any:
    hints = _hints(cast(Any, kind))
    found = {
        field.name: _unpack(hints[field.name], data[field.name], image)
        for field in fields(kind)
        if field.name in data
    }
    return kind(**found, **given)


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _unpack(hint: Any, value: Any, image: Callable[[str], bytes]) -> Any:
    if value is None:
        return None
    if get_origin(hint) in (Union, types.UnionType):
        hint = next(one for one in get_args(hint) if one is not type(None))
    if hint is Text:
        return _unpack_text(value, image)
    if hint is Decimal:
        return Decimal(value)
    if get_origin(hint) is tuple:
        inner = get_args(hint)[0]
        return tuple(_unpack(inner, one, image) for one in value)
    if is_dataclass(hint):
        return _fill(cast("type[Any]", hint), value, image)
    return value


def _unpack_text(value: Any, image: Callable[[str], bytes]) -> Text:
    if isinstance(value, str):
        return Text(value)
    text, format_, images = value
    kept = tuple(Image(name, media, image(digest)) for name, media, digest in images)
    return Text(text, Format(format_), kept)
