"""Villages by levels: who serves where, and what is missing."""

import pytest
import time_machine
from flask import Flask

from lms.agencies import coverage
from lms.core.db import unit_of_work
from tests import factories
from tests.agencies.test_views import LATER, officer_of, revoke
from tests.credentials.test_verify import text_of
from tests.credentials.world import World
from tests.queries import counted

PATH = "/instansi/cakupan"


@pytest.fixture
def world(app: Flask) -> World:
    return World()


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(LATER, tick=False):
        yield


def cells(world: World) -> dict[tuple[str, str], tuple[int, int | None, int]]:
    found = coverage.read_map(world.agency, LATER)
    return {
        (row.village.name, level.code): (cell.have, cell.wanted, cell.missing)
        for row in found.rows
        for level, cell in zip(found.levels, row.cells, strict=True)
    }


def test_an_officer_builds_the_map(world: World, sign_in):
    made = world.certified()
    world.join("Budi Tanpa")
    browser = sign_in(officer_of(world.agency))
    assert "Belum ada kelurahan" in text_of(browser.get(PATH).text)
    names = {"names": "Melati\n  Kenanga \n\nmelati\n", "unit": ""}
    answer = browser.post(f"{PATH}/kelurahan", data=names, follow_redirects=True)
    assert "2 kelurahan ditambah" in answer.text
    target = {"level": "K1", "village": "", "wanted": "2", "unit": ""}
    answer = browser.post(f"{PATH}/target", data=target, follow_redirects=True)
    assert "Target tersimpan untuk 2 kelurahan" in answer.text
    person = f"{PATH}/orang/{world.trainee.public_id}"
    village = coverage.list_villages("KOTA contoh")[1]
    assert village.name == "Melati"
    assert village.public_id in browser.get(person).text
    browser.post(person, data={"villages": [village.public_id]})
    page = text_of(browser.get(PATH).text)
    assert "2 kelurahan, kurang 3" in page
    assert "1/2 kurang 1" in page
    assert "0/2 kurang 2" in page
    assert "1 pendamping belum punya kelurahan" in page
    assert cells(world) == {("Kenanga", "K1"): (0, 2, 2), ("Melati", "K1"): (1, 2, 1)}
    file = browser.get(f"{PATH}.csv").text.removeprefix("\ufeff").splitlines()
    assert file == [
        "Kelurahan;Tingkat;Ada;Target;Kurang",
        "Kenanga;Asesmen Risiko;0;2;2",
        "Melati;Asesmen Risiko;1;2;1",
    ]
    revoke(made.code)
    assert cells(world)["Melati", "K1"] == (0, 2, 2)


@pytest.mark.both
def test_a_target_is_changed_and_taken_back(world: World):
    agency, actor = world.agency, world.trainer.id
    with unit_of_work():
        coverage.add_villages("Kota Contoh", ["A", "B"], actor_id=actor, now=LATER)

    def set_target(village: str, wanted: int) -> None:
        with unit_of_work():
            coverage.set_target(
                agency, village=village, level="K1", wanted=wanted, actor_id=actor, now=LATER
            )

    set_target("", 3)
    first = coverage.list_villages("Kota Contoh")[0].public_id
    set_target(first, 1)
    assert cells(world) == {("A", "K1"): (0, 1, 1), ("B", "K1"): (0, 3, 3)}
    set_target("", 0)
    assert all(wanted is None for _have, wanted, _missing in cells(world).values())
    assert coverage.read_map(agency, LATER).missing == 0


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("kelurahan", {"names": ""}),
        ("kelurahan", {"names": "x" * 81}),
        ("kelurahan", {"names": "\n".join(f"k{n}" for n in range(301))}),
        ("target", {"level": "K1", "village": "", "wanted": "100"}),
        ("target", {"level": "K9", "village": "", "wanted": "1"}),
        ("target", {"level": "K1", "village": "x", "wanted": "1"}),
    ],
)
def test_what_cannot_be_is_asked_again(world: World, sign_in, path: str, data: dict[str, str]):
    with unit_of_work():
        coverage.add_villages("Kota Contoh", ["A"], actor_id=world.trainer.id, now=LATER)
    answer = sign_in(officer_of(world.agency)).post(f"{PATH}/{path}", data=data)
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    assert len(coverage.list_villages("Kota Contoh")) == 1


def test_other_agencies_people_and_villages_are_out_of_reach(world: World, sign_in):
    stranger = sign_in(officer_of(factories.organisation()))
    person = f"{PATH}/orang/{world.trainee.public_id}"
    assert stranger.get(person).status_code == 404
    assert stranger.post(person, data={}).status_code == 404
    browser = sign_in(officer_of(world.agency))
    assert browser.post(person, data={"villages": ["x"]}).status_code == 422
    assert sign_in(world.trainer).get(PATH).status_code == 403


def test_the_map_costs_the_same_for_any_number(world: World):
    with unit_of_work():
        coverage.add_villages("Kota Contoh", ["A"], actor_id=world.trainer.id, now=LATER)
    world.certified()
    with counted() as few:
        coverage.read_map(world.agency, LATER)
    with unit_of_work():
        names = [f"V{n}" for n in range(30)]
        coverage.add_villages("Kota Contoh", names, actor_id=world.trainer.id, now=LATER)
    world.join("Budi Dua")
    with counted() as many:
        assert len(coverage.read_map(world.agency, LATER).rows) == 31
    assert len(many) == len(few) == 7
