"""The audit page speaks in sentences, for every action there is; its file holds the chain."""

import ast
import re
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from lms.accounts.models import Person
from lms.core import audit
from lms.core.db import db, unit_of_work
from lms.pages import trail
from tests import factories
from tests.factories import NOW

CODE = Path(__file__).parents[2] / "lms"
ACTION = re.compile(r"[a-z]+\.[a-z_]+")


def recorded() -> Iterator[tuple[str, str]]:
    """Yield file and action of each audit.record; a computed one counts all its module names."""
    for path in sorted(CODE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in ast.walk(tree):
            is_ours = (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Attribute)
                and call.func.attr == "record"
                and isinstance(call.func.value, ast.Name)
                and call.func.value.id == "audit"
            )
            if is_ours:
                where = path.relative_to(CODE).as_posix()
                first = call.args[0]
                names = ast.walk(first if isinstance(first, ast.Constant) else tree)
                texts = (one.value for one in names if isinstance(one, ast.Constant))
                for text in texts:
                    if isinstance(text, str) and ACTION.fullmatch(text):
                        yield where, text


def test_every_action_has_a_sentence():
    found = set(recorded())
    assert len(found) > 30
    missing = sorted(f"{where}: {action}" for where, action in found if action not in trail.WORDS)
    assert missing == []


def test_every_action_belongs_to_a_group_an_administrator_can_choose():
    assert [one for one in trail.WORDS if not one.startswith(tuple(trail.GROUPS))] == []
    assert len(set(trail.WORDS.values())) == len(trail.WORDS)


@pytest.fixture
def browser(app: Flask, sign_in: Callable[[Person], FlaskClient]) -> FlaskClient:
    return sign_in(factories.person("admin", name="Sri Wahyuni"))


def note(action: str, subject: str = "person:1", days: int = 0, **detail: object) -> None:
    with unit_of_work():
        audit.record(action, subject, actor_id=None, now=NOW + timedelta(days=days), **detail)


def shown(page: str) -> list[str]:
    return re.findall(r'<th scope="row"><a[^>]*>([^<]+)</a>', page)


def test_a_row_is_a_sentence_and_its_end_is_shown(browser: FlaskClient):
    note("credentials.revoke", "certificate:7")
    note("lama.hilang")
    page = browser.get("/admin/catatan").text
    assert shown(page)[:2] == ["lama.hilang", "Sertifikat dicabut"]
    assert audit.head().hash in page


def test_days_and_groups_narrow_it(browser: FlaskClient):
    for days in range(4):
        note("roster.confirm", days=days)
    note("accounts.rename", days=1)
    day = (NOW + timedelta(days=1)).date()
    page = browser.get(f"/admin/catatan?dari={day}&sampai={day}").text
    assert shown(page) == ["Nama diubah", "Daftar peserta dimasukkan"]
    page = browser.get(f"/admin/catatan?dari={day}&tindakan=roster.").text
    assert shown(page) == ["Daftar peserta dimasukkan"] * 3
    assert '<option value="roster." selected>' in page
    page = browser.get("/admin/catatan?tindakan=roster.confirm&dari=kemarin").text
    assert '<option value="roster.confirm" selected>Daftar peserta dimasukkan' in page
    assert len(shown(page)) == 4


def test_a_day_begins_at_midnight_in_western_indonesia():
    asked = trail.Filter(since=date(2026, 3, 2))
    assert trail._begin(asked.since).isoformat() == "2026-03-01T17:00:00+00:00"
    assert trail.read_day("2026-02-30") is None


def test_the_file_holds_all_of_it_and_no_formula(
    browser: FlaskClient, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(trail, "AT_ONCE", 3)
    for number in range(7):
        note("roster.confirm", f"roster_batch:{number}", reason="=1+1")
    answer = browser.get("/admin/catatan.csv?tindakan=roster.")
    assert answer.headers["Content-Type"].startswith("text/csv")
    head, *lines = answer.data.decode("utf-8-sig").splitlines()
    assert head.startswith("Waktu (UTC);Tindakan;Kode;")
    assert len(lines) == 7
    assert f";{audit.head().count};{audit.head().hash}" in lines[0]
    assert not any(cell.startswith("=") for line in lines for cell in line.split(";"))


def test_nobody_else_reads_the_file(client: FlaskClient, sign_in, app: Flask):
    assert client.get("/admin/catatan.csv").status_code == 302
    assert sign_in(factories.person("trainer")).get("/admin/catatan.csv").status_code == 403


# Files that were taken


def looked_up(browser: FlaskClient, text: str) -> str:
    db.session.rollback()  # what was written meanwhile is seen
    page = browser.get("/admin/catatan", query_string={"rujukan": text}).text
    found = re.search(
        r'<section class="card stack" aria-labelledby="berkas">.*?</section>', page, re.S
    )
    return " ".join(found[0].split()) if found else ""


def test_a_reference_says_who_took_which_file_and_when(
    browser: FlaskClient, sign_in: Callable[[Person], FlaskClient]
):
    trainer, cohort = factories.person("trainer", name="Budi <b>"), factories.cohort()
    factories.staff(trainer, cohort)
    address = f"/angkatan/{cohort.slug}/capaian.csv"
    with sign_in(trainer).get(address) as answer:
        answer.get_data()
        name = answer.headers["Content-Disposition"].rpartition("'")[2]
    for pasted in (name, name.removesuffix(".csv")[-15:].upper()):
        said = looked_up(browser, pasted)
        for part in ("Budi &lt;b&gt;", cohort.title, address, "Musnahkan paling lambat", " WIB"):
            assert part in said, part
    link = re.search(r'href="([^"]+)">Lihat di catatan', said)
    assert link
    assert shown(browser.get(link[1]).text) == ["Berkas berisi data orang diunduh"]


def test_a_reference_nobody_knows_says_so(browser: FlaskClient):
    note("privacy.open_incident", "file:brk-7k3m9-qx2d4")
    said = looked_up(browser, "brk-7k3m9-qx2d4")
    assert "Rujukan brk-7k3m9-qx2d4 tidak dikenal" in said
    assert "Tidak ada rujukan dalam tulisan itu" in looked_up(browser, "<b>capaian</b>")
    assert looked_up(browser, "  ") == ""
