"""Two panels of experts: one has set the cut of a quiz, one is in its second round."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from argon2 import PasswordHasher

from lms.accounts import services as accounts
from lms.core.db import unit_of_work
from lms.core.login import Viewer
from lms.panels import course, rating, results, services
from lms.panels.rules import CHOICES, Choice, Stage
from lms.panels.services import Room

EXPERTS = ("Theresia Bria", "Anton Simanjuntak", "Nurlaila Hamid")
"""Reviewers from outside, beside those the city has."""
PERSON = (
    "Sudah mengikuti semua pelajaran dan satu kelas. Mengenali tanda bahaya yang jelas dan tahu "
    "kapan harus memanggil bantuan.\nPada keadaan yang jarang ia masih bertanya kepada rekan "
    "sebelum bertindak; ia tidak pernah menebak soal keselamatan."
)
SAID = (
    (5, "Pilihan ketiga terdengar sopan, jadi orang yang baru belajar mudah memilihnya."),
    (5, "Kalimat itu dibahas tersendiri di pelajaran; menurut saya sebagian besar ingat."),
    (9, "Istilah hukumnya jarang dipakai sehari-hari."),
)
"""Place of an item, and what was said about it."""
STEP = timedelta(minutes=20)


@dataclass(slots=True)
class Table:
    """A panel at work."""

    public_id: str
    chair: Viewer
    panel: Sequence[Viewer]
    random: Random
    at: datetime

    def room(self, viewer: Viewer) -> Room:
        """Return the room as somebody sees it."""
        return services.get_room(self.public_id, viewer, now=self.at)

    def advance(self) -> None:
        """Take the room one stage on."""
        self.at += STEP
        with unit_of_work():
            room = self.room(self.chair)
            course.advance(room, room.stage, by_id=self.chair.id, now=self.at)

    def rate(self, panel: Sequence[Viewer], share: float) -> None:
        """Let panellists rate a share of the items: some are harder, some people are stricter."""
        for place, viewer in enumerate(panel):
            self.at += STEP
            room = self.room(viewer)
            given: dict[int, int] = {}
            for line in rating.get_sheet(room).lines:
                if self.random.random() < share or line.first is None:
                    # The same item is hard for all: its difficulty follows from its place.
                    hard = 62 + (line.item.position * 37) % 35
                    strict = 6 * place - 12
                    spread = 8 if room.round == 2 else 14
                    wanted = hard + strict + self.random.gauss(0, spread)
                    given[line.item.position] = min(CHOICES, key=lambda one: abs(one - wanted))
            with unit_of_work():
                rating.save_all(room, given, 1, now=self.at)
                rating.finish(room, now=self.at)

    def talk(self) -> None:
        """Let some of them say why."""
        for (position, words), viewer in zip(SAID, self.panel, strict=False):
            with unit_of_work():
                rating.say(self.room(viewer), position, words, author_id=viewer.id, now=self.at)

    def sign(self) -> None:
        """Let all of them sign."""
        for viewer in self.panel:
            self.at += STEP
            with unit_of_work():
                room = self.room(viewer)
                seen = results.read(room).digest
                results.sign(room, Choice.SIGNED, "", seen, person_id=viewer.id, now=self.at)


def meet(
    chair: Viewer,
    panel: Sequence[Viewer],
    base_url: str,
    *,
    maker: PasswordHasher,
    random: Random,
    now: datetime,
) -> None:
    """Let a panel set the cut of K1, and rate K5 as far as the second round."""
    with unit_of_work():
        guests = [_guest(name, maker, now) for name in EXPERTS]
    seats = [*panel, *guests]
    done = _open("K1", chair, seats, base_url, random, now - timedelta(days=9))
    for _stage in (Stage.TALK, Stage.SECOND):
        done.advance()
    done.rate(seats, 0.4)
    done.advance()
    done.sign()
    done.advance()
    running = _open("K5", chair, seats, base_url, random, now - timedelta(days=1))
    for _stage in (Stage.TALK, Stage.SECOND):
        running.advance()
    running.talk()
    running.rate(seats[1:3], 0.3)  # the first of them is still waited for


def _guest(name: str, maker: PasswordHasher, now: datetime) -> Viewer:
    """Return an expert with an account of their own."""
    made = accounts.create_person(
        email=f"{name.lower().replace(' ', '.')}@contoh.test",
        name=name,
        password=secrets.token_urlsafe(9),
        roles=["reviewer"],
        maker=maker,
        now=now - timedelta(days=60),
    )
    return Viewer(made.id, made.public_id, name, frozenset(["reviewer"]), "id", "")


def _open(
    curriculum: str,
    chair: Viewer,
    panel: Sequence[Viewer],
    base_url: str,
    random: Random,
    at: datetime,
) -> Table:
    """Open a room, invite the panel and let it rate once."""
    with unit_of_work():
        made = services.open_room(curriculum, person=PERSON, training=2, chair_id=chair.id, now=at)
    table = Table(made, chair, panel, random, at)
    known = {accounts.get_person_by_id(one.id).public_id for one in panel}
    with unit_of_work():
        link = f"{base_url}/panel/{made}"
        course.invite(table.room(chair), known, link, by_id=chair.id, now=at)
    table.advance()
    table.rate(panel, 1.0)
    return table
