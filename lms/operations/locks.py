"""Who holds the installation: servers share it, a restore needs it alone."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "in-use.lock"


class InUse(Exception):
    """A server of this installation is running."""


@contextmanager
def shared(folder: Path) -> Iterator[None]:
    """Hold the installation while serving it. Raises InUse while it is being restored."""
    with _held(folder, fcntl.LOCK_SH):
        yield


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold the installation for nobody else. Raises InUse."""
    with _held(folder, fcntl.LOCK_EX):
        yield


@contextmanager
def _held(folder: Path, how: int) -> Iterator[None]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(folder / NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(handle, how | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InUse(str(folder)) from None
        yield
    finally:
        os.close(handle)  # a killed process lets go as well
