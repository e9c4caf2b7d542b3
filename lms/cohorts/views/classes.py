"""Pages of classes, for the administrator."""

from collections.abc import Iterable

from flask import (
    flash,
    make_response,
    redirect,
    render_template,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from wtforms.fields import SelectChoice

from lms.accounts import labels as role_labels
from lms.accounts import services as accounts
from lms.cohorts import labels, services
from lms.cohorts.forms import (
    ConflictEndForm,
    ConflictForm,
    InviteForm,
    StaffForm,
    StaffPartForm,
)
from lms.cohorts.invitations import list_invitations
from lms.cohorts.models import ClassState, Cohort, ConflictKind, Part
from lms.cohorts.organisations import organisation_names
from lms.cohorts.views.blueprint import bp
from lms.cohorts.views.invitations import FRESH_LINK, form_to_invite, send
from lms.core import clock, login
from lms.core.db import unit_of_work
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _


@bp.get("/admin/angkatan")
@login.role("admin")
def manage() -> ResponseReturnValue:
    """List all classes."""
    return render_template("cohorts/manage.html", cohorts=services.list_cohort_lines())


@bp.get("/admin/angkatan/<slug>")
@login.role("admin")
def class_page(slug: str) -> ResponseReturnValue:
    """Show a class: seats, staff, timetable, invitations, conflicts. A draft goes on."""
    cohort = services.get_cohort(slug, login.require_viewer())
    if cohort.state is ClassState.DRAFT:
        return redirect(url_for(".class_check", slug=slug))
    return _class_page(cohort)


@bp.post("/admin/angkatan/<slug>/tim")
@login.role("admin")
@login.accepts(StaffForm)
def class_appoint(slug: str) -> ResponseReturnValue:
    """Let somebody who has an account work in the class."""
    viewer, form = login.require_viewer(), StaffForm()
    cohort = services.get_cohort(slug, viewer)
    if form.validate_on_submit():
        try:
            with unit_of_work():
                services.appoint_staff(
                    cohort.id,
                    form.email.data,
                    Part(form.part.data),
                    actor_id=viewer.id,
                    now=clock.now(),
                )
        except services.NoAccount:
            form.email.errors = [_("Belum ada akun dengan alamat ini. Kirim undangan saja.")]
        else:
            flash(_("Tim kelas tersimpan."), "success")
            return redirect(url_for(".class_page", slug=slug, _anchor="tim"))
    return _class_page(cohort, staff_form=form)


@bp.post("/admin/angkatan/<slug>/tim/akhiri")
@login.role("admin")
@login.accepts(StaffPartForm)
def class_dismiss(slug: str) -> ResponseReturnValue:
    """Take somebody's part in the class away."""
    viewer, form = login.require_viewer(), StaffPartForm()
    cohort = services.get_cohort(slug, viewer)
    if not form.validate_on_submit():
        raise NotFound(slug)
    with unit_of_work():
        services.dismiss_staff(
            cohort.id,
            form.person.data,
            Part(form.part.data),
            actor_id=viewer.id,
            now=clock.now(),
        )
    flash(_("Tim kelas tersimpan."), "success")
    return redirect(url_for(".class_page", slug=slug, _anchor="tim"))


@bp.post("/admin/angkatan/<slug>/benturan")
@login.role("admin")
@login.accepts(ConflictForm)
def class_conflict(slug: str) -> ResponseReturnValue:
    """Note that somebody may not assess somebody else."""
    viewer, form = login.require_viewer(), ConflictForm()
    cohort = services.get_cohort(slug, viewer)
    seats, staff = services.list_seats(cohort.id), services.list_staff(cohort.id)
    _offer_conflicts(form, staff, seats)
    if form.validate_on_submit():
        assessor = next(o.person_id for o in staff if o.public_id == form.assessor.data)
        person = next(o.person_id for o in seats if o.public_id == form.person.data)
        with unit_of_work():
            services.declare_conflict(
                assessor,
                person,
                ConflictKind(form.kind.data),
                declared_by=viewer.id,
                now=clock.now(),
            )
        flash(_("Benturan kepentingan tercatat."), "success")
        return redirect(url_for(".class_page", slug=slug, _anchor="benturan"))
    return _class_page(cohort, conflict_form=form)


@bp.post("/admin/angkatan/<slug>/benturan/hapus")
@login.role("admin")
@login.accepts(ConflictEndForm)
def class_conflict_end(slug: str) -> ResponseReturnValue:
    """Take back a conflict that was noted by mistake."""
    viewer, form = login.require_viewer(), ConflictEndForm()
    cohort = services.get_cohort(slug, viewer)
    if not form.validate_on_submit():
        raise NotFound(slug)
    with unit_of_work():
        services.withdraw_conflict(
            accounts.get_person(form.assessor.data).id,
            services.get_seat(cohort.id, form.person.data).person_id,
            ConflictKind(form.kind.data),
            actor_id=viewer.id,
            now=clock.now(),
        )
    flash(_("Catatan benturan dihapus."), "success")
    return redirect(url_for(".class_page", slug=slug, _anchor="benturan"))


@bp.post("/admin/angkatan/<slug>/undangan")
@login.role("admin")
@login.accepts(InviteForm)
def class_invite(slug: str) -> ResponseReturnValue:
    """Invite somebody into the class, from its page."""
    cohort = services.get_cohort(slug, login.require_viewer())
    form = form_to_invite(cohort)
    if send(form, cohort):
        return redirect(url_for(".class_page", slug=slug, _anchor="undangan"))
    return _class_page(cohort, invite_form=form)


def _class_page(
    cohort: Cohort,
    *,
    invite_form: InviteForm | None = None,
    staff_form: StaffForm | None = None,
    conflict_form: ConflictForm | None = None,
) -> ResponseReturnValue:
    seats, staff = services.list_seats(cohort.id), services.list_staff(cohort.id)
    conflicts = conflict_form or ConflictForm(formdata=None)
    _offer_conflicts(conflicts, staff, seats)
    page = render_template(
        "cohorts/class_page.html",
        cohort=cohort,
        host=organisation_names([cohort.host_id])[cohort.host_id],
        seats=seats,
        staff=staff,
        names={one.person_id: one.name for one in staff},
        sessions=services.list_sessions(cohort.id),
        covered=services.list_curricula(cohort.id),
        conflicts=services.list_conflicts(cohort.id),
        invitations=list_invitations(cohort.id, now=clock.now()),
        fresh=session.pop(FRESH_LINK, None),
        labels=labels,
        roles=role_labels.ROLES,
        invite_form=invite_form or form_to_invite(cohort, empty=True),
        staff_form=staff_form or StaffForm(formdata=None),
        conflict_form=conflicts,
    )
    refused = any(form is not None for form in (invite_form, staff_form, conflict_form))
    return make_response(page, 422 if refused else 200)


def _offer_conflicts(
    form: ConflictForm, staff: Iterable[services.StaffLine], seats: Iterable[services.Seat]
) -> None:
    judges = {one.public_id: one for one in staff if one.part is not Part.SPEAKER}
    form.assessor.choices = _people(judges.values())
    form.person.choices = _people(seats)


def _people(found: Iterable[services.StaffLine | services.Seat]) -> list[SelectChoice]:
    return [SelectChoice(one.public_id, one.name) for one in found]
