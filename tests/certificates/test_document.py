"""The frozen facts, their rules and their JSON form."""

import json
from dataclasses import FrozenInstanceError, replace
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates.__main__ import sample
from certificates.codes import new_code
from certificates.document import (
    LONGEST_TEXT,
    MOST_ISSUER_LINES,
    MOST_TRAINERS,
    MOST_UNITS,
    Certificate,
    InvalidCertificate,
    UnitLine,
)

SAMPLE = sample("id")
UNIT = SAMPLE.units[0]

texts = st.text(max_size=40)
words = texts.filter(lambda text: text.strip() != "")
days = st.dates(date(2020, 1, 1), date(2025, 12, 31))
later_days = st.dates(date(2026, 1, 1), date(2040, 12, 31))
units = st.builds(
    UnitLine,
    code=texts,
    title=texts,
    jp=st.none() | st.integers(0, 100),
    mark=texts,
    achieved=st.booleans(),
)


@st.composite
def certificates(draw: st.DrawFn) -> Certificate:
    code = new_code(lambda length: draw(st.binary(min_size=length, max_size=length)))
    return Certificate(
        number=draw(words),
        code=code,
        verify_url=f"https://suluh.example/c/{code}",
        language=draw(st.sampled_from(["id", "en"])),
        issuer_lines=tuple(draw(st.lists(texts, min_size=1, max_size=MOST_ISSUER_LINES))),
        holder_name=draw(words),
        scheme_title=draw(texts),
        training_title=draw(words),
        started_on=draw(days),
        ended_on=draw(later_days),
        jp=draw(st.integers(0, 500)),
        issued_on=draw(days),
        valid_until=draw(later_days),
        place=draw(texts),
        signatory_title=draw(texts),
        signatory_name=draw(words),
        signatory_number=draw(st.none() | texts),
        units=tuple(draw(st.lists(units, min_size=1, max_size=4))),
        standard_version=draw(texts),
        standard_is_draft=draw(st.booleans()),
        law_checked_on=draw(st.none() | days),
        trainers=tuple(draw(st.lists(texts, max_size=3))),
        sample=draw(st.booleans()),
    )


@given(certificates())
def test_a_snapshot_survives_json(certificate: Certificate):
    stored = json.dumps(certificate.to_dict())
    assert Certificate.from_dict(json.loads(stored)) == certificate
    assert json.dumps(Certificate.from_dict(json.loads(stored)).to_dict()) == stored


def test_the_snapshot_says_how_to_read_it():
    snapshot = SAMPLE.to_dict()
    assert snapshot["format"] == 1
    assert snapshot["issued_on"] == "2026-11-20"
    assert snapshot["units"][0] == {
        "code": "SLH.PKDRT.001.01",
        "title": "Menerapkan etika dan kerahasiaan dalam pendampingan korban",
        "jp": 6,
        "mark": "81",
        "achieved": True,
    }


def test_facts_cannot_change():
    with pytest.raises(FrozenInstanceError):
        SAMPLE.holder_name = "Orang Lain"  # type: ignore[misc]  # that it fails is the test
    assert not hasattr(SAMPLE, "__dict__")


def test_the_host_is_what_people_type():
    assert SAMPLE.host == "suluh.example"
    local = replace(SAMPLE, verify_url=f"http://127.0.0.1:8000/c/{SAMPLE.code}")
    assert local.host == "127.0.0.1:8000"


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"language": "jv"}, "language 'jv' has no labels"),
        ({"code": "7QK4M-9TXHC-2RWVR"}, "code is not a canonical code"),
        ({"code": "000000000000001"}, "code is not a canonical code"),
        ({"verify_url": "https://suluh.example/c/0"}, "does not lead to the printed code"),
        ({"verify_url": f"ftp://suluh.example/{SAMPLE.code}"}, "not a plain web address"),
        ({"verify_url": f"https:///{SAMPLE.code}"}, "not a plain web address"),
        ({"verify_url": f"https://a@b.example/{SAMPLE.code}"}, "not a plain web address"),
        ({"verify_url": f"https://suluh.example/\n{SAMPLE.code}"}, "not a plain web address"),
        ({"verify_url": f"https://b\u0430nk.example/{SAMPLE.code}"}, "not a plain web address"),
        ({"verify_url": f"https://x.example/{'x' * 120}/{SAMPLE.code}"}, "longer than 120"),
        ({"number": " "}, "number is empty"),
        ({"holder_name": ""}, "holder_name is empty"),
        ({"holder_name": "x" * (LONGEST_TEXT + 1)}, "holder_name is longer than 300 characters"),
        ({"trainers": ("x" * (LONGEST_TEXT + 1),)}, "trainers is longer than 300 characters"),
        ({"training_title": ""}, "training_title is empty"),
        ({"signatory_name": "\n"}, "signatory_name is empty"),
        ({"issued_on": datetime(2026, 11, 20)}, "issued_on is not a plain day"),  # noqa: DTZ001 - that it is refused is the test
        ({"ended_on": date(2026, 11, 1)}, "ended_on is before started_on"),
        ({"valid_until": date(2026, 11, 1)}, "valid_until is before issued_on"),
        ({"jp": -1}, "jp is below zero"),
        ({"issuer_lines": ()}, "issuer_lines has 0 items, not 1 to 4"),
        ({"issuer_lines": ("x",) * 5}, "issuer_lines has 5 items, not 1 to 4"),
        ({"units": ()}, "units has 0 items, not 1 to 20"),
        ({"units": (UNIT,) * (MOST_UNITS + 1)}, "units has 21 items, not 1 to 20"),
        ({"trainers": ("x",) * (MOST_TRAINERS + 1)}, "trainers has 25 items, not 0 to 24"),
    ],
)
def test_facts_that_cannot_be_are_refused(wrong: dict[str, Any], message: str):
    with pytest.raises(InvalidCertificate, match=message):
        replace(SAMPLE, **wrong)


def test_a_unit_has_no_negative_hours():
    with pytest.raises(InvalidCertificate, match="jp of a unit is below zero"):
        replace(UNIT, jp=-1)
    with pytest.raises(InvalidCertificate, match="title is longer than 300 characters"):
        replace(UNIT, title="x" * (LONGEST_TEXT + 1))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"format": 2}, "format 2 is unknown, this release reads 1"),
        ({"nickname": "x"}, "fields do not match number, code"),
        ({"number": 1}, "number cannot be read: 1 is not of type str"),
        ({"jp": True}, "jp cannot be read: True is not of type int"),
        ({"jp": 1.5}, "jp cannot be read: 1.5 is not of type int"),
        ({"sample": 1}, "sample cannot be read: 1 is not of type bool"),
        ({"language": None}, "language cannot be read: None is not of type str"),
        ({"issued_on": "20261120"}, "issued_on cannot be read: '20261120' is not written"),
        ({"issued_on": "2026-02-30"}, "issued_on cannot be read: day is out of range"),
        ({"issued_on": 3}, "issued_on cannot be read: Invalid isoformat string"),
        ({"law_checked_on": "soon"}, "law_checked_on cannot be read"),
        ({"signatory_number": 7}, "signatory_number cannot be read: 7 is not of type str"),
        ({"trainers": "Dewi"}, "trainers cannot be read: 'Dewi' is not a list"),
        ({"trainers": [1]}, "trainers cannot be read: 1 is not of type str"),
        ({"units": [[]]}, r"units cannot be read: \[\] is not an object"),
        ({"units": [{"code": "x"}]}, "units cannot be read: fields do not match code, title"),
        ({"valid_until": "2026-01-01"}, "valid_until is before issued_on"),
    ],
)
def test_a_snapshot_that_is_not_one_is_refused(wrong: dict[str, Any], message: str):
    with pytest.raises(InvalidCertificate, match=message):
        Certificate.from_dict(SAMPLE.to_dict() | wrong)


def test_a_snapshot_with_a_field_missing_is_refused():
    snapshot = SAMPLE.to_dict()
    del snapshot["place"]
    with pytest.raises(InvalidCertificate, match="fields do not match"):
        Certificate.from_dict(snapshot)
    with pytest.raises(InvalidCertificate, match="format None is unknown"):
        Certificate.from_dict({})
