"""Pages of the chain of trainers."""

from collections.abc import Iterator

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.accounts import services as accounts
from lms.accounts.exports import take
from lms.cohorts import services as cohorts
from lms.cohorts.models import Part
from lms.core import clock, http, login, sheets
from lms.core.db import unit_of_work
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.lineage import chains, law_views, services
from lms.lineage.blueprint import bp
from lms.lineage.forms import OutsideForm
from lms.lineage.services import PAGE

__all__ = ["bp", "law_views"]


@bp.get("/silsilah")
@login.role("trainer", "speaker", "admin")
def index() -> ResponseReturnValue:
    """Show a trainer what follows from their classes; let an administrator choose somebody."""
    viewer = login.require_viewer()
    if viewer.is_any("trainer", "speaker"):
        return render_template(
            "lineage/person.html",
            above=services.above_person(viewer.id),
            tree=services.tree_of_person(viewer.id, viewer),
            form=None,
        )
    searched, page = request.args.get("cari", "")[:100].strip(), http.asked_id("hal") or 1
    total, teachers = services.list_teachers(searched, page=page)
    return render_template(
        "lineage/index.html",
        total=total,
        teachers=teachers,
        searched=searched,
        page=page,
        size=PAGE,
    )


@bp.get("/angkatan/<slug>/silsilah")
@login.role("trainer", "admin")
def of_class(slug: str) -> ResponseReturnValue:
    """Show who taught a class, where they were trained, and what follows from it."""
    viewer = login.require_viewer()
    parts = () if "admin" in viewer.roles else (Part.TRAINER,)
    cohort = cohorts.get_cohort(slug, viewer, *parts)
    return render_template(
        "lineage/class.html",
        cohort=cohort,
        above=services.above_class(cohort.id),
        tree=services.tree_of_class(cohort.id, viewer),
    )


@bp.get("/silsilah/orang/<public_id>")
@login.role("admin")
def person(public_id: str) -> ResponseReturnValue:
    """Show the chain of one person."""
    return _person_page(public_id, OutsideForm(formdata=None))


@bp.post("/silsilah/orang/<public_id>/luar")
@login.role("admin")
@login.accepts(OutsideForm)
def add_outside(public_id: str) -> ResponseReturnValue:
    """Write down who trained somebody elsewhere."""
    form = OutsideForm()
    if not form.validate_on_submit():
        return make_response(_person_page(public_id, form), 422)
    email = form.trainer_email.data
    trainer_id = accounts.find_person_id(email) if email else None
    if email and trainer_id is None:
        form.trainer_email.errors = [_("Belum ada akun dengan alamat ini. Kosongkan saja.")]
        return make_response(_person_page(public_id, form), 422)
    try:
        with unit_of_work():
            services.record(
                accounts.get_person(public_id).id,
                trainer_name=form.trainer_name.data,
                trainer_id=trainer_id,
                place=form.place.data,
                year=form.year.data,
                curriculum=form.curriculum.data,
                version=form.version.data,
                actor_id=login.require_viewer().id,
                now=clock.now(),
            )
    except services.Circle:
        form.trainer_email.errors = [
            _("Orang ini sendiri dilatih oleh yang bersangkutan. Periksa siapa melatih siapa.")
        ]
    except services.AlreadyRecorded:
        form.trainer_name.errors = [_("Catatan ini sudah ada.")]
    else:
        flash(_("Catatan tersimpan."), "success")
        return redirect(url_for(".person", public_id=public_id))
    return make_response(_person_page(public_id, form), 422)


@bp.post("/silsilah/luar/<public_id>/hapus")
@login.role("admin")
@login.accepts()
def remove_outside(public_id: str) -> ResponseReturnValue:
    """Take back what was written down by mistake."""
    with unit_of_work():
        whose = services.remove(public_id, actor_id=login.require_viewer().id, now=clock.now())
    flash(_("Catatan dihapus."), "success")
    owner = accounts.get_person_by_id(whose).public_id
    return redirect(url_for(".person", public_id=owner))


@bp.get("/silsilah/versi")
@login.role("admin")
def version() -> ResponseReturnValue:
    """List who is downstream of one version of a curriculum, class by class."""
    versions, asked = chains.list_versions(), _asked()
    found = chains.downstream(*asked) if asked else None
    page = http.asked_id("hal") or 1
    order = sorted(found.levels, key=lambda one: (found.levels[one], one)) if found else []
    part = order[(page - 1) * PAGE : page * PAGE]
    if page > 1 and not part:
        raise NotFound(str(page))
    return render_template(
        "lineage/version.html",
        versions=versions,
        asked=asked,
        found=found,
        people=chains.count_people(found) if found else 0,
        nodes=chains.nodes({one: found.levels[one] for one in part}) if found else [],
        page=page,
        size=PAGE,
    )


@bp.get("/silsilah/versi.csv")
@login.role("admin")
@login.about_people
def version_csv() -> ResponseReturnValue:
    """Download everybody downstream of one version, for the delta lesson."""
    asked = _asked()
    if asked is None:
        raise NotFound("version")
    found = chains.downstream(*asked)
    columns = [_("Nama"), _("Alamat e-mail"), _("Instansi"), _("Kelas"), _("Kota"), _("Tingkat")]
    return sheets.answer_csv(f"hilir-{asked[0]}", columns, _rows(found), take(" ".join(asked)))


def _rows(found: chains.Reached) -> Iterator[list[sheets.Cell]]:
    for one in chains.contacts(found):
        level = found.levels[one.cohort_id] if one.cohort_id is not None else None
        yield [one.name, one.email, one.organisation, one.cohort, one.city, level]


def _asked() -> tuple[str, str] | None:
    """Return curriculum and version asked for, as `K1|version`; None when none is chosen."""
    code, bar, name = request.args.get("versi", "")[:200].partition("|")
    return (code, name) if bar and code else None


def _person_page(public_id: str, form: OutsideForm) -> str:
    found = accounts.get_person(public_id)
    return render_template(
        "lineage/person.html",
        above=services.above_person(found.id),
        tree=services.tree_of_person(found.id, login.require_viewer()),
        form=form,
    )
