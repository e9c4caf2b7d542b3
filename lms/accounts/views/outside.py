"""Sign-in through a provider outside."""

from flask import current_app, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue

from lms.accounts import identities, oidc
from lms.accounts.door import agent, enter, safe_next
from lms.accounts.views.blueprint import bp
from lms.config import Config
from lms.core import clock, login
from lms.core.db import unit_of_work
from lms.core.errors import NotFound

ASKED = "oidc"
"""Where the browser keeps what it asked the provider: state, nonce, verifier, target. One use."""
PROVIDER = "suluh_oidc"


def _config() -> Config:
    config: Config = current_app.extensions["suluh"]
    return config


def outside_name() -> str | None:
    """Return what the provider is called on the button, or None where there is none."""
    return _config().oidc_name if _config().oidc_issuer else None


def _provider() -> oidc.Provider:
    """Return the provider of this installation, as this process knows it. Raises NotFound."""
    kept = current_app.extensions
    if PROVIDER not in kept:
        kept[PROVIDER] = oidc.provider_of(_config())
    found: oidc.Provider | None = kept[PROVIDER]
    if found is None:
        raise NotFound(PROVIDER)
    return found


def _back() -> str:
    return f"{_config().base_url}{url_for('accounts.outside_return')}"


@bp.get("/masuk/lembaga")
@login.public
def outside() -> ResponseReturnValue:
    """Send the browser to the provider."""
    provider = _provider()
    try:
        asked = provider.ask(_back())
    except oidc.Trouble as error:
        return _trouble(error)
    target = safe_next(request.args.get("next"))
    session[ASKED] = [asked.state, asked.nonce, asked.verifier, target]
    return redirect(asked.url)


@bp.get("/masuk/lembaga/kembali")
@login.public
def outside_return() -> ResponseReturnValue:
    """Let in whom the provider names.

    The one page that begins a session when it is opened: the protocol brings people back so. It
    does nothing without the state this browser was given, which counts once.
    """
    provider, asked = _provider(), session.pop(ASKED, None)
    try:
        if asked is None or request.args.get("state") != asked[0]:
            raise oidc.Trouble("no such state in this browser")
        code = request.args.get("code")
        if not code:
            raise oidc.Trouble("the provider sent no code")
        claims = provider.redeem(code, redirect_uri=_back(), nonce=asked[1], verifier=asked[2])
    except oidc.Trouble as error:
        return _trouble(error)
    try:
        with unit_of_work():
            entry = identities.enter(claims, agent=agent(), replaces=login.token(), now=clock.now())
    except identities.NoAccountHere:
        return render_template("accounts/outside.html", known=False, name=outside_name()), 404
    return enter(entry, asked[3])


def _trouble(error: oidc.Trouble) -> ResponseReturnValue:
    current_app.logger.warning("sign-in outside: %s", error)
    return render_template("accounts/outside.html", known=True, name=outside_name()), 400
