"""What kinds of organisation, parts and conflicts are called on screen."""

from lms.cohorts.models import ConflictKind, OrganisationKind, Part
from lms.cohorts.rules import Standing
from lms.core.i18n import lazy_gettext as _

KINDS: dict[OrganisationKind, str] = {
    OrganisationKind.PUSKESMAS: _("Puskesmas"),
    OrganisationKind.HOSPITAL: _("Rumah sakit"),
    OrganisationKind.KUA: _("Kantor Urusan Agama (KUA)"),
    OrganisationKind.UPTD_PPA: _("UPTD PPA (dahulu P2TP2A)"),
    OrganisationKind.DISTRICT: _("Kecamatan"),
    OrganisationKind.SOCIAL: _("Dinas Sosial"),
    OrganisationKind.POLSEK: _("Polsek"),
    OrganisationKind.POLRES: _("Polres"),
    OrganisationKind.WOMEN_OFFICE: _("Dinas Pemberdayaan Perempuan dan Perlindungan Anak"),
    OrganisationKind.VILLAGE: _("Kelurahan atau desa"),
    OrganisationKind.NGO: _("Lembaga masyarakat"),
    OrganisationKind.OTHER: _("Lainnya"),
}
PARTS: dict[Part, str] = {
    Part.TRAINER: _("Pelatih"),
    Part.ASSESSOR: _("Penilai"),
    Part.SPEAKER: _("Narasumber"),
}
"""The parts of a class's staff."""
CONFLICTS: dict[ConflictKind, str] = {
    ConflictKind.RELATIVE: _("Keluarga"),
    ConflictKind.SUPERIOR: _("Penilai adalah atasan langsung"),
    ConflictKind.SUBORDINATE: _("Penilai adalah bawahan langsung"),
}
STANDINGS: dict[Standing, str] = {
    Standing.OPEN: _("Terbuka"),
    Standing.ACCEPTED: _("Diterima"),
    Standing.WITHDRAWN: _("Ditarik"),
    Standing.EXPIRED: _("Lewat waktu"),
}
HALVES = {"am": _("pagi"), "pm": _("siang")}
