"""The conversation with a provider of sign-in: OpenID Connect, code flow with PKCE.

Authlib and what it needs are imported when somebody signs in so, never at start.
"""

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from lms.accounts.identities import Claims
from lms.config import LOOPBACK, Config
from lms.core.ids import new_token

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session
    from joserfc.jwt import Token

ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
"""Signatures made with a key only the provider has; never `none`, never a shared secret."""
TIMEOUT = 10
"""Seconds to wait for the provider."""
SKEW = 60
"""Seconds by which the provider's clock may differ."""
KEPT = 3600
"""Seconds for which the provider's document and keys are kept; an unknown key asks again."""
PAUSE = 15
"""Seconds a provider that did not answer is left alone: waiting for it would use up all threads."""
FRESH = 60
"""Seconds for which even an unknown key does not make us ask again."""


class Trouble(Exception):
    """The provider did not answer as it must; the message is for the log and names nobody."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the browser keeps until it comes back from the provider."""

    url: str
    state: str
    nonce: str
    verifier: str


@dataclass(slots=True)
class Provider:
    """One provider as this process knows it."""

    issuer: str
    client_id: str
    client_secret: str
    document: dict[str, Any] = field(default_factory=dict)
    keys: Any = None
    read_at: float = 0.0
    failed_at: float | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, redirect_uri: str) -> Asked:
        """Return where to send the browser. Raises Trouble."""
        document = self._read()
        nonce, verifier = new_token(), new_token()
        with self._session(redirect_uri) as session:
            url, state = session.create_authorization_url(
                document["authorization_endpoint"], nonce=nonce, code_verifier=verifier
            )
        return Asked(url, state, nonce, verifier)

    def redeem(self, code: str, *, redirect_uri: str, nonce: str, verifier: str) -> Claims:
        """Return what the provider says of who came back with `code`. Raises Trouble."""
        from authlib.common.errors import AuthlibBaseError
        from requests import RequestException

        document = self._read()
        try:
            with self._session(redirect_uri) as session:
                answer = session.fetch_token(
                    document["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                    timeout=TIMEOUT,
                    allow_redirects=False,
                )
        except (AuthlibBaseError, RequestException, ValueError) as error:
            raise Trouble(f"the code was not redeemed: {type(error).__name__}") from error
        token = answer.get("id_token") if isinstance(answer, dict) else None
        if not isinstance(token, str):
            raise Trouble("no ID token")
        return self._check(token, nonce)

    def _check(self, token: str, nonce: str) -> Claims:
        from authlib.oidc.core import CodeIDToken
        from joserfc.errors import JoseError

        try:
            decoded = self._decode(token)
            found = CodeIDToken(
                decoded.claims,
                decoded.header,
                options={
                    "iss": {"essential": True, "value": self.issuer},
                    "aud": {"essential": True, "value": self.client_id},
                },
                params={"nonce": nonce, "client_id": self.client_id},
            )
            found.validate(leeway=SKEW)
        except (JoseError, ValueError, TypeError) as error:
            raise Trouble(f"the ID token is refused: {type(error).__name__}") from error
        return read_claims(dict(found))

    def _decode(self, token: str) -> "Token":
        from joserfc import jwt
        from joserfc.errors import JoseError

        self._read()
        try:
            return jwt.decode(token, self.keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            # The provider may sign with a new key by now; a forger cannot make us ask often.
            if time.monotonic() - self.read_at < FRESH:
                raise
            self._read(anew=True)
            return jwt.decode(token, self.keys, algorithms=ALGORITHMS)

    def _read(self, *, anew: bool = False) -> dict[str, Any]:
        """Return the provider's own description; it and the keys are kept for a while."""
        with self.lock:
            if anew or not self.document or time.monotonic() - self.read_at > KEPT:
                self._read_unless_down()
            return self.document

    def _read_unless_down(self) -> None:
        """Ask the provider; while it is down only one request in a while waits for it."""
        if self.failed_at is not None and time.monotonic() - self.failed_at < PAUSE:
            raise Trouble("the provider did not answer a moment ago")
        try:
            self._read_both()
        except Trouble:
            self.failed_at = time.monotonic()
            raise
        self.failed_at = None

    def _read_both(self) -> None:
        from joserfc.errors import JoseError
        from joserfc.jwk import KeySet

        document = _get(f"{self.issuer.rstrip('/')}/.well-known/openid-configuration")
        if document.get("issuer") != self.issuer:
            raise Trouble("the provider names itself differently from SULUH_OIDC_ISSUER")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not _is_safe(document.get(name)):
                raise Trouble(f"the provider's {name} is missing or not https")
        try:
            self.keys = KeySet.import_key_set(_get(document["jwks_uri"]))  # type: ignore[arg-type]  # read from JSON; it is checked in there
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise Trouble("the provider's keys cannot be read") from error
        self.document, self.read_at = document, time.monotonic()

    def _session(self, redirect_uri: str) -> "OAuth2Session":
        from authlib.integrations.requests_client import OAuth2Session

        methods = self.document.get("token_endpoint_auth_methods_supported")
        posts = isinstance(methods, list) and "client_secret_basic" not in methods
        return OAuth2Session(
            self.client_id,
            self.client_secret,
            token_endpoint_auth_method="client_secret_post" if posts else "client_secret_basic",
            scope="openid email",
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )


def read_claims(claims: dict[str, Any]) -> Claims:
    """Return what counts of an ID token's claims. Raises Trouble when there is no subject.

    Only a true that is a true makes an address verified, not a word that reads like one.
    """
    subject, email = claims.get("sub"), claims.get("email")
    if not isinstance(subject, str) or not 0 < len(subject) <= 255:
        raise Trouble("no subject")
    return Claims(
        issuer=str(claims["iss"]),
        subject=subject,
        email=email if isinstance(email, str) else "",
        email_verified=claims.get("email_verified") is True and isinstance(email, str),
    )


def _get(url: str) -> dict[str, Any]:
    import requests

    try:
        answer = requests.get(url, timeout=TIMEOUT, allow_redirects=False)
        found = answer.json() if answer.status_code == 200 else None
    except (requests.RequestException, ValueError) as error:
        raise Trouble(f"the provider does not answer: {type(error).__name__}") from error
    if not isinstance(found, dict):
        raise Trouble(f"the provider answers {answer.status_code} where its description should be")
    return found


def _is_safe(url: object) -> bool:
    if not isinstance(url, str):
        return False
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def provider_of(config: Config) -> Provider | None:
    """Return the provider an installation names, or None."""
    if config.oidc_issuer and config.oidc_client_id and config.oidc_client_secret:
        return Provider(config.oidc_issuer, config.oidc_client_id, config.oidc_client_secret)
    return None
