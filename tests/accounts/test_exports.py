"""Who took a file with data of other people is written down."""

import logging
import re
from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from lms.accounts.exports import TAKEN
from lms.accounts.models import Person
from lms.core import audit
from lms.core.db import db
from lms.core.models import AuditEvent
from lms.core.readonly import ReadOnly, Reason
from lms.pages import trail
from tests import factories

SignIn = Callable[[Person], FlaskClient]


def taken() -> list[tuple[int | None, object, object]]:
    db.session.rollback()  # what was written meanwhile is seen
    query = select(AuditEvent).where(AuditEvent.action == TAKEN).order_by(AuditEvent.id)
    return [
        (one.actor_id, one.detail["page"], one.detail["path"]) for one in db.session.scalars(query)
    ]


def fetch(browser: FlaskClient, address: str) -> int:
    with browser.get(address) as answer:
        answer.get_data()
        return answer.status_code


@pytest.mark.both
def test_a_file_about_people_is_noted_once_it_was_sent(app: Flask, sign_in: SignIn):
    trainer, cohort = factories.person("trainer"), factories.cohort()
    factories.staff(trainer, cohort)
    address = f"/angkatan/{cohort.slug}/capaian.csv"
    assert fetch(sign_in(trainer), f"{address}?unit=03") == 200
    assert taken() == [(trainer.id, "reports.matrix_csv", address)], "and not what was asked"
    assert audit.verify() is None
    page = sign_in(factories.person("admin")).get(f"/admin/catatan?tindakan={TAKEN}").text
    assert trail.sentence(TAKEN) in page


def test_files_about_nobody_and_ones_own_are_not_noted(app: Flask, sign_in: SignIn):
    admin = sign_in(factories.person("admin"))
    for address in ("/laporan/cakupan-kurikulum.csv", "/impor/contoh/csv"):
        assert fetch(admin, address) == 200
    assert fetch(admin, "/laporan/rekap.csv") == 200
    [(_who, subject, _path)] = taken()
    assert subject == "reports.all_recap_csv", "the control"


def test_what_was_refused_was_not_taken(app: Flask, sign_in: SignIn):
    cohort = factories.cohort()
    stranger = sign_in(factories.person("trainee"))
    assert fetch(stranger, f"/angkatan/{cohort.slug}/capaian.csv") in {403, 404}
    assert fetch(app.test_client(), f"/angkatan/{cohort.slug}/capaian.csv") == 302
    assert fetch(sign_in(factories.person("admin")), "/angkatan/tidak-ada/capaian.csv") == 404
    assert taken() == []


def test_where_nothing_is_written_the_file_comes_and_the_log_says_so(
    app: Flask, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    browser = sign_in(factories.person("admin"))

    def refuse(*_given: object, **_named: object) -> None:
        raise ReadOnly(Reason.DISK)

    monkeypatch.setattr(audit, "record", refuse)
    with caplog.at_level(logging.ERROR), browser.get("/laporan/rekap.csv") as answer:
        assert answer.status_code == 200
        [name] = re.findall(r"brk-\w{5}-\w{5}", answer.headers["Content-Disposition"])
    assert f"was not noted: {name}, taken by person" in caplog.text
