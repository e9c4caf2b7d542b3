"""A new password for somebody who forgot theirs."""

from flask import current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.accounts import resets, rules, services
from lms.accounts.door import explain_password, explain_wait, hasher, vault
from lms.accounts.forms import CodeForm, ForgotForm, NewPasswordForm
from lms.accounts.views.blueprint import bp
from lms.core import clock, login, throttle
from lms.core.db import unit_of_work
from lms.core.i18n import gettext as _


def _sends_mail() -> bool:
    return current_app.extensions["suluh"].smtp_url is not None


@bp.route("/masuk/lupa", methods=["GET", "POST"])
@login.public
@login.accepts(ForgotForm)
def forgot() -> ResponseReturnValue:
    """Send a link by mail; the answer is the same whether there is such an account or not."""
    form, sends = ForgotForm(), _sends_mail()
    if sends and form.validate_on_submit():
        try:
            with unit_of_work():
                resets.ask_link(form.email.data, request.remote_addr or "", now=clock.now())
        except throttle.TooSoon as error:
            form.email.errors = [explain_wait(error)]
        else:
            flash(
                _("Bila alamat itu punya akun, tautan dikirim ke sana dalam beberapa menit. "
                  "Berlaku 15 menit."),
                "success",
            )  # fmt: skip
            return redirect(url_for(".forgot"))
    page = render_template("accounts/forgot.html", form=form, sends_mail=sends)
    return make_response(page, 422 if form.errors else 200)


@bp.route("/masuk/baru/<token>", methods=["GET", "POST"])
@login.public
@login.accepts(NewPasswordForm)
def renew(token: str) -> ResponseReturnValue:
    """Choose a new password with the link from the mail."""
    form = NewPasswordForm()
    try:
        opening = resets.look_up_link(token, now=clock.now())
        if form.validate_on_submit() and _renew(opening, form):
            return redirect(url_for(".sign_in"))
    except resets.KeyGone:
        return render_template("accounts/key_gone.html", again=url_for(".forgot")), 410
    page = render_template(
        "accounts/renew.html", form=form, email=opening.email, here=url_for("pages.home")
    )
    return make_response(page, 422 if form.errors else 200)


@bp.route("/masuk/kode", methods=["GET", "POST"])
@login.public
@login.accepts(CodeForm)
def renew_by_code() -> ResponseReturnValue:
    """Choose a new password with a printed code."""
    form = CodeForm()
    if form.validate_on_submit():
        address = request.remote_addr or ""
        try:
            opening = resets.look_up_code(
                form.email.data, form.code.data, address=address, vault=vault(), now=clock.now()
            )
            if _renew(opening, form):
                return redirect(url_for(".sign_in"))
        except throttle.TooSoon as error:
            form.code.errors = [explain_wait(error)]
        except resets.KeyGone:
            with unit_of_work():
                resets.count_wrong_code(form.email.data, address, now=clock.now())
            form.code.errors = [
                _("Alamat atau kode belum cocok, atau kodenya sudah tidak berlaku.")
            ]
    page = render_template("accounts/renew_by_code.html", form=form)
    return make_response(page, 422 if form.errors else 200)


def _renew(opening: resets.Opening, form: NewPasswordForm) -> bool:
    """Store the new password; tell whether it was good enough. Raises resets.KeyGone."""
    try:
        made = services.hash_password(
            form.new.data, name=opening.name, email=opening.email, maker=hasher()
        )
    except rules.WeakPassword as error:
        form.new.errors = [explain_password(error)]
        return False
    with unit_of_work():
        resets.set_new_password(opening, made, now=clock.now())
    login.clear()
    flash(_("Kata sandi baru tersimpan. Semua sesi diakhiri. Silakan masuk."), "success")
    return True
