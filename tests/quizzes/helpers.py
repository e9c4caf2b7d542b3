"""Sittings for tests: opened, answered and handed in through the services."""

import itertools
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import select

from lms.core.db import db, unit_of_work
from lms.quizzes import services
from lms.quizzes.models import Attempt, AttemptItem, Item, ItemVersion
from lms.quizzes.services import AttemptRef
from tests.factories import NOW

DAY = timedelta(days=1)
_KEYS = itertools.count(1)


def begin(person_id: int, now: datetime = NOW, curriculum: str = "K1") -> AttemptRef:
    """Open a sitting."""
    with unit_of_work():
        return services.open_attempt(person_id, curriculum, now=now)


def answer(ref: AttemptRef, position: int, choice: int | None, **values) -> services.Saved:
    """Send one answer, as a page of its own would."""
    number = next(_KEYS)
    settings = {
        "position": position,
        "client_key": f"key-{number:06}",
        "seq": number,
        "choice": choice,
        "flagged": None,
        "now": NOW,
    }
    with unit_of_work():
        return services.save_answer(ref, **(settings | values))


def hand_in(ref: AttemptRef, now: datetime = NOW) -> None:
    """Hand a sitting in."""
    with unit_of_work():
        services.submit(ref, now=now)


def drawn(ref: AttemptRef) -> list[tuple[int, str, int, int, int]]:
    """Return position, KUK, item, version and the right choice of each question."""
    rows = db.session.execute(
        select(AttemptItem, ItemVersion, Item)
        .join(Attempt, Attempt.id == AttemptItem.attempt_id)
        .join(ItemVersion, ItemVersion.id == AttemptItem.item_version_id)
        .join(Item, Item.id == ItemVersion.item_id)
        .where(Attempt.public_id == ref.public_id)
        .order_by(AttemptItem.position)
    )
    return [
        (line.position, item.kuk, item.id, version.id, line.option_order.index(version.key) + 1)
        for line, version, item in rows
    ]


def sit(
    person_id: int,
    now: datetime = NOW,
    wrong: Callable[[str], bool] = lambda _kuk: False,
    curriculum: str = "K1",
) -> AttemptRef:
    """Open, answer and hand in a whole sitting; `wrong` names the KUK to get wrong."""
    ref = begin(person_id, now, curriculum)
    lines = drawn(ref)
    with unit_of_work():
        for position, kuk, _item, _version, right in lines:
            services.save_answer(
                ref,
                position=position,
                client_key=f"sit-{position:04}",
                seq=1,
                choice=right % 4 + 1 if wrong(kuk) else right,
                flagged=None,
                now=now,
            )
        services.submit(ref, now=now)
    return ref
