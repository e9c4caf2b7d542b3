"""The standard's file: every mistake is named with its line."""

from pathlib import Path

import pytest

from lms.competency.content import check
from lms.config import CONTENT

TEXT = (CONTENT / "standard.yaml").read_text(encoding="utf-8")


def problems(tmp_path: Path, old: str, new: str) -> list[str]:
    assert old in TEXT
    (tmp_path / "standard.yaml").write_text(TEXT.replace(old, new, 1), encoding="utf-8")
    found, listed = check(tmp_path)
    assert (found is None) is bool(listed)
    return [f"{p.line}: {p.message}" for p in listed]


def test_the_standard_has_no_problem(tmp_path: Path):
    assert problems(tmp_path, "draft", "draft") == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("status: draft", "status: final", "status"),
        ("noncritical_pass: [4, 5]", "noncritical_pass: [4, x]", "noncritical_pass"),
        ("noncritical_pass: [4, 5]", "noncritical_pass: [6, 5]", "6 of 5 is no cut"),
        ("  rubric:", "  noncritical_pass_of: {K9: [4, 5]}\n  rubric:", "unknown curriculum K9"),
        ("  rubric:", "  noncritical_pass_of: {K1: [0, 5]}\n  rubric:", "0 of 5 is no cut"),
        ('code: "02.1.2"', 'code: "02.1.1"', "appears twice"),
        ('code: "02.1.2"', 'code: "03.1.2"', "is not in 02.1"),
        ("curriculum: K1", "curriculum: K9", "unknown curriculum K9"),
        ("ev: [Q, SIM, OBS]", "ev: [Q]", "needs direct evidence"),
        ("attendance: K4.T", 'attendance: ""', "names a lesson exactly when"),
        ('kuk: ["06.1.1", "02.2.1"', 'kuk: ["06.1.1", "99.1.1"', "unknown KUK 99.1.1"),
        ('"11.1.1", "11.1.2", "11.2.2"', '"11.1.1", "11.1.2"', "exactly one case study"),
        ('"06.1.4", "04.2.4"', '"06.1.4"', "04.2.4 is in no simulation"),
    ],
)
def test_a_planted_mistake_is_named(tmp_path: Path, old: str, new: str, message: str):
    assert any(message in line for line in problems(tmp_path, old, new))


def test_the_line_is_the_line_of_the_mistake(tmp_path: Path):
    line = TEXT[: TEXT.index('code: "02.1.2"')].count("\n") + 1
    assert problems(tmp_path, 'code: "02.1.2"', 'code: "02.1.1"')[0].startswith(f"{line}: ")


def test_a_standard_without_cuts_of_its_curricula_is_written_as_before(tmp_path: Path):
    """Otherwise an installation that adopted it would find an unknown draft after an update."""
    plain, _none = check(CONTENT)
    assert plain is not None
    assert "noncritical_pass_of" not in plain.model_dump(mode="json")["rules"]
    own = TEXT.replace("  rubric:", "  noncritical_pass_of: {K1: [11, 14]}\n  rubric:", 1)
    (tmp_path / "standard.yaml").write_text(own, encoding="utf-8")
    spec, listed = check(tmp_path)
    assert spec is not None, listed
    assert spec.model_dump(mode="json")["rules"]["noncritical_pass_of"] == {"K1": [11, 14]}
