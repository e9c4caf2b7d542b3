"""Which key counts for a wording: its own, or that of the one which corrected it. Reads only."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from lms.core.db import db
from lms.core.prepared import read
from lms.quizzes import rules
from lms.quizzes.models import Item, ItemCorrection, ItemVersion, Quiz
from lms.quizzes.rules import Correction
from lms.quizzes.types import stored


@dataclass(frozen=True, slots=True)
class Key:
    """A wording by which an answer to an earlier one is marked."""

    version: int
    kind: str
    key: str
    options: list[dict[str, Any]]
    body: dict[str, Any] | None


# Put together once: that costs more than running them.
_ASKED = select(Quiz.id).where(Quiz.curriculum_code == bindparam("curriculum"))
_HOLD = _ASKED.with_for_update(read=True, key_share=True)
_HOLD_ALONE = _ASKED.with_for_update()
_CORRECTED = select(
    ItemCorrection.public_id,
    ItemCorrection.wrong_id,
    ItemCorrection.corrected_id,
    ItemCorrection.reason,
    ItemCorrection.at,
).where(ItemCorrection.item_id.in_(bindparam("items", expanding=True)))


def hold(curriculum: str, *, alone: bool = False) -> None:
    """Hold the keys of a quiz until the unit of work ends.

    Who hands a sitting in holds them with others, who corrects one holds them `alone`: so every
    sitting either meets the corrected key, or is seen by whoever marks the closed ones again.
    """
    locked = _HOLD_ALONE if alone else _HOLD
    read(locked, {"curriculum": curriculum})


def corrections_of(item_ids: Collection[int]) -> dict[int, Correction]:
    """Return the corrections of items by the wording they correct. One query."""
    rows = db.session.connection().execute(_CORRECTED, {"items": list(item_ids)})
    return {row.wrong_id: Correction(*row) for row in rows}


def keys_of(versions: Collection[int]) -> dict[int, Key]:
    """Return wordings with their keys; one query, none for none."""
    if not versions:
        return {}
    rows = db.session.execute(
        select(
            ItemVersion.id,
            ItemVersion.kind,
            ItemVersion.key,
            ItemVersion.options,
            ItemVersion.body,
        ).where(ItemVersion.id.in_(versions))
    )
    return {row.id: Key(*row) for row in rows}


def newest_keys(drawn: Mapping[int, int]) -> dict[int, Key | None]:
    """Return what marks the wordings that were corrected; None where no option is right.

    `drawn` is wording to item. What was never corrected is left out. One query, two if any was.
    """
    found = corrections_of(set(drawn.values()))
    ends = {one: rules.corrected_by(one, found)[-1].corrected for one in drawn if one in found}
    keys = keys_of({end for end in ends.values() if end is not None})
    return {one: None if end is None else keys[end] for one, end in ends.items()}


def chains(item_ids: Collection[int]) -> dict[int, tuple[Correction, ...]]:
    """Return each corrected wording with what corrected it, oldest first. One query."""
    found = corrections_of(item_ids)
    return {wrong: rules.corrected_by(wrong, found) for wrong in found}


@dataclass(frozen=True, slots=True)
class Decided:
    """What was decided about one wording of an item, as a file may contradict it."""

    slug: str
    wrong_digest: str
    wrong: tuple[str, ...]
    """What the key called right, thing by thing, as it was."""
    right: tuple[str, ...]
    """The same as it is now; empty where there is none."""
    right_answer: str | None
    """The key in words, as it is now; None: there is none."""


def list_decided() -> dict[int, list[Decided]]:
    """Return item to what was decided about its wordings, oldest first. One query if none was."""
    rows = db.session.execute(
        select(ItemCorrection, Item.slug)
        .join(Item, Item.id == ItemCorrection.item_id)
        .order_by(ItemCorrection.id)
    ).all()
    if not rows:
        return {}
    wanted = {row.wrong_id for row, _slug in rows} | {
        row.corrected_id for row, _slug in rows if row.corrected_id
    }
    versions = {
        one.id: one
        for one in db.session.execute(
            select(
                ItemVersion.id,
                ItemVersion.digest,
                ItemVersion.key,
                ItemVersion.options,
                ItemVersion.kind,
                ItemVersion.stem,
                ItemVersion.body,
            ).where(ItemVersion.id.in_(wanted))
        )
    }
    found: dict[int, list[Decided]] = {}
    for row, slug in rows:
        wrong, right = versions[row.wrong_id], versions.get(row.corrected_id)
        found.setdefault(row.item_id, []).append(
            Decided(
                slug,
                wrong.digest,
                calls_right(wrong),
                () if right is None else calls_right(right),
                None if right is None else answer_of(right),
            )
        )
    return found


def answer_of(version: Any) -> str:
    """Return the key of a wording in words; empty where people mark the answers."""
    if version.body is not None:
        return stored.answer_of(version.kind, version.stem, version.body)
    return next((one["text"] for one in version.options if one["key"] == version.key), "")


def calls_right(version: Any) -> tuple[str, ...]:
    """Return in words each thing the key of a wording calls right."""
    if version.body is not None:
        return stored.calls_right(version.kind, version.stem, version.body)
    return (answer_of(version),)
