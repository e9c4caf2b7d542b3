"""What a script sends for one change, and what counts however it arrives."""

from operator import attrgetter
from random import Random

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lms.core import clock
from lms.core.db import db
from lms.quizzes import rules, sheets
from lms.quizzes.forms import Change, read_change
from lms.quizzes.models import AnswerEvent
from lms.quizzes.rules import Answer
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


def arrive(sign_in) -> tuple[int | None, list[set[str]], int]:
    """Send eight changes replayed, reordered, from two tabs.

    Returns the choice that counts, the receipts of each change, and how many were stored.
    """
    someone = factories.person()
    browser = sign_in(someone)
    ref = begin(someone.id, clock.now())
    sent = [
        CHANGE | {"seq": str(seq), "choice": str(seq % 3 + 1), "client_key": f"kunci-{seq:02}"}
        for seq in range(1, 8)
    ] + [CHANGE | {"seq": "8", "choice": "4", "client_key": "kunci-08"}]
    chance = Random(5)
    arriving = sent + chance.choices(sent, k=12)
    chance.shuffle(arriving)
    receipts: dict[str, set[str]] = {}
    for one in arriving:
        answer = browser.post(f"/kuis/k1/{ref.public_id}/simpan", data=one)
        assert answer.status_code in {200, 409}
        if answer.status_code == 200:
            receipts.setdefault(one["client_key"], set()).add(answer.json["receipt"])
    [first, *_rest] = sheets.get_sheet(ref).lines
    stored = db.session.scalar(select(func.count(AnswerEvent.id)))
    return first.answer.choice, list(receipts.values()), stored or 0


def test_whatever_order_changes_arrive_in_the_newest_counts(client: FlaskClient, sign_in):
    """What counts is the highest number of the page, and each change once."""
    choice, receipts, stored = arrive(sign_in)
    assert {len(found) for found in receipts} == {1}
    assert (choice, stored) == (4, 8)


def test_who_counts_by_arrival_goes_red(
    client: FlaskClient, sign_in, monkeypatch: pytest.MonkeyPatch
):
    """The planted bug: what came last counts, whatever number the page gave it."""
    monkeypatch.setattr(
        rules,
        "latest",
        lambda events: {
            one.question: Answer(one.choice) for one in sorted(events, key=attrgetter("id"))
        },
    )
    assert arrive(sign_in)[0] != 4
