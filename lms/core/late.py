"""Loads parts of the program when they are first needed: an idle server holds little."""

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import MetaData

from lms.core.db import Base

_alone = threading.RLock()


@contextmanager
def loading() -> Iterator[None]:
    """Load modules in this block: one thread at a time, and without a look for garbage.

    Two threads that load modules which need each other could see one half made. What is loaded
    stays until the end; looking through it for garbage took a fifth of the time.
    """
    with _alone:
        known, looks = len(sys.modules), gc.isenabled()
        gc.disable()
        try:
            yield
        finally:
            if len(sys.modules) > known:
                gc.freeze()
            if looks:
                gc.enable()


_load_models: list[Callable[[], None]] = []


def tables_by(load: Callable[[], None]) -> None:
    """Let `load` make the tables of every feature known. `lms.app` says so."""
    _load_models[:] = [load]


def all_tables() -> MetaData:
    """Return the tables of every feature, also of those nobody has asked for yet."""
    with loading():
        for load in _load_models:
            load()
    return Base.metadata
