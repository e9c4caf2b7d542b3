"""The minutes of a panel as PDF, and its ratings as a table; both name nobody's rating."""

from collections.abc import Iterator
from datetime import datetime

from lms.core.i18n import day, moment
from lms.core.i18n import gettext as _
from lms.core.marks import Mark
from lms.core.papers import Column, Paper
from lms.core.sheets import Cell
from lms.panels import labels, rules, services
from lms.panels.results import Result
from lms.panels.services import Room


def draw(room: Room, result: Result, chair: str, mark: Mark, *, now: datetime) -> bytes:
    """Return the minutes."""
    title = _("Berita acara panel batas kuis %(code)s", code=result.curriculum)
    paper = Paper(title, size=9.5)
    paper.line(title, bold=True, size=13)
    paper.space(6)
    found = result.figures
    right, shown = result.ratio
    paper.facts(
        [
            (_("Kurikulum"), result.curriculum),
            (_("Versi standar"), result.standard),
            (_("Dibuka"), day(room.opened_at)),
            (_("Dihitung"), moment(result.made_at)),
            (_("Ketua"), chair),
            (_("Anggota yang dihitung"), str(result.panellists)),
            (_("Butir yang dinilai"), str(len(result.versions))),
            (_("Batas"), _("%(cut)s%%, yaitu %(right)d dari %(shown)d butir",
                           cut=labels.number(found["cut"]), right=right, shown=shown)),
            (_("Simpangan baku"), labels.number(found["sd"])),
            (_("Galat baku"), labels.number(found["error"])),
            (_("Selang %(share)s", share="95%"),
             f"{labels.number(found['low'])}–{labels.number(found['high'])}"),
            (_("Galat baku bila butirnya juga lain"), labels.number(found["error_all"])),
            (_("Kesepakatan (ICC)"), _("satu anggota %(one)s, rata-rata panel %(all)s",
                one=labels.number(found["icc"], 2), all=labels.number(found["icc_mean"], 2))),
            (_("Batas putaran 1"), labels.number(found["before"])),
            (_("Sidik hasil"), result.digest),
        ],
        term_width=170,
    )  # fmt: skip
    paper.space(8)
    paper.line(_("Orang yang baru cukup aman"), bold=True, size=11)
    for line in room.person.splitlines():
        paper.line(line)
    paper.space(8)
    for text in statements(result):
        paper.line(text, size=9)
    paper.space(8)
    paper.line(_("Pernyataan anggota"), bold=True, size=11)
    paper.space(3)
    paper.table(
        [
            Column(_("Nama"), 3),
            Column(_("Pernyataan"), 2),
            Column(_("Alasan"), 4),
            Column(_("Waktu"), 2),
        ],
        [
            (one.name, str(labels.CHOICES[one.choice]), one.reason, moment(one.at))
            for one in result.signatures
        ],
    )
    paper.space(8)
    paper.line(_("Butir"), bold=True, size=11)
    paper.space(3)
    paper.table(
        [
            Column(_("Butir"), 3),
            Column(_("KUK"), 2),
            Column(_("Putaran 1"), 1.5, "right"),
            Column(_("Putaran 2"), 1.5, "right"),
            Column(_("Terendah"), 1.5, "right"),
            Column(_("Tertinggi"), 1.5, "right"),
        ],
        [
            (
                f"{one['slug']} v{one['number']}",
                one["kuk"],
                labels.number(one["before"]),
                labels.number(one["spread"]["mean"]),
                labels.number(one["spread"]["low"], 0),
                labels.number(one["spread"]["high"], 0),
            )
            for one in found["items"]
        ],
        size=8.5,
    )
    printed = moment(now)
    return paper.finish(
        lambda number, count: _("Halaman %(number)s dari %(count)s · dicetak %(at)s",
                                number=number, count=count, at=printed),
        mark.lines,
    )  # fmt: skip


def statements(result: Result) -> list[str]:
    """Say what the cut is and what it is not."""
    said = [
        _("Batas ini untuk butir kriteria yang tidak kritis. Semua butir kriteria kritis tetap"
          " harus benar; aturan itu tidak dinilai di sini."),
        _("Batas ini milik daftar butir dan versi standar di atas. Tidak ada hasil atau putusan"
          " yang dihitung ulang."),
    ]  # fmt: skip
    if result.panellists < rules.FEWEST:
        said.append(
            _("Panel kecil: %(num)d anggota. Dianjurkan %(low)d sampai %(high)d; selangnya lebar.",
              num=result.panellists, low=rules.FEWEST, high=rules.MOST)
        )  # fmt: skip
    if result.figures["left_out"]:
        said.append(
            _("%(num)d anggota tidak dihitung karena belum menilai semua butir.",
              num=result.figures["left_out"])
        )  # fmt: skip
    return said


def columns(panellists: int) -> list[str]:
    """Return the headings of the table of ratings."""
    return [
        _("Butir"),
        _("Versi"),
        _("KUK"),
        _("Putaran"),
        *(_("Anggota %(n)d", n=n) for n in range(1, panellists + 1)),
    ]


def rows(room: Room, result: Result) -> Iterator[list[Cell]]:
    """Yield what each panellist, by their number of the lot, gave each item in both rounds."""
    label_of = {one.id: one.label for one in services.list_members(room) if one.label}
    items = [one for one in services.list_items(room) if not one.training]
    first = services.ratings_of(items, 1)
    second = rules.carried(first, services.ratings_of(items, 2))
    for item in items:
        for number, given in ((1, first), (2, second)):
            by_label = {
                label_of[who]: values.get(item.id)
                for who, values in given.items()
                if who in label_of
            }
            yield [
                item.slug,
                item.number,
                item.kuk,
                number,
                *(by_label.get(n) for n in range(1, result.panellists + 1)),
            ]
