"""The report an agency hands on, as a paper: A4, tables, page numbers.

It draws what `agency.read` found and nothing else: a cell hidden on the page is hidden here.
"""

from collections.abc import Iterator

from lms.agencies.labels import STANDINGS
from lms.core.i18n import day, ngettext, pick
from lms.core.i18n import gettext as _
from lms.core.papers import Column, Paper
from lms.reports.agency import Report
from lms.reports.recap import ClassLine, Figures, OwnClasses


def draw(organisation: str, city: str, found: Report, *, as_of: str, printed: str) -> bytes:
    """Return the report of an organisation as PDF; tables go on over pages.

    `as_of` and `printed` say in words on which day the figures stand and when they were printed.
    """
    title = _("Laporan instansi")
    paper = Paper(f"{title} – {organisation}", size=9.5)
    paper.line(title.upper(), bold=True, size=13, align="centre")
    paper.line(organisation, bold=True, size=11, align="centre")
    paper.space(3)
    paper.rule(1.6)
    paper.space(8)
    paper.facts(_facts(city, found, as_of))
    paper.space(8)
    if found.own is None:
        for sentence in _none(found):
            paper.line(sentence)
    else:
        paper.line(
            _("Tanpa nama, jadi dapat diserahkan kepada pihak lain. Kelompok di bawah lima orang "
              "disembunyikan."), size=8.5, soft=True,
        )  # fmt: skip
        _levels(paper, found)
        _villages(paper, found)
        _training(paper, found, found.own)
        if _hides(found, found.own):
            paper.space(8)
            paper.line(
                _("“Tersembunyi”: kelompok di bawah lima orang, bersama kelompok terkecil "
                  "berikutnya, agar angkanya tidak dapat dihitung dari jumlah. Nol tetap ditulis, "
                  "kecuali bila semua kelompok kecil."), size=8, soft=True,
            )  # fmt: skip
    return paper.finish(
        lambda number, count: _("Halaman %(number)s dari %(count)s · dicetak %(at)s",
                                number=number, count=count, at=printed),
    )  # fmt: skip


def _hides(found: Report, own: OwnClasses) -> bool:
    """Tell whether a cell of the report is hidden."""
    figures = (own.whole, *(line.figures for line in own.classes))
    return (
        any(level.hides for level in found.levels)
        or None
        in (found.unplaced, found.online.people, *(count for _name, count in found.villages))
        or any(None in (one.people, one.jp, one.share, one.papers) for one in figures)
    )


def _facts(city: str, found: Report, as_of: str) -> list[tuple[str, str]]:
    return [
        (_("Kota atau kabupaten"), city),
        (_("Keadaan pada"), as_of),
        (_("Pendamping"), _figure(found.people)),
    ]


def _none(found: Report) -> tuple[str, str]:
    if found.people == 0:
        return (
            _("Belum ada pendamping"),
            _("Orang yang dikirim lembaga Anda ke sebuah kelas muncul di sini."),
        )
    return (
        _("Belum dapat dilaporkan"),
        _("Instansi Anda punya kurang dari lima pendamping. Angka sekecil itu akan menunjuk "
          "orangnya; pakai daftar pendamping untuk keperluan sendiri."),
    )  # fmt: skip


def _figure(value: float | None, unit: str = "") -> str:
    return _("tersembunyi") if value is None else f"{value:.0f}{unit}"


def _heading(paper: Paper, text: str) -> None:
    paper.space(10)
    paper.need(80)
    paper.line(text, bold=True, size=11)
    paper.space(3)


def _levels(paper: Paper, found: Report) -> None:
    _heading(paper, _("Pendamping menurut tingkat, status, dan masa berlaku"))
    if found.levels:
        columns = [
            Column(_("Tingkat"), 28),
            *(Column(str(label), 12, "right") for label in STANDINGS.values()),
        ]
        paper.table(
            columns,
            (
                (
                    pick(level.scheme.title, level.scheme.title_en),
                    *(_figure(level.cells[one]) for one in STANDINGS),
                )
                for level in found.levels
            ),
            size=8.5,
        )
        paper.space(4)
    paper.line(
        _("“Habis dalam 90 hari” berarti dalam 31–90 hari. Satu orang dapat memegang beberapa "
          "tingkat, jadi baris tidak dijumlahkan. Tingkat yang belum dipegang siapa pun tidak "
          "ditulis."), size=8, soft=True,
    )  # fmt: skip


def _villages(paper: Paper, found: Report) -> None:
    _heading(paper, _("Pendamping menurut kelurahan"))
    if not found.villages:
        paper.line(_("Belum ada kelurahan di daftar kota Anda."))
        return
    last = _("Belum punya kelurahan"), found.unplaced
    paper.table(
        [Column(_("Kelurahan"), 75), Column(_("Pendamping"), 25, "right")],
        ((name, _figure(count)) for name, count in (*found.villages, last)),
        size=8.5,
    )
    paper.space(4)
    paper.line(
        _("Satu orang dapat melayani beberapa kelurahan, jadi kolom ini tidak dijumlahkan."),
        size=8, soft=True,
    )  # fmt: skip


def _training(paper: Paper, found: Report, own: OwnClasses) -> None:
    _heading(paper, _("Pelatihan %(year)d", year=own.year))
    if own.classes:
        paper.table(
            [
                Column(_("Kelas"), 52),
                Column(_("Orang"), 12, "right"),
                Column(_("JP"), 12, "right"),
                Column(_("Kehadiran"), 12, "right"),
                Column(_("Sertifikat"), 12, "right"),
            ],
            _classes(own),
            size=8.5,
        )
        paper.space(4)
    else:
        paper.line(_("Tidak ada orang Anda di kelas tahun ini."))
    online = found.online
    if online.people is None:
        paper.line(
            _("Pelajaran daring: tersembunyi, karena yang belajar atau yang tidak belajar kurang "
              "dari lima orang.")
        )  # fmt: skip
    else:
        paper.line(
            ngettext("Pelajaran daring: %(num)d orang, %(jp)d JP.",
                     "Pelajaran daring: %(num)d orang, %(jp)d JP.", online.people, jp=online.jp)
        )  # fmt: skip
    paper.space(4)
    paper.line(
        _("JP kelas adalah JP tatap muka dari setengah hari yang dihitung hadir, dijumlahkan atas "
          "semua orang. Hanya kelas yang sudah mulai, pada tahun mulainya; orang yang mengikuti "
          "dua kelas dihitung dua kali."), size=8, soft=True,
    )  # fmt: skip


def _classes(own: OwnClasses) -> Iterator[tuple[str, ...]]:
    for one in own.classes:
        yield _about(one), *_cells(one.figures)
    yield _("Semua kelas"), *_cells(own.whole)


def _about(one: ClassLine) -> str:
    first, last = day(one.starts_on), day(one.ends_on)
    days = first if first == last else f"{first} – {last}"
    hours = _("%(jp)d JP", jp=one.hours)
    return " · ".join((f"{one.title}, {one.city}", days, one.host, hours))


def _cells(figures: Figures) -> tuple[str, ...]:
    return (
        _figure(figures.people),
        _figure(figures.jp),
        _figure(None if figures.share is None else round(figures.share), "%"),
        _figure(figures.papers),
    )
