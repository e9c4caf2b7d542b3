"""Puts the facts of an issue on paper: the door to `certificates.document` and `.layout`."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from certificates.document import MOST_TRAINERS, Certificate, InvalidCertificate, Language, UnitLine
from lms.competency.rules import Standard, Unit, Verdict
from lms.core.errors import DomainError
from lms.credentials.rules import SchemeText

IN_PERSON: dict[Language, tuple[str, str]] = {
    "id": ("Pertemuan tatap muka", "Hadir"),
    "en": ("In-person meetings", "Attended"),
}
"""The row of the transcript that is no unit: its title and its mark."""
DRAFT = "-draft"
"""How the version of a standard ends in its file while it is written."""
NO_UNIT = "–"
"""Stands where a unit has its code."""


class DoesNotFitOnPaper(DomainError):
    """The letterhead, a name or the address of the installation cannot be printed; says which."""


@dataclass(frozen=True, slots=True)
class UnitResult:
    """How many criteria of one unit a person has reached, of those a scheme asks for."""

    unit: Unit
    reached: int
    total: int
    jp: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """What the class lends to its papers."""

    letterhead: tuple[str, ...]
    started_on: date
    ended_on: date
    place: str
    signatory_title: str
    signatory_name: str
    signatory_number: str
    trainers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What tells one certificate from another."""

    number: str
    code: str
    base_url: str
    holder_name: str
    issued_on: date
    valid_until: date


def unit_results(
    standard: Standard, scheme: SchemeText, verdicts: Mapping[str, Verdict]
) -> list[UnitResult]:
    """Return the units a scheme touches, in the order of the standard."""
    results = []
    for unit in standard.units:
        asked = [kuk.code for kuk in unit.kuk if kuk.curriculum in scheme.curricula]
        if asked:
            reached = sum(verdicts[code].reached for code in asked)
            results.append(
                UnitResult(unit, reached, len(asked), scheme.unit_jp.get(unit.number, 0))
            )
    return results


def write(
    *,
    scheme: SchemeText,
    standard: Standard,
    is_draft: bool,
    verdicts: Mapping[str, Verdict],
    issuer: Issuer,
    identity: Identity,
    language: Language,
    sample: bool,
) -> Certificate:
    """Return everything both pages print. Raises DoesNotFitOnPaper."""
    indonesian = language == "id"
    try:
        return Certificate(
            number=identity.number,
            code=identity.code,
            verify_url=_address(identity.base_url, identity.code),
            language=language,
            issuer_lines=issuer.letterhead,
            holder_name=identity.holder_name,
            scheme_title=scheme.title if indonesian else scheme.title_en,
            training_title=scheme.training_title if indonesian else scheme.training_title_en,
            started_on=issuer.started_on,
            ended_on=issuer.ended_on,
            jp=scheme.jp,
            issued_on=identity.issued_on,
            valid_until=identity.valid_until,
            place=issuer.place,
            signatory_title=issuer.signatory_title,
            signatory_name=issuer.signatory_name,
            signatory_number=issuer.signatory_number or None,
            units=tuple(_lines(unit_results(standard, scheme, verdicts), scheme, language)),
            standard_version=_named(standard.version, is_draft=is_draft),
            standard_is_draft=is_draft,
            law_checked_on=scheme.law_checked_on,
            trainers=issuer.trainers[:MOST_TRAINERS],
            sample=sample,
        )
    except InvalidCertificate as error:
        raise DoesNotFitOnPaper(str(error)) from error


def _named(version: str, *, is_draft: bool) -> str:
    """Return the version as papers name it: what was adopted is no draft, whatever its file says.

    Files name a version `0.2-draft` while it is written; the same text is then adopted as `0.2`.
    """
    return version if is_draft else version.removesuffix(DRAFT)


def correct(paper: Certificate, *, code: str, base_url: str, holder_name: str) -> Certificate:
    """Return the same paper with another name and its own code. Raises DoesNotFitOnPaper."""
    try:
        return replace(
            paper, code=code, verify_url=_address(base_url, code), holder_name=holder_name
        )
    except InvalidCertificate as error:
        raise DoesNotFitOnPaper(str(error)) from error


def read(snapshot: Mapping[str, object]) -> Certificate:
    """Return the paper behind a stored snapshot."""
    return Certificate.from_dict(snapshot)


def draw(paper: Certificate) -> tuple[bytes, str]:
    """Return the bytes of the PDF and their SHA-256."""
    from certificates.layout import render  # loads reportlab: not at start

    body = render(paper)
    return body, hashlib.sha256(body).hexdigest()


def warm_up() -> None:
    """Load what draws papers, so that no transaction has to wait for it."""
    import certificates.layout  # noqa: F401  # loads reportlab


def units_on(paper: Certificate) -> list[UnitLine]:
    """Return the units on a paper, without the row of the meetings."""
    return [line for line in paper.units if line.code != NO_UNIT]


def _address(base_url: str, code: str) -> str:
    return f"{base_url.rstrip('/')}/c/{code}"


def _lines(
    results: Iterable[UnitResult], scheme: SchemeText, language: Language
) -> Iterable[UnitLine]:
    for result in results:
        yield UnitLine(
            code=result.unit.code,
            title=result.unit.title if language == "id" else result.unit.title_en,
            jp=result.jp,
            mark=f"{result.reached}/{result.total} KUK",
            achieved=result.reached == result.total,
        )
    if scheme.in_person_jp:
        title, mark = IN_PERSON[language]
        yield UnitLine(code=NO_UNIT, title=title, jp=scheme.in_person_jp, mark=mark, achieved=True)
