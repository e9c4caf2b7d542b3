"""A view that declares nothing is closed; sessions begin and end cleanly."""

import pytest
from flask import Flask, session
from flask.testing import FlaskClient
from wtforms import Form, StringField

from lms.accounts import services as accounts
from lms.core import login
from lms.core.db import unit_of_work
from lms.core.login import Policy, policy_of
from tests import factories


@pytest.fixture
def made(make_app) -> Flask:
    app: Flask = make_app()
    app.config["WTF_CSRF_ENABLED"] = False
    app.add_url_rule("/lupa", "lupa", lambda: "terbuka")
    for name, policy in {
        "umum": login.public,
        "orang": login.signed_in,
        "pelatih": login.role("trainer", "assessor"),
    }.items():
        view = policy(lambda name=name: name)
        app.add_url_rule(f"/x/{name}", name, view, methods=["GET", "POST"])
    return app


def browser_of(app: Flask, *roles: str) -> FlaskClient:
    """A browser in which a person with these roles is signed in."""
    with app.app_context():
        person = factories.person(*roles)
        with unit_of_work():
            viewer = accounts.begin_session(person, now=login_clock())
    browser = app.test_client()
    with browser.session_transaction() as stored:
        stored["_user_id"] = viewer.token
    return browser


def login_clock():
    from lms.core import clock

    return clock.now()


def test_a_view_without_a_policy_is_refused_whoever_asks(made: Flask):
    for browser in (made.test_client(), browser_of(made, *login.ROLES)):
        with pytest.raises(RuntimeError, match="lupa declares no policy"):
            browser.get("/lupa")


def test_each_policy_admits_whom_it_names(made: Flask):
    browsers = {
        "nobody": made.test_client(),
        "trainee": browser_of(made, "trainee"),
        "assessor": browser_of(made, "trainee", "assessor"),
    }
    found = {
        (who, path): browser.get(f"/x/{path}").status_code
        for who, browser in browsers.items()
        for path in ("umum", "orang", "pelatih")
    }
    assert found == {
        ("nobody", "umum"): 200,
        ("nobody", "orang"): 302,
        ("nobody", "pelatih"): 302,
        ("trainee", "umum"): 200,
        ("trainee", "orang"): 200,
        ("trainee", "pelatih"): 403,
        ("assessor", "umum"): 200,
        ("assessor", "orang"): 200,
        ("assessor", "pelatih"): 200,
    }


def test_a_stranger_is_sent_to_the_sign_in_page_and_back(made: Flask):
    answer = made.test_client().get("/x/orang?a=1&b=%2F%2Fjahat.test")
    assert answer.status_code == 302
    assert answer.location == "/masuk?next=/x/orang?a%3D1%26b%3D%252F%252Fjahat.test"
    assert made.test_client().get("/x/orang").location == "/masuk?next=/x/orang"


def test_after_a_refused_post_nobody_is_sent_back_to_it(made: Flask):
    assert made.test_client().post("/x/orang").location == "/masuk"


def test_a_script_is_told_in_its_own_words(made: Flask):
    answer = made.test_client().get("/x/orang", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.is_json) == (401, True)
    assert answer.get_json()["error"] == 401
    refused = browser_of(made, "trainee").get("/x/pelatih", headers={"Accept": "application/json"})
    assert (refused.status_code, refused.get_json()["saved"]) == (403, False)


@pytest.mark.parametrize(
    ("accept", "wants"),
    [
        ("application/json", True),
        ("application/json, text/html;q=0.5", True),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_who_asks_for_data_is_read_from_the_request(made: Flask, accept: str, wants: bool):
    with made.test_request_context(headers={"Accept": accept}):
        assert login.wants_json() is wants


def test_an_unknown_address_is_simply_not_there(made: Flask):
    assert made.test_client().get("/tidak-ada").status_code == 404


def test_roles_are_checked_when_the_program_starts():
    with pytest.raises(ValueError, match="dukun"):
        login.role("trainer", "dukun")
    with pytest.raises(ValueError, match="unknown roles"):
        login.role()


def test_marks_are_read_back():
    class Sheet(Form):
        name = StringField()
        size = StringField()

    @login.role("admin", "trainer")
    @login.accepts(Sheet, "next")
    def view() -> str:
        return ""

    assert policy_of(view) == Policy("role", ("admin", "trainer"))
    assert str(policy_of(view)) == "admin, trainer"
    assert str(Policy("public")) == "public"
    assert getattr(view, "accepts") == ("name", "size", "next")  # noqa: B009


def test_a_view_that_admits_nobody_may_not_ask_who_is_there(made: Flask):
    with made.test_request_context(), pytest.raises(RuntimeError, match="without sign-in"):
        login.require_viewer()


def test_the_cookie_holds_the_session_and_nothing_about_the_person(made: Flask):
    browser = browser_of(made, "trainee")
    with browser.session_transaction() as stored:
        assert set(stored) == {"_user_id"}
        assert len(stored["_user_id"]) >= 43
    assert browser.get("/x/orang").status_code == 200


def viewer_of(app: Flask, name: str) -> login.Viewer:
    with app.app_context():
        person = factories.person(name=name)
        with unit_of_work():
            return accounts.begin_session(person, now=login_clock())


def test_signing_in_drops_what_an_earlier_person_left_but_the_language(made: Flask):
    first, second = viewer_of(made, "Ani"), viewer_of(made, "Budi")
    with made.test_request_context():
        session["lang"] = "en"
        login.start(first)
        session["draft"] = "milik Ani"
        login.start(second)
        assert session["lang"] == "en"
        assert "draft" not in session
        assert session["_user_id"] == second.token
        assert login.require_viewer().name == "Budi"
        login.end()
        assert dict(session) == {"lang": "en"}
        assert login.viewer() is None


def test_leaving_asks_no_database_and_returns_the_token(made: Flask):
    viewer = viewer_of(made, "Ani")
    with made.test_request_context():
        assert login.leave() is None
        login.start(viewer)
        assert login.leave() == viewer.token
        assert dict(session) == {}
        assert login.viewer() is None


def test_forgetting_hides_the_viewer_from_the_rest_of_the_request(made: Flask):
    with made.test_request_context():
        login.start(viewer_of(made, "Ani"))
        login.forget()
        assert login.viewer() is None
        assert "_user_id" in session  # the next request knows her again


def test_an_ended_session_is_nobodys(made: Flask):
    browser = browser_of(made, "trainee")
    with browser.session_transaction() as stored:
        token = stored["_user_id"]
    assert browser.get("/x/orang").status_code == 200
    with made.app_context(), unit_of_work():
        accounts.end_session(token, now=login_clock())
    assert browser.get("/x/orang").status_code == 302


def test_a_held_role_opens_nothing_alone_and_takes_nothing_from_another(made: Flask):
    made.add_url_rule("/x/petugas", "petugas", login.role("agency")(lambda: "petugas"))
    both = login.role("agency", "author")(lambda: "berdua")
    made.add_url_rule("/x/berdua", "berdua", both)
    asked: list[int] = []

    def gate(viewer: login.Viewer) -> tuple[str, int] | None:
        asked.append(viewer.id)
        return ("tunggu", 403) if gate_shut else None

    gate_shut = True
    login.hold(made, "agency", gate)
    officer, author = browser_of(made, "agency"), browser_of(made, "agency", "author")
    assert (officer.get("/x/petugas").status_code, officer.get("/x/petugas").text) == (
        403,
        "tunggu",
    )
    assert officer.get("/x/berdua").text == "tunggu"
    assert author.get("/x/petugas").status_code == 403
    before = len(asked)
    assert author.get("/x/berdua").text == "berdua"
    assert officer.get("/x/orang").text == "orang"
    assert len(asked) == before, "asked only where the role alone opens the page"
    gate_shut = False
    assert officer.get("/x/petugas").text == "petugas"
