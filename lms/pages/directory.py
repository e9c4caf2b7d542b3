"""The directory of help: numbers and services with the day somebody last checked them."""

from functools import cache
from pathlib import Path

from lms.core.content import Problem, Spec, Unreadable, read_yaml, validate


class EmergencyNumber(Spec):
    """One number shown at the foot of every page."""

    name: str
    name_en: str
    number: str
    note: str
    note_en: str
    verified_on: str
    source: str


class Service(Spec):
    """One service people can be referred to. Never holds the address of a shelter."""

    id: str
    name: str
    name_en: str
    kind: str
    what: str
    what_en: str
    contact: str
    hours: str
    hours_en: str
    cost: str
    cost_en: str
    verified_on: str
    caveat: str = ""
    caveat_en: str = ""


class Directory(Spec):
    """Everything the help page shows."""

    city: str
    checked_on: str
    emergency: list[EmergencyNumber]
    services: list[Service]


def check(content: Path) -> tuple[Directory | None, list[Problem]]:
    """Read and check the directory. Raises core.content.Unreadable."""
    return validate(Directory, read_yaml(content / "directory.yaml"))


@cache
def load(content: Path) -> Directory:
    """Return the directory; read once per process, a change shows after a restart."""
    found, problems = check(content)
    if found is None:
        raise Unreadable(problems[0])
    return found
