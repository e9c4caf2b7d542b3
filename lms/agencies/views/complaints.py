"""Complaints: the officer's words, the holder's answer, the administrators' steps."""

from collections.abc import Callable

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form
from wtforms.fields import SelectChoice

from lms.agencies import complaints, labels
from lms.agencies.complaints import Case
from lms.agencies.forms import LONGEST_TEXT, ComplaintForm, NoteForm, OutcomeForm
from lms.agencies.models import ComplaintKind
from lms.agencies.rules import Outcome
from lms.agencies.views.blueprint import bp, chosen, config, zone
from lms.core import clock, http, login
from lms.core.db import unit_of_work
from lms.core.i18n import gettext as _
from lms.credentials import gate, revocations


def _shown() -> dict[str, object]:
    """Return what every page of complaints needs for its words."""
    return {"labels": labels, "zone": zone(), "longest": LONGEST_TEXT}


# The officer


@bp.get("/instansi/pengaduan")
@login.role("agency")
def complaint_list() -> ResponseReturnValue:
    """List the complaints of the viewer's agencies."""
    unit = chosen()
    cases = complaints.list_own([one.id for one in unit.all], clock.now())
    return render_template("agencies/complaint_list.html", cases=cases, **_shown())


@bp.get("/instansi/pengaduan/baru")
@login.role("agency")
def complaint_new() -> ResponseReturnValue:
    """Ask what happened."""
    return _new_page(ComplaintForm(formdata=None))


def _new_page(form: ComplaintForm) -> str:
    return render_template("agencies/complaint_new.html", form=_with_units(form), **_shown())


def _with_units(form: ComplaintForm) -> ComplaintForm:
    form.unit.choices = [SelectChoice(one.public_id, one.name) for one in chosen("").all]
    return form


@bp.post("/instansi/pengaduan/baru")
@login.role("agency")
@login.accepts(ComplaintForm)
def complaint_open() -> ResponseReturnValue:
    """Complain about a certificate; its holder sees the look."""
    viewer, form = login.require_viewer(), ComplaintForm()
    if not _with_units(form).validate_on_submit():
        return make_response(_new_page(form), 422)
    gate.check_code(f"officer {viewer.id}")
    try:
        with unit_of_work():
            key = complaints.open_complaint(
                viewer.id,
                chosen(form.unit.data).organisation.id,
                asked=form.asked.data,
                name=form.name.data,
                kind=ComplaintKind(form.kind.data),
                text=form.text.data,
                now=clock.now(),
            )
    except labels.REFUSALS as error:
        form.asked.errors = [labels.explain(error)]
        return make_response(_new_page(form), 422)
    flash(_("Pengaduan diterima. Tahapnya terlihat di sini."), "success")
    return redirect(url_for(".complaint", public_id=key))


@bp.get("/instansi/pengaduan/<public_id>")
@login.role("agency")
def complaint(public_id: str) -> ResponseReturnValue:
    """Show a complaint of the viewer's agencies with its steps."""
    units = [one.id for one in chosen().all]
    case = complaints.get_own(units, public_id, clock.now())
    return render_template("agencies/complaint.html", case=case, **_shown())


# The holder


@bp.get("/sertifikat/pertanyaan")
@login.signed_in
def questions() -> ResponseReturnValue:
    """Show what is asked about the viewer's certificates."""
    return _questions_page(NoteForm(formdata=None))


def _questions_page(form: Form, answered: str = "") -> str:
    cases = complaints.list_about(login.require_viewer().id, clock.now())
    return render_template(
        "agencies/questions.html", cases=cases, form=form, answered=answered, **_shown()
    )


@bp.post("/sertifikat/pertanyaan/<public_id>")
@login.signed_in
@login.accepts(NoteForm)
def questions_answer(public_id: str) -> ResponseReturnValue:
    """Let the holder answer."""
    form = NoteForm()
    if not form.validate_on_submit():
        return make_response(_questions_page(form, public_id), 422)
    viewer, note = login.require_viewer(), form.note.data
    _try(
        lambda: complaints.answer(public_id, note=note, person_id=viewer.id, now=clock.now()),
        _("Jawaban Anda tersimpan. Administrator membacanya sebelum memutuskan."),
    )
    return redirect(url_for(".questions"))


def _try(act: Callable[[], object], done: str) -> None:
    """Take one step in a unit of work and say what became of it."""
    try:
        with unit_of_work():
            act()
    except labels.REFUSALS as error:
        flash(labels.explain(error), "error")
    else:
        flash(done, "success")


# Administrators


@bp.get("/admin/pengaduan")
@login.role("admin")
def complaint_queue() -> ResponseReturnValue:
    """List complaints, the open ones or those that were decided."""
    closed = request.args.get("selesai") == "1"
    cases = complaints.list_queue(clock.now(), closed=closed, before=http.asked_id("sebelum"))
    return render_template(
        "agencies/complaint_queue.html",
        cases=cases,
        closed=closed,
        full=len(cases) == complaints.PAGE,
        now=clock.now(),
        **_shown(),
    )


@bp.get("/admin/pengaduan/<public_id>")
@login.role("admin")
def complaint_case(public_id: str) -> ResponseReturnValue:
    """Show a complaint with what can be done now."""
    return _case_page(complaints.get_case(public_id, clock.now()))


def _case_page(case: Case, note: Form | None = None, outcome: Form | None = None) -> str:
    return render_template(
        "agencies/complaint_case.html",
        case=case,
        note=note or NoteForm(formdata=None),
        outcome=outcome or OutcomeForm(formdata=None),
        two=config().two_person_revoke,
        alone=not revocations.has_second_person(),
        now=clock.now(),
        **_shown(),
    )


@bp.post("/admin/pengaduan/<public_id>/periksa")
@login.role("admin")
@login.accepts()
def complaint_examine(public_id: str) -> ResponseReturnValue:
    """Take a complaint up; the holder is told."""
    found, viewer = config(), login.require_viewer()
    _try(
        lambda: complaints.examine(
            public_id, base_url=found.base_url, zone=found.zone, by_id=viewer.id, now=clock.now()
        ),
        _("Pengaduan diperiksa. Pemegang sertifikat diberi tahu dan dapat menjawab."),
    )
    return redirect(url_for(".complaint_case", public_id=public_id))


@bp.post("/admin/pengaduan/<public_id>/lanjut")
@login.role("admin")
@login.accepts(NoteForm)
def complaint_unheard(public_id: str) -> ResponseReturnValue:
    """Go on without the holder's answer once their time is over."""
    return _with_note(
        public_id,
        lambda note: complaints.go_on_unheard(
            public_id,
            note=note,
            zone=zone(),
            by_id=login.require_viewer().id,
            now=clock.now(),
        ),
        _("Dilanjutkan tanpa jawaban pemegang."),
    )


def _with_note(public_id: str, act: Callable[[str], object], done: str) -> ResponseReturnValue:
    form = NoteForm()
    if not form.validate_on_submit():
        case = complaints.get_case(public_id, clock.now())
        return make_response(_case_page(case, note=form), 422)
    note = form.note.data
    _try(lambda: act(note), done)
    return redirect(url_for(".complaint_case", public_id=public_id))


@bp.post("/admin/pengaduan/<public_id>/usul")
@login.role("admin")
@login.accepts(OutcomeForm)
def complaint_propose(public_id: str) -> ResponseReturnValue:
    """Propose how it ends."""
    form = OutcomeForm()
    if not form.validate_on_submit():
        case = complaints.get_case(public_id, clock.now())
        return make_response(_case_page(case, outcome=form), 422)
    two, viewer = config().two_person_revoke, login.require_viewer()
    outcome, note = Outcome(form.outcome.data), form.note.data
    _try(
        lambda: complaints.propose(
            public_id,
            outcome=outcome,
            note=note,
            needs_two=two,
            by_id=viewer.id,
            now=clock.now(),
        ),
        _("Usul tersimpan. Administrator lain perlu mengesahkannya.")
        if two
        else _("Pengaduan diputuskan."),
    )
    return redirect(url_for(".complaint_case", public_id=public_id))


@bp.post("/admin/pengaduan/<public_id>/sahkan")
@login.role("admin")
@login.accepts(NoteForm)
def complaint_decide(public_id: str) -> ResponseReturnValue:
    """Confirm what another administrator proposed."""
    return _with_note(
        public_id,
        lambda note: complaints.decide(
            public_id, note=note, by_id=login.require_viewer().id, now=clock.now()
        ),
        _("Pengaduan diputuskan."),
    )


@bp.post("/admin/pengaduan/<public_id>/tolak")
@login.role("admin")
@login.accepts(NoteForm)
def complaint_decline(public_id: str) -> ResponseReturnValue:
    """Disagree with what another administrator proposed."""
    return _with_note(
        public_id,
        lambda note: complaints.decline(
            public_id, note=note, by_id=login.require_viewer().id, now=clock.now()
        ),
        _("Usul tidak disetujui. Usul lain dapat dibuat."),
    )
