"""A copy of what is stored about one person: a ZIP of JSON, a page to read, the papers."""

import json
import tempfile
import zipfile
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import IO, Any

from flask import render_template
from sqlalchemy import Table, select

from lms.core import audit
from lms.core.db import db
from lms.core.late import all_tables
from lms.credentials.models import Certificate, Document
from lms.privacy import data_map
from lms.privacy.data_map import Entry
from lms.privacy.owners import Owner

MOST = 20_000
"""Rows of one table in a file; more are cut off, and the file says so."""
MOST_PAPERS = 100
IN_MEMORY = 1_000_000

OTHERS = {
    "assessor_id": "penilai",
    "trainer_id": "pelatih",
    "signer_id": "penanda tangan",
    "signed_by": "penanda tangan",
    "viewer_id": "pemeriksa",
    "recorded_by": "pencatat",
}
"""What another person is called; any other column says `orang lain`."""
SELF, OTHER = "Anda", "orang lain"


@dataclass(frozen=True, slots=True)
class Piece:
    """The rows of one table."""

    entry: Entry
    rows: list[dict[str, Any]]
    is_cut: bool


def collect(person_id: int) -> list[Piece]:
    """Read every row that belongs to somebody, without secrets and without other people."""
    owner = Owner(person_id)
    return [_piece(entry, owner) for entry in data_map.owned()]


def _piece(entry: Entry, owner: Owner) -> Piece:
    table = all_tables().tables[entry.name]
    columns = [table.c[name] for name in entry.exported]
    query = owner.select(entry.name).with_only_columns(*columns).limit(MOST + 1)
    found = db.session.execute(query).mappings().all()
    people = _people(table)
    rows = [
        {
            name: _whom(name, row[name], owner.person_id) if name in people else _plain(row[name])
            for name in entry.exported
        }
        for row in found[:MOST]
    ]
    return Piece(entry, rows, len(found) > MOST)


def _people(table: Table) -> set[str]:
    return {
        column.name
        for column in table.columns
        if any(key.column.table.name == "person" for key in column.foreign_keys)
    }


def _whom(column: str, value: int | None, person_id: int) -> str | None:
    if value is None:
        return None
    return SELF if value == person_id else OTHERS.get(column, OTHER)


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date | time) else value


def write(person_id: int, *, now: datetime) -> IO[bytes]:
    """Return the file, at its beginning. Small ones stay in memory, larger ones go to the disk."""
    pieces = collect(person_id)
    target = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # the caller sends it
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        for feature in dict.fromkeys(piece.entry.feature for piece in pieces):
            packed.writestr(f"data/{feature}.json", _json(pieces, feature))
        papers = _papers(person_id)
        for name, body in papers:
            packed.writestr(f"sertifikat/{name}", body)
        page = render_template(
            "privacy/export.html", pieces=pieces, papers=[name for name, _body in papers], at=now
        )
        packed.writestr("index.html", page)
    target.seek(0)
    return target


def _json(pieces: list[Piece], feature: str) -> str:
    tables = {
        piece.entry.name: {"rows": piece.rows}
        | ({"cut_off_after": MOST} if piece.is_cut else {})
        | (
            {"not_given": {c: piece.entry.withheld_because for c in sorted(piece.entry.withheld)}}
            if piece.entry.withheld
            else {}
        )
        for piece in pieces
        if piece.entry.feature == feature
    }
    return json.dumps(tables, ensure_ascii=False, indent=1, default=str)


def _papers(person_id: int) -> list[tuple[str, bytes]]:
    query = (
        select(Certificate.code, Document.body)
        .join(Document, Document.sha256 == Certificate.document_sha256)
        .where(Certificate.person_id == person_id)
        .order_by(Certificate.id)
        .limit(MOST_PAPERS)
    )
    return [(f"{row.code}.pdf", row.body) for row in db.session.execute(query)]


def note(person_id: int, *, now: datetime) -> None:
    """Write down that somebody fetched their data. Flushes."""
    audit.record("privacy.export", f"person:{person_id}", actor_id=person_id, now=now)
