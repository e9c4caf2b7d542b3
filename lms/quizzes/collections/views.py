"""Pages of collections: bring a file in, look it through, confirm, take back, give out."""

from flask import (
    Blueprint,
    Response,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import ServiceUnavailable
from wtforms.fields import SelectChoice

from lms.core import clock, http, login
from lms.core.db import unit_of_work
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.i18n import ngettext
from lms.quizzes.collections import labels, rules, services, showing
from lms.quizzes.collections.forms import CollectionForm, UploadForm
from lms.quizzes.collections.models import ImportState, QuestionCollection, QuestionImport
from lms.quizzes.collections.services import PAGE, PREVIEW, Filter
from lms.quizzes.exchange import formats
from lms.quizzes.exchange.model import Question
from lms.quizzes.exchange.texts import IMAGE_MEDIA, LARGEST

bp = Blueprint("collections", __name__, template_folder="templates")

SHOWN = 100
"""Problems a page lists; the file has them all."""


@bp.context_processor
def _words() -> dict[str, object]:
    return {"question_words": labels, "show_text": showing.html}


def page_number() -> int:
    """Return the page of a list that is asked for, from 1."""
    asked = request.args.get("hal", "")[:6]
    return max(1, int(asked)) if asked.isascii() and asked.isdecimal() else 1


@bp.get("/soal/koleksi")
@login.role("trainer", "admin")
def index() -> ResponseReturnValue:
    """List the collections the viewer may look into."""
    page = page_number()
    lines, total = services.list_collections(login.require_viewer(), page=page)
    return render_template("collections/index.html", lines=lines, total=total, page=page, size=PAGE)


def _offer(form: CollectionForm) -> dict[str, int]:
    """Offer the viewer's organisations as owners; return them by public id."""
    own = services.own_organisations(login.require_viewer())
    form.organisation.choices = [
        SelectChoice("", _("Saya sendiri")),
        *(SelectChoice(one.public_id, one.name) for one in own),
    ]
    return {one.public_id: one.id for one in own}


@bp.route("/soal/koleksi/baru", methods=["GET", "POST"])
@login.role("trainer", "admin")
@login.accepts(CollectionForm)
def create() -> ResponseReturnValue:
    """Begin a collection."""
    form = CollectionForm()
    own = _offer(form)
    if form.validate_on_submit():
        with unit_of_work():
            made = services.create_collection(
                form.title.data,
                organisation_id=own.get(form.organisation.data),
                shared=form.shared.data,
                viewer=login.require_viewer(),
                now=clock.now(),
            )
            address = url_for(".upload", public_id=made.public_id)
        return redirect(address)
    page = render_template("collections/edit.html", form=form, collection=None)
    return make_response(page, 422 if form.errors else 200)


@bp.route("/soal/koleksi/<public_id>/ubah", methods=["GET", "POST"])
@login.role("trainer", "admin")
@login.accepts(CollectionForm)
def edit(public_id: str) -> ResponseReturnValue:
    """Change what a collection is called and whose it is."""
    viewer = login.require_viewer()
    found = services.get_collection(public_id, viewer, change=True)
    form = CollectionForm(title=found.title, shared=found.shared)
    own = _offer(form)
    if not form.is_submitted():
        names = {id_: name for name, id_ in own.items()}
        form.organisation.data = names.get(found.organisation_id or 0, "")
    if form.validate_on_submit():
        with unit_of_work():
            services.update_collection(
                public_id,
                form.title.data,
                organisation_id=own.get(form.organisation.data),
                shared=form.shared.data,
                viewer=viewer,
                now=clock.now(),
            )
        flash(_("Koleksi diubah."), "success")
        return redirect(url_for(".collection", public_id=public_id))
    page = render_template("collections/edit.html", form=form, collection=found)
    return make_response(page, 422 if form.errors else 200)


@bp.get("/soal/koleksi/<public_id>")
@login.role("trainer", "admin")
def collection(public_id: str) -> ResponseReturnValue:
    """Show the questions of a collection and the files they came from."""
    viewer = login.require_viewer()
    found = services.get_collection(public_id, viewer)
    wanted = Filter(request.args.get("jenis", ""), request.args.get("label", ""))
    page = page_number()
    lines, total = services.list_questions(found.id, wanted, page=page)
    return render_template(
        "collections/collection.html",
        collection=found,
        rights=services.rights_of(found, viewer),
        lines=lines,
        total=total,
        page=page,
        size=PREVIEW,
        wanted=wanted,
        kinds=services.count_kinds(found.id),
        tags=services.count_labels(found.id),
        imports=services.list_imports(found.id),
        drafts=services.list_drafts(found.id, viewer),
        state=ImportState,
    )


@bp.route("/soal/koleksi/<public_id>/impor", methods=["GET", "POST"])
@login.role("trainer", "admin")
@http.takes_upload(LARGEST)
@login.accepts(UploadForm)
def upload(public_id: str) -> ResponseReturnValue:
    """Send a file of questions; nothing is taken in before it was looked through."""
    viewer = login.require_viewer()
    found = services.get_collection(public_id, viewer, change=True)
    form = UploadForm()
    if form.validate_on_submit() and _has_file(form):
        address = _preview(form, found)
        if address is not None:
            return redirect(address)
    page = render_template(
        "collections/upload.html",
        form=form,
        collection=found,
        templates=formats.TEMPLATES,
        largest=LARGEST // 1024 // 1024,
    )
    return make_response(page, 422 if form.errors else 200)


def _has_file(form: UploadForm) -> bool:
    if form.file.data:
        return True
    form.file.errors = [_("Pilih berkasnya.")]
    return False


def _preview(form: UploadForm, found: QuestionCollection) -> str | None:
    """Read the file and keep it as a preview; return the address of that, or None if too much."""
    name = form.file.data.filename or ""
    data = form.file.data.stream.read(LARGEST + 1)  # one more, so that it is seen
    format_ = form.format.data or rules.guess_format(name, data[:20_000])
    collection_id = found.id
    try:
        batch = services.read(data, format_)
    except services.Busy:
        busy = ServiceUnavailable()
        busy.retry_after = 30  # read by the error page
        raise busy from None
    try:
        with unit_of_work():
            kept = services.keep(
                batch,
                collection_id,
                source=name,
                format_=format_,
                actor_id=login.require_viewer().id,
                now=clock.now(),
            )
            return url_for(".batch", public_id=kept.public_id)
    except rules.CollectionFull:
        form.file.errors = [
            _("Koleksi ini sudah penuh (%(most)s soal). Buat koleksi baru.",
              most=rules.MOST_QUESTIONS)
        ]  # fmt: skip
        return None


@bp.get("/soal/impor/<public_id>")
@login.role("trainer", "admin")
def batch(public_id: str) -> ResponseReturnValue:
    """Show what a file holds: before it is confirmed, and afterwards what became of it."""
    viewer = login.require_viewer()
    found, owner = services.get_import(public_id, viewer)
    page = page_number()
    return render_template(
        "collections/batch.html",
        batch=found,
        collection=owner,
        rights=services.rights_of(owner, viewer),
        lines=services.list_read(found.id, page=page),
        total=sum(found.counts.values()),
        page=page,
        size=PREVIEW,
        problems=found.problems[:SHOWN],
        more=len(found.problems) - SHOWN,
        state=ImportState,
    )


@bp.post("/soal/impor/<public_id>/masukkan")
@login.role("trainer", "admin")
@login.accepts()
def confirm(public_id: str) -> ResponseReturnValue:
    """Take the questions of a preview into the collection."""
    try:
        with unit_of_work():
            found = services.confirm(public_id, login.require_viewer(), now=clock.now())
            count = sum(found.counts.values())
            taken = found.state is ImportState.CONFIRMED
    except rules.NothingRead:
        flash(_("Tidak ada soal yang dapat dimasukkan dari berkas ini."), "info")
        return redirect(url_for(".batch", public_id=public_id))
    if taken:
        flash(ngettext("%(num)d soal masuk koleksi.", "%(num)d soal masuk koleksi.", count),
              "success")  # fmt: skip
    return redirect(url_for(".batch", public_id=public_id))


@bp.post("/soal/impor/<public_id>/buang")
@login.role("trainer", "admin")
@login.accepts()
def discard(public_id: str) -> ResponseReturnValue:
    """Throw a preview away."""
    try:
        with unit_of_work():
            owner = services.discard(public_id, login.require_viewer())
            address = url_for(".collection", public_id=owner.public_id)
    except rules.Settled:
        return redirect(url_for(".batch", public_id=public_id))
    flash(_("Pratinjau dibuang. Tidak ada soal yang masuk."), "info")
    return redirect(address)


@bp.post("/soal/impor/<public_id>/urungkan")
@login.role("trainer", "admin")
@login.accepts()
def undo(public_id: str) -> ResponseReturnValue:
    """Take a file back."""
    with unit_of_work():
        done = services.undo(public_id, login.require_viewer(), now=clock.now())
    if done is not None:
        flash(_tell(done), "success")
    return redirect(url_for(".batch", public_id=public_id))


def _tell(done: services.Undone) -> str:
    said = ngettext("%(num)d soal dihapus.", "%(num)d soal dihapus.", done.deleted)
    if done.withdrawn:
        said += " " + ngettext(
            "%(num)d soal sudah dipakai kuis, jadi ditarik dan tidak dihapus.",
            "%(num)d soal sudah dipakai kuis, jadi ditarik dan tidak dihapus.",
            done.withdrawn,
        )
    return said


@bp.post("/soal/koleksi/<public_id>/soal/<question_id>/tarik")
@login.role("trainer", "admin")
@login.accepts()
def withdraw(public_id: str, question_id: str) -> ResponseReturnValue:
    """Let a question go into no further quiz."""
    with unit_of_work():
        services.withdraw_question(public_id, question_id, login.require_viewer(), now=clock.now())
    flash(_("Soal ditarik. Kuis yang sudah memakainya tidak berubah."), "success")
    return redirect(url_for(".collection", public_id=public_id))


@bp.get("/soal/contoh/<name>")
@login.role("trainer", "admin")
@login.about_nobody
def template(name: str) -> ResponseReturnValue:
    """Give a table with the headings and an example of each type, to be filled in."""
    found = formats.FORMATS.get(name)
    if found is None or found.template is None:
        raise NotFound(name)
    return _file(found.template(), "templat-soal", name)


@bp.get("/soal/koleksi/<public_id>/ekspor/<name>")
@login.role("trainer", "admin")
def losses(public_id: str, name: str) -> ResponseReturnValue:
    """Say what a format cannot carry of a collection, before it is downloaded."""
    found, batch = _exported(public_id, name)
    written = services.export(_questions(found, batch), name)
    return render_template(
        "collections/losses.html",
        collection=found,
        batch=batch,
        name=name,
        written=written,
        problems=[one.as_dict() for one in written.problems[:SHOWN]],
        more=len(written.problems) - SHOWN,
    )


@bp.get("/soal/koleksi/<public_id>/unduh/<name>")
@login.role("trainer", "admin")
@login.about_nobody
def download(public_id: str, name: str) -> ResponseReturnValue:
    """Give the questions of a collection, or of one of its files, in a format."""
    found, batch = _exported(public_id, name)
    return _file(services.export(_questions(found, batch), name).data, "soal", name)


def _questions(found: QuestionCollection, batch: QuestionImport | None) -> list[Question]:
    return services.whole(found.id, import_id=batch.id if batch else None)


def _exported(public_id: str, name: str) -> tuple[QuestionCollection, QuestionImport | None]:
    """Return the collection, and its file where `?impor=` asks for one. Raises NotFound."""
    viewer = login.require_viewer()
    found = services.get_collection(public_id, viewer)
    if name not in formats.WRITABLE:
        raise NotFound(name)
    asked = request.args.get("impor", "")
    if not asked:
        return found, None
    batch, owner = services.get_import(asked, viewer)
    if owner.id != found.id:
        raise NotFound(asked)
    return found, batch


MEDIA = {
    "gift": "text/plain; charset=utf-8",
    "aiken": "text/plain; charset=utf-8",
    "moodle-xml": "application/xml",
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def _file(data: bytes, name: str, format_: str) -> Response:
    answer = Response(data, content_type=MEDIA[format_])
    ending = formats.FORMATS[format_].ending
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}{ending}"'
    return answer


@bp.get("/soal/gambar/<digest>")
@login.signed_in
def image(digest: str) -> ResponseReturnValue:
    """Give an image of a question. Its name is the hash of its bytes: who knows it has seen it.

    Only what the bytes show to be PNG, JPEG, GIF or WebP is kept, and nothing in it can run.
    """
    found = services.find_image(digest)
    if found.media not in IMAGE_MEDIA:
        raise NotFound(digest)
    answer = Response(found.data, content_type=found.media)
    answer.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    answer.headers["Content-Disposition"] = "inline"
    return answer
