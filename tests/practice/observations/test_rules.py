"""What may be observed next, played through with the real ledger rules."""

import dataclasses
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lms.competency.rules import EvidenceKind, Kuk, Ledger, Row, State
from lms.practice.observations.rules import (
    Fault,
    Seen,
    Slot,
    Stage,
    Standing,
    Station,
    effective,
    fault,
    standing,
    tries,
)
from tests import ledgers

STATION = Station(code="ST9", kuk=("k", "n"), critical=frozenset({"k"}), variants=("A", "B"))
TODAY = date(2026, 3, 21)
NOON = datetime(2026, 3, 21, 5, tzinfo=UTC)


def seen(n: int, kuk: str, variant: str = "A", mark: int = 2, **changes: object) -> Seen:
    row = Seen(
        id=n, kuk=kuk, round="r1", variant=variant, mark=mark, harmful=False,
        at=NOON + timedelta(minutes=n), on=TODAY, live=True,
    )  # fmt: skip
    return dataclasses.replace(row, **changes)


def stand(
    *rows: Seen,
    passed: str = "",
    failed: str = "",
    today: date = TODAY,
    needs_coaching: bool = False,
) -> Standing:
    return standing(
        STATION,
        rows,
        passed=frozenset(passed),
        failed=frozenset(failed),
        today=today,
        needs_coaching=needs_coaching,
    )


@pytest.mark.parametrize(
    ("kuk", "mark", "note", "act", "expected"),
    [
        ("k", None, "", "", None),
        ("k", None, "kata", "", Fault.EMPTY),
        ("k", 2, "", "", None),
        ("k", 1, "", "", Fault.NOTE),
        ("k", 0, "", "", Fault.NOTE),
        ("k", 0, "kata", "", None),
        ("n", 0, "", "", None),
        ("n", 2, "", "H8", Fault.NOTE),
        ("k", None, "", "H8", Fault.NOTE),
        ("k", None, "kata", "H8", None),
    ],
)
def test_marks_that_need_words(kuk, mark, note, act, expected):
    assert fault(STATION, kuk, mark, note, act) is expected


def test_whoever_was_not_seen_plays_the_first_story():
    found = stand()
    assert found.stage is Stage.OPEN
    assert found.slots == (Slot(round=None, variant="A", kuk=("k", "n")),)
    assert found.variant == "A"
    assert found.running is None


def test_what_another_station_has_shown_is_not_asked_again():
    assert stand(passed="kn").stage is Stage.PASSED
    assert stand(passed="n").slots == (Slot(round=None, variant="A", kuk=("k",)),)


def test_a_story_is_finished_in_its_own_try_even_on_a_later_day():
    found = stand(seen(1, "n"), passed="n", today=TODAY + timedelta(days=1))
    assert found.stage is Stage.BEGUN
    assert found.slots == (Slot(round="r1", variant="A", kuk=("k",)),)
    assert found.slot("A", "n") is None
    assert found.slot("B", "k") is None


def test_a_critical_mark_is_enough_and_the_other_may_still_be_added():
    found = stand(seen(1, "k"), passed="k")
    assert found.stage is Stage.PASSED
    assert found.slot("A", "n") is not None
    assert found.seen == 1


def test_what_is_passed_is_not_put_at_risk_again():
    found = stand(seen(1, "k"), seen(2, "n"), passed="kn", today=TODAY + timedelta(days=9))
    assert (found.stage, found.slots, found.variant) == (Stage.PASSED, (), None)


def test_an_open_mark_is_repeated_with_the_other_story_on_the_same_day():
    found = stand(seen(1, "k", mark=1), seen(2, "n"), passed="n", failed="k")
    assert found.stage is Stage.REPEAT
    assert found.slots == (Slot(round="r1", variant="B", kuk=("k",), repeat=True),)


def test_one_repeat_a_day_and_then_a_new_round():
    rows = (seen(1, "k", mark=0), seen(2, "n"), seen(3, "k", "B", mark=1))
    today = stand(*rows, passed="n", failed="k")
    assert (today.stage, today.slots) == (Stage.LATER, ())
    tomorrow = stand(*rows, passed="n", failed="k", today=TODAY + timedelta(days=1))
    assert tomorrow.slots == (Slot(round=None, variant="A", kuk=("k",), repeat=True),)


def test_the_repeat_of_yesterday_is_a_new_round():
    found = stand(seen(1, "k", mark=0), failed="k", today=TODAY + timedelta(days=1))
    assert found.slots == (Slot(round=None, variant="B", kuk=("k", "n"), repeat=True),)


def test_the_repeat_itself_is_finished_without_a_third():
    found = stand(
        seen(1, "k", mark=0), seen(2, "n", mark=0), seen(3, "n", "B"), passed="n", failed="k"
    )
    assert found.slots == (Slot(round="r1", variant="B", kuk=("k",)),)
    assert found.stage is Stage.BEGUN


def test_after_three_tries_a_trainer_speaks_first():
    rows = (seen(1, "k", mark=0), seen(2, "n"))
    found = stand(*rows, passed="n", failed="k", needs_coaching=True)
    assert (found.stage, found.slots) == (Stage.COACHING, ())


def test_a_harmful_act_may_end_todays_try_once():
    assert stand(seen(1, "k"), passed="k").running is not None
    assert stand(seen(1, "k", harmful=True), failed="k").running is None
    later = stand(seen(1, "k"), passed="k", today=TODAY + timedelta(days=1))
    assert later.running is None


def test_a_try_taken_back_never_was_and_its_place_is_not_used_again():
    dead = (seen(1, "k", mark=0, live=False), seen(2, "n", live=False))
    found = stand(*dead)
    assert found.stage is Stage.OPEN
    assert found.slots[0].round is None
    again = stand(seen(1, "k", mark=0), seen(2, "k", "B", live=False), failed="k")
    assert again.slots[-1] == Slot(round=None, variant="B", kuk=("k", "n"), repeat=True)


def test_a_single_mark_taken_back_is_seen_again_in_another_round():
    found = stand(seen(1, "k", live=False), seen(2, "n"), passed="n")
    assert found.stage is Stage.BEGUN
    assert found.slots == (Slot(round=None, variant="B", kuk=("k",)),)


def test_a_try_of_which_nothing_is_said_any_more_leaves_the_station_open():
    found = stand(seen(1, "k"))
    assert found.stage is Stage.OPEN


def test_tries_are_in_order_of_their_last_row():
    found = tries(STATION, [seen(4, "k", "B"), seen(1, "k"), seen(9, "n"), seen(2, "n", "B")])
    assert [(each.variant, each.taken) for each in found] == [("B", {"k", "n"}), ("A", {"k", "n"})]


def test_the_newest_row_of_a_round_is_the_one_that_counts():
    rows = [seen(1, "k"), seen(2, "k", "B"), seen(3, "k", "B", live=False), seen(4, "n")]
    assert effective(rows, "r1", "k") == rows[1]
    assert effective(rows, "r2", "k") is None


CRITERIA = {
    "k": Kuk(code="k", text="", text_en="", critical=True, ev=(EvidenceKind.OBS,), curriculum="K"),
    "n": Kuk(code="n", text="", text_en="", critical=False, ev=(EvidenceKind.OBS,), curriculum="K"),
}


STANDARD = dataclasses.replace(ledgers.STANDARD, kuk=CRITERIA)


class Playing(RuleBasedStateMachine):
    """One person at one station: marks, harmful acts, slips taken back, days that pass."""

    @initialize()
    def begin(self) -> None:
        self.rows: list[Row] = []
        self.now = NOON
        self.rounds = 0

    def look(self) -> Standing:
        ledger = Ledger(STANDARD, self.rows, self.now)
        self.seen = [
            Seen(
                id=row.id, kuk=row.kuk, round=row.group, variant=row.ref, mark=row.mark or 0,
                harmful=row.harmful, at=row.at, on=row.at.date(), live=ledger.is_live(row),
            )
            for row in self.rows
        ]  # fmt: skip
        states = {code: ledger.state(kuk, EvidenceKind.OBS) for code, kuk in CRITERIA.items()}
        return standing(
            STATION,
            self.seen,
            passed=frozenset(c for c, s in states.items() if s is State.PASS),
            failed=frozenset(c for c, s in states.items() if s is State.FAIL),
            today=self.now.date(),
            needs_coaching=False,
        )

    def write(self, place: str, variant: str, kuk: str, mark: int, harmful: bool) -> None:
        prior = effective(self.seen, place, kuk)
        self.rows.append(
            Row(
                id=len(self.rows) + 1, kind=EvidenceKind.OBS, kuk=kuk, source="ST9", group=place,
                ref=variant, mark=mark, harmful=harmful, replaces=prior.id if prior else None,
                at=self.now,
            )
        )  # fmt: skip

    def place(self, slot: Slot) -> str:
        if slot.round is None:
            self.rounds += 1
        return slot.round or f"r{self.rounds}"

    @precondition(lambda self: self.look().slots)
    @rule(pick=st.integers(0, 1), kuk=st.integers(0, 1), mark=st.integers(0, 2))
    def mark(self, pick: int, kuk: int, mark: int) -> None:
        self.now += timedelta(minutes=1)
        slots = self.look().slots
        slot = slots[pick % len(slots)]
        code = slot.kuk[kuk % len(slot.kuk)]
        place = self.place(slot)
        taken = [(r.group, r.ref, r.kuk) for r in self.rows]
        assert (place, slot.variant, code) not in taken
        self.write(place, slot.variant, code, mark, False)

    @precondition(lambda self: self.look().running)
    @rule()
    def harm(self) -> None:
        self.now += timedelta(minutes=1)
        running = self.look().running
        for kuk in STATION.kuk:
            self.write(running.round, running.variant, kuk, 0, True)
        found = self.look()
        assert found.failed == {"k", "n"}
        assert found.stage is not Stage.PASSED

    @precondition(lambda self: self.rows)
    @rule()
    def take_back(self) -> None:
        self.look()
        done = tries(STATION, self.seen)
        if done:
            key = (done[-1].round, done[-1].variant)
            self.rows = [
                r._replace(voided=True) if (r.group, r.ref) == key else r for r in self.rows
            ]

    @rule(days=st.integers(1, 3))
    def sleep(self, days: int) -> None:
        self.now += timedelta(days=days)

    @invariant()
    def there_is_a_way_on(self) -> None:
        found = self.look()
        if found.stage in (Stage.OPEN, Stage.BEGUN, Stage.REPEAT):
            assert found.slots
        if found.stage is Stage.LATER:
            self.now += timedelta(days=1)
            assert self.look().stage is Stage.REPEAT
            self.now -= timedelta(days=1)

    @invariant()
    def a_passed_station_asks_for_no_repeat(self) -> None:
        found = self.look()
        if found.stage is Stage.PASSED:
            assert "k" in found.passed
            assert not found.failed
        if not found.failed:
            assert not any(slot.repeat for slot in found.slots)

    @invariant()
    def nobody_plays_three_times_a_day(self) -> None:
        self.look()
        counting = [each for each in tries(STATION, self.seen) if each.on == self.now.date()]
        for place in {each.round for each in counting}:
            assert sum(each.round == place for each in counting) <= 2


TestPlaying = Playing.TestCase
TestPlaying.settings = settings(max_examples=60, stateful_step_count=12, deadline=None)
