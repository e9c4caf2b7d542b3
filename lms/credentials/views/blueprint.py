"""The blueprint, and what its pages share: settings, refusals in words, the class of a viewer."""

from collections.abc import Sequence

from flask import Blueprint, current_app, request

from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, Part
from lms.config import Config
from lms.core import jobs, login
from lms.core.errors import DomainError
from lms.core.i18n import gettext as _
from lms.credentials import issuing, paper, revocations, rules, services, signatures
from lms.credentials.rules import SchemeText

bp = Blueprint("credentials", __name__, template_folder="../templates")

REFUSALS = (
    services.NotReady,
    services.NotTheirTrainer,
    cohorts.MayNotAssess,
    rules.AlreadyIssued,
    rules.RevokedForViolation,
    rules.AlreadySigned,
    rules.NeedsTrainer,
    signatures.EvidenceChanged,
    signatures.AlreadyDecided,
    signatures.PutOff,
    signatures.NothingSigned,
    services.NotDecided,
    services.NotInForce,
    services.NothingToCorrect,
    issuing.NothingWaits,
    revocations.AlreadyAsked,
    revocations.NothingAsked,
    revocations.SamePerson,
    jobs.Outdated,
    paper.DoesNotFitOnPaper,
)


def config() -> Config:
    """Return the settings of this installation."""
    found: Config = current_app.extensions["suluh"]
    return found


def signatures_needed() -> int:
    """Return how many signatures a decision needs here."""
    return 2 if config().two_signatures else 1


def class_of(slug: str, *parts: Part) -> Cohort:
    """Return a class the viewer works in, as a trainer or assessor unless said otherwise.

    Raises NotFound.
    """
    wanted = parts or (Part.TRAINER, Part.ASSESSOR)
    return cohorts.get_cohort(slug, login.require_viewer(), *wanted)


def asked_scheme(known: Sequence[SchemeText], cohort: Cohort) -> str:
    """Return the scheme asked for; at first the first one that asks only what the class covers."""
    asked = request.values.get("skema")
    if asked:
        return asked
    taught = cohorts.list_curricula(cohort.id)
    fitting = (one.code for one in known if set(one.curricula) <= taught.keys())
    return next(fitting, known[0].code)


def explain(error: DomainError) -> str:
    """Say why something cannot be signed, issued or changed now, and what to do."""
    if isinstance(error, paper.DoesNotFitOnPaper):
        return in_words("DoesNotFitOnPaper", str(error))
    return in_words(type(error).__name__)


def in_words(refusal: str, why: str = "") -> str:
    """Say what a refusal means, by the name of its class: jobs keep only that."""
    known = {
        "NotReady": _("Belum semua syarat terpenuhi. Yang masih perlu tertulis di bawah."),
        "NotTheirTrainer": _("Hanya pelatih dan penilai kelas ini yang dapat menandatangani."),
        "MayNotAssess": _(
            "Anda tidak dapat menandatangani keputusan ini: Anda sendiri, keluarga, atasan langsung"
            " atau bawahan langsungnya. Minta pelatih lain."
        ),
        "AlreadyIssued": _(
            "Sertifikat skema ini sudah terbit dan masih berlaku lebih dari 90 hari."
        ),
        "RevokedForViolation": _(
            "Sertifikat terakhir dicabut karena pelanggaran. Keputusan baru dapat dibuat setelah"
            " masa berlakunya lewat."
        ),
        "AlreadySigned": _("Anda sudah menandatangani. Tanda tangan kedua dari orang lain."),
        "NeedsTrainer": _(
            "Penanda tangan pertama penilai, jadi yang kedua harus pelatih. Minta seorang pelatih"
            " kelas ini."
        ),
        "EvidenceChanged": _(
            "Bukti berubah sejak halaman ini dibuka. Baca yang berubah, lalu tanda tangani lagi."
        ),
        "AlreadyDecided": _("Sudah diputuskan dengan dua tanda tangan. Berikutnya penerbitan."),
        "PutOff": _("Ditunda oleh rapat. Buka kembali di halaman orang ini bila sudah selesai."),
        "NothingSigned": _("Tidak ada tanda tangan Anda yang dapat ditarik."),
        "NotDecided": _("Keputusan ditarik sebelum terbit. Bahas lagi di pleno."),
        "NotInForce": _("Sertifikat ini tidak berlaku lagi; tidak ada yang diubah."),
        "NothingToCorrect": _("Nama di sertifikat sudah sama dengan nama di akun."),
        "NothingWaits": _("Tidak ada keputusan yang menunggu sertifikat."),
        "AlreadyAsked": _("Pencabutan sertifikat ini sudah diminta. Lihat di bawah."),
        "NothingAsked": _("Permintaan pencabutan ini sudah diselesaikan."),
        "SamePerson": _("Yang meminta tidak dapat mengesahkan. Minta administrator lain."),
        "Outdated": _("Data berubah saat kertas digambar. Coba sekali lagi."),
        "DoesNotFitOnPaper": _(
            "Data kelas atau nama tidak muat di kertas: %(why)s. Perbaiki lalu coba lagi.", why=why
        ),
        "Crashed": _("Server berhenti tiga kali saat mengerjakan ini. Coba lagi, lalu lapor."),
    }
    return known.get(refusal, _("Ada kesalahan di server. Coba lagi; bila berulang, lapor."))
