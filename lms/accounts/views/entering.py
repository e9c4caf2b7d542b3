"""The ways in: address and password, the code after it, the first administrator."""

from flask import flash, make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from lms.accounts import rules, second_factor, services
from lms.accounts.door import (
    DEVICE_COOKIE,
    HALF,
    HALF_OWN,
    HALF_TARGET,
    agent,
    enter,
    explain_password,
    explain_wait,
    explain_wrong_code,
    hasher,
    safe_next,
    vault,
    with_proof,
)
from lms.accounts.forms import SecondStepForm, SetupForm, SignInForm
from lms.accounts.views.blueprint import bp
from lms.accounts.views.outside import outside_name
from lms.core import clock, login, throttle
from lms.core.db import unit_of_work
from lms.core.i18n import gettext as _


@bp.route("/masuk", methods=["GET", "POST"])
@login.public
@login.accepts(SignInForm, "next")
def sign_in() -> ResponseReturnValue:
    """Sign in with address and password."""
    if request.method == "GET" and services.is_empty():
        return redirect(url_for(".setup"))
    form, target = SignInForm(), safe_next(request.values.get("next"))
    if form.validate_on_submit():
        own = form.device.data == "own"
        try:
            entry = with_proof(lambda: _prove(form), lambda proof: _enter(proof, own))
        except throttle.TooSoon as error:
            form.password.errors = [explain_wait(error)]
        except services.WrongCredentials:
            with unit_of_work():
                services.count_failure(
                    form.email.data,
                    request.remote_addr or "",
                    device_token=request.cookies.get(DEVICE_COOKIE),
                    now=clock.now(),
                )
            form.password.errors = [
                _("Alamat atau kata sandi belum cocok. Periksa keduanya lalu coba lagi.")
            ]
        else:
            return enter(entry, target, own_device=own)
    page = render_template("accounts/sign_in.html", form=form, next=target, outside=outside_name())
    return make_response(page, 422 if form.errors else 200)


def _prove(form: SignInForm) -> services.Proof:
    return services.prove(
        email=form.email.data,
        password=form.password.data,
        address=request.remote_addr or "",
        device_token=request.cookies.get(DEVICE_COOKIE),
        maker=hasher(),
        now=clock.now(),
    )


def _enter(proof: services.Proof, own: bool) -> services.Entry:
    return services.enter(
        proof, now=clock.now(), remember=own, agent=agent(), replaces=login.token()
    )


@bp.route("/masuk/kedua", methods=["GET", "POST"])
@login.public
@login.accepts(SecondStepForm)
def second_step() -> ResponseReturnValue:
    """Ask for the code after a password that fitted."""
    form, token = SecondStepForm(), str(session.get(HALF, ""))
    person_id = second_factor.find_half(token, now=clock.now())
    if person_id is None:
        return render_template("accounts/second_step_over.html")
    if form.validate_on_submit():
        try:
            with unit_of_work():
                begun = second_factor.complete(
                    token, form.code.data, agent=agent(), vault=vault(), now=clock.now()
                )
        except throttle.TooSoon as error:
            form.code.errors = [explain_wait(error)]
        except second_factor.EntryOver:
            return render_template("accounts/second_step_over.html")
        except services.WrongCode:
            with unit_of_work():
                second_factor.count_wrong_code(person_id, now=clock.now())
            form.code.errors = [explain_wrong_code()]
        else:
            target, own = safe_next(session.get(HALF_TARGET)), bool(session.get(HALF_OWN))
            response = enter(begun, target, own_device=own)
            _remind_of_codes(begun.person_id, form.code.data)
            return response
    page = render_template("accounts/second_step.html", form=form)
    return make_response(page, 422 if form.errors else 200)


def _remind_of_codes(person_id: int, typed: str) -> None:
    if not rules.is_totp(typed):
        left = second_factor.read(person_id).codes_left
        flash(_("Satu kode cadangan terpakai. Tersisa %(left)d.", left=left), "info")


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
            made = services.hash_password(
                form.password.data, name=form.name.data, email=form.email.data, maker=hasher()
            )
            with unit_of_work():
                begun = services.create_first_admin(
                    code=form.code.data,
                    name=form.name.data,
                    email=form.email.data,
                    password_hash=made,
                    address=address,
                    now=clock.now(),
                    agent=agent(),
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
