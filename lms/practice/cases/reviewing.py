"""The case studies as texts that can be reviewed: with model answers, so not for everybody."""

from sqlalchemy import select, union

from lms.core.db import db
from lms.core.i18n import gettext as _
from lms.core.i18n import pick
from lms.core.reviewing import Listed, Passage, Piece, laws_of
from lms.practice.cases.content import LevelsSpec
from lms.practice.cases.models import CaseDraft, CaseReview, CaseSubmission
from lms.practice.cases.texts import Case, get_case, list_cases

KIND = "case"


def list_texts() -> list[Listed]:
    """Return every case study in its current text. One query."""
    return [
        Listed(
            kind=KIND,
            code=case.code,
            digest=case.digest,
            curriculum=case.spec.lesson.split(".")[0],
            title=case.spec.title,
            title_en=case.spec.title_en,
            reviewed=case.spec.review.done,
            laws=laws_of(source.ref for source in case.spec.sources),
        )
        for case in list_cases()
    ]


def read_text(listed: Listed) -> tuple[Passage, ...]:
    """Return a case study with tasks, model answers and rubric. One query. Raises NotFound."""
    case = get_case(listed.code)
    spec = case.spec
    sources = tuple(Piece(one.note, f"{one.ref}, {one.checked_on}") for one in spec.sources)
    return (
        Passage("note", _("Catatan isi"), (Piece(spec.content_note, tone="care"),)),
        Passage("file", _("Berkas"), (Piece(case.file_html),)),
        *_tasks(case),
        *(_rubric(entry.kuk, entry.levels) for entry in spec.rubric),
        Passage("sources", _("Sumber"), sources),
    )


def _tasks(case: Case) -> list[Passage]:
    found = []
    for number, task in enumerate(case.spec.tasks, 1):
        pieces = [Piece(task.prompt), Piece(", ".join(task.kuk), _("Kriteria"))]
        if task.hint:
            pieces.append(Piece(task.hint, _("Petunjuk")))
        pieces.append(Piece(case.model_html[task.id], _("Contoh jawaban"), "best"))
        title = f"{number}. {pick(task.title, task.title_en)}"
        found.append(Passage(f"task-{task.id}", title, tuple(pieces)))
    return found


def _rubric(kuk: str, levels: LevelsSpec) -> Passage:
    words = (_("Belum aman"), _("Aman dengan bimbingan"), _("Aman mandiri"))
    signs = (levels.unsafe, levels.guided, levels.alone)
    pieces = (Piece("\n".join(two), one) for one, two in zip(words, signs, strict=True))
    return Passage(f"rubric-{kuk}", _("Rubrik %(code)s", code=kuk), tuple(pieces))


def list_writing(person_id: int) -> frozenset[str]:
    """Return the case studies a person is writing, or waits for a decision on. One query."""
    decided = select(CaseReview.id).where(CaseReview.submission_id == CaseSubmission.id)
    waits = select(CaseSubmission.case_code).where(
        CaseSubmission.person_id == person_id, ~decided.exists()
    )
    handed = select(CaseSubmission.id).where(
        CaseSubmission.person_id == CaseDraft.person_id,
        CaseSubmission.case_code == CaseDraft.case_code,
        CaseSubmission.submitted_at >= CaseDraft.updated_at,
    )
    # What was handed in stays as a draft for a while; only a later word is a new try.
    writes = select(CaseDraft.case_code).where(CaseDraft.person_id == person_id, ~handed.exists())
    return frozenset(db.session.scalars(union(waits, writes)))
