"""Pages for trainers and assessors: classes, the matrix, one person."""

from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from lms.cohorts import services as cohorts
from lms.cohorts.models import Cohort, Part
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind
from lms.core import clock, login
from lms.core.db import unit_of_work
from lms.core.i18n import gettext as _
from lms.core.i18n import ngettext
from lms.credentials import schemes
from lms.practice.observations.texts import list_stations
from lms.reports import services
from lms.reports.forms import CoachingForm
from lms.reports.rules import Reason, Stuck

bp = Blueprint("reports", __name__, template_folder="templates")


@bp.app_template_global("stuck_words")
def stuck_words(stuck: Stuck) -> str:
    """Say in a sentence why somebody may be stuck."""
    words = {
        Reason.TRIES_USED: _(
            "Tiga kali mencoba kuis %(source)s; butuh bimbingan sebelum mencoba lagi."
        ),
        Reason.TALK: _("Minta membahas %(source)s langsung dengan pelatih."),
        Reason.WAITS_FOR_MARK: _("Studi kasus %(source)s menunggu dinilai."),
        Reason.OBSERVE: _("Tatap muka sudah lewat; uji observasi belum dinilai."),
        Reason.ATTEMPT_WAITS: _("Kuis %(source)s dapat dicoba lagi setelah jeda 24 jam."),
        Reason.QUIET: _("Belum ada kegiatan selama tujuh hari atau lebih."),
    }
    return words[stuck.reason] % {"source": stuck.source}


@bp.app_template_global("days_ago")
def days_ago(at: datetime) -> str:
    """Say how long ago somebody was last active, in whole days."""
    days = (clock.now() - at).days
    return ngettext("%(num)d hari lalu", "%(num)d hari lalu", days) if days else _("hari ini")


@bp.get("/angkatan")
@login.role("trainer", "assessor", "speaker", "admin")
def index() -> ResponseReturnValue:
    """List the classes the viewer works in."""
    viewer = login.require_viewer()
    return render_template("reports/index.html", cohorts=cohorts.list_cohorts(viewer))


@bp.get("/angkatan/<slug>")
@login.role("trainer", "assessor", "admin")
def matrix(slug: str) -> ResponseReturnValue:
    """Show a class as people × units; `unit` opens one unit to its criteria."""
    cohort = _get_cohort(slug)
    found = services.matrix(cohort, now=clock.now())
    return render_template(
        "reports/matrix.html",
        matrix=found,
        lines=services.arrange(
            found.lines, agency=request.args.get("instansi", ""), order=request.args.get("urut", "")
        ),
        pressing=services.arrange(found.lines, agency="", order=""),
        agencies=sorted({line.seat.organisation for line in found.lines}),
        unit=services.find_unit(found, request.args.get("unit", "")),
        args=request.args,
    )


@bp.get("/angkatan/<slug>/peserta/<public_id>")
@login.role("trainer", "assessor", "admin")
def person(slug: str, public_id: str) -> ResponseReturnValue:
    """Show one companion of a class with all evidence."""
    return _person_page(slug, public_id, CoachingForm(formdata=None)), 200


@bp.post("/angkatan/<slug>/peserta/<public_id>/bimbingan")
@login.role("trainer")
@login.accepts(CoachingForm)
def coach(slug: str, public_id: str) -> ResponseReturnValue:
    """Record guidance; it opens the next try."""
    viewer, form = login.require_viewer(), CoachingForm()
    cohort = cohorts.get_cohort(slug, viewer, Part.TRAINER)
    seat = cohorts.get_seat(cohort.id, public_id)
    form.offer(_choices())
    if not form.validate_on_submit():
        return _person_page(slug, public_id, form), 422
    kind, source = form.chosen
    with unit_of_work():
        competency.coach(
            seat.person_id,
            kind=kind,
            source=source,
            note=form.note.data,
            trainer_id=viewer.id,
            now=clock.now(),
        )
    flash(_("Bimbingan tercatat. Percobaan berikutnya terbuka."), "success")
    return redirect(url_for(".person", slug=slug, public_id=public_id))


def _get_cohort(slug: str) -> Cohort:
    """Return a class whose results the viewer may read; who only speaks in it may not."""
    viewer = login.require_viewer()
    parts = () if "admin" in viewer.roles else (Part.TRAINER, Part.ASSESSOR)
    return cohorts.get_cohort(slug, viewer, *parts)


def _person_page(slug: str, public_id: str, form: CoachingForm) -> str:
    cohort = _get_cohort(slug)
    form.offer(_choices())
    return render_template(
        "reports/person.html",
        found=services.person(cohort, public_id, now=clock.now()),
        schemes=schemes.list_schemes(),
        form=form,
    )


def _choices() -> list[tuple[EvidenceKind, str, str]]:
    standard = competency.current().standard
    found = [(EvidenceKind.Q, code, _("Kuis %(code)s", code=code)) for code in standard.curricula]
    found += [
        (EvidenceKind.SIM, code, _("Simulasi %(code)s", code=code)) for code in standard.simulations
    ]
    found += [
        (EvidenceKind.SK, code, _("Studi kasus %(code)s", code=code)) for code in standard.cases
    ]
    found += [
        (EvidenceKind.OBS, station.code, _("Stasiun %(code)s", code=station.code))
        for station in list_stations()
    ]
    return found + [
        (EvidenceKind.REF, code, _("Pelajaran %(code)s", code=code))
        for code in services.lesson_codes()
    ]
