"""Pages of cohorts: the invitation, classes, organisations, invitations for those who send them."""

from collections.abc import Iterable
from typing import Any

from flask import (
    Blueprint,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from wtforms.fields import SelectChoice

from lms.accounts import labels as role_labels
from lms.accounts import services as accounts
from lms.accounts.door import (
    DEVICE_COOKIE,
    enter,
    explain_password,
    explain_wait,
    hasher,
)
from lms.accounts.rules import WeakPassword
from lms.cohorts import labels, letters, rules, services
from lms.cohorts.forms import (
    AcceptForm,
    ClassForm,
    ConflictEndForm,
    ConflictForm,
    InviteForm,
    JoinForm,
    NewClassForm,
    OfficerEndForm,
    OfficerForm,
    OrganisationForm,
    SessionForm,
    StaffForm,
    StaffPartForm,
    organisation_choices,
)
from lms.cohorts.models import Cohort, ConflictKind, Organisation, OrganisationKind, Part
from lms.core import clock, login, throttle
from lms.core.db import unit_of_work
from lms.core.errors import NotFound
from lms.core.i18n import LANGUAGES, language
from lms.core.i18n import gettext as _
from lms.core.login import Viewer

bp = Blueprint("cohorts", __name__, template_folder="templates")

PAGE = 50
"""Invitations on one page of the list."""
FRESH_LINK = "invited"
"""Where the browser's session keeps a new link until the next page shows it, once."""


# The invitation, for the person invited. The token stands in the address and in the form actions,
# nowhere else: not in a link, not in a hidden field, not in a log line of ours.


@bp.get("/undangan/<token>")
@login.public
def invitation(token: str) -> ResponseReturnValue:
    """Show who invites to what, which data are used, and how to accept."""
    return _letter_page(token)


@bp.post("/undangan/<token>")
@login.public
@login.accepts(AcceptForm)
def accept(token: str) -> ResponseReturnValue:
    """Accept an invitation and make the account it promises."""
    form = AcceptForm()
    if form.validate_on_submit():
        try:
            with unit_of_work():
                begun = services.accept_invitation(
                    token,
                    name=form.name.data,
                    password=form.password.data,
                    locale=language(),
                    maker=hasher(),
                    now=clock.now(),
                )
        except accounts.EmailTaken:
            pass  # somebody made the account a moment ago: the page now asks for its password
        except WeakPassword as error:
            form.password.errors = [explain_password(error)]
        else:
            return _welcome(begun)
    return _letter_page(token, accept_form=form)


@bp.post("/undangan/<token>/akun")
@login.public
@login.accepts(JoinForm)
def invitation_join(token: str) -> ResponseReturnValue:
    """Sign in with the account of this address and accept the invitation."""
    form, letter = JoinForm(), services.read_invitation(token, now=clock.now())
    address = request.remote_addr or ""
    if form.validate_on_submit():
        try:
            with unit_of_work():
                begun = services.accept_with_password(
                    token,
                    password=form.password.data,
                    address=address,
                    device_token=request.cookies.get(DEVICE_COOKIE),
                    maker=hasher(),
                    now=clock.now(),
                )
        except throttle.TooSoon as error:
            form.password.errors = [explain_wait(error)]
        except accounts.WrongCredentials:
            with unit_of_work():
                accounts.count_failure(letter.email, address, now=clock.now())
            form.password.errors = [_("Kata sandi belum cocok. Periksa lalu coba lagi.")]
        else:
            return _welcome(begun)
    return _letter_page(token, join_form=form)


@bp.post("/undangan/<token>/terima")
@login.signed_in
@login.accepts()
def invitation_add(token: str) -> ResponseReturnValue:
    """Accept an invitation for the account that is signed in."""
    with unit_of_work():
        services.accept_as(token, login.require_viewer(), now=clock.now())
    flash(_("Undangan diterima."), "success")
    return redirect(url_for("pages.home"))


@bp.post("/undangan/<token>/bahasa")
@login.public
@login.accepts("lang")
def invitation_language(token: str) -> ResponseReturnValue:
    """Change the language of this browser and come back to the invitation."""
    if request.form.get("lang") in LANGUAGES:
        session["lang"] = request.form["lang"]
    return redirect(url_for(".invitation", token=token))


def _welcome(begun: accounts.SignedIn) -> ResponseReturnValue:
    response = enter(begun, url_for("pages.home"))
    flash(_("Undangan diterima. Selamat datang."), "success")  # entering began a new session
    return response


def _letter_page(
    token: str, *, accept_form: AcceptForm | None = None, join_form: JoinForm | None = None
) -> ResponseReturnValue:
    letter = services.read_invitation(token, now=clock.now())
    viewer = login.viewer()
    if viewer is not None:
        way = "own" if viewer.id == letter.person_id else "other"
    else:
        way = "new" if letter.person_id is None else "join"
    page = render_template(
        "cohorts/invitation.html",
        letter=letter,
        token=token,
        way=way,
        roles=[role_labels.ROLES[role] for role in letter.roles],
        accept_form=accept_form or AcceptForm(formdata=None, name=letter.name),
        join_form=join_form or JoinForm(formdata=None),
    )
    refused = any(form and form.errors for form in (accept_form, join_form))
    return make_response(page, 422 if refused else 200)


@bp.errorhandler(services.UnknownInvitation)
def answer_unknown(_error: services.UnknownInvitation) -> ResponseReturnValue:
    """Say kindly that a link leads nowhere."""
    return render_template("cohorts/closed.html", standing=None), 404


@bp.errorhandler(services.InvitationClosed)
def answer_closed(error: services.InvitationClosed) -> ResponseReturnValue:
    """Say kindly that an invitation was used, taken back or is too old, and what to do."""
    return render_template("cohorts/closed.html", standing=error.standing), 410


# Classes, for the administrator.


@bp.get("/admin/angkatan")
@login.role("admin")
def manage() -> ResponseReturnValue:
    """List all classes."""
    return render_template("cohorts/manage.html", cohorts=services.list_cohort_lines())


@bp.route("/admin/angkatan/baru", methods=["GET", "POST"])
@login.role("admin")
@login.accepts(NewClassForm)
def class_new() -> ResponseReturnValue:
    """Open a class with its address, basic data and two days."""
    organisations = services.list_organisations()
    form = NewClassForm(zone=current_app.extensions["suluh"].zone)
    form.host.choices = organisation_choices(organisations)
    if form.validate_on_submit():
        try:
            with unit_of_work():
                services.create_cohort(
                    slug=form.slug.data, timetable=form.sessions, **_class_values(form)
                )
        except services.NameTaken:
            form.slug.errors = [_("Sudah ada kelas dengan alamat ini.")]
        else:
            flash(_("Kelas dibuka. Sekarang undang orangnya."), "success")
            return redirect(url_for(".class_page", slug=form.slug.data))
    page = render_template("cohorts/class_new.html", form=form, organisations=organisations)
    return make_response(page, 422 if form.errors else 200)


@bp.get("/admin/angkatan/<slug>")
@login.role("admin")
def class_page(slug: str) -> ResponseReturnValue:
    """Show a class: seats, staff, timetable, invitations, conflicts of interest."""
    return _class_page(services.get_cohort(slug, login.require_viewer()))


@bp.route("/admin/angkatan/<slug>/ubah", methods=["GET", "POST"])
@login.role("admin")
@login.accepts(ClassForm)
def class_edit(slug: str) -> ResponseReturnValue:
    """Change the basic data of a class."""
    viewer = login.require_viewer()
    cohort = services.get_cohort(slug, viewer)
    organisations = services.list_organisations()
    host = next(one.public_id for one in organisations if one.id == cohort.host_id)
    form = ClassForm(**_typed_before(cohort), host=host)
    form.host.choices = organisation_choices(organisations)
    if form.validate_on_submit():
        with unit_of_work():
            services.update_cohort(services.get_cohort(slug, viewer), **_class_values(form))
        flash(_("Data kelas tersimpan."), "success")
        return redirect(url_for(".class_page", slug=slug))
    page = render_template("cohorts/class_edit.html", form=form, cohort=cohort)
    return make_response(page, 422 if form.errors else 200)


@bp.route("/admin/angkatan/<slug>/jadwal/<int:number>", methods=["GET", "POST"])
@login.role("admin")
@login.accepts(SessionForm)
def class_session(slug: str, number: int) -> ResponseReturnValue:
    """Change what one entry of the timetable is called and who speaks."""
    cohort = services.get_cohort(slug, login.require_viewer())
    staff = services.list_staff(cohort.id)
    entry = services.get_session(cohort.id, number)
    speaker = next((one.public_id for one in staff if one.person_id == entry.speaker_id), "")
    form = SessionForm(obj=entry, data={"speaker": speaker})
    speakers = [one for one in staff if one.part is Part.SPEAKER]
    form.speaker.choices = [SelectChoice("", _("Tanpa narasumber")), *_people(speakers)]
    if form.validate_on_submit():
        with unit_of_work():
            services.update_session(
                services.get_session(cohort.id, number),
                title=form.title.data,
                title_en=form.title_en.data,
                speaker=form.speaker.data,
                staff=staff,
            )
        flash(_("Jadwal tersimpan."), "success")
        return redirect(url_for(".class_page", slug=slug))
    page = render_template("cohorts/class_session.html", form=form, cohort=cohort, entry=entry)
    return make_response(page, 422 if form.errors else 200)


@bp.post("/admin/angkatan/<slug>/tim")
@login.role("admin")
@login.accepts(StaffForm)
def class_appoint(slug: str) -> ResponseReturnValue:
    """Let somebody who has an account work in the class."""
    viewer, form = login.require_viewer(), StaffForm()
    cohort = services.get_cohort(slug, viewer)
    if form.validate_on_submit():
        try:
            with unit_of_work():
                services.appoint_staff(
                    cohort.id,
                    form.email.data,
                    Part(form.part.data),
                    actor_id=viewer.id,
                    now=clock.now(),
                )
        except services.NoAccount:
            form.email.errors = [_("Belum ada akun dengan alamat ini. Kirim undangan saja.")]
        else:
            flash(_("Tim kelas tersimpan."), "success")
            return redirect(url_for(".class_page", slug=slug, _anchor="tim"))
    return _class_page(cohort, staff_form=form)


@bp.post("/admin/angkatan/<slug>/tim/akhiri")
@login.role("admin")
@login.accepts(StaffPartForm)
def class_dismiss(slug: str) -> ResponseReturnValue:
    """Take somebody's part in the class away."""
    viewer, form = login.require_viewer(), StaffPartForm()
    cohort = services.get_cohort(slug, viewer)
    if not form.validate_on_submit():
        raise NotFound(slug)
    with unit_of_work():
        services.dismiss_staff(
            cohort.id,
            form.person.data,
            Part(form.part.data),
            actor_id=viewer.id,
            now=clock.now(),
        )
    flash(_("Tim kelas tersimpan."), "success")
    return redirect(url_for(".class_page", slug=slug, _anchor="tim"))


@bp.post("/admin/angkatan/<slug>/benturan")
@login.role("admin")
@login.accepts(ConflictForm)
def class_conflict(slug: str) -> ResponseReturnValue:
    """Note that somebody may not assess somebody else."""
    viewer, form = login.require_viewer(), ConflictForm()
    cohort = services.get_cohort(slug, viewer)
    seats, staff = services.list_seats(cohort.id), services.list_staff(cohort.id)
    _offer_conflicts(form, staff, seats)
    if form.validate_on_submit():
        assessor = next(o.person_id for o in staff if o.public_id == form.assessor.data)
        person = next(o.person_id for o in seats if o.public_id == form.person.data)
        with unit_of_work():
            services.declare_conflict(
                assessor,
                person,
                ConflictKind(form.kind.data),
                declared_by=viewer.id,
                now=clock.now(),
            )
        flash(_("Benturan kepentingan tercatat."), "success")
        return redirect(url_for(".class_page", slug=slug, _anchor="benturan"))
    return _class_page(cohort, conflict_form=form)


@bp.post("/admin/angkatan/<slug>/benturan/hapus")
@login.role("admin")
@login.accepts(ConflictEndForm)
def class_conflict_end(slug: str) -> ResponseReturnValue:
    """Take back a conflict that was noted by mistake."""
    viewer, form = login.require_viewer(), ConflictEndForm()
    cohort = services.get_cohort(slug, viewer)
    if not form.validate_on_submit():
        raise NotFound(slug)
    with unit_of_work():
        services.withdraw_conflict(
            accounts.get_person(form.assessor.data).id,
            services.get_seat(cohort.id, form.person.data).person_id,
            ConflictKind(form.kind.data),
            actor_id=viewer.id,
            now=clock.now(),
        )
    flash(_("Catatan benturan dihapus."), "success")
    return redirect(url_for(".class_page", slug=slug, _anchor="benturan"))


@bp.post("/admin/angkatan/<slug>/undangan")
@login.role("admin")
@login.accepts(InviteForm)
def class_invite(slug: str) -> ResponseReturnValue:
    """Invite somebody into the class, from its page."""
    cohort = services.get_cohort(slug, login.require_viewer())
    form = _invite_form(cohort)
    if _sent(form, cohort):
        return redirect(url_for(".class_page", slug=slug, _anchor="undangan"))
    return _class_page(cohort, invite_form=form)


def _typed_before(cohort: Cohort) -> dict[str, Any]:
    names = (
        "title city place zone starts_on ends_on signatory_title signatory_name signatory_number"
    )
    values = {name: getattr(cohort, name) for name in names.split()}
    return values | {"letterhead": "\n".join(cohort.letterhead)}


def _class_values(form: ClassForm) -> dict[str, Any]:
    return {
        "title": form.title.data,
        "city": form.city.data,
        "place": form.place.data,
        "zone": form.zone.data,
        "host_id": services.get_organisation(form.host.data).id,
        "starts_on": form.starts_on.data,
        "ends_on": form.ends_on.data,
        "letterhead": form.letterhead.lines,
        "signatory_title": form.signatory_title.data,
        "signatory_name": form.signatory_name.data,
        "signatory_number": form.signatory_number.data,
        "actor_id": login.require_viewer().id,
        "now": clock.now(),
    }


def _class_page(
    cohort: Cohort,
    *,
    invite_form: InviteForm | None = None,
    staff_form: StaffForm | None = None,
    conflict_form: ConflictForm | None = None,
) -> ResponseReturnValue:
    seats, staff = services.list_seats(cohort.id), services.list_staff(cohort.id)
    conflicts = conflict_form or ConflictForm(formdata=None)
    _offer_conflicts(conflicts, staff, seats)
    page = render_template(
        "cohorts/class_page.html",
        cohort=cohort,
        host=services.organisation_names([cohort.host_id])[cohort.host_id],
        seats=seats,
        staff=staff,
        names={one.person_id: one.name for one in staff},
        sessions=services.list_sessions(cohort.id),
        conflicts=services.list_conflicts(cohort.id),
        invitations=services.list_invitations(cohort.id, now=clock.now()),
        fresh=session.pop(FRESH_LINK, None),
        labels=labels,
        roles=role_labels.ROLES,
        invite_form=invite_form or _invite_form(cohort, empty=True),
        staff_form=staff_form or StaffForm(formdata=None),
        conflict_form=conflicts,
    )
    refused = any(form is not None for form in (invite_form, staff_form, conflict_form))
    return make_response(page, 422 if refused else 200)


def _offer_conflicts(
    form: ConflictForm, staff: Iterable[services.StaffLine], seats: Iterable[services.Seat]
) -> None:
    judges = {one.public_id: one for one in staff if one.part is not Part.SPEAKER}
    form.assessor.choices = _people(judges.values())
    form.person.choices = _people(seats)


def _people(found: Iterable[services.StaffLine | services.Seat]) -> list[SelectChoice]:
    return [SelectChoice(one.public_id, one.name) for one in found]


# Invitations, for those who send them.


@bp.route("/angkatan/<slug>/undangan", methods=["GET", "POST"])
@login.role("trainer", "admin")
@login.accepts(InviteForm)
def class_invitations(slug: str) -> ResponseReturnValue:
    """Let a trainer invite companions into an own class, and show what became of it."""
    viewer = login.require_viewer()
    cohort = services.get_cohort_to_invite(slug, viewer)
    form = _invite_form(cohort)
    if _sent(form, cohort):
        return redirect(url_for(".class_invitations", slug=slug))
    lines = services.list_invitations(cohort.id, now=clock.now())
    if "admin" not in viewer.roles:
        lines = [line for line in lines if line.roles == ["trainee"]]
    page = render_template(
        "cohorts/class_invitations.html",
        cohort=cohort,
        invitations=lines,
        fresh=session.pop(FRESH_LINK, None),
        labels=labels,
        roles=role_labels.ROLES,
        invite_form=form,
    )
    return make_response(page, 422 if form.errors else 200)


@bp.post("/angkatan/<slug>/undangan/<public_id>/tarik")
@login.role("trainer", "admin")
@login.accepts("back")
def class_withdraw(slug: str, public_id: str) -> ResponseReturnValue:
    """Take back an invitation into a class."""
    services.get_cohort_to_invite(slug, login.require_viewer())
    _withdraw(public_id)
    back = ".class_page" if request.form.get("back") == "kelas" else ".class_invitations"
    return redirect(url_for(back, slug=slug))


@bp.route("/admin/undangan", methods=["GET", "POST"])
@login.role("admin")
@login.accepts(InviteForm)
def invitations() -> ResponseReturnValue:
    """Invite people outside a class: officers, authors, administrators; list all invitations."""
    form = _invite_form(None)
    if _sent(form, None):
        return redirect(url_for(".invitations"))
    before = request.args.get("sebelum", type=int)
    found = services.list_invitations(now=clock.now(), before=before, limit=PAGE + 1)
    page = render_template(
        "cohorts/invitations.html",
        invitations=found[:PAGE],
        following=found[PAGE - 1].id if len(found) > PAGE else None,
        before=before,
        fresh=session.pop(FRESH_LINK, None),
        labels=labels,
        roles=role_labels.ROLES,
        invite_form=form,
    )
    return make_response(page, 422 if form.errors else 200)


@bp.post("/admin/undangan/<public_id>/tarik")
@login.role("admin")
@login.accepts()
def invitation_withdraw(public_id: str) -> ResponseReturnValue:
    """Take back an invitation."""
    _withdraw(public_id)
    return redirect(url_for(".invitations"))


def _withdraw(public_id: str) -> None:
    viewer = login.require_viewer()
    try:
        with unit_of_work():
            found = services.get_invitation(public_id, viewer)
            services.withdraw(found.id, actor_id=viewer.id, now=clock.now())
    except services.InvitationClosed:
        flash(_("Undangan ini sudah tidak terbuka, jadi tidak perlu ditarik."), "info")
    else:
        flash(_("Undangan ditarik. Tautannya tidak berlaku lagi."), "success")


def _invite_form(cohort: Cohort | None, *, empty: bool = False) -> InviteForm:
    """Return the form with the roles this viewer may invite to, here."""
    mine = login.require_viewer().roles
    form = InviteForm(formdata=None) if empty else InviteForm()
    every = rules.CLASS_ROLES if cohort else rules.OTHER_ROLES
    form.role.choices = [
        SelectChoice(role, role_labels.ROLES[role])
        for role in every
        if rules.may_invite(mine, role, in_class=cohort is not None)
    ]
    form.organisation.choices = organisation_choices(
        services.list_organisations(), empty=_("Tidak ada")
    )
    return form


def _sent(form: InviteForm, cohort: Cohort | None) -> bool:
    """Send the invitation when the form is whole; tell whether it went out."""
    if not form.validate_on_submit():
        return False
    try:
        with unit_of_work():
            invited = _invite(form, cohort, login.require_viewer())
    except services.AlreadyInvited:
        form.email.errors = [_("Undangan yang sama masih terbuka. Tarik dulu bila perlu diulang.")]
        return False
    except services.AlreadySeated:
        form.email.errors = [_("Orang ini sudah punya kursi di kelas ini.")]
        return False
    base = current_app.extensions["suluh"].base_url
    session[FRESH_LINK] = {
        "name": form.name.data,
        "link": f"{base}/undangan/{invited.token}",
    }
    flash(_("Undangan dibuat. Suratnya menunggu di kotak keluar."), "success")
    return True


def _invite(form: InviteForm, cohort: Cohort | None, viewer: Viewer) -> services.Invited:
    now, chosen = clock.now(), form.organisation.data
    organisation = services.get_organisation(chosen) if chosen else None
    subject, body = letters.invitation(
        inviter=viewer.name,
        name=form.name.data,
        role=form.role.data,
        organisation=organisation.name if organisation else None,
        cohort=cohort,
        expires_at=now + rules.INVITATION,
    )
    return services.invite(
        email=form.email.data,
        name=form.name.data,
        roles=[form.role.data],
        cohort_id=cohort.id if cohort else None,
        organisation_id=organisation.id if organisation else None,
        created_by=viewer.id,
        base_url=current_app.extensions["suluh"].base_url,
        subject=subject,
        body=body,
        now=now,
    )


# Organisations, for the administrator.


@bp.route("/admin/instansi", methods=["GET", "POST"])
@login.role("admin")
@login.accepts(OrganisationForm)
def organisations() -> ResponseReturnValue:
    """List organisations and add one."""
    form = OrganisationForm()
    if form.validate_on_submit():
        try:
            with unit_of_work():
                services.create_organisation(
                    name=form.name.data,
                    kind=OrganisationKind(form.kind.data),
                    city=form.city.data,
                    actor_id=login.require_viewer().id,
                    now=clock.now(),
                )
        except services.NameTaken:
            form.name.errors = [_("Sudah ada instansi dengan nama ini.")]
        else:
            flash(_("Instansi tersimpan."), "success")
            return redirect(url_for(".organisations"))
    page = render_template(
        "cohorts/organisations.html",
        form=form,
        organisations=services.list_organisation_lines(),
        kinds=labels.KINDS,
    )
    return make_response(page, 422 if form.errors else 200)


@bp.route("/admin/instansi/<public_id>", methods=["GET", "POST"])
@login.role("admin")
@login.accepts(OrganisationForm)
def organisation(public_id: str) -> ResponseReturnValue:
    """Show an organisation with its officers, and correct it."""
    found = services.get_organisation(public_id)
    form = OrganisationForm(name=found.name, kind=found.kind.value, city=found.city)
    if form.validate_on_submit():
        try:
            with unit_of_work():
                services.update_organisation(
                    public_id,
                    name=form.name.data,
                    kind=OrganisationKind(form.kind.data),
                    city=form.city.data,
                    actor_id=login.require_viewer().id,
                    now=clock.now(),
                )
        except services.NameTaken:
            form.name.errors = [_("Sudah ada instansi dengan nama ini.")]
        else:
            flash(_("Instansi tersimpan."), "success")
            return redirect(url_for(".organisation", public_id=public_id))
    return _organisation_page(found, form=form)


@bp.post("/admin/instansi/<public_id>/petugas")
@login.role("admin")
@login.accepts(OfficerForm)
def organisation_appoint(public_id: str) -> ResponseReturnValue:
    """Let somebody who has an account ask in the name of an organisation."""
    found, form = services.get_organisation(public_id), OfficerForm()
    if form.validate_on_submit():
        try:
            with unit_of_work():
                services.appoint_officer(
                    found.id,
                    form.email.data,
                    actor_id=login.require_viewer().id,
                    now=clock.now(),
                )
        except services.NoAccount:
            form.email.errors = [_("Belum ada akun dengan alamat ini. Kirim undangan saja.")]
        else:
            flash(_("Petugas ditunjuk."), "success")
            return redirect(url_for(".organisation", public_id=public_id))
    return _organisation_page(found, officer_form=form)


@bp.post("/admin/instansi/<public_id>/petugas/akhiri")
@login.role("admin")
@login.accepts(OfficerEndForm)
def organisation_dismiss(public_id: str) -> ResponseReturnValue:
    """End somebody's appointment as officer."""
    found, form = services.get_organisation(public_id), OfficerEndForm()
    if not form.validate_on_submit():
        raise NotFound(public_id)
    with unit_of_work():
        services.dismiss_officer(
            found.id, form.person.data, actor_id=login.require_viewer().id, now=clock.now()
        )
    flash(_("Penunjukan petugas berakhir."), "success")
    return redirect(url_for(".organisation", public_id=public_id))


def _organisation_page(
    found: Organisation,
    *,
    form: OrganisationForm | None = None,
    officer_form: OfficerForm | None = None,
) -> ResponseReturnValue:
    typed = OrganisationForm(formdata=None, name=found.name, kind=found.kind.value, city=found.city)
    page = render_template(
        "cohorts/organisation.html",
        organisation=found,
        kinds=labels.KINDS,
        officers=services.list_officers(found.id),
        people=services.members_of(found.id),
        form=form or typed,
        officer_form=officer_form or OfficerForm(formdata=None),
    )
    refused = any(one and one.errors for one in (form, officer_form))
    return make_response(page, 422 if refused else 200)
