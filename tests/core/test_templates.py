"""Templates call and escape as Jinja does, whatever detours they leave out."""

import pytest
from flask import Flask, render_template_string
from jinja2 import UndefinedError, pass_context
from markupsafe import Markup

from lms.core.templates import escaped


class Odd:
    """Says itself what HTML it is."""

    def __html__(self) -> str:
        return "<i>odd</i>"


@pytest.mark.parametrize(
    ("value", "html"),
    [
        ("<b>", "&lt;b&gt;"),
        (Markup("<b>"), "<b>"),
        (Odd(), "<i>odd</i>"),
        (7, "7"),
        (None, "None"),
        (["<"], "[&#39;&lt;&#39;]"),
    ],
)
def test_what_is_printed_is_escaped_unless_it_is_html(app: Flask, value: object, html: str):
    assert escaped(value) == html
    assert type(escaped(value)) is Markup
    assert render_template_string("{{ value }}", value=value) == html


def test_a_macro_escapes_what_it_is_given_and_is_html_itself(app: Flask):
    source = "{% macro b(x) %}<b>{{ x }}</b>{% endmacro %}"
    around = "{% macro c(x) %}{{ x }}{{ caller() }}{% endmacro %}"
    assert render_template_string(source + "{{ b('<') }}") == "<b>&lt;</b>"
    assert render_template_string(around + "{% call c('<') %}<br>{% endcall %}") == "&lt;<br>"
    many = "{% for one in '<>' %}{{ b(x=one) }}{% endfor %}"
    assert render_template_string(source + many) == "<b>&lt;</b><b>&gt;</b>"


def test_a_macro_without_escaping_does_not(app: Flask):
    source = (
        "{% autoescape false %}{% macro b(x) %}{{ x }}{% endmacro %}{{ b('<') }}{% endautoescape %}"
    )
    assert render_template_string(source) == "<"


def test_a_function_that_wants_the_context_gets_it_with_the_names_of_its_loop(app: Flask):
    @pass_context
    def seen(context, name: str) -> object:
        return context[name]

    source = (
        "{% for one in 'ab' %}{% set two = one %}{{ seen('two') }}{{ plain(one, n=1) }}{% endfor %}"
    )
    found = render_template_string(source, seen=seen, plain=lambda one, n: f"<{one}{n}>")
    assert found == "a&lt;a1&gt;b&lt;b1&gt;"


def test_a_name_that_is_not_there_cannot_be_called(app: Flask):
    with pytest.raises(UndefinedError):
        render_template_string("{{ nothing() }}")
