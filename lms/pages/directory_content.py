"""Checks the directory of help before anybody reads it."""

from datetime import date
from pathlib import Path

from lms.core.content import Problem, Spec, read_yaml, validate
from lms.pages.directory import NAME, ServiceKind


class EmergencyNumber(Spec):
    """One number shown at the foot of every page."""

    name: str
    name_en: str
    number: str
    note: str
    note_en: str
    verified_on: date
    source: str


class Service(Spec):
    """One service people can be referred to. Never holds the address of a shelter."""

    id: str
    name: str
    name_en: str
    kind: ServiceKind
    what: str
    what_en: str
    contact: str
    hours: str
    hours_en: str
    cost: str
    cost_en: str
    verified_on: date
    caveat: str = ""
    caveat_en: str = ""


class Directory(Spec):
    """Everything the help page shows."""

    city: str
    checked_on: date
    emergency: list[EmergencyNumber]
    services: list[Service]


def check(content: Path) -> list[Problem]:
    """Return what is wrong with the directory. Raises core.content.Unreadable."""
    return validate(Directory, read_yaml(content / NAME))[1]
