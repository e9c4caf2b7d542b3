"""The lessons as texts that can be reviewed."""

from sqlalchemy import select

from lms.competency import services as competency
from lms.core.db import db
from lms.core.i18n import day, pick
from lms.core.i18n import gettext as _
from lms.core.reviewing import Listed, Passage, Piece, laws_of
from lms.modules import services
from lms.modules.models import Curriculum, Lesson
from lms.modules.outlines import address_of
from lms.modules.services import Shown

KIND = "lesson"


def list_texts() -> list[Listed]:
    """Return every lesson in use. One query."""
    rows = db.session.execute(
        select(
            Lesson.code,
            Lesson.digest,
            Lesson.title,
            Lesson.title_en,
            Lesson.reviewed,
            Lesson.sources,
            Lesson.position,
            Curriculum.code.label("curriculum"),
        )
        .join(Curriculum, Curriculum.id == Lesson.curriculum_id)
        .where(Lesson.retired_at.is_(None))
        .order_by(Curriculum.position, Lesson.position)
    )
    return [
        Listed(
            kind=KIND,
            code=row.code,
            digest=row.digest,
            curriculum=row.curriculum,
            title=row.title,
            title_en=row.title_en,
            reviewed=row.reviewed,
            laws=laws_of(source["ref"] for source in row.sources),
            url=address_of(row.curriculum, row.position),
        )
        for row in rows
    ]


def read_text(listed: Listed) -> tuple[Passage, ...]:
    """Return a lesson as its readers see it. Three queries. Raises NotFound."""
    number = int(listed.url.rpartition("/")[2])
    standard = competency.current().standard
    reading = services.read_lesson(listed.curriculum, number, 0, standard)
    kuk = "\n".join(f"{one.code} {pick(one.text, one.text_en)}" for one in reading.kuk)
    sources = (
        Piece(source.note, f"{source.ref}, {_('diperiksa %(day)s', day=day(source.checked_on))}")
        for source in reading.sources
    )
    return (
        Passage("objective", _("Tujuan"), (Piece(reading.objective), Piece(kuk, _("Melatih")))),
        *(_passage(number, block) for number, block in enumerate(reading.blocks, 1)),
        Passage("reflection", _("Catatan untuk diri sendiri"), (Piece(reading.reflection),)),
        Passage("sources", _("Sumber"), tuple(sources)),
    )


def _passage(number: int, block: Shown) -> Passage:
    titles = {
        "prose": _("Bagian %(number)d", number=number),
        "law": block.title,
        "care": block.title,
        "case": _("Kasus rekaan: %(title)s", title=block.title),
        "do": _("Yang dilakukan"),
        "never": _("Yang tidak dilakukan"),
    }
    return Passage(f"block-{number}", titles[block.kind], (Piece(block.html, tone=block.kind),))
