"""Articles that are marked, taken back and explained."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from lms.config import CONTENT
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.models import AuditEvent
from lms.modules import content, laws, services
from lms.modules.law import registry
from lms.modules.law.registry import Registry
from lms.modules.law.rules import MarkState, Status
from lms.modules.models import Law, LawMark, Lesson, LessonLaw
from tests import factories
from tests.factories import NOW
from tests.ledgers import SPEC, STANDARD
from tests.queries import counted

TODAY = NOW.date()
ARTICLE = "UU 23/2004 ps 16"
REASON = "Diganti oleh undang-undang baru."


def supersede(article: str = ARTICLE, **values) -> str:
    settings = {"since": TODAY, "reason": REASON, "actor_id": None, "now": NOW, "today": TODAY}
    with unit_of_work():
        return laws.supersede(article, **(settings | values)).public_id


def reinstate(article: str = ARTICLE) -> None:
    with unit_of_work():
        laws.reinstate(article, reason="Salah tandai.", actor_id=None, now=NOW, today=TODAY)


@pytest.mark.both
def test_a_mark_holds_until_it_is_taken_back(app: Flask):
    assert laws.superseded() == frozenset()
    with pytest.raises(laws.NotMarked):
        reinstate()
    admin_id = factories.person("admin").id
    supersede(actor_id=admin_id, replaced_by="UU 1/2027 ps 5")
    supersede("UU 12/2022 ps 42", since=TODAY - timedelta(days=400))
    assert laws.superseded() == {ARTICLE, "UU 12/2022 ps 42"}
    assert laws.list_marks()[ARTICLE].replaced_by == "UU 1/2027 ps 5"
    supersede(reason="Alasan yang dibetulkan.")
    assert laws.list_marks()[ARTICLE].reason == "Alasan yang dibetulkan."
    reinstate()
    assert laws.superseded() == {"UU 12/2022 ps 42"}
    with pytest.raises(laws.NotMarked):
        reinstate()
    assert [one.state for one in laws.history_of(ARTICLE)] == [
        MarkState.IN_FORCE, MarkState.SUPERSEDED, MarkState.SUPERSEDED,
    ]  # fmt: skip
    told = db.session.execute(
        select(AuditEvent.action, AuditEvent.actor_id, AuditEvent.detail)
        .where(AuditEvent.action.startswith("modules."))
        .order_by(AuditEvent.id)
    ).all()
    assert [row.action for row in told] == [
        "modules.supersede", "modules.supersede", "modules.supersede", "modules.reinstate",
    ]  # fmt: skip
    assert told[0].actor_id == admin_id
    assert told[0].detail["article"] == ARTICLE


@pytest.mark.parametrize(
    "text", ["UU 23/2004 ps 999", "UU 99/1999 ps 1", "UU 23/2004", "UU 23/2004 ps 16-17", "x"]
)
def test_only_one_article_of_the_registry_can_be_marked(app: Flask, text: str):
    with pytest.raises(laws.UnknownArticle):
        supersede(text)
    assert db.session.scalar(select(func.count(LawMark.id))) == 0


def test_an_article_is_marked_on_its_day_not_before(app: Flask):
    with pytest.raises(laws.NotYet):
        supersede(since=TODAY + timedelta(days=1))
    supersede("UU 23/2004 ps 16(1)")  # a paragraph is its article
    assert laws.superseded() == {ARTICLE}


def test_a_reading_is_attached_and_replaced_and_goes_with_the_mark(app: Flask):
    with pytest.raises(laws.NotMarked), unit_of_work():
        laws.attach(ARTICLE, title="Judul", text="Isi.", actor_id=None, now=NOW)
    first = supersede(delta=("Yang berubah", "**Kini** 2x24 jam.\n\n<script>x</script>"))
    mark = laws.get_mark(first)
    assert "<strong>Kini</strong>" in mark.delta_html
    assert "<script>" not in mark.delta_html
    with unit_of_work():
        newer = laws.attach(ARTICLE, title="Judul", text="Isi baru.", actor_id=None, now=NOW)
        newer_id = newer.public_id
    assert laws.get_mark(newer_id).reason == REASON
    for gone in (first, "tidak-ada"):
        with pytest.raises(NotFound):
            laws.get_mark(gone)
    reinstate()
    with pytest.raises(NotFound):
        laws.get_mark(newer_id)


@pytest.mark.both
def test_loading_the_registry_again_changes_nothing_and_what_left_is_retired(app: Flask):
    found, _ = registry.check(CONTENT)
    total = len(found)

    def load(some: Registry) -> dict[str, int]:
        with unit_of_work():
            return laws.load(some, now=NOW)

    nothing = {"added": 0, "changed": 0, "retired": 0}
    assert load(found) == nothing | {"unchanged": total}
    supersede()
    first = found.laws["UU 23/2004"]
    spoilt = first.model_copy(update={"status": Status.TO_BE_VERIFIED})
    less = {"UU 23/2004": spoilt, "PP 4/2006": found.laws["PP 4/2006"]}
    assert load(Registry(less)) == {
        "added": 0, "changed": 1, "unchanged": 1, "retired": total - 2,
    }  # fmt: skip
    assert [law.code for law, _ in laws.list_registry()] == list(less)
    assert laws.superseded() == {ARTICLE}
    assert load(found)["changed"] == 1
    assert db.session.scalar(select(func.count(Law.id))) == total
    assert len(laws.list_registry()) == total


def test_which_wording_cites_which_article_is_kept(app: Flask):
    texts, _ = content.check(CONTENT, SPEC)
    assert "UU 23/2004 ps 16" in next(t for t in texts if t.spec.code == "K1.8").cites
    before = set(db.session.execute(select(LessonLaw.lesson_id, LessonLaw.article)).all())
    assert len(before) > 20
    # A range of a source is each of its articles.
    first_id = db.session.scalars(select(Lesson.id).where(Lesson.code == "K1.1")).one()
    assert {(first_id, f"UU 23/2004 ps {n}") for n in range(5, 10)} <= before
    changed = replace(texts[0], digest="0" * 64, cites=("UU 23/2004 ps 5",))
    with unit_of_work():
        services.load([changed, *texts[1:]], now=NOW)
    rows = select(LessonLaw.version, LessonLaw.article).where(LessonLaw.lesson_id == first_id)
    kept = db.session.execute(rows).all()
    assert (2, "UU 23/2004 ps 5") in kept
    assert (1, "UU 23/2004 ps 9") in kept
    assert (2, "UU 23/2004 ps 9") not in kept
    assert "K1.1" not in [one.code for one in laws.list_lessons("UU 23/2004 ps 9")]
    assert laws.count_lessons()["UU 23/2004 ps 5"] == 1


def test_a_lesson_says_that_it_is_looked_at_again(app: Flask):
    person_id = factories.person().id
    supersede(replaced_by="UU 1/2027 ps 5")
    reading = services.read_lesson("k1", 8, person_id, STANDARD)
    touched = {line.code for line in reading.outline.lines if line.in_review}
    concerned = {one.code for one in laws.list_lessons(ARTICLE)}
    assert touched == {code for code in concerned if code.startswith("K1.")}
    assert "K1.8" in touched
    assert "K1.3" not in touched
    [mark] = laws.list_reasons(reading.line.id, reading.line.version)
    assert (mark.article, mark.since) == (ARTICLE, TODAY)
    reinstate()
    lines = services.read_lesson("k1", 8, person_id, STANDARD).outline.lines
    assert not any(line.in_review for line in lines)


def test_readers_see_since_when_and_why(app: Flask, client: FlaskClient, sign_in):
    browser = sign_in(factories.person("trainee"))
    page = "/modul/k1/8"
    before = browser.get(page).text
    assert "Sedang ditinjau" not in before + browser.get("/pelajaran").text
    assert "sedang ditinjau" not in before
    supersede(since=date(2026, 1, 2), replaced_by="UU 1/2027 ps 5", reason="Alasan <b>uji</b>.")
    text = browser.get(page).text
    assert "Sedang ditinjau" in text
    assert "UU 23/2004 ps 16 tidak berlaku lagi sejak 2 Januari 2026." in text
    assert "Kini: UU 1/2027 ps 5." in text
    assert "Alasan &lt;b&gt;uji&lt;/b&gt;." in text
    assert "· sedang ditinjau" in text  # its law block
    assert "· masih berlaku" in text  # the other one
    assert browser.get("/pelajaran").text.count("Sedang ditinjau") == len(
        laws.list_lessons(ARTICLE)
    )
    assert "Sedang ditinjau" not in browser.get("/modul/k1/3").text


def test_a_lesson_costs_one_query_more_only_when_it_is_looked_at_again(app: Flask, sign_in):
    def cost(page: str) -> int:
        with counted() as statements:
            assert browser.get(page).status_code == 200
        return len(statements)

    browser = sign_in(factories.person("trainee"))
    cost("/modul/k1/8")
    plain, other = cost("/modul/k1/8"), cost("/modul/k1/3")
    supersede()
    assert cost("/modul/k1/8") == plain + 1
    assert cost("/modul/k1/3") == other


def test_an_article_is_found_by_its_address(app: Flask):
    found = laws.get_article("uu-23-2004", "16")
    assert (found.name, found.status) == (ARTICLE, Status.IN_FORCE)
    assert found.about.startswith("Polisi wajib")
    for slug, ps in [("uu-23-2004", "99"), ("uu-0-2004", "16")]:
        with pytest.raises(NotFound):
            laws.get_article(slug, ps)
