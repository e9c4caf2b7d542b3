"""The map of villages: who serves where, and what is missing."""

from flask import flash, make_response, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from wtforms.fields import SelectChoice

from lms.accounts.exports import take
from lms.agencies import coverage
from lms.agencies.coverage import Placed
from lms.agencies.forms import AreasForm, TargetForm, VillagesForm
from lms.agencies.units import Chosen
from lms.agencies.views.blueprint import bp, chosen
from lms.core import clock, login, sheets
from lms.core.db import unit_of_work
from lms.core.i18n import gettext as _
from lms.core.i18n import ngettext, pick
from lms.credentials import schemes


@bp.get("/instansi/cakupan")
@login.role("agency")
def coverage_map() -> ResponseReturnValue:
    """Show villages by levels with what is missing."""
    return _page(chosen())


def _page(
    unit: Chosen, *, villages: VillagesForm | None = None, target: TargetForm | None = None
) -> str:
    key = unit.organisation.public_id
    return render_template(
        "agencies/coverage_map.html",
        unit=unit,
        found=coverage.read_map(unit.organisation, clock.now()),
        villages=villages or VillagesForm(formdata=None, unit=key),
        target=target or _target_form(unit, TargetForm(formdata=None, unit=key)),
    )


def _target_form(unit: Chosen, form: TargetForm) -> TargetForm:
    form.level.choices = [
        SelectChoice(one.code, pick(one.title, one.title_en)) for one in schemes.list_schemes()
    ]
    known = coverage.list_villages(unit.organisation.city)
    form.village.choices = [
        SelectChoice("", _("Semua kelurahan")),
        *(SelectChoice(one.public_id, one.name) for one in known),
    ]
    return form


@bp.get("/instansi/cakupan.csv")
@login.role("agency")
@login.about_people
def coverage_file() -> ResponseReturnValue:
    """Answer with the map as a file: counts, no names."""
    unit = chosen().organisation
    found = coverage.read_map(unit, clock.now())
    columns = [_("Kelurahan"), _("Tingkat"), _("Ada"), _("Target"), _("Kurang")]
    rows = [
        [row.village.name, pick(level.title, level.title_en), cell.have, cell.wanted, cell.missing]
        for row in found.rows
        for level, cell in zip(found.levels, row.cells, strict=True)
    ]
    return sheets.answer_csv("cakupan", columns, rows, take(unit.name))


@bp.post("/instansi/cakupan/kelurahan")
@login.role("agency")
@login.accepts(VillagesForm)
def coverage_villages() -> ResponseReturnValue:
    """Add villages to the list of the city."""
    form = VillagesForm()
    unit = chosen(form.unit.data)
    if not form.validate_on_submit():
        return make_response(_page(unit, villages=form), 422)
    with unit_of_work():
        added = coverage.add_villages(
            unit.organisation.city,
            form.names.lines,
            actor_id=login.require_viewer().id,
            now=clock.now(),
        )
    flash(ngettext("%(num)d kelurahan ditambah.", "%(num)d kelurahan ditambah.", added), "success")
    return redirect(url_for(".coverage_map", unit=unit.organisation.public_id))


@bp.post("/instansi/cakupan/target")
@login.role("agency")
@login.accepts(TargetForm)
def coverage_target() -> ResponseReturnValue:
    """Set how many are wanted."""
    form = TargetForm()
    unit = chosen(form.unit.data)
    if not _target_form(unit, form).validate_on_submit():
        return make_response(_page(unit, target=form), 422)
    with unit_of_work():
        count = coverage.set_target(
            chosen(form.unit.data).organisation,
            village=form.village.data,
            level=form.level.data,
            wanted=form.wanted.data,
            actor_id=login.require_viewer().id,
            now=clock.now(),
        )
    flash(
        ngettext(
            "Target tersimpan untuk %(num)d kelurahan.",
            "Target tersimpan untuk %(num)d kelurahan.",
            count,
        ),
        "success",
    )
    return redirect(url_for(".coverage_map", unit=unit.organisation.public_id))


@bp.get("/instansi/cakupan/orang/<public_id>")
@login.role("agency")
def coverage_person(public_id: str) -> ResponseReturnValue:
    """Show which villages one of the agency's people serves."""
    placed = coverage.get_placed(chosen("").all, public_id)
    return _person_page(placed, AreasForm(formdata=None, villages=sorted(placed.villages)))


def _with_villages(placed: Placed, form: AreasForm) -> AreasForm:
    known = coverage.list_villages(placed.organisation.city)
    form.villages.choices = [SelectChoice(one.public_id, one.name) for one in known]
    return form


def _person_page(placed: Placed, form: AreasForm) -> str:
    return render_template(
        "agencies/coverage_person.html", placed=placed, form=_with_villages(placed, form)
    )


@bp.post("/instansi/cakupan/orang/<public_id>")
@login.role("agency")
@login.accepts(AreasForm)
def coverage_place(public_id: str) -> ResponseReturnValue:
    """Keep which villages somebody serves."""
    form = AreasForm()
    placed = coverage.get_placed(chosen("").all, public_id)
    if not _with_villages(placed, form).validate_on_submit():
        return make_response(_person_page(placed, form), 422)
    with unit_of_work():
        coverage.set_areas(
            coverage.get_placed(chosen("").all, public_id),
            form.villages.data or [],
            officer_id=login.require_viewer().id,
        )
    flash(_("Tersimpan: kelurahan yang dilayani %(name)s.", name=placed.name), "success")
    return redirect(url_for(".coverage_map"))
