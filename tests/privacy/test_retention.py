"""What goes by itself: rows whose time is over go, all others stay."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from lms import rounds
from lms.accounts.models import LoginSession, NameRequest, PasswordReset, Person
from lms.cohorts import invitations
from lms.cohorts.models import Cohort, Invitation
from lms.core import mail as outbox
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.models import AuditEvent, Mail
from lms.credentials.models import Disclosure
from lms.nominations.models import Nomination
from lms.practice.attendance.models import Attendance
from lms.practice.cases.models import CaseDraft
from lms.privacy import data_map, retention, rules
from tests import factories
from tests.privacy.world import AT, fill

Enter = Callable[[Person], FlaskClient]
DAY = timedelta(days=1)


def _filled() -> tuple[int, str]:
    ani = factories.person(name="Ani", email="ani@contoh.test")
    budi = factories.person(name="Budi").id
    a = (ani.id, ani.email)
    fill("ani", a, budi, 1)
    with unit_of_work():
        db.session.execute(update(Mail).values(sent_at=AT))
        db.session.execute(update(Cohort).values(ends_on=AT.date()))
        db.session.execute(update(Invitation).values(accepted_at=None, withdrawn_at=None))
    return a


def _state(name: str) -> bool:
    """Tell whether the row of a timer is still as it was."""
    db.session.expire_all()
    looks: dict[str, Callable[[], object]] = {
        "sessions": lambda: db.session.scalar(select(LoginSession.id)),
        "resets": lambda: db.session.scalar(select(PasswordReset.id)),
        "devices": lambda: db.session.scalars(select(Attendance)).one().device_hash,
        "mail": lambda: db.session.scalars(select(Mail)).one().body,
        "drafts": lambda: db.session.scalar(select(CaseDraft.id)),
        "invitations": lambda: db.session.scalars(select(Invitation)).one().name != rules.NAME,
        "nominations": lambda: db.session.scalars(select(Nomination)).one().name != rules.NAME,
        "names": lambda: db.session.scalar(select(NameRequest.id)),
        "disclosures": lambda: db.session.scalar(select(Disclosure.id)),
    }
    return bool(looks[name]())


@pytest.mark.both
def test_each_timer_waits_and_then_clears(app: Flask):
    _filled()
    timers = [timer for timer in rules.TIMERS.values() if timer.name != "links"]
    for days in sorted({timer.days for timer in timers}):
        names = [timer.name for timer in timers if timer.days == days]
        early, late = AT + days * DAY, AT + (days + 2) * DAY
        retention.run(early)
        assert [name for name in names if not _state(name)] == []
        due = {line.timer.name: line.due for line in retention.list_lines(late)}
        assert [due[name] for name in names] == [1] * len(names)
        assert retention.run(late) >= len(names)
        assert [name for name in names if _state(name)] == []
        due = {line.timer.name: line.due for line in retention.list_lines(late)}
        assert [due[name] for name in names] == [0] * len(names)


@pytest.mark.both
def test_a_cleared_invitation_says_no_more_who_vouched(app: Flask):
    _filled()
    word = factories.WORD.kept()
    with unit_of_work():
        db.session.execute(update(Invitation).values(vouching=word))
    timer = rules.TIMERS["invitations"].days
    for days, left in ((timer, word), (timer + 2, None)):
        retention.run(AT + days * DAY)
        db.session.expire_all()
        assert db.session.scalars(select(Invitation.vouching)).one() == left


def test_every_timer_has_its_sweep():
    assert set(retention.SWEEPS) | {"links"} == set(rules.TIMERS)


def test_nothing_else_goes(app: Flask):
    """Every row of a table without a timer of ours survives a hundred years."""
    _filled()
    untimed = [
        entry.name
        for entry in data_map.ENTRIES
        if not any(word in rules.TIMERS for word in entry.timer.split())
    ]

    def counts() -> dict[str, int]:
        tables = data_map.MAP.keys() & set(untimed)
        metadata = Person.metadata.tables
        return {n: len(db.session.execute(metadata[n].select()).all()) for n in tables}

    before = counts()
    retention.run(AT + 36500 * DAY)
    after = counts()
    made = after.pop("retention_timer") - before.pop("retention_timer")
    assert made == len(rules.TIMERS)
    assert after == before


@pytest.mark.both
def test_dead_links_leave_the_outbox(app: Flask):
    admin = factories.person("admin").id
    now = datetime(2026, 3, 2, 8, tzinfo=UTC)
    with unit_of_work():
        made = invitations.invite(
            email="baru@contoh.test", name="Baru", roles=["author"], cohort_id=None,
            organisation_id=None, created_by=admin, base_url="http://localhost",
            subject="Undangan", body="Buka {link} ya", now=now,
        )  # fmt: skip
        unknown = "x" * 43
        outbox.put("lain@contoh.test", "Surat", f"http://x/masuk/baru/{unknown} habis", now=now)
    retention.run(now + timedelta(hours=71))
    assert made.token in db.session.scalars(select(Mail).order_by(Mail.id)).all()[0].body
    dead = db.session.scalars(select(Mail).order_by(Mail.id)).all()[1]
    assert dead.body == "http://x/masuk/baru/… habis"
    retention.run(now + timedelta(hours=73))
    db.session.expire_all()
    body = db.session.scalars(select(Mail).order_by(Mail.id)).all()[0].body
    assert body == "Buka http://localhost/undangan/… ya"
    assert retention.run(now + timedelta(hours=73)) == 0


def test_links_go_on_behind_the_first_batch(app: Flask, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    with unit_of_work():
        for _number in range(5):
            outbox.put("a@contoh.test", "Surat", "http://x/undangan/" + "y" * 43, now=AT)
    assert retention.run(AT) == 5


def test_batches_are_bounded(app: Flask, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    monkeypatch.setattr(retention, "BATCHES", 2)
    ani = factories.person().id
    with unit_of_work():
        for number in range(7):
            db.session.add(
                LoginSession(
                    person_id=ani, token_hash=str(number), created_at=AT, expires_at=AT, agent=""
                )
            )
    assert retention.run(AT + 60 * DAY) == 4
    assert retention.run(AT + 60 * DAY) == 3
    assert retention.run(AT + 60 * DAY) == 0


def test_mail_that_never_went_out_is_emptied_later(app: Flask):
    with unit_of_work():
        outbox.put("a@contoh.test", "Surat", "isi", now=AT)
    assert retention.run(AT + 80 * DAY) == 0
    assert retention.run(AT + 91 * DAY) == 1
    assert outbox.list_due(AT + 91 * DAY) == []


@pytest.mark.both
def test_days_can_be_changed_within_bounds(app: Flask):
    admin = factories.person("admin").id
    with unit_of_work():
        retention.set_days("sessions", 7, actor_id=admin, now=AT)
    with unit_of_work():
        retention.set_days("sessions", 8, actor_id=admin, now=AT)
    assert retention.days_of()["sessions"] == 8
    assert retention.days_of()["mail"] == 30
    for name, days in (("sessions", 6), ("sessions", 366), ("links", 1)):
        with pytest.raises(rules.BadDays), unit_of_work():
            retention.set_days(name, days, actor_id=admin, now=AT)
    with pytest.raises(NotFound), unit_of_work():
        retention.set_days("audit", 1, actor_id=admin, now=AT)
    actions = db.session.scalars(select(AuditEvent.action)).all()
    assert list(actions).count("privacy.set_timer") == 2


def test_the_office_sees_and_sets_timers(app: Flask, sign_in: Enter):
    _filled()
    browser = sign_in(factories.person("admin"))
    page = browser.get("/admin/privasi").text
    assert "Belum pernah" in page
    assert "retention" in {one.name for one in rounds.ROUNDS}
    assert retention.run(datetime.now(UTC)) >= 1
    assert "terakhir membersihkan" in browser.get("/admin/privasi").text
    good = browser.post("/admin/privasi", data={"name": "mail", "days": "14"})
    assert good.location == "/admin/privasi"
    assert retention.days_of()["mail"] == 14
    for sent in ({"name": "mail", "days": "3"}, {"name": "x", "days": "30"}, {"name": "mail"}):
        assert browser.post("/admin/privasi", data=sent).status_code == 422
    assert retention.days_of()["mail"] == 14
    assert "14 hari" in browser.get("/privasi/data").text
    assert sign_in(factories.person("trainer")).get("/admin/privasi").status_code == 403


@given(st.integers(-10, 4000))
def test_a_timer_takes_days_within_its_bounds_only(days: int):
    timer = rules.TIMERS["mail"]
    if timer.least <= days <= timer.most:
        assert timer.check(days) == days
    else:
        with pytest.raises(rules.BadDays):
            timer.check(days)


@given(
    st.dates(max_value=date(9000, 1, 1)).map(lambda d: datetime.combine(d, time(8), UTC)),
    st.integers(0, 500),
)
def test_hours_left_count_down_to_three_days(known_at: datetime, hours: int):
    assert rules.hours_left(known_at, known_at + timedelta(hours=hours)) == 72 - hours
    assert rules.deadline(known_at) - known_at == timedelta(hours=72)


def test_next_step():
    assert rules.next_step(set()) == "contain"
    assert rules.next_step({"contain", "assess"}) == "collect"
    assert rules.next_step(set(rules.STEPS)) is None
    assert date(2026, 1, 1) < AT.date()
