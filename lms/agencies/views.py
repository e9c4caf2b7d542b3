"""Pages of agencies: one's own people, and the check of a paper.

Looking at somebody is written down, and GET never writes: so looks are POST, and they answer with
the page itself. Loading that page again is another look.
"""

from flask import Blueprint, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.agencies import services
from lms.agencies.forms import CheckForm
from lms.core import clock, login
from lms.core.db import unit_of_work
from lms.credentials import gate, words

bp = Blueprint("agencies", __name__, template_folder="templates")

PAGE = 50
"""People on one page of the list."""


@bp.get("/instansi")
@login.role("agency")
def people() -> ResponseReturnValue:
    """List the agency's own people with what their certificates are worth."""
    asked = {key: request.args.get(key, "").strip()[:100] for key in ("cari", "status", "unit")}
    found = services.overview(
        login.require_viewer().id,
        name=asked["cari"],
        standing=asked["status"],
        unit=asked["unit"],
        at=clock.now(),
    )
    page = request.args.get("hal", "")[:6]
    start = PAGE * max(0, int(page) - 1 if page.isdecimal() else 0)
    return render_template("agencies/people.html", found=found, asked=asked, start=start, size=PAGE)


@bp.post("/instansi/orang/<public_id>")
@login.role("agency")
@login.accepts()
def people_open(public_id: str) -> ResponseReturnValue:
    """Show the certificates of one of the agency's people; the person sees that it was asked."""
    with unit_of_work():
        seat, entries = services.open_person(login.require_viewer().id, public_id, now=clock.now())
    return render_template(
        "agencies/people_open.html",
        seat=seat,
        entries=entries,
        words=words,
        here=url_for(".people"),
    )


@bp.get("/instansi/periksa")
@login.role("agency")
def check() -> ResponseReturnValue:
    """Ask for what stands on a paper."""
    return render_template("agencies/check.html", form=CheckForm(formdata=None), answer=None)


@bp.post("/instansi/periksa")
@login.role("agency")
@login.accepts(CheckForm)
def check_paper() -> ResponseReturnValue:
    """Compare a paper with the register; its holder sees that it was asked."""
    viewer, form, now, answer = login.require_viewer(), CheckForm(), clock.now(), None
    if form.validate_on_submit():
        gate.check_code(f"officer {viewer.id}")
        with unit_of_work():
            answer = services.check(viewer.id, asked=form.asked.data, name=form.name.data, now=now)
    page = render_template(
        "agencies/check.html",
        form=form,
        answer=answer,
        now=now,
        words=words,
        here=url_for(".check"),
    )
    return make_response(page, 200 if answer else 422)
