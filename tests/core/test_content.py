"""Whatever an author writes wrong is answered with a file and a line, never with a crash."""

from pathlib import Path

import pytest

from lms.core import content
from lms.core.content import Spec, Unreadable, read_markdown, read_yaml, validate
from lms.core.ids import digest_of_text


class Option(Spec):
    text: str
    weight: int


class Question(Spec):
    code: str
    on: str
    options: list[Option]


def written(folder: Path, text: str, name: str = "a.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("a: &x 1\nb: *x\n", 2, "aliases are not used"),
        ("a: 1\nb: [1, 2\nc: 3\n", 3, "expected ',' or ']'"),
        ("a: 1\nb:\n\t- 1\n", 3, "cannot start any token"),
        ("a: 1\nb: \x07\n", 2, "special characters are not allowed"),
        ("a: 1\nb: 2\na: 3\n", 3, "a is written twice"),
        ("a:\n  - !!python/object:os.system {}\n", 2, "could not determine a constructor"),
        ("a: !!int word\n", 1, "invalid literal"),
        ("a: 1\n---\nb: 1\n", 2, "but found another document"),
        ("[" * 5000, 1, "recursion"),
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_its_line(
    tmp_path: Path, text: str, line: int, says: str
):
    path = written(tmp_path, text)
    with pytest.raises(Unreadable) as refused:
        read_yaml(path)
    problem = refused.value.problem
    assert (problem.file, problem.line) == (str(path), line)
    assert says in problem.message
    assert str(refused.value) == f"{path}:{line}: {problem.message}"


def test_a_file_that_is_not_utf8_names_the_line(tmp_path: Path):
    path = tmp_path / "a.yaml"
    path.write_bytes(b"a: 1\nb: caf\xe9\n")
    with pytest.raises(Unreadable, match=r"a\.yaml:2: not UTF-8"):
        read_yaml(path)


def test_a_file_too_large_is_refused_before_it_is_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    path = written(tmp_path, "a: 12345\n")
    monkeypatch.setattr(content, "LARGEST", path.stat().st_size)
    assert read_yaml(path).data == {"a": 12345}
    monkeypatch.setattr(content, "LARGEST", path.stat().st_size - 1)
    with pytest.raises(Unreadable, match="larger than"):
        read_yaml(path)


def test_no_meaning_is_guessed_from_words(tmp_path: Path):
    text = (
        "on: 2026-12-09\nat: 2026-12-09 10:42:00\n"
        "answers: [no, yes, Off, true, false, 1, ~]\n<<: x\n"
    )
    assert read_yaml(written(tmp_path, text)).data == {
        "on": "2026-12-09",
        "at": "2026-12-09 10:42:00",
        "answers": ["no", "yes", "Off", True, False, 1, None],
        "<<": "x",
    }


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(tmp_path: Path):
    path = tmp_path / "a.md"
    path.write_bytes("\ufeff---\r\na: 1\r\n---\r\nSatu\r\nDua\r\n".encode())
    found = read_markdown(path)
    assert (found.data, found.body) == ({"a": 1}, "Satu\nDua\n")


def test_an_empty_file_holds_nothing(tmp_path: Path):
    found = read_yaml(written(tmp_path, ""))
    assert found.data is None
    assert found.line(["a"]) == 1
    model, problems = validate(Question, found)
    assert model is None
    assert problems[0].line == 1


GOOD = """\
code: S1
on: 2026-12-09
options:
  - text: "  satu  "
    weight: 1
  - text: dua
    weight: 2
"""


def test_a_file_that_fits_becomes_its_model(tmp_path: Path):
    model, problems = validate(Question, read_yaml(written(tmp_path, GOOD)))
    assert problems == []
    assert model == Question(
        code="S1",
        on="2026-12-09",
        options=[Option(text="satu", weight=1), Option(text="dua", weight=2)],
    )


def test_every_problem_of_a_file_is_found_at_its_line(tmp_path: Path):
    text = GOOD.replace("weight: 2", "weight: berat").replace("code:", "kode:")
    model, problems = validate(Question, read_yaml(written(tmp_path, text)))
    assert model is None
    assert [(p.line, p.message.split(":")[0]) for p in sorted(problems)] == [
        (1, "code"),
        (1, "kode"),
        (7, "options.1.weight"),
    ]


def test_a_place_that_is_not_there_gives_the_line_of_what_holds_it(tmp_path: Path):
    source = read_yaml(written(tmp_path, GOOD))
    assert source.line(["options", 1, "weight"]) == 7
    assert source.line(["options", 1, "missing"]) == 6
    assert source.line(["options", 9]) == 4
    assert source.line(["options", "text"]) == 4
    assert source.line(["code", "deeper"]) == 1
    assert str(source.problem("odd", "options", 0)).endswith("a.yaml:4: odd")


MARKDOWN = """\
---
code: L1
options:
  - text: satu
    weight: x
---

# Judul

Isi --- bukan kepala.
"""


def test_markdown_has_a_head_and_a_body_and_both_know_their_lines(tmp_path: Path):
    source = read_markdown(written(tmp_path, MARKDOWN, "01-a.md"))
    assert source.data["code"] == "L1"
    assert source.line(["options", 0, "weight"]) == 5
    assert source.body.startswith("\n# Judul")
    assert source.body_line == 7
    assert MARKDOWN.split("\n")[source.body_line - 1 :] == source.body.split("\n")


@pytest.mark.parametrize("text", ["", "# Judul\n", "---\ncode: L1\n", "\n---\ncode: L1\n---\n"])
def test_markdown_without_a_head_is_refused(tmp_path: Path, text: str):
    with pytest.raises(Unreadable, match=r"01-a\.md:1: the file must start with a head"):
        read_markdown(written(tmp_path, text, "01-a.md"))


def test_a_bad_head_names_the_line_of_the_file_not_of_the_head(tmp_path: Path):
    path = written(tmp_path, "---\na: 1\nb: [\n---\nIsi\n", "01-a.md")
    with pytest.raises(Unreadable) as refused:
        read_markdown(path)
    assert refused.value.problem.line in {3, 4}


def test_the_digest_of_a_text_is_its_sha256():
    assert digest_of_text("") == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
