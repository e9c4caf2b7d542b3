"""The registry of law, what was marked in it, and how long ago the law was looked at.

Services flush; entry points commit.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, select
from sqlalchemy.orm import aliased

from lms.core import audit
from lms.core.db import db, insert_into, insert_once
from lms.core.errors import DomainError, NotFound
from lms.core.ids import digest_of_text
from lms.core.markdown import render
from lms.modules.law import rules
from lms.modules.law.registry import LawSpec, Registry
from lms.modules.law.rules import MarkState, Status
from lms.modules.models import Curriculum, DeltaRead, Law, LawMark, Lesson, LessonLaw

STALE = timedelta(days=180)
"""After so long somebody has to look at an article again."""


@dataclass(frozen=True, slots=True)
class Stale:
    """A lesson with a source that nobody has looked at for long."""

    code: str
    title: str
    title_en: str
    checked_on: date
    """The oldest day among its sources."""


def list_stale(today: date) -> list[Stale]:
    """Return the lessons whose sources are to be looked at again, the oldest first. One query."""
    rows = db.session.execute(
        select(Lesson.code, Lesson.title, Lesson.title_en, Lesson.sources).where(
            Lesson.retired_at.is_(None)
        )
    )
    found = [
        Stale(row.code, row.title, row.title_en, min(days))
        for row in rows
        if (days := [date.fromisoformat(one["checked_on"]) for one in row.sources])
        and today - min(days) > STALE
    ]
    return sorted(found, key=lambda one: (one.checked_on, one.code))


# The registry


def load(registry: Registry, *, now: datetime) -> dict[str, int]:
    """Store the registry of law. What left the files is retired; marks stay. Flushes."""
    counts = {"added": 0, "changed": 0, "unchanged": 0, "retired": 0}
    stored = {row.code: row for row in db.session.scalars(select(Law))}
    for position, spec in enumerate(registry.laws.values(), 1):
        row = stored.pop(spec.code, None)
        digest = digest_of_text(spec.model_dump_json())
        if row is None:
            row = Law(code=spec.code, slug=rules.slug_of(spec.code))
            db.session.add(row)
            counts["added"] += 1
        else:
            counts["unchanged" if row.digest == digest else "changed"] += 1
        _fill(row, spec, position, digest)
    for gone in stored.values():
        if gone.retired_at is None:
            gone.retired_at = now
            counts["retired"] += 1
    db.session.flush()
    return counts


def _fill(row: Law, spec: LawSpec, position: int, digest: str) -> None:
    row.position = position
    row.title = spec.title
    row.short = spec.short
    row.status = spec.status
    row.in_force_since = (
        date.fromisoformat(spec.in_force_since) if spec.in_force_since is not None else None
    )
    row.source = spec.source
    row.checked_on = date.fromisoformat(spec.checked_on)
    row.note = spec.note
    row.articles = [article.model_dump(mode="json") for article in spec.articles]
    row.digest = digest
    row.retired_at = None


def load_citations(cited: Iterable[tuple[int, int, Iterable[str]]]) -> None:
    """Note which wording of a lesson (id, version) names which articles. Flushes."""
    rows = [
        {"lesson_id": lesson, "version": version, "article": article}
        for lesson, version, articles in cited
        for article in sorted(set(articles))
    ]
    if rows:
        db.session.execute(insert_into(LessonLaw).on_conflict_do_nothing(), rows)


@dataclass(frozen=True, slots=True)
class Article:
    """One article of the registry."""

    law: Law
    ps: str
    status: Status
    """What the files say."""
    about: str
    replaced_by: str
    note: str

    @property
    def name(self) -> str:
        """Return its whole name."""
        return rules.name_of(self.law.code, self.ps)


def _articles_of(law: Law) -> Iterator[Article]:
    for one in law.articles:
        yield Article(
            law, one["ps"], Status(one["status"]), one["about"], one["replaced_by"], one["note"]
        )


def list_registry() -> list[tuple[Law, list[Article]]]:
    """Return every statute in use with its articles, in the order of the file. One query."""
    laws = db.session.scalars(select(Law).where(Law.retired_at.is_(None)).order_by(Law.position))
    return [(law, [*_articles_of(law)]) for law in laws]


def get_article(slug: str, ps: str) -> Article:
    """Return one article by its address. Raises NotFound. One query."""
    law = db.session.scalar(select(Law).where(Law.slug == slug))
    found = next((one for one in _articles_of(law) if one.ps == ps), None) if law else None
    if found is None:
        raise NotFound(f"{slug} {ps}")
    return found


def find_article(text: str) -> Article:
    """Return the one article a reference names: `UU 23/2004 ps 16`. Raises UnknownArticle."""
    try:
        cited = rules.parse(text.strip())
        (number,) = cited.articles
        return get_article(rules.slug_of(cited.law), number)
    except (rules.Unclear, ValueError, NotFound):
        raise UnknownArticle(text) from None


# What somebody marked on this installation


class UnknownArticle(DomainError):
    """The registry has no such article, or several are named."""


class NotMarked(DomainError):
    """The article is not marked: there is nothing to take back or to explain."""


class NotYet(DomainError):
    """The day lies ahead: an article is marked on the day it goes out of force."""


def is_superseding(mark: type[LawMark] = LawMark) -> ColumnElement[bool]:
    """Return what is true of a mark that holds: the newest of its article, and not taken back."""
    newer = aliased(LawMark)
    later = exists().where(newer.article == mark.article, newer.id > mark.id)
    return and_(mark.state == MarkState.SUPERSEDED, ~later)


# Put together once: that costs more than running it.
SUPERSEDED = select(LawMark.article).where(is_superseding())
"""The articles that are marked superseded here; very few rows."""


def superseded() -> frozenset[str]:
    """Return the articles that are marked superseded here. One query."""
    return frozenset(db.session.scalars(SUPERSEDED))


def list_marks() -> dict[str, LawMark]:
    """Return article to the mark that holds. One query."""
    found = db.session.scalars(select(LawMark).where(is_superseding()))
    return {mark.article: mark for mark in found}


def history_of(article: str) -> list[LawMark]:
    """Return every mark of an article, newest first. One query."""
    asked = select(LawMark).where(LawMark.article == article)
    return [*db.session.scalars(asked.order_by(LawMark.id.desc()))]


def get_mark(public_id: str) -> LawMark:
    """Return a mark that holds and has something to read. Raises NotFound."""
    asked = select(LawMark).where(LawMark.public_id == public_id, LawMark.delta_title != "")
    found = db.session.scalar(asked.where(is_superseding()))
    if found is None:
        raise NotFound(public_id)
    return found


def supersede(
    article: str,
    *,
    since: date,
    reason: str,
    replaced_by: str = "",
    delta: tuple[str, str] = ("", ""),
    actor_id: int | None,
    now: datetime,
    today: date,
) -> LawMark:
    """Mark an article superseded: its items are drawn no more, its lessons say so.

    `delta` is title and text for those who learned it. Marked again, the newest mark counts.
    Raises UnknownArticle, NotYet. Flushes.
    """
    found = find_article(article)
    if since > today:
        raise NotYet(since.isoformat())
    mark = LawMark(
        article=found.name,
        state=MarkState.SUPERSEDED,
        since=since,
        reason=reason,
        replaced_by=replaced_by,
        delta_title=delta[0],
        delta_text=delta[1],
        delta_html=render(delta[1]) if delta[1] else "",
        actor_id=actor_id,
        at=now,
    )
    return _append(mark, "modules.supersede")


def reinstate(
    article: str, *, reason: str, actor_id: int | None, now: datetime, today: date
) -> LawMark:
    """Take a mark back: the article is in force again.

    Raises UnknownArticle, NotMarked. Flushes.
    """
    old = _holding(article)
    mark = LawMark(
        article=old.article,
        state=MarkState.IN_FORCE,
        since=today,
        reason=reason,
        replaced_by="",
        delta_title="",
        delta_text="",
        delta_html="",
        actor_id=actor_id,
        at=now,
    )
    return _append(mark, "modules.reinstate")


def attach(article: str, *, title: str, text: str, actor_id: int | None, now: datetime) -> LawMark:
    """Attach a reading to the mark that holds, or another one: everybody reads that anew.

    Raises UnknownArticle, NotMarked. Flushes.
    """
    old = _holding(article)
    mark = LawMark(
        article=old.article,
        state=old.state,
        since=old.since,
        reason=old.reason,
        replaced_by=old.replaced_by,
        delta_title=title,
        delta_text=text,
        delta_html=render(text),
        actor_id=actor_id,
        at=now,
    )
    return _append(mark, "modules.delta")


def _holding(article: str) -> LawMark:
    name = find_article(article).name
    found = db.session.scalar(select(LawMark).where(LawMark.article == name, is_superseding()))
    if found is None:
        raise NotMarked(name)
    return found


def _append(mark: LawMark, action: str) -> LawMark:
    db.session.add(mark)
    db.session.flush()
    audit.record(
        action,
        f"law_mark:{mark.id}",
        actor_id=mark.actor_id,
        now=mark.at,
        article=mark.article,
        since=mark.since.isoformat(),
    )
    return mark


def note_read(mark_id: int, person_id: int, *, now: datetime) -> None:
    """Note that somebody read what changed; said twice is said once. Flushes."""
    insert_once(DeltaRead, mark_id=mark_id, person_id=person_id, at=now)


# Lessons


def lesson_in_review() -> ColumnElement[bool]:
    """Return what is true of a `Lesson` whose present wording names a superseded article."""
    return exists().where(
        LessonLaw.lesson_id == Lesson.id,
        LessonLaw.version == Lesson.version,
        LawMark.article == LessonLaw.article,
        is_superseding(),
    )


def list_reasons(lesson_id: int, version: int) -> list[LawMark]:
    """Return the marks for which a lesson is being looked at again. One query."""
    asked = select(LawMark).join(LessonLaw, LessonLaw.article == LawMark.article)
    return [
        *db.session.scalars(
            asked.where(
                LessonLaw.lesson_id == lesson_id, LessonLaw.version == version, is_superseding()
            ).order_by(LawMark.id)
        )
    ]


@dataclass(frozen=True, slots=True)
class Citing:
    """A lesson whose present wording names an article."""

    code: str
    title: str
    title_en: str
    curriculum: str
    position: int


def list_lessons(article: str) -> list[Citing]:
    """Return the lessons in use that name an article. One query."""
    rows = db.session.execute(
        select(Lesson.code, Lesson.title, Lesson.title_en, Curriculum.code, Lesson.position)
        .join(Curriculum, Curriculum.id == Lesson.curriculum_id)
        .join(LessonLaw, _present())
        .where(LessonLaw.article == article, Lesson.retired_at.is_(None))
        .order_by(Curriculum.position, Lesson.position)
    )
    return [Citing(*row) for row in rows]


def count_lessons() -> dict[str, int]:
    """Return article to how many lessons in use name it. One query."""
    rows = db.session.execute(
        select(LessonLaw.article, func.count())
        .join(Lesson, _present())
        .where(Lesson.retired_at.is_(None))
        .group_by(LessonLaw.article)
    )
    return {article: count for article, count in rows}


def _present() -> ColumnElement[bool]:
    return and_(LessonLaw.lesson_id == Lesson.id, LessonLaw.version == Lesson.version)
