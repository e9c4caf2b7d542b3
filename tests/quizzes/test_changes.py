"""What a script sends for one change, and what counts however it arrives."""

from random import Random

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lms.core import clock
from lms.core.db import db
from lms.quizzes import sheets
from lms.quizzes.forms import Change, read_change
from lms.quizzes.models import AnswerEvent
from lms.quizzes.types.model import MOST_OPTIONS
from tests import factories
from tests.quizzes.helpers import begin

CHANGE = {"soal": "1", "seq": "1", "field": "choice", "choice": "2", "client_key": "kunci-01"}


def test_what_a_script_sends_is_read_or_refused_as_a_whole():
    assert read_change(CHANGE) == Change(1, 1, "kunci-01", 2, None, None, None)
    flag = CHANGE | {"field": "flagged", "choice": "9", "zone": "WIT"}
    assert read_change(flag) == Change(1, 1, "kunci-01", None, False, None, "WIT")
    assert read_change(flag | {"flagged": "y"}) == Change(1, 1, "kunci-01", None, True, None, "WIT")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("soal", "0"),
        ("soal", "201"),
        ("soal", "1.0"),
        ("soal", "\u0661"),
        ("soal", ""),
        ("seq", "-1"),
        ("seq", "1000000001"),
        ("seq", "9" * 5000),
        ("field", ""),
        ("field", "soal"),
        ("choice", "0"),
        ("choice", str(MOST_OPTIONS + 1)),
        ("choice", ""),
        ("client_key", "short"),
        ("client_key", "k" * 65),
        ("client_key", "kunci 01"),
        ("zone", "UTC"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(name: str, value: str):
    assert read_change(CHANGE | {name: value}) is None


def test_an_option_the_question_does_not_have_is_refused(client: FlaskClient, sign_in):
    someone = factories.person()
    browser, ref = sign_in(someone), begin(someone.id, clock.now())
    address = f"/kuis/k1/{ref.public_id}/simpan"
    assert browser.post(address, data=CHANGE | {"choice": "5"}).status_code in {400, 409, 422}
    assert db.session.scalar(select(func.count(AnswerEvent.id))) == 0
    assert browser.post(address, data=CHANGE | {"choice": "4"}).status_code == 200


def test_whatever_order_changes_arrive_in_the_newest_counts(client: FlaskClient, sign_in):
    """Replayed, reordered, from two tabs: what counts is the highest number, each once."""
    someone = factories.person()
    browser = sign_in(someone)
    ref = begin(someone.id, clock.now())
    sent = [
        CHANGE | {"seq": str(seq), "choice": str(seq % 4 + 1), "client_key": f"kunci-{seq:02}"}
        for seq in range(1, 9)
    ]
    chance = Random(5)
    arriving = sent + chance.choices(sent, k=12)
    chance.shuffle(arriving)
    receipts: dict[str, set[str]] = {}
    for one in arriving:
        answer = browser.post(f"/kuis/k1/{ref.public_id}/simpan", data=one)
        assert answer.status_code in {200, 409}
        if answer.status_code == 200:
            receipts.setdefault(one["client_key"], set()).add(answer.json["receipt"])
    assert {len(found) for found in receipts.values()} == {1}
    [first, *_rest] = sheets.get_sheet(ref).lines
    assert first.answer.choice == 8 % 4 + 1
    assert db.session.scalar(select(func.count(AnswerEvent.id))) == len(sent)
