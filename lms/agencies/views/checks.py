"""The check of a paper, and of a list of them. A look is POST: see people.py."""

import base64
from collections.abc import Iterable, Sequence

from flask import make_response, render_template, url_for
from flask.typing import ResponseReturnValue

from lms.accounts.exports import take
from lms.agencies import checks, rules, units
from lms.agencies.checks import Answer
from lms.agencies.forms import CheckForm, ListForm
from lms.agencies.rules import Asked
from lms.agencies.views.blueprint import bp
from lms.core import clock, http, login, sheets, tables_in
from lms.core.db import unit_of_work
from lms.core.i18n import gettext as _
from lms.core.i18n import local, moment, pick
from lms.core.sheets import Cell
from lms.credentials import gate, words
from lms.roster.labels import BAD_SHEETS


@bp.get("/instansi/periksa")
@login.role("agency")
def check() -> ResponseReturnValue:
    """Ask for what stands on a paper."""
    return render_template("agencies/check.html", form=CheckForm(formdata=None), answer=None)


@bp.post("/instansi/periksa")
@login.role("agency")
@login.accepts(CheckForm)
def check_paper() -> ResponseReturnValue:
    """Compare a paper with the register; its holder sees that it was asked."""
    viewer, form, now, answer = login.require_viewer(), CheckForm(), clock.now(), None
    if form.validate_on_submit():
        gate.check_code(f"officer {viewer.id}")
        with unit_of_work():
            answer = checks.check(viewer.id, asked=form.asked.data, name=form.name.data, now=now)
    page = render_template(
        "agencies/check.html",
        form=form,
        answer=answer,
        now=now,
        words=words,
        here=url_for(".check"),
    )
    return make_response(page, 200 if answer else 422)


@bp.get("/instansi/periksa/daftar")
@login.role("agency")
def check_list() -> ResponseReturnValue:
    """Ask for a list of papers."""
    return _list_page(ListForm(formdata=None))


@bp.post("/instansi/periksa/daftar")
@login.role("agency")
@http.takes_upload(tables_in.LARGEST)
@login.accepts(ListForm)
@login.about_people
def check_many() -> ResponseReturnValue:
    """Compare a list of papers with the register; each holder sees that it was asked."""
    viewer, form, now = login.require_viewer(), ListForm(), clock.now()
    rows = _read(form) if form.validate_on_submit() else None
    if rows is None:
        return make_response(_list_page(form), 422)
    gate.check_list(f"officer {viewer.id}")
    with unit_of_work():
        answers = checks.check_list(viewer.id, rows, now=now)
    found = list(zip(rows, answers, strict=True))
    mark = take(units.names_of(viewer.id))
    pieces = sheets.csv_pieces(_columns(), _cells(found, moment(now)))
    return render_template(
        "agencies/check_many.html",
        found=found,
        counts=checks.count(answers),
        now=now,
        words=words,
        # Kept nowhere, and taking it is no second look: the file stands in its own link.
        file=base64.b64encode("".join(pieces).encode()).decode(),
        file_name=f"{mark.name(f'hasil-periksa-{local(now):%Y%m%d-%H%M}')}.csv",
    )


def _list_page(form: ListForm) -> str:
    return render_template("agencies/check_list.html", form=form, most=rules.MOST_ROWS)


def _read(form: ListForm) -> Sequence[Asked] | None:
    """Read what was sent; None when it cannot be read, with the reason on the form."""
    file = form.file.data
    field = form.file if file else form.rows
    try:
        if file:
            data: bytes | str = file.stream.read(tables_in.LARGEST + 1)
        else:
            data = form.pasted
        if not data.strip():
            raise tables_in.BadSheet("empty")
        sheet = tables_in.read(data, name=file.filename or "" if file else "")
        rows = rules.rows_of((line.number, line.cells) for line in sheet.lines)
    except tables_in.BadSheet as error:
        if error.key == "empty":
            field.errors = [_("Tempel barisnya, atau pilih berkas: kode atau nomor, lalu nama.")]
        else:
            field.errors = [str(BAD_SHEETS[error.key])]
        return None
    except rules.TooManyRows as error:
        field.errors = [
            _(
                "Daftar ini berisi %(count)d baris. Paling banyak %(most)d sekali periksa; bagi"
                " menjadi beberapa daftar.",
                count=error.count,
                most=rules.MOST_ROWS,
            )
        ]
        return None
    if not rows:
        field.errors = [_("Daftar ini hanya berisi judul kolom.")]
        return None
    return rows


def _columns() -> list[str]:
    return [
        _("Baris"),
        _("Kode atau nomor"),
        _("Nama yang ditulis"),
        _("Hasil"),
        _("Nama"),
        _("Skema"),
        _("Unit"),
        _("Berlaku sampai"),
        _("Diperiksa"),
    ]


def _cells(found: Iterable[tuple[Asked, Answer]], checked: str) -> Iterable[list[Cell]]:
    for row, answer in found:
        paper: list[Cell] = ["", "", "", None]
        if answer.found is not None:
            entry = answer.found.entry
            name = _("cocok") if answer.matched else _("tidak cocok")
            scheme = pick(entry.scheme_title, entry.scheme_title_en)
            paper = [name, scheme, answer.found.unit_count, entry.life.valid_until]
        yield [row.line, row.code, row.name, verdict(answer), *paper, checked]


def verdict(answer: Answer) -> str:
    """Return what a check says in two or three words."""
    if answer.found is None:
        return _("Tidak ada yang cocok")
    return {
        "valid": _("Berlaku"),
        "expired": _("Habis"),
        "revoked": _("Dicabut"),
        "replaced": _("Diganti"),
    }[answer.found.entry.status]
