"""Pages for trainers and assessors: classes, their map, one person, what to prepare, messages."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from flask import current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from lms.cohorts import messages as letters
from lms.cohorts import services as cohorts
from lms.cohorts.labels import KINDS
from lms.cohorts.marks import mark_of
from lms.cohorts.messages import WrittenLately
from lms.cohorts.models import Cohort, Part
from lms.competency import services as competency
from lms.competency.rules import EvidenceKind, Standing, Verdict
from lms.core import clock, login, sheets
from lms.core.clock import ZONES
from lms.core.db import unit_of_work
from lms.core.i18n import gettext as _
from lms.core.i18n import language, ngettext
from lms.credentials import schemes
from lms.practice.exercises import services as exercises
from lms.practice.observations.texts import list_stations
from lms.reports import (
    exports,
    labels,
    messages,
    services,
    themes,
    timeline,
    views_agency,
    views_coverage,
    views_recap,
)
from lms.reports.blueprint import bp
from lms.reports.forms import CoachingForm, MessageForm
from lms.reports.rules import Reason, Stuck

__all__ = ["bp", "views_agency", "views_coverage", "views_recap"]


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
def days_ago(at: datetime, now: datetime) -> str:
    """Say how long ago somebody was last active, in whole days."""
    days = (now - at).days
    return ngettext("%(num)d hari lalu", "%(num)d hari lalu", days) if days else _("hari ini")


@bp.app_template_global("unit_cells")
def unit_cells(standing: Standing, units: Sequence[str]) -> Markup:
    """Draw what one person reached of these units."""
    spoken = language()
    return Markup("").join(_unit_cell(spoken, one, *standing.units[one]) for one in units)


@lru_cache(maxsize=4096)
def _unit_cell(_language: str, unit: str, reached: int, total: int, critical: int) -> Markup:
    # Fifty people have five hundred cells, and most of them look like another one.
    return _draw("heat_cell", reached, total, unit, critical > 0 and reached > 0)


@bp.app_template_global("verdict_cells")
def verdict_cells(verdicts: Mapping[str, Verdict], kuk: Sequence[str]) -> Markup:
    """Draw the verdicts on these criteria."""
    spoken = language()
    return Markup("").join(_verdict_cell(spoken, verdicts[one].value, one) for one in kuk)


@lru_cache(maxsize=4096)
def _verdict_cell(_language: str, verdict: str, kuk: str) -> Markup:
    return _draw("verdict_cell", verdict, kuk)


def _draw(macro: str, *values: object) -> Markup:
    tables = current_app.jinja_env.get_template("components/table.html").module
    return cast(Markup, getattr(tables, macro)(*values))


@bp.get("/angkatan")
@login.role("trainer", "assessor", "speaker", "admin")
def index() -> ResponseReturnValue:
    """List the classes the viewer works in, each with what they may open there."""
    own = cohorts.list_own_classes(login.require_viewer(), now=clock.now())
    return render_template("reports/index.html", classes=own)


@bp.get("/angkatan/<slug>")
@login.role("trainer", "assessor", "admin")
def matrix(slug: str) -> ResponseReturnValue:
    """Show a class as people × units; `unit` opens one unit to its criteria."""
    cohort, now = _get_cohort(slug), clock.now()
    args = request.args
    asked = services.View(
        agency=args.get("instansi", ""),
        kind=args.get("jenis", ""),
        order=args.get("urut", ""),
        unit=args.get("unit", ""),
        page=_page_number(),
    )
    found = services.matrix(cohort, asked, now=now)
    ahead = cohort.ends_on >= now.astimezone(ZONES[cohort.zone]).date()
    return render_template(
        "reports/matrix.html",
        matrix=found,
        now=now,
        page_url=_page_url(slug, found.view),
        themes=themes.read(found.overview.themes, found.standard)
        if found.overview and ahead
        else [],
        kinds=KINDS,
        reasons=[one.value for one in Reason],
        reason_label=messages.label,
    )


def _page_number() -> int:
    """Return the page of a list that is asked for, from 1."""
    text = request.args.get("hal", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 1


def _page_url(slug: str, view: services.View) -> "_PageUrl":
    kept = {"instansi": view.agency, "jenis": view.kind, "urut": view.order, "unit": view.unit}
    return _PageUrl(slug, {name: value for name, value in kept.items() if value})


class _PageUrl:
    """Makes addresses of the map that keep what was chosen, but for what is given."""

    def __init__(self, slug: str, kept: dict[str, str]) -> None:
        self.slug, self.kept = slug, kept

    def __call__(self, **changed: str | int) -> str:
        chosen: dict[str, Any] = self.kept | changed
        return url_for(".matrix", slug=self.slug, **chosen) + "#peta"


@bp.get("/angkatan/<slug>/capaian.csv")
@login.role("trainer", "assessor", "admin")
@login.about_people
def matrix_csv(slug: str) -> ResponseReturnValue:
    """Send what everybody of a class reached, as a CSV file in pieces."""
    cohort = _get_cohort(slug)
    rows = _localised(exports.rows(cohort, now=clock.now()))
    return sheets.answer_csv(f"capaian-{slug}", _columns(), rows, mark_of(cohort))


@bp.get("/angkatan/<slug>/capaian.xlsx")
@login.role("trainer", "assessor", "admin")
@login.about_people
def matrix_xlsx(slug: str) -> ResponseReturnValue:
    """Send what everybody of a class reached, as a workbook."""
    cohort = _get_cohort(slug)
    rows = exports.rows(cohort, now=clock.now())
    return sheets.answer_xlsx(f"capaian-{slug}", _columns(), rows, mark_of(cohort))


def _columns() -> list[str]:
    units = [
        _("Unit %(number)s (dari %(total)d)", number=unit.number, total=len(unit.kuk))
        for unit in exports.units()
    ]
    names = [_("Tercapai"), _("Dari"), _("Kriteria kritis belum"), _("Terakhir aktif")]
    return [_("Nama"), _("Instansi"), *units, *names]


def _localised(rows: Iterator[list[sheets.Cell]]) -> Iterator[list[sheets.Cell]]:
    """Give an empty text where a date is missing: a CSV file has no empty cell of its own."""
    for row in rows:
        yield ["" if cell is None else cell for cell in row]


@bp.get("/angkatan/<slug>/persiapan")
@login.role("trainer")
def preparation(slug: str) -> ResponseReturnValue:
    """Show which criteria a workshop should make time for; made to be printed."""
    viewer = login.require_viewer()
    cohort = cohorts.get_cohort(slug, viewer, Part.TRAINER)
    sessions = cohorts.list_sessions(cohort.id)
    return render_template(
        "reports/preparation.html",
        cohort=cohort,
        found=services.preparation(cohort),
        sessions=sessions,
        exercises=exercises.list_exercises(
            viewer, sorted({one.lesson_code for one in sessions if one.lesson_code})
        ),
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


@bp.get("/angkatan/<slug>/pesan")
@login.role("trainer")
def message(slug: str) -> ResponseReturnValue:
    """Show a message to people who are held up, ready to be changed and sent."""
    cohort = cohorts.get_cohort(slug, login.require_viewer(), Part.TRAINER)
    draft = messages.draft(
        cohort,
        reason=request.args.get("alasan", ""),
        whom=request.args.get("siapa", "")[:40],
        now=clock.now(),
    )
    form = MessageForm(
        formdata=None,
        reason=draft.reason,
        people=[one.public_id for one in draft.people if not one.lately],
        text=messages.words(draft.reason),
    )
    return _message_page(cohort, draft, form)


@bp.post("/angkatan/<slug>/pesan")
@login.role("trainer")
@login.accepts(MessageForm)
def send_message(slug: str) -> ResponseReturnValue:
    """Send it: by e-mail, and as a notice on everybody's home page."""
    viewer, form, now = login.require_viewer(), MessageForm(), clock.now()
    cohort = cohorts.get_cohort(slug, viewer, Part.TRAINER)
    lately = 0
    if form.validate_on_submit():
        try:
            with unit_of_work():
                sent = messages.send(
                    cohorts.get_cohort(slug, viewer, Part.TRAINER),
                    reason=form.reason.data,
                    chosen=form.people.data or (),
                    everybody=form.everybody.data,
                    text=form.text.data,
                    anyway=form.anyway.data,
                    sender_id=viewer.id,
                    sender=viewer.name,
                    link=current_app.extensions["suluh"].base_url + url_for("pages.home"),
                    now=now,
                )
        except WrittenLately as error:
            lately = len(error.people)
        else:
            flash(_sent(sent), "success")
            return redirect(url_for(".matrix", slug=slug))
    chosen = (form.people.data or [""])[0] if len(form.people.data or ()) == 1 else ""
    draft = messages.draft(cohort, reason=form.reason.data, whom=chosen, now=now)
    return _message_page(cohort, draft, form, lately=lately), 422


def _sent(count: int) -> str:
    return ngettext("Pesan terkirim ke %(num)d orang.", "Pesan terkirim ke %(num)d orang.", count)


def _message_page(
    cohort: Cohort, draft: messages.Draft, form: MessageForm, *, lately: int = 0
) -> str:
    form.offer(draft.people)
    return render_template(
        "reports/message.html",
        cohort=cohort,
        draft=draft,
        form=form,
        lately=lately,
        sent=letters.list_sent(cohort.id),
        label=messages.label,
    )


@bp.post("/pesan/<public_id>/sudah")
@login.role("trainee")
@login.accepts()
def put_away(public_id: str) -> ResponseReturnValue:
    """Take a message from one's own home page."""
    with unit_of_work():
        letters.put_away(public_id, login.require_viewer().id, now=clock.now())
    return redirect(url_for("pages.home"))


def _get_cohort(slug: str) -> Cohort:
    """Return a class whose results the viewer may read; who only speaks in it may not."""
    viewer = login.require_viewer()
    parts = () if "admin" in viewer.roles else (Part.TRAINER, Part.ASSESSOR)
    return cohorts.get_cohort(slug, viewer, *parts)


def _person_page(slug: str, public_id: str, form: CoachingForm) -> str:
    cohort, now = _get_cohort(slug), clock.now()
    form.offer(_choices())
    found = services.person(cohort, public_id, now=now)
    return render_template(
        "reports/person.html",
        found=found,
        units=services.companion_units(found.standard),
        timeline=timeline.read(
            found.seat.person_id,
            cohort.zone,
            kind=request.args.get("jenis", ""),
            page=_page_number(),
            now=now,
        ),
        labels=labels,
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
