"""The schemes a certificate can be issued for, from content/schemes.yaml. Services flush."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from lms.competency.rules import Requirement
from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.ids import digest_of_text
from lms.credentials.models import Scheme
from lms.credentials.rules import SchemeText

if TYPE_CHECKING:
    from lms.credentials.content import SchemeSpec


def load(specs: "Sequence[SchemeSpec]", *, now: datetime) -> dict[str, int]:
    """Store the schemes; those that are not in the file any more stay. Flushes."""
    del now  # schemes carry no moment: papers freeze what they need
    counts = {"added": 0, "changed": 0, "unchanged": 0}
    known = {row.code: row for row in db.session.scalars(select(Scheme))}
    for position, spec in enumerate(specs, 1):
        document = spec.model_dump(mode="json")
        values: dict[str, Any] = {
            "position": position,
            "title": spec.title,
            "title_en": spec.title_en,
            "document": document,
            "digest": digest_of_text(json.dumps([position, document], sort_keys=True)),
        }
        row = known.get(spec.code)
        if row is None:
            db.session.add(Scheme(code=spec.code, **values))
            counts["added"] += 1
        elif row.digest == values["digest"]:
            counts["unchanged"] += 1
        else:
            for name, value in values.items():
                setattr(row, name, value)
            counts["changed"] += 1
    db.session.flush()
    return counts


def list_schemes() -> list[SchemeText]:
    """Return every scheme in order."""
    documents = db.session.scalars(select(Scheme.document).order_by(Scheme.position))
    return [SchemeText.read(document) for document in documents]


def get_scheme(code: str) -> SchemeText:
    """Return the scheme of this code. Raises NotFound."""
    document = db.session.scalar(select(Scheme.document).where(Scheme.code == code))
    if document is None:
        raise NotFound(code)
    return SchemeText.read(document)


def requirement(scheme: SchemeText) -> Requirement:
    """Return what a scheme asks for, as the rules of competency read it."""
    return Requirement(
        scheme=scheme.code,
        curricula=scheme.curricula,
        in_person=scheme.in_person,
        holds=scheme.holds,
    )
