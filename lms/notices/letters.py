"""The words of notices. Subjects and bodies are neutral: a mail may be read by somebody else."""

from dataclasses import dataclass

from lms.core.i18n import gettext as _
from lms.core.i18n import lazy_gettext
from lms.notices.rules import Kind

SUBJECTS = {
    Kind.CLASS_SOON: lazy_gettext("Pengingat jadwal"),
    Kind.LESSONS_LEFT: lazy_gettext("Pengingat jadwal"),
    Kind.CASE_DECIDED: lazy_gettext("Kabar untuk Anda"),
    Kind.PUT_OFF: lazy_gettext("Kabar untuk Anda"),
    Kind.PAPER_READY: lazy_gettext("Dokumen Anda siap"),
    Kind.PAPER_ENDS: lazy_gettext("Masa berlaku dokumen Anda"),
    Kind.PAPER_REVOKED: lazy_gettext("Kabar tentang dokumen Anda"),
    Kind.PAPER_QUESTION: lazy_gettext("Ada pertanyaan untuk Anda"),
    Kind.APPEAL_ASKED: lazy_gettext("Ada tugas untuk Anda"),
    Kind.APPEAL_MOVED: lazy_gettext("Kabar untuk Anda"),
}
CHOICES = {
    Kind.CLASS_SOON: lazy_gettext("Kelas Anda segera mulai"),
    Kind.LESSONS_LEFT: lazy_gettext("Pelajaran belum selesai menjelang kelas"),
    Kind.CASE_DECIDED: lazy_gettext("Tugas tertulis sudah dinilai"),
    Kind.PUT_OFF: lazy_gettext("Keputusan Anda ditunda"),
    Kind.PAPER_READY: lazy_gettext("Sertifikat terbit"),
    Kind.PAPER_ENDS: lazy_gettext("Sertifikat segera berakhir"),
    Kind.PAPER_REVOKED: lazy_gettext("Sertifikat dicabut"),
    Kind.PAPER_QUESTION: lazy_gettext("Pertanyaan tentang sertifikat"),
    Kind.APPEAL_ASKED: lazy_gettext("Banding peserta yang perlu dijawab"),
    Kind.APPEAL_MOVED: lazy_gettext("Banding Anda diperiksa atau dijawab"),
}


APPEALS = frozenset({Kind.APPEAL_ASKED, Kind.APPEAL_MOVED})
NEWS = {
    Kind.CASE_DECIDED: lazy_gettext("Satu tugas tertulis Anda sudah dinilai."),
    Kind.PUT_OFF: lazy_gettext(
        "Keputusan tentang Anda ditunda. Ada yang perlu dilakukan lebih dulu."
    ),
    Kind.PAPER_READY: lazy_gettext("Satu dokumen Anda sudah siap diunduh."),
    Kind.PAPER_REVOKED: lazy_gettext(
        "Satu dokumen Anda tidak berlaku lagi. Alasannya dapat Anda baca setelah masuk."
    ),
    Kind.PAPER_QUESTION: lazy_gettext(
        "Administrator bertanya tentang satu dokumen Anda. Anda dapat menjawab."
    ),
}
"""What a mail says of them in one sentence that needs no facts."""
ABOUT_ONE = frozenset(NEWS)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a notice may say: the day it is about, a place, a count."""

    day: str = ""
    place: str = ""
    count: int = 0


def sentence(kind: Kind, stage: int, about: str) -> str:
    """Return what the page says, behind sign-in: it may name the thing."""
    if kind is Kind.CLASS_SOON:
        return (
            _("Besok: %(about)s.", about=about)
            if stage == 1
            else _("Dalam beberapa hari: %(about)s.", about=about)
        )
    if kind is Kind.LESSONS_LEFT:
        return _("Masih ada pelajaran daring yang belum selesai sebelum %(about)s.", about=about)
    if kind in ABOUT_ONE:
        return _about_one(kind, about)
    if kind in APPEALS:
        return _appeal(kind, about)
    if stage == 0:
        return _("Sertifikat %(about)s sudah berakhir.", about=about)
    return _("Sertifikat %(about)s segera berakhir.", about=about)


def _about_one(kind: Kind, about: str) -> str:
    if kind is Kind.CASE_DECIDED:
        return _("Studi kasus %(about)s sudah dinilai.", about=about)
    if kind is Kind.PUT_OFF:
        return _("Keputusan untuk %(about)s ditunda. Lihat yang perlu dilakukan.", about=about)
    if kind is Kind.PAPER_READY:
        return _("Sertifikat %(about)s sudah terbit.", about=about)
    if kind is Kind.PAPER_REVOKED:
        return _("Sertifikat %(about)s dicabut. Lihat alasannya.", about=about)
    return _("Ada pertanyaan tentang sertifikat %(about)s. Anda dapat menjawab.", about=about)


def _appeal(kind: Kind, about: str) -> str:
    if kind is Kind.APPEAL_ASKED:
        return _("Seorang peserta mengajukan banding atas KUK %(about)s.", about=about)
    return _("Ada langkah baru dalam banding Anda atas KUK %(about)s.", about=about)


def _appeal_news(kind: Kind) -> str:
    if kind is Kind.APPEAL_ASKED:
        return _("Satu permintaan peserta menunggu jawaban Anda atau rekan Anda.")
    return _("Ada kabar tentang permintaan yang Anda ajukan.")


def body(kind: Kind, stage: int, facts: Facts, *, name: str, link: str, choices: str) -> str:
    """Return the mail; it names neither subject matter nor document."""
    return "\n\n".join(
        [
            _("Salam, %(name)s.", name=name),
            _news(kind, stage, facts),
            _("Selengkapnya setelah masuk:") + f"\n{link}",
            _("Buka di perangkat yang aman bagi Anda."),
            _("Tidak ingin menerima surat seperti ini? Atur di:") + f"\n{choices}",
        ]
    )


def _news(kind: Kind, stage: int, facts: Facts) -> str:
    if kind is Kind.CLASS_SOON:
        return _("Kelas Anda mulai %(day)s di %(place)s.", day=facts.day, place=facts.place)
    if kind is Kind.LESSONS_LEFT:
        return _(
            "Sebelum kelas pada %(day)s masih ada %(count)d pelajaran yang belum selesai. "
            "Lanjutkan bila sempat; pelatih siap membantu.",
            day=facts.day,
            count=facts.count,
        )
    if kind in ABOUT_ONE:
        return str(NEWS[kind])
    if kind in APPEALS:
        return _appeal_news(kind)
    if stage == 0:
        return _(
            "Satu dokumen Anda berakhir pada %(day)s. Masih dapat diperpanjang.", day=facts.day
        )
    return _(
        "Satu dokumen Anda berakhir pada %(day)s. Hubungi penyelenggara untuk memperpanjang.",
        day=facts.day,
    )
