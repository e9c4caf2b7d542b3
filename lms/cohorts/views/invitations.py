"""Pages of invitations: for the person invited, and for those who invite."""

from flask import (
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
    agent,
    enter,
    explain_password,
    explain_wait,
    hasher,
    with_proof,
)
from lms.accounts.rules import WeakPassword
from lms.cohorts import invitations as services
from lms.cohorts import labels, letters, rules, seats
from lms.cohorts.forms import (
    AcceptForm,
    InviteForm,
    JoinForm,
    organisation_choices,
    vouching_of,
)
from lms.cohorts.models import Cohort
from lms.cohorts.organisations import get_organisation, list_organisations
from lms.cohorts.services import TooManyOfficers, get_cohort_to_invite
from lms.cohorts.views.blueprint import bp
from lms.core import clock, consent, http, login, throttle
from lms.core.db import unit_of_work
from lms.core.i18n import LANGUAGES, language
from lms.core.i18n import gettext as _
from lms.core.login import Viewer

PAGE = 50
"""Invitations on one page of the list."""
FRESH_LINK = "invited"
"""Where the browser's session keeps a new link until the next page shows it, once."""


# For the person invited. The token stands in the address and in the form actions, nowhere else:
# not in a link, not in a hidden field, not in a log line of ours.


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
        letter = services.read_invitation(token, now=clock.now())
        try:
            made = accounts.hash_password(
                form.password.data, name=form.name.data, email=letter.email, maker=hasher()
            )
            with unit_of_work():
                begun = services.accept_invitation(
                    token,
                    name=form.name.data,
                    password_hash=made,
                    locale=language(),
                    now=clock.now(),
                    agent=agent(),
                )
                consent.agree(begun.person_id, "invitation", now=clock.now())
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
            begun = with_proof(
                lambda: accounts.prove(
                    email=letter.email,
                    password=form.password.data,
                    address=address,
                    device_token=request.cookies.get(DEVICE_COOKIE),
                    maker=hasher(),
                    now=clock.now(),
                ),
                lambda proof: services.accept_with_password(
                    token, proof, now=clock.now(), agent=agent()
                ),
            )
        except throttle.TooSoon as error:
            form.password.errors = [explain_wait(error)]
        except accounts.WrongCredentials:
            with unit_of_work():
                accounts.count_failure(
                    letter.email,
                    address,
                    device_token=request.cookies.get(DEVICE_COOKIE),
                    now=clock.now(),
                )
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


def _welcome(begun: accounts.Entry) -> ResponseReturnValue:
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
        way = "join" if letter.has_password else "new"
    page = render_template(
        "cohorts/invitation.html",
        letter=letter,
        token=token,
        way=way,
        roles=[role_labels.ROLES[role] for role in letter.roles],
        asked=consent.is_asked(),
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


@bp.errorhandler(TooManyOfficers)
def answer_full(_error: TooManyOfficers) -> ResponseReturnValue:
    """Say kindly that an organisation has its officers already."""
    return render_template("cohorts/closed.html", standing=None, key="full"), 409


# For those who send them.


@bp.route("/angkatan/<slug>/undangan", methods=["GET", "POST"])
@login.role("trainer", "admin")
@login.accepts(InviteForm)
def class_invitations(slug: str) -> ResponseReturnValue:
    """Let a trainer invite companions into an own class, and show what became of it."""
    viewer = login.require_viewer()
    cohort = get_cohort_to_invite(slug, viewer)
    form = form_to_invite(cohort)
    if send(form, cohort):
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
    get_cohort_to_invite(slug, login.require_viewer())
    _withdraw(public_id)
    backs = {"kelas": ".class_page", "narasumber": ".class_guests"}
    back = backs.get(request.form.get("back", ""), ".class_invitations")
    return redirect(url_for(back, slug=slug))


@bp.route("/admin/undangan", methods=["GET", "POST"])
@login.role("admin")
@login.accepts(InviteForm)
def invitations() -> ResponseReturnValue:
    """Invite people outside a class: officers, authors, administrators; list all invitations."""
    form = form_to_invite(None)
    if send(form, None):
        return redirect(url_for(".invitations"))
    before = http.asked_id("sebelum")
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


def form_to_invite(cohort: Cohort | None, *, empty: bool = False) -> InviteForm:
    """Return the form with the roles this viewer may invite to, here."""
    mine = login.require_viewer().roles
    form = InviteForm(formdata=None) if empty else InviteForm()
    every = rules.CLASS_ROLES if cohort else rules.OTHER_ROLES
    form.role.choices = [
        SelectChoice(role, role_labels.ROLES[role])
        for role in every
        if rules.may_invite(mine, role, in_class=cohort is not None)
    ]
    form.organisation.choices = organisation_choices(list_organisations(), empty=_("Tidak ada"))
    return form


def send(form: InviteForm, cohort: Cohort | None) -> bool:
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
    except TooManyOfficers:
        form.organisation.errors = [
            _("Instansi ini sudah punya dua petugas, atau undangan untuk mereka masih terbuka.")
        ]
        return False
    except seats.NoSeat as error:
        form.organisation.errors = [labels.explain_no_seat(error)]
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
    organisation = get_organisation(chosen) if chosen else None
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
        vouching=vouching_of(form) if form.role.data == "agency" else None,
    )
