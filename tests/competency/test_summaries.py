"""What is stored of how people stand says what the ledger says, whatever happens to it."""

from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from lms.competency import overviews, rules, services, summaries
from lms.competency.models import ClassLine, Evidence, StandardVersion, StandingSummary
from lms.competency.rules import EvidenceKind, Row
from lms.core.db import db, unit_of_work
from tests import factories, ledgers, races
from tests.credentials import world
from tests.ledgers import AT, STANDARD
from tests.queries import counted

DAY = timedelta(days=1)
NOW = factories.NOW
K1 = rules.Requirement(scheme="K1", curricula=("K1",), in_person=("K1.T",))
EVERYTHING = rules.Requirement(
    scheme="P", curricula=("K1", "K2"), in_person=("K1.T", "K2.T"), holds=("K1",)
)
FULL = ledgers.full("K1", NOW)


def live(person_id: int, now: datetime) -> rules.Standing:
    found = services.current()
    rows = services.rows_of_one(person_id, found)
    return rules.standing(found.standard, rows, now)


def stored(person_id: int, now: datetime) -> rules.Standing:
    return summaries.of([person_id], services.current(), now)[person_id]


def row_of(person_id: int) -> StandingSummary:
    db.session.rollback()
    return db.session.get_one(StandingSummary, person_id)


# The figures themselves


def test_somebody_who_did_nothing():
    none = rules.standing(STANDARD, [], AT)
    assert (none.reached, none.total) == (0, 84)
    assert none.units["02"] == (0, 8, sum(kuk.critical for kuk in STANDARD.units[1].kuk))
    assert none.open_quizzes == tuple(STANDARD.curricula)
    assert not none.observed
    assert (none.not_yet, none.complete, none.attended) == ((), (), ())


def test_somebody_who_reached_a_curriculum():
    one = rules.standing(STANDARD, ledgers.full("K1"), AT)
    assert one.reached == len(STANDARD.of("K1"))
    assert (one.complete, one.attended, one.observed) == (("K1",), ("K1.T",), True)
    assert "K1" not in one.open_quizzes
    assert one.is_ready(K1, frozenset())


@given(st.data())
def test_ready_is_what_the_judgement_says(data: st.DataObject):
    rows = [*ledgers.full("K1"), *ledgers.full("K2")]
    gone = data.draw(st.sets(st.integers(0, len(rows) - 1), max_size=2))
    held = data.draw(st.frozensets(st.sampled_from(["K1", "P"])))
    kept = [row for n, row in enumerate(rows) if n not in gone]
    one = rules.standing(STANDARD, kept, AT)
    for asked in (K1, EVERYTHING):
        judged = rules.judge(STANDARD, kept, asked, AT, holds=held)
        assert one.is_ready(asked, held) == judged.ready, judged.missing


def test_what_was_tried_and_not_reached_is_named():
    make = ledgers.Maker()
    rows = [make.row(ledgers.SK, "03.1.1", mark=1), make.row(ledgers.SK, "03.1.2", mark=2)]
    one = rules.standing(STANDARD, rows, AT)
    assert one.not_yet == ("03.1.1",)


# When time alone changes something

FIRST = datetime(2024, 2, 26, tzinfo=UTC)
MOMENTS = st.timedeltas(timedelta(0), 5 * DAY).map(lambda passed: FIRST + passed)


@given(st.lists(MOMENTS, min_size=1, max_size=4), st.integers(0, 500), st.floats(0, 1))
def test_nothing_changes_before_the_next_change(moments: list[datetime], days: int, share: float):
    """Around the 29th of February, where a year earlier is not one moment."""
    make = ledgers.Maker()
    kuk = STANDARD.of("K1")[0].code
    rows = [
        make.row(ledgers.SK, kuk, group=f"g{n}", at=at, mark=n % 3) for n, at in enumerate(moments)
    ]
    rows += [make.row(ledgers.HDR, "", source=f"K{n}.T", at=at) for n, at in enumerate(moments)]
    begin = datetime(2024, 2, 27, tzinfo=UTC) + days * DAY
    changes = rules.next_change(STANDARD, rows, begin)
    before = rules.standing(STANDARD, rows, begin)
    if changes is None:
        later = begin + share * 4000 * DAY
    else:
        assert changes > begin
        later = begin + share * (changes - begin - rules.INSTANT)
    assert rules.standing(STANDARD, rows, later) == before


@pytest.mark.parametrize("at", [datetime(2026, 3, 5, 9, tzinfo=UTC), AT])
def test_evidence_ends_to_the_microsecond(at: datetime):
    make = ledgers.Maker()
    rows = [make.row(ledgers.HDR, "", at=at)]
    ends = rules.next_change(STANDARD, rows, at)
    assert ends == at.replace(year=2027) + rules.INSTANT
    assert rules.standing(STANDARD, rows, ends - rules.INSTANT).attended == ("K1.T",)
    assert rules.standing(STANDARD, rows, ends).attended == ()
    assert rules.next_change(STANDARD, rows, ends) is None


def test_a_row_of_the_future_begins_and_a_voided_one_never_ends():
    make = ledgers.Maker()
    rows = [make.row(ledgers.HDR, "", at=AT + DAY)]
    assert rules.next_change(STANDARD, rows, AT) == AT + DAY
    assert rules.next_change(STANDARD, [make.row(ledgers.HDR, "", voided=True)], AT) is None


# The cache

STEPS = st.one_of(
    st.tuples(st.just("append"), st.integers(0, len(FULL) - 1), st.booleans()),
    st.tuples(st.just("void"), st.integers(0, 20), st.booleans()),
    st.tuples(st.just("jump"), st.integers(0, 400), st.booleans()),
    st.tuples(st.just("refresh"), st.just(0), st.booleans()),
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(STEPS, min_size=3, max_size=14))
def test_after_any_history_the_cache_says_what_the_ledger_says(
    app: Flask, steps: list[tuple[str, int, bool]]
):
    """Appends, voids and jumps in time, with and without the round in between."""
    someone, now = factories.person().id, NOW
    for count, (what, n, flag) in enumerate(steps):
        if what == "append":
            part = [FULL[(n + k) % len(FULL)] for k in range(30)]
            rows = [changed(row, now, flag or k % 7 > 0) for k, row in enumerate(part)]
            world.append(someone, rows, f"{someone}-{count}-")
        elif what == "void":
            void_one(someone, n, now)
        elif what == "jump":
            now += n * DAY
        else:
            summaries.refresh(now)
        assert stored(someone, now) == live(someone, now)
    summaries.refresh(now)
    assert summaries.differences(now) == []
    with counted() as statements:
        assert stored(someone, now) == live(someone, now)
    if db.session.get(StandingSummary, someone) is not None:
        assert sum("FROM evidence" in one for one in statements) == 1, "only what we compare with"


def changed(row: Row, at: datetime, passed: bool) -> Row:
    mark = None if row.mark is None else (2 if passed else 0)
    good = None if row.passed is None else passed
    return row._replace(at=at, mark=mark, passed=good)


def void_one(person_id: int, n: int, now: datetime) -> None:
    ids = db.session.scalars(
        select(Evidence.id).where(Evidence.person_id == person_id).order_by(Evidence.id)
    ).all()
    left = sorted(set(ids) - services.void_ids(person_id))
    if left:
        with unit_of_work():
            services.void(left[n % len(left)], reason="uji", by_id=None, now=now)


@pytest.mark.both
def test_an_append_marks_and_a_round_clears(app: Flask):
    someone = factories.person()
    assert summaries.refresh(NOW) == 0
    world.append(someone.id, FULL)
    assert row_of(someone.id).dirty
    with counted() as statements:
        assert stored(someone.id, NOW).complete == ("K1",)
    assert len([one for one in statements if "FROM evidence" in one]) == 1
    assert row_of(someone.id).dirty, "reading writes nothing"
    assert summaries.refresh(NOW) == 1
    assert summaries.refresh(NOW) == 0
    line = row_of(someone.id)
    assert (line.dirty, line.reached, line.rows, line.voids) == (
        False,
        len(STANDARD.of("K1")),
        len(FULL),
        0,
    )
    with counted() as statements:
        assert stored(someone.id, NOW).complete == ("K1",)
    assert len([one for one in statements if "FROM evidence" in one]) == 0
    void_one(someone.id, 0, NOW)
    assert row_of(someone.id).dirty
    assert stored(someone.id, NOW) == live(someone.id, NOW) != rules.standing(STANDARD, FULL, NOW)


@pytest.mark.both
def test_a_line_ends_when_its_evidence_does(app: Flask):
    someone = factories.person()
    world.append(someone.id, FULL)
    summaries.refresh(NOW)
    later = NOW + 366 * DAY
    assert stored(someone.id, later).reached == 0
    assert summaries.refresh(later) == 1
    assert row_of(someone.id).holds_until is None
    assert stored(someone.id, later).reached == 0
    assert stored(someone.id, NOW).reached > 0, "and before it was computed it does not count"


def test_a_new_standard_is_judged_anew(app: Flask):
    someone = factories.person()
    world.append(someone.id, FULL)
    summaries.refresh(NOW)
    first = services.current()
    old = db.session.get_one(StandardVersion, first.id)
    document = old.document | {"version": "9.9", "rules": old.document["rules"]}
    with unit_of_work():
        db.session.add(
            StandardVersion(version="9.9", digest="9" * 64, document=document, loaded_at=NOW)
        )
    assert services.current().id != first.id
    assert stored(someone.id, NOW) == live(someone.id, NOW)
    assert summaries.refresh(NOW) == 1
    assert row_of(someone.id).standard_version_id == services.current().id


def test_without_a_standard_there_is_nothing_to_do(app: Flask):
    with unit_of_work():
        db.session.execute(update(StandardVersion).values(id=StandardVersion.id))
        for one in db.session.scalars(select(StandardVersion)):
            db.session.delete(one)
    assert summaries.refresh(NOW) == 0


def test_many_are_asked_for_in_two_queries_and_nobody_in_none(app: Flask):
    people = [factories.person().id for _ in range(4)]
    for one in people[:3]:
        world.append(one, FULL[:5])
    summaries.refresh(NOW)
    world.append(people[0], FULL[5:9])
    found = services.current()
    with counted() as statements:
        standings = summaries.of(people, found, NOW)
    assert len(statements) == 2
    assert standings == {one: live(one, NOW) for one in people}
    with counted() as statements:
        assert summaries.judged([], found, NOW) == {}
    assert statements == []


def test_people_who_did_nothing_get_a_line_when_they_are_expected(app: Flask):
    someone, other = factories.person(), factories.person()
    world.append(other.id, FULL)
    summaries.refresh(NOW)
    with unit_of_work():
        summaries.expect([someone.id, other.id])
        summaries.expect([])
    assert not row_of(other.id).dirty
    assert summaries.refresh(NOW) == 1
    assert row_of(someone.id).total == 84


def test_a_round_takes_only_so_many(app: Flask, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(summaries, "BATCH", 2)
    for _ in range(5):
        world.append(factories.person().id, FULL[:3])
    assert summaries.refresh(NOW, limit=3) == 3
    assert summaries.refresh(NOW) == 2


@pytest.mark.both
def test_what_arrives_while_a_line_is_judged_is_not_lost(app: Flask, monkeypatch):
    """The ledger changes between reading and writing: the round must not call the line fresh."""
    someone = factories.person().id
    world.append(someone, FULL[:10])
    lines = summaries._lines

    def slow(*values):
        found = list(lines(*values))
        world.append(someone, FULL[10:])
        return found

    monkeypatch.setattr(summaries, "_lines", slow)
    summaries.refresh(NOW)
    assert row_of(someone).dirty
    monkeypatch.undo()
    assert summaries.refresh(NOW) == 1
    assert stored(someone, NOW) == live(someone, NOW)
    assert summaries.differences(NOW) == []


@pytest.mark.both
def test_two_appends_and_a_round_at_once(bare_app: Flask):
    """Threads append for the same people in both orders while the round runs."""
    with bare_app.app_context():
        people = [factories.person().id for _ in range(3)]
        found = services.current()

    def work(n: int) -> None:
        with bare_app.app_context():
            if n == 0:
                for _ in range(5):
                    summaries.refresh(NOW)
                return
            order = people if n % 2 else people[::-1]
            facts = [
                services.NewEvidence(
                    person_id=one, kind=EvidenceKind.HDR, kuk="", source="K1.T",
                    group=f"g{n}", ref=f"{n}", passed=True, happened_at=NOW,
                )
                for one in order
            ]  # fmt: skip
            with unit_of_work():
                services.append(facts, standard_id=found.id, now=NOW)

    results = races.race(bare_app, [partial(work, n) for n in range(5)])
    assert [one for one in results if one is not None] == []
    with bare_app.app_context():
        summaries.refresh(NOW)
        assert summaries.differences(NOW) == []
        assert {stored(one, NOW).attended for one in people} == {("K1.T",)}
        assert [row_of(one).rows for one in people] == [4, 4, 4]


def test_a_wrong_line_is_found_by_the_operator(app: Flask, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(summaries, "BATCH", 1)
    people = [factories.person().id for _ in range(3)]
    for one in people:
        world.append(one, FULL)
    summaries.refresh(NOW)
    assert summaries.differences(NOW) == []
    with unit_of_work():
        db.session.execute(
            update(StandingSummary).where(StandingSummary.person_id == people[0]).values(reached=1)
        )
        # A row that nobody stated through the service, as a restored table might hold.
        first = db.session.scalars(
            select(Evidence).where(Evidence.person_id == people[2]).limit(1)
        ).one()
        copy = {c.name: getattr(first, c.name) for c in Evidence.__table__.columns}
        db.session.add(Evidence(**(copy | {"id": None, "ref": "x", "group_key": "y"})))
    assert summaries.differences(NOW) == [
        summaries.Difference(people[0], is_unmarked=False),
        summaries.Difference(people[2], is_unmarked=True),
    ]


# Whole classes


@pytest.mark.both
def test_a_class_is_stored_and_read_back(app: Flask):
    cohort = factories.cohort()
    people = [factories.person().id for _ in range(3)]
    lines = [
        overviews.Stored(
            person_id=one, pressing=n, reached=n, ready=n == 2, last_seen=NOW if n else None
        )
        for n, one in enumerate(people)
    ]
    first = overviews.Overview(
        people=3, stuck={"quiet": 2}, ready=1, not_yet={"03.1.1": 2}, computed_at=NOW
    )
    assert overviews.of([cohort.id]) == {}
    with unit_of_work():
        overviews.store(cohort.id, first, lines)
    assert overviews.of([cohort.id]) == {cohort.id: first}
    assert first.waiting == 2
    assert overviews.lines_of(cohort.id) == {line.person_id: line for line in lines}
    second = overviews.Overview(
        people=2, stuck={}, ready=0, not_yet={}, answers="x", computed_at=NOW + DAY,
        themes=({"kuk": "03.1.1"},),
    )  # fmt: skip
    with counted() as statements, unit_of_work():
        overviews.store(cohort.id, second, lines[:2])
    assert not any(one.startswith("INSERT INTO class_line") for one in statements)
    assert overviews.of([cohort.id]) == {cohort.id: second}
    assert overviews.lines_of(cohort.id).keys() == set(people[:2])
    assert db.session.scalars(select(ClassLine.person_id)).all() == people[:2]
