"""Every file with data of people carries the mark of its taking, and the mark leads back to it."""

import inspect
import io
import re
import zipfile
from base64 import b64decode
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import NamedTuple
from urllib.parse import unquote

import pytest
from flask import Flask, Response
from flask.testing import FlaskClient
from pypdf import PdfReader
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from lms.accounts import exports
from lms.accounts.exports import TAKEN, Unmarked
from lms.accounts.models import Person
from lms.cohorts.models import Cohort
from lms.core import login, sheets
from lms.core.db import db
from lms.core.login import policy_of
from lms.core.models import AuditEvent
from tests import crowd, factories
from tests.conftest import SqliteHome
from tests.crowd import Crowd
from tests.test_budgets import FEW, PAGES

SignIn = Callable[[Person], FlaskClient]
REFERENCE = re.compile(r"brk-[0-9a-z]{5}-[0-9a-z]{5}")


class Asked(NamedTuple):
    """One way to take a file: who, where, and the form for what is no GET."""

    who: str
    address: str
    form: dict[str, str] | None = None


POSTED = [
    Asked("agency", "/instansi/unduh", {"bentuk": "csv"}),
    Asked("agency", "/instansi/unduh", {"bentuk": "xlsx"}),
    Asked("agency", "/instansi/periksa/daftar", {"rows": "Nama\tKode\nSri\tSLH-X"}),
]
OTHER_FORMS = [
    Asked("trainer", "/angkatan/{slug}/kuis/{before}/hasil.xlsx"),
    Asked("trainer", "/angkatan/{slug}/kuis/pasangan/{pair}.xlsx"),
]


@pytest.fixture(scope="module")
def here(sqlite_home: SqliteHome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    """A class that has something in each of its files."""
    kept = crowd.kept(sqlite_home, tmp_path_factory, FEW)
    found = crowd.reopen(kept, tmp_path_factory.mktemp("crowd") / "marks.db")
    found.app.config["WTF_CSRF_ENABLED"] = False
    yield found
    with found.app.app_context():
        db.session.remove()
        db.engine.dispose()


def view_of(app: Flask, address: str, method: str) -> str:
    """Return the endpoint an address leads to."""
    return str(app.url_map.bind("localhost").match(address.partition("?")[0], method)[0])


def registered(app: Flask) -> set[str]:
    """Return every view that is declared to send files about people."""
    return {name for name, view in app.view_functions.items() if hasattr(view, "about_people")}


def ways(here: Crowd) -> list[tuple[str, Asked]]:
    """Return how each of those files is taken, with its endpoint: from the list of all pages."""
    asked = [Asked(who, address) for who, address, _queries in PAGES if who]
    found = []
    for one in [*asked, *OTHER_FORMS, *POSTED]:
        address = one.address.format(**here.names)
        name = view_of(here.app, address, "POST" if one.form else "GET")
        if name in registered(here.app) and one != Asked("holder", "/sertifikat/{code}/berkas"):
            found.append((name, one._replace(address=address)))
    return found


class Taken(NamedTuple):
    """A file as it arrived: its name, its bytes, how it may be kept."""

    name: str
    data: bytes
    cache: str


def take(here: Crowd, asked: Asked) -> Taken:
    browser = here.browser(asked.who)
    answer = browser.post(asked.address, data=asked.form) if asked.form else None
    with answer or browser.get(asked.address) as got:
        data = got.get_data()
        assert got.status_code == 200, (asked, got.text[:3000])
        if "Content-Disposition" not in got.headers:  # a page that holds the file
            [(body, name)] = re.findall(r'base64,([^"]*)" download="([^"]*)"', got.text)
            return Taken(name, b64decode(body), got.headers["Cache-Control"])
        name = unquote(re.split(r"''|=\"?", got.headers["Content-Disposition"])[-1]).strip('"')
        return Taken(name, data, got.headers["Cache-Control"])


def last_taking() -> AuditEvent:
    query = select(AuditEvent).where(AuditEvent.action == TAKEN).order_by(AuditEvent.id.desc())
    return db.session.scalars(query.limit(1)).one()


def said(file: Taken) -> list[str]:
    """Return what the parts of a file say of themselves; each must carry the mark."""
    kind = file.name.rpartition(".")[2]
    if kind == "pdf" and not file.name.startswith("sertifikat-"):
        return [page.extract_text() for page in PdfReader(io.BytesIO(file.data)).pages]
    if kind == "xlsx":
        book = CalamineWorkbook.from_filelike(io.BytesIO(file.data))
        about = book.get_sheet_by_name(book.sheet_names[-1]).to_python()
        with zipfile.ZipFile(io.BytesIO(file.data)) as parts:
            sheets_of = [one for one in parts.namelist() if one.startswith("xl/worksheets/sheet")]
            feet = [parts.read(one).decode().partition("<oddFooter>")[2] for one in sheets_of]
            properties = parts.read("docProps/core.xml").decode()
        assert len(feet) == len(book.sheet_names) == 2
        return [str(about), *feet, properties]
    if kind == "zip":
        with zipfile.ZipFile(io.BytesIO(file.data)) as parts:
            return [parts.read("tentang-berkas-ini.txt").decode()]
    return []  # the name alone: a table for programs, a paper that may not be changed


@pytest.mark.walk
def test_every_file_about_people_leads_back_to_who_took_it(here: Crowd):
    walked = ways(here)
    assert {name for name, _asked in walked} == registered(here.app)
    assert len(walked) >= 30
    seen: set[str] = set()
    for name, asked in walked:
        file = take(here, asked)
        found = REFERENCE.findall(file.name)
        assert len(found) == 1, (asked, file.name)
        reference = found[0]
        assert file.cache == "no-store", asked
        with here.app.app_context():
            event = last_taking()
            assert event.detail["reference"] == reference, asked
            assert event.subject == f"file:{reference}"
            assert event.detail["page"] == name
            assert event.detail["path"] == asked.address.partition("?")[0]
            taker = db.session.get_one(Person, event.actor_id).name
            until = date.fromisoformat(event.detail["until"])
            assert until >= (event.at + timedelta(days=30)).date()
        for part in said(file):
            flat = " ".join(part.split())
            assert reference in flat, asked
            assert taker in flat, asked
            assert f"{until.day} " in flat, asked
            assert f" {until.year}" in flat, asked
            assert re.search(r"\d\d\.\d\d (WIB|WITA|WIT)", flat), asked
        if file.name.endswith(".csv"):
            assert reference.encode() not in file.data, "a table stays a table"
        seen.add(reference)
    assert len(seen) == len(walked), "each taking has its own"


SENDS = re.compile(r"\banswer_(csv|xlsx|pdf)\b|Content-Disposition|\b_file\(")


def test_every_view_for_staff_that_sends_a_file_says_whether_it_is_about_people(app: Flask):
    """So that a new one is in the walk above, or said to be about nobody."""
    sending = {
        name: view
        for name, view in app.view_functions.items()
        if policy_of(view) and SENDS.search(inspect.getsource(view))
    }
    silent = {
        name
        for name, view in sending.items()
        if policy_of(view).roles
        and not hasattr(view, "about_people")
        and not hasattr(view, "about_nobody")
    }
    assert silent == set()
    by_other_means = {"agencies.people_file", "agencies.check_many", "credentials.download"}
    assert registered(app) - by_other_means <= set(sending), "the control: the sign is seen"


@pytest.mark.both
def test_only_what_was_sent_is_noted_whatever_a_browser_asks(app: Flask, sign_in: SignIn):
    """A file comes whole each time; who asks whether there is one has not taken it."""
    browser = sign_in(factories.person("admin"))

    def noted() -> int:
        db.session.rollback()
        return len(db.session.scalars(select(AuditEvent).where(AuditEvent.action == TAKEN)).all())

    browser.head("/laporan/rekap.csv").close()
    browser.head("/laporan/rekap.xlsx").close()
    assert noted() == 0
    for count, header in enumerate(({"Range": "bytes=0-3"}, {"If-None-Match": "*"}), 1):
        with browser.get("/laporan/rekap.csv", headers=header) as answer:
            assert answer.status_code == 200
            assert answer.get_data(as_text=True).startswith("\ufeff")
        assert noted() == count
    broken_off = browser.get("/laporan/rekap.csv", buffered=False)
    next(iter(broken_off.response))
    broken_off.close()
    assert noted() == 3


def test_kinds_of_files_are_all_among_them(here: Crowd):
    """The control of the walk: it opens PDF, workbooks and archives, not only names."""
    kinds = {asked.address.rpartition(".")[2] for _name, asked in ways(here)}
    assert {"csv", "xlsx", "pdf"} <= kinds
    [(_name, papers)] = [one for one in ways(here) if one[0] == "credentials.job_papers"]
    assert said(take(here, papers))
    assert "Untuk: " in said(take(here, papers))[0]


def test_two_takers_get_files_of_their_own(here: Crowd):
    asked = Asked("trainer", "/angkatan/{slug}/hadir/lembar.pdf".format(**here.names))
    first, second = take(here, asked), take(here, asked)
    assert first.name != second.name
    assert first.data != second.data


def test_what_a_file_says_is_what_it_was_taken_for(here: Crowd):
    asked = Asked("trainer", "/angkatan/{slug}/hadir/lembar.pdf".format(**here.names))
    with here.app.app_context():
        title = db.session.get_one(Cohort, here.ids["class"]).title
    pages = said(take(here, asked))
    assert all(f"· {title}" in page for page in pages)


@pytest.mark.parametrize(
    ("declared", "is_sent"), [(None, False), ("about_people", False), ("about_nobody", True)]
)
def test_a_file_of_staff_without_a_mark_is_not_sent(
    app: Flask,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
    declared: str | None,
    is_sent: bool,
):
    @login.role("admin")
    def view() -> Response:
        return sheets.answer_csv("orang", ["Nama"], [["Sri"]], None)

    if declared:
        getattr(login, declared)(view)
    monkeypatch.setitem(app.view_functions, "reports.all_recap_csv", view)
    browser = sign_in(factories.person("admin"))
    if is_sent:
        assert browser.get("/laporan/rekap.csv").status_code == 200, "the control"
        return
    with pytest.raises(Unmarked):
        browser.get("/laporan/rekap.csv")


def test_a_mark_is_drawn_only_by_views_that_are_declared(
    app: Flask, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
):
    """Else the walk above would not know of the file."""

    @login.role("admin")
    def view() -> Response:
        return sheets.answer_csv("orang", ["Nama"], [["Sri"]], exports.take())

    monkeypatch.setitem(app.view_functions, "reports.all_recap_csv", view)
    with pytest.raises(Unmarked):
        sign_in(factories.person("admin")).get("/laporan/rekap.csv")
