"""Headers, compression, static files and foreign posts."""

import gzip
import re
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask, Response, request
from flask.testing import FlaskClient
from hypothesis import example, given
from hypothesis import strategies as st

from lms.core import http, login
from lms.core.http import CSP, STATIC, same_site

GZIP = {"Accept-Encoding": "gzip, deflate"}
LONG = "<p>" + "Baca dengan tenang. " * 200


def add_pages(app: Flask) -> None:
    """Answers of every shape, open to everybody."""

    def add(path: str, answer: object, *methods: str) -> None:
        view = login.public(lambda: answer() if callable(answer) else answer)
        app.add_url_rule(path, path, view, methods=methods or ["GET"])

    def crash() -> None:
        raise ZeroDivisionError

    add("/panjang", LONG)
    add("/pendek", "<p>Halo</p>")
    add("/data", lambda: Response("[" + "1," * 1000 + "1]", mimetype="application/json"))
    add("/berkas", lambda: Response(b"%PDF-1.7" * 500, mimetype="application/pdf"))
    add("/alir", lambda: Response((LONG for _ in range(2)), mimetype="text/html"))
    add("/tetap", lambda: Response("x", headers={"Cache-Control": "public, max-age=60"}))
    add("/jatuh", crash)
    add("/kirim", lambda: f"diterima {request.form.get('a')}", "POST", "PUT", "DELETE")


@pytest.fixture
def site(make_app) -> FlaskClient:
    app = make_app(testing=False)
    app.config["WTF_CSRF_ENABLED"] = False
    add_pages(app)
    return app.test_client()


EVERY_KIND = [
    ("GET", "/pendek", 200),
    ("GET", "/data", 200),
    ("GET", "/alir", 200),
    ("HEAD", "/pendek", 200),
    ("OPTIONS", "/pendek", 200),
    ("POST", "/kirim", 200),
    ("GET", "/akun", 302),
    ("GET", "/tidak-ada", 404),
    ("GET", "/kirim", 405),
    ("GET", "/jatuh", 500),
    ("GET", "/static/css/suluh.css", 200),
    ("GET", "/static/tidak-ada.css", 404),
]


@pytest.mark.parametrize(("method", "path", "status"), EVERY_KIND)
def test_every_kind_of_answer_carries_every_header(
    site: FlaskClient, method: str, path: str, status: int
):
    answer = site.open(path, method=method)
    assert answer.status_code == status
    wanted = {
        "Content-Security-Policy": CSP,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex",
        "Cross-Origin-Opener-Policy": "same-origin",
    }
    assert {name: answer.headers.get(name) for name in wanted} == wanted
    assert "Strict-Transport-Security" not in answer.headers
    is_file = path.startswith("/static/") and status == 200
    assert (answer.headers["Cache-Control"] == "no-store") is not is_file
    answer.close()


def test_the_policy_allows_no_foreign_and_no_inline_code():
    rules = dict(part.strip().split(" ", 1) for part in CSP.split(";"))
    assert rules["default-src"] == "'self'"
    assert {"object-src", "base-uri", "frame-ancestors"} <= {
        k for k in rules if rules[k] == "'none'"
    }
    assert "unsafe" not in CSP
    assert "http" not in CSP


def test_an_answer_may_say_itself_how_long_it_keeps(site: FlaskClient):
    assert site.get("/tetap").headers["Cache-Control"] == "public, max-age=60"


@pytest.mark.parametrize("path", ["/panjang", "/data"])
def test_long_pages_are_compressed_for_browsers_that_take_it(site: FlaskClient, path: str):
    plain = site.get(path, headers={"Accept-Encoding": "identity"})
    packed = site.get(path, headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) == int(packed.headers["Content-Length"]) < len(plain.data) / 4


@pytest.mark.parametrize("path", ["/pendek", "/berkas", "/alir"])
def test_short_streamed_and_already_packed_answers_are_left_alone(site: FlaskClient, path: str):
    answer = site.get(path, headers=GZIP)
    assert "Content-Encoding" not in answer.headers
    assert answer.data
    answer.close()


def test_a_browser_that_refuses_gzip_gets_none(site: FlaskClient):
    for refused in ("gzip;q=0", "br", ""):
        answer = site.get("/panjang", headers={"Accept-Encoding": refused})
        assert "Content-Encoding" not in answer.headers


def test_a_long_page_is_the_same_page_for_head(site: FlaskClient):
    assert site.head("/panjang", headers=GZIP).status_code == 200


@pytest.mark.parametrize(
    "name", sorted(p.relative_to(STATIC).as_posix() for p in STATIC.rglob("*.*"))
)
def test_every_static_file_is_served_hashed_and_kept_for_a_year(app: Flask, name: str):
    client = app.test_client()
    address = http.static_url(name)
    assert re.fullmatch(rf"/static/{re.escape(name)}\?v=[0-9a-f]{{12}}", address)
    answer = client.get(address)
    assert answer.data == (STATIC / name).read_bytes()
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.mimetype != "application/octet-stream"


def test_a_static_file_under_an_old_hash_is_kept_only_a_moment(client: FlaskClient):
    for query in ("", "?v=000000000000"):
        answer = client.get(f"/static/css/suluh.css{query}")
        assert answer.headers["Cache-Control"] == "public, max-age=300"


def test_static_files_are_compressed_once_and_smaller(client: FlaskClient):
    plain = client.get("/static/css/suluh.css")
    packed = client.get("/static/css/suluh.css", headers=GZIP)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == plain.headers["Vary"] == "Accept-Encoding"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data)
    assert http.static_file("css/suluh.css") is http.static_file("css/suluh.css")


def test_what_the_browser_has_already_is_not_sent_again(client: FlaskClient):
    first = client.get("/static/css/suluh.css")
    again = client.get("/static/css/suluh.css", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["Content-Security-Policy"] == CSP
    other = client.get("/static/css/suluh.css", headers={"If-None-Match": '"anders"'})
    assert (other.status_code, other.data) == (200, first.data)


def test_static_files_are_the_same_for_everybody(client: FlaskClient):
    """Else a browser would fetch them again whenever its session changes."""
    with client.session_transaction() as session:
        session["lang"] = "en"
    answer = client.get("/static/css/suluh.css")
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    "name",
    [
        "../app.py",
        "%2e%2e/app.py",
        "css/../../app.py",
        "..%2fapp.py",
        "..%5capp.py",
        "/etc/passwd",
        "%2fetc%2fpasswd",
        "css",
        "css/",
        "css/%00suluh.css",
        "a" * 5000,
        "CSS/SULUH.CSS/",
    ],
)
def test_nothing_else_on_the_disk_is_served(client: FlaskClient, name: str):
    answer = client.get(f"/static/{name}", follow_redirects=True)
    assert answer.status_code == 404
    assert b"create_app" not in answer.data


def test_asking_for_files_that_are_not_there_fills_no_memory():
    before = http._read.cache_info().currsize
    for n in range(100):
        assert http.static_file(f"css/{n}.css") is None
    assert http._read.cache_info().currsize == before
    assert http._names.cache_info().currsize == 1


def test_naming_a_static_file_that_is_not_there_is_a_mistake():
    with pytest.raises(FileNotFoundError, match="lain"):
        http.static_url("css/lain.css")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
@pytest.mark.parametrize("site_header", ["cross-site", "same-site", "anything"])
def test_a_form_of_another_site_is_refused(site: FlaskClient, method: str, site_header: str):
    answer = site.open(
        "/kirim", method=method, data={"a": "1"}, headers={"Sec-Fetch-Site": site_header}
    )
    assert answer.status_code == 403
    assert b"diterima" not in answer.data


@pytest.mark.parametrize("site_header", ["same-origin", "none", None])
def test_a_form_of_ours_or_of_an_old_browser_is_accepted(
    site: FlaskClient, site_header: str | None
):
    """The positive control of the refusals above."""
    headers = {"Sec-Fetch-Site": site_header} if site_header else {}
    assert site.post("/kirim", data={"a": "1"}, headers=headers).text == "diterima 1"


def test_following_a_link_of_another_site_is_no_form(site: FlaskClient):
    answer = site.get("/pendek", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 200


LEAVE = ["//jahat.test", "/\\jahat.test", "\\\\jahat.test", "/\t/jahat.test", "/\n/jahat.test",
         "https://jahat.test", "javascript:alert(1)", " /akun", "akun", "", None, "/a\x7fb",
         "/\x00/jahat.test", "///jahat.test", "/a b"]  # fmt: skip


@pytest.mark.parametrize("target", LEAVE)
def test_an_address_that_could_leave_the_site_is_dropped(target: str | None):
    assert same_site(target) is None


@pytest.mark.parametrize("target", ["/", "/akun", "/kuis/k1/3?soal=2&a=//b", "/c/É", "/a#//b"])
def test_an_address_of_this_site_is_kept(target: str):
    assert same_site(target) == target


@given(st.text(alphabet="/\\.:@#? \t\n\r\x00ahtps;%25", max_size=12))
@example("/\t/a")
def test_what_is_kept_never_leaves_as_a_browser_reads_it(target: str):
    kept = same_site(target)
    if kept is not None:
        read = kept.replace("\\", "/").translate({9: None, 10: None, 13: None}).strip()
        assert urlsplit(urljoin("https://suluh.test/masuk", read)).netloc == "suluh.test"
