"""What people do themselves: show the code of the moment, see their own attendance."""

from datetime import datetime

from flask import flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from lms.accounts.door import explain_wait
from lms.core import clock, login, throttle
from lms.core.db import unit_of_work
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.practice.attendance import checkin, rules, tickets
from lms.practice.attendance.checkin import CheckIn, Result
from lms.practice.attendance.forms import CodeForm, ConfirmForm
from lms.practice.attendance.views.blueprint import bp, half_name, mark_words


@bp.get("/hadir")
@login.signed_in
def mine() -> ResponseReturnValue:
    """Show one's own attendance, and the form for the code on the screen."""
    return _page(CodeForm(formdata=None))


@bp.post("/hadir")
@login.signed_in
@login.accepts(CodeForm)
def type_code() -> ResponseReturnValue:
    """Note oneself by a code that was typed."""
    form = CodeForm()
    if not form.validate_on_submit():
        return _page(form), 422
    ticket, now = tickets.read(), clock.now()
    problem = _try(None, rules.normal_code(form.kode.data), ticket, now)
    if problem:
        form.kode.errors = [problem]
        return _page(form), 422
    return tickets.keep(make_response(redirect(url_for(".mine"))), ticket)


@bp.get("/hadir/<slug>/<code>")
@login.public
def scanned(slug: str, code: str) -> ResponseReturnValue:
    """Show the button under a code that was scanned; whoever is not signed in does that first."""
    viewer = login.viewer()
    if viewer is not None and not checkin.has_seat(slug, viewer.id):
        raise NotFound(slug)
    now = clock.now()
    ticket = tickets.show(
        tickets.read(), slug, rules.normal_code(code), viewer.public_id if viewer else "", now
    )
    page = render_template(
        "attendance/scanned.html", slug=slug, code=code, form=ConfirmForm(formdata=None)
    )
    return tickets.keep(make_response(page), ticket)


@bp.post("/hadir/<slug>/<code>")
@login.signed_in
@login.accepts(ConfirmForm)
def confirm(slug: str, code: str) -> ResponseReturnValue:
    """Note oneself by the code that was scanned."""
    viewer = login.require_viewer()
    if not checkin.has_seat(slug, viewer.id):
        raise NotFound(slug)
    form, ticket = ConfirmForm(), tickets.read()
    problem = _try(slug, rules.normal_code(code), ticket, clock.now())
    if problem:
        page = render_template(
            "attendance/scanned.html", slug=slug, code=code, form=form, problem=problem
        )
        return page, 422
    return tickets.keep(make_response(redirect(url_for(".mine"))), ticket)


def _try(slug: str | None, code: str, ticket: tickets.Ticket, now: datetime) -> str:
    """Show a code; return what to do when it does not work, else nothing."""
    viewer = login.require_viewer()
    try:
        with unit_of_work():
            found = checkin.check_in(
                code,
                slug=slug,
                person_id=viewer.id,
                shown_at=ticket.shown_at(slug or "", code, viewer.public_id, now),
                device=ticket.device_hash,
                secret=tickets.secret(),
                now=now,
            )
    except throttle.TooSoon as error:
        return explain_wait(error)
    except checkin.OwnClass:
        return _("Anda yang membuka kode ini. Minta rekan pelatih mencatat kehadiran Anda.")
    except checkin.WrongCode:
        with unit_of_work():
            checkin.count_wrong(viewer.id, now=now)
        return _(
            "Kode ini belum cocok atau sudah berganti. Lihat kode yang sedang tampil di layar, "
            "lalu ketik atau pindai lagi."
        )
    flash(_say(found), "success" if found.result is not Result.BY_TRAINER else "info")
    return ""


def _say(found: CheckIn) -> str:
    half, words = half_name(found.half), mark_words(found.mark)
    if found.result is Result.RECORDED:
        return _("Tercatat: %(half)s, %(mark)s.", half=half, mark=words)
    if found.result is Result.ALREADY:
        return _("Anda sudah tercatat: %(half)s, %(mark)s.", half=half, mark=words)
    return _(
        "Pelatih mencatat lain: %(half)s, %(mark)s. Bicarakan dengan pelatih bila keliru.",
        half=half,
        mark=words,
    )


def _page(form: CodeForm) -> str:
    return render_template(
        "attendance/mine.html",
        form=form,
        classes=checkin.list_mine(login.require_viewer().id, now=clock.now()),
        here=url_for(".mine"),
    )
