"""How ink reaches the page: the one typed door to reportlab, which ships no types.

Places are millimetres from the top left corner of an A4 sheet in landscape, type sizes are points,
colours are "#rrggbb". Nothing here reads markup: every text is drawn as the plain string it is.
"""

import hashlib
import unicodedata
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from functools import cache
from io import BytesIO
from itertools import groupby
from math import pi
from pathlib import Path
from typing import Any, Literal, TypeAlias

import segno
from reportlab import rl_config
from reportlab.lib.colors import HexColor
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

# We draw our own shapes only; whatever reaches reportlab may not make it open an address.
rl_config.trustedSchemes = []
rl_config.trustedHosts = []

WIDTH = 297.0
HEIGHT = 210.0
POINT = 25.4 / 72
"""Millimetres in a point."""

Align: TypeAlias = Literal["left", "centre", "right"]

_ASSETS = Path(__file__).parent / "assets"
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


class Face(StrEnum):
    """A vendored typeface, named after its file in `assets/`."""

    SANS = "NotoSans-Regular"
    SANS_BOLD = "NotoSans-Bold"
    SERIF_BOLD = "NotoSerif-Bold"
    SERIF_ITALIC = "NotoSerif-Italic"


def _name(face: Face) -> str:
    """Name a typeface in reportlab's registry, where others may know the same font."""
    return f"certificates-{face}"


@cache
def _font(face: Face) -> Any:
    """Read a font file, once per process and only when something is drawn with it."""
    # Without asciiReadable=0 every subset carries all of ASCII, and the file doubles.
    font = TTFont(_name(face), str(_ASSETS / f"{face.value}.ttf"), asciiReadable=0)
    pdfmetrics.registerFont(font)
    return font


def printable(text: str, face: Face) -> str:
    """Turn any text into one line that `face` can draw.

    Control characters, direction overrides and other format characters disappear, runs of blank
    become one space, and what the font lacks becomes U+FFFD, which it has.
    """
    visible = "".join(
        " " if character.isspace() else character
        for character in text
        if character.isspace() or unicodedata.category(character) not in {"Cc", "Cf"}
    )
    known = _font(face).face.charToGlyph
    return "".join(
        character if ord(character) in known else _REPLACEMENT
        for character in unicodedata.normalize("NFC", " ".join(visible.split()))
    )


def advances(text: str, face: Face) -> list[float]:
    """Measure each character of a printable text, in millimetres for one point of size."""
    metrics = _font(face).face
    widths, default = metrics.charWidths, metrics.defaultWidth
    return [widths.get(ord(character), default) / 1000 * POINT for character in text]


class Sheet:
    """One document under the pen.

    Only one may be open in a process at a time: reportlab's fonts keep a reading position.
    """

    def __init__(self, *, title: str, language: str, day: date) -> None:
        self._file = BytesIO()
        for face in Face:
            _font(face)
        canvas = Canvas(
            self._file,
            pagesize=(_points(WIDTH), _points(HEIGHT)),
            pageCompression=1,
            invariant=1,
            initialFontName=_name(Face.SANS),  # or Helvetica is named without being embedded
            lang=language,
        )
        canvas.setTitle(title)
        canvas.setAuthor("")
        canvas.setSubject("")
        canvas.setCreator("Suluh")
        canvas.setDateFormatter(lambda *_: f"D:{day:%Y%m%d}000000Z")
        # reportlab has already mixed SOURCE_DATE_EPOCH of the environment into the file identifier.
        canvas._doc.signature = hashlib.sha256()
        self._canvas = canvas

    def text(
        self, x: float, y: float, text: str, face: Face, size: float, colour: str, align: Align
    ) -> None:
        """Draw one line with its baseline at y; `align` says which of its points is at x."""
        draw: dict[Align, Callable[[float, float, str], None]] = {
            "left": self._canvas.drawString,
            "centre": self._canvas.drawCentredString,
            "right": self._canvas.drawRightString,
        }
        self._canvas.setFillColor(HexColor(colour))
        self._canvas.setFont(_name(face), size)
        draw[align](_points(x), _up(y), printable(text, face))

    def line(self, x: float, y: float, to_x: float, colour: str, weight: float) -> None:
        """Draw a horizontal line, `weight` points thick."""
        self._stroke(colour, weight)
        self._canvas.line(_points(x), _up(y), _points(to_x), _up(y))

    def box(
        self, x: float, y: float, width: float, height: float, fill: str, radius: float = 0
    ) -> None:
        """Fill a rectangle whose top left corner is at x, y."""
        self._canvas.setFillColor(HexColor(fill))
        self._canvas.roundRect(
            _points(x),
            _up(y + height),
            _points(width),
            _points(height),
            _points(radius),
            stroke=0,
            fill=1,
        )

    def dot(self, x: float, y: float, radius: float, fill: str) -> None:
        """Fill a circle around x, y."""
        self._canvas.setFillColor(HexColor(fill))
        self._canvas.circle(_points(x), _up(y), _points(radius), stroke=0, fill=1)

    def ring(self, x: float, y: float, radius: float, colour: str, weight: float) -> None:
        """Draw a circle of ten dashes around x, y."""
        self._stroke(colour, weight)
        dash = _points(2 * pi * radius / 20)
        self._canvas.setDash(dash, dash)
        self._canvas.circle(_points(x), _up(y), _points(radius), stroke=1, fill=0)
        self._canvas.setDash()

    def frame(self, inset: float, notch: float, colour: str, weight: float) -> None:
        """Draw a frame whose corners are quarter circles curving inwards, of radius `notch`."""
        path = self._canvas.beginPath()
        path.moveTo(_points(inset + notch), _up(inset))
        for x, y, start in _corners(inset):
            path.arcTo(*_square(x, y, notch), startAng=start, extent=90)
        path.close()
        self._stroke(colour, weight)
        self._canvas.drawPath(path, stroke=1, fill=0)

    def corners(self, inset: float, radius: float, colour: str, weight: float) -> None:
        """Draw a quarter circle around each corner of a frame, on its inner side."""
        self._stroke(colour, weight)
        for x, y, start in _corners(inset):
            self._canvas.arc(*_square(x, y, radius), startAng=start, extent=90)

    def qr(self, text: str, x: float, y: float, size: float, colour: str) -> None:
        """Draw a QR code (level Q, a quarter of it may be lost) as one path.

        `size` is the code without its quiet zone; four modules around it are painted white.
        """
        rows = [list(row) for row in segno.make_qr(text, error="q", boost_error=False).matrix]
        module = size / len(rows)
        quiet = 4 * module
        self.box(x - quiet, y - quiet, size + 2 * quiet, size + 2 * quiet, "#ffffff")
        path = self._canvas.beginPath()
        for row, modules in enumerate(rows):
            column = 0
            for dark, run in groupby(modules):
                length = len(list(run))
                if dark:
                    path.rect(
                        _points(x + column * module),
                        _up(y + (row + 1) * module),
                        _points(length * module),
                        _points(module),
                    )
                column += length
        self._canvas.setFillColor(HexColor(colour))
        self._canvas.drawPath(path, stroke=0, fill=1)

    def across(self, text: str, face: Face, length: float, colour: str, angle: float) -> None:
        """Write `text` through the middle of the page, `length` long, rising by `angle` degrees."""
        size = length / sum(advances(text, face))
        self._canvas.saveState()
        self._canvas.translate(_points(WIDTH / 2), _points(HEIGHT / 2))
        self._canvas.rotate(angle)
        self._canvas.setFillColor(HexColor(colour))
        self._canvas.setFont(_name(face), size)
        self._canvas.drawCentredString(0, -size / 3, printable(text, face))
        self._canvas.restoreState()

    def next_page(self) -> None:
        """Close this page and open the next."""
        self._canvas.showPage()

    def finish(self) -> bytes:
        """Close the document and give its bytes."""
        self._canvas.save()
        return self._file.getvalue()

    def _stroke(self, colour: str, weight: float) -> None:
        self._canvas.setStrokeColor(HexColor(colour))
        self._canvas.setLineWidth(weight)


def _points(millimetres: float) -> float:
    return millimetres / POINT


def _up(y: float) -> float:
    """Turn millimetres from the top edge into points from the bottom, as reportlab counts."""
    return _points(HEIGHT - y)


def _corners(inset: float) -> list[tuple[float, float, int]]:
    """List corners clockwise from the top right, each with the angle where its quarter starts."""
    left, right, top, bottom = inset, WIDTH - inset, inset, HEIGHT - inset
    return [(right, top, 180), (right, bottom, 90), (left, bottom, 0), (left, top, 270)]


def _square(x: float, y: float, radius: float) -> tuple[float, float, float, float]:
    return _points(x - radius), _up(y + radius), _points(x + radius), _up(y - radius)
