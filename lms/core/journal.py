"""What goes to standard error: one line per request, errors without what people typed.

`SULUH_LOG=json` writes lines of JSON and one for each request. Otherwise only errors are written,
as text. Neither holds names, answers, tokens, addresses, query strings or network addresses: the
endpoint stands for the path, and of an error its type and its place are kept, not its message.
"""

import json
import logging
import re
import secrets
import sys
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from traceback import extract_tb
from types import TracebackType

from flask import Flask, Response, g, has_request_context, request
from sqlalchemy.exc import DBAPIError, OperationalError

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
ROOT = Path(__file__).parents[2]
OURS = ("lms", "certificates")
access = logging.getLogger("lms.requests")


class StandardError(logging.Handler):
    """Writes to whatever standard error is at the moment."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record; a formatter that fails must not stop a request."""
        try:
            sys.stderr.write(self.format(record) + "\n")
            sys.stderr.flush()
        except Exception:
            self.handleError(record)


class Plain(logging.Formatter):
    """Text for a person: errors with their type and place."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of one record."""
        head = f"{_moment(record)} {record.levelname} {record.name}: {_one_line(_words(record))}"
        return "\n  ".join([head, *_error_lines(record)])


class Json(logging.Formatter):
    """One JSON object per line for a program; line ends in values are escaped."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of one record."""
        line: dict[str, object] = {
            "time": _moment(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _words(record),
        }
        if has_request_context():
            line["request"] = request_id()
        line |= getattr(record, "facts", {})
        error = _error_lines(record)
        if error:
            line["error"] = error
        return json.dumps(line)


def _moment(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")


def _words(record: logging.LogRecord) -> str:
    # We know what our own messages hold. Those of libraries may hold an address: the pattern stays.
    is_ours = record.name.partition(".")[0] in OURS
    return record.getMessage() if is_ours else str(record.msg)


def _one_line(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f\u2028\u2029]+", " ", text)


def _error_lines(record: logging.LogRecord) -> list[str]:
    error = record.exc_info[1] if record.exc_info else None
    lines: list[str] = []
    while error is not None and len(lines) < 100:
        lines.append(_name(error))
        lines += _places(error.__traceback__)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return lines


def _name(error: BaseException) -> str:
    """Return the type of an error, and what a database said that concerns no row."""
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, OperationalError):
        return f"{name}: {first_line(error.orig)}"
    if isinstance(error, DBAPIError):
        return f"{name} {getattr(error.orig, 'sqlstate', '') or type(error.orig).__name__}"
    return name


def first_line(error: BaseException | None) -> str:
    """Return the first line of what a database says; PostgreSQL adds values of rows below it."""
    return str(error).partition("\n")[0][:300]


def _places(trace: TracebackType | None) -> list[str]:
    return [
        f"{_short(frame.filename)}:{frame.lineno} in {frame.name}" for frame in extract_tb(trace)
    ]


def _short(filename: str) -> str:
    path = Path(filename)
    if path.is_relative_to(ROOT):
        return path.relative_to(ROOT).as_posix()
    for before, name in pairwise(path.parts):
        if before == "site-packages":
            return filename[filename.index(f"{before}/{name}") + len(before) + 1 :]
    return path.name


def request_id() -> str:
    """Return the name of this request in the log."""
    if "request_id" not in g:
        g.request_id = secrets.token_hex(6)
    found: str = g.request_id
    return found


def init_app(app: Flask, kind: str) -> None:
    """Write the log of `app`. Call before anything else looks at requests: it is the last to."""
    app.before_request(_begin)
    if kind == "json":
        app.after_request(_note)
    if not app.testing:
        to_standard_error(kind)


def to_standard_error(kind: str) -> None:
    """Write what every logger says to standard error."""
    handler = StandardError(logging.INFO)
    handler.setFormatter(Json() if kind == "json" else Plain())
    root = logging.getLogger()
    root.handlers = [old for old in root.handlers if not isinstance(old, StandardError)]
    root.addHandler(handler)
    logging.getLogger("lms").setLevel(logging.INFO)


def _begin() -> None:
    g.began = time.perf_counter()


def took() -> float | None:
    """Return how many seconds this request has taken; None when nothing began it."""
    return time.perf_counter() - g.began if "began" in g else None


def _note(response: Response) -> Response:
    seconds = took()
    facts = {
        "endpoint": request.endpoint,
        "method": request.method if request.method in METHODS else "OTHER",
        "status": response.status_code,
        "ms": None if seconds is None else round(seconds * 1000, 1),
        "bytes": None if response.is_streamed else response.content_length,
    }
    access.info("request", extra={"facts": facts})
    return response
