"""Every route has its policy, its documented fields, and admits exactly whom it says."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.routing import IntegerConverter, Rule

from lms.core.login import ROLES, Policy, policy_of
from tests import factories, http_table


def rules(app: Flask) -> Iterator[tuple[Rule, str]]:
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule, method


def address(app: Flask, rule: Rule) -> str:
    values: dict[str, Any] = {
        name: 1 if isinstance(converter, IntegerConverter) else "x"
        for name, converter in rule._converters.items()
    }
    with app.test_request_context():
        return app.url_map.bind("localhost").build(rule.endpoint, values, force_external=False)


def admits(policy: Policy, role: str | None) -> bool:
    if policy.kind == "public":
        return True
    return role is not None and (not policy.roles or role in policy.roles)


def test_every_route_declares_a_policy_and_every_post_its_fields(app: Flask):
    missing = [
        f"{method} {rule.rule}"
        for rule, method in rules(app)
        if policy_of(app.view_functions[rule.endpoint]) is None
        or (method == "POST" and not hasattr(app.view_functions[rule.endpoint], "accepts"))
    ]
    assert missing == []


@pytest.mark.walk
def test_every_route_admits_exactly_the_roles_it_declares(app: Flask, sign_in):
    people = {role: factories.person(role) for role in ROLES}
    people["agency"] = factories.officer()  # who nobody vouches for: tests/cohorts/test_officers.py
    wrong = []
    for rule, method in rules(app):
        policy = policy_of(app.view_functions[rule.endpoint])
        assert policy is not None
        path = address(app, rule)
        for role in (None, *ROLES):
            browser = sign_in(people[role]) if role else app.test_client()
            answer = browser.open(path, method=method, data={}, buffered=True)
            to_sign_in = answer.status_code == 302 and answer.location.startswith("/masuk")
            refused = answer.status_code in {401, 403} or (
                to_sign_in and (role is None or rule.endpoint != "accounts.sign_out")
            )
            if admits(policy, role) is refused and rule.endpoint != "accounts.setup":
                wrong.append(f"{role} {method} {path}: {answer.status_code} {answer.location}")
    assert wrong == []


def test_an_undeclared_view_is_refused(app: Flask):
    """The positive control of the two tests above."""
    assert policy_of(lambda: "") is None


def test_docs_list_every_route(app: Flask):
    assert http_table.TARGET.read_text(encoding="utf-8") == http_table.table(app), (
        "run `python -m tests.http_table`"
    )
