"""Which criteria many of a class answered not rightly: what a workshop should make time for.

Only sittings that were handed in are read, of each person the newest one that asked a criterion.
Nobody is named: a theme needs five answers, a wrong answer is shown when three people chose it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CTE, case, func, select

from lms.cohorts.models import Enrolment
from lms.competency.rules import Kuk, Standard
from lms.core.db import db
from lms.quizzes.models import AnswerEvent, Attempt, AttemptItem, Item, ItemVersion
from lms.reports import rules
from lms.reports.rules import Wrong


@dataclass(frozen=True, slots=True, kw_only=True)
class Theme:
    """One criterion to make time for."""

    kuk: Kuk
    wrong: int
    people: int
    minutes: int
    low: float
    """The 95 % interval of the share that is wrong, percent 0-100."""
    share: float
    high: float
    answer: str
    """The wrong answer chosen most; empty when no three people agree on one."""
    chosen: int
    """How many people chose it."""


def fingerprint(cohort_id: int) -> str:
    """Return what changes when somebody of the class hands a sitting in. One query."""
    row = db.session.execute(
        select(func.count(), func.max(Attempt.id), func.max(Attempt.closed_at))
        .join(Enrolment, Enrolment.person_id == Attempt.person_id)
        .where(Enrolment.cohort_id == cohort_id, Attempt.closed_at.is_not(None))
    ).one()
    return "/".join(str(part) for part in row)


def find(cohort_id: int, standard: Standard) -> list[dict[str, Any]]:
    """Return the themes of a class as they are stored. Two queries.

    Cost grows with the answers of the class: a round counts it, pages read what it stored.
    """
    shown = _shown(cohort_id)
    each = (
        select(shown.c.kuk, shown.c.person_id, func.max(shown.c.wrong).label("wrong"))
        .group_by(shown.c.kuk, shown.c.person_id)
        .subquery()
    )
    counted = db.session.execute(
        select(each.c.kuk, func.sum(each.c.wrong), func.count()).group_by(each.c.kuk)
    )
    found = [
        Wrong(kuk, int(wrong), people, standard.kuk[kuk].critical)
        for kuk, wrong, people in counted
        if kuk in standard.kuk
    ]
    planned = rules.plan(found)
    answers = _most_chosen(shown, [one.kuk for one, _minutes in planned]) if planned else {}
    return [
        {
            "kuk": one.kuk,
            "wrong": one.wrong,
            "people": one.people,
            "minutes": minutes,
            "answer": answers.get(one.kuk, ("", 0))[0],
            "chosen": answers.get(one.kuk, ("", 0))[1],
        }
        for one, minutes in planned
    ]


def read(stored: Sequence[Any], standard: Standard) -> list[Theme]:
    """Return stored themes with the words of the standard; what it no longer has is left out."""
    themes = []
    for one in stored:
        if one["kuk"] in standard.kuk:
            low, high = rules.wilson(one["wrong"], one["people"])
            share = 100 * one["wrong"] / one["people"]
            kuk = standard.find(one["kuk"])
            themes.append(Theme(**(dict(one) | {"kuk": kuk}), low=low, share=share, high=high))
    return themes


def _shown(cohort_id: int) -> CTE:
    """Return every item of the newest sitting that asked its criterion, and what was chosen."""
    newest_first = (Attempt.closed_at.desc(), Attempt.id.desc())
    items = (
        select(
            AttemptItem.id.label("attempt_item_id"),
            AttemptItem.option_order,
            Attempt.person_id,
            Item.kuk,
            ItemVersion.id.label("item_version_id"),
            ItemVersion.key,
            func.dense_rank()
            .over(partition_by=(Attempt.person_id, Item.kuk), order_by=newest_first)
            .label("age"),
        )
        .join(Attempt, Attempt.id == AttemptItem.attempt_id)
        .join(Enrolment, Enrolment.person_id == Attempt.person_id)
        .join(ItemVersion, ItemVersion.id == AttemptItem.item_version_id)
        .join(Item, Item.id == ItemVersion.item_id)
        .where(
            Enrolment.cohort_id == cohort_id,
            Attempt.closed_at.is_not(None),
            ItemVersion.key != "",  # what was chosen is said of a single best answer alone
        )
        .cte("items")
    )
    last = (
        select(AnswerEvent.choice)
        .where(
            AnswerEvent.attempt_item_id == items.c.attempt_item_id,
            AnswerEvent.choice.is_not(None),
        )
        .order_by(AnswerEvent.seq.desc(), AnswerEvent.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    chosen = (
        select(items, func.substr(items.c.option_order, last, 1).label("chosen"))
        .where(items.c.age == 1)
        .cte("chosen")
    )
    # Without any answer nothing is chosen: that is not right either.
    wrong = case((chosen.c.chosen == chosen.c.key, 0), else_=1)
    return select(chosen, wrong.label("wrong")).cte("shown")


def _most_chosen(shown: CTE, kuk: Sequence[str]) -> dict[str, tuple[str, int]]:
    """Return the wrong answer most people chose for each of these KUK, if three agree on one."""
    people = func.count(shown.c.person_id.distinct())
    rows = db.session.execute(
        select(shown.c.kuk, shown.c.chosen, people.label("people"), ItemVersion.options)
        .join(ItemVersion, ItemVersion.id == shown.c.item_version_id)
        .where(shown.c.kuk.in_(kuk), shown.c.wrong == 1, shown.c.chosen.is_not(None))
        .group_by(shown.c.kuk, shown.c.chosen, ItemVersion.id)
        .having(people >= rules.FEWEST_CHOICES)
        .order_by(people, ItemVersion.id.desc(), shown.c.chosen.desc())
    )
    return {
        row.kuk: (_text(row.options, row.chosen), row.people)
        for row in rows  # the last one wins
    }


def _text(options: Sequence[Any], key: str) -> str:
    return next((str(one["text"]) for one in options if one["key"] == key), "")
