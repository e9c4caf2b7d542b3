"""Pages whose code is loaded when somebody asks for one of them."""

import json
from pathlib import Path

import pytest
from flask import Blueprint, Flask
from werkzeug.exceptions import Gone

from lms import app as house
from lms.app import create_app
from lms.core import addresses, late
from lms.core.addresses import TooLate
from tests.conftest import _config

MODULE = "tests.core.late_feature"


def first_and_second(folder: Path) -> tuple[Flask, Flask]:
    """Return what a first start makes, and the next one."""
    config = _config(f"sqlite:///{folder}/a.db", folder=folder)
    return create_app(config, when_asked=True), create_app(config, when_asked=True)


def map_of(app: Flask) -> dict[str, list[tuple[str, frozenset[str]]]]:
    found: dict[str, list[tuple[str, frozenset[str]]]] = {}
    for rule in app.url_map.iter_rules():
        found.setdefault(rule.endpoint, []).append((rule.rule, frozenset(rule.methods or ())))
    return found


def test_the_second_start_knows_every_address_and_loads_a_feature_when_it_is_asked_for(
    tmp_path: Path,
):
    first, second = first_and_second(tmp_path)
    assert first.waiting is None
    assert second.waiting is not None
    assert map_of(second) == map_of(first)
    assert second.view_functions["modules.lesson"] is not first.view_functions["modules.lesson"]
    for endpoint in first.view_functions:
        second.waiting.need(endpoint)
    second.waiting.need(None)  # an address nobody knows
    assert second.view_functions == first.view_functions


def test_late_features_bring_all_that_early_ones_do(tmp_path: Path):
    first, second = first_and_second(tmp_path)
    for endpoint in first.view_functions:
        second.waiting.need(endpoint)
    for kind in addresses.OF_A_BLUEPRINT:
        early, now = getattr(first, kind), getattr(second, kind)
        assert {name: len(found) for name, found in now.items() if found} == {
            name: len(found) for name, found in early.items() if found
        }, kind
    answered = {name: set(found) for name, found in first.error_handler_spec.items() if found}
    assert {n: set(f) for n, f in second.error_handler_spec.items() if f} == answered
    assert "nominations" in answered, "the control: a blueprint that answers errors"
    for what in ("globals", "filters", "tests"):
        names = set(getattr(first.jinja_env, what))
        assert set(getattr(second.jinja_env, what)) == names


@pytest.mark.parametrize("harm", ["other views", "half a file", "no rules"])
def test_what_was_remembered_is_used_for_the_same_views_only(
    tmp_path: Path, harm: str, monkeypatch: pytest.MonkeyPatch
):
    first, _second = first_and_second(tmp_path)
    path = tmp_path / "cache" / house.ADDRESSES
    if harm == "other views":
        monkeypatch.setattr(addresses, "digest", lambda _package: "0" * 64)
    elif harm == "half a file":
        path.write_text(path.read_text(encoding="utf-8")[:-9], encoding="utf-8")
    else:
        body = json.loads(path.read_text(encoding="utf-8"))
        del body["features"][0]["rules"]
        path.write_text(json.dumps(body), encoding="utf-8")
    third = create_app(_config(f"sqlite:///{tmp_path}/a.db", folder=tmp_path), when_asked=True)
    fourth = create_app(_config(f"sqlite:///{tmp_path}/a.db", folder=tmp_path), when_asked=True)
    assert third.waiting is None, "a slower start"
    assert fourth.waiting is not None, "which is remembered"
    assert map_of(fourth) == map_of(first)


def test_the_digest_changes_with_any_views_and_with_nothing_else(tmp_path: Path):
    (tmp_path / "one" / "views").mkdir(parents=True)
    for name in ("views.py", "one/views.py", "one/views/two.py", "one/rules.py"):
        (tmp_path / name).write_text("a = 1", encoding="utf-8")
    digest = addresses.digest(tmp_path)
    (tmp_path / "one" / "rules.py").write_text("a = 2", encoding="utf-8")
    assert addresses.digest(tmp_path) == digest
    seen = {digest}
    for name in ("views.py", "one/views.py", "one/views/two.py"):
        (tmp_path / name).write_text("a = 2", encoding="utf-8")
        seen.add(addresses.digest(tmp_path))
    assert len(seen) == 4


def feature(monkeypatch: pytest.MonkeyPatch) -> tuple[Blueprint, Flask]:
    """Return a blueprint with one page, and an application that waits for it."""
    bp = Blueprint("late", MODULE)
    bp.add_url_rule("/nanti", "page", lambda: "sudah", methods=["GET"])
    monkeypatch.setattr(addresses, "import_module", lambda _name: type("M", (), {"bp": bp}))
    early = Flask("early", static_folder=None)
    early.register_blueprint(bp)
    waiting = Flask("waiting", static_folder=None)
    found = addresses.describe(early, {MODULE: bp})
    waiting.extensions["waiting"] = addresses.Waiting(waiting, found)
    return bp, waiting


def test_a_page_that_was_never_loaded_answers_nothing(monkeypatch: pytest.MonkeyPatch):
    _bp, app = feature(monkeypatch)
    with pytest.raises(RuntimeError, match="not loaded"):
        app.view_functions["late.page"]()
    app.extensions["waiting"].need("late.page")
    assert app.view_functions["late.page"]() == "sudah"


@pytest.mark.parametrize(
    "add",
    [
        lambda bp: bp.before_app_request(lambda: None),
        lambda bp: bp.after_app_request(lambda answer: answer),
        lambda bp: bp.app_context_processor(dict),
        lambda bp: bp.app_errorhandler(Gone)(lambda _error: "gone"),
    ],
)
def test_a_late_feature_may_not_act_on_pages_of_others(
    add: object, monkeypatch: pytest.MonkeyPatch
):
    bp, app = feature(monkeypatch)
    bp._got_registered_once = False
    add(bp)  # type: ignore[operator]
    with pytest.raises(TooLate, match="say so in lms"):
        app.extensions["waiting"].need("late.page")


def test_every_table_is_known_when_all_are_asked_for(app: Flask):
    assert {"person", "quiz", "certificate", "incident"} <= set(late.all_tables().tables)
