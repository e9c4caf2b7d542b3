"""Items that stand on an article marked superseded are not drawn."""

import pytest
from flask import Flask
from sqlalchemy import select

from lms.config import CONTENT
from lms.core.db import db, unit_of_work
from lms.modules import laws
from lms.quizzes import rules, services
from lms.quizzes.content import BankItem, check
from lms.quizzes.models import Attempt, AttemptItem, Item, ItemLaw, ItemVersion, Quiz
from tests import factories
from tests.factories import NOW
from tests.ledgers import SPEC, STANDARD
from tests.queries import counted
from tests.quizzes.helpers import begin, drawn, hand_in

ARTICLE = "UU 35/2014 ps 76C"


def supersede(article: str = ARTICLE) -> None:
    with unit_of_work():
        laws.supersede(
            article, since=NOW.date(), reason="Diganti.", actor_id=None, now=NOW, today=NOW.date()
        )


def reinstate(article: str = ARTICLE) -> None:
    with unit_of_work():
        laws.reinstate(article, reason="Keliru.", actor_id=None, now=NOW, today=NOW.date())


def versions_on(article: str) -> set[int]:
    asked = select(ItemLaw.item_version_id).where(ItemLaw.article == article)
    return set(db.session.scalars(asked))


def bank() -> dict[str, set[int]]:
    quiz_id = db.session.scalars(select(Quiz.id).where(Quiz.curriculum_code == "K1")).one()
    return {kuk: {one.version for one in many} for kuk, many in services._bank(quiz_id).items()}


def spared() -> str:
    """Return the article with most items whose absence leaves every criterion enough of them."""
    full = bank()

    def leaves_enough(article: str) -> bool:
        touched = versions_on(article)
        return all(
            len(versions - touched) >= STANDARD.shown_for(STANDARD.find(kuk))
            for kuk, versions in full.items()
        )

    own = set().union(*full.values())
    spare = filter(leaves_enough, services.count_items())
    return max(spare, key=lambda article: len(versions_on(article) & own))


@pytest.mark.both
def test_its_items_leave_the_bank_and_come_back(app: Flask):
    before = bank()
    touched = versions_on(ARTICLE)
    assert touched
    assert len(touched) == services.count_items()[ARTICLE] == len(services.list_items(ARTICLE))
    supersede()
    after = bank()
    assert set().union(*after.values()) == set().union(*before.values()) - touched
    reinstate()
    assert bank() == before


def test_no_draw_shows_one_of_its_items(app: Flask):
    """Somebody sits after the mark: whatever the draw, no item of the article is in it."""
    article = spared()
    touched = versions_on(article)
    people = [factories.person("trainee").id for _ in range(16)]
    assert {line[3] for who in people[:8] for line in drawn(begin(who))} & touched
    supersede(article)
    assert not {line[3] for who in people[8:] for line in drawn(begin(who))} & touched


def test_a_running_sitting_is_not_disturbed(app: Flask):
    person_id = factories.person("trainee").id
    ref = begin(person_id)
    lines = drawn(ref)
    for article in {row for row in db.session.scalars(select(ItemLaw.article))}:
        supersede(article)
    assert drawn(ref) == lines
    assert begin(person_id).public_id == ref.public_id
    hand_in(ref)
    closed = db.session.scalars(select(Attempt.closed_at)).one()
    assert closed == NOW
    assert db.session.scalars(select(AttemptItem.id)).all()


def test_a_quiz_with_a_criterion_that_has_no_item_left_says_so(app: Flask, sign_in):
    kuk = "02.1.1"
    newest = select(ItemVersion.id).join(Item).where(Item.kuk == kuk)
    articles = set(
        db.session.scalars(select(ItemLaw.article).where(ItemLaw.item_version_id.in_(newest)))
    )
    assert articles
    for article in articles:
        supersede(article)
    person = factories.person("trainee")
    assert kuk not in bank()
    with pytest.raises(rules.BankTooSmall):
        begin(person.id)
    browser = sign_in(person)
    page = browser.post("/kuis/k1", follow_redirects=True)
    assert "Soal kuis ini sedang diperbarui" in page.text
    for article in articles:
        reinstate(article)
    assert begin(person.id).public_id


def test_what_stands_on_marked_law_is_asked_in_one_query(app: Flask):
    quiz_id = db.session.scalars(select(Quiz.id).where(Quiz.curriculum_code == "K1")).one()
    with counted() as plain:
        services._bank(quiz_id)
    assert len(plain) == 2
    assert "law_mark" in plain[0]
    supersede()
    with counted() as marked:
        services._bank(quiz_id)
    assert marked == plain


def test_a_new_wording_that_stands_on_other_law_is_drawn(app: Flask):
    """The mark follows the newest wording: the corrected item is back without a word of anybody."""
    version_id = min(versions_on(ARTICLE))
    old = db.session.get_one(ItemVersion, version_id)
    slug = db.session.get_one(Item, old.item_id).slug
    supersede()
    assert slug in [one.slug for one in services.list_items(ARTICLE)]

    items, _ = check(CONTENT, SPEC)
    corrected = [
        BankItem(
            one.curriculum,
            one.spec.model_copy(update={"law_ref": ["UU 23/2004 ps 15"]})
            if one.spec.id == slug
            else one.spec,
        )
        for one in items
    ]
    with unit_of_work():
        assert services.load(corrected, now=NOW)["changed"] == 1
    assert slug not in [one.slug for one in services.list_items(ARTICLE)]
    newest = db.session.scalars(
        select(ItemVersion.id).where(ItemVersion.item_id == old.item_id, ItemVersion.number == 2)
    ).one()
    assert newest in set().union(*bank().values())
    assert version_id in versions_on(ARTICLE)  # who had the old one is still known
