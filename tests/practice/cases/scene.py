"""A class with a companion, an assessor and a trainer, and short ways through the case study."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.cohorts.models import Part
from lms.competency import services as competency
from lms.core.db import unit_of_work
from lms.core.login import Viewer
from lms.practice.cases import rules, services
from lms.practice.cases.rules import Mark
from tests import factories
from tests.factories import NOW

CODE = "SK1"
CRITICAL = ("03.1.1", "03.1.4", "03.2.1")
WORDS = 160
"""Within the limits of every task of SK1."""


@dataclass
class Scene:
    """The people of one class, by id."""

    trainee: int
    assessor: Viewer
    trainer: Viewer
    cohort: int
    slug: str


def viewer_of(person: Person) -> Viewer:
    """Return somebody as views see them."""
    roles = frozenset(accounts.roles_of(person.id))
    return Viewer(person.id, person.public_id, person.name, roles, "id", "token")


def scene(zone: str = "WIB") -> Scene:
    """Make a class of one companion with an assessor and a trainer."""
    where = factories.cohort(zone=zone)
    trainee = factories.person(name="Siti Peserta")
    assessor = factories.person("assessor", name="Budi Penilai")
    trainer = factories.person("trainer", name="Rini Pelatih")
    factories.seat(trainee, where)
    factories.staff(assessor, where, Part.ASSESSOR)
    factories.staff(trainer, where, Part.TRAINER)
    return Scene(trainee.id, viewer_of(assessor), viewer_of(trainer), where.id, where.slug)


def prose(words: int = WORDS, word: str = "kata") -> str:
    """Return a text of so many words."""
    return " ".join([word] * words)


def kuk() -> list[str]:
    """Return the criteria of the case."""
    return list(services.get_case(CODE).spec.kuk)


def write(person_id: int, word: str = "kata", *, words: int = WORDS, now: datetime = NOW) -> None:
    """Write every open part."""
    state = services.case_state(person_id, CODE, now)
    answers = {task.id: prose(words, word) for task in state.open_tasks}
    with unit_of_work():
        services.save_drafts(
            person_id, CODE, answers, page=f"hal-{word}", seen=_seen(person_id), now=now
        )


def _seen(person_id: int) -> dict[str, str]:
    drafts = services.drafts_of(person_id, CODE)
    return {task: rules.trace(draft.text) for task, draft in drafts.items()}


def hand_in(person_id: int, word: str = "kata", *, now: datetime = NOW) -> str:
    """Write every open part and hand it in; return the public id."""
    write(person_id, word, now=now)
    with unit_of_work():
        return services.submit(person_id, CODE, reviewed=None, now=now).public_id


def marks(levels: Mapping[str, int] | None = None, *, default: int = 2) -> dict[str, Mark]:
    """Return marks for every criterion; those not named get `default`."""
    return {code: Mark((levels or {}).get(code, default), f"Catatan {code}") for code in kuk()}


def decide(
    public_id: str,
    by: Viewer,
    levels: Mapping[str, int] | None = None,
    *,
    default: int = 2,
    now: datetime = NOW + timedelta(days=1),
) -> None:
    """Decide a submission."""
    with unit_of_work():
        services.decide(
            public_id, by, marks=marks(levels, default=default), feedback="Sudah runtut.", now=now
        )


def one_try(
    here: Scene, word: str, levels: Mapping[str, int], *, day: int = 0, default: int = 2
) -> str:
    """Hand in and have it decided, `day` days after the beginning; return the public id."""
    at = NOW + timedelta(days=day)
    public_id = hand_in(here.trainee, word, now=at)
    decide(public_id, here.assessor, levels, now=at + timedelta(hours=1), default=default)
    return public_id


def evidence_ids(person_id: int, group: str) -> list[int]:
    """Return the ids of the ledger rows of one submission."""
    return [row.id for row in competency.list_evidence(person_id) if row.group_key == group]
