"""Row 11: twenty identical requests at once, as an impatient finger sends them. One row each."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from threading import Barrier, BrokenBarrierError
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select, text
from werkzeug.test import TestResponse

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.cohorts.models import OrganisationKind
from lms.competency.models import Evidence
from lms.core import clock, jobs
from lms.core.db import db, unit_of_work
from lms.core.models import Job, Mail
from lms.credentials import paper
from lms.credentials.models import Certificate, Document, NumberCounter
from lms.nominations.models import Nomination, NominationEvent
from lms.practice.attendance import services as attendance
from lms.practice.attendance.models import Attendance
from lms.quizzes import services as quizzes
from lms.quizzes.models import AnswerEvent, Attempt, AttemptItem
from tests import factories
from tests.credentials.world import World, fulfil
from tests.factories import NOW
from tests.nominations import world as seats
from tests.quizzes.helpers import begin

TIMES = 20


def browser_of(app: Flask, person_id: int) -> Callable[[], FlaskClient]:
    """Return a function that gives a browser in which somebody is signed in; one session."""
    with app.app_context():
        with unit_of_work():
            token = accounts.begin_session(
                db.session.get_one(Person, person_id), now=clock.now()
            ).token
        db.session.remove()

    def fresh() -> FlaskClient:
        browser = app.test_client()
        with browser.session_transaction() as session:
            session["_user_id"], session["_fresh"] = token, True
        return browser

    return fresh


def press(
    fresh: Callable[[], FlaskClient], path: str, data: dict[str, Any], **values: Any
) -> list[TestResponse]:
    """Send one request twenty times at the same moment."""
    barrier, answers = Barrier(TIMES), []

    def send(browser: FlaskClient) -> None:
        barrier.wait(20)
        answers.append(browser.post(path, data=data, **values))

    threads = [threading.Thread(target=send, args=(fresh(),)) for _ in range(TIMES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == TIMES, "a request ended in an error"
    return answers


def outcomes(answers: list[TestResponse]) -> set[tuple[int, str | None]]:
    return {(answer.status_code, answer.location) for answer in answers}


def count(app: Flask, *tables: type) -> list[int]:
    with app.app_context():
        found = [db.session.scalar(select(func.count()).select_from(one)) or 0 for one in tables]
        db.session.remove()
    return found


@pytest.fixture
def sitting(bare_app: Flask) -> tuple[Callable[[], FlaskClient], str]:
    """Somebody in the middle of a quiz, and its address."""
    with bare_app.app_context():
        person_id = factories.person().id
        ref = begin(person_id, clock.now())
        db.session.remove()
    return browser_of(bare_app, person_id), f"/kuis/k1/{ref.public_id}"


ANSWER = {
    "soal": 1, "seq": 1, "field": "choice", "choice": 2, "client_key": "kunci-00000001", "zone": "",
}  # fmt: skip


@pytest.mark.both
def test_one_answer_has_one_receipt(bare_app: Flask, sitting):
    fresh, address = sitting
    answers = press(fresh, f"{address}/simpan", ANSWER)
    assert {one.status_code for one in answers} == {200}
    receipts = {(one.json["receipt"], one.json["at"], one.json["saved"]) for one in answers}
    assert len(receipts) == 1
    assert count(bare_app, AnswerEvent) == [1]


def without_the_keys(app: Flask, table: str) -> None:
    """Take the unique keys off a table of PostgreSQL."""
    find = {
        "CONSTRAINT": "SELECT conname FROM pg_constraint WHERE conrelid = CAST(:name AS regclass) "
        "AND contype = 'u'",
        "INDEX": "SELECT CAST(indexrelid AS regclass) FROM pg_index "
        "WHERE indrelid = CAST(:name AS regclass) AND indisunique AND NOT indisprimary",
    }
    with app.app_context(), unit_of_work():
        for name in db.session.scalars(text(find["CONSTRAINT"]), {"name": table}).all():
            db.session.execute(text(f'ALTER TABLE {table} DROP CONSTRAINT "{name}" CASCADE'))
        for name in db.session.scalars(text(find["INDEX"]), {"name": table}).all():
            db.session.execute(text(f"DROP INDEX {name}"))


@pytest.fixture
def on_postgres(engine_name: str) -> None:
    if engine_name != "postgresql":
        pytest.skip("SQLite lets in one writer after the other; the bug needs two at once")


@pytest.mark.both
def test_a_table_without_the_key_goes_red(
    on_postgres, bare_app: Flask, sitting, monkeypatch: pytest.MonkeyPatch
):
    """The planted bug."""
    fresh, address = sitting
    without_the_keys(bare_app, "answer_event")
    monkeypatch.setattr(quizzes, "_place", meet(quizzes._place))
    answers = press(fresh, f"{address}/simpan", ANSWER)
    assert count(bare_app, AnswerEvent)[0] > 1
    assert len({one.json["receipt"] for one in answers}) > 1


def meet(original: Callable[..., Any]) -> Callable[..., Any]:
    """Let two come this far before either goes on."""
    barrier = Barrier(2)

    def wrapped(*values: Any) -> Any:
        found = original(*values)
        with suppress(BrokenBarrierError):
            barrier.wait(1)
        return found

    return wrapped


@pytest.mark.both
def test_a_quiz_begun_twenty_times_is_one_sitting(bare_app: Flask):
    with bare_app.app_context():
        person_id = factories.person().id
        db.session.remove()
    answers = press(browser_of(bare_app, person_id), "/kuis/k1", {})
    assert len(outcomes(answers)) == 1
    assert count(bare_app, Attempt, AttemptItem) == [1, 26]


@pytest.mark.both
def test_a_sitting_without_its_keys_goes_red(
    on_postgres, bare_app: Flask, monkeypatch: pytest.MonkeyPatch
):
    """The planted bug: whoever finds no sitting opens one."""
    with bare_app.app_context():
        person_id = factories.person().id
        db.session.remove()
    without_the_keys(bare_app, "attempt")
    monkeypatch.setattr(quizzes, "deal", meet(quizzes.deal))
    press(browser_of(bare_app, person_id), "/kuis/k1", {})
    assert count(bare_app, Attempt)[0] > 1


@pytest.mark.both
def test_a_quiz_handed_in_twenty_times_is_marked_once(bare_app: Flask, sitting):
    fresh, address = sitting
    answers = press(fresh, f"{address}/kirim", {"confirm": "y"})
    assert outcomes(answers) == {(302, f"{address}/hasil")}
    assert count(bare_app, Evidence, Attempt) == [26, 1]


@pytest.mark.both
def test_a_sitting_closed_again_and_again_goes_red(
    on_postgres, bare_app: Flask, sitting, monkeypatch: pytest.MonkeyPatch
):
    """The planted bug: nobody looks whether it is open still, and no key of the ledger says no."""
    fresh, address = sitting
    careless = quizzes._CLOSE._clone()
    kept = [one for one in careless._where_criteria if "closed_at" not in str(one)]
    assert len(kept) == len(careless._where_criteria) - 1
    careless._where_criteria = tuple(kept)
    monkeypatch.setattr(quizzes, "_CLOSE", careless)
    without_the_keys(bare_app, "evidence")
    press(fresh, f"{address}/kirim", {"confirm": "y"})
    assert count(bare_app, Evidence)[0] > 26


@pytest.fixture
def room(bare_app: Flask) -> tuple[Callable[[], FlaskClient], str, dict[str, str]]:
    """A class of one companion: the trainer's browser, the list, and what the screen sends."""
    with bare_app.app_context():
        trainer, learner, where = factories.person("trainer"), factories.person(), None
        where = factories.cohort(slug="kelas")
        factories.staff(trainer, where)
        factories.seat(learner, where)
        sent = {"bagian": "1am", f"{learner.public_id}-hadir": "present",
                f"{learner.public_id}-semula": ""}  # fmt: skip
        trainer_id = trainer.id
        db.session.remove()
    return browser_of(bare_app, trainer_id), "/angkatan/kelas/hadir", sent


@pytest.mark.both
def test_attendance_noted_twenty_times_is_one_note(bare_app: Flask, room):
    fresh, address, sent = room
    answers = press(fresh, address, sent)
    assert {one.status_code for one in answers} == {302}
    assert count(bare_app, Attendance, Evidence) == [1, 1]


@pytest.mark.both
def test_a_list_nobody_holds_goes_red(
    on_postgres, bare_app: Flask, room, monkeypatch: pytest.MonkeyPatch
):
    """The planted bug: who notes does not wait for who else notes."""
    fresh, address, sent = room
    monkeypatch.setattr(attendance, "lock", lambda _cohort: None)
    monkeypatch.setattr(attendance, "newest_marks", meet(attendance.newest_marks))
    press(fresh, address, sent)
    assert count(bare_app, Attendance)[0] > 1


@pytest.mark.both
def test_a_certificate_issued_twenty_times_is_one(bare_app: Flask):
    paper.warm_up()
    with bare_app.app_context():
        world = World()
        fulfil(world.trainee, "K1")
        world.decided()
        trainer_id = world.trainer.id
        db.session.remove()
    answers = press(
        browser_of(bare_app, trainer_id), "/angkatan/melati/penerbitan",
        {"skema": "K1", "confirm": "y"},
    )  # fmt: skip
    assert {one.status_code for one in answers} == {302}
    assert len(outcomes(answers)) == 1, "all see the one that runs"
    with bare_app.app_context():
        assert jobs.work(clock.now()) == 1
        assert db.session.scalar(select(NumberCounter.last)) == 1
        db.session.remove()
    assert count(bare_app, Job, Certificate, Document) == [1, 1, 1]


@pytest.fixture
def desk(bare_app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, str]]:
    """An officer of a hospital, and where the hospital nominates for a class."""
    monkeypatch.setattr(clock, "now", lambda: NOW)
    with bare_app.app_context():
        kind = OrganisationKind.HOSPITAL
        world = seats.open_class(kind)
        seats.set_seats(world, 5, rs=2)
        officer_id = seats.officer(world, kind).id
        db.session.remove()
    return browser_of(bare_app, officer_id), f"/instansi/calon/{world.slug}"


@pytest.mark.both
def test_a_person_nominated_twenty_times_takes_one_seat(bare_app: Flask, desk):
    fresh, address = desk
    typed = {"others-0-name": "Ani Lestari", "others-0-email": "ani@contoh.test"}
    with bare_app.app_context():
        organisation = db.session.scalar(
            text("SELECT public_id FROM organisation WHERE kind = 'rs'")
        )
        letters = count(bare_app, Mail)
        db.session.remove()
    answers = press(fresh, address, typed | {"organisation": organisation})
    statuses = [one.status_code for one in answers]
    # The first is done; to the others the page says that this person is nominated already.
    assert (statuses.count(302), statuses.count(422)) == (1, TIMES - 1)
    assert count(bare_app, Nomination) == [1]
    assert count(bare_app, Mail)[0] == letters[0] + 1
    with bare_app.app_context():
        steps = db.session.scalars(select(NominationEvent.step)).all()
        assert len(steps) == len(set(steps))
        free = db.session.scalar(text("SELECT free FROM seat_quota"))
        assert free == 1
        db.session.remove()
