"""Row 28: bodies no browser sends: deep JSON, numbers of any size, wrong types. Never a 500.

Addresses and queries of that kind are walked by the tests about security; here it is what is sent.
"""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, jsonify, request
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from lms.core import login
from tests.faults.test_session import Page, page
from tests.operations.faults import fields
from tests.test_security import ENDS_A_SESSION, everybody, fill

__all__ = ["Page", "everybody", "page"]

pytestmark = pytest.mark.walk
DEEP = "[" * 100_000
OBJECTS = '{"a":' * 50_000 + "1" + "}" * 50_000
HUGE = "9" * 5_000
JSON: dict[str, str | bytes] = {
    "deep": DEEP,
    "objects": OBJECTS,
    "huge": f'{{"soal": {HUGE}, "choice": {HUGE}}}',
    "infinite": '{"soal": Infinity, "seq": -1e999, "choice": NaN}',
    "wrong types": '{"soal": {}, "seq": [], "choice": true, "client_key": null}',
    "half a surrogate": '{"client_key": "\\ud800"}',
    "no text": b"\xff\xfe\x00",
}
FIELDS: dict[str, Any] = {
    "negative": "-" + HUGE,
    "infinite": "1e309",
    "other digits": "١٢٣",
    "list": ["1", "2", "1"],
    "brackets": "[[1]]",
    "date": "2026-02-30",
    "time": "25:61",
}


def posts(app: Flask) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Yield each endpoint that takes something, an address of it, and its fields."""
    known = {"slug": "kelas", "curriculum": "k1", "number": "1", "position": "1"}
    for rule in app.url_map.iter_rules():
        if "POST" not in (rule.methods or ()) or rule.endpoint in ENDS_A_SESSION:
            continue
        parts = {name: known.get(name, "x") for name in rule.arguments}
        accepts = getattr(app.view_functions[rule.endpoint], "accepts", ())
        yield rule.endpoint, fill(rule, parts), accepts


def wrongs(app: Flask, browser: FlaskClient, **request: Any) -> list[str]:
    """Send one body everywhere; return where it was an error of ours."""
    found, count = [], 0
    for endpoint, path, _accepts in posts(app):
        count += 1
        found += tried(browser, endpoint, path, **request)
    assert count > 50
    return found


def tried(browser: FlaskClient, endpoint: str, path: str, **request: Any) -> list[str]:
    try:
        answer = browser.post(path, headers={"Accept": "application/json"}, **request)
    except Exception as error:  # tests let errors through: note which
        return [f"{endpoint}: {type(error).__name__}: {error}"[:200]]
    return [f"{endpoint}: {answer.status_code}"] if answer.status_code >= 500 else []


@pytest.mark.parametrize("body", JSON.values(), ids=JSON)
def test_json_nobody_asked_for_is_no_error_of_ours(
    bare_app: Flask, everybody: FlaskClient, body: str | bytes
):
    assert wrongs(bare_app, everybody, data=body, content_type="application/json") == []


@pytest.mark.parametrize(
    "body",
    [
        b"--x\r\nContent-Disposition: form-data; name=soal\r\n\r\n1",
        b"--x\r\n" * 2000,
        b'--x\r\nContent-Disposition: form-data; name="soal"; filename="a"\r\n\r\n1\r\n--x--\r\n',
        b"\0" * 1000,
    ],
    ids=["cut off", "empty parts", "a file for a number", "zeros"],
)  # fmt: skip
def test_a_broken_form_is_no_error_of_ours(bare_app: Flask, everybody: FlaskClient, body: bytes):
    kind = "multipart/form-data; boundary=x"
    assert wrongs(bare_app, everybody, data=body, content_type=kind) == []


@pytest.mark.parametrize("value", FIELDS.values(), ids=FIELDS)
def test_no_field_of_a_wrong_type_is_an_error_of_ours(
    bare_app: Flask, everybody: FlaskClient, value: str | list[str]
):
    found = []
    for endpoint, path, accepts in posts(bare_app):
        sent = MultiDict((name, one) for name in accepts
                         for one in ([value] if isinstance(value, str) else value))  # fmt: skip
        found += tried(everybody, endpoint, path, data=sent)
    assert found == []


def test_a_file_where_a_text_is_asked_for(bare_app: Flask, everybody: FlaskClient):
    found = []
    for endpoint, path, accepts in posts(bare_app):
        sent = {name: (io.BytesIO(b"x"), "x.txt") for name in accepts}
        found += tried(everybody, endpoint, path, data=sent, content_type="multipart/form-data")
    assert found == []


def test_ten_thousand_fields_are_refused_or_read(bare_app: Flask, everybody: FlaskClient):
    body = "&".join(f"f{n}=1" for n in range(10_000))
    kind = "application/x-www-form-urlencoded"
    assert wrongs(bare_app, everybody, data=body, content_type=kind) == []


WRONG_ANSWERS: dict[str, dict[str, Any]] = {
    "huge question": {"soal": HUGE},
    "no question": {"soal": "201"},
    "huge seq": {"seq": HUGE},
    "beyond the largest seq": {"seq": str(2**31)},
    "negative seq": {"seq": "-1"},
    "fifth option": {"choice": "5"},
    "a word": {"choice": "dua"},
    "short key": {"client_key": "a"},
    "long key": {"client_key": "a" * 65},
    "odd key": {"client_key": "kunci\u00e4\u00e4\u00e4\u00e4"},
    "other field": {"field": "score"},
    "other zone": {"zone": "UTC"},
}


@pytest.mark.parametrize("change", WRONG_ANSWERS.values(), ids=WRONG_ANSWERS)
def test_a_wrong_answer_is_refused_and_a_right_one_saved(page: tuple[Flask, Page], change):
    """The positive control stands in the same test: the same request but for one field."""
    _app, one = page
    right = fields(3)
    one.waiting = [right | change]
    refused = one.send()
    assert (refused.status_code, refused.json["saved"]) == (422, False)
    one.waiting = [right]
    assert one.send().status_code == 200


def test_an_answer_as_json_is_none(page: tuple[Flask, Page]):
    _app, one = page
    answer = one.browser.post(
        f"{one.address}/simpan",
        json=fields(3),
        headers={"X-CSRFToken": one.token, "Accept": "application/json"},
    )
    assert (answer.status_code, answer.json["saved"]) == (422, False)


def test_a_view_that_trusts_what_is_sent_goes_red(make_app):
    """The planted bug: the same bodies, sent to a view that takes them as they come."""
    app = make_app(testing=False)
    app.config["WTF_CSRF_ENABLED"] = False

    @app.post("/percaya")
    @login.public
    @login.accepts("soal")
    def trusting() -> Any:
        sent = json.loads(request.get_data()) if request.is_json else request.form
        return jsonify(int(sent["soal"]))

    browser = app.test_client()
    trusting_one = {"endpoint": "percaya", "path": "/percaya"}
    kind = {"content_type": "application/json"}
    assert tried(browser, **trusting_one, data='{"soal": 7}', **kind) == []
    assert tried(browser, **trusting_one, data=DEEP, **kind) != []
    assert tried(browser, **trusting_one, data=JSON["huge"], **kind) != []
    assert tried(browser, **trusting_one, data={"soal": HUGE}) != []
