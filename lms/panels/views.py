"""Pages of standard-setting rooms: the list, a room, one item, the spread, the result."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from flask import (
    Blueprint,
    current_app,
    flash,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from wtforms.fields import SelectChoice

from lms.accounts import services as accounts
from lms.accounts.exports import take
from lms.competency import services as competency
from lms.core import clock, http, login, sheets
from lms.core.db import unit_of_work
from lms.core.errors import DomainError, NotFound
from lms.core.i18n import clock as hour
from lms.core.i18n import gettext as _
from lms.core.marks import Mark
from lms.panels import course, labels, minutes, rating, results, rules, services
from lms.panels.forms import (
    AutosaveForm,
    ExcuseForm,
    InviteForm,
    MemberForm,
    NoteForm,
    OpenForm,
    RateForm,
    SignForm,
    StageForm,
    StopForm,
)
from lms.panels.results import Result
from lms.panels.rules import Choice, Stage
from lms.panels.services import Member, Room

bp = Blueprint("panels", __name__, template_folder="templates")
MEMBERS = ("reviewer", "trainer", "admin")
PAGE = 20
"""Items on one page of the spread: each has a drawing."""
PLAIN_STEP = 1000
"""How far a page sent without a script jumps ahead of what its script may still have under way."""


@bp.errorhandler(rules.Tested)
def _tested(_error: rules.Tested) -> ResponseReturnValue:
    """Say why the door is closed to somebody who still learns what is rated here."""
    return render_template("panels/closed.html"), 403


Refusals = Mapping[type[DomainError], tuple[str, str]]
"""What is said about each refusal, and how."""


@contextmanager
def _told(done: str, refusals: Refusals) -> Iterator[None]:
    """Do something in one unit of work; say that it is done, or why it was refused."""
    try:
        with unit_of_work():
            yield
    except DomainError as refusal:
        if type(refusal) not in refusals:
            raise
        flash(*refusals[type(refusal)])
    else:
        flash(done, "success")


def _room(public_id: str) -> Room:
    return services.get_room(public_id, login.require_viewer(), now=clock.now())


@bp.get("/panel")
@login.role(*MEMBERS)
def index() -> ResponseReturnValue:
    """List the rooms the viewer may enter."""
    viewer = login.require_viewer()
    chairs = viewer.is_any("admin")
    lines = services.list_rooms(viewer)
    return render_template(
        "panels/index.html",
        rooms=[line.room for line in lines],
        waiting=[line for line in lines if line.due],
        below=results.list_below(competency.current().standard) if chairs else [],
        chairs=chairs,
        curricula=competency.current().standard.curricula,
        labels=labels,
    )


@bp.get("/panel/baru")
@login.role("admin")
def new() -> ResponseReturnValue:
    """Ask what a new room is about."""
    return _new_page(OpenForm(formdata=None))


def _new_page(form: OpenForm) -> ResponseReturnValue:
    curricula = competency.current().standard.curricula
    form.curriculum.choices = [
        SelectChoice(code, f"{code} {title[0]}") for code, title in curricula.items()
    ]
    page = render_template("panels/new.html", form=form, labels=labels, rules=rules)
    return make_response(page, 422 if form.errors else 200)


@bp.post("/panel/baru")
@login.role("admin")
@login.accepts(OpenForm)
def open_room() -> ResponseReturnValue:
    """Open a room for the bank of a curriculum as it is now."""
    form = OpenForm()
    if not form.validate_on_submit():
        return _new_page(form)
    try:
        with unit_of_work():
            made = services.open_room(
                form.curriculum.data,
                person=form.person.data,
                training=int(form.training.data),
                chair_id=login.require_viewer().id,
                now=clock.now(),
            )
    except (NotFound, rules.NoItems):
        form.curriculum.errors = [_("Kurikulum ini belum punya butir yang dapat dinilai.")]
        return _new_page(form)
    except rules.RoomOpen:
        form.curriculum.errors = [_("Panel kurikulum ini masih berjalan. Selesaikan dulu.")]
        return _new_page(form)
    flash(_("Panel dibuka. Undang anggotanya."), "success")
    return redirect(url_for(".room", room_id=made))


@bp.get("/panel/<room_id>")
@login.role(*MEMBERS)
def room(room_id: str) -> ResponseReturnValue:
    """Show where a room stands and what the viewer does next."""
    return _room_page(_room(room_id), InviteForm(formdata=None), StopForm(formdata=None))


def _room_page(found: Room, inviting: InviteForm, stopping: StopForm) -> ResponseReturnValue:
    invites = found.chairs and found.stage in (Stage.INVITING, Stage.FIRST)
    candidates = services.list_candidates(found, now=clock.now()) if invites else []
    inviting.people.choices = [
        SelectChoice(one.public_id, f"{one.name} ({one.email})")
        for one in candidates
        if not one.tested
    ]
    sheet = rating.get_sheet(found)
    page = render_template(
        "panels/room.html",
        room=found,
        sheet=sheet,
        rated=[line for line in sheet.lines if not line.item.training],
        members=services.list_members(found) if found.chairs else [],
        candidates=candidates,
        inviting=inviting,
        stopping=stopping,
        labels=labels,
        rules=rules,
        stage=Stage,
    )
    failed = inviting.errors or stopping.errors
    return make_response(page, 422 if failed else 200)


@bp.post("/panel/<room_id>/undang")
@login.role("admin")
@login.accepts(InviteForm)
def invite(room_id: str) -> ResponseReturnValue:
    """Seat people on the panel and write to them."""
    form, found = InviteForm(), _room(room_id)
    if not form.validate_on_submit():
        return _room_page(found, form, StopForm(formdata=None))
    address = url_for(".room", room_id=room_id)
    try:
        with unit_of_work():
            count = course.invite(
                found,
                form.people.data,
                current_app.extensions["suluh"].base_url + address,
                by_id=login.require_viewer().id,
                now=clock.now(),
            )
    except rules.Tested:
        flash(_("Yang masih menempuh kuis kurikulum ini tidak dapat menjadi anggota."), "error")
    except rules.NotOnPanel:
        flash(_("Salah satu dari mereka tidak dapat diundang lagi. Lihat daftarnya."), "error")
    except rules.WrongStage:
        flash(_("Putaran 1 sudah ditutup; anggota tidak dapat ditambah."), "error")
    else:
        flash(_("%(num)d orang diundang lewat surel.", num=count), "success")
    return redirect(address)


@bp.post("/panel/<room_id>/lepas")
@login.role("admin")
@login.accepts(MemberForm)
def release(room_id: str) -> ResponseReturnValue:
    """Take somebody off the panel who has rated nothing."""
    form, found = MemberForm(), _room(room_id)
    has_rated = _("Anggota yang sudah menilai tidak dapat dilepas."), "error"
    refusals = {rules.NotOnPanel: has_rated, rules.WrongStage: has_rated}
    with _told(_("Anggota dilepas dari panel."), refusals):
        services.release(
            found, form.member.data or 0, by_id=login.require_viewer().id, now=clock.now()
        )
    return redirect(url_for(".room", room_id=room_id))


@bp.post("/panel/<room_id>/lanjut")
@login.role("admin")
@login.accepts(StageForm)
def advance(room_id: str) -> ResponseReturnValue:
    """Take a room to its next stage."""
    form, found = StageForm(), _room(room_id)
    try:
        if not form.validate_on_submit():
            raise rules.WrongStage
        with unit_of_work():
            stage = course.advance(
                found, Stage(form.stage.data), by_id=login.require_viewer().id, now=clock.now()
            )
    except rules.WrongStage:
        flash(_("Panel sudah berlanjut sejak halaman ini dibuka."), "info")
    except rules.TooFew:
        flash(_("Perlu sedikitnya dua anggota yang menilai semua butir."), "error")
    except rules.Unanswered:
        flash(
            _("Setiap anggota yang dihitung perlu menyatakan sikap, dan sedikitnya satu"
              " menandatangani."), "error",
        )  # fmt: skip
    else:
        flash(_("Panel sekarang: %(stage)s.", stage=labels.STAGES[stage]), "success")
        if stage in (Stage.SIGNING, Stage.CLOSED):
            return redirect(url_for(".result", room_id=room_id))
    return redirect(url_for(".room", room_id=room_id))


@bp.post("/panel/<room_id>/hentikan")
@login.role("admin")
@login.accepts(StopForm)
def stop(room_id: str) -> ResponseReturnValue:
    """Give a room up without a result."""
    form, found = StopForm(), _room(room_id)
    if not form.validate_on_submit():
        return _room_page(found, InviteForm(formdata=None), form)
    refusals: Refusals = {rules.WrongStage: (_("Panel ini sudah berakhir."), "info")}
    with _told(_("Panel dihentikan. Penilaiannya tetap tersimpan."), refusals):
        course.stop(found, form.why.data, by_id=login.require_viewer().id, now=clock.now())
    return redirect(url_for(".room", room_id=room_id))


@bp.get("/panel/<room_id>/butir/<int:position>")
@login.role(*MEMBERS)
def item(room_id: str, position: int) -> ResponseReturnValue:
    """Show one item with its key, the viewer's rating and, later, where the others lie."""
    return _item_page(_room(room_id), position, NoteForm(formdata=None))


def _item_page(
    found: Room, position: int, noting: NoteForm, error: str | None = None
) -> ResponseReturnValue:
    sheet = rating.get_sheet(found)
    line = sheet.find(position)
    if found.round and found.member_id and sheet.in_training and not line.item.training:
        flash(_("Mulai dari butir latihan; nilainya tidak dihitung."), "info")
        return redirect(url_for(".item", room_id=found.public_id, position=sheet.next))
    opened = found.stage not in (Stage.INVITING, Stage.FIRST, Stage.STOPPED)
    lie = rating.read_spread(sheet)[position - 1] if opened else None
    page = render_template(
        "panels/item.html",
        room=found,
        sheet=sheet,
        line=line,
        passages=rating.read_item(line),
        lie=lie,
        drawing=labels.plot(lie.values, line.first, lie.spread, lie.p) if lie else None,
        noting=noting,
        takes_notes=found.stage in (Stage.TALK, Stage.SECOND),
        error=error,
        labels=labels,
        choices=rules.CHOICES,
        stage=Stage,
    )
    return make_response(page, 422 if error or noting.errors else 200)


@bp.post("/panel/<room_id>/butir/<int:position>")
@login.role(*MEMBERS)
@login.accepts(RateForm)
def rate(room_id: str, position: int) -> ResponseReturnValue:
    """Save one rating and go where the button leads."""
    form, found = RateForm(), _room(room_id)
    if not form.validate_on_submit():
        error = _("Belum tersimpan. Pilih satu angka dari 0 sampai 100.")
        return _item_page(found, position, NoteForm(formdata=None), error)
    seq = min(form.seq.data + PLAIN_STEP, 1_000_000_000)
    try:
        with unit_of_work():
            rating.save(found, position, form.percent.data, seq, now=clock.now())
    except rules.TrainingFirst:
        flash(_("Mulai dari butir latihan; nilainya tidak dihitung."), "info")
        return redirect(url_for(".room", room_id=room_id))
    except (rules.WrongStage, rules.NotOnPanel):
        flash(_("Belum tersimpan: putaran ini tidak sedang berjalan."), "error")
        return redirect(url_for(".room", room_id=room_id))
    last = len(rating.get_sheet(found).lines)
    onward = position - 1 if form.ke.data == "kembali" else position + 1
    if form.ke.data == "jeda" or not 1 <= onward <= last:
        return redirect(url_for(".room", room_id=room_id))
    return redirect(url_for(".item", room_id=room_id, position=onward))


@bp.post("/panel/<room_id>/butir/<int:position>/simpan")
@login.role(*MEMBERS)
@login.accepts(AutosaveForm)
def autosave(room_id: str, position: int) -> ResponseReturnValue:
    """Save one rating and give a receipt a script can show."""
    form, found = AutosaveForm(), _room(room_id)
    if not form.validate_on_submit():
        return _receipt(_("Belum tersimpan. Muat ulang halaman ini."), 422)
    now = clock.now()
    try:
        with unit_of_work():
            counts = rating.save(found, position, form.percent.data, form.seq.data, now=now)
    except (rules.WrongStage, rules.NotOnPanel, rules.TrainingFirst):
        return _receipt(_("Belum tersimpan: putaran ini tidak sedang berjalan."), 409)
    if not counts:
        return _receipt(_("Yang dipakai nilai di tab lain. Muat ulang halaman ini."), 409)
    return _receipt(_("Tersimpan %(time)s", time=hour(now)))


def _receipt(label: str, status: int = 200) -> ResponseReturnValue:
    return jsonify(saved=status == 200, label=label), status


@bp.post("/panel/<room_id>/butir/<int:position>/catatan")
@login.role(*MEMBERS)
@login.accepts(NoteForm)
def say(room_id: str, position: int) -> ResponseReturnValue:
    """Keep a remark about one item."""
    form, found = NoteForm(), _room(room_id)
    if not form.validate_on_submit():
        return _item_page(found, position, form)
    late = _("Catatan hanya dapat ditulis saat membahas dan di putaran 2."), "error"
    author_id = login.require_viewer().id
    with _told(_("Catatan tersimpan, tanpa nama."), {rules.WrongStage: late}):
        rating.say(found, position, form.text.data, author_id=author_id, now=clock.now())
    return redirect(url_for(".item", room_id=room_id, position=position, _anchor="catatan"))


@bp.post("/panel/<room_id>/selesai")
@login.role(*MEMBERS)
@login.accepts()
def finish(room_id: str) -> ResponseReturnValue:
    """Say that the viewer has finished this round."""
    found = _room(room_id)
    idle = _("Putaran ini tidak sedang berjalan."), "info"
    refusals = {
        rules.NotFinished: (_("Masih ada butir yang belum dinilai."), "error"),
        rules.WrongStage: idle,
        rules.NotOnPanel: idle,
    }
    with _told(_("Terima kasih. Nilai masih dapat diubah sampai putaran ditutup."), refusals):
        rating.finish(found, now=clock.now())
    return redirect(url_for(".room", room_id=room_id))


@bp.get("/panel/<room_id>/sebaran")
@login.role(*MEMBERS)
def lies(room_id: str) -> ResponseReturnValue:
    """Show how the ratings of the first round lie, item by item."""
    found = _room(room_id)
    try:
        seen = rating.read_spread(rating.get_sheet(found))
    except rules.WrongStage:
        flash(_("Sebaran terbuka setelah putaran 1 ditutup."), "info")
        return redirect(url_for(".room", room_id=room_id))
    order = "butir" if request.args.get("urut") == "butir" else ""
    if not order:
        seen.sort(key=lambda one: -(one.spread.width if one.spread else 0))
    page = http.asked_id("hal") or 1
    shown = seen[(page - 1) * PAGE : page * PAGE]
    if not shown:
        raise NotFound(str(page))
    return render_template(
        "panels/lies.html",
        room=found,
        drawn=[(one, labels.plot(one.values, one.line.first, one.spread, one.p)) for one in shown],
        order=order,
        page=page,
        size=PAGE,
        total=len(seen),
        labels=labels,
    )


@bp.get("/panel/<room_id>/hasil")
@login.role(*MEMBERS)
def result(room_id: str) -> ResponseReturnValue:
    """Show the cut with its error, what it would mean, and who signed."""
    return _result_page(_room(room_id), SignForm(formdata=None), ExcuseForm(formdata=None))


def _waiting(found: Room, seen: Result) -> list[Member]:
    """Return who has rated and not answered yet, for the chair."""
    members = services.list_members(found) if found.chairs else []
    return [one for one in members if one.label and one.id not in seen.answered]


def _result_page(found: Room, signing: SignForm, excusing: ExcuseForm) -> ResponseReturnValue:
    seen = results.read(found)
    signing.digest.data = excusing.digest.data = seen.digest
    waiting = _waiting(found, seen)
    excusing.member.choices = [(one.id, one.name) for one in waiting]
    each = [last for _first, last in seen.figures["each"]]
    own = seen.figures["each"][found.label - 1][1] if found.label else None
    page = render_template(
        "panels/result.html",
        room=found,
        result=seen,
        figures=seen.figures,
        drawing=labels.plot(each, own, rules.spread(each)),
        own_deviation=results.own_deviation(found) if found.label else None,
        may_sign=bool(
            found.stage is Stage.SIGNING and found.label and found.member_id not in seen.answered
        ),
        waiting=waiting,
        signing=signing,
        excusing=excusing,
        said=minutes.statements(seen),
        standard_now=competency.current().standard,
        labels=labels,
        rules=rules,
        stage=Stage,
        choice=Choice,
    )
    return make_response(page, 422 if signing.errors or excusing.errors else 200)


def _unanswered(already: str) -> Refusals:
    """Say why an answer to the result is not written down."""
    late = _("Pernyataan tidak dapat dicatat sekarang. Baca lagi halamannya."), "error"
    return {
        rules.AlreadyAnswered: (already, "info"),
        rules.NotOnPanel: late,
        rules.WrongStage: late,
    }


@bp.post("/panel/<room_id>/tanda")
@login.role(*MEMBERS)
@login.accepts(SignForm)
def sign(room_id: str) -> ResponseReturnValue:
    """Sign the result, or abstain with a reason."""
    form, found = SignForm(), _room(room_id)
    sound = form.validate_on_submit()
    if sound and form.choice.data == Choice.ABSTAINED and not form.reason.data:
        form.reason.errors = [_("Tulis alasannya dengan satu kalimat.")]
        sound = False
    seen = form.digest.data or ""
    if not sound:
        return _result_page(found, form, ExcuseForm(formdata=None))
    choice, reason = Choice(form.choice.data), form.reason.data
    person_id = login.require_viewer().id
    refusals = _unanswered(_("Pernyataan Anda sudah tercatat."))
    with _told(_("Pernyataan Anda tercatat."), refusals):
        results.sign(found, choice, reason, seen, person_id=person_id, now=clock.now())
    return redirect(url_for(".result", room_id=room_id))


@bp.post("/panel/<room_id>/tanpa-jawaban")
@login.role("admin")
@login.accepts(ExcuseForm)
def excuse(room_id: str) -> ResponseReturnValue:
    """Write down that a panellist does not answer."""
    form, found = ExcuseForm(), _room(room_id)
    seen = form.digest.data or ""
    form.member.choices = [(one.id, one.name) for one in _waiting(found, results.read(found))]
    if not form.validate_on_submit():
        return _result_page(found, SignForm(formdata=None), form)
    member_id, why = form.member.data, form.absence.data
    by_id = login.require_viewer().id
    refusals = _unanswered(_("Anggota itu sudah menjawab."))
    with _told(_("Tercatat: anggota itu tidak menjawab."), refusals):
        results.excuse(found, member_id, why, seen, by_id=by_id, now=clock.now())
    return redirect(url_for(".result", room_id=room_id))


@bp.get("/panel/<room_id>/berita-acara.pdf")
@login.role(*MEMBERS)
@login.about_people
def paper(room_id: str) -> ResponseReturnValue:
    """Send the minutes."""
    found = _room(room_id)
    seen = results.read(found)
    chair = accounts.names_of([services.chair_of(found)])
    mark = _mark(found)
    body = minutes.draw(found, seen, next(iter(chair.values()), ""), mark, now=clock.now())
    return sheets.answer_pdf(f"panel-{found.curriculum}", body, mark)


@bp.get("/panel/<room_id>/penilaian.csv")
@login.role(*MEMBERS)
@login.about_people
def table(room_id: str) -> ResponseReturnValue:
    """Send every rating by the panellists' numbers, never by their names."""
    found = _room(room_id)
    seen = results.read(found)
    lines = list(minutes.rows(found, seen))
    columns = minutes.columns(seen.panellists)
    return sheets.answer_csv(f"panel-{found.curriculum}", columns, lines, _mark(found))


def _mark(found: services.Room) -> Mark:
    return take(_("Panel batas kuis %(code)s", code=found.curriculum))
