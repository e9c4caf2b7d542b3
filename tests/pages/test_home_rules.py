"""What is next: the pure rule."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.pages.rules import (
    DOABLE,
    SITTINGS,
    WAITING,
    Course,
    Lesson,
    Next,
    PartOfDay,
    Standing,
    Step,
    What,
    next_step,
    part_of_day,
    practice_due,
    share_out,
    short_name,
    steps,
)

AT = datetime(2026, 3, 3, 8, tzinfo=UTC)
READ = (Lesson("K1.1", True), Lesson("K1.2", True, ("S1",)))
TASKS = (What.SIMULATION, What.QUIZ, What.CASE)


def task(what: What, standing: Standing, code: str = "X") -> Step:
    return Step(what=what, curriculum="K1", code=code, standing=standing)


def brief(found: Next | None) -> tuple[str, str, str]:
    assert found is not None
    return found.step.what.value, found.step.code, found.step.standing.value


def test_nothing_is_next_without_a_curriculum():
    assert next_step([]) is None
    assert next_step([Course(code="K1", lessons=())]) is None


def test_the_way_through_one_curriculum():
    """Each step is done in turn; the next one follows."""
    course = Course(
        code="K1",
        lessons=(Lesson("K1.1", False, ("S1",)), Lesson("K1.2", False)),
        untried=frozenset({"S1"}),
        tasks=(
            task(What.SIMULATION, Standing.READY, "S1"),
            task(What.QUIZ, Standing.READY, "K1"),
            task(What.CASE, Standing.READY, "SK1"),
        ),
        meetings=("K1.T",),
        observed=False,
    )
    assert brief(next_step([course])) == ("lesson", "K1.1", "ready")
    course = replace(course, lessons=(Lesson("K1.1", True, ("S1",)), Lesson("K1.2", False)))
    assert brief(next_step([course])) == ("practice", "S1", "ready")
    course = replace(course, untried=frozenset())
    assert brief(next_step([course])) == ("lesson", "K1.2", "ready")
    course = replace(course, lessons=READ)
    assert brief(next_step([course])) == ("simulation", "S1", "ready")
    course = replace(course, tasks=course.tasks[1:])
    assert brief(next_step([course])) == ("quiz", "K1", "ready")
    course = replace(course, tasks=course.tasks[1:])
    assert brief(next_step([course])) == ("case", "SK1", "ready")
    course = replace(course, tasks=())
    assert brief(next_step([course])) == ("meeting", "K1.T", "people")
    course = replace(course, meetings=())
    assert brief(next_step([course])) == ("observation", "K1", "people")
    course = replace(course, observed=True, met=True)
    assert brief(next_step([course])) == ("decision", "K1", "people")
    course = replace(course, certified="K1")
    assert brief(next_step([course])) == ("certificate", "K1", "done")


def test_a_sitting_that_was_begun_comes_before_everything():
    course = Course(
        code="K1",
        lessons=(Lesson("K1.1", False),),
        tasks=(
            task(What.SIMULATION, Standing.READY, "S1"),
            task(What.QUIZ, Standing.RUNNING, "K1"),
        ),
    )
    assert brief(next_step([course])) == ("quiz", "K1", "running")


def test_a_draft_waits_for_the_lessons():
    course = Course(
        code="K1",
        lessons=(Lesson("K1.1", False),),
        tasks=(task(What.CASE, Standing.RUNNING, "SK1"),),
    )
    assert brief(next_step([course])) == ("lesson", "K1.1", "ready")


def test_what_waits_does_not_hold_up_what_can_be_done():
    course = Course(
        code="K1",
        lessons=READ,
        tasks=(
            replace(task(What.SIMULATION, Standing.WAIT, "S2"), at=AT),
            task(What.QUIZ, Standing.COACHING, "K1"),
            task(What.CASE, Standing.AGAIN, "SK1"),
        ),
    )
    found = next_step([course])
    assert brief(found) == ("case", "SK1", "again")
    assert found is not None
    assert [step.what.value for step in found.waiting] == ["simulation", "quiz"]


def test_when_nothing_can_be_done_the_first_wait_is_said():
    course = Course(code="K1", lessons=READ, tasks=(task(What.CASE, Standing.MARKING, "SK1"),))
    found = next_step([course])
    assert brief(found) == ("case", "SK1", "marking")
    assert found is not None
    assert found.waiting == ()


def test_a_new_curriculum_comes_before_the_certificate_of_another():
    done = Course(code="K1", lessons=READ, certified="K1")
    following = Course(code="K2", lessons=(Lesson("K2.1", False),))
    assert brief(next_step([done, following])) == ("lesson", "K2.1", "ready")
    waiting = Course(code="K2", lessons=(), meetings=("K2.T",))
    assert brief(next_step([done, waiting])) == ("meeting", "K2.T", "people")


def test_a_certificate_is_named_by_its_scheme():
    courses = [Course(code=code, lessons=READ, certified="PENDAMPING") for code in ("K1", "K2")]
    assert brief(next_step(courses)) == ("certificate", "PENDAMPING", "done")


def both(standing: Standing, *, learned: tuple[bool, bool] = (True, True)) -> list[Course]:
    """Return two curricula that share a simulation; the second one is learned later, or not."""
    return [
        Course(
            code=code,
            lessons=(Lesson(f"{code}.1", done),),
            tasks=(replace(task(What.SIMULATION, standing, "S2"), curriculum=code),),
        )
        for code, done in zip(("K1", "K2"), learned, strict=True)
    ]


def owners(courses: list[Course]) -> list[str]:
    return [step.curriculum for course in share_out(courses) for step in course.tasks]


@pytest.mark.parametrize(
    ("standing", "learned", "owner"),
    [
        (Standing.READY, (True, True), "K2"),
        (Standing.READY, (True, False), "K2"),
        (Standing.RUNNING, (True, True), "K1"),
        (Standing.WAIT, (False, False), "K1"),
        (Standing.AGAIN, (True, False), "K1"),
        (Standing.AGAIN, (False, True), "K2"),
    ],
)
def test_what_several_curricula_share_stands_in_one_of_them(
    standing: Standing, learned: tuple[bool, bool], owner: str
):
    assert owners(both(standing, learned=learned)) == [owner]


def test_a_shared_simulation_is_suggested_when_the_lessons_of_all_are_behind():
    early = next_step(both(Standing.READY, learned=(True, False)))
    assert brief(early) == ("lesson", "K2.1", "ready")
    assert brief(next_step(both(Standing.READY))) == ("simulation", "S2", "ready")


def test_what_waits_in_several_curricula_is_said_once():
    found = next_step([*both(Standing.WAIT), Course(code="K3", lessons=(Lesson("K3.1", False),))])
    assert brief(found) == ("lesson", "K3.1", "ready")
    assert found is not None
    assert [step.code for step in found.waiting] == ["S2"]


def test_a_curriculum_that_is_decided_leaves_the_rest_to_the_others():
    first, second = both(Standing.READY)
    assert owners([first, replace(second, met=True)])[0] == "K1"
    assert owners([replace(first, certified="K1"), second])[-1] == "K2"
    assert brief(next_step([first, replace(second, met=True)])) == ("simulation", "S2", "ready")


def test_practice_is_offered_for_the_lesson_finished_farthest_on():
    early = (Lesson("K1.1", True, ("S1",)), Lesson("K1.2", True, ("S2",)), Lesson("K1.3", False))
    course = Course(code="K1", lessons=early, untried=frozenset({"S1", "S2"}))
    assert practice_due(course) == ("S2",)
    assert practice_due(replace(course, untried=frozenset({"S1"}))) == ()
    assert practice_due(replace(course, lessons=(Lesson("K1.1", False, ("S1",)),))) == ()


def test_a_beginning_comes_after_the_lessons():
    course = Course(
        code="K1",
        lessons=(Lesson("K1.1", False),),
        tasks=tuple(task(What.QUIZ, standing) for standing in Standing),
    )
    said = [step.standing for step in steps(course) if step.what is What.QUIZ]
    assert Standing.READY not in said
    assert Standing.AGAIN not in said
    assert len(said) == len(Standing) - 2


LESSONS = st.lists(
    st.builds(Lesson, st.sampled_from("abc"), st.booleans(), st.sampled_from([(), ("S1",)])),
    max_size=4,
).map(tuple)
STEPS = st.lists(
    st.builds(
        task, st.sampled_from(TASKS), st.sampled_from([*DOABLE, *WAITING]), st.sampled_from("xy")
    ),
    max_size=4,
).map(tuple)
COURSES = st.lists(
    st.builds(
        Course,
        code=st.sampled_from(["K1", "K2"]),
        lessons=LESSONS,
        untried=st.sampled_from([frozenset(), frozenset({"S1"})]),
        tasks=STEPS,
        meetings=st.sampled_from([(), ("K1.T",)]),
        observed=st.booleans(),
        met=st.booleans(),
        certified=st.sampled_from(["", "K1", "PENDAMPING"]),
        lacks=st.sampled_from(["", "PENDAMPING"]),
    ),
    max_size=3,
)


@given(COURSES)
def test_one_thing_is_next_whenever_anything_is_open(courses: list[Course]):
    everything = [step for course in share_out(courses) for step in steps(course)]
    found = next_step(courses)
    assert (found is None) is (not everything)
    if found is None:
        return
    assert found.step in everything
    doable = [step for step in everything if step.is_doable]
    assert found.step.is_doable is bool(doable)
    if any(step.what in SITTINGS and step.standing is Standing.RUNNING for step in everything):
        assert found.step.standing is Standing.RUNNING
    if any(step.standing is not Standing.DONE for step in everything):
        assert found.step.what is not What.CERTIFICATE
    assert all(step.standing in WAITING and not step.is_doable for step in found.waiting)
    waits = sum(step.standing in WAITING for step in everything)
    assert len(found.waiting) == waits - (found.step.standing in WAITING)


@given(COURSES)
def test_what_is_finished_is_never_next(courses: list[Course]):
    for course in courses:
        said = list(steps(course))
        undone = {lesson.code for lesson in course.lessons if not lesson.done}
        assert {step.code for step in said if step.what is What.LESSON} <= undone
        if course.certified:
            assert [step.what for step in said] == [What.CERTIFICATE]
        if course.met and not course.certified:
            kind = What.BEFORE if course.lacks else What.DECISION
            assert [step.what for step in said] == [kind]


@given(COURSES)
def test_finishing_lessons_in_order_reaches_the_end_of_them(courses: list[Course]):
    """Doing the lesson that is next takes it away; no lesson comes back."""
    for course in courses:
        seen: list[str] = []
        now = replace(course, tasks=(), untried=frozenset())
        names = tuple(replace(lesson, code=f"{n}") for n, lesson in enumerate(course.lessons))
        now = replace(now, lessons=names)
        while (found := next_step([now])) and found.step.what is What.LESSON:
            assert found.step.code not in seen
            seen.append(found.step.code)
            now = replace(
                now,
                lessons=tuple(
                    replace(lesson, done=lesson.done or lesson.code == found.step.code)
                    for lesson in now.lessons
                ),
            )
        assert len(seen) <= len(course.lessons)


@pytest.mark.parametrize(
    ("hour", "part"),
    [
        (0, "evening"), (2, "evening"), (3, "morning"), (10, "morning"), (11, "noon"),
        (14, "noon"), (15, "afternoon"), (17, "afternoon"), (18, "evening"), (23, "evening"),
    ],
)  # fmt: skip
def test_the_day_is_greeted_as_in_indonesia(hour: int, part: str):
    assert part_of_day(hour) is PartOfDay(part)


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Rahma Yuliani", "Rahma"),
        ("Ibu Wati", "Ibu Wati"),
        ("dr. Hj. Sri Rejeki", "dr. Hj. Sri"),
        ("Sukarno", "Sukarno"),
        ("Ibu", "Ibu"),
        ("", ""),
    ],
)
def test_people_are_called_by_their_first_name(name: str, short: str):
    assert short_name(name) == short
