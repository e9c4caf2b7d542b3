"""The report of a class as an office files it: A4, letterhead, table, place for a signature."""

from collections.abc import Iterable
from datetime import datetime
from typing import cast

from flask_babel import format_decimal

from lms.cohorts.labels import KINDS
from lms.cohorts.models import Cohort
from lms.core.i18n import day, moment
from lms.core.i18n import gettext as _
from lms.core.marks import Mark
from lms.core.papers import Column, Paper
from lms.reports.recap import ClassGain, PersonLine, Summary

DOTS = "." * 60


def draw(
    cohort: Cohort,
    summary: Summary,
    gain: ClassGain,
    lines: Iterable[PersonLine],
    *,
    basis: str,
    mark: Mark,
    now: datetime,
) -> bytes:
    """Return the report as PDF; the table goes on over pages."""
    title = _("Laporan Pelaksanaan Pelatihan")
    paper = Paper(f"{title} – {cohort.title}", size=9.5)
    _head(paper, cohort, title)
    paper.facts(_facts(cohort, summary, basis))
    paper.space(8)
    paper.line(_("A. Peserta"), bold=True, size=11)
    paper.space(3)
    _people(paper, lines, len(summary.hours))
    paper.space(4)
    paper.line(
        _("Hadir: jumlah setengah hari yang dihitung hadir (tepat waktu, terlambat, atau diikuti "
          "di kelas lain). JP: jam pelajaran tatap muka dari setengah hari yang dihitung hadir."),
        size=8, soft=True,
    )  # fmt: skip
    paper.space(10)
    paper.need(90)
    paper.line(_("B. Rekapitulasi menurut jenis instansi"), bold=True, size=11)
    paper.space(3)
    _kinds(paper, summary)
    paper.space(10)
    paper.need(70)
    paper.line(_("C. Hasil"), bold=True, size=11)
    paper.space(3)
    for sentence in gain_words(gain):
        paper.line(sentence)
    paper.line(
        _("Sertifikat yang terbit dan berlaku: %(count)d orang.", count=summary.whole.papers)
    )
    _signature(paper, cohort, now)
    printed = moment(now, cohort.zone)
    return paper.finish(
        lambda number, count: _("Halaman %(number)s dari %(count)s · dicetak %(at)s",
                                number=number, count=count, at=printed),
        mark.lines,
    )  # fmt: skip


def gain_words(found: ClassGain) -> list[str]:
    """Say what a class gained, how sure that is, and about whom nothing can be said."""
    words = []
    gain = found.gain
    if gain is None:
        words.append(_("Kenaikan belum dapat dihitung: belum ada bukti dari sebelum kelas."))
    elif gain.low is None or gain.high is None:
        words.append(
            _("Kenaikan %(mean)s KUK pada satu orang; selang kepercayaan perlu dua orang atau "
              "lebih.", mean=signed(gain.mean))
        )  # fmt: skip
    else:
        words.append(
            _("Rata-rata kenaikan %(mean)s dari %(total)d KUK (selang kepercayaan 95 %% "
              "%(low)s sampai %(high)s; %(pairs)d orang, berpasangan).",
              mean=signed(gain.mean), total=found.total, low=signed(gain.low),
              high=signed(gain.high), pairs=gain.pairs)
        )  # fmt: skip
        if gain.is_small:
            words.append(_("Kelas kecil: baca selangnya, bukan hanya rata-ratanya."))
    if found.without and gain is not None:
        words.append(
            _("%(count)d orang tidak dihitung karena belum ada buktinya sebelum kelas.",
              count=found.without)
        )  # fmt: skip
    if found.pending:
        words.append(
            _("%(count)d orang masih dihitung; buka lagi dalam beberapa menit.",
              count=found.pending)
        )  # fmt: skip
    return words


def signed(value: float) -> str:
    """Write a difference as the reader's language does: +3,4 or +3.4."""
    return cast(str, format_decimal(value, "+0.0;−0.0"))


def _head(paper: Paper, cohort: Cohort, title: str) -> None:
    for number, text in enumerate(cohort.letterhead):
        paper.line(text, bold=True, size=12 if number == 0 else 10.5, align="centre")
    paper.space(3)
    paper.rule(1.6)
    paper.space(8)
    paper.line(title.upper(), bold=True, size=13, align="centre")
    paper.line(cohort.title, size=11, align="centre")
    paper.space(8)


def _facts(cohort: Cohort, summary: Summary, basis: str) -> list[tuple[str, str]]:
    first, last = day(cohort.starts_on), day(cohort.ends_on)
    return [
        (_("Dasar"), basis or DOTS),
        (_("Tempat"), f"{cohort.place}, {cohort.city}"),
        (_("Tanggal"), first if first == last else f"{first} – {last}"),
        (_("Jam pelajaran"), _("%(jp)d JP tatap muka", jp=summary.jp)),
        (
            _("Peserta"),
            _("%(people)d orang dari %(agencies)d instansi; rata-rata kehadiran %(share)s%%",
              people=summary.whole.people, agencies=len(summary.organisations),
              share=f"{summary.whole.share:.0f}"),
        ),
    ]  # fmt: skip


def _people(paper: Paper, lines: Iterable[PersonLine], halves: int) -> None:
    columns = [
        Column(_("No"), 5, "right"),
        Column(_("Nama"), 27),
        Column(_("Instansi"), 25),
        Column(_("Hadir"), 8, "centre"),
        Column(_("JP"), 6, "right"),
        Column(_("Hasil"), 29),
    ]
    rows = (
        (
            str(number),
            line.name,
            line.organisation,
            f"{line.tally.counted}/{halves}",
            str(line.tally.jp),
            _result(line),
        )
        for number, line in enumerate(lines, 1)
    )
    paper.table(columns, rows, size=8.5)


def _result(line: PersonLine) -> str:
    valid = [paper.number for paper in line.papers if not paper.is_revoked]
    if valid:
        return ", ".join(valid)
    if line.papers:
        return _("%(number)s (dicabut)", number=line.papers[-1].number)
    return _("Belum; %(reached)d KUK tercapai", reached=line.after)


def _kinds(paper: Paper, summary: Summary) -> None:
    columns = [
        Column(_("Jenis instansi"), 40),
        Column(_("Peserta"), 12, "right"),
        Column(_("JP"), 12, "right"),
        Column(_("Kehadiran"), 16, "right"),
        Column(_("Sertifikat"), 14, "right"),
    ]
    groups = [(str(KINDS[group.kind]), group) for group in summary.kinds]
    rows = (
        (name, str(group.people), str(group.jp), f"{group.share:.0f}%", str(group.papers))
        for name, group in [*groups, (_("Jumlah"), summary.whole)]
    )
    paper.table(columns, rows, size=8.5)


def _signature(paper: Paper, cohort: Cohort, now: datetime) -> None:
    lines = [
        (f"{cohort.city}, {day(now)}", False),
        (cohort.signatory_title, False),
    ]
    x = paper.width * 0.55
    paper.space(18)
    paper.need(130)
    for text, bold in lines:
        paper.line(text, bold=bold, x=x)
    paper.space(48)
    paper.line(cohort.signatory_name, bold=True, x=x)
    if cohort.signatory_number:
        paper.line(cohort.signatory_number, x=x)
