"""The viewer's own account."""

from typing import Any

from flask import current_app, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from lms.accounts import (
    addresses,
    identities,
    labels,
    names,
    resets,
    rules,
    second_factor,
    services,
)
from lms.accounts.door import (
    explain_password,
    explain_wait,
    explain_wrong_password,
    hasher,
    with_proof,
)
from lms.accounts.forms import AddressForm, NameForm, PasswordForm, SessionForm
from lms.accounts.views.blueprint import bp
from lms.accounts.views.outside import outside_name
from lms.core import clock, login, throttle
from lms.core.db import unit_of_work
from lms.core.i18n import gettext as _
from lms.core.ids import hash_token


@bp.get("/akun")
@login.signed_in
def account() -> ResponseReturnValue:
    """Show the viewer's own account."""
    return _account_page()


def name_is_fixed(person_id: int) -> bool:
    """Tell whether a certificate was issued in this person's name."""
    return bool(current_app.extensions[names.FIXED](person_id))


@bp.post("/akun/nama")
@login.signed_in
@login.accepts(NameForm)
def rename() -> ResponseReturnValue:
    """Change the viewer's own name, or ask for it once a certificate stands in the old one."""
    viewer, form, now = login.require_viewer(), NameForm(), clock.now()
    if not form.validate_on_submit():
        return _account_page(name_form=form), 422
    try:
        with unit_of_work():
            names.rename(viewer.id, form.name.data, now=now, fixed=name_is_fixed(viewer.id))
    except names.NameFixed:
        with unit_of_work():
            names.ask(viewer.id, form.name.data, now=now)
        flash(_("Permintaan ganti nama dikirim ke administrator."), "success")
    else:
        flash(
            _("Nama tersimpan. Pada sertifikat akan tercetak: %(name)s", name=form.name.data),
            "success",
        )
    return redirect(url_for(".account"))


@bp.post("/akun/kata-sandi")
@login.signed_in
@login.accepts(PasswordForm)
def password() -> ResponseReturnValue:
    """Change the viewer's own password."""
    viewer, form = login.require_viewer(), PasswordForm()
    if form.validate_on_submit():
        owner = services.get_person_by_id(viewer.id)
        name, email = owner.name, owner.email
        try:
            services.check_wait(viewer.id, now=clock.now())
            made = services.hash_password(form.new.data, name=name, email=email, maker=hasher())
            with_proof(
                lambda: prove_own(form.old.data),
                lambda proof: services.change_password(
                    proof, password_hash=made, token=viewer.token, now=clock.now()
                ),
            )
        except throttle.TooSoon as error:
            form.old.errors = [explain_wait(error)]
        except services.WrongCredentials:
            form.old.errors = [explain_wrong_password()]
        except rules.WeakPassword as error:
            form.new.errors = [explain_password(error)]
        else:
            flash(_("Kata sandi diganti. Sesi di perangkat lain diakhiri."), "success")
            return redirect(url_for(".account"))
    return _account_page(password_form=form), 422


def prove_own(password: str) -> services.Proof:
    """Check the viewer's password once more; a wrong one is counted. Raises WrongCredentials."""
    viewer = login.require_viewer()
    try:
        return services.prove_own(viewer.id, password, maker=hasher(), now=clock.now())
    except services.WrongCredentials:
        with unit_of_work():
            services.count_wrong_password(viewer.id, now=clock.now())
        raise


@bp.post("/akun/surel")
@login.signed_in
@login.accepts(AddressForm)
def address() -> ResponseReturnValue:
    """Ask for another sign-in address: a link goes there."""
    form, config = AddressForm(), current_app.extensions["suluh"]
    if config.smtp_url is None:
        flash(_("Surat belum dapat dikirim. Minta administrator mengganti alamat."), "info")
        return redirect(url_for(".account"))
    if form.validate_on_submit():
        try:
            with_proof(
                lambda: prove_own(form.password.data),
                lambda proof: addresses.ask(
                    proof, form.email.data, base_url=config.base_url, now=clock.now()
                ),
            )
        except throttle.TooSoon as error:
            form.password.errors = [explain_wait(error)]
        except services.WrongCredentials:
            form.password.errors = [explain_wrong_password()]
        else:
            flash(_("Buka tautan yang dikirim ke alamat baru dalam 15 menit."), "success")
            return redirect(url_for(".account"))
    return _account_page(address_form=form), 422


@bp.get("/akun/surel/<token>")
@login.signed_in
def address_link(token: str) -> ResponseReturnValue:
    """Show which address a link confirms."""
    viewer = login.require_viewer()
    try:
        email = addresses.look_up(token, viewer.id, now=clock.now())
    except resets.KeyGone:
        return render_template("accounts/key_gone.html", again=url_for(".account")), 410
    return render_template("accounts/address.html", email=email, token=token)


@bp.post("/akun/surel/<token>")
@login.signed_in
@login.accepts()
def confirm_address(token: str) -> ResponseReturnValue:
    """Let the new address count."""
    viewer = login.require_viewer()
    try:
        with unit_of_work():
            addresses.confirm(token, viewer.id, session_token=viewer.token, now=clock.now())
    except resets.KeyGone:
        return render_template("accounts/key_gone.html", again=url_for(".account")), 410
    except services.EmailTaken:
        flash(_("Alamat ini sudah dipakai akun lain, jadi belum dapat dipakai di sini."), "error")
    else:
        flash(_("Alamat e-mail diganti. Masuk berikutnya memakai alamat baru."), "success")
    return redirect(url_for(".account"))


def _account_page(
    *,
    name_form: NameForm | None = None,
    password_form: PasswordForm | None = None,
    address_form: AddressForm | None = None,
) -> str:
    viewer, now, config = login.require_viewer(), clock.now(), current_app.extensions["suluh"]
    shown: dict[str, Any] = {
        "owner": services.get_person_by_id(viewer.id),
        "roles": [label for role, label in labels.ROLES.items() if role in viewer.roles],
        "sessions": services.list_sessions(viewer.id, now=now),
        "this": hash_token(viewer.token),
        "idle": config.staff_idle_minutes if rules.is_staff(viewer.roles) else None,
        "factor": second_factor.read(viewer.id),
        "printed": resets.find_notice(viewer.id),
        "waiting": addresses.find_waiting(viewer.id, now=now),
        "wanted": names.find_open(viewer.id),
        "fixed": name_is_fixed(viewer.id),
        "sends_mail": config.smtp_url is not None,
        "outside": outside_name(),
        "linked": identities.linked_since(viewer.id) if outside_name() else None,
    }
    shown["mine"] = (
        url_for("privacy.mine") if "privacy.mine" in current_app.view_functions else None
    )
    return render_template(
        "accounts/account.html",
        **shown,
        name_form=name_form or NameForm(formdata=None, name=viewer.name),
        password_form=password_form or PasswordForm(formdata=None),
        address_form=address_form or AddressForm(formdata=None),
    )


@bp.post("/akun/akhiri-sesi")
@login.signed_in
@login.while_enrolling
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


@bp.post("/akun/perangkat")
@login.signed_in
@login.accepts(SessionForm)
def end_one() -> ResponseReturnValue:
    """End one of the viewer's other sessions."""
    viewer, form = login.require_viewer(), SessionForm()
    number = form.session.data if form.validate_on_submit() else ""
    with unit_of_work():
        services.end_own_session(
            viewer.id, int(number) if number.isdecimal() else 0, now=clock.now()
        )
    flash(_("Sesi itu sudah diakhiri."), "success")
    return redirect(url_for(".account", _anchor="perangkat"))
