"""The page of a class for the people in it, and the calendars they take along."""

from flask import (
    Response,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue

from lms.cohorts import agenda as classes
from lms.cohorts import feeds, ics, labels, services
from lms.cohorts.curricula import list_offers
from lms.cohorts.views.blueprint import bp
from lms.core import clock, login
from lms.core.db import unit_of_work
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.i18n import language

FRESH_CALENDAR = "calendar"
"""Where the browser's session keeps a new address until the next page shows it, once."""
FRESH_FOR = 900
"""Seconds a program may keep a calendar before it asks again."""


@bp.get("/angkatan/<slug>/agenda")
@login.signed_in
def agenda(slug: str) -> ResponseReturnValue:
    """Show the agenda of a class with place, contact and material; it prints on one page."""
    found = classes.look(slug, login.require_viewer(), now=clock.now())
    return render_template(
        "cohorts/agenda.html",
        found=found,
        agenda=classes.read_agenda(found),
        offers={one.code: one for one in list_offers()},
        labels=labels,
    )


@bp.get("/angkatan/<slug>/agenda.ics")
@login.signed_in
def agenda_file(slug: str) -> ResponseReturnValue:
    """Send the days of a class as a file for the calendar of this device."""
    found = classes.look(slug, login.require_viewer(), now=clock.now())
    if found.is_insider:
        events = feeds.class_events(found.cohort.id)
    else:
        own = feeds.own_events(found.person_id, now=clock.now())
        events = tuple(event for event in own if event.slug == slug)
    response = _calendar(feeds.Calendar(language(), events))
    response.headers["Content-Disposition"] = f'attachment; filename="kelas-{slug}.ics"'
    return response


@bp.get("/kalender/<token>.ics")
@login.public
def calendar(token: str) -> ResponseReturnValue:
    """Answer a calendar program that knows a secret address."""
    response = _calendar(feeds.read_calendar(token, now=clock.now()))
    response.headers["Cache-Control"] = f"private, max-age={FRESH_FOR}"
    response.add_etag()
    return response.make_conditional(request)


def _calendar(found: feeds.Calendar) -> Response:
    config = current_app.extensions["suluh"]
    body = ics.write(found, base_url=config.base_url, host=config.host)
    return Response(body, content_type="text/calendar; charset=utf-8")


@bp.get("/akun/kalender")
@login.signed_in
def calendars() -> ResponseReturnValue:
    """Show which calendar addresses are in force; a new one is shown once."""
    viewer = login.require_viewer()
    return render_template(
        "cohorts/calendars.html",
        feeds=feeds.list_feeds(viewer.id),
        fresh=session.pop(FRESH_CALENDAR, None),
    )


@bp.post("/akun/kalender")
@login.signed_in
@login.accepts("kelas")
def calendar_new() -> ResponseReturnValue:
    """Make a secret address, for the own sessions or for a class; the one before it ends."""
    viewer, now = login.require_viewer(), clock.now()
    with unit_of_work():
        cohort_id = _asked_class(viewer)
        token = feeds.make_feed(viewer.id, cohort_id, now=now)
    base = current_app.extensions["suluh"].base_url
    session[FRESH_CALENDAR] = f"{base}/kalender/{token}.ics"
    flash(_("Alamat kalender dibuat."), "success")
    return redirect(url_for(".calendars"))


@bp.post("/akun/kalender/akhiri")
@login.signed_in
@login.accepts("kelas")
def calendar_end() -> ResponseReturnValue:
    """End a secret address."""
    viewer, now = login.require_viewer(), clock.now()
    slug = request.form.get("kelas", "")
    with unit_of_work():
        cohort_id = services.get_cohort_by_slug(slug).id if slug else None
        feeds.end_feed(viewer.id, cohort_id, now=now)
    flash(
        _("Alamat kalender berakhir. Program yang memakainya tidak lagi menerima apa pun."),
        "success",
    )
    return redirect(url_for(".calendars"))


def _asked_class(viewer: login.Viewer) -> int | None:
    """Return the class whose calendar is asked for; None for the own one. Raises NotFound."""
    slug = request.form.get("kelas", "")
    if not slug:
        return None
    cohort = services.get_cohort_by_slug(slug)
    if not feeds.may_make_class_feed(viewer, cohort.id):
        raise NotFound(slug)
    return cohort.id
