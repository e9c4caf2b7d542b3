"""Words for what privacy shows."""

from lms.core.i18n import lazy_gettext as _
from lms.privacy.data_map import Kept, Kind
from lms.privacy.models import Answer, Way

KINDS = {
    Kind.IDENTITY: _("siapa Anda"),
    Kind.CONTACT: _("cara menghubungi"),
    Kind.LEARNING: _("belajar dan penilaian"),
    Kind.TIE: _("peran dan hubungan"),
    Kind.TRACE: _("jejak"),
    Kind.SEALED: _("rahasia, hanya sidiknya"),
    Kind.TEXT: _("tulisan bebas"),
}
KEPT = {
    Kept.GOOD: _("Tetap"),
    Kept.ACCOUNT: _("Sampai akun dihapus"),
    Kept.ENDED: _("Sampai berakhir"),
    Kept.LOAD: _("Sampai isi dimuat lagi"),
    Kept.PARENT: _("Bersama data asalnya"),
}
FIXED = {
    "1 day after it ran out": _("1 hari sesudah tidak berlaku"),
    "1 day": _("1 hari"),
    "180 days": _("180 hari"),
    "with its draft, or 7 days after it was sent": _("24 jam, atau 7 hari sesudah dikirim"),
    "hours, forgotten when the account signs in": _("Beberapa jam"),
}
"""Bounds that are no timer of ours, in the words of the map."""
TIMERS = {
    "links": _("Tautan yang sudah tidak berlaku di kotak keluar"),
    "sessions": _("Sesi masuk yang sudah berakhir"),
    "resets": _("Kunci ganti kata sandi yang sudah berakhir"),
    "devices": _("Tanda perangkat pada presensi"),
    "mail": _("Alamat dan isi surat yang sudah terkirim"),
    "drafts": _("Draf studi kasus yang tidak disentuh lagi"),
    "invitations": _("Nama pada undangan yang tidak dipakai"),
    "nominations": _("Nama pada usulan sesudah kelas selesai"),
    "names": _("Permintaan ganti nama yang sudah diputuskan"),
    "disclosures": _("Catatan siapa memeriksa sertifikat"),
}
ANSWERS = {Answer.GIVEN: _("Setuju"), Answer.WITHDRAWN: _("Ditarik")}
PLACES = {
    "invitation": _("saat menerima undangan"),
    "sign-in": _("sesudah masuk"),
    "account": _("di halaman akun"),
}
WAYS = {
    Way.ASKED: _("Diminta sendiri"),
    Way.WITHDRAWN: _("Persetujuan ditarik"),
    Way.WRITTEN: _("Permintaan tertulis"),
}
STEPS = {
    "contain": (
        _("Hentikan sumbernya"),
        _("Cabut akses yang dipakai, ganti sandi dan kunci, simpan bukti sebelum ada yang diubah."),
    ),
    "collect": (
        _("Kumpulkan catatan"),
        _("Unduh catatan perubahan dan daftar orang. Catat kapan diketahui dan oleh siapa."),
    ),
    "assess": (
        _("Tentukan data siapa dan data apa"),
        _("Pakai peta data: tabel mana yang terbaca, dan kelas datanya."),
    ),
    "tell_people": (
        _("Beri tahu orangnya secara tertulis"),
        _("Paling lambat 3 × 24 jam. Pasal 46 ayat (1) huruf a."),
    ),
    "tell_authority": (
        _("Beri tahu lembaga secara tertulis"),
        _("Paling lambat 3 × 24 jam. Pasal 46 ayat (1) huruf b."),
    ),
    "recover": (
        _("Pulihkan"),
        _("Kembalikan layanan dari cadangan yang diperiksa, lalu pantau."),
    ),
    "learn": (
        _("Perbaiki sebabnya"),
        _("Tulis apa yang diubah supaya tidak terulang."),
    ),
}
