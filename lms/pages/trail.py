"""The audit trail in words, and its filters."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from lms.accounts import services as accounts
from lms.core import audit
from lms.core.i18n import gettext as _
from lms.core.models import AuditEvent
from lms.core.sheets import Cell

AT_ONCE = 500
"""Events read at once for a file."""


def N_(text: str) -> str:  # gettext's own name for "mark, do not translate yet"
    """Mark a text for translation."""
    return text


WORDS: dict[str, str] = {
    "accounts.address": N_("Alamat surel diubah"),
    "accounts.ask_link": N_("Tautan kata sandi diminta"),
    "accounts.ask_name": N_("Perubahan nama diminta"),
    "accounts.decline_name": N_("Permintaan ganti nama ditolak"),
    "accounts.disable": N_("Akun ditutup"),
    "accounts.enable": N_("Akun dibuka lagi"),
    "accounts.first_admin": N_("Administrator pertama dibuat"),
    "accounts.link_identity": N_("Akun lembaga disambungkan"),
    "accounts.no_second_factor": N_("Kunci kedua dicabut"),
    "accounts.password": N_("Kata sandi diganti"),
    "accounts.print_code": N_("Kode masuk dicetak"),
    "accounts.recovery_code": N_("Kode cadangan dipakai"),
    "accounts.recovery_codes": N_("Kode cadangan dibuat baru"),
    "accounts.rename": N_("Nama diubah"),
    "accounts.renew_password": N_("Kata sandi baru dari baris perintah"),
    "accounts.reset": N_("Kata sandi dibuat ulang"),
    "accounts.second_factor": N_("Kunci kedua dipasang"),
    "accounts.set_roles": N_("Peran diubah"),
    "accounts.unlink_identity": N_("Akun lembaga dilepas"),
    "agencies.complaint": N_("Langkah pengaduan"),
    "agencies.target": N_("Target cakupan diubah"),
    "agencies.villages": N_("Kelurahan ditambah"),
    "attendance.close": N_("Kode hadir ditutup"),
    "attendance.open": N_("Kode hadir dibuka"),
    "cases.decide": N_("Studi kasus dinilai"),
    "class_quizzes.cancel": N_("Kuis kelas dibatalkan"),
    "class_quizzes.change": N_("Kuis kelas diubah"),
    "class_quizzes.create": N_("Kuis kelas dibuat"),
    "class_quizzes.pair": N_("Pra-uji dan pasca-uji dipasangkan"),
    "class_quizzes.unpair": N_("Pasangan pra-uji dan pasca-uji dilepas"),
    "collections.change": N_("Koleksi soal diubah"),
    "collections.confirm": N_("Soal dari berkas dimasukkan"),
    "collections.create": N_("Koleksi soal dibuat"),
    "collections.undo": N_("Impor soal diurungkan"),
    "collections.withdraw": N_("Soal koleksi ditarik"),
    "cases.rate": N_("Studi kasus dinilai oleh satu dari dua penilai"),
    "cohorts.accept": N_("Undangan diterima"),
    "cohorts.appoint": N_("Petugas kelas ditunjuk"),
    "cohorts.calendar": N_("Alamat kalender dibuat"),
    "cohorts.calendar_end": N_("Alamat kalender dicabut"),
    "cohorts.conflict": N_("Benturan kepentingan dicatat"),
    "cohorts.conflict_end": N_("Benturan kepentingan dihapus"),
    "cohorts.create": N_("Kelas dibuat"),
    "cohorts.curricula": N_("Kurikulum kelas diubah"),
    "cohorts.discard": N_("Rancangan kelas dibuang"),
    "cohorts.dismiss": N_("Petugas kelas diberhentikan"),
    "cohorts.draft": N_("Rancangan kelas dibuat"),
    "cohorts.guest_access": N_("Masa akses narasumber diubah"),
    "cohorts.invite": N_("Undangan dibuat"),
    "cohorts.invite_many": N_("Beberapa undangan dibuat"),
    "cohorts.leave": N_("Kursi dilepas"),
    "cohorts.material": N_("Bahan sesi diunggah"),
    "cohorts.material_end": N_("Bahan sesi dihapus"),
    "cohorts.merge": N_("Instansi digabung"),
    "cohorts.message": N_("Pesan dikirim ke kelas"),
    "cohorts.name": N_("Nama lain instansi ditambah"),
    "cohorts.name_end": N_("Nama lain instansi dihapus"),
    "cohorts.officer": N_("Petugas instansi ditunjuk"),
    "cohorts.officer_end": N_("Petugas instansi diberhentikan"),
    "cohorts.officer_vouch": N_("Petugas instansi dijamin"),
    "cohorts.open": N_("Kelas dibuka"),
    "cohorts.organisation": N_("Data instansi diubah"),
    "cohorts.renew": N_("Undangan diperbarui"),
    "cohorts.timetable": N_("Jadwal kelas diubah"),
    "cohorts.update": N_("Data kelas diubah"),
    "cohorts.withdraw": N_("Undangan ditarik"),
    "cohorts.withdraw_many": N_("Beberapa undangan ditarik"),
    "competency.coach": N_("Bimbingan dicatat"),
    "competency.void": N_("Bukti dibatalkan"),
    "credentials.ask_revocation": N_("Pencabutan sertifikat diminta"),
    "credentials.decline_revocation": N_("Permintaan pencabutan ditolak"),
    "credentials.issue": N_("Sertifikat diterbitkan"),
    "credentials.issue_all": N_("Penerbitan sekelas dimulai"),
    "credentials.lift": N_("Penundaan keputusan dicabut"),
    "credentials.put_off": N_("Keputusan ditunda"),
    "credentials.recheck": N_("Sertifikat ditinjau setelah kunci diperbaiki"),
    "credentials.reissue": N_("Sertifikat diterbitkan ulang"),
    "credentials.revoke": N_("Sertifikat dicabut"),
    "credentials.sign": N_("Keputusan ditandatangani"),
    "credentials.withdraw": N_("Tanda tangan ditarik"),
    "evaluations.check": N_("Tindak lanjut diperiksa"),
    "evaluations.plan": N_("Rencana tindak lanjut disimpan"),
    "lineage.record": N_("Pelatih dari seseorang dicatat"),
    "lineage.remove": N_("Pelatih dari seseorang dihapus"),
    "modules.delta": N_("Bacaan perubahan hukum dipasang"),
    "modules.reinstate": N_("Tanda pada pasal dicabut"),
    "modules.supersede": N_("Pasal ditandai tidak berlaku lagi"),
    "nominations.add_seat": N_("Kursi ditambah di hari kelas"),
    "nominations.by_hand": N_("Kursi diberikan langsung"),
    "nominations.nominate": N_("Peserta diusulkan"),
    "nominations.seats": N_("Kuota kursi diubah"),
    "nominations.withdraw": N_("Usulan ditarik"),
    "nominations.withdraw_many": N_("Beberapa usulan ditarik"),
    "panels.invite": N_("Anggota panel diundang"),
    "panels.open": N_("Panel batas dibuka"),
    "panels.release": N_("Anggota panel dilepas"),
    "panels.sign": N_("Hasil panel dinyatakan"),
    "panels.stage": N_("Tahap panel berganti"),
    "privacy.ask_deletion": N_("Penghapusan akun diminta"),
    "privacy.close_incident": N_("Insiden data ditutup"),
    "privacy.consent_": N_("Persetujuan diberikan atau ditarik"),
    "privacy.delete": N_("Akun dihapus"),
    "privacy.export": N_("Salinan data diambil"),
    "privacy.incident_step": N_("Langkah insiden data dicatat"),
    "privacy.open_incident": N_("Insiden data dibuka"),
    "privacy.set_timer": N_("Lama penyimpanan diubah"),
    "privacy.take_file": N_("Berkas berisi data orang diunduh"),
    "privacy.undo_deletion": N_("Penghapusan akun dibatalkan"),
    "quizzes.correct": N_("Kunci butir diperbaiki"),
    "quizzes.extra_time": N_("Waktu tambahan kuis diatur"),
    "quizzes.mark": N_("Jawaban tertulis dinilai"),
    "quizzes.rate": N_("Jawaban tertulis dinilai oleh satu dari dua penilai"),
    "quizzes.limit": N_("Batas waktu kuis diatur"),
    "ratings.annul": N_("Tanda dua penilai ditarik kembali"),
    "ratings.appeal": N_("Langkah banding"),
    "ratings.moderate": N_("Orang ketiga memutuskan beda tanda"),
    "ratings.plan": N_("Jumlah penilai kelas diubah"),
    "reviews.adopt": N_("Standar ditetapkan"),
    "reviews.appoint": N_("Penelaah diangkat"),
    "reviews.ask_adoption": N_("Penetapan standar diminta"),
    "reviews.sign": N_("Teks ditandai sudah ditelaah"),
    "reviews.undo": N_("Tanda telaah diurungkan"),
    "reviews.withdraw_adoption": N_("Penetapan standar ditarik"),
    "roster.confirm": N_("Daftar peserta dimasukkan"),
    "roster.draft": N_("Daftar peserta diunggah"),
    "roster.undo": N_("Pemasukan daftar dibatalkan"),
    "roster.walk_in": N_("Peserta didaftarkan di tempat"),
    "roster.walk_in_undo": N_("Pendaftaran di tempat dibatalkan"),
    "simulations.finish": N_("Simulasi bernilai selesai"),
}
"""What each action of the code means; a test asks for all of them."""

GROUPS: dict[str, str] = {
    "accounts.": N_("Akun"),
    "agencies.": N_("Pengaduan dan cakupan"),
    "cohorts.": N_("Kelas dan instansi"),
    "class_quizzes.": N_("Kuis kelas"),
    "collections.": N_("Koleksi soal"),
    "attendance.": N_("Kehadiran"),
    "cases.": N_("Studi kasus"),
    "competency.": N_("Bukti dan bimbingan"),
    "credentials.": N_("Keputusan dan sertifikat"),
    "evaluations.": N_("Tindak lanjut"),
    "lineage.": N_("Silsilah pelatih"),
    "modules.": N_("Hukum dalam bahan ajar"),
    "nominations.": N_("Usulan peserta"),
    "panels.": N_("Panel batas"),
    "privacy.": N_("Data pribadi"),
    "quizzes.": N_("Kuis dan butir"),
    "ratings.": N_("Dua penilai dan banding"),
    "reviews.": N_("Telaah dan penetapan"),
    "roster.": N_("Daftar peserta"),
    "simulations.": N_("Simulasi"),
}
"""The beginnings an administrator may choose."""


def sentence(action: str) -> str:
    """Return an action in the reader's language; one that no code knows any more stays as it is."""
    if action in WORDS:
        return _(WORDS[action])
    start = action[: action.rfind("_") + 1]  # the rest is made at run time: `privacy.consent_…`
    return _(WORDS[start]) if start in WORDS else action


def groups(chosen: str) -> list[tuple[str, str]]:
    """Return what the filter offers: all, each group, and the one action chosen by a link."""
    offered = [("", _("Semua")), *((start, _(label)) for start, label in GROUPS.items())]
    if chosen and chosen not in GROUPS:
        offered.append((chosen, sentence(chosen)))
    return offered


@dataclass(frozen=True, slots=True)
class Filter:
    """What the administrator asks for. Days are days of UTC+7."""

    action: str = ""
    subject: str = ""
    since: date | None = None
    until: date | None = None

    @property
    def kept(self) -> dict[str, str | None]:
        """Return it as it stands in an address."""
        return {
            "tindakan": self.action or None,
            "tentang": self.subject or None,
            "dari": self.since.isoformat() if self.since else None,
            "sampai": self.until.isoformat() if self.until else None,
        }

    def list_events(self, *, before: int | None, limit: int) -> list[AuditEvent]:
        """Return the events that fit, newest first."""
        return list(
            audit.list_events(
                before=before,
                action=self.action,
                subject=self.subject,
                since=_begin(self.since),
                until=_begin(self.until + timedelta(days=1)) if self.until else None,
                limit=limit,
            )
        )


def _begin(day: date | None) -> datetime | None:
    western = timedelta(hours=7)
    return datetime.combine(day, time(), UTC) - western if day else None


def read_day(text: str) -> date | None:
    """Return a day as a browser sends it; None when it is none."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def columns() -> list[str]:
    """Return the headings of the file."""
    return [
        _("Waktu (UTC)"),
        _("Tindakan"),
        _("Kode"),
        _("Oleh"),
        _("Tentang"),
        _("Rincian"),
        _("Nomor urut"),
        _("Sidik rantai"),
    ]


def rows(asked: Filter) -> Iterator[list[Cell]]:
    """Yield the lines of the file, newest first; two queries for each AT_ONCE events."""
    before = None
    while True:
        events = asked.list_events(before=before, limit=AT_ONCE)
        names = accounts.names_of({one.actor_id for one in events if one.actor_id})
        for one in events:
            yield [
                one.at.isoformat(timespec="seconds"),
                sentence(one.action),
                one.action,
                names.get(one.actor_id or 0, ""),
                one.subject,
                "; ".join(f"{key}: {value}" for key, value in one.detail.items()),
                one.position,
                one.hash,
            ]
        if len(events) < AT_ONCE:
            return
        before = events[-1].id
