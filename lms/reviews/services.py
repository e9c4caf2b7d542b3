"""Reading, signing and commenting on texts. Services flush; entry points commit."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, bindparam, func, select, update

from lms.accounts import services as accounts
from lms.core import audit
from lms.core.db import db, insert_once
from lms.core.errors import NotFound
from lms.core.login import Viewer
from lms.core.reviewing import Copy, Listed, Mark, Marks, Passage
from lms.reviews import labels, rules, texts
from lms.reviews.models import ReviewComment, Reviewer, ReviewSignature
from lms.reviews.rules import Expertise, Kind, Sealed, State


@dataclass(frozen=True, slots=True)
class Line:
    """One text in the queue, and how it stands."""

    text: Listed
    signatures: int
    comments: int
    """Open ones."""

    @property
    def reviewed(self) -> bool:
        """Tell whether it counts as reviewed."""
        return rules.is_reviewed(self.text.reviewed, self.signatures)

    @property
    def key(self) -> str:
        """Name it among all texts."""
        return f"{self.text.kind}/{self.text.code}"

    @property
    def address(self) -> dict[str, str]:
        """Return what names it in an address."""
        return {"kind": labels.ADDRESSES[Kind(self.text.kind)], "code": self.text.code}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a reader wants to see of the queue."""

    curriculum: str = ""
    kind: Kind | None = None
    state: State = State.ALL

    def takes(self, line: Line) -> bool:
        """Tell whether a text is of the wanted curriculum and kind, whatever its state."""
        return self.curriculum in ("", line.text.curriculum) and self.kind in (
            None,
            line.text.kind,
        )

    def fits(self, line: Line) -> bool:
        """Tell whether a text belongs into the list."""
        return self.takes(line) and rules.fits(
            self.state, reviewed=line.reviewed, comments=line.comments
        )


@dataclass(frozen=True, slots=True)
class Queue:
    """The texts somebody may read, in order, with what is closed to them now."""

    lines: tuple[Line, ...]
    sealed: Sealed
    closed: frozenset[str] = frozenset()
    """Keys of the texts they are still to be tested on."""

    def find(self, kind: Kind, code: str) -> Line:
        """Return one text. Raises NotFound, and rules.Closed for one they are to be tested on."""
        wanted = f"{kind.value}/{code}"
        found = next((line for line in self.lines if line.key == wanted), None)
        if found is None:
            raise rules.Closed(wanted) if wanted in self.closed else NotFound(wanted)
        return found

    def choose(self, asked: Asked) -> list[Line]:
        """Return what was asked for, unsigned texts first."""
        return sorted((one for one in self.lines if asked.fits(one)), key=lambda one: one.reviewed)

    def count(self, asked: Asked) -> tuple[int, int]:
        """Return how many texts of the wanted curriculum and kind are reviewed, and all of them."""
        found = [one for one in self.lines if asked.takes(one)]
        return sum(one.reviewed for one in found), len(found)

    def around(self, line: Line, asked: Asked) -> tuple[Line | None, Line | None]:
        """Return the texts before and after one, among those asked for."""
        by_key = {one.key: one for one in self.lines}
        kept = {one.key for one in self.lines if asked.fits(one)}
        before, after = rules.neighbours(list(by_key), line.key, kept)
        return by_key.get(before), by_key.get(after)


def read_queue(viewer: Viewer, *, now: datetime) -> Queue:
    """Return every text somebody may read. About nine queries, up to six more for a trainee.

    Cost grows with the texts of the whole curriculum (about a thousand) and their signatures.
    """
    sealed = texts.sealed_for(viewer, now=now)
    everything = texts.list_texts()
    found = [one for one in everything if not sealed.hides(one.kind, one.code, one.curriculum)]
    signed, comments = _count_signatures(), _count_comments()
    return Queue(
        tuple(
            Line(one, signed.get((one.kind, *one.copy), 0), comments.get((one.kind, one.code), 0))
            for one in texts.in_order(found)
        ),
        sealed,
        frozenset(
            f"{one.kind}/{one.code}"
            for one in everything
            if sealed.refuses(one.kind, one.code, one.curriculum)
        ),
    )


def _count_signatures() -> dict[tuple[str, str, str], int]:
    columns = ReviewSignature.kind, ReviewSignature.code, ReviewSignature.digest
    rows = db.session.execute(
        select(*columns, func.count().label("number"))
        .where(ReviewSignature.withdrawn_at.is_(None))
        .group_by(*columns)
    )
    return {(row.kind, row.code, row.digest): row.number for row in rows}


def _count_comments() -> dict[tuple[str, str], int]:
    columns = ReviewComment.kind, ReviewComment.code
    rows = db.session.execute(
        select(*columns, func.count().label("number"))
        .where(ReviewComment.resolved_at.is_(None))
        .group_by(*columns)
    )
    return {(row.kind, row.code): row.number for row in rows}


def count_done() -> Mapping[str, tuple[int, int]]:
    """Return kind to how many texts are reviewed, and how many there are: no text, only counts."""
    signed = _count_signatures()
    return rules.count_done(
        (one.kind, rules.is_reviewed(one.reviewed, signed.get((one.kind, *one.copy), 0)))
        for one in texts.list_texts()
    )


# Put together once: that costs more than running it.
_SIGNED = (
    select(
        ReviewSignature.code,
        ReviewSignature.digest,
        ReviewSignature.name,
        ReviewSignature.field,
        ReviewSignature.at,
    )
    .where(
        ReviewSignature.kind == bindparam("kind"),
        ReviewSignature.code.in_(bindparam("codes", expanding=True)),
        ReviewSignature.withdrawn_at.is_(None),
    )
    .order_by(ReviewSignature.id)
)


def marks_of(kind: str, copies: Collection[Copy]) -> Marks:
    """Return the signatures under these very texts, oldest first. One query.

    Registered with core.reviewing, for the pages of the features that own the texts.
    """
    wanted = set(copies)
    codes = sorted({code for code, _digest in wanted})
    rows = db.session.connection().execute(_SIGNED, {"kind": kind, "codes": codes})
    found: dict[Copy, tuple[Mark, ...]] = {}
    for row in rows:
        copy = row.code, row.digest
        if copy in wanted:
            mark = Mark(row.name, str(labels.FIELDS[row.field]), row.at)
            found[copy] = (*found.get(copy, ()), mark)
    return found


@dataclass(frozen=True, slots=True)
class Signed:
    """One signature under one text, for its page."""

    mark: Mark
    reviewer_id: int
    is_current: bool
    """Under the text as it is now; else it was an earlier one."""
    may_undo: bool


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment, with who said it and who dealt with it."""

    public_id: str
    place: str
    text: str
    author_id: int
    author: str
    at: datetime
    is_current: bool
    """About the text as it is now."""
    resolved_by: str
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One text as its reviewers see it."""

    line: Line
    passages: tuple[Passage, ...]
    signed: tuple[Signed, ...]
    comments: Mapping[str, Sequence[Comment]]
    """Place to comments; those whose place is gone stand under the empty one."""
    expertise: Expertise | None
    """The reader's own; None: they cannot sign."""
    before: Line | None
    after: Line | None

    @property
    def mine(self) -> Signed | None:
        """Return the signature of the reader under this very text, marked by `may_undo`."""
        return next((one for one in self.signed if one.is_current and one.may_undo), None)

    def has_signed(self, person_id: int) -> bool:
        """Tell whether somebody signed this very text."""
        return any(one.is_current and one.reviewer_id == person_id for one in self.signed)


def read_page(kind: Kind, code: str, viewer: Viewer, asked: Asked, *, now: datetime) -> Page:
    """Return one text with signatures and comments. Raises NotFound.

    The queries of the queue and at most eight more.
    """
    queue = read_queue(viewer, now=now)
    line = queue.find(kind, code)
    passages = texts.read_text(line.text)
    before, after = queue.around(line, asked)
    return Page(
        line=line,
        passages=passages,
        signed=tuple(_signed(line.text, viewer.id, now)),
        comments=_comments(line.text, {one.place for one in passages}),
        expertise=expertise_of(viewer),
        before=before,
        after=after,
    )


def _signed(text: Listed, viewer_id: int, now: datetime) -> list[Signed]:
    rows = db.session.scalars(
        select(ReviewSignature)
        .where(
            ReviewSignature.kind == text.kind,
            ReviewSignature.code == text.code,
            ReviewSignature.withdrawn_at.is_(None),
        )
        .order_by(ReviewSignature.id)
    )
    return [
        Signed(
            Mark(row.name, str(labels.FIELDS[row.field]), row.at),
            row.reviewer_id,
            row.digest == text.digest,
            row.reviewer_id == viewer_id and rules.may_undo(row.at, now),
        )
        for row in rows
    ]


def _comments(text: Listed, places: Collection[str]) -> dict[str, list[Comment]]:
    rows = db.session.scalars(
        select(ReviewComment)
        .where(ReviewComment.kind == text.kind, ReviewComment.code == text.code)
        .order_by(ReviewComment.id)
    ).all()
    names = accounts.names_of(
        {row.author_id for row in rows} | {row.resolved_by for row in rows if row.resolved_by}
    )
    found: dict[str, list[Comment]] = {}
    for row in rows:
        place = row.place if row.place in places else ""
        comment = Comment(
            row.public_id,
            row.place,
            row.text,
            row.author_id,
            names.get(row.author_id, ""),
            row.at,
            row.digest == text.digest,
            names.get(row.resolved_by or 0, ""),
            row.resolved_at,
        )
        found.setdefault(place, []).append(comment)
    return found


def expertise_of(viewer: Viewer) -> Expertise | None:
    """Return what somebody signs as; None for who is no reviewer. At most one query."""
    if "reviewer" not in viewer.roles:
        return None
    return db.session.scalar(select(Reviewer.field).where(Reviewer.person_id == viewer.id))


def find_text(kind: Kind, code: str, viewer: Viewer, *, now: datetime) -> Listed:
    """Return one text that somebody may read. Raises NotFound."""
    sealed = texts.sealed_for(viewer, now=now)
    shelf = texts.SHELVES.get(kind)
    listed = shelf.list_texts() if shelf else []
    found = next((one for one in listed if (one.kind, one.code) == (kind, code)), None)
    if found is None or sealed.hides(found.kind, found.code, found.curriculum):
        raise NotFound(f"{kind.value}/{code}")
    return found


def sign(kind: Kind, code: str, digest: str, viewer: Viewer, *, now: datetime) -> None:
    """Put a reviewer's name under the text of this digest. Flushes.

    Raises NotFound, rules.NoExpertise, rules.TextChanged, rules.AlreadySigned.
    """
    text = find_text(kind, code, viewer, now=now)
    field = expertise_of(viewer)
    if field is None:
        raise rules.NoExpertise(str(viewer.id))
    if text.digest != digest:
        raise rules.TextChanged(code)
    is_new = insert_once(
        ReviewSignature,
        kind=kind.value,
        code=code,
        digest=digest,
        reviewer_id=viewer.id,
        name=accounts.get_person_by_id(viewer.id).name,
        field=field,
        at=now,
        withdrawn_at=None,
    )
    if not is_new:
        raise rules.AlreadySigned(code)
    audit.record(
        "reviews.sign",
        f"{kind.value}:{code}",
        actor_id=viewer.id,
        now=now,
        digest=digest,
        field=field.value,
    )


def undo(kind: Kind, code: str, viewer: Viewer, *, now: datetime) -> None:
    """Take back one's own signature under the present text, within a day. Flushes.

    Raises NotFound, rules.NothingToUndo.
    """
    text = find_text(kind, code, viewer, now=now)
    undone = db.session.execute(
        update(ReviewSignature)
        .where(
            ReviewSignature.kind == kind.value,
            ReviewSignature.code == code,
            ReviewSignature.digest == text.digest,
            ReviewSignature.reviewer_id == viewer.id,
            ReviewSignature.withdrawn_at.is_(None),
            ReviewSignature.at > now - rules.UNDO,
        )
        .values(withdrawn_at=now)
    )
    if cast("CursorResult[Any]", undone).rowcount != 1:
        raise rules.NothingToUndo(code)
    audit.record(
        "reviews.undo", f"{kind.value}:{code}", actor_id=viewer.id, now=now, digest=text.digest
    )


def comment(
    kind: Kind, code: str, *, place: str, words: str, viewer: Viewer, now: datetime
) -> None:
    """Say something about one place of a text; an unknown place is the whole text. Flushes.

    Raises NotFound.
    """
    text = find_text(kind, code, viewer, now=now)
    places = {one.place for one in texts.read_text(text)}
    db.session.add(
        ReviewComment(
            kind=kind.value,
            code=code,
            digest=text.digest,
            place=place if place in places else "",
            text=words[: rules.LONGEST_COMMENT],
            author_id=viewer.id,
            at=now,
        )
    )
    db.session.flush()


def resolve(kind: Kind, code: str, public_id: str, viewer: Viewer, *, now: datetime) -> None:
    """Say that a comment was dealt with; again changes nothing. Flushes.

    Raises NotFound, rules.NotTheirs.
    """
    find_text(kind, code, viewer, now=now)
    row = db.session.execute(
        select(ReviewComment.id, ReviewComment.author_id).where(
            ReviewComment.public_id == public_id,
            ReviewComment.kind == kind.value,
            ReviewComment.code == code,
        )
    ).first()
    if row is None:
        raise NotFound(public_id)
    if not rules.may_resolve(viewer.roles, is_author=row.author_id == viewer.id):
        raise rules.NotTheirs(public_id)
    db.session.execute(
        update(ReviewComment)
        .where(ReviewComment.id == row.id, ReviewComment.resolved_at.is_(None))
        .values(resolved_by=viewer.id, resolved_at=now)
    )
