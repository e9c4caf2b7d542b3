"""The two days every class begins with. The hours are a proposal, as in content/schemes.yaml."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from lms.cohorts.services import Timetabled

TWO_DAYS = (
    Timetabled(
        day=1, half="am", position=1, jp=0,
        title="Pembukaan, kesepakatan aman, hak untuk tidak ikut",
        title_en="Opening, agreement on safety, the right not to take part",
    ),
    Timetabled(
        day=1, half="am", position=2, jp=2, lesson_code="K1.T",
        title="Lokakarya asesmen risiko", title_en="Risk assessment workshop",
    ),
    Timetabled(
        day=1, half="pm", position=1, jp=2, lesson_code="K5.T",
        title="Pertemuan kasus lintas lembaga", title_en="Case conference across agencies",
    ),
    Timetabled(
        day=1, half="pm", position=2, jp=1, lesson_code="K2.T",
        title="Bermain peran komunikasi", title_en="Communication role play",
    ),
    Timetabled(
        day=1, half="pm", position=3, jp=1, lesson_code="K4.T",
        title="Lingkar supervisi, bagian 1", title_en="Supervision circle, part 1",
    ),
    Timetabled(
        day=2, half="am", position=1, jp=3, lesson_code="K3.T",
        title="Simulasi penanganan darurat, tiga putaran",
        title_en="Emergency response simulation, three rounds",
    ),
    Timetabled(
        day=2, half="am", position=2, jp=1, lesson_code="K4.T",
        title="Lingkar supervisi, bagian 2", title_en="Supervision circle, part 2",
    ),
    Timetabled(
        day=2, half="pm", position=1, jp=4,
        title="Uji observasi akhir, empat stasiun paralel",
        title_en="Final observation test, four stations in parallel",
    ),
)  # fmt: skip
"""Training hours (JP, 45 minutes): 10 of lessons and 4 of test; the opening carries none."""


def in_order(entries: Iterable[Timetabled]) -> Iterator[Timetabled]:
    """Give each entry its number within its half day, in the order of the list."""
    seen: dict[tuple[int, str], int] = {}
    for entry in entries:
        key = (entry.day, entry.half)
        seen[key] = seen.get(key, 0) + 1
        yield replace(entry, position=seen[key])
