"""Pages of the third person, of appeals, and of how many assessors a class wants."""

from collections.abc import Callable

from flask import (
    Blueprint,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from wtforms.fields import SelectChoice

from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, Part
from lms.cohorts.services import MayNotAssess
from lms.core import clock, login
from lms.core.db import unit_of_work
from lms.core.errors import DomainError
from lms.core.i18n import day
from lms.core.i18n import gettext as _
from lms.moderation import labels, services
from lms.moderation.forms import AGAIN, AnswerForm, AskForm, DecideForm, PlanForm, plan_form
from lms.moderation.services import Plan
from lms.ratings import appeals, rules
from lms.ratings import services as ratings
from lms.ratings.appeals import Case
from lms.ratings.services import Dispute

bp = Blueprint("moderation", __name__, template_folder="templates")
REFUSE = "tetap"


def _base_url() -> str:
    return str(current_app.extensions["suluh"].base_url)


# The desk of trainers and assessors


@bp.get("/moderasi")
@login.role("trainer", "assessor")
def desk() -> ResponseReturnValue:
    """List what waits for a third person, for an answer, or for a second assessor."""
    found = services.desk(login.require_viewer())
    return render_template("moderation/desk.html", desk=found, labels=labels, now=clock.now())


@bp.get("/moderasi/beda/<public_id>")
@login.role("trainer", "assessor")
def dispute(public_id: str) -> ResponseReturnValue:
    """Show both marks of one criterion, without names until it is decided."""
    try:
        found = ratings.get_dispute(public_id, login.require_viewer())
    except (MayNotAssess, rules.NotThirdPerson) as error:
        return _refused(error)
    return _dispute_page(found, DecideForm(formdata=None))


@bp.post("/moderasi/beda/<public_id>")
@login.role("trainer", "assessor")
@login.accepts(DecideForm)
def moderate(public_id: str) -> ResponseReturnValue:
    """Decide between two marks."""
    viewer = login.require_viewer()
    try:
        found = ratings.get_dispute(public_id, viewer)
        form = DecideForm().offer(services.piece_of(found).acts.items())
        if not form.validate_on_submit():
            return make_response(_dispute_page(found, form), 422)
        with unit_of_work():
            ratings.moderate(
                public_id,
                viewer,
                level=int(form.hasil.data),
                act=form.tindakan.data or "",
                reason=form.alasan.data,
                now=clock.now(),
            )
    except (MayNotAssess, rules.NotThirdPerson) as error:
        return _refused(error)
    except rules.AlreadySettled as error:
        flash(labels.explain(error), "error")
    else:
        flash(_("Keputusan tersimpan dan berlaku sekarang."), "success")
    return redirect(url_for(".dispute", public_id=public_id))


def _dispute_page(found: Dispute, form: DecideForm) -> str:
    piece = services.piece_of(found)
    return render_template(
        "moderation/dispute.html",
        dispute=found,
        piece=piece,
        form=form.offer(piece.acts.items()),
        labels=labels,
        longest=rules.LONGEST,
    )


def _refused(error: DomainError) -> ResponseReturnValue:
    page = render_template("moderation/refused.html", reason=labels.explain(error))
    return make_response(page, 403)


# Appeals, as those who answer see them


@bp.get("/moderasi/banding/<public_id>")
@login.role("trainer", "assessor")
def appeal(public_id: str) -> ResponseReturnValue:
    """Show an appeal with what can be done now."""
    try:
        case = appeals.get_case(public_id, login.require_viewer())
    except MayNotAssess as error:
        return _refused(error)
    return _appeal_page(case, AnswerForm(formdata=None))


def _appeal_page(case: Case, form: AnswerForm) -> str:
    viewer = login.require_viewer()
    return render_template(
        "moderation/appeal.html",
        case=case,
        piece=services.piece_of_appeal(case),
        form=_with_choices(form, case),
        may_answer=viewer.id not in case.marked_by,
        zone=cohorts.find_zone_of(case.appeal.person_id),
        labels=labels,
        now=clock.now(),
        longest=rules.LONGEST,
    )


def _with_choices(form: AnswerForm, case: Case) -> AnswerForm:
    levels = [
        SelectChoice(str(n), _("Kabulkan: %(level)s", level=labels.LEVELS[n]))
        for n in rules.LEVELS
        if case.is_marked and rules.Mark(n).rank > case.mark.rank
    ]
    form.putusan.choices = [
        *reversed(levels),
        SelectChoice(AGAIN, _("Kabulkan: dinilai ulang dari awal, tidak menghabiskan percobaan")),
        SelectChoice(REFUSE, _("Tidak dikabulkan: hasilnya tetap")),
    ]
    return form


@bp.post("/moderasi/banding/<public_id>/ambil")
@login.role("trainer", "assessor")
@login.accepts()
def appeal_take(public_id: str) -> ResponseReturnValue:
    """Take an appeal up; who asked is told."""
    viewer, now = login.require_viewer(), clock.now()

    def act() -> None:
        case = appeals.take(public_id, viewer, now=now)
        services.tell_asker(case, len(case.steps), _base_url(), now=now)

    _try(act, _("Banding Anda periksa. Peserta diberi tahu."))
    return redirect(url_for(".appeal", public_id=public_id))


@bp.post("/moderasi/banding/<public_id>")
@login.role("trainer", "assessor")
@login.accepts(AnswerForm)
def appeal_answer(public_id: str) -> ResponseReturnValue:
    """Answer an appeal; who asked is told."""
    viewer, now, form = login.require_viewer(), clock.now(), AnswerForm()
    try:
        case = appeals.get_case(public_id, viewer)
    except MayNotAssess as error:
        return _refused(error)
    if not _with_choices(form, case).validate_on_submit():
        return make_response(_appeal_page(case, form), 422)
    chosen, reason = form.putusan.data, form.alasan.data

    def act() -> None:
        if chosen == REFUSE:
            done = appeals.refuse(public_id, viewer, reason=reason, now=now)
        else:
            level = None if chosen == AGAIN else int(chosen)
            done = appeals.uphold(public_id, viewer, level=level, reason=reason, now=now)
        services.tell_asker(done, len(done.steps), _base_url(), now=now)

    _try(act, _("Banding dijawab. Peserta diberi tahu."))
    return redirect(url_for(".appeal", public_id=public_id))


def _try(act: Callable[[], None], done: str) -> None:
    """Take one step in a unit of work and say what became of it."""
    try:
        with unit_of_work():
            act()
    except labels.REFUSALS as error:
        flash(labels.explain(error), "error")
    else:
        flash(done, "success")


# Appeals, as those who ask see them


@bp.get("/banding")
@login.role("trainee")
def own() -> ResponseReturnValue:
    """List one's own appeals with their stages."""
    viewer = login.require_viewer()
    return render_template(
        "moderation/own.html",
        cases=appeals.list_own(viewer.id),
        zone=cohorts.find_zone_of(viewer.id),
        labels=labels,
        days=rules.APPEAL_DAYS,
    )


@bp.get("/banding/baru")
@login.role("trainee")
def ask() -> ResponseReturnValue:
    """Ask which result should be looked at again, and why."""
    form = AskForm(formdata=None)
    wanted = request.args.get("kuk", "")[:20]
    return _ask_page(form, wanted)


@bp.post("/banding/baru")
@login.role("trainee")
@login.accepts(AskForm)
def ask_send() -> ResponseReturnValue:
    """Ask for one result to be looked at again; those who may answer are told."""
    viewer, now, form = login.require_viewer(), clock.now(), AskForm()
    if not _with_results(form, viewer.id, "").validate_on_submit():
        return make_response(_ask_page(form, ""), 422)
    key, text = form.hasil.data, form.alasan.data

    def act() -> None:
        public_id = appeals.ask(viewer.id, key, text=text, now=now)
        services.tell_staff(viewer.id, public_id, _base_url(), now=now)

    _try(act, _("Banding diajukan. Tahapnya terlihat di sini."))
    return redirect(url_for(".own"))


def _with_results(form: AskForm, person_id: int, wanted: str) -> AskForm:
    found = appeals.candidates(person_id, clock.now())
    shown = [one for one in found if one.kuk == wanted] or found
    form.hasil.choices = [
        SelectChoice(
            one.key,
            _(
                "KUK %(kuk)s, %(kind)s %(source)s, %(day)s. Banding sampai %(until)s.",
                kuk=one.kuk,
                kind=str(labels.KINDS[one.kind]).lower(),
                source=one.source,
                day=day(one.at),
                until=day(one.until),
            ),
        )
        for one in shown
    ]
    return form


def _ask_page(form: AskForm, wanted: str) -> str:
    return render_template(
        "moderation/ask.html",
        form=_with_results(form, login.require_viewer().id, wanted),
        days=rules.APPEAL_DAYS,
        answer_days=rules.ANSWER_DAYS,
        longest=rules.LONGEST,
    )


@bp.post("/banding/<public_id>/tarik")
@login.role("trainee")
@login.accepts()
def withdraw(public_id: str) -> ResponseReturnValue:
    """Take back one's own appeal."""
    viewer = login.require_viewer()
    _try(
        lambda: appeals.withdraw(viewer.id, public_id, now=clock.now()),
        _("Banding ditarik kembali. Hasilnya tetap."),
    )
    return redirect(url_for(".own"))


# How many assessors a class wants


@bp.get("/angkatan/<slug>/penilai")
@login.role("trainer", "admin")
def plan(slug: str) -> ResponseReturnValue:
    """Show which cases and stations two assessors mark."""
    cohort = _get_cohort(slug)
    found = services.get_plan(cohort)
    return _plan_page(cohort, found, _plan_form(found)(formdata=None))


@bp.post("/angkatan/<slug>/penilai")
@login.role("trainer", "admin")
@login.accepts(PlanForm, "dua-<kode>")
def plan_save(slug: str) -> ResponseReturnValue:
    """Keep which cases and stations two assessors mark."""
    cohort, viewer = _get_cohort(slug), login.require_viewer()
    found = services.get_plan(cohort)
    form = _plan_form(found)()
    if not form.validate_on_submit():
        return make_response(_plan_page(cohort, found, form), 422)
    wanted = {
        (line.kind, line.code): 2 if form[line.field].data else 1
        for line in found.lines
        if not line.fixed
    }
    cohort_id = cohort.id
    with unit_of_work():
        ratings.set_plan(cohort_id, wanted, by_id=viewer.id, now=clock.now())
    flash(_("Tersimpan. Berlaku untuk yang dikirim atau ditandai mulai sekarang."), "success")
    return redirect(url_for(".plan", slug=slug))


def _get_cohort(slug: str) -> Cohort:
    viewer = login.require_viewer()
    return cohorts.get_cohort(slug, viewer, *(() if viewer.is_any("admin") else (Part.TRAINER,)))


def _plan_form(found: Plan) -> type[PlanForm]:
    return plan_form(
        (line.field, line.code, line.raters > 1) for line in found.lines if not line.fixed
    )


def _plan_page(cohort: Cohort, found: Plan, form: PlanForm) -> str:
    return render_template(
        "moderation/plan.html", cohort=cohort, plan=found, form=form, labels=labels
    )
