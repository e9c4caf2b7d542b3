"""A class, its trainer and a companion who has reached something: what these tests start from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lms.accounts.models import Person
from lms.cohorts.models import Cohort, Organisation
from lms.competency import services as competency
from lms.competency.rules import Row
from lms.core.db import db, unit_of_work
from lms.credentials import services
from lms.credentials.models import Certificate
from tests import factories, ledgers

NOW = datetime(2026, 4, 1, 2, 30, tzinfo=UTC)
"""1 April 2026, 09.30 WIB."""
BASE = "https://suluh.example"


def append(person_id: int, rows: list[Row], prefix: str = "") -> None:
    """Append plain rows to somebody's ledger."""
    found = competency.current()
    facts = [
        competency.NewEvidence(
            person_id=person_id,
            kind=row.kind,
            kuk=row.kuk,
            source=row.source,
            group=f"{prefix}{row.group}",
            ref=row.ref,
            passed=row.passed,
            mark=row.mark,
            harmful=row.harmful,
            happened_at=row.at,
        )
        for row in rows
    ]
    with unit_of_work():
        competency.append(facts, standard_id=found.id, now=NOW)


def fulfil(someone: Person, *curricula: str, at: datetime = NOW - timedelta(days=9)) -> None:
    """Let somebody reach everything these curricula ask for."""
    person_id = someone.id
    for curriculum in curricula:
        rows = ledgers.full(curriculum, at)
        if curriculum == "T":  # microteaching is asked for in every criterion of unit 11
            make, seen = ledgers.Maker(), {row.kuk for row in rows if row.kind is ledgers.OBS}
            asked = {kuk.code for kuk in ledgers.kuk_with(ledgers.OBS, "T")} - seen
            rows += [make.row(ledgers.OBS, code, "o1", at=at) for code in sorted(asked)]
        append(person_id, rows, f"{curriculum}-{at:%Y%m%d}-")


@dataclass
class World:
    """One class with a trainer and a companion sent by an agency."""

    host: Organisation = field(default_factory=lambda: factories.organisation("Dinas Contoh"))
    agency: Organisation = field(
        default_factory=lambda: factories.organisation("Puskesmas Kenanga")
    )
    trainer: Person = field(
        default_factory=lambda: factories.person("trainer", name="Endang Lestari")
    )
    trainee: Person = field(
        default_factory=lambda: factories.person("trainee", name="Rahma Yuliani")
    )
    cohort: Cohort = field(init=False)

    def __post_init__(self) -> None:
        self.cohort = factories.cohort(self.host, slug="melati")
        factories.staff(self.trainer, self.cohort)
        factories.seat(self.trainee, self.cohort, self.agency)

    def join(self, name: str, agency: Organisation | None = None) -> Person:
        """Give one more companion a seat."""
        someone = factories.person("trainee", name=name)
        factories.seat(someone, self.cohort, agency or self.agency)
        return someone

    def issue(
        self, someone: Person | None = None, scheme: str = "K1", **values: Any
    ) -> Certificate:
        """Issue a certificate; K1 to the trainee, signed by the trainer, unless said otherwise."""
        asked: dict[str, Any] = {
            "cohort_id": self.cohort.id,
            "signer_id": self.trainer.id,
            "now": NOW,
            "base_url": BASE,
            "sample": False,
        }
        person_id = (someone or self.trainee).id
        with unit_of_work():
            made = services.issue(person_id, scheme, **(asked | values)).id
        return db.session.get_one(Certificate, made)

    def certified(self, someone: Person | None = None, **values: Any) -> Certificate:
        """Let somebody reach K1 and issue the certificate."""
        now = values.get("now", NOW)
        fulfil(someone or self.trainee, "K1", at=now - timedelta(days=9))
        return self.issue(someone, **values)


def refuses(error: type[Exception], call: Callable[[], object]) -> Any:
    """Return the error a call raises; the test fails when it raises none."""
    try:
        call()
    except error as raised:
        return raised
    raise AssertionError(f"{error.__name__} was not raised")
