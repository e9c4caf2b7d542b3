"""The desk of a trainer: classes, today's sessions, work that waits, all by the class's clock."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import update

from lms.accounts.models import Person
from lms.cohorts import desk as timetables
from lms.cohorts import services as cohorts
from lms.cohorts.models import ClassSession, Cohort, ConflictKind, Part
from lms.core import clock
from lms.core.db import db, unit_of_work
from lms.core.login import Viewer
from lms.credentials import desk as signing
from lms.credentials.models import Proposal, ProposalState, Signature
from lms.modules import laws
from lms.modules.models import Lesson
from lms.pages import desk
from lms.pages.rules import Phase, desk_order, phase_of
from lms.practice.cases import services as marking
from lms.practice.observations import desk as observations
from lms.practice.observations.models import ObservationRound
from lms.quizzes.essays import services as essays
from lms.reports import snapshots
from tests import factories
from tests.practice.cases import scene
from tests.queries import counted
from tests.quizzes.essays import helpers as essay

Enter = Callable[[Person], FlaskClient]
DAY = timedelta(days=1)
TODAY = date(2026, 3, 20)
NOON = datetime(2026, 3, 20, 5, tzinfo=UTC)
"""Noon of the first day of the classes of tests/factories.py, in WIB."""


def viewer(person: Person, *roles: str) -> Viewer:
    return Viewer(person.id, "", person.name, frozenset(roles), "id", "")


@pytest.mark.parametrize(
    ("today", "phase", "days"),
    [
        (TODAY - 12 * DAY, Phase.AHEAD, 12),
        (TODAY - DAY, Phase.AHEAD, 1),
        (TODAY, Phase.RUNNING, 1),
        (TODAY + DAY, Phase.RUNNING, 2),
        (TODAY + 2 * DAY, Phase.OVER, 1),
    ],
)
def test_where_a_class_is(today: date, phase: Phase, days: int):
    assert phase_of(TODAY, TODAY + DAY, today) == (phase, days)


@given(st.lists(st.tuples(st.integers(-400, 400), st.integers(0, 3)), max_size=9))
def test_classes_of_today_come_first_then_the_nearest(found: list[tuple[int, int]]):
    classes = [(TODAY + n * DAY, TODAY + (n + length) * DAY) for n, length in found]
    ordered = sorted(classes, key=lambda one: desk_order(*one, TODAY))
    phases = [phase_of(*one, TODAY) for one in ordered]
    running = [phase is Phase.RUNNING for phase, _days in phases]
    assert running == sorted(running, reverse=True)
    away = [days for phase, days in phases if phase is not Phase.RUNNING]
    assert away == sorted(away)


# Today


def test_sessions_are_of_today_by_the_clock_of_the_class(app: Flask):
    place = factories.cohort(zone="WIT")
    evening = datetime(2026, 3, 19, 16, tzinfo=UTC)  # 1.00 of the 20th in WIT, 23.00 in WIB
    west = factories.cohort(zone="WIB")
    both = [place, west]
    assert {one.cohort.id for one in timetables.list_today(both, evening)} == {place.id}
    today = timetables.list_today(both, NOON)
    assert [(one.cohort.id, one.title) for one in today] == [
        (place.id, "Pembukaan"), (place.id, "Lokakarya"), (west.id, "Pembukaan"),
        (west.id, "Lokakarya"),
    ]  # fmt: skip
    assert [one.title for one in timetables.list_today([west], NOON + DAY)] == ["Uji observasi"]
    with counted() as statements:
        assert timetables.list_today([west], NOON + 9 * DAY) == []
    assert len(statements) <= 1, "only the class itself, after the rollback"


def test_the_home_of_a_class_day(app: Flask, sign_in: Enter):
    trainer, speaker = factories.person("trainer"), factories.person("speaker", name="Bu Tamu")
    place = factories.cohort(title="Angkatan Hari Ini")
    factories.staff(trainer, place)
    first = cohorts.list_sessions(place.id)[1]
    with unit_of_work():
        db.session.execute(
            update(ClassSession)
            .where(ClassSession.id == first.id)
            .values(speaker_id=speaker.id, begins=time(8, 30), ends=time(10))
        )
    with time_machine.travel(NOON):
        page = sign_in(trainer).get("/").text
    assert "Sesi hari ini" in page
    assert "08.30–10.00" in page
    assert "Bu Tamu" in page
    assert "hari ke-1" in page
    with time_machine.travel(NOON - 8 * DAY):
        page = sign_in(trainer).get("/").text
    assert "Sesi hari ini" not in page
    assert "8 hari lagi" in page
    with time_machine.travel(NOON + 8 * DAY):
        assert "selesai 7 hari lalu" in sign_in(trainer).get("/").text


def test_only_the_nearest_classes_are_on_the_desk(app: Flask, sign_in: Enter):
    trainer = factories.person("trainer")
    for n in range(desk.SHOWN + 3):
        on = clock.now().date() + (10 + n) * DAY
        factories.staff(trainer, factories.cohort(title=f"Kelas-{n}.", starts_on=on, ends_on=on))
    page = sign_in(trainer).get("/").text
    assert "Kelas-0." in page
    assert f"Kelas-{desk.SHOWN}." not in page
    assert "3 angkatan lagi" in page


# Work


@pytest.mark.both
def test_what_waits_for_marking_is_what_the_queue_lists(app: Flask):
    here = scene.scene()
    scene.hand_in(here.trainee)
    assessor = here.assessor
    queue = marking.queue(viewer(assessor, "assessor"))
    found = waiting(assessor)
    assert (found.count, found.oldest) == (len(queue), queue[0].submitted_at)
    assert found.count == 1
    with unit_of_work():
        cohorts.declare_conflict(
            assessor.id, here.trainee, ConflictKind.RELATIVE, declared_by=assessor.id,
            now=clock.now(),
        )  # fmt: skip
    assert waiting(assessor).count == 0
    assert waiting(factories.person("assessor")) == desk.Waiting(0, None)


def waiting(assessor: Person) -> desk.Waiting:
    return desk._marking(viewer(assessor, "assessor"))["cases"]


@pytest.mark.both
def test_written_answers_that_wait_stand_on_the_desk(app: Flask, sign_in: Enter):
    room = essay.Room()
    essay.ask(essay.kuk(critical=False))
    assert desk._marking(room.viewer)["essays"] == desk.Waiting(0, None)
    assert "jawaban tertulis" not in sign_in(room.assessor).get("/").text
    for one in room.people:
        essay.sit(one.id, now=clock.now())
    (first, _second) = essays.queue(room.viewer).lines
    assert desk._marking(room.viewer)["essays"] == desk.Waiting(2, first.closed_at)
    for someone in (room.assessor, room.trainer):
        page = sign_in(someone).get("/").text
        assert "2 jawaban tertulis kuis menunggu penilaian Anda." in page
        assert 'href="/menilai/esai"' in page


@pytest.mark.both
def test_who_was_not_observed_in_classes_that_have_begun(app: Flask):
    assessor, place = factories.person("assessor"), factories.cohort()
    factories.staff(assessor, place, Part.ASSESSOR)
    people = [factories.person() for _ in range(3)]
    for one in people:
        factories.seat(one, place)
    assert observations.unobserved(assessor.id, TODAY - DAY) == {}
    assert observations.unobserved(assessor.id, TODAY) == {place.id: 3}
    assert observations.unobserved(assessor.id, TODAY + 300 * DAY) == {}
    assert observations.unobserved(factories.person("assessor").id, TODAY) == {}
    with unit_of_work():
        db.session.add(
            ObservationRound(person_id=people[0].id, cohort_id=place.id, number=1, opened_at=NOON)
        )
        cohorts.declare_conflict(
            assessor.id, people[1].id, ConflictKind.SUPERIOR, declared_by=assessor.id, now=NOON
        )
    assert observations.unobserved(assessor.id, TODAY) == {place.id: 1}


def propose(place: Cohort, person: Person, signer: Person) -> None:
    from lms.competency import services as competency

    found = competency.current().id
    with unit_of_work():
        made = Proposal(
            person_id=person.id, scheme_code="K1", cohort_id=place.id, standard_version_id=found,
            language="id", holder_name=person.name, trace={}, digest="x", created_at=NOON,
            state=ProposalState.OPEN,
        )  # fmt: skip
        db.session.add(made)
        db.session.flush()
        db.session.add(
            Signature(
                proposal_id=made.id, position=1, signer_id=signer.id, trains=True, signed_at=NOON
            )
        )


def test_a_signature_is_asked_of_those_who_have_not_signed(app: Flask, sign_in: Enter):
    first, second = factories.person("trainer"), factories.person("trainer", "assessor")
    place = factories.cohort(title="Kelas Pleno")
    factories.staff(first, place)
    factories.staff(second, place, Part.ASSESSOR)
    people = [factories.person() for _ in range(2)]
    for one in people:
        factories.seat(one, place)
        propose(place, one, first)
    assert signing.to_sign(first.id) == {}
    assert signing.to_sign(second.id) == {place.id: 2}
    assert "2 keputusan menunggu tanda tangan Anda" in sign_in(second).get("/").text
    with unit_of_work():
        cohorts.declare_conflict(
            second.id, people[0].id, ConflictKind.RELATIVE, declared_by=second.id, now=NOON
        )
    assert signing.to_sign(second.id) == {place.id: 1}
    with unit_of_work():
        db.session.execute(update(Proposal).values(state=ProposalState.WITHDRAWN))
    assert signing.to_sign(second.id) == {}


def test_old_law_is_named_with_the_oldest_first(app: Flask, sign_in: Enter):
    newest = max(
        date.fromisoformat(source["checked_on"])
        for sources in db.session.scalars(db.select(Lesson.sources))
        for source in sources
    )
    assert laws.list_stale(newest) == []
    found = laws.list_stale(newest + 400 * DAY)
    assert found
    assert [one.checked_on for one in found] == sorted(one.checked_on for one in found)
    trainer = factories.person("trainer")
    with time_machine.travel(datetime.combine(newest + 400 * DAY, time(5), UTC)):
        page = sign_in(trainer).get("/").text
    assert "perlu diperiksa lagi" in page
    assert f"Terlama: {found[0].code}" in page


def test_people_held_up_are_counted_by_the_round(app: Flask, sign_in: Enter):
    trainer = factories.person("trainer")
    place = factories.cohort(title="Kelas Sapa")
    factories.staff(trainer, place)
    for _ in range(2):
        factories.seat(factories.person(), place)
    browser = sign_in(trainer)
    assert "perlu disapa" not in browser.get("/").text
    snapshots.refresh(clock.now())
    page = browser.get("/").text
    assert "2 perlu disapa" in page
    assert "Sapa 2 orang yang tertahan" in page
    assert f'href="/angkatan/{place.slug}/pesan"' in page
    assert "dihitung" in page


def test_the_desk_costs_the_same_with_many_classes(app: Flask):
    trainer = factories.person("trainer", "assessor")

    who = viewer(trainer, "trainer", "assessor")

    def cost() -> int:
        with counted() as statements:
            desk.read(who, now=clock.now(), today=TODAY)
        return len(statements)

    factories.staff(trainer, factories.cohort())
    few = cost()
    for _ in range(6):
        place = factories.cohort()
        factories.staff(trainer, place)
        factories.seat(factories.person(), place)
    assert cost() == few <= 8
