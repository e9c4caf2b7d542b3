"""Everybody's check of a certificate."""

from flask import make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.core import clock, http, login
from lms.credentials import gate, words
from lms.credentials.forms import NameCheckForm
from lms.credentials.register import find_by_code
from lms.credentials.views.blueprint import bp, config


@bp.get("/C")
@bp.get("/c")
@login.public
@http.takes_any_text
def ask() -> ResponseReturnValue:
    """Ask for a code, or answer for the one that was typed."""
    typed = request.args.get("kode")
    if typed is None:
        return render_template("credentials/ask.html")
    return _verdict_page(typed)


@bp.get("/C/<path:code>")
@bp.get("/c/<path:code>")
@login.public
@http.takes_any_text
def verify(code: str) -> ResponseReturnValue:
    """Say what a certificate is worth, without saying whose it is."""
    return _verdict_page(code)


@bp.post("/c/<path:code>")
@login.public
@login.accepts(NameCheckForm)
@http.takes_any_text
def match(code: str) -> ResponseReturnValue:
    """Compare a typed name with the one on the paper. Nothing is stored, so nothing redirects."""
    form = NameCheckForm()
    valid = form.validate_on_submit()
    return make_response(_verdict_page(code, form, compare=valid), 200 if valid else 422)


def _verdict_page(code: str, form: NameCheckForm | None = None, *, compare: bool = False) -> str:
    """Answer for one code. Every code without a certificate gets the same bytes."""
    address = request.remote_addr or ""
    gate.check_code(address)
    now = clock.now()
    found = find_by_code(code, now)
    matched = None
    if found is None:
        form = None  # there is nothing to compare a name with, and no need of a cookie
    elif form is None:
        form = NameCheckForm(formdata=None)
    elif compare:
        gate.check_name(address, found.entry.code)
        matched = found.entry.is_held_by(form.name.data)
    return render_template(
        "credentials/verify.html",
        found=found,
        matched=matched,
        form=form,
        now=now,
        host=config().host,
        words=words,
        here=url_for(".verify", code=found.entry.code) if found else url_for(".ask"),
    )
