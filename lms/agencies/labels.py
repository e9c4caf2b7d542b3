"""What standings, shifts, kinds and stages are called on screen."""

from lms.agencies.complaints import AlreadyOpen, Involved, NoSuchPaper
from lms.agencies.models import ComplaintKind
from lms.agencies.rules import Outcome, Shift, Stage, TooEarly, WrongStage
from lms.agencies.services import Standing
from lms.core.errors import DomainError
from lms.core.i18n import lazy_gettext as _
from lms.credentials.revocations import AlreadyAsked, NothingAsked, SamePerson
from lms.credentials.services import NotInForce

STANDINGS: dict[Standing, str] = {
    Standing.VALID: _("Berlaku"),
    Standing.SOON: _("Habis dalam 90 hari"),
    Standing.NEAR: _("Habis dalam 30 hari"),
    Standing.EXPIRED: _("Habis"),
    Standing.REVOKED: _("Dicabut"),
    Standing.NONE: _("Belum ada"),
}
SHIFTS: dict[Shift, str] = {Shift.DAY: _("Siang"), Shift.NIGHT: _("Malam")}
KINDS: dict[ComplaintKind, str] = {
    ComplaintKind.CONDUCT: _("Keluhan perilaku"),
    ComplaintKind.DOUBTED: _("Dokumen diragukan"),
    ComplaintKind.DATA: _("Salah data"),
}
STAGES: dict[Stage, str] = {
    Stage.RECEIVED: _("Diterima"),
    Stage.EXAMINED: _("Diperiksa"),
    Stage.HEARD: _("Pemegang didengar"),
    Stage.PROPOSED: _("Keputusan diusulkan"),
    Stage.DECLINED: _("Usul tidak disetujui"),
    Stage.DECIDED: _("Diputuskan"),
}
OUTCOMES: dict[Outcome, str] = {
    Outcome.REVOKED: _("Sertifikat dicabut"),
    Outcome.REFUSED: _("Ditolak"),
    Outcome.CORRECTED: _("Diperbaiki"),
}
REFUSALS = (
    NoSuchPaper,
    AlreadyOpen,
    Involved,
    WrongStage,
    TooEarly,
    NotInForce,
    AlreadyAsked,
    NothingAsked,
    SamePerson,
)


def explain(error: DomainError) -> str:
    """Say why a step of a complaint cannot be taken, and what to do."""
    known = {
        NoSuchPaper: _(
            "Tidak ada sertifikat dengan kode itu, atau dengan nomor dan nama itu bersama-sama."
        ),
        AlreadyOpen: _("Instansi Anda sudah mengajukan pengaduan tentang sertifikat ini."),
        Involved: _("Pengadu dan pemegang tidak ikut memutuskan. Minta administrator lain."),
        WrongStage: _("Tahapnya sudah berubah. Baca langkah terakhir, lalu coba lagi."),
        TooEarly: _("Pemegang masih punya waktu menjawab. Tunggu sampai tenggatnya lewat."),
        NotInForce: _("Sertifikat ini tidak berlaku lagi; tidak ada yang dicabut."),
        AlreadyAsked: _("Pencabutan sertifikat ini sudah diminta. Selesaikan dulu di register."),
        NothingAsked: _("Permintaan pencabutan ini sudah diselesaikan di register."),
        SamePerson: _("Yang mengusulkan tidak dapat mengesahkan. Minta administrator lain."),
    }
    return str(known[type(error)])
