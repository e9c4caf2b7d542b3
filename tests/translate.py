"""Keeps the English catalog: `python -m tests.translate` adds new messages, drops old, compiles."""

import io
import sys
from datetime import UTC, datetime

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from tests.test_translations import FOLDER, KEYWORDS, LMS, METHODS, OPTIONS

FIXED = datetime(2026, 1, 1, tzinfo=UTC)
"""The head of the file carries no date that changes with every run."""


def template() -> Catalog:
    """Return every message of the code, in Indonesian."""
    found = Catalog(project="Suluh", charset="utf-8")
    for file, line, message, comments, _context in extract_from_dir(
        str(LMS), METHODS, OPTIONS, KEYWORDS, ("Translators:",)
    ):
        found.add(message, None, [(file, line)], auto_comments=comments)
    return found


def main() -> int:
    """Update messages.po, compile messages.mo, and print what still needs an English text."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "messages.po"
    catalog = Catalog(locale="en", project="Suluh", charset="utf-8")
    if path.exists():
        with path.open("rb") as file:
            catalog = read_po(file, locale="en")
    catalog.update(template(), no_fuzzy_matching=True)
    catalog.obsolete.clear()
    catalog.creation_date = catalog.revision_date = FIXED
    out = io.BytesIO()
    write_po(out, catalog, width=96, no_location=True, sort_output=True, omit_header=False)
    path.write_bytes(out.getvalue())
    with path.open("rb") as file:
        catalog = read_po(file, locale="en")
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    (FOLDER / "messages.mo").write_bytes(compiled.getvalue())
    missing = [m.id for m in catalog if m.id and not (m.string and all(m.string))]
    for message in missing:
        print(message)
    print(f"{len(missing)} of {len(catalog)} messages need an English text", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
