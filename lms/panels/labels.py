"""Words and drawings of standard-setting rooms."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import url_for

from lms.core.i18n import language
from lms.core.i18n import lazy_gettext as _
from lms.panels.rating import Sheet
from lms.panels.rules import Choice, Due, Spread, Stage

STAGES: dict[Stage, str] = {
    Stage.INVITING: _("Mengundang"),
    Stage.FIRST: _("Putaran 1"),
    Stage.TALK: _("Membahas"),
    Stage.SECOND: _("Putaran 2"),
    Stage.SIGNING: _("Menandatangani"),
    Stage.CLOSED: _("Selesai"),
    Stage.STOPPED: _("Dihentikan"),
}
STEPS = (Stage.INVITING, Stage.FIRST, Stage.TALK, Stage.SECOND, Stage.SIGNING, Stage.CLOSED)
ADVANCE: dict[Stage, str] = {
    Stage.INVITING: _("Mulai putaran 1"),
    Stage.FIRST: _("Tutup putaran 1, buka sebaran"),
    Stage.TALK: _("Mulai putaran 2"),
    Stage.SECOND: _("Tutup putaran 2, hitung batas"),
    Stage.SIGNING: _("Tutup panel"),
}
"""What the chair's button says."""
CHOICES: dict[Choice, str] = {
    Choice.SIGNED: _("Menandatangani"),
    Choice.ABSTAINED: _("Tidak menandatangani"),
    Choice.ABSENT: _("Tidak menjawab"),
}
DUE: dict[Due, tuple[str, str]] = {
    Due.RATE: (
        _("Nilai atau periksa lagi butirnya, lalu nyatakan selesai dengan putaran ini."),
        _("Nilai butir"),
    ),
    Due.SIGN: (_("Hasilnya menunggu pernyataan Anda."), _("Baca hasil dan jawab")),
    Due.INVITE: (_("Undang anggota, lalu mulai putaran 1."), _("Buka")),
    Due.LEAD: (_("Tidak ada anggota yang ditunggu. Lanjutkan ke langkah berikutnya."), _("Buka")),
}
"""What somebody is waited for, and where it is done."""
SCALE = 3
"""Points of the drawing for one per cent."""
STACK, BASE = 9, 46
"""Points between two dots of the same rating, and where the axis lies."""


def number(value: float | None, places: int = 1) -> str:
    """Return a number as it is read here; a dash where there is none."""
    if value is None:
        return "–"
    text = f"{value:.{places}f}".replace("-", "−")
    return text if language() == "en" else text.replace(".", ",")


def share(value: float | None) -> str:
    """Return a part of one as whole per cent."""
    return "–" if value is None else f"{number(100 * value, 0)}%"


@dataclass(frozen=True, slots=True)
class Place:
    """One item on the map of a room; see components/quiz.html."""

    number: int
    url: str
    answered: bool
    unsaved: bool = False
    flagged: bool = False


def map_of(sheet: Sheet) -> list[Place]:
    """Return the map of a room for its reader; in the second round, what they rated again."""
    return [
        Place(
            line.item.position,
            url_for("panels.item", room_id=sheet.room.public_id, position=line.item.position),
            line.given(sheet.room.round) is not None,
        )
        for line in sheet.lines
    ]


@dataclass(frozen=True, slots=True)
class Dot:
    """One rating of a drawing."""

    x: float
    y: float
    own: bool


@dataclass(frozen=True, slots=True)
class Plot:
    """The ratings of one item as they are drawn: dots, box of the middle half, middle, people."""

    dots: tuple[Dot, ...]
    left: float
    width: float
    middle: float
    p: float | None
    top: float
    """Where the drawing begins: the highest pile."""


def plot(
    values: Sequence[float], own: float | None, spread: Spread | None, p: float | None = None
) -> Plot | None:
    """Return a drawing of ratings, or None of none; one of those like `own` is marked."""
    if spread is None:
        return None
    dots, piles, marked = [], dict[float, int](), False
    for value in sorted(values):
        height = piles.get(value, 0)
        piles[value] = height + 1
        mine = value == own and not marked
        marked = marked or mine
        dots.append(Dot(value * SCALE, BASE - 10 - STACK * height, mine))
    return Plot(
        tuple(dots),
        spread.lower * SCALE,
        max((spread.upper - spread.lower) * SCALE, 2),
        spread.middle * SCALE,
        None if p is None else 100 * p * SCALE,
        min(0.0, min(dot.y for dot in dots) - STACK),
    )
