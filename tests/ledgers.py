"""Ledgers made of plain rows, for rules that read them."""

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime

from lms.competency.content import StandardSpec, check
from lms.competency.rules import (
    EvidenceKind,
    Kuk,
    Requirement,
    Row,
    Standard,
    build_standard,
    raters_needed,
)
from lms.config import CONTENT

AT = datetime(2026, 3, 20, 8, 0, tzinfo=UTC)


def _load() -> tuple[StandardSpec, Standard]:
    spec, problems = check(CONTENT)
    assert spec is not None, problems
    return spec, build_standard(spec.model_dump(mode="json"))


SPEC, STANDARD = _load()
K1 = Requirement(scheme="K1", curricula=("K1",), in_person=("K1.T",))
Q, SK, SIM, OBS, REF, HDR = EvidenceKind


class Maker:
    """Makes rows with ids in order."""

    def __init__(self) -> None:
        self._ids = itertools.count(1)

    def row(self, kind: EvidenceKind, kuk: str, group: str = "", **values: object) -> Row:
        """Make one row; it passed at AT unless said otherwise."""
        sources = {Q: "K1", SK: "SK1", SIM: "S1", OBS: "ST1", REF: "K4.2", HDR: "K1.T"}
        defaults: dict[str, object] = {
            "id": next(self._ids),
            "kind": kind,
            "kuk": kuk,
            "source": sources[kind],
            "group": group or f"{kind}-1",
            "at": AT,
        }
        defaults |= {"mark": 2} if kind in (SK, OBS) else {"passed": True}
        if kind is OBS and kuk in STANDARD.kuk:
            defaults["raters"] = raters_needed(STANDARD.kuk[kuk].curriculum)
        return Row(**(defaults | values))  # type: ignore[arg-type]

    def sitting(self, right: dict[str, list[bool]], group: str, at: datetime = AT) -> list[Row]:
        """Make the rows of one quiz sitting: KUK to right or wrong per item."""
        return [
            self.row(Q, kuk, group, ref=str(n), passed=passed, at=at)
            for kuk, marks in right.items()
            for n, passed in enumerate(marks)
        ]

    def run(
        self, simulation: str, kuk: Iterable[str], group: str, at: datetime = AT, **values: object
    ) -> list[Row]:
        """Make the rows of one graded run, one node per KUK."""
        return [
            self.row(SIM, code, group, source=simulation, ref=f"n-{code}", at=at, **values)
            for code in kuk
        ]


def kuk_with(kind: EvidenceKind, curriculum: str = "K1") -> list[Kuk]:
    """Return the KUK of a curriculum that list this kind of evidence."""
    return [kuk for kuk in STANDARD.of(curriculum) if kind in kuk.ev]


def full(curriculum: str = "K1", at: datetime = AT) -> list[Row]:
    """Return the smallest ledger that reaches everything one curriculum asks for."""
    make = Maker()
    rows = make.sitting(
        {k.code: [True] * STANDARD.shown_for(k) for k in kuk_with(Q, curriculum)}, "q1", at
    )
    for case in STANDARD.cases.values():
        if curriculum in case.gates:
            rows += [
                make.row(SK, kuk, source=case.code, group=case.code, at=at) for kuk in case.kuk
            ]
    for kuk in kuk_with(SIM, curriculum):
        for simulation in STANDARD.listing(kuk.code):
            rows += make.run(simulation, [kuk.code], f"run-{simulation}", at)
    rows += [make.row(OBS, k.code, "o1", at=at) for k in kuk_with(OBS, curriculum) if k.critical]
    rows += [make.row(REF, k.code, at=at) for k in kuk_with(REF, curriculum)]
    rows.append(make.row(HDR, "", source=f"{curriculum}.T", at=at))
    return [row._replace(source=curriculum) if row.kind is Q else row for row in rows]
