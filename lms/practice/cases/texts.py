"""The texts of case studies: loaded from content, kept for ever, read from a cache."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from markupsafe import Markup
from sqlalchemy import select

from lms.core.db import db
from lms.core.errors import NotFound
from lms.core.ids import digest_of_text
from lms.core.markdown import render
from lms.practice.cases import rules
from lms.practice.cases.content import CaseSpec
from lms.practice.cases.models import CaseVersion


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One text of a case study, ready to be shown."""

    version_id: int
    digest: str
    spec: CaseSpec
    file_html: Markup
    model_html: Mapping[str, Markup]
    """Task to the model answer. Never shown for a part that may still be written."""
    tasks: tuple[rules.Task, ...]
    rubric: Mapping[str, tuple[Sequence[str], ...]]
    """KUK to the indicators of 0, 1 and 2."""

    @property
    def code(self) -> str:
        """Its code, for example SK1."""
        return self.spec.code

    @property
    def slug(self) -> str:
        """Its name in addresses."""
        return self.spec.code.lower()


def load(specs: Iterable[CaseSpec], *, now: datetime) -> dict[str, int]:
    """Store each text unless it is stored already, and make it the current one. Flushes."""
    counts = {"added": 0, "changed": 0, "unchanged": 0}
    current = {row.code: row for row in _current_versions()}
    for spec in specs:
        text = spec.model_dump(mode="json", by_alias=True)
        digest = digest_of_text(json.dumps(text, sort_keys=True))
        newest = current.get(spec.code)
        if newest is not None and newest.digest == digest:
            counts["unchanged"] += 1
            continue
        counts["added" if newest is None else "changed"] += 1
        _make_current(spec, text, digest, now)
    db.session.flush()
    return counts


def _make_current(spec: CaseSpec, text: dict[str, object], digest: str, now: datetime) -> None:
    known = db.session.scalar(
        select(CaseVersion).where(CaseVersion.code == spec.code, CaseVersion.digest == digest)
    )
    if known is not None:  # an older text came back
        known.current_at = now
        return
    document = {
        "case": text,
        "file_html": render(spec.file),
        "model_html": {task.id: render(task.model_answer) for task in spec.tasks},
    }
    db.session.add(
        CaseVersion(
            code=spec.code,
            digest=digest,
            title=spec.title,
            title_en=spec.title_en,
            document=document,
            current_at=now,
        )
    )


@dataclass(frozen=True, slots=True)
class _Pointer:
    id: int
    code: str
    digest: str


def _current_versions(code: str | None = None) -> list[_Pointer]:
    """Return which text of each case study is worked on. One query of small columns."""
    query = select(CaseVersion.id, CaseVersion.code, CaseVersion.digest).order_by(
        CaseVersion.code, CaseVersion.current_at, CaseVersion.id
    )
    if code is not None:
        query = query.where(CaseVersion.code == code)
    newest = {row.code: _Pointer(row.id, row.code, row.digest) for row in db.session.execute(query)}
    return list(newest.values())


@lru_cache(maxsize=32)
def _case(version_id: int, digest: str) -> Case:
    """Return a parsed case. Its text never changes, so the cache needs no owner but size."""
    document = db.session.scalars(
        select(CaseVersion.document).where(
            CaseVersion.id == version_id, CaseVersion.digest == digest
        )
    ).one()
    spec = CaseSpec.model_validate(document["case"])
    return Case(
        version_id=version_id,
        digest=digest,
        spec=spec,
        file_html=_harmless(document["file_html"]),
        model_html={task: _harmless(html) for task, html in document["model_html"].items()},
        tasks=tuple(
            rules.Task(
                id=task.id,
                kuk=tuple(task.kuk),
                min_words=task.min_words,
                max_words=task.max_words,
            )
            for task in spec.tasks
        ),
        rubric={
            entry.kuk: (entry.levels.unsafe, entry.levels.guided, entry.levels.alone)
            for entry in spec.rubric
        },
    )


def _harmless(html: str) -> Markup:
    """Let stored HTML be printed as it is: core.markdown.render made it, so it is sanitised."""
    return Markup(html)  # noqa: S704


def list_cases() -> list[Case]:
    """Return every case study in its current text, by code."""
    return [_case(row.id, row.digest) for row in _current_versions()]


def get_case(code: str) -> Case:
    """Return the current text of one case study; `code` in any case. Raises NotFound."""
    found = _current_versions(code.upper())
    if not found:
        raise NotFound(code)
    return _case(found[0].id, found[0].digest)


def case_of(version_id: int) -> Case:
    """Return one text of a case study, current or not."""
    digest = db.session.scalars(
        select(CaseVersion.digest).where(CaseVersion.id == version_id)
    ).one()
    return _case(version_id, digest)
