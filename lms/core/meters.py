"""What Prometheus may read: how often, how long, how full. Never about one person.

Only an installation with a metrics token counts, and only then the client library is loaded. Each
process counts for itself; with several, they count into files of one folder (see `share`), and
whichever of them is asked answers for all.
"""

import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask, Response, current_app, request
from sqlalchemy import event

from lms.core import journal
from lms.core.db import db

SHARED = "PROMETHEUS_MULTIPROC_DIR"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
ANSWERS = {"quizzes.autosave": 200, "quizzes.answer": 302}
"""Endpoints that save one answer, and the status that says so."""


@dataclass(frozen=True, slots=True)
class Gauge:
    """One value as it is now; `labels` may tell several apart."""

    name: str
    meaning: str
    values: Mapping[str, float]
    """By the value of `label`; by "" when there is no label."""
    label: str = field(default="")


class Meters:
    """The counters of this process."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram
        from prometheus_client import Gauge as Moment

        # Shared counters live in files; a registry would count them twice.
        self.registry = None if SHARED in os.environ else CollectorRegistry()
        to: dict[str, Any] = {"registry": self.registry}
        self.requests = Counter(
            "suluh_requests", "Requests answered.", ["endpoint", "method", "status"], **to
        )
        self.seconds = Histogram(
            "suluh_request_seconds", "Time to answer.", ["endpoint"], buckets=SECONDS, **to
        )
        self.database_errors = Counter(
            "suluh_database_errors", "Errors of the database by kind.", ["kind"], **to
        )
        self.answers = Counter("suluh_answers_saved", "Quiz answers acknowledged.", **to)
        self.refused = Counter("suluh_sign_ins_failed", "Sign-ins with a wrong password.", **to)
        self.rounds = Counter("suluh_rounds", "Rounds done.", ["name", "result"], **to)
        self.last_round = Moment(
            "suluh_round_last_success_seconds",
            "When a round last went well, as a Unix time.",
            ["name"],
            multiprocess_mode="max",
            **to,
        )

    def note_request(self, response: Response) -> Response:
        """Count one request."""
        endpoint = request.endpoint or "none"
        method = request.method if request.method in journal.METHODS else "OTHER"
        self.requests.labels(endpoint, method, response.status_code).inc()
        seconds = journal.took()
        if seconds is not None:
            self.seconds.labels(endpoint).observe(seconds)
        if method == "POST":
            if ANSWERS.get(endpoint) == response.status_code:
                self.answers.inc()
            if endpoint == "accounts.sign_in" and response.status_code in {422, 429}:
                self.refused.inc()
        return response

    def note_round(self, name: str, at: float, *, done: bool) -> None:
        """Count one round; `at` is a Unix time."""
        self.rounds.labels(name, "done" if done else "failed").inc()
        if done:
            self.last_round.labels(name).set(at)

    def render(self, gauges: Iterable[Gauge]) -> bytes:
        """Return everything in the text format of Prometheus."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = self.registry
        if registry is None:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry) + generate_latest(_Now(gauges))  # type: ignore[arg-type]  # all it does is collect


class _Now:
    """A registry of values that are read when they are asked for."""

    def __init__(self, gauges: Iterable[Gauge]) -> None:
        self._gauges = gauges

    def collect(self) -> Iterable[object]:
        """Yield one family for each gauge."""
        from prometheus_client.core import GaugeMetricFamily

        for one in self._gauges:
            family = GaugeMetricFamily(
                one.name, one.meaning, labels=[one.label] if one.label else None
            )
            for key, value in one.values.items():
                family.add_metric([key] if one.label else [], value)
            yield family


def share(folder: Path) -> None:
    """Let all processes of one server count into `folder`. Call before they are forked."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    os.environ[SHARED] = str(folder)


def init_app(app: Flask, token: str | None) -> None:
    """Count what `app` does, if anybody may ask."""
    if token is None:
        return
    meters = Meters()
    app.extensions["suluh_meters"] = meters
    app.after_request(meters.note_request)

    def note(context: Any) -> None:
        meters.database_errors.labels(type(context.sqlalchemy_exception).__name__).inc()

    with app.app_context():
        event.listen(db.engine, "handle_error", note)


def find() -> Meters | None:
    """Return the counters of this application, if it counts."""
    found: Meters | None = current_app.extensions.get("suluh_meters")
    return found


def note_database_error(error: BaseException) -> None:
    """Count an error of the database that SQLAlchemy did not meet itself."""
    if meters := find():
        meters.database_errors.labels(type(error).__name__).inc()
