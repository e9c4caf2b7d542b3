"""Pages of privacy: the notice, one's own data, and what the office needs."""

from datetime import timedelta

from flask import (
    Blueprint,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    send_file,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from lms.accounts import letters as account_letters
from lms.accounts import services as accounts
from lms.accounts.door import explain_wait, explain_wrong_password, hasher, safe_next, with_proof
from lms.accounts.exports import take
from lms.core import clock, login, sheets, throttle
from lms.core import consent as door
from lms.core.db import unit_of_work
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.i18n import pick
from lms.privacy import consent as consents
from lms.privacy import (
    data_map,
    erasure,
    export,
    guard,
    incidents,
    labels,
    letters,
    retention,
    rules,
)
from lms.privacy.forms import ConsentForm, IncidentForm, ProofForm, StepForm, TimerForm
from lms.privacy.models import Way

bp = Blueprint("privacy", __name__, template_folder="templates")


# The notice.


@bp.get("/privasi/pemberitahuan")
@login.public
def notice() -> ResponseReturnValue:
    """Show the notice in force, in full."""
    return render_template("privacy/notice.html", notice=consents.current(), pick=pick)


@bp.get("/privasi/data")
@login.public
def data() -> ResponseReturnValue:
    """Show which personal data are stored, how long, and what becomes of them."""
    return render_template(
        "privacy/data.html",
        entries=list(data_map.owned()),
        days=retention.days_of(),
        file_days=current_app.extensions["suluh"].file_days,
        labels=labels,
    )


@bp.get("/privasi/persetujuan")
@login.signed_in
def consent() -> ResponseReturnValue:
    """Ask somebody who is signed in to agree to the notice."""
    return _consent_page()


@bp.post("/privasi/persetujuan")
@login.signed_in
@login.accepts(ConsentForm)
def agree() -> ResponseReturnValue:
    """Write down that somebody agreed, and go on where they wanted to."""
    form, viewer = ConsentForm(), login.require_viewer()
    if not form.validate_on_submit():
        return make_response(_consent_page(form), 422)
    with unit_of_work():
        consents.agree(viewer.id, "sign-in", clock.now())
    session[guard.REMEMBERED] = consents.current().version
    return redirect(safe_next(form.next.data or None))


def _consent_page(form: ConsentForm | None = None) -> str:
    return render_template(
        "privacy/consent.html",
        notice=consents.current(),
        form=form or ConsentForm(formdata=None, next=request.args.get("next", "")[:400]),
    )


# One's own data.


@bp.get("/akun/data")
@login.signed_in
def mine() -> ResponseReturnValue:
    """Show what somebody can do with their own data."""
    return _mine_page()


@bp.post("/akun/data")
@login.signed_in
@login.accepts(ProofForm)
def act() -> ResponseReturnValue:
    """Fetch one's data, ask for deletion or take consent back; the password is asked again."""
    form = ProofForm()
    if not form.validate_on_submit():
        return make_response(_mine_page(form), 422)
    try:
        with_proof(lambda: _prove(form.password.data), lambda proof: _act(form.do.data, proof))
    except throttle.TooSoon as error:
        form.password.errors = [explain_wait(error)]
    except accounts.WrongCredentials:
        form.password.errors = [explain_wrong_password()]
    except accounts.LastAdmin:
        form.password.errors = [_("Tunjuk administrator lain lebih dulu; Anda yang terakhir.")]
    except erasure.AlreadyAsked:
        flash(_("Akun ini sudah menunggu dihapus."), "info")
        return redirect(url_for(".mine"))
    else:
        return _answer(form.do.data)
    return make_response(_mine_page(form), 422)


def _prove(password: str) -> accounts.Proof:
    viewer = login.require_viewer()
    try:
        return accounts.prove_own(viewer.id, password, maker=hasher(), now=clock.now())
    except accounts.WrongCredentials:
        with unit_of_work():
            accounts.count_wrong_password(viewer.id, now=clock.now())
        raise


def _act(do: str, proof: accounts.Proof) -> None:
    person, now = accounts.require(proof), clock.now()
    if do == "export":
        export.note(person.id, now=now)
        account_letters.send(person, letters.exported, now=now)
        return
    way = Way.WITHDRAWN if do == "withdraw" else Way.ASKED
    base_url = current_app.extensions["suluh"].base_url
    erasure.ask(person.id, way, actor_id=person.id, base_url=base_url, now=now)


def _answer(do: str) -> ResponseReturnValue:
    """Answer what was done; the file is put together outside the unit of work."""
    if do == "export":
        now = clock.now()
        found = export.write(login.require_viewer().id, now=now)
        name = f"data-{now:%Y%m%d}.zip"
        return send_file(found, "application/zip", as_attachment=True, download_name=name)
    if do == "withdraw":
        login.forget()
        login.end()
        answer = make_response(render_template("privacy/closed.html"))
        answer.headers["Clear-Site-Data"] = '"cache"'
        return answer
    flash(_("Permintaan diterima. Akun dihapus sesudah 7 hari."), "success")
    return redirect(url_for(".mine"))


@bp.post("/akun/data/urung")
@login.signed_in
@login.accepts()
def undo_own() -> ResponseReturnValue:
    """Take one's own deletion back."""
    viewer = login.require_viewer()
    with unit_of_work():
        found = erasure.find_open(viewer.id)
        if found is not None:
            erasure.undo(found.id, actor_id=viewer.id, now=clock.now())
    flash(_("Akun tidak jadi dihapus."), "success")
    return redirect(url_for(".mine"))


def _mine_page(form: ProofForm | None = None) -> str:
    viewer = login.require_viewer()
    return render_template(
        "privacy/mine.html",
        form=form,
        forms={do: _form(form, do) for do in ("export", "delete", "withdraw")},
        waiting=erasure.find_open(viewer.id),
        answers=consents.list_answers(viewer.id),
        asked=door.is_asked(),
        labels=labels,
    )


def _form(sent: ProofForm | None, do: str) -> ProofForm:
    """Return one form a thing to do; each has a field of its own name, so labels stay unique."""
    made = sent if sent is not None and sent.do.data == do else ProofForm(formdata=None, do=do)
    made.password.id = f"password-{do}"
    made.password.label.field_id = made.password.id
    made.do.id = f"do-{do}"
    return made


@bp.get("/privasi/urung/<token>")
@login.public
def undo_link(token: str) -> ResponseReturnValue:
    """Show what a link from a mail undoes."""
    try:
        found = erasure.look_up(token)
    except NotFound:
        return render_template("privacy/undo.html", found=None, token=token), 410
    return render_template("privacy/undo.html", found=found, token=token)


@bp.post("/privasi/urung/<token>")
@login.public
@login.accepts()
def undo(token: str) -> ResponseReturnValue:
    """Undo a deletion by the link from the mail."""
    try:
        with unit_of_work():
            erasure.undo(erasure.look_up(token).id, actor_id=None, now=clock.now())
    except NotFound:
        return render_template("privacy/undo.html", found=None, token=token), 410
    flash(_("Akun tidak jadi dihapus. Silakan masuk."), "success")
    return redirect(url_for("accounts.sign_in"))


# For the office.


@bp.get("/admin/privasi")
@login.role("admin")
def office() -> ResponseReturnValue:
    """Show every timer, what is due, and which accounts wait to be deleted."""
    return _office_page()


@bp.post("/admin/privasi")
@login.role("admin")
@login.accepts(TimerForm)
def set_timer() -> ResponseReturnValue:
    """Change how many days a timer counts."""
    form = TimerForm()
    if not form.validate_on_submit():
        return make_response(_office_page(form), 422)
    try:
        with unit_of_work():
            retention.set_days(
                form.name.data,
                form.days.data,
                actor_id=login.require_viewer().id,
                now=clock.now(),
            )
    except rules.BadDays as error:
        form.days.errors = [
            _(
                "Tulis bilangan dari %(min)d sampai %(max)d.",
                min=error.timer.least,
                max=error.timer.most,
            )
        ]
        return make_response(_office_page(form), 422)
    flash(_("Masa simpan tersimpan."), "success")
    return redirect(url_for(".office"))


def _office_page(form: TimerForm | None = None) -> str:
    return render_template(
        "privacy/office.html",
        lines=retention.list_lines(clock.now()),
        waiting=erasure.list_open(),
        form=form or TimerForm(formdata=None),
        labels=labels,
    )


@bp.get("/admin/orang/<public_id>/hapus")
@login.role("admin")
def person(public_id: str) -> ResponseReturnValue:
    """Explain what deleting somebody's account on their written request does."""
    found = accounts.get_person(public_id)
    return render_template("privacy/person.html", owner=found, waiting=erasure.find_open(found.id))


@bp.post("/admin/orang/<public_id>/hapus")
@login.role("admin")
@login.accepts("undo")
def delete_person(public_id: str) -> ResponseReturnValue:
    """Delete somebody's account on their written request, or take that back."""
    viewer, now = login.require_viewer(), clock.now()
    base_url = current_app.extensions["suluh"].base_url
    try:
        with unit_of_work():
            owner_id = accounts.get_person(public_id).id
            if request.form.get("undo"):
                found = erasure.find_open(owner_id)
                if found is not None:
                    erasure.undo(found.id, actor_id=viewer.id, now=now)
            else:
                erasure.ask(owner_id, Way.WRITTEN, actor_id=viewer.id, base_url=base_url, now=now)
    except accounts.LastAdmin:
        flash(_("Tunjuk administrator lain lebih dulu; ini yang terakhir."), "error")
    except erasure.AlreadyAsked:
        flash(_("Akun ini sudah menunggu dihapus."), "info")
    else:
        flash(_("Tersimpan."), "success")
    return redirect(url_for(".person", public_id=public_id))


@bp.get("/admin/insiden")
@login.role("admin")
def kit() -> ResponseReturnValue:
    """List incidents, and offer to open one."""
    return _kit_page()


@bp.post("/admin/insiden")
@login.role("admin")
@login.accepts(IncidentForm)
def open_incident() -> ResponseReturnValue:
    """Open an incident; its clock runs from when it became known."""
    form, now = IncidentForm(), clock.now()
    if not form.validate_on_submit():
        return make_response(_kit_page(form), 422)
    with unit_of_work():
        made = incidents.open_incident(
            form.what.data,
            now - timedelta(hours=form.hours.data or 0),
            actor_id=login.require_viewer().id,
            now=now,
        )
        public_id = made.public_id
    return redirect(url_for(".incident", public_id=public_id))


def _kit_page(form: IncidentForm | None = None) -> str:
    return render_template(
        "privacy/kit.html",
        found=incidents.list_incidents(),
        form=form or IncidentForm(formdata=None),
        left=lambda one: rules.hours_left(one.known_at, clock.now()),
    )


@bp.get("/admin/insiden/<public_id>")
@login.role("admin")
def incident(public_id: str) -> ResponseReturnValue:
    """Show one incident: its clock, the steps, and what was done."""
    return _incident_page(public_id)


@bp.post("/admin/insiden/<public_id>")
@login.role("admin")
@login.accepts(StepForm, "close")
def work_on(public_id: str) -> ResponseReturnValue:
    """Write down a step, or close the incident."""
    form, viewer = StepForm(), login.require_viewer()
    if request.form.get("close"):
        with unit_of_work():
            incidents.close(public_id, actor_id=viewer.id, now=clock.now())
    elif form.validate_on_submit():
        with unit_of_work():
            incidents.add_step(
                public_id, form.step.data, form.note.data, actor_id=viewer.id, now=clock.now()
            )
    else:
        return make_response(_incident_page(public_id, form), 422)
    return redirect(url_for(".incident", public_id=public_id))


def _incident_page(public_id: str, form: StepForm | None = None) -> str:
    found = incidents.get_incident(public_id)
    log = incidents.list_steps(found.id)
    done = {line.step for line in log}
    return render_template(
        "privacy/incident.html",
        incident=found,
        log=log,
        done=done,
        form=form or StepForm(formdata=None, step=rules.next_step(done)),
        left=rules.hours_left(found.known_at, clock.now()),
        until=rules.deadline(found.known_at),
        labels=labels,
    )


@bp.get("/admin/insiden/<public_id>/surat/<whom>")
@login.role("admin")
def incident_letter(public_id: str, whom: str) -> ResponseReturnValue:
    """Show a letter that tells about an incident, to be completed and printed."""
    if whom not in rules.LETTERS:
        raise NotFound(whom)
    return render_template(
        "privacy/letter.html", incident=incidents.get_incident(public_id), whom=whom
    )


@bp.get("/admin/insiden/<public_id>/orang.csv")
@login.role("admin")
@login.about_people
def affected(public_id: str) -> ResponseReturnValue:
    """Give the list of people to be told."""
    incidents.get_incident(public_id)
    columns = [_("Nama"), _("Alamat e-mail"), _("Bahasa")]
    return sheets.answer_csv("orang", columns, incidents.list_affected(), take())
