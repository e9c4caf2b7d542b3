"""How long a guest may look in, and whether a file is what its name says. Pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from lms.core.errors import DomainError

ACCESS = timedelta(days=14)
"""How long after the class a guest may still look in, unless another day is chosen."""
LONGEST_BIO = 1000
"""Letters."""
LARGEST_FILE = 10 * 1024 * 1024
"""Bytes."""
SLOTS = (1, 2, 3, 4, 5)
"""A guest hands out at most five files in a class."""
LONGEST_NAME = 120
"""Letters of the name of a file, its ending among them."""
LARGEST_INDEX = 256 * 1024
"""Bytes of the table of contents of a zipped file; that of a long presentation is below 100 KiB."""

MAGIC = {
    "pdf": b"%PDF-",
    "png": b"\x89PNG\r\n\x1a\n",
    "jpg": b"\xff\xd8\xff",
}
OFFICE = {"pptx": "ppt/presentation.xml", "docx": "word/document.xml"}
"""What a zipped office file must hold."""
ODP = b"application/vnd.oasis.opendocument.presentation"
MACRO, MACROS = "vbaproject.bin", ("basic/", "scripts/")
"""Where office files keep programs: the end of a name, and beginnings of names."""
ALIASES = {"jpeg": "jpg"}
ENDINGS = (*MAGIC, *OFFICE, "odp")
ZIP_START, ZIP_END, ZIP_ENTRY = b"PK\x03\x04", b"PK\x05\x06", b"PK\x01\x02"
ZIP_TAIL = 22
"""Bytes of the record that ends a zipped file; nothing may follow it."""

Read = Callable[[int, int], bytes]
"""Return so many bytes (second) of the file from a place (first) on."""


class BadFile(DomainError):
    """The file is refused: `empty`, `large`, `kind`, `macro`, `content` (not what it is called)."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A file that may be kept: its cleaned name and the kind its bytes show."""

    name: str
    kind: str


def access_ends_on(chosen: date | None, ends_on: date) -> date:
    """Return the last day a guest of a class that ends on `ends_on` may look in."""
    return chosen or ends_on + ACCESS


def has_access(today: date, until: date) -> bool:
    """Tell whether a guest may still look in: on the last day too."""
    return today <= until


def check_file(name: str, size: int, read: Read) -> Accepted:
    """Let a file pass or raise BadFile. Looks at a few bytes of it, never at the whole."""
    clean = file_name(name)
    ending = clean.rpartition(".")[2]
    if ending not in ENDINGS:
        raise BadFile("kind")
    if size < 1:
        raise BadFile("empty")
    if size > LARGEST_FILE:
        raise BadFile("large")
    if ending in MAGIC:
        good = read(0, len(MAGIC[ending])) == MAGIC[ending]
    else:
        good = read(0, len(ZIP_START)) == ZIP_START and _is_office(ending, size, read)
    if not good:
        raise BadFile("content")
    return Accepted(clean, ending)


def file_name(name: str) -> str:
    """Return a name without folders and control characters, with a short lower-case ending."""
    last = name.replace("\\", "/").rpartition("/")[2]
    plain = "".join(c for c in last if c.isprintable() and c not in '<>:"|?*').strip(" .")
    stem, _dot, ending = plain.rpartition(".")
    ending = ALIASES.get(ending.lower(), ending.lower())[:8]
    stem = " ".join(stem.split())[: LONGEST_NAME - len(ending) - 1].strip(" .")
    return f"{stem or 'materi'}.{ending}"


def _is_office(ending: str, size: int, read: Read) -> bool:
    names = set(_zipped_names(size, read))
    if any(name.lower().startswith(MACROS) or name.lower().endswith(MACRO) for name in names):
        raise BadFile("macro")
    if ending in OFFICE:
        return {"[Content_Types].xml", OFFICE[ending]} <= names
    # The standard puts the type first and unpacked, so that it can be read like this.
    return "content.xml" in names and read(30, 8 + len(ODP)) == b"mimetype" + ODP


def _zipped_names(size: int, read: Read) -> Iterator[str]:
    """Give the names in a zipped file, from its table of contents; none when it is malformed."""
    tail = read(max(0, size - ZIP_TAIL), ZIP_TAIL)
    if tail[:4] != ZIP_END:
        return
    length, start = int.from_bytes(tail[12:16], "little"), int.from_bytes(tail[16:20], "little")
    if length > LARGEST_INDEX or start + length > size - ZIP_TAIL:
        return
    index, at = read(start, length), 0
    while index[at : at + 4] == ZIP_ENTRY:
        name, extra, comment = (
            int.from_bytes(index[at + place : at + place + 2], "little") for place in (28, 30, 32)
        )
        yield index[at + 46 : at + 46 + name].decode("utf-8", "replace")
        at += 46 + name + extra + comment
