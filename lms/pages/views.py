"""Pages that belong to everybody: home, help, safety, privacy, exit, language, health."""

import hmac
from datetime import date
from functools import partial

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from lms.accounts import exports
from lms.accounts import services as accounts
from lms.agencies import desk as agencies
from lms.core import clock, http, login, mail, sheets
from lms.core.audit import head
from lms.core.db import db, unit_of_work
from lms.core.i18n import LANGUAGES, local
from lms.core.meters import find as find_meters
from lms.core.readonly import ReadOnly
from lms.pages import desk, directory, probes, rules, services, trail
from lms.pages.system import hide_personal_links, read_system
from lms.reviews import labels as kinds

bp = Blueprint("pages", __name__, template_folder="templates")

AWAY = "https://www.google.com/"
"""Where the quick exit leads: the page a phone shows most often."""
LAW_READ_ON = date(2026, 11, 21)
"""When UU 27/2022 was last read for the page on privacy."""
PAGE = 50
"""Messages or events on one page of a list."""


@bp.get("/")
@login.signed_in
def home() -> ResponseReturnValue:
    """Show what is next, for every role of the viewer."""
    viewer, now = login.require_viewer(), clock.now()
    learner = services.read_learner(viewer.id, now=now) if "trainee" in viewer.roles else None
    zone = learner.cohort.zone if learner and learner.cohort else None
    return render_template(
        "pages/home.html",
        name=rules.short_name(viewer.name),
        part=rules.part_of_day(local(now, zone).hour),
        today=local(now, zone).date(),
        zone=zone,
        learner=learner,
        trainer=desk.read(viewer, now=now, today=local(now, zone).date())
        if viewer.is_any("trainer", "assessor")
        else None,
        talks=services.read_talks(viewer.id, now=now) if "speaker" in viewer.roles else None,
        agency=agencies.read(viewer.id, now=now, zone=clock.ZONES[_zone()])
        if "agency" in viewer.roles
        else None,
        content=services.read_content() if viewer.is_any("author", "reviewer") else None,
        kinds=[(kind, kinds.KINDS[kind], word) for kind, word in kinds.ADDRESSES.items()],
        setup=_read_setup(viewer) if "admin" in viewer.roles else None,
    )


def _zone() -> str:
    zone: str = current_app.extensions["suluh"].zone
    return zone


def _read_setup(viewer: login.Viewer) -> services.Administration:
    sends_mail = current_app.extensions["suluh"].smtp_url is not None
    return services.read_administration(viewer, sends_mail=sends_mail)


@bp.get("/bantuan")
@login.public
def help() -> ResponseReturnValue:
    """Show where help is."""
    found = directory.load(current_app.extensions["suluh"].content_dir)
    return render_template(
        "pages/help.html",
        directory=found,
        groups=directory.by_kind(found.services),
        kinds=directory.KINDS,
        is_stale=partial(directory.is_stale, today=local(clock.now()).date()),
    )


@bp.get("/aman")
@login.public
def safety() -> ResponseReturnValue:
    """Say how to use the site when somebody watches."""
    config = current_app.extensions["suluh"]
    return render_template(
        "pages/safety.html", sender=config.mail_from if config.smtp_url else None
    )


@bp.get("/privasi")
@login.public
def privacy() -> ResponseReturnValue:
    """Say what is stored and who sees it."""
    return render_template("pages/privacy.html", checked_on=LAW_READ_ON)


@bp.post("/keluar-cepat")
@login.public
@login.accepts()
def quick_exit() -> ResponseReturnValue:
    """End the session and answer with a page that says nothing and leaves at once."""
    token = login.leave()
    if token:
        try:
            with unit_of_work():
                accounts.end_session(token, now=clock.now())
        except (SQLAlchemyError, ReadOnly):
            # Leaving comes first: the browser holds nothing any more, the session runs out alone.
            current_app.logger.exception("a session could not be ended")
    response = make_response(render_template("pages/exit.html", away=AWAY))
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
    return redirect(http.same_site(request.form.get("next")) or url_for(".home"))


@bp.get("/healthz")
@login.public
def health() -> ResponseReturnValue:
    """Say whether the process and its database answer."""
    db.session.execute(text("SELECT 1"))
    return jsonify(ok=True)


@bp.get("/readyz")
@login.public
def ready() -> ResponseReturnValue:
    """Say whether people can work: tables, writing, disk, read-only. 503 when they cannot."""
    try:
        found = probes.read_readiness()
    except SQLAlchemyError:
        return jsonify(ready=False, database="down"), 503
    return jsonify(ready=found.is_ready, **found.checks), 200 if found.is_ready else 503


@bp.get("/metrics")
@login.public
def metrics() -> ResponseReturnValue:
    """Answer Prometheus, if it has the token; without one in the settings there is nothing here."""
    meters, token = find_meters(), current_app.extensions["suluh"].metrics_token
    if meters is None:
        abort(404)
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not hmac.compare_digest(given.encode(), token.encode()):
        return Response("401\n", 401, {"WWW-Authenticate": "Bearer"}, mimetype="text/plain")
    return Response(meters.render(probes.gauges()), content_type="text/plain; version=0.0.4")


@bp.get("/admin/sistem")
@login.role("admin")
def system() -> ResponseReturnValue:
    """Show the state of the installation."""
    config = current_app.extensions["suluh"]
    return render_template(
        "pages/system.html",
        system=read_system(),
        sends_mail=config.smtp_url is not None,
        is_demo=config.demo,
        host=config.host,
    )


@bp.get("/admin/surat")
@login.role("admin")
def outbox() -> ResponseReturnValue:
    """List messages, newest first, with what became of them."""
    before = http.asked_id("sebelum")
    found = mail.list_outbox(before=before, limit=PAGE + 1)
    return render_template(
        "pages/outbox.html",
        letters=found[:PAGE],
        following=found[PAGE - 1].id if len(found) > PAGE else None,
        before=before,
        retries=mail.RETRIES,
        hide=hide_personal_links,
        sends_mail=current_app.extensions["suluh"].smtp_url is not None,
    )


@bp.get("/admin/catatan")
@login.role("admin")
def audit() -> ResponseReturnValue:
    """List what changed somebody's rights or results, newest first."""
    before, asked = http.asked_id("sebelum"), asked_events()
    found = asked.list_events(before=before, limit=PAGE + 1)
    events = found[:PAGE]
    pasted = request.args.get("rujukan", "").strip()[:300]
    taking = exports.find(pasted) if pasted else None
    shown = [*events, taking.event] if taking and taking.event else events
    return render_template(
        "pages/audit.html",
        events=events,
        names=accounts.names_of({one.actor_id for one in shown if one.actor_id}),
        following=found[PAGE - 1].id if len(found) > PAGE else None,
        before=before,
        asked=asked,
        pasted=pasted,
        taking=taking,
        groups=trail.groups(asked.action),
        sentence=trail.sentence,
        head=head(),
    )


@bp.get("/admin/catatan.csv")
@login.role("admin")
@login.about_people
def audit_file() -> ResponseReturnValue:
    """Answer with the same list as a file, all of it."""
    rows = trail.rows(asked_events())
    return sheets.answer_csv("catatan-perubahan", trail.columns(), rows, exports.take())


def asked_events() -> trail.Filter:
    """Return the filter that stands in the address."""
    return trail.Filter(
        action=request.args.get("tindakan", "").strip()[:60],
        subject=request.args.get("tentang", "").strip()[:60],
        since=trail.read_day(request.args.get("dari", "")),
        until=trail.read_day(request.args.get("sampai", "")),
    )
