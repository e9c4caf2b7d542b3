"""The words of the paper that are the same on every certificate, in both languages.

They claim a completed training and nothing more. Words and marks of the national scheme for
occupational certification do not appear, not even in a denial.
Source: docs/glossary.md, "Sertifikat Kelulusan Pelatihan".
"""

from dataclasses import dataclass
from datetime import date

from certificates.document import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Fixed words of one language. Braces are filled by `str.format`."""

    title: str
    number: str
    code: str
    given_to: str
    passed: str
    scheme: str
    held: str
    valid: str
    scan: str
    or_open: str
    identity: str
    transcript: str
    row: str
    unit_code: str
    unit_title: str
    hours: str
    mark: str
    result: str
    achieved: str
    not_yet: str
    total: str
    standard: str
    law: str
    trainers: str
    draft: str
    """Stands at the foot of both pages while the standard is a draft."""
    of_draft: str
    """Stands beside the version of the standard, then …"""
    adopted: str
    """… and once the agency adopted it."""
    note: str
    page: str
    sample: str
    months: tuple[str, ...]

    def day(self, day: date) -> str:
        """Write a day out: 20 November 2026."""
        return f"{day.day} {self.months[day.month - 1]} {day.year}"

    def period(self, first: date, last: date) -> str:
        """Write a period without repeating what both days share: 2–19 November 2026."""
        if first == last:
            return self.day(last)
        if first.year != last.year:
            return f"{self.day(first)} – {self.day(last)}"
        if first.month != last.month:
            return f"{first.day} {self.months[first.month - 1]} – {self.day(last)}"
        return f"{first.day}–{self.day(last)}"


LABELS: dict[Language, Labels] = {
    "id": Labels(
        title="Sertifikat Kelulusan Pelatihan",
        number="Nomor {number}",
        code="Kode {code}",
        given_to="diberikan kepada",
        passed="yang telah menyelesaikan dan lulus",
        scheme="Skema {scheme}",
        held="{period} · {jp} jam pelajaran (JP)",
        valid="Berlaku {first} sampai dengan {last}",
        scan="Pindai untuk memeriksa keaslian",
        or_open="atau buka {host} dan masukkan kode",
        identity="NIP {number}",
        transcript="Transkrip Hasil Pelatihan",
        row="No",
        unit_code="Kode unit",
        unit_title="Judul unit",
        hours="JP",
        mark="Nilai",
        result="Hasil",
        achieved="Tercapai",
        not_yet="Belum",
        total="Jumlah jam pelajaran (1 JP = 45 menit)",
        standard="Versi standar",
        law="Ketentuan hukum diperiksa per",
        trainers="Pengajar",
        draft="Standar masih rancangan, belum ditetapkan instansi",
        of_draft="{version}, rancangan yang belum ditetapkan instansi",
        adopted="{version}, ditetapkan instansi",
        note="Sertifikat pelatihan; bukan izin praktik profesi.",
        page="Halaman {page} dari 2",
        sample="CONTOH",
        months=(
            "Januari",
            "Februari",
            "Maret",
            "April",
            "Mei",
            "Juni",
            "Juli",
            "Agustus",
            "September",
            "Oktober",
            "November",
            "Desember",
        ),
    ),
    "en": Labels(
        title="Certificate of Training Completion",
        number="Number {number}",
        code="Code {code}",
        given_to="awarded to",
        passed="who has completed and passed",
        scheme="Scheme: {scheme}",
        held="{period} · {jp} lesson hours (JP)",
        valid="Valid from {first} to {last}",
        scan="Scan to check that this is genuine",
        or_open="or open {host} and enter the code",
        identity="NIP {number}",
        transcript="Transcript of Training Results",
        row="No.",
        unit_code="Unit code",
        unit_title="Unit title",
        hours="JP",
        mark="Mark",
        result="Result",
        achieved="Achieved",
        not_yet="Not yet",
        total="Total lesson hours (1 JP = 45 minutes)",
        standard="Version of the standard",
        law="Law checked as of",
        trainers="Trainers",
        draft="Draft standard, not yet adopted by the agency",
        of_draft="{version}, a draft not yet adopted by the agency",
        adopted="{version}, adopted by the agency",
        note="Training certificate; not a licence to practise a profession.",
        page="Page {page} of 2",
        sample="CONTOH · SAMPLE",
        months=(
            "January",
            "February",
            "March",
            "April",
            "May",
            "June",
            "July",
            "August",
            "September",
            "October",
            "November",
            "December",
        ),
    ),
}
