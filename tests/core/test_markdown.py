"""Nothing an author writes can become foreign code on a page."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lms.core.markdown import TAGS, render

CORPUS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![gambar](https://jahat.test/a.png)",
    "[klik](javascript:alert(1))",
    "[klik](https://jahat.test 'judul')",
    "<https://jahat.test>",
    "https://jahat.test",
    "[klik][1]\n\n[1]: https://jahat.test",
    "<a href='data:text/html,x' style='position:fixed'>x</a>",
    "<svg><script>alert(1)</script></svg>",
    "<style>*{display:none}</style>",
    "<iframe src='//jahat.test'></iframe>",
    "<form action='//jahat.test'><input name=a></form>",
    "```html\n<script>alert(1)</script>\n```",
    "`<img src=x onerror=alert(1)>`",
    "<p onclick='alert(1)' class='x' id='y'>x</p>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "# <script>alert(1)</script>",
    "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
    "<!-- komentar --><math><mi xlink:href='data:x,1'>",
]
TAG = re.compile(r"<(/?)([^\s>/]*)([^>]*)>")


def assert_safe(html: str) -> None:
    for _closing, name, rest in TAG.findall(html):
        assert name in TAGS, html
        assert rest in {"", " /"}, html  # no attribute at all


@pytest.mark.parametrize("text", CORPUS)
def test_only_plain_tags_without_attributes_come_out(text: str):
    assert_safe(render(text))


@given(st.lists(st.sampled_from([*CORPUS, "\n", "\n\n", "> ", "- ", "<", ">", "](", "&#60;"])))
def test_no_mixture_of_them_gets_through_either(parts: list[str]):
    assert_safe(render("".join(parts)))


def test_the_words_of_a_link_stay():
    assert render("Baca [pasal 5](https://jahat.test).") == "<p>Baca pasal 5.</p>\n"


def test_raw_html_is_shown_as_it_was_typed():
    assert render("a <b>tebal</b>") == "<p>a &lt;b&gt;tebal&lt;/b&gt;</p>\n"


def test_what_lessons_are_made_of_stays():
    html = render(
        "## Judul\n\n1. satu\n2. *dua*\n\n- **tiga**\n\n> kutipan\n\n---\n\n"
        "| Tanda | Arti |\n|:--|--:|\n| K1 | Risiko |\n"
    )
    for tag in ("h2", "ol", "ul", "li", "em", "strong", "blockquote", "hr"):
        assert f"<{tag}>" in html
    assert "<table><thead><tr><th>Tanda</th><th>Arti</th></tr></thead>" in re.sub(
        r">\s+<", "><", html
    )
    assert "<td>Risiko</td>" in html
    assert_safe(html)
