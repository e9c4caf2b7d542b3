"""What a certificate says: the frozen facts behind the paper, and their JSON form."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any, Literal, Self, TypeAlias

from certificates.codes import normalise

Language: TypeAlias = Literal["id", "en"]

FORMAT = 1
"""Version of the JSON form. Snapshots outlive releases, so every one says how to read it."""

LANGUAGES: tuple[Language, ...] = ("id", "en")
MOST_UNITS = 20  # more rows would be too small to read on the one transcript page
MOST_ISSUER_LINES = 4
MOST_TRAINERS = 24
LONGEST_TEXT = 300  # characters; what is longer cannot stand on the page in readable type
LONGEST_URL = 120  # characters; more would make modules under 0.5 mm in a 28 mm QR code

# Printable ASCII without user, query or fragment: the host printed in clear is the one scanned.
_ADDRESS = re.compile(r"https?://[a-z0-9.:\[\]-]+/[a-z0-9./_~-]+", re.IGNORECASE)


class InvalidCertificate(ValueError):
    """The facts contradict each other or cannot be read; the message names the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitLine:
    """One row of the transcript. `jp` is None for a unit without hours of its own."""

    code: str
    title: str
    jp: int | None
    mark: str
    achieved: bool

    def __post_init__(self) -> None:
        _require_short(self)
        _require(self.jp is None or self.jp >= 0, "jp of a unit is below zero")


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Everything both pages print; equal certificates give equal bytes.

    `code` is canonical (`codes.normalise`), `verify_url` ends with it. `jp` counts lesson hours of
    45 minutes. `signatory_number` is the NIP, None for a signatory who has none. `law_checked_on`
    is the day somebody last compared the training with the law in force. `sample` puts CONTOH
    across both pages. Raises `InvalidCertificate`.
    """

    number: str
    code: str
    verify_url: str
    language: Language
    issuer_lines: tuple[str, ...]
    holder_name: str
    scheme_title: str
    training_title: str
    started_on: date
    ended_on: date
    jp: int
    issued_on: date
    valid_until: date
    place: str
    signatory_title: str
    signatory_name: str
    signatory_number: str | None
    units: tuple[UnitLine, ...]
    standard_version: str
    standard_is_draft: bool
    law_checked_on: date | None
    trainers: tuple[str, ...]
    sample: bool

    def __post_init__(self) -> None:
        _require_short(self)
        _require(self.language in LANGUAGES, f"language {self.language!r} has no labels")
        _require(normalise(self.code) == self.code, "code is not a canonical code")
        _require_address(self.verify_url, self.code)
        for name in ("number", "holder_name", "training_title", "signatory_name"):
            _require(getattr(self, name).strip() != "", f"{name} is empty")
        for name in ("started_on", "ended_on", "issued_on", "valid_until", "law_checked_on"):
            _require(not isinstance(getattr(self, name), datetime), f"{name} is not a plain day")
        _require(self.started_on <= self.ended_on, "ended_on is before started_on")
        _require(self.issued_on <= self.valid_until, "valid_until is before issued_on")
        _require(self.jp >= 0, "jp is below zero")
        _require_count("issuer_lines", self.issuer_lines, 1, MOST_ISSUER_LINES)
        _require_count("units", self.units, 1, MOST_UNITS)
        _require_count("trainers", self.trainers, 0, MOST_TRAINERS)

    @property
    def host(self) -> str:
        """The host of `verify_url` as people type it, with a port if it has one."""
        return self.verify_url.split("/")[2]

    def to_dict(self) -> dict[str, Any]:
        """Give a snapshot made only of what JSON knows; `from_dict` gives the equal certificate."""
        return {"format": FORMAT, **_plain_fields(self)}

    @classmethod
    def from_dict(cls, snapshot: Mapping[str, object]) -> Self:
        """Read what `to_dict` gave. Raises `InvalidCertificate` for anything else."""
        facts = dict(snapshot)
        found = facts.pop("format", None)
        _require(found == FORMAT, f"format {found!r} is unknown, this release reads {FORMAT}")
        return cls(**_read_fields(cls, facts))


def _require(holds: bool, otherwise: str) -> None:
    if not holds:
        raise InvalidCertificate(otherwise)


def _require_count(name: str, items: tuple[object, ...], least: int, most: int) -> None:
    _require(least <= len(items) <= most, f"{name} has {len(items)} items, not {least} to {most}")


def _require_short(record: Any) -> None:
    for field in fields(record):
        value = getattr(record, field.name)
        for text in value if isinstance(value, tuple) else (value,):
            _require(
                not isinstance(text, str) or len(text) <= LONGEST_TEXT,
                f"{field.name} is longer than {LONGEST_TEXT} characters",
            )


def _require_address(url: str, code: str) -> None:
    _require(len(url) <= LONGEST_URL, f"verify_url is longer than {LONGEST_URL} characters")
    _require(_ADDRESS.fullmatch(url) is not None, "verify_url is not a plain web address")
    _require(url.endswith(f"/{code}"), "verify_url does not lead to the printed code")


def _plain_fields(record: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(record, field.name)) for field in fields(record)}


def _plain(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, UnitLine):
        return _plain_fields(value)
    return value


def _read_fields(record: type[Any], facts: Mapping[str, object]) -> dict[str, Any]:
    names = [field.name for field in fields(record)]
    _require(facts.keys() == set(names), f"fields do not match {', '.join(names)}")
    return {
        field.name: _read(field.name, field.type, facts[field.name]) for field in fields(record)
    }


def _read(name: str, kind: object, value: object) -> object:
    try:
        return _READERS[kind](value)
    except (TypeError, ValueError) as error:
        raise InvalidCertificate(f"{name} cannot be read: {error}") from error


def _exactly(kind: type[Any]) -> Callable[[object], object]:
    def read(value: object) -> object:
        if type(value) is not kind:  # isinstance would take True for the number 1
            raise TypeError(f"{value!r} is not of type {kind.__name__}")
        return value

    return read


def _day(value: object) -> object:
    text = str(value)
    day = date.fromisoformat(text)
    if day.isoformat() != text:
        raise ValueError(f"{text!r} is not written YYYY-MM-DD")
    return day


def _unit(value: object) -> object:
    return UnitLine(**_read_fields(UnitLine, _mapping(value)))


def _optional(read: Callable[[object], object]) -> Callable[[object], object]:
    return lambda value: None if value is None else read(value)


def _each(read: Callable[[object], object]) -> Callable[[object], object]:
    return lambda value: tuple(read(item) for item in _list(value))


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r} is not a list")
    return value


def _mapping(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise TypeError(f"{value!r} is not an object")
    return value


_READERS: dict[object, Callable[[object], object]] = {
    str: _exactly(str),
    int: _exactly(int),
    bool: _exactly(bool),
    date: _day,
    Language: _exactly(str),
    str | None: _optional(_exactly(str)),
    int | None: _optional(_exactly(int)),
    date | None: _optional(_day),
    tuple[str, ...]: _each(_exactly(str)),
    tuple[UnitLine, ...]: _each(_unit),
}
"""How each type a field may have is read from JSON."""
