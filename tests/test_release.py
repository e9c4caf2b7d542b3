"""Content is loaded whole or not at all, once, and every problem names its file and line."""

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from lms import release
from lms.config import CONTENT
from lms.core.content import Problem
from lms.core.db import Base, db, unit_of_work
from lms.core.models import ContentRelease
from tests.conftest import LOADED_AT

LATER = LOADED_AT + timedelta(days=1)


def rows() -> dict[str, int]:
    """How many rows each table has."""
    db.session.rollback()
    return {
        table.name: db.session.scalar(select(func.count()).select_from(table)) or 0
        for table in Base.metadata.sorted_tables
    }


def load(folder: Path = CONTENT, *, force: bool = False) -> dict[str, dict[str, int]] | None:
    with unit_of_work():
        found = release.load(folder, now=LATER, force=force)
        return found.counts if found else None


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A copy of the content that may be broken."""
    return shutil.copytree(
        CONTENT, tmp_path / "content", ignore=shutil.ignore_patterns("__pycache__")
    )


def edit(path: Path, change: Callable[[str], str]) -> None:
    before = path.read_text(encoding="utf-8")
    after = change(before)
    assert after != before
    path.write_text(after, encoding="utf-8")


def lesson(folder: Path) -> Path:
    return min(folder.glob("*/[0-9]*.md"))


def test_the_content_that_comes_along_has_no_problem():
    found = release.check(CONTENT)
    assert found.problems == []
    assert set(found.counts) == set(release.CHECKS) == set(release.LOADS)
    kinds = ("drills", "roles", "records")
    exercises = sum(len(list(CONTENT.glob(f"*/{kind}/*.yaml"))) for kind in kinds)
    assert all(found.counts[name] for name in found.counts if name != "exercises")
    assert found.counts["exercises"] == exercises


@pytest.mark.both
def test_loading_again_does_nothing(app: Flask):
    before = rows()
    assert before["content_release"] == 1
    assert load() is None
    assert rows() == before


def test_a_copy_elsewhere_is_the_same_content(app: Flask, mine: Path):
    (mine / "catatan.txt").write_text("bukan bahan ajar", encoding="utf-8")
    assert load(mine) is None


def test_loading_by_force_changes_nothing_but_says_that_it_was_done(app: Flask):
    before = rows()
    counts = load(force=True)
    assert counts is not None
    assert rows() == before | {"content_release": 2}
    assert db.session.scalars(select(ContentRelease.loaded_at)).all() == [LOADED_AT, LATER]
    found = release.check(CONTENT).counts
    for name, part in counts.items():
        assert part["total"] == found[name]
        assert part.get("added", 0) == part.get("changed", 0) == 0


def test_one_changed_lesson_is_one_change(app: Flask, mine: Path):
    edit(lesson(mine), lambda text: text + "\n\nSatu kalimat baru.\n")
    counts = load(mine)
    assert counts is not None
    assert (counts["lessons"].get("added", 0), counts["lessons"]["changed"]) == (0, 1)
    assert {name for name in counts if counts[name].get("changed")} == {"lessons"}
    assert load(mine) is None


BREAKS: dict[str, tuple[str, Callable[[str], str], int]] = {
    "not yaml": ("schemes.yaml", lambda text: "\ta: 1\n" + text, 1),
    "unknown field": ("directory.yaml", lambda text: "warna: merah\n" + text, 1),
    "standard": ("standard.yaml", lambda text: "warna: merah\n" + text, 1),
    "standard unreadable": ("standard.yaml", lambda text: "a: &x 1\nb: *x\n" + text, 2),
}


@pytest.mark.parametrize("name", BREAKS)
def test_broken_content_names_file_and_line_and_loads_nothing(app: Flask, mine: Path, name: str):
    file, change, line = BREAKS[name]
    edit(lesson(mine), lambda text: text + "\n\nSatu kalimat baru.\n")
    edit(mine / file, change)
    before = rows()
    with pytest.raises(release.BrokenContent) as refused:
        load(mine)
    places = {(problem.file, problem.line) for problem in refused.value.problems}
    assert (str(mine / file), line) in places
    assert rows() == before


def test_problems_of_all_files_are_found_in_one_go(mine: Path):
    edit(mine / "directory.yaml", lambda text: "warna: merah\n" + text)
    edit(mine / "schemes.yaml", lambda text: "warna: merah\n" + text)
    edit(lesson(mine), lambda text: text.replace("---", "--", 1))
    found = release.check(mine).problems
    assert {Path(problem.file).name for problem in found} >= {
        "directory.yaml",
        "schemes.yaml",
        lesson(mine).name,
    }
    assert found == sorted(found)


def test_a_folder_without_content_is_a_problem_not_a_crash(tmp_path: Path):
    found = release.check(tmp_path)
    assert found.standard is None
    assert found.counts == {}
    assert [problem.file for problem in found.problems] == [str(tmp_path / "standard.yaml")]


def test_a_missing_file_is_a_problem_not_a_crash(mine: Path):
    for name in ("directory.yaml", "schemes.yaml"):
        (mine / name).unlink()
    files = [problem.file for problem in release.check(mine).problems]
    assert {str(mine / "directory.yaml"), str(mine / "schemes.yaml")} <= set(files)


@pytest.mark.both
def test_a_crash_half_way_leaves_nothing_behind(
    app: Flask, mine: Path, monkeypatch: pytest.MonkeyPatch
):
    """Everything before the last part was already written when it happens."""

    def crash(_specs: object, *, now: object) -> dict[str, int]:
        assert db.session.scalar(select(func.count()).select_from(ContentRelease)) == 1
        raise ZeroDivisionError

    edit(lesson(mine), lambda text: text + "\n\nSatu kalimat baru.\n")
    before = rows()
    with monkeypatch.context() as patch:
        patch.setitem(release.LOADS, list(release.LOADS)[-1], crash)
        with pytest.raises(ZeroDivisionError):
            load(mine)
    assert rows() == before
    assert load(mine) is not None  # the positive control: there was something to write
    assert rows() != before


def test_problems_print_as_editors_understand_them():
    assert str(Problem("content/a.yaml", 7, "salah")) == "content/a.yaml:7: salah"
