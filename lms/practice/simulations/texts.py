"""The texts of simulations: loaded from content, kept for ever, read from a cache."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING

from sqlalchemy import Select, func, select

from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.ids import digest_of_text
from lms.practice.simulations import rules
from lms.practice.simulations.models import SimulationRun, SimulationVersion
from lms.practice.simulations.rules import Story

if TYPE_CHECKING:
    from lms.practice.simulations.content import SimulationSpec


def load(specs: "Sequence[SimulationSpec]", *, now: datetime) -> dict[str, int]:
    """Store what differs from the newest text of its variant; texts never change. Flushes."""
    counts: Counter[str] = Counter(added=0, changed=0, unchanged=0)
    newest = {
        (row.code, row.variant): row.digest
        for row in db.session.execute(
            select(SimulationVersion.code, SimulationVersion.variant, SimulationVersion.digest)
            .where(SimulationVersion.id.in_(newest_ids()))
        )
    }  # fmt: skip
    for spec in specs:
        document = spec.model_dump(mode="json")
        digest = digest_of_text(json.dumps(document, sort_keys=True))
        before = newest.get((spec.code, spec.variant))
        if before == digest:
            counts["unchanged"] += 1
            continue
        counts["added" if before is None else "changed"] += 1
        db.session.add(
            SimulationVersion(
                code=spec.code,
                variant=spec.variant,
                digest=digest,
                title=spec.title,
                title_en=spec.title_en,
                document=document,
                created_at=now,
            )
        )
    db.session.flush()
    return dict(counts)


def newest_ids() -> Select[int]:
    """Select the id of the newest text of every variant."""
    return select(func.max(SimulationVersion.id)).group_by(
        SimulationVersion.code, SimulationVersion.variant
    )


@lru_cache(maxsize=32)
def get_story(version_id: int, digest: str) -> Story:
    """Return a parsed story. Its text never changes, so the cache needs no owner but size.

    Raises NotFound.
    """
    document = db.session.scalar(
        select(SimulationVersion.document).where(
            SimulationVersion.id == version_id, SimulationVersion.digest == digest
        )
    )
    if document is None:
        raise NotFound(str(version_id))
    return rules.build_story(document)


def next_text(code: str, person_id: int, *, graded: bool) -> tuple[int, str]:
    """Return id and digest of the text to play next: the variant played longest ago, or never.

    The simulation must exist.
    """
    used = db.session.execute(
        select(SimulationVersion.variant, func.max(SimulationRun.id).label("last"))
        .join(SimulationRun, SimulationRun.simulation_version_id == SimulationVersion.id)
        .where(
            SimulationRun.person_id == person_id,
            SimulationRun.code == code,
            SimulationRun.graded.is_(graded),
        )
        .group_by(SimulationVersion.variant)
    )
    played = {row.variant: row.last for row in used}
    variants = db.session.execute(
        select(SimulationVersion.id, SimulationVersion.variant, SimulationVersion.digest).where(
            SimulationVersion.code == code, SimulationVersion.id.in_(newest_ids())
        )
    ).all()
    chosen = min(variants, key=lambda row: (played.get(row.variant, 0), row.variant))
    return chosen.id, chosen.digest
