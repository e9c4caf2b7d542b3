"""Drills, role cards and recording exercises are reviewed like every other text."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms.accounts.models import Person
from lms.core.db import unit_of_work
from lms.core.errors import NotFound
from lms.practice.exercises import services as exercises
from lms.practice.exercises.content import check
from lms.reviews import services, texts
from lms.reviews.rules import Kind
from tests import factories
from tests.factories import NOW
from tests.ledgers import SPEC
from tests.practice.exercises import desk
from tests.reviews.test_services import sign, viewer_of

SignIn = Callable[[Person], FlaskClient]


@pytest.fixture
def loaded(app: Flask, tmp_path: Path) -> None:
    """One piece of each kind."""
    with unit_of_work():
        exercises.load(check(desk.folder(tmp_path), SPEC)[0], now=NOW)


def test_each_kind_is_listed_and_read_whole(loaded: None) -> None:
    boss = viewer_of(factories.person("admin"), "admin")
    lines = services.read_queue(boss, now=NOW).lines
    found = {line.text.kind: line.text for line in lines}
    for kind, wanted in (
        ("drill", {"seat", "round", "rubric"}),
        ("roles", {"case", "agenda", "role", "debrief", "rubric"}),
        ("record", {"fields", "case", "rules"}),
    ):
        passages = texts.read_text(found[kind])
        places = [one.place for one in passages]
        assert len(set(places)) == len(places)
        assert wanted <= {place.partition("-")[0] for place in places}
        assert all(piece.text for one in passages for piece in one.pieces if piece.label == "")
    drill = texts.read_text(found["drill"])
    said = "\n".join(str(piece.text) for one in drill for piece in one.pieces)
    for each in desk.DRILL["rounds"]:
        for card in each["injects"]:
            assert card["text"] in said
            assert card["expects"] in said
    with pytest.raises(NotFound):
        texts.read_text(replace(found["drill"], digest="0" * 64))
    with pytest.raises(NotFound):  # the code is there, but of another kind
        services.find_text(Kind.ROLES, found["drill"].code, boss, now=NOW)


def test_a_signature_shows_on_the_page_of_the_material(loaded: None, sign_in: SignIn) -> None:
    code = desk.RECORD["code"]
    learner = sign_in(factories.person("trainee"))
    page = f"/latihan/bahan/{code.lower()}"
    assert "Belum ditelaah ahli" in learner.get(page).text
    sign(Kind.RECORD, code, viewer_of(factories.reviewer(name="Dr. R"), "reviewer"))
    assert "Ditelaah oleh Dr. R" in learner.get(page).text
    boss = sign_in(factories.person("admin"))
    assert boss.get(f"/telaah/pencatatan/{code}").status_code == 200
    assert boss.get(f"/telaah/bersama/{desk.DRILL['code']}").status_code == 200
