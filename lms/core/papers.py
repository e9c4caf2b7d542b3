"""Office papers as PDF: headings, paragraphs, tables that go on over pages, page numbers.

Certificates are drawn by `certificates`, not here. Text is text: nothing in it is markup, and what
the typeface cannot draw becomes a replacement character. reportlab is loaded with the first paper.
"""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from io import BytesIO
from threading import Lock
from typing import Any, Literal

Align = Literal["left", "centre", "right"]

A4 = (595.28, 841.89)
"""Points."""
MARGIN = 42.0
FOOT = 26.0
INK, SOFT, LINE, SHADE = "#1a2a2b", "#4b5a59", "#767f7b", "#efece4"
LEADING = 1.32
SMALL = 6.5
"""Points of the smallest type: what is there to be found, not to be read."""
PAD = 3.5
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

# reportlab reads accented glyphs from a font with one cursor: two threads at once lose accents.
_turn = Lock()


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its heading, its share of the width, where its text stands."""

    label: str
    share: float
    align: Align = "left"


@dataclass(frozen=True, slots=True)
class _Text:
    x: float
    y: float
    text: str
    size: float
    bold: bool
    colour: str


@dataclass(frozen=True, slots=True)
class _Rule:
    x1: float
    y1: float
    x2: float
    y2: float
    width: float


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    width: float
    height: float


_Mark = _Text | _Rule | _Box


class Paper:
    """A paper being written from top to bottom; a new page begins when one is full."""

    def __init__(self, title: str, *, landscape: bool = False, size: float = 9.5) -> None:
        self.title = title
        self.page_width, self.page_height = A4[::-1] if landscape else A4
        self.size = size
        self._pages: list[list[_Mark]] = [[]]
        self._y = MARGIN

    @property
    def width(self) -> float:
        """Return the width between the margins, in points."""
        return self.page_width - 2 * MARGIN

    @property
    def left(self) -> float:
        """Return how much of the page is free below what was written, in points."""
        return self.page_height - MARGIN - FOOT - self._y

    def line(
        self,
        text: str,
        *,
        size: float | None = None,
        bold: bool = False,
        align: Align = "left",
        soft: bool = False,
        x: float = 0,
        width: float | None = None,
    ) -> None:
        """Write a paragraph, broken into lines where it has to be."""
        size, width = size or self.size, self.width - x if width is None else width
        for part in wrap(text, width, size, bold=bold):
            self.need(size * LEADING)
            self._write(part, MARGIN + x, width, self._y, size, bold, align, SOFT if soft else INK)
            self._y += size * LEADING

    def space(self, points: float) -> None:
        """Leave some space."""
        self._y += points

    def rule(self, width: float = 1.0) -> None:
        """Draw a line across the page."""
        self.need(4)
        self._put(_Rule(MARGIN, self._y, MARGIN + self.width, self._y, width))
        self._y += 4

    def need(self, points: float) -> None:
        """Begin a new page unless so much is free."""
        if self.left < points and self._pages[-1]:
            self.next_page()

    def next_page(self) -> None:
        """Begin a new page."""
        self._pages.append([])
        self._y = MARGIN

    def facts(self, items: Iterable[tuple[str, str]], term_width: float = 130) -> None:
        """Write names and values in two columns."""
        for term, value in items:
            lines = wrap(value, self.width - term_width, self.size)
            self.need(len(lines) * self.size * LEADING)
            top = self._y
            self._write(term, MARGIN, term_width, top, self.size, False, "left", SOFT)
            for number, part in enumerate(lines):
                at = top + number * self.size * LEADING
                x, width = MARGIN + term_width, self.width - term_width
                self._write(part, x, width, at, self.size, False, "left", INK)
            self._y = top + len(lines) * self.size * LEADING

    def table(
        self,
        columns: Sequence[Column],
        rows: Iterable[Sequence[str]],
        *,
        least: float = 0,
        size: float | None = None,
    ) -> None:
        """Draw a table; its heading is repeated on each page. `least` is the height of a row."""
        size = size or self.size
        whole = sum(column.share for column in columns)
        widths = [self.width * column.share / whole for column in columns]
        self._heading(columns, widths, size)
        for row in rows:
            lines = self._cells(widths, row, size)
            height = self._height(lines, size, least)
            if self.left < height and self._pages[-1]:
                self.next_page()
                self._heading(columns, widths, size)
            self._draw(columns, widths, lines, size, height)

    def finish(self, page_words: Callable[[int, int], str], small: Sequence[str] = ()) -> bytes:
        """Return the PDF; `page_words` says which page of how many stands at the foot.

        Below it stand the lines of `small`, at most two, on every page. Equal papers give equal
        bytes.
        """
        from reportlab.lib.colors import HexColor
        from reportlab.pdfgen.canvas import Canvas

        out = BytesIO()
        with _turn:
            canvas = Canvas(
                out,
                pagesize=(self.page_width, self.page_height),
                pageCompression=1,
                invariant=1,
                initialFontName=_font(False).fontName,
            )
            canvas.setTitle(printable(self.title))
            canvas.setCreator("Suluh")
            canvas.setAuthor("")
            canvas.setSubject("")
            colours = {colour: HexColor(colour) for colour in (INK, SOFT, LINE, SHADE)}
            for number, marks in enumerate(self._pages, 1):
                self._foot(canvas, colours, page_words(number, len(self._pages)), small)
                for mark in marks:
                    self._paint(canvas, colours, mark)
                canvas.showPage()
            canvas.save()
        return out.getvalue()

    def _put(self, mark: _Mark) -> None:
        self._pages[-1].append(mark)

    def _write(
        self,
        text: str,
        x: float,
        width: float,
        top: float,
        size: float,
        bold: bool,
        align: Align,
        colour: str,
    ) -> None:
        if align != "left":
            free = width - measure(text, size, bold=bold)
            x += free if align == "right" else free / 2
        self._put(_Text(x, top + size, text, size, bold, colour))

    def _cells(
        self, widths: Sequence[float], row: Sequence[str], size: float, *, bold: bool = False
    ) -> list[list[str]]:
        return [
            wrap(cell, width - 2 * PAD, size, bold=bold)
            for cell, width in zip(row, widths, strict=True)
        ]

    def _height(self, lines: Sequence[Sequence[str]], size: float, least: float) -> float:
        return max(least, max(len(cell) for cell in lines) * size * LEADING + 2 * PAD)

    def _heading(self, columns: Sequence[Column], widths: Sequence[float], size: float) -> None:
        lines = self._cells(widths, [column.label for column in columns], size, bold=True)
        height = self._height(lines, size, 0)
        self.need(height * 3)
        self._put(_Box(MARGIN, self._y, self.width, height))
        self._put(_Rule(MARGIN, self._y, MARGIN + self.width, self._y, 0.7))
        self._draw(columns, widths, lines, size, height, bold=True)

    def _draw(
        self,
        columns: Sequence[Column],
        widths: Sequence[float],
        lines: Sequence[Sequence[str]],
        size: float,
        height: float,
        *,
        bold: bool = False,
    ) -> None:
        x = MARGIN
        for column, width, cell in zip(columns, widths, lines, strict=True):
            top = self._y + (height - len(cell) * size * LEADING) / 2
            for number, part in enumerate(cell):
                at = top + number * size * LEADING
                self._write(part, x + PAD, width - 2 * PAD, at, size, bold, column.align, INK)
            self._put(_Rule(x, self._y, x, self._y + height, 0.4))
            x += width
        self._put(_Rule(x, self._y, x, self._y + height, 0.4))
        self._y += height
        self._put(_Rule(MARGIN, self._y, x, self._y, 0.4))

    def _foot(self, canvas: Any, colours: dict[str, Any], words: str, small: Sequence[str]) -> None:
        y = MARGIN - 8
        canvas.setFillColor(colours[SOFT])
        canvas.setFont(_font(False).fontName, 7.5)
        words = printable(words)
        free = self.width - measure(words, 7.5) - 12
        canvas.drawString(MARGIN, y, fit(self.title, free, 7.5))
        canvas.drawRightString(self.page_width - MARGIN, y, words)
        canvas.setFont(_font(False).fontName, SMALL)
        for number, line in enumerate(small, 1):
            canvas.drawString(MARGIN, y - number * SMALL * LEADING, fit(line, self.width, SMALL))

    def _paint(self, canvas: Any, colours: dict[str, Any], mark: _Mark) -> None:
        high = self.page_height
        if isinstance(mark, _Text):
            canvas.setFillColor(colours[mark.colour])
            canvas.setFont(_font(mark.bold).fontName, mark.size)
            canvas.drawString(mark.x, high - mark.y, mark.text)
        elif isinstance(mark, _Rule):
            canvas.setStrokeColor(colours[LINE])
            canvas.setLineWidth(mark.width)
            canvas.line(mark.x1, high - mark.y1, mark.x2, high - mark.y2)
        else:
            canvas.setFillColor(colours[SHADE])
            canvas.rect(mark.x, high - mark.y - mark.height, mark.width, mark.height, 0, 1)


def printable(text: str) -> str:
    """Turn any text into one line the typeface can draw."""
    visible = "".join(
        " " if letter.isspace() else letter
        for letter in text
        if letter.isspace() or unicodedata.category(letter) not in {"Cc", "Cf", "Cs"}
    )
    known = _font(False).face.charToGlyph
    return "".join(
        letter if ord(letter) in known else REPLACEMENT
        for letter in unicodedata.normalize("NFC", " ".join(visible.split()))
    )


def measure(text: str, size: float, *, bold: bool = False) -> float:
    """Return the width of a printable text, in points."""
    face = _font(bold).face
    widths, default = face.charWidths, face.defaultWidth
    return float(sum(widths.get(ord(letter), default) for letter in text)) * size / 1000


def wrap(text: str, width: float, size: float, *, bold: bool = False) -> list[str]:
    """Break a text into lines of at most `width` points; at least one line, maybe empty.

    A word that is too long for a line is broken anywhere.
    """
    text = printable(text)
    if measure(text, size, bold=bold) <= width:
        return [text]
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if measure(longer, size, bold=bold) <= width:
            lines[-1] = longer
            continue
        pieces = _pieces(word, width, size, bold)
        if lines[-1]:
            lines.append("")
        lines[-1] = pieces[0]
        lines += pieces[1:]
    return lines


def _pieces(word: str, width: float, size: float, bold: bool) -> list[str]:
    found = [""]
    for letter in word:
        if found[-1] and measure(found[-1] + letter, size, bold=bold) > width:
            found.append("")
        found[-1] += letter
    return found


def fit(text: str, width: float, size: float) -> str:
    """Cut a text that is too long for one line, with three dots."""
    text = printable(text)
    if measure(text, size) <= width:
        return text
    while text and measure(text + "…", size) > width:
        text = text[:-1]
    return text.rstrip() + "…"


@cache
def _font(bold: bool) -> Any:
    """Read a font file, once per process and only when something is drawn with it."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    name = "NotoSans-Bold" if bold else "NotoSans-Regular"
    with as_file(files("certificates") / "assets" / f"{name}.ttf") as path:
        # Without asciiReadable=0 every subset carries all of ASCII.
        font = TTFont(f"papers-{name}", str(path), asciiReadable=0)
    pdfmetrics.registerFont(font)
    return font
