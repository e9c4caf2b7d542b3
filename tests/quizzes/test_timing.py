"""Time limits: the server's clock decides, late answers get a minute, pauses stop the clock."""

import re
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, update

from lms import rounds
from lms.competency.models import Evidence
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.models import AuditEvent
from lms.operations import reconcile
from lms.quizzes import overdue, rules, services, sheets, standing, timing
from lms.quizzes.models import AnswerEvent, Attempt, AttemptPause, Quiz
from lms.quizzes.services import AttemptRef
from tests import factories
from tests.quizzes.helpers import answer, begin, drawn, hand_in

NOON = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
MINUTE, SECOND = timedelta(minutes=1), timedelta(seconds=1)
HALF_HOUR = 30 * MINUTE


# Rules


@pytest.mark.parametrize(
    ("minutes", "percent", "seconds"),
    [
        (None, 0, None),
        (30, None, None),
        (30, 0, 1800),
        (30, 25, 2250),
        (30, 50, 2700),
        (30, 100, 3600),
    ],
)
def test_time_for_a_sitting(minutes: int | None, percent: int | None, seconds: int | None):
    found = rules.time_for(minutes, percent)
    assert (None if found is None else found.total_seconds()) == seconds


def test_an_answer_counts_by_when_it_arrives():
    end = NOON + rules.GRACE
    assert not rules.is_over(NOON, None, end)
    assert rules.is_over(NOON, None, end + SECOND)
    assert not rules.is_over(None, None, end + SECOND)
    assert not rules.is_over(NOON, NOON - MINUTE, end + SECOND), "a pause stops the clock"


@given(st.timedeltas(timedelta(0), timedelta(days=3)), st.timedeltas(timedelta(-3), timedelta(3)))
def test_a_pause_neither_gives_nor_takes(left: timedelta, pause: timedelta):
    """What was left before a pause is left after it, and a clock set back takes nothing."""
    deadline, back = NOON + left, NOON + pause
    later = rules.after_pause(deadline, NOON, back)
    assert later - max(back, NOON) == left
    assert rules.end_of_time(deadline, back) <= max(back, deadline + rules.GRACE)


# Services


@pytest.fixture
def person_id(app: Flask) -> int:
    return factories.person().id


def limit(minutes: int | None, *, pausable: bool = True) -> None:
    with unit_of_work():
        timing.set_limit("K1", minutes, pausable=pausable, actor_id=None, now=NOON)


def extra(person_id: int, percent: int | None, until: date | None = None, now=NOON) -> None:
    giver = factories.person("trainer").id
    with unit_of_work():
        timing.give_extra(
            person_id, percent, until=until, reason="kesepakatan", giver_id=giver, now=now
        )


def attempt_of(ref: AttemptRef) -> Attempt:
    db.session.rollback()
    return db.session.scalars(select(Attempt).where(Attempt.public_id == ref.public_id)).one()


def deadline_of(ref: AttemptRef) -> datetime | None:
    return attempt_of(ref).deadline_at


def test_without_a_limit_there_is_no_deadline(person_id: int):
    extra(person_id, 50)
    assert deadline_of(begin(person_id, NOON)) is None


@pytest.mark.parametrize(
    ("percent", "until", "whole"),
    [
        (50, None, 45 * MINUTE),
        (50, NOON.date(), 45 * MINUTE),
        (50, NOON.date() - timedelta(days=1), HALF_HOUR),
        (None, None, None),
        (0, None, HALF_HOUR),
    ],
)
def test_extra_time_holds_until_its_last_day(
    person_id: int, percent: int | None, until: date | None, whole: timedelta | None
):
    limit(30)
    extra(person_id, percent, until)
    found = deadline_of(begin(person_id, NOON))
    assert found == (None if whole is None else NOON + whole)


def test_the_newest_word_on_extra_time_counts(person_id: int):
    limit(30)
    extra(person_id, 100)
    extra(person_id, 0)
    assert deadline_of(begin(person_id, NOON)) == NOON + HALF_HOUR
    other = factories.person().id
    assert deadline_of(begin(other, NOON)) == NOON + HALF_HOUR
    found = timing.find_extra(person_id)
    assert found is not None
    assert (found.percent, found.reason) == (0, "kesepakatan")


def test_a_limit_is_a_number_of_minutes(app: Flask):
    for wrong in (0, -1, rules.LONGEST + 1):
        with pytest.raises(timing.BadLimit):
            limit(wrong)
    with pytest.raises(NotFound), unit_of_work():
        timing.set_limit("X9", 30, pausable=True, actor_id=None, now=NOON)
    limit(rules.LONGEST)
    limits = {one.curriculum: (one.minutes, one.pausable) for one in timing.list_limits()}
    assert limits["K1"] == (rules.LONGEST, True)
    assert limits["K2"] == (None, True)
    assert (
        db.session.scalar(
            select(func.count()).select_from(AuditEvent).where(AuditEvent.action == "quizzes.limit")
        )
        == 1
    )


def test_a_new_limit_leaves_who_sits_alone(person_id: int):
    limit(30)
    ref = begin(person_id, NOON)
    limit(10)
    assert deadline_of(ref) == NOON + HALF_HOUR


@pytest.mark.both
def test_answers_are_taken_up_to_the_grace_and_not_after(person_id: int):
    limit(30)
    ref = begin(person_id, NOON)
    end = NOON + HALF_HOUR + rules.GRACE
    on_time = answer(ref, 1, 2, client_key="on-time-1", now=end)
    assert on_time.deadline_at == NOON + HALF_HOUR
    with pytest.raises(rules.TimeUp):
        answer(ref, 2, 2, now=end + SECOND)
    with pytest.raises(rules.TimeUp), unit_of_work():
        services.save_page(ref, position=2, seq=1, choice=1, flagged=False, now=end + SECOND)
    # What is stored already gets its receipt again, however late it asks.
    again = answer(ref, 1, 2, client_key="on-time-1", now=end + HALF_HOUR)
    assert again.at == on_time.at
    assert db.session.scalar(select(func.count(AnswerEvent.id))) == 1


def test_who_does_not_look_at_the_time_goes_red(person_id: int, monkeypatch: pytest.MonkeyPatch):
    """The planted bug: nothing is ever over. A late answer is taken, which the test above sees."""
    limit(30)
    ref = begin(person_id, NOON)
    late = NOON + HALF_HOUR + rules.GRACE + SECOND
    monkeypatch.setattr(rules, "is_over", lambda *_: False)
    answer(ref, 2, 2, now=late)
    assert db.session.scalar(select(func.count(AnswerEvent.id))) == 1
    hand_in(ref, late)
    assert attempt_of(ref).closed_at == late, "and a minute more was gained"


@pytest.mark.both
def test_nobody_touches_it_and_it_is_closed_with_what_it_has(person_id: int):
    limit(30)
    ref = begin(person_id, NOON)
    position, _kuk, _item, version, right = drawn(ref)[0]
    answer(ref, position, right, now=NOON + MINUTE)
    free = begin(factories.person().id, NOON, "K2")
    end = NOON + HALF_HOUR + rules.GRACE
    assert overdue.sweep(end + SECOND) == 0, "an answer that waits to be written comes first"
    late = NOON + timedelta(days=2)  # the server was away
    assert overdue.sweep(late) == 1
    assert overdue.sweep(late) == 0
    assert attempt_of(ref).closed_at == end, "it ended when its time did"
    assert attempt_of(free).closed_at is None
    counted = db.session.execute(select(Evidence.ref, Evidence.passed, Evidence.happened_at)).all()
    assert len(counted) == 26
    assert [row.ref for row in counted if row.passed] == [str(version)]
    assert {row.happened_at for row in counted} == {end}
    assert reconcile.reconcile().problems == []
    found = sheets.get_result(ref, now=late)
    assert found.ended_by_time


def test_who_hands_in_on_time_is_not_ended_by_it(person_id: int):
    limit(30)
    ref = begin(person_id, NOON)
    hand_in(ref, NOON + MINUTE)
    assert attempt_of(ref).closed_at == NOON + MINUTE
    assert not sheets.get_result(ref, now=NOON + MINUTE).ended_by_time
    assert overdue.sweep(NOON + timedelta(days=1)) == 0


def test_only_what_is_over_is_ended(person_id: int):
    limit(30)
    ref = begin(person_id, NOON)
    with unit_of_work():
        assert not overdue.end(ref, now=NOON + HALF_HOUR)
        assert overdue.end(ref, now=NOON + HALF_HOUR + 2 * MINUTE)
        assert not overdue.end(ref, now=NOON + HALF_HOUR + 2 * MINUTE)


def test_the_rounds_close_what_is_over(person_id: int):
    assert "quizzes" in {one.name for one in rounds.ROUNDS}


# Pauses


def pause(ref: AttemptRef, now: datetime) -> bool:
    with unit_of_work():
        return timing.pause(attempt_of(ref).id, now=now)


@pytest.mark.both
def test_a_pause_stops_the_clock(person_id: int):
    limit(30)
    ref = begin(person_id, NOON)
    assert pause(ref, NOON + 10 * MINUTE)
    assert not pause(ref, NOON + 11 * MINUTE), "it stands still already"
    assert overdue.sweep(NOON + timedelta(days=1)) == 0
    late = NOON + timedelta(hours=20)
    assert answer(ref, 1, 2, now=late).deadline_at is None
    assert begin(person_id, late) == ref
    assert deadline_of(ref) == late + 20 * MINUTE
    assert attempt_of(ref).paused_at is None
    [span] = db.session.scalars(select(AttemptPause))
    assert (span.began_at, span.ended_at) == (NOON + 10 * MINUTE, late)
    begin(person_id, late + MINUTE)
    with unit_of_work():
        timing.resume(span.attempt_id, now=late + MINUTE)
    assert deadline_of(ref) == late + 20 * MINUTE, "going on twice gives nothing"


def test_where_the_quiz_forbids_it_the_clock_goes_on(person_id: int):
    limit(30, pausable=False)
    ref = begin(person_id, NOON)
    assert not pause(ref, NOON + MINUTE)
    assert attempt_of(ref).paused_at is None


def test_what_is_over_cannot_be_paused(person_id: int):
    limit(30)
    ref = begin(person_id, NOON)
    assert not pause(ref, NOON + HALF_HOUR + SECOND)
    free = begin(person_id, NOON, "K2")
    assert not pause(free, NOON), "nothing runs there"


@pytest.mark.both
def test_extra_time_reaches_who_sits_and_shortens_nobody(person_id: int):
    limit(30)
    ref = begin(person_id, NOON)
    assert pause(ref, NOON + 10 * MINUTE)
    begin(person_id, NOON + 15 * MINUTE)
    extra(person_id, 50, now=NOON + 16 * MINUTE)
    assert deadline_of(ref) == NOON + 50 * MINUTE
    extra(person_id, 0, now=NOON + 17 * MINUTE)
    assert deadline_of(ref) == NOON + 50 * MINUTE
    extra(person_id, 100, NOON.date() - timedelta(days=1), now=NOON + 18 * MINUTE)
    assert deadline_of(ref) == NOON + 50 * MINUTE, "that day is over"
    assert pause(ref, NOON + 20 * MINUTE)
    extra(person_id, None, now=NOON + 21 * MINUTE)
    assert deadline_of(ref) is None
    assert begin(person_id, NOON + timedelta(days=3)) == ref
    assert attempt_of(ref).paused_at is None


def test_somebody_elses_running_sitting_keeps_its_time(person_id: int):
    limit(30)
    other = begin(factories.person().id, NOON)
    extra(person_id, 100)
    assert deadline_of(other) == NOON + HALF_HOUR


def test_the_state_says_what_is_over(person_id: int):
    limit(30)
    begin(person_id, NOON)
    state = standing.quiz_state(person_id, "K1", NOON)
    assert (state.minutes, state.pausable) == (30, True)
    assert state.running is not None
    assert not state.running.is_over(NOON + HALF_HOUR)
    assert state.running.is_over(NOON + HALF_HOUR + 2 * MINUTE)


# Pages


@pytest.fixture
def room(app: Flask, sign_in) -> tuple[FlaskClient, str]:
    """Somebody in the middle of a quiz of thirty minutes, and its address."""
    with time_machine.travel(NOON, tick=False):
        limit(30)
        someone = factories.person()
        browser = sign_in(someone)
        ref = begin(someone.id, NOON)
    return browser, f"/kuis/k1/{ref.public_id}"


def save(browser: FlaskClient, address: str, **values: object):
    sent = {
        "soal": 1,
        "seq": 1,
        "field": "choice",
        "choice": 2,
        "client_key": "kunci-01",
        "zone": "",
    }
    return browser.post(f"{address}/simpan", data=sent | values)


def test_the_page_writes_the_end_and_the_script_counts(room):
    browser, address = room
    with time_machine.travel(NOON + 10 * MINUTE, tick=False):
        page = browser.get(address).text
        assert "Waktu sampai pukul 12.30." in page
        assert "masih diterima 60 detik" in page
        assert re.search(r'data-left="1200"\s+data-whole="1800"', page)
        assert "timer.js" in page
        assert save(browser, address).json["left"] == 1200
        assert 'data-left="1200"' in browser.get(f"{address}/periksa").text


def test_without_a_limit_no_page_speaks_of_time(app: Flask, sign_in):
    with time_machine.travel(NOON, tick=False):
        someone = factories.person()
        browser = sign_in(someone)
        assert "tidak ada batas waktu" in browser.get("/kuis/k1").text
        ref = begin(someone.id, NOON)
        page = browser.get(f"/kuis/k1/{ref.public_id}").text
        assert "timer" not in page
        assert "left" not in save(browser, f"/kuis/k1/{ref.public_id}").json


def test_what_a_browser_says_of_the_time_changes_nothing(room):
    """The clock of a device may be years off; only the arrival counts."""
    browser, address = room
    claim = {"at": "2020-01-01T00:00:00Z", "left": "999", "deadline": "2099-01-01"}
    with time_machine.travel(NOON + HALF_HOUR + rules.GRACE, tick=False):
        assert save(browser, address, **claim).status_code == 200
    with time_machine.travel(NOON + HALF_HOUR + rules.GRACE + SECOND, tick=False):
        late = save(browser, address, client_key="kunci-02", soal=2, **claim)
        assert (late.status_code, late.json["saved"]) == (409, False)
        assert "Waktu habis" in late.json["label"]
        assert save(browser, address).status_code == 200, "an old receipt is given again"


def test_after_the_time_every_way_leads_to_the_result(room):
    browser, address = room
    with time_machine.travel(NOON + MINUTE, tick=False):
        assert save(browser, address).status_code == 200
    with time_machine.travel(NOON + HALF_HOUR + 2 * MINUTE, tick=False):
        for page in (address, f"{address}/periksa"):
            assert browser.get(page).location == "/kuis/k1"
        start = browser.get("/kuis/k1").text
        assert "Waktu kuis ini habis" in start
        assert f"{address}/kirim" in start
        # No box has to be ticked: there is nothing left to answer.
        done = browser.post(f"{address}/kirim")
        assert done.location == f"{address}/hasil"
        assert "terkirim sendiri" in browser.get(done.location).text
        assert "Waktu habis, jadi" in browser.get(f"{address}/hasil").text


def test_a_page_sent_too_late_closes_the_sitting(room):
    browser, address = room
    sent = {"soal": 1, "seq": 0, "choice": 1, "ke": "lanjut"}
    with time_machine.travel(NOON + HALF_HOUR + 2 * MINUTE, tick=False):
        assert browser.post(address, data=sent).location == f"{address}/hasil"
    assert db.session.scalar(select(func.count(AnswerEvent.id))) == 0
    assert db.session.scalar(select(Attempt.closed_at)) == NOON + HALF_HOUR + rules.GRACE


def test_a_break_and_going_on(room):
    browser, address = room
    sent = {"soal": 1, "seq": 0, "choice": 1, "ke": "jeda"}
    with time_machine.travel(NOON + 10 * MINUTE, tick=False):
        assert browser.post(address, data=sent).location == "/kuis/k1"
        start = browser.get("/kuis/k1").text
        assert "waktu berhenti" in start
        assert "Sisa waktu 20 menit" in start
        assert browser.get(address).location == "/kuis/k1", "reading on would be free time"
        browser.post(address, data=sent | {"soal": 2})
        assert "waktu berhenti" in browser.get("/kuis/k1").text
    with time_machine.travel(NOON + 60 * MINUTE, tick=False):
        onward = browser.post("/kuis/k1")
        assert onward.location == address
        assert "Waktu sampai pukul 13.20." in browser.get(address).text


def test_where_no_pause_is_allowed_no_button_offers_one(room):
    browser, address = room
    with time_machine.travel(NOON + MINUTE, tick=False):
        assert 'value="jeda"' in browser.get(address).text
        limit(30, pausable=False)
        assert 'value="jeda"' not in browser.get(address).text
        assert "Waktu berjalan terus" in browser.get("/kuis/k1").text
        browser.post(address, data={"soal": 1, "seq": 0, "ke": "jeda"})
        start = browser.get("/kuis/k1").text
        assert "tetap berjalan" in start
        assert "Waktu sampai pukul 12.30." in start


def test_an_administrator_sets_limits(client: FlaskClient, sign_in):
    admin = sign_in(factories.person("admin"))
    page = admin.get("/admin/kuis").text
    assert page.count('name="minutes"') == page.count('name="quiz"') >= 6
    done = admin.post("/admin/kuis", data={"quiz": "K1", "minutes": "45"})
    assert done.location == "/admin/kuis"
    row = db.session.execute(
        select(Quiz.minutes, Quiz.pausable).where(Quiz.curriculum_code == "K1")
    ).one()
    assert tuple(row) == (45, False)
    wrong = admin.post("/admin/kuis", data={"quiz": "K1", "minutes": "0", "pausable": "y"})
    assert wrong.status_code == 422
    assert "1 sampai 480" in wrong.text
    assert admin.post("/admin/kuis", data={"quiz": "X9", "minutes": "5"}).status_code == 404
    admin.post("/admin/kuis", data={"quiz": "K1", "minutes": "", "pausable": "y"})
    db.session.rollback()
    assert db.session.scalar(select(Quiz.minutes).where(Quiz.curriculum_code == "K1")) is None


def test_a_trainer_gives_time_to_people_of_their_class_only(app: Flask, sign_in):
    trainer, learner, other = factories.person("trainer"), factories.person(), factories.person()
    here = factories.cohort(slug="kelas")
    there = factories.cohort(slug="lain")
    factories.staff(trainer, here)
    factories.seat(learner, here)
    factories.seat(other, there)
    browser = sign_in(trainer)
    address = f"/angkatan/kelas/peserta/{learner.public_id}/waktu"
    assert "hal kesehatan lain" in browser.get(address).text
    sent = {"percent": "50", "until": "2099-12-31", "reason": "Kesepakatan 3 Maret"}
    assert browser.post(address, data=sent).location == address
    page = browser.get(address).text
    assert "50% lebih lama" in page
    assert "31 Desember 2099" in page
    assert timing.percent_for(learner.id, date(2026, 1, 1)) == 50
    assert browser.post(address, data=sent | {"reason": " "}).status_code == 422
    browser.post(address, data={"percent": "bebas", "reason": "x"})
    assert "tanpa batas waktu" in browser.get(address).text
    browser.post(address, data={"percent": "25", "until": "2020-01-01", "reason": "x"})
    assert "sudah tidak berlaku" in browser.get(address).text
    browser.post(address, data={"percent": "0", "reason": "x"})
    assert "tidak ada tambahan" in browser.get(address).text
    for foreign in (
        f"/angkatan/kelas/peserta/{other.public_id}/waktu",
        f"/angkatan/lain/peserta/{other.public_id}/waktu",
    ):
        assert browser.get(foreign).status_code == 404
        assert browser.post(foreign, data=sent).status_code == 404
    assert timing.find_extra(other.id) is None
    admin = sign_in(factories.person("admin"))
    assert admin.get(f"/angkatan/lain/peserta/{other.public_id}/waktu").status_code == 200


def test_the_limit_of_the_start_page_is_the_persons_own(app: Flask, sign_in):
    someone = factories.person()
    limit(30)
    extra(someone.id, 50)
    browser = sign_in(someone)
    assert "Waktu Anda 45 menit" in browser.get("/kuis/k1").text
    db.session.execute(update(Quiz).values(minutes=None))
    db.session.commit()
    assert "tidak ada batas waktu" in browser.get("/kuis/k1").text
