"""Pages of organisations, for the administrator."""

from flask import (
    flash,
    make_response,
    redirect,
    render_template,
    url_for,
)
from flask.typing import ResponseReturnValue

from lms.cohorts import labels
from lms.cohorts import organisations as services
from lms.cohorts.forms import (
    OfficerEndForm,
    OfficerForm,
    OrganisationForm,
)
from lms.cohorts.models import Organisation, OrganisationKind
from lms.cohorts.services import NameTaken, NoAccount
from lms.cohorts.views.blueprint import bp
from lms.core import clock, login
from lms.core.db import unit_of_work
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _


@bp.route("/admin/instansi", methods=["GET", "POST"])
@login.role("admin")
@login.accepts(OrganisationForm)
def organisations() -> ResponseReturnValue:
    """List organisations and add one."""
    form = OrganisationForm()
    if form.validate_on_submit():
        try:
            with unit_of_work():
                services.create_organisation(
                    name=form.name.data,
                    kind=OrganisationKind(form.kind.data),
                    city=form.city.data,
                    actor_id=login.require_viewer().id,
                    now=clock.now(),
                )
        except NameTaken:
            form.name.errors = [_("Sudah ada instansi dengan nama ini.")]
        else:
            flash(_("Instansi tersimpan."), "success")
            return redirect(url_for(".organisations"))
    page = render_template(
        "cohorts/organisations.html",
        form=form,
        organisations=services.list_organisation_lines(),
        kinds=labels.KINDS,
    )
    return make_response(page, 422 if form.errors else 200)


@bp.route("/admin/instansi/<public_id>", methods=["GET", "POST"])
@login.role("admin")
@login.accepts(OrganisationForm)
def organisation(public_id: str) -> ResponseReturnValue:
    """Show an organisation with its officers, and correct it."""
    found = services.get_organisation(public_id)
    form = OrganisationForm(name=found.name, kind=found.kind.value, city=found.city)
    if form.validate_on_submit():
        try:
            with unit_of_work():
                services.update_organisation(
                    public_id,
                    name=form.name.data,
                    kind=OrganisationKind(form.kind.data),
                    city=form.city.data,
                    actor_id=login.require_viewer().id,
                    now=clock.now(),
                )
        except NameTaken:
            form.name.errors = [_("Sudah ada instansi dengan nama ini.")]
        else:
            flash(_("Instansi tersimpan."), "success")
            return redirect(url_for(".organisation", public_id=public_id))
    return _organisation_page(found, form=form)


@bp.post("/admin/instansi/<public_id>/petugas")
@login.role("admin")
@login.accepts(OfficerForm)
def organisation_appoint(public_id: str) -> ResponseReturnValue:
    """Let somebody who has an account ask in the name of an organisation."""
    found, form = services.get_organisation(public_id), OfficerForm()
    if form.validate_on_submit():
        try:
            with unit_of_work():
                services.appoint_officer(
                    found.id,
                    form.email.data,
                    actor_id=login.require_viewer().id,
                    now=clock.now(),
                )
        except NoAccount:
            form.email.errors = [_("Belum ada akun dengan alamat ini. Kirim undangan saja.")]
        else:
            flash(_("Petugas ditunjuk."), "success")
            return redirect(url_for(".organisation", public_id=public_id))
    return _organisation_page(found, officer_form=form)


@bp.post("/admin/instansi/<public_id>/petugas/akhiri")
@login.role("admin")
@login.accepts(OfficerEndForm)
def organisation_dismiss(public_id: str) -> ResponseReturnValue:
    """End somebody's appointment as officer."""
    found, form = services.get_organisation(public_id), OfficerEndForm()
    if not form.validate_on_submit():
        raise NotFound(public_id)
    with unit_of_work():
        services.dismiss_officer(
            found.id, form.person.data, actor_id=login.require_viewer().id, now=clock.now()
        )
    flash(_("Penunjukan petugas berakhir."), "success")
    return redirect(url_for(".organisation", public_id=public_id))


def _organisation_page(
    found: Organisation,
    *,
    form: OrganisationForm | None = None,
    officer_form: OfficerForm | None = None,
) -> ResponseReturnValue:
    typed = OrganisationForm(formdata=None, name=found.name, kind=found.kind.value, city=found.city)
    page = render_template(
        "cohorts/organisation.html",
        organisation=found,
        kinds=labels.KINDS,
        officers=services.list_officers(found.id),
        people=services.members_of(found.id),
        form=form or typed,
        officer_form=officer_form or OfficerForm(formdata=None),
    )
    refused = any(one and one.errors for one in (form, officer_form))
    return make_response(page, 422 if refused else 200)
