"""Pages of organisations, for the administrator."""

from collections.abc import Sequence

from flask import (
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from wtforms.fields import SelectChoice

from lms.cohorts import abbreviations, labels
from lms.cohorts import organisations as services
from lms.cohorts.forms import (
    MergeForm,
    OfficerEndForm,
    OfficerForm,
    OrganisationForm,
    OtherNameEndForm,
    OtherNameForm,
    VouchForm,
    organisation_choices,
    vouching_of,
)
from lms.cohorts.models import NameKind, Organisation, OrganisationKind
from lms.cohorts.organisations import OfficerLine
from lms.cohorts.services import NameTaken, NoAccount, TooManyOfficers
from lms.cohorts.views.blueprint import bp
from lms.core import clock, login
from lms.core.db import unit_of_work
from lms.core.errors import NotFound
from lms.core.forms import PageForm
from lms.core.i18n import gettext as _

PAGE = 50
"""Organisations on one page of the list."""


@bp.route("/admin/instansi", methods=["GET", "POST"])
@login.role("admin")
@login.accepts(OrganisationForm)
def organisations() -> ResponseReturnValue:
    """List organisations, search all their names, and add one."""
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
    searched = request.args.get("cari", "").strip()[:120]
    only_waiting = request.args.get("jaminan") == "belum"
    page = request.args.get("hal", "")[:6]
    start = PAGE * max(0, int(page) - 1 if page.isdecimal() else 0)
    found, total = services.list_organisation_lines(
        searched,
        abbreviations=abbreviations.load(current_app.extensions["suluh"].content_dir),
        only_waiting=only_waiting,
        start=start,
        limit=PAGE,
    )
    answer = render_template(
        "cohorts/organisations.html",
        form=form,
        organisations=found,
        searched=searched,
        only_waiting=only_waiting,
        start=start,
        size=PAGE,
        total=total,
        kinds=labels.KINDS,
    )
    return make_response(answer, 422 if form.errors else 200)


@bp.route("/admin/instansi/<public_id>", methods=["GET", "POST"])
@login.role("admin")
@login.accepts(OrganisationForm)
def organisation(public_id: str) -> ResponseReturnValue:
    """Show an organisation with its names and officers, and correct it."""
    found = services.get_organisation(public_id)
    if found.public_id != public_id:
        return redirect(url_for(".organisation", public_id=found.public_id), 301)
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


@bp.post("/admin/instansi/<public_id>/nama")
@login.role("admin")
@login.accepts(OtherNameForm)
def organisation_name(public_id: str) -> ResponseReturnValue:
    """Give an organisation another name."""
    found, form = services.get_organisation(public_id), OtherNameForm()
    if form.validate_on_submit():
        try:
            with unit_of_work():
                services.add_name(
                    public_id,
                    name=form.other.data,
                    kind=NameKind(form.name_kind.data),
                    valid_until=form.until.data,
                    actor_id=login.require_viewer().id,
                    now=clock.now(),
                )
        except NameTaken:
            form.other.errors = [_("Instansi ini sudah punya nama itu.")]
        else:
            flash(_("Nama lain tersimpan."), "success")
            return redirect(url_for(".organisation", public_id=found.public_id, _anchor="nama"))
    return _organisation_page(found, name_form=form)


@bp.post("/admin/instansi/<public_id>/nama/hapus")
@login.role("admin")
@login.accepts(OtherNameEndForm)
def organisation_name_end(public_id: str) -> ResponseReturnValue:
    """Take another name away from an organisation."""
    form = OtherNameEndForm()
    if not form.validate_on_submit():
        raise NotFound(public_id)
    with unit_of_work():
        services.remove_name(
            public_id, form.id.data, actor_id=login.require_viewer().id, now=clock.now()
        )
    flash(_("Nama lain dihapus."), "success")
    return redirect(url_for(".organisation", public_id=public_id, _anchor="nama"))


@bp.route("/admin/instansi/<public_id>/gabung", methods=["GET", "POST"])
@login.role("admin")
@login.accepts(MergeForm)
def organisation_merge(public_id: str) -> ResponseReturnValue:
    """Show what would move if an organisation were merged into another, and do it."""
    found = services.get_organisation(public_id)
    form = MergeForm()
    others = [one for one in services.list_organisations() if one.id != found.id]
    form.into.choices = organisation_choices(others, empty=_("Pilih instansi"))
    if form.validate_on_submit():
        if not form.sure.data:
            form.sure.errors = [_("Centang dulu bila keduanya memang satu instansi.")]
        else:
            try:
                with unit_of_work():
                    services.merge(
                        public_id,
                        form.into.data,
                        actor_id=login.require_viewer().id,
                        now=clock.now(),
                    )
            except TooManyOfficers:
                form.into.errors = [
                    _("Bersama-sama petugasnya lebih dari dua. Akhiri dulu salah satu penunjukan.")
                ]
            except services.SameOrganisation:
                form.into.errors = [_("Catatan ini sudah digabungkan. Periksa daftar instansi.")]
            else:
                flash(_("Kedua instansi digabungkan."), "success")
                return redirect(url_for(".organisation", public_id=form.into.data))
    moves = services.list_moves(public_id)
    page = render_template(
        "cohorts/organisation_merge.html",
        organisation=found,
        form=form,
        moves=[(labels.MOVES[one.table], one.count) for one in moves if one.table in labels.MOVES],
        rest=sum(one.count for one in moves if one.table not in labels.MOVES),
        kinds=labels.KINDS,
    )
    return make_response(page, 422 if form.errors else 200)


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
                    vouching=vouching_of(form),
                    actor_id=login.require_viewer().id,
                    now=clock.now(),
                )
        except NoAccount:
            form.email.errors = [_("Belum ada akun dengan alamat ini. Kirim undangan saja.")]
        except TooManyOfficers:
            form.email.errors = [_("Sudah ada dua petugas. Akhiri dulu salah satu penunjukan.")]
        else:
            flash(_("Petugas ditunjuk."), "success")
            return redirect(url_for(".organisation", public_id=found.public_id))
    return _organisation_page(found, officer_form=form)


@bp.post("/admin/instansi/<public_id>/petugas/jaminan")
@login.role("admin")
@login.accepts(VouchForm)
def organisation_vouch(public_id: str) -> ResponseReturnValue:
    """Write down on whose word somebody is an officer, who came by invitation."""
    found, form = services.get_organisation(public_id), VouchForm()
    _offer_officers(form, services.list_officers(found.id))
    if form.validate_on_submit():
        with unit_of_work():
            services.vouch_for_officer(
                found.id,
                form.person.data,
                vouching=vouching_of(form),
                actor_id=login.require_viewer().id,
                now=clock.now(),
            )
        flash(_("Jaminan petugas tercatat."), "success")
        return redirect(url_for(".organisation", public_id=found.public_id))
    return _organisation_page(found, vouch_form=form)


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
    return redirect(url_for(".organisation", public_id=found.public_id))


def _offer_officers(form: VouchForm, officers: Sequence[OfficerLine]) -> None:
    form.person.choices = [
        SelectChoice(one.public_id, one.name) for one in officers if one.vouched_on is None
    ]


def _organisation_page(
    found: Organisation,
    *,
    form: OrganisationForm | None = None,
    officer_form: OfficerForm | None = None,
    vouch_form: VouchForm | None = None,
    name_form: OtherNameForm | None = None,
) -> ResponseReturnValue:
    officers = services.list_officers(found.id)
    vouching = vouch_form or VouchForm(formdata=None)
    _offer_officers(vouching, officers)
    typed = OrganisationForm(formdata=None, name=found.name, kind=found.kind.value, city=found.city)
    page = render_template(
        "cohorts/organisation.html",
        organisation=found,
        kinds=labels.KINDS,
        name_kinds=labels.NAME_KINDS,
        names=services.list_names(found.id),
        officers=officers,
        people=services.members_of(found.id),
        form=form or typed,
        officer_form=officer_form or OfficerForm(formdata=None),
        vouch_form=vouching,
        name_form=name_form or OtherNameForm(formdata=None),
    )
    sent: list[PageForm | None] = [form, officer_form, vouch_form, name_form]
    return make_response(page, 422 if any(one and one.errors for one in sent) else 200)
