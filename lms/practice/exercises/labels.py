"""What kinds, sheets and fields are called on screens."""

from lms.core.i18n import lazy_gettext as _
from lms.practice.exercises.rules import ExerciseKind

KINDS: dict[ExerciseKind, str] = {
    ExerciseKind.DRILL: _("Simulasi bersama"),
    ExerciseKind.ROLES: _("Kartu peran"),
    ExerciseKind.RECORD: _("Latihan mencatat"),
}
SHEETS: dict[str, str] = {
    "naskah": _("Naskah pemandu"),
    "kartu": _("Kartu kabar untuk digunting"),
    "peran": _("Kartu peran, satu halaman satu kartu"),
    "formulir": _("Formulir kosong"),
    "jawaban": _("Formulir dengan isian yang tepat"),
}
WAYS: dict[str, str] = {
    "telepon": _("Telepon"),
    "pesan": _("Pesan"),
    "orang": _("Orang datang"),
    "berita": _("Berita"),
}
"""How a card reaches a seat."""
LEVELS: dict[str, str] = {
    "0": _("Belum aman"),
    "1": _("Aman dengan bimbingan"),
    "2": _("Aman mandiri"),
}
FIELDS: dict[str, str] = {
    "text": _("Tulis singkat"),
    "date": _("Tanggal"),
    "choice": _("Pilih satu"),
    "number": _("Angka"),
    "yesno": _("Ya atau tidak"),
}
