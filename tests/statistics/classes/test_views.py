"""How figures of a class are written."""

import pytest
from flask import Flask

from lms.statistics.classes import views


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0"), (-0.0, "0"), (0.004, "0"), (-0.004, "0"),
        (0.25, "+25"), (-0.25, "−25"), (None, "–"),
    ],
)  # fmt: skip
def test_a_difference_that_rounds_to_nothing_has_no_sign(
    app: Flask, share: float | None, said: str
):
    with app.test_request_context():
        assert views.percent(share, sign=True) == said
        assert views.percent(0.125, 1) == "12,5"
