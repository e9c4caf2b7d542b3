"""What the moments of somebody's way are called on screen."""

from lms.competency.rules import EvidenceKind
from lms.core.i18n import gettext as _
from lms.practice.attendance.forms import WORDS as PRESENCE
from lms.practice.simulations.rules import RunOutcome
from lms.reports import messages
from lms.reports.timeline import Event, Kind

ICONS = {
    Kind.LESSON: "book",
    Kind.QUIZ: "list",
    Kind.CASE: "pen",
    Kind.SIMULATION: "talk",
    Kind.ATTENDANCE: "check",
    Kind.OBSERVATION: "clipboard",
    Kind.COACHING: "people",
    Kind.MESSAGE: "mail",
    Kind.DECISION: "award",
}


def kind_name(kind: Kind) -> str:
    """Return what a kind of moment is called."""
    return {
        Kind.LESSON: _("Pelajaran"),
        Kind.QUIZ: _("Kuis"),
        Kind.CASE: _("Studi kasus"),
        Kind.SIMULATION: _("Simulasi"),
        Kind.ATTENDANCE: _("Kehadiran"),
        Kind.OBSERVATION: _("Observasi"),
        Kind.COACHING: _("Bimbingan"),
        Kind.MESSAGE: _("Pesan"),
        Kind.DECISION: _("Keputusan"),
    }[kind]


def sentence(event: Event) -> str:
    """Say what happened."""
    return _SENTENCES[event.kind](event)


def detail(event: Event) -> str:
    """Return what somebody wrote at this moment; empty where nobody did."""
    return event.how if event.kind in (Kind.COACHING, Kind.MESSAGE) else ""


def _lesson(event: Event) -> str:
    if event.how == "with_trainer":
        return _("Memilih membahas pelajaran %(code)s bersama pelatih", code=event.code)
    return _("Menyelesaikan pelajaran %(code)s", code=event.code)


def _quiz(event: Event) -> str:
    if event.what == "opened":
        return _("Membuka kuis %(code)s, percobaan ke-%(n)s", code=event.code, n=event.how)
    return _("Mengirim kuis %(code)s, percobaan ke-%(n)s", code=event.code, n=event.how)


def _case(event: Event) -> str:
    if event.what == "decided":
        return _("Studi kasus %(code)s dinilai", code=event.code)
    return _("Mengirim studi kasus %(code)s", code=event.code)


def _simulation(event: Event) -> str:
    outcome = {
        RunOutcome.SAFE.value: _("aman"),
        RunOutcome.REPAIRED.value: _("diperbaiki di tengah jalan"),
        RunOutcome.HARMFUL.value: _("berhenti pada tindakan yang membahayakan"),
        RunOutcome.LEFT.value: _("ditinggalkan"),
    }.get(event.how, _("sedang berjalan"))
    if event.what == "graded":
        return _("Simulasi %(code)s, dinilai: %(outcome)s", code=event.code, outcome=outcome)
    return _("Simulasi %(code)s, latihan: %(outcome)s", code=event.code, outcome=outcome)


def _attendance(event: Event) -> str:
    _title, day, half = event.code.rsplit("/", 2)
    words = {presence.value: str(said) for presence, said in PRESENCE.items()}
    said = words.get(event.what, event.what)
    if half == "am":
        return _("Hari %(day)s pagi: %(said)s", day=day, said=said)
    return _("Hari %(day)s siang: %(said)s", day=day, said=said)


def _observation(event: Event) -> str:
    if event.what == "harmful":
        return _("Stasiun %(code)s dihentikan karena tindakan yang membahayakan", code=event.code)
    return _("Dinilai di stasiun %(code)s", code=event.code)


def _coaching(event: Event) -> str:
    kinds = {
        EvidenceKind.Q.value: _("kuis"),
        EvidenceKind.SK.value: _("studi kasus"),
        EvidenceKind.SIM.value: _("simulasi"),
        EvidenceKind.OBS.value: _("stasiun"),
        EvidenceKind.REF.value: _("pelajaran"),
    }
    return _("Bimbingan tentang %(what)s %(code)s", what=kinds.get(event.what, ""), code=event.code)


def _message(event: Event) -> str:
    return _("Disapa pelatih: %(reason)s", reason=messages.label(event.code))


def _decision(event: Event) -> str:
    said = {
        "decided": _("Keputusan %(code)s ditandatangani"),
        "issued": _("Sertifikat %(code)s terbit"),
        "revoked": _("Sertifikat %(code)s dicabut"),
        "replaced": _("Sertifikat %(code)s diganti dengan yang baru"),
    }
    return said.get(event.what, _("Sertifikat %(code)s berubah")) % {"code": event.code}


_SENTENCES = {
    Kind.LESSON: _lesson,
    Kind.QUIZ: _quiz,
    Kind.CASE: _case,
    Kind.SIMULATION: _simulation,
    Kind.ATTENDANCE: _attendance,
    Kind.OBSERVATION: _observation,
    Kind.COACHING: _coaching,
    Kind.MESSAGE: _message,
    Kind.DECISION: _decision,
}
