"""Row 27: names of any letters, or none. Stored one way (NFC), shown apart (bdi), and on paper."""

import unicodedata
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import select, text

from certificates.__main__ import sample
from certificates.document import InvalidCertificate
from certificates.layout import render
from lms.accounts.models import Person
from lms.cohorts.models import Organisation, OrganisationKind
from lms.core.db import db, unit_of_work
from lms.core.forms import one_line
from lms.core.login import ROLES
from lms.nominations.models import Nomination
from lms.roster import services as roster
from tests import crowd, factories
from tests.factories import NOW
from tests.nominations import world as seats
from tests.test_budgets import PAGES

NAMES = [
    "Siti Nurhaliza",
    "Rene\u0301e Sitompul",  # an accent that stands alone
    "\u1112\u1161\u11ab\u1100\u1173\u11af",  # Hangul in pieces
    "\u0639\u0644\u064a \u0628\u0646 \u0645\u062d\u0645\u062f",  # right to left
    "\u05e9\u05dc\u05d5\u05dd Ani 12",
    "Ani \u202egnor\u202c",  # turns the writing
    "Ani\u0000Budi",
    "Ani\u200b\u200dBudi\ufeff",
    "\U0001f600 Budi",
    "ꦱꦸꦭꦸꦃ",  # Javanese
    "A" + "\u0301" * 40,
    "Å\u0323",
    "ﷺ",
    "a" * 120,
]
"""What people are called, what they paste, and what somebody tries."""
LETTERS = st.text(st.characters(codec="utf-8"), max_size=140)
HALF = "\ud800"


def good(name: str) -> bool:
    """Tell whether a stored name is one plain line of composed letters."""
    return (
        name == unicodedata.normalize("NFC", name)
        and name == " ".join(name.split())
        and not any(unicodedata.category(letter) in {"Cc", "Cf", "Cs"} for letter in name)
    )


@given(LETTERS)
@example("a\u034f\u0301")
def test_any_text_becomes_one_plain_line_and_stays_it(typed: str):
    once = one_line(typed)
    assert good(once)
    assert one_line(once) == once
    assert one_line(unicodedata.normalize("NFD", typed)) == once


@given(st.text())
def test_half_a_surrogate_is_no_letter(typed: str):
    assert good(one_line(typed + HALF))


def test_what_is_not_cleaned_goes_red():
    """The planted bug: blanks are stripped, and nothing else."""
    assert not all(good(name.strip()) for name in NAMES)
    assert all(good(one_line(name)) for name in NAMES)


@pytest.fixture
def boss(app: Flask, sign_in) -> FlaskClient:
    """A browser of somebody with every role."""
    return sign_in(factories.person(*ROLES))


@pytest.mark.parametrize("typed", NAMES, ids=ascii)
def test_each_form_stores_a_name_one_way(app: Flask, boss: FlaskClient, typed: str):
    """Account, organisation and class: what is stored is what the rule says, or it is refused."""
    name = one_line(typed)
    assert 0 < len(name) <= 120
    answers = [
        boss.post("/akun/nama", data={"name": typed}),
        boss.post("/admin/instansi", data={"name": typed, "kind": "ngo", "city": typed[:80]}),
    ]
    assert {answer.status_code for answer in answers} <= {302, 422}
    assert answers[0].status_code == 302
    db.session.rollback()
    assert db.session.scalar(select(Person.name).order_by(Person.id.desc())) == name
    stored = db.session.scalar(select(Organisation.name).order_by(Organisation.id.desc()))
    assert (stored == name) is (answers[1].status_code == 302)


def test_a_name_without_a_letter_is_refused(boss: FlaskClient):
    for typed in ("\u0000", "\u202e\u200b", " \t ", "\u3000"):
        assert boss.post("/akun/nama", data={"name": typed}).status_code == 422
    assert boss.post("/akun/nama", data={"name": "A"}).status_code == 302
    assert boss.post("/akun/nama", data={"name": "A" * 5000}).status_code == 422


def test_bytes_that_are_no_text_are_no_error_of_ours(boss: FlaskClient):
    for raw in (b"name=%ED%A0%80Ani", b"name=%FF%FEAni", b"name=Ani%00", b"name=\xff\xc0Ani"):
        kind = "application/x-www-form-urlencoded"
        assert boss.post("/akun/nama", data=raw, content_type=kind).status_code < 500


def test_a_sheet_of_people_brings_names_one_way():
    rows = "\n".join(f"{name.replace(chr(0), '')}\torang{n}@contoh.test\tRS Contoh"
                     for n, name in enumerate(NAMES))  # fmt: skip
    reading = roster.read_people(f"Nama\tE-mail\tInstansi\n{rows}", "")
    assert len(reading.entries) == len(NAMES)
    for entry in reading.entries:
        assert good(entry.name), ascii(entry.name)


def test_a_nominee_has_a_name_of_one_way(app: Flask):
    kind = OrganisationKind.HOSPITAL
    world = seats.open_class(kind)
    seats.set_seats(world, 40, rs=30)
    with unit_of_work():
        seats.services.nominate_many(
            world.cohort,
            [
                seats.Nominee(world.agencies[kind], name, f"orang{n}@contoh.test")
                for n, name in enumerate(NAMES)
            ],
            actor_id=world.trainer,
            now=NOW,
        )
    stored = db.session.scalars(select(Nomination.name)).all()
    assert len(stored) == len(NAMES)
    assert all(good(name) for name in stored)


@pytest.mark.parametrize("name", [*NAMES, HALF, "\n"], ids=ascii)
def test_every_name_gives_a_paper_or_says_why_not(name: str):
    """That any text prints as plain letters is a property of the paper's own tests."""
    try:
        found = replace(sample("id"), holder_name=name)
    except InvalidCertificate:
        assert not one_line(name)
        return
    assert render(found).startswith(b"%PDF-1.")


# Shown apart


INLINE = {"a", "b", "span", "strong", "em", "i", "small", "code", "bdi", "mark", "time"}
QUIET = {"title", "option", "script", "style", "textarea"}
"""Elements whose text stands in no sentence."""
LISTS = {"th", "header"}
"""Where a name stands beside numbers and marks of others: the first cell of a row, the top bar."""


class Places(HTMLParser):
    """Finds a name in a page, and whether something stands beside it in the same line."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name, self.stack, self.bare, self.apart = name, [], [], 0
        self.line: list[tuple[str, bool]] = []

    def end_line(self) -> None:
        whole = "".join(part for part, _inside in self.line).strip()
        for part, inside in self.line:
            if self.name in part:
                self.apart += inside
                if not inside and whole != self.name and LISTS & set(self.stack):
                    self.bare.append(" ".join(whole.split())[:80])
        self.line = []

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        if tag in {"br", "input", "img", "meta", "link", "hr", "use"}:
            return
        if tag not in INLINE:
            self.end_line()
        self.stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in INLINE:
            self.end_line()
        if tag in self.stack:
            while self.stack.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if not QUIET & set(self.stack):
            self.line.append((data, "bdi" in self.stack))


def places(page: str, name: str) -> Places:
    found = Places(name)
    found.feed(page)
    found.end_line()
    return found


def test_a_name_beside_something_is_told_from_one_alone():
    """The control: without the element it is found."""
    assert places("<th><bdi>X</bdi>, 12 Maret</th><th>X</th>", "X").bare == []
    assert places("<th>X, 12 Maret</th>", "X").bare == ["X, 12 Maret"]
    assert places("<th><b>X</b> 12</th><th><bdi>X</bdi></th>", "X").bare == ["X 12"]


@pytest.mark.walk
def test_every_list_shows_a_name_apart(bare_app: Flask):
    name = "\u05e9\u05dc\u05d5\u05dd"
    made = crowd.build(bare_app, 5)
    with bare_app.app_context():
        with unit_of_work():
            db.session.execute(text("UPDATE person SET name = :name"), {"name": name})
        db.session.remove()
    wrong, apart = set(), 0
    browsers = {who: made.browser(who) for who in {who for who, _path, _queries in PAGES}}
    for who, address, _queries in PAGES:
        path = address.format(**made.names)
        answer = browsers[who].get(path)
        if answer.status_code != 200 or answer.mimetype != "text/html":
            continue
        found = places(answer.text, name)
        apart += found.apart
        wrong |= {f"{address}: {line}" for line in found.bare}
    assert sorted(wrong) == [], chr(10).join(sorted(wrong))
    assert apart > 20
