"""Classes that follow from each other, made by inserts: many people cost little."""

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import insert, select

from lms.accounts.models import Person
from lms.cohorts.models import CohortStaff, Enrolment, Part
from lms.competency.models import Evidence, StandardVersion
from lms.competency.rules import EvidenceKind
from lms.core.db import db, unit_of_work
from tests import factories

BEGIN = date(2020, 1, 1)


def people(count: int, prefix: str = "orang") -> list[int]:
    """Insert accounts nobody can sign in with."""
    with unit_of_work():
        before = db.session.scalars(select(Person.id).order_by(Person.id.desc()).limit(1)).first()
        first = (before or 0) + 1
        rows = [
            {
                "id": first + n,
                "public_id": f"{prefix}{first + n}",
                "email": f"{prefix}-{first + n}@contoh.test",
                "name": f"{prefix.title()} {first + n:06}",
                "password_hash": "-",
                "created_at": factories.NOW,
            }
            for n in range(count)
        ]
        db.session.execute(insert(Person), rows)
    return [row["id"] for row in rows]


def held(
    staff: Sequence[int],
    trained: Sequence[int],
    day: int,
    *,
    absent: Sequence[int] = (),
    version: str = "v1",
    curriculum: str = "K1",
) -> int:
    """Hold a class on a day: who taught it, who came, who had a seat and did not come."""
    starts = BEGIN + timedelta(days=day)
    cohort = factories.cohort(
        starts_on=starts, ends_on=starts + timedelta(days=1), curricula={curriculum: version}
    )
    cohort_id, host_id = cohort.id, cohort.host_id
    with unit_of_work():
        fill(cohort_id, host_id, staff, [*trained, *absent])
        attend(cohort_id, trained)
    return cohort_id


def fill(cohort_id: int, host_id: int, staff: Sequence[int], seats: Sequence[int]) -> None:
    """Insert staff and seats. Needs a unit of work."""
    team = [{"cohort_id": cohort_id, "person_id": who, "part": Part.TRAINER} for who in staff]
    seated = [
        {
            "cohort_id": cohort_id,
            "person_id": who,
            "organisation_id": host_id,
            "created_at": factories.NOW,
        }
        for who in seats
    ]
    for table, rows in ((CohortStaff, team), (Enrolment, seated)):
        if rows:
            db.session.execute(insert(table), rows)


def attend(cohort_id: int, people_ids: Sequence[int]) -> None:
    """Insert the evidence that these people attended. Needs a unit of work."""
    standard_id = db.session.scalars(select(StandardVersion.id)).first()
    rows = [
        {
            "person_id": who,
            "standard_version_id": standard_id,
            "kind": EvidenceKind.HDR,
            "kuk": "",
            "source": "K1.T",
            "group_key": f"cohort:{cohort_id}",
            "ref": "K1.T/1",
            "passed": True,
            "note": "",
            "harmful": False,
            "happened_at": factories.NOW,
            "recorded_at": factories.NOW,
        }
        for who in people_ids
    ]
    if rows:
        db.session.execute(insert(Evidence), rows)
