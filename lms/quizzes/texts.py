"""Texts of questions on a page, and the parts of a page each type of question brings."""

from base64 import b64encode
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup, escape

from lms.core import markdown
from lms.quizzes.types.model import Format, Text

FOLDER = Path(__file__).parent
KEPT = 4096
"""Plain texts a process keeps at hand as HTML: those of some 400 questions, below 2 MiB."""
MEDIA = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})


def show(text: Text | str) -> Markup:
    """Return a text as HTML.

    HTML was cleaned when it was read from its file; what reaches a page is cleaned once more.
    Pictures come along in the text itself: they belong to the question and to nobody else.
    """
    if isinstance(text, str):
        return escape(text)
    if text.format is Format.PLAIN:
        return _plain(text.value)
    if text.format is Format.MARKDOWN:
        return Markup(markdown.render(text.value))  # noqa: S704  # cleaned there
    return _html(text)


@lru_cache(KEPT)
def _plain(text: str) -> Markup:
    return escape(text).replace("\n\n", Markup("<br>"))


def _html(text: Text) -> Markup:
    # What only a foreign question needs is loaded when one is shown.
    import nh3

    from lms.quizzes.exchange.texts import ATTRIBUTES, SCHEMES, TAGS, reference

    value = text.value.replace("\n", "<br>") if text.format is Format.MOODLE else text.value
    pictures = {reference(one.name): one for one in text.images if one.media in MEDIA}

    def keep(tag: str, name: str, found: str) -> str | None:
        return found if (tag, name) != ("img", "src") or found in pictures else None

    clean = nh3.clean(
        value, tags=TAGS, attributes=ATTRIBUTES, url_schemes=SCHEMES, attribute_filter=keep
    )
    for name, one in pictures.items():
        data = f"data:{one.media};base64,{b64encode(one.data).decode('ascii')}"
        clean = clean.replace(f'src="{name}"', f'src="{data}"')
    return Markup(clean)  # noqa: S704  # cleaned here
