"""What trainers do with collections of questions. Services flush; entry points commit."""

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from lms.accounts.models import Person
from lms.cohorts import organisations
from lms.cohorts.models import Organisation, Part
from lms.core import audit
from lms.core.db import db, insert_into, unit_of_work
from lms.core.errors import DomainError, Forbidden, NotFound
from lms.core.login import Viewer
from lms.quizzes.collections import due, rules
from lms.quizzes.collections.models import (
    CollectedImage,
    CollectedQuestion,
    CollectedTag,
    ImportState,
    QuestionCollection,
    QuestionImage,
    QuestionImport,
)
from lms.quizzes.exchange import formats, stored
from lms.quizzes.exchange.batch import Batch, Written
from lms.quizzes.exchange.model import Question
from lms.quizzes.exchange.texts import plain

log = logging.getLogger(__name__)

PAGE = 50
"""Collections of one page of the list."""
PREVIEW = 20
"""Questions of one page, shown as they will look."""
WAIT = 20.0
"""Seconds a file waits for the one that is being read."""


class Busy(DomainError):
    """Another file is being read; this one must be sent again a little later."""


@dataclass(frozen=True, slots=True)
class CollectionLine:
    """One collection in a list."""

    collection: QuestionCollection
    owner: str
    organisation: str | None
    questions: int


@dataclass(frozen=True, slots=True)
class ImportLine:
    """One file of a collection."""

    batch: QuestionImport
    by: str
    kept: int
    """Questions that may be used."""
    withdrawn: int


@dataclass(frozen=True, slots=True)
class Line:
    """One question as a page shows it."""

    row: CollectedQuestion
    question: Question


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of the questions of a file that was taken back."""

    deleted: int
    withdrawn: int


# Collections


def may_see(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that a collection is one the viewer may look into."""
    if "admin" in viewer.roles:
        return true()
    own = [one.id for one in organisations.organisations_of(viewer.id, Part.STAFF)]
    return or_(
        QuestionCollection.shared,
        QuestionCollection.owner_id == viewer.id,
        QuestionCollection.organisation_id.in_(own),
    )


def list_collections(viewer: Viewer, *, page: int = 1) -> tuple[list[CollectionLine], int]:
    """Return one page of the collections a viewer may look into by title, and how many there are.

    Three queries.
    """
    count = (
        select(func.count(CollectedQuestion.id))
        .join(QuestionImport, QuestionImport.id == CollectedQuestion.import_id)
        .where(CollectedQuestion.collection_id == QuestionCollection.id, *in_use())
        .correlate(QuestionCollection)
        .scalar_subquery()
    )
    seen = may_see(viewer)
    rows = db.session.execute(
        select(QuestionCollection, Person.name, Organisation.name, count)
        .join(Person, Person.id == QuestionCollection.owner_id)
        .join(Organisation, Organisation.id == QuestionCollection.organisation_id, isouter=True)
        .where(seen)
        .order_by(QuestionCollection.title, QuestionCollection.id)
        .limit(PAGE)
        .offset((page - 1) * PAGE)
    )
    lines = [CollectionLine(*row) for row in rows]
    total = db.session.scalar(select(func.count()).select_from(QuestionCollection).where(seen))
    return lines, total or 0


def in_use() -> tuple[ColumnElement[bool], ...]:
    """Return the conditions that a question, joined with its file, may be put into a quiz."""
    return (
        QuestionImport.state == ImportState.CONFIRMED,
        CollectedQuestion.withdrawn_at.is_(None),
        CollectedQuestion.kind.in_(rules.ASKED),
    )


def create_collection(
    title: str, *, organisation_id: int | None, shared: bool, viewer: Viewer, now: datetime
) -> QuestionCollection:
    """Begin a collection. Raises NotFound for an organisation that is not the viewer's. Flushes."""
    _check_organisation(organisation_id, viewer)
    made = QuestionCollection(
        title=title,
        organisation_id=organisation_id,
        owner_id=viewer.id,
        shared=shared,
        created_at=now,
    )
    db.session.add(made)
    db.session.flush()
    _note_collection("create", made, viewer, now)
    return made


def update_collection(
    public_id: str,
    title: str,
    *,
    organisation_id: int | None,
    shared: bool,
    viewer: Viewer,
    now: datetime,
) -> QuestionCollection:
    """Change what a collection is called and whose it is. Raises NotFound, Forbidden. Flushes."""
    found = get_collection(public_id, viewer, change=True)
    if organisation_id != found.organisation_id:
        _check_organisation(organisation_id, viewer)
    found.title, found.organisation_id, found.shared = title, organisation_id, shared
    db.session.flush()
    _note_collection("change", found, viewer, now)
    return found


def _note_collection(verb: str, found: QuestionCollection, viewer: Viewer, now: datetime) -> None:
    audit.record(
        f"collections.{verb}",
        f"question_collection:{found.id}",
        actor_id=viewer.id,
        now=now,
        organisation=found.organisation_id,
        shared=found.shared,
    )


def _check_organisation(organisation_id: int | None, viewer: Viewer) -> None:
    if organisation_id is not None and organisation_id not in {
        one.id for one in own_organisations(viewer)
    }:
        raise NotFound(str(organisation_id))


def own_organisations(viewer: Viewer) -> Sequence[Organisation]:
    """Return the organisations a viewer may keep a collection for. One query."""
    if "admin" in viewer.roles:
        return organisations.list_organisations()
    return organisations.organisations_of(viewer.id, Part.STAFF)


def rights_of(collection: QuestionCollection, viewer: Viewer) -> rules.Rights:
    """Return what a viewer may do with a collection. One query for a trainer."""
    admin = "admin" in viewer.roles
    own = [] if admin else organisations.organisations_of(viewer.id, Part.STAFF)
    return rules.rights(
        admin=admin,
        owner=collection.owner_id == viewer.id,
        colleague=collection.organisation_id in {one.id for one in own},
        trainer="trainer" in viewer.roles,
        shared=collection.shared,
        personal=collection.organisation_id is None,
    )


def get_collection(public_id: str, viewer: Viewer, *, change: bool = False) -> QuestionCollection:
    """Return a collection. Raises NotFound where it may not be seen, Forbidden if not changed."""
    found = db.session.scalar(
        select(QuestionCollection).where(QuestionCollection.public_id == public_id)
    )
    if found is None:
        raise NotFound(public_id)
    allowed = rights_of(found, viewer)
    if not allowed.see:
        log.warning("person %s asked for collection %s of others", viewer.id, public_id)
        raise NotFound(public_id)
    if change and not allowed.change:
        raise Forbidden(public_id)
    return found


# Files

_reading = threading.BoundedSemaphore(1)


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Let one file be read at a time in a process, so that memory stays bounded. Raises Busy."""
    if not _reading.acquire(timeout=WAIT):
        raise Busy
    try:
        yield
    finally:
        _reading.release()


def read(data: bytes, format_: str) -> Batch:
    """Read a file, bounded in size, time and memory. Asks no database. Raises Busy."""
    with _one_at_a_time():
        return formats.read(format_, data)


def keep(
    batch: Batch, collection_id: int, *, source: str, format_: str, actor_id: int, now: datetime
) -> QuestionImport:
    """Write a file down as a preview that nobody else sees yet.

    Older previews of the same person give way beyond five. Raises rules.CollectionFull. Flushes.
    """
    _make_room(actor_id)
    have = db.session.scalar(
        select(func.count())
        .select_from(CollectedQuestion)
        .where(CollectedQuestion.collection_id == collection_id)
    )
    if (have or 0) + len(batch.questions) > rules.MOST_QUESTIONS:
        raise rules.CollectionFull(str(have))
    made = QuestionImport(
        collection_id=collection_id,
        source=rules.file_name(source),
        format=format_,
        state=ImportState.DRAFT,
        counts=batch.counts,
        refused=batch.refused,
        problems=[one.as_dict() for one in batch.problems],
        created_by=actor_id,
        created_at=now,
        expires_at=now + rules.DRAFT_LIFE,
    )
    db.session.add(made)
    db.session.flush()
    if batch.questions:
        _write(made, batch.questions)
    return made


def _make_room(actor_id: int) -> None:
    waiting = db.session.scalars(
        select(QuestionImport.id)
        .where(QuestionImport.created_by == actor_id, QuestionImport.state == ImportState.DRAFT)
        .order_by(QuestionImport.id.desc())
        .offset(rules.MOST_DRAFTS - 1)
    ).all()
    _delete_imports(waiting)


def _write(made: QuestionImport, questions: Sequence[Question]) -> None:
    ids = db.session.scalars(
        insert(CollectedQuestion).returning(CollectedQuestion.id, sort_by_parameter_order=True),
        [
            {
                "collection_id": made.collection_id,
                "import_id": made.id,
                "position": position,
                "kind": str(one.kind),
                "code": (one.id or one.name)[: rules.STEM],
                "stem": " ".join(plain(one.stem).split())[: rules.STEM],
                "question": stored.dump(one),
            }
            for position, one in enumerate(questions, 1)
        ],
    ).all()
    tags = [
        {"question_id": id_, "label": label}
        for id_, one in zip(ids, questions, strict=True)
        for label in dict.fromkeys(one.tags.labels())
    ]
    if tags:
        db.session.execute(insert(CollectedTag), tags)
    shown = [(id_, stored.images_of(one)) for id_, one in zip(ids, questions, strict=True)]
    images = {name: image for _id, found in shown for name, image in found.items()}
    for name, image in images.items():
        row = {"digest": name, "media": image.media, "data": image.data}
        db.session.execute(insert_into(QuestionImage).on_conflict_do_nothing(), row)
    links = [{"question_id": id_, "digest": name} for id_, found in shown for name in found]
    if links:
        db.session.execute(insert(CollectedImage), links)


def get_import(
    public_id: str, viewer: Viewer, *, change: bool = False
) -> tuple[QuestionImport, QuestionCollection]:
    """Return a file and its collection. A preview is for who may change the collection.

    Raises NotFound, Forbidden.
    """
    row = db.session.execute(
        select(QuestionImport, QuestionCollection.public_id)
        .join(QuestionCollection, QuestionCollection.id == QuestionImport.collection_id)
        .where(QuestionImport.public_id == public_id)
    ).first()
    if row is None:
        raise NotFound(public_id)
    batch: QuestionImport = row[0]
    change = change or batch.state is ImportState.DRAFT
    return batch, get_collection(row[1], viewer, change=change)


def list_imports(collection_id: int) -> list[ImportLine]:
    """Return the files of a collection that were confirmed or taken back, newest first."""
    kept = func.count(CollectedQuestion.id).filter(CollectedQuestion.withdrawn_at.is_(None))
    gone = func.count(CollectedQuestion.id).filter(CollectedQuestion.withdrawn_at.is_not(None))
    rows = db.session.execute(
        select(QuestionImport, Person.name, kept, gone)
        .join(Person, Person.id == QuestionImport.created_by)
        .join(CollectedQuestion, CollectedQuestion.import_id == QuestionImport.id, isouter=True)
        .where(
            QuestionImport.collection_id == collection_id,
            QuestionImport.state != ImportState.DRAFT,
        )
        .group_by(QuestionImport.id, Person.name)
        .order_by(QuestionImport.id.desc())
        .limit(PAGE)
    )
    return [ImportLine(*row) for row in rows]


def list_drafts(collection_id: int, viewer: Viewer) -> Sequence[QuestionImport]:
    """Return the previews of a viewer that wait for confirmation, newest first."""
    return db.session.scalars(
        select(QuestionImport)
        .where(
            QuestionImport.collection_id == collection_id,
            QuestionImport.created_by == viewer.id,
            QuestionImport.state == ImportState.DRAFT,
        )
        .order_by(QuestionImport.id.desc())
    ).all()


def _move(batch: QuestionImport, old: ImportState, **values: object) -> bool:
    """Move a file on; tell whether this call did it."""
    moved = db.session.execute(
        update(QuestionImport)
        .where(QuestionImport.id == batch.id, QuestionImport.state == old)
        .values(**values)
    )
    db.session.refresh(batch)
    return bool(moved.rowcount == 1)  # type: ignore[attr-defined]  # an UPDATE has a row count


def confirm(public_id: str, viewer: Viewer, *, now: datetime) -> QuestionImport:
    """Take the questions of a preview into the collection. Again changes nothing.

    Raises NotFound, Forbidden, rules.NothingRead. Flushes.
    """
    batch, _collection = get_import(public_id, viewer, change=True)
    if not batch.counts:
        raise rules.NothingRead(public_id)
    if _move(
        batch,
        ImportState.DRAFT,
        state=ImportState.CONFIRMED,
        confirmed_by=viewer.id,
        confirmed_at=now,
    ):
        audit.record(
            "collections.confirm",
            f"question_import:{batch.id}",
            actor_id=viewer.id,
            now=now,
            questions=sum(batch.counts.values()),
            refused=batch.refused,
        )
    return batch


def discard(public_id: str, viewer: Viewer) -> QuestionCollection:
    """Throw a preview away. Raises NotFound, Forbidden, rules.Settled. Flushes."""
    batch, collection = get_import(public_id, viewer, change=True)
    if batch.state is not ImportState.DRAFT:
        raise rules.Settled(public_id)
    _delete_imports([batch.id])
    return collection


def undo(public_id: str, viewer: Viewer, *, now: datetime) -> Undone | None:
    """Take a file back: delete its questions, withdraw those that were put into a quiz.

    Again changes nothing and gives None. Raises NotFound, Forbidden. Flushes.
    """
    batch, _collection = get_import(public_id, viewer, change=True)
    moved = _move(
        batch, ImportState.CONFIRMED, state=ImportState.UNDONE, undone_by=viewer.id, undone_at=now
    )
    if not moved:
        return None
    # Whoever puts them into a quiz at this moment is waited for.
    rows = db.session.execute(
        select(CollectedQuestion.id, CollectedQuestion.used_at)
        .where(CollectedQuestion.import_id == batch.id)
        .with_for_update()
    ).all()
    unused = [row.id for row in rows if row.used_at is None]
    _delete_questions(CollectedQuestion.id.in_(unused))
    withdrawn = len(rows) - len(unused)
    db.session.execute(
        update(CollectedQuestion)
        .where(CollectedQuestion.import_id == batch.id)
        .values(withdrawn_at=now)
    )
    audit.record(
        "collections.undo",
        f"question_import:{batch.id}",
        actor_id=viewer.id,
        now=now,
        deleted=len(unused),
        withdrawn=withdrawn,
    )
    return Undone(len(unused), withdrawn)


def clear_up(now: datetime) -> int:
    """Delete previews nobody confirmed in time. Opens a unit of its own. Returns how many."""
    with unit_of_work():
        lapsed = db.session.scalars(
            select(QuestionImport.id).where(due.lapsed(now)).with_for_update(skip_locked=True)
        ).all()
        _delete_imports(lapsed)
    return len(lapsed)


def _delete_imports(ids: Sequence[int]) -> None:
    if ids:
        _delete_questions(CollectedQuestion.import_id.in_(ids))
        db.session.execute(delete(QuestionImport).where(QuestionImport.id.in_(ids)))


def _delete_questions(which: ColumnElement[bool]) -> None:
    """Delete questions with their tags, and the images nothing shows any more."""
    doomed = select(CollectedQuestion.id).where(which)
    db.session.execute(delete(CollectedTag).where(CollectedTag.question_id.in_(doomed)))
    images = db.session.scalars(
        select(CollectedImage.digest).where(CollectedImage.question_id.in_(doomed)).distinct()
    ).all()
    db.session.execute(delete(CollectedImage).where(CollectedImage.question_id.in_(doomed)))
    db.session.execute(delete(CollectedQuestion).where(which))
    shown = exists().where(CollectedImage.digest == QuestionImage.digest)
    if images:
        db.session.execute(delete(QuestionImage).where(QuestionImage.digest.in_(images), ~shown))


# Questions


@dataclass(frozen=True, slots=True)
class Filter:
    """Which questions of a collection are asked for."""

    kind: str = ""
    label: str = ""


def _questions(collection_id: int, wanted: Filter) -> Select[Any]:
    """Return the query of the confirmed questions of a collection, in their order."""
    query = (
        select(CollectedQuestion)
        .join(QuestionImport, QuestionImport.id == CollectedQuestion.import_id)
        .where(
            CollectedQuestion.collection_id == collection_id,
            QuestionImport.state == ImportState.CONFIRMED,
            CollectedQuestion.withdrawn_at.is_(None),
        )
        .order_by(CollectedQuestion.import_id, CollectedQuestion.position)
    )
    if wanted.kind:
        query = query.where(CollectedQuestion.kind == wanted.kind)
    if wanted.label:
        tagged = select(CollectedTag.question_id).where(CollectedTag.label == wanted.label)
        query = query.where(CollectedQuestion.id.in_(tagged))
    return query


def list_questions(collection_id: int, wanted: Filter, *, page: int = 1) -> tuple[list[Line], int]:
    """Return one page of questions, whole, and how many there are."""
    query = _questions(collection_id, wanted)
    total = db.session.scalar(select(func.count()).select_from(query.order_by(None).subquery()))
    return _page_of(query, page), total or 0


def list_read(import_id: int, *, page: int = 1) -> list[Line]:
    """Return one page of the questions of a file, in its order, whatever its state."""
    query = (
        select(CollectedQuestion)
        .where(CollectedQuestion.import_id == import_id)
        .order_by(CollectedQuestion.position)
    )
    return _page_of(query, page)


def _page_of(query: Select[Any], page: int) -> list[Line]:
    rows = db.session.scalars(query.limit(PREVIEW).offset((page - 1) * PREVIEW)).all()
    return [line_of(row) for row in rows]


def line_of(row: CollectedQuestion) -> Line:
    """Return a question as pages show it: `data` of an image holds its name, not its bytes."""
    return Line(row, stored.load(row.question, str.encode))


def list_all(collection_id: int, wanted: Filter) -> Sequence[CollectedQuestion]:
    """Return every question that may be put into a quiz, to choose from."""
    query = _questions(collection_id, wanted).where(CollectedQuestion.kind.in_(rules.ASKED))
    return db.session.scalars(query).all()


def count_labels(collection_id: int) -> dict[str, int]:
    """Return each tag of a collection with how many of its questions carry it."""
    rows = db.session.execute(
        select(CollectedTag.label, func.count())
        .join(CollectedQuestion, CollectedQuestion.id == CollectedTag.question_id)
        .join(QuestionImport, QuestionImport.id == CollectedQuestion.import_id)
        .where(CollectedQuestion.collection_id == collection_id, *in_use())
        .group_by(CollectedTag.label)
        .order_by(CollectedTag.label)
    )
    return {label: count for label, count in rows}


def count_kinds(collection_id: int) -> dict[str, int]:
    """Return each type of a collection with how many questions are of it."""
    rows = db.session.execute(
        select(CollectedQuestion.kind, func.count())
        .join(QuestionImport, QuestionImport.id == CollectedQuestion.import_id)
        .where(
            CollectedQuestion.collection_id == collection_id,
            QuestionImport.state == ImportState.CONFIRMED,
            CollectedQuestion.withdrawn_at.is_(None),
        )
        .group_by(CollectedQuestion.kind)
        .order_by(CollectedQuestion.kind)
    )
    return {kind: count for kind, count in rows}


def withdraw_question(public_id: str, question_id: str, viewer: Viewer, *, now: datetime) -> bool:
    """Let a question go into no further quiz; tell whether this call did it.

    Raises NotFound, Forbidden. Flushes.
    """
    collection = get_collection(public_id, viewer, change=True)
    row = db.session.execute(
        update(CollectedQuestion)
        .where(
            CollectedQuestion.collection_id == collection.id,
            CollectedQuestion.public_id == question_id,
            CollectedQuestion.withdrawn_at.is_(None),
        )
        .values(withdrawn_at=now)
        .returning(CollectedQuestion.id)
    ).first()
    if row is None:
        return False
    audit.record(
        "collections.withdraw", f"collected_question:{row.id}", actor_id=viewer.id, now=now
    )
    return True


def take(ids: Iterable[int], *, now: datetime) -> dict[int, Line]:
    """Hold questions that go into a quiz, so that they are not deleted any more. Flushes.

    What was withdrawn or deleted meanwhile is left out.
    """
    wanted = list(ids)
    rows = db.session.scalars(
        select(CollectedQuestion).where(CollectedQuestion.id.in_(wanted)).with_for_update()
    ).all()
    kept = [row for row in rows if row.withdrawn_at is None]
    for row in kept:
        row.used_at = row.used_at or now
    db.session.flush()
    wanted_images = select(CollectedImage.digest).where(CollectedImage.question_id.in_(wanted))
    images = _bytes(wanted_images)
    return {row.id: Line(row, stored.load(row.question, images.__getitem__)) for row in kept}


def _bytes(digests: Select[str]) -> Mapping[str, bytes]:
    """Return the bytes of images by their names."""
    rows = db.session.execute(
        select(QuestionImage.digest, QuestionImage.data).where(QuestionImage.digest.in_(digests))
    )
    return {digest: data for digest, data in rows}


# Giving out


def export(questions: Sequence[Question], format_: str) -> Written:
    """Write questions in a format, with the list of what it cannot hold."""
    return formats.write(format_, questions)


def whole(collection_id: int, *, import_id: int | None = None) -> list[Question]:
    """Return all questions of a collection, or of one of its files, with their images."""
    query = _questions(collection_id, Filter())
    if import_id is not None:
        query = query.where(CollectedQuestion.import_id == import_id)
    rows = db.session.scalars(query).all()
    wanted = (
        select(CollectedImage.digest)
        .join(CollectedQuestion, CollectedQuestion.id == CollectedImage.question_id)
        .where(CollectedQuestion.collection_id == collection_id)
    )
    images = _bytes(wanted)
    return [stored.load(row.question, images.__getitem__) for row in rows]


def find_image(digest: str) -> QuestionImage:
    """Return an image by its name. Raises NotFound."""
    found = db.session.get(QuestionImage, digest)
    if found is None:
        raise NotFound(digest)
    return found
