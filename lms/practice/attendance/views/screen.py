"""The code on the big screen, and who has come in by it."""

from datetime import datetime, timedelta

from flask import Response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.cohorts.models import Cohort
from lms.core import clock, login
from lms.core.clock import ZONES
from lms.core.db import unit_of_work
from lms.core.errors import NotFound
from lms.practice.attendance import checkin, pictures, rules, services, tickets
from lms.practice.attendance.forms import CloseForm, OpenForm
from lms.practice.attendance.views.blueprint import bp, get_cohort

LIVE = 5
"""Seconds after which the page asks again, if the code does not change before."""


@bp.get("/angkatan/<slug>/hadir/kode")
@login.role("trainer")
def screen(slug: str) -> ResponseReturnValue:
    """Show the code of the moment, or the form that opens the half day.

    The countdown runs in the page. Where no script does, the page names the hour at which the
    exercise ends, and the hour until which there is a break.
    """
    cohort, key = get_cohort(slug), request.args.get("bagian")
    asked = request.args.get("menit") or request.args.get("latihan", "")
    minutes = rules.read_minutes(asked)
    if minutes is not None:
        until = rules.hour_after(_local(cohort), minutes)
        return redirect(url_for(".screen", slug=slug, bagian=key, sampai=f"{until:%H:%M}"))
    return _page(cohort, key, None)


@bp.get("/angkatan/<slug>/hadir/kode.svg")
@login.role("trainer")
def picture(slug: str) -> ResponseReturnValue:
    """Draw the code of the moment as a QR code."""
    cohort = get_cohort(slug)
    code = checkin.get_code(
        cohort, request.args.get("bagian", ""), secret=tickets.secret(), now=clock.now()
    )
    if code is None:
        raise NotFound(slug)
    return Response(pictures.qr(pictures.address(slug, code)), mimetype="image/svg+xml")


@bp.post("/angkatan/<slug>/hadir/buka")
@login.role("trainer")
@login.accepts(OpenForm)
def open_half(slug: str) -> ResponseReturnValue:
    """Let people note themselves by the code."""
    cohort, form = get_cohort(slug), OpenForm()
    if not form.validate_on_submit():
        return _page(cohort, form.bagian.data, form), 422
    with unit_of_work():
        checkin.open_half(
            get_cohort(slug),
            form.bagian.data,
            checkin.Begin(form.mulai.data, form.toleransi.data),
            actor_id=login.require_viewer().id,
            now=clock.now(),
        )
    return redirect(url_for(".screen", slug=slug, bagian=form.bagian.data))


@bp.post("/angkatan/<slug>/hadir/tutup")
@login.role("trainer")
@login.accepts(CloseForm)
def close_half(slug: str) -> ResponseReturnValue:
    """Take no codes any more."""
    form = CloseForm()
    with unit_of_work():
        checkin.close_half(
            get_cohort(slug),
            form.bagian.data,
            actor_id=login.require_viewer().id,
            now=clock.now(),
        )
    return redirect(url_for(".screen", slug=slug, bagian=form.bagian.data))


@bp.get("/angkatan/<slug>/hadir/langsung")
@login.role("trainer")
def arrivals(slug: str) -> ResponseReturnValue:
    """Show who has just noted themselves, with a way to take it back."""
    cohort, now = get_cohort(slug), clock.now()
    table = services.timetable_of(cohort)
    half = table.choose(cohort, request.args.get("bagian"), now)
    return render_template(
        "attendance/arrivals.html",
        cohort=cohort,
        half=half,
        arrivals=checkin.list_arrivals(cohort, half),
        viewer_id=login.require_viewer().public_id,
        again=LIVE,
    )


def _local(cohort: Cohort) -> datetime:
    return clock.now().astimezone(ZONES[cohort.zone])


def _page(cohort: Cohort, key: str | None, form: OpenForm | None) -> str:
    found = checkin.get_screen(cohort, key, secret=tickets.secret(), now=clock.now())
    if form is None:
        form = OpenForm(formdata=None, mulai=found.begin.at, toleransi=found.begin.late_after)
    return render_template(
        "attendance/screen.html",
        cohort=cohort,
        screen=found,
        form=form,
        address=pictures.address(cohort.slug, ""),
        again=min(LIVE, found.seconds),
        here=url_for(".screen", slug=cohort.slug, bagian=found.half.half.key),
        exercises=rules.EXERCISES,
        longest=rules.LONGEST_EXERCISE,
        until=rules.read_hour(request.args.get("sampai", "")),
        back_at=rules.read_hour(request.args.get("jeda", "")),
        rest=rules.BREAK,
        step=rules.ROUNDED,
        proposed=rules.hour_after(_local(cohort), rules.BREAK, rules.ROUNDED),
        offset=ZONES[cohort.zone].utcoffset(None) // timedelta(minutes=1),
    )
