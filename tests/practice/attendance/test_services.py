"""The attendance list and the evidence that follows from it."""

import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from lms.accounts.models import Person
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, Part
from lms.competency import services as competency
from lms.competency.models import Evidence, EvidenceVoid
from lms.competency.rules import EvidenceKind, Ledger
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.practice.attendance import services
from lms.practice.attendance.models import Attendance, Presence, Way
from lms.practice.attendance.rules import BadMark, Half, Mark
from lms.practice.attendance.services import Entry, Outcome
from tests import factories
from tests.queries import counted

AT = datetime(2026, 3, 20, 2, 30, tzinfo=UTC)  # half past nine on the first day
ELSEWHERE = Mark(Presence.MADE_UP, note="Kelas Bontang, sakit di hari kedua")
TWO_HALVES = [
    cohorts.Timetabled(
        day=1, half="am", position=1, title="Lokakarya", title_en="Workshop", jp=2,
        lesson_code="K1.T",
    ),
    cohorts.Timetabled(
        day=1, half="pm", position=1, title="Lanjutan", title_en="Continued", jp=2,
        lesson_code="K1.T",
    ),
    cohorts.Timetabled(
        day=2, half="am", position=1, title="Jeda", title_en="Rest", jp=2, lesson_code="K4.T"
    ),
]  # fmt: skip


class Room:
    """A class with a trainer and some people, and short words to note with."""

    def __init__(self, people: int = 2, **overrides: object) -> None:
        self.cohort = factories.cohort(timetable=TWO_HALVES, **overrides)
        self.trainer = factories.person("trainer", name="Wati Suharti")
        factories.staff(self.trainer, self.cohort, Part.TRAINER)
        sender = factories.organisation()
        self.people = [factories.person(name=f"Peserta {n:03d}") for n in range(people)]
        for each in self.people:
            factories.seat(each, self.cohort, sender)
        self.shown: dict[tuple[str, int], str] = {}

    def note(
        self,
        key: str,
        *said: str | Mark,
        fill: bool = False,
        now: datetime = AT,
        stale: bool = False,
    ) -> Outcome:
        """Save a screen drawn after the last save (or, when stale, with nothing on it)."""
        entries = {}
        marks = [
            Mark(Presence(one)) if one and isinstance(one, str) else one or None for one in said
        ]
        for n, mark in enumerate(marks):
            shown = "" if stale else self.shown.get((key, n), "")
            if mark is None:
                entries[self.people[n].public_id] = Entry("", shown)
            else:
                entries[self.people[n].public_id] = Entry(
                    mark.presence.value, shown, mark.minutes, mark.note, mark.elsewhere
                )
        with unit_of_work():
            cohort = db.session.get_one(Cohort, self.cohort.id)
            outcome = services.record(
                cohort, key, entries, fill=fill, recorder_id=self.trainer.id, now=now
            )
        self.shown |= {(key, n): mark.stamp for n, mark in enumerate(marks) if mark}
        return outcome

    def noted(self, n: int) -> services.Note | None:
        """Return the note that counts for somebody on the first morning."""
        lines = services.get_sheet(self.cohort, "1am", now=AT).lines
        [note] = [line.note for line in lines if line.seat.person_id == self.people[n].id]
        return note


def lessons_of(person: Person, at: datetime) -> list[str]:
    """What the ledger says somebody attended."""
    found = competency.current()
    ledger = Ledger(found.standard, competency.rows_of_one(person.id, found), at)
    return [lesson for lesson in ("K1.T", "K4.T") if ledger.attended(lesson)]


def refs(person: Person) -> Sequence[str]:
    return db.session.scalars(
        select(Evidence.ref).where(Evidence.person_id == person.id).order_by(Evidence.id)
    ).all()


def test_only_changed_rows_are_added_and_the_newest_counts(app: Flask):
    room = Room()
    assert room.note("1am", "present", "late") == Outcome(2, frozenset())
    assert room.note("1am", "present", "absent", now=AT + timedelta(hours=1)).added == 1
    assert room.note("1am", "present", "absent").added == 0
    rows = db.session.scalars(select(Attendance).order_by(Attendance.id)).all()
    assert [row.presence for row in rows] == [Presence.PRESENT, Presence.LATE, Presence.ABSENT]
    sheet = services.get_sheet(room.cohort, "1am", now=AT)
    assert [line.note.presence for line in sheet.lines] == [Presence.PRESENT, Presence.ABSENT]
    assert [note.presence for note in sheet.lines[1].notes] == [Presence.LATE, Presence.ABSENT]
    note = room.noted(1)
    assert (note.by, note.at) == ("Wati Suharti", AT + timedelta(hours=1))


def test_the_rest_is_noted_as_present_and_what_was_noted_stays(app: Flask):
    room = Room(3)
    room.note("1am", "absent")
    assert room.note("1am", "", "late", fill=True).added == 2
    said = [room.noted(n).presence for n in range(3)]
    assert said == [Presence.ABSENT, Presence.LATE, Presence.PRESENT]


def test_an_untouched_row_never_undoes_what_a_colleague_noted(app: Flask):
    room = Room()
    room.note("1am", "present", "present")
    person = room.people[0]
    with unit_of_work():
        cohort = db.session.get_one(Cohort, room.cohort.id)
        entries = {person.public_id: Entry("absent", "present")}
        services.record(cohort, "1am", entries, fill=False, recorder_id=room.trainer.id, now=AT)
    assert room.note("1am", "present", "late") == Outcome(1, frozenset())
    assert room.noted(0).presence is Presence.ABSENT


def test_the_rest_does_not_include_whom_a_colleague_noted_in_the_meantime(app: Flask):
    room = Room()
    room.note("1am", "absent")
    room.shown.clear()  # a screen drawn before
    assert room.note("1am", fill=True) == Outcome(1, frozenset())


def test_two_different_choices_at_once_are_shown_to_the_second(app: Flask):
    room = Room()
    room.note("1am", "present")
    outcome = room.note("1am", "absent", "present", stale=True)
    assert outcome == Outcome(1, frozenset([room.people[0].id]))
    assert lessons_of(room.people[0], AT) == []
    assert room.noted(0).presence is Presence.PRESENT


def test_a_lesson_counts_when_every_half_day_of_it_was_attended(app: Flask):
    room = Room()
    evening = AT + timedelta(hours=9)
    room.note("1am", "present", "absent")
    assert lessons_of(room.people[0], evening) == []
    room.note("1pm", "late", "present", now=evening)
    assert lessons_of(room.people[0], evening) == ["K1.T"]
    assert lessons_of(room.people[1], evening) == []
    row = db.session.scalars(select(Evidence)).one()
    assert (row.kind, row.kuk, row.source, row.passed) == (EvidenceKind.HDR, "", "K1.T", True)
    assert row.group_key == f"cohort:{room.cohort.id}"
    assert row.assessor_id == room.trainer.id
    assert row.happened_at == datetime(2026, 3, 20, 5, 0, tzinfo=UTC)  # noon in WIB
    assert row.recorded_at == evening


def test_a_correction_takes_the_evidence_back_and_a_second_one_states_it_again(app: Flask):
    room = Room()
    person = room.people[0]
    room.note("2am", "present")
    room.note("2am", "absent")
    assert lessons_of(person, AT) == []
    reasons = db.session.scalars(select(EvidenceVoid.reason)).all()
    assert reasons == ["kehadiran dikoreksi: 2am"]
    room.note("2am", "late")
    room.note("2am", "present")
    assert lessons_of(person, AT) == ["K4.T"]
    room.note("2am", "absent")
    room.note("2am", ELSEWHERE)
    assert lessons_of(person, AT) == ["K4.T"]
    assert list(refs(person)) == ["K4.T/1", "K4.T/2", "K4.T/3"]
    assert db.session.scalar(select(func.count()).select_from(EvidenceVoid)) == 2


def test_a_lesson_made_up_elsewhere_is_dated_when_it_is_noted(app: Flask):
    room = Room()
    later = AT + timedelta(days=40)
    room.note("2am", ELSEWHERE, now=later)
    assert db.session.scalars(select(Evidence.happened_at)).one() == later


def test_a_list_noted_ahead_is_not_dated_in_the_future(app: Flask):
    room = Room()
    early = AT - timedelta(days=3)
    room.note("2am", "present", now=early)
    assert db.session.scalars(select(Evidence.happened_at)).one() == early


def test_a_half_day_without_a_lesson_states_nothing(app: Flask):
    room = Room()
    cohort = factories.cohort(
        timetable=[
            cohorts.Timetabled(
                day=1, half="am", position=1, title="Pembukaan", title_en="Opening", jp=0
            )
        ]
    )
    factories.seat(room.people[0], cohort)
    with unit_of_work():
        found = db.session.get_one(Cohort, cohort.id)
        entries = {room.people[0].public_id: Entry("present", "")}
        services.record(found, "1am", entries, fill=False, recorder_id=room.trainer.id, now=AT)
    assert list(refs(room.people[0])) == []


def test_the_sheet_opens_at_the_half_day_that_has_begun_by_the_clock_of_the_class(app: Flask):
    room = Room(zone="WIT")
    noon_in_wit = datetime(2026, 3, 20, 3, 0, tzinfo=UTC)
    assert services.get_sheet(room.cohort, None, now=noon_in_wit).half.half == Half(1, "pm")
    before = noon_in_wit - timedelta(minutes=1)
    assert services.get_sheet(room.cohort, None, now=before).half.half == Half(1, "am")
    assert services.halves_of(room.cohort) == {
        Half(1, "am"): date(2026, 3, 20),
        Half(1, "pm"): date(2026, 3, 20),
        Half(2, "am"): date(2026, 3, 21),
    }


def test_a_half_day_that_is_not_in_the_timetable_does_not_exist(app: Flask):
    room = Room()
    with pytest.raises(NotFound):
        services.get_sheet(room.cohort, "2pm", now=AT)
    with pytest.raises(NotFound), unit_of_work():
        services.record(room.cohort, "9am", {}, fill=True, recorder_id=room.trainer.id, now=AT)
    empty = factories.cohort(timetable=[])
    with pytest.raises(NotFound):
        services.get_sheet(empty, None, now=AT)


def test_somebody_of_another_class_is_not_noted_here(app: Flask):
    room, other = Room(), Room()
    room.people = other.people
    assert room.note("1am", "present", "present").added == 0


@pytest.mark.parametrize("people", [2, 12])
def test_the_number_of_queries_does_not_grow_with_the_class(app: Flask, people: int):
    room = Room(people)
    room.note("1am", fill=True)
    with counted() as seen:
        services.get_sheet(room.cohort, "1am", now=AT)
    assert len(seen) <= 9
    with counted() as seen:
        room.note("1pm", fill=True)
    assert len(seen) <= 16


@pytest.mark.both
def test_the_same_fact_is_in_the_ledger_once_on_both_databases(app: Flask):
    room = Room()
    room.note("2am", "present", "present")
    room.note("2am", "absent")
    room.note("2am", "present")
    room.note("1am", fill=True)
    assert list(refs(room.people[0])) == ["K4.T/1", "K4.T/2"]
    assert list(refs(room.people[1])) == ["K4.T/1"]
    assert lessons_of(room.people[0], AT) == ["K4.T"]


@pytest.mark.both
def test_two_trainers_who_save_at_once_note_everybody_once(bare_app: Flask):
    with bare_app.app_context():
        room = Room(3)
        cohort_id, trainer_id = room.cohort.id, room.trainer.id
    barrier, outcomes, failures = threading.Barrier(2), [], []

    def save() -> None:
        try:
            with bare_app.app_context():
                barrier.wait(5)
                with unit_of_work():
                    cohort = cohorts.get_cohort_by_id(cohort_id)
                    outcome = services.record(
                        cohort, "2am", {}, fill=True, recorder_id=trainer_id, now=AT
                    )
                outcomes.append(outcome)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=save) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(outcome.added for outcome in outcomes) == [0, 3]
    with bare_app.app_context():
        assert db.session.scalar(select(func.count()).select_from(Attendance)) == 3
        assert db.session.scalar(select(func.count()).select_from(Evidence)) == 3


def test_a_part_does_not_count_until_it_is_made_up(app: Flask):
    room = Room(1)
    person = room.people[0]
    part = Mark(Presence.PARTIAL, 45, "sesi 2")
    room.note("2am", part)
    assert lessons_of(person, AT) == []
    [line] = services.get_sheet(room.cohort, "2am", now=AT).lines
    assert line.note is not None
    assert line.note.mark == part
    room.note("2am", Mark(Presence.PARTIAL, 60, "sesi 2"))  # only the minutes were corrected
    [line] = services.get_sheet(room.cohort, "2am", now=AT).lines
    assert [note.mark.minutes for note in line.notes] == [45, 60]
    room.note("2am", ELSEWHERE)
    assert lessons_of(person, AT) == ["K4.T"]


def test_a_part_has_to_say_how_much_and_another_class_which(app: Flask):
    room = Room(1)
    for presence in (Presence.PARTIAL, Presence.MADE_UP):
        with pytest.raises(BadMark):
            room.note("2am", Mark(presence))
    assert refs(room.people[0]) == []
    assert db.session.scalar(select(func.count()).select_from(Attendance)) == 0


@pytest.mark.both
def test_it_is_made_up_only_in_a_class_where_the_same_part_was_attended(app: Flask):
    room, there, apart = Room(2), Room(0), Room(0)
    one, two = room.people
    for other in (there, apart):
        for person in room.people:
            factories.seat(person, other.cohort)
        other.people = room.people
    there.note("1am", "present", "absent")
    apart.note("2am", "late", "late")
    lines = services.get_sheet(room.cohort, "1am", now=AT).lines
    offered = {line.seat.person_id: [slug for slug, _name in line.elsewhere] for line in lines}
    assert offered == {one.id: [there.cohort.slug], two.id: []}
    mark = Mark(Presence.MADE_UP, elsewhere=there.cohort.slug)
    room.note("1am", mark)
    note = room.noted(0)
    assert note is not None
    assert (note.mark, note.elsewhere) == (mark, there.cohort.title)
    row = db.session.scalars(select(Attendance).order_by(Attendance.id.desc()).limit(1)).one()
    assert row.made_up_in_id == there.cohort.id
    for slug in (there.cohort.slug, apart.cohort.slug, "tidak-ada"):
        with pytest.raises(NotFound):
            room.note("1am", "", Mark(Presence.MADE_UP, elsewhere=slug))
    assert room.noted(1) is None


def test_a_note_is_taken_back_and_stays_to_be_read(app: Flask):
    room = Room(1)
    person = room.people[0]
    room.note("2am", "present")
    with unit_of_work():
        cohort = db.session.get_one(Cohort, room.cohort.id)
        assert services.undo(cohort, "2am", person.public_id, recorder_id=room.trainer.id, now=AT)
    sheet = services.get_sheet(room.cohort, "2am", now=AT)
    assert sheet.lines[0].note is None
    assert [note.presence for note in sheet.lines[0].notes] == [Presence.PRESENT, Presence.CLEARED]
    assert sheet.half.noted == 0
    assert lessons_of(person, AT) == []
    with unit_of_work():
        cohort = db.session.get_one(Cohort, room.cohort.id)
        trainer = room.trainer.id
        assert not services.undo(cohort, "2am", person.public_id, recorder_id=trainer, now=AT)
    room.shown.clear()
    assert room.note("2am", "present").added == 1  # nothing stands there now
    assert lessons_of(person, AT) == ["K4.T"]


def test_nobody_takes_back_what_is_noted_about_themselves(app: Flask):
    room = Room(1)
    room.note("2am", "absent")
    with unit_of_work():
        cohort = db.session.get_one(Cohort, room.cohort.id)
        person = room.people[0]
        with pytest.raises(NotFound):
            services.undo(cohort, "2am", person.public_id, recorder_id=person.id, now=AT)
    assert services.get_sheet(room.cohort, "2am", now=AT).lines[0].note is not None


@pytest.mark.both
def test_a_list_of_many_comes_in_pages_and_counts_all(app: Flask):
    room = Room(52)
    room.note("1am", *["present"] * 51)
    first = services.get_sheet(room.cohort, "1am", now=AT)
    assert (len(first.lines), first.first, first.pages, first.total) == (50, 1, 2, 52)
    assert first.half.counts == {Presence.PRESENT: 51}
    second = services.get_sheet(room.cohort, "1am", now=AT, page=2)
    assert [line.seat.name for line in second.lines] == ["Peserta 050", "Peserta 051"]
    assert [line.note is None for line in second.lines] == [False, True]
    for number in (0, 3):
        with pytest.raises(NotFound):
            services.get_sheet(room.cohort, "1am", now=AT, page=number)


def test_the_rest_of_a_page_does_not_reach_the_next_one(app: Flask):
    room = Room(3)
    with unit_of_work():
        cohort = db.session.get_one(Cohort, room.cohort.id)
        only = {person.public_id for person in room.people[:2]}
        outcome = services.record(
            cohort, "1am", {}, fill=True, recorder_id=room.trainer.id, now=AT, only=only,
            way=Way.SHEET,
        )  # fmt: skip
    assert outcome.added == 2
    assert room.noted(2) is None
    note = room.noted(0)
    assert note is not None
    assert note.way is Way.SHEET
