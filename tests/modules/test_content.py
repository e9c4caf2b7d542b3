import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from lms.config import CONTENT
from lms.modules import content
from tests.ledgers import SPEC

FOLDER = "k1-asesmen-risiko"
FIRST = f"{FOLDER}/01-empat-bentuk-dan-lingkup.md"
WORKSHOP = f"{FOLDER}/11-lokakarya.md"
LIST = f"{FOLDER}/curriculum.yaml"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a copy of the lessons that may be spoilt."""
    (tmp_path / FOLDER).mkdir()
    for path in (CONTENT / FOLDER).glob("*.md"):
        shutil.copy(path, tmp_path / FOLDER)
    shutil.copy(CONTENT / LIST, tmp_path / FOLDER)
    return tmp_path


Spoil = Callable[..., list[str]]


@pytest.fixture
def spoil(copy: Path) -> Spoil:
    """Return a function that changes a file and tells what the check says, without the folder."""

    def change(name: str, pattern: str, replacement: str) -> list[str]:
        path = copy / name
        text = path.read_text(encoding="utf-8")
        new = re.sub(pattern, replacement, text, count=1, flags=re.M | re.S)
        assert new != text
        path.write_text(new, encoding="utf-8")
        _, problems = content.check(copy, SPEC)
        return [str(problem).removeprefix(f"{copy}/{FOLDER}/") for problem in problems]

    return change


def test_the_lessons_of_k1_are_in_order():
    texts, problems = content.check(CONTENT, SPEC)
    assert problems == []
    texts = [text for text in texts if text.curriculum.code == "K1"]
    assert [text.spec.code for text in texts] == [*(f"K1.{n}" for n in range(1, 11)), "K1.T"]
    assert [text.position for text in texts] == list(range(1, 12))
    assert [text.module_code for text in texts] == [
        *["K1/M1"] * 4, *["K1/M2"] * 4, *["K1/M3"] * 3,
    ]  # fmt: skip
    assert [text.spec.in_person for text in texts] == [False] * 10 + [True]
    assert {text.curriculum_position for text in texts} == {1}


def test_every_curriculum_is_taught_in_the_order_of_the_standard():
    texts, _ = content.check(CONTENT, SPEC)
    codes = [curriculum.code for curriculum in SPEC.curricula]
    assert list(dict.fromkeys(text.curriculum.code for text in texts)) == codes
    for position, code in enumerate(codes, 1):
        own = [text for text in texts if text.curriculum.code == code]
        assert {text.curriculum_position for text in own} == {position}
        assert [text.position for text in own] == list(range(1, len(own) + 1))
        assert [text.spec.code for text in own if text.spec.in_person] == [f"{code}.T"]
        assert own[-1].spec.in_person
    for text in texts:
        if text.spec.in_person:  # 45 minutes a JP
            assert text.spec.minutes == 45 * text.spec.jp


def test_every_lesson_has_its_case_and_its_lists():
    texts, _ = content.check(CONTENT, SPEC)
    for text in [text for text in texts if not text.spec.in_person]:
        kinds = [block["kind"] for block in text.blocks]
        assert {"case", "do", "never", "prose"} <= set(kinds)
        assert all(block["html"].strip() for block in text.blocks)


def test_a_law_block_is_one_sentence_without_a_paragraph():
    texts, _ = content.check(CONTENT, SPEC)
    law = [block for text in texts for block in text.blocks if block["kind"] == "law"]
    assert law
    assert not any("<p>" in block["html"] for block in law)


def test_a_head_that_does_not_fit_names_its_line(spoil: Spoil):
    assert spoil(FIRST, r"^minutes: 20$", "minutes: 2") == [
        "01-empat-bentuk-dan-lingkup.md:5: minutes: Input should be greater than or equal to 5",
        "curriculum.yaml:9: lesson K1.1: 0 files have this code",
        "curriculum.yaml:6: no online lesson teaches KUK 02.1.1",
        "curriculum.yaml:6: no online lesson teaches KUK 02.1.2",
    ]


def test_an_unknown_field_and_a_day_that_is_none_are_found(spoil: Spoil):
    assert "2: judul: Extra inputs are not permitted" in "\n".join(
        spoil(FIRST, r"^code: K1.1$", "judul: x\ncode: K1.1")
    )
    assert "checked_on: Value error" in "\n".join(
        spoil(FIRST, r"checked_on: 2026-11-21", "checked_on: 2026-13-41")
    )


def test_a_lesson_may_not_be_too_long(spoil: Spoil):
    [problem] = spoil(FIRST, r"\Z", "\n" + "Kata pendek sekali ini.\n\n" * 200)
    assert "words; at most 700" in problem


def test_a_sentence_may_not_be_too_long_and_its_line_is_named(spoil: Spoil, copy: Path):
    line = len((copy / FIRST).read_text(encoding="utf-8").split("\n")) + 1
    problems = spoil(FIRST, r"\Z", "\n\n" + "kata " * 36 + "akhir.\n")
    assert problems == [f"01-empat-bentuk-dan-lingkup.md:{line + 1}: a sentence of 37 words"]


def test_sentences_may_not_be_long_on_average(spoil: Spoil):
    [problem] = spoil(WORKSHOP, r"\Z", "\n\n" + ("kata " * 29 + "akhir. ") * 300 + "\n")
    assert re.search(r"11-lokakarya.md:\d+: sentences have 2\d\.\d words on average", problem)


def test_each_lesson_has_one_case(spoil: Spoil):
    [problem] = spoil(FIRST, r"^::: case .*?^:::$", "")
    assert "0 blocks ::: case; there has to be one" in problem


def test_law_must_be_among_the_sources(spoil: Spoil):
    problems = spoil(FIRST, r"^::: law [^\n]*", "::: law UU 99/2004 ps 1")
    assert [p for p in problems if "UU 99/2004 ps 1 is not among the sources" in p] == problems
    assert len(problems) == 1


def test_faults_of_blocks_name_their_line(spoil: Spoil):
    problems = spoil(FIRST, r"^::: do$", "::: tip")
    assert any(re.search(r"md:\d+: unknown kind of block: tip", p) for p in problems)


def test_kuk_must_exist_belong_here_and_stand_once(spoil: Spoil):
    problems = spoil(
        FIRST, r"^kuk: .*?$", 'kuk: ["02.1.1", "02.1.2", "99.9.9", "01.1.1", "02.1.1"]'
    )
    assert [p.split(": ", 1)[1] for p in problems] == [
        "the standard has no KUK 99.9.9",
        "KUK 01.1.1 belongs to K2",
        "KUK 02.1.1 stands here twice",
    ]


def test_every_kuk_has_to_be_taught_online(spoil: Spoil):
    assert spoil(FIRST, r"^kuk: .*?$", 'kuk: ["02.1.1"]') == [
        "curriculum.yaml:6: no online lesson teaches KUK 02.1.2"
    ]


def test_practice_names_a_simulation_of_the_standard(spoil: Spoil):
    [problem] = spoil(FIRST, r"^practice: \[\]$", "practice: [S9]")
    assert problem.endswith("the standard has no simulation S9")


def test_a_file_and_its_place_must_agree(spoil: Spoil, copy: Path):
    (copy / FIRST).rename(copy / FOLDER / "12-lain.md")
    problems = spoil(LIST, r"lessons: \[K1.1, ", "lessons: [")
    assert "12-lain.md:2: K1.1 is in no module of curriculum.yaml" in problems
    assert "02-kendali-ekonomi-digital.md:2: the file of K1.2 has to begin with 01" in problems


def test_a_code_used_twice_is_found(spoil: Spoil):
    problems = spoil(FIRST, r"^code: K1.1$", "code: K1.2")
    assert "curriculum.yaml:9: lesson K1.1: 0 files have this code" in problems
    assert "curriculum.yaml:9: lesson K1.2: 2 files have this code" in problems


def test_an_unknown_curriculum_is_found(spoil: Spoil):
    problems = spoil(LIST, r"^code: K1$", "code: K9")
    assert "curriculum.yaml:2: the standard has no curriculum K9" in problems


def test_a_curriculum_that_does_not_fit_is_reported_alone(spoil: Spoil):
    assert spoil(LIST, r"^title: [^\n]*\n", "") == ["curriculum.yaml:1: title: Field required"]


def test_the_lesson_a_case_study_waits_for_must_exist(spoil: Spoil):
    assert any(
        "case study SK1 is done in K1.10" in p
        for p in spoil(LIST, r"\[K1.9, K1.10, K1.T\]", "[K1.9, K1.T]")
    )


def test_no_curriculum_is_no_problem(tmp_path: Path):
    assert content.check(tmp_path, SPEC) == ([], [])
