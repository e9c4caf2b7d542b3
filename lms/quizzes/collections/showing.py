"""How the texts of a question are printed: escaped or cleaned, with the addresses of images."""

from flask import url_for
from markupsafe import Markup, escape

from lms.core import markdown
from lms.quizzes.exchange.model import Format, Text
from lms.quizzes.exchange.texts import has_markup, reference

BREAK = Markup("<br>")


def html(text: Text) -> Markup:
    """Return a text as a page prints it. `data` of its images holds their name, not their bytes.

    Readers of files clean HTML before it is stored; everything else is escaped here.
    """
    if text.format is Format.PLAIN:
        return BREAK.join(escape(line) for line in text.value.split("\n"))
    if text.format is Format.MARKDOWN:
        return Markup(markdown.render(text.value))  # noqa: S704  # sanitised there
    found = text.value
    if text.format is Format.MOODLE and not has_markup(found):
        found = found.replace("<", "&lt;").replace("\n", BREAK)
    for image in text.images:
        address = url_for("collections.image", digest=image.data.decode())
        found = found.replace(f'"{reference(image.name)}"', f'"{address}"')
    return Markup(found)  # noqa: S704  # cleaned when it was read
