"""Comparing papers with the register, one or a list of them. Services flush."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from certificates import codes
from lms.agencies.rules import Asked
from lms.cohorts import organisations
from lms.cohorts.models import Part
from lms.credentials import register
from lms.credentials.models import Method
from lms.credentials.register import Found


@dataclass(frozen=True, slots=True)
class Answer:
    """What an officer is told about one paper; `found` is None when nothing fits."""

    found: Found | None
    matched: bool
    by_code: bool = False
    """Whether the officer knew the code; who asked by number is not told it."""

    @property
    def name(self) -> str:
        """The holder's name as the officer may see it."""
        if self.found is None:
            return ""
        return self.found.entry.holder_name if self.matched else self.found.entry.masked_name


@dataclass(frozen=True, slots=True)
class _Looked:
    """Which papers an answer looked at, and how."""

    found: Sequence[Found]
    method: Method
    matched: bool


def check(officer_id: int, *, asked: str, name: str, now: datetime) -> Answer:
    """Compare a paper's code or number and name with the register and note the look. Flushes.

    A code is proof of having seen the paper, so its status is told whatever the name. A number can
    be guessed: without the right name it is answered like one that does not exist. Every holder
    whose paper was asked for sees that it was.
    """
    by_code = register.find_by_code(asked, now)
    numbered = [] if by_code else register.list_by_number(asked, now)
    answer, looked = _settle(name, by_code, numbered)
    _note(officer_id, [looked], now)
    return answer


def check_list(officer_id: int, rows: Sequence[Asked], *, now: datetime) -> list[Answer]:
    """Compare a list of papers with the register, in the order of its rows. Flushes.

    Each is answered as `check` does; whoever stands there twice sees one look.
    """
    found = register.find_many((row.code for row in rows if row.code), now)
    by_code = {one.entry.code: one for one in found}
    by_number: dict[str, list[Found]] = defaultdict(list)
    for one in found:
        by_number[one.entry.number].append(one)
    answers, looks = [], []
    for row in rows:
        plain = "".join(row.code.split())
        spellings = dict.fromkeys([row.code, plain, plain.upper()])
        answer, looked = _settle(
            row.name,
            by_code.get(codes.normalise(row.code) or ""),
            [one for spelling in spellings for one in by_number.get(spelling, ())],
        )
        answers.append(answer)
        looks.append(looked)
    _note(officer_id, looks, now)
    return answers


def _settle(name: str, by_code: Found | None, numbered: Sequence[Found]) -> tuple[Answer, _Looked]:
    if by_code is not None:
        matched = by_code.entry.is_held_by(name)
        return Answer(by_code, matched, by_code=True), _Looked([by_code], Method.CODE, matched)
    fitting = [candidate for candidate in numbered if candidate.entry.is_held_by(name)]
    looked = _Looked(fitting[-1:] or numbered, Method.NUMBER, bool(fitting))
    return Answer(fitting[-1] if fitting else None, bool(fitting)), looked


def _note(officer_id: int, looks: Iterable[_Looked], now: datetime) -> None:
    """Write down every look, each once."""
    seen: dict[tuple[Method, bool], dict[int, None]] = defaultdict(dict)
    for look in looks:
        for one in look.found:
            seen[look.method, look.matched][one.entry.id] = None
    asks_for = organisations.organisations_of(officer_id, Part.OFFICER)
    for (method, matched), certificate_ids in seen.items():
        register.record_looks(
            certificate_ids,
            viewer_id=officer_id,
            organisation_id=asks_for[0].id if asks_for else None,
            method=method,
            matched=matched,
            now=now,
        )


def count(answers: Iterable[Answer]) -> Counter[str]:
    """Count answers by status; `none` where nothing fits, `other` where the name does not."""
    found = Counter[str]()
    for answer in answers:
        found[answer.found.entry.status.value if answer.found else "none"] += 1
        found["other"] += answer.found is not None and not answer.matched
    return found
