"""The standard, the evidence ledger and the verdicts. Services flush; entry points commit."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from sqlalchemy import Executable, Select, String, bindparam, cast, literal, null, select, update
from sqlalchemy.exc import IntegrityError

from lms.accounts import services as accounts
from lms.competency import due, qualities, rules
from lms.competency.models import (
    Coaching,
    Evidence,
    EvidenceVoid,
    StandardVersion,
    StandingSummary,
)
from lms.competency.qualities import Stated
from lms.competency.rules import TRAINER_CURRICULUM, EvidenceKind, Standard, State, Verdict
from lms.core import audit
from lms.core.db import db, insert_into
from lms.core.errors import DomainError, Forbidden
from lms.core.ids import digest_of_text
from lms.core.prepared import read

if TYPE_CHECKING:
    from lms.competency.content import StandardSpec


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
    raters: int = 1
    note: str = ""
    qualities: Stated | None = None
    """What the assessor said of its quality, where one was asked."""
    happened_at: datetime


def load_standard(spec: "StandardSpec", *, now: datetime) -> StandardVersion:
    """Store the standard unless it is the current one already. Flushes.

    An older text that comes back is a new row: the newest row is what decides.
    """
    document = spec.model_dump(mode="json")
    digest = digest_of_text(json.dumps(document, sort_keys=True))
    found = db.session.scalar(select(StandardVersion).order_by(StandardVersion.id.desc()).limit(1))
    if found is None or (found.version, found.digest) != (spec.version, digest):
        found = StandardVersion(
            version=spec.version, digest=digest, document=document, loaded_at=now
        )
        db.session.add(found)
        db.session.flush()
    return found


# Statements of most requests, put together once: that costs more than running them.
_FACTS = (
    select(
        # First what rules.Row begins with, in its order.
        Evidence.id,
        Evidence.kind,
        Evidence.kuk,
        Evidence.source,
        Evidence.group_key,
        Evidence.happened_at,
        Evidence.ref,
        Evidence.passed,
        Evidence.mark,
        Evidence.harmful,
        Evidence.replaces_id,
        Evidence.raters,
        Evidence.person_id,
        Evidence.standard_version_id,
        EvidenceVoid.id.label("void_id"),
    )
    .join(EvidenceVoid, EvidenceVoid.evidence_id == Evidence.id, isouter=True)
    .order_by(Evidence.person_id, Evidence.id)
)
_LEDGERS = _FACTS.where(Evidence.person_id.in_(bindparam("people", expanding=True)))
_LEDGER = _FACTS.where(Evidence.person_id == bindparam("person"))


def current() -> Current:
    """Return the newest standard. One query of two small columns; the text is cached by digest.

    Raises NoStandard.
    """
    rows = read(due.NEWEST, {})
    if not rows:
        raise NoStandard
    row = rows[0]
    return Current(row.id, _standard(row.id, row.digest), row.adopted_at is None)


def version(version_id: int) -> Current:
    """Return one version of the standard, for a decision that was made under it.

    Raises NoStandard.
    """
    row = db.session.execute(
        select(StandardVersion.digest, StandardVersion.adopted_at).where(
            StandardVersion.id == version_id
        )
    ).first()
    if row is None:
        raise NoStandard(str(version_id))
    return Current(version_id, _standard(version_id, row.digest), row.adopted_at is None)


def hold(version_id: int, *, alone: bool = False) -> None:
    """Hold a version until the unit of work ends: its adoption cannot change meanwhile.

    Whoever writes papers under it holds it with others, whoever adopts it holds it `alone`.
    """
    db.session.execute(
        select(StandardVersion.id)
        .where(StandardVersion.id == version_id)
        .with_for_update(read=not alone)
    )


def find_standard_of(person_id: int, group: str) -> int | None:
    """Return the version under which a sitting or submission was recorded; None when it was not."""
    return db.session.scalar(
        select(Evidence.standard_version_id)
        .where(Evidence.person_id == person_id, Evidence.group_key == group)
        .order_by(Evidence.id)
        .limit(1)
    )


def set_adopted(version_id: int, at: datetime | None) -> None:
    """Write down since when the installation adopts a version; None: it is a draft again."""
    db.session.execute(
        update(StandardVersion).where(StandardVersion.id == version_id).values(adopted_at=at)
    )


def known(version_id: int, digest: str, *, is_draft: bool) -> Current:
    """Return a version whose digest is at hand: no query once this process has read its text."""
    return Current(version_id, _standard(version_id, digest), is_draft)


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
    stated = list(facts)
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
            "raters": fact.raters,
            "note": fact.note,
            **qualities.columns(fact.qualities),
            "happened_at": fact.happened_at,
            "recorded_at": now,
        }
        for fact in stated
    ]
    if not values:
        return
    db.session.flush()
    db.session.connection().execute(_append_once(db.engine.dialect.name), values)
    _touch({fact.person_id for fact in stated})


def _touch(person_ids: Iterable[int]) -> None:
    """Mark what is stored of these people as behind the ledger; see lms.competency.summaries."""
    # Always in the same order, so that two transactions wait for each other and never both.
    values = [{"person_id": one, "units": {}, "gates": {}} for one in sorted(person_ids)]
    db.session.flush()
    db.session.connection().execute(_touch_all(db.engine.dialect.name), values)


@cache
def _append_once(_dialect: str) -> Executable:
    """Return the statement of `append`, put together once."""
    return insert_into(Evidence).on_conflict_do_nothing()


@cache
def _touch_all(_dialect: str) -> Executable:
    """Return the statement of `_touch`, put together once."""
    return insert_into(StandingSummary).on_conflict_do_update(
        index_elements=[StandingSummary.person_id],
        set_={"dirty": True, "changes": StandingSummary.changes + 1},
    )


def void(evidence_id: int, *, reason: str, by_id: int | None, now: datetime) -> None:
    """Take a row out of every later decision; it stays in the ledger. Raises AlreadyVoided."""
    try:
        with db.session.begin_nested():
            db.session.add(
                EvidenceVoid(evidence_id=evidence_id, reason=reason, by_id=by_id, at=now)
            )
    except IntegrityError:
        raise AlreadyVoided(str(evidence_id)) from None
    _touch(db.session.scalars(select(Evidence.person_id).where(Evidence.id == evidence_id)))
    audit.record(
        "competency.void", f"evidence:{evidence_id}", actor_id=by_id, now=now, reason=reason
    )


def rows_of(
    person_ids: Sequence[int], found: Current, *, only: Collection[str] | None = None
) -> dict[int, list[rules.Row]]:
    """Return the ledger of many people as decisions see it, in one query.

    Cost grows with the number of rows: about a hundred per person and certificate. `only` leaves
    out the rows of other KUK, for a page that shows some of them; see rules.kuk_behind.
    """
    query, asked = _LEDGERS, {"people": list(person_ids)}
    if only is not None:
        # HDR stands for no KUK: it is what people attended.
        query = query.where(Evidence.kuk.in_({*only, ""}))
    return _ledgers(db.session.connection().execute(query, asked), found)


def _ledgers(rows: Iterable[Any], found: Current) -> dict[int, list[rules.Row]]:
    """Return the rows of each person as decisions see them."""
    ledgers: dict[int, list[rules.Row]] = defaultdict(list)
    texts: dict[int, dict[str, str]] = {}
    for row in rows:
        *facts, person_id, standard_id, void_id = row
        text = None
        if standard_id != found.id:
            if standard_id not in texts:
                texts[standard_id] = texts_of(standard_id)
            text = texts[standard_id].get(row.kuk)
        ledgers[person_id].append(rules.Row._make((*facts, void_id is not None, text)))
    return ledgers


def rows_of_one(person_id: int, found: Current) -> list[rules.Row]:
    """Return the ledger of one person."""
    return _ledgers(read(_LEDGER, {"person": person_id}), found)[person_id]


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
    """Record a trainer's guidance; it opens the next try. Raises Forbidden for oneself. Flushes."""
    if trainer_id == person_id:
        raise Forbidden("guidance for oneself")
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


def coached_many(
    person_ids: Sequence[int], kind: EvidenceKind
) -> dict[tuple[int, str], list[datetime]]:
    """Return when trainers gave guidance, by person and source, in one query."""
    found: dict[tuple[int, str], list[datetime]] = defaultdict(list)
    query = select(Coaching.person_id, Coaching.source, Coaching.at).where(
        Coaching.person_id.in_(person_ids), Coaching.kind == kind
    )
    for row in db.session.execute(query):
        found[row.person_id, row.source].append(row.at)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one source of evidence says about one KUK, for people to read."""

    kind: EvidenceKind
    source: str
    """Curriculum, case, simulation, station or lesson; empty when nothing has happened yet."""
    state: State
    at: datetime | None = None
    right: int = 0
    shown: int = 0
    """Items shown and right, for a quiz."""
    mark: int | None = None
    harmful: bool = False
    note: str = ""
    assessor: str = ""
    """Empty for the mark of two: it is both of theirs."""
    raters: int = 1
    lapsed: bool = False
    """There was evidence once; it was voided, is too old, or the criterion reads differently."""


@dataclass(frozen=True, slots=True)
class KukLine:
    """One criterion with its verdict and what stands behind it."""

    kuk: rules.Kuk
    verdict: Verdict
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class UnitLines:
    """One unit: its elements with their criteria."""

    unit: rules.Unit
    elements: tuple[tuple[rules.Element, tuple[KukLine, ...]], ...]

    @property
    def lines(self) -> tuple[KukLine, ...]:
        """Every criterion of the unit, in order."""
        return tuple(line for _element, lines in self.elements for line in lines)

    @property
    def reached(self) -> int:
        """How many of its criteria are reached."""
        return sum(line.verdict.reached for line in self.lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class CurriculumLine:
    """How one person stands in one curriculum."""

    code: str
    title: tuple[str, str]
    reached: int
    total: int
    right: int
    shown: int
    """Non-critical items of the latest sets, right and shown: the ratio of the standard."""


@dataclass(frozen=True, slots=True)
class Tree:
    """The standard as one person stands in it."""

    standard: Standard
    is_draft: bool
    units: tuple[UnitLines, ...]
    curricula: tuple[CurriculumLine, ...]

    @property
    def lines(self) -> tuple[KukLine, ...]:
        """Every criterion, in the order of the standard."""
        return tuple(line for unit in self.units for line in unit.lines)


def tree_of(person_id: int, *, now: datetime) -> Tree:
    """Return the whole standard with one person's verdicts and evidence. Four queries."""
    found = current()
    rows = rows_of_one(person_id, found)
    remarks = {row.id: row for row in list_evidence(person_id)}
    names = accounts.names_of(row.assessor_id for row in remarks.values() if row.assessor_id)
    ledger = rules.Ledger(found.standard, rows, now)
    tried = {(row.kind, row.kuk, row.source) for row in rows}
    reader = _Reader(ledger, remarks, names, tried)
    training = any(
        row.kuk in found.standard.kuk
        and found.standard.kuk[row.kuk].curriculum == TRAINER_CURRICULUM
        for row in rows
    )
    units = tuple(
        reader.unit(unit)
        for unit in found.standard.units
        if training or any(kuk.curriculum != TRAINER_CURRICULUM for kuk in unit.kuk)
    )
    return Tree(found.standard, found.is_draft, units, tuple(_curricula(ledger, units)))


def _curricula(ledger: rules.Ledger, units: tuple[UnitLines, ...]) -> Iterator[CurriculumLine]:
    lines = [line for unit in units for line in unit.lines]
    for code, title in ledger.standard.curricula.items():
        own = [line for line in lines if line.kuk.curriculum == code]
        shown, right, _whole = ledger.items(code)
        if own:
            yield CurriculumLine(
                code=code,
                title=title,
                reached=sum(line.verdict.reached for line in own),
                total=len(own),
                right=right,
                shown=shown,
            )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Turns rows of the ledger into lines for people."""

    ledger: rules.Ledger
    remarks: dict[int, Evidence]
    names: dict[int, str]
    tried: set[tuple[EvidenceKind, str, str]]

    def unit(self, unit: rules.Unit) -> UnitLines:
        """Return one unit with its criteria."""
        elements = tuple(
            (element, tuple(self.kuk(kuk) for kuk in element.kuk)) for element in unit.elements
        )
        return UnitLines(unit, elements)

    def kuk(self, kuk: rules.Kuk) -> KukLine:
        """Return one criterion with everything that counts for it."""
        findings = tuple(finding for kind in kuk.ev for finding in self.findings(kuk, kind))
        return KukLine(kuk, self.ledger.verdict(kuk), findings)

    def findings(self, kuk: rules.Kuk, kind: EvidenceKind) -> Iterator[Finding]:
        """Return what one kind of evidence says, each source by itself."""
        rows: dict[str, list[rules.Row]] = defaultdict(list)
        for row in self.ledger.rows_behind(kuk, kind):
            rows[row.source].append(row)
        for source in self.sources(kuk, kind) or list(rows) or [""]:
            behind = rows.get(source, [])
            if not behind:
                lapsed = self.has_tried(kuk, kind, source)
                yield Finding(kind=kind, source=source, state=State.NONE, lapsed=lapsed)
            elif kind is EvidenceKind.OBS:
                yield from (self.finding(kuk, kind, [row]) for row in behind)
            else:
                yield self.finding(kuk, kind, behind)

    def sources(self, kuk: rules.Kuk, kind: EvidenceKind) -> list[str]:
        """Return where this evidence can only come from; empty when that is open."""
        standard = self.ledger.standard
        if kind is EvidenceKind.SIM:
            return standard.listing(kuk.code)
        if kind is EvidenceKind.SK:
            case = standard.case_of(kuk.code)
            return [case.code] if case else []
        if kind is EvidenceKind.Q:
            return [kuk.curriculum]
        return [kuk.attendance] if kind is EvidenceKind.HDR else []

    def has_tried(self, kuk: rules.Kuk, kind: EvidenceKind, source: str) -> bool:
        """Tell whether there was ever a row, living or not."""
        code = "" if kind is EvidenceKind.HDR else kuk.code
        if source:
            return (kind, code, source) in self.tried
        return any(key[:2] == (kind, code) for key in self.tried)

    def finding(self, kuk: rules.Kuk, kind: EvidenceKind, rows: list[rules.Row]) -> Finding:
        """Return the line of one source."""
        last = max(rows, key=lambda row: (row.at, row.id))
        remark = self.remarks.get(last.id)
        assessor_id = (remark.assessor_id if remark else None) or 0
        is_of_two = last.raters == rules.TWO
        return Finding(
            kind=kind,
            source=last.source,
            state=self.state(kuk, kind, rows),
            at=last.at,
            right=sum(bool(row.passed) for row in rows),
            shown=len(rows),
            mark=last.mark,
            harmful=any(row.harmful for row in rows),
            note=remark.note if remark else "",
            assessor="" if is_of_two else self.names.get(assessor_id, ""),
            raters=last.raters,
        )

    def state(self, kuk: rules.Kuk, kind: EvidenceKind, rows: list[rules.Row]) -> State:
        """Return what this one source says; the verdict itself looks at all of them."""
        if kind is EvidenceKind.SIM:
            safe = all(row.passed and not row.harmful for row in rows)
            return State.PASS if safe else State.FAIL
        if kind is EvidenceKind.OBS:
            needed = rules.SAFE_ALONE if kuk.critical else 1
            if any((row.mark or 0) < needed or row.harmful for row in rows):
                return State.FAIL
            return State.NONE if self.ledger.lacks_raters(kuk, rows) else State.PASS
        return self.ledger.state(kuk, kind)


def first_open_unit(tree: Tree) -> str:
    """Return the number of the first unit that is begun and not finished, or nothing."""
    begun = (
        unit.unit.number
        for unit in tree.units
        if unit.reached < len(unit.lines)
        and any(finding.at for line in unit.lines for finding in line.findings)
    )
    return next(begun, "")


def coaching_query(person_id: int) -> Select[*tuple[Any, ...]]:
    """Return a query of one person's guidance, in the columns the home page unites.

    Columns: feature, code (its source), what (the kind of evidence), began_at, ended_at.
    """
    return select(
        literal("coaching", String).label("feature"),
        Coaching.source.label("code"),
        cast(Coaching.kind, String).label("what"),
        Coaching.at.label("began_at"),
        null().label("ended_at"),
    ).where(Coaching.person_id == person_id)
