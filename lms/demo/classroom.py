"""Questions a trainer brought in, and what a class reached before and after its two days."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from lms.core.db import unit_of_work
from lms.core.login import Viewer
from lms.quizzes import services as quizzes
from lms.quizzes import sheets
from lms.quizzes.classes import services as class_quizzes
from lms.quizzes.classes.models import Purpose
from lms.quizzes.collections import services as collections
from lms.quizzes.collections.services import Filter, Line
from lms.quizzes.essays import services as essays
from lms.quizzes.types.model import Kind
from lms.quizzes.types.question import TYPES, Question

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
FILE = """// [tag:kuk:02.1.1] [tag:law:UU 23/2004 ps 5] [tag:level:C2]
::Bentuk 1::Suami melarang istri bekerja dan tidak memberi uang belanja. Bentuk apa ini? {
=Penelantaran rumah tangga#Membuat orang tergantung secara ekonomi termasuk penelantaran.
~Bukan kekerasan karena tidak ada luka#Luka bukan syarat.
~Perselisihan biasa#Ada kendali di sini, bukan beda pendapat.
~Kekerasan fisik#Tubuhnya tidak disakiti.}

// [tag:kuk:02.1.1] [tag:law:UU 23/2004 ps 5] [tag:level:C2]
::Bentuk 2::Pasangkan keadaan dengan bentuknya. {
=Dipukul -> Fisik
=Dihina setiap hari -> Psikis
=Tidak diberi makan -> Penelantaran}

// [tag:kuk:02.1.2] [tag:law:UU 23/2004 ps 2] [tag:level:C1]
::Lingkup::Pekerja yang menetap di rumah termasuk lingkup rumah tangga. {TRUE}

// [tag:kuk:02.2.1] [tag:level:C3]
::Bertanya::Suami ikut masuk ke ruang periksa. Apa yang dilakukan lebih dulu? {
=Menemui istri sendirian dengan alasan pemeriksaan#Tempat aman lebih dulu, baru bertanya.
~Bertanya di depan suami agar adil#Jawaban tidak bebas, dan ia dapat dihukum di rumah.
~Menegur suami#Itu menaikkan bahaya.
~Menunda sampai ia datang sendiri#Kesempatan ini bisa yang terakhir.}

// [tag:kuk:03.1.1] [tag:level:C3]
::Tanda bahaya::Ia berkata pernah dicekik bulan lalu. Apa artinya? {
=Tanda bahaya berat, ditindak hari ini#Pencekikan tidak menunggu jumlah skor.
~Kejadian lama, cukup dicatat#Bahayanya tidak lewat bersama bulannya.
~Tanda bahaya bila ada bekasnya#Sering tidak ada bekas.
~Belum dapat dikatakan tanpa visum#Tindakan tidak menunggu surat.}

// [tag:kuk:03.1.3] [tag:level:C1]
::Pelaku::Pendamping boleh menelepon pelaku untuk mencocokkan cerita. {FALSE}

// [tag:kuk:01.2.2] [tag:level:C2]
::Persetujuan::Ia setuju dirujuk, lalu berubah pikiran. Apa yang dilakukan? {
=Rujukan dihentikan dan pilihannya dicatat#Persetujuan dapat ditarik kapan saja.
~Rujukan diteruskan karena sudah setuju#Persetujuan tidak mengikat.
~Keluarga yang memutuskan#Yang memutuskan adalah ia sendiri.
~Rujukan diteruskan diam-diam#Kepercayaan hilang, dan bahayanya naik.}

// [tag:kuk:08.1.1] [tag:level:C1]
::Nomor::Berapa nomor layanan SAPA? {=129}

// [tag:kuk:04.1.2] [tag:level:C4]
::Malam pertama::Seorang ibu menelepon larut malam dari rumah tetangga; suaminya mencari dia. \
Tulis apa yang Anda lakukan malam itu, langkah demi langkah, dengan alasan tiap langkah. {}

::Belum selesai::Tulis soal tentang rencana keselamatan di sini {
"""
"""What a trainer wrote in a text editor; the last question was never finished."""
WRITTEN = (
    "Pertama saya tanya apakah ia aman bicara dan apakah suaminya tahu ia di mana. Bila tidak aman,"
    " saya minta ia pindah ke tempat yang tidak diketahui suaminya, dan polisi dihubungi atas"
    " persetujuannya.\n\nSesudah aman saya tanya luka, anak, dan apakah pernah dicekik, karena itu"
    " tanda bahaya berat. Lalu kami menyusun rencana untuk malam ini saja; sisanya besok pagi.",
    "Saya dengarkan ceritanya sampai selesai dan tidak menyalahkan. Saya jelaskan pilihan yang ada"
    " malam ini, lalu ia yang memilih. Besok saya telepon lagi pada jam yang kami sepakati.",
)
"""What two people wrote; the others left the page open."""
NOTE = (
    "Anda mendengarkan dan membiarkan ia memilih, itu tepat. Yang belum ada: tanyakan lebih dulu"
    " apakah ia aman saat itu, sebelum ia bercerita panjang."
)


@dataclass(frozen=True, slots=True)
class Room:
    """A class, its trainer and when it was held."""

    cohort_id: int
    trainer: Viewer
    assessor: Viewer
    starts: datetime
    now: datetime


def hold(room: Room, people: Sequence[int], random: Random) -> None:
    """Let a class do a test before and after, and a few of them the practice that is open."""
    brought = _bring(room.trainer, room.starts - 30 * DAY)
    asked = [one for one in brought if one.question.kind is not Kind.ESSAY]
    # A gain waits until everything is read, so what people write stands in the practice alone.
    practised = [*asked[:4], *(one for one in brought if one not in asked)]
    starts, now = room.starts, room.now
    before = _quiz(room, Purpose.BEFORE, "Pra-uji kelas", asked, starts - 11 * DAY, starts)
    after = _quiz(room, Purpose.AFTER, "Pasca-uji kelas", asked, starts + DAY, starts + 9 * DAY)
    practice = _quiz(
        room, Purpose.PRACTICE, "Latihan sebelum pleno", practised, now - 5 * DAY, now + 9 * DAY
    )
    with unit_of_work():
        class_quizzes.pair(
            before, after, room.cohort_id, actor_id=room.trainer.id, now=starts - 12 * DAY
        )
    able = {person: random.gauss(0.5, 0.16) for person in people}
    # A few missed one of the two: they are counted, and left out of the gain.
    for code, questions, at, learnt, there in (
        (before, asked, starts - 9 * DAY, 0.0, people[:-2]),
        (after, asked, starts + 2 * DAY, 0.27, people[3:]),
        (practice, practised, now - 3 * DAY, 0.2, people[-4:]),
    ):
        with unit_of_work():
            for n, person in enumerate(there):
                sitter = Sitter(person, able[person] + learnt, WRITTEN[n] if n < 2 else "")
                _sit(sitter, code, questions, at + n * 20 * MINUTE, random)
    _mark(room.assessor, now - DAY)


def _mark(assessor: Viewer, at: datetime) -> None:
    """Let an assessor read one of the texts; the other waits on the desk."""
    last = essays.queue(assessor).lines[-1]
    with unit_of_work():
        essays.mark(last.public_id, last.position, assessor, level=1, note=NOTE, now=at)


def _bring(trainer: Viewer, at: datetime) -> list[Line]:
    """Bring a file into a new collection; return its questions."""
    batch = collections.read(FILE.encode(), "gift")
    with unit_of_work():
        made = collections.create_collection(
            "Pengetahuan dasar pendamping",
            organisation_id=None,
            shared=True,
            viewer=trainer,
            now=at,
        )
        read = collections.keep(
            batch,
            made.id,
            source="pengetahuan-dasar.gift",
            format_="gift",
            actor_id=trainer.id,
            now=at,
        )
        collections.confirm(read.public_id, trainer, now=at + MINUTE)
        return collections.list_questions(made.id, Filter())[0]


def _quiz(
    room: Room,
    purpose: Purpose,
    title: str,
    asked: Sequence[Line],
    opens: datetime,
    closes: datetime,
) -> str:
    draft = class_quizzes.Draft(
        title=title,
        purpose=purpose,
        opens_at=opens,
        closes_at=closes,
        tries=3,
        minutes=None if purpose is Purpose.PRACTICE else 20,
        shows_answers=True,
        questions=[one.row.id for one in asked],
    )
    with unit_of_work():
        return class_quizzes.create(
            room.cohort_id, draft, actor_id=room.trainer.id, now=room.starts - 12 * DAY
        )


@dataclass(frozen=True, slots=True)
class Sitter:
    """Somebody who sits a quiz."""

    person: int
    knows: float
    """The chance that they know an answer."""
    writes: str
    """What they write where something is to be written."""


def _sit(sitter: Sitter, code: str, asked: Sequence[Line], at: datetime, random: Random) -> None:
    """Let somebody sit a quiz and hand it in."""
    ref = class_quizzes.open_attempt(sitter.person, code, now=at, random=random)
    lines = sheets.get_sheet(ref).lines
    # Every question is dealt, and their wordings were stored in the order of the quiz.
    place = {version: n for n, version in enumerate(sorted(line.version for line in lines))}
    for line in lines:
        at += timedelta(seconds=random.randint(15, 60))
        n = place[line.version]
        knows = random.random() < sitter.knows + 0.24 - 0.06 * n
        said = _say(asked[n].question, line.order, knows, sitter.writes)
        quizzes.save_page(ref, position=line.position, seq=0, flagged=False, now=at, **said)
    quizzes.submit(ref, now=at)


def _say(question: Question, order: str, knows: bool, writes: str) -> dict[str, Any]:
    """Return what a page sends: the right answer, one that is wrong, or what somebody writes."""
    kind = Kind(question.kind)
    right = TYPES[kind].solve(question.body, order) or {}
    if kind is Kind.SINGLE:
        choice = right["choice"]
        return {"choice": choice if knows else choice % len(order) + 1}
    if kind is Kind.ESSAY:
        values = [writes]
    elif kind is Kind.TRUE_FALSE:
        values = [str(right["answer"] is knows).lower()]
    elif kind is Kind.MATCHING:
        picks = right["picks"]
        values = [str(one) for one in (picks if knows else [*picks[1:], picks[0]])]
    else:
        values = [right["text"] if knows else "110"]
    return {"choice": None, "values": values}
