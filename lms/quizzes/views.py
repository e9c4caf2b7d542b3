"""Pages of quizzes: the start page, one question a page, checking, the result."""

from typing import Any

from flask import (
    Blueprint,
    current_app,
    flash,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, Part
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind, Kuk
from lms.core import clock, login
from lms.core.db import unit_of_work
from lms.core.errors import NotFound
from lms.core.group_commit import Execute, write_together
from lms.core.i18n import clock as hour
from lms.core.i18n import gettext as _
from lms.core.i18n import moment
from lms.quizzes import overdue, rules, services, sheets, timing
from lms.quizzes.classes import services as classes
from lms.quizzes.forms import (
    ANSWER,
    Change,
    ExtraForm,
    LimitForm,
    PageAnswerForm,
    SubmitForm,
    read_change,
)
from lms.quizzes.receipts import Acknowledged, sign
from lms.quizzes.sheets import AttemptRef, Outcome, Sheet
from lms.quizzes.types import BadResponse, TooLong

GRACE_SECONDS = int(rules.GRACE.total_seconds())
bp = Blueprint("quizzes", __name__, template_folder="templates")


def asked(curriculum: str, attempt: str) -> AttemptRef:
    """Return the sitting the viewer asks for."""
    return AttemptRef(attempt, curriculum.upper(), login.require_viewer().id)


def address(ref: AttemptRef, endpoint: str = "question", **values: object) -> str:
    """Return the address of a page of a sitting."""
    values |= {"curriculum": ref.curriculum.lower(), "attempt": ref.public_id}
    return url_for(f"quizzes.{endpoint}", **values)  # type: ignore[arg-type]  # query values


def map_of(sheet: Sheet, positions: tuple[int, ...] | None = None) -> list[dict[str, object]]:
    """Return what the map of questions draws: all of them or only `positions`."""
    here = address(sheet.ref)
    return [
        {
            "number": line.position,
            "url": f"{here}?soal={line.position}",
            "answered": line.is_answered,
            "unsaved": False,
            "flagged": line.answer.flagged,
        }
        for line in sheet.lines
        if positions is None or line.position in positions
    ]


def class_page(code: str, endpoint: str = "start", **values: str) -> str:
    """Return the address of a page of the quiz of a class. Raises NotFound when it is none."""
    slug = classes.find_class(code.upper())
    if slug is None:
        raise NotFound(code)
    values |= {"slug": slug, "code": code}
    return url_for(f"class_quizzes.{endpoint}", **values)  # type: ignore[arg-type]  # query values


@bp.get("/kuis/<curriculum>")
@login.role("trainee")
def start(curriculum: str) -> ResponseReturnValue:
    """Say what the quiz is, and begin or resume it."""
    viewer = login.require_viewer()
    now = clock.now()
    try:
        state = services.quiz_state(viewer.id, curriculum.upper(), now)
    except NotFound:
        return redirect(class_page(curriculum))
    return render_template(
        "quizzes/start.html",
        state=state,
        over=state.running is not None and state.running.is_over(now),
        allowed=timing.time_for(viewer.id, state.minutes, now),
        grace=GRACE_SECONDS,
        zone=cohorts.find_zone_of(viewer.id),
    )


@bp.post("/kuis/<curriculum>")
@login.role("trainee")
@login.accepts()
def open_attempt(curriculum: str) -> ResponseReturnValue:
    """Open a sitting, or go on with the one that runs."""
    viewer = login.require_viewer()
    try:
        with unit_of_work():
            ref = services.open_attempt(viewer.id, curriculum.upper(), now=clock.now())
    except rules.Refusal as refusal:
        flash(explain(refusal, cohorts.find_zone_of(viewer.id)), "info")
        return redirect(url_for(".start", curriculum=curriculum))
    return redirect(address(ref))


def explain(refusal: rules.Refusal, zone: str | None) -> str:
    """Say why a sitting cannot begin now, and what opens it."""
    if isinstance(refusal, rules.TooSoon):
        return _("Dapat dicoba lagi mulai %(when)s.", when=moment(refusal.at, zone))
    if isinstance(refusal, rules.NeedsCoaching):
        return _("Percobaan berikutnya dibuka setelah Anda berbicara dengan pelatih.")
    if isinstance(refusal, rules.NothingToAsk):
        return _("Semua kriteria kuis ini sudah lulus. Tidak ada yang perlu diulang.")
    return _("Soal kuis ini sedang diperbarui. Coba lagi nanti; percobaan Anda tidak berkurang.")


def running_sheet(ref: AttemptRef) -> Sheet:
    """Return a sitting whose clock runs. Raises rules.AttemptClosed, rules.TimeUp, rules.Paused."""
    sheet = sheets.get_sheet(ref)
    if sheet.clock.is_over(clock.now()):
        raise rules.TimeUp(ref.public_id)
    if sheet.clock.paused_at is not None:
        raise rules.Paused(ref.public_id)
    return sheet


@bp.get("/kuis/<curriculum>/<attempt>")
@login.role("trainee")
def question(curriculum: str, attempt: str) -> ResponseReturnValue:
    """Show one question; without a number the first that has no answer."""
    ref = asked(curriculum, attempt)
    try:
        sheet = running_sheet(ref)
    except rules.AttemptClosed:
        return redirect(address(ref, "result"))
    except (rules.TimeUp, rules.Paused):
        return redirect(url_for(".start", curriculum=curriculum))
    position = request.args.get("soal", type=int) or min(sheet.unanswered, default=1)
    if position > len(sheet.lines):
        return redirect(address(ref, "review"))
    return question_page(sheet, position)


def question_page(
    sheet: Sheet, position: int, error: str | None = None, typed: tuple[str, ...] = ()
) -> ResponseReturnValue:
    """Draw one question; with an error and what was typed, so that nobody types it again."""
    question = sheets.get_question(sheet, position)
    page = render_template(
        "quizzes/question.html",
        sheet=sheet,
        question=question,
        response={**question.response, "text": typed[0]} if typed else question.response,
        questions=map_of(sheet),
        save_url=address(sheet.ref, "autosave"),
        here=address(sheet.ref),
        zone=cohorts.find_zone_of(sheet.ref.person_id),
        error=error,
        now=clock.now(),
        grace=GRACE_SECONDS,
    )
    return page, 422 if error else 200


@bp.post("/kuis/<curriculum>/<attempt>")
@login.role("trainee")
@login.accepts(PageAnswerForm, ANSWER)
def answer(curriculum: str, attempt: str) -> ResponseReturnValue:
    """Save one question page and go where its button leads."""
    ref, form = asked(curriculum, attempt), PageAnswerForm()
    try:
        if not form.validate_on_submit():
            return question_page(
                sheets.get_sheet(ref),
                1 if form.soal.errors else form.soal.data,
                _("Belum tersimpan. Pilih salah satu jawaban yang ada."),
            )
        sent = {
            "position": form.soal.data,
            "seq": form.seq.data,
            "choice": form.choice.data,
            "flagged": form.flagged.data,
            "values": form.values,
            "now": clock.now(),
        }
        write_together(lambda execute: services.save_page(ref, **sent, execute=execute))
    except BadResponse as refused:
        page = sheets.get_sheet(ref)
        return question_page(page, form.soal.data, unread(refused), form.values)
    except rules.AttemptClosed:
        flash(_("Kuis ini sudah dikirim, jadi jawabannya tidak berubah lagi."), "info")
        return redirect(address(ref, "result"))
    except rules.TimeUp:
        return time_up(ref)
    return redirect(onward(ref, form.ke.data, form.soal.data))


def time_up(ref: AttemptRef) -> ResponseReturnValue:
    """Close a sitting whose time is over, and show its result."""
    with unit_of_work():
        overdue.end(ref, now=clock.now())
    flash(_("Waktu habis. Semua jawaban yang tersimpan sudah dikirim dan dihitung."), "info")
    return redirect(address(ref, "result"))


def onward(ref: AttemptRef, way: str, position: int) -> str:
    """Return where a button of the question page leads."""
    if way == "jeda":
        take_break(ref)
        return url_for(".start", curriculum=ref.curriculum.lower())
    if way == "periksa":
        return address(ref, "review")
    return address(ref, soal=max(position - 1, 1) if way == "kembali" else position + 1)


def take_break(ref: AttemptRef) -> None:
    """Stop the clock where there is one that may be stopped, and say what holds."""
    with unit_of_work():
        attempt = sheets.get_attempt(ref)
        stopped = timing.pause(attempt.id, now=clock.now())
    if attempt.deadline_at is None:
        flash(_("Jawaban tersimpan. Lanjutkan kapan saja dari halaman ini."), "success")
    elif stopped or attempt.paused_at is not None:
        flash(_("Jawaban tersimpan dan waktu berhenti. Lanjutkan dari halaman ini."), "success")
    else:
        flash(_("Jawaban tersimpan. Waktu kuis ini tetap berjalan."), "info")


@bp.post("/kuis/<curriculum>/<attempt>/simpan")
@login.role("trainee")
@login.accepts(*Change.FIELDS)
def autosave(curriculum: str, attempt: str) -> ResponseReturnValue:
    """Save one change and give a receipt a script can show."""
    ref, change, now = asked(curriculum, attempt), read_change(request.form), clock.now()
    if change is None:
        return receipt(_("Belum tersimpan. Muat ulang halaman ini."), 422)

    def save(execute: Execute) -> services.Saved:
        return services.save_answer(
            ref,
            position=change.soal,
            client_key=change.client_key,
            seq=change.seq,
            choice=change.choice,
            flagged=change.flagged,
            values=change.values,
            now=now,
            execute=execute,
        )

    try:
        saved = write_together(save)
    except BadResponse as refused:
        return receipt(unread(refused), 422)
    except (rules.AttemptClosed, rules.TimeUp, rules.KeyReused) as refused:
        return receipt(refusal_label(refused), 409)
    if not saved.counts:
        return receipt(_("Yang dipakai jawaban di tab lain. Muat ulang halaman ini."), 409)
    answer = Acknowledged(
        attempt=ref.public_id,
        soal=change.soal,
        client_key=change.client_key,
        choice=change.choice,
        flagged=change.flagged,
        at=saved.at,
        response=saved.response,
    )
    secret = current_app.extensions["suluh"].secret_key
    proof: dict[str, Any] = {"receipt": sign(secret, answer), "at": saved.at.isoformat()}
    label = saved_label(saved, change.zone)
    if saved.deadline_at is not None:
        return receipt(label, **proof, left=int((saved.deadline_at - now).total_seconds()))
    return receipt(label, **proof)


def saved_label(saved: services.Saved, zone: str | None) -> str:
    """Say when an answer was saved; of one that somebody reads, with its length."""
    when = hour(saved.at, zone)
    if saved.words is None:
        return _("Tersimpan %(time)s", time=when)
    return _("Tersimpan %(when)s · %(words)d kata", when=when, words=saved.words)


def refusal_label(refused: Exception) -> str:
    """Say why an answer was not saved."""
    if isinstance(refused, rules.AttemptClosed):
        return _("Belum tersimpan. Kuis ini sudah dikirim.")
    if isinstance(refused, rules.TimeUp):
        return _("Belum tersimpan. Waktu habis.")
    return _("Belum tersimpan. Muat ulang halaman ini.")


def unread(refused: BadResponse) -> str:
    """Say why an answer could not be taken."""
    if isinstance(refused, TooLong):
        return _("Belum tersimpan. Paling banyak %(most)d huruf.", most=refused.most)
    return _("Belum tersimpan. Muat ulang halaman ini.")


def receipt(label: str, status: int = 200, **proof: Any) -> ResponseReturnValue:
    """Answer save.js: saved or not, the words for the live region, and the proof if it is."""
    return jsonify(saved=status == 200, label=label, **proof), status


@bp.get("/kuis/<curriculum>/<attempt>/periksa")
@login.role("trainee")
def review(curriculum: str, attempt: str) -> ResponseReturnValue:
    """Show what is left open before handing in."""
    ref = asked(curriculum, attempt)
    try:
        sheet = running_sheet(ref)
    except rules.AttemptClosed:
        return redirect(address(ref, "result"))
    except (rules.TimeUp, rules.Paused):
        return redirect(url_for(".start", curriculum=curriculum))
    return review_page(sheet, SubmitForm())


def review_page(sheet: Sheet, form: SubmitForm) -> ResponseReturnValue:
    """Draw the page before handing in."""
    page = render_template(
        "quizzes/review.html",
        sheet=sheet,
        form=form,
        unanswered=map_of(sheet, sheet.unanswered),
        flagged=map_of(sheet, sheet.flagged),
        submit_url=address(sheet.ref, "submit"),
        here=address(sheet.ref),
        zone=cohorts.find_zone_of(sheet.ref.person_id) if sheet.clock.deadline_at else None,
        now=clock.now(),
        grace=GRACE_SECONDS,
    )
    return page, 422 if form.errors else 200


@bp.post("/kuis/<curriculum>/<attempt>/kirim")
@login.role("trainee")
@login.accepts(SubmitForm)
def submit(curriculum: str, attempt: str) -> ResponseReturnValue:
    """Hand the sitting in; a second time changes nothing."""
    ref, form = asked(curriculum, attempt), SubmitForm()
    sitting = sheets.get_attempt(ref)
    if sitting.closed_at is not None:
        return redirect(address(ref, "result"))
    if sheets.clock_of(sitting).is_over(clock.now()):
        return time_up(ref)
    if not form.confirm.data:
        try:
            sheet = sheets.get_sheet(ref)
        except rules.AttemptClosed:  # meanwhile, in another tab
            return redirect(address(ref, "result"))
        if sheet.unanswered:
            form.confirm.errors = [_("Centang kotak ini, atau jawab dulu soal yang masih kosong.")]
            return review_page(sheet, form)
    with unit_of_work():
        services.submit(ref, now=clock.now())
    flash(_("Jawaban terkirim."), "success")
    return redirect(address(ref, "result"))


@bp.get("/kuis/<curriculum>/<attempt>/hasil")
@login.role("trainee")
def result(curriculum: str, attempt: str) -> ResponseReturnValue:
    """Show the result per KUK, with the reason behind every option."""
    ref = asked(curriculum, attempt)
    try:
        found = sheets.get_result(ref, now=clock.now())
    except rules.AttemptOpen:
        return redirect(address(ref))
    except rules.OfClass:
        return redirect(class_page(curriculum, "result", attempt=attempt))
    return render_template(
        "quizzes/result.html",
        result=found,
        state=found.state,
        outcome=Outcome,
        other_evidence=other_evidence,
        zone=cohorts.find_zone_of(ref.person_id),
    )


def other_evidence(kuk: Kuk) -> str:
    """Name the evidence a KUK asks for beside the quiz."""
    names = {
        EvidenceKind.SK: _("studi kasus"),
        EvidenceKind.SIM: _("simulasi"),
        EvidenceKind.OBS: _("tatap muka"),
        EvidenceKind.REF: _("refleksi"),
        EvidenceKind.HDR: _("kehadiran"),
    }
    listed = ", ".join(names[kind] for kind in kuk.ev if kind in names)
    return listed.capitalize() or _("Sudah lengkap")


@bp.get("/admin/kuis")
@login.role("admin")
def limits() -> ResponseReturnValue:
    """Show how much time each quiz gives."""
    return limits_page({}), 200


@bp.post("/admin/kuis")
@login.role("admin")
@login.accepts(LimitForm)
def set_limit() -> ResponseReturnValue:
    """Give one quiz a limit, or none."""
    form = LimitForm()
    if not form.validate_on_submit():
        return limits_page({form.quiz.data: form}), 422
    with unit_of_work():
        timing.set_limit(
            form.quiz.data,
            form.minutes.data,
            pausable=form.pausable.data,
            actor_id=login.require_viewer().id,
            now=clock.now(),
        )
    flash(_("Tersimpan. Kuis yang sedang dikerjakan tetap memakai waktu semula."), "success")
    return redirect(url_for(".limits"))


def limits_page(sent: dict[str, LimitForm]) -> str:
    """Draw a form for each quiz of a curriculum; those in `sent` as they were typed."""
    titles = competency.current().standard.curricula
    found = [one for one in timing.list_limits() if one.curriculum in titles]
    forms = [
        sent.get(one.curriculum)
        or LimitForm(formdata=None, quiz=one.curriculum, minutes=one.minutes, pausable=one.pausable)
        for one in found
    ]
    for number, form in enumerate(forms):
        form.minutes.id, form.pausable.id = f"menit-{number}", f"jeda-{number}"
    return render_template(
        "quizzes/limits.html",
        lines=list(zip(found, forms, strict=True)),
        titles=titles,
        grace=GRACE_SECONDS,
    )


@bp.get("/angkatan/<slug>/peserta/<public_id>/waktu")
@login.role("trainer", "admin")
def extra_time(slug: str, public_id: str) -> ResponseReturnValue:
    """Show how much more time somebody has, and a form to change it."""
    cohort, seat = seat_of(slug, public_id)
    return extra_page(cohort, seat, ExtraForm(formdata=None)), 200


@bp.post("/angkatan/<slug>/peserta/<public_id>/waktu")
@login.role("trainer", "admin")
@login.accepts(ExtraForm)
def give_extra_time(slug: str, public_id: str) -> ResponseReturnValue:
    """Give somebody more time, or take it back."""
    (cohort, seat), form = seat_of(slug, public_id), ExtraForm()
    if not form.validate_on_submit():
        return extra_page(cohort, seat, form), 422
    with unit_of_work():
        timing.give_extra(
            seat.person_id,
            form.chosen,
            until=form.until.data,
            reason=form.reason.data,
            giver_id=login.require_viewer().id,
            now=clock.now(),
        )
    flash(_("Tersimpan. Berlaku juga untuk kuis yang sedang dikerjakan."), "success")
    return redirect(url_for(".extra_time", slug=slug, public_id=public_id))


def seat_of(slug: str, public_id: str) -> tuple[Cohort, cohorts.Seat]:
    """Return somebody of a class the viewer trains; an administrator looks into each."""
    viewer = login.require_viewer()
    parts = () if viewer.is_any("admin") else (Part.TRAINER,)
    cohort = cohorts.get_cohort(slug, viewer, *parts)
    return cohort, cohorts.get_seat(cohort.id, public_id)


def extra_page(cohort: Cohort, seat: cohorts.Seat, form: ExtraForm) -> str:
    """Draw the form of somebody's time."""
    found = timing.find_extra(seat.person_id)
    return render_template(
        "quizzes/extra_time.html",
        cohort=cohort,
        seat=seat,
        found=found,
        ended=bool(found and found.until and found.until < clock.now().date()),
        form=form,
    )
