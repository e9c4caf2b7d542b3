"""Pages of the registry of law: what is in force, what was marked, and whom it concerns."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from lms.accounts import services as accounts
from lms.accounts.exports import take
from lms.core import clock, http, login, sheets
from lms.core.db import unit_of_work
from lms.core.errors import NotFound
from lms.core.i18n import gettext as _
from lms.credentials.rules import day_of
from lms.lineage import laws as readers
from lms.lineage.blueprint import bp
from lms.lineage.forms import DeltaForm, ReinstateForm, SupersedeForm
from lms.lineage.laws import PAGE
from lms.modules import laws
from lms.modules.law.rules import Status
from lms.modules.laws import Article
from lms.modules.models import LawMark
from lms.modules.outlines import address_of
from lms.quizzes import services as quizzes


@bp.get("/admin/hukum")
@login.role("admin")
def law_registry() -> ResponseReturnValue:
    """List every statute and article, what is known of it, and how much stands on it."""
    asked = request.args.get("tampil", "")
    marks, lessons, items = laws.list_marks(), laws.count_lessons(), quizzes.count_items()
    shown = []
    for law, articles in laws.list_registry():
        lines = [
            _line(one, marks.get(one.name), lessons.get(one.name, 0), items.get(one.name, 0))
            for one in articles
        ]
        lines = [line for line in lines if _fits(asked, line)]
        if lines or not asked:
            shown.append((law, lines))
    return render_template("lineage/laws.html", shown=shown, asked=asked, marks=marks)


def _line(article: Article, mark: LawMark | None, lessons: int, items: int) -> dict[str, Any]:
    return {"article": article, "mark": mark, "lessons": lessons, "items": items}


def _fits(asked: str, line: dict[str, Any]) -> bool:
    """Tell whether an article belongs to what was asked for; anything else asked shows all."""
    if asked == "dipakai":
        return bool(line["lessons"] or line["items"])
    if asked == "ditandai":
        return line["mark"] is not None
    if asked == "periksa":
        return line["article"].status is not Status.IN_FORCE
    return True


@bp.get("/admin/hukum/<law>/<ps>")
@login.role("admin")
def law_article(law: str, ps: str) -> ResponseReturnValue:
    """Show one article: what stands on it, what was marked, and the people it concerns."""
    article = laws.get_article(law, ps)
    forms = {"mark": _supersede_form(None), "back": ReinstateForm(formdata=None)}
    return _article_page(article, forms)


def _supersede_form(*formdata: Any) -> SupersedeForm:
    form = SupersedeForm(*formdata)
    form.today = day_of(clock.now())
    return form


def _article_page(article: Article, forms: dict[str, Any]) -> str:
    now, page = clock.now(), http.asked_id("hal") or 1
    history = laws.history_of(article.name)
    mark = laws.list_marks().get(article.name)
    reach = readers.count_reach(article.name, mark.id if mark else None, now)
    if page > 1 and (page - 1) * PAGE >= reach.people:
        raise NotFound(str(page))
    delta = DeltaForm(
        formdata=None, title=mark.delta_title if mark else "", text=mark.delta_text if mark else ""
    )
    return render_template(
        "lineage/law.html",
        article=article,
        mark=mark,
        history=history,
        names=accounts.names_of({one.actor_id for one in history if one.actor_id}),
        lessons=laws.list_lessons(article.name),
        address_of=address_of,
        items=quizzes.list_items(article.name),
        reach=reach,
        holders=readers.list_holders(article.name, mark.id if mark else None, now, page=page),
        page=page,
        size=PAGE,
        forms={"delta": delta, **forms},
        reading=_printed(mark) if mark else None,
    )


@bp.get("/admin/hukum/<law>/<ps>/orang.csv")
@login.role("admin")
@login.about_people
def law_people(law: str, ps: str) -> ResponseReturnValue:
    """Download everybody who holds a valid certificate and learned the article."""
    article, now = laws.get_article(law, ps), clock.now()
    mark = laws.list_marks().get(article.name)
    columns = [_("Nama"), _("Alamat e-mail"), _("Sudah membaca")]
    rows = _people(article.name, mark.id if mark else None, now)
    return sheets.answer_csv(f"hukum-{law}-{ps}", columns, rows, take(article.name))


def _people(article: str, mark_id: int | None, now: datetime) -> Iterator[list[sheets.Cell]]:
    for one in readers.every_holder(article, mark_id, now):
        yield [one.name, one.email, day_of(one.read_at) if one.read_at else None]


@bp.post("/admin/hukum/<law>/<ps>/tandai")
@login.role("admin")
@login.accepts(SupersedeForm)
def law_supersede(law: str, ps: str) -> ResponseReturnValue:
    """Mark an article as no longer in force."""
    article, form, now = laws.get_article(law, ps), _supersede_form(), clock.now()
    if not form.validate_on_submit():
        forms = {"mark": form, "back": ReinstateForm(formdata=None)}
        return make_response(_article_page(article, forms), 422)
    with unit_of_work():
        laws.supersede(
            article.name,
            since=form.since.data,
            reason=form.reason.data,
            replaced_by=form.replaced_by.data,
            actor_id=login.require_viewer().id,
            now=now,
            today=day_of(now),
        )
    flash(_("Pasal ditandai. Soalnya tidak diundi lagi; pelajarannya sedang ditinjau."), "success")
    return redirect(url_for(".law_article", law=law, ps=ps))


@bp.post("/admin/hukum/<law>/<ps>/cabut")
@login.role("admin")
@login.accepts(ReinstateForm)
def law_reinstate(law: str, ps: str) -> ResponseReturnValue:
    """Take a mark back: the article is in force again."""
    article, form, now = laws.get_article(law, ps), ReinstateForm(), clock.now()
    if not form.validate_on_submit():
        forms = {"mark": _supersede_form(None), "back": form}
        return make_response(_article_page(article, forms), 422)
    try:
        with unit_of_work():
            laws.reinstate(
                article.name,
                reason=form.reason.data,
                actor_id=login.require_viewer().id,
                now=now,
                today=day_of(now),
            )
    except laws.NotMarked:
        flash(_("Pasal ini tidak sedang ditandai."), "info")
    else:
        flash(_("Tanda dicabut. Soal dan pelajarannya dipakai lagi."), "success")
    return redirect(url_for(".law_article", law=law, ps=ps))


@bp.post("/admin/hukum/<law>/<ps>/bacaan")
@login.role("admin")
@login.accepts(DeltaForm)
def law_delta(law: str, ps: str) -> ResponseReturnValue:
    """Attach a reading for those who learned the article."""
    article, form = laws.get_article(law, ps), DeltaForm()
    if not form.validate_on_submit():
        forms = {
            "mark": _supersede_form(None),
            "back": ReinstateForm(formdata=None),
            "delta": form,
        }
        return make_response(_article_page(article, forms), 422)
    try:
        with unit_of_work():
            laws.attach(
                article.name,
                title=form.title.data,
                text=form.text.data,
                actor_id=login.require_viewer().id,
                now=clock.now(),
            )
    except laws.NotMarked:
        flash(_("Pasal ini tidak sedang ditandai."), "info")
    else:
        flash(_("Bacaan tampil di beranda orang-orang ini."), "success")
    return redirect(url_for(".law_article", law=law, ps=ps))


@bp.get("/bacaan/<public_id>")
@login.signed_in
def delta(public_id: str) -> ResponseReturnValue:
    """Show what changed to somebody who learned it, and to administrators."""
    mark = _delta_for(public_id)
    return render_template("lineage/delta.html", mark=mark, text=_printed(mark))


@bp.post("/bacaan/<public_id>/selesai")
@login.signed_in
@login.accepts()
def delta_read(public_id: str) -> ResponseReturnValue:
    """Note that the reader read it."""
    mark = _delta_for(public_id)
    viewer, now = login.require_viewer(), clock.now()
    with unit_of_work():
        if readers.concerns(mark, viewer.id, now):
            laws.note_read(mark.id, viewer.id, now=now)
    flash(_("Tercatat. Terima kasih sudah membaca."), "success")
    return redirect(url_for("pages.home"))


def _printed(mark: LawMark) -> Markup:
    # The text was cleaned by core.markdown when it was attached.
    return Markup(mark.delta_html)  # noqa: S704


def _delta_for(public_id: str) -> LawMark:
    """Return a mark whose reading the viewer may see. Raises NotFound."""
    viewer, mark = login.require_viewer(), laws.get_mark(public_id)
    if not viewer.is_any("admin") and not readers.concerns(mark, viewer.id, clock.now()):
        raise NotFound(public_id)
    return mark
