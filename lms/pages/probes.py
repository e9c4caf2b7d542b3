"""What machines ask about the installation: whether it is ready, and how full it is."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import func, select, text

from lms.core import mail, readonly, schema
from lms.core.db import db
from lms.core.meters import Gauge
from lms.core.models import ItemState, Job, JobItem


@dataclass(slots=True)
class Readiness:
    """What was looked at, in one word each; "ok" is good."""

    checks: dict[str, str] = field(default_factory=dict)

    @property
    def is_ready(self) -> bool:
        """Tell whether people can work: also save."""
        return set(self.checks.values()) == {"ok"}


def read_readiness() -> Readiness:
    """Look whether people can read and save. Raises SQLAlchemyError without a database.

    Writes nothing: a probe that wrote would wear the disk and wait for writers.
    """
    found = Readiness()
    current = schema.is_current(db.engine)
    found.checks["database"] = "ok"
    found.checks["tables"] = "ok" if current else "behind"
    found.checks["writes"] = "ok" if _takes_writes() else "refused"
    reason = readonly.gate().look()
    found.checks["disk"] = "full" if reason is readonly.Reason.DISK else "ok"
    found.checks["read_only"] = "on" if reason is readonly.Reason.SWITCH else "ok"
    return found


def _takes_writes() -> bool:
    if db.engine.dialect.name == "sqlite":
        name = db.engine.url.database or ""
        return os.access(name, os.W_OK) and os.access(os.path.dirname(name) or ".", os.W_OK)  # noqa: PTH120
    # A standby, or a server whose operator forbade writing.
    return bool(db.session.scalar(text("SHOW transaction_read_only")) == "off")


def gauges() -> Iterator[Gauge]:
    """Yield what is read at the moment somebody asks; three queries."""
    gate = readonly.gate()
    free = gate.free()
    if free is not None:
        yield Gauge("suluh_free_bytes", "Free on the disk of the database.", {"": free})
    yield Gauge("suluh_read_only", "1 while nothing is written.", {"": float(bool(gate.look()))})
    unsent = mail.count_unsent()
    yield Gauge(
        "suluh_mail",
        "Messages that have not gone out.",
        {"waiting": unsent.waiting, "stuck": unsent.stuck},
        "state",
    )
    jobs = db.session.scalar(select(func.count()).where(Job.finished_at.is_(None)))
    yield Gauge("suluh_jobs_open", "Jobs that are not finished.", {"": jobs or 0})
    problems = db.session.scalar(select(func.count()).where(JobItem.state == ItemState.PROBLEM))
    yield Gauge(
        "suluh_job_problems", "Items of jobs that ended with a problem.", {"": problems or 0}
    )
