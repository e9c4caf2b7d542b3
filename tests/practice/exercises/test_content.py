"""What is wrong with material for practising is said with file and line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lms.practice.exercises.content import check, parse
from lms.practice.exercises.rules import ExerciseKind
from tests.ledgers import SPEC
from tests.practice.exercises import desk

Change = Callable[[dict[str, Any]], object]
DRILL, ROLES, RECORD = desk.FILES


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One file of each kind."""
    return desk.folder(tmp_path)


def problems(folder: Path, name: str, change: Change) -> list[str]:
    """Change one file and return `text of the line | message` of each problem."""
    data = desk.copy(desk.FILES[name])
    change(data)
    path = desk.write(folder, name, data)
    found = check(folder, SPEC)[1]
    assert {problem.file for problem in found} <= {str(path)}
    lines = path.read_text(encoding="utf-8").splitlines()
    return [f"{lines[one.line - 1].strip().lstrip('- ')} | {one.message}" for one in found]


def test_material_without_a_fault_has_no_problem(folder: Path):
    placed, found = check(folder, SPEC)
    assert found == []
    assert [(one.curriculum, one.kind, one.spec.code) for one in placed] == [
        ("K1", ExerciseKind.DRILL, "K1.T"),
        ("K1", ExerciseKind.RECORD, "K1.10"),
        ("K1", ExerciseKind.ROLES, "K1.11"),
    ]
    for one in placed:
        assert parse(one.kind, one.spec.model_dump(mode="json")) == one.spec


def first(data: dict[str, Any]) -> dict[str, Any]:
    """Return the first card of a drill."""
    card: dict[str, Any] = data["rounds"][0]["injects"][0]
    return card


def entries(data: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of the first story."""
    found: list[dict[str, Any]] = data["cases"][0]["entries"]
    return found


LONG = " ".join(["kata"] * 36)

CASES: list[tuple[str, Change, str]] = [
    # Heads and words
    (DRILL, lambda d: d.update(code="K1.9"), "code: K1.9 | the file has to be named k19.yaml"),
    (DRILL, lambda d: d.update(code="drill"), "code: drill | code: String should match"),
    (DRILL, lambda d: d.update(color="red"), "color: red | color: Extra inputs"),
    (ROLES, lambda d: d.update(code="K1.10"), "K1.10 has another file"),
    (DRILL, lambda d: d.update(title_en=""), "title_en: '' | title_en: String should have"),
    (DRILL, lambda d: d.update(lesson="K1.99"), "there is no lesson K1.99 in this folder"),
    (DRILL, lambda d: d.update(lesson="K1.10"), "K1.10 is not a lesson in person"),
    (ROLES, lambda d: d.update(lesson="K1.10"), "K1.10 is not a lesson in person"),
    (RECORD, lambda d: d.update(lesson="K3.1"), "there is no lesson K3.1 in this folder"),
    (DRILL, lambda d: first(d).update(text="Awas!"), "text: Awas! | no exclamation marks"),
    (
        ROLES,
        lambda d: d["roles"][1].update(knows="Nomornya 0812 3456 7890."),
        "knows: Nomornya 0812 3456 7890. | numbers of services stand in directory.yaml only: 0812",
    ),
    (DRILL, lambda d: first(d).update(never="Telepon 110."), "directory.yaml only: 110"),
    (
        RECORD,
        lambda d: d["cases"][0].update(story="Ibu Ratna datang."),
        "story: Ibu Ratna datang. | people have an initial, not a name: Ibu Ratna",
    ),
    (DRILL, lambda d: d.update(content_note=LONG), "a sentence has 36 words, at most 35"),
    # Drills
    (DRILL, lambda d: d["seats"][1].update(id="polsek"), "polsek appears twice"),
    (DRILL, lambda d: d["rounds"].append(d["rounds"][0]), "id: r1 | r1 appears twice"),
    (
        DRILL,
        lambda d: d["rounds"][0]["injects"].reverse(),
        "minute: 0 | minute 0 comes after 5",
    ),
    (DRILL, lambda d: first(d).update(minute=11), "minute: 11 | minute 11 is after the end, 10"),
    (DRILL, lambda d: first(d).update(minute=-1), "greater than or equal to 0"),
    (DRILL, lambda d: first(d)["to"].append("bidan"), "bidan | bidan does not play in r1"),
    (DRILL, lambda d: first(d).update(kind="surat"), "kind: surat | rounds.0.injects.0.kind"),
    (DRILL, lambda d: first(d).update(act="H9"), "act: H9 | H9 is not a harmful act"),
    (DRILL, lambda d: first(d).update(kuk=["03.1.3"]), "03.1.3 | KUK 03.1.3 has no rubric"),
    (DRILL, lambda d: first(d).update(kuk=["03.1.3"]), "KUK 03.1.1 is on 1 cards, at least 2"),
    (
        DRILL,
        lambda d: d["rounds"][0]["playing"].append("bidan"),
        "bidan | there is no seat bidan",
    ),
    (
        DRILL,
        lambda d: d["rounds"][0]["playing"].append("dinsos"),
        "dinsos | dinsos appears twice",
    ),
    (
        DRILL,
        lambda d: d["rounds"][0]["injects"][1].update(to=["polsek"]),
        "dinsos | dinsos plays in r1 but gets no card",
    ),
    (
        DRILL,
        lambda d: d["seats"].append(d["seats"][0] | {"id": "polres"}),
        "id: polres | polres plays in no round",
    ),
    # Rubrics
    (DRILL, lambda d: d["rubric"].append(desk.RUBRIC), "KUK 03.1.1 has two rubrics"),
    (
        DRILL,
        lambda d: d["rubric"][0].update(kuk="06.1.1"),
        "kuk: 06.1.1 | the lesson does not teach KUK 06.1.1",
    ),
    (
        ROLES,
        lambda d: d["rubric"][0]["levels"].pop("1"),
        "KUK 03.1.1 needs signs for the levels 0, 1 and 2",
    ),
    (
        ROLES,
        lambda d: d["rubric"][0]["levels"].update({"1": []}),
        "KUK 03.1.1 needs signs for the levels 0, 1 and 2",
    ),
    # Role cards
    (ROLES, lambda d: d["roles"][1].update(id="polres"), "polres appears twice"),
    (ROLES, lambda d: d["roles"][1].update(must_not=[]), "roles.1.must_not: List should have"),
    (ROLES, lambda d: d["agenda"].reverse(), "minute: 0 | minute 0 comes after 20"),
    (ROLES, lambda d: d["agenda"][1].update(minute=400), "minute 400 is after the end, "),
    # Recording exercises
    (RECORD, lambda d: d["fields"][1].update(id="kode"), "kode appears twice"),
    (RECORD, lambda d: d["fields"][2].update(choices=["Tinggi"]), "two choices or more exactly"),
    (RECORD, lambda d: d["fields"][0].update(choices=["a", "b"]), "two choices or more exactly"),
    (RECORD, lambda d: d["cases"].append(d["cases"][0]), "id: satu | satu appears twice"),
    (
        RECORD,
        lambda d: entries(d)[0].update(field="nama"),
        "field: nama | there is no field nama",
    ),
    (RECORD, lambda d: entries(d).append(entries(d)[0]), "field: kode | kode is filled twice"),
    (RECORD, lambda d: entries(d).pop(), "field: kode | setuju is required and not filled"),
    (RECORD, lambda d: entries(d)[0].update(value=""), "value: '' | kode is required and empty"),
    (RECORD, lambda d: entries(d)[1].update(value="Rendah"), "'Rendah' is not a choice of risiko"),
    (RECORD, lambda d: entries(d)[2].update(value="dua"), "value: dua | anak takes a number"),
    (RECORD, lambda d: entries(d)[3].update(value="mungkin"), "setuju takes ya, tidak,"),
    (RECORD, lambda d: entries(d)[3].update(value=[1]), "value: Input should be a valid string"),
]


@pytest.mark.parametrize(("name", "change", "expected"), CASES, ids=[case[2] for case in CASES])
def test_each_rule_names_the_line_it_is_broken_at(
    folder: Path, name: str, change: Change, expected: str
):
    found = problems(folder, name, change)
    assert any(expected in line for line in found), found


@pytest.mark.parametrize(
    ("name", "change"),
    [
        (RECORD, lambda d: entries(d).append(desk.entry("tanggal", ""))),
        (RECORD, lambda d: entries(d)[2].update(value="belum diketahui")),
        (RECORD, lambda d: entries(d)[3].update(value="Belum diketahui")),
        (DRILL, lambda d: first(d).update(text="Pak Camat bertanya kepada Ibu T. di kantor.")),
        (DRILL, lambda d: d["rounds"][0]["injects"][1].update(minute=0)),
        (DRILL, lambda d: d.update(content_note="KUHP ps 110, UU 23/2004, dan 1.129 orang.")),
    ],
)
def test_what_is_right_is_let_through(folder: Path, name: str, change: Change):
    assert problems(folder, name, change) == []


def test_a_broken_lesson_is_somebody_elses_problem(folder: Path):
    (folder / desk.FOLDER / "11-lokakarya.md").write_text("kosong", encoding="utf-8")
    messages = {problem.message for problem in check(folder, SPEC)[1]}
    assert messages == {"there is no lesson K1.T in this folder"}


@pytest.mark.parametrize("head", ["- daftar", "code: K1.T\nkuk: semua\nminutes: lama"])
def test_a_lesson_of_another_shape_teaches_nothing(folder: Path, head: str):
    (folder / desk.FOLDER / "11-lokakarya.md").write_text(f"---\n{head}\n---\n", encoding="utf-8")
    messages = {problem.message for problem in check(folder, SPEC)[1]}
    assert messages & {
        "there is no lesson K1.T in this folder", "the lesson does not teach KUK 03.1.1",
    }  # fmt: skip
