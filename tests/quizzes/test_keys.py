"""Which key counts, and what the content files may say against it."""

from dataclasses import replace

import pytest
from flask import Flask

from lms.config import CONTENT
from lms.core.db import unit_of_work
from lms.quizzes import corrections, services
from lms.quizzes.content import BankItem, ItemSpec, check
from lms.quizzes.rules import Correction, brings_back, corrected_by
from tests import factories
from tests.factories import NOW
from tests.ledgers import SPEC

SLUG = "K1-0321-1"


def step(wrong: int, corrected: int | None) -> Correction:
    return Correction(f"c{wrong}", wrong, corrected, "", NOW)


def test_corrections_are_followed_to_the_last():
    found = {1: step(1, 3), 3: step(3, 4), 4: step(4, None), 7: step(7, 8)}
    assert [one.corrected for one in corrected_by(1, found)] == [3, 4, None]
    assert [one.corrected for one in corrected_by(7, found)] == [8]
    assert corrected_by(8, found) == ()


# A letter is a thing that is called right.
@pytest.mark.parametrize(
    ("digest", "answers", "decided", "back"),
    [
        ("a", "B", [], False),
        ("a", "B", [("a", "B", "C")], True),  # the very text
        ("b", "B", [("a", "B", "C")], True),  # another text, the same refused answer
        ("b", ["b "], [("a", "B", "C")], True),
        ("b", "C", [("a", "B", "C")], False),  # the file agrees
        ("b", "D", [("a", "B", "C")], False),  # another question
        ("a", "B", [("a", "B", "")], True),
        ("b", "B", [("a", "B", "")], True),
        ("b", "D", [("a", "B", "")], False),
        ("a", "B", [("a", "B", "C"), ("x", "C", "B")], False),  # corrected back
        ("b", "C", [("a", "B", "C"), ("x", "C", "B")], True),
        ("a", "", [("a", "", "")], True),  # another type of question
        ("b", "", [("a", "", "")], False),
        ("b", "ABC", [("a", "AB", "A")], True),  # one thing more beside the wrong one
        ("b", "BA", [("a", "AB", "A")], True),  # in another order
        ("b", "BA", [("a", "CD", "AB")], False),
        ("b", "AC", [("a", "AB", "A")], False),  # what is new was never refused
        ("b", "A", [("a", "A", "AB")], True),  # too little was the mistake
        ("b", "AC", [("a", "A", "AB")], False),
        ("b", "ABC", [("a", "AB", "A"), ("x", "A", "AB")], False),  # B is right again
        ("b", "BD", [("a", "AB", "AC"), ("x", "AC", "AD")], True),  # refused two steps ago
    ],
)
def test_a_file_brings_a_wrong_key_back(digest, answers, decided, back):
    assert brings_back(digest, answers, decided) is back


@pytest.fixture
def bank() -> list[BankItem]:
    items, problems = check(CONTENT, SPEC)
    assert problems == []
    return items


def changed(bank: list[BankItem], **values: object) -> list[BankItem]:
    return [
        replace(item, spec=ItemSpec.model_validate(item.spec.model_dump() | values))
        if item.spec.id == SLUG
        else item
        for item in bank
    ]


def load(items: list[BankItem]) -> dict[str, int]:
    with unit_of_work():
        return services.load(items, now=NOW)


def correct(key: str | None) -> corrections.Wording:
    by_id = factories.person("reviewer").id
    with unit_of_work():
        wording = corrections.get_wording(SLUG, corrections.find_newest(SLUG))
        chosen = wording.choices[0] if key == "first" else key
        corrections.correct(wording, chosen, reason="Keliru.", by_id=by_id, now=NOW)
    return corrections.get_wording(SLUG, corrections.find_newest(SLUG))


def test_loading_keeps_a_corrected_key_until_the_file_agrees(app: Flask, bank: list[BankItem]):
    new = correct("first")
    found = load(bank)
    assert (found["kept"], found["changed"]) == (1, 0)
    assert corrections.find_newest(SLUG) == new.number
    [said] = services.list_disagreeing(bank)
    assert (said.slug, said.right_answer) == (
        SLUG,
        dict((a, b) for a, b, _ in new.options)[new.key],
    )

    # A typing error is mended, the key is still the wrong one.
    typed = changed(bank, source="Sumber yang lain, UU 23/2004 Pasal 5 dan seterusnya")
    assert load(typed)["kept"] == 1

    agreed = changed(bank, key=new.key)
    found = load(agreed)
    assert (found["kept"], found["changed"]) == (0, 1)
    assert services.list_disagreeing(agreed) == []
    assert corrections.get_wording(SLUG, new.number + 1).key == new.key
    assert load(agreed)["unchanged"] == len(bank)


def test_loading_does_not_bring_back_an_item_without_a_right_option(
    app: Flask, bank: list[BankItem]
):
    old = correct(None)
    assert old.is_withdrawn
    assert load(bank)["kept"] == 1
    assert corrections.get_wording(SLUG, old.number).is_withdrawn
    # Another key in the file is a new wording, and it is drawn again.
    assert load(changed(bank, key=old.choices[0]))["changed"] == 1
    assert not corrections.get_wording(SLUG, old.number + 1).is_withdrawn
