"""When a criterion, a curriculum and a level are reached. Pure: no Flask, database or clock.

Source: content/standard.yaml, "rules"; written out in docs/decision-rules.md.
Letters: K is a critical KUK, N any other. Evidence types are joined by AND, never averaged.
A person signs every decision: what is computed here is necessary, never sufficient.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from lms.competency.kinds import EvidenceKind as EvidenceKind
from lms.core.errors import DomainError


class State(StrEnum):
    """What one kind of evidence says about one KUK."""

    PASS = "PASS"  # noqa: S105  # a verdict, not a password
    FAIL = "FAIL"
    NONE = "NONE"
    """There is no live row: not tried, too old, or voided."""


class Verdict(StrEnum):
    """What all evidence says about one KUK."""

    REACHED = "T"
    COMPENSATED = "TK"
    """Reached because at least 80 % of the curriculum's non-critical items are right."""
    NOT_YET = "B"
    NO_EVIDENCE = "-"

    @property
    def reached(self) -> bool:
        """Tell whether the KUK counts as reached."""
        return self in (Verdict.REACHED, Verdict.COMPENSATED)


class UnknownKuk(DomainError):
    """The standard has no KUK of this code."""


TRAINER_CURRICULUM = "T"
"""Its criteria are the trainer's own: companions do not need them."""
TWO = 2
"""Assessors who mark the same thing blind to each other."""
RATERS = {TRAINER_CURRICULUM: TWO}
"""Curriculum to how many assessors mark its stations. Source: decision rules 6, "Pelatih"."""


def raters_needed(curriculum: str) -> int:
    """Return how many assessors have to mark a station of this curriculum."""
    return RATERS.get(curriculum, 1)


DIRECT = (EvidenceKind.SK, EvidenceKind.SIM, EvidenceKind.OBS)
SAFE_ALONE = 2
"""The mark "Aman mandiri"; 1 is "Aman dengan bimbingan", 0 "Belum aman"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kuk:
    """One criterion (kriteria unjuk kerja) of the standard."""

    code: str
    text: str
    text_en: str
    critical: bool
    ev: tuple[EvidenceKind, ...]
    curriculum: str
    attendance: str = ""
    """The in-person lesson whose attendance is evidence for it, when HDR is in `ev`."""

    @property
    def unit(self) -> str:
        """Number of its unit: `03` of `03.1.1`."""
        return self.code.split(".")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """One elemen of a unit with its criteria in order."""

    code: str
    title: str
    title_en: str
    kuk: tuple[Kuk, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One unit of the standard."""

    code: str
    title: str
    title_en: str
    description: str
    law: str
    elements: tuple[Element, ...]

    @property
    def number(self) -> str:
        """Two digits: `03` of `SLH.PKDRT.003.01`."""
        return self.elements[0].code.split(".")[0]

    @property
    def kuk(self) -> tuple[Kuk, ...]:
        """Every criterion of the unit, in order."""
        return tuple(k for element in self.elements for k in element.kuk)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStudy:
    """Which KUK a written case study shows and which curricula wait for it."""

    code: str
    gates: tuple[str, ...]
    kuk: tuple[str, ...]
    title: str
    title_en: str
    lesson: str
    """The lesson after which it is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standard:
    """One version of the standard: criteria and the numbers decisions use."""

    version: str
    units: tuple[Unit, ...]
    curricula: Mapping[str, tuple[str, str]]
    """Code to title in Indonesian and English."""
    cases: Mapping[str, CaseStudy]
    simulations: Mapping[str, tuple[str, ...]]
    simulation_titles: Mapping[str, tuple[str, str]]
    """Code to title in Indonesian and English."""
    ratio: tuple[int, int]
    """Non-critical items that must be right: 4 of 5, where a curriculum has no cut of its own."""
    ratios: Mapping[str, tuple[int, int]]
    """Curriculum to its own cut, where it has one; see ratio_of."""
    shown_critical: int
    shown: Mapping[str, int]
    """Items shown for a non-critical KUK, per curriculum."""
    bank_per_shown: int
    wait: Mapping[EvidenceKind, timedelta]
    """Time between two tries."""
    tries_before_coaching: int
    evidence_months: int
    certificate_months: int
    rubric: tuple[str, str, str]
    harmful_acts: Mapping[str, str]
    kuk: Mapping[str, Kuk]

    def find(self, code: str) -> Kuk:
        """Return the KUK of this code. Raises UnknownKuk."""
        try:
            return self.kuk[code]
        except KeyError:
            raise UnknownKuk(code) from None

    def of(self, curriculum: str) -> list[Kuk]:
        """Return the criteria taught by one curriculum, in the order of the standard."""
        return [k for k in self.kuk.values() if k.curriculum == curriculum]

    def ratio_of(self, curriculum: str) -> tuple[int, int]:
        """Return which part of a curriculum's non-critical items must be right: 4 of 5."""
        return self.ratios.get(curriculum, self.ratio)

    def shown_for(self, kuk: Kuk) -> int:
        """Return how many items of this KUK one sitting shows."""
        return self.shown_critical if kuk.critical else self.shown[kuk.curriculum]

    def listing(self, kuk: str) -> list[str]:
        """Return the simulations that list this KUK."""
        return [code for code, listed in self.simulations.items() if kuk in listed]

    def case_of(self, kuk: str) -> CaseStudy | None:
        """Return the one case study that shows this KUK, if any."""
        return next((case for case in self.cases.values() if kuk in case.kuk), None)


def build_standard(document: Mapping[str, Any]) -> Standard:
    """Build the Standard from the validated data of `content/standard.yaml`."""
    rules = document["rules"]
    units = tuple(_build_unit(unit) for unit in document["units"])
    return Standard(
        version=document["version"],
        units=units,
        curricula={c["code"]: (c["title"], c["title_en"]) for c in document["curricula"]},
        cases={
            c["code"]: CaseStudy(
                code=c["code"],
                gates=tuple(c["gates"]),
                kuk=tuple(c["kuk"]),
                title=c["title"],
                title_en=c["title_en"],
                lesson=c["lesson"],
            )
            for c in document["case_studies"]
        },
        simulations={s["code"]: tuple(s["kuk"]) for s in document["simulations"]},
        simulation_titles={s["code"]: (s["title"], s["title_en"]) for s in document["simulations"]},
        ratio=(rules["noncritical_pass"][0], rules["noncritical_pass"][1]),
        ratios={
            code: (cut[0], cut[1]) for code, cut in rules.get("noncritical_pass_of", {}).items()
        },
        shown_critical=document["blueprint"]["shown_critical"],
        shown=dict(document["blueprint"]["shown_noncritical"]),
        bank_per_shown=document["blueprint"]["bank_per_shown"],
        wait={
            EvidenceKind(kind): timedelta(hours=hours)
            for kind, hours in rules["retry_gap_hours"].items()
        },
        tries_before_coaching=rules["tries_before_coaching"],
        evidence_months=rules["evidence_max_age_months"],
        certificate_months=rules["certificate_validity_months"],
        rubric=(rules["rubric"][0], rules["rubric"][1], rules["rubric"][2]),
        harmful_acts=dict(rules["harmful_acts"]),
        kuk={k.code: k for unit in units for k in unit.kuk},
    )


def _build_unit(unit: Mapping[str, Any]) -> Unit:
    return Unit(
        code=unit["code"],
        title=unit["title"],
        title_en=unit["title_en"],
        description=unit["description"],
        law=unit["law"],
        elements=tuple(
            Element(
                code=element["code"],
                title=element["title"],
                title_en=element["title_en"],
                kuk=tuple(
                    Kuk(
                        code=kuk["code"],
                        text=kuk["text"],
                        text_en=kuk["text_en"],
                        critical=kuk["critical"],
                        ev=tuple(EvidenceKind(kind) for kind in kuk["ev"]),
                        curriculum=kuk["curriculum"],
                        attendance=kuk["attendance"],
                    )
                    for kuk in element["kuk"]
                ),
            )
            for element in unit["elements"]
        ),
    )


class Row(NamedTuple):
    """One row of the evidence ledger, as decisions see it."""

    id: int
    kind: EvidenceKind
    kuk: str
    """Empty for HDR, which is about a lesson."""
    source: str
    group: str
    at: datetime
    """When the sitting was submitted, the mark decided, the run finished, the person observed."""
    ref: str = ""
    passed: bool | None = None
    mark: int | None = None
    harmful: bool = False
    replaces: int | None = None
    raters: int = 1
    """How many assessors marked it, each without seeing the other's mark."""
    voided: bool = False
    text: str | None = None
    """The KUK's text when the row was written; None when it was the deciding version's."""


def months_before(moment: datetime, months: int) -> datetime:
    """Return the moment `months` calendar months earlier; the 31st becomes the month's last day."""
    index = moment.year * 12 + moment.month - 1 - months
    year, month = divmod(index, 12)
    for day in range(moment.day, 27, -1):
        try:
            return moment.replace(year=year, month=month + 1, day=day)
        except ValueError:
            continue
    return moment.replace(year=year, month=month + 1)


class Ledger:
    """The rows of one person, ready to be asked. Reads every row once."""

    def __init__(self, standard: Standard, rows: Iterable[Row], at: datetime) -> None:
        self.standard = standard
        self.oldest = months_before(at, standard.evidence_months)
        self._rows: dict[tuple[EvidenceKind, str], list[Row]] = defaultdict(list)
        for row in rows:
            if row.at <= at:
                self._rows[row.kind, row.kuk].append(row)
        self._touched = {kuk for _kind, kuk in self._rows}
        self._n_items: dict[str, tuple[int, int, bool]] = {}
        self._states: dict[tuple[str, EvidenceKind], State] = {}
        self._verdicts: dict[str, Verdict] = {}

    def is_live(self, row: Row) -> bool:
        """Tell whether a row counts: not voided, the KUK reads the same, not too old."""
        kuk = self.standard.kuk.get(row.kuk)
        same = row.text is None or kuk is None or row.text == kuk.text
        return not row.voided and same and row.at >= self.oldest

    def latest(self, kind: EvidenceKind, kuk: str, source: str | None = None) -> list[Row]:
        """Return the live rows of the newest group for this KUK (and source); latest, not best.

        A group is a sitting, a submission, a run or a test round. When its rows are voided or
        too old the answer is empty: an older, better group does not come back.
        """
        rows = self._rows.get((kind, kuk), [])
        if source is not None and rows:
            rows = [row for row in rows if row.source == source]
        if not rows:
            return []
        group = max(rows, key=lambda row: (row.at, row.id)).group
        rows = [row for row in rows if row.group == group]
        replaced = {row.replaces for row in rows}
        return [row for row in rows if self.is_live(row) and row.id not in replaced]

    def attended(self, lesson: str) -> list[Row]:
        """Return the live rows that say the person was at this in-person lesson."""
        rows = [row for row in self._rows[EvidenceKind.HDR, ""] if row.source == lesson]
        return [row for row in rows if self.is_live(row) and row.passed]

    def rows_behind(self, kuk: Kuk, kind: EvidenceKind) -> list[Row]:
        """Return the rows that decide what `kind` says about `kuk`."""
        if kind is EvidenceKind.HDR:
            return self.attended(kuk.attendance)
        if kind is EvidenceKind.SIM:
            return [
                row
                for simulation in self.standard.listing(kuk.code)
                for row in self.latest(kind, kuk.code, simulation)
            ]
        return self.latest(kind, kuk.code)

    def state(self, kuk: Kuk, kind: EvidenceKind) -> State:
        """Return what one kind of evidence says about one KUK."""
        if kuk.code not in self._touched and kind is not EvidenceKind.HDR:
            return State.NONE
        key = (kuk.code, kind)
        if key not in self._states:
            self._states[key] = self._state(kuk, kind)
        return self._states[key]

    def _state(self, kuk: Kuk, kind: EvidenceKind) -> State:
        if kind is EvidenceKind.SIM:
            return self._sim(kuk)
        rows = self.rows_behind(kuk, kind)
        if not rows:
            return State.NONE
        if kind is EvidenceKind.Q:
            if len(rows) < self.standard.shown_for(kuk):
                return State.NONE  # an item was withdrawn: a replacement has to be answered
            return _verdict(all(row.passed for row in rows))
        if kind in (EvidenceKind.SK, EvidenceKind.OBS):
            needed = SAFE_ALONE if kuk.critical else 1
            if any((row.mark or 0) < needed or row.harmful for row in rows):
                return State.FAIL
            # What too few assessors saw is no evidence yet, though it may show what is missing.
            return State.NONE if self.lacks_raters(kuk, rows) else State.PASS
        return _verdict(all(row.passed for row in rows))

    def lacks_raters(self, kuk: Kuk, rows: Iterable[Row]) -> bool:
        """Tell whether any of these rows was marked by fewer assessors than the standard asks."""
        needed = raters_needed(kuk.curriculum)
        return any(row.kind is EvidenceKind.OBS and row.raters < needed for row in rows)

    def _sim(self, kuk: Kuk) -> State:
        """Return what simulations say: safe in every one that lists the KUK."""
        sets = [
            self.latest(EvidenceKind.SIM, kuk.code, simulation)
            for simulation in self.standard.listing(kuk.code)
        ]
        if any(not row.passed or row.harmful for rows in sets for row in rows):
            return State.FAIL
        return State.PASS if sets and all(sets) else State.NONE

    def items(self, curriculum: str) -> tuple[int, int, bool]:
        """Return shown and right non-critical items in the latest sets, and whether none misses."""
        if curriculum not in self._n_items:
            shown = right = 0
            whole = True
            for kuk in self.standard.of(curriculum):
                if kuk.critical or EvidenceKind.Q not in kuk.ev:
                    continue
                rows = self.latest(EvidenceKind.Q, kuk.code)
                shown += len(rows)
                right += sum(bool(row.passed) for row in rows)
                whole = whole and self.state(kuk, EvidenceKind.Q) is not State.NONE
            self._n_items[curriculum] = shown, right, whole
        return self._n_items[curriculum]

    def enough_items(self, curriculum: str) -> bool:
        """Tell whether enough non-critical items are right: 5·right >= 4·shown, in integers.

        The cut may be a curriculum's own: see Standard.ratio_of.
        """
        shown, right, whole = self.items(curriculum)
        numerator, denominator = self.standard.ratio_of(curriculum)
        return whole and denominator * right >= numerator * shown

    def verdict(self, kuk: Kuk) -> Verdict:
        """Return the verdict of one KUK. Source: decision rules 4."""
        if kuk.code not in self._verdicts:
            states = {kind: self.state(kuk, kind) for kind in kuk.ev}
            self._verdicts[kuk.code] = (
                self._critical(states) if kuk.critical else self._other(kuk, states)
            )
        return self._verdicts[kuk.code]

    @staticmethod
    def _critical(states: Mapping[EvidenceKind, State]) -> Verdict:
        if State.FAIL in states.values():
            return Verdict.NOT_YET
        if State.NONE in states.values():
            return Verdict.NO_EVIDENCE
        return Verdict.REACHED

    def _other(self, kuk: Kuk, states: Mapping[EvidenceKind, State]) -> Verdict:
        kinds = EvidenceKind
        if State.FAIL in (states.get(kinds.SK), states.get(kinds.OBS)):
            return Verdict.NOT_YET
        needed = {kinds.Q, kinds.SK, kinds.REF, kinds.HDR}
        if kuk.curriculum == "T":
            needed.add(kinds.OBS)
        if any(states[kind] is State.NONE for kind in needed & states.keys()):
            return Verdict.NO_EVIDENCE
        if State.FAIL in (states.get(kinds.Q), states.get(kinds.SIM)):
            if self.enough_items(kuk.curriculum):
                return Verdict.COMPENSATED
            if states.get(kinds.Q) is State.FAIL:
                return Verdict.NOT_YET
        return Verdict.REACHED

    def case_met(self, case: CaseStudy) -> bool:
        """Tell whether a case study is "memenuhi": every K marked 2 and no other marked 0."""
        return all(
            self.state(self.standard.find(code), EvidenceKind.SK) is State.PASS for code in case.kuk
        )


def _verdict(passed: bool) -> State:
    return State.PASS if passed else State.FAIL


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """What a scheme asks for. Data: content/schemes.yaml."""

    scheme: str
    curricula: tuple[str, ...]
    in_person: tuple[str, ...]
    """Lessons the person must have attended."""
    holds: tuple[str, ...] = ()
    """Schemes the person must already hold a valid certificate of."""


class MissingKind(StrEnum):
    """What sort of thing is still missing."""

    RATERS = "raters"
    """A criterion was observed by fewer assessors than the standard asks."""
    APPEAL = "appeal"
    """The person asked for a mark of this criterion to be looked at again; it is not answered."""

    KUK = "kuk"
    ITEMS = "items"
    CASE = "case"
    ATTENDANCE = "attendance"
    HOLDS = "holds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """One thing that stands between a person and a certificate, and where it is."""

    kind: MissingKind
    code: str
    """KUK, curriculum, case study, lesson or scheme, as `kind` says."""
    states: Mapping[EvidenceKind, State]
    """For a KUK: what each kind of evidence says. Otherwise empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the evidence allows on one day. `missing` is empty exactly when it is `ready`."""

    verdicts: Mapping[str, Verdict]
    evidence: Mapping[str, tuple[int, ...]]
    """Ids of the rows behind each KUK, and behind each attended lesson."""
    missing: tuple[Missing, ...]

    @property
    def ready(self) -> bool:
        """Tell whether a trainer may sign."""
        return not self.missing


def verdicts(
    standard: Standard, rows: Iterable[Row], at: datetime, only: Iterable[Kuk] | None = None
) -> dict[str, Verdict]:
    """Return the verdict of every KUK of the standard, or `only` of some, for one person."""
    ledger = Ledger(standard, rows, at)
    asked = standard.kuk.values() if only is None else only
    return {kuk.code: ledger.verdict(kuk) for kuk in asked}


def kuk_behind(standard: Standard, asked: Iterable[Kuk]) -> set[str]:
    """Return the KUK whose rows the verdicts on `asked` rest on: also the items of their ratio."""
    asked = list(asked)
    curricula = {kuk.curriculum for kuk in asked}
    items = (k for one in curricula for k in standard.of(one) if EvidenceKind.Q in k.ev)
    return {kuk.code for kuk in asked} | {kuk.code for kuk in items if not kuk.critical}


def judge(
    standard: Standard,
    rows: Iterable[Row],
    requirement: Requirement,
    at: datetime,
    *,
    holds: frozenset[str] = frozenset(),
    appeals: frozenset[str] = frozenset(),
) -> Judgement:
    """Judge one person against one scheme. `holds` are schemes with a certificate valid `at`.

    `appeals` are the KUK with an appeal that is not answered: they hold the decision.
    """
    return judge_by(Ledger(standard, rows, at), requirement, holds=holds, appeals=appeals)


def judge_by(
    ledger: Ledger,
    requirement: Requirement,
    *,
    holds: frozenset[str] = frozenset(),
    appeals: frozenset[str] = frozenset(),
) -> Judgement:
    """Judge one person whose rows are read already; see judge."""
    standard = ledger.standard
    asked = [kuk for code in requirement.curricula for kuk in standard.of(code)]
    found = {kuk.code: ledger.verdict(kuk) for kuk in asked}
    missing = [
        Missing(
            kind=MissingKind.KUK,
            code=kuk.code,
            states={kind: ledger.state(kuk, kind) for kind in kuk.ev},
        )
        for kuk in asked
        if not found[kuk.code].reached
    ]
    missing += _missing_gates(ledger, requirement, holds)
    missing += _missing_people(ledger, asked, appeals)
    evidence = {
        kuk.code: tuple(row.id for kind in kuk.ev for row in ledger.rows_behind(kuk, kind))
        for kuk in asked
    }
    evidence |= {
        lesson: tuple(row.id for row in ledger.attended(lesson)) for lesson in requirement.in_person
    }
    return Judgement(verdicts=found, evidence=evidence, missing=tuple(missing))


def _missing_gates(
    ledger: Ledger, requirement: Requirement, holds: frozenset[str]
) -> list[Missing]:
    """Return what is missing beside single criteria: items, cases, attendance, certificates."""
    asked = set(requirement.curricula)
    missing: list[tuple[MissingKind, str]] = [
        (MissingKind.ITEMS, code) for code in requirement.curricula if not ledger.enough_items(code)
    ]
    missing += [
        (MissingKind.CASE, case.code)
        for case in ledger.standard.cases.values()
        if asked & set(case.gates) and not ledger.case_met(case)
    ]
    missing += [
        (MissingKind.ATTENDANCE, lesson)
        for lesson in requirement.in_person
        if not ledger.attended(lesson)
    ]
    missing += [(MissingKind.HOLDS, code) for code in requirement.holds if code not in holds]
    return [Missing(kind=kind, code=code, states={}) for kind, code in missing]


def _missing_people(
    ledger: Ledger, asked: Iterable[Kuk], appeals: frozenset[str]
) -> Iterator[Missing]:
    """Yield what waits for somebody: a second assessor, or the answer to an appeal."""
    for kuk in asked:
        rows = ledger.latest(EvidenceKind.OBS, kuk.code)
        if EvidenceKind.OBS in kuk.ev and ledger.lacks_raters(kuk, rows):
            yield Missing(kind=MissingKind.RATERS, code=kuk.code, states={})
        if kuk.code in appeals:
            yield Missing(kind=MissingKind.APPEAL, code=kuk.code, states={})


def quiz_scope(
    standard: Standard, curriculum: str, rows: Iterable[Row], at: datetime
) -> tuple[str, ...]:
    """Return the KUK the next sitting shows; empty when the quiz is passed.

    At first everything with Q. Later only critical KUK that are open, and the others again when
    too few items are right, or those whose item was withdrawn. Source: decision rules 7.
    """
    return open_in_quiz(Ledger(standard, rows, at), curriculum)


def open_in_quiz(ledger: Ledger, curriculum: str) -> tuple[str, ...]:
    """Return the same of a ledger at hand."""
    standard = ledger.standard
    asked = [kuk for kuk in standard.of(curriculum) if EvidenceKind.Q in kuk.ev]
    states = {kuk.code: ledger.state(kuk, EvidenceKind.Q) for kuk in asked}
    shown, right, _whole = ledger.items(curriculum)
    numerator, denominator = standard.ratio_of(curriculum)
    all_others = denominator * right < numerator * shown
    return tuple(
        kuk.code
        for kuk in asked
        if (states[kuk.code] is not State.PASS if kuk.critical else all_others)
        or states[kuk.code] is State.NONE
    )


class TryState(StrEnum):
    """Whether another try may begin."""

    OPEN = "open"
    WAIT = "wait"
    COACHING = "coaching"


@dataclass(frozen=True, slots=True)
class NextTry:
    """Whether the next try may begin, and when, if it is only a matter of time."""

    state: TryState
    at: datetime | None
    number: int


def next_try(
    standard: Standard,
    kind: EvidenceKind,
    tries: Sequence[datetime],
    coached: Sequence[datetime],
    now: datetime,
) -> NextTry:
    """Say when the next try may begin. `tries` are the moments finished tries were handed in.

    After three tries without success a trainer's guidance opens the next one; guidance resets the
    count. Source: decision rules 7.
    """
    number = len(tries) + 1
    if not tries:
        return NextTry(TryState.OPEN, None, number)
    last = max(tries)
    since = max(coached, default=None)
    counted = [at for at in tries if since is None or at > since]
    if len(counted) >= standard.tries_before_coaching:
        return NextTry(TryState.COACHING, None, number)
    opens = last + standard.wait.get(kind, timedelta(0))
    if now < opens:
        return NextTry(TryState.WAIT, opens, number)
    return NextTry(TryState.OPEN, None, number)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one person stands, in so few figures that many people fit on a page.

    It says nothing that the ledger does not say; decisions never read it.
    """

    units: Mapping[str, tuple[int, int, int]]
    """Number of a unit to criteria reached, criteria in all, critical ones that are open."""
    not_yet: tuple[str, ...] = ()
    """KUK that were tried and are not reached."""
    complete: tuple[str, ...] = ()
    """Curricula of which every KUK is reached, with enough items right and every case met."""
    attended: tuple[str, ...] = ()
    """Lessons attended."""
    open_quizzes: tuple[str, ...] = ()
    """Curricula whose quiz has something left to ask."""
    observed: bool = False
    """Whether a station was ever marked."""
    reached: int = 0
    """Of the companion's criteria."""
    total: int = 0

    def is_ready(self, asked: Requirement, holds: frozenset[str]) -> bool:
        """Tell whether nothing is missing for a scheme; agrees with Judgement.ready."""
        return (
            set(asked.curricula) <= set(self.complete)
            and set(asked.in_person) <= set(self.attended)
            and set(asked.holds) <= holds
        )


def standing(standard: Standard, rows: Sequence[Row], at: datetime) -> Standing:
    """Return how one person stands."""
    ledger = Ledger(standard, rows, at)
    found = {code: ledger.verdict(kuk) for code, kuk in standard.kuk.items()}
    own = [kuk for kuk in standard.kuk.values() if kuk.curriculum != TRAINER_CURRICULUM]
    return Standing(
        units={
            unit.number: (
                sum(found[kuk.code].reached for kuk in unit.kuk),
                len(unit.kuk),
                sum(kuk.critical and not found[kuk.code].reached for kuk in unit.kuk),
            )
            for unit in standard.units
        },
        not_yet=tuple(code for code, verdict in found.items() if verdict is Verdict.NOT_YET),
        complete=tuple(code for code in standard.curricula if _is_complete(ledger, found, code)),
        attended=tuple(
            sorted(
                lesson
                for lesson in {row.source for row in rows if row.kind is EvidenceKind.HDR}
                if ledger.attended(lesson)
            )
        ),
        open_quizzes=tuple(code for code in standard.curricula if open_in_quiz(ledger, code)),
        observed=any(row.kind is EvidenceKind.OBS for row in rows),
        reached=sum(found[kuk.code].reached for kuk in own),
        total=len(own),
    )


def _is_complete(ledger: Ledger, found: Mapping[str, Verdict], curriculum: str) -> bool:
    return (
        all(found[kuk.code].reached for kuk in ledger.standard.of(curriculum))
        and ledger.enough_items(curriculum)
        and all(
            ledger.case_met(case)
            for case in ledger.standard.cases.values()
            if curriculum in case.gates
        )
    )


INSTANT = timedelta(microseconds=1)
"""The smallest step of time there is here."""


def next_change(standard: Standard, rows: Iterable[Row], at: datetime) -> datetime | None:
    """Return the first moment after `at` at which time alone may change a verdict, if any.

    Never too late; around the end of a month sometimes too early.
    """
    moments = [
        moment
        for row in rows
        if not row.voided
        for moment in (row.at, *_turns(row.at, standard.evidence_months))
    ]
    return min((moment for moment in moments if moment > at), default=None)


def _turns(moment: datetime, months: int) -> list[datetime]:
    """Return when `moment` may begin or cease to be at most so many months ago."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    first = moment.replace(year=year, month=month + 1, day=1)
    if moment.day < 28:
        return [first.replace(day=moment.day) + INSTANT]
    # months_before() gives the last days of a month to one day of a shorter one: looked at from
    # there, time jumps at midnight.
    days = [first + timedelta(days=n) for n in range(27, 32)]
    return [day + INSTANT for day in days] + [
        day.replace(hour=0, minute=0, second=0, microsecond=0) for day in days
    ]
