"""Pages of seats and nominations: for trainers, for agencies, for the person who says no."""

from datetime import datetime

from flask import (
    Blueprint,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from wtforms.fields import SelectChoice

from lms.cohorts import invitations, seats
from lms.cohorts import labels as cohort_labels
from lms.cohorts.marks import mark_of
from lms.cohorts.models import Cohort, OrganisationKind
from lms.cohorts.services import get_cohort_to_invite
from lms.core import clock, http, login, sheets
from lms.core.clock import ZONES
from lms.core.db import unit_of_work
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.core.i18n import local, moment, ngettext
from lms.nominations import agency, board, halls, labels, reach, rules, seating, services
from lms.nominations.forms import (
    NominateForm,
    QuotasForm,
    ReasonForm,
    SeatsForm,
    WithdrawForm,
)

bp = Blueprint("nominations", __name__, template_folder="templates")

FRESH_LINK = "offered"
"""Where the browser's session keeps a new link until the next page shows it, once."""


def _page_asked(name: str = "hal") -> int:
    page = request.args.get(name, "")[:6]
    return max(1, int(page) if page.isdecimal() else 1)


# For trainers


@bp.get("/angkatan/<slug>/kursi")
@login.role("trainer", "admin")
def seats_page(slug: str) -> ResponseReturnValue:
    """Show the seats of a class by kind of agency, the waiting list, and who was nominated."""
    return _board(_get_cohort(slug))


def _get_cohort(slug: str) -> Cohort:
    return get_cohort_to_invite(slug, login.require_viewer())


def _board(
    cohort: Cohort, *, reason_form: ReasonForm | None = None, asked: str = ""
) -> ResponseReturnValue:
    page = _page_asked()
    found = board.get_board(cohort, now=clock.now(), first=(page - 1) * board.PAGE)
    answer = render_template(
        "nominations/seats_page.html",
        cohort=cohort,
        board=found,
        page=page,
        size=board.PAGE,
        fresh=session.pop(FRESH_LINK, None),
        reason_form=reason_form,
        asked=asked,
        labels=labels,
        kinds=cohort_labels.KINDS,
    )
    return make_response(answer, 422 if reason_form else 200)


@bp.route("/angkatan/<slug>/kursi/atur", methods=["GET", "POST"])
@login.role("trainer", "admin")
@login.accepts(SeatsForm, QuotasForm)
def seats_edit(slug: str) -> ResponseReturnValue:
    """Set the seats of a class, their quotas and the deadline."""
    cohort = _get_cohort(slug)
    form, quotas = _seats_forms(cohort)
    if request.method == "POST" and form.validate() & quotas.validate():
        try:
            with unit_of_work():
                _save_seats(_get_cohort(slug), form, quotas)
        except rules.BadPlan as error:
            form.capacity.errors = [labels.explain_plan(error)]
        else:
            flash(_("Kursi dan kuota tersimpan."), "success")
            return redirect(url_for(".seats_page", slug=slug))
    page = render_template("nominations/seats_edit.html", cohort=cohort, form=form, quotas=quotas)
    return make_response(page, 422 if form.errors or quotas.errors else 200)


def _seats_forms(cohort: Cohort) -> tuple[SeatsForm, QuotasForm]:
    found = seating.find_seating(cohort.id)
    if found is None:
        return SeatsForm(offer_hours=rules.LONGEST_OFFER), QuotasForm()
    until = local(found.nominate_until, cohort.zone)
    form = SeatsForm(
        capacity=found.capacity,
        until_on=until.date(),
        until_at=until.time(),
        offer_hours=found.offer_hours,
    )
    return form, QuotasForm(data=halls.read_hall(found, cohort, clock.now()).quotas)


def _save_seats(cohort: Cohort, form: SeatsForm, quotas: QuotasForm) -> None:
    until = datetime.combine(form.until_on.data, form.until_at.data, ZONES[cohort.zone])
    services.set_quotas(
        cohort.id,
        capacity=form.capacity.data,
        nominate_until=until,
        offer_hours=form.offer_hours.data,
        quotas={OrganisationKind(name): count or 0 for name, count in quotas.data.items()},
        actor_id=login.require_viewer().id,
        now=clock.now(),
    )


@bp.get("/angkatan/<slug>/kursi/catatan")
@login.role("trainer", "admin")
def seats_log(slug: str) -> ResponseReturnValue:
    """Show the log of the waiting list; on demand, work it through again."""
    cohort, before = _get_cohort(slug), http.asked_id("sebelum")
    lines = board.list_log(cohort, before=before, limit=board.PAGE + 1)
    return render_template(
        "nominations/seats_log.html",
        cohort=cohort,
        lines=lines[: board.PAGE],
        following=lines[board.PAGE - 1].id if len(lines) > board.PAGE else None,
        before=before,
        proof=board.prove(cohort) if request.args.get("periksa") else None,
        labels=labels,
        kinds=cohort_labels.KINDS,
    )


@bp.get("/angkatan/<slug>/kursi/daftar.csv")
@login.role("trainer", "admin")
@login.about_people
def seats_file(slug: str) -> ResponseReturnValue:
    """Hand out everybody who was nominated as a file."""
    cohort = _get_cohort(slug)
    columns = [
        _("Nama"),
        _("Alamat e-mail"),
        _("Instansi"),
        _("Jenis"),
        _("Keadaan"),
        _("Hadir"),
        _("Diusulkan oleh"),
        _("Diusulkan pada"),
        _("Nomor surat tugas"),
        _("Tanggal surat tugas"),
    ]
    rows = [
        (
            one.name,
            one.email,
            one.organisation,
            str(cohort_labels.KINDS[one.kind]),
            str(labels.STATES[one.state]),
            _("ya") if one.present else "",
            one.nominated_by,
            moment(one.nominated_at, cohort.zone),
            one.letter_number,
            one.letter_on,
        )
        for one in board.list_people(cohort)
    ]
    return sheets.answer_csv(f"kursi-{cohort.slug}", columns, rows, mark_of(cohort))


@bp.post("/angkatan/<slug>/kursi/<public_id>/tawarkan")
@login.role("trainer", "admin")
@login.accepts(ReasonForm)
def offer(slug: str, public_id: str) -> ResponseReturnValue:
    """Give somebody on the waiting list a seat out of turn."""
    cohort, form = _get_cohort(slug), ReasonForm()
    if not form.validate_on_submit():
        return _board(cohort, reason_form=form, asked=public_id)
    try:
        with unit_of_work():
            services.offer_by_hand(
                public_id,
                cohort.id,
                reason=form.reason.data,
                actor_id=login.require_viewer().id,
                now=clock.now(),
            )
    except seats.NoSeat as error:
        flash(cohort_labels.explain_no_seat(error), "error")
    except (services.Ended, services.NotOpen):
        flash(_("Orang ini sudah tidak di daftar tunggu."), "info")
    else:
        flash(_("Kursi ditawarkan; alasannya tercatat."), "success")
    return redirect(url_for(".seats_page", slug=slug))


@bp.post("/angkatan/<slug>/kursi/<public_id>/tarik")
@login.role("trainer", "admin")
@login.accepts(WithdrawForm)
def nomination_withdraw(slug: str, public_id: str) -> ResponseReturnValue:
    """Take a nomination back; its seat goes on by the rule."""
    cohort, form = _get_cohort(slug), WithdrawForm()
    note = form.note.data[:300] if form.validate_on_submit() else ""
    _withdraw(public_id, cohort.id, note)
    return redirect(url_for(".seats_page", slug=slug))


def _withdraw(public_id: str, cohort_id: int, note: str) -> None:
    viewer = login.require_viewer()
    try:
        with unit_of_work():
            services.withdraw(public_id, cohort_id, actor_id=viewer.id, note=note, now=clock.now())
    except services.TooLate:
        flash(_("Kelas sudah mulai, jadi kursi ini tidak dapat ditarik lagi."), "info")
    except (services.Ended, services.Overtaken, invitations.InvitationClosed):
        flash(_("Usulan ini baru saja berubah. Lihat keadaannya sekarang."), "info")
    else:
        flash(_("Usulan ditarik. Kursinya diberikan kepada yang berikutnya."), "success")


@bp.post("/angkatan/<slug>/kursi/<public_id>/tautan")
@login.role("trainer", "admin")
@login.accepts()
def nomination_link(slug: str, public_id: str) -> ResponseReturnValue:
    """Send an open offer again with a new link, and show the link once."""
    cohort = _get_cohort(slug)
    try:
        with unit_of_work():
            name, link = services.renew_link(
                public_id, cohort.id, actor_id=login.require_viewer().id, now=clock.now()
            )
    except services.Ended:
        flash(_("Tawaran ini sudah tidak terbuka."), "info")
    else:
        session[FRESH_LINK] = {"name": name, "link": link}
    return redirect(url_for(".seats_page", slug=slug))


# For agencies


@bp.get("/instansi/calon")
@login.role("agency")
def desk() -> ResponseReturnValue:
    """Show the classes an agency may nominate for, and what became of its nominations."""
    page = _page_asked()
    found = agency.get_desk(
        login.require_viewer().id, now=clock.now(), first=(page - 1) * agency.PAGE
    )
    return render_template(
        "nominations/desk.html",
        desk=found,
        page=page,
        size=agency.PAGE,
        now=clock.now(),
        labels=labels,
        kinds=cohort_labels.KINDS,
    )


@bp.get("/instansi/kalender")
@login.role("agency")
def calendar() -> ResponseReturnValue:
    """Show the classes in reach by month, and fold those that are over."""
    page, past = _page_asked(), _page_asked("lalu")
    found = reach.get_calendar(
        login.require_viewer().id,
        now=clock.now(),
        first=(page - 1) * reach.PAGE,
        first_past=(past - 1) * reach.PAGE,
    )
    if (page > 1 and not found.coming) or (past > 1 and not found.past):
        raise NotFound("page")
    return render_template(
        "nominations/calendar.html",
        found=found,
        page=page,
        past=past,
        size=reach.PAGE,
        kinds=cohort_labels.KINDS,
    )


@bp.route("/instansi/calon/<slug>", methods=["GET", "POST"])
@login.role("agency")
@login.accepts(NominateForm)
def nominate(slug: str) -> ResponseReturnValue:
    """Nominate people for a class."""
    viewer, form = login.require_viewer(), NominateForm()
    form.organisation.choices = [
        SelectChoice(one.public_id, one.name) for one in agency.agencies_of(viewer.id)
    ]
    if not form.validate_on_submit():
        return _sheet(slug, form, [])
    if not (form.people.data or form.typed):
        form.people.errors = [_("Pilih seseorang, atau isi nama dan alamat e-mailnya.")]
        return _sheet(slug, form, [])
    try:
        with unit_of_work():
            outcomes = agency.nominate(
                viewer.id,
                slug,
                people=form.people.data,
                typed=form.typed,
                organisation=form.organisation.data,
                letter=services.Letter(form.letter_number.data, form.letter_on.data),
                now=clock.now(),
            )
    except services.NotOpen:
        flash(_("Kelas ini tidak lagi menerima usulan."), "info")
        return redirect(url_for(".desk"))
    refused = [one for one in outcomes if one.result not in services.MADE]
    if refused:
        left = NominateForm(formdata=None, others=[_typed(one) for one in refused])
        left.organisation.choices = form.organisation.choices
        return _sheet(slug, left, outcomes)
    flash(_summary(outcomes), "success")
    return redirect(url_for(".nominate", slug=slug, _anchor="usulan"))


def _typed(outcome: services.Outcome) -> dict[str, str]:
    return {"name": outcome.nominee.name, "email": outcome.nominee.email}


def _summary(outcomes: list[services.Outcome]) -> str:
    offered = sum(one.result is services.Result.OFFERED for one in outcomes)
    waiting = len(outcomes) - offered
    texts = []
    if offered:
        texts.append(
            ngettext("%(num)d orang mendapat kursi.", "%(num)d orang mendapat kursi.", offered)
        )
    if waiting:
        texts.append(
            ngettext(
                "%(num)d orang masuk daftar tunggu.", "%(num)d orang masuk daftar tunggu.", waiting
            )
        )
    return " ".join(texts)


def _sheet(slug: str, form: NominateForm, outcomes: list[services.Outcome]) -> ResponseReturnValue:
    search = request.args.get("cari", "").strip()[:100]
    found = agency.get_sheet(login.require_viewer().id, slug, search=search, now=clock.now())
    page = render_template(
        "nominations/nominate.html",
        sheet=found,
        form=form,
        outcomes=outcomes,
        search=search,
        most=agency.PEOPLE,
        labels=labels,
        kinds=cohort_labels.KINDS,
    )
    return make_response(page, 422 if form.errors or outcomes else 200)


@bp.post("/instansi/calon/usulan/<public_id>/tarik")
@login.role("agency")
@login.accepts()
def own_withdraw(public_id: str) -> ResponseReturnValue:
    """Take back a nomination of one's own agency."""
    found = agency.find_own(login.require_viewer().id, public_id)
    _withdraw(public_id, found.cohort_id, "")
    return redirect(url_for(".desk"))


# For the person


@bp.post("/undangan/<token>/tolak")
@login.public
@login.accepts()
def decline(token: str) -> ResponseReturnValue:
    """Let an invited person say no."""
    with unit_of_work():
        services.decline(token, now=clock.now())
    return redirect(url_for(".declined"))


@bp.get("/undangan/batal")
@login.public
def declined() -> ResponseReturnValue:
    """Thank somebody who said no."""
    return render_template("nominations/declined.html")


@bp.errorhandler(invitations.UnknownInvitation)
def answer_unknown(_error: invitations.UnknownInvitation) -> ResponseReturnValue:
    """Say kindly that a link leads nowhere."""
    return render_template("cohorts/closed.html", standing=None), 404


@bp.errorhandler(invitations.InvitationClosed)
def answer_closed(error: invitations.InvitationClosed) -> ResponseReturnValue:
    """Say kindly that an invitation was used, taken back or is too old."""
    return render_template("cohorts/closed.html", standing=error.standing), 410
