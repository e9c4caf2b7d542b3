"""Everything the ledger holds about one person, with what happened to each row. Reads only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from lms.accounts import services as accounts
from lms.competency import services
from lms.competency.models import Evidence, EvidenceVoid, StandardVersion
from lms.competency.qualities import COLUMNS, Stated
from lms.competency.rules import Row
from lms.competency.services import Current
from lms.core.db import db


@dataclass(frozen=True, slots=True)
class Voided:
    """When a row stopped counting, why, and who said so."""

    at: datetime
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class Kept:
    """One row of the ledger with all that is known of it."""

    row: Row
    """As it counts now."""
    standard_id: int
    standard: str
    """Version of the standard it was written under."""
    assessor: str
    note: str
    stated: Stated | None
    recorded_at: datetime
    voided: Voided | None

    def known_at(self, moment: datetime) -> Row | None:
        """Return the row as it was known at a moment: not yet, or not yet voided."""
        if self.recorded_at > moment:
            return None
        return self.row._replace(voided=self.voided is not None and self.voided.at <= moment)


def trail_of(person_id: int, standard_id: int) -> tuple[Current, list[Kept]]:
    """Return a version of the standard and every row of one person, oldest first.

    One query, found by the index of the person; one more for each version of the standard whose
    text this process has not read yet. Raises NoStandard.
    """
    asked = (
        select(StandardVersion.digest).where(StandardVersion.id == standard_id).scalar_subquery()
    )
    adopted = (
        select(StandardVersion.adopted_at)
        .where(StandardVersion.id == standard_id)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(
            Evidence,
            StandardVersion.version,
            StandardVersion.digest,
            EvidenceVoid,
            asked.label("asked"),
            adopted.label("adopted"),
            accounts.name_of(Evidence.assessor_id).label("assessor"),
            accounts.name_of(EvidenceVoid.by_id).label("voider"),
        )
        .join(StandardVersion, StandardVersion.id == Evidence.standard_version_id)
        .join(EvidenceVoid, EvidenceVoid.evidence_id == Evidence.id, isouter=True)
        .where(Evidence.person_id == person_id)
        .order_by(Evidence.id)
    ).all()
    if not rows:
        return services.version(standard_id), []
    found = services.known(standard_id, rows[0].asked, is_draft=rows[0].adopted is None)
    return found, [_kept(row, standard_id) for row in rows]


def _kept(found: Any, standard_id: int) -> Kept:
    one, void = found[0], found[3]
    text = None
    if one.standard_version_id != standard_id:
        other = services.known(one.standard_version_id, found.digest, is_draft=False).standard
        text = other.kuk[one.kuk].text if one.kuk in other.kuk else None
    said = [getattr(one, name) for name in COLUMNS]
    return Kept(
        row=Row(
            id=one.id,
            kind=one.kind,
            kuk=one.kuk,
            source=one.source,
            group=one.group_key,
            ref=one.ref,
            passed=one.passed,
            mark=one.mark,
            harmful=one.harmful,
            replaces=one.replaces_id,
            at=one.happened_at,
            voided=void is not None,
            text=text,
            raters=one.raters,
        ),
        standard_id=one.standard_version_id,
        standard=found.version,
        assessor=found.assessor or "",
        note=one.note,
        stated=None if None in said else Stated(*said),
        recorded_at=one.recorded_at,
        voided=Voided(void.at, void.reason, found.voider or "") if void is not None else None,
    )


def known_at(kept: Iterable[Kept], moment: datetime) -> list[Row]:
    """Return the rows as they were known at a moment, for a decision of then."""
    return [row for one in kept if (row := one.known_at(moment)) is not None]
