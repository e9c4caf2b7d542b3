"""Pages of the issue of a class: what waits, how far the job is, what came of it."""

from flask import (
    Response,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue

from lms.cohorts.marks import mark_of
from lms.cohorts.models import Cohort, Part
from lms.core import clock, jobs, login
from lms.core.db import unit_of_work
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.i18n import ngettext
from lms.core.jobs import Progress
from lms.core.models import ItemState
from lms.credentials import issuing, schemes
from lms.credentials.forms import IssueForm
from lms.credentials.views.blueprint import (
    REFUSALS,
    asked_scheme,
    bp,
    class_of,
    config,
    explain,
    in_words,
)


def _own_class(slug: str) -> Cohort:
    return class_of(slug, Part.TRAINER)


@bp.get("/angkatan/<slug>/penerbitan")
@login.role("trainer")
def issue_page(slug: str) -> ResponseReturnValue:
    """Show what waits for its certificate, named as the paper will name it, and earlier jobs."""
    return _issue_page(slug, IssueForm(formdata=None))


@bp.post("/angkatan/<slug>/penerbitan")
@login.role("trainer")
@login.accepts(IssueForm)
def issue_all(slug: str) -> ResponseReturnValue:
    """Begin the issue of everything that waits."""
    form, viewer = IssueForm(), login.require_viewer()
    if not form.validate_on_submit():
        return make_response(_issue_page(slug, form), 422)
    try:
        with unit_of_work():
            job = issuing.start(
                _own_class(slug),
                form.skema.data,
                by_id=viewer.id,
                base_url=config().base_url,
                sample=config().demo,
                now=clock.now(),
            )
    except jobs.AlreadyOpen as error:
        job = error.public_id  # pressed twice: both see the one that runs
    except REFUSALS as error:
        form.form_errors.append(explain(error))
        return make_response(_issue_page(slug, form), 422)
    return redirect(url_for(".job", slug=slug, job=job))


def _issue_page(slug: str, form: IssueForm) -> str:
    cohort = _own_class(slug)
    known = schemes.list_schemes()
    code = asked_scheme(known, cohort)
    scheme = next((one for one in known if one.code == code), None)
    if scheme is None:
        raise NotFound(code)
    form.skema.data = code
    return render_template(
        "credentials/issue.html",
        cohort=cohort,
        waiting=issuing.list_waiting(cohort, code),
        jobs=issuing.list_jobs(cohort, code),
        scheme=scheme,
        form=form,
        job_words=job_words,
    )


@bp.get("/angkatan/<slug>/penerbitan/<job>")
@login.role("trainer")
def job(slug: str, job: str) -> ResponseReturnValue:
    """Show how far a job is; a script asks for the numbers alone."""
    cohort = _own_class(slug)
    found, scheme = issuing.get_progress(cohort, job)
    if login.wants_json():
        return jsonify(
            total=found.total,
            settled=found.settled,
            problems=found.problems,
            running=found.running,
            label=job_words(found),
        )
    page = _page_number(found)
    return render_template(
        "credentials/job.html",
        cohort=cohort,
        job=found,
        scheme=schemes.get_scheme(scheme),
        done=issuing.list_results(found.id, ItemState.DONE, page=page),
        problems=issuing.list_results(found.id, ItemState.PROBLEM, size=issuing.PER_FILE),
        page=page,
        pages=max(1, -(-found.done // issuing.PAGE)),
        parts=issuing.parts_of(found),
        per_file=issuing.PER_FILE,
        words=job_words(found),
        in_words=in_words,
    )


def _page_number(found: Progress) -> int:
    text = request.args.get("hal", "")
    if text.isascii() and text.isdecimal() and len(text) < 5:
        return min(max(1, int(text)), max(1, -(-found.done // issuing.PAGE)))
    return 1


def job_words(found: Progress) -> str:
    """Say how far a job is."""
    if found.running:
        return _(
            "%(done)d dari %(total)d selesai. Halaman ini boleh ditutup; pekerjaan berjalan terus.",
            done=found.settled,
            total=found.total,
        )
    made = ngettext("%(num)d sertifikat terbit.", "%(num)d sertifikat terbit.", found.done)
    if found.stopped:
        left = found.total - found.settled
        return f"{made} " + _("Dihentikan; %(num)d belum dikerjakan.", num=left)
    if found.problems:
        return f"{made} " + ngettext(
            "%(num)d orang perlu dilihat.", "%(num)d orang perlu dilihat.", found.problems
        )
    return made


@bp.post("/angkatan/<slug>/penerbitan/<job>/berhenti")
@login.role("trainer")
@login.accepts()
def stop_job(slug: str, job: str) -> ResponseReturnValue:
    """Stop a job; what is issued stays issued."""
    with unit_of_work():
        found, _scheme = issuing.get_progress(_own_class(slug), job)
        stopped = jobs.stop(found.id, by_id=login.require_viewer().id, now=clock.now())
    if stopped:
        flash(_("Dihentikan. Yang sudah terbit tetap terbit."), "info")
    return redirect(url_for(".job", slug=slug, job=job))


@bp.post("/angkatan/<slug>/penerbitan/<job>/ulangi")
@login.role("trainer")
@login.accepts()
def retry_job(slug: str, job: str) -> ResponseReturnValue:
    """Try what was refused, and what was left, once more."""
    try:
        with unit_of_work():
            found, _scheme = issuing.get_progress(_own_class(slug), job)
            again = jobs.retry(found.id, now=clock.now())
    except jobs.AlreadyOpen:
        flash(_("Penerbitan lain untuk kelas ini sedang berjalan. Tunggu sampai selesai."), "info")
    else:
        if again:
            flash(
                ngettext("%(num)d orang dicoba lagi.", "%(num)d orang dicoba lagi.", again), "info"
            )
    return redirect(url_for(".job", slug=slug, job=job))


@bp.get("/angkatan/<slug>/penerbitan/<job>/berkas/<int:part>")
@login.role("trainer")
@login.about_people
def job_papers(slug: str, job: str, part: int) -> ResponseReturnValue:
    """Answer with the papers of a job in one file, streamed."""
    cohort = _own_class(slug)
    found, _scheme = issuing.get_progress(cohort, job)
    if not 1 <= part <= issuing.parts_of(found):
        raise NotFound(str(part))
    mark = mark_of(cohort)
    body = stream_with_context(issuing.zip_papers(found.id, part, mark.text))
    response = Response(body, mimetype="application/zip")
    name = mark.name(f"berkas-{job}-{part}")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.zip"'
    return response
