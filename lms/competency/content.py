"""Reads `content/standard.yaml`."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer

from lms.competency.rules import DIRECT, EvidenceKind
from lms.core.content import Problem, Source, Spec, read_yaml, validate


class KukSpec(Spec):
    """One criterion."""

    code: str
    critical: bool
    text: str
    text_en: str
    ev: list[EvidenceKind]
    curriculum: str
    attendance: str


class ElementSpec(Spec):
    """One elemen."""

    code: str
    title: str
    title_en: str
    kuk: list[KukSpec]


class UnitSpec(Spec):
    """One unit."""

    code: str
    title: str
    title_en: str
    description: str
    law: str
    elements: list[ElementSpec]


class CodeTitle(Spec):
    """A code and its title."""

    code: str
    title: str
    title_en: str = ""


class RulesSpec(Spec):
    """The numbers decisions use."""

    noncritical_pass: tuple[int, int]
    noncritical_pass_of: dict[str, tuple[int, int]] = Field(default_factory=dict)
    """Curriculum to its own cut, as a panel signed it; the others have the common one."""
    rubric: tuple[str, str, str]
    retry_gap_hours: dict[EvidenceKind, int]
    tries_before_coaching: int
    evidence_max_age_months: int
    certificate_validity_months: int
    policy_not_law: list[str]
    harmful_acts: dict[str, str]

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what is not used: a text from before it was known keeps its digest."""
        document: dict[str, Any] = write(self)
        if not self.noncritical_pass_of:
            del document["noncritical_pass_of"]
        return document


class BlueprintSpec(Spec):
    """How many items a sitting shows and a bank holds."""

    shown_critical: int
    shown_noncritical: dict[str, int]
    bank_per_shown: int


class SimulationSpec(Spec):
    """Which KUK a simulation lists."""

    code: str
    title: str
    title_en: str
    kuk: list[str]


class CaseStudySpec(Spec):
    """Which KUK a case study shows, which curricula wait for it, where it is done."""

    code: str
    title: str
    title_en: str
    gates: list[str]
    lesson: str
    kuk: list[str]


class StandardSpec(Spec):
    """The whole standard."""

    version: str
    status: Literal["draft", "adopted"]
    curricula: list[CodeTitle]
    evidence: list[CodeTitle]
    rules: RulesSpec
    blueprint: BlueprintSpec
    simulations: list[SimulationSpec]
    case_studies: list[CaseStudySpec]
    units: list[UnitSpec]


def check(directory: Path) -> tuple[StandardSpec | None, list[Problem]]:
    """Read and check the standard. Raises core.content.Unreadable."""
    source = read_yaml(directory / "standard.yaml")
    spec, problems = validate(StandardSpec, source)
    if spec is None:
        return None, problems
    problems = [
        *_check_cuts(spec, source),
        *_check_kuk(spec, source),
        *_check_lists(spec, source),
    ]
    return (None if problems else spec), problems


def _check_cuts(spec: StandardSpec, source: Source) -> list[Problem]:
    """Name each cut that is no part of a whole, or of a curriculum that is not there."""
    known = {c.code for c in spec.curricula}
    common = {"": spec.rules.noncritical_pass}
    problems = []
    for code, (right, shown) in (common | spec.rules.noncritical_pass_of).items():
        name = "noncritical_pass_of" if code else "noncritical_pass"
        place = ("rules", name, code) if code else ("rules", name)
        if code and code not in known:
            problems.append(source.problem(f"unknown curriculum {code}", *place))
        if not 0 < right <= shown:
            problems.append(source.problem(f"{name}: {right} of {shown} is no cut", *place))
    return problems


def _check_kuk(spec: StandardSpec, source: Source) -> list[Problem]:
    problems, seen = [], set()
    curricula = {c.code for c in spec.curricula}
    for u, unit in enumerate(spec.units):
        for e, element in enumerate(unit.elements):
            for k, kuk in enumerate(element.kuk):
                place = ("units", u, "elements", e, "kuk", k)
                wrong = [
                    (kuk.code in seen, f"KUK {kuk.code} appears twice"),
                    (kuk.curriculum not in curricula, f"unknown curriculum {kuk.curriculum}"),
                    (not kuk.code.startswith(element.code), f"{kuk.code} is not in {element.code}"),
                    (
                        kuk.critical and not set(kuk.ev) & set(DIRECT),
                        f"critical KUK {kuk.code} needs direct evidence (SIM, OBS or SK)",
                    ),
                    (
                        (EvidenceKind.HDR in kuk.ev) != bool(kuk.attendance),
                        f"KUK {kuk.code}: `attendance` names a lesson exactly when ev has HDR",
                    ),
                ]
                problems += [source.problem(text, *place) for bad, text in wrong if bad]
                seen.add(kuk.code)
    return problems


def _check_lists(spec: StandardSpec, source: Source) -> list[Problem]:
    """Every KUK with SK stands in exactly one case, every KUK with SIM in a simulation."""
    all_kuk = [k for u in spec.units for e in u.elements for k in e.kuk]
    known = {k.code for k in all_kuk}
    problems = []
    lists = [("simulations", n, s.code, s.kuk) for n, s in enumerate(spec.simulations)]
    lists += [("case_studies", n, c.code, c.kuk) for n, c in enumerate(spec.case_studies)]
    for kind, n, name, listed in lists:
        problems += [
            source.problem(f"{name}: unknown KUK {code}", kind, n)
            for code in listed
            if code not in known
        ]
    in_cases = [code for case in spec.case_studies for code in case.kuk]
    in_simulations = {code for simulation in spec.simulations for code in simulation.kuk}
    for kuk in all_kuk:
        if (EvidenceKind.SK in kuk.ev) != (in_cases.count(kuk.code) == 1):
            problems.append(source.problem(f"KUK {kuk.code} must be in exactly one case study"))
        if EvidenceKind.SIM in kuk.ev and kuk.code not in in_simulations:
            problems.append(source.problem(f"KUK {kuk.code} is in no simulation"))
    return problems
