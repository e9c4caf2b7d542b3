"""What kinds of text, fields of expertise and states are called on screen and in addresses."""

from lms.core.i18n import lazy_gettext as _
from lms.reviews.rules import Expertise, Kind, State

FIELDS: dict[Expertise, str] = {
    Expertise.PSYCHOLOGIST: _("psikolog"),
    Expertise.DOCTOR: _("dokter"),
    Expertise.LAWYER: _("advokat atau ahli hukum"),
    Expertise.SOCIAL_WORKER: _("pekerja sosial"),
    Expertise.CHILD: _("perlindungan anak"),
    Expertise.DISABILITY: _("disabilitas"),
    Expertise.TRAINER: _("pelatih"),
}
KINDS: dict[Kind, str] = {
    Kind.LESSON: _("Pelajaran"),
    Kind.ITEM: _("Butir soal"),
    Kind.CASE: _("Studi kasus"),
    Kind.SIMULATION: _("Simulasi"),
    Kind.STATION: _("Stasiun observasi"),
    Kind.DRILL: _("Simulasi bersama"),
    Kind.ROLES: _("Kartu peran"),
    Kind.RECORD: _("Latihan mencatat"),
}
ADDRESSES: dict[Kind, str] = {
    Kind.LESSON: "pelajaran",
    Kind.ITEM: "soal",
    Kind.CASE: "kasus",
    Kind.SIMULATION: "simulasi",
    Kind.STATION: "stasiun",
    Kind.DRILL: "bersama",
    Kind.ROLES: "peran",
    Kind.RECORD: "pencatatan",
}
"""The word of a kind in an address."""
BY_ADDRESS: dict[str, Kind] = {word: kind for kind, word in ADDRESSES.items()}
STATES: dict[State, str] = {
    State.ALL: _("Semua"),
    State.OPEN: _("Belum ditelaah"),
    State.SIGNED: _("Sudah ditelaah"),
    State.COMMENTED: _("Ada catatan terbuka"),
}
STATE_WORDS: dict[str, State] = {
    "": State.ALL,
    "belum": State.OPEN,
    "sudah": State.SIGNED,
    "catatan": State.COMMENTED,
}
