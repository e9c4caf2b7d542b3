"""Whom the figures of a class count."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms.accounts.models import Person
from lms.core.db import unit_of_work
from lms.privacy import erasure
from lms.quizzes.classes import services as quizzes
from lms.quizzes.classes.models import Purpose
from lms.quizzes.essays import services as essays
from lms.statistics.classes import services
from tests.factories import NOW
from tests.quizzes.essays.helpers import Room, sit_class_quiz

LATER = NOW + timedelta(days=2)
WAITS = "Jawaban tertulisnya belum dinilai: 1 orang"
LOST = "Jawaban tertulisnya dihapus sebelum dinilai: 1 orang, tidak ikut dihitung."


@pytest.fixture
def room(app: Flask) -> Room:
    return Room(3)


@pytest.mark.both
def test_an_answer_erased_before_it_was_read_waits_for_nobody(
    room: Room, sign_in: Callable[[Person], FlaskClient]
):
    """One was read and then erased, one erased unread, one is still unread."""
    read, unread, _still = room.people
    slug, read_id, unread_id = room.cohort.slug, read.id, unread.id
    codes = []
    for at, purpose in ((NOW, Purpose.BEFORE), (LATER, Purpose.AFTER)):
        refs = sit_class_quiz(room.trainer, room.cohort_id, room.people, at, purpose=purpose)
        codes.append(refs[0].curriculum)
        with unit_of_work():
            essays.mark(refs[0].public_id, 1, room.viewer, level=2, note="", now=LATER)
    with unit_of_work():
        pair = quizzes.pair(codes[0], codes[1], room.cohort_id, actor_id=room.trainer.id, now=LATER)

    def figures() -> list[tuple[int, int, int]]:
        one = services.quiz_report(room.cohort_id, codes[0])
        two = services.pair_report(room.cohort_id, pair)
        assert one.mean == 1
        return [
            (one.counted, one.waiting, one.lost),
            (two.gain.pairs if two.gain else 0, two.waiting, two.lost),
        ]

    assert figures() == [(1, 2, 0)] * 2
    with unit_of_work():
        erasure.erase(read_id, now=LATER)
        erasure.erase(unread_id, now=LATER)
    assert figures() == [(1, 1, 1)] * 2

    browser = sign_in(room.trainer)
    address = f"/angkatan/{slug}/kuis"
    for page in (f"{address}/{codes[0].lower()}/hasil", f"{address}/pasangan/{pair}"):
        text = browser.get(page).text
        assert WAITS in text
        assert LOST in text
    rows = browser.get(f"{address}/{codes[0].lower()}/hasil.csv").text.splitlines()[1:]
    assert sorted(row.split(";")[3] for row in rows) == ["", "", "100.0"]
