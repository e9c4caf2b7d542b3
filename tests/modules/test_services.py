from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import select, update

from lms.competency import services as competency
from lms.competency.rules import EvidenceKind
from lms.config import CONTENT
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.models import ContentRelease
from lms.modules import content, laws, reviewing, services
from lms.modules.models import Curriculum, Lesson, LessonDone, Outcome
from lms.modules.outlines import Line, Outline, Part, find_opened, list_outlines
from tests import factories
from tests.ledgers import SPEC, STANDARD
from tests.queries import counted

NOW = factories.NOW
LATER = datetime(2026, 6, 1, tzinfo=UTC)
TEXTS, _ = content.check(CONTENT, SPEC)
OF_K1 = [text for text in TEXTS if text.curriculum.code == "K1"]


def load(texts: list[content.LessonText]) -> dict[str, int]:
    with unit_of_work():
        return services.load(texts, now=LATER)


def finish(person_id: int, *numbers: int, outcome: Outcome = Outcome.DONE) -> None:
    for number in numbers:
        with unit_of_work():
            services.finish("k1", number, person_id=person_id, outcome=outcome, now=NOW)


def lesson(code: str) -> Lesson:
    return db.session.scalars(select(Lesson).where(Lesson.code == code)).one()


@pytest.mark.both
def test_loading_again_changes_nothing(app: Flask):
    assert load(TEXTS) == {"added": 0, "changed": 0, "unchanged": len(TEXTS), "retired": 0}
    assert lesson("K1.1").version == 1
    assert lesson("K1.1").updated_at < LATER


def test_a_changed_text_counts_its_version_up(app: Flask):
    changed = replace(TEXTS[0], digest="0" * 64, blocks=[])
    assert load([changed, *TEXTS[1:]])["changed"] == 1
    found = lesson("K1.1")
    assert (found.version, found.blocks, found.updated_at) == (2, [], LATER)
    assert lesson("K1.2").version == 1


def test_a_new_rendering_of_the_same_text_arrives_without_a_new_version(app: Flask):
    load([replace(TEXTS[0], blocks=[{"kind": "prose"}]), *TEXTS[1:]])
    assert (lesson("K1.1").blocks, lesson("K1.1").version) == ([{"kind": "prose"}], 1)


def test_a_lesson_that_leaves_the_content_is_retired_and_comes_back(app: Flask):
    person_id = factories.person().id
    finish(person_id, 2)
    without = [text for text in TEXTS if text.spec.code != "K1.2"]
    assert load(without)["retired"] == 1
    assert load(without)["retired"] == 0
    assert lesson("K1.2").retired_at == LATER
    assert "K1.2" not in {line.code for line in list_outlines(person_id)[0].lines}
    assert "02.1.3" not in services.kuk_lessons()
    assert services.lesson_links(["K1.2"]) == {}
    with pytest.raises(NotFound):
        services.read_lesson("k1", 2, person_id, STANDARD)
    load(TEXTS)
    assert list_outlines(person_id)[0].lines[1].done_at == NOW


def test_a_curriculum_follows_its_file(app: Flask):
    spec = TEXTS[0].curriculum.model_copy(update={"title": "Judul baru"})
    load([replace(text, curriculum=spec) if text in OF_K1 else text for text in TEXTS])
    found = db.session.scalars(select(Curriculum).where(Curriculum.code == "K1")).one()
    assert (found.title, found.position) == ("Judul baru", 1)
    assert [module["code"] for module in found.modules] == ["K1/M1", "K1/M2", "K1/M3"]


def test_lessons_of_a_kuk_are_the_online_ones(app: Flask):
    found = services.kuk_lessons()
    assert found["03.1.1"] == ["K1.5"]
    assert set(found) == set(STANDARD.kuk)
    assert not any(code.endswith(".T") for codes in found.values() for code in codes)


@pytest.mark.both
def test_a_kuk_is_done_when_all_its_lessons_are(app: Flask):
    person_id, other = factories.person().id, factories.person().id
    assert services.done_kuk(person_id) == frozenset()
    finish(person_id, 5)
    finish(person_id, 6, outcome=Outcome.WITH_TRAINER)
    assert services.done_kuk(person_id) == {"03.1.1", "03.1.2", "03.1.3", "03.1.4"}
    assert services.done_kuk(other) == frozenset()
    with unit_of_work():  # a second lesson on the same KUK keeps it open
        db.session.execute(update(Lesson).where(Lesson.code == "K1.9").values(kuk=["03.1.1"]))
    assert services.done_kuk(person_id) == {"03.1.2", "03.1.3", "03.1.4"}


def test_links_have_title_and_address(app: Flask):
    assert services.lesson_links(["K1.10", "K9.9"]) == {
        "K1.10": ("Keamanan digital dan jejak", "/modul/k1/10")
    }


@pytest.mark.both
def test_finishing_twice_is_finishing_once(app: Flask):
    person_id = factories.person().id
    finish(person_id, 1)
    with unit_of_work():
        services.finish(
            "k1", 1, person_id=person_id, outcome=Outcome.WITH_TRAINER, now=NOW + timedelta(days=1)
        )
    row = db.session.scalars(select(LessonDone)).one()
    assert (row.outcome, row.at, row.version) == (Outcome.DONE, NOW, 1)


def test_lessons_in_person_are_not_finished_on_screen(app: Flask):
    person_id = factories.person().id
    with pytest.raises(NotFound), unit_of_work():
        services.finish("k1", 11, person_id=person_id, outcome=Outcome.DONE, now=NOW)
    assert db.session.scalars(select(LessonDone)).all() == []


@pytest.mark.parametrize("outcome", list(Outcome))
def test_a_lesson_with_reflection_leaves_evidence_once(app: Flask, outcome: Outcome):
    person_id = factories.person().id
    with unit_of_work():
        db.session.execute(
            update(Lesson).where(Lesson.code == "K1.1").values(kuk=["10.1.1", "02.1.1"])
        )
    finish(person_id, 1, 1, outcome=outcome)
    [row] = competency.list_evidence(person_id)
    assert (row.kind, row.kuk, row.source, row.passed) == (EvidenceKind.REF, "10.1.1", "K1.1", True)
    assert row.note == ""


def test_a_lesson_without_reflection_leaves_no_evidence(app: Flask):
    person_id = factories.person().id
    finish(person_id, 1)
    assert competency.list_evidence(person_id) == []


def test_an_outline_knows_what_is_done_and_what_changed_since(app: Flask):
    person_id = factories.person().id
    finish(person_id, 1, 2)
    load([replace(TEXTS[0], digest="0" * 64), *TEXTS[1:]])
    outline, *others = list_outlines(person_id)
    assert [one.code for one in others] == [c for c in STANDARD.curricula if c != "K1"]
    assert {one.done for one in others} == {0}
    assert (outline.done, len(outline.online), len(outline.lines)) == (2, 10, 11)
    assert [line.changed for line in outline.lines[:3]] == [True, False, False]


@pytest.mark.both
def test_outlines_kept_by_a_process_follow_a_load_and_a_mark_elsewhere(app: Flask):
    """What another process did is seen by its numbers: this one only forgets what it loads."""
    person_id, other = factories.person().id, factories.person().id
    finish(person_id, 1)
    assert [one.done for one in list_outlines(person_id)[:2]] == [1, 0]
    assert [one.done for one in list_outlines(other)[:2]] == [0, 0]
    with counted() as statements:
        list_outlines(person_id)
    assert len(statements) == 1

    def change(title: str) -> None:
        db.session.execute(update(Lesson).where(Lesson.code == "K1.1").values(title=title))

    with unit_of_work():
        change("Judul lain")
    assert list_outlines(other)[0].lines[0].title != "Judul lain"
    with unit_of_work():
        db.session.add(ContentRelease(digest="0" * 64, loaded_at=NOW, counts={}))
    assert list_outlines(other)[0].lines[0].title == "Judul lain"
    with unit_of_work():
        change("Judul ketiga")
        day = NOW.date()
        article = next(iter(laws.count_lessons()))
        laws.supersede(article, since=day, reason="Contoh", actor_id=None, now=NOW, today=day)
    assert list_outlines(other)[0].lines[0].title == "Judul ketiga"


def test_a_lesson_knows_its_neighbours_and_what_follows(app: Flask):
    person_id = factories.person().id
    first = services.read_lesson("k1", 1, person_id, STANDARD)
    assert (first.before, first.after and first.after.code) == (None, "K1.2")
    assert not first.ends_online
    tenth = services.read_lesson("k1", 10, person_id, STANDARD)
    assert tenth.ends_online
    assert tenth.case is not None
    assert tenth.case.code == "SK1"
    last = services.read_lesson("k1", 11, person_id, STANDARD)
    assert (last.after, last.ends_online) == (None, False)


@pytest.mark.parametrize(("curriculum", "number"), [("k1", 0), ("k1", 12), ("k9", 1), ("x", 1)])
def test_a_lesson_that_is_not_there(app: Flask, curriculum: str, number: int):
    with pytest.raises(NotFound):
        services.read_lesson(curriculum, number, 1, STANDARD)


def test_law_says_when_it_was_checked(app: Flask):
    reading = services.read_lesson("k1", 1, 1, STANDARD)
    law = [block for block in reading.blocks if block.kind == "law"]
    assert law
    assert all(block.checked_on is not None for block in law)


def test_reading_costs_two_queries_and_links_one(app: Flask):
    person_id = factories.person().id
    with counted() as statements:
        services.read_lesson("k1", 6, person_id, STANDARD)
    assert len(statements) == 2
    with counted() as statements:
        services.done_kuk(person_id)
        services.kuk_lessons()
        services.lesson_links(["K1.1", "K1.2"])
    assert len(statements) == 3


def test_nothing_is_reviewed_yet(app: Flask):
    assert [one.reviewed for one in reviewing.list_texts()] == [False] * len(TEXTS)


def outline(code: str, *done: bool) -> Outline:
    """Return an outline with one online lesson for each mark, and a meeting."""
    lines = tuple(
        Line(
            id=n, code=f"{code}.{n}", curriculum=code, module="M", number=n, title="", title_en="",
            minutes=20, jp=1, in_person=n > len(done), kuk=(), practice=(), reviewed=False,
            digest="", version=1, done_at=NOW if is_done else None, done_version=None,
            in_review=False,
        )
        for n, is_done in enumerate([*done, False], 1)
    )  # fmt: skip
    return Outline(code, code, code, (Part("M", "", "", lines),))


@pytest.mark.parametrize(
    ("outlines", "asked", "opened"),
    [
        ([outline("K1", False), outline("K2", False)], None, "K1"),
        ([outline("K1", False), outline("K2", False)], "K2", "K2"),
        ([outline("K1", False), outline("K2", False)], "K7", "K1"),
        ([outline("K1", False, False), outline("K2", True, False)], None, "K2"),
        ([outline("K1", True), outline("K2", False)], None, "K2"),
        ([outline("K1", True)], None, ""),
        ([], "K1", ""),
    ],
)
def test_the_lessons_gone_on_with_are_unfolded(
    outlines: list[Outline], asked: str | None, opened: str
):
    assert find_opened(outlines, asked) == opened
