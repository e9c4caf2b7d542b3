"""The page of what one was told."""

from datetime import UTC, date, datetime

from flask import Flask

from lms.core.db import db
from lms.notices import services
from lms.notices.models import Notice
from lms.notices.rules import Kind
from tests import factories


def test_one_reads_ones_own_notices_and_marks_them_read(app: Flask, sign_in):
    where = factories.cohort(starts_on=date(2026, 3, 20), ends_on=date(2026, 3, 21), title="Melati")
    someone, other = factories.person(), factories.person()
    factories.seat(someone, where)
    services.sweep(datetime(2026, 3, 13, 5, tzinfo=UTC))
    browser = sign_in(someone)
    page = browser.get("/pemberitahuan").text
    assert "Dalam beberapa hari: Melati." in page
    assert "Baru" in page
    assert browser.post("/pemberitahuan/dibaca").status_code == 302
    assert "Tandai semua" not in browser.get("/pemberitahuan").text
    empty = sign_in(other).get("/pemberitahuan").text
    assert "Melati" not in empty
    assert "Belum ada pemberitahuan" in empty


def test_choices_are_kept(app: Flask, sign_in):
    someone = factories.person()
    browser = sign_in(someone)
    assert browser.get("/pemberitahuan").text.count("checked") == len(Kind)
    sent = browser.post("/pemberitahuan/pilihan", data={"kinds": ["paper_ends"], "no_mail": "y"})
    assert sent.status_code == 302
    assert browser.get("/pemberitahuan").text.count("checked") == 2
    assert services.list_muted(someone.id) >= {"all", "class_soon"}
    assert browser.post("/pemberitahuan/pilihan", data={"kinds": ["nonsense"]}).status_code == 422


def test_long_lists_are_paged(app: Flask, sign_in):
    someone = factories.person()
    now = datetime(2026, 3, 13, 5, tzinfo=UTC)
    for n in range(51):
        db.session.add(
            Notice(
                person_id=someone.id,
                kind="class_soon",
                subject=f"cohort:{n}",
                stage=7,
                about=f"Kelas {n}.",
                path="/",
                at=now,
            )
        )
    db.session.commit()
    browser = sign_in(someone)
    first = browser.get("/pemberitahuan").text
    assert "Kelas 50." in first
    assert "Kelas 0." not in first
    oldest = db.session.scalars(
        db.select(Notice.id).order_by(Notice.id.desc()).offset(49).limit(1)
    ).one()
    assert "Kelas 0." in browser.get(f"/pemberitahuan?sebelum={oldest}").text
