"""What a feature asks of one above it, answered here: only then is the one above loaded."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from flask import Flask, abort, render_template
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from lms.accounts import names
from lms.accounts.exports import note_export
from lms.accounts.rules import FORGET
from lms.accounts.visits import note_visit
from lms.cohorts import curricula
from lms.cohorts.curricula import Offer
from lms.cohorts.rules import SEAT_RULES, SEAT_TAKEN
from lms.core import clock, consent, jobs, login, reviewing
from lms.core.jobs import Handler
from lms.core.late import loading
from lms.core.reviewing import Copy, Marks
from lms.corrections.rules import RESCORE
from lms.credentials.rules import ISSUE
from lms.pages import navigation
from lms.privacy import guard


def init_app(app: Flask) -> None:
    """Put features that ask and features that answer together, without loading any."""
    curricula.init_app(app, _offers)
    reviewing.init_app(app, _marks_of)
    jobs.HANDLERS[ISSUE] = _when_needed(_issuing)
    jobs.HANDLERS[RESCORE] = _when_needed(_rescoring)
    app.extensions[names.FIXED] = _holds_certificate
    app.extensions[consent.KEY] = consent.Desk(_agree)
    app.extensions[SEAT_RULES] = [_claim_seat]
    app.extensions[SEAT_TAKEN] = [_count_earlier_notes]
    app.extensions[FORGET] = _forget
    app.before_request(guard.ask_first)
    login.hold(app, "agency", _ask_for_vouching)
    app.after_request(note_visit)
    app.after_request(note_export)
    app.jinja_env.globals |= {
        "class_menu": _class_menu,
        "readable": _readable,
        "letter_of_assignment": _letter_of,
        "joining_notice": _joining_notice,
    }
    app.jinja_env.filters["question_text"] = _question_text


def _when_needed(find: Callable[[], Handler]) -> Handler:
    return Handler(
        apply=lambda task, prepared, now: find().apply(task, prepared, now),
        prepare=lambda task, now: find().prepare(task, now),
    )


def _offers() -> Sequence[Offer]:
    with loading():
        from lms.modules import services

    return services.list_offers()


def _marks_of(kind: str, copies: Collection[Copy]) -> Marks:
    with loading():
        from lms.reviews import services

    return services.marks_of(kind, copies)


def _issuing() -> Handler:
    with loading():
        from lms.credentials import issuing

    return issuing.HANDLER


def _rescoring() -> Handler:
    with loading():
        from lms.corrections import services

    return services.HANDLER


def _holds_certificate(person_id: int) -> bool:
    with loading():
        from lms.credentials import register

    return bool(register.list_held([person_id], clock.now()))


def _agree(person_id: int, place: str, now: datetime) -> None:
    with loading():
        from lms.privacy import consent as consents

    consents.agree(person_id, place, now)


def _claim_seat(cohort_id: int, organisation_id: int, now: datetime) -> None:
    """Let a companion who is invited without a nomination take a seat like everybody else."""
    with loading():
        from lms.nominations import seating

    seating.claim(cohort_id, organisation_id, now)


def _ask_for_vouching(viewer: login.Viewer) -> ResponseReturnValue | None:
    """Tell an officer nobody has vouched for whom to ask, instead of showing anything."""
    with loading():
        from lms.cohorts import officers

    if officers.is_vouched(viewer.id):
        return None
    if login.wants_json():
        abort(403)
    waiting = officers.list_waiting(viewer.id)
    return render_template("errors/vouching.html", code=403, waiting=waiting), 403


def _count_earlier_notes(person_id: int, cohort_id: int, now: datetime) -> None:
    """Let attendance noted at the door count from the moment the seat is accepted."""
    with loading():
        from lms.practice.attendance import services

    services.count_earlier(person_id, cohort_id, now=now)


def _forget(person_id: int, now: datetime) -> None:
    """Take an account made by mistake, which nobody ever used, out of every table."""
    with loading():
        from lms.privacy import erasure

    erasure.erase(person_id, now=now)


def _joining_notice() -> list[str]:
    with loading():
        from lms.privacy import consent as consents

    return consents.short_notice()


def _class_menu(slug: str) -> list[navigation.Tab]:
    return navigation.class_menu(slug, login.require_viewer())


def _readable(material: Iterable[Any]) -> list[Any]:
    from lms.practice.exercises import services

    return services.readable(material, login.require_viewer())


def _letter_of(token: str) -> tuple[str, str] | None:
    from lms.nominations import services

    return services.letter_of(token)


def _question_text(text: Any) -> Markup:
    return _show()(text)  # 180 times on a page: not an import each time


@cache
def _show() -> Callable[[Any], Markup]:
    from lms.quizzes import texts

    return texts.show
