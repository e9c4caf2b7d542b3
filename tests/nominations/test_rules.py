"""Who gets a seat, who waits, and whether the log kept to it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from lms.nominations import rules
from lms.nominations.rules import (
    BadPlan,
    Entry,
    Hall,
    Line,
    Offer,
    Phase,
    State,
    Step,
    Waiting,
    Why,
)

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
KINDS = ["kua", "polres", "polsek", "puskesmas", "rs"]


def waits(number: int, kind: str, minutes: int = 0) -> Waiting:
    return Waiting(NOW + timedelta(minutes=minutes), number, kind)


def hall(phase: Phase = Phase.QUOTA, capacity: int = 25, **seats: tuple[int | None, int]) -> Hall:
    """Give a hall; each kind is `(quota or None, held)`."""
    return Hall(
        phase,
        capacity,
        {kind: quota for kind, (quota, _held) in seats.items() if quota is not None},
        {kind: held for kind, (_quota, held) in seats.items() if held},
    )


def chosen(waiting: list[Waiting], found: Hall) -> list[tuple[int, Why]]:
    return [(one.id, one.why) for one in rules.promotions(waiting, found)]


# Phases


def test_a_class_goes_from_quota_to_pool_to_closed():
    until, starts = NOW, NOW + timedelta(days=2)

    def at(moment: datetime) -> Phase:
        return rules.phase(moment, nominate_until=until, starts_at=starts)

    tick = timedelta(microseconds=1)
    assert [at(until - tick), at(until), at(starts - tick), at(starts)] == [
        Phase.QUOTA,
        Phase.POOL,
        Phase.POOL,
        Phase.CLOSED,
    ]
    early = rules.phase(NOW, nominate_until=NOW + timedelta(days=9), starts_at=NOW)
    assert early is Phase.CLOSED


# Seats


def test_quotas_leave_loose_seats_and_count_what_is_beyond_them():
    found = hall(capacity=10, rs=(3, 1), kua=(2, 4), lsm=(None, 1))
    assert (found.free, found.loose, found.beyond) == (4, 2, 3)
    assert (found.left("rs"), found.left("kua"), found.left("lsm")) == (2, 0, 0)
    assert (found.room("rs"), found.room("kua"), found.room("lsm")) == (2, 0, 2)
    pool = replace(found, phase=Phase.POOL)
    assert [pool.room(kind) for kind in ("rs", "kua", "lsm")] == [4, 4, 4]


def test_more_people_than_seats_leave_no_negative_seats():
    found = hall(capacity=3, rs=(2, 5))
    assert (found.free, found.loose, found.left("rs"), found.room("lsm")) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("found", "problem", "kind", "count"),
    [
        (hall(capacity=4, rs=(3, 0), kua=(2, 0)), "sum", "", 5),
        (hall(capacity=4, rs=(3, 3), lsm=(None, 2)), "capacity", "", 5),
        (hall(capacity=9, rs=(2, 3)), "quota", "rs", 3),
        (hall(capacity=5, rs=(4, 0), lsm=(None, 2)), "beyond", "", 2),
    ],
)
def test_a_plan_that_cannot_be_is_refused(found: Hall, problem: str, kind: str, count: int):
    with pytest.raises(BadPlan) as refused:
        rules.check_plan(found)
    assert (refused.value.problem, refused.value.kind, refused.value.count) == (
        problem,
        kind,
        count,
    )


def test_after_the_deadline_quotas_bind_nobody_who_has_a_seat():
    rules.check_plan(hall(Phase.POOL, capacity=5, rs=(1, 3), kua=(4, 0)))
    rules.check_plan(hall(capacity=5, rs=(3, 3), kua=(2, 0)))


# Up to the deadline


def test_within_the_quota_the_first_in_line_get_seats():
    line = [waits(3, "rs", 2), waits(1, "rs", 1), waits(2, "rs", 1), waits(4, "kua", 0)]
    assert chosen(line, hall(rs=(2, 0), kua=(1, 1))) == [(1, Why.QUOTA), (2, Why.QUOTA)]


def test_kinds_without_a_quota_wait_for_the_deadline():
    line = [waits(1, "lsm"), waits(2, "rs", 1)]
    assert chosen(line, hall(rs=(1, 0))) == [(2, Why.QUOTA)]
    assert chosen(line, hall(Phase.POOL, rs=(1, 0))) == [(1, Why.BALANCE), (2, Why.BALANCE)]


def test_a_full_class_has_no_seat_for_anybody():
    assert chosen([waits(1, "rs")], hall(capacity=2, rs=(2, 0), lsm=(None, 2))) == []


# After the deadline


def test_the_pool_goes_to_missing_kinds_then_below_quota_then_by_order():
    line = [
        waits(1, "rs", 0),
        waits(2, "puskesmas", 1),
        waits(3, "polres", 9),
        waits(4, "polres", 10),
        waits(5, "puskesmas", 2),
    ]
    found = hall(Phase.POOL, capacity=9, rs=(2, 2), puskesmas=(3, 2), polres=(1, 0), kua=(3, 0))
    assert chosen(line, found) == [
        (3, Why.BALANCE),
        (2, Why.BELOW),
        (1, Why.ORDER),
        (5, Why.ORDER),
        (4, Why.ORDER),
    ]
    assert chosen(line, replace(found, capacity=6)) == [(3, Why.BALANCE), (2, Why.BELOW)]


def test_a_kind_with_an_open_offer_is_not_missing():
    """Otherwise one kind that does not answer would draw every seat."""
    line = [waits(1, "polres"), waits(2, "polres", 1), waits(3, "kua", 2)]
    assert chosen(line, hall(Phase.POOL, capacity=2)) == [(1, Why.BALANCE), (3, Why.BALANCE)]


def test_nobody_is_promoted_once_the_class_has_begun():
    assert chosen([waits(1, "rs")], hall(Phase.CLOSED, rs=(3, 0))) == []


# Properties

people = st.lists(
    st.tuples(st.sampled_from(KINDS), st.integers(0, 5)), min_size=0, max_size=30
).map(lambda found: [waits(n, kind, at) for n, (kind, at) in enumerate(found, 1)])
seats = st.dictionaries(st.sampled_from(KINDS), st.integers(1, 6))
counts = st.dictionaries(st.sampled_from(KINDS), st.integers(0, 6))


@st.composite
def halls(draw: st.DrawFn) -> Hall:
    quotas, held = draw(seats), draw(counts)
    phase = draw(st.sampled_from([Phase.QUOTA, Phase.POOL]))
    capacity = draw(st.integers(1, 40))
    found = Hall(phase, capacity, quotas, held)
    try:
        rules.check_plan(found)
    except BadPlan:
        assume(False)
    return found


def after(found: Hall, waiting: list[Waiting]) -> tuple[Hall, list[Waiting]]:
    gone = {one.id for one in rules.promotions(waiting, found)}
    kinds = {one.id: one.kind for one in waiting}
    for number in gone:
        found = found.with_one_more(kinds[number])
    return found, [one for one in waiting if one.id not in gone]


@given(people, halls())
def test_never_more_than_the_class_or_a_quota_holds(waiting: list[Waiting], found: Hall):
    later, _rest = after(found, waiting)
    assert sum(later.held.values()) <= later.capacity
    if found.phase is Phase.QUOTA:
        grown = {kind for kind in KINDS if later.held.get(kind, 0) > found.held.get(kind, 0)}
        assert all(later.held[kind] <= found.quotas[kind] for kind in grown)


@given(people, halls())
def test_within_a_kind_nobody_is_passed(waiting: list[Waiting], found: Hall):
    taken = [one.id for one in rules.promotions(waiting, found)]
    for kind in KINDS:
        queue = [one.id for one in sorted(waiting) if one.kind == kind]
        got = [number for number in taken if number in queue]
        assert got == queue[: len(got)]


@given(people, halls())
def test_promoting_twice_promotes_nobody_more(waiting: list[Waiting], found: Hall):
    assert rules.promotions(after(found, waiting)[1], after(found, waiting)[0]) == []


@given(people, halls())
def test_no_seat_stays_empty_while_somebody_may_have_it(waiting: list[Waiting], found: Hall):
    later, rest = after(found, waiting)
    if found.phase is Phase.POOL:
        assert not later.free or not rest
    else:
        assert not any(later.left(one.kind) and later.free for one in rest)


@given(people, halls(), st.randoms())
def test_the_order_people_are_read_in_changes_nothing(waiting, found, random):
    mixed = list(waiting)
    random.shuffle(mixed)
    assert chosen(mixed, found) == chosen(waiting, found)


# States


LATER = NOW + timedelta(hours=72)


@pytest.mark.parametrize(
    ("stored", "offer", "state"),
    [
        (State.WAITING, None, State.WAITING),
        (State.DECLINED, Offer(LATER, NOW, None, True), State.DECLINED),
        (State.OFFERED, None, State.OFFERED),
        (State.OFFERED, Offer(LATER, None, None, False), State.OFFERED),
        (State.OFFERED, Offer(LATER, NOW, None, True), State.CONFIRMED),
        (State.OFFERED, Offer(LATER, NOW, None, False), State.WITHDRAWN),
        (State.OFFERED, Offer(LATER, None, NOW, False), State.WITHDRAWN),
        (State.OFFERED, Offer(LATER, None, LATER, False), State.EXPIRED),
    ],
)
def test_confirmed_is_who_accepted_and_has_the_seat(stored: State, offer: Offer, state: State):
    assert rules.state_of(stored, offer) is state


def test_one_kind_of_police_is_enough():
    quotas = ["kua", "polres", "polsek", "rs"]
    assert rules.absent(quotas, ["rs"]) == ["police", "kua"]
    assert rules.absent(quotas, ["rs", "polres"]) == ["kua"]
    assert rules.absent(quotas, ["polsek", "kua", "rs"]) == []
    assert rules.absent(["polres"], ["rs"]) == ["police"]
    assert rules.absent(["rs"], []) == ["rs"]


# The log


def log() -> list[Entry]:
    """Two of three get the seats; one declines, the third follows; a trainer chooses a fourth."""
    first, second, third, fourth = (waits(n, "rs", n) for n in range(1, 5))
    full = hall(capacity=9, rs=(2, 0))
    return [
        *(Entry(one, Step.NOMINATED) for one in (first, second, third, fourth)),
        Entry(first, Step.OFFERED, Why.QUOTA, full),
        Entry(second, Step.OFFERED, Why.QUOTA, full.with_one_more("rs")),
        Entry(first, Step.DECLINED),
        Entry(third, Step.OFFERED, Why.QUOTA, full.with_one_more("rs")),
        Entry(fourth, Step.OFFERED, Why.HAND, replace(full, phase=Phase.POOL)),
    ]


def test_a_log_that_kept_to_the_rule_has_no_departures():
    assert rules.departures(log()) == []


def test_each_departure_from_the_rule_is_found():
    good = log()
    jumped = [*good[:4], replace(good[4], person=good[5].person), *good[6:]]
    assert rules.departures(jumped) == [4]
    misnamed = [*good[:4], replace(good[4], why=Why.ORDER), *good[5:]]
    assert rules.departures(misnamed) == [4]
    silent = [*good[:4], replace(good[4], hall=None), *good[5:]]
    assert rules.departures(silent) == [4]
    no_room = [*good[:8], replace(good[8], hall=hall(rs=(2, 2)))]
    assert rules.departures(no_room) == [8]
    stranger = [Entry(waits(9, "rs"), Step.OFFERED, Why.QUOTA, hall(rs=(2, 0)))]
    assert rules.departures(stranger) == [0]


@given(people, halls())
def test_what_the_rule_does_is_what_the_log_check_expects(waiting: list[Waiting], found: Hall):
    who = {one.id: one for one in waiting}
    entries = [Entry(one, Step.NOMINATED) for one in waiting]
    entries += [
        Entry(who[one.id], Step.OFFERED, one.why, one.hall)
        for one in rules.promotions(waiting, found)
    ]
    assert rules.departures(entries) == []


def test_a_line_forgets_who_left():
    line = Line([waits(1, "rs"), waits(2, "rs", 1)])
    line.remove(waits(1, "rs"))
    line.remove(waits(7, "kua"))
    line.add(waits(3, "rs", -1))
    assert [one.id for one in line.heads()] == [3]
