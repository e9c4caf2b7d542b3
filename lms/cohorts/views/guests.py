"""Pages of guest speakers: their own, and the organiser's list of them."""

from urllib.parse import quote

from flask import (
    Response,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    session,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue
from wtforms.fields import SelectChoice

from lms.accounts import labels as role_labels
from lms.cohorts import agenda, invitations, labels, letters, services
from lms.cohorts import rules as invitation_rules
from lms.cohorts import speakers as guests
from lms.cohorts.guests import rules
from lms.cohorts.models import ClassSession, Cohort, FileKind, Part
from lms.cohorts.speaker_forms import AccessForm, BioForm, FileForm, GuestForm
from lms.cohorts.timetables.rules import held_on
from lms.cohorts.views.blueprint import bp
from lms.cohorts.views.invitations import FRESH_LINK
from lms.core import clock, http, login
from lms.core.db import unit_of_work
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.login import Viewer

OFFICE = "application/vnd.openxmlformats-officedocument."
TYPES = {
    FileKind.PDF: "application/pdf",
    FileKind.PPTX: f"{OFFICE}presentationml.presentation",
    FileKind.DOCX: f"{OFFICE}wordprocessingml.document",
    FileKind.ODP: "application/vnd.oasis.opendocument.presentation",
    FileKind.PNG: "image/png",
    FileKind.JPG: "image/jpeg",
}


# For the guest.


@bp.get("/angkatan/<slug>/narasumber")
@login.role("speaker")
def guest(slug: str) -> ResponseReturnValue:
    """Show a guest the own sessions, the place, and what the class will see."""
    return _guest_page(slug)


@bp.post("/angkatan/<slug>/narasumber/profil")
@login.role("speaker")
@login.accepts(BioForm)
def guest_bio(slug: str) -> ResponseReturnValue:
    """Save what a guest says about themselves."""
    viewer, form = login.require_viewer(), BioForm()
    if not form.validate_on_submit():
        return _guest_page(slug, bio_form=form)
    with unit_of_work():
        found = agenda.look_as_guest(slug, viewer, now=clock.now())
        guests.set_bio(found.cohort.id, viewer.id, form.bio.data)
    flash(_("Profil tersimpan. Peserta kelas ini dapat membacanya."), "success")
    return redirect(url_for(".guest", slug=slug))


@bp.post("/angkatan/<slug>/narasumber/materi")
@login.role("speaker")
@login.accepts(FileForm)
@http.takes_upload(rules.LARGEST_FILE)
def guest_upload(slug: str) -> ResponseReturnValue:
    """Keep a file a guest hands out."""
    viewer, form = login.require_viewer(), FileForm()
    if form.validate_on_submit():
        form.file.errors = _keep(slug, viewer, form)
        if not form.file.errors:
            flash(_("Materi tersimpan. Peserta kelas ini dapat mengunduhnya."), "success")
            return redirect(url_for(".guest", slug=slug, _anchor="materi"))
    return _guest_page(slug, file_form=form)


def _keep(slug: str, viewer: Viewer, form: FileForm) -> list[str]:
    """Store the file of a form; return what is wrong with it, if anything."""
    sent, most = form.file.data, len(rules.SLOTS)
    if sent is None or not sent.filename:
        return [_("Pilih berkasnya dulu.")]
    try:
        with unit_of_work():
            found = agenda.look_as_guest(slug, viewer, now=clock.now())
            guests.add_file(found.cohort.id, viewer.id, sent.filename, sent.stream, now=clock.now())
    except guests.TooManyFiles:
        return [_("Sudah ada %(most)d berkas. Hapus satu dulu.", most=most)]
    except rules.BadFile as error:
        return [_explain(str(error))]
    return []


def _explain(reason: str) -> str:
    return {
        "kind": _("Pilih berkas PDF, PPTX, DOCX, ODP, PNG, atau JPG."),
        "empty": _("Berkas ini kosong. Pilih berkas lain."),
        "large": _("Berkas paling besar 10 MiB. Perkecil gambarnya atau bagi menjadi dua."),
        "content": _("Isi berkas tidak sesuai namanya. Simpan ulang dari aplikasinya, lalu coba."),
        "macro": _("Berkas ini memuat makro. Simpan tanpa makro, lalu coba lagi."),
    }[reason]


@bp.post("/angkatan/<slug>/narasumber/materi/<file_id>/hapus")
@login.role("speaker")
@login.accepts()
def guest_file_delete(slug: str, file_id: str) -> ResponseReturnValue:
    """Delete an own file."""
    viewer, now = login.require_viewer(), clock.now()
    with unit_of_work():
        found = agenda.look_as_guest(slug, viewer, now=now)
        guests.delete_file(
            found.cohort.id, file_id, actor_id=viewer.id, person_id=viewer.id, now=now
        )
    flash(_("Materi dihapus."), "success")
    return redirect(url_for(".guest", slug=slug, _anchor="materi"))


def _guest_page(
    slug: str, *, bio_form: BioForm | None = None, file_form: FileForm | None = None
) -> ResponseReturnValue:
    viewer = login.require_viewer()
    found = agenda.look_as_guest(slug, viewer, now=clock.now())
    cohort = found.cohort
    page = render_template(
        "cohorts/guest.html",
        cohort=cohort,
        days=agenda.read_days(cohort, viewer.id),
        until=guests.until_of(cohort, viewer.id),
        files=guests.list_files(cohort.id, viewer.id),
        most=len(rules.SLOTS),
        longest=rules.LONGEST_BIO,
        bio_form=bio_form or BioForm(formdata=None, bio=guests.bio_of(cohort.id, viewer.id)),
        file_form=file_form or FileForm(formdata=None),
        labels=labels,
    )
    return make_response(page, 422 if bio_form or file_form else 200)


@bp.errorhandler(guests.AccessEnded)
def answer_ended(error: guests.AccessEnded) -> ResponseReturnValue:
    """Say kindly that a guest's access has ended."""
    return render_template("cohorts/guest_ended.html", title=error.title, until=error.until), 410


# For everybody in the class.


@bp.get("/angkatan/<slug>/materi/<file_id>")
@login.signed_in
def material(slug: str, file_id: str) -> ResponseReturnValue:
    """Send a file that was handed out; a guest gets only the own ones."""
    viewer = login.require_viewer()
    found = agenda.look(slug, viewer, now=clock.now())
    line = guests.get_file(found.cohort.id, file_id, None if found.is_insider else viewer.id)
    response = Response(
        stream_with_context(guests.read_file(line.public_id)), content_type=TYPES[line.kind]
    )
    response.content_length = line.size
    response.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(line.name)}"
    # Should a browser show it after all, it runs nothing and asks for nothing.
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


# For the organiser.


@bp.route("/admin/angkatan/<slug>/narasumber", methods=["GET", "POST"])
@login.role("admin")
@login.accepts(GuestForm)
def class_guests(slug: str) -> ResponseReturnValue:
    """List the guests of a class, and invite one to one session."""
    viewer = login.require_viewer()
    cohort, form = services.get_cohort(slug, viewer), GuestForm()
    free = {str(one.id): one for one in guests.free_sessions(cohort.id)}
    form.session.choices = _session_choices(free)
    if form.validate_on_submit() and _invite(form, cohort, free[form.session.data], viewer):
        return redirect(url_for(".class_guests", slug=slug))
    return _list_page(cohort, form=form)


@bp.post("/admin/angkatan/<slug>/narasumber/akses")
@login.role("admin")
@login.accepts(AccessForm)
def class_guest_access(slug: str) -> ResponseReturnValue:
    """Choose the last day a guest may look in."""
    viewer, form = login.require_viewer(), AccessForm()
    cohort = services.get_cohort(slug, viewer)
    if form.validate_on_submit():
        with unit_of_work():
            guests.set_access(
                cohort.id,
                form.person.data,
                form.until.data,
                actor_id=viewer.id,
                now=clock.now(),
            )
        flash(_("Akses narasumber tersimpan."), "success")
    else:
        flash(_("Tanggal belum terbaca. Tulis lengkap, misalnya 2026-12-09."), "error")
    return redirect(url_for(".class_guests", slug=slug))


@bp.post("/admin/angkatan/<slug>/materi/<file_id>/hapus")
@login.role("admin")
@login.accepts()
def class_file_delete(slug: str, file_id: str) -> ResponseReturnValue:
    """Delete a file a guest handed out."""
    viewer = login.require_viewer()
    with unit_of_work():
        cohort = services.get_cohort(slug, viewer)
        guests.delete_file(cohort.id, file_id, actor_id=viewer.id, now=clock.now())
    flash(_("Materi dihapus."), "success")
    return redirect(url_for(".class_guests", slug=slug))


def _list_page(cohort: Cohort, *, form: GuestForm) -> ResponseReturnValue:
    page = render_template(
        "cohorts/class_guests.html",
        cohort=cohort,
        guests=guests.list_guests(cohort, now=clock.now()),
        files=guests.list_files(cohort.id),
        invitations=[
            line
            for line in invitations.list_invitations(cohort.id, now=clock.now())
            if Part.SPEAKER.value in line.roles
        ],
        usual=rules.access_ends_on(None, cohort.ends_on),
        form=form,
        fresh=session.pop(FRESH_LINK, None),
        labels=labels,
        roles=role_labels.ROLES,
    )
    return make_response(page, 422 if form.errors else 200)


def _session_choices(free: dict[str, ClassSession]) -> list[SelectChoice]:
    return [SelectChoice(key, f"{_when(one)}: {one.title}") for key, one in free.items()]


def _when(entry: ClassSession) -> str:
    return _("Hari %(day)s %(half)s", day=entry.day, half=labels.HALVES[entry.half])


def _invite(form: GuestForm, cohort: Cohort, entry: ClassSession, viewer: Viewer) -> bool:
    """Send the invitation; tell whether it went out."""
    now, last = clock.now(), services.last_day(cohort.id)
    subject, body = letters.invitation(
        inviter=viewer.name,
        name=form.name.data,
        role=Part.SPEAKER.value,
        organisation=None,
        cohort=cohort,
        expires_at=now + invitation_rules.INVITATION,
        talk=letters.Talk(
            held_on(entry.day, last, cohort.starts_on, cohort.ends_on), entry.half, entry.begins
        ),
    )
    base = current_app.extensions["suluh"].base_url
    cohort_id, entry_id = cohort.id, entry.id
    try:
        with unit_of_work():
            if entry_id not in {one.id for one in guests.free_sessions(cohort_id)}:
                raise NotFound(str(entry_id))
            invited = invitations.invite(
                email=form.email.data,
                name=form.name.data,
                roles=[Part.SPEAKER.value],
                cohort_id=cohort_id,
                organisation_id=None,
                created_by=viewer.id,
                base_url=base,
                subject=subject,
                body=body,
                now=now,
                session_id=entry_id,
                access_ends_on=form.access_ends_on.data,
            )
    except invitations.AlreadyInvited:
        form.email.errors = [_("Undangan yang sama masih terbuka. Tarik dulu bila perlu diulang.")]
        return False
    session[FRESH_LINK] = {
        "name": form.name.data,
        "link": f"{base}/undangan/{invited.token}",
    }
    flash(_("Undangan dibuat. Suratnya menunggu di kotak keluar."), "success")
    return True
