"""Which villages an agency's people serve, and how far that is from what it wants. Services flush.

The list of villages belongs to a city and is shared by its agencies; who serves where is told by
the agency the person belongs to, and the targets are each agency's own.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from lms.accounts import services as accounts
from lms.agencies.models import CoverageTarget, ServiceArea, Village
from lms.cohorts import organisations
from lms.cohorts.models import Organisation
from lms.core import audit
from lms.core.db import db, insert_into, insert_once
from lms.core.errors import NotFound
from lms.core.ids import public_id as new_public_id
from lms.credentials import register, schemes
from lms.credentials.rules import SchemeText, Status

MOST_VILLAGES = 300
"""Of one city: the largest cities of Indonesia have about 270 kelurahan."""
LONGEST_NAME = 80
MOST_WANTED = 99


@dataclass(frozen=True, slots=True)
class Cell:
    """How many serve a village at one level, and how many are wanted; None without a target."""

    have: int
    wanted: int | None

    @property
    def missing(self) -> int:
        """How many more are wanted."""
        return max(0, (self.wanted or 0) - self.have)


@dataclass(frozen=True, slots=True)
class Row:
    """One village: its cells in the order of the levels."""

    village: Village
    people: int
    """Who serves there, certified or not."""
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Map:
    """Villages by levels."""

    levels: list[SchemeText]
    rows: list[Row]
    unplaced: int
    """People of the agency no village was told of."""

    @property
    def missing(self) -> int:
        """How many more are wanted in all villages."""
        return sum(cell.missing for row in self.rows for cell in row.cells)


def read_map(organisation: Organisation, at: datetime) -> Map:
    """Return the map of an agency; six queries. Levels nobody has or wants are left out."""
    people = [person_id for person_id, _name in organisations.members_of(organisation.id)]
    places = _places(people)
    holds: dict[int, set[str]] = defaultdict(set)
    for entry in register.list_held(people, at):
        if entry.status is Status.VALID:
            holds[entry.person_id].add(entry.scheme)
    targets = {
        (row.village_id, row.scheme_code): row.wanted
        for row in db.session.scalars(
            select(CoverageTarget).where(CoverageTarget.organisation_id == organisation.id)
        )
    }
    used = {scheme for _village, scheme in targets} | set().union(*holds.values())
    known = schemes.list_schemes()
    levels = [one for one in known if one.code in used] or known
    rows = []
    for village in list_villages(organisation.city):
        serving = [person for person in people if village.id in places[person]]
        cells = [
            Cell(
                sum(level.code in holds[person] for person in serving),
                targets.get((village.id, level.code)),
            )
            for level in levels
        ]
        rows.append(Row(village, len(serving), cells))
    return Map(levels, rows, sum(not places[person] for person in people))


def count_serving(city: str, people: Collection[int]) -> tuple[list[tuple[Village, int]], int]:
    """Count who serves each village of a city, and who serves none anywhere; two queries."""
    places = _places(people)
    served = Counter(village for villages in places.values() for village in villages)
    found = [(village, served[village.id]) for village in list_villages(city)]
    return found, sum(person not in places for person in people)


def _places(people: Collection[int]) -> dict[int, set[int]]:
    found: dict[int, set[int]] = defaultdict(set)
    for row in db.session.execute(
        select(ServiceArea.person_id, ServiceArea.village_id).where(
            ServiceArea.person_id.in_(people)
        )
    ):
        found[row.person_id].add(row.village_id)
    return found


def list_villages(city: str) -> Sequence[Village]:
    """Return the villages of a city by name."""
    return db.session.scalars(
        select(Village).where(Village.city == _plain(city)).order_by(Village.normal)
    ).all()


def _plain(name: str) -> str:
    return " ".join(name.casefold().split())


def add_villages(city: str, names: Iterable[str], *, actor_id: int, now: datetime) -> int:
    """Add villages that are not on the list of a city yet. Returns how many. Flushes."""
    added = sum(insert_once(Village, **_values(city, name, now)) for name in names if _plain(name))
    if added:
        audit.record(
            "agencies.villages", "village:*", actor_id=actor_id, now=now, city=city, added=added
        )
    return added


def _values(city: str, name: str, now: datetime) -> dict[str, object]:
    return {
        "public_id": new_public_id(),
        "city": _plain(city),
        "name": " ".join(name.split())[:LONGEST_NAME],
        "normal": _plain(name)[:LONGEST_NAME],
        "created_at": now,
    }


def set_target(
    organisation: Organisation,
    *,
    village: str,
    level: str,
    wanted: int,
    actor_id: int,
    now: datetime,
) -> int:
    """Set how many are wanted at a level in one village, or in all with an empty id; 0 takes back.

    Returns in how many villages. Raises NotFound. Flushes.
    """
    chosen = [one for one in list_villages(organisation.city) if village in ("", one.public_id)]
    if village and not chosen:
        raise NotFound(village)
    schemes.get_scheme(level)
    ids = [one.id for one in chosen]
    if not wanted:
        db.session.execute(
            delete(CoverageTarget).where(
                CoverageTarget.organisation_id == organisation.id,
                CoverageTarget.scheme_code == level,
                CoverageTarget.village_id.in_(ids),
            )
        )
    elif ids:
        rows = [
            {
                "organisation_id": organisation.id,
                "village_id": one,
                "scheme_code": level,
                "wanted": wanted,
            }
            for one in ids
        ]
        statement = insert_into(CoverageTarget).values(rows)
        key = ["organisation_id", "village_id", "scheme_code"]
        db.session.execute(
            statement.on_conflict_do_update(index_elements=key, set_={"wanted": wanted})
        )
    audit.record(
        "agencies.target",
        f"organisation:{organisation.id}",
        actor_id=actor_id,
        now=now,
        level=level,
        wanted=wanted,
        villages=len(ids),
    )
    return len(ids)


@dataclass(frozen=True, slots=True)
class Placed:
    """One of an agency's people, and the villages (public ids) they serve in its city."""

    person_id: int
    name: str
    organisation: Organisation
    villages: set[str]


def get_placed(agencies: Iterable[Organisation], public_id: str) -> Placed:
    """Return where one of the people of these agencies serves. Raises NotFound."""
    person = accounts.get_person(public_id)
    for one in agencies:
        if person.id in {person_id for person_id, _name in organisations.members_of(one.id)}:
            found = db.session.scalars(
                select(Village.public_id)
                .join(ServiceArea, ServiceArea.village_id == Village.id)
                .where(ServiceArea.person_id == person.id, Village.city == _plain(one.city))
            )
            return Placed(person.id, person.name, one, set(found))
    raise NotFound(public_id)


def set_areas(placed: Placed, villages: Collection[str], *, officer_id: int) -> None:
    """Say which villages of the agency's city somebody serves. Flushes.

    Raises NotFound for a village of another city.
    """
    known = {one.public_id: one.id for one in list_villages(placed.organisation.city)}
    if set(villages) - set(known):
        raise NotFound("village")
    db.session.execute(
        delete(ServiceArea).where(
            ServiceArea.person_id == placed.person_id, ServiceArea.village_id.in_(known.values())
        )
    )
    for village in villages:
        insert_once(
            ServiceArea,
            person_id=placed.person_id,
            village_id=known[village],
            noted_by=officer_id,
        )
