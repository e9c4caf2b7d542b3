"""The directory of help: numbers and services with the day somebody last checked them."""

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path

from lms.core.content import Problem, Spec, Unreadable, read_yaml, validate
from lms.core.i18n import lazy_gettext as _

FRESH = timedelta(days=92)
"""How long a check is trusted. Source: head of content/directory.yaml, "tiap tiga bulan"."""


class ServiceKind(StrEnum):
    """What a service is for; the help page shows them in this order."""

    HOTLINE = "hotline"
    UPTD_PPA = "uptd_ppa"
    POLICE = "police"
    HEALTH = "health"
    MENTAL = "mental"
    SHELTER = "shelter"
    SOCIAL = "social"
    LEGAL = "legal"
    FAITH = "faith"


KINDS: dict[ServiceKind, str] = {
    ServiceKind.HOTLINE: _("Pengaduan dan penghubung"),
    ServiceKind.UPTD_PPA: _("Perlindungan perempuan dan anak"),
    ServiceKind.POLICE: _("Polisi"),
    ServiceKind.HEALTH: _("Kesehatan"),
    ServiceKind.MENTAL: _("Kesehatan jiwa"),
    ServiceKind.SHELTER: _("Tempat aman"),
    ServiceKind.SOCIAL: _("Sosial"),
    ServiceKind.LEGAL: _("Bantuan hukum"),
    ServiceKind.FAITH: _("Pendampingan rohani"),
}


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


def by_kind(services: Iterable[Service]) -> list[tuple[ServiceKind, list[Service]]]:
    """Return services under their kinds, in the order of ServiceKind; empty kinds are left out."""
    found: dict[ServiceKind, list[Service]] = {kind: [] for kind in ServiceKind}
    for service in services:
        found[service.kind].append(service)
    return [(kind, listed) for kind, listed in found.items() if listed]


def is_stale(verified_on: date, today: date) -> bool:
    """Tell whether a check is so old that somebody should look again."""
    return today - verified_on > FRESH


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
