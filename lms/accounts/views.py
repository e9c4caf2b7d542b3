"""Pages of accounts: sign in, the account page, people for the administrator."""

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.accounts import labels, rules, services
from lms.accounts.door import (
    DEVICE_COOKIE,
    enter,
    explain_password,
    explain_wait,
    hasher,
    safe_next,
)
from lms.accounts.forms import (
    DisabledForm,
    NameForm,
    PasswordForm,
    RolesForm,
    SetupForm,
    SignInForm,
)
from lms.core import clock, login, throttle
from lms.core.db import unit_of_work
from lms.core.i18n import gettext as _

bp = Blueprint("accounts", __name__, template_folder="templates")

PAGE = 50
"""People on one page of the list."""


@bp.route("/masuk", methods=["GET", "POST"])
@login.public
@login.accepts(SignInForm, "next")
def sign_in() -> ResponseReturnValue:
    """Sign in with address and password."""
    if services.is_empty():
        return redirect(url_for(".setup"))
    form, target = SignInForm(), safe_next(request.values.get("next"))
    if form.validate_on_submit():
        address, own = request.remote_addr or "", form.device.data == "own"
        try:
            with unit_of_work():
                begun = services.sign_in(
                    email=form.email.data,
                    password=form.password.data,
                    address=address,
                    device_token=request.cookies.get(DEVICE_COOKIE),
                    maker=hasher(),
                    now=clock.now(),
                    remember=own,
                )
        except throttle.TooSoon as error:
            form.password.errors = [explain_wait(error)]
        except services.WrongCredentials:
            with unit_of_work():
                services.count_failure(
                    form.email.data,
                    address,
                    device_token=request.cookies.get(DEVICE_COOKIE),
                    now=clock.now(),
                )
            form.password.errors = [
                _("Alamat atau kata sandi belum cocok. Periksa keduanya lalu coba lagi.")
            ]
        else:
            return enter(begun, target, own_device=own)
    page = render_template("accounts/sign_in.html", form=form, next=target)
    return make_response(page, 422 if form.errors else 200)


@bp.route("/mulai", methods=["GET", "POST"])
@login.public
@login.accepts(SetupForm)
def setup() -> ResponseReturnValue:
    """Make the first administrator, with the code printed in the terminal."""
    if not services.is_empty():
        return redirect(url_for(".sign_in"))
    form = SetupForm()
    if form.validate_on_submit():
        address = request.remote_addr or ""
        try:
            with unit_of_work():
                begun = services.create_first_admin(
                    code=form.code.data,
                    name=form.name.data,
                    email=form.email.data,
                    password=form.password.data,
                    address=address,
                    maker=hasher(),
                    now=clock.now(),
                )
        except throttle.TooSoon as error:
            form.code.errors = [explain_wait(error)]
        except services.WrongCode:
            with unit_of_work():
                services.count_failure("setup", address, now=clock.now())
            form.code.errors = [_("Kode belum cocok. Salin kode yang tercetak di terminal.")]
        except rules.WeakPassword as error:
            form.password.errors = [explain_password(error)]
        else:
            return enter(begun, url_for("pages.home"), own_device=True)
    page = render_template("accounts/setup.html", form=form)
    return make_response(page, 422 if form.errors else 200)


@bp.get("/akun")
@login.signed_in
def account() -> ResponseReturnValue:
    """Show the viewer's own account."""
    return _account_page()


@bp.post("/akun/nama")
@login.signed_in
@login.accepts(NameForm)
def rename() -> ResponseReturnValue:
    """Change the viewer's own name."""
    viewer, form = login.require_viewer(), NameForm()
    if form.validate_on_submit():
        with unit_of_work():
            services.rename(viewer.id, form.name.data, now=clock.now())
        flash(_("Nama tersimpan. Sertifikat yang sudah terbit tidak berubah."), "success")
        return redirect(url_for(".account"))
    return _account_page(name_form=form), 422


@bp.post("/akun/kata-sandi")
@login.signed_in
@login.accepts(PasswordForm)
def password() -> ResponseReturnValue:
    """Change the viewer's own password."""
    viewer, form = login.require_viewer(), PasswordForm()
    if form.validate_on_submit():
        try:
            with unit_of_work():
                services.change_password(
                    viewer.id,
                    old=form.old.data,
                    new=form.new.data,
                    token=viewer.token,
                    maker=hasher(),
                    now=clock.now(),
                )
        except throttle.TooSoon as error:
            form.old.errors = [explain_wait(error)]
        except services.WrongCredentials:
            with unit_of_work():
                services.count_wrong_password(viewer.id, now=clock.now())
            form.old.errors = [_("Kata sandi sekarang belum cocok.")]
        except rules.WeakPassword as error:
            form.new.errors = [explain_password(error)]
        else:
            flash(_("Kata sandi diganti. Sesi di perangkat lain diakhiri."), "success")
            return redirect(url_for(".account"))
    return _account_page(password_form=form), 422


def _account_page(
    *, name_form: NameForm | None = None, password_form: PasswordForm | None = None
) -> str:
    viewer = login.require_viewer()
    return render_template(
        "accounts/account.html",
        owner=services.get_person_by_id(viewer.id),
        roles=[label for role, label in labels.ROLES.items() if role in viewer.roles],
        name_form=name_form or NameForm(formdata=None, name=viewer.name),
        password_form=password_form or PasswordForm(formdata=None),
    )


@bp.post("/akun/akhiri-sesi")
@login.signed_in
@login.accepts()
def sign_out() -> ResponseReturnValue:
    """End this session."""
    with unit_of_work():
        services.end_session(login.require_viewer().token, now=clock.now())
    login.end()
    response = redirect(url_for(".sign_in"))
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@bp.post("/akun/akhiri-semua")
@login.signed_in
@login.accepts()
def sign_out_everywhere() -> ResponseReturnValue:
    """End every other session of the viewer."""
    viewer = login.require_viewer()
    with unit_of_work():
        services.end_sessions(viewer.id, now=clock.now(), keep=viewer.token)
    flash(_("Sesi di perangkat lain sudah diakhiri."), "success")
    return redirect(url_for(".account"))


@bp.get("/admin/orang")
@login.role("admin")
def people() -> ResponseReturnValue:
    """List people, with search."""
    search, role = request.args.get("cari", "")[:100].strip(), request.args.get("peran", "")
    after = request.args.get("setelah", "")[:200]
    found = services.list_people(search=search, role=role, after=after, limit=PAGE + 1)
    following = found[PAGE - 1].email if len(found) > PAGE else None
    return render_template(
        "accounts/people.html",
        people=found[:PAGE],
        labels=labels.ROLES,
        search=search,
        role=role,
        after=after,
        following=following,
    )


@bp.get("/admin/orang/<public_id>")
@login.role("admin")
def person(public_id: str) -> ResponseReturnValue:
    """Show one person's account and roles."""
    found = services.get_person(public_id)
    roles = services.roles_of(found.id)
    state = "yes" if found.disabled_at else "no"
    return render_template(
        "accounts/person.html",
        owner=found,
        roles_form=RolesForm(formdata=None, roles=list(roles)),
        disabled_form=DisabledForm(formdata=None, disabled=state),
    )


@bp.post("/admin/orang/<public_id>/peran")
@login.role("admin")
@login.accepts(RolesForm)
def set_roles(public_id: str) -> ResponseReturnValue:
    """Replace somebody's roles."""
    form = RolesForm()
    if form.validate_on_submit():
        try:
            with unit_of_work():
                services.set_roles(
                    public_id,
                    set(form.roles.data or ()),
                    actor_id=login.require_viewer().id,
                    now=clock.now(),
                )
        except services.LastAdmin:
            flash(_("Tunjuk administrator lain lebih dulu; ini yang terakhir."), "error")
        else:
            flash(_("Peran tersimpan."), "success")
    else:
        flash(_("Pilih peran dari daftar yang tersedia."), "error")
    return redirect(url_for(".person", public_id=public_id))


@bp.post("/admin/orang/<public_id>/akun")
@login.role("admin")
@login.accepts(DisabledForm)
def set_disabled(public_id: str) -> ResponseReturnValue:
    """Close or reopen somebody's account."""
    form = DisabledForm()
    if form.validate_on_submit():
        try:
            with unit_of_work():
                services.set_disabled(
                    public_id,
                    form.disabled.data == "yes",
                    actor_id=login.require_viewer().id,
                    now=clock.now(),
                )
        except services.LastAdmin:
            flash(_("Tunjuk administrator lain lebih dulu; ini yang terakhir."), "error")
        else:
            flash(_("Keadaan akun tersimpan."), "success")
    else:
        flash(_("Pilih salah satu keadaan akun."), "error")
    return redirect(url_for(".person", public_id=public_id))
