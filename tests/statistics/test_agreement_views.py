"""The pages of agreement: who sees whom, and the same numbers in a file."""

from collections.abc import Callable

from flask import Flask
from flask.testing import FlaskClient

from lms.accounts.models import Person
from lms.competency.rules import EvidenceKind
from lms.core.db import unit_of_work
from lms.ratings import services as ratings
from lms.ratings.rules import Mark
from tests import factories
from tests.factories import NOW

SignIn = Callable[[Person], FlaskClient]


def test_an_administrator_reads_everybody_and_a_trainer_themselves(app: Flask, sign_in: SignIn):
    trainer, other = factories.person("trainer", name="Rini"), factories.person(name="Budi")
    admin, who = factories.person("admin"), factories.person(name="Siti")
    with unit_of_work():
        for n in range(4):
            about = ratings.About(
                kind=EvidenceKind.SK, subject=f"s{n}", source="SK1", person_id=who.id
            )
            marks = {"03.1.1": Mark(2)}
            ratings.rate(about, trainer.id, marks, now=NOW)
            ratings.rate(about, other.id, {"03.1.1": Mark(2 if n else 1)}, now=NOW)
    mine, all_ = sign_in(trainer), sign_in(admin)
    page = all_.get("/laporan/kesepakatan").text
    assert "SK1 03.1.1" in page and "Budi" in page and "n masih kecil" in page  # noqa: PT018
    assert "Budi" not in mine.get("/laporan/kesepakatan").text
    lines = mine.get("/laporan/kesepakatan.csv").text.splitlines()
    assert any("SK1 03.1.1" in line and "0.75" in line.replace(",", ".") for line in lines)
    assert not any("Budi" in line for line in lines)
    assert any("Rini" in line for line in lines)
