"""Does what is stored twice agree? Facts are counted again, and what follows from them compared.

A sitting is marked again from its own answers and compared with the evidence it gave; certificates
with their decisions, papers and numbers; seats with invitations; attendance with its evidence. A
client's ledger of acknowledged answers shows whether one was lost. It only reads.
"""

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from lms.accounts.models import Person
from lms.cohorts.models import ClassSession, CohortStaff, Enrolment, Invitation
from lms.competency.models import Evidence, EvidenceVoid
from lms.competency.rules import EvidenceKind
from lms.core.db import db
from lms.credentials.models import Certificate, Decision, Document, NumberCounter
from lms.practice.attendance import rules as attendance_rules
from lms.practice.attendance.models import Attendance, Way
from lms.practice.attendance.rules import Half
from lms.quizzes import keys
from lms.quizzes import rules as quiz_rules
from lms.quizzes.models import (
    AnswerEvent,
    AnswerMark,
    Attempt,
    AttemptItem,
    Item,
    ItemVersion,
    Quiz,
)
from lms.quizzes.receipts import Acknowledged, is_genuine
from lms.quizzes.types import stored
from lms.ratings.services import MODERATED

BATCH = 200
"""Sittings compared at once."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Two things that should agree and do not."""

    about: str
    subject: str
    says: str


@dataclass(slots=True)
class Ledger:
    """A client's list of acknowledged answers, compared with what is stored."""

    acked: int = 0
    lost: int = 0
    altered: int = 0
    duplicated: int = 0
    bad_receipts: int = 0

    def is_good(self, floor: int) -> bool:
        """Tell whether every acknowledged answer is there, once, as it was acknowledged."""
        wrong = self.lost + self.altered + self.duplicated + self.bad_receipts
        return self.acked >= floor and not wrong


@dataclass(slots=True)
class Report:
    """What was compared, what does not agree, and what somebody should look at."""

    counts: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    notes: list[Problem] = field(default_factory=list)
    """May be right: a timetable was changed after the class, a seat was given up."""
    ledger: Ledger | None = None

    def as_dict(self, floor: int) -> dict[str, Any]:
        """Return it for a program."""
        return {
            "agrees": self.agrees(floor),
            "counts": dict(self.counts),
            "problems": [asdict(one) for one in self.problems],
            "notes": [asdict(one) for one in self.notes],
            "ledger": asdict(self.ledger) if self.ledger else None,
        }

    def agrees(self, floor: int = 1) -> bool:
        """Tell whether nothing is wrong; a ledger of fewer than `floor` answers proves nothing."""
        return not self.problems and (self.ledger is None or self.ledger.is_good(floor))


def reconcile() -> Report:
    """Compare everything. Cost grows with the answers stored; memory does not."""
    report = Report()
    report.problems += _sittings(report.counts)
    report.problems += _duplicates()
    report.problems += _certificates(report.counts)
    report.problems += _numbers(report.counts)
    report.notes += _seats(report.counts)
    report.notes += _attendance(report.counts)
    return report


# Sittings and their evidence


def _sittings(counts: Counter[str]) -> Iterator[Problem]:
    last = 0
    while True:
        attempts = db.session.execute(
            select(Attempt.id, Attempt.public_id, Attempt.person_id, Attempt.closed_at)
            .join(Quiz, Quiz.id == Attempt.quiz_id)
            .where(Attempt.id > last, Attempt.closed_at.is_not(None), Quiz.for_class.is_(False))
            .order_by(Attempt.id)
            .limit(BATCH)
        ).all()
        if not attempts:
            break
        last = attempts[-1].id
        counts["sittings"] += len(attempts)
        yield from _compare(
            [(a.id, a.public_id, a.person_id, a.closed_at) for a in attempts], counts
        )
    closed = (
        select(Attempt.public_id)
        .join(Quiz, Quiz.id == Attempt.quiz_id)
        .where(Attempt.closed_at.is_not(None), Quiz.for_class.is_(False))
    )
    orphans = db.session.scalars(
        select(Evidence.group_key)
        .where(Evidence.kind == EvidenceKind.Q, Evidence.group_key.not_in(closed))
        .distinct()
    )
    for group in orphans:
        yield Problem("sitting", group, "has evidence and is not closed, or is not there")


Closed = tuple[int, str, int, datetime]
"""Id, public id, person and closing time of a sitting."""


def _compare(attempts: Sequence[Closed], counts: Counter[str]) -> Iterator[Problem]:
    """Mark a batch of sittings again; four queries."""
    drawn = _drawn(attempts)
    events = _events([one[0] for one in attempts])
    stored = _stored([one[1] for one in attempts])
    for number, public_id, person_id, closed_at in attempts:
        mine = events.get(number, [])
        counts["answers"] += len(mine)
        if any(event.at > closed_at for event in mine):
            yield Problem("sitting", public_id, "has an answer from after it was closed")
        found = stored.get(public_id, {})
        wordings = {ref for ref, _kuk in found}
        asked = [one for one in drawn.get(number, []) if one.is_marked(wordings)]
        marks = quiz_rules.score_attempt([one.question for one in asked], quiz_rules.latest(mine))
        wanted = {
            (str(mark.question.version), mark.question.kuk): mark.right
            for mark in marks
            if mark.counts
        }
        counts["marks"] += len(found)
        if {person for person, _passed in found.values()} - {person_id}:
            yield Problem("sitting", public_id, "gave evidence to somebody else")
        marked = {key: passed for key, (_person, passed) in found.items()}
        if missing := wanted.keys() - marked.keys():
            yield Problem("sitting", public_id, f"{len(missing)} of its marks are missing")
        if more := marked.keys() - wanted.keys():
            yield Problem("sitting", public_id, f"{len(more)} marks are of nothing it asked")
        if wrong := [key for key in wanted.keys() & marked.keys() if wanted[key] != marked[key]]:
            yield Problem("sitting", public_id, f"{len(wrong)} marks differ from its answers")


@dataclass(frozen=True, slots=True)
class _Asked:
    """One question of a sitting, in one of the wordings it may have been marked by."""

    question: quiz_rules.Drawn
    instead: frozenset[str]
    """The other wordings of its chain of corrections."""

    def is_marked(self, stored: set[str]) -> bool:
        """Tell whether a mark by this wording is to be expected.

        Of a corrected question every mark there is has to be right, and one has to be there.
        """
        return str(self.question.version) in stored or not self.instead & stored


def _drawn(attempts: Sequence[Closed]) -> dict[int, list[_Asked]]:
    """Return the questions of sittings, corrected ones once for each wording; three queries."""
    closed_at = {one[0]: one[3] for one in attempts}
    rows = db.session.execute(
        select(
            AttemptItem.attempt_id,
            AttemptItem.id,
            AttemptItem.item_version_id,
            AttemptItem.option_order,
            ItemVersion.item_id,
            ItemVersion.key,
            ItemVersion.kind,
            ItemVersion.stem,
            ItemVersion.body,
            Item.kuk,
            Item.withdrawn_at,
            AnswerMark.level,
            AnswerMark.passed,
        )
        .join(ItemVersion, ItemVersion.id == AttemptItem.item_version_id)
        .join(Item, Item.id == ItemVersion.item_id)
        .join(AnswerMark, AnswerMark.attempt_item_id == AttemptItem.id, isouter=True)
        .where(AttemptItem.attempt_id.in_(closed_at))
    ).all()
    chains = keys.chains({row.item_id for row in rows})
    corrected = {s.corrected for steps in chains.values() for s in steps if s.corrected is not None}
    known = keys.keys_of(corrected)
    found: dict[int, list[_Asked]] = defaultdict(list)
    for row in rows:
        steps = chains.get(row.item_version_id, ())
        closed = closed_at[row.attempt_id]
        withdrawn = row.withdrawn_at is not None and row.withdrawn_at <= closed
        withdrawn = withdrawn or any(s.corrected is None and s.at <= closed for s in steps)
        wordings = {row.item_version_id: (row.key, row.body)} | {
            s.corrected: (known[s.corrected].key, known[s.corrected].body)
            for s in steps
            if s.corrected is not None
        }
        for version, (key, body) in wordings.items():
            question = quiz_rules.Drawn(
                id=row.id,
                version=version,
                kuk=row.kuk,
                order=row.option_order,
                key=key,
                withdrawn=withdrawn,
                asked=stored.find(row.kind, row.stem, body),
                by_hand=None if row.level is None else quiz_rules.ByHand(row.level, row.passed),
            )
            others = frozenset(str(one) for one in wordings.keys() - {version})
            found[row.attempt_id].append(_Asked(question, others))
    return found


def _events(attempt_ids: Sequence[int]) -> dict[int, list[quiz_rules.Event]]:
    rows = db.session.execute(
        select(
            AnswerEvent.attempt_id,
            AnswerEvent.id,
            AnswerEvent.attempt_item_id,
            AnswerEvent.seq,
            AnswerEvent.choice,
            AnswerEvent.flagged,
            AnswerEvent.received_at,
            AnswerEvent.response,
        ).where(AnswerEvent.attempt_id.in_(attempt_ids))
    )
    found: dict[int, list[quiz_rules.Event]] = defaultdict(list)
    for row in rows:
        found[row.attempt_id].append(
            quiz_rules.Event(
                row.id,
                row.attempt_item_id,
                row.seq,
                row.choice,
                row.flagged,
                row.received_at,
                row.response,
            )
        )
    return found


def _stored(groups: Sequence[str]) -> dict[str, dict[tuple[str, str], tuple[int, bool | None]]]:
    rows = db.session.execute(
        select(
            Evidence.group_key, Evidence.ref, Evidence.kuk, Evidence.person_id, Evidence.passed
        ).where(
            Evidence.kind == EvidenceKind.Q,
            Evidence.group_key.in_(groups),
            # What a third person decided stands beside the mark it took the place of.
            ~Evidence.ref.endswith(f"/{MODERATED}", autoescape=True),
        )
    )
    found: dict[str, dict[tuple[str, str], tuple[int, bool | None]]] = defaultdict(dict)
    for row in rows:
        found[row.group_key][row.ref, row.kuk] = (row.person_id, row.passed)
    return found


def _duplicates() -> Iterator[Problem]:
    """Look for what the keys of the database forbid; a table without its key would let it in."""
    keys: dict[str, tuple[Any, ...]] = {
        "answer": (AnswerEvent.attempt_id, AnswerEvent.client_key),
        "evidence": (
            Evidence.person_id,
            Evidence.kind,
            Evidence.group_key,
            Evidence.kuk,
            Evidence.ref,
        ),
        "sitting": (Attempt.quiz_id, Attempt.person_id, Attempt.number),
        "certificate": (Certificate.issuer_id, Certificate.number, Certificate.revision),
        "seat": (Enrolment.cohort_id, Enrolment.person_id),
    }
    for about, columns in keys.items():
        twice = select(*columns).group_by(*columns).having(func.count() > 1).limit(20)
        for row in db.session.execute(twice):
            yield Problem(about, ", ".join(str(value) for value in row), "is there twice")


# Certificates


def _certificates(counts: Counter[str]) -> Iterator[Problem]:
    rows = db.session.execute(
        select(Certificate, Decision, Document.sha256)
        .join(Decision, Decision.id == Certificate.decision_id, isouter=True)
        .join(Document, Document.sha256 == Certificate.document_sha256, isouter=True)
        .order_by(Certificate.id)
        .execution_options(yield_per=BATCH)
    )
    for certificate, decision, paper in rows:
        counts["certificates"] += 1
        if decision is None:
            yield Problem("certificate", certificate.number, "has no decision")
        elif (decision.person_id, decision.scheme_code, decision.standard_version_id) != (
            certificate.person_id,
            certificate.scheme_code,
            certificate.standard_version_id,
        ):
            yield Problem("certificate", certificate.number, "is not what was decided")
        elif certificate.issued_at < decision.decided_at:
            yield Problem("certificate", certificate.number, "is older than its decision")
        if paper is None:
            yield Problem("certificate", certificate.number, "has no paper")
    papers = select(Document.sha256, Document.body).execution_options(yield_per=50)
    for row in db.session.execute(papers):
        counts["papers"] += 1
        if hashlib.sha256(row.body).hexdigest() != row.sha256:
            yield Problem("paper", row.sha256, "is not what was issued")


def _numbers(counts: Counter[str]) -> Iterator[Problem]:
    """Compare the last number given with how many certificates there are: gaps and inventions."""
    issued = {
        (row.issuer_id, row.scheme_code): row.n
        for row in db.session.execute(
            select(Certificate.issuer_id, Certificate.scheme_code, func.count().label("n"))
            .where(Certificate.revision == 0)
            .group_by(Certificate.issuer_id, Certificate.scheme_code)
        )
    }
    given = {
        (row.issuer_id, row.scheme_code): int(row.n)
        for row in db.session.execute(
            select(
                NumberCounter.issuer_id,
                NumberCounter.scheme_code,
                func.sum(NumberCounter.last).label("n"),
            ).group_by(NumberCounter.issuer_id, NumberCounter.scheme_code)
        )
    }
    for key in sorted(issued.keys() | given.keys()):
        counts["number sequences"] += 1
        if issued.get(key, 0) != given.get(key, 0):
            says = f"{given.get(key, 0)} numbers were given, {issued.get(key, 0)} are in use"
            yield Problem("numbers", f"issuer {key[0]}, {key[1]}", says)


# Classes


def _seats(counts: Counter[str]) -> Iterator[Problem]:
    """Find accepted invitations to a class that left neither a seat nor a part in it."""
    rows = db.session.execute(
        select(Invitation.id, Invitation.cohort_id, Enrolment.id, CohortStaff.person_id)
        .join(Person, Person.id == Invitation.person_id)
        .join(
            Enrolment,
            (Enrolment.cohort_id == Invitation.cohort_id)
            & (Enrolment.person_id == Invitation.person_id),
            isouter=True,
        )
        .join(
            CohortStaff,
            (CohortStaff.cohort_id == Invitation.cohort_id)
            & (CohortStaff.person_id == Invitation.person_id),
            isouter=True,
        )
        .where(Invitation.accepted_at.is_not(None), Invitation.cohort_id.is_not(None))
    )
    for invitation, cohort, seat, part in rows:
        counts["accepted invitations"] += 1
        if seat is None and part is None:
            yield Problem("invitation", str(invitation), f"is accepted, without a seat in {cohort}")


def _attendance(counts: Counter[str]) -> Iterator[Problem]:
    """Compare the newest notes of each class with the attendance its evidence speaks of."""
    sessions: dict[int, list[tuple[Half, str | None]]] = defaultdict(list)
    for row in db.session.execute(
        select(
            ClassSession.cohort_id, ClassSession.day, ClassSession.half, ClassSession.lesson_code
        ).where(ClassSession.removed_at.is_(None))
    ):
        sessions[row.cohort_id].append((Half(row.day, row.half), row.lesson_code))
    for cohort_id, timetable in sorted(sessions.items()):
        lessons = attendance_rules.lesson_halves(timetable)
        if not lessons:
            continue
        counts["classes"] += 1
        wanted = {
            (person, lesson)
            for person, halves in _present(cohort_id).items()
            for lesson in attendance_rules.attended(lessons, halves)
        }
        stated = _stated_attendance(cohort_id)
        for person, lesson in sorted(wanted ^ stated):
            side = "without" if (person, lesson) in wanted else "not, but there is"
            yield Problem(
                "attendance",
                f"person {person}, class {cohort_id}",
                f"{lesson}: attended {side} evidence",
            )


def _present(cohort_id: int) -> dict[int, set[Half]]:
    """Return who attended which half days. What is noted at the door counts with the seat only."""
    seated = select(Enrolment.person_id).where(Enrolment.cohort_id == cohort_id)
    newest = (
        select(func.max(Attendance.id))
        .where(Attendance.cohort_id == cohort_id)
        .group_by(Attendance.person_id, Attendance.day, Attendance.half)
    )
    found: dict[int, set[Half]] = defaultdict(set)
    query = select(Attendance).where(
        Attendance.id.in_(newest),
        (Attendance.way != Way.DOOR) | Attendance.person_id.in_(seated),
    )
    for row in db.session.scalars(query):
        if row.presence.counts:
            found[row.person_id].add(Half(row.day, row.half))
    return found


def _stated_attendance(cohort_id: int) -> set[tuple[int, str]]:
    rows = db.session.execute(
        select(Evidence.person_id, Evidence.source)
        .join(EvidenceVoid, EvidenceVoid.evidence_id == Evidence.id, isouter=True)
        .where(
            Evidence.kind == EvidenceKind.HDR,
            Evidence.group_key == f"cohort:{cohort_id}",
            EvidenceVoid.id.is_(None),
        )
    )
    return {(row.person_id, row.source) for row in rows}


# A client's ledger


def compare_ledger(path: Path, secret: str) -> Ledger:
    """Compare a client's file of acknowledged answers, one JSON object per line, with the tables.

    Each line has attempt, soal, client_key, choice, flagged, at, receipt: what was sent, and what
    the answer to it said. Raises ValueError for a line that is none.
    """
    ledger = Ledger()
    with path.open(encoding="utf-8") as lines:
        while part := list(islice(lines, BATCH)):
            entries = [_entry(line) for line in part if line.strip()]
            ledger.acked += len(entries)
            _check_entries(ledger, entries, secret)
    return ledger


def _entry(line: str) -> tuple[Acknowledged, str]:
    found = json.loads(line)
    try:
        return (
            Acknowledged(
                attempt=found["attempt"],
                soal=found["soal"],
                client_key=found["client_key"],
                choice=found["choice"],
                flagged=found["flagged"],
                response=found.get("response"),
                at=datetime.fromisoformat(found["at"]),
            ),
            found["receipt"],
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a line of a ledger: {line[:80]}") from error


def _check_entries(
    ledger: Ledger, entries: Iterable[tuple[Acknowledged, str]], secret: str
) -> None:
    entries = list(entries)
    stored = _stored_answers([one for one, _receipt in entries])
    for one, receipt in entries:
        ledger.bad_receipts += not is_genuine(secret, one, receipt)
        rows = stored.get((one.attempt, one.client_key), [])
        ledger.lost += not rows
        ledger.duplicated += len(rows) > 1
        ledger.altered += (
            bool(rows)
            and (
                one.soal,
                one.choice,
                one.flagged,
                one.response,
                one.at,
            )
            not in rows
        )


Row = tuple[int, int | None, bool | None, Mapping[str, Any] | None, datetime]


def _stored_answers(entries: Sequence[Acknowledged]) -> dict[tuple[str, str], list[Row]]:
    rows = db.session.execute(
        select(
            Attempt.public_id,
            AnswerEvent.client_key,
            AttemptItem.position,
            AnswerEvent.choice,
            AnswerEvent.flagged,
            AnswerEvent.response,
            AnswerEvent.received_at,
        )
        .join(Attempt, Attempt.id == AnswerEvent.attempt_id)
        .join(AttemptItem, AttemptItem.id == AnswerEvent.attempt_item_id)
        .where(
            Attempt.public_id.in_({one.attempt for one in entries}),
            AnswerEvent.client_key.in_({one.client_key for one in entries}),
        )
    )
    found: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for row in rows:
        answer = (row.position, row.choice, row.flagged, row.response, row.received_at)
        found[row.public_id, row.client_key].append(answer)
    return found
