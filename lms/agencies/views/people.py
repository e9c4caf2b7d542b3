"""One's own people.

Looking at somebody is written down, and GET never writes: so looks are POST, and they answer with
the page itself. Loading that page again is another look.
"""

from collections.abc import Iterable, Mapping

from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.accounts.exports import take
from lms.agencies import labels, services, units
from lms.agencies.services import Line, Standing
from lms.agencies.views.blueprint import bp
from lms.core import clock, login, sheets
from lms.core.db import unit_of_work
from lms.core.i18n import gettext as _
from lms.core.i18n import pick
from lms.core.sheets import Cell
from lms.credentials import words

PAGE = 50
"""People on one page of the list."""
FILTERS = {"cari": "name", "status": "standing", "unit": "unit", "tingkat": "level"}
"""What stands in the address, and what the service calls it."""


@bp.get("/instansi")
@login.role("agency")
def people() -> ResponseReturnValue:
    """List the agency's own people with what their certificates are worth."""
    asked = _asked(request.args)
    found = services.overview(login.require_viewer().id, at=clock.now(), **_filter(asked))
    page = request.args.get("hal", "")[:6]
    start = PAGE * max(0, int(page) - 1 if page.isdecimal() else 0)
    return render_template(
        "agencies/people.html",
        found=found,
        asked=asked,
        start=start,
        size=PAGE,
        standings=labels.STANDINGS,
        bars=[one for one in Standing if one is not Standing.NONE],
    )


def _asked(given: Mapping[str, str]) -> dict[str, str]:
    return {key: given.get(key, "").strip()[:100] for key in FILTERS}


def _filter(asked: Mapping[str, str]) -> dict[str, str]:
    return {FILTERS[key]: value for key, value in asked.items()}


@bp.post("/instansi/unduh")
@login.role("agency")
@login.accepts(*FILTERS, "bentuk")
@login.about_people
def people_file() -> ResponseReturnValue:
    """Answer with the list as a file; each of its people sees that it was taken."""
    officer_id = login.require_viewer().id
    with unit_of_work():
        lines = services.export(officer_id, now=clock.now(), **_filter(_asked(request.form)))
        rows = list(_rows(lines))
    columns = [_("Nama"), _("Unit kerja"), _("Skema"), _("Nomor"), _("Berlaku sampai"), _("Status")]
    answer = sheets.answer_xlsx if request.form.get("bentuk") == "xlsx" else sheets.answer_csv
    return answer("pendamping", columns, rows, take(units.names_of(officer_id)))


def _rows(lines: Iterable[Line]) -> Iterable[list[Cell]]:
    for line in lines:
        entry = line.leading
        paper: list[Cell] = (
            [
                pick(entry.scheme_title, entry.scheme_title_en),
                entry.number,
                entry.life.valid_until,
            ]
            if entry
            else ["", "", None]
        )
        name, unit, status = line.seat.name, line.seat.organisation, labels.STANDINGS[line.standing]
        yield [name, unit, *paper, str(status)]


@bp.post("/instansi/orang/<public_id>")
@login.role("agency")
@login.accepts()
def people_open(public_id: str) -> ResponseReturnValue:
    """Show the certificates of one of the agency's people; the person sees that it was asked."""
    with unit_of_work():
        seat, entries = services.open_person(login.require_viewer().id, public_id, now=clock.now())
    return render_template(
        "agencies/people_open.html",
        seat=seat,
        entries=entries,
        words=words,
        here=url_for(".people"),
    )
