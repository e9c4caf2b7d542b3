"""Simulations are loaded, played, scored and opened again."""

import threading
from collections.abc import Callable
from copy import deepcopy
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from lms.competency import services as competency
from lms.competency.rules import EvidenceKind, Ledger, State
from lms.core.audit import list_events
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.modules import services as modules
from lms.practice.simulations import rules, services, texts
from lms.practice.simulations.content import SimulationSpec
from lms.practice.simulations.models import SimulationRun, SimulationStep, SimulationVersion
from lms.practice.simulations.rules import Gate, RunOutcome
from tests import factories
from tests.practice.simulations.scene import (
    DAY,
    DOCUMENTS,
    HARMFUL,
    MINUTE,
    NOW,
    SAFE,
    SPECS,
    START,
    STORIES,
    UNSAFE,
    at,
    facts,
    gate,
    go,
    grade,
    learn,
    learner,
    ledger,
    letter,
    practise,
    safe_way,
    title,
    try_again,
    untaught,
)
from tests.queries import counted

FIRST = [spec for spec in SPECS if spec.variant == "A"]


def sim_state(person_id: int, kuk: str) -> State:
    """Return what SIM evidence says about one KUK."""
    current = competency.current()
    rows = competency.rows_of_one(person_id, current)
    book = Ledger(current.standard, rows, NOW + 30 * DAY)
    return book.state(current.standard.find(kuk), EvidenceKind.SIM)


def changed(**fields: object) -> SimulationSpec:
    """Return S1 with some fields changed."""
    return SimulationSpec.model_validate(deepcopy(DOCUMENTS["S1"]) | fields)


def load(*specs: SimulationSpec) -> dict[str, int]:
    with unit_of_work():
        return services.load(specs, now=NOW)


def steps_of(run_id: str) -> int:
    return db.session.scalars(
        select(func.count())
        .select_from(SimulationStep)
        .join(SimulationRun, SimulationRun.id == SimulationStep.run_id)
        .where(SimulationRun.public_id == run_id)
    ).one()


# Content


def test_loading_again_changes_nothing(app: Flask):
    before = db.session.scalar(select(func.count()).select_from(SimulationVersion))
    assert load(*FIRST) == {"added": 0, "changed": 0, "unchanged": len(FIRST)}
    assert db.session.scalar(select(func.count()).select_from(SimulationVersion)) == before


def test_a_changed_text_is_a_new_version_and_an_old_text_may_come_back(app: Flask):
    person_id = factories.person().id
    with unit_of_work():
        old = services.start_practice("S1", person_id, now=NOW)
    assert load(changed(intro="Cerita baru.")) == {"added": 0, "changed": 1, "unchanged": 0}
    assert services.get_overview("S1", person_id, now=NOW).story.intro == "Cerita baru."
    # A run keeps the text it began with.
    assert services.get_play(old, person_id).story.intro == STORIES["S1"].intro

    assert load(*FIRST)["changed"] == 1
    assert services.get_overview("S1", person_id, now=NOW).story.intro == STORIES["S1"].intro


def test_variants_take_turns(app: Flask):
    assert load(changed(variant="B", title="Pesan pagi")) == {
        "added": 1,
        "changed": 0,
        "unchanged": 0,
    }
    person_id = factories.person().id
    played = [practise(person_id, now=NOW + n * DAY).story.variant for n in range(4)]
    assert played == ["A", "B", "A", "B"]


def test_an_unknown_simulation_is_not_found(app: Flask):
    person_id = factories.person().id
    for ask in (services.start_practice, services.start_graded):
        with pytest.raises(NotFound), unit_of_work():
            ask("S9", person_id, now=NOW)
    with pytest.raises(NotFound):
        services.get_overview("S9", person_id, now=NOW)
    assert [state.code for state in services.states(person_id, NOW)] == sorted(STORIES)
    assert services.simulation_state(person_id, "S1", NOW).path == "/latihan/s1"


def test_a_simulation_that_left_the_standard_is_not_offered(app: Flask):
    load(changed(code="S9"))
    person_id = factories.person().id
    assert [state.code for state in services.states(person_id, NOW)] == sorted(STORIES)


# When a graded run opens


def test_lessons_open_the_graded_run(app: Flask):
    someone = factories.person()
    state = services.simulation_state(someone.id, "S1", NOW)
    assert (state.gate, state.scored) == (Gate.LEARN, ())
    assert state.lessons == ("K1.3", "K1.10", "K1.8")
    with pytest.raises(services.NotOpen) as refused, unit_of_work():
        services.start_graded("S1", someone.id, now=NOW)
    assert refused.value.gate is Gate.LEARN

    learn(someone, "02.2.1", "04.2.4")
    assert services.simulation_state(someone.id, "S1", NOW).lessons == ("K1.8",)
    learn(someone, "03.3.2")
    state = services.simulation_state(someone.id, "S1", NOW)
    assert (state.gate, state.lessons) == (Gate.OPEN, ())
    assert state.scored == state.open_kuk == ("02.2.1", "04.2.4", "03.3.2")


def test_a_graded_run_scores_every_kuk_whose_lessons_are_done(app: Flask):
    """One curriculum opens it; of another only the KUK already learned are scored."""
    someone = factories.person()
    learn(someone, "06.1.1")
    assert gate(someone.id) is Gate.LEARN
    learn(someone, "02.2.1", "04.2.4", "03.3.2")
    play = grade(someone.id)
    assert set(play.scored) == {"06.1.1", "02.2.1", "04.2.4", "03.3.2"}
    assert {kuk for _s, kuk, *_rest in facts(someone.id)} == set(play.scored)

    learn(someone, "06.1.4", "04.1.1")
    state = services.simulation_state(someone.id, "S1", NOW)
    # What was added is shown without waiting: the run before was safe.
    assert (state.gate, set(state.open_kuk)) == (Gate.OPEN, {"06.1.4", "04.1.1"})


def test_a_curriculum_opens_it_without_the_others(app: Flask):
    someone = factories.person()
    learn(someone, "06.1.1")
    waits = services.simulation_state(someone.id, "S1", NOW)
    taught = modules.kuk_lessons()
    assert waits.gate is Gate.LEARN
    assert waits.lessons == (*taught["04.1.1"], *taught["06.1.4"])
    learn(someone, "06.1.4", "04.1.1")
    state = services.simulation_state(someone.id, "S1", NOW)
    assert (state.gate, state.scored) == (Gate.OPEN, ("06.1.1", "04.1.1", "06.1.4"))


def test_a_kuk_without_sim_evidence_is_never_scored(app: Flask):
    """06.2.3 stands in S3 but asks for no SIM: its nodes are practice. Source: decision rules 3."""
    someone = factories.person()
    learn(someone, "06.2.3", "06.2.1", "06.2.2")
    assert services.simulation_state(someone.id, "S3", NOW).scored == ("06.2.1", "06.2.2")


# Playing


@pytest.mark.both
def test_a_safe_graded_run_is_evidence(app: Flask):
    person_id = learner()
    play = grade(person_id)
    assert (play.outcome, play.finished_at) == (RunOutcome.SAFE, NOW)
    assert set(play.scored) == {"02.2.1", "04.2.4", "03.3.2"}
    assert facts(person_id) == {
        ("S1", kuk, node.id, True, False)
        for node in safe_way("S1")
        for kuk in node.kuk
        if kuk in play.scored
    }
    assert {(row.group_key, row.happened_at) for row in ledger(person_id)} == {
        (play.public_id, NOW)
    }
    assert sim_state(person_id, "04.2.4") is State.PASS
    # 02.2.1 is in S2 too. Source: decision rules 3.
    assert sim_state(person_id, "02.2.1") is State.NONE
    state = services.simulation_state(person_id, "S1", NOW)
    assert (state.gate, state.open_kuk, state.last_graded) == (Gate.REACHED, (), play.public_id)
    with pytest.raises(services.NotOpen), unit_of_work():
        services.start_graded("S1", person_id, now=NOW + 9 * DAY)
    event = list_events(limit=1)[0]
    assert (event.action, event.actor_id) == ("simulations.finish", person_id)
    assert event.detail == {"simulation": "S1", "outcome": "safe"}


@pytest.mark.both
def test_a_harmful_act_ends_a_graded_run_for_every_kuk(app: Flask):
    person_id = learner()
    play = grade(person_id, "S2", at(suami=HARMFUL))
    assert play.outcome is RunOutcome.HARMFUL
    assert play.state.turns[-1].node.id == "suami"
    rows = facts(person_id)
    assert {kuk for _code, kuk, *_rest in rows} == {"02.2.1", "03.1.3", "03.1.1", "03.2.1"}
    assert {row[3:] for row in rows} == {(False, True)}
    assert ("S2", "03.1.3", "suami", False, True) in rows
    assert {kuk for _code, kuk, ref, *_rest in rows if ref == "*"} == {"03.1.1", "03.2.1"}
    assert sim_state(person_id, "03.1.1") is State.FAIL
    with pytest.raises(NotFound), unit_of_work():
        services.choose(
            play.public_id,
            person_id,
            position=len(play.state.turns) + 1,
            choice=play.state.node.choices[0].id,
            now=NOW,
        )


def test_a_harmful_act_at_a_node_without_kuk_ends_it_too(app: Flask):
    person_id = learner()
    play = grade(person_id, "S1", at(petugas=HARMFUL))
    assert play.outcome is RunOutcome.HARMFUL
    assert {row[3:] for row in facts(person_id)} == {(False, True)}


def test_practice_leaves_no_evidence(app: Flask):
    person_id = learner()
    play = practise(person_id, pick=at(bahaya=HARMFUL, supervisor=UNSAFE))
    assert play.outcome is RunOutcome.HARMFUL
    assert play.state.node.id == "akhir-pulih"
    assert play.scored == ()
    assert facts(person_id) == set()
    assert not [e for e in list_events() if e.action.startswith("simulations.")]
    assert services.simulation_state(person_id, "S1", NOW).practised
    assert practise(person_id, pick=at(supervisor=UNSAFE)).outcome is RunOutcome.REPAIRED


@pytest.mark.both
def test_the_same_form_sent_twice_is_one_choice(app: Flask):
    first, other = letter("S1", START, UNSAFE), letter("S1", START, SAFE)
    person_id = factories.person().id
    with unit_of_work():
        run_id = services.start_practice("S1", person_id, now=NOW)
    for _ in range(2):
        with unit_of_work():
            assert services.choose(run_id, person_id, position=1, choice=first, now=NOW) == 1
    # Nor does another choice at the same place change the first.
    with unit_of_work():
        assert services.choose(run_id, person_id, position=1, choice=other, now=NOW) == 1
    play = services.get_play(run_id, person_id)
    assert [(turn.node.id, turn.choice.id) for turn in play.state.turns] == [(START, first)]


@pytest.mark.both
def test_the_last_form_sent_twice_is_one_result(app: Flask):
    person_id = learner()
    play = grade(person_id)
    rows = [row.id for row in ledger(person_id)]
    with unit_of_work():
        services.choose(
            play.public_id,
            person_id,
            position=len(play.state.turns),
            choice="a",
            now=NOW + DAY,
        )
    assert [row.id for row in ledger(person_id)] == rows
    assert services.get_play(play.public_id, person_id).finished_at == NOW


@pytest.mark.parametrize("position", [-1, 0, 2, 99])
def test_a_place_the_run_has_not_come_to_is_not_found(app: Flask, position: int):
    person_id = factories.person().id
    with unit_of_work():
        run_id = services.start_practice("S1", person_id, now=NOW)
    with pytest.raises(NotFound), unit_of_work():
        services.choose(run_id, person_id, position=position, choice="a", now=NOW)
    with pytest.raises(NotFound):
        services.get_play(run_id, person_id).turn(position)
    assert steps_of(run_id) == 0


def test_a_choice_the_node_does_not_offer_is_refused(app: Flask):
    person_id = factories.person().id
    with unit_of_work():
        run_id = services.start_practice("S1", person_id, now=NOW)
    with pytest.raises(rules.UnknownChoice), unit_of_work():
        services.choose(run_id, person_id, position=1, choice="z", now=NOW)
    assert steps_of(run_id) == 0


def test_a_run_is_its_players_alone(app: Flask):
    person_id, other = factories.person().id, factories.person().id
    with unit_of_work():
        run_id = services.start_practice("S1", person_id, now=NOW)
    with pytest.raises(NotFound):
        services.get_play(run_id, other)
    with pytest.raises(NotFound), unit_of_work():
        services.choose(run_id, other, position=1, choice="a", now=NOW)


def test_an_open_run_goes_on_where_it_stood(app: Flask):
    person_id = learner()
    for start in (services.start_practice, services.start_graded):
        with unit_of_work():
            run_id = start("S1", person_id, now=NOW)
        with unit_of_work():
            services.choose(
                run_id, person_id, position=1, choice=letter("S1", START, SAFE), now=NOW
            )
        with unit_of_work():
            assert start("S1", person_id, now=NOW + DAY) == run_id
        assert services.get_play(run_id, person_id).state.node == safe_way("S1")[1]
    state = services.simulation_state(person_id, "S1", NOW)
    assert state.gate is Gate.RUNNING
    assert state.graded_run != state.practice_run


def test_practice_may_begin_anew(app: Flask):
    person_id = factories.person().id
    with unit_of_work():
        first = services.start_practice("S1", person_id, now=NOW)
    with unit_of_work():
        second = services.start_practice("S1", person_id, now=NOW + DAY, fresh=True)
    assert first != second
    assert services.get_play(first, person_id).outcome is RunOutcome.LEFT
    state = services.simulation_state(person_id, "S1", NOW)
    assert (state.practice_run, state.practised) == (second, False)
    assert services.get_overview("S1", person_id, now=NOW).runs == []


def test_practice_anew_leaves_an_open_graded_run_alone(app: Flask):
    person_id = learner()
    with unit_of_work():
        graded = services.start_graded("S1", person_id, now=NOW)
    with unit_of_work():
        services.start_practice("S1", person_id, now=NOW, fresh=True)
    assert services.simulation_state(person_id, "S1", NOW).graded_run == graded


def race(app: Flask, work: Callable[[], object]) -> list[object]:
    """Do the same in two threads at once; return both answers."""
    barrier, answers = threading.Barrier(2), []

    def request() -> None:
        with app.app_context():
            barrier.wait(5)
            try:
                with unit_of_work():
                    answers.append(work())
            except Exception as error:
                answers.append(error)

    threads = [threading.Thread(target=request) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.both
def test_a_double_click_is_one_step(bare_app: Flask):
    harmful = letter("S1", START, HARMFUL)
    with bare_app.app_context():
        person_id = learner()
        with unit_of_work():
            run_id = services.start_graded("S1", person_id, now=NOW)
    answers = race(
        bare_app,
        lambda: services.choose(run_id, person_id, position=1, choice=harmful, now=NOW),
    )
    assert answers == [1, 1]
    with bare_app.app_context():
        assert steps_of(run_id) == 1
        assert len(ledger(person_id)) == 3


@pytest.mark.both
def test_two_tabs_begin_one_run(bare_app: Flask):
    with bare_app.app_context():
        person_id = learner()
    answers = race(bare_app, lambda: services.start_graded("S1", person_id, now=NOW))
    assert len(set(map(str, answers))) == 1, answers
    answers = race(bare_app, lambda: services.start_practice("S1", person_id, now=NOW, fresh=True))
    with bare_app.app_context():
        still_open = db.session.scalars(
            select(SimulationRun.public_id).where(
                SimulationRun.graded.is_(False), SimulationRun.finished_at.is_(None)
            )
        ).all()
        assert len(still_open) == 1
        assert still_open[0] in answers


@pytest.mark.both
def test_the_slower_tab_gets_the_run_of_the_faster(app: Flask):
    """What the race above meets only with luck: the other tab's run appears after the look."""
    person_id = factories.person().id
    with unit_of_work():
        faster = services.start_practice("S1", person_id, now=NOW)
    with unit_of_work():
        assert services._begin("S1", person_id, scored=(), graded=False, now=NOW) == faster
    assert db.session.scalar(select(func.count()).select_from(SimulationRun)) == 1


# Trying again


def test_after_a_harmful_act_come_a_day_and_the_way_back(app: Flask):
    person_id = learner()
    grade(person_id, "S2", at(suami=HARMFUL))
    state = services.simulation_state(person_id, "S2", NOW + MINUTE)
    assert (state.gate, state.opens_at, state.path_open) == (Gate.WAIT, NOW + DAY, True)
    assert state.number == 2
    assert state.lessons == ("K1.3", "K1.6", "K1.5", "K1.7")

    # A practice run with a harmful act is not the way back, nor is one left behind.
    practise(person_id, "S2", at(suami=HARMFUL), now=NOW + MINUTE)
    with unit_of_work():
        services.start_practice("S2", person_id, now=NOW + MINUTE)
    with unit_of_work():
        open_run = services.start_practice("S2", person_id, now=NOW + MINUTE, fresh=True)
    assert gate(person_id, "S2", now=NOW + DAY) is Gate.PRACTISE
    with pytest.raises(services.NotOpen), unit_of_work():
        services.start_graded("S2", person_id, now=NOW + DAY)

    go(open_run, person_id, now=NOW + 2 * MINUTE)
    state = services.simulation_state(person_id, "S2", NOW + DAY - MINUTE)
    assert (state.gate, state.path_open) == (Gate.WAIT, False)
    assert gate(person_id, "S2", now=NOW + DAY) is Gate.OPEN
    grade(person_id, "S2", now=NOW + DAY)
    assert sim_state(person_id, "03.1.3") is State.PASS
    assert gate(person_id, "S2", now=NOW + DAY) is Gate.REACHED


def test_practice_begun_before_the_harmful_act_is_not_the_way_back(app: Flask):
    person_id = learner()
    with unit_of_work():
        before = services.start_practice("S1", person_id, now=NOW - MINUTE)
    grade(person_id, pick=at(bahaya=HARMFUL))
    assert services.simulation_state(person_id, "S1", NOW).practice_run is None
    with unit_of_work():
        after = services.start_practice("S1", person_id, now=NOW + MINUTE)
    assert after != before
    assert services.get_play(before, person_id).outcome is RunOutcome.LEFT
    assert services.simulation_state(person_id, "S1", NOW + MINUTE).practice_run == after
    go(after, person_id, now=NOW + MINUTE)
    assert gate(person_id, now=NOW + DAY) is Gate.OPEN


def test_an_unsafe_critical_kuk_is_tried_again(app: Flask):
    person_id = learner()
    grade(person_id, pick=at(jejak=UNSAFE))
    assert ("S1", "04.2.4", "jejak", False, False) in facts(person_id)
    state = services.simulation_state(person_id, "S1", NOW)
    assert (state.gate, state.open_kuk, state.lessons) == (Gate.WAIT, ("04.2.4",), ("K1.10",))
    assert sim_state(person_id, "04.2.4") is State.FAIL


def test_an_unsafe_other_kuk_is_only_recorded(app: Flask):
    person_id = learner()
    play = grade(person_id, pick=at(supervisor=UNSAFE))
    assert play.outcome is RunOutcome.REPAIRED
    assert ("S1", "03.3.2", "supervisor", False, False) in facts(person_id)
    assert gate(person_id) is Gate.REACHED


def test_a_harmful_act_is_more_than_recorded_also_without_a_critical_kuk(app: Flask):
    untaught("06.1.1", "04.1.1")
    someone = factories.person()
    learn(someone, "06.1.4")
    grade(someone.id, pick=at(jejak=HARMFUL))
    assert {row[1:] for row in facts(someone.id)} == {
        ("06.1.4", node.id, False, True) for node in safe_way("S1") if "06.1.4" in node.kuk
    }
    assert gate(someone.id) is Gate.WAIT


def test_three_tries_then_a_trainer_s_guidance(app: Flask):
    person_id, trainer = learner(), factories.person("trainer").id
    grade(person_id, pick=at(jejak=UNSAFE))
    for day in (1, 2):
        try_again(person_id, pick=at(jejak=UNSAFE), now=NOW + day * DAY)
    later = NOW + 5 * DAY
    practise(person_id, now=later)
    state = services.simulation_state(person_id, "S1", later)
    assert (state.gate, state.number, state.path_open) == (Gate.COACHING, 4, False)
    with unit_of_work():
        competency.coach(
            person_id,
            kind=EvidenceKind.SIM,
            source="S1",
            note="Dibahas.",
            trainer_id=trainer,
            now=later,
        )
    assert gate(person_id, now=later) is Gate.OPEN
    grade(person_id, now=later)
    assert gate(person_id, now=later) is Gate.REACHED


def test_a_voided_run_costs_no_try(app: Flask):
    person_id = learner()
    grade(person_id, pick=at(jejak=UNSAFE))
    with unit_of_work():
        for row in ledger(person_id):
            competency.void(row.id, reason="Banding diterima", by_id=None, now=NOW)
    state = services.simulation_state(person_id, "S1", NOW)
    assert (state.gate, state.number) == (Gate.OPEN, 1)


def test_old_evidence_opens_it_again(app: Flask):
    person_id = learner()
    grade(person_id)
    assert gate(person_id, now=NOW + 360 * DAY) is Gate.REACHED
    assert gate(person_id, now=NOW + 370 * DAY) is Gate.OPEN


def test_the_worked_example_of_the_decision_rules(app: Flask):
    """8 Mar: graded S1 safe, then S2 with H1; 10 Mar: the way back, S2 safe throughout."""
    person_id = learner()
    critical = ("02.2.1", "03.1.1", "03.1.3", "03.2.1")
    grade(person_id)
    assert sim_state(person_id, "04.2.4") is State.PASS
    grade(person_id, "S2", at(suami=HARMFUL))
    assert [sim_state(person_id, kuk) for kuk in critical] == [State.FAIL] * 4
    try_again(person_id, "S2", now=NOW + 2 * DAY)
    assert [sim_state(person_id, kuk) for kuk in critical] == [State.PASS] * 4


# Pages of others


@pytest.mark.parametrize("people", [2, 12])
def test_who_waits_is_asked_in_constant_queries(app: Flask, people: int):
    ids = [learner() for _ in range(people)]
    for person_id in ids:
        grade(person_id, pick=at(jejak=UNSAFE))
    with counted() as queries:
        held = services.waiting(ids, NOW)
    assert len(queries) == 4
    assert set(held) == set(ids)
    current = competency.current()
    ledgers = competency.rows_of(ids, current)
    with counted() as queries:
        assert services.waiting(ids, NOW, found=current, ledgers=ledgers) == held
    assert len(queries) == 2


def test_who_waits_and_why(app: Flask):
    fresh, safe, waits, back, coached, again, running = (learner() for _ in range(7))
    grade(safe)
    grade(waits, pick=at(jejak=UNSAFE), now=NOW + DAY)
    grade(back, pick=at(jejak=HARMFUL))
    grade(coached, pick=at(jejak=UNSAFE), now=NOW - 4 * DAY)
    for day in (2, 1):
        try_again(coached, pick=at(jejak=UNSAFE), now=NOW - day * DAY)
    grade(again, pick=at(jejak=UNSAFE))
    practise(again, now=NOW + MINUTE)
    grade(running, pick=at(jejak=UNSAFE), now=NOW - 2 * DAY)
    practise(running, now=NOW)
    with unit_of_work():
        services.start_graded("S1", running, now=NOW)

    now = NOW + DAY + MINUTE
    everybody = [fresh, safe, waits, back, coached, again, running]
    assert services.waiting(everybody, now) == {
        waits: [services.Waiting("S1", Gate.WAIT, NOW + DAY, NOW + 2 * DAY)],
        back: [services.Waiting("S1", Gate.PRACTISE, NOW, None)],
        coached: [services.Waiting("S1", Gate.COACHING, NOW - DAY, None)],
    }
    assert services.waiting([], now) == {}


def test_states_take_what_a_page_has_read(app: Flask):
    person_id = learner()
    grade(person_id)
    current = competency.current()
    known = {
        "found": current,
        "rows": competency.rows_of_one(person_id, current),
        "done": modules.done_kuk(person_id),
        "lessons": modules.kuk_lessons(),
    }
    with counted() as queries:
        given = services.states(person_id, NOW, **known)
    assert len(queries) == 2
    assert given == services.states(person_id, NOW)


def test_a_start_page_lists_finished_runs_newest_first(app: Flask):
    person_id = learner()
    practise(person_id)
    graded = grade(person_id, now=NOW + MINUTE)
    overview = services.get_overview("S1", person_id, now=NOW + DAY)
    assert [(run.public_id == graded.public_id, run.graded) for run in overview.runs] == [
        (True, True),
        (False, False),
    ]
    assert overview.runs[0].outcome is RunOutcome.SAFE
    assert overview.lessons == []


def test_looking_back_names_what_to_look_at_again(app: Flask):
    person_id = learner()
    play = grade(person_id, pick=at(jejak=UNSAFE, supervisor=UNSAFE))
    debrief = services.get_debrief(play, person_id, now=NOW)
    assert [(line.kuk.code, line.passed, line.open_at) for line in debrief.lines] == [
        ("02.2.1", True, ()),
        ("04.2.4", False, (title("S1", "jejak"),)),
        ("03.3.2", False, (title("S1", "supervisor"),)),
    ]
    assert [url for _title, url in debrief.lessons] == ["/modul/k1/10"]
    assert debrief.state.opens_at == NOW + timedelta(hours=24)
    practice = practise(person_id)
    assert services.get_debrief(practice, person_id, now=NOW).lines == []


def test_a_text_that_does_not_exist_is_not_found(app: Flask):
    with pytest.raises(NotFound):
        texts.get_story(999_999, "x")
