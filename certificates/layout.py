"""Where everything stands on the two pages: the certificate and its transcript."""

from dataclasses import dataclass
from threading import Lock

from certificates.codes import pretty
from certificates.document import Certificate, UnitLine
from certificates.labels import LABELS, Labels
from certificates.sheet import WIDTH, Align, Face, Sheet
from certificates.typeset import (
    Block,
    SetBlock,
    column_height,
    draw_column,
    set_block,
    set_column,
)

# The light theme of lms/static/css/suluh.css; the watermark is paler than any colour there.
INK = "#1a2a2b"
INK_SOFT = "#4b5a59"
LINE = "#e0dbd0"
BRAND = "#0e5a5a"
BRAND_SOFT = "#dcebe8"
GLOW = "#86bfb6"
OK = "#1c6540"
WAIT = "#7a4f00"
WAIT_SOFT = "#f8ebcd"
WATERMARK = "#dde9e6"

_MARGIN = 22.0
_RIGHT = WIDTH - _MARGIN
_INNER = _RIGHT - _MARGIN
_FOOT = 194.0
_QR_SIZE = 28.0  # measured: read 12 of 12 times under noise
_VERY_LONG = 150  # characters
_SHRINK = 0.97
_GAP = 5.0  # between the table and the facts below it

# Fonts are shared by all documents, and reportlab reads accented glyphs from them with one cursor
# (ttfonts.TTFontFile.makeSubset): two threads at once lose accents or fail. Measured, not feared.
_turn = Lock()


def render(certificate: Certificate) -> bytes:
    """Draw a certificate as a PDF of two pages; equal certificates give equal bytes.

    Any number of threads may call it, they take turns.
    """
    labels = LABELS[certificate.language]
    with _turn:
        sheet = Sheet(title=labels.title, language=certificate.language, day=certificate.issued_on)
        _draw_ground(sheet, certificate, labels, page=1)
        _draw_front(sheet, certificate, labels)
        sheet.next_page()
        _draw_ground(sheet, certificate, labels, page=2)
        _draw_transcript(sheet, certificate, labels)
        sheet.next_page()
        return sheet.finish()


def _draw_ground(sheet: Sheet, certificate: Certificate, labels: Labels, *, page: int) -> None:
    """Watermark, frame and foot: what both pages share."""
    if certificate.sample:
        sheet.across(labels.sample, Face.SERIF_BOLD, 190, WATERMARK, 30)
    sheet.frame(9, 8, BRAND, 1.1)
    sheet.frame(10.6, 8, GLOW, 0.5)
    for radius, weight in ((6.2, 0.5), (4.4, 0.8), (2.6, 1.1)):
        sheet.corners(9, radius, BRAND, weight)
    sheet.text(_MARGIN, _FOOT, labels.note, Face.SANS, 7.5, INK_SOFT, "left")
    number = labels.page.format(page=page)
    sheet.text(_RIGHT, _FOOT, number, Face.SANS, 7.5, INK_SOFT, "right")
    if certificate.standard_is_draft:
        _draw_draft_mark(sheet, labels)


def _draw_draft_mark(sheet: Sheet, labels: Labels) -> None:
    mark = set_block(Block(text=labels.draft, face=Face.SANS_BOLD, size=8.5, colour=WAIT), _INNER)
    width, height = mark.width + 8, mark.height + 2.4
    top = _FOOT - 1 - height / 2
    sheet.box(WIDTH / 2 - width / 2, top, width, height, WAIT_SOFT, radius=height / 2)
    mark.draw(sheet, WIDTH / 2, top + 1.2, "centre")


def _draw_front(sheet: Sheet, certificate: Certificate, labels: Labels) -> None:
    first, *others = certificate.issuer_lines
    letterhead = [Block(text=first, face=Face.SANS_BOLD, size=11.5, colour=BRAND)]
    letterhead += [
        Block(text=line, face=Face.SANS, size=9.5, colour=INK_SOFT, gap=0.4) for line in others
    ]
    draw_column(sheet, set_column(letterhead, _INNER, 22), WIDTH / 2, 21, "centre")

    top, bottom = 43.0, 145.0
    column = set_column(_front_blocks(certificate, labels), _INNER - 10, bottom - top)
    spare = bottom - top - column_height(column)
    draw_column(sheet, column, WIDTH / 2, top + spare / 2, "centre")
    _draw_check(sheet, certificate, labels)
    _draw_signature(sheet, certificate, labels)


def _front_blocks(certificate: Certificate, labels: Labels) -> list[Block]:
    period = labels.period(certificate.started_on, certificate.ended_on)
    first, last = labels.day(certificate.issued_on), labels.day(certificate.valid_until)
    return [
        Block(text=labels.title, face=Face.SERIF_BOLD, size=31, colour=BRAND),
        Block(
            text=labels.number.format(number=certificate.number),
            face=Face.SANS,
            size=10,
            colour=INK_SOFT,
            gap=0.5,
        ),
        Block(text=labels.given_to, face=Face.SERIF_ITALIC, size=12.5, colour=INK_SOFT, gap=6.5),
        Block(
            text=certificate.holder_name,
            face=Face.SERIF_BOLD,
            size=29,
            colour=INK,
            smallest=11,
            most_lines=_lines_for(certificate.holder_name, 2),
            balanced=True,
            leading=1.22,
            gap=1.5,
            rule=64,
            rule_colour=BRAND,
        ),
        Block(text=labels.passed, face=Face.SERIF_ITALIC, size=12.5, colour=INK_SOFT, gap=4),
        Block(
            text=certificate.training_title,
            face=Face.SANS_BOLD,
            size=15,
            colour=INK,
            smallest=9,
            most_lines=_lines_for(certificate.training_title, 2),
            balanced=True,
            gap=2,
        ),
        Block(
            text=labels.scheme.format(scheme=certificate.scheme_title),
            face=Face.SANS,
            size=11,
            colour=INK,
            smallest=8,
            most_lines=2,
            balanced=True,
            gap=1,
        ),
        Block(
            text=labels.held.format(period=period, jp=certificate.jp),
            face=Face.SANS,
            size=10.5,
            colour=INK_SOFT,
            gap=3,
        ),
        Block(
            text=labels.valid.format(first=first, last=last),
            face=Face.SANS,
            size=10.5,
            colour=INK_SOFT,
            gap=0.4,
        ),
    ]


def _lines_for(text: str, lines: int) -> int:
    """How many lines a long text may take before it shrinks: twice as many if it is very long."""
    return lines if len(text) <= _VERY_LONG else 2 * lines


def _draw_check(sheet: Sheet, certificate: Certificate, labels: Labels) -> None:
    """How anybody can check the paper: QR code, host and code."""
    top = 154.0
    sheet.qr(certificate.verify_url, _MARGIN + 1, top, _QR_SIZE, INK)
    blocks = [
        Block(text=labels.scan, face=Face.SANS_BOLD, size=9, colour=INK),
        Block(
            text=labels.or_open.format(host=certificate.host),
            face=Face.SANS,
            size=8.5,
            colour=INK_SOFT,
            most_lines=5,
        ),
        Block(text=pretty(certificate.code), face=Face.SANS_BOLD, size=13, colour=BRAND, gap=1.5),
    ]
    column = set_column(blocks, 80, _QR_SIZE)
    spare = _QR_SIZE - column_height(column)
    draw_column(sheet, column, _MARGIN + _QR_SIZE + 7, top + spare / 2, "left")


def _draw_signature(sheet: Sheet, certificate: Certificate, labels: Labels) -> None:
    """Place, day and office above, name and NIP below; room for the signature between them."""
    width = 84.0
    left = _RIGHT - width
    dated = f"{certificate.place}, {labels.day(certificate.issued_on)}"
    office = certificate.signatory_title
    above = [
        Block(text=dated, face=Face.SANS, size=10, colour=INK),
        Block(text=office, face=Face.SANS, size=10, colour=INK, most_lines=3),
    ]
    name = certificate.signatory_name
    below = [Block(text=name, face=Face.SANS_BOLD, size=10.5, colour=INK, most_lines=2)]
    if certificate.signatory_number is not None:
        number = labels.identity.format(number=certificate.signatory_number)
        below.append(Block(text=number, face=Face.SANS, size=9, colour=INK_SOFT))
    draw_column(sheet, set_column(above, width, 14), left, 149, "left")
    column = set_column(below, width, 12)
    draw_column(sheet, column, left, 188 - column_height(column), "left")


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of the transcript table, in millimetres."""

    left: float
    width: float
    align: Align

    @property
    def anchor(self) -> float:
        return self.left if self.align == "left" else self.left + self.width


_ROW = _Column(_MARGIN + 3, 9, "left")
_CODE = _Column(_MARGIN + 14, 38, "left")
_TITLE = _Column(_MARGIN + 55, 120, "left")
_HOURS = _Column(_MARGIN + 178, 11, "right")
_MARK = _Column(_MARGIN + 192, 27, "right")
_RESULT = _Column(_MARGIN + 230, 21, "left")
_LABEL = _Column(_MARGIN + 3, 50, "left")
_VALUE = _Column(_MARGIN + 55, 195, "left")


@dataclass(frozen=True, slots=True)
class _Row:
    """Cells side by side. Those of a table are centred on its height, others start at its top."""

    cells: tuple[tuple[_Column, SetBlock], ...]
    padding: float
    centred: bool

    @property
    def height(self) -> float:
        return max(block.height for _, block in self.cells) + 2 * self.padding

    def draw(self, sheet: Sheet, y: float) -> float:
        for column, block in self.cells:
            above = (self.height - block.height) / 2 if self.centred else self.padding
            block.draw(sheet, column.anchor, y + above, column.align)
        return y + self.height


@dataclass(frozen=True, slots=True)
class _Transcript:
    """The lower part of page 2, set at one scale."""

    head: _Row
    units: tuple[_Row, ...]
    total: _Row
    facts: tuple[_Row, ...]

    @property
    def height(self) -> float:
        rows = (self.head, *self.units, self.total, *self.facts)
        return sum(row.height for row in rows) + _GAP


def _draw_transcript(sheet: Sheet, certificate: Certificate, labels: Labels) -> None:
    number = labels.number.format(number=certificate.number)
    code = labels.code.format(code=pretty(certificate.code))
    name, training = certificate.holder_name, certificate.training_title
    head = [
        Block(text=labels.transcript, face=Face.SERIF_BOLD, size=20, colour=BRAND),
        Block(
            text=name,
            face=Face.SANS_BOLD,
            size=12,
            colour=INK,
            most_lines=_lines_for(name, 1),
            gap=1.5,
        ),
        Block(text=training, face=Face.SANS, size=9.5, colour=INK_SOFT, most_lines=2, gap=0.4),
        Block(text=f"{number} · {code}", face=Face.SANS, size=9.5, colour=INK_SOFT, gap=0.4),
    ]
    y = draw_column(sheet, set_column(head, _INNER, 36), _MARGIN, 20, "left") + 4
    scale = 1.0
    transcript = _set_transcript(certificate, labels, scale)
    while y + transcript.height > _FOOT - 6:
        scale *= _SHRINK
        transcript = _set_transcript(certificate, labels, scale)

    sheet.box(_MARGIN, y, _INNER, transcript.head.height, BRAND_SOFT, radius=1)
    y = transcript.head.draw(sheet, y)
    for unit, row in zip(certificate.units, transcript.units, strict=True):
        _draw_result_mark(sheet, y + row.height / 2, achieved=unit.achieved, scale=scale)
        y = row.draw(sheet, y)
        sheet.line(_MARGIN, y, _RIGHT, LINE, 0.5)
    sheet.line(_MARGIN, y, _RIGHT, BRAND, 0.9)
    y = transcript.total.draw(sheet, y) + _GAP
    for row in transcript.facts:
        y = row.draw(sheet, y)


def _draw_result_mark(sheet: Sheet, y: float, *, achieved: bool, scale: float) -> None:
    """Draw a full dot or a dashed ring: readable without colour, and never a cross."""
    x, radius = _RESULT.left - 3, 1.1 * scale
    if achieved:
        sheet.dot(x, y, radius, OK)
    else:
        sheet.ring(x, y, radius, WAIT, 0.8 * scale)


def _set_transcript(certificate: Certificate, labels: Labels, scale: float) -> _Transcript:
    return _Transcript(
        head=_set_head(labels, scale),
        units=tuple(
            _set_unit(number, unit, labels, scale)
            for number, unit in enumerate(certificate.units, 1)
        ),
        total=_set_row(
            scale,
            (_TITLE, labels.total, Face.SANS_BOLD, INK),
            (_HOURS, str(certificate.jp), Face.SANS_BOLD, INK),
        ),
        facts=tuple(_set_facts(certificate, labels, scale)),
    )


def _set_head(labels: Labels, scale: float) -> _Row:
    return _set_row(
        scale,
        (_ROW, labels.row, Face.SANS_BOLD, BRAND),
        (_CODE, labels.unit_code, Face.SANS_BOLD, BRAND),
        (_TITLE, labels.unit_title, Face.SANS_BOLD, BRAND),
        (_HOURS, labels.hours, Face.SANS_BOLD, BRAND),
        (_MARK, labels.mark, Face.SANS_BOLD, BRAND),
        (_RESULT, labels.result, Face.SANS_BOLD, BRAND),
    )


def _set_unit(number: int, unit: UnitLine, labels: Labels, scale: float) -> _Row:
    result, colour = (labels.achieved, OK) if unit.achieved else (labels.not_yet, WAIT)
    return _set_row(
        scale,
        (_ROW, str(number), Face.SANS, INK_SOFT),
        (_CODE, unit.code, Face.SANS, INK_SOFT),
        (_TITLE, unit.title, Face.SANS, INK),
        (_HOURS, "–" if unit.jp is None else str(unit.jp), Face.SANS, INK),
        (_MARK, unit.mark, Face.SANS, INK),
        (_RESULT, result, Face.SANS_BOLD, colour),
    )


def _set_facts(certificate: Certificate, labels: Labels, scale: float) -> list[_Row]:
    state = labels.of_draft if certificate.standard_is_draft else labels.adopted
    facts = [(labels.standard, state.format(version=certificate.standard_version))]
    if certificate.law_checked_on is not None:
        facts.append((labels.law, labels.day(certificate.law_checked_on)))
    if certificate.trainers:
        facts.append((labels.trainers, "; ".join(certificate.trainers)))
    return [
        _Row(
            (
                _set_cell(scale, _LABEL, label, Face.SANS, INK_SOFT),
                _set_cell(scale, _VALUE, value, Face.SANS, INK, most_lines=4),
            ),
            padding=0.5 * scale,
            centred=False,
        )
        for label, value in facts
    ]


def _set_row(scale: float, *cells: tuple[_Column, str, Face, str]) -> _Row:
    return _Row(tuple(_set_cell(scale, *cell) for cell in cells), padding=1.6 * scale, centred=True)


def _set_cell(
    scale: float, column: _Column, text: str, face: Face, colour: str, most_lines: int = 2
) -> tuple[_Column, SetBlock]:
    block = Block(text=text, face=face, size=9.5, colour=colour, most_lines=most_lines)
    return column, set_block(block, column.width, scale)
