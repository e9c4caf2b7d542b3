"""The stations of the observation test as they are used now."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select

from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort
from lms.competency.rules import TRAINER_CURRICULUM
from lms.core.content import UNREVIEWED
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.ids import digest_of_text
from lms.practice.observations.models import StationVersion

if TYPE_CHECKING:
    from lms.practice.observations.content import PlacedStation


@dataclass(frozen=True, slots=True)
class Variant:
    """One story of a station."""

    code: str
    scenario: str
    role_card: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """The text of one station, as it is used now."""

    code: str
    digest: str
    curriculum: str
    title: str
    title_en: str
    minutes: int
    kuk: tuple[str, ...]
    variants: Mapping[str, Variant]
    indicators: Mapping[str, Mapping[str, Sequence[str]]]
    harmful_acts: tuple[str, ...]
    reviewed: bool
    """Whether its file says that an expert has read it."""


def load(specs: "Iterable[PlacedStation]", *, now: datetime) -> dict[str, int]:
    """Store new and changed texts; a station no longer there is retired. Flushes."""
    before = {row.code: row for row in _newest_versions()}
    counts = {"added": 0, "changed": 0, "unchanged": 0, "retired": 0}
    for placed in specs:
        document = placed.spec.model_dump(mode="json")
        old = before.pop(placed.spec.code, None)
        if old and (old.document, old.curriculum_code) == (document, placed.curriculum):
            counts["unchanged"] += 1
            continue
        _add_version(placed.curriculum, document, old, now)
        counts["changed" if old and old.document else "added"] += 1
    for old in before.values():
        if old.document:
            _add_version(old.curriculum_code, {}, old, now)
            counts["retired"] += 1
    db.session.flush()
    return counts


def _add_version(
    curriculum: str, document: dict[str, Any], old: StationVersion | None, now: datetime
) -> None:
    # The digest covers what the version follows, so that an old text may come back as a new one.
    text = json.dumps([old.id if old else 0, document], sort_keys=True)
    db.session.add(
        StationVersion(
            code=document.get("code") or (old.code if old else ""),
            curriculum_code=curriculum,
            digest=digest_of_text(text),
            title=document.get("title", ""),
            title_en=document.get("title_en", ""),
            document=document,
            created_at=now,
        )
    )


def _newest_versions() -> Sequence[StationVersion]:
    newest = select(func.max(StationVersion.id)).group_by(StationVersion.code)
    return db.session.scalars(
        select(StationVersion)
        .where(StationVersion.id.in_(newest))
        .order_by(StationVersion.curriculum_code, StationVersion.code)
    ).all()


def list_stations() -> list[Station]:
    """Return every station in use, in order: ST9 before ST10."""
    found = [_station(row) for row in _newest_versions() if row.document]
    return sorted(found, key=lambda one: (one.curriculum, len(one.code), one.code))


def list_stations_of(cohort: Cohort) -> list[Station]:
    """Return the stations of the curricula a class covers. Two queries.

    When it names none: those of every curriculum but the trainer's own.
    """
    taught, stations = cohorts.list_curricula(cohort.id), list_stations()
    if taught:
        return [one for one in stations if one.curriculum in taught]
    return [one for one in stations if one.curriculum != TRAINER_CURRICULUM]


def get_station(code: str) -> Station:
    """Return the station of this code. Raises NotFound."""
    found = next((station for station in list_stations() if station.code == code), None)
    if found is None:
        raise NotFound(code)
    return found


def _station(row: StationVersion) -> Station:
    document = row.document
    return Station(
        code=row.code,
        digest=row.digest,
        curriculum=row.curriculum_code,
        title=row.title,
        title_en=row.title_en,
        minutes=document["minutes"],
        kuk=tuple(document["kuk"]),
        variants={v["code"]: Variant(**v) for v in document["variants"]},
        indicators={i["kuk"]: i["levels"] for i in document["indicators"]},
        harmful_acts=tuple(document["harmful_acts"]),
        reviewed=document["review"]["status"] != UNREVIEWED,
    )
