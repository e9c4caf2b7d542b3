"""What the content holds for each criterion: measured, stored with the load, shown with holes."""

import csv
import io
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from lms import release
from lms.accounts.models import Person
from lms.competency.rules import EvidenceKind
from lms.config import CONTENT
from lms.core.db import db, unit_of_work
from lms.core.models import ContentRelease
from lms.reports.coverage import rules, services
from lms.reports.coverage.rules import Coverage, Part, Status, Supply
from tests import factories
from tests.conftest import LOADED_AT
from tests.ledgers import STANDARD
from tests.practice.exercises import desk

SignIn = Callable[[Person], FlaskClient]
PAGE = "/laporan/cakupan-kurikulum"
K1 = "k1-asesmen-risiko"
CRITICAL, PLAIN = STANDARD.kuk["03.1.1"], STANDARD.kuk["03.1.2"]


def full() -> Supply:
    """Return a supply in which every criterion has all it needs and no more."""
    everything = {code: ["X"] for code in STANDARD.kuk}
    return Supply(
        shown={part: everything for part in Part if part is not Part.ITEMS},
        items={code: rules.wanted(kuk, Part.ITEMS, STANDARD) for code, kuk in STANDARD.kuk.items()},
    )


def cover(supply: Supply, status: Status = Status.PUBLISHED) -> Coverage:
    return rules.cover(STANDARD, supply, dict.fromkeys(STANDARD.curricula, status), {})


def without(part: Part, kuk: str) -> Supply:
    """Return the full supply with one thing less."""
    supply = full()
    if part is Part.ITEMS:
        return replace(supply, items={**supply.items, kuk: supply.items[kuk] - 1})
    return replace(supply, shown={**supply.shown, part: {**supply.shown[part], kuk: []}})


def test_nothing_is_missing_when_everything_is_there():
    found = cover(full())
    assert found.holes == found.refused() == []
    for table in found.tables:
        assert table.with_holes == []
        assert all(enough == asked for enough, asked in table.totals.values())
    assert [table.code for table in found.tables] == list(STANDARD.curricula)


@pytest.mark.parametrize("part", Part)
def test_each_part_that_is_missing_is_one_hole(part: Part):
    kuk = next(
        one for one in STANDARD.kuk.values() if one.critical and rules.wanted(one, part, STANDARD)
    )
    found = cover(without(part, kuk.code))
    (hole,) = found.holes
    assert (hole.kuk, hole.part, hole.curriculum) == (kuk.code, part, kuk.curriculum)
    assert hole.have == hole.wanted - 1
    assert kuk.code in hole.message
    assert found.refused() == [hole]
    table = next(table for table in found.tables if table.code == kuk.curriculum)
    assert [line.kuk for line in table.with_holes] == [kuk.code]
    enough, asked = table.totals[part]
    assert enough == asked - 1
    draft = cover(without(part, kuk.code), Status.DRAFT)
    assert (draft.holes, draft.refused()) == ([hole], [])
    absent = cover(without(part, kuk.code), Status.ABSENT)
    assert absent.holes == absent.refused() == []


def test_a_criterion_that_is_not_critical_keeps_nothing_back():
    found = cover(without(Part.LESSON, PLAIN.code))
    assert [hole.kuk for hole in found.holes] == [PLAIN.code]
    assert not found.holes[0].critical
    assert found.refused() == []


def test_what_is_wanted_follows_the_evidence():
    kinds = {
        Part.ITEMS: EvidenceKind.Q,
        Part.CASE: EvidenceKind.SK,
        Part.SIMULATION: EvidenceKind.SIM,
        Part.STATION: EvidenceKind.OBS,
        Part.IN_PERSON: EvidenceKind.OBS,
    }
    for part, kind in kinds.items():
        only = replace(CRITICAL, ev=(kind,))
        others = replace(CRITICAL, ev=tuple(set(EvidenceKind) - {kind}))
        assert rules.wanted(only, part, STANDARD) == (6 if part is Part.ITEMS else 1)
        assert rules.wanted(others, part, STANDARD) == 0
    both = replace(PLAIN, ev=(EvidenceKind.Q, EvidenceKind.OBS))
    alone = replace(PLAIN, ev=(EvidenceKind.OBS, EvidenceKind.REF))
    assert rules.wanted(both, Part.STATION, STANDARD) == 0
    assert rules.wanted(alone, Part.STATION, STANDARD) == 1
    assert rules.wanted(both, Part.ITEMS, STANDARD) == 3


def test_what_was_stored_reads_as_it_was():
    found = cover(without(Part.CASE, CRITICAL.code))
    assert rules.from_json(json.loads(json.dumps(rules.to_json(found)))) == found


def test_the_same_code_is_listed_once():
    pairs = [("S1", ["a", "b"]), ("S1", ["a"]), ("S2", ["a"])]
    assert rules.collect(pairs) == {"a": ["S1", "S2"], "b": ["S1"]}


# --- The content as it is


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A copy of K1, and of what belongs to everybody, that may be broken."""
    others = [path.name for path in CONTENT.iterdir() if path.is_dir() and path.name != K1]
    return shutil.copytree(CONTENT, tmp_path / "content", ignore=shutil.ignore_patterns(*others))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def messages(found: release.Checked) -> list[str]:
    return [f"{Path(one.file).name}:{one.line} {one.message}" for one in found.problems]


def test_the_content_that_comes_along_has_all_its_critical_criteria_need():
    found = release.check(CONTENT)
    assert found.coverage is not None
    assert found.coverage.refused() == []
    report = services.report(found.coverage)
    assert report["curricula"]["K1"] | {"items_per_kuk": 0} == {
        "status": "published", "lessons_online": 10, "lessons_in_person": 1, "items": 78,
        "cases": 1, "simulations": len(list((CONTENT / K1 / "simulations").glob("*"))),
        "nodes": report["curricula"]["K1"]["nodes"], "stations": 3, "drills": 0, "roles": 0,
        "records": 0, "items_per_kuk": 0,
    }  # fmt: skip
    assert report["curricula"]["K1"]["items_per_kuk"]["03.1.1"] == 6
    assert sum(report["curricula"]["K1"]["items_per_kuk"].values()) == 78
    assert report["curricula"]["K1"]["nodes"] >= 24


def test_material_is_counted_and_loaded_with_its_lesson(app: Flask, mine: Path, sign_in: SignIn):
    for name, document in desk.FILES.items():
        desk.write(mine, name, document)
    found = release.check(mine)
    assert found.problems == []
    assert found.coverage is not None
    counted = services.report(found.coverage)["curricula"]["K1"]
    assert [counted[name] for name in ("drills", "roles", "records")] == [1, 1, 1]
    assert load(mine)["exercises"]["total"] == 3
    browser = sign_in(factories.person("trainee"))
    assert "/latihan/bahan/k1.10" in browser.get("/modul/k1/10").text
    for name in desk.FILES:
        (mine / K1 / name).unlink()
    assert load(mine)["exercises"]["retired"] == 3
    assert "/latihan/bahan/k1.10" not in browser.get("/modul/k1/10").text


def drop_case(folder: Path) -> None:
    (folder / K1 / "cases/sk1.yaml").unlink()


def drop_simulations(folder: Path) -> None:
    for path in folder.glob("*/simulations/*.yaml"):
        path.unlink()


def drop_workshop_kuk(folder: Path) -> None:
    edit(folder / K1 / "11-lokakarya.md", '"03.1.1", ', "")


def drop_stations(folder: Path) -> None:
    (folder / K1 / "stations.yaml").unlink()


def drop_lesson_kuk(folder: Path) -> None:
    edit(folder / K1 / "05-tanda-bahaya-dan-suara-korban.md", '"03.1.1", ', "")


def drop_bank(folder: Path) -> None:
    (folder / K1 / "items.yaml").unlink()


DROPS: list[tuple[Callable[[Path], None], str, Part]] = [
    (drop_case, "critical KUK 03.1.1 has no case study: write it, or", Part.CASE),
    (drop_simulations, "critical KUK 03.1.1 has no simulation: write it", Part.SIMULATION),
    (drop_workshop_kuk, "critical KUK 03.1.1 has no in-person lesson: write", Part.IN_PERSON),
    (drop_stations, "stations.yaml is missing: 02.2.1, 03.1.1, 03.1.3 need OBS", Part.STATION),
    (drop_lesson_kuk, "no online lesson teaches KUK 03.1.1", Part.LESSON),
    (drop_bank, "the bank of K1 is missing", Part.ITEMS),
]  # fmt: skip


@pytest.mark.parametrize(("drop", "message", "part"), DROPS)
def test_a_hole_keeps_a_curriculum_from_being_published_and_a_draft_lists_it(
    mine: Path, drop: Callable[[Path], None], message: str, part: Part
):
    drop(mine)
    said = messages(release.check(mine))
    assert any(message in one for one in said), said
    if part in release.HOLES:
        assert any(one.startswith("curriculum.yaml:2 ") and message in one for one in said)
    edit(mine / K1 / "curriculum.yaml", "code: K1\n", "code: K1\nstatus: draft\n")
    found = release.check(mine)
    assert not [one for one in messages(found) if "KUK 03.1.1" in one or "missing" in one]
    assert found.coverage is not None
    assert ("K1", "03.1.1", part) in {
        (hole.curriculum, hole.kuk, hole.part) for hole in found.coverage.holes
    }


def test_a_file_that_cannot_be_read_is_no_hole(mine: Path):
    edit(mine / K1 / "cases/sk1.yaml", "code: SK1", "code: [")
    said = messages(release.check(mine))
    assert any(one.startswith("sk1.yaml:") for one in said)
    assert not [one for one in said if "has no case study" in one]


def test_a_curriculum_that_cannot_be_read_is_said_once(mine: Path):
    (mine / "k9-rusak").mkdir()
    (mine / "k9-rusak/curriculum.yaml").write_text("code: [\n", encoding="utf-8")
    (mine / "k8-rusak").mkdir()
    (mine / "k8-rusak/curriculum.yaml").write_text("- daftar\n", encoding="utf-8")
    said = messages(release.check(mine))
    assert any(one.startswith("curriculum.yaml:") for one in said)
    assert not [one for one in said if "KUK 03.1.1" in one]


def load(folder: Path) -> dict[str, Any]:
    with unit_of_work():
        found = release.load(folder, now=LOADED_AT)
        assert found is not None
        return dict(found.counts)


def test_a_draft_is_not_taught_and_comes_back_whole(app: Flask, mine: Path, sign_in: SignIn):
    browser = sign_in(factories.person("trainee"))
    assert browser.get("/modul/k1/1").status_code == 200
    before = list(db.session.scalars(db.select(ContentRelease.counts)))[-1]
    edit(mine / K1 / "curriculum.yaml", "code: K1\n", "code: K1\nstatus: draft\n")
    counts = load(mine)
    assert counts["lessons"]["retired"] == before["lessons"]["total"]
    assert counts["items"]["withdrawn"] == before["items"]["total"]
    assert counts["stations"]["retired"] == before["stations"]["total"]
    assert counts["simulations"]["total"] == len(list((mine / K1 / "simulations").glob("*.yaml")))
    assert browser.get("/modul/k1/1").status_code == 404
    assert "Sedang disiapkan" in browser.get("/pelajaran").text
    found = services.read()
    assert found is not None
    assert found.tables[0].status is Status.DRAFT
    counts = load(CONTENT)
    assert browser.get("/modul/k1/1").status_code == 200
    assert {name: part["total"] for name, part in counts.items()} == {
        name: part["total"] for name, part in before.items()
    }
    assert counts["lessons"]["changed"] == 0


def test_publishing_says_nothing_new_about_a_curriculum(app: Flask, mine: Path):
    """The version of a curriculum that classes hold is about its texts, not about its state."""
    edit(mine / K1 / "curriculum.yaml", "code: K1\n", "code: K1\nstatus: published\n")
    before = db.session.scalar(db.text("SELECT digest FROM curriculum WHERE code = 'K1'"))
    load(mine)
    assert db.session.scalar(db.text("SELECT digest FROM curriculum WHERE code = 'K1'")) == before


# --- The page


@pytest.fixture
def trainer(app: Flask, sign_in: SignIn) -> FlaskClient:
    """A trainer."""
    return sign_in(factories.person("trainer"))


def store(found: Coverage | None) -> None:
    document = rules.to_json(found) if found else db.null()
    with unit_of_work():
        db.session.execute(update(ContentRelease).values(coverage=document))


def lines(browser: FlaskClient, query: str = "") -> list[list[str]]:
    text = browser.get(f"{PAGE}.csv{query}").get_data(as_text=True)
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=";"))


def test_the_page_shows_what_is_there_and_what_is_short(trainer: FlaskClient):
    store(cover(without(Part.ITEMS, CRITICAL.code)))
    text = trainer.get(PAGE).text
    assert text.count("Kurang: ") == 1
    assert "Kurang: 5 dari 6" in text
    assert text.count("<table") == len(STANDARD.curricula)
    only = trainer.get(f"{PAGE}?hanya=kurang").text
    assert only.count("<table") == 1
    assert CRITICAL.code in only
    assert PLAIN.code not in only
    assert only.count("Tidak ada yang kurang") == len(STANDARD.curricula) - 1
    assert trainer.get(f"{PAGE}?kurikulum=K2").text.count("<table") == 1
    assert trainer.get(f"{PAGE}?kurikulum=K9").text.count("<table") == 0


def test_a_curriculum_nobody_wrote_and_a_draft_say_so(trainer: FlaskClient):
    states = {"K1": Status.PUBLISHED, "K2": Status.DRAFT}
    store(rules.cover(STANDARD, full(), states, {"K1": {"items": 78}}))
    text = trainer.get(PAGE).text
    assert "Belum ditulis" in text
    assert "Rancangan" in text
    assert "78 butir soal" in text


def test_the_file_holds_a_row_for_each_criterion(trainer: FlaskClient):
    store(cover(without(Part.ITEMS, CRITICAL.code)))
    head, *rows = lines(trainer)
    assert head[:5] == ["Kurikulum", "KUK", "Kriteria", "Kritis", "Pelajaran daring"]
    assert len(rows) == len(STANDARD.kuk)
    assert {len(row) for row in rows} == {len(head)}
    _head, row = lines(trainer, "?hanya=kurang")
    assert (row[0], row[1], row[3], row[6], row[7], row[-1]) == (
        "K1", CRITICAL.code, "kritis", "5", "6", "1",
    )  # fmt: skip


def test_before_anything_was_measured_the_page_says_so(trainer: FlaskClient):
    store(None)
    assert "Belum dihitung" in trainer.get(PAGE).text
    assert len(lines(trainer)) == 1


@pytest.mark.parametrize(
    ("role", "status"),
    [("author", 200), ("reviewer", 200), ("admin", 200), ("trainee", 403), ("agency", 403)],
)
def test_who_may_see_it(app: Flask, sign_in: SignIn, role: str, status: int):
    assert sign_in(factories.person(role)).get(PAGE).status_code == status


def test_the_lessons_tab_is_the_one_that_is_lit(trainer: FlaskClient):
    text = trainer.get(PAGE).text
    tabs = text.split('class="tabs', 1)[1].split("</nav>", 1)[0]
    assert tabs.count("aria-current") == 1
    assert "Pelajaran" in tabs.split("aria-current", 1)[1].split("</a>", 1)[0]
