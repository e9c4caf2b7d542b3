"""Who is signed in and what a route admits. The one typed door to flask_login.

Each view declares its policy with `@public`, `@signed_in` or `@role(...)`, and what it reads from
a form with `@accepts(...)`. `enforce` runs before every request and refuses a view that declares
nothing, so a forgotten decorator closes a door instead of opening one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ParamSpec, TypeVar, cast

import flask_login
from flask import Flask, abort, current_app, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from wtforms import Form

P = ParamSpec("P")
R = TypeVar("R")

HELD = "suluh_held"
ROLES = ("trainee", "trainer", "assessor", "speaker", "agency", "author", "reviewer", "admin")


@dataclass(frozen=True, slots=True)
class Viewer(flask_login.UserMixin):
    """The person signed in, as far as pages need to know. Not a database row."""

    id: int
    public_id: str
    name: str
    roles: frozenset[str]
    locale: str
    token: str
    seen_at: datetime | None = None
    """The last visit of this session that was written down."""
    must_enrol: bool = False
    """A second factor is required of these roles and not there yet: see `while_enrolling`."""

    def get_id(self) -> str:
        """Return what the cookie carries: the session token, never the person's id."""
        return self.token

    def is_any(self, *roles: str) -> bool:
        """Tell whether the viewer has at least one of these roles."""
        return not self.roles.isdisjoint(roles)


@dataclass(frozen=True, slots=True)
class Policy:
    """Whom a view admits: `public`, `signed_in`, or `role` with the roles that may enter."""

    kind: str
    roles: tuple[str, ...] = ()

    def __str__(self) -> str:
        return ", ".join(self.roles) if self.roles else self.kind


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Admit everybody."""
    return _mark(view, policy=Policy("public"))


def signed_in(view: Callable[P, R]) -> Callable[P, R]:
    """Admit everybody who is signed in; send the others to the sign-in page."""
    return _mark(view, policy=Policy("signed_in"))


def role(*roles: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Admit people who have at least one of `roles`."""
    unknown = set(roles) - set(ROLES)
    if unknown or not roles:
        raise ValueError(f"unknown roles: {sorted(unknown)}")
    return lambda view: _mark(view, policy=Policy("role", roles))


def accepts(*fields: str | type[Form]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Declare the form fields a view reads: names, or form classes. Required on every POST."""
    names: list[str] = []
    for field in fields:
        if isinstance(field, str):
            names.append(field)
        else:
            names.extend(_field_names(field))
    return lambda view: _mark(view, accepts=tuple(names))


def while_enrolling(view: Callable[P, R]) -> Callable[P, R]:
    """Admit also those who still have to set up their second factor, besides the policy."""
    return _mark(view, while_enrolling=True)


def about_nobody(view: Callable[P, R]) -> Callable[P, R]:
    """Declare that the file a view sends holds nothing about people: it has no mark."""
    return _mark(view, about_nobody=True)


def hold(app: Flask, role: str, gate: Callable[[Viewer], ResponseReturnValue | None]) -> None:
    """Let `gate` answer instead of a page that only `role` opens to somebody; None lets them in.

    Asked once for each such page, so a gate has to be cheap.
    """
    app.extensions.setdefault(HELD, {})[role] = gate


def about_people(view: Callable[P, R]) -> Callable[P, R]:
    """Declare that a view sends a file with data of other people, and marks it."""
    return _mark(view, about_people=True)


def _field_names(form: type[Form]) -> list[str]:
    return [name for name in dir(form) if hasattr(getattr(form, name), "field_class")]


def _mark(view: Callable[P, R], **marks: object) -> Callable[P, R]:
    for name, value in marks.items():
        setattr(view, name, value)
    return view


def init_app(app: Flask, load: Callable[[str], Viewer | None]) -> None:
    """Attach sign-in to `app`; `load` finds the viewer behind a session token, or None."""
    manager = flask_login.LoginManager()
    manager.session_protection = None  # the token is checked in the database at each request
    # So no browser's fingerprint is compared: none is reckoned each time, none is in the cookie.
    manager._session_identifier_generator = str
    manager.user_loader(load)
    manager.init_app(app)
    # We set no remember cookie. Looking for one would mark every answer, static files too, as
    # different for each cookie, and browsers would fetch them again after each sign-in.
    app.after_request_funcs[None].remove(manager._update_remember_cookie)
    app.before_request(enforce)


def viewer() -> Viewer | None:
    """Return who is signed in, or None."""
    # What flask_login keeps of this request, before its proxy, which looks for it twice.
    user = g.get("_login_user") or flask_login.current_user._get_current_object()
    return user if isinstance(user, Viewer) else None


def seen_viewer() -> Viewer | None:
    """Return who is signed in if this request has asked already, else None; asks nothing."""
    user = g.get("_login_user")
    return user if isinstance(user, Viewer) else None


def require_viewer() -> Viewer:
    """Return who is signed in. Call only in a view that admits nobody else."""
    found = viewer()
    if found is None:
        raise RuntimeError("a view without sign-in asked who is signed in")
    return found


def forget() -> None:
    """Treat the rest of this request as nobody's, without asking the database."""
    g._login_user = flask_login.AnonymousUserMixin()


def start(found: Viewer) -> None:
    """Begin a signed-in session in this browser; what an earlier person left is dropped."""
    clear()
    flask_login.login_user(found)


def end() -> None:
    """Forget everything this browser's session held, except the language."""
    flask_login.logout_user()
    clear()


def clear() -> None:
    """Drop what the browser's session holds, except the language. Signs nobody out by itself."""
    lang = session.get("lang")
    session.clear()
    if lang:
        session["lang"] = lang


def token() -> str | None:
    """Return the session token this browser holds, whether it still opens anything or not."""
    return cast("str | None", session.get("_user_id"))


def leave() -> str | None:
    """End the browser's session without asking the database; return the token it held, if any.

    For the quick exit, which must work when nothing else does.
    """
    held = token()
    forget()
    end()
    return held


def wants_json() -> bool:
    """Tell whether a script asked, so that errors are answered as data."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return best == "application/json"


def policy_of(view: Callable[..., Any]) -> Policy | None:
    """Return the declared policy of a view function, or None."""
    return cast(Policy | None, getattr(view, "policy", None))


def enforce() -> ResponseReturnValue | None:
    """Refuse the request unless the view's policy admits the viewer."""
    if request.endpoint is None:
        return None  # unknown address: 404 follows
    view = current_app.view_functions[request.endpoint]
    policy = policy_of(view)
    if policy is None:
        raise RuntimeError(f"{request.endpoint} declares no policy")
    if policy.kind == "public":
        return None
    found = viewer()
    if found is None:
        if wants_json():
            abort(401)
        here = request.full_path.rstrip("?") if request.method == "GET" else None
        return redirect(url_for("accounts.sign_in", next=here))
    if policy.roles and not found.is_any(*policy.roles):
        abort(403)
    if found.must_enrol and not hasattr(view, "while_enrolling"):
        return _enrol_first()
    return _held(found, policy.roles)


def _held(found: Viewer, admitted: tuple[str, ...]) -> ResponseReturnValue | None:
    """Return what a viewer gets all of whose roles for a page are held, else None."""
    gates = current_app.extensions.get(HELD, {})
    mine = [role for role in admitted if role in found.roles]
    answer = None
    for role in mine if all(role in gates for role in mine) else ():
        answer = gates[role](found)
        if answer is None:
            return None
    return answer


def _enrol_first() -> ResponseReturnValue:
    if wants_json():
        abort(403)
    return redirect(url_for("accounts.second_factor"))
