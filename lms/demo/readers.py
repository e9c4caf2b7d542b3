"""What an expert has read of the content, and what they said about it."""

from datetime import datetime, timedelta

from lms.core.db import unit_of_work
from lms.core.login import Viewer
from lms.reviews import reviewers, services
from lms.reviews.rules import Expertise, Kind

HOUR = timedelta(hours=1)
SIGNED = {Kind.LESSON: 3, Kind.ITEM: 5, Kind.CASE: 1}
"""How many of the first texts of a kind were read and signed."""
SAID = (
    (Kind.LESSON, "never", "Tambahkan bahwa pendamping juga tidak menyimpan foto luka di ponsel."),
    (Kind.LESSON, "sources", "Sumber ini sudah saya cocokkan dengan naskah undang-undangnya."),
    (Kind.ITEM, "B", "Pilihan ini terlalu mudah dikenali salah. Usul: sebut alasan yang lazim."),
)
"""Kind, part of its address, and words; each about the text after the last one signed."""


def review(expert: Viewer, email: str, admin_id: int, now: datetime) -> None:
    """Let an expert sign the first texts of each kind and say something about the next."""
    with unit_of_work():
        reviewers.appoint(email, Expertise.LAWYER, by_id=admin_id, now=now - 30 * HOUR)
    lines = services.read_queue(expert, now=now).lines
    for kind, number in SIGNED.items():
        found = [line.text for line in lines if line.text.kind == kind]
        for place, text in enumerate(found[:number]):
            with unit_of_work():
                at = now - 28 * HOUR + place * HOUR / 4
                services.sign(kind, text.code, text.digest, expert, now=at)
        for where, words in ((where, words) for one, where, words in SAID if one is kind):
            following = found[min(number, len(found) - 1)].code
            with unit_of_work():
                services.comment(
                    kind,
                    following,
                    place=_place(kind, following, where, expert, now),
                    words=words,
                    viewer=expert,
                    now=now - 20 * HOUR,
                )


def _place(kind: Kind, code: str, where: str, expert: Viewer, now: datetime) -> str:
    """Return the part of a text by its name or by what kind of block it is."""
    page = services.read_page(kind, code, expert, services.Asked(), now=now)
    for one in page.passages:
        if where in {one.place, *(piece.tone for piece in one.pieces)}:
            return one.place
    return ""
