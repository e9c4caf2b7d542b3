"""Pages of observations."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, Part
from lms.core import clock, login, reviewing
from lms.core.db import unit_of_work
from lms.core.errors import Forbidden
from lms.core.i18n import gettext as _
from lms.core.i18n import ngettext
from lms.practice.observations import services, sheets
from lms.practice.observations.forms import (
    LABELS,
    AnnulForm,
    MarksForm,
    RowForm,
    row_forms,
    valid_entries,
)

bp = Blueprint("observations", __name__, template_folder="templates")


@bp.get("/angkatan/<slug>/observasi")
@login.role("trainer", "assessor")
def board(slug: str) -> ResponseReturnValue:
    """Show the stations and how far everybody is."""
    cohort = _get_cohort(slug)
    found = sheets.get_board(cohort, login.require_viewer().id, now=clock.now())
    return render_template("observations/board.html", cohort=cohort, board=found)


@bp.get("/angkatan/<slug>/observasi/<code>")
@login.role("trainer", "assessor")
def station(slug: str, code: str) -> ResponseReturnValue:
    """Show one criterion of a station for a group."""
    found = _get_sheet(_get_cohort(slug), code, request.args.get("kuk"), request.args.get("varian"))
    return _page(slug, found, MarksForm(formdata=None), row_forms(found))


@bp.post("/angkatan/<slug>/observasi/<code>")
@login.role("trainer", "assessor")
@login.accepts(
    MarksForm,
    *(f"<peserta>-{name}" for name in ("hasil", "catatan", "tindakan")),
    *(f"<peserta>-{name}" for name in ("mutu", "valid", "asli", "terkini", "memadai")),
)
def record(slug: str, code: str) -> ResponseReturnValue:
    """Save what was seen: rows in order are saved, the others come back with what was typed."""
    form = MarksForm()
    found = _get_sheet(_get_cohort(slug), code, form.kuk.data, form.varian.data)
    rows = row_forms(found)
    if not form.validate():
        return _page(slug, found, form, rows), 422
    outcome = _save(slug, found, form, rows)
    if any(row.errors for row in rows.values()):
        found = _get_sheet(_get_cohort(slug), code, form.kuk.data, form.varian.data)
        return _page(slug, found, form, rows, outcome), 422
    flash(_say(len(outcome.saved)), "success")
    return redirect(_next(slug, found, form.ke.data))


@bp.get("/angkatan/<slug>/observasi/<code>/peserta/<person>")
@login.role("trainer", "assessor")
def history(slug: str, code: str, person: str) -> ResponseReturnValue:
    """Show everything noted about one person at one station."""
    return _history(slug, code, person, AnnulForm(formdata=None))


@bp.post("/angkatan/<slug>/observasi/<code>/peserta/<person>")
@login.role("trainer", "assessor")
@login.accepts(AnnulForm)
def annul(slug: str, code: str, person: str) -> ResponseReturnValue:
    """Take back the newest try of one person at one station."""
    form, viewer = AnnulForm(), login.require_viewer()
    if not form.validate():
        return _history(slug, code, person, form), 422
    try:
        with unit_of_work():
            services.annul(
                _get_cohort(slug),
                code,
                person,
                reason=form.alasan.data,
                assessor_id=viewer.id,
                now=clock.now(),
            )
    except cohorts.MayNotAssess as error:
        raise Forbidden(str(error)) from error
    except services.NothingToAnnul:
        flash(_("Tidak ada tanda yang dapat ditarik kembali."), "info")
    else:
        flash(_("Tanda ditarik kembali. Stasiun ini dapat dinilai lagi."), "success")
    return redirect(url_for(".history", slug=slug, code=code, person=person))


def _get_cohort(slug: str) -> Cohort:
    return cohorts.get_cohort(slug, login.require_viewer(), Part.TRAINER, Part.ASSESSOR)


def _get_sheet(cohort: Cohort, code: str, kuk: str | None, variant: str | None) -> sheets.Sheet:
    return sheets.get_sheet(
        cohort,
        code,
        kuk=kuk,
        variant=variant,
        chosen=request.values.getlist("siapa"),
        assessor_id=login.require_viewer().id,
        now=clock.now(),
    )


def _save(
    slug: str, sheet: sheets.Sheet, form: MarksForm, rows: dict[str, RowForm]
) -> services.Outcome:
    with unit_of_work():
        outcome = services.record(
            _get_cohort(slug),
            sheet.station.code,
            kuk=sheet.kuk.code,
            variant=sheet.variant.code,
            entries=valid_entries(rows),
            has_feedback=form.umpan_balik.data,
            assessor_id=login.require_viewer().id,
            now=clock.now(),
        )
    for line in sheet.lines:
        if line.seat.person_id in outcome.refused:
            rows[line.seat.public_id].refuse(outcome.refused[line.seat.person_id])
    return outcome


def _say(saved: int) -> str:
    if not saved:
        return _("Tidak ada yang berubah.")
    return ngettext("Tanda %(num)d orang tersimpan.", "Tanda %(num)d orang tersimpan.", saved)


def _next(slug: str, sheet: sheets.Sheet, target: str) -> str:
    if target == "daftar":
        return url_for(".board", slug=slug)
    return _address(slug, sheet, target if target in sheet.station.kuk else sheet.kuk.code)


def _address(slug: str, sheet: sheets.Sheet, kuk: str) -> str:
    """Return the address of a criterion with the story and the group kept."""
    return url_for(
        ".station",
        slug=slug,
        code=sheet.station.code,
        kuk=kuk,
        varian=sheet.variant.code,
        siapa=request.values.getlist("siapa"),
    )


def _page(
    slug: str,
    sheet: sheets.Sheet,
    form: MarksForm,
    rows: dict[str, RowForm],
    outcome: services.Outcome | None = None,
) -> str:
    copy = sheet.station.code, sheet.station.digest
    return render_template(
        "observations/station.html",
        cohort=_get_cohort(slug),
        sheet=sheet,
        form=form,
        rows=rows,
        outcome=outcome,
        wrong=[line for line in sheet.lines if rows[line.seat.public_id].errors],
        labels=LABELS,
        chosen=request.values.getlist("siapa"),
        now=clock.now(),
        here=_address(slug, sheet, sheet.kuk.code),
        marks=reviewing.marks_of("station", [copy]).get(copy, ()),
    )


def _history(slug: str, code: str, person: str, form: AnnulForm) -> str:
    cohort = _get_cohort(slug)
    found = sheets.get_history(cohort, code, person, login.require_viewer().id, now=clock.now())
    return render_template(
        "observations/history.html", cohort=cohort, history=found, form=form, labels=LABELS
    )
