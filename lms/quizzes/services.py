"""What people do with quizzes. Services flush; entry points commit."""

import secrets
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Row,
    Select,
    bindparam,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import aliased

from lms.competency import services as competency
from lms.competency.rules import EvidenceKind, TryState
from lms.competency.services import NewEvidence
from lms.core.db import db, insert_into, insert_once_statement
from lms.core.errors import NotFound
from lms.core.group_commit import Execute, in_session
from lms.core.ids import public_id
from lms.core.prepared import read
from lms.modules import laws
from lms.modules.law import rules as law_rules
from lms.quizzes import keys, rules, timing
from lms.quizzes.models import (
    AnswerEvent,
    Attempt,
    AttemptItem,
    Item,
    ItemLaw,
    ItemVersion,
    Quiz,
)
from lms.quizzes.sheets import AttemptRef, asked_of, events_of, get_attempt, is_own
from lms.quizzes.standing import QuizState, Stuck, quiz_state, quiz_states, waiting
from lms.quizzes.types import TYPES, BadResponse, Kind, Response, stored

if TYPE_CHECKING:
    from lms.quizzes.content import BankItem

__all__ = [
    "AttemptRef",
    "QuizState",
    "Saved",
    "Stuck",
    "load",
    "open_attempt",
    "quiz_state",
    "quiz_states",
    "save_answer",
    "save_page",
    "submit",
    "waiting",
]
"""The doors of the feature; those of `standing` are passed on for other features."""

AnyRow = Row[*tuple[Any, ...]]

VANISHED = "no longer in the content files"
WRONG_KEY = "no option is right"


@dataclass(frozen=True, slots=True)
class Saved:
    """The receipt of an answer: when it arrived, and whether it is the one that counts."""

    at: datetime
    counts: bool
    deadline_at: datetime | None = None
    """When the time of the sitting is over, if its clock runs."""
    response: Response | None = None
    """What was read, of a question of another type than a single best answer."""
    words: int | None = None
    """How many words that is, where somebody reads them."""


def load(items: "Sequence[BankItem]", *, now: datetime) -> dict[str, int]:
    """Store the item banks. A changed text is a new version; a vanished item is drawn no more.

    A key that was corrected here stays as it is until the file agrees: `kept` counts them, and
    list_disagreeing names them. Flushes.
    """
    quizzes = _quizzes({item.curriculum for item in items})
    stored = {item.slug: item for item in db.session.scalars(_of_curricula())}
    newest, decided = _newest_versions(), keys.list_decided()
    counts = {"added": 0, "changed": 0, "unchanged": 0, "withdrawn": 0, "kept": 0}
    for item in items:
        row = stored.pop(item.spec.id, None)
        if row is None:
            row = Item(slug=item.spec.id, quiz_id=quizzes[item.curriculum], kuk=item.spec.kuk)
            db.session.add(row)
            db.session.flush()
        counts[_load_one(item, row, newest.get(row.id, (0, "")), decided.get(row.id, ()), now)] += 1
    for row in stored.values():
        if row.withdrawn_at is None:
            row.withdrawn_at, row.withdrawn_reason = now, VANISHED
            counts["withdrawn"] += 1
    db.session.flush()
    note_laws()
    return counts


def _load_one(
    item: "BankItem",
    row: Item,
    newest: tuple[int, str],
    decided: Sequence[keys.Decided],
    now: datetime,
) -> str:
    """Store one item unless it is there; return what was done, as `load` counts it."""
    if row.withdrawn_reason == VANISHED:
        row.withdrawn_at, row.withdrawn_reason = None, ""
    number, digest = newest
    if digest == item.spec.digest and row.withdrawn_reason != WRONG_KEY:
        return "unchanged"
    if _brings_back(item, decided):
        return "kept"
    if row.withdrawn_reason == WRONG_KEY:
        row.withdrawn_at, row.withdrawn_reason = None, ""
    db.session.add(_version(row.id, number + 1, item, now))
    return "changed" if number else "added"


def _brings_back(item: "BankItem", decided: Sequence[keys.Decided]) -> bool:
    return rules.brings_back(
        item.spec.digest,
        item.spec.calls_right,
        [(one.wrong_digest, one.wrong, one.right) for one in decided],
    )


def list_disagreeing(items: "Sequence[BankItem]") -> list[keys.Decided]:
    """Return the last word on each item whose file still holds a key that was found wrong."""
    decided = {found[0].slug: found for found in keys.list_decided().values()}
    return [
        decided[item.spec.id][-1]
        for item in items
        if _brings_back(item, decided.get(item.spec.id, ()))
    ]


def note_laws() -> None:
    """Note for each wording that is new here on which articles of law it stands."""
    noted = exists().where(ItemLaw.item_version_id == ItemVersion.id)
    rows = [
        {"item_version_id": row.id, "article": article}
        for row in db.session.execute(select(ItemVersion.id, ItemVersion.law_ref).where(~noted))
        for article in sorted({ref for text in row.law_ref for ref in law_rules.refs_in(text)})
    ]
    if rows:
        db.session.execute(insert_into(ItemLaw).on_conflict_do_nothing(), rows)


def _quizzes(codes: Iterable[str]) -> dict[str, int]:
    have = {quiz.curriculum_code: quiz.id for quiz in db.session.scalars(select(Quiz))}
    for code in sorted(set(codes) - have.keys()):
        quiz = Quiz(curriculum_code=code)
        db.session.add(quiz)
        db.session.flush()
        have[code] = quiz.id
    return have


def _of_curricula() -> Select[Item]:
    """Return the query of the item banks, without what trainers put together for a class."""
    return select(Item).join(Quiz, Quiz.id == Item.quiz_id).where(Quiz.for_class.is_(False))


def _newest_versions() -> dict[int, tuple[int, str]]:
    rows = db.session.execute(
        select(ItemVersion.item_id, ItemVersion.number, ItemVersion.digest).order_by(
            ItemVersion.number
        )
    )
    return {row.item_id: (row.number, row.digest) for row in rows}


def _version(item_id: int, number: int, item: "BankItem", now: datetime) -> ItemVersion:
    spec = item.spec
    return ItemVersion(
        item_id=item_id,
        number=number,
        digest=spec.digest,
        level=spec.level,
        **spec.columns(),
        source=spec.source,
        law_ref=spec.law_ref,
        checked_on=spec.checked_on,
        reviewed=spec.reviewed,
        created_at=now,
    )


_QUIZ = select(Quiz.id, Quiz.minutes).where(Quiz.curriculum_code == bindparam("curriculum"))


def open_attempt(
    person_id: int, curriculum: str, *, now: datetime, random: Random | None = None
) -> AttemptRef:
    """Open a sitting and draw its items; one that is running is given back, its clock going on.

    Raises NotFound and a rules.Refusal that says why not. Flushes.
    """
    found = competency.current()
    state = quiz_state(person_id, curriculum, now, found=found)
    if state.running is not None:
        if state.running.paused_at is not None:
            timing.resume(state.running.id, now=now)
        return AttemptRef(state.running.public_id, curriculum, person_id)
    if state.passed:
        raise rules.NothingToAsk(curriculum)
    if state.next.state is TryState.COACHING:
        raise rules.NeedsCoaching(curriculum)
    if state.next.at is not None:
        raise rules.TooSoon(state.next.at)
    [(quiz_id, minutes)] = read(_QUIZ, {"curriculum": curriculum})
    allowed = timing.time_for(person_id, minutes, now)
    # Nobody can guess the seed; the draw itself is stored, so it need not be repeated.
    chance = random or Random(secrets.randbits(256))  # noqa: S311  # seeded from secrets
    drawn = deal(
        rules.draw(
            {code: found.standard.shown_for(found.standard.find(code)) for code in state.scope},
            _bank(quiz_id),
            _seen(quiz_id, person_id),
            chance,
        ),
        chance,
    )
    return begin(
        AttemptRef("", curriculum, person_id),
        quiz_id=quiz_id,
        number=len(state.closed) + 1,
        kuk=state.scope,
        drawn=drawn,
        deadline_at=None if allowed is None else now + allowed,
        now=now,
    )


def begin(
    asked: AttemptRef,
    *,
    quiz_id: int,
    number: int,
    kuk: Sequence[str],
    drawn: Sequence[rules.Draw],
    deadline_at: datetime | None,
    now: datetime,
) -> AttemptRef:
    """Write a sitting down with what was drawn; a double click gets the first one. Flushes.

    Whether it may begin is for the caller to say.
    """
    ref = AttemptRef(public_id(), asked.curriculum, asked.person_id)
    direct = db.session.connection()
    opened, draw = _opening(db.engine.dialect.name)
    begun = direct.execute(
        opened,
        {
            "public_id": ref.public_id,
            "quiz_id": quiz_id,
            "person_id": ref.person_id,
            "number": number,
            "kuk": list(kuk),
            "opened_at": now,
            "deadline_at": deadline_at,
        },
    ).first()
    if begun is None:
        # A double click: the other request was first, and this one gives back what it opened.
        return _newest_ref(quiz_id, asked.curriculum, asked.person_id)
    direct.execute(
        draw,
        [
            {
                "attempt_id": begun.id,
                "item_version_id": line.version,
                "position": position,
                "option_order": line.order,
            }
            for position, line in enumerate(drawn, 1)
        ],
    )
    return ref


@cache
def _opening(_dialect: str) -> tuple[Executable, Executable]:
    """Return the statements of `begin`, put together once: of the sitting and of what was drawn."""
    once = insert_into(Attempt).on_conflict_do_nothing().returning(Attempt.id)
    return once, insert_into(AttemptItem)


def deal(drawn: Sequence[rules.Draw], random: Random) -> list[rules.Draw]:
    """Give each question that has no order of options yet the one of its type. A query if any."""
    versions = [line.version for line in drawn if not line.order]
    if not versions:
        return list(drawn)
    rows = db.session.scalars(select(ItemVersion).where(ItemVersion.id.in_(versions)))
    asked = {row.id: asked_of(row) for row in rows}
    return [
        rules.Draw(line.version, asked[line.version].type.deal(asked[line.version].body, random))
        if line.version in asked
        else line
        for line in drawn
    ]


def _newest_ref(quiz_id: int, curriculum: str, person_id: int) -> AttemptRef:
    public_id = db.session.scalars(
        select(Attempt.public_id)
        .where(Attempt.quiz_id == quiz_id, Attempt.person_id == person_id)
        .order_by(Attempt.number.desc())
        .limit(1)
    ).one()
    return AttemptRef(public_id, curriculum, person_id)


def _bank(quiz_id: int) -> dict[str, list[rules.Candidate]]:
    """Return what may be drawn: the newest version of each item that is in use.

    What stands on an article that was marked superseded here is left out.
    """
    withheld = _withheld()
    rows = read(_find_bank(), {"quiz": quiz_id})
    bank: dict[str, list[rules.Candidate]] = defaultdict(list)
    for row in rows:
        if row.version not in withheld:
            bank[row.kuk].append(rules.Candidate(row.id, row.version, bool(row.key)))
    return bank


@cache
def _find_bank() -> Select[*tuple[Any, ...]]:
    """Return the statement of `_bank`, put together once."""
    newest = (
        select(func.max(ItemVersion.id).label("id"))
        .join(Item, Item.id == ItemVersion.item_id)
        .where(Item.quiz_id == bindparam("quiz"), Item.withdrawn_at.is_(None))
        .group_by(Item.id)
        .subquery()
    )
    return (
        select(Item.id, Item.kuk, ItemVersion.id.label("version"), ItemVersion.key)
        .join(ItemVersion, ItemVersion.item_id == Item.id)
        .join(newest, newest.c.id == ItemVersion.id)
        .order_by(Item.id)
    )


_WITHHELD = select(ItemLaw.item_version_id).where(ItemLaw.article.in_(laws.SUPERSEDED))


def _withheld() -> frozenset[int]:
    """Return the wordings that stand on a superseded article. One query."""
    return frozenset(row.item_version_id for row in read(_WITHHELD, {}))


@dataclass(frozen=True, slots=True)
class Citing:
    """An item in use whose newest wording stands on an article of law."""

    slug: str
    curriculum: str
    kuk: str
    stem: str


def list_items(article: str) -> list[Citing]:
    """Return the items in use that stand on an article. One query."""
    rows = db.session.execute(
        select(Item.slug, Quiz.curriculum_code, Item.kuk, ItemVersion.stem)
        .join(Quiz, Quiz.id == Item.quiz_id)
        .join(ItemVersion, ItemVersion.item_id == Item.id)
        .join(ItemLaw, ItemLaw.item_version_id == ItemVersion.id)
        .where(ItemLaw.article == article, Item.withdrawn_at.is_(None), _is_newest())
        .order_by(Item.slug)
    )
    return [Citing(*row) for row in rows]


def count_items() -> dict[str, int]:
    """Return article to how many items in use stand on it. One query."""
    rows = db.session.execute(
        select(ItemLaw.article, func.count())
        .join(ItemVersion, ItemVersion.id == ItemLaw.item_version_id)
        .join(Item, Item.id == ItemVersion.item_id)
        .where(Item.withdrawn_at.is_(None), _is_newest())
        .group_by(ItemLaw.article)
    )
    return {article: count for article, count in rows}


def _is_newest() -> ColumnElement[bool]:
    newer = aliased(ItemVersion)
    return ~exists().where(newer.item_id == ItemVersion.item_id, newer.number > ItemVersion.number)


def _seen(quiz_id: int, person_id: int) -> dict[int, int]:
    """Return in which sitting the person last met each item, in any wording."""
    rows = read(_find_seen(), {"quiz": quiz_id, "person": person_id})
    return {row.item_id: row.number for row in rows}


@cache
def _find_seen() -> Select[*tuple[Any, ...]]:
    """Return the statement of `_seen`, put together once."""
    return (
        select(ItemVersion.item_id, func.max(Attempt.number).label("number"))
        .join(AttemptItem, AttemptItem.item_version_id == ItemVersion.id)
        .join(Attempt, Attempt.id == AttemptItem.attempt_id)
        .where(Attempt.quiz_id == bindparam("quiz"), Attempt.person_id == bindparam("person"))
        .group_by(ItemVersion.item_id)
    )


def save_answer(
    ref: AttemptRef,
    *,
    position: int,
    client_key: str,
    seq: int,
    choice: int | None,
    flagged: bool | None,
    now: datetime,
    values: Sequence[str] | None = None,
    execute: Execute = in_session,
) -> Saved:
    """Store what a page sent about one question; None leaves the answer or the flag as it is.

    The answer is a `choice` or, to a question of another type, the `values` of its fields.

    The same `client_key` again is the same answer: nothing is stored and the receipt is the first
    one. An answer that a later one overtook is kept, but the receipt says that it does not count.
    Raises NotFound, rules.AttemptClosed, rules.TimeUp, rules.KeyReused, types.BadResponse. Two
    queries, by `execute`: it may be a small write that shares its transaction, so nothing else is
    asked here.
    """
    place = _place(ref, position, client_key, now, execute)
    response = _response(place, choice, values)
    event = {
        "attempt_id": place.attempt_id,
        "attempt_item_id": place.item_id,
        "client_key": client_key,
        "seq": seq,
        "choice": choice,
        "flagged": flagged,
        "received_at": now,
        "response": response,
    }
    words = None
    if response is not None and TYPES[Kind(place.kind)].by_hand:
        words = len(response["text"].split())
    counts = (choice is None and response is None) or seq >= (place.seq or 0)
    deadline = None if place.paused_at is not None else place.deadline_at
    if place.event_id is not None:
        return Saved(_same(place, event), counts, deadline, response, words)
    if _store(event, execute):
        return Saved(now, counts, deadline, response, words)
    # The same request arrived twice at once and the other one was first.
    again = _place(ref, position, client_key, now, execute)
    return Saved(_same(again, event), counts, deadline, response, words)


def _response(place: AnyRow, choice: int | None, values: Sequence[str] | None) -> Response | None:
    """Return the answer that is no choice. Raises types.BadResponse at one of another type."""
    if place.kind != Kind.SINGLE:
        if choice is not None:
            raise BadResponse(str(choice))
        return None if values is None else TYPES[Kind(place.kind)].read(values)
    if values or (choice is not None and choice > len(place.option_order)):
        raise BadResponse(str(choice))
    return None


def save_page(
    ref: AttemptRef,
    *,
    position: int,
    seq: int,
    choice: int | None,
    flagged: bool,
    now: datetime,
    values: Sequence[str] = (),
    execute: Execute = in_session,
) -> None:
    """Store a question page that was sent without a script; `seq` is what the page began with.

    Raises NotFound, rules.AttemptClosed, rules.TimeUp, types.BadResponse. Two queries, by
    `execute`; see save_answer.
    """
    client_key = str(uuid.uuid4())
    place = _place(ref, position, client_key, now, execute)
    response = _response(place, choice, values)
    if response and place.seq is None and TYPES[Kind(place.kind)].is_blank(response):
        response = None  # a page that was only looked at is no answer
    event = {
        "attempt_id": place.attempt_id,
        "attempt_item_id": place.item_id,
        "client_key": client_key,
        "seq": rules.next_seq(seq, place.seq),
        "choice": choice,
        "flagged": flagged,
        "received_at": now,
        "response": response,
    }
    _store(event, execute)


def _store(event: Mapping[str, object], execute: Execute) -> bool:
    """Append an event; tell whether its key was new."""
    return bool(execute(insert_once_statement(AnswerEvent, frozenset(event)), event))


def _place(
    ref: AttemptRef, position: int, client_key: str, now: datetime, execute: Execute
) -> AnyRow:
    """Find the question an answer is for, the event of this key, and the highest seq.

    Holds the sitting until the transaction ends, so that it cannot be handed in between this
    look and the answer. Others may save meanwhile. Raises NotFound, rules.AttemptClosed,
    rules.TimeUp.
    """
    asked = {"sitting": ref.public_id, "place": position, "client_key": client_key}
    rows = execute(_find_place(), asked)
    if not rows or not is_own(ref, rows[0].person_id, rows[0].curriculum_code):
        raise NotFound(ref.public_id)
    row: AnyRow = rows[0]
    if row.item_id is None:
        raise NotFound(ref.public_id)
    if row.closed_at is not None:
        raise rules.AttemptClosed(ref.public_id)
    if row.event_id is None and rules.is_over(row.deadline_at, row.paused_at, now):
        raise rules.TimeUp(ref.public_id)
    return row


@cache
def _find_place() -> Select[*tuple[Any, ...]]:
    """Return the statement of `_place`, put together once: it runs for every answer."""
    same, other = aliased(AnswerEvent), aliased(AnswerEvent)
    highest = (
        select(func.max(other.seq))
        .where(
            other.attempt_item_id == AttemptItem.id,
            or_(other.choice.is_not(None), other.response.is_not(None)),
        )
        .scalar_subquery()
    )
    return (
        select(
            Attempt.id.label("attempt_id"),
            Attempt.person_id,
            Attempt.closed_at,
            Attempt.deadline_at,
            Attempt.paused_at,
            AttemptItem.id.label("item_id"),
            AttemptItem.option_order,
            ItemVersion.kind,
            Quiz.curriculum_code,
            highest.label("seq"),
            same.id.label("event_id"),
            same.attempt_item_id.label("event_item_id"),
            same.choice,
            same.flagged,
            same.response,
            same.received_at,
        )
        .join(Quiz, Quiz.id == Attempt.quiz_id)
        .join(
            AttemptItem,
            (AttemptItem.attempt_id == Attempt.id) & (AttemptItem.position == bindparam("place")),
            isouter=True,
        )
        .join(ItemVersion, ItemVersion.id == AttemptItem.item_version_id, isouter=True)
        .join(
            same,
            (same.attempt_id == Attempt.id) & (same.client_key == bindparam("client_key")),
            isouter=True,
        )
        .where(Attempt.public_id == bindparam("sitting"))
        .with_for_update(read=True, of=Attempt)
    )


def _same(place: AnyRow, event: Mapping[str, object]) -> datetime:
    """Return when the stored event of this key arrived. Raises rules.KeyReused if it differs."""
    known = (place.event_item_id, place.choice, place.flagged, place.response)
    if known != tuple(event[name] for name in ("attempt_item_id", "choice", "flagged", "response")):
        raise rules.KeyReused(str(event["client_key"]))
    at: datetime = place.received_at
    return at


# Put together once: that costs more than running them.
_CLOSE = (
    update(Attempt)
    .where(Attempt.id == bindparam("attempt"), Attempt.closed_at.is_(None))
    .values(closed_at=bindparam("at"))
)
_TO_MARK = (
    select(
        AttemptItem.id,
        AttemptItem.item_version_id,
        AttemptItem.option_order,
        ItemVersion.item_id,
        ItemVersion.key,
        ItemVersion.kind,
        ItemVersion.stem,
        ItemVersion.body,
        Item.kuk,
        Item.withdrawn_at,
    )
    .join(ItemVersion, ItemVersion.id == AttemptItem.item_version_id)
    .join(Item, Item.id == ItemVersion.item_id)
    .where(AttemptItem.attempt_id == bindparam("attempt"))
    .order_by(AttemptItem.position)
)


def submit(ref: AttemptRef, *, now: datetime) -> None:
    """Hand a sitting in: close it and append one Q row per item. Again changes nothing.

    When its time is over it has ended then, however late it is handed in. Raises NotFound. Flushes.
    """
    attempt = get_attempt(ref)
    keys.hold(ref.curriculum)
    ended = now
    if rules.is_over(attempt.deadline_at, attempt.paused_at, now):
        ended = rules.end_of_time(attempt.deadline_at, now)
    # First the lock, then the answers: a save that was let in before is waited for and read.
    direct = db.session.connection()
    if direct.execute(_CLOSE, {"attempt": attempt.id, "at": ended}).rowcount != 1:
        return
    rows = read(_TO_MARK, {"attempt": attempt.id})
    # A key corrected while the sitting ran: it is marked by the one that is right.
    corrected = keys.newest_keys({row.item_version_id: row.item_id for row in rows})
    drawn = [
        rules.Drawn(
            id=row.id,
            version=now_is.version if now_is else row.item_version_id,
            kuk=row.kuk,
            order=row.option_order,
            key=now_is.key if now_is else row.key,
            withdrawn=row.withdrawn_at is not None or corrected.get(row.item_version_id, 0) is None,
            asked=stored.find(now_is.kind, row.stem, now_is.body)
            if now_is
            else stored.find(row.kind, row.stem, row.body),
        )
        for row in rows
        for now_is in [corrected.get(row.item_version_id)]
    ]
    events = events_of(attempt.id)
    marks = rules.score_attempt(drawn, rules.latest(events))
    end = max([ended, attempt.opened_at, *(event.at for event in events)])
    if end > ended:  # the clock was set back meanwhile: nothing ends before its last answer
        db.session.execute(update(Attempt).where(Attempt.id == attempt.id).values(closed_at=end))
    if attempt.for_class:
        return  # nothing of it is evidence
    competency.append(
        [
            NewEvidence(
                person_id=ref.person_id,
                kind=EvidenceKind.Q,
                kuk=mark.question.kuk,
                source=ref.curriculum,
                group=ref.public_id,
                ref=str(mark.question.version),
                passed=mark.right,
                happened_at=end,
            )
            for mark in marks
            if mark.counts
        ],
        standard_id=competency.current().id,
        now=now,
    )
