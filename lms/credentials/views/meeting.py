"""Pages of the decision meeting: the class, one person, the signature, the minutes."""

from collections.abc import Callable, Iterable, Sequence

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort
from lms.cohorts.services import Seat
from lms.competency.rules import Standard
from lms.core import clock, login
from lms.core.db import unit_of_work
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.i18n import ngettext, pick
from lms.credentials import meeting, schemes, signatures, words
from lms.credentials.forms import PutOffForm, SignForm
from lms.credentials.meeting import Line
from lms.credentials.minutes import get_minutes
from lms.credentials.rules import SchemeText, Step
from lms.credentials.views.blueprint import (
    REFUSALS,
    asked_scheme,
    bp,
    class_of,
    config,
    explain,
    signatures_needed,
)


@bp.get("/angkatan/<slug>/pleno")
@login.role("trainer", "assessor")
def meet(slug: str) -> ResponseReturnValue:
    """Show who of a class is ready for a scheme, who is not and why, and what is signed."""
    cohort, known = class_of(slug), schemes.list_schemes()
    page = _page_number()
    found = meeting.get_meeting(
        cohort,
        asked_scheme(known, cohort),
        login.require_viewer().id,
        needed=signatures_needed(),
        page=page,
        now=clock.now(),
    )
    if page > 1 and not found.lines:
        raise NotFound(str(page))
    return render_template(
        "credentials/meet.html",
        meeting=found,
        schemes=known,
        say=lambda line: _missing(line, found.standard, known),
        explain=explain,
        page=page,
        pages=max(1, -(-found.total // meeting.PAGE)),
        first=(page - 1) * meeting.PAGE + 1,
        needed=signatures_needed(),
    )


def _page_number() -> int:
    text = request.args.get("hal", "")
    return max(1, int(text)) if text.isascii() and text.isdecimal() and len(text) < 5 else 1


def _missing(line: Line, standard: Standard, known: Iterable[SchemeText]) -> list[tuple[str, str]]:
    """Return what is missing, each with the code of the criterion or thing it is about."""
    titles = {scheme.code: pick(scheme.title, scheme.title_en) for scheme in known}
    missing = line.judgement.missing
    sentences = words.missing_in_words(missing, standard, titles)
    return [(one.code, sentence) for one, sentence in zip(missing, sentences, strict=True)]


@bp.get("/angkatan/<slug>/pleno/<public_id>/<scheme>")
@login.role("trainer", "assessor")
def decide(slug: str, public_id: str, scheme: str) -> ResponseReturnValue:
    """Show what the evidence says about one person, criterion by criterion."""
    return _case_page(slug, public_id, scheme, PutOffForm(formdata=None))


def _case_page(slug: str, public_id: str, scheme: str, form: PutOffForm) -> str:
    cohort, known = class_of(slug), schemes.list_schemes()
    found = meeting.get_case(
        cohort,
        scheme,
        public_id,
        login.require_viewer().id,
        needed=signatures_needed(),
        now=clock.now(),
    )
    return render_template(
        "credentials/decide.html",
        case=found,
        line=found.line,
        cohort=cohort,
        scheme=found.meeting.scheme,
        standard=found.meeting.standard,
        missing=_missing(found.line, found.meeting.standard, known),
        kinds=words.kind_name,
        explain=explain,
        form=form,
        needed=signatures_needed(),
    )


# Signatures


@bp.get("/angkatan/<slug>/pleno/tanda-tangan")
@login.role("trainer", "assessor")
def signing(slug: str) -> ResponseReturnValue:
    """Show whom the viewer is about to sign for, named as the paper will name them."""
    if not request.args.getlist("siapa"):
        flash(_("Centang dulu siapa yang akan Anda tanda tangani."), "info")
        return redirect(url_for(".meet", slug=slug, skema=request.args.get("skema")))
    return _signing_page(slug, request.args.getlist("siapa"), SignForm(formdata=None))


@bp.post("/angkatan/<slug>/pleno/tanda-tangan")
@login.role("trainer", "assessor")
@login.accepts(SignForm, "siapa")
def sign(slug: str) -> ResponseReturnValue:
    """Sign for everybody shown, each on their own: one refusal stops nobody else."""
    form, viewer, cohort = SignForm(), login.require_viewer(), class_of(slug)
    shown = dict(one.partition(".")[::2] for one in request.form.getlist("siapa")[: meeting.PAGE])
    if not form.validate_on_submit():
        return make_response(_signing_page(slug, list(shown), form), 422)
    cohort_id, done, refused = cohort.id, list[Step](), dict[str, str]()
    for seat in _seats(cohort, shown):
        try:
            with unit_of_work():
                done += signatures.sign(
                    seat.person_id,
                    form.skema.data,
                    cohort_id=cohort_id,
                    signer_id=viewer.id,
                    seen=shown[seat.public_id],
                    language=form.language.data,
                    needed=signatures_needed(),
                    now=clock.now(),
                )
        except REFUSALS as error:
            refused[seat.public_id] = f"{seat.name}: {explain(error)}"
    _tell(done)
    if refused:
        form.form_errors.extend(refused.values())
        return make_response(_signing_page(slug, list(refused), form), 422)
    return redirect(url_for(".meet", slug=slug, skema=form.skema.data))


def _seats(cohort: Cohort, public_ids: Iterable[str]) -> list[Seat]:
    wanted = set(public_ids)
    return [seat for seat in cohorts.list_seats(cohort.id) if seat.public_id in wanted]


def _tell(done: Sequence[Step]) -> None:
    """Say what the signatures did."""
    first = done.count(Step.PROPOSE) + done.count(Step.RENEW)
    decided = done.count(Step.DECIDE)
    if first and signatures_needed() > 1:
        flash(
            ngettext(
                "%(num)d usulan Anda tanda tangani. Sekarang perlu tanda tangan kedua.",
                "%(num)d usulan Anda tanda tangani. Sekarang perlu tanda tangan kedua.",
                first,
            ),
            "success",
        )
    if decided:
        flash(
            ngettext(
                "%(num)d keputusan lengkap dan menunggu penerbitan.",
                "%(num)d keputusan lengkap dan menunggu penerbitan.",
                decided,
            ),
            "success",
        )


def _signing_page(slug: str, public_ids: Sequence[str], form: SignForm) -> str:
    cohort = class_of(slug)
    found = meeting.get_meeting(
        cohort,
        asked_scheme(schemes.list_schemes(), cohort),
        login.require_viewer().id,
        needed=signatures_needed(),
        only=public_ids[: meeting.PAGE],
        now=clock.now(),
    )
    if not found.lines:
        raise NotFound(slug)
    form.skema.data = found.scheme.code
    return render_template(
        "credentials/signing.html",
        meeting=found,
        cohort=cohort,
        ready=[line for line in found.lines if line.may_sign],
        refused=[line for line in found.lines if not line.may_sign],
        explain=explain,
        form=form,
        sample=config().demo,
        needed=signatures_needed(),
    )


@bp.post("/angkatan/<slug>/pleno/<public_id>/<scheme>/tarik")
@login.role("trainer", "assessor")
@login.accepts()
def withdraw(slug: str, public_id: str, scheme: str) -> ResponseReturnValue:
    """Take back one's own signature."""
    return _undo(signatures.withdraw, slug, public_id, scheme, _("Tanda tangan Anda ditarik."))


def _undo(
    undo: Callable[..., object], slug: str, public_id: str, scheme: str, done: str
) -> ResponseReturnValue:
    """Undo one step about somebody in the meeting, say what happened, and return to them."""
    cohort_id = class_of(slug).id
    person_id = cohorts.get_seat(cohort_id, public_id).person_id
    by_id = login.require_viewer().id
    try:
        with unit_of_work():
            undo(person_id, scheme, cohort_id=cohort_id, by_id=by_id, now=clock.now())
    except REFUSALS as error:
        flash(explain(error), "error")
    else:
        flash(done, "success")
    return redirect(url_for(".decide", slug=slug, public_id=public_id, scheme=scheme))


@bp.post("/angkatan/<slug>/pleno/<public_id>/<scheme>/tunda")
@login.role("trainer", "assessor")
@login.accepts(PutOffForm)
def put_off(slug: str, public_id: str, scheme: str) -> ResponseReturnValue:
    """Put somebody off with a reason and what to do."""
    form, cohort_id = PutOffForm(), class_of(slug).id
    person_id = cohorts.get_seat(cohort_id, public_id).person_id
    if form.validate_on_submit():
        try:
            with unit_of_work():
                signatures.put_off(
                    person_id,
                    scheme,
                    cohort_id=cohort_id,
                    by_id=login.require_viewer().id,
                    reason=form.reason.data,
                    todo=form.todo.data,
                    now=clock.now(),
                )
        except REFUSALS as error:
            form.form_errors.append(explain(error))
        else:
            flash(_("Ditunda. Alasannya tercatat di berita acara."), "success")
            return redirect(url_for(".decide", slug=slug, public_id=public_id, scheme=scheme))
    return make_response(_case_page(slug, public_id, scheme, form), 422)


@bp.post("/angkatan/<slug>/pleno/<public_id>/<scheme>/lanjutkan")
@login.role("trainer", "assessor")
@login.accepts()
def lift(slug: str, public_id: str, scheme: str) -> ResponseReturnValue:
    """Let the meeting decide on somebody again."""
    done = _("Penundaan selesai. Orang ini dapat diusulkan lagi.")
    return _undo(signatures.lift, slug, public_id, scheme, done)


# Minutes


@bp.get("/angkatan/<slug>/pleno/berita-acara")
@login.role("trainer", "assessor")
def minutes(slug: str) -> ResponseReturnValue:
    """Show the minutes of the meeting, to be printed."""
    cohort = class_of(slug)
    found = get_minutes(cohort, asked_scheme(schemes.list_schemes(), cohort))
    return render_template("credentials/minutes.html", minutes=found, cohort=cohort)
