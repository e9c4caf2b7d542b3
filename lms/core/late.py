"""Loads parts of the program when they are first needed: an idle server holds little."""

import gc
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

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


class Changed(ImportError):
    """A module was written after this program started: new and old parts would not fit."""


class _Unchanged(MetaPathFinder):
    """Finds modules of a package as ever, but not what is new or was written since.

    Compares when a file was changed here (`st_ctime`), whatever the clock says: an archive may
    bring an older date along, and a small machine may start with a clock that is years behind.
    """

    def __init__(self, package: str, folder: Path) -> None:
        self.package = package
        self._found = {str(path): path.stat().st_ctime_ns for path in folder.rglob("*.py")}

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return where a module is; None for other packages. Raises Changed."""
        if not name.startswith(f"{self.package}."):
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.origin is not None:
            changed_at = Path(spec.origin).stat().st_ctime_ns
            if self._found.get(spec.origin) != changed_at:
                raise Changed(f"{name} was changed after the start: restart the server", name=name)
        return spec


def refuse_changed(package: str, folder: Path) -> None:
    """Load nothing more of a package that is written from now on, as by an update."""
    if not any(isinstance(one, _Unchanged) and one.package == package for one in sys.meta_path):
        sys.meta_path.insert(0, _Unchanged(package, folder))


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
