"""Jinja, with two detours less: a page of 26 questions calls 570 things and prints 960 texts."""

from collections.abc import Callable, MutableMapping
from types import CodeType, FunctionType
from typing import Any

from jinja2 import Environment, Template
from jinja2.runtime import Context, Macro
from markupsafe import Markup, escape


class Names(Context):
    """The names of a template. Parts of pages and functions are called as they are.

    Jinja asks whatever is called three times whether it wants the context or the environment.
    """

    def call(self, what: Any, /, *args: Any, **values: Any) -> Any:
        """Call something."""
        kind = type(what)
        if kind is Macro or (kind is FunctionType and not hasattr(what, "jinja_pass_arg")):
            values.pop("_loop_vars", None)
            values.pop("_block_vars", None)
            return what(*args, **values)
        return super().call(what, *args, **values)


class Page(Template):
    """A template. What is HTML already is printed as it is."""

    @classmethod
    def from_code(
        cls,
        environment: Environment,
        code: CodeType,
        globals: MutableMapping[str, Any],
        uptodate: Callable[[], bool] | None = None,
    ) -> Template:
        """Return a compiled template, escaping by `escaped`."""
        found = super().from_code(environment, code, globals, uptodate)
        found.root_render_func.__globals__["escape"] = escaped
        return found


def escaped(value: object) -> Markup:
    """Return HTML for a value. Markupsafe would make HTML anew, through three calls, of HTML."""
    return value if type(value) is Markup else escape(value)
