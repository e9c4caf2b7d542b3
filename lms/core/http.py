"""What every answer carries: security headers, compression, hashed static files."""

import gzip
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask, Response, abort, current_app, request
from markupsafe import Markup
from werkzeug.exceptions import BadHost

from lms.core.login import public

CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)
SMALLEST_GZIP = 1024
FORM_AROUND_FILE = 64 * 1024
"""Bytes of a form beside the file it brings."""
LARGEST_NUMBER = 2**31 - 1
"""The largest number a row can have; databases refuse to look for a larger one."""
V = TypeVar("V", bound=Callable[..., Any])
MEDIA = {"css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}
"""Kinds of static files there are; the system's list of all kinds takes a third of a MiB."""
STATIC = Path(__file__).parents[1] / "static"


@dataclass(frozen=True, slots=True)
class StaticFile:
    """One file as it is sent: its bytes, its compressed bytes and its hash."""

    body: bytes
    packed: bytes | None
    digest: str
    mimetype: str


def same_site(target: str | None) -> str | None:
    """Return `target` when it is a plain address of this site, else None.

    Browsers drop tabs and line ends from an address and read a backslash as a slash, so anything
    that holds one could leave the site after all.
    """
    if not target or not target.startswith("/") or target.startswith("//"):
        return None
    if "\\" in target or any(ord(letter) <= 32 or ord(letter) == 127 for letter in target):
        return None
    return target


def static_file(name: str) -> StaticFile | None:
    """Return one file below `lms/static`; None when there is none."""
    return _read(name) if name in _names() else None


@cache
def _names() -> frozenset[str]:
    # Addresses are looked up here, never on the disk: strangers may ask for any name, as often as
    # they like, and it costs neither a path outside the folder nor memory.
    found = (path for path in STATIC.rglob("*") if path.is_file())
    return frozenset(path.relative_to(STATIC).as_posix() for path in found)


@cache
def _read(name: str) -> StaticFile:
    """Read and compress a file, once per process."""
    body = (STATIC / name).read_bytes()
    packed = gzip.compress(body, 9, mtime=0)
    return StaticFile(
        body=body,
        packed=packed if len(packed) < len(body) else None,
        digest=hashlib.sha256(body).hexdigest()[:12],
        mimetype=MEDIA.get(name.rpartition(".")[2], "application/octet-stream"),
    )


@cache
def static_url(name: str) -> str:
    """Return the address of a static file; it changes with the content, so caches may keep it."""
    found = static_file(name)
    if found is None:
        raise FileNotFoundError(name)
    return f"/static/{name}?v={found.digest}"


@cache
def icon(name: str, kind: str = "") -> Markup:
    """Return one icon of the sprite, hidden from screen readers. `kind` is one more class.

    Only for names that stand in templates: each is kept.
    """
    address = f"{static_url('img/icons.svg')}#i-{name}"
    kinds = f"icon {kind}" if kind else "icon"
    return Markup('<svg class="{}" aria-hidden="true"><use href="{}"/></svg>').format(
        kinds, address
    )


@public
def send_static(filename: str) -> Response:
    """Answer with a file below `lms/static`."""
    found = static_file(filename)
    if found is None:
        abort(404)
    packed = found.packed if takes_gzip() else None
    response = Response(packed or found.body, mimetype=found.mimetype)
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Vary"] = "Accept-Encoding"
    fresh = request.args.get("v") == found.digest
    response.headers["Cache-Control"] = (
        "public, max-age=31536000, immutable" if fresh else "public, max-age=300"
    )
    response.set_etag(found.digest)
    response.make_conditional(request)
    return response


def takes_gzip() -> bool:
    """Tell whether the browser accepts gzip."""
    return request.accept_encodings.quality("gzip") > 0


def secure(response: Response) -> Response:
    """Set the headers that keep pages private, unframed and free of foreign code."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", CSP)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["X-Frame-Options"] = "DENY"
    headers["Referrer-Policy"] = "no-referrer"
    headers["X-Robots-Tag"] = "noindex"
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if "Cache-Control" not in headers:
        # Somebody may hold this device later: nothing may come back from Back or the cache.
        headers["Cache-Control"] = "no-store"
    if current_app.extensions["suluh"].https:
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return response


def compress(response: Response) -> Response:
    """Gzip a page of more than 1 KiB when the browser takes it."""
    if (
        response.mimetype not in {"text/html", "application/json", "text/csv"}
        or response.is_streamed
        or "Content-Encoding" in response.headers
    ):
        return response
    body = response.get_data()
    if len(body) > SMALLEST_GZIP and takes_gzip():
        response.set_data(gzip.compress(body, 5, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        response.headers.add("Vary", "Accept-Encoding")
    return response


def refuse_foreign_posts() -> None:
    """Refuse a form sent from another site, before any token is looked at."""
    site = request.headers.get("Sec-Fetch-Site", "same-origin")
    if request.method not in {"GET", "HEAD", "OPTIONS"} and site not in {"same-origin", "none"}:
        abort(403)


def refuse_unreadable() -> Response | None:
    """Refuse an address that names nothing we could ever have stored.

    PostgreSQL keeps no NUL, and nothing writes half a surrogate. What people type into a form is
    cleaned by its fields instead, so that nobody loses a text over one stray byte.
    """
    if hasattr(current_app.view_functions.get(request.endpoint or ""), "takes_any_text"):
        return None
    if isinstance(request.routing_exception, BadHost):
        return Response("400 Bad Request\n", 400, mimetype="text/plain")  # no page has addresses
    numbers = [one for one in (request.view_args or {}).values() if isinstance(one, int)]
    if not _is_storable(request.path) or max(numbers, default=0) > LARGEST_NUMBER:
        abort(404)
    if not all(_is_storable(f"{name}{value}") for name, value in request.args.items(multi=True)):
        abort(400)
    return None


def takes_any_text(view: V) -> V:
    """Let a view answer for itself whatever the address holds: it never looks for that text."""
    setattr(view, "takes_any_text", True)  # noqa: B010  # functions have no such attribute to mypy
    return view


def takes_upload(size: int) -> Callable[[V], V]:
    """Let the form of a view bring a file of up to `size` bytes; all other forms stay small."""

    def mark(view: V) -> V:
        setattr(view, "takes_upload", size)  # noqa: B010  # functions have no such attribute
        return view

    return mark


def _allow_upload() -> None:
    """Raise the bound of the body where the view says so, before anybody reads the form."""
    size = getattr(current_app.view_functions.get(request.endpoint or ""), "takes_upload", None)
    if size is not None:
        request.max_content_length = size + FORM_AROUND_FILE


UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""NUL and halves of surrogates."""


def _is_storable(text: str) -> bool:
    return UNSTORABLE.search(text) is None


def asked_id(name: str) -> int | None:
    """Return the row id that stands in the query under `name`; None when no row can have it."""
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


def init_app(app: Flask) -> None:
    """Attach headers, compression and static files to `app`."""
    app.before_request(refuse_unreadable)
    app.before_request(refuse_foreign_posts)
    app.before_request(_allow_upload)
    app.after_request(secure)
    app.after_request(compress)  # runs first: Flask calls these in reverse order
    app.add_url_rule("/static/<path:filename>", "static", send_static)
    app.jinja_env.globals |= {"static_url": static_url, "icon": icon}
