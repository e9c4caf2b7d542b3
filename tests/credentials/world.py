"""A class, its trainer and a companion who has reached something: what these tests start from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from lms.accounts.models import Person
from lms.cohorts.models import Cohort, Organisation, Part
from lms.competency import services as competency
from lms.competency.rules import Row
from lms.core.db import db, unit_of_work
from lms.credentials import register, rules, schemes, services, signatures
from lms.credentials.models import Certificate
from lms.credentials.rules import Step
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
            raters=row.raters,
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
    assessor: Person = field(
        default_factory=lambda: factories.person("assessor", name="Lestari Widodo")
    )
    trainee: Person = field(
        default_factory=lambda: factories.person("trainee", name="Rahma Yuliani")
    )
    cohort: Cohort = field(init=False)

    def __post_init__(self) -> None:
        self.cohort = factories.cohort(self.host, slug="melati")
        factories.staff(self.trainer, self.cohort)
        factories.staff(self.assessor, self.cohort, Part.ASSESSOR)
        factories.seat(self.trainee, self.cohort, self.agency)

    def join(self, name: str, agency: Organisation | None = None) -> Person:
        """Give one more companion a seat."""
        someone = factories.person("trainee", name=name)
        factories.seat(someone, self.cohort, agency or self.agency)
        return someone

    def sign(
        self,
        someone: Person | None = None,
        scheme: str = "K1",
        *,
        by: Person | None = None,
        now: datetime = NOW,
        where: Cohort | None = None,
        **values: Any,
    ) -> tuple[Step, ...]:
        """Sign for the trainee by the trainer, unless said otherwise, under the evidence of now."""
        signer_id, person_id = (by or self.trainer).id, (someone or self.trainee).id
        cohort_id = (where or self.cohort).id
        values.setdefault("seen", self.seen(someone, scheme, now))
        with unit_of_work():
            return signatures.sign(
                person_id, scheme, cohort_id=cohort_id, signer_id=signer_id, now=now, **values
            )

    def seen(self, someone: Person | None = None, scheme: str = "K1", now: datetime = NOW) -> str:
        """Return the fingerprint of somebody's evidence."""
        person_id, found = (someone or self.trainee).id, competency.current()
        asked, held = schemes.get_scheme(scheme), register.list_held([person_id], now)
        judged = services.judge_many([person_id], asked, found, held, now)[person_id]
        return rules.digest(services.trace(asked, found, judged, held))

    def decided(self, someone: Person | None = None, scheme: str = "K1", **values: Any) -> int:
        """Let the trainer and the assessor sign. Returns the decision."""
        for by in (values.pop("by", self.trainer), self.assessor):
            self.sign(someone, scheme, by=by, **values)
        person_id = (someone or self.trainee).id
        found = signatures.find_decided(person_id, scheme)
        assert found is not None
        return found

    def issue(
        self, someone: Person | None = None, scheme: str = "K1", **values: Any
    ) -> Certificate:
        """Issue a certificate; K1 to the trainee, signed by the trainer, unless said otherwise."""
        asked: dict[str, Any] = {"now": NOW, "base_url": BASE, "sample": False} | {
            key: values.pop(key) for key in ("now", "base_url", "sample") if key in values
        }
        if "cohort_id" in values:
            values["where"] = db.session.get_one(Cohort, values.pop("cohort_id"))
            factories.staff(self.assessor, values["where"], Part.ASSESSOR)
        decision_id = self.decided(someone, scheme, now=asked["now"], **values)
        with unit_of_work():
            made = services.issue(decision_id, by_id=self.trainer.id, **asked).id
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
