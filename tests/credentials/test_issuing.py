"""The issue of a whole class as one job: exactly one certificate each, whatever happens."""

import io
import signal
import subprocess
import sys
import textwrap
import zipfile
from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import Part
from lms.competency import services as competency
from lms.core import jobs
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.models import ItemState
from lms.credentials import issuing, meeting, paper, services, signatures
from lms.credentials.models import (
    Certificate,
    Decision,
    Document,
    NumberCounter,
    Proposal,
    ProposalState,
)
from tests import factories
from tests.credentials.world import BASE, NOW, World, append, fulfil, refuses
from tests.ledgers import full
from tests.measure import unmeasured
from tests.races import race

LATER = NOW + timedelta(minutes=5)
CROWD = 40
AT_ONCE = 6


def class_of(size: int) -> World:
    """Return a class of ready people, all decided."""
    world = World()
    for n in range(size):
        someone = world.join(f"Peserta {n:02d}")
        fulfil(someone, "K1")
        world.decided(someone)
    return world


def decide_fast(world: World, size: int, now: datetime = NOW) -> list[int]:
    """Let many people be decided in few transactions. Returns the decisions."""
    people = [world.join(f"Peserta {n:02d}").id for n in range(size)]
    for person_id in people:
        append(person_id, full("K1", now - timedelta(days=9)), "K1-")
    db.session.commit()
    cohort_id, signers = world.cohort.id, (world.trainer.id, world.assessor.id)
    cohort = world.cohort
    seen = {
        line.seat.person_id: line.digest
        for line in meeting.get_meeting(cohort, "K1", signers[0], now=now).lines
    }
    with unit_of_work():
        for person_id in people:
            for signer in signers:
                signatures.sign(
                    person_id, "K1", cohort_id=cohort_id, signer_id=signer,
                    seen=seen[person_id], now=now,
                )  # fmt: skip
        decisions = [signatures.find_decided(one, "K1") for one in people]
    return [one for one in decisions if one is not None]


def start(world: World, at: datetime = NOW, **values: object) -> str:
    cohort_id, by_id = world.cohort.id, world.trainer.id
    asked = {"base_url": BASE, "sample": False} | values
    with unit_of_work():
        return issuing.start(
            cohorts.get_cohort_by_id(cohort_id), "K1", by_id=by_id, now=at, **asked
        )


def wrong(size: int) -> list[str]:
    """Say what is not as it must be: one certificate, number and paper for each decision."""
    db.session.rollback()
    papers = dict(db.session.execute(select(Document.sha256, func.length(Document.body))).all())
    rows = db.session.scalars(select(Certificate)).all()
    numbers = sorted(row.number for row in rows)
    tests = {
        "certificates": len(rows) == size,
        "each decision once": len({row.decision_id for row in rows}) == len(rows) == size,
        "each person once": len({row.person_id for row in rows}) == len(rows) == size,
        "numbers without gap or double": numbers
        == [f"{n:04d}/SULUH-K1/2026" for n in range(1, size + 1)],
        "counter": db.session.scalar(select(NumberCounter.last)) == size,
        "a paper for each": {row.document_sha256 for row in rows} == set(papers),
        "papers are papers": all(length > 5000 for length in papers.values()),
        "no paper without certificate": len(papers) == size,
        "proposals": set(db.session.scalars(select(Proposal.state))) == {ProposalState.ISSUED},
    }
    return [name for name, holds in tests.items() if not holds]


@pytest.mark.both
def test_a_class_is_issued_by_name_and_listed(app: Flask):
    world = class_of(3)
    waiting = issuing.list_waiting(world.cohort, "K1")
    assert [one.name for one in waiting] == ["Peserta 00", "Peserta 01", "Peserta 02"]
    job = start(world)
    assert jobs.work(LATER) == 3
    found, scheme = issuing.get_progress(world.cohort, job)
    assert (found.done, found.running, scheme) == (3, False, "K1")
    made = issuing.list_results(found.id, ItemState.DONE)
    assert [(one.name, one.number) for one in made] == [
        (f"Peserta 0{n}", f"000{n + 1}/SULUH-K1/2026") for n in range(3)
    ]
    assert wrong(3) == []
    assert issuing.list_waiting(world.cohort, "K1") == []
    refuses(issuing.NothingWaits, lambda: start(world))
    refuses(NotFound, lambda: issuing.get_progress(factories.cohort(), job))
    assert [one.public_id for one in issuing.list_jobs(world.cohort, "K1")] == [job]


def test_problems_are_told_by_person_and_stop_nobody(app: Flask):
    world = class_of(3)
    unlucky = issuing.list_waiting(world.cohort, "K1")[1]
    decision = db.session.get_one(Decision, unlucky.decision_id)
    row = decision.trace["evidence"]["K1.T"][0]
    with unit_of_work():
        competency.void(row, reason="keliru orang", by_id=None, now=NOW)
    job = start(world)
    jobs.work(LATER)
    found, _ = issuing.get_progress(world.cohort, job)
    assert (found.done, found.problems) == (2, 1)
    [problem] = issuing.list_results(found.id, ItemState.PROBLEM)
    assert (problem.name, problem.problem, problem.number) == ("Peserta 01", "NotReady", "")
    assert sorted(db.session.scalars(select(Certificate.number))) == [
        "0001/SULUH-K1/2026",
        "0002/SULUH-K1/2026",
    ]


def test_the_paper_is_drawn_outside_the_transaction_that_stores_it(
    app: Flask, monkeypatch: pytest.MonkeyPatch
):
    world = class_of(2)
    drawn: list[bool] = []
    draw = paper.draw

    def watched(written: paper.Certificate) -> tuple[bytes, str]:
        options = db.session.connection().get_execution_options()
        drawn.append(bool(options.get("suluh_write")))
        return draw(written)

    monkeypatch.setattr(paper, "draw", watched)
    start(world)
    jobs.work(LATER)
    assert drawn == [False, False]
    with unit_of_work():
        db.session.connection()
        watched(paper.read(db.session.scalars(select(Certificate.snapshot)).first() or {}))
    assert drawn[-1], "the control: inside a unit of work the mark is seen"


def test_a_new_name_is_printed_as_it_is_at_the_issue(app: Flask):
    world = class_of(1)
    [one] = issuing.list_waiting(world.cohort, "K1")
    assert not one.name_changed
    person_id = accounts.get_person(one.public_id).id
    with unit_of_work():
        accounts.rename(person_id, "Peserta Baru", now=NOW)
    [one] = issuing.list_waiting(world.cohort, "K1")
    assert (one.name, one.signed_name, one.name_changed) == ("Peserta Baru", "Peserta 00", True)
    start(world)
    jobs.work(LATER)
    assert db.session.scalars(select(Certificate.holder_name)).one() == "Peserta Baru"


def test_all_papers_come_in_one_file_that_only_goes_forward(
    app: Flask, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(issuing, "PER_FILE", 2)
    world = class_of(3)
    job = start(world)
    jobs.work(LATER)
    found, _ = issuing.get_progress(world.cohort, job)
    assert issuing.parts_of(found) == 2
    names: list[str] = []
    for part in (1, 2):
        pieces = list(issuing.zip_papers(found.id, part))
        assert max(map(len, pieces)) < 120_000, "one paper at a time"
        with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as file:
            assert file.testzip() is None
            for entry in file.infolist():
                assert entry.compress_type == zipfile.ZIP_STORED
                assert file.read(entry).startswith(b"%PDF")
                names.append(entry.filename)
    codes = [one.code for one in issuing.list_results(found.id, ItemState.DONE, size=9)]
    assert names == [f"{n:04d}-{code}.pdf" for n, code in enumerate(codes, 1)]


# Concurrent issue


@pytest.mark.both
def test_forty_people_six_times_at_once_get_one_certificate_each(bare_app: Flask):
    paper.warm_up()
    with bare_app.app_context():
        world = World()
        decisions = decide_fast(world, CROWD)
        assert len(decisions) == CROWD

    def issue_all() -> int:
        made = 0
        for decision_id in decisions:
            try:
                with unit_of_work():
                    services.issue(
                        decision_id, by_id=None, now=LATER, base_url=BASE, sample=False,
                        drawn=None,
                    )  # fmt: skip
                made += 1
            except services.AlreadyIssued:
                continue
        return made

    done = race(bare_app, [issue_all] * AT_ONCE)
    assert sum(one for one in done if isinstance(one, int)) == CROWD, done
    with bare_app.app_context():
        assert wrong(CROWD) == []


@pytest.mark.both
def test_who_looks_first_and_issues_then_goes_red(bare_app: Flask, monkeypatch: pytest.MonkeyPatch):
    """The planted bug: both look, both find nothing, and no key of the tables stands between."""
    paper.warm_up()
    with bare_app.app_context():
        world = World()
        decisions = decide_fast(world, 3)
    free, both = count(), Barrier(2)
    monkeypatch.setattr(
        services, "_place", lambda _decision, _now: services.Place(1, None, next(free))
    )
    monkeypatch.setattr(services, "_close_proposal", close_whatever)

    def issue_all() -> int:
        for decision_id in decisions:
            found = select(Certificate.id).where(Certificate.decision_id == decision_id)
            is_issued = db.session.scalar(found) is not None
            db.session.rollback()
            both.wait(20)
            if not is_issued:
                with unit_of_work():
                    services.issue(decision_id, by_id=None, now=LATER, base_url=BASE, sample=False)
        return len(decisions)

    assert race(bare_app, [issue_all] * 2) == [3, 3]
    with bare_app.app_context():
        assert {"certificates", "each decision once", "each person once", "counter"} <= {*wrong(3)}


def close_whatever(decision: Decision, now: datetime) -> None:
    """Turn a proposal into an issued one, whether or not somebody did already."""
    db.session.execute(
        update(Proposal)
        .where(Proposal.decision_id == decision.id)
        .values(state=ProposalState.ISSUED, closed_at=now)
    )


@pytest.mark.both
def test_workers_at_once_issue_a_class_once(bare_app: Flask):
    paper.warm_up()
    with bare_app.app_context():
        world = World()
        decide_fast(world, 10)
        start(world)
    done = race(bare_app, [lambda: jobs.work(LATER)] * 3)
    assert sum(one for one in done if isinstance(one, int)) == 10, done
    with bare_app.app_context():
        assert wrong(10) == []


# kill -9

SCRIPT = textwrap.dedent(
    """
    import sys
    from datetime import datetime
    from lms.app import create_app
    from lms.config import Config
    from lms.core import jobs
    app = create_app(Config(database_url=sys.argv[1], secret_key="x" * 40, testing=True))
    with app.app_context():
        print(jobs.work(datetime.fromisoformat(sys.argv[2])))
    """
)
ROOT = Path(__file__).parents[2]
POINTS = ["1", "2:2", "3:2", "4:2", "5:2", "6"]
"""After the lease; drawn, not stored; stored, not marked; marked, not committed; committed; all
done, not finished. `2:2` is point 2 at the second person."""


def die(app: Flask, now: datetime, crash: str) -> None:
    url = app.config["SQLALCHEMY_DATABASE_URI"]
    died = subprocess.run(
        [sys.executable, "-c", SCRIPT, url, now.isoformat()],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        env=unmeasured(SULUH_CRASH_AT=crash),
        timeout=60,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr


def test_killed_anywhere_the_issue_ends_with_one_certificate_each(make_app: Callable[..., Flask]):
    """One class after another, each killed at another point; then the next worker goes on."""
    app = make_app()
    people = 3
    with app.app_context():
        worlds = World()
        groups = [decide_fast_in(worlds, f"kelas-{n}", people) for n in range(len(POINTS))]
        db.session.remove()
    at = LATER
    for n, crash in enumerate(POINTS):
        with app.app_context():
            job = start_in(worlds, groups[n], at)
            db.session.remove()
        die(app, at, crash)
        at += jobs.LEASE * 2
        with app.app_context():
            cohort = cohorts.get_cohort_by_id(groups[n])
            assert issuing.get_progress(cohort, job)[0].running
            jobs.work(at)
            found = issuing.get_progress(cohort, job)[0]
            assert (found.done, found.problems, found.running) == (people, 0, False), crash
            assert wrong_so_far((n + 1) * people) == [], crash
            db.session.remove()
        at += jobs.LEASE
    with app.app_context():
        assert wrong(len(POINTS) * people) == []
        db.session.remove()


def decide_fast_in(world: World, slug: str, size: int) -> int:
    """Open one more class with decided people. Returns its id."""
    cohort = factories.cohort(world.host, slug=slug)
    factories.staff(world.trainer, cohort)
    factories.staff(world.assessor, cohort, Part.ASSESSOR)
    for n in range(size):
        someone = factories.person("trainee", name=f"{slug} {n}")
        factories.seat(someone, cohort, world.agency)
        fulfil(someone, "K1")
        world.decided(someone, where=cohort)
    return cohort.id


def start_in(world: World, cohort_id: int, at: datetime) -> str:
    by_id = db.session.merge(world.trainer).id
    with unit_of_work():
        return issuing.start(
            cohorts.get_cohort_by_id(cohort_id), "K1", by_id=by_id, base_url=BASE, sample=False,
            now=at,
        )  # fmt: skip


def wrong_so_far(size: int) -> list[str]:
    """Return what is wrong, but that other classes still wait."""
    return [one for one in wrong(size) if one != "proposals"]


def test_a_worker_that_marks_after_the_commit_is_found_out(
    app: Flask, monkeypatch: pytest.MonkeyPatch
):
    """The control of the oracle: numbers taken in a transaction of their own leave a gap."""
    world = class_of(2)
    store = services._store

    def careless(*args: object) -> Certificate:
        db.session.commit()  # the number is gone now, whatever follows
        if not seen:
            seen.append(1)
            raise services.NotDecided("killed here")
        return store(*args)  # type: ignore[arg-type]  # passed on as they came

    seen: list[int] = []
    monkeypatch.setattr(services, "_store", careless)
    monkeypatch.setattr(services, "_all_or_nothing", unit_less)
    start(world)
    jobs.work(LATER)
    assert "numbers without gap or double" in wrong(2)


def unit_less() -> object:
    return nullcontext()
