"""Makes `docs/http.md` from the URL map. Write it anew with `python -m tests.http_table`."""

from pathlib import Path

from flask import Flask

from lms.app import create_app
from lms.config import Config
from lms.core.login import policy_of

TARGET = Path(__file__).parents[1] / "docs" / "http.md"
HEAD = """# Every page and endpoint

Made from the URL map by `python -m tests.http_table`; a test fails when it is not up to date.
*Who*: `public` is everybody, `signed_in` everybody with an account, otherwise any of the roles.
*Fields*: what a form or a script sends; every POST also carries `csrf_token`.

| Method | Path | Endpoint | Who | Fields |
|---|---|---|---|---|
"""


def table(app: Flask) -> str:
    """Return the page's text."""
    rows = []
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        fields = ", ".join(getattr(view, "accepts", ()))
        rows += [
            (rule.rule, method, rule.endpoint, str(policy_of(view)), fields * (method == "POST"))
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        ]
    return HEAD + "".join(
        f"| {method} | `{path}` | {endpoint} | {who} | {fields} |\n"
        for path, method, endpoint, who, fields in sorted(rows)
    )


if __name__ == "__main__":
    config = Config(database_url="sqlite:///:memory:", secret_key="x" * 40)
    TARGET.write_text(table(create_app(config)), encoding="utf-8")
