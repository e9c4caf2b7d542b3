"""Half days, lessons and changes, without Flask or a database."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.core.clock import ZONES
from lms.practice.attendance import rules
from lms.practice.attendance.rules import (
    ALPHABET,
    LENGTH,
    BadMark,
    Change,
    Half,
    Mark,
    Presence,
    Standing,
    attended,
    change,
    check_mark,
    checked_in,
    code_at,
    covers,
    fits,
    held_on,
    is_open,
    lesson_halves,
    newest_begun,
    normal_code,
    read_letter,
    seconds_left,
    shared_devices,
    standing,
    step_of,
    written,
)

AM1, PM1, AM2, PM2 = Half(1, "am"), Half(1, "pm"), Half(2, "am"), Half(2, "pm")
START = datetime(2026, 3, 20, tzinfo=ZONES["WIB"])
NOTES = st.sampled_from(["", "present", "late", "absent", "made_up"])


def test_a_lesson_that_goes_over_noon_needs_both_halves():
    lessons = lesson_halves([(AM1, "K1.T"), (AM1, None), (PM1, "K1.T"), (PM1, "K4.T")])
    assert lessons == {"K1.T": {AM1, PM1}, "K4.T": {PM1}}
    assert attended(lessons, [PM1]) == {"K4.T"}
    assert attended(lessons, [PM1, AM1]) == {"K1.T", "K4.T"}
    assert attended(lessons, []) == frozenset()


@given(NOTES, NOTES, NOTES)
def test_only_a_touched_row_is_noted_and_never_over_a_colleague(chosen, shown, newest):
    found = change(chosen, shown, newest)
    if found is Change.APPEND:
        assert chosen not in ("", newest)
        assert shown == newest
    elif found is Change.OVERTAKEN:
        assert newest not in (shown, chosen)
        assert chosen not in ("", shown)
    else:
        assert chosen in ("", shown, newest)


def test_the_first_and_the_last_day_are_known_and_days_between_follow_the_first():
    start, end = date(2026, 3, 20), date(2026, 3, 28)
    assert [held_on(Half(n, "am"), 3, start, end).day for n in (1, 2, 3)] == [20, 21, 28]
    assert held_on(AM1, 1, start, end) == start
    assert held_on(Half(3, "am"), 9, start, date(2026, 3, 21)) == date(2026, 3, 21)


@pytest.mark.parametrize(
    ("day", "hour", "expected"),
    [(19, 23, AM1), (20, 0, AM1), (20, 11, AM1), (20, 12, PM1), (21, 9, AM2), (30, 3, PM2)],
)
def test_the_list_that_opens_is_the_newest_half_day_that_has_begun(day, hour, expected):
    days = {AM1: date(2026, 3, 20), PM1: date(2026, 3, 20)}
    days |= {AM2: date(2026, 3, 21), PM2: date(2026, 3, 21)}
    local = datetime(2026, 3, day, hour, 30, tzinfo=ZONES["WITA"])
    assert newest_begun(days, local) == expected


@given(
    st.dictionaries(
        st.builds(Half, st.integers(1, 3), st.sampled_from(["am", "pm"])),
        st.integers(0, 5).map(lambda n: date(2026, 3, 20) + timedelta(days=n)),
        min_size=1,
    ),
    st.integers(-40, 200).map(lambda hours: START + timedelta(hours=hours)),
)
def test_some_half_day_always_opens(days, local):
    assert newest_begun(days, local) in days


def test_a_half_day_has_a_name_for_addresses():
    assert PM2.key == "2pm"


MARKS = st.builds(
    Mark,
    st.sampled_from(Presence),
    st.none() | st.integers(1, 480),
    st.text(max_size=20),
    st.sampled_from(["", "kelas-a", "kelas-b"]),
)


def test_a_part_alone_does_not_count():
    assert {presence for presence in Presence if presence.counts} == {
        Presence.PRESENT, Presence.LATE, Presence.MADE_UP,
    }  # fmt: skip


@given(MARKS)
def test_a_checked_mark_says_enough_and_nothing_that_does_not_belong_to_it(mark):
    is_part, is_elsewhere = (mark.presence is one for one in (Presence.PARTIAL, Presence.MADE_UP))
    if is_part and mark.minutes is None and not mark.note:
        with pytest.raises(BadMark, match="minutes"):
            check_mark(mark)
        return
    if is_elsewhere and not mark.elsewhere and len(mark.note) < 5:
        with pytest.raises(BadMark, match="elsewhere"):
            check_mark(mark)
        return
    found = check_mark(mark)
    assert found.presence is mark.presence
    assert check_mark(found) == found
    if mark.presence not in (Presence.PARTIAL, Presence.MADE_UP):
        assert found == Mark(mark.presence)


@pytest.mark.parametrize("minutes", [0, -1, 481])
def test_minutes_of_a_part_are_those_of_a_half_day(minutes):
    with pytest.raises(BadMark):
        check_mark(Mark(Presence.PARTIAL, minutes, "sesi 2"))
    assert check_mark(Mark(Presence.PARTIAL, 480)).minutes == 480


@given(MARKS, MARKS)
def test_marks_that_differ_have_stamps_that_differ(one, other):
    assert (one.stamp == other.stamp) is (one == other)
    assert one.stamp.partition(":")[0] == one.presence.value


def test_a_mark_without_details_is_stamped_with_its_word():
    assert Mark(Presence.LATE).stamp == "late"
    assert Mark(Presence.PARTIAL, 45).stamp.startswith("partial:")


@pytest.mark.parametrize(
    ("typed", "mark"),
    [
        ("h", Mark(Presence.PRESENT)),
        (" T ", Mark(Presence.LATE)),
        ("l", Mark(Presence.LATE)),
        ("a", Mark(Presence.ABSENT)),
        ("s45", Mark(Presence.PARTIAL, 45)),
        ("S 120", Mark(Presence.PARTIAL, 120)),
        ("", None),
        ("   ", None),
    ],
)
def test_letters_are_read_as_they_are_written_on_paper(typed, mark):
    assert read_letter(typed) == mark
    if mark is not None:
        assert read_letter(written(mark)) == mark


@pytest.mark.parametrize("typed", ["x", "hh", "h5", "s", "s0", "s481", "s9999", "5", "hadir", "ſ"])
def test_other_letters_are_refused(typed):
    with pytest.raises(BadMark):
        read_letter(typed)


def test_what_paper_cannot_say_is_written_as_nothing():
    assert written(Mark(Presence.MADE_UP, note="Bontang, cuti")) == ""
    assert written(Mark(Presence.PARTIAL, 45, "sesi 2")) == ""
    assert written(Mark(Presence.PARTIAL, note="sesi 2")) == ""


def test_another_class_makes_up_for_the_same_part_or_the_whole_lesson():
    there = {"K1.T": frozenset({AM1}), "K4.T": frozenset({PM1, AM2})}
    assert covers({"K1.T"}, PM2, there, {AM1})  # at another time, as a whole
    assert covers({"K4.T"}, PM1, there, {PM1})  # the same part
    assert not covers({"K4.T"}, PM2, there, {PM1})  # some other part
    assert covers({"K4.T"}, PM2, there, {PM1, AM2})
    assert not covers({"K1.T", "K4.T"}, AM1, there, {AM1})
    assert not covers({"K9.T"}, AM1, there, {AM1, PM1, AM2})
    assert covers(frozenset(), PM2, there, {PM2})  # nothing is taught: the same half day
    assert not covers(frozenset(), PM2, there, {AM1})


BEGIN = datetime(2026, 3, 20, 8, 0, tzinfo=ZONES["WITA"])


@pytest.mark.parametrize(
    ("seconds", "presence"),
    [(-3600, "present"), (0, "present"), (959, "present"), (960, "late"), (9000, "late")],
)
def test_on_time_is_until_the_last_second_of_the_last_minute(seconds, presence):
    assert checked_in(BEGIN + timedelta(seconds=seconds), BEGIN, 15).value == presence


def test_a_half_day_is_open_on_the_day_it_was_opened_until_it_is_closed():
    zone = ZONES["WIT"]
    evening = datetime(2026, 3, 20, 23, 50, tzinfo=zone)
    assert is_open(evening, None, evening + timedelta(minutes=9), zone)
    assert not is_open(evening, None, evening + timedelta(minutes=10), zone)
    closed = evening + timedelta(minutes=5)
    assert is_open(evening, closed, closed - timedelta(seconds=1), zone)
    assert not is_open(evening, closed, closed, zone)


SECRETS = st.binary(min_size=16, max_size=32)
STEPS = st.integers(0, 10**8)


@given(SECRETS, STEPS, st.integers(0, 59))
def test_a_code_fits_in_its_step_and_the_next_and_never_again(secret, step, second):
    code = code_at(secret, 7, AM1, step)
    assert len(code) == LENGTH
    assert set(code) <= set(ALPHABET)
    start = datetime.fromtimestamp(step * 30, tz=ZONES["WIB"])
    assert fits(code, secret, 7, AM1, start + timedelta(seconds=second))
    # Two in 729 million may be alike; these are not.
    assert not fits(code, secret, 7, AM1, start + timedelta(seconds=60 + second))


@given(SECRETS, STEPS)
def test_a_code_is_of_one_class_and_half_day(secret, step):
    moment = datetime.fromtimestamp(step * 30, tz=ZONES["WIB"])
    code = code_at(secret, 7, AM1, step)
    assert not fits(code, secret, 8, AM1, moment)
    assert not fits(code, secret, 7, PM1, moment)
    assert not fits(code, secret + b"x", 7, AM1, moment)
    assert not fits("", secret, 7, AM1, moment)


@given(st.integers(0, 10**10))
def test_the_seconds_left_lead_to_the_next_step(seconds):
    moment = datetime.fromtimestamp(seconds, tz=ZONES["WIB"])
    left = seconds_left(moment)
    assert 1 <= left <= 30
    assert step_of(moment + timedelta(seconds=left)) == step_of(moment) + 1
    assert step_of(moment + timedelta(seconds=left - 1)) == step_of(moment)


def test_what_is_typed_is_read_with_blanks_dashes_and_small_letters():
    assert normal_code(" 7kq-4 mp ") == "7KQ4MP"
    assert normal_code("７kq４mp") == "KQMP"  # wide digits are none of ours


@pytest.mark.parametrize(
    ("newest", "expected"),
    [
        (None, Standing.RECORD),
        (Presence.CLEARED, Standing.RECORD),
        (Presence.PRESENT, Standing.ALREADY),
        (Presence.LATE, Standing.ALREADY),
        (Presence.MADE_UP, Standing.ALREADY),
        (Presence.PARTIAL, Standing.BY_TRAINER),
        (Presence.ABSENT, Standing.BY_TRAINER),
    ],
)
def test_a_code_writes_only_where_nothing_is_noted(newest, expected):
    assert standing(newest) is expected


def test_browsers_of_several_people_are_found():
    notes = [(1, "a"), (2, "a"), (3, "b"), (3, "b"), (4, None), (5, None), (2, "c"), (6, "c")]
    assert shared_devices(notes) == {
        1: frozenset({2}), 2: frozenset({1, 6}), 6: frozenset({2}),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("5", 5), ("180", 180), ("1", 1), ("0", None), ("181", None), ("1000", None), ("", None),
     ("-5", None), ("5.5", None), ("٥", None)],
)  # fmt: skip
def test_an_exercise_takes_whole_minutes(text: str, minutes: int | None):
    assert rules.read_minutes(text) == minutes


@pytest.mark.parametrize(
    ("text", "hour"),
    [("10:15", time(10, 15)), ("9.05", time(9, 5)), ("23:59", time(23, 59)), ("24:00", None),
     ("10:60", None), ("", None), ("10:15:00", None), ("٩:05", None)],
)  # fmt: skip
def test_an_hour_is_read_as_people_write_it(text: str, hour: time | None):
    assert rules.read_hour(text) == hour


@pytest.mark.parametrize(
    ("at", "minutes", "step", "reached"),
    [
        (datetime(2026, 3, 20, 10, 0, tzinfo=UTC), 10, 1, time(10, 10)),
        (
            datetime(2026, 3, 20, 10, 0, 1, tzinfo=UTC),
            10,
            1,
            time(10, 11),
        ),  # nobody's minutes are cut short
        (datetime(2026, 3, 20, 10, 0, tzinfo=UTC), 15, 5, time(10, 15)),
        (datetime(2026, 3, 20, 10, 1, tzinfo=UTC), 15, 5, time(10, 20)),
        (datetime(2026, 3, 20, 23, 50, tzinfo=UTC), 15, 5, time(0, 5)),
    ],
)
def test_the_hour_after_so_many_minutes(at: datetime, minutes: int, step: int, reached: time):
    assert rules.hour_after(at, minutes, step) == reached
