"""Words and drawings of item statistics."""

from collections.abc import Sequence
from dataclasses import dataclass

from lms.core.i18n import language
from lms.core.i18n import lazy_gettext as _
from lms.statistics.rules import Flag

FLAGS = {
    Flag.NEGATIVE: _("Daya beda negatif"),
    Flag.KEY: _("Kunci diragukan"),
    Flag.CROSSING: _("Kurva bersilang"),
    Flag.DEAD: _("Pengecoh tidak dipilih"),
    Flag.EASY: _("Terlalu mudah"),
    Flag.HARD: _("Terlalu sulit"),
    Flag.SMALL: _("n masih kecil"),
}
ADVICE = {
    Flag.NEGATIVE: _(
        "Orang yang nilainya tinggi lebih sering keliru di butir ini. Baca lagi soal dan kuncinya."
    ),
    Flag.KEY: _(
        "Orang yang nilainya tinggi lebih banyak memilih jawaban lain daripada kunci. "
        "Periksa kuncinya."
    ),
    Flag.CROSSING: _(
        "Sebuah pengecoh lebih sering dipilih daripada kunci di kelompok nilai yang lebih tinggi. "
        "Baca lagi kalimatnya."
    ),
    Flag.DEAD: _(
        "Sebuah pengecoh dipilih kurang dari %(share)s orang. Tulis pengecoh yang lebih masuk "
        "akal.",
        share="5%",
    ),
    Flag.EASY: _(
        "Lebih dari %(share)s orang menjawab benar. Wajar bila kriterianya harus dikuasai semua "
        "orang.",
        share="95%",
    ),
    Flag.HARD: _(
        "Kurang dari %(share)s orang menjawab benar. Periksa apakah pelajarannya cukup.",
        share="30%",
    ),
    Flag.SMALL: _("Jawaban kurang dari 60: semua angka di sini masih dapat banyak berubah."),
}
WORDS = {
    "negatif": Flag.NEGATIVE,
    "kunci": Flag.KEY,
    "silang": Flag.CROSSING,
    "pengecoh": Flag.DEAD,
    "mudah": Flag.EASY,
    "sulit": Flag.HARD,
    "kecil": Flag.SMALL,
}
"""Flags as they stand in an address."""

WIDE, HIGH = 300, 160
"""Of the drawing, without its margins."""
LABEL = 15
"""Least distance between two labels."""


def number(value: float | None, places: int = 2) -> str:
    """Return a number as it is read here; a dash where there is none."""
    if value is None:
        return "–"
    text = f"{value:.{places}f}".replace("-", "−")
    return text if language() == "en" else text.replace(".", ",")


def percent(value: float | None) -> str:
    """Return a share as per cent."""
    return "–" if value is None else f"{number(100 * value, 0)}%"


@dataclass(frozen=True, slots=True)
class Curve:
    """One option as it is drawn: its letter, its line and where the label stands."""

    name: str
    is_key: bool
    points: str
    label: float


def curves(options: Sequence[dict[str, object]]) -> list[Curve]:
    """Return the lines of the options; quarters where nobody is are left out of them."""
    drawn = []
    for option in options:
        shares: Sequence[float | None] = option["curve"]  # type: ignore[assignment]  # from JSON
        step = WIDE / (len(shares) - 1)
        places = [
            (place * step, HIGH * (1 - share))
            for place, share in enumerate(shares)
            if share is not None
        ]
        if places:
            line = " ".join(f"{x:g},{y:.4g}" for x, y in places)
            drawn.append((places[-1][1], str(option["name"]), bool(option["is_key"]), line))
    found: list[Curve] = []
    for height, name, is_key, line in sorted(drawn):
        lowest = found[-1].label + LABEL if found else height
        found.append(Curve(name, is_key, line, max(height, lowest)))
    return found
