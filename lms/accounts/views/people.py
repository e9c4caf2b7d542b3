"""People, for the administrator."""

from flask import current_app, flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.accounts import addresses, identities, labels, names, resets, second_factor, services
from lms.accounts.door import slip, vault
from lms.accounts.forms import DisabledForm, NewAddressForm, RolesForm, WantedNameForm
from lms.accounts.views.blueprint import bp
from lms.core import clock, login
from lms.core.db import unit_of_work
from lms.core.errors import Forbidden, NotFound
from lms.core.i18n import gettext as _

PAGE = 50
"""People on one page of the list."""


@bp.get("/admin/orang")
@login.role("admin")
def people() -> ResponseReturnValue:
    """List people, with search."""
    search, role = request.args.get("cari", "")[:100].strip(), request.args.get("peran", "")
    after = request.args.get("setelah", "")[:200]
    found = services.list_people(search=search, role=role, after=after, limit=PAGE + 1)
    following = found[PAGE - 1].email if len(found) > PAGE else None
    return render_template(
        "accounts/people.html",
        people=found[:PAGE],
        labels=labels.ROLES,
        search=search,
        role=role,
        after=after,
        following=following,
        asking=names.list_open(),
    )


@bp.get("/admin/orang/<public_id>")
@login.role("admin")
def person(public_id: str) -> ResponseReturnValue:
    """Show one person's account and roles."""
    return _person_page(public_id)


def _person_page(
    public_id: str, *, address_form: NewAddressForm | None = None
) -> ResponseReturnValue:
    found = services.get_person(public_id)
    state = "yes" if found.disabled_at else "no"
    page = render_template(
        "accounts/person.html",
        owner=found,
        wanted=names.find_open(found.id),
        factor=second_factor.read(found.id),
        linked=identities.linked_since(found.id),
        roles_form=RolesForm(formdata=None, roles=list(services.roles_of(found.id))),
        disabled_form=DisabledForm(formdata=None, disabled=state),
        address_form=address_form or NewAddressForm(formdata=None),
    )
    return make_response(page, 422 if address_form else 200)


@bp.post("/admin/orang/<public_id>/peran")
@login.role("admin")
@login.accepts(RolesForm)
def set_roles(public_id: str) -> ResponseReturnValue:
    """Replace somebody's roles."""
    form = RolesForm()
    if form.validate_on_submit():
        try:
            with unit_of_work():
                services.set_roles(
                    public_id,
                    set(form.roles.data or ()),
                    actor_id=login.require_viewer().id,
                    now=clock.now(),
                )
        except services.LastAdmin:
            flash(_("Tunjuk administrator lain lebih dulu; ini yang terakhir."), "error")
        else:
            flash(_("Peran tersimpan."), "success")
    else:
        flash(_("Pilih peran dari daftar yang tersedia."), "error")
    return redirect(url_for(".person", public_id=public_id))


@bp.post("/admin/orang/<public_id>/akun")
@login.role("admin")
@login.accepts(DisabledForm)
def set_disabled(public_id: str) -> ResponseReturnValue:
    """Close or reopen somebody's account."""
    form = DisabledForm()
    if form.validate_on_submit():
        try:
            with unit_of_work():
                services.set_disabled(
                    public_id,
                    form.disabled.data == "yes",
                    actor_id=login.require_viewer().id,
                    now=clock.now(),
                )
        except services.LastAdmin:
            flash(_("Tunjuk administrator lain lebih dulu; ini yang terakhir."), "error")
        else:
            flash(_("Keadaan akun tersimpan."), "success")
    else:
        flash(_("Pilih salah satu keadaan akun."), "error")
    return redirect(url_for(".person", public_id=public_id))


def _own(public_id: str) -> bool:
    """Tell whether administrators are about to open their own account this way.

    On the page of their own account they are asked for password and code; whoever finds their
    browser must not get around that.
    """
    return public_id == login.require_viewer().public_id


@bp.post("/admin/orang/<public_id>/kode")
@login.role("admin")
@login.accepts()
def print_code(public_id: str) -> ResponseReturnValue:
    """Make a code for somebody who cannot sign in, and show the sheet that carries it once."""
    if _own(public_id):
        return redirect(url_for(".account"))
    owner_id = services.get_person(public_id).id
    try:
        with unit_of_work():
            printed = resets.print_code(
                owner_id,
                actor_id=login.require_viewer().id,
                is_admin=True,
                vault=vault(),
                now=clock.now(),
            )
    except Forbidden:
        flash(_("Akun ini ditutup. Aktifkan dulu."), "error")
        return redirect(url_for(".person", public_id=public_id))
    return slip(printed, url_for(".person", public_id=public_id))


@bp.post("/admin/orang/<public_id>/nama")
@login.role("admin")
@login.accepts(WantedNameForm)
def decide_name(public_id: str) -> ResponseReturnValue:
    """Grant or decline the name somebody asked for."""
    form = WantedNameForm()
    granted = form.do.data == "grant"
    if not form.validate_on_submit() or form.do.data not in {"grant", "decline"}:
        raise NotFound(public_id)
    try:
        with unit_of_work():
            names.decide(
                public_id,
                form.name.data,
                granted,
                actor_id=login.require_viewer().id,
                now=clock.now(),
            )
    except NotFound:
        flash(_("Permintaan ini sudah berubah. Baca lagi sebelum memutuskan."), "error")
    else:
        flash(
            _("Nama diganti. Terbitkan ulang sertifikatnya di daftar sertifikat.")
            if granted
            else _("Permintaan ditolak dan orangnya diberi tahu."),
            "success",
        )
    return redirect(url_for(".person", public_id=public_id))


@bp.post("/admin/orang/<public_id>/surel")
@login.role("admin")
@login.accepts(NewAddressForm)
def set_address(public_id: str) -> ResponseReturnValue:
    """Give somebody another sign-in address."""
    if _own(public_id) and current_app.extensions["suluh"].smtp_url is not None:
        return redirect(url_for(".account"))
    form = NewAddressForm()
    if form.validate_on_submit():
        try:
            with unit_of_work():
                addresses.change(
                    services.get_person(public_id),
                    form.email.data,
                    actor_id=login.require_viewer().id,
                    now=clock.now(),
                )
        except services.EmailTaken:
            form.email.errors = [_("Alamat ini sudah dipakai akun lain.")]
        else:
            flash(_("Alamat e-mail diganti."), "success")
            return redirect(url_for(".person", public_id=public_id))
    return _person_page(public_id, address_form=form)


@bp.post("/admin/orang/<public_id>/kedua/lepas")
@login.role("admin")
@login.accepts()
def remove_second_factor(public_id: str) -> ResponseReturnValue:
    """Take away the second factor of somebody who lost it; they are told."""
    if _own(public_id):
        return redirect(url_for(".second_factor"))
    with unit_of_work():
        second_factor.remove(
            services.get_person(public_id).id,
            actor_id=login.require_viewer().id,
            now=clock.now(),
        )
    flash(_("Faktor kedua dilepas dan semua sesinya diakhiri."), "success")
    return redirect(url_for(".person", public_id=public_id))


@bp.post("/admin/orang/<public_id>/lembaga/lepas")
@login.role("admin")
@login.accepts()
def unlink(public_id: str) -> ResponseReturnValue:
    """Take the link to the provider's sign-in away."""
    with unit_of_work():
        identities.unlink(
            services.get_person(public_id).id,
            actor_id=login.require_viewer().id,
            now=clock.now(),
        )
    flash(_("Tautan ke akun lembaga dilepas."), "success")
    return redirect(url_for(".person", public_id=public_id))
