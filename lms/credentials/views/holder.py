"""Pages of one's own certificates."""

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from certificates.codes import normalise
from lms.accounts.exports import take
from lms.core import clock, login
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.i18n import pick
from lms.credentials import services, words
from lms.credentials.register import get_paper, list_looks
from lms.credentials.signatures import list_put_off
from lms.credentials.trails import read_trail
from lms.credentials.views.blueprint import bp, config


@bp.get("/sertifikat")
@login.signed_in
def mine() -> ResponseReturnValue:
    """Show the viewer's certificates, what holds up the next, and who looked."""
    viewer = login.require_viewer()
    outlook = services.get_outlook(viewer.id, clock.now())
    is_learner = viewer.is_any("trainee")
    return render_template(
        "credentials/mine.html",
        held=outlook.held[::-1],
        ahead=_ahead(outlook) if is_learner else [],
        put_off=list_put_off(viewer.id) if is_learner else [],
        looks=list_looks(viewer.id),
        words=words,
        base_url=config().base_url,
    )


def _ahead(outlook: services.Outlook) -> list[tuple[services.Progress, list[str]]]:
    """Return the schemes somebody has not reached yet, each with what is missing in words."""
    titles = {p.scheme.code: pick(p.scheme.title, p.scheme.title_en) for p in outlook.progress}
    return [
        (p, words.missing_in_words(p.judgement.missing, outlook.standard, titles))
        for p in outlook.progress
        if p.is_ahead
    ]


@bp.get("/sertifikat/<code>/berkas")
@login.signed_in
@login.about_people
def download(code: str) -> ResponseReturnValue:
    """Answer with the paper as it was issued; whoever takes another's leaves a mark in its name."""
    document, is_own = get_paper(code, login.require_viewer())
    response = Response(document.body, mimetype=document.media_type)
    # A neutral name: the file may stay on a shared device.
    name = f"sertifikat-{normalise(code)}"
    if not is_own:
        name = take(_("Sertifikat %(code)s", code=str(normalise(code)))).name(name)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    return response


WHOLE = "semua"
"""All units at once, to be printed."""


@bp.get("/sertifikat/<code>/jejak")
@login.signed_in
def trail(code: str) -> ResponseReturnValue:
    """Show what a certificate rests on: unit, elemen, criterion, and every row of evidence."""
    found = read_trail(code, login.require_viewer(), now=clock.now())
    asked = request.args.get("unit") or found.units[0].unit.number
    shown = (
        found.units if asked == WHOLE else [one for one in found.units if one.unit.number == asked]
    )
    if not shown:
        raise NotFound(asked)
    return render_template(
        "credentials/trail.html",
        trail=found,
        shown=shown,
        asked=asked,
        whole=WHOLE,
        kinds=words.kind_name,
        quality=words.quality_name,
    )
