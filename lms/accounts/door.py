"""The way in: what every page that checks a password or begins a session shares."""

from datetime import timedelta

from argon2 import PasswordHasher
from flask import current_app, redirect, session, url_for
from werkzeug.wrappers import Response

from lms.accounts import rules, services
from lms.core import http, login, throttle
from lms.core.i18n import gettext as _

DEVICE_COOKIE = "suluh-device"
DEVICE_REMEMBERED = timedelta(days=180)


def hasher() -> PasswordHasher:
    """Return the password hasher of this installation."""
    config = current_app.extensions["suluh"]
    return services.hasher(config.argon2_memory_kib, config.argon2_rounds)


def safe_next(target: str | None) -> str:
    """Return `target` when it is an address of this site, else the home page."""
    return http.same_site(target) or url_for("pages.home")


def enter(signed_in: services.SignedIn, target: str, *, own_device: bool = False) -> Response:
    """Begin the browser's session and send it to `target`.

    On a device that others use too, nothing outlives the browser window.
    """
    login.start(signed_in.viewer)
    session.permanent = own_device
    response = redirect(target)
    if not own_device:
        response.delete_cookie(DEVICE_COOKIE)
    elif signed_in.device_token:
        response.set_cookie(
            DEVICE_COOKIE,
            signed_in.device_token,
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
