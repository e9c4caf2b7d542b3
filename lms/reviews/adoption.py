"""The installation adopts a standard: one administrator, or two. Services flush."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, select, update

from lms.accounts import services as accounts
from lms.competency import services as competency
from lms.core import audit
from lms.core.db import db, insert_once
from lms.credentials import register
from lms.reviews import rules
from lms.reviews.models import StandardAdoption
from lms.reviews.rules import Step


@dataclass(frozen=True, slots=True)
class Adoption:
    """One adoption of one text of the standard, asked for, in force, or taken back."""

    standard_id: int
    basis: str
    asked_by_id: int
    asked_by: str
    asked_at: datetime
    confirmed_by: str
    adopted_at: datetime | None
    closed_by: str
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How the present standard stands."""

    step: Step
    current: Adoption | None
    history: Sequence[Adoption]
    """Adoptions of this and earlier texts that are over, newest first."""
    is_used: bool
    """A certificate was issued under the adopted standard: it cannot be taken back."""


def read(standard_id: int) -> Standing:
    """Return how the adoption of a standard stands. Three queries."""
    rows = db.session.scalars(
        select(StandardAdoption).order_by(StandardAdoption.id.desc()).limit(50)
    ).all()
    people = {row.asked_by for row in rows}
    people |= {one for row in rows for one in (row.confirmed_by, row.closed_by) if one}
    names = accounts.names_of(people)
    found = [
        Adoption(
            row.standard_version_id,
            row.basis,
            row.asked_by,
            names[row.asked_by],
            row.asked_at,
            names.get(row.confirmed_by or 0, ""),
            row.adopted_at,
            names.get(row.closed_by or 0, ""),
            row.closed_at,
        )
        for row in rows
    ]
    current = next(
        (one for one in found if one.standard_id == standard_id and one.closed_at is None), None
    )
    step = Step.DRAFT
    if current is not None:
        step = Step.ADOPTED if current.adopted_at else Step.ASKED
    used = step is Step.ADOPTED and register.is_used(standard_id)
    return Standing(step, current, [one for one in found if one is not current], used)


def adopt(standard_id: int, basis: str, *, by_id: int, needs_second: bool, now: datetime) -> Step:
    """Adopt the present standard, or ask for it where a second administrator confirms. Flushes.

    Raises rules.TextChanged when another standard was loaded meanwhile, rules.AlreadyAsked.
    """
    _hold(standard_id)
    is_new = insert_once(
        StandardAdoption,
        standard_version_id=standard_id,
        basis=basis,
        asked_by=by_id,
        asked_at=now,
        confirmed_by=None,
        adopted_at=None if needs_second else now,
        closed_by=None,
        closed_at=None,
    )
    if not is_new:
        raise rules.AlreadyAsked(str(standard_id))
    action = "reviews.ask_adoption" if needs_second else "reviews.adopt"
    audit.record(action, f"standard_version:{standard_id}", actor_id=by_id, now=now, basis=basis)
    if needs_second:
        return Step.ASKED
    competency.set_adopted(standard_id, now)
    return Step.ADOPTED


def confirm(standard_id: int, *, by_id: int, now: datetime) -> None:
    """Adopt what another administrator asked for. Flushes.

    Raises rules.TextChanged, rules.NothingAsked, rules.SamePerson.
    """
    _hold(standard_id)
    asked = _open(standard_id)
    if asked.adopted_at is not None:
        raise rules.NothingAsked(str(standard_id))
    if asked.asked_by == by_id:
        raise rules.SamePerson(str(standard_id))
    _settle(asked.id, confirmed_by=by_id, adopted_at=now)
    competency.set_adopted(standard_id, now)
    audit.record(
        "reviews.adopt",
        f"standard_version:{standard_id}",
        actor_id=by_id,
        now=now,
        basis=asked.basis,
        asked_by=asked.asked_by,
    )


def take_back(standard_id: int, *, by_id: int, now: datetime) -> None:
    """Let the standard be a draft again, or drop what was asked for. Flushes.

    Raises rules.TextChanged, rules.NothingAsked, rules.AlreadyUsed.
    """
    _hold(standard_id)
    asked = _open(standard_id)
    if asked.adopted_at is not None and register.is_used(standard_id):
        raise rules.AlreadyUsed(str(standard_id))
    _settle(asked.id, closed_by=by_id, closed_at=now)
    competency.set_adopted(standard_id, None)
    audit.record(
        "reviews.withdraw_adoption", f"standard_version:{standard_id}", actor_id=by_id, now=now
    )


def _hold(standard_id: int) -> None:
    """Hold the present standard until the unit of work ends: no paper names it meanwhile."""
    if competency.current().id != standard_id:
        raise rules.TextChanged(str(standard_id))
    competency.hold(standard_id, alone=True)


def _open(standard_id: int) -> StandardAdoption:
    found = db.session.scalar(
        select(StandardAdoption).where(
            StandardAdoption.standard_version_id == standard_id,
            StandardAdoption.closed_at.is_(None),
        )
    )
    if found is None:
        raise rules.NothingAsked(str(standard_id))
    return found


def _settle(adoption_id: int, **values: object) -> None:
    """Write how an adoption went on; somebody else may have been first. Raises NothingAsked."""
    before = [StandardAdoption.closed_at.is_(None)]
    if "confirmed_by" in values:
        before.append(StandardAdoption.adopted_at.is_(None))
    settled = db.session.execute(
        update(StandardAdoption).where(StandardAdoption.id == adoption_id, *before).values(values),
        execution_options={"synchronize_session": False},
    )
    if cast("CursorResult[Any]", settled).rowcount != 1:
        raise rules.NothingAsked(str(adoption_id))
