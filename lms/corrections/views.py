"""Pages of corrections: correct a key, how far the marking is, certificates to look at."""

from flask import (
    Blueprint,
    current_app,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue

from lms.competency import services as competency
from lms.core import clock, http, jobs, login
from lms.core.db import unit_of_work
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.jobs import Progress
from lms.corrections import services
from lms.corrections.forms import CorrectForm, RecheckForm
from lms.corrections.services import Preview
from lms.credentials import rechecks, revocations
from lms.credentials import services as credentials
from lms.credentials.models import RecheckStep
from lms.credentials.words import missing_names
from lms.quizzes import corrections, reviewing
from lms.quizzes.collections.labels import KINDS
from lms.quizzes.corrections import Wording

bp = Blueprint("corrections", __name__, template_folder="templates")
CORRECTORS = ("reviewer", "admin")
"""Who may correct a key: roles with a second factor that read keys anyway."""
READERS = ("reviewer", "admin", "trainer")


def _get_wording(slug: str, number: int) -> Wording:
    """Return one wording. Raises NotFound, also to somebody who sits this quiz just now."""
    found = corrections.get_wording(slug, number)
    _keep_from_sitters(found.curriculum)
    return found


def _keep_from_sitters(curriculum: str) -> None:
    viewer = login.require_viewer()
    if "trainee" in viewer.roles and curriculum in reviewing.list_sitting(viewer.id):
        raise NotFound(curriculum)


@bp.get("/telaah/soal/<slug>/kunci")
@login.role(*CORRECTORS)
def newest(slug: str) -> ResponseReturnValue:
    """Lead to the page of the newest wording."""
    number = corrections.find_newest(slug)
    if number is None:
        raise NotFound(slug)
    return redirect(url_for(".key", slug=slug, number=number))


@bp.get("/telaah/soal/<slug>/kunci/<int:number>")
@login.role(*CORRECTORS)
def key(slug: str, number: int) -> ResponseReturnValue:
    """Show one wording with its key, to be corrected."""
    return _key_page(_get_wording(slug, number), CorrectForm(formdata=None))


@bp.post("/telaah/soal/<slug>/kunci/<int:number>")
@login.role(*CORRECTORS)
@login.accepts(CorrectForm, "jawab")
def correct(slug: str, number: int) -> ResponseReturnValue:
    """Show what another key would change; once confirmed, correct it."""
    wording, form = _get_wording(slug, number), CorrectForm()
    form.offer(wording, request.form.getlist("jawab"))
    if not form.validate_on_submit() or not _is_key(wording, form):
        return _key_page(wording, form)
    if form.applies and not form.yakin.data:
        form.yakin.errors = [_("Centang bila akibatnya sudah Anda baca.")]
    elif form.applies and form.is_another:
        form.yakin.data = False
        form.yakin.errors = [_("Kuncinya lain dari yang dilihat. Baca akibatnya, lalu centang.")]
    if not form.applies or form.yakin.errors:
        return _key_page(wording, form, services.preview(wording, form.key, now=clock.now()))
    try:
        with unit_of_work():
            made, _job = services.correct(
                corrections.get_wording(slug, number),
                form.key,
                reason=form.alasan.data,
                by_id=login.require_viewer().id,
                now=clock.now(),
            )
    except corrections.AlreadyCorrected as error:
        flash(_("Kunci rumusan ini sudah diperbaiki."), "info")
        return redirect(url_for(".correction", public_id=error.public_id))
    except corrections.OwnSitting:
        form.kunci.errors = [
            _("Anda sendiri pernah mengerjakan butir ini. Minta penelaah lain memperbaikinya.")
        ]
        return _key_page(wording, form)
    flash(_("Kunci diperbaiki. Sesi yang sudah dikirim sedang dinilai ulang."), "success")
    return redirect(url_for(".correction", public_id=made))


def _is_key(wording: Wording, form: CorrectForm) -> bool:
    """Tell whether what was sent is another key; the form says what to do if not."""
    try:
        corrections.find_right(wording, form.key)
    except corrections.SameAnswer:
        form.kunci.errors = [_("Itu kunci yang sekarang. Ubah dulu kuncinya.")]
    except corrections.NotAnOption:
        form.kunci.errors = [
            {
                "multiple": _("Centang paling sedikit satu pilihan yang benar."),
                "matching": _("Pilih pasangan untuk setiap baris."),
                "ordering": _("Beri setiap baris satu urutan; setiap urutan dipakai sekali."),
                "short_answer": _("Tulis jawaban yang diterima, satu per baris, paling banyak 26."),
                "numeric": _(
                    "Tulis angka, satu per baris: 2,5 atau 2,5:0,1 atau 2..3. "
                    "Tulis tanpa titik ribuan: 50000."
                ),
            }.get(wording.kind, _("Pilih yang benar."))
        ]
    return not form.kunci.errors


def _key_page(
    wording: Wording, form: CorrectForm, preview: Preview | None = None
) -> ResponseReturnValue:
    form.offer(wording, form.values if form.is_submitted() else None)
    viewer = login.require_viewer()
    drawn = render_template(
        "corrections/key.html",
        wording=wording,
        form=form,
        preview=preview,
        sees_names=viewer.is_any("admin"),
        shown=services.PAGE,
        own=corrections.has_sat(viewer.id, wording.item_id),
        standard=competency.current().standard,
        kind_words=_(KINDS[wording.kind]),
        key_words=corrections.words_of(wording),
        new_words=corrections.words_of(wording, form.key) if preview else "",
    )
    return make_response(drawn, 422 if form.errors else 200)


@bp.get("/laporan/koreksi")
@login.role(*READERS)
def index() -> ResponseReturnValue:
    """List what was corrected, newest first."""
    found = corrections.list_corrections(before=http.asked_id("sebelum"), limit=services.PAGE)
    return render_template("corrections/index.html", found=found, full=len(found) == services.PAGE)


@bp.get("/laporan/koreksi/<public_id>")
@login.role(*READERS)
def correction(public_id: str) -> ResponseReturnValue:
    """Show what a correction did; a script asks for the numbers of its job alone."""
    made = corrections.get_correction(public_id)
    _keep_from_sitters(made.curriculum)
    job = services.find_job(made)
    if login.wants_json():
        if job is None:
            raise NotFound(public_id)
        return jsonify(
            total=job.total,
            settled=job.settled,
            problems=job.problems,
            running=job.running,
            label=job_words(job),
        )
    viewer = login.require_viewer()
    people = services.list_changed(made, viewer, after=http.asked_id("sesudah") or 0)
    return render_template(
        "corrections/correction.html",
        made=made,
        job=job,
        words=job_words(job) if job else "",
        outcome=services.read_outcome(made),
        people=people,
        full=len(people) == services.PAGE,
        sees_names=viewer.is_any("admin", "trainer"),
        standard=competency.current().standard,
    )


def job_words(found: Progress) -> str:
    """Say how far the marking is."""
    if found.running:
        return _(
            "%(done)d dari %(total)d sesi dinilai ulang. Halaman ini boleh ditutup; pekerjaan"
            " berjalan terus.",
            done=found.settled,
            total=found.total,
        )
    if found.problems:
        return _(
            "%(done)d sesi dinilai ulang, %(problems)d belum berhasil.",
            done=found.done,
            problems=found.problems,
        )
    return _("Semua %(total)d sesi sudah dinilai ulang.", total=found.total)


@bp.post("/laporan/koreksi/<public_id>/ulangi")
@login.role(*CORRECTORS)
@login.accepts()
def retry(public_id: str) -> ResponseReturnValue:
    """Try what was refused once more."""
    job = services.find_job(corrections.get_correction(public_id))
    if job is None:
        raise NotFound(public_id)
    with unit_of_work():
        again = jobs.retry(job.id, now=clock.now())
    if not again:
        flash(_("Tidak ada yang perlu dicoba lagi, atau penilaian ulang masih berjalan."), "info")
    return redirect(url_for(".correction", public_id=public_id))


@bp.get("/admin/tinjau-sertifikat")
@login.role("admin")
def certificates() -> ResponseReturnValue:
    """List certificates that rest on something corrected later: open ones, or settled ones."""
    settled = request.args.get("keadaan") == "selesai"
    found = rechecks.list_rechecks(
        settled=settled,
        cause=f"correction:{request.args['koreksi'][:40]}" if request.args.get("koreksi") else "",
        before=http.asked_id("sebelum"),
    )
    return render_template(
        "corrections/certificates.html",
        found=found,
        settled=settled,
        waiting=rechecks.count_open(),
        full=len(found) == rechecks.PAGE,
        asked={"koreksi": request.args.get("koreksi"), "keadaan": "selesai" if settled else None},
    )


@bp.get("/admin/tinjau-sertifikat/<public_id>")
@login.role("admin")
def certificate(public_id: str) -> ResponseReturnValue:
    """Show one certificate to be looked at, and what was said about it."""
    return _certificate_page(public_id, RecheckForm(formdata=None))


def _certificate_page(public_id: str, form: RecheckForm) -> ResponseReturnValue:
    found = rechecks.get_recheck(public_id)
    standard = competency.current().standard
    drawn = render_template(
        "corrections/certificate.html",
        found=found,
        form=form,
        missing=missing_names(found.missing, standard),
        standard=standard,
        two_persons=current_app.extensions["suluh"].two_person_revoke,
    )
    return make_response(drawn, 422 if form.errors else 200)


@bp.post("/admin/tinjau-sertifikat/<public_id>")
@login.role("admin")
@login.accepts(RecheckForm)
def decide(public_id: str) -> ResponseReturnValue:
    """Write down what an administrator decides about a certificate."""
    form = RecheckForm()
    if not form.validate_on_submit():
        return _certificate_page(public_id, form)
    try:
        with unit_of_work():
            rechecks.decide(
                public_id,
                RecheckStep(form.langkah.data),
                form.catatan.data,
                by_id=login.require_viewer().id,
                two_persons=current_app.extensions["suluh"].two_person_revoke,
                now=clock.now(),
            )
    except credentials.NotInForce:
        form.langkah.errors = [_("Sertifikat ini tidak berlaku lagi; tidak ada yang diubah.")]
        return _certificate_page(public_id, form)
    except revocations.AlreadyAsked:
        form.langkah.errors = [_("Pencabutan sertifikat ini sudah diminta. Lihat di bawah.")]
        return _certificate_page(public_id, form)
    flash(_("Tercatat."), "success")
    return redirect(url_for(".certificate", public_id=public_id))
