"""The item bank: it obeys the rules of item writing, and every breach is named with its line."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from lms.competency import content as standard_content
from lms.competency.content import StandardSpec
from lms.config import CONTENT
from lms.core.content import Unreadable, read_yaml
from lms.quizzes.content import check

FOLDER = CONTENT / "k1-asesmen-risiko"
TEXT = (FOLDER / "items.yaml").read_text(encoding="utf-8")
FIRST = "  - id".join(TEXT.split("  - id")[:4])
"""The first three items: reading all of them takes a third of a second."""


@pytest.fixture(scope="module")
def standard() -> StandardSpec:
    found, _problems = standard_content.check(CONTENT)
    assert found is not None
    return found


@pytest.fixture
def bank(tmp_path: Path) -> Path:
    """A content folder with the curriculum and no items yet."""
    folder = tmp_path / "k1-asesmen-risiko"
    folder.mkdir()
    (folder / "curriculum.yaml").write_text((FOLDER / "curriculum.yaml").read_text())
    return folder / "items.yaml"


def test_the_bank_has_no_problem_and_the_size_of_the_blueprint(standard: StandardSpec):
    items, problems = check(CONTENT, standard)
    assert problems == []
    k1 = [item.spec for item in items if item.curriculum == "K1"]
    assert len(k1) == 78
    assert sum(item.level == "C2" for item in k1) < len(k1) / 3
    assert not any(item.reviewed for item in k1)
    assert len({item.spec.digest for item in items}) == len(items)
    assert {item.curriculum for item in items} == {one.code for one in standard.curricula}


def line_of(text: str, needle: str) -> int:
    return text[: text.index(needle)].count("\n") + 1


Change = tuple[str, str, str]
CHANGES: list[Change] = [
    ("level: C2", "level: C1", "Input should be 'C2', 'C3' or 'C4'"),
    ("key: B\n", "key: E\n", "Input should be 'A', 'B', 'C' or 'D'"),
    ("      D:\n", "      E:\n", "Field required"),
    ("checked_on: 2026-11-21", "checked_on: kemarin", "checked_on"),
    ("level: C2", "colour: red\n    level: C2", "Extra inputs are not permitted"),
    ("id: K1-0211-1", "id: K1-0211-2", "K1-0211-2 appears twice"),
    ("id: K1-0211-1", "id: K1-0212-9", "the id must be K1-0211- and a number"),
    ('kuk: "02.1.1"', 'kuk: "03.2.2"', "K1 has no quiz on KUK 03.2.2"),
    ('kuk: "02.1.1"', 'kuk: "06.1.1"', "K1 has no quiz on KUK 06.1.1"),
    ("Suami Ibu N.", "Suami Ibu N. " + "kata " * 40, "words, at most 60"),
    ("Kekerasan fisik, karena", "Kekerasan fisik " + "dan " * 20 + "karena", "longest to shortest"),
    ("Uraian tidak memuat", "kata " * 40 + "memuat", "rationale has"),
    ("membuat badannya sakit.", "semua benar di sini.", "no option about the other options"),
    ("Suami Ibu N. tidak pernah memukul.", "Ia takut!", "no exclamation marks"),
    ("Suami Ibu N.", "Suami Ibu Nurhayati", "an initial, not a name: Ibu Nurhayati"),
    ("Suami Ibu N. tidak", "Upayanya gagal dan tidak", "write “Belum”: gagal"),
    ("Suami Ibu N. tidak", "Teleponlah 129 bila tidak", "directory.yaml only: 129"),
    ("takut berbicara dan ragu", "takut berbicara dan/atau ragu", "say which: dan/atau"),
    ('"UU 23/2004 ps 1"', '"UU 23/2004 pasal 1"', "law_ref reads like"),
    ('"UU 23/2004 ps 1"', '"UU 12/2022 ps 1"', "UU 12/2022 ps 1 is not in `source`"),
    ("Menurut UU 23/2004", "Menurut UU 12/2022", "UU 12/2022 is named but not in `law_ref`"),
    ("\n    key: B\n", "\n    key: &b B\n    key2: *b\n", "aliases are not used here"),
]


@pytest.mark.parametrize(("old", "new", "message"), CHANGES)
def test_a_planted_mistake_is_named_with_its_line(
    bank: Path, standard: StandardSpec, old: str, new: str, message: str
):
    assert old in FIRST
    changed = FIRST.replace(old, new, 1)
    bank.write_text(changed, encoding="utf-8")
    try:
        _items, problems = check(bank.parents[1], standard)
    except Unreadable as error:
        problems = [error.problem]
    found = [p for p in problems if message in p.message]
    assert found, problems
    assert all(p.file == str(bank) for p in found)
    # Items are about 40 lines long: the message leads into the right one or the one after.
    assert any(abs(p.line - line_of(changed, new.split("\n")[0])) < 50 for p in found)


def change_items(bank: Path, change: Callable[[list[dict]], None]) -> None:
    document = read_yaml(FOLDER / "items.yaml").data
    change(document["items"])
    bank.write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")


def messages(bank: Path, standard: StandardSpec) -> str:
    return "\n".join(p.message for p in check(bank.parents[1], standard)[1])


def test_a_critical_criterion_wants_applying_or_analysing(bank: Path, standard: StandardSpec):
    def change(items: list[dict]) -> None:
        critical = next(item for item in items if item["kuk"] == "02.2.1")
        critical["level"] = "C2"
        critical["stem"] = "Ibu A. datang sendiri. Mana yang bukan langkah aman?"

    change_items(bank, change)
    found = messages(bank, standard)
    assert "an item on a critical KUK is C3 or C4" in found
    assert "no negative question on a critical KUK" in found


def test_options_of_one_item_differ_and_items_of_one_criterion_too(
    bank: Path, standard: StandardSpec
):
    def change(items: list[dict]) -> None:
        items[0]["options"]["A"]["text"] = items[0]["options"]["B"]["text"]
        items[1]["stem"] = items[2]["stem"]

    change_items(bank, change)
    found = messages(bank, standard)
    assert "K1-0211-1: two options are the same" in found
    assert "K1-0211-3 is too like K1-0211-2" in found


def test_a_sentence_may_not_run_on(bank: Path, standard: StandardSpec):
    def change(items: list[dict]) -> None:
        items[0]["stem"] = "Ibu A. " + "dan lalu " * 20 + "bertanya. Apa langkah Anda?"

    change_items(bank, change)
    assert "a sentence has 43 words, at most 35" in messages(bank, standard)


def test_a_criterion_with_too_few_items_is_named(bank: Path, standard: StandardSpec):
    change_items(bank, lambda items: items.pop(0) and items.pop(-1))
    found = messages(bank, standard)
    assert "KUK 02.1.1 has 2 items, at least 3" in found
    assert "KUK 04.2.4 has 5 items, at least 6" in found


def test_a_key_that_prefers_a_letter_is_seen(bank: Path, standard: StandardSpec):
    def change(items: list[dict]) -> None:
        for item in items:
            item["key"] = "C" if item["key"] == "D" else item["key"]

    change_items(bank, change)
    found = messages(bank, standard)
    assert "the key is C in 38 of 78 items" in found
    assert "the key is D in 0 of 78 items" in found


@pytest.mark.parametrize(
    ("guess", "suffix"),
    [
        ("the longest option", " dan itu pun dicatat"),
        ("most law words", " ps 9"),
        ("most commas", ", ya, itu, pun, begitu"),
        ("most parts joined by lalu, dan, serta", " dan lalu dan serta dan"),
        ("most absolute words", " selalu semua pasti harus wajib"),
        ("most denials", " tidak belum tanpa jangan"),
        ("most words of safety", " aman risiko bahaya rahasia"),
        ("most words of safety or choice", " izin setuju memilih bersedia"),
        ("most words of asking and explaining", " bertanya bersama pelan singkat"),
    ],
)
def test_a_key_that_shows_in_the_form_of_the_options_is_seen(
    bank: Path, standard: StandardSpec, guess: str, suffix: str
):
    def change(items: list[dict]) -> None:
        for item in items[:50]:
            item["options"][item["key"]]["text"] += suffix

    change_items(bank, change)
    assert re.search(f"guessing “{guess}” is right in .* of 78 items", messages(bank, standard))


@pytest.mark.parametrize(
    ("guess", "suffix"),
    [
        ("the shortest option", " dan itu pun dicatat"),
        ("fewest absolute words", " selalu semua pasti harus wajib"),
    ],
)
def test_a_key_that_shows_in_the_form_of_the_others_is_seen(
    bank: Path, standard: StandardSpec, guess: str, suffix: str
):
    def change(items: list[dict]) -> None:
        for item in items[:50]:
            for letter, option in item["options"].items():
                option["text"] += "" if letter == item["key"] else suffix

    change_items(bank, change)
    assert f"guessing “{guess}”" in messages(bank, standard)


def test_a_curriculum_with_a_quiz_needs_a_bank(bank: Path, standard: StandardSpec):
    _items, problems = check(bank.parents[1], standard)
    assert [str(p) for p in problems] == [f"{bank}:1: the bank of K1 is missing"]


def test_a_curriculum_nobody_knows_is_left_to_those_who_read_curricula(
    bank: Path, standard: StandardSpec
):
    bank.with_name("curriculum.yaml").write_text("- not a mapping\n")
    assert check(bank.parents[1], standard) == ([], [])
    bank.write_text("items: []\n")
    assert check(bank.parents[1], standard) == ([], [])


def test_a_small_bank_may_be_shared_out_as_evenly_as_it_can(bank: Path, standard: StandardSpec):
    change_items(bank, lambda items: items.__setitem__(slice(None), items[:6]))
    assert "the key is" not in messages(bank, standard)
