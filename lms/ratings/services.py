"""Two assessors and the third person, whatever it is that they mark. Services flush.

Features below the pages mark things: a submitted case, a station, an essay. They name it in
an `About`, hold a lock on it, and hand each mark to `rate`; what comes back is complete on both
sides and goes to the ledger. Nothing here tells one assessor what the other gave before that.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from typing import cast as typed

from sqlalchemy import (
    CursorResult,
    Select,
    String,
    cast,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import Enrolment, Part
from lms.competency import services as competency
from lms.competency.models import Evidence, EvidenceVoid
from lms.competency.rules import EvidenceKind, raters_needed
from lms.core import audit
from lms.core.db import db, insert_into
from lms.core.errors import NotFound
from lms.core.ids import public_id as new_public_id
from lms.core.login import Viewer
from lms.ratings import rules
from lms.ratings.models import Moderation, RaterPlan, Rating, RatingMark
from lms.ratings.rules import Mark, Settled

ASSESSORS = (Part.ASSESSOR, Part.TRAINER)
MODERATED = "moderasi"
"""What a ledger row that a third person decided has in its reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is marked: one submission, one story played at a station, or one essay of a sitting."""

    kind: EvidenceKind
    subject: str
    source: str
    person_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What one of two assessors has given so far."""

    person_id: int
    subject: str
    rater_id: int
    slot: int
    feedback: str
    began_at: datetime
    marks: Mapping[str, Mark]
    """By criterion: the last word of this assessor."""
    at: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Pair:
    """Both marks of one criterion, by place, and what they come to."""

    kuk: str
    marks: tuple[Mark, Mark]
    raters: tuple[int, int]
    settled: Settled

    @property
    def mark(self) -> Mark:
        """The mark that counts."""
        return self.marks[self.settled.counts]

    @property
    def rater_id(self) -> int:
        """Who gave it."""
        return self.raters[self.settled.counts]


# How many assessors


def plan_of(cohort_id: int) -> dict[tuple[EvidenceKind, str], int]:
    """Return how many assessors a class wants, by kind and source, where it said so. One query."""
    rows = db.session.scalars(select(RaterPlan).where(RaterPlan.cohort_id == cohort_id))
    return {(row.kind, row.source): row.raters for row in rows}


def needed(cohort_id: int | None, kind: EvidenceKind, source: str, curriculum: str = "") -> int:
    """Return how many assessors mark something: one, unless class or standard ask for two."""
    least = raters_needed(curriculum) if kind is EvidenceKind.OBS else 1
    if cohort_id is None:
        return least
    wanted = db.session.scalar(
        select(RaterPlan.raters).where(
            RaterPlan.cohort_id == cohort_id, RaterPlan.kind == kind, RaterPlan.source == source
        )
    )
    return max(least, wanted or 1)


def set_plan(
    cohort_id: int,
    wanted: Mapping[tuple[EvidenceKind, str], int],
    *,
    by_id: int,
    now: datetime,
) -> None:
    """Keep how many assessors mark what in a class from now on. Flushes.

    What somebody has begun to mark, or has handed in, stays with the number it began with; an
    essay once somebody has begun to mark it.
    """
    before = plan_of(cohort_id)
    changed = {key: n for key, n in wanted.items() if before.get(key, 1) != n}
    for (kind, source), raters in changed.items():
        values = {"raters": min(max(raters, 1), rules.TWO), "set_by": by_id, "set_at": now}
        db.session.execute(
            insert_into(RaterPlan)
            .values(cohort_id=cohort_id, kind=kind, source=source, **values)
            .on_conflict_do_update(
                index_elements=[RaterPlan.cohort_id, RaterPlan.kind, RaterPlan.source], set_=values
            )
        )
    if changed:
        audit.record(
            "ratings.plan",
            f"cohort:{cohort_id}",
            actor_id=by_id,
            now=now,
            changed={f"{kind}:{source}": n for (kind, source), n in changed.items()},
        )


# Marking


def given_by_subject(kind: EvidenceKind, subjects: Collection[str]) -> dict[str, list[Given]]:
    """Return what was given for these things so far, by place. One query."""
    return _given(Rating.kind == kind, Rating.subject.in_(subjects))


def given_to_people(
    kind: EvidenceKind, source: str, person_ids: Collection[int]
) -> dict[str, list[Given]]:
    """Return what was given to these people at one source, by subject and place. One query."""
    return _given(Rating.kind == kind, Rating.source == source, Rating.person_id.in_(person_ids))


def _given(*conditions: Any) -> dict[str, list[Given]]:
    rows = db.session.execute(
        select(Rating, RatingMark)
        .join(RatingMark, RatingMark.rating_id == Rating.id)
        .where(*conditions, Rating.annulled_at.is_(None))
        .order_by(Rating.subject, Rating.slot, RatingMark.id)
        .execution_options(populate_existing=True)
    ).all()
    grouped: dict[tuple[str, int], list[tuple[Rating, RatingMark]]] = defaultdict(list)
    for rating, mark in rows:
        grouped[rating.subject, rating.id].append((rating, mark))
    found: dict[str, list[Given]] = defaultdict(list)
    for (subject, _id), lines in grouped.items():
        head = lines[0][0]
        found[subject].append(
            Given(
                person_id=head.person_id,
                subject=subject,
                rater_id=head.rater_id,
                slot=head.slot,
                feedback=head.feedback,
                began_at=head.began_at,
                # In the order they were given: an act after the mark is the last word.
                marks={one.kuk: Mark(one.mark, one.act, one.note) for _head, one in lines},
                at={one.kuk: one.at for _head, one in lines},
            )
        )
    return dict(found)


def rate(
    about: About,
    rater_id: int,
    marks: Mapping[str, Mark],
    *,
    feedback: str = "",
    goes_on: bool = False,
    now: datetime,
) -> list[Pair]:
    """Keep what one of two assessors gave; return the criteria for which both are in now. Flushes.

    The caller holds a lock on the thing. `goes_on` allows further criteria of a thing this
    assessor has begun. Raises rules.AlreadyRated, rules.TwoAlready.
    """
    said = {about: marks}
    return rate_many(said, rater_id, feedback=feedback, goes_on=goes_on, now=now)[about]


def rate_many(
    said: Mapping[About, Mapping[str, Mark]],
    rater_id: int,
    *,
    feedback: str = "",
    goes_on: bool = False,
    now: datetime,
) -> dict[About, list[Pair]]:
    """Keep what one of two assessors gave for things of one kind; see rate. Five statements."""
    if not said:
        return {}
    kind = next(iter(said)).kind
    subjects = [about.subject for about in said]
    before = given_by_subject(kind, subjects)
    heads = []
    for about in said:
        there = [one.rater_id for one in before.get(about.subject, ())]
        place = rules.place_of(rater_id, there, begun=goes_on)
        if rater_id not in there:
            heads.append(_head(about, rater_id, place, feedback, now))
    try:
        with db.session.begin_nested():
            if heads:
                db.session.execute(insert(Rating), heads)
            _insert_marks(said, kind, rater_id, now)
    except IntegrityError:
        raise rules.TwoAlready(str(rater_id)) from None
    both = given_by_subject(kind, subjects)
    return {
        about: [pair for pair in pairs_of(both[about.subject]) if pair.kuk in marks]
        for about, marks in said.items()
    }


def _head(about: About, rater_id: int, place: int, feedback: str, now: datetime) -> dict[str, Any]:
    return {
        "kind": about.kind,
        "subject": about.subject,
        "source": about.source,
        "person_id": about.person_id,
        "rater_id": rater_id,
        "slot": place,
        "feedback": feedback,
        "began_at": now,
    }


def _insert_marks(
    said: Mapping[About, Mapping[str, Mark]], kind: EvidenceKind, rater_id: int, now: datetime
) -> None:
    rows = db.session.execute(
        select(Rating.subject, Rating.id).where(
            Rating.kind == kind,
            Rating.subject.in_([about.subject for about in said]),
            Rating.rater_id == rater_id,
            Rating.annulled_at.is_(None),
        )
    )
    ids = {row.subject: row.id for row in rows}
    db.session.execute(
        insert(RatingMark),
        [
            {
                "rating_id": ids[about.subject],
                "kuk": kuk,
                "mark": mark.level,
                "act": mark.act,
                "note": mark.note,
                "at": now,
            }
            for about, marks in said.items()
            for kuk, mark in marks.items()
        ],
    )


def pairs_of(given: Sequence[Given]) -> list[Pair]:
    """Return the criteria both assessors have marked, with what they come to."""
    if len(given) < rules.TWO:
        return []
    first, second = given
    standard = competency.current().standard
    found = []
    for kuk in (code for code in first.marks if code in second.marks):
        marks = first.marks[kuk], second.marks[kuk]
        critical = kuk in standard.kuk and standard.kuk[kuk].critical
        settled = rules.settle(marks, critical=critical)
        found.append(Pair(kuk, marks, (first.rater_id, second.rater_id), settled))
    return found


def open_disputes(settled: Mapping[About, Iterable[Pair]], *, now: datetime) -> int:
    """Ask for a third person wherever a pair is disputed. Returns how many were asked. Flushes."""
    values = [
        {
            "public_id": new_public_id(),
            "person_id": about.person_id,
            "kind": about.kind,
            "subject": about.subject,
            "source": about.source,
            "kuk": pair.kuk,
            "opened_at": now,
            "act": "",
            "reason": "",
        }
        for about, pairs in settled.items()
        for pair in pairs
        if pair.settled.disputed
    ]
    if values:
        db.session.execute(insert_into(Moderation).on_conflict_do_nothing(), values)
    return len(values)


def annul(about: About, *, by_id: int, reason: str, now: datetime) -> int:
    """Take back what both gave for a thing, so that it can be marked afresh. Flushes.

    Returns how many assessors' marks were taken back. They stay, marked as taken back.
    """
    taken = db.session.execute(
        update(Rating)
        .where(
            Rating.kind == about.kind,
            Rating.subject == about.subject,
            Rating.annulled_at.is_(None),
        )
        .values(annulled_at=now),
        execution_options={"synchronize_session": False},
    )
    db.session.execute(
        update(Moderation)
        .where(
            Moderation.kind == about.kind,
            Moderation.subject == about.subject,
            Moderation.decided_at.is_(None),
        )
        .values(dropped_at=now),
        execution_options={"synchronize_session": False},
    )
    count = typed("CursorResult[Any]", taken).rowcount
    if count:
        audit.record(
            "ratings.annul",
            f"person:{about.person_id}",
            actor_id=by_id,
            now=now,
            thing=about.subject,
            reason=reason,
        )
    return count


def drop_open(kind: EvidenceKind, place: str, *, now: datetime) -> None:
    """Take back what is half marked or waits for a third person at one place of any group. Flushes.

    There is nothing to be marked there any more. What both have marked stays as it is.
    """
    ends = Rating.subject.endswith(f"/{place}", autoescape=True)
    halves = (
        select(Rating.subject)
        .where(Rating.kind == kind, ends, Rating.annulled_at.is_(None))
        .group_by(Rating.subject)
        .having(func.count() < rules.TWO)
    )
    db.session.execute(
        update(Rating)
        .where(
            Rating.kind == kind,
            Rating.subject.in_(db.session.scalars(halves).all()),
            Rating.annulled_at.is_(None),
        )
        .values(annulled_at=now),
        execution_options={"synchronize_session": False},
    )
    db.session.execute(
        update(Moderation)
        .where(
            Moderation.kind == kind,
            Moderation.subject.endswith(f"/{place}", autoescape=True),
            Moderation.decided_at.is_(None),
            Moderation.dropped_at.is_(None),
        )
        .values(dropped_at=now),
        execution_options={"synchronize_session": False},
    )


def sealed_query(people: Collection[int] | Select[Any]) -> Select[Any]:
    """Return a query of the things whose assessors nobody is told yet: columns kind, subject.

    One of two has still to mark something there, or a third person has to decide. Who reads of
    them may be that person.
    """
    pair = cast(Rating.id, String) + literal(" ", String) + RatingMark.kuk
    halves = (
        select(cast(Rating.kind, String).label("kind"), Rating.subject.label("subject"))
        .join(RatingMark, RatingMark.rating_id == Rating.id)
        .where(Rating.person_id.in_(people), Rating.annulled_at.is_(None))
        .group_by(Rating.kind, Rating.subject)
        .having(func.count(pair.distinct()) != rules.TWO * func.count(RatingMark.kuk.distinct()))
    )
    open_ = select(cast(Moderation.kind, String), Moderation.subject).where(
        Moderation.person_id.in_(people),
        Moderation.decided_at.is_(None),
        Moderation.dropped_at.is_(None),
    )
    both = halves.union(open_).subquery("sealed")
    return select(both.c.kind, both.c.subject)


@dataclass(frozen=True, slots=True)
class Sealed:
    """Things whose assessors and notes are not shown yet; see sealed_query."""

    things: frozenset[tuple[str, str]]

    @classmethod
    def parse(cls, text: str) -> "Sealed":
        """Read what another query brought along: a kind, a blank and a subject on each line."""
        pairs = (line.partition(" ") for line in text.splitlines())
        return cls(frozenset((kind, subject) for kind, _blank, subject in pairs))

    def hides(self, kind: EvidenceKind, group: str, ref: str) -> bool:
        """Tell whether a row of the ledger is about one of them."""
        return (kind.value, rules.subject_of(group, ref)) in self.things

    def hides_row(self, row: Evidence) -> bool:
        """Tell whether a row as it is stored is about one of them."""
        return self.hides(row.kind, row.group_key, row.ref)


def sealed(people: Collection[int]) -> Sealed:
    """Return what is not shown yet of these people. One query."""
    rows = db.session.execute(sealed_query(people))
    return Sealed(frozenset((row.kind, row.subject) for row in rows))


def has_open_dispute(about: About) -> bool:
    """Tell whether a third person still has to decide something here. One query."""
    return (
        db.session.scalar(
            select(Moderation.id)
            .where(
                Moderation.kind == about.kind,
                Moderation.subject == about.subject,
                Moderation.decided_at.is_(None),
                Moderation.dropped_at.is_(None),
            )
            .limit(1)
        )
        is not None
    )


# The third person


@dataclass(frozen=True, slots=True)
class Open:
    """One criterion on which two assessors differ."""

    public_id: str
    person_id: int
    person: str
    kind: EvidenceKind
    source: str
    kuk: str
    opened_at: datetime
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """Both marks with their notes; the names only once it is decided."""

    row: Moderation
    person: str
    zone: str | None
    marks: tuple[Mark, Mark]
    counts: int
    """Place of the mark that counts until then."""
    names: tuple[str, ...]
    """Of both assessors and of who decided; empty while it is open."""
    is_rater: bool
    """Whether the reader is one of the two."""


def disputes_query(viewer_id: int) -> Select[Any]:
    """Return a query of the open disputes somebody may decide: never one's own marks."""
    own = select(Rating.subject).where(
        Rating.rater_id == viewer_id,
        Rating.kind == Moderation.kind,
        Rating.subject == Moderation.subject,
        Rating.annulled_at.is_(None),
    )
    staffed = cohorts.staffed_by(viewer_id, *ASSESSORS)
    return select(Moderation).where(
        Moderation.decided_at.is_(None),
        Moderation.dropped_at.is_(None),
        Moderation.person_id.in_(
            select(Enrolment.person_id).where(Enrolment.cohort_id.in_(staffed))
        ),
        Moderation.person_id != viewer_id,
        Moderation.person_id.not_in(cohorts.conflicts_of(viewer_id)),
        ~own.exists(),
    )


def list_disputes(viewer_id: int) -> list[Open]:
    """Return what waits for a third person, the oldest first. Two queries."""
    rows = db.session.scalars(
        disputes_query(viewer_id).order_by(Moderation.opened_at, Moderation.id)
    ).all()
    names = accounts.names_of({row.person_id for row in rows}) if rows else {}
    return [
        Open(
            row.public_id,
            row.person_id,
            names[row.person_id],
            row.kind,
            row.source,
            row.kuk,
            row.opened_at,
            rules.due_at(row.opened_at, rules.MODERATION_DAYS),
        )
        for row in rows
    ]


def _dispute_row(public_id: str, viewer: Viewer, *, lock: bool = False) -> Moderation:
    query = select(Moderation).where(
        Moderation.public_id == public_id, Moderation.dropped_at.is_(None)
    )
    row = db.session.scalar(
        (query.with_for_update() if lock else query).execution_options(populate_existing=True)
    )
    if row is None or row.person_id not in cohorts.people_in_scope(viewer, *ASSESSORS):
        raise NotFound(public_id)
    cohorts.check_may_assess(viewer.id, row.person_id)
    return row


def get_dispute(public_id: str, viewer: Viewer) -> Dispute:
    """Return a dispute as somebody of the class sees it. Raises NotFound, cohorts.MayNotAssess.

    To one of the two assessors it shows both marks only once it is decided.
    """
    row = _dispute_row(public_id, viewer)
    given = given_by_subject(row.kind, [row.subject])[row.subject]
    pair = next(one for one in pairs_of(given) if one.kuk == row.kuk)
    is_rater = viewer.id in pair.raters
    if is_rater and row.decided_at is None:
        raise rules.NotThirdPerson(str(viewer.id))
    shown = (*pair.raters, row.moderator_id) if row.decided_at is not None else ()
    known = accounts.names_of([row.person_id, *(one for one in shown if one)])
    return Dispute(
        row=row,
        person=known[row.person_id],
        zone=cohorts.find_zone_of(row.person_id),
        marks=pair.marks,
        counts=pair.settled.counts,
        names=tuple(known[one] for one in shown if one),
        is_rater=is_rater,
    )


def moderate(
    public_id: str, viewer: Viewer, *, level: int, act: str, reason: str, now: datetime
) -> Moderation:
    """Decide between two marks: a new row of the ledger takes the place of the lower one. Flushes.

    Raises NotFound, cohorts.MayNotAssess, rules.NotThirdPerson, NoReason, AlreadySettled.
    """
    row = _dispute_row(public_id, viewer, lock=True)
    given = given_by_subject(row.kind, [row.subject])[row.subject]
    rules.check_third(viewer.id, [one.rater_id for one in given])
    said = rules.check_reason(reason)
    current = standing_row(row.person_id, row.kind, row.subject, row.kuk)
    if current is None or level not in rules.LEVELS:
        raise rules.AlreadySettled(public_id)  # voided meanwhile: nothing counts any more
    decided = db.session.execute(
        update(Moderation)
        .where(Moderation.id == row.id, Moderation.decided_at.is_(None))
        .values(moderator_id=viewer.id, mark=level, act=act, reason=said, decided_at=now),
        execution_options={"synchronize_session": False},
    )
    if typed("CursorResult[Any]", decided).rowcount != 1:
        raise rules.AlreadySettled(public_id)
    replace(
        current,
        Mark(level, act, said),
        ref=MODERATED,
        raters=rules.TWO + 1,
        by_id=viewer.id,
        now=now,
    )
    audit.record(
        "ratings.moderate", f"moderation:{row.id}", actor_id=viewer.id, now=now, kuk=row.kuk
    )
    return row


def standing_row(person_id: int, kind: EvidenceKind, subject: str, kuk: str) -> Evidence | None:
    """Return the row of the ledger that counts for one marked thing, or None. One query."""
    group, _slash, place = subject.partition("/")
    query = select(Evidence).where(
        Evidence.person_id == person_id,
        Evidence.kind == kind,
        Evidence.group_key == group,
        Evidence.kuk == kuk,
        Evidence.id.not_in(select(EvidenceVoid.evidence_id)),
    )
    if place:
        query = query.where((Evidence.ref == place) | Evidence.ref.startswith(place + "/"))
    return db.session.scalars(query.order_by(Evidence.id.desc()).limit(1)).first()


def replace(row: Evidence, mark: Mark, *, ref: str, raters: int, by_id: int, now: datetime) -> None:
    """Append a row that takes the place of `row`: the same moment, another mark. Flushes."""
    parts = {EvidenceKind.OBS: 2, EvidenceKind.Q: 1}.get(row.kind, 0)
    place = "/".join(row.ref.split("/")[:parts])
    fact = competency.NewEvidence(
        person_id=row.person_id,
        kind=row.kind,
        kuk=row.kuk,
        source=row.source,
        group=row.group_key,
        ref=f"{place}/{ref}" if place else ref,
        passed=_passes(row, mark) if row.kind is EvidenceKind.Q else None,
        mark=mark.level,
        harmful=bool(mark.act),
        replaces=row.id,
        assessor_id=by_id,
        raters=raters,
        note=mark.note,
        # What was seen or handed in is as old as it was; only its mark is new.
        happened_at=row.happened_at,
    )
    competency.append([fact], standard_id=row.standard_version_id, now=now)


def _passes(row: Evidence, mark: Mark) -> bool:
    """Tell whether a mark of an essay passes, by the standard its sitting was marked by."""
    kuk = competency.version(row.standard_version_id).standard.kuk.get(row.kuk)
    return rules.passes(mark.level, critical=kuk is not None and kuk.critical)


def corrections(person_id: int, kind: EvidenceKind, source: str) -> dict[tuple[str, str], Evidence]:
    """Return the rows that took the place of a mark, by group and criterion. One query."""
    rows = db.session.scalars(
        select(Evidence)
        .where(
            Evidence.person_id == person_id,
            Evidence.kind == kind,
            Evidence.source == source,
            Evidence.replaces_id.is_not(None),
        )
        .order_by(Evidence.id)
    )
    return {(row.group_key, row.kuk): row for row in rows}


# What waits


@dataclass(frozen=True, slots=True)
class Half:
    """Something one assessor has marked and a second one has not."""

    person_id: int
    person: str
    kind: EvidenceKind
    subject: str
    source: str
    since: datetime
    due_at: datetime


def list_halves(viewer_id: int) -> list[Half]:
    """Return what waits for a second assessor in somebody's classes, the oldest first. Two queries.

    It tells that one mark is in, never which or whose.
    """
    staffed = cohorts.staffed_by(viewer_id, *ASSESSORS)
    rows = db.session.execute(
        select(
            Rating.kind,
            Rating.subject,
            Rating.source,
            Rating.person_id,
            func.min(Rating.began_at).label("since"),
        )
        .where(
            Rating.annulled_at.is_(None),
            Rating.person_id.in_(
                select(Enrolment.person_id).where(Enrolment.cohort_id.in_(staffed))
            ),
            Rating.person_id != viewer_id,
            Rating.person_id.not_in(cohorts.conflicts_of(viewer_id)),
        )
        .group_by(Rating.kind, Rating.subject, Rating.source, Rating.person_id)
        .having(func.count() < rules.TWO)
        .order_by(func.min(Rating.began_at))
    ).all()
    names = accounts.names_of({row.person_id for row in rows}) if rows else {}
    return [
        Half(
            row.person_id,
            names[row.person_id],
            row.kind,
            row.subject,
            row.source,
            row.since,
            rules.due_at(row.since, rules.SECOND_DAYS),
        )
        for row in rows
    ]


@dataclass(frozen=True, slots=True)
class Waiting:
    """How much waits on the desk of moderation for one assessor."""

    disputes: int
    seconds: int
    """Stations one of two has marked, and this assessor has not; the rest is in their queues."""
    appeals: int

    @property
    def count(self) -> int:
        """All of it."""
        return self.disputes + self.seconds + self.appeals


def seconds_query(viewer_id: int) -> Select[Any]:
    """Return a query of the stations in somebody's classes that wait for their second mark."""
    own = aliased(Rating)
    mine = select(own.id).where(
        own.kind == Rating.kind,
        own.subject == Rating.subject,
        own.rater_id == viewer_id,
        own.annulled_at.is_(None),
    )
    staffed = cohorts.staffed_by(viewer_id, *ASSESSORS)
    return (
        select(Rating.subject)
        .where(
            Rating.kind == EvidenceKind.OBS,
            Rating.annulled_at.is_(None),
            Rating.person_id.in_(
                select(Enrolment.person_id).where(Enrolment.cohort_id.in_(staffed))
            ),
            Rating.person_id != viewer_id,
            Rating.person_id.not_in(cohorts.conflicts_of(viewer_id)),
            ~mine.exists(),
        )
        .group_by(Rating.subject)
        .having(func.count() < rules.TWO)
    )


@dataclass(frozen=True, slots=True)
class Both:
    """What two assessors gave for one criterion of one thing, in the order they came."""

    kind: EvidenceKind
    source: str
    kuk: str
    raters: tuple[int, int]
    levels: tuple[int, int]
    """A harmful act is 0."""


def list_both() -> list[Both]:
    """Return every pair of marks there is. One query; it grows with the pairs."""
    rows = db.session.execute(
        select(
            Rating.kind,
            Rating.subject,
            Rating.source,
            Rating.slot,
            Rating.rater_id,
            RatingMark.kuk,
            RatingMark.mark,
            RatingMark.act,
        )
        .join(RatingMark, RatingMark.rating_id == Rating.id)
        .where(Rating.annulled_at.is_(None))
        .order_by(Rating.kind, Rating.source, RatingMark.kuk, Rating.subject, RatingMark.id)
    )
    found: dict[tuple[EvidenceKind, str, str, str], dict[int, tuple[int, int]]] = {}
    for row in rows:
        key = (row.kind, row.source, row.kuk, row.subject)
        found.setdefault(key, {})[row.slot] = (row.rater_id, 0 if row.act else row.mark)
    return [
        Both(kind, source, kuk, (one[1][0], one[2][0]), (one[1][1], one[2][1]))
        for (kind, source, kuk, _subject), one in found.items()
        if len(one) == rules.TWO
    ]
