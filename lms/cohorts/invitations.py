"""What people do with invitations: send, read, take back, accept. Services flush."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, exists, func, select, update

from lms.accounts import services as accounts
from lms.accounts.models import Person
from lms.accounts.rules import normal_email
from lms.cohorts import officers, rules, seats, services
from lms.cohorts import speakers as guests
from lms.cohorts.models import (
    Cohort,
    Enrolment,
    Invitation,
    Membership,
    Organisation,
    Part,
)
from lms.cohorts.officers import Vouching
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
    """Who has an account with this address already, if anybody."""
    has_password: bool
    """Whether that account can be signed in to with a password yet."""


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
class Companion:
    """A companion to be invited, with the letter; `{link}` stands where the address belongs."""

    email: str
    name: str
    organisation_id: int
    subject: str
    body: str


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
    life: timedelta = rules.INVITATION,
    has_seat: bool = False,
    session_id: int | None = None,
    access_ends_on: date | None = None,
    vouching: Vouching | None = None,
) -> Invited:
    """Invite one person and put the message in the outbox. Flushes.

    `body` has places `{link}` for the personal address. `has_seat` says that a companion's seat is
    taken already. A guest speaker is invited to one session, for as long as `access_ends_on` says,
    an officer on somebody's word: without `vouching` they wait for it once they have come.
    Raises AlreadyInvited, AlreadySeated, seats.NoSeat, services.TooManyOfficers, services.NotOpen.
    """
    if cohort_id:
        services.require_open(cohort_id)
    _refuse_twice(normal_email(email), roles, cohort_id, session_id, now)
    if "trainee" in roles and cohort_id and organisation_id and not has_seat:
        seats.claim(cohort_id, organisation_id, now=now)
    if "agency" in roles and organisation_id:
        _refuse_third_officer(organisation_id, now)
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
        expires_at=now + life,
        session_id=session_id,
        access_ends_on=access_ends_on,
        vouching=vouching.kept() if vouching else None,
    )
    db.session.add(invitation)
    db.session.flush()
    link = f"{base_url}/undangan/{token}"
    mail.put(invitation.email, subject, body.replace("{link}", link), now=now)
    audit.record("cohorts.invite", f"invitation:{invitation.id}", actor_id=created_by, now=now)
    return Invited(invitation, token)


def _refuse_twice(
    email: str, roles: list[str], cohort_id: int | None, session_id: int | None, now: datetime
) -> None:
    same = Invitation.cohort_id == cohort_id if cohort_id else Invitation.cohort_id.is_(None)
    query = select(Invitation).where(Invitation.email == email, same)
    for known in db.session.scalars(query):
        is_same = (known.roles, known.session_id) == (roles, session_id)
        if is_same and standing_of(known, now) is rules.Standing.OPEN:
            raise AlreadyInvited(email)
    if "trainee" in roles and cohort_id:
        seat = (
            select(Enrolment.id)
            .join(Person, Person.id == Enrolment.person_id)
            .where(Enrolment.cohort_id == cohort_id, Person.email == email)
        )
        if db.session.scalar(seat) is not None:
            raise AlreadySeated(email)


def _refuse_third_officer(organisation_id: int, now: datetime) -> None:
    """Invite no more officers than can be. Raises services.TooManyOfficers."""
    held = select(func.count()).where(
        Membership.organisation_id == organisation_id, Membership.part == Part.OFFICER
    )
    sent = select(Invitation).where(Invitation.organisation_id == organisation_id)
    waiting = sum(
        "agency" in one.roles and standing_of(one, now) is rules.Standing.OPEN
        for one in db.session.scalars(sent.where(Invitation.expires_at > now))
    )
    if (db.session.scalar(held) or 0) + waiting >= len(rules.SLOTS):
        raise services.TooManyOfficers(str(organisation_id))


@dataclass(frozen=True, slots=True)
class Held:
    """The newest invitation of one person into a class, and whether they sit there."""

    public_id: str
    person_id: int
    person: str
    """Public id of the person."""
    email: str
    name: str
    """As the inviter wrote it."""
    organisation: str
    organisation_id: int
    standing: rules.Standing
    seated: bool
    sent_at: datetime


def find_held(cohort_id: int, email: str, *, now: datetime) -> Invitation | None:
    """Return the open invitation of a companion into a class, or None. Locked, in one query."""
    query = (
        select(Invitation)
        .where(
            Invitation.cohort_id == cohort_id,
            Invitation.email == normal_email(email),
            Invitation.accepted_at.is_(None),
            Invitation.withdrawn_at.is_(None),
            Invitation.expires_at > now,
        )
        .order_by(Invitation.id)
        .with_for_update()
    )
    found = db.session.scalars(query, execution_options={"populate_existing": True})
    return next((one for one in found if one.roles == ["trainee"]), None)


def held_by(cohort_id: int, people: Select[int], *, now: datetime) -> list[Held]:
    """Return the newest invitation of each of these people into a class, newest first; one query.

    Whoever has neither a seat nor an open invitation is left out.
    """
    seated = (
        exists()
        .where(Enrolment.cohort_id == cohort_id, Enrolment.person_id == Person.id)
        .correlate(Person)
    )
    rows = db.session.execute(
        select(Invitation, Person.id, Person.public_id, Organisation, seated)
        .join(Person, Person.email == Invitation.email)
        .join(Organisation, Organisation.id == Invitation.organisation_id)
        .where(Invitation.cohort_id == cohort_id, Person.id.in_(people))
        .order_by(Invitation.id.desc())
    )
    found: dict[int, Held] = {}
    for one, person_id, public_id, organisation, has_seat in rows:
        if one.roles == ["trainee"] and person_id not in found:
            found[person_id] = Held(
                one.public_id,
                person_id,
                public_id,
                one.email,
                one.name,
                organisation.name,
                organisation.id,
                standing_of(one, now),
                bool(has_seat),
                one.created_at,
            )
    return [one for one in found.values() if one.seated or one.standing is rules.Standing.OPEN]


def emails_invited(cohort_id: int, *, now: datetime) -> set[str]:
    """Return the addresses of companions whose invitation into a class is open; one query."""
    query = select(Invitation.email, Invitation.roles).where(
        Invitation.cohort_id == cohort_id,
        Invitation.accepted_at.is_(None),
        Invitation.withdrawn_at.is_(None),
        Invitation.expires_at > now,
    )
    return {row.email for row in db.session.execute(query) if "trainee" in row.roles}


def invite_companions(
    people: Sequence[Companion],
    *,
    cohort_id: int,
    created_by: int,
    base_url: str,
    now: datetime,
) -> list[Invitation]:
    """Invite many companions in few statements, in this order. Flushes.

    The caller holds the class, has seen that none of them is invited or seated, and has taken
    their seats. Raises services.NotOpen.
    """
    services.require_open(cohort_id)
    tokens = [new_token() for _ in people]
    made = [
        Invitation(
            token_hash=hash_token(token),
            email=normal_email(one.email),
            name=one.name,
            roles=["trainee"],
            cohort_id=cohort_id,
            organisation_id=one.organisation_id,
            created_by=created_by,
            created_at=now,
            expires_at=now + rules.INVITATION,
        )
        for one, token in zip(people, tokens, strict=True)
    ]
    db.session.add_all(made)
    db.session.flush()
    links = (f"{base_url}/undangan/{token}" for token in tokens)
    mail.put_many(
        (
            (invitation.email, one.subject, one.body.replace("{link}", link))
            for invitation, one, link in zip(made, people, links, strict=True)
        ),
        now=now,
    )
    audit.record(
        "cohorts.invite_many",
        f"cohort:{cohort_id}",
        actor_id=created_by,
        now=now,
        invitations=[one.id for one in made],
    )
    return made


def withdraw_open(ids: Iterable[int], *, actor_id: int, now: datetime) -> int:
    """Take back those of many invitations that are open; return how many. Flushes."""
    taken = db.session.scalars(
        update(Invitation)
        .where(
            Invitation.id.in_(list(ids)),
            Invitation.accepted_at.is_(None),
            Invitation.withdrawn_at.is_(None),
            Invitation.expires_at > now,
        )
        .values(withdrawn_at=now)
        .returning(Invitation.id)
    ).all()
    if taken:
        audit.record(
            "cohorts.withdraw_many",
            "invitation",
            actor_id=actor_id,
            now=now,
            invitations=sorted(taken),
        )
    return len(taken)


def read_invitation(token: str, *, now: datetime) -> Letter:
    """Return what an open invitation says. Raises UnknownInvitation, InvitationClosed."""
    row = db.session.execute(
        _invitations().where(Invitation.token_hash == hash_token(token))
    ).first()
    if row is None:
        raise UnknownInvitation
    invitation, inviter, organisation, cohort = row
    _require_open(invitation, now)
    account = accounts.find_account(invitation.email)
    return Letter(
        email=invitation.email,
        name=invitation.name,
        roles=invitation.roles,
        inviter=inviter,
        organisation=organisation,
        cohort=cohort,
        expires_at=invitation.expires_at,
        person_id=account.id if account else None,
        has_password=account is not None and account.has_password,
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


def withdraw(invitation_id: int, *, actor_id: int | None, now: datetime) -> None:
    """Take an invitation back; without an actor its person did. Flushes.

    Raises NotFound, InvitationClosed.
    """
    invitation = _lock(invitation_id)
    if invitation is None:
        raise NotFound(str(invitation_id))
    _require_open(invitation, now)
    invitation.withdrawn_at = now
    audit.record("cohorts.withdraw", f"invitation:{invitation_id}", actor_id=actor_id, now=now)
    db.session.flush()


def _lock(invitation_id: int) -> Invitation | None:
    """Return an invitation, locked, as it stands then: others may have changed it meanwhile."""
    return db.session.get(Invitation, invitation_id, with_for_update=True, populate_existing=True)


def find_open(token: str, *, now: datetime) -> Invitation:
    """Return an open invitation. Raises UnknownInvitation, InvitationClosed."""
    invitation = db.session.scalar(
        select(Invitation).where(Invitation.token_hash == hash_token(token))
    )
    if invitation is None:
        raise UnknownInvitation
    _require_open(invitation, now)
    return invitation


def renew(
    invitation_id: int,
    *,
    actor_id: int,
    base_url: str,
    subject: str,
    body: str,
    now: datetime,
) -> Invited:
    """Give an open invitation a new link and send it again; the old link dies. Flushes.

    Its time stays as it was. Raises NotFound, InvitationClosed.
    """
    invitation = _lock(invitation_id)
    if invitation is None:
        raise NotFound(str(invitation_id))
    _require_open(invitation, now)
    token = new_token()
    invitation.token_hash = hash_token(token)
    link = f"{base_url}/undangan/{token}"
    mail.put(invitation.email, subject, body.replace("{link}", link), now=now)
    audit.record("cohorts.renew", f"invitation:{invitation_id}", actor_id=actor_id, now=now)
    return Invited(invitation, token)


def accept_invitation(
    token: str,
    *,
    name: str,
    password_hash: str,
    locale: str,
    now: datetime,
    agent: str = "",
) -> accounts.SignedIn:
    """Make the account an invitation promises, with its roles and seat, and sign it in.

    An account that waits for its first password is taken over. Raises UnknownInvitation,
    InvitationClosed, accounts.EmailTaken.
    """
    invitation = _lock_open(token, now)
    wanted: dict[str, Any] = {
        "email": invitation.email,
        "name": name,
        "password_hash": password_hash,
        "roles": invitation.roles,
        "now": now,
        "locale": locale,
    }
    person = accounts.claim(**wanted) or accounts.add_person(**wanted)
    _take_place(invitation, person.id, now)
    return accounts.SignedIn(accounts.begin_session(person, now=now, agent=agent), None)


def accept_with_password(
    token: str,
    proof: accounts.Proof,
    *,
    now: datetime,
    agent: str = "",
) -> accounts.Entry:
    """Sign in the invited person, who has an account, and add what the invitation promises.

    Raises UnknownInvitation, InvitationClosed, accounts.WrongCredentials, accounts.PasswordMoved.
    """
    invitation = _lock_open(token, now)
    if accounts.find_person_id(invitation.email) != proof.person_id:
        raise UnknownInvitation
    begun = accounts.enter(proof, now=now, agent=agent)
    accounts.add_roles(proof.person_id, invitation.roles)
    _take_place(invitation, proof.person_id, now)
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
        seats.taken(person_id, invitation.cohort_id, now=now)
    if "agency" in invitation.roles and organisation_id:
        services.add_member(person_id, organisation_id, Part.OFFICER)
        # Who was appointed since stands on that word: this one is older.
        since = officers.has_word_since(person_id, organisation_id, invitation.created_at)
        if invitation.vouching and not since:
            officers.vouch(
                person_id,
                organisation_id,
                Vouching.of(invitation.vouching),
                action="cohorts.officer",
                actor_id=invitation.created_by,
                now=now,
            )
        invitation.vouching = None  # it stands in the appointment now, and ends with it
    for part in (Part.TRAINER, Part.ASSESSOR, Part.SPEAKER):
        if part.value in invitation.roles and invitation.cohort_id:
            services.add_staff(person_id, invitation.cohort_id, part)
    if Part.SPEAKER.value in invitation.roles and invitation.cohort_id:
        guests.welcome(
            invitation.cohort_id,
            person_id,
            session_id=invitation.session_id,
            access_ends_on=invitation.access_ends_on,
        )
    audit.record("cohorts.accept", f"invitation:{invitation.id}", actor_id=person_id, now=now)
    db.session.flush()


def _lock_open(token: str, now: datetime) -> Invitation:
    """Return an open invitation, locked: whoever comes second waits and then finds it used."""
    invitation = db.session.scalar(
        select(Invitation).where(Invitation.token_hash == hash_token(token)).with_for_update(),
        execution_options={"populate_existing": True},
    )
    if invitation is None:
        raise UnknownInvitation
    _require_open(invitation, now)
    return invitation


def _require_open(invitation: Invitation, now: datetime) -> None:
    found = standing_of(invitation, now)
    if found is not rules.Standing.OPEN:
        raise InvitationClosed(found)
