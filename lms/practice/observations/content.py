"""Reads `content/<curriculum>/stations.yaml`: the stations of the final observation test."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from lms.competency.content import KukSpec, StandardSpec
from lms.competency.rules import EvidenceKind
from lms.core.content import Problem, Review, Source, Spec, Unreadable, read_yaml, validate

VARIANTS = ["A", "B"]
LEVELS = ["0", "1", "2"]
Text = Annotated[str, Field(min_length=3)]


class VariantSpec(Spec):
    """One story: what the participant hears, and the card of whoever plays opposite."""

    code: str
    scenario: Text
    role_card: Text


class IndicatorSpec(Spec):
    """What the three levels of one criterion look like."""

    kuk: str
    levels: dict[str, list[Text]]


class StationSpec(Spec):
    """One station of the test."""

    code: str = Field(pattern=r"^[A-Z0-9]{1,10}$")
    title: Text
    title_en: Text
    minutes: int = Field(ge=1, le=60)
    kuk: list[str] = Field(min_length=1)
    variants: list[VariantSpec]
    indicators: list[IndicatorSpec]
    harmful_acts: list[str] = Field(min_length=1)
    review: Review


class StationsSpec(Spec):
    """One stations.yaml."""

    stations: list[StationSpec] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class PlacedStation:
    """One station and the curriculum it belongs to."""

    curriculum: str
    spec: StationSpec


def check(directory: Path, standard: StandardSpec) -> tuple[list[PlacedStation], list[Problem]]:
    """Read and check the stations of every curriculum. Raises core.content.Unreadable."""
    placed: list[PlacedStation] = []
    problems: list[Problem] = []
    codes: Counter[str] = Counter()
    for path in sorted(directory.glob("*/curriculum.yaml")):
        try:
            head = read_yaml(path)
        except Unreadable:
            continue  # the check of the lessons says so
        curriculum = str(head.data.get("code", "")) if isinstance(head.data, dict) else ""
        found, wrong = _check_folder(path.parent, curriculum, head, standard, codes)
        placed += [PlacedStation(curriculum, spec) for spec in found]
        problems += wrong
    return placed, problems


def _check_folder(
    folder: Path, curriculum: str, head: Source, standard: StandardSpec, codes: Counter[str]
) -> tuple[list[StationSpec], list[Problem]]:
    kuk = {k.code: k for u in standard.units for e in u.elements for k in e.kuk}
    needed = [k for k in kuk.values() if k.curriculum == curriculum and _is_needed(k)]
    if isinstance(head.data, dict) and head.data.get("status") == "draft":
        needed = []  # the list of holes says it
    path = folder / "stations.yaml"
    if not path.exists():
        missing = f"stations.yaml is missing: {', '.join(k.code for k in needed)} need OBS"
        return [], ([head.problem(missing)] if needed else [])
    source = read_yaml(path)
    file, problems = validate(StationsSpec, source)
    if file is None:
        return [], problems
    listed = Counter(code for station in file.stations for code in station.kuk)
    for criterion in needed:
        if not listed[criterion.code]:
            text = f"critical KUK {criterion.code} has OBS but is in no station"
            problems.append(source.problem(text, "stations"))
    for n, station in enumerate(file.stations):
        codes[station.code] += 1
        if codes[station.code] > 1:
            text = f"station {station.code} appears twice"
            problems.append(source.problem(text, "stations", n, "code"))
        problems += _check_kuk(source, n, station, curriculum, kuk, listed)
        problems += _check_parts(source, n, station, standard)
    return file.stations, problems


def _is_needed(kuk: KukSpec) -> bool:
    return kuk.critical and EvidenceKind.OBS in kuk.ev


def _check_kuk(
    source: Source,
    n: int,
    station: StationSpec,
    curriculum: str,
    known: dict[str, KukSpec],
    listed: Counter[str],
) -> Iterator[Problem]:
    for k, code in enumerate(station.kuk):
        if code not in known:
            text = f"the standard has no KUK {code}"
        elif known[code].curriculum != curriculum:
            text = f"KUK {code} belongs to {known[code].curriculum}"
        elif EvidenceKind.OBS not in known[code].ev:
            text = f"KUK {code} has no OBS in the standard"
        elif listed[code] > 1:
            text = f"KUK {code} is observed {listed[code]} times; once is right"
        else:
            continue
        yield source.problem(text, "stations", n, "kuk", k)


def _check_parts(
    source: Source, n: int, station: StationSpec, standard: StandardSpec
) -> Iterator[Problem]:
    """Check the stories, the indicators and the harmful acts of one station."""
    if [variant.code for variant in station.variants] != VARIANTS:
        text = f"station {station.code} needs two stories, A and B"
        yield source.problem(text, "stations", n, "variants")
    described = Counter(indicator.kuk for indicator in station.indicators)
    for code in sorted({*station.kuk, *described}):
        if described[code] != 1 or code not in station.kuk:
            text = f"KUK {code} needs its indicators exactly once, in the station that shows it"
            yield source.problem(text, "stations", n, "indicators")
    for i, indicator in enumerate(station.indicators):
        if sorted(indicator.levels) != LEVELS or not all(indicator.levels.values()):
            text = f"KUK {indicator.kuk} needs indicators for the levels 0, 1 and 2"
            yield source.problem(text, "stations", n, "indicators", i, "levels")
    for h, act in enumerate(station.harmful_acts):
        if act not in standard.rules.harmful_acts or act in station.harmful_acts[:h]:
            text = f"{act} is not a harmful act of the standard, or stands here twice"
            yield source.problem(text, "stations", n, "harmful_acts", h)
