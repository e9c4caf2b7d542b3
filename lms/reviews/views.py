"""Pages of reviews: the queue, one text, the reviewers, the standard."""

from functools import partial
from typing import Any

from flask import (
    Blueprint,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from lms.accounts import services as accounts
from lms.competency import services as competency
from lms.core import clock, http, login
from lms.core.db import unit_of_work
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.reviews import adoption, labels, reviewers, rules, services
from lms.reviews.forms import AdoptForm, AppointForm, CommentForm, SignForm, StandardForm
from lms.reviews.rules import Expertise, Kind, State, Step
from lms.reviews.services import Asked, Line

bp = Blueprint("reviews", __name__, template_folder="templates")
READERS = ("reviewer", "trainer", "admin", "author")
"""Who reads texts here; an author reads no key, see rules.KEY_ROLES."""
PAGE = 50
"""Texts on one page of the queue."""


def _asked() -> Asked:
    """Return what the address asks for; what it does not know it leaves out."""
    return Asked(
        curriculum=request.args.get("kurikulum", "")[:10],
        kind=labels.BY_ADDRESS.get(request.args.get("jenis", "")),
        state=labels.STATE_WORDS.get(request.args.get("keadaan", ""), State.ALL),
    )


def _kept(asked: Asked) -> dict[str, str]:
    """Return what was asked for as it stands in an address."""
    words = {state: word for word, state in labels.STATE_WORDS.items()}
    kept = {
        "kurikulum": asked.curriculum,
        "jenis": labels.ADDRESSES[asked.kind] if asked.kind else "",
        "keadaan": words[asked.state],
    }
    return {name: value for name, value in kept.items() if value}


def _address(asked: Asked, line: Line) -> str:
    """Return the page of a text that goes on with what was asked for."""
    return url_for(".text", **line.address, **_kept(asked))  # type: ignore[arg-type]  # texts


def _kind(word: str) -> Kind:
    """Return the kind an address names. Raises NotFound."""
    kind = labels.BY_ADDRESS.get(word)
    if kind is None:
        raise NotFound(word)
    return kind


@bp.get("/telaah")
@login.role(*READERS)
def queue() -> ResponseReturnValue:
    """List the texts, those without a signature first."""
    asked, page = _asked(), http.asked_id("hal") or 1
    found = services.read_queue(login.require_viewer(), now=clock.now())
    chosen = found.choose(asked)
    if page > 1 and (page - 1) * PAGE >= len(chosen):
        raise NotFound(str(page))
    done, total = found.count(asked)
    return render_template(
        "reviews/queue.html",
        lines=chosen[(page - 1) * PAGE : page * PAGE],
        number=len(chosen),
        page=page,
        size=PAGE,
        done=done,
        total=total,
        asked=asked,
        kept=_kept(asked),
        to=partial(_address, asked),
        sealed=found.sealed,
        curricula=competency.current().standard.curricula,
        kinds={kind for one in found.lines for kind in [Kind(one.text.kind)]},
        labels=labels,
    )


@bp.get("/telaah/<kind>/<code>")
@login.role(*READERS)
def text(kind: str, code: str) -> ResponseReturnValue:
    """Show one text with signatures and comments beside it."""
    form = CommentForm(formdata=None, place=request.args.get("tempat", "")[:80])
    return _text_page(kind, code, SignForm(formdata=None), form)


def _text_page(
    kind: str, code: str, signing: SignForm, commenting: CommentForm
) -> ResponseReturnValue:
    viewer, asked = login.require_viewer(), _asked()
    try:
        page = services.read_page(_kind(kind), code, viewer, asked, now=clock.now())
    except rules.Closed:
        kept = _kept(asked)
        return make_response(render_template("reviews/closed.html", code=code, kept=kept), 403)
    commenting.offer(page.passages)
    signing.digest.data = page.line.text.digest
    drawn = render_template(
        "reviews/text.html",
        page=page,
        line=page.line,
        here={"kind": kind, "code": code, **_kept(asked)},
        kept=_kept(asked),
        to=partial(_address, asked),
        signing=signing,
        commenting=commenting,
        resolves=not rules.RESOLVERS.isdisjoint(viewer.roles),
        labels=labels,
    )
    return make_response(drawn, 422 if signing.errors or commenting.errors else 200)


def _back(kind: str, code: str, anchor: str) -> ResponseReturnValue:
    asked: dict[str, Any] = _kept(_asked())
    return redirect(url_for(".text", kind=kind, code=code, **asked, _anchor=anchor))


@bp.post("/telaah/<kind>/<code>/tanda")
@login.role("reviewer")
@login.accepts(SignForm)
def sign(kind: str, code: str) -> ResponseReturnValue:
    """Put the viewer's name under the text they read."""
    form = SignForm()
    digest = form.digest.data or ""
    if not form.validate_on_submit():
        return _text_page(kind, code, form, CommentForm(formdata=None))
    try:
        with unit_of_work():
            viewer = login.require_viewer()
            services.sign(_kind(kind), code, digest, viewer, now=clock.now())
    except rules.NoExpertise:
        flash(_("Bidang keahlian Anda belum dicatat. Minta administrator mencatatnya."), "error")
    except rules.TextChanged:
        flash(_("Teks ini berubah sejak halaman dibuka. Baca lagi, lalu tandai."), "error")
    except rules.AlreadySigned:
        flash(_("Teks ini sudah Anda tandai."), "info")
    else:
        flash(_("Tercatat: Anda sudah menelaah teks ini."), "success")
    return _back(kind, code, "telaah")


@bp.post("/telaah/<kind>/<code>/tanda/urung")
@login.role("reviewer")
@login.accepts()
def undo(kind: str, code: str) -> ResponseReturnValue:
    """Take the viewer's signature back."""
    try:
        with unit_of_work():
            services.undo(_kind(kind), code, login.require_viewer(), now=clock.now())
    except rules.NothingToUndo:
        flash(_("Tanda hanya dapat diurungkan oleh Anda sendiri, dalam 24 jam."), "error")
    else:
        flash(_("Tanda Anda diurungkan."), "success")
    return _back(kind, code, "telaah")


@bp.post("/telaah/<kind>/<code>/catatan")
@login.role(*READERS)
@login.accepts(CommentForm)
def comment(kind: str, code: str) -> ResponseReturnValue:
    """Keep a comment beside one place of the text."""
    form = CommentForm()
    if not form.validate_on_submit():
        return _text_page(kind, code, SignForm(formdata=None), form)
    with unit_of_work():
        services.comment(
            _kind(kind),
            code,
            place=form.place.data or "",
            words=form.text.data,
            viewer=login.require_viewer(),
            now=clock.now(),
        )
    flash(_("Catatan tersimpan di samping teks."), "success")
    return _back(kind, code, f"tempat-{form.place.data}" if form.place.data else "catatan")


@bp.post("/telaah/<kind>/<code>/catatan/<comment_id>/selesai")
@login.role(*READERS)
@login.accepts()
def resolve(kind: str, code: str, comment_id: str) -> ResponseReturnValue:
    """Say that a comment was dealt with."""
    viewer = login.require_viewer()
    try:
        with unit_of_work():
            services.resolve(_kind(kind), code, comment_id, viewer, now=clock.now())
    except rules.NotTheirs:
        flash(
            _("Catatan orang lain ditutup oleh penulis isi, pelatih, atau administrator."), "error"
        )
    else:
        flash(_("Catatan ditutup."), "success")
    return _back(kind, code, "isi-teks")


@bp.get("/admin/penelaah")
@login.role("admin")
def people() -> ResponseReturnValue:
    """List who reviews, and as what."""
    return _people_page(AppointForm(formdata=None))


def _people_page(form: AppointForm) -> ResponseReturnValue:
    drawn = render_template(
        "reviews/people.html", people=reviewers.list_reviewers(), form=form, labels=labels
    )
    return make_response(drawn, 422 if form.errors else 200)


@bp.post("/admin/penelaah")
@login.role("admin")
@login.accepts(AppointForm)
def appoint() -> ResponseReturnValue:
    """Let somebody review as an expert of a field."""
    form = AppointForm()
    if not form.validate_on_submit():
        return _people_page(form)
    try:
        with unit_of_work():
            name = reviewers.appoint(
                form.email.data,
                Expertise(form.field.data),
                by_id=login.require_viewer().id,
                now=clock.now(),
            )
    except NotFound:
        form.email.errors = [_("Belum ada akun dengan alamat ini. Undang dulu sebagai penelaah.")]
        return _people_page(form)
    flash(_("%(name)s sekarang penelaah.", name=name), "success")
    return redirect(url_for(".people"))


@bp.get("/admin/standar")
@login.role("admin")
def standard() -> ResponseReturnValue:
    """Show the standard as a whole, and whether the installation has adopted it."""
    return _standard_page(AdoptForm(formdata=None))


def _needs_second() -> bool:
    return bool(current_app.extensions["suluh"].two_signatures)


def _standard_page(form: AdoptForm) -> ResponseReturnValue:
    current = competency.current()
    form.standard.data = str(current.id)
    drawn = render_template(
        "reviews/standard.html",
        current=current,
        standard=current.standard,
        standing=adoption.read(current.id),
        form=form,
        plain=StandardForm(formdata=None, standard=str(current.id)),
        two=_needs_second(),
        alone=accounts.count_active("admin") < 2,
    )
    return make_response(drawn, 422 if form.errors else 200)


def _number(form: AdoptForm | StandardForm) -> int:
    """Return the version a button is about; none that there is when it was forged."""
    sent = form.standard.data or ""
    return int(sent) if sent.isascii() and sent.isdecimal() and len(sent) < 10 else 0


def _explain(error: Exception) -> str:
    """Say why the adoption did not change."""
    said = {
        rules.TextChanged: _("Standar lain dimuat sejak halaman ini dibuka. Baca lagi."),
        rules.AlreadyAsked: _("Penetapan standar ini sudah diminta atau sudah terjadi."),
        rules.NothingAsked: _("Tidak ada penetapan yang menunggu; mungkin sudah diselesaikan."),
        rules.SamePerson: _("Yang meminta tidak dapat mengesahkan. Minta administrator lain."),
        rules.AlreadyUsed: _(
            "Sudah ada sertifikat menurut standar yang ditetapkan; penetapannya tetap."
        ),
    }
    return said[type(error)]  # type: ignore[index]  # one of REFUSALS


REFUSALS = (
    rules.TextChanged,
    rules.AlreadyAsked,
    rules.NothingAsked,
    rules.SamePerson,
    rules.AlreadyUsed,
)


@bp.post("/admin/standar")
@login.role("admin")
@login.accepts(AdoptForm)
def adopt() -> ResponseReturnValue:
    """Adopt the standard, or ask another administrator to confirm it."""
    form = AdoptForm()
    version = _number(form)
    if not form.validate_on_submit():
        return _standard_page(form)
    try:
        with unit_of_work():
            step = adoption.adopt(
                version,
                form.basis.data,
                by_id=login.require_viewer().id,
                needs_second=_needs_second(),
                now=clock.now(),
            )
    except REFUSALS as error:
        flash(_explain(error), "error")
    else:
        flash(
            _("Diminta. Administrator lain perlu mengesahkannya.")
            if step is Step.ASKED
            else _("Standar ditetapkan. Sertifikat berikutnya mengatakannya."),
            "success",
        )
    return redirect(url_for(".standard"))


@bp.post("/admin/standar/sahkan")
@login.role("admin")
@login.accepts(StandardForm)
def confirm_standard() -> ResponseReturnValue:
    """Adopt the standard another administrator asked to adopt."""
    version = _number(StandardForm())
    try:
        with unit_of_work():
            adoption.confirm(version, by_id=login.require_viewer().id, now=clock.now())
    except REFUSALS as error:
        flash(_explain(error), "error")
    else:
        flash(_("Standar ditetapkan. Sertifikat berikutnya mengatakannya."), "success")
    return redirect(url_for(".standard"))


@bp.post("/admin/standar/tarik")
@login.role("admin")
@login.accepts(StandardForm)
def take_standard_back() -> ResponseReturnValue:
    """Let the standard be a draft again."""
    version = _number(StandardForm())
    try:
        with unit_of_work():
            adoption.take_back(version, by_id=login.require_viewer().id, now=clock.now())
    except REFUSALS as error:
        flash(_explain(error), "error")
    else:
        flash(_("Penetapan ditarik. Standar menjadi rancangan lagi."), "success")
    return redirect(url_for(".standard"))
