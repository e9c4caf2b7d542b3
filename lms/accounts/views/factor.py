"""The viewer's second factor."""

from collections.abc import Sequence

from flask import current_app, flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from lms.accounts import rules, second_factor, services
from lms.accounts.door import (
    explain_wait,
    explain_wrong_code,
    explain_wrong_password,
    vault,
    with_proof,
)
from lms.accounts.forms import EnrolForm, StepUpForm
from lms.accounts.views.account import prove_own
from lms.accounts.views.blueprint import bp
from lms.core import clock, login, qr, throttle
from lms.core.db import unit_of_work
from lms.core.i18n import gettext as _


def is_required() -> bool:
    """Tell whether the viewer may not be without a second factor here."""
    roles = login.require_viewer().roles
    config = current_app.extensions["suluh"]
    return bool(config.requires_second_factor) and rules.needs_second_factor(roles)


@bp.get("/akun/kedua", endpoint="second_factor")
@login.signed_in
@login.while_enrolling
def second_factor_page() -> ResponseReturnValue:
    """Show how the second factor stands, and how to set it up."""
    return _page()


@bp.post("/akun/kedua/ubah")
@login.signed_in
@login.while_enrolling
@login.accepts(StepUpForm)
def change_second_factor() -> ResponseReturnValue:
    """Begin a new secret, make new recovery codes or take the second factor away."""
    form = StepUpForm()
    if not form.validate_on_submit():
        return _page(step_up=form)
    person_id = login.require_viewer().id
    wanted = form.do.data if services.has_second_factor(person_id) else "new"
    if wanted == "off" and is_required():
        flash(_("Peran Anda memerlukan faktor kedua, jadi belum dapat dilepas."), "info")
        return redirect(url_for(".second_factor"))
    codes = _try(form, wanted)
    if form.errors:
        return _page(step_up=form)
    if codes:
        return _codes_page(codes)
    if wanted == "off":
        login.end()
        flash(_("Faktor kedua dilepas. Silakan masuk lagi."), "success")
        return redirect(url_for(".sign_in"))
    return redirect(url_for(".second_factor"))


def _try(form: StepUpForm, wanted: str) -> list[str]:
    """Do what was asked for, or say in the form why not; return new recovery codes, if any."""
    try:
        return with_proof(
            lambda: prove_own(form.password.data),
            lambda proof: _do(proof, wanted, form.code.data),
        )
    except throttle.TooSoon as error:
        form.password.errors = [explain_wait(error)]
    except services.WrongCredentials:
        form.password.errors = [explain_wrong_password()]
    except services.WrongCode:
        with unit_of_work():
            second_factor.count_wrong_code(login.require_viewer().id, now=clock.now())
        form.code.errors = [explain_wrong_code()]
    return []


def _do(proof: services.Proof, wanted: str, code: str) -> list[str]:
    """Do what was asked for; return recovery codes if they were made anew."""
    person, now = services.require(proof), clock.now()
    if services.has_second_factor(person.id):
        second_factor.check(person.id, code, vault=vault(), now=now)
    if wanted == "codes":
        return second_factor.renew_codes(person.id, vault=vault(), now=now)
    if wanted == "off":
        second_factor.remove(person.id, actor_id=person.id, now=now)
    else:
        second_factor.begin(person.id, vault=vault(), now=now)
    return []


@bp.post("/akun/kedua")
@login.signed_in
@login.while_enrolling
@login.accepts(EnrolForm)
def enrol() -> ResponseReturnValue:
    """Put the new secret in force with its first code, and show the recovery codes once."""
    viewer, form = login.require_viewer(), EnrolForm()
    if not form.validate_on_submit():
        return _page(enrol_form=form)
    try:
        with unit_of_work():
            codes = second_factor.enrol(
                viewer.id, form.code.data, token=viewer.token, vault=vault(), now=clock.now()
            )
    except second_factor.NothingBegun:
        flash(_("Waktunya habis. Mulai lagi, lalu pindai kode yang baru."), "info")
        return redirect(url_for(".second_factor"))
    except throttle.TooSoon as error:
        form.code.errors = [explain_wait(error)]
    except services.WrongCode:
        with unit_of_work():
            second_factor.count_wrong_code(viewer.id, now=clock.now())
        form.code.errors = [explain_wrong_code()]
    else:
        return _codes_page(codes)
    return _page(enrol_form=form)


def _codes_page(codes: Sequence[str]) -> ResponseReturnValue:
    # Answered at once, without the usual redirect: what is shown once is kept nowhere, not even
    # in the cookie.
    return render_template("accounts/recovery_codes.html", codes=codes)


def _page(
    *, step_up: StepUpForm | None = None, enrol_form: EnrolForm | None = None
) -> ResponseReturnValue:
    viewer, config = login.require_viewer(), current_app.extensions["suluh"]
    secret = second_factor.waiting_secret(viewer.id, vault=vault(), now=clock.now())
    owner = services.get_person_by_id(viewer.id)
    picture = None
    if secret is not None:
        shown = second_factor.address_of(secret, owner.email, config.host)
        picture = Markup(qr.draw(shown))  # noqa: S704  # numbers of ours, no text of anybody's
    page = render_template(
        "accounts/second_factor.html",
        standing=second_factor.read(viewer.id),
        secret=secret,
        picture=picture,
        email=owner.email,
        required=is_required(),
        must_enrol=viewer.must_enrol,
        step_up=step_up or StepUpForm(formdata=None),
        enrol_form=enrol_form or EnrolForm(formdata=None),
    )
    return make_response(page, 422 if step_up or enrol_form else 200)
