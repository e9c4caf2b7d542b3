"""Sign-in through a provider: one that really signs, really keeps state, and can be made to lie."""

import json
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from flask import Flask, Response, jsonify, request
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey
from sqlalchemy import select
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from lms.accounts import identities, oidc, services
from lms.accounts.models import LoginSession, OutsideIdentity, Person, PersonRole
from lms.config import BadConfig, Config
from lms.core.db import db, unit_of_work
from lms.core.models import AuditEvent, Mail
from tests import factories
from tests.accounts.test_second_factor import enrolled
from tests.conftest import Browser
from tests.races import race

NOW = factories.NOW
CLIENT, SECRET = "suluh", "rahasia-klien-yang-panjang"
BACK = "http://127.0.0.1:8000/masuk/lembaga/kembali"
RSA = RSAKey.generate_key(2048, parameters={"kid": "satu"})
OTHER_RSA = RSAKey.generate_key(2048, parameters={"kid": "satu"})


@dataclass
class FakeProvider:
    """An OpenID provider with one user; its fields say how it misbehaves."""

    issuer: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    key: Any = field(default_factory=lambda: RSA)
    published: list[Any] = field(default_factory=lambda: [RSA])
    alg: str = "RS256"
    named: str | None = None
    drop: tuple[str, ...] = ()
    extra_document: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked_keys: int = 0
    saw: list[str] = field(default_factory=list)

    def app(self) -> Flask:
        app = Flask("provider")
        app.get("/.well-known/openid-configuration")(self.document)
        app.get("/keys")(self.jwks)
        app.get("/authorize")(self.authorize)
        app.post("/token")(self.token)
        return app

    def document(self) -> Response:
        found = {
            "issuer": self.named or self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        return jsonify(found | self.extra_document)

    def jwks(self) -> Response:
        self.asked_keys += 1
        return jsonify(keys=[key.as_dict(private=False) for key in self.published])

    def authorize(self) -> Response:
        asked = request.args
        assert asked["client_id"] == CLIENT
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert set(asked["scope"].split()) == {"openid", "email"}
        assert asked["redirect_uri"] == BACK
        code = f"code-{len(self.codes)}"
        self.codes[code] = {
            "challenge": asked["code_challenge"],
            "nonce": asked["nonce"],
        }
        to = f"{BACK}?{urlencode({'code': code, 'state': asked['state']})}"
        return Response(status=302, headers={"Location": to})

    def token(self) -> tuple[Response, int]:
        auth, form = request.authorization, request.form
        if auth is not None:
            assert (auth.username, auth.password) == (CLIENT, SECRET)
        else:
            assert (form["client_id"], form["client_secret"]) == (CLIENT, SECRET)
        self.saw.append("header" if auth else "form")
        grant = self.codes.pop(request.form["code"], None)
        verifier = sha256(request.form.get("code_verifier", "").encode()).digest()
        challenge = urlsafe_b64encode(verifier).rstrip(b"=").decode()
        if grant is None or grant["challenge"] != challenge:
            return jsonify(error="invalid_grant"), 400
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "orang-1",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": grant["nonce"],
            "email": "maria@contoh.test",
            "email_verified": True,
        } | self.claims
        for name in self.drop:
            claims.pop(name, None)
        answer = {"access_token": "x", "token_type": "Bearer", "id_token": self.sign(claims)}
        return jsonify({k: v for k, v in answer.items() if k not in self.drop}), 200

    def sign(self, claims: dict[str, Any]) -> str:
        if self.alg == "none":

            def part(value: object) -> str:
                return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

            return f"{part({'alg': 'none', 'kid': 'satu'})}.{part(claims)}."
        header = {"alg": self.alg, "kid": self.key.kid or "satu"}
        return jwt.encode(header, claims, self.key, algorithms=[self.alg])


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    fake = FakeProvider()
    server = make_server("127.0.0.1", 0, fake.app(), threaded=True)
    fake.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield fake
    server.shutdown()
    server.server_close()
    thread.join(5)


@pytest.fixture
def house(make_app: Callable[..., Flask], provider: FakeProvider) -> Iterator[Flask]:
    """An installation that names the provider; Maria has an account there."""
    app = make_app(
        oidc_issuer=provider.issuer,
        oidc_client_id=CLIENT,
        oidc_client_secret=SECRET,
        oidc_name="akun Kota Contoh",
    )
    app.config["WTF_CSRF_ENABLED"] = False
    app.test_client_class = Browser
    with app.app_context():
        factories.person("trainee", email="maria@contoh.test", name="Maria Ulfah")
        yield app


def go(browser: FlaskClient, target: str = "/akun") -> str:
    """Follow the button to the provider and back as far as our door; return that address."""
    asked = browser.get("/masuk/lembaga", query_string={"next": target})
    assert asked.status_code == 302
    sent_back = requests.get(asked.location, allow_redirects=False, timeout=10)
    assert sent_back.headers["Location"].startswith(BACK)
    parts = urlsplit(sent_back.headers["Location"])
    return f"{parts.path}?{parts.query}"


def come_in(browser: FlaskClient, target: str = "/akun") -> TestResponse:
    return browser.get(go(browser, target))


def refused(answer: TestResponse, code: int = 400) -> bool:
    """Tell whether nothing was opened, stored or made."""
    db.session.rollback()
    nothing = not db.session.scalars(select(LoginSession)).all()
    unlinked = not db.session.scalars(select(OutsideIdentity)).all()
    return answer.status_code == code and nothing and unlinked


def test_who_the_provider_names_comes_in(house: Flask):
    """The positive control of all refusals below."""
    browser = house.test_client()
    page = browser.get("/masuk?next=/akun").text
    assert "Masuk dengan akun Kota Contoh" in page
    answer = come_in(browser)
    assert answer.location == "/akun"
    page = browser.get("/akun").text
    assert "maria@contoh.test" in page
    assert "Dapat dibuka juga dengan akun Kota Contoh" in page
    linked = db.session.scalars(select(OutsideIdentity)).one()
    assert linked.subject == "orang-1"
    assert db.session.scalars(select(PersonRole.role)).all() == ["trainee"]
    assert "accounts.link_identity" in db.session.scalars(select(AuditEvent.action)).all()
    assert "akun lembaga" in db.session.scalars(select(Mail.body)).one()
    again = house.test_client()
    assert come_in(again).location == "/akun"
    assert len(db.session.scalars(select(Mail)).all()) == 1  # linked once


LIES: list[tuple[str, dict[str, Any], str]] = [
    ("another audience", {"claims": {"aud": "orang-lain"}}, "InvalidClaimError"),
    ("another issuer", {"claims": {"iss": "https://jahat.test"}}, "InvalidClaimError"),
    ("another nonce", {"claims": {"nonce": "lain"}}, "InvalidClaimError"),
    ("no nonce", {"drop": ("nonce",)}, "MissingClaimError"),
    ("expired", {"claims": {"exp": int(time.time()) - 120}}, "ExpiredTokenError"),
    ("no end", {"drop": ("exp",)}, "MissingClaimError"),
    ("issued in the future", {"claims": {"iat": int(time.time()) + 86_400}}, "InvalidClaimError"),
    ("no subject", {"drop": ("sub",)}, "MissingClaimError"),
    ("an endless subject", {"claims": {"sub": "x" * 256}}, "no subject"),
    ("no signature", {"alg": "none"}, "UnsupportedAlgorithmError"),
    ("signed by somebody else", {"key": OTHER_RSA}, "BadSignatureError"),
    (
        "signed with our own secret",
        {"alg": "HS256", "key": OctKey.import_key(SECRET)},
        "UnsupportedAlgorithmError",
    ),
    (
        "several audiences, made for another",
        {"claims": {"aud": [CLIENT, "x"], "azp": "x"}},
        "InvalidClaimError",
    ),
    ("no token", {"drop": ("id_token",)}, "no ID token"),
]


@pytest.mark.parametrize(
    ("lie", "why"), [one[1:] for one in LIES], ids=[name for name, _lie, _why in LIES]
)
def test_a_token_that_is_not_whole_opens_nothing(
    house: Flask,
    provider: FakeProvider,
    lie: dict[str, Any],
    why: str,
    caplog: pytest.LogCaptureFixture,
):
    for name, value in lie.items():
        setattr(provider, name, value)
    browser = house.test_client()
    answer = come_in(browser)
    assert refused(answer)
    assert caplog.messages[-1].endswith(why)
    assert "maria" not in caplog.text
    assert "Belum berhasil masuk lewat akun Kota Contoh" in answer.text
    assert browser.get("/akun").status_code == 302


def test_a_clock_a_little_off_is_forgiven(house: Flask, provider: FakeProvider):
    provider.claims = {"exp": int(time.time()) - 30, "iat": int(time.time()) + 30}
    assert come_in(house.test_client()).location == "/akun"


@pytest.mark.parametrize("verified", [False, "true", 1, None])
def test_only_a_verified_address_links_an_account(
    house: Flask, provider: FakeProvider, verified: object
):
    provider.claims = {"email_verified": verified}
    answer = come_in(house.test_client())
    assert refused(answer, 404)
    assert "Akun dibuat lewat undangan" in answer.text


@pytest.mark.parametrize("email", ["maria@contoh.test.jahat", "maria", None, 7, ""])
def test_who_has_no_account_gets_none(house: Flask, provider: FakeProvider, email: object):
    provider.claims = {"email": email, "roles": ["admin"]}
    assert refused(come_in(house.test_client()), 404)
    assert len(db.session.scalars(select(Person)).all()) == 1


def test_from_the_first_time_on_the_subject_decides(house: Flask, provider: FakeProvider):
    assert come_in(house.test_client()).location == "/akun"
    other = factories.person("trainer", email="yohanes@contoh.test")
    provider.claims = {"email": "yohanes@contoh.test"}
    browser = house.test_client()
    come_in(browser)
    assert "maria@contoh.test" in browser.get("/akun").text
    provider.claims = {"email_verified": False}
    assert come_in(house.test_client()).location == "/akun"
    # Somebody else who was given Maria's mailbox is not Maria.
    provider.claims = {"sub": "orang-2"}
    assert come_in(house.test_client()).status_code == 404
    provider.claims = {"sub": "orang-2", "email": "yohanes@contoh.test"}
    browser = house.test_client()
    come_in(browser)
    assert other.name in browser.get("/akun").text


def test_a_closed_account_stays_closed(house: Flask):
    maria = services.find_person_id("maria@contoh.test")
    assert maria
    admin = factories.person("admin").id

    def close(yes: bool) -> None:
        public_id = services.get_person_by_id(maria).public_id
        with unit_of_work():
            services.set_disabled(public_id, yes, actor_id=admin, now=NOW)

    close(True)
    assert come_in(house.test_client()).status_code == 404
    close(False)
    assert come_in(house.test_client()).location == "/akun"
    close(True)
    assert come_in(house.test_client()).status_code == 404


def test_the_second_factor_still_applies(house: Flask):
    maria = db.session.scalars(select(Person)).one()
    enrolled(maria)
    browser = house.test_client()
    assert come_in(browser).location == "/masuk/kedua"
    assert browser.get("/akun").status_code == 302


def test_a_state_counts_once_and_in_one_browser(house: Flask):
    browser, thief = house.test_client(), house.test_client()
    back = go(browser)
    assert thief.get(back).status_code == 400
    assert browser.get(back).location == "/akun"
    assert browser.get(back).status_code == 400
    other = house.test_client()
    address = go(other)
    state = parse_qs(urlsplit(address).query)["state"][0]
    assert other.get(address.replace(state, "lain")).status_code == 400
    assert other.get(address).status_code == 400  # it was used up by the wrong one
    assert other.get("/masuk/lembaga/kembali").status_code == 400
    empty = house.test_client()
    state = parse_qs(urlsplit(go(empty)).query)["state"][0]
    denied = empty.get(f"/masuk/lembaga/kembali?error=access_denied&state={state}")
    assert denied.status_code == 400


def test_a_code_of_another_browser_is_worth_nothing(house: Flask):
    """PKCE: whoever catches a code lacks what the browser that asked for it holds."""
    victim, thief = house.test_client(), house.test_client()
    caught = parse_qs(urlsplit(go(victim)).query)["code"][0]
    own = go(thief)
    mine = parse_qs(urlsplit(own).query)["code"][0]
    assert refused(thief.get(own.replace(mine, caught)))


@pytest.mark.parametrize("target", ["https://jahat.test/", "//jahat.test", "/\\jahat.test"])
def test_coming_back_never_leads_off_the_site(house: Flask, target: str):
    assert come_in(house.test_client(), target).location == "/"


def test_a_provider_that_calls_itself_otherwise_is_refused(house: Flask, provider: FakeProvider):
    provider.named = "https://lain.test"
    assert house.test_client().get("/masuk/lembaga").status_code == 400


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("value", [None, 7, "http://jahat.test/x", "javascript:alert(1)"])
def test_what_the_provider_describes_must_be_https(
    house: Flask, provider: FakeProvider, name: str, value: object
):
    provider.extra_document = {name: value}
    assert house.test_client().get("/masuk/lembaga").status_code == 400


def test_keys_that_are_none_and_a_provider_that_is_away(house: Flask, provider: FakeProvider):
    provider.extra_document = {"jwks_uri": f"{provider.issuer}/.well-known/openid-configuration"}
    assert house.test_client().get("/masuk/lembaga").status_code == 400
    provider.extra_document = {"jwks_uri": f"{provider.issuer}/tidak-ada"}
    assert house.test_client().get("/masuk/lembaga").status_code == 400
    gone = oidc.Provider("http://127.0.0.1:9", CLIENT, SECRET)
    with pytest.raises(oidc.Trouble, match="does not answer"):
        gone.ask(BACK)


def test_new_keys_are_fetched_but_not_for_every_forgery(
    house: Flask, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
):
    assert come_in(house.test_client()).location == "/akun"
    fresh = RSAKey.generate_key(2048, parameters={"kid": "dua"})
    provider.key, provider.published = fresh, [RSA, fresh]
    before = provider.asked_keys
    assert come_in(house.test_client()).status_code == 400  # the keys were read a moment ago
    assert provider.asked_keys == before
    monkeypatch.setattr(oidc, "FRESH", 0)
    assert come_in(house.test_client()).location == "/akun"
    assert provider.asked_keys == before + 1


def test_the_secret_is_sent_as_the_provider_wants(house: Flask, provider: FakeProvider):
    provider.extra_document = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert come_in(house.test_client()).location == "/akun"
    assert provider.saw == ["form"]


def test_an_administrator_takes_the_link_away(house: Flask, provider: FakeProvider):
    come_in(house.test_client())
    maria = services.find_person_id("maria@contoh.test")
    assert maria
    factories.person("admin", email="sri@contoh.test")
    browser = house.test_client()
    typed = {"email": "sri@contoh.test", "password": factories.PASSWORD}
    browser.post("/masuk", data=typed)
    address = f"/admin/orang/{services.get_person_by_id(maria).public_id}"
    assert "Tertaut dengan akun lembaga" in browser.get(address).text
    assert browser.post(f"{address}/lembaga/lepas").location == address
    assert browser.post(f"{address}/lembaga/lepas").status_code == 404
    assert db.session.scalars(select(OutsideIdentity)).all() == []


@pytest.mark.both
@pytest.mark.parametrize("subjects", [["a", "a", "a"], ["a", "b", "c"]])
def test_linked_at_once_an_account_has_one_subject(bare_app: Flask, subjects: list[str]):
    with bare_app.app_context():
        factories.person(email="maria@contoh.test")

    def enter(subject: str) -> Callable[[], object]:
        claims = identities.Claims("https://x.test", subject, "maria@contoh.test", True)

        def task() -> object:
            with unit_of_work():
                return identities.enter(claims, now=NOW)

        return task

    results = race(bare_app, [enter(one) for one in subjects])
    entered = sum(isinstance(one, services.SignedIn) for one in results)
    assert entered == (3 if len(set(subjects)) == 1 else 1)
    assert {type(one).__name__ for one in results} <= {"SignedIn", "NoAccountHere"}
    with bare_app.app_context():
        assert len(db.session.scalars(select(OutsideIdentity)).all()) == 1


def test_without_a_provider_there_is_no_such_door(client: FlaskClient):
    factories.person()
    assert "/masuk/lembaga" not in client.get("/masuk").text
    for path in ("/masuk/lembaga", "/masuk/lembaga/kembali?state=x&code=y"):
        assert client.get(path).status_code == 404


GOOD = {"database_url": "sqlite:////x.db", "secret_key": "k" * 32}
WHOLE = {"oidc_issuer": "https://id.test", "oidc_client_id": "a", "oidc_client_secret": "rahasia"}


@pytest.mark.parametrize("missing", sorted(WHOLE))
def test_the_settings_of_a_provider_belong_together(missing: str):
    assert oidc.provider_of(Config(**GOOD, **WHOLE))
    assert oidc.provider_of(Config(**GOOD)) is None
    with pytest.raises(BadConfig, match="SULUH_OIDC_ISSUER"):
        Config(**GOOD, **(WHOLE | {missing: None}))
    with pytest.raises(BadConfig, match="https"):
        Config(**GOOD, **(WHOLE | {"oidc_issuer": "http://id.test"}))
    assert "rahasia" not in repr(Config(**GOOD, **WHOLE))
