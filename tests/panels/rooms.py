"""Rooms made by the services, as people make them; for tests of what follows."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from lms.accounts.models import Person
from lms.accounts.services import roles_of
from lms.core.db import db, unit_of_work
from lms.core.login import Viewer
from lms.panels import course, rating, results, services
from lms.panels.rules import Choice, Stage
from lms.panels.services import Room
from tests import factories
from tests.factories import NOW

WORDS = "Sudah mengikuti semua pelajaran, masih bertanya sebelum merujuk."
LINK = "https://suluh.example/panel/x"


def viewer_of(person: Person) -> Viewer:
    """Return somebody as services see them."""
    roles = frozenset(roles_of(person.id))
    return Viewer(person.id, person.public_id, person.name, roles, "id", "")


@dataclass
class Held:
    """A room with its chair and panel."""

    chair: Person
    panel: list[Person]
    public_id: str = ""
    at: datetime = NOW
    items: int = field(default=0)

    def room(self, person: Person | None = None) -> Room:
        """Return the room as the chair sees it, or a panellist."""
        return services.get_room(self.public_id, viewer_of(person or self.chair), now=self.at)

    def later(self) -> datetime:
        """Let a minute go by."""
        self.at += timedelta(minutes=1)
        return self.at

    def advance(self) -> Stage:
        """Take the room on."""
        with unit_of_work():
            room = self.room()
            return course.advance(room, room.stage, by_id=self.chair.id, now=self.later())

    def rate(self, person: Person, values: Sequence[int], *, seq: int = 1) -> None:
        """Rate every item of the list; the values are repeated as often as needed."""
        given = {n: values[(n - 1) % len(values)] for n in range(1, self.items + 1)}
        with unit_of_work():
            rating.save_all(self.room(person), given, seq, now=self.later())

    def sign(self, person: Person, choice: Choice = Choice.SIGNED, reason: str = "") -> None:
        """Sign what is there, or abstain."""
        with unit_of_work():
            room = self.room(person)
            seen = results.read(room).digest
            results.sign(room, choice, reason, seen, person_id=person.id, now=self.later())


def hold(
    size: int = 3,
    *,
    curriculum: str = "K4",
    training: int = 1,
    stage: Stage = Stage.FIRST,
    chair: Person | None = None,
    panel: list[Person] | None = None,
) -> Held:
    """Open a room with a panel and take it to a stage; everybody rates a little differently."""
    chair = chair or factories.person("admin", name="Ketua Panel")
    panel = panel or [
        factories.person("reviewer", name=f"Ahli Nomor {n}") for n in range(1, size + 1)
    ]
    held = Held(chair, panel)
    with unit_of_work():
        held.public_id = services.open_room(
            curriculum, person=WORDS, training=training, chair_id=chair.id, now=NOW
        )
    with unit_of_work():
        course.invite(held.room(), [one.public_id for one in panel], LINK, by_id=chair.id, now=NOW)
    held.items = len(services.list_items(held.room()))
    db.session.rollback()
    order = [Stage.INVITING, Stage.FIRST, Stage.TALK, Stage.SECOND, Stage.SIGNING, Stage.CLOSED]
    for reached in order[: order.index(stage)]:
        if reached is Stage.FIRST:
            for n, one in enumerate(panel):
                held.rate(one, [60 + 5 * n, 70, 80])
        if reached is Stage.SIGNING:
            for one in panel:
                held.sign(one)
        held.advance()
    return held
