"""Every template parses and names only things that exist."""

import re
from pathlib import Path

from flask import Flask

from lms.core import http

ROOT = Path(__file__).parents[1] / "lms"


def test_every_template_parses(app: Flask):
    names = app.jinja_env.list_templates(extensions=["html"])
    assert len(names) > 30
    for name in names:
        app.jinja_env.get_template(name)


def test_no_template_breaks_the_content_security_policy():
    """No inline script or style, no handler attributes, no switched-off escaping."""
    bad = re.compile(
        r"<script(?![^>]*\ssrc=)|<style|<[^>{]*\sstyle=|\son[a-z]+=|javascript:|\|\s*safe\b(?!.*{#)"
    )
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in ROOT.rglob("templates/**/*.html")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if bad.search(line)
    ]
    assert found == []


def test_every_icon_that_is_drawn_exists():
    sprite = (ROOT / "static/img/icons.svg").read_text(encoding="utf-8")
    drawn = {
        name
        for path in ROOT.rglob("templates/**/*.html")
        for name in re.findall(r'icon\("([a-z-]+)"\)', path.read_text(encoding="utf-8"))
    }
    assert drawn
    assert {name for name in drawn if f'id="i-{name}"' not in sprite} == set()


def test_a_missing_static_file_is_an_error_where_it_is_named():
    assert http.static_file("css/suluh.css") is not None
    assert http.static_file("../app.py") is None
