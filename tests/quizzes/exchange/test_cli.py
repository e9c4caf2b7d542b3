"""`questions convert` and `questions template`: a file, what is said about it, the exit code."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lms import cli
from lms.config import CONTENT
from lms.quizzes.exchange import formats

GOOD = "// [tag:kuk:02.1.1]\n::S1::Apa?{=ya ~tidak}\n"
BAD = GOOD + "\nRusak{\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "soal.gift"
    path.write_text(GOOD, encoding="utf-8")
    return path


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, ["questions", *map(str, arguments)])


def test_a_file_goes_to_standard_output_and_the_preview_beside_it(file: Path):
    done = run("convert", "--from", "gift", "--to", "aiken", file)
    assert done.exit_code == 0
    assert done.stdout == "Apa?\nA) ya\nB) tidak\nANSWER: A\n"
    assert done.stderr.splitlines() == [
        "Read 1 questions: 1 single; 0 refused",
        "Written as aiken: 1; 0 refused",
        "  warning: S1: Aiken cannot hold the name beside the id",
        "  warning: S1: Aiken cannot hold tags (KUK, law, level, source)",
        "  warning: S1: Aiken cannot hold the format of a text",
    ]


def test_what_is_refused_is_left_out_and_the_exit_code_says_so(file: Path, tmp_path: Path):
    file.write_text(BAD, encoding="utf-8")
    out = tmp_path / "out.xml"
    done = run("convert", "--from", "gift", "--to", "moodle-xml", file, "--out", out)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert "error: line 4: the braces do not match" in done.stderr
    assert len(formats.read("moodle-xml", out.read_bytes()).questions) == 1


def test_what_a_format_cannot_hold_is_refused_as_well(file: Path):
    file.write_text("Apa?{}\n", encoding="utf-8")
    done = run("convert", "--from", "gift", "--to", "aiken", file)
    assert done.exit_code == 1
    assert done.stdout == ""


def test_a_file_that_is_refused_writes_nothing(file: Path, tmp_path: Path):
    out = tmp_path / "out"
    done = run("convert", "--from", "moodle-xml", "--to", "gift", file, "--out", out)
    assert done.exit_code == 1
    assert not out.exists()
    assert "Nothing was written." in done.stderr


def test_a_program_reads_the_preview(file: Path, tmp_path: Path):
    file.write_text(BAD, encoding="utf-8")
    out = tmp_path / "out.xlsx"
    done = run("convert", "--from", "gift", "--to", "xlsx", file, "--out", out, "--json")
    assert done.exit_code == 1
    found = json.loads(done.stdout)
    assert (found["questions"], found["written"], found["refused"]) == (1, 1, 1)
    assert found["counts"] == {"single": 1}
    assert [(p["stage"], p["key"], p["line"]) for p in found["problems"]] == [("read", "braces", 4)]
    assert out.read_bytes().startswith(b"PK")


def test_with_json_and_without_a_place_only_the_preview_is_printed(file: Path):
    done = run("convert", "--from", "gift", "--to", "gift", file, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["written"] == 1


def test_more_than_is_ever_read_is_refused(file: Path):
    with file.open("wb") as opened:
        opened.truncate(3 * 1024**3)  # a file with a hole: nothing is on the disk
    done = run("convert", "--from", "gift", "--to", "aiken", file)
    assert done.exit_code == 1
    assert "larger than" in done.stderr


def test_the_bank_is_exported(tmp_path: Path):
    out = tmp_path / "bank.gift"
    bank = CONTENT / "k1-asesmen-risiko" / "items.yaml"
    done = run("convert", "--from", "suluh", "--to", "gift", bank, "--out", out)
    assert done.exit_code == 0
    assert len(formats.read("gift", out.read_bytes()).questions) > 50


@pytest.mark.parametrize("name", formats.TEMPLATES)
def test_a_template_is_written(name: str, tmp_path: Path):
    out = tmp_path / "template"
    assert run("template", name, "--out", out).exit_code == 0
    assert formats.read(name, out.read_bytes()).refused == 0
    assert run("template", name).stdout_bytes == out.read_bytes() or name == "xlsx"
