"""Before the disk is full, and when the operator says so, nothing is written and reads go on."""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms.accounts.models import Person
from lms.core import readonly
from lms.core.db import unit_of_work
from lms.core.readonly import Gate, ReadOnly, Reason
from tests import factories

MIB = 1024 * 1024


@pytest.fixture
def gate(app: Flask, tmp_path: Path):
    """The gate of the application, with a switch of its own."""
    found = readonly.gate()
    found.switch = tmp_path / readonly.SWITCH
    found.forget()
    yield found
    found.switch = None
    found.forget()


def test_the_reserve_decides(tmp_path: Path):
    free = Gate(None, tmp_path / "d.db", 0).free()
    assert free is not None
    assert free > 0
    assert Gate(None, tmp_path / "d.db", free // 2).look() is None
    assert Gate(None, tmp_path / "d.db", free * 2).look() is Reason.DISK


def test_the_disk_of_another_machine_is_not_looked_at(tmp_path: Path):
    gate = Gate(tmp_path, None, 10**18)
    assert (gate.free(), gate.look()) == (None, None)
    (tmp_path / readonly.SWITCH).touch()
    assert gate.look() is Reason.SWITCH


def test_one_look_holds_for_a_moment(gate: Gate):
    assert gate.reason is None
    assert gate.switch is not None
    gate.switch.touch()
    assert gate.reason is None  # still the look before
    gate.forget()
    assert gate.reason is Reason.SWITCH


def test_a_unit_of_work_is_refused_before_anything_is_read(gate: Gate):
    assert gate.switch is not None
    gate.switch.touch()
    with pytest.raises(ReadOnly), unit_of_work():
        pytest.fail("it began")
    gate.switch.unlink()
    gate.forget()
    with unit_of_work():
        pass


def test_people_read_on_and_are_told_that_nothing_is_saved(
    gate: Gate, client: FlaskClient, sign_in: Callable[[Person], FlaskClient]
):
    browser = sign_in(factories.person(name="Ibu Ani"))
    assert gate.switch is not None
    gate.switch.touch()
    gate.forget()
    assert browser.get("/").status_code == 200
    answer = browser.post("/akun/nama", data={"name": "Ibu Ana"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "30"
    assert "Sementara hanya bisa dibaca" in answer.text
    assert "belum tersimpan" in answer.text
    as_script = {"Accept": "application/json"}
    script = browser.post("/akun/nama", data={"name": "Ibu Ana"}, headers=as_script)
    assert (script.status_code, script.json["saved"]) == (503, False)
    gone = browser.post("/keluar-cepat")  # leaving never fails
    assert gone.status_code == 200
    gate.switch.unlink()
    gate.forget()
    assert "Ibu Ani" in sign_in(factories.person(name="Ibu Ani")).get("/akun").text


def test_the_log_tells_when_it_begins_and_when_it_ends(
    gate: Gate, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.WARNING)
    assert gate.switch is not None
    gate.watch()
    gate.switch.touch()
    assert [gate.watch(), gate.watch()] == [Reason.SWITCH] * 2
    gate.switch.unlink()
    gate.watch()
    assert [one.message for one in caplog.records] == [
        "nothing is written: the operator says so",
        "writing goes on",
    ]
