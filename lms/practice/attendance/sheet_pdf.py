"""The sheet people sign: one row for each, with the numbers and codes the screen has."""

from datetime import datetime

from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort
from lms.core.i18n import day, moment, pick
from lms.core.i18n import gettext as _
from lms.core.marks import Mark
from lms.core.papers import Column, Paper
from lms.practice.attendance.rules import Half, row_code
from lms.practice.attendance.services import Timetable

ROW = 23.0
"""Points: room for a signature."""


def draw(cohort: Cohort, table: Timetable, half: Half, mark: Mark, *, now: datetime) -> bytes:
    """Return the sheet of one half day as PDF; rows go on over pages."""
    part = _("pagi") if half.half == "am" else _("siang")
    title = _("Daftar hadir")
    paper = Paper(f"{title} – {cohort.title} – {half.key}", landscape=True, size=9)
    paper.line(title, size=15, bold=True)
    paper.line(f"{cohort.title}, {cohort.city}", size=11)
    paper.line(
        _("Hari %(day)s, %(part)s · %(date)s · %(place)s",
          day=half.day, part=part, date=day(table.days[half]), place=cohort.place),
        soft=True,
    )  # fmt: skip
    paper.line(" · ".join(pick(title, title_en) for title, title_en in table.titles[half]))
    paper.line(
        _("Kolom Tanda diisi pelatih: h hadir, t terlambat, s sebagian (tulis menitnya), a absen."),
        soft=True,
    )
    paper.space(6)
    columns = [
        Column(_("No"), 4, "right"),
        Column(_("Kode"), 6),
        Column(_("Nama"), 28),
        Column(_("Instansi"), 26),
        Column(_("Tanda tangan"), 28),
        Column(_("Tanda"), 8),
    ]
    rows = (
        (str(number), row_code(seat.public_id), seat.name, seat.organisation, "", "")
        for number, seat in enumerate(cohorts.list_seats(cohort.id), 1)
    )
    paper.table(columns, rows, least=ROW)
    paper.space(10)
    paper.need(70)
    paper.line(_("Pelatih:"), x=paper.width - 220)
    paper.space(40)
    paper.line("…" * 30, x=paper.width - 220)
    printed = moment(now, cohort.zone)
    return paper.finish(
        lambda number, count: _("Halaman %(number)s dari %(count)s · dicetak %(at)s",
                                number=number, count=count, at=printed),
        mark.lines,
    )  # fmt: skip
