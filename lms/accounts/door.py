"""The way in: what every page that checks a password or begins a session shares."""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from argon2 import PasswordHasher
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
from werkzeug.wrappers import Response

from lms.accounts import resets, rules, services
from lms.accounts.vault import Vault
from lms.core import http, login, throttle
from lms.core.db import unit_of_work
from lms.core.i18n import gettext as _
from lms.core.i18n import ngettext

R = TypeVar("R")
HALF, HALF_TARGET, HALF_OWN = "half", "half-target", "half-own"
"""Where the browser keeps a sign-in that waits for its code: token, where to go, whose device."""
TRIES = 3
DEVICE_COOKIE = "suluh-device"
DEVICE_REMEMBERED = timedelta(days=180)


def hasher() -> PasswordHasher:
    """Return the password hasher of this installation."""
    config = current_app.extensions["suluh"]
    return services.hasher(config.argon2_memory_kib, config.argon2_rounds)


def vault() -> Vault:
    """Return what seals the secrets of this installation."""
    return Vault(current_app.extensions["suluh"].secret_key)


def agent() -> str:
    """Return browser and system of this request in words."""
    return rules.device_words(request.user_agent.string[:400])


def with_proof(check: Callable[[], services.Proof], use: Callable[[services.Proof], R]) -> R:
    """Check a password, then use the proof in a unit of work; once more if it moved meanwhile.

    Checking costs tens of milliseconds, and while SQLite writes for one everybody else waits: so
    it is done before. Raises what both raise.
    """
    for _try in range(TRIES):
        proof = check()
        try:
            with unit_of_work():
                return use(proof)
        except services.PasswordMoved:
            continue
    raise services.WrongCredentials


def slip(printed: resets.Printed, back: str) -> Response:
    """Answer with the sheet that carries a code. It is shown once and kept nowhere."""
    page = render_template(
        "accounts/slip.html",
        printed=printed,
        address=f"{current_app.extensions['suluh'].base_url}{url_for('accounts.renew_by_code')}",
        back=back,
    )
    return make_response(page)


def safe_next(target: str | None) -> str:
    """Return `target` when it is an address of this site, else the home page."""
    return http.same_site(target) or url_for("pages.home")


def enter(entry: services.Entry, target: str, *, own_device: bool = False) -> Response:
    """Begin the browser's session and send it to `target`, by way of the code if there is one.

    On a device that others use too, nothing outlives the browser window.
    """
    if isinstance(entry, services.HalfSignedIn):
        login.clear()
        session[HALF], session[HALF_TARGET], session[HALF_OWN] = entry.token, target, own_device
        return redirect(url_for("accounts.second_step"))
    login.start(entry.viewer)
    session.permanent = own_device
    if entry.others:
        flash(
            ngettext(
                "Akun Anda masih terbuka di %(num)d tempat lain. Lihat Perangkat di halaman akun.",
                "Akun Anda masih terbuka di %(num)d tempat lain. Lihat Perangkat di halaman akun.",
                entry.others,
            ),
            "info",
        )
    response = redirect(target)
    if not own_device:
        response.delete_cookie(DEVICE_COOKIE)
    elif entry.device_token:
        response.set_cookie(
            DEVICE_COOKIE,
            entry.device_token,
            max_age=DEVICE_REMEMBERED,
            httponly=True,
            samesite="Lax",
            secure=current_app.extensions["suluh"].https,
        )
    return response


def explain_password(error: rules.WeakPassword) -> str:
    """Say what a better password would be."""
    if str(error) == "length":
        return _("Gunakan 10 sampai 128 huruf. Beberapa kata yang mudah Anda ingat sudah cukup.")
    return _("Kata sandi ini mudah ditebak. Gunakan beberapa kata lain yang hanya Anda tahu.")


def explain_wait(error: throttle.TooSoon) -> str:
    """Say how long to wait."""
    return _("Terlalu banyak percobaan. Coba lagi dalam %(seconds)d detik.", seconds=error.seconds)


def explain_wrong_code() -> str:
    """Say that the code of a second factor does not fit."""
    return _("Kode belum cocok. Tunggu kode berikutnya di aplikasi, lalu coba lagi.")


def explain_wrong_password() -> str:
    """Say that the password of somebody signed in does not fit."""
    return _("Kata sandi sekarang belum cocok.")
