"""What a panel set: computed once when the second round ends, signed, and never changed."""

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from sqlalchemy import select, update

from lms.accounts import services as accounts
from lms.competency import services as competency
from lms.competency.rules import Standard
from lms.core import audit
from lms.core.db import db, insert_once
from lms.core.errors import NotFound
from lms.core.ids import digest_of_text
from lms.credentials import register, schemes
from lms.panels import rules, services
from lms.panels.models import PanelMember, PanelResult, PanelRoom, PanelSignature
from lms.panels.rules import Choice, Cut, Stage
from lms.panels.services import Listed, Room
from lms.quizzes import bank
from lms.statistics import rules as statistics_rules
from lms.statistics import services as statistics

Ratings = Mapping[int, Mapping[int, int]]


def make(room: Room, *, now: datetime) -> None:
    """Compute the result from the ratings and keep it. Flushes. Raises rules.TooFew.

    Whoever did not rate every item is not counted. Labels are drawn by lot.
    """
    items = services.list_items(room)
    rated = [one for one in items if not one.training]
    ids = [one.id for one in rated]
    first = services.ratings_of(rated, 1)
    last = rules.whole_rows(rules.carried(first, services.ratings_of(rated, 2)), ids)
    before = rules.whole_rows(first, ids)
    order = sorted(last)
    secrets.SystemRandom().shuffle(order)
    found = rules.cut([last[who] for who in order])
    opening = {who: before.get(who) for who in order}
    standard = competency.version(room.standard_version_id).standard
    shown = sum(standard.shown_for(kuk) for kuk in services.gated(standard, room.curriculum))
    table = [last[who] for who in order]
    values: dict[str, Any] = {
        "room_id": room.id,
        "curriculum_code": room.curriculum,
        "standard_version_id": room.standard_version_id,
        "versions": [one.version for one in rated],
        "points": sum(map(sum, table)),
        "panellists": len(order),
        "shown": shown,
        "figures": {
            **figures(found, [opening[who] for who in order], table),
            "items": _items(room, rated, [opening[who] for who in order], table),
            "left_out": len(services.list_members(room)) - len(order),
            **_effects(room, standard, found, shown, now),
        },
    }
    written = json.dumps({"result": values, "ratings": table}, sort_keys=True)
    db.session.add(PanelResult(**values, digest=digest_of_text(written), made_at=now))
    for label, who in enumerate(order, 1):
        db.session.execute(update(PanelMember).where(PanelMember.id == who).values(label=label))
    db.session.flush()


def figures(
    found: Cut, opening: list[tuple[int, ...] | None], table: list[tuple[int, ...]]
) -> dict[str, Any]:
    """Return what the ratings alone say, as it is kept."""
    began = [row for row in opening if row is not None]
    before = rules.cut(began) if len(began) >= rules.LEAST else None
    parts = found.parts
    apart = [
        rules.deviation(row, [other for place, other in enumerate(table) if place != here])
        for here, row in enumerate(table)
    ]
    return {
        "cut": found.percent,
        "sd": found.sd,
        "error": found.error,
        "low": found.low,
        "high": found.high,
        "before": before.percent if before else None,
        "before_sd": before.sd if before else None,
        "each": [
            [sum(row) / len(row) if row else None, last]
            for row, last in zip(opening, found.each, strict=True)
        ],
        "of_people": parts.of_people,
        "of_items": parts.of_items,
        "of_rest": parts.of_rest,
        "error_all": parts.error,
        "icc": parts.icc,
        "icc_mean": parts.icc_mean,
        "deviation": sum(one or 0.0 for one in apart) / len(apart),
    }


def _items(
    room: Room,
    rated: list[Listed],
    opening: list[tuple[int, ...] | None],
    table: list[tuple[int, ...]],
) -> list[dict[str, Any]]:
    """Return each wording with how it was rated, and how hard it was for people."""
    known = {
        (one.slug, one.number): one.figures for one in statistics.read_quiz(room.curriculum).lines
    }
    lines = []
    for place, one in enumerate(rated):
        now, then = (
            rules.spread([row[place] for row in rows if row is not None])
            for rows in (table, opening)
        )
        answered = known.get((one.slug, one.number), {})
        n = answered.get("n", 0)
        lines.append(
            {
                "slug": one.slug,
                "number": one.number,
                "kuk": one.kuk,
                "before": then.mean if then else None,
                "spread": asdict(now) if now else None,
                "p": answered.get("p") if n >= statistics_rules.SMALL else None,
                "n": n,
            }
        )
    return lines


def _effects(
    room: Room, standard: Standard, found: Cut, shown: int, now: datetime
) -> dict[str, Any]:
    """Return what part of past first sittings reaches the cut: figures, nothing is re-scored."""
    kuk = {one.code for one in services.gated(standard, room.curriculum)}
    sittings = bank.first_sittings(room.curriculum, kuk)
    counts = [(one.right, one.shown, 1) for one in sittings]
    less, _middle, more = found.shares()
    shares: list[Fraction | float] = [less, found.share, more]
    held = _held(room.curriculum, [one.person_id for one in sittings], now)
    settled = [(one.right, one.shown, 1) for one in sittings if one.person_id in held]
    ratio = Fraction(*standard.ratio_of(room.curriculum))
    return {
        "effect": [_plain(rules.effect(counts, share, shown)) for share in shares],
        "effect_now": _plain(rules.effect(counts, ratio, shown)),
        "effect_held": _plain(rules.effect(settled, found.share, shown)),
        "needed": [rules.needed(share, shown) for share in shares],
        "needed_now": rules.needed(ratio, shown),
    }


def _plain(found: rules.Reached | None) -> dict[str, float] | None:
    """Return a share of people without how many: a count of one could be somebody."""
    return None if found is None else {"share": round(found.share, 2), "of": found.of}


def _held(curriculum: str, person_ids: list[int], now: datetime) -> set[int]:
    """Return who of these people was ever given a certificate that rests on this curriculum."""
    resting = {one.code for one in schemes.list_schemes() if curriculum in one.curricula}
    return {one.person_id for one in register.list_held(person_ids, now) if one.scheme in resting}


@dataclass(frozen=True, slots=True)
class Signature:
    """What one panellist said to the result."""

    name: str
    choice: Choice
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Result:
    """A result as it is read: figures, and who signed."""

    curriculum: str
    points: int
    panellists: int
    versions: tuple[int, ...]
    shown: int
    figures: dict[str, Any]
    digest: str
    made_at: datetime
    standard: str
    """The version of the standard, in words."""
    signatures: tuple[Signature, ...]
    answered: frozenset[int]
    """Members who have signed or abstained."""

    @property
    def share(self) -> Fraction:
        """The cut, exactly."""
        return Fraction(self.points, 100 * self.panellists * len(self.versions))

    @property
    def ratio(self) -> tuple[int, int]:
        """What would stand in the standard: so many of the items a whole sitting shows."""
        return rules.needed(self.share, self.shown), self.shown


def _row(room: Room) -> PanelResult:
    found = db.session.scalar(select(PanelResult).where(PanelResult.room_id == room.id))
    if found is None:
        raise NotFound(room.public_id)
    return found


def read(room: Room) -> Result:
    """Return the result of a room. Three queries, the standard once. Raises NotFound."""
    row = _row(room)
    signed = db.session.scalars(
        select(PanelSignature).where(PanelSignature.result_id == row.id).order_by(PanelSignature.id)
    ).all()
    return Result(
        curriculum=row.curriculum_code,
        points=row.points,
        panellists=row.panellists,
        versions=tuple(row.versions),
        shown=row.shown,
        figures=row.figures,
        digest=row.digest,
        made_at=row.made_at,
        standard=competency.version(row.standard_version_id).standard.version,
        signatures=tuple(Signature(one.name, one.choice, one.reason, one.at) for one in signed),
        answered=frozenset(one.member_id for one in signed),
    )


def sign(
    room: Room, choice: Choice, reason: str, seen: str, *, person_id: int, now: datetime
) -> None:
    """Sign the result the reader has seen, or abstain with a reason. Flushes.

    Raises rules.NotOnPanel, rules.WrongStage, rules.AlreadyAnswered.
    """
    if room.member_id is None or room.label is None:
        raise rules.NotOnPanel(room.public_id)
    _answer(room, room.member_id, person_id, choice, reason, seen, person_id, now)


def excuse(
    room: Room, member_id: int, reason: str, seen: str, *, by_id: int, now: datetime
) -> None:
    """Write down that somebody who rated does not answer, so that the room can close. Flushes.

    Raises rules.NotOnPanel, rules.WrongStage, rules.AlreadyAnswered.
    """
    person_id = db.session.scalar(
        select(PanelMember.person_id).where(
            PanelMember.id == member_id,
            PanelMember.room_id == room.id,
            PanelMember.label.is_not(None),
        )
    )
    if person_id is None:
        raise rules.NotOnPanel(str(member_id))
    _answer(room, member_id, person_id, Choice.ABSENT, reason, seen, by_id, now)


def _answer(
    room: Room,
    member_id: int,
    person_id: int,
    choice: Choice,
    reason: str,
    seen: str,
    by_id: int,
    now: datetime,
) -> None:
    services.hold(room, Stage.SIGNING)
    row = _row(room)
    if row.digest != seen:
        raise rules.WrongStage(room.public_id)
    new = insert_once(
        PanelSignature,
        result_id=row.id,
        member_id=member_id,
        choice=choice,
        reason=reason,
        name=accounts.get_person_by_id(person_id).name,
        by_id=by_id,
        at=now,
    )
    if not new:
        raise rules.AlreadyAnswered(str(member_id))
    audit.record(
        "panels.sign",
        f"panel_room:{room.id}",
        actor_id=by_id,
        now=now,
        choice=choice.value,
        digest=row.digest,
    )


def check_answered(room: Room) -> None:
    """Raise rules.Unanswered unless everybody who rated has answered and somebody signed."""
    found, members = read(room), services.list_members(room)
    counted = {one.id for one in members if one.label is not None}
    signed = any(one.choice is Choice.SIGNED for one in found.signatures)
    if counted - found.answered or not signed:
        raise rules.Unanswered(room.public_id)


def own_deviation(room: Room) -> float | None:
    """Return how far the reader was from the others on average, for their eyes only."""
    items = [one for one in services.list_items(room) if not one.training]
    ids = [one.id for one in items]
    rows = rules.whole_rows(
        rules.carried(services.ratings_of(items, 1), services.ratings_of(items, 2)), ids
    )
    if room.member_id not in rows:
        return None
    return rules.deviation(
        rows[room.member_id], [row for who, row in rows.items() if who != room.member_id]
    )


@dataclass(frozen=True, slots=True)
class Below:
    """A curriculum whose standard asks for less than the newest cut a panel signed."""

    curriculum: str
    asked: tuple[int, int]
    """What the standard says, of the items a whole sitting shows."""
    signed: tuple[int, int]
    closed_at: datetime

    def __str__(self) -> str:
        """Say it to the operator."""
        asked, shown = self.asked
        return (
            f"{self.curriculum}: the standard asks for {asked} of {shown} items, "
            f"the panel closed on {self.closed_at:%Y-%m-%d} for {self.signed[0]}"
        )


def list_below(standard: Standard) -> list[Below]:
    """Return where a standard asks for less than the newest signed cut. One query."""
    rows = db.session.execute(
        select(PanelResult, PanelRoom.ended_at)
        .join(PanelRoom, PanelRoom.id == PanelResult.room_id)
        .where(PanelRoom.stage == Stage.CLOSED)
        .order_by(PanelResult.id)
    )
    newest = {row.PanelResult.curriculum_code: row for row in rows}
    found = []
    for code, (result, closed_at) in sorted(newest.items()):
        share = Fraction(result.points, 100 * result.panellists * len(result.versions))
        ratio = standard.ratio_of(code)
        if closed_at is not None and rules.is_below(ratio, share, result.shown):
            asked = rules.needed(Fraction(*ratio), result.shown)
            signed = rules.needed(share, result.shown)
            found.append(Below(code, (asked, result.shown), (signed, result.shown), closed_at))
    return found
