"""Ids, the audit trail, forms and releases: small pieces everything stands on."""

import re

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict
from wtforms import StringField
from wtforms.fields import SelectChoice

from lms.core import audit, forms, ids, releases
from lms.core.db import db, unit_of_work
from lms.core.forms import PageForm
from tests import factories
from tests.conftest import LOADED_AT
from tests.factories import NOW


def test_tokens_and_public_ids_are_long_and_never_the_same():
    tokens = {ids.new_token() for _ in range(1000)}
    names = {ids.public_id() for _ in range(1000)}
    assert len(tokens) == len(names) == 1000
    assert all(len(token) >= 43 for token in tokens)  # 256 bits in base64
    assert all(re.fullmatch(f"[{ids.ALPHABET}]{{14}}", name) for name in names)
    assert not set(ids.ALPHABET) & set("01ilo")  # nothing people mix up when they read it aloud


def test_a_stored_token_does_not_say_the_token():
    token = ids.new_token()
    assert ids.hash_token(token) == ids.hash_token(token)
    assert re.fullmatch("[0-9a-f]{64}", ids.hash_token(token))
    assert token not in ids.hash_token(token)


def test_the_audit_trail_is_read_newest_first_and_page_by_page(app: Flask):
    actor = factories.person("admin").id
    with unit_of_work():
        for n in range(5):
            audit.record("cohorts.enrol", f"person:{n}", actor_id=actor, now=NOW, place=n)
        audit.record("credentials.revoke", "certificate:1", actor_id=None, now=NOW)
        audit.record("cohortsX.other", "person:1", actor_id=None, now=NOW)
    first = audit.list_events(limit=2, action="cohorts.")
    assert [(e.subject, e.detail) for e in first] == [
        ("person:4", {"place": 4}),
        ("person:3", {"place": 3}),
    ]
    rest = audit.list_events(before=first[-1].id, action="cohorts.")
    assert [e.subject for e in rest] == ["person:2", "person:1", "person:0"]
    assert [e.action for e in audit.list_events(subject="person:1")] == [
        "cohortsX.other",
        "cohorts.enrol",
    ]
    assert audit.list_events(action="%") == []
    revoked = audit.list_events(action="credentials.revoke")
    assert [(e.actor_id, e.at) for e in revoked] == [(None, NOW)]


def test_the_newest_load_is_the_latest(app: Flask):
    found = releases.latest()
    assert found is not None
    assert found.loaded_at == LOADED_AT
    db.session.delete(found)
    db.session.flush()
    assert releases.latest() is None


class Sheet(PageForm):
    name = StringField(validators=[forms.required(), forms.at_most(10)])
    lines = forms.LinesField()
    kind = forms.choice_field("Jenis", choices=[SelectChoice("a", "A")])
    day = forms.day_field("Hari")
    count = forms.count_field("Jumlah")
    level = StringField(validators=[forms.one_of(["x", "y"])])


def filled(app: Flask, **values: str | None) -> Sheet:
    good: dict[str, str | None] = {
        "name": "Ani",
        "lines": "satu",
        "kind": "a",
        "day": "2026-12-09",
        "count": "2",
        "level": "x",
    }
    typed = {name: value for name, value in (good | values).items() if value is not None}
    with app.test_request_context(method="POST"):
        form = Sheet(formdata=MultiDict(typed), meta={"csrf": False})
        form.validate()
        form.flattened = {name: [str(e) for e in found] for name, found in form.errors.items()}
    return form


def test_what_people_type_is_stripped(app: Flask):
    form = filled(app, name="  Ani \x00", lines="\n satu \n\n dua\n", level=" y ")
    assert form.flattened == {}
    assert (form.name.data, form.lines.lines, form.level.data) == ("Ani", ["satu", "dua"], "y")


def test_a_field_left_out_is_an_empty_text(app: Flask):
    form = filled(app, lines=None)
    assert form.lines.data == ""
    assert form.lines.lines == []
    assert forms.strip(None) == ""


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"name": None}, "Bagian ini perlu diisi."),
        ({"name": "   "}, "Bagian ini perlu diisi."),
        ({"name": "x" * 11}, "Paling banyak 10 huruf."),
        ({"kind": "b"}, "Pilih salah satu yang tersedia."),
        ({"day": "besok"}, "Tulis tanggal lengkap, misalnya 2026-12-09."),
        ({"count": "dua"}, "Tulis bilangan bulat, misalnya 2."),
        ({"level": "z"}, "Pilih salah satu yang tersedia."),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_of_ours(
    app: Flask, values: dict[str, str | None], message: str
):
    assert filled(app, **values).flattened == {next(iter(values)): [message]}


def test_boxes_give_every_tick(app: Flask):
    class Boxes(PageForm):
        ticks = forms.BoxesField(choices=[SelectChoice(x) for x in "abc"])

    with app.test_request_context(method="POST"):
        form = Boxes(formdata=MultiDict([("ticks", "a"), ("ticks", "c")]), meta={"csrf": False})
        assert form.validate()
    assert form.ticks.data == ["a", "c"]
    assert str(form.ticks()).count('type="checkbox"') == 3
