"""A list of papers: answered row by row, each look written down, bounded."""

import base64
import re
from io import BytesIO

import pytest
import time_machine
from flask import Flask

from lms.agencies import checks
from lms.agencies.rules import Asked
from lms.core.db import unit_of_work
from tests import factories
from tests.agencies.test_views import LATER, looks, officer_of, revoke
from tests.credentials.test_verify import UNKNOWN, text_of
from tests.credentials.world import World
from tests.queries import counted

PATH = "/instansi/periksa/daftar"


@pytest.fixture(autouse=True)
def _now():
    with time_machine.travel(LATER, tick=False):
        yield


@pytest.fixture
def world(app: Flask) -> World:
    return World()


def send(browser, rows: str):
    return browser.post(PATH, data={"rows": rows})


def test_every_row_has_an_answer_and_every_hit_a_look(world: World, sign_in):
    valid = world.certified()
    gone = world.certified(world.join("Budi Dicabut"))
    other = world.certified(world.join("Cici Lain"))
    revoke(gone.code)
    browser = sign_in(officer_of(factories.organisation("Polres Contoh")))
    assert "Paling banyak 200 baris" in text_of(browser.get(PATH).text)
    answer = send(
        browser,
        "Kode\tNama\n"
        f"{valid.code.lower()}\trahma yuliani\n"
        f"{gone.number}\tBudi Dicabut\n"
        f"{other.code}\tOrang Salah\n"
        f"{other.number}\tOrang Salah\n"
        f"9999/SULUH-K1/2026\tOrang Salah\n"
        f"{UNKNOWN}\tx\n"
        f"{valid.code}\tRahma Yuliani\n",
    )
    page = text_of(answer.text)
    assert answer.status_code == 200
    assert "7 baris, 3 berlaku" in page
    assert "0 habis, 1 dicabut, 0 diganti, 3 tidak ada yang cocok. Nama tidak cocok: 1." in page
    assert "Asesmen Risiko (3 unit) atas nama Rahma Yuliani, berlaku sampai 1 April 2028." in page
    assert "atas nama Budi Dicabut dicabut pada 1 April 2026: kesalahan penerbitan." in page
    assert "atas nama C*** L***, berlaku" in page
    assert "Cici Lain" not in answer.text
    assert sorted(looks()) == sorted(
        [
            (valid.id, "code", True),
            (gone.id, "number", True),
            (other.id, "code", False),
            (other.id, "number", False),
        ]
    )
    own = text_of(sign_in(world.trainee).get("/sertifikat").text)
    assert "Polres Contoh dengan kode cocok" in own


def test_unknown_and_not_matching_numbers_read_alike(world: World, sign_in):
    made = world.certified()
    browser = sign_in(officer_of(world.agency))
    wrong = send(browser, f"{made.number}\tOrang Salah").text
    missing = send(browser, "9999/SULUH-K1/2026\tOrang Salah").text

    def plain(page: str) -> str:
        return re.sub(r"\d{4}/SULUH-K1/2026|base64,[^\"]*|csrf_token[^>]*", "", text_of(page))

    assert plain(wrong) == plain(missing)
    assert looks() == [(made.id, "number", False)]


def test_the_result_comes_along_as_a_file(world: World, sign_in):
    made = world.certified()
    page = send(sign_in(officer_of(world.agency)), f"{made.code};Rahma Yuliani\n=1+1;x").text
    coded = re.findall(r'href="data:text/csv;base64,([^"]*)"', page)[0]
    lines = base64.b64decode(coded).decode().removeprefix("\ufeff").splitlines()
    assert lines[1].startswith(
        f"1;{made.code};Rahma Yuliani;Berlaku;cocok;Asesmen Risiko;3;2028-04-01;"
    )
    assert lines[2].startswith("2;'=1+1;x;Tidak ada yang cocok;;;;;")
    assert len(looks()) == 1


def test_a_file_is_read_like_pasted_rows(world: World, sign_in):
    made = world.certified()
    data = {"file": (BytesIO(f"nomor,nama\n{made.number},Rahma Yuliani\n".encode()), "a.csv")}
    browser = sign_in(officer_of(world.agency))
    answer = browser.post(PATH, data=data, content_type="multipart/form-data")
    assert "1 baris, 1 berlaku" in text_of(answer.text)
    bad = {"file": (BytesIO(b"%PDF-1.7 x"), "a.pdf")}
    refused = browser.post(PATH, data=bad, content_type="multipart/form-data")
    assert refused.status_code == 422
    assert "Ini bukan XLSX atau CSV" in refused.text


def test_a_list_costs_the_same_whatever_its_length(world: World):
    officer_id, one = officer_of(world.agency).id, world.certified()

    def check(rows: list[tuple[str, str]]) -> tuple[int, int]:
        asked = [Asked(n, code, name) for n, (code, name) in enumerate(rows)]
        with counted() as sent, unit_of_work():
            answers = checks.check_list(officer_id, asked, now=LATER)
        return len(sent), sum(answer.matched for answer in answers)

    few = check([(one.number, "Rahma Yuliani"), ("x", "y")])
    more = [world.certified(world.join(f"Orang {name}")) for name in ("Satu", "Dua", "Tiga")]
    many = check([(made.number, made.holder_name) for made in more] + [("x", "y")] * 190)
    assert (few, many) == ((4, 1), (4, 3))


def test_more_than_two_hundred_rows_are_refused_before_any_look(world: World, sign_in):
    made = world.certified()
    browser = sign_in(officer_of(world.agency))
    answer = send(browser, "\n".join([f"{made.code}\tx"] * 201))
    assert answer.status_code == 422
    assert "Daftar ini berisi 201 baris. Paling banyak 200" in text_of(answer.text)
    assert looks() == []


@pytest.mark.parametrize(
    ("rows", "why"), [("", "Tempel barisnya"), ("  \n", "Tempel barisnya"), ("kode;nama", "judul")]
)
def test_a_list_without_rows_is_asked_for(world: World, sign_in, rows: str, why: str):
    answer = send(sign_in(officer_of(world.agency)), rows)
    assert answer.status_code == 422
    assert why in text_of(answer.text)


def test_lists_are_bounded_per_officer(world: World, sign_in):
    browser, other = sign_in(officer_of(world.agency)), sign_in(officer_of(world.agency))
    for _ in range(5):
        assert send(browser, "x\ty").status_code == 200
    assert send(browser, "x\ty").status_code == 429
    assert send(other, "x\ty").status_code == 200


def test_only_officers_check_lists(world: World, sign_in):
    assert send(sign_in(world.trainer), "x\ty").status_code == 403
    assert sign_in(world.trainee).get(PATH).status_code == 403
