"""Row 18: the clock of the server jumps. Nobody gains time or is locked out; dates stay in order.

What is counted in seconds (rounds, slices of work) uses the monotonic clock and sees no jump.
"""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from lms.accounts import rules as accounts
from lms.accounts.models import LoginSession, Person
from lms.competency.models import Evidence
from lms.core import clock, jobs, throttle
from lms.core.db import db, unit_of_work
from lms.core.models import Job, Throttle
from lms.core.window import Limit, Window
from lms.credentials import services as credentials
from lms.operations import doctor, reconcile
from lms.practice.attendance import rules as attendance
from lms.practice.attendance.rules import Half
from lms.quizzes import rules as quizzes
from lms.quizzes.models import Attempt
from tests import factories
from tests.credentials.world import BASE, World, fulfil
from tests.operations.faults import fields
from tests.quizzes.helpers import answer, begin, drawn, hand_in, sit

NOON = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
JUMPS = [-26 * HOUR, -2 * HOUR, timedelta(seconds=-3), timedelta(seconds=3), 2 * HOUR, 26 * HOUR]
"""Two hours as after a wrong zone, more than a day as after an empty battery, a step of NTP."""


@pytest.fixture
def one(app: Flask, sign_in) -> tuple[FlaskClient, str]:
    """Somebody in the middle of a quiz, over the pages; and its address."""
    with time_machine.travel(NOON):
        someone = factories.person()
        person_id = someone.id
        browser = sign_in(someone)
        ref = begin(person_id, NOON)
    return browser, f"/kuis/k1/{ref.public_id}"


def save(browser: FlaskClient, address: str, choice: int) -> int:
    sent = fields(0) | {"choice": choice}
    headers = {"Accept": "application/json"}
    return browser.post(f"{address}/simpan", data=sent, headers=headers).status_code


@pytest.mark.parametrize("jump", JUMPS, ids=str)
def test_the_order_of_answers_is_not_that_of_the_clock(one, sign_in, jump: timedelta):
    """The last answer counts, a sitting ends after it, and both books agree."""
    browser, address = one
    with time_machine.travel(NOON + 60 * timedelta(seconds=1)):
        assert save(browser, address, 1) == 200
    with time_machine.travel(NOON + 60 * timedelta(seconds=1) + jump):
        if not -HOUR < jump < 12 * HOUR:
            # The session is over, or its cookie is one of a time to come: the page says so, and
            # what was not saved waits in it.
            assert save(browser, address, 3) == 401
            browser = sign_in(db.session.scalars(select(Person)).one())
        assert save(browser, address, 3) == 200
        page = browser.get(f"{address}?soal=1").text
        assert page.count(" checked") == 1
        assert 'value="3" checked' in page.replace("  ", " ")
        assert browser.post(f"{address}/kirim", data={"confirm": "y"}).status_code == 302
        assert save(browser, address, 2) == 409
    row = db.session.execute(
        select(Attempt.opened_at, Attempt.closed_at, Attempt.deadline_at)
    ).one()
    assert row.opened_at == NOON
    assert row.deadline_at is None
    assert row.closed_at > NOON
    assert reconcile.reconcile().problems == []
    assert {at >= NOON for at in db.session.scalars(select(Evidence.happened_at))} == {True}


def test_a_sitting_that_ends_before_its_last_answer_goes_red(app: Flask):
    """The planted bug: the end is what the clock says."""
    ref = begin(factories.person().id, NOON)
    answer(ref, 1, 2, now=NOON)
    with unit_of_work():
        hand_in_at(ref.public_id, NOON - 2 * HOUR)
    (found, *_more) = reconcile.reconcile().problems
    assert "has an answer from after it was closed" in found.says


def hand_in_at(public_id: str, at: datetime) -> None:
    attempt = db.session.scalars(select(Attempt).where(Attempt.public_id == public_id)).one()
    attempt.closed_at = at


def test_a_clock_set_back_opens_no_next_try_earlier(app: Flask):
    person_id = factories.person().id
    sit(person_id, NOON, wrong=lambda _kuk: True)
    with pytest.raises(quizzes.Refusal) as first:
        begin(person_id, NOON + HOUR)
    for jump in (j for j in JUMPS if j <= 2 * HOUR):
        with pytest.raises(quizzes.Refusal) as again:
            begin(person_id, NOON + HOUR + jump)
        assert type(again.value) is type(first.value)
        assert getattr(again.value, "at", None) == getattr(first.value, "at", None)
    opens = first.value.at if isinstance(first.value, quizzes.TooSoon) else None
    assert opens is not None
    assert begin(person_id, opens + HOUR)  # the positive control


def test_a_sitting_handed_in_without_an_answer_ends_when_it_began(app: Flask):
    ref = begin(factories.person().id, NOON)
    hand_in(ref, NOON - 2 * HOUR)
    assert db.session.scalar(select(Attempt.closed_at)) == NOON
    assert reconcile.reconcile().problems == []


def test_no_jump_makes_a_session_longer(app: Flask, sign_in):
    with time_machine.travel(NOON):
        browser = sign_in(factories.person())
        ends = db.session.scalar(select(LoginSession.expires_at))
    for jump, status in ((2 * HOUR, 200), (-2 * HOUR, 302), (3 * HOUR, 200)):
        with time_machine.travel(NOON + jump):
            assert browser.get("/akun").status_code == status
        db.session.rollback()
        assert db.session.scalar(select(LoginSession.expires_at)) == ends
    with time_machine.travel(ends):
        assert browser.get("/akun").status_code == 302


@given(st.timedeltas(-26 * HOUR, 26 * HOUR))
def test_staff_are_idle_after_any_jump_beyond_the_limit(jump: timedelta):
    limit = timedelta(minutes=30)
    assert accounts.is_idle(NOON, NOON + jump, ["trainer"], limit) is (abs(jump) >= limit)
    assert not accounts.is_idle(NOON, NOON + jump, ["trainee"], limit)


@given(st.integers(0, 30), st.timedeltas(-26 * HOUR, 26 * HOUR))
def test_nobody_waits_for_a_time_that_was_wrong(failures: int, jump: timedelta):
    """Whatever the clock did since the last wrong guess: a quarter of an hour is the longest."""
    row = Throttle(key="account:x", failures=failures, last_at=NOON)
    longest = throttle.longest_wait([row], NOON + jump)
    assert longest <= throttle.LONGEST + throttle.LONGEST
    if timedelta(0) <= jump < throttle.FORGET:
        assert longest == throttle.delay(failures) - jump


def test_guessing_is_slowed_after_a_jump_as_before(app: Flask):
    keys = ["account:x"]
    for number in range(9):
        with unit_of_work():
            throttle.failed(keys, NOON + timedelta(seconds=number))
    with pytest.raises(throttle.TooSoon):
        throttle.check(keys, NOON + timedelta(seconds=10))
    back = NOON - 2 * HOUR
    throttle.check(keys, back)  # one try, then the count goes on where it was
    with unit_of_work():
        throttle.failed(keys, back)
    with pytest.raises(throttle.TooSoon) as caught:
        throttle.check(keys, back + timedelta(seconds=1))
    assert caught.value.seconds > 16


def test_a_number_of_wrong_codes_is_forgiven_by_a_clock_set_back(app: Flask):
    with unit_of_work():
        throttle.failed(["kode:1"], NOON, forget=HOUR)
    with pytest.raises(throttle.TooSoon):
        throttle.check_count("kode:1", 1, HOUR, NOON + timedelta(minutes=1))
    throttle.check_count("kode:1", 1, HOUR, NOON - 2 * HOUR)


def test_a_window_opens_again_after_the_clock_is_set_back():
    window, limit = Window(), Limit(2, 60)
    assert [window.hit(limit, "k", now) for now in (7200.0, 7201.0)] == [None, None]
    assert window.hit(limit, "k", 7202.0) is not None
    assert window.hit(limit, "k", 2.0) is None
    assert [window.hit(limit, "k", now) for now in (3.0, 4.0)][-1] is not None


@given(st.sampled_from([-1, 1]), st.timedeltas(timedelta(seconds=60), 26 * HOUR))
def test_a_code_of_the_screen_is_none_after_a_jump(sign: int, jump: timedelta):
    half, secret = Half(1, "am"), b"rahasia"
    shown = attendance.code_at(secret, 1, half, attendance.step_of(NOON))
    assert attendance.fits(shown, secret, 1, half, NOON)
    assert not attendance.fits(shown, secret, 1, half, NOON + sign * jump)


@pytest.mark.parametrize("jump", [-26 * HOUR, -2 * HOUR, 2 * HOUR], ids=str)
def test_a_certificate_is_never_older_than_its_decision(app: Flask, jump: timedelta):
    world = World()
    fulfil(world.trainee, "K1")
    decision = world.decided()
    at = credentials.db.session.get_one(credentials.Decision, decision).decided_at
    with unit_of_work():
        made = credentials.issue(
            decision, by_id=None, now=at + jump, base_url=BASE, sample=False
        ).id
    issued = db.session.get_one(credentials.Certificate, made)
    assert issued.issued_at == max(at, at + jump)
    assert [one for one in reconcile.reconcile().problems if one.about == "certificate"] == []


def test_a_lease_given_by_a_wrong_clock_holds_nobody_up(app: Flask, monkeypatch):
    done: list[str] = []
    handler = jobs.Handler(apply=lambda task, _prepared, _now: done.append(task.subject))
    monkeypatch.setitem(jobs.HANDLERS, "uji", handler)
    with unit_of_work():
        jobs.open_job("uji", "satu", ["a", "b"], detail={}, by_id=None, now=NOON + 2 * HOUR)
    assert db.session.scalar(select(Job.lease_until)) == NOON + 2 * HOUR
    assert jobs.work(NOON) == 2
    assert done == ["a", "b"]


def test_somebody_is_told_that_the_clock_was_set_back(app: Flask):
    ref = begin(factories.person().id, NOON)
    answer(ref, drawn(ref)[0][0], 1, now=NOON)
    states = {jump: {one.state for one in look(NOON + jump)} for jump in (-2 * HOUR, HOUR)}
    assert doctor.State.BAD in states[-2 * HOUR]
    assert doctor.State.BAD not in states[HOUR]


def look(now: datetime) -> list[doctor.Finding]:
    return list(doctor._clock(now, "clock"))


def test_there_is_no_summer_time():
    winter, summer = datetime(2026, 1, 15, tzinfo=UTC), datetime(2026, 7, 15, tzinfo=UTC)
    for zone in clock.ZONES.values():
        assert winter.astimezone(zone).utcoffset() == summer.astimezone(zone).utcoffset()


def test_saving_knows_no_clock_of_the_browser(one):
    """Row 19: whatever time a browser claims, what is stored is the server's."""
    browser, address = one
    with time_machine.travel(NOON + HOUR, tick=False):
        answer = browser.post(
            f"{address}/simpan",
            data=fields(0) | {"at": "2031-01-01T00:00:00Z", "received_at": "2031-01-01"},
            headers={"Date": "Wed, 01 Jan 2031 00:00:00 GMT"},
        )
    assert answer.json["at"] == (NOON + HOUR).isoformat()
