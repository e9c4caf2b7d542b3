"""Turns the Markdown of content into HTML that is safe to print. Done once, when content loads."""

from functools import cache
from typing import TYPE_CHECKING

import nh3

if TYPE_CHECKING:
    from markdown_it import MarkdownIt


TAGS = {
    "p", "h2", "h3", "h4", "ul", "ol", "li", "strong", "em", "blockquote", "br", "hr",
    "table", "thead", "tbody", "tr", "th", "td",
}  # fmt: skip


@cache
def _parser() -> "MarkdownIt":
    # Sixty modules that only loading content needs.
    from markdown_it import MarkdownIt

    return MarkdownIt("commonmark", {"html": False}).enable("table")


def render(text: str) -> str:
    """Return sanitised HTML. Links, images, raw HTML and attributes do not survive."""
    return nh3.clean(_parser().render(text), tags=TAGS, attributes={}, link_rel=None)
