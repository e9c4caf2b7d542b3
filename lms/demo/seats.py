"""The seats of Kota Contoh: quotas as in Bontang 2016, and a class to come that fills up."""

import secrets
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from sqlalchemy import select

from lms.accounts import services as accounts
from lms.cohorts import invitations
from lms.cohorts.models import OrganisationKind
from lms.core.db import db, unit_of_work
from lms.core.login import Viewer
from lms.core.models import Mail
from lms.demo import people
from lms.nominations import services as nominations
from lms.nominations.services import Nominee

DAY = timedelta(days=1)
QUOTAS = {
    OrganisationKind.PUSKESMAS: 4,
    OrganisationKind.HOSPITAL: 3,
    OrganisationKind.KUA: 3,
    OrganisationKind.UPTD_PPA: 4,
    OrganisationKind.DISTRICT: 3,
    OrganisationKind.SOCIAL: 3,
    OrganisationKind.POLSEK: 3,
    OrganisationKind.POLRES: 2,
}
"""The eight kinds of Bontang 2016, 25 seats."""


def quotas_of_past(cohort_id: int, starts: datetime, *, actor_id: int) -> None:
    """Give the class that was held quotas that fit who sat in it. Commits."""
    kinds = Counter(people.AGENCIES[agency][1] for _name, agency, _stage in people.SEATS)
    with unit_of_work():
        nominations.set_quotas(
            cohort_id,
            capacity=kinds.total(),
            nominate_until=starts - 10 * DAY,
            offer_hours=72,
            quotas=kinds,
            actor_id=actor_id,
            now=starts - 30 * DAY,
        )


def nominate(
    cohort_id: int,
    agencies: Mapping[str, int],
    officers: Mapping[str, int],
    *,
    actor_id: int,
    maker: PasswordHasher,
    now: datetime,
) -> None:
    """Let agencies fill the class to come: confirmed, offered, waiting, declined. Commits.

    `officers` are person ids by agency; where there is none, `actor_id` nominates.
    """
    with unit_of_work():
        nominations.set_quotas(
            cohort_id,
            capacity=25,
            nominate_until=(now + 7 * DAY).replace(hour=8, minute=0, second=0, microsecond=0),
            offer_hours=72,
            quotas=QUOTAS,
            actor_id=actor_id,
            now=now - 9 * DAY,
        )
    for agency, names in people.NOMINEES.items():
        at = now - 2 * DAY
        rows = [Nominee(agencies[agency], name, _address(name)) for name in names]
        with unit_of_work():
            nominations.nominate_many(
                cohort_id, rows, actor_id=officers.get(agency, actor_id), now=at
            )
    for name in people.ACCEPTING:
        _accept(name, maker, now - DAY)
    for name in people.DECLINING:
        token = _token(name)
        with unit_of_work():
            nominations.decline(token, now=now - DAY)


def _address(name: str) -> str:
    return f"{name.lower().replace(' ', '.')}@contoh.test"


def _token(name: str) -> str:
    """Return the token in the newest letter to somebody."""
    to = select(Mail.body).where(Mail.to == _address(name)).order_by(Mail.id.desc())
    letters: Iterable[str] = db.session.scalars(to.limit(1))
    return next(iter(letters)).split("/undangan/")[1].split()[0]


def _accept(name: str, maker: PasswordHasher, at: datetime) -> None:
    token = _token(name)
    with unit_of_work():
        person = accounts.create_person(
            email=_address(name),
            name=name,
            password=secrets.token_urlsafe(9),
            roles=["trainee"],
            maker=maker,
            now=at,
        )
        viewer = Viewer(person.id, person.public_id, name, frozenset(["trainee"]), "id", "")
        invitations.accept_as(token, viewer, now=at)
