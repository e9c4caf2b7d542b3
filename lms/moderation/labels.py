"""What kinds, levels and stages are called on screen, and why a step is refused."""

from lms.cohorts.services import MayNotAssess
from lms.competency.rules import EvidenceKind
from lms.competency.services import AlreadyVoided
from lms.core.errors import DomainError
from lms.core.i18n import lazy_gettext as _
from lms.ratings import rules
from lms.ratings.rules import Stage

LEVELS = (_("Belum aman"), _("Aman dengan bimbingan"), _("Aman mandiri"))
KINDS: dict[EvidenceKind, str] = {  # of one of them, as its code follows
    EvidenceKind.Q: _("Kuis"),
    EvidenceKind.SK: _("studi kasus"),
    EvidenceKind.SIM: _("Simulasi"),
    EvidenceKind.OBS: _("Observasi"),
}
STAGES: dict[Stage, str] = {
    Stage.ASKED: _("Diajukan"),
    Stage.TAKEN: _("Diperiksa"),
    Stage.UPHELD: _("Dikabulkan"),
    Stage.REFUSED: _("Tidak dikabulkan"),
    Stage.WITHDRAWN: _("Ditarik kembali"),
}
REFUSALS = (
    MayNotAssess,
    AlreadyVoided,
    rules.NotThirdPerson,
    rules.AlreadySettled,
    rules.AlreadyAppealed,
    rules.WrongStage,
    rules.NoReason,
    rules.NoGain,
)


def named(kind: EvidenceKind) -> str:
    """Name one result by its kind, at the beginning of a sentence."""
    return str(KINDS[kind]).capitalize()


def marked(kind: EvidenceKind) -> str:
    """Say what two assessors mark: of a quiz, its essays."""
    return str(_("Esai kuis")) if kind is EvidenceKind.Q else named(kind)


def explain(error: DomainError) -> str:
    """Say why a step cannot be taken, and what to do."""
    known = {
        MayNotAssess: _(
            "Anda tidak menilai diri sendiri, keluarga, atasan, atau bawahan langsung. "
            "Penilai lain di kelas ini dapat memutuskan."
        ),
        AlreadyVoided: _("Hasil ini sudah tidak berlaku. Muat ulang halaman untuk melihatnya."),
        rules.NotThirdPerson: _(
            "Anda ikut menandai hasil ini. Yang memutuskan adalah orang yang belum menandainya."
        ),
        rules.AlreadySettled: _("Orang lain sudah memutuskan, atau hasil ini ditarik kembali."),
        rules.AlreadyAppealed: _("Banding atas hasil ini sudah diajukan."),
        rules.WrongStage: _("Tahapnya sudah berubah. Baca langkah terakhir, lalu coba lagi."),
        rules.NoReason: _("Tulis alasan dalam sedikitnya 20 huruf."),
        rules.NoGain: _("Banding yang dikabulkan memberi tanda lebih tinggi, atau dinilai ulang."),
    }
    return str(known[type(error)])
