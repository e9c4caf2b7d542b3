"""What kinds of organisation, parts and conflicts are called on screen."""

from lms.cohorts.models import ConflictKind, NameKind, OrganisationKind, Part
from lms.cohorts.rules import Candidate, Standing, Why
from lms.cohorts.seats import NoSeat
from lms.core.i18n import day, gettext
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
    OrganisationKind.PUSPAGA: _("Puspaga"),
    OrganisationKind.NGO: _("Lembaga masyarakat"),
    OrganisationKind.SCHOOL: _("Sekolah"),
    OrganisationKind.CAMPUS: _("Perguruan tinggi"),
    OrganisationKind.YOUTH: _("Organisasi pemuda"),
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
NAME_KINDS: dict[NameKind, str] = {
    NameKind.FORMER: _("Nama lama"),
    NameKind.ALIAS: _("Sebutan lain"),
    NameKind.ABBREVIATION: _("Singkatan"),
}
MOVES = {
    "membership": _("Orang dan petugas"),
    "enrolment": _("Kursi di kelas"),
    "cohort": _("Kelas yang diselenggarakan"),
    "invitation": _("Undangan"),
    "nomination": _("Calon peserta"),
    "organisation_name": _("Nama lain"),
}
"""What is called how in the preview of a merge; other tables are counted together."""
HALVES = {"am": _("pagi"), "pm": _("siang")}


def explain_no_seat(error: NoSeat) -> str:
    """Say which seats are full, and what to do."""
    if error.kind is None:
        return gettext("Semua kursi yang bebas sudah terpakai. Tambah kursi kelas lebih dulu.")
    return gettext(
        "Kuota %(kind)s penuh: %(seats)d kursi. Tambah kuotanya, atau usulkan lewat daftar tunggu.",
        kind=KINDS[error.kind],
        seats=error.seats,
    )


def explain_candidate(candidate: Candidate) -> str:
    """Say why an organisation may be the one that is meant; empty where its name says it."""
    name = candidate.name
    if candidate.why is Why.FORMER and candidate.until:
        return gettext("dahulu %(name)s, sampai %(day)s", name=name, day=day(candidate.until))
    sentences = {
        Why.CURRENT: "",
        Why.FORMER: gettext("dahulu %(name)s", name=name),
        Why.ALIAS: gettext("juga disebut %(name)s", name=name),
        Why.ABBREVIATION: gettext("disingkat %(name)s", name=name),
        Why.MEANING: gettext("menurut kepanjangan singkatannya"),
        Why.SUCCESSOR: gettext("jenis ini dahulu bernama seperti yang tertulis"),
        Why.KIND: gettext("termasuk jenis yang mungkin dimaksud singkatannya"),
        Why.ALIKE: gettext("namanya mirip"),
    }
    return sentences[candidate.why]


def explain_clash(problem: str, title: str, other: str) -> str:
    """Say what is odd about the hours of an entry of a timetable."""
    words = {
        "half": gettext("%(title)s: jamnya tidak sesuai dengan pagi atau siang.", title=title),
        "order": gettext("%(title)s mulai sebelum %(other)s.", title=title, other=other),
        "overlap": gettext("%(title)s bertumpang jam dengan %(other)s.", title=title, other=other),
    }
    return words[problem]
