"""What is wrong with stations is said with file and line, and texts are loaded once."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from sqlalchemy import func, select

from lms.competency.rules import EvidenceKind
from lms.config import CONTENT
from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.practice.observations import texts
from lms.practice.observations.content import PlacedStation, check
from lms.practice.observations.models import StationVersion
from tests import factories
from tests.ledgers import SPEC, STANDARD
from tests.practice.observations.rooms import AT

FOLDER = "k1-asesmen-risiko"
Change = Callable[[list[dict[str, Any]]], object]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the stations of K1."""
    (tmp_path / FOLDER).mkdir()
    for name in ("curriculum.yaml", "stations.yaml"):
        shutil.copy(CONTENT / FOLDER / name, tmp_path / FOLDER / name)
    return tmp_path


def rewrite(folder: Path, change: Change) -> list[str]:
    """Change the stations and return the problems as `line: message`."""
    path = folder / FOLDER / "stations.yaml"
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    change(data["stations"])
    path.write_text(yaml.safe_dump(data, allow_unicode=True, sort_keys=False), encoding="utf-8")
    _specs, problems = check(folder, SPEC)
    assert all(problem.file == str(path) for problem in problems)
    lines = path.read_text(encoding="utf-8").splitlines()
    return [
        f"{lines[problem.line - 1].strip().removeprefix('- ')} | {problem.message}"
        for problem in problems
    ]


def test_the_stations_of_k1_are_in_order():
    placed, problems = check(CONTENT, SPEC)
    assert problems == []
    assert [each.spec.code for each in placed if each.curriculum == "K1"] == ["ST1", "ST2", "ST3"]


def test_every_criterion_seen_in_the_test_has_a_station():
    placed, _problems = check(CONTENT, SPEC)
    numbers = [int(each.spec.code.removeprefix("ST")) for each in placed]
    assert sorted(numbers) == list(range(1, len(placed) + 1))
    seen = {kuk for each in placed for kuk in each.spec.kuk}
    asked = {k.code for k in STANDARD.kuk.values() if k.critical and EvidenceKind.OBS in k.ev}
    assert asked <= seen


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda s: s[1]["kuk"].__setitem__(0, "03.1.9"),
            "03.1.9 | the standard has no KUK 03.1.9",
        ),
        (
            lambda s: s[1]["kuk"].append("06.1.1"),
            "06.1.1 | KUK 06.1.1 belongs to K3",
        ),
        (
            lambda s: s[1]["kuk"].append("03.1.2"),
            "03.1.2 | KUK 03.1.2 has no OBS in the standard",
        ),
        (
            lambda s: s[1]["kuk"].append("02.2.1"),
            "02.2.1 | KUK 02.2.1 is observed 2 times; once is right",
        ),
        (
            lambda s: s[0]["variants"].pop(),
            "code: A | station ST1 needs two stories, A and B",
        ),
        (
            lambda s: s[0]["indicators"].pop(),
            "kuk: 02.2.1 | KUK 02.2.2 needs its indicators exactly once, "
            "in the station that shows it",
        ),
        (
            lambda s: s[1]["indicators"][0]["levels"].pop("1"),
            "'0': | KUK 03.1.1 needs indicators for the levels 0, 1 and 2",
        ),
        (
            lambda s: s[1]["indicators"][0]["levels"].__setitem__("1", []),
            "'0': | KUK 03.1.1 needs indicators for the levels 0, 1 and 2",
        ),
        (
            lambda s: s[1]["harmful_acts"].append("H9"),
            "H9 | H9 is not a harmful act of the standard, or stands here twice",
        ),
        (
            lambda s: s[1]["harmful_acts"].append("H1"),
            "H1 | H1 is not a harmful act of the standard, or stands here twice",
        ),
        (
            lambda s: s[2].__setitem__("code", "ST1"),
            "code: ST1 | station ST1 appears twice",
        ),
        (
            lambda s: s[2].__setitem__("code", "ST/3"),
            "code: ST/3 | stations.2.code: String should match pattern '^[A-Z0-9]{1,10}$'",
        ),
        (
            lambda s: s[2].__setitem__("minutes", 0),
            "minutes: 0 | stations.2.minutes: Input should be greater than or equal to 1",
        ),
    ],
)  # fmt: skip
def test_a_problem_names_its_line(folder: Path, change: Change, expected: str):
    assert expected in rewrite(folder, change)


def test_a_critical_criterion_nobody_observes_is_missed(folder: Path):
    found = rewrite(folder, lambda stations: stations.pop(1))
    assert [line.split(" | ")[1] for line in found] == [
        "critical KUK 03.1.1 has OBS but is in no station"
    ]


def test_a_curriculum_that_needs_stations_has_to_have_them(folder: Path):
    (folder / FOLDER / "stations.yaml").unlink()
    placed, problems = check(folder, SPEC)
    assert placed == []
    assert [problem.message for problem in problems] == [
        "stations.yaml is missing: 02.2.1, 03.1.1, 03.1.3 need OBS"
    ]


def test_a_curriculum_without_criteria_to_observe_needs_none(folder: Path):
    (folder / FOLDER / "stations.yaml").unlink()
    (folder / FOLDER / "curriculum.yaml").write_text("code: K4\n", encoding="utf-8")
    assert check(folder, SPEC) == ([], [])


@pytest.mark.parametrize("text", ["- only a list\n", "code: [\n"])
def test_a_broken_curriculum_is_somebody_elses_problem(folder: Path, text: str):
    (folder / FOLDER / "curriculum.yaml").write_text(text, encoding="utf-8")
    _placed, problems = check(folder, SPEC)
    assert all("belongs to" in problem.message for problem in problems)


def stations(folder: Path = CONTENT) -> list[PlacedStation]:
    return check(folder, SPEC)[0]


def test_loading_again_changes_nothing_and_a_new_text_is_a_new_version(app: Flask, folder: Path):
    others = [each for each in stations() if each.curriculum != "K1"]
    total = len(stations())
    assert len(others) == total - 3
    with unit_of_work():
        assert texts.load(stations(), now=AT)["unchanged"] == total
    rewrite(folder, lambda found: found[0].__setitem__("title", "Judul lain"))
    with unit_of_work():
        counts = texts.load([*stations(folder), *others], now=AT)
    assert counts == {"added": 0, "changed": 1, "unchanged": total - 1, "retired": 0}
    assert texts.get_station("ST1").title == "Judul lain"
    with unit_of_work():  # the old text comes back as a newer version
        assert texts.load(stations(), now=AT)["changed"] == 1
    assert texts.get_station("ST1").title == "Membuka percakapan dengan aman"
    count = select(func.count()).where(StationVersion.code == "ST1")
    assert db.session.scalar(count) == 3


def test_a_station_that_is_gone_is_retired_and_may_come_back(app: Flask):
    with unit_of_work():
        assert texts.load(stations()[:2], now=AT)["retired"] == len(stations()) - 2
    assert [station.code for station in texts.list_stations()] == ["ST1", "ST2"]
    with pytest.raises(NotFound):
        texts.get_station("ST3")
    with unit_of_work():
        assert texts.load(stations()[:2], now=AT)["retired"] == 0
    with unit_of_work():
        assert texts.load(stations(), now=AT)["added"] == len(stations()) - 2
    assert texts.get_station("ST3").minutes == 8


def test_stations_are_listed_by_curriculum_and_number(app: Flask):
    found = [(one.curriculum, int(one.code.removeprefix("ST"))) for one in texts.list_stations()]
    assert len(found) == len(stations())
    assert found == sorted(found)
    assert max(number for _curriculum, number in found) > 9  # ST10 as text stands before ST9


@pytest.mark.parametrize(
    ("covered", "shown"),
    [
        (("K1",), {"K1"}),
        (("K2", "T"), {"K2", "T"}),
        (("K4",), set()),
        ((), {"K1", "K2", "K3", "K5"}),
    ],
)
def test_a_class_has_the_stations_of_what_it_covers(
    app: Flask, covered: tuple[str, ...], shown: set[str]
):
    cohort = factories.cohort(curricula=dict.fromkeys(covered, ""))
    assert {one.curriculum for one in texts.list_stations_of(cohort)} == shown
