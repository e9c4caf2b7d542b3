"""`content check` of case studies: every message names file and line."""

import shutil
from pathlib import Path

import pytest

from lms.competency import content as standard_content
from lms.competency.content import StandardSpec
from lms.core.content import Unreadable
from lms.practice.cases import content

CONTENT = Path(__file__).parents[3] / "content"
REAL = CONTENT / "k1-asesmen-risiko" / "cases" / "sk1.yaml"


@pytest.fixture(scope="module")
def standard() -> StandardSpec:
    spec, _problems = standard_content.check(CONTENT)
    assert spec is not None
    return spec


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A content folder with SK1 in it."""
    home = tmp_path / "k1"
    (home / "cases").mkdir(parents=True)
    (home / "curriculum.yaml").write_text("code: K1\n")
    shutil.copy(REAL, home / "cases" / "sk1.yaml")
    return tmp_path


def problems_after(
    folder: Path, standard: StandardSpec, old: str, new: str, name: str = "sk1.yaml"
) -> list[tuple[str, str]]:
    """Change the file and return (changed line's text, message) of each problem."""
    path = folder / "k1" / "cases" / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    _specs, problems = content.check(folder, standard)
    lines = path.read_text(encoding="utf-8").split("\n")
    assert {problem.file for problem in problems} <= {str(path)}
    return [(lines[problem.line - 1].strip(), problem.message) for problem in problems]


def test_the_real_case_studies_are_in_order(standard: StandardSpec):
    specs, problems = content.check(CONTENT, standard)
    assert problems == []
    assert sorted(spec.code for spec in specs) == sorted(one.code for one in standard.case_studies)
    for spec in specs:
        assert sorted({k for task in spec.tasks for k in task.kuk}) == sorted(spec.kuk)


def test_a_folder_without_a_curriculum_is_not_read(folder: Path, standard: StandardSpec):
    (folder / "k1" / "curriculum.yaml").unlink()
    assert content.check(folder, standard) == ([], [])


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('kuk: ["03.1.4"]', 'kuk: ["03.1.1"]', 'kuk: ["03.1.1"]', "KUK 03.1.1 is in two tasks"),
        ('kuk: ["03.1.4"]', 'kuk: ["01.1.1"]', 'kuk: ["01.1.1"]', "KUK 01.1.1 is not in this case"),
        ("id: digital", "id: anak", "- id: anak", "task anak appears twice"),
        ("lesson: K1.10", "lesson: K1.9", "lesson: K1.9", "`lesson` differs from the standard"),
        ("gates: [K1]", "gates: [K2]", "gates: [K2]", "`gates` differs from the standard"),
        ("title: Lembar", "title: Surat", "title: Surat telaah risiko", "`title` differs"),
        ("code: SK1", "code: SK9", "code: SK9", "the standard has no case study SK9"),
        ("code: SK1", "code: SK2", "code: SK2", "the file has to be named sk2.yaml"),
        ("max_words: 200", "max_words: 60", "min_words: 60", "min_words must be below max_words"),
        ("max_words: 200", "max_words: 90", "model_answer", "outside its own limits"),
        ("### Orang dalam rumah", "kata " * 400, "file:", "words; 450 to 700 are wanted"),
        ('- kuk: "02.1.3"', '- kuk: "02.1.1"', '- kuk: "02.1.1"', "has two rubrics"),
        ('- kuk: "02.1.3"', '- kuk: "09.9.9"', '- kuk: "09.9.9"', "is not in this case"),
        ('- kuk: "02.1.3"', '- kuk: "02.1.1"', "kuk:", "KUK 02.1.3 has no rubric"),
        ('kuk: ["03.1.4"]', 'kuk: ["01.1.1"]', "kuk:", "KUK 03.1.4 is in no task"),
        ("review: {status", "extra: 1\nreview: {status", "extra: 1", "Extra inputs"),
        ("id: digital", "id: Digital X", "id: Digital X", "String should match"),
    ],
)
def test_each_fault_is_found_at_its_line(
    folder: Path, standard: StandardSpec, old: str, new: str, line: str, message: str
):
    found = problems_after(folder, standard, old, new)
    # `kuk:` lists stand on their own line, or begin on it.
    assert [text for at, text in found if message in text and (line in at or at in line)], found


def test_each_level_needs_two_visible_indicators(folder: Path, standard: StandardSpec):
    one = "        - Kurang dari dua kebutuhan khusus dikenali.\n"
    found = problems_after(folder, standard, one, "")
    assert [message for _line, message in found if "at least 2 items" in message]


def test_two_files_may_not_claim_one_code(folder: Path, standard: StandardSpec):
    other = folder / "k2"
    (other / "cases").mkdir(parents=True)
    (other / "curriculum.yaml").write_text("code: K2\n")
    shutil.copy(REAL, other / "cases" / "sk1.yaml")
    specs, problems = content.check(folder, standard)
    assert len(specs) == 2
    assert [p.message for p in problems] == ["SK1 has another file"]
    assert problems[0].line == 1


def test_what_is_not_yaml_says_where(folder: Path, standard: StandardSpec):
    (folder / "k1" / "cases" / "sk1.yaml").write_text("code: [\n")
    with pytest.raises(Unreadable) as refused:
        content.check(folder, standard)
    assert refused.value.problem.file.endswith("sk1.yaml")
