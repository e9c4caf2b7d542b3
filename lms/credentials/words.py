"""Says in plain sentences what is missing, what happened and who looked."""

from collections.abc import Iterable, Mapping, Sequence

from lms.competency.qualities import Quality
from lms.competency.rules import EvidenceKind, Missing, MissingKind, Standard, State
from lms.core.i18n import gettext as _
from lms.core.i18n import pick
from lms.credentials.models import Method
from lms.credentials.rules import Reason


def missing_in_words(
    missing: Iterable[Missing], standard: Standard, schemes: Mapping[str, str]
) -> list[str]:
    """Return one sentence for each thing that is missing, with its code.

    `schemes` maps the code of a scheme to its title in the reader's language.
    """
    return [_sentence(entry, standard, schemes) for entry in missing]


def missing_names(missing: Iterable[Sequence[str]], standard: Standard) -> list[str]:
    """Name things that are missing, given as kind and code, without saying what was tried."""
    found = []
    for kind, code in missing:
        if kind == MissingKind.KUK.value:
            kuk = standard.kuk.get(code)
            text = f" ({pick(kuk.text, kuk.text_en).rstrip('.')})" if kuk else ""
            found.append(_("KUK %(code)s%(text)s", code=code, text=text))
        elif kind == MissingKind.ITEMS.value:
            found.append(_("cukup soal benar di kurikulum %(code)s", code=code))
        else:
            found.append(_("studi kasus %(code)s", code=code))
    return found


def _sentence(entry: Missing, standard: Standard, schemes: Mapping[str, str]) -> str:
    if entry.kind is MissingKind.KUK:
        return _criterion(entry, standard)
    if entry.kind is MissingKind.ITEMS:
        right, of = standard.ratio_of(entry.code)
        return _(
            "Kuis %(code)s: paling sedikit %(right)d dari %(of)d soal di luar kriteria kritis"
            " perlu benar, dan tiap kriteria perlu terjawab.",
            code=entry.code,
            right=right,
            of=of,
        )
    if entry.kind is MissingKind.CASE:
        return _("Studi kasus %(code)s belum memenuhi semua kriterianya.", code=entry.code)
    if entry.kind is MissingKind.ATTENDANCE:
        return _("Kehadiran di pelajaran tatap muka %(code)s belum tercatat.", code=entry.code)
    if entry.kind is MissingKind.RATERS:
        return _(
            "Observasi KUK %(code)s baru ditandai satu penilai; dua penilai perlu menandainya.",
            code=entry.code,
        )
    if entry.kind is MissingKind.APPEAL:
        return _("Banding atas KUK %(code)s belum dijawab.", code=entry.code)
    return _(
        "Sertifikat %(title)s yang berlaku belum ada.", title=schemes.get(entry.code, entry.code)
    )


def _criterion(entry: Missing, standard: Standard) -> str:
    """Name a criterion and say which of its evidence is open; what passed is not repeated."""
    kuk = standard.find(entry.code)
    failed = [kind_name(kind) for kind, state in entry.states.items() if state is State.FAIL]
    absent = [kind_name(kind) for kind, state in entry.states.items() if state is State.NONE]
    parts = []
    if failed:
        parts.append(_("%(kinds)s belum tercapai", kinds=", ".join(failed)))
    if absent:
        parts.append(_("%(kinds)s belum ada", kinds=", ".join(absent)))
    return _(
        "KUK %(code)s (%(text)s): %(open)s.",
        code=kuk.code,
        text=pick(kuk.text, kuk.text_en).rstrip("."),
        open="; ".join(parts),
    )


def kind_name(kind: EvidenceKind) -> str:
    """Return what a kind of evidence is called."""
    return {
        EvidenceKind.Q: _("kuis"),
        EvidenceKind.SK: _("studi kasus"),
        EvidenceKind.SIM: _("simulasi"),
        EvidenceKind.OBS: _("observasi"),
        EvidenceKind.REF: _("refleksi"),
        EvidenceKind.HDR: _("kehadiran"),
    }[kind]


def reason_name(reason: Reason) -> str:
    """Return the public reason of a revocation."""
    return {
        Reason.ERROR: _("kesalahan penerbitan"),
        Reason.VIOLATION: _("pelanggaran kode etik"),
        Reason.WITHDRAWN: _("ditarik atas permintaan pemegang"),
    }[reason]


def method_name(method: Method) -> str:
    """Return how somebody looked."""
    return {
        Method.PUBLIC: _("halaman umum"),
        Method.CODE: _("dengan kode"),
        Method.NUMBER: _("dengan nomor"),
        Method.LIST: _("dari daftar instansi"),
    }[method]


def quality_name(quality: Quality) -> str:
    """Return what one of the four qualities is called."""
    return {
        Quality.VALID: _("Valid"),
        Quality.AUTHENTIC: _("Asli"),
        Quality.CURRENT: _("Terkini"),
        Quality.SUFFICIENT: _("Memadai"),
    }[quality]
