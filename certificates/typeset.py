"""How words fill a column: breaking, balancing, and shrinking until they fit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from certificates.sheet import POINT, Align, Face, Sheet, advances, printable

_ELLIPSIS = "…"
_STEP = 0.96
_EVEN_ENOUGH = 0.05  # millimetres for one point of size
_BASELINE = 0.34  # of the size, below the middle of the line: centres capitals optically


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A paragraph. `size` and `smallest` are points, `gap` (above) and `rule` millimetres.

    It shrinks from `size` to `smallest` to keep to `most_lines`; if that is not enough it ends in
    an ellipsis. `balanced` makes its lines about equally long; `rule` is the length of a fine line
    drawn below it.
    """

    text: str
    face: Face
    size: float
    colour: str
    smallest: float = 6.5
    most_lines: int = 1
    balanced: bool = False
    leading: float = 1.3
    gap: float = 0
    rule: float = 0
    rule_colour: str = "#000000"


@dataclass(frozen=True, slots=True)
class SetBlock:
    """A block broken into lines at the size that fits, on a page scaled by `scale`."""

    block: Block
    lines: tuple[str, ...]
    size: float
    scale: float

    @property
    def height(self) -> float:
        """Millimetres from the top of its gap to the foot of its last line or rule."""
        block = self.block
        below = 1.6 if block.rule else 0
        return (block.gap + below) * self.scale + len(self.lines) * self._line_height

    @property
    def width(self) -> float:
        """Millimetres of its longest line."""
        return self.size * max(sum(advances(line, self.block.face)) for line in self.lines)

    @property
    def _line_height(self) -> float:
        return self.size * self.block.leading * POINT

    def draw(self, sheet: Sheet, x: float, y: float, align: Align) -> float:
        """Draw it with its gap starting at y. Gives the y where the next one starts."""
        block = self.block
        middle = y + block.gap * self.scale + self._line_height / 2
        for number, line in enumerate(self.lines):
            baseline = middle + number * self._line_height + self.size * _BASELINE * POINT
            sheet.text(x, baseline, line, block.face, self.size, block.colour, align)
        end = y + self.height
        if block.rule:
            sheet.line(x - block.rule / 2, end, x + block.rule / 2, block.rule_colour, 0.6)
        return end


def set_block(block: Block, width: float, scale: float = 1) -> SetBlock:
    """Break a block for a column of `width` millimetres, shrinking it as it allows."""
    words = _Words(printable(block.text, block.face), block.face)
    size, smallest = block.size * scale, block.smallest * scale
    lines = words.lines(width / size)
    while len(lines) > block.most_lines and size > smallest:
        size = max(size * _STEP, smallest)
        lines = words.lines(width / size)
    if len(lines) > block.most_lines:
        last = " ".join(lines[block.most_lines - 1 :])
        lines[block.most_lines - 1 :] = [_cut(last, block.face, width / size)]
    elif block.balanced:
        lines = words.even_lines(width / size)
    return SetBlock(block, tuple(lines), size, scale)


def set_column(blocks: Sequence[Block], width: float, height: float) -> list[SetBlock]:
    """Set blocks below each other, all scaled down together until they fit the height."""
    scale = 1.0
    column = [set_block(block, width, scale) for block in blocks]
    while column_height(column) > height:
        scale *= _STEP
        column = [set_block(block, width, scale) for block in blocks]
    return column


def column_height(column: Sequence[SetBlock]) -> float:
    """Height of a column, in millimetres."""
    return sum(block.height for block in column)


def draw_column(
    sheet: Sheet, column: Sequence[SetBlock], x: float, y: float, align: Align
) -> float:
    """Draw a column from y downwards. Gives the y where it ends."""
    for block in column:
        y = block.draw(sheet, x, y, align)
    return y


class _Words:
    """The words of one text. Widths are millimetres for one point of size, so any size can ask."""

    def __init__(self, text: str, face: Face) -> None:
        self._words = [(word, advances(word, face)) for word in text.split(" ")]
        self._space = sum(advances(" ", face))

    def lines(self, width: float) -> list[str]:
        """Fill lines greedily. A word wider than the column is broken between characters."""
        lines: list[str] = []
        room = 0.0
        for word, word_width in self._pieces(width):
            room -= self._space + word_width
            if lines and room >= 0:
                lines[-1] += f" {word}"
            else:
                lines.append(word)
                room = width - word_width
        return lines

    def even_lines(self, width: float) -> list[str]:
        """Fill the narrowest column that needs no more lines than `width` does."""
        most = len(self.lines(width))
        narrow = max(word_width for _, word_width in self._pieces(width))
        while width - narrow > _EVEN_ENOUGH:
            middle = (narrow + width) / 2
            if len(self.lines(middle)) > most:
                narrow = middle
            else:
                width = middle
        return self.lines(width)

    def _pieces(self, width: float) -> Iterator[tuple[str, float]]:
        for word, widths in self._words:
            start, piece_width = 0, 0.0
            for end, character_width in enumerate(widths):
                if piece_width + character_width > width:
                    yield word[start:end], piece_width
                    start, piece_width = end, 0.0
                piece_width += character_width
            yield word[start:], piece_width


def _cut(text: str, face: Face, width: float) -> str:
    room = width - sum(advances(_ELLIPSIS, face))
    kept = sum(total <= room for total in accumulate(advances(text, face)))
    return text[:kept].rstrip() + _ELLIPSIS
