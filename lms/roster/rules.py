"""Which columns of a sheet say what, what may be kept of it, and what is wrong with a row. Pure."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from lms.core.errors import DomainError

MOST_ROWS = 500
"""People of one batch: twenty classes of 25. They are written in one unit of work."""
DRAFT_LIFE = timedelta(hours=24)
UNDO_LIFE = timedelta(hours=24)
ROWS_LIFE = timedelta(days=7)
"""How long the rows of a confirmed batch are kept, so that its result can be looked up."""
LONGEST_NAME, LONGEST_EMAIL, LONGEST_TEXT = 120, 200, 120
LONGEST_HEADING, MOST_HEADINGS = 60, 30
HEADING_WITHIN = 10
"""Lines from the top in which the headings must stand; above them there may be a title."""
IDENTITY_DIGITS = 8
"""A name has no number of so many digits. NIK and family card have 16, NIP 18, telephones 10–13."""
EMAIL = re.compile(r"[^@\s,;<>()\"]+@[^@\s,;<>()\"]+\.[^@\s.,;<>()\"]+")

LONG_NUMBER = re.compile(rf"\d(?:[\s.,/_\-]{{0,2}}\d){{{IDENTITY_DIGITS - 1},}}")
IDENTITY_IN_ADDRESS = re.compile(r"\d(?:(?:[^\w@]|_){0,2}\d){14,}")
"""Telephone numbers stand in addresses; they have at most 14 digits, a NIK has 16."""

NAME_WORDS = frozenset(
    {"nama", "name", "lengkap", "peserta", "calon", "pendamping", "petugas", "kader", "orang"}
    | {"dan", "gelar", "yang", "diusulkan", "full", "participant"}
)
NAME_HEADINGS = frozenset({"peserta", "participant", "nama sesuai ktp", "nama menurut ktp"})
EMAIL_WORDS = frozenset({"email", "surel", "posel"})
PLACE_WORDS = frozenset(
    {"instansi", "lembaga", "organisasi", "kantor", "asal", "organisation", "organization"}
    | {"agency", "institution", "pengutus", "utusan"}
)
PLACE_HEADINGS = frozenset({"unit kerja", "satuan kerja", "tempat tugas", "skpd", "opd"})
SECRET_WORDS = frozenset({"nik", "ktp", "kk", "nip", "npwp", "paspor", "passport"})
SECRET_HEADINGS = frozenset({"nomor induk kependudukan", "identity number", "id number"})


class NoColumns(DomainError):
    """The sheet does not tell its columns: `email` when only that heading is missing, else ``."""


class TooManyRows(DomainError):
    """The sheet has more people than one batch takes."""


class Problem(StrEnum):
    """What is wrong with a row, or worth knowing about it."""

    NO_NAME = "no_name"
    LONG_NAME = "long_name"
    NO_EMAIL = "no_email"
    BAD_EMAIL = "bad_email"
    NO_ORGANISATION = "no_organisation"
    UNKNOWN_ORGANISATION = "unknown_organisation"
    AMBIGUOUS_ORGANISATION = "ambiguous_organisation"
    OTHER_ORGANISATION = "other_organisation"
    """An officer nominates people of their own agency only."""
    SAME_ADDRESS = "same_address"
    SEATED = "seated"
    INVITED = "invited"
    NOMINATED = "nominated"
    NO_SEAT = "no_seat"
    """The class took no more, nor does it keep a waiting list."""
    OTHER_NAME = "other_name"
    SAME_NAME = "same_name"
    SCRUBBED = "scrubbed"
    OVER_QUOTA = "over_quota"


STOPS = frozenset(
    {Problem.NO_NAME, Problem.LONG_NAME, Problem.NO_EMAIL, Problem.BAD_EMAIL}
    | {Problem.NO_ORGANISATION, Problem.UNKNOWN_ORGANISATION, Problem.AMBIGUOUS_ORGANISATION}
    | {Problem.OTHER_ORGANISATION}
)
"""Somebody has to correct the row, choose, or skip it."""
CLOSES = frozenset(
    {Problem.SAME_ADDRESS, Problem.SEATED, Problem.INVITED, Problem.NOMINATED, Problem.NO_SEAT}
)
"""Nothing is sent, and nothing needs to be done."""


class Standing(StrEnum):
    """What would become of a row if its batch were confirmed now."""

    READY = "ready"
    ASK = "ask"
    OUT = "out"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Columns:
    """Where in a line what stands; None where the sheet has no such column."""

    name: int
    email: int
    organisation: int | None
    ignored: tuple[str, ...] = ()
    secret: tuple[str, ...] = ()
    first: int = 1
    """The place of the first line with a person."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One person as read from the sheet: all that is kept of the line."""

    number: int
    name: str
    email: str
    organisation: str
    scrubbed: int = 0
    """How many cells held a long number."""

    @property
    def is_empty(self) -> bool:
        """Whether the line says nothing about anybody."""
        return not (self.name or self.email or self.organisation or self.scrubbed)


@dataclass(frozen=True, slots=True)
class Row:
    """One person of a batch as its rules see it."""

    number: int
    name: str
    email: str
    organisation_text: str
    organisation_id: int | None
    """Chosen, or found by its name."""
    fit: str = "one"
    """How well the text fits what is known: `one`, `several`, `unknown`."""
    is_new: bool = False
    """A new organisation is made of the text."""
    scrubbed: bool = False
    skipped: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What the class knows about the addresses of a batch."""

    seated: frozenset[str] = frozenset()
    invited: frozenset[str] = frozenset()
    nominated: frozenset[str] = frozenset()
    names: Mapping[str, str] = field(default_factory=dict)
    """Names of accounts the viewer may know, by address."""
    own: frozenset[int] | None = None
    """The organisations an officer asks for; None when people of all may be brought in."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about a row: with the other row, or the other name, where there is one."""

    problem: Problem
    other: str = ""


def plain(text: str) -> str:
    """Return a text as it is compared: no case, no accents, no punctuation, single spaces."""
    for _round in range(2):
        text = unicodedata.normalize("NFKD", text).casefold()
    kept = (c if c.isalnum() else " " for c in text if unicodedata.category(c) != "Mn")
    return " ".join("".join(kept).split())


def tidy(text: str) -> str:
    """Return a text as it is kept: composed, one line, without marks that turn its direction."""
    kept = (c for c in text if c.isspace() or unicodedata.category(c) not in HIDDEN)
    # Last: what disappears may have stood between a letter and its accent.
    return " ".join(unicodedata.normalize("NFC", "".join(kept)).split())


HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def scrub(text: str) -> tuple[str, bool]:
    """Take long numbers out of a text; tell whether there was one. No NIK is kept, nor a NIP."""
    clean = LONG_NUMBER.sub(" ", text)
    return (tidy(clean).strip(" -:/,.;()"), True) if clean != text else (text, False)


def normal_address(text: str) -> str:
    """Return an e-mail address as it is compared, freed of what sheets put around it."""
    text = "".join(unicodedata.normalize("NFKC", tidy(text)).split()).casefold()
    text = text.removeprefix("mailto:")
    inside = re.fullmatch(r"[^<>]*<([^<>]+)>[.,;]*", text)
    return (inside[1] if inside else text).strip(".,;:'\"")


def find_columns(lines: Sequence[Sequence[str]]) -> Columns:
    """Find the headings, or tell columns apart by what stands in them. Raises NoColumns."""
    for place, cells in enumerate(lines[:HEADING_WITHIN]):
        found = _by_headings(cells, place)
        if found is not None:
            return found
    found = _by_content(lines)
    if found is None:
        top = (cell for line in lines[:HEADING_WITHIN] for cell in line)
        raise NoColumns("email" if any(_meaning(plain(cell)) == "name" for cell in top) else "")
    return found


def _by_headings(cells: Sequence[str], place: int) -> Columns | None:
    found: dict[str, int] = {}
    others: list[str] = []
    secret: list[str] = []
    for number, cell in enumerate(cells):
        what = _meaning(plain(cell))
        if what == "secret":
            secret.append(cell)
        elif what and what not in found:
            found[what] = number
        elif plain(cell):
            others.append(cell)
    if "name" not in found or "email" not in found:
        return None
    return Columns(
        name=found["name"],
        email=found["email"],
        organisation=found.get("organisation"),
        ignored=_headings(others),
        secret=_headings(secret),
        first=place + 1,
    )


def _meaning(heading: str) -> str:
    """Tell what a heading stands for; empty when it is none of ours."""
    words = frozenset(heading.replace("e mail", "email").replace("pos el", "posel").split())
    if heading in SECRET_HEADINGS or (words & SECRET_WORDS and heading not in NAME_HEADINGS):
        return "secret"
    if heading in NAME_HEADINGS:
        return "name"
    if words & EMAIL_WORDS:
        return "email"
    if heading in PLACE_HEADINGS or words & PLACE_WORDS:
        return "organisation"
    return "name" if words & {"nama", "name"} and words <= NAME_WORDS else ""


def _headings(cells: Iterable[str]) -> tuple[str, ...]:
    clean = (scrub(tidy(cell))[0][:LONGEST_HEADING] for cell in cells)
    return tuple(cell for cell in clean if cell)[:MOST_HEADINGS]


def _by_content(lines: Sequence[Sequence[str]]) -> Columns | None:
    """Read lines without headings: the address tells itself, a name has no digits."""
    if not lines:
        return None
    emails: dict[int, int] = defaultdict(int)
    names: dict[int, int] = defaultdict(int)
    words: dict[int, int] = defaultdict(int)
    for cells in lines:
        for number, cell in enumerate(cells):
            if EMAIL.fullmatch(normal_address(cell)):
                emails[number] += 1
            elif any(c.isalpha() for c in cell):
                words[number] += 1
                names[number] += not any(c.isdigit() for c in cell)
    email = max(emails, key=lambda number: (emails[number], -number), default=None)
    half = len(lines) / 2
    name = min((n for n, count in names.items() if n != email and count >= half), default=None)
    if email is None or name is None:
        return None
    # A place of work may hold digits ("Puskesmas 2"): it is the next column of words.
    rest = (n for n, count in words.items() if n not in (email, name) and count >= half)
    return Columns(name, email, min(rest, default=None), first=0)


def read_entries(lines: Sequence[tuple[int, Sequence[str]]]) -> tuple[Columns, list[Entry]]:
    """Return the columns of a sheet and its people. Raises NoColumns, TooManyRows.

    `lines` are pairs of the number in the sheet and the cells. Whatever is in other columns, and
    every long number, is dropped here.
    """
    columns = find_columns([cells for _number, cells in lines])
    read = (read_entry(columns, number, cells) for number, cells in lines[columns.first :])
    entries = [entry for entry in read if not entry.is_empty]
    if len(entries) > MOST_ROWS:
        raise TooManyRows(str(len(entries)))
    return columns, entries


def read_entry(columns: Columns, number: int, cells: Sequence[str]) -> Entry:
    """Return what is kept of one line: three cells, cleaned, without long numbers."""

    def cell(place: int | None) -> str:
        return cells[place] if place is not None and place < len(cells) else ""

    name, in_name = scrub(tidy(cell(columns.name)))
    text, in_text = scrub(tidy(cell(columns.organisation)))
    email = normal_address(cell(columns.email))
    pattern = IDENTITY_IN_ADDRESS if "@" in email else LONG_NUMBER
    in_email = pattern.search(email) is not None
    email = "" if in_email else email
    return Entry(
        number,
        name[: LONGEST_NAME + 1],
        email[:LONGEST_EMAIL],
        text[:LONGEST_TEXT],
        in_name + in_text + in_email,
    )


def check(rows: Sequence[Row], facts: Facts) -> dict[int, list[Finding]]:
    """Return everything there is to say about each row, by its number: first what stops it."""
    first_with: dict[str, int] = {}
    named: dict[str, int] = {}
    findings: dict[int, list[Finding]] = {}
    for row in rows:
        found = _of_cells(row, facts)
        if row.email and not row.skipped:
            first = first_with.setdefault(row.email, row.number)
            if first != row.number:
                found.append(Finding(Problem.SAME_ADDRESS, str(first)))
        found += _of_class(row, facts)
        if row.name and not row.skipped:
            other = named.setdefault(plain(row.name), row.number)
            if other != row.number and first_with.get(row.email) == row.number:
                found.append(Finding(Problem.SAME_NAME, str(other)))
        if row.scrubbed:
            found.append(Finding(Problem.SCRUBBED))
        findings[row.number] = found
    return findings


def _of_cells(row: Row, facts: Facts) -> list[Finding]:
    found = []
    if not row.name:
        found.append(Problem.NO_NAME)
    elif len(row.name) > LONGEST_NAME:
        found.append(Problem.LONG_NAME)
    if not row.email:
        found.append(Problem.NO_EMAIL)
    elif len(row.email) > LONGEST_EMAIL or not EMAIL.fullmatch(row.email):
        found.append(Problem.BAD_EMAIL)
    if row.organisation_id is not None:
        if facts.own is not None and row.organisation_id not in facts.own:
            found.append(Problem.OTHER_ORGANISATION)
    elif not row.is_new:
        by_fit = {"several": Problem.AMBIGUOUS_ORGANISATION}
        unknown = by_fit.get(row.fit, Problem.UNKNOWN_ORGANISATION)
        found.append(unknown if row.organisation_text else Problem.NO_ORGANISATION)
    return [Finding(problem) for problem in found]


def _of_class(row: Row, facts: Facts) -> list[Finding]:
    if row.email in facts.seated:
        return [Finding(Problem.SEATED)]
    if row.email in facts.invited:
        return [Finding(Problem.INVITED)]
    if row.email in facts.nominated:
        return [Finding(Problem.NOMINATED)]
    known = facts.names.get(row.email, "")
    if known and row.name and plain(known) != plain(row.name):
        return [Finding(Problem.OTHER_NAME, known)]
    return []


def standing(row: Row, findings: Iterable[Finding]) -> Standing:
    """Return what would become of a row: what is closed needs no correction any more."""
    if row.skipped:
        return Standing.SKIPPED
    problems = {finding.problem for finding in findings}
    if problems & CLOSES:
        return Standing.OUT
    return Standing.ASK if problems & STOPS else Standing.READY
