"""Reading, signing, commenting: who may, what it does, and what a changed text does to it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from lms import release
from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.core import reviewing
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.login import Viewer
from lms.core.models import AuditEvent
from lms.modules.models import Lesson
from lms.practice.cases.models import CaseDraft, CaseSubmission, CaseVersion
from lms.practice.simulations.models import SimulationRun, SimulationVersion
from lms.privacy import erasure
from lms.quizzes import services as quizzes
from lms.reviews import reviewers, rules, services, texts
from lms.reviews.models import Reviewer, ReviewSignature
from lms.reviews.rules import Expertise, Kind, State
from lms.reviews.services import Asked
from tests import factories
from tests.credentials.world import fulfil
from tests.factories import NOW
from tests.races import race

DAY = timedelta(days=1)


def viewer_of(person: Person, *roles: str) -> Viewer:
    return Viewer(person.id, person.public_id, person.name, frozenset(roles), "id", "")


def digest_of(kind: Kind, code: str) -> str:
    return next(one.digest for one in texts.SHELVES[kind].list_texts() if one.code == code)


def sign(kind: Kind, code: str, viewer: Viewer, now=NOW) -> None:
    with unit_of_work():
        services.sign(kind, code, digest_of(kind, code), viewer, now=now)


def marks(kind: Kind, code: str) -> tuple[reviewing.Mark, ...]:
    copy = code, digest_of(kind, code)
    return services.marks_of(kind.value, [copy]).get(copy, ())


def test_every_text_of_the_content_can_be_read_whole(app: Flask) -> None:
    boss = viewer_of(factories.person("admin"), "admin")
    lines = services.read_queue(boss, now=NOW).lines
    kinds = {line.text.kind for line in lines}
    assert kinds >= {"lesson", "item", "case", "simulation", "station"}
    assert kinds <= set(texts.SHELVES)
    assert len({line.key for line in lines}) == len(lines) > 90
    for line in lines:
        passages = texts.read_text(line.text)
        places = [one.place for one in passages]
        assert len(set(places)) == len(places) > 1
        assert all(one.title and one.pieces for one in passages), line.key
        assert line.text.digest
        assert line.text.curriculum
    assert not any(line.reviewed for line in lines)


def test_an_item_shows_its_key_and_every_rationale(app: Flask) -> None:
    boss = viewer_of(factories.person("admin"), "admin")
    line = next(one for one in services.read_queue(boss, now=NOW).lines if one.text.kind == "item")
    passages = texts.read_text(line.text)
    assert [one.place for one in passages] == ["stem", "A", "B", "C", "D", "source"]
    best = [one for one in passages if one.pieces[0].tone == "best"]
    assert len(best) == 1
    assert best[0].title.endswith(", kunci")
    assert all(len(one.pieces) == 2 for one in passages[1:5])
    with pytest.raises(NotFound):
        texts.read_text(replace(line.text, digest="0" * 64))


def test_a_text_that_is_gone_cannot_be_read(app: Flask) -> None:
    story = next(iter(texts.SHELVES[Kind.SIMULATION].list_texts()))
    with pytest.raises(NotFound):
        texts.read_text(replace(story, digest="0" * 64))


def test_a_named_expert_signs_a_text_and_readers_see_it(app: Flask) -> None:
    expert = factories.reviewer(Expertise.PSYCHOLOGIST, name="Dr. R")
    who = viewer_of(expert, "reviewer")
    assert marks(Kind.LESSON, "K1.1") == ()
    sign(Kind.LESSON, "K1.1", who)
    assert marks(Kind.LESSON, "K1.1") == (reviewing.Mark("Dr. R", "psikolog", NOW),)
    assert reviewing.marks_of("lesson", []) == {}
    assert marks(Kind.LESSON, "K1.2") == ()
    assert services.count_done()["lesson"][0] == 1
    with pytest.raises(rules.AlreadySigned):
        sign(Kind.LESSON, "K1.1", who)
    event = db.session.scalars(select(AuditEvent).where(AuditEvent.action == "reviews.sign")).one()
    assert (event.subject, event.detail["field"]) == ("lesson:K1.1", "psychologist")


def test_a_signature_names_the_text_that_was_read(app: Flask) -> None:
    who = viewer_of(factories.reviewer(), "reviewer")
    old = digest_of(Kind.LESSON, "K1.1")
    sign(Kind.LESSON, "K1.1", who)
    change = update(Lesson).where(Lesson.code == "K1.1")
    with unit_of_work():
        db.session.execute(change.values(digest="f" * 64))
    assert marks(Kind.LESSON, "K1.1") == ()
    assert services.count_done()["lesson"][0] == 0
    with pytest.raises(rules.TextChanged), unit_of_work():
        services.sign(Kind.LESSON, "K1.1", old, who, now=NOW)
    page = services.read_page(Kind.LESSON, "K1.1", who, Asked(), now=NOW)
    assert [one.is_current for one in page.signed] == [False]
    assert not page.has_signed(who.id)
    assert page.mine is None
    with unit_of_work():
        db.session.execute(change.values(digest=old))
    assert len(marks(Kind.LESSON, "K1.1")) == 1  # the same text came back


def test_who_has_no_field_or_no_role_cannot_sign(app: Flask) -> None:
    without = factories.person("reviewer")
    with pytest.raises(rules.NoExpertise):
        sign(Kind.LESSON, "K1.1", viewer_of(without, "reviewer"))
    # The field stays written down when the role is taken away; it opens nothing by itself.
    former = factories.reviewer()
    with pytest.raises(rules.NoExpertise):
        sign(Kind.LESSON, "K1.1", viewer_of(former, "trainer"))
    with pytest.raises(NotFound):
        services.find_text(Kind.LESSON, "K9.9", viewer_of(former, "reviewer"), now=NOW)
    with pytest.raises(NotFound):
        services.find_text(Kind.RECORD, "R1", viewer_of(former, "reviewer"), now=NOW)


def test_only_the_same_person_undoes_a_signature_and_only_for_a_day(app: Flask) -> None:
    one, other = factories.reviewer(), factories.reviewer()
    mine, theirs = viewer_of(one, "reviewer"), viewer_of(other, "reviewer")
    sign(Kind.LESSON, "K1.1", mine)
    for who, at in ((theirs, NOW), (mine, NOW + DAY)):
        with pytest.raises(rules.NothingToUndo), unit_of_work():
            services.undo(Kind.LESSON, "K1.1", who, now=at)
    assert len(marks(Kind.LESSON, "K1.1")) == 1
    with unit_of_work():
        services.undo(Kind.LESSON, "K1.1", mine, now=NOW + DAY - timedelta(seconds=1))
    assert marks(Kind.LESSON, "K1.1") == ()
    with pytest.raises(rules.NothingToUndo), unit_of_work():
        services.undo(Kind.LESSON, "K1.1", mine, now=NOW)
    sign(Kind.LESSON, "K1.1", mine)  # and again
    assert len(marks(Kind.LESSON, "K1.1")) == 1
    assert db.session.scalar(select(func.count()).select_from(ReviewSignature)) == 2


@pytest.mark.both
def test_a_double_click_signs_once(app: Flask) -> None:
    who = viewer_of(factories.reviewer(), "reviewer")
    found = race(app, [lambda: sign(Kind.LESSON, "K1.1", who)] * 4)
    assert sum(one is None for one in found) == 1
    assert sum(isinstance(one, rules.AlreadySigned) for one in found) == 3
    db.session.rollback()  # the session of the test still sees what was before
    assert len(marks(Kind.LESSON, "K1.1")) == 1


@pytest.mark.both
def test_the_file_itself_may_say_that_a_text_is_reviewed(app: Flask) -> None:
    boss = viewer_of(factories.person("admin"), "admin")
    with unit_of_work():
        db.session.execute(update(Lesson).where(Lesson.code == "K1.1").values(reviewed=True))
        story = db.session.scalars(select(SimulationVersion).limit(1)).one()
        story.document = story.document | {"review": {"status": "reviewed"}}
    queue = services.read_queue(boss, now=NOW)
    read = {line.key for line in queue.lines if line.reviewed}
    assert read == {"lesson/K1.1", f"simulation/{story.code}-{story.variant}"}
    assert queue.count(Asked(kind=Kind.LESSON))[0] == 1


def test_the_queue_shows_unsigned_texts_first_and_what_was_asked_for(app: Flask) -> None:
    who = viewer_of(factories.reviewer(), "reviewer")
    sign(Kind.LESSON, "K1.1", who)
    with unit_of_work():
        services.comment(Kind.LESSON, "K1.2", place="", words="Sumber?", viewer=who, now=NOW)
    queue = services.read_queue(who, now=NOW)
    lessons = queue.choose(Asked(curriculum="K1", kind=Kind.LESSON))
    assert [one.text.code for one in lessons][:2] == ["K1.2", "K1.3"]
    assert lessons[-1].text.code == "K1.1"
    assert queue.count(Asked(kind=Kind.LESSON, curriculum="K1")) == (1, 11)
    codes = {state: [x.text.code for x in queue.choose(Asked(state=state))] for state in State}
    assert codes[State.SIGNED] == ["K1.1"]
    assert codes[State.COMMENTED] == ["K1.2"]
    assert len(codes[State.OPEN]) == len(codes[State.ALL]) - 1
    assert queue.choose(Asked(curriculum="K9")) == []
    line = queue.find(Kind.LESSON, "K1.1")
    before, after = queue.around(line, Asked(kind=Kind.LESSON, state=State.OPEN))
    assert before is None
    assert after is not None
    assert after.text.code == "K1.2"
    assert queue.around(after, Asked())[0] is line
    assert queue.around(line, Asked(curriculum="K9")) == (None, None)


def test_comments_stand_at_their_place_and_are_closed_not_deleted(app: Flask) -> None:
    expert, trainer = factories.reviewer(name="Ahli"), factories.person("trainer", name="Pelatih")
    who, boss = viewer_of(expert, "reviewer"), viewer_of(trainer, "trainer")
    with unit_of_work():
        for place in ("stem", "tidak-ada"):
            services.comment(
                Kind.ITEM, "K1-0321-1", place=place, words="x" * 3000, viewer=who, now=NOW
            )
    page = services.read_page(Kind.ITEM, "K1-0321-1", boss, Asked(), now=NOW)
    [at_stem], [anywhere] = page.comments["stem"], page.comments[""]
    assert (at_stem.author, len(at_stem.text)) == ("Ahli", rules.LONGEST_COMMENT)
    assert page.line.comments == 2
    other = viewer_of(factories.reviewer(), "reviewer")
    with pytest.raises(rules.NotTheirs), unit_of_work():
        services.resolve(Kind.ITEM, "K1-0321-1", at_stem.public_id, other, now=NOW)
    with pytest.raises(NotFound), unit_of_work():
        services.resolve(Kind.ITEM, "K1-0321-2", at_stem.public_id, boss, now=NOW)
    for who_closes, comment in ((boss, at_stem), (who, anywhere), (boss, anywhere)):
        with unit_of_work():
            services.resolve(Kind.ITEM, "K1-0321-1", comment.public_id, who_closes, now=NOW + DAY)
    page = services.read_page(Kind.ITEM, "K1-0321-1", boss, Asked(), now=NOW)
    assert page.comments["stem"][0].resolved_by == "Pelatih"
    assert page.comments[""][0].resolved_by == "Ahli"  # the first to close it
    assert page.line.comments == 0


def test_who_sits_a_quiz_reads_none_of_its_items(app: Flask) -> None:
    both = factories.reviewer(Expertise.TRAINER, "trainee")
    who = viewer_of(both, "reviewer", "trainee")
    assert services.find_text(Kind.ITEM, "K1-0321-1", who, now=NOW)
    with unit_of_work():
        ref = quizzes.open_attempt(both.id, "K1", now=NOW)
    queue = services.read_queue(who, now=NOW)
    assert queue.sealed.is_tested
    items = {one.text.code[:2] for one in queue.lines if one.text.kind == "item"}
    assert items == {"K2", "K3", "K4", "K5", "T-"}
    assert [one for one in queue.lines if one.text.kind == "lesson"]
    for call in (
        lambda: services.read_page(Kind.ITEM, "K1-0321-1", who, Asked(), now=NOW),
        lambda: services.sign(Kind.ITEM, "K1-0321-1", "", who, now=NOW),
        lambda: services.undo(Kind.ITEM, "K1-0321-1", who, now=NOW),
        lambda: services.comment(Kind.ITEM, "K1-0321-1", place="", words="x", viewer=who, now=NOW),
        lambda: services.resolve(Kind.ITEM, "K1-0321-1", "x", who, now=NOW),
    ):
        with pytest.raises(NotFound):
            call()
    with unit_of_work():
        quizzes.submit(ref, now=NOW)
    assert services.find_text(Kind.ITEM, "K1-0321-1", who, now=NOW)


def test_who_writes_a_case_or_plays_for_marks_reads_neither(app: Flask) -> None:
    both = factories.reviewer(Expertise.TRAINER, "trainee")
    who = viewer_of(both, "reviewer", "trainee")
    version = db.session.scalars(select(CaseVersion.id).where(CaseVersion.code == "SK1")).one()
    story = db.session.scalars(
        select(SimulationVersion.id).where(SimulationVersion.code == "S1").limit(1)
    ).one()
    with unit_of_work():
        db.session.add(
            CaseDraft(
                person_id=both.id,
                case_code="SK1",
                task="a",
                text="x",
                page="p",
                seq=1,
                updated_at=NOW,
            )
        )
        run = SimulationRun(
            person_id=both.id,
            simulation_version_id=story,
            code="S1",
            graded=True,
            scored_kuk=[],
            started_at=NOW,
        )
        db.session.add(run)
    sealed = texts.sealed_for(who, now=NOW)
    assert (sealed.cases, sealed.simulations) == ({"SK1"}, {"S1"})
    with unit_of_work():
        db.session.merge(run).finished_at = NOW
        handed = CaseSubmission(
            person_id=both.id,
            case_version_id=version,
            case_code="SK1",
            number=1,
            kuk=[],
            answers={},
            submitted_at=NOW + DAY,
        )
        db.session.add(handed)
    sealed = texts.sealed_for(who, now=NOW)
    assert (sealed.cases, sealed.simulations) == ({"SK1"}, set())  # it waits for a decision
    with unit_of_work():
        db.session.delete(db.session.merge(handed))
    assert texts.sealed_for(viewer_of(both, "reviewer"), now=NOW).cases == frozenset()


def test_an_author_reads_lessons_but_no_keys(app: Flask) -> None:
    author = viewer_of(factories.person("author"), "author")
    kinds = {one.text.kind for one in services.read_queue(author, now=NOW).lines}
    assert kinds == {"lesson", "simulation", "drill", "roles", "record"}
    with pytest.raises(NotFound):
        services.find_text(Kind.ITEM, "K1-0321-1", author, now=NOW)


def test_an_administrator_appoints_reviewers_and_corrects_their_field(app: Flask) -> None:
    boss, expert = factories.person("admin"), factories.person("trainee", name="Bu Ahli")
    with unit_of_work():
        name = reviewers.appoint(expert.email, Expertise.DOCTOR, by_id=boss.id, now=NOW)
    assert name == "Bu Ahli"
    assert set(accounts.roles_of(expert.id)) == {"reviewer", "trainee"}
    sign(Kind.LESSON, "K1.1", viewer_of(expert, "reviewer"))
    with unit_of_work():
        reviewers.appoint(expert.email, Expertise.CHILD, by_id=boss.id, now=NOW)
    [entry] = reviewers.list_reviewers()
    assert (entry.field, entry.signatures) == (Expertise.CHILD, 1)
    assert marks(Kind.LESSON, "K1.1")[0].field == "dokter"  # as it was signed
    with pytest.raises(NotFound), unit_of_work():
        reviewers.appoint("tidak@ada.test", Expertise.DOCTOR, by_id=boss.id, now=NOW)


def test_a_deleted_reviewer_is_not_named_any_more_but_the_text_stays_reviewed(app: Flask) -> None:
    expert = factories.reviewer(name="Nama Ahli")
    sign(Kind.LESSON, "K1.1", viewer_of(expert, "reviewer"))
    with unit_of_work():
        erasure.erase(expert.id, now=NOW)
    [mark] = marks(Kind.LESSON, "K1.1")
    assert "Ahli" not in mark.name
    assert db.session.get(Reviewer, expert.id) is None


def test_loading_again_keeps_signatures(app: Flask) -> None:
    who = viewer_of(factories.reviewer(), "reviewer")
    for kind, code in ((Kind.LESSON, "K1.1"), (Kind.ITEM, "K1-0321-1"), (Kind.CASE, "SK1")):
        sign(kind, code, who)
    with unit_of_work():
        release.load(app.extensions["suluh"].content_dir, now=NOW, force=True)
    done = services.count_done()
    assert [done[kind][0] for kind in ("lesson", "item", "case")] == [1, 1, 1]


def test_who_has_a_seat_reads_no_key_before_they_have_shown_it(app: Flask) -> None:
    both = factories.reviewer(Expertise.TRAINER, "trainee")
    who = viewer_of(both, "reviewer", "trainee")
    factories.seat(both, factories.cohort(curricula={"K1": ""}))
    queue = services.read_queue(who, now=NOW)
    read = {kind: {one.text.curriculum for one in queue.lines if one.text.kind == kind}
            for kind in ("lesson", "item", "case", "simulation", "station")}  # fmt: skip
    assert "K1" in read["lesson"]
    for kind in ("item", "case", "simulation", "station"):
        assert "K1" not in read[kind]
    assert {"K2", "K5"} <= read["item"]  # real reviewing of other curricula goes on
    assert "item/K1-0321-1" in queue.closed
    with pytest.raises(rules.Closed):
        queue.find(Kind.ITEM, "K1-0321-1")
    with pytest.raises(NotFound):
        services.sign(Kind.ITEM, "K1-0321-1", "", who, now=NOW)

    fulfil(both, "K1", at=NOW)
    later = NOW + DAY
    after = services.read_queue(who, now=later)
    assert services.find_text(Kind.ITEM, "K1-0321-1", who, now=later)
    for kind in ("case", "simulation", "station"):
        assert "K1" in {one.text.curriculum for one in after.lines if one.text.kind == kind}


def test_a_class_that_names_no_curriculum_covers_what_companions_need(app: Flask) -> None:
    both = factories.reviewer(Expertise.TRAINER, "trainee")
    factories.seat(both, factories.cohort())
    sealed = texts.sealed_for(viewer_of(both, "reviewer", "trainee"), now=NOW)
    assert sealed.curricula == {"K1", "K2", "K3", "K4", "K5"}
    assert "SKT" not in sealed.cases
    assert {"SK1", "SK2", "SK3", "SK4"} <= sealed.cases
    as_reviewer_only = texts.sealed_for(viewer_of(both, "reviewer"), now=NOW)
    assert not as_reviewer_only.is_tested
