"""The schemes file: what is refused, and where the problem is said to be."""

import copy
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from lms.config import CONTENT
from lms.credentials import content
from tests.ledgers import SPEC

Change = Callable[[list[dict[str, object]]], object]


def checked(tmp_path: Path, change: Change = lambda _schemes: None):
    schemes = yaml.safe_load((CONTENT / "schemes.yaml").read_text(encoding="utf-8"))
    change(schemes)
    (tmp_path / "schemes.yaml").write_text(yaml.safe_dump(schemes, sort_keys=False))
    return content.check(tmp_path, SPEC)


def test_the_schemes_of_the_product_are_right():
    schemes, problems = content.check(CONTENT, SPEC)
    assert problems == []
    codes = [scheme.code for scheme in schemes]
    assert codes == ["K1", "K2", "K3", "K4", "K5", "PENDAMPING", "PELATIH"]
    by_code = {scheme.code: scheme for scheme in schemes}
    assert by_code["PENDAMPING"].curricula == ["K1", "K2", "K3", "K4", "K5"]
    assert by_code["PENDAMPING"].in_person == ["K1.T", "K2.T", "K3.T", "K4.T", "K5.T"]
    assert by_code["PENDAMPING"].jp == 54
    assert by_code["PELATIH"].holds == ["PENDAMPING"]
    assert by_code["PELATIH"].in_person == ["T.T"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.append(copy.deepcopy(s[0])), "appears twice"),
        (lambda s: s[0].update(curricula=["K9"]), "does not exist"),
        (lambda s: s[0].update(in_person=["K2.T"]), "another curriculum"),
        (lambda s: s[0].update(holds=["PELATIH"]), "above this one"),
        (lambda s: s[0].update(unit_jp={"01": 10}), "must name the units ['02', '03', '04']"),
        (lambda s: s[0].update(jp=13), "add up to 12"),
        (lambda s: s[0].update(number_pattern="{number}"), "must use"),
        (lambda s: s[0].update(number_pattern="{number}/{scheme}/{year}/{x}"), "must use"),
        (lambda s: s[0].update(number_pattern="{number.real}{scheme}{year}"), "must use"),
        (lambda s: s[0].update(number_pattern="{number"), "cannot be filled"),
        (lambda s: s[0].update(number_pattern="{number:Q}{scheme}{year}"), "cannot be filled"),
        (lambda s: s[0].update(code="k 1"), "pattern"),
        (lambda s: s[0].update(colour="green"), "colour"),
    ],
)
def test_a_wrong_scheme_is_named(tmp_path: Path, change: Change, message: str):
    _, problems = checked(tmp_path, change)
    assert any(message in str(problem) for problem in problems), problems
    assert all(problem.file.endswith("schemes.yaml") for problem in problems)


def test_a_problem_names_its_line(tmp_path: Path):
    _, problems = checked(tmp_path, lambda s: s[1].update(number_pattern="{number}"))
    text = (tmp_path / "schemes.yaml").read_text().splitlines()
    assert [text[problem.line - 1] for problem in problems] == ["  number_pattern: '{number}'"]


def test_an_untouched_copy_passes(tmp_path: Path):
    """The positive control of the refusals above."""
    assert checked(tmp_path)[1] == []
