"""Pages that prepare a class, step by step, and change it later: data, curricula, timetable.

The steps of a new class and the pages that correct a running one are the same pages. What is
saved stays saved: a draft can be left at any step and gone on with later.
"""

from collections.abc import Callable
from typing import Any

from flask import (
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from wtforms.fields import SelectChoice

from lms.cohorts import labels, services
from lms.cohorts import planning as timetables
from lms.cohorts.curricula import list_offers
from lms.cohorts.forms import (
    ClassForm,
    CurriculaForm,
    NewClassForm,
    organisation_choices,
    typed_before,
)
from lms.cohorts.models import ClassSession, ClassState, Cohort, Part
from lms.cohorts.organisations import get_organisation, list_organisations, organisation_names
from lms.cohorts.planning_forms import ArrangeForm, EntryForm
from lms.cohorts.timetables import rules
from lms.cohorts.views.blueprint import bp
from lms.core import clock, http, login
from lms.core.db import unit_of_work
from lms.core.i18n import gettext as _

UNDO = "removed_entry"
"""Where the browser's session keeps which entry was just taken out, to offer it back once."""


@bp.route("/admin/angkatan/baru", methods=["GET", "POST"])
@login.role("admin")
@login.accepts(NewClassForm)
def class_new() -> ResponseReturnValue:
    """Begin a class: its data become a draft with the pattern of two days."""
    organisations = list_organisations()
    form = NewClassForm(zone=current_app.extensions["suluh"].zone)
    form.host.choices = organisation_choices(organisations)
    if form.validate_on_submit():
        try:
            with unit_of_work():
                services.create_cohort(
                    form.read(get_organisation(form.host.data).id),
                    slug=form.slug.data,
                    timetable=timetables.fill(_days(form)),
                    state=ClassState.DRAFT,
                    actor_id=login.require_viewer().id,
                    now=clock.now(),
                )
        except services.NameTaken:
            form.slug.errors = [_("Sudah ada kelas dengan alamat ini.")]
        else:
            return redirect(url_for(".class_curricula", slug=form.slug.data))
    page = render_template(
        "cohorts/class_data.html", form=form, organisations=organisations, cohort=None, step=0
    )
    return make_response(page, 422 if form.errors else 200)


def _days(form: ClassForm) -> int:
    return rules.class_days(form.starts_on.data, form.ends_on.data)


@bp.route("/admin/angkatan/<slug>/ubah", methods=["GET", "POST"])
@login.role("admin")
@login.accepts(ClassForm)
def class_edit(slug: str) -> ResponseReturnValue:
    """Change the data of a class."""
    viewer = login.require_viewer()
    cohort = services.get_cohort(slug, viewer)
    organisations = list_organisations()
    host = next((one.public_id for one in organisations if one.id == cohort.host_id), "")
    form = ClassForm(**typed_before(cohort), host=host)
    form.host.choices = organisation_choices(organisations)
    form.last_day = services.last_day(cohort.id)
    if form.validate_on_submit():
        try:
            with unit_of_work():
                services.update_cohort(
                    services.get_cohort(slug, viewer),
                    form.read(get_organisation(form.host.data).id),
                    actor_id=viewer.id,
                    now=clock.now(),
                )
        except services.StillUsed as error:  # somebody added an entry a moment ago
            form.last_day = error.day
            form.validate()
        else:
            return _onwards(cohort, "class_curricula", _("Data kelas tersimpan."))
    page = render_template(
        "cohorts/class_data.html", form=form, organisations=organisations, cohort=cohort, step=0
    )
    return make_response(page, 422 if form.errors else 200)


@bp.route("/admin/angkatan/<slug>/kurikulum", methods=["GET", "POST"])
@login.role("admin")
@login.accepts(CurriculaForm)
def class_curricula(slug: str) -> ResponseReturnValue:
    """Choose the curricula a class covers. Each stays in the version it was chosen in."""
    viewer = login.require_viewer()
    cohort = services.get_cohort(slug, viewer)
    offers, covered = list_offers(), services.list_curricula(cohort.id)
    form = CurriculaForm(curricula=list(covered))
    form.curricula.choices = [SelectChoice(one.code, one.code) for one in offers]
    if form.validate_on_submit():
        with unit_of_work():
            kept = {} if form.renew.data else services.list_curricula(cohort.id)
            chosen = {
                one.code: kept.get(one.code, one.version)
                for one in offers
                if one.code in form.curricula.data
            }
            services.set_curricula(cohort.id, chosen, actor_id=viewer.id, now=clock.now())
        return _onwards(cohort, "class_timetable", _("Kurikulum kelas tersimpan."))
    page = render_template(
        "cohorts/class_curricula.html",
        form=form,
        cohort=cohort,
        offers=offers,
        covered=covered,
        outdated=[one.code for one in offers if covered.get(one.code, one.version) != one.version],
        step=1,
    )
    return make_response(page, 422 if form.errors else 200)


@bp.route("/admin/angkatan/<slug>/jadwal", methods=["GET", "POST"])
@login.role("admin")
@login.accepts(ArrangeForm)
def class_timetable(slug: str) -> ResponseReturnValue:
    """Show the timetable with its sums; move entries, take them out, put one back."""
    viewer, now = login.require_viewer(), clock.now()
    cohort, form = services.get_cohort(slug, viewer), ArrangeForm()
    form.needed = timetables.needs_reason(cohort, now)
    if form.validate_on_submit():
        try:
            anchor = _arrange(cohort, form)
        except rules.CannotMove:
            flash(_("Acara ini sudah di tepi jadwal, jadi tetap di tempatnya."), "info")
            anchor = None
        except timetables.TooManyEntries:
            flash(_too_many(), "error")
            anchor = None
        return redirect(url_for(".class_timetable", slug=slug, _anchor=anchor))
    removed = session.pop(UNDO, None)
    page = render_template(
        "cohorts/class_timetable.html",
        form=form,
        cohort=cohort,
        plan=timetables.read_plan(cohort),
        names={one.person_id: one.name for one in services.list_staff(cohort.id)},
        removed=removed if removed and removed["slug"] == slug else None,
        labels=labels,
        most=rules.MOST_ENTRIES,
        step=2,
    )
    return make_response(page, 422 if form.errors else 200)


def _arrange(cohort: Cohort, form: ArrangeForm) -> str | None:
    """Do what the button says; return which entry the page should show."""
    viewer, (word, entry_id) = login.require_viewer(), form.pressed
    now, cohort_id = clock.now(), cohort.id
    change = timetables.Change(actor_id=viewer.id, now=now, reason=form.reason.data)
    with unit_of_work():
        found = services.get_cohort_by_id(cohort_id)
        if word == "hapus":
            entry = timetables.get_entry(cohort_id, entry_id)
            undo = {"slug": found.slug, "id": entry_id, "title": entry.title}
            timetables.remove_entry(found, entry_id, change)
        elif word == "pulihkan":
            timetables.restore_entry(found, entry_id, change)
        else:
            timetables.move_entry(found, entry_id, -1 if word == "naik" else 1, change)
    if word == "hapus":
        session[UNDO] = undo
        return None
    return f"acara-{entry_id}"


def _too_many() -> str:
    most = rules.MOST_ENTRIES
    return _("Jadwal memuat paling banyak %(most)d acara. Hapus satu dulu.", most=most)


@bp.route("/admin/angkatan/<slug>/jadwal/baru", methods=["GET", "POST"])
@login.role("admin")
@login.accepts(EntryForm)
def class_session_new(slug: str) -> ResponseReturnValue:
    """Add an entry to the timetable, at the end of a half day."""
    cohort = services.get_cohort(slug, login.require_viewer())
    asked = http.asked_id("hari") or 1
    form = _entry_form(cohort, None, day=str(asked), half="am")

    def add(found: Cohort, data: timetables.EntryData, change: timetables.Change) -> int:
        return timetables.add_entry(found, data, change).id

    return _entry_page(cohort, form, None, add)


@bp.route("/admin/angkatan/<slug>/jadwal/<int:entry_id>", methods=["GET", "POST"])
@login.role("admin")
@login.accepts(EntryForm)
def class_session(slug: str, entry_id: int) -> ResponseReturnValue:
    """Change one entry of the timetable."""
    cohort = services.get_cohort(slug, login.require_viewer())
    entry = timetables.get_entry(cohort.id, entry_id)
    form = _entry_form(cohort, entry)

    def change_one(found: Cohort, data: timetables.EntryData, change: timetables.Change) -> int:
        timetables.change_entry(found, entry_id, data, change)
        return entry_id

    return _entry_page(cohort, form, entry, change_one)


def _entry_form(cohort: Cohort, entry: ClassSession | None, **before: Any) -> EntryForm:
    staff = services.list_staff(cohort.id)
    if entry is not None:
        speaker = next((one.public_id for one in staff if one.person_id == entry.speaker_id), "")
        before = {"day": str(entry.day), "speaker": speaker}
    form = EntryForm(obj=entry, data=before)
    form.needed = timetables.needs_reason(cohort, clock.now())
    form.offer_days(rules.class_days(cohort.starts_on, cohort.ends_on), entry)
    form.speaker.choices = [
        SelectChoice("", _("Tanpa narasumber")),
        *(SelectChoice(one.public_id, one.name) for one in staff if one.part is Part.SPEAKER),
    ]
    return form


Save = Callable[[Cohort, timetables.EntryData, timetables.Change], int]


def _entry_page(
    cohort: Cohort, form: EntryForm, entry: ClassSession | None, save: Save
) -> ResponseReturnValue:
    if form.validate_on_submit():
        change = timetables.Change(
            actor_id=login.require_viewer().id, now=clock.now(), reason=form.reason.data
        )
        slug, cohort_id = cohort.slug, cohort.id
        try:
            with unit_of_work():
                speaker_id = timetables.find_speaker(cohort_id, form.speaker.data)
                found = services.get_cohort_by_id(cohort_id)
                saved = save(found, form.read(speaker_id), change)
        except timetables.TooManyEntries:
            form.title.errors = [_too_many()]
        else:
            flash(_("Jadwal tersimpan."), "success")
            return redirect(url_for(".class_timetable", slug=slug, _anchor=f"acara-{saved}"))
    page = render_template("cohorts/class_session.html", form=form, cohort=cohort, entry=entry)
    return make_response(page, 422 if form.errors else 200)


@bp.route("/admin/angkatan/<slug>/periksa", methods=["GET", "POST"])
@login.role("admin")
@login.accepts()
def class_check(slug: str) -> ResponseReturnValue:
    """Show a draft as a whole with what is still missing, and open it."""
    viewer = login.require_viewer()
    cohort = services.get_cohort(slug, viewer)
    if cohort.state is ClassState.OPEN:
        return redirect(url_for(".class_page", slug=slug))
    plan = timetables.read_plan(cohort)
    is_whole = bool(plan.titles)
    if request.method == "POST" and is_whole:
        with unit_of_work():
            opened = services.open_cohort(cohort.id, actor_id=viewer.id, now=clock.now())
        if opened:
            flash(_("Kelas dibuka. Sekarang undang orangnya."), "success")
        return redirect(url_for(".class_page", slug=slug))
    page = render_template(
        "cohorts/class_check.html",
        cohort=cohort,
        host=organisation_names([cohort.host_id])[cohort.host_id],
        plan=plan,
        covered=services.list_curricula(cohort.id),
        offers={one.code: one for one in list_offers()},
        is_past=cohort.starts_on < services.today_in(cohort, clock.now()),
        is_whole=is_whole,
        labels=labels,
        step=3,
    )
    return make_response(page, 422 if request.method == "POST" else 200)


@bp.post("/admin/angkatan/<slug>/buang")
@login.role("admin")
@login.accepts()
def class_discard(slug: str) -> ResponseReturnValue:
    """Throw a draft away."""
    viewer = login.require_viewer()
    with unit_of_work():
        cohort = services.get_cohort(slug, viewer)
        services.discard_draft(cohort.id, actor_id=viewer.id, now=clock.now())
    flash(_("Draf dibuang."), "success")
    return redirect(url_for(".manage"))


def _onwards(cohort: Cohort, step: str, saved: str) -> ResponseReturnValue:
    """Go to the next step of a draft, or back to the page of a running class."""
    if cohort.state is ClassState.DRAFT:
        return redirect(url_for(f".{step}", slug=cohort.slug))
    flash(saved, "success")
    return redirect(url_for(".class_page", slug=cohort.slug))
