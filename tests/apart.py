"""Looks away while others' machines work: no line of ours runs there, and watching them is dear.

Before Python 3.12 lines are counted by stopping at every step of every module, and most steps of
a test are SQLAlchemy's. Behind one of `DOORS` nobody counts; what is called from there of ours, as
listeners and types of columns are, is counted again (`seen`). So the same lines are found to run
either way, in three quarters of the time. Who adds a door compares the two: `coverage report` of
some tests with and without it.
"""

import functools
import inspect
import sys
import threading
import types
from collections.abc import Callable, Sequence
from typing import Any

import alembic.autogenerate
import alembic.command
import jinja2
import markdown_it
import pypdf
import segno
import sqlalchemy.event
import sqlalchemy.event.api
from _pytest.assertion import rewrite
from hypothesis.core import StateForActualGivenExecution
from hypothesis.internal import constants_ast
from hypothesis.internal.conjecture.data import ConjectureData
from hypothesis.strategies._internal.core import BuildsStrategy, CompositeStrategy
from hypothesis.strategies._internal.flatmapped import FlatMapStrategy
from hypothesis.strategies._internal.strategies import (
    FilteredStrategy,
    MappedStrategy,
    SampledFromStrategy,
)
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from sqlalchemy.engine import Connection, Engine, Result, ScalarResult
from sqlalchemy.engine.util import TransactionalContext
from sqlalchemy.orm import DeclarativeBase, Mapper, Session
from sqlalchemy.orm.attributes import QueryableAttribute
from sqlalchemy.sql import Select
from sqlalchemy.sql.elements import ColumnElement
from sqlalchemy.sql.schema import MetaData

try:
    from coverage.tracer import CTracer
except ImportError:  # counted another way, or not at all
    CTracer = None

READS = "all one one_or_none first unique"
DOORS: dict[Any, str] = {
    Session: "_execute_internal get flush commit rollback close connection merge refresh delete"
    " add expunge expunge_all expire expire_all begin begin_nested",
    Connection: "execute exec_driver_sql scalar scalars commit rollback close begin",
    TransactionalContext: "__enter__ __exit__",
    Engine: "connect dispose raw_connection",
    Result: f"{READS} scalar scalar_one scalar_one_or_none fetchall fetchone",
    ScalarResult: READS,
    QueryableAttribute: "operate reverse_operate",
    ColumnElement: "operate reverse_operate",
    Select: "where join outerjoin order_by group_by select_from options",
    Mapper: "_check_configure",
    DeclarativeBase: "__init_subclass__",
    MetaData: "create_all drop_all reflect",
    alembic.command: "upgrade downgrade",
    alembic.autogenerate: "compare_metadata",
    jinja2.Environment: "compile",
    markdown_it.MarkdownIt: "render",
    segno: "make_qr",
    TTFont: "__init__",
    Canvas: "save drawString drawCentredString drawRightString rect arc line setFont setFillColor",
    pypdf.PageObject: "extract_text",
    constants_ast: "_constants_from_source",
    StateForActualGivenExecution: "run_engine",
    ConjectureData: "draw",
    rewrite: "_rewrite_test",
}
"""Where whose doors are, by their names; none of them lets anybody of ours in but as `seen`."""

OURS: dict[Any, str] = {
    BuildsStrategy: "do_draw",
    CompositeStrategy: "do_draw",
    FlatMapStrategy: "do_draw",
    FilteredStrategy: "do_filtered_draw",
    MappedStrategy: "do_draw",
    SampledFromStrategy: "_transform",
}
"""Where examples are made by what tests give: functions, and through them ours."""
RUNS = {types.GeneratorType, types.FunctionType, map, filter}
"""What is given to a function and runs within it may be ours."""

_here = threading.local()
"""`tracer`: who looks away in this thread; None, or not there, where nobody does."""


def apart(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function whose steps nobody counts."""

    @functools.wraps(function)
    def unseen(*args: Any, **values: Any) -> Any:
        tracer: Any = sys.gettrace()
        if type(tracer) is not CTracer or any(type(one) in RUNS for one in args):
            return function(*args, **values)
        sys.settrace(None)
        _here.tracer = tracer
        try:
            return function(*args, **values)
        finally:
            _here.tracer = None
            tracer.start()

    return unseen


def seen(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function whose lines are counted although it is called from behind a door."""

    @functools.wraps(function)
    def counted(*args: Any, **values: Any) -> Any:
        tracer = getattr(_here, "tracer", None)
        if tracer is None:
            return function(*args, **values)
        _here.tracer = None
        tracer.start()
        try:
            return function(*args, **values)
        finally:
            sys.settrace(None)
            _here.tracer = tracer

    return counted


def _hands_over(function: Callable[..., Any], position: int, *whose: str) -> Callable[..., Any]:
    """Return a function whose argument at that position is called back, and then counted."""

    @functools.wraps(function)
    def handing(*args: Any, **values: Any) -> Any:
        ours = args[position]
        if str(getattr(ours, "__module__", "")).startswith(whose):
            args = (*args[:position], seen(ours), *args[position + 1 :])
        return function(*args, **values)

    return handing


def _put(owners: Sequence[Any], name: str, made: Callable[..., Any]) -> None:
    for owner in owners:
        setattr(owner, name, made)


def install() -> None:
    """Look away from now on. Call it before our modules are imported: they tell of listeners."""
    for owner, names in DOORS.items():
        for name in names.split():
            found = inspect.getattr_static(owner, name)
            if isinstance(found, classmethod):
                _put([owner], name, classmethod(apart(found.__func__)))
            else:
                _put([owner], name, apart(found))
    for owner, name in OURS.items():
        _put([owner], name, seen(getattr(owner, name)))
    listen = _hands_over(sqlalchemy.event.listen, 2, "lms.")
    _put([sqlalchemy.event, sqlalchemy.event.api], "listen", listen)
    _put([Canvas], "setDateFormatter", _hands_over(Canvas.setDateFormatter, 1, "certificates."))
    examples = StateForActualGivenExecution
    _put([examples], "__init__", _hands_over(examples.__init__, 2, "tests."))


def count_types(*kinds: type) -> None:
    """Count the types of columns that are ours."""
    for kind in kinds:
        for name in ("process_bind_param", "process_result_value"):
            _put([kind], name, seen(vars(kind)[name]))


install()
