"""Anybody's check of a code: what is said, what is not, how often it may be asked."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from certificates.codes import new_code
from lms.accounts import services as accounts
from lms.core.db import db, unit_of_work
from lms.credentials import gate, services
from lms.credentials.models import Certificate, Disclosure
from lms.credentials.rules import Reason
from tests import factories
from tests.credentials.world import BASE, NOW, World
from tests.queries import counted

UNKNOWN = "7QK4M9TXHC2RWVB"


@pytest.fixture
def world(app: Flask) -> World:
    return World()


def text_of(page: str) -> str:
    """Return what people read on a page."""
    main = page[page.index("<main") : page.index("</main>")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main))


def read(client: FlaskClient, path: str, at: datetime = NOW) -> str:
    with time_machine.travel(at, tick=False):
        answer = client.get(path)
    assert answer.status_code == 200
    return text_of(answer.text)


def revoke(code: str, reason: Reason = Reason.ERROR) -> None:
    by_id = factories.person("admin").id
    with unit_of_work():
        services.revoke(
            code, reason_public=reason, reason_internal="rahasia dapur", by_id=by_id, now=NOW
        )


def test_a_valid_code_answers_with_one_sentence_and_a_masked_name(client, world: World):
    code = world.certified().code
    page = read(client, f"/c/{code}")
    assert "Sertifikat ini berlaku" in page
    assert (
        "Kelulusan Pelatihan Asesmen Risiko (3 unit, 12 JP), diterbitkan untuk R*** Y*** oleh "
        "Dinas Contoh pada 1 April 2026." in page
    )
    assert "Berlaku sampai 1 April 2028." in page
    assert "1 April 2026, 09.30 WIB" in page
    assert "Standar masih rancangan" in page
    assert "Contoh peragaan" not in page
    assert "SLH.PKDRT.003.01" in page
    for secret in ("Rahma", "Yuliani", "Puskesmas", "0001/SULUH", "orang"):
        assert secret not in page


def test_each_status_has_its_heading(client, world: World):
    first = world.certified()
    assert "Sertifikat ini sudah berakhir" in read(
        client, f"/c/{first.code}", datetime(2028, 4, 1, 17, 0, tzinfo=UTC)
    )
    trainee_id, by_id, code = world.trainee.id, factories.person("admin").id, first.code
    with unit_of_work():
        accounts.rename(trainee_id, "Rahma Yuliani, S.Psi.", now=NOW)
        new = services.reissue(code, by_id=by_id, now=NOW, base_url=BASE).code
    page = read(client, f"/c/{code}")
    assert "Sertifikat ini sudah diganti" in page
    assert services.codes.pretty(new) not in page
    revoke(new, Reason.VIOLATION)
    page = read(client, f"/c/{new}")
    assert "Sertifikat ini dicabut" in page
    assert "pelanggaran kode etik" in page
    assert "rahasia dapur" not in page


def test_a_demonstration_says_so(client, world: World):
    assert "Contoh peragaan" in read(client, f"/c/{world.certified(sample=True).code}")


def test_the_address_of_the_qr_code_works_in_both_cases(client, world: World):
    code = world.certified().code
    for path in (
        f"/C/{code}",
        f"/c/{code.lower()}",
        f"/c?kode={code[:5]}-{code[5:10]}+{code[10:]}",
    ):
        assert "Sertifikat ini berlaku" in read(client, path)


def test_the_page_speaks_english(client, world: World):
    code = world.certified().code
    with time_machine.travel(NOW, tick=False), client.session_transaction() as session:
        session["lang"] = "en"
    page = read(client, f"/c/{code}")
    assert "Risk assessment" in page
    assert "1 April 2028" in page


def test_unknown_malformed_and_deleted_codes_answer_alike(client, world: World):
    code = world.certified().code
    malformed = ["x", "%20", "7QK4M", "A" * 500, "a/b/c", "%3Cscript%3E", "%00", "%F0%9F%8C%BE"]
    with unit_of_work():
        db.session.execute(Certificate.__table__.delete().where(Certificate.code == code))
    paths = [f"/c/{typed}" for typed in [UNKNOWN, new_code(), code, *malformed]]
    paths += [f"/c?kode={typed}" for typed in [UNKNOWN, "", *malformed]] + [f"/C/{UNKNOWN}"]
    with time_machine.travel(NOW, tick=False):
        answers = [client.get(path) for path in paths]
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.data for answer in answers}) == 1
    assert "Kode ini tidak ditemukan" in answers[0].text
    headers = [{k: v for k, v in a.headers.items() if k != "Date"} for a in answers]
    assert all(found == headers[0] for found in headers)
    assert "Set-Cookie" not in headers[0]  # nobody is asked for a name, so no form is kept apart


def test_names_sent_with_unknown_codes_answer_alike(client, world: World):
    with time_machine.travel(NOW, tick=False):
        answers = [
            client.post(f"/c/{typed}", data={"name": "Rahma Yuliani"})
            for typed in (UNKNOWN, "x", new_code())
        ]
    assert {(answer.status_code, answer.data) for answer in answers} == {(200, answers[0].data)}
    assert "Kode ini tidak ditemukan" in answers[0].text
    assert "Rahma" not in answers[0].text


@pytest.mark.parametrize("path", ["/c", f"/c/{UNKNOWN}"])
def test_pages_are_not_for_search_engines_or_caches(client, path: str):
    answer = client.get(path)
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert '<meta name="robots" content="noindex' in answer.text


def test_an_answer_costs_two_queries_and_writes_nothing(client, world: World):
    made = world.certified()
    code, disclosed = made.code, select(func.count()).select_from(Disclosure)
    client.get(f"/c/{code}")
    for path, most in ((f"/c/{code}", 2), (f"/c/{UNKNOWN}", 1), ("/c", 0)):
        with counted() as sent:
            client.get(path)
        assert len(sent) <= most, sent
        assert all(statement.startswith("SELECT") for statement in sent)
    assert db.session.scalar(disclosed) == 0


def test_a_name_is_compared_and_nothing_more_is_said(client, world: World):
    code = world.certified().code
    right = client.post(f"/c/{code}", data={"name": "rahma yuliani"})
    assert right.status_code == 200
    assert "Nama cocok" in text_of(right.text)
    assert "Rahma Yuliani" not in right.text
    wrong = client.post(f"/c/{code}", data={"name": "Rahma <b>"})
    assert "Nama tidak cocok" in text_of(wrong.text)
    assert 'value="Rahma &lt;b&gt;"' in wrong.text
    assert "Yuliani" not in wrong.text


def test_an_empty_name_is_asked_for_again(client, world: World):
    code = world.certified().code
    answer = client.post(f"/c/{code}", data={"name": " "})
    assert answer.status_code == 422
    assert "Isi nama seperti tercetak di kertas." in answer.text
    assert "cocok" not in text_of(answer.text).split("Cocokkan dengan")[0]


def test_names_are_compared_five_times_an_hour(client, world: World):
    code, other = world.certified().code, world.certified(world.join("Maria Ulfah")).code
    with time_machine.travel(NOW, tick=False) as clock:
        for _ in range(5):
            assert client.post(f"/c/{code}", data={"name": "x"}).status_code == 200
        late = client.post(f"/c/{code}", data={"name": "Rahma Yuliani"})
        assert late.status_code == 429
        assert int(late.headers["Retry-After"]) == 3600
        assert "Nama cocok" not in late.text
        assert client.post(f"/c/{other}", data={"name": "x"}).status_code == 200
        assert client.get(f"/c/{code}").status_code == 200
        clock.shift(timedelta(hours=1, seconds=1))
        assert client.post(f"/c/{code}", data={"name": "x"}).status_code == 200


def test_codes_are_asked_for_as_often_as_the_installation_allows(client, app: Flask):
    limit = app.extensions["suluh_gate"].codes.amount
    with time_machine.travel(NOW, tick=False) as clock:
        statuses = [client.get(f"/c/{new_code()}").status_code for _ in range(limit)]
        assert set(statuses) == {200}
        late = client.get(f"/c?kode={UNKNOWN}")
        assert late.status_code == 429
        assert late.headers["Retry-After"] == "60"
        assert client.get("/c").status_code == 200  # the form itself is free
        other = {"REMOTE_ADDR": "203.0.113.9"}
        assert client.get(f"/c/{UNKNOWN}", environ_overrides=other).status_code == 200
        clock.shift(timedelta(seconds=61))
        assert client.get(f"/c/{UNKNOWN}").status_code == 200


def test_the_limit_is_a_setting(app: Flask):
    assert (gate.NAMES.amount, gate.NAMES.seconds) == (5, 3600)
    assert app.extensions["suluh_gate"].codes.amount == 30


def test_a_name_with_markup_is_escaped_everywhere(client, world: World, sign_in):
    someone = world.join("<img src=x onerror=alert(1)> & Co")
    code = world.certified(someone).code
    page = client.get(f"/c/{code}").text
    assert "<img" not in page
    assert "i*** s*** o*** C***" in page
    own = sign_in(someone).get("/sertifikat").text
    assert "<img src=x" not in own
    assert "&lt;img src=x" in own
