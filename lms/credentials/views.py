"""Pages of the register: for holders, deciding trainers, administrators, and everybody."""

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from certificates.codes import normalise
from lms.cohorts import services as cohorts
from lms.cohorts.models import Part
from lms.config import Config
from lms.core import clock, http, login
from lms.core.db import unit_of_work
from lms.core.errors import DomainError
from lms.core.forms import strip
from lms.core.i18n import gettext as _
from lms.core.i18n import pick
from lms.credentials import gate, paper, rules, schemes, services, words
from lms.credentials.forms import NameCheckForm, RevokeForm, SignForm
from lms.credentials.register import (
    find_by_code,
    get_document,
    get_record,
    list_looks,
    list_register,
)

bp = Blueprint("credentials", __name__, template_folder="templates")
bp.record_once(lambda state: gate.init_app(state.app))

REFUSALS = (
    services.NotReady,
    cohorts.MayNotAssess,
    rules.AlreadyIssued,
    rules.RevokedForViolation,
    services.NotInForce,
    services.NothingToCorrect,
    paper.DoesNotFitOnPaper,
)


def config() -> Config:
    """Return the settings of this installation."""
    found: Config = current_app.extensions["suluh"]
    return found


def explain(error: DomainError) -> str:
    """Say why a certificate cannot be issued or changed now."""
    known: dict[type[DomainError], str] = {
        services.NotReady: _("Belum semua syarat terpenuhi. Yang masih perlu tertulis di bawah."),
        cohorts.MayNotAssess: _(
            "Anda tidak dapat menandatangani keputusan ini: Anda sendiri, keluarga, atasan langsung"
            " atau bawahan langsungnya. Minta pelatih lain."
        ),
        rules.AlreadyIssued: _(
            "Sertifikat skema ini sudah terbit dan masih berlaku lebih dari 90 hari."
        ),
        rules.RevokedForViolation: _(
            "Sertifikat terakhir dicabut karena pelanggaran. Keputusan baru dapat dibuat setelah"
            " masa berlakunya lewat."
        ),
        services.NotInForce: _("Sertifikat ini tidak berlaku lagi; tidak ada yang diubah."),
        services.NothingToCorrect: _("Nama di sertifikat sudah sama dengan nama di akun."),
    }
    return known.get(
        type(error),
        _(
            "Data kelas atau nama tidak muat di kertas: %(why)s. Perbaiki lalu coba lagi.",
            why=error,
        ),
    )


# One's own certificates


@bp.get("/sertifikat")
@login.signed_in
def mine() -> ResponseReturnValue:
    """Show the viewer's certificates, what is missing for the next, and who looked."""
    viewer = login.require_viewer()
    outlook = services.get_outlook(viewer.id, clock.now())
    return render_template(
        "credentials/mine.html",
        held=outlook.held[::-1],
        ahead=_ahead(outlook) if viewer.is_any("trainee") else [],
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
def download(code: str) -> ResponseReturnValue:
    """Answer with the paper as it was issued."""
    document = get_document(code, login.require_viewer())
    response = Response(document.body, mimetype=document.media_type)
    # A neutral name: the file may stay on a shared device.
    name = f"sertifikat-{normalise(code)}.pdf"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# A trainer's decision


@bp.get("/angkatan/<slug>/peserta/<public_id>/keputusan/<scheme>")
@login.role("trainer")
def decide(slug: str, public_id: str, scheme: str) -> ResponseReturnValue:
    """Show a trainer what the evidence says and what is missing."""
    return _decision_page(slug, public_id, scheme, SignForm(formdata=None))


@bp.post("/angkatan/<slug>/peserta/<public_id>/keputusan/<scheme>")
@login.role("trainer")
@login.accepts(SignForm)
def sign(slug: str, public_id: str, scheme: str) -> ResponseReturnValue:
    """Sign the decision and issue the certificate."""
    viewer, form = login.require_viewer(), SignForm()
    cohort_id = cohorts.get_cohort(slug, viewer, Part.TRAINER).id
    person_id = cohorts.get_seat(cohort_id, public_id).person_id
    if form.validate_on_submit():
        paper.warm_up()
        try:
            with unit_of_work():
                services.issue(
                    person_id,
                    scheme,
                    cohort_id=cohort_id,
                    signer_id=viewer.id,
                    now=clock.now(),
                    base_url=config().base_url,
                    sample=config().demo,
                    language=form.language.data,
                )
        except REFUSALS as error:
            form.form_errors.append(explain(error))
        else:
            flash(_("Keputusan ditandatangani dan sertifikat terbit."), "success")
            return redirect(request.path)
    return make_response(_decision_page(slug, public_id, scheme, form), 422)


def _decision_page(slug: str, public_id: str, scheme: str, form: SignForm) -> str:
    viewer, now = login.require_viewer(), clock.now()
    cohort = cohorts.get_cohort(slug, viewer, Part.TRAINER)
    seat = cohorts.get_seat(cohort.id, public_id)
    deciding = services.prepare_decision(seat.person_id, scheme, viewer.id, now)
    titles = {s.code: pick(s.title, s.title_en) for s in schemes.list_schemes()}
    return render_template(
        "credentials/decide.html",
        cohort=cohort,
        seat=seat,
        deciding=deciding,
        missing=words.missing_in_words(deciding.judgement.missing, deciding.standard, titles),
        hindrance=explain(deciding.hindrance) if deciding.hindrance else None,
        form=form,
    )


# The administrator's register


@bp.get("/admin/sertifikat")
@login.role("admin")
def register() -> ResponseReturnValue:
    """List certificates, newest first, with search."""
    search = strip(request.args.get("cari"))[:100]
    entries = list_register(
        search=search,
        before=http.asked_id("sebelum"),
        at=clock.now(),
        limit=PAGE,
    )
    return render_template(
        "credentials/register.html", entries=entries, search=search, full=len(entries) == PAGE
    )


PAGE = 50
"""Certificates on one page of the register."""


@bp.get("/admin/sertifikat/<code>")
@login.role("admin")
def entry(code: str) -> ResponseReturnValue:
    """Show one certificate with its history."""
    return _entry_page(code, RevokeForm(formdata=None))


@bp.post("/admin/sertifikat/<code>/cabut")
@login.role("admin")
@login.accepts(RevokeForm)
def revoke(code: str) -> ResponseReturnValue:
    """Take a certificate back."""
    form = RevokeForm()
    if form.validate_on_submit():
        try:
            with unit_of_work():
                services.revoke(
                    code,
                    reason_public=rules.Reason(form.reason.data),
                    reason_internal=form.note.data,
                    by_id=login.require_viewer().id,
                    now=clock.now(),
                )
        except REFUSALS as error:
            form.form_errors.append(explain(error))
        else:
            flash(_("Sertifikat dicabut. Halaman pemeriksaan sudah mengatakannya."), "success")
            return redirect(url_for(".entry", code=code))
    return make_response(_entry_page(code, form), 422)


@bp.post("/admin/sertifikat/<code>/terbitkan-ulang")
@login.role("admin")
@login.accepts()
def reissue(code: str) -> ResponseReturnValue:
    """Replace a certificate by one with the holder's present name."""
    paper.warm_up()
    try:
        with unit_of_work():
            new = services.reissue(
                code,
                by_id=login.require_viewer().id,
                now=clock.now(),
                base_url=config().base_url,
            )
            code = new.code
    except REFUSALS as error:
        flash(explain(error), "error")
    else:
        flash(_("Sertifikat terbit ulang dengan nama sekarang."), "success")
    return redirect(url_for(".entry", code=code))


def _entry_page(code: str, form: RevokeForm) -> str:
    return render_template(
        "credentials/entry.html",
        record=get_record(code, clock.now()),
        form=form,
        words=words,
    )


# Everybody's check


@bp.get("/C")
@bp.get("/c")
@login.public
@http.takes_any_text
def ask() -> ResponseReturnValue:
    """Ask for a code, or answer for the one that was typed."""
    typed = request.args.get("kode")
    if typed is None:
        return render_template("credentials/ask.html")
    return _verdict_page(typed, NameCheckForm(formdata=None))


@bp.get("/C/<path:code>")
@bp.get("/c/<path:code>")
@login.public
@http.takes_any_text
def verify(code: str) -> ResponseReturnValue:
    """Say what a certificate is worth, without saying whose it is."""
    return _verdict_page(code, NameCheckForm(formdata=None))


@bp.post("/c/<path:code>")
@login.public
@login.accepts(NameCheckForm)
@http.takes_any_text
def match(code: str) -> ResponseReturnValue:
    """Compare a typed name with the one on the paper. Nothing is stored, so nothing redirects."""
    form = NameCheckForm()
    valid = form.validate_on_submit()
    return make_response(_verdict_page(code, form, compare=valid), 200 if valid else 422)


def _verdict_page(code: str, form: NameCheckForm, *, compare: bool = False) -> str:
    """Answer for one code. Every code without a certificate gets the same bytes."""
    address = request.remote_addr or ""
    gate.check_code(address)
    now = clock.now()
    found = find_by_code(code, now)
    matched = None
    if found is not None and compare:
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
