"""What an installation does by itself, again and again: mail, jobs, deadlines, retention.

Each round is one function that takes the time and tells how much it did. The first process of
`serve` runs them all; where another server runs `lms.wsgi`, cron runs `./run cli rounds`.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from flask import Flask, current_app

from lms.accounts import upkeep
from lms.config import Config
from lms.core import clock, jobs, mail, meters, readonly
from lms.core.db import db, unit_of_work
from lms.core.readonly import ReadOnly
from lms.evaluations import reminders
from lms.nominations import services as nominations
from lms.notices import services as notices
from lms.operations import heads
from lms.privacy import erasure, retention
from lms.quizzes import overdue
from lms.quizzes.collections import services as collections
from lms.reports import recap, snapshots
from lms.roster import services as roster
from lms.statistics import services as statistics


@dataclass(frozen=True, slots=True)
class Round:
    """One thing to do every `seconds`. `work` commits its own units of work."""

    name: str
    seconds: float
    work: Callable[[datetime], int]


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


def write_down_head(now: datetime) -> int:
    """Write down how the audit trail ends, once a day."""
    return heads.write_down(current_app.extensions["suluh"], now)


ROUNDS: tuple[Round, ...] = (
    Round("jobs", 1, jobs.work),
    Round("links", 5, upkeep.answer_requests),
    Round("quizzes", 5, overdue.sweep),
    Round("space", 10, watch_space),
    Round("standings", 5, snapshots.refresh),
    Round("baselines", 60, recap.refresh_baselines),
    Round("items", 60, statistics.refresh),
    Round("mail", 15, send_mail),
    Round("tidy", 3600, upkeep.tidy),
    Round("audit", 3600, write_down_head),
    Round("roster", 3600, roster.clear_up),
    Round("question files", 3600, collections.clear_up),
    Round("nominations", 60, nominations.sweep),
    Round("notices", 600, notices.sweep),
    Round("deletions", 600, erasure.sweep),
    Round("retention", 3600, retention.run),
    Round("follow-up", 3600, reminders.sweep),
)


def run_all(now: datetime) -> dict[str, int]:
    """Do every round once. Returns how much each did; needs an application context."""
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
            one.work(clock.now())
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
