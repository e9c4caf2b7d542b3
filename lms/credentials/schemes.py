"""The schemes a certificate can be issued for, from content/schemes.yaml. Services flush."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select

from lms.competency.rules import Requirement
from lms.core.content import digest_of_text
from lms.core.db import db
from lms.core.errors import NotFound
from lms.credentials.content import SchemeSpec
from lms.credentials.models import (
    Scheme,
)


def load(specs: Sequence[SchemeSpec], *, now: datetime) -> dict[str, int]:
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


def list_schemes() -> list[SchemeSpec]:
    """Return every scheme in order."""
    documents = db.session.scalars(select(Scheme.document).order_by(Scheme.position))
    return [SchemeSpec.model_validate(document) for document in documents]


def get_scheme(code: str) -> SchemeSpec:
    """Return the scheme of this code. Raises NotFound."""
    document = db.session.scalar(select(Scheme.document).where(Scheme.code == code))
    if document is None:
        raise NotFound(code)
    return SchemeSpec.model_validate(document)


def requirement(scheme: SchemeSpec) -> Requirement:
    """Return what a scheme asks for, as the rules of competency read it."""
    return Requirement(
        scheme=scheme.code,
        curricula=tuple(scheme.curricula),
        in_person=tuple(scheme.in_person),
        holds=tuple(scheme.holds),
    )
