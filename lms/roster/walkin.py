"""How somebody gets in who stands at the door without a seat: added, noted, invited; and undone.

Services flush. The class is held first, then its seats, then the invitation: whoever comes second
waits and counts what the first one did.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from flask import current_app

from lms.accounts import services as accounts
from lms.accounts.rules import FORGET
from lms.cohorts import invitations, letters, organisations, seats
from lms.cohorts import rules as cohort_rules
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, Organisation, OrganisationKind, Part
from lms.core import audit
from lms.core.errors import DomainError, NotFound
from lms.core.login import Viewer
from lms.nominations import halls, seating
from lms.practice.attendance import services as attendance
from lms.practice.attendance.models import Presence, Way
from lms.practice.attendance.rules import Half, Mark
from lms.roster.services import NotOne


class NotYet(DomainError):
    """The class has not begun: who wants to come is invited or nominated."""


class Oneself(DomainError):
    """Nobody gives a seat to themselves, or notes themselves."""


class OnStaff(DomainError):
    """The person trains or assesses in this class."""


class Accepted(DomainError):
    """The person has accepted the invitation since, so the seat is theirs."""


class Attended(DomainError):
    """More than what was noted at the door would be lost with the seat."""


class Result(StrEnum):
    """What became of somebody at the door."""

    SEATED = "seated"
    """On the list, and noted."""
    ASKED = "asked"
    """A seat is kept, and the note counts once they accept it."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody at the door, as the trainer writes them down."""

    name: str
    email: str
    organisation_id: int
    presence: Presence


@dataclass(frozen=True, slots=True)
class Added:
    """What became of it. The link exists only here and in the message."""

    result: Result
    name: str
    link: str


@dataclass(frozen=True, slots=True)
class Undone:
    """Who was taken off the list again, and whether an offer of before still keeps a seat."""

    name: str
    is_invited: bool


@dataclass(frozen=True, slots=True)
class Door:
    """What the page shows: how the seats stand, and who was added at the door."""

    halves: tuple[Half, ...]
    half: Half
    has_begun: bool
    capacity: int | None
    """None where nobody counts seats."""
    free: int
    visitors: list[invitations.Held]


def look(cohort: Cohort, key: str | None, *, now: datetime) -> Door:
    """Return how the door of a class stands; a fixed number of queries. Raises NotFound."""
    table = attendance.timetable_of(cohort)
    found = seating.find_seating(cohort.id)
    hall = halls.read_hall(found, cohort, now) if found else None
    return Door(
        halves=tuple(table.days),
        half=table.choose(cohort, key, now),
        has_begun=has_begun(cohort, now),
        capacity=hall.capacity if hall else None,
        free=hall.free if hall else 0,
        visitors=invitations.held_by(cohort.id, attendance.noted_at_door(cohort.id), now=now),
    )


def has_begun(cohort: Cohort, now: datetime) -> bool:
    """Tell whether the first day of a class has come, by its own clock."""
    return now >= halls.starts_at(cohort)


def find_organisation(
    chosen: str,
    typed: str,
    kind: OrganisationKind | None,
    cohort: Cohort,
    *,
    abbreviations: Iterable[cohort_rules.Abbreviation],
    actor_id: int,
    now: datetime,
) -> Organisation:
    """Return who sends somebody: the chosen one, the one a typed name means, or a new one. Flushes.

    Raises NotFound, and NotOne for a name that may mean several, or is new and has no kind.
    """
    if chosen:
        return organisations.get_organisation(chosen)
    index = cohort_rules.NameIndex(organisations.list_known_names(), abbreviations)
    match = index.match(typed)
    if match.fit is cohort_rules.Fit.ONE:
        [known] = seats.organisations_by_id([match.candidates[0].organisation_id]).values()
        return known
    if match.fit is not cohort_rules.Fit.UNKNOWN or kind is None:
        raise NotOne(match.fit.value)
    return organisations.create_organisation(
        name=typed, kind=kind, city=cohort.city, actor_id=actor_id, now=now
    )


def add(
    cohort: Cohort,
    key: str,
    visitor: Visitor,
    viewer: Viewer,
    *,
    beyond: str = "",
    base_url: str,
    now: datetime,
) -> Added:
    """Give somebody at the door a seat, note them in this half day and invite them. Flushes.

    A new address gets an account that waits for its first password. Whose account is in another
    class of the viewer sits down at once too; anybody else's is theirs to bring in: a seat is kept,
    and what is noted counts when they accept. `beyond` is why a full class becomes one larger.
    Raises NotYet, Oneself, OnStaff, invitations.AlreadySeated, seats.NoSeat, NotFound.
    """
    if not has_begun(cohort, now):
        raise NotYet(cohort.slug)
    attendance.lock(cohort)
    table = attendance.timetable_of(cohort)
    half = table.find(key)
    known = accounts.find_account(visitor.email)
    if known is not None and known.id == viewer.id:
        raise Oneself(viewer.public_id)
    if known is not None and seats.seated_pairs([(cohort.id, known.id)]):
        raise invitations.AlreadySeated(visitor.email)
    if known is not None and _works_here(cohort, known.id):
        raise OnStaff(visitor.email)
    invited = _invite(cohort, visitor, viewer, beyond, base_url, now)
    if known is None:
        known, is_new = _make_account(visitor, now)
    else:
        is_new = False
    sits = is_new or (known.is_open and known.id in cohorts.people_in_scope(viewer, Part.TRAINER))
    if sits:
        sender = invited.invitation.organisation_id or visitor.organisation_id
        cohorts.enrol(known.id, cohort.id, sender, now=now)
        accounts.add_roles(known.id, ["trainee"])
    mark = {known.id: Mark(visitor.presence)}
    attendance.note(cohort, table, half, mark, by_id=viewer.id, way=Way.DOOR, now=now, counts=sits)
    result = Result.SEATED if sits else Result.ASKED
    audit.record(
        "roster.walk_in",
        f"cohort:{cohort.id}",
        actor_id=viewer.id,
        now=now,
        person=known.id,
        invitation=invited.invitation.id,
        half=half.key,
        result=result.value,
    )
    name = known.name if sits else visitor.name
    return Added(result, name, f"{base_url}/undangan/{invited.token}")


def _works_here(cohort: Cohort, person_id: int) -> bool:
    staff = cohorts.list_staff(cohort.id)
    return any(one.person_id == person_id and one.part is not Part.SPEAKER for one in staff)


def _invite(
    cohort: Cohort, visitor: Visitor, viewer: Viewer, beyond: str, base_url: str, now: datetime
) -> invitations.Invited:
    """Send an invitation, or send the open one again: that one has a seat already."""
    room = seating.enter(cohort.id, now=now)
    held = invitations.find_held(cohort.id, visitor.email, now=now)
    if held is not None:
        subject, body = _letter(cohort, held.name, held.organisation_id, viewer, held.expires_at)
        return invitations.renew(
            held.id, actor_id=viewer.id, base_url=base_url, subject=subject, body=body, now=now
        )
    if beyond and room is not None:
        seating.add_seat(cohort.id, reason=beyond, actor_id=viewer.id, now=now)
    until = now + cohort_rules.INVITATION
    subject, body = _letter(cohort, visitor.name, visitor.organisation_id, viewer, until)
    return invitations.invite(
        email=visitor.email,
        name=visitor.name,
        roles=["trainee"],
        cohort_id=cohort.id,
        organisation_id=visitor.organisation_id,
        created_by=viewer.id,
        base_url=base_url,
        subject=subject,
        body=body,
        now=now,
    )


def _letter(
    cohort: Cohort, name: str, organisation_id: int | None, viewer: Viewer, expires_at: datetime
) -> tuple[str, str]:
    names = organisations.organisation_names([organisation_id] if organisation_id else [])
    return letters.invitation(
        inviter=viewer.name,
        # The link comes in later; a name that looks like its place must not take it.
        name=name.replace("{", "(").replace("}", ")"),
        role="trainee",
        organisation=next(iter(names.values()), None),
        cohort=cohort,
        expires_at=expires_at,
    )


def _make_account(visitor: Visitor, now: datetime) -> tuple[accounts.Account, bool]:
    """Make an account without a password; tell whether somebody else did that a moment ago."""
    try:
        person = accounts.add_unclaimed(
            email=visitor.email, name=visitor.name, roles=["trainee"], now=now
        )
    except accounts.EmailTaken:
        found = accounts.find_account(visitor.email)
        if found is None:
            raise
        return found, False
    return accounts.Account(person.id, person.name, has_password=False, is_open=True), True


def undo(cohort: Cohort, public_id: str, viewer: Viewer, *, now: datetime) -> Undone:
    """Take back what was done at the door, by the invitation's public id. Flushes.

    The seat is free again, the notes of this class count no more, the link is dead; an offer of
    before the door stays. An account made at the door that nobody ever used is forgotten.
    Raises NotFound, Accepted, Attended.
    """
    attendance.lock(cohort)
    seating.enter(cohort.id, now=now)
    at_door = attendance.noted_at_door(cohort.id)
    visitors = invitations.held_by(cohort.id, at_door, now=now)
    held = next((one for one in visitors if one.public_id == public_id), None)
    if held is None or held.person_id == viewer.id:
        raise NotFound(public_id)
    if held.standing is cohort_rules.Standing.ACCEPTED:
        raise Accepted(public_id)
    came = attendance.halves_at_door(cohort.id, held.person_id)
    if held.seated and not accounts.is_untouched(held.person_id):
        _refuse_loss(cohort, held.person_id, came, now)
    is_open = held.standing is cohort_rules.Standing.OPEN
    is_older = held.sent_at < min(came.values())
    if is_open and not is_older:
        found = invitations.get_invitation(public_id, viewer)
        try:
            invitations.withdraw(found.id, actor_id=viewer.id, now=now)
        except invitations.InvitationClosed:  # accepted this very moment
            raise Accepted(public_id) from None
    attendance.clear_marks(
        cohort, held.person_id, recorder_id=viewer.id, counts=held.seated, now=now
    )
    if held.seated:
        seats.leave(held.person_id, cohort.id, actor_id=viewer.id, now=now)
        seats.part_from(held.person_id, held.organisation_id)
    audit.record(
        "roster.walk_in_undo",
        f"cohort:{cohort.id}",
        actor_id=viewer.id,
        now=now,
        person=held.person_id,
    )
    seating.settle(cohort.id, now=now)
    if accounts.is_untouched(held.person_id) and not seats.is_awaited(held.person_id, held.email):
        current_app.extensions[FORGET](held.person_id, now)
    return Undone(held.name, is_open and is_older)


def _refuse_loss(cohort: Cohort, person_id: int, came: Collection[Half], now: datetime) -> None:
    """Let nobody lose by one button what they attended. Raises Attended."""
    noted = {half for _who, half in attendance.newest_marks(cohort.id, [person_id])}
    if noted - set(came) or cohorts.today_in(cohort, now) > cohort.ends_on:
        raise Attended(str(person_id))
