"""Timetables and drafts: on both databases where one of them decides."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from lms.cohorts import invitations, services
from lms.cohorts import planning as timetables
from lms.cohorts.models import (
    ClassSession,
    ClassState,
    Cohort,
    CohortCurriculum,
    Part,
)
from lms.cohorts.timetable import pattern
from lms.cohorts.timetables import rules
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.login import Viewer
from lms.core.models import AuditEvent
from tests import factories
from tests.races import race

NOW = factories.NOW
"""Before the class of the factories begins."""
LATER = datetime(2026, 3, 20, 1, 0, tzinfo=UTC)
"""On the first morning of it."""


def change(now: datetime = NOW, reason: str = "") -> timetables.Change:
    return timetables.Change(actor_id=1, now=now, reason=reason)


def data(title: str = "Acara", day: int = 1, half: str = "am", **values: object):
    wanted = {"day": day, "half": half, "title": title, "title_en": title, "jp": 1}
    return timetables.EntryData(**(wanted | values))


def act(cohort_id: int, what: Callable[..., object], *args: object) -> object:
    with unit_of_work():
        found = what(services.get_cohort_by_id(cohort_id), *args)
        return found.id if isinstance(found, ClassSession) else found


def shown(cohort_id: int) -> list[tuple[str, int, str, int]]:
    db.session.rollback()
    return [
        (one.title, one.day, one.half, one.position) for one in services.list_sessions(cohort_id)
    ]


def ids(cohort_id: int) -> list[int]:
    return [one.id for one in services.list_sessions(cohort_id)]


@pytest.fixture
def place(app: Flask) -> int:
    factories.person("admin")
    return factories.cohort().id


START = [
    ("Pembukaan", 1, "am", 1),
    ("Lokakarya", 1, "am", 2),
    ("Uji observasi", 2, "pm", 1),
]


@pytest.mark.both
def test_entries_are_added_moved_taken_out_and_put_back(place: int):
    first, second, third = ids(place)
    added = act(place, timetables.add_entry, data("Doa"), change())
    assert shown(place)[2] == ("Doa", 1, "am", 3)
    act(place, timetables.move_entry, added, -1, change())
    act(place, timetables.move_entry, added, -1, change())
    assert [one[0] for one in shown(place)] == ["Doa", "Pembukaan", "Lokakarya", "Uji observasi"]
    act(place, timetables.move_entry, second, 1, change())
    assert ("Lokakarya", 1, "pm", 1) in shown(place)
    act(place, timetables.remove_entry, first, change())
    assert [(one[0], one[3]) for one in shown(place) if one[1:3] == (1, "am")] == [("Doa", 1)]
    act(place, timetables.restore_entry, first, change())
    assert shown(place)[:2] == [("Doa", 1, "am", 1), ("Pembukaan", 1, "am", 2)]
    for again in (first, third, 999):
        with pytest.raises(NotFound):
            act(place, timetables.restore_entry, again, change())
    with pytest.raises(rules.CannotMove):
        act(place, timetables.move_entry, third, 1, change())
    assert [event.detail["act"] for event in events()] == [
        "add", "move", "move", "move", "remove", "restore",
    ]  # fmt: skip


def events() -> list[AuditEvent]:
    query = select(AuditEvent).where(AuditEvent.action == "cohorts.timetable")
    return list(db.session.scalars(query.order_by(AuditEvent.id)))


@pytest.mark.both
def test_an_entry_is_changed_in_place_and_becomes_the_last_of_another_half_day(place: int):
    first, second, _third = ids(place)
    new = data("Lokakarya baru", jp=3, begins=time(9), ends=time(10, 30), lesson_code="K1.T")
    act(place, timetables.change_entry, second, new, change())
    assert shown(place)[1] == ("Lokakarya baru", 1, "am", 2)
    moved = data("Lokakarya baru", day=2, half="pm", jp=3, lesson_code="K1.T")
    act(place, timetables.change_entry, second, moved, change())
    assert shown(place) == [
        ("Pembukaan", 1, "am", 1), ("Uji observasi", 2, "pm", 1), ("Lokakarya baru", 2, "pm", 2),
    ]  # fmt: skip
    entry = timetables.get_entry(place, second)
    assert (entry.jp, entry.begins, entry.lesson_code) == (3, None, "K1.T")
    changed = events()[-1].detail["changed"]
    assert changed["begins"] == ["09.00", None]
    assert changed["day"] == [1, 2]
    before = len(events())
    act(place, timetables.change_entry, second, moved, change())
    assert len(events()) == before
    for missing in (999, ids(factories.cohort().id)[0]):
        with pytest.raises(NotFound):
            act(place, timetables.change_entry, missing, moved, change())
    with pytest.raises(NotFound):
        act(place, timetables.change_entry, first, data(day=3), change())
    with pytest.raises(NotFound):
        act(place, timetables.add_entry, data(day=3), change())


@pytest.mark.both
def test_two_who_add_an_entry_at_the_same_place_both_find_room(bare_app: Flask):
    with bare_app.app_context():
        factories.person("admin")
        place = factories.cohort().id

    def add(title: str) -> object:
        return act(place, timetables.add_entry, data(title, 2, "am"), change())

    results = race(bare_app, [lambda n=n: add(f"Acara {n}") for n in range(4)])
    assert all(isinstance(one, int) for one in results), results
    with bare_app.app_context():
        found = [one[3] for one in shown(place) if one[1:3] == (2, "am")]
        assert found == [1, 2, 3, 4]


@pytest.mark.both
def test_moves_and_removals_at_once_leave_a_timetable_in_order(bare_app: Flask):
    with bare_app.app_context():
        factories.person("admin")
        place = factories.cohort().id
        first, second, third = ids(place)
    results = race(
        bare_app,
        [
            lambda: act(place, timetables.move_entry, first, 1, change()),
            lambda: act(place, timetables.move_entry, second, -1, change()),
            lambda: act(place, timetables.remove_entry, third, change()),
            lambda: act(place, timetables.add_entry, data("Penutup", 2, "pm"), change()),
        ],
    )
    assert [one for one in results if isinstance(one, Exception)] in (
        [],
        *[[one] for one in results if isinstance(one, rules.CannotMove)],
    )
    with bare_app.app_context():
        counted: dict[tuple[int, str], int] = {}
        for _title, day, half, position in shown(place):
            counted[day, half] = counted.get((day, half), 0) + 1
            assert position == counted[day, half]
        assert {one[0] for one in shown(place)} == {"Pembukaan", "Lokakarya", "Penutup"}


@pytest.mark.both
def test_the_database_keeps_a_place_for_one_entry(place: int):
    taken = services.list_sessions(place)[0]
    values = {"cohort_id": place, "title": "x", "title_en": "x", "jp": 0}
    with pytest.raises(IntegrityError), unit_of_work():
        db.session.add(
            ClassSession(day=taken.day, half=taken.half, position=taken.position, **values)
        )


def test_once_the_class_has_begun_a_change_needs_a_reason(place: int):
    first, second, _third = ids(place)
    evening_before = LATER - timedelta(hours=9)
    act(place, timetables.move_entry, second, -1, change(evening_before))
    attempts = [
        lambda c: act(place, timetables.move_entry, first, -1, c),
        lambda c: act(place, timetables.remove_entry, first, c),
        lambda c: act(place, timetables.restore_entry, first, c),
        lambda c: act(place, timetables.add_entry, data(), c),
        lambda c: act(place, timetables.change_entry, second, data("Lain"), c),
    ]
    for attempt in attempts:
        before = shown(place)
        with pytest.raises(timetables.ReasonNeeded):
            attempt(change(LATER))
        assert shown(place) == before
        attempt(change(LATER, "Pelatih sakit"))
    assert all(event.detail["reason"] == "Pelatih sakit" for event in events()[1:])
    assert "reason" not in events()[0].detail


def test_a_timetable_is_bounded(place: int):
    for number in range(rules.MOST_ENTRIES - 3):
        act(place, timetables.add_entry, data(f"Acara {number}"), change())
    with pytest.raises(timetables.TooManyEntries):
        act(place, timetables.add_entry, data("Satu lagi"), change())
    first = ids(place)[0]
    act(place, timetables.remove_entry, first, change())
    act(place, timetables.add_entry, data("Satu lagi"), change())
    with pytest.raises(timetables.TooManyEntries):
        act(place, timetables.restore_entry, first, change())


def test_an_entry_that_comes_back_to_a_shortened_class_stands_on_its_last_day(place: int):
    last = ids(place)[2]
    act(place, timetables.remove_entry, last, change())
    with unit_of_work():
        services.get_cohort_by_id(place).ends_on = date(2026, 3, 20)
    act(place, timetables.restore_entry, last, change())
    assert ("Uji observasi", 1, "pm", 1) in shown(place)


def test_a_plan_has_days_halves_sums_and_remarks(place: int):
    cohort = services.get_cohort_by_id(place)
    plan = timetables.read_plan(cohort)
    assert [(day.number, day.jp, day.is_outside) for day in plan.days] == [
        (1, 2, False), (2, 4, False),
    ]  # fmt: skip
    assert [len(half.entries) for day in plan.days for half in day.halves] == [2, 0, 0, 1]
    assert (plan.sums.total, plan.sums.lessons) == (6, 2)
    assert [one.lesson for one in plan.differences] == ["K2.T", "K3.T", "K4.T", "K5.T"]
    with unit_of_work():
        services.set_curricula(place, {"K1": "abc"}, actor_id=1, now=NOW)
        services.get_cohort_by_id(place).ends_on = date(2026, 3, 20)
    plan = timetables.read_plan(services.get_cohort_by_id(place))
    assert plan.differences == ()
    assert [day.is_outside for day in plan.days] == [False, True]


def test_a_speaker_of_an_entry_is_a_guest_of_the_class(place: int):
    speaker, trainer = factories.person("speaker"), factories.person("trainer")
    cohort = services.get_cohort_by_id(place)
    factories.staff(speaker, cohort, Part.SPEAKER)
    factories.staff(trainer, cohort)
    assert timetables.find_speaker(place, speaker.public_id) == speaker.id
    assert timetables.find_speaker(place, "") is None
    for other in (trainer.public_id, factories.person("speaker").public_id):
        with pytest.raises(NotFound):
            timetables.find_speaker(place, other)


# Drafts


def draft(**values: object) -> Cohort:
    return factories.cohort(state=ClassState.DRAFT, **values)


def viewer(*roles: str) -> Viewer:
    return Viewer(factories.person(*roles).id, "x", "x", frozenset(roles), "id", "t")


def test_nobody_gets_into_a_draft_and_only_administrators_see_it(app: Flask):
    one, other = draft(), factories.cohort()
    someone, sender = factories.person("trainer", "trainee").id, factories.organisation().id
    admin = viewer("admin")

    def invite(cohort_id: int) -> None:
        invitations.invite(
            email="maria@contoh.test",
            name="Maria",
            roles=["trainer"],
            cohort_id=cohort_id,
            organisation_id=None,
            created_by=admin.id,
            base_url="http://127.0.0.1",
            subject="x",
            body="{link}",
            now=NOW,
        )

    for cohort, opens in ((one, False), (other, True)):
        attempts = [
            lambda found=cohort.id: services.enrol(someone, found, sender, now=NOW),
            lambda found=cohort.id: services.add_staff(someone, found, Part.TRAINER),
            lambda found=cohort.id: invite(found),
            lambda found=cohort.slug: services.get_cohort_to_invite(found, admin),
        ]
        for attempt in attempts:
            if opens:
                with unit_of_work():
                    attempt()
            else:
                with pytest.raises(services.NotOpen), unit_of_work():
                    attempt()
    assert [found.slug for found in services.list_cohorts(admin)] == [other.slug]
    assert [found.cohort.slug for found in services.list_own_classes(admin, now=NOW)] == [
        other.slug
    ]
    assert {line.slug: line.is_draft for line in services.list_cohort_lines()} == {
        one.slug: True, other.slug: False,
    }  # fmt: skip
    assert services.get_cohort(one.slug, admin).id == one.id
    with pytest.raises(NotFound):
        services.get_cohort(one.slug, viewer("trainer"))


@pytest.mark.both
def test_a_draft_opens_once_or_is_thrown_away(bare_app: Flask):
    with bare_app.app_context():
        admin, found = factories.person("admin").id, draft()
        place, slug = found.id, found.slug
        with unit_of_work():
            services.set_curricula(place, {"K1": "abc"}, actor_id=admin, now=NOW)

    def open_it() -> object:
        with unit_of_work():
            return services.open_cohort(place, actor_id=admin, now=NOW)

    def discard() -> object:
        with unit_of_work():
            return services.discard_draft(place, actor_id=admin, now=NOW)

    results = race(bare_app, [open_it, open_it, discard])
    with bare_app.app_context():
        there = db.session.scalar(select(Cohort).where(Cohort.slug == slug))
        if there is None:
            assert results == [False, False, None]
            assert db.session.scalars(select(CohortCurriculum)).all() == []
        else:
            assert sorted(map(str, results[:2])) == ["False", "True"]
            assert isinstance(results[2], NotFound)
            assert (there.state, there.opened_at) == (ClassState.OPEN, NOW)


@pytest.mark.both
def test_the_days_of_a_class_are_not_cut_while_its_timetable_uses_them(place: int):
    before = services.get_cohort_by_id(place)
    values = {name: getattr(before, name) for name in services.ClassData.__dataclass_fields__}

    def shorten() -> None:
        with unit_of_work():
            services.update_cohort(
                services.get_cohort_by_id(place),
                services.ClassData(**(values | {"ends_on": before.starts_on})),
                actor_id=1,
                now=NOW,
            )

    values_before = shown(place)
    with pytest.raises(services.StillUsed) as caught:
        shorten()
    assert caught.value.day == 2
    assert shown(place) == values_before
    act(place, timetables.remove_entry, ids(place)[2], change())
    before = services.get_cohort_by_id(place)
    shorten()
    assert services.get_cohort_by_id(place).ends_on == date(2026, 3, 20)
    newest = db.session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc())).first()
    assert newest is not None
    assert newest.detail == {"changed": ["ends_on"]}


def test_a_class_of_one_day_begins_with_the_first_day_of_the_pattern(app: Flask):
    assert {entry.day for entry in timetables.fill(1)} == {1}
    assert timetables.fill(5) == pattern()


def test_a_lesson_and_a_talk_are_held_on_the_last_day_when_the_class_pauses(app: Flask):
    """Friday and Monday: day 2 is Monday."""
    where = factories.cohort(starts_on=date(2026, 3, 20), ends_on=date(2026, 3, 23))
    speaker, learner = factories.person("speaker"), factories.person()
    factories.staff(speaker, where, Part.SPEAKER)
    factories.seat(learner, where)
    with unit_of_work():
        last = services.list_sessions(where.id)[2]
        last.speaker_id, last.lesson_code = speaker.id, "K3.T"
    assert [talk.on for talk in services.list_talks(speaker.id, now=NOW)] == [date(2026, 3, 23)]
    met = services.find_lesson_session(learner.id, "K3.T")
    assert met is not None
    assert met.on == date(2026, 3, 23)
    with unit_of_work():
        services.list_sessions(where.id)[2].removed_at = NOW
    assert services.list_talks(speaker.id, now=NOW) == []
    assert services.find_lesson_session(learner.id, "K3.T") is None
