"""One variant of each simulation: tests name its nodes, and with two they would take turns."""

import pytest
from flask import Flask
from sqlalchemy import delete

from lms.core.db import db, unit_of_work
from lms.practice.simulations.models import SimulationVersion


@pytest.fixture(autouse=True)
def one_variant(request: pytest.FixtureRequest) -> None:
    """Leave only the variants that stand in `scene.STORIES` in a loaded database."""
    if "bare_app" in request.fixturenames:
        bare: Flask = request.getfixturevalue("bare_app")
        with bare.app_context(), unit_of_work():
            db.session.execute(delete(SimulationVersion).where(SimulationVersion.variant != "A"))
