"""Pages of bringing people in: send a sheet, look it through, confirm, see what became of it."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask import (
    Blueprint,
    current_app,
    flash,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from wtforms.fields import SelectChoice

from lms.cohorts import abbreviations, invitations, organisations, seats
from lms.cohorts.forms import organisation_choices
from lms.cohorts.labels import STANDINGS
from lms.cohorts.marks import mark_of
from lms.cohorts.models import Cohort, OrganisationKind, Part
from lms.cohorts.rules import Abbreviation, Fit
from lms.cohorts.services import NameTaken, NotOpen, get_cohort, get_cohort_to_invite
from lms.core import clock, http, login, qr, sheets, tables_in
from lms.core.db import unit_of_work
from lms.core.errors import DomainError, NotFound
from lms.core.i18n import gettext as _
from lms.core.i18n import ngettext
from lms.core.sheets import Cell
from lms.nominations import agency
from lms.nominations import services as nominations
from lms.practice.attendance.models import Presence
from lms.practice.attendance.views.blueprint import half_name
from lms.roster import labels, rules, services, walkin
from lms.roster.forms import (
    EXISTING,
    NEW,
    AgencySheetForm,
    ChoiceForm,
    RowForm,
    SheetForm,
    SkipForm,
    WalkInForm,
    WalkInUndoForm,
)
from lms.roster.models import RosterBatch, State, Way
from lms.roster.rules import Standing
from lms.roster.services import NotOne, Preview, Question, Reading

bp = Blueprint("roster", __name__, template_folder="templates")

PAGE = 50
"""Rows of a sheet on one page."""
QUESTIONS = 10
"""Names asked about on one page; the next ones follow as these are settled."""
FRESH_LINK = "walked_in"
"""Where the browser's session keeps a new link until the next page shows it, once."""
TEMPLATE = [
    ["Nama", "E-mail", "Instansi"],
    ["Siti Contoh", "siti@contoh.id", "Puskesmas Contoh"],
]
"""The sheet to fill in: headings and one row to overwrite."""


@bp.route("/angkatan/<slug>/peserta/impor", methods=["GET", "POST"])
@login.role("trainer", "admin")
@http.takes_upload(tables_in.LARGEST)
@login.accepts(SheetForm)
def class_start(slug: str) -> ResponseReturnValue:
    """Send a sheet of people to invite into a class; earlier ones stand beside."""
    viewer = login.require_viewer()
    cohort = get_cohort_to_invite(slug, viewer)
    form = SheetForm()
    if form.validate_on_submit():
        reading = _read(form)
        if reading is not None:
            with unit_of_work():
                batch = services.keep(
                    reading,
                    way=Way.INVITE,
                    cohort_id=cohort.id,
                    organisation_id=None,
                    actor_id=viewer.id,
                    now=clock.now(),
                )
                address = url_for(".batch", public_id=batch.public_id)
            _tell_of_sheets(reading)
            return redirect(address)
    page = render_template(
        "roster/class_start.html",
        cohort=cohort,
        form=form,
        batches=services.list_batches(clock.now(), cohort_id=cohort.id),
        most=rules.MOST_ROWS,
    )
    return make_response(page, 422 if form.errors else 200)


@bp.route("/instansi/calon/impor", methods=["GET", "POST"])
@login.role("agency")
@http.takes_upload(tables_in.LARGEST)
@login.accepts(AgencySheetForm)
def agency_start() -> ResponseReturnValue:
    """Send a sheet of people an agency nominates for a class."""
    viewer = login.require_viewer()
    desk = agency.get_desk(viewer.id, now=clock.now())
    classes = {one.cohort.slug: one.cohort for one in desk.classes}
    own = {one.public_id: one for one in desk.agencies}
    form = AgencySheetForm(cohort=request.args.get("kelas", ""))
    form.cohort.choices = [SelectChoice(slug, one.title) for slug, one in classes.items()]
    form.organisation.choices = [SelectChoice(key, one.name) for key, one in own.items()]
    if form.validate_on_submit():
        reading = _read(form)
        if reading is not None:
            with unit_of_work():
                batch = services.keep(
                    reading,
                    way=Way.NOMINATE,
                    cohort_id=classes[form.cohort.data].id,
                    organisation_id=own[form.organisation.data].id,
                    actor_id=viewer.id,
                    now=clock.now(),
                )
                address = url_for(".batch", public_id=batch.public_id)
            _tell_of_sheets(reading)
            return redirect(address)
    page = render_template(
        "roster/agency_start.html",
        form=form,
        classes=classes,
        batches=services.list_batches(
            clock.now(), organisation_ids=[one.id for one in desk.agencies]
        ),
        most=rules.MOST_ROWS,
    )
    return make_response(page, 422 if form.errors else 200)


def _read(form: SheetForm) -> Reading | None:
    """Read what was sent; None when it cannot be read, with the reason on the form."""
    file = form.file.data
    try:
        if file:
            data = file.stream.read(tables_in.LARGEST + 1)
            return services.read_people(data, file.filename or "")
        if form.pasted.strip():
            return services.read_people(form.pasted, "")
    except tables_in.BadSheet as error:
        key = error.key
    except rules.NoColumns as error:
        key = str(error) or "headings"
    except rules.TooManyRows:
        key = "people"
    else:
        form.file.errors = [_("Pilih berkas, atau tempel barisnya.")]
        return None
    (form.file if file else form.rows).errors = [labels.BAD_SHEETS[key]]
    return None


def _tell_of_sheets(reading: Reading) -> None:
    if reading.others:
        flash(
            _(
                "Hanya lembar pertama dibaca. Lembar lain: %(names)s.",
                names=", ".join(reading.others),
            ),
            "info",
        )


@bp.get("/impor/contoh/<kind>")
@login.role("trainer", "admin", "agency")
@login.about_nobody
def example(kind: str) -> ResponseReturnValue:
    """Give an empty sheet with the headings, as `xlsx` or `csv`."""
    columns, *rows = TEMPLATE
    if kind == "xlsx":
        return sheets.answer_xlsx("daftar-peserta", columns, rows, None)
    if kind == "csv":
        return sheets.answer_csv("daftar-peserta", columns, rows, None)
    raise NotFound(kind)


@bp.get("/impor/<public_id>")
@login.role("trainer", "admin", "agency")
def batch(public_id: str) -> ResponseReturnValue:
    """Show a sheet as it would be confirmed now; once confirmed, what became of it."""
    viewer, now = login.require_viewer(), clock.now()
    found, cohort = services.get_batch(public_id, viewer, now=now)
    if found.state is not State.DRAFT:
        return _result_page(found, cohort)
    return _draft_page(_look_through(found, cohort))


def _known() -> tuple[Abbreviation, ...]:
    return abbreviations.load(current_app.extensions["suluh"].content_dir)


def _look_through(found: RosterBatch, cohort: Cohort) -> Preview:
    return services.preview(
        found, cohort, login.require_viewer(), abbreviations=_known(), now=clock.now()
    )


def _draft_page(seen: Preview, *, refused: ChoiceForm | None = None) -> ResponseReturnValue:
    asked = request.args.get("tampil", "")
    shown = [line for line in seen.lines if asked in ("", line.standing)]
    page = request.args.get("hal", "")[:6]
    start = PAGE * max(0, int(page) - 1 if page.isdecimal() else 0)
    forms = [
        _choice_form(question, number, refused)
        for number, question in enumerate(seen.questions[:QUESTIONS], 1)
    ]
    answer = render_template(
        "roster/batch.html",
        seen=seen,
        batch=seen.batch,
        cohort=seen.cohort,
        lines=shown[start : start + PAGE],
        start=start,
        size=PAGE,
        total=len(shown),
        asked=asked,
        questions=list(zip(seen.questions[:QUESTIONS], forms, strict=True)),
        names=_names_to_type() if seen.questions else [],
        labels=labels,
        standing=Standing,
        refused=refused,
        back=_start_of(seen.batch, seen.cohort),
    )
    return make_response(answer, 422 if refused else 200)


def _names_to_type() -> list[str]:
    return [one.name for one in organisations.list_organisations()]


def _start_of(found: RosterBatch, cohort: Cohort) -> str:
    if found.way is Way.NOMINATE:
        return url_for(".agency_start")
    return url_for(".class_start", slug=cohort.slug)


def _choice_form(question: Question, number: int, refused: ChoiceForm | None) -> ChoiceForm:
    """Return the form of one question; what was typed into it stands there again."""
    if refused is not None and refused.text.data == question.text:
        form = refused
    else:
        form = ChoiceForm(formdata=None, text=question.text)
    _offer(form, question)
    for field in form:
        field.id = f"tanya-{number}-{field.name}"  # the page has several of these forms
    return form


def _offer(form: ChoiceForm, question: Question) -> None:
    form.choice.choices = [
        SelectChoice(question.public_ids[one.organisation_id], question.names[one.organisation_id])
        for one in question.match.candidates
    ] + [
        SelectChoice(EXISTING, _("Instansi lain yang sudah tercatat")),
        SelectChoice(NEW, _("Instansi baru dengan nama ini")),
    ]


@bp.post("/impor/<public_id>/instansi")
@login.role("trainer", "admin", "agency")
@login.accepts(ChoiceForm)
def batch_choose(public_id: str) -> ResponseReturnValue:
    """Say which organisation a name in the sheet means, for all its rows at once."""
    viewer = login.require_viewer()
    found, cohort = services.get_batch(public_id, viewer, now=clock.now())
    here = url_for(".batch", public_id=public_id)
    if found.state is not State.DRAFT:
        return redirect(here)
    seen, form = _look_through(found, cohort), ChoiceForm()
    question = next((one for one in seen.questions if one.text == form.text.data), None)
    if question is None:
        return redirect(here)  # settled a moment ago
    _offer(form, question)
    if form.validate_on_submit():
        _check_choice(form)
    if form.errors or not form.is_submitted():
        return _draft_page(seen, refused=form)
    remember = bool(form.remember.data) and viewer.is_any("admin")
    try:
        with unit_of_work():
            found, _cohort = services.get_batch(public_id, viewer, now=clock.now())
            if form.choice.data == NEW:
                kind = OrganisationKind(form.kind.data)
                services.found_organisation(found, question.text, kind)
            elif form.choice.data == EXISTING:
                services.name_organisation(
                    found,
                    question.text,
                    form.other.data,
                    abbreviations=_known(),
                    remember=remember,
                    actor_id=viewer.id,
                    now=clock.now(),
                )
            else:
                services.choose_organisation(
                    found,
                    question.text,
                    form.choice.data,
                    remember=remember,
                    actor_id=viewer.id,
                    now=clock.now(),
                )
    except services.NotOne:
        form.other.errors = [_("Nama ini belum cocok dengan tepat satu instansi. Tulis lengkap.")]
        found, cohort = services.get_batch(public_id, viewer, now=clock.now())
        return _draft_page(_look_through(found, cohort), refused=form)
    return redirect(here)


def _check_choice(form: ChoiceForm) -> None:
    if form.choice.data == NEW and not form.kind.data:
        form.kind.errors = [_("Pilih jenis instansinya.")]
    if form.choice.data == EXISTING and not form.other.data:
        form.other.errors = [_("Tulis nama instansinya.")]


@bp.route("/impor/<public_id>/baris/<int:number>", methods=["GET", "POST"])
@login.role("trainer", "admin", "agency")
@login.accepts(RowForm)
def batch_row(public_id: str, number: int) -> ResponseReturnValue:
    """Correct one row of a draft."""
    viewer = login.require_viewer()
    found, cohort = services.get_batch(public_id, viewer, now=clock.now())
    if found.state is not State.DRAFT:
        return redirect(url_for(".batch", public_id=public_id))
    row = services.get_row(found, number)
    form = RowForm(name=row.name, email=row.email, organisation=row.organisation_text)
    if form.validate_on_submit():
        with unit_of_work():
            found, _cohort = services.get_batch(public_id, viewer, now=clock.now())
            services.correct(
                found,
                number,
                name=form.name.data,
                email=form.email.data,
                organisation=form.organisation.data,
            )
        return redirect(url_for(".batch", public_id=public_id, _anchor=f"baris-{number}"))
    seen = _look_through(found, cohort)
    page = render_template(
        "roster/batch_row.html",
        batch=found,
        cohort=cohort,
        form=form,
        number=number,
        line=next(line for line in seen.lines if line.row.number == number),
        names=_names_to_type() if found.way is Way.INVITE else [],
        labels=labels,
    )
    return make_response(page, 422 if form.errors else 200)


@bp.post("/impor/<public_id>/lewati")
@login.role("trainer", "admin", "agency")
@login.accepts(SkipForm)
def batch_skip(public_id: str) -> ResponseReturnValue:
    """Leave a row out, or take it in again."""
    viewer, form = login.require_viewer(), SkipForm()
    if not form.validate_on_submit() or not form.number.data.isdecimal():
        raise NotFound(public_id)
    with unit_of_work():
        found, _cohort = services.get_batch(public_id, viewer, now=clock.now())
        services.skip(found, int(form.number.data), form.skipped.data == "1")
    return redirect(url_for(".batch", public_id=public_id, _anchor=f"baris-{form.number.data}"))


@bp.post("/impor/<public_id>/kirim")
@login.role("trainer", "admin", "agency")
@login.accepts()
def batch_confirm(public_id: str) -> ResponseReturnValue:
    """Invite or nominate everybody who is ready."""
    here = redirect(url_for(".batch", public_id=public_id))
    try:
        with unit_of_work():
            found = services.confirm(
                public_id,
                login.require_viewer(),
                abbreviations=_known(),
                base_url=current_app.extensions["suluh"].base_url,
                now=clock.now(),
            )
            sent = sum(found.counts.values()) - found.counts.get("left", 0)
    except nominations.NotOpen:
        flash(_("Kelas ini tidak lagi menerima usulan. Belum ada yang dikirim."), "error")
        return here
    except NameTaken as error:
        name = str(error)
        flash(_("Sudah ada instansi bernama %(name)s. Pilih instansi itu.", name=name), "error")
        return here
    flash(ngettext("%(num)d orang diproses.", "%(num)d orang diproses.", sent), "success")
    return here


@bp.post("/impor/<public_id>/urungkan")
@login.role("trainer", "admin", "agency")
@login.accepts()
def batch_undo(public_id: str) -> ResponseReturnValue:
    """Take back what nobody has accepted yet."""
    try:
        with unit_of_work():
            services.undo(public_id, login.require_viewer(), now=clock.now())
    except services.TooLate:
        flash(_("Lebih dari 24 jam berlalu. Tarik undangannya satu per satu."), "info")
    else:
        flash(_("Yang belum diterima sudah ditarik."), "success")
    return redirect(url_for(".batch", public_id=public_id))


@bp.post("/impor/<public_id>/buang")
@login.role("trainer", "admin", "agency")
@login.accepts()
def batch_discard(public_id: str) -> ResponseReturnValue:
    """Delete a draft."""
    viewer = login.require_viewer()
    with unit_of_work():
        found, cohort = services.get_batch(public_id, viewer, now=clock.now())
        back = _start_of(found, cohort)
        services.discard(found)
    flash(_("Daftar dibuang. Tidak ada yang dikirim."), "success")
    return redirect(back)


@bp.get("/impor/<public_id>/masalah")
@login.role("trainer", "admin", "agency")
@login.about_people
def batch_problems(public_id: str) -> ResponseReturnValue:
    """Give the rows that were not or would not be sent, with the reason, as CSV to correct."""
    viewer = login.require_viewer()
    found, cohort = services.get_batch(public_id, viewer, now=clock.now())
    columns = [_("Baris"), "Nama", "E-mail", "Instansi", _("Keterangan")]
    if found.state is State.DRAFT:
        rows = list(_draft_problems(_look_through(found, cohort)))
    elif clock.now() >= services.rows_until(found):
        raise NotFound(public_id)
    else:
        rows = list(_left(services.settle(found, now=clock.now())))
    return sheets.answer_csv("perlu-diperiksa", columns, rows, mark_of(cohort))


def _draft_problems(seen: Preview) -> Iterator[list[Cell]]:
    for line in seen.lines:
        if line.standing is not Standing.READY:
            says = [labels.explain(finding) for finding in line.findings]
            if line.standing is Standing.SKIPPED:
                says.insert(0, str(labels.STANDINGS[line.standing]))
            row = line.row
            yield [row.number, row.name, row.email, row.organisation_text, " ".join(says)]


def _left(settled: Sequence[services.Settlement]) -> Iterator[list[Cell]]:
    for one in settled:
        if one.state == "left":
            row = one.row
            says = labels.explain_left(row.problem, row.skipped)
            yield [row.number, row.name, row.email, row.organisation_text, says]


def _result_page(found: RosterBatch, cohort: Cohort) -> ResponseReturnValue:
    now = clock.now()
    settled = services.settle(found, now=now)
    page = request.args.get("hal", "")[:6]
    start = PAGE * max(0, int(page) - 1 if page.isdecimal() else 0)
    return render_template(
        "roster/result.html",
        batch=found,
        cohort=cohort,
        settled=settled[start : start + PAGE],
        start=start,
        size=PAGE,
        total=len(settled),
        accepted=[one for one in settled if one.state == "accepted"],
        left=sum(one.state == "left" for one in settled),
        can_undo=found.state is State.CONFIRMED and found.expires_at > now,
        rows_until=services.rows_until(found),
        now=now,
        labels=labels,
        back=_start_of(found, cohort),
    )


# At the door


@bp.route("/angkatan/<slug>/hadir/di-tempat", methods=["GET", "POST"])
@login.role("trainer")
@login.accepts(WalkInForm)
def walk_in(slug: str) -> ResponseReturnValue:
    """Give somebody at the door a seat, and note them; show who came so."""
    cohort = get_cohort(slug, login.require_viewer(), Part.TRAINER)
    form = WalkInForm()
    form.organisation.choices = organisation_choices(
        organisations.list_organisations(), empty=_("Pilih instansi")
    )
    is_full = False
    if form.validate_on_submit():
        try:
            return _added(cohort, form)
        except seats.NoSeat:
            is_full = True
            if not form.reason.data:
                form.reason.errors = [_("Tulis alasannya bila kursi ditambah.")]
        except (NotOne, NameTaken) as error:
            _ask_organisation(form, error)
        except (
            invitations.AlreadySeated,
            walkin.Oneself,
            walkin.OnStaff,
            walkin.NotYet,
        ) as error:
            form.email.errors = [_explain_door(error)]
    page = render_template(
        "roster/walk_in.html",
        cohort=cohort,
        form=form,
        door=walkin.look(cohort, form.bagian.data or request.args.get("bagian"), now=clock.now()),
        is_full=is_full,
        fresh=_fresh_link(),
        standings=STANDINGS,
        half_name=half_name,
    )
    return make_response(page, 422 if form.errors else 200)


def _added(cohort: Cohort, form: WalkInForm) -> ResponseReturnValue:
    viewer, now = login.require_viewer(), clock.now()
    with unit_of_work():
        sender = walkin.find_organisation(
            form.organisation.data,
            form.other.data,
            form.chosen_kind,
            cohort,
            abbreviations=_known(),
            actor_id=viewer.id,
            now=now,
        )
        added = walkin.add(
            get_cohort(cohort.slug, viewer, Part.TRAINER),
            form.bagian.data,
            walkin.Visitor(form.name.data, form.email.data, sender.id, Presence(form.hadir.data)),
            viewer,
            beyond=form.reason.data,
            base_url=current_app.extensions["suluh"].base_url,
            now=now,
        )
    session[FRESH_LINK] = {"name": added.name, "link": added.link}
    if added.result is walkin.Result.SEATED:
        flash(_("%(name)s terdaftar dan kehadirannya tercatat.", name=added.name), "success")
    else:
        flash(
            _(
                "Satu kursi disimpan untuk %(name)s. Minta ia menerima undangannya; "
                "sesudah itu kehadirannya ikut dihitung.",
                name=added.name,
            ),
            "info",
        )
    return redirect(url_for(".walk_in", slug=cohort.slug, bagian=form.bagian.data))


def _explain_door(error: DomainError) -> str:
    if isinstance(error, invitations.AlreadySeated):
        return _("Orang ini sudah punya kursi di kelas ini. Catat kehadirannya di daftar.")
    if isinstance(error, walkin.OnStaff):
        return _("Orang ini bertugas di kelas ini, jadi ia tidak duduk sebagai peserta.")
    if isinstance(error, walkin.Oneself):
        return _("Anda tidak dapat mendaftarkan diri sendiri.")
    return _("Kelas belum mulai. Undang orangnya lewat halaman undangan.")


def _ask_organisation(form: WalkInForm, error: NotOne | NameTaken) -> None:
    if isinstance(error, NotOne) and str(error) == Fit.UNKNOWN:
        form.kind.errors = [_("Instansi ini belum ada di daftar. Pilih jenisnya.")]
    else:  # of several, or a colleague added it a moment ago
        form.other.errors = [_("Nama ini dapat berarti beberapa instansi. Pilih dari daftar.")]


def _fresh_link() -> dict[str, Any] | None:
    """Return the link that was just made, once, with its picture for the person's telephone."""
    fresh: dict[str, Any] | None = session.pop(FRESH_LINK, None)
    if fresh is not None:
        fresh["picture"] = Markup(qr.draw(fresh["link"]))  # noqa: S704  # numbers of ours, no text
    return fresh


@bp.post("/angkatan/<slug>/hadir/di-tempat/batal")
@login.role("trainer")
@login.accepts(WalkInUndoForm)
def walk_in_undo(slug: str) -> ResponseReturnValue:
    """Take back what was done at the door, unless the person has accepted since."""
    viewer, form = login.require_viewer(), WalkInUndoForm()
    if not form.validate_on_submit():
        raise NotFound("undangan")
    try:
        with unit_of_work():
            undone = walkin.undo(
                get_cohort(slug, viewer, Part.TRAINER),
                form.undangan.data,
                viewer,
                now=clock.now(),
            )
    except walkin.Accepted:
        flash(_("Orangnya sudah menerima undangan, jadi kursinya tetap miliknya."), "info")
    except walkin.Attended:
        flash(
            _(
                "Tidak dibatalkan: kehadiran orang ini di kelas akan ikut hilang. Selama kelas "
                "berjalan, hapus dulu catatannya di bagian lain bila memang salah."
            ),
            "info",
        )
    else:
        done = (
            _(
                "Pendaftaran %(name)s dibatalkan; undangannya yang lama tetap berlaku.",
                name=undone.name,
            )
            if undone.is_invited
            else _("Pendaftaran %(name)s dibatalkan; kursinya bebas lagi.", name=undone.name)
        )
        flash(done, "success")
    return redirect(url_for(".walk_in", slug=slug, bagian=form.bagian.data or None))


@bp.errorhandler(services.Settled)
def answer_settled(_error: services.Settled) -> ResponseReturnValue:
    """Lead to what became of a batch that was settled a moment ago."""
    flash(_("Daftar ini sudah dikirim atau dibuang."), "info")
    values = request.view_args or {}
    return redirect(url_for(".batch", public_id=values["public_id"]))


@bp.errorhandler(NotOpen)
def answer_draft(_error: NotOpen) -> ResponseReturnValue:
    """Say that nobody can be brought into a class that is still being prepared."""
    flash(_("Kelas ini masih disiapkan. Buka kelasnya, lalu masukkan peserta."), "info")
    return redirect(url_for("pages.home"))
