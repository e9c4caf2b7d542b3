"""A closed-loop client of the standard library: cookies, CSRF, and no mercy for a wrong page."""

import http.client
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

TOKEN = re.compile(r'name="csrf_token"[^>]* value="([^"]+)"')
STATIC = re.compile(r'(?:href|src)="(/static/[^"]+)"')


class Wrong(Exception):
    """An answer is not what it has to be; the run stops, its figures are worth nothing."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    @property
    def location(self) -> str:
        """Where a redirect leads: path and query."""
        url = urlsplit(self.headers["location"])
        return f"{url.path}?{url.query}" if url.query else url.path

    @property
    def token(self) -> str:
        """The CSRF token of the page's forms. Raises Wrong."""
        found = TOKEN.search(self.text)
        if found is None:
            raise Wrong("the page has no form")
        return found[1]


@dataclass
class Client:
    """One browser: a kept connection and its cookies. `seconds` collects the time of requests."""

    host: str
    port: int
    cookies: dict[str, str] = field(default_factory=dict)
    connection: http.client.HTTPConnection | None = None
    seconds: float = 0.0

    def get(self, path: str, *contains: str, status: int = 200) -> Answer:
        """Ask for a page that has to hold these texts. Raises Wrong."""
        return self.send("GET", path, None, contains, status)

    def post(
        self, path: str, fields: Mapping[str, str], *contains: str, status: int = 302
    ) -> Answer:
        """Send a form. Raises Wrong."""
        return self.send("POST", path, urlencode(fields).encode(), contains, status)

    def send(
        self, method: str, path: str, body: bytes | None, contains: tuple[str, ...], status: int
    ) -> Answer:
        """Send one request on the kept connection and check the answer. Raises Wrong."""
        headers = {"Accept-Language": "id", "Sec-Fetch-Site": "same-origin"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        if self.connection is None:
            self.connection = http.client.HTTPConnection(self.host, self.port, timeout=60)
        began = time.perf_counter()
        self.connection.request(method, path, body, headers)
        found = self.connection.getresponse()
        content = found.read()
        self.seconds += time.perf_counter() - began
        for line in found.headers.get_all("Set-Cookie", []):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        if found.headers.get("Connection") == "close":
            self.close()
        answer = Answer(found.status, {k.lower(): v for k, v in found.getheaders()}, content)
        _check(answer, method, path, contains, status)
        return answer

    def close(self) -> None:
        """Let go of the connection; cookies stay."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def sign_in(self, email: str, password: str) -> None:
        """Sign in as somebody through the form and open the page that follows. Raises Wrong."""
        page = self.get("/masuk", 'name="password"')
        answer = self.post(
            "/masuk", {"csrf_token": page.token, "email": email, "password": password}
        )
        self.get(answer.location, "</html>")


def _check(answer: Answer, method: str, path: str, contains: tuple[str, ...], status: int) -> None:
    if answer.status != status:
        raise Wrong(f"{method} {path}: {answer.status} instead of {status}")
    for text in contains:
        if text.encode() not in answer.body:
            raise Wrong(f"{method} {path}: without {text!r}")
