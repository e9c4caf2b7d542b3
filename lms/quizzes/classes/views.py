"""Pages of quizzes of a class: trainers put them together, its people sit them."""

import secrets
from collections.abc import Sequence
from random import Random

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields import SelectChoice

from lms.cohorts import agenda as classes
from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, Part
from lms.core import clock, login
from lms.core.clock import ZONES
from lms.core.db import unit_of_work
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.i18n import moment
from lms.quizzes import rules as quiz_rules
from lms.quizzes import sheets
from lms.quizzes.classes import rules, services
from lms.quizzes.classes.forms import PURPOSES, PairForm, QuizForm, TimesForm
from lms.quizzes.classes.models import Purpose
from lms.quizzes.classes.services import Draft, Paper
from lms.quizzes.collections import labels
from lms.quizzes.collections import rules as collection_rules
from lms.quizzes.collections import services as collections
from lms.quizzes.collections.models import CollectedQuestion
from lms.quizzes.collections.services import Filter
from lms.quizzes.sheets import AttemptRef, QuestionResult

bp = Blueprint("class_quizzes", __name__, template_folder="templates")

LISTED = 200
"""Questions offered on one page; a filter narrows what is more."""


@bp.context_processor
def _words() -> dict[str, object]:
    return {"question_words": labels, "purposes": PURPOSES, "purpose": Purpose}


def class_of(slug: str) -> Cohort:
    """Return a class the viewer trains, or any for an administrator. Raises NotFound."""
    viewer = login.require_viewer()
    return cohorts.get_cohort(slug, viewer, *(() if viewer.is_any("admin") else (Part.TRAINER,)))


@bp.get("/angkatan/<slug>/kuis")
@login.role("trainer", "admin")
def index(slug: str) -> ResponseReturnValue:
    """List the quizzes of a class for its trainers."""
    cohort = class_of(slug)
    return _index_page(cohort, PairForm(formdata=None))


def _index_page(cohort: Cohort, form: PairForm) -> ResponseReturnValue:
    lines = services.list_of_class(cohort.id)
    _offer_pairs(form, lines)
    page = render_template(
        "class_quizzes/index.html",
        cohort=cohort,
        lines=lines,
        form=form,
        now=clock.now(),
    )
    return make_response(page, 422 if form.errors else 200)


def _offer_pairs(form: PairForm, lines: list[services.QuizLine]) -> None:
    for field, wanted in ((form.before, Purpose.BEFORE), (form.after, Purpose.AFTER)):
        field.choices = [
            SelectChoice(line.code, line.quiz.title)
            for line in lines
            if line.quiz.purpose is wanted and line.pair is None
        ]


@bp.post("/angkatan/<slug>/kuis/pasangan")
@login.role("trainer", "admin")
@login.accepts(PairForm)
def pair(slug: str) -> ResponseReturnValue:
    """Bind a test before and a test after."""
    cohort, form = class_of(slug), PairForm()
    _offer_pairs(form, services.list_of_class(cohort.id))
    if form.validate_on_submit():
        try:
            with unit_of_work():
                made = services.pair(
                    form.before.data,
                    form.after.data,
                    cohort.id,
                    actor_id=login.require_viewer().id,
                    now=clock.now(),
                )
        except rules.BadPair:
            form.after.errors = [_("Pasca-uji harus dibuka sesudah pra-uji.")]
        except rules.Paired:
            form.after.errors = [_("Salah satu kuis ini sudah punya pasangan.")]
        else:
            return redirect(url_for("class_results.pair", slug=slug, public_id=made))
    return _index_page(cohort, form)


@bp.post("/angkatan/<slug>/kuis/pasangan/<public_id>/lepas")
@login.role("trainer", "admin")
@login.accepts()
def unpair(slug: str, public_id: str) -> ResponseReturnValue:
    """Part a pair; both quizzes stay."""
    cohort = class_of(slug)
    with unit_of_work():
        services.unpair(public_id, cohort.id, actor_id=login.require_viewer().id, now=clock.now())
    flash(_("Pasangan dilepas. Kedua kuis tetap ada."), "info")
    return redirect(url_for(".index", slug=slug))


@bp.route("/angkatan/<slug>/kuis/baru", methods=["GET", "POST"])
@login.role("trainer", "admin")
@login.accepts(QuizForm)
def compose(slug: str) -> ResponseReturnValue:
    """Put a quiz together from a collection; the address says which, and which of its questions."""
    viewer, cohort = login.require_viewer(), class_of(slug)
    asked = request.args.get("koleksi", "")
    if not asked:
        lines, total = collections.list_collections(viewer, page=_page())
        return render_template(
            "class_quizzes/choose.html",
            cohort=cohort,
            lines=lines,
            total=total,
            page=_page(),
            size=collections.PAGE,
        )
    collection = collections.get_collection(asked, viewer)
    wanted = Filter(request.args.get("jenis", ""), request.args.get("label", ""))
    offered = list(collections.list_all(collection.id, wanted))
    form = QuizForm(title=request.args.get("judul", ""))
    tags = collections.count_labels(collection.id)
    _offer_questions(form, offered[:LISTED], tags)
    if not form.is_submitted():
        _preset(form, offered, cohort)
    if form.validate_on_submit():
        draft = _draft(form, cohort, collection.id, offered)
        if draft is not None:
            try:
                with unit_of_work():
                    services.create(cohort.id, draft, actor_id=viewer.id, now=clock.now())
            except services.NoQuestions:
                form.questions.errors = [_("Soal itu baru saja ditarik. Pilih soal lain.")]
            else:
                flash(_("Kuis dibuat."), "success")
                return redirect(url_for(".index", slug=slug))
    page = render_template(
        "class_quizzes/compose.html",
        cohort=cohort,
        collection=collection,
        form=form,
        offered={one.public_id: one for one in offered[:LISTED]},
        total=len(offered),
        listed=LISTED,
        wanted=wanted,
        kinds=collections.count_kinds(collection.id),
        tags=tags,
    )
    return make_response(page, 422 if form.errors else 200)


def _page() -> int:
    asked = request.args.get("hal", "")[:6]
    return max(1, int(asked)) if asked.isascii() and asked.isdecimal() else 1


def _offer_questions(
    form: QuizForm, offered: list[CollectedQuestion], tags: dict[str, int]
) -> None:
    form.questions.choices = [SelectChoice(one.public_id, one.stem) for one in offered]
    form.label.choices = [
        SelectChoice("", _("Semua soal koleksi")),
        *(SelectChoice(label, f"{labels.tag(label)} ({count})") for label, count in tags.items()),
    ]


def _preset(form: QuizForm, offered: list[CollectedQuestion], cohort: Cohort) -> None:
    """Tick the questions of the quiz the address names: the same ones for a test after."""
    source = request.args.get("dari", "").upper()
    if source:
        same = set(services.used_questions(source, cohort.id))
        form.questions.data = [one.public_id for one in offered if one.id in same]
    form.purpose.data = Purpose.AFTER.value if source else Purpose.PRACTICE.value


def _draft(
    form: QuizForm, cohort: Cohort, collection_id: int, offered: list[CollectedQuestion]
) -> Draft | None:
    """Return what the form asks for; None, with the reason on the form, where it cannot be."""
    zone = ZONES[cohort.zone]
    ticked = set(form.questions.data or ())
    chosen = [one.id for one in offered if one.public_id in ticked]
    if form.number.data:
        pool = [
            one.id
            for one in collections.list_all(collection_id, Filter(label=form.label.data))
            if not sheets.is_read(one.kind)
        ]
        chance = Random(secrets.randbits(256))  # noqa: S311  # seeded from secrets
        try:
            chosen += collection_rules.choose(pool, form.number.data, chance, without=chosen)
        except collection_rules.TooFew as error:
            form.number.errors = [_("Tinggal %(num)s soal yang belum dipilih.", num=str(error))]
            return None
    if not 0 < len(chosen) <= rules.MOST_QUESTIONS:
        form.questions.errors = [_("Pilih 1 sampai %(max)s soal.", max=rules.MOST_QUESTIONS)]
        return None
    return Draft(
        title=form.title.data,
        purpose=Purpose(form.purpose.data),
        opens_at=form.opens(zone),
        closes_at=form.closes(zone),
        tries=form.tries.data,
        minutes=form.minutes.data,
        shows_answers=form.shows_answers.data,
        questions=chosen,
    )


@bp.route("/angkatan/<slug>/kuis/<code>/ubah", methods=["GET", "POST"])
@login.role("trainer", "admin")
@login.accepts(TimesForm)
def change(slug: str, code: str) -> ResponseReturnValue:
    """Change what a quiz is called and when it is open."""
    cohort = class_of(slug)
    zone = ZONES[cohort.zone]
    found = services.get(code.upper(), cohort.id)
    form = TimesForm(
        title=found.title,
        opens_at=found.opens_at.astimezone(zone),
        closes_at=found.closes_at.astimezone(zone),
        shows_answers=found.shows_answers,
    )
    if form.validate_on_submit():
        with unit_of_work():
            services.change(
                code.upper(),
                cohort.id,
                title=form.title.data,
                opens_at=form.opens(zone),
                closes_at=form.closes(zone),
                shows_answers=form.shows_answers.data,
                actor_id=login.require_viewer().id,
                now=clock.now(),
            )
        flash(_("Kuis diubah."), "success")
        return redirect(url_for(".index", slug=slug))
    page = render_template("class_quizzes/change.html", cohort=cohort, quiz=found, form=form)
    return make_response(page, 422 if form.errors else 200)


@bp.post("/angkatan/<slug>/kuis/<code>/batal")
@login.role("trainer", "admin")
@login.accepts()
def cancel(slug: str, code: str) -> ResponseReturnValue:
    """Call a quiz off."""
    cohort = class_of(slug)
    with unit_of_work():
        services.cancel(
            code.upper(), cohort.id, actor_id=login.require_viewer().id, now=clock.now()
        )
    flash(_("Kuis dibatalkan. Hasil yang sudah ada tetap tersimpan."), "info")
    return redirect(url_for(".index", slug=slug))


# For the people of the class


def seat_in(slug: str) -> Cohort:
    """Return a class the viewer sits in. Raises NotFound."""
    found = classes.look(slug, login.require_viewer(), now=clock.now())
    if not found.is_seated:
        raise NotFound(slug)
    return found.cohort


@bp.get("/angkatan/<slug>/kuis-saya")
@login.role("trainee")
def mine(slug: str) -> ResponseReturnValue:
    """List the quizzes of somebody's class and where they stand with each."""
    cohort = seat_in(slug)
    return render_template(
        "class_quizzes/mine.html",
        cohort=cohort,
        lines=services.list_own(cohort.id, login.require_viewer().id),
        now=clock.now(),
    )


@bp.get("/angkatan/<slug>/kuis-saya/<code>")
@login.role("trainee")
def start(slug: str, code: str) -> ResponseReturnValue:
    """Say what a quiz of the class is, and begin or go on with it."""
    cohort = seat_in(slug)
    return render_template(
        "class_quizzes/start.html",
        cohort=cohort,
        own=services.get_own(code.upper(), cohort.id, login.require_viewer().id),
        now=clock.now(),
    )


@bp.post("/angkatan/<slug>/kuis-saya/<code>")
@login.role("trainee")
@login.accepts()
def begin(slug: str, code: str) -> ResponseReturnValue:
    """Open a sitting, or go on with the one that runs."""
    cohort = seat_in(slug)
    services.get(code.upper(), cohort.id)
    try:
        with unit_of_work():
            ref = services.open_attempt(login.require_viewer().id, code.upper(), now=clock.now())
    except quiz_rules.Refusal as refusal:
        flash(_explain(refusal, cohort.zone), "info")
        return redirect(url_for(".start", slug=slug, code=code))
    return redirect(url_for("quizzes.question", curriculum=code.lower(), attempt=ref.public_id))


def _explain(refusal: quiz_rules.Refusal, zone: str) -> str:
    if isinstance(refusal, rules.NotOpenYet):
        return _("Kuis ini dibuka %(when)s.", when=moment(refusal.at, zone))
    if isinstance(refusal, rules.NoMoreTries):
        return _("Kuis ini sudah Anda kerjakan.")
    return _("Kuis ini sudah ditutup.")


@bp.get("/angkatan/<slug>/kuis-saya/<code>/hasil/<attempt>")
@login.role("trainee")
def result(slug: str, code: str, attempt: str) -> ResponseReturnValue:
    """Show what a sitting earned; keys and reasons once that is allowed."""
    cohort, now = seat_in(slug), clock.now()
    viewer = login.require_viewer()
    own = services.get_own(code.upper(), cohort.id, viewer.id)
    ref = AttemptRef(attempt, code.upper(), viewer.id)
    found = sheets.get_attempt(ref)
    if found.closed_at is None:
        return redirect(url_for("quizzes.question", curriculum=code.lower(), attempt=attempt))
    open_now = own.answers_from is not None and now >= own.answers_from
    (paper,) = services.papers([own.quiz.quiz_id], public_id=attempt)[own.quiz.quiz_id]
    return render_template(
        "class_quizzes/result.html",
        cohort=cohort,
        own=own,
        paper=paper,
        questions=_shown(ref, paper, open_now=open_now),
        open_now=open_now,
        now=now,
    )


def _shown(ref: AttemptRef, paper: Paper, *, open_now: bool) -> Sequence[QuestionResult]:
    """Return what the page of a result shows: everything, or what they wrote and what was noted."""
    if open_now:
        return services.list_answered(ref)
    return services.list_written(ref) if paper.is_read else ()
