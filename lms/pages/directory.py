"""The directory of help: numbers and services with the day somebody last checked them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from lms.core.i18n import lazy_gettext as _

NAME = "directory.yaml"
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


@dataclass(frozen=True, slots=True, kw_only=True)
class EmergencyNumber:
    """One number shown at the foot of every page."""

    name: str
    name_en: str
    number: str
    note: str
    note_en: str
    verified_on: date
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Everything the help page shows."""

    city: str
    checked_on: date
    emergency: tuple[EmergencyNumber, ...]
    services: tuple[Service, ...]


def by_kind(services: Iterable[Service]) -> list[tuple[ServiceKind, list[Service]]]:
    """Return services under their kinds, in the order of ServiceKind; empty kinds are left out."""
    found: dict[ServiceKind, list[Service]] = {kind: [] for kind in ServiceKind}
    for service in services:
        found[service.kind].append(service)
    return [(kind, listed) for kind, listed in found.items() if listed]


def is_stale(verified_on: date, today: date) -> bool:
    """Tell whether a check is so old that somebody should look again."""
    return today - verified_on > FRESH


@cache
def load(content: Path) -> Directory:
    """Return the directory; read once per process, a change shows after a restart.

    Its numbers stand on every page, so it is read without what checks content: that has looked at
    the file before it was loaded (`directory_content`).
    """
    text = (content / NAME).read_text(encoding="utf-8")
    found = yaml.load(text, yaml.CBaseLoader)  # noqa: S506  # makes words of everything
    return Directory(
        city=found["city"],
        checked_on=date.fromisoformat(found["checked_on"]),
        emergency=tuple(EmergencyNumber(**_read(one)) for one in found["emergency"]),
        services=tuple(
            Service(**_read(one) | {"kind": ServiceKind(one["kind"])}) for one in found["services"]
        ),
    )


def _read(entry: dict[str, str]) -> dict[str, Any]:
    words = {name: text.strip() for name, text in entry.items()}
    return words | {"verified_on": date.fromisoformat(words["verified_on"])}
