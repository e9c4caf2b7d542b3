"""What problems, refusals and outcomes of a sheet are called on screen, and what to do."""

from lms.cohorts.labels import KINDS, explain_candidate
from lms.core.i18n import gettext
from lms.core.i18n import lazy_gettext as _
from lms.roster.rules import Finding, Problem, Standing

__all__ = ["KINDS", "explain_candidate"]

STANDINGS: dict[Standing, str] = {
    Standing.READY: _("Siap"),
    Standing.ASK: _("Perlu diperiksa"),
    Standing.OUT: _("Tidak dikirim"),
    Standing.SKIPPED: _("Dilewati"),
}
STANDING_MARKS: dict[Standing, tuple[str, str]] = {
    Standing.READY: ("ok", "check"),
    Standing.ASK: ("wait", "todo"),
    Standing.OUT: ("", "info"),
    Standing.SKIPPED: ("", "pause"),
}
"""Colour and icon of the badge."""
STATES: dict[str, tuple[str, str, str]] = {
    "open": (_("Menunggu"), "info", "mail"),
    "accepted": (_("Diterima"), "ok", "check"),
    "withdrawn": (_("Ditarik"), "", "close"),
    "expired": (_("Lewat waktu"), "", "clock"),
    "waiting": (_("Daftar tunggu"), "wait", "clock"),
    "left": (_("Tidak dikirim"), "", "info"),
}
"""Word, colour and icon of what has become of a row."""

PROBLEMS: dict[Problem, str] = {
    Problem.NO_NAME: _("Nama kosong. Isi nama lengkapnya."),
    Problem.LONG_NAME: _("Nama lebih dari 120 huruf. Pendekkan."),
    Problem.NO_EMAIL: _("Alamat e-mail kosong. Isi, atau lewati baris ini."),
    Problem.BAD_EMAIL: _("Alamat e-mail belum lengkap. Tulis seperti nama@contoh.id."),
    Problem.NO_ORGANISATION: _("Instansi kosong. Isi instansi yang mengutus."),
    Problem.UNKNOWN_ORGANISATION: _("Instansi belum dikenal. Pilih di atas, atau buat baru."),
    Problem.AMBIGUOUS_ORGANISATION: _("Instansi dapat berarti lebih dari satu. Pilih di atas."),
    Problem.OTHER_ORGANISATION: _(
        "Baris ini menyebut instansi lain. Petugas mengusulkan orang instansinya sendiri."
    ),
    Problem.SEATED: _("Sudah punya kursi di kelas ini."),
    Problem.INVITED: _("Undangan ke kelas ini masih terbuka."),
    Problem.NOMINATED: _("Sudah diusulkan untuk kelas ini."),
    Problem.NO_SEAT: _("Kursi penuh dan kelas ini belum membuka daftar tunggu."),
    Problem.SCRUBBED: _("Nomor panjang (seperti NIK atau telepon) dibuang dari baris ini."),
    Problem.OVER_QUOTA: _("Kursi untuk jenis instansi ini habis: masuk daftar tunggu."),
}
BAD_SHEETS: dict[str, str] = {
    "empty": _("Tidak ada baris yang terbaca. Pastikan lembar pertama berisi daftar orang."),
    "large": _("Berkas terlalu besar. Paling besar 2 MB; simpan hanya lembar daftarnya."),
    "rows": _("Barisnya terlalu banyak. Bagi menjadi beberapa berkas."),
    "columns": _("Kolomnya lebih dari 30. Hapus kolom yang tidak perlu lalu coba lagi."),
    "cell": _("Ada sel yang isinya sangat panjang. Periksa tanda kutip yang belum ditutup."),
    "format": _("Ini bukan XLSX atau CSV. Simpan daftar sebagai XLSX atau CSV, atau tempel."),
    "old": _("Berkas Excel lama atau berkata sandi. Simpan sebagai XLSX tanpa kata sandi."),
    "broken": _("Berkas XLSX ini rusak. Buka di Excel, simpan ulang, lalu coba lagi."),
    "packed": _(
        "Isi berkas ini jauh lebih besar dari sebuah daftar orang. Simpan ulang daftarnya."
    ),
    "time": _("Berkas ini terlalu lama dibaca. Simpan sebagai CSV lalu coba lagi."),
    "headings": _(
        "Kolomnya belum dikenali. Beri judul Nama, E-mail, dan Instansi di baris pertama."
    ),
    "email": _("Kolom e-mail belum ada. Undangan dikirim ke alamat e-mail masing-masing."),
    "people": _("Lebih dari 500 orang. Bagi menjadi beberapa berkas."),
}
"""Why a sheet could not be read, and what to do; keys of BadSheet and two of our own."""


def explain(finding: Finding) -> str:
    """Say in a sentence what is wrong with a row and what to do."""
    if finding.problem is Problem.SAME_ADDRESS:
        return gettext("Alamat sama dengan baris %(number)s; cukup satu.", number=finding.other)
    if finding.problem is Problem.SAME_NAME:
        return gettext(
            "Nama sama dengan baris %(number)s. Lewati bila orangnya sama.", number=finding.other
        )
    if finding.problem is Problem.OTHER_NAME:
        return gettext(
            "Alamat ini milik akun bernama %(name)s. Undangan tetap ke akun itu; namanya tidak "
            "berubah. Periksa apakah orangnya sama.",
            name=finding.other,
        )
    return str(PROBLEMS[finding.problem])


def explain_left(problem: Problem | None, skipped: bool) -> str:
    """Say why nothing was sent for a row."""
    if skipped:
        return str(STANDINGS[Standing.SKIPPED])
    if problem is Problem.SAME_ADDRESS:
        return gettext("Alamatnya ada dua kali di daftar.")
    return str(PROBLEMS[problem]) if problem else ""
