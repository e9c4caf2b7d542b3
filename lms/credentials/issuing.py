"""The certificates of a whole class as one job: what waits, how far it is, what came of it.

The job is in `lms.core.jobs`; each item is one decision. Its certificate and the item are written
in one transaction, so a worker may die anywhere: what is missing is made later, nothing twice.
"""

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from lms.accounts import services as accounts
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort
from lms.core import audit, jobs
from lms.core.db import db
from lms.core.errors import DomainError, NotFound
from lms.core.jobs import Handler, Progress, Task
from lms.core.models import ItemState, JobItem
from lms.credentials import services
from lms.credentials.models import Certificate, Decision, Document, Proposal, ProposalState
from lms.credentials.rules import ISSUE
from lms.credentials.schemes import get_scheme

PER_FILE = 200
"""Papers in one ZIP file: about 10 MB."""
PAGE = 50


class NothingWaits(DomainError):
    """No decision of the class waits for its certificate."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One decision that waits for its certificate, as it will be printed."""

    decision_id: int
    public_id: str
    name: str
    """Printed so."""
    signed_name: str
    """As it was when it was signed."""
    organisation: str
    decided_at: datetime
    language: str

    @property
    def name_changed(self) -> bool:
        """Tell whether the name is not the one that was signed."""
        return self.name != self.signed_name


@dataclass(frozen=True, slots=True)
class Result:
    """One settled item of a job."""

    name: str
    public_id: str
    scheme: str
    state: ItemState
    problem: str
    detail: str
    number: str
    code: str


def subject_of(cohort_id: int, scheme_code: str) -> str:
    """Return what a job of this class and scheme is about."""
    return f"cohort:{cohort_id}:{scheme_code}"


def list_waiting(cohort: Cohort, scheme_code: str) -> list[Waiting]:
    """Return the decisions of a class without a certificate, by name. Two queries.

    Raises NotFound.
    """
    get_scheme(scheme_code)
    seats = {seat.person_id: seat for seat in cohorts.list_seats(cohort.id)}
    rows = db.session.execute(
        select(
            Proposal.decision_id,
            Proposal.person_id,
            Proposal.holder_name,
            Proposal.language,
            Decision.decided_at,
        )
        .join(Decision, Decision.id == Proposal.decision_id)
        .where(
            Proposal.cohort_id == cohort.id,
            Proposal.scheme_code == scheme_code,
            Proposal.state == ProposalState.DECIDED,
        )
        .order_by(Proposal.id)
    ).all()
    found = [
        Waiting(
            row.decision_id,
            seats[row.person_id].public_id,
            seats[row.person_id].name,
            row.holder_name,
            seats[row.person_id].organisation,
            row.decided_at,
            row.language,
        )
        for row in rows
        if row.person_id in seats
    ]
    return sorted(found, key=lambda one: (one.name, one.decision_id))


def start(
    cohort: Cohort,
    scheme_code: str,
    *,
    by_id: int,
    base_url: str,
    sample: bool,
    now: datetime,
) -> str:
    """Begin the issue of everything that waits, in the order of names. Returns the job's id.

    Raises NotFound, NothingWaits, jobs.AlreadyOpen. Flushes.
    """
    waiting = list_waiting(cohort, scheme_code)
    if not waiting:
        raise NothingWaits(scheme_code)
    public_id = jobs.open_job(
        ISSUE,
        subject_of(cohort.id, scheme_code),
        [str(one.decision_id) for one in waiting],
        detail={"base_url": base_url, "sample": sample},
        by_id=by_id,
        now=now,
    )
    audit.record(
        "credentials.issue_all",
        f"cohort:{cohort.id}",
        actor_id=by_id,
        now=now,
        scheme=scheme_code,
        job=public_id,
        count=len(waiting),
    )
    return public_id


def _prepare(task: Task, now: datetime) -> services.Drawn:
    return services.draft(int(task.subject), now=now, **_settings(task))


def _apply(task: Task, drawn: services.Drawn | None, now: datetime) -> None:
    services.issue(
        int(task.subject), by_id=task.created_by, now=now, drawn=drawn, **_settings(task)
    )


def _settings(task: Task) -> dict[str, Any]:
    return {"base_url": task.detail["base_url"], "sample": task.detail["sample"]}


HANDLER = Handler(apply=_apply, prepare=_prepare)


# How far it is


def get_progress(cohort: Cohort, job_id: str) -> tuple[Progress, str]:
    """Return how far a job of this class is, and its scheme. One query. Raises NotFound."""
    found = jobs.get_progress(job_id, ISSUE)
    about, _, scheme = found.subject.rpartition(":")
    if about != f"cohort:{cohort.id}":
        raise NotFound(job_id)
    return found, scheme


def list_jobs(cohort: Cohort, scheme_code: str) -> list[Progress]:
    """Return the jobs of a class and scheme, newest first. One query."""
    return jobs.list_jobs(ISSUE, subject_of(cohort.id, scheme_code))


def list_results(job_id: int, state: ItemState, *, page: int = 1, size: int = PAGE) -> list[Result]:
    """Return one page of the items of a job in one state, in order. Two queries."""
    rows = _rows(job_id, state).offset((page - 1) * size).limit(size)
    items = db.session.scalars(rows).all()
    decisions = {
        row.id: row
        for row in db.session.execute(
            select(
                Decision.id,
                Decision.person_id,
                Decision.scheme_code,
                Certificate.number,
                Certificate.code,
            )
            .join(
                Certificate,
                (Certificate.decision_id == Decision.id) & (Certificate.revision == 0),
                isouter=True,
            )
            .where(Decision.id.in_([int(item.subject) for item in items]))
        )
    }
    people = accounts.people_of(row.person_id for row in decisions.values())
    return [_result(item, decisions[int(item.subject)], people) for item in items]


def _rows(job_id: int, state: ItemState) -> Any:
    return (
        select(JobItem)
        .where(JobItem.job_id == job_id, JobItem.state == state)
        .order_by(JobItem.position)
    )


def _result(item: JobItem, decision: Any, people: dict[int, tuple[str, str]]) -> Result:
    public_id, name = people.get(decision.person_id, ("", "–"))
    return Result(
        name,
        public_id,
        decision.scheme_code,
        item.state,
        item.problem,
        item.detail,
        decision.number or "",
        decision.code or "",
    )


# All papers in one file


def zip_papers(job_id: int, part: int, about: str = "") -> Iterator[bytes]:
    """Yield a ZIP file of the papers a job made: part 1 holds the first PER_FILE of them.

    `about` is what the file says of itself; the papers are as they were issued.

    One paper is read at a time, and nothing is packed: a PDF is packed already.
    """
    made = list_results(job_id, ItemState.DONE, page=part, size=PER_FILE)
    codes = [one.code for one in made]
    outlet = _Outlet()
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as file:
        for n, code in enumerate(codes, (part - 1) * PER_FILE + 1):
            # A neutral name: the file may stay on a shared device.
            name = zipfile.ZipInfo(f"{n:04d}-{code}.pdf")
            file.writestr(name, _paper(code))
            db.session.rollback()  # a slow download holds no transaction
            yield outlet.take()
        if about:
            file.writestr(zipfile.ZipInfo("tentang-berkas-ini.txt"), about)
    yield outlet.take()


def parts_of(progress: Progress) -> int:
    """Return how many ZIP files hold the papers of a job."""
    return -(-progress.done // PER_FILE)


def _paper(code: str) -> bytes:
    body = db.session.scalar(
        select(Document.body)
        .join(Certificate, Certificate.document_sha256 == Document.sha256)
        .where(Certificate.code == code)
    )
    return body or b""


class _Outlet(io.RawIOBase):
    """A file that only goes forward: what is written is taken away piece by piece."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._at = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._pieces.append(piece)
        self._at += len(piece)
        return len(piece)

    def tell(self) -> int:
        return self._at

    def take(self) -> bytes:
        """Return what was written since the last time."""
        found = b"".join(self._pieces)
        self._pieces.clear()
        return found
