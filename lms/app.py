"""Puts the application together: the only module that knows every feature."""

from collections.abc import Callable, MutableMapping
from datetime import timedelta
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any

import jinja2
from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    has_request_context,
    jsonify,
    render_template,
    request,
)
from flask.sessions import SecureCookieSessionInterface
from flask.templating import Environment
from flask.typing import ResponseReturnValue
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import Rule

from lms import hooks
from lms.accounts import services as accounts
from lms.accounts.rules import SESSION
from lms.config import CACHE, Config
from lms.core import (
    addresses,
    group_commit,
    http,
    i18n,
    journal,
    late,
    login,
    meters,
    readonly,
)
from lms.core.db import db, prepare_engine
from lms.core.errors import Forbidden, NotFound
from lms.core.group_commit import Crowded
from lms.core.i18n import gettext as _
from lms.core.readonly import ReadOnly
from lms.core.templates import Names, Page
from lms.credentials import gate
from lms.pages import directory, navigation

FEATURES = (
    "accounts",
    "cohorts",
    "competency",
    "modules",
    "quizzes",
    "quizzes.collections",
    "quizzes.classes",
    "quizzes.essays",
    "practice.attendance",
    "practice.cases",
    "practice.exercises",
    "practice.observations",
    "practice.simulations",
    "credentials",
    "nominations",
    "roster",
    "evaluations",
    "lineage",
    "notices",
    "reviews",
    "statistics",
    "statistics.classes",
    "panels",
    "corrections",
    "agencies",
    "moderation",
    "privacy",
    "reports",
    "pages",
)
WITHOUT_TABLES = {"moderation", "statistics.classes", "reports", "pages"}
WITHOUT_PAGES = ("ratings",)
PACKAGE = Path(__file__).parent
ADDRESSES = "addresses.json"
"""Where a start writes down which pages lie where, for the next one; below CACHE."""
LARGEST_FORM = 512 * 1024
"""Bytes of one request: the longest case study is far below."""


def create_app(config: Config, *, when_asked: bool = False) -> Flask:
    """Return the WSGI application for one installation.

    `when_asked`: load a feature when one of its pages is first asked for (ADR 0024).
    """
    app = _Site("lms", static_folder=None)
    app.session_interface = _Sessions()
    app.extensions["suluh"] = config
    app.config.update(
        SECRET_KEY=config.secret_key,
        TESTING=config.testing,
        SQLALCHEMY_DATABASE_URI=config.database_url,
        # Errors of the database are logged; answers, names and tokens are not.
        SQLALCHEMY_ENGINE_OPTIONS={"hide_parameters": True},
        SESSION_COOKIE_NAME="__Host-suluh" if config.https else "suluh",
        SESSION_COOKIE_SECURE=config.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        PERMANENT_SESSION_LIFETIME=SESSION,
        MAX_CONTENT_LENGTH=LARGEST_FORM,
        MAX_FORM_MEMORY_SIZE=LARGEST_FORM,
        # The token lives as long as the session: a long case study must not be refused.
        WTF_CSRF_TIME_LIMIT=None,
        # We send no referrer; foreign posts are refused by Sec-Fetch-Site and the token.
        WTF_CSRF_SSL_STRICT=False,
    )
    app.jinja_environment = _Templates
    app.jinja_loader = _pages()
    # A typo in a template is an error, not an empty string. Set before the environment exists.
    app.jinja_options = {
        "undefined": jinja2.StrictUndefined,
        "trim_blocks": True,
        "bytecode_cache": _compiled(config),
    }
    if config.https:
        # One proxy in front ends TLS; without https no forwarded header is believed.
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
    db.init_app(app)
    readonly.init_app(app, config)
    with app.app_context():
        prepare_engine(db.engine)
        group_commit.init_app(app, db.engine)
    journal.init_app(app, config.log)
    meters.init_app(app, config.metrics_token)
    http.init_app(app)
    login.init_app(app, partial(accounts.load_viewer, **_limits(config)))
    i18n.init_app(app)
    gate.init_app(app)
    hooks.init_app(app)
    late.tables_by(import_models)
    csrf = CSRFProtect(app)
    # Exit and language stand on pages without a session, and exit may never be refused.
    csrf.exempt("lms.pages.views.quick_exit")
    csrf.exempt("lms.pages.views.language")
    app.waiting = _remembered(app, config) if when_asked else None
    if app.waiting is None:
        with late.loading():
            import_models()
            blueprints = load_blueprints()
        for blueprint in blueprints.values():
            app.register_blueprint(blueprint)
        if when_asked and config.folder is not None:
            found = addresses.describe(app, blueprints)
            addresses.write(config.folder / CACHE / ADDRESSES, addresses.digest(PACKAGE), found)
    app.context_processor(_layout)
    _answer_errors(app)
    return app


def _remembered(app: Flask, config: Config) -> addresses.Waiting | None:
    """Register the addresses an earlier start wrote down, if it knew the same pages."""
    if config.folder is None:
        return None
    found = addresses.read(config.folder / CACHE / ADDRESSES, addresses.digest(PACKAGE))
    return None if found is None else addresses.Waiting(app, found)


class _Address(Rule):
    """An address whose builder is compiled when somebody first asks for it: most never are."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            if not compiled:
                compiled.append(Rule._compile_builder(rule, append_unknown))
            return compiled[0](rule, **values)

        return build


class _Site(Flask):
    """Flask that does not do again what a page of ours does often.

    No view waits in a loop of its own, so no function is asked whether it does. Addresses that
    take nothing, a dozen on each page, are put together once.
    """

    url_rule_class = _Address

    def __init__(self, *args: Any, **values: Any) -> None:
        super().__init__(*args, **values)
        self._addresses: dict[tuple[str, str], str] = {}
        self.waiting: addresses.Waiting | None = None

    def preprocess_request(self) -> ResponseReturnValue | None:
        if self.waiting is not None:
            self.waiting.need(request.endpoint)
        return super().preprocess_request()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func

    def url_for(self, /, endpoint: str, **values: Any) -> str:
        if values or endpoint.startswith(".") or not has_request_context():
            return super().url_for(endpoint, **values)
        key = request.script_root, endpoint
        found = self._addresses.get(key)
        if found is None:
            found = self._addresses[key] = super().url_for(endpoint)
        return found


class _Sessions(SecureCookieSessionInterface):
    """Cookies whose signer is made once, not for each request."""

    def __init__(self) -> None:
        self._signer: URLSafeTimedSerializer | None = None

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        self._signer = self._signer or super().get_signing_serializer(app)
        return self._signer


class _Templates(Environment):
    """Where templates live, which all know the same names.

    Jinja lays a map of a template's own names over the common one, even when it is empty. Nothing
    here has names of its own, and to look through two maps took a tenth of a page of many parts.
    """

    context_class, template_class = Names, Page

    def make_globals(self, d: MutableMapping[str, Any] | None) -> MutableMapping[str, Any]:
        return super().make_globals(d) if d else self.globals


def _pages() -> jinja2.BaseLoader:
    """Find pages of no feature, and what a type of question brings to those of quizzes.

    `types/matching/ask.html` stands in `lms/quizzes/types/matching/templates`.
    """
    types = {
        path.parent.name: jinja2.FileSystemLoader(path)
        for path in (PACKAGE / "quizzes" / "types").glob("*/templates")
    }
    parts = jinja2.PrefixLoader({"types": jinja2.PrefixLoader(types)})
    return jinja2.ChoiceLoader([jinja2.FileSystemLoader(PACKAGE / "templates"), parts])


def _compiled(config: Config) -> jinja2.BytecodeCache | None:
    """Return where compiled templates stay from one start to the next."""
    if config.folder is None:
        return None
    kept = config.folder / CACHE / "pages"
    kept.mkdir(mode=0o700, parents=True, exist_ok=True)
    return jinja2.FileSystemBytecodeCache(str(kept))


def _limits(config: Config) -> dict[str, Any]:
    return {
        "idle": timedelta(minutes=config.staff_idle_minutes),
        "second_factor": config.requires_second_factor,
    }


def import_models() -> None:
    """Make every table known to the metadata."""
    import_module("lms.core.models")
    for feature in (*FEATURES, *WITHOUT_PAGES):
        if feature not in WITHOUT_TABLES:
            import_module(f"lms.{feature}.models")


def load_blueprints() -> dict[str, Blueprint]:
    """Return the blueprint of every feature, by its module of views."""
    modules = [f"lms.{feature}.views" for feature in FEATURES]
    return {name: import_module(name).bp for name in modules}


def _layout() -> dict[str, object]:
    """Return what every page's frame shows."""
    config = _config()
    viewer = login.viewer()
    return {
        "viewer": viewer,
        "tabs": navigation.tabs(viewer) if viewer else [],
        "emergency": directory.load(config.content_dir).emergency,
        "demo": config.demo,
    }


def _config() -> Config:
    config: Config = current_app.extensions["suluh"]
    return config


OWN_PAGE = {403, 404, 500, 503}
"""Errors with a template of their own; the others share one."""


def _answer(
    code: int, retry_after: int | None = None, page: str | None = None
) -> ResponseReturnValue:
    if code >= 500:
        login.forget()  # the page must come even when the database does not answer
    if login.wants_json():
        answer = jsonify(error=code, saved=False, label=_("Belum tersimpan"))
    else:
        name = f"errors/{page or (code if code in OWN_PAGE else 'error')}.html"
        answer = Response(render_template(name, code=code, retry_after=retry_after))
    if code in {429, 503}:
        answer.headers["Retry-After"] = str(retry_after or (60 if code == 429 else 5))
    answer.status_code = code
    return answer


def _answer_errors(app: Flask) -> None:
    """Answer every error with a page that says what to do, in the reader's language."""
    app.register_error_handler(HTTPException, _on_http)
    app.register_error_handler(CSRFError, lambda _error: _answer(400))
    app.register_error_handler(NotFound, lambda _error: _answer(404))
    app.register_error_handler(Forbidden, lambda _error: _answer(403))
    app.register_error_handler(OperationalError, _on_busy)
    app.register_error_handler(ReadOnly, _on_read_only)
    app.register_error_handler(Crowded, lambda _error: _answer(503))
    app.register_error_handler(late.Changed, _on_changed)
    app.register_error_handler(Exception, _on_crash)


def _on_http(error: HTTPException) -> ResponseReturnValue:
    # Flask answers redirects and ready-made responses itself; only errors come here.
    return _answer(error.code or 500, getattr(error, "retry_after", None))


def _on_busy(error: OperationalError) -> ResponseReturnValue:
    current_app.logger.error("database: %s", journal.first_line(error.orig))
    db.session.rollback()
    return _answer(503)


def _on_read_only(_error: ReadOnly) -> ResponseReturnValue:
    db.session.rollback()
    return _answer(503, readonly.RETRY_AFTER, page="read_only")


def _on_changed(error: late.Changed) -> ResponseReturnValue:
    current_app.logger.error("%s", error)
    return _answer(503)


def _on_crash(error: Exception) -> ResponseReturnValue:
    if current_app.testing:
        raise error
    current_app.logger.exception("unhandled")
    return _answer(500)
