"""How people come in from a sheet: read, looked through, corrected, confirmed, undone.

Services flush. A sheet is read outside of any unit of work; what is kept of it are its rows.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select, update

from lms.accounts import services as accounts
from lms.cohorts import invitations, letters, organisations, seats
from lms.cohorts import rules as cohort_rules
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, NameKind, Organisation, OrganisationKind, Part
from lms.core import audit, tables_in
from lms.core.db import db, unit_of_work
from lms.core.errors import DomainError, NotFound
from lms.core.login import Viewer
from lms.nominations import agency, halls, seating
from lms.nominations import services as nominations
from lms.nominations.rules import State as NominationState
from lms.nominations.services import Nominee, Result
from lms.roster import due, rules
from lms.roster.models import Outcome, RosterBatch, RosterRow, State, Way
from lms.roster.rules import Finding, Problem, Standing

LISTED = 10
"""Batches of one class or officer shown beside the form."""


class Settled(DomainError):
    """The batch was confirmed or undone already, so its rows stand."""


class TooLate(DomainError):
    """The time in which a batch can be undone is over."""


class NotOne(DomainError):
    """A typed name fits no organisation, or more than one."""


@dataclass(frozen=True, slots=True)
class Reading:
    """People read from a sheet, before anything is written down."""

    source: str
    columns: rules.Columns
    entries: list[rules.Entry]
    others: tuple[str, ...]
    """Names of sheets that were not read."""


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a batch with everything there is to say about it."""

    row: RosterRow
    organisation_id: int | None
    organisation: str
    """The name of the organisation, or what the sheet says."""
    findings: list[Finding]
    standing: Standing


@dataclass(frozen=True, slots=True)
class Question:
    """A name in the sheet about which somebody has to decide, once for all its rows."""

    text: str
    rows: list[int]
    match: cohort_rules.Match
    names: dict[int, str]
    """Names of the candidates today."""
    public_ids: dict[int, str]


@dataclass(frozen=True, slots=True)
class Preview:
    """A draft as it would be confirmed now."""

    batch: RosterBatch
    cohort: Cohort
    lines: list[Line]
    questions: list[Question]
    counts: Counter[Standing]
    over_quota: int
    has_seats: bool
    """Whether seats of the class are counted, so that people may have to wait."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """One row of a confirmed batch and where it stands today."""

    row: RosterRow
    organisation: str
    state: str
    """`open`, `accepted`, `withdrawn`, `expired`, `waiting` or `left`."""


@dataclass(frozen=True, slots=True)
class BatchLine:
    """One batch in a list."""

    batch: RosterBatch
    cohort: str
    people: int


def read_people(data: bytes | str, name: str) -> Reading:
    """Read people from a file or pasted text. Asks no database.

    Raises tables_in.BadSheet, rules.NoColumns, rules.TooManyRows.
    """
    sheet = tables_in.read(data, name=name)
    columns, entries = rules.read_entries([(line.number, line.cells) for line in sheet.lines])
    if not entries:
        raise tables_in.BadSheet("empty")
    others = tuple(rules.scrub(rules.tidy(one))[0] for one in sheet.others)
    source = rules.scrub(rules.tidy(name))[0][-80:]
    return Reading(source, columns, entries, others)


def keep(
    reading: Reading,
    *,
    way: Way,
    cohort_id: int,
    organisation_id: int | None,
    actor_id: int,
    now: datetime,
) -> RosterBatch:
    """Write people down as a draft. Flushes."""
    batch = RosterBatch(
        way=way,
        cohort_id=cohort_id,
        organisation_id=organisation_id,
        source=reading.source,
        ignored=list(reading.columns.ignored),
        secret=list(reading.columns.secret),
        scrubbed=sum(entry.scrubbed for entry in reading.entries),
        created_by=actor_id,
        created_at=now,
        expires_at=now + rules.DRAFT_LIFE,
        state=State.DRAFT,
        counts={},
    )
    db.session.add(batch)
    db.session.flush()
    db.session.add_all(
        RosterRow(
            batch_id=batch.id,
            number=entry.number,
            name=entry.name,
            email=entry.email,
            organisation_text=entry.organisation,
            scrubbed=bool(entry.scrubbed),
            skipped=False,
        )
        for entry in reading.entries
    )
    audit.record(
        "roster.draft",
        f"roster_batch:{batch.id}",
        actor_id=actor_id,
        now=now,
        rows=len(reading.entries),
    )
    db.session.flush()
    return batch


def get_batch(public_id: str, viewer: Viewer, *, now: datetime) -> tuple[RosterBatch, Cohort]:
    """Return a batch with its class. Raises NotFound for those of others and lapsed drafts.

    A class's trainers and administrators share its batches, an agency's officers theirs.
    """
    batch = db.session.scalar(select(RosterBatch).where(RosterBatch.public_id == public_id))
    if batch is None or (batch.state is State.DRAFT and batch.expires_at <= now):
        raise NotFound(public_id)
    cohort = cohorts.get_cohort_by_id(batch.cohort_id)
    if batch.way is Way.NOMINATE:
        if batch.organisation_id not in own_organisations(viewer.id):
            raise NotFound(public_id)
    else:
        cohorts.get_cohort_to_invite(cohort.slug, viewer)
    return batch, cohort


def own_organisations(officer_id: int) -> dict[int, Organisation]:
    """Return the organisations somebody asks for as an officer."""
    return {one.id: one for one in organisations.organisations_of(officer_id, Part.OFFICER)}


def list_batches(
    now: datetime, *, cohort_id: int | None = None, organisation_ids: Iterable[int] = ()
) -> list[BatchLine]:
    """Return the newest batches of a class, or of an officer's agencies; two queries."""
    if cohort_id is not None:
        own: ColumnElement[bool] = RosterBatch.cohort_id == cohort_id
        own &= RosterBatch.way == Way.INVITE
    else:
        own = RosterBatch.organisation_id.in_(list(organisation_ids))
    fresh = (RosterBatch.state != State.DRAFT) | (RosterBatch.expires_at > now)
    people = (
        select(func.count(RosterRow.id))
        .where(RosterRow.batch_id == RosterBatch.id)
        .scalar_subquery()
    )
    rows = db.session.execute(
        select(RosterBatch, people).where(own, fresh).order_by(RosterBatch.id.desc()).limit(LISTED)
    ).all()
    classes = seats.classes_by_id(batch.cohort_id for batch, _people in rows)
    return [
        BatchLine(batch, classes[batch.cohort_id].title, count or sum(batch.counts.values()))
        for batch, count in rows
    ]


# Looking through


def preview(
    batch: RosterBatch,
    cohort: Cohort,
    viewer: Viewer,
    *,
    abbreviations: Iterable[cohort_rules.Abbreviation],
    now: datetime,
) -> Preview:
    """Return every row with what is wrong and what would become of it; a fixed number of queries.

    Nothing of this is stored: an account made meanwhile, or a seat taken, shows at once.
    """
    rows = _rows_of(batch.id)
    every = {one.id: one for one in organisations.list_organisations()}
    index = cohort_rules.NameIndex(organisations.list_known_names(), abbreviations)
    matches = {text: index.match(text) for text in {row.organisation_text for row in rows} if text}
    seen = [_seen(row, batch, matches, every) for row in rows]
    findings = rules.check(seen, _facts(batch, viewer, [row.email for row in rows], now))
    lines = [
        Line(
            row,
            one.organisation_id,
            every[one.organisation_id].name if one.organisation_id else row.organisation_text,
            findings[row.number],
            rules.standing(one, findings[row.number]),
        )
        for row, one in zip(rows, seen, strict=True)
    ]
    over = _note_quotas(cohort, lines, every, now)
    return Preview(
        batch,
        cohort,
        lines,
        _questions(lines, matches, every) if batch.way is Way.INVITE else [],
        Counter(line.standing for line in lines),
        over_quota=over or 0,
        has_seats=over is not None,
    )


def _rows_of(batch_id: int) -> Sequence[RosterRow]:
    return db.session.scalars(
        select(RosterRow).where(RosterRow.batch_id == batch_id).order_by(RosterRow.number),
        execution_options={"populate_existing": True},
    ).all()


def _seen(
    row: RosterRow,
    batch: RosterBatch,
    matches: dict[str, cohort_rules.Match],
    every: dict[int, Organisation],
) -> rules.Row:
    """Return a row as the rules see it: whose it is by choice, by its name, or by its officer."""
    match = matches.get(row.organisation_text, cohort_rules.Match(cohort_rules.Fit.UNKNOWN))
    chosen = row.organisation_id if row.organisation_id in every else None
    if chosen is None and match.fit is cohort_rules.Fit.ONE:
        chosen = match.candidates[0].organisation_id
    if chosen is None and batch.way is Way.NOMINATE:
        # An agency sends its own people: a department it names is a part of it, unless the name
        # may be that of another agency.
        among = {candidate.organisation_id for candidate in match.candidates}
        if match.fit is cohort_rules.Fit.UNKNOWN or batch.organisation_id in among:
            chosen = batch.organisation_id
    return rules.Row(
        row.number,
        row.name,
        row.email,
        row.organisation_text,
        chosen,
        fit=match.fit.value,
        is_new=row.new_kind is not None,
        scrubbed=row.scrubbed,
        skipped=row.skipped,
    )


def _facts(batch: RosterBatch, viewer: Viewer, emails: Sequence[str], now: datetime) -> rules.Facts:
    seated = frozenset(one.email for one in seats.list_holders(batch.cohort_id))
    invited = invitations.emails_invited(batch.cohort_id, now=now) - seated
    nominated = nominations.emails_live(batch.cohort_id) if batch.way is Way.NOMINATE else set()
    known = accounts.people_at(emails)
    if "admin" not in viewer.roles:
        if batch.way is Way.NOMINATE:
            scope = {seat.person_id for seat in organisations.list_members_for(viewer.id)}
        else:
            scope = set(cohorts.people_in_scope(viewer, Part.TRAINER))
        known = {email: found for email, found in known.items() if found[0] in scope}
    return rules.Facts(
        seated=seated,
        invited=frozenset(invited),
        nominated=frozenset(nominated),
        names={email: name for email, (_id, name) in known.items()},
        own=frozenset(own_organisations(viewer.id)) if batch.way is Way.NOMINATE else None,
    )


def _note_quotas(
    cohort: Cohort, lines: Iterable[Line], every: dict[int, Organisation], now: datetime
) -> int | None:
    """Mark who would have to wait for a seat; return how many, None where nobody counts."""
    found = seating.find_seating(cohort.id)
    if found is None:
        return None
    hall, over = halls.read_hall(found, cohort, now), 0
    for line in lines:
        if line.standing is not Standing.READY:
            continue
        if line.organisation_id is not None:
            kind = every[line.organisation_id].kind.value
        else:
            kind = (line.row.new_kind or OrganisationKind.OTHER).value
        if hall.room(kind):
            hall = hall.with_one_more(kind)
        else:
            over += 1
            line.findings.append(Finding(Problem.OVER_QUOTA))
    return over


UNDECIDED = {Problem.UNKNOWN_ORGANISATION, Problem.AMBIGUOUS_ORGANISATION}


def _questions(
    lines: Iterable[Line],
    matches: dict[str, cohort_rules.Match],
    every: dict[int, Organisation],
) -> list[Question]:
    """Return the names nobody can decide alone, in the order of the sheet."""
    asked: dict[str, list[Line]] = {}
    for line in lines:
        if UNDECIDED & {finding.problem for finding in line.findings} and not line.row.skipped:
            asked.setdefault(rules.plain(line.row.organisation_text), []).append(line)
    questions = []
    for same in asked.values():
        text = same[0].row.organisation_text
        ids = [one.organisation_id for one in matches[text].candidates]
        questions.append(
            Question(
                text,
                [line.row.number for line in same],
                matches[text],
                {one: every[one].name for one in ids},
                {one: every[one].public_id for one in ids},
            )
        )
    return questions


# Correcting


def get_row(batch: RosterBatch, number: int) -> RosterRow:
    """Return one row of a draft. Raises NotFound, Settled."""
    _require_draft(batch)
    query = select(RosterRow).where(RosterRow.batch_id == batch.id, RosterRow.number == number)
    found = db.session.scalar(query)
    if found is None:
        raise NotFound(str(number))
    return found


def correct(batch: RosterBatch, number: int, *, name: str, email: str, organisation: str) -> None:
    """Write a row anew. Long numbers are dropped here too. Raises NotFound, Settled. Flushes."""
    _lock_draft(batch)
    row = get_row(batch, number)
    columns = rules.Columns(name=0, email=1, organisation=2)
    entry = rules.read_entry(columns, number, (name, email, organisation))
    if entry.organisation != row.organisation_text:
        row.organisation_id = row.new_kind = None
    row.name, row.email, row.organisation_text = entry.name, entry.email, entry.organisation
    row.scrubbed = bool(entry.scrubbed)
    db.session.flush()


def skip(batch: RosterBatch, number: int, skipped: bool) -> None:
    """Leave a row out, or take it in again. Raises NotFound, Settled. Flushes."""
    _lock_draft(batch)
    get_row(batch, number).skipped = skipped
    db.session.flush()


def choose_organisation(
    batch: RosterBatch,
    text: str,
    public_id: str,
    *,
    remember: bool = False,
    actor_id: int,
    now: datetime,
) -> None:
    """Say which organisation a name in the sheet means. Raises NotFound, Settled. Flushes.

    Remembered, it becomes another name of the organisation, and is not asked again.
    """
    found = organisations.get_organisation(public_id)
    _decide(batch, text, organisation_id=found.id, new_kind=None)
    if remember:
        with suppress(cohorts.NameTaken):  # it is known by that name already
            organisations.add_name(
                public_id,
                name=text,
                kind=NameKind.ALIAS,
                valid_until=None,
                actor_id=actor_id,
                now=now,
            )


def name_organisation(
    batch: RosterBatch,
    text: str,
    typed: str,
    *,
    abbreviations: Iterable[cohort_rules.Abbreviation],
    remember: bool = False,
    actor_id: int,
    now: datetime,
) -> None:
    """Say by another name which organisation is meant. Raises NotOne, Settled. Flushes."""
    index = cohort_rules.NameIndex(organisations.list_known_names(), abbreviations)
    match = index.match(typed)
    if match.fit is not cohort_rules.Fit.ONE:
        raise NotOne(typed)
    [candidate] = match.candidates
    [public_id] = [
        one.public_id for one in seats.organisations_by_id([candidate.organisation_id]).values()
    ]
    choose_organisation(batch, text, public_id, remember=remember, actor_id=actor_id, now=now)


def found_organisation(batch: RosterBatch, text: str, kind: OrganisationKind) -> None:
    """Let a new organisation be made of a name when the batch is confirmed. Flushes.

    Raises NotFound, Settled.
    """
    _decide(batch, text, organisation_id=None, new_kind=kind)


def _decide(
    batch: RosterBatch,
    text: str,
    *,
    organisation_id: int | None,
    new_kind: OrganisationKind | None,
) -> None:
    _lock_draft(batch)
    same = [
        row for row in _rows_of(batch.id) if rules.plain(row.organisation_text) == rules.plain(text)
    ]
    if not same:
        raise NotFound(text)
    for row in same:
        row.organisation_id, row.new_kind = organisation_id, new_kind
    db.session.flush()


def _require_draft(batch: RosterBatch) -> None:
    if batch.state is not State.DRAFT:
        raise Settled(batch.state.value)


def _lock_draft(batch: RosterBatch) -> None:
    """Hold a draft for the rest of the unit of work. Raises Settled."""
    db.session.refresh(batch, with_for_update=True)
    _require_draft(batch)


def discard(batch: RosterBatch) -> None:
    """Delete a draft with its rows. Raises Settled. Flushes."""
    _lock_draft(batch)
    _delete_batches([batch.id])


# Confirming


def confirm(
    public_id: str,
    viewer: Viewer,
    *,
    abbreviations: Iterable[cohort_rules.Abbreviation],
    base_url: str,
    now: datetime,
) -> RosterBatch:
    """Invite or nominate everybody of a draft who is ready; leave the others. Flushes.

    Of two clicks the second finds it done and changes nothing. Raises NotFound,
    nominations.NotOpen, cohorts.NameTaken.
    """
    batch, cohort = get_batch(public_id, viewer, now=now)
    if not _move(
        batch,
        State.DRAFT,
        now,
        state=State.CONFIRMED,
        confirmed_by=viewer.id,
        confirmed_at=now,
        expires_at=now + rules.UNDO_LIFE,
    ):
        return batch
    # One batch at a time goes into a class: of two sheets with the same people the second finds
    # them invited.
    db.session.refresh(cohort, with_for_update={"key_share": True})
    seen = preview(batch, cohort, viewer, abbreviations=abbreviations, now=now)
    ready = [line for line in seen.lines if line.standing is Standing.READY]
    for line in seen.lines:
        line.row.outcome, line.row.problem = Outcome.LEFT, _first_problem(line)
    senders = _found_all(ready, cohort, viewer.id, now)
    if batch.way is Way.INVITE:
        _invite_all(ready, senders, batch, cohort, viewer, base_url, now)
    else:
        _require_reach(viewer.id, cohort, now)
        _nominate_all(ready, senders, batch, viewer.id, now)
    outcomes = Counter(line.row.outcome.value for line in seen.lines if line.row.outcome)
    batch.counts = dict(outcomes)
    audit.record(
        "roster.confirm",
        f"roster_batch:{batch.id}",
        actor_id=viewer.id,
        now=now,
        cohort=cohort.id,
        **outcomes,
    )
    db.session.flush()
    return batch


def _require_reach(officer_id: int, cohort: Cohort, now: datetime) -> None:
    """Let an officer nominate for a class within reach. Raises nominations.NotOpen."""
    try:
        agency.get_class(officer_id, cohort.slug, now=now)
    except NotFound:
        raise nominations.NotOpen from None


def _move(batch: RosterBatch, before: State, now: datetime, **values: object) -> bool:
    """Move a batch on; tell whether this call did it. Whoever comes second waits, then fails."""
    moved = db.session.scalar(
        update(RosterBatch)
        .where(
            RosterBatch.id == batch.id, RosterBatch.state == before, RosterBatch.expires_at > now
        )
        .values(**values)
        .returning(RosterBatch.id)
    )
    db.session.refresh(batch)
    return moved is not None


def _first_problem(line: Line) -> Problem | None:
    serious = rules.CLOSES | rules.STOPS
    found = [one.problem for one in line.findings if one.problem in serious]
    closed = [problem for problem in found if problem in rules.CLOSES]
    return next(iter(closed + found), None) if line.standing is not Standing.READY else None


def _found_all(
    ready: Iterable[Line], cohort: Cohort, actor_id: int, now: datetime
) -> dict[int, int]:
    """Make the new organisations; return the organisation of each row by its number."""
    made: dict[str, int] = {}
    senders: dict[int, int] = {}
    for line in ready:
        if line.organisation_id is not None:
            senders[line.row.number] = line.organisation_id
            continue
        text, kind = line.row.organisation_text, line.row.new_kind
        key = rules.plain(text)
        if key not in made:
            made[key] = organisations.create_organisation(
                name=text,
                kind=kind or OrganisationKind.OTHER,
                city=cohort.city,
                actor_id=actor_id,
                now=now,
            ).id
        senders[line.row.number] = made[key]
    return senders


def _invite_all(
    ready: Sequence[Line],
    senders: dict[int, int],
    batch: RosterBatch,
    cohort: Cohort,
    viewer: Viewer,
    base_url: str,
    now: datetime,
) -> None:
    """Invite each; whoever finds no seat is nominated and waits for one."""
    seated, without = _take_seats(ready, senders, cohort, now)
    texts = {
        sender: letters.invitation(
            inviter=viewer.name,
            name=NAME,
            role="trainee",
            organisation=name,
            cohort=cohort,
            expires_at=now + cohort_rules.INVITATION,
        )
        for sender, name in organisations.organisation_names(senders.values()).items()
    }
    people = []
    for line in seated:
        row, (subject, body) = line.row, texts[senders[line.row.number]]
        sender = senders[row.number]
        # The link comes in later; a name that looks like its place must not take it.
        name = row.name.replace("{", "(").replace("}", ")")
        letter = invitations.Companion(
            row.email, row.name, sender, subject, body.replace(NAME, name)
        )
        people.append(letter)
    made = invitations.invite_companions(
        people, cohort_id=cohort.id, created_by=viewer.id, base_url=base_url, now=now
    )
    for line, invitation in zip(seated, made, strict=True):
        line.row.outcome, line.row.invitation_id = Outcome.INVITED, invitation.id
    if without:
        with suppress(nominations.NotOpen):  # no waiting list: the rows say there was no seat
            _nominate_all(without, senders, batch, viewer.id, now)


NAME = "{name}"
"""Stands in the letter of an organisation where each person's name belongs."""


def _take_seats(
    ready: Iterable[Line], senders: dict[int, int], cohort: Cohort, now: datetime
) -> tuple[list[Line], list[Line]]:
    """Take a seat for each in the order of the sheet; return who has one, and who has none."""
    room = seating.settle(cohort.id, now=now)
    if room is None:
        return list(ready), []
    kinds = {one.id: one.kind.value for one in seats.organisations_by_id(senders.values()).values()}
    hall, seated, without = room.hall, list[Line](), list[Line]()
    for line in ready:
        kind = kinds[senders[line.row.number]]
        try:
            seating.take(cohort.id, kind, hall)
        except seats.NoSeat:
            line.row.problem = Problem.NO_SEAT
            without.append(line)
        else:
            hall = hall.with_one_more(kind)
            seated.append(line)
    return seated, without


REFUSALS = {
    Result.NOMINATED: Problem.NOMINATED,
    Result.SEATED: Problem.INVITED,
    Result.TWICE: Problem.SAME_ADDRESS,
    Result.BAD_EMAIL: Problem.BAD_EMAIL,
    Result.BAD_NAME: Problem.LONG_NAME,
    Result.UNKNOWN: Problem.UNKNOWN_ORGANISATION,
}


def _nominate_all(
    lines: Sequence[Line],
    senders: dict[int, int],
    batch: RosterBatch,
    actor_id: int,
    now: datetime,
) -> None:
    """Nominate in the order of the sheet. Raises nominations.NotOpen."""
    nominees = [Nominee(senders[line.row.number], line.row.name, line.row.email) for line in lines]
    outcomes = nominations.nominate_many(batch.cohort_id, nominees, actor_id=actor_id, now=now)
    for line, found in zip(lines, outcomes, strict=True):
        line.row.nomination = found.public_id
        line.row.problem = REFUSALS.get(found.result)
        if found.result in nominations.MADE:
            line.row.outcome = Outcome(found.result.value)


# After


def rows_until(batch: RosterBatch) -> datetime:
    """Return until when the rows of a confirmed batch are kept."""
    if batch.confirmed_at is None:
        raise NotFound(batch.public_id)
    return batch.confirmed_at + rules.ROWS_LIFE


def settle(batch: RosterBatch, *, now: datetime) -> list[Settlement]:
    """Return the rows of a confirmed batch and what has become of each; few queries.

    Once their time is over nobody reads them any more, whether they are cleared yet or not.
    """
    rows = [] if now >= rows_until(batch) else _rows_of(batch.id)
    replies = seats.replies_to(row.invitation_id for row in rows if row.invitation_id)
    states = nominations.states_of(
        [row.nomination for row in rows if row.nomination], batch.cohort_id
    )
    found = []
    for row in rows:
        state = "left"
        if row.invitation_id in replies:
            reply = replies[row.invitation_id]
            dates = (reply.expires_at, reply.accepted_at, reply.withdrawn_at)
            state = cohort_rules.standing(cohort_rules.InvitationDates(*dates), now).value
        elif row.nomination in states:
            state = NOMINATION_STATES[states[row.nomination]]
        found.append(Settlement(row, row.organisation_text, state))
    return found


NOMINATION_STATES = {
    NominationState.WAITING: "waiting",
    NominationState.OFFERED: "open",
    NominationState.CONFIRMED: "accepted",
    NominationState.DECLINED: "withdrawn",
    NominationState.WITHDRAWN: "withdrawn",
    NominationState.EXPIRED: "expired",
}


def undo(public_id: str, viewer: Viewer, *, now: datetime) -> RosterBatch:
    """Take back what of a batch nobody has accepted yet; the rest stays. Flushes.

    Done twice, the second changes nothing. Raises NotFound, TooLate.
    """
    batch, _cohort = get_batch(public_id, viewer, now=now)
    if not _move(batch, State.CONFIRMED, now, state=State.UNDONE, undone_at=now):
        if batch.state is State.CONFIRMED:
            raise TooLate(public_id)
        return batch
    # Seats are locked before invitations, as everybody does who frees one.
    seating.enter(batch.cohort_id, now=now)
    rows = _rows_of(batch.id)
    sent = [row.invitation_id for row in rows if row.invitation_id]
    back = invitations.withdraw_open(sent, actor_id=viewer.id, now=now)
    nominated = [row.nomination for row in rows if row.nomination]
    back += nominations.withdraw_many(nominated, batch.cohort_id, actor_id=viewer.id, now=now)
    audit.record(
        "roster.undo", f"roster_batch:{batch.id}", actor_id=viewer.id, now=now, withdrawn=back
    )
    db.session.flush()
    return batch


def clear_up(now: datetime) -> int:
    """Delete lapsed drafts, and the rows of batches long settled. Opens units of its own.

    Returns how many batches. Doing it twice changes nothing.
    """
    with unit_of_work():
        drafts = db.session.scalars(
            select(RosterBatch.id).where(due.lapsed(now)).with_for_update(skip_locked=True)
        ).all()
        _delete_batches(drafts)
        settled = db.session.scalars(
            update(RosterBatch).where(due.old(now)).values(cleared_at=now).returning(RosterBatch.id)
        ).all()
        db.session.execute(delete(RosterRow).where(RosterRow.batch_id.in_(settled)))
    return len(drafts) + len(settled)


def _delete_batches(ids: Sequence[int]) -> None:
    db.session.execute(delete(RosterRow).where(RosterRow.batch_id.in_(ids)))
    db.session.execute(delete(RosterBatch).where(RosterBatch.id.in_(ids)))
