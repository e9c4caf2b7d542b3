"""Load curricula and lessons, read them, finish them. Services flush; entry points commit."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from itertools import count
from typing import TYPE_CHECKING, Any

from markupsafe import Markup
from sqlalchemy import and_, select

from lms.cohorts.curricula import Offer
from lms.competency import services as competency
from lms.competency.rules import CaseStudy, EvidenceKind, Kuk, Standard
from lms.core.db import db, insert_once
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.i18n import pick
from lms.core.ids import digest_of_text
from lms.modules import laws, outlines
from lms.modules.models import Curriculum, Lesson, LessonDone, Outcome
from lms.modules.outlines import Line, Outline, list_outlines

if TYPE_CHECKING:
    from lms.modules.content import CurriculumSpec, LessonText


@dataclass(frozen=True, slots=True)
class Shown:
    """One block of a lesson, ready to print."""

    kind: str
    title: str
    minutes: int
    html: Markup
    checked_on: date | None
    """For a law block: when somebody last looked at the article."""


@dataclass(frozen=True, slots=True)
class Cited:
    """One source of a lesson."""

    ref: str
    note: str
    checked_on: date


@dataclass(frozen=True, slots=True)
class Material:
    """Something printed or filled in for a lesson. This feature knows no more of it."""

    code: str
    kind: str
    title: str
    title_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Everything the page of one lesson shows."""

    outline: Outline
    line: Line
    objective: str
    reflection: str
    blocks: tuple[Shown, ...]
    sources: tuple[Cited, ...]
    kuk: tuple[Kuk, ...]
    case: CaseStudy | None
    """The case study written after this lesson."""
    before: Line | None
    after: Line | None

    material: tuple[Material, ...] = ()
    """What is printed or filled in for it, whoever may see that."""

    @property
    def ends_online(self) -> bool:
        """Tell whether no online lesson follows: the quiz is next."""
        return not self.line.in_person and (self.after is None or self.after.in_person)


def load(texts: "Sequence[LessonText]", *, now: datetime) -> dict[str, int]:
    """Store the lessons: same code, same row; a changed text counts its version up. Flushes.

    A lesson that left the content is retired, never deleted: who finished it keeps that, and it
    comes back under the same number when its file does.
    """
    counts: Counter[str] = Counter(added=0, changed=0, unchanged=0, retired=0)
    curricula = {row.code: row for row in db.session.scalars(select(Curriculum))}
    lessons = {row.code: row for row in db.session.scalars(select(Lesson))}
    taught: list[tuple[Lesson, tuple[str, ...]]] = []
    for text in texts:
        code = text.curriculum.code
        if code not in curricula:
            curricula[code] = Curriculum(code=code)
        _fill_curriculum(curricula[code], text.curriculum, text.curriculum_position)
        lesson = lessons.pop(text.spec.code, None)
        if lesson is None:
            lesson = Lesson(code=text.spec.code, version=0, digest="")
            db.session.add(lesson)
            counts["added"] += 1
        else:
            counts["unchanged" if lesson.digest == text.digest else "changed"] += 1
        lesson.curriculum_id = curricula[code].id
        _fill_lesson(lesson, text, now)
        taught.append((lesson, text.cites))
    for gone in lessons.values():
        if gone.retired_at is None:
            gone.retired_at = now
            counts["retired"] += 1
    db.session.flush()
    outlines.forget()
    laws.load_citations((lesson.id, lesson.version, cites) for lesson, cites in taught)
    return dict(counts)


def attach_material(found: Mapping[str, Sequence[Material]]) -> None:
    """Say, by lesson code, what is printed or filled in for each lesson. Flushes."""
    for row in db.session.scalars(select(Lesson)):
        listed = [asdict(one) for one in found.get(row.code, ())]
        if listed != (row.material or []):
            row.material = listed
    db.session.flush()


def _fill_curriculum(row: Curriculum, spec: "CurriculumSpec", position: int) -> None:
    row.position = position
    row.title = spec.title
    row.title_en = spec.title_en
    row.modules = [module.model_dump(mode="json") for module in spec.modules]
    row.digest = digest_of_text(spec.model_dump_json(exclude={"status"}))
    db.session.add(row)
    db.session.flush()


def _fill_lesson(row: Lesson, text: "LessonText", now: datetime) -> None:
    """Write everything again, so that a new way of rendering arrives with `load --force`."""
    spec = text.spec
    row.module_code = text.module_code
    row.position = text.position
    row.title = spec.title
    row.title_en = spec.title_en
    row.objective = spec.objective
    row.in_person = spec.in_person
    row.jp = spec.jp
    row.minutes = spec.minutes
    row.kuk = list(spec.kuk)
    row.practice = list(spec.practice)
    row.reflection = spec.reflection
    row.blocks = text.blocks
    row.sources = [source.model_dump(mode="json") for source in spec.sources]
    row.reviewed = spec.review.status != "unreviewed"
    row.retired_at = None
    if row.digest != text.digest:
        row.digest = text.digest
        row.version += 1
        row.updated_at = now


def read_lesson(curriculum: str, number: int, person_id: int, standard: Standard) -> Reading:
    """Return one lesson for reading. Raises NotFound. Two queries."""
    found = list_outlines(person_id, curriculum.upper())
    lines = found[0].lines if found else ()
    place = next((n for n, line in enumerate(lines) if line.number == number), None)
    if place is None:
        raise NotFound(f"{curriculum} {number}")
    line = lines[place]
    lesson = db.session.execute(
        select(
            Lesson.objective, Lesson.reflection, Lesson.blocks, Lesson.sources, Lesson.material
        ).where(Lesson.id == line.id)
    ).one()
    sources = [_cited(source) for source in lesson.sources]
    dates = {source.ref: source.checked_on for source in sources}
    numbers = count(1)
    return Reading(
        outline=found[0],
        line=line,
        objective=lesson.objective,
        reflection=lesson.reflection,
        blocks=tuple(_shown(block, dates, numbers) for block in lesson.blocks),
        sources=tuple(sources),
        kuk=tuple(standard.kuk[code] for code in line.kuk if code in standard.kuk),
        case=next((case for case in standard.cases.values() if case.lesson == line.code), None),
        before=lines[place - 1] if place else None,
        after=lines[place + 1] if place + 1 < len(lines) else None,
        material=tuple(Material(**one) for one in lesson.material or ()),
    )


def _shown(block: dict[str, Any], dates: dict[str, date], numbers: Iterator[int]) -> Shown:
    # The text was cleaned by core.markdown when it was loaded; nobody types into it.
    html = Markup(block["html"])  # noqa: S704
    while "<table>" in html:
        html = html.replace("<table>", _frame(next(numbers)), 1)
    html = html.replace("</table>", Markup("</table></div>"))
    return Shown(
        block["kind"], block["title"], block["minutes"] or 0, html, dates.get(block["title"])
    )


def _frame(number: int) -> Markup:
    """Return what stands before a table: a frame that scrolls sideways, with a name of its own."""
    frame = Markup('<div class="table-wrap" role="region" tabindex="0" aria-label="{}">')
    name = _("Tabel %(number)d", number=number)
    return frame.format(name) + Markup('<table class="table">')


def _cited(source: dict[str, Any]) -> Cited:
    return Cited(source["ref"], source["note"], date.fromisoformat(source["checked_on"]))


def finish(
    curriculum: str, number: int, *, person_id: int, outcome: Outcome, now: datetime
) -> Reading:
    """Note that somebody finished an online lesson, and append what that is evidence for.

    Said twice is said once: the first time stands. Raises NotFound, also for a lesson in person.
    Flushes.
    """
    current = competency.current()
    reading = read_lesson(curriculum, number, person_id, current.standard)
    line = reading.line
    if line.in_person:
        raise NotFound(line.code)
    insert_once(
        LessonDone,
        person_id=person_id,
        lesson_id=line.id,
        version=line.version,
        outcome=outcome,
        at=now,
    )
    competency.append(
        [
            competency.NewEvidence(
                person_id=person_id,
                kind=EvidenceKind.REF,
                kuk=kuk.code,
                source=line.code,
                group=line.code,
                passed=True,
                happened_at=now,
            )
            for kuk in reading.kuk
            if EvidenceKind.REF in kuk.ev
        ],
        standard_id=current.id,
        now=now,
    )
    return reading


def kuk_lessons() -> dict[str, list[str]]:
    """Return KUK to the codes of the online lessons that teach it, in order. One query."""
    return {kuk: [line.code for line in lines] for kuk, lines in _taught().items()}


def kuk_links(kuk: Collection[str]) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return each KUK to the online lessons that teach it: title and address, in order. One query.

    The title is in the reader's language.
    """
    taught = _taught()
    return {
        code: tuple((pick(line.title, line.title_en), line.url) for line in taught.get(code, ()))
        for code in kuk
    }


def _taught() -> dict[str, list[Line]]:
    found: dict[str, list[Line]] = {}
    for outline in outlines.list_texts():
        for line in outline.online:
            for kuk in line.kuk:
                found.setdefault(kuk, []).append(line)
    return found


def done_kuk(person_id: int) -> frozenset[str]:
    """Return the KUK all of whose online lessons the person has finished. One query.

    A KUK that no loaded online lesson teaches is not among them.
    """
    rows = db.session.execute(
        select(Lesson.kuk, LessonDone.id)
        .join(
            LessonDone,
            and_(LessonDone.lesson_id == Lesson.id, LessonDone.person_id == person_id),
            isouter=True,
        )
        .where(Lesson.retired_at.is_(None), Lesson.in_person.is_(False))
    ).all()
    taught = {code for row in rows for code in row.kuk}
    open_ = {code for row in rows if row.id is None for code in row.kuk}
    return frozenset(taught - open_)


def lesson_links(codes: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return lesson code to (title in the reader's language, address). One query."""
    wanted = set(codes)
    return {
        line.code: (pick(line.title, line.title_en), line.url)
        for outline in outlines.list_texts()
        for line in outline.lines
        if line.code in wanted
    }


VERSION_LENGTH = 12
"""Letters of the hash that names a version: enough to tell one from another."""


def list_offers() -> list[Offer]:
    """Return every curriculum of the standard as it is taught now. Two queries.

    Its version names the outline and every lesson: a changed sentence is another version.
    """
    rows = db.session.execute(
        select(Curriculum.code, Curriculum.digest, Lesson.code, Lesson.digest)
        .join(Lesson, Lesson.curriculum_id == Curriculum.id)
        .where(Lesson.retired_at.is_(None))
        .order_by(Curriculum.code, Lesson.code)
    )
    texts: dict[str, list[str]] = {}
    for curriculum, outline, lesson, digest in rows:
        texts.setdefault(curriculum, [outline]).append(f"{lesson} {digest}")
    versions = {
        code: digest_of_text("\n".join(parts))[:VERSION_LENGTH] for code, parts in texts.items()
    }
    return [
        Offer(code, title, title_en, versions.get(code, ""))
        for code, (title, title_en) in competency.current().standard.curricula.items()
    ]
