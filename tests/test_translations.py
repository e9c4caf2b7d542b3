"""No missing, empty or fuzzy English entry, and the compiled catalog is the written one."""

import ast
import io
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LMS = Path(__file__).parents[1] / "lms"
FOLDER = LMS / "translations" / "en" / "LC_MESSAGES"
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None, "lazy_gettext": None}
OPTIONS = {"**/templates/**.html": {"trimmed": "true", "encoding": "utf-8"}}


def extracted() -> set[str]:
    found = extract_from_dir(str(LMS), METHODS, OPTIONS, KEYWORDS, ("Translators:",))
    return {m if isinstance(m, str) else m[0] for _file, _line, m, _comments, _context in found}


def catalog() -> Catalog:
    with (FOLDER / "messages.po").open("rb") as file:
        return read_po(file, locale="en")


def texts(message: str | tuple[str, ...]) -> tuple[str, ...]:
    return (message,) if isinstance(message, str) else tuple(message)


def test_every_message_has_an_english_text():
    have = {
        texts(message.id)[0]
        for message in catalog()
        if message.id and all(texts(message.string)) and not message.fuzzy
    }
    assert sorted(extracted() - have) == []


def test_no_english_text_is_left_over():
    have = {texts(message.id)[0] for message in catalog() if message.id}
    assert sorted(have - extracted()) == []


def test_placeholders_are_the_same_in_both_languages():
    import re

    names = re.compile(r"%\((\w+)\)[sd]")
    wrong = [
        message.id
        for message in catalog()
        if message.id
        and any(
            set(names.findall(text)) - {"num"} != set(names.findall(texts(message.id)[0])) - {"num"}
            for text in texts(message.string)
        )
    ]
    assert wrong == []


def percent_signs_doubled(code: str) -> list[str]:
    """Return messages of a module whose doubled per cent sign nobody makes one: without values."""
    return [
        str(call.args[0].value)
        for call in ast.walk(ast.parse(code))
        if isinstance(call, ast.Call)
        and getattr(call.func, "id", "") in KEYWORDS
        and call.args
        and isinstance(call.args[0], ast.Constant)
        and "%%" in str(call.args[0].value)
        and not call.keywords
    ]


def test_no_per_cent_sign_is_printed_twice():
    """In templates ours makes it one; in modules only a message with values is formatted."""
    assert percent_signs_doubled('_("5%% orang")') == ["5%% orang"]
    assert percent_signs_doubled('_("%(n)s%% orang", n=5)') == []
    found = {
        str(path.relative_to(LMS)): doubled
        for path in LMS.rglob("*.py")
        if (doubled := percent_signs_doubled(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_the_compiled_catalog_is_the_written_one():
    compiled = io.BytesIO()
    write_mo(compiled, catalog())
    assert (FOLDER / "messages.mo").read_bytes() == compiled.getvalue(), (
        "run `python -m tests.translate`"
    )
