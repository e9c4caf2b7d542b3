"""Words of the field are explained once, in order, and no lesson uses one that is not."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from flask import Flask
from flask.testing import FlaskClient

from lms.accounts.models import Person
from lms.config import CONTENT
from lms.core.content import Unreadable
from lms.modules.glossary import content
from lms.modules.glossary.rules import JARGON, find_unexplained, search
from tests import factories

SignIn = Callable[[Person], FlaskClient]
MEANING = "Penjelasan yang cukup panjang untuk dibaca."


def words(text: str, *known: str) -> list[tuple[int, str]]:
    return [(one.line, one.word) for one in find_unexplained(text, set(known))]


@pytest.mark.parametrize("word", JARGON)
def test_every_word_of_the_list_is_found_until_it_is_explained(word: str):
    text = f"Baris satu.\nPetugas menyebut {word} kepada korban."
    assert (2, word) in words(text)
    others = {other.lower() for other in JARGON if other != word and word not in other}
    assert words(text, *others, word.lower()) == []


@pytest.mark.parametrize(
    "text",
    [
        "Triase, yaitu menolong yang paling berbahaya lebih dulu.",
        "Triase adalah urutan menolong.",
        "Triase: urutan menolong.",
        "Petugas memakai *triase* (urutan menolong).",
        "Urutan menolong disebut triase.",
        "Urutan menolong (triase) dipakai.",
        "Urutan menolong (disingkat triase) dipakai.",
        "Triase dipakai. Triase, artinya urutan menolong, menolong kita.",
        "Tidak ada kata asing.",
        "Bagan triase-lapangan.",
    ],
)
def test_an_explanation_beside_the_word_is_enough(text: str):
    assert words(text) == []


def test_a_word_inside_an_explained_phrase_is_explained():
    text = "Ini delik aduan."
    assert words(text) == [(1, "delik")]
    assert words(text, "delik aduan") == []
    assert words("Delik biasa dan delik aduan.", "delik aduan") == [(1, "delik")]


def test_short_forms_are_looked_for_as_they_stand():
    assert words("Petugas BAP datang.") == [(1, "BAP")]
    assert words("Kata bap tidak dipakai.") == []
    assert words("Visumnya menyusul.") == [(1, "visum")]


def test_search_finds_every_word_anywhere():
    entries = [(1, ["Rumah aman", "Alamat rahasia"]), (2, ["Rujukan"])]
    assert search(entries, "") == [1, 2]
    assert search(entries, "RAHASIA rumah") == [1]
    assert search(entries, "rumah rujukan") == []


# --- The file


def term(name: str, **more: object) -> dict[str, Any]:
    return {"term": name, "meaning": MEANING} | more


def problems(folder: Path, *terms: dict[str, Any], lesson: str = "") -> list[tuple[str, int, str]]:
    """Write a glossary and a lesson; return what is wrong."""
    text = yaml.safe_dump({"terms": list(terms)}, allow_unicode=True, sort_keys=False, width=1000)
    (folder / "glossary.yaml").write_text(text, encoding="utf-8")
    (folder / "k").mkdir(exist_ok=True)
    (folder / "k/01-satu.md").write_text(lesson, encoding="utf-8")
    return [(Path(one.file).name, one.line, one.message) for one in content.check(folder)[1]]


def test_the_glossary_that_comes_along_has_no_fault():
    terms, found = content.check(CONTENT)
    assert found == []
    assert len(terms) >= 60


@pytest.mark.parametrize(
    ("terms", "line", "message"),
    [
        ([term("visum"), term("advokat")], 4, "advokat comes before visum"),
        ([term("delik"), term("visum", also=["Delik"])], 4, "delik is explained twice"),
        ([term("visum", meaning="kata " * 46)], 3, "the meaning has 46 words, at most 45"),
        ([term("visum", meaning=f"{MEANING}!")], 3, "no exclamation marks"),
        (
            [term("visum", meaning=f"{MEANING} UU 23/2004 ps 21.")],
            3,
            "a meaning that names a law has a source",
        ),
        ([term("visum", warna="merah")], 4, "terms.0.warna: Extra inputs are not permitted"),
        ([term("v")], 2, "terms.0.term: String should have at least 2 characters"),
    ],
)
def test_each_rule_names_its_line(
    tmp_path: Path, terms: list[dict[str, Any]], line: int, message: str
):
    assert problems(tmp_path, *terms) == [("glossary.yaml", line, message)]


def test_a_meaning_that_rests_on_a_law_says_when_it_was_read(tmp_path: Path):
    source = {"ref": "UU 23/2004 ps 21", "checked_on": "2026-11-22"}
    one = term("visum", meaning=f"{MEANING} UU 23/2004 ps 21.", source=source)
    assert problems(tmp_path, one) == []
    assert content.check(tmp_path)[0][0].source == content.TermSource(
        ref="UU 23/2004 ps 21", checked_on=date(2026, 11, 22)
    )


def test_a_lesson_that_leaves_a_word_unexplained_is_named(tmp_path: Path):
    head = "---\ncode: K1.1\nmode: {}\n---\nSatu.\n\nPetugas melakukan triase.\n"
    said = ("01-satu.md", 7, "triase is explained neither here nor in glossary.yaml")
    online, guide = head.format("online"), head.format("in_person")
    assert problems(tmp_path, term("visum"), lesson=online) == [said]
    assert problems(tmp_path, term("triase"), lesson=online) == []
    assert problems(tmp_path, term("visum"), lesson=guide) == []


def test_a_broken_glossary_is_not_served(tmp_path: Path):
    assert problems(tmp_path, {"kata": "visum"})
    with pytest.raises(Unreadable):
        content.load(tmp_path)


# --- The page


def test_everybody_signed_in_may_look_a_word_up(app: Flask, sign_in: SignIn, client: FlaskClient):
    assert client.get("/istilah").status_code == 302
    browser = sign_in(factories.person("agency"))
    text = browser.get("/istilah").text
    assert "Laporan tertulis tenaga kesehatan" in text
    assert "UU 23/2004 ps 21, diperiksa 22 November 2026." in text
    found = browser.get("/istilah?cari=Trigger").text
    assert "1 istilah cocok" in found
    assert "pemicu" in found
    assert "Laporan tertulis tenaga kesehatan" not in found
    assert "Istilah itu belum ada" in browser.get("/istilah?cari=zzz").text
    assert "&lt;b&gt;" in browser.get("/istilah?cari=<b>").text
