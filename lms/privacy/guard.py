"""Asks people who have not agreed to the notice in force, once after they sign in.

The browser's session remembers that they have: no request after the first costs a query, and a
notice that changes while somebody works interrupts nobody.
"""

from flask import current_app, redirect, request, session, url_for
from flask.typing import ResponseReturnValue

from lms.core import consent as door
from lms.core import login
from lms.core.late import loading

REMEMBERED = "notice"


def ask_first() -> ResponseReturnValue | None:
    """Send somebody to the notice who has not agreed to it. Pages only: nothing typed is lost."""
    if request.method != "GET" or request.endpoint is None or not door.is_asked():
        return None
    view = current_app.view_functions[request.endpoint]
    policy = login.policy_of(view)
    if policy is None or policy.kind == "public" or request.blueprint == "privacy":
        return None
    if hasattr(view, "while_enrolling") or login.wants_json() or REMEMBERED in session:
        return None
    viewer = login.viewer()
    if viewer is None:
        return None
    with loading():
        from lms.privacy import consent
    if consent.has_agreed(viewer.id):
        session[REMEMBERED] = consent.current().version
        return None
    here = request.full_path.rstrip("?")
    return redirect(url_for("privacy.consent", next=None if here == "/" else here))
