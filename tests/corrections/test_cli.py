"""The operator corrects a key, and loading the content says that a file still holds it."""

import json
import shutil

from lms.config import CONTENT
from tests.quizzes import typed
from tests.test_cli import installed, query, run  # noqa: F401  # fixtures

ITEM = ("questions", "correct", "K1-0321-1", "1", "--reason", "Keliru.")


def test_a_key_is_corrected_after_a_look(installed):  # noqa: F811  # fixture
    query(
        "INSERT INTO person (id, public_id, email, name, password_hash, created_at, locale)"
        " VALUES (1, 'p', 'ahli@contoh.test', 'Ahli', '', '2026-03-02 00:00:00', 'id')"
    )
    [(key,)] = query(
        "SELECT v.key FROM item_version v JOIN item i ON i.id = v.item_id"
        " WHERE i.slug = 'K1-0321-1'"
    )
    new = "ABCD"["ABCD".index(key) - 1]
    by = ("--by", "ahli@contoh.test")
    looked = installed(*ITEM, "--key", new, *by)
    assert json.loads(looked.stdout)["closed"] == 0
    assert query("SELECT count(*) FROM item_correction") == [(0,)]
    for wrong in (
        (*ITEM, "--key", key, *by, "--yes"),
        (*ITEM, "--key", new, "--by", "tidak@ada.test", "--yes"),
        ("questions", "correct", "K9", "1", "--reason", "x", "--key", new, *by),
    ):
        assert installed(*wrong).exit_code == 1
    assert installed(*ITEM, "--key", new, *by, "--yes").exit_code == 0
    assert query("SELECT count(*) FROM item_correction") == [(1,)]
    loaded = installed("content", "load", "--force")
    assert loaded.exit_code == 0, loaded.output
    assert "K1-0321-1: the file holds a key that was corrected" in loaded.stderr


def test_a_key_of_another_type_is_named_field_by_field(installed, tmp_path, monkeypatch):  # noqa: F811
    query(
        "INSERT INTO person (id, public_id, email, name, password_hash, created_at, locale)"
        " VALUES (1, 'p', 'ahli@contoh.test', 'Ahli', '', '2026-03-02 00:00:00', 'id')"
    )
    folder = shutil.copytree(CONTENT, tmp_path / "content")
    bank = folder / typed.FOLDER / "items.yaml"
    own = typed.ITEMS.removeprefix("items:\n").split("  - id")[5]
    bank.write_text(f"{bank.read_text(encoding='utf-8').rstrip()}\n  - id{own}", encoding="utf-8")
    monkeypatch.setenv("SULUH_CONTENT_DIR", str(folder))
    loaded = installed("content", "load")
    assert loaded.exit_code == 0, loaded.output
    item = ("questions", "correct", "K1-0223-91", "1", "--reason", "Keliru.", "--yes")
    by = ("--by", "ahli@contoh.test")
    places = [part for place in ("2", "1", "3", "4") for part in ("--key", place)]
    assert installed(*item, *by, "--key", "B").exit_code == 1
    assert installed(*item, *by, *places).exit_code == 0
    [(body,)] = query("SELECT v.body FROM item_version v ORDER BY v.id DESC LIMIT 1")
    assert json.loads(body)["places"] == [2, 1, 3, 4]
