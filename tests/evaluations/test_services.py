"""Answers without a name, and promises both sides look at."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import pairwise

import pytest
from flask import Flask
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import IntegrityError

from lms.accounts.models import Person
from lms.cohorts import officers, organisations
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, Part
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.models import Mail
from lms.evaluations import content, plans, reminders, services
from lms.evaluations.models import Feedback, FeedbackGiven, PlanCheck, PlanLetter, Promise
from lms.evaluations.plans import Said, Superior
from lms.evaluations.rules import Rating, Side
from tests import factories
from tests.queries import counted
from tests.races import race

END = date(2026, 3, 21)
AT_END = datetime(2026, 3, 21, 5, tzinfo=UTC)
BOSS = Superior("Bu Kepala", "kepala@contoh.test")


@pytest.fixture
def sheet(app: Flask) -> content.Sheet:
    return content.load(app.extensions["suluh"].content_dir)


def people(count: int) -> tuple[int, list[int]]:
    """Return a class and the people in it."""
    cohort, sender = factories.cohort(), factories.organisation()
    cohort_id, ids = cohort.id, []
    for _ in range(count):
        one = factories.person()
        ids.append(one.id)
        factories.seat(one, db.session.get_one(Cohort, cohort_id), sender)
    return cohort_id, ids


def give(
    cohort_id: int, person_id: int, mark: int = 3, good: str = "", now: datetime = AT_END
) -> None:
    with unit_of_work():
        cohort = cohorts.get_cohort_by_id(cohort_id)
        services.answer(
            cohort, person_id, marks={"m1": mark, "p1": mark}, good=good, better="", now=now
        )


def shown(cohort_id: int, sheet: content.Sheet) -> services.Results:
    return services.results(cohorts.get_cohort_by_id(cohort_id), sheet, now=AT_END)


@pytest.mark.both
def test_nothing_is_shown_before_five_and_then_in_steps_of_five(sheet: content.Sheet) -> None:
    cohort_id, ids = people(11)
    seen = []
    for number, who in enumerate(ids):
        give(cohort_id, who, good=f"tulisan {number}")
        found = shown(cohort_id, sheet)
        first = found.lines[0].spread
        assert (first.total if first else 0) == found.shown == len(found.good)
        seen.append(found.shown)
    assert seen == [0, 0, 0, 0, 5, 5, 5, 5, 5, 10, 10]
    assert set(shown(cohort_id, sheet).good) == {f"tulisan {n}" for n in range(10)}


@pytest.mark.both
def test_no_single_answer_can_be_subtracted(sheet: content.Sheet) -> None:
    cohort_id, ids = people(12)
    sums = []
    for number, who in enumerate(ids):
        give(cohort_id, who, mark=number % 4 + 1)
        first = shown(cohort_id, sheet).lines[0].spread
        sums.append(sum(first.counts) if first else 0)
    assert {after - before for before, after in pairwise(sums)} == {0, 5}


@pytest.mark.both
def test_the_answer_leads_to_nobody(sheet: content.Sheet) -> None:
    columns = {one["name"] for one in inspect(db.engine).get_columns("feedback")}
    assert columns == {"id", "cohort_id", "marks", "good", "better", "is_shown"}
    given = {one["name"] for one in inspect(db.engine).get_columns("feedback_given")}
    assert given == {"cohort_id", "person_id"}
    cohort_id, ids = people(9)
    for number, who in enumerate(ids):
        give(cohort_id, who, good=f"{number}")
    keys = db.session.execute(select(Feedback.id, Feedback.good)).all()
    assert all(len(row.id) >= 40 for row in keys)
    if db.engine.dialect.name == "postgresql":
        # Not even the transaction that wrote an answer is that of the person's own mark.
        rows = db.session.execute(text("SELECT xmin::text AS x, is_shown FROM feedback")).all()
        assert len({row.x for row in rows if row.is_shown}) == 1
        assert len({row.x for row in rows if not row.is_shown}) == 1
    else:
        ddl = db.session.scalar(text("SELECT sql FROM sqlite_master WHERE name = 'feedback'"))
        assert "WITHOUT ROWID" in str(ddl)


def test_the_order_of_answers_is_not_kept(sheet: content.Sheet) -> None:
    orders = set()
    for _ in range(4):
        cohort_id, ids = people(5)
        for number, who in enumerate(ids):
            give(cohort_id, who, good=f"{number}")
        found = db.session.scalars(select(Feedback.good).where(Feedback.cohort_id == cohort_id))
        orders.add(tuple(found))
    assert len(orders) > 1
    assert all(sorted(order) == list("01234") for order in orders)


@pytest.mark.both
def test_who_answers_twice_at_once_is_counted_once(app: Flask, sheet: content.Sheet) -> None:
    cohort_id, ids = people(5)
    results = race(app, [partial(give, cohort_id, who) for who in ids for _ in range(2)])
    assert sum(isinstance(one, services.AlreadyGiven) for one in results) == 5
    assert results.count(None) == 5
    assert shown(cohort_id, sheet).shown == 5
    assert len(db.session.scalars(select(FeedbackGiven)).all()) == 5


def test_answers_are_taken_in_time_from_people_of_the_class(sheet: content.Sheet) -> None:
    cohort_id, [one, other] = people(2)
    for now in (AT_END - timedelta(days=1), AT_END + timedelta(days=15)):
        with pytest.raises(services.NotAsked):
            give(cohort_id, one, now=now)
    with pytest.raises(NotFound):
        give(cohort_id, factories.person().id)
    give(cohort_id, one)
    cohort = cohorts.get_cohort_by_id(cohort_id)
    assert services.standing(cohort, one, now=AT_END).given
    assert not services.standing(cohort, other, now=AT_END).given
    assert services.count_shown(cohort_id) == 0


def test_results_cost_two_queries_whatever_the_class(sheet: content.Sheet) -> None:
    cohort_id, ids = people(10)
    costs = []
    for part in (ids[:5], ids[5:]):
        for who in part:
            give(cohort_id, who)
        with counted() as sent:
            shown(cohort_id, sheet)
        costs.append(len(sent))
    assert costs == [3, 3]  # the class itself, the answers, the seats


# Promises


def said(*words: str) -> list[Said]:
    return [Said(word, END + timedelta(days=40), "rekan") for word in words]


def write(cohort_id: int, who: int, *words: str, by: Superior = BOSS, days: int = 1) -> None:
    slug = cohorts.get_cohort_by_id(cohort_id).slug
    with unit_of_work():
        plans.write(slug, who, said(*words), by, now=AT_END + timedelta(days=days))


def rate(cohort_id: int, who: int, rating: Rating, days: int) -> None:
    found = plans.find(cohort_id, who)
    assert found is not None
    ratings = {one.id: (rating, "") for one in found.promises}
    slug = cohorts.get_cohort_by_id(cohort_id).slug
    with unit_of_work():
        plans.check_own(slug, who, ratings, "", now=AT_END + timedelta(days=days))


def letters() -> list[Mail]:
    db.session.rollback()  # what other threads wrote is seen
    return list(db.session.scalars(select(Mail).order_by(Mail.id)))


def token_in(mail: Mail) -> str:
    return mail.body.split("/tinjau/")[1].split()[0]


def test_promises_change_until_the_first_check(sheet: content.Sheet) -> None:
    cohort_id, [who] = people(1)
    with pytest.raises(plans.NotOpen):
        write(cohort_id, who, "a", days=-2)
    write(cohort_id, who, "a", "b")
    write(cohort_id, who, "c")
    found = plans.find(cohort_id, who)
    assert found is not None
    assert [one.what for one in found.promises] == ["c"]
    with pytest.raises(plans.NotOpen):
        rate(cohort_id, who, Rating.DONE, 29)
    rate(cohort_id, who, Rating.PARTLY, 30)
    with pytest.raises(plans.NotOpen):
        write(cohort_id, who, "d", days=31)
    with pytest.raises(plans.AlreadyChecked):
        rate(cohort_id, who, Rating.DONE, 31)
    rate(cohort_id, who, Rating.DONE, 90)
    assert len(db.session.scalars(select(PlanCheck)).all()) == 2


def test_a_check_names_every_promise_and_no_other(sheet: content.Sheet) -> None:
    cohort_id, [who, other] = people(2)
    write(cohort_id, who, "a", "b")
    write(cohort_id, other, "x")
    slug = cohorts.get_cohort_by_id(cohort_id).slug
    ids = db.session.scalars(select(Promise.id)).all()
    for wrong in ([], ids[:1], ids):
        ratings = {one: (Rating.DONE, "") for one in wrong}
        with pytest.raises(plans.NotOpen), unit_of_work():
            plans.check_own(slug, who, ratings, "", now=AT_END + timedelta(days=31))
    assert not db.session.scalars(select(PlanCheck)).all()


@pytest.mark.both
def test_both_sides_are_asked_once_and_reminded_once(app: Flask) -> None:
    cohort_id, [who] = people(1)
    write(cohort_id, who, "a")
    assert reminders.sweep(AT_END + timedelta(days=29)) == 0
    at = AT_END + timedelta(days=30)
    race(app, [partial(reminders.sweep, at) for _ in range(3)])
    assert len(letters()) == 2
    assert reminders.sweep(at + timedelta(days=9)) == 0
    rate(cohort_id, who, Rating.DONE, 40)
    assert reminders.sweep(at + timedelta(days=10)) == 1
    assert reminders.sweep(at + timedelta(days=20)) == 0
    assert reminders.sweep(AT_END + timedelta(days=90)) == 2
    assert reminders.sweep(AT_END + timedelta(days=160)) == 0
    sent = letters()
    boss = [one for one in sent if one.to == BOSS.email]
    assert len(boss) == 3
    for one in sent:
        assert not any(word in one.subject.lower() for word in ("kdrt", "kekerasan", "korban"))
    name = db.session.get_one(Person, who).name
    assert name.split()[0] in boss[0].body
    assert name not in boss[0].body


def test_a_superior_answers_by_the_link_only_while_it_holds(sheet: content.Sheet) -> None:
    cohort_id, [who] = people(1)
    write(cohort_id, who, "Berbagi cara bertanya")
    at = AT_END + timedelta(days=30)
    reminders.sweep(at)
    token = next(token_in(one) for one in letters() if one.to == BOSS.email)
    assert db.session.scalar(select(PlanLetter).where(PlanLetter.token_hash == token)) is None
    with pytest.raises(plans.NotOpen):
        write(cohort_id, who, "lain", days=31)
    asked = plans.read_letter(token, now=at)
    assert (asked.stage, asked.is_answered) == (30, False)
    ratings = {asked.promises[0].id: (Rating.DONE, "Sudah saya lihat")}
    for wrong, now in ((token + "x", at), (token, at + timedelta(days=30))):
        with pytest.raises(NotFound), unit_of_work():
            plans.check_by_superior(wrong, ratings, "", now=now)
    with unit_of_work():
        plans.check_by_superior(token, ratings, "Bagus", now=at)
    with pytest.raises(plans.AlreadyChecked), unit_of_work():
        plans.check_by_superior(token, ratings, "", now=at)
    assert plans.read_letter(token, now=at).is_answered
    found = plans.find(cohort_id, who)
    assert found is not None
    assert found.checks[30, Side.SUPERIOR].comment == "Bagus"


def test_an_officer_of_the_own_agency_may_be_the_superior(sheet: content.Sheet) -> None:
    cohort, sender = factories.cohort(), factories.organisation()
    other = factories.organisation()
    who, officer, stranger = (
        factories.person(),
        factories.person("agency"),
        factories.person("agency"),
    )
    factories.seat(who, cohort, sender)
    with unit_of_work():
        factories.appoint(officer.id, sender.id)
        factories.appoint(stranger.id, other.id)
    cohort_id, person_id = cohort.id, who.id
    found = plans.officers_for(cohort_id, person_id)
    assert [one.person_id for one in found] == [officer.id]
    write(cohort_id, person_id, "a", by=Superior(found[0].name, person_id=officer.id))
    reminders.sweep(AT_END + timedelta(days=30))
    assert {one.to for one in letters()} == {who.email, officer.email}
    assert plans.list_for_officer(officer.id)[0] == 1
    assert plans.list_for_officer(stranger.id) == (0, [])


@pytest.mark.both
def test_an_officer_is_asked_only_while_they_are_one(app: Flask) -> None:
    cohort, sender = factories.cohort(), factories.organisation()
    who, officer, admin = factories.person(), factories.officer(sender), factories.person("admin")
    factories.seat(who, cohort, sender)
    ids = cohort.id, who.id
    write(*ids, "Rahasia kecil", by=Superior(officer.name, person_id=officer.id))
    at = AT_END + timedelta(days=30)
    reminders.sweep(at)
    token = next(token_in(one) for one in letters() if one.to == officer.email)
    asked = plans.read_letter(token, now=at)
    office, key, by = sender.id, officer.public_id, admin.id
    with unit_of_work():
        organisations.dismiss_officer(office, key, actor_id=by, now=at)
    with pytest.raises(NotFound):
        plans.read_letter(token, now=at)
    ratings = {asked.promises[0].id: (Rating.DONE, "")}
    with pytest.raises(NotFound), unit_of_work():
        plans.check_by_superior(token, ratings, "", now=at)
    sent = len([one for one in letters() if one.to == officer.email])
    reminders.sweep(AT_END + timedelta(days=90))
    assert len([one for one in letters() if one.to == officer.email]) == sent == 1
    assert len([one for one in letters() if one.to == who.email]) == 2, "the control"
    with unit_of_work():
        cohorts.add_member(officer.id, office, Part.OFFICER)
    assert reminders.sweep(AT_END + timedelta(days=91)) == 0, "nobody has vouched yet"
    with unit_of_work():
        officers.vouch(officer.id, office, factories.WORD, actor_id=by, now=at)
    assert reminders.sweep(AT_END + timedelta(days=91)) == 1


@pytest.mark.both
def test_the_overview_counts_both_sides_in_the_same_number_of_queries(app: Flask) -> None:
    cohort_id, ids = people(6)
    costs = []
    for part in (ids[:2], ids[2:]):
        for who in part:
            write(cohort_id, who, "a", "b")
            rate(cohort_id, who, Rating.PARTLY, 30)
        with counted() as sent:
            found = plans.overview(cohorts.get_cohort_by_id(cohort_id))
        costs.append(len(sent))
    assert costs[0] == costs[1] == 6
    assert (found.people, found.plans) == (6, 6)
    assert found.sums[30, Side.PERSON] == plans.Tally(0, 12, 0)
    assert all(one.tallies[30, Side.PERSON].partly == 2 for one in found.lines)
    rows = list(plans.rows_for_export(cohort_id))
    assert len(rows) == 12
    assert rows[0][6:8] == ["partly", ""]
    with pytest.raises(NotFound):
        plans.overview(cohorts.get_cohort_by_id(cohort_id), page=2)


@pytest.mark.both
def test_two_browsers_write_one_plan(app: Flask) -> None:
    cohort_id, [who] = people(1)
    race(app, [partial(write, cohort_id, who, word) for word in ("a", "b", "c")])
    found = plans.find(cohort_id, who)
    assert found is not None
    assert len(found.promises) == 1


def test_the_database_refuses_a_second_answer_of_a_side(sheet: content.Sheet) -> None:
    cohort_id, [who] = people(1)
    write(cohort_id, who, "a")
    rate(cohort_id, who, Rating.DONE, 30)
    found = plans.find(cohort_id, who)
    assert found is not None
    values = {"plan_id": found.plan.id, "stage": 30, "side": Side.PERSON, "comment": ""}
    with pytest.raises(IntegrityError), unit_of_work():
        db.session.add(PlanCheck(**values, answered_at=AT_END))
