"""Texts are loaded once, kept for ever, and read by those who may."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from lms.core.db import db, unit_of_work
from lms.core.errors import NotFound
from lms.core.login import Viewer
from lms.practice.exercises import services
from lms.practice.exercises.content import DrillSpec, PlacedExercise, check
from lms.practice.exercises.models import ExerciseVersion
from tests.conftest import LOADED_AT
from tests.ledgers import SPEC
from tests.practice.exercises import desk


def viewer(*roles: str) -> Viewer:
    """Return somebody with roles."""
    return Viewer(1, "", "", frozenset(roles), "id", "")


@pytest.fixture
def placed(tmp_path: Path) -> list[PlacedExercise]:
    """One piece of each kind."""
    return check(desk.folder(tmp_path), SPEC)[0]


def load(placed: list[PlacedExercise]) -> dict[str, int]:
    with unit_of_work():
        return {name: n for name, n in services.load(placed, now=LOADED_AT).items() if n}


def codes(*roles: str, lessons: list[str] | None = None) -> list[str]:
    return [entry.code for entry in services.list_exercises(viewer(*roles), lessons)]


@pytest.mark.both
def test_texts_are_added_kept_changed_retired_and_come_back(
    app: Flask, placed: list[PlacedExercise], tmp_path: Path
):
    load([])
    assert load(placed) == {"added": 3}
    assert load(placed) == {"unchanged": 3}
    desk.write(tmp_path, "drills/k1t.yaml", desk.DRILL | {"title": "Satu pagi"})
    changed = check(tmp_path, SPEC)[0]
    assert load(changed) == {"changed": 1, "unchanged": 2}
    assert services.get_exercise("k1.t", viewer("trainer")).spec.title == "Satu pagi"
    assert load(placed) == {"changed": 1, "unchanged": 2}  # the old text comes back
    assert services.get_exercise("k1.t", viewer("trainer")).spec.title == "Satu malam"
    assert load(placed[1:]) == {"unchanged": 2, "retired": 1}
    assert load(placed[1:]) == {"unchanged": 2}
    assert "K1.T" not in codes("trainer")
    with pytest.raises(NotFound):
        services.get_exercise("K1.T", viewer("trainer"))
    assert load(placed) == {"added": 1, "unchanged": 2}
    mine = ExerciseVersion.code == "K1.T"
    assert db.session.scalar(select(func.count()).where(mine)) == 5


def test_who_learns_sees_the_recording_exercise_only(app: Flask, placed: list[PlacedExercise]):
    load(placed)
    mine = {"K1.T", "K1.10", "K1.11"}
    assert mine <= set(codes("trainer"))
    for role in services.GUIDED:
        assert codes(role) == codes("trainer")
    assert mine & set(codes("trainee")) == {"K1.10"}
    assert mine <= set(codes("trainee", "trainer"))
    assert codes("trainer", lessons=["K1.T"]) == ["K1.11", "K1.T"]
    assert codes("trainee", lessons=["K1.T"]) == codes("trainer", lessons=[]) == []
    assert services.get_exercise("K1.10", viewer("trainee")).entry.slug == "k1.10"
    for code in ("K1.T", "K1.11", "K9.T"):
        with pytest.raises(NotFound):
            services.get_exercise(code, viewer("trainee"))


def test_each_seat_gets_its_own_cards_as_time_goes(placed: list[PlacedExercise]):
    spec = placed[0].spec
    assert isinstance(spec, DrillSpec)
    mine = [(card.number, card.inject.minute) for card in services.cards_of(spec, "polsek")]
    assert mine == [(1, 0), (2, 5)]
    assert [card.number for card in services.cards_of(spec, "dinsos")] == [2]
    assert services.cards_of(spec, "kua") == []
