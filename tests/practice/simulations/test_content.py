"""What the check of content says about simulations, with file and line."""

import re
from pathlib import Path

import pytest

from lms.config import CONTENT
from lms.practice.simulations import content
from tests.practice.simulations.scene import DOCUMENTS, STANDARD

TEXT = (CONTENT / "k1-asesmen-risiko" / "simulations" / "s1.yaml").read_text(encoding="utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A content folder with one curriculum, whose simulations are still to be written."""
    (tmp_path / "k1" / "simulations").mkdir(parents=True)
    (tmp_path / "k1" / "curriculum.yaml").write_text("code: K1\n", encoding="utf-8")
    return tmp_path


def write(folder: Path, name: str, text: str) -> None:
    (folder / "k1" / "simulations" / name).write_text(text, encoding="utf-8")


def found(folder: Path) -> list[tuple[str, int, str]]:
    _specs, problems = content.check(folder, STANDARD)
    return [(Path(p.file).name, p.line, p.message) for p in problems]


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def test_the_real_file_is_read(folder: Path):
    write(folder, "s1.yaml", TEXT)
    specs, problems = content.check(folder, STANDARD)
    assert problems == []
    assert [(spec.code, spec.variant) for spec in specs] == [("S1", "A")]


def test_a_folder_without_curriculum_is_not_read(folder: Path):
    write(folder, "s1.yaml", "code: [")
    (folder / "k1" / "curriculum.yaml").unlink()
    assert content.check(folder, STANDARD) == ([], [])


def test_a_dead_address_is_named_with_its_line(folder: Path):
    text = re.sub("next: [a-z-]+", "next: tak-ada", TEXT, count=1)
    write(folder, "s1.yaml", text)
    first = DOCUMENTS["S1"]["nodes"][0]
    message = f"{first['id']}/{first['choices'][0]['id']}: no node tak-ada"
    assert ("s1.yaml", line_of(text, "next: tak-ada"), message) in found(folder)


def test_a_kuk_outside_the_standard_s_list_is_named(folder: Path):
    listed = next(s.kuk for s in STANDARD.simulations if s.code == "S1")
    text = TEXT.replace(f'"{listed[-1]}"]', '"01.1.1"]', 1)
    write(folder, "s1.yaml", text)
    message = f"kuk: the standard lists {', '.join(listed)}"
    assert ("s1.yaml", line_of(text, "kuk: ["), message) in found(folder)


def test_effects_have_bounds(folder: Path):
    text = re.sub(r"safety: -?[0-9]", "safety: -3", TEXT, count=1)
    write(folder, "s1.yaml", text)
    [(name, line, message)] = found(folder)
    assert (name, line) == ("s1.yaml", line_of(text, "safety: -3"))
    assert "greater than or equal to -2" in message


def test_unknown_fields_are_errors(folder: Path):
    text = re.sub("^start: ", "mulai: di-sini\nstart: ", TEXT, count=1, flags=re.M)
    write(folder, "s1.yaml", text)
    [(_name, line, message)] = found(folder)
    assert line == line_of(text, "mulai: di-sini")
    assert message.startswith("mulai: ")


def test_a_simulation_the_standard_does_not_know(folder: Path):
    write(folder, "s9.yaml", TEXT.replace("code: S1", "code: S9"))
    assert found(folder) == [("s9.yaml", 1, "the standard has no simulation S9")]


def test_two_files_of_one_variant(folder: Path):
    text = TEXT
    write(folder, "s1.yaml", text)
    write(folder, "s1b.yaml", text)
    assert found(folder) == [("s1b.yaml", 2, "S1 has a variant A already")]
    write(folder, "s1b.yaml", text.replace("variant: A", "variant: B"))
    assert found(folder) == []


def test_every_file_is_read_also_after_a_broken_one(folder: Path):
    write(folder, "a.yaml", "code: [")
    write(folder, "b.yaml", "code: S9\n")
    names = {name for name, _line, _message in found(folder)}
    assert names == {"a.yaml", "b.yaml"}
