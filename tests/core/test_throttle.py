"""Guessing gets slower and slower, is forgotten, and never locks anybody out for good."""

from datetime import timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from lms.core import throttle
from lms.core.db import db, unit_of_work
from lms.core.models import Throttle
from tests.factories import NOW

COUNTS = st.integers(0, 10_000)
FREES = st.integers(0, 100)


@given(COUNTS, FREES)
def test_no_wait_is_longer_than_the_longest(failures: int, free: int):
    assert timedelta(0) <= throttle.delay(failures, free) <= throttle.LONGEST


@given(COUNTS, FREES)
def test_one_more_failure_never_shortens_the_wait(failures: int, free: int):
    assert throttle.delay(failures, free) <= throttle.delay(failures + 1, free)


@given(COUNTS, FREES)
def test_the_wait_starts_when_the_free_failures_are_used(failures: int, free: int):
    assert (throttle.delay(failures, free) == timedelta(0)) == (failures < free)


def test_the_wait_doubles():
    waits = [throttle.delay(throttle.FREE + n).total_seconds() for n in range(5)]
    assert waits == [1, 2, 4, 8, 16]


def fail(times: int, *keys: str, at=NOW) -> None:
    for _ in range(times):
        with unit_of_work():
            throttle.failed(list(keys), at)


@pytest.mark.both
def test_a_guesser_waits_longer_each_time_and_is_told_how_long(app: Flask):
    fail(throttle.FREE - 1, "sign-in:a")
    throttle.check(["sign-in:a"], NOW)
    fail(1, "sign-in:a")
    with pytest.raises(throttle.TooSoon) as refused:
        throttle.check(["sign-in:a"], NOW)
    assert refused.value.seconds == 2  # what is left of the last second is rounded up
    throttle.check(["sign-in:a"], NOW + timedelta(seconds=1))
    fail(3, "sign-in:a")
    with pytest.raises(throttle.TooSoon):
        throttle.check(["sign-in:a"], NOW + timedelta(seconds=7))


@pytest.mark.both
def test_failures_are_forgotten_after_a_while(app: Flask):
    fail(throttle.FREE + 20, "sign-in:a")
    throttle.check(["sign-in:a"], NOW + throttle.LONGEST)
    later = NOW + throttle.FORGET
    fail(1, "sign-in:a", at=later)
    assert db.session.get_one(Throttle, "sign-in:a").failures == 1
    throttle.check(["sign-in:a"], later)


def test_nobody_is_locked_out_however_long_a_guesser_goes_on(app: Flask):
    at = NOW
    for _ in range(200):
        fail(1, "sign-in:a", at=at)
        at += throttle.LONGEST
        throttle.check(["sign-in:a"], at)


def test_the_longest_wait_of_several_keys_counts(app: Flask):
    fail(throttle.FREE, "sign-in:a")
    fail(throttle.FREE + 4, "sign-in:b")
    with pytest.raises(throttle.TooSoon) as refused:
        throttle.check(["sign-in:a", "sign-in:b"], NOW)
    assert refused.value.seconds == 17


def test_a_network_address_may_fail_more_often_than_an_account(app: Flask):
    """A whole class sits behind one address."""
    fail(throttle.FREE_ADDRESS - 1, "address:10.0.0.1")
    throttle.check(["address:10.0.0.1"], NOW)
    fail(1, "address:10.0.0.1")
    with pytest.raises(throttle.TooSoon):
        throttle.check(["address:10.0.0.1"], NOW)


def test_success_forgets_only_its_own_key(app: Flask):
    fail(throttle.FREE, "sign-in:a", "sign-in:b")
    with unit_of_work():
        throttle.succeeded("sign-in:a")
    throttle.check(["sign-in:a"], NOW)
    with pytest.raises(throttle.TooSoon):
        throttle.check(["sign-in:b"], NOW)
