"""Loading items, sitting a quiz, and what is left in the ledger."""

import logging
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from lms.competency import content as standard_content
from lms.competency import services as competency
from lms.competency.models import Evidence
from lms.competency.rules import EvidenceKind, TryState
from lms.config import CONTENT
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.quizzes import content, reviewing, rules, services, sheets, standing
from lms.quizzes.content import BankItem, ItemSpec
from lms.quizzes.models import AnswerEvent, Attempt, AttemptItem, Item, ItemVersion, Quiz
from lms.quizzes.services import AttemptRef
from lms.quizzes.sheets import Outcome
from tests import factories
from tests.factories import NOW
from tests.queries import counted
from tests.quizzes.helpers import DAY, answer, begin, drawn, hand_in, sit

CRITICAL = {"02.2.1", "03.1.1", "03.1.3", "03.1.4", "03.2.1", "04.2.4"}


@pytest.fixture(scope="module")
def bank() -> list[BankItem]:
    standard, _problems = standard_content.check(CONTENT)
    assert standard is not None
    return content.check(CONTENT, standard)[0]


@pytest.fixture
def person_id(app: Flask) -> int:
    return factories.person().id


def load(items: list[BankItem], now=NOW) -> dict[str, int]:
    with unit_of_work():
        return services.load(items, now=now)


def reworded(item: BankItem, **changes: object) -> BankItem:
    data = item.spec.model_dump(mode="json") | changes
    return replace(item, spec=ItemSpec.model_validate(data))


def counts(**values: int) -> dict[str, int]:
    return {"added": 0, "changed": 0, "unchanged": 0, "withdrawn": 0, "kept": 0} | values


def versions(slug: str) -> list[tuple[int, str]]:
    query = select(ItemVersion.number, ItemVersion.source).join(
        Item, Item.id == ItemVersion.item_id
    )
    rows = db.session.execute(query.where(Item.slug == slug).order_by(ItemVersion.number))
    return [(row.number, row.source) for row in rows]


def rows_of(person_id: int) -> list[Evidence]:
    return list(
        db.session.scalars(
            select(Evidence).where(Evidence.person_id == person_id).order_by(Evidence.id)
        )
    )


def test_loading_again_changes_nothing(app: Flask, bank: list[BankItem]):
    assert load(bank) == counts(unchanged=len(bank))
    assert db.session.scalar(select(func.count(ItemVersion.id))) == len(bank)


def test_a_first_load_makes_the_quiz_and_its_items(app: Flask, bank: list[BankItem]):
    other = [
        replace(reworded(item, id=item.spec.id.replace("K1", "K9")), curriculum="K9")
        for item in bank[:3]
    ]
    assert load(bank + other) == counts(unchanged=len(bank), added=3)
    codes = db.session.scalars(select(Quiz.curriculum_code).order_by(Quiz.curriculum_code)).all()
    assert codes == sorted({item.curriculum for item in bank} | {"K9"})


def test_a_changed_text_is_a_new_version_and_the_old_one_stays(app: Flask, bank: list[BankItem]):
    old, slug = bank[0].spec.source, bank[0].spec.id
    changed = reworded(bank[0], source="Sumber baru")
    assert load([changed, *bank[1:]]) == counts(unchanged=len(bank) - 1, changed=1)
    assert versions(slug) == [(1, old), (2, "Sumber baru")]
    assert load(bank) == counts(unchanged=len(bank) - 1, changed=1)
    assert versions(slug) == [(1, old), (2, "Sumber baru"), (3, old)]


def test_a_vanished_item_is_withdrawn_once_and_may_come_back(app: Flask, bank: list[BankItem]):
    assert load(bank[1:], NOW) == counts(unchanged=len(bank) - 1, withdrawn=1)
    assert load(bank[1:], NOW + DAY) == counts(unchanged=len(bank) - 1)
    item = db.session.scalars(select(Item).where(Item.slug == bank[0].spec.id)).one()
    assert (item.withdrawn_at, item.withdrawn_reason) == (NOW, services.VANISHED)
    assert load(bank) == counts(unchanged=len(bank))
    db.session.refresh(item)
    assert (item.withdrawn_at, item.withdrawn_reason) == (None, "")


def test_an_item_withdrawn_for_a_reason_stays_so_while_it_is_in_the_files(
    app: Flask, bank: list[BankItem]
):
    with unit_of_work():
        db.session.execute(
            update(Item)
            .where(Item.slug == bank[0].spec.id)
            .values(withdrawn_at=NOW, withdrawn_reason="the law changed")
        )
    load(bank, NOW + DAY)
    item = db.session.scalars(select(Item).where(Item.slug == bank[0].spec.id)).one()
    assert (item.withdrawn_at, item.withdrawn_reason) == (NOW, "the law changed")


def test_reviewed_items_are_counted_in_their_newest_wording(app: Flask, bank: list[BankItem]):
    assert reviewed() == (len(bank), 0)
    read = [reworded(item, review={"status": "reviewed"}) for item in bank[:2]]
    load([*read, *bank[2:-1]])
    assert reviewed() == (len(bank) - 1, 2)
    load([read[0], *bank[1:]])
    assert reviewed() == (len(bank), 1)


def reviewed() -> tuple[int, int]:
    """Return how many items there are to review, and how many of them their files call reviewed."""
    marks = [one.reviewed for one in reviewing.list_texts()]
    return len(marks), sum(marks)


def test_a_first_sitting_shows_the_blueprint(person_id: int):
    ref = begin(person_id)
    shown = Counter(kuk for _position, kuk, *_rest in drawn(ref))
    assert sum(shown.values()) == 26
    assert {kuk: n for kuk, n in shown.items() if n == 2} == dict.fromkeys(CRITICAL, 2)
    assert len(shown) == 20
    assert [line[0] for line in drawn(ref)] == list(range(1, 27))
    attempt = db.session.scalars(select(Attempt)).one()
    assert (attempt.number, attempt.opened_at, attempt.closed_at) == (1, NOW, None)
    assert sorted(attempt.kuk) == sorted(shown)


def test_people_get_different_items_and_orders(app: Flask):
    refs = [begin(factories.person().id) for _ in range(4)]
    assert len({tuple(line[3] for line in drawn(ref)) for ref in refs}) == 4
    orders = db.session.scalars(select(AttemptItem.option_order)).all()
    assert len(set(orders)) > 10


def test_the_random_numbers_may_be_given(app: Flask):
    first, second = factories.person().id, factories.person().id
    with unit_of_work():
        one = services.open_attempt(first, "K1", now=NOW, random=Random(5))
        other = services.open_attempt(second, "K1", now=NOW, random=Random(5))
    assert [line[1:] for line in drawn(one)] == [line[1:] for line in drawn(other)]


def test_opening_again_gives_back_the_running_sitting(person_id: int):
    assert begin(person_id) == begin(person_id, NOW + DAY)
    assert db.session.scalar(select(func.count(Attempt.id))) == 1


def test_there_is_no_quiz_of_an_unknown_curriculum(person_id: int):
    with pytest.raises(NotFound):
        begin(person_id, curriculum="K9")


def test_withdrawn_items_are_never_drawn(person_id: int, bank: list[BankItem]):
    keep = [item for item in bank if not item.spec.id.endswith(("-1", "-4"))]
    load(keep)
    for _ in range(3):
        ref = begin(person_id, NOW)
        slugs = set(
            db.session.scalars(
                select(Item.slug).where(Item.id.in_([line[2] for line in drawn(ref)]))
            )
        )
        assert not any(slug.endswith(("-1", "-4")) for slug in slugs)
        person_id = factories.person().id


def test_a_changed_item_is_drawn_in_its_newest_wording(person_id: int, bank: list[BankItem]):
    load([reworded(item, source="Sumber kedua") for item in bank])
    numbers = db.session.scalars(
        select(ItemVersion.number).where(
            ItemVersion.id.in_([line[3] for line in drawn(begin(person_id))])
        )
    ).all()
    assert set(numbers) == {2}


def test_a_bank_that_ran_dry_opens_nothing(person_id: int, bank: list[BankItem]):
    load([item for item in bank if item.spec.kuk != "02.1.2"])
    with pytest.raises(rules.BankTooSmall, match=r"02\.1\.2"):
        begin(person_id)
    assert db.session.scalar(select(func.count(Attempt.id))) == 0


def test_a_resit_shows_open_criteria_only_and_other_items(person_id: int):
    first = sit(person_id, wrong=lambda kuk: kuk == "03.1.4")
    second = begin(person_id, NOW + 2 * DAY)
    assert [kuk for _position, kuk, *_rest in drawn(second)] == ["03.1.4", "03.1.4"]
    met = {line[2] for line in drawn(first)}
    assert met.isdisjoint(line[2] for line in drawn(second))


def test_the_oldest_items_come_back_when_the_bank_is_used_up(person_id: int):
    trainer = factories.person("trainer").id
    met: list[set[int]] = []
    for n in range(4):
        ref = sit(person_id, NOW + 2 * n * DAY, wrong=lambda kuk: kuk == "03.1.4")
        met.append({line[2] for line in drawn(ref) if line[1] == "03.1.4"})
        with unit_of_work():
            competency.coach(
                person_id,
                kind=EvidenceKind.Q,
                source="K1",
                note="Membaca K1.6 bersama.",
                trainer_id=trainer,
                now=NOW + 2 * n * DAY + timedelta(hours=1),
            )
    assert len(met[0] | met[1] | met[2]) == 6
    assert met[3] == met[0]


def test_a_next_try_waits_a_day_after_handing_in(person_id: int):
    sit(person_id, wrong=lambda kuk: kuk == "03.1.4")
    with pytest.raises(rules.TooSoon) as refusal:
        begin(person_id, NOW + DAY - timedelta(seconds=1))
    assert refusal.value.at == NOW + DAY
    begin(person_id, NOW + DAY)


def test_the_fourth_try_needs_a_trainer(person_id: int):
    for n in range(3):
        sit(person_id, NOW + 2 * n * DAY, wrong=lambda kuk: kuk == "03.1.4")
    with pytest.raises(rules.NeedsCoaching):
        begin(person_id, NOW + 10 * DAY)
    with unit_of_work():
        competency.coach(
            person_id,
            kind=EvidenceKind.Q,
            source="K1",
            note="Latihan bersama.",
            trainer_id=factories.person("trainer").id,
            now=NOW + 10 * DAY,
        )
    begin(person_id, NOW + 10 * DAY)
    assert db.session.scalar(select(func.max(Attempt.number))) == 4


def test_a_passed_quiz_is_not_sat_again(person_id: int):
    sit(person_id)
    with pytest.raises(rules.NothingToAsk):
        begin(person_id, NOW + 2 * DAY)


def test_a_year_later_a_passed_quiz_opens_at_once_with_fresh_tries(person_id: int):
    for n in range(2):
        sit(person_id, NOW + 2 * n * DAY, wrong=lambda kuk: kuk == "03.1.4")
    sit(person_id, NOW + 5 * DAY)
    state = services.quiz_state(person_id, "K1", NOW + 400 * DAY)
    assert (state.next.state, state.next.number) == (TryState.OPEN, 1)
    assert len(state.scope) == 20
    begin(person_id, NOW + 400 * DAY)


def test_a_voided_item_is_replaced_without_waiting_or_coaching(person_id: int):
    sit(person_id)
    lost = next(row for row in rows_of(person_id) if row.kuk == "02.1.2")
    with unit_of_work():
        competency.void(lost.id, reason="pasal berubah", by_id=None, now=NOW)
    ref = begin(person_id, NOW + timedelta(hours=1))
    assert [line[1] for line in drawn(ref)] == ["02.1.2"]


def test_an_answer_is_kept_and_may_change(person_id: int):
    ref = begin(person_id)
    assert answer(ref, 3, 2, seq=1) == services.Saved(NOW, counts=True)
    answer(ref, 3, 4, seq=2)
    sheet = sheets.get_sheet(ref)
    assert sheet.lines[2].answer.choice == 4
    assert (sheet.answered, sheet.seq, len(sheet.unanswered)) == (1, 2, 25)
    assert db.session.scalar(select(func.count(AnswerEvent.id))) == 2


def test_the_same_key_is_the_same_answer(person_id: int):
    ref = begin(person_id)
    first = answer(ref, 1, 2, client_key="same-key", seq=5)
    again = answer(ref, 1, 2, client_key="same-key", seq=5, now=NOW + DAY)
    assert again == first == services.Saved(NOW, counts=True)
    assert db.session.scalar(select(func.count(AnswerEvent.id))) == 1


@pytest.mark.parametrize(
    ("position", "choice", "flagged"), [(1, 3, None), (2, 2, None), (1, 2, True), (1, None, None)]
)
def test_the_same_key_with_another_value_is_refused(
    person_id: int, position: int, choice: int | None, flagged: bool | None
):
    ref = begin(person_id)
    answer(ref, 1, 2, client_key="same-key")
    with pytest.raises(rules.KeyReused):
        answer(ref, position, choice, flagged=flagged, client_key="same-key")
    assert sheets.get_sheet(ref).lines[0].answer.choice == 2
    assert db.session.scalar(select(func.count(AnswerEvent.id))) == 1


def test_an_answer_that_was_overtaken_is_kept_and_says_so(person_id: int):
    ref = begin(person_id)
    answer(ref, 1, 4, seq=9)
    assert answer(ref, 1, 2, seq=3) == services.Saved(NOW, counts=False)
    assert answer(ref, 2, 2, seq=3).counts
    assert sheets.get_sheet(ref).lines[0].answer.choice == 4
    assert db.session.scalar(select(func.count(AnswerEvent.id))) == 3


def test_a_flag_leaves_the_answer_and_comes_off_again(person_id: int):
    ref = begin(person_id)
    answer(ref, 1, 4, seq=3)
    assert answer(ref, 1, None, flagged=True, seq=1).counts
    sheet = sheets.get_sheet(ref)
    assert (sheet.flagged, sheet.lines[0].answer.choice) == ((1,), 4)
    answer(ref, 1, None, flagged=False, seq=4)
    assert sheets.get_sheet(ref).flagged == ()


def test_a_page_without_a_script_beats_what_its_script_had_on_the_way(person_id: int):
    ref = begin(person_id)
    answer(ref, 1, 1, seq=7)
    with unit_of_work():
        services.save_page(ref, position=1, seq=7, choice=2, flagged=True, now=NOW)
    assert not answer(ref, 1, 3, seq=9).counts
    line = sheets.get_sheet(ref).lines[0]
    assert (line.answer.choice, line.answer.flagged) == (2, True)
    with unit_of_work():
        services.save_page(ref, position=1, seq=7, choice=None, flagged=False, now=NOW)
    line = sheets.get_sheet(ref).lines[0]
    assert (line.answer.choice, line.answer.flagged) == (2, False)


def test_a_closed_sitting_takes_no_answer(person_id: int):
    ref = begin(person_id)
    answer(ref, 1, 2, client_key="same-key")
    hand_in(ref)
    with pytest.raises(rules.AttemptClosed):
        answer(ref, 2, 2)
    with pytest.raises(rules.AttemptClosed):
        answer(ref, 1, 2, client_key="same-key")
    with pytest.raises(rules.AttemptClosed), unit_of_work():
        services.save_page(ref, position=1, seq=1, choice=2, flagged=False, now=NOW)
    with pytest.raises(rules.AttemptClosed):
        sheets.get_sheet(ref)
    assert db.session.scalar(select(func.count(AnswerEvent.id))) == 1


def test_somebody_elses_sitting_does_not_exist_and_is_noted(
    person_id: int, caplog: pytest.LogCaptureFixture
):
    ref = replace(begin(person_id), person_id=factories.person().id)
    calls = [
        lambda: answer(ref, 1, 2),
        lambda: hand_in(ref),
        lambda: sheets.get_sheet(ref),
        lambda: sheets.get_result(ref, now=NOW),
    ]
    for call in calls:
        caplog.clear()
        with caplog.at_level(logging.WARNING), pytest.raises(NotFound):
            call()
        assert ref.public_id in caplog.text
    assert db.session.scalar(select(func.count(AnswerEvent.id))) == 0
    assert db.session.scalars(select(Attempt.closed_at)).one() is None


def test_what_does_not_exist_is_not_found_and_not_noted(
    person_id: int, caplog: pytest.LogCaptureFixture
):
    ref = begin(person_id)
    caplog.clear()
    with pytest.raises(NotFound):
        answer(replace(ref, public_id="tidakada"), 1, 2)
    with pytest.raises(NotFound):
        answer(replace(ref, curriculum="K2"), 1, 2)
    with pytest.raises(NotFound):
        answer(ref, 27, 2)
    with pytest.raises(NotFound):
        hand_in(replace(ref, public_id="tidakada"))
    with pytest.raises(NotFound):
        sheets.get_question(sheets.get_sheet(ref), 27)
    assert caplog.text == ""


def test_handing_in_appends_one_row_per_item(person_id: int):
    ref = begin(person_id)
    lines = drawn(ref)
    for position, _kuk, _item, _version, right in lines[:2]:
        answer(ref, position, right)
    answer(ref, 3, lines[2][4] % 4 + 1)
    hand_in(ref, NOW + timedelta(hours=1))
    rows = rows_of(person_id)
    assert [(row.kuk, row.ref, row.passed) for row in rows] == [
        (kuk, str(version), position <= 2) for position, kuk, _item, version, _right in lines
    ]
    assert {(row.kind, row.source, row.group_key) for row in rows} == {
        (EvidenceKind.Q, "K1", ref.public_id)
    }
    assert {row.happened_at for row in rows} == {NOW + timedelta(hours=1)}
    assert {row.standard_version_id for row in rows} == {competency.current().id}


def test_handing_in_twice_is_handing_in_once(person_id: int):
    ref = sit(person_id)
    hand_in(ref, NOW + DAY)
    assert len(rows_of(person_id)) == 26
    assert db.session.scalars(select(Attempt.closed_at)).one() == NOW


def test_an_item_withdrawn_meanwhile_is_not_evidence(person_id: int, bank: list[BankItem]):
    ref = begin(person_id)
    lines = drawn(ref)
    gone = db.session.get_one(Item, lines[0][2]).slug
    load([item for item in bank if item.spec.id != gone])
    hand_in(ref)
    assert str(lines[0][3]) not in {row.ref for row in rows_of(person_id)}
    assert len(rows_of(person_id)) == 25
    load(bank)  # its coming back does not change what counted
    result = sheets.get_result(ref, now=NOW)
    questions = [question for kuk in result.kuk for question in kuk.questions]
    assert [q.position for q in questions if not q.counts] == [1]
    assert lines[0][1] in {entry.kuk.code for entry in result.by(Outcome.OPEN)}


def test_an_open_sitting_is_neither_evidence_nor_a_try(person_id: int):
    ref = begin(person_id)
    answer(ref, 1, 1)
    state = services.quiz_state(person_id, "K1", NOW + 30 * DAY)
    assert rows_of(person_id) == []
    assert (state.closed, state.last, state.next.number) == ((), None, 1)
    assert state.running == standing.Running(
        state.running.id, ref.public_id, 1, NOW, None, None, 1, 26
    )


def test_the_result_says_why_each_option_is_as_safe_as_it_is(person_id: int):
    ref = sit(person_id, wrong=lambda kuk: kuk in {"03.1.4", "02.1.2"})
    result = sheets.get_result(ref, now=NOW + timedelta(hours=1))
    assert (result.number, result.closed_at) == (1, NOW)
    assert (result.passed, len(result.kuk)) == (19, 20)
    assert [entry.kuk.code for entry in result.by(Outcome.OPEN)] == ["03.1.4"]
    assert [entry.kuk.code for entry in result.by(Outcome.COMPENSATED)] == ["02.1.2"]
    assert (result.others, result.needed) == (rules.Score(13, 14), 12)
    entry = result.by(Outcome.OPEN)[0]
    assert entry.score == rules.Score(0, 2)
    assert [title for title, url in entry.lessons if url.startswith("/modul/k1/")]
    for question in entry.questions:
        assert sum(option.best for option in question.options) == 1
        assert sum(option.chosen for option in question.options) == 1
        assert not any(option.best and option.chosen for option in question.options)
        assert all(option.feedback for option in question.options)
    assert (result.state.next.state, result.state.next.at) == (TryState.WAIT, NOW + DAY)


def test_options_are_shown_in_the_order_that_was_drawn(person_id: int):
    ref = begin(person_id)
    lines = drawn(ref)
    shown = sheets.get_question(sheets.get_sheet(ref), 1)
    answer(ref, 1, lines[0][4])
    hand_in(ref)
    result = sheets.get_result(ref, now=NOW)
    question = next(q for kuk in result.kuk for q in kuk.questions if q.position == 1)
    assert tuple(option.text.value for option in question.options) == shown.options
    assert question.options[lines[0][4] - 1].best
    assert question.options[lines[0][4] - 1].chosen
    assert question.right


def test_too_few_right_items_bring_all_of_them_back(person_id: int):
    ref = sit(person_id, wrong=lambda kuk: kuk in {"02.1.1", "02.1.2", "02.1.3"})
    result = sheets.get_result(ref, now=NOW)
    assert [entry.kuk.code for entry in result.by(Outcome.OPEN)] == ["02.1.1", "02.1.2", "02.1.3"]
    assert len(result.by(Outcome.AGAIN)) == 11
    assert {entry.kuk.code for entry in result.by(Outcome.PASSED)} == CRITICAL
    assert result.others == rules.Score(11, 14)
    second = begin(person_id, NOW + DAY)
    assert {line[1] for line in drawn(second)}.isdisjoint(CRITICAL)
    assert len(drawn(second)) == 14


def test_an_old_result_stays_as_it_was(person_id: int):
    first = sit(person_id, wrong=lambda kuk: kuk == "03.1.4")
    second = sit(person_id, NOW + DAY)
    lost = next(row for row in rows_of(person_id) if row.kuk == "02.1.2")
    with unit_of_work():
        competency.void(lost.id, reason="pasal berubah", by_id=None, now=NOW + 2 * DAY)
    old = sheets.get_result(first, now=NOW + 3 * DAY)
    assert (old.passed, [e.kuk.code for e in old.by(Outcome.OPEN)]) == (19, ["03.1.4"])
    new = sheets.get_result(second, now=NOW + 3 * DAY)
    assert new.passed == 20
    assert sum(len(entry.questions) for entry in new.kuk) == 2
    assert new.state.scope == ("02.1.2",)


def test_nothing_of_the_key_before_the_end(person_id: int):
    ref = begin(person_id)
    with pytest.raises(rules.AttemptOpen):
        sheets.get_result(ref, now=NOW)
    question = sheets.get_question(sheets.get_sheet(ref), 1)
    assert {field for field in question.__dataclass_fields__} == {
        "position", "kind", "stem", "shown", "answer"
    }  # fmt: skip
    assert question.shown.keys() == {"options"}
    assert all(isinstance(text, str) for text in question.options)


def titles() -> list[tuple[str, str]]:
    """Return the curricula of the standard, all of which have a quiz."""
    curricula = competency.current().standard.curricula
    return [(code, title) for code, (title, _title_en) in curricula.items()]


def test_where_a_beginner_stands(person_id: int):
    states = services.quiz_states(person_id, NOW)
    state = states["K1"]
    assert list(states) == [code for code, _title in titles()]
    assert [(one.curriculum, one.title) for one in states.values()] == titles()
    assert (state.title, state.title_en) == ("Asesmen Risiko", "Risk assessment")
    assert (state.shown, state.others, state.needed, state.shown_critical) == (26, 14, 12, 2)
    assert (state.reached, len(state.asked), state.passed) == (0, 20, False)
    assert (state.running, state.closed, state.next.state) == (None, (), TryState.OPEN)
    assert (state.wait_hours, state.free_tries) == (24, 3)


def test_where_somebody_stands_who_passed(person_id: int):
    ref = sit(person_id)
    state = services.quiz_state(person_id, "K1", NOW + DAY)
    assert state.passed
    assert (state.reached, state.shown) == (20, 0)
    assert state.last is not None
    assert state.last.public_id == ref.public_id
    with pytest.raises(NotFound):
        services.quiz_state(person_id, "K9", NOW)


def test_a_quiz_the_standard_dropped_is_not_shown(person_id: int):
    with unit_of_work():
        db.session.add(Quiz(curriculum_code="LAMA"))
    assert "LAMA" not in services.quiz_states(person_id, NOW)
    assert "K1" in services.quiz_states(person_id, NOW)


def test_who_waits_and_why(app: Flask):
    people = [factories.person().id for _ in range(6)]
    _fresh, passed, waits, coached, running, free = people
    sit(passed)
    sit(waits, NOW, wrong=lambda kuk: kuk == "03.1.4")
    for n in range(3):
        last = sit(coached, NOW - (8 - 2 * n) * DAY, wrong=lambda kuk: kuk == "03.1.4")
    sit(running, NOW - 2 * DAY, wrong=lambda kuk: kuk == "03.1.4")
    begin(running)
    sit(free, NOW - 2 * DAY, wrong=lambda kuk: kuk == "03.1.4")
    found = services.waiting(people, NOW + timedelta(hours=1))
    assert found.keys() == {waits, coached}
    assert [(s.curriculum, s.state, s.at, s.tries) for s in found[waits]] == [
        ("K1", TryState.WAIT, NOW + DAY, 1)
    ]
    assert [(s.state, s.at, s.tries, s.public_id) for s in found[coached]] == [
        (TryState.COACHING, None, 3, last.public_id)
    ]
    with unit_of_work():
        competency.coach(
            coached,
            kind=EvidenceKind.Q,
            source="K1",
            note="Bicara.",
            trainer_id=factories.person("trainer").id,
            now=NOW,
        )
    assert services.waiting(people, NOW + timedelta(hours=1)).keys() == {waits}
    assert services.waiting([], NOW) == {}


def test_standing_costs_the_same_for_one_and_for_many(app: Flask):
    people = [factories.person().id for _ in range(8)]
    for person_id in people:
        sit(person_id, wrong=lambda kuk: kuk == "03.1.4")
    current = competency.current()
    ledgers = competency.rows_of(people, current)
    with counted() as one:
        services.waiting(people[:1], NOW)
    with counted() as many:
        services.waiting(people, NOW)
    assert len(one) == len(many) == 4
    with counted() as cheap:
        services.waiting(people, NOW, found=current, ledgers=ledgers)
    assert len(cheap) == 2
    with counted() as state:
        services.quiz_states(people[0], NOW, found=current, rows=ledgers[people[0]])
    assert len(state) == 1


def test_saving_costs_two_statements_however_many_answers_there_are(person_id: int):
    ref = begin(person_id)
    for position in range(1, 27):
        answer(ref, position, 1)
    with counted() as found:
        answer(ref, 5, 2)
    assert len(found) == 2
    assert "INSERT" in found[1]


def test_reading_a_question_costs_the_same_at_the_start_and_at_the_end(person_id: int):
    ref = begin(person_id)
    with counted() as first:
        sheets.get_question(sheets.get_sheet(ref), 1)
    for position in range(1, 27):
        answer(ref, position, 1)
    with counted() as last:
        sheets.get_question(sheets.get_sheet(ref), 26)
    assert len(first) == len(last) == 4


def test_a_reference_holds_what_is_asked_for(person_id: int):
    ref = begin(person_id)
    assert ref == AttemptRef(ref.public_id, "K1", person_id)
