"""The administrator's register."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form

from lms.core import clock, http, login
from lms.core.db import unit_of_work
from lms.core.forms import strip
from lms.core.i18n import gettext as _
from lms.credentials import paper, revocations, rules, services, words
from lms.credentials.forms import DeclineForm, RevokeForm
from lms.credentials.models import Certificate
from lms.credentials.register import get_record, list_register
from lms.credentials.views.blueprint import REFUSALS, bp, config, explain

PAGE = 50
"""Certificates on one page of the register."""


@bp.get("/admin/sertifikat")
@login.role("admin")
def register() -> ResponseReturnValue:
    """List certificates, newest first, with search, and the revocations that wait."""
    search = strip(request.args.get("cari"))[:100]
    entries = list_register(
        search=search,
        before=http.asked_id("sebelum"),
        at=clock.now(),
        limit=PAGE,
    )
    return render_template(
        "credentials/register.html",
        entries=entries,
        search=search,
        full=len(entries) == PAGE,
        asked=revocations.list_open(),
        words=words,
    )


@bp.get("/admin/sertifikat/<code>")
@login.role("admin")
def entry(code: str) -> ResponseReturnValue:
    """Show one certificate with its history."""
    return _entry_page(code)


@bp.post("/admin/sertifikat/<code>/cabut")
@login.role("admin")
@login.accepts(RevokeForm)
def revoke(code: str) -> ResponseReturnValue:
    """Ask to take a certificate back; where one person is enough, take it back."""
    form = RevokeForm()
    if not form.validate_on_submit():
        return make_response(_entry_page(code, form), 422)
    act = revocations.request_revocation if config().two_person_revoke else services.revoke
    try:
        with unit_of_work():
            act(
                code,
                reason_public=rules.Reason(form.reason.data),
                reason_internal=form.note.data,
                by_id=login.require_viewer().id,
                now=clock.now(),
            )
    except REFUSALS as error:
        form.form_errors.append(explain(error))
        return make_response(_entry_page(code, form), 422)
    if config().two_person_revoke:
        flash(_("Pencabutan diminta. Administrator lain perlu mengesahkannya."), "success")
    else:
        flash(_("Sertifikat dicabut. Halaman pemeriksaan sudah mengatakannya."), "success")
    return redirect(url_for(".entry", code=code))


@bp.post("/admin/sertifikat/<code>/cabut/sahkan")
@login.role("admin")
@login.accepts()
def confirm_revocation(code: str) -> ResponseReturnValue:
    """Revoke what another administrator asked to revoke."""
    try:
        with unit_of_work():
            revocations.confirm_revocation(code, by_id=login.require_viewer().id, now=clock.now())
    except REFUSALS as error:
        flash(explain(error), "error")
    else:
        flash(_("Sertifikat dicabut. Halaman pemeriksaan sudah mengatakannya."), "success")
    return redirect(url_for(".entry", code=code))


@bp.post("/admin/sertifikat/<code>/cabut/tolak")
@login.role("admin")
@login.accepts(DeclineForm)
def decline_revocation(code: str) -> ResponseReturnValue:
    """Leave a certificate as it is although somebody asked to revoke it."""
    form = DeclineForm()
    if not form.validate_on_submit():
        return make_response(_entry_page(code, declining=form), 422)
    try:
        with unit_of_work():
            revocations.decline_revocation(
                code, note=form.note.data, by_id=login.require_viewer().id, now=clock.now()
            )
    except REFUSALS as error:
        flash(explain(error), "error")
    else:
        flash(_("Permintaan ditolak. Sertifikat tetap seperti semula."), "success")
    return redirect(url_for(".entry", code=code))


@bp.post("/admin/sertifikat/<code>/terbitkan-ulang")
@login.role("admin")
@login.accepts()
def reissue(code: str) -> ResponseReturnValue:
    """Replace a certificate by one with the holder's present name."""
    try:
        code = _reissue(code)
    except REFUSALS as error:
        flash(explain(error), "error")
    else:
        flash(_("Sertifikat terbit ulang dengan nama sekarang."), "success")
    return redirect(url_for(".entry", code=code))


def _reissue(code: str) -> str:
    """Draw the paper, then store it: nobody waits for the drawing."""
    paper.warm_up()
    base_url = config().base_url
    drawn = services.draft_correction(code, now=clock.now(), base_url=base_url)
    with unit_of_work():
        new: Certificate = services.reissue(
            code,
            by_id=login.require_viewer().id,
            now=clock.now(),
            base_url=base_url,
            drawn=drawn,
        )
        return new.code


def _entry_page(code: str, form: Form | None = None, *, declining: Form | None = None) -> str:
    return render_template(
        "credentials/entry.html",
        record=get_record(code, clock.now()),
        form=form or RevokeForm(formdata=None),
        declining=declining or DeclineForm(formdata=None),
        asked=revocations.list_requests(code),
        two_persons=config().two_person_revoke,
        alone=not revocations.has_second_person(),
        words=words,
    )
