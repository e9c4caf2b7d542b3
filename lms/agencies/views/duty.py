"""Who is on duty, and the roster of a week."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.agencies import duty, labels, rules
from lms.agencies.duty import Cell
from lms.agencies.forms import SLOT_NAMES, SLOTS, WeekForm
from lms.agencies.rules import Shift
from lms.agencies.units import Chosen
from lms.agencies.views.blueprint import bp, chosen, today, zone
from lms.core import clock, login
from lms.core.db import unit_of_work
from lms.core.errors import NotFound
from lms.core.forms import one_line
from lms.core.i18n import gettext as _
from lms.core.i18n import local, ngettext

LONGEST = 200
OFFERED = 300
"""Names offered while typing: those who may assess risk first."""


@bp.get("/instansi/piket")
@login.role("agency")
def duty_board() -> ResponseReturnValue:
    """Answer whether a certified assessor of risk is on duty now and in the next nights."""
    unit, now = chosen(), clock.now()
    board = duty.read_board([unit.organisation.id], at=now, zone=zone())
    return render_template(
        "agencies/duty_board.html",
        unit=unit,
        board=board,
        now=now,
        week=rules.week_of(_running())[0],
    )


@bp.get("/instansi/piket/atur")
@login.role("agency")
def duty_week() -> ResponseReturnValue:
    """Show the roster of one week as a form."""
    try:
        asked = date.fromisoformat(request.args.get("minggu", "")[:10])
    except ValueError:
        asked = _running()
    return _week_page(chosen(), _week(asked))


def _running() -> date:
    """Return the day whose shift is on: before seven in the morning the night of yesterday is."""
    return rules.night_of(local(clock.now()))


def _week(day: date) -> list[date]:
    """Return the week of a day near today; a year around it. Raises NotFound."""
    if abs(day - today()) > timedelta(days=366):
        raise NotFound(day.isoformat())
    return rules.week_of(day)


def _week_page(
    unit: Chosen,
    week: Sequence[date],
    typed: Mapping[Cell, Sequence[str]] | None = None,
    unknown: Mapping[Cell, Sequence[str]] | None = None,
) -> str:
    people = duty.labels_of(unit.organisation.id)
    certified = duty.assessors_of(unit.organisation.id, clock.now())
    offered = sorted(people.items(), key=lambda one: (one[0] not in certified, one[1].casefold()))
    return render_template(
        "agencies/duty_week.html",
        unit=unit,
        form=WeekForm(formdata=None, unit=unit.organisation.public_id, week=week[0]),
        week=week,
        cells=typed or duty.read_week(unit.organisation.id, week, people, zone()),
        unknown=unknown or {},
        offered=[(label, person in certified) for person, label in offered[:OFFERED]],
        shifts=labels.SHIFTS,
        slots=range(duty.SLOTS),
        running=_running(),
        step=timedelta(days=7),
    )


def _sent() -> tuple[Chosen, list[date]]:
    """Return the agency and the week of the form that was sent. Raises NotFound."""
    form = WeekForm()
    if not form.validate_on_submit():
        raise NotFound("week")
    return chosen(form.unit.data), _week(form.week.data)


@bp.post("/instansi/piket/atur")
@login.role("agency")
@login.accepts(WeekForm, *SLOT_NAMES)
def duty_save() -> ResponseReturnValue:
    """Keep the roster of a week."""
    unit, week = _sent()
    typed: dict[Cell, list[str]] = {(day, shift): [] for day in week for shift in Shift}
    for name, (n, shift, _slot) in zip(SLOT_NAMES, SLOTS, strict=True):
        if written := one_line(request.form.get(name, ""))[:LONGEST]:
            typed[week[n], shift].append(written)
    try:
        with unit_of_work():
            duty.save_week(
                unit.organisation.id,
                week,
                typed,
                zone=zone(),
                officer_id=login.require_viewer().id,
            )
    except duty.UnknownNames as error:
        return make_response(_week_page(unit, week, typed, error.cells), 422)
    flash(_("Jadwal piket tersimpan."), "success")
    return redirect(url_for(".duty_board", unit=unit.organisation.public_id))


@bp.post("/instansi/piket/salin")
@login.role("agency")
@login.accepts(WeekForm)
def duty_copy() -> ResponseReturnValue:
    """Add the roster of the week before to this week."""
    unit, week = _sent()
    with unit_of_work():
        added = duty.copy_last_week(
            unit.organisation.id, week, zone=zone(), officer_id=login.require_viewer().id
        )
    if added:
        flash(ngettext("%(num)d giliran disalin.", "%(num)d giliran disalin.", added), "success")
    else:
        flash(_("Tidak ada giliran baru di minggu sebelumnya."), "info")
    key = unit.organisation.public_id
    return redirect(url_for(".duty_week", unit=key, minggu=week[0].isoformat()))
