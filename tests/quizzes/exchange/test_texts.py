"""Letters, HTML and sizes: whatever comes, it is bounded, harmless, and said."""

import sys
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lms.quizzes.exchange import formats, texts
from lms.quizzes.exchange.model import Format, Text
from lms.quizzes.exchange.problems import (
    MOST_PROBLEMS,
    WORDS,
    Key,
    Refused,
    Report,
    Severity,
    shown,
)
from lms.quizzes.exchange.texts import Reader

GIFT = "Café “apa”?{=ya ~tidak}"


def keys(batch_or_report) -> list[Key]:
    found = batch_or_report.problems
    return [one.key for one in (found() if callable(found) else found)]


# Letters


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (GIFT.encode(), []),
        (GIFT.encode("utf-8-sig"), []),
        (GIFT.encode("utf-16"), [Key.DECODED]),
        (GIFT.encode("utf-16-le"), [Key.DECODED]),
        (GIFT.encode("utf-16-be"), [Key.DECODED]),
        (GIFT.encode("cp1252"), [Key.DECODED]),
    ],
)
def test_letters_are_told_and_said(data: bytes, said: list[Key]):
    batch = formats.read("gift", data)
    assert batch.questions[0].stem.value == "Café “apa”?"
    assert keys(batch) == said


@pytest.mark.parametrize(
    ("data", "key"),
    [
        (GIFT.encode("utf-32"), Key.ENCODING),
        (b"Apa \x81\x8d{=a ~b}", Key.ENCODING),
        (b"\xff\xfeA", Key.ENCODING),
        (bytes(range(32)) * 20, Key.NOT_TEXT),
        (b"\x89PNG\r\n\x1a\n", Key.NOT_TEXT),
        (b"%PDF-1.7", Key.NOT_TEXT),
        (b"PK\x03\x04", Key.NOT_TEXT),
        (b"", Key.EMPTY),
        (b"\n" * 200_001, Key.TOO_MANY_LINES),
        (b"x" * (8 * 1024 * 1024 + 1), Key.TOO_LARGE),
        (b"Apa{}\n\n" * 5001, Key.TOO_MANY_QUESTIONS),
        (("x" * 20_001 + "{}").encode(), Key.TEXT_LONG),
        (b"a{" + b"~x" * 1_000_000 + b"}", Key.MANY_OPTIONS),
        (b"a{>" + b"x\n" * 100_000 + b"}", Key.MANY_OPTIONS),
        (b"// " + b"[tag:x]" * 100_000 + b"\na{}", Key.TAGS_MANY),
    ],
)
def test_what_is_too_much_or_no_text_is_refused(data: bytes, key: Key):
    batch = formats.read("gift", data)
    assert keys(batch) == [key]
    assert batch.questions == ()
    assert batch.refused == 1


def test_control_characters_are_taken_out_and_said():
    batch = formats.read("gift", b"A\x00p\x1ba\xef\xb7\x90 ini saja?{=y\x08a ~tidak}" + b"\n" * 80)
    assert keys(batch) == [Key.CONTROLS]
    assert batch.questions[0].stem.value == "Apa ini saja?"


@pytest.mark.parametrize("name", formats.READABLE)
def test_a_hundred_megabytes_in_one_line_cost_nothing(name: str):
    data = b"x" * (100 * 1024 * 1024)
    tracemalloc.start()
    begun = time.process_time()
    batch = formats.read(name, data)
    spent, (_, most) = time.process_time() - begun, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert batch.refused == 1
    assert keys(batch) == [Key.SHEET if name == "xlsx" else Key.TOO_LARGE]
    assert spent < 1
    assert most < 1024 * 1024


LINE = 3_000_000


@pytest.mark.parametrize("name", [one for one in formats.READABLE if one != "xlsx"])
@pytest.mark.parametrize(
    "piece",
    ["x", "{", "}", "=", "~", "#", "\\", "<", "<b>", "&", "::", "[", "%", '"', ";", "data:image/"],
)
def test_one_long_line_of_anything_is_answered_soon(name: str, piece: str):
    data = (piece * (LINE // len(piece))).encode()
    begun = time.process_time()
    batch = formats.read(name, data)
    assert batch.refused
    assert time.process_time() - begun < 8


@given(data=st.binary(max_size=300), name=st.sampled_from(formats.READABLE[:-1]))
@settings(deadline=None, max_examples=150)
def test_no_bytes_end_in_anything_but_a_list(data: bytes, name: str):
    if name != "xlsx":
        batch = formats.read(name, data)
        assert batch.questions or batch.refused


# HTML


@pytest.mark.parametrize("format_", [Format.HTML, Format.MOODLE])
@pytest.mark.parametrize(
    "harm",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href=javascript:alert(1)>x</a>",
        "<svg><script>x</script></svg>",
        "<math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
        "<iframe srcdoc='x'></iframe>",
        "<style>*{background:url(//x.example)}</style>",
        "<p style='background:url(//x.example)'>x</p>",
        "<form action=//x.example><input></form>",
        "<meta http-equiv=refresh content=0>",
        "<base href=//x.example>",
        "<!--[if IE]><script>x</script><![endif]-->",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<object data=x></object>",
        "<b onmouseover=x>y</b>",
    ],
)
def test_harm_is_taken_out_and_said(format_: Format, harm: str):
    report = Report()
    text = Reader(report).text(f"aman {harm} aman", format_)
    low = text.value.lower()
    for word in ("script", "onerror", "onmouse", "style", "<svg", "src=", "url(", "<form", "<meta"):
        assert word not in low.replace("&lt;", ""), low
    assert report.problems()
    assert low.startswith("aman")


def test_harmless_html_stays_and_nothing_is_said():
    report = Report()
    value = '<p dir="ltr">a <b>b</b> <a href="https://x.example/?a=1&amp;b=2">c</a></p>'
    assert Reader(report).text(value, Format.HTML).value == value
    assert report.problems() == ()


def test_letters_that_only_look_like_html_stay():
    for format_ in (Format.PLAIN, Format.MOODLE, Format.MARKDOWN):
        assert Reader(Report()).text("2 < 3 & 4 > 1 <3", format_).value == "2 < 3 & 4 > 1 <3"
    assert Reader(Report()).text("<script>", Format.PLAIN) == Text("<script>")


def test_html_in_markdown_becomes_letters():
    report = Report()
    text = Reader(report).text("**a** <script>x</script> > b", Format.MARKDOWN)
    assert text.value == "**a** &lt;script>x&lt;/script> > b"
    assert keys(report) == [Key.MARKDOWN_HTML]


def test_tags_that_nobody_closes_do_not_grow_without_limit():
    with pytest.raises(Refused):
        Reader(Report()).text("<p><b><i><u>" * 1600, Format.HTML)


def test_cleaning_has_a_limit_for_the_whole_file(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(texts, "MOST_MARKUP", 4)
    batch = formats.read("gift", b"<b>a</b>{}\n\n<b>b</b>{}\n\n<b>c</b>{}\n\nd{}")
    assert [one.stem.value for one in batch.questions] == ["<b>a</b>", "<b>b</b>", "d"]
    assert keys(batch) == [Key.MARKUP_MANY]


def test_words_without_their_markup():
    text = Text("<p>satu</p><p>dua<br>tiga &amp; <b>empat</b></p>", Format.HTML)
    assert texts.plain(text) == "satu\ndua\ntiga & empat"


# Problems


def test_every_key_has_words():
    assert set(WORDS) == set(Key)


def test_a_terminal_obeys_nothing_of_a_file():
    assert shown("a\x1b[31mb\u202ec\nd") == "a [31mb c d"
    assert len(shown("x" * 1000)) == 60


def test_a_flood_of_problems_is_counted():
    report = Report()
    for n in range(MOST_PROBLEMS + 7):
        report.refuse(Refused(Key.KIND, line=n + 1, what=n))
    report.warn(Key.LOST, format="x", what="y")
    problems = report.problems()
    assert len(problems) == MOST_PROBLEMS + 2
    assert [(one.severity, one.count) for one in problems[-2:]] == [
        (Severity.ERROR, 7),
        (Severity.WARNING, 1),
    ]


def test_a_problem_says_where():
    report = Report()
    report.line, report.question = 3, "K1"
    report.warn(Key.IMAGE_MISSING, file="a.png", what="a.png")
    (one,) = report.problems()
    assert str(one) == "warning: line 3, file a.png: K1: the image “a.png” is not in the file"
    assert one.as_dict()["file"] == "a.png"


def test_what_only_exchange_needs_is_loaded_when_it_is_used():
    import subprocess

    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from lms.quizzes.exchange import formats\n"
            "late = ('flask', 'sqlalchemy', 'nh3', 'defusedxml', 'xlsxwriter', 'python_calamine')\n"
            "print([one for one in late if one in sys.modules])",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "[]\n"


def test_a_format_that_is_only_read_is_not_written():
    with pytest.raises(ValueError, match="suluh"):
        formats.write("suluh", [])
