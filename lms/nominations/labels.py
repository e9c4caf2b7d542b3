"""What states, steps and reasons of nominations are called on screen."""

from lms.cohorts.labels import KINDS
from lms.cohorts.models import OrganisationKind
from lms.core.i18n import gettext
from lms.core.i18n import lazy_gettext as _
from lms.nominations.rules import BadPlan, State, Step, Why
from lms.nominations.services import Result

STATES: dict[State, str] = {
    State.WAITING: _("Daftar tunggu"),
    State.OFFERED: _("Ditawari kursi"),
    State.CONFIRMED: _("Pasti ikut"),
    State.DECLINED: _("Menolak"),
    State.WITHDRAWN: _("Ditarik"),
    State.EXPIRED: _("Lewat waktu"),
}
STEPS: dict[Step, str] = {
    Step.NOMINATED: _("Diusulkan"),
    Step.OFFERED: _("Mendapat kursi"),
    Step.DECLINED: _("Menolak kursi"),
    Step.WITHDRAWN: _("Usulan ditarik"),
    Step.EXPIRED: _("Waktunya lewat"),
}
WHYS: dict[Why, str] = {
    Why.QUOTA: _("kuota jenis instansinya masih ada"),
    Why.BALANCE: _("jenis instansinya belum punya seorang pun di kelas"),
    Why.BELOW: _("jenis instansinya masih di bawah kuota"),
    Why.ORDER: _("urutan pengusulan"),
    Why.HAND: _("dipilih pelatih"),
    Why.SEATED: _("sudah mendapat kursi lewat jalan lain"),
    Why.STARTED: _("kelas sudah mulai"),
}
RESULTS: dict[Result, str] = {
    Result.OFFERED: _("Kursi ditawarkan, undangannya dikirim."),
    Result.WAITING: _("Masuk daftar tunggu."),
    Result.NOMINATED: _("Alamat ini sudah diusulkan untuk kelas ini."),
    Result.SEATED: _("Alamat ini sudah punya kursi atau undangan di kelas ini."),
    Result.TWICE: _("Alamat ini tertulis dua kali."),
    Result.BAD_EMAIL: _("Tulis alamat e-mail lengkap, misalnya nama@contoh.id."),
    Result.BAD_NAME: _("Isi nama, paling banyak 120 huruf."),
    Result.UNKNOWN: _("Instansinya tidak dikenal."),
}


def kind_name(kind: str) -> str:
    """Return what a kind of agency is called; `police` stands for both kinds of police."""
    return gettext("kepolisian") if kind == "police" else str(KINDS[OrganisationKind(kind)])


def explain_plan(error: BadPlan) -> str:
    """Say why capacity and quotas do not fit, and what to do."""
    if error.problem == "sum":
        text = gettext("Jumlah kuota %(count)d, lebih dari kursi kelas.", count=error.count)
    elif error.problem == "capacity":
        text = gettext(
            "Sudah %(count)d kursi terpakai; kursi kelas tidak boleh kurang dari itu.",
            count=error.count,
        )
    elif error.problem == "quota":
        text = gettext(
            "%(kind)s sudah memakai %(count)d kursi; kuotanya tidak boleh kurang dari itu.",
            kind=kind_name(error.kind),
            count=error.count,
        )
    else:
        text = gettext(
            "%(count)d kursi dipakai di luar kuota. Tambah kursi kelas atau kurangi kuota.",
            count=error.count,
        )
    return text
