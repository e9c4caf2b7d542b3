"""What a wording is called: its item, its number, whether it was reviewed. No text, no key."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from lms.core import reviewing
from lms.core.db import db
from lms.quizzes.models import Item, ItemVersion


@dataclass(frozen=True, slots=True)
class Named:
    """One wording by name."""

    slug: str
    number: int
    reviewed: bool
    """Its file says so, or an expert has signed this very text."""


def names_of(versions: Iterable[int]) -> dict[int, Named]:
    """Return wordings by name. Two queries; none for none."""
    wanted = set(versions)
    if not wanted:
        return {}
    rows = db.session.execute(
        select(
            ItemVersion.id,
            Item.slug,
            ItemVersion.number,
            ItemVersion.reviewed,
            ItemVersion.digest,
        )
        .join(Item, Item.id == ItemVersion.item_id)
        .where(ItemVersion.id.in_(wanted))
    ).all()
    signed = reviewing.marks_of("item", [(row.slug, row.digest) for row in rows])
    return {
        row.id: Named(
            row.slug, row.number, row.reviewed or bool(signed.get((row.slug, row.digest)))
        )
        for row in rows
    }
