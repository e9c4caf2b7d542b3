"""Who lives in Kota Contoh. Every name is invented."""

from lms.cohorts.models import OrganisationKind as Kind
from lms.cohorts.officers import Vouching

CITY = "Kota Contoh"
HOST = ("Dinas Pemberdayaan Perempuan dan Perlindungan Anak Kota Contoh", Kind.WOMEN_OFFICE)
LETTERHEAD = ["PEMERINTAH KOTA CONTOH", HOST[0]]
SIGNATORY = ("Plt. Kepala Dinas", "Nursyam Contoh, S.Sos., M.Si.", "19700101 199503 1 001")

AGENCIES: dict[str, tuple[str, Kind]] = {
    "pkm": ("Puskesmas Anggrek", Kind.PUSKESMAS),
    "pkm2": ("Puskesmas Kenanga", Kind.PUSKESMAS),
    "rs": ("RSUD Kota Contoh", Kind.HOSPITAL),
    "kua": ("KUA Contoh Selatan", Kind.KUA),
    "uptd": ("UPTD PPA Kota Contoh", Kind.UPTD_PPA),
    "kec": ("Kecamatan Contoh Timur", Kind.DISTRICT),
    "dinsos": ("Dinas Sosial Kota Contoh", Kind.SOCIAL),
    "polsek": ("Polsek Contoh Barat", Kind.POLSEK),
    "polres": ("Polres Kota Contoh", Kind.POLRES),
}
"""The eight kinds of agency of the Bontang class of 2016, with their name of today."""

SEATS: list[tuple[str, str, str]] = [
    ("Hendra Saputra", "polsek", "unstarted"),
    ("Maria Ulfah", "kua", "unstarted"),
    ("Rahma Yuliani", "uptd", "middle"),
    ("Yosef Tandirerung", "dinsos", "reading"),
    ("Siti Rahmawati", "pkm", "talk"),
    ("Agus Priyanto", "polres", "quiet"),
    ("Nurul Hidayati", "kec", "in_quiz"),
    ("Lukas Manurung", "polsek", "quiz_waits"),
    ("Dewi Kartika", "pkm2", "tries_used"),
    ("Andi Firmansyah", "polres", "case_waits"),
    ("Fitri Handayani", "pkm2", "case_waits"),
    ("I Made Suardana", "kec", "case_redo"),
    ("Ratna Sari Dewi", "rs", "harmful"),
    ("Bambang Wijaya", "dinsos", "unobserved"),
    ("Yohana Bere", "uptd", "unobserved"),
    ("Zainal Abidin", "kua", "ready"),
    ("Sri Wahyuni", "kec", "ready"),
    ("Tri Astuti", "pkm", "ready"),
    ("Kadek Ayu Lestari", "rs", "certified"),
    ("Muhammad Iqbal", "polsek", "certified"),
    ("Rosmini Daeng Ngai", "uptd", "certified"),
    ("Endang Lestari", "uptd", "certified"),
    ("Christina Sihombing", "rs", "ending"),
    ("Paulina Wenda", "dinsos", "expired"),
    ("Nur Aisyah", "pkm", "revoked"),
]
"""Name, agency, stage of each of the 25 companions."""

STAFF: list[tuple[str, str]] = [
    ("Wati Suryani", "trainer"),
    ("Fajar Nugroho", "trainer"),
    ("Lestari Widodo", "assessor"),
    ("Ni Luh Puspita", "speaker"),
]
OFFICE: list[tuple[str, str]] = [
    ("Gunawan Halim", "agency"),
    ("Mei Lin Tanujaya", "agency"),
    ("Retno Palupi", "author"),
    ("Hasan Basri", "reviewer"),
    ("Ayu Pratiwi", "admin"),
]
OFFICER_OF = {"Gunawan Halim": "uptd", "Mei Lin Tanujaya": "polres"}
VOUCHED = {
    "uptd": Vouching(by="Nurhayati Contoh, Kepala UPTD PPA", letter="800/114/UPTD/2026"),
    "polres": Vouching(by="Bagus Santoso, Kepala Unit PPA", letter="SPRIN/87/2026"),
}
"""Who vouches for the officers of an agency."""

COLLEAGUES: list[tuple[str, str]] = [
    ("Hasnah Tamrin", "certified"),
    ("Dorce Wambrauw", "certified"),
    ("Putu Indah Permata", "certified"),
    ("Saiful Bahri", "certified"),
    ("Mariana Silalahi", "reading"),
    ("Nyoman Sukerta", "reading"),
    ("Halimah Tuanaya", "reading"),
    ("Yulius Kogoya", "unstarted"),
]
"""Name and stage of each of the colleagues in the class UPTD PPA held for itself."""

MARKED_TWICE = ("Mariana Silalahi", "Nyoman Sukerta")
"""Colleagues whose case two assessors mark: they agree about hers, and not about his."""

NOMINEES: dict[str, list[str]] = {
    "uptd": ["Wulan Maharani", "Ida Bagus Oka", "Salma Nasution"],
    "polres": ["Rudi Hartono Simbolon", "Theresia Manalu", "Slamet Riyadi"],
    "pkm": ["Nurlaila Hasanah", "Agustinus Kelen"],
    "rs": ["Made Sukmawati"],
    "kua": ["Ahmad Fauzi", "Siti Aminah", "Mardiana Lubis", "Usman Daulay"],
    "kec": ["Petrus Kambu"],
    "host": ["Yuliana Tambunan"],
}
"""Who is nominated for the class to come, by agency. Nobody from Dinas Sosial and Polsek yet."""
ACCEPTING = ("Wulan Maharani", "Rudi Hartono Simbolon", "Nurlaila Hasanah", "Ahmad Fauzi")
DECLINING = ("Theresia Manalu",)
"""Her seat goes to Slamet Riyadi."""
