"""The data map names every column, and only those that are there."""

import dataclasses

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Column, MetaData, Table, Text

from lms.app import import_models
from lms.core.db import Base
from lms.privacy import data_map, rules
from lms.privacy import map as handbook
from lms.privacy.data_map import MAP, Kind

import_models()


def _differences(metadata: MetaData) -> list[str]:
    wrong = [f"{name}: no such table" for name in MAP if name not in metadata.tables]
    for table in metadata.tables.values():
        entry = MAP.get(table.name)
        if entry is None:
            wrong.append(f"{table.name}: not in the map")
            continue
        there = {column.name for column in table.columns}
        wrong += [f"{table.name}.{name}: not in the map" for name in there - entry.columns.keys()]
        wrong += [f"{table.name}.{name}: no such column" for name in entry.columns.keys() - there]
    return sorted(wrong)


def test_every_column_is_classified():
    assert _differences(Base.metadata) == []


def test_a_planted_column_and_a_vanished_one_are_seen():
    planted = MetaData()
    for table in Base.metadata.tables.values():
        table.to_metadata(planted)
    planted.tables["person"].append_column(Column("telephone", Text))
    Table("diary", planted, Column("text", Text))
    planted.remove(planted.tables["consent"])
    assert _differences(planted) == [
        "consent: no such table",
        "diary: not in the map",
        "person.telephone: not in the map",
    ]


def test_each_entry_makes_sense():
    for entry in data_map.ENTRIES:
        listed = [*entry.columns]
        assert entry.stays | entry.clear | entry.withheld <= set(listed), entry.name
        assert bool(entry.stays) == bool(entry.because), entry.name
        assert bool(entry.withheld) == bool(entry.withheld_because), entry.name
        if entry.ways:
            assert entry.words, entry.name
        if entry.kept is data_map.Kept.TIMER:
            assert entry.timer, entry.name
    assert len(MAP) == len(data_map.ENTRIES)
    named = {word for e in data_map.ENTRIES for word in e.timer.split() if word in rules.TIMERS}
    assert named == set(rules.TIMERS)


def test_every_tie_to_an_owner_is_a_way():
    """A column called person_id whose table has no way to its owner was forgotten."""
    for table in Base.metadata.tables.values():
        if "person_id" in table.columns and table.columns["person_id"].foreign_keys:
            assert any(way.lstrip("@#") == "person_id" for way in MAP[table.name].ways), table.name


def test_secrets_are_never_exported_and_names_are_blanked():
    person = MAP["person"]
    assert "password_hash" not in person.exported
    assert person.blanked == ["name", "email"]
    assert MAP["certificate"].blanked == []
    assert dataclasses.replace(person, gone=True).blanked == []
    assert MAP["organisation"].blanked == []
    assert {e.name for e in data_map.ENTRIES if not e.is_personal} >= {"quiz", "lesson", "scheme"}
    assert Kind.SEALED.value == "secret"


def test_the_handbook_is_up_to_date():
    """Run `python -m lms.privacy.map` when this fails."""
    assert handbook.TARGET.read_text(encoding="utf-8") == handbook.text()


def test_the_page_of_stored_data_names_every_owned_table(app: Flask, client: FlaskClient):
    page = client.get("/privasi/data").text
    assert "dimusnahkan paling lambat 30 hari sesudah diambil" in page
    for entry in data_map.owned():
        assert f"{entry.name}</code>" in page, entry.name
    assert "password_hash" not in page
