"""Does each round notice when there is something to do, and load nothing when there is not?"""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import delete, select, update

from lms import rounds
from lms.accounts import resets
from lms.cohorts.models import Cohort
from lms.competency.models import StandardVersion
from lms.config import Config
from lms.core import clock, jobs, mail, readonly, throttle
from lms.core.db import Base, db, unit_of_work
from lms.core.jobs import Handler
from lms.core.models import Job, Mail
from lms.core.readonly import ReadOnly, Reason
from lms.evaluations import plans
from lms.evaluations.plans import Said, Superior
from lms.privacy import erasure
from lms.privacy.models import Way
from lms.quizzes import timing
from lms.quizzes.collections.rules import DRAFT_LIFE
from lms.roster.models import RosterBatch, State
from lms.roster.models import Way as RosterWay
from lms.roster.rules import ROWS_LIFE
from lms.rounds import Round
from tests import factories
from tests.factories import NOW
from tests.measure import ROOT, unmeasured
from tests.nominations import world
from tests.quizzes import helpers
from tests.quizzes.collections import helpers as files

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ALL = {one.name: one for one in rounds.ROUNDS}
ASKED = [name for name, one in ALL.items() if one.due is not rounds.always]


def stored() -> dict[str, list[str]]:
    """Return every row of every table."""
    db.session.rollback()
    found = {
        table.name: sorted(str(tuple(row)) for row in db.session.execute(select(table)))
        for table in Base.metadata.sorted_tables
    }
    db.session.rollback()
    return found


# One way for each round to have something to do. Each returns when that is so.


def _open_job() -> datetime:
    with unit_of_work():
        jobs.open_job("test.round", "thing:1", ["a"], detail={}, by_id=None, now=NOW)
    return NOW


def _waits_for_link() -> datetime:
    someone = factories.person()
    with unit_of_work():
        resets.ask_link(someone.email, "192.0.2.7", now=NOW)
    return NOW


def _failed_long_ago() -> datetime:
    with unit_of_work():
        throttle.failed(["mail:x"], NOW)
    return NOW + throttle.FORGET + HOUR


def _device_forgotten() -> datetime:
    _waits_for_link()
    return NOW + 2 * DAY


def _time_is_over() -> datetime:
    with unit_of_work():
        timing.set_limit("K1", 30, pausable=True, actor_id=None, now=NOW)
    helpers.begin(factories.person().id, NOW)
    return NOW + HOUR


def _newcomer() -> datetime:
    factories.seat(factories.person(), factories.cohort())
    return NOW


def _ledger_changed() -> datetime:
    someone = factories.person()
    factories.evidence(someone, "Q", "02.1.2", "K1", "lama", at=NOW, passed=False)
    _settle(ALL["standings"], NOW)
    factories.evidence(someone, "Q", "02.1.2", "K1", "neu", at=NOW, passed=True)
    return NOW


def _standing_expires() -> datetime:
    factories.evidence(factories.person(), "Q", "02.1.2", "K1", "neu", at=NOW, passed=True)
    _settle(ALL["standings"], NOW)
    return NOW + 400 * DAY


def _standard_changed() -> datetime:
    factories.evidence(factories.person(), "Q", "02.1.2", "K1", "neu", at=NOW, passed=True)
    _settle(ALL["standings"], NOW)
    with unit_of_work():
        [known] = db.session.scalars(select(StandardVersion))
        db.session.add(
            StandardVersion(
                version="neu", digest="another clock", document=known.document, loaded_at=NOW
            )
        )
    return NOW


def _class_counted_long_ago() -> datetime:
    _newcomer()
    _settle(ALL["standings"], NOW)
    return NOW + HOUR


def _class_has_begun() -> datetime:
    factories.seat(factories.person(), factories.cohort())
    return NOW + 60 * DAY


def _baseline_behind() -> datetime:
    someone = factories.person()
    factories.seat(someone, factories.cohort())
    later = NOW + 60 * DAY
    _settle(ALL["baselines"], later)
    factories.evidence(someone, "Q", "02.1.2", "K1", "neu", at=NOW, passed=True)
    return later


def _class_moved() -> datetime:
    where = factories.cohort()
    factories.seat(factories.person(), where)
    later, cohort_id = NOW + 60 * DAY, where.id
    _settle(ALL["baselines"], later)
    with unit_of_work():
        db.session.get_one(Cohort, cohort_id).zone = "WIT"
    return later


def _sat() -> datetime:
    helpers.sit(factories.person().id)
    return NOW


def _sat_since() -> datetime:
    _sat()
    _settle(ALL["items"], NOW)
    _sat()
    return NOW + HOUR


def _has_mail() -> datetime:
    with unit_of_work():
        mail.put("a@contoh.test", "Pokok", "Isi", now=clock.now())
    return clock.now()


def _sheet(state: State) -> None:
    values = {
        "way": RosterWay.INVITE,
        "cohort_id": factories.cohort().id,
        "source": "",
        "ignored": [],
        "secret": [],
        "scrubbed": 0,
        "created_by": factories.person("admin").id,
        "created_at": NOW,
        "expires_at": NOW + DAY,
        "counts": {},
    }
    with unit_of_work():
        confirmed_at = None if state is State.DRAFT else NOW
        db.session.add(RosterBatch(state=state, confirmed_at=confirmed_at, **values))


def _draft_of_people() -> datetime:
    _sheet(State.DRAFT)
    return NOW + DAY


def _old_rows() -> datetime:
    _sheet(State.CONFIRMED)
    return NOW + ROWS_LIFE


def _preview() -> datetime:
    someone = factories.person("trainer")
    files.preview(someone, files.collection(someone))
    return NOW + DRAFT_LIFE


def _offer_lapsed() -> datetime:
    here = world.open_class(world.K.HOSPITAL)
    world.set_seats(here, 1, rs=1)
    world.nominate(here, world.K.HOSPITAL, "ani", "budi")
    return NOW + 4 * DAY


def _pool_opened() -> datetime:
    here = world.open_class(world.K.NGO, world.K.KUA)
    world.set_seats(here, 2, kua=1)
    world.nominate(here, world.K.NGO, "ani")
    return world.AFTER


def _class_began_with_a_line() -> datetime:
    here = world.open_class(world.K.HOSPITAL)
    world.set_seats(here, 1, rs=1)
    world.nominate(here, world.K.HOSPITAL, "ani", "budi")
    world.accept("ani")
    return NOW + 60 * DAY


def _class_soon() -> datetime:
    _newcomer()
    return datetime(2026, 3, 15, 5, tzinfo=UTC)


def _to_be_deleted() -> datetime:
    person_id = factories.person().id
    with unit_of_work():
        erasure.ask(person_id, Way.ASKED, actor_id=person_id, base_url="http://x", now=NOW)
    return NOW + 8 * DAY


def _promised() -> datetime:
    where, someone = factories.cohort(), factories.person()
    factories.seat(someone, where)
    end = datetime(2026, 3, 21, 5, tzinfo=UTC)
    slug, person_id = where.slug, someone.id
    with unit_of_work():
        boss = Superior("Bu Kepala", "kepala@contoh.test")
        said = [Said("Saya mulai", (end + 40 * DAY).date(), "rekan")]
        plans.write(slug, person_id, said, boss, now=end + DAY)
    return end + 30 * DAY


STATES: list[tuple[str, Callable[[], datetime]]] = [
    ("jobs", _open_job),
    ("links", _waits_for_link),
    ("quizzes", _time_is_over),
    ("standings", _newcomer),
    ("standings", _ledger_changed),
    ("standings", _standing_expires),
    ("standings", _standard_changed),
    ("standings", _class_counted_long_ago),
    ("baselines", _class_has_begun),
    ("baselines", _baseline_behind),
    ("baselines", _class_moved),
    ("items", _sat),
    ("items", _sat_since),
    ("mail", _has_mail),
    ("tidy", _failed_long_ago),
    ("tidy", _device_forgotten),
    ("roster", _draft_of_people),
    ("roster", _old_rows),
    ("question files", _preview),
    ("nominations", _offer_lapsed),
    ("nominations", _pool_opened),
    ("nominations", _class_began_with_a_line),
    ("notices", _class_soon),
    ("deletions", _to_be_deleted),
    ("follow-up", _promised),
]


def _settle(one: Round, now: datetime) -> None:
    """Work until nothing is due."""
    for _turn in range(10):
        if not one.due(now):
            return
        one.work(now)
    raise AssertionError(f"{one.name} is never done")


@pytest.fixture
def ready(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """An installation with a mail server nobody reaches, and a kind of job."""
    monkeypatch.setitem(jobs.HANDLERS, "test.round", Handler(lambda *_: None))
    config: Config = app.extensions["suluh"]
    with_mail = replace(config, smtp_url="smtp://127.0.0.1:1")
    monkeypatch.setitem(app.extensions, "suluh", with_mail)
    return app


@pytest.mark.both
@pytest.mark.parametrize(("name", "make"), STATES, ids=lambda one: getattr(one, "__name__", one))
def test_a_round_is_due_as_long_as_there_is_something_to_do(
    ready: Flask, name: str, make: Callable[[], datetime]
):
    one = ALL[name]
    assert not one.due(NOW)
    now = make()
    assert one.due(now)
    before = stored()
    one.work(now)
    done = stored()
    assert done != before
    _settle(one, now)
    before = stored()
    one.work(now)
    assert stored() == before, "nothing was due"


def test_every_round_that_asks_is_tried():
    assert {name for name, _make in STATES} == set(ASKED)
    assert set(ALL) - set(ASKED) == {"space", "audit", "retention"}


@pytest.mark.both
def test_nothing_is_due_in_an_installation_nobody_uses(ready: Flask):
    before = stored()
    for name in ASKED:
        assert not ALL[name].due(NOW), name
        ALL[name].work(NOW)
        assert stored() == before, name


def test_a_class_that_is_over_is_counted_once_a_day(app: Flask):
    _newcomer()
    later = NOW + 200 * DAY
    standings = ALL["standings"]
    _settle(standings, later)
    assert not standings.due(later + 23 * HOUR)
    assert standings.due(later + DAY)


def test_without_a_standard_nobody_is_judged(app: Flask):
    with unit_of_work():
        db.session.execute(delete(StandardVersion))
    _newcomer()
    later = NOW + 60 * DAY
    assert ALL["standings"].due(later), "nobody expects them yet"
    ALL["standings"].work(later)
    for name in ("standings", "baselines"):
        assert not ALL[name].due(later)
        before = stored()
        ALL[name].work(later)
        assert stored() == before


def test_a_job_somebody_works_on_is_not_asked_for(ready: Flask):
    _open_job()
    with unit_of_work():
        db.session.execute(update(Job).values(lease_until=NOW + jobs.LEASE))
    assert not jobs.is_due(NOW)
    assert jobs.is_due(NOW + jobs.LEASE), "that worker died"


# Going round


@pytest.fixture
def told(app: Flask, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Let rounds hurry; collect what they did."""
    monkeypatch.setattr(rounds, "TICK", 0.01)
    return []


def _going(monkeypatch: pytest.MonkeyPatch, *them: Round) -> None:
    monkeypatch.setattr(rounds, "ROUNDS", them)


def _until(found: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not found() and time.monotonic() < end:
        time.sleep(0.01)
    assert found()


def test_work_waits_for_a_yes(make_app, told: list[str], monkeypatch: pytest.MonkeyPatch):
    answers = iter([False, False, True])
    ended = []

    def due(_now: datetime) -> bool:
        answer = next(answers, False)
        db.session.execute(select(Mail.id))
        told.append(f"asked {answer}")
        return answer

    def work(_now: datetime) -> int:
        told.append(f"worked {db.session().in_transaction()}")
        return 1

    class Counted:
        def note_round(self, name: str, _at: float, *, done: bool) -> None:
            ended.append((name, done))

    monkeypatch.setattr(rounds.meters, "find", Counted)
    _going(monkeypatch, Round("one", 0.01, due, work))
    with rounds.working(make_app()):
        _until(lambda: len(ended) > 3)
    assert told[:4] == ["asked False", "asked False", "asked True", "worked False"]
    assert "worked False" not in told[4:]
    assert set(ended) == {("one", True)}, "a round that was not due has been done"


def test_an_error_of_the_question_is_told_and_the_others_go_on(
    make_app, told: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    def broken(_now: datetime) -> bool:
        raise ZeroDivisionError

    def closed(_now: datetime) -> int:
        told.append("closed")
        raise ReadOnly(Reason.SWITCH)

    def work(_now: datetime) -> int:
        told.append("worked")
        return 1

    _going(
        monkeypatch,
        Round("broken", 0.01, broken, work),
        Round("closed", 0.01, rounds.always, closed),
    )
    with rounds.working(make_app()):
        _until(lambda: len(caplog.records) > 1 and "closed" in told)
    assert {record.message for record in caplog.records} == {"round broken"}
    assert "worked" not in told


# What is loaded

LIGHT = """
import json, sys
from datetime import UTC, datetime
from pathlib import Path
from flask import Flask
from lms.config import Config
from lms.core import readonly
from lms.core.db import db, prepare_engine
import lms.accounts.models

app = Flask("light")
config = Config(database_url=sys.argv[1], secret_key="x" * 40, folder=Path(sys.argv[2]))
app.extensions["suluh"] = config
app.config["SQLALCHEMY_DATABASE_URI"] = config.database_url
db.init_app(app)
readonly.init_app(app, config)
from lms import rounds

def heavy():
    dear = "pydantic yaml babel flask_babel wtforms flask_login reportlab argon2 numpy nh3"
    parts = {"services", "views", "forms", "content", "letters", "labels"}
    ours = {one for one in sys.modules if one.startswith("lms.") and one.split(".")[-1] in parts}
    return sorted(ours | {*dear.split()} & {*sys.modules})

found = {"start": heavy()}
now = datetime.now(UTC)
with app.app_context():
    prepare_engine(db.engine)
    found["due"] = [one.name for one in rounds.ROUNDS if one.due(now)]
    found["asked"] = heavy()
    found["worked"] = {one.name: one.work(now) for one in rounds.ROUNDS if one.due(now)}
    found["done"] = heavy()
    if "all" in sys.argv:
        rounds.run_all(now)
        found["all"] = heavy()
print(json.dumps(found))
"""


def test_an_installation_in_which_nothing_happens_loads_nothing_dear(make_app, tmp_path: Path):
    """With the positive control that doing everything does."""
    url = make_app().config["SQLALCHEMY_DATABASE_URI"]
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, url, str(tmp_path), "all"],
        cwd=ROOT,
        env=unmeasured(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["due"] == ["space", "audit", "retention"]
    assert found["worked"] == {"space": 0, "audit": 1, "retention": 0}
    assert found["start"] == found["asked"] == found["done"] == []
    assert {"lms.quizzes.services", "pydantic", "wtforms"} <= {*found["all"]}


def test_the_gate_is_watched_without_asking(app: Flask, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(readonly.Gate, "look", lambda _gate: Reason.DISK)
    assert ALL["space"].work(NOW) == 1
    monkeypatch.undo()
    assert ALL["space"].work(NOW) == 0
