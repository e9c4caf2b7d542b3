"""For which agency an officer works now."""

from collections.abc import Sequence
from dataclasses import dataclass

from lms.cohorts import organisations
from lms.cohorts.models import Organisation, Part
from lms.core.errors import NotFound


@dataclass(frozen=True, slots=True)
class Chosen:
    """The agency that was chosen, among those somebody is an officer of."""

    organisation: Organisation
    all: Sequence[Organisation]


def names_of(officer_id: int) -> str:
    """Return the names of the agencies somebody is an officer of; one query."""
    found = organisations.organisations_of(officer_id, Part.OFFICER)
    return ", ".join(one.name for one in found)


def choose(officer_id: int, public_id: str = "") -> Chosen:
    """Return the agency of this id, or the first one; one query. Raises NotFound."""
    found = organisations.organisations_of(officer_id, Part.OFFICER)
    for one in found:
        if public_id in ("", one.public_id):
            return Chosen(one, found)
    raise NotFound(public_id)
