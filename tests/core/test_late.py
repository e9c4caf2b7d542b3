"""What is loaded when it is first needed."""

import importlib
import sys
import time
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms.core import late
from lms.core.late import Changed


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of three modules that were there before the program started."""
    folder = tmp_path / "lampu"
    folder.mkdir()
    for name in ("__init__", "old", "new", "outer"):
        (folder / f"{name}.py").write_text("VALUE = 1\n", encoding="utf-8")
    (folder / "outer.py").write_text("from lampu import new\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "lampu"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    late.refuse_changed("lampu", folder)
    time.sleep(0.05)  # the clock of files is coarse
    return folder


def load(name: str) -> int:
    value: int = importlib.import_module(f"lampu.{name}").VALUE
    return value


def test_what_was_written_after_the_start_is_not_loaded(package: Path):
    assert load("old") == 1
    (package / "new.py").write_text("VALUE = 2\n", encoding="utf-8")
    with pytest.raises(Changed, match=r"lampu\.new was changed"):
        load("new")
    with pytest.raises(Changed):
        load("outer")  # which needs it
    assert not {"lampu.new", "lampu.outer"} & set(sys.modules)


def test_what_was_there_is_loaded_and_other_packages_are_nobodys_business(
    package: Path, tmp_path: Path
):
    assert load("new") == 1
    (tmp_path / "lampu_lain.py").write_text("VALUE = 3\n", encoding="utf-8")
    assert importlib.import_module("lampu_lain").VALUE == 3


def test_a_module_that_was_not_there_is_not_loaded(package: Path):
    (package / "more.py").write_text("VALUE = 4\n", encoding="utf-8")
    with pytest.raises(Changed, match=r"lampu\.more"):
        load("more")


def test_an_archive_that_brings_old_dates_is_seen(package: Path):
    import os

    (package / "new.py").write_text("VALUE = 2\n", encoding="utf-8")
    os.utime(package / "new.py", (1, 1))
    with pytest.raises(Changed):
        load("new")


def test_somebody_who_asks_for_a_changed_page_is_told_to_come_back(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch, caplog
):
    class Updated:
        def need(self, _endpoint: str | None) -> None:
            raise Changed("lms.quizzes.views was changed after the start: restart the server")

    monkeypatch.setattr(app, "waiting", Updated())
    answer = client.get("/masuk")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "restart the server" in caplog.text
