"""Pages that belong to everybody: home, help, safety, privacy, exit, language, health."""

from flask import Blueprint, jsonify, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import text

from lms.accounts import services as accounts
from lms.core import clock, login
from lms.core.db import db, unit_of_work
from lms.core.i18n import LANGUAGES

bp = Blueprint("pages", __name__, template_folder="templates")


@bp.get("/")
@login.signed_in
def home() -> ResponseReturnValue:
    """Show what is next."""
    return render_template("pages/home.html")


@bp.get("/bantuan")
@login.public
def help() -> ResponseReturnValue:
    """Show where help is."""
    return render_template("pages/help.html")


@bp.get("/aman")
@login.public
def safety() -> ResponseReturnValue:
    """Say how to use the site when somebody watches."""
    return render_template("pages/safety.html")


@bp.get("/privasi")
@login.public
def privacy() -> ResponseReturnValue:
    """Say what is stored and who sees it."""
    return render_template("pages/privacy.html")


@bp.post("/keluar-cepat")
@login.public
@login.accepts()
def quick_exit() -> ResponseReturnValue:
    """End the session and show a page that says nothing and leaves."""
    viewer = login.viewer()
    if viewer is not None:
        with unit_of_work():
            accounts.end_session(viewer.token, now=clock.now())
    login.end()
    response = redirect(url_for(".home"))
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


@bp.post("/bahasa")
@login.public
@login.accepts("lang", "next")
def language() -> ResponseReturnValue:
    """Change the language of this browser, and of the account when signed in."""
    lang = request.form.get("lang", "")
    if lang in LANGUAGES:
        session["lang"] = lang
        viewer = login.viewer()
        if viewer is not None:
            with unit_of_work():
                accounts.set_locale(viewer.id, lang)
    return redirect("/")


@bp.get("/healthz")
@login.public
def health() -> ResponseReturnValue:
    """Say whether the process and its database answer."""
    db.session.execute(text("SELECT 1"))
    return jsonify(ok=True)
