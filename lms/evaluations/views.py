"""Pages of evaluations and follow-up plans."""

from collections.abc import Iterator, Mapping, Sequence

from flask import Blueprint, current_app, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields import SelectChoice

from lms.accounts import services as accounts
from lms.accounts.rules import normal_email
from lms.cohorts import services as cohorts
from lms.cohorts.marks import mark_of
from lms.cohorts.models import Cohort, Part
from lms.config import Config
from lms.core import clock, http, login, sheets
from lms.core.db import unit_of_work
from lms.core.i18n import gettext as _
from lms.core.i18n import pick
from lms.evaluations import content, plans, rules, services
from lms.evaluations.forms import (
    AGREE,
    OTHER,
    RATINGS,
    CheckForm,
    FeedbackForm,
    PlanForm,
    PromiseForm,
    RatingForm,
    StatementForm,
)
from lms.evaluations.models import Promise
from lms.evaluations.plans import Said, Superior, Whole
from lms.evaluations.rules import Rating, Side

bp = Blueprint("evaluations", __name__, template_folder="templates")

NO_TOKEN = {"csrf": False}
"""Forms within a form: the one around them holds the token."""


def _sheet() -> content.Sheet:
    config: Config = current_app.extensions["suluh"]
    return content.load(config.content_dir)


# What a class was like, without a name


@bp.get("/angkatan/<slug>/masukan")
@login.role("trainee")
def feedback(slug: str) -> ResponseReturnValue:
    """Ask what a class was like, or say why it is not asked now."""
    cohort = services.own_cohort(slug, login.require_viewer().id)
    return _feedback_page(cohort, FeedbackForm(formdata=None), _statements(empty=True))


@bp.post("/angkatan/<slug>/masukan")
@login.role("trainee")
@login.accepts(FeedbackForm, StatementForm)
def give_feedback(slug: str) -> ResponseReturnValue:
    """Take an answer; nothing says afterwards whose it was."""
    who = login.require_viewer().id
    cohort = services.own_cohort(slug, who)
    form, statements = FeedbackForm(), _statements()
    # Every part is looked at, so that one try shows all that is missing.
    if not all([form.validate_on_submit(), *(one.validate() for one in statements.values())]):
        return make_response(_feedback_page(cohort, form, statements), 422)
    marks = {name: int(one.mark.data) for name, one in statements.items()}
    try:
        with unit_of_work():
            services.answer(
                services.own_cohort(slug, who),
                who,
                marks=marks,
                good=form.good.data,
                better=form.better.data,
                now=clock.now(),
            )
    except services.AlreadyGiven:
        flash(_("Masukan Anda sudah kami terima sebelumnya."), "info")
    except services.NotAsked:
        flash(_("Masukan tidak dapat dikirim lagi: waktunya sudah lewat."), "info")
    else:
        flash(_("Terima kasih. Masukan Anda tersimpan tanpa nama."), "success")
    return redirect(url_for(".feedback", slug=slug))


@bp.get("/angkatan/<slug>/hasil-masukan")
@login.role("trainer", "admin")
def results(slug: str) -> ResponseReturnValue:
    """Show what the class said, from five answers on."""
    cohort = cohorts.get_cohort(slug, login.require_viewer(), *_parts())
    page = http.asked_id("hal") or 1
    found = services.results(cohort, _sheet(), now=clock.now())
    return render_template(
        "evaluations/results.html",
        cohort=cohort,
        found=found,
        areas=content.AREAS,
        labels=AGREE,
        questions=_sheet().questions,
        page=page,
        size=services.TEXTS,
    )


@bp.get("/angkatan/<slug>/hasil-masukan.csv")
@login.role("trainer", "admin")
@login.about_people
def results_csv(slug: str) -> ResponseReturnValue:
    """Download the sums; texts are on the page only."""
    cohort = cohorts.get_cohort(slug, login.require_viewer(), *_parts())
    found = services.results(cohort, _sheet(), now=clock.now())
    columns = [_("Bidang"), _("Pernyataan"), *(str(label) for label in AGREE.values())]
    columns += [_("Jawaban"), _("Rata-rata"), _("Batas bawah"), _("Batas atas")]
    rows: list[list[sheets.Cell]] = [
        [
            str(content.AREAS[line.statement.area]),
            line.statement.text,
            *line.spread.counts,
            line.spread.total,
            round(line.spread.mean, 2),
            round(line.spread.low, 2),
            round(line.spread.high, 2),
        ]
        for line in found.lines
        if line.spread
    ]
    return sheets.answer_csv(f"masukan-{slug}", columns, rows, mark_of(cohort))


def _parts() -> tuple[Part, ...]:
    """Return the part a viewer must have in the class; none is asked of an administrator."""
    return () if "admin" in login.require_viewer().roles else (Part.TRAINER,)


def _statements(*, empty: bool = False) -> dict[str, StatementForm]:
    given = {"formdata": None} if empty else {}
    forms = {}
    for one in _sheet().statements:
        forms[one.id] = StatementForm(prefix=f"{one.id}-", meta=NO_TOKEN, **given)
        forms[one.id].mark.label.text = pick(one.text, one.text_en)
    return forms


def _feedback_page(
    cohort: Cohort, form: FeedbackForm, statements: Mapping[str, StatementForm]
) -> str:
    who = login.require_viewer().id
    for one in _sheet().questions:
        form[one.id].label.text = pick(one.text, one.text_en)
    return render_template(
        "evaluations/feedback.html",
        cohort=cohort,
        standing=services.standing(cohort, who, now=clock.now()),
        form=form,
        sheet=_sheet(),
        areas=content.AREAS,
        statements=statements,
    )


# Promises


@bp.get("/angkatan/<slug>/rencana")
@login.role("trainee")
def plan(slug: str) -> ResponseReturnValue:
    """Show the own plan after a class, with what can be done now."""
    who = login.require_viewer().id
    cohort = services.own_cohort(slug, who)
    whole = plans.find(cohort.id, who)
    stage = rules.open_stage(cohort.ends_on, cohorts.today_in(cohort, clock.now()))
    return _plan_page(cohort, whole, _promise_forms(whole), _plan_form(cohort, whole), stage)


@bp.post("/angkatan/<slug>/rencana")
@login.role("trainee")
@login.accepts(PlanForm, PromiseForm)
def write_plan(slug: str) -> ResponseReturnValue:
    """Keep the promises, until somebody looks at them for the first time."""
    viewer = login.require_viewer()
    cohort = services.own_cohort(slug, viewer.id)
    form, promises = PlanForm(), _sent_promises()
    officers = _offer_officers(form, cohort)
    form.own_email = accounts.get_person_by_id(viewer.id).email
    fine = all([form.validate_on_submit(), *(one.validate() for one in promises)])
    said = [
        Said(one.what.data, one.by_on.data, one.with_whom.data)
        for one in promises
        if one.what.data and one.by_on.data
    ]
    if fine and not said:
        promises[0].what.errors = [_("Tulis sedikitnya satu janji.")]
    if not fine or not said:
        page = _plan_page(cohort, plans.find(cohort.id, viewer.id), promises, form, None)
        return make_response(page, 422)
    try:
        with unit_of_work():
            plans.write(slug, viewer.id, said, _superior(form, officers), now=clock.now())
    except plans.NotOpen:
        flash(_("Rencana tidak dapat diubah lagi: tinjauannya sudah dimulai."), "info")
    else:
        flash(_("Rencana tersimpan."), "success")
    return redirect(url_for(".plan", slug=slug))


@bp.post("/angkatan/<slug>/rencana/tinjau")
@login.role("trainee")
@login.accepts(CheckForm, RatingForm)
def check_plan(slug: str) -> ResponseReturnValue:
    """Take what somebody says of their own promises."""
    viewer = login.require_viewer()
    cohort = services.own_cohort(slug, viewer.id)
    whole = plans.find(cohort.id, viewer.id)
    form, ratings = CheckForm(), _rating_forms(whole.promises if whole else ())
    if not all([form.validate_on_submit(), *(one.validate() for one in ratings.values())]):
        stage = rules.open_stage(cohort.ends_on, cohorts.today_in(cohort, clock.now()))
        forms = _promise_forms(whole), _plan_form(cohort, whole)
        return make_response(_plan_page(cohort, whole, *forms, stage, form, ratings), 422)
    try:
        with unit_of_work():
            plans.check_own(slug, viewer.id, _rated(ratings), form.comment.data, now=clock.now())
    except plans.NotOpen:
        flash(_("Tinjauan belum atau tidak lagi dibuka."), "info")
    except plans.AlreadyChecked:
        flash(_("Tinjauan ini sudah Anda isi."), "info")
    else:
        flash(_("Tinjauan tersimpan."), "success")
    return redirect(url_for(".plan", slug=slug))


@bp.get("/tinjau/<token>")
@login.public
def look(token: str) -> ResponseReturnValue:
    """Ask a superior how far the promises are kept. The token opens this page only."""
    asked = plans.read_letter(token, now=clock.now())
    return _look_page(token, asked, CheckForm(formdata=None), _rating_forms(asked.promises, True))


@bp.post("/tinjau/<token>")
@login.public
@login.accepts(CheckForm, RatingForm)
def answer_look(token: str) -> ResponseReturnValue:
    """Take what a superior says."""
    asked = plans.read_letter(token, now=clock.now())
    form, ratings = CheckForm(), _rating_forms(asked.promises)
    if not all([form.validate_on_submit(), *(one.validate() for one in ratings.values())]):
        return make_response(_look_page(token, asked, form, ratings), 422)
    try:
        with unit_of_work():
            plans.check_by_superior(token, _rated(ratings), form.comment.data, now=clock.now())
    except (plans.AlreadyChecked, plans.NotOpen):
        pass  # the page says what stands now
    return redirect(url_for(".look", token=token))


@bp.get("/angkatan/<slug>/rencana-kelas")
@login.role("trainer", "admin")
def overview(slug: str) -> ResponseReturnValue:
    """Show what became of the plans of a class, both sides beside each other."""
    cohort = cohorts.get_cohort(slug, login.require_viewer(), *_parts())
    found = plans.overview(cohort, page=http.asked_id("hal") or 1)
    return render_template(
        "evaluations/overview.html", cohort=cohort, found=found, stages=rules.STAGES, sides=Side
    )


@bp.get("/angkatan/<slug>/rencana-kelas.csv")
@login.role("trainer", "admin")
@login.about_people
def overview_csv(slug: str) -> ResponseReturnValue:
    """Download every promise of a class with what both sides say."""
    cohort = cohorts.get_cohort(slug, login.require_viewer(), *_parts())
    columns = [_("Nama"), _("Instansi"), _("Nomor"), _("Janji"), _("Paling lambat"), _("Bersama")]
    for stage in rules.STAGES:
        for who in (_("peserta"), _("atasan")):
            columns.append(_("%(days)d hari, %(who)s", days=stage, who=who))
            columns.append(_("Alasan %(days)d hari, %(who)s", days=stage, who=who))
    words = {rating.value: str(label) for rating, label in RATINGS.items()}
    rows = _worded(cohort.id, words)
    return sheets.answer_csv(f"rencana-{slug}", columns, rows, mark_of(cohort))


@bp.get("/instansi/rencana")
@login.role("agency")
def agency() -> ResponseReturnValue:
    """List which of the officer's own people have a plan, and how far it is; not what it says."""
    page = http.asked_id("hal") or 1
    total, lines = plans.list_for_officer(login.require_viewer().id, page=page)
    return render_template(
        "evaluations/agency.html",
        total=total,
        lines=lines,
        page=page,
        size=plans.PAGE,
        stages=rules.STAGES,
        sides=Side,
    )


def _worded(cohort_id: int, words: Mapping[str, str]) -> Iterator[Sequence[sheets.Cell]]:
    for row in plans.rows_for_export(cohort_id):
        yield [words.get(cell, cell) if isinstance(cell, str) else cell for cell in row]


def _sent_promises() -> list[PromiseForm]:
    return [PromiseForm(prefix=f"j{n}-", meta=NO_TOKEN) for n in range(1, rules.MOST_PROMISES + 1)]


def _promise_forms(whole: Whole | None) -> list[PromiseForm]:
    """Return the forms of the promises as they are written down, and empty ones after them."""
    written = dict(enumerate(whole.promises if whole else (), 1))
    return [
        PromiseForm(formdata=None, prefix=f"j{n}-", meta=NO_TOKEN, obj=written.get(n))
        for n in range(1, rules.MOST_PROMISES + 1)
    ]


def _plan_form(cohort: Cohort, whole: Whole | None) -> PlanForm:
    """Return the form of the superior as it is written down."""
    form = PlanForm(formdata=None, obj=whole.plan if whole else None)
    officers = _offer_officers(form, cohort)
    known = {one.person_id: one.public_id for one in officers}
    chosen = known.get(whole.plan.superior_id or 0) if whole else None
    form.superior.data = chosen or (OTHER if whole or not officers else None)
    return form


def _offer_officers(form: PlanForm, cohort: Cohort) -> list[plans.Officer]:
    officers = plans.officers_for(cohort.id, login.require_viewer().id)
    form.superior.choices = [
        *(
            SelectChoice(one.public_id, _("%(name)s, petugas instansi saya", name=one.name))
            for one in officers
        ),
        SelectChoice(OTHER, _("Atasan lain: nama dan alamat e-mail")),
    ]
    return officers


def _superior(form: PlanForm, officers: Sequence[plans.Officer]) -> Superior:
    for one in officers:
        if one.public_id == form.superior.data:
            return Superior(one.name, person_id=one.person_id)
    return Superior(form.superior_name.data, normal_email(form.superior_email.data))


def _rating_forms(promises: Sequence[Promise], empty: bool = False) -> dict[int, RatingForm]:
    given = {"formdata": None} if empty else {}
    forms = {}
    for one in promises:
        forms[one.id] = RatingForm(prefix=f"j{one.id}-", meta=NO_TOKEN, **given)
        forms[one.id].rating.label.text = one.what
    return forms


def _rated(forms: Mapping[int, RatingForm]) -> dict[int, tuple[Rating, str]]:
    return {n: (Rating(one.rating.data), one.reason.data) for n, one in forms.items()}


def _plan_page(
    cohort: Cohort,
    whole: Whole | None,
    promises: Sequence[PromiseForm],
    form: PlanForm,
    stage: int | None,
    check: CheckForm | None = None,
    ratings: Mapping[int, RatingForm] | None = None,
) -> str:
    today = cohorts.today_in(cohort, clock.now())
    may_write = rules.may_begin(cohort.ends_on, today) and (whole is None or whole.may_change)
    checks = stage is not None and whole is not None and (stage, Side.PERSON) not in whole.checks
    return render_template(
        "evaluations/plan.html",
        cohort=cohort,
        whole=whole,
        promises=promises,
        form=form,
        may_write=may_write,
        stage=stage if checks else None,
        check=check or CheckForm(formdata=None),
        ratings=ratings or _rating_forms(whole.promises if whole and checks else (), True),
        words=RATINGS,
        stages=rules.STAGES,
        sides=Side,
        has_ended=today >= cohort.ends_on,
    )


def _look_page(
    token: str, asked: plans.Asked, form: CheckForm, ratings: Mapping[int, RatingForm]
) -> str:
    return render_template(
        "evaluations/look.html", token=token, asked=asked, form=form, ratings=ratings
    )
