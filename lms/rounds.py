"""What an installation does by itself, again and again: mail, jobs, deadlines, retention.

Each round is one function that takes the time and tells how much it did, and one that tells
beforehand whether there is anything to do. The question is a query or a few, in the `due` module
of its feature, which imports tables and pure rules only. What does the work, with all a feature
brings along, is imported when there is some: an installation in which nothing happens stays small.

The first process of `serve` runs them all; where another server runs `lms.wsgi`, cron runs
`./run cli rounds`.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from flask import Flask, current_app

from lms.config import Config
from lms.core import clock, jobs, late, mail, meters, readonly
from lms.core.db import db, give_back, unit_of_work
from lms.core.readonly import ReadOnly

Due = Callable[[datetime], bool]
Work = Callable[[datetime], int]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Round:
    """One thing to do every `seconds`.

    `due` reads only. It may say yes for nothing; when it says no, `work` would do nothing. `work`
    commits its own units of work.
    """

    name: str
    seconds: float
    due: Due
    work: Work


def always(_now: datetime) -> bool:
    """Ask nothing: the work loads nothing dear and finds out by itself."""
    return True


# What stands in core


def mail_due(now: datetime) -> bool:
    """Tell whether a message can and may go out."""
    config: Config = current_app.extensions["suluh"]
    return config.smtp_url is not None and bool(mail.list_due(now, 1))


def send_mail(_now: datetime) -> int:
    """Send every message that is due, each on its own. Returns how many went out."""
    config: Config = current_app.extensions["suluh"]
    if config.smtp_url is None:
        return 0
    sent = 0
    for mail_id in mail.list_due(clock.now()):
        with unit_of_work():
            letter = mail.claim(mail_id, now=clock.now())
        if letter is None:
            continue
        error = mail.deliver(letter, config.smtp_url, config.mail_from, now=clock.now())
        with unit_of_work():
            mail.note(mail_id, error, now=clock.now())
        sent += error is None
    return sent


def watch_space(_now: datetime) -> int:
    """Look whether writing must stop, or may begin again. Returns 1 while it is stopped."""
    return int(readonly.gate().watch() is not None)


# What features do: the question is imported when it is first asked, the work when there is some.


def _late(find: Callable[[], Callable[[datetime], T]]) -> Callable[[datetime], T]:
    """Return a function that imports what it calls, one thread at a time."""

    def call(now: datetime) -> T:
        with late.loading():
            found = find()
        return found(now)

    return call


@_late
def _links_due() -> Due:
    from lms.accounts import due

    return due.links


@_late
def _links() -> Work:
    from lms.accounts import upkeep

    return upkeep.answer_requests


@_late
def _tidy_due() -> Due:
    from lms.accounts import due

    return due.tidy


@_late
def _tidy() -> Work:
    from lms.accounts import upkeep

    return upkeep.tidy


@_late
def _quizzes_due() -> Due:
    from lms.quizzes import due

    return due.sittings


@_late
def _quizzes() -> Work:
    from lms.quizzes import overdue

    return overdue.sweep


@_late
def _question_files_due() -> Due:
    from lms.quizzes.collections import due

    return due.files


@_late
def _question_files() -> Work:
    from lms.quizzes.collections import services

    return services.clear_up


@_late
def _standings_due() -> Due:
    from lms.reports import due

    return due.standings


@_late
def _standings() -> Work:
    from lms.reports import snapshots

    return snapshots.refresh


@_late
def _baselines_due() -> Due:
    from lms.reports import due

    return due.baselines


@_late
def _baselines() -> Work:
    from lms.reports import recap

    return recap.refresh_baselines


@_late
def _items_due() -> Due:
    from lms.statistics import due

    return due.items


@_late
def _items() -> Work:
    from lms.statistics import services

    return services.refresh


@_late
def _audit() -> Work:
    from lms.operations import heads

    return lambda now: heads.write_down(current_app.extensions["suluh"], now)


@_late
def _roster_due() -> Due:
    from lms.roster import due

    return due.sheets


@_late
def _roster() -> Work:
    from lms.roster import services

    return services.clear_up


@_late
def _nominations_due() -> Due:
    from lms.nominations import due

    return due.nominations


@_late
def _nominations() -> Work:
    from lms.nominations import services

    return services.sweep


@_late
def _notices_due() -> Due:
    from lms.notices import due

    return due.notices


@_late
def _notices() -> Work:
    from lms.notices import services

    return services.sweep


@_late
def _deletions_due() -> Due:
    from lms.privacy import due

    return due.deletions


@_late
def _deletions() -> Work:
    from lms.privacy import erasure

    return erasure.sweep


@_late
def _retention() -> Work:
    from lms.privacy import retention

    return retention.run


@_late
def _follow_up_due() -> Due:
    from lms.evaluations import due

    return due.letters


@_late
def _follow_up() -> Work:
    from lms.evaluations import reminders

    return reminders.sweep


ROUNDS: tuple[Round, ...] = (
    Round("jobs", 1, jobs.is_due, jobs.work),
    Round("links", 5, _links_due, _links),
    Round("quizzes", 5, _quizzes_due, _quizzes),
    Round("space", 10, always, watch_space),
    Round("standings", 5, _standings_due, _standings),
    Round("baselines", 60, _baselines_due, _baselines),
    Round("items", 60, _items_due, _items),
    Round("mail", 15, mail_due, send_mail),
    Round("tidy", 3600, _tidy_due, _tidy),
    Round("audit", 3600, always, _audit),
    Round("roster", 3600, _roster_due, _roster),
    Round("question files", 3600, _question_files_due, _question_files),
    Round("nominations", 60, _nominations_due, _nominations),
    Round("notices", 600, _notices_due, _notices),
    Round("deletions", 600, _deletions_due, _deletions),
    Round("retention", 3600, always, _retention),
    Round("follow-up", 3600, _follow_up_due, _follow_up),
)


def run_all(now: datetime) -> dict[str, int]:
    """Do every round once, without asking. Returns how much each did.

    Needs an application context.
    """
    return {one.name: one.work(now) for one in ROUNDS}


TICK = 1.0
"""Seconds between two looks at what is due."""


@contextmanager
def working(app: Flask) -> Iterator[None]:
    """Do each round at its interval, in one thread, while the block runs."""
    stop = threading.Event()

    def work() -> None:
        due = {one.name: time.monotonic() + one.seconds for one in ROUNDS}
        while not stop.wait(TICK):
            for one in ROUNDS:
                if time.monotonic() >= due[one.name]:
                    _do(app, one)
                    due[one.name] = time.monotonic() + one.seconds

    thread = threading.Thread(target=work, name="rounds", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(5)


def _do(app: Flask, one: Round) -> None:
    done = False
    with app.app_context():
        try:
            if _is_due(one):
                one.work(clock.now())
                db.session.remove()
                give_back(db.engine)
            done = True
        except ReadOnly:
            pass  # nothing can be done now, and the log says why already
        except Exception:
            app.logger.exception("round %s", one.name)
        finally:
            db.session.remove()
        found = meters.find()
        if found is not None:
            found.note_round(one.name, clock.now().timestamp(), done=done)


def _is_due(one: Round) -> bool:
    try:
        return one.due(clock.now())
    finally:
        db.session.remove()
