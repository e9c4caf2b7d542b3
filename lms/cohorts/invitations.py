"""What people do with invitations: send, read, take back, accept. Services flush."""

from dataclasses import dataclass
from datetime import datetime

from argon2 import PasswordHasher
from sqlalchemy import Select, select

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.accounts.rules import normal_email
from lms.cohorts import rules, services
from lms.cohorts.models import (
    Cohort,
    Enrolment,
    Invitation,
    Organisation,
    Part,
)
from lms.core import audit, mail
from lms.core.db import db
from lms.core.errors import DomainError, NotFound
from lms.core.ids import hash_token, new_token
from lms.core.login import Viewer


class AlreadyInvited(DomainError):
    """The same invitation is still open."""


class AlreadySeated(DomainError):
    """The person sits in the class already."""


class UnknownInvitation(NotFound):
    """No invitation has this token, or it is not the viewer's."""


class InvitationClosed(DomainError):
    """The invitation was used, withdrawn or is too old; `standing` says which."""

    def __init__(self, standing: rules.Standing) -> None:
        super().__init__(standing.value)
        self.standing = standing


@dataclass(frozen=True, slots=True)
class Letter:
    """An open invitation as the invited person reads it."""

    email: str
    name: str
    roles: list[str]
    inviter: str
    organisation: str | None
    cohort: Cohort | None
    expires_at: datetime
    person_id: int | None
    """Who signs in with this address already, if anybody."""


@dataclass(frozen=True, slots=True)
class InvitationLine:
    """One invitation in a list."""

    public_id: str
    email: str
    name: str
    roles: list[str]
    inviter: str
    organisation: str | None
    cohort: str | None
    standing: rules.Standing
    expires_at: datetime
    accepted_at: datetime | None
    id: int


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation that was just made; the token exists only here and in the message."""

    invitation: Invitation
    token: str


def invite(
    *,
    email: str,
    name: str,
    roles: list[str],
    cohort_id: int | None,
    organisation_id: int | None,
    created_by: int,
    base_url: str,
    subject: str,
    body: str,
    now: datetime,
) -> Invited:
    """Invite one person and put the message in the outbox. Flushes.

    `body` has places `{link}` for the personal address. Raises AlreadyInvited, AlreadySeated.
    """
    _refuse_twice(normal_email(email), roles, cohort_id, now)
    token = new_token()
    invitation = Invitation(
        token_hash=hash_token(token),
        email=normal_email(email),
        name=name,
        roles=roles,
        cohort_id=cohort_id,
        organisation_id=organisation_id,
        created_by=created_by,
        created_at=now,
        expires_at=now + rules.INVITATION,
    )
    db.session.add(invitation)
    db.session.flush()
    link = f"{base_url}/undangan/{token}"
    mail.put(invitation.email, subject, body.replace("{link}", link), now=now)
    audit.record("cohorts.invite", f"invitation:{invitation.id}", actor_id=created_by, now=now)
    return Invited(invitation, token)


def _refuse_twice(email: str, roles: list[str], cohort_id: int | None, now: datetime) -> None:
    same = Invitation.cohort_id == cohort_id if cohort_id else Invitation.cohort_id.is_(None)
    query = select(Invitation).where(Invitation.email == email, same)
    for known in db.session.scalars(query):
        if known.roles == roles and standing_of(known, now) is rules.Standing.OPEN:
            raise AlreadyInvited(email)
    if "trainee" in roles and cohort_id:
        seat = (
            select(Enrolment.id)
            .join(Person, Person.id == Enrolment.person_id)
            .where(Enrolment.cohort_id == cohort_id, Person.email == email)
        )
        if db.session.scalar(seat) is not None:
            raise AlreadySeated(email)


def read_invitation(token: str, *, now: datetime) -> Letter:
    """Return what an open invitation says. Raises UnknownInvitation, InvitationClosed."""
    row = db.session.execute(
        _invitations().where(Invitation.token_hash == hash_token(token))
    ).first()
    if row is None:
        raise UnknownInvitation
    invitation, inviter, organisation, cohort = row
    _require_open(invitation, now)
    return Letter(
        email=invitation.email,
        name=invitation.name,
        roles=invitation.roles,
        inviter=inviter,
        organisation=organisation,
        cohort=cohort,
        expires_at=invitation.expires_at,
        person_id=accounts.find_person_id(invitation.email),
    )


def get_invitation(public_id: str, viewer: Viewer) -> Invitation:
    """Return an invitation the viewer may take back. Raises NotFound.

    An administrator may take back every one, a trainer those of companions of an own class.
    """
    query = select(Invitation).where(Invitation.public_id == public_id)
    if "admin" not in viewer.roles:
        query = query.where(Invitation.cohort_id.in_(services.staffed_by(viewer.id, Part.TRAINER)))
    found = db.session.scalar(query)
    if found is None or ("admin" not in viewer.roles and found.roles != ["trainee"]):
        raise NotFound(public_id)
    return found


def list_invitations(
    cohort_id: int | None = None,
    *,
    now: datetime,
    before: int | None = None,
    limit: int = 200,
) -> list[InvitationLine]:
    """Return invitations, newest first, of one class or of all, in one query.

    `before` is the id the previous page ended at.
    """
    query = _invitations().order_by(Invitation.id.desc()).limit(limit)
    if cohort_id is not None:
        query = query.where(Invitation.cohort_id == cohort_id)
    if before is not None:
        query = query.where(Invitation.id < before)
    return [
        InvitationLine(
            public_id=one.public_id,
            email=one.email,
            name=one.name,
            roles=one.roles,
            inviter=inviter,
            organisation=organisation,
            cohort=cohort.title if cohort else None,
            standing=standing_of(one, now),
            expires_at=one.expires_at,
            accepted_at=one.accepted_at,
            id=one.id,
        )
        for one, inviter, organisation, cohort in db.session.execute(query)
    ]


def _invitations() -> Select[Invitation, str, str | None, Cohort | None]:
    """Select invitations with the inviter's name, the organisation's name and the class."""
    return (
        select(Invitation, Person.name, Organisation.name, Cohort)
        .join(Person, Person.id == Invitation.created_by)
        .join(Organisation, Organisation.id == Invitation.organisation_id, isouter=True)
        .join(Cohort, Cohort.id == Invitation.cohort_id, isouter=True)
    )


def standing_of(invitation: Invitation, now: datetime) -> rules.Standing:
    """Return what has become of an invitation."""
    return rules.standing(
        rules.InvitationDates(
            invitation.expires_at, invitation.accepted_at, invitation.withdrawn_at
        ),
        now,
    )


def withdraw(invitation_id: int, *, actor_id: int, now: datetime) -> None:
    """Take an invitation back. Raises NotFound, InvitationClosed. Flushes."""
    invitation = db.session.get(Invitation, invitation_id, with_for_update=True)
    if invitation is None:
        raise NotFound(str(invitation_id))
    _require_open(invitation, now)
    invitation.withdrawn_at = now
    audit.record("cohorts.withdraw", f"invitation:{invitation_id}", actor_id=actor_id, now=now)
    db.session.flush()


def accept_invitation(
    token: str,
    *,
    name: str,
    password: str,
    locale: str,
    maker: PasswordHasher,
    now: datetime,
) -> accounts.SignedIn:
    """Make the account an invitation promises, with its roles and seat, and sign it in.

    Raises UnknownInvitation, InvitationClosed, accounts.EmailTaken, accounts.rules.WeakPassword.
    """
    invitation = _lock_open(token, now)
    person = accounts.create_person(
        email=invitation.email,
        name=name,
        password=password,
        roles=invitation.roles,
        maker=maker,
        now=now,
        locale=locale,
    )
    _take_place(invitation, person.id, now)
    return accounts.SignedIn(accounts.begin_session(person, now=now), None)


def accept_with_password(
    token: str,
    *,
    password: str,
    address: str,
    device_token: str | None,
    maker: PasswordHasher,
    now: datetime,
) -> accounts.SignedIn:
    """Sign in the invited person, who has an account, and add what the invitation promises.

    Raises UnknownInvitation, InvitationClosed, accounts.WrongCredentials, throttle.TooSoon.
    """
    invitation = _lock_open(token, now)
    begun = accounts.sign_in(
        email=invitation.email,
        password=password,
        address=address,
        device_token=device_token,
        maker=maker,
        now=now,
    )
    accounts.add_roles(begun.viewer.id, invitation.roles)
    _take_place(invitation, begun.viewer.id, now)
    return begun


def accept_as(token: str, viewer: Viewer, *, now: datetime) -> None:
    """Add what an invitation promises to an account that exists already.

    Only the account with the invited address may. Raises UnknownInvitation, InvitationClosed.
    """
    invitation = _lock_open(token, now)
    if accounts.find_person_id(invitation.email) != viewer.id:
        raise UnknownInvitation
    accounts.add_roles(viewer.id, invitation.roles)
    _take_place(invitation, viewer.id, now)


def _take_place(invitation: Invitation, person_id: int, now: datetime) -> None:
    invitation.accepted_at = now
    invitation.person_id = person_id
    organisation_id = invitation.organisation_id
    if "trainee" in invitation.roles and invitation.cohort_id and organisation_id:
        services.enrol(person_id, invitation.cohort_id, organisation_id, now=now)
    if "agency" in invitation.roles and organisation_id:
        services.add_member(person_id, organisation_id, Part.OFFICER)
    for part in (Part.TRAINER, Part.ASSESSOR, Part.SPEAKER):
        if part.value in invitation.roles and invitation.cohort_id:
            services.add_staff(person_id, invitation.cohort_id, part)
    audit.record("cohorts.accept", f"invitation:{invitation.id}", actor_id=person_id, now=now)
    db.session.flush()


def _lock_open(token: str, now: datetime) -> Invitation:
    """Return an open invitation, locked: whoever comes second waits and then finds it used."""
    invitation = db.session.scalar(
        select(Invitation).where(Invitation.token_hash == hash_token(token)).with_for_update()
    )
    if invitation is None:
        raise UnknownInvitation
    _require_open(invitation, now)
    return invitation


def _require_open(invitation: Invitation, now: datetime) -> None:
    found = standing_of(invitation, now)
    if found is not rules.Standing.OPEN:
        raise InvitationClosed(found)
