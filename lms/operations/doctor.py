"""Is the installation healthy? Looks at everything that can be wrong, and says what to do.

It only reads. What is stored twice is compared by `reconcile`.
"""

import ctypes
import hashlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from pathlib import Path

from sqlalchemy import func, select, text

from lms.competency import services as competency
from lms.competency import summaries
from lms.config import Config
from lms.core import audit, mail, readonly, releases, schema
from lms.core.db import db
from lms.core.models import AuditEvent, ItemState, Job, JobItem, Mail
from lms.credentials.models import Certificate, Document
from lms.operations import backups, heads, preflight
from lms.panels import results as panels
from lms.quizzes.models import AnswerEvent

DAY = timedelta(days=1)
GIB = 1024**3
AHEAD = timedelta(minutes=2)
"""How far a stored moment may lie ahead of the clock."""
LATE_MAIL = timedelta(hours=1)
LATE_JOB = timedelta(minutes=10)


class State(StrEnum):
    """How serious a finding is."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found, and what to do about it."""

    about: str
    state: State
    says: str
    do: str = ""


Findings = Iterator[Finding]


def examine(config: Config, *, now: datetime, only: Collection[str] = ()) -> list[Finding]:
    """Look at everything, or at some things. A look that fails is itself a finding."""
    found: list[Finding] = []
    for about, look in _looks(config, now).items():
        if only and about not in only:
            continue
        try:
            mine = list(look(about))
            bad = any(one.state is State.BAD for one in mine)
            found += [one for one in mine if not (bad and one.state is State.GOOD)]
        except Exception as error:
            # The doctor has to come to the end whatever is broken, and say what.
            db.session.rollback()
            words = f"could not be looked at: {type(error).__name__}"
            found.append(Finding(about, State.BAD, words, "Mend what stands above, look again"))
    return found


def _looks(config: Config, now: datetime) -> dict[str, Callable[[str], Findings]]:
    return {
        "database": _database,
        "tables": _tables,
        "audit trail": partial(_trail, config),
        "disk": partial(_disk, config),
        "files": partial(_files, config),
        "content": partial(_content, config),
        "mail": partial(_mail, config, now),
        "jobs": partial(_jobs, now),
        "clock": partial(_clock, now),
        "backups": partial(_backups, config, now),
        "documents": _documents,
        "summaries": partial(_summaries, now),
    }


def _database(about: str) -> Findings:
    engine = db.engine
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection:
            read = {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
                for name in ("journal_mode", "synchronous", "foreign_keys", "quick_check")
            }
        wanted = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "quick_check": "ok"}
        for name, value in wanted.items():
            if read[name] != value:
                what = f"PRAGMA {name} is {read[name]}, not {value}"
                yield Finding(about, State.BAD, what, "Stop the server and restore a backup")
        kind = preflight.file_system_of(Path(engine.url.database or "").resolve())
        if kind in preflight.REMOTE:
            yield Finding(
                about, State.BAD, f"it lies on {kind}", "Move it to a disk of this machine"
            )
        yield Finding(about, State.GOOD, "SQLite answers and is whole")
        return
    for name, value in preflight.durability_of(engine).items():
        if value == "off":
            what = f"{name} is off: a power cut may lose or break what was saved"
            yield Finding(about, State.BAD, what, f"Set {name} = on in postgresql.conf")
    yield Finding(about, State.GOOD, "PostgreSQL answers")


def _tables(about: str) -> Findings:
    with db.engine.connect() as connection:
        revision = schema.revision_of(connection)
    if revision != schema.head():
        what = f"they are at {revision}, this version needs {schema.head()}"
        yield Finding(
            about, State.BAD, what, "Stop the server, run ./run (it backs up, then migrates)"
        )
        return
    try:
        schema.check(db.engine)
    except schema.WrongSchema as error:
        yield Finding(about, State.BAD, str(error), "Undo the change, or restore a backup")
    for line in schema.differences(db.engine):
        yield Finding(about, State.BAD, f"unlike the models: {line}", "Undo the change by hand")
    yield Finding(about, State.GOOD, f"at {revision}")


def _trail(config: Config, about: str) -> Findings:
    broken = audit.verify()
    head = audit.head()
    if broken is not None:
        where = f"event {broken.event_id}" if broken.event_id else "its end"
        advice = "Somebody changed it beside Suluh. Compare with a backup; see docs/operate.md"
        yield Finding(about, State.BAD, f"the chain breaks at {where}: {broken.why}", advice)
    given_up = heads.given_up(config)
    written = {one.head for one in heads.known(config)} - given_up
    if given_up:
        what = f"{len(given_up)} heads were given up by restoring an older backup"
        yield Finding(about, State.NOTE, what)
    for lost in heads.not_found_again(sorted(written, key=lambda one: one.count)):
        what = f"it once had {lost.count} events and ended in {lost.hash[:16]}…, and has not now"
        advice = "It was rewritten, cut off, or an older backup was restored. Find out which"
        yield Finding(about, State.BAD, what, advice)
    yield Finding(about, State.GOOD, f"{head.count} events, head {head.hash}")


def _disk(config: Config, about: str) -> Findings:
    gate = readonly.gate()
    reason, free = gate.look(), gate.free()
    if reason is readonly.Reason.SWITCH:
        yield Finding(about, State.NOTE, "read-only by the operator", "./run cli read-only off")
    if free is None:
        yield Finding(about, State.GOOD, "the database's disk is another machine's: watch it there")
        return
    mib = free // 1024**2
    if free < gate.reserve:
        what = f"{mib} MiB are free, {config.reserve_mib} are the reserve: nothing is written"
        yield Finding(about, State.BAD, what, "Make room; writing begins again by itself")
    elif free < max(GIB, 10 * gate.reserve):
        yield Finding(about, State.NOTE, f"only {mib} MiB are free", "Make room soon")
    else:
        yield Finding(about, State.GOOD, f"{mib} MiB are free")


def _files(config: Config, about: str) -> Findings:
    watched = [config.database_file]
    if config.folder is not None:
        kept = config.folder / "backups"
        watched += [config.folder / "secret-key", kept, *backups.list_backups(kept)]
        if config.folder.exists() and config.folder.stat().st_mode & 0o077:
            yield Finding(
                about, State.BAD, f"others may enter {config.folder}", f"chmod 700 {config.folder}"
            )
    for path in watched:
        if path is None or not path.exists():
            continue
        if path.stat().st_mode & path.parent.stat().st_mode & 0o077:
            yield Finding(about, State.BAD, f"others may read {path}", f"chmod go= {path}")
    yield Finding(about, State.GOOD, "modes looked at")


def _content(config: Config, about: str) -> Findings:
    latest = releases.latest()
    if latest is None:
        yield Finding(about, State.BAD, "nothing was ever loaded", "./run cli content load")
        return
    if releases.digest_of(config.content_dir) != latest.digest:
        what = f"{config.content_dir} differs from what was loaded"
        yield Finding(about, State.NOTE, what, "./run cli content check, then content load")
    if competency.current().is_draft:
        yield Finding(about, State.NOTE, "the standard is a draft; papers say so")
    for one in panels.list_below(competency.current().standard):
        yield Finding(about, State.NOTE, str(one), "Decide whether the next standard names it")
    yield Finding(about, State.GOOD, f"loaded {latest.loaded_at:%Y-%m-%d}, {latest.digest[:12]}")


def _mail(config: Config, now: datetime, about: str) -> Findings:
    unsent = mail.count_unsent()
    if unsent.stuck:
        what = f"{unsent.stuck} messages were given up"
        yield Finding(about, State.NOTE, what, "See /admin/surat for the reason of each")
    oldest = db.session.scalar(
        select(func.min(Mail.created_at)).where(Mail.sent_at.is_(None), Mail.tries == 0)
    )
    if config.smtp_url is None:
        advice = "Set SULUH_SMTP_URL, or pass links on by hand"
        yield Finding(about, State.NOTE, f"no mail server; {unsent.waiting} messages wait", advice)
    elif oldest is not None and now - oldest > LATE_MAIL:
        what = "messages wait for more than an hour and were never tried"
        yield Finding(about, State.BAD, what, "Is `serve` running, or cron with ./run cli rounds?")
    else:
        yield Finding(about, State.GOOD, f"{unsent.waiting} messages wait")


def _jobs(now: datetime, about: str) -> Findings:
    late = db.session.scalar(
        select(func.count()).where(Job.finished_at.is_(None), Job.lease_until < now - LATE_JOB)
    )
    problems = db.session.scalar(
        select(func.count())
        .select_from(JobItem)
        .join(Job, Job.id == JobItem.job_id)
        .where(JobItem.state == ItemState.PROBLEM, Job.finished_at.is_not(None))
    )
    if late:
        what = f"{late} jobs wait and nobody works on them"
        yield Finding(about, State.BAD, what, "Is `serve` running, or cron with ./run cli rounds?")
    if problems:
        yield Finding(
            about, State.NOTE, f"{problems} items ended with a problem", "See their pages"
        )
    yield Finding(about, State.GOOD, "looked at")


def _clock(now: datetime, about: str) -> Findings:
    newest = max(
        filter(
            None,
            (
                db.session.scalar(select(func.max(AuditEvent.at))),
                db.session.scalar(
                    select(AnswerEvent.received_at).order_by(AnswerEvent.id.desc()).limit(1)
                ),
            ),
        ),
        default=now,
    )
    if newest > now + AHEAD:
        what = f"something was stored at {newest:%Y-%m-%d %H:%M} UTC, which is yet to come"
        yield Finding(about, State.BAD, what, "The clock was set back, or was ahead: set it right")
    if db.engine.dialect.name == "postgresql":
        theirs = db.session.scalar(text("SELECT clock_timestamp()"))
        if theirs is not None and abs(theirs - now) > AHEAD:
            what = f"the database's clock says {theirs:%H:%M:%S}, ours {now:%H:%M:%S} UTC"
            yield Finding(about, State.NOTE, what, "Let both machines follow NTP")
    if _unsynchronised():
        yield Finding(about, State.NOTE, "nothing keeps it right", "Switch NTP on")
    yield Finding(about, State.GOOD, f"{now:%Y-%m-%d %H:%M:%S} UTC")


def _unsynchronised() -> bool:
    """Ask the kernel whether anything disciplines its clock; where it cannot say, no."""
    try:
        state: int = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512))
    except (AttributeError, OSError):
        return False
    return state == 5  # TIME_ERROR


def _backups(config: Config, now: datetime, about: str) -> Findings:
    if config.folder is None:
        yield Finding(about, State.NOTE, "no folder of our own is known", "Set SULUH_INSTANCE")
        return
    found = backups.list_backups(config.folder / "backups")
    issued = db.session.scalar(select(func.count()).select_from(Certificate))
    if not found:
        state = State.BAD if issued else State.NOTE
        yield Finding(about, state, "there is none", "./run cli backup, and a timer for it")
        return
    try:
        newest = backups.read_manifest(found[-1])
    except ValueError as error:
        yield Finding(about, State.BAD, str(error), "./run cli backup")
        return
    age = now - datetime.fromisoformat(newest.created_at)
    if age > 7 * DAY:
        what = f"the newest is {age.days} days old"
        yield Finding(
            about, State.BAD if issued else State.NOTE, what, "./run cli backup, by a timer"
        )
    elif age > 1.5 * DAY:
        yield Finding(about, State.NOTE, "the newest is older than a day", "Look after its timer")
    else:
        yield Finding(
            about, State.GOOD, f"{len(found)}, the newest of {newest.created_at[:16]} UTC"
        )


def _documents(about: str) -> Findings:
    count = 0
    query = select(Document.sha256, Document.body).execution_options(yield_per=50)
    for row in db.session.execute(query):
        count += 1
        if hashlib.sha256(row.body).hexdigest() != row.sha256:
            what = f"the paper {row.sha256[:16]}… is not what was issued"
            yield Finding(about, State.BAD, what, "Restore it from a backup made before")
    yield Finding(about, State.GOOD, f"{count} papers are as they were issued")


def _summaries(now: datetime, about: str) -> Findings:
    wrong = summaries.differences(now)
    if wrong:
        people = ", ".join(str(one.person_id) for one in wrong[:10])
        what = f"{len(wrong)} do not say what the evidence says (person {people})"
        yield Finding(about, State.BAD, what, "Report it; the verdicts themselves are not affected")
    yield Finding(about, State.GOOD, "looked at")


def is_healthy(found: list[Finding]) -> bool:
    """Tell whether nothing is bad."""
    return all(one.state is not State.BAD for one in found)
