"""From a certificate to its evidence: unit, elemen, KUK, and every row with its qualities.

What was known when the decision was signed and what came after are told apart. Reads only.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select, true

from certificates import codes
from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import Part
from lms.competency import qualities
from lms.competency import rules as competency_rules
from lms.competency.qualities import Answer, Facts, Quality
from lms.competency.rules import (
    Element,
    EvidenceKind,
    Kuk,
    Ledger,
    Standard,
    Unit,
    Verdict,
)
from lms.competency.trails import Kept, known_at, trail_of
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.login import Viewer
from lms.credentials.models import (
    Certificate,
    CertificateEvent,
    Decision,
    Proposal,
    Scheme,
    Signature,
)
from lms.credentials.rules import SchemeText
from lms.credentials.schemes import requirement
from lms.quizzes import wordings
from lms.quizzes.wordings import Named
from lms.ratings import services as ratings


@dataclass(frozen=True, slots=True)
class Piece:
    """One row of the ledger, for people to read."""

    kept: Kept
    item: Named | None
    """Of a quiz: the item and its wording, without text or key."""
    qualities: Mapping[Quality, Answer]
    replaced_by: int | None
    """The row that stands in its place now."""
    is_voided_later: bool
    """It counted when the decision was signed."""
    waits: bool
    """Whether assessor and note are kept back: a third person, or the second one, is waited for."""


@dataclass(frozen=True, slots=True)
class KukTrail:
    """One criterion: what was decided, what it reads now, and the rows in three heaps."""

    kuk: Kuk
    decided: Verdict
    now: Verdict
    basis: tuple[Piece, ...]
    """What the decision rests on."""
    earlier: tuple[Piece, ...]
    """Known at the decision, and not what it rests on: earlier tries, voided rows."""
    later: tuple[Piece, ...]
    """Came after the decision."""


@dataclass(frozen=True, slots=True)
class UnitTrail:
    """One unit: its elements with their criteria."""

    unit: Unit
    elements: tuple[tuple[Element, tuple[KukTrail, ...]], ...]

    @property
    def lines(self) -> tuple[KukTrail, ...]:
        """Every criterion of the unit the scheme asks for."""
        return tuple(line for _element, lines in self.elements for line in lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """A certificate with everything behind it."""

    code: str
    number: str
    holder_name: str
    is_own: bool
    """The reader is its holder."""
    title: str
    title_en: str
    decided_at: datetime
    issued_at: datetime
    signed_by: tuple[str, ...]
    ended: bool
    """Revoked or replaced."""
    standard: Standard
    units: tuple[UnitTrail, ...]
    attendance: tuple[tuple[str, tuple[Piece, ...]], ...]
    """In-person lessons the scheme asks for, each with what the decision rests on."""
    recomputed: bool
    """Judged again from what was known at the decision, it comes out the same."""

    @property
    def printed_code(self) -> str:
        """The code in three groups of five."""
        return codes.pretty(self.code)


def read_trail(code: str, viewer: Viewer, *, now: datetime) -> Trail:
    """Return a certificate with everything behind it. Four queries, however many people.

    Its holder may read it, trainers and assessors of the holder's classes, and administrators.
    One query more for a version of the standard this process has not read. Raises NotFound.
    """
    rows = db.session.execute(_select(code, viewer)).all()
    if not rows:
        raise NotFound("certificate")
    head = rows[0]
    found, kept = trail_of(head.person_id, head.standard_version_id)
    items = wordings.names_of(
        version for one in kept if (version := _version_of(one.row)) is not None
    )
    reader = _Reader(
        found.standard, kept, items, head.decided_at, now, head.trace, head.sealed or ""
    )
    scheme = SchemeText.read(head.trace["scheme"])
    return Trail(
        code=head.code,
        number=head.number,
        holder_name=head.holder_name,
        is_own=head.person_id == viewer.id,
        title=head.title,
        title_en=head.title_en,
        decided_at=head.decided_at,
        issued_at=head.issued_at,
        signed_by=tuple(row.signer or head.first_signer for row in rows),
        ended=any(row.ended for row in rows),
        standard=found.standard,
        units=tuple(reader.units(scheme.curricula)),
        attendance=tuple((one, reader.attended(one)) for one in requirement(scheme).in_person),
        recomputed=reader.agrees(scheme),
    )


def _select(code: str, viewer: Viewer) -> Any:
    """Return the certificate, one row for each signature, if the viewer may read its trail."""
    known = codes.normalise(code) or ""
    holder = select(Certificate.person_id).where(Certificate.code == known)
    waits = ratings.sealed_query(holder).subquery("waits")
    ended = select(CertificateEvent.id).where(CertificateEvent.certificate_id == Certificate.id)
    allowed: Any = true()
    if "admin" not in viewer.roles:
        allowed = (Certificate.person_id == viewer.id) | cohorts.has_seat_with(
            viewer, Certificate.person_id, Part.TRAINER, Part.ASSESSOR
        )
    return (
        select(
            Certificate.code,
            Certificate.number,
            Certificate.person_id,
            Certificate.holder_name,
            Certificate.issued_at,
            Scheme.title,
            Scheme.title_en,
            Decision.standard_version_id,
            Decision.decided_at,
            Decision.trace,
            accounts.name_of(Decision.signed_by).label("first_signer"),
            accounts.name_of(Signature.signer_id).label("signer"),
            ended.exists().label("ended"),
            select(func.aggregate_strings(waits.c.kind + literal(" ") + waits.c.subject, "\n"))
            .scalar_subquery()
            .label("sealed"),
        )
        .join(Decision, Decision.id == Certificate.decision_id)
        .join(Scheme, Scheme.code == Certificate.scheme_code)
        .join(Proposal, Proposal.decision_id == Decision.id, isouter=True)
        .join(Signature, Signature.proposal_id == Proposal.id, isouter=True)
        .where(Certificate.code == known, allowed)
        .order_by(Signature.position)
    )


def _version_of(row: competency_rules.Row) -> int | None:
    """Return the wording a row of a sitting is about; a third person's row names it too."""
    version = row.ref.partition("/")[0]
    return int(version) if row.kind is EvidenceKind.Q and version.isdecimal() else None


class _Reader:
    """Sorts the rows of one person to the criteria of a decision."""

    def __init__(
        self,
        standard: Standard,
        kept: Sequence[Kept],
        items: Mapping[int, Named],
        decided_at: datetime,
        now: datetime,
        trace: Mapping[str, Any],
        sealed: str,
    ) -> None:
        self.standard, self.kept, self.items = standard, kept, items
        self.decided_at, self.now, self.trace = decided_at, now, trace
        self.sealed = ratings.Sealed.parse(sealed)
        self.then = Ledger(standard, known_at(kept, decided_at), decided_at)
        self.today = Ledger(standard, [one.row for one in kept], now)
        self.replaced = {one.row.replaces: one.row.id for one in kept if one.row.replaces}
        self.by_kuk: dict[str, list[Kept]] = defaultdict(list)
        for one in kept:
            self.by_kuk[one.row.kuk].append(one)

    def agrees(self, scheme: SchemeText) -> bool:
        """Tell whether the decision comes out the same from what was known then."""
        asked = requirement(scheme)
        found = competency_rules.judge_by(self.then, asked, holds=frozenset(asked.holds))
        stored = self.trace["verdicts"]
        return found.ready and stored == {
            code: verdict.value for code, verdict in found.verdicts.items()
        }

    def units(self, curricula: Iterable[str]) -> Iterable[UnitTrail]:
        """Yield the units a scheme asks for, each with the criteria it asks for."""
        asked = set(curricula)
        for unit in self.standard.units:
            elements = tuple(
                (element, lines)
                for element in unit.elements
                if (lines := tuple(self.kuk(k) for k in element.kuk if k.curriculum in asked))
            )
            if elements:
                yield UnitTrail(unit, elements)

    def attended(self, lesson: str) -> tuple[Piece, ...]:
        """Return the rows that said somebody was at an in-person lesson."""
        rested = set(self.trace["evidence"].get(lesson, ()))
        asked = Kuk(
            code=lesson, text="", text_en="", critical=False, ev=(EvidenceKind.HDR,), curriculum=""
        )
        return tuple(
            self.piece(one, row, asked, self.then, frozenset(rested))
            for one in self.by_kuk[""]
            if one.row.id in rested and (row := one.known_at(self.decided_at)) is not None
        )

    def kuk(self, kuk: Kuk) -> KukTrail:
        """Return one criterion with its rows."""
        kept = [
            *self.by_kuk[kuk.code],
            *(one for one in self.by_kuk[""] if kuk.attendance == one.row.source),
        ]
        rested = set(self.trace["evidence"].get(kuk.code, ()))
        rows_then = [row for one in kept if (row := one.known_at(self.decided_at)) is not None]
        enough_then = qualities.complete(self.standard, kuk, rows_then)
        enough_now = qualities.complete(self.standard, kuk, [one.row for one in kept])
        heaps: dict[str, list[Piece]] = {"basis": [], "earlier": [], "later": []}
        for one in kept:
            row = one.known_at(self.decided_at)
            if row is None:
                heaps["later"].append(self.piece(one, one.row, kuk, self.today, enough_now))
            else:
                heap = "basis" if row.id in rested else "earlier"
                heaps[heap].append(self.piece(one, row, kuk, self.then, enough_then))
        return KukTrail(
            kuk,
            Verdict(self.trace["verdicts"][kuk.code]),
            self.today.verdict(kuk),
            tuple(heaps["basis"]),
            tuple(heaps["earlier"]),
            tuple(heaps["later"]),
        )

    def piece(
        self,
        one: Kept,
        row: competency_rules.Row,
        kuk: Kuk,
        ledger: Ledger,
        enough: frozenset[int],
    ) -> Piece:
        """Return one row as people read it, with its qualities as of the ledger's moment."""
        item = self.items.get(_version_of(row) or 0)
        facts = Facts(one.stated, item.reviewed if item else None)
        return Piece(
            kept=one,
            item=item,
            qualities=qualities.of_row(row, facts, kuk, ledger, enough),
            replaced_by=self.replaced.get(row.id),
            is_voided_later=one.voided is not None and not row.voided,
            waits=self.sealed.hides(row.kind, row.group, row.ref),
        )
