"""Rooms from invitation to signature, and what a signed cut does not do."""

from datetime import timedelta
from fractions import Fraction
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.competency import services as competency
from lms.competency.rules import Requirement, judge
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.models import AuditEvent, Mail
from lms.operations import doctor
from lms.panels import course, minutes, rating, results, rules, services
from lms.panels.models import PanelMember, PanelRating, PanelResult, PanelRoom
from lms.panels.rules import Choice, Due, Stage
from lms.quizzes import bank
from lms.quizzes import services as quizzes
from lms.quizzes.models import Item
from lms.statistics.models import QuizFigures
from tests import factories
from tests.ledgers import SPEC
from tests.panels.rooms import LINK, WORDS, hold, viewer_of
from tests.races import race

NOW = factories.NOW


def test_the_list_holds_what_is_not_critical_after_training(app: Flask) -> None:
    held = hold(2, curriculum="K1", training=2, stage=Stage.INVITING)
    items = services.list_items(held.room())
    standard = competency.current().standard
    assert [one.training for one in items[:3]] == [True, True, False]
    assert {standard.find(one.kuk).critical for one in items if one.training} == {True}
    assert {standard.find(one.kuk).critical for one in items if not one.training} == {False}
    gated = {kuk.code for kuk in services.gated(standard, "K1")}
    newest = [one.version for one in bank.list_newest("K1") if one.kuk in gated]
    assert [one.version for one in items if not one.training] == newest
    assert len({one.kuk for one in items if one.training}) == 2


def test_the_list_is_frozen(app: Flask) -> None:
    held = hold(2, stage=Stage.INVITING)
    before = services.list_items(held.room())
    with unit_of_work():
        gone = db.session.scalars(select(Item).where(Item.slug == before[-1].slug)).one()
        gone.withdrawn_at = NOW
    assert services.list_items(held.room()) == before
    assert before[-1].version not in {one.version for one in bank.list_newest("K4")}


def test_what_stands_on_superseded_law_is_not_on_the_list(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    everything = bank.list_newest("K5")
    [article] = [one for one in [quizzes.count_items()] if one]
    some = max(article, key=lambda ref: article[ref])
    cited = {one.slug for one in quizzes.list_items(some)}
    monkeypatch.setattr(bank.laws, "superseded", lambda: frozenset({some}))
    left = {one.slug for one in bank.list_newest("K5")}
    assert left == {one.slug for one in everything} - cited
    assert cited


@pytest.mark.both
def test_one_room_at_a_time_for_a_curriculum(bare_app: Flask) -> None:
    with bare_app.app_context():
        chair = factories.person("admin").id

    def open_one() -> str:
        with unit_of_work():
            return services.open_room("K4", person=WORDS, training=0, chair_id=chair, now=NOW)

    answers = race(bare_app, [open_one, open_one])
    assert sorted(isinstance(one, rules.RoomOpen) for one in answers) == [False, True]
    with bare_app.app_context():
        assert db.session.scalar(select(func.count()).select_from(PanelRoom)) == 1


def test_no_room_without_a_bank(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFound), unit_of_work():
        services.open_room("K9", person=WORDS, training=0, chair_id=1, now=NOW)
    monkeypatch.setattr(bank, "list_newest", lambda _code: [])
    with pytest.raises(rules.NoItems), unit_of_work():
        services.open_room("K4", person=WORDS, training=0, chair_id=1, now=NOW)


def test_who_is_invited_gets_a_neutral_letter(app: Flask) -> None:
    held = hold(2, stage=Stage.INVITING)
    letters = db.session.scalars(select(Mail).order_by(Mail.id)).all()
    assert {one.to for one in letters} == {one.email for one in held.panel}
    assert {one.subject for one in letters} == {"Undangan sebagai anggota panel"}
    assert LINK in letters[0].body
    with unit_of_work():
        room = held.room()
        again = course.invite(room, [], LINK, by_id=held.chair.id, now=NOW)
    assert again == 0
    one = factories.person("trainee")
    with pytest.raises(rules.NotOnPanel), unit_of_work():
        course.invite(held.room(), [one.public_id], LINK, by_id=held.chair.id, now=NOW)


def test_who_still_learns_the_curriculum_is_kept_out(app: Flask) -> None:
    held = hold(2, stage=Stage.INVITING)
    learner = factories.person("trainer", "trainee", name="Masih Belajar")
    listed = {one.name: one for one in services.list_candidates(held.room(), now=NOW)}
    assert listed["Masih Belajar"].tested
    with pytest.raises(rules.Tested), unit_of_work():
        course.invite(held.room(), [learner.public_id], LINK, by_id=held.chair.id, now=NOW)
    # Somebody on the panel who begins to learn afterwards finds the door closed …
    member = held.panel[0]
    with unit_of_work():
        accounts.add_roles(member.id, ["trainee"])
    with pytest.raises(rules.Tested):
        held.room(member)
    # … until the quiz is passed; also for who leads the room.
    for kuk in competency.current().standard.of("K4"):
        for n in range(2):
            factories.evidence(
                member, "Q", kuk.code, "K4", "sesi", ref=f"{kuk.code}/{n}", passed=True
            )
    assert held.room(member).member_id is not None
    with unit_of_work():
        accounts.add_roles(held.chair.id, ["trainee"])
    with pytest.raises(rules.Tested):
        held.room()


def test_nobody_else_enters(app: Flask) -> None:
    held = hold(2, stage=Stage.INVITING)
    stranger = factories.person("reviewer")
    with pytest.raises(NotFound):
        held.room(stranger)
    assert services.list_rooms(viewer_of(stranger)) == []
    assert [one.room.public_id for one in services.list_rooms(viewer_of(held.panel[0]))] == [
        held.public_id
    ]
    assert len(services.list_rooms(viewer_of(held.chair))) == 1


@pytest.mark.both
def test_who_is_waited_for_follows_the_room(app: Flask) -> None:
    held = hold(2, stage=Stage.INVITING)
    first, second = held.panel

    def waited() -> list[Due | None]:
        people = (held.chair, first, second)
        return [services.list_rooms(viewer_of(one))[0].due for one in people]

    def finish(person: Person) -> None:
        with unit_of_work():
            rating.finish(held.room(person), now=held.later())

    assert waited() == [Due.INVITE, None, None]
    held.advance()
    for person in (first, second):
        held.rate(person, [60, 70])
    assert waited() == [None, Due.RATE, Due.RATE]
    finish(first)
    assert waited() == [None, None, Due.RATE]
    finish(second)
    assert waited() == [Due.LEAD, None, None]
    held.advance()
    assert waited() == [Due.LEAD, None, None], "talk ends when the chair says so"
    held.advance()
    assert waited() == [None, Due.RATE, Due.RATE], "what was finished was the first round"
    finish(first)
    finish(second)
    held.advance()
    assert waited() == [None, Due.SIGN, Due.SIGN]
    held.sign(first)
    assert waited() == [None, None, Due.SIGN]
    held.sign(second, Choice.ABSTAINED, "Saya kurang yakin.")
    assert waited() == [Due.LEAD, None, None]
    held.advance()
    assert waited() == [None, None, None]


def test_a_room_that_waits_stands_first(app: Flask) -> None:
    chair = factories.person("admin")
    waits = hold(2, curriculum="K4", chair=chair)
    talks = hold(2, curriculum="K5", chair=chair, panel=waits.panel, stage=Stage.TALK)
    lines = services.list_rooms(viewer_of(waits.panel[0]))
    assert [one.room.public_id for one in lines] == [waits.public_id, talks.public_id]
    assert [one.due for one in lines] == [Due.RATE, None]


def test_a_panellist_who_rated_nothing_may_be_let_go(app: Flask) -> None:
    held = hold(3)
    idle, busy = held.panel[0], held.panel[1]
    with unit_of_work():
        rating.save(held.room(busy), 1, 50, 1, now=NOW)
    for person, gone in ((idle, True), (busy, False)):
        member = held.room(person).member_id or 0
        if gone:
            with unit_of_work():
                services.release(held.room(), member, by_id=held.chair.id, now=NOW)
        else:
            with pytest.raises(rules.NotOnPanel), unit_of_work():
                services.release(held.room(), member, by_id=held.chair.id, now=NOW)
    assert {one.person_id for one in services.list_members(held.room())} == {
        one.id for one in held.panel[1:]
    }


def test_a_rating_is_saved_once_and_the_late_overwrites_nothing(app: Flask) -> None:
    held = hold(2, training=0)
    person = held.panel[0]

    def save(percent: int, seq: int) -> bool:
        with unit_of_work():
            return rating.save(held.room(person), 1, percent, seq, now=held.later())

    assert save(50, 3)
    assert save(50, 3), "said again"
    assert not save(80, 2), "it was on its way for long"
    assert rating.get_sheet(held.room(person)).lines[0].first == 50
    assert save(85, 4)
    assert rating.get_sheet(held.room(person)).lines[0].first == 85
    assert db.session.scalar(select(func.count()).select_from(PanelRating)) == 1
    with pytest.raises(NotFound), unit_of_work():
        rating.save(held.room(person), held.items + 1, 50, 5, now=NOW)
    with pytest.raises(rules.NotOnPanel), unit_of_work():
        rating.save(held.room(), 1, 50, 5, now=NOW)
    with pytest.raises(rules.NotOnPanel), unit_of_work():
        rating.finish(held.room(), now=NOW)


def test_training_comes_first(app: Flask) -> None:
    held = hold(2, training=1)
    person = held.panel[0]
    with pytest.raises(rules.TrainingFirst), unit_of_work():
        rating.save(held.room(person), 2, 50, 1, now=NOW)
    with unit_of_work():
        rating.save(held.room(person), 1, 50, 1, now=NOW)
        rating.save(held.room(person), 2, 50, 2, now=NOW)
    with pytest.raises(rules.NotFinished), unit_of_work():
        rating.finish(held.room(person), now=NOW)
    sheet = rating.get_sheet(held.room(person))
    assert (sheet.rated, sheet.next, sheet.seq) == (2, 3, 2)
    held.rate(person, [50])
    with unit_of_work():
        rating.finish(held.room(person), now=NOW)
    [mine] = [one for one in services.list_members(held.room()) if one.person_id == person.id]
    assert (mine.first_done, mine.second_done, mine.first) == (True, False, held.items)


def test_nobody_sees_the_others_before_the_first_round_is_closed(app: Flask) -> None:
    held = hold(2)
    held.rate(held.panel[0], [50])
    with pytest.raises(rules.WrongStage):
        rating.read_spread(rating.get_sheet(held.room(held.panel[1])))
    with pytest.raises(rules.WrongStage), unit_of_work():
        rating.say(held.room(held.panel[1]), 1, "Sulit.", author_id=held.panel[1].id, now=NOW)


def test_between_the_rounds_the_spread_names_nobody(app: Flask) -> None:
    held = hold(3, training=0, stage=Stage.TALK)
    person = held.panel[2]
    with unit_of_work():
        rating.say(held.room(person), 1, "Pengecohnya kuat.", author_id=person.id, now=NOW)
    first = rating.read_spread(rating.get_sheet(held.room(held.panel[0])))[0]
    assert first.values == (60, 65, 70)
    assert first.line.first == 60
    assert (first.is_far, first.p, first.notes) == (False, None, ("Pengecohnya kuat.",))
    with pytest.raises(rules.WrongStage), unit_of_work():
        rating.save(held.room(person), 1, 5, 9, now=NOW)
    with pytest.raises(NotFound), unit_of_work():
        rating.say(held.room(person), 99, "Tidak ada.", author_id=person.id, now=NOW)


@pytest.mark.parametrize(("n", "seen"), [(59, None), (60, 0.4)])
def test_how_hard_an_item_is_shows_from_sixty_answers_on(
    app: Flask, n: int, seen: float | None
) -> None:
    held = hold(2, training=0, stage=Stage.TALK)
    item = services.list_items(held.room())[0]
    with unit_of_work():
        quiz_id = db.session.scalars(select(Item.quiz_id).where(Item.slug == item.slug)).one()
        figures = {"version": item.version, "n": n, "p": 0.4, "flags": []}
        db.session.add(
            QuizFigures(quiz_id=quiz_id, sittings=n, whole={}, items=[figures], computed_at=NOW)
        )
    lie = rating.read_spread(rating.get_sheet(held.room(held.panel[0])))[0]
    assert lie.p == seen


def test_a_panellist_far_from_the_others_is_told_so_alone(app: Flask) -> None:
    held = hold(4, training=0)
    for n, person in enumerate(held.panel):
        held.rate(person, [20] if n == 0 else [70, 75, 80])
    held.advance()
    far = [
        rating.read_spread(rating.get_sheet(held.room(one)))[0].is_far
        for one in (*held.panel, held.chair)
    ]
    assert far == [True, False, False, False, False]


def test_the_cut_is_what_the_ratings_say(app: Flask) -> None:
    held = hold(3, training=1, stage=Stage.SECOND)
    held.rate(held.panel[0], [90])
    held.advance()
    found = results.read(held.room(held.panel[0]))
    items = len(found.versions)
    # The training item was rated first, so the others begin with the second value.
    whole = [[60 + 5 * n, 70, 80] * items for n in range(3)]
    table = [[90] * items, *(row[1 : items + 1] for row in whole[1:])]
    expected = rules.cut(table)
    assert found.share == expected.share
    assert found.figures["cut"] == pytest.approx(expected.percent)
    assert found.figures["error"] == pytest.approx(expected.error)
    assert found.figures["error_all"] == pytest.approx(expected.parts.error)
    assert found.figures["icc"] == pytest.approx(expected.parts.icc)
    assert sorted(last for _first, last in found.figures["each"]) == pytest.approx(
        sorted(expected.each)
    )
    opening = rules.cut([row[1 : items + 1] for row in whole])
    assert found.figures["before"] == pytest.approx(opening.percent)
    standard = competency.current().standard
    shown = sum(standard.shown_for(kuk) for kuk in services.gated(standard, "K4"))
    assert found.ratio == (rules.needed(expected.share, shown), shown)
    assert held.room(held.panel[0]).label is not None
    away = results.own_deviation(held.room(held.panel[0]))
    assert away == pytest.approx(rules.deviation(table[0], table[1:]))
    assert results.own_deviation(held.room()) is None


def test_who_did_not_rate_everything_is_not_counted(app: Flask) -> None:
    held = hold(3, training=0)
    held.rate(held.panel[0], [60])
    held.rate(held.panel[1], [70])
    with unit_of_work():
        rating.save(held.room(held.panel[2]), 1, 5, 1, now=NOW)
    for _stage in (Stage.TALK, Stage.SECOND, Stage.SIGNING):
        held.advance()
    found = results.read(held.room())
    assert (found.panellists, found.share) == (2, Fraction(65, 100))
    assert found.figures["left_out"] == 1
    late = held.room(held.panel[2])
    assert late.label is None
    with pytest.raises(rules.NotOnPanel), unit_of_work():
        results.sign(late, Choice.SIGNED, "", found.digest, person_id=held.panel[2].id, now=NOW)
    with pytest.raises(rules.NotOnPanel), unit_of_work():
        results.excuse(
            held.room(), late.member_id or 0, "Pergi", found.digest, by_id=held.chair.id, now=NOW
        )
    assert any("1 anggota tidak dihitung" in text for text in minutes.statements(found))


def test_a_round_is_not_closed_before_two_have_rated(app: Flask) -> None:
    held = hold(2)
    held.rate(held.panel[0], [60])
    with pytest.raises(rules.TooFew):
        held.advance()
    assert held.room().stage is Stage.FIRST
    alone = hold(1, curriculum="K5", stage=Stage.INVITING)
    with pytest.raises(rules.TooFew):
        alone.advance()


@pytest.mark.both
def test_a_double_click_takes_a_room_one_stage_on(bare_app: Flask) -> None:
    with bare_app.app_context():
        held = hold(2, stage=Stage.TALK)
        room, chair = held.room(), held.chair.id

    def go_on() -> Stage:
        with unit_of_work():
            return course.advance(room, Stage.TALK, by_id=chair, now=NOW)

    answers = race(bare_app, [go_on, go_on])
    assert sorted(isinstance(one, rules.WrongStage) for one in answers) == [False, True]
    with bare_app.app_context():
        assert db.session.scalars(select(PanelRoom.stage)).one() is Stage.SECOND


def test_everybody_answers_before_the_room_is_closed(app: Flask) -> None:
    held = hold(3, stage=Stage.SIGNING)
    held.sign(held.panel[0])
    with pytest.raises(rules.AlreadyAnswered):
        held.sign(held.panel[0], Choice.ABSTAINED, "Berubah pikiran")
    with pytest.raises(rules.Unanswered):
        held.advance()
    held.sign(held.panel[1], Choice.ABSTAINED, "Butirnya terlalu sedikit")
    room = held.room(held.panel[2])
    with pytest.raises(rules.WrongStage), unit_of_work():
        results.sign(room, Choice.SIGNED, "", "lain", person_id=held.panel[2].id, now=NOW)
    with unit_of_work():
        room, member = held.room(), held.room(held.panel[2]).member_id or 0
        seen = results.read(room).digest
        results.excuse(room, member, "Tidak dapat dihubungi", seen, by_id=held.chair.id, now=NOW)
    assert held.advance() is Stage.CLOSED
    signed = results.read(held.room()).signatures
    assert [one.choice for one in signed] == [Choice.SIGNED, Choice.ABSTAINED, Choice.ABSENT]
    assert held.room().ended_at is not None
    with pytest.raises(rules.WrongStage):
        held.advance()
    said = db.session.scalars(
        select(AuditEvent.action).where(AuditEvent.action.like("panels.%"))
    ).all()
    assert {"panels.open", "panels.invite", "panels.stage", "panels.sign"} <= set(said)


def test_a_room_nobody_signed_is_stopped_not_closed(app: Flask) -> None:
    held = hold(2, stage=Stage.SIGNING)
    for person in held.panel:
        held.sign(person, Choice.ABSTAINED, "Tidak sepakat")
    with pytest.raises(rules.Unanswered):
        held.advance()
    with unit_of_work():
        course.stop(held.room(), "Tidak ada yang menandatangani", by_id=held.chair.id, now=NOW)
    assert held.room().stage is Stage.STOPPED
    with pytest.raises(rules.WrongStage), unit_of_work():
        course.stop(held.room(), "Lagi", by_id=held.chair.id, now=NOW)
    assert results.list_below(competency.current().standard) == []
    assert hold(2).public_id != held.public_id, "the next one may open"


def test_a_room_without_a_result_has_none(app: Flask) -> None:
    with pytest.raises(NotFound):
        results.read(hold(2).room())


def sit(people: int) -> None:
    """Let people sit the quiz of K4 once: the n-th has n wrong among the others."""
    standard = competency.current().standard
    for n in range(people):
        person = factories.person("trainee")
        with unit_of_work():
            ref = quizzes.open_attempt(person.id, "K4", now=NOW)
            quizzes.submit(ref, now=NOW)  # nothing answered: all wrong
        db.session.rollback()
        right = [
            (kuk.code, shown)
            for kuk in services.gated(standard, "K4")
            for shown in range(standard.shown_for(kuk))
        ][n:]
        rows = competency.rows_of_one(person.id, competency.current())
        with unit_of_work():
            for row in rows:
                if (row.kuk, 0) in right and not standard.find(row.kuk).critical:
                    _turn(row.id)


def _turn(evidence_id: int) -> None:
    from lms.competency.models import Evidence

    db.session.get_one(Evidence, evidence_id).passed = True


@pytest.mark.parametrize("people", [4, 5])
def test_the_effect_counts_first_sittings_and_hides_a_few(app: Flask, people: int) -> None:
    sit(people)
    held = hold(2, stage=Stage.SIGNING)
    found = results.read(held.room()).figures
    if people < 5:
        assert found["effect"] == [None, None, None]
        assert found["effect_now"] is None
    else:
        kuk = {one.code for one in services.gated(competency.current().standard, "K4")}
        first = bank.first_sittings("K4", kuk)
        share = results.read(held.room()).share
        there = sum(Fraction(one.right, one.shown) >= share for one in first)
        assert found["effect"][1] == {"share": round(there / people, 2), "of": people}
        assert 0 < there < people, "the test would say nothing otherwise"
    assert found["effect_held"] is None, "nobody holds a certificate"


def test_a_signed_cut_changes_nothing_until_a_standard_names_it(app: Flask) -> None:
    """And then only what is decided from that version on: a ledger, judged before and after."""
    person = factories.person("trainee")
    standard = competency.current().standard
    others = services.gated(standard, "K4")
    wrong = 1  # of 8: 7 right are enough for 4 of 5
    lines = [(kuk.code, n) for kuk in others for n in range(standard.shown_for(kuk))]
    for place, (code, n) in enumerate(lines):
        factories.evidence(
            person, "Q", code, "K4", "sesi", ref=f"{code}/{n}", passed=place >= wrong
        )
    asked = Requirement(scheme="K4", curricula=("K4",), in_person=())

    def missing_items(version: int) -> bool:
        found = competency.version(version)
        rows = competency.rows_of_one(person.id, found)
        judged = judge(found.standard, rows, asked, NOW + timedelta(days=1))
        return any(one.kind == "items" for one in judged.missing)

    before = competency.current().id
    ledger = db.session.scalar(select(func.count()).select_from(PanelResult))
    assert ledger == 0
    assert not missing_items(before)
    held = hold(2, training=0)
    for one in held.panel:
        held.rate(one, [100])
    for _stage in (Stage.TALK, Stage.SECOND, Stage.SIGNING):
        held.advance()
    for one in held.panel:
        held.sign(one)
    held.advance()
    found = results.read(held.room())
    assert found.ratio == (8, 8)
    assert competency.current().id == before
    assert not missing_items(before), "a signed cut re-scores nothing"
    [below] = results.list_below(competency.current().standard)
    assert (below.curriculum, below.asked, below.signed) == ("K4", (7, 8), (8, 8))
    looked = doctor.examine(app.extensions["suluh"], now=NOW, only={"content"})
    assert any("K4: the standard asks for 7 of 8 items" in one.says for one in looked)
    # The positive control: a version of the standard that names the cut.
    with unit_of_work():
        newer = competency.load_standard(with_cut(found.ratio), now=NOW).id
    assert missing_items(newer)
    assert not missing_items(before), "what was decided under the old version stays so"
    assert results.list_below(competency.current().standard) == []


def with_cut(ratio: tuple[int, int]) -> Any:
    """Return the standard's file with a cut of K4."""
    changed = SPEC.rules.model_copy(update={"noncritical_pass_of": {"K4": ratio}})
    return SPEC.model_copy(update={"version": "9", "rules": changed})


def test_papers_name_nobody_beside_a_rating(app: Flask) -> None:
    held = hold(3, training=0, stage=Stage.CLOSED)
    room = held.room()
    found = results.read(room)
    heads = minutes.columns(found.panellists)
    lines = list(minutes.rows(room, found))
    assert len(lines) == 2 * len(found.versions)
    assert {len(line) for line in lines} == {len(heads)}
    text = str([heads, lines, found.figures])
    assert not any(one.name in text for one in held.panel)
    labels = db.session.scalars(select(PanelMember.label)).all()
    assert sorted(one for one in labels if one) == [1, 2, 3]
    total = sum(sum(line[4:]) for line in lines if line[3] == 2)
    assert total == 100 * found.panellists * len(found.versions) * found.share
    assert minutes.draw(room, found, "Ketua", factories.mark(), now=NOW).startswith(b"%PDF")
