"""What a panellist does: rates items one by one, says what is to be said, finishes a round."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from lms.core.db import db, insert_into
from lms.core.errors import NotFound
from lms.core.reviewing import Passage
from lms.panels import rules, services
from lms.panels.models import PanelMember, PanelNote, PanelRating
from lms.panels.rules import Spread, Stage
from lms.panels.services import Listed, Room
from lms.quizzes import reviewing
from lms.statistics import rules as statistics_rules
from lms.statistics import services as statistics


@dataclass(frozen=True, slots=True)
class Line:
    """One item on the reader's list, with what they gave."""

    item: Listed
    first: int | None
    second: int | None

    def given(self, round_: int | None) -> int | None:
        """Return what the reader gave in a round."""
        return self.second if round_ == 2 else self.first


@dataclass(frozen=True, slots=True)
class Sheet:
    """The reader's own list."""

    room: Room
    lines: tuple[Line, ...]
    seq: int
    """The highest that arrived."""

    def find(self, position: int) -> Line:
        """Return one line. Raises NotFound."""
        if not 1 <= position <= len(self.lines):
            raise NotFound(str(position))
        return self.lines[position - 1]

    @property
    def rated(self) -> int:
        """How many items have a rating; in the second round the first one stands until then."""
        return sum(line.first is not None or line.second is not None for line in self.lines)

    @property
    def open(self) -> tuple[Line, ...]:
        """What has no rating yet."""
        return tuple(one for one in self.lines if one.first is None and one.second is None)

    @property
    def next(self) -> int:
        """Where to go on: the first item without a rating of this round, or the first of all."""
        left = (one.item.position for one in self.lines if one.given(self.room.round) is None)
        return self.open[0].item.position if self.open else next(left, 1)

    @property
    def in_training(self) -> bool:
        """Tell whether training items are still to be rated."""
        return any(one.item.training for one in self.open)


def get_sheet(room: Room) -> Sheet:
    """Return the list with the reader's own ratings. Three queries."""
    given: dict[tuple[int, int], int] = {}
    seq = 0
    for row in db.session.execute(
        select(PanelRating.item_id, PanelRating.round, PanelRating.percent, PanelRating.seq).where(
            PanelRating.member_id == (room.member_id or 0)
        )
    ):
        given[row.item_id, row.round] = row.percent
        seq = max(seq, row.seq)
    items = services.list_items(room)
    lines = tuple(Line(one, given.get((one.id, 1)), given.get((one.id, 2))) for one in items)
    return Sheet(room, lines, seq)


def read_item(line: Line) -> tuple[Passage, ...]:
    """Return the wording with its key and reasons: panellists are experts. One query."""
    return reviewing.read_version(line.item.version)


def save(room: Room, position: int, percent: int, seq: int, *, now: datetime) -> bool:
    """Store a rating; tell whether it counts, or a newer one stands already. Flushes.

    The same again changes nothing. Raises as save_all does.
    """
    return save_all(room, {position: percent}, seq, now=now) == 1


def save_all(room: Room, ratings: Mapping[int, int], seq: int, *, now: datetime) -> int:
    """Store ratings by their place on the list; return how many count. Flushes. Four queries.

    Raises NotFound, rules.NotOnPanel, rules.WrongStage, rules.TrainingFirst.
    """
    if room.member_id is None:
        raise rules.NotOnPanel(room.public_id)
    stage = services.hold(room, *rules.RATED_IN)
    sheet = get_sheet(room)
    lines = [sheet.find(position) for position in ratings]
    given = {line.item.id for line in lines}
    if any(one.item.training and one.item.id not in given for one in sheet.open) and not all(
        line.item.training for line in lines
    ):
        raise rules.TrainingFirst(room.public_id)
    statement = insert_into(PanelRating).values(
        [
            {
                "member_id": room.member_id,
                "item_id": line.item.id,
                "round": rules.RATED_IN[stage],
                "percent": ratings[line.item.position],
                "seq": seq,
                "at": now,
            }
            for line in lines
        ]
    )
    added = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=["member_id", "item_id", "round"],
        set_={"percent": added.percent, "seq": added.seq, "at": added.at},
        where=PanelRating.seq <= added.seq,
    )
    return len(db.session.execute(statement.returning(PanelRating.id)).all())


def finish(room: Room, *, now: datetime) -> None:
    """Say that the reader has finished this round; the ratings stay open until the chair goes on.

    Raises rules.NotOnPanel, rules.WrongStage, rules.NotFinished. Flushes.
    """
    if room.member_id is None:
        raise rules.NotOnPanel(room.public_id)
    stage = services.hold(room, *rules.RATED_IN)
    if get_sheet(room).open:
        raise rules.NotFinished(room.public_id)
    column = "first_done_at" if rules.RATED_IN[stage] == 1 else "second_done_at"
    db.session.execute(
        update(PanelMember).where(PanelMember.id == room.member_id).values({column: now})
    )


def say(room: Room, position: int, words: str, *, author_id: int, now: datetime) -> None:
    """Keep a remark about one item, without a name beside it. Flushes.

    Raises NotFound, rules.WrongStage.
    """
    services.hold(room, Stage.TALK, Stage.SECOND)
    item = next((one for one in services.list_items(room) if one.position == position), None)
    if item is None:
        raise NotFound(str(position))
    db.session.add(PanelNote(item_id=item.id, author_id=author_id, text=words, at=now))
    db.session.flush()


@dataclass(frozen=True, slots=True)
class Lie:
    """How the ratings of one item lie, for somebody on the panel."""

    line: Line
    spread: Spread | None
    values: tuple[int, ...]
    """Everybody's ratings, sorted: nobody's name goes with one."""
    is_far: bool
    """Whether the reader's own is far from the others; said to nobody else."""
    p: float | None
    """Share of right answers in first sittings; None of too few."""
    n: int
    notes: tuple[str, ...]


def read_spread(sheet: Sheet, round_: int = 1) -> list[Lie]:
    """Return every item with the ratings of a round, in the order of the list. Four queries.

    Raises rules.WrongStage while the first round is open: nobody rates after the others.
    """
    room = sheet.room
    if room.stage in (Stage.INVITING, Stage.FIRST, Stage.STOPPED):
        raise rules.WrongStage(room.stage)
    items = [line.item for line in sheet.lines]
    ratings = services.ratings_of(items, round_)
    figures = {
        (one.slug, one.number): one.figures for one in statistics.read_quiz(room.curriculum).lines
    }
    notes: dict[int, list[str]] = {}
    for row in db.session.execute(
        select(PanelNote.item_id, PanelNote.text)
        .where(PanelNote.item_id.in_([one.id for one in items]))
        .order_by(PanelNote.id)
    ):
        notes.setdefault(row.item_id, []).append(row.text)
    lies = []
    for line in sheet.lines:
        item = line.item
        own = ratings.get(room.member_id or 0, {}).get(item.id)
        values = sorted(given[item.id] for given in ratings.values() if item.id in given)
        others = [
            given[item.id]
            for who, given in ratings.items()
            if who != room.member_id and item.id in given
        ]
        known = figures.get((item.slug, item.number), {})
        n = known.get("n", 0)
        lies.append(
            Lie(
                line=line,
                spread=rules.spread(values),
                values=tuple(values),
                is_far=own is not None and rules.is_far(own, others),
                p=known.get("p") if n >= statistics_rules.SMALL else None,
                n=n,
                notes=tuple(notes.get(item.id, ())),
            )
        )
    return lies
