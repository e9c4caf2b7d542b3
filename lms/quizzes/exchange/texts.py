"""Says which letters the bytes of a file are, and what of a foreign text may be kept.

Letters are told from the bytes, and said when they are not UTF-8. HTML goes through one sanitiser;
what it takes out is listed. Images are kept when they are what they say and small enough.
"""

import base64
import binascii
import html
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

from lms.quizzes.exchange.model import NOTHING, Format, Image, Text
from lms.quizzes.exchange.problems import Key, Refused, Report

LARGEST = 8 * 1024 * 1024
"""Bytes of one file."""
MOST_LINES = 200_000
MOST_QUESTIONS = 5000
MOST_TEXT = 20_000
"""Characters of one text, without its images."""
MOST_MARKUP = 300_000
"""HTML tags of one file: cleaning them is what costs most."""
LARGEST_IMAGE = 1024 * 1024
MOST_IMAGE_BYTES = 6 * 1024 * 1024
"""Bytes of all images of one file."""
MOST_IMAGES = 20
"""Images of one text."""

MARKS = {
    b"\xff\xfe\x00\x00": None,  # UTF-32: nobody writes it
    b"\x00\x00\xfe\xff": None,
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
    b"\xef\xbb\xbf": "utf-8-sig",
}
OTHERS = {
    b"PK": "a workbook or an archive",
    b"%PDF": "a PDF",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
    b"\xd0\xcf\x11\xe0": "an old Office file",
    b"\x1f\x8b": "an archive",
}
SAMPLE = 4000
CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
"""What no text holds. The readers use U+FDD0 … as place-holders, so they must go."""


def decode(data: bytes, report: Report, *, declared: str = "") -> str:
    """Return the letters of a file, with plain line ends. Raises Refused."""
    if len(data) > LARGEST:
        raise Refused(Key.TOO_LARGE, most=LARGEST)
    for start, what in OTHERS.items():
        if data.startswith(start):
            raise Refused(Key.NOT_TEXT, what=what)
    encoding = _encoding(data, declared)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        raise Refused(Key.ENCODING) from None
    if encoding not in ("utf-8", "utf-8-sig"):
        report.note(Key.DECODED, encoding=encoding)
    return tidy(text, report)


def _encoding(data: bytes, declared: str) -> str:
    """Tell an encoding: by its mark, as declared, by zeros, or because it is not UTF-8."""
    for mark, encoding in MARKS.items():
        if data.startswith(mark):
            if encoding is None:
                raise Refused(Key.ENCODING)
            return encoding
    start = data[:SAMPLE]
    if len(start) > 3 and start.count(0) * 3 > len(start):
        little = start[1::2].count(0) > start[::2].count(0)
        return "utf-16-le" if little else "utf-16-be"
    if declared:
        return declared
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def tidy(text: str, report: Report) -> str:
    """Return a text with plain line ends and without control characters. Raises Refused."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.count("\n") > MOST_LINES:
        raise Refused(Key.TOO_MANY_LINES, most=MOST_LINES)
    clean, taken = CONTROLS.subn("", text)
    if taken * 20 > len(text):
        raise Refused(Key.NOT_TEXT, what="a program's own data")
    if taken:
        report.warn(Key.CONTROLS)
    return clean


# HTML

TAGS = {
    "a", "abbr", "b", "blockquote", "br", "caption", "cite", "code", "col", "colgroup", "dd", "del",
    "div", "dl", "dt", "em", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li",
    "ol", "p", "pre", "q", "s", "small", "span", "strong", "sub", "sup", "table", "tbody", "td",
    "tfoot", "th", "thead", "tr", "u", "ul", "var",
}  # fmt: skip
ATTRIBUTES = {
    "*": {"dir", "lang"},
    "a": {"href", "title"},
    "abbr": {"title"},
    "img": {"src", "alt", "width", "height"},
    "ol": {"start", "type"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
SCHEMES = {"http", "https", "mailto"}
MARKUP = re.compile(r"<[A-Za-z/!?]")
"""Where a browser begins a tag; without it, a text is only letters."""
TAG_NAME = re.compile(r"<([A-Za-z][A-Za-z0-9:-]*)")
TAG = re.compile(r"<[A-Za-z][^<>]*")
ATTRIBUTE = re.compile(r"[\s/\"']([A-Za-z_:@][\w:.-]*)\s*=")
BARE_IMAGE = re.compile(r'<img((?:\s[\w:-]+="[^"]*")*)\s*/?>')
ALT = re.compile(r'\salt="([^"]*)"')
FILE = "@@PLUGINFILE@@/"
REFERENCE = re.compile(re.escape(FILE) + r"([^\"'<>\s]+)")
INLINE = re.compile(
    r"data:(image/[a-z+.-]{1,20})(?:;name=([^;,\"'\s]{1,300}))?;base64,([A-Za-z0-9+/=\s]*)"
)
WHOLE = ("script", "style")
ROUNDS = 5
"""How often HTML is cleaned, until cleaning changes nothing any more."""


def has_markup(text: str) -> bool:
    """Tell whether a browser would see more than letters."""
    return MARKUP.search(text) is not None


def clean_html(text: str, images: frozenset[str], report: Report) -> str:
    """Return HTML that is safe to print; report what was taken out."""
    import nh3

    away: list[str] = []  # `FILE` alone: an image that was refused, and said so, before

    def keep(tag: str, attribute: str, value: str) -> str | None:
        if tag == "img" and attribute == "src" and value not in images:
            away.append(value)
            return None
        return value

    before, clean = text, text
    for _ in range(ROUNDS):
        clean = nh3.clean(
            before,
            tags=TAGS,
            clean_content_tags=set(WHOLE),
            attributes=ATTRIBUTES,
            attribute_filter=keep,
            url_schemes=SCHEMES,
            link_rel=None,
        )
        clean = BARE_IMAGE.sub(_without_source, clean)
        if clean == before:
            break
        before = clean
    for value in dict.fromkeys(one for one in away if one != FILE):
        known = value.startswith(FILE)
        name = unquote(value.removeprefix(FILE))
        key = Key.IMAGE_MISSING if known else Key.IMAGE_AWAY
        report.warn(key, file=name if known else None, what=name)
    _tell_taken(text, clean, report, images_gone=len(away))
    return clean.strip()


def _without_source(found: re.Match[str]) -> str:
    """Leave of an image that cannot be shown the words that stand for it."""
    if ' src="' in found[1]:
        return found[0]
    alt = ALT.search(found[1])
    return alt[1] if alt else ""


def _tell_taken(before: str, after: str, report: Report, *, images_gone: int) -> None:
    """Report which tags and attributes there are fewer of."""
    gone = _tags(before) - _tags(after)
    gone["img"] -= images_gone
    for name in sorted(name for name, count in gone.items() if count > 0):
        report.warn(Key.MARKUP, what=f"<{name}>")
    lost = _attributes(before) - _attributes(after)
    if images_gone:
        for name in ATTRIBUTES["img"]:
            lost.pop(name, None)
    for name in sorted(lost):
        report.warn(Key.MARKUP, what=name)
    if "<!--" in before:
        report.warn(Key.MARKUP, what="<!-- … -->")


def _tags(text: str) -> Counter[str]:
    return Counter(name.lower() for name in TAG_NAME.findall(text))


def _attributes(text: str) -> Counter[str]:
    return Counter(name.lower() for tag in TAG.findall(text) for name in ATTRIBUTE.findall(tag))


def plain(text: Text) -> str:
    """Return the letters of a text without its markup."""
    if text.format not in (Format.HTML, Format.MOODLE):
        return text.value
    return _letters(text.value)


def _letters(text: str) -> str:
    import nh3

    spaced = re.sub(r"<(?:br|/p|/li|/div|/h\d|/tr)\b", lambda found: "\n" + found[0], text)
    bare = html.unescape(nh3.clean(spaced, tags=set(), clean_content_tags=set(WHOLE)))
    return "\n".join(line for line in (" ".join(one.split()) for one in bare.split("\n")) if line)


# Images

IMAGE_MEDIA = {
    "image/png": (b"\x89PNG\r\n\x1a\n", "png"),
    "image/jpeg": (b"\xff\xd8\xff", "jpg"),
    "image/gif": (b"GIF8", "gif"),
    "image/webp": (b"RIFF", "webp"),
}
SAFE_NAME = re.compile(r"\w[\w .()-]{0,79}")


def media_of(data: bytes) -> str | None:
    """Return what kind of image the bytes are; None when they are none we show (SVG is code)."""
    for media, (start, _ending) in IMAGE_MEDIA.items():
        if data.startswith(start) and (media != "image/webp" or data[8:12] == b"WEBP"):
            return media
    return None


def reference(name: str) -> str:
    """Return how a text names an image of its own."""
    return FILE + quote(name)


@dataclass(slots=True)
class Reader:
    """Makes texts of what stands in one file, and counts what they hold."""

    report: Report
    image_bytes: int = 0
    markup: int = 0

    def text(
        self, value: str, format_: Format = Format.PLAIN, files: Mapping[str, str] | None = None
    ) -> Text:
        """Return a clean text; `files` are its images: path to base64. Raises Refused."""
        value = self.letters(value, most=None)
        images: dict[str, Image] = {}
        if format_ in (Format.HTML, Format.MOODLE):
            value = self._attached(value, files or {}, images)
            value = self._inline(value, images)
        elif files:
            for name in files:
                self._leave(Key.IMAGE_UNUSED, name)
        if len(value) > MOST_TEXT:
            raise Refused(Key.TEXT_LONG, most=MOST_TEXT)
        value = self._harmless(value, format_, images)
        if not value:
            return NOTHING
        if len(value) > 2 * MOST_TEXT:  # tags that nobody closed are repeated
            raise Refused(Key.TEXT_LONG, most=MOST_TEXT)
        shows = {name for name in images if f'"{reference(name)}"' in value}
        for name in sorted(images.keys() - shows):
            self._leave(Key.IMAGE_UNUSED, name)
        return Text(value, format_, tuple(images[name] for name in sorted(shows)))

    def letters(self, value: str, *, most: int | None = MOST_TEXT) -> str:
        """Return a text that has no format: a name, a tag, a short answer. Raises Refused."""
        clean, taken = CONTROLS.subn("", value.replace("\r\n", "\n").replace("\r", "\n"))
        if taken:
            self.report.warn(Key.CONTROLS)
        clean = clean.strip()
        if most is not None and len(clean) > most:
            raise Refused(Key.TEXT_LONG, most=most)
        return clean

    def line(self, value: str) -> str:
        """Return a short text of one line. Raises Refused."""
        return " ".join(self.letters(value, most=500).split())

    def _harmless(self, value: str, format_: Format, images: Mapping[str, Image]) -> str:
        if format_ is Format.HTML or (format_ is Format.MOODLE and has_markup(value)):
            self.markup += value.count("<")
            if self.markup > MOST_MARKUP:
                raise Refused(Key.MARKUP_MANY, most=MOST_MARKUP)
            return clean_html(value, frozenset(map(reference, images)), self.report)
        if format_ is Format.MARKDOWN and has_markup(value):
            self.report.warn(Key.MARKDOWN_HTML)
            return MARKUP.sub(lambda found: "&lt;" + found[0][1:], value)
        return value

    def _attached(self, value: str, files: Mapping[str, str], images: dict[str, Image]) -> str:
        """Keep the images that came beside a text, under names that are safe."""
        named: dict[str, str | None] = {}

        def take(found: re.Match[str]) -> str:
            path = unquote(found[1])
            if path not in files:
                return found[0]
            if path not in named:
                named[path] = self._image(path.rsplit("/", 1)[-1], files[path], images)
            name = named[path]
            return reference(name) if name else FILE

        value = REFERENCE.sub(take, value)
        for path in files.keys() - named.keys():
            self._leave(Key.IMAGE_UNUSED, path)
        return value

    def _inline(self, value: str, images: dict[str, Image]) -> str:
        """Take images out that stand in the text itself."""

        def take(found: re.Match[str]) -> str:
            name = self._image(unquote(found[2] or ""), found[3], images)
            return reference(name) if name else FILE

        return INLINE.sub(take, value) if "data:image/" in value else value

    def _image(self, name: str, packed: str, images: dict[str, Image]) -> str | None:
        """Keep one image; return its name, or None when it is refused."""
        label = name or "data:image"
        if len(packed) > 2 * LARGEST_IMAGE or len(images) >= MOST_IMAGES:
            self._leave(Key.IMAGE_LARGE, label)
            return None
        try:
            data = base64.b64decode("".join(packed.split()), validate=True)
        except (binascii.Error, ValueError):
            data = b""
        media = media_of(data)
        if media is None:
            self._leave(Key.IMAGE_REFUSED, label)
            return None
        if len(data) > LARGEST_IMAGE or self.image_bytes + len(data) > MOST_IMAGE_BYTES:
            self._leave(Key.IMAGE_LARGE, label)
            return None
        self.image_bytes += len(data)
        name = _free_name(name, media, images)
        images[name] = Image(name, media, data)
        return name

    def _leave(self, key: Key, name: str) -> None:
        self.report.warn(key, file=name, what=name)


def _free_name(name: str, media: str, images: Mapping[str, Image]) -> str:
    """Return the name, or one of our own when it is unsafe or taken."""
    if SAFE_NAME.fullmatch(name) and not name.endswith((".", " ")) and name not in images:
        return name
    number = len(images) + 1
    while (made := f"gambar-{number}.{IMAGE_MEDIA[media][1]}") in images:
        number += 1
    return made


def embedded(text: Text) -> str:
    """Return a text with its images inside, for formats that have no files."""
    value = text.value
    for image in sorted(text.images, key=lambda one: len(one.name), reverse=True):
        packed = base64.b64encode(image.data).decode()
        inside = f"data:{image.media};name={quote(image.name)};base64,{packed}"
        value = value.replace(f'"{reference(image.name)}"', f'"{inside}"')
    return value


def without_images(text: Text) -> Text:
    """Return a text with the words that stand for its images in their place."""
    if not text.images:
        return text
    value = text.value
    for image in text.images:
        value = value.replace(f' src="{reference(image.name)}"', "")
    value = BARE_IMAGE.sub(_without_source, value).strip()
    return Text(value, text.format) if value else NOTHING
