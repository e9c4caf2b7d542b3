"""An items.yaml with one question of each type, as an author writes it."""

from functools import cache
from pathlib import Path

from lms.competency import content as standard_content
from lms.competency.content import StandardSpec
from lms.config import CONTENT
from lms.core.db import unit_of_work
from lms.quizzes import content, services
from lms.quizzes.content import BankItem
from tests.factories import NOW

FOLDER = "k1-asesmen-risiko"
KUK = {
    "single": "02.1.1",
    "multiple": "02.1.2",
    "true_false": "02.1.3",
    "matching": "02.2.2",
    "ordering": "02.2.3",
    "short_answer": "02.3.1",
    "numeric": "02.3.2",
    "essay": "03.1.2",
}
"""The KUK each type is asked on."""
FOOT = """\
    source: Buku pegangan pendamping, bab 3
    law_ref: []
    checked_on: 2026-11-21
    review: {status: unreviewed}
"""
ITEMS = f"""\
items:
  - id: K1-0211-91
    kuk: "02.1.1"
    level: C3
    type: single
    stem: Ibu W. menelepon sambil berbisik dari kamar mandi. Apa kalimat pertama Anda?
    options:
      A:
        text: Apakah sekarang aman bagi Ibu untuk berbicara?
        rationale: Pertanyaan ini memberi Ibu W. kendali atas percakapan sejak awal.
      B:
        text: Siapa nama lengkap suami Ibu dan di mana dia?
        rationale: Data pelaku dapat menyusul setelah keadaannya diketahui aman.
      C:
        text: Mengapa Ibu baru menelepon kami malam ini?
        rationale: Pertanyaan seperti ini terdengar menyalahkan dan menutup cerita.
      D:
        text: Sudahkah Ibu melapor ke polisi terdekat?
        rationale: Melapor adalah pilihannya, dan dibicarakan setelah ia aman.
    key: A
{FOOT}\
  - id: K1-0212-91
    kuk: "02.1.2"
    level: C3
    type: multiple
    stem: Mana saja yang Anda catat setelah mendengar cerita Ibu K. di ruang layanan?
    body:
      options:
        - text: Kata-kata Ibu K. sendiri tentang kejadian itu
          weight: 50
          feedback: Kata-katanya sendiri menjaga makna yang ia maksud.
        - text: Hari dan tempat Anda mendengar ceritanya
          weight: 50
          feedback: Keterangan ini membuat catatan dapat ditelusuri.
        - text: Dugaan Anda tentang watak suaminya
          feedback: Dugaan mengaburkan apa yang sungguh diceritakan.
        - text: Pendapat tetangga tentang rumah tangganya
          feedback: Pendapat orang lain belum diminta oleh Ibu K.
{FOOT}\
  - id: K1-0213-91
    kuk: "02.1.3"
    level: C2
    type: true_false
    stem: Pendamping boleh menghubungi keluarga korban tanpa bertanya kepadanya.
    body:
      answer: false
      when_true: Keluarga dapat berpihak kepada pelaku, sehingga ia ditanya dulu.
      when_false: Betul, setiap hubungan dengan orang lain didahului persetujuannya.
{FOOT}\
  - id: K1-0222-91
    kuk: "02.2.2"
    level: C3
    type: matching
    stem: Pasangkan kebutuhan Ibu L. pada malam itu dengan layanan yang dituju.
    body:
      pairs:
        - left: Lebam di lengan dan kepala pusing
          right: Puskesmas
        - left: Takut pulang ke rumah
          right: Rumah aman
        - left: ""
          right: Kantor pajak
    feedback: >-
      Luka diperiksa tenaga kesehatan, dan tempat tinggal sementara ada di rumah aman.
{FOOT}\
  - id: K1-0223-91
    kuk: "02.2.3"
    level: C3
    type: ordering
    stem: Urutkan langkah saat Ibu M. datang tergesa membawa dua anak kecil.
    body:
      items:
        - Pastikan ia dan anak-anak aman di ruangan
        - Tanyakan apa yang paling mendesak
        - Susun rencana bersama
        - Catat kesepakatan
    feedback: Rasa aman didahulukan, dan catatan mengikuti apa yang sudah disepakati.
{FOOT}\
  - id: K1-0231-91
    kuk: "02.3.1"
    level: C2
    type: short_answer
    stem: Apa nama surat dokter tentang luka yang diminta penyidik?
    body:
      answers:
        - value: visum
        - value: visum et repertum
        - value: surat dokter
          weight: 50
          feedback: Mendekati, tetapi ada nama yang lebih tepat.
    feedback: Surat itu dibuat dokter atas permintaan penyidik dan dipakai sebagai bukti.
{FOOT}\
  - id: K1-0232-91
    kuk: "02.3.2"
    level: C2
    type: numeric
    stem: Berapa lama sebaiknya paling sedikit waktu untuk wawancara pertama?
    body:
      answers:
        - value: 1.5
          tolerance: 0.25
      units:
        - {{name: jam}}
        - {{name: menit, factor: 60}}
    feedback: Kurang dari itu orang merasa diburu, dan yang penting sering tertinggal.
{FOOT}\
  - id: K1-0312-91
    kuk: "03.1.2"
    level: C4
    type: essay
    stem: Tuliskan bagaimana Anda menutup percakapan dengan Ibu R. malam itu.
    body:
      least_words: 5
      most_words: 200
      guidance: Ada ringkasan, pilihan yang ditawarkan, dan janji temu yang disepakati.
{FOOT}"""


def write(folder: Path, text: str = ITEMS) -> Path:
    """Write a draft of K1 with these items; return the file."""
    head = (CONTENT / FOLDER / "curriculum.yaml").read_text(encoding="utf-8")
    made = folder / FOLDER
    made.mkdir(exist_ok=True)
    (made / "curriculum.yaml").write_text(f"status: draft\n{head}", encoding="utf-8")
    (made / "items.yaml").write_text(text, encoding="utf-8")
    return made / "items.yaml"


@cache
def standard() -> StandardSpec:
    """Return the standard of the shipped content."""
    found, _problems = standard_content.check(CONTENT)
    assert found is not None
    return found


@cache
def shipped() -> list[BankItem]:
    """Return the shipped items."""
    return content.check(CONTENT, standard())[0]


def load(folder: Path, text: str = ITEMS) -> dict[str, int]:
    """Load the shipped items, but on the KUK that `text` asks only those of `text`."""
    write(folder, text)
    own, problems = content.check(folder, standard())
    assert problems == []
    asked = {item.spec.kuk for item in own}
    kept = [item for item in shipped() if item.curriculum != "K1" or item.spec.kuk not in asked]
    with unit_of_work():
        return services.load([*kept, *own], now=NOW)
