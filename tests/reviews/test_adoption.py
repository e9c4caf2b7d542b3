"""The installation adopts a standard, and papers, pages and later decisions say so."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pypdf
import pytest
from flask import Flask, current_app
from flask.testing import FlaskClient
from sqlalchemy import select

from lms.accounts.models import Person
from lms.competency import services as competency
from lms.competency.models import StandardVersion
from lms.core.db import db, unit_of_work
from lms.core.models import AuditEvent
from lms.credentials import paper, services
from lms.credentials.models import Certificate, Document
from lms.reviews import adoption, rules
from lms.reviews.rules import Step
from tests import factories
from tests.credentials.world import NOW, World, fulfil
from tests.races import race

SignIn = Callable[[Person], FlaskClient]


def adopt(*, by: int, second: int | None = None) -> None:
    number = competency.current().id
    with unit_of_work():
        adoption.adopt(number, "SK 1/2026", by_id=by, needs_second=bool(second), now=NOW)
    if second:
        with unit_of_work():
            adoption.confirm(number, by_id=second, now=NOW)


def test_one_administrator_adopts_where_one_is_enough(app: Flask) -> None:
    boss, number = factories.person("admin", name="Bu Admin").id, competency.current().id
    assert adoption.read(number).step is Step.DRAFT
    adopt(by=boss)
    assert not competency.current().is_draft
    standing = adoption.read(number)
    assert standing.step is Step.ADOPTED
    assert standing.current
    assert (standing.current.asked_by, standing.current.basis) == ("Bu Admin", "SK 1/2026")
    with pytest.raises(rules.AlreadyAsked):
        adopt(by=boss)
    with pytest.raises(rules.NothingAsked), unit_of_work():
        adoption.confirm(number, by_id=factories.person("admin").id, now=NOW)
    with unit_of_work():
        adoption.take_back(number, by_id=boss, now=NOW)
    assert competency.current().is_draft
    standing = adoption.read(number)
    assert (standing.step, len(standing.history)) == (Step.DRAFT, 1)
    with pytest.raises(rules.NothingAsked), unit_of_work():
        adoption.take_back(number, by_id=boss, now=NOW)
    actions = select(AuditEvent.action).where(AuditEvent.action.startswith("reviews."))
    assert list(db.session.scalars(actions)) == [
        "reviews.adopt",
        "reviews.withdraw_adoption",
    ]


def test_a_second_administrator_confirms_where_two_are_needed(app: Flask) -> None:
    first, second = factories.person("admin").id, factories.person("admin").id
    number = competency.current().id
    with unit_of_work():
        step = adoption.adopt(number, "SK", by_id=first, needs_second=True, now=NOW)
    assert step is Step.ASKED is adoption.read(number).step
    assert competency.current().is_draft
    with pytest.raises(rules.SamePerson), unit_of_work():
        adoption.confirm(number, by_id=first, now=NOW)
    assert competency.current().is_draft
    with unit_of_work():
        adoption.confirm(number, by_id=second, now=NOW + timedelta(hours=1))
    assert not competency.current().is_draft
    assert adoption.read(number).step is Step.ADOPTED
    with pytest.raises(rules.NothingAsked), unit_of_work():
        adoption.confirm(number, by_id=second, now=NOW)


def test_another_text_of_the_standard_is_a_draft_again(app: Flask) -> None:
    boss, number = factories.person("admin").id, competency.current().id
    adopt(by=boss)
    row = db.session.get_one(StandardVersion, number)
    again = StandardVersion(
        version="0.3", digest="x" * 64, document=row.document | {"version": "0.3"}, loaded_at=NOW
    )
    with unit_of_work():
        db.session.add(again)
    assert competency.current().is_draft
    standing = adoption.read(competency.current().id)
    assert (standing.step, len(standing.history)) == (Step.DRAFT, 1)
    with pytest.raises(rules.TextChanged), unit_of_work():
        adoption.take_back(number, by_id=boss, now=NOW)


@pytest.mark.both
def test_two_administrators_at_once_adopt_once(app: Flask) -> None:
    people = [factories.person("admin").id for _ in range(4)]
    found = race(app, [lambda by=by: adopt(by=by) for by in people])
    assert sum(one is None for one in found) == 1
    assert sum(isinstance(one, rules.AlreadyAsked) for one in found) == 3


@pytest.mark.both
def test_the_first_certificate_fixes_the_adoption(app: Flask) -> None:
    number, boss = competency.current().id, factories.person("admin").id
    world = World()
    drafted = world.certified()
    assert not adoption.read(number).is_used
    adopt(by=boss)
    assert not adoption.read(number).is_used  # that paper says draft, and goes on saying so
    adopted = world.certified(world.join("Made Contoh"))
    assert adoption.read(number).is_used
    with pytest.raises(rules.AlreadyUsed), unit_of_work():
        adoption.take_back(number, by_id=boss, now=NOW)
    assert not competency.current().is_draft
    assert paper.read(drafted.snapshot).standard_is_draft
    assert not paper.read(adopted.snapshot).standard_is_draft


def _text(row: Certificate) -> str:
    body = db.session.get_one(Document, row.document_sha256).body
    return " ".join(
        " ".join(p.extract_text().split()) for p in pypdf.PdfReader(BytesIO(body)).pages
    )


def test_paper_and_page_say_draft_or_adopted(app: Flask, client: FlaskClient) -> None:
    world = World()
    drafted = world.certified()
    version = competency.current().standard.version
    assert version.endswith(paper.DRAFT)  # else the next lines prove nothing
    page = client.get(f"/c/{drafted.code}").text
    assert "Standar masih rancangan" in page
    assert "rancangan, belum ditetapkan instansi" in page
    assert "Standar masih rancangan, belum ditetapkan instansi" in _text(drafted)
    adopt(by=factories.person("admin").id)
    adopted = world.certified(world.join("Made Contoh"))
    page = client.get(f"/c/{adopted.code}").text
    assert "rancangan" not in page
    assert "ditetapkan instansi" in page
    plain = version.removesuffix(paper.DRAFT)
    assert f"Versi {plain} " in page
    assert f"Versi standar {plain}, ditetapkan instansi" in _text(adopted)
    assert "rancangan" not in _text(adopted)
    # What was issued before stays what it is.
    assert "Standar masih rancangan" in client.get(f"/c/{drafted.code}").text


def test_a_paper_drawn_before_the_adoption_is_not_issued_after_it(app: Flask) -> None:
    world = World()
    fulfil(world.trainee, "K1", at=NOW - timedelta(days=9))
    decided = world.decided()
    drawn = services.draft(decided, now=NOW, base_url="https://x.example", sample=False)
    adopt(by=factories.person("admin").id)
    with pytest.raises(services.Outdated), unit_of_work():
        services.issue(
            decided,
            by_id=world.trainer.id,
            now=NOW,
            base_url="https://x.example",
            sample=False,
            drawn=drawn,
        )


def test_the_pages_of_the_adoption(
    app: Flask, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = factories.person("admin"), factories.person("admin")
    one, two = sign_in(first), sign_in(second)
    page = one.get("/admin/standar").text
    assert "Minta penetapan" in page
    assert "03.1.1" in page
    number = str(competency.current().id)
    wrong = one.post("/admin/standar", data={"standard": number, "basis": "SK 7"})
    assert wrong.status_code == 422
    assert "Centang bila Anda sudah membaca dan berwenang." in wrong.text
    sent = {"standard": number, "basis": "SK 7/2026", "confirm": "y"}
    assert "Standar lain dimuat" in _say(one, "/admin/standar", sent | {"standard": "9" * 12})
    assert "Diminta." in _say(one, "/admin/standar", sent)
    assert "sudah diminta" in _say(two, "/admin/standar", sent)
    waiting = one.get("/admin/standar").text
    assert "Menunggu administrator lain" in waiting
    assert "Sahkan penetapan" not in waiting
    assert "tidak dapat mengesahkan" in _say(one, "/admin/standar/sahkan", {"standard": number})
    assert "Sahkan penetapan" in two.get("/admin/standar").text
    assert "Standar ditetapkan" in _say(two, "/admin/standar/sahkan", {"standard": number})
    page = one.get("/admin/standar").text
    assert "SK 7/2026" in page
    assert "Tarik penetapan" in page
    assert "Ditetapkan" in one.get("/admin/sistem").text
    assert "Penetapan ditarik" in _say(two, "/admin/standar/tarik", {"standard": number})
    assert "mungkin sudah diselesaikan" in _say(two, "/admin/standar/tarik", {"standard": number})
    assert "mungkin sudah diselesaikan" in _say(two, "/admin/standar/sahkan", {"standard": number})
    assert "Standar lain dimuat" in _say(two, "/admin/standar/sahkan", {"standard": "x"})
    assert "Minta penetapan" in one.get("/admin/standar").text
    config = replace(current_app.extensions["suluh"], two_signatures=False)
    monkeypatch.setitem(current_app.extensions, "suluh", config)
    assert "Tetapkan standar" in one.get("/admin/standar").text
    assert "Standar ditetapkan" in _say(one, "/admin/standar", sent)


def _say(browser: FlaskClient, path: str, data: dict[str, str]) -> str:
    return browser.post(path, data=data, follow_redirects=True).text
