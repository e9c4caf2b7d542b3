"""The standard, the evidence ledger and the verdicts. Services flush; entry points commit."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from lms.competency import rules
from lms.competency.content import StandardSpec
from lms.competency.models import Coaching, Evidence, EvidenceVoid, StandardVersion
from lms.competency.rules import EvidenceKind, Standard
from lms.core import audit
from lms.core.content import digest_of_text
from lms.core.db import db
from lms.core.errors import DomainError


class NoStandard(DomainError):
    """No standard has been loaded yet: run `./run cli content load`."""


class AlreadyVoided(DomainError):
    """The evidence was voided before."""


@dataclass(frozen=True, slots=True)
class Current:
    """The standard decisions use now."""

    id: int
    standard: Standard
    is_draft: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvidence:
    """One fact to be appended; see models.Evidence for what the fields mean per kind."""

    person_id: int
    kind: EvidenceKind
    kuk: str
    source: str
    group: str
    ref: str = ""
    passed: bool | None = None
    mark: int | None = None
    harmful: bool = False
    replaces: int | None = None
    assessor_id: int | None = None
    note: str = ""
    happened_at: datetime


def load_standard(spec: StandardSpec, *, now: datetime) -> StandardVersion:
    """Store the standard unless its text is stored already. Flushes."""
    document = spec.model_dump(mode="json")
    digest = digest_of_text(json.dumps(document, sort_keys=True))
    found = db.session.scalar(
        select(StandardVersion).where(
            StandardVersion.version == spec.version, StandardVersion.digest == digest
        )
    )
    if found is None:
        found = StandardVersion(
            version=spec.version, digest=digest, document=document, loaded_at=now
        )
        db.session.add(found)
        db.session.flush()
    return found


def current() -> Current:
    """Return the newest standard. One query of two small columns; the text is cached by digest.

    Raises NoStandard.
    """
    row = db.session.execute(
        select(StandardVersion.id, StandardVersion.digest, StandardVersion.adopted_at)
        .order_by(StandardVersion.id.desc())
        .limit(1)
    ).first()
    if row is None:
        raise NoStandard
    return Current(row.id, _standard(row.id, row.digest), row.adopted_at is None)


@lru_cache(maxsize=16)
def _standard(version_id: int, digest: str) -> Standard:
    """Return a parsed standard. Its text never changes, so the cache needs no owner but size."""
    document = db.session.scalar(
        select(StandardVersion.document).where(
            StandardVersion.id == version_id, StandardVersion.digest == digest
        )
    )
    if document is None:
        raise NoStandard
    return rules.build_standard(document)


def texts_of(version_id: int) -> dict[str, str]:
    """Return KUK code to text of one version of the standard."""
    digest = db.session.scalar(
        select(StandardVersion.digest).where(StandardVersion.id == version_id)
    )
    return {code: kuk.text for code, kuk in _standard(version_id, digest or "").kuk.items()}


def append(facts: Iterable[NewEvidence], *, standard_id: int, now: datetime) -> None:
    """Append facts to the ledger, each once: a fact stated again changes nothing. Flushes.

    Call it in the unit of work that closes the fact itself.
    """
    values = [
        {
            "person_id": fact.person_id,
            "standard_version_id": standard_id,
            "kind": fact.kind,
            "kuk": fact.kuk,
            "source": fact.source,
            "group_key": fact.group,
            "ref": fact.ref,
            "passed": fact.passed,
            "mark": fact.mark,
            "harmful": fact.harmful,
            "replaces_id": fact.replaces,
            "assessor_id": fact.assessor_id,
            "note": fact.note,
            "happened_at": fact.happened_at,
            "recorded_at": now,
        }
        for fact in facts
    ]
    if not values:
        return
    dialect = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    db.session.execute(dialect.insert(Evidence).on_conflict_do_nothing(), values)


def void(evidence_id: int, *, reason: str, by_id: int | None, now: datetime) -> None:
    """Take a row out of every later decision; it stays in the ledger. Raises AlreadyVoided."""
    try:
        with db.session.begin_nested():
            db.session.add(
                EvidenceVoid(evidence_id=evidence_id, reason=reason, by_id=by_id, at=now)
            )
    except IntegrityError:
        raise AlreadyVoided(str(evidence_id)) from None
    audit.record(
        "competency.void", f"evidence:{evidence_id}", actor_id=by_id, now=now, reason=reason
    )


def rows_of(person_ids: Sequence[int], found: Current) -> dict[int, list[rules.Row]]:
    """Return the ledger of many people as decisions see it, in one query.

    Cost grows with the number of rows: about a hundred per person and certificate.
    """
    query = (
        select(
            Evidence.id,
            Evidence.person_id,
            Evidence.kind,
            Evidence.kuk,
            Evidence.source,
            Evidence.group_key,
            Evidence.ref,
            Evidence.passed,
            Evidence.mark,
            Evidence.harmful,
            Evidence.replaces_id,
            Evidence.happened_at,
            Evidence.standard_version_id,
            EvidenceVoid.id.label("void_id"),
        )
        .join(EvidenceVoid, EvidenceVoid.evidence_id == Evidence.id, isouter=True)
        .where(Evidence.person_id.in_(person_ids))
        .order_by(Evidence.person_id, Evidence.id)
    )
    ledgers: dict[int, list[rules.Row]] = defaultdict(list)
    texts: dict[int, dict[str, str]] = {}
    for row in db.session.execute(query):
        text = None
        if row.standard_version_id != found.id:
            if row.standard_version_id not in texts:
                texts[row.standard_version_id] = texts_of(row.standard_version_id)
            text = texts[row.standard_version_id].get(row.kuk)
        ledgers[row.person_id].append(
            rules.Row(
                id=row.id,
                kind=row.kind,
                kuk=row.kuk,
                source=row.source,
                group=row.group_key,
                ref=row.ref,
                passed=row.passed,
                mark=row.mark,
                harmful=row.harmful,
                replaces=row.replaces_id,
                at=row.happened_at,
                voided=row.void_id is not None,
                text=text,
            )
        )
    return ledgers


def rows_of_one(person_id: int, found: Current) -> list[rules.Row]:
    """Return the ledger of one person."""
    return rows_of([person_id], found).get(person_id, [])


def list_evidence(person_id: int) -> Sequence[Evidence]:
    """Return every row of one person with its notes, oldest first, for people to read."""
    return db.session.scalars(
        select(Evidence).where(Evidence.person_id == person_id).order_by(Evidence.id)
    ).all()


def void_ids(person_id: int) -> frozenset[int]:
    """Return the ids of the voided rows of one person."""
    return frozenset(
        db.session.scalars(
            select(EvidenceVoid.evidence_id)
            .join(Evidence, Evidence.id == EvidenceVoid.evidence_id)
            .where(Evidence.person_id == person_id)
        )
    )


def coach(
    person_id: int,
    *,
    kind: EvidenceKind,
    source: str,
    note: str,
    trainer_id: int,
    now: datetime,
) -> None:
    """Record a trainer's guidance; it opens the next try. Flushes."""
    db.session.add(
        Coaching(
            person_id=person_id, kind=kind, source=source, note=note, trainer_id=trainer_id, at=now
        )
    )
    db.session.flush()
    audit.record(
        "competency.coach", f"person:{person_id}", actor_id=trainer_id, now=now, source=source
    )


def coached_at(person_id: int, kind: EvidenceKind, source: str) -> list[datetime]:
    """Return when a trainer gave guidance on this source."""
    return list(
        db.session.scalars(
            select(Coaching.at).where(
                Coaching.person_id == person_id,
                Coaching.kind == kind,
                Coaching.source == source,
            )
        )
    )
