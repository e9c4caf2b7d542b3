"""What is stored twice agrees; whatever is lost, changed, doubled or invented is found."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import text

from lms.cohorts import invitations
from lms.core.db import db, unit_of_work
from lms.operations import reconcile
from lms.operations.reconcile import Ledger, Report
from lms.quizzes import receipts
from lms.quizzes.receipts import Acknowledged
from tests import factories
from tests.factories import NOW
from tests.operations.conftest import close
from tests.quizzes.helpers import answer, begin, sit
from tests.roster.test_walkin import AT, Room, viewer

SECRET = "x" * 40


def change(*statements: str) -> None:
    with unit_of_work():
        for statement in statements:
            db.session.execute(text(statement))


def problems() -> list[str]:
    return [f"{one.about}: {one.says}" for one in reconcile.reconcile().problems]


def notes() -> list[str]:
    return [f"{one.about}: {one.says}" for one in reconcile.reconcile().notes]


def test_an_office_agrees_with_itself(office: Flask):
    report = reconcile.reconcile()
    assert (report.problems, report.notes, report.agrees()) == ([], [], True)
    assert report.counts["sittings"] > 3
    assert report.counts["answers"] > 100
    assert report.counts["marks"] > 100
    assert report.counts["certificates"] == 2
    assert report.counts["classes"] >= 1


@pytest.mark.both
def test_it_agrees_on_both_databases(app: Flask):
    person = factories.person()
    sit(person.id, wrong=lambda kuk: kuk.endswith("1"))
    begin(person.id, NOW.replace(day=9))
    report = reconcile.reconcile()
    assert report.problems == []
    assert report.counts["sittings"] == 1


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        (
            "UPDATE answer_event SET choice = choice % 4 + 1 WHERE attempt_id = "
            "(SELECT max(a.id) FROM attempt a JOIN quiz q ON q.id = a.quiz_id "
            "WHERE a.closed_at IS NOT NULL AND NOT q.for_class)",
            "sitting: 26 marks differ from its answers",
        ),
        (
            "UPDATE evidence SET passed = NOT passed WHERE id = "
            "(SELECT max(id) FROM evidence WHERE kind = 'Q')",
            "sitting: 1 marks differ from its answers",
        ),
        (
            "DELETE FROM evidence WHERE id = (SELECT max(id) FROM evidence WHERE kind = 'Q')",
            "sitting: 1 of its marks are missing",
        ),
        (
            "UPDATE evidence SET ref = '0' WHERE id = "
            "(SELECT max(id) FROM evidence WHERE kind = 'Q')",
            "sitting: 1 marks are of nothing it asked",
        ),
        (
            "UPDATE evidence SET group_key = 'tidak-ada' WHERE id = "
            "(SELECT max(id) FROM evidence WHERE kind = 'Q')",
            "sitting: has evidence and is not closed, or is not there",
        ),
        (
            "UPDATE evidence SET person_id = 1 WHERE id = "
            "(SELECT max(id) FROM evidence WHERE kind = 'Q')",
            "sitting: gave evidence to somebody else",
        ),
        (
            "UPDATE answer_event SET received_at = '2099-01-01 00:00:00.000000' "
            "WHERE id = (SELECT max(e.id) FROM answer_event e JOIN attempt a "
            "ON a.id = e.attempt_id JOIN quiz q ON q.id = a.quiz_id "
            "WHERE a.closed_at IS NOT NULL AND NOT q.for_class)",
            "sitting: has an answer from after it was closed",
        ),
        (
            "UPDATE certificate SET scheme_code = 'K9' WHERE revision = 0",
            "certificate: is not what was decided",
        ),
        (
            "UPDATE certificate SET issued_at = '2001-01-01 00:00:00.000000'",
            "certificate: is older than its decision",
        ),
        (
            "UPDATE number_counter SET last = last + 1",
            "numbers: 3 numbers were given, 2 are in use",
        ),
        ("DELETE FROM number_counter", "numbers: 0 numbers were given, 2 are in use"),
        ("UPDATE document SET body = x'00'", "paper: is not what was issued"),
    ],
)
def test_each_disagreement_is_found(office: Flask, statement: str, says: str):
    change(statement)
    assert says in problems()


def test_what_lost_its_other_half_is_found(office: Flask):
    with db.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        for table in ("document", "decision"):
            connection.exec_driver_sql(f"DELETE FROM {table}")  # noqa: S608
        connection.invalidate()
    found = problems()
    assert "certificate: has no decision" in found
    assert "certificate: has no paper" in found


def test_a_table_without_its_key_shows_what_came_twice(office: Flask):
    """The planted bug: a schema that lacks the unique key lets a repeated answer in twice."""
    with db.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("CREATE TABLE kembar AS SELECT * FROM answer_event")
        connection.exec_driver_sql("DROP TABLE answer_event")
        connection.exec_driver_sql("ALTER TABLE kembar RENAME TO answer_event")
        connection.exec_driver_sql(
            "INSERT INTO answer_event SELECT * FROM answer_event WHERE id = 1"
        )
    assert "answer: is there twice" in problems()


def test_a_seat_that_is_gone_and_attendance_without_evidence_are_notes(office: Flask):
    change("DELETE FROM evidence WHERE kind = 'HDR'")
    assert any("attended without evidence" in one for one in notes())
    change(
        "UPDATE invitation SET accepted_at = created_at, "
        "cohort_id = (SELECT min(id) FROM cohort), "
        "person_id = (SELECT min(id) FROM person WHERE id NOT IN "
        "(SELECT person_id FROM enrolment UNION SELECT person_id FROM cohort_staff)) "
        "WHERE id = (SELECT min(id) FROM invitation)"
    )
    assert any(one.startswith("invitation: is accepted, without a seat") for one in notes())
    assert reconcile.reconcile().agrees()  # notes are to look at


def test_what_was_noted_at_the_door_agrees_before_and_after_it_is_accepted(app: Flask):
    room, stranger = Room(), factories.person()
    added = room.add(stranger.email)
    assert (notes(), problems()) == ([], [])
    with unit_of_work():
        invitations.accept_as(added.link.rpartition("/")[2], viewer(stranger), now=AT)
    assert (notes(), problems()) == ([], [])
    room.add("baru@contoh.test")
    assert (notes(), problems()) == ([], [])
    change("DELETE FROM evidence")  # and now it is missed, of both
    assert len([one for one in notes() if "attended without evidence" in one]) == 2


# Receipts and the ledger of a client

ACK = Acknowledged("a" * 20, 3, "kunci-0001", 2, None, NOW)


@pytest.mark.parametrize(
    "other",
    [
        Acknowledged("b" * 20, 3, "kunci-0001", 2, None, NOW),
        Acknowledged("a" * 20, 4, "kunci-0001", 2, None, NOW),
        Acknowledged("a" * 20, 3, "kunci-0002", 2, None, NOW),
        Acknowledged("a" * 20, 3, "kunci-0001", 1, None, NOW),
        Acknowledged("a" * 20, 3, "kunci-0001", None, True, NOW),
        Acknowledged("a" * 20, 3, "kunci-0001", 2, None, NOW.replace(microsecond=1)),
    ],
)
def test_a_receipt_vouches_for_one_answer_only(other: Acknowledged):
    receipt = receipts.sign(SECRET, ACK)
    assert receipts.is_genuine(SECRET, ACK, receipt)
    assert not receipts.is_genuine(SECRET, other, receipt)
    assert not receipts.is_genuine("y" * 40, ACK, receipt)
    assert not receipts.is_genuine(SECRET, ACK, "é")


@pytest.fixture
def acked(office: Flask, sign_in_office: Callable) -> list[dict[str, object]]:
    """Five answers as a client saved them, with what it was told."""
    browser, ref = sign_in_office()
    found = []
    for number in range(1, 6):
        sent = {"soal": number, "client_key": f"kunci-{number:04}", "choice": number % 4 + 1}
        reply = browser.post(
            f"/kuis/k1/{ref.public_id}/simpan",
            data=sent | {"seq": 1, "field": "choice", "zone": ""},
            headers={"Accept": "application/json"},
        ).json
        assert reply["saved"]
        found.append(
            sent
            | {"attempt": ref.public_id, "flagged": None}
            | {name: reply[name] for name in ("at", "receipt")}
        )
    return found


@pytest.fixture
def sign_in_office(office: Flask) -> Callable:
    from datetime import UTC, datetime

    from lms.accounts import services as accounts
    from lms.accounts.models import Person

    def enter():
        person = factories.person()
        with unit_of_work():
            viewer = accounts.begin_session(
                db.session.get_one(Person, person.id), now=datetime.now(UTC)
            )
        browser = office.test_client()
        with browser.session_transaction() as session:
            session["_user_id"], session["_fresh"] = viewer.token, True
        return browser, begin(person.id)

    return enter


def compare(tmp_path: Path, lines: list[dict[str, object]]) -> Ledger:
    path = tmp_path / "ledger.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in lines), encoding="utf-8")
    return reconcile.compare_ledger(path, SECRET)


def test_every_acknowledged_answer_is_there(acked, tmp_path: Path):
    assert compare(tmp_path, acked) == Ledger(acked=5)
    assert compare(tmp_path, [*acked, acked[0]]) == Ledger(acked=6)  # said twice is said


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("DELETE FROM answer_event WHERE client_key = 'kunci-0002'", Ledger(5, lost=1)),
        (
            "UPDATE answer_event SET choice = 1 WHERE client_key = 'kunci-0003'",
            Ledger(5, altered=1),
        ),
        (
            "UPDATE answer_event SET received_at = '2026-01-01 00:00:00.000000' "
            "WHERE client_key = 'kunci-0003'",
            Ledger(5, altered=1),
        ),
    ],
)
def test_what_is_lost_or_altered_is_counted(acked, tmp_path: Path, statement: str, found: Ledger):
    change(statement)
    assert compare(tmp_path, acked) == found
    assert not found.is_good(1)


def test_a_receipt_we_never_gave_is_counted(acked, tmp_path: Path):
    forged = acked[0] | {"receipt": "0" * 32}
    assert compare(tmp_path, [forged, *acked[1:]]).bad_receipts == 1


def test_too_few_answers_prove_nothing():
    assert Ledger(acked=5).is_good(5)
    assert not Ledger(acked=4).is_good(5)
    assert not Report(ledger=Ledger()).agrees()


def test_a_line_that_is_none_is_refused(office: Flask, tmp_path: Path):
    path = tmp_path / "ledger.jsonl"
    for wrong in ("{", "{}", "[1]"):
        path.write_text(wrong + "\n", encoding="utf-8")
        with pytest.raises(ValueError, match=r"not a line|Expecting"):
            reconcile.compare_ledger(path, SECRET)


def test_the_command_exits_by_what_it_finds(
    acked, tmp_path: Path, run: Callable[..., Result], folder: Path
):
    path = tmp_path / "ledger.jsonl"
    path.write_text("".join(json.dumps(one) + "\n" for one in acked), encoding="utf-8")
    close()
    good = run("reconcile", "--ledger", str(path), "--floor", "5")
    assert good.exit_code == 0, good.output
    assert "ledger: acked 5, lost 0" in good.output
    assert good.output.splitlines()[-1].startswith("0 problems, 0 notes. Compared: ")
    few = run("reconcile", "--ledger", str(path), "--floor", "6")
    assert (few.exit_code, "proves nothing" in few.output) == (1, True)
    change("DELETE FROM answer_event WHERE client_key = 'kunci-0002'")
    close()
    wrong = json.loads(run("reconcile", "--json", "--ledger", str(path)).output)
    assert (wrong["agrees"], wrong["ledger"]["lost"]) == (False, 1)
    path.write_text("{}\n", encoding="utf-8")
    assert "not a line of a ledger" in run("reconcile", "--ledger", str(path)).output
    change("DELETE FROM number_counter", "DELETE FROM evidence WHERE kind = 'HDR'")
    close()
    text_out = run("reconcile")
    assert text_out.exit_code == 1
    assert "BAD   numbers " in text_out.output
    assert "note  attendance " in text_out.output


def test_flags_have_receipts_too(office: Flask, sign_in_office: Callable, tmp_path: Path):
    browser, ref = sign_in_office()
    answer(ref, 1, 2)
    reply = browser.post(
        f"/kuis/k1/{ref.public_id}/simpan",
        data={"soal": 1, "seq": 9, "field": "flagged", "flagged": "y", "client_key": "tanda-001"},
        headers={"Accept": "application/json"},
    ).json
    line = {"attempt": ref.public_id, "soal": 1, "client_key": "tanda-001", "choice": None,
            "flagged": True, "at": reply["at"], "receipt": reply["receipt"]}  # fmt: skip
    assert compare(tmp_path, [line]) == Ledger(acked=1)
