"""Pages of case studies: writing and handing in; the marking queue and marking."""

from datetime import datetime

from flask import Blueprint, flash, jsonify, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.cohorts import services as cohorts
from lms.cohorts.services import MayNotAssess
from lms.core import clock, login, reviewing
from lms.core.db import unit_of_work
from lms.core.i18n import clock as hour
from lms.core.i18n import gettext as _
from lms.core.i18n import local, moment
from lms.core.ids import public_id as new_page
from lms.core.reviewing import Mark
from lms.practice.cases import rules, services
from lms.practice.cases.forms import (
    ANSWER,
    MARK,
    NOTE,
    SEEN,
    DraftForm,
    HandInForm,
    MarkForm,
    WriteForm,
    mark_form,
    write_form,
)
from lms.practice.cases.rules import Receipt, Stage
from lms.practice.cases.services import CaseState, Marking, StoredDraft
from lms.practice.cases.texts import Case

bp = Blueprint("cases", __name__, template_folder="templates")


@bp.get("/studi-kasus/<code>")
@login.role("trainee")
def case(code: str) -> ResponseReturnValue:
    """Show a case study as it stands: to be written, waiting, or decided."""
    viewer = login.require_viewer()
    state = services.case_state(viewer.id, code, clock.now())
    if state.stage is Stage.WRITE and not state.tries:
        return _write_page(state)
    zone = cohorts.find_zone_of(viewer.id)
    if state.stage is Stage.WAITING:
        answers = services.answers_waiting(viewer.id, state)
        return render_template("cases/waiting.html", state=state, answers=answers, zone=zone)
    return render_template(
        "cases/result.html",
        state=state,
        parts=services.results(viewer.id, state),
        feedback=services.list_feedback(viewer.id, state.case.code),
        zone=zone,
        marks=_marks(state.case),
    )


def _marks(case: Case) -> tuple[Mark, ...]:
    """Return who signed this very text."""
    copy = case.code, case.digest
    return reviewing.marks_of("case", [copy]).get(copy, ())


@bp.get("/studi-kasus/<code>/tulis")
@login.role("trainee")
def write(code: str) -> ResponseReturnValue:
    """Show the case file and the open parts."""
    return _write_page(services.case_state(login.require_viewer().id, code, clock.now()))


@bp.post("/studi-kasus/<code>/tulis")
@login.role("trainee")
@login.accepts(WriteForm, f"{ANSWER}<task>", f"{SEEN}<task>", "lanjut")
def write_save(code: str) -> ResponseReturnValue:
    """Save every answer of the page, then stay or go on to the last look."""
    viewer, now = login.require_viewer(), clock.now()
    state = services.case_state(viewer.id, code, now)
    form = write_form(services.open_parts(state))()
    if not form.validate_on_submit():
        return _write_page(state, form)
    try:
        with unit_of_work():
            receipts = services.save_drafts(
                viewer.id, code, form.answers, page=form.page.data, seen=form.seen, now=now
            )
    except services.NotOpen:
        flash(_("Jawaban sudah dikirim. Perubahan terakhir tidak ikut."), "error")
        return redirect(url_for(".case", code=state.case.slug))
    if Receipt.CONFLICT in receipts.values():
        return _write_page(state, form, receipts)
    if request.form.get("lanjut") == "periksa":
        return redirect(url_for(".write_check", code=state.case.slug))
    flash(_("Tersimpan. Anda boleh menutup halaman ini dan melanjutkan nanti."), "success")
    return redirect(url_for(".write", code=state.case.slug))


@bp.post("/studi-kasus/<code>/draf")
@login.role("trainee")
@login.accepts(DraftForm, f"{ANSWER}<task>", f"{SEEN}<task>", "client_key")
def save_draft(code: str) -> ResponseReturnValue:
    """Save one answer while it is typed; the receipt is what the page shows."""
    viewer, now, form = login.require_viewer(), clock.now(), DraftForm()
    text = request.form.get(form.field.data or "", "")
    if not form.validate_on_submit() or len(text) > rules.LONGEST:
        return jsonify(saved=False, label=_("Belum tersimpan: terlalu panjang")), 422
    try:
        with unit_of_work():
            receipt = services.save_draft(
                viewer.id,
                code,
                form.task,
                text,
                page=form.page.data,
                seq=form.seq.data,
                seen=request.form.get(SEEN + form.task, ""),
                now=now,
            )
    except services.NotOpen:
        return jsonify(saved=False, label=_("Belum tersimpan: jawaban sudah dikirim")), 409
    if receipt in (Receipt.SAVED, Receipt.OLDER):
        label = saved_label(rules.count_words(text), now, now, cohorts.find_zone_of(viewer.id))
        return jsonify(saved=True, label=label)
    return jsonify(saved=False, label=_("Belum tersimpan: berubah di tab atau perangkat lain")), 409


@bp.get("/studi-kasus/<code>/periksa")
@login.role("trainee")
def write_check(code: str) -> ResponseReturnValue:
    """Show the answers as they would be handed in, and what they lack."""
    return _check_page(services.case_state(login.require_viewer().id, code, clock.now()))


@bp.post("/studi-kasus/<code>/kirim")
@login.role("trainee")
@login.accepts(HandInForm)
def hand_in(code: str) -> ResponseReturnValue:
    """Hand in the answers that were looked over."""
    viewer, now, form = login.require_viewer(), clock.now(), HandInForm()
    if not form.validate_on_submit():
        return _check_page(services.case_state(viewer.id, code, now), form)
    try:
        with unit_of_work():
            services.submit(viewer.id, code, reviewed=form.reviewed.data, now=now)
    except services.NotOpen:
        pass  # sent twice, or nothing is open: the page says how it stands
    except (services.NotReady, services.ChangedSince):
        flash(_("Jawaban berubah sejak Anda periksa. Periksa sekali lagi."), "info")
        return redirect(url_for(".write_check", code=code))
    else:
        flash(_("Jawaban terkirim kepada penilai kelas Anda."), "success")
    return redirect(url_for(".case", code=code))


@bp.get("/menilai")
@login.role("trainer", "assessor")
def queue() -> ResponseReturnValue:
    """List what waits for marking in the viewer's classes."""
    lines = services.queue(login.require_viewer())
    return render_template("cases/queue.html", lines=lines, now=clock.now())


@bp.get("/menilai/<public_id>")
@login.role("trainer", "assessor")
def mark(public_id: str) -> ResponseReturnValue:
    """Show a submission beside its rubric."""
    try:
        marking = services.get_marking(public_id, login.require_viewer())
    except MayNotAssess:
        return render_template("cases/refused.html"), 403
    return _mark_page(marking, mark_form(marking.criteria)(formdata=None))


@bp.post("/menilai/<public_id>")
@login.role("trainer", "assessor")
@login.accepts(MarkForm, f"{MARK}<kuk>", f"{NOTE}<kuk>")
def decide(public_id: str) -> ResponseReturnValue:
    """Record the marks and let them count."""
    viewer, now = login.require_viewer(), clock.now()
    try:
        marking = services.get_marking(public_id, viewer)
        form = mark_form(marking.criteria)()
        if form.validate_on_submit():
            with unit_of_work():
                review = services.decide(
                    public_id,
                    viewer,
                    marks=form.marks,
                    feedback=form.feedback.data,
                    stated=form.stated,
                    now=now,
                )
            flash(
                _("Penilaian tersimpan. Peserta dapat membacanya sekarang.")
                if review
                else _(
                    "Penilaian Anda tersimpan. Peserta membacanya setelah penilai kedua menilai."
                ),
                "success",
            )
            return redirect(url_for(".queue"))
    except MayNotAssess:
        return render_template("cases/refused.html"), 403
    except services.AlreadyDecided:
        marking = services.get_marking(public_id, viewer)
        return _mark_page(marking, form, 409)
    return _mark_page(marking, form, 422)


def saved_label(words: int, at: datetime, now: datetime, zone: str | None) -> str:
    """Say when a text was saved, with its length."""
    today = local(at, zone).date() == local(now, zone).date()
    when = hour(at, zone) if today else moment(at, zone)
    # Translators: shown beside an answer, e.g. "Tersimpan 10.42 · 132 kata".
    return _("Tersimpan %(when)s · %(words)d kata", when=when, words=words)


def _write_page(
    state: CaseState,
    form: WriteForm | None = None,
    receipts: dict[str, Receipt] | None = None,
) -> ResponseReturnValue:
    """Show the writing page; with a form that was sent, its texts stay and errors are shown."""
    if state.stage is not Stage.WRITE:
        return redirect(url_for(".case", code=state.case.slug))
    person_id, now = login.require_viewer().id, clock.now()
    drafts = services.drafts_of(person_id, state.case.code)
    zone = cohorts.find_zone_of(person_id)
    parts = services.open_parts(state)
    if form is None:
        form = write_form(parts)(formdata=None)
        form.show({task: draft.text for task, draft in drafts.items()}, new_page())
    elif receipts:
        form.explain(receipts, {task: draft.text for task, draft in drafts.items()})
    page = render_template(
        "cases/write.html",
        state=state,
        marks=_marks(state.case),
        parts=parts,
        form=form,
        drafts=drafts,
        labels={
            task: saved_label(draft.words, draft.updated_at, now, zone)
            for task, draft in drafts.items()
        },
        unsaved=_unsaved(form, receipts or {}),
        count=_count(form, drafts),
        found={part.task.id: part for part in services.results(person_id, state)}
        if state.tries
        else {},
    )
    return page, 422 if form.errors else 200


def _unsaved(form: WriteForm, receipts: dict[str, Receipt]) -> set[str]:
    """Return the parts whose text on the page is not the stored one."""
    if receipts:
        return {task for task, found in receipts.items() if found is Receipt.CONFLICT}
    return set(form.tasks) if form.errors else set()


def _count(form: WriteForm, drafts: dict[str, StoredDraft]) -> int:
    """Return where the page's count of saves goes on.

    A page that was sent and shown again keeps its name; what it sent before may still be on the
    way, so its count jumps ahead.
    """
    mine = [draft.seq for draft in drafts.values() if draft.page == form.page.data]
    return max(mine) + 1000 if mine else 0


def _check_page(state: CaseState, form: HandInForm | None = None) -> ResponseReturnValue:
    """Show the last look, with what the form lacks."""
    if state.stage is not Stage.WRITE:
        return redirect(url_for(".case", code=state.case.slug))
    looked = services.look_over(login.require_viewer().id, state)
    form = form or HandInForm(formdata=None)
    form.reviewed.data = looked.trace
    page = render_template(
        "cases/write_check.html",
        state=state,
        parts=services.open_parts(state),
        looked=looked,
        checked={answer.task: answer for answer in looked.checked},
        form=form,
    )
    return page, 422 if form.errors else 200


def _mark_page(marking: Marking, form: MarkForm, status: int = 200) -> ResponseReturnValue:
    is_over = marking.decision or marking.own
    name = "cases/decided.html" if is_over else "cases/mark.html"
    marks = () if is_over else _marks(marking.case)
    return render_template(name, marking=marking, form=form, marks=marks), status
