"""A class at its observation test, and short words to mark with."""

from datetime import UTC, datetime

from lms.accounts.models import Person
from lms.cohorts.models import Cohort, Part
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind, Ledger, State
from lms.core.db import db, unit_of_work
from lms.practice.observations import services, sheets
from lms.practice.observations.rules import Standing
from lms.practice.observations.services import Entry, Outcome
from tests import factories

AT = datetime(2026, 3, 21, 3, 42, tzinfo=UTC)  # 10.42 WIB on the second day


class Room:
    """A class with an assessor and some people."""

    def __init__(self, people: int = 2) -> None:
        self.cohort = factories.cohort(curricula={"K1": ""})
        self.assessor = factories.person("assessor", name="Daud Rante")
        factories.staff(self.assessor, self.cohort, Part.ASSESSOR)
        sender = factories.organisation()
        self.people = [factories.person(name=f"Peserta {n:03d}") for n in range(people)]
        for each in self.people:
            factories.seat(each, self.cohort, sender)
        self.keys = [each.public_id for each in self.people]

    def mark(
        self,
        kuk: str,
        *said: Entry | int | None,
        code: str = "ST1",
        variant: str = "A",
        by: Person | None = None,
        feedback: bool = True,
        now: datetime = AT,
    ) -> Outcome:
        """Save one screen; a number stands for a mark with a note, None for nothing."""
        entries = {}
        for key, each in zip(self.keys, said, strict=False):
            is_mark = each is None or isinstance(each, int)
            entries[key] = Entry(each, "" if each is None else "Terlihat.", "") if is_mark else each
        assessor_id = (by or self.assessor).id
        with unit_of_work():
            return services.record(
                db.session.get_one(Cohort, self.cohort.id),
                code,
                kuk=kuk,
                variant=variant,
                entries=entries,
                has_feedback=feedback,
                assessor_id=assessor_id,
                now=now,
            )

    def annul(self, n: int = 0, code: str = "ST1", now: datetime = AT) -> None:
        """Take back the newest try of one person."""
        with unit_of_work():
            services.annul(
                db.session.get_one(Cohort, self.cohort.id),
                code,
                self.keys[n],
                reason="Salah orang.",
                assessor_id=self.assessor.id,
                now=now,
            )

    def standing(self, n: int = 0, code: str = "ST1", now: datetime = AT) -> Standing:
        """Return how far one person is."""
        found = sheets.get_board(self.cohort, self.assessor.id, now=now)
        [line] = [line for line in found.lines if line.seat.person_id == self.people[n].id]
        return line.standings[code]

    def sheet(self, kuk: str | None = None, code: str = "ST1", **values: object) -> sheets.Sheet:
        """Return one page."""
        wanted = {"variant": None, "chosen": (), "assessor_id": self.assessor.id, "now": AT}
        return sheets.get_sheet(self.cohort, code, kuk=kuk, **(wanted | values))

    def state(self, kuk: str, n: int = 0, now: datetime = AT) -> State:
        """Return what the ledger says of one criterion."""
        found = competency.current()
        ledger = Ledger(found.standard, competency.rows_of_one(self.people[n].id, found), now)
        return ledger.state(found.standard.find(kuk), EvidenceKind.OBS)
