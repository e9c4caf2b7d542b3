"""One person's way: everything they did, in order, by kind, by week."""

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lms.cohorts import invitations
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind
from lms.core import clock
from lms.core.db import db, unit_of_work
from lms.quizzes.classes.models import ClassQuiz
from lms.quizzes.models import Quiz
from lms.reports import labels, timeline
from lms.reports.timeline import Kind
from tests import crowd, factories
from tests.conftest import SqliteHome
from tests.queries import counted
from tests.roster.test_walkin import AT, Room, viewer

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def place(sqlite_home: SqliteHome, tmp_path_factory: pytest.TempPathFactory):
    """A class in which everything has happened to somebody."""
    kept = crowd.kept(sqlite_home, tmp_path_factory, 5)
    found = crowd.reopen(kept, tmp_path_factory.mktemp("way") / "way.db")
    yield found
    with found.app.app_context():
        db.session.remove()
        db.engine.dispose()


def way(place: crowd.Crowd, who: str, **asked: object) -> timeline.Timeline:
    settings: dict[str, object] = {"kind": "", "page": 1, "now": place.now}
    with place.app.app_context():
        return timeline.read(place.ids[who], "WITA", **(settings | asked))  # type: ignore[arg-type]


def test_everything_is_there_newest_first(place: crowd.Crowd):
    learner, holder = way(place, "learner"), way(place, "holder")
    assert {kind for kind in Kind if learner.counts[kind]} == {
        Kind.LESSON, Kind.QUIZ, Kind.CASE, Kind.SIMULATION, Kind.ATTENDANCE, Kind.OBSERVATION,
        Kind.COACHING,
    }  # fmt: skip
    assert holder.counts[Kind.DECISION] == 2
    assert learner.counts[Kind.LESSON] == 10
    assert learner.counts[Kind.CASE] == 2, "handed in and decided"
    moments = [event.at for event in learner.events]
    assert moments == sorted(moments, reverse=True)
    assert sum(learner.counts.values()) == len(learner.events) <= timeline.PAGE


def test_it_takes_one_query(place: crowd.Crowd):
    with place.app.app_context(), counted() as statements:
        timeline.read(place.ids["learner"], "WIB", kind="", page=1, now=place.now)
    assert len(statements) == 1


def test_by_kind_and_by_page(place: crowd.Crowd, monkeypatch: pytest.MonkeyPatch):
    found = way(place, "learner", kind="kuis")
    assert {event.kind for event in found.events} == {Kind.QUIZ}
    assert len(found.events) == found.counts[Kind.QUIZ]
    assert way(place, "learner", kind="ngawur").kind is None
    monkeypatch.setattr(timeline, "PAGE", 4)
    total = sum(found.counts.values())
    pages = [way(place, "learner", page=n) for n in range(1, -(-total // 4) + 1)]
    assert sum(len(page.events) for page in pages) == total
    assert way(place, "learner", page=99).page == pages[-1].pages


def test_a_quiz_of_the_class_is_called_by_its_title(place: crowd.Crowd):
    codes = {event.code for event in way(place, "learner", kind="kuis").events}
    with place.app.app_context():
        titles = set(db.session.scalars(select(ClassQuiz.title)))
        addresses = set(db.session.scalars(select(Quiz.curriculum_code).join(ClassQuiz)))
    assert codes & titles
    assert not codes & addresses, "nobody reads an address"
    assert "K1" in codes


def test_the_picture_counts_what_the_list_holds(place: crowd.Crowd):
    found = way(place, "learner")
    assert sum(cell.count for cell in found.cells) == sum(found.counts.values())
    assert all(1 <= cell.shade <= 4 for cell in found.cells)
    assert max(cell.column for cell in found.cells) < len(found.weeks)
    assert found.busiest is not None
    assert found.busiest.total == max(week.total for week in found.weeks)


def test_every_moment_has_a_sentence(place: crowd.Crowd):
    with place.app.test_request_context():
        for who in crowd.WALKERS:
            for event in way(place, who).events:
                said = labels.sentence(event)
                assert said
                assert "%" not in said
                assert labels.kind_name(event.kind)
                assert labels.ICONS[event.kind]


def test_a_corrected_attendance_is_one_moment(place: crowd.Crowd):
    found = way(place, "beginner", kind="hadir")
    codes = [event.code for event in found.events]
    assert len(codes) == len(set(codes)) == 4
    assert {event.what for event in found.events} == {"absent"}


def test_the_page_shows_it(app: Flask, sign_in):
    trainer, someone = factories.person("trainer"), factories.person(name="Rahma Contoh")
    place = factories.cohort()
    factories.staff(trainer, place)
    factories.seat(someone, place)
    browser: FlaskClient = sign_in(trainer)
    path = f"/angkatan/{place.slug}/peserta/{someone.public_id}"
    assert "Belum ada kegiatan" in browser.get(path).text
    with unit_of_work():
        competency.coach(
            someone.id, kind=EvidenceKind.Q, source="K1", note="Bahas <i>03.1.4</i>",
            trainer_id=trainer.id, now=clock.now() - 10 * DAY,
        )  # fmt: skip
    page = browser.get(path).text
    assert "Bimbingan tentang kuis K1" in page
    assert "Bahas &lt;i&gt;03.1.4&lt;/i&gt;" in page
    assert "Paling ramai minggu" in page
    assert 'role="img"' in page
    only = browser.get(f"{path}?jenis=bimbingan").text
    assert 'aria-current="true"' in only


def test_what_was_noted_at_a_door_shows_once_the_seat_is_accepted(app: Flask):
    room, stranger = Room(), factories.person()
    added = room.add(stranger.email)
    settings: dict[str, object] = {"kind": "", "page": 1, "now": AT}
    seen = timeline.read(stranger.id, "WIB", **settings)  # type: ignore[arg-type]
    assert seen.counts[Kind.ATTENDANCE] == 0
    with unit_of_work():
        invitations.accept_as(added.link.rpartition("/")[2], viewer(stranger), now=AT)
    seen = timeline.read(stranger.id, "WIB", **settings)  # type: ignore[arg-type]
    assert seen.counts[Kind.ATTENDANCE] == 1
