"""The audit trail is a chain: whatever is changed, removed, added or moved is found."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text, update

from lms.core import audit, chain, schema
from lms.core.db import db, unit_of_work
from lms.core.models import AuditEvent, AuditHead
from tests import factories
from tests.factories import NOW
from tests.races import race

FACTS = {
    "at": NOW,
    "actor_id": 3,
    "action": "cohorts.invite",
    "subject": "person:1",
    "detail": {"a": 1},
}


def note(number: int, **detail: object) -> None:
    audit.record("cohorts.invite", f"invitation:{number}", actor_id=None, now=NOW, **detail)


def write(count: int) -> None:
    for number in range(count):
        with unit_of_work():
            note(number, place=number)


# The formula


def test_the_formula_stays_what_it_was():
    """Installations have chains: another formula would call all of them broken."""
    assert chain.link(chain.START, **FACTS) == (
        "a67b2414b42cd67c9f92b61f678dbe1c75d13798d9f02f54bc47cc7ad35287aa"
    )


@pytest.mark.parametrize(
    "other",
    [
        {"at": NOW + timedelta(microseconds=1)},
        {"actor_id": None},
        {"actor_id": 4},
        {"action": "cohorts.accept"},
        {"subject": "person:11"},
        {"detail": {"a": "1"}},
        {"detail": {"b": 1}},
        {"detail": {}},
    ],
)
def test_every_fact_changes_the_hash(other: dict[str, object]):
    assert chain.link(chain.START, **(FACTS | other)) != chain.link(chain.START, **FACTS)
    assert chain.link("1" * 64, **FACTS) != chain.link(chain.START, **FACTS)


def test_the_same_moment_and_detail_hash_alike_however_they_are_written():
    jakarta = NOW.astimezone(datetime.now(UTC).astimezone().tzinfo)
    detail = {"z": [1, 2], "a": "é"}
    one = FACTS | {"detail": detail, "at": NOW}
    two = FACTS | {"detail": dict(reversed(detail.items())), "at": jakarta}
    assert chain.link(chain.START, **one) == chain.link(chain.START, **two)


def test_a_detail_is_kept_as_the_database_gives_it_back():
    assert chain.plain({"pair": (1, 2), "by": {10: "x", 2: "y"}}) == {
        "pair": [1, 2],
        "by": {"10": "x", "2": "y"},
    }


# The chain in the database


@pytest.mark.both
def test_events_of_many_units_of_work_make_one_chain(app: Flask):
    before = audit.head()
    with unit_of_work():
        note(1, name="Sulistyowati “é”", pair=(1, 2), by={10: 1, 2: 1})
        note(2)
        db.session.flush()
        note(3)
    write(3)
    assert audit.head().count == before.count + 6
    assert audit.verify() is None
    places = db.session.scalars(select(AuditEvent.position).order_by(AuditEvent.id)).all()
    assert list(places) == list(range(1, before.count + 7))


@pytest.mark.both
def test_what_is_rolled_back_leaves_no_gap(app: Flask):
    write(1)
    before = audit.head()
    with suppress(ZeroDivisionError), unit_of_work():
        note(1)
        db.session.flush()
        _ = 1 / 0
    with unit_of_work():
        note(2)
        with suppress(ZeroDivisionError), db.session.begin_nested():
            note(3)
            db.session.flush()
            _ = 1 / 0
        note(4)
        with db.session.begin_nested():
            note(5)
    assert audit.head().count == before.count + 3
    assert audit.verify() is None
    subjects = [one.subject for one in audit.list_events(limit=3)]
    assert subjects == ["invitation:5", "invitation:4", "invitation:2"]


@pytest.mark.both
def test_parallel_units_of_work_keep_the_chain(bare_app: Flask):
    def work(number: int) -> None:
        for step in range(5):
            with unit_of_work():
                note(number * 100 + step)
                note(number * 100 + step + 50)

    with bare_app.app_context():
        before = audit.head().count
        db.session.remove()
    results = race(bare_app, [lambda n=n: work(n) for n in range(6)])
    assert results == [None] * 6
    with bare_app.app_context():
        assert audit.head().count == before + 60
        assert audit.verify() is None
        # Two of one unit of work stand beside each other: none came between them.
        written = db.session.scalars(
            select(AuditEvent.subject)
            .where(AuditEvent.position > before)
            .order_by(AuditEvent.position)
        )
        numbers = [int(subject.split(":")[1]) for subject in written]
        assert all(a + 50 == b for a, b in zip(numbers[::2], numbers[1::2], strict=True))


@pytest.mark.both
def test_a_long_chain_is_walked_in_batches(app: Flask, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(audit, "BATCH", 3)
    write(7)
    assert audit.verify() is None
    middle = db.session.scalar(select(AuditEvent.id).where(AuditEvent.position == 5))
    with unit_of_work():
        db.session.execute(
            update(AuditEvent).where(AuditEvent.id == middle).values(subject="person:9")
        )
    broken = audit.verify()
    assert broken is not None
    assert broken.event_id == middle


def test_a_head_written_down_is_found_again_or_not(app: Flask):
    write(2)
    old = audit.head()
    write(2)
    assert audit.hashes_at({0, old.count, 99}) == {0: chain.START, old.count: old.hash}


# Whatever somebody does to it beside Suluh


def tamper(kind: str, place: int, other: int) -> bool:  # noqa: C901
    """Change the stored rows; tell whether anything is different now."""
    ids = db.session.scalars(select(AuditEvent.id).order_by(AuditEvent.position)).all()
    one, two = ids[place % len(ids)], ids[other % len(ids)]
    run = db.session.execute
    if kind == "action":
        run(update(AuditEvent).where(AuditEvent.id == one).values(action="accounts.enable"))
    elif kind == "detail":
        run(update(AuditEvent).where(AuditEvent.id == one).values(detail={"place": 99}))
    elif kind == "moment":
        run(update(AuditEvent).where(AuditEvent.id == one).values(at=NOW + timedelta(seconds=1)))
    elif kind == "remove":
        run(text("DELETE FROM audit_event WHERE id = :id"), {"id": one})
    elif kind == "remove and close the gap":
        gap = db.session.scalar(select(AuditEvent.position).where(AuditEvent.id == one))
        run(text("DELETE FROM audit_event WHERE id = :id"), {"id": one})
        moved = update(AuditEvent).where(AuditEvent.position > gap)
        for row in db.session.scalars(
            select(AuditEvent).where(AuditEvent.position > gap).order_by(AuditEvent.position)
        ).all():
            run(moved.where(AuditEvent.id == row.id).values(position=AuditEvent.position - 1))
    elif kind == "add":
        run(
            text(
                "INSERT INTO audit_event (at, action, subject, detail) "
                "VALUES ('2026-01-01 00:00:00.000000', 'accounts.enable', 'person:1', '{}')"
            )
        )
    elif kind == "swap":
        if one == two:
            return False
        first, second = (
            db.session.scalar(select(AuditEvent.position).where(AuditEvent.id == n))
            for n in (one, two)
        )
        for row, where in ((one, -1), (two, first), (one, second)):
            run(update(AuditEvent).where(AuditEvent.id == row).values(position=where))
    elif kind == "head":
        run(update(AuditHead).values(count=AuditHead.count - 1))
    return True


KINDS = [
    "action", "detail", "moment", "remove", "remove and close the gap", "add", "swap", "head",
]  # fmt: skip


@settings(
    max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)
@given(kind=st.sampled_from(KINDS), place=st.integers(0, 50), other=st.integers(0, 50))
def test_whatever_is_done_to_the_rows_is_found(app: Flask, kind: str, place: int, other: int):
    if db.session.scalar(select(func.count()).select_from(AuditEvent)) == 0:
        write(5)
    assert audit.verify() is None  # the positive control
    if tamper(kind, place, other):
        assert audit.verify() is not None
    db.session.rollback()


def test_each_kind_says_where(app: Flask):
    write(3)
    first, middle, last = db.session.scalars(
        select(AuditEvent.id).order_by(AuditEvent.position)
    ).all()
    says = {}
    for kind, place in (("action", 1), ("remove", 1), ("remove", 2), ("add", 0), ("swap", 0)):
        tamper(kind, place, 1)
        broken = audit.verify()
        assert broken is not None
        says[kind, place] = broken.event_id
        db.session.rollback()
    assert says[("action", 1)] == middle
    assert says[("remove", 1)] == last  # the one that is missing stood before it
    assert says[("remove", 2)] is None  # the end is missing
    assert says[("add", 0)] > last
    assert says[("swap", 0)] in (first, middle)


# Old installations


@pytest.mark.both
def test_what_an_installation_wrote_before_becomes_the_beginning(app: Flask):
    person_id = factories.person("admin").id
    write(2)
    db.session.remove()
    schema.downgrade(db.engine, "0001")
    with db.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO audit_event (at, actor_id, action, subject, detail) VALUES "
                "('2026-01-01 00:00:00.000000+00:00', :actor, 'accounts.rename', 'person:1', "
                '\'{"lama": "é", "b": [1, 2]}\')'
            )
            if db.engine.dialect.name == "postgresql"
            else text(
                "INSERT INTO audit_event (at, actor_id, action, subject, detail) VALUES "
                "('2026-01-01 00:00:00.000000', :actor, 'accounts.rename', 'person:1', "
                '\'{"lama": "é", "b": [1, 2]}\')'
            ),
            {"actor": person_id},
        )
    schema.upgrade(db.engine)
    assert audit.head().count >= 3
    assert audit.verify() is None
    write(1)
    assert audit.verify() is None
